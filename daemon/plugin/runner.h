/*
 * Threads that run steps, so that the engine never waits for a plugin. Steps of different jobs run side by side; the
 * caller has at most one step in flight per job.
 */
#ifndef FG_PLUGIN_RUNNER_H
#define FG_PLUGIN_RUNNER_H

#include "plugin/step.h"

struct plugin_recorder;
struct plugin_runner;

int plugin_runner_new(unsigned int threads, struct plugin_runner **ret);
/* Runs what waits, then ends the threads. Nobody may post any more. */
struct plugin_runner *plugin_runner_free(struct plugin_runner *runner);
void plugin_runner_freep(struct plugin_runner **runner);

/* From now on each step is recorded before its answer is handed over. Before the first post; @recorder must outlive the
 * runner. */
void plugin_runner_record(struct plugin_runner *runner, struct plugin_recorder *recorder);

/* Queues @step, first come first served; step->fn is called with the answer. Never fails: how many steps wait is
 * bounded by how many jobs the caller has in flight. [any-thread] */
void plugin_runner_post(struct plugin_runner *runner, struct plugin_step *step);

#endif
