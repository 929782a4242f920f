#include "engine/money.h"

#include "base/decimal.h"
#include "base/failpoint.h"
#include "engine/budget.h"
#include "engine/run.h"

/* The entries name texts of the job and its status, which stay as they are until the commit is done. */
static void post(struct entry *entry, struct store_commit *commit, const struct ledger_entries *entries)
{
	for (size_t i = 0; i < entries->n; i++) {
		store_commit_post(commit, &entries->all[i]);
		if (MUTANT(SETTLE_TWICE) && entries->all[i].kind == LEDGER_SETTLE)
			store_commit_post(commit, &entries->all[i]);
	}
	free(steal(entry->posted));
	if (entries->n == 0)
		return;
	entry->posted = take_memory(sizeof(*entries));
	*entry->posted = *entries;
}

/* Is there room again for somebody else? */
static bool frees(const struct ledger_entries *entries)
{
	for (size_t i = 0; entries && i < entries->n; i++)
		if (entries->all[i].kind == LEDGER_RELEASE && entries->all[i].amount_micros > 0)
			return true;
	return false;
}

bool money_prepare(struct entry *entry)
{
	const struct engine_config *config = &entry->engine->config;

	if (entry->status->state != JOB_STATE_PREPARING)
		return true;
	for (size_t i = 0; i < config->n_budgets && !ledger_has_price(&entry->job->quote); i++)
		if (config->budgets[i].refuses_unpriced &&
		    budget_applies(&config->budgets[i], entry->job, entry->status->labels, entry->status->n_labels))
			return false;
	job_status_free(entry->unreserved);
	entry->unreserved = job_status_copy(entry->status);
	if (!entry->unreserved)
		abort();
	return true;
}

void money_follow(struct entry *entry, struct store_commit *commit)
{
	struct ledger_entries entries;

	if (ledger_follow(entry->job, entry->status, now_utc(entry->engine), &entries) < 0)
		abort();
	post(entry, commit, &entries);
	if (entry->unreserved && entries.n && entries.all[0].kind == LEDGER_RESERVE &&
	    ledger_has_price(&entry->job->quote))
		budget_keep(entry, entry->status->money.day, commit);
}

void money_note_committed(struct entry *entry)
{
	_cleanup_(freep) struct ledger_entries *posted = steal(entry->posted);
	bool has_reserved = entry->unreserved != NULL;

	entry->unreserved = job_status_free(entry->unreserved);
	for (size_t i = 0; posted && i < posted->n; i++)
		figures_note_money(figures_of(entry), &posted->all[i]);
	budget_note(entry, has_reserved, frees(posted));
}

void money_step_back(struct entry *entry, const struct store_over_budget *over)
{
	const struct engine_budget *budget = budget_kept(entry, over->budget);
	int64_t delay_ms;

	free(steal(entry->posted));
	job_status_free(entry->status);
	entry->status = steal(entry->unreserved);
	delay_ms = budget_patience_ms(entry, budget);
	log_info("job waits: a budget has no room for it", "job", log_id(&entry->ref), "budget",
		 budget ? budget->name : "(the ledger's own limit)", "used_micros", log_int(over->used_micros),
		 "quote_micros", log_int(entry->job->quote.amount_micros), "for_ms", log_int(delay_ms));
	if (budget)
		budget_wait(entry, budget, delay_ms);
	run_requeue(entry, JOB_WAIT_BUDGET, delay_ms);
}

bool money_refuses(const struct engine *engine, const struct job *job, const struct job_status *status,
		   struct errmsg *why)
{
	char limit[DECIMAL_TEXT_SIZE], amount[DECIMAL_TEXT_SIZE];

	for (size_t i = 0; i < engine->config.n_budgets; i++) {
		const struct engine_budget *budget = &engine->config.budgets[i];

		if (!budget_applies(budget, job, status->labels, status->n_labels))
			continue;
		decimal_format(budget->limit_micros, 6, limit);
		decimal_format(job->quote.amount_micros, 6, amount);
		if (!ledger_has_price(&job->quote) && budget->refuses_unpriced)
			errmsg_set(why,
				   "nobody knows what it costs, and the budget '%s' takes no such orders: give it a "
				   "price in providers.prices of the daemon's configuration",
				   budget->name);
		else if (ledger_has_price(&job->quote) && job->quote.amount_micros > budget->limit_micros)
			errmsg_set(why, "it costs %s %s, and the whole budget '%s' is %s a %s: order less, or raise it",
				   amount, budget->currency, budget->name, limit,
				   budget->period == LEDGER_PER_DAY ? "day" : "month");
		else
			continue;
		return true;
	}
	return false;
}

void money_close(struct entry *entry, struct store_commit *commit)
{
	struct ledger_entries entries;

	if (ledger_settle(entry->job, entry->status, now_utc(entry->engine), &entries) < 0)
		abort();
	post(entry, commit, &entries);
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

void engine_end_reads(struct engine *engine)
{
	store_end_reads(engine->store);
}

struct ledger_check {
	struct engine *engine;
	engine_ledger_check_fn *fn;
	void *userdata;
};

/* [reader thread] */
static void on_ledger_checked(void *userdata, int outcome, const struct store_ledger_check *found)
{
	struct ledger_check *check = userdata;

	atomic_store(&check->engine->is_checking_ledger, false);
	check->fn(check->userdata, outcome > 0 ? ENGINE_E_STORE : outcome, NULL, found);
	free(check);
}

void engine_check_ledger(struct engine *engine, uint32_t tenant, engine_ledger_check_fn *fn, void *userdata)
{
	struct ledger_check *check;

	if (atomic_exchange(&engine->is_checking_ledger, true)) {
		fn(userdata, ENGINE_E_STATE,
		   &(struct engine_error){.text = "the ledger is being checked already; wait until that is done"},
		   NULL);
		return;
	}
	check = take_memory(sizeof(*check));
	*check = (struct ledger_check){.engine = engine, .fn = fn, .userdata = userdata};
	store_check_ledger(engine->store, tenant, on_ledger_checked, check);
}
