#include "http/fixture.h"

#include "base/err.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <time.h>

#define PATIENCE_S 30

struct http *client_new(const struct http_config *config)
{
	static const struct http_config plain = {.user_agent = "filmgate-test", .connect_timeout_ms = 5000};
	struct http *http = NULL;

	assert_int_equal(http_new(config ? config : &plain, &http), 0);
	return http;
}

void waiter_init(struct waiter *waiter)
{
	*waiter = (struct waiter){.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};
}

void on_outcome(struct http_outcome *outcome, void *userdata)
{
	struct waiter *waiter = userdata;

	pthread_mutex_lock(&waiter->lock);
	waiter->calls++;
	waiter->outcome = outcome;
	pthread_cond_broadcast(&waiter->changed);
	pthread_mutex_unlock(&waiter->lock);
}

struct http_outcome *waiter_wait(struct waiter *waiter)
{
	struct http_outcome *outcome;
	struct timespec until;
	int r = 0;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += PATIENCE_S;
	pthread_mutex_lock(&waiter->lock);
	while (!waiter->outcome && r == 0)
		r = pthread_cond_timedwait(&waiter->changed, &waiter->lock, &until);
	outcome = steal(waiter->outcome);
	pthread_mutex_unlock(&waiter->lock);
	assert_non_null(outcome);
	return outcome;
}

void waiter_send(struct waiter *waiter, struct http *http, const struct http_request *request)
{
	waiter_init(waiter);
	assert_int_equal(http_send(http, request, on_outcome, waiter, &waiter->id), 0);
}

struct http_outcome *exchange(struct http *http, const struct http_request *request)
{
	struct waiter waiter;
	struct http_outcome *outcome;

	waiter_send(&waiter, http, request);
	outcome = waiter_wait(&waiter);
	assert_int_equal(waiter.calls, 1);
	return outcome;
}

const char *url_of(const struct server *server, const char *path)
{
	static char texts[8][256];
	static unsigned int next;
	char *text = texts[next++ % 8];

	snprintf(text, sizeof(texts[0]), "http://127.0.0.1:%d%s", server->port, path);
	return text;
}

struct http_request get(const struct server *server)
{
	return (struct http_request){
		.method = "GET",
		.url = url_of(server, "/thing"),
		.flags = HTTP_PRIVATE_NETWORK,
		.timeout_ms = 10000,
	};
}

struct http_request paid_post(const struct server *server)
{
	return (struct http_request){
		.method = "POST",
		.url = url_of(server, "/v3/videos"),
		.body = bytes_of_text("{\"a\":\"b c\"}"),
		.flags = HTTP_PRIVATE_NETWORK | HTTP_ONCE,
		.timeout_ms = 10000,
	};
}

void assert_kind(const struct http_outcome *outcome, enum http_kind kind)
{
	if (outcome->kind != kind)
		fail_msg("'%s' instead of '%s': %s", http_kind_name(outcome->kind), http_kind_name(kind),
			 outcome->message);
	assert_int_equal(outcome->error == 0, kind == HTTP_REPLY);
	assert_int_equal(outcome->message[0] == '\0', kind == HTTP_REPLY);
	if (kind == HTTP_REPLY || kind == HTTP_AMBIGUOUS)
		assert_true(outcome->may_have_left);
	if (kind == HTTP_NOT_SENT || kind == HTTP_ADDRESS_REFUSED || kind == HTTP_INVALID)
		assert_false(outcome->may_have_left);
}

void assert_reply(const struct http_outcome *outcome, int status, const char *body)
{
	assert_kind(outcome, HTTP_REPLY);
	assert_int_equal(outcome->status, status);
	assert_int_equal(outcome->body.len, strlen(body));
	if (outcome->body.len)
		assert_memory_equal(outcome->body.data, body, outcome->body.len);
	assert_false(outcome->is_in_file);
}

int new_file(void)
{
	int fd = memfd_create("download", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	assert_true(fd >= 0);
	return fd;
}

void assert_file(int fd, const char *content)
{
	char data[4096] = "";
	ssize_t n = pread(fd, data, sizeof(data) - 1, 0);

	assert_int_equal(n, strlen(content));
	assert_string_equal(data, content);
}
