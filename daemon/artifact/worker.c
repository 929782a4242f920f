#include "artifact/worker.h"

#include "base/err.h"

/* NULL: the pool is stopped, and everything that was queued is taken. */
static struct task *next_task(struct workers *workers)
{
	struct task *task;

	pthread_mutex_lock(&workers->mutex);
	while (!workers->first && !workers->is_closing)
		pthread_cond_wait(&workers->wake, &workers->mutex);
	task = workers->first;
	if (task)
		workers->first = task->next;
	pthread_mutex_unlock(&workers->mutex);
	return task;
}

static void *work(void *userdata)
{
	struct workers *workers = userdata;
	struct task *task;

	pthread_setname_np(pthread_self(), "fg-artifact");
	while ((task = next_task(workers)))
		task->run(task);
	return NULL;
}

int workers_start(struct workers *workers, uint32_t n)
{
	*workers = (struct workers){.threads = calloc(n, sizeof(pthread_t))};
	if (!workers->threads)
		return err_origin(-ENOMEM);
	pthread_mutex_init(&workers->mutex, NULL);
	pthread_cond_init(&workers->wake, NULL);
	while (workers->n_threads < n) {
		int r = pthread_create(&workers->threads[workers->n_threads], NULL, work, workers);

		if (r != 0) {
			workers_stop(workers);
			return err_origin(-r);
		}
		workers->n_threads++;
	}
	return 0;
}

void workers_stop(struct workers *workers)
{
	if (!workers->threads)
		return;
	pthread_mutex_lock(&workers->mutex);
	workers->is_closing = true;
	pthread_cond_broadcast(&workers->wake);
	pthread_mutex_unlock(&workers->mutex);
	for (uint32_t i = 0; i < workers->n_threads; i++)
		pthread_join(workers->threads[i], NULL);
	pthread_cond_destroy(&workers->wake);
	pthread_mutex_destroy(&workers->mutex);
	free(workers->threads);
	workers->threads = NULL;
}

void workers_add(struct workers *workers, struct task *take)
{
	take->next = NULL;
	pthread_mutex_lock(&workers->mutex);
	if (workers->first)
		workers->last->next = take;
	else
		workers->first = take;
	workers->last = take;
	pthread_cond_signal(&workers->wake);
	pthread_mutex_unlock(&workers->mutex);
}
