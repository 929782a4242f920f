#include "api/worker.h"

#include "base/clock.h"
#include "base/err.h"

#include <pthread.h>

#define TICK_MS 1000

struct worker {
	const char *name;
	void (*on_tick)(void *userdata);
	void *userdata;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct work *first;
	struct work **last;
	bool is_ticking;
	bool is_ending;
};

static struct work *take(struct worker *worker)
{
	struct work *work = worker->first;

	if (work) {
		worker->first = work->next;
		if (!worker->first)
			worker->last = &worker->first;
	}
	return work;
}

static int64_t now_ms(void)
{
	return clock_monotonic_ms(&clock_system);
}

/* The condition's clock is the monotonic one, too. */
static void wait_until(struct worker *worker, int64_t due_ms)
{
	const struct timespec due = {.tv_sec = due_ms / 1000, .tv_nsec = due_ms % 1000 * 1000000};

	if (worker->is_ticking)
		pthread_cond_timedwait(&worker->changed, &worker->lock, &due);
	else
		pthread_cond_wait(&worker->changed, &worker->lock);
}

static void *run(void *userdata)
{
	struct worker *worker = userdata;
	int64_t due_ms = now_ms() + TICK_MS;
	struct work *work;

	pthread_setname_np(pthread_self(), worker->name);
	pthread_mutex_lock(&worker->lock);
	while ((work = take(worker)) != NULL || !worker->is_ending) {
		bool is_tick = worker->is_ticking && now_ms() >= due_ms;

		if (!work && !is_tick) {
			wait_until(worker, due_ms);
			continue;
		}
		pthread_mutex_unlock(&worker->lock);
		if (work)
			work->run(work);
		if (is_tick) {
			worker->on_tick(worker->userdata);
			due_ms = now_ms() + TICK_MS;
		}
		pthread_mutex_lock(&worker->lock);
	}
	pthread_mutex_unlock(&worker->lock);
	return NULL;
}

int worker_new(const char *name, void (*on_tick)(void *userdata), void *userdata, struct worker **ret)
{
	struct worker *worker = calloc(1, sizeof(*worker));
	pthread_condattr_t attributes;
	int r;

	if (!worker)
		return err_origin(-ENOMEM);
	worker->name = name;
	worker->on_tick = on_tick;
	worker->userdata = userdata;
	worker->last = &worker->first;
	pthread_mutex_init(&worker->lock, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&worker->changed, &attributes);
	pthread_condattr_destroy(&attributes);

	r = pthread_create(&worker->thread, NULL, run, worker);
	if (r) {
		pthread_cond_destroy(&worker->changed);
		pthread_mutex_destroy(&worker->lock);
		free(worker);
		return err_origin(-r);
	}
	*ret = worker;
	return 0;
}

struct worker *worker_free(struct worker *worker)
{
	if (!worker)
		return NULL;
	pthread_mutex_lock(&worker->lock);
	worker->is_ending = true;
	pthread_cond_signal(&worker->changed);
	pthread_mutex_unlock(&worker->lock);
	pthread_join(worker->thread, NULL);
	pthread_cond_destroy(&worker->changed);
	pthread_mutex_destroy(&worker->lock);
	free(worker);
	return NULL;
}

void worker_post(struct worker *worker, struct work *work)
{
	work->next = NULL;
	pthread_mutex_lock(&worker->lock);
	*worker->last = work;
	worker->last = &work->next;
	pthread_cond_signal(&worker->changed);
	pthread_mutex_unlock(&worker->lock);
}

void worker_set_ticking(struct worker *worker, bool is_on)
{
	pthread_mutex_lock(&worker->lock);
	worker->is_ticking = is_on;
	pthread_cond_signal(&worker->changed);
	pthread_mutex_unlock(&worker->lock);
}
