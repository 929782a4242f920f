#include "rpc/address.h"

#include "base/listen.h"

#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#define BACKLOG 1024

static int outcome_of(int r)
{
	switch (r) {
	case LISTEN_E_ADDRESS:
		return RPC_E_ADDRESS;
	case LISTEN_E_IN_USE:
		return RPC_E_IN_USE;
	case LISTEN_E_FORBIDDEN:
		return RPC_E_FORBIDDEN;
	default:
		return r;
	}
}

static int explain_bind(int error, const char *address, struct errmsg *msg)
{
	return outcome_of(listen_explain(error, address, msg));
}

int address_listen_tcp(const char *address, int *ret_fd, uint16_t *ret_port, struct errmsg *msg)
{
	return outcome_of(listen_loopback(address, ret_fd, ret_port, msg));
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
