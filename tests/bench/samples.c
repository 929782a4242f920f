#include "samples.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

int64_t samples_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000ll + now.tv_nsec;
}

void samples_begin(struct samples *samples, int64_t ms, uint64_t limit)
{
	*samples = (struct samples){.begin_ns = samples_now(), .limit = limit};
	samples->warm_ns = samples->begin_ns + ms * 100000;
	samples->end_ns = samples->warm_ns + ms * 1000000;
}

bool samples_start(struct samples *samples, int64_t now_ns)
{
	if (now_ns >= samples->end_ns || samples->started == samples->limit)
		return false;
	samples->started++;
	return true;
}

void samples_add(struct samples *samples, int64_t started_ns, int64_t now_ns)
{
	samples->done++;
	samples->last_ns = now_ns;
	if (now_ns < samples->warm_ns)
		return;
	if (samples->n == samples->capacity) {
		samples->capacity = samples->capacity ? 2 * samples->capacity : 4096;
		samples->took_ns = reallocarray(samples->took_ns, samples->capacity, sizeof(*samples->took_ns));
		if (!samples->took_ns)
			abort();
	}
	samples->took_ns[samples->n++] = now_ns - started_ns;
}

static int compare(const void *left, const void *right)
{
	int64_t a = *(const int64_t *)left, b = *(const int64_t *)right;

	return (a > b) - (a < b);
}

static double quantile_us(const struct samples *samples, size_t percent)
{
	size_t index = samples->n ? (samples->n - 1) * percent / 100 : 0;

	return samples->n ? (double)samples->took_ns[index] / 1e3 : 0;
}

void samples_print(struct samples *samples, size_t bytes)
{
	double seconds = (double)(samples->last_ns - samples->warm_ns) / 1e9;

	if (samples->n)
		qsort(samples->took_ns, samples->n, sizeof(*samples->took_ns), compare);
	printf("{\"calls\": %llu, \"samples\": %zu, \"bytes\": %zu, \"seconds\": %.6f, \"rate\": %.2f, "
	       "\"p50_us\": %.2f, \"p99_us\": %.2f}\n",
	       (unsigned long long)samples->done, samples->n, bytes, seconds,
	       samples->n ? (double)samples->n / seconds : 0, quantile_us(samples, 50), quantile_us(samples, 99));
}

void samples_finish(struct samples *samples)
{
	free(samples->took_ns);
}
