/*
 * Acceptance: [any-thread] up to the commit, so that the engine thread does not stand between a creator and the disk.
 *
 * A create is checked against the provider's capability document, hashed, built into one commit with the claim of its
 * request id, and handed to the committer. Where it names assets, they are looked at in between, on a reader's thread;
 * one that is missing is left to the committer, which knows first whether the request has been accepted before. Where
 * the plugin has the verb check, it is asked last, on a thread of its own (check.c). The committer's thread tells the
 * creator, whom nothing but the disk was keeping; then the engine thread learns of it with its batch, and the job may
 * start.
 *
 * An order with fallbacks is held against each of its routes in turn, since each may be the one that makes it.
 */
#include "engine/internal.h"

#include "engine/check.h"
#include "engine/money.h"
#include "engine/ops.h"
#include "engine/request.h"
#include "engine/step.h"
#include "engine/trouble.h"
#include "job/validate.h"

#include <assert.h>

struct creation {
	struct submission submission;
	struct engine *engine;
	struct lane *lane;            /* where it begins */
	struct request_route *routes; /* what is ordered, then its fallbacks */
	size_t n_routes;
	size_t asked;        /* of these, whom the plugins were asked about */
	bool is_trial;       /* validate_only */
	bool is_answered;    /* while the store could not say whether it is on disk */
	bool is_over_budget; /* whatever else: words say which budget has never room for it */
	size_t over_budget;  /* on which route */
	struct errmsg words;
	bool has_request_id;  /* the creator's own, which may have made a job before */
	struct asset *assets; /* for the plugin, those that are there; NULL: none */
	size_t n_assets;
	struct job_index index;
	struct job_view view;
	struct job_ref existing; /* the job that owns the request id */
	engine_job_fn *fn;
	void *userdata;
};

static void answer(engine_job_fn *fn, void *userdata, int outcome, const char *text)
{
	fn(userdata, outcome, &(struct engine_error){.text = text}, &(struct job_view){0}, false);
}

/* ---- the answer ---- */

static void forget_verdicts(struct creation *creation)
{
	for (size_t i = 0; i < creation->n_routes; i++) {
		job_verdict_finish(&creation->routes[i].verdict);
		creation->routes[i].verdict = (struct job_verdict){0};
	}
}

static void free_creation(struct creation *creation)
{
	job_view_finish(&creation->view);
	forget_verdicts(creation);
	free(creation->routes);
	for (size_t i = 0; i < creation->n_assets; i++)
		asset_finish(&creation->assets[i]);
	free(creation->assets);
	free(creation);
}

static void refuse_order(struct creation *creation, int outcome, const struct engine_error *error)
{
	creation->fn(creation->userdata, outcome, error, &(struct job_view){0}, false);
	free_creation(creation);
}

/* What is wrong with a fallback is told apart from what is wrong with the order. */
static void refuse_route(struct creation *creation, size_t route, int outcome, const struct engine_error *error)
{
	const char *id = creation->routes[route].lane->config->id;
	struct engine_violation violations[LIMIT_JOB_VIOLATIONS];
	struct errmsg texts[LIMIT_JOB_VIOLATIONS], words;
	struct engine_error told = *error;
	char field[64];

	if (route == 0) {
		refuse_order(creation, outcome, error);
		return;
	}
	snprintf(field, sizeof(field), "fallbacks[%zu].model", route - 1);
	for (size_t i = 0; i < error->n_violations && i < LIMIT_JOB_VIOLATIONS; i++) {
		bool is_model = strcmp(error->violations[i].field, "model") == 0;

		errmsg_set(&texts[i], "for the fallback to '%.64s': %.430s", id, error->violations[i].text);
		violations[i] = (struct engine_violation){.field = is_model ? field : error->violations[i].field,
							  .text = texts[i].text};
	}
	errmsg_set(&words, "for the fallback to '%.64s': %.430s", id, error->text);
	told.text = words.text;
	told.violations = violations;
	told.provider = id;
	refuse_order(creation, outcome, &told);
}

/* What is wrong with the order: at least one thing, or there was no memory to say it. */
static void answer_verdict(struct creation *creation, size_t route)
{
	const struct job_verdict *verdict = &creation->routes[route].verdict;
	struct engine_violation violations[LIMIT_JOB_VIOLATIONS];
	struct engine_error error = {.text = "the request has invalid fields", .violations = violations};

	for (size_t i = 0; i < verdict->n_violations; i++)
		violations[i] = (struct engine_violation){.field = verdict->violations[i].field,
							  .text = verdict->violations[i].text};
	error.n_violations = verdict->n_violations;
	if (verdict->n_violations)
		error.text = verdict->violations[0].text;
	if (verdict->fault)
		error.text = "the parameters could not be checked: out of memory";
	refuse_route(creation, route, verdict->fault ? ENGINE_E_STORE : ENGINE_E_INVALID, &error);
}

static void answer_unread(engine_job_fn *fn, void *userdata, const struct job_ref *ref, int outcome)
{
	struct engine_error error;
	struct errmsg words;
	int r = explain_unread_job(ref, outcome, &words, &error);

	fn(userdata, r, &error, &(struct job_view){0}, false);
}

/* [reader thread] The job that owns the request id. */
static void on_existing(void *userdata, int outcome, struct job_view *take)
{
	struct creation *creation = userdata;

	if (outcome == 0)
		creation->fn(creation->userdata, 0, NULL, take, true);
	else if (outcome == STORE_E_NOT_FOUND)
		answer(creation->fn, creation->userdata, ENGINE_E_JOB_DELETED,
		       "this request id made a job that has been deleted; use a new one to make another");
	else
		answer_unread(creation->fn, creation->userdata, &creation->existing, outcome);
	free_creation(creation);
}

static void answer_existing(struct engine *engine, struct creation *creation, const struct store_request *found)
{
	if (found->deleted) {
		answer(creation->fn, creation->userdata, ENGINE_E_JOB_DELETED,
		       "this request id made a job that has been deleted; use a new one to make another");
		free_creation(creation);
	} else if (memcmp(&found->digest, &creation->view.job->request_digest, sizeof(found->digest)) != 0) {
		answer(creation->fn, creation->userdata, ENGINE_E_REQUEST_REUSED,
		       "this request id was used with a different request; use a new one, or repeat the first request exactly");
		free_creation(creation);
	} else if (atomic_load(&engine->phase) == ENGINE_PHASE_STOPPED) {
		answer(creation->fn, creation->userdata, ENGINE_E_DRAINING, ENGINE_DRAINING);
		free_creation(creation);
	} else {
		creation->existing = found->ref;
		store_get_job(engine->store, &found->ref, on_existing, creation);
	}
}

static void answer_trouble(const struct engine *engine, engine_job_fn *fn, void *userdata)
{
	struct errmsg why;

	trouble_explain(engine, &why);
	answer(fn, userdata, ENGINE_E_STORE, why.text);
}

/* [committer thread] If it turns out to be on disk, the creator finds it by its request id. */
static void on_delayed(struct submission *submission)
{
	struct creation *creation = (struct creation *)(void *)submission;

	creation->is_answered = true;
	answer_trouble(creation->engine, creation->fn, creation->userdata);
}

/* [committer thread] */
static void on_stored(struct submission *submission, const struct store_commit *commit)
{
	struct creation *creation = (struct creation *)(void *)submission;

	struct job_view view = creation->view;

	if (store_commit_outcome(commit) != 0 || creation->is_answered)
		return;
	creation->view = (struct job_view){0};
	creation->fn(creation->userdata, 0, NULL, &view, false);
}

static void note_queued(struct engine *engine, const struct creation *creation)
{
	if (atomic_load(&engine->phase) != ENGINE_PHASE_SERVING)
		return;
	deadline_notice(engine, creation->index.deadline_ms);
	lane_notice(creation->lane, &creation->index);
}

static void refuse_missing(struct creation *creation, const struct digest *sha256)
{
	size_t refused = 0;

	for (size_t route = creation->n_routes; route > 0; route--) {
		struct job_verdict *verdict = &creation->routes[route - 1].verdict;

		for (size_t i = 0; i < verdict->n_inputs; i++)
			if (!verdict->inputs[i].url && memcmp(&verdict->inputs[i].asset, sha256, sizeof(*sha256)) == 0)
				job_verdict_check_asset(verdict, &verdict->inputs[i], NULL);
		if (verdict->n_violations)
			refused = route - 1;
	}
	answer_verdict(creation, refused);
}

/* [engine thread] Whose job was stored has been told so. */
static void on_created(struct engine *engine, struct submission *submission, const struct store_commit *commit)
{
	struct creation *creation = (struct creation *)(void *)submission;
	int outcome = store_commit_outcome(commit);

	if (outcome == 0) {
		metric_add(&creation->lane->figures.accepted, 1);
		metric_add(&creation->lane->figures.jobs[JOB_STATE_QUEUED], 1);
		note_queued(engine, creation);
		free_creation(creation);
		return;
	}
	atomic_fetch_sub(&engine->queued, 1);
	atomic_fetch_sub(&creation->lane->queued, 1);
	if (creation->is_answered) {
		free_creation(creation);
		return;
	}
	if (outcome == STORE_E_REQUEST_EXISTS) {
		answer_existing(engine, creation, store_commit_found(commit));
		return;
	}
	if (outcome == STORE_E_ASSET_MISSING) {
		refuse_missing(creation, store_commit_asset(commit));
		return;
	}
	log_error("job was not stored", "outcome", log_int(outcome));
	answer_trouble(engine, creation->fn, creation->userdata);
	free_creation(creation);
}

/* ---- checking ---- */

/* What is handed on to the provider is not looked up here; what it says of itself must not lead into a house. */
static void check_addresses(const struct lane *lane, struct job_verdict *verdict)
{
	for (size_t i = 0; i < verdict->n_inputs; i++) {
		const struct job_input *input = &verdict->inputs[i];

		if (input->url && !lane->config->allow_private_network)
			job_verdict_judge_address(verdict, input, http_url_reach(input->url) == HTTP_REACH_PRIVATE,
						  http_url_reach(input->url) == HTTP_REACH_UNREADABLE);
	}
}

/* 0 and a verdict for each route; else the creator is answered, and the creation gone. */
static int check_parameters(struct creation *creation, const struct engine_create *create)
{
	for (size_t i = 0; i < creation->n_routes; i++) {
		struct request_route *route = &creation->routes[i];
		int r = request_validate(route->lane, create, i, &route->verdict);

		if (r == 0)
			check_addresses(route->lane, &route->verdict);
		if (r == 0 && route->verdict.n_violations == 0 && !route->verdict.fault)
			continue;
		if (r < 0)
			route->verdict.fault = r;
		answer_verdict(creation, i);
		return ENGINE_E_INVALID;
	}
	return 0;
}

/* A second try at the same place is retry_if_uncharged's matter. */
static int check_repeats(struct creation *creation)
{
	for (size_t i = 1; i < creation->n_routes; i++)
		for (size_t k = 0; k < i; k++) {
			const struct request_route *route = &creation->routes[i], *other = &creation->routes[k];
			struct errmsg words;
			char field[64];
			struct engine_violation violation = {.field = field, .text = words.text};
			struct engine_error error = {.text = words.text, .violations = &violation, .n_violations = 1};

			if (route->lane != other->lane || strcmp(route->verdict.model, other->verdict.model) != 0)
				continue;
			snprintf(field, sizeof(field), "fallbacks[%zu]", i - 1);
			errmsg_set(&words, "'%.64s' with the model '%.128s' is named twice: name another one",
				   route->lane->config->id, route->verdict.model);
			refuse_order(creation, ENGINE_E_INVALID, &error);
			return ENGINE_E_INVALID;
		}
	return 0;
}

/* @route: 0 is what is ordered, then its fallbacks. */
static int check_lane(const struct engine *engine, const struct lane *lane, const char *provider, size_t route,
		      engine_job_fn *fn, void *userdata)
{
	struct errmsg words;
	char field[64] = "provider";
	struct engine_violation violation = {.field = field, .text = words.text};
	struct engine_error unknown = {.text = words.text, .violations = &violation, .n_violations = 1};
	struct engine_error unusable = {.text = words.text, .provider = provider};

	if (route)
		snprintf(field, sizeof(field), "fallbacks[%zu].provider", route - 1);
	if (!lane) {
		request_name_providers(engine, provider, &words);
		fn(userdata, ENGINE_E_INVALID, &unknown, &(struct job_view){0}, false);
		return ENGINE_E_INVALID;
	}
	/* The request may be right: without the plugin nobody can say. */
	if (!lane->config->plugin) {
		errmsg_set(
			&words,
			"provider '%.64s' is configured, but cannot be used: %.340s; mend that and restart the daemon%s",
			provider, lane->config->problem ? lane->config->problem : "its plugin is not loaded",
			route ? ", or leave this fallback out" : "");
		fn(userdata, ENGINE_E_PROVIDER, &unusable, &(struct job_view){0}, false);
		return ENGINE_E_PROVIDER;
	}
	return 0;
}

static int check_open(struct engine *engine, const struct engine_create *create, engine_job_fn *fn, void *userdata)
{
	struct errmsg words;
	int r;

	if (atomic_load(&engine->phase) != ENGINE_PHASE_SERVING) {
		answer(fn, userdata, ENGINE_E_DRAINING, ENGINE_DRAINING);
		return ENGINE_E_DRAINING;
	}
	r = check_lane(engine, lane_find(engine, create->provider), create->provider, 0, fn, userdata);
	for (size_t i = 0; r == 0 && i < create->n_fallbacks; i++)
		r = check_lane(engine, lane_find(engine, create->fallbacks[i].provider), create->fallbacks[i].provider,
			       i + 1, fn, userdata);
	if (r)
		return r;
	if (!trouble_accepts(engine, &words)) {
		answer(fn, userdata, ENGINE_E_STORE, words.text);
		return ENGINE_E_STORE;
	}
	return 0;
}

static int check_schedule(const struct engine *engine, const struct engine_create *create, engine_job_fn *fn,
			  void *userdata)
{
	static const int64_t day_ms = 86400000;
	int64_t ahead_ms = create->not_before_ms - now_utc(engine);
	struct errmsg words;
	struct engine_violation violation = {.field = "not_before_time", .text = words.text};
	struct engine_error error = {.text = words.text, .violations = &violation, .n_violations = 1};

	if (ahead_ms <= LIMIT_ENGINE_SCHEDULE_MS)
		return 0;
	errmsg_set(&words, "is more than %lld days ahead; at most %lld are possible",
		   (long long)((ahead_ms - 1) / day_ms), (long long)(LIMIT_ENGINE_SCHEDULE_MS / day_ms));
	fn(userdata, ENGINE_E_INVALID, &error, &(struct job_view){0}, false);
	return ENGINE_E_INVALID;
}

static bool count_in(struct engine *engine, struct lane *lane)
{
	if (atomic_fetch_add(&engine->queued, 1) >= engine->config.max_queued) {
		atomic_fetch_sub(&engine->queued, 1);
		return false;
	}
	atomic_fetch_add(&lane->queued, 1);
	return true;
}

static void submit(struct engine *engine, struct creation *creation)
{
	struct store_commit *commit = store_commit_new();
	const struct job *job = creation->view.job;

	if (!commit)
		abort();
	store_commit_expect_revision(commit, &job->ref, 0);
	store_commit_claim_request(commit, job);
	store_commit_put_job(commit, job);
	store_commit_put_status(commit, job, NULL, creation->view.status);
	store_commit_put_event(commit, JOB_EVENT_CREATED, job, creation->view.status);
	creation->submission.on_stored = on_stored;
	creation->submission.on_delayed = on_delayed;
	creation->submission.on_committed = on_created;
	store_submit(engine->store, commit, &creation->submission);
}

/* Everything that can be known before the commit is. */
static void admit(struct creation *creation)
{
	if (creation->is_trial) {
		creation->view.status->revision = 0;
		creation->fn(creation->userdata, 0, NULL, &creation->view, false);
		free_creation(creation);
	} else if (!count_in(creation->engine, creation->lane)) {
		answer(creation->fn, creation->userdata, ENGINE_E_QUEUE_FULL,
		       "as many jobs wait as the daemon's limit allows (limits.queued_jobs); try again when some are done");
		free_creation(creation);
	} else {
		submit(creation->engine, creation);
	}
}

/* ---- what the plugins say ---- */

static void ask_plugins(struct creation *creation);

static void on_checked(void *userdata, const struct check_result *result)
{
	struct creation *creation = userdata;

	if (result->outcome != 0) {
		refuse_route(creation, creation->asked - 1, result->outcome, &result->error);
		return;
	}
	step_keep_notes(creation->view.status, result->answer);
	ask_plugins(creation);
}

/* The job as it would be on that route; borrowed from the creation. */
static struct job shown_on(const struct creation *creation, size_t route)
{
	struct job shown = *creation->view.job;

	if (route) {
		shown.provider = shown.routes[route].provider;
		shown.model = shown.routes[route].model;
		shown.parameters = shown.routes[route].parameters;
		shown.quote = shown.routes[route].quote;
	}
	return shown;
}

/* One after the other, those that have something to say. */
static void ask_plugins(struct creation *creation)
{
	struct job shown;
	struct check_order order = {
		.job = &shown,
		.title = creation->view.status->display_name,
		.assets = creation->assets,
		.n_assets = creation->n_assets,
	};

	while (creation->asked < creation->n_routes && !check_is_needed(creation->routes[creation->asked].lane))
		creation->asked++;
	if (creation->asked == creation->n_routes) {
		admit(creation);
		return;
	}
	shown = shown_on(creation, creation->asked);
	check_ask(creation->routes[creation->asked++].lane, &order, on_checked, creation);
}

static void ask_or_refuse(struct creation *creation)
{
	struct engine_violation violation = {.field = "parameters", .text = creation->words.text};
	struct engine_error error = {.text = creation->words.text, .violations = &violation, .n_violations = 1};

	if (creation->is_over_budget)
		refuse_route(creation, creation->over_budget, ENGINE_E_INVALID, &error);
	else
		ask_plugins(creation);
}

/*
 * [reader thread] An accepted job stays accepted: a repeat of its request is not shown to the plugin again, whose
 * answer may be another one by now.
 */
static void on_request(void *userdata, int outcome, const struct store_request *found)
{
	struct creation *creation = userdata;

	if (outcome == 0) {
		answer_existing(creation->engine, creation, found);
	} else if (outcome == STORE_E_NOT_FOUND) {
		ask_or_refuse(creation);
	} else {
		log_error("a request id could not be read", "outcome", log_int(outcome));
		answer(creation->fn, creation->userdata, ENGINE_E_STORE,
		       "the request id could not be looked up in the store; see the daemon's log");
		free_creation(creation);
	}
}

static bool is_check_needed(const struct creation *creation)
{
	for (size_t i = 0; i < creation->n_routes; i++)
		if (check_is_needed(creation->routes[i].lane))
			return true;
	return false;
}

/* On whatever route it may come to be bought, a budget must be able to have room for it. */
static void look_at_budgets(struct creation *creation)
{
	for (size_t i = 0; i < creation->n_routes && !creation->is_over_budget; i++) {
		const struct job shown = shown_on(creation, i);

		creation->over_budget = i;
		creation->is_over_budget = money_refuses(creation->engine, &shown, creation->view.status,
							 &creation->words);
	}
}

/* The order is as it will be stored: with the consent of the plugins that have a say, it is. */
static void judge(struct creation *creation)
{
	const struct job *job = creation->view.job;

	look_at_budgets(creation);
	if (!is_check_needed(creation) && !creation->is_over_budget)
		admit(creation);
	else if (creation->has_request_id && !creation->is_trial)
		store_get_request(creation->engine->store, job->ref.tenant, job->request_id, on_request, creation);
	else
		ask_or_refuse(creation);
}

/* ---- assets ---- */

/* NULL: there is none of this content. */
static const struct asset *pick(const struct creation *creation, const struct asset *assets,
				const struct digest *sha256)
{
	const struct job *job = creation->view.job;

	for (size_t i = 0; i < job->n_assets; i++)
		if (memcmp(&job->assets[i], sha256, sizeof(*sha256)) == 0)
			return *assets[i].media_type ? &assets[i] : NULL;
	return NULL;
}

/* The missing ones are held back, unless there is more to say than that. */
static void check_assets(struct creation *creation, struct job_verdict *verdict, const struct asset *assets)
{
	bool is_final = creation->is_trial;

	for (int round = 0; round < 2; round++) {
		for (size_t i = 0; i < verdict->n_inputs; i++) {
			const struct job_input *input = &verdict->inputs[i];
			const struct asset *asset = input->url ? NULL : pick(creation, assets, &input->asset);

			if (!input->url && (round == 0 ? asset != NULL : !asset && is_final))
				job_verdict_check_asset(verdict, input, asset);
		}
		is_final = is_final || verdict->n_violations > 0;
	}
}

/* [reader thread] */
static void on_assets(void *userdata, int outcome, struct asset *assets, size_t n)
{
	struct creation *creation = userdata;

	if (outcome != 0) {
		log_error("the assets of an order could not be read", "outcome", log_int(outcome));
		answer(creation->fn, creation->userdata, ENGINE_E_STORE,
		       "the assets that the order names could not be read; see the daemon's log");
		free_creation(creation);
		return;
	}
	creation->assets = take_memory((n + 1) * sizeof(*assets));
	memcpy(creation->assets, assets, n * sizeof(*assets));
	creation->n_assets = n;
	for (size_t i = 0; i < creation->n_routes; i++) {
		struct job_verdict *verdict = &creation->routes[i].verdict;

		check_assets(creation, verdict, assets);
		if (verdict->n_violations || verdict->fault) {
			answer_verdict(creation, i);
			return;
		}
	}
	judge(creation);
}

static struct creation *new_creation(struct engine *engine, const struct engine_create *create, engine_job_fn *fn,
				     void *userdata)
{
	struct creation *creation = take_memory(sizeof(*creation));

	creation->engine = engine;
	creation->is_trial = create->validate_only;
	creation->has_request_id = create->request_id && *create->request_id;
	creation->fn = fn;
	creation->userdata = userdata;
	creation->n_routes = 1 + create->n_fallbacks;
	creation->routes = take_memory(creation->n_routes * sizeof(*creation->routes));
	creation->lane = creation->routes[0].lane = lane_find(engine, create->provider);
	for (size_t i = 1; i < creation->n_routes; i++)
		creation->routes[i].lane = lane_find(engine, create->fallbacks[i - 1].provider);
	return creation;
}

void engine_create_job(struct engine *engine, const struct engine_create *create, engine_job_fn *fn, void *userdata)
{
	struct creation *creation;
	const struct job *job;

	assert(create->n_fallbacks < LIMIT_JOB_ROUTES);
	if (check_open(engine, create, fn, userdata) != 0 || check_schedule(engine, create, fn, userdata) != 0 ||
	    request_check_webhook(engine, create, fn, userdata) != 0)
		return;
	creation = new_creation(engine, create, fn, userdata);
	if (check_parameters(creation, create) != 0 || check_repeats(creation) != 0)
		return;
	request_build(engine, create, creation->routes, creation->n_routes, &creation->view);
	creation->index = store_index_of(creation->view.job, creation->view.status);
	job = creation->view.job;
	if (job->n_assets) {
		store_get_assets(engine->store, job->ref.tenant, job->assets, job->n_assets, on_assets, creation);
		return;
	}
	/* What was found out of it is in the job. */
	forget_verdicts(creation);
	judge(creation);
}

/* ---- retry: a create with another job's words ---- */

struct retry {
	struct engine *engine;
	struct job_ref original;
	char *request_id;
	engine_job_fn *fn;
	void *userdata;
};

/* Each route as it was adapted to its provider, if it was. */
static size_t copy_fallbacks(const struct job *job, struct engine_route *ret)
{
	size_t n = 0;

	for (size_t i = 1; i < job->n_routes; i++)
		ret[n++] = (struct engine_route){.provider = job->routes[i].provider,
						 .model = job->routes[i].model,
						 .parameters = job->routes[i].parameters};
	return n;
}

/* [reader thread] */
static void on_original(void *userdata, int outcome, struct job_view *take)
{
	struct retry *retry = userdata;

	if (outcome != 0) {
		answer_unread(retry->fn, retry->userdata, &retry->original, outcome);
	} else if (take->job->is_adopted) {
		answer(retry->fn, retry->userdata, ENGINE_E_STATE,
		       "the job was bought elsewhere and adopted: what was ordered is not known here, so it cannot be ordered again");
	} else if (!job_state_is_terminal(take->status->state)) {
		answer(retry->fn, retry->userdata, ENGINE_E_STATE,
		       take->status->state == JOB_STATE_UNCERTAIN
			       ? "the job is UNCERTAIN: it may have been bought; 'filmgate resolve' decides it, and one that is given up can be retried"
			       : "the job has not ended; wait for it, or cancel it, before it is retried");
	} else {
		const struct job_route ordered = job_ordered(take->job);
		struct engine_route fallbacks[LIMIT_JOB_ROUTES];
		struct engine_create create = {
			.tenant = take->job->ref.tenant,
			.request_id = retry->request_id,
			.provider = ordered.provider,
			.model = ordered.model,
			.parameters = ordered.parameters,
			.fallbacks = fallbacks,
			.n_fallbacks = copy_fallbacks(take->job, fallbacks),
			.display_name = take->status->display_name,
			.labels = take->status->labels,
			.n_labels = take->status->n_labels,
			.priority = take->status->priority,
			.timeout_ms = job_patience_ms(take->job),
			.retry_of = take->job->ref.id,
			.on_uncertain = take->job->on_uncertain,
			.not_before_ms = take->job->not_before_ms,
			.retry_if_uncharged = take->job->retry_if_uncharged,
			.on_mismatch = take->job->on_mismatch,
			.webhook_url = retry->engine->config.takes_job_webhooks ? take->job->webhook_url : NULL,
		};

		engine_create_job(retry->engine, &create, retry->fn, retry->userdata);
	}
	if (outcome == 0)
		job_view_finish(take);
	free(retry->request_id);
	free(retry);
}

void engine_retry_job(struct engine *engine, const struct job_ref *ref, const char *request_id, engine_job_fn *fn,
		      void *userdata)
{
	struct retry *retry = take_memory(sizeof(*retry));

	*retry = (struct retry){.engine = engine, .original = *ref, .fn = fn, .userdata = userdata};
	retry->request_id = take_text(request_id);
	store_get_job(engine->store, ref, on_original, retry);
}
