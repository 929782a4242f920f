/* Latencies of one run. The warm-up's operations are counted and not sampled. */
#ifndef FG_TESTS_BENCH_SAMPLES_H
#define FG_TESTS_BENCH_SAMPLES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct samples {
	int64_t begin_ns, warm_ns, end_ns; /* monotonic: started, sampling from, until */
	uint64_t limit;                    /* operations at most */
	uint64_t started, done;
	int64_t *took_ns; /* ordered by samples_print() */
	size_t n, capacity;
	int64_t last_ns;
};

int64_t samples_now(void);
/* A tenth of @ms is warm-up, and comes on top. */
void samples_begin(struct samples *samples, int64_t ms, uint64_t limit);
/* Whether another operation shall start; counts it. */
bool samples_start(struct samples *samples, int64_t now_ns);
void samples_add(struct samples *samples, int64_t started_ns, int64_t now_ns);
/* One line of JSON: calls (with the warm-up's), samples, seconds, rate, p50_us, p99_us. */
void samples_print(struct samples *samples, size_t bytes);
void samples_finish(struct samples *samples);

#endif
