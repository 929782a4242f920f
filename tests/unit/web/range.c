#include "web/range.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static void assert_part(const char *header, uint64_t size, uint64_t from, uint64_t until)
{
	uint64_t is_from = 77, is_until = 77;

	if (range_parse(header, size, &is_from, &is_until) != RANGE_PART || is_from != from || is_until != until)
		fail_msg("'%s' of %llu is %llu to %llu", header, (unsigned long long)size, (unsigned long long)is_from,
			 (unsigned long long)is_until);
}

static void parts_are_cut_at_the_end(void **state)
{
	(void)state;
	assert_part("bytes=0-0", 10, 0, 1);
	assert_part("bytes=2-5", 10, 2, 6);
	assert_part("bytes=2-", 10, 2, 10);
	assert_part("bytes=9-9", 10, 9, 10);
	assert_part("bytes=9-100", 10, 9, 10);
	assert_part("bytes=0-18446744073709551615", 10, 0, 10);
	assert_part("Bytes= 3-4 ", 10, 3, 5);
	assert_part("bytes=-3", 10, 7, 10);
	assert_part("bytes=-10", 10, 0, 10);
	assert_part("bytes=-11", 10, 0, 10);
	assert_part("bytes=18446744073709551613-", UINT64_MAX, UINT64_MAX - 2, UINT64_MAX);
}

static void behind_the_end_there_is_nothing(void **state)
{
	static const char *const headers[] = {"bytes=10-", "bytes=10-20", "bytes=18446744073709551615-", "bytes=-0"};
	uint64_t from, until;

	(void)state;
	for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++)
		if (range_parse(headers[i], 10, &from, &until) != RANGE_UNREACHABLE)
			fail_msg("'%s' is reached", headers[i]);
	assert_int_equal(range_parse("bytes=0-", 0, &from, &until), RANGE_UNREACHABLE);
	assert_int_equal(range_parse("bytes=-1", 0, &from, &until), RANGE_UNREACHABLE);
}

static void what_is_not_understood_asks_for_the_whole(void **state)
{
	static const char *const headers[] = {"",
					      "bytes",
					      "bytes=",
					      "bytes=-",
					      "bytes=x-",
					      "bytes=1",
					      "bytes=5-2",
					      "bytes=0-1,3-4",
					      "items=0-1",
					      "bytes=1-x",
					      "bytes=--1",
					      "bytes=+1-2",
					      "bytes=0x1-",
					      "bytes=18446744073709551616-",
					      "bytes=1-18446744073709551616"};
	uint64_t from, until;

	(void)state;
	assert_int_equal(range_parse(NULL, 10, &from, &until), RANGE_WHOLE);
	for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++)
		if (range_parse(headers[i], 10, &from, &until) != RANGE_WHOLE)
			fail_msg("'%s' is taken", headers[i]);
}

static void a_mark_is_found_in_a_list(void **state)
{
	(void)state;
	assert_true(range_matches("\"ab12\"", "\"ab12\""));
	assert_true(range_matches("W/\"ab12\"", "\"ab12\""));
	assert_true(range_matches("\"x\", \"ab12\" , \"y\"", "\"ab12\""));
	assert_true(range_matches("*", "\"ab12\""));
	assert_false(range_matches(NULL, "\"ab12\""));
	assert_false(range_matches("\"ab\"", "\"ab12\""));
	assert_false(range_matches("ab12", "\"ab12\""));
	assert_false(range_matches("\"ab12\"x", "\"ab12\""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parts_are_cut_at_the_end),
		cmocka_unit_test(behind_the_end_there_is_nothing),
		cmocka_unit_test(what_is_not_understood_asks_for_the_whole),
		cmocka_unit_test(a_mark_is_found_in_a_list),
	};

	return cmocka_run_group_tests_name("web.range", tests, NULL, NULL);
}
