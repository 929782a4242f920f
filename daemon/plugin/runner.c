#include "plugin/runner.h"

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "plugin/account_inside.h"
#include "plugin/recorder.h"

#include <assert.h>
#include <pthread.h>
#include <time.h>

struct worker {
	struct plugin_runner *runner;
	pthread_t thread;
	const struct plugin_step *step; /* that a plugin is at; NULL: none */
};

struct plugin_runner {
	pthread_mutex_t mutex;
	pthread_cond_t wake;
	pthread_cond_t ended;
	unsigned int n_ended;
	struct plugin_step *first;
	struct plugin_step **last;
	bool is_stopping;
	struct plugin_recorder *recorder; /* NULL: nothing is recorded */
	unsigned int n_workers;
	struct worker workers[];
};

/* The next step, or NULL when there will be none. */
static struct plugin_step *take(struct worker *worker)
{
	struct plugin_runner *runner = worker->runner;
	struct plugin_step *step;

	pthread_mutex_lock(&runner->mutex);
	while (!runner->first && !runner->is_stopping)
		pthread_cond_wait(&runner->wake, &runner->mutex);
	step = runner->first;
	if (step) {
		runner->first = step->next;
		if (!runner->first)
			runner->last = &runner->first;
	}
	worker->step = step;
	pthread_mutex_unlock(&runner->mutex);
	return step;
}

static struct plugin_answer *compute(struct worker *worker, const struct plugin_step *step)
{
	struct plugin_answer *answer = plugin_step_run(step);

	pthread_mutex_lock(&worker->runner->mutex);
	worker->step = NULL;
	pthread_mutex_unlock(&worker->runner->mutex);
	return answer;
}

static void *run(void *userdata)
{
	struct worker *worker = userdata;
	struct plugin_runner *runner = worker->runner;
	struct plugin_step *step;

	pthread_setname_np(pthread_self(), "fg-plugin");
	while ((step = take(worker)) != NULL) {
		struct plugin_answer *answer = compute(worker, step);

		/* Set before the first step was posted: the lock of the queue is between. */
		if (runner->recorder && answer)
			plugin_recorder_take(runner->recorder, step, answer);
		step->fn(step, answer);
	}
	pthread_mutex_lock(&runner->mutex);
	runner->n_ended++;
	pthread_cond_signal(&runner->ended);
	pthread_mutex_unlock(&runner->mutex);
	return NULL;
}

void plugin_runner_record(struct plugin_runner *runner, struct plugin_recorder *recorder)
{
	pthread_mutex_lock(&runner->mutex);
	runner->recorder = recorder;
	pthread_mutex_unlock(&runner->mutex);
}

static void init_conditions(struct plugin_runner *runner)
{
	pthread_condattr_t monotonic;

	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&runner->wake, NULL);
	pthread_cond_init(&runner->ended, &monotonic);
	pthread_condattr_destroy(&monotonic);
}

int plugin_runner_new(unsigned int threads, struct plugin_runner **ret)
{
	_cleanup_(plugin_runner_freep) struct plugin_runner *runner = NULL;

	runner = calloc(1, sizeof(*runner) + threads * sizeof(runner->workers[0]));
	if (!runner)
		return err_origin(-ENOMEM);
	runner->last = &runner->first;
	pthread_mutex_init(&runner->mutex, NULL);
	init_conditions(runner);
	while (runner->n_workers < threads) {
		struct worker *worker = &runner->workers[runner->n_workers];
		int r;

		worker->runner = runner;
		r = pthread_create(&worker->thread, NULL, run, worker);
		if (r)
			return err_origin(-r);
		runner->n_workers++;
	}
	*ret = steal(runner);
	return 0;
}

void plugin_runner_stop(struct plugin_runner *runner)
{
	if (!runner)
		return;
	pthread_mutex_lock(&runner->mutex);
	runner->is_stopping = true;
	pthread_cond_broadcast(&runner->wake);
	pthread_mutex_unlock(&runner->mutex);
}

struct plugin_runner *plugin_runner_free(struct plugin_runner *runner)
{
	if (!runner)
		return NULL;
	plugin_runner_stop(runner);
	for (unsigned int i = 0; i < runner->n_workers; i++)
		pthread_join(runner->workers[i].thread, NULL);
	assert(!runner->first);
	pthread_cond_destroy(&runner->ended);
	pthread_cond_destroy(&runner->wake);
	pthread_mutex_destroy(&runner->mutex);
	free(runner);
	return NULL;
}

/* [with the mutex] */
static void name_late(const struct plugin_runner *runner)
{
	for (unsigned int i = 0; i < runner->n_workers; i++) {
		const struct plugin_step *step = runner->workers[i].step;

		if (step)
			log_error("a plugin does not come back; its thread is left behind", "plugin",
				  plugin_name(step->account->plugin), "provider", step->account->id, "verb",
				  plugin_verb_name(step->verb));
	}
}

/* Have all threads ended, or nearly? Our own clock decides when it is late: a wait may end before its time. */
static bool await_end(struct plugin_runner *runner, int64_t limit_ms)
{
	int64_t until_ms = clock_monotonic_ms(&clock_system) + limit_ms;
	struct timespec until = {.tv_sec = until_ms / 1000, .tv_nsec = until_ms % 1000 * 1000000};
	bool has_ended;

	pthread_mutex_lock(&runner->mutex);
	while (runner->n_ended < runner->n_workers && clock_monotonic_ms(&clock_system) < until_ms)
		pthread_cond_timedwait(&runner->ended, &runner->mutex, &until);
	has_ended = runner->n_ended == runner->n_workers;
	if (!has_ended)
		name_late(runner);
	pthread_mutex_unlock(&runner->mutex);
	return has_ended;
}

int plugin_runner_end(struct plugin_runner *runner, int64_t limit_ms)
{
	if (!runner)
		return 0;
	plugin_runner_stop(runner);
	if (!await_end(runner, limit_ms))
		return PLUGIN_RUNNER_E_LATE;
	plugin_runner_free(runner);
	return 0;
}

void plugin_runner_freep(struct plugin_runner **runner)
{
	plugin_runner_free(*runner);
}

void plugin_runner_post(struct plugin_runner *runner, struct plugin_step *step)
{
	step->next = NULL;
	pthread_mutex_lock(&runner->mutex);
	assert(!runner->is_stopping);
	*runner->last = step;
	runner->last = &step->next;
	pthread_cond_signal(&runner->wake);
	pthread_mutex_unlock(&runner->mutex);
}
