/*
 * A purchase that nobody can decide: what somebody chose beforehand, the job's word before its provider's.
 */
#include "engine/rig.h"

#include "engine/policy.h"

/* Of "plain", which knows no keys and, unless a test lets it, cannot be asked. */
static struct job_ref order_plain(struct rig *rig, enum job_uncertain policy)
{
	return order_with(rig, &(struct engine_create){.provider = "plain", .on_uncertain = policy});
}

static struct job_ref lost(struct rig *rig, enum job_uncertain policy)
{
	struct job_ref job = order_plain(rig, policy);

	lose_reply(rig);
	return job;
}

static void wait_for_turn(struct rig *rig, const struct job_ref *job)
{
	assert_state(rig, job, JOB_STATE_QUEUED);
	pass_until(rig, look(rig, job)->wait_until_ms);
	assert_state(rig, job, JOB_STATE_STARTING);
}

static void nothing_said_means_held(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = lost(rig, JOB_UNCERTAIN_UNSAID);

	assert_state(rig, &job, JOB_STATE_UNCERTAIN);
	assert_int_equal(provider(rig, "plain")->provider.on_uncertain, JOB_UNCERTAIN_HOLD);
	pass(rig, 2 * RIG_HOUR_MS);
	assert_int_equal(purchases(rig), 1);
}

static void what_shall_fail_fails_and_says_that_it_may_have_been_bought(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = lost(rig, JOB_UNCERTAIN_FAIL);

	assert_failed(rig, &job, JOB_REASON_LOST, JOB_PURCHASE_UNKNOWN);
	assert_string_equal(history(rig, &job), "queued preparing starting failed");
	assert_non_null(strstr(look(rig, &job)->failure.message, "it may have been bought"));
	assert_int_equal(look(rig, &job)->cost.source, JOB_COST_NONE);
	assert_int_equal(last_send(look(rig, &job))->class, JOB_SEND_AMBIGUOUS);
	assert_int_equal(provider(rig, "plain")->provider.running, 0);
	assert_int_equal(purchases(rig), 1);
}

static void what_shall_be_ordered_again_is_another_attempt_and_says_so(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = lost(rig, JOB_UNCERTAIN_RESUBMIT);
	const struct job_status *status;

	wait_for_turn(rig, &job);
	assert_int_equal(purchases(rig), 2);
	reply(rig, 201, "accepted id=v2");
	assert_state(rig, &job, JOB_STATE_RUNNING);
	assert_string_equal(history(rig, &job), "queued preparing starting queued preparing starting running");
	status = look(rig, &job);
	assert_int_equal(status->n_attempts, 2);
	assert_int_equal(status->attempts[0].failure.reason, JOB_REASON_LOST);
	assert_int_equal(status->attempts[0].failure.purchase, JOB_PURCHASE_UNKNOWN);
	assert_int_equal(status->sends[0].class, JOB_SEND_AMBIGUOUS);
	assert_int_equal(status->sends[1].attempt, 2);
	assert_string_not_equal(status->sends[0].idempotency_key, status->sends[1].idempotency_key);
	assert_int_equal(status->n_notes, 1);
	assert_non_null(strstr(status->notes[0].message, "attempt 1 may have been bought"));
	assert_non_null(strstr(status->notes[0].message, "(1 of at most 2 times)"));
}

static void it_is_ordered_again_so_often_and_then_held(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = lost(rig, JOB_UNCERTAIN_RESUBMIT);

	for (int i = 0; i < LIMIT_ENGINE_RESUBMITS; i++) {
		wait_for_turn(rig, &job);
		lose_reply(rig);
		crash_and_restart(rig);
	}
	assert_state(rig, &job, JOB_STATE_UNCERTAIN);
	assert_int_equal(purchases(rig), 1 + LIMIT_ENGINE_RESUBMITS);
	assert_int_equal(look(rig, &job)->n_sends, 1 + LIMIT_ENGINE_RESUBMITS);
	assert_int_equal(look(rig, &job)->n_notes, LIMIT_ENGINE_RESUBMITS);
	assert_non_null(strstr(look(rig, &job)->failure.message, "as often as it may be"));
	pass(rig, 2 * RIG_HOUR_MS);
	assert_int_equal(purchases(rig), 1 + LIMIT_ENGINE_RESUBMITS);
}

static void the_jobs_word_goes_before_its_providers(void **state)
{
	struct rig *rig = *state;
	struct job_ref job;

	rig->providers[1].on_uncertain = JOB_UNCERTAIN_FAIL;
	assert_int_equal(provider(rig, "plain")->provider.on_uncertain, JOB_UNCERTAIN_FAIL);
	job = lost(rig, JOB_UNCERTAIN_UNSAID);
	assert_state(rig, &job, JOB_STATE_FAILED);
	job = lost(rig, JOB_UNCERTAIN_HOLD);
	assert_state(rig, &job, JOB_STATE_UNCERTAIN);
	job = lost(rig, JOB_UNCERTAIN_RESUBMIT);
	assert_state(rig, &job, JOB_STATE_QUEUED);
}

/* Only what the provider could not tell is left to the policy. */
static void the_provider_is_asked_first(void **state)
{
	static const struct {
		const char *words;
		enum job_state state;
	} rows[] = {
		{"accepted id=v1", JOB_STATE_RUNNING},
		{"absent", JOB_STATE_QUEUED},
		{"unknown", JOB_STATE_FAILED},
	};
	struct rig *rig = *state;

	rig->plugins[1].cannot[PLUGIN_VERB_RECONCILE] = false;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct job_ref job = lost(rig, JOB_UNCERTAIN_FAIL);

		assert_state(rig, &job, JOB_STATE_STARTING);
		sleep_over(rig, &job);
		reply(rig, 200, rows[i].words);
		assert_state(rig, &job, rows[i].state);
	}
}

/* Within a key's window it is the key that decides, and a repeat under it is no resubmission. */
static void a_key_protects_before_any_policy(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = order_with(rig, &(struct engine_create){.on_uncertain = JOB_UNCERTAIN_RESUBMIT});

	lose_reply(rig);
	assert_state(rig, &job, JOB_STATE_STARTING);
	sleep_over(rig, &job);
	reply(rig, 201, "accepted id=v1");
	assert_state(rig, &job, JOB_STATE_RUNNING);
	assert_int_equal(look(rig, &job)->n_attempts, 1);
	assert_int_equal(look(rig, &job)->n_notes, 0);
}

/* The reply is there, and may say that it was bought: another plugin may read it. */
static void a_reply_that_nobody_can_read_is_held_whatever_the_policy(void **state)
{
	static const enum job_uncertain policies[] = {JOB_UNCERTAIN_FAIL, JOB_UNCERTAIN_RESUBMIT};
	struct rig *rig = *state;

	for (size_t i = 0; i < sizeof(policies) / sizeof(policies[0]); i++) {
		struct job_ref job = order_plain(rig, policies[i]);

		reply(rig, 200, "fault");
		assert_state(rig, &job, JOB_STATE_UNCERTAIN);
	}
}

static void let_look(struct rig *rig)
{
	rig->plugins[1].cannot[PLUGIN_VERB_RECONCILE] = false;
}

/* What a look found, and a look that went wrong, is no doubt that nobody can decide. */
static void a_look_that_found_something_or_failed_buys_nothing(void **state)
{
	static const char *const words[] = {"failed reason=lost bought=made message=two", "fault", "buy",
					    "report text={}"};
	struct rig *rig = *state;

	let_look(rig);
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		struct job_ref job = lost(rig, JOB_UNCERTAIN_RESUBMIT);

		sleep_over(rig, &job);
		reply(rig, 200, words[i]);
		assert_state(rig, &job, JOB_STATE_UNCERTAIN);
		assert_int_equal(purchases(rig), i + 1);
		if (i == 0)
			assert_non_null(strstr(look(rig, &job)->failure.message, "it was bought, but"));
	}
}

static void what_another_job_has_is_not_ordered_again(void **state)
{
	struct rig *rig = *state;
	struct job_ref job, owner;

	let_look(rig);
	job = lost(rig, JOB_UNCERTAIN_RESUBMIT);
	sleep_over(rig, &job);
	owner = order_plain(rig, JOB_UNCERTAIN_UNSAID);
	reply_to(rig, &owner, 201, "accepted id=v1 after=86400000");
	reply(rig, 200, "accepted id=v1");
	assert_state(rig, &owner, JOB_STATE_RUNNING);
	assert_state(rig, &job, JOB_STATE_UNCERTAIN);
	assert_int_equal(purchases(rig), 2);
}

/* With the key that it was ordered with, somebody may still find out. */
static void under_another_key_no_policy_is_applied(void **state)
{
	static const enum job_uncertain policies[] = {JOB_UNCERTAIN_FAIL, JOB_UNCERTAIN_RESUBMIT};
	struct rig *rig = *state;

	for (size_t i = 0; i < sizeof(policies) / sizeof(policies[0]); i++) {
		struct job_ref job = order_with(rig, &(struct engine_create){.on_uncertain = policies[i]});

		lose_reply(rig);
		rig_crash(rig);
		rig->providers[0].account_digest = digest_of(bytes_of_text(i ? "a third key" : "another key"));
		rig_start(rig);
		assert_state(rig, &job, JOB_STATE_UNCERTAIN);
		assert_non_null(
			strstr(look(rig, &job)->failure.message, "on_uncertain is not applied: the provider's key"));
		assert_int_equal(open_requests(rig), 0);
	}
}

/* The records of an attempt's sends are cut, and what is undecided outlasts that. */
static void many_refusals_do_not_hide_an_earlier_doubt(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = order_with(rig, &(struct engine_create){.provider = "plain",
								     .timeout_ms = 96 * RIG_HOUR_MS,
								     .on_uncertain = JOB_UNCERTAIN_RESUBMIT});

	lose_reply(rig);
	wait_for_turn(rig, &job);
	for (int i = 0; i <= LIMIT_ENGINE_SENDS; i++) {
		reply_later(rig, 429, 30, "trouble reason=rate_limited bought=none");
		wait_for_turn(rig, &job);
	}
	assert_int_equal(look(rig, &job)->n_sends, LIMIT_ENGINE_SENDS);
	assert_int_equal(job_count_undecided(look(rig, &job)), 1);
	reply(rig, 400, "failed reason=moderated bought=none");
	assert_failed(rig, &job, JOB_REASON_MODERATED, JOB_PURCHASE_UNKNOWN);
}

static void what_was_held_stays_held_under_another_configuration(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = lost(rig, JOB_UNCERTAIN_UNSAID);

	rig_crash(rig);
	rig->providers[1].on_uncertain = JOB_UNCERTAIN_RESUBMIT;
	rig_start(rig);
	pass(rig, RIG_HOUR_MS / 2);
	assert_state(rig, &job, JOB_STATE_UNCERTAIN);
	assert_int_equal(purchases(rig), 1);
}

static void what_was_to_be_cancelled_is_not_ordered_again(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = order_plain(rig, JOB_UNCERTAIN_RESUBMIT);

	cancel(rig, &job);
	lose_reply(rig);
	assert_failed(rig, &job, JOB_REASON_LOST, JOB_PURCHASE_UNKNOWN);
	assert_int_equal(look(rig, &job)->cancel_outcome, JOB_CANCEL_TOO_LATE);
	assert_non_null(strstr(look(rig, &job)->failure.message, "cancelled"));
	assert_int_equal(purchases(rig), 1);
}

static void what_came_too_late_is_not_ordered_again(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = order_plain(rig, JOB_UNCERTAIN_RESUBMIT);

	pass(rig, 2 * RIG_HOUR_MS);
	lose_reply(rig);
	assert_failed(rig, &job, JOB_REASON_LOST, JOB_PURCHASE_UNKNOWN);
	assert_non_null(strstr(look(rig, &job)->failure.message, "deadline"));
	assert_int_equal(purchases(rig), 1);
}

/* Of a job that was ordered again nobody may say that it cost nothing. */
static void an_earlier_doubt_is_not_forgotten(void **state)
{
	struct rig *rig = *state;
	struct job_ref cancelled = lost(rig, JOB_UNCERTAIN_RESUBMIT), refused = lost(rig, JOB_UNCERTAIN_RESUBMIT);

	cancel(rig, &cancelled);
	assert_state(rig, &cancelled, JOB_STATE_CANCELLED);
	assert_int_equal(look(rig, &cancelled)->cancel_outcome, JOB_CANCEL_DETACHED);
	assert_int_equal(look(rig, &cancelled)->failure.purchase, JOB_PURCHASE_UNKNOWN);
	assert_int_equal(look(rig, &cancelled)->cost.source, JOB_COST_NONE);
	pass_until(rig, look(rig, &refused)->wait_until_ms);
	reply_to(rig, &refused, 400, "failed reason=moderated bought=none");
	assert_failed(rig, &refused, JOB_REASON_MODERATED, JOB_PURCHASE_UNKNOWN);
	assert_int_equal(look(rig, &refused)->attempts[1].failure.purchase, JOB_PURCHASE_NOTHING);
}

static void a_retry_keeps_the_policy(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = lost(rig, JOB_UNCERTAIN_FAIL);
	struct answer *again = retry(rig, &job, "again");

	assert_answer(again, 0);
	assert_int_equal(again->view.job->on_uncertain, JOB_UNCERTAIN_FAIL);
}

static void the_policy_is_part_of_what_makes_two_requests_equal(void **state)
{
	struct rig *rig = *state;
	struct engine_create create_it = {.request_id = "r1", .on_uncertain = JOB_UNCERTAIN_FAIL};

	assert_answer(create(rig, &create_it), 0);
	assert_true(create(rig, &create_it)->is_replay);
	create_it.on_uncertain = JOB_UNCERTAIN_HOLD;
	assert_answer(create(rig, &create_it), ENGINE_E_REQUEST_REUSED);
}

/* ---- what cost nothing ---- */

static struct job_ref order_patient(struct rig *rig, uint32_t times)
{
	return order_with(rig, &(struct engine_create){.retry_if_uncharged = times});
}

static void fail_running(struct rig *rig, const struct job_ref *job, const char *words)
{
	reply(rig, 201, "accepted id=v1 cost=5");
	assert_state(rig, job, JOB_STATE_RUNNING);
	sleep_over(rig, job);
	reply(rig, 200, words);
}

static void what_failed_and_cost_nothing_is_tried_again(void **state)
{
	static const char *const words[] = {"failed reason=moderated bought=none",
					    "failed reason=provider_fault bought=none"};
	struct rig *rig = *state;

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		struct job_ref job = order_patient(rig, 2);
		const struct job_status *status;

		fail_running(rig, &job, words[i]);
		assert_int_equal(look(rig, &job)->cost.source, JOB_COST_NONE);
		assert_int_equal(look(rig, &job)->progress_percent, -1);
		wait_for_turn(rig, &job);
		assert_null(last_asked(&rig->runner, PLUGIN_VERB_START)->remote_id);
		reply(rig, 422, words[i]);
		wait_for_turn(rig, &job);
		reply(rig, 201, "accepted id=v3");
		assert_state(rig, &job, JOB_STATE_RUNNING);
		status = look(rig, &job);
		assert_int_equal(status->n_attempts, 3);
		assert_int_equal(status->attempts[1].failure.purchase, JOB_PURCHASE_NOTHING);
		assert_string_not_equal(status->sends[0].idempotency_key, status->sends[1].idempotency_key);
		sleep_over(rig, &job);
		assert_string_equal(last_asked(&rig->runner, PLUGIN_VERB_POLL)->remote_id, "v3");
		reply(rig, 200, words[i]);
		assert_state(rig, &job, JOB_STATE_FAILED);
		assert_int_equal(look(rig, &job)->failure.purchase, JOB_PURCHASE_NOTHING);
		assert_int_equal(look(rig, &job)->cost.source, JOB_COST_NOTHING);
	}
}

static void what_may_have_cost_something_is_not_tried_again(void **state)
{
	static const char *const words[] = {
		"failed reason=moderated",
		"failed reason=moderated bought=made",
		"failed reason=provider_fault bought=unknown",
		"failed reason=invalid_input bought=none",
		"failed reason=no_credit bought=none",
		"failed reason=lost bought=none",
	};
	struct rig *rig = *state;

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		struct job_ref job = order_patient(rig, 2);

		fail_running(rig, &job, words[i]);
		assert_state(rig, &job, JOB_STATE_FAILED);
		assert_int_equal(look(rig, &job)->n_attempts, 1);
	}
}

static void nobody_asked_for_it_and_it_is_not_tried_again(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = order_patient(rig, 0);

	fail_running(rig, &job, "failed reason=moderated bought=none");
	assert_state(rig, &job, JOB_STATE_FAILED);
}

static void after_a_crash_it_counts_on(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = order_patient(rig, 1);

	fail_running(rig, &job, "failed reason=moderated bought=none");
	crash_and_restart(rig);
	assert_int_equal(get(rig, &job)->view.job->retry_if_uncharged, 1);
	wait_for_turn(rig, &job);
	fail_running(rig, &job, "failed reason=moderated bought=none");
	assert_state(rig, &job, JOB_STATE_FAILED);
}

/* It is there, it looks alike, and it has failed: to take it for the second would lose what was bought then. */
static void what_the_first_attempt_left_there_is_not_the_seconds(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = order_with(rig, &(struct engine_create){.provider = "plain", .retry_if_uncharged = 1});

	let_look(rig);
	fail_running(rig, &job, "failed reason=moderated bought=none");
	wait_for_turn(rig, &job);
	lose_reply(rig);
	sleep_over(rig, &job);
	reply(rig, 200, "accepted id=v1");
	assert_non_null(strstr(last_asked(&rig->runner, PLUGIN_VERB_RECONCILE)->facts, "\"remote_id\":\"v1\""));
	assert_state(rig, &job, JOB_STATE_UNCERTAIN);
}

static void nor_is_what_was_cancelled_too_late(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = order_patient(rig, 1);

	reply(rig, 201, "accepted id=v1");
	cancel(rig, &job);
	reply(rig, 409, "cancelled achieved=too_late");
	sleep_over(rig, &job);
	reply(rig, 200, "failed reason=moderated bought=none");
	assert_failed(rig, &job, JOB_REASON_MODERATED, JOB_PURCHASE_NOTHING);
	assert_int_equal(look(rig, &job)->cancel_outcome, JOB_CANCEL_TOO_LATE);
	assert_int_equal(purchases(rig), 1);
}

static void a_cancel_and_the_deadline_go_before_another_try(void **state)
{
	struct rig *rig = *state;
	struct job_ref cancelled = order_patient(rig, 5), late;

	cancel(rig, &cancelled);
	reply(rig, 422, "failed reason=moderated bought=none");
	assert_state(rig, &cancelled, JOB_STATE_FAILED);
	late = order_patient(rig, 5);
	pass(rig, 2 * RIG_HOUR_MS);
	reply(rig, 422, "failed reason=moderated bought=none");
	assert_state(rig, &late, JOB_STATE_FAILED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		story(nothing_said_means_held),
		story(what_shall_fail_fails_and_says_that_it_may_have_been_bought),
		story(what_shall_be_ordered_again_is_another_attempt_and_says_so),
		story(it_is_ordered_again_so_often_and_then_held),
		story(the_jobs_word_goes_before_its_providers),
		story(the_provider_is_asked_first),
		story(a_key_protects_before_any_policy),
		story(a_reply_that_nobody_can_read_is_held_whatever_the_policy),
		story(a_look_that_found_something_or_failed_buys_nothing),
		story(what_another_job_has_is_not_ordered_again),
		story(under_another_key_no_policy_is_applied),
		story(many_refusals_do_not_hide_an_earlier_doubt),
		story(what_was_held_stays_held_under_another_configuration),
		story(what_was_to_be_cancelled_is_not_ordered_again),
		story(what_came_too_late_is_not_ordered_again),
		story(an_earlier_doubt_is_not_forgotten),
		story(a_retry_keeps_the_policy),
		story(the_policy_is_part_of_what_makes_two_requests_equal),
		story(what_failed_and_cost_nothing_is_tried_again),
		story(what_may_have_cost_something_is_not_tried_again),
		story(nobody_asked_for_it_and_it_is_not_tried_again),
		story(after_a_crash_it_counts_on),
		story(what_the_first_attempt_left_there_is_not_the_seconds),
		story(nor_is_what_was_cancelled_too_late),
		story(a_cancel_and_the_deadline_go_before_another_try),
	};

	return cmocka_run_group_tests_name("engine.policy", tests, NULL, NULL);
}
