/*
 * Event loops: one thread, its timers, and messages from every other thread. What a loop runs belongs to that thread
 * alone, so that rooms above need no locks.
 *
 * Functions are for the loop's own thread unless marked [any-thread]. Before a loop runs, its thread is the one that
 * made it; after loop_join() it is the one that joined.
 */
#ifndef FG_LOOP_LOOP_H
#define FG_LOOP_LOOP_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct loop;

/*
 * Something to do on the loop's thread, embedded in whatever carries its arguments. The memory is the poster's until
 * loop_post(), the loop's until run() is called, and run()'s from then on: it may free or post the message again.
 */
struct loop_message {
	void (*run)(struct loop_message *message);
	struct loop_message *next; /* the loop's */
};

/* The struct that embeds @message as its @member. */
#define loop_message_owner(message, type, member) ((type *)(void *)((char *)(message)-offsetof(type, member)))

/*
 * A one-shot timer, embedded by its owner, who cancels it before freeing it. Nothing below is for the owner to touch.
 * Arming never fails: the heap of timers is threaded through the timers themselves.
 */
struct loop_timer {
	struct loop *loop;
	void (*fn)(void *userdata);
	void *userdata;
	uint64_t due_ns;
	uint64_t order;
	bool is_armed;
	struct loop_timer *child, *sibling, *previous;
};

int loop_new(struct loop **ret);
/*
 * The loop must not be running, and every timer must be cancelled. Messages that came too late for loop_run() are run
 * here, on the caller's thread: whatever was posted is run exactly once. NULL is accepted; returns NULL.
 */
struct loop *loop_free(struct loop *loop);

/* Runs until loop_stop(), on the calling thread; once in a loop's life. */
void loop_run(struct loop *loop);
/* Runs in a new thread called @name (15 bytes are kept), which takes no signals. Negative errno if there is none. */
int loop_start(struct loop *loop, const char *name);
/* Waits for the thread of loop_start() to end. Not from that thread. */
void loop_join(struct loop *loop);
/* Ends loop_run() after the messages posted before this call; may come before the loop runs. [any-thread] */
void loop_stop(struct loop *loop);

/* Messages of one poster run in the order in which they were posted. [any-thread] */
void loop_post(struct loop *loop, struct loop_message *message);

/* Is the caller the loop's thread? [any-thread] */
bool loop_is_current(const struct loop *loop);
#define assert_loop_thread(loop) assert(loop_is_current(loop))

void loop_timer_init(struct loop_timer *timer, struct loop *loop, void (*fn)(void *userdata), void *userdata);
/*
 * Calls fn(userdata) once, @delay_ms of monotonic time from now or as soon after as the loop comes to it; never from
 * within this call. An armed timer is moved. Timers due at the same instant fire in the order of arming.
 */
void loop_timer_arm(struct loop_timer *timer, int64_t delay_ms);
/* From here on the timer does not fire. Harmless when it is not armed. */
void loop_timer_cancel(struct loop_timer *timer);

#endif
