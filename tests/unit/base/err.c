#include "base/err.h"

#include "base/log.h"
#include "capture.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

enum { _SAMPLE_E_OK, SAMPLE_E_MISSING };

static void a_code_passes_unchanged(void **state)
{
	(void)state;
	assert_int_equal(err_origin(-ENOSPC), -ENOSPC);
	assert_int_equal(err_trace(-EIO), -EIO);
}

static void an_outcome_that_cannot_happen_becomes_a_fault(void **state)
{
	(void)state;
	assert_int_equal(err_fold(SAMPLE_E_MISSING), -ENOTRECOVERABLE);
	assert_int_equal(err_fold(0), 0);
	assert_int_equal(err_fold(-EIO), -EIO);
}

static void a_fault_leaves_its_place_in_the_debug_log_alone(void **state)
{
	char line[512];

	(void)state;
	log_setup(LOG_FORMAT_TEXT, LOG_LEVEL_DEBUG);
	capture_start();
	err_origin(-ENOSPC);
	capture_end(line, sizeof(line));
	assert_non_null(strstr(line, "at=a_fault_leaves_its_place_in_the_debug_log_alone"));
	assert_non_null(strstr(line, "file=err.c"));
	assert_non_null(strstr(line, "error=\"No space left on device\""));

	log_setup(LOG_FORMAT_TEXT, LOG_LEVEL_INFO);
	capture_start();
	err_origin(-ENOSPC);
	capture_end(line, sizeof(line));
	assert_string_equal(line, "");
}

static void what_failed_without_words_is_explained(void **state)
{
	struct errmsg msg = {""};

	(void)state;
	assert_int_equal(err_explain(0, "nothing", &msg), 0);
	assert_int_equal(err_explain(SAMPLE_E_MISSING, "an outcome", &msg), SAMPLE_E_MISSING);
	assert_string_equal(msg.text, "");
	assert_int_equal(err_explain(-EMFILE, "the loop cannot be made", &msg), -EMFILE);
	assert_string_equal(msg.text, "the loop cannot be made: Too many open files; raise the limit of open files "
				      "(LimitNOFILE= in its unit, or ulimit -n)");
	assert_int_equal(err_explain(-EIO, "the next", &msg), -EIO);
	assert_non_null(strstr(msg.text, "the loop"));
	msg = (struct errmsg){""};
	err_explain(-EIO, "the sweep", &msg);
	assert_string_equal(msg.text, "the sweep: Input/output error");
}

static void words_for_a_person_are_cut_at_their_size(void **state)
{
	struct errmsg msg;
	char much[1000];

	(void)state;
	memset(much, 'x', sizeof(much) - 1);
	much[sizeof(much) - 1] = '\0';
	errmsg_set(&msg, "'%s' is too much", much);
	assert_int_equal(strlen(msg.text), sizeof(msg.text) - 1);
	errmsg_set(&msg, "'%d' is enough", 7);
	assert_string_equal(msg.text, "'7' is enough");
	errmsg_set(NULL, "nobody listens");
}

static void a_stolen_pointer_leaves_null_behind(void **state)
{
	_cleanup_(freep) char *mine = strdup("x");
	_cleanup_(freep) char *yours = steal(mine);

	(void)state;
	assert_null(mine);
	assert_string_equal(yours, "x");
}

static void a_descriptor_is_closed_once_or_handed_on(void **state)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC), kept;

	(void)state;
	kept = steal_fd(&fd);
	assert_int_equal(fd, -1);
	closep(&fd);
	assert_true(fcntl(kept, F_GETFD) >= 0);
	closep(&kept);
	assert_int_equal(fcntl(kept, F_GETFD), -1);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_code_passes_unchanged),
		cmocka_unit_test(an_outcome_that_cannot_happen_becomes_a_fault),
		cmocka_unit_test(a_fault_leaves_its_place_in_the_debug_log_alone),
		cmocka_unit_test(what_failed_without_words_is_explained),
		cmocka_unit_test(words_for_a_person_are_cut_at_their_size),
		cmocka_unit_test(a_stolen_pointer_leaves_null_behind),
		cmocka_unit_test(a_descriptor_is_closed_once_or_handed_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
