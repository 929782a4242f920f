/*
 * After a restore: whatever was open in the copy goes on with what is free, and buys nothing before it is released.
 */
#include "engine/rig.h"

static void restore(struct rig *rig)
{
	rig_crash(rig);
	rig->config.is_copy = true;
	rig_start(rig);
	rig->config.is_copy = false;
}

static void assert_held(struct rig *rig, const struct job_ref *job)
{
	assert_state(rig, job, JOB_STATE_QUEUED);
	assert_int_equal(look(rig, job)->wait, JOB_WAIT_HELD);
}

static void a_queued_job_is_held_until_it_is_released(void **state)
{
	struct rig *rig = *state;
	struct job_ref job;

	rig->providers[0].concurrency = 0;
	job = order(rig);
	rig->providers[0].concurrency = 1;
	restore(rig);
	assert_held(rig, &job);
	pass(rig, 48 * RIG_HOUR_MS);
	assert_held(rig, &job);
	assert_int_equal(purchases(rig), 0);
	assert_answer(resume(rig, &job), 0);
	assert_state(rig, &job, JOB_STATE_STARTING);
	assert_int_equal(purchases(rig), 1);
	reply(rig, 201, "accepted id=v1");
	assert_state(rig, &job, JOB_STATE_RUNNING);
}

/* However long it waits for that, and whether or not its turn would have come. */
static void whatever_else_it_waits_for_it_is_shown_as_held(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = order_with(rig, &(struct engine_create){.not_before_ms = now_ms() + RIG_HOUR_MS});

	assert_int_equal(look(rig, &job)->wait, JOB_WAIT_SCHEDULE);
	restore(rig);
	assert_held(rig, &job);
	assert_int_equal(look(rig, &job)->wait_until_ms, JOB_NEVER_MS);
	assert_int_equal(look(rig, &job)->queue_place, 0);
	assert_answer(resume(rig, &job), 0);
	assert_int_equal(look(rig, &job)->wait, JOB_WAIT_SCHEDULE);
	assert_true(look(rig, &job)->wait_until_ms > now_ms());
}

static void it_stays_held_over_a_restart_and_is_released_once(void **state)
{
	struct rig *rig = *state;
	struct job_ref job;

	rig->providers[0].concurrency = 0;
	job = order(rig);
	rig->providers[0].concurrency = 1;
	restore(rig);
	crash_and_restart(rig);
	assert_held(rig, &job);
	resume(rig, &job);
	crash_and_restart(rig);
	assert_int_not_equal(look(rig, &job)->wait, JOB_WAIT_HELD);
	assert_state(rig, &job, JOB_STATE_STARTING);
	restore(rig);
	assert_int_equal(purchases(rig), 1);
	assert_state(rig, &job, JOB_STATE_UNCERTAIN);
}

/* However long it was held, and however often its deadline would have come. */
static void its_time_is_what_was_ordered_once_it_is_released(void **state)
{
	struct rig *rig = *state;
	struct answer *answer;
	struct job_ref job;

	rig->providers[0].concurrency = 0;
	job = order_with(rig, &(struct engine_create){.timeout_ms = RIG_HOUR_MS});
	restore(rig);
	pass(rig, 5 * RIG_HOUR_MS);
	crash_and_restart(rig);
	pass(rig, 5 * RIG_HOUR_MS);
	rig->providers[0].concurrency = 1;
	pass(rig, RIG_HOUR_MS);
	assert_held(rig, &job);
	rig->providers[0].concurrency = 0;
	answer = resume(rig, &job);
	assert_answer(answer, 0);
	assert_int_equal(answer->view.job->deadline_ms - now_ms(), RIG_HOUR_MS);
	pass(rig, RIG_HOUR_MS - 1);
	assert_state(rig, &job, JOB_STATE_QUEUED);
	pass(rig, 1);
	assert_state(rig, &job, JOB_STATE_EXPIRED);
}

/* And is no longer for it: a year of being held is none of it. */
static void its_time_is_what_was_ordered_however_often_it_begins_anew(void **state)
{
	struct rig *rig = *state;
	struct answer *answer;
	struct job_ref job;

	rig->providers[0].concurrency = 0;
	job = order_with(rig, &(struct engine_create){.timeout_ms = RIG_HOUR_MS});
	for (int i = 0; i < 3; i++) {
		restore(rig);
		pass(rig, 5 * RIG_HOUR_MS);
		answer = resume(rig, &job);
		assert_answer(answer, 0);
		assert_int_equal(answer->view.job->deadline_ms - now_ms(), RIG_HOUR_MS);
	}
	cancel(rig, &job);
	answer = retry(rig, &job, "again");
	assert_answer(answer, 0);
	assert_int_equal(answer->view.job->deadline_ms - now_ms(), RIG_HOUR_MS);
}

/* The lane had no turn for it yet, or it is being prepared: it is held all the same. */
static void what_is_released_before_it_shows_has_its_whole_time_too(void **state)
{
	struct rig *rig = *state;
	struct job_ref queued, prepared, later;
	struct answer *answer;

	rig->plugins[1].begin[PLUGIN_VERB_START] = "read";
	prepared = order_with(rig, &(struct engine_create){.provider = "plain", .timeout_ms = 2 * RIG_HOUR_MS});
	rig->providers[0].concurrency = 0;
	queued = order_with(rig, &(struct engine_create){.timeout_ms = 2 * RIG_HOUR_MS});
	later = order_with(rig, &(struct engine_create){.timeout_ms = 2 * RIG_HOUR_MS,
							.not_before_ms = now_ms() + 5 * RIG_HOUR_MS});
	pass(rig, RIG_HOUR_MS);
	restore(rig);
	answer = resume(rig, &later);
	assert_int_equal(answer->view.job->deadline_ms, answer->view.job->not_before_ms + 2 * RIG_HOUR_MS);
	assert_int_equal(look(rig, &queued)->wait, JOB_WAIT_HELD);
	assert_state(rig, &prepared, JOB_STATE_PREPARING);
	assert_int_equal(resume(rig, &queued)->view.job->deadline_ms - now_ms(), 2 * RIG_HOUR_MS);
	assert_int_equal(resume(rig, &prepared)->view.job->deadline_ms - now_ms(), 2 * RIG_HOUR_MS);
	pass(rig, 2 * RIG_HOUR_MS - 1);
	assert_state(rig, &queued, JOB_STATE_QUEUED);
	pass(rig, 1);
	assert_state(rig, &queued, JOB_STATE_EXPIRED);
}

static void what_is_being_prepared_goes_back_before_it_buys(void **state)
{
	struct rig *rig = *state;
	struct job_ref job;

	rig->plugins[0].begin[PLUGIN_VERB_START] = "read";
	job = order(rig);
	restore(rig);
	reply(rig, 200, "buy");
	assert_held(rig, &job);
	assert_int_equal(purchases(rig), 0);
}

static void a_doubt_is_not_repeated_although_its_key_protects_it(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = order(rig);

	restore(rig);
	assert_state(rig, &job, JOB_STATE_UNCERTAIN);
	assert_non_null(strstr(look(rig, &job)->failure.message, "the store was restored from a copy since"));
	assert_int_equal(purchases(rig), 1);
	/* Whoever decides it, releases it. */
	assert_answer(resolve(rig, &(struct engine_resolve){.ref = job, .resolution = ENGINE_RESOLUTION_ABSENT}), 0);
	assert_state(rig, &job, JOB_STATE_STARTING);
	assert_int_equal(purchases(rig), 2);
}

/* Another key would buy it twice: what became of the first order, only the life after the copy knows. */
static void no_policy_decides_what_is_held(void **state)
{
	static const enum job_uncertain policies[] = {JOB_UNCERTAIN_UNSAID, JOB_UNCERTAIN_HOLD, JOB_UNCERTAIN_FAIL,
						      JOB_UNCERTAIN_RESUBMIT};
	struct rig *rig = *state;

	for (size_t i = 0; i < 2 * sizeof(policies) / sizeof(policies[0]); i++) {
		enum job_uncertain policy = policies[i / 2];
		struct job_ref job = order_with(rig, &(struct engine_create){.on_uncertain = policy});

		if (i % 2)
			pass(rig, 2 * RIG_HOUR_MS);
		restore(rig);
		assert_state(rig, &job, JOB_STATE_UNCERTAIN);
		if (policy == JOB_UNCERTAIN_FAIL || policy == JOB_UNCERTAIN_RESUBMIT)
			assert_non_null(strstr(look(rig, &job)->failure.message,
					       "on_uncertain is not applied: the store was restored from a copy"));
		pass(rig, 2 * RIG_HOUR_MS);
		assert_state(rig, &job, JOB_STATE_UNCERTAIN);
		assert_int_equal(purchases(rig), i + 1);
	}
}

/* The wish stays a wish: cancelled or not, somebody has to look. */
static void nor_what_was_to_be_cancelled(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = order_with(rig, &(struct engine_create){.on_uncertain = JOB_UNCERTAIN_RESUBMIT});

	cancel(rig, &job);
	restore(rig);
	assert_state(rig, &job, JOB_STATE_UNCERTAIN);
	assert_int_equal(look(rig, &job)->cancel_outcome, JOB_CANCEL_REQUESTED);
}

/* Nor where the provider was asked and could not tell. */
static void nor_what_the_provider_cannot_tell(void **state)
{
	struct rig *rig = *state;
	struct job_ref job;

	rig->plugins[1].cannot[PLUGIN_VERB_RECONCILE] = false;
	job = order_with(rig, &(struct engine_create){.provider = "plain", .on_uncertain = JOB_UNCERTAIN_RESUBMIT});
	restore(rig);
	assert_state(rig, &job, JOB_STATE_STARTING);
	sleep_over(rig, &job);
	reply(rig, 200, "unknown");
	assert_state(rig, &job, JOB_STATE_UNCERTAIN);
	assert_int_equal(purchases(rig), 1);
}

static void what_runs_goes_on(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = order(rig);

	reply(rig, 201, "accepted id=v1");
	restore(rig);
	assert_state(rig, &job, JOB_STATE_RUNNING);
	assert_int_not_equal(look(rig, &job)->wait, JOB_WAIT_HELD);
	assert_answer(resume(rig, &job), 0);
	assert_state(rig, &job, JOB_STATE_RUNNING);
}

static void a_new_order_is_not_held(void **state)
{
	struct rig *rig = *state;
	struct job_ref job;

	restore(rig);
	job = order(rig);
	assert_state(rig, &job, JOB_STATE_STARTING);
	crash_and_restart(rig);
	sleep_over(rig, &job);
	assert_int_equal(purchases(rig), 2);
}

static void a_cancel_of_what_is_held_does_not_say_that_nothing_was_bought(void **state)
{
	struct rig *rig = *state;
	struct job_ref job;
	struct answer *answer;

	rig->providers[0].concurrency = 0;
	job = order(rig);
	rig->providers[0].concurrency = 1;
	restore(rig);
	answer = cancel(rig, &job);
	assert_answer(answer, 0);
	assert_int_equal(answer->view.status->cancel_outcome, JOB_CANCEL_DETACHED);
	assert_state(rig, &job, JOB_STATE_CANCELLED);
	assert_int_equal(look(rig, &job)->failure.purchase, JOB_PURCHASE_UNKNOWN);
	assert_int_equal(look(rig, &job)->cost.source, JOB_COST_NONE);
	assert_non_null(strstr(look(rig, &job)->failure.message, "restored from a copy"));
}

static void a_job_that_is_not_held_is_not_changed_by_a_release(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = order(rig);
	uint64_t revision = look(rig, &job)->revision;

	assert_answer(resume(rig, &job), 0);
	assert_int_equal(look(rig, &job)->revision, revision);
}

static void the_key_is_the_same_in_both_lives(void **state)
{
	struct rig *rig = *state;
	struct job_ref job;
	_cleanup_(freep) char *key = NULL;

	rig->providers[0].concurrency = 0;
	job = order(rig);
	rig_photograph(rig);
	rig->providers[0].concurrency = 1;
	order_with(rig, &(struct engine_create){.priority = -1});
	key = strdup(request_header(the_request(rig), "Idempotency-Key"));
	pass(rig, RIG_HOUR_MS);
	restore(rig);
	resume(rig, &job);
	assert_string_equal(request_header(the_request(rig), "Idempotency-Key"), key);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		story(a_queued_job_is_held_until_it_is_released),
		story(whatever_else_it_waits_for_it_is_shown_as_held),
		story(it_stays_held_over_a_restart_and_is_released_once),
		story(its_time_is_what_was_ordered_once_it_is_released),
		story(its_time_is_what_was_ordered_however_often_it_begins_anew),
		story(what_is_released_before_it_shows_has_its_whole_time_too),
		story(what_is_being_prepared_goes_back_before_it_buys),
		story(a_doubt_is_not_repeated_although_its_key_protects_it),
		story(no_policy_decides_what_is_held),
		story(nor_what_was_to_be_cancelled),
		story(nor_what_the_provider_cannot_tell),
		story(what_runs_goes_on),
		story(a_new_order_is_not_held),
		story(a_cancel_of_what_is_held_does_not_say_that_nothing_was_bought),
		story(a_job_that_is_not_held_is_not_changed_by_a_release),
		story(the_key_is_the_same_in_both_lives),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
