/*
 * One call from its accept slot to its reply.
 *
 * A unary call has one line of life: posted, accepted, decoded, handled, answered once, recycled. The handler runs on
 * the queue's thread and must not block; the answer may come from any thread, at once or later. The reply is one
 * batch, so an answered call costs two queue events in all.
 */
#ifndef FG_RPC_CALL_H
#define FG_RPC_CALL_H

#include "api/call.h"
#include "api/prescan.h"
#include "rpc/status.h"

#include <grpc/grpc.h>

struct rpc_server;

/* What a queue gives back: embedded in the object that waits for it. */
struct tag {
	void (*run)(struct tag *tag, bool ok);
};

struct method_slot {                 /* a registered method */
	const struct method *method; /* NULL: calls of methods that nobody registered */
	void *registered;
};

struct rpc_call {
	struct call call; /* first: what the handler has */
	struct tag tag;   /* accepted, then answered */
	struct rpc_server *server;
	const struct method_slot *slot;
	grpc_call *grpc;
	gpr_timespec deadline;
	grpc_metadata_array metadata;
	grpc_call_details details; /* of generic calls only */
	grpc_byte_buffer *payload;
	size_t payload_bytes;
	int cancelled;
	struct rpc_call *next_free;
};

static inline struct rpc_call *rpc_call_of(struct call *call)
{
	return (struct rpc_call *)call;
}

/* Asks for one more call of @slot. Fails silently once the server shuts down. */
void call_post(struct rpc_server *server, const struct method_slot *slot);

/* Where the contract is not ours (health, unknown methods): no details. @text is static. Answers the call. */
void call_fail_code(struct rpc_call *call, grpc_status_code code, const char *text);

/* ---- for stream.c and server.c ---- */

void call_init(struct rpc_call *call, struct rpc_server *server, const struct method_slot *slot);
/* Gives back what the call holds of gRPC, and its memory. */
void call_finish(struct rpc_call *call);
/* Unpacks the request, once. 0, a PRESCAN_E_ outcome with @problem filled, or -ENOMEM. */
int call_receive(struct rpc_call *call, const ProtobufCMessage **ret, struct problem *problem);
/* Starts a batch whose completion runs @tag. Negative: the tag never comes. */
int call_start(struct rpc_call *call, const grpc_op *ops, size_t n, struct tag *tag);
grpc_op call_op_status(const struct status *status, grpc_metadata *trailer);
/* Frees the idle calls that wait for their next use. */
void call_free_idle(struct rpc_server *server);

#endif
