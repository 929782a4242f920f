/*
 * Counters and histograms: which bucket a value falls into, and that nothing is lost when threads add at once.
 */
#include "base/metrics.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static const struct metric_buckets three = {.n = 3, .per_unit = 1, .bounds = {0, 10, 100}};

static void a_value_on_a_bound_belongs_below_it(void **state)
{
	struct metric_histogram histogram = {0};
	struct metric_reading reading;

	(void)state;
	for (size_t i = 0; i < 3; i++)
		metric_observe(&histogram, &three, three.bounds[i]);
	metric_read(&histogram, &three, &reading);
	assert_int_equal(reading.at_most[0], 1);
	assert_int_equal(reading.at_most[1], 2);
	assert_int_equal(reading.at_most[2], 3);
	assert_int_equal(reading.n, 3);
	assert_int_equal(reading.sum, 110);
}

static void what_is_above_every_bound_is_counted(void **state)
{
	struct metric_histogram histogram = {0};
	struct metric_reading reading;

	(void)state;
	metric_observe(&histogram, &three, 11);
	metric_observe(&histogram, &three, 101);
	metric_observe(&histogram, &three, UINT32_MAX);
	metric_read(&histogram, &three, &reading);
	assert_int_equal(reading.at_most[1], 0);
	assert_int_equal(reading.at_most[2], 1);
	assert_int_equal(reading.n, 3);
}

static void an_empty_histogram_reads_as_zeros(void **state)
{
	struct metric_histogram histogram = {0};
	struct metric_reading reading;

	(void)state;
	metric_read(&histogram, &metric_sizes, &reading);
	assert_int_equal(reading.n, 0);
	assert_int_equal(reading.sum, 0);
	assert_ptr_equal(reading.buckets, &metric_sizes);
}

static void the_bounds_of_the_house_rise(void **state)
{
	const struct metric_buckets *all[] = {&metric_durations_ms, &metric_sizes};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		assert_in_range(all[i]->n, 1, METRIC_BUCKETS);
		for (size_t k = 1; k < all[i]->n; k++)
			assert_true(all[i]->bounds[k] > all[i]->bounds[k - 1]);
	}
}

enum { THREADS = 4, ROUNDS = 20000 };

struct shared {
	struct metric counter, gauge;
	struct metric_histogram histogram;
};

static void *add_much(void *userdata)
{
	struct shared *shared = userdata;

	for (uint64_t i = 0; i < ROUNDS; i++) {
		metric_add(&shared->counter, 2);
		metric_add(&shared->gauge, 1);
		metric_observe(&shared->histogram, &three, i % 200);
		metric_drop(&shared->gauge);
	}
	return NULL;
}

static void threads_that_add_at_once_lose_nothing(void **state)
{
	struct shared shared = {0};
	struct metric_reading reading;
	pthread_t threads[THREADS];

	(void)state;
	for (size_t i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, add_much, &shared), 0);
	for (size_t i = 0; i < 100; i++) {
		metric_read(&shared.histogram, &three, &reading);
		assert_true(reading.at_most[0] <= reading.at_most[1] && reading.at_most[2] <= reading.n);
	}
	for (size_t i = 0; i < THREADS; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	metric_read(&shared.histogram, &three, &reading);
	assert_int_equal(metric_value(&shared.counter), 2 * THREADS * ROUNDS);
	assert_int_equal(metric_value(&shared.gauge), 0);
	assert_int_equal(reading.n, THREADS * ROUNDS);
	assert_int_equal(reading.at_most[0], THREADS * ROUNDS / 200);
	assert_int_equal(reading.at_most[2], THREADS * ROUNDS / 200 * 101);
	assert_int_equal(reading.sum, (uint64_t)THREADS * ROUNDS / 200 * (199 * 200 / 2));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_value_on_a_bound_belongs_below_it),
		cmocka_unit_test(what_is_above_every_bound_is_counted),
		cmocka_unit_test(an_empty_histogram_reads_as_zeros),
		cmocka_unit_test(the_bounds_of_the_house_rise),
		cmocka_unit_test(threads_that_add_at_once_lose_nothing),
	};

	return cmocka_run_group_tests_name("base.metrics", tests, NULL, NULL);
}
