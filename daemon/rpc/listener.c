#include "rpc/listener.h"

#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "rpc/address.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>

#define RESERVED_FILES 256 /* for everything else that the daemon opens */
#define SWEEP_PAUSE_MS 100
#define SHORTAGE_PAUSE_MS 100
#define WARN_PAUSE_MS 60000

/* A connection that was handed on. Its end is nobody's to report, but a descriptor that is closed, or is another
 * socket by now, can be told by its inode. */
struct connection {
	int fd;
	ino_t inode;
};

struct listener {
	struct listener_config config;
	int tcp;
	int local; /* the unix socket */
	int spare; /* given up to accept and close one connection when there are no descriptors left */
	int wake;
	ino_t local_inode;
	pthread_t thread;
	bool has_thread;
	struct connection *connections;
	uint32_t n_connections;
	uint32_t max_connections;
	int64_t swept_ms;
	int64_t warned_ms;
};

static int64_t now_ms(void)
{
	return clock_monotonic_ms(&clock_system);
}

static void warn_sometimes(struct listener *listener, const char *what)
{
	int64_t now = now_ms();

	if (listener->warned_ms && now - listener->warned_ms < WARN_PAUSE_MS)
		return;
	listener->warned_ms = now;
	log_warning(what, "connections", log_int(listener->n_connections), "limit", log_int(listener->max_connections));
}

/* ---- counting ---- */

static bool is_same_socket(const struct connection *connection)
{
	struct stat stat;

	return fstat(connection->fd, &stat) == 0 && S_ISSOCK(stat.st_mode) && stat.st_ino == connection->inode;
}

/* Forgets what has ended. Only when the table is full, so that it costs next to nothing per connection. */
static void sweep(struct listener *listener)
{
	uint32_t kept = 0;

	listener->swept_ms = now_ms();
	for (uint32_t i = 0; i < listener->n_connections; i++)
		if (is_same_socket(&listener->connections[i]))
			listener->connections[kept++] = listener->connections[i];
	listener->n_connections = kept;
}

static bool admit(struct listener *listener, int fd)
{
	struct stat stat;

	if (listener->n_connections == listener->max_connections && now_ms() - listener->swept_ms >= SWEEP_PAUSE_MS)
		sweep(listener);
	if (listener->n_connections == listener->max_connections || fstat(fd, &stat) < 0)
		return false;
	listener->connections[listener->n_connections++] = (struct connection){.fd = fd, .inode = stat.st_ino};
	return true;
}

/* ---- accepting ---- */

/* Without this a client that cannot be accepted would wait for ever, and poll() would spin on it. */
static void turn_one_away(struct listener *listener, int from)
{
	int fd;

	warn_sometimes(listener, "too few file descriptors to accept a connection");
	closep(&listener->spare);
	listener->spare = -1;
	fd = accept4(from, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	closep(&fd);
	listener->spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

static bool is_shortage(int error)
{
	return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

static void accept_one(struct listener *listener, int from)
{
	int one = 1, fd = accept4(from, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd < 0) {
		if (is_shortage(errno)) {
			turn_one_away(listener, from);
			poll(NULL, 0, SHORTAGE_PAUSE_MS);
		}
		return;
	}
	if (!admit(listener, fd)) {
		warn_sometimes(listener, "too many connections, one more is turned away");
		close(fd);
		return;
	}
	if (from == listener->tcp)
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	listener->config.on_connection(listener->config.userdata, fd);
}

static void *listen_on(void *userdata)
{
	struct listener *listener = userdata;
	struct pollfd polls[] = {{.fd = listener->wake, .events = POLLIN},
				 {.fd = listener->tcp, .events = POLLIN},
				 {.fd = listener->local, .events = POLLIN}};

	pthread_setname_np(pthread_self(), "fg-listener");
	for (;;) {
		if (poll(polls, 3, -1) < 0 && errno != EINTR)
			log_error("waiting for connections failed", "error", log_errno(errno));
		if (polls[0].revents)
			return NULL;
		for (int i = 1; i < 3; i++)
			if (polls[i].fd >= 0 && polls[i].revents)
				accept_one(listener, polls[i].fd);
	}
}

/* ---- life ---- */

static uint32_t count_allowed(uint32_t wanted)
{
	struct rlimit limit;
	rlim_t room;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return wanted;
	room = limit.rlim_cur > 2 * RESERVED_FILES ? limit.rlim_cur - RESERVED_FILES : limit.rlim_cur / 2;
	return room < wanted ? (uint32_t)room : wanted;
}

int listener_open(const struct listener_config *config, struct listener **ret, uint16_t *ret_port, struct errmsg *msg)
{
	_cleanup_(listener_freep) struct listener *listener = calloc(1, sizeof(*listener));
	uint16_t port = 0;
	int r;

	if (!listener)
		return err_origin(-ENOMEM);
	listener->config = *config;
	listener->tcp = listener->local = listener->spare = listener->wake = -1;
	listener->max_connections = count_allowed(config->max_connections);
	listener->connections = calloc(listener->max_connections + 1, sizeof(*listener->connections));
	listener->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	listener->spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (!listener->connections || listener->wake < 0 || listener->spare < 0) {
		errmsg_set(msg, "cannot prepare to listen: %s", strerror(errno));
		return err_origin(-errno);
	}

	r = config->address ? address_listen_tcp(config->address, &listener->tcp, &port, msg) : 0;
	if (r)
		return r;
	r = config->unix_path ? address_listen_unix(config->unix_path, &listener->local, &listener->local_inode, msg)
			      : 0;
	if (r)
		return r;
	*ret_port = port;
	*ret = steal(listener);
	return 0;
}

int listener_start(struct listener *listener)
{
	int r = pthread_create(&listener->thread, NULL, listen_on, listener);

	if (r)
		return err_origin(-r);
	listener->has_thread = true;
	return 0;
}

static void remove_unix_socket(struct listener *listener)
{
	struct stat stat;

	if (lstat(listener->config.unix_path, &stat) == 0 && stat.st_ino == listener->local_inode)
		unlink(listener->config.unix_path);
}

struct listener *listener_free(struct listener *listener)
{
	if (!listener)
		return NULL;
	if (listener->has_thread) {
		eventfd_write(listener->wake, 1);
		pthread_join(listener->thread, NULL);
	}
	closep(&listener->tcp);
	if (listener->local >= 0)
		remove_unix_socket(listener);
	closep(&listener->local);
	closep(&listener->spare);
	closep(&listener->wake);
	free(listener->connections);
	free(listener);
	return NULL;
}

void listener_freep(struct listener **listener)
{
	listener_free(*listener);
}
