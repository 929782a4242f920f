/*
 * A job's money, posted with the changes that cause it, and the budgets that it has to keep to. On the engine's thread,
 * but for money_refuses().
 *
 * A reservation that a budget has no room for is refused by the committer, and the job is put back to where it stood before
 * its purchase: into the queue, to wait (budget.h).
 */
#ifndef FG_ENGINE_MONEY_H
#define FG_ENGINE_MONEY_H

#include "engine/internal.h"

/* A purchase is about to be recorded. False: a budget takes no order without a known price, and this one has none. */
bool money_prepare(struct entry *entry);
/* What the change of @entry, whose status is as it will be committed, means for its money: into @commit. */
void money_follow(struct entry *entry, struct store_commit *commit);
/* The change that money_follow() or money_close() went with was stored. */
void money_note_committed(struct entry *entry);
/* The reservation was refused: back to the queue. */
void money_step_back(struct entry *entry, const struct store_over_budget *over);
/* What it still holds is settled, in @commit: the job is about to be forgotten. */
void money_close(struct entry *entry, struct store_commit *commit);

/* No budget will ever have room for this order: @why names it. [any-thread] */
bool money_refuses(const struct engine *engine, const struct job *job, const struct job_status *status,
		   struct errmsg *why);

#endif
