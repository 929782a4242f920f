/*
 * The heap of timers on its own, with instants that the tests make up.
 */
#include "loop/timers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#define MANY 2000

static struct loop_timer *take(struct timers *timers, uint64_t now_ns)
{
	return timers_take_due(timers, now_ns, UINT64_MAX);
}

static void the_earliest_is_taken_first(void **state)
{
	struct timers timers = {0};
	struct loop_timer late = {0}, early = {0}, middle = {0};

	(void)state;
	timers_add(&timers, &late, 30);
	timers_add(&timers, &early, 10);
	timers_add(&timers, &middle, 20);
	assert_ptr_equal(take(&timers, 100), &early);
	assert_ptr_equal(take(&timers, 100), &middle);
	assert_ptr_equal(take(&timers, 100), &late);
	assert_null(take(&timers, 100));
}

static void none_is_taken_before_its_time(void **state)
{
	struct timers timers = {0};
	struct loop_timer timer = {0};

	(void)state;
	timers_add(&timers, &timer, 10);
	assert_null(take(&timers, 9));
	assert_true(timer.is_armed);
	assert_ptr_equal(take(&timers, 10), &timer);
	assert_false(timer.is_armed);
}

static void equals_are_taken_in_the_order_of_arming(void **state)
{
	struct timers timers = {0};
	struct loop_timer all[100] = {{0}};

	(void)state;
	for (size_t i = 0; i < 100; i++)
		timers_add(&timers, &all[i], 7);
	for (size_t i = 0; i < 100; i++)
		assert_ptr_equal(take(&timers, 7), &all[i]);
}

static void one_armed_after_the_turn_began_waits_for_the_next(void **state)
{
	struct timers timers = {0};
	struct loop_timer before = {0}, after = {0};
	uint64_t turn;

	(void)state;
	timers_add(&timers, &before, 5);
	turn = timers.armed_count;
	timers_add(&timers, &after, 5);
	assert_ptr_equal(timers_take_due(&timers, 5, turn), &before);
	assert_null(timers_take_due(&timers, 5, turn));
	assert_ptr_equal(take(&timers, 5), &after);
}

/* Adds, moves and removes at random, then compares with what must be left, in order. */
static void many_come_out_sorted_whatever_was_removed(void **state)
{
	static struct loop_timer all[MANY];
	struct timers timers = {0};
	const struct loop_timer *timer;
	unsigned int seed = 42;
	uint64_t last_ns = 0;
	size_t expected = 0;
	size_t taken = 0;

	(void)state;
	for (int round = 0; round < 20000; round++) {
		struct loop_timer *one = &all[(size_t)rand_r(&seed) % MANY];

		if (one->is_armed)
			timers_remove(&timers, one);
		else
			timers_add(&timers, one, (uint64_t)rand_r(&seed) % 1000);
	}
	for (size_t i = 0; i < MANY; i++)
		expected += all[i].is_armed;

	while ((timer = take(&timers, 1000))) {
		assert_true(timer->due_ns >= last_ns);
		last_ns = timer->due_ns;
		taken++;
	}
	assert_true(expected > MANY / 4);
	assert_int_equal(taken, expected);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_earliest_is_taken_first),
		cmocka_unit_test(none_is_taken_before_its_time),
		cmocka_unit_test(equals_are_taken_in_the_order_of_arming),
		cmocka_unit_test(one_armed_after_the_turn_began_waits_for_the_next),
		cmocka_unit_test(many_come_out_sorted_whatever_was_removed),
	};

	return cmocka_run_group_tests_name("loop.timers", tests, NULL, NULL);
}
