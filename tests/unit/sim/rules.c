#include "sim/faults.h"

#include "allocator.h"
#include "base/limits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static struct sim_faults *fresh(void)
{
	struct sim_faults *faults;

	assert_int_equal(sim_faults_new(&faults), 0);
	return faults;
}

static int add(struct sim_faults *faults, const char *text)
{
	json_t *rule = json_loads(text, 0, NULL);
	struct errmsg msg;
	const char *id;
	int r;

	assert_non_null(rule);
	r = sim_faults_add(faults, rule, &msg, &id);
	json_decref(rule);
	return r;
}

static bool hits(struct sim_faults *faults, enum sim_host host, const char *method, const char *path, uint64_t nth)
{
	struct sim_request request = {
		.host = host,
		.method = (char *)(uintptr_t)method,
		.path = (char *)(uintptr_t)path,
		.nth = nth,
	};
	struct sim_fault_hit hit;

	return sim_faults_take(faults, &request, &hit);
}

static bool hits_path(const char *rule, const char *path)
{
	struct sim_faults *faults = fresh();
	bool result;

	assert_int_equal(add(faults, rule), 0);
	result = hits(faults, SIM_HOST_API, "GET", path, 1);
	sim_faults_free(faults);
	return result;
}

#define RULE(match) "{\"match\":" match ",\"action\":{\"type\":\"delay\"}}"

static void a_pattern_without_wildcard_is_a_beginning(void **state)
{
	(void)state;
	assert_true(hits_path(RULE("{\"path\":\"/v3/videos\"}"), "/v3/videos"));
	assert_true(hits_path(RULE("{\"path\":\"/v3/videos\"}"), "/v3/videos/v_1"));
	assert_false(hits_path(RULE("{\"path\":\"/v3/videos\"}"), "/v3/video"));
	assert_true(hits_path(RULE("{}"), "/anything"));
}

static void a_pattern_with_wildcard_is_the_whole_path(void **state)
{
	(void)state;
	assert_true(hits_path(RULE("{\"path\":\"/v3/*\"}"), "/v3/videos/v_1"));
	assert_false(hits_path(RULE("{\"path\":\"/v3/*/x\"}"), "/v3/videos/v_1"));
	assert_true(hits_path(RULE("{\"path\":\"/v3/video[s]\"}"), "/v3/videos"));
	assert_false(hits_path(RULE("{\"path\":\"/v3/video[s]\"}"), "/v3/videos/v_1"));
}

static void method_host_and_reuse_must_fit(void **state)
{
	struct sim_faults *faults = fresh();

	(void)state;
	assert_int_equal(add(faults, "{\"match\":{\"method\":\"POST\",\"host\":\"files\",\"reused\":true},\"times\":0,"
				     "\"action\":{\"type\":\"delay\"}}"),
			 0);
	assert_true(hits(faults, SIM_HOST_FILES, "POST", "/", 2));
	assert_false(hits(faults, SIM_HOST_API, "POST", "/", 2));
	assert_false(hits(faults, SIM_HOST_FILES, "GET", "/", 2));
	assert_false(hits(faults, SIM_HOST_FILES, "POST", "/", 1));
	sim_faults_free(faults);
}

static void keepalive_close_waits_for_reuse_by_itself(void **state)
{
	struct sim_faults *faults = fresh();

	(void)state;
	assert_int_equal(add(faults, "{\"action\":{\"type\":\"keepalive_close\"}}"), 0);
	assert_false(hits(faults, SIM_HOST_API, "POST", "/", 1));
	assert_true(hits(faults, SIM_HOST_API, "POST", "/", 2));
	assert_false(hits(faults, SIM_HOST_API, "POST", "/", 3));
	sim_faults_free(faults);
}

static void there_is_a_limit_to_rules_and_room_again_after_removal(void **state)
{
	struct sim_faults *faults = fresh();

	(void)state;
	for (int i = 0; i < LIMIT_SIM_FAULTS; i++)
		assert_int_equal(add(faults, RULE("{}")), 0);
	assert_int_equal(add(faults, RULE("{}")), SIM_FAULTS_E_INVALID);
	assert_int_equal(sim_faults_remove(faults, "f7"), 0);
	assert_int_equal(sim_faults_remove(faults, "f7"), SIM_FAULTS_E_UNKNOWN);
	assert_int_equal(add(faults, RULE("{}")), 0);
	sim_faults_free(faults);
}

static void adding_survives_failed_allocations(void **state)
{
	struct sim_faults *faults = fresh();
	json_t *rule = json_loads(RULE("{}"), 0, NULL);
	struct errmsg msg;
	const char *id;
	int nth = 0, r;

	(void)state;
	do {
		allocator_fail(++nth);
		r = sim_faults_add(faults, rule, &msg, &id);
		assert_int_equal(sim_faults_count(faults), r == 0);
	} while (allocator_failed());
	assert_int_equal(r, 0);
	assert_int_equal(nth, 2);
	json_decref(rule);
	sim_faults_free(faults);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_pattern_without_wildcard_is_a_beginning),
		cmocka_unit_test(a_pattern_with_wildcard_is_the_whole_path),
		cmocka_unit_test(method_host_and_reuse_must_fit),
		cmocka_unit_test(keepalive_close_waits_for_reuse_by_itself),
		cmocka_unit_test(there_is_a_limit_to_rules_and_room_again_after_removal),
		cmocka_unit_test(adding_survives_failed_allocations),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
