/*
 * Replies as servers really send them: cut short, endless, trickling, with interim replies, pointing elsewhere.
 */
#include "http/fixture.h"

#include "base/limits.h"

static void serve_text(struct connection *connection)
{
	if (connection_read_request(connection))
		connection_say(connection, "%s", (const char *)connection->server->script);
}

/* What comes of a GET that is answered by @text and an end of the connection. */
static struct http_outcome *answer(const char *text)
{
	struct http *http = client_new(NULL);
	struct http_request request;
	struct http_outcome *outcome;
	struct server server;

	server_start(&server, serve_text, text);
	request = get(&server);
	outcome = exchange(http, &request);
	http_free(http);
	server_stop(&server);
	assert_int_equal(atomic_load(&server.requests), 1);
	return outcome;
}

static void a_reply_brings_status_headers_and_body(void **state)
{
	struct http_outcome *outcome = answer("HTTP/1.1 201 Created\r\nX-Request-Id:  abc \r\nEmpty:\r\n"
					      "Content-Length: 5\r\n\r\nhello");

	(void)state;
	assert_reply(outcome, 201, "hello");
	assert_int_equal(outcome->header_count, 3);
	assert_string_equal(outcome->headers[0].name, "X-Request-Id");
	assert_string_equal(http_outcome_header(outcome, "x-request-ID"), "abc");
	assert_string_equal(http_outcome_header(outcome, "EMPTY"), "");
	assert_null(http_outcome_header(outcome, "x-request"));
	assert_int_equal(outcome->declared_bytes, 5);
	assert_false(outcome->ends_by_close);
	assert_int_equal(outcome->bytes_written, 5);
	assert_null(outcome->location);
	assert_false(outcome->content_range.is_present);
	http_outcome_free(outcome);
}

static void a_chunked_reply_is_put_together(void **state)
{
	struct http_outcome *outcome = answer("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
					      "3\r\nabc\r\n4\r\ndefg\r\n0\r\nTrailer: x\r\n\r\n");

	(void)state;
	assert_reply(outcome, 200, "abcdefg");
	assert_int_equal(outcome->declared_bytes, -1);
	assert_false(outcome->ends_by_close);
	assert_null(http_outcome_header(outcome, "trailer"));
	http_outcome_free(outcome);
}

static void a_reply_without_length_ends_with_the_connection_and_says_so(void **state)
{
	struct http_outcome *outcome = answer("HTTP/1.1 200 OK\r\n\r\nall of it?");

	(void)state;
	assert_reply(outcome, 200, "all of it?");
	assert_int_equal(outcome->declared_bytes, -1);
	assert_true(outcome->ends_by_close);
	http_outcome_free(outcome);
}

static void interim_replies_are_not_the_reply(void **state)
{
	struct http_outcome *outcome = answer("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
					      "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");

	(void)state;
	assert_reply(outcome, 200, "ok");
	assert_null(http_outcome_header(outcome, "link"));
	http_outcome_free(outcome);
}

static void what_is_not_a_complete_reply_is_ambiguous(void **state)
{
	static const char *const texts[] = {
		"",
		"H",
		"HTTP/1.1 200 OK\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n0\r\n\r\n",
		"HTTP/1.1 100 Continue\r\n\r\n",
		"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n",
		"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\nbytes of x",
		"hello, this is HTTP/0.9",
		"HTTP/1.1 OK\r\n\r\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct http_outcome *outcome = answer(texts[i]);

		if (outcome->kind != HTTP_AMBIGUOUS)
			fail_msg("reply %zu: %s, status %d", i, http_kind_name(outcome->kind), outcome->status);
		assert_kind(outcome, HTTP_AMBIGUOUS);
		http_outcome_free(outcome);
	}
}

static void a_truncated_body_still_shows_its_head(void **state)
{
	struct http_outcome *outcome = answer("HTTP/1.1 202 Accepted\r\nX-Id: 7\r\nContent-Length: 9\r\n\r\n{\"id\"");

	(void)state;
	assert_kind(outcome, HTTP_AMBIGUOUS);
	assert_int_equal(outcome->status, 202);
	assert_string_equal(http_outcome_header(outcome, "x-id"), "7");
	assert_int_equal(outcome->body.len, 5);
	http_outcome_free(outcome);
}

static void a_compressed_reply_is_left_as_it_came(void **state)
{
	struct http_outcome *outcome = answer("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\n"
					      "\x1f\x8b??");

	(void)state;
	assert_reply(outcome, 200, "\x1f\x8b??");
	http_outcome_free(outcome);
}

struct body_limit {
	size_t declared; /* 0: chunked */
	size_t sent;
};

/* Sends until the client has had enough. */
static void serve_many_bytes(struct connection *connection)
{
	const struct body_limit *limit = connection->server->script;
	static char block[16384];

	if (!connection_read_request(connection))
		return;
	if (limit->declared)
		connection_say(connection, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n", limit->declared);
	else
		connection_say(connection, "HTTP/1.1 200 OK\r\n\r\n");
	for (size_t left = limit->sent; left && connection_pause(connection, 0);) {
		size_t n = left < sizeof(block) ? left : sizeof(block);

		connection_write(connection, block, n);
		left -= n;
	}
}

static struct http_outcome *receive(struct body_limit limit, uint64_t max_body_bytes)
{
	struct http *http = client_new(NULL);
	struct http_request request;
	struct http_outcome *outcome;
	struct server server;

	server_start(&server, serve_many_bytes, &limit);
	request = get(&server);
	request.max_body_bytes = max_body_bytes;
	outcome = exchange(http, &request);
	http_free(http);
	server_stop(&server);
	return outcome;
}

static void a_body_at_the_limit_is_a_reply(void **state)
{
	struct http_outcome *outcome = receive((struct body_limit){.declared = 100000, .sent = 100000}, 100000);

	(void)state;
	assert_kind(outcome, HTTP_REPLY);
	assert_int_equal(outcome->body.len, 100000);
	http_outcome_free(outcome);
}

static void a_body_above_the_limit_is_too_large(void **state)
{
	struct http_outcome *outcome = receive((struct body_limit){.sent = 100001}, 100000);

	(void)state;
	assert_kind(outcome, HTTP_TOO_LARGE);
	assert_true(outcome->may_have_left);
	assert_int_equal(outcome->status, 200);
	assert_true(outcome->body.len <= 100000);
	http_outcome_free(outcome);
}

static void a_gigabyte_instead_of_json_ends_at_its_announcement(void **state)
{
	struct http_outcome *outcome = receive((struct body_limit){.declared = 1 << 30}, 0);

	(void)state;
	assert_kind(outcome, HTTP_TOO_LARGE);
	assert_int_equal(outcome->body.len, 0);
	http_outcome_free(outcome);
}

static void a_gigabyte_that_was_not_announced_ends_at_the_limit(void **state)
{
	struct http_outcome *outcome = receive((struct body_limit){.sent = 1 << 30}, 0);

	(void)state;
	assert_kind(outcome, HTTP_TOO_LARGE);
	assert_true(outcome->body.len <= LIMIT_HTTP_REPLY_BODY);
	http_outcome_free(outcome);
}

struct endless {
	const char *start, *piece;
};

/* Repeats the piece until the client goes. */
static void serve_endless_head(struct connection *connection)
{
	const struct endless *script = connection->server->script;

	if (!connection_read_request(connection))
		return;
	connection_say(connection, "%s", script->start);
	for (int i = 0; i < 1000000 && connection_pause(connection, 0); i++)
		connection_say(connection, "%s", script->piece);
}

static void endless(const char *start, const char *piece)
{
	const struct endless script = {start, piece};
	struct http *http = client_new(NULL);
	struct http_request request;
	struct http_outcome *outcome;
	struct server server;

	server_start(&server, serve_endless_head, &script);
	request = get(&server);
	outcome = exchange(http, &request);
	assert_kind(outcome, HTTP_TOO_LARGE);
	assert_true(outcome->may_have_left);
	assert_int_equal(outcome->status, 0);
	assert_true(outcome->duration_ms < 5000);
	http_outcome_free(outcome);
	http_free(http);
	server_stop(&server);
}

static void endless_headers_end_quickly(void **state)
{
	(void)state;
	endless("HTTP/1.1 200 OK\r\n", "X: y\r\n");
	endless("HTTP/1.1 200 OK\r\n",
		"X-Long: 0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123"
		"01234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567\r\n");
}

static void an_endless_header_line_ends_quickly(void **state)
{
	(void)state;
	endless("HTTP/1.1 200 OK\r\n", "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef");
}

static void endless_interim_replies_end_quickly(void **state)
{
	(void)state;
	endless("", "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n");
}

static void headers_at_the_limit_are_a_reply(void **state)
{
	/* Without the status line and the empty line. */
	static char text[32 * (LIMIT_HTTP_REPLY_HEADERS + 2)];
	char *at = text + snprintf(text, sizeof(text), "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n");
	struct http_outcome *outcome;

	(void)state;
	for (int i = 0; i < LIMIT_HTTP_REPLY_HEADERS - 3; i++)
		at += snprintf(at, 32, "H-%d: x\r\n", i);
	snprintf(at, 32, "\r\n");
	outcome = answer(text);
	assert_reply(outcome, 200, "");
	assert_int_equal(outcome->header_count, LIMIT_HTTP_REPLY_HEADERS - 2);
	http_outcome_free(outcome);

	snprintf(at, 32, "One-More: x\r\n\r\n");
	outcome = answer(text);
	assert_kind(outcome, HTTP_TOO_LARGE);
	http_outcome_free(outcome);
}

static void serve_headers_of(struct connection *connection)
{
	size_t filler = *(const size_t *)connection->server->script;

	if (!connection_read_request(connection))
		return;
	connection_say(connection, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX: %0*d\r\n\r\n", (int)filler, 0);
}

/* 17 + 19 + 5 + filler + 2 bytes. */
static enum http_kind kind_with_header_bytes(size_t bytes, size_t limit)
{
	size_t filler = bytes - 43;
	struct http *http = client_new(NULL);
	struct http_request request;
	struct http_outcome *outcome;
	struct server server;
	enum http_kind kind;

	server_start(&server, serve_headers_of, &filler);
	request = get(&server);
	request.max_header_bytes = limit;
	outcome = exchange(http, &request);
	kind = outcome->kind;
	http_outcome_free(outcome);
	http_free(http);
	server_stop(&server);
	return kind;
}

static void header_bytes_are_limited_to_the_byte(void **state)
{
	(void)state;
	assert_int_equal(kind_with_header_bytes(1000, 1000), HTTP_REPLY);
	assert_int_equal(kind_with_header_bytes(1001, 1000), HTTP_TOO_LARGE);
}

static void serve_silence(struct connection *connection)
{
	if (connection_read_request(connection))
		connection_pause(connection, 20000);
}

/* A byte every 20 ms, of a body that was announced. */
static void serve_trickle(struct connection *connection)
{
	if (!connection_read_request(connection))
		return;
	connection_say(connection, "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n");
	for (int i = 0; i < 1000 && connection_pause(connection, 20); i++)
		connection_write(connection, "x", 1);
}

static void serve_header_trickle(struct connection *connection)
{
	if (!connection_read_request(connection))
		return;
	connection_say(connection, "HTTP/1.1 200 OK\r\nX-Slow: ");
	for (int i = 0; i < 1000 && connection_pause(connection, 20); i++)
		connection_write(connection, "x", 1);
}

/* Slow, but with more than LIMIT_HTTP_IDLE_BYTES in every idle time-out. */
static void serve_slowly(struct connection *connection)
{
	static const char block[1000];

	if (!connection_read_request(connection))
		return;
	connection_say(connection, "HTTP/1.1 200 OK\r\nContent-Length: 30000\r\n\r\n");
	for (int i = 0; i < 30 && connection_pause(connection, 20); i++)
		connection_write(connection, block, sizeof(block));
}

static struct http_outcome *with_idle_timeout(serve_fn serve, int64_t idle_timeout_ms)
{
	struct http *http = client_new(NULL);
	struct http_request request;
	struct http_outcome *outcome;
	struct server server;

	server_start(&server, serve, NULL);
	request = get(&server);
	request.idle_timeout_ms = idle_timeout_ms;
	outcome = exchange(http, &request);
	http_free(http);
	server_stop(&server);
	return outcome;
}

static void what_stands_still_or_trickles_is_given_up(void **state)
{
	static const serve_fn slow[] = {serve_silence, serve_trickle, serve_header_trickle};

	(void)state;
	for (size_t i = 0; i < sizeof(slow) / sizeof(slow[0]); i++) {
		struct http_outcome *outcome = with_idle_timeout(slow[i], 200);

		assert_kind(outcome, HTTP_AMBIGUOUS);
		assert_int_equal(outcome->error, -ETIMEDOUT);
		assert_non_null(strstr(outcome->message, "stood still"));
		assert_true(outcome->duration_ms >= 199 && outcome->duration_ms < 5000);
		http_outcome_free(outcome);
	}
}

static void what_is_slow_but_moves_is_let_finish(void **state)
{
	struct http_outcome *outcome = with_idle_timeout(serve_slowly, 300);

	(void)state;
	assert_kind(outcome, HTTP_REPLY);
	assert_int_equal(outcome->body.len, 30000);
	assert_true(outcome->duration_ms >= 500);
	http_outcome_free(outcome);
}

/* Points to the server of the script. */
static void serve_redirect(struct connection *connection)
{
	if (connection_read_request(connection))
		connection_say(connection,
			       "HTTP/1.1 307 Temporary Redirect\r\nLocation: %s\r\nContent-Length: 0\r\n\r\n",
			       (const char *)connection->server->script);
}

static void serve_ok(struct connection *connection)
{
	while (connection_read_request(connection))
		connection_say(connection, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
}

static void a_redirect_is_reported_and_not_followed(void **state)
{
	const struct http_header headers[] = {{.name = "X-Api-Key", .value = "sesame", .is_secret = true}};
	struct http *http = client_new(NULL);
	struct http_request request;
	struct http_outcome *outcome;
	struct server server, other;
	const char *target;

	(void)state;
	server_start(&other, serve_ok, NULL);
	target = url_of(&other, "/elsewhere?a=b");
	server_start(&server, serve_redirect, target);
	request = paid_post(&server);
	request.headers = headers;
	request.header_count = 1;
	outcome = exchange(http, &request);
	assert_reply(outcome, 307, "");
	assert_string_equal(outcome->location, target);
	http_outcome_free(outcome);
	http_free(http);
	server_stop(&server);
	server_stop(&other);
	assert_non_null(strstr(server.last_request, "X-Api-Key: sesame\r\n"));
	assert_int_equal(atomic_load(&other.connections), 0);
}

static void a_location_is_made_absolute_or_dropped(void **state)
{
	static const struct {
		const char *location, *suffix;
	} rows[] = {
		{"/v3/other?x=1", "/v3/other?x=1"},
		{"sub", "/v3/sub"},
		{"//example.com/x", "http://example.com/x"},
		{"?y", "/v3/videos?y"},
		{"ftp://example.com/", NULL},
		{"file:///etc/passwd", NULL},
		{"https://a@b.example/", NULL},
		{"javascript:alert(1)", NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct http *http = client_new(NULL);
		struct http_request request;
		struct http_outcome *outcome;
		struct server server;

		server_start(&server, serve_redirect, rows[i].location);
		request = paid_post(&server);
		outcome = exchange(http, &request);
		assert_kind(outcome, HTTP_REPLY);
		if (!rows[i].suffix)
			assert_null(outcome->location);
		else if (*rows[i].suffix == 'h')
			assert_string_equal(outcome->location, rows[i].suffix);
		else
			assert_string_equal(outcome->location, url_of(&server, rows[i].suffix));
		http_outcome_free(outcome);
		http_free(http);
		server_stop(&server);
	}
}

static void a_reply_without_a_body_needs_no_length(void **state)
{
	static const char *const texts[] = {"HTTP/1.1 204 No Content\r\n\r\n", "HTTP/1.1 304 Not Modified\r\n\r\n",
					    "HTTP/1.1 304 Not Modified\r\nContent-Length: 99999999999\r\n\r\n"};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct http_outcome *outcome = answer(texts[i]);

		assert_kind(outcome, HTTP_REPLY);
		assert_int_equal(outcome->body.len, 0);
		assert_false(outcome->ends_by_close);
		http_outcome_free(outcome);
	}
}

static void a_head_reply_has_no_body_whatever_it_declares(void **state)
{
	struct http *http = client_new(NULL);
	struct http_request request;
	struct http_outcome *outcome;
	struct server server;

	(void)state;
	server_start(&server, serve_text, "HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n");
	request = get(&server);
	request.method = "HEAD";
	outcome = exchange(http, &request);
	assert_reply(outcome, 200, "");
	assert_int_equal(outcome->declared_bytes, 99999999999);
	http_outcome_free(outcome);
	http_free(http);
	server_stop(&server);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_reply_brings_status_headers_and_body),
		cmocka_unit_test(a_chunked_reply_is_put_together),
		cmocka_unit_test(a_reply_without_length_ends_with_the_connection_and_says_so),
		cmocka_unit_test(interim_replies_are_not_the_reply),
		cmocka_unit_test(what_is_not_a_complete_reply_is_ambiguous),
		cmocka_unit_test(a_truncated_body_still_shows_its_head),
		cmocka_unit_test(a_compressed_reply_is_left_as_it_came),
		cmocka_unit_test(a_body_at_the_limit_is_a_reply),
		cmocka_unit_test(a_body_above_the_limit_is_too_large),
		cmocka_unit_test(a_gigabyte_instead_of_json_ends_at_its_announcement),
		cmocka_unit_test(a_gigabyte_that_was_not_announced_ends_at_the_limit),
		cmocka_unit_test(endless_headers_end_quickly),
		cmocka_unit_test(an_endless_header_line_ends_quickly),
		cmocka_unit_test(endless_interim_replies_end_quickly),
		cmocka_unit_test(headers_at_the_limit_are_a_reply),
		cmocka_unit_test(header_bytes_are_limited_to_the_byte),
		cmocka_unit_test(what_stands_still_or_trickles_is_given_up),
		cmocka_unit_test(what_is_slow_but_moves_is_let_finish),
		cmocka_unit_test(a_redirect_is_reported_and_not_followed),
		cmocka_unit_test(a_location_is_made_absolute_or_dropped),
		cmocka_unit_test(a_reply_without_a_body_needs_no_length),
		cmocka_unit_test(a_head_reply_has_no_body_whatever_it_declares),
	};

	return cmocka_run_group_tests_name("http.reply", tests, NULL, NULL);
}
