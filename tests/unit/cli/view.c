#include "view.h"

#include "say.h"

#include "base/err.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <locale.h>

static void text_is_cut_between_characters(void **state)
{
	(void)state;
	assert_int_equal(view_fit("abcdef", 3), 3);
	assert_int_equal(view_fit("abc", 10), 3);
	assert_int_equal(view_fit("abc", 0), 0);
	/* Two bytes each, one column each. */
	assert_int_equal(view_fit("\xc3\xa4\xc3\xb6\xc3\xbc", 2), 4);
	/* Three bytes, two columns. */
	assert_int_equal(view_fit("\xe6\x97\xa5\xe6\x9c\xac", 3), 3);
	assert_int_equal(view_fit("a\xff"
				  "b",
				  2),
			 2);
}

static void a_view_takes_more_jobs_than_it_keeps(void **state)
{
	_cleanup_(view_freep) struct view *view = view_new();
	char job[64];

	(void)state;
	for (int i = 0; i < 2 * VIEW_JOBS_MAX; i++) {
		snprintf(job, sizeof(job), "jobs/%05d", i * 7919 % (2 * VIEW_JOBS_MAX));
		assert_int_equal(view_put(view, job, FILMGATE__V1__JOB_STATE__JOB_STATE_RUNNING, "detail"), 0);
		assert_int_equal(view_put(view, job, FILMGATE__V1__JOB_STATE__JOB_STATE_STORING, ""), 0);
	}
	for (int i = 0; i < 2 * VIEW_JOBS_MAX; i++) {
		snprintf(job, sizeof(job), "jobs/%05d", i);
		view_remove(view, job);
	}
}

/* A provider's words must not steer the terminal. */
static void control_characters_are_taken_out(void **state)
{
	char text[] = "a\033[31m\tb\nc\x7f \xc2\x9b"
		      "31m \xc3\xa4 \xe2\x80\xaex\xe2\x81\xa6\xe2\x80\xa6";

	(void)state;
	say_make_safe(text);
	assert_string_equal(text, "a?[31m?b c? ??31m \xc3\xa4 ???x???\xe2\x80\xa6");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_is_cut_between_characters),
		cmocka_unit_test(a_view_takes_more_jobs_than_it_keeps),
		cmocka_unit_test(control_characters_are_taken_out),
	};

	if (!setlocale(LC_CTYPE, "C.UTF-8"))
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
