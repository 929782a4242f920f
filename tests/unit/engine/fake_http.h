/*
 * In the place of http/: keeps every request, and ends it as the test says. What is pure of that room (outcomes, their
 * headers) is the real one.
 */
#ifndef FG_TESTS_UNIT_ENGINE_FAKE_HTTP_H
#define FG_TESTS_UNIT_ENGINE_FAKE_HTTP_H

#include "http/http.h"

#include <pthread.h>

/* What http_send() was asked; texts are copies that live until the end of the test. */
struct request {
	struct request *next;
	uint64_t id;
	char *method, *url, *body, *if_range;
	char *names[8], *values[8]; /* its headers */
	size_t n_headers;
	uint32_t flags;
	enum http_lane lane;
	int64_t timeout_ms;
	enum http_sink sink;
	int fd;
	uint64_t resume_from;
	int64_t idle_timeout_ms;
	uint64_t max_body_bytes;
	struct http_filter filter; /* HTTP_SINK_FILTER: what the body of a success passes through */
	http_done_fn done;
	void *userdata;
	bool is_ended;
	bool is_cancelled; /* http_cancel() ended it */
};

/* How a request ends. Zero is a complete reply. */
struct said {
	enum http_kind kind;
	int error;
	bool may_have_left;
	int status;
	const char *headers; /* "Name: value\nName: value" */
	const char *location;
	const char *body;
	struct bytes file; /* what reaches the file, if the request has one; NULL: it stays as it is */
	struct http_range range;
};

struct http {
	pthread_mutex_t mutex;           /* over all below */
	struct request *requests, *last; /* in their order */
	uint64_t count;
	int refuses;      /* what http_send() answers instead of taking; 0: it takes */
	bool is_draining; /* http_drain() was called */
	bool is_dead;     /* a crash: nothing answers any more */
	/* Called for each request before http_send() returns, on the engine thread. */
	void (*on_send)(void *userdata, const struct request *request);
	void *userdata;
};

void fake_http_init(struct http *http);
/* Everything that is still open ends as aborted, and stays so. */
void fake_http_kill(struct http *http);
/* For the next start. */
void fake_http_revive(struct http *http);
void fake_http_finish(struct http *http);
void fake_http_end(struct http *http, struct request *request, const struct said *said);

/* NULL: it has none of that name. */
const char *request_header(const struct request *request, const char *name);
bool request_ends_with(const struct request *request, const char *ending);

#endif
