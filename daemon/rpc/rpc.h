/*
 * The gRPC door: filmgate.v1 on loopback TCP and on a unix socket, with standard health and reflection.
 *
 * Each call is read, handed to its handler in api/, and answered with what that says; nothing is decided here. gRPC's
 * own types do not leave this room. The room's threads block no signals: block them in main before rpc_server_new().
 */
#ifndef FG_RPC_RPC_H
#define FG_RPC_RPC_H

#include "base/err.h"

#include <stdint.h>

enum {
	_RPC_E_OK,
	RPC_E_ADDRESS,   /* not an address, not loopback, or a path that is too long; the message says which */
	RPC_E_IN_USE,    /* the port or the socket belongs to another process */
	RPC_E_FORBIDDEN, /* no right to bind there */
};

struct api;
struct method;
struct rpc_server;

struct rpc_config {
	struct api *api;          /* outlives the server; its engine answers every verb before rpc_server_free() */
	const char *address;      /* "127.0.0.1:7447", "[::1]:0", "localhost:0" (0: any free port), or NULL */
	const char *unix_path;    /* a socket of mode 0600, made and removed by the server, or NULL */
	uint32_t max_connections; /* 0: LIMIT_RPC_CONNECTIONS; never more than the open-file limit carries */
	uint32_t max_streams;     /* open watches and reads in all; 0: LIMIT_RPC_STREAMS */
	/* More methods, for benchmarks and tests; NULL in the product. Static. */
	const struct method *extra_methods;
	uint32_t n_extra_methods;
};

/* Copies the strings. Raises the soft open-file limit to the hard one. */
int rpc_server_new(const struct rpc_config *config, struct rpc_server **ret);
/* Binds, listens and serves. @ret_port: the TCP port, 0 without an address. On failure, @msg names the address and
 * the remedy and the server may only be freed. */
int rpc_server_start(struct rpc_server *server, uint16_t *ret_port, struct errmsg *msg);
/* Stops listening, answers health with NOT_SERVING, ends watches with DRAINING, waits @grace_ms for the calls in hand
 * and cancels the rest. The engine must still answer while this runs. Blocking; not from a callback. */
void rpc_server_drain(struct rpc_server *server, int64_t grace_ms);
/* Drains without grace if that has not happened, and ends gRPC's threads. What the engine answers later goes nowhere. */
void rpc_server_close(struct rpc_server *server);
/* Closes it if that has not happened. Every verb has been answered by now. Returns NULL, also for NULL. */
struct rpc_server *rpc_server_free(struct rpc_server *server);
void rpc_server_freep(struct rpc_server **server);

#endif
