#include "sim/sim.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static int handle(struct sim *sim, struct sim_call *call, struct sim_reply *reply)
{
	(void)sim;
	(void)call;
	(void)reply;
	return 0;
}

static const struct sim_route routes[] = {
	{"GET", "/a", handle},        {"POST", "/a", handle}, {"GET", "/a/{id}", handle},
	{"GET", "/a/{id}/b", handle}, {NULL, NULL, NULL},
};

/* The index of the route, -1 for none. */
static long find(const char *method, const char *path, struct sim_call *call)
{
	struct sim_request request = {.method = (char *)(uintptr_t)method, .path = (char *)(uintptr_t)path};
	const struct sim_route *route = sim_route_find(routes, &request, call);

	return route ? route - routes : -1;
}

static void a_route_fits_the_whole_path_and_the_method(void **state)
{
	struct sim_call call;

	(void)state;
	assert_int_equal(find("GET", "/a", &call), 0);
	assert_string_equal(call.id, "");
	assert_int_equal(find("HEAD", "/a", &call), 0);
	assert_int_equal(find("POST", "/a", &call), 1);
	assert_int_equal(find("PUT", "/a", &call), -1);
	assert_int_equal(find("GET", "/a/", &call), -1);
	assert_int_equal(find("GET", "/aa", &call), -1);
	assert_int_equal(find("GET", "", &call), -1);
	assert_int_equal(find("GET", "/a/x/c", &call), -1);
	assert_int_equal(find("GET", "/a/x/b/", &call), -1);
}

static void a_parameter_is_one_segment_that_has_room(void **state)
{
	char path[256] = "/a/";
	struct sim_call call;

	(void)state;
	assert_int_equal(find("GET", "/a/x-1", &call), 2);
	assert_string_equal(call.id, "x-1");
	assert_int_equal(find("GET", "/a/y/b", &call), 3);
	assert_string_equal(call.id, "y");
	assert_int_equal(find("GET", "/a//b", &call), -1);
	memset(path + 3, 'x', sizeof(call.id) - 1);
	assert_int_equal(find("GET", path, &call), 2);
	assert_int_equal(strlen(call.id), sizeof(call.id) - 1);
	memset(path + 3, 'x', sizeof(call.id));
	assert_int_equal(find("GET", path, &call), -1);
}

static void the_seed_decides_within_the_range(void **state)
{
	struct sim_options options = {.seed = 7}, others = {.seed = 8};
	struct sim sim = {.options = &options}, other = {.options = &others};
	struct sim_range range = {.min = 100, .max = 2100};
	int differ_by_seed = 0, differ_by_number = 0, differ_by_salt = 0;

	(void)state;
	for (uint64_t number = 0; number < 1000; number++) {
		int64_t ms = sim_pick_ms(&sim, &range, number, 1);

		assert_in_range(ms, 100, 2100);
		assert_int_equal(sim_pick_ms(&sim, &range, number, 1), ms);
		differ_by_seed += sim_pick_ms(&other, &range, number, 1) != ms;
		differ_by_number += sim_pick_ms(&sim, &range, number + 1, 1) != ms;
		differ_by_salt += sim_pick_ms(&sim, &range, number, 2) != ms;
	}
	assert_in_range(differ_by_seed, 990, 1000);
	assert_in_range(differ_by_number, 990, 1000);
	assert_in_range(differ_by_salt, 990, 1000);
}

static void a_range_of_one_value_is_that_value(void **state)
{
	struct sim_options options = {0};
	struct sim sim = {.options = &options};
	struct sim_range range = {.min = 5, .max = 5};

	(void)state;
	assert_int_equal(sim_pick_ms(&sim, &range, 3, 1), 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_route_fits_the_whole_path_and_the_method),
		cmocka_unit_test(a_parameter_is_one_segment_that_has_room),
		cmocka_unit_test(the_seed_decides_within_the_range),
		cmocka_unit_test(a_range_of_one_value_is_that_value),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
