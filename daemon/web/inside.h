/*
 * What server.c, exchange.c and head.c share, and nobody else: one request, its connection, and the library.
 */
#ifndef FG_WEB_INSIDE_H
#define FG_WEB_INSIDE_H

#include "web/rate.h"
#include "web/server.h"

#include <microhttpd.h>

#define REQUEST_ID_MAX 64

struct connection {
	struct connection *prev, *next;
	int fd;
	int64_t until_ms; /* monotonic */
	bool is_resting;  /* suspended: that is not its fault */
	bool is_shut;
};

struct exchange {
	struct exchange *prev, *next;
	struct server *server;
	struct MHD_Connection *handle;
	struct connection *connection;
	const char *method, *path; /* the library's, as long as the request */
	const struct route *route;
	const char *origin; /* that may read the reply, beside our own; the configuration's */
	char id[REQUEST_ID_MAX + 1];
	int64_t began_ms;
	struct buffer body;
	const char *fault; /* why the body was not kept; it is read to its end first */
	unsigned int fault_status;

	struct question *question; /* under way */
	question_late_fn *late;
	int64_t until_ms; /* for the answer; negative: for ever */
	struct reply reply;
	bool has_reply;    /* waits for the library to call */
	size_t reply_size; /* counted in server.reply_bytes */

	const struct source *source;
	void *userdata;
	bool is_whole; /* nothing of it is left to read */
	bool is_suspended;
	bool is_left; /* the client is gone, or we go */
	unsigned int status;
};

struct server {
	const struct web_config *config;
	struct desk *desk;
	struct MHD_Daemon *daemon;
	struct connection *connections;
	struct exchange *exchanges;
	struct rates *rates; /* NULL: there is no limit */
	size_t body_bytes;   /* of all requests but those with a file */
	size_t form_bytes;   /* of those */
	size_t reply_bytes;  /* of all replies that are being sent */
	size_t n_streams;
	int64_t look_ms; /* for leavers, next */
	int64_t end_ms;  /* of streams, now that the daemon drains; 0: it does not */
	int fd;
	bool is_stopping;
};

static inline int64_t server_now_ms(const struct server *server)
{
	return clock_monotonic_ms(server->config->clock);
}

/* For what its connection does next. */
void exchange_give_time(struct exchange *exchange, int64_t ms);
/* Out of its rest, if it has one. */
void exchange_resume(struct exchange *exchange);
/* Only where the library lets us: in its call. */
enum MHD_Result exchange_queue_reply(struct exchange *exchange);
/* Whoever answers it reaches nobody. */
void exchange_drop_question(struct exchange *exchange);

/* Of a request whose head is all there is: false, and it has been answered. */
bool head_may_come(struct exchange *exchange, const char *version);

#endif
