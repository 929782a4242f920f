/*
 * What each exit of a purchase posts: reserved once before it leaves, settled once, released when nothing was bought.
 */
#include "engine/posted.h"

static struct job_ref run_clip(struct rig *rig)
{
	struct job_ref job = order_clip(rig);

	reply(rig, 201, "accepted id=v1");
	assert_posted(rig, &job, "reserve 1600000 EUR");
	return job;
}

static void a_purchase_is_reserved_before_it_leaves(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = order_clip(rig);

	assert_state(rig, &job, JOB_STATE_STARTING);
	assert_posted(rig, &job, RESERVED);
	assert_int_equal(look(rig, &job)->money.settlement, JOB_SETTLEMENT_PENDING);
	assert_int_equal(look(rig, &job)->money.reserved_micros, 1600000);
}

/* If the reservation cannot be written, nothing is sent. */
static void what_cannot_be_reserved_is_not_sent(void **state)
{
	struct rig *rig = *state;

	break_disk(rig);
	create(rig, &(struct engine_create){.parameters = EIGHT_SECONDS});
	assert_int_equal(purchases(rig), 0);
}

static void success_settles_what_was_delivered_and_releases_the_rest(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = run_clip(rig);

	sleep_over(rig, &job);
	reply(rig, 200, "done video=https://maker.test/file/1");
	assert_posted(rig, &job, RESERVED);
	deliver(rig, a_video());
	assert_state(rig, &job, JOB_STATE_SUCCEEDED);
	assert_posted(rig, &job, RESERVED ", settle 300000 EUR, release 1300000 EUR");
	crash_and_restart(rig);
	assert_posted(rig, &job, RESERVED ", settle 300000 EUR, release 1300000 EUR");
}

static void what_the_provider_charges_in_another_currency_is_posted_in_it(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = run_clip(rig);

	sleep_over(rig, &job);
	reply(rig, 200, "done video=https://maker.test/file/1 cost=123456");
	deliver(rig, a_video());
	assert_posted(rig, &job, RELEASED ", excess 123456 USD");
}

struct refusal {
	int status;
	const char *words;
	const char *posted;
};

static void an_answer_to_the_purchase_posts_what_it_says_was_bought(void **state)
{
	static const struct refusal refusals[] = {
		{400, "failed reason=invalid_input bought=none", RELEASED},
		{429, "failed reason=rate_limited bought=none after=5000", RELEASED},
		{402, "failed reason=no_credit bought=made", RESERVED ", settle 1600000 EUR?"},
		{500, "failed reason=provider_fault bought=unknown", RESERVED},
	};
	struct rig *rig = *state;

	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
		struct job_ref job = order_clip(rig);

		reply_to(rig, &job, refusals[i].status, refusals[i].words);
		assert_posted(rig, &job, refusals[i].posted);
		pass(rig, 10000);
	}
}

static void what_did_not_leave_is_released_and_reserved_anew(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = order_clip(rig);

	refuse_to_connect(rig);
	assert_state(rig, &job, JOB_STATE_QUEUED);
	assert_posted(rig, &job, RELEASED);
	pass(rig, 120000);
	assert_posted(rig, &job, RELEASED ", " RESERVED);
}

static void a_repeat_under_the_same_key_and_a_restart_reserve_nothing(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = order_clip(rig);

	lose_reply(rig);
	assert_posted(rig, &job, RESERVED);
	sleep_over(rig, &job);
	assert_int_equal(purchases(rig), 2);
	assert_posted(rig, &job, RESERVED);
	crash_and_restart(rig);
	sleep_over(rig, &job);
	reply(rig, 201, "accepted id=v1");
	assert_posted(rig, &job, RESERVED);
}

static void polls_updates_and_a_cancel_that_is_too_late_post_nothing(void **state)
{
	static const struct job_label label = LABEL("team", "red");
	struct rig *rig = *state;
	struct job_ref job = run_clip(rig);

	sleep_over(rig, &job);
	reply(rig, 200, "wait permille=500 status=busy");
	assert_answer(update(rig,
			     &(struct engine_update){.ref = job, .has_labels = true, .labels = &label, .n_labels = 1}),
		      0);
	assert_posted(rig, &job, RESERVED);
	sleep_over(rig, &job);
	reply(rig, 200, "done video=https://maker.test/file/1");
	deliver(rig, a_video());
	assert_answer(cancel(rig, &job), 0);
	assert_posted(rig, &job, RESERVED ", settle 300000 EUR, release 1300000 EUR");
}

static void a_failure_after_the_purchase_is_spent_unless_nothing_was_bought(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = run_clip(rig);

	sleep_over(rig, &job);
	reply(rig, 200, "failed reason=moderated bought=made");
	assert_posted(rig, &job, RESERVED ", settle 1600000 EUR?");
	assert_true(look(rig, &job)->money.is_unconfirmed);

	job = run_clip(rig);
	sleep_over(rig, &job);
	reply(rig, 200, "failed reason=provider_fault bought=none");
	assert_posted(rig, &job, RELEASED);
}

static struct job_ref uncertain_clip(struct rig *rig)
{
	struct job_ref job = order_with(rig, &(struct engine_create){.provider = "plain", .parameters = EIGHT_SECONDS});

	lose_reply(rig);
	assert_state(rig, &job, JOB_STATE_UNCERTAIN);
	assert_posted(rig, &job, RESERVED);
	return job;
}

static void what_a_person_decides_is_posted(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = uncertain_clip(rig);

	assert_answer(resolve(rig, &(struct engine_resolve){.ref = job, .resolution = ENGINE_RESOLUTION_GIVE_UP}), 0);
	assert_posted(rig, &job, RESERVED ", settle 1600000 EUR?");

	job = uncertain_clip(rig);
	assert_answer(resolve(rig, &(struct engine_resolve){.ref = job, .resolution = ENGINE_RESOLUTION_ABSENT}), 0);
	/* It is ordered again at once, as another attempt. */
	assert_posted(rig, &job, RELEASED ", " RESERVED);
}

/* Nobody knows whether the first was bought, so it counts as spent; the second is a purchase of its own. */
static void what_is_ordered_again_in_doubt_is_reserved_again(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = order_with(rig, &(struct engine_create){.provider = "plain",
								     .parameters = EIGHT_SECONDS,
								     .on_uncertain = JOB_UNCERTAIN_RESUBMIT});

	lose_reply(rig);
	assert_posted(rig, &job, RESERVED ", settle 1600000 EUR?");
	pass_until(rig, look(rig, &job)->wait_until_ms);
	assert_posted(rig, &job, RESERVED ", settle 1600000 EUR?, " RESERVED);
	reply(rig, 422, "failed reason=moderated bought=none");
	assert_failed(rig, &job, JOB_REASON_MODERATED, JOB_PURCHASE_UNKNOWN);
	assert_posted(rig, &job, RESERVED ", settle 1600000 EUR?, " RELEASED);
}

static void what_cost_nothing_is_released_before_it_is_tried_again(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = order_with(rig,
					&(struct engine_create){.parameters = EIGHT_SECONDS, .retry_if_uncharged = 1});

	reply(rig, 201, "accepted id=v1");
	sleep_over(rig, &job);
	reply(rig, 200, "failed reason=moderated bought=none");
	assert_posted(rig, &job, RELEASED);
	pass_until(rig, look(rig, &job)->wait_until_ms);
	assert_posted(rig, &job, RELEASED ", " RESERVED);
}

static void what_was_never_sent_posts_nothing(void **state)
{
	struct rig *rig = *state;
	struct job_ref job;

	rig->providers[0].concurrency = 0;
	job = order_clip(rig);
	assert_answer(cancel(rig, &job), 0);
	assert_posted(rig, &job, "");
	assert_int_equal(look(rig, &job)->money.settlement, JOB_SETTLEMENT_NONE);
}

/* ---- an end that the provider does not hear of ---- */

static struct job_ref detached_clip(struct rig *rig)
{
	struct job_ref job = run_clip(rig);

	rig->plugins[0].cannot[PLUGIN_VERB_CANCEL] = true;
	assert_answer(cancel(rig, &job), 0);
	assert_state(rig, &job, JOB_STATE_CANCELLED);
	assert_posted(rig, &job, RESERVED);
	assert_int_equal(look(rig, &job)->money.settlement, JOB_SETTLEMENT_PENDING);
	assert_int_equal(open_requests(rig), 0);
	return job;
}

static void assert_settled(struct rig *rig, const struct job_ref *job, const char *posted, bool is_unconfirmed)
{
	assert_posted(rig, job, posted);
	assert_int_equal(look(rig, job)->money.is_unconfirmed, is_unconfirmed);
	assert_int_equal(look(rig, job)->money.awaited_until_ms, 0);
	crash_and_restart(rig);
	assert_false(is_asleep(rig, job));
	assert_posted(rig, job, posted);
}

static void what_a_detached_job_came_to_is_heard_later_and_across_a_restart(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = detached_clip(rig);
	uint64_t revision;

	crash_and_restart(rig);
	assert_int_equal(sleep_over(rig, &job), LIMIT_ENGINE_AWAIT_FIRST_MS);
	revision = look(rig, &job)->revision;
	reply(rig, 200, "wait permille=500 status=busy");
	assert_int_equal(look(rig, &job)->revision, revision);
	assert_true(sleep_over(rig, &job) > LIMIT_ENGINE_AWAIT_FIRST_MS);
	reply(rig, 500, "fault");
	sleep_over(rig, &job);
	reply(rig, 200, "done video=https://maker.test/file/1 cost=123456");
	assert_int_equal(open_requests(rig), 0);
	assert_state(rig, &job, JOB_STATE_CANCELLED);
	assert_int_equal(look(rig, &job)->revision, revision + 1);
	assert_settled(rig, &job, RELEASED ", excess 123456 USD", false);
}

static void a_detached_job_that_failed_for_nothing_costs_nothing(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = order_with(rig, &(struct engine_create){.parameters = EIGHT_SECONDS,
								     .timeout_ms = RIG_HOUR_MS});

	reply(rig, 201, "accepted id=v1");
	sleep_over(rig, &job);
	pass(rig, RIG_HOUR_MS);
	assert_state(rig, &job, JOB_STATE_EXPIRED);
	assert_posted(rig, &job, RESERVED);
	sleep_over(rig, &job);
	reply(rig, 200, "failed reason=provider_fault bought=none");
	assert_state(rig, &job, JOB_STATE_EXPIRED);
	assert_settled(rig, &job, RELEASED, false);
}

static void what_nobody_says_in_a_day_counts_as_spent(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = detached_clip(rig);

	sleep_over(rig, &job);
	reply(rig, 503, "trouble reason=unavailable");
	pass(rig, LIMIT_ENGINE_AWAIT_MS);
	assert_int_equal(open_requests(rig), 0);
	assert_settled(rig, &job, RESERVED ", settle 1600000 EUR?", true);
}

static void a_detached_job_that_is_deleted_is_settled_with_it(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = detached_clip(rig);

	assert_answer(delete_job(rig, &job, ENGINE_DELETE_KEEP_REMOTE), 0);
	assert_posted(rig, &job, RESERVED ", settle 1600000 EUR?");
	pass(rig, LIMIT_ENGINE_AWAIT_MS);
	assert_int_equal(open_requests(rig), 0);
}

static struct request *oldest_request(struct rig *rig)
{
	struct request *request;

	pthread_mutex_lock(&rig->http.mutex);
	for (request = rig->http.requests; request && request->is_ended;)
		request = request->next;
	pthread_mutex_unlock(&rig->http.mutex);
	assert_non_null(request);
	return request;
}

struct ledger_check_answer {
	atomic_uint times;
	int outcome;
	char text[128];
};

static void on_ledger_check(void *userdata, int outcome, const struct engine_error *error,
			    const struct store_ledger_check *found)
{
	struct ledger_check_answer *answer = userdata;

	answer->outcome = outcome;
	snprintf(answer->text, sizeof(answer->text), "%s", error ? error->text : "");
	assert_true(outcome != 0 || found->jobs == 1);
	atomic_fetch_add(&answer->times, 1);
}

static bool is_checked(struct rig *rig, void *userdata)
{
	struct ledger_check_answer *answer = userdata;

	(void)rig;
	return atomic_load(&answer->times) > 0;
}

/* Each keeps one of few reader threads: two would leave none for anybody else. */
static void one_check_of_the_ledger_at_a_time(void **state)
{
	struct rig *rig = *state;

	order_clip(rig);
	for (int i = 0; i < 2; i++) {
		struct ledger_check_answer first = {0}, second = {0};

		hold_readers(rig);
		engine_check_ledger(rig->engine, JOB_TENANT_DEFAULT, on_ledger_check, &first);
		engine_check_ledger(rig->engine, JOB_TENANT_DEFAULT, on_ledger_check, &second);
		assert_int_equal(atomic_load(&second.times), 1);
		assert_int_equal(second.outcome, ENGINE_E_STATE);
		assert_non_null(strstr(second.text, "checked already"));
		release_readers(rig);
		await_engine(rig, is_checked, &first);
		assert_int_equal(first.outcome, 0);
	}
}

#define MANY (LIMIT_ENGINE_AWAIT_AT_ONCE + 3)

static void so_many_are_asked_about_at_once_and_each_has_its_turn(void **state)
{
	struct rig *rig = *state;
	struct job_ref jobs[MANY];

	for (size_t i = 0; i < MANY; i++)
		jobs[i] = detached_clip(rig);
	crash_and_restart(rig);
	pass(rig, LIMIT_ENGINE_AWAIT_FIRST_MS);
	assert_int_equal(open_requests(rig), LIMIT_ENGINE_AWAIT_AT_ONCE);
	pass(rig, LIMIT_ENGINE_AWAIT_TURN_MS);
	assert_int_equal(open_requests(rig), LIMIT_ENGINE_AWAIT_AT_ONCE);
	assert_answer(delete_job(rig, &jobs[0], ENGINE_DELETE_KEEP_REMOTE), 0);
	for (size_t left = MANY - 1; left > 0; left--) {
		pass(rig, LIMIT_ENGINE_AWAIT_TURN_MS);
		assert_int_equal(open_requests(rig),
				 left < LIMIT_ENGINE_AWAIT_AT_ONCE ? left : LIMIT_ENGINE_AWAIT_AT_ONCE);
		answer_request(rig, oldest_request(rig),
			       &(struct said){.status = 200, .body = "done video=https://maker.test/file/1 cost=1"});
	}
	assert_int_equal(open_requests(rig), 0);
	for (size_t i = 1; i < MANY; i++)
		assert_int_equal(look(rig, &jobs[i])->money.settlement, JOB_SETTLEMENT_FINAL);
}

static void what_it_came_to_is_not_asked_without_end(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = detached_clip(rig);

	sleep_over(rig, &job);
	for (int i = 0; i < LIMIT_ENGINE_POLL_HOPS; i++)
		reply(rig, 200, "read");
	assert_int_equal(open_requests(rig), 0);
	assert_true(sleep_over(rig, &job) > LIMIT_ENGINE_AWAIT_FIRST_MS);
	reply(rig, 200, "done video=https://maker.test/file/1 cost=123456");
	assert_settled(rig, &job, RELEASED ", excess 123456 USD", false);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		story(a_purchase_is_reserved_before_it_leaves),
		story(what_cannot_be_reserved_is_not_sent),
		story(success_settles_what_was_delivered_and_releases_the_rest),
		story(what_the_provider_charges_in_another_currency_is_posted_in_it),
		story(an_answer_to_the_purchase_posts_what_it_says_was_bought),
		story(what_did_not_leave_is_released_and_reserved_anew),
		story(a_repeat_under_the_same_key_and_a_restart_reserve_nothing),
		story(polls_updates_and_a_cancel_that_is_too_late_post_nothing),
		story(a_failure_after_the_purchase_is_spent_unless_nothing_was_bought),
		story(what_a_person_decides_is_posted),
		story(what_is_ordered_again_in_doubt_is_reserved_again),
		story(what_cost_nothing_is_released_before_it_is_tried_again),
		story(what_was_never_sent_posts_nothing),
		story(what_a_detached_job_came_to_is_heard_later_and_across_a_restart),
		story(a_detached_job_that_failed_for_nothing_costs_nothing),
		story(what_nobody_says_in_a_day_counts_as_spent),
		story(so_many_are_asked_about_at_once_and_each_has_its_turn),
		story(one_check_of_the_ledger_at_a_time),
		story(what_it_came_to_is_not_asked_without_end),
		story(a_detached_job_that_is_deleted_is_settled_with_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
