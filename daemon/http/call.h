/*
 * One request on its way: the copy of what was asked, what has come of it, and the outcome in the making. Made by the
 * sender's thread, then owned by one carrier's loop until it is concluded.
 */
#ifndef FG_HTTP_CALL_H
#define FG_HTTP_CALL_H

#include "http/head.h"
#include "http/sink.h"
#include "http/supply.h"
#include "loop/loop.h"

#include <curl/curl.h>

/* The configuration, copied; it does not change. */
struct settings {
	const struct clock *clock;
	char *user_agent;
	char *ca_bundle_path;
	char *proxy;
	int64_t connect_timeout_ms;
};

/* Why we ended a call that libcurl would have carried on with. */
enum call_stop {
	CALL_STOP_NONE,
	CALL_STOP_INVALID, /* explained in outcome->message */
	CALL_STOP_ADDRESS,
	CALL_STOP_SECOND_PASS,
	CALL_STOP_NO_REPLY, /* a body behind a head that is not final: 101 */
	CALL_STOP_OTHER_RANGE,
	CALL_STOP_HEADERS,
	CALL_STOP_BODY,
	CALL_STOP_STORE,      /* store_error says why */
	CALL_STOP_SUPPLY,     /* supply_error says why */
	CALL_STOP_UNREADABLE, /* sink.why says why */
	CALL_STOP_IDLE,
	CALL_STOP_CANCELLED,
	CALL_STOP_DRAINED,
};

struct carrier;

struct call {
	struct loop_message message;
	struct carrier *carrier;
	struct call *prev, *next; /* among those that wait for the lane */
	struct call *bucket_prev, *bucket_next;
	uint64_t id;
	const struct settings *settings;
	http_done_fn on_done;
	void *userdata;

	char *method, *url, *origin;
	char *log_headers; /* for the debug log, secrets left out; NULL when nobody would read it */
	struct curl_slist *headers;
	struct supply supply;
	uint32_t flags;
	enum http_lane lane;
	enum http_version version;
	int64_t timeout_ms, idle_timeout_ms;

	CURL *easy; /* NULL: it waits, or is over */
	int64_t started_ms;
	struct head head;
	struct sink sink;

	/* The one fact that money depends on: set before the first byte of the request, never taken back. */
	bool may_have_left;
	enum call_stop stop;
	int store_error;
	int supply_error;
	unsigned int sockets_opened;
	char refused_address[64];
	char error_text[CURL_ERROR_SIZE];

	struct loop_timer idle;
	uint64_t bytes_moved;  /* in both directions */
	uint64_t bytes_marked; /* bytes_moved when it last counted as progress */
	int64_t marked_ms;

	struct http_outcome *outcome; /* allocated first, so that concluding cannot fail */
};

/* A call that may already be stopped as invalid. 0 or -ENOMEM. call.c */
int call_new(const struct settings *settings, const struct http_request *request, struct call **ret);
struct call *call_free(struct call *call);
void call_freep(struct call **call);

/*
 * Copies method, headers and body of @request, having checked what could make it two requests, or another one. 0;
 * -ENOMEM; or CALL_STOP_INVALID with the reason in outcome->message. request.c
 */
int call_copy_request(struct call *call, const struct http_request *request);

/* Ends the call for what the sink returned, if it was not 0. Returns @r. easy.c */
int call_stop_for_sink(struct call *call, int r);
/* The first reason stays. */
void call_stop(struct call *call, enum call_stop stop);
int64_t call_now_ms(const struct call *call);

/* Makes call->easy, ready for the multi handle. Negative errno with nothing made. easy.c */
int call_prepare(struct call *call);

/* Reads libcurl's result and everything recorded on the way into the outcome, and hands that out. conclude.c */
struct http_outcome *call_conclude(struct call *call, CURLcode code);

/* The negative errno that comes nearest to @code, or 0 if http and https cannot end that way. conclude.c */
int call_errno_of(CURLcode code);

#endif
