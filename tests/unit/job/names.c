#include "job/job.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static void every_state_has_its_own_name(void **state)
{
	(void)state;
	for (enum job_state a = JOB_STATE_QUEUED; a < _JOB_STATE_COUNT; a++) {
		assert_string_not_equal(job_state_name(a), "unknown");
		for (enum job_state b = a + 1; b < _JOB_STATE_COUNT; b++)
			assert_string_not_equal(job_state_name(a), job_state_name(b));
	}
}

static void every_wait_has_its_own_name(void **state)
{
	(void)state;
	for (enum job_wait a = JOB_WAIT_NONE; a < _JOB_WAIT_COUNT; a++) {
		assert_non_null(job_wait_name(a));
		assert_string_not_equal(job_wait_name(a), "unknown");
		for (enum job_wait b = a + 1; b < _JOB_WAIT_COUNT; b++)
			assert_string_not_equal(job_wait_name(a), job_wait_name(b));
	}
}

static void every_reason_has_its_own_name(void **state)
{
	int named = 0;

	(void)state;
	for (int a = 0; a < 64; a++) {
		const char *name = job_reason_name((enum job_reason)a);

		if (strcmp(name, "unknown") == 0)
			continue;
		named++;
		for (int b = a + 1; b < 64; b++)
			assert_string_not_equal(name, job_reason_name((enum job_reason)b));
	}
	assert_int_equal(named, 15);
}

static void a_number_from_a_newer_daemon_is_unknown(void **state)
{
	(void)state;
	assert_string_equal(job_state_name((enum job_state)0), "unknown");
	assert_string_equal(job_state_name(_JOB_STATE_COUNT), "unknown");
	assert_string_equal(job_wait_name(_JOB_WAIT_COUNT), "unknown");
	assert_string_equal(job_reason_name((enum job_reason)63), "unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_state_has_its_own_name),
		cmocka_unit_test(every_wait_has_its_own_name),
		cmocka_unit_test(every_reason_has_its_own_name),
		cmocka_unit_test(a_number_from_a_newer_daemon_is_unknown),
	};

	return cmocka_run_group_tests_name("job.names", tests, NULL, NULL);
}
