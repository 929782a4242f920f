#include "job/history.h"

#include <string.h>

void job_history_add(struct job_history *history, int64_t span_ms)
{
	if (span_ms < 0)
		return;
	history->spans_ms[history->at] = span_ms;
	history->at = (history->at + 1) % LIMIT_JOB_HISTORY;
	if (history->n < LIMIT_JOB_HISTORY)
		history->n++;
}

static int compare_spans(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

/* The smallest span that at least @percent of all do not exceed. */
static int64_t percentile(const int64_t *sorted, size_t n, size_t percent)
{
	return sorted[(n * percent + 99) / 100 - 1];
}

struct job_forecast job_history_forecast(const struct job_history *history)
{
	int64_t sorted[LIMIT_JOB_HISTORY];

	if (history->n < LIMIT_JOB_FORECAST_SAMPLES)
		return (struct job_forecast){0};
	memcpy(sorted, history->spans_ms, history->n * sizeof(sorted[0]));
	qsort(sorted, history->n, sizeof(sorted[0]), compare_spans);
	return (struct job_forecast){
		.p50_ms = percentile(sorted, history->n, 50),
		.p90_ms = percentile(sorted, history->n, 90),
		.samples = (uint32_t)history->n,
	};
}
