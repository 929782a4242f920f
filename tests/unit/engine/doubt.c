/*
 * What must not end a doubt by accident: a full disk, a long list, another key, a reply that speaks of something else.
 */
#include "engine/rig.h"

static struct job_ref doubtful_job(struct rig *rig)
{
	struct job_ref job = order(rig);

	lose_reply(rig);
	assert_state(rig, &job, JOB_STATE_STARTING);
	return job;
}

static void a_full_disk_does_not_send_a_doubt_back_to_the_queue(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = doubtful_job(rig);
	char *key = strdup(last_send(look(rig, &job))->idempotency_key);

	rig_crash(rig);
	rig->providers[0].expected_bytes = UINT64_MAX / 4;
	rig_start(rig);
	sleep_over(rig, &job);
	assert_state(rig, &job, JOB_STATE_STARTING);
	assert_string_equal(request_header(the_request(rig), "Idempotency-Key"), key);
	reply(rig, 201, "accepted id=v1");
	assert_state(rig, &job, JOB_STATE_RUNNING);
	free(key);
}

/* As long a list as there may be, and the last send is a doubt. */
static void a_long_list_of_refusals_hides_no_doubt(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = order_with(rig, &(struct engine_create){.timeout_ms = 48 * RIG_HOUR_MS});
	char *key;

	for (int i = 1; i < LIMIT_ENGINE_SENDS; i++) {
		reply_later(rig, 429, 30, "trouble reason=rate_limited");
		assert_state(rig, &job, JOB_STATE_QUEUED);
		pass_until(rig, look(rig, &job)->wait_until_ms);
	}
	key = strdup(request_header(the_request(rig), "Idempotency-Key"));
	lose_reply(rig);
	for (int i = 0; i < 3; i++) {
		sleep_over(rig, &job);
		assert_string_equal(request_header(the_request(rig), "Idempotency-Key"), key);
		reply(rig, 429, "trouble reason=rate_limited");
		assert_state(rig, &job, JOB_STATE_STARTING);
	}
	sleep_over(rig, &job);
	refuse_to_connect(rig);
	sleep_over(rig, &job);
	assert_string_equal(request_header(the_request(rig), "Idempotency-Key"), key);
	reply(rig, 201, "accepted id=v1");
	assert_state(rig, &job, JOB_STATE_RUNNING);
	assert_true(look(rig, &job)->n_sends <= LIMIT_ENGINE_SENDS);
	free(key);
}

/* A reply that was stored is read in the place of no other one. */
static void the_reply_of_an_earlier_send_is_not_read_for_the_last(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = order_with(rig, &(struct engine_create){.timeout_ms = 48 * RIG_HOUR_MS});

	for (int i = 0; i < LIMIT_ENGINE_SENDS; i++) {
		reply_later(rig, 429, 30, "trouble reason=rate_limited");
		pass_until(rig, look(rig, &job)->wait_until_ms);
	}
	assert_state(rig, &job, JOB_STATE_STARTING);
	assert_int_equal(look(rig, &job)->n_sends, LIMIT_ENGINE_SENDS);
	crash_and_restart(rig);
	assert_state(rig, &job, JOB_STATE_STARTING);
	assert_int_equal(last_send(look(rig, &job))->class, JOB_SEND_AMBIGUOUS);
}

static void the_window_is_counted_from_the_first_doubt_however_many_follow(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = order(rig);
	int64_t first_ms = last_send(look(rig, &job))->created_ms;
	const struct job_status *status;

	for (int i = 0; i < 2 * LIMIT_ENGINE_SENDS; i++) {
		reply_later(rig, 409, 5, "trouble reason=in_progress");
		sleep_over(rig, &job);
	}
	status = look(rig, &job);
	assert_int_equal(status->n_sends, LIMIT_ENGINE_SENDS);
	assert_int_equal(status->sends[0].class, JOB_SEND_AMBIGUOUS);
	assert_int_equal(status->sends[0].created_ms, first_ms);
}

static void a_held_job_says_what_became_of_its_order(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = uncertain_job(rig);
	const char *why = look(rig, &job)->failure.message;

	assert_non_null(strstr(why, "a paid request is undecided: the test says: "));
	assert_non_null(strstr(why, ", and no key protects a repeat; look at the provider's account"));
}

static void another_key_may_be_another_account(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = doubtful_job(rig);

	rig_crash(rig);
	rig->providers[0].account_digest = digest_of(bytes_of_text("another key"));
	rig_start(rig);
	assert_state(rig, &job, JOB_STATE_UNCERTAIN);
	assert_non_null(strstr(look(rig, &job)->failure.message, "was lost, and its key no longer protects a repeat"));
	assert_int_equal(open_requests(rig), 0);
}

static void no_advice_makes_a_repeat_wait_until_the_key_is_worth_nothing(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = order_with(rig, &(struct engine_create){.timeout_ms = 48 * RIG_HOUR_MS});

	reply_later(rig, 503, 24 * 3600, "trouble reason=unavailable");
	sleep_over(rig, &job);
	assert_state(rig, &job, JOB_STATE_STARTING);
	reply(rig, 201, "accepted id=v1");
	assert_state(rig, &job, JOB_STATE_RUNNING);
}

static void a_free_exchange_after_the_purchase_proves_nothing_about_it(void **state)
{
	static const char *const words[] = {"trouble reason=not_found", "failed reason=provider_fault",
					    "trouble reason=rate_limited"};
	struct rig *rig = *state;

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		struct job_ref job = order(rig);

		reply(rig, 202, "read");
		reply(rig, 404, words[i]);
		assert_state(rig, &job, JOB_STATE_STARTING);
		assert_int_equal(last_send(look(rig, &job))->class, JOB_SEND_AMBIGUOUS);
		assert_int_equal(last_send(look(rig, &job))->http_status, 202);
		sleep_over(rig, &job);
		reply(rig, 201, "accepted id=v1");
		cancel(rig, &job);
		reply(rig, 200, "cancelled achieved=achieved");
	}
}

static void nor_does_one_that_is_lost(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = order(rig);

	reply(rig, 202, "read");
	lose_reply(rig);
	assert_state(rig, &job, JOB_STATE_STARTING);
	assert_int_equal(last_send(look(rig, &job))->class, JOB_SEND_AMBIGUOUS);
	sleep_over(rig, &job);
	reply(rig, 201, "accepted id=v1");
	assert_state(rig, &job, JOB_STATE_RUNNING);
}

static void a_stored_reply_is_read_in_the_phase_of_the_purchase(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = order(rig);
	uint32_t phase;

	reply(rig, 202, "read");
	phase = last_asked(&rig->runner, PLUGIN_VERB_START)->phase;
	assert_answer(update(rig, &(struct engine_update){.ref = job, .has_priority = true, .priority = 5}), 0);
	crash_and_restart(rig);
	assert_int_equal(last_asked(&rig->runner, PLUGIN_VERB_START)->phase, phase);
	assert_string_equal(last_asked(&rig->runner, PLUGIN_VERB_START)->reply, "read");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		story(a_full_disk_does_not_send_a_doubt_back_to_the_queue),
		story(a_long_list_of_refusals_hides_no_doubt),
		story(the_reply_of_an_earlier_send_is_not_read_for_the_last),
		story(the_window_is_counted_from_the_first_doubt_however_many_follow),
		story(a_held_job_says_what_became_of_its_order),
		story(another_key_may_be_another_account),
		story(no_advice_makes_a_repeat_wait_until_the_key_is_worth_nothing),
		story(a_free_exchange_after_the_purchase_proves_nothing_about_it),
		story(nor_does_one_that_is_lost),
		story(a_stored_reply_is_read_in_the_phase_of_the_purchase),
	};

	return cmocka_run_group_tests_name("engine.doubt", tests, NULL, NULL);
}
