#include "web/metrics.h"

#include "webhook/webhook.h"

/* No provider's id has an underscore. */
#define UNCONFIGURED "_unconfigured"

#define OF(field) offsetof(struct engine_provider_figures, field)

/* What stands at the offset. */
enum form {
	FORM_NUMBER,    /* uint64_t */
	FORM_DURATION,  /* int64_t, in milliseconds */
	FORM_HISTOGRAM, /* struct metric_reading */
	FORM_OPEN,      /* struct engine_count, one sample of each */
	FORM_ENDED,
	FORM_EXCHANGES,
	FORM_HINTS,
};

/* Samples of each provider. */
static const struct family {
	const char *name;
	const char *type;
	const char *help;
	size_t offset;
	enum form form;
} families[] = {
	{"filmgate_jobs", "gauge", "Jobs that have not ended, by state.", OF(open), FORM_OPEN},
	{"filmgate_jobs_ended_total", "counter", "Jobs that have ended, by how.", OF(ended), FORM_ENDED},
	{"filmgate_jobs_accepted_total", "counter", "Jobs that were accepted.", OF(accepted), FORM_NUMBER},
	{"filmgate_queue_oldest_seconds", "gauge",
	 "How long the job that is ready to start for longest has been so; 0 where none is.", OF(oldest_ms),
	 FORM_DURATION},
	{"filmgate_slots", "gauge", "Jobs that the provider may work on at once.", OF(slots), FORM_NUMBER},
	{"filmgate_slots_used", "gauge", "Slots that are taken.", OF(slots_used), FORM_NUMBER},
	{"filmgate_breaker_open", "gauge", "1 while the provider only fails and no more than a probe is started there.",
	 OF(breaker_open), FORM_NUMBER},
	{"filmgate_breaker_opened_total", "counter", "How often that was found out, failed probes included.",
	 OF(breaker_opened), FORM_NUMBER},
	{"filmgate_submit_duration_seconds", "histogram",
	 "From the sending of a paid request to the end of its reply, where one came.", OF(submit), FORM_HISTOGRAM},
	{"filmgate_ambiguous_sends_total", "counter",
	 "Paid requests whose reply does not tell whether they bought, or that got none.", OF(ambiguous_sends),
	 FORM_NUMBER},
	{"filmgate_poll_lateness_seconds", "histogram",
	 "From the instant that a question for news was due to the one at which it was sent.", OF(poll_lateness),
	 FORM_HISTOGRAM},
	{"filmgate_plugin_faults_total", "counter", "Answers by which the provider's plugin broke a rule.",
	 OF(plugin_faults), FORM_NUMBER},
	{"filmgate_http_exchanges_total", "counter", "Requests to the provider, downloads included, by how they ended.",
	 OF(exchanges), FORM_EXCHANGES},
	{"filmgate_provider_webhooks_total", "counter", "Webhooks that the provider sent us, by what became of them.",
	 OF(hints), FORM_HINTS},
	{"filmgate_artifacts_stored_total", "counter",
	 "Files of jobs that succeeded, or failed because these are not what was ordered.", OF(artifacts), FORM_NUMBER},
	{"filmgate_artifact_stored_bytes_total", "counter", "Their bytes.", OF(artifact_bytes), FORM_NUMBER},
	{"filmgate_mismatches_total", "counter", "What of delivered videos was not as it was ordered.", OF(mismatches),
	 FORM_NUMBER},
};

static void write_counts(struct exposition *exposition, const char *provider, const char *label,
			 const struct engine_count *counts, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct exposition_label labels[] = {
			{"provider", provider}, {label, counts[i].name}, {NULL, NULL}};

		exposition_integer(exposition, labels, counts[i].value);
	}
}

static void write_samples(struct exposition *exposition, const struct family *family, const char *provider,
			  const void *value)
{
	const struct exposition_label labels[] = {{"provider", provider}, {NULL, NULL}};

	switch (family->form) {
	case FORM_NUMBER:
		exposition_integer(exposition, labels, *(const uint64_t *)value);
		break;
	case FORM_DURATION:
		exposition_fraction(exposition, labels, (uint64_t) * (const int64_t *)value, 1000);
		break;
	case FORM_HISTOGRAM:
		exposition_histogram(exposition, labels, value);
		break;
	case FORM_OPEN:
		write_counts(exposition, provider, "state", value, ENGINE_OPEN_STATES);
		break;
	case FORM_ENDED:
		write_counts(exposition, provider, "state", value, ENGINE_FINAL_STATES);
		break;
	case FORM_EXCHANGES:
		write_counts(exposition, provider, "outcome", value, ENGINE_EXCHANGE_OUTCOMES);
		break;
	case FORM_HINTS:
		write_counts(exposition, provider, "outcome", value, ENGINE_HINT_OUTCOMES);
		break;
	}
}

/* Nothing is sent for a provider that is not configured: it has jobs alone. */
static void write_family(struct exposition *exposition, const struct engine_figures *figures,
			 const struct family *family)
{
	bool has_jobs = family->form == FORM_OPEN || family->form == FORM_ENDED;

	exposition_family(exposition, family->name, family->type, family->help);
	for (size_t i = 0; i < figures->n_providers; i++) {
		const struct engine_provider_figures *provider = &figures->providers[i];

		if (provider->id || has_jobs)
			write_samples(exposition, family, provider->id ? provider->id : UNCONFIGURED,
				      (const char *)provider + family->offset);
	}
}

static void write_money(struct exposition *exposition, const struct engine_figures *figures, size_t offset)
{
	for (size_t i = 0; i < figures->n_providers; i++) {
		const struct engine_provider_figures *provider = &figures->providers[i];

		for (size_t k = 0; k < provider->n_currencies; k++) {
			const struct engine_money *money = &provider->money[k];
			const struct exposition_label labels[] = {{"provider",
								   provider->id ? provider->id : UNCONFIGURED},
								  {"currency", money->currency},
								  {NULL, NULL}};

			exposition_integer(exposition, labels, *(const uint64_t *)((const char *)money + offset));
		}
	}
}

static void write_budgets(struct exposition *exposition, const struct engine_figures *figures, size_t offset)
{
	for (size_t i = 0; i < figures->n_budgets; i++) {
		const struct engine_budget_figures *budget = &figures->budgets[i];
		const struct exposition_label labels[] = {
			{"budget", budget->name}, {"currency", budget->currency}, {NULL, NULL}};

		exposition_integer(exposition, labels, *(const uint64_t *)((const char *)budget + offset));
	}
}

static bool has_money(const struct engine_figures *figures)
{
	size_t n = 0;

	for (size_t i = 0; i < figures->n_providers; i++)
		n += figures->providers[i].n_currencies;
	return n > 0;
}

/* A family without a sample is none. */
static void write_ledger(struct exposition *exposition, const struct engine_figures *figures)
{
	if (has_money(figures)) {
		exposition_family(exposition, "filmgate_reserved_micros", "gauge",
				  "Money that is reserved for purchases under way, in millionths.");
		write_money(exposition, figures, offsetof(struct engine_money, reserved_micros));
		exposition_family(exposition, "filmgate_spent_micros_total", "counter",
				  "What purchases came to, or may have come to, in millionths.");
		write_money(exposition, figures, offsetof(struct engine_money, spent_micros));
	}
	if (figures->n_budgets == 0)
		return;
	exposition_family(exposition, "filmgate_budget_limit_micros", "gauge", "A budget, in millionths.");
	write_budgets(exposition, figures, offsetof(struct engine_budget_figures, limit_micros));
	exposition_family(exposition, "filmgate_budget_used_micros", "gauge",
			  "Reserved and spent in the budget's current day or month, in millionths.");
	write_budgets(exposition, figures, offsetof(struct engine_budget_figures, used_micros));
}

static void write_flag(struct exposition *exposition, const char *name, const char *help, uint64_t value)
{
	exposition_family(exposition, name, "gauge", help);
	exposition_integer(exposition, NULL, value);
}

void metrics_write_engine(struct exposition *exposition, const struct engine_figures *figures)
{
	for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++)
		if (families[i].form != FORM_DURATION || figures->has_oldest)
			write_family(exposition, figures, &families[i]);
	write_ledger(exposition, figures);
	exposition_family(exposition, "filmgate_store_batch_commits", "histogram",
			  "Changes that went to disk with one synced write.");
	exposition_histogram(exposition, NULL, &figures->store.commits);
	exposition_family(exposition, "filmgate_store_write_seconds", "histogram", "How long the synced writes took.");
	exposition_histogram(exposition, NULL, &figures->store.write_ms);
	write_flag(exposition, "filmgate_store_healthy", "1, or 0 while the store's disk cannot be written to.",
		   figures->is_store_healthy);
	write_flag(exposition, "filmgate_store_short",
		   "1 while what is free on the store's disk is for the jobs under way.", figures->is_store_short);
	write_flag(exposition, "filmgate_store_free_bytes", "What is free on the store's disk.",
		   figures->store.free_bytes);
	exposition_family(exposition, "filmgate_store_failures_total", "counter",
			  "Times that the store failed to write.");
	exposition_integer(exposition, NULL, figures->store.failures);
	write_flag(exposition, "filmgate_draining", "1 while the daemon is shutting down.", figures->is_draining);
	write_flag(exposition, "filmgate_watchers", "Open watches.", figures->watchers);
}

static void write_counter(struct exposition *exposition, const char *name, const char *help, uint64_t value)
{
	exposition_family(exposition, name, "counter", help);
	exposition_integer(exposition, NULL, value);
}

void metrics_write_webhooks(struct exposition *exposition, const struct webhooks *webhooks)
{
	struct webhook_figures figures;

	webhooks_read_figures(webhooks, &figures);
	write_flag(exposition, "filmgate_webhooks_pending",
		   "Webhooks that are to be sent, for the first time or again.", figures.pending);
	write_counter(exposition, "filmgate_webhooks_delivered_total", "Webhooks that their receivers took.",
		      figures.delivered);
	write_counter(exposition, "filmgate_webhooks_failed_total", "Tries of webhooks that were not taken.",
		      figures.failed);
	write_counter(exposition, "filmgate_webhooks_dead_total", "Webhooks that were given up.", figures.dead);
}
