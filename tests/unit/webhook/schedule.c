/*
 * The pauses between tries.
 */
#include "webhook/schedule.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define DEFAULT "5 300 1800 7200 18000 36000 36000"
#define HOUR_MS INT64_C(3600000)

static void the_pauses_are_those_that_were_written_and_then_it_is_given_up(void **state)
{
	struct schedule schedule;

	(void)state;
	schedule_read(&schedule, "5 300 1800");
	assert_int_equal(schedule_next_ms(&schedule, 1, -1, 0), 5000);
	assert_int_equal(schedule_next_ms(&schedule, 2, -1, 0), 300000);
	assert_int_equal(schedule_next_ms(&schedule, 3, -1, 0), 1800000);
	assert_int_equal(schedule_next_ms(&schedule, 4, -1, 0), -1);
}

static void by_default_it_goes_on_for_more_than_a_day(void **state)
{
	struct schedule schedule;
	int64_t sum_ms = 0;

	(void)state;
	schedule_read(&schedule, DEFAULT);
	for (uint32_t step = 1; schedule_next_ms(&schedule, step, -1, 0) >= 0; step++)
		sum_ms += schedule_next_ms(&schedule, step, -1, 0);
	assert_true(sum_ms > 24 * HOUR_MS);
	assert_true(sum_ms < 48 * HOUR_MS);
}

static void chance_adds_up_to_a_tenth_and_takes_nothing_away(void **state)
{
	struct schedule schedule;
	int64_t least = INT64_MAX, most = 0;

	(void)state;
	schedule_read(&schedule, "1000");
	for (uint32_t chance = 0; chance < 5000; chance++) {
		int64_t pause_ms = schedule_next_ms(&schedule, 1, -1, chance);

		least = pause_ms < least ? pause_ms : least;
		most = pause_ms > most ? pause_ms : most;
	}
	assert_int_equal(least, 1000000);
	assert_true(most > 1090000 && most <= 1100000);
}

static void a_receiver_may_ask_for_more_time_within_bounds_and_never_for_less(void **state)
{
	struct schedule schedule;

	(void)state;
	schedule_read(&schedule, "60");
	assert_int_equal(schedule_next_ms(&schedule, 1, 0, 0), 60000);
	assert_int_equal(schedule_next_ms(&schedule, 1, 90000, 0), 90000);
	assert_int_equal(schedule_next_ms(&schedule, 1, 100 * HOUR_MS, 0), LIMIT_WEBHOOK_RETRY_AFTER_MS);
	/* It does not make another try of the last one. */
	assert_int_equal(schedule_next_ms(&schedule, 2, 1000, 0), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_pauses_are_those_that_were_written_and_then_it_is_given_up),
		cmocka_unit_test(by_default_it_goes_on_for_more_than_a_day),
		cmocka_unit_test(chance_adds_up_to_a_tenth_and_takes_nothing_away),
		cmocka_unit_test(a_receiver_may_ask_for_more_time_within_bounds_and_never_for_less),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
