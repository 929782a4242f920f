#include "engine/rig.h"

#include "engine/token.h"
#include "store/commit.h"

#include <ftw.h>
#include <stdio.h>
#include <time.h>

#define PATIENCE_S 30 /* until a test that waits for the engine fails */

/* ---- waiting for the engine ---- */

struct vigil {
	struct loop_message message;
	struct rig *rig;
	bool (*is_over)(struct rig *rig, void *userdata);
	void *userdata;
	bool is_done;
	pthread_mutex_t mutex;
	pthread_cond_t done;
};

static void on_vigil(struct loop_message *message)
{
	struct vigil *vigil = loop_message_owner(message, struct vigil, message);

	if (!vigil->is_over(vigil->rig, vigil->userdata)) {
		sched_yield();
		loop_post(vigil->rig->engine->loop, &vigil->message);
		return;
	}
	pthread_mutex_lock(&vigil->mutex);
	vigil->is_done = true;
	pthread_cond_signal(&vigil->done);
	pthread_mutex_unlock(&vigil->mutex);
}

void await_engine(struct rig *rig, bool (*is_over)(struct rig *rig, void *userdata), void *userdata)
{
	struct vigil vigil = {.message.run = on_vigil,
			      .rig = rig,
			      .is_over = is_over,
			      .userdata = userdata,
			      .mutex = PTHREAD_MUTEX_INITIALIZER,
			      .done = PTHREAD_COND_INITIALIZER};
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += PATIENCE_S;
	loop_post(rig->engine->loop, &vigil.message);
	pthread_mutex_lock(&vigil.mutex);
	while (!vigil.is_done)
		if (pthread_cond_timedwait(&vigil.done, &vigil.mutex, &until) != 0)
			abort();
	pthread_mutex_unlock(&vigil.mutex);
}

/* ---- until it has nothing to do ---- */

struct loop;
void __real_watch_hub_publish(struct watch_hub *hub, const struct store_commit *first);
void __wrap_watch_hub_publish(struct watch_hub *hub, const struct store_commit *first);
void __real_loop_post(struct loop *loop, struct loop_message *message);
void __wrap_loop_post(struct loop *loop, struct loop_message *message);
void __real_store_submit(struct store *store, struct store_commit *take, void *userdata);
void __wrap_store_submit(struct store *store, struct store_commit *take, void *userdata);

/* Commits that are not in a batch on disk yet, those who wait for as long as the store cannot write left out. */
static atomic_size_t commits, patient_commits;

void __wrap_store_submit(struct store *store, struct store_commit *take, void *userdata)
{
	atomic_fetch_add(take->is_patient ? &patient_commits : &commits, 1);
	__real_store_submit(store, take, userdata);
}

/* Of the batch whose write failed: who had no patience has been told, and the commit comes later. */
void __real_trouble_on_undecided(void *userdata, const struct store_commit *first);
void __wrap_trouble_on_undecided(void *userdata, const struct store_commit *first);

static const struct store_commit *told[LIMIT_STORE_BATCH_COMMITS]; /* the committer's thread */
static size_t n_told;
static atomic_bool is_trouble_told;

void __wrap_trouble_on_undecided(void *userdata, const struct store_commit *first)
{
	__real_trouble_on_undecided(userdata, first);
	for (const struct store_commit *commit = first; commit; commit = store_commit_next(commit)) {
		if (commit->is_patient)
			continue;
		told[n_told++] = commit;
		atomic_fetch_sub(&commits, 1);
	}
	atomic_store(&is_trouble_told, true);
}

static bool was_told(const struct store_commit *commit)
{
	for (size_t i = 0; i < n_told; i++)
		if (told[i] == commit) {
			told[i] = told[--n_told];
			return true;
		}
	return false;
}

/* The disk is broken, and everybody knows. */
static bool is_store_stuck(const struct engine *engine)
{
	if (!store_is_healthy(engine->store))
		return atomic_load(&is_trouble_told);
	atomic_store(&is_trouble_told, false);
	return false;
}

/* A batch is on disk, and creators may know it, before the engine's thread is told: until then it is not quiet. */
static atomic_bool is_batch_between;
static _Thread_local bool is_between;

void __wrap_watch_hub_publish(struct watch_hub *hub, const struct store_commit *first)
{
	atomic_store(&is_batch_between, true);
	for (const struct store_commit *commit = first; commit; commit = store_commit_next(commit))
		if (!was_told(commit))
			atomic_fetch_sub(commit->is_patient ? &patient_commits : &commits, 1);
	__real_watch_hub_publish(hub, first);
	is_between = true;
}

void __wrap_loop_post(struct loop *loop, struct loop_message *message)
{
	__real_loop_post(loop, message);
	if (is_between)
		atomic_store(&is_batch_between, false);
	is_between = false;
}

bool is_due(const struct loop_timer *timer)
{
	return timer->is_armed && timer->due_ns <= (uint64_t)clock_monotonic_ms(&rig_clock) * 1000000;
}

static bool is_lane_quiet(const struct lane *lane)
{
	return !lane->is_scanning && !lane->is_sweeping && !is_due(&lane->kick) && !is_due(&lane->wake) &&
	       !is_due(&lane->sweeper);
}

/* A step, a request or a timer that the test holds in its hands is none of the engine's. */
static bool is_entry_quiet(const struct entry *entry, bool is_stuck, size_t *steps)
{
	*steps += entry->activity == ACTIVITY_STEP;
	return (!entry->is_committing || is_stuck) && !entry->arrived && entry->activity != ACTIVITY_LOAD &&
	       entry->activity != ACTIVITY_SEAL && entry->activity != ACTIVITY_LOOK && !is_due(&entry->timer) &&
	       !entry->is_timer_due;
}

static size_t steps_without_token(const struct engine *engine)
{
	size_t n = 0;

	for (size_t i = 0; i < engine->n_lanes; i++)
		for (const struct token_waiter *waiter = engine->lanes[i].token_waiters; waiter; waiter = waiter->next)
			n++;
	return n;
}

/* Who waits for an upload waits for the provider, or for a step that is held; else the engine is still at it. */
static bool is_upload_asked(struct rig *rig)
{
	bool answer = false;

	pthread_mutex_lock(&rig->http.mutex);
	for (const struct request *request = rig->http.requests; request; request = request->next)
		answer |= !request->is_ended && request_ends_with(request, "/upload");
	pthread_mutex_unlock(&rig->http.mutex);
	return answer;
}

static bool is_quiet(struct rig *rig)
{
	struct engine *engine = rig->engine;
	bool answer = !atomic_load(&is_batch_between) && !engine->is_scanning_deadlines && atomic_load(&commits) == 0 &&
		      !is_due(&engine->deadline_timer);
	bool is_stuck = is_store_stuck(engine);
	size_t steps = 0;

	answer &= is_stuck || (store_is_healthy(engine->store) && atomic_load(&patient_commits) == 0);

	for (const struct entry *entry = engine->entries; entry; entry = entry->hh.next)
		answer &= is_entry_quiet(entry, is_stuck, &steps) &&
			  (entry->activity != ACTIVITY_FORWARD || is_upload_asked(rig));
	for (size_t i = 0; i < engine->n_lanes; i++)
		answer &= is_lane_quiet(&engine->lanes[i]);
	pthread_mutex_lock(&rig->runner.mutex);
	answer &= steps <= rig->runner.n_held + steps_without_token(engine);
	pthread_mutex_unlock(&rig->runner.mutex);
	return answer;
}

static size_t work_of(struct rig *rig)
{
	size_t work;

	pthread_mutex_lock(&rig->runner.mutex);
	work = rig->runner.n_asked;
	pthread_mutex_unlock(&rig->runner.mutex);
	pthread_mutex_lock(&rig->http.mutex);
	work += rig->http.count;
	pthread_mutex_unlock(&rig->http.mutex);
	return work;
}

struct quiet {
	size_t work; /* steps and requests when it was quiet the last time */
	bool was_quiet;
};

/* Quiet twice, with all messages of the first time heard and nothing begun in between. */
static bool is_settled(struct rig *rig, void *userdata)
{
	struct quiet *quiet = userdata;
	struct quiet now = {.work = work_of(rig), .was_quiet = is_quiet(rig)};
	bool answer = now.was_quiet && quiet->was_quiet && now.work == quiet->work;

	*quiet = now;
	return answer;
}

void settle(struct rig *rig)
{
	struct quiet quiet = {0};

	await_engine(rig, is_settled, &quiet);
}

/* ---- life ---- */

void artifact_path(const struct rig *rig, const struct digest *sha256, char path[PATH_MAX])
{
	char text[DIGEST_TEXT_SIZE];
	int n;

	digest_format(sha256, text);
	n = snprintf(path, PATH_MAX, "%s/artifacts/sha256/%.2s/%s", rig->folder, text, text + 2);
	assert_true(n > 0 && n < PATH_MAX);
}

static void open_artifacts(struct rig *rig)
{
	char path[PATH_MAX + 32];
	struct artifact_config config = {.path = path};
	struct errmsg msg = {""};

	snprintf(path, sizeof(path), "%s/artifacts", rig->folder);
	if (artifact_store_open(&config, &rig->artifacts, &msg) != 0)
		fail_msg("%s", msg.text);
	rig->config.artifacts = rig->artifacts;
}

void rig_open(struct rig *rig)
{
	struct errmsg msg = {""};

	fake_http_revive(&rig->http);
	faults_reset();
	open_artifacts(rig);
	rig->config.store_path = rig->store_path;
	if (engine_new(&rig->config, &rig->engine, &msg) != 0)
		fail_msg("%s", msg.text);
}

int rig_refuse(struct rig *rig, struct errmsg *msg)
{
	int r;

	fake_http_revive(&rig->http);
	open_artifacts(rig);
	rig->config.store_path = rig->store_path;
	r = engine_new(&rig->config, &rig->engine, msg);
	rig->artifacts = artifact_store_close(rig->artifacts);
	return r;
}

void rig_close(struct rig *rig)
{
	rig->artifacts = artifact_store_close(rig->artifacts);
	rig->engine = engine_free(rig->engine);
}

void rig_start(struct rig *rig)
{
	rig_open(rig);
	assert_int_equal(engine_start(rig->engine), 0);
	settle(rig);
}

static struct engine_provider_config provider_config(const char *id, const struct plugin *plugin)
{
	return (struct engine_provider_config){
		.id = id,
		.plugin_name = id,
		.plugin = plugin,
		.account = (const struct plugin_account *)(const void *)plugin,
		.base_url = plugin->base_url,
		.concurrency = 8,
		.poll_first_ms = 1000,
		.poll_min_ms = 1000,
		.poll_max_ms = 8000,
		.exchange_timeout_ms = 30000,
		.submit_timeout_ms = 120000,
		.default_timeout_ms = RIG_HOUR_MS,
		.expected_bytes = 1 << 20,
		.max_artifact_bytes = 1 << 30,
		.max_reply_bytes = 1 << 20,
	};
}

static void configure(struct rig *rig)
{
	fake_plugin_init(&rig->plugins[0], "maker", 86400);
	fake_plugin_init(&rig->plugins[1], "plain", 0);
	rig->providers[0] = provider_config("maker", &rig->plugins[0]);
	rig->providers[1] = provider_config("plain", &rig->plugins[1]);
	rig->config = (struct engine_config){
		.clock = &rig_clock,
		.http = &rig->http,
		.plugins = &rig->runner,
		.providers = rig->providers,
		.n_providers = RIG_PROVIDERS,
		.max_queued = 1000,
		.max_asset_bytes = 1 << 20,
		.event_retention_ms = 24 * RIG_HOUR_MS,
		.tombstone_retention_ms = LIMIT_ENGINE_TOMBSTONE_MS,
	};
}

int rig_setup(void **state)
{
	struct rig *rig = calloc(1, sizeof(*rig));
	const char *tmp = getenv("TMPDIR");

	assert_non_null(rig);
	*state = rig;
	log_setup(LOG_FORMAT_TEXT, getenv("RIG_LOG") ? LOG_LEVEL_DEBUG : LOG_LEVEL_ERROR);
	clock_reset();
	snprintf(rig->folder, sizeof(rig->folder), "%s/filmgate-engine-XXXXXX",
		 tmp                             ? tmp
		 : access("/dev/shm", W_OK) == 0 ? "/dev/shm"
						 : "/tmp");
	assert_non_null(mkdtemp(rig->folder));
	snprintf(rig->store_path, sizeof(rig->store_path), "%s/store", rig->folder);
	pthread_mutex_init(&rig->stop.mutex, NULL);
	pthread_cond_init(&rig->stop.changed, NULL);
	fake_http_init(&rig->http);
	fake_runner_init(&rig->runner);
	for (size_t i = 0; i < RIG_PROVIDERS; i++)
		fake_runner_init(&rig->checkers[i]);
	configure(rig);
	rig_start(rig);
	return 0;
}

/* ---- ends ---- */

/* Who stops the engine frees it, as main() does: its loop belongs to that thread from then on. */
static void *run_stop(void *userdata)
{
	struct rig *rig = userdata;

	engine_stop(rig->engine, rig->stop.limit_ms);
	pthread_mutex_lock(&rig->stop.mutex);
	rig->stop.has_stopped = true;
	pthread_cond_broadcast(&rig->stop.changed);
	while (!rig->stop.may_free)
		pthread_cond_wait(&rig->stop.changed, &rig->stop.mutex);
	pthread_mutex_unlock(&rig->stop.mutex);
	rig_close(rig);
	return NULL;
}

void stop_unsettled(struct rig *rig, int64_t limit_ms)
{
	rig->stop.limit_ms = limit_ms;
	rig->stop.has_stopped = rig->stop.may_free = false;
	rig->stop.is_under_way = true;
	clock_flow();
	assert_int_equal(pthread_create(&rig->stop.thread, NULL, run_stop, rig), 0);
}

void stop_begin(struct rig *rig, int64_t limit_ms)
{
	settle(rig);
	stop_unsettled(rig, limit_ms);
}

void stop_join(struct rig *rig)
{
	pthread_mutex_lock(&rig->stop.mutex);
	while (!rig->stop.has_stopped)
		pthread_cond_wait(&rig->stop.changed, &rig->stop.mutex);
	pthread_mutex_unlock(&rig->stop.mutex);
}

/* What is still open ends with its room, and the engine hears of it last. */
void stop_end(struct rig *rig)
{
	stop_join(rig);
	fake_http_kill(&rig->http);
	fake_runner_release(&rig->runner);
	for (size_t i = 0; i < RIG_PROVIDERS; i++)
		fake_runner_release(&rig->checkers[i]);
	pthread_mutex_lock(&rig->stop.mutex);
	rig->stop.may_free = true;
	pthread_cond_broadcast(&rig->stop.changed);
	pthread_mutex_unlock(&rig->stop.mutex);
	pthread_join(rig->stop.thread, NULL);
	rig->stop.is_under_way = false;
	clock_freeze();
}

struct drain_turns {
	uint64_t order; /* of the timer's last arming that was counted */
	unsigned int left;
};

static bool has_turned(struct rig *rig, void *userdata)
{
	const struct loop_timer *timer = &rig->engine->drain_timer;
	struct drain_turns *turns = userdata;

	if (timer->is_armed && timer->order != turns->order) {
		turns->order = timer->order;
		turns->left--;
	}
	return turns->left == 0;
}

/* The first arming is that of the stop itself. */
void await_drain_turns(struct rig *rig, unsigned int times)
{
	struct drain_turns turns = {.left = times + 1};

	await_engine(rig, has_turned, &turns);
}

static int remove_one(const char *path, const struct stat *stat, int type, struct FTW *ftw)
{
	(void)stat;
	(void)type;
	(void)ftw;
	return remove(path);
}

static void end_engine(struct rig *rig)
{
	if (!rig->engine)
		return;
	fake_http_kill(&rig->http);
	if (!rig->stop.is_under_way) {
		fake_runner_release(&rig->runner);
		release_readers(rig);
		stop_begin(rig, 0);
	}
	stop_end(rig);
}

static void free_answers(struct rig *rig)
{
	while (rig->answers) {
		struct answer *next = rig->answers->next;

		job_view_finish(&rig->answers->view);
		if (rig->answers->fd >= 0)
			close(rig->answers->fd);
		free(rig->answers);
		rig->answers = next;
	}
}

int rig_teardown(void **state)
{
	struct rig *rig = *state;

	end_engine(rig);
	free_answers(rig);
	fake_http_finish(&rig->http);
	fake_runner_finish(&rig->runner);
	for (size_t i = 0; i < RIG_PROVIDERS; i++)
		fake_runner_finish(&rig->checkers[i]);
	for (size_t i = 0; i < RIG_PROVIDERS; i++)
		fake_plugin_finish(&rig->plugins[i]);
	nftw(rig->folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	pthread_cond_destroy(&rig->stop.changed);
	pthread_mutex_destroy(&rig->stop.mutex);
	free(rig);
	return 0;
}

/* ---- crashes ---- */

/* The engine that is left behind may write what it likes: the next one reads the image. */
void rig_crash(struct rig *rig)
{
	char path[PATH_MAX + 32];

	image_path(rig, path);
	if (access(path, F_OK) != 0) {
		settle(rig);
		rig_photograph(rig);
	}
	end_engine(rig);
	rig->images++;
	snprintf(rig->store_path, sizeof(rig->store_path), "%s", path);
}

void crash_and_restart(struct rig *rig)
{
	rig_crash(rig);
	rig_start(rig);
}
