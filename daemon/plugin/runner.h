/*
 * Threads that run steps, so that the engine never waits for a plugin. Steps of different jobs run side by side; the
 * caller has at most one step in flight per job.
 */
#ifndef FG_PLUGIN_RUNNER_H
#define FG_PLUGIN_RUNNER_H

#include "plugin/step.h"

struct plugin_recorder;
struct plugin_runner;

enum {
	_PLUGIN_RUNNER_E_OK,
	PLUGIN_RUNNER_E_LATE, /* a plugin computes on and on */
};

int plugin_runner_new(unsigned int threads, struct plugin_runner **ret);
/* Runs what waits, then ends the threads, however long that takes. Nobody may post any more. */
struct plugin_runner *plugin_runner_free(struct plugin_runner *runner);
void plugin_runner_freep(struct plugin_runner **runner);

/* Nobody may post any more; the threads end when they have run what waits. Returns at once, and may be called again.
 * Then comes plugin_runner_end(): so many runners end side by side. @runner may be NULL. */
void plugin_runner_stop(struct plugin_runner *runner);
/*
 * As plugin_runner_free(), but waits for at most @limit_ms. 0: it is freed. PLUGIN_RUNNER_E_LATE: the log names the
 * plugins that do not come back. No thread can be taken from them: the runner, its recorder, its steps and all that
 * these point to, the plugins too, must stay as they are until the process has ended, by _exit(). @runner may be NULL.
 */
int plugin_runner_end(struct plugin_runner *runner, int64_t limit_ms);

/* From now on each step is recorded before its answer is handed over. Before the first post; @recorder must outlive the
 * runner. */
void plugin_runner_record(struct plugin_runner *runner, struct plugin_recorder *recorder);

/* Queues @step, first come first served; step->fn is called with the answer. Never fails: the memory is the caller's,
 * and so is the bound on how many wait. [any-thread] */
void plugin_runner_post(struct plugin_runner *runner, struct plugin_step *step);

#endif
