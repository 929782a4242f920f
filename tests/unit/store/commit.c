#include "base/limits.h"
#include "store/fixture.h"

#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>

static void a_committed_job_is_read_back(void **state)
{
	struct fixture *fixture = *state;
	struct job_view view = put_job(fixture);
	struct answer answer;

	get_job(fixture, &view.job->ref, &answer);
	assert_int_equal(answer.outcome, 0);
	assert_same_job(answer.view.job, view.job);
	assert_same_status(answer.view.status, view.status);
	free_answer(&answer);
	job_view_finish(&view);
}

static void a_job_that_is_not_there_is_not_found(void **state)
{
	struct fixture *fixture = *state;
	struct job_ref ref = {.tenant = JOB_TENANT_DEFAULT, .id = id_new(FIXTURE_NOW)};
	struct answer answer;

	get_job(fixture, &ref, &answer);
	assert_int_equal(answer.outcome, STORE_E_NOT_FOUND);
	free_answer(&answer);
}

static void add_lists(struct job_status *status, void *userdata)
{
	struct digest *sha256 = userdata;

	*job_add_attempt(status) = (struct job_attempt){.number = 1, .started_ms = 5};
	*job_add_send(status) = (struct job_send){.attempt = 1, .number = 1, .class = JOB_SEND_ACCEPTED};
	*job_add_send(status) = (struct job_send){.attempt = 1, .number = 2};
	*job_add_remote(status) = (struct job_remote){.attempt = 1, .index = 0};
	*job_add_artifact(status) = (struct job_artifact){.index = 1, .size_bytes = 9, .sha256 = *sha256};
}

/* A job with everything that a job can have, committed. */
static struct job_view put_rich_job(struct fixture *fixture, struct digest *sha256)
{
	struct job_view view = put_job(fixture);
	struct store_commit *commit = revision(fixture, &view, add_lists, sha256);
	const struct job_ref *ref = &view.job->ref;

	store_commit_put_attempt(commit, ref, &view.status->attempts[0]);
	store_commit_put_send(commit, ref, &view.status->sends[0]);
	store_commit_put_send(commit, ref, &view.status->sends[1]);
	store_commit_put_remote(commit, ref, &view.status->remotes[0]);
	store_commit_put_artifact(commit, ref, &view.status->artifacts[0]);
	store_commit_put_reply(commit, ref, 1, 2, bytes_of_text("{\"status\":200}"), bytes_of("a\0b", 3));
	assert_int_equal(commit_now(fixture, commit), 0);
	return view;
}

static void attempts_sends_remotes_artifacts_and_replies_are_records_of_their_own(void **state)
{
	struct fixture *fixture = *state;
	struct digest sha256 = digest_of(bytes_of_text("video"));
	struct job_view view = put_rich_job(fixture, &sha256);
	struct store_commit *commit;
	struct answer answer;

	get_job(fixture, &view.job->ref, &answer);
	assert_same_status(answer.view.status, view.status);
	free_answer(&answer);

	view.status->sends[1].class = JOB_SEND_AMBIGUOUS;
	commit = revision(fixture, &view, NULL, NULL);
	store_commit_put_send(commit, &view.job->ref, &view.status->sends[1]);
	assert_int_equal(commit_now(fixture, commit), 0);
	fixture_reopen(fixture);
	get_job(fixture, &view.job->ref, &answer);
	assert_same_status(answer.view.status, view.status);
	free_answer(&answer);

	get_reply(fixture, &view.job->ref, 1, 2, &answer);
	assert_int_equal(answer.outcome, 0);
	assert_string_equal(answer.meta, "{\"status\":200}");
	assert_int_equal(answer.body_len, 3);
	assert_memory_equal(answer.body, "a\0b", 3);
	free_answer(&answer);
	get_reply(fixture, &view.job->ref, 1, 1, &answer);
	assert_int_equal(answer.outcome, STORE_E_NOT_FOUND);
	free_answer(&answer);
	job_view_finish(&view);
}

static void a_commit_with_another_revision_than_the_current_one_changes_nothing(void **state)
{
	struct fixture *fixture = *state;
	struct job_view view = put_job(fixture), stale = {.job = job_copy(view.job)};
	struct answer answer;

	stale.status = job_status_copy(view.status);
	move(fixture, &view, JOB_STATE_PREPARING);
	assert_int_equal(commit_now(fixture, revision(fixture, &stale, NULL, NULL)), STORE_E_CONFLICT);
	assert_int_equal(commit_now(fixture, creation(&view)), STORE_E_REQUEST_EXISTS);
	get_job(fixture, &view.job->ref, &answer);
	assert_same_status(answer.view.status, view.status);
	free_answer(&answer);
	events_of_job(fixture, &view.job->ref, 0, &answer);
	assert_int_equal(answer.n, 2);
	free_answer(&answer);
	job_view_finish(&stale);
	job_view_finish(&view);
}

static void a_job_that_should_be_absent_and_is_there_conflicts(void **state)
{
	struct fixture *fixture = *state;
	struct job_view view = put_job(fixture);

	job_set_text(&view.job->request_id, "another");
	assert_int_equal(commit_now(fixture, creation(&view)), STORE_E_CONFLICT);
	job_view_finish(&view);
}

static void a_taken_request_id_names_the_job_that_has_it(void **state)
{
	struct fixture *fixture = *state;
	struct job_view first = put_job(fixture), second = make_job(fixture);
	const struct store_request *found;
	struct ticket ticket;

	job_set_text(&second.job->request_id, first.job->request_id);
	submit(&ticket, fixture, creation(&second));
	assert_int_equal(await(&ticket), STORE_E_REQUEST_EXISTS);
	found = store_commit_found(ticket.commit);
	assert_non_null(found);
	assert_true(job_ref_equal(&found->ref, &first.job->ref));
	assert_memory_equal(&found->digest, &first.job->request_digest, sizeof(found->digest));
	assert_false(found->deleted);
	assert_null(store_commit_event(ticket.commit));
	finish(&ticket);

	second.job->ref.tenant = 2;
	assert_int_equal(commit_now(fixture, creation(&second)), 0);
	job_view_finish(&first);
	job_view_finish(&second);
}

static void who_owns_a_request_id_can_be_asked(void **state)
{
	struct fixture *fixture = *state;
	struct job_view view = put_job(fixture);
	char *long_id = calloc(1, LIMIT_STORE_REQUEST_ID + 2);
	struct answer answer;

	get_request(fixture, view.job->ref.tenant, view.job->request_id, &answer);
	assert_int_equal(answer.outcome, 0);
	assert_true(job_ref_equal(&answer.request.ref, &view.job->ref));
	assert_memory_equal(&answer.request.digest, &view.job->request_digest, sizeof(answer.request.digest));
	assert_false(answer.request.deleted);
	free_answer(&answer);

	get_request(fixture, 2, view.job->request_id, &answer);
	assert_int_equal(answer.outcome, STORE_E_NOT_FOUND);
	free_answer(&answer);
	memset(long_id, 'x', LIMIT_STORE_REQUEST_ID + 1);
	get_request(fixture, view.job->ref.tenant, long_id, &answer);
	assert_int_equal(answer.outcome, -EMSGSIZE);
	free_answer(&answer);
	free(long_id);

	move(fixture, &view, JOB_STATE_CANCELLED);
	assert_int_equal(commit_now(fixture, deletion(fixture, &view)), 0);
	get_request(fixture, view.job->ref.tenant, view.job->request_id, &answer);
	assert_int_equal(answer.outcome, 0);
	assert_true(answer.request.deleted);
	free_answer(&answer);
	job_view_finish(&view);
}

static void two_commits_of_one_batch_cannot_claim_the_same_request_id(void **state)
{
	struct fixture *fixture = *state;
	struct job_view first = make_job(fixture), second = make_job(fixture);
	struct ticket a, b;

	job_set_text(&second.job->request_id, first.job->request_id);
	hold(fixture);
	submit(&a, fixture, creation(&first));
	submit(&b, fixture, creation(&second));
	release(fixture);
	assert_int_equal(await(&a), 0);
	assert_int_equal(await(&b), STORE_E_REQUEST_EXISTS);
	assert_int_equal(fixture->largest_batch, 2);
	assert_true(job_ref_equal(&store_commit_found(b.commit)->ref, &first.job->ref));
	assert_false(store_commit_found(b.commit)->deleted);
	finish(&a);
	finish(&b);
	job_view_finish(&first);
	job_view_finish(&second);
}

static void a_commit_sees_the_revisions_of_earlier_ones_in_its_batch(void **state)
{
	struct fixture *fixture = *state;
	struct job_view view = make_job(fixture), stale = {.job = job_copy(view.job)};
	struct ticket tickets[4];
	struct answer answer;

	stale.status = job_status_copy(view.status);
	hold(fixture);
	submit(&tickets[0], fixture, creation(&view));
	submit(&tickets[1], fixture, revision(fixture, &view, NULL, NULL));
	submit(&tickets[2], fixture, revision(fixture, &stale, NULL, NULL));
	submit(&tickets[3], fixture, revision(fixture, &view, NULL, NULL));
	release(fixture);
	assert_int_equal(await(&tickets[0]), 0);
	assert_int_equal(await(&tickets[1]), 0);
	assert_int_equal(await(&tickets[2]), STORE_E_CONFLICT);
	assert_int_equal(await(&tickets[3]), 0);
	assert_int_equal(fixture->largest_batch, 4);
	assert_int_equal(store_commit_event(tickets[3].commit)->revision, 3);
	for (int i = 0; i < 4; i++)
		finish(&tickets[i]);
	get_job(fixture, &view.job->ref, &answer);
	assert_same_status(answer.view.status, view.status);
	free_answer(&answer);
	job_view_finish(&stale);
	job_view_finish(&view);
}

/* Refused itself, so what it would have written is no ground for refusing the next. */
static void a_refused_commit_leaves_no_trace_in_its_batch(void **state)
{
	struct fixture *fixture = *state;
	struct job_view taken = put_job(fixture), refused, next = make_job(fixture);
	struct ticket a, b;

	refused = (struct job_view){.job = job_copy(taken.job), .status = job_status_copy(taken.status)};
	job_set_text(&refused.job->request_id, "free");
	job_set_text(&next.job->request_id, "free");
	hold(fixture);
	submit(&a, fixture, creation(&refused));
	submit(&b, fixture, creation(&next));
	release(fixture);
	assert_int_equal(await(&a), STORE_E_CONFLICT);
	assert_int_equal(await(&b), 0);
	finish(&a);
	finish(&b);
	job_view_finish(&taken);
	job_view_finish(&refused);
	job_view_finish(&next);
}

static void a_deleted_job_leaves_only_its_request_id_and_its_events(void **state)
{
	struct fixture *fixture = *state;
	struct digest sha256 = digest_of(bytes_of_text("video"));
	struct job_view view = put_rich_job(fixture, &sha256), again = make_job(fixture);
	struct ticket ticket;
	struct answer answer;

	assert_true(is_referenced(fixture, &sha256));
	assert_int_equal(commit_now(fixture, deletion(fixture, &view)), 0);
	assert_false(is_referenced(fixture, &sha256));
	get_job(fixture, &view.job->ref, &answer);
	assert_int_equal(answer.outcome, STORE_E_NOT_FOUND);
	free_answer(&answer);
	get_reply(fixture, &view.job->ref, 1, 2, &answer);
	assert_int_equal(answer.outcome, STORE_E_NOT_FOUND);
	free_answer(&answer);
	scan_queue(fixture, "heygen", INT64_MAX, 10, &answer);
	assert_int_equal(answer.n, 0);
	free_answer(&answer);
	scan_deadlines(fixture, INT64_MAX, 10, &answer);
	assert_int_equal(answer.n, 0);
	free_answer(&answer);

	job_set_text(&again.job->request_id, view.job->request_id);
	submit(&ticket, fixture, creation(&again));
	assert_int_equal(await(&ticket), STORE_E_REQUEST_EXISTS);
	assert_true(store_commit_found(ticket.commit)->deleted);
	assert_true(job_ref_equal(&store_commit_found(ticket.commit)->ref, &view.job->ref));
	finish(&ticket);
	assert_int_equal(commit_now(fixture, revision(fixture, &view, NULL, NULL)), STORE_E_CONFLICT);
	job_view_finish(&view);
	job_view_finish(&again);
}

static void an_artifact_is_referenced_while_any_job_of_any_tenant_names_it(void **state)
{
	struct fixture *fixture = *state;
	struct digest sha256 = digest_of(bytes_of_text("shared"));
	struct job_view a = put_rich_job(fixture, &sha256), b = make_job(fixture);
	struct job_artifact artifact = {.index = 1, .sha256 = sha256};
	struct store_commit *commit;

	b.job->ref.tenant = UINT32_MAX;
	commit = creation(&b);
	*job_add_artifact(b.status) = artifact;
	store_commit_put_artifact(commit, &b.job->ref, &artifact);
	assert_int_equal(commit_now(fixture, commit), 0);
	assert_int_equal(commit_now(fixture, deletion(fixture, &a)), 0);
	assert_true(is_referenced(fixture, &sha256));
	assert_int_equal(commit_now(fixture, deletion(fixture, &b)), 0);
	assert_false(is_referenced(fixture, &sha256));
	job_view_finish(&a);
	job_view_finish(&b);
}

static void a_commit_fits_up_to_its_limit(void **state)
{
	struct fixture *fixture = *state;
	struct job_view view = put_job(fixture);
	size_t size = LIMIT_STORE_COMMIT_BYTES - 4096;
	char *body = calloc(1, LIMIT_STORE_COMMIT_BYTES);
	struct store_commit *commit = revision(fixture, &view, NULL, NULL);
	struct answer answer;

	assert_int_equal(
		store_commit_put_reply(commit, &view.job->ref, 1, 1, bytes_of_text("{}"), bytes_of(body, size)), 0);
	assert_int_equal(commit_now(fixture, commit), 0);
	get_reply(fixture, &view.job->ref, 1, 1, &answer);
	assert_int_equal(answer.body_len, size);
	free_answer(&answer);

	commit = revision(fixture, &view, NULL, NULL);
	size = LIMIT_STORE_COMMIT_BYTES;
	assert_int_equal(store_commit_put_reply(commit, &view.job->ref, 1, 2, bytes_of_text("{}"),
						bytes_of(body, size)),
			 -EMSGSIZE);
	assert_int_equal(commit_now(fixture, commit), -EMSGSIZE);
	get_reply(fixture, &view.job->ref, 1, 2, &answer);
	assert_int_equal(answer.outcome, STORE_E_NOT_FOUND);
	free_answer(&answer);
	get_job(fixture, &view.job->ref, &answer);
	assert_int_equal(answer.view.status->revision, 2);
	free_answer(&answer);
	free(body);
	job_view_finish(&view);
}

static void a_commit_touches_so_many_jobs_and_no_more(void **state)
{
	struct fixture *fixture = *state;
	struct store_commit *commit = store_commit_new(), *more = store_commit_new();

	for (int i = 0; i <= LIMIT_STORE_COMMIT_JOBS; i++) {
		struct job_view view = make_job(fixture);

		if (i < LIMIT_STORE_COMMIT_JOBS) {
			store_commit_expect_revision(commit, &view.job->ref, 0);
			store_commit_put_job(commit, view.job);
			store_commit_put_status(commit, view.job, NULL, view.status);
		}
		store_commit_expect_revision(more, &view.job->ref, 0);
		job_view_finish(&view);
	}
	assert_int_equal(commit_now(fixture, commit), 0);
	assert_int_equal(commit_now(fixture, more), -E2BIG);
}

static void a_request_id_beyond_its_limit_poisons_the_commit(void **state)
{
	struct fixture *fixture = *state;
	struct job_view view = make_job(fixture);
	char text[LIMIT_STORE_REQUEST_ID + 2] = "";
	struct store_commit *commit = store_commit_new();

	memset(text, 'r', LIMIT_STORE_REQUEST_ID + 1);
	job_set_text(&view.job->request_id, text);
	assert_int_equal(store_commit_claim_request(commit, view.job), -EMSGSIZE);
	assert_int_equal(commit_now(fixture, commit), -EMSGSIZE);
	text[LIMIT_STORE_REQUEST_ID] = '\0';
	job_set_text(&view.job->request_id, text);
	assert_int_equal(commit_now(fixture, creation(&view)), 0);
	job_view_finish(&view);
}

static void a_batch_takes_so_many_commits_in_their_order(void **state)
{
	enum { N = 2 * LIMIT_STORE_BATCH_COMMITS + 10 };
	struct fixture *fixture = *state;
	struct ticket *tickets = calloc(N, sizeof(*tickets));
	uint64_t last = 0;
	size_t before;

	hold(fixture);
	before = fixture->n_batches;
	for (size_t i = 0; i < N; i++) {
		struct job_view view = make_job(fixture);

		submit(&tickets[i], fixture, creation(&view));
		job_view_finish(&view);
	}
	release(fixture);
	for (size_t i = 0; i < N; i++) {
		assert_int_equal(await(&tickets[i]), 0);
		assert_true(store_commit_event(tickets[i].commit)->sequence > last);
		last = store_commit_event(tickets[i].commit)->sequence;
		finish(&tickets[i]);
	}
	assert_int_equal(fixture->largest_batch, LIMIT_STORE_BATCH_COMMITS);
	assert_int_equal(fixture->n_batches - before, 3);
	assert_int_equal(store_tail(fixture->store), last);
	free(tickets);
}

static void a_batch_takes_so_many_bytes_and_a_larger_commit_alone(void **state)
{
	static const size_t sizes[] = {LIMIT_STORE_BATCH_BYTES + 1, LIMIT_STORE_BATCH_BYTES / 2 - 4096,
				       LIMIT_STORE_BATCH_BYTES / 2 - 4096, LIMIT_STORE_BATCH_BYTES};
	struct fixture *fixture = *state;
	char *body = calloc(1, LIMIT_STORE_BATCH_BYTES + 1);
	struct ticket tickets[4];
	size_t before;

	hold(fixture);
	before = fixture->n_batches;
	for (size_t i = 0; i < 4; i++) {
		struct job_view view = make_job(fixture);
		struct store_commit *commit = creation(&view);

		store_commit_put_reply(commit, &view.job->ref, 1, 1, bytes_of(NULL, 0), bytes_of(body, sizes[i]));
		submit(&tickets[i], fixture, commit);
		job_view_finish(&view);
	}
	release(fixture);
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(await(&tickets[i]), 0);
		finish(&tickets[i]);
	}
	assert_int_equal(fixture->n_batches - before, 3);
	assert_int_equal(fixture->largest_batch, 2);
	free(body);
}

struct writer {
	pthread_t thread;
	struct fixture *fixture;
	struct job_view views[20];
	int failures;
};

static void *write_jobs(void *userdata)
{
	struct writer *writer = userdata;

	for (int i = 0; i < 20; i++) {
		struct job_view *view = &writer->views[i];
		struct answer answer;

		writer->failures += commit_now(writer->fixture, creation(view)) != 0;
		get_job(writer->fixture, &view->job->ref, &answer);
		writer->failures += answer.outcome != 0;
		free_answer(&answer);
		writer->failures += !store_is_healthy(writer->fixture->store);
	}
	return NULL;
}

static void many_threads_submit_and_read_at_once(void **state)
{
	struct fixture *fixture = *state;
	struct writer writers[8] = {0};
	struct answer answer;

	for (int i = 0; i < 8; i++) {
		writers[i].fixture = fixture;
		for (int k = 0; k < 20; k++)
			writers[i].views[k] = make_job(fixture);
	}
	for (int i = 0; i < 8; i++)
		assert_int_equal(pthread_create(&writers[i].thread, NULL, write_jobs, &writers[i]), 0);
	for (int i = 0; i < 8; i++) {
		pthread_join(writers[i].thread, NULL);
		assert_int_equal(writers[i].failures, 0);
		for (int k = 0; k < 20; k++)
			job_view_finish(&writers[i].views[k]);
	}
	list_jobs(fixture, &(struct store_list_query){.tenant = JOB_TENANT_DEFAULT}, &answer);
	assert_int_equal(answer.n, 160);
	free_answer(&answer);
}

/* A true failing disk: files may not grow any more, so the log cannot be written. */
static void a_failed_write_is_done_or_refused_when_the_disk_takes_it(void **state)
{
	struct fixture *fixture = *state;
	struct job_view kept = put_job(fixture), lost = make_job(fixture), late = make_job(fixture);
	struct rlimit limit = {.rlim_cur = 0, .rlim_max = RLIM_INFINITY};
	char *body = calloc(1, 1 << 19);
	struct store_commit *commit = creation(&lost), *change;
	struct ticket a, b;
	struct answer answer;

	signal(SIGXFSZ, SIG_IGN);
	store_commit_put_reply(commit, &lost.job->ref, 1, 1, bytes_of(NULL, 0), bytes_of(body, 1 << 19));
	assert_true(store_is_healthy(fixture->store));
	hold(fixture);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	submit(&a, fixture, commit);
	change = revision(fixture, &kept, NULL, NULL);
	store_commit_be_patient(change);
	submit(&b, fixture, change);
	release(fixture);
	await_trouble(fixture, 1);
	assert_false(store_is_healthy(fixture->store));
	assert_int_equal(commit_now(fixture, creation(&late)), STORE_E_UNHEALTHY);
	assert_null(a.commit);
	assert_null(b.commit);
	get_job(fixture, &kept.job->ref, &answer);
	assert_int_equal(answer.outcome, 0);
	assert_int_equal(answer.view.status->revision, 1);
	free_answer(&answer);
	limit.rlim_cur = RLIM_INFINITY;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);

	assert_int_equal(await(&a), STORE_E_UNHEALTHY);
	assert_null(store_commit_event(a.commit));
	assert_int_equal(await(&b), 0);
	assert_non_null(store_commit_event(b.commit));
	finish(&a);
	finish(&b);
	await_health(fixture, true);
	get_job(fixture, &kept.job->ref, &answer);
	assert_int_equal(answer.view.status->revision, 2);
	free_answer(&answer);
	get_job(fixture, &lost.job->ref, &answer);
	assert_int_equal(answer.outcome, STORE_E_NOT_FOUND);
	free_answer(&answer);
	get_job(fixture, &late.job->ref, &answer);
	assert_int_equal(answer.outcome, STORE_E_NOT_FOUND);
	free_answer(&answer);
	assert_int_equal(commit_now(fixture, creation(&lost)), 0);
	assert_int_equal(commit_now(fixture, creation(&late)), 0);
	free(body);
	job_view_finish(&kept);
	job_view_finish(&lost);
	job_view_finish(&late);
}

#define STORE_TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		STORE_TEST(a_committed_job_is_read_back),
		STORE_TEST(a_job_that_is_not_there_is_not_found),
		STORE_TEST(attempts_sends_remotes_artifacts_and_replies_are_records_of_their_own),
		STORE_TEST(a_commit_with_another_revision_than_the_current_one_changes_nothing),
		STORE_TEST(a_job_that_should_be_absent_and_is_there_conflicts),
		STORE_TEST(who_owns_a_request_id_can_be_asked),
		STORE_TEST(a_taken_request_id_names_the_job_that_has_it),
		STORE_TEST(two_commits_of_one_batch_cannot_claim_the_same_request_id),
		STORE_TEST(a_commit_sees_the_revisions_of_earlier_ones_in_its_batch),
		STORE_TEST(a_refused_commit_leaves_no_trace_in_its_batch),
		STORE_TEST(a_deleted_job_leaves_only_its_request_id_and_its_events),
		STORE_TEST(an_artifact_is_referenced_while_any_job_of_any_tenant_names_it),
		STORE_TEST(a_commit_fits_up_to_its_limit),
		STORE_TEST(a_commit_touches_so_many_jobs_and_no_more),
		STORE_TEST(a_request_id_beyond_its_limit_poisons_the_commit),
		STORE_TEST(a_batch_takes_so_many_commits_in_their_order),
		STORE_TEST(a_batch_takes_so_many_bytes_and_a_larger_commit_alone),
		STORE_TEST(many_threads_submit_and_read_at_once),
		STORE_TEST(a_failed_write_is_done_or_refused_when_the_disk_takes_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
