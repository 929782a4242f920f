/*
 * Cancelling, in every state, and what the answer says was achieved.
 */
#include "engine/rig.h"

static void assert_achieved(const struct answer *answer, enum job_cancel_outcome achieved)
{
	assert_answer(answer, 0);
	assert_int_equal(answer->view.status->cancel_outcome, achieved);
}

static void assert_cancelled(struct rig *rig, const struct job_ref *job, enum job_cancel_outcome achieved,
			     enum job_purchase purchase)
{
	const struct job_status *status = look(rig, job);

	assert_string_equal(job_state_name(status->state), job_state_name(JOB_STATE_CANCELLED));
	assert_int_equal(status->cancel_outcome, achieved);
	assert_int_equal(status->failure.reason, JOB_REASON_CANCELLED);
	assert_int_equal(status->failure.purchase, purchase);
	assert_true(status->cancel_requested_ms > 0);
	assert_int_equal(provider(rig, "maker")->provider.running, 0);
}

/* ---- before anything was bought ---- */

static void a_queued_job_is_cancelled_for_nothing(void **state)
{
	struct rig *rig = *state;
	struct job_ref job;

	rig->providers[0].concurrency = 0;
	job = order(rig);
	assert_achieved(cancel(rig, &job), JOB_CANCEL_NEVER_SENT);
	assert_cancelled(rig, &job, JOB_CANCEL_NEVER_SENT, JOB_PURCHASE_NOTHING);
	assert_int_equal(provider(rig, "maker")->provider.queued, 0);
	rig->providers[0].concurrency = 8;
	order(rig);
	assert_int_equal(purchases(rig), 1);
}

static void a_job_that_waits_for_its_turn_again_is_cancelled_for_nothing(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = order(rig);

	refuse_to_connect(rig);
	assert_achieved(cancel(rig, &job), JOB_CANCEL_NEVER_SENT);
	pass(rig, RIG_HOUR_MS);
	assert_int_equal(purchases(rig), 1);
	assert_cancelled(rig, &job, JOB_CANCEL_NEVER_SENT, JOB_PURCHASE_NOTHING);
}

static void a_free_exchange_is_given_up(void **state)
{
	struct rig *rig = *state;
	struct job_ref job;
	const struct request *request;

	rig->plugins[0].begin[PLUGIN_VERB_START] = "read";
	job = order(rig);
	request = the_request(rig);
	assert_achieved(cancel(rig, &job), JOB_CANCEL_NEVER_SENT);
	assert_true(request->is_cancelled);
	assert_cancelled(rig, &job, JOB_CANCEL_NEVER_SENT, JOB_PURCHASE_NOTHING);
	assert_int_equal(purchases(rig), 0);
}

static void a_plugin_that_still_computes_does_not_buy_afterwards(void **state)
{
	struct rig *rig = *state;
	struct job_ref job;
	struct answer *answer;

	fake_runner_hold(&rig->runner);
	job = order(rig);
	assert_state(rig, &job, JOB_STATE_PREPARING);
	answer = cancel(rig, &job);
	assert_false(answer->is_there);
	fake_runner_release(&rig->runner);
	settle(rig);
	assert_achieved(answer, JOB_CANCEL_NEVER_SENT);
	assert_int_equal(purchases(rig), 0);
}

/* ---- while a purchase is undecided: a wish ---- */

/* STARTING, with a cancel that was answered REQUESTED. */
static struct job_ref wished_away(struct rig *rig, const char *provider_id)
{
	struct job_ref job = order_with(rig, &(struct engine_create){.provider = provider_id});

	assert_achieved(cancel(rig, &job), JOB_CANCEL_REQUESTED);
	assert_state(rig, &job, JOB_STATE_STARTING);
	assert_false(the_request(rig)->is_cancelled);
	return job;
}

static void a_wish_takes_effect_when_the_order_is_accepted(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = wished_away(rig, "maker");

	reply(rig, 201, "accepted id=v1");
	assert_true(request_ends_with(the_request(rig), "/cancel"));
	assert_string_equal(last_asked(&rig->runner, PLUGIN_VERB_CANCEL)->remote_id, "v1");
	reply(rig, 200, "cancelled achieved=achieved");
	assert_cancelled(rig, &job, JOB_CANCEL_UPSTREAM, JOB_PURCHASE_MADE);
	assert_string_equal(history(rig, &job), "queued preparing starting running cancelled");
}

static void a_wish_at_a_provider_without_cancel_detaches(void **state)
{
	struct rig *rig = *state;
	struct job_ref job;

	rig->plugins[0].cannot[PLUGIN_VERB_CANCEL] = true;
	job = wished_away(rig, "maker");
	reply(rig, 201, "accepted id=v1");
	assert_cancelled(rig, &job, JOB_CANCEL_DETACHED, JOB_PURCHASE_MADE);
	assert_int_equal(open_requests(rig), 0);
}

static void a_wish_for_what_was_refused_leaves_the_refusal(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = wished_away(rig, "maker");

	reply(rig, 422, "failed reason=moderated");
	assert_failed(rig, &job, JOB_REASON_MODERATED, JOB_PURCHASE_NOTHING);
	assert_int_equal(look(rig, &job)->cancel_outcome, JOB_CANCEL_TOO_LATE);
}

/* What became of it is on disk and on the wire before anything else happens to the job. */
static void a_wish_that_the_provider_finds_too_late_is_settled(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = wished_away(rig, "maker");
	uint64_t revision;

	reply(rig, 201, "accepted id=v1");
	revision = look(rig, &job)->revision;
	reply(rig, 409, "cancelled achieved=too_late");
	assert_int_equal(look(rig, &job)->cancel_outcome, JOB_CANCEL_TOO_LATE);
	assert_int_equal(look(rig, &job)->revision, revision + 1);
	assert_true(is_asleep(rig, &job));

	crash_and_restart(rig);
	assert_state(rig, &job, JOB_STATE_RUNNING);
	assert_int_equal(open_requests(rig), 0);
	sleep_over(rig, &job);
	assert_true(request_ends_with(the_request(rig), "/poll"));
}

static void a_wish_for_what_was_not_taken_costs_nothing(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = wished_away(rig, "maker");

	reply(rig, 429, "trouble reason=rate_limited");
	assert_cancelled(rig, &job, JOB_CANCEL_NEVER_SENT, JOB_PURCHASE_NOTHING);

	job = wished_away(rig, "plain");
	refuse_to_connect(rig);
	assert_cancelled(rig, &job, JOB_CANCEL_NEVER_SENT, JOB_PURCHASE_NOTHING);
	pass(rig, RIG_HOUR_MS);
	assert_int_equal(purchases(rig), 2);
}

static void a_wish_for_what_is_in_doubt_waits_for_the_repeat(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = wished_away(rig, "maker");

	lose_reply(rig);
	assert_state(rig, &job, JOB_STATE_STARTING);
	assert_achieved(cancel(rig, &job), JOB_CANCEL_REQUESTED);
	sleep_over(rig, &job);
	reply(rig, 201, "accepted id=v1");
	reply(rig, 200, "cancelled achieved=achieved");
	assert_cancelled(rig, &job, JOB_CANCEL_UPSTREAM, JOB_PURCHASE_MADE);
}

static void a_wish_for_what_is_uncertain_is_kept(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = wished_away(rig, "plain");

	lose_reply(rig);
	assert_state(rig, &job, JOB_STATE_UNCERTAIN);
	assert_int_equal(look(rig, &job)->cancel_outcome, JOB_CANCEL_REQUESTED);
	assert_achieved(cancel(rig, &job), JOB_CANCEL_REQUESTED);
	job = uncertain_job(rig);
	assert_achieved(cancel(rig, &job), JOB_CANCEL_REQUESTED);
	assert_state(rig, &job, JOB_STATE_UNCERTAIN);
}

static void a_wish_survives_a_crash(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = wished_away(rig, "maker");

	crash_and_restart(rig);
	sleep_over(rig, &job);
	reply(rig, 201, "accepted id=v1");
	reply(rig, 200, "cancelled achieved=achieved");
	assert_cancelled(rig, &job, JOB_CANCEL_UPSTREAM, JOB_PURCHASE_MADE);
}

static void the_same_wish_twice_is_one_change(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = wished_away(rig, "maker");
	uint64_t revision = look(rig, &job)->revision;

	assert_achieved(cancel(rig, &job), JOB_CANCEL_REQUESTED);
	assert_int_equal(look(rig, &job)->revision, revision);
}

/* ---- what was bought ---- */

static void a_running_job_is_cancelled_at_the_provider(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = running_job(rig);
	struct answer *answer = cancel(rig, &job);

	assert_false(answer->is_there);
	assert_true(request_ends_with(the_request(rig), "/cancel"));
	reply(rig, 200, "cancelled achieved=achieved");
	assert_achieved(answer, JOB_CANCEL_UPSTREAM);
	assert_cancelled(rig, &job, JOB_CANCEL_UPSTREAM, JOB_PURCHASE_MADE);
	pass(rig, RIG_HOUR_MS);
	assert_int_equal(open_requests(rig), 0);
}

static void a_cancel_gives_up_the_poll_that_is_under_way(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = running_job(rig);
	const struct request *poll;

	sleep_over(rig, &job);
	poll = the_request(rig);
	cancel(rig, &job);
	assert_true(poll->is_cancelled);
	reply(rig, 200, "cancelled achieved=achieved");
	assert_state(rig, &job, JOB_STATE_CANCELLED);
}

static void a_cancel_that_comes_too_late_lets_the_job_go_on(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = running_job(rig);
	struct answer *answer = cancel(rig, &job);

	reply(rig, 409, "cancelled achieved=too_late");
	assert_achieved(answer, JOB_CANCEL_TOO_LATE);
	assert_state(rig, &job, JOB_STATE_RUNNING);
	sleep_over(rig, &job);
	reply(rig, 200, "done video=https://maker.test/file/1");
	deliver(rig, a_video());
	assert_state(rig, &job, JOB_STATE_SUCCEEDED);
	assert_int_equal(provider(rig, "maker")->provider.running, 0);
}

static void a_cancel_that_nobody_confirms_detaches(void **state)
{
	static const struct said ends[] = {
		{.status = 500, .body = "trouble reason=unavailable"},
		{.status = 404, .body = "failed reason=not_found"},
		{.status = 200, .body = "cancelled achieved=unknown"},
		{.status = 200, .body = "cancelled achieved=not_possible"},
		{.status = 200, .body = "fault"},
		{.kind = HTTP_AMBIGUOUS, .error = -ETIMEDOUT, .may_have_left = true},
		{.kind = HTTP_NOT_SENT, .error = -ECONNREFUSED},
	};
	struct rig *rig = *state;

	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		struct job_ref job = running_job(rig);
		struct answer *answer = cancel(rig, &job);

		answer_request(rig, the_request(rig), &ends[i]);
		assert_achieved(answer, JOB_CANCEL_DETACHED);
		assert_cancelled(rig, &job, JOB_CANCEL_DETACHED, JOB_PURCHASE_MADE);
	}
}

static void a_cancel_can_not_buy(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = running_job(rig);

	rig->plugins[0].begin[PLUGIN_VERB_CANCEL] = "buy";
	assert_achieved(cancel(rig, &job), JOB_CANCEL_DETACHED);
	assert_int_equal(purchases(rig), 1);
}

static void a_cancel_that_leads_nowhere_ends(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = running_job(rig);
	struct answer *answer = cancel(rig, &job);

	for (int i = 0; i < LIMIT_ENGINE_VERB_HOPS; i++)
		reply(rig, 200, "read");
	assert_achieved(answer, JOB_CANCEL_DETACHED);
	assert_int_equal(open_requests(rig), 0);
}

static void a_provider_without_cancel_detaches_at_once(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = running_job(rig);

	rig->plugins[0].cannot[PLUGIN_VERB_CANCEL] = true;
	assert_achieved(cancel(rig, &job), JOB_CANCEL_DETACHED);
	assert_cancelled(rig, &job, JOB_CANCEL_DETACHED, JOB_PURCHASE_MADE);
}

/* Whoever asked at the same time hears of the same end. */
static void two_cancels_at_once_are_both_answered(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = running_job(rig);
	struct answer *first = cancel(rig, &job), *second = cancel(rig, &job);

	reply(rig, 200, "cancelled achieved=achieved");
	assert_achieved(first, JOB_CANCEL_UPSTREAM);
	assert_achieved(second, JOB_CANCEL_UPSTREAM);
}

static void what_is_being_stored_is_kept(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = storing_job(rig);
	uint64_t revision = look(rig, &job)->revision;

	assert_achieved(cancel(rig, &job), JOB_CANCEL_TOO_LATE);
	assert_int_equal(look(rig, &job)->revision, revision);
	deliver(rig, a_video());
	assert_state(rig, &job, JOB_STATE_SUCCEEDED);
	assert_int_equal(look(rig, &job)->cancel_outcome, JOB_CANCEL_NONE);
}

static void what_has_ended_is_left_alone(void **state)
{
	struct rig *rig = *state;
	struct job_ref done = succeeded_job(rig), gone;
	uint64_t revision = look(rig, &done)->revision;

	assert_achieved(cancel(rig, &done), JOB_CANCEL_TOO_LATE);
	assert_int_equal(look(rig, &done)->revision, revision);
	gone = order(rig);
	refuse_to_connect(rig);
	cancel(rig, &gone);
	assert_achieved(cancel(rig, &gone), JOB_CANCEL_NEVER_SENT);
}

static void a_job_that_never_was_is_not_found(void **state)
{
	struct rig *rig = *state;
	struct job_ref nobody = {.tenant = JOB_TENANT_DEFAULT, .id = id_new(now_ms())};

	assert_answer(cancel(rig, &nobody), ENGINE_E_NOT_FOUND);
	assert_answer(get(rig, &nobody), ENGINE_E_NOT_FOUND);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		story(a_queued_job_is_cancelled_for_nothing),
		story(a_job_that_waits_for_its_turn_again_is_cancelled_for_nothing),
		story(a_free_exchange_is_given_up),
		story(a_plugin_that_still_computes_does_not_buy_afterwards),
		story(a_wish_takes_effect_when_the_order_is_accepted),
		story(a_wish_at_a_provider_without_cancel_detaches),
		story(a_wish_for_what_was_refused_leaves_the_refusal),
		story(a_wish_that_the_provider_finds_too_late_is_settled),
		story(a_wish_for_what_was_not_taken_costs_nothing),
		story(a_wish_for_what_is_in_doubt_waits_for_the_repeat),
		story(a_wish_for_what_is_uncertain_is_kept),
		story(a_wish_survives_a_crash),
		story(the_same_wish_twice_is_one_change),
		story(a_running_job_is_cancelled_at_the_provider),
		story(a_cancel_gives_up_the_poll_that_is_under_way),
		story(a_cancel_that_comes_too_late_lets_the_job_go_on),
		story(a_cancel_that_nobody_confirms_detaches),
		story(a_cancel_can_not_buy),
		story(a_cancel_that_leads_nowhere_ends),
		story(a_provider_without_cancel_detaches_at_once),
		story(two_cancels_at_once_are_both_answered),
		story(what_is_being_stored_is_kept),
		story(what_has_ended_is_left_alone),
		story(a_job_that_never_was_is_not_found),
	};

	return cmocka_run_group_tests_name("engine.cancel", tests, NULL, NULL);
}
