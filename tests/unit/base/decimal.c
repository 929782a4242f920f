#include "base/decimal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static int64_t parsed(const char *text, unsigned int scale)
{
	int64_t value = -1;

	assert_int_equal(decimal_parse(bytes_of_text(text), scale, &value), 0);
	return value;
}

static void refused(const char *text, unsigned int scale, int outcome)
{
	int64_t value = 77;

	assert_int_equal(decimal_parse(bytes_of_text(text), scale, &value), outcome);
	assert_int_equal(value, 77);
}

static void money_is_read_exactly(void **state)
{
	(void)state;
	assert_int_equal(parsed("0.0385", 6), 38500);
	assert_int_equal(parsed("12", 6), 12000000);
	assert_int_equal(parsed("-0.05", 2), -5);
	assert_int_equal(parsed("5.042", 3), 5042);
	assert_int_equal(parsed("1.5e3", 0), 1500);
	assert_int_equal(parsed("25E-1", 1), 25);
	assert_int_equal(parsed("0.000", 0), 0);
	assert_int_equal(parsed("10.00", 0), 10);
	assert_int_equal(parsed("0e99999999999", 3), 0);
}

static void digits_behind_the_scale_are_refused_not_rounded(void **state)
{
	(void)state;
	refused("0.5", 0, DECIMAL_E_INEXACT);
	refused("0.0000001", 6, DECIMAL_E_INEXACT);
	refused("1e-1", 0, DECIMAL_E_INEXACT);
	refused("5e-99", 18, DECIMAL_E_INEXACT);
}

static void the_range_ends_where_int64_ends(void **state)
{
	(void)state;
	assert_int_equal(parsed("9223372036854775807", 0), INT64_MAX);
	assert_int_equal(parsed("-9223372036854775808", 0), INT64_MIN);
	refused("9223372036854775808", 0, DECIMAL_E_RANGE);
	refused("-9223372036854775809", 0, DECIMAL_E_RANGE);
	refused("1e19", 0, DECIMAL_E_RANGE);
	refused("1e999999999", 0, DECIMAL_E_RANGE);
	assert_int_equal(parsed("9.223372036854775807", 18), INT64_MAX);
	refused("10", 18, DECIMAL_E_RANGE);
}

static void seeds_beyond_int64_are_read_unsigned(void **state)
{
	uint64_t value = 0;

	(void)state;
	assert_int_equal(decimal_parse_unsigned(bytes_of_text("17454220438242315174"), &value), 0);
	assert_true(value == UINT64_C(17454220438242315174));
	assert_int_equal(decimal_parse_unsigned(bytes_of_text("18446744073709551615"), &value), 0);
	assert_int_equal(decimal_parse_unsigned(bytes_of_text("18446744073709551616"), &value), DECIMAL_E_RANGE);
	assert_int_equal(decimal_parse_unsigned(bytes_of_text("-1"), &value), DECIMAL_E_RANGE);
	assert_int_equal(decimal_parse_unsigned(bytes_of_text("-0"), &value), 0);
}

static void what_json_does_not_call_a_number_is_refused(void **state)
{
	static const char *const odd[] = {"",    "-",   "+1", "01", "1.",  ".5",  "1e",    "1e+",  "0x10",
					  "NaN", "inf", "1 ", " 1", "1,5", "--1", "1.2.3", "1e1.5"};

	(void)state;
	for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
		assert_false(decimal_is_number(bytes_of_text(odd[i])));
		refused(odd[i], 0, DECIMAL_E_MALFORMED);
	}
	assert_false(decimal_is_number(bytes_of("1\0", 2)));
}

static void formatting_gives_the_shortest_text_that_reads_back(void **state)
{
	static const struct {
		int64_t value;
		unsigned int scale;
		const char *text;
	} cases[] = {
		{5000, 3, "5"},
		{5042, 3, "5.042"},
		{5, 3, "0.005"},
		{-50, 3, "-0.05"},
		{0, 6, "0"},
		{100, 0, "100"},
		{INT64_MIN, 0, "-9223372036854775808"},
		{INT64_MIN, 18, "-9.223372036854775808"},
	};
	char text[DECIMAL_TEXT_SIZE];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		decimal_format(cases[i].value, cases[i].scale, text);
		assert_string_equal(text, cases[i].text);
		assert_int_equal(parsed(text, cases[i].scale), cases[i].value);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(money_is_read_exactly),
		cmocka_unit_test(digits_behind_the_scale_are_refused_not_rounded),
		cmocka_unit_test(the_range_ends_where_int64_ends),
		cmocka_unit_test(seeds_beyond_int64_are_read_unsigned),
		cmocka_unit_test(what_json_does_not_call_a_number_is_refused),
		cmocka_unit_test(formatting_gives_the_shortest_text_that_reads_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
