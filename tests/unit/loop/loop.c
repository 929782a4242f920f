#include "loop/loop.h"

#include "base/clock.h"

#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define POSTERS 8
#define POSTS 20000

static struct loop *new_loop(void)
{
	struct loop *loop = NULL;

	assert_int_equal(loop_new(&loop), 0);
	return loop;
}

static int64_t now_ms(void)
{
	return clock_monotonic_ms(&clock_system);
}

/* One message that records its number in a shared log when it runs. */
struct note {
	struct loop_message message;
	int number;
	struct record *record;
};

struct record {
	struct loop *loop;
	int numbers[8];
	size_t count;
	bool was_elsewhere;
};

static void run_note(struct loop_message *message)
{
	const struct note *note = loop_message_owner(message, struct note, message);
	struct record *record = note->record;

	record->was_elsewhere |= !loop_is_current(record->loop);
	record->numbers[record->count++] = note->number;
}

static void run_stop(struct loop_message *message)
{
	const struct note *note = loop_message_owner(message, struct note, message);

	loop_stop(note->record->loop);
}

static void messages_run_on_the_loops_thread_in_their_order(void **state)
{
	struct record record = {.loop = new_loop()};
	struct note notes[5];

	(void)state;
	assert_int_equal(loop_start(record.loop, "test"), 0);
	for (int i = 0; i < 5; i++) {
		notes[i] = (struct note){.message.run = run_note, .number = i, .record = &record};
		loop_post(record.loop, &notes[i].message);
	}
	loop_stop(record.loop);
	loop_join(record.loop);

	assert_int_equal(record.count, 5);
	for (int i = 0; i < 5; i++)
		assert_int_equal(record.numbers[i], i);
	assert_false(record.was_elsewhere);
	loop_free(record.loop);
}

static void what_is_posted_before_the_loop_runs_is_run(void **state)
{
	struct record record = {.loop = new_loop()};
	struct note note = {.message.run = run_note, .number = 7, .record = &record};

	(void)state;
	loop_post(record.loop, &note.message);
	loop_stop(record.loop);
	assert_int_equal(record.count, 0);
	loop_run(record.loop);
	assert_int_equal(record.count, 1);
	loop_free(record.loop);
}

static void what_is_posted_after_the_end_is_run_when_the_loop_is_freed(void **state)
{
	struct record record = {.loop = new_loop()};
	struct note note = {.message.run = run_note, .number = 7, .record = &record};

	(void)state;
	loop_stop(record.loop);
	loop_run(record.loop);
	loop_post(record.loop, &note.message);
	assert_int_equal(record.count, 0);
	loop_free(record.loop);
	assert_int_equal(record.count, 1);
	assert_int_equal(record.numbers[0], 7);
}

struct poster {
	struct loop *loop;
	pthread_t thread;
	int next_expected;
	bool was_out_of_order;
	atomic_int *ran;
};

struct numbered {
	struct loop_message message;
	struct poster *poster;
	int number;
};

static void run_numbered(struct loop_message *message)
{
	struct numbered *numbered = loop_message_owner(message, struct numbered, message);

	numbered->poster->was_out_of_order |= numbered->number != numbered->poster->next_expected;
	numbered->poster->next_expected++;
	atomic_fetch_add(numbered->poster->ran, 1);
	free(numbered);
}

static void *post_many(void *userdata)
{
	struct poster *poster = userdata;

	for (int i = 0; i < POSTS; i++) {
		struct numbered *numbered = calloc(1, sizeof(*numbered));

		if (!numbered)
			abort();
		*numbered = (struct numbered){.message.run = run_numbered, .poster = poster, .number = i};
		loop_post(poster->loop, &numbered->message);
	}
	return NULL;
}

static void many_threads_post_and_nothing_is_lost_doubled_or_overtaken(void **state)
{
	struct loop *loop = new_loop();
	struct poster posters[POSTERS];
	atomic_int ran = 0;

	(void)state;
	assert_int_equal(loop_start(loop, "test"), 0);
	for (int i = 0; i < POSTERS; i++) {
		posters[i] = (struct poster){.loop = loop, .ran = &ran};
		assert_int_equal(pthread_create(&posters[i].thread, NULL, post_many, &posters[i]), 0);
	}
	for (int i = 0; i < POSTERS; i++)
		pthread_join(posters[i].thread, NULL);
	loop_stop(loop);
	loop_join(loop);

	assert_int_equal(atomic_load(&ran), POSTERS * POSTS);
	for (int i = 0; i < POSTERS; i++)
		assert_false(posters[i].was_out_of_order);
	loop_free(loop);
}

static void only_the_running_thread_is_the_loops_own(void **state)
{
	struct loop *loop = new_loop();

	(void)state;
	assert_true(loop_is_current(loop));
	assert_int_equal(loop_start(loop, "test"), 0);
	loop_stop(loop);
	loop_join(loop);
	assert_true(loop_is_current(loop));
	loop_free(loop);
}

static void run_blocked_signals(struct loop_message *message)
{
	struct note *note = loop_message_owner(message, struct note, message);
	sigset_t blocked;

	pthread_sigmask(SIG_SETMASK, NULL, &blocked);
	note->number = sigismember(&blocked, SIGTERM) && sigismember(&blocked, SIGPIPE);
}

static void its_own_thread_takes_no_signals(void **state)
{
	struct loop *loop = new_loop();
	struct note note = {.message.run = run_blocked_signals};
	sigset_t blocked;

	(void)state;
	assert_int_equal(loop_start(loop, "test"), 0);
	loop_post(loop, &note.message);
	loop_stop(loop);
	loop_join(loop);
	assert_int_equal(note.number, 1);
	pthread_sigmask(SIG_SETMASK, NULL, &blocked);
	assert_false(sigismember(&blocked, SIGTERM));
	loop_free(loop);
}

/* A loop, timers that count, and a stop behind the last of them. */
struct clockwork {
	struct loop *loop;
	struct loop_timer timer, other, end;
	int fired;
	int other_fired;
	int64_t fired_at_ms;
};

static void on_timer(void *userdata)
{
	struct clockwork *clockwork = userdata;

	clockwork->fired++;
	clockwork->fired_at_ms = now_ms();
}

static void on_other(void *userdata)
{
	struct clockwork *clockwork = userdata;

	clockwork->other_fired++;
}

static void on_end(void *userdata)
{
	struct clockwork *clockwork = userdata;

	loop_stop(clockwork->loop);
}

static void clockwork_init(struct clockwork *clockwork, void (*fn)(void *userdata))
{
	*clockwork = (struct clockwork){.loop = new_loop()};
	loop_timer_init(&clockwork->timer, clockwork->loop, fn, clockwork);
	loop_timer_init(&clockwork->other, clockwork->loop, on_other, clockwork);
	loop_timer_init(&clockwork->end, clockwork->loop, on_end, clockwork);
}

static void a_timer_fires_once_and_not_early(void **state)
{
	struct clockwork clockwork;
	int64_t start_ms = now_ms();

	(void)state;
	clockwork_init(&clockwork, on_timer);
	loop_timer_arm(&clockwork.timer, 30);
	loop_timer_arm(&clockwork.end, 90);
	loop_run(clockwork.loop);
	assert_int_equal(clockwork.fired, 1);
	/* Both instants are cut to whole milliseconds. */
	assert_true(clockwork.fired_at_ms - start_ms >= 29);
	loop_free(clockwork.loop);
}

static void a_cancelled_timer_does_not_fire(void **state)
{
	struct clockwork clockwork;

	(void)state;
	clockwork_init(&clockwork, on_timer);
	loop_timer_arm(&clockwork.timer, 5);
	loop_timer_arm(&clockwork.other, 5);
	loop_timer_arm(&clockwork.end, 30);
	loop_timer_cancel(&clockwork.timer);
	loop_timer_cancel(&clockwork.timer);
	loop_run(clockwork.loop);
	assert_int_equal(clockwork.fired, 0);
	assert_int_equal(clockwork.other_fired, 1);
	loop_free(clockwork.loop);
}

static void arming_again_moves_a_timer(void **state)
{
	struct clockwork clockwork;
	int64_t start_ms = now_ms();

	(void)state;
	clockwork_init(&clockwork, on_timer);
	loop_timer_arm(&clockwork.timer, 5);
	loop_timer_arm(&clockwork.timer, 50);
	loop_timer_arm(&clockwork.end, 80);
	loop_run(clockwork.loop);
	assert_int_equal(clockwork.fired, 1);
	assert_true(clockwork.fired_at_ms - start_ms >= 49);
	loop_free(clockwork.loop);
}

static void on_timer_rearm(void *userdata)
{
	struct clockwork *clockwork = userdata;

	clockwork->fired++;
	loop_timer_arm(&clockwork->timer, 0);
}

static void a_timer_that_rearms_itself_starves_nobody(void **state)
{
	struct clockwork clockwork;
	struct record record = {0};
	struct note note = {.message.run = run_stop, .record = &record};

	(void)state;
	clockwork_init(&clockwork, on_timer_rearm);
	record.loop = clockwork.loop;
	loop_timer_arm(&clockwork.timer, 0);
	loop_timer_arm(&clockwork.other, 2);
	loop_post(clockwork.loop, &note.message);
	loop_run(clockwork.loop);
	loop_timer_cancel(&clockwork.timer);
	loop_timer_cancel(&clockwork.other);
	loop_free(clockwork.loop);
}

struct ping {
	struct loop_message message;
	struct loop *loop;
	int left;
};

static void run_ping(struct loop_message *message)
{
	struct ping *ping = loop_message_owner(message, struct ping, message);

	if (--ping->left > 0)
		loop_post(ping->loop, message);
}

static void a_message_that_posts_itself_starves_no_timer(void **state)
{
	struct clockwork clockwork;
	struct ping ping = {.message.run = run_ping, .left = INT32_MAX};

	(void)state;
	clockwork_init(&clockwork, on_timer);
	ping.loop = clockwork.loop;
	loop_timer_arm(&clockwork.timer, 10);
	loop_timer_arm(&clockwork.end, 20);
	loop_post(clockwork.loop, &ping.message);
	loop_run(clockwork.loop);
	assert_int_equal(clockwork.fired, 1);
	assert_true(ping.left < INT32_MAX - 1);
	ping.left = 1;
	loop_free(clockwork.loop);
	assert_int_equal(ping.left, 0);
}

static void freeing_nothing_is_harmless(void **state)
{
	(void)state;
	assert_null(loop_free(NULL));
	assert_null(loop_free(new_loop()));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(messages_run_on_the_loops_thread_in_their_order),
		cmocka_unit_test(what_is_posted_before_the_loop_runs_is_run),
		cmocka_unit_test(what_is_posted_after_the_end_is_run_when_the_loop_is_freed),
		cmocka_unit_test(many_threads_post_and_nothing_is_lost_doubled_or_overtaken),
		cmocka_unit_test(only_the_running_thread_is_the_loops_own),
		cmocka_unit_test(its_own_thread_takes_no_signals),
		cmocka_unit_test(a_timer_fires_once_and_not_early),
		cmocka_unit_test(a_cancelled_timer_does_not_fire),
		cmocka_unit_test(arming_again_moves_a_timer),
		cmocka_unit_test(a_timer_that_rearms_itself_starves_nobody),
		cmocka_unit_test(a_message_that_posts_itself_starves_no_timer),
		cmocka_unit_test(freeing_nothing_is_harmless),
	};

	return cmocka_run_group_tests_name("loop.loop", tests, NULL, NULL);
}
