/*
 * When a delivery that failed is tried again. Pure; any thread.
 */
#ifndef FG_WEBHOOK_SCHEDULE_H
#define FG_WEBHOOK_SCHEDULE_H

#include "base/limits.h"

#include <stddef.h>
#include <stdint.h>

struct schedule {
	int64_t pauses_ms[LIMIT_WEBHOOK_RETRIES];
	size_t n;
};

/* "5 300 1800": seconds. What is not a number ends it. */
void schedule_read(struct schedule *schedule, const char *text);

/*
 * How long to wait after the try number @step, from 1, has failed, or -1: it is given up. @asked_ms: what the receiver asks
 * for, -1: nothing; it makes the pause longer, up to LIMIT_WEBHOOK_RETRY_AFTER_MS, and never shorter. @chance: any number;
 * up to a tenth is added by it, so that what failed together does not come again together.
 */
int64_t schedule_next_ms(const struct schedule *schedule, uint32_t step, int64_t asked_ms, uint32_t chance);

#endif
