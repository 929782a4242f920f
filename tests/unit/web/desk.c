#include "web/desk.h"

#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>

#define NOTES 1000

struct counted {
	struct note note; /* first */
	int number;
};

static int ran[2 * NOTES];
static int n_ran;

static void run(struct note *note)
{
	ran[n_ran++] = ((struct counted *)note)->number;
}

static int set_up(void **state)
{
	struct desk *desk;

	n_ran = 0;
	assert_int_equal(desk_new(&desk), 0);
	*state = desk;
	return 0;
}

static bool is_readable(const struct desk *desk)
{
	struct pollfd fd = {.fd = desk_fd(desk), .events = POLLIN};

	return poll(&fd, 1, 0) == 1;
}

static void notes_run_in_order_and_once(void **state)
{
	struct counted notes[3] = {
		{.note.run = run, .number = 0}, {.note.run = run, .number = 1}, {.note.run = run, .number = 2}};
	struct desk *desk = *state;

	assert_false(is_readable(desk));
	for (int i = 0; i < 3; i++)
		assert_true(desk_post(desk, &notes[i].note));
	assert_true(is_readable(desk));
	desk_run(desk);
	assert_false(is_readable(desk));
	desk_run(desk);
	assert_int_equal(n_ran, 3);
	for (int i = 0; i < 3; i++)
		assert_int_equal(ran[i], i);
	desk_unref(desk);
}

static struct desk *again_on;
static int again_left;

static void run_again(struct note *note)
{
	n_ran++;
	if (again_left-- > 0)
		assert_true(desk_post(again_on, note));
}

static void a_note_may_be_posted_again_while_it_runs(void **state)
{
	struct note note = {.run = run_again};

	again_on = *state;
	again_left = 2;
	assert_true(desk_post(again_on, &note));
	for (int i = 0; i < 3; i++) {
		assert_true(is_readable(again_on));
		desk_run(again_on);
	}
	assert_int_equal(n_ran, 3);
	assert_false(is_readable(again_on));
	desk_unref(again_on);
}

static void a_closed_desk_runs_the_rest_and_takes_nothing(void **state)
{
	struct counted early = {.note.run = run, .number = 7}, late = {.note.run = run, .number = 8};
	struct desk *desk = *state;

	assert_true(desk_post(desk, &early.note));
	desk_close(desk);
	assert_int_equal(n_ran, 1);
	assert_int_equal(ran[0], 7);
	assert_false(desk_post(desk, &late.note));
	desk_run(desk);
	assert_int_equal(n_ran, 1);
	desk_unref(desk);
}

static void *post_many(void *userdata)
{
	static struct counted notes[NOTES];
	struct desk *desk = userdata;

	for (int i = 0; i < NOTES; i++) {
		notes[i] = (struct counted){.note.run = run, .number = i};
		if (!desk_post(desk, &notes[i].note))
			break;
	}
	desk_unref(desk);
	return NULL;
}

static void another_thread_may_outlive_the_web(void **state)
{
	struct desk *desk = *state;
	pthread_t thread;

	assert_int_equal(pthread_create(&thread, NULL, post_many, desk_ref(desk)), 0);
	while (n_ran < NOTES / 2)
		desk_run(desk);
	desk_close(desk);
	desk_unref(desk);
	pthread_join(thread, NULL);
	for (int i = 0; i < n_ran; i++)
		assert_int_equal(ran[i], i);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(notes_run_in_order_and_once, set_up),
		cmocka_unit_test_setup(a_note_may_be_posted_again_while_it_runs, set_up),
		cmocka_unit_test_setup(a_closed_desk_runs_the_rest_and_takes_nothing, set_up),
		cmocka_unit_test_setup(another_thread_may_outlive_the_web, set_up),
	};

	return cmocka_run_group_tests_name("web.desk", tests, NULL, NULL);
}
