/*
 * Questions that change nothing. They go past the engine thread: to the store's readers, or to what is constant.
 */
#include "engine/internal.h"

#include "engine/account.h"
#include "engine/ops.h"
#include "engine/policy.h"
#include "engine/request.h"

struct question {
	struct engine *engine;
	engine_job_fn *job_fn;
	store_list_fn *list_fn;
	engine_artifact_fn *artifact_fn;
	struct job_ref ref;
	uint32_t index;
	enum engine_still still;
	struct job_view view; /* of the artifact's job */
	void *userdata;
};

static struct question *question_new(struct engine *engine, void *userdata)
{
	struct question *question = take_memory(sizeof(*question));

	question->engine = engine;
	question->userdata = userdata;
	return question;
}

/*
 * Why a queued job waits is a matter of the moment: its own reason is stored with it, the lane's (no free slot, a
 * provider that takes nothing, a plugin that is not there) is added when somebody looks. So is why an active one stands
 * still since the start: nobody can go on with it.
 */
static void add_wait(const struct engine *engine, struct job_view *view)
{
	const struct lane *lane = lane_find(engine, view->job->provider);
	struct job_status *status = view->status;
	enum job_wait problem;
	int64_t until_ms;

	if (job_state_is_active(status->state) && !lane_can_continue(lane, status)) {
		status->wait = JOB_WAIT_PLUGIN_MISSING;
		status->wait_until_ms = 0;
		return;
	}
	if (status->state != JOB_STATE_QUEUED)
		return;
	/* Whatever else it waits for: when that is over, it is not bought before somebody releases it. */
	if (job_is_held(status, store_epoch(engine->store))) {
		status->wait = JOB_WAIT_HELD;
		status->wait_until_ms = JOB_NEVER_MS;
		return;
	}
	/* A pause that is over, and a slot that was missing then, hold nothing up any more. */
	if (status->wait == JOB_WAIT_CAPACITY ||
	    (status->wait_until_ms > 0 && status->wait_until_ms <= now_utc(engine))) {
		status->wait = JOB_WAIT_NONE;
		status->wait_until_ms = 0;
	}
	if (status->wait != JOB_WAIT_NONE)
		return;
	problem = lane ? atomic_load(&lane->problem) : JOB_WAIT_PLUGIN_MISSING;
	if (problem != JOB_WAIT_NONE) {
		status->wait = problem;
		status->wait_until_ms = lane ? atomic_load(&lane->problem_until_ms) : 0;
	} else if (lane && breaker_is_open(lane, &until_ms)) {
		status->wait = JOB_WAIT_BREAKER;
		status->wait_until_ms = until_ms;
	} else if (lane) {
		status->wait = account_wait(lane, &status->wait_until_ms);
	}
}

/* For a job that is under way: how long others like it took. */
static void add_forecast(const struct engine *engine, struct job_view *view)
{
	const struct lane *lane = lane_find(engine, view->job->provider);

	if (lane && view->job->route == 0 && view->status->started_ms && job_state_is_active(view->status->state))
		view->status->forecast = forecast_look(lane, view->job->model);
}

static void answer_job(struct question *question)
{
	question->job_fn(question->userdata, 0, NULL, &question->view, false);
	job_view_finish(&question->view);
	free(question);
}

/* [reader thread] The front of the queue, as the lane would take it; who is not in it stands behind it, or has just gone.
 */
static void on_front(void *userdata, int outcome, const struct store_queued *queued, size_t n, int64_t next_wake_ms)
{
	struct question *question = userdata;
	struct job_status *status = question->view.status;
	size_t i = 0;

	(void)next_wake_ms;
	while (outcome == 0 && i < n && !job_ref_equal(&queued[i].ref, &question->ref))
		i++;
	if (outcome == 0 && (i < n || n == LIMIT_ENGINE_PLACES)) {
		status->queue_place = (uint32_t)(i < n ? i + 1 : n);
		status->is_queue_place_open = i == n;
	}
	answer_job(question);
}

static bool is_in_queue(const struct engine *engine, const struct job_status *status)
{
	return status->state == JOB_STATE_QUEUED && status->wait_until_ms <= now_utc(engine) &&
	       !job_is_held(status, store_epoch(engine->store));
}

/* [reader thread] */
static void on_job(void *userdata, int outcome, struct job_view *take)
{
	struct question *question = userdata;
	struct engine *engine = question->engine;
	struct engine_error error;
	struct errmsg words;
	bool is_queued;

	if (outcome != 0) {
		outcome = explain_unread_job(&question->ref, outcome, &words, &error);
		question->job_fn(question->userdata, outcome, &error, &(struct job_view){0}, false);
		free(question);
		return;
	}
	is_queued = is_in_queue(engine, take->status);
	add_wait(engine, take);
	add_forecast(engine, take);
	question->view = *take;
	*take = (struct job_view){0};
	if (is_queued)
		store_scan_queue(engine->store, question->view.job->provider, now_utc(engine), LIMIT_ENGINE_PLACES,
				 on_front, question);
	else
		answer_job(question);
}

void engine_get_job(struct engine *engine, const struct job_ref *ref, engine_job_fn *fn, void *userdata)
{
	struct question *question = question_new(engine, userdata);

	question->job_fn = fn;
	question->ref = *ref;
	store_get_job(engine->store, ref, on_job, question);
}

/* [reader thread] */
static void on_list(void *userdata, int outcome, struct job_view *views, size_t n, struct id scanned_to, bool more)
{
	struct question *question = userdata;

	for (size_t i = 0; i < n; i++)
		add_wait(question->engine, &views[i]);
	question->list_fn(question->userdata, outcome, views, n, scanned_to, more);
	free(question);
}

void engine_list_jobs(struct engine *engine, const struct store_list_query *query, store_list_fn *fn, void *userdata)
{
	struct question *question = question_new(engine, userdata);

	question->list_fn = fn;
	store_list_jobs(engine->store, query, on_list, question);
}

void engine_count_jobs(struct engine *engine, uint32_t tenant, const struct store_filter *filter, store_count_fn *fn,
		       void *userdata)
{
	store_count_jobs(engine->store, tenant, filter, fn, userdata);
}

static void answer_artifact(struct question *question, int outcome, const char *text, int fd)
{
	const struct job_artifact *artifact = outcome ? NULL
						      : job_find_artifact(question->view.status, question->index);

	question->artifact_fn(question->userdata, outcome, outcome ? &(struct engine_error){.text = text} : NULL,
			      artifact, fd);
	job_view_finish(&question->view);
	free(question);
}

/* [artifact thread] */
static void on_opened(void *userdata, int outcome, int fd)
{
	if (outcome == 0)
		answer_artifact(userdata, 0, NULL, fd);
	else if (outcome == ARTIFACT_E_DAMAGED)
		answer_artifact(
			userdata, ENGINE_E_DAMAGED,
			"the artifact's file is missing or not what was recorded; the daemon's log has its path, "
			"to restore it from a backup",
			-1);
	else
		answer_artifact(userdata, ENGINE_E_STORE,
				"the artifact's file could not be opened; see the daemon's log", -1);
}

/* [artifact thread] */
static void on_still(void *userdata, int outcome, int fd, uint64_t size_bytes)
{
	(void)size_bytes;
	if (outcome == ARTIFACT_E_NO_PICTURE)
		answer_artifact(userdata, ENGINE_E_NOT_FOUND,
				"no picture could be made of it; the daemon's log has the reason", -1);
	else
		on_opened(userdata, outcome, fd);
}

static int open_file(struct question *question, const struct job_artifact *artifact)
{
	struct artifact_store *store = question->engine->config.artifacts;
	const struct artifact_video video = {
		.sha256 = artifact->sha256, .size_bytes = artifact->size_bytes, .media_type = artifact->media_type};
	enum artifact_still still = question->still == ENGINE_STILL_POSTER ? ARTIFACT_STILL_POSTER
									   : ARTIFACT_STILL_THUMBNAIL;

	if (question->still == ENGINE_STILL_NONE)
		return artifact_open(store, &artifact->sha256, artifact->size_bytes, on_opened, question);
	return artifact_open_still(store, &video, still, on_still, question);
}

/* [reader thread] */
static void on_job_of_artifact(void *userdata, int outcome, struct job_view *take)
{
	struct question *question = userdata;
	const struct job_artifact *artifact;
	struct engine_error error;
	struct errmsg words;
	int r;

	if (outcome != 0) {
		outcome = explain_unread_job(&question->ref, outcome, &words, &error);
		answer_artifact(question, outcome, error.text, -1);
		return;
	}
	question->view = *take;
	*take = (struct job_view){0};
	artifact = job_find_artifact(question->view.status, question->index);
	if (!artifact) {
		answer_artifact(question, ENGINE_E_NOT_FOUND, "the job has no such artifact", -1);
		return;
	}
	if (question->still && strncmp(artifact->media_type, "video/", strlen("video/")) != 0) {
		answer_artifact(question, ENGINE_E_NOT_FOUND, "it is no video: there are pictures of videos", -1);
		return;
	}
	r = open_file(question, artifact);
	if (r < 0)
		on_opened(question, r, -1);
}

void engine_open_still(struct engine *engine, const struct job_ref *ref, uint32_t index, enum engine_still still,
		       engine_artifact_fn *fn, void *userdata)
{
	struct question *question = question_new(engine, userdata);

	question->artifact_fn = fn;
	question->index = index;
	question->still = still;
	question->ref = *ref;
	store_get_job(engine->store, ref, on_job_of_artifact, question);
}

void engine_open_artifact(struct engine *engine, const struct job_ref *ref, uint32_t index, engine_artifact_fn *fn,
			  void *userdata)
{
	engine_open_still(engine, ref, index, ENGINE_STILL_NONE, fn, userdata);
}

static const char *problem_of(const struct lane *lane)
{
	enum job_wait problem = atomic_load(&lane->problem);
	int64_t until_ms;

	if (!lane->config->plugin)
		return lane->config->problem ? lane->config->problem : "its plugin is not loaded";
	if (problem == JOB_WAIT_NONE && breaker_is_open(lane, &until_ms))
		problem = JOB_WAIT_BREAKER;
	return lane_problem_words(problem);
}

void engine_list_providers(struct engine *engine, const char *id, engine_providers_fn *fn, void *userdata)
{
	struct engine_provider *providers = take_memory((engine->n_lanes + 1) * sizeof(*providers));
	struct errmsg words = {""};
	struct engine_error error = {.text = words.text};
	size_t n = 0;

	for (size_t i = 0; i < engine->n_lanes; i++) {
		const struct lane *lane = &engine->lanes[i];
		const struct engine_provider_config *config = lane->config;

		if (id && strcmp(id, config->id) != 0)
			continue;
		providers[n] = (struct engine_provider){
			.id = config->id,
			.plugin = config->plugin_name,
			.plugin_version = config->plugin ? plugin_manifest(config->plugin)->version : "",
			.base_url = config->base_url,
			.manifest = config->plugin ? plugin_manifest(config->plugin)->text : "{}",
			.concurrency = config->concurrency,
			.running = atomic_load(&lane->running),
			.queued = atomic_load(&lane->queued),
			.problem = problem_of(lane),
			.on_uncertain = policy_of_provider(config),
			.previous_keys = (uint32_t)config->n_previous_keys,
		};
		n++;
	}
	if (id && n == 0) {
		request_name_providers(engine, id, &words);
		fn(userdata, ENGINE_E_NOT_FOUND, &error, NULL, 0);
	} else {
		fn(userdata, 0, NULL, providers, n);
	}
	free(providers);
}

struct bytes engine_link_key(const struct engine *engine)
{
	return store_link_key(engine->store);
}

bool engine_is_serving(const struct engine *engine)
{
	return atomic_load(&engine->phase) == ENGINE_PHASE_SERVING && store_is_healthy(engine->store) &&
	       !store_is_short(engine->store);
}

int engine_watch_open(struct engine *engine, const struct engine_watch_spec *spec, const struct engine_watcher *watcher,
		      struct engine_watch **ret)
{
	return watch_open(engine->hub, spec, watcher, ret);
}

struct engine_position engine_position(const struct engine *engine)
{
	return (struct engine_position){.epoch = store_history(engine->store), .sequence = store_tail(engine->store)};
}
