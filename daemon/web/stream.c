#include "web/stream.h"

#include "api/inside.h"
#include "base/limits.h"

/* Room for what the granted events do not count: a snapshot, a bookmark. */
#define QUEUE_SIZE (LIMIT_RPC_FIFO + 4)

struct web_stream {
	struct call call;
	struct stream stream; /* what the handler has */
	struct note note;     /* there is something to write, or an end */
	struct desk *desk;
	const struct method *method;
	const struct framing *framing;
	atomic_uint refs; /* one for the exchange, one while the note is posted, one for the listener */

	pthread_mutex_t lock; /* everything below */
	struct packed *queue[QUEUE_SIZE];
	uint32_t head, count;
	bool has_begun;   /* the client is to know that it is served */
	bool is_ending;   /* nothing is appended any more */
	bool is_closed;   /* nobody reads any more */
	bool is_posted;   /* the note */
	struct reply end; /* its body, and the status if it is all there is */

	/* The web's thread's: */
	struct exchange *exchange; /* NULL: over */
	struct buffer out;         /* what is being written */
	size_t at;
	uint32_t n_out; /* messages in it */
	bool has_ended; /* the end is in it */
	int64_t beat_ms, until_ms;
};

static struct web_stream *web_stream_of(struct stream *stream)
{
	return (struct web_stream *)((char *)stream - offsetof(struct web_stream, stream));
}

const struct method *web_stream_method(const struct web_stream *stream)
{
	return stream->method;
}

struct arena *web_stream_arena(struct web_stream *stream)
{
	return &stream->call.arena;
}

/* ---- life ---- */

static void drop_queue(struct web_stream *stream)
{
	while (stream->count) {
		packed_unref(stream->queue[stream->head]);
		stream->head = (stream->head + 1) % QUEUE_SIZE;
		stream->count--;
	}
}

static void drop_ref(struct web_stream *stream)
{
	if (atomic_fetch_sub(&stream->refs, 1) != 1)
		return;
	drop_queue(stream);
	reply_finish(&stream->end);
	buffer_finish(&stream->out);
	arena_finish(&stream->call.arena);
	pthread_mutex_destroy(&stream->lock);
	desk_unref(stream->desk);
	free(stream);
}

static void ref(struct stream *stream)
{
	atomic_fetch_add(&web_stream_of(stream)->refs, 1);
}

static void unref(struct stream *stream)
{
	drop_ref(web_stream_of(stream));
}

/* ---- from the handler, on any thread ---- */

static void on_note(struct note *note)
{
	struct web_stream *stream = (struct web_stream *)((char *)note - offsetof(struct web_stream, note));

	pthread_mutex_lock(&stream->lock);
	stream->is_posted = false;
	pthread_mutex_unlock(&stream->lock);
	if (stream->exchange)
		exchange_wake(stream->exchange);
	drop_ref(stream);
}

/* Under the lock. */
static void wake(struct web_stream *stream)
{
	if (stream->is_posted || stream->is_closed)
		return;
	atomic_fetch_add(&stream->refs, 1);
	stream->is_posted = desk_post(stream->desk, &stream->note);
	/* The caller's own is left. */
	if (!stream->is_posted)
		atomic_fetch_sub(&stream->refs, 1);
}

static void begin(struct stream *of)
{
	struct web_stream *stream = web_stream_of(of);

	pthread_mutex_lock(&stream->lock);
	stream->has_begun = true;
	wake(stream);
	pthread_mutex_unlock(&stream->lock);
}

static bool send(struct stream *to, struct packed *take)
{
	struct web_stream *stream = web_stream_of(to);
	bool is_taken;

	pthread_mutex_lock(&stream->lock);
	is_taken = !stream->is_closed && !stream->is_ending && stream->count < QUEUE_SIZE;
	if (is_taken) {
		stream->queue[(stream->head + stream->count) % QUEUE_SIZE] = take;
		stream->count++;
		wake(stream);
	}
	pthread_mutex_unlock(&stream->lock);
	if (!is_taken)
		packed_unref(take);
	return is_taken;
}

/* As the framing says it behind messages, or as a reply of its own. */
static int write_end(const struct web_stream *stream, bool is_plain, const Google__Rpc__Status *status,
		     struct reply *ret)
{
	if (!is_plain)
		return stream->framing->end(stream, status, &ret->body);
	ret->status = status ? connect_http_status((enum code)status->code) : 204;
	if (!status)
		return 0;
	ret->media_type = "application/json";
	return connect_write_error(status, &ret->body);
}

static void end_with(struct web_stream *stream, const Google__Rpc__Status *status, bool is_abort)
{
	int r;

	pthread_mutex_lock(&stream->lock);
	if (is_abort)
		drop_queue(stream);
	if (!stream->is_ending) {
		bool is_plain = stream->framing->has_plain_end && !stream->has_begun && stream->count == 0;

		stream->is_ending = true;
		r = write_end(stream, is_plain, status, &stream->end);
		/* The client sees that something is missing. */
		if (r < 0)
			log_error("the end of a stream could not be written", "method", stream->method->path, "error",
				  log_errno(r));
	}
	wake(stream);
	pthread_mutex_unlock(&stream->lock);
}

static void end(struct stream *of, const struct failure *failure, bool is_abort)
{
	struct arena arena = {0};

	end_with(web_stream_of(of), failure ? failure_status(failure, &arena) : NULL, is_abort);
	arena_finish(&arena);
}

/* There are no streams of requests here. */
static void read_next(struct stream *stream)
{
	(void)stream;
}

/* ---- from the exchange, on the web's thread ---- */

static void start(void *userdata)
{
	struct web_stream *stream = userdata;
	const struct reply head = {.status = 200, .media_type = stream->framing->media_type};
	struct reply plain = {0};

	pthread_mutex_lock(&stream->lock);
	if (stream->end.status) {
		plain = stream->end;
		stream->end = (struct reply){0};
	}
	stream->has_begun = true;
	pthread_mutex_unlock(&stream->lock);
	if (plain.status)
		exchange_reply(stream->exchange, &plain);
	else
		exchange_send_head(stream->exchange, &head, EXCHANGE_SIZE_UNKNOWN);
}

/* The next message, or the end, into the empty buffer. 0, or negative errno. */
static int fill(struct web_stream *stream)
{
	struct packed *packed = NULL;
	struct buffer last = {0};
	int r = 0;

	pthread_mutex_lock(&stream->lock);
	if (stream->count) {
		packed = stream->queue[stream->head];
		stream->head = (stream->head + 1) % QUEUE_SIZE;
		stream->count--;
	} else if (stream->is_ending && !stream->has_ended) {
		last = stream->end.body;
		stream->end.body = (struct buffer){0};
		stream->has_ended = true;
	}
	pthread_mutex_unlock(&stream->lock);
	if (packed) {
		r = stream->framing->message(stream, packed, &stream->out);
		packed_unref(packed);
		stream->n_out = 1;
	} else if (last.len) {
		buffer_finish(&stream->out);
		stream->out = last;
	}
	return r;
}

static ssize_t read_out(void *userdata, char *out, size_t max)
{
	struct web_stream *stream = userdata;
	size_t len;
	int r;

	if (stream->at == stream->out.len) {
		stream->at = stream->out.len = 0;
		r = fill(stream);
		if (r < 0) {
			log_error("a message could not be written", "method", stream->method->path, "error",
				  log_errno(r));
			return SOURCE_BROKEN;
		}
		if (stream->out.len == 0)
			return stream->has_ended ? SOURCE_END : 0;
	}
	len = stream->out.len - stream->at < max ? stream->out.len - stream->at : max;
	memcpy(out, stream->out.data + stream->at, len);
	stream->at += len;
	stream->beat_ms = 0;
	if (stream->at == stream->out.len && stream->n_out) {
		stream->n_out = 0;
		if (stream->stream.events && stream->stream.events->on_sent)
			stream->stream.events->on_sent(stream->stream.userdata, 1);
	}
	return (ssize_t)len;
}

/* Behind whole messages only, which rest is. */
static bool beat(struct web_stream *stream, int64_t now_ms)
{
	bool is_due = stream->framing->beat && stream->beat_ms && stream->beat_ms <= now_ms, has_begun;

	pthread_mutex_lock(&stream->lock);
	has_begun = stream->has_begun;
	pthread_mutex_unlock(&stream->lock);
	if (!stream->beat_ms || is_due)
		stream->beat_ms = now_ms + LIMIT_WEB_BEAT_MS;
	if (!is_due || !has_begun || stream->out.len != stream->at)
		return false;
	stream->at = stream->out.len = 0;
	return buffer_append_text(&stream->out, stream->framing->beat) == 0;
}

static bool look(void *userdata, int64_t now_ms)
{
	struct web_stream *stream = userdata;
	Google__Rpc__Status late = GOOGLE__RPC__STATUS__INIT;

	if (stream->until_ms && stream->until_ms <= now_ms) {
		stream->until_ms = 0;
		late.code = CODE_DEADLINE_EXCEEDED;
		late.message = (char *)"the time that Connect-Timeout-Ms gave is over";
		end_with(stream, &late, true);
	}
	return beat(stream, now_ms);
}

static void drain(void *userdata)
{
	struct failure draining = {.reason = FILMGATE__V1__ERROR_REASON__ERROR_REASON_DRAINING};
	struct web_stream *stream = userdata;

	stream_abort(&stream->stream, &draining);
}

static void closed(void *userdata)
{
	struct web_stream *stream = userdata;

	stream->exchange = NULL;
	pthread_mutex_lock(&stream->lock);
	stream->is_closed = true;
	drop_queue(stream);
	pthread_mutex_unlock(&stream->lock);
	if (stream->stream.events)
		stream->stream.events->on_closed(stream->stream.userdata);
	drop_ref(stream);
}

/* ---- the beginning ---- */

static void refuse_new(struct exchange *exchange)
{
	struct failure failure = {.reason = FILMGATE__V1__ERROR_REASON__ERROR_REASON_TOO_MANY_WATCHERS};
	struct reply reply;

	if (exchange_is_draining(exchange))
		failure.reason = FILMGATE__V1__ERROR_REASON__ERROR_REASON_DRAINING;
	connect_fail(&reply, &failure);
	exchange_reply(exchange, &reply);
}

struct web_stream *web_stream_new(struct exchange *exchange, const struct web_stream_spec *spec)
{
	static const struct stream_ops ops = {
		.begin = begin, .send = send, .end = end, .read = read_next, .ref = ref, .unref = unref};
	static const struct source source = {
		.start = start, .read = read_out, .look = look, .drain = drain, .closed = closed};
	const struct web_config *config = exchange_config(exchange);
	struct web_stream *stream = calloc(1, sizeof(*stream));

	if (!stream || !exchange_open(exchange, &source, stream)) {
		free(stream);
		refuse_new(exchange);
		return NULL;
	}
	stream->call.api = config->api;
	stream->stream.ops = &ops;
	stream->stream.call = &stream->call;
	stream->note.run = on_note;
	stream->desk = desk_ref(exchange_desk(exchange));
	stream->method = spec->method;
	stream->framing = spec->framing;
	stream->exchange = exchange;
	stream->until_ms = spec->timeout_ms < 0 ? 0 : clock_monotonic_ms(config->clock) + spec->timeout_ms;
	pthread_mutex_init(&stream->lock, NULL);
	atomic_store(&stream->refs, 1);
	return stream;
}

void web_stream_run(struct web_stream *stream, const ProtobufCMessage *request)
{
	stream->method->on_stream(&stream->stream, request);
	arena_finish(&stream->call.arena);
}

void web_stream_refuse(struct web_stream *stream, const struct failure *failure)
{
	stream_finish(&stream->stream, failure);
}
