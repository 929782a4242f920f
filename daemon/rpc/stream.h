/*
 * A call with many replies over gRPC; see api/stream.h for what a handler may expect of it.
 *
 * Messages wait in a bounded queue; one write is under way at a time, and its completion means that the client's
 * window took it. State is under the stream's own lock, which also serialises its batches. Completions arrive on the
 * stream thread, and so do all events.
 */
#ifndef FG_RPC_STREAM_H
#define FG_RPC_STREAM_H

#include "api/stream.h"
#include "rpc/call.h"

struct rpc_server *stream_server(struct stream *stream);
/* How many messages wait or are being written. */
uint32_t stream_backlog(struct stream *stream);

/* For call.c and server.c. */
struct rpc_call *stream_new(struct rpc_server *server, const struct method_slot *slot); /* aborts without memory */
void stream_free(struct rpc_call *call);
void stream_accept(struct rpc_call *call);
void stream_abort_all(struct rpc_server *server, const struct failure *failure);

#endif
