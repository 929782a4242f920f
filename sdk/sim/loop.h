/*
 * The simulator's one thread: file descriptors, timers and the end. Nothing here is safe from another thread.
 *
 * Watches and timers are embedded in what they serve; their owner removes them before it goes. At most one watch is
 * called between two waits, so a callback may free any other watch.
 */
#ifndef FG_SIM_LOOP_H
#define FG_SIM_LOOP_H

#include <stdbool.h>
#include <stdint.h>

struct sim_loop;

/* Inert when zeroed. */
struct sim_watch {
	void (*fn)(void *userdata, uint32_t events);
	void *userdata;
	int fd;
	bool active;
};

/* Inert when zeroed. Fires once; starting it again moves it. */
struct sim_timer {
	void (*fn)(void *userdata);
	void *userdata;
	int64_t due_ms;
	struct sim_timer *prev, *next;
	bool active;
};

/* Called before every wait: does what is pending and returns how long the loop may sleep at most, -1 for ever. */
struct sim_turn {
	int64_t (*fn)(void *userdata);
	void *userdata;
	struct sim_turn *next;
};

int sim_loop_new(struct sim_loop **ret);
struct sim_loop *sim_loop_free(struct sim_loop *loop);
void sim_loop_freep(struct sim_loop **loop);

/* Runs until sim_loop_quit(). */
int sim_loop_run(struct sim_loop *loop);
void sim_loop_quit(struct sim_loop *loop);

/* @watch->fn and ->userdata are set by the caller. @events are EPOLL* bits, level-triggered. */
int sim_loop_watch(struct sim_loop *loop, struct sim_watch *watch, int fd, uint32_t events);
int sim_loop_rewatch(struct sim_loop *loop, struct sim_watch *watch, uint32_t events);
/* Before the descriptor is closed. Accepts an inactive watch. */
void sim_loop_unwatch(struct sim_loop *loop, struct sim_watch *watch);

void sim_loop_after(struct sim_loop *loop, struct sim_timer *timer, int64_t delay_ms);
void sim_loop_forget(struct sim_loop *loop, struct sim_timer *timer);

/* The turn stays until the loop is freed. */
void sim_loop_every_turn(struct sim_loop *loop, struct sim_turn *turn);

#endif
