/*
 * The HTTP door for whoever watches over the daemon: /metrics, /livez and /readyz, to be read by GET and HEAD and by
 * nothing else.
 *
 * One thread, fg-web, talks HTTP and asks the engine; it never waits for an answer, and nobody waits for it. A client
 * that is slow, says nothing, or comes a thousandfold costs at most LIMIT_WEB_CONNECTIONS sockets.
 */
#ifndef FG_WEB_WEB_H
#define FG_WEB_WEB_H

#include "base/clock.h"
#include "base/err.h"

struct engine;
struct web;

struct web_config {
	struct engine *engine;
	const struct clock *clock;
	const char *address; /* "HOST:PORT" with a loopback host; port 0: any */
	const char *version; /* constant */
	int64_t started_ms;  /* UTC; of the process */
};

/* Listens and serves from here on. 0, a LISTEN_E_ outcome or negative errno, each with words in @msg. */
int web_new(const struct web_config *config, struct web **ret, uint16_t *ret_port, struct errmsg *msg);
/* Closes every connection, in the middle of a reply too. What was asked of the engine may still be answered: that
 * reaches nobody. NULL is fine. */
struct web *web_free(struct web *web);

#endif
