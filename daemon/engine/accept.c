/*
 * Acceptance: [any-thread] up to the commit, so that the engine thread does not stand between a creator and the disk.
 *
 * A create is checked against the provider's capability document, hashed, built into one commit with the claim of its
 * request id, and handed to the committer. Where it names assets, they are looked at in between, on a reader's thread;
 * one that is missing is left to the committer, which knows first whether the request has been accepted before. Where
 * the plugin has the verb check, it is asked last, on a thread of its own (check.c). The committer's thread tells the
 * creator, whom nothing but the disk was keeping; then the engine thread learns of it with its batch, and the job may
 * start.
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
	struct lane *lane;
	struct job_verdict *verdict; /* of an order with assets; else NULL */
	bool is_trial;               /* validate_only */
	bool is_answered;            /* while the store could not say whether it is on disk */
	bool is_over_budget;         /* whatever else: words say which budget has never room for it */
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

static const char draining[] = "the daemon is shutting down; send the request again later";

static void answer(engine_job_fn *fn, void *userdata, int outcome, const char *text)
{
	fn(userdata, outcome, &(struct engine_error){.text = text}, &(struct job_view){0}, false);
}

/* ---- the answer ---- */

static void free_creation(struct creation *creation)
{
	job_view_finish(&creation->view);
	if (creation->verdict)
		job_verdict_finish(creation->verdict);
	free(creation->verdict);
	for (size_t i = 0; i < creation->n_assets; i++)
		asset_finish(&creation->assets[i]);
	free(creation->assets);
	free(creation);
}

/* What is wrong with the order: at least one thing, or there was no memory to say it. */
static void answer_verdict(const struct job_verdict *verdict, engine_job_fn *fn, void *userdata)
{
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
	fn(userdata, verdict->fault ? ENGINE_E_STORE : ENGINE_E_INVALID, &error, &(struct job_view){0}, false);
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
		answer(creation->fn, creation->userdata, ENGINE_E_DRAINING, draining);
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
	struct job_verdict *verdict = creation->verdict;

	for (size_t i = 0; i < verdict->n_inputs; i++)
		if (!verdict->inputs[i].url && memcmp(&verdict->inputs[i].asset, sha256, sizeof(*sha256)) == 0)
			job_verdict_check_asset(verdict, &verdict->inputs[i], NULL);
	answer_verdict(verdict, creation->fn, creation->userdata);
	free_creation(creation);
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

/* 0 and a verdict that the caller finishes; else the creator is answered. */
static int check_parameters(const struct lane *lane, const struct engine_create *create, struct job_verdict *ret,
			    engine_job_fn *fn, void *userdata)
{
	int r = request_validate(lane, create, ret);

	if (r == 0)
		check_addresses(lane, ret);
	if (r == 0 && ret->n_violations == 0 && !ret->fault)
		return 0;
	if (r < 0)
		ret->fault = r;
	answer_verdict(ret, fn, userdata);
	job_verdict_finish(ret);
	return ENGINE_E_INVALID;
}

static int check_open(struct engine *engine, struct lane *lane, const struct engine_create *create, engine_job_fn *fn,
		      void *userdata)
{
	struct errmsg words;
	struct engine_violation violation = {.field = "provider", .text = words.text};
	struct engine_error unknown = {.text = words.text, .violations = &violation, .n_violations = 1};

	if (atomic_load(&engine->phase) != ENGINE_PHASE_SERVING) {
		answer(fn, userdata, ENGINE_E_DRAINING, draining);
		return ENGINE_E_DRAINING;
	}
	if (!lane) {
		request_name_providers(engine, create->provider, &words);
		fn(userdata, ENGINE_E_INVALID, &unknown, &(struct job_view){0}, false);
		return ENGINE_E_INVALID;
	}
	/* The request may be right: without the plugin nobody can say. */
	if (!lane->config->plugin) {
		errmsg_set(
			&words,
			"provider '%.64s' is configured, but cannot be used: %.360s; mend that and restart the daemon",
			create->provider, lane->config->problem ? lane->config->problem : "its plugin is not loaded");
		answer(fn, userdata, ENGINE_E_PROVIDER, words.text);
		return ENGINE_E_PROVIDER;
	}
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

/* ---- what the plugin says ---- */

static void on_checked(void *userdata, const struct check_result *result)
{
	struct creation *creation = userdata;

	if (result->outcome == 0) {
		step_keep_notes(creation->view.status, result->answer);
		admit(creation);
		return;
	}
	creation->fn(creation->userdata, result->outcome, &result->error, &(struct job_view){0}, false);
	free_creation(creation);
}

static void ask_plugin(struct creation *creation)
{
	const struct check_order order = {
		.job = creation->view.job,
		.title = creation->view.status->display_name,
		.assets = creation->assets,
		.n_assets = creation->n_assets,
	};

	check_ask(creation->lane, &order, on_checked, creation);
}

static void ask_or_refuse(struct creation *creation)
{
	struct engine_violation violation = {.field = "parameters", .text = creation->words.text};
	struct engine_error error = {.text = creation->words.text, .violations = &violation, .n_violations = 1};

	if (!creation->is_over_budget) {
		ask_plugin(creation);
		return;
	}
	creation->fn(creation->userdata, ENGINE_E_INVALID, &error, &(struct job_view){0}, false);
	free_creation(creation);
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

/* The order is as it will be stored: with the plugin's consent, where it has a say, it is. */
static void judge(struct creation *creation)
{
	const struct job *job = creation->view.job;

	creation->is_over_budget = money_refuses(creation->engine, job, creation->view.status, &creation->words);
	if (!check_is_needed(creation->lane) && !creation->is_over_budget)
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
static void check_assets(struct creation *creation, const struct asset *assets)
{
	struct job_verdict *verdict = creation->verdict;
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
	check_assets(creation, assets);
	creation->assets = take_memory((n + 1) * sizeof(*assets));
	memcpy(creation->assets, assets, n * sizeof(*assets));
	creation->n_assets = n;
	if (creation->verdict->n_violations || creation->verdict->fault) {
		answer_verdict(creation->verdict, creation->fn, creation->userdata);
		free_creation(creation);
	} else {
		judge(creation);
	}
}

static void keep_verdict(struct creation *creation, struct job_verdict *take)
{
	if (creation->view.job->n_assets == 0) {
		job_verdict_finish(take);
		return;
	}
	creation->verdict = take_memory(sizeof(*creation->verdict));
	*creation->verdict = *take;
}

void engine_create_job(struct engine *engine, const struct engine_create *create, engine_job_fn *fn, void *userdata)
{
	struct lane *lane = lane_find(engine, create->provider);
	struct creation *creation;
	struct job_verdict verdict;
	const struct job *job;

	if (check_open(engine, lane, create, fn, userdata) != 0 || check_schedule(engine, create, fn, userdata) != 0 ||
	    check_parameters(lane, create, &verdict, fn, userdata) != 0)
		return;
	creation = take_memory(sizeof(*creation));
	creation->engine = engine;
	creation->lane = lane;
	creation->is_trial = create->validate_only;
	creation->has_request_id = create->request_id && *create->request_id;
	creation->fn = fn;
	creation->userdata = userdata;
	request_build(engine, lane, create, &verdict, &creation->view);
	creation->index = store_index_of(creation->view.job, creation->view.status);
	keep_verdict(creation, &verdict);
	job = creation->view.job;
	if (job->n_assets)
		store_get_assets(engine->store, job->ref.tenant, job->assets, job->n_assets, on_assets, creation);
	else
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

/* [reader thread] */
static void on_original(void *userdata, int outcome, struct job_view *take)
{
	struct retry *retry = userdata;

	if (outcome != 0) {
		answer_unread(retry->fn, retry->userdata, &retry->original, outcome);
	} else if (!job_state_is_terminal(take->status->state)) {
		answer(retry->fn, retry->userdata, ENGINE_E_STATE,
		       take->status->state == JOB_STATE_UNCERTAIN
			       ? "the job is UNCERTAIN: it may have been bought; 'filmgate resolve' decides it, and one that is given up can be retried"
			       : "the job has not ended; wait for it, or cancel it, before it is retried");
	} else {
		struct engine_create create = {
			.tenant = take->job->ref.tenant,
			.request_id = retry->request_id,
			.provider = take->job->provider,
			.model = take->job->model,
			.parameters = take->job->parameters,
			.display_name = take->status->display_name,
			.labels = take->status->labels,
			.n_labels = take->status->n_labels,
			.priority = take->status->priority,
			.timeout_ms = job_patience_ms(take->job),
			.retry_of = take->job->ref.id,
			.on_uncertain = take->job->on_uncertain,
			.not_before_ms = take->job->not_before_ms,
			.retry_if_uncharged = take->job->retry_if_uncharged,
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
