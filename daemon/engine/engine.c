/*
 * The engine's life: opening, resuming, draining, closing; and the batches that the committer sends.
 */
#include "engine/internal.h"

#include "engine/budget.h"
#include "engine/check.h"
#include "engine/jump.h"
#include "engine/ops.h"
#include "engine/run.h"
#include "engine/trouble.h"

/* ---- batches ---- */

struct batch {
	struct loop_message message;
	struct engine *engine;
	struct store_commit *first;
	bool is_told;
};

static void tell(struct store_commit *commit)
{
	struct submission *submission = store_commit_userdata(commit);

	if (submission->on_stored)
		submission->on_stored(submission, commit);
}

static void on_batch_message(struct loop_message *message)
{
	struct batch *batch = loop_message_owner(message, struct batch, message);
	struct store_commit *commit = batch->first, *next;

	for (; commit; commit = next) {
		struct submission *submission = store_commit_userdata(commit);

		if (!batch->is_told)
			tell(commit);
		next = store_commit_next(commit);
		submission->on_committed(batch->engine, submission, commit);
		store_commit_free(commit);
	}
	free(batch);
}

/*
 * [committer thread] The watchers' copies are made here; the engine's own thread frees the commits. Who is alone is told
 * here, too, since one thread less lies between the disk and the creator; many are told by the engine's thread, while
 * this one writes the next batch.
 */
static void on_batch(void *userdata, struct store_commit *first)
{
	struct engine *engine = userdata;
	struct batch *batch = take_memory(sizeof(*batch));
	bool is_alone = !store_commit_next(first);

	if (engine->hub)
		watch_hub_publish(engine->hub, first);
	if (is_alone)
		tell(first);
	*batch = (struct batch){.message.run = on_batch_message, .engine = engine, .first = first, .is_told = is_alone};
	loop_post(engine->loop, &batch->message);
}

/* ---- timers of the whole ---- */

static void on_deadline(void *userdata)
{
	deadline_pump(userdata);
}

static void on_trim(void *userdata)
{
	struct engine *engine = userdata;
	int64_t now_ms = now_utc(engine);

	store_trim(engine->store,
		   &(struct store_trim){.events_before_ms = now_ms - engine->config.event_retention_ms,
					.tombstones_before_ms = now_ms - engine->config.tombstone_retention_ms,
					.orders_before_ms = now_ms - LIMIT_ENGINE_OTHERS_KEPT_MS});
	loop_timer_arm(&engine->trim_timer, LIMIT_ENGINE_TRIM_MS);
}

/* ---- opening ---- */

static int adopt_active(void *userdata, struct job_view *take)
{
	struct engine *engine = userdata;
	struct lane *lane = lane_find(engine, take->job->provider);
	enum job_state state = take->status->state;

	figures_note_held(lane ? &lane->figures : &engine->strays, &take->status->money);
	if (!job_state_is_terminal(state))
		metric_add(&(lane ? &lane->figures : &engine->strays)->jobs[state], 1);
	if (state != JOB_STATE_UNCERTAIN)
		entry_adopt(engine, take);
	else
		job_view_finish(take);
	return 0;
}

static int count_queued(void *userdata, const char *provider, uint64_t count)
{
	struct engine *engine = userdata;
	struct lane *lane = lane_find(engine, provider);

	atomic_fetch_add(&engine->queued, count);
	metric_add(&(lane ? &lane->figures : &engine->strays)->jobs[JOB_STATE_QUEUED], count);
	if (lane)
		atomic_store(&lane->queued, count);
	else
		log_warning("jobs wait for a provider that is not configured", "provider", provider, "jobs",
			    log_int((int64_t)count));
	return 0;
}

static bool is_named(void *userdata, const char *name)
{
	const struct engine *engine = userdata;

	for (const struct entry *entry = engine->entries; entry; entry = entry->hh.next)
		if (fetch_names(entry, name))
			return true;
	return false;
}

/* No download goes on after a restart: what it had is not known to belong to the same file. What came inside a reply is
 * there whole, and stays. */
static int sweep(struct engine *engine, struct errmsg *msg)
{
	struct artifact_store *artifacts = engine->config.artifacts;
	int r = artifact_sweep(artifacts, is_named, engine);

	if (r < 0)
		errmsg_set(msg,
			   "the folder '%s/staging' cannot be read: %s; give the daemon's user the right to read and "
			   "write there, or remove what it holds",
			   artifact_store_path(artifacts), log_errno(r));
	return r;
}

static int refuse_store(const struct engine *engine, int r, const char *what, struct errmsg *msg)
{
	if (r < 0)
		store_explain(engine->store, r, msg);
	else
		errmsg_set(msg,
			   "%s in the store '%s' cannot be read: a later version of filmgated wrote it; run that "
			   "version, or restore a backup made before the upgrade",
			   what, engine->config.store_path);
	return r;
}

/* Without one of them the daemon would forget what was bought: it does not start. */
static int load(struct engine *engine, struct errmsg *msg)
{
	int r = store_load_active(engine->store, adopt_active, engine);

	if (r != 0)
		return refuse_store(engine, r, "a job that is under way", msg);
	r = sweep(engine, msg);
	if (r < 0)
		return r;
	r = store_load_queued_providers(engine->store, count_queued, engine);
	return r != 0 ? refuse_store(engine, r, "the queue", msg) : 0;
}

static int open_store(struct engine *engine, struct errmsg *msg)
{
	struct store_config config = {
		.path = engine->config.store_path,
		.is_copy = engine->config.is_copy,
		.must_exist = artifact_store_has_files(engine->config.artifacts),
		.clock = engine->config.clock,
		.on_batch = on_batch,
		.on_trouble = trouble_on_undecided,
		.on_change = trouble_on_change,
		.floor_bytes = LIMIT_STORE_FLOOR_BYTES,
		.userdata = engine,
	};
	int r;

	r = store_open(&config, &engine->store, msg);
	if (r != 0)
		return r;

	r = watch_hub_new(engine->store, &engine->hub);
	if (r < 0)
		return err_explain(r, "the thread for watchers cannot be started", msg);

	return load(engine, msg);
}

static int add_lanes(struct engine *engine)
{
	engine->lanes = calloc(engine->config.n_providers + 1, sizeof(*engine->lanes));
	if (!engine->lanes)
		return err_origin(-ENOMEM);
	engine->n_lanes = engine->config.n_providers;
	for (size_t i = 0; i < engine->n_lanes; i++)
		lane_init(&engine->lanes[i], engine, &engine->config.providers[i]);
	return 0;
}

static void engine_freep(struct engine **engine)
{
	engine_free(*engine);
}

int engine_new(const struct engine_config *config, struct engine **ret, struct errmsg *msg)
{
	_cleanup_(engine_freep) struct engine *engine = calloc(1, sizeof(*engine));
	int r;

	*msg = (struct errmsg){""};
	if (!engine)
		return err_explain(-ENOMEM, "the engine cannot be made", msg);
	engine->config = *config;
	engine->config.secrets_path = take_text(config->secrets_path);
	engine->jitter = (unsigned int)clock_utc_ms(config->clock);
	r = loop_new(&engine->loop);
	if (r < 0)
		return err_explain(r, "the engine's loop cannot be made", msg);
	loop_timer_init(&engine->deadline_timer, engine->loop, on_deadline, engine);
	loop_timer_init(&engine->trim_timer, engine->loop, on_trim, engine);
	jump_init(engine);

	r = add_lanes(engine);
	if (r == 0)
		registration_load(engine);
	if (r == 0)
		r = budget_open(engine);
	if (r == 0)
		r = open_store(engine, msg);
	if (r != 0)
		return err_explain(r, "the engine cannot be made", msg);

	*ret = steal(engine);
	return 0;
}

int engine_salvage(const char *store_path, struct store_salvaged *ret, struct errmsg *msg)
{
	return store_salvage(store_path, ret, msg);
}

/* ---- starting ---- */

static void on_start(struct loop_message *message)
{
	struct engine *engine = loop_message_owner(message, struct engine, start_message);
	struct entry *entry, *next;

	forecast_load(engine);
	HASH_ITER(hh, engine->entries, entry, next) {
		if (entry->activity == ACTIVITY_NONE && !entry->is_committing)
			run_resume(entry);
		entry_pump(entry);
	}
	deadline_pump(engine);
	for (size_t i = 0; i < engine->n_lanes; i++)
		lane_pump(&engine->lanes[i]);
	loop_timer_arm(&engine->trim_timer, LIMIT_ENGINE_TRIM_FIRST_MS);
	jump_start(engine);
}

int engine_start(struct engine *engine)
{
	int r = loop_start(engine->loop, "fg-engine");

	/* Without a thread there is nothing to drain and to stop. */
	if (r < 0)
		return err_trace(r);
	atomic_store(&engine->phase, ENGINE_PHASE_SERVING);
	engine->start_message.run = on_start;
	loop_post(engine->loop, &engine->start_message);
	return 0;
}

/* ---- draining ---- */

/* A paid send that is not decided, or a change that is not stored, if it can be: what a graceful end waits for. */
static bool is_settled(const struct engine *engine)
{
	const struct entry *entry;

	for (entry = engine->entries; entry; entry = entry->hh.next) {
		if ((entry->is_committing && store_is_healthy(engine->store)) || entry->arrived)
			return false;
		if (entry->status && entry->status->state == JOB_STATE_STARTING &&
		    (entry->activity == ACTIVITY_EXCHANGE || entry->activity == ACTIVITY_STEP))
			return false;
	}
	return engine->verb_runs == 0;
}

/*
 * An opening goes from a reader of the store to artifact/, which is closed before the store is: it is waited for, however
 * late it is. It hangs on our own disk only.
 */
static void on_drain(void *userdata)
{
	struct engine *engine = userdata;
	bool is_late = clock_monotonic_ms(engine->config.clock) >= engine->drain_until_ms;

	if ((!is_settled(engine) && !is_late) || atomic_load(&engine->openings) > 0) {
		loop_timer_arm(&engine->drain_timer, LIMIT_ENGINE_DRAIN_STEP_MS);
		return;
	}
	if (is_late)
		log_warning("stopping although not everything was answered; the next start resumes it");
	loop_stop(engine->loop);
}

static void cancel_timers(struct engine *engine)
{
	for (size_t i = 0; i < engine->n_lanes; i++)
		lane_finish(&engine->lanes[i]);
	loop_timer_cancel(&engine->deadline_timer);
	loop_timer_cancel(&engine->trim_timer);
	jump_stop(engine);
}

static void on_stop(struct loop_message *message)
{
	struct engine *engine = loop_message_owner(message, struct engine, stop_message);
	struct entry *entry, *next;

	cancel_timers(engine);
	for (size_t i = 0; i < engine->n_lanes; i++)
		check_end_all(&engine->lanes[i]);
	HASH_ITER(hh, engine->entries, entry, next) {
		if (entry->activity == ACTIVITY_TIMER)
			entry_interrupt(entry);
		entry_pump(entry);
	}
	loop_timer_init(&engine->drain_timer, engine->loop, on_drain, engine);
	loop_timer_arm(&engine->drain_timer, 0);
}

/* From here on no entry holds anything of another room. */
static void abandon_entries(struct engine *engine)
{
	struct entry *entry, *next;

	HASH_ITER(hh, engine->entries, entry, next) {
		entry_interrupt(entry);
		run_abandon(entry);
	}
}

void engine_drain(struct engine *engine)
{
	int phase = ENGINE_PHASE_SERVING;

	atomic_compare_exchange_strong(&engine->phase, &phase, ENGINE_PHASE_DRAINING);
	artifact_stop_copies(engine->config.artifacts);
}

void engine_stop(struct engine *engine, int64_t limit_ms)
{
	engine_drain(engine);
	if (atomic_load(&engine->phase) != ENGINE_PHASE_DRAINING)
		return;
	engine->drain_until_ms = clock_monotonic_ms(engine->config.clock) + limit_ms + LIMIT_ENGINE_DRAIN_MARGIN_MS;
	http_drain(engine->config.http, limit_ms);
	engine->stop_message.run = on_stop;
	loop_post(engine->loop, &engine->stop_message);
	loop_join(engine->loop);
	watch_hub_stop(engine->hub);
	atomic_store(&engine->phase, ENGINE_PHASE_STOPPED);
	abandon_entries(engine);
}

/* ---- closing ---- */

static void forget_entries(struct engine *engine)
{
	struct entry *entry, *next;

	HASH_ITER(hh, engine->entries, entry, next)
		entry_forget(entry);
}

void engine_leave(struct engine *engine)
{
	atomic_store(&engine->phase, ENGINE_PHASE_STOPPED);
	if (engine->hub)
		watch_hub_stop(engine->hub);
	/* What was decided while draining has armed some again. */
	cancel_timers(engine);
	engine->store = store_close(engine->store);
}

struct engine *engine_free(struct engine *engine)
{
	if (!engine)
		return NULL;
	engine_leave(engine);
	/* What the last batch and late replies still have to say is heard here, and starts nothing. */
	engine->loop = loop_free(engine->loop);
	forget_entries(engine);
	watch_hub_free(engine->hub);
	for (size_t i = 0; i < engine->n_lanes; i++) {
		forecast_finish(&engine->lanes[i]);
		catalogue_free_all(&engine->lanes[i]);
		hint_finish(&engine->lanes[i]);
		registration_finish(&engine->lanes[i]);
	}
	free(engine->lanes);
	budget_close(engine);
	free((char *)(uintptr_t)engine->config.secrets_path);
	free(engine);
	return NULL;
}
