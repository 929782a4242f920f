/*
 * The HTTP door from outside, through sockets, in front of an engine that does as it is told. The clock stands still
 * unless a test moves it; the door looks at it with each request that comes.
 */
#include "web/web.h"

#include "base/limits.h"
#include "web/fake_engine.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>
#include <cmocka.h>

static atomic_int_fast64_t clock_ms;

static int64_t read_clock(void *userdata)
{
	(void)userdata;
	return atomic_load(&clock_ms);
}

static const struct clock test_clock = {.utc_ms = read_clock, .monotonic_ms = read_clock};

#define CONNECTIONS 64
#define REPLY_BYTES 16384 /* one page of metrics, and not two */

#define PER_SECOND 1000

struct door {
	struct web *web;
	uint16_t port;
};

static void open_door(struct door *door)
{
	struct web_config config = {.clock = &test_clock,
				    .address = "127.0.0.1:0",
				    .version = "1.2.3",
				    .started_ms = 1500,
				    .max_connections = CONNECTIONS,
				    .max_reply_bytes = REPLY_BYTES,
				    .requests_per_s = PER_SECOND};
	struct errmsg msg;

	assert_int_equal(web_new(&config, &door->web, &door->port, &msg), 0);
}

static int set_up(void **state)
{
	static struct door door;

	atomic_store(&clock_ms, 1000000);
	fake_reset();
	open_door(&door);
	*state = &door;
	return 0;
}

static int tear_down(void **state)
{
	struct door *door = *state;

	door->web = web_free(door->web);
	fake_release();
	return 0;
}

/* ---- a client ---- */

static int dial(const struct door *door)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET, .sin_port = htons(door->port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct timeval patience = {.tv_sec = 20};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

static void say(int fd, const char *text)
{
	size_t len = strlen(text);

	assert_int_equal(send(fd, text, len, MSG_NOSIGNAL), len);
}

/* Everything until the server closes; the test fails when it does not. */
static const char *hear(int fd)
{
	static char text[1 << 20];
	size_t len = 0;
	ssize_t n;

	while ((n = recv(fd, text + len, sizeof(text) - 1 - len, 0)) > 0)
		len += (size_t)n;
	if (n < 0)
		assert_int_equal(errno, ECONNRESET);
	text[len] = '\0';
	close(fd);
	return text;
}

static const char *ask(const struct door *door, const char *request)
{
	int fd = dial(door);

	say(fd, request);
	return hear(fd);
}

#define GET(path) "GET " path " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"

static void assert_begins(const char *text, const char *beginning)
{
	if (strncmp(text, beginning, strlen(beginning)) != 0)
		fail_msg("'%.200s' does not begin with '%s'", text, beginning);
}

static void assert_ends(const char *text, const char *end)
{
	size_t len = strlen(text), n = strlen(end);

	if (len < n || strcmp(text + len - n, end) != 0)
		fail_msg("'%.400s' does not end with '%s'", text, end);
}

static void assert_refused(const struct door *door, const char *request, const char *status)
{
	assert_begins(ask(door, request), status);
	/* And it goes on with others. */
	assert_begins(ask(door, GET("/livez")), "HTTP/1.1 200 ");
}

/* ---- the pages ---- */

static void who_lives_and_is_ready_says_so(void **state)
{
	const char *reply = ask(*state, GET("/livez"));

	assert_begins(reply, "HTTP/1.1 200 OK\r\n");
	assert_ends(reply, "\r\n\r\nok\n");
	assert_non_null(strstr(reply, "Cache-Control: no-store\r\n"));
	assert_ends(ask(*state, GET("/readyz?verbose")), "\r\n\r\nok\n");
}

static void who_is_not_ready_says_why_and_lives(void **state)
{
	const char *reply;

	fake_health((struct engine_health){.is_draining = true});
	reply = ask(*state, GET("/readyz"));
	assert_begins(reply, "HTTP/1.1 503 ");
	assert_ends(reply, "\r\n\r\ndraining: the daemon is shutting down\n");
	fake_health((struct engine_health){.is_store_unhealthy = true, .is_queue_full = true});
	reply = ask(*state, GET("/readyz"));
	assert_begins(reply, "HTTP/1.1 503 ");
	assert_non_null(strstr(reply, "\r\n\r\nstore: a write failed"));
	assert_ends(reply, "\nqueue: as many jobs wait as limits.queued_jobs allows\n");
	assert_begins(ask(*state, GET("/livez")), "HTTP/1.1 200 ");
}

static void metrics_come_as_prometheus_wants_them(void **state)
{
	const char *reply = ask(*state, GET("/metrics"));

	assert_begins(reply, "HTTP/1.1 200 OK\r\n");
	assert_non_null(strstr(reply, "Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n"));
	assert_non_null(strstr(reply, "\nfilmgate_build_info{version=\"1.2.3\"} 1\n"));
	assert_non_null(strstr(reply, "\nprocess_start_time_seconds 1.5\n"));
	assert_non_null(strstr(reply, "\nfilmgate_jobs{provider=\"maker\",state=\"open\"} 0\n"));
	assert_non_null(strstr(reply, "\nfilmgate_jobs{provider=\"_unconfigured\",state=\"open\"} 0\n"));
	/* The queue could not be read: nothing is said of it. */
	assert_null(strstr(reply, "filmgate_queue_oldest_seconds"));
	assert_non_null(strstr(reply, "\nprocess_open_fds "));
}

static void head_has_everything_but_the_body(void **state)
{
	const char *reply = ask(*state, "HEAD /livez HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");

	assert_begins(reply, "HTTP/1.1 200 OK\r\n");
	assert_non_null(strstr(reply, "Content-Length: 3\r\n"));
	assert_ends(reply, "\r\n\r\n");
}

/* ---- what is refused ---- */

static void the_page_says_what_it_may_load(void **state)
{
	const char *reply = ask(*state, GET("/"));
	const char *policy;

	assert_begins(reply, "HTTP/1.1 200 ");
	assert_non_null(strstr(reply, "\r\nContent-Type: text/html; charset=utf-8\r\n"));
	policy = strstr(reply,
			"\r\nContent-Security-Policy: default-src 'none'; script-src 'self'; style-src 'self'; ");
	assert_non_null(policy);
	assert_null(strstr(policy + 2, "\r\nContent-Security-Policy"));
	assert_non_null(strstr(reply, "\r\nX-Frame-Options: DENY\r\n"));
	assert_non_null(strstr(reply, "<title>Filmgate</title>"));
	assert_non_null(
		strstr(ask(*state, GET("/livez")), "Content-Security-Policy: default-src 'none'; frame-ancestors"));
}

static void the_page_is_sent_once(void **state)
{
	char request[256], etag[96] = "";
	const char *reply = ask(*state, "GET /ui/app.js HTTP/1.1\r\nHost: localhost\r\nAccept-Encoding: gzip, br\r\n"
					"Connection: close\r\n\r\n");

	assert_begins(reply, "HTTP/1.1 200 ");
	assert_non_null(strstr(reply, "\r\nContent-Encoding: gzip\r\n"));
	assert_non_null(strstr(reply, "\r\nVary: Accept-Encoding\r\n"));
	assert_int_equal(sscanf(strstr(reply, "\r\nETag: "), "\r\nETag: %95s", etag), 1);
	snprintf(request, sizeof(request),
		 "GET /ui/app.js HTTP/1.1\r\nHost: localhost\r\nAccept-Encoding: gzip\r\nIf-None-Match: %s\r\n"
		 "Connection: close\r\n\r\n",
		 etag);
	assert_begins(ask(*state, request), "HTTP/1.1 304 ");
	/* Plain bytes are others, and have another mark. */
	reply = ask(*state, GET("/ui/app.js"));
	assert_null(strstr(reply, "Content-Encoding"));
	assert_null(strstr(reply, etag));
	assert_non_null(strstr(reply, "\r\nContent-Type: text/javascript; charset=utf-8\r\n"));
	assert_non_null(strstr(reply, "import { html"));
}

static void what_is_not_there_is_named(void **state)
{
	const char *reply = ask(*state, GET("/live%00z\x1b"));

	assert_begins(reply, "HTTP/1.1 404 ");
	assert_non_null(strstr(reply, "there is no '/live%00z\\x1b' here, but /, /livez, /readyz, /metrics"));
	assert_refused(*state, GET("/ui/"), "HTTP/1.1 404 ");
	assert_refused(*state, GET("/ui/vendor/LICENSE.htm"), "HTTP/1.1 404 ");
	assert_refused(*state, GET("//livez"), "HTTP/1.1 404 ");
}

static void other_methods_are_told_which_to_use(void **state)
{
	const char *reply = ask(*state, "POST /livez HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc");

	assert_begins(reply, "HTTP/1.1 405 ");
	assert_non_null(strstr(reply, "Allow: GET, HEAD\r\n"));
	assert_refused(*state, "DELETE /metrics HTTP/1.1\r\nHost: a\r\n\r\n", "HTTP/1.1 405 ");
	assert_refused(*state, "x\x1b[2J /metrics HTTP/1.1\r\nHost: a\r\n\r\n", "HTTP/1.1 405 ");
}

static void two_readers_could_not_disagree(void **state)
{
	assert_refused(*state, "GET /livez HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", "HTTP/1.1 400 ");
	assert_refused(*state, "GET /livez HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nContent-Length: 5\r\n\r\n",
		       "HTTP/1.1 400 ");
	assert_refused(*state, "GET /livez HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nabcd", "HTTP/1.1 400 ");
	assert_refused(*state, "GET /livez HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		       "HTTP/1.1 400 ");
	assert_refused(*state, "GET /livez HTTP/1.1\r\n\r\n", "HTTP/1.1 400 ");
}

static void headers_that_only_some_readers_know_are_refused(void **state)
{
	static const char *const headers[] = {
		"Content-Length : 50",
		"Transfer-Encoding : chunked",
		"Transfer-Encoding\t: chunked",
		"X: a\rContent-Length: 50",
		"X: a\x0b",
		"X: a\x7f",
		"X\x80: a",
		"X(y): a",
	};
	char request[512];

	for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
		const char *reply;

		snprintf(request, sizeof(request), "GET /livez HTTP/1.1\r\nHost: a\r\n%s\r\n\r\n%s", headers[i],
			 GET("/livez"));
		reply = ask(*state, request);
		if (strncmp(reply, "HTTP/1.1 400 ", 13) != 0 || strstr(reply, "HTTP/1.1 200 "))
			fail_msg("'%s' is answered with: %s", headers[i], reply);
	}
	assert_refused(*state,
		       "POST /filmgate.v1.A/B HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		       "HTTP/1.1 400 ");
	assert_begins(
		ask(*state,
		    "GET /livez HTTP/1.1\r\nHost: a\r\nConnection: close\r\nX!#$%&'*+-.^_`|~9: \ta \xc3\xa4\r\n\r\n"),
		"HTTP/1.1 200 ");
}

/* A page whose name was turned to this address would read what was spent. */
static void figures_are_for_this_machine(void **state)
{
	assert_refused(*state, "GET /metrics HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n",
		       "HTTP/1.1 403 ");
	assert_refused(*state,
		       "GET /metrics HTTP/1.1\r\nHost: localhost\r\nOrigin: https://evil.example\r\nConnection: "
		       "close\r\n\r\n",
		       "HTTP/1.1 403 ");
	assert_begins(ask(*state, "GET /livez HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n"),
		      "HTTP/1.1 200 ");
}

#define FROM(address, path) \
	"GET " path " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nX-Forwarded-For: " address "\r\n\r\n"

/* The clock stands still, so after a second's worth nothing is left; others have theirs. */
static void who_asks_too_often_is_told_when_to_come_back(void **state)
{
	const char *reply;

	for (size_t i = 0; i < PER_SECOND; i++)
		assert_begins(ask(*state, FROM("203.0.113.7", "/v1/artifacts/x")), "HTTP/1.1 404 ");
	reply = ask(*state, FROM("203.0.113.7", "/v1/artifacts/x"));
	assert_begins(reply, "HTTP/1.1 429 ");
	assert_non_null(strstr(reply, "\r\nRetry-After: 1\r\n"));
	assert_non_null(strstr(reply, "203.0.113.7 may ask 1000 times a second: try again in 1 ms"));
	/* What it says of itself, before the proxy's word, is not believed. */
	assert_begins(ask(*state, FROM("203.0.113.8, 203.0.113.7", "/v1/artifacts/x")), "HTTP/1.1 429 ");
	assert_begins(ask(*state, FROM("203.0.113.8\r\nX-Forwarded-For: 203.0.113.7", "/v1/artifacts/x")),
		      "HTTP/1.1 429 ");
	assert_begins(ask(*state, FROM("203.0.113.7", "/v1/links/x")), "HTTP/1.1 429 ");
	assert_begins(ask(*state, FROM("203.0.113.7", "/livez")), "HTTP/1.1 200 ");
	assert_begins(ask(*state, FROM("203.0.113.8", "/v1/artifacts/x")), "HTTP/1.1 404 ");
	assert_begins(ask(*state, GET("/v1/artifacts/x")), "HTTP/1.1 404 ");
	atomic_fetch_add(&clock_ms, 1);
	assert_begins(ask(*state, FROM("203.0.113.7", "/v1/artifacts/x")), "HTTP/1.1 404 ");
	assert_begins(ask(*state, FROM("203.0.113.7", "/v1/artifacts/x")), "HTTP/1.1 429 ");
}

static void huge_heads_are_refused(void **state)
{
	static char request[8 * LIMIT_WEB_HEAD];
	size_t n = (size_t)snprintf(request, sizeof(request), "GET /livez HTTP/1.1\r\nHost: a\r\nX: ");

	memset(request + n, 'x', 2 * LIMIT_WEB_HEAD);
	snprintf(request + n + 2 * LIMIT_WEB_HEAD, 16, "\r\n\r\n");
	assert_begins(ask(*state, request), "HTTP/1.1 431 ");
	n = (size_t)snprintf(request, sizeof(request), "GET /");
	memset(request + n, 'x', 2 * LIMIT_WEB_HEAD);
	snprintf(request + n + 2 * LIMIT_WEB_HEAD, 32, " HTTP/1.1\r\nHost: a\r\n\r\n");
	assert_begins(ask(*state, request), "HTTP/1.1 414 ");
	/* Around the limit, too, somebody answers. */
	for (size_t len = LIMIT_WEB_HEAD / 2; len < LIMIT_WEB_POOL - LIMIT_WEB_HEAD / 4; len += 331) {
		n = (size_t)snprintf(request, sizeof(request),
				     "GET /livez HTTP/1.1\r\nHost: a\r\nConnection: close\r\nX: ");
		memset(request + n, 'x', len);
		snprintf(request + n + len, 16, "\r\n\r\n");
		assert_begins(ask(*state, request), len < LIMIT_WEB_HEAD - 500 ? "HTTP/1.1 200 " : "HTTP/1.1 ");
	}
	assert_begins(ask(*state, GET("/livez")), "HTTP/1.1 200 ");
}

/* ---- time ---- */

static void an_engine_that_does_not_answer_is_not_alive(void **state)
{
	static const char *const requests[] = {GET("/livez"), GET("/readyz"), GET("/metrics")};
	int fds[3];

	fake_hold();
	for (size_t i = 0; i < 3; i++) {
		fds[i] = dial(*state);
		say(fds[i], requests[i]);
	}
	fake_await(3);
	atomic_fetch_add(&clock_ms, LIMIT_WEB_ANSWER_MS);
	/* Who asks for what is not there is answered meanwhile. */
	assert_begins(ask(*state, GET("/x")), "HTTP/1.1 404 ");
	for (size_t i = 0; i < 3; i++) {
		const char *reply = hear(fds[i]);

		assert_begins(reply, "HTTP/1.1 503 ");
		assert_ends(reply, "\r\n\r\nengine: it did not answer within 5 seconds\n");
	}
	/* What it says afterwards reaches nobody, and the next are answered. */
	fake_release();
	assert_begins(ask(*state, GET("/livez")), "HTTP/1.1 200 ");
}

static void an_answer_may_come_when_everybody_has_gone(void **state)
{
	struct door *door = *state;
	int fd;

	fake_hold();
	fd = dial(door);
	say(fd, GET("/metrics"));
	fake_await(1);
	door->web = web_free(door->web);
	assert_string_equal(hear(fd), "");
	fake_release();
}

/* The last answers are posted while the door is told to close. */
static void what_was_answered_before_the_end_is_said(void **state)
{
	struct door *door = *state;

	for (int i = 0; i < 20; i++) {
		int fd;

		fake_hold();
		fd = dial(door);
		say(fd, GET("/livez"));
		fake_await(1);
		fake_release();
		door->web = web_free(door->web);
		assert_begins(hear(fd), "HTTP/1.1 200 ");
		tear_down(state);
		set_up(state);
	}
}

static void it_may_end_before_it_was_heard_that_it_drains(void **state)
{
	struct door *door = *state;

	for (int i = 0; i < 50; i++) {
		web_drain(door->web);
		door->web = web_free(door->web);
		open_door(door);
	}
}

static void whoever_dawdles_is_shown_out(void **state)
{
	int silent = dial(*state), slow = dial(*state), idle = dial(*state);
	char reply[1024];
	ssize_t n;

	say(slow, "GET /livez HTT");
	say(idle, "GET /livez HTTP/1.1\r\nHost: a\r\n\r\n");
	n = recv(idle, reply, sizeof(reply) - 1, 0);
	assert_true(n > 0);
	assert_begins(reply, "HTTP/1.1 200 ");
	/* By the end of the next the door knows that this one is over. */
	assert_begins(ask(*state, GET("/livez")), "HTTP/1.1 200 ");
	atomic_fetch_add(&clock_ms, LIMIT_WEB_REQUEST_MS - 1);
	assert_begins(ask(*state, GET("/livez")), "HTTP/1.1 200 ");
	/* A byte now and then buys no time. */
	say(slow, "P");
	atomic_fetch_add(&clock_ms, 1);
	assert_begins(ask(*state, GET("/livez")), "HTTP/1.1 200 ");
	assert_string_equal(hear(silent), "");
	assert_string_equal(hear(slow), "");
	assert_string_equal(hear(idle), "");
}

static void many_connections_cost_no_more_than_the_limit(void **state)
{
	int fds[CONNECTIONS];
	const struct door *door = *state;
	int late;

	for (size_t i = 0; i < CONNECTIONS; i++)
		fds[i] = dial(door);
	/* The last of them is served; one more waits, or is turned away. */
	say(fds[CONNECTIONS - 1], GET("/livez"));
	assert_begins(hear(fds[CONNECTIONS - 1]), "HTTP/1.1 200 ");
	fds[CONNECTIONS - 1] = dial(door);
	say(fds[CONNECTIONS - 1], "GET");
	late = dial(door);
	for (size_t i = 0; i < CONNECTIONS; i++)
		close(fds[i]);
	close(late);
	assert_begins(ask(door, GET("/livez")), "HTTP/1.1 200 ");
}

static bool metrics_come(const struct door *door)
{
	return strncmp(ask(door, GET("/metrics")), "HTTP/1.1 503 ", 13) != 0;
}

/* POST @path with @announced bytes, of which @sent are sent. */
static int begin_post(const struct door *door, const char *path, size_t announced, size_t sent)
{
	static char zeros[1 << 20];
	char head[256];
	int fd = dial(door);

	snprintf(head, sizeof(head),
		 "POST %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\n"
		 "Content-Length: %zu\r\n\r\n",
		 path, announced);
	say(fd, head);
	while (sent > 0) {
		ssize_t n = send(fd, zeros, sent < sizeof(zeros) ? sent : sizeof(zeros), MSG_NOSIGNAL);

		assert_true(n > 0);
		sent -= (size_t)n;
	}
	return fd;
}

static void files_that_come_slowly_keep_nobody_from_asking(void **state)
{
	enum { FORMS = LIMIT_WEB_FORMS / LIMIT_WEB_FORM };
	int fds[FORMS], fd;

	for (int i = 0; i < FORMS; i++)
		fds[i] = begin_post(*state, "/v1/assets", LIMIT_WEB_FORM, LIMIT_WEB_FORM - 1);
	/* Another file has no room, once all that was sent has been read; before that, its name is refused. */
	do {
		usleep(50000);
		fd = begin_post(*state, "/v1/assets?name=%zz", 65536, 65536);
	} while (strstr(hear(fd), "HTTP/1.1 400 ") != NULL);
	fd = begin_post(*state, "/v1/assets", 65536, 65536);
	assert_begins(hear(fd), "HTTP/1.1 503 ");
	fd = begin_post(*state, "/filmgate.v1.JobService/None", 65536, 65536);
	assert_begins(hear(fd), "HTTP/1.1 404 ");
	for (int i = 0; i < FORMS; i++)
		close(fds[i]);
}

static void replies_that_nobody_reads_are_few(void **state)
{
	const char *request = "GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n";
	int small = 4096, fd = dial(*state), tries = 0;

	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	/* What the kernel takes for a client that does not read is not the door's. */
	while (metrics_come(*state)) {
		assert_true(tries++ < 200);
		for (int i = 0; i < 50; i++)
			if (send(fd, request, strlen(request), MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
				break;
	}
	assert_begins(ask(*state, GET("/livez")), "HTTP/1.1 200 ");
	close(fd);
	for (tries = 0; !metrics_come(*state); tries++)
		assert_true(tries < 1000);
}

static void requests_on_one_connection_are_answered_in_turn(void **state)
{
	const char *reply = ask(*state, "GET /livez HTTP/1.1\r\nHost: a\r\n\r\n"
					"HEAD /readyz HTTP/1.1\r\nHost: a\r\n\r\n" GET("/metrics"));
	const char *second = strstr(reply, "\r\n\r\nok\nHTTP/1.1 200 OK\r\n");

	assert_begins(reply, "HTTP/1.1 200 OK\r\n");
	assert_non_null(second);
	assert_non_null(strstr(second + 20, "version=0.0.4"));
}

static void an_address_that_is_taken_is_named(void **state)
{
	const struct door *door = *state;
	char address[32];
	struct web_config config = {.clock = &test_clock, .address = address, .version = "1"};
	struct errmsg msg = {""};
	struct web *web = NULL;
	uint16_t port;

	snprintf(address, sizeof(address), "127.0.0.1:%u", door->port);
	assert_true(web_new(&config, &web, &port, &msg) > 0);
	assert_null(web);
	assert_non_null(strstr(msg.text, address));
	assert_non_null(strstr(msg.text, "is in use by another process; stop it or choose another one"));
}

/* Descriptors run out at one call after the other: of the socket, of the engine's answers, of the library. */
static void what_keeps_it_from_starting_is_said(void **state)
{
	struct web_config config = {.clock = &test_clock, .address = "127.0.0.1:0", .version = "1"};
	int first = open("/dev/null", O_RDONLY | O_CLOEXEC), r = -1, failures = 0;
	struct rlimit before, limit;
	struct web *web = NULL;
	uint16_t port;

	(void)state;
	assert_true(first >= 0);
	close(first);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	for (limit = before, limit.rlim_cur = (rlim_t)first; r != 0 && failures < 20; limit.rlim_cur++) {
		struct errmsg msg = {""};

		assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
		r = web_new(&config, &web, &port, &msg);
		assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
		if (r == 0)
			break;
		assert_int_equal(r, -EMFILE);
		assert_null(web);
		assert_non_null(strstr(msg.text, "'127.0.0.1:0'"));
		assert_non_null(strstr(msg.text, strerror(EMFILE)));
		failures++;
	}
	assert_int_equal(r, 0);
	assert_true(failures > 2);
	web_free(web);
}

/* ---- webhooks of providers ---- */

static const char *call(const struct door *door, const char *provider, const char *more, const char *body)
{
	static char request[1024];

	snprintf(request, sizeof(request),
		 "POST /v1/webhooks/%s HTTP/1.1\r\nHost: films.example.com\r\nOrigin: https://other.example.com\r\n%s"
		 "Content-Length: %zu\r\nConnection: close\r\n\r\n%s",
		 provider, more, strlen(body), body);
	return ask(door, request);
}

#define SIGNED "X-Signature: maker\r\n"

/* By any name of this machine, and from anywhere: it comes through a proxy. */
static void a_provider_calls_by_whatever_name_it_knows(void **state)
{
	const char *text = call(*state, "maker", SIGNED, "{\"challenge\":7}");

	assert_begins(text, "HTTP/1.1 200 ");
	assert_non_null(strstr(text, "Content-Type: application/json\r\n"));
	assert_null(strstr(text, "Access-Control-Allow-Origin"));
	assert_ends(text, "\r\n\r\n{\"challenge\":7}");
	text = call(*state, "maker", SIGNED, "");
	assert_begins(text, "HTTP/1.1 204 ");
}

static void who_is_no_provider_learns_nothing(void **state)
{
	static const char *const nobody[] = {"nobody", "", "maker/", "maker/x", "MAKER"};

	for (size_t i = 0; i < sizeof(nobody) / sizeof(nobody[0]); i++) {
		const char *text = call(*state, nobody[i], SIGNED, "{}");

		assert_begins(text, "HTTP/1.1 404 ");
		assert_ends(text, "\r\n\r\nno provider of that name calls here\n");
	}
	assert_begins(call(*state, "maker", "", "{}"), "HTTP/1.1 401 ");
	assert_begins(call(*state, "maker", "X-Signature: other\r\n", "{}"), "HTTP/1.1 401 ");
	assert_begins(call(*state, "busy", SIGNED, "{}"), "HTTP/1.1 503 ");
}

static void a_webhook_is_small_and_is_posted(void **state)
{
	static char large[LIMIT_WEB_HINT + 512];
	size_t head = (size_t)snprintf(large, sizeof(large),
				       "POST /v1/webhooks/maker HTTP/1.1\r\nHost: a\r\nConnection: close\r\n" SIGNED
				       "Content-Length: %d\r\n\r\n",
				       LIMIT_WEB_HINT + 1);
	const char *text;

	memset(large + head, 'x', LIMIT_WEB_HINT + 1);
	assert_begins(ask(*state, large), "HTTP/1.1 413 ");
	assert_begins(ask(*state, "POST /v1/webhooks/maker HTTP/1.1\r\nHost: a\r\nConnection: close\r\n" SIGNED
				  "Content-Length: 1000000\r\n\r\n"),
		      "HTTP/1.1 413 ");
	assert_begins(ask(*state, GET("/v1/webhooks/maker")), "HTTP/1.1 405 ");
	text = ask(*state, "OPTIONS /v1/webhooks/maker HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
	assert_begins(text, "HTTP/1.1 204 ");
	assert_null(strstr(text, "Access-Control-Allow-Origin"));
}

static void who_calls_too_often_is_told_to_wait_too(void **state)
{
	for (int i = 0; i < PER_SECOND; i++)
		if (strncmp(call(*state, "maker", SIGNED, ""), "HTTP/1.1 204 ", 13) != 0)
			break;
	assert_begins(call(*state, "maker", SIGNED, ""), "HTTP/1.1 429 ");
	assert_begins(ask(*state, GET("/livez")), "HTTP/1.1 200 ");
}

#define DOOR_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		DOOR_TEST(who_lives_and_is_ready_says_so),
		DOOR_TEST(who_is_not_ready_says_why_and_lives),
		DOOR_TEST(metrics_come_as_prometheus_wants_them),
		DOOR_TEST(head_has_everything_but_the_body),
		DOOR_TEST(the_page_says_what_it_may_load),
		DOOR_TEST(the_page_is_sent_once),
		DOOR_TEST(what_is_not_there_is_named),
		DOOR_TEST(other_methods_are_told_which_to_use),
		DOOR_TEST(two_readers_could_not_disagree),
		DOOR_TEST(headers_that_only_some_readers_know_are_refused),
		DOOR_TEST(figures_are_for_this_machine),
		DOOR_TEST(who_asks_too_often_is_told_when_to_come_back),
		DOOR_TEST(huge_heads_are_refused),
		DOOR_TEST(an_engine_that_does_not_answer_is_not_alive),
		DOOR_TEST(an_answer_may_come_when_everybody_has_gone),
		DOOR_TEST(what_was_answered_before_the_end_is_said),
		DOOR_TEST(it_may_end_before_it_was_heard_that_it_drains),
		DOOR_TEST(whoever_dawdles_is_shown_out),
		DOOR_TEST(many_connections_cost_no_more_than_the_limit),
		DOOR_TEST(files_that_come_slowly_keep_nobody_from_asking),
		DOOR_TEST(replies_that_nobody_reads_are_few),
		DOOR_TEST(requests_on_one_connection_are_answered_in_turn),
		DOOR_TEST(an_address_that_is_taken_is_named),
		DOOR_TEST(a_provider_calls_by_whatever_name_it_knows),
		DOOR_TEST(who_is_no_provider_learns_nothing),
		DOOR_TEST(a_webhook_is_small_and_is_posted),
		DOOR_TEST(who_calls_too_often_is_told_to_wait_too),
		cmocka_unit_test(what_keeps_it_from_starting_is_said),
	};

	return cmocka_run_group_tests_name("web.server", tests, NULL, NULL);
}
