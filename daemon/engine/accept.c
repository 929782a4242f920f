/*
 * Acceptance: [any-thread] up to the commit, so that the engine thread does not stand between a creator and the disk.
 *
 * A create is checked against the provider's capability document, hashed, built into one commit with the claim of its
 * request id, and handed to the committer. The committer's thread tells the creator, whom nothing but the disk was
 * keeping; then the engine thread learns of it with its batch, and the job may start.
 */
#include "engine/internal.h"

#include "engine/ops.h"
#include "engine/request.h"
#include "job/validate.h"

#include <assert.h>

struct creation {
	struct submission submission;
	struct lane *lane;
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
	free(creation);
}

static void answer_unread(engine_job_fn *fn, void *userdata, const struct job_ref *ref, int outcome)
{
	struct engine_error error;
	int r = explain_unread_job(ref, outcome, &error);

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

/* [committer thread] */
static void on_stored(struct submission *submission, const struct store_commit *commit)
{
	struct creation *creation = (struct creation *)(void *)submission;

	if (store_commit_outcome(commit) == 0)
		creation->fn(creation->userdata, 0, NULL, &creation->view, false);
}

static void note_queued(struct engine *engine, const struct creation *creation)
{
	if (atomic_load(&engine->phase) != ENGINE_PHASE_SERVING)
		return;
	deadline_notice(engine, creation->index.deadline_ms);
	lane_notice(creation->lane, &creation->index);
}

/* [engine thread] Whose job was stored has been told so. */
static void on_created(struct engine *engine, struct submission *submission, const struct store_commit *commit)
{
	struct creation *creation = (struct creation *)(void *)submission;
	int outcome = store_commit_outcome(commit);

	if (outcome == 0) {
		note_queued(engine, creation);
		free(creation);
		return;
	}
	atomic_fetch_sub(&engine->queued, 1);
	atomic_fetch_sub(&creation->lane->queued, 1);
	if (outcome == STORE_E_REQUEST_EXISTS) {
		answer_existing(engine, creation, store_commit_found(commit));
		return;
	}
	log_error("job was not stored", "outcome", log_int(outcome));
	answer(creation->fn, creation->userdata, ENGINE_E_STORE, ENGINE_STORE_FAILED);
	free_creation(creation);
}

/* ---- checking ---- */

/* 0 and a verdict that the caller finishes; else the creator is answered. */
static int check_parameters(const struct lane *lane, const struct engine_create *create, struct job_verdict *ret,
			    engine_job_fn *fn, void *userdata)
{
	struct engine_violation violations[LIMIT_JOB_VIOLATIONS];
	struct engine_error error = {.text = "the request has invalid fields", .violations = violations};
	int r;

	r = request_validate(lane, create->model, create->parameters, ret);
	if (r == 0)
		return 0;
	for (size_t i = 0; i < ret->n_violations; i++)
		violations[i] = (struct engine_violation){.field = ret->violations[i].field,
							  .text = ret->violations[i].text};
	error.n_violations = ret->n_violations;
	if (ret->n_violations)
		error.text = ret->violations[0].text;
	if (r < 0)
		error.text = "the parameters could not be checked: out of memory";
	fn(userdata, r < 0 ? ENGINE_E_STORE : ENGINE_E_INVALID, &error, &(struct job_view){0}, false);
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
		errmsg_set(&words, "provider '%.64s' is configured, but cannot be used: %s", create->provider,
			   lane->config->problem ? lane->config->problem : "its plugin is not loaded");
		answer(fn, userdata, ENGINE_E_PROVIDER, words.text);
		return ENGINE_E_PROVIDER;
	}
	if (!store_is_healthy(engine->store)) {
		answer(fn, userdata, ENGINE_E_STORE, ENGINE_STORE_FAILED);
		return ENGINE_E_STORE;
	}
	return 0;
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
	creation->submission.on_committed = on_created;
	store_submit(engine->store, commit, &creation->submission);
}

void engine_create_job(struct engine *engine, const struct engine_create *create, engine_job_fn *fn, void *userdata)
{
	struct lane *lane = lane_find(engine, create->provider);
	struct creation *creation;
	struct job_verdict verdict;
	struct job_view view;

	if (check_open(engine, lane, create, fn, userdata) != 0 ||
	    check_parameters(lane, create, &verdict, fn, userdata) != 0)
		return;
	request_build(engine, lane, create, &verdict, &view);
	job_verdict_finish(&verdict);
	if (create->validate_only) {
		view.status->revision = 0;
		fn(userdata, 0, NULL, &view, false);
		job_view_finish(&view);
		return;
	}
	if (!count_in(engine, lane)) {
		answer(fn, userdata, ENGINE_E_QUEUE_FULL,
		       "as many jobs wait as the daemon's limit allows (limits.queued_jobs); try again when some are done");
		job_view_finish(&view);
		return;
	}
	creation = take_memory(sizeof(*creation));
	creation->lane = lane;
	creation->index = store_index_of(view.job, view.status);
	creation->view = view;
	creation->fn = fn;
	creation->userdata = userdata;
	submit(engine, creation);
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
		       "the job has not ended; wait for it, or cancel it, before it is retried");
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
			.timeout_ms = take->job->deadline_ms - take->job->created_ms,
			.retry_of = take->job->ref.id,
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
