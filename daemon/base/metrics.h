/*
 * Numbers that count what happens: counters, and histograms with fixed buckets. Their owner embeds them where they belong
 * and nobody else changes them; any thread may add and any may read. Nothing here waits, and a sum read while others add
 * may be some additions ahead of the buckets beside it or behind them.
 */
#ifndef FG_BASE_METRICS_H
#define FG_BASE_METRICS_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

/* Rises, or as a gauge also falls. Inert when zeroed. */
struct metric {
	atomic_uint_fast64_t value;
};

static inline void metric_add(struct metric *metric, uint64_t more)
{
	atomic_fetch_add_explicit(&metric->value, more, memory_order_relaxed);
}

static inline void metric_drop(struct metric *metric)
{
	atomic_fetch_sub_explicit(&metric->value, 1, memory_order_relaxed);
}

static inline uint64_t metric_value(const struct metric *metric)
{
	return atomic_load_explicit(&metric->value, memory_order_relaxed);
}

#define METRIC_BUCKETS 16

/* The upper bounds, rising, of the first @n buckets, in units of 1 / per_unit; what is above the last falls into one
 * more. Constant data. */
struct metric_buckets {
	size_t n;          /* at most METRIC_BUCKETS */
	uint64_t per_unit; /* 1000: bounds and values are thousandths of what is shown */
	uint64_t bounds[METRIC_BUCKETS];
};

extern const struct metric_buckets metric_durations_ms; /* shown as seconds: 1 ms to 10 minutes */
extern const struct metric_buckets metric_sizes;        /* of groups: 1 to 256 */

struct metric_histogram {
	atomic_uint_fast64_t counts[METRIC_BUCKETS + 1];
	atomic_uint_fast64_t sum;
};

/* A histogram is always filled and read with the same buckets. */
void metric_observe(struct metric_histogram *histogram, const struct metric_buckets *buckets, uint64_t value);

struct metric_reading {
	const struct metric_buckets *buckets;
	uint64_t at_most[METRIC_BUCKETS]; /* values up to each bound, those of the buckets before included */
	uint64_t n;
	uint64_t sum; /* in 1 / per_unit */
};
void metric_read(const struct metric_histogram *histogram, const struct metric_buckets *buckets,
		 struct metric_reading *ret);

#endif
