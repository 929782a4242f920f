#include "base/failpoint.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#ifdef FILMGATE_FAILPOINTS

/* A process that passes send.before_intent @n times, and ends with status 7 if it can. */
static int status_of(const char *variable, const char *value, int n)
{
	int status;
	pid_t child = fork();

	assert_true(child >= 0);
	if (child == 0) {
		if (!freopen("/dev/null", "w", stderr))
			_exit(1);
		unsetenv("FILMGATE_FAILPOINT");
		setenv(variable, value, 1);
		for (int i = 0; i < n; i++)
			FAILPOINT(SEND_BEFORE_INTENT);
		_exit(MUTANT(NO_RENAME_SYNC) ? 8 : FAILPOINT_HURRY_MS(60000) != 60000 ? 9 : 7);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	return status;
}

static bool is_killed(int status)
{
	return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
}

static void an_armed_failpoint_kills(void **state)
{
	(void)state;
	assert_true(is_killed(status_of("FILMGATE_FAILPOINT", "send.before_intent", 1)));
	assert_true(is_killed(status_of("FILMGATE_FAILPOINT", "trim.after,send.before_intent", 1)));
}

static void the_others_let_pass(void **state)
{
	(void)state;
	assert_int_equal(WEXITSTATUS(status_of("FILMGATE_FAILPOINT", "send.after_intent", 5)), 7);
	assert_int_equal(WEXITSTATUS(status_of("FILMGATE_FAILPOINT", "", 5)), 7);
}

static void the_first_passes_can_be_let_go(void **state)
{
	(void)state;
	assert_int_equal(WEXITSTATUS(status_of("FILMGATE_FAILPOINT", "send.before_intent:2", 2)), 7);
	assert_true(is_killed(status_of("FILMGATE_FAILPOINT", "send.before_intent:2", 3)));
	assert_true(is_killed(status_of("FILMGATE_FAILPOINT", "send.before_intent:2,trim.after", 3)));
}

static void a_name_that_is_none_ends_the_process_before_it_tests_nothing(void **state)
{
	static const char *const bad[] = {"send.before_intend",
					  "send.before_intent:",
					  "send.before_intent:-1",
					  "send.before_intent:1x",
					  "send",
					  ","};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(WEXITSTATUS(status_of("FILMGATE_FAILPOINT", bad[i], 1)), 2);
	assert_int_equal(WEXITSTATUS(status_of("FILMGATE_MUTANT", "no_such", 1)), 2);
}

static void a_mutant_is_what_the_environment_names(void **state)
{
	(void)state;
	assert_int_equal(WEXITSTATUS(status_of("FILMGATE_MUTANT", "no_rename_sync", 1)), 8);
	assert_int_equal(WEXITSTATUS(status_of("FILMGATE_MUTANT", "skip_intent", 1)), 7);
}

static void pauses_are_cut_and_never_longer(void **state)
{
	(void)state;
	assert_int_equal(WEXITSTATUS(status_of("FILMGATE_HURRY_MS", "100", 1)), 9);
	assert_int_equal(WEXITSTATUS(status_of("FILMGATE_HURRY_MS", "100000", 1)), 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_armed_failpoint_kills),
		cmocka_unit_test(the_others_let_pass),
		cmocka_unit_test(the_first_passes_can_be_let_go),
		cmocka_unit_test(a_name_that_is_none_ends_the_process_before_it_tests_nothing),
		cmocka_unit_test(a_mutant_is_what_the_environment_names),
		cmocka_unit_test(pauses_are_cut_and_never_longer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#else

static void without_failpoints_nothing_is_armed(void **state)
{
	(void)state;
	setenv("FILMGATE_FAILPOINT", "send.before_intent", 1);
	setenv("FILMGATE_MUTANT", "no_rename_sync", 1);
	setenv("FILMGATE_HURRY_MS", "1", 1);
	FAILPOINT(SEND_BEFORE_INTENT);
	assert_false(MUTANT(NO_RENAME_SYNC));
	assert_int_equal(FAILPOINT_HURRY_MS(60000), 60000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_failpoints_nothing_is_armed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#endif
