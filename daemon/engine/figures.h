/*
 * What the engine counts of each provider, and of the jobs whose provider is not configured. Added to where it happens,
 * on any thread; read by engine_measure() alone.
 */
#ifndef FG_ENGINE_FIGURES_H
#define FG_ENGINE_FIGURES_H

#include "base/metrics.h"
#include "http/http.h"
#include "job/job.h"

struct entry;

struct figures {
	/* Committed. How many are in that state, or have come to it since the start where it is an end. */
	struct metric jobs[_JOB_STATE_COUNT];
	struct metric accepted;
	struct metric ambiguous_sends;
	struct metric plugin_faults;
	struct metric artifacts, artifact_bytes;
	struct metric exchanges[_HTTP_KIND_N];
	struct metric_histogram poll_lateness_ms; /* metric_durations_ms, both */
	struct metric_histogram submit_ms;
};

struct figures *figures_of(const struct entry *entry);
/* A change was committed, of a job that was in @from before it. */
void figures_note_change(const struct entry *entry, enum job_state from);
/* The first request of a poll that was due at @due_ms of monotonic time has ended. */
void figures_note_poll(const struct entry *entry, int64_t due_ms, const struct http_outcome *outcome);

#endif
