/*
 * Why a job waits, at any moment: each reason, as whoever asks is told it, and that it goes when the obstacle does. And
 * a job that is not to be started before its time, and one that others would push aside.
 */
#include "engine/rig.h"

static void assert_waits(struct rig *rig, const struct job_ref *job, enum job_wait why, int64_t until_ms)
{
	const struct job_status *status = look(rig, job);

	assert_int_equal(status->state, JOB_STATE_QUEUED);
	assert_string_equal(job_wait_name(status->wait), job_wait_name(why));
	assert_int_equal(status->wait_until_ms, until_ms);
}

/* ---- reasons ---- */

static void for_a_free_slot(void **state)
{
	struct rig *rig = *state;
	struct job_ref first, second;

	rig->providers[0].concurrency = 1;
	first = order(rig);
	second = order(rig);
	assert_waits(rig, &second, JOB_WAIT_CAPACITY, 0);
	reply_to(rig, &first, 422, "failed reason=invalid_input");
	assert_state(rig, &second, JOB_STATE_STARTING);
}

static void for_a_rate_limit_and_so_does_who_stands_behind(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = order(rig), behind;

	reply_later(rig, 429, 90, "trouble reason=rate_limited");
	behind = order(rig);
	assert_waits(rig, &job, JOB_WAIT_RATE_LIMIT, now_ms() + 90000);
	assert_waits(rig, &behind, JOB_WAIT_RATE_LIMIT, now_ms() + 90000);
	pass(rig, 90000);
	assert_state(rig, &job, JOB_STATE_STARTING);
}

static void for_a_pause_after_a_failure(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = order(rig);

	refuse_to_connect(rig);
	assert_int_equal(look(rig, &job)->wait, JOB_WAIT_BACKOFF);
	assert_true(look(rig, &job)->wait_until_ms > now_ms());
	pass_until(rig, look(rig, &job)->wait_until_ms);
	assert_state(rig, &job, JOB_STATE_STARTING);
}

static void for_room_on_the_disk(void **state)
{
	struct rig *rig = *state;
	struct job_ref job, behind;

	rig->providers[0].expected_bytes = INT64_MAX;
	job = order(rig);
	behind = order(rig);
	assert_waits(rig, &job, JOB_WAIT_DISK, now_ms() + LIMIT_ENGINE_DISK_MS);
	assert_waits(rig, &behind, JOB_WAIT_DISK, now_ms() + LIMIT_ENGINE_DISK_MS);
	rig->providers[0].expected_bytes = 1;
	pass(rig, LIMIT_ENGINE_DISK_MS);
	assert_state(rig, &job, JOB_STATE_STARTING);
}

static void for_a_plugin_or_a_provider_that_is_not_there(void **state)
{
	struct rig *rig = *state;
	struct job_ref job;

	rig->providers[0].concurrency = 0;
	job = order(rig);
	rig_crash(rig);
	rig->providers[0].plugin = NULL;
	rig_start(rig);
	assert_waits(rig, &job, JOB_WAIT_PLUGIN_MISSING, 0);
	rig_crash(rig);
	rig->config.n_providers = 1;
	rig->config.providers = &rig->providers[1];
	rig_start(rig);
	assert_waits(rig, &job, JOB_WAIT_PLUGIN_MISSING, 0);
	rig->config.n_providers = RIG_PROVIDERS;
	rig->config.providers = rig->providers;
}

static void for_a_key_that_is_accepted(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = order(rig), behind;

	reply(rig, 401, "trouble reason=auth");
	behind = order(rig);
	assert_waits(rig, &job, JOB_WAIT_CREDENTIAL, now_ms() + LIMIT_ENGINE_CREDENTIAL_MS);
	assert_waits(rig, &behind, JOB_WAIT_CREDENTIAL, now_ms() + LIMIT_ENGINE_CREDENTIAL_MS);
	pass(rig, LIMIT_ENGINE_CREDENTIAL_MS);
	assert_state(rig, &job, JOB_STATE_STARTING);
}

static void for_a_token(void **state)
{
	struct rig *rig = *state;
	struct job_ref job;

	rig->plugins[0].mints = true;
	job = order(rig);
	refuse_to_connect(rig);
	assert_int_equal(look(rig, &job)->wait, JOB_WAIT_TOKEN);
	assert_true(look(rig, &job)->wait_until_ms > now_ms());
}

static void for_its_time(void **state)
{
	struct rig *rig = *state;
	int64_t at_ms = now_ms() + RIG_HOUR_MS;
	struct job_ref job = order_with(rig, &(struct engine_create){.not_before_ms = at_ms});

	assert_waits(rig, &job, JOB_WAIT_SCHEDULE, at_ms);
}

/* What held it up once, and is over, is no reason any more; what holds it up now is. */
static void for_what_holds_it_up_now(void **state)
{
	struct rig *rig = *state;
	int64_t at_ms = now_ms() + RIG_HOUR_MS;
	struct job_ref busy, job = order_with(rig, &(struct engine_create){.not_before_ms = at_ms});

	rig->providers[0].concurrency = 1;
	pass_until(rig, at_ms - 1000);
	busy = order(rig);
	pass(rig, 1000);
	assert_waits(rig, &job, JOB_WAIT_CAPACITY, 0);
	reply_to(rig, &busy, 429, "trouble reason=rate_limited after=5000");
	assert_waits(rig, &job, JOB_WAIT_RATE_LIMIT, now_ms() + 5000);
	pass(rig, 5000);
	/* It has been ready for longer. */
	assert_state(rig, &job, JOB_STATE_STARTING);
	assert_waits(rig, &busy, JOB_WAIT_CAPACITY, 0);
}

/* ---- not before ---- */

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
		story(for_a_free_slot),
		story(for_a_rate_limit_and_so_does_who_stands_behind),
		story(for_a_pause_after_a_failure),
		story(for_room_on_the_disk),
		story(for_a_plugin_or_a_provider_that_is_not_there),
		story(for_a_key_that_is_accepted),
		story(for_a_token),
		story(for_its_time),
		story(for_what_holds_it_up_now),
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
