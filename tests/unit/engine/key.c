/*
 * Generations of keys: what was ordered with one stays with it, and new jobs have the newest. The rig's keys are told
 * apart by where they lead: a step with the second account's asks "plain.test".
 */
#include "engine/rig.h"

static const struct digest old_digest = {.bytes = {1}}, new_digest = {.bytes = {2}}, other_digest = {.bytes = {3}};

static void set_key(struct rig *rig, const struct digest *digest)
{
	rig->providers[0].account_digest = *digest;
}

/* From the next start on "maker" has a new key, and the old one, whose account is that of "plain", beside it. */
static void rotate(struct rig *rig, const struct digest *previous)
{
	static struct engine_key key;

	key.account = (const struct plugin_account *)(const void *)&rig->plugins[1];
	key.digest = *previous;
	set_key(rig, &new_digest);
	rig->providers[0].previous_keys = &key;
	rig->providers[0].n_previous_keys = 1;
	crash_and_restart(rig);
}

static int setup(void **state)
{
	int r = rig_setup(state);
	struct rig *rig = *state;

	set_key(rig, &old_digest);
	crash_and_restart(rig);
	return r;
}

#define key_story(name) cmocka_unit_test_setup_teardown(name, setup, rig_teardown)

static void what_runs_is_polled_with_its_own_key_and_new_jobs_have_the_new_one(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = running_job(rig), next;

	rotate(rig, &old_digest);
	sleep_over(rig, &job);
	assert_string_equal(the_request(rig)->url, "https://plain.test/poll");
	reply(rig, 200, "wait after=600000");
	next = order(rig);
	assert_string_equal(the_request(rig)->url, "https://maker.test/buy");
	reply(rig, 201, "accepted id=v2");
	assert_memory_equal(&last_send(look(rig, &next))->account, &new_digest, sizeof(new_digest));
	sleep_over(rig, &next);
	assert_string_equal(the_request(rig)->url, "https://maker.test/poll");
}

static void it_is_cancelled_with_its_own_key_too(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = running_job(rig);

	rotate(rig, &old_digest);
	cancel(rig, &job);
	assert_string_equal(the_request(rig)->url, "https://plain.test/cancel");
}

/* It was found in the list of one account, and another one does not know it. */
static void what_was_adopted_stays_with_the_key_that_found_it(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = adopt_listed(rig, "o/x1");

	rotate(rig, &old_digest);
	sleep_over(rig, &job);
	assert_string_equal(the_request(rig)->url, "https://plain.test/poll");
	reply(rig, 200, "done video=https://maker.test/file/1");
	deliver(rig, a_video());
	assert_state(rig, &job, JOB_STATE_SUCCEEDED);
	delete_job(rig, &job, ENGINE_DELETE_REMOVE_REMOTE);
	assert_string_equal(the_request(rig)->url, "https://plain.test/remove");
}

static void a_key_that_is_not_configured_is_stood_in_for_by_the_current_one(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = running_job(rig);

	rotate(rig, &other_digest);
	sleep_over(rig, &job);
	assert_string_equal(the_request(rig)->url, "https://maker.test/poll");
}

/* The repeat carries the key of the order, so it must be signed by who ordered. */
static void a_doubt_is_repeated_with_the_key_of_its_order(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = order(rig);

	lose_reply(rig);
	/* What the accounts build is the same, but for where it goes. */
	rig->plugins[1].has_keys = true;
	rotate(rig, &old_digest);
	assert_state(rig, &job, JOB_STATE_STARTING);
	sleep_over(rig, &job);
	assert_string_equal(the_request(rig)->url, "https://plain.test/buy");
	assert_memory_equal(&last_send(look(rig, &job))->account, &old_digest, sizeof(old_digest));
	assert_int_equal(look(rig, &job)->n_sends, 2);
}

static void a_doubt_whose_key_is_gone_is_not_repeated(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = order(rig);

	lose_reply(rig);
	rotate(rig, &other_digest);
	assert_state(rig, &job, JOB_STATE_UNCERTAIN);
	assert_int_equal(purchases(rig), 1);
}

static void what_was_refused_is_ordered_anew_with_the_new_key(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = order(rig);

	reply(rig, 503, "trouble reason=unavailable bought=none");
	rotate(rig, &old_digest);
	pass_until(rig, look(rig, &job)->wait_until_ms);
	assert_string_equal(the_request(rig)->url, "https://maker.test/buy");
	assert_memory_equal(&last_send(look(rig, &job))->account, &new_digest, sizeof(new_digest));
}

static void an_old_key_that_is_refused_holds_up_its_job_alone(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = running_job(rig), next;

	rotate(rig, &old_digest);
	sleep_over(rig, &job);
	reply(rig, 401, "trouble reason=auth");
	assert_state(rig, &job, JOB_STATE_RUNNING);
	assert_int_equal(look(rig, &job)->wait, JOB_WAIT_CREDENTIAL);
	assert_string_equal(provider(rig, "maker")->problem, "");
	next = order(rig);
	assert_state(rig, &next, JOB_STATE_STARTING);
	reply_to(rig, &next, 400, "failed reason=invalid_input");
	/* It is asked again, and goes on when the key is taken. */
	assert_int_equal(sleep_over(rig, &job), LIMIT_ENGINE_CREDENTIAL_MS);
	reply(rig, 200, "wait");
	assert_int_equal(look(rig, &job)->wait, JOB_WAIT_NONE);
}

static void how_many_there_are_is_told(void **state)
{
	struct rig *rig = *state;

	assert_int_equal(provider(rig, "maker")->provider.previous_keys, 0);
	rotate(rig, &old_digest);
	assert_int_equal(provider(rig, "maker")->provider.previous_keys, 1);
}

/* Each key has a token of its own, and waits for its own alone. */
static void each_key_mints_its_own_token(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = running_job(rig), next;

	struct request *asked;

	rig->plugins[0].mints = rig->plugins[1].mints = true;
	rotate(rig, &old_digest);
	sleep_over(rig, &job);
	asked = the_request(rig);
	assert_string_equal(asked->url, "https://tokens.test/");
	next = order(rig);
	assert_int_equal(open_requests(rig), 2);
	answer_request(rig, asked, &(struct said){.status = 200, .body = "a token"});
	assert_true(rig->plugins[1].token_until_ms > 0);
	assert_true(rig->plugins[0].token_until_ms == 0);
	assert_int_equal(open_requests(rig), 2);
	assert_state(rig, &next, JOB_STATE_PREPARING);
	assert_int_equal(purchases(rig), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		key_story(what_runs_is_polled_with_its_own_key_and_new_jobs_have_the_new_one),
		key_story(it_is_cancelled_with_its_own_key_too),
		key_story(what_was_adopted_stays_with_the_key_that_found_it),
		key_story(a_key_that_is_not_configured_is_stood_in_for_by_the_current_one),
		key_story(a_doubt_is_repeated_with_the_key_of_its_order),
		key_story(a_doubt_whose_key_is_gone_is_not_repeated),
		key_story(what_was_refused_is_ordered_anew_with_the_new_key),
		key_story(an_old_key_that_is_refused_holds_up_its_job_alone),
		key_story(how_many_there_are_is_told),
		key_story(each_key_mints_its_own_token),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
