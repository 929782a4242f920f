/*
 * RUNNING: what a poll says, and what it must not decide. And PREPARING, which is made of the same free exchanges.
 */
#include "engine/rig.h"

#include "capture.h"

/* ---- RUNNING ---- */

static void news_is_written_and_nothing_else_is(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = running_job(rig);
	uint64_t revision;

	sleep_over(rig, &job);
	reply(rig, 200, "wait permille=420 status=rendering");
	assert_int_equal(look(rig, &job)->progress_percent, 42);
	assert_string_equal(look(rig, &job)->remote_state, "rendering");
	revision = look(rig, &job)->revision;

	for (int i = 0; i < 5; i++) {
		sleep_over(rig, &job);
		reply(rig, 200, "wait permille=420 status=rendering");
	}
	assert_int_equal(look(rig, &job)->revision, revision);
	sleep_over(rig, &job);
	reply(rig, 200, "wait permille=420 status=muxing");
	assert_int_equal(look(rig, &job)->revision, revision + 1);
	sleep_over(rig, &job);
	reply(rig, 200, "wait permille=420 status=muxing state={\"page\":2}");
	assert_int_equal(look(rig, &job)->revision, revision + 2);
	assert_string_equal(look(rig, &job)->plugin_state, "{\"page\":2}");
}

static void the_provider_sets_the_pace(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = order(rig);

	reply(rig, 201, "accepted id=v1 after=12000");
	assert_int_equal(sleep_over(rig, &job), 12000);
	reply(rig, 200, "wait after=700");
	assert_int_equal(sleep_over(rig, &job), 700);
}

static void without_advice_the_pause_grows_to_its_bound(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = running_job(rig);
	int64_t last_ms = 0;

	for (int i = 0; i < 12; i++) {
		int64_t pause_ms = sleep_over(rig, &job);

		assert_true(pause_ms >= last_ms && pause_ms > 0);
		last_ms = pause_ms;
		reply(rig, 200, "wait");
	}
	assert_int_equal(sleep_over(rig, &job), last_ms);
}

/* An exchange that fails is none of the job's failures. */
static void no_failed_poll_ends_a_paid_job(void **state)
{
	static const struct said ends[] = {
		{.kind = HTTP_NOT_SENT, .error = -ECONNREFUSED},
		{.kind = HTTP_AMBIGUOUS, .error = -ETIMEDOUT, .may_have_left = true},
		{.kind = HTTP_TOO_LARGE, .error = -EMSGSIZE, .may_have_left = true},
		{.status = 500, .body = "trouble reason=unavailable"},
		{.status = 401, .body = "trouble reason=auth"},
		{.status = 402, .body = "trouble reason=no_credit"},
		{.status = 404, .body = "trouble reason=not_found"},
		{.status = 200, .body = "fault"},
		{.status = 200, .body = "accepted id=v2"},
		{.status = 200, .body = "buy"},
	};
	struct rig *rig = *state;
	struct job_ref job = running_job(rig);

	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		assert_true(sleep_over(rig, &job) <= LIMIT_ENGINE_BACKOFF_CAP_MS);
		answer_request(rig, the_request(rig), &ends[i]);
		assert_state(rig, &job, JOB_STATE_RUNNING);
	}
	sleep_over(rig, &job);
	reply(rig, 200, "done video=https://maker.test/file/1");
	deliver(rig, a_video());
	assert_state(rig, &job, JOB_STATE_SUCCEEDED);
	assert_int_equal(purchases(rig), 1);
	assert_int_equal(look(rig, &job)->n_remotes, 1);
}

static void what_a_plugin_must_not_answer_to_a_poll_is_named_in_the_log(void **state)
{
	static const char *const faults[][2] = {
		{"fault", "why=\"the fake plugin was told to fail\""},
		{"buy", "why=\"it asked for a purchase\""},
		{"accepted id=v2", "why=\"it answered 'accepted', which has no meaning in a poll\""},
	};
	struct rig *rig = *state;
	struct job_ref job = running_job(rig);
	char log[1024];

	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
		sleep_over(rig, &job);
		capture_start();
		reply(rig, 200, faults[i][0]);
		capture_end(log, sizeof(log));
		assert_non_null(strstr(log, faults[i][1]));
	}
}

static void a_poll_may_take_several_exchanges(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = running_job(rig);

	sleep_over(rig, &job);
	reply(rig, 200, "read");
	assert_int_equal(last_asked(&rig->runner, PLUGIN_VERB_POLL)->phase, 1);
	reply(rig, 200, "wait permille=10");
	assert_int_equal(last_asked(&rig->runner, PLUGIN_VERB_POLL)->phase, 2);
	assert_int_equal(look(rig, &job)->progress_percent, 1);
}

static void and_not_without_end(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = running_job(rig);
	uint64_t revision = look(rig, &job)->revision;

	for (int polls = 0; polls < 2; polls++) {
		sleep_over(rig, &job);
		for (int i = 1; i < LIMIT_ENGINE_POLL_HOPS; i++)
			reply(rig, 200, "read");
		assert_int_equal(open_requests(rig), 1);
		reply(rig, 200, "read");
		assert_int_equal(open_requests(rig), 0);
		assert_int_equal(look(rig, &job)->revision, revision);
	}
	assert_int_equal(sleep_over(rig, &job), LIMIT_ENGINE_BACKOFF_CAP_MS);
	reply(rig, 200, "done video=https://maker.test/file/1");
	deliver(rig, a_video());
	assert_state(rig, &job, JOB_STATE_SUCCEEDED);
}

static void what_failed_there_fails_here_with_what_it_cost(void **state)
{
	static const struct {
		const char *words;
		enum job_reason reason;
		enum job_purchase purchase;
	} ends[] = {
		{"failed reason=moderated", JOB_REASON_MODERATED, JOB_PURCHASE_UNKNOWN},
		{"failed reason=no_credit bought=none", JOB_REASON_NO_CREDIT, JOB_PURCHASE_NOTHING},
		{"failed reason=provider_fault bought=made", JOB_REASON_PROVIDER_FAULT, JOB_PURCHASE_MADE},
		{"failed reason=lost bought=unknown", JOB_REASON_LOST, JOB_PURCHASE_UNKNOWN},
		{"failed reason=not_found bought=unknown", JOB_REASON_LOST, JOB_PURCHASE_UNKNOWN},
	};
	struct rig *rig = *state;

	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		struct job_ref job = running_job(rig);

		sleep_over(rig, &job);
		reply(rig, 200, ends[i].words);
		assert_failed(rig, &job, ends[i].reason, ends[i].purchase);
	}
}

static void what_was_cancelled_there_is_cancelled_here(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = running_job(rig);

	sleep_over(rig, &job);
	reply(rig, 200, "failed reason=cancelled bought=none");
	assert_state(rig, &job, JOB_STATE_CANCELLED);
}

static void the_plugins_state_comes_back_to_it(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = order(rig);

	reply(rig, 201, "accepted id=v1 state={\"n\":1}");
	sleep_over(rig, &job);
	assert_string_equal(last_asked(&rig->runner, PLUGIN_VERB_POLL)->state, "{\"n\":1}");
	reply(rig, 200, "wait state={\"n\":2}");
	sleep_over(rig, &job);
	assert_string_equal(last_asked(&rig->runner, PLUGIN_VERB_POLL)->state, "{\"n\":2}");
}

/* The state came with an exchange, and the answer behind it had no news: it is news all the same. */
static void a_state_that_came_on_the_way_is_kept(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = running_job(rig);

	for (int i = 0; i < 2; i++) {
		sleep_over(rig, &job);
		reply(rig, 200, i ? "read state={\"page\":2}" : "read state={\"page\":1}");
		reply(rig, 200, "wait");
	}
	assert_non_null(look(rig, &job)->plugin_state);
	crash_and_restart(rig);
	sleep_over(rig, &job);
	assert_string_equal(last_asked(&rig->runner, PLUGIN_VERB_POLL)->state, "{\"page\":2}");
}

/* ---- PREPARING ---- */

static struct job_ref preparing_job(struct rig *rig)
{
	struct job_ref job;

	rig->plugins[0].begin[PLUGIN_VERB_START] = "read";
	job = order(rig);
	assert_state(rig, &job, JOB_STATE_PREPARING);
	assert_false(the_request(rig)->flags & HTTP_ONCE);
	return job;
}

static void free_exchanges_come_before_the_purchase(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = preparing_job(rig);

	reply(rig, 200, "read state={\"token\":1}");
	reply(rig, 200, "buy");
	assert_true(the_request(rig)->flags & HTTP_ONCE);
	assert_state(rig, &job, JOB_STATE_STARTING);
	assert_string_equal(look(rig, &job)->plugin_state, "{\"token\":1}");
	reply(rig, 201, "accepted id=v1");
	assert_string_equal(history(rig, &job), "queued preparing starting running");
}

static void a_free_exchange_that_fails_is_tried_again_later(void **state)
{
	static const struct said ends[] = {
		{.kind = HTTP_NOT_SENT, .error = -ECONNREFUSED},
		{.kind = HTTP_AMBIGUOUS, .error = -ETIMEDOUT, .may_have_left = true},
		{.status = 503, .body = "trouble reason=unavailable"},
	};
	struct rig *rig = *state;
	struct job_ref job = preparing_job(rig);

	for (size_t i = 0; i < 3; i++) {
		answer_request(rig, the_request(rig), &ends[i]);
		assert_state(rig, &job, JOB_STATE_QUEUED);
		assert_int_equal(look(rig, &job)->wait, JOB_WAIT_BACKOFF);
		pass_until(rig, look(rig, &job)->wait_until_ms);
	}
	reply(rig, 200, "buy");
	assert_int_equal(purchases(rig), 1);
	assert_int_equal(look(rig, &job)->n_attempts, 1);
}

static void a_plugin_that_waits_before_it_buys_is_asked_again(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = preparing_job(rig);

	reply(rig, 200, "wait after=3000");
	assert_int_equal(sleep_over(rig, &job), 3000);
	reply(rig, 200, "buy");
	assert_int_equal(purchases(rig), 1);
}

static void a_refused_key_holds_the_provider(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = preparing_job(rig);

	reply(rig, 401, "trouble reason=auth");
	assert_int_equal(look(rig, &job)->wait, JOB_WAIT_CREDENTIAL);
	assert_non_null(strstr(provider(rig, "maker")->problem, "it refuses the key"));
	pass(rig, LIMIT_ENGINE_CREDENTIAL_MS);
	assert_state(rig, &job, JOB_STATE_PREPARING);
}

/* As after a purchase: who limits its rate is not asked by the next job of the queue. */
static void a_limit_met_before_the_purchase_holds_the_provider(void **state)
{
	static const char *const limits[] = {"trouble reason=rate_limited", "trouble reason=concurrency"};
	struct rig *rig = *state;

	for (size_t i = 0; i < 2; i++) {
		struct job_ref job = preparing_job(rig), behind;

		reply_later(rig, 429, 10, limits[i]);
		assert_state(rig, &job, JOB_STATE_QUEUED);
		assert_int_equal(look(rig, &job)->wait, JOB_WAIT_RATE_LIMIT);
		assert_int_equal(look(rig, &job)->wait_until_ms, now_ms() + 10000);
		behind = order(rig);
		assert_int_equal(look(rig, &behind)->wait, JOB_WAIT_RATE_LIMIT);
		assert_int_equal(open_requests(rig), 0);
		pass(rig, 10000);
		assert_int_equal(open_requests(rig), 2);
		cancel(rig, &job);
		cancel(rig, &behind);
	}
}

static void what_fails_before_the_purchase_has_bought_nothing(void **state)
{
	static const struct {
		const char *words;
		enum job_reason reason;
		const char *message;
	} ends[] = {
		{"failed reason=invalid_input", JOB_REASON_INVALID_INPUT, "the provider refused the order"},
		{"fault", JOB_REASON_PLUGIN_FAULT, "the fake plugin was told to fail"},
		{"accepted id=v1", JOB_REASON_PLUGIN_FAULT, "the plugin answered 'accepted'"},
		{"done video=https://maker.test/file/1", JOB_REASON_PLUGIN_FAULT, "the plugin answered 'done'"},
	};
	struct rig *rig = *state;

	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		struct job_ref job = preparing_job(rig);

		reply(rig, 200, ends[i].words);
		assert_failed(rig, &job, ends[i].reason, JOB_PURCHASE_NOTHING);
		assert_non_null(strstr(look(rig, &job)->failure.message, ends[i].message));
	}
	assert_int_equal(purchases(rig), 0);
}

/* ---- the account ---- */

static void a_check_reports_what_the_provider_says(void **state)
{
	struct rig *rig = *state;
	struct answer *answer = check_provider(rig, "maker");

	assert_true(request_ends_with(the_request(rig), "/account"));
	reply(rig, 200, "report text={\"balance\":\"12\"}");
	assert_answer(answer, 0);
	assert_string_equal(answer->report, "{\"balance\":\"12\"}");
	answer = check_provider(rig, "nobody");
	assert_answer(answer, ENGINE_E_NOT_FOUND);
	assert_non_null(strstr(answer->text, "there is no provider 'nobody'; configured: 'maker', "));
	rig->plugins[0].cannot[PLUGIN_VERB_ACCOUNT] = true;
	assert_answer(check_provider(rig, "maker"), ENGINE_E_STATE);
}

static void a_check_without_a_reply_says_why(void **state)
{
	static const struct {
		struct said said;
		int outcome;
		const char *words;
	} ends[] = {
		{{.kind = HTTP_NOT_SENT, .error = -ECONNREFUSED}, ENGINE_E_UNREACHABLE, "could not be reached"},
		{{.kind = HTTP_AMBIGUOUS, .error = -ETIMEDOUT}, ENGINE_E_UNREACHABLE, "could not be reached"},
		{{.kind = HTTP_ADDRESS_REFUSED, .error = -EACCES}, ENGINE_E_PROVIDER, "nothing was sent"},
		{{.kind = HTTP_INVALID, .error = -EINVAL}, ENGINE_E_PROVIDER, "nothing was sent"},
		{{.kind = HTTP_TOO_LARGE, .error = -EMSGSIZE}, ENGINE_E_PROVIDER, "of no use"},
	};
	struct rig *rig = *state;

	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		struct answer *answer = check_provider(rig, "maker");

		answer_request(rig, the_request(rig), &ends[i].said);
		assert_answer(answer, ends[i].outcome);
		assert_non_null(strstr(answer->text, ends[i].words));
	}
}

static void what_the_transport_does_not_take_is_told_apart(void **state)
{
	static const struct {
		int why, outcome;
		const char *words;
	} refusals[] = {
		{HTTP_E_STOPPING, ENGINE_E_DRAINING, "shutting down"},
		{HTTP_E_BUSY, ENGINE_E_UNREACHABLE, "too many requests wait"},
		{-ENOMEM, ENGINE_E_UNREACHABLE, "Cannot allocate memory"},
	};
	struct rig *rig = *state;
	char log[2048];

	rig->plugins[0].begin[PLUGIN_VERB_START] = "read";
	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
		struct answer *answer;

		rig->http.refuses = refusals[i].why;
		answer = check_provider(rig, "maker");
		assert_answer(answer, refusals[i].outcome);
		assert_non_null(strstr(answer->text, refusals[i].words));

		log_setup(LOG_FORMAT_TEXT, LOG_LEVEL_WARNING);
		capture_start();
		order(rig);
		capture_end(log, sizeof(log));
		assert_non_null(strstr(log, refusals[i].words));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		story(news_is_written_and_nothing_else_is),
		story(the_provider_sets_the_pace),
		story(without_advice_the_pause_grows_to_its_bound),
		story(no_failed_poll_ends_a_paid_job),
		story(what_a_plugin_must_not_answer_to_a_poll_is_named_in_the_log),
		story(a_poll_may_take_several_exchanges),
		story(and_not_without_end),
		story(what_failed_there_fails_here_with_what_it_cost),
		story(what_was_cancelled_there_is_cancelled_here),
		story(the_plugins_state_comes_back_to_it),
		story(a_state_that_came_on_the_way_is_kept),
		story(free_exchanges_come_before_the_purchase),
		story(a_free_exchange_that_fails_is_tried_again_later),
		story(a_plugin_that_waits_before_it_buys_is_asked_again),
		story(a_refused_key_holds_the_provider),
		story(a_limit_met_before_the_purchase_holds_the_provider),
		story(what_fails_before_the_purchase_has_bought_nothing),
		story(a_check_reports_what_the_provider_says),
		story(a_check_without_a_reply_says_why),
		story(what_the_transport_does_not_take_is_told_apart),
	};

	return cmocka_run_group_tests_name("engine.poll", tests, NULL, NULL);
}
