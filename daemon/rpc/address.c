#include "rpc/address.h"

#include <netdb.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

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
		return RPC_E_ADDRESS;
	}
	number = strtoul(port, &end, 10);
	if (*port < '0' || *port > '9' || *end || number > 65535) {
		errmsg_set(msg, "'%s': '%s' is not a port; it is a number from 0 to 65535", address, port);
		return RPC_E_ADDRESS;
	}
	if (strcmp(host, "localhost") != 0)
		hints.ai_flags |= AI_NUMERICHOST;
	if (getaddrinfo(strcmp(host, "localhost") == 0 ? "127.0.0.1" : host, port, &hints, &info) != 0) {
		errmsg_set(msg, "'%s': '%s' is not an IP address or localhost", address, host);
		return RPC_E_ADDRESS;
	}
	if (!is_loopback(info->ai_addr)) {
		errmsg_set(msg,
			   "'%s' is not a loopback address: there is no access control yet, so the door is "
			   "open only to this machine",
			   address);
		return RPC_E_ADDRESS;
	}
	*ret = steal(info);
	return 0;
}

static int explain_bind(int error, const char *address, struct errmsg *msg)
{
	switch (error) {
	case EADDRINUSE:
		errmsg_set(msg, "'%s' is in use by another process; stop it or choose another one", address);
		return RPC_E_IN_USE;
	case EACCES:
	case EPERM:
		errmsg_set(msg,
			   "no permission to listen on '%s': %s; give it to the daemon's user or choose another one",
			   address, strerror(error));
		return RPC_E_FORBIDDEN;
	case EADDRNOTAVAIL:
		errmsg_set(msg, "'%s' is not an address of this machine; choose another one", address);
		return RPC_E_ADDRESS;
	case ENOENT:
	case ENOTDIR:
		errmsg_set(msg, "cannot listen on '%s': %s; make its folder, or choose another path", address,
			   strerror(error));
		return RPC_E_ADDRESS;
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

int address_listen_tcp(const char *address, int *ret_fd, uint16_t *ret_port, struct errmsg *msg)
{
	_cleanup_(freeaddrinfop) struct addrinfo *info = NULL;
	_cleanup_(closep) int fd = -1;
	int r, one = 1;

	r = parse(address, &info, msg);
	if (r)
		return r;
	fd = socket(info->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return explain_bind(errno, address, msg);
	/* So that a restart need not wait for old connections; a second listener is still refused. */
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, info->ai_addr, info->ai_addrlen) < 0 || listen(fd, BACKLOG) < 0)
		return explain_bind(errno, address, msg);
	r = read_port(fd, ret_port);
	if (r < 0)
		return explain_bind(-r, address, msg);
	*ret_fd = steal_fd(&fd);
	return 0;
}

/* 0 when the path is free now. */
static int clear_path(const struct sockaddr_un *address, struct errmsg *msg)
{
	_cleanup_(closep) int fd = -1;
	struct stat stat;

	if (lstat(address->sun_path, &stat) < 0)
		return errno == ENOENT ? 0 : explain_bind(errno, address->sun_path, msg);
	if (!S_ISSOCK(stat.st_mode)) {
		errmsg_set(msg, "'%s' exists and is not a socket; move it away or choose another path",
			   address->sun_path);
		return RPC_E_IN_USE;
	}
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return explain_bind(errno, address->sun_path, msg);
	if (connect(fd, (const struct sockaddr *)address, sizeof(*address)) == 0 || errno != ECONNREFUSED)
		return explain_bind(EADDRINUSE, address->sun_path, msg);
	return unlink(address->sun_path) < 0 ? explain_bind(errno, address->sun_path, msg) : 0;
}

int address_listen_unix(const char *path, int *ret_fd, ino_t *ret_inode, struct errmsg *msg)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	_cleanup_(closep) int fd = -1;
	struct stat stat;
	int r;

	if (strlen(path) == 0 || strlen(path) >= sizeof(address.sun_path)) {
		errmsg_set(msg, "'%s' cannot be a socket: its path has %zu bytes, 1 to %zu are possible", path,
			   strlen(path), sizeof(address.sun_path) - 1);
		return RPC_E_ADDRESS;
	}
	memcpy(address.sun_path, path, strlen(path) + 1);
	r = clear_path(&address, msg);
	if (r)
		return r;

	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return explain_bind(errno, path, msg);
	/* Before bind(): the file takes the socket's mode and is never open to others, whatever the umask. */
	if (fchmod(fd, 0600) < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
	    listen(fd, BACKLOG) < 0 || lstat(path, &stat) < 0)
		return explain_bind(errno, path, msg);
	*ret_inode = stat.st_ino;
	*ret_fd = steal_fd(&fd);
	return 0;
}
