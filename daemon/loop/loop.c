/*
 * Three libuv handles make a loop: the async handle that other threads ring, one timer for the earliest of ours, and
 * an idle handle for timers that are due at once. (A uv_timer_t armed with 0 from its own callback is called again in
 * the same turn, for ever: libuv 1.44 runs its timers until none is due.)
 *
 * The mailbox is a stack that posters push to with one compare-and-swap and that the loop takes whole with one
 * exchange and turns round. Only the poster that finds it empty rings, so a batch costs one wake-up however long it
 * is; what is posted while a batch runs waits for the next turn of the loop, so that timers and sockets are never
 * starved by a chatty poster.
 */
#include "loop/loop.h"

#include "base/err.h"
#include "loop/timers.h"
#include "loop/uv.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>

#define NS_PER_MS UINT64_C(1000000)

struct loop {
	uv_loop_t uv;
	uv_async_t wake;
	uv_timer_t tick;
	uv_idle_t soon;
	struct timers timers;
	_Atomic(struct loop_message *) mailbox; /* newest first */
	atomic_bool is_stopping;
	atomic_uintptr_t owner; /* pthread_self() of the loop's thread; 0 while that one is being started */
	bool has_run;
	bool has_thread;
	pthread_t thread;
};

static void claim_ownership(struct loop *loop)
{
	atomic_store(&loop->owner, (uintptr_t)pthread_self());
}

bool loop_is_current(const struct loop *loop)
{
	return atomic_load(&loop->owner) == (uintptr_t)pthread_self();
}

uv_loop_t *loop_uv(struct loop *loop)
{
	return &loop->uv;
}

static struct loop_message *take_mailbox(struct loop *loop)
{
	struct loop_message *newest = atomic_exchange_explicit(&loop->mailbox, NULL, memory_order_acquire);
	struct loop_message *oldest = NULL;

	while (newest) {
		struct loop_message *next = newest->next;

		newest->next = oldest;
		oldest = newest;
		newest = next;
	}
	return oldest;
}

static void run_mailbox(struct loop *loop)
{
	struct loop_message *message = take_mailbox(loop);

	while (message) {
		struct loop_message *next = message->next;

		message->next = NULL;
		message->run(message);
		message = next;
	}
}

static void on_wake(uv_async_t *wake)
{
	struct loop *loop = wake->data;
	/* Read first: what was posted before the stop is then certainly in the mailbox that is taken below. */
	bool is_last = atomic_load(&loop->is_stopping);

	run_mailbox(loop);
	if (is_last)
		uv_stop(&loop->uv);
}

void loop_post(struct loop *loop, struct loop_message *message)
{
	struct loop_message *newest = atomic_load_explicit(&loop->mailbox, memory_order_relaxed);

	assert(message->run);
	do {
		message->next = newest;
	} while (!atomic_compare_exchange_weak_explicit(&loop->mailbox, &newest, message, memory_order_release,
							memory_order_relaxed));
	if (!newest)
		uv_async_send(&loop->wake);
}

static void on_tick(uv_timer_t *tick);
static void on_soon(uv_idle_t *soon);

/* libuv counts in milliseconds from a cached now, so it may ring up to one early: fire_due() then finds nothing due. */
static void set_tick(struct loop *loop)
{
	const struct loop_timer *first = loop->timers.root;
	uint64_t now_ns = uv_hrtime();

	uv_timer_stop(&loop->tick);
	uv_idle_stop(&loop->soon);
	if (!first)
		return;
	if (first->due_ns <= now_ns) {
		uv_idle_start(&loop->soon, on_soon);
		return;
	}
	uv_update_time(&loop->uv);
	uv_timer_start(&loop->tick, on_tick, (first->due_ns - now_ns + NS_PER_MS - 1) / NS_PER_MS, 0);
}

/* Timers that are armed by the ones firing here wait for the next turn, even with a delay of 0. */
static void fire_due(struct loop *loop)
{
	uint64_t order = loop->timers.armed_count;
	uint64_t now_ns = uv_hrtime();
	struct loop_timer *timer;

	while ((timer = timers_take_due(&loop->timers, now_ns, order)))
		timer->fn(timer->userdata);
	set_tick(loop);
}

static void on_tick(uv_timer_t *tick)
{
	fire_due(tick->data);
}

static void on_soon(uv_idle_t *soon)
{
	fire_due(soon->data);
}

void loop_timer_init(struct loop_timer *timer, struct loop *loop, void (*fn)(void *userdata), void *userdata)
{
	*timer = (struct loop_timer){.loop = loop, .fn = fn, .userdata = userdata};
}

void loop_timer_arm(struct loop_timer *timer, int64_t delay_ms)
{
	struct loop *loop = timer->loop;
	uint64_t delay_ns = delay_ms > 0 ? (uint64_t)delay_ms * NS_PER_MS : 0;

	assert_loop_thread(loop);
	if (timer->is_armed)
		timers_remove(&loop->timers, timer);
	timers_add(&loop->timers, timer, uv_hrtime() + delay_ns);
	if (loop->timers.root == timer)
		set_tick(loop);
}

void loop_timer_cancel(struct loop_timer *timer)
{
	if (!timer->is_armed)
		return;
	assert_loop_thread(timer->loop);
	timers_remove(&timer->loop->timers, timer);
}

int loop_new(struct loop **ret)
{
	_cleanup_(freep) struct loop *loop = calloc(1, sizeof(*loop));
	int r;

	if (!loop)
		return err_origin(-ENOMEM);
	r = uv_loop_init(&loop->uv);
	if (r < 0)
		return err_origin(r);

	r = uv_async_init(&loop->uv, &loop->wake, on_wake);
	if (r < 0) {
		uv_loop_close(&loop->uv);
		return err_origin(r);
	}
	uv_timer_init(&loop->uv, &loop->tick);
	uv_idle_init(&loop->uv, &loop->soon);
	loop->wake.data = loop;
	loop->tick.data = loop;
	loop->soon.data = loop;
	claim_ownership(loop);
	*ret = steal(loop);
	return 0;
}

struct loop *loop_free(struct loop *loop)
{
	int r;

	if (!loop)
		return NULL;
	assert(!loop->has_thread);
	claim_ownership(loop);
	while (atomic_load(&loop->mailbox))
		run_mailbox(loop);
	assert(!loop->timers.root);

	uv_close((uv_handle_t *)&loop->wake, NULL);
	uv_close((uv_handle_t *)&loop->tick, NULL);
	uv_close((uv_handle_t *)&loop->soon, NULL);
	uv_run(&loop->uv, UV_RUN_DEFAULT);
	r = uv_loop_close(&loop->uv);
	assert(r == 0);
	free(loop);
	return NULL;
}

void loop_run(struct loop *loop)
{
	assert(!loop->has_run);
	loop->has_run = true;
	claim_ownership(loop);
	uv_run(&loop->uv, UV_RUN_DEFAULT);
}

void loop_stop(struct loop *loop)
{
	atomic_store(&loop->is_stopping, true);
	uv_async_send(&loop->wake);
}

static void *run_thread(void *userdata)
{
	loop_run(userdata);
	return NULL;
}

int loop_start(struct loop *loop, const char *name)
{
	sigset_t all, before;
	char short_name[16];
	int r;

	assert(!loop->has_thread);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	atomic_store(&loop->owner, 0);
	r = pthread_create(&loop->thread, NULL, run_thread, loop);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (r != 0) {
		claim_ownership(loop);
		return err_origin(-r);
	}

	loop->has_thread = true;
	snprintf(short_name, sizeof(short_name), "%s", name);
	pthread_setname_np(loop->thread, short_name);
	return 0;
}

void loop_join(struct loop *loop)
{
	if (!loop->has_thread)
		return;
	assert(!loop_is_current(loop));
	pthread_join(loop->thread, NULL);
	loop->has_thread = false;
	claim_ownership(loop);
}
