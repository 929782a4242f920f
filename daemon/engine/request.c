#include "engine/request.h"

#include "base/err.h"
#include "base/quote.h"
#include "engine/account.h"
#include "job/price.h"

/*
 * The request's identity: a version, then everything the client chose, each with its length in front. Parameters are
 * hashed in canonical form (members sorted), as they were asked and not as they were adapted; defaults of the server are
 * not filled in, so that a later release with other defaults still finds the same request equal.
 */
static void add_text(struct digester *digester, const char *text)
{
	uint64_t len = text ? strlen(text) : UINT64_MAX;

	digester_add(digester, &len, sizeof(len));
	if (text)
		digester_add(digester, text, strlen(text));
}

static void add_choice(struct digester *digester, const char *name, int64_t value)
{
	add_text(digester, name);
	digester_add(digester, &value, sizeof(value));
}

static bool is_retry(const struct engine_create *create)
{
	static const struct id none;

	return memcmp(&create->retry_of, &none, sizeof(none)) != 0;
}

/* A retry says which job, and nothing else: that the job's labels have changed since makes it no other retry. */
static struct digest digest_retry(const struct id *original)
{
	uint8_t text[sizeof("filmgate.retry/1") + sizeof(*original)] = "filmgate.retry/1";

	memcpy(text + sizeof("filmgate.retry/1"), original, sizeof(*original));
	return digest_of(bytes_of(text, sizeof(text)));
}

static struct digest digest_request(const struct engine_create *create, const char *canonical,
				    const struct job_status *status)
{
	struct digester *digester = digester_new();
	struct digest digest;

	if (!digester)
		abort();
	add_text(digester, "filmgate.request/1");
	add_text(digester, create->provider);
	add_text(digester, create->model);
	add_text(digester, canonical);
	add_text(digester, create->display_name && *create->display_name ? create->display_name : NULL);
	for (size_t i = 0; i < status->n_labels; i++) {
		add_text(digester, status->labels[i].key);
		add_text(digester, status->labels[i].value);
	}
	digester_add(digester, &create->priority, sizeof(create->priority));
	digester_add(digester, &create->timeout_ms, sizeof(create->timeout_ms));
	/* Strict requests keep the identity that they had before there was another kind. */
	if (create->may_adapt)
		add_text(digester, "adapt");
	/* So do those that choose nothing of what came later. */
	if (create->on_uncertain)
		add_choice(digester, "on_uncertain", create->on_uncertain);
	if (create->retry_if_uncharged)
		add_choice(digester, "retry_if_uncharged", create->retry_if_uncharged);
	if (create->on_mismatch)
		add_choice(digester, "on_mismatch", create->on_mismatch);
	if (create->not_before_ms)
		add_choice(digester, "not_before_ms", create->not_before_ms);
	for (size_t i = 0; i < create->n_fallbacks; i++) {
		add_text(digester, "fallback");
		add_text(digester, create->fallbacks[i].provider);
		add_text(digester, create->fallbacks[i].model);
	}
	if (create->webhook_url && *create->webhook_url) {
		add_text(digester, "webhook");
		add_text(digester, create->webhook_url);
	}
	digest = digester_end(digester);
	digester_free(digester);
	return digest;
}

int request_validate(const struct lane *lane, const struct engine_create *create, size_t route,
		     struct job_verdict *verdict)
{
	const struct engine_route *fallback = route ? &create->fallbacks[route - 1] : NULL;
	const char *parameters = fallback && fallback->parameters ? fallback->parameters : create->parameters;

	return job_validate(plugin_manifest(lane->config->plugin)->capabilities,
			    fallback ? fallback->model : create->model, bytes_of_text(parameters),
			    create->may_adapt ? JOB_VALIDATE_ADAPT : JOB_VALIDATE_STRICT, verdict);
}

void request_name_providers(const struct engine *engine, const char *asked, struct errmsg *ret)
{
	struct buffer names = {.limit = sizeof(ret->text)};

	for (size_t i = 0; i < engine->n_lanes; i++)
		buffer_printf(&names, "%s'%s'", i ? ", " : "", engine->lanes[i].config->id);
	errmsg_set(ret, "there is no provider '%s'; configured: %s", quote(asked).text,
		   names.len ? names.data : "none");
	buffer_finish(&names);
}

/* Of what was found good: the quote may be UNKNOWN, but it is there. */
static void fill_quote(const struct lane *lane, const struct job_route *route, int64_t created_ms,
		       struct job_quote *ret)
{
	const struct plugin_manifest *manifest = plugin_manifest(lane->config->plugin);
	char plugin[128];
	struct job_pricing pricing = {
		.capabilities = manifest->capabilities,
		.operators = lane->config->prices,
		.plugin = plugin,
	};

	snprintf(plugin, sizeof(plugin), "%.40s %.40s", manifest->name, manifest->version);
	if (job_quote_order(&pricing, route->model, route->parameters, created_ms, ret) != 0)
		abort();
}

static void add_assets(struct job *job, const struct job_verdict *verdict)
{
	for (size_t i = 0; i < verdict->n_inputs; i++)
		if (!verdict->inputs[i].url && job_add_asset(job, &verdict->inputs[i].asset) < 0)
			abort();
}

/* The first of them is what the job begins with. */
static void fill_routes(const struct request_route *routes, size_t n, struct job *job)
{
	for (size_t i = 0; i < n; i++) {
		struct job_route route = {
			.provider = (char *)(uintptr_t)routes[i].lane->config->id,
			.model = (char *)(uintptr_t)routes[i].verdict.model,
			.parameters = routes[i].verdict.canonical,
		};

		fill_quote(routes[i].lane, &route, job->created_ms, &route.quote);
		add_assets(job, &routes[i].verdict);
		if (job_add_route(job, &route) < 0)
			abort();
		job_quote_finish(&route.quote);
	}
	if (job_take_route(job, 0) < 0)
		abort();
	/* A job that can go nowhere else is stored as jobs always were. */
	if (n == 1)
		job_drop_routes(job);
}

static void fill_job(struct engine *engine, const struct engine_create *create, const struct request_route *routes,
		     size_t n, struct job *job)
{
	const struct lane *lane = routes[0].lane;
	char text[ID_TEXT_SIZE];

	job->ref.tenant = create->tenant;
	job->created_ms = now_utc(engine);
	job->ref.id = id_new(job->created_ms);
	job->not_before_ms = create->not_before_ms;
	job->patience_ms = create->timeout_ms > 0 ? create->timeout_ms : lane->config->default_timeout_ms;
	job->deadline_ms = (job->not_before_ms > job->created_ms ? job->not_before_ms : job->created_ms) +
			   job->patience_ms;
	job->retry_of = create->retry_of;
	job->on_uncertain = create->on_uncertain;
	job->retry_if_uncharged = create->retry_if_uncharged;
	job->on_mismatch = create->on_mismatch;
	job->webhook_url = take_text(create->webhook_url && *create->webhook_url ? create->webhook_url : NULL);
	id_format(&job->ref.id, text);
	job->request_id = take_text(create->request_id && *create->request_id ? create->request_id : text);
	fill_routes(routes, n, job);
}

static void take_notes(struct job_status *status, struct job_verdict *verdict)
{
	if (!verdict->changes)
		return;
	status->notes = steal(verdict->changes->notes);
	status->n_notes = verdict->changes->n_notes;
	verdict->changes->n_notes = 0;
}

/* What was changed for a fallback alone says so. */
static void copy_notes(struct job_status *status, const struct request_route *route)
{
	const struct job_status *changes = route->verdict.changes;

	for (size_t i = 0; changes && i < changes->n_notes; i++) {
		const struct job_note *note = &changes->notes[i];
		struct errmsg words;

		errmsg_set(&words, "for the fallback to '%.64s': %.400s", route->lane->config->id, note->message);
		if (job_add_note(status, note->severity, note->field, words.text, note->from, note->to) < 0)
			abort();
	}
}

void request_build(struct engine *engine, const struct engine_create *create, struct request_route *routes, size_t n,
		   struct job_view *ret)
{
	struct job_verdict *verdict = &routes[0].verdict;
	const struct lane *lane = routes[0].lane;
	struct job *job = job_new();
	struct job_status *status = job_status_new();
	const char *asked;

	if (!job || !status)
		abort();
	fill_job(engine, create, routes, n, job);
	if (job_set_text(&status->display_name,
			 create->display_name && *create->display_name ? create->display_name : NULL) < 0 ||
	    job_set_labels(status, create->labels, create->n_labels) < 0)
		abort();
	status->priority = create->priority;
	status->epoch = store_epoch(engine->store);
	if (job->not_before_ms > job->created_ms) {
		status->wait = JOB_WAIT_SCHEDULE;
		status->wait_until_ms = job->not_before_ms;
	} else if (!account_has_slot(lane)) {
		status->wait = JOB_WAIT_CAPACITY;
	}
	job_touch(status, job->created_ms);
	take_notes(status, verdict);
	for (size_t i = 1; i < n; i++)
		copy_notes(status, &routes[i]);
	asked = verdict->asked ? verdict->asked : job->parameters;
	job->request_digest = is_retry(create) ? digest_retry(&create->retry_of)
					       : digest_request(create, asked, status);
	*ret = (struct job_view){.job = job, .status = status};
}
