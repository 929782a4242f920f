#include "engine/budget.h"

#include "engine/ops.h"

#define DAY_MS INT64_C(86400000)

struct budget_waiter {
	UT_hash_handle hh;
	struct job_ref ref;
	bool is_woken;
};

int budget_open(struct engine *engine)
{
	engine->budget_lines = calloc(engine->config.n_budgets + 1, sizeof(*engine->budget_lines));
	return engine->budget_lines ? 0 : err_origin(-ENOMEM);
}

static void drop(struct budget_line *line, struct budget_waiter *waiter)
{
	HASH_DEL(line->waiters, waiter);
	free(waiter);
}

void budget_close(struct engine *engine)
{
	struct budget_waiter *waiter, *next;

	for (size_t i = 0; engine->budget_lines && i < engine->config.n_budgets; i++)
		HASH_ITER(hh, engine->budget_lines[i].waiters, waiter, next)
			drop(&engine->budget_lines[i], waiter);
	free(engine->budget_lines);
}

/* ---- what an order has to keep to ---- */

static bool has_label(const struct job_label *labels, size_t n, const char *key, const char *value)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(labels[i].key, key) == 0)
			return strcmp(labels[i].value, value) == 0;
	return false;
}

/* Of an order without a price it may be that not even its currency is known: then it may be any budget's. */
bool budget_applies(const struct engine_budget *budget, const struct job *job, const struct job_label *labels,
		    size_t n_labels)
{
	if (job->quote.currency && strcmp(job->quote.currency, budget->currency) != 0)
		return false;
	if (budget->provider && strcmp(budget->provider, job->provider) != 0)
		return false;
	return !budget->label_key || has_label(labels, n_labels, budget->label_key, budget->label_value);
}

static bool applies_to(const struct entry *entry, size_t at)
{
	return budget_applies(&entry->engine->config.budgets[at], entry->job, entry->status->labels,
			      entry->status->n_labels);
}

struct ledger_scope budget_scope(const struct engine_budget *budget, uint32_t day)
{
	return (struct ledger_scope){
		.dimension = budget->provider    ? LEDGER_OF_PROVIDER
			     : budget->label_key ? LEDGER_OF_LABEL
						 : LEDGER_OF_ALL,
		.period = budget->period,
		.start = budget->period == LEDGER_PER_DAY ? day : ledger_month(day),
		.currency = budget->currency,
		.name = budget->provider    ? budget->provider
			: budget->label_key ? budget->label_key
					    : "",
		.value = budget->label_key ? budget->label_value : "",
	};
}

void budget_keep(const struct entry *entry, uint32_t day, struct store_commit *commit)
{
	const struct engine_config *config = &entry->engine->config;

	for (size_t i = 0; i < config->n_budgets; i++) {
		const struct engine_budget *budget = &config->budgets[i];
		const struct ledger_scope scope = budget_scope(budget, day);

		if (applies_to(entry, i))
			store_commit_keep_budget(commit, entry->ref.tenant, &scope, budget->limit_micros);
	}
}

const struct engine_budget *budget_kept(const struct entry *entry, size_t at)
{
	const struct engine_config *config = &entry->engine->config;

	for (size_t i = 0; i < config->n_budgets; i++)
		if (applies_to(entry, i) && at-- == 0)
			return &config->budgets[i];
	return NULL;
}

/* ---- going back ---- */

static int64_t until_end_ms(enum ledger_period period, int64_t now_ms)
{
	int64_t to_ms = now_ms - now_ms % DAY_MS + DAY_MS;

	while (period == LEDGER_PER_MONTH && ledger_month(ledger_day(to_ms)) == ledger_month(ledger_day(now_ms)))
		to_ms += DAY_MS;
	return to_ms - now_ms;
}

/* Longer each time: whoever was too dear steps aside for those behind it, who may fit. */
int64_t budget_patience_ms(const struct entry *entry, const struct engine_budget *budget)
{
	uint32_t tries = entry->status->retries < 8 ? entry->status->retries : 8;
	int64_t delay_ms = (int64_t)LIMIT_ENGINE_BUDGET_MS << tries, end_ms;

	if (delay_ms > LIMIT_ENGINE_BUDGET_CAP_MS)
		delay_ms = LIMIT_ENGINE_BUDGET_CAP_MS;
	end_ms = budget ? until_end_ms(budget->period, now_utc(entry->engine)) : delay_ms;
	return delay_ms < end_ms ? delay_ms : end_ms;
}

static struct budget_waiter *find(const struct budget_line *line, const struct job_ref *ref)
{
	struct budget_waiter *waiter;

	HASH_FIND(hh, line->waiters, ref, sizeof(*ref), waiter);
	return waiter;
}

static void append(struct budget_line *line, struct budget_waiter *waiter)
{
	HASH_ADD(hh, line->waiters, ref, sizeof(waiter->ref), waiter);
}

static void stand_in_line(struct budget_line *line, const struct job_ref *ref)
{
	struct budget_waiter *waiter = find(line, ref);

	if (waiter)
		HASH_DEL(line->waiters, waiter);
	else if (HASH_COUNT(line->waiters) < LIMIT_ENGINE_BUDGET_WAITERS)
		waiter = take_memory(sizeof(*waiter));
	if (!waiter)
		return;
	*waiter = (struct budget_waiter){.ref = *ref};
	append(line, waiter);
}

void budget_wait(struct entry *entry, const struct engine_budget *budget, int64_t delay_ms)
{
	struct engine *engine = entry->engine;

	stand_in_line(&engine->budget_lines[budget - engine->config.budgets], &entry->ref);
	if (entry->lane && !budget->label_key)
		lane_note_too_dear(entry->lane, delay_ms < LIMIT_ENGINE_BUDGET_MS ? delay_ms : LIMIT_ENGINE_BUDGET_MS);
}

/* ---- when there is room ---- */

static void wake_next(struct engine *engine, struct budget_line *line)
{
	struct budget_waiter *waiter = line->waiters;

	while (waiter && waiter->is_woken)
		waiter = waiter->hh.next;
	if (!waiter)
		return;
	HASH_DEL(line->waiters, waiter);
	waiter->is_woken = true;
	append(line, waiter);
	op_post(op_new(engine, OP_WAKE, &waiter->ref));
}

static void open_lanes(struct engine *engine, const struct engine_budget *budget)
{
	for (size_t i = 0; i < engine->n_lanes && !budget->label_key; i++)
		if (!budget->provider || strcmp(engine->lanes[i].config->id, budget->provider) == 0)
			lane_note_money(&engine->lanes[i]);
}

/* Who has got in, or has ended before, needs no room any more; the turn that it was given is the next one's. */
static void leave_line(struct engine *engine, struct budget_line *line, const struct entry *entry, bool has_reserved)
{
	struct budget_waiter *waiter = find(line, &entry->ref);
	bool has_turn;

	if (!waiter)
		return;
	has_turn = has_reserved || waiter->is_woken;
	drop(line, waiter);
	if (has_turn)
		wake_next(engine, line);
}

void budget_leave(struct entry *entry)
{
	for (size_t i = 0; i < entry->engine->config.n_budgets; i++)
		leave_line(entry->engine, &entry->engine->budget_lines[i], entry, false);
}

void budget_note(struct entry *entry, bool has_reserved, bool has_freed)
{
	const struct job_status *status = entry->status;
	const struct job_money *money = &status->money;
	struct engine *engine = entry->engine;

	if (has_reserved && entry->lane)
		entry->lane->n_too_dear = 0;
	for (size_t i = 0; i < engine->config.n_budgets; i++) {
		const struct engine_budget *budget = &engine->config.budgets[i];

		if (has_reserved || job_state_is_terminal(status->state))
			leave_line(engine, &engine->budget_lines[i], entry, has_reserved);
		if (!has_freed ||
		    !budget_applies(budget, entry->job, money->has_labels ? money->labels : status->labels,
				    money->has_labels ? money->n_labels : status->n_labels))
			continue;
		open_lanes(engine, budget);
		wake_next(engine, &engine->budget_lines[i]);
	}
}
