/*
 * How long jobs took, and what that says of the next one. Pure.
 *
 * A forecast is made of the newest LIMIT_JOB_HISTORY spans, and of at least LIMIT_JOB_FORECAST_SAMPLES: with fewer there
 * is none. The percentiles are spans that occurred (nearest rank), so whole numbers go in and come out, and the same
 * spans give the same forecast in whatever order they came.
 */
#ifndef FG_JOB_HISTORY_H
#define FG_JOB_HISTORY_H

#include "base/limits.h"
#include "job/job.h"

/* Inert when zeroed. */
struct job_history {
	int64_t spans_ms[LIMIT_JOB_HISTORY];
	size_t n;  /* of them that are filled */
	size_t at; /* where the next one goes */
};

/* The oldest makes place. What is negative is no span, and is not taken. */
void job_history_add(struct job_history *history, int64_t span_ms);
/* samples 0: too few. */
struct job_forecast job_history_forecast(const struct job_history *history);

#endif
