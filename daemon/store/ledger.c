#include "store/ledger.h"

#include "base/err.h"
#include "store/records.h"

#define HASH_FUNCTION HASH_FNV
/* Without memory a slot is not added: hh.tbl stays NULL. */
#define HASH_NONFATAL_OOM 1
#include <uthash.h>

struct ledger_slot {
	UT_hash_handle hh;
	struct ledger_balance balance;
	struct ledger_balance before; /* while it is touched */
	bool is_touched, is_changed;
	struct ledger_slot *next_touched, *next_changed;
	uint16_t key_len;
	uint8_t key[];
};

static void drop_slots(struct ledger *ledger)
{
	struct ledger_slot *slot, *next;

	HASH_ITER(hh, ledger->slots, slot, next) {
		HASH_DEL(ledger->slots, slot);
		free(slot);
	}
	ledger->slots = NULL;
	ledger->n_slots = 0;
}

void ledger_finish(struct ledger *ledger)
{
	drop_slots(ledger);
}

void ledger_forget(struct ledger *ledger)
{
	drop_slots(ledger);
	ledger->touched = ledger->changed = NULL;
}

static int read_balance(struct backend *backend, struct bytes key, struct ledger_balance *ret)
{
	_cleanup_(backend_value_finish) struct backend_value value = {0};
	int r = backend_get(backend, key, &value);

	if (r == STORE_E_NOT_FOUND)
		return 0;
	return r ? r : err_fold(record_read_ledger_balance(value.bytes, ret));
}

static struct ledger_slot *find(const struct ledger *ledger, struct bytes key)
{
	struct ledger_slot *slot;

	HASH_FIND(hh, ledger->slots, key.data, key.len, slot);
	return slot;
}

static int load(struct ledger *ledger, struct backend *backend, struct bytes key, struct ledger_slot **ret)
{
	struct ledger_slot *slot = find(ledger, key);
	int r;

	if (slot) {
		*ret = slot;
		return 0;
	}
	slot = calloc(1, sizeof(*slot) + key.len);
	if (!slot)
		return err_origin(-ENOMEM);
	memcpy(slot->key, key.data, key.len);
	slot->key_len = (uint16_t)key.len;
	r = read_balance(backend, key, &slot->balance);
	if (r == 0) {
		HASH_ADD_KEYPTR(hh, ledger->slots, slot->key, key.len, slot);
		if (!slot->hh.tbl)
			r = err_origin(-ENOMEM);
	}
	if (r < 0) {
		free(slot);
		return r;
	}
	ledger->n_slots++;
	*ret = slot;
	return 0;
}

/* What the commit reserves; the ledger's own limit where that does not fit. */
static int64_t reserved_by(const struct store_commit *commit)
{
	int64_t sum = 0;

	for (size_t i = 0; i < commit->n_postings; i++)
		if (commit->postings[i].entry.kind == LEDGER_RESERVE &&
		    __builtin_add_overflow(sum, commit->postings[i].entry.amount_micros, &sum))
			return INT64_MAX;
	return sum;
}

static int check_budgets(struct ledger *ledger, struct backend *backend, struct store_commit *commit)
{
	int64_t more = reserved_by(commit), sum;

	for (size_t i = 0; i < commit->n_budgets; i++) {
		const struct commit_budget *budget = &commit->budgets[i];
		struct ledger_slot *slot = NULL;
		int r = load(ledger, backend, bytes_of(commit->balances.data + budget->key, budget->key_len), &slot);

		if (r < 0)
			return r;
		if (!__builtin_add_overflow(ledger_used(&slot->balance), more, &sum) && sum <= budget->limit_micros)
			continue;
		commit->over = (struct store_over_budget){.budget = i, .used_micros = ledger_used(&slot->balance)};
		return STORE_E_OVER_BUDGET;
	}
	return 0;
}

static void untouch(struct ledger *ledger, bool is_kept)
{
	struct ledger_slot *slot = ledger->touched, *next;

	for (; slot; slot = next) {
		next = slot->next_touched;
		slot->is_touched = false;
		if (!is_kept)
			slot->balance = slot->before;
		if (!is_kept || slot->is_changed)
			continue;
		slot->is_changed = true;
		slot->next_changed = ledger->changed;
		ledger->changed = slot;
	}
	ledger->touched = NULL;
}

static void touch(struct ledger *ledger, struct ledger_slot *slot)
{
	if (slot->is_touched)
		return;
	slot->is_touched = true;
	slot->before = slot->balance;
	slot->next_touched = ledger->touched;
	ledger->touched = slot;
}

/* STORE_E_OVER_BUDGET of the ledger itself, or -EOVERFLOW. */
static int refuse_sum(struct store_commit *commit, const struct ledger_balance *balance)
{
	for (size_t i = 0; i < commit->n_postings; i++)
		if (commit->postings[i].entry.kind == LEDGER_RESERVE) {
			commit->over = (struct store_over_budget){.budget = commit->n_budgets,
								  .used_micros = ledger_used(balance)};
			return STORE_E_OVER_BUDGET;
		}
	return err_origin(-EOVERFLOW);
}

static int post(struct ledger *ledger, struct backend *backend, struct store_commit *commit,
		const struct commit_posting *posting)
{
	struct bytes key;

	for (size_t offset = 0; commit_next_balance(commit, posting, &offset, &key);) {
		struct ledger_slot *slot = NULL;
		int r = load(ledger, backend, key, &slot);

		if (r < 0)
			return r;
		touch(ledger, slot);
		if (!ledger_add(&slot->balance, &posting->entry))
			return refuse_sum(commit, &slot->balance);
	}
	return 0;
}

int ledger_try(struct ledger *ledger, struct backend *backend, struct store_commit *commit)
{
	int r = check_budgets(ledger, backend, commit);

	for (size_t i = 0; r == 0 && i < commit->n_postings; i++)
		r = post(ledger, backend, commit, &commit->postings[i]);
	if (r)
		ledger_undo(ledger);
	return r;
}

void ledger_undo(struct ledger *ledger)
{
	untouch(ledger, false);
}

void ledger_keep(struct ledger *ledger, struct store_commit *commit)
{
	for (size_t i = 0; i < commit->n_postings; i++)
		commit_number_posting(commit, i, ++ledger->sequence);
	untouch(ledger, true);
}

int ledger_write(struct ledger *ledger, struct backend_batch *batch)
{
	_cleanup_(buffer_finish) struct buffer record = {0};

	for (const struct ledger_slot *slot = ledger->changed; slot; slot = slot->next_changed) {
		int r;

		record.len = 0;
		r = record_write_ledger_balance(&record, &slot->balance);
		if (r < 0)
			return r;
		backend_batch_put(batch, bytes_of(slot->key, slot->key_len), buffer_bytes(&record));
	}
	return 0;
}

void ledger_written(struct ledger *ledger)
{
	for (struct ledger_slot *slot = ledger->changed; slot; slot = slot->next_changed)
		slot->is_changed = false;
	ledger->changed = NULL;
	if (ledger->n_slots > LIMIT_STORE_BALANCES)
		drop_slots(ledger);
}
