/*
 * The client as a whole: lanes, limits, cancelling, draining, many requests from many threads, and a log without
 * secrets.
 */
#include "http/fixture.h"

#include "base/log.h"

#include <sys/mman.h>
#include <unistd.h>

#define THREADS 8
#define PER_THREAD 500

static void serve_ok(struct connection *connection)
{
	while (connection_read_request(connection))
		connection_say(connection, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
}

/* Answers /slow only after 300 ms, /never not at all. */
static void serve_by_path(struct connection *connection)
{
	while (connection_read_request(connection)) {
		if (strstr(connection->request, " /never "))
			connection_pause(connection, 20000);
		else if (!strstr(connection->request, " /slow ") || connection_pause(connection, 300))
			connection_say(connection, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
	}
}

static struct http_request get_path(const struct server *server, const char *path)
{
	struct http_request request = get(server);

	request.url = url_of(server, path);
	request.timeout_ms = 0;
	return request;
}

/* Until the server has read @count requests: only then have they left for certain. */
static void await_requests(struct server *server, int count)
{
	for (int i = 0; i < 10000 && atomic_load(&server->requests) < count; i++)
		usleep(1000);
	assert_int_equal(atomic_load(&server->requests), count);
}

static void expect(struct waiter *waiter, enum http_kind kind, bool may_have_left)
{
	struct http_outcome *outcome = waiter_wait(waiter);

	assert_kind(outcome, kind);
	assert_int_equal(outcome->may_have_left, may_have_left);
	http_outcome_free(outcome);
}

static void a_cancelled_request_ends_at_once_and_says_that_it_left(void **state)
{
	struct http *http = client_new(NULL);
	struct http_request request;
	struct waiter waiter;
	struct server server;

	(void)state;
	server_start(&server, serve_by_path, NULL);
	request = get_path(&server, "/never");
	waiter_send(&waiter, http, &request);
	await_requests(&server, 1);
	assert_int_equal(http_cancel(http, waiter.id), 0);
	expect(&waiter, HTTP_ABORTED, true);
	/* Both too late, and without any effect. */
	assert_int_equal(http_cancel(http, waiter.id), 0);
	assert_int_equal(http_cancel(http, 123456), 0);
	http_free(http);
	assert_int_equal(waiter.calls, 1);
	server_stop(&server);
}

static void a_request_cancelled_in_the_queue_never_left(void **state)
{
	const struct http_config config = {.max_exchanges = 1};
	struct http *http = client_new(&config);
	struct http_request request;
	struct waiter first, second;
	struct server server;

	(void)state;
	server_start(&server, serve_by_path, NULL);
	request = get_path(&server, "/never");
	waiter_send(&first, http, &request);
	await_requests(&server, 1);
	waiter_send(&second, http, &request);
	assert_int_equal(http_cancel(http, second.id), 0);
	expect(&second, HTTP_ABORTED, false);
	http_free(http);
	expect(&first, HTTP_ABORTED, true);
	server_stop(&server);
	assert_int_equal(atomic_load(&server.requests), 1);
}

static void a_full_lane_holds_up_no_other(void **state)
{
	const struct http_config config = {.max_exchanges = 1, .max_transfers = 1};
	struct http *http = client_new(&config);
	struct waiter stuck[_HTTP_LANE_N], behind[_HTTP_LANE_N];
	struct http_request request;
	struct server server;

	(void)state;
	server_start(&server, serve_by_path, NULL);
	/* Each lane is filled while all before it are full. */
	for (int lane = 0; lane < _HTTP_LANE_N; lane++) {
		request = get_path(&server, "/never");
		request.lane = (enum http_lane)lane;
		waiter_send(&stuck[lane], http, &request);
		await_requests(&server, lane + 1);
		request.url = url_of(&server, "/");
		waiter_send(&behind[lane], http, &request);
	}
	for (int lane = 0; lane < _HTTP_LANE_N; lane++) {
		assert_null(behind[lane].outcome);
		http_cancel(http, stuck[lane].id);
		expect(&stuck[lane], HTTP_ABORTED, true);
		expect(&behind[lane], HTTP_REPLY, true);
	}
	http_free(http);
	server_stop(&server);
}

static void a_lane_is_first_come_first_served_and_keeps_its_cap(void **state)
{
	const struct http_config config = {.max_exchanges = 1};
	struct http *http = client_new(&config);
	struct waiter waiters[5];
	struct server server;

	(void)state;
	server_start(&server, serve_by_path, NULL);
	for (int i = 0; i < 5; i++) {
		struct http_request request = get_path(&server, i == 0 ? "/slow" : "/");

		waiter_send(&waiters[i], http, &request);
	}
	expect(&waiters[4], HTTP_REPLY, true);
	for (int i = 0; i < 4; i++) {
		assert_int_equal(waiters[i].calls, 1);
		expect(&waiters[i], HTTP_REPLY, true);
	}
	http_free(http);
	server_stop(&server);
	/* One at a time, so one connection was enough. */
	assert_int_equal(atomic_load(&server.connections), 1);
}

static void as_many_wait_as_may_and_no_more(void **state)
{
	const struct http_config config = {.max_exchanges = 1, .max_waiting = 2};
	struct http *http = client_new(&config);
	struct waiter running, waiting[2], later;
	struct http_request request;
	struct server server;

	(void)state;
	server_start(&server, serve_by_path, NULL);
	request = get_path(&server, "/never");
	waiter_send(&running, http, &request);
	await_requests(&server, 1);
	waiter_send(&waiting[0], http, &request);
	waiter_send(&waiting[1], http, &request);
	assert_int_equal(http_send(http, &request, on_outcome, NULL, NULL), HTTP_E_BUSY);

	http_cancel(http, waiting[0].id);
	expect(&waiting[0], HTTP_ABORTED, false);
	waiter_send(&later, http, &request);
	http_free(http);
	expect(&running, HTTP_ABORTED, true);
	expect(&waiting[1], HTTP_ABORTED, false);
	expect(&later, HTTP_ABORTED, false);
	server_stop(&server);
}

static void draining_waits_for_what_is_paid_and_ends_the_rest(void **state)
{
	const struct http_config config = {.max_transfers = 1};
	struct http *http = client_new(&config);
	struct waiter paid, poll, download, queued;
	struct http_request request;
	struct server server;
	int64_t start_ms;

	(void)state;
	server_start(&server, serve_by_path, NULL);
	request = get_path(&server, "/slow");
	request.flags |= HTTP_ONCE;
	waiter_send(&paid, http, &request);
	request = get_path(&server, "/never");
	waiter_send(&poll, http, &request);
	request.lane = HTTP_LANE_TRANSFER;
	waiter_send(&download, http, &request);
	await_requests(&server, 3);
	request.flags |= HTTP_ONCE;
	waiter_send(&queued, http, &request);

	start_ms = clock_monotonic_ms(&clock_system);
	http_drain(http, 20000);
	assert_int_equal(http_send(http, &request, on_outcome, NULL, NULL), HTTP_E_STOPPING);
	http_stop(http, 0);
	assert_true(clock_monotonic_ms(&clock_system) - start_ms < 10000);
	assert_int_equal(paid.calls + poll.calls + download.calls + queued.calls, 4);
	expect(&paid, HTTP_REPLY, true);
	expect(&poll, HTTP_ABORTED, true);
	expect(&download, HTTP_ABORTED, true);
	expect(&queued, HTTP_ABORTED, false);
	http_free(http);
	server_stop(&server);
	assert_int_equal(atomic_load(&server.requests), 3);
}

static void draining_has_a_limit(void **state)
{
	struct http *http = client_new(NULL);
	struct http_request request;
	struct waiter paid;
	struct server server;

	(void)state;
	server_start(&server, serve_by_path, NULL);
	request = get_path(&server, "/never");
	request.flags |= HTTP_ONCE;
	waiter_send(&paid, http, &request);
	await_requests(&server, 1);
	http_stop(http, 100);
	assert_int_equal(paid.calls, 1);
	expect(&paid, HTTP_ABORTED, true);
	http_free(http);
	server_stop(&server);
}

#define FLOOD_BYTES 50000

/* Answers /first once /flood has arrived too; /flood gets a whole reply, and a reset behind it. */
static void serve_flood(struct connection *connection)
{
	static const char block[FLOOD_BYTES];

	if (!connection_read_request(connection))
		return;
	for (int i = 0; i < 10000 && atomic_load(&connection->server->requests) < 2; i++)
		usleep(1000);
	if (strstr(connection->request, " /first ")) {
		connection_say(connection, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
		return;
	}
	connection_pause(connection, 40);
	connection_say(connection, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n", FLOOD_BYTES);
	connection_write(connection, block, sizeof(block));
	connection_pause(connection, 40);
	connection_reset(connection);
}

/* The loop is kept busy until the reply and the reset are both there. */
static void a_whole_reply_in_front_of_a_reset_is_a_reply(void **state)
{
	struct http *http = client_new(NULL);
	struct http_request request;
	struct http_outcome *outcome;
	struct waiter first, flood;
	struct server server;

	(void)state;
	server_start(&server, serve_flood, NULL);
	request = get_path(&server, "/flood");
	waiter_send(&flood, http, &request);
	await_requests(&server, 1);
	request = get_path(&server, "/first");
	waiter_init(&first);
	assert_int_equal(http_send(http, &request, on_outcome_slowly, &first, NULL), 0);
	expect(&first, HTTP_REPLY, true);
	outcome = waiter_wait(&flood);
	assert_kind(outcome, HTTP_REPLY);
	assert_int_equal(outcome->body.len, FLOOD_BYTES);
	http_outcome_free(outcome);
	http_free(http);
	server_stop(&server);
}

struct crowd {
	struct http *http;
	const struct server *server;
	pthread_t thread;
	atomic_int *replies, *others;
};

static void count_outcome(struct http_outcome *outcome, void *userdata)
{
	struct crowd *crowd = userdata;
	bool is_reply = outcome->kind == HTTP_REPLY && outcome->status == 200 && outcome->body.len == 2;

	atomic_fetch_add(is_reply ? crowd->replies : crowd->others, 1);
	http_outcome_free(outcome);
}

static void *send_many(void *userdata)
{
	struct crowd *crowd = userdata;
	char url[64];

	snprintf(url, sizeof(url), "http://127.0.0.1:%d/", crowd->server->port);
	for (int i = 0; i < PER_THREAD; i++) {
		const struct http_request request = {
			.method = i % 2 ? "GET" : "POST",
			.url = url,
			.flags = HTTP_PRIVATE_NETWORK,
			.lane = (enum http_lane)(i % _HTTP_LANE_N),
		};

		if (http_send(crowd->http, &request, count_outcome, crowd, NULL) != 0)
			abort();
	}
	return NULL;
}

static void thousands_of_requests_from_many_threads_each_end_once(void **state)
{
	const struct http_config config = {.max_exchanges = 40};
	struct http *http = client_new(&config);
	struct crowd crowds[THREADS];
	atomic_int replies = 0, others = 0;
	struct server server;

	(void)state;
	server_start(&server, serve_ok, NULL);
	for (int i = 0; i < THREADS; i++) {
		crowds[i] = (struct crowd){.http = http, .server = &server, .replies = &replies, .others = &others};
		assert_int_equal(pthread_create(&crowds[i].thread, NULL, send_many, &crowds[i]), 0);
	}
	for (int i = 0; i < THREADS; i++)
		pthread_join(crowds[i].thread, NULL);
	for (int i = 0; i < 60000 && atomic_load(&replies) + atomic_load(&others) < THREADS * PER_THREAD; i++)
		usleep(1000);
	http_free(http);
	server_stop(&server);
	assert_int_equal(atomic_load(&replies), THREADS * PER_THREAD);
	assert_int_equal(atomic_load(&others), 0);
	assert_int_equal(atomic_load(&server.requests), THREADS * PER_THREAD);
}

static void freeing_in_the_middle_of_many_ends_each_once(void **state)
{
	struct http *http = client_new(NULL);
	atomic_int replies = 0, others = 0;
	struct crowd crowd = {.http = http, .replies = &replies, .others = &others};
	struct server server;

	(void)state;
	server_start(&server, serve_ok, NULL);
	crowd.server = &server;
	send_many(&crowd);
	http_free(http);
	server_stop(&server);
	assert_int_equal(atomic_load(&replies) + atomic_load(&others), PER_THREAD);
}

/* What the request above looks like on the wire: our own headers, and none of libcurl's that nobody asked for. */
static void a_request_carries_what_was_asked_and_nothing_else(void **state)
{
	const struct http_header headers[] = {{.name = "Content-Type", .value = "application/json"},
					      {.name = "X-Empty", .value = ""},
					      {.name = "Idempotency-Key", .value = "  k-1"}};
	struct http *http = client_new(NULL);
	struct http_request request;
	struct http_outcome *outcome;
	struct server server;
	char expected[512];

	(void)state;
	server_start(&server, serve_ok, NULL);
	request = paid_post(&server);
	request.url = url_of(&server, "/a/../b//c?d=%2F");
	request.headers = headers;
	request.header_count = 3;
	outcome = exchange(http, &request);
	assert_reply(outcome, 200, "ok");
	http_outcome_free(outcome);
	http_free(http);
	server_stop(&server);
	snprintf(expected, sizeof(expected),
		 "POST /a/../b//c?d=%%2F HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nUser-Agent: filmgate-test\r\nAccept: */*\r\n"
		 "Content-Type: application/json\r\nX-Empty:\r\nIdempotency-Key: k-1\r\nAccept-Encoding: identity\r\n"
		 "Content-Length: 11\r\n\r\n",
		 server.port);
	assert_string_equal(server.last_request, expected);
}

static void every_method_is_framed_as_it_should_be(void **state)
{
	static const struct {
		const char *method, *body;
		bool has_length;
	} rows[] = {
		{"GET", "", false},      {"DELETE", "", false},    {"OPTIONS", "", false}, {"POST", "", true},
		{"PUT", "", true},       {"PATCH", "", true},      {"POST", "body", true}, {"PUT", "body", true},
		{"PATCH", "body", true}, {"DELETE", "body", true},
	};
	struct http *http = client_new(NULL);
	struct server server;

	(void)state;
	server_start(&server, serve_ok, NULL);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct http_request request = get(&server);
		struct http_outcome *outcome;
		char start[32], length[64];

		request.method = rows[i].method;
		request.body = bytes_of_text(rows[i].body);
		outcome = exchange(http, &request);
		assert_reply(outcome, 200, "ok");
		http_outcome_free(outcome);

		snprintf(start, sizeof(start), "%s /thing HTTP/1.1\r\n", rows[i].method);
		snprintf(length, sizeof(length), "Content-Length: %zu\r\n", strlen(rows[i].body));
		assert_memory_equal(server.last_request, start, strlen(start));
		assert_int_equal(strstr(server.last_request, length) != NULL, rows[i].has_length);
		assert_null(strstr(server.last_request, "Transfer-Encoding"));
		assert_null(strstr(server.last_request, "Expect"));
		assert_null(strstr(server.last_request, "Content-Type"));
	}
	http_free(http);
	server_stop(&server);
}

static void a_large_body_arrives_whole_and_without_asking_first(void **state)
{
	struct http *http = client_new(NULL);
	size_t size = 20 << 20;
	char *body = calloc(1, size);
	struct http_request request;
	struct http_outcome *outcome;
	struct server server;

	(void)state;
	assert_non_null(body);
	server_start(&server, serve_ok, NULL);
	request = paid_post(&server);
	request.body = bytes_of(body, size);
	outcome = exchange(http, &request);
	assert_reply(outcome, 200, "ok");
	assert_null(strstr(server.last_request, "Expect"));
	http_outcome_free(outcome);
	http_free(http);
	server_stop(&server);
	free(body);
}

/* Runs @fn with standard error going to memory, and returns what was written. */
static char *captured_log(void (*fn)(const struct server *server), const struct server *server)
{
	int fd = memfd_create("log", MFD_CLOEXEC);
	int before = dup(STDERR_FILENO);
	char *text = calloc(1, 1 << 20);

	assert_true(fd >= 0 && before >= 0 && text);
	log_setup(LOG_FORMAT_TEXT, LOG_LEVEL_DEBUG);
	dup2(fd, STDERR_FILENO);
	fn(server);
	dup2(before, STDERR_FILENO);
	log_setup(LOG_FORMAT_TEXT, LOG_LEVEL_INFO);
	assert_true(pread(fd, text, (1 << 20) - 1, 0) > 0);
	close(before);
	close(fd);
	return text;
}

static void send_secrets(const struct server *server)
{
	const struct http_header headers[] = {{.name = "X-Api-Key", .value = "sesame", .is_secret = true},
					      {.name = "X-Plain", .value = "visible"}};
	struct http *http = client_new(NULL);
	struct http_request request = paid_post(server);
	struct http_outcome *outcome;

	request.headers = headers;
	request.header_count = 2;
	request.url = url_of(server, "/path-sesame?signature=sesame");
	outcome = exchange(http, &request);
	http_outcome_free(outcome);
	http_free(http);
}

static void the_log_shows_a_request_without_its_secrets(void **state)
{
	struct server server;
	char *text;

	(void)state;
	server_start(&server, serve_ok, NULL);
	text = captured_log(send_secrets, &server);
	server_stop(&server);
	assert_null(strstr(text, "sesame"));
	assert_non_null(strstr(text, "X-Api-Key: [secret]; X-Plain: visible"));
	assert_non_null(strstr(text, "kind=reply status=200"));
	free(text);
}

static void freeing_nothing_is_harmless(void **state)
{
	(void)state;
	assert_null(http_free(NULL));
	assert_null(http_outcome_free(NULL));
	assert_null(http_free(client_new(&(struct http_config){0})));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_cancelled_request_ends_at_once_and_says_that_it_left),
		cmocka_unit_test(a_request_cancelled_in_the_queue_never_left),
		cmocka_unit_test(a_full_lane_holds_up_no_other),
		cmocka_unit_test(a_lane_is_first_come_first_served_and_keeps_its_cap),
		cmocka_unit_test(as_many_wait_as_may_and_no_more),
		cmocka_unit_test(draining_waits_for_what_is_paid_and_ends_the_rest),
		cmocka_unit_test(draining_has_a_limit),
		cmocka_unit_test(a_whole_reply_in_front_of_a_reset_is_a_reply),
		cmocka_unit_test(thousands_of_requests_from_many_threads_each_end_once),
		cmocka_unit_test(freeing_in_the_middle_of_many_ends_each_once),
		cmocka_unit_test(a_request_carries_what_was_asked_and_nothing_else),
		cmocka_unit_test(every_method_is_framed_as_it_should_be),
		cmocka_unit_test(a_large_body_arrives_whole_and_without_asking_first),
		cmocka_unit_test(the_log_shows_a_request_without_its_secrets),
		cmocka_unit_test(freeing_nothing_is_harmless),
	};

	return cmocka_run_group_tests_name("http.client", tests, NULL, NULL);
}
