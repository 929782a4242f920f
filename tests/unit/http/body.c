/*
 * Bodies of several pieces: what arrives is what the pieces say, with a length that is known before, once, and without
 * the file in memory.
 */
#include "http/supply.h"

#include "base/base64.h"
#include "base/err.h"
#include "base/limits.h"
#include "http/fixture.h"

#include <unistd.h>

/* Bytes that repeat with no power of two. */
static char *pattern(size_t size)
{
	char *data = malloc(size + 1);

	assert_non_null(data);
	for (size_t i = 0; i < size; i++)
		data[i] = (char)(i * 31 % 251);
	return data;
}

static int file_of(const char *data, size_t size)
{
	int fd = new_file();

	assert_int_equal(write(fd, data, size), (ssize_t)size);
	return fd;
}

static struct http_piece piece_of(int fd, size_t size, bool is_base64)
{
	return (struct http_piece){.is_file = true, .is_base64 = is_base64, .fd = fd, .size_bytes = size};
}

/* Reads all of it in bites of @bite bytes. */
static void must_read(const struct http_request *request, size_t bite, const struct buffer *expected)
{
	_cleanup_(supply_finish) struct supply supply;
	_cleanup_(buffer_finish) struct buffer got = {0};
	char *data = malloc(bite);
	ssize_t n;

	assert_non_null(data);
	assert_int_equal(supply_init(&supply, request), 0);
	assert_int_equal(supply.size_bytes, expected->len);
	assert_int_equal(supply_size_of(request), expected->len);
	while ((n = supply_read(&supply, data, bite)) > 0)
		assert_int_equal(buffer_append(&got, data, (size_t)n), 0);
	assert_int_equal(n, 0);
	assert_true(bytes_equal(buffer_bytes(&got), buffer_bytes(expected)));
	free(data);
}

static void pieces_are_read_in_order_whatever_the_bite(void **state)
{
	static const size_t sizes[] = {0, 1, 2, 3, 4, 49151, 49152, 49153, 150000};
	static const size_t bites[] = {1, 3, 7, 4096, 65536, 1000000};

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		char *data = pattern(sizes[i]);
		int fd = file_of(data, sizes[i]);
		const struct http_piece pieces[] = {piece_of(fd, sizes[i], true),
						    {.text = bytes_of_text("|")},
						    piece_of(fd, sizes[i], false),
						    {.text = bytes_of_text("!")}};
		const struct http_request request = {.body = bytes_of_text("<"), .pieces = pieces, .piece_count = 4};
		struct buffer expected = {0};

		buffer_append_text(&expected, "<");
		base64_append(&expected, bytes_of(data, sizes[i]));
		buffer_append_text(&expected, "|");
		buffer_append(&expected, data, sizes[i]);
		buffer_append_text(&expected, "!");
		for (size_t k = sizes[i] > 1000 ? 2 : 0; k < sizeof(bites) / sizeof(bites[0]); k++)
			must_read(&request, bites[k], &expected);
		buffer_finish(&expected);
		close(fd);
		free(data);
	}
}

/* What was received behind the head, compared with what should have come. */
struct expected {
	struct bytes body;
	atomic_int matches;
};

static void serve_and_compare(struct connection *connection)
{
	struct expected *expected = (struct expected *)(uintptr_t)connection->server->script;
	size_t size = expected->body.len + 8192, len = 0, n;
	char *all = calloc(1, size + 1);
	const char *body = NULL;
	char length[64];

	snprintf(length, sizeof(length), "Content-Length: %zu\r\n", expected->body.len);
	while (all && (!body || len - (size_t)(body - all) < expected->body.len)) {
		n = connection_read(connection, all + len, size - len);
		if (n == 0)
			break;
		len += n;
		body = body                              ? body
		       : memmem(all, len, "\r\n\r\n", 4) ? (char *)memmem(all, len, "\r\n\r\n", 4) + 4
							 : NULL;
	}
	if (body && memmem(all, (size_t)(body - all), length, strlen(length)) &&
	    !memmem(all, (size_t)(body - all), "chunked", 7) &&
	    bytes_equal(bytes_of(body, len - (size_t)(body - all)), expected->body))
		atomic_fetch_add(&expected->matches, 1);
	free(all);
	connection_say(connection, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
}

static void a_body_of_pieces_arrives_with_its_length(void **state)
{
	static const size_t size = 1000001;
	struct http *http = client_new(NULL);
	char *data = pattern(size);
	int fd = file_of(data, size);
	const struct http_piece pieces[] = {piece_of(fd, size, true), {.text = bytes_of_text("\"}")}};
	struct buffer whole = {0};
	struct expected expected = {0};
	struct http_request request;
	struct http_outcome *outcome;
	struct server server;

	(void)state;
	buffer_append_text(&whole, "{\"image\":\"");
	base64_append(&whole, bytes_of(data, size));
	buffer_append_text(&whole, "\"}");
	expected.body = buffer_bytes(&whole);
	server_start(&server, serve_and_compare, &expected);
	request = paid_post(&server);
	request.body = bytes_of_text("{\"image\":\"");
	request.pieces = pieces;
	request.piece_count = 2;
	request.lane = HTTP_LANE_TRANSFER;
	outcome = exchange(http, &request);
	assert_reply(outcome, 200, "ok");
	http_outcome_free(outcome);
	http_free(http);
	server_stop(&server);
	assert_int_equal(atomic_load(&expected.matches), 1);
	assert_int_equal(atomic_load(&server.connections), 1);
	buffer_finish(&whole);
	close(fd);
	free(data);
}

static void a_file_of_another_size_is_not_sent(void **state)
{
	struct http *http = client_new(NULL);
	int fd = file_of("12345", 5);
	struct http_piece piece = piece_of(fd, 6, false);
	struct http_request request = {.method = "PUT",
				       .url = "http://127.0.0.1:9/",
				       .flags = HTTP_PRIVATE_NETWORK,
				       .pieces = &piece,
				       .piece_count = 1};
	struct http_outcome *outcome;

	(void)state;
	outcome = exchange(http, &request);
	assert_kind(outcome, HTTP_INVALID);
	assert_false(outcome->may_have_left);
	assert_non_null(strstr(outcome->message, "size"));
	http_outcome_free(outcome);
	http_free(http);
	close(fd);
}

/* Takes the head, then shortens the file under the reader's feet. */
static void serve_and_shorten(struct connection *connection)
{
	char scratch[16];

	connection_read(connection, scratch, sizeof(scratch));
	if (ftruncate(*(const int *)connection->server->script, 4096) == 0)
		while (connection_read(connection, scratch, sizeof(scratch)))
			;
}

static void a_file_that_ends_too_early_leaves_the_request_in_doubt(void **state)
{
	static const size_t size = 64 << 20;
	struct http *http = client_new(NULL);
	int fd = new_file();
	struct http_piece piece = piece_of(fd, size, false);
	struct http_request request;
	struct http_outcome *outcome;
	struct server server;

	(void)state;
	assert_int_equal(ftruncate(fd, (off_t)size), 0);
	server_start(&server, serve_and_shorten, &fd);
	request = paid_post(&server);
	request.body = bytes_of(NULL, 0);
	request.pieces = &piece;
	request.piece_count = 1;
	outcome = exchange(http, &request);
	assert_kind(outcome, HTTP_AMBIGUOUS);
	assert_true(outcome->may_have_left);
	assert_int_equal(outcome->error, -ENODATA);
	assert_non_null(strstr(outcome->message, "could not be read"));
	http_outcome_free(outcome);
	http_free(http);
	server_stop(&server);
	assert_int_equal(atomic_load(&server.connections), 1);
	close(fd);
}

static void pieces_count_towards_the_largest_body(void **state)
{
	struct http_piece pieces[2] = {{.is_file = true, .size_bytes = LIMIT_HTTP_REQUEST_BODY},
				       {.is_file = true, .size_bytes = UINT64_MAX}};
	struct http_request request = {
		.method = "GET", .url = "https://provider.example/", .pieces = pieces, .piece_count = 1};
	struct http *http = client_new(NULL);
	struct http_outcome *outcome = exchange(http, &request);

	(void)state;
	assert_kind(outcome, HTTP_INVALID);
	assert_non_null(strstr(outcome->message, "no body"));
	http_outcome_free(outcome);
	request.method = "POST";
	request.body = bytes_of_text("x");
	for (request.piece_count = 1; request.piece_count <= 2; request.piece_count++) {
		outcome = exchange(http, &request);
		assert_kind(outcome, HTTP_INVALID);
		assert_non_null(strstr(outcome->message, "larger"));
		http_outcome_free(outcome);
	}
	http_free(http);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pieces_are_read_in_order_whatever_the_bite),
		cmocka_unit_test(a_body_of_pieces_arrives_with_its_length),
		cmocka_unit_test(a_file_of_another_size_is_not_sent),
		cmocka_unit_test(a_file_that_ends_too_early_leaves_the_request_in_doubt),
		cmocka_unit_test(pieces_count_towards_the_largest_body),
	};

	return cmocka_run_group_tests_name("http.body", tests, NULL, NULL);
}
