/*
 * Where credentials are minted: who waits for a token, who does not, and what a missing one must never decide.
 */
#include "engine/rig.h"

static int setup(void **state)
{
	int r = rig_setup(state);
	struct rig *rig = *state;

	rig->plugins[0].mints = true;
	return r;
}

#define token_story(name) cmocka_unit_test_setup_teardown(name, setup, rig_teardown)

static bool is_for_a_token(const struct request *request)
{
	return strcmp(request->url, "https://tokens.test/") == 0;
}

static void grant(struct rig *rig)
{
	assert_true(is_for_a_token(the_request(rig)));
	reply(rig, 200, "a token");
}

static void one_token_serves_all_that_wait(void **state)
{
	struct rig *rig = *state;

	for (int i = 0; i < 4; i++)
		order(rig);
	assert_string_equal(the_request(rig)->method, "POST");
	assert_string_equal(the_request(rig)->body, "assertion");
	assert_int_equal(purchases(rig), 0);
	grant(rig);
	assert_int_equal(open_requests(rig), 4);
	assert_int_equal(purchases(rig), 4);
}

static void an_old_token_is_renewed_first(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = order_with(rig, &(struct engine_create){.timeout_ms = 48 * RIG_HOUR_MS});

	grant(rig);
	reply(rig, 201, "accepted id=v1");
	sleep_over(rig, &job);
	assert_true(request_ends_with(the_request(rig), "/poll"));
	reply_later(rig, 200, 0, "wait after=3700000");
	sleep_over(rig, &job);
	grant(rig);
	assert_true(request_ends_with(the_request(rig), "/poll"));
}

static void a_refused_key_holds_the_provider_and_buys_nothing(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = order(rig);

	reply(rig, 400, "invalid_grant");
	assert_state(rig, &job, JOB_STATE_QUEUED);
	assert_int_equal(look(rig, &job)->wait, JOB_WAIT_CREDENTIAL);
	assert_int_equal(open_requests(rig), 0);
	pass(rig, LIMIT_ENGINE_CREDENTIAL_MS);
	grant(rig);
	assert_int_equal(purchases(rig), 1);
}

static void an_endpoint_that_is_down_is_asked_again(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = order(rig);

	refuse_to_connect(rig);
	assert_state(rig, &job, JOB_STATE_QUEUED);
	assert_int_equal(look(rig, &job)->wait, JOB_WAIT_TOKEN);
	assert_true(look(rig, &job)->wait_until_ms > 0);
	assert_int_equal(look(rig, &job)->n_sends, 0);
	pass_until(rig, look(rig, &job)->wait_until_ms);
	reply(rig, 503, "<html>");
	assert_state(rig, &job, JOB_STATE_QUEUED);
	assert_int_equal(look(rig, &job)->wait, JOB_WAIT_TOKEN);
	pass_until(rig, look(rig, &job)->wait_until_ms);
	grant(rig);
	assert_int_equal(purchases(rig), 1);
}

static void a_running_job_waits_for_a_token_and_goes_on(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = order(rig);

	grant(rig);
	reply(rig, 201, "accepted id=v1");
	sleep_over(rig, &job);
	reply(rig, 401, "trouble reason=auth");
	sleep_over(rig, &job);
	assert_true(is_for_a_token(the_request(rig)));
	refuse_to_connect(rig);
	assert_state(rig, &job, JOB_STATE_RUNNING);
	sleep_over(rig, &job);
	grant(rig);
	reply(rig, 200, "wait status=working");
	assert_string_equal(look(rig, &job)->remote_state, "working");
}

/* The reply is there: whoever reads it needs no token. */
static void the_reply_to_a_purchase_waits_for_nothing(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = order(rig);

	grant(rig);
	rig->plugins[0].token_until_ms = 0;
	reply(rig, 201, "accepted id=v1");
	assert_state(rig, &job, JOB_STATE_RUNNING);
	assert_int_equal(open_requests(rig), 0);
}

static void a_doubt_does_not_end_for_want_of_a_token(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = order(rig);

	grant(rig);
	lose_reply(rig);
	rig->plugins[0].token_until_ms = 0;
	sleep_over(rig, &job);
	reply(rig, 400, "invalid_grant");
	assert_state(rig, &job, JOB_STATE_STARTING);
	sleep_over(rig, &job);
	refuse_to_connect(rig);
	assert_state(rig, &job, JOB_STATE_STARTING);
	sleep_over(rig, &job);
	grant(rig);
	reply(rig, 201, "accepted id=v1");
	assert_state(rig, &job, JOB_STATE_RUNNING);
	assert_int_equal(purchases(rig), 2);
}

static void who_asks_for_the_account_waits_too(void **state)
{
	struct rig *rig = *state;
	struct answer *answer = check_provider(rig, "maker");

	grant(rig);
	reply(rig, 200, "report text={}");
	await_answer(answer);
	assert_answer(answer, 0);

	rig->plugins[0].token_until_ms = 0;
	answer = check_provider(rig, "maker");
	reply(rig, 400, "invalid_grant");
	await_answer(answer);
	assert_answer(answer, ENGINE_E_CREDENTIAL);
}

/* The provider itself was not asked, and has refused nothing. */
static void without_a_token_it_is_said_that_nothing_was_sent(void **state)
{
	struct rig *rig = *state;
	struct answer *answer = check_provider(rig, "maker");

	refuse_to_connect(rig);
	await_answer(answer);
	assert_answer(answer, ENGINE_E_PROVIDER);
	assert_non_null(strstr(answer->text, "nothing was sent to the provider, for want of an access token: "
					     "the token endpoint could not be asked"));

	answer = check_provider(rig, "maker");
	reply(rig, 400, "invalid_grant");
	await_answer(answer);
	assert_answer(answer, ENGINE_E_CREDENTIAL);
	assert_string_equal(answer->text, "nothing was sent to the provider: no token: 400");
}

static void another_provider_needs_none(void **state)
{
	struct rig *rig = *state;

	order_with(rig, &(struct engine_create){.provider = "plain"});
	assert_int_equal(purchases(rig), 1);
}

static void an_end_while_a_token_is_fetched_loses_nothing(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = order(rig);

	assert_true(is_for_a_token(the_request(rig)));
	crash_and_restart(rig);
	assert_state(rig, &job, JOB_STATE_PREPARING);
	grant(rig);
	assert_int_equal(purchases(rig), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		token_story(one_token_serves_all_that_wait),
		token_story(an_old_token_is_renewed_first),
		token_story(a_refused_key_holds_the_provider_and_buys_nothing),
		token_story(an_endpoint_that_is_down_is_asked_again),
		token_story(a_running_job_waits_for_a_token_and_goes_on),
		token_story(the_reply_to_a_purchase_waits_for_nothing),
		token_story(a_doubt_does_not_end_for_want_of_a_token),
		token_story(who_asks_for_the_account_waits_too),
		token_story(without_a_token_it_is_said_that_nothing_was_sent),
		token_story(another_provider_needs_none),
		token_story(an_end_while_a_token_is_fetched_loses_nothing),
	};

	return cmocka_run_group_tests_name("engine.token", tests, NULL, NULL);
}
