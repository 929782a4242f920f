#include "sim/h2.h"

#include "base/limits.h"
#include "base/log.h"
#include "sim/listen.h"

#include <nghttp2/nghttp2.h>
#include <sys/epoll.h>
#include <sys/socket.h>

struct stream {
	struct connection *connection;
	struct stream *prev, *next;
	struct sim_request request;
	struct sim_answer answer;
	struct sim_timer timer;
	int32_t id;
	uint64_t sent;
};

struct connection {
	struct sim_h2 *h2;
	struct connection *prev, *next;
	nghttp2_session *session;
	struct stream *streams;
	struct sim_watch watch;
	struct buffer out;
	size_t out_sent;
	uint64_t number;
	uint64_t requests;
	int fd;
	enum sim_ending ending;
	bool must_end; /* as soon as the library's call has returned */
};

struct sim_h2 {
	struct sim_server_spec spec;
	struct connection *connections;
	nghttp2_session_callbacks *callbacks;
	struct sim_watch watch;
	int listen_fd;
	char url[SIM_URL_SIZE];
};

static void stream_free(struct stream *stream)
{
	struct connection *connection = stream->connection;

	sim_loop_forget(connection->h2->spec.loop, &stream->timer);
	if (stream->prev)
		stream->prev->next = stream->next;
	else
		connection->streams = stream->next;
	if (stream->next)
		stream->next->prev = stream->prev;
	sim_request_finish(&stream->request);
	sim_answer_finish(&stream->answer);
	free(stream);
}

static void connection_free(struct connection *connection)
{
	struct sim_h2 *h2 = connection->h2;

	while (connection->streams)
		stream_free(connection->streams);
	sim_loop_unwatch(h2->spec.loop, &connection->watch);
	if (connection->prev)
		connection->prev->next = connection->next;
	else
		h2->connections = connection->next;
	if (connection->next)
		connection->next->prev = connection->prev;
	closep(&connection->fd);
	nghttp2_session_del(connection->session);
	buffer_finish(&connection->out);
	h2->spec.connections->open--;
	free(connection);
}

/* Ends the connection as a fault wants it. */
static void give_away(struct connection *connection)
{
	struct sim_plan plan;

	sim_plan_init(&plan, connection->ending);
	sim_loop_unwatch(connection->h2->spec.loop, &connection->watch);
	sim_raws_run(connection->h2->spec.raws, steal_fd(&connection->fd), &plan);
	connection_free(connection);
}

/* Sends what the library has to say until the socket is full. Returns false when the connection is at its end. */
static bool flush(struct connection *connection)
{
	for (;;) {
		struct buffer *out = &connection->out;
		const uint8_t *data;
		ssize_t n;

		if (connection->out_sent == out->len) {
			out->len = connection->out_sent = 0;
			n = nghttp2_session_mem_send(connection->session, &data);
			if (n < 0 || (n > 0 && buffer_append(out, data, (size_t)n) < 0))
				return false;
			if (n == 0)
				break;
		}
		n = send(connection->fd, out->data + connection->out_sent, out->len - connection->out_sent,
			 MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n < 0 && errno == EAGAIN)
			break;
		if (n < 0 && errno != EINTR)
			return false;
		connection->out_sent += n > 0 ? (size_t)n : 0;
	}
	sim_loop_rewatch(connection->h2->spec.loop, &connection->watch,
			 EPOLLIN | (connection->out_sent < connection->out.len ? EPOLLOUT : 0));
	return nghttp2_session_want_read(connection->session) || nghttp2_session_want_write(connection->session);
}

/* After every step: sends, and frees the connection where that was its last. */
static void proceed(struct connection *connection)
{
	if (connection->must_end)
		give_away(connection);
	else if (!flush(connection))
		connection_free(connection);
}

static ssize_t on_read_body(nghttp2_session *session, int32_t id, uint8_t *out, size_t most, uint32_t *flags,
			    nghttp2_data_source *source, void *userdata)
{
	struct stream *stream = source->ptr;
	struct sim_reply *reply = &stream->answer.reply;
	uint64_t left = sim_reply_body_len(reply) - stream->sent;
	size_t len = left < most ? (size_t)left : most;
	ssize_t n = (ssize_t)len;

	(void)session;
	(void)id;
	(void)userdata;
	if (reply->file_fd >= 0)
		n = pread(reply->file_fd, out, len, (off_t)(reply->file_offset + stream->sent));
	else if (len)
		memcpy(out, reply->body.data + stream->sent, len);
	if (n < 0)
		return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
	stream->sent += (uint64_t)n;
	if (n == 0 || stream->sent == sim_reply_body_len(reply))
		*flags |= NGHTTP2_DATA_FLAG_EOF;
	return n;
}

static nghttp2_nv pair(const char *name, const char *value)
{
	return (nghttp2_nv){.name = (uint8_t *)(uintptr_t)name,
			    .value = (uint8_t *)(uintptr_t)value,
			    .namelen = strlen(name),
			    .valuelen = strlen(value)};
}

static void lower(char *name)
{
	for (; *name; name++)
		if (*name >= 'A' && *name <= 'Z')
			*name = (char)(*name + ('a' - 'A'));
}

static void reply_on(struct stream *stream)
{
	struct sim_reply *reply = &stream->answer.reply;
	nghttp2_data_provider provider = {.source.ptr = stream, .read_callback = on_read_body};
	bool is_head = strcmp(stream->request.method, "HEAD") == 0;
	nghttp2_nv pairs[2 + LIMIT_SIM_FIELDS];
	char status[16], length[24];
	size_t count = 0;

	snprintf(status, sizeof(status), "%d", reply->status);
	snprintf(length, sizeof(length), "%llu", (unsigned long long)sim_reply_body_len(reply));
	pairs[count++] = pair(":status", status);
	pairs[count++] = pair("content-length", length);
	for (size_t i = 0; i < reply->headers.count && i < LIMIT_SIM_FIELDS; i++) {
		lower(reply->headers.items[i].name);
		pairs[count++] = pair(reply->headers.items[i].name, reply->headers.items[i].value);
	}
	nghttp2_submit_response(stream->connection->session, stream->id, pairs, count, is_head ? NULL : &provider);
}

/* What a fault did to bytes and sockets of HTTP/1.1, said in this protocol's words. */
static void act_on(struct stream *stream)
{
	struct connection *connection = stream->connection;
	const struct sim_answer *answer = &stream->answer;

	if (answer->is_refused) {
		nghttp2_submit_rst_stream(connection->session, NGHTTP2_FLAG_NONE, stream->id, NGHTTP2_REFUSED_STREAM);
	} else if (!answer->is_raw) {
		reply_on(stream);
	} else if (answer->plan.head.len) {
		nghttp2_submit_rst_stream(connection->session, NGHTTP2_FLAG_NONE, stream->id, NGHTTP2_INTERNAL_ERROR);
	} else if (answer->plan.ending != SIM_ENDING_HANG) {
		connection->ending = answer->plan.ending;
		connection->must_end = true;
	}
}

static void on_awake(void *userdata)
{
	struct stream *stream = userdata;
	struct connection *connection = stream->connection;

	act_on(stream);
	proceed(connection);
}

static void serve(struct stream *stream)
{
	const struct sim_server_spec *spec = &stream->connection->h2->spec;
	int r = -EPROTO; /* CONNECT comes without a path */

	if (stream->request.path && stream->request.method)
		r = spec->serve(spec->userdata, &stream->request, &stream->answer);
	if (r < 0) {
		log_error("request failed", "path", stream->request.path, "error", log_errno(r));
		nghttp2_submit_rst_stream(stream->connection->session, NGHTTP2_FLAG_NONE, stream->id,
					  NGHTTP2_INTERNAL_ERROR);
	} else if (stream->answer.delay_ms > 0) {
		stream->timer = (struct sim_timer){.fn = on_awake, .userdata = stream};
		sim_loop_after(spec->loop, &stream->timer, stream->answer.delay_ms);
	} else {
		act_on(stream);
	}
}

static int on_begin_headers(nghttp2_session *session, const nghttp2_frame *frame, void *userdata)
{
	struct connection *connection = userdata;
	struct stream *stream;

	if (frame->hd.type != NGHTTP2_HEADERS || frame->headers.cat != NGHTTP2_HCAT_REQUEST)
		return 0;
	stream = calloc(1, sizeof(*stream));
	if (!stream)
		return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
	sim_answer_init(&stream->answer);
	stream->connection = connection;
	stream->id = frame->hd.stream_id;
	stream->request.host = connection->h2->spec.host;
	stream->request.is_http2 = true;
	stream->request.body.limit = connection->h2->spec.body_bytes;
	stream->request.connection = connection->number;
	stream->request.nth = ++connection->requests;
	stream->next = connection->streams;
	if (connection->streams)
		connection->streams->prev = stream;
	connection->streams = stream;
	nghttp2_session_set_stream_user_data(session, stream->id, stream);
	return 0;
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name, size_t name_len,
		     const uint8_t *value, size_t value_len, uint8_t flags, void *userdata)
{
	struct stream *stream = nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);
	int r = 0;

	(void)name_len;
	(void)value_len;
	(void)flags;
	(void)userdata;
	if (!stream)
		return 0;
	if (strcmp((const char *)name, ":method") == 0)
		r = (stream->request.method = strdup((const char *)value)) ? 0 : -ENOMEM;
	else if (strcmp((const char *)name, ":path") == 0)
		r = sim_request_set_target(&stream->request, (const char *)value);
	else if (*name != ':' && stream->request.headers.count < LIMIT_SIM_FIELDS)
		r = sim_fields_add(&stream->request.headers, (const char *)name, (const char *)value);
	return r < 0 ? NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE : 0;
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t id, const uint8_t *data, size_t len, void *userdata)
{
	struct stream *stream = nghttp2_session_get_stream_user_data(session, id);

	(void)flags;
	(void)userdata;
	if (stream && buffer_append(&stream->request.body, data, len) < 0)
		nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, id, NGHTTP2_CANCEL);
	return 0;
}

static int on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *userdata)
{
	struct stream *stream = nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);
	bool can_end = frame->hd.type == NGHTTP2_HEADERS || frame->hd.type == NGHTTP2_DATA;

	(void)userdata;
	if (stream && can_end && (frame->hd.flags & NGHTTP2_FLAG_END_STREAM))
		serve(stream);
	return 0;
}

static int on_close(nghttp2_session *session, int32_t id, uint32_t error_code, void *userdata)
{
	struct stream *stream = nghttp2_session_get_stream_user_data(session, id);

	(void)error_code;
	(void)userdata;
	if (stream)
		stream_free(stream);
	return 0;
}

static void on_socket(void *userdata, uint32_t events)
{
	struct connection *connection = userdata;
	uint8_t data[16384];
	ssize_t n;

	if (events & (EPOLLIN | EPOLLHUP | EPOLLERR)) {
		n = recv(connection->fd, data, sizeof(data), MSG_DONTWAIT);
		if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR) ||
		    (n > 0 && nghttp2_session_mem_recv(connection->session, data, (size_t)n) < 0)) {
			connection_free(connection);
			return;
		}
	}
	proceed(connection);
}

static int connection_new(struct sim_h2 *h2, int fd)
{
	nghttp2_settings_entry settings = {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, 100};
	struct connection *connection = calloc(1, sizeof(*connection));

	if (!connection || h2->spec.connections->open >= LIMIT_SIM_CONNECTIONS ||
	    nghttp2_session_server_new(&connection->session, h2->callbacks, connection) != 0) {
		free(connection);
		close(fd);
		return err_origin(-ENOMEM);
	}
	connection->h2 = h2;
	connection->fd = fd;
	connection->number = ++h2->spec.connections->accepted;
	h2->spec.connections->open++;
	connection->next = h2->connections;
	if (h2->connections)
		h2->connections->prev = connection;
	h2->connections = connection;
	connection->watch = (struct sim_watch){.fn = on_socket, .userdata = connection};
	nghttp2_submit_settings(connection->session, NGHTTP2_FLAG_NONE, &settings, 1);
	if (sim_loop_watch(h2->spec.loop, &connection->watch, fd, EPOLLIN) < 0)
		connection->must_end = true;
	proceed(connection);
	return 0;
}

static void on_connect(void *userdata, uint32_t events)
{
	struct sim_h2 *h2 = userdata;
	int fd = accept4(h2->listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	(void)events;
	if (fd >= 0)
		connection_new(h2, fd);
}

int sim_h2_new(const struct sim_server_spec *spec, struct errmsg *msg, struct sim_h2 **ret)
{
	_cleanup_(sim_h2_freep) struct sim_h2 *h2 = calloc(1, sizeof(*h2));
	int r;

	if (!h2)
		return err_origin(-ENOMEM);
	h2->spec = *spec;
	h2->listen_fd = -1;
	if (nghttp2_session_callbacks_new(&h2->callbacks) != 0)
		return err_origin(-ENOMEM);
	nghttp2_session_callbacks_set_on_begin_headers_callback(h2->callbacks, on_begin_headers);
	nghttp2_session_callbacks_set_on_header_callback(h2->callbacks, on_header);
	nghttp2_session_callbacks_set_on_data_chunk_recv_callback(h2->callbacks, on_data);
	nghttp2_session_callbacks_set_on_frame_recv_callback(h2->callbacks, on_frame);
	nghttp2_session_callbacks_set_on_stream_close_callback(h2->callbacks, on_close);
	r = sim_listen(spec->listen, msg, h2->url, &h2->listen_fd);
	if (r)
		return r;
	h2->watch = (struct sim_watch){.fn = on_connect, .userdata = h2};
	r = sim_loop_watch(spec->loop, &h2->watch, h2->listen_fd, EPOLLIN);
	if (r < 0)
		return err_trace(r);

	*ret = steal(h2);
	return 0;
}

struct sim_h2 *sim_h2_free(struct sim_h2 *h2)
{
	if (!h2)
		return NULL;
	while (h2->connections)
		connection_free(h2->connections);
	sim_loop_unwatch(h2->spec.loop, &h2->watch);
	closep(&h2->listen_fd);
	nghttp2_session_callbacks_del(h2->callbacks);
	free(h2);
	return NULL;
}

void sim_h2_freep(struct sim_h2 **h2)
{
	sim_h2_free(*h2);
}

const char *sim_h2_url(const struct sim_h2 *h2)
{
	return h2->url;
}
