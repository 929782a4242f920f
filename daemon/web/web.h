/*
 * The HTTP door: every method of filmgate.v1 by the Connect protocol, live events, and for whoever watches over the
 * daemon /metrics, /livez and /readyz.
 *
 * One thread, fg-web, talks HTTP and asks; it never waits for an answer, and nobody waits for it. A client that is slow,
 * says nothing, or comes a thousandfold costs at most LIMIT_WEB_CONNECTIONS sockets, and of memory a bounded amount.
 */
#ifndef FG_WEB_WEB_H
#define FG_WEB_WEB_H

#include "base/clock.h"
#include "base/err.h"
#include "web/guard.h"

struct api;
struct engine;
struct web;
struct webhooks;

struct web_config {
	struct api *api; /* outlives the web, and every verb that was asked for it */
	struct engine *engine;
	const struct clock *clock;
	const char *address;          /* "HOST:PORT" with a loopback host; port 0: any */
	struct webhooks *webhooks;    /* whose figures are shown; NULL: there are none. Outlives the web */
	const char *version;          /* constant */
	int64_t started_ms;           /* UTC; of the process */
	unsigned int max_connections; /* 0: LIMIT_WEB_CONNECTIONS */
	size_t max_reply_bytes;       /* that wait for clients to read them; 0: LIMIT_WEB_REPLIES */
	int64_t requests_per_s;       /* of each client; 0: as many as it likes */
	struct guard_list models;     /* of /v1/videos: "NAME=PROVIDER/MODEL" */
	struct guard_list hosts;      /* further names of this daemon */
	struct guard_list origins;    /* of other sites whose pages may use it: "https://app.example.com" */
};

/* Listens and serves from here on. 0, a LISTEN_E_ outcome or negative errno, each with words in @msg. */
int web_new(const struct web_config *config, struct web **ret, uint16_t *ret_port, struct errmsg *msg);
/* Ends the streams of the api, with the reason, which clients have LIMIT_GRACE_MS to take, and refuses further ones.
 * Else what is asked from here on, the engine answers. NULL is fine. [any-thread] */
void web_drain(struct web *web);
/* Closes every connection, in the middle of a reply too. What was asked of the engine may still be answered: that
 * reaches nobody. NULL is fine. */
struct web *web_free(struct web *web);

#endif
