/*
 * Downloads: streamed to a file, resumed by Range, and a file that is touched only by what belongs into it.
 */
#include "http/fixture.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define VIDEO_BYTES (5 * 1000 * 1000)

struct script {
	const char *reply;
	const char *wanted_header; /* that the request must carry; NULL: must carry no Range */
};

static void serve_script(struct connection *connection)
{
	const struct script *script = connection->server->script;

	if (!connection_read_request(connection))
		return;
	if (script->wanted_header ? !strstr(connection->request, script->wanted_header)
				  : strstr(connection->request, "\r\nRange:") != NULL)
		connection_say(connection, "HTTP/1.1 500 Wrong Request\r\nContent-Length: 0\r\n\r\n");
	else
		connection_say(connection, "%s", script->reply);
}

static struct http_request download(const struct server *server, int fd)
{
	struct http_request request = get(server);

	request.lane = HTTP_LANE_TRANSFER;
	request.sink = HTTP_SINK_FILE;
	request.fd = fd;
	return request;
}

static int file_with(const char *content)
{
	int fd = new_file();

	assert_int_equal(write(fd, content, strlen(content)), strlen(content));
	return fd;
}

/* One download by @request, whose URL is filled in, from a server that answers by @script. */
static struct http_outcome *fetch(struct http_request request, const struct script *script)
{
	struct http *http = client_new(NULL);
	struct http_outcome *outcome;
	struct server server;

	server_start(&server, serve_script, script);
	request.url = url_of(&server, "/video.mp4");
	outcome = exchange(http, &request);
	http_free(http);
	server_stop(&server);
	return outcome;
}

static char video_byte(size_t i)
{
	return (char)(i * 31 + i / 251);
}

static void serve_video(struct connection *connection)
{
	char *video = malloc(VIDEO_BYTES);

	for (size_t i = 0; video && i < VIDEO_BYTES; i++)
		video[i] = video_byte(i);
	while (video && connection_read_request(connection)) {
		connection_say(connection, "HTTP/1.1 200 OK\r\nContent-Type: video/mp4\r\nContent-Length: %d\r\n\r\n",
			       VIDEO_BYTES);
		connection_write(connection, video, VIDEO_BYTES);
	}
	free(video);
}

static void a_video_is_streamed_to_its_file(void **state)
{
	struct http *http = client_new(NULL);
	char *stored = malloc(VIDEO_BYTES);
	struct http_request request;
	struct http_outcome *outcome;
	struct server server;
	int fd = new_file();

	(void)state;
	assert_non_null(stored);
	server_start(&server, serve_video, NULL);
	request = download(&server, fd);
	outcome = exchange(http, &request);
	assert_kind(outcome, HTTP_REPLY);
	assert_true(outcome->is_in_file);
	assert_int_equal(outcome->body.capacity, 0);
	assert_int_equal(outcome->bytes_written, VIDEO_BYTES);
	assert_int_equal(outcome->declared_bytes, VIDEO_BYTES);
	assert_int_equal(lseek(fd, 0, SEEK_END), VIDEO_BYTES);
	assert_int_equal(pread(fd, stored, VIDEO_BYTES, 0), VIDEO_BYTES);
	for (size_t i = 0; i < VIDEO_BYTES; i++)
		if (stored[i] != video_byte(i))
			fail_msg("byte %zu differs", i);

	http_outcome_free(outcome);
	http_free(http);
	server_stop(&server);
	close(fd);
	free(stored);
}

static void the_rest_is_asked_for_and_appended(void **state)
{
	const struct script script = {
		.reply =
			"HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 4-9/10\r\nContent-Length: 6\r\n\r\n456789",
		.wanted_header = "\r\nRange: bytes=4-\r\nIf-Range: \"etag\"\r\n",
	};
	int fd = file_with("0123");
	struct http_request request = {.method = "GET",
				       .flags = HTTP_PRIVATE_NETWORK,
				       .lane = HTTP_LANE_TRANSFER,
				       .sink = HTTP_SINK_FILE,
				       .fd = fd,
				       .resume_from = 4,
				       .if_range = "\"etag\""};
	struct http_outcome *outcome = fetch(request, &script);

	(void)state;
	assert_kind(outcome, HTTP_REPLY);
	assert_int_equal(outcome->status, 206);
	assert_int_equal(outcome->file_offset, 4);
	assert_int_equal(outcome->bytes_written, 6);
	assert_int_equal(outcome->content_range.total, 10);
	assert_file(fd, "0123456789");
	http_outcome_free(outcome);
	close(fd);
}

/* A request for the rest of "0123", which gets @reply. */
static struct http_outcome *resume(int fd, const char *reply)
{
	const struct script script = {.reply = reply, .wanted_header = "\r\nRange: bytes=4-\r\n"};
	struct http_request request = {.method = "GET",
				       .flags = HTTP_PRIVATE_NETWORK,
				       .lane = HTTP_LANE_TRANSFER,
				       .sink = HTTP_SINK_FILE,
				       .fd = fd,
				       .resume_from = 4};

	return fetch(request, &script);
}

static void a_whole_reply_to_a_resume_starts_the_file_anew(void **state)
{
	int fd = file_with("0123");
	struct http_outcome *outcome = resume(fd, "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc");

	(void)state;
	assert_kind(outcome, HTTP_REPLY);
	assert_int_equal(outcome->file_offset, 0);
	assert_file(fd, "abc");
	http_outcome_free(outcome);
	close(fd);
}

static void another_range_is_no_reply_and_leaves_the_file_alone(void **state)
{
	static const char *const ranges[] = {"Content-Range: bytes 5-9/10\r\n", "Content-Range: bytes 0-9/10\r\n",
					     "Content-Range: items 4-9/10\r\n", "Content-Range: bytes */10\r\n",
					     "Content-Type: multipart/byteranges; boundary=x\r\n"};

	(void)state;
	for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
		int fd = file_with("0123");
		struct http_outcome *outcome;
		char reply[200];

		snprintf(reply, sizeof(reply), "HTTP/1.1 206 Partial Content\r\n%sContent-Length: 5\r\n\r\nabcde",
			 ranges[i]);
		outcome = resume(fd, reply);
		assert_kind(outcome, HTTP_AMBIGUOUS);
		assert_int_equal(outcome->bytes_written, 0);
		assert_file(fd, "0123");
		http_outcome_free(outcome);
		close(fd);
	}
}

static void refusals_go_to_memory_and_leave_the_file_alone(void **state)
{
	int fd = file_with("0123");
	struct http_outcome *outcome = resume(
		fd, "HTTP/1.1 416 Range Not Satisfiable\r\nContent-Range: bytes */4\r\nContent-Length: 4\r\n\r\ngone");

	(void)state;
	assert_reply(outcome, 416, "gone");
	assert_true(outcome->content_range.is_present);
	assert_int_equal(outcome->content_range.first, -1);
	assert_int_equal(outcome->content_range.total, 4);
	assert_file(fd, "0123");
	http_outcome_free(outcome);
	close(fd);
}

static struct http_outcome *fetch_at_most(int fd, uint64_t max_body_bytes, const char *reply)
{
	const struct script script = {.reply = reply};
	struct http_request request = {.method = "GET",
				       .flags = HTTP_PRIVATE_NETWORK,
				       .lane = HTTP_LANE_TRANSFER,
				       .sink = HTTP_SINK_FILE,
				       .fd = fd,
				       .max_body_bytes = max_body_bytes};

	return fetch(request, &script);
}

static void a_file_has_a_largest_size(void **state)
{
	static const char announced[] = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n0123456789";
	static const char unannounced[] = "HTTP/1.1 200 OK\r\n\r\n0123456789";
	int fd = file_with("old");
	struct http_outcome *outcome = fetch_at_most(fd, 9, announced);

	(void)state;
	assert_kind(outcome, HTTP_TOO_LARGE);
	assert_file(fd, "old");
	http_outcome_free(outcome);

	outcome = fetch_at_most(fd, 9, unannounced);
	assert_kind(outcome, HTTP_TOO_LARGE);
	assert_true(lseek(fd, 0, SEEK_END) <= 9);
	http_outcome_free(outcome);

	outcome = fetch_at_most(fd, 10, announced);
	assert_kind(outcome, HTTP_REPLY);
	assert_file(fd, "0123456789");
	http_outcome_free(outcome);
	close(fd);
}

static void a_file_cut_short_can_be_finished(void **state)
{
	int fd = new_file();
	struct http_outcome *outcome = fetch_at_most(fd, 0, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n0123");

	(void)state;
	assert_kind(outcome, HTTP_AMBIGUOUS);
	assert_true(outcome->is_in_file);
	assert_int_equal(outcome->bytes_written, 4);
	http_outcome_free(outcome);
	outcome = resume(fd, "HTTP/1.1 206 Partial\r\nContent-Range: bytes 4-9/10\r\nContent-Length: 6\r\n\r\n456789");
	assert_kind(outcome, HTTP_REPLY);
	assert_file(fd, "0123456789");
	http_outcome_free(outcome);
	close(fd);
}

static void a_file_that_refuses_is_named_as_the_reason(void **state)
{
	static const char reply[] = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n0123456789";
	int fd = new_file();
	struct http_outcome *outcome;

	(void)state;
	assert_int_equal(fcntl(fd, F_ADD_SEALS, F_SEAL_GROW), 0);
	outcome = fetch_at_most(fd, 0, reply);
	assert_kind(outcome, HTTP_NOT_STORED);
	assert_int_equal(outcome->error, -EPERM);
	assert_int_equal(outcome->status, 200);
	assert_int_equal(outcome->bytes_written, 0);
	http_outcome_free(outcome);
	close(fd);
}

static void a_memory_reply_needs_no_file(void **state)
{
	struct http *http = client_new(NULL);
	const struct script script = {.reply = "HTTP/1.1 206 Partial\r\nContent-Range: bytes 0-1/9\r\n"
					       "Content-Length: 2\r\n\r\nok"};
	struct http_request request;
	struct http_outcome *outcome;
	struct server server;

	(void)state;
	server_start(&server, serve_script, &script);
	request = get(&server);
	request.lane = HTTP_LANE_TRANSFER;
	outcome = exchange(http, &request);
	assert_reply(outcome, 206, "ok");
	http_outcome_free(outcome);
	http_free(http);
	server_stop(&server);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_video_is_streamed_to_its_file),
		cmocka_unit_test(the_rest_is_asked_for_and_appended),
		cmocka_unit_test(a_whole_reply_to_a_resume_starts_the_file_anew),
		cmocka_unit_test(another_range_is_no_reply_and_leaves_the_file_alone),
		cmocka_unit_test(refusals_go_to_memory_and_leave_the_file_alone),
		cmocka_unit_test(a_file_has_a_largest_size),
		cmocka_unit_test(a_file_cut_short_can_be_finished),
		cmocka_unit_test(a_file_that_refuses_is_named_as_the_reason),
		cmocka_unit_test(a_memory_reply_needs_no_file),
	};

	return cmocka_run_group_tests_name("http.transfer", tests, NULL, NULL);
}
