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
		if (a == JOB_WAIT_TOKEN + 1)
			continue; /* kept free */
		assert_non_null(job_wait_name(a));
		assert_string_not_equal(job_wait_name(a), "unknown");
		for (enum job_wait b = a + 1; b < _JOB_WAIT_COUNT; b++)
			assert_string_not_equal(job_wait_name(a), job_wait_name(b));
	}
}

static void a_number_from_a_newer_daemon_is_unknown(void **state)
{
	(void)state;
	assert_string_equal(job_state_name((enum job_state)0), "unknown");
	assert_string_equal(job_state_name(_JOB_STATE_COUNT), "unknown");
	assert_string_equal(job_wait_name(_JOB_WAIT_COUNT), "unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_state_has_its_own_name),
		cmocka_unit_test(every_wait_has_its_own_name),
		cmocka_unit_test(a_number_from_a_newer_daemon_is_unknown),
	};

	return cmocka_run_group_tests_name("job.names", tests, NULL, NULL);
}
