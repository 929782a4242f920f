/*
 * The committer's side of the ledger: the balances that the postings of a batch change, and the budgets that its commits
 * have to keep to. Balances stay in memory from one batch to the next, up to LIMIT_STORE_BALANCES; they hold what
 * earlier commits of the same batch posted, so that two of them see each other. Committer thread only, and before it
 * starts.
 */
#ifndef FG_STORE_LEDGER_H
#define FG_STORE_LEDGER_H

#include "store/backend.h"
#include "store/commit.h"

struct ledger_slot;

/* Inert when zeroed. */
struct ledger {
	struct ledger_slot *slots; /* by key */
	size_t n_slots;
	struct ledger_slot *touched; /* by the commit that is being tried */
	struct ledger_slot *changed; /* since the last write */
	uint64_t sequence;           /* the last one given out */
};

void ledger_finish(struct ledger *ledger);

/*
 * Posts what @commit posts, for now: ledger_keep() or ledger_undo() follows. Is there room for what it reserves, and
 * does everything fit?
 *
 * 0; STORE_E_OVER_BUDGET with commit->over; -EOVERFLOW; or a negative errno of a read. On anything but 0 it is undone.
 */
int ledger_try(struct ledger *ledger, struct backend *backend, struct store_commit *commit);
void ledger_undo(struct ledger *ledger);
/* The commit joins the batch: its postings are numbered. */
void ledger_keep(struct ledger *ledger, struct store_commit *commit);
/* Every balance that changed, into the batch. 0 or -ENOMEM. */
int ledger_write(struct ledger *ledger, struct backend_batch *batch);
/* The batch was written, or has failed: then ledger_forget() comes before the next one. */
void ledger_written(struct ledger *ledger);
/* Every balance is read again when it is needed. Numbers go on: those that a lost batch had are not given out again. */
void ledger_forget(struct ledger *ledger);

#endif
