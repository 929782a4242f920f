#include "job/history.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static void assert_forecast(const struct job_history *history, int64_t p50_ms, int64_t p90_ms, uint32_t samples)
{
	struct job_forecast forecast = job_history_forecast(history);

	assert_int_equal(forecast.p50_ms, p50_ms);
	assert_int_equal(forecast.p90_ms, p90_ms);
	assert_int_equal(forecast.samples, samples);
}

static void nineteen_jobs_say_nothing_and_twenty_do(void **state)
{
	struct job_history history = {0};

	(void)state;
	for (int64_t i = 1; i < LIMIT_JOB_FORECAST_SAMPLES; i++)
		job_history_add(&history, i * 1000);
	assert_forecast(&history, 0, 0, 0);
	job_history_add(&history, 20000);
	assert_forecast(&history, 10000, 18000, 20);
}

static void the_order_in_which_they_came_says_nothing(void **state)
{
	struct job_history up = {0}, down = {0};

	(void)state;
	for (int64_t i = 0; i < 101; i++) {
		job_history_add(&up, i);
		job_history_add(&down, 100 - i);
	}
	assert_forecast(&up, 50, 90, 101);
	assert_forecast(&down, 50, 90, 101);
}

static void the_oldest_makes_place(void **state)
{
	struct job_history history = {0};

	(void)state;
	for (int64_t i = 0; i < LIMIT_JOB_HISTORY; i++)
		job_history_add(&history, 1000000);
	for (int64_t i = 1; i <= LIMIT_JOB_HISTORY; i++)
		job_history_add(&history, i);
	assert_forecast(&history, LIMIT_JOB_HISTORY / 2, LIMIT_JOB_HISTORY * 9 / 10, LIMIT_JOB_HISTORY);
}

static void what_ended_before_it_began_is_not_counted(void **state)
{
	struct job_history history = {0};

	(void)state;
	for (int i = 0; i < 40; i++)
		job_history_add(&history, i % 2 ? 5 : -1);
	assert_forecast(&history, 5, 5, 20);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(nineteen_jobs_say_nothing_and_twenty_do),
		cmocka_unit_test(the_order_in_which_they_came_says_nothing),
		cmocka_unit_test(the_oldest_makes_place),
		cmocka_unit_test(what_ended_before_it_began_is_not_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
