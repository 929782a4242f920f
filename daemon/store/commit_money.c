#include "store/commit.h"

#include "base/err.h"
#include "store/records.h"

#include <assert.h>

/* The ledger's side of a commit: what it posts, and the budgets that it has to keep to. */

/* @ret: where its key lies. */
static int add_balance(struct store_commit *commit, uint32_t tenant, const struct ledger_scope *scope, size_t *ret)
{
	uint16_t len;
	struct key key;
	int r;

	key_balance(&key, tenant, scope);
	len = (uint16_t)key.len;
	r = buffer_append(&commit->balances, &len, sizeof(len));
	*ret = commit->balances.len;
	return r < 0 ? r : buffer_append(&commit->balances, key.data, key.len);
}

static int add_balances(struct store_commit *commit, const struct ledger_entry *entry, struct commit_posting *posting)
{
	struct ledger_scope scope;
	size_t at;
	int r = 0;

	posting->balances = commit->balances.len;
	for (size_t n = 0; r == 0 && ledger_scope_at(entry, n, &scope); n++)
		r = add_balance(commit, entry->ref.tenant, &scope, &at);
	posting->balances_len = commit->balances.len - posting->balances;
	return r;
}

bool commit_next_balance(const struct store_commit *commit, const struct commit_posting *posting, size_t *offset,
			 struct bytes *ret)
{
	const char *data = commit->balances.data + posting->balances + *offset;
	uint16_t len;

	if (*offset == posting->balances_len)
		return false;
	memcpy(&len, data, sizeof(len));
	*ret = bytes_of(data + sizeof(len), len);
	*offset += sizeof(len) + len;
	return true;
}

static int put_ledger_keys(struct store_commit *commit, const struct ledger_entry *entry,
			   struct commit_posting *posting)
{
	struct key key;
	size_t offset;
	int r;

	key_ledger_job_entry(&key, &entry->ref, 0);
	r = commit_begin_put(commit, &key, &offset);
	if (r < 0)
		return r;
	posting->key_of_job = commit->changes.len - sizeof(uint64_t);
	key_ledger(&key, entry->ref.tenant, 0);
	r = commit_begin_put(commit, &key, &offset);
	if (r < 0)
		return r;
	posting->key = commit->changes.len - sizeof(uint64_t);
	return commit_end_put(commit, offset, record_write_ledger_entry(&commit->changes, entry));
}

int store_commit_post(struct store_commit *commit, const struct ledger_entry *entry)
{
	struct commit_posting *posting = &commit->postings[commit->n_postings];
	int r;

	assert(commit->n_postings < LEDGER_ENTRIES_MAX && entry->amount_micros >= 0);
	posting->entry = (struct ledger_entry){.kind = entry->kind,
					       .debit = entry->debit,
					       .credit = entry->credit,
					       .flags = entry->flags,
					       .amount_micros = entry->amount_micros,
					       .ref = entry->ref};
	r = put_ledger_keys(commit, entry, posting);
	if (r < 0)
		return r;
	r = add_balances(commit, entry, posting);
	if (r < 0)
		return commit_poison(commit, r);
	commit->n_postings++;
	return 0;
}

void commit_number_posting(struct store_commit *commit, size_t at, uint64_t sequence)
{
	uint8_t *data = (uint8_t *)commit->changes.data;

	key_put_u64(data + commit->postings[at].key, sequence);
	key_put_u64(data + commit->postings[at].key_of_job, sequence);
}

int store_commit_keep_budget(struct store_commit *commit, uint32_t tenant, const struct ledger_scope *scope,
			     int64_t limit_micros)
{
	struct commit_budget budget = {.limit_micros = limit_micros};
	int r;

	if (commit->n_budgets == LIMIT_STORE_BUDGETS)
		return commit_poison(commit, err_origin(-E2BIG));
	if (!commit->budgets)
		commit->budgets = calloc(LIMIT_STORE_BUDGETS, sizeof(*commit->budgets));
	if (!commit->budgets)
		return commit_poison(commit, err_origin(-ENOMEM));
	r = add_balance(commit, tenant, scope, &budget.key);
	if (r < 0)
		return commit_poison(commit, r);
	budget.key_len = commit->balances.len - budget.key;
	commit->budgets[commit->n_budgets++] = budget;
	return 0;
}
