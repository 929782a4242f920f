/*
 * The simulator's clock: the system's, moved forward by whoever rehearses what time does (links expire, idempotency
 * keys are forgotten).
 */
#ifndef FG_SIM_CLOCK_H
#define FG_SIM_CLOCK_H

#include "base/clock.h"

/* Zeroed it is the system's clock. */
struct sim_clock {
	int64_t ahead_ms;
};

static inline int64_t sim_clock_utc_ms(const struct sim_clock *clock)
{
	return clock_utc_ms(&clock_system) + clock->ahead_ms;
}

static inline int64_t sim_clock_monotonic_ms(const struct sim_clock *clock)
{
	return clock_monotonic_ms(&clock_system) + clock->ahead_ms;
}

#endif
