/*
 * The rules about money: what a provider saw is counted by the provider, and every case in which libcurl alone would
 * send a paid request again ends with a count of one and an outcome that says so.
 */
#include "http/fixture.h"

#include <curl/curl.h>

enum ending { END_CLOSE, END_RESET };

/* Keeps the connection alive through GETs; at a POST it reads everything, which is where a provider charges, and ends
 * the connection as scripted. */
static void serve_until_charged(struct connection *connection)
{
	enum ending ending = *(const enum ending *)connection->server->script;

	while (connection_read_request(connection)) {
		if (strncmp(connection->request, "POST ", 5) == 0) {
			if (ending == END_RESET)
				connection_reset(connection);
			return;
		}
		connection_say(connection, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
	}
}

static size_t swallow(char *data, size_t size, size_t count, void *userdata)
{
	(void)data;
	(void)userdata;
	return size * count;
}

/* What the other tests protect from, shown with libcurl alone: one request, counted twice by the server. */
static void libcurl_alone_sends_a_post_twice(void **state)
{
	const enum ending ending = END_CLOSE;
	struct server server;
	CURL *easy = curl_easy_init();

	(void)state;
	server_start(&server, serve_until_charged, &ending);
	curl_easy_setopt(easy, CURLOPT_PROXY, "");
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, swallow);
	curl_easy_setopt(easy, CURLOPT_URL, url_of(&server, "/"));
	assert_int_equal(curl_easy_perform(easy), CURLE_OK);
	curl_easy_setopt(easy, CURLOPT_POSTFIELDS, "{}");
	(void)curl_easy_perform(easy);
	curl_easy_cleanup(easy);
	server_stop(&server);
	if (atomic_load(&server.paid) == 1)
		skip();
	assert_int_equal(atomic_load(&server.paid), 2);
}

static void after_a_get(enum ending ending, uint32_t flags, int connections)
{
	struct http *http = client_new(NULL);
	struct http_request request;
	struct http_outcome *outcome;
	struct server server;

	server_start(&server, serve_until_charged, &ending);
	request = get(&server);
	outcome = exchange(http, &request);
	assert_reply(outcome, 200, "ok");
	http_outcome_free(outcome);

	request = paid_post(&server);
	request.flags = flags;
	outcome = exchange(http, &request);
	assert_kind(outcome, HTTP_AMBIGUOUS);
	assert_int_equal(outcome->status, 0);
	http_outcome_free(outcome);

	http_free(http);
	server_stop(&server);
	assert_int_equal(atomic_load(&server.paid), 1);
	assert_int_equal(atomic_load(&server.requests), 2);
	assert_int_equal(atomic_load(&server.connections), connections);
}

static void a_paid_post_leaves_once_when_a_kept_alive_server_closes(void **state)
{
	(void)state;
	after_a_get(END_CLOSE, HTTP_PRIVATE_NETWORK | HTTP_ONCE, 2);
}

static void a_paid_post_leaves_once_when_a_kept_alive_server_resets(void **state)
{
	(void)state;
	after_a_get(END_RESET, HTTP_PRIVATE_NETWORK | HTTP_ONCE, 2);
}

/* Without the connection of its own that HTTP_ONCE gets: the second pass itself must be stopped, and without so much
 * as a second connection. */
static void any_post_leaves_once_on_a_reused_connection_that_closes(void **state)
{
	(void)state;
	after_a_get(END_CLOSE, HTTP_PRIVATE_NETWORK, 1);
}

static void any_post_leaves_once_on_a_reused_connection_that_resets(void **state)
{
	(void)state;
	after_a_get(END_RESET, HTTP_PRIVATE_NETWORK, 1);
}

static void serve_ok(struct connection *connection)
{
	while (connection_read_request(connection))
		connection_say(connection, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
}

static void paid_requests_take_a_fresh_connection_and_leave_none(void **state)
{
	struct http *http = client_new(NULL);
	struct server server;

	(void)state;
	server_start(&server, serve_ok, NULL);
	for (int i = 0; i < 3; i++) {
		struct http_request free_of_charge = get(&server);
		struct http_request paid = paid_post(&server);
		struct http_outcome *outcome = exchange(http, &free_of_charge);

		assert_reply(outcome, 200, "ok");
		http_outcome_free(outcome);
		outcome = exchange(http, &paid);
		assert_reply(outcome, 200, "ok");
		http_outcome_free(outcome);
	}
	http_free(http);
	server_stop(&server);
	/* One kept alive for the GETs, three for the POSTs. */
	assert_int_equal(atomic_load(&server.connections), 4);
	assert_int_equal(atomic_load(&server.paid), 3);
}

static void nobody_inherits_the_connection_of_a_paid_request(void **state)
{
	struct http *http = client_new(NULL);
	struct http_request request;
	struct http_outcome *outcome;
	struct server server;

	(void)state;
	server_start(&server, serve_ok, NULL);
	request = paid_post(&server);
	outcome = exchange(http, &request);
	assert_reply(outcome, 200, "ok");
	http_outcome_free(outcome);
	request = get(&server);
	outcome = exchange(http, &request);
	assert_reply(outcome, 200, "ok");
	http_outcome_free(outcome);
	http_free(http);
	server_stop(&server);
	assert_int_equal(atomic_load(&server.connections), 2);
}

static void serve_empty_unauthorized(struct connection *connection)
{
	while (connection_read_request(connection))
		connection_say(connection,
			       "HTTP/1.1 %s\r\nWWW-Authenticate: Basic realm=\"x\"\r\n"
			       "Content-Length: 0\r\n\r\n",
			       (const char *)connection->server->script);
}

static void refusals_are_replies_and_not_answered_by_another_try(void **state)
{
	static const char *const statuses[] = {"401 Unauthorized", "417 Expectation Failed", "421 Misdirected",
					       "429 Too Many", "503 Unavailable"};

	(void)state;
	for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++) {
		struct http *http = client_new(NULL);
		struct http_request request;
		struct http_outcome *outcome;
		struct server server;

		server_start(&server, serve_empty_unauthorized, statuses[i]);
		request = paid_post(&server);
		outcome = exchange(http, &request);
		assert_kind(outcome, HTTP_REPLY);
		assert_int_equal(outcome->status, strtol(statuses[i], NULL, 10));
		http_outcome_free(outcome);
		http_free(http);
		server_stop(&server);
		assert_int_equal(atomic_load(&server.paid), 1);
	}
}

/* Reads the head of a large POST and resets at once: less than everything left, which must not read as nothing. */
static void serve_reset_in_the_body(struct connection *connection)
{
	char scratch[16];

	connection_read(connection, scratch, sizeof(scratch));
	connection_reset(connection);
}

static void a_reset_in_the_middle_of_the_body_is_ambiguous(void **state)
{
	struct http *http = client_new(NULL);
	size_t size = 8 << 20;
	char *body = calloc(1, size);
	struct http_request request;
	struct http_outcome *outcome;
	struct server server;

	(void)state;
	assert_non_null(body);
	server_start(&server, serve_reset_in_the_body, NULL);
	request = paid_post(&server);
	request.body = bytes_of(body, size);
	outcome = exchange(http, &request);
	assert_kind(outcome, HTTP_AMBIGUOUS);
	http_outcome_free(outcome);
	http_free(http);
	server_stop(&server);
	assert_int_equal(atomic_load(&server.connections), 1);
	free(body);
}

static void serve_silence(struct connection *connection)
{
	if (connection_read_request(connection))
		connection_pause(connection, 20000);
}

static void a_time_out_after_leaving_is_ambiguous(void **state)
{
	struct http *http = client_new(NULL);
	struct http_request request;
	struct http_outcome *outcome;
	struct server server;

	(void)state;
	server_start(&server, serve_silence, NULL);
	request = paid_post(&server);
	request.timeout_ms = 200;
	outcome = exchange(http, &request);
	assert_kind(outcome, HTTP_AMBIGUOUS);
	assert_int_equal(outcome->error, -ETIMEDOUT);
	assert_true(outcome->duration_ms >= 199 && outcome->duration_ms < 5000);
	http_outcome_free(outcome);
	http_free(http);
	server_stop(&server);
	assert_int_equal(atomic_load(&server.paid), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(libcurl_alone_sends_a_post_twice),
		cmocka_unit_test(a_paid_post_leaves_once_when_a_kept_alive_server_closes),
		cmocka_unit_test(a_paid_post_leaves_once_when_a_kept_alive_server_resets),
		cmocka_unit_test(any_post_leaves_once_on_a_reused_connection_that_closes),
		cmocka_unit_test(any_post_leaves_once_on_a_reused_connection_that_resets),
		cmocka_unit_test(paid_requests_take_a_fresh_connection_and_leave_none),
		cmocka_unit_test(nobody_inherits_the_connection_of_a_paid_request),
		cmocka_unit_test(refusals_are_replies_and_not_answered_by_another_try),
		cmocka_unit_test(a_reset_in_the_middle_of_the_body_is_ambiguous),
		cmocka_unit_test(a_time_out_after_leaving_is_ambiguous),
	};

	return cmocka_run_group_tests_name("http.once", tests, NULL, NULL);
}
