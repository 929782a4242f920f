/*
 * Deadlines, in every state: they end what may be ended, and wait where something undecided or paid for is at stake.
 */
#include "engine/rig.h"

#define TIMEOUT_MS 10000

static struct job_ref short_job(struct rig *rig)
{
	return order_with(rig, &(struct engine_create){.timeout_ms = TIMEOUT_MS});
}

static void assert_expired(struct rig *rig, const struct job_ref *job, enum job_purchase purchase)
{
	const struct job_status *status = look(rig, job);

	assert_string_equal(job_state_name(status->state), job_state_name(JOB_STATE_EXPIRED));
	assert_int_equal(status->failure.reason, JOB_REASON_TIMEOUT);
	assert_int_equal(status->failure.purchase, purchase);
	assert_int_equal(provider(rig, "maker")->provider.running, 0);
}

static void a_queued_job_expires_at_its_deadline_and_not_before(void **state)
{
	struct rig *rig = *state;
	struct job_ref job;

	rig->providers[0].concurrency = 0;
	job = short_job(rig);
	pass(rig, TIMEOUT_MS - 1);
	assert_state(rig, &job, JOB_STATE_QUEUED);
	pass(rig, 1);
	assert_expired(rig, &job, JOB_PURCHASE_NOTHING);
	assert_int_equal(provider(rig, "maker")->provider.queued, 0);
}

static void a_free_exchange_is_given_up(void **state)
{
	struct rig *rig = *state;
	struct job_ref job;
	const struct request *request;

	rig->plugins[0].begin[PLUGIN_VERB_START] = "read";
	job = short_job(rig);
	request = the_request(rig);
	pass(rig, TIMEOUT_MS);
	assert_expired(rig, &job, JOB_PURCHASE_NOTHING);
	assert_true(request->is_cancelled);
	assert_int_equal(purchases(rig), 0);
}

static void a_plugin_that_still_computes_does_not_buy_afterwards(void **state)
{
	struct rig *rig = *state;
	struct job_ref job;

	fake_runner_hold(&rig->runner);
	job = short_job(rig);
	pass(rig, TIMEOUT_MS);
	assert_state(rig, &job, JOB_STATE_PREPARING);
	fake_runner_release(&rig->runner);
	settle(rig);
	assert_expired(rig, &job, JOB_PURCHASE_NOTHING);
	assert_int_equal(purchases(rig), 0);
}

static void a_running_job_expires_and_was_bought(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = short_job(rig);

	reply(rig, 201, "accepted id=v1");
	pass(rig, TIMEOUT_MS);
	assert_expired(rig, &job, JOB_PURCHASE_MADE);
	assert_int_equal(open_requests(rig), 0);
}

static void an_undecided_purchase_waits_until_it_is_decided(void **state)
{
	static const struct {
		int status;
		const char *words;
		enum job_state state;
	} ends[] = {
		{201, "accepted id=v1", JOB_STATE_EXPIRED},
		{429, "trouble reason=rate_limited", JOB_STATE_EXPIRED},
		{422, "failed reason=moderated", JOB_STATE_FAILED},
		{200, "fault", JOB_STATE_UNCERTAIN},
	};
	struct rig *rig = *state;

	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		struct job_ref job = short_job(rig);

		pass(rig, TIMEOUT_MS + 5000);
		assert_state(rig, &job, JOB_STATE_STARTING);
		assert_false(request_of(rig, &job)->is_cancelled);
		reply_to(rig, &job, ends[i].status, ends[i].words);
		assert_state(rig, &job, ends[i].state);
		pass(rig, LIMIT_ENGINE_CREDENTIAL_MS);
	}
	assert_int_equal(purchases(rig), sizeof(ends) / sizeof(ends[0]));
}

static void a_doubt_goes_on_beyond_the_deadline(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = short_job(rig);

	pass(rig, TIMEOUT_MS);
	lose_reply(rig);
	sleep_over(rig, &job);
	reply(rig, 201, "accepted id=v1");
	assert_expired(rig, &job, JOB_PURCHASE_MADE);
}

static void what_is_being_stored_is_kept(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = short_job(rig);

	reply(rig, 200, "done id=v1 video=https://maker.test/file/1");
	pass(rig, 2 * TIMEOUT_MS);
	assert_state(rig, &job, JOB_STATE_STORING);
	deliver(rig, a_video());
	assert_state(rig, &job, JOB_STATE_SUCCEEDED);
}

static void what_is_uncertain_stays_so(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = uncertain_job(rig);

	pass(rig, 2 * RIG_HOUR_MS);
	assert_state(rig, &job, JOB_STATE_UNCERTAIN);
}

static void each_job_has_its_own(void **state)
{
	struct rig *rig = *state;
	struct job_ref late = order_with(rig, &(struct engine_create){.timeout_ms = 20000});
	struct job_ref early = order_with(rig, &(struct engine_create){.timeout_ms = 5000});
	struct job_ref usual = order(rig);

	for (int i = 0; i < 3; i++)
		answer_request(rig,
			       request_of(rig, i == 0   ? &late
					       : i == 1 ? &early
							: &usual),
			       &(struct said){.status = 201, .body = "accepted id=v1 after=3000000"});
	pass(rig, 5000);
	assert_state(rig, &early, JOB_STATE_EXPIRED);
	assert_state(rig, &late, JOB_STATE_RUNNING);
	pass(rig, 15000);
	assert_state(rig, &late, JOB_STATE_EXPIRED);
	assert_state(rig, &usual, JOB_STATE_RUNNING);
	pass(rig, RIG_HOUR_MS - 20000);
	assert_state(rig, &usual, JOB_STATE_EXPIRED);
}

static void a_deadline_beyond_the_longest_timer_is_met(void **state)
{
	struct rig *rig = *state;
	struct job_ref job;

	rig->providers[0].concurrency = 0;
	job = order_with(rig, &(struct engine_create){.timeout_ms = 3 * LIMIT_ENGINE_WAKE_MS});
	for (int i = 0; i < 2; i++)
		pass(rig, LIMIT_ENGINE_WAKE_MS);
	assert_state(rig, &job, JOB_STATE_QUEUED);
	pass(rig, LIMIT_ENGINE_WAKE_MS);
	assert_state(rig, &job, JOB_STATE_EXPIRED);
}

static void more_than_one_read_brings_are_all_ended(void **state)
{
	struct rig *rig = *state;
	struct job_ref jobs[LIMIT_ENGINE_WINDOW + 3];
	size_t n = sizeof(jobs) / sizeof(jobs[0]);

	rig->providers[0].concurrency = 0;
	for (size_t i = 0; i < n; i++)
		jobs[i] = order_with(rig, &(struct engine_create){.timeout_ms = TIMEOUT_MS});
	pass(rig, TIMEOUT_MS);
	pass(rig, LIMIT_ENGINE_RESCAN_MS);
	for (size_t i = 0; i < n; i++)
		assert_state(rig, &jobs[i], JOB_STATE_EXPIRED);
}

static void what_came_due_while_the_daemon_was_down_ends_at_its_start(void **state)
{
	struct rig *rig = *state;
	struct job_ref job;

	rig->providers[0].concurrency = 0;
	job = short_job(rig);
	rig_crash(rig);
	clock_jump(TIMEOUT_MS);
	rig_start(rig);
	assert_expired(rig, &job, JOB_PURCHASE_NOTHING);
}

/* The request to end the job waited for a step, and meanwhile the clock on the wall was set back. */
static void a_deadline_that_is_no_longer_due_is_met_when_it_is_due_again(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = short_job(rig);

	reply(rig, 201, "accepted id=v1 after=1000");
	fake_runner_hold(&rig->runner);
	pass(rig, TIMEOUT_MS);
	assert_state(rig, &job, JOB_STATE_RUNNING);
	set_back(TIMEOUT_MS);
	fake_runner_release(&rig->runner);
	settle(rig);
	assert_state(rig, &job, JOB_STATE_RUNNING);
	pass(rig, TIMEOUT_MS - 1);
	assert_state(rig, &job, JOB_STATE_RUNNING);
	pass(rig, 1);
	assert_expired(rig, &job, JOB_PURCHASE_MADE);
}

static bool is_second_running(struct rig *rig, void *userdata)
{
	const struct entry *entry = entry_find(rig->engine, userdata);

	return entry && entry->status->state == JOB_STATE_RUNNING && !entry->is_committing &&
	       rig->engine->is_scanning_deadlines && !is_due(&rig->engine->deadline_timer);
}

/* The engine reads the index when a job whose deadline has passed becomes one that may expire. */
static void a_deadline_that_comes_during_a_read_stops_no_other(void **state)
{
	struct rig *rig = *state;
	struct job_ref first = short_job(rig), second, third;

	reply(rig, 201, "accepted id=v1 after=3000000");
	third = order(rig);
	reply(rig, 201, "accepted id=v3 after=3000000");
	second = short_job(rig);
	hold_readers(rig);
	pass_unsettled(rig, TIMEOUT_MS);
	fake_http_end(&rig->http, the_request(rig),
		      &(struct said){.status = 201, .body = "accepted id=v2 after=3000000"});
	await_engine(rig, is_second_running, &second);
	release_readers(rig);
	settle(rig);
	assert_state(rig, &first, JOB_STATE_EXPIRED);
	assert_state(rig, &second, JOB_STATE_EXPIRED);
	pass(rig, RIG_HOUR_MS);
	assert_state(rig, &third, JOB_STATE_EXPIRED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		story(a_queued_job_expires_at_its_deadline_and_not_before),
		story(a_free_exchange_is_given_up),
		story(a_plugin_that_still_computes_does_not_buy_afterwards),
		story(a_running_job_expires_and_was_bought),
		story(an_undecided_purchase_waits_until_it_is_decided),
		story(a_doubt_goes_on_beyond_the_deadline),
		story(what_is_being_stored_is_kept),
		story(what_is_uncertain_stays_so),
		story(each_job_has_its_own),
		story(a_deadline_beyond_the_longest_timer_is_met),
		story(more_than_one_read_brings_are_all_ended),
		story(what_came_due_while_the_daemon_was_down_ends_at_its_start),
		story(a_deadline_that_is_no_longer_due_is_met_when_it_is_due_again),
		story(a_deadline_that_comes_during_a_read_stops_no_other),
	};

	return cmocka_run_group_tests_name("engine.deadline", tests, NULL, NULL);
}
