#include "base/limits.h"
#include "store/fixture.h"

/* Is the job in the queue of its provider at @now_ms? */
static bool is_queued(struct fixture *fixture, const struct job_view *view, int64_t now_ms)
{
	struct answer answer;
	bool found = false;

	scan_queue(fixture, view->job->provider, now_ms, 0, &answer);
	assert_int_equal(answer.outcome, 0);
	for (size_t i = 0; i < answer.n; i++)
		found |= job_ref_equal(&answer.queued[i].ref, &view->job->ref);
	free_answer(&answer);
	return found;
}

static bool has_deadline(struct fixture *fixture, const struct job_view *view)
{
	struct answer answer;
	bool found = false;

	scan_deadlines(fixture, view->job->deadline_ms, 0, &answer);
	assert_int_equal(answer.outcome, 0);
	for (size_t i = 0; i < answer.n; i++)
		found |= job_ref_equal(&answer.queued[i].ref, &view->job->ref);
	free_answer(&answer);
	return found;
}

struct loaded {
	struct job_view views[16];
	size_t n;
	int stop_with;
};

static int take_active(void *userdata, struct job_view *take)
{
	struct loaded *loaded = userdata;

	loaded->views[loaded->n++] = *take;
	return loaded->stop_with;
}

static void finish_loaded(struct loaded *loaded)
{
	for (size_t i = 0; i < loaded->n; i++)
		job_view_finish(&loaded->views[i]);
	loaded->n = 0;
}

static bool is_active(struct fixture *fixture, const struct job_view *view)
{
	struct loaded loaded = {0};
	bool found = false;

	assert_int_equal(store_load_active(fixture->store, take_active, &loaded), 0);
	for (size_t i = 0; i < loaded.n; i++)
		found |= job_ref_equal(&loaded.views[i].job->ref, &view->job->ref);
	finish_loaded(&loaded);
	return found;
}

static void put_in(struct job_status *status, void *userdata)
{
	status->state = *(enum job_state *)userdata;
}

/* From every state into every state, the indexes show the job where it is and nowhere else. */
static void indexes_follow_a_job_through_every_pair_of_states(void **state)
{
	struct fixture *fixture = *state;
	struct job_view view = put_job(fixture);

	for (int from = 1; from < _JOB_STATE_COUNT; from++)
		for (int to = 1; to < _JOB_STATE_COUNT; to++) {
			enum job_state states[] = {(enum job_state)from, (enum job_state)to};

			for (int i = 0; i < 2; i++) {
				assert_int_equal(commit_now(fixture, revision(fixture, &view, put_in, &states[i])), 0);
				assert_int_equal(is_queued(fixture, &view, INT64_MAX), states[i] == JOB_STATE_QUEUED);
				assert_int_equal(has_deadline(fixture, &view),
						 job_may_move(states[i], JOB_STATE_EXPIRED));
				assert_int_equal(is_active(fixture, &view),
						 job_state_is_active(states[i]) || states[i] == JOB_STATE_UNCERTAIN);
			}
		}
	job_view_finish(&view);
}

static void set_wait(struct job_status *status, void *userdata)
{
	status->wait = JOB_WAIT_BACKOFF;
	status->wait_until_ms = *(int64_t *)userdata;
}

static void a_job_that_waits_appears_when_its_wait_has_ended(void **state)
{
	struct fixture *fixture = *state;
	struct job_view view = put_job(fixture);
	int64_t until_ms = fixture->now_ms + 5000, none = 0;
	struct answer answer;

	assert_int_equal(commit_now(fixture, revision(fixture, &view, set_wait, &until_ms)), 0);
	scan_queue(fixture, "heygen", until_ms - 1, 10, &answer);
	assert_int_equal(answer.n, 0);
	assert_int_equal(answer.next_wake_ms, until_ms);
	free_answer(&answer);
	scan_queue(fixture, "heygen", until_ms, 10, &answer);
	assert_int_equal(answer.n, 1);
	assert_int_equal(answer.queued[0].ready_ms, until_ms);
	assert_int_equal(answer.next_wake_ms, 0);
	free_answer(&answer);
	until_ms += 1000;
	assert_int_equal(commit_now(fixture, revision(fixture, &view, set_wait, &until_ms)), 0);
	assert_false(is_queued(fixture, &view, until_ms - 1));
	assert_true(is_queued(fixture, &view, until_ms));
	assert_int_equal(commit_now(fixture, revision(fixture, &view, set_wait, &none)), 0);
	assert_true(is_queued(fixture, &view, 0));
	move(fixture, &view, JOB_STATE_PREPARING);
	assert_false(is_queued(fixture, &view, INT64_MAX));
	job_view_finish(&view);
}

static void set_priority(struct job_status *status, void *userdata)
{
	status->priority = *(int32_t *)userdata;
}

/* Of a time and a priority of its own. */
static struct job_view put_aged(struct fixture *fixture, int64_t now_ms, int32_t priority)
{
	struct job_view view;

	fixture->now_ms = now_ms;
	view = make_job(fixture);
	view.status->priority = priority;
	assert_int_equal(commit_now(fixture, creation(&view)), 0);
	return view;
}

/* The bound: what comes later than so many steps of aging after the lowest goes behind it, and nothing before does. */
static void none_waits_for_what_comes_much_later(void **state)
{
	static const int64_t span_ms = (JOB_PRIORITY_MAX - JOB_PRIORITY_MIN) * JOB_PRIORITY_AGING_MS;
	struct fixture *fixture = *state;
	int64_t begin_ms = fixture->now_ms;
	struct job_view views[5];
	struct answer answer;
	static const int order[] = {1, 3, 0, 4, 2};

	views[0] = put_aged(fixture, begin_ms, JOB_PRIORITY_MIN);
	views[1] = put_aged(fixture, begin_ms + 1000, JOB_PRIORITY_MAX);
	views[2] = put_aged(fixture, begin_ms + 2000, JOB_PRIORITY_MIN);
	views[3] = put_aged(fixture, begin_ms + span_ms - 1, JOB_PRIORITY_MAX);
	views[4] = put_aged(fixture, begin_ms + span_ms + 1, JOB_PRIORITY_MAX);
	for (uint32_t limit = 1; limit <= 5; limit++) {
		scan_queue(fixture, "heygen", fixture->now_ms, limit, &answer);
		assert_int_equal(answer.n, limit);
		for (uint32_t i = 0; i < limit; i++)
			assert_true(job_ref_equal(&answer.queued[i].ref, &views[order[i]].job->ref));
		free_answer(&answer);
	}
	for (int i = 0; i < 5; i++)
		job_view_finish(&views[i]);
}

/* Against what a sort of all of them says: every limit, many priorities, one job older than the other. */
static void the_front_is_the_front_of_all(void **state)
{
	enum { MANY = 60 };
	struct fixture *fixture = *state;
	struct job_view views[MANY];
	struct answer all, front;
	int64_t begin_ms = fixture->now_ms;

	for (int i = 0; i < MANY; i++)
		views[i] = put_aged(fixture, begin_ms + i * 47000, (i * 37) % 13 - 6);
	scan_queue(fixture, "heygen", fixture->now_ms, 0, &all);
	assert_int_equal(all.n, MANY);
	for (int i = 1; i < MANY; i++)
		assert_true(job_rank_ms(all.queued[i - 1].priority, all.queued[i - 1].ready_ms) <=
			    job_rank_ms(all.queued[i].priority, all.queued[i].ready_ms));
	for (uint32_t limit = 1; limit < MANY; limit++) {
		scan_queue(fixture, "heygen", fixture->now_ms, limit, &front);
		assert_int_equal(front.n, limit);
		for (uint32_t i = 0; i < limit; i++)
			assert_true(job_ref_equal(&front.queued[i].ref, &all.queued[i].ref));
		free_answer(&front);
	}
	free_answer(&all);
	for (int i = 0; i < MANY; i++)
		job_view_finish(&views[i]);
}

/* Which priorities there are is found out after a start, the lowest included, and what comes later is not missed. */
static void every_priority_is_found_again_after_a_restart(void **state)
{
	static const int32_t priorities[] = {0, JOB_PRIORITY_MIN, 7, JOB_PRIORITY_MAX, 6};
	struct fixture *fixture = *state;
	struct job_view views[5];
	struct answer answer;

	for (int i = 0; i < 4; i++)
		views[i] = put_aged(fixture, fixture->now_ms, priorities[i]);
	fixture_reopen(fixture);
	scan_queue(fixture, "heygen", fixture->now_ms, 0, &answer);
	assert_int_equal(answer.n, 4);
	assert_int_equal(answer.queued[0].priority, JOB_PRIORITY_MAX);
	assert_int_equal(answer.queued[3].priority, JOB_PRIORITY_MIN);
	free_answer(&answer);
	views[4] = put_aged(fixture, fixture->now_ms, priorities[4]);
	scan_queue(fixture, "heygen", fixture->now_ms, 0, &answer);
	assert_int_equal(answer.n, 5);
	assert_true(job_ref_equal(&answer.queued[2].ref, &views[4].job->ref));
	free_answer(&answer);
	for (int i = 0; i < 5; i++)
		job_view_finish(&views[i]);
}

static void the_highest_priority_comes_first_and_then_the_oldest(void **state)
{
	static const int32_t priorities[] = {0, 100, -100, 0, 100, 5};
	static const int order[] = {1, 4, 5, 0, 3, 2};
	struct fixture *fixture = *state;
	struct job_view views[6];
	struct answer answer;

	for (int i = 0; i < 6; i++) {
		int32_t priority = priorities[i];

		views[i] = put_job(fixture);
		assert_int_equal(commit_now(fixture, revision(fixture, &views[i], set_priority, &priority)), 0);
	}
	fixture_reopen(fixture);
	scan_queue(fixture, "heygen", 0, 0, &answer);
	assert_int_equal(answer.n, 6);
	for (int i = 0; i < 6; i++) {
		assert_true(job_ref_equal(&answer.queued[i].ref, &views[order[i]].job->ref));
		assert_int_equal(answer.queued[i].priority, priorities[order[i]]);
		assert_int_equal(answer.queued[i].ready_ms, views[order[i]].job->created_ms);
	}
	free_answer(&answer);
	scan_queue(fixture, "heygen", 0, 2, &answer);
	assert_int_equal(answer.n, 2);
	assert_true(job_ref_equal(&answer.queued[1].ref, &views[4].job->ref));
	free_answer(&answer);
	scan_queue(fixture, "heyge", 0, 2, &answer);
	assert_int_equal(answer.n, 0);
	free_answer(&answer);
	for (int i = 0; i < 6; i++)
		job_view_finish(&views[i]);
}

/* A due job is sorted among those that never waited, and tenants share the queue of a provider. */
static void waited_and_foreign_jobs_are_sorted_in(void **state)
{
	struct fixture *fixture = *state;
	struct job_view ready = put_job(fixture), waited = put_job(fixture), foreign = make_job(fixture);
	int64_t until_ms = fixture->now_ms + 10;
	struct answer answer;

	foreign.job->ref.tenant = 9;
	foreign.status->priority = 1;
	assert_int_equal(commit_now(fixture, creation(&foreign)), 0);
	assert_int_equal(commit_now(fixture, revision(fixture, &waited, set_priority, &(int32_t){2})), 0);
	assert_int_equal(commit_now(fixture, revision(fixture, &waited, set_wait, &until_ms)), 0);
	scan_queue(fixture, "heygen", until_ms, 0, &answer);
	assert_int_equal(answer.n, 3);
	assert_true(job_ref_equal(&answer.queued[0].ref, &waited.job->ref));
	assert_true(job_ref_equal(&answer.queued[1].ref, &foreign.job->ref));
	assert_true(job_ref_equal(&answer.queued[2].ref, &ready.job->ref));
	free_answer(&answer);
	job_view_finish(&ready);
	job_view_finish(&waited);
	job_view_finish(&foreign);
}

static void deadlines_come_in_their_order_and_the_next_is_named(void **state)
{
	struct fixture *fixture = *state;
	struct job_view views[3];
	int64_t now_ms = fixture->now_ms;
	struct answer answer;

	for (int i = 0; i < 3; i++) {
		views[i] = make_job(fixture);
		views[i].job->deadline_ms = now_ms + 3000 - 1000 * i;
		assert_int_equal(commit_now(fixture, creation(&views[i])), 0);
	}
	scan_deadlines(fixture, now_ms + 2000, 0, &answer);
	assert_int_equal(answer.n, 2);
	assert_true(job_ref_equal(&answer.queued[0].ref, &views[2].job->ref));
	assert_true(job_ref_equal(&answer.queued[1].ref, &views[1].job->ref));
	assert_int_equal(answer.queued[0].ready_ms, now_ms + 1000);
	assert_int_equal(answer.queued[0].priority, 0);
	assert_int_equal(answer.next_wake_ms, now_ms + 3000);
	free_answer(&answer);
	scan_deadlines(fixture, now_ms, 0, &answer);
	assert_int_equal(answer.n, 0);
	assert_int_equal(answer.next_wake_ms, now_ms + 1000);
	free_answer(&answer);
	scan_deadlines(fixture, now_ms + 5000, 1, &answer);
	assert_int_equal(answer.n, 1);
	assert_int_equal(answer.next_wake_ms, now_ms + 2000);
	free_answer(&answer);
	for (int i = 0; i < 3; i++)
		job_view_finish(&views[i]);
}

static void more_due_jobs_than_one_scan_sorts_are_announced(void **state)
{
	enum { N = LIMIT_STORE_WAKE_SCAN + 1 };
	struct fixture *fixture = *state;
	struct ticket *tickets = calloc(N, sizeof(*tickets));
	int64_t until_ms = 0;
	struct answer answer;

	for (size_t i = 0; i < N; i++) {
		struct job_view view = make_job(fixture);

		until_ms = view.status->wait_until_ms = view.job->created_ms;
		submit(&tickets[i], fixture, creation(&view));
		job_view_finish(&view);
	}
	for (size_t i = 0; i < N; i++) {
		assert_int_equal(await(&tickets[i]), 0);
		finish(&tickets[i]);
	}
	scan_queue(fixture, "heygen", until_ms, 10, &answer);
	assert_int_equal(answer.n, 10);
	assert_int_equal(answer.next_wake_ms, until_ms);
	free_answer(&answer);
	free(tickets);
}

static void active_jobs_are_loaded_whole_at_the_start(void **state)
{
	struct fixture *fixture = *state;
	struct job_view queued = put_job(fixture), running = put_job(fixture), foreign = make_job(fixture);
	struct loaded loaded = {0};

	foreign.job->ref.tenant = UINT32_MAX;
	assert_int_equal(commit_now(fixture, creation(&foreign)), 0);
	move(fixture, &foreign, JOB_STATE_STORING);
	move(fixture, &running, JOB_STATE_RUNNING);
	fixture_reopen(fixture);
	assert_int_equal(store_load_active(fixture->store, take_active, &loaded), 0);
	assert_int_equal(loaded.n, 2);
	assert_same_job(loaded.views[0].job, running.job);
	assert_same_status(loaded.views[0].status, running.status);
	assert_same_status(loaded.views[1].status, foreign.status);
	finish_loaded(&loaded);
	loaded.stop_with = 42;
	assert_int_equal(store_load_active(fixture->store, take_active, &loaded), 42);
	assert_int_equal(loaded.n, 1);
	finish_loaded(&loaded);
	job_view_finish(&queued);
	job_view_finish(&running);
	job_view_finish(&foreign);
}

struct counts {
	uint64_t heygen, veo, others;
};

static int count_provider(void *userdata, const char *provider, uint64_t count)
{
	struct counts *counts = userdata;

	if (strcmp(provider, "heygen") == 0)
		counts->heygen += count;
	else if (strcmp(provider, "veo") == 0)
		counts->veo += count;
	else
		counts->others += count;
	return 0;
}

static void providers_with_queued_jobs_are_counted_at_the_start(void **state)
{
	static const char *const providers[] = {"heygen", "veo", "heygen", "veo", "heygen"};
	struct fixture *fixture = *state;
	struct counts counts = {0};

	for (int i = 0; i < 5; i++) {
		struct job_view view = make_job(fixture);

		job_set_text(&view.job->provider, providers[i]);
		view.job->ref.tenant = 1 + (uint32_t)i / 2;
		view.status->wait_until_ms = i == 2 ? INT64_MAX : 0;
		assert_int_equal(commit_now(fixture, creation(&view)), 0);
		if (i == 3)
			move(fixture, &view, JOB_STATE_RUNNING);
		job_view_finish(&view);
	}
	fixture_reopen(fixture);
	assert_int_equal(store_load_queued_providers(fixture->store, count_provider, &counts), 0);
	assert_int_equal(counts.heygen, 3);
	assert_int_equal(counts.veo, 1);
	assert_int_equal(counts.others, 0);
}

enum { N_RACED = 600 };

struct race {
	struct fixture *fixture;
	struct job_view views[N_RACED];
	struct ticket tickets[N_RACED];
};

static void *put_raced_jobs(void *userdata)
{
	struct race *race = userdata;

	for (int i = 0; i < N_RACED; i++) {
		submit(&race->tickets[i], race->fixture, creation(&race->views[i]));
		if (i % 7 == 6)
			await(&race->tickets[i]);
	}
	return NULL;
}

/* Starts the job that a scan has found; the creator has let go of it by then. */
static void start_found(struct race *race, const struct store_queued *found)
{
	for (int i = 0; i < N_RACED; i++)
		if (job_ref_equal(&race->views[i].job->ref, &found->ref)) {
			move(race->fixture, &race->views[i], JOB_STATE_RUNNING);
			return;
		}
	fail();
}

/* The front of the queue is emptied and refilled at once; a job that the front has passed would never be found. */
static void no_job_is_overlooked_while_others_are_put_and_started(void **state)
{
	struct race *race = calloc(1, sizeof(*race));
	time_t deadline = time(NULL) + 60;
	pthread_t thread;
	size_t found = 0;

	race->fixture = *state;
	for (int i = 0; i < N_RACED; i++) {
		race->views[i] = make_job(race->fixture);
		race->views[i].status->priority = (i * 37) % 11;
	}
	assert_int_equal(pthread_create(&thread, NULL, put_raced_jobs, race), 0);
	while (found < N_RACED && time(NULL) < deadline) {
		struct answer answer;

		scan_queue(race->fixture, "heygen", 0, 3, &answer);
		for (size_t i = 0; i < answer.n; i++, found++)
			start_found(race, &answer.queued[i]);
		free_answer(&answer);
	}
	assert_int_equal(found, N_RACED);
	pthread_join(thread, NULL);
	for (int i = 0; i < N_RACED; i++) {
		assert_int_equal(await(&race->tickets[i]), 0);
		finish(&race->tickets[i]);
		job_view_finish(&race->views[i]);
	}
	free(race);
}

/* ---- the oldest ---- */

struct oldest {
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	bool is_there;
	int outcome;
	int64_t since_ms[4];
};

static void on_oldest(void *userdata, int outcome, const int64_t *since_ms, size_t n)
{
	struct oldest *oldest = userdata;

	pthread_mutex_lock(&oldest->mutex);
	oldest->outcome = outcome;
	if (n)
		memcpy(oldest->since_ms, since_ms, n * sizeof(*since_ms));
	oldest->is_there = true;
	pthread_cond_signal(&oldest->changed);
	pthread_mutex_unlock(&oldest->mutex);
}

/* Of "heygen" and of nobody, at @now_ms. */
static int64_t oldest_of_heygen(struct fixture *fixture, int64_t now_ms)
{
	static const char *const providers[] = {"nobody", "heygen", "heygenx"};
	struct oldest oldest = {.mutex = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

	store_find_oldest(fixture->store, providers, 3, now_ms, on_oldest, &oldest);
	pthread_mutex_lock(&oldest.mutex);
	while (!oldest.is_there)
		pthread_cond_wait(&oldest.changed, &oldest.mutex);
	pthread_mutex_unlock(&oldest.mutex);
	assert_int_equal(oldest.outcome, 0);
	assert_int_equal(oldest.since_ms[0], 0);
	assert_int_equal(oldest.since_ms[2], 0);
	return oldest.since_ms[1];
}

static void the_longest_ready_job_is_found_whatever_its_priority(void **state)
{
	struct fixture *fixture = *state;
	int32_t priorities[] = {JOB_PRIORITY_MIN, 0, JOB_PRIORITY_MAX, 7};
	struct job_view views[4];
	int64_t until_ms;

	assert_int_equal(oldest_of_heygen(fixture, fixture->now_ms), 0);
	for (size_t i = 0; i < 4; i++) {
		views[i] = put_job(fixture);
		assert_int_equal(commit_now(fixture, revision(fixture, &views[i], set_priority, &priorities[i])), 0);
	}
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(oldest_of_heygen(fixture, fixture->now_ms), views[i].job->created_ms);
		move(fixture, &views[i], JOB_STATE_PREPARING);
	}
	/* One that waits counts from the end of its wait. */
	until_ms = views[3].job->created_ms + 5000;
	assert_int_equal(commit_now(fixture, revision(fixture, &views[3], set_wait, &until_ms)), 0);
	assert_int_equal(oldest_of_heygen(fixture, until_ms - 1), 0);
	assert_int_equal(oldest_of_heygen(fixture, until_ms + 9), until_ms);
	for (size_t i = 0; i < 4; i++)
		job_view_finish(&views[i]);
}

static void each_synced_write_is_measured(void **state)
{
	struct fixture *fixture = *state;
	struct store_figures before, after;
	struct ticket tickets[3];
	struct job_view views[3];

	store_read_figures(fixture->store, &before);
	views[0] = put_job(fixture);
	hold(fixture);
	for (size_t i = 1; i < 3; i++)
		views[i] = make_job(fixture);
	submit(&tickets[0], fixture, revision(fixture, &views[0], NULL, NULL));
	for (size_t i = 1; i < 3; i++)
		submit(&tickets[i], fixture, creation(&views[i]));
	release(fixture);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(await(&tickets[i]), 0);
		finish(&tickets[i]);
		job_view_finish(&views[i]);
	}
	store_read_figures(fixture->store, &after);
	assert_int_equal(after.commits.sum - before.commits.sum, 4);
	assert_int_equal(after.commits.n - before.commits.n, 2);
	assert_int_equal(after.write_ms.n, after.commits.n);
}

#define STORE_TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		STORE_TEST(indexes_follow_a_job_through_every_pair_of_states),
		STORE_TEST(a_job_that_waits_appears_when_its_wait_has_ended),
		STORE_TEST(the_highest_priority_comes_first_and_then_the_oldest),
		STORE_TEST(none_waits_for_what_comes_much_later),
		STORE_TEST(the_front_is_the_front_of_all),
		STORE_TEST(every_priority_is_found_again_after_a_restart),
		STORE_TEST(waited_and_foreign_jobs_are_sorted_in),
		STORE_TEST(deadlines_come_in_their_order_and_the_next_is_named),
		STORE_TEST(more_due_jobs_than_one_scan_sorts_are_announced),
		STORE_TEST(active_jobs_are_loaded_whole_at_the_start),
		STORE_TEST(no_job_is_overlooked_while_others_are_put_and_started),
		STORE_TEST(the_longest_ready_job_is_found_whatever_its_priority),
		STORE_TEST(each_synced_write_is_measured),
		STORE_TEST(providers_with_queued_jobs_are_counted_at_the_start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
