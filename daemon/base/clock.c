#include "base/clock.h"

#include <time.h>

static int64_t read_ms(clockid_t id)
{
	struct timespec now;

	clock_gettime(id, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int64_t system_utc_ms(void *userdata)
{
	(void)userdata;
	return read_ms(CLOCK_REALTIME);
}

static int64_t system_monotonic_ms(void *userdata)
{
	(void)userdata;
	return read_ms(CLOCK_MONOTONIC);
}

const struct clock clock_system = {.utc_ms = system_utc_ms, .monotonic_ms = system_monotonic_ms};
