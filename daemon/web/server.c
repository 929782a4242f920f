/*
 * A request is one struct exchange. It is read, suspended while the engine is asked, and resumed with the answer, or
 * with a 503 when none came in time: the engine's thread is then taken for dead, which is what the question was.
 *
 * The library's own time-out starts again with each byte, so a client that sends one now and then would keep its place
 * for ever. Here each connection has until `until_ms` to get on: to a request that is whole, or to a reply that is sent.
 * Whoever is late has its socket shut down, and the library, which then reads an end, closes it.
 */
#include "web/server.h"

#include "base/limits.h"
#include "base/log.h"
#include "base/quote.h"
#include "web/pages.h"

#include <microhttpd.h>
#include <stdarg.h>
#include <stdio.h>
#include <strings.h>
#include <sys/socket.h>
#include <utlist.h>

struct connection {
	struct connection *prev, *next;
	int fd;
	int64_t until_ms; /* monotonic */
	bool is_waiting;  /* for the engine: that is not its fault */
	bool is_shut;
};

struct exchange {
	struct exchange *prev, *next;
	struct server *server;
	struct MHD_Connection *handle;
	const struct page *page;
	struct question *question; /* under way */
	int64_t until_ms;          /* for the answer */
	struct buffer body;
	unsigned int status; /* 0: nothing to be said yet */
};

struct server {
	const struct web_config *config;
	struct desk *desk;
	struct MHD_Daemon *daemon;
	struct connection *connections;
	struct exchange *exchanges;
	int fd;
	bool is_stopping;
};

static int64_t now_ms(const struct server *server)
{
	return clock_monotonic_ms(server->config->clock);
}

static struct connection *connection_of(struct MHD_Connection *handle)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(handle, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

	return info ? info->socket_context : NULL;
}

static void give_time(struct server *server, struct MHD_Connection *handle)
{
	struct connection *connection = connection_of(handle);

	if (connection)
		connection->until_ms = now_ms(server) + LIMIT_WEB_REQUEST_MS;
}

/* ---- replies ---- */

static enum MHD_Result queue(struct server *server, struct MHD_Connection *handle, unsigned int status,
			     const char *media_type, struct buffer *body, const char *allow)
{
	struct MHD_Response *response;
	enum MHD_Result result;

	response = MHD_create_response_from_buffer(body->len, body->data, MHD_RESPMEM_MUST_FREE);
	if (!response)
		return MHD_NO;
	*body = (struct buffer){0};
	MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, media_type);
	MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
	MHD_add_response_header(response, MHD_HTTP_HEADER_X_CONTENT_TYPE_OPTIONS, "nosniff");
	if (allow)
		MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, allow);
	/* What a refused request still brings is not read. */
	if (status >= 400 && status < 500)
		MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close");
	give_time(server, handle);
	result = MHD_queue_response(handle, status, response);
	MHD_destroy_response(response);
	return result;
}

static enum MHD_Result refuse(struct exchange *exchange, unsigned int status, const char *allow)
{
	return queue(exchange->server, exchange->handle, status, "text/plain; charset=utf-8", &exchange->body, allow);
}

static enum MHD_Result reply(struct exchange *exchange)
{
	return queue(exchange->server, exchange->handle, exchange->status,
		     exchange->status == MHD_HTTP_OK ? exchange->page->media_type : "text/plain; charset=utf-8",
		     &exchange->body, NULL);
}

/* ---- a request ---- */

struct head {
	size_t hosts, lengths, encodings;
	bool has_body;
};

static enum MHD_Result look_at_header(void *userdata, enum MHD_ValueKind kind, const char *name, const char *value)
{
	struct head *head = userdata;

	(void)kind;
	if (strcasecmp(name, MHD_HTTP_HEADER_HOST) == 0) {
		head->hosts++;
	} else if (strcasecmp(name, MHD_HTTP_HEADER_TRANSFER_ENCODING) == 0) {
		head->encodings++;
	} else if (strcasecmp(name, MHD_HTTP_HEADER_CONTENT_LENGTH) == 0) {
		head->lengths++;
		head->has_body |= !value || strspn(value, "0") != strlen(value);
	}
	return MHD_YES;
}

/* What the library lets through although two readers may understand it differently, and bodies, which nothing has. */
static const char *find_fault(struct MHD_Connection *handle)
{
	struct head head = {0};

	MHD_get_connection_values(handle, MHD_HEADER_KIND, look_at_header, &head);
	if (head.hosts > 1)
		return "the request has two Host headers\n";
	if (head.lengths > 1)
		return "the request has two Content-Length headers\n";
	if (head.has_body || head.encodings)
		return "the request has a body: leave it out\n";
	return NULL;
}

static enum MHD_Result begin(struct exchange *exchange, const char *path, const char *method)
{
	bool is_read = strcmp(method, MHD_HTTP_METHOD_GET) == 0 || strcmp(method, MHD_HTTP_METHOD_HEAD) == 0;
	const char *fault = find_fault(exchange->handle);

	exchange->page = page_find(path);
	if (!exchange->page) {
		if (buffer_printf(&exchange->body, "there is no '%s' here, but /livez, /readyz and /metrics\n",
				  quote(path).text) < 0)
			return MHD_NO;
		return refuse(exchange, MHD_HTTP_NOT_FOUND, NULL);
	}
	if (!is_read) {
		if (buffer_printf(&exchange->body, "'%s' is not possible here: use GET or HEAD\n", quote(method).text) <
		    0)
			return MHD_NO;
		return refuse(exchange, MHD_HTTP_METHOD_NOT_ALLOWED, "GET, HEAD");
	}
	if (fault) {
		if (buffer_append_text(&exchange->body, fault) < 0)
			return MHD_NO;
		return refuse(exchange, MHD_HTTP_BAD_REQUEST, NULL);
	}
	return MHD_YES;
}

static void wait_for_engine(struct exchange *exchange, bool is_waiting)
{
	struct connection *connection = connection_of(exchange->handle);

	if (connection)
		connection->is_waiting = is_waiting;
	if (is_waiting)
		MHD_suspend_connection(exchange->handle);
	else
		MHD_resume_connection(exchange->handle);
}

static enum MHD_Result ask(struct exchange *exchange)
{
	struct server *server = exchange->server;

	exchange->question = question_new(server->desk, exchange);
	if (!exchange->question)
		return MHD_NO;
	exchange->until_ms = now_ms(server) + LIMIT_WEB_ANSWER_MS;
	wait_for_engine(exchange, true);
	exchange->page->ask(server->config->engine, exchange->question);
	return MHD_YES;
}

/* The library calls this with the head, again when the request is whole, and again after it was resumed. */
static enum MHD_Result on_access(void *userdata, struct MHD_Connection *handle, const char *path, const char *method,
				 const char *version, const char *upload, size_t *upload_len, void **context)
{
	struct server *server = userdata;
	struct exchange *exchange = *context;

	(void)version;
	(void)upload;
	if (exchange && (server->is_stopping || *upload_len))
		return MHD_NO;
	if (exchange)
		return exchange->status ? reply(exchange) : ask(exchange);
	exchange = calloc(1, sizeof(*exchange));
	if (!exchange)
		return MHD_NO;
	exchange->server = server;
	exchange->handle = handle;
	DL_APPEND(server->exchanges, exchange);
	*context = exchange;
	return begin(exchange, path, method);
}

static void on_completed(void *userdata, struct MHD_Connection *handle, void **context,
			 enum MHD_RequestTerminationCode code)
{
	struct server *server = userdata;
	struct exchange *exchange = *context;

	(void)code;
	*context = NULL;
	give_time(server, handle);
	if (!exchange)
		return;
	if (exchange->question)
		question_drop(exchange->question);
	DL_DELETE(server->exchanges, exchange);
	buffer_finish(&exchange->body);
	free(exchange);
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
	connection->until_ms = now_ms(server) + LIMIT_WEB_REQUEST_MS;
	DL_APPEND(server->connections, connection);
	*context = connection;
}

/* ---- a turn ---- */

static void end_question(struct exchange *exchange, int status)
{
	exchange->question = NULL;
	exchange->status = status > 0 ? (unsigned int)status : MHD_HTTP_INTERNAL_SERVER_ERROR;
	if (status < 0) {
		log_error("a page could not be written", "path", exchange->page->path, "error", log_errno(status));
		buffer_finish(&exchange->body);
		exchange->body = (struct buffer){0};
	}
	wait_for_engine(exchange, false);
}

static void take_answers(struct server *server)
{
	struct question *answer;
	void *asker;

	while ((answer = desk_take(server->desk, &asker)) != NULL) {
		struct exchange *exchange = asker;

		end_question(exchange, exchange->page->write(server->config, answer, &exchange->body));
		question_free(answer);
	}
}

static void give_up(struct exchange *exchange)
{
	int r = buffer_printf(&exchange->body, "engine: it did not answer within %d seconds\n",
			      LIMIT_WEB_ANSWER_MS / 1000);

	log_warning("the engine does not answer", "path", exchange->page->path);
	question_drop(exchange->question);
	end_question(exchange, r < 0 ? r : MHD_HTTP_SERVICE_UNAVAILABLE);
}

static void note_next(int64_t *next_ms, int64_t wait_ms)
{
	if (wait_ms < 0)
		wait_ms = 0;
	if (*next_ms < 0 || wait_ms < *next_ms)
		*next_ms = wait_ms;
}

/* Ends what is late; what is not is noted. */
static void look_at_clock(struct server *server, int64_t *next_ms)
{
	int64_t now = now_ms(server);
	struct exchange *exchange;
	struct connection *connection;

	DL_FOREACH(server->exchanges, exchange) {
		if (exchange->question && exchange->until_ms <= now)
			give_up(exchange);
		if (exchange->question)
			note_next(next_ms, exchange->until_ms - now);
	}
	DL_FOREACH(server->connections, connection) {
		if (connection->is_waiting || connection->is_shut)
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

	take_answers(server);
	look_at_clock(server, &next_ms);
	MHD_run(server->daemon);
	if (MHD_get_timeout(server->daemon, &library_ms) == MHD_YES)
		note_next(&next_ms, library_ms > LIMIT_WEB_REQUEST_MS ? LIMIT_WEB_REQUEST_MS : (int64_t)library_ms);
	/* Connections that came, and questions that were asked, in this turn. */
	look_at_clock(server, &next_ms);
	return next_ms;
}

/* ---- life ---- */

/* Paths are compared as they were sent. */
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

	/* The library hands on what the kernel said, where it was the kernel. */
	errno = 0;
	if (server)
		server->daemon = MHD_start_daemon(
			MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG, 0, NULL, NULL, on_access, server,
			MHD_OPTION_EXTERNAL_LOGGER, on_library_log, NULL, MHD_OPTION_LISTEN_SOCKET, listen_fd,
			MHD_OPTION_NOTIFY_COMPLETED, on_completed, server, MHD_OPTION_NOTIFY_CONNECTION, on_connection,
			server, MHD_OPTION_CONNECTION_LIMIT, (unsigned int)LIMIT_WEB_CONNECTIONS,
			MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)LIMIT_WEB_HEAD, MHD_OPTION_UNESCAPE_CALLBACK,
			leave_escaped, NULL, MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_END);
	if (!server || !server->daemon) {
		int error = errno;

		close(listen_fd);
		free(server);
		return err_origin(error ? -error : -ENOMEM);
	}
	server->config = config;
	server->desk = desk;
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
	DL_FOREACH(server->exchanges, exchange)
		if (exchange->question) {
			question_drop(steal(exchange->question));
			wait_for_engine(exchange, false);
		}
	MHD_run(server->daemon);
	MHD_stop_daemon(server->daemon);
	free(server);
	return NULL;
}
