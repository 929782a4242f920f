/*
 * What stands in the queue: a job that is not to be started before its time, and one that others would push aside.
 */
#include "engine/rig.h"

static void assert_waits(struct rig *rig, const struct job_ref *job, enum job_wait why, int64_t until_ms)
{
	const struct job_status *status = look(rig, job);

	assert_int_equal(status->state, JOB_STATE_QUEUED);
	assert_string_equal(job_wait_name(status->wait), job_wait_name(why));
	assert_int_equal(status->wait_until_ms, until_ms);
}

static void for_its_time(void **state)
{
	struct rig *rig = *state;
	int64_t at_ms = now_ms() + RIG_HOUR_MS;
	struct job_ref job = order_with(rig, &(struct engine_create){.not_before_ms = at_ms});

	assert_waits(rig, &job, JOB_WAIT_SCHEDULE, at_ms);
}

static void a_scheduled_job_starts_at_its_time_and_has_its_whole_time_then(void **state)
{
	struct rig *rig = *state;
	int64_t at_ms = now_ms() + 3 * RIG_HOUR_MS;
	struct job_ref job = order_with(rig, &(struct engine_create){.not_before_ms = at_ms, .timeout_ms = 60000});

	assert_int_equal(get(rig, &job)->view.job->deadline_ms, at_ms + 60000);
	pass_until(rig, at_ms - RIG_HOUR_MS);
	crash_and_restart(rig);
	assert_waits(rig, &job, JOB_WAIT_SCHEDULE, at_ms);
	pass_until(rig, at_ms - 1);
	assert_int_equal(purchases(rig), 0);
	pass_until(rig, at_ms);
	assert_state(rig, &job, JOB_STATE_STARTING);
	assert_int_equal(purchases(rig), 1);
}

static void a_scheduled_job_is_cancelled_for_nothing(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = order_with(rig, &(struct engine_create){.not_before_ms = now_ms() + RIG_HOUR_MS});

	assert_answer(cancel(rig, &job), 0);
	assert_state(rig, &job, JOB_STATE_CANCELLED);
	assert_int_equal(look(rig, &job)->cancel_outcome, JOB_CANCEL_NEVER_SENT);
	pass(rig, 2 * RIG_HOUR_MS);
	assert_int_equal(purchases(rig), 0);
}

static void a_time_that_has_passed_means_now(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = order_with(rig,
					&(struct engine_create){.not_before_ms = now_ms() - 1, .timeout_ms = 60000});

	assert_state(rig, &job, JOB_STATE_STARTING);
	assert_int_equal(get(rig, &job)->view.job->deadline_ms, now_ms() + 60000);
}

static void a_time_too_far_ahead_is_refused(void **state)
{
	struct rig *rig = *state;
	struct engine_create create_it = {.not_before_ms = now_ms() + LIMIT_ENGINE_SCHEDULE_MS + 1};
	struct answer *answer = create(rig, &create_it);

	assert_answer(answer, ENGINE_E_INVALID);
	assert_string_equal(answer->field, "not_before_time");
	assert_string_equal(answer->text, "is more than 30 days ahead; at most 30 are possible");
	create_it.not_before_ms--;
	assert_answer(create(rig, &create_it), 0);
}

static void a_retry_waits_for_the_same_time_and_has_as_long(void **state)
{
	struct rig *rig = *state;
	int64_t at_ms = now_ms() + RIG_HOUR_MS;
	struct job_ref job = order_with(rig, &(struct engine_create){.not_before_ms = at_ms, .timeout_ms = 60000});
	struct answer *again;

	cancel(rig, &job);
	again = retry(rig, &job, "again");
	assert_answer(again, 0);
	assert_int_equal(again->view.job->not_before_ms, at_ms);
	assert_int_equal(again->view.job->deadline_ms, at_ms + 60000);
	pass(rig, 2 * RIG_HOUR_MS);
	again = retry(rig, &job, "and again");
	assert_answer(again, 0);
	assert_state(rig, &again->view.job->ref, JOB_STATE_STARTING);
	assert_int_equal(again->view.job->deadline_ms, now_ms() + 60000);
}

static void the_time_is_part_of_what_makes_two_requests_equal(void **state)
{
	struct rig *rig = *state;
	struct engine_create create_it = {.request_id = "r1", .not_before_ms = now_ms() + RIG_HOUR_MS};

	assert_answer(create(rig, &create_it), 0);
	assert_true(create(rig, &create_it)->is_replay);
	create_it.not_before_ms++;
	assert_answer(create(rig, &create_it), ENGINE_E_REQUEST_REUSED);
}

/* ---- aging ---- */

/* Urgent jobs come all the time; the patient one waits until it is as old as the difference, and no longer. */
static void a_patient_job_is_not_starved(void **state)
{
	enum { STEPS = 5 };
	struct rig *rig = *state;
	struct job_ref urgent, patient;
	int64_t begin_ms = now_ms();
	int rounds = 0;

	rig->providers[0].concurrency = 1;
	urgent = order_with(rig, &(struct engine_create){.priority = STEPS});
	patient = order(rig);
	while (look(rig, &patient)->state == JOB_STATE_QUEUED) {
		struct job_ref next;

		assert_true(rounds++ < 20);
		pass(rig, JOB_PRIORITY_AGING_MS / 2);
		next = order_with(rig, &(struct engine_create){.priority = STEPS});
		reply_to(rig, &urgent, 422, "failed reason=invalid_input");
		urgent = next;
	}
	assert_true(now_ms() - begin_ms > STEPS * JOB_PRIORITY_AGING_MS);
	assert_true(now_ms() - begin_ms <= (STEPS + 1) * JOB_PRIORITY_AGING_MS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		story(for_its_time),
		story(a_scheduled_job_starts_at_its_time_and_has_its_whole_time_then),
		story(a_scheduled_job_is_cancelled_for_nothing),
		story(a_time_that_has_passed_means_now),
		story(a_time_too_far_ahead_is_refused),
		story(a_retry_waits_for_the_same_time_and_has_as_long),
		story(the_time_is_part_of_what_makes_two_requests_equal),
		story(a_patient_job_is_not_starved),
	};

	return cmocka_run_group_tests_name("engine.waits", tests, NULL, NULL);
}
