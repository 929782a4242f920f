/*
 * What a fault does, by name. One table in actions.c holds every action with its members; README.md lists them with
 * examples.
 */
#ifndef FG_SIM_ACTIONS_H
#define FG_SIM_ACTIONS_H

#include "sim/server.h"
#include "sim/sim.h"

enum {
	_SIM_ACTION_E_OK,
	SIM_ACTION_E_INVALID, /* see the message */
};

/* Is this an action, {"type": NAME, …}, with members that belong to it and have the right types? */
int sim_action_check(const json_t *action, struct errmsg *msg);

/* The functions below take only what sim_action_check() has let through. */

/* Does the provider get to see the request, and charge for it? */
bool sim_action_processes(const json_t *action);
/* Only for requests that are not the first on their connection? */
bool sim_action_wants_reuse(const json_t *action);
/* Only for requests over HTTP/2? */
bool sim_action_wants_http2(const json_t *action);
int64_t sim_action_delay_ms(const json_t *action);
/* What the provider has to do otherwise; borrows from @action. */
struct sim_twist sim_action_twist(const json_t *action);
/* Turns the answer, which holds the provider's reply if it was asked, into what the action makes of it. */
int sim_action_apply(const json_t *action, const struct sim_provider *provider, const struct sim_request *request,
		     struct sim_answer *answer);

#endif
