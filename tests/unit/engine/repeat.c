/*
 * Doubts: a purchase that may have happened. With a key that the provider still honours it is asked for again in the
 * same words; otherwise nothing more is sent, and the job says UNCERTAIN.
 */
#include "engine/rig.h"

#define WINDOW_MS (INT64_C(86400000) - INT64_C(8640000)) /* maker's day, less a tenth */

/* An order of "maker" whose first reply was lost. */
static struct job_ref doubtful_job(struct rig *rig)
{
	struct job_ref job = order(rig);

	lose_reply(rig);
	assert_state(rig, &job, JOB_STATE_STARTING);
	assert_int_equal(last_send(look(rig, &job))->class, JOB_SEND_AMBIGUOUS);
	assert_int_equal(open_requests(rig), 0);
	return job;
}

static void assert_held(struct rig *rig, const struct job_ref *job, size_t sent)
{
	assert_state(rig, job, JOB_STATE_UNCERTAIN);
	assert_int_equal(look(rig, job)->failure.purchase, JOB_PURCHASE_UNKNOWN);
	assert_int_equal(open_requests(rig), 0);
	pass(rig, 48 * RIG_HOUR_MS);
	assert_state(rig, job, JOB_STATE_UNCERTAIN);
	assert_int_equal(purchases(rig), sent);
}

static void a_lost_reply_is_asked_for_again_in_the_same_words(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = order(rig);
	const struct request *first = the_request(rig), *second;
	const struct job_status *status;

	lose_reply(rig);
	sleep_over(rig, &job);
	second = the_request(rig);
	assert_true(second->flags & HTTP_ONCE);
	assert_string_equal(second->body, first->body);
	assert_string_equal(request_header(second, "Idempotency-Key"), request_header(first, "Idempotency-Key"));

	reply(rig, 201, "accepted id=v1");
	status = look(rig, &job);
	assert_int_equal(status->state, JOB_STATE_RUNNING);
	assert_int_equal(status->n_sends, 2);
	assert_int_equal(status->sends[0].class, JOB_SEND_ACCEPTED);
	assert_int_equal(status->sends[1].class, JOB_SEND_ACCEPTED);
	assert_memory_equal(&status->sends[0].fingerprint, &status->sends[1].fingerprint, sizeof(struct digest));
	assert_int_equal(status->n_attempts, 1);
}

static void every_end_that_may_have_left_is_a_doubt(void **state)
{
	static const struct said ends[] = {
		{.kind = HTTP_AMBIGUOUS, .error = -ETIMEDOUT, .may_have_left = true},
		{.kind = HTTP_TOO_LARGE, .error = -EMSGSIZE, .may_have_left = true, .status = 200},
		{.kind = HTTP_ABORTED, .error = -ECANCELED, .may_have_left = true},
		{.status = 500, .body = "failed reason=provider_fault"},
		{.status = 502, .body = "trouble reason=unavailable"},
		{.status = 200, .body = "failed reason=unknown"},
		{.status = 422, .body = "failed reason=moderated bought=unknown"},
		{.status = 409, .body = "trouble reason=in_progress"},
		{.status = 202, .body = "wait"},
	};
	struct rig *rig = *state;

	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		struct job_ref keyed = order(rig), plain;

		answer_request(rig, the_request(rig), &ends[i]);
		assert_state(rig, &keyed, JOB_STATE_STARTING);
		assert_int_equal(last_send(look(rig, &keyed))->class, JOB_SEND_AMBIGUOUS);
		sleep_over(rig, &keyed);
		reply(rig, 201, "accepted id=v1");
		assert_state(rig, &keyed, JOB_STATE_RUNNING);

		plain = order_with(rig, &(struct engine_create){.provider = "plain"});
		answer_request(rig, the_request(rig), &ends[i]);
		assert_state(rig, &plain, JOB_STATE_UNCERTAIN);
		cancel(rig, &keyed);
		reply(rig, 200, "cancelled achieved=achieved");
	}
}

static void without_a_key_a_lost_reply_is_held_and_nothing_more_is_sent(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = uncertain_job(rig);

	assert_string_equal(history(rig, &job), "queued preparing starting uncertain");
	assert_held(rig, &job, 1);
	crash_and_restart(rig);
	assert_held(rig, &job, 1);
}

static void a_provider_that_is_still_at_it_is_asked_when_it_says(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = order(rig);

	reply_later(rig, 409, 5, "trouble reason=in_progress");
	assert_int_equal(sleep_over(rig, &job), 5000);
	reply(rig, 409, "trouble reason=in_progress");
	sleep_over(rig, &job);
	reply(rig, 201, "accepted id=v1");
	assert_state(rig, &job, JOB_STATE_RUNNING);
}

/* The key would have been replayed if the first send had bought: about the request there is nothing left to doubt. */
static void a_repeat_that_is_refused_for_what_it_says_settles_the_doubt(void **state)
{
	static const char *const words[] = {"failed reason=invalid_input", "failed reason=moderated"};
	struct rig *rig = *state;

	for (size_t i = 0; i < 2; i++) {
		struct job_ref job = doubtful_job(rig);

		sleep_over(rig, &job);
		reply(rig, 422, words[i]);
		assert_state(rig, &job, JOB_STATE_FAILED);
		assert_int_equal(look(rig, &job)->failure.purchase, JOB_PURCHASE_NOTHING);
		assert_int_equal(look(rig, &job)->sends[0].class, JOB_SEND_REFUSED);
		assert_int_equal(look(rig, &job)->sends[1].class, JOB_SEND_REFUSED);
	}
}

/* An account without credit, a rate limit or a refused key say nothing about the first send. */
static void a_repeat_that_is_refused_for_another_reason_leaves_the_doubt(void **state)
{
	static const struct {
		int status;
		const char *words;
	} refusals[] = {
		{402, "failed reason=no_credit"},
		{429, "trouble reason=rate_limited"},
		{401, "failed reason=auth"},
		{400, "failed reason=provider_fault"},
	};
	struct rig *rig = *state;
	struct job_ref job = doubtful_job(rig);
	char *key = strdup(look(rig, &job)->sends[0].idempotency_key);

	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
		sleep_over(rig, &job);
		reply(rig, refusals[i].status, refusals[i].words);
		assert_state(rig, &job, JOB_STATE_STARTING);
		assert_int_equal(look(rig, &job)->sends[0].class, JOB_SEND_AMBIGUOUS);
	}
	sleep_over(rig, &job);
	assert_string_equal(request_header(the_request(rig), "Idempotency-Key"), key);
	reply(rig, 201, "accepted id=v1");
	assert_state(rig, &job, JOB_STATE_RUNNING);
	free(key);
}

static void a_repeat_that_never_left_leaves_the_doubt(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = doubtful_job(rig);

	sleep_over(rig, &job);
	refuse_to_connect(rig);
	assert_state(rig, &job, JOB_STATE_STARTING);
	sleep_over(rig, &job);
	reply(rig, 201, "accepted id=v1");
	assert_state(rig, &job, JOB_STATE_RUNNING);
	assert_int_equal(look(rig, &job)->sends[0].class, JOB_SEND_ACCEPTED);
}

static void a_doubt_is_repeated_while_the_key_holds_and_not_a_moment_longer(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = order(rig);
	int64_t begin_ms = now_ms(), last_ms = begin_ms;
	size_t sent = 0;

	while (open_requests(rig)) {
		last_ms = now_ms();
		lose_reply(rig);
		sent++;
		if (look(rig, &job)->state == JOB_STATE_STARTING)
			assert_true(sleep_over(rig, &job) <= LIMIT_ENGINE_REPEAT_CAP_MS);
	}
	assert_true(last_ms - begin_ms < WINDOW_MS);
	assert_true(last_ms - begin_ms > WINDOW_MS - 2 * LIMIT_ENGINE_REPEAT_CAP_MS);
	assert_true(sent > LIMIT_ENGINE_BAD_FILES);
	assert_true(look(rig, &job)->n_sends <= LIMIT_ENGINE_SENDS);
	assert_held(rig, &job, sent);
}

static void the_window_ends_at_the_tenth_before_its_end(void **state)
{
	struct rig *rig = *state;
	struct job_ref outside;

	order(rig);
	lose_reply(rig);
	pass(rig, WINDOW_MS - 1);
	assert_int_equal(open_requests(rig), 1);
	reply(rig, 422, "failed reason=invalid_input");

	outside = order(rig);
	lose_reply(rig);
	pass(rig, WINDOW_MS);
	assert_int_equal(open_requests(rig), 0);
	assert_state(rig, &outside, JOB_STATE_UNCERTAIN);
}

static void a_clock_that_went_back_proves_nothing(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = doubtful_job(rig);

	set_back(RIG_HOUR_MS);
	sleep_over(rig, &job);
	assert_held(rig, &job, 1);
}

static void another_base_url_is_another_provider(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = doubtful_job(rig);

	rig_crash(rig);
	rig->providers[0].base_url = "https://other.test";
	rig_start(rig);
	assert_held(rig, &job, 1);
}

static void a_request_that_would_say_something_else_is_not_sent(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = doubtful_job(rig);

	rig->plugins[0].salt = " and a hen";
	sleep_over(rig, &job);
	assert_held(rig, &job, 1);
}

static void a_plugin_that_cannot_build_the_request_again_fails_nothing(void **state)
{
	static const char *const words[] = {"read", "failed reason=invalid_input", "fault", "wait"};
	struct rig *rig = *state;

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		struct job_ref job = doubtful_job(rig);

		rig->plugins[0].begin[PLUGIN_VERB_START] = words[i];
		sleep_over(rig, &job);
		assert_state(rig, &job, JOB_STATE_UNCERTAIN);
		assert_int_equal(open_requests(rig), 0);
		rig->plugins[0].begin[PLUGIN_VERB_START] = "buy";
	}
}

static void a_plugin_that_lost_its_keys_repeats_nothing(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = doubtful_job(rig);

	rig->plugins[0].has_keys = false;
	sleep_over(rig, &job);
	assert_held(rig, &job, 1);
}

static void a_free_exchange_that_is_lost_behind_a_purchase_is_a_doubt(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = order(rig);

	reply(rig, 202, "read");
	lose_reply(rig);
	assert_state(rig, &job, JOB_STATE_STARTING);
	sleep_over(rig, &job);
	assert_true(the_request(rig)->flags & HTTP_ONCE);
	reply(rig, 201, "accepted id=v1");
	assert_state(rig, &job, JOB_STATE_RUNNING);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		story(a_lost_reply_is_asked_for_again_in_the_same_words),
		story(every_end_that_may_have_left_is_a_doubt),
		story(without_a_key_a_lost_reply_is_held_and_nothing_more_is_sent),
		story(a_provider_that_is_still_at_it_is_asked_when_it_says),
		story(a_repeat_that_is_refused_for_what_it_says_settles_the_doubt),
		story(a_repeat_that_is_refused_for_another_reason_leaves_the_doubt),
		story(a_repeat_that_never_left_leaves_the_doubt),
		story(a_doubt_is_repeated_while_the_key_holds_and_not_a_moment_longer),
		story(the_window_ends_at_the_tenth_before_its_end),
		story(a_clock_that_went_back_proves_nothing),
		story(another_base_url_is_another_provider),
		story(a_request_that_would_say_something_else_is_not_sent),
		story(a_plugin_that_cannot_build_the_request_again_fails_nothing),
		story(a_plugin_that_lost_its_keys_repeats_nothing),
		story(a_free_exchange_that_is_lost_behind_a_purchase_is_a_doubt),
	};

	return cmocka_run_group_tests_name("engine.repeat", tests, NULL, NULL);
}
