/*
 * A request is one struct exchange. It is read, looked at, and answered at once, or suspended until another thread has
 * said what the answer is made of.
 *
 * The library's own time-out starts again with each byte, so a client that sends one now and then would keep its place
 * for ever. Here each connection has until `until_ms` to get on: to a request that is whole, or to a reply that is sent.
 * Whoever is late has its socket shut down, and the library, which then reads an end, closes it.
 *
 * The library does not look at the socket of a suspended connection either, so look_for_leavers() does.
 */
#include "web/inside.h"

#include "base/id.h"
#include "base/limits.h"
#include "web/guard.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <strings.h>
#include <sys/socket.h>
#include <utlist.h>

/* ---- a request ---- */

/* The sender's, when that can stand in a log. */
static void take_id(struct exchange *exchange)
{
	const char *id = exchange_header(exchange, "X-Request-Id");
	size_t len = id ? strspn(id, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") : 0;
	struct id made;

	if (id && len > 0 && len <= REQUEST_ID_MAX && id[len] == '\0') {
		snprintf(exchange->id, sizeof(exchange->id), "%s", id);
		return;
	}
	made = id_new(clock_utc_ms(exchange->server->config->clock));
	id_format(&made, exchange->id);
}

/* Files have a room of their own: who sends one slowly keeps nobody from asking. */
static bool is_form(const struct exchange *exchange)
{
	return exchange->route && exchange->route->max_body == LIMIT_WEB_FORM;
}

static size_t *sum_of(const struct exchange *exchange)
{
	return is_form(exchange) ? &exchange->server->form_bytes : &exchange->server->body_bytes;
}

static void drop_body(struct exchange *exchange)
{
	*sum_of(exchange) -= exchange->body.len;
	buffer_finish(&exchange->body);
	exchange->body = (struct buffer){0};
}

static void set_fault(struct exchange *exchange, unsigned int status, const char *fault)
{
	exchange->fault = fault;
	exchange->fault_status = status;
	drop_body(exchange);
}

/* The library answers only before a body or behind it, so one that is not wanted is read to its end, in its time. */
static void keep_body(struct exchange *exchange, const char *data, size_t len)
{
	size_t *sum = sum_of(exchange);

	if (exchange->fault)
		return;
	if (exchange->body.len + len > exchange->route->max_body) {
		set_fault(exchange, MHD_HTTP_CONTENT_TOO_LARGE, "the body is larger than is taken here");
	} else if (*sum + len > (is_form(exchange) ? LIMIT_WEB_FORMS : LIMIT_WEB_BODIES)) {
		set_fault(exchange, MHD_HTTP_SERVICE_UNAVAILABLE, "the daemon has too much to read; try again later");
	} else if (buffer_append(&exchange->body, data, len) < 0) {
		set_fault(exchange, MHD_HTTP_SERVICE_UNAVAILABLE, "out of memory");
	} else {
		*sum += len;
		if (exchange->connection)
			exchange->connection->until_ms += (int64_t)(len / LIMIT_WEB_BYTES_PER_MS);
	}
}

static enum MHD_Result run(struct exchange *exchange)
{
	exchange->is_whole = true;
	if (exchange->fault)
		exchange_say(exchange, exchange->fault_status, "%s", exchange->fault);
	else
		exchange->route->run(exchange);
	/* The reply may be long in coming, and others have something to say. */
	drop_body(exchange);
	if (exchange->has_reply)
		return exchange_queue_reply(exchange);
	return exchange->question || exchange->source ? MHD_YES : MHD_NO;
}

/* The library does not call without a reason: the request is whole, or it was resumed. */
static enum MHD_Result go_on(struct exchange *exchange)
{
	if (!exchange->has_reply && !exchange->source)
		return run(exchange);
	if (!exchange->has_reply)
		exchange->source->start(exchange->userdata);
	if (exchange->has_reply)
		return exchange_queue_reply(exchange);
	return exchange->status ? MHD_YES : MHD_NO;
}

static enum MHD_Result begin(struct exchange *exchange, const char *version)
{
	struct server *server = exchange->server;
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(exchange->handle,
								       MHD_CONNECTION_INFO_SOCKET_CONTEXT);

	exchange->connection = info ? info->socket_context : NULL;
	exchange->began_ms = server_now_ms(server);
	take_id(exchange);
	if (head_may_come(exchange, version))
		return MHD_YES;
	return exchange_queue_reply(exchange);
}

/* The library calls this with the head, with pieces of the body, when the request is whole, and after a rest. */
static enum MHD_Result on_access(void *userdata, struct MHD_Connection *handle, const char *path, const char *method,
				 const char *version, const char *upload, size_t *upload_len, void **context)
{
	struct server *server = userdata;
	struct exchange *exchange = *context;

	if (exchange && (server->is_stopping || exchange->is_left))
		return MHD_NO;
	if (exchange && *upload_len) {
		keep_body(exchange, upload, *upload_len);
		*upload_len = 0;
		return MHD_YES;
	}
	if (exchange)
		return go_on(exchange);
	exchange = calloc(1, sizeof(*exchange));
	if (!exchange)
		return MHD_NO;
	exchange->server = server;
	exchange->handle = handle;
	exchange->path = path;
	exchange->method = method;
	DL_APPEND(server->exchanges, exchange);
	*context = exchange;
	return begin(exchange, version);
}

static void on_completed(void *userdata, struct MHD_Connection *handle, void **context,
			 enum MHD_RequestTerminationCode code)
{
	struct server *server = userdata;
	struct exchange *exchange = *context;

	(void)code;
	(void)handle;
	*context = NULL;
	if (!exchange)
		return;
	log_debug("HTTP request", "request", exchange->id, "method", exchange->method, "path",
		  exchange->route && exchange->route->is_key ? exchange->route->path : exchange->path, "status",
		  log_int(exchange->status), "ms", log_int(server_now_ms(server) - exchange->began_ms));
	exchange_give_time(exchange, LIMIT_WEB_REQUEST_MS);
	exchange_drop_question(exchange);
	if (exchange->source) {
		server->n_streams--;
		exchange->source->closed(exchange->userdata);
	}
	DL_DELETE(server->exchanges, exchange);
	server->reply_bytes -= exchange->reply_size;
	drop_body(exchange);
	reply_finish(&exchange->reply);
	free(exchange);
}

/* A client that vanishes without a word, its cable cut, is found by the kernel in half a minute. */
static void watch_socket(int fd)
{
	const int on = 1, idle_s = 15, interval_s = 5, probes = 3;

	if (setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on)) < 0 ||
	    setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle_s, sizeof(idle_s)) < 0 ||
	    setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval_s, sizeof(interval_s)) < 0 ||
	    setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &probes, sizeof(probes)) < 0)
		err_origin(-errno);
}

static void on_connection(void *userdata, struct MHD_Connection *handle, void **context,
			  enum MHD_ConnectionNotificationCode code)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(handle, MHD_CONNECTION_INFO_CONNECTION_FD);
	struct server *server = userdata;
	struct connection *connection = *context;

	if (code == MHD_CONNECTION_NOTIFY_CLOSED) {
		if (connection)
			DL_DELETE(server->connections, connection);
		free(connection);
		*context = NULL;
		return;
	}
	connection = calloc(1, sizeof(*connection));
	if (!connection) {
		shutdown(info->connect_fd, SHUT_RDWR);
		return;
	}
	connection->fd = info->connect_fd;
	connection->until_ms = server_now_ms(server) + LIMIT_WEB_REQUEST_MS;
	watch_socket(connection->fd);
	DL_APPEND(server->connections, connection);
	*context = connection;
}

/* ---- a turn ---- */

static void give_up(struct exchange *exchange)
{
	exchange_drop_question(exchange);
	exchange->late(exchange);
}

static void note_next(int64_t *next_ms, int64_t wait_ms)
{
	if (wait_ms < 0)
		wait_ms = 0;
	if (*next_ms < 0 || wait_ms < *next_ms)
		*next_ms = wait_ms;
}

static bool has_left(int fd)
{
	struct pollfd socket = {.fd = fd, .events = POLLRDHUP};

	return poll(&socket, 1, 0) > 0 && (socket.revents & (POLLRDHUP | POLLHUP | POLLERR));
}

/* Of those whose streams rest; who waits for an answer is told it anyhow. */
static void look_for_leavers(struct server *server, int64_t now, int64_t *next_ms)
{
	bool is_due = server->look_ms <= now, has_resting = false;
	struct exchange *exchange;

	DL_FOREACH(server->exchanges, exchange) {
		if (!exchange->source || !exchange->is_suspended || !exchange->connection)
			continue;
		has_resting = true;
		if (!is_due)
			continue;
		exchange->is_left = has_left(exchange->connection->fd);
		if (exchange->is_left || exchange->source->look(exchange->userdata, now))
			exchange_resume(exchange);
	}
	if (is_due)
		server->look_ms = now + LIMIT_WEB_LOOK_MS;
	if (has_resting)
		note_next(next_ms, server->look_ms - now);
}

/* Ends what is late; what is not is noted. */
static void look_at_clock(struct server *server, int64_t *next_ms)
{
	int64_t now = server_now_ms(server);
	struct exchange *exchange;
	struct connection *connection;

	DL_FOREACH(server->exchanges, exchange) {
		if (exchange->question && exchange->until_ms >= 0 && exchange->until_ms <= now)
			give_up(exchange);
		if (exchange->question && exchange->until_ms >= 0)
			note_next(next_ms, exchange->until_ms - now);
	}
	look_for_leavers(server, now, next_ms);
	DL_FOREACH(server->connections, connection) {
		if (connection->is_resting || connection->is_shut)
			continue;
		if (connection->until_ms <= now) {
			connection->is_shut = true;
			shutdown(connection->fd, SHUT_RDWR);
		} else {
			note_next(next_ms, connection->until_ms - now);
		}
	}
}

int64_t server_turn(struct server *server)
{
	MHD_UNSIGNED_LONG_LONG library_ms;
	int64_t next_ms = -1;

	desk_run(server->desk);
	look_at_clock(server, &next_ms);
	MHD_run(server->daemon);
	if (MHD_get_timeout(server->daemon, &library_ms) == MHD_YES)
		note_next(&next_ms, library_ms > LIMIT_WEB_REQUEST_MS ? LIMIT_WEB_REQUEST_MS : (int64_t)library_ms);
	/* Connections that came, and questions that were asked, in this turn. */
	look_at_clock(server, &next_ms);
	return next_ms;
}

void server_drain(struct server *server)
{
	struct exchange *exchange;

	server->end_ms = server_now_ms(server) + LIMIT_GRACE_MS;
	DL_FOREACH(server->exchanges, exchange) {
		if (!exchange->source)
			continue;
		exchange_give_time(exchange, LIMIT_GRACE_MS);
		exchange->source->drain(exchange->userdata);
	}
}

/* ---- life ---- */

/* Paths are compared as they were sent. No parameter has a value with anything to escape. */
static size_t leave_escaped(void *userdata, struct MHD_Connection *handle, char *text)
{
	(void)userdata;
	(void)handle;
	return strlen(text);
}

static void on_library_log(void *userdata, const char *format, va_list args)
{
	char text[256];

	(void)userdata;
	vsnprintf(text, sizeof(text), format, args);
	text[strcspn(text, "\r\n")] = '\0';
	log_debug("libmicrohttpd", "says", text);
}

int server_new(const struct web_config *config, struct desk *desk, int listen_fd, struct server **ret)
{
	struct server *server = calloc(1, sizeof(*server));
	const union MHD_DaemonInfo *info;

	if (server && config->requests_per_s) {
		server->rates = rates_new(config->requests_per_s);
		if (!server->rates) {
			close(listen_fd);
			free(server);
			return err_origin(-ENOMEM);
		}
	}
	/* The library hands on what the kernel said, where it was the kernel. */
	errno = 0;
	if (server) {
		server->config = config;
		server->desk = desk;
		server->daemon = MHD_start_daemon(
			MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG, 0, NULL, NULL, on_access, server,
			MHD_OPTION_EXTERNAL_LOGGER, on_library_log, NULL, MHD_OPTION_LISTEN_SOCKET, listen_fd,
			MHD_OPTION_NOTIFY_COMPLETED, on_completed, server, MHD_OPTION_NOTIFY_CONNECTION, on_connection,
			server, MHD_OPTION_CONNECTION_LIMIT,
			config->max_connections ? config->max_connections : (unsigned int)LIMIT_WEB_CONNECTIONS,
			MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)LIMIT_WEB_POOL, MHD_OPTION_UNESCAPE_CALLBACK,
			leave_escaped, NULL, MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_END);
	}
	if (!server || !server->daemon) {
		int error = errno;

		close(listen_fd);
		if (server)
			rates_free(server->rates);
		free(server);
		return err_origin(error ? -error : -ENOMEM);
	}
	info = MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_EPOLL_FD);
	server->fd = info->epoll_fd;
	*ret = server;
	return 0;
}

int server_fd(const struct server *server)
{
	return server->fd;
}

/* The library must not be stopped while a connection is suspended. */
struct server *server_free(struct server *server)
{
	struct exchange *exchange;

	if (!server)
		return NULL;
	server->is_stopping = true;
	DL_FOREACH(server->exchanges, exchange) {
		exchange_drop_question(exchange);
		exchange->is_left = true;
		exchange_resume(exchange);
	}
	MHD_run(server->daemon);
	MHD_stop_daemon(server->daemon);
	rates_free(server->rates);
	free(server);
	return NULL;
}
