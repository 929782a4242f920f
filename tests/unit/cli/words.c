#include "words.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define NOW_MS INT64_C(1795366800000)

static int64_t duration(const char *text)
{
	int64_t ms = -7;

	assert_int_equal(words_parse_duration(text, &ms), 0);
	return ms;
}

static void durations_are_sums_of_numbers_with_units(void **state)
{
	(void)state;
	assert_int_equal(duration("90"), 90000);
	assert_int_equal(duration("0"), 0);
	assert_int_equal(duration("1500ms"), 1500);
	assert_int_equal(duration("1.5s"), 1500);
	assert_int_equal(duration("10m"), 600000);
	assert_int_equal(duration("1h30m"), 5400000);
	assert_int_equal(duration("2d"), 172800000);
	assert_int_equal(duration("0.001s"), 1);
}

static void what_is_no_duration_is_refused_and_nothing_is_written(void **state)
{
	static const char *const bad[] = {"", "x", "5x", "-5s", "s", "1h30x", "1..5s", ".", "5 s"};
	int64_t ms = 42;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(words_parse_duration(bad[i], &ms), WORDS_E_MALFORMED);
	assert_int_equal(words_parse_duration("0.0005s", &ms), WORDS_E_RANGE);
	assert_int_equal(words_parse_duration("0.5ms", &ms), WORDS_E_RANGE);
	assert_int_equal(words_parse_duration("99999999999999999d", &ms), WORDS_E_RANGE);
	assert_int_equal(words_parse_duration("9223372036854775s9223372036854775s", &ms), WORDS_E_RANGE);
	assert_int_equal(ms, 42);
}

static void an_instant_is_a_time_or_how_long_ago(void **state)
{
	int64_t ms;

	(void)state;
	assert_int_equal(words_parse_instant("2h", NOW_MS, &ms), 0);
	assert_true(ms == NOW_MS - 7200000);
	assert_int_equal(words_parse_instant("2026-11-22T17:00:00.250Z", NOW_MS, &ms), 0);
	assert_true(ms == INT64_C(1795366800250));
	assert_int_equal(words_parse_instant("2026-11-22T18:00:00+01:00", NOW_MS, &ms), 0);
	assert_true(ms == INT64_C(1795366800000));
	assert_int_equal(words_parse_instant("yesterday", NOW_MS, &ms), WORDS_E_MALFORMED);
}

static void times_without_a_zone_are_local(void **state)
{
	int64_t day, minute;

	(void)state;
	assert_int_equal(words_parse_instant("2026-11-22", NOW_MS, &day), 0);
	assert_true(day == INT64_C(1795305600000) - 3600000);
	assert_int_equal(words_parse_instant("2026-11-22 17:05", NOW_MS, &minute), 0);
	assert_int_equal(minute - day, (17 * 60 + 5) * 60000);
	assert_string_equal(words_of_local_time(day / 1000).text, "2026-11-22 00:00:00");
}

static void a_day_that_no_calendar_has_is_none(void **state)
{
	static const char *const never[] = {"2026-11-31", "2026-02-29", "2026-02-30 12:00", "2026-04-31T00:00:00"};
	int64_t ms;

	(void)state;
	for (size_t i = 0; i < sizeof(never) / sizeof(never[0]); i++)
		assert_int_equal(words_parse_instant(never[i], NOW_MS, &ms), WORDS_E_MALFORMED);
	assert_int_equal(words_parse_instant("2028-02-29", NOW_MS, &ms), 0);
	assert_int_equal(words_parse_instant("2026-10-31", NOW_MS, &ms), 0);
}

static void durations_are_written_for_people(void **state)
{
	(void)state;
	assert_string_equal(words_of_duration(850).text, "850 ms");
	assert_string_equal(words_of_duration(4250).text, "4.2 s");
	assert_string_equal(words_of_duration(65000).text, "1 min 05 s");
	assert_string_equal(words_of_duration(7380000).text, "2 h 03 min");
	assert_string_equal(words_of_duration(INT64_C(273600000)).text, "3 d 4 h");
}

static void sizes_are_powers_of_ten(void **state)
{
	(void)state;
	assert_string_equal(words_of_size(0).text, "0 B");
	assert_string_equal(words_of_size(999).text, "999 B");
	assert_string_equal(words_of_size(1000).text, "1.0 kB");
	assert_string_equal(words_of_size(4210000).text, "4.2 MB");
	assert_string_equal(words_of_size(UINT64_C(5000000000)).text, "5.0 GB");
	assert_non_null(strstr(words_of_size(UINT64_MAX).text, "EB"));
}

static void instants_have_as_many_digits_as_they_need(void **state)
{
	(void)state;
	assert_string_equal(words_of_instant(1795366800, 0).text, "2026-11-22T17:00:00Z");
	assert_string_equal(words_of_instant(1795366800, 250000000).text, "2026-11-22T17:00:00.250Z");
	assert_string_equal(words_of_instant(1795366800, 1000).text, "2026-11-22T17:00:00.000001Z");
	assert_string_equal(words_of_instant(1795366800, 1).text, "2026-11-22T17:00:00.000000001Z");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(durations_are_sums_of_numbers_with_units),
		cmocka_unit_test(what_is_no_duration_is_refused_and_nothing_is_written),
		cmocka_unit_test(an_instant_is_a_time_or_how_long_ago),
		cmocka_unit_test(times_without_a_zone_are_local),
		cmocka_unit_test(a_day_that_no_calendar_has_is_none),
		cmocka_unit_test(durations_are_written_for_people),
		cmocka_unit_test(sizes_are_powers_of_ten),
		cmocka_unit_test(instants_have_as_many_digits_as_they_need),
	};

	/* An hour east of Greenwich, so that local and UTC cannot be mixed up. */
	setenv("TZ", "FGT-1", 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
