#include "sim/post.h"

#include "base/err.h"

#include <netdb.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#define PATIENCE_MS 10000

struct sim_post {
	struct sim_loop *loop;
	struct sim_watch watch;
	struct sim_timer timer;
	struct buffer out;
	size_t sent;
	char in[64]; /* the status line is all that counts */
	size_t received;
	sim_post_fn *fn;
	void *userdata;
};

struct sim_post *sim_post_free(struct sim_post *post)
{
	if (!post)
		return NULL;
	sim_loop_forget(post->loop, &post->timer);
	sim_loop_unwatch(post->loop, &post->watch);
	if (post->watch.fd >= 0)
		close(post->watch.fd);
	buffer_finish(&post->out);
	free(post);
	return NULL;
}

static void end(struct sim_post *take)
{
	sim_post_fn *fn = take->fn;
	void *userdata = take->userdata;
	int status = 0;

	take->in[take->received] = '\0';
	if (take->received >= 12 && strncmp(take->in, "HTTP/1.", 7) == 0)
		status = (int)strtol(take->in + 9, NULL, 10);
	sim_post_free(take);
	fn(userdata, status);
}

static void on_late(void *userdata)
{
	end(userdata);
}

/* False: it is over. */
static bool send_more(struct sim_post *post)
{
	while (post->sent < post->out.len) {
		ssize_t n = send(post->watch.fd, post->out.data + post->sent, post->out.len - post->sent, MSG_NOSIGNAL);

		if (n < 0)
			return errno == EAGAIN || errno == EINTR;
		post->sent += (size_t)n;
	}
	return sim_loop_rewatch(post->loop, &post->watch, EPOLLIN) == 0;
}

static void on_ready(void *userdata, uint32_t events)
{
	struct sim_post *post = userdata;
	ssize_t n;

	if (events & (EPOLLERR | EPOLLHUP) && !(events & EPOLLIN)) {
		end(post);
		return;
	}
	if (events & EPOLLOUT && post->sent < post->out.len) {
		if (!send_more(post))
			end(post);
		return;
	}
	n = recv(post->watch.fd, post->in + post->received, sizeof(post->in) - 1 - post->received, 0);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n > 0)
		post->received += (size_t)n;
	if (n <= 0 || post->received >= 12)
		end(post);
}

static int connect_to(const char *host, const char *port, int *ret)
{
	const struct addrinfo hints = {
		.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV};
	struct addrinfo *found;
	int fd, r = 0;

	if (getaddrinfo(strcmp(host, "localhost") == 0 ? "127.0.0.1" : host, port, &hints, &found) != 0)
		return -EINVAL;
	fd = socket(found->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0 || (connect(fd, found->ai_addr, found->ai_addrlen) < 0 && errno != EINPROGRESS))
		r = -errno;
	freeaddrinfo(found);
	if (r < 0 && fd >= 0)
		close(fd);
	*ret = fd;
	return r;
}

/* "http://host:port/path", "http://[::1]:port/path" */
static int take_apart(const char *url, char host[static 64], char port[static 8], const char **ret_path)
{
	const char *at = url + strlen("http://"), *path, *colon;
	size_t len;

	if (strncmp(url, "http://", strlen("http://")) != 0)
		return -EPROTONOSUPPORT;
	path = at + strcspn(at, "/");
	for (colon = path; colon > at && *colon != ':' && *colon != ']';)
		colon--;
	len = *colon == ':' ? (size_t)(colon - at) : (size_t)(path - at);
	if (*colon == ':' && path - colon - 1 < 8)
		snprintf(port, 8, "%.*s", (int)(path - colon - 1), colon + 1);
	else
		snprintf(port, 8, "80");
	if (*at == '[') {
		at++;
		len -= 2;
	}
	if (len == 0 || len >= 64)
		return -EINVAL;
	snprintf(host, 64, "%.*s", (int)len, at);
	*ret_path = *path ? path : "/";
	return 0;
}

int sim_post_new(struct sim_loop *loop, const char *url, const char *headers, struct bytes body, sim_post_fn *fn,
		 void *userdata, struct sim_post **ret)
{
	struct sim_post *post;
	char host[64], port[8];
	const char *path;
	int fd = -1, r = take_apart(url, host, port, &path);

	r = r ? r : connect_to(host, port, &fd);
	if (r < 0)
		return r;
	post = calloc(1, sizeof(*post));
	if (!post) {
		close(fd);
		return err_origin(-ENOMEM);
	}
	*post = (struct sim_post){.loop = loop,
				  .watch = {.fn = on_ready, .userdata = post, .fd = fd},
				  .timer = {.fn = on_late, .userdata = post},
				  .fn = fn,
				  .userdata = userdata};
	r = buffer_printf(&post->out,
			  "POST %s HTTP/1.1\r\nHost: %s:%s\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n"
			  "Connection: close\r\n%s\r\n",
			  path, host, port, body.len, headers);
	r = r ? r : buffer_append(&post->out, body.data, body.len);
	r = r ? r : sim_loop_watch(loop, &post->watch, fd, EPOLLOUT);
	if (r < 0) {
		sim_post_free(post);
		return r;
	}
	sim_loop_after(loop, &post->timer, PATIENCE_MS);
	*ret = post;
	return 0;
}
