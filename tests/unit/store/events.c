#include "base/limits.h"
#include "store/backend.h"
#include "store/fixture.h"

#include <stdio.h>

static void assert_event(const struct store_event *event, const struct job_view *view, uint64_t revision,
			 enum job_event kind)
{
	struct store_snapshot *snapshot;

	assert_true(job_ref_equal(&event->ref, &view->job->ref));
	assert_int_equal(event->revision, revision);
	assert_int_equal(event->kind, kind);
	assert_int_equal(store_event_read(event, &snapshot), 0);
	assert_int_equal(snapshot->status->revision, revision);
	assert_int_equal(snapshot->status->updated_ms, event->time_ms);
	assert_int_equal(snapshot->sequence, event->sequence);
	assert_string_equal(snapshot->provider, view->job->provider);
	store_snapshot_free(snapshot);
}

static void a_reported_commit_carries_its_event(void **state)
{
	struct fixture *fixture = *state;
	struct job_view view = make_job(fixture);
	struct ticket ticket;

	submit(&ticket, fixture, creation(&view));
	assert_int_equal(await(&ticket), 0);
	assert_event(store_commit_event(ticket.commit), &view, 1, JOB_EVENT_CREATED);
	assert_int_equal(store_commit_event(ticket.commit)->sequence, store_tail(fixture->store));
	finish(&ticket);
	job_view_finish(&view);
}

static void a_job_has_an_event_for_each_revision(void **state)
{
	struct fixture *fixture = *state;
	struct job_view view = put_job(fixture), other = put_job(fixture);
	struct answer answer;

	move(fixture, &view, JOB_STATE_PREPARING);
	move(fixture, &other, JOB_STATE_PREPARING);
	move(fixture, &view, JOB_STATE_STARTING);
	fixture_reopen(fixture);
	events_of_job(fixture, &view.job->ref, 0, &answer);
	assert_int_equal(answer.outcome, 0);
	assert_int_equal(answer.n, 3);
	for (uint64_t i = 0; i < 3; i++)
		assert_event(&answer.events[i], &view, i + 1, i ? JOB_EVENT_STATE : JOB_EVENT_CREATED);
	free_answer(&answer);
	events_of_job(fixture, &view.job->ref, 2, &answer);
	assert_int_equal(answer.n, 1);
	assert_int_equal(answer.events[0].revision, 3);
	free_answer(&answer);
	events_of_job(fixture, &view.job->ref, 3, &answer);
	assert_int_equal(answer.outcome, 0);
	assert_int_equal(answer.n, 0);
	free_answer(&answer);
	job_view_finish(&view);
	job_view_finish(&other);
}

static void events_of_a_tenant_come_in_the_order_of_their_commits(void **state)
{
	struct fixture *fixture = *state;
	struct job_view views[3], foreign = make_job(fixture);
	struct answer answer;
	uint64_t middle;

	views[0] = put_job(fixture);
	foreign.job->ref.tenant = 2;
	assert_int_equal(commit_now(fixture, creation(&foreign)), 0);
	views[1] = put_job(fixture);
	move(fixture, &views[0], JOB_STATE_PREPARING);
	views[2] = put_job(fixture);

	events_since(fixture, JOB_TENANT_DEFAULT, 0, 0, &answer);
	assert_int_equal(answer.outcome, 0);
	assert_int_equal(answer.n, 4);
	assert_event(&answer.events[0], &views[0], 1, JOB_EVENT_CREATED);
	assert_event(&answer.events[1], &views[1], 1, JOB_EVENT_CREATED);
	assert_event(&answer.events[2], &views[0], 2, JOB_EVENT_STATE);
	assert_event(&answer.events[3], &views[2], 1, JOB_EVENT_CREATED);
	assert_int_equal(answer.tail, answer.events[3].sequence);
	assert_int_equal(answer.tail, store_tail(fixture->store));
	middle = answer.events[1].sequence;
	free_answer(&answer);

	events_since(fixture, JOB_TENANT_DEFAULT, middle, 1, &answer);
	assert_int_equal(answer.n, 1);
	assert_event(&answer.events[0], &views[0], 2, JOB_EVENT_STATE);
	free_answer(&answer);
	events_since(fixture, 2, 0, 0, &answer);
	assert_int_equal(answer.n, 1);
	free_answer(&answer);
	events_since(fixture, JOB_TENANT_DEFAULT, UINT64_MAX, 0, &answer);
	assert_int_equal(answer.outcome, 0);
	assert_int_equal(answer.n, 0);
	free_answer(&answer);
	for (int i = 0; i < 3; i++)
		job_view_finish(&views[i]);
	job_view_finish(&foreign);
}

static void a_deleted_job_keeps_its_events_and_ends_with_one(void **state)
{
	struct fixture *fixture = *state;
	struct job_view view = put_job(fixture);
	struct answer answer;

	assert_int_equal(commit_now(fixture, deletion(fixture, &view)), 0);
	events_of_job(fixture, &view.job->ref, 1, &answer);
	assert_int_equal(answer.outcome, 0);
	assert_int_equal(answer.n, 1);
	assert_event(&answer.events[0], &view, 2, JOB_EVENT_DELETED);
	free_answer(&answer);
	events_of_job(fixture, &view.job->ref, 2, &answer);
	assert_int_equal(answer.outcome, STORE_E_NOT_FOUND);
	free_answer(&answer);
	job_view_finish(&view);
}

static void a_job_that_never_was_has_no_events(void **state)
{
	struct fixture *fixture = *state;
	struct job_ref ref = {.tenant = JOB_TENANT_DEFAULT, .id = id_new(FIXTURE_NOW)};
	struct answer answer;

	events_of_job(fixture, &ref, 0, &answer);
	assert_int_equal(answer.outcome, STORE_E_NOT_FOUND);
	free_answer(&answer);
}

/* The committer trims between batches; a commit behind the trim shows that it is through. */
static void trim_now(struct fixture *fixture, int64_t before_ms, int64_t tombstones_before_ms)
{
	store_trim(fixture->store,
		   &(struct store_trim){.events_before_ms = before_ms, .tombstones_before_ms = tombstones_before_ms});
	for (int i = 0; i < 3; i++)
		assert_int_equal(commit_now(fixture, store_commit_new()), 0);
}

static void trimmed_events_are_gone_and_an_older_cursor_has_expired(void **state)
{
	struct fixture *fixture = *state;
	struct job_view old = put_job(fixture), running = put_job(fixture), young;
	uint64_t kept_from = store_tail(fixture->store);
	struct answer answer;

	young = put_job(fixture);
	move(fixture, &running, JOB_STATE_PREPARING);
	trim_now(fixture, young.status->updated_ms, 0);

	events_since(fixture, JOB_TENANT_DEFAULT, 0, 0, &answer);
	assert_int_equal(answer.outcome, STORE_E_CURSOR_EXPIRED);
	free_answer(&answer);
	events_since(fixture, JOB_TENANT_DEFAULT, kept_from - 1, 0, &answer);
	assert_int_equal(answer.outcome, STORE_E_CURSOR_EXPIRED);
	free_answer(&answer);
	events_since(fixture, JOB_TENANT_DEFAULT, kept_from, 0, &answer);
	assert_int_equal(answer.outcome, 0);
	assert_int_equal(answer.n, 2);
	assert_event(&answer.events[0], &young, 1, JOB_EVENT_CREATED);
	free_answer(&answer);

	events_of_job(fixture, &old.job->ref, 0, &answer);
	assert_int_equal(answer.outcome, STORE_E_CURSOR_EXPIRED);
	free_answer(&answer);
	events_of_job(fixture, &old.job->ref, 1, &answer);
	assert_int_equal(answer.outcome, 0);
	assert_int_equal(answer.n, 0);
	free_answer(&answer);
	events_of_job(fixture, &running.job->ref, 0, &answer);
	assert_int_equal(answer.outcome, STORE_E_CURSOR_EXPIRED);
	free_answer(&answer);
	events_of_job(fixture, &running.job->ref, 1, &answer);
	assert_int_equal(answer.n, 1);
	free_answer(&answer);
	job_view_finish(&old);
	job_view_finish(&running);
	job_view_finish(&young);
}

static void sequences_rise_although_every_event_is_trimmed(void **state)
{
	struct fixture *fixture = *state;
	struct job_view view = put_job(fixture), next;
	uint64_t tail = store_tail(fixture->store);

	trim_now(fixture, INT64_MAX, 0);
	fixture_reopen(fixture);
	assert_int_equal(store_tail(fixture->store), tail);
	next = put_job(fixture);
	assert_true(store_tail(fixture->store) > tail);
	tail = store_tail(fixture->store);
	fixture_reopen(fixture);
	assert_int_equal(store_tail(fixture->store), tail);
	job_view_finish(&view);
	job_view_finish(&next);
}

static void a_long_trim_goes_on_in_bites_until_all_is_gone(void **state)
{
	enum { N = LIMIT_STORE_TRIM + 100 };
	struct fixture *fixture = *state;
	struct ticket *tickets = calloc(N, sizeof(*tickets));
	struct answer answer;

	for (size_t i = 0; i < N; i++) {
		struct job_view view = make_job(fixture);

		submit(&tickets[i], fixture, creation(&view));
		job_view_finish(&view);
	}
	for (size_t i = 0; i < N; i++) {
		assert_int_equal(await(&tickets[i]), 0);
		finish(&tickets[i]);
	}
	trim_now(fixture, INT64_MAX, INT64_MAX);
	events_since(fixture, JOB_TENANT_DEFAULT, store_tail(fixture->store) - 1, 0, &answer);
	assert_int_equal(answer.outcome, STORE_E_CURSOR_EXPIRED);
	free_answer(&answer);
	list_jobs(fixture, &(struct store_list_query){.tenant = JOB_TENANT_DEFAULT, .limit = 5}, &answer);
	assert_int_equal(answer.n, 5);
	free_answer(&answer);
	free(tickets);
}

static int claim_again(struct fixture *fixture, const struct job_view *view)
{
	struct job_view again = make_job(fixture);
	int r;

	job_set_text(&again.job->request_id, view->job->request_id);
	r = commit_now(fixture, creation(&again));
	job_view_finish(&again);
	return r;
}

static void a_tombstone_keeps_its_request_id_until_it_is_trimmed(void **state)
{
	struct fixture *fixture = *state;
	struct job_view old = put_job(fixture), young = put_job(fixture), alive = put_job(fixture);

	assert_int_equal(commit_now(fixture, deletion(fixture, &old)), 0);
	assert_int_equal(commit_now(fixture, deletion(fixture, &young)), 0);
	trim_now(fixture, INT64_MAX, old.status->updated_ms);
	assert_int_equal(claim_again(fixture, &old), STORE_E_REQUEST_EXISTS);
	trim_now(fixture, 0, old.status->updated_ms + 1);
	fixture_reopen(fixture);
	assert_int_equal(claim_again(fixture, &old), 0);
	assert_int_equal(claim_again(fixture, &young), STORE_E_REQUEST_EXISTS);
	trim_now(fixture, 0, INT64_MAX);
	assert_int_equal(claim_again(fixture, &alive), STORE_E_REQUEST_EXISTS);
	job_view_finish(&old);
	job_view_finish(&young);
	job_view_finish(&alive);
}

static size_t count_keys(struct fixture *fixture)
{
	char records[PATH_MAX + 64];
	struct backend *backend;
	struct backend_cursor *cursor;
	struct errmsg msg;
	size_t n = 0;

	snprintf(records, sizeof(records), "%s/records", fixture->path);
	assert_int_equal(backend_open(records, BACKEND_WHOLE, &backend, &msg), 0);
	cursor = backend_cursor_new(backend, bytes_of(NULL, 0), bytes_of("\xff", 1));
	for (; backend_cursor_is_valid(cursor); backend_cursor_next(cursor))
		n++;
	backend_cursor_free(cursor);
	backend_close(backend);
	return n;
}

static void wait_and_label(struct job_status *status, void *userdata)
{
	(void)userdata;
	status->wait_until_ms = FIXTURE_NOW + 99;
	*job_add_attempt(status) = (struct job_attempt){.number = 1};
	*job_add_send(status) = (struct job_send){.attempt = 1, .number = 1};
	*job_add_remote(status) = (struct job_remote){.attempt = 1};
	*job_add_artifact(status) = (struct job_artifact){.index = 1};
}

/* The store's own record and the tenant's are all there is in the end. */
static void nothing_is_left_of_deleted_and_trimmed_jobs(void **state)
{
	struct fixture *fixture = *state;
	struct job_view view = put_job(fixture);
	struct store_commit *commit = revision(fixture, &view, wait_and_label, NULL);
	const struct job_ref *ref = &view.job->ref;

	store_commit_put_attempt(commit, ref, &view.status->attempts[0]);
	store_commit_put_send(commit, ref, &view.status->sends[0]);
	store_commit_put_remote(commit, ref, &view.status->remotes[0]);
	store_commit_put_artifact(commit, ref, &view.status->artifacts[0]);
	store_commit_put_reply(commit, ref, 1, 1, bytes_of_text("{}"), bytes_of_text("x"));
	assert_int_equal(commit_now(fixture, commit), 0);
	assert_int_equal(commit_now(fixture, deletion(fixture, &view)), 0);
	trim_now(fixture, INT64_MAX, INT64_MAX);
	fixture_close(fixture);
	assert_int_equal(count_keys(fixture), 2);
	job_view_finish(&view);
}

#define STORE_TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		STORE_TEST(a_reported_commit_carries_its_event),
		STORE_TEST(a_job_has_an_event_for_each_revision),
		STORE_TEST(events_of_a_tenant_come_in_the_order_of_their_commits),
		STORE_TEST(a_deleted_job_keeps_its_events_and_ends_with_one),
		STORE_TEST(a_job_that_never_was_has_no_events),
		STORE_TEST(trimmed_events_are_gone_and_an_older_cursor_has_expired),
		STORE_TEST(sequences_rise_although_every_event_is_trimmed),
		STORE_TEST(a_long_trim_goes_on_in_bites_until_all_is_gone),
		STORE_TEST(nothing_is_left_of_deleted_and_trimmed_jobs),
		STORE_TEST(a_tombstone_keeps_its_request_id_until_it_is_trimmed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
