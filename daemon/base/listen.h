/*
 * From an address in the configuration to a socket that listens on this machine only, or to words that say why not.
 */
#ifndef FG_BASE_LISTEN_H
#define FG_BASE_LISTEN_H

#include "base/err.h"

enum {
	_LISTEN_E_OK,
	LISTEN_E_ADDRESS,   /* not an address, or not loopback; the message says which */
	LISTEN_E_IN_USE,    /* it belongs to another process */
	LISTEN_E_FORBIDDEN, /* no right to bind there */
};

/* "HOST:PORT", HOST a loopback address or "localhost", IPv6 in brackets, PORT 0 for any free one. 0, or an outcome from
 * above or negative errno with @msg. The socket does not block and is closed on exec. [any-thread] */
int listen_loopback(const char *address, int *ret_fd, uint16_t *ret_port, struct errmsg *msg);
/* Why bind() or listen() failed with @error, a positive errno: its outcome, with words. [any-thread] */
int listen_explain(int error, const char *address, struct errmsg *msg);

#endif
