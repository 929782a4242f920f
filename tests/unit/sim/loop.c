#include "sim/loop.h"

#include "base/err.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <cmocka.h>

struct story {
	struct sim_loop *loop;
	struct sim_timer timers[3];
	struct sim_watch watch;
	char text[16];
	size_t len;
	int pipe[2];
};

static void note(struct story *story, char letter)
{
	assert_true(story->len < sizeof(story->text) - 1);
	story->text[story->len++] = letter;
}

static void on_a(void *userdata)
{
	note(userdata, 'a');
}

static void on_b(void *userdata)
{
	note(userdata, 'b');
}

static void on_quit(void *userdata)
{
	struct story *story = userdata;

	note(story, 'q');
	sim_loop_quit(story->loop);
}

static void begin(struct story *story)
{
	*story = (struct story){.pipe = {-1, -1}};
	assert_int_equal(sim_loop_new(&story->loop), 0);
	for (int i = 0; i < 3; i++)
		story->timers[i] = (struct sim_timer){.fn = (void (*[])(void *)){on_a, on_b, on_quit}[i],
						      .userdata = story};
}

static void timers_fire_in_the_order_of_their_instants(void **state)
{
	struct story story;

	(void)state;
	begin(&story);
	sim_loop_after(story.loop, &story.timers[2], 20);
	sim_loop_after(story.loop, &story.timers[1], 10);
	sim_loop_after(story.loop, &story.timers[0], 0);
	assert_int_equal(sim_loop_run(story.loop), 0);
	assert_string_equal(story.text, "abq");
	sim_loop_free(story.loop);
}

static void a_forgotten_timer_stays_silent_and_a_restarted_one_moves(void **state)
{
	struct story story;

	(void)state;
	begin(&story);
	sim_loop_after(story.loop, &story.timers[0], 0);
	sim_loop_after(story.loop, &story.timers[1], 0);
	sim_loop_after(story.loop, &story.timers[2], 0);
	sim_loop_forget(story.loop, &story.timers[0]);
	sim_loop_forget(story.loop, &story.timers[0]);
	sim_loop_after(story.loop, &story.timers[2], 15);
	assert_int_equal(sim_loop_run(story.loop), 0);
	assert_string_equal(story.text, "bq");
	sim_loop_free(story.loop);
}

static void on_again(void *userdata)
{
	struct story *story = userdata;

	sim_loop_after(story->loop, &story->timers[0], 0);
}

static void on_readable(void *userdata, uint32_t events)
{
	struct story *story = userdata;

	assert_true(events & EPOLLIN);
	sim_loop_unwatch(story->loop, &story->watch);
	sim_loop_unwatch(story->loop, &story->watch);
	on_quit(story);
}

static void a_timer_that_always_restarts_does_not_starve_a_descriptor(void **state)
{
	struct story story;

	(void)state;
	begin(&story);
	assert_int_equal(pipe(story.pipe), 0);
	assert_int_equal(write(story.pipe[1], "x", 1), 1);
	story.timers[0].fn = on_again;
	story.watch = (struct sim_watch){.fn = on_readable, .userdata = &story};
	sim_loop_after(story.loop, &story.timers[0], 0);
	assert_int_equal(sim_loop_watch(story.loop, &story.watch, story.pipe[0], EPOLLIN), 0);
	assert_int_equal(sim_loop_run(story.loop), 0);
	assert_string_equal(story.text, "q");
	close(story.pipe[0]);
	close(story.pipe[1]);
	sim_loop_free(story.loop);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(timers_fire_in_the_order_of_their_instants),
		cmocka_unit_test(a_forgotten_timer_stays_silent_and_a_restarted_one_moves),
		cmocka_unit_test(a_timer_that_always_restarts_does_not_starve_a_descriptor),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
