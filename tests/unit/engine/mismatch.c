/*
 * A video that is not what was ordered: a_video() is 1.5 s long, 640x360, and shows what the test says.
 */
#include "engine/rig.h"

#include <errno.h>
#include <semaphore.h>

#define HALF "{\"prompt\":\"a fox\",\"duration_ms\":3000}"
#define WHOLE "{\"prompt\":\"a fox\",\"duration_ms\":1500}"
#define LINK "https://maker.test/file/1"

static struct artifact_looked seen;
static unsigned int looks;

int __wrap_artifact_look(struct artifact_store *store, const struct artifact_sealed *sealed, artifact_looked_fn *fn,
			 void *userdata);

/* [engine thread] */
int __wrap_artifact_look(struct artifact_store *store, const struct artifact_sealed *sealed, artifact_looked_fn *fn,
			 void *userdata)
{
	(void)store;
	assert_string_equal(sealed->media_type, "video/mp4");
	looks++;
	fn(userdata, &seen);
	return 0;
}

static int setup(void **state)
{
	seen = (struct artifact_looked){.is_known = true};
	looks = 0;
	return rig_setup(state);
}

#define tale(name) cmocka_unit_test_setup_teardown(name, setup, rig_teardown)

/* Until its video has come. */
static struct job_ref make(struct rig *rig, const char *parameters, enum job_on_mismatch policy)
{
	struct job_ref job = order_with(rig, &(struct engine_create){.parameters = parameters, .on_mismatch = policy});

	reply(rig, 201, "accepted id=v1 cost=5");
	sleep_over(rig, &job);
	reply(rig, 200, "done video=" LINK);
	assert_state(rig, &job, JOB_STATE_STORING);
	deliver(rig, a_video());
	return job;
}

static void what_was_ordered_is_no_mismatch(void **state)
{
	static const enum job_on_mismatch policies[] = {JOB_ON_MISMATCH_UNSAID, JOB_ON_MISMATCH_FLAG,
							JOB_ON_MISMATCH_FAIL, JOB_ON_MISMATCH_ACCEPT};
	struct rig *rig = *state;

	for (size_t i = 0; i < sizeof(policies) / sizeof(policies[0]); i++) {
		struct job_ref job = make(rig, WHOLE, policies[i]);

		assert_state(rig, &job, JOB_STATE_SUCCEEDED);
		assert_int_equal(look(rig, &job)->n_mismatches, 0);
	}
}

static void nothing_said_means_flagged(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = make(rig, HALF, JOB_ON_MISMATCH_UNSAID);
	const struct job_status *status;

	assert_state(rig, &job, JOB_STATE_SUCCEEDED);
	status = look(rig, &job);
	assert_int_equal(status->n_mismatches, 1);
	assert_int_equal(status->mismatches[0].artifact, 1);
	assert_string_equal(status->mismatches[0].field, "duration");
	assert_string_equal(status->mismatches[0].ordered, "3 s");
	assert_string_equal(status->mismatches[0].produced, "1.5 s");
	assert_true(status->artifacts[0].is_looked_at);
}

static void accept_means_that_nobody_looks(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = make(rig, HALF, JOB_ON_MISMATCH_ACCEPT);

	assert_state(rig, &job, JOB_STATE_SUCCEEDED);
	assert_int_equal(look(rig, &job)->n_mismatches, 0);
	assert_false(look(rig, &job)->artifacts[0].is_looked_at);
	assert_int_equal(looks, 0);
}

static struct engine_provider_figures figures;

/* [reader thread] */
static void on_figures(void *userdata, int outcome, const struct engine_figures *measured)
{
	assert_int_equal(outcome, 0);
	figures = measured->providers[0];
	sem_post(userdata);
}

static struct engine_provider_figures measure(struct rig *rig)
{
	sem_t is_there;

	assert_int_equal(sem_init(&is_there, 0, 0), 0);
	engine_measure(rig->engine, on_figures, &is_there);
	while (sem_wait(&is_there) < 0)
		assert_int_equal(errno, EINTR);
	sem_destroy(&is_there);
	return figures;
}

/* It was paid for: it has its price, and its file is there, after a crash too. */
static void fail_ends_the_job_and_keeps_what_was_paid_for(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = make(rig, HALF, JOB_ON_MISMATCH_FAIL);
	struct answer *answer;

	for (int i = 0; i < 2; i++) {
		const struct job_status *status = look(rig, &job);

		assert_failed(rig, &job, JOB_REASON_ARTIFACT_BAD, JOB_PURCHASE_MADE);
		assert_non_null(strstr(status->failure.message, "3 s was ordered, 1.5 s came; as on_mismatch says"));
		assert_int_equal(status->cost.amount_micros, 5);
		assert_int_equal(status->n_mismatches, 1);
		assert_int_equal(status->n_artifacts, 1);
		assert_null(status->outputs);
		assert_true(status->attempts[0].ended_ms > 0);
		answer = open_artifact(rig, &job, 1);
		assert_answer(answer, 0);
		if (i == 0) {
			assert_int_equal(measure(rig).mismatches, 1);
			assert_int_equal(measure(rig).artifacts, 1);
			crash_and_restart(rig);
		}
	}
	assert_int_equal(open_requests(rig), 0);
}

static void what_was_kept_goes_with_its_job(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = make(rig, HALF, JOB_ON_MISMATCH_FAIL);
	char path[PATH_MAX];

	artifact_path(rig, &look(rig, &job)->artifacts[0].sha256, path);
	assert_int_equal(access(path, F_OK), 0);
	assert_answer(delete_job(rig, &job, ENGINE_DELETE_KEEP_REMOTE), 0);
	crash_and_restart(rig); /* what is being collected is, by then */
	assert_int_equal(access(path, F_OK), -1);
}

static void the_jobs_word_goes_before_its_providers(void **state)
{
	struct rig *rig = *state;
	struct job_ref job;

	rig->providers[0].on_mismatch = JOB_ON_MISMATCH_FAIL;
	job = make(rig, HALF, JOB_ON_MISMATCH_UNSAID);
	assert_failed(rig, &job, JOB_REASON_ARTIFACT_BAD, JOB_PURCHASE_MADE);
	job = make(rig, HALF, JOB_ON_MISMATCH_FLAG);
	assert_state(rig, &job, JOB_STATE_SUCCEEDED);
	rig->providers[0].on_mismatch = JOB_ON_MISMATCH_ACCEPT;
	job = make(rig, HALF, JOB_ON_MISMATCH_UNSAID);
	assert_state(rig, &job, JOB_STATE_SUCCEEDED);
	assert_int_equal(look(rig, &job)->n_mismatches, 0);
	job = make(rig, HALF, JOB_ON_MISMATCH_FAIL);
	assert_failed(rig, &job, JOB_REASON_ARTIFACT_BAD, JOB_PURCHASE_MADE);
}

static void a_black_video_and_a_still_one_are_mismatches(void **state)
{
	static const struct {
		struct artifact_looked seen;
		const char *field;
	} rows[] = {
		{{.is_known = true, .black_ms = 1500, .frozen_ms = 1500}, "black"},
		{{.is_known = true, .frozen_ms = 1490}, "frozen"},
	};
	struct rig *rig = *state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct job_ref job;

		seen = rows[i].seen;
		job = make(rig, WHOLE, JOB_ON_MISMATCH_FLAG);
		assert_state(rig, &job, JOB_STATE_SUCCEEDED);
		assert_int_equal(look(rig, &job)->n_mismatches, 1);
		assert_string_equal(look(rig, &job)->mismatches[0].field, rows[i].field);
		assert_int_equal(look(rig, &job)->artifacts[0].frozen_ms, rows[i].seen.frozen_ms);
	}
}

static void what_nobody_could_find_out_is_no_mismatch(void **state)
{
	struct rig *rig = *state;
	struct job_ref job;

	seen = (struct artifact_looked){.black_ms = 1500};
	job = make(rig, WHOLE, JOB_ON_MISMATCH_FAIL);
	assert_state(rig, &job, JOB_STATE_SUCCEEDED);
	assert_false(look(rig, &job)->artifacts[0].is_looked_at);
}

/* Each sample is looked at; what comes beside them is not. */
static void each_sample_is_compared(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = order_with(rig, &(struct engine_create){.parameters = HALF,
								     .on_mismatch = JOB_ON_MISMATCH_FAIL});

	reply(rig, 201, "accepted id=v1 cost=5");
	sleep_over(rig, &job);
	reply(rig, 200, "done video=https://maker.test/a video=https://maker.test/b");
	deliver(rig, a_video());
	deliver(rig, a_video());
	assert_failed(rig, &job, JOB_REASON_ARTIFACT_BAD, JOB_PURCHASE_MADE);
	assert_int_equal(look(rig, &job)->n_artifacts, 2);
	assert_int_equal(look(rig, &job)->n_mismatches, 2);
	assert_int_equal(look(rig, &job)->mismatches[1].artifact, 2);
	assert_non_null(strstr(look(rig, &job)->failure.message, "and there is more"));
	assert_int_equal(looks, 2);
}

static void a_retry_keeps_the_policy(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = make(rig, HALF, JOB_ON_MISMATCH_FAIL);
	struct answer *again = retry(rig, &job, "r2");

	assert_answer(again, 0);
	assert_int_equal(again->view.job->on_mismatch, JOB_ON_MISMATCH_FAIL);
}

static void the_policy_is_part_of_what_makes_two_requests_equal(void **state)
{
	struct rig *rig = *state;
	struct engine_create create_it = {.request_id = "r1", .on_mismatch = JOB_ON_MISMATCH_FAIL};

	assert_answer(create(rig, &create_it), 0);
	assert_answer(create(rig, &create_it), 0);
	create_it.on_mismatch = JOB_ON_MISMATCH_FLAG;
	assert_answer(create(rig, &create_it), ENGINE_E_REQUEST_REUSED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		tale(what_was_ordered_is_no_mismatch),
		tale(nothing_said_means_flagged),
		tale(accept_means_that_nobody_looks),
		tale(fail_ends_the_job_and_keeps_what_was_paid_for),
		tale(what_was_kept_goes_with_its_job),
		tale(the_jobs_word_goes_before_its_providers),
		tale(a_black_video_and_a_still_one_are_mismatches),
		tale(what_nobody_could_find_out_is_no_mismatch),
		tale(each_sample_is_compared),
		tale(a_retry_keeps_the_policy),
		tale(the_policy_is_part_of_what_makes_two_requests_equal),
	};

	return cmocka_run_group_tests_name("engine.mismatch", tests, NULL, NULL);
}
