#include "web/web.h"

#include "base/listen.h"
#include "base/log.h"
#include "web/server.h"

#include <assert.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/eventfd.h>

struct web {
	struct web_config config;
	struct desk *desk;
	struct server *server;
	pthread_t thread;
	bool has_thread;
	atomic_bool is_stopping;
	int stop_fd;
	struct note draining;
	atomic_bool is_draining;
};

static void on_draining(struct note *note)
{
	struct web *web = (struct web *)((char *)note - offsetof(struct web, draining));

	if (web->server)
		server_drain(web->server);
}

void web_drain(struct web *web)
{
	if (web && !atomic_exchange(&web->is_draining, true))
		desk_post(web->desk, &web->draining);
}

static void *run(void *userdata)
{
	struct web *web = userdata;
	struct pollfd fds[] = {
		{.fd = server_fd(web->server), .events = POLLIN},
		{.fd = desk_fd(web->desk), .events = POLLIN},
		{.fd = web->stop_fd, .events = POLLIN},
	};

	pthread_setname_np(pthread_self(), "fg-web");
	while (!atomic_load(&web->is_stopping)) {
		int64_t wait_ms = server_turn(web->server);

		if (poll(fds, sizeof(fds) / sizeof(fds[0]), wait_ms > INT_MAX ? INT_MAX : (int)wait_ms) < 0)
			assert(errno == EINTR || errno == ENOMEM);
	}
	/* What was answered before the end is said: of an order somebody would wonder whether it was taken. */
	server_turn(web->server);
	return NULL;
}

static int start(struct web *web, int listen_fd)
{
	int r = desk_new(&web->desk);

	if (r < 0) {
		close(listen_fd);
		return r;
	}
	r = server_new(&web->config, web->desk, listen_fd, &web->server);
	if (r < 0)
		return err_trace(r);
	web->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (web->stop_fd < 0)
		return err_origin(-errno);
	r = pthread_create(&web->thread, NULL, run, web);
	if (r != 0)
		return err_origin(-r);
	web->has_thread = true;
	return 0;
}

static void web_freep(struct web **web)
{
	web_free(*web);
}

int web_new(const struct web_config *config, struct web **ret, uint16_t *ret_port, struct errmsg *msg)
{
	_cleanup_(web_freep) struct web *web = calloc(1, sizeof(*web));
	struct errmsg what;
	uint16_t port;
	int r, fd;

	if (!web)
		return err_explain(err_origin(-ENOMEM), "the HTTP server cannot be made", msg);
	web->config = *config;
	web->draining.run = on_draining;
	web->stop_fd = -1;
	r = listen_loopback(config->address, &fd, &port, msg);
	if (r != 0)
		return r;
	r = start(web, fd);
	if (r < 0) {
		errmsg_set(&what, "the HTTP server at '%.100s' cannot be started", config->address);
		return err_explain(r, what.text, msg);
	}
	*ret_port = port;
	*ret = steal(web);
	return 0;
}

struct web *web_free(struct web *web)
{
	if (!web)
		return NULL;
	atomic_store(&web->is_stopping, true);
	if (web->has_thread) {
		if (eventfd_write(web->stop_fd, 1) < 0)
			err_origin(-errno);
		pthread_join(web->thread, NULL);
	}
	/* What the desk still runs finds no server any more. */
	web->server = server_free(web->server);
	if (web->desk)
		desk_close(web->desk);
	desk_unref(web->desk);
	closep(&web->stop_fd);
	free(web);
	return NULL;
}
