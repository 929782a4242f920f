/*
 * HeyGen's webhooks: endpoints that are told of each video's end, signed as HeyGen signs, and told again until they say
 * 2xx. What happens to the next ones can be ordered: POST /_sim/webhooks/faults.
 */
#ifndef FG_SIM_HOOKS_H
#define FG_SIM_HOOKS_H

#include "base/err.h"
#include "sim/loop.h"
#include "sim/sim.h"

enum {
	_SIM_HOOKS_E_OK,
	SIM_HOOKS_E_UNKNOWN, /* no such endpoint */
	SIM_HOOKS_E_INVALID, /* no such fault; or too many endpoints */
};

struct sim_hooks;
struct sim_hook_endpoint;

int sim_hooks_new(struct sim *sim, struct sim_loop *loop, struct sim_hooks **ret);
struct sim_hooks *sim_hooks_free(struct sim_hooks *hooks);
void sim_hooks_reset(struct sim_hooks *hooks);

/* With a secret of its own. It is told of what ends from here on. */
int sim_hooks_add(struct sim_hooks *hooks, const char *url, unsigned int account, struct sim_hook_endpoint **ret);
/* NULL: that account has none of that id. */
struct sim_hook_endpoint *sim_hooks_find(struct sim_hooks *hooks, const char *id, unsigned int account);
void sim_hooks_remove(struct sim_hooks *hooks, struct sim_hook_endpoint *endpoint);
/* The old secret is of no use at once. */
void sim_hooks_rotate(struct sim_hook_endpoint *endpoint);
json_t *sim_hooks_describe(const struct sim_hook_endpoint *endpoint, bool with_secret);
json_t *sim_hooks_list(const struct sim_hooks *hooks, unsigned int account);

/* {"type": "lose", "forge", "change", "old", "repeat", "delay" or "reorder", "times": N, "copies": N, "delay_ms": N} */
int sim_hooks_add_fault(struct sim_hooks *hooks, const json_t *fault, struct errmsg *msg);
/* Endpoints with their secrets, and what was sent. */
json_t *sim_hooks_report(const struct sim_hooks *hooks);

#endif
