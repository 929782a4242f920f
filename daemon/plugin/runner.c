#include "plugin/runner.h"

#include "base/err.h"
#include "plugin/recorder.h"

#include <assert.h>
#include <pthread.h>

struct plugin_runner {
	pthread_mutex_t mutex;
	pthread_cond_t wake;
	struct plugin_step *first;
	struct plugin_step **last;
	bool is_stopping;
	struct plugin_recorder *recorder; /* NULL: nothing is recorded */
	unsigned int n_threads;
	pthread_t threads[];
};

/* The next step, or NULL when there will be none. */
static struct plugin_step *take(struct plugin_runner *runner)
{
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
	pthread_mutex_unlock(&runner->mutex);
	return step;
}

static void *run(void *userdata)
{
	struct plugin_runner *runner = userdata;
	struct plugin_step *step;

	pthread_setname_np(pthread_self(), "fg-plugin");
	while ((step = take(runner)) != NULL) {
		struct plugin_answer *answer = plugin_step_run(step);

		/* Set before the first step was posted: the lock of the queue is between. */
		if (runner->recorder && answer)
			plugin_recorder_take(runner->recorder, step, answer);
		step->fn(step, answer);
	}
	return NULL;
}

void plugin_runner_record(struct plugin_runner *runner, struct plugin_recorder *recorder)
{
	pthread_mutex_lock(&runner->mutex);
	runner->recorder = recorder;
	pthread_mutex_unlock(&runner->mutex);
}

int plugin_runner_new(unsigned int threads, struct plugin_runner **ret)
{
	_cleanup_(plugin_runner_freep) struct plugin_runner *runner = NULL;

	runner = calloc(1, sizeof(*runner) + threads * sizeof(runner->threads[0]));
	if (!runner)
		return err_origin(-ENOMEM);
	runner->last = &runner->first;
	pthread_mutex_init(&runner->mutex, NULL);
	pthread_cond_init(&runner->wake, NULL);
	while (runner->n_threads < threads) {
		int r = pthread_create(&runner->threads[runner->n_threads], NULL, run, runner);

		if (r)
			return err_origin(-r);
		runner->n_threads++;
	}
	*ret = steal(runner);
	return 0;
}

struct plugin_runner *plugin_runner_free(struct plugin_runner *runner)
{
	if (!runner)
		return NULL;
	pthread_mutex_lock(&runner->mutex);
	runner->is_stopping = true;
	pthread_cond_broadcast(&runner->wake);
	pthread_mutex_unlock(&runner->mutex);
	for (unsigned int i = 0; i < runner->n_threads; i++)
		pthread_join(runner->threads[i], NULL);
	assert(!runner->first);
	pthread_cond_destroy(&runner->wake);
	pthread_mutex_destroy(&runner->mutex);
	free(runner);
	return NULL;
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
