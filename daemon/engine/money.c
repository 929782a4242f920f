#include "engine/money.h"

static void post(struct store_commit *commit, const struct ledger_entries *entries)
{
	for (size_t i = 0; i < entries->n; i++)
		store_commit_post(commit, &entries->all[i]);
}

void money_follow(struct entry *entry, struct store_commit *commit)
{
	struct ledger_entries entries;

	if (ledger_follow(entry->job, entry->status, now_utc(entry->engine), &entries) < 0)
		abort();
	post(commit, &entries);
}

void money_close(struct entry *entry, struct store_commit *commit)
{
	struct ledger_entries entries;

	if (ledger_settle(entry->job, entry->status, now_utc(entry->engine), &entries) < 0)
		abort();
	post(commit, &entries);
}

/* ---- questions ---- */

void engine_get_usage(struct engine *engine, const struct store_usage_query *query, store_usage_fn *fn, void *userdata)
{
	store_get_usage(engine->store, query, fn, userdata);
}

void engine_list_ledger(struct engine *engine, const struct store_ledger_query *query, store_ledger_fn *fn,
			void *userdata)
{
	store_list_ledger(engine->store, query, fn, userdata);
}

void engine_check_ledger(struct engine *engine, uint32_t tenant, store_ledger_check_fn *fn, void *userdata)
{
	store_check_ledger(engine->store, tenant, fn, userdata);
}
