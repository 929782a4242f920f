#include "protojson/moment.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

static void timestamp(const char *text, int64_t seconds, int32_t nanos, const char *canonical)
{
	char written[MOMENT_TEXT_SIZE];
	struct moment moment;

	if (!moment_read_timestamp(bytes_of_text(text), &moment))
		fail_msg("%s is refused", text);
	assert_int_equal(moment.seconds, seconds);
	assert_int_equal(moment.nanos, nanos);
	assert_true(moment_write_timestamp(&moment, written));
	assert_string_equal(written, canonical);
}

static void duration(const char *text, int64_t seconds, int32_t nanos, const char *canonical)
{
	char written[MOMENT_TEXT_SIZE];
	struct moment moment;

	if (!moment_read_duration(bytes_of_text(text), &moment))
		fail_msg("%s is refused", text);
	assert_int_equal(moment.seconds, seconds);
	assert_int_equal(moment.nanos, nanos);
	assert_true(moment_write_duration(&moment, written));
	assert_string_equal(written, canonical);
}

static void timestamps_have_0_3_6_or_9_digits(void **state)
{
	(void)state;
	timestamp("1970-01-01T00:00:00Z", 0, 0, "1970-01-01T00:00:00Z");
	timestamp("1970-01-01T00:00:00.000000Z", 0, 0, "1970-01-01T00:00:00Z");
	timestamp("1970-01-01T00:00:00.1Z", 0, 100000000, "1970-01-01T00:00:00.100Z");
	timestamp("1970-01-01T00:00:00.1234Z", 0, 123400000, "1970-01-01T00:00:00.123400Z");
	timestamp("1970-01-01T00:00:00.000000001Z", 0, 1, "1970-01-01T00:00:00.000000001Z");
	timestamp("1969-12-31T23:59:59.5Z", -1, 500000000, "1969-12-31T23:59:59.500Z");
}

static void timestamps_are_turned_to_utc(void **state)
{
	(void)state;
	timestamp("2026-11-30T22:30:00+01:30", 1796072400, 0, "2026-11-30T21:00:00Z");
	timestamp("2026-11-30T20:00:00.25-01:00", 1796072400, 250000000, "2026-11-30T21:00:00.250Z");
	timestamp("2026-11-30T21:00:00-00:00", 1796072400, 0, "2026-11-30T21:00:00Z");
}

static void leap_years_are_those_of_the_calendar(void **state)
{
	struct moment moment;

	(void)state;
	timestamp("2000-02-29T00:00:00Z", 951782400, 0, "2000-02-29T00:00:00Z");
	timestamp("2024-02-29T23:59:59Z", 1709251199, 0, "2024-02-29T23:59:59Z");
	assert_false(moment_read_timestamp(bytes_of_text("1900-02-29T00:00:00Z"), &moment));
	assert_false(moment_read_timestamp(bytes_of_text("2026-02-29T00:00:00Z"), &moment));
}

static void timestamps_are_of_the_years_1_to_9999(void **state)
{
	static const char *const bad[] = {
		"0000-12-31T23:59:59Z",
		"0001-01-01T00:00:00+00:01",
		"9999-12-31T23:59:59-00:01",
		"10000-01-01T00:00:00Z",
	};
	struct moment moment;

	(void)state;
	timestamp("0001-01-01T00:00:00Z", -62135596800, 0, "0001-01-01T00:00:00Z");
	timestamp("0001-03-01T00:00:00Z", -62130499200, 0, "0001-03-01T00:00:00Z");
	timestamp("9999-12-31T23:59:59.999999999Z", 253402300799, 999999999, "9999-12-31T23:59:59.999999999Z");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (moment_read_timestamp(bytes_of_text(bad[i]), &moment))
			fail_msg("%s is read", bad[i]);
}

static void what_is_no_timestamp_is_refused(void **state)
{
	static const char *const bad[] = {
		"",
		"2026",
		"2026-11-30",
		"2026-11-30T21:00:00",
		"2026-11-30t21:00:00Z",
		"2026-11-30T21:00:00z",
		"2026-11-30 21:00:00Z",
		"2026-11-30T21:00Z",
		"2026-11-30T24:00:00Z",
		"2026-11-30T21:60:00Z",
		"2026-11-30T21:00:60Z",
		"2026-13-30T21:00:00Z",
		"2026-00-30T21:00:00Z",
		"2026-11-31T21:00:00Z",
		"2026-11-00T21:00:00Z",
		"2026-1-30T21:00:00Z",
		"2026-11-30T21:00:00.Z",
		"2026-11-30T21:00:00.0123456789Z",
		"2026-11-30T21:00:00+0100",
		"2026-11-30T21:00:00+24:00",
		"2026-11-30T21:00:00+01:60",
		"2026-11-30T21:00:00ZZ",
		" 2026-11-30T21:00:00Z",
		"+026-11-30T21:00:00Z",
		"-026-11-30T21:00:00Z",
		"2026-11-30T21:00:00,5Z",
		"2026-11-30T-1:00:00Z",
	};
	struct moment moment;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (moment_read_timestamp(bytes_of_text(bad[i]), &moment))
			fail_msg("%s is read", bad[i]);
}

static void instants_come_back_for_ten_thousand_years(void **state)
{
	char text[MOMENT_TEXT_SIZE];
	struct moment moment = {.seconds = -62135596800};
	struct moment back;

	(void)state;
	for (; moment.seconds <= 253402300799; moment.seconds += 7 * 86400 + 1) {
		assert_true(moment_write_timestamp(&moment, text));
		assert_true(moment_read_timestamp(bytes_of_text(text), &back));
		assert_true(back.seconds == moment.seconds);
	}
}

static void durations_have_a_sign_and_0_3_6_or_9_digits(void **state)
{
	(void)state;
	duration("0s", 0, 0, "0s");
	duration("-0s", 0, 0, "0s");
	duration("1.5s", 1, 500000000, "1.500s");
	duration("-1.5s", -1, -500000000, "-1.500s");
	duration("-0.5s", 0, -500000000, "-0.500s");
	duration("3.0s", 3, 0, "3s");
	duration("0.000001s", 0, 1000, "0.000001s");
	duration("0.000000001s", 0, 1, "0.000000001s");
	duration("315576000000s", 315576000000, 0, "315576000000s");
	duration("-315576000000.999999999s", -315576000000, -999999999, "-315576000000.999999999s");
}

static void what_is_no_duration_is_refused(void **state)
{
	static const char *const bad[] = {
		"",
		"s",
		"1",
		"1.5",
		"-s",
		"--1s",
		"+1s",
		".5s",
		"1.s",
		"1.0123456789s",
		"1e3s",
		"01s",
		"1 s",
		" 1s",
		"1ss",
		"1S",
		"1.5.5s",
		"-",
		"315576000001s",
		"-315576000001s",
		"99999999999999999999999999s",
		"0x1s",
	};
	struct moment moment;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (moment_read_duration(bytes_of_text(bad[i]), &moment))
			fail_msg("%s is read", bad[i]);
}

static void what_is_out_of_range_is_not_written(void **state)
{
	static const struct moment timestamps[] = {{-62135596801, 0}, {253402300800, 0}, {0, -1}, {0, 1000000000}};
	static const struct moment durations[] = {{315576000001, 0}, {-315576000001, 0}, {1, -1},
						  {-1, 1},           {0, 1000000000},    {0, -1000000000}};
	char text[MOMENT_TEXT_SIZE];

	(void)state;
	for (size_t i = 0; i < sizeof(timestamps) / sizeof(timestamps[0]); i++)
		assert_false(moment_write_timestamp(&timestamps[i], text));
	for (size_t i = 0; i < sizeof(durations) / sizeof(durations[0]); i++)
		assert_false(moment_write_duration(&durations[i], text));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(timestamps_have_0_3_6_or_9_digits),
		cmocka_unit_test(timestamps_are_turned_to_utc),
		cmocka_unit_test(leap_years_are_those_of_the_calendar),
		cmocka_unit_test(timestamps_are_of_the_years_1_to_9999),
		cmocka_unit_test(what_is_no_timestamp_is_refused),
		cmocka_unit_test(instants_come_back_for_ten_thousand_years),
		cmocka_unit_test(durations_have_a_sign_and_0_3_6_or_9_digits),
		cmocka_unit_test(what_is_no_duration_is_refused),
		cmocka_unit_test(what_is_out_of_range_is_not_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
