#include "http/head.h"

#include "base/limits.h"
#include "http/fixture.h"

/* A head of @lines, each ended by a newline of its own. */
static struct head head_of(const char *lines)
{
	struct head head;

	head_init(&head, 65536);
	while (*lines) {
		const char *end = strchr(lines, '\n') + 1;

		assert_int_equal(head_add_line(&head, bytes_of(lines, (size_t)(end - lines))), 0);
		lines = end;
	}
	return head;
}

static void names_and_values_are_trimmed_and_continued_lines_joined(void **state)
{
	struct http_outcome *outcome = calloc(1, sizeof(*outcome));
	struct head head = head_of("HTTP/1.1 200 OK\r\n"
				   "A:1\r\n"
				   "B :  two words \t\r\n"
				   "Empty:\r\n"
				   "Blank:   \r\n"
				   "no colon here\r\n"
				   "Folded: one\r\n"
				   "   two\r\n"
				   "Last: x\n"
				   "\r\n");

	(void)state;
	assert_non_null(outcome);
	assert_true(head.is_complete);
	assert_int_equal(head_move(&head, outcome), 0);
	assert_int_equal(outcome->status, 200);
	assert_int_equal(outcome->header_count, 6);
	assert_string_equal(http_outcome_header(outcome, "a"), "1");
	assert_string_equal(http_outcome_header(outcome, "b"), "two words");
	assert_string_equal(http_outcome_header(outcome, "empty"), "");
	assert_string_equal(http_outcome_header(outcome, "blank"), "");
	assert_non_null(strstr(http_outcome_header(outcome, "folded"), "one"));
	assert_non_null(strstr(http_outcome_header(outcome, "folded"), "two"));
	assert_null(strpbrk(http_outcome_header(outcome, "folded"), "\r\n"));
	assert_string_equal(http_outcome_header(outcome, "last"), "x");
	head_finish(&head);
	http_outcome_free(outcome);
}

static void a_head_is_complete_only_behind_its_empty_line(void **state)
{
	struct head head = head_of("HTTP/1.1 200 OK\r\nA: 1\r\n");

	(void)state;
	assert_false(head.is_complete);
	head_finish(&head);
	head = head_of("HTTP/1.1 103 Early\r\nA: 1\r\n\r\n");
	assert_false(head.is_complete);
	head_finish(&head);
	head = head_of("HTTP/1.1 101 Switching\r\nA: 1\r\n\r\n");
	assert_false(head.is_complete);
	head_finish(&head);
}

static void trailers_change_nothing_but_count(void **state)
{
	struct head head = head_of("HTTP/1.1 200 OK\r\nA: 1\r\n\r\nB: 2\r\n");

	(void)state;
	assert_null(head_value(&head, "B").data);
	assert_int_equal(head.seen_lines, 4);
	head_finish(&head);
}

static int64_t declared(const char *value)
{
	struct head head;
	char text[128];
	int64_t bytes;

	snprintf(text, sizeof(text), "HTTP/1.1 200 OK\r\nContent-Length: %s\r\n\r\n", value);
	head = head_of(text);
	bytes = head_declared_bytes(&head);
	head_finish(&head);
	return bytes;
}

static void lengths_are_digits_or_nothing(void **state)
{
	(void)state;
	assert_int_equal(declared("0"), 0);
	assert_int_equal(declared("123456789012"), 123456789012);
	assert_int_equal(declared("999999999999999999"), 999999999999999999);
	assert_int_equal(declared("9999999999999999999"), -1);
	assert_int_equal(declared("-1"), -1);
	assert_int_equal(declared("1 2"), -1);
	assert_int_equal(declared("0x10"), -1);
	assert_int_equal(declared(""), -1);
}

static struct http_range range(const char *value)
{
	struct head head;
	struct http_range range;
	char text[128];

	snprintf(text, sizeof(text), "HTTP/1.1 206 P\r\nContent-Range: %s\r\n\r\n", value);
	head = head_of(text);
	range = head_content_range(&head);
	head_finish(&head);
	return range;
}

static void ranges_are_read_strictly(void **state)
{
	static const char *const bad[] = {
		"bytes 5-4/10", "bytes 5-10/10", "bytes -5/10",  "bytes 5-/10",           "bytes 5-9",
		"bytes 5-9/",   "5-9/10",        "bytes=5-9/10", "bytes 5-9/10 trailing", ""};
	struct http_range read = range("bytes 5-9/10");

	(void)state;
	assert_true(read.is_present);
	assert_int_equal(read.first, 5);
	assert_int_equal(read.last, 9);
	assert_int_equal(read.total, 10);
	read = range("Bytes 0-0/*");
	assert_true(read.is_present);
	assert_int_equal(read.last, 0);
	assert_int_equal(read.total, -1);
	read = range("bytes */10");
	assert_true(read.is_present);
	assert_int_equal(read.first, -1);
	assert_int_equal(read.total, 10);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (range(bad[i]).is_present)
			fail_msg("'%s' was taken for a range", bad[i]);
}

static int64_t wait_of(const char *name, const char *value, const char *date)
{
	struct http_header headers[] = {
		{.name = "X", .value = "y"}, {.name = name, .value = value}, {.name = "Date", .value = date}};
	const struct http_outcome outcome = {.headers = headers, .header_count = date ? 3 : 2};

	/* 2026-11-22T12:00:00Z */
	return http_retry_after_ms(&outcome, INT64_C(1795348800000));
}

static void retry_after_is_read_in_all_its_forms(void **state)
{
	(void)state;
	assert_int_equal(wait_of("Retry-After", "120", NULL), 120000);
	assert_int_equal(wait_of("retry-after", "0", NULL), 0);
	assert_int_equal(wait_of("Retry-After", "1.5", NULL), 1500);
	assert_int_equal(wait_of("Retry-After-Ms", "250", NULL), 250);
	assert_int_equal(wait_of("Retry-After-Ms", "250.75", NULL), 250);
	assert_int_equal(wait_of("Retry-After", "Sun, 22 Nov 2026 12:00:30 GMT", NULL), 30000);
	assert_int_equal(wait_of("Retry-After", "Sunday, 22-Nov-26 12:00:30 GMT", NULL), 30000);
	assert_int_equal(wait_of("Retry-After", "Sun Nov 22 12:00:30 2026", NULL), 30000);
	assert_int_equal(wait_of("Retry-After", "Sun, 22 Nov 2026 11:00:00 GMT", NULL), 0);
}

static void a_retry_date_is_measured_against_the_servers_own_clock(void **state)
{
	(void)state;
	assert_int_equal(wait_of("Retry-After", "Sun, 22 Nov 2026 15:00:30 GMT", "Sun, 22 Nov 2026 15:00:00 GMT"),
			 30000);
	assert_int_equal(wait_of("Retry-After", "Sun, 22 Nov 2026 12:00:30 GMT", "no date"), 30000);
	assert_int_equal(wait_of("Retry-After", "7", "Sun, 22 Nov 2026 15:00:00 GMT"), 7000);
}

static void retry_after_has_a_limit_and_a_no(void **state)
{
	static const char *const bad[] = {
		"", "-5", "soon", "12x", "1.5s", "1e3", " ", "NaN", "Sun, 00638468606 Nov 14 06:49:57 GMT"};

	(void)state;
	assert_int_equal(wait_of("Retry-After", "86400", NULL), LIMIT_HTTP_RETRY_AFTER_MS);
	assert_int_equal(wait_of("Retry-After", "86401", NULL), LIMIT_HTTP_RETRY_AFTER_MS);
	assert_int_equal(wait_of("Retry-After", "99999999999999999999999999", NULL), LIMIT_HTTP_RETRY_AFTER_MS);
	assert_int_equal(wait_of("Retry-After", "Sun, 22 Nov 2099 12:00:00 GMT", NULL), LIMIT_HTTP_RETRY_AFTER_MS);
	assert_int_equal(wait_of("Retry-After", "Fri, 31 Dec 9999 23:59:59 GMT", NULL), LIMIT_HTTP_RETRY_AFTER_MS);
	assert_int_equal(wait_of("Other", "120", NULL), -1);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (wait_of("Retry-After", bad[i], NULL) != -1)
			fail_msg("'%s' was read as %lld", bad[i], (long long)wait_of("Retry-After", bad[i], NULL));
}

static void an_unreadable_precise_wait_falls_back_to_the_usual_one(void **state)
{
	struct http_header headers[] = {{.name = "retry-after-ms", .value = "?"},
					{.name = "retry-after", .value = "2"}};
	const struct http_outcome outcome = {.headers = headers, .header_count = 2};

	(void)state;
	assert_int_equal(http_retry_after_ms(&outcome, 0), 2000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_and_values_are_trimmed_and_continued_lines_joined),
		cmocka_unit_test(a_head_is_complete_only_behind_its_empty_line),
		cmocka_unit_test(trailers_change_nothing_but_count),
		cmocka_unit_test(lengths_are_digits_or_nothing),
		cmocka_unit_test(ranges_are_read_strictly),
		cmocka_unit_test(retry_after_is_read_in_all_its_forms),
		cmocka_unit_test(a_retry_date_is_measured_against_the_servers_own_clock),
		cmocka_unit_test(retry_after_has_a_limit_and_a_no),
		cmocka_unit_test(an_unreadable_precise_wait_falls_back_to_the_usual_one),
	};

	return cmocka_run_group_tests_name("http.head", tests, NULL, NULL);
}
