/*
 * The pool that hashes, probes and unlinks: first come, first served. [any-thread]
 */
#ifndef FG_ARTIFACT_WORKER_H
#define FG_ARTIFACT_WORKER_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

/* The first member of what is to be done. */
struct task {
	struct task *next;
	void (*run)(struct task *task); /* consumes it */
};

struct workers {
	pthread_mutex_t mutex;
	pthread_cond_t wake;
	struct task *first, *last;
	bool is_closing;
	pthread_t *threads;
	uint32_t n_threads;
};

/* 0, or negative errno and nothing is left behind. */
int workers_start(struct workers *workers, uint32_t n);
/* Runs what is queued, and waits for it. */
void workers_stop(struct workers *workers);
void workers_add(struct workers *workers, struct task *take);

#endif
