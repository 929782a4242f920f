/*
 * A call has a completion queue of its own and at most four batches under way: the request with the initial metadata of
 * the reply, the status, one message at a time, and one further request. A unary call is a stream with one message.
 * Waiting is done in slices, since a completion queue knows nothing of signals.
 */
#include "client.h"

#include "field.h"
#include "interrupt.h"
#include "wire.h"

#include "base/err.h"

#include <assert.h>
#include <grpc/byte_buffer_reader.h>
#include <grpc/grpc.h>
#include <grpc/grpc_security.h>
#include <grpc/support/alloc.h>
#include <grpc/support/log.h>

/* A daemon that is gone is noticed after 40 s at most; one that is back, within a second. */
#define KEEPALIVE_TIME_MS 30000
#define KEEPALIVE_TIMEOUT_MS 10000
#define CONNECT_TIMEOUT_MS 5000
#define RECONNECT_MIN_MS 100
#define RECONNECT_MAX_MS 1000
#define MESSAGE_BYTES_MAX (5 * 1024 * 1024) /* the contract's replies have at most 4 MiB */

struct client {
	grpc_channel *channel;
};

/* What a tag points to: which batch it was. */
enum batch { BATCH_REQUEST, BATCH_STATUS, BATCH_MESSAGE, BATCH_SEND, _BATCHES };

struct client_stream {
	const ProtobufCMessageDescriptor *output;
	grpc_completion_queue *queue;
	grpc_call *call;
	char tags[_BATCHES];
	bool is_pending[_BATCHES];
	bool is_done[_BATCHES];
	bool is_sending; /* the client's side is open */
	bool is_refused; /* what was sent could not leave */
	grpc_byte_buffer *request;
	grpc_byte_buffer *message; /* NULL in a completed batch: no more will come */
	grpc_metadata_array initial, trailing;
	grpc_status_code code;
	grpc_slice details;
};

static void drop_log(gpr_log_func_args *args)
{
	(void)args;
}

static grpc_channel *open_channel(const char *target)
{
#define INTEGER(name, number) {.type = GRPC_ARG_INTEGER, .key = (char *)(uintptr_t)(name), .value.integer = (number)}
	grpc_arg args[] = {
		INTEGER(GRPC_ARG_KEEPALIVE_TIME_MS, KEEPALIVE_TIME_MS),
		INTEGER(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, KEEPALIVE_TIMEOUT_MS),
		INTEGER(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0),
		INTEGER(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, RECONNECT_MIN_MS),
		INTEGER(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, CONNECT_TIMEOUT_MS),
		INTEGER(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, RECONNECT_MAX_MS),
		INTEGER(GRPC_ARG_DNS_MIN_TIME_BETWEEN_RESOLUTIONS_MS, RECONNECT_MAX_MS),
		INTEGER(GRPC_ARG_MAX_RECEIVE_MESSAGE_LENGTH, MESSAGE_BYTES_MAX),
		INTEGER(GRPC_ARG_ENABLE_RETRIES, 0),
		INTEGER(GRPC_ARG_SERVICE_CONFIG_DISABLE_RESOLUTION, 1),
		INTEGER(GRPC_ARG_ENABLE_HTTP_PROXY, 0),
		INTEGER(GRPC_ARG_ENABLE_CHANNELZ, 0),
	};
#undef INTEGER
	grpc_channel_args list = {.num_args = sizeof(args) / sizeof(args[0]), .args = args};
	grpc_channel_credentials *credentials = grpc_insecure_credentials_create();
	grpc_channel *channel = grpc_channel_create(target, credentials, &list);

	grpc_channel_credentials_release(credentials);
	return channel;
}

struct client *client_new(const char *target)
{
	struct client *client = calloc(1, sizeof(*client));

	if (!client)
		return NULL;
	/* Its complaints are said again, in our words, by the status of the call. */
	if (!getenv("GRPC_VERBOSITY"))
		gpr_set_log_function(drop_log);
	grpc_init();
	client->channel = open_channel(target);
	return client;
}

struct client *client_free(struct client *client)
{
	if (!client)
		return NULL;
	grpc_channel_destroy(client->channel);
	grpc_shutdown();
	/* The last reference is dropped by a thread of the library's own. */
	for (int i = 0; i < 500 && grpc_is_initialized(); i++)
		gpr_sleep_until(gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC), gpr_time_from_millis(10, GPR_TIMESPAN)));
	free(client);
	return NULL;
}

static gpr_timespec after(int64_t ms)
{
	return gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC), gpr_time_from_millis(ms, GPR_TIMESPAN));
}

/*
 * Core makes progress on a connection only while somebody polls, and after a failed attempt it would wait for the rest
 * of its connect time-out; so a pause asks for a new attempt and polls. A channel that has once failed fails every call
 * until it is connected: calling earlier than that is pointless.
 */
void client_pause(struct client *client, int64_t ms)
{
	gpr_timespec end = after(ms);
	grpc_completion_queue *queue = grpc_completion_queue_create_for_next(NULL);
	grpc_connectivity_state state = grpc_channel_check_connectivity_state(client->channel, 1);
	bool was_ready = state == GRPC_CHANNEL_READY;

	grpc_channel_reset_connect_backoff(client->channel);
	while (!interrupt_came() && gpr_time_cmp(gpr_now(GPR_CLOCK_MONOTONIC), end) < 0 &&
	       (was_ready || state != GRPC_CHANNEL_READY)) {
		gpr_timespec slice = after(INTERRUPT_SLICE_MS);

		grpc_channel_watch_connectivity_state(client->channel, state, gpr_time_min(slice, end), queue, NULL);
		grpc_completion_queue_next(queue, gpr_inf_future(GPR_CLOCK_MONOTONIC), NULL);
		state = grpc_channel_check_connectivity_state(client->channel, 1);
	}
	grpc_completion_queue_shutdown(queue);
	grpc_completion_queue_next(queue, gpr_inf_future(GPR_CLOCK_MONOTONIC), NULL);
	grpc_completion_queue_destroy(queue);
}

static int start(struct client_stream *stream, enum batch batch, const grpc_op *ops, size_t count)
{
	if (grpc_call_start_batch(stream->call, ops, count, &stream->tags[batch], NULL) != GRPC_CALL_OK)
		return err_origin(-EPROTO);
	stream->is_pending[batch] = true;
	stream->is_done[batch] = false;
	return 0;
}

static int start_message(struct client_stream *stream)
{
	const grpc_op op = {.op = GRPC_OP_RECV_MESSAGE, .data.recv_message.recv_message = &stream->message};

	return start(stream, BATCH_MESSAGE, &op, 1);
}

static int start_send(struct client_stream *stream)
{
	const grpc_op op = {.op = GRPC_OP_SEND_MESSAGE, .data.send_message.send_message = stream->request};

	return start(stream, BATCH_SEND, &op, 1);
}

/* The whole request at once, or its beginning: what is sent on its own completes on its own. */
static int start_request(struct client_stream *stream)
{
	const grpc_op request[] = {
		{.op = GRPC_OP_SEND_INITIAL_METADATA},
		{.op = GRPC_OP_RECV_INITIAL_METADATA,
		 .data.recv_initial_metadata.recv_initial_metadata = &stream->initial},
		{.op = GRPC_OP_SEND_MESSAGE, .data.send_message.send_message = stream->request},
		{.op = GRPC_OP_SEND_CLOSE_FROM_CLIENT},
	};
	int r = start(stream, BATCH_REQUEST, request, stream->is_sending ? 2 : 4);

	return r || !stream->is_sending ? r : start_send(stream);
}

static int start_all(struct client_stream *stream)
{
	const grpc_op status = {
		.op = GRPC_OP_RECV_STATUS_ON_CLIENT,
		.data.recv_status_on_client = {.trailing_metadata = &stream->trailing,
					       .status = &stream->code,
					       .status_details = &stream->details},
	};
	int r = start(stream, BATCH_STATUS, &status, 1);

	if (r == 0)
		r = start_request(stream);
	return r ? r : start_message(stream);
}

static grpc_byte_buffer *pack(const ProtobufCMessage *message)
{
	grpc_slice slice = grpc_slice_malloc(protobuf_c_message_get_packed_size(message));
	grpc_byte_buffer *buffer;

	protobuf_c_message_pack(message, GRPC_SLICE_START_PTR(slice));
	buffer = grpc_raw_byte_buffer_create(&slice, 1);
	grpc_slice_unref(slice);
	return buffer;
}

static int open_until(struct client *client, const ProtobufCServiceDescriptor *service, const char *name,
		      const ProtobufCMessage *request, gpr_timespec deadline, bool is_sending,
		      struct client_stream **ret)
{
	const ProtobufCMethodDescriptor *method = protobuf_c_service_descriptor_get_method_by_name(service, name);
	_cleanup_(client_stream_freep) struct client_stream *stream = calloc(1, sizeof(*stream));
	grpc_slice slice;
	char path[128];
	int r;

	assert(method && request->descriptor == method->input);
	if (!stream)
		return err_origin(-ENOMEM);
	snprintf(path, sizeof(path), "/%s/%s", service->name, name);
	stream->output = method->output;
	stream->details = grpc_empty_slice();
	grpc_metadata_array_init(&stream->initial);
	grpc_metadata_array_init(&stream->trailing);
	stream->is_sending = is_sending;
	stream->request = pack(request);
	stream->queue = grpc_completion_queue_create_for_next(NULL);
	slice = grpc_slice_from_copied_string(path);
	stream->call = grpc_channel_create_call(client->channel, NULL, GRPC_PROPAGATE_DEFAULTS, stream->queue, slice,
						NULL, deadline, NULL);
	grpc_slice_unref(slice);
	r = start_all(stream);
	if (r)
		return err_trace(r);
	*ret = steal(stream);
	return 0;
}

int client_stream_open(struct client *client, const ProtobufCServiceDescriptor *service, const char *method,
		       const ProtobufCMessage *request, struct client_stream **ret)
{
	return open_until(client, service, method, request, gpr_inf_future(GPR_CLOCK_MONOTONIC), false, ret);
}

int client_stream_open_sending(struct client *client, const ProtobufCServiceDescriptor *service, const char *method,
			       const ProtobufCMessage *request, struct client_stream **ret)
{
	return open_until(client, service, method, request, gpr_inf_future(GPR_CLOCK_MONOTONIC), true, ret);
}

/* Waits for one completion, at most @ms; false when none came. */
static bool pump(struct client_stream *stream, int64_t ms)
{
	grpc_event event = grpc_completion_queue_next(stream->queue, after(ms), NULL);
	enum batch batch;

	if (event.type != GRPC_OP_COMPLETE)
		return false;
	batch = (enum batch)((char *)event.tag - stream->tags);
	stream->is_pending[batch] = false;
	stream->is_done[batch] = true;
	if (batch == BATCH_SEND && !event.success)
		stream->is_refused = true;
	return true;
}

/* Until the request before has left, or cannot. */
static int await_sent(struct client_stream *stream)
{
	while (stream->is_pending[BATCH_SEND]) {
		if (interrupt_came())
			return CLIENT_E_INTERRUPTED;
		pump(stream, INTERRUPT_SLICE_MS);
	}
	return stream->is_refused || stream->is_done[BATCH_STATUS] ? CLIENT_E_END : 0;
}

int client_stream_send(struct client_stream *stream, const ProtobufCMessage *request)
{
	int r = await_sent(stream);

	if (r)
		return r;
	grpc_byte_buffer_destroy(stream->request);
	stream->request = pack(request);
	return start_send(stream);
}

void client_stream_end_sending(struct client_stream *stream)
{
	const grpc_op op = {.op = GRPC_OP_SEND_CLOSE_FROM_CLIENT};

	/* A call that has ended says in its status why. */
	if (await_sent(stream) == 0)
		start(stream, BATCH_SEND, &op, 1);
}

static bool is_pending(const struct client_stream *stream)
{
	for (size_t i = 0; i < _BATCHES; i++)
		if (stream->is_pending[i])
			return true;
	return false;
}

struct client_stream *client_stream_free(struct client_stream *stream)
{
	if (!stream)
		return NULL;
	if (stream->call)
		grpc_call_cancel(stream->call, NULL);
	while (is_pending(stream))
		pump(stream, INTERRUPT_SLICE_MS);

	if (stream->message)
		grpc_byte_buffer_destroy(stream->message);
	if (stream->request)
		grpc_byte_buffer_destroy(stream->request);
	if (stream->call)
		grpc_call_unref(stream->call);
	if (stream->queue) {
		grpc_completion_queue_shutdown(stream->queue);
		while (grpc_completion_queue_next(stream->queue, after(INTERRUPT_SLICE_MS), NULL).type !=
		       GRPC_QUEUE_SHUTDOWN)
			continue;
		grpc_completion_queue_destroy(stream->queue);
	}
	grpc_metadata_array_destroy(&stream->initial);
	grpc_metadata_array_destroy(&stream->trailing);
	grpc_slice_unref(stream->details);
	free(stream);
	return NULL;
}

void client_stream_freep(struct client_stream **stream)
{
	client_stream_free(*stream);
}

static struct bytes slice_bytes(const grpc_slice *slice)
{
	return bytes_of(GRPC_SLICE_START_PTR(*slice), GRPC_SLICE_LENGTH(*slice));
}

static int read_status(struct client_stream *stream, struct status *status)
{
	struct bytes details = {0};

	for (size_t i = 0; i < stream->trailing.count; i++)
		if (grpc_slice_str_cmp(stream->trailing.metadata[i].key, "grpc-status-details-bin") == 0)
			details = slice_bytes(&stream->trailing.metadata[i].value);
	return status_set(status, (int)stream->code, slice_bytes(&stream->details), details);
}

/* Decodes the message that has come, lets go of its bytes and asks for the next one. */
static int take_message(struct client_stream *stream, ProtobufCMessage **ret, struct status *status)
{
	_cleanup_(field_message_freep) ProtobufCMessage *message = NULL;
	grpc_byte_buffer_reader reader;
	struct bytes bytes;
	grpc_slice slice;
	int r;

	if (!grpc_byte_buffer_reader_init(&reader, stream->message))
		return err_origin(-EPROTO);
	slice = grpc_byte_buffer_reader_readall(&reader);
	grpc_byte_buffer_reader_destroy(&reader);
	grpc_byte_buffer_destroy(stream->message);
	stream->message = NULL;

	bytes = slice_bytes(&slice);
	if (wire_is_shallow(stream->output, bytes))
		message = protobuf_c_message_unpack(stream->output, NULL, bytes.len, bytes.data);
	grpc_slice_unref(slice);
	if (!message) {
		r = status_set(status, STATUS_INTERNAL, bytes_of_text("the reply cannot be read"), (struct bytes){0});
		return r ? r : CLIENT_E_STATUS;
	}
	r = start_message(stream);
	if (r == 0)
		*ret = steal(message);
	return r;
}

/* The message or the end of the stream, whichever is there; CLIENT_E_TIMEOUT for neither. */
static int look(struct client_stream *stream, ProtobufCMessage **ret, struct status *status)
{
	int r;

	if (stream->is_done[BATCH_MESSAGE] && stream->message)
		return take_message(stream, ret, status);
	if (!stream->is_done[BATCH_MESSAGE] || !stream->is_done[BATCH_STATUS])
		return CLIENT_E_TIMEOUT;
	r = read_status(stream, status);
	if (r)
		return r;
	return status->code == STATUS_OK ? CLIENT_E_END : CLIENT_E_STATUS;
}

int client_stream_next(struct client_stream *stream, int64_t timeout_ms, ProtobufCMessage **ret, struct status *status)
{
	gpr_timespec end = after(timeout_ms < 0 ? 0 : timeout_ms);

	for (;;) {
		int64_t left = gpr_time_to_millis(gpr_time_sub(end, gpr_now(GPR_CLOCK_MONOTONIC)));
		int r = look(stream, ret, status);

		if (r != CLIENT_E_TIMEOUT)
			return r;
		if (interrupt_came())
			return CLIENT_E_INTERRUPTED;
		if (timeout_ms >= 0 && left <= 0 && !pump(stream, 0))
			return CLIENT_E_TIMEOUT;
		pump(stream, timeout_ms >= 0 && left < INTERRUPT_SLICE_MS ? left : INTERRUPT_SLICE_MS);
	}
}

int client_call(struct client *client, const ProtobufCServiceDescriptor *service, const char *method,
		const ProtobufCMessage *request, int64_t timeout_ms, ProtobufCMessage **ret_reply,
		struct status *status)
{
	_cleanup_(client_stream_freep) struct client_stream *stream = NULL;
	_cleanup_(field_message_freep) ProtobufCMessage *reply = NULL, *extra = NULL;
	int r = open_until(client, service, method, request, after(timeout_ms), false, &stream);

	if (r)
		return err_trace(r);
	assert(stream);
	r = client_stream_next(stream, -1, &reply, status);
	if (r)
		return r == CLIENT_E_END ? err_origin(-EPROTO) : r;
	r = client_stream_next(stream, -1, &extra, status);
	if (r != CLIENT_E_END)
		return r ? r : err_origin(-EPROTO);
	*ret_reply = steal(reply);
	return 0;
}
