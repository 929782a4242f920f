/*
 * One thread for what may block (reading artifact files, writing uploads) and for what must happen now and then (looking
 * for idle uploads, asking the engine whether it still serves). The doors' own threads may do neither.
 */
#ifndef FG_API_WORKER_H
#define FG_API_WORKER_H

#include <stdbool.h>

struct worker;

/* Embedded in its owner's object; not to be posted again before it runs. */
struct work {
	void (*run)(struct work *work);
	struct work *next;
};

/* @name: the thread's; static. @on_tick runs about once a second while ticking is on. */
int worker_new(const char *name, void (*on_tick)(void *userdata), void *userdata, struct worker **ret);
/* Runs what was posted, then ends. NULL is fine. */
struct worker *worker_free(struct worker *worker);
/* In order. [any-thread] */
void worker_post(struct worker *worker, struct work *work);
void worker_set_ticking(struct worker *worker, bool is_on);

#endif
