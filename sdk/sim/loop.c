#include "sim/loop.h"

#include "base/clock.h"
#include "base/err.h"

#include <sys/epoll.h>

struct sim_loop {
	int epoll_fd;
	struct sim_timer *timers; /* few: a walk is cheaper than a heap's upkeep */
	struct sim_turn *turns;
	bool is_quitting;
};

int sim_loop_new(struct sim_loop **ret)
{
	_cleanup_(sim_loop_freep) struct sim_loop *loop = calloc(1, sizeof(*loop));

	if (!loop)
		return err_origin(-ENOMEM);
	loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (loop->epoll_fd < 0)
		return err_origin(-errno);

	*ret = steal(loop);
	return 0;
}

struct sim_loop *sim_loop_free(struct sim_loop *loop)
{
	if (!loop)
		return NULL;
	if (loop->epoll_fd >= 0)
		close(loop->epoll_fd);
	free(loop);
	return NULL;
}

void sim_loop_freep(struct sim_loop **loop)
{
	sim_loop_free(*loop);
}

int sim_loop_watch(struct sim_loop *loop, struct sim_watch *watch, int fd, uint32_t events)
{
	struct epoll_event event = {.events = events, .data.ptr = watch};

	watch->fd = fd;
	if (epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0)
		return err_origin(-errno);
	watch->active = true;
	return 0;
}

int sim_loop_rewatch(struct sim_loop *loop, struct sim_watch *watch, uint32_t events)
{
	struct epoll_event event = {.events = events, .data.ptr = watch};

	if (epoll_ctl(loop->epoll_fd, EPOLL_CTL_MOD, watch->fd, &event) < 0)
		return err_origin(-errno);
	return 0;
}

void sim_loop_unwatch(struct sim_loop *loop, struct sim_watch *watch)
{
	if (!watch->active)
		return;
	epoll_ctl(loop->epoll_fd, EPOLL_CTL_DEL, watch->fd, NULL);
	watch->active = false;
}

void sim_loop_after(struct sim_loop *loop, struct sim_timer *timer, int64_t delay_ms)
{
	sim_loop_forget(loop, timer);
	timer->due_ms = clock_monotonic_ms(&clock_system) + delay_ms;
	timer->prev = NULL;
	timer->next = loop->timers;
	if (loop->timers)
		loop->timers->prev = timer;
	loop->timers = timer;
	timer->active = true;
}

void sim_loop_forget(struct sim_loop *loop, struct sim_timer *timer)
{
	if (!timer->active)
		return;
	if (timer->prev)
		timer->prev->next = timer->next;
	else
		loop->timers = timer->next;
	if (timer->next)
		timer->next->prev = timer->prev;
	timer->active = false;
}

void sim_loop_every_turn(struct sim_loop *loop, struct sim_turn *turn)
{
	turn->next = loop->turns;
	loop->turns = turn;
}

static int64_t sooner(int64_t a_ms, int64_t b_ms)
{
	if (a_ms < 0)
		return b_ms;
	return b_ms < 0 || a_ms < b_ms ? a_ms : b_ms;
}

static struct sim_timer *earliest(struct sim_loop *loop)
{
	struct sim_timer *found = NULL;

	for (struct sim_timer *timer = loop->timers; timer; timer = timer->next)
		if (!found || timer->due_ms < found->due_ms)
			found = timer;
	return found;
}

/* A timer that restarts itself with 0 must not starve the sockets, hence the budget. */
static void fire_timers(struct sim_loop *loop)
{
	int64_t now_ms = clock_monotonic_ms(&clock_system);
	struct sim_timer *timer;
	int budget = 1000;

	while ((timer = earliest(loop)) != NULL && timer->due_ms <= now_ms && budget-- > 0) {
		sim_loop_forget(loop, timer);
		timer->fn(timer->userdata);
	}
}

static int64_t until_next_timer(struct sim_loop *loop)
{
	struct sim_timer *timer = earliest(loop);
	int64_t wait_ms;

	if (!timer)
		return -1;
	wait_ms = timer->due_ms - clock_monotonic_ms(&clock_system);
	return wait_ms > 0 ? wait_ms : 0;
}

static int wait_once(struct sim_loop *loop, int64_t wait_ms)
{
	struct epoll_event event;
	int count;

	count = epoll_wait(loop->epoll_fd, &event, 1, wait_ms > 60000 ? 60000 : (int)wait_ms);
	if (count < 0 && errno != EINTR)
		return err_origin(-errno);
	if (count > 0) {
		struct sim_watch *watch = event.data.ptr;

		watch->fn(watch->userdata, event.events);
	}
	return 0;
}

int sim_loop_run(struct sim_loop *loop)
{
	int r;

	while (!loop->is_quitting) {
		int64_t wait_ms = -1;

		fire_timers(loop);
		for (struct sim_turn *turn = loop->turns; turn; turn = turn->next)
			wait_ms = sooner(wait_ms, turn->fn(turn->userdata));
		if (loop->is_quitting)
			return 0;
		r = wait_once(loop, sooner(wait_ms, until_next_timer(loop)));
		if (r < 0)
			return err_trace(r);
	}
	return 0;
}

void sim_loop_quit(struct sim_loop *loop)
{
	loop->is_quitting = true;
}
