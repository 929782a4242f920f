/*
 * A body that passes through a filter on its way to memory: only that of a success, piece by piece, to its end.
 */
#include "http/fixture.h"

#include "base/limits.h"

#define LARGE (20 * 1000 * 1000)

/* Lets letters through and counts all; answers @fails at a '!', and @ends at the end. */
struct counting {
	uint64_t bytes, pieces;
	int fails, ends;
	bool has_ended;
};

static int on_write(void *userdata, struct bytes piece, struct buffer *memory, struct errmsg *why)
{
	struct counting *counting = userdata;
	const char *text = piece.data;
	int r = 0;

	counting->bytes += piece.len;
	counting->pieces++;
	for (size_t i = 0; i < piece.len && r == 0; i++) {
		if (text[i] == '!')
			r = counting->fails;
		else if (text[i] >= 'a' && text[i] <= 'z')
			r = buffer_append(memory, text + i, 1);
	}
	if (r > 0)
		errmsg_set(why, "it shouts");
	return r;
}

static int on_end(void *userdata, struct errmsg *why)
{
	struct counting *counting = userdata;

	counting->has_ended = true;
	errmsg_set(why, "%s", counting->ends ? "it is not over" : "");
	return counting->ends;
}

static void serve_script(struct connection *connection)
{
	if (connection_read_request(connection))
		connection_say(connection, "%s", (const char *)connection->server->script);
}

static void serve_large(struct connection *connection)
{
	char zeros[65536] = {0};

	if (!connection_read_request(connection))
		return;
	connection_say(connection, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\nab", LARGE + 2);
	for (size_t left = LARGE; left > 0; left -= left < sizeof(zeros) ? left : sizeof(zeros))
		connection_write(connection, zeros, left < sizeof(zeros) ? left : sizeof(zeros));
}

static struct http_outcome *ask(struct counting *counting, serve_fn serve, const char *script, uint64_t max)
{
	struct http *http = client_new(NULL);
	struct http_outcome *outcome;
	struct http_request request;
	struct server server;

	server_start(&server, serve, script);
	request = get(&server);
	request.sink = HTTP_SINK_FILTER;
	request.filter = (struct http_filter){on_write, on_end, counting};
	request.max_body_bytes = max;
	outcome = exchange(http, &request);
	http_free(http);
	server_stop(&server);
	return outcome;
}

static struct http_outcome *ask_script(struct counting *counting, const char *script)
{
	return ask(counting, serve_script, script, 0);
}

static void what_it_lets_through_is_the_body(void **state)
{
	struct counting counting = {0};
	struct http_outcome *outcome = ask_script(&counting, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\na1b2c3d4e");

	(void)state;
	assert_reply(outcome, 200, "abcde");
	assert_int_equal(outcome->bytes_written, 9);
	assert_int_equal(counting.bytes, 9);
	assert_true(counting.has_ended);
	http_outcome_free(outcome);
}

/* The limit is that of what stays in memory, whatever the reply announces. */
static void the_limit_is_that_of_what_stays(void **state)
{
	struct counting counting = {0};
	struct http_outcome *outcome = ask(&counting, serve_large, NULL, 2);

	(void)state;
	assert_reply(outcome, 200, "ab");
	assert_int_equal(counting.bytes, LARGE + 2);
	assert_true(counting.pieces > 10);
	http_outcome_free(outcome);

	counting = (struct counting){0};
	outcome = ask(&counting, serve_script, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n1abc", 2);
	assert_kind(outcome, HTTP_TOO_LARGE);
	assert_int_equal(outcome->status, 200);
	assert_false(counting.has_ended);
	http_outcome_free(outcome);
}

static void what_is_no_success_does_not_pass_it(void **state)
{
	struct counting counting = {.fails = HTTP_FILTER_E_UNREADABLE, .ends = HTTP_FILTER_E_UNREADABLE};
	struct http_outcome *outcome = ask_script(&counting, "HTTP/1.1 503 Busy\r\nContent-Length: 5\r\n\r\nWait!");

	(void)state;
	assert_reply(outcome, 503, "Wait!");
	http_outcome_free(outcome);
	outcome = ask_script(&counting, "HTTP/1.1 204 No Content\r\n\r\n");
	assert_reply(outcome, 204, "");
	http_outcome_free(outcome);
	assert_int_equal(counting.pieces, 0);
	assert_false(counting.has_ended);
}

static void what_it_refuses_is_unreadable(void **state)
{
	struct counting counting = {.fails = HTTP_FILTER_E_UNREADABLE};
	struct http_outcome *outcome = ask_script(&counting, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc!defgh");

	(void)state;
	assert_kind(outcome, HTTP_UNREADABLE);
	assert_int_equal(outcome->status, 200);
	assert_non_null(strstr(outcome->message, "cannot be used: it shouts"));
	assert_false(counting.has_ended);
	http_outcome_free(outcome);
}

static void an_end_that_it_refuses_is_unreadable(void **state)
{
	struct counting counting = {.ends = HTTP_FILTER_E_UNREADABLE};
	struct http_outcome *outcome = ask_script(&counting, "HTTP/1.1 200 OK\r\n\r\nabc");

	(void)state;
	assert_kind(outcome, HTTP_UNREADABLE);
	assert_non_null(strstr(outcome->message, "it is not over"));
	http_outcome_free(outcome);
}

static void what_it_cannot_store_is_named_as_the_reason(void **state)
{
	struct counting counting = {.fails = -ENOSPC};
	struct http_outcome *outcome = ask_script(&counting, "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n!");

	(void)state;
	assert_kind(outcome, HTTP_NOT_STORED);
	assert_int_equal(outcome->error, -ENOSPC);
	http_outcome_free(outcome);
}

/* Cut short is cut short: nobody asks the filter whether that was all. */
static void an_incomplete_reply_has_no_end(void **state)
{
	struct counting counting = {0};
	struct http_outcome *outcome = ask_script(&counting, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc");

	(void)state;
	assert_kind(outcome, HTTP_AMBIGUOUS);
	assert_int_equal(counting.bytes, 3);
	assert_false(counting.has_ended);
	http_outcome_free(outcome);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_it_lets_through_is_the_body),
		cmocka_unit_test(the_limit_is_that_of_what_stays),
		cmocka_unit_test(what_is_no_success_does_not_pass_it),
		cmocka_unit_test(what_it_refuses_is_unreadable),
		cmocka_unit_test(an_end_that_it_refuses_is_unreadable),
		cmocka_unit_test(what_it_cannot_store_is_named_as_the_reason),
		cmocka_unit_test(an_incomplete_reply_has_no_end),
	};

	return cmocka_run_group_tests_name("http.filter", tests, NULL, NULL);
}
