#include "base/listen.h"

#include <netdb.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>

#define BACKLOG 1024

static bool is_loopback(const struct sockaddr *address)
{
	if (address->sa_family == AF_INET)
		return ntohl(((const struct sockaddr_in *)address)->sin_addr.s_addr) >> 24 == 127;
	return address->sa_family == AF_INET6 &&
	       IN6_IS_ADDR_LOOPBACK(&((const struct sockaddr_in6 *)address)->sin6_addr);
}

static void freeaddrinfop(struct addrinfo **info)
{
	if (*info)
		freeaddrinfo(*info);
}

/* Splits "host:port" and "[host]:port"; false if it is neither. */
static bool split(const char *address, char *host, size_t host_size, const char **ret_port)
{
	const char *colon = strrchr(address, ':');
	bool is_bracketed = address[0] == '[';
	const char *start = address + is_bracketed, *stop = colon ? colon - is_bracketed : NULL;
	size_t len;

	if (!colon || stop <= start || (is_bracketed && *stop != ']'))
		return false;
	len = (size_t)(stop - start);
	if (len >= host_size || (!is_bracketed && memchr(start, ':', len)))
		return false;
	memcpy(host, start, len);
	host[len] = '\0';
	*ret_port = colon + 1;
	return true;
}

static int parse(const char *address, struct addrinfo **ret, struct errmsg *msg)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
	_cleanup_(freeaddrinfop) struct addrinfo *info = NULL;
	const char *port;
	char host[256], *end;
	unsigned long number;

	if (!split(address, host, sizeof(host), &port)) {
		errmsg_set(msg, "'%s' is not an address: write HOST:PORT, for example 127.0.0.1:7447", address);
		return LISTEN_E_ADDRESS;
	}
	number = strtoul(port, &end, 10);
	if (*port < '0' || *port > '9' || *end || number > 65535) {
		errmsg_set(msg, "'%s': '%s' is not a port; it is a number from 0 to 65535", address, port);
		return LISTEN_E_ADDRESS;
	}
	if (strcmp(host, "localhost") != 0)
		hints.ai_flags |= AI_NUMERICHOST;
	if (getaddrinfo(strcmp(host, "localhost") == 0 ? "127.0.0.1" : host, port, &hints, &info) != 0) {
		errmsg_set(msg, "'%s': '%s' is not an IP address or localhost", address, host);
		return LISTEN_E_ADDRESS;
	}
	if (!is_loopback(info->ai_addr)) {
		errmsg_set(msg,
			   "'%s' is not a loopback address: there is no access control yet, so the door is "
			   "open only to this machine",
			   address);
		return LISTEN_E_ADDRESS;
	}
	*ret = steal(info);
	return 0;
}

int listen_explain(int error, const char *address, struct errmsg *msg)
{
	switch (error) {
	case EADDRINUSE:
		errmsg_set(msg, "'%s' is in use by another process; stop it or choose another one", address);
		return LISTEN_E_IN_USE;
	case EACCES:
	case EPERM:
		errmsg_set(msg,
			   "no permission to listen on '%s': %s; give it to the daemon's user or choose another one",
			   address, strerror(error));
		return LISTEN_E_FORBIDDEN;
	case EADDRNOTAVAIL:
		errmsg_set(msg, "'%s' is not an address of this machine; choose another one", address);
		return LISTEN_E_ADDRESS;
	case ENOENT:
	case ENOTDIR:
		errmsg_set(msg, "cannot listen on '%s': %s; make its folder, or choose another path", address,
			   strerror(error));
		return LISTEN_E_ADDRESS;
	default:
		errmsg_set(msg, "cannot listen on '%s': %s", address, strerror(error));
		return err_origin(-error);
	}
}

static int read_port(int fd, uint16_t *ret)
{
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} bound = {.v6 = {0}};
	socklen_t len = sizeof(bound);

	if (getsockname(fd, &bound.any, &len) < 0)
		return -errno;
	*ret = ntohs(bound.any.sa_family == AF_INET6 ? bound.v6.sin6_port : bound.v4.sin_port);
	return 0;
}

int listen_loopback(const char *address, int *ret_fd, uint16_t *ret_port, struct errmsg *msg)
{
	_cleanup_(freeaddrinfop) struct addrinfo *info = NULL;
	_cleanup_(closep) int fd = -1;
	int r, one = 1;

	r = parse(address, &info, msg);
	if (r)
		return r;
	fd = socket(info->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return listen_explain(errno, address, msg);
	/* So that a restart need not wait for old connections; a second listener is still refused. */
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, info->ai_addr, info->ai_addrlen) < 0 || listen(fd, BACKLOG) < 0)
		return listen_explain(errno, address, msg);
	r = read_port(fd, ret_port);
	if (r < 0)
		return listen_explain(-r, address, msg);
	*ret_fd = steal_fd(&fd);
	return 0;
}
