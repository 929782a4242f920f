/*
 * Budgets: what an order has to keep to, and who waits until there is room.
 *
 * Who finds no room goes back into the queue for a while, and into the budget's line here. What frees money, a release or a
 * settlement below what was reserved, wakes the first in it, and each of these who gets in wakes the next: so room is
 * used when it comes. A line holds LIMIT_ENGINE_BUDGET_WAITERS; who is beyond them, or waits since before a restart, goes
 * on when the time is over for which it went back, which is never later than the end of the budget's day or month.
 *
 * All on the engine's thread but budget_applies() and budget_scope(), which are for any.
 */
#ifndef FG_ENGINE_BUDGET_H
#define FG_ENGINE_BUDGET_H

#include "engine/internal.h"

struct budget_waiter;

struct budget_line {
	struct budget_waiter *waiters; /* in the order in which they came */
};

int budget_open(struct engine *engine); /* 0 or -ENOMEM */
void budget_close(struct engine *engine);

/* Does the budget count an order of @job with these labels? */
bool budget_applies(const struct engine_budget *budget, const struct job *job, const struct job_label *labels,
		    size_t n_labels);
/* What it counts, of the period that @day is in. [any-thread] */
struct ledger_scope budget_scope(const struct engine_budget *budget, uint32_t day);
/* The preconditions of a reservation of @day, into @commit. */
void budget_keep(const struct entry *entry, uint32_t day, struct store_commit *commit);
/* The one that had no room, by its place among these. NULL: the ledger's own limit. */
const struct engine_budget *budget_kept(const struct entry *entry, size_t at);
/* For how long a job goes back that has found no room in @budget, which may be NULL. */
int64_t budget_patience_ms(const struct entry *entry, const struct engine_budget *budget);
/* It goes back: into the budget's line, and where the budget is not a label's, its lane takes note. */
void budget_wait(struct entry *entry, const struct engine_budget *budget, int64_t delay_ms);
/* It waits in no line any more: its labels change, and with them its budgets. */
void budget_leave(struct entry *entry);
/* The entry's change was stored: a reservation in it, or money that it freed, may be news for those who wait. */
void budget_note(struct entry *entry, bool has_reserved, bool has_freed);

#endif
