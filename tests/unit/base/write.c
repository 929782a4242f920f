#include "base/write.h"

#include "base/err.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <cmocka.h>

/* A file that takes @room bytes and then no more, as a full disk: it makes write() take less than it was given. */
static int open_file(rlim_t room)
{
	struct rlimit limit;
	int fd = memfd_create("filmgate-write", MFD_CLOEXEC);

	assert_true(fd >= 0);
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	limit.rlim_cur = room;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	return fd;
}

static void close_file(int fd)
{
	struct rlimit limit;

	close(fd);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	limit.rlim_cur = limit.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void assert_holds(int fd, const char *text)
{
	char found[64] = "";

	assert_int_equal(pread(fd, found, sizeof(found) - 1, 0), strlen(text));
	assert_string_equal(found, text);
}

static void pieces_follow_each_other(void **state)
{
	int fd = open_file(RLIM_INFINITY);

	(void)state;
	assert_int_equal(write_fully(fd, bytes_of_text("one,")), 0);
	assert_int_equal(write_fully(fd, (struct bytes){0}), 0);
	assert_int_equal(write_fully(fd, bytes_of_text("two")), 0);
	assert_holds(fd, "one,two");
	close_file(fd);
}

static void a_place_moves_by_what_was_written(void **state)
{
	int fd = open_file(RLIM_INFINITY);
	uint64_t at = 4;

	(void)state;
	assert_int_equal(write_fully(fd, bytes_of_text("one,...")), 0);
	assert_int_equal(write_fully_at(fd, bytes_of_text("two"), &at), 0);
	assert_int_equal(at, 7);
	assert_holds(fd, "one,two");
	close_file(fd);
}

/* The first call takes a part: the second one says why not all. */
static void what_is_taken_in_part_is_no_success(void **state)
{
	int fd = open_file(5);
	uint64_t at = 0;

	(void)state;
	assert_int_equal(write_fully(fd, bytes_of_text("1234567")), -EFBIG);
	assert_holds(fd, "12345");
	assert_int_equal(write_fully_at(fd, bytes_of_text("abcdefg"), &at), -EFBIG);
	assert_int_equal(at, 5);
	assert_holds(fd, "abcde");
	close_file(fd);
}

static void an_error_is_handed_on(void **state)
{
	(void)state;
	assert_int_equal(write_fully(-1, bytes_of_text("x")), -EBADF);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pieces_follow_each_other),
		cmocka_unit_test(a_place_moves_by_what_was_written),
		cmocka_unit_test(what_is_taken_in_part_is_no_success),
		cmocka_unit_test(an_error_is_handed_on),
	};

	return cmocka_run_group_tests_name("base.write", tests, NULL, NULL);
}
