#include "sim/replays.h"

#include "allocator.h"
#include "base/err.h"
#include "base/limits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#define WINDOW_MS 1000

static struct sim_replays *fresh(void)
{
	struct sim_replays *replays;

	assert_int_equal(sim_replays_new(WINDOW_MS, &replays), 0);
	return replays;
}

static int add(struct sim_replays *replays, const char *key, int64_t utc_ms, int64_t answered_ms)
{
	struct sim_reply reply;
	int r;

	sim_reply_init(&reply);
	r = sim_reply_text(&reply, 200, "application/json", bytes_of_text(key));
	r = r ? r : sim_replays_add(replays, key, utc_ms, answered_ms, &reply);
	sim_reply_finish(&reply);
	return r;
}

static int find(struct sim_replays *replays, const char *key, int64_t utc_ms)
{
	struct sim_reply reply;
	int r;

	sim_reply_init(&reply);
	r = sim_replays_find(replays, key, utc_ms, &reply);
	if (r == 0) {
		assert_int_equal(reply.status, 200);
		assert_string_equal(reply.body.data, key);
	}
	sim_reply_finish(&reply);
	return r;
}

static void a_call_runs_until_it_is_answered(void **state)
{
	struct sim_replays *replays = fresh();

	(void)state;
	assert_int_equal(find(replays, "k", 0), SIM_REPLAYS_E_UNKNOWN);
	assert_int_equal(add(replays, "k", 100, 150), 0);
	assert_int_equal(find(replays, "k", 149), SIM_REPLAYS_E_RUNNING);
	assert_int_equal(find(replays, "k", 150), 0);
	assert_int_equal(find(replays, "other", 150), SIM_REPLAYS_E_UNKNOWN);
	sim_replays_free(replays);
}

static void the_window_begins_with_the_first_call(void **state)
{
	struct sim_replays *replays = fresh();

	(void)state;
	assert_int_equal(add(replays, "k", 100, 150), 0);
	assert_int_equal(find(replays, "k", 100 + WINDOW_MS - 1), 0);
	assert_int_equal(find(replays, "k", 100 + WINDOW_MS), SIM_REPLAYS_E_UNKNOWN);
	assert_int_equal(sim_replays_count(replays), 0);
	sim_replays_free(replays);
}

static void at_the_limit_the_oldest_key_is_forgotten(void **state)
{
	struct sim_replays *replays = fresh();
	char key[24];

	(void)state;
	for (int i = 0; i <= LIMIT_SIM_REPLAYS; i++) {
		snprintf(key, sizeof(key), "k%d", i);
		assert_int_equal(add(replays, key, 0, 0), 0);
	}
	assert_int_equal(sim_replays_count(replays), LIMIT_SIM_REPLAYS);
	assert_int_equal(find(replays, "k0", 0), SIM_REPLAYS_E_UNKNOWN);
	assert_int_equal(find(replays, "k1", 0), 0);
	assert_int_equal(find(replays, key, 0), 0);
	sim_replays_free(replays);
}

static void adding_survives_failed_allocations(void **state)
{
	struct sim_replays *replays = fresh();
	struct sim_reply reply;
	int r;

	(void)state;
	sim_reply_init(&reply);
	assert_int_equal(sim_reply_text(&reply, 200, "application/json", bytes_of_text("{}")), 0);
	/* The first three are ours; uthash ends the process when it gets no memory. */
	for (int nth = 1; nth <= 3; nth++) {
		allocator_fail(nth);
		r = sim_replays_add(replays, "k", 0, 0, &reply);
		assert_true(allocator_failed());
		assert_int_equal(r, -ENOMEM);
		assert_int_equal(sim_replays_count(replays), 0);
	}
	sim_reply_finish(&reply);
	sim_replays_free(replays);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_call_runs_until_it_is_answered),
		cmocka_unit_test(the_window_begins_with_the_first_call),
		cmocka_unit_test(at_the_limit_the_oldest_key_is_forgotten),
		cmocka_unit_test(adding_survives_failed_allocations),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
