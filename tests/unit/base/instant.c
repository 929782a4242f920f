#include "base/instant.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static int64_t parsed(const char *text)
{
	int64_t ms = -1;

	assert_int_equal(instant_parse(bytes_of_text(text), &ms), 0);
	return ms;
}

static void both_forms_name_the_same_instant(void **state)
{
	(void)state;
	assert_int_equal(parsed("1970-01-01T00:00:00Z"), 0);
	assert_int_equal(parsed("2026-11-22T17:36:00Z"), INT64_C(1795368960000));
	assert_int_equal(parsed("Sun, 22 Nov 2026 17:36:00 GMT"), INT64_C(1795368960000));
	assert_int_equal(parsed("2026-11-22T18:36:00+01:00"), INT64_C(1795368960000));
	assert_int_equal(parsed("2026-11-22t10:06:00.000-07:30"), INT64_C(1795368960000));
	assert_int_equal(parsed("2024-02-29 12:00:00z"), INT64_C(1709208000000));
	assert_int_equal(parsed("2000-03-01T00:00:00Z") - parsed("2000-02-29T00:00:00Z"), 86400000);
}

static void digits_behind_the_millisecond_are_cut(void **state)
{
	(void)state;
	assert_int_equal(parsed("1970-01-01T00:00:01.5Z"), 1500);
	assert_int_equal(parsed("1970-01-01T00:00:01.123999999Z"), 1123);
}

static void what_is_no_instant_is_refused(void **state)
{
	static const char *const odd[] = {"",
					  "2026-11-22",
					  "2026-11-22T17:36:00",
					  "2026-13-01T00:00:00Z",
					  "2026-02-29T00:00:00Z",
					  "1900-02-29T00:00:00Z",
					  "2026-00-10T00:00:00Z",
					  "2026-01-00T00:00:00Z",
					  "2026-01-01T24:00:00Z",
					  "2026-01-01T00:60:00Z",
					  "2026-01-01T00:00:61Z",
					  "2026-01-01T00:00:00.Z",
					  "2026-01-01T00:00:00+25:00",
					  "2026-01-01T00:00:00Zx",
					  "Sun, 22 Nov 2026 17:36:00 CET",
					  "Sun, 22 Nox 2026 17:36:00 GMT",
					  "Sun, 22 Nov 2026 17:36:00",
					  "1763832960"};
	int64_t ms = 5;

	(void)state;
	for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++)
		assert_int_equal(instant_parse(bytes_of_text(odd[i]), &ms), INSTANT_E_MALFORMED);
	assert_int_equal(instant_parse(bytes_of(NULL, 0), &ms), INSTANT_E_MALFORMED);
	assert_int_equal(ms, 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_forms_name_the_same_instant),
		cmocka_unit_test(digits_behind_the_millisecond_are_cut),
		cmocka_unit_test(what_is_no_instant_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
