/*
 * A commit between the thread that builds it and the committer: its preconditions and effects as data, and its changes
 * as one run of bytes that the committer copies into the batch.
 */
#ifndef FG_STORE_COMMIT_H
#define FG_STORE_COMMIT_H

#include "base/limits.h"
#include "store/keys.h"
#include "store/store.h"

/* A job's revision: expected before the commit, or true after it. 0: there is no such job. */
struct commit_revision {
	struct job_ref ref;
	uint64_t revision;
};

/* An entry of the ledger, as far as the committer has to do with it. */
struct commit_posting {
	struct ledger_entry entry; /* its kind, accounts, flags and amount; no texts */
	size_t key, key_of_job;    /* where the committer writes the sequence */
	size_t balances,
		balances_len; /* the balances that it changes: their keys, one behind the other in `balances` */
};

struct commit_budget {
	size_t key, key_len; /* of its balance, in `balances` */
	int64_t limit_micros;
};

struct store_commit {
	struct store_commit *next;
	void *userdata;
	int outcome;
	int poison; /* what went wrong while it was built */

	struct commit_revision expected[LIMIT_STORE_COMMIT_JOBS];
	struct commit_revision effects[LIMIT_STORE_COMMIT_JOBS];
	uint8_t n_expected, n_effects;
	bool has_claim, has_found, has_event;
	bool is_patient; /* waits while nothing can be written */

	struct store_request claim; /* who claims what, by the claimed key: */
	size_t claim_key, claim_key_len;
	struct store_request found;

	struct store_event event; /* its record is at event_record until the commit is reported */
	size_t event_record, event_record_len;
	size_t event_key, history_value; /* where the committer writes the sequence */

	/* Assets that the new job, or the handle, needs; or the one that is put or deleted. */
	struct digest *needs;
	size_t n_needs;
	enum { COMMIT_ASSET_NONE, COMMIT_ASSET_PUT, COMMIT_ASSET_DELETE } asset_change;
	struct id asset_id;
	struct digest asset; /* that is changed, or with STORE_E_ASSET_MISSING the one that is not there */
	uint32_t asset_tenant;
	struct job_ref user;
	struct store_commit *next_of_assets; /* the committer's: earlier in the same batch */

	struct key unowned;   /* the beginning of the owners that there must not be; len 0: nothing */
	struct job_ref owner; /* with STORE_E_OWNED */

	struct commit_posting postings[LEDGER_ENTRIES_MAX];
	size_t n_postings;
	struct commit_budget *budgets;
	size_t n_budgets;
	struct store_over_budget over; /* with STORE_E_OVER_BUDGET */
	struct buffer balances;        /* keys, each behind its length: two bytes */

	struct buffer changes;
};

/* The changes one by one: the first at offset 0. */
struct commit_change {
	struct bytes key;
	struct bytes value;
	bool is_delete;
	uint32_t order; /* the committer's */
};
/* False at the end. */
bool commit_next_change(const struct store_commit *commit, size_t *offset, struct commit_change *ret);

static inline struct bytes commit_claim_key(const struct store_commit *commit)
{
	return bytes_of(commit->changes.data + commit->claim_key, commit->claim_key_len);
}

/* Building, of any part: keeps the first error, and returns @error. */
int commit_poison(struct store_commit *commit, int error);
/* Begins a change; its value is what gets appended to `changes` until commit_end_put(). 0 or negative errno. */
int commit_begin_put(struct store_commit *commit, const struct key *key, size_t *ret_offset);
/* @r: of the writing. Returns it; on success the value's length is known now. */
int commit_end_put(struct store_commit *commit, size_t offset, int r);

int commit_put_delete(struct store_commit *commit, const struct key *key);

/* Writes the event's number where it belongs. Only the committer. */
void commit_number_event(struct store_commit *commit, uint64_t sequence);
/* Likewise of the posting at @at. */
void commit_number_posting(struct store_commit *commit, size_t at, uint64_t sequence);
/* The keys of the balances that a posting changes: the first at offset 0. False at the end. */
bool commit_next_balance(const struct store_commit *commit, const struct commit_posting *posting, size_t *offset,
			 struct bytes *ret);

#endif
