#include "sim/generations.h"

#include "base/limits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

/* No renderer: only what fails or waits is asked for its state. */
static struct sim_generations *fresh(void)
{
	struct sim_generations *generations;

	assert_int_equal(sim_generations_new(NULL, &generations), 0);
	return generations;
}

static struct sim_generation *add(struct sim_generations *generations, int64_t ready_ms)
{
	struct sim_generation model = {.begins_ms = 10, .ready_ms = ready_ms, .failure_code = (char[]){"code"}};
	struct sim_generation *generation;

	assert_int_equal(sim_generations_add(generations, &model, &generation), 0);
	return generation;
}

static void state_follows_from_the_clock(void **state)
{
	struct sim_generations *generations = fresh();
	struct sim_generation *one = add(generations, 20);

	(void)state;
	assert_int_equal(sim_generation_state(generations, one, 9), SIM_PENDING);
	assert_int_equal(sim_generation_state(generations, one, 10), SIM_PROCESSING);
	assert_int_equal(sim_generation_state(generations, one, 19), SIM_PROCESSING);
	assert_int_equal(sim_generation_state(generations, one, 20), SIM_FAILED);
	sim_generations_free(generations);
}

static void only_unfinished_ones_are_in_flight(void **state)
{
	struct sim_generations *generations = fresh();
	struct sim_generation *first = add(generations, 20);
	int64_t ready_ms;

	(void)state;
	add(generations, 30);
	add(generations, 40);
	assert_int_equal(sim_generations_in_flight(generations, 0, &ready_ms), 3);
	assert_int_equal(ready_ms, 20);
	assert_int_equal(sim_generations_in_flight(generations, 30, &ready_ms), 1);
	assert_int_equal(ready_ms, 40);
	sim_generations_remove(generations, first);
	assert_int_equal(sim_generations_in_flight(generations, 40, &ready_ms), 0);
	assert_true(ready_ms == INT64_MAX);
	sim_generations_free(generations);
}

static void ids_are_found_until_they_are_removed(void **state)
{
	struct sim_generations *generations = fresh();
	struct sim_generation *one = add(generations, 20);
	char id[SIM_VIDEO_ID_SIZE];

	(void)state;
	memcpy(id, one->id, sizeof(id));
	assert_int_equal(strncmp(id, "v_", 2), 0);
	assert_ptr_equal(sim_generations_find(generations, id), one);
	sim_generations_remove(generations, one);
	assert_null(sim_generations_find(generations, id));
	assert_null(sim_generations_older(generations, NULL));
	sim_generations_free(generations);
}

static void the_oldest_goes_at_the_limit(void **state)
{
	struct sim_generations *generations = fresh();
	struct sim_generation *newest = NULL;
	uint64_t expected;

	(void)state;
	for (int i = 0; i <= LIMIT_SIM_GENERATIONS; i++)
		newest = add(generations, 20);
	assert_ptr_equal(sim_generations_older(generations, NULL), newest);
	expected = LIMIT_SIM_GENERATIONS + 1;
	for (struct sim_generation *one = newest; one; one = sim_generations_older(generations, one))
		assert_int_equal(one->number, expected--);
	assert_int_equal(expected, 1);
	sim_generations_free(generations);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(state_follows_from_the_clock),
		cmocka_unit_test(only_unfinished_ones_are_in_flight),
		cmocka_unit_test(ids_are_found_until_they_are_removed),
		cmocka_unit_test(the_oldest_goes_at_the_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
