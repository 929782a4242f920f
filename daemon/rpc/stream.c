#include "rpc/stream.h"

#include "base/err.h"
#include "base/limits.h"
#include "base/log.h"
#include "rpc/message.h"
#include "rpc/server.h"

/* Room for what the granted events do not count: a snapshot, a bookmark. */
#define QUEUE_SIZE (LIMIT_RPC_FIFO + 4)

struct rpc_stream {
	struct rpc_call call; /* first: its tag is the accept's */
	struct stream stream; /* what the handler has */
	struct tag began;
	struct tag wrote;
	struct tag finished;
	struct tag received;
	struct tag closed;
	atomic_uint refs; /* one for the closing, one per batch under way, one for the listener */

	pthread_mutex_t lock; /* everything below */
	grpc_slice *queue;    /* a ring of QUEUE_SIZE, made when first needed: most watchers never have two waiting */
	uint32_t head;
	uint32_t count;
	bool has_begun; /* initial metadata is on its way */
	bool is_writing;
	bool is_ending; /* status is set: nothing is appended any more */
	bool has_ended; /* status is on its way */
	bool is_closed;
	struct status status;

	struct rpc_stream *next, *previous; /* under the server's lock */
	bool is_listed;
	bool is_live; /* counted by the server */
};

static struct rpc_stream *stream_of_tag(struct tag *tag, size_t offset)
{
	return (struct rpc_stream *)((char *)tag - offset);
}

static struct rpc_stream *rpc_stream_of(struct stream *stream)
{
	return (struct rpc_stream *)((char *)stream - offsetof(struct rpc_stream, stream));
}

struct rpc_server *stream_server(struct stream *stream)
{
	return rpc_stream_of(stream)->call.server;
}

static struct rpc_stream *take_ref(struct rpc_stream *stream)
{
	atomic_fetch_add(&stream->refs, 1);
	return stream;
}

static void drop_ref(struct rpc_stream *stream)
{
	if (atomic_fetch_sub(&stream->refs, 1) == 1)
		stream_free(&stream->call);
}

/* ---- the list of open streams ---- */

/* Under the lock, so that stream_abort_all() misses none that is let in. */
static bool list_open(struct rpc_stream *stream, bool *ret_is_draining)
{
	struct rpc_server *server = stream->call.server;
	bool has_room;

	pthread_mutex_lock(&server->lock);
	*ret_is_draining = atomic_load(&server->is_draining);
	has_room = !*ret_is_draining && server->n_open_streams < server->config.max_streams;
	if (has_room) {
		stream->next = server->open_streams;
		if (stream->next)
			stream->next->previous = stream;
		server->open_streams = stream;
		server->n_open_streams++;
		stream->is_listed = true;
	}
	pthread_mutex_unlock(&server->lock);
	return has_room;
}

static void unlist(struct rpc_stream *stream)
{
	struct rpc_server *server = stream->call.server;

	pthread_mutex_lock(&server->lock);
	if (stream->is_listed) {
		if (stream->next)
			stream->next->previous = stream->previous;
		if (stream->previous)
			stream->previous->next = stream->next;
		else
			server->open_streams = stream->next;
		server->n_open_streams--;
		stream->is_listed = false;
	}
	pthread_mutex_unlock(&server->lock);
}

void stream_abort_all(struct rpc_server *server, const struct failure *failure)
{
	struct rpc_stream **open;
	size_t n = 0;

	pthread_mutex_lock(&server->lock);
	open = calloc(server->n_open_streams + 1, sizeof(void *));
	for (struct rpc_stream *stream = server->open_streams; open && stream; stream = stream->next)
		open[n++] = take_ref(stream);
	pthread_mutex_unlock(&server->lock);

	for (size_t i = 0; i < n; i++) {
		stream_abort(&open[i]->stream, failure);
		drop_ref(open[i]);
	}
	free(open);
}

/* ---- writing; all of it under the stream's lock ---- */

static void drop_queue(struct rpc_stream *stream)
{
	while (stream->count) {
		grpc_slice_unref(stream->queue[stream->head]);
		stream->head = (stream->head + 1) % QUEUE_SIZE;
		stream->count--;
	}
}

/* A batch on a stream; a refused one means that the call is beyond help. */
static bool start(struct rpc_stream *stream, grpc_op *ops, size_t n, struct tag *tag)
{
	take_ref(stream);
	if (call_start(&stream->call, ops, n, tag) == 0)
		return true;
	stream->is_closed = true;
	drop_queue(stream);
	grpc_call_cancel(stream->call.grpc, NULL);
	drop_ref(stream);
	return false;
}

static size_t add_metadata(struct rpc_stream *stream, grpc_op *ops)
{
	if (stream->has_begun)
		return 0;
	stream->has_begun = true;
	ops[0] = (grpc_op){.op = GRPC_OP_SEND_INITIAL_METADATA};
	return 1;
}

static void write_next(struct rpc_stream *stream)
{
	grpc_slice slice = stream->queue[stream->head];
	grpc_byte_buffer *buffer = grpc_raw_byte_buffer_create(&slice, 1);
	grpc_op ops[2];
	size_t n = add_metadata(stream, ops);

	stream->head = (stream->head + 1) % QUEUE_SIZE;
	stream->count--;
	grpc_slice_unref(slice);
	ops[n] = (grpc_op){.op = GRPC_OP_SEND_MESSAGE};
	ops[n++].data.send_message.send_message = buffer;
	stream->is_writing = start(stream, ops, n, &stream->wrote);
	grpc_byte_buffer_destroy(buffer);
}

static void write_end(struct rpc_stream *stream)
{
	grpc_metadata trailer;
	grpc_op ops[2];
	size_t n = add_metadata(stream, ops);

	ops[n++] = call_op_status(&stream->status, &trailer);
	stream->has_ended = true;
	start(stream, ops, n, &stream->finished);
}

static void pump(struct rpc_stream *stream)
{
	if (stream->is_writing || stream->has_ended || stream->is_closed)
		return;
	if (stream->count)
		write_next(stream);
	else if (stream->is_ending)
		write_end(stream);
}

static void on_wrote(struct tag *tag, bool ok)
{
	struct rpc_stream *stream = stream_of_tag(tag, offsetof(struct rpc_stream, wrote));
	bool is_open;

	pthread_mutex_lock(&stream->lock);
	stream->is_writing = false;
	is_open = ok && !stream->is_closed;
	if (is_open)
		pump(stream);
	else
		drop_queue(stream);
	pthread_mutex_unlock(&stream->lock);

	/* Closings come on this thread, too, so none can slip in between. */
	if (is_open && stream->stream.events && stream->stream.events->on_sent)
		stream->stream.events->on_sent(stream->stream.userdata, 1);
	drop_ref(stream);
}

static void on_began(struct tag *tag, bool ok)
{
	struct rpc_stream *stream = stream_of_tag(tag, offsetof(struct rpc_stream, began));

	bool is_open;

	pthread_mutex_lock(&stream->lock);
	is_open = !stream->is_closed;
	pthread_mutex_unlock(&stream->lock);
	/* Closings come on this thread, too, so none can slip in between. */
	if (is_open && stream->stream.events && stream->stream.events->on_begun)
		stream->stream.events->on_begun(stream->stream.userdata, ok);
	drop_ref(stream);
}

static void on_finished(struct tag *tag, bool ok)
{
	(void)ok;
	drop_ref(stream_of_tag(tag, offsetof(struct rpc_stream, finished)));
}

static void begin(struct stream *from)
{
	struct rpc_stream *stream = rpc_stream_of(from);
	grpc_op op;

	pthread_mutex_lock(&stream->lock);
	if (!stream->is_closed && add_metadata(stream, &op))
		start(stream, &op, 1, &stream->began);
	pthread_mutex_unlock(&stream->lock);
}

static bool append(struct rpc_stream *stream, grpc_slice slice)
{
	if (stream->is_closed || stream->is_ending || stream->count == QUEUE_SIZE)
		return false;
	if (!stream->queue)
		stream->queue = calloc(QUEUE_SIZE, sizeof(*stream->queue));
	if (!stream->queue)
		return false;
	stream->queue[(stream->head + stream->count) % QUEUE_SIZE] = slice;
	stream->count++;
	return true;
}

static bool send(struct stream *to, struct packed *take)
{
	struct rpc_stream *stream = rpc_stream_of(to);
	grpc_slice slice = message_slice(take);
	bool is_taken;

	pthread_mutex_lock(&stream->lock);
	is_taken = append(stream, slice);
	if (is_taken)
		pump(stream);
	pthread_mutex_unlock(&stream->lock);
	if (!is_taken)
		grpc_slice_unref(slice);
	return is_taken;
}

uint32_t stream_backlog(struct stream *of)
{
	struct rpc_stream *stream = rpc_stream_of(of);
	uint32_t backlog;

	pthread_mutex_lock(&stream->lock);
	backlog = stream->count + stream->is_writing;
	pthread_mutex_unlock(&stream->lock);
	return backlog;
}

static void end(struct stream *of, const struct failure *failure, bool is_abort)
{
	struct rpc_stream *stream = rpc_stream_of(of);
	struct status status;

	if (failure)
		status_init_failure(&status, failure);
	else
		status_init_ok(&status);

	pthread_mutex_lock(&stream->lock);
	if (is_abort && !stream->has_ended)
		drop_queue(stream);
	if (!stream->is_ending) {
		stream->is_ending = true;
		stream->status = status;
		status_init_ok(&status);
	}
	pump(stream);
	pthread_mutex_unlock(&stream->lock);
	status_finish(&status);
}

/* ---- reading ---- */

static void on_received(struct tag *tag, bool ok)
{
	struct rpc_stream *stream = stream_of_tag(tag, offsetof(struct rpc_stream, received));
	const ProtobufCMessage *request = NULL;
	struct engine_violation violation;
	struct problem problem;
	struct failure failure;
	int r = 0;

	pthread_mutex_lock(&stream->lock);
	ok = ok && !stream->is_closed;
	pthread_mutex_unlock(&stream->lock);
	if (ok && stream->call.payload) {
		arena_reset(&stream->call.call.arena);
		r = call_receive(&stream->call, &request, &problem);
	}
	if (r) {
		failure = failure_of_problem(r, &problem, &violation);
		stream_abort(&stream->stream, &failure);
	} else if (ok) {
		stream->stream.events->on_request(stream->stream.userdata, request);
	}
	drop_ref(stream);
}

static void read_next(struct stream *of)
{
	struct rpc_stream *stream = rpc_stream_of(of);
	grpc_op op = {.op = GRPC_OP_RECV_MESSAGE};

	op.data.recv_message.recv_message = &stream->call.payload;
	pthread_mutex_lock(&stream->lock);
	if (!stream->is_closed)
		start(stream, &op, 1, &stream->received);
	pthread_mutex_unlock(&stream->lock);
}

/* ---- life ---- */

static void on_closed(struct tag *tag, bool ok)
{
	struct rpc_stream *stream = stream_of_tag(tag, offsetof(struct rpc_stream, closed));

	(void)ok;
	pthread_mutex_lock(&stream->lock);
	stream->is_closed = true;
	drop_queue(stream);
	pthread_mutex_unlock(&stream->lock);
	unlist(stream);
	if (stream->stream.events)
		stream->stream.events->on_closed(stream->stream.userdata);
	drop_ref(stream);
}

static void ref(struct stream *stream)
{
	take_ref(rpc_stream_of(stream));
}

static void unref(struct stream *stream)
{
	drop_ref(rpc_stream_of(stream));
}

static const struct stream_ops ops = {
	.begin = begin, .send = send, .end = end, .read = read_next, .ref = ref, .unref = unref};

struct rpc_call *stream_new(struct rpc_server *server, const struct method_slot *slot)
{
	struct rpc_stream *stream = calloc(1, sizeof(*stream));

	if (!stream)
		abort();
	call_init(&stream->call, server, slot);
	stream->stream.ops = &ops;
	stream->stream.call = &stream->call.call;
	stream->began.run = on_began;
	stream->wrote.run = on_wrote;
	stream->finished.run = on_finished;
	stream->received.run = on_received;
	stream->closed.run = on_closed;
	pthread_mutex_init(&stream->lock, NULL);
	status_init_ok(&stream->status);
	return &stream->call;
}

static void count_live(struct rpc_server *server)
{
	pthread_mutex_lock(&server->lock);
	server->n_live_streams++;
	pthread_mutex_unlock(&server->lock);
}

/* The last touch of the server. */
static void count_gone(struct rpc_server *server)
{
	pthread_mutex_lock(&server->lock);
	if (--server->n_live_streams == 0)
		pthread_cond_broadcast(&server->streams_gone);
	pthread_mutex_unlock(&server->lock);
}

void stream_free(struct rpc_call *call)
{
	struct rpc_stream *stream = (struct rpc_stream *)call;
	struct rpc_server *server = call->server;
	bool is_live = stream->is_live;

	drop_queue(stream);
	free(stream->queue);
	status_finish(&stream->status);
	pthread_mutex_destroy(&stream->lock);
	call_finish(call);
	free(stream);
	if (is_live)
		count_gone(server);
}

static void handle(struct rpc_stream *stream)
{
	const struct method *method = stream->call.slot->method;
	struct failure failure = {.reason = FILMGATE__V1__ERROR_REASON__ERROR_REASON_TOO_MANY_WATCHERS};
	const ProtobufCMessage *request = NULL;
	struct engine_violation violation;
	struct problem problem;
	bool is_draining;
	int r;

	if (!list_open(stream, &is_draining)) {
		if (is_draining)
			failure.reason = FILMGATE__V1__ERROR_REASON__ERROR_REASON_DRAINING;
		stream_finish(&stream->stream, &failure);
		return;
	}
	r = method->shape == METHOD_BIDI ? 0 : call_receive(&stream->call, &request, &problem);
	if (r) {
		failure = failure_of_problem(r, &problem, &violation);
		stream_finish(&stream->stream, &failure);
		return;
	}
	method->on_stream(&stream->stream, request);
	if (method->shape != METHOD_BIDI)
		arena_finish(&stream->call.call.arena);
}

/* The closing is awaited only after the handler, so that on_closed never overtakes it. Its reference is the first. */
void stream_accept(struct rpc_call *call)
{
	struct rpc_stream *stream = (struct rpc_stream *)call;
	grpc_op op = {.op = GRPC_OP_RECV_CLOSE_ON_SERVER};

	op.data.recv_close_on_server.cancelled = &call->cancelled;
	atomic_store(&stream->refs, 1);
	stream->is_live = true;
	count_live(call->server);
	handle(stream);
	if (call_start(call, &op, 1, &stream->closed) < 0)
		on_closed(&stream->closed, false);
}
