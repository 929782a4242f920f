/*
 * libmicrohttpd calls on_access() several times for a request: once with the headers, once per piece of the body, once
 * when it is whole, and again after a connection was resumed. struct exchange keeps where that stands.
 *
 * Whatever is not an immediate, ordinary reply suspends the connection: the library then has no descriptor of it in any
 * set. After the delay the loop either resumes it, and the reply is queued; or it takes the socket: a duplicate of the
 * descriptor becomes ours, a dead socket is put in its place by dup2(), and the library, resumed, closes that one. So
 * no shutdown() or close() of the library ever reaches a connection that a fault has taken.
 */
#include "sim/server.h"

#include "base/clock.h"
#include "base/id.h"
#include "base/limits.h"
#include "base/log.h"
#include "sim/listen.h"

#include <fcntl.h>
#include <microhttpd.h>
#include <sys/epoll.h>
#include <sys/socket.h>

enum stage {
	STAGE_READING,
	STAGE_SLEEPING, /* suspended, the timer runs */
	STAGE_AWAKE,    /* resumed: the answer may go out */
	STAGE_TAKEN,    /* resumed without its socket */
};

struct connection {
	uint64_t number;
	uint64_t requests;
};

struct exchange {
	struct sim_server *server;
	struct exchange *prev, *next;
	struct MHD_Connection *handle;
	struct sim_request request;
	struct sim_answer answer;
	struct sim_timer timer;
	enum stage stage;
	uint64_t body_seen;
};

struct sim_server {
	struct sim_server_spec spec;
	struct MHD_Daemon *daemon;
	struct exchange *exchanges;
	struct sim_turn turn;
	struct sim_watch watch;
	char url[SIM_URL_SIZE];
	int listen_fd;
};

void sim_answer_init(struct sim_answer *answer)
{
	*answer = (struct sim_answer){0};
	sim_reply_init(&answer->reply);
	sim_plan_init(&answer->plan, SIM_ENDING_FIN);
}

void sim_answer_finish(struct sim_answer *answer)
{
	sim_reply_finish(&answer->reply);
	sim_plan_finish(&answer->plan);
}

static struct exchange *exchange_free(struct exchange *exchange)
{
	struct sim_server *server = exchange->server;

	sim_loop_forget(server->spec.loop, &exchange->timer);
	if (exchange->prev)
		exchange->prev->next = exchange->next;
	else
		server->exchanges = exchange->next;
	if (exchange->next)
		exchange->next->prev = exchange->prev;
	sim_request_finish(&exchange->request);
	sim_answer_finish(&exchange->answer);
	free(exchange);
	return NULL;
}

static enum MHD_Result add_field(void *userdata, enum MHD_ValueKind kind, const char *name, const char *value)
{
	struct sim_fields *fields = userdata;

	(void)kind;
	if (fields->count >= LIMIT_SIM_FIELDS)
		return MHD_NO;
	return sim_fields_add(fields, name, value) < 0 ? MHD_NO : MHD_YES;
}

/* The library splits the target and leaves the rest to us. */
static size_t leave_escaped(void *userdata, struct MHD_Connection *handle, char *text)
{
	(void)userdata;
	(void)handle;
	return strlen(text);
}

static enum MHD_Result add_argument(void *userdata, enum MHD_ValueKind kind, const char *name, const char *value)
{
	struct sim_fields *fields = userdata;
	enum MHD_Result result = add_field(userdata, kind, name, value);

	if (result == MHD_YES) {
		sim_percent_decode(fields->items[fields->count - 1].name, 0);
		sim_percent_decode(fields->items[fields->count - 1].value, 0);
	}
	return result;
}

static struct connection *connection_of(struct MHD_Connection *handle)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(handle, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

	return info ? info->socket_context : NULL;
}

static int read_head(struct exchange *exchange, const char *method, const char *path)
{
	struct sim_request *request = &exchange->request;
	struct connection *connection = connection_of(exchange->handle);

	request->host = exchange->server->spec.host;
	request->body.limit = exchange->server->spec.body_bytes;
	request->method = strdup(method);
	request->path = strdup(path);
	if (!request->method || !request->path || !connection)
		return err_origin(-ENOMEM);
	sim_percent_decode(request->path, '/');
	request->connection = connection->number;
	request->nth = ++connection->requests;
	MHD_get_connection_values(exchange->handle, MHD_HEADER_KIND, add_field, &request->headers);
	MHD_get_connection_values(exchange->handle, MHD_GET_ARGUMENT_KIND, add_argument, &request->query);
	return 0;
}

static struct exchange *exchange_new(struct sim_server *server, struct MHD_Connection *handle)
{
	struct exchange *exchange = calloc(1, sizeof(*exchange));

	if (!exchange)
		return NULL;
	exchange->server = server;
	exchange->handle = handle;
	sim_answer_init(&exchange->answer);
	exchange->next = server->exchanges;
	if (server->exchanges)
		server->exchanges->prev = exchange;
	server->exchanges = exchange;
	return exchange;
}

/* What the library lets through although two readers may understand it differently, and what is too much. */
static const char *find_fault_in_head(const struct exchange *exchange)
{
	const struct sim_fields *headers = &exchange->request.headers;
	size_t lengths = sim_fields_count(headers, "Content-Length");

	if (lengths > 1)
		return "two Content-Length headers";
	if (lengths && sim_fields_count(headers, "Transfer-Encoding"))
		return "Content-Length together with Transfer-Encoding";
	if (sim_fields_count(headers, "Host") > 1)
		return "two Host headers";
	if (headers->count >= LIMIT_SIM_FIELDS || exchange->request.query.count >= LIMIT_SIM_FIELDS)
		return "too many headers or query arguments";
	return NULL;
}

static bool announces_too_much(const struct exchange *exchange)
{
	const char *length = sim_fields_find(&exchange->request.headers, "Content-Length");

	return length && strtoull(length, NULL, 10) > exchange->server->spec.body_bytes;
}

static struct MHD_Response *response_of(struct sim_reply *reply)
{
	struct MHD_Response *response;

	if (reply->file_fd >= 0)
		return MHD_create_response_from_fd_at_offset64(reply->file_len, steal_fd(&reply->file_fd),
							       reply->file_offset);
	response = MHD_create_response_from_buffer(reply->body.len, reply->body.data, MHD_RESPMEM_MUST_FREE);
	if (response)
		reply->body = (struct buffer){0};
	return response;
}

static enum MHD_Result queue_reply(struct exchange *exchange, bool must_close)
{
	struct sim_reply *reply = &exchange->answer.reply;
	struct MHD_Response *response = response_of(reply);
	enum MHD_Result result;

	if (!response)
		return MHD_NO;
	for (size_t i = 0; i < reply->headers.count; i++)
		MHD_add_response_header(response, reply->headers.items[i].name, reply->headers.items[i].value);
	if (must_close)
		MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close");
	result = MHD_queue_response(exchange->handle, (unsigned int)reply->status, response);
	MHD_destroy_response(response);
	return result;
}

static enum MHD_Result refuse(struct exchange *exchange, int status, const char *why, bool must_close)
{
	const struct sim_server_spec *spec = &exchange->server->spec;

	if (spec->refuse(spec->userdata, status, why, &exchange->answer.reply) < 0)
		return MHD_NO;
	return queue_reply(exchange, must_close);
}

static enum MHD_Result begin(struct sim_server *server, struct MHD_Connection *handle, const char *method,
			     const char *path, void **context)
{
	struct exchange *exchange = exchange_new(server, handle);
	const char *fault;

	if (!exchange)
		return MHD_NO;
	*context = exchange;
	if (read_head(exchange, method, path) < 0)
		return MHD_NO;
	fault = find_fault_in_head(exchange);
	if (fault)
		return refuse(exchange, MHD_HTTP_BAD_REQUEST, fault, true);
	if (announces_too_much(exchange))
		return refuse(exchange, MHD_HTTP_CONTENT_TOO_LARGE, "the body is too large", true);
	return MHD_YES;
}

/* A body that is too long without having said so is read on for a while, since a reply has to wait for its end. */
static enum MHD_Result read_body(struct exchange *exchange, const char *data, size_t *len)
{
	uint64_t limit = exchange->server->spec.body_bytes;

	exchange->body_seen += *len;
	if (exchange->body_seen > 4 * limit)
		return MHD_NO;
	if (exchange->body_seen <= limit && buffer_append(&exchange->request.body, data, *len) < 0)
		return MHD_NO;
	*len = 0;
	return MHD_YES;
}

/* Returns our own descriptor of the connection's socket; the library is left with a dead one. */
static int take_socket(struct MHD_Connection *handle)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(handle, MHD_CONNECTION_INFO_CONNECTION_FD);
	_cleanup_(closep) int taken = -1;
	int dead[2];
	int r;

	taken = fcntl(info->connect_fd, F_DUPFD_CLOEXEC, 3);
	if (taken < 0)
		return err_origin(-errno);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, dead) < 0)
		return err_origin(-errno);
	r = dup3(dead[0], info->connect_fd, O_CLOEXEC) < 0 ? -errno : 0;
	close(dead[0]);
	close(dead[1]);
	if (r < 0)
		return err_origin(r);
	return steal_fd(&taken);
}

static void on_awake(void *userdata)
{
	struct exchange *exchange = userdata;
	struct sim_answer *answer = &exchange->answer;
	int fd;

	exchange->stage = STAGE_AWAKE;
	if (answer->is_raw) {
		exchange->stage = STAGE_TAKEN;
		fd = take_socket(exchange->handle);
		if (fd >= 0)
			sim_raws_run(exchange->server->spec.raws, fd, &answer->plan);
	}
	MHD_resume_connection(exchange->handle);
}

static void fall_asleep(struct exchange *exchange)
{
	exchange->stage = STAGE_SLEEPING;
	exchange->timer = (struct sim_timer){.fn = on_awake, .userdata = exchange};
	MHD_suspend_connection(exchange->handle);
	sim_loop_after(exchange->server->spec.loop, &exchange->timer, exchange->answer.delay_ms);
}

static enum MHD_Result serve(struct exchange *exchange)
{
	const struct sim_server_spec *spec = &exchange->server->spec;
	struct sim_answer *answer = &exchange->answer;
	int r;

	if (exchange->body_seen > spec->body_bytes)
		return refuse(exchange, MHD_HTTP_CONTENT_TOO_LARGE, "the body is too large", true);
	r = spec->serve(spec->userdata, &exchange->request, answer);
	if (r < 0) {
		log_error("request failed", "path", exchange->request.path, "error", log_errno(r));
		sim_answer_finish(answer);
		answer->is_raw = false;
		return refuse(exchange, MHD_HTTP_INTERNAL_SERVER_ERROR, "the simulator failed; see its log", false);
	}
	if (!answer->is_raw && answer->delay_ms <= 0)
		return queue_reply(exchange, false);
	fall_asleep(exchange);
	return MHD_YES;
}

static enum MHD_Result on_access(void *userdata, struct MHD_Connection *handle, const char *path, const char *method,
				 const char *version, const char *upload, size_t *upload_len, void **context)
{
	struct exchange *exchange = *context;

	(void)version;
	if (!exchange)
		return begin(userdata, handle, method, path, context);
	if (exchange->stage == STAGE_AWAKE)
		return queue_reply(exchange, false);
	if (exchange->stage == STAGE_TAKEN)
		return MHD_NO;
	if (*upload_len)
		return read_body(exchange, upload, upload_len);
	return serve(exchange);
}

static void on_completed(void *userdata, struct MHD_Connection *handle, void **context,
			 enum MHD_RequestTerminationCode code)
{
	(void)userdata;
	(void)handle;
	(void)code;
	if (*context)
		*context = exchange_free(*context);
}

static void on_connection(void *userdata, struct MHD_Connection *handle, void **context,
			  enum MHD_ConnectionNotificationCode code)
{
	struct sim_connection_count *count = ((struct sim_server *)userdata)->spec.connections;
	struct connection *connection;

	(void)handle;
	if (code == MHD_CONNECTION_NOTIFY_CLOSED) {
		free(*context);
		*context = NULL;
		count->open--;
		return;
	}
	connection = calloc(1, sizeof(*connection));
	count->open++;
	count->accepted++;
	if (connection)
		connection->number = count->accepted;
	*context = connection;
}

static void on_library_log(void *userdata, const char *format, va_list args)
{
	char text[256];

	(void)userdata;
	vsnprintf(text, sizeof(text), format, args);
	text[strcspn(text, "\r\n")] = '\0';
	log_debug("libmicrohttpd", "says", text);
}

static int64_t on_turn(void *userdata)
{
	struct sim_server *server = userdata;
	MHD_UNSIGNED_LONG_LONG wait_ms;

	MHD_run(server->daemon);
	if (MHD_get_timeout(server->daemon, &wait_ms) != MHD_YES)
		return -1;
	return wait_ms > INT32_MAX ? INT32_MAX : (int64_t)wait_ms;
}

/* The library's epoll set became readable: the next turn runs it. */
static void on_readable(void *userdata, uint32_t events)
{
	(void)userdata;
	(void)events;
}

static int start_daemon(struct sim_server *server)
{
	const union MHD_DaemonInfo *info;

	server->daemon = MHD_start_daemon(
		MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG, 0, NULL, NULL, on_access, server,
		MHD_OPTION_EXTERNAL_LOGGER, on_library_log, NULL, MHD_OPTION_LISTEN_SOCKET, server->listen_fd,
		MHD_OPTION_NOTIFY_COMPLETED, on_completed, server, MHD_OPTION_NOTIFY_CONNECTION, on_connection, server,
		MHD_OPTION_CONNECTION_LIMIT, (unsigned int)LIMIT_SIM_CONNECTIONS, MHD_OPTION_CONNECTION_TIMEOUT,
		(unsigned int)LIMIT_SIM_IDLE_S, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)LIMIT_SIM_HEAD,
		MHD_OPTION_UNESCAPE_CALLBACK, leave_escaped, NULL, MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_END);
	if (!server->daemon)
		return err_origin(-ENOMEM);
	server->listen_fd = -1;
	info = MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_EPOLL_FD);
	server->watch = (struct sim_watch){.fn = on_readable, .userdata = server};
	server->turn = (struct sim_turn){.fn = on_turn, .userdata = server};
	sim_loop_every_turn(server->spec.loop, &server->turn);
	return sim_loop_watch(server->spec.loop, &server->watch, info->epoll_fd, EPOLLIN);
}

int sim_server_new(const struct sim_server_spec *spec, struct errmsg *msg, struct sim_server **ret)
{
	_cleanup_(sim_server_freep) struct sim_server *server = calloc(1, sizeof(*server));
	int r;

	if (!server)
		return err_origin(-ENOMEM);
	server->spec = *spec;
	server->listen_fd = -1;
	r = sim_listen(spec->listen, msg, server->url, &server->listen_fd);
	if (r)
		return r;
	r = start_daemon(server);
	if (r < 0)
		return err_trace(r);

	*ret = steal(server);
	return 0;
}

/* The library must not be stopped while a connection sleeps, and frees the exchanges as it closes them. */
struct sim_server *sim_server_free(struct sim_server *server)
{
	if (!server)
		return NULL;
	for (struct exchange *exchange = server->exchanges; exchange; exchange = exchange->next) {
		if (exchange->stage != STAGE_SLEEPING)
			continue;
		sim_loop_forget(server->spec.loop, &exchange->timer);
		exchange->stage = STAGE_TAKEN;
		MHD_resume_connection(exchange->handle);
	}
	sim_loop_unwatch(server->spec.loop, &server->watch);
	if (server->daemon) {
		MHD_run(server->daemon);
		MHD_stop_daemon(server->daemon);
	}
	closep(&server->listen_fd);
	free(server);
	return NULL;
}

void sim_server_freep(struct sim_server **server)
{
	sim_server_free(*server);
}

const char *sim_server_url(const struct sim_server *server)
{
	return server->url;
}
