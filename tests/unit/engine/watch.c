/*
 * Watching: every event once and in order, from the store while behind and live when caught up.
 */
#include "engine/rig.h"

#include <stdio.h>
#include <time.h>

#include <stdatomic.h>

#define MOST 1024
#define ALL 1000000u /* more than any story has */

struct seen {
	struct job_ref ref;
	uint64_t sequence, revision;
	enum job_event kind;
};

struct viewer {
	struct engine_watch *watch;
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	struct seen seen[MOST];
	size_t n;
	uint64_t passed; /* the sequence of the last on_passed */
	unsigned int passes;
	int ended; /* the outcome of on_end; 0: not yet */
	unsigned int ends, closes;
};

/* [watch thread] */
static void on_event(void *userdata, const struct store_event *event)
{
	struct viewer *viewer = userdata;

	pthread_mutex_lock(&viewer->mutex);
	if (viewer->n == MOST || viewer->closes)
		abort();
	viewer->seen[viewer->n++] = (struct seen){
		.ref = event->ref, .sequence = event->sequence, .revision = event->revision, .kind = event->kind};
	pthread_cond_broadcast(&viewer->changed);
	pthread_mutex_unlock(&viewer->mutex);
}

/* [watch thread] */
static void on_passed(void *userdata, uint64_t sequence)
{
	struct viewer *viewer = userdata;

	pthread_mutex_lock(&viewer->mutex);
	viewer->passed = sequence;
	viewer->passes++;
	pthread_cond_broadcast(&viewer->changed);
	pthread_mutex_unlock(&viewer->mutex);
}

/* [watch thread] */
static void on_end(void *userdata, int outcome, const struct engine_error *error)
{
	struct viewer *viewer = userdata;

	(void)error;
	pthread_mutex_lock(&viewer->mutex);
	viewer->ended = outcome;
	viewer->ends++;
	pthread_cond_broadcast(&viewer->changed);
	pthread_mutex_unlock(&viewer->mutex);
}

/* [watch thread] */
static void on_closed(void *userdata)
{
	struct viewer *viewer = userdata;

	pthread_mutex_lock(&viewer->mutex);
	viewer->closes++;
	pthread_cond_broadcast(&viewer->changed);
	pthread_mutex_unlock(&viewer->mutex);
}

static int try_watch(struct rig *rig, const struct engine_watch_spec *spec, struct viewer *viewer)
{
	struct engine_watcher watcher = {.on_event = on_event,
					 .on_passed = on_passed,
					 .on_end = on_end,
					 .on_closed = on_closed,
					 .userdata = viewer};
	struct engine_watch_spec whole = *spec;

	whole.tenant = spec->tenant ? spec->tenant : JOB_TENANT_DEFAULT;
	pthread_mutex_init(&viewer->mutex, NULL);
	pthread_cond_init(&viewer->changed, NULL);
	return engine_watch_open(rig->engine, &whole, &watcher, &viewer->watch);
}

static struct viewer *watch(struct rig *rig, const struct engine_watch_spec *spec, uint32_t grant)
{
	struct viewer *viewer = calloc(1, sizeof(*viewer));

	assert_non_null(viewer);
	assert_int_equal(try_watch(rig, spec, viewer), 0);
	if (grant)
		engine_watch_grant(viewer->watch, grant);
	return viewer;
}

static struct viewer *watch_job(struct rig *rig, const struct job_ref *job, uint64_t after)
{
	return watch(rig, &(struct engine_watch_spec){.is_single = true, .ref = *job, .after_revision = after}, ALL);
}

static struct viewer *watch_all(struct rig *rig)
{
	return watch(rig, &(struct engine_watch_spec){0}, ALL);
}

static void await(struct viewer *viewer, bool (*is_so)(const struct viewer *viewer, uint64_t number), uint64_t number)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += 30;
	pthread_mutex_lock(&viewer->mutex);
	while (!is_so(viewer, number))
		if (pthread_cond_timedwait(&viewer->changed, &viewer->mutex, &until) != 0)
			abort();
	pthread_mutex_unlock(&viewer->mutex);
}

static bool has_seen(const struct viewer *viewer, uint64_t n)
{
	return viewer->n >= n;
}

static bool has_been_told(const struct viewer *viewer, uint64_t passes)
{
	return viewer->passes == passes;
}

static bool has_reached(const struct viewer *viewer, uint64_t sequence)
{
	return viewer->n && viewer->seen[viewer->n - 1].sequence >= sequence;
}

static bool has_ended(const struct viewer *viewer, uint64_t any)
{
	(void)any;
	return viewer->ended != 0;
}

static bool has_closed(const struct viewer *viewer, uint64_t any)
{
	(void)any;
	return viewer->closes != 0;
}

static void close_viewer(struct viewer *viewer)
{
	engine_watch_close(viewer->watch);
	await(viewer, has_closed, 0);
	assert_int_equal(viewer->closes, 1);
	assert_true(viewer->ends <= 1);
	pthread_cond_destroy(&viewer->changed);
	pthread_mutex_destroy(&viewer->mutex);
	free(viewer);
}

static void await_tail(struct rig *rig, struct viewer *viewer)
{
	await(viewer, has_reached, engine_position(rig->engine).sequence);
}

/* Returns when the watch thread has dealt with all that was committed: for every viewer that is there. A new viewer is
 * the last in its list, so what it has seen the others have been offered. */
static void let_all_see(struct rig *rig)
{
	struct viewer *last = watch_all(rig);

	await_tail(rig, last);
	close_viewer(last);
}

/* Everything of the store, once, in order. */
static void assert_whole(struct rig *rig, struct viewer *viewer)
{
	struct viewer *control = watch_all(rig);

	await_tail(rig, control);
	await_tail(rig, viewer);
	assert_int_equal(viewer->n, control->n);
	for (size_t i = 0; i < control->n; i++)
		assert_int_equal(viewer->seen[i].sequence, control->seen[i].sequence);
	close_viewer(control);
}

static struct job_ref refused_job(struct rig *rig)
{
	struct job_ref job = order(rig);

	reply_to(rig, &job, 422, "failed reason=invalid_input");
	return job;
}

/* ---- one job ---- */

static void a_job_is_seen_from_its_first_revision_to_its_last(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = order(rig);
	struct viewer *viewer = watch_job(rig, &job, 0);

	await(viewer, has_seen, 3);
	refused_job(rig);
	reply_to(rig, &job, 201, "accepted id=v1");
	sleep_over(rig, &job);
	reply(rig, 200, "wait permille=500");
	sleep_over(rig, &job);
	reply(rig, 200, "done video=https://maker.test/file/1");
	deliver(rig, a_video());
	await(viewer, has_seen, look(rig, &job)->revision);
	let_all_see(rig);
	assert_int_equal(viewer->n, look(rig, &job)->revision);
	for (size_t i = 0; i < viewer->n; i++) {
		assert_true(job_ref_equal(&viewer->seen[i].ref, &job));
		assert_int_equal(viewer->seen[i].revision, i + 1);
	}
	assert_int_equal(viewer->seen[0].kind, JOB_EVENT_CREATED);
	close_viewer(viewer);
}

static void whoever_comes_back_with_a_revision_misses_nothing(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = succeeded_job(rig);
	uint64_t last = look(rig, &job)->revision;

	for (uint64_t after = 0; after < last; after++) {
		struct viewer *viewer = watch_job(rig, &job, after);

		await(viewer, has_seen, last - after);
		assert_int_equal(viewer->seen[0].revision, after + 1);
		close_viewer(viewer);
	}
}

static void a_job_that_never_was_is_not_found(void **state)
{
	struct rig *rig = *state;
	struct job_ref nobody = {.tenant = JOB_TENANT_DEFAULT, .id = id_new(now_ms())};
	struct viewer *viewer = watch_job(rig, &nobody, 0);

	await(viewer, has_ended, 0);
	assert_int_equal(viewer->ended, ENGINE_E_NOT_FOUND);
	close_viewer(viewer);
}

static void a_deletion_is_the_last_that_is_seen(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = refused_job(rig);
	struct viewer *live = watch_job(rig, &job, 0), *later;
	uint64_t last = look(rig, &job)->revision + 1;

	assert_answer(delete_job(rig, &job, ENGINE_DELETE_KEEP_REMOTE), 0);
	await(live, has_seen, last);
	assert_int_equal(live->seen[last - 1].kind, JOB_EVENT_DELETED);
	later = watch_job(rig, &job, 0);
	await(later, has_seen, last);
	assert_int_equal(later->seen[last - 1].kind, JOB_EVENT_DELETED);
	close_viewer(live);
	close_viewer(later);
}

/* ---- all jobs ---- */

static void what_comes_later_is_seen_as_it_comes(void **state)
{
	struct rig *rig = *state;
	struct viewer *early = watch_all(rig), *now;
	uint64_t sequence;

	refused_job(rig);
	sequence = engine_position(rig->engine).sequence;
	now = watch(rig, &(struct engine_watch_spec){.from_now = true}, ALL);
	refused_job(rig);
	await_tail(rig, now);
	assert_true(now->seen[0].sequence > sequence);
	assert_int_equal(now->seen[0].kind, JOB_EVENT_CREATED);
	assert_whole(rig, early);
	close_viewer(early);
	close_viewer(now);
}

/* More than a page lies before it. */
static void whoever_grants_nothing_gets_nothing_and_catches_up_later(void **state)
{
	struct rig *rig = *state;
	struct viewer *viewer = watch(rig, &(struct engine_watch_spec){0}, 0);

	for (int i = 0; i < LIMIT_WATCH_PAGE; i++)
		refused_job(rig);
	let_all_see(rig);
	assert_int_equal(viewer->n, 0);
	engine_watch_grant(viewer->watch, 1);
	await(viewer, has_seen, 1);
	let_all_see(rig);
	assert_int_equal(viewer->n, 1);
	engine_watch_grant(viewer->watch, ALL);
	assert_whole(rig, viewer);
	close_viewer(viewer);
}

static void a_live_watcher_without_a_grant_falls_behind_and_loses_nothing(void **state)
{
	struct rig *rig = *state;
	struct viewer *viewer = watch(rig, &(struct engine_watch_spec){0}, 5);

	refused_job(rig); /* four events: live, with one more granted */
	await(viewer, has_seen, 4);
	refused_job(rig);
	refused_job(rig);
	let_all_see(rig);
	assert_int_equal(viewer->n, 5);
	engine_watch_grant(viewer->watch, 3);
	await(viewer, has_seen, 8);
	engine_watch_grant(viewer->watch, ALL);
	refused_job(rig);
	assert_whole(rig, viewer);
	close_viewer(viewer);
}

/* Opened, granted and closed at odd moments while everything moves: each that stays sees all of it. */
static void no_watcher_misses_or_repeats_anything_whenever_it_comes(void **state)
{
	enum { VIEWERS = 12, ROUNDS = 120 };
	struct rig *rig = *state;
	struct viewer *viewers[VIEWERS] = {NULL};
	unsigned int seed = 7;

	for (int round = 0; round < ROUNDS; round++) {
		struct viewer **viewer = &viewers[rand_r(&seed) % VIEWERS];
		struct answer *answer = create_unsettled(rig, &(struct engine_create){0});

		if (!*viewer)
			*viewer = watch(rig, &(struct engine_watch_spec){0}, 0);
		else
			engine_watch_grant((*viewer)->watch, 1 + (uint32_t)rand_r(&seed) % 20);
		if (rand_r(&seed) % 16 == 0) {
			close_viewer(*viewer);
			*viewer = NULL;
		}
		await_answer(answer);
	}
	settle(rig);
	for (int i = 0; i < VIEWERS; i++) {
		if (!viewers[i])
			continue;
		engine_watch_grant(viewers[i]->watch, ALL);
		assert_whole(rig, viewers[i]);
		close_viewer(viewers[i]);
	}
}

static void a_filter_lets_through_what_it_names(void **state)
{
	static const char *const plain[] = {"plain"};
	static const struct store_label_filter shot[] = {{"shot", "7"}};
	struct job_label labels[] = {LABEL("shot", "7")};
	struct store_filter of_provider = {.providers = plain, .n_providers = 1};
	struct store_filter of_label = {.labels = shot, .n_labels = 1};
	struct store_filter of_state = {.states = 1u << JOB_STATE_FAILED};
	struct rig *rig = *state;
	struct viewer *viewers[3] = {
		watch(rig, &(struct engine_watch_spec){.filter = &of_provider}, ALL),
		watch(rig, &(struct engine_watch_spec){.filter = &of_label}, 0),
		watch(rig, &(struct engine_watch_spec){.filter = &of_state}, ALL),
	};
	struct job_ref jobs[3];

	jobs[0] = order_with(rig, &(struct engine_create){.provider = "plain"});
	jobs[1] = order_with(rig, &(struct engine_create){.labels = labels, .n_labels = 1});
	jobs[2] = refused_job(rig);
	engine_watch_grant(viewers[1]->watch, ALL);
	await(viewers[1], has_seen, 3);
	let_all_see(rig);
	assert_int_equal(viewers[0]->n, 3);
	assert_int_equal(viewers[1]->n, 3);
	assert_int_equal(viewers[2]->n, 1);
	for (size_t i = 0; i < 3; i++) {
		for (size_t j = 0; j < viewers[i]->n; j++)
			assert_true(job_ref_equal(&viewers[i]->seen[j].ref, &jobs[i]));
		close_viewer(viewers[i]);
	}
}

static void rename_job(struct rig *rig, const struct job_ref *job, const char *name)
{
	assert_answer(update(rig, &(struct engine_update){.ref = *job, .has_display_name = true, .display_name = name}),
		      0);
}

/* Else the place from which it would go on is trimmed one day, although it never stopped watching. */
static void whoever_sees_nothing_for_long_is_told_where_it_is(void **state)
{
	struct store_filter none = {.states = 1u << JOB_STATE_CANCELLED};
	struct rig *rig = *state;
	struct job_ref job = order(rig);
	struct viewer *live = watch(rig, &(struct engine_watch_spec){.filter = &none, .from_now = true}, ALL);
	struct viewer *behind = watch(rig, &(struct engine_watch_spec){.filter = &none, .from_now = true}, 0);

	rename_job(rig, &job, "a");
	let_all_see(rig);
	pass(rig, LIMIT_WATCH_PASSED_MS - 1);
	rename_job(rig, &job, "b");
	let_all_see(rig);
	assert_int_equal(live->passes, 0);
	pass(rig, 1);
	rename_job(rig, &job, "c");
	let_all_see(rig);
	assert_int_equal(live->passes, 1);
	assert_int_equal(live->passed, engine_position(rig->engine).sequence);
	engine_watch_grant(behind->watch, 1);
	await(behind, has_been_told, 1);
	assert_int_equal(live->n + behind->n, 0);
	close_viewer(live);
	close_viewer(behind);
}

static void another_tenants_jobs_are_not_seen(void **state)
{
	struct rig *rig = *state;
	struct viewer *ours = watch_all(rig), *theirs = watch(rig, &(struct engine_watch_spec){.tenant = 2}, ALL);
	struct job_ref job = order_with(rig, &(struct engine_create){.tenant = 2});

	await(theirs, has_seen, 3);
	refused_job(rig);
	await_tail(rig, ours);
	for (size_t i = 0; i < ours->n; i++)
		assert_int_equal(ours->seen[i].ref.tenant, JOB_TENANT_DEFAULT);
	for (size_t i = 0; i < theirs->n; i++)
		assert_true(job_ref_equal(&theirs->seen[i].ref, &job));
	close_viewer(ours);
	close_viewer(theirs);
}

/* ---- what is no longer kept ---- */

static void a_cursor_that_is_too_old_is_told_so(void **state)
{
	struct rig *rig = *state;
	struct job_ref old = refused_job(rig);
	uint64_t sequence = engine_position(rig->engine).sequence;
	struct viewer *all, *single, *kept;

	pass(rig, 2 * rig->config.event_retention_ms);
	for (int i = 0; i < 3; i++)
		refused_job(rig); /* the committer trims between two batches */
	all = watch_all(rig);
	single = watch_job(rig, &old, 0);
	kept = watch(rig, &(struct engine_watch_spec){.after_sequence = sequence}, ALL);
	await(all, has_ended, 0);
	await(single, has_ended, 0);
	await_tail(rig, kept);
	assert_int_equal(all->ended, ENGINE_E_CURSOR_EXPIRED);
	assert_int_equal(single->ended, ENGINE_E_CURSOR_EXPIRED);
	assert_int_equal(kept->ended, 0);
	close_viewer(all);
	close_viewer(single);
	close_viewer(kept);
}

/* ---- memory ---- */

void *__real_calloc(size_t n, size_t size);
void *__wrap_calloc(size_t n, size_t size);

/* The next request for a whole page of events fails. */
static atomic_bool is_memory_short;

void *__wrap_calloc(size_t n, size_t size)
{
	if (size > LIMIT_WATCH_PAGE * sizeof(struct store_event) && atomic_exchange(&is_memory_short, false))
		return NULL;
	return __real_calloc(n, size);
}

static void a_page_that_memory_has_no_room_for_ends_the_watch(void **state)
{
	struct rig *rig = *state;
	struct viewer *viewer;

	for (int i = 0; i < LIMIT_WATCH_PAGE / 4; i++)
		refused_job(rig);
	viewer = watch(rig, &(struct engine_watch_spec){0}, 0);
	atomic_store(&is_memory_short, true);
	engine_watch_grant(viewer->watch, ALL);
	await(viewer, has_ended, 0);
	assert_int_equal(viewer->ended, ENGINE_E_STORE);
	assert_int_equal(viewer->n, 0);
	assert_false(atomic_load(&is_memory_short));
	close_viewer(viewer);
}

/* ---- the end ---- */

static void an_end_is_told_to_every_watcher_and_waits_for_them(void **state)
{
	struct rig *rig = *state;
	struct viewer *live = watch_all(rig), *silent = watch(rig, &(struct engine_watch_spec){0}, 0);
	struct viewer late = {0};

	refused_job(rig);
	await_tail(rig, live);
	stop_begin(rig, 0);
	await(live, has_ended, 0);
	await(silent, has_ended, 0);
	assert_int_equal(live->ended, ENGINE_E_DRAINING);
	assert_int_equal(silent->ended, ENGINE_E_DRAINING);
	assert_int_equal(try_watch(rig, &(struct engine_watch_spec){0}, &late), ENGINE_E_DRAINING);
	close_viewer(live);
	close_viewer(silent);
	stop_end(rig);
	rig_start(rig);
}

static void a_watch_that_closes_while_it_is_read_for_ends_once(void **state)
{
	struct rig *rig = *state;
	struct viewer *viewer;

	refused_job(rig);
	hold_readers(rig);
	viewer = watch_all(rig);
	engine_watch_close(viewer->watch);
	release_readers(rig);
	await(viewer, has_closed, 0);
	assert_int_equal(viewer->closes, 1);
	assert_int_equal(viewer->n, 0);
	pthread_cond_destroy(&viewer->changed);
	pthread_mutex_destroy(&viewer->mutex);
	free(viewer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		story(a_job_is_seen_from_its_first_revision_to_its_last),
		story(whoever_comes_back_with_a_revision_misses_nothing),
		story(a_job_that_never_was_is_not_found),
		story(a_deletion_is_the_last_that_is_seen),
		story(what_comes_later_is_seen_as_it_comes),
		story(whoever_grants_nothing_gets_nothing_and_catches_up_later),
		story(a_live_watcher_without_a_grant_falls_behind_and_loses_nothing),
		story(no_watcher_misses_or_repeats_anything_whenever_it_comes),
		story(a_filter_lets_through_what_it_names),
		story(whoever_sees_nothing_for_long_is_told_where_it_is),
		story(another_tenants_jobs_are_not_seen),
		story(a_cursor_that_is_too_old_is_told_so),
		story(a_page_that_memory_has_no_room_for_ends_the_watch),
		story(an_end_is_told_to_every_watcher_and_waits_for_them),
		story(a_watch_that_closes_while_it_is_read_for_ends_once),
	};

	return cmocka_run_group_tests_name("engine.watch", tests, NULL, NULL);
}
