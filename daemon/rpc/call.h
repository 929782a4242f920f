/*
 * One call from its accept slot to its reply.
 *
 * A unary call has one line of life: posted, accepted, decoded, handled, answered once, recycled. The handler runs on
 * the queue's thread and must not block; the answer may come from any thread, at once or later. The reply is one
 * batch, so an answered call costs two queue events in all.
 */
#ifndef FG_RPC_CALL_H
#define FG_RPC_CALL_H

#include "rpc/arena.h"
#include "rpc/prescan.h"
#include "rpc/status.h"

#include <grpc/grpc.h>

struct call;
struct stream;
struct rpc_server;

enum method_shape {
	METHOD_UNARY,
	METHOD_SERVER_STREAM, /* one request, many replies */
	METHOD_BIDI,          /* requests one after the other; replies, or one in the end */
};

/* A row of the static table from method to handler. */
struct rpc_method {
	const char *path; /* "/package.Service/Method" */
	enum method_shape shape;
	unsigned slots; /* accept slots kept posted */
	const ProtobufCMessageDescriptor *request;
	/* Unary. @request lives until the call is answered. Answers exactly once. */
	void (*on_call)(struct call *call, const void *request);
	/* Streams. @request (NULL for bidi) lives until the handler returns. See stream.h. */
	void (*on_stream)(struct stream *stream, const void *request);
};

/* What a queue gives back: embedded in the object that waits for it. */
struct tag {
	void (*run)(struct tag *tag, bool ok);
};

struct method_slot {                     /* a registered method */
	const struct rpc_method *method; /* NULL: calls of methods that nobody registered */
	void *registered;
};

struct call {
	struct tag tag; /* accepted, then answered */
	struct rpc_server *server;
	const struct method_slot *slot;
	grpc_call *grpc;
	gpr_timespec deadline;
	grpc_metadata_array metadata;
	grpc_call_details details; /* of generic calls only */
	grpc_byte_buffer *payload;
	size_t payload_bytes;
	struct arena arena;
	int cancelled;
	struct call *next_free;
};

/* Asks for one more call of @slot. Fails silently once the server shuts down. */
void call_post(struct rpc_server *server, const struct method_slot *slot);

/* Answers the call; not to be touched afterwards. [any-thread] */
void call_reply(struct call *call, const ProtobufCMessage *message);
void call_reply_packed(struct call *call, grpc_slice take);
void call_fail(struct call *call, const struct failure *failure);
/* Where the contract is not ours (health, unknown methods): no details. @text is static. */
void call_fail_code(struct call *call, grpc_status_code code, const char *text);
/* With the engine's outcome; see failure_of_engine(). */
void call_fail_engine(struct call *call, int outcome, const struct engine_error *error, enum resource resource,
		      const char *name);
/* INVALID_REQUEST with one violation. */
__attribute__((format(printf, 3, 4))) void call_fail_field(struct call *call, const char *field, const char *format,
							   ...);
/* INTERNAL; logs @error. */
void call_fail_internal(struct call *call, int error);

/* ---- for stream.c and server.c ---- */

void call_init(struct call *call, struct rpc_server *server, const struct method_slot *slot);
/* Gives back what the call holds of gRPC, and its memory. */
void call_finish(struct call *call);
/* Unpacks the request, once. 0, a PRESCAN_E_ outcome with @problem filled, or -ENOMEM. */
int call_receive(struct call *call, const ProtobufCMessage **ret, struct problem *problem);
/* Starts a batch whose completion runs @tag. Negative: the tag never comes. */
int call_start(struct call *call, const grpc_op *ops, size_t n, struct tag *tag);
grpc_op call_op_status(const struct status *status, grpc_metadata *trailer);
/* Frees the idle calls that wait for their next use. */
void call_free_idle(struct rpc_server *server);

#endif
