#include "base/metrics.h"

#include <assert.h>

const struct metric_buckets metric_durations_ms = {
	.n = 16,
	.per_unit = 1000,
	.bounds = {1, 2, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 15000, 60000, 180000, 600000},
};

const struct metric_buckets metric_sizes = {
	.n = 9,
	.per_unit = 1,
	.bounds = {1, 2, 4, 8, 16, 32, 64, 128, 256},
};

void metric_observe(struct metric_histogram *histogram, const struct metric_buckets *buckets, uint64_t value)
{
	size_t at = 0;

	assert(buckets->n <= METRIC_BUCKETS);
	while (at < buckets->n && value > buckets->bounds[at])
		at++;
	atomic_fetch_add_explicit(&histogram->counts[at], 1, memory_order_relaxed);
	atomic_fetch_add_explicit(&histogram->sum, value, memory_order_relaxed);
}

void metric_read(const struct metric_histogram *histogram, const struct metric_buckets *buckets,
		 struct metric_reading *ret)
{
	*ret = (struct metric_reading){.buckets = buckets};
	for (size_t i = 0; i <= buckets->n; i++) {
		ret->n += atomic_load_explicit(&histogram->counts[i], memory_order_relaxed);
		if (i < buckets->n)
			ret->at_most[i] = ret->n;
	}
	ret->sum = atomic_load_explicit(&histogram->sum, memory_order_relaxed);
}
