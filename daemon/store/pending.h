/*
 * What the accepted commits of the batch in the making have changed, so that later ones in the same batch are checked
 * against it: nothing of it can be read from the database yet. Committer thread only.
 */
#ifndef FG_STORE_PENDING_H
#define FG_STORE_PENDING_H

#include "store/commit.h"

/* A power of two, at least twice what one batch can add. */
#define PENDING_SLOTS 4096
_Static_assert(PENDING_SLOTS >= 2 * LIMIT_STORE_BATCH_COMMITS * (LIMIT_STORE_COMMIT_JOBS + 1), "table too small");

struct pending_slot {
	uint32_t generation; /* any but the table's: empty */
	uint32_t hash;
	const struct commit_revision *effect; /* one of the two */
	const struct store_commit *claimer;
};

/* Inert when zeroed, then pending_clear() before each batch. The commits must stay until the next clear. */
struct pending {
	uint32_t generation;
	struct pending_slot slots[PENDING_SLOTS];
};

void pending_clear(struct pending *pending);
/* The effects and the claim of a commit that joins the batch. */
void pending_add(struct pending *pending, const struct store_commit *commit);
/* NULL when the batch has not touched it. */
const struct commit_revision *pending_revision(const struct pending *pending, const struct job_ref *ref);
const struct store_commit *pending_claimer(const struct pending *pending, struct bytes request_key);

#endif
