#include "base/limits.h"
#include "store/fixture.h"

#include <semaphore.h>
#include <stdio.h>

#define N_JOBS 60

/* What one count says, from a reader's thread. */
struct counts {
	sem_t done;
	int outcome;
	uint64_t counts[_JOB_STATE_COUNT];
	bool partial;
};

/* Jobs whose provider, model, state and label follow from their number. */
static void put_jobs(struct fixture *fixture, struct job_view *views)
{
	static const struct job_label label = {(char *)"team", (char *)"film"};

	for (int i = 0; i < N_JOBS; i++) {
		views[i] = make_job(fixture);
		job_set_text(&views[i].job->provider, i % 2 ? "heygen" : "veo");
		job_set_text(&views[i].job->model, i % 3 ? "fast" : "fine");
		if (i % 5 == 0)
			job_set_labels(views[i].status, &label, 1);
		if (i % 4 == 0)
			views[i].status->state = JOB_STATE_SUCCEEDED;
		assert_int_equal(commit_now(fixture, creation(&views[i])), 0);
	}
}

static void finish_jobs(struct job_view *views)
{
	for (int i = 0; i < N_JOBS; i++)
		job_view_finish(&views[i]);
}

static bool is_same(const struct job_view *a, const struct job_view *b)
{
	return job_ref_equal(&a->job->ref, &b->job->ref);
}

static void jobs_are_listed_newest_first_with_all_their_records(void **state)
{
	struct fixture *fixture = *state;
	struct job_view views[3];
	struct store_commit *commit;
	struct answer answer;

	for (int i = 0; i < 3; i++) {
		views[i] = make_job(fixture);
		*job_add_attempt(views[i].status) = (struct job_attempt){.number = 1};
		commit = creation(&views[i]);
		store_commit_put_attempt(commit, &views[i].job->ref, &views[i].status->attempts[0]);
		assert_int_equal(commit_now(fixture, commit), 0);
	}
	list_jobs(fixture, &(struct store_list_query){.tenant = JOB_TENANT_DEFAULT}, &answer);
	assert_int_equal(answer.outcome, 0);
	assert_int_equal(answer.n, 3);
	assert_false(answer.flag);
	for (int i = 0; i < 3; i++) {
		assert_same_job(answer.views[i].job, views[2 - i].job);
		assert_same_status(answer.views[i].status, views[2 - i].status);
	}
	free_answer(&answer);
	list_jobs(fixture, &(struct store_list_query){.tenant = 2}, &answer);
	assert_int_equal(answer.n, 0);
	assert_false(answer.flag);
	free_answer(&answer);
	for (int i = 0; i < 3; i++)
		job_view_finish(&views[i]);
}

/* New jobs and changes of old ones between two pages move nothing on the pages that follow. */
static void pages_hold_every_job_once_while_others_arrive(void **state)
{
	struct fixture *fixture = *state;
	struct job_view views[N_JOBS], late;
	struct store_list_query query = {.tenant = JOB_TENANT_DEFAULT, .limit = 7};
	struct answer answer;
	size_t n = 0;
	bool has_more;

	put_jobs(fixture, views);
	do {
		list_jobs(fixture, &query, &answer);
		assert_int_equal(answer.outcome, 0);
		assert_true(answer.n == 7 || n + answer.n == N_JOBS);
		for (size_t i = 0; i < answer.n; i++, n++)
			assert_true(is_same(&answer.views[i], &views[N_JOBS - 1 - n]));
		query.after = answer.scanned_to;
		has_more = answer.flag;
		free_answer(&answer);
		late = put_job(fixture);
		move(fixture, &late, JOB_STATE_PREPARING);
		job_view_finish(&late);
	} while (has_more);
	assert_int_equal(n, N_JOBS);
	list_jobs(fixture, &query, &answer);
	assert_int_equal(answer.n, 0);
	assert_memory_equal(&answer.scanned_to, &query.after, sizeof(query.after));
	free_answer(&answer);
	finish_jobs(views);
}

/* All pages of a filter must give exactly the jobs that store_filter_matches() picks one by one. */
static void check_filter(struct fixture *fixture, const struct job_view *views, const struct store_filter *filter,
			 size_t expected)
{
	struct store_list_query query = {.tenant = JOB_TENANT_DEFAULT, .filter = filter, .limit = 4};
	size_t next = N_JOBS, found = 0;
	struct answer answer;
	bool has_more;

	do {
		list_jobs(fixture, &query, &answer);
		for (size_t i = 0; i < answer.n; i++, found++) {
			const struct job_view *view;

			do
				view = &views[--next];
			while (!store_filter_matches(filter, view->job->provider, view->job->model,
						     view->job->created_ms, view->status));
			assert_true(is_same(&answer.views[i], view));
		}
		query.after = answer.scanned_to;
		has_more = answer.flag;
		free_answer(&answer);
	} while (has_more);
	assert_int_equal(found, expected);
}

static void filters_pick_by_state_provider_model_label_and_time(void **state)
{
	static const char *const veo[] = {"veo"}, *const both[] = {"x", "fine"};
	static const struct store_label_filter film = {.key = "team", .value = "film"}, any = {.key = "team"},
					       other = {.key = "team", .value = "x"},
					       two[] = {{.key = "team"}, {.key = "town"}};
	struct fixture *fixture = *state;
	struct job_view views[N_JOBS];
	int64_t first_ms;

	put_jobs(fixture, views);
	first_ms = views[0].job->created_ms;
	check_filter(fixture, views, &(struct store_filter){0}, 60);
	check_filter(fixture, views, &(struct store_filter){.states = 1u << JOB_STATE_SUCCEEDED}, 15);
	check_filter(fixture, views,
		     &(struct store_filter){.states = 1u << JOB_STATE_SUCCEEDED | 1u << JOB_STATE_QUEUED}, 60);
	check_filter(fixture, views, &(struct store_filter){.states = 1u << JOB_STATE_UNCERTAIN}, 0);
	check_filter(fixture, views, &(struct store_filter){.providers = veo, .n_providers = 1}, 30);
	check_filter(fixture, views, &(struct store_filter){.models = both, .n_models = 2}, 20);
	check_filter(fixture, views, &(struct store_filter){.labels = &film, .n_labels = 1}, 12);
	check_filter(fixture, views, &(struct store_filter){.labels = &any, .n_labels = 1}, 12);
	check_filter(fixture, views, &(struct store_filter){.labels = &other, .n_labels = 1}, 0);
	check_filter(fixture, views, &(struct store_filter){.labels = two, .n_labels = 2}, 0);
	check_filter(fixture, views,
		     &(struct store_filter){.providers = veo, .n_providers = 1, .models = both, .n_models = 2}, 10);
	check_filter(fixture, views, &(struct store_filter){.created_from_ms = first_ms + 50}, 10);
	check_filter(fixture, views, &(struct store_filter){.created_to_ms = first_ms + 50}, 50);
	check_filter(fixture, views,
		     &(struct store_filter){.created_from_ms = first_ms + 1, .created_to_ms = first_ms + 2}, 1);
	finish_jobs(views);
}

/* ---- words ---- */

static size_t count_found(struct fixture *fixture, const char *const *words, size_t n)
{
	const struct store_filter filter = {.words = words, .n_words = n};
	struct store_list_query query = {.tenant = JOB_TENANT_DEFAULT, .filter = &filter, .limit = 100};
	struct answer answer;
	size_t found;

	list_jobs(fixture, &query, &answer);
	assert_int_equal(answer.outcome, 0);
	found = answer.n;
	free_answer(&answer);
	return found;
}

#define FOUND(...)                                               \
	count_found(fixture, (const char *const[]){__VA_ARGS__}, \
		    sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *))

static void words_are_looked_for_in_the_texts_of_a_job(void **state)
{
	static const struct job_label label = {(char *)"campaign", (char *)"Spring"};
	struct fixture *fixture = *state;
	struct job_view view = make_job(fixture);
	char id[ID_TEXT_SIZE];

	job_set_text(&view.job->provider, "veo");
	job_set_text(&view.job->model, "fine");
	job_set_text(&view.job->parameters,
		     "{\"prompt\":\"A \\\"red\\\" Kite\\\\\",\"media\":[{\"url\":\"https://h/Picture\"}],"
		     "\"seed\":4711,\"script\":{\"text\":\"\"}}");
	job_set_text(&view.status->display_name, "Caf\xc3\xa9 One");
	view.status->state = JOB_STATE_FAILED;
	view.status->failure.reason = JOB_REASON_MODERATED;
	job_set_text(&view.status->failure.provider_message, "quota is over");
	job_set_labels(view.status, &label, 1);
	assert_int_equal(commit_now(fixture, creation(&view)), 0);
	id_format(&view.job->ref.id, id);

	assert_int_equal(FOUND("kite"), 1);
	assert_int_equal(FOUND("kite", "caf\xc3\xa9", "spring", "campaign", "veo", "fine", "quota"), 1);
	assert_int_equal(FOUND("kite", "boat"), 0);
	assert_int_equal(FOUND("\\\"red\\\""), 1);
	assert_int_equal(FOUND("kite\\\\"), 1);
	assert_int_equal(FOUND("picture"), 1);
	assert_int_equal(FOUND(id), 1);
	/* Names of parameters, and numbers, are nobody's words. */
	assert_int_equal(FOUND("prompt"), 0);
	assert_int_equal(FOUND("seed"), 0);
	assert_int_equal(FOUND("4711"), 0);
	assert_int_equal(FOUND("kite\",\"media"), 0);
	job_view_finish(&view);
}

/* ---- counting ---- */

static void keep_counts(void *userdata, int outcome, const uint64_t counts[static _JOB_STATE_COUNT], bool partial)
{
	struct counts *kept = userdata;

	kept->outcome = outcome;
	memcpy(kept->counts, counts, sizeof(kept->counts));
	kept->partial = partial;
	sem_post(&kept->done);
}

static struct counts count(struct fixture *fixture, const struct store_filter *filter)
{
	struct counts counts = {0};

	sem_init(&counts.done, 0, 0);
	store_count_jobs(fixture->store, JOB_TENANT_DEFAULT, filter, keep_counts, &counts);
	while (sem_wait(&counts.done) < 0)
		;
	assert_int_equal(counts.outcome, 0);
	assert_false(counts.partial);
	return counts;
}

static void jobs_are_counted_by_state(void **state)
{
	static const char *const veo[] = {"veo"}, *const words[] = {"heygen"};
	struct fixture *fixture = *state;
	struct job_view views[N_JOBS];
	struct counts counts = count(fixture, NULL);

	assert_int_equal(counts.counts[JOB_STATE_QUEUED], 0);
	put_jobs(fixture, views);
	counts = count(fixture, NULL);
	assert_int_equal(counts.counts[JOB_STATE_QUEUED], 45);
	assert_int_equal(counts.counts[JOB_STATE_SUCCEEDED], 15);
	assert_int_equal(counts.counts[JOB_STATE_FAILED], 0);
	counts = count(fixture, &(struct store_filter){.providers = veo, .n_providers = 1});
	assert_int_equal(counts.counts[JOB_STATE_QUEUED] + counts.counts[JOB_STATE_SUCCEEDED], 30);
	counts = count(fixture, &(struct store_filter){.words = words, .n_words = 1});
	assert_int_equal(counts.counts[JOB_STATE_QUEUED] + counts.counts[JOB_STATE_SUCCEEDED], 30);
	counts = count(fixture, &(struct store_filter){.states = 1u << JOB_STATE_SUCCEEDED});
	assert_int_equal(counts.counts[JOB_STATE_QUEUED], 0);
	assert_int_equal(counts.counts[JOB_STATE_SUCCEEDED], 15);
	finish_jobs(views);
}

/* Days apart, so that the span of keys really is narrower than the table. */
static void a_span_of_creation_times_finds_jobs_of_other_days(void **state)
{
	enum { DAY = 86400000 };
	struct fixture *fixture = *state;
	struct job_view views[5];
	struct store_filter filter = {0};
	struct store_list_query query = {.tenant = JOB_TENANT_DEFAULT, .filter = &filter, .limit = 1};
	struct answer answer;

	for (int i = 0; i < 5; i++) {
		fixture->now_ms += DAY;
		views[i] = put_job(fixture);
	}
	filter.created_from_ms = views[1].job->created_ms;
	filter.created_to_ms = views[3].job->created_ms;
	list_jobs(fixture, &query, &answer);
	assert_int_equal(answer.n, 1);
	assert_true(is_same(&answer.views[0], &views[2]));
	assert_true(answer.flag);
	query.after = answer.scanned_to;
	free_answer(&answer);
	list_jobs(fixture, &query, &answer);
	assert_int_equal(answer.n, 1);
	assert_true(is_same(&answer.views[0], &views[1]));
	assert_false(answer.flag);
	free_answer(&answer);

	query.after = views[4].job->ref.id;
	list_jobs(fixture, &query, &answer);
	assert_int_equal(answer.n, 1);
	assert_true(is_same(&answer.views[0], &views[2]));
	free_answer(&answer);
	for (int i = 0; i < 5; i++)
		job_view_finish(&views[i]);
}

static void put_many(struct fixture *fixture, size_t n)
{
	struct ticket *tickets = calloc(n, sizeof(*tickets));

	for (size_t i = 0; i < n; i++) {
		struct job_view view = make_job(fixture);

		submit(&tickets[i], fixture, creation(&view));
		job_view_finish(&view);
	}
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(await(&tickets[i]), 0);
		finish(&tickets[i]);
	}
	free(tickets);
}

static void a_call_looks_at_so_many_jobs_and_then_says_how_far_it_came(void **state)
{
	struct fixture *fixture = *state;
	struct store_filter filter = {.states = 1u << JOB_STATE_RUNNING};
	struct store_list_query query = {.tenant = JOB_TENANT_DEFAULT, .filter = &filter, .limit = 10};
	struct job_view oldest = put_job(fixture);
	struct answer answer;

	move(fixture, &oldest, JOB_STATE_RUNNING);
	put_many(fixture, LIMIT_STORE_LIST_SCAN);
	list_jobs(fixture, &query, &answer);
	assert_int_equal(answer.outcome, 0);
	assert_int_equal(answer.n, 0);
	assert_true(answer.flag);
	query.after = answer.scanned_to;
	free_answer(&answer);
	list_jobs(fixture, &query, &answer);
	assert_int_equal(answer.n, 1);
	assert_true(is_same(&answer.views[0], &oldest));
	assert_false(answer.flag);
	free_answer(&answer);

	query = (struct store_list_query){.tenant = JOB_TENANT_DEFAULT, .limit = LIMIT_STORE_PAGE + 1};
	list_jobs(fixture, &query, &answer);
	assert_int_equal(answer.n, LIMIT_STORE_PAGE);
	assert_true(answer.flag);
	free_answer(&answer);
	job_view_finish(&oldest);
}

#define STORE_TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		STORE_TEST(jobs_are_listed_newest_first_with_all_their_records),
		STORE_TEST(pages_hold_every_job_once_while_others_arrive),
		STORE_TEST(filters_pick_by_state_provider_model_label_and_time),
		STORE_TEST(words_are_looked_for_in_the_texts_of_a_job),
		STORE_TEST(jobs_are_counted_by_state),
		STORE_TEST(a_span_of_creation_times_finds_jobs_of_other_days),
		STORE_TEST(a_call_looks_at_so_many_jobs_and_then_says_how_far_it_came),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
