#include "rpc/call.h"

#include "base/err.h"
#include "base/limits.h"
#include "base/log.h"
#include "rpc/message.h"
#include "rpc/server.h"
#include "rpc/stream.h"
#include "rpc/tsan.h"

#define IDLE_CALLS_MAX 128

static void on_accepted(struct tag *tag, bool ok);
static void reply(struct call *call, const ProtobufCMessage *message);
static void reply_packed(struct call *call, struct packed *take);
static void fail(struct call *call, const struct failure *failure);

static struct rpc_call *rpc_call_of_tag(struct tag *tag)
{
	return (struct rpc_call *)((char *)tag - offsetof(struct rpc_call, tag));
}

static bool is_stream(const struct method_slot *slot)
{
	return slot->method && slot->method->shape != METHOD_UNARY;
}

void call_init(struct rpc_call *call, struct rpc_server *server, const struct method_slot *slot)
{
	static const struct call_ops ops = {.reply = reply, .reply_packed = reply_packed, .fail = fail};

	call->call.ops = &ops;
	call->call.api = server->config.api;
	call->tag.run = on_accepted;
	call->server = server;
	call->slot = slot;
	grpc_metadata_array_init(&call->metadata);
	if (!slot->method)
		grpc_call_details_init(&call->details);
}

void call_finish(struct rpc_call *call)
{
	if (call->payload)
		grpc_byte_buffer_destroy(call->payload);
	if (call->grpc)
		grpc_call_unref(call->grpc);
	if (!call->slot->method)
		grpc_call_details_destroy(&call->details);
	grpc_metadata_array_destroy(&call->metadata);
	arena_finish(&call->call.arena);
}

/* A used call keeps its first block of memory and its metadata array for the next one. */
static struct rpc_call *take_idle(struct rpc_server *server)
{
	struct rpc_call *call;

	pthread_mutex_lock(&server->lock);
	call = server->free_calls;
	if (call) {
		server->free_calls = call->next_free;
		server->n_free_calls--;
	}
	pthread_mutex_unlock(&server->lock);
	return call;
}

static bool keep_idle(struct rpc_call *call)
{
	struct rpc_server *server = call->server;
	bool is_kept;

	pthread_mutex_lock(&server->lock);
	is_kept = server->n_free_calls < IDLE_CALLS_MAX;
	if (is_kept) {
		call->next_free = server->free_calls;
		server->free_calls = call;
		server->n_free_calls++;
	}
	pthread_mutex_unlock(&server->lock);
	return is_kept;
}

void call_free_idle(struct rpc_server *server)
{
	struct rpc_call *call;

	while ((call = take_idle(server)) != NULL) {
		grpc_metadata_array_destroy(&call->metadata);
		arena_finish(&call->call.arena);
		free(call);
	}
}

/* libgrpc aborts when it has no memory, so there is no other way out here either. */
static struct rpc_call *call_new(struct rpc_server *server, const struct method_slot *slot)
{
	struct rpc_call *call;

	if (is_stream(slot))
		return stream_new(server, slot);
	call = slot->method ? take_idle(server) : NULL;
	if (call) {
		call->tag.run = on_accepted;
		call->slot = slot;
		return call;
	}
	call = calloc(1, sizeof(*call));
	if (!call)
		abort();
	call_init(call, server, slot);
	return call;
}

static void call_free(struct rpc_call *call)
{
	if (is_stream(call->slot)) {
		stream_free(call);
		return;
	}
	if (!call->slot->method) {
		call_finish(call);
		free(call);
		return;
	}
	if (call->payload)
		grpc_byte_buffer_destroy(call->payload);
	if (call->grpc)
		grpc_call_unref(call->grpc);
	call->payload = NULL;
	call->grpc = NULL;
	call->metadata.count = 0;
	arena_reset(&call->call.arena);
	if (!keep_idle(call)) {
		call_finish(call);
		free(call);
	}
}

void call_post(struct rpc_server *server, const struct method_slot *slot)
{
	struct rpc_call *call;
	grpc_call_error error;

	if (atomic_load(&server->is_draining))
		return;
	call = call_new(server, slot);
	tsan_release(&call->tag);
	if (!slot->method)
		error = grpc_server_request_call(server->grpc, &call->grpc, &call->details, &call->metadata,
						 server->calls, server->calls, &call->tag);
	else
		error = grpc_server_request_registered_call(server->grpc, slot->registered, &call->grpc,
							    &call->deadline, &call->metadata,
							    slot->method->shape == METHOD_BIDI ? NULL : &call->payload,
							    is_stream(slot) ? server->streams : server->calls,
							    server->calls, &call->tag);
	if (error != GRPC_CALL_OK) {
		log_error("gRPC accepts no more calls of a method", "method", slot->method ? slot->method->path : "*",
			  "error", grpc_call_error_to_string(error));
		call_free(call);
	}
}

/* ---- the answer ---- */

int call_start(struct rpc_call *call, const grpc_op *ops, size_t n, struct tag *tag)
{
	grpc_call *grpc = call->grpc; /* read before the release: afterwards the call is the completion's */
	grpc_call_error error;

	tsan_release(tag);
	error = grpc_call_start_batch(grpc, ops, n, tag, NULL);
	if (error == GRPC_CALL_OK)
		return 0;
	log_error("gRPC refused a batch", "method", call->slot->method ? call->slot->method->path : "*", "error",
		  grpc_call_error_to_string(error));
	return err_origin(-EPROTO);
}

grpc_op call_op_status(const struct status *status, grpc_metadata *trailer)
{
	grpc_op op = {.op = GRPC_OP_SEND_STATUS_FROM_SERVER};

	op.data.send_status_from_server.status = status->code;
	op.data.send_status_from_server.status_details = (grpc_slice *)&status->message;
	if (GRPC_SLICE_LENGTH(status->details)) {
		*trailer = (grpc_metadata){.key = grpc_slice_from_static_string("grpc-status-details-bin"),
					   .value = status->details};
		op.data.send_status_from_server.trailing_metadata_count = 1;
		op.data.send_status_from_server.trailing_metadata = trailer;
	}
	return op;
}

static void on_answered(struct tag *tag, bool ok)
{
	struct rpc_call *call = rpc_call_of_tag(tag);
	struct rpc_server *server = call->server;

	(void)ok;
	atomic_fetch_sub(&server->calls_in_hand, 1);
	atomic_fetch_sub(&server->bytes_in_hand, call->payload_bytes);
	call_free(call);
}

/* The one batch. Once it is started the completion may free the call before this returns. Too late for one, nobody hears
 * it. */
static void start_answer(struct rpc_call *call, const grpc_op *ops, size_t n)
{
	struct rpc_server *server = call->server;
	int r;

	call->tag.run = on_answered;
	if (!server_begin_answer(server)) {
		on_answered(&call->tag, false);
		return;
	}
	r = call_start(call, ops, n, &call->tag);
	server_end_answer(server);
	if (r < 0)
		on_answered(&call->tag, false);
}

static void answer(struct rpc_call *call, grpc_slice *message, const struct status *status)
{
	grpc_byte_buffer *buffer = message ? grpc_raw_byte_buffer_create(message, 1) : NULL;
	grpc_metadata trailer;
	grpc_op ops[4];
	size_t n = 0;

	ops[n++] = (grpc_op){.op = GRPC_OP_SEND_INITIAL_METADATA};
	if (buffer) {
		ops[n] = (grpc_op){.op = GRPC_OP_SEND_MESSAGE};
		ops[n++].data.send_message.send_message = buffer;
	}
	ops[n++] = call_op_status(status, &trailer);
	ops[n] = (grpc_op){.op = GRPC_OP_RECV_CLOSE_ON_SERVER};
	ops[n++].data.recv_close_on_server.cancelled = &call->cancelled;

	start_answer(call, ops, n);
	if (buffer)
		grpc_byte_buffer_destroy(buffer);
}

static void reply_slice(struct rpc_call *call, grpc_slice take)
{
	struct status status;

	status_init_ok(&status);
	answer(call, &take, &status);
	grpc_slice_unref(take);
}

static void reply(struct call *call, const ProtobufCMessage *message)
{
	reply_slice(rpc_call_of(call), message_pack_slice(message));
}

static void reply_packed(struct call *call, struct packed *take)
{
	reply_slice(rpc_call_of(call), message_slice(take));
}

static void fail(struct call *call, const struct failure *failure)
{
	struct status status;

	status_init_failure(&status, failure);
	answer(rpc_call_of(call), NULL, &status);
	status_finish(&status);
}

void call_fail_code(struct rpc_call *call, grpc_status_code code, const char *text)
{
	struct status status = {
		.code = code, .message = grpc_slice_from_static_string(text), .details = grpc_empty_slice()};

	answer(call, NULL, &status);
}

/* ---- the way in ---- */

static bool is_overloaded(const struct rpc_server *server)
{
	return atomic_load(&server->calls_in_hand) > LIMIT_RPC_CALLS ||
	       atomic_load(&server->bytes_in_hand) > LIMIT_RPC_BYTES_IN_HAND;
}

int call_receive(struct rpc_call *call, const ProtobufCMessage **ret, struct problem *problem)
{
	ProtobufCMessage *request;
	int r;

	if (!call->payload) {
		*problem = (struct problem){.text = "the call has no request message"};
		return PRESCAN_E_MALFORMED;
	}
	r = message_receive(call->slot->method->request, call->payload, &call->call.arena, &request, problem);
	grpc_byte_buffer_destroy(call->payload);
	call->payload = NULL;
	if (r == 0)
		*ret = request;
	return r;
}

static void handle_unary(struct rpc_call *call)
{
	struct failure failure = {.reason = FILMGATE__V1__ERROR_REASON__ERROR_REASON_QUEUE_FULL};
	struct engine_violation violation;
	const ProtobufCMessage *request;
	struct problem problem;
	int r;

	if (is_overloaded(call->server)) {
		call_fail(&call->call, &failure);
		return;
	}
	r = call_receive(call, &request, &problem);
	if (r) {
		failure = failure_of_problem(r, &problem, &violation);
		call_fail(&call->call, &failure);
		return;
	}
	call->slot->method->on_call(&call->call, request);
}

static void on_accepted(struct tag *tag, bool ok)
{
	struct rpc_call *call = rpc_call_of_tag(tag);
	struct rpc_server *server = call->server;

	if (!ok) {
		call_free(call);
		return;
	}
	/* First of all, since calls that find no slot pile up inside gRPC without a limit. */
	call_post(server, call->slot);
	if (is_stream(call->slot)) {
		stream_accept(call);
		return;
	}

	call->payload_bytes = call->payload ? grpc_byte_buffer_length(call->payload) : 0;
	atomic_fetch_add(&server->calls_in_hand, 1);
	atomic_fetch_add(&server->bytes_in_hand, call->payload_bytes);
	if (call->slot->method)
		handle_unary(call);
	else
		call_fail_code(call, GRPC_STATUS_UNIMPLEMENTED, "there is no such method");
}
