/*
 * Listening sockets from numeric addresses.
 */
#ifndef FG_SIM_LISTEN_H
#define FG_SIM_LISTEN_H

#include "base/err.h"

#define SIM_URL_SIZE 80

enum {
	_SIM_LISTEN_E_OK,
	SIM_LISTEN_E_REFUSED, /* not an address, or the system refuses it: see the message */
};

/* @address is HOST:PORT or [HOST]:PORT, numeric. @ret_url receives "http://HOST:PORT" with the port in use. */
int sim_listen(const char *address, struct errmsg *msg, char ret_url[static SIM_URL_SIZE], int *ret_fd);

#endif
