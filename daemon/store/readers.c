#include "store/internal.h"

/* The pool that does what reads from disk, first come first served. */

static struct read *take_read(struct readers *readers)
{
	struct read *read;

	pthread_mutex_lock(&readers->mutex);
	while (!readers->first && !readers->is_stopping)
		pthread_cond_wait(&readers->wake, &readers->mutex);
	read = readers->first;
	if (read)
		readers->first = read->next;
	pthread_mutex_unlock(&readers->mutex);
	return read;
}

static void *run(void *userdata)
{
	struct store *store = userdata;
	struct read *read;

	pthread_setname_np(pthread_self(), "fg-reader");
	while ((read = take_read(&store->readers))) {
		store_lock_database(store);
		read->run(store, read);
		store_unlock_database(store);
	}
	return NULL;
}

void readers_add(struct store *store, struct read *take)
{
	struct readers *readers = &store->readers;

	take->next = NULL;
	pthread_mutex_lock(&readers->mutex);
	if (readers->first)
		readers->last->next = take;
	else
		readers->first = take;
	readers->last = take;
	pthread_cond_signal(&readers->wake);
	pthread_mutex_unlock(&readers->mutex);
}

int readers_start(struct store *store)
{
	struct readers *readers = &store->readers;

	pthread_mutex_init(&readers->mutex, NULL);
	pthread_cond_init(&readers->wake, NULL);
	readers->is_started = true;
	while (readers->n_threads < LIMIT_STORE_READERS) {
		int r = pthread_create(&readers->threads[readers->n_threads], NULL, run, store);

		if (r != 0) {
			readers_stop(store);
			return err_origin(-r);
		}
		readers->n_threads++;
	}
	return 0;
}

void readers_stop(struct store *store)
{
	struct readers *readers = &store->readers;

	if (!readers->is_started)
		return;
	readers->is_started = false;
	pthread_mutex_lock(&readers->mutex);
	readers->is_stopping = true;
	pthread_cond_broadcast(&readers->wake);
	pthread_mutex_unlock(&readers->mutex);
	while (readers->n_threads > 0)
		pthread_join(readers->threads[--readers->n_threads], NULL);
	pthread_cond_destroy(&readers->wake);
	pthread_mutex_destroy(&readers->mutex);
}
