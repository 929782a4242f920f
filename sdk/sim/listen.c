#include "sim/listen.h"

#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

static void addrinfo_freep(struct addrinfo **info)
{
	if (*info)
		freeaddrinfo(*info);
}

/* Splits at the last colon; brackets around an IPv6 host are dropped. */
static int split(const char *address, char *host, size_t host_size, const char **ret_port)
{
	const char *colon = strrchr(address, ':');
	size_t len;

	if (!colon || colon == address || !colon[1])
		return -EINVAL;
	len = (size_t)(colon - address);
	if (address[0] == '[' && address[len - 1] == ']') {
		address++;
		len -= 2;
	}
	if (len == 0 || len >= host_size)
		return -EINVAL;
	memcpy(host, address, len);
	host[len] = '\0';

	*ret_port = colon + 1;
	return 0;
}

static int open_socket(const struct addrinfo *info, int *ret_fd)
{
	_cleanup_(closep) int fd = -1;
	int on = 1;

	fd = socket(info->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return err_origin(-errno);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, info->ai_addr, info->ai_addrlen) < 0 || listen(fd, 1024) < 0)
		return err_origin(-errno);

	*ret_fd = steal_fd(&fd);
	return 0;
}

static int name_of(int fd, char url[static SIM_URL_SIZE])
{
	struct sockaddr_storage name;
	socklen_t len = sizeof(name);
	char host[64], port[8];

	if (getsockname(fd, (struct sockaddr *)&name, &len) < 0)
		return err_origin(-errno);
	if (getnameinfo((struct sockaddr *)&name, len, host, sizeof(host), port, sizeof(port),
			NI_NUMERICHOST | NI_NUMERICSERV) != 0)
		return err_origin(-EINVAL);
	snprintf(url, SIM_URL_SIZE, strchr(host, ':') ? "http://[%s]:%s" : "http://%s:%s", host, port);
	return 0;
}

int sim_listen(const char *address, struct errmsg *msg, char ret_url[static SIM_URL_SIZE], int *ret_fd)
{
	struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE, .ai_socktype = SOCK_STREAM};
	_cleanup_(addrinfo_freep) struct addrinfo *info = NULL;
	_cleanup_(closep) int fd = -1;
	const char *port;
	char host[64];
	int r;

	if (split(address, host, sizeof(host), &port) < 0 || getaddrinfo(host, port, &hints, &info) != 0) {
		errmsg_set(msg, "'%s' is not a numeric HOST:PORT, such as 127.0.0.1:0", address);
		return SIM_LISTEN_E_REFUSED;
	}
	r = open_socket(info, &fd);
	if (r < 0) {
		errmsg_set(msg, "cannot listen on '%s': %s; choose another port, or 0 for a free one", address,
			   strerror(-r));
		return SIM_LISTEN_E_REFUSED;
	}
	r = name_of(fd, ret_url);
	if (r < 0)
		return err_trace(r);

	*ret_fd = steal_fd(&fd);
	return 0;
}
