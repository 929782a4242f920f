#include "base/quote.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static void what_is_seen_stays_and_what_is_not_is_written_out(void **state)
{
	static const struct {
		const char *text;
		const char *quoted;
	} rows[] = {
		{"", ""},
		{"a 'plain' \\ text", "a 'plain' \\ text"},
		{"\xc3\xa4\xe2\x80\xa6\xf0\x9f\x8e\xac", "\xc3\xa4\xe2\x80\xa6\xf0\x9f\x8e\xac"},
		{"\x1b[2J\n\x7f", "\\x1b[2J\\x0a\\x7f"},
		{"\xc2\x80\xc2\x9f\xc2\xa0", "\\u0080\\u009f\xc2\xa0"},
		{"\xe2\x80\xa7\xe2\x80\xa8\xe2\x80\xa9\xe2\x80\xaa", "\xe2\x80\xa7\\u2028\\u2029\\u202a"},
		{"\xe2\x80\xae\xe2\x80\xaf", "\\u202e\xe2\x80\xaf"},
		{"\xe2\x81\xa5\xe2\x81\xa6\xe2\x81\xa9\xe2\x81\xaa", "\xe2\x81\xa5\\u2066\\u2069\xe2\x81\xaa"},
		{"a\xff\xc3", "a\\xff\\xc3"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_string_equal(quote(rows[i].text).text, rows[i].quoted);
	assert_string_equal(quote(NULL).text, "");
}

static void what_is_long_is_cut_between_two_characters(void **state)
{
	char text[LIMIT_QUOTE_NAME + 10] = "";

	(void)state;
	memset(text, 'x', LIMIT_QUOTE);
	assert_string_equal(quote(text).text, text);
	memcpy(text + LIMIT_QUOTE - 1, "\xc3\xa4", 3);
	assert_int_equal(strlen(quote(text).text), LIMIT_QUOTE - 1 + strlen("…"));
	assert_string_equal(quote(text).text + LIMIT_QUOTE - 1, "…");

	memset(text, '\x1b', LIMIT_QUOTE_NAME + 9);
	assert_int_equal(strlen(quote_bytes(bytes_of_text(text), SIZE_MAX).text), 4 * LIMIT_QUOTE_NAME + strlen("…"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_seen_stays_and_what_is_not_is_written_out),
		cmocka_unit_test(what_is_long_is_cut_between_two_characters),
	};

	return cmocka_run_group_tests_name("base.quote", tests, NULL, NULL);
}
