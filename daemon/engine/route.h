/*
 * Fallbacks: a job that its provider does not make goes on to the next of its routes.
 */
#ifndef FG_ENGINE_ROUTE_H
#define FG_ENGINE_ROUTE_H

#include "engine/internal.h"

struct op;

/*
 * The attempt, if there is one, ends as @failure says, in whatever state the job may leave for the queue. False, and
 * nothing has changed: the job has nowhere else to go, or may not, as long as it is not certain that nothing was bought.
 * True: it is QUEUED for its next route in the change that has begun, if one had, and that is on its way.
 */
bool route_go_on(struct entry *entry, const struct job_failure *failure);
/* An exchange has come to nothing for now: the same after LIMIT_ENGINE_ROUTE_TRIES of them in a row, or at once when
 * @is_lasting. */
bool route_go_on_after_miss(struct entry *entry, const struct job_failure *failure, bool is_lasting);
/* A pause that a provider asks for and that is not waited for. */
bool route_is_too_long(int64_t delay_ms);

/* The change is stored: the entry's job is the one of the route, and its lane, too. */
void route_note_committed(struct entry *entry);

/* Whoever waits in the lane's queue and may go elsewhere does, if the lane takes nothing and will not soon. */
void route_sweep(struct lane *lane);
void route_sweep_init(struct lane *lane);
void route_sweep_finish(struct lane *lane);
/* OP_REROUTE */
bool route_handle_op(struct entry *entry);

#endif
