/*
 * Time, handed in. Rooms take a `const struct clock *` and never ask the system; tests hand in one that they move.
 */
#ifndef FG_BASE_CLOCK_H
#define FG_BASE_CLOCK_H

#include <stdint.h>

struct clock {
	/* Milliseconds since 1970-01-01T00:00:00Z: for what is stored and shown. May jump. [any-thread] */
	int64_t (*utc_ms)(void *userdata);
	/* Milliseconds since some fixed point: for waits inside this run. Never jumps. [any-thread] */
	int64_t (*monotonic_ms)(void *userdata);
	void *userdata;
};

extern const struct clock clock_system;

static inline int64_t clock_utc_ms(const struct clock *clock)
{
	return clock->utc_ms(clock->userdata);
}

static inline int64_t clock_monotonic_ms(const struct clock *clock)
{
	return clock->monotonic_ms(clock->userdata);
}

#endif
