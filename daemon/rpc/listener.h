/*
 * Sockets that wait for connections, and the thread that accepts them.
 *
 * libgrpc can listen itself, but the packaged version stops for good at the first "too many open files"
 * (CVE-2023-4785), counts no connections, gives a unix socket whatever mode the umask says, and explains no failure.
 * So the sockets are ours; libgrpc gets each connection (server_adopt). TLS would have to go another way, since it
 * takes only plain connections so.
 */
#ifndef FG_RPC_LISTENER_H
#define FG_RPC_LISTENER_H

#include "base/err.h"
#include "rpc/rpc.h"

struct listener;

struct listener_config {
	const char *address;
	const char *unix_path;
	uint32_t max_connections;
	/* A connected, non-blocking socket, the callee's from now on. On the listener's thread. */
	void (*on_connection)(void *userdata, int fd);
	void *userdata;
};

/* Binds and listens. 0, an RPC_E_ outcome or negative errno, both with @msg. The config's strings must outlive it. */
int listener_open(const struct listener_config *config, struct listener **ret, uint16_t *ret_port,
		  struct errmsg *msg);
int listener_start(struct listener *listener);
/* No connection is reported afterwards; closes the sockets and removes the unix socket if it is still ours. */
struct listener *listener_free(struct listener *listener);
void listener_freep(struct listener **listener);

#endif
