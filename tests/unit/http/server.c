#include "http/server.h"

#include <arpa/inet.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#define must(condition)                                                                 \
	do {                                                                            \
		if (!(condition)) {                                                     \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition); \
			abort();                                                        \
		}                                                                       \
	} while (0)

/* Waits for @events on @fd; false when the server stops first or nothing comes within @wait_ms (-1: for ever). */
static bool wait_for(const struct server *server, int fd, short events, int wait_ms)
{
	struct pollfd fds[2] = {{.fd = fd, .events = events}, {.fd = server->stop_fd, .events = POLLIN}};

	return poll(fds, 2, wait_ms) > 0 && !fds[1].revents;
}

static void *run_connection(void *userdata)
{
	struct connection *connection = userdata;

	connection->server->serve(connection);
	close(connection->fd);
	return NULL;
}

static void *run_server(void *userdata)
{
	struct server *server = userdata;

	while (wait_for(server, server->listener, POLLIN, -1)) {
		struct connection *connection = calloc(1, sizeof(*connection));
		int number = atomic_fetch_add(&server->connections, 1);

		must(connection && number < SERVER_CONNECTIONS);
		connection->server = server;
		connection->number = number + 1;
		connection->fd = accept4(server->listener, NULL, NULL, SOCK_CLOEXEC);
		must(connection->fd >= 0);
		server->all[number] = connection;
		must(pthread_create(&connection->thread, NULL, run_connection, connection) == 0);
	}
	return NULL;
}

static int listen_at(const char *address, int *ret_port)
{
	struct sockaddr_in in4 = {.sin_family = AF_INET};
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};
	bool is_ipv6 = strchr(address, ':');
	struct sockaddr *any = is_ipv6 ? (struct sockaddr *)&in6 : (struct sockaddr *)&in4;
	socklen_t len = is_ipv6 ? sizeof(in6) : sizeof(in4);
	int fd = socket(any->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	must(inet_pton(any->sa_family, address, is_ipv6 ? (void *)&in6.sin6_addr : (void *)&in4.sin_addr) == 1);
	must(fd >= 0 && bind(fd, any, len) == 0 && listen(fd, 512) == 0);
	must(getsockname(fd, any, &len) == 0);
	*ret_port = ntohs(is_ipv6 ? in6.sin6_port : in4.sin_port);
	return fd;
}

void server_start_at(struct server *server, const char *address, serve_fn serve, const void *script)
{
	*server = (struct server){.serve = serve, .script = script, .lock = PTHREAD_MUTEX_INITIALIZER};
	server->listener = listen_at(address, &server->port);
	server->stop_fd = eventfd(0, EFD_CLOEXEC);
	must(server->stop_fd >= 0);
	must(pthread_create(&server->thread, NULL, run_server, server) == 0);
}

void server_start(struct server *server, serve_fn serve, const void *script)
{
	server_start_at(server, "127.0.0.1", serve, script);
}

void server_stop(struct server *server)
{
	uint64_t one = 1;

	must(write(server->stop_fd, &one, sizeof(one)) == sizeof(one));
	pthread_join(server->thread, NULL);
	for (int i = 0; i < SERVER_CONNECTIONS && server->all[i]; i++) {
		pthread_join(server->all[i]->thread, NULL);
		free(server->all[i]);
	}
	close(server->listener);
	close(server->stop_fd);
}

size_t connection_read(struct connection *connection, void *data, size_t size)
{
	ssize_t n;

	if (!wait_for(connection->server, connection->fd, POLLIN, -1))
		return 0;
	n = recv(connection->fd, data, size, 0);
	return n > 0 ? (size_t)n : 0;
}

/* Byte by byte, so that nothing of a next request is taken. */
static bool read_head(struct connection *connection)
{
	size_t len = 0;

	connection->request[0] = '\0';
	while (!strstr(connection->request, "\r\n\r\n")) {
		must(len < SERVER_REQUEST_SIZE - 1);
		if (connection_read(connection, connection->request + len, 1) == 0)
			return false;
		connection->request[++len] = '\0';
	}
	return true;
}

static size_t declared_bytes(const char *head)
{
	const char *field = strcasestr(head, "\r\ncontent-length:");

	return field ? strtoull(strchr(field, ':') + 1, NULL, 10) : 0;
}

bool connection_read_request(struct connection *connection)
{
	struct server *server = connection->server;
	char scratch[65536];

	if (!read_head(connection))
		return false;
	connection->body_bytes = declared_bytes(connection->request);
	for (size_t left = connection->body_bytes; left;) {
		size_t n = connection_read(connection, scratch, left < sizeof(scratch) ? left : sizeof(scratch));

		if (n == 0)
			return false;
		left -= n;
	}

	atomic_fetch_add(&server->requests, 1);
	if (strncmp(connection->request, "POST ", 5) == 0)
		atomic_fetch_add(&server->paid, 1);
	pthread_mutex_lock(&server->lock);
	memcpy(server->last_request, connection->request, sizeof(server->last_request));
	pthread_mutex_unlock(&server->lock);
	return true;
}

void connection_write(struct connection *connection, const void *data, size_t len)
{
	const char *at = data;

	while (len) {
		ssize_t n;

		if (!wait_for(connection->server, connection->fd, POLLOUT, -1))
			return;
		n = send(connection->fd, at, len, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n <= 0)
			return;
		at += n;
		len -= (size_t)n;
	}
}

void connection_say(struct connection *connection, const char *format, ...)
{
	char text[16384];
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	must(n >= 0 && (size_t)n < sizeof(text));
	connection_write(connection, text, (size_t)n);
}

bool connection_pause(struct connection *connection, int wait_ms)
{
	struct pollfd fds[2] = {{.fd = connection->fd, .events = POLLRDHUP},
				{.fd = connection->server->stop_fd, .events = POLLIN}};

	return poll(fds, 2, wait_ms) == 0;
}

void connection_reset(struct connection *connection)
{
	struct linger linger = {.l_onoff = 1, .l_linger = 0};

	must(setsockopt(connection->fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)) == 0);
}
