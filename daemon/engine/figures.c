#include "engine/figures.h"

#include "engine/budget.h"

static const enum job_state open_states[] = {
	JOB_STATE_QUEUED,  JOB_STATE_PREPARING, JOB_STATE_STARTING,
	JOB_STATE_RUNNING, JOB_STATE_STORING,   JOB_STATE_UNCERTAIN,
};
static const enum job_state final_states[] = {
	JOB_STATE_SUCCEEDED,
	JOB_STATE_FAILED,
	JOB_STATE_CANCELLED,
	JOB_STATE_EXPIRED,
};

static const char *const exchange_names[] = {
	[HTTP_REPLY] = "reply",
	[HTTP_NOT_SENT] = "not_sent",
	[HTTP_AMBIGUOUS] = "ambiguous",
	[HTTP_TOO_LARGE] = "too_large",
	[HTTP_ADDRESS_REFUSED] = "address_refused",
	[HTTP_ABORTED] = "aborted",
	[HTTP_INVALID] = "invalid",
	[HTTP_NOT_STORED] = "not_stored",
	[HTTP_UNREADABLE] = "unreadable",
};

static const char *const hint_names[] = {
	[HINT_PULLED] = "pulled",     [HINT_EARLY] = "early",   [HINT_UNMATCHED] = "unmatched",
	[HINT_IGNORED] = "ignored",   [HINT_FORGED] = "forged", [HINT_STALE] = "stale",
	[HINT_UNSIGNED] = "unsigned", [HINT_FAULT] = "fault",   [HINT_REFUSED] = "refused",
};

static_assert(ENGINE_HINT_OUTCOMES == _HINT_OUTCOME_COUNT &&
		      sizeof(hint_names) / sizeof(hint_names[0]) == ENGINE_HINT_OUTCOMES,
	      "each is shown");
static_assert(sizeof(open_states) / sizeof(open_states[0]) == ENGINE_OPEN_STATES, "each is shown");
static_assert(sizeof(final_states) / sizeof(final_states[0]) == ENGINE_FINAL_STATES, "each is shown");
static_assert(ENGINE_OPEN_STATES + ENGINE_FINAL_STATES + 1 == _JOB_STATE_COUNT, "a state is one or the other");
static_assert(ENGINE_EXCHANGE_OUTCOMES == _HTTP_KIND_N &&
		      sizeof(exchange_names) / sizeof(exchange_names[0]) == ENGINE_EXCHANGE_OUTCOMES,
	      "each is shown");

/* ---- counting ---- */

struct figures *figures_of(const struct entry *entry)
{
	return entry->lane ? &entry->lane->figures : &entry->engine->strays;
}

void figures_note_change(const struct entry *entry, struct figures *before, enum job_state from)
{
	const struct job_status *status = entry->status;
	struct figures *figures = figures_of(entry);

	if (status->state == from && figures == before)
		return;
	if (!job_state_is_terminal(from))
		metric_drop(&before->jobs[from]);
	metric_add(&figures->jobs[status->state], 1);
	if (status->state != JOB_STATE_SUCCEEDED && status->state != JOB_STATE_FAILED)
		return;
	metric_add(&figures->mismatches, status->n_mismatches);
	metric_add(&figures->artifacts, status->n_artifacts);
	for (size_t i = 0; i < status->n_artifacts; i++)
		metric_add(&figures->artifact_bytes, status->artifacts[i].size_bytes);
}

void figures_note_poll(const struct entry *entry, int64_t due_ms, const struct http_outcome *outcome)
{
	int64_t sent_ms = clock_monotonic_ms(entry->engine->config.clock) - outcome->duration_ms;

	if (outcome->kind != HTTP_REPLY && !outcome->may_have_left)
		return;
	metric_observe(&figures_of(entry)->poll_lateness_ms, &metric_durations_ms,
		       sent_ms > due_ms ? (uint64_t)(sent_ms - due_ms) : 0);
}

static struct money_figures *money_in(struct figures *figures, const char *currency)
{
	struct money_figures *money = figures->money;
	size_t n = figures->n_currencies;

	for (size_t i = 0; i < n; i++)
		if (strcmp(money[i].currency, currency) == 0)
			return &money[i];
	if (n == ENGINE_CURRENCIES || !*currency || strlen(currency) >= ENGINE_CURRENCY_SIZE)
		return NULL;
	snprintf(money[n].currency, sizeof(money[n].currency), "%s", currency);
	return &money[figures->n_currencies++];
}

/* These are for show: what does not fit into one stands at its end. */
static void add_money(int64_t *sum, int64_t more)
{
	if (__builtin_add_overflow(*sum, more, sum))
		*sum = INT64_MAX;
}

void figures_note_money(struct figures *figures, const struct ledger_entry *posted)
{
	struct money_figures *money = money_in(figures, posted->currency);

	if (!money)
		return;
	if (posted->debit == LEDGER_RESERVED)
		add_money(&money->reserved_micros, posted->amount_micros);
	if (posted->credit == LEDGER_RESERVED)
		add_money(&money->reserved_micros, -posted->amount_micros);
	if (posted->debit == LEDGER_SPENT)
		add_money(&money->spent_micros, posted->amount_micros);
}

void figures_note_held(struct figures *figures, const struct job_money *held)
{
	struct money_figures *money = held->settlement == JOB_SETTLEMENT_PENDING && held->currency
					      ? money_in(figures, held->currency)
					      : NULL;

	if (money)
		add_money(&money->reserved_micros, held->reserved_micros);
}

/* ---- reading ---- */

struct measurement {
	struct loop_message message;
	struct engine *engine;
	engine_measure_fn *fn;
	void *userdata;
	struct engine_figures figures;
	const char **ids; /* of the configured providers, in their order */
	struct engine_budget_figures *budgets;
	struct engine_provider_figures providers[];
};

static void read_counts(const enum job_state *states, size_t n, const struct figures *figures, struct engine_count *ret)
{
	for (size_t i = 0; i < n; i++)
		ret[i] = (struct engine_count){.name = job_state_name(states[i]),
					       .value = metric_value(&figures->jobs[states[i]])};
}

static void read_figures(const struct figures *figures, const char *id, struct engine_provider_figures *ret)
{
	*ret = (struct engine_provider_figures){
		.id = id,
		.accepted = metric_value(&figures->accepted),
		.ambiguous_sends = metric_value(&figures->ambiguous_sends),
		.plugin_faults = metric_value(&figures->plugin_faults),
		.breaker_opened = metric_value(&figures->breaker_opened),
		.artifacts = metric_value(&figures->artifacts),
		.mismatches = metric_value(&figures->mismatches),
		.artifact_bytes = metric_value(&figures->artifact_bytes),
	};
	read_counts(open_states, ENGINE_OPEN_STATES, figures, ret->open);
	read_counts(final_states, ENGINE_FINAL_STATES, figures, ret->ended);
	for (size_t i = 0; i < ENGINE_EXCHANGE_OUTCOMES; i++)
		ret->exchanges[i] = (struct engine_count){.name = exchange_names[i],
							  .value = metric_value(&figures->exchanges[i])};
	for (size_t i = 0; i < ENGINE_HINT_OUTCOMES; i++)
		ret->hints[i] = (struct engine_count){.name = hint_names[i], .value = metric_value(&figures->hints[i])};
	metric_read(&figures->poll_lateness_ms, &metric_durations_ms, &ret->poll_lateness);
	metric_read(&figures->submit_ms, &metric_durations_ms, &ret->submit);
	ret->n_currencies = figures->n_currencies;
	for (size_t i = 0; i < figures->n_currencies; i++) {
		const struct money_figures *money = &figures->money[i];
		struct engine_money *to = &ret->money[i];

		memcpy(to->currency, money->currency, sizeof(to->currency));
		to->reserved_micros = money->reserved_micros > 0 ? (uint64_t)money->reserved_micros : 0;
		to->spent_micros = (uint64_t)money->spent_micros;
	}
}

static void answer(struct measurement *measurement, int outcome)
{
	measurement->fn(measurement->userdata, outcome, outcome ? NULL : &measurement->figures);
	free(measurement->ids);
	free(measurement->budgets);
	free(measurement);
}

/* [reader thread] */
static void on_balances(void *userdata, int outcome, const struct ledger_balance *balances, size_t n)
{
	struct measurement *measurement = userdata;

	if (outcome != 0)
		log_error("the balances of the budgets could not be read", "outcome", log_int(outcome));
	for (size_t i = 0; i < n; i++)
		measurement->budgets[i].used_micros = (uint64_t)ledger_used(&balances[i]);
	measurement->figures.n_budgets = n;
	answer(measurement, 0);
}

static void ask_balances(struct measurement *measurement)
{
	const struct engine_config *config = &measurement->engine->config;
	struct ledger_scope scopes[LIMIT_STORE_BUDGETS];
	uint32_t today = ledger_day(now_utc(measurement->engine));

	for (size_t i = 0; i < config->n_budgets; i++) {
		const struct engine_budget *budget = &config->budgets[i];

		scopes[i] = budget_scope(budget, today);
		measurement->budgets[i] = (struct engine_budget_figures){
			.name = budget->name,
			.currency = budget->currency,
			.limit_micros = (uint64_t)budget->limit_micros};
	}
	store_get_balances(measurement->engine->store, JOB_TENANT_DEFAULT, scopes, config->n_budgets, on_balances,
			   measurement);
}

/* [reader thread] */
static void on_oldest(void *userdata, int outcome, const int64_t *since_ms, size_t n)
{
	struct measurement *measurement = userdata;
	int64_t now_ms = now_utc(measurement->engine);

	if (outcome != 0)
		log_error("the queue could not be read", "outcome", log_int(outcome));
	measurement->figures.has_oldest = outcome == 0;
	for (size_t i = 0; i < n; i++)
		if (since_ms[i] > 0 && since_ms[i] < now_ms)
			measurement->providers[i].oldest_ms = now_ms - since_ms[i];
	ask_balances(measurement);
}

/* At the very end there is no store to be asked. */
static void on_measure(struct loop_message *message)
{
	struct measurement *measurement = loop_message_owner(message, struct measurement, message);
	struct engine *engine = measurement->engine;
	struct engine_figures *figures = &measurement->figures;

	if (atomic_load(&engine->phase) == ENGINE_PHASE_STOPPED) {
		answer(measurement, ENGINE_E_DRAINING);
		return;
	}
	for (size_t i = 0; i < engine->n_lanes; i++) {
		const struct lane *lane = &engine->lanes[i];

		read_figures(&lane->figures, lane->config->id, &measurement->providers[i]);
		measurement->providers[i].slots = lane->config->concurrency;
		measurement->providers[i].slots_used = atomic_load(&lane->running);
		measurement->providers[i].breaker_open = atomic_load(&lane->breaker.is_open);
		measurement->ids[i] = lane->config->id;
	}
	read_figures(&engine->strays, NULL, &measurement->providers[engine->n_lanes]);
	figures->providers = measurement->providers;
	figures->n_providers = engine->n_lanes + 1;
	figures->budgets = measurement->budgets;
	figures->watchers = watch_hub_count(engine->hub);
	figures->is_store_healthy = store_is_healthy(engine->store);
	figures->is_store_short = store_is_short(engine->store);
	figures->is_draining = atomic_load(&engine->phase) != ENGINE_PHASE_SERVING;
	store_read_figures(engine->store, &figures->store);
	store_find_oldest(engine->store, measurement->ids, engine->n_lanes, now_utc(engine), on_oldest, measurement);
}

void engine_measure(struct engine *engine, engine_measure_fn *fn, void *userdata)
{
	size_t n = engine->n_lanes + 1;
	struct measurement *measurement = take_memory(sizeof(*measurement) + n * sizeof(measurement->providers[0]));

	measurement->engine = engine;
	measurement->fn = fn;
	measurement->userdata = userdata;
	measurement->ids = take_memory(n * sizeof(*measurement->ids));
	measurement->budgets = take_memory((engine->config.n_budgets + 1) * sizeof(*measurement->budgets));
	measurement->message.run = on_measure;
	loop_post(engine->loop, &measurement->message);
}

/* ---- health ---- */

struct examination {
	struct loop_message message;
	const struct engine *engine;
	engine_health_fn *fn;
	void *userdata;
};

static void on_examine(struct loop_message *message)
{
	struct examination *examination = loop_message_owner(message, struct examination, message);
	const struct engine *engine = examination->engine;
	struct engine_health health = {
		.is_draining = atomic_load(&engine->phase) != ENGINE_PHASE_SERVING,
		.is_queue_full = atomic_load(&engine->queued) >= engine->config.max_queued,
	};

	/* At the very end there is none. */
	health.is_store_unhealthy = engine->store && !store_is_healthy(engine->store);
	health.is_store_short = engine->store && store_is_short(engine->store);
	examination->fn(examination->userdata, &health);
	free(examination);
}

void engine_examine(struct engine *engine, engine_health_fn *fn, void *userdata)
{
	struct examination *examination = take_memory(sizeof(*examination));

	*examination = (struct examination){
		.message.run = on_examine, .engine = engine, .fn = fn, .userdata = userdata};
	loop_post(engine->loop, &examination->message);
}
