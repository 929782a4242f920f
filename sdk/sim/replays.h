/*
 * Idempotency: which keys are known, and what the first call with each was told.
 *
 * A key is whatever names a call: provider, route, path parameter and the caller's key, joined by the provider. Only
 * calls that made something are remembered; a refused one leaves its key free.
 */
#ifndef FG_SIM_REPLAYS_H
#define FG_SIM_REPLAYS_H

#include "sim/message.h"

enum {
	_SIM_REPLAYS_E_OK,
	SIM_REPLAYS_E_UNKNOWN, /* never seen, or its window has passed */
	SIM_REPLAYS_E_RUNNING, /* the first call is not answered yet */
};

struct sim_replays;

/* The window is counted on the wall clock from the first call. */
int sim_replays_new(int64_t window_ms, struct sim_replays **ret);
struct sim_replays *sim_replays_free(struct sim_replays *replays);
void sim_replays_reset(struct sim_replays *replays);
size_t sim_replays_count(const struct sim_replays *replays);

/* On 0, @reply is the first call's. */
int sim_replays_find(struct sim_replays *replays, const char *key, int64_t utc_ms, struct sim_reply *reply);
/* The call of @utc_ms is answered with @reply at @answered_ms. Beyond LIMIT_SIM_REPLAYS the oldest is forgotten. */
int sim_replays_add(struct sim_replays *replays, const char *key, int64_t utc_ms, int64_t answered_ms,
		    const struct sim_reply *reply);

#endif
