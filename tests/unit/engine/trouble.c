/*
 * A disk that cannot be written to for a while, and then can: every life goes on where it stood, nothing is sent
 * without its record, no reply is lost, and who asks meanwhile is told.
 */
#include "engine/rig.h"

static void assert_refused(const struct answer *answer)
{
	assert_answer(answer, ENGINE_E_STORE);
	assert_non_null(strstr(answer->text, "the store takes no writes"));
	assert_non_null(strstr(answer->text, "/store"));
	assert_non_null(strstr(answer->text, "repeat the request"));
}

static struct job_ref job_about_to_buy(struct rig *rig)
{
	rig->plugins[0].begin[PLUGIN_VERB_START] = "read";
	return order(rig);
}

static void a_send_leaves_when_its_record_is_stored(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = job_about_to_buy(rig);

	break_disk(rig);
	reply(rig, 200, "buy");
	assert_int_equal(purchases(rig), 0);
	mend_disk(rig);
	assert_int_equal(purchases(rig), 1);
	reply(rig, 201, "accepted id=v1");
	assert_state(rig, &job, JOB_STATE_RUNNING);
	assert_int_equal(look(rig, &job)->n_sends, 1);
}

/* Its token may be old by then, and a cancel could not be heard. */
static void a_send_that_waited_for_too_long_is_prepared_anew(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = job_about_to_buy(rig);

	break_disk(rig);
	reply(rig, 200, "buy");
	pass(rig, LIMIT_ENGINE_INTENT_MS + 1);
	mend_disk(rig);
	assert_int_equal(purchases(rig), 0);
	assert_state(rig, &job, JOB_STATE_QUEUED);
	assert_int_equal(look(rig, &job)->money.settlement, JOB_SETTLEMENT_NONE);
	pass_until(rig, look(rig, &job)->wait_until_ms);
	reply(rig, 200, "buy");
	assert_int_equal(purchases(rig), 1);
	reply(rig, 201, "accepted id=v1");
	assert_state(rig, &job, JOB_STATE_RUNNING);
}

static void a_reply_is_kept_until_it_can_be_stored(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = order(rig);
	size_t steps = times_asked(&rig->runner, PLUGIN_VERB_START);

	break_disk(rig);
	reply(rig, 201, "accepted id=v1");
	assert_int_equal(times_asked(&rig->runner, PLUGIN_VERB_START), steps);
	mend_disk(rig);
	assert_state(rig, &job, JOB_STATE_RUNNING);
	assert_int_equal(purchases(rig), 1);
	assert_int_equal(look(rig, &job)->n_sends, 1);
	assert_string_equal(look(rig, &job)->remotes[0].id, "v1");
}

static void a_lost_reply_is_a_doubt_as_ever(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = order(rig);
	char *key = strdup(request_header(the_request(rig), "Idempotency-Key"));

	break_disk(rig);
	lose_reply(rig);
	mend_disk(rig);
	sleep_over(rig, &job);
	assert_string_equal(request_header(the_request(rig), "Idempotency-Key"), key);
	reply(rig, 201, "accepted id=v1");
	assert_state(rig, &job, JOB_STATE_RUNNING);
	free(key);
}

static void a_video_that_came_meanwhile_is_the_job_s(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = storing_job(rig);

	break_disk(rig);
	deliver(rig, a_video());
	assert_state(rig, &job, JOB_STATE_STORING);
	mend_disk(rig);
	assert_state(rig, &job, JOB_STATE_SUCCEEDED);
	assert_string_equal(history(rig, &job), "queued preparing starting running storing succeeded");
	assert_int_equal(room_kept_free(), 0);
}

/* The news of a poll, too, waits, and no poll is lost. */
static void a_running_job_is_asked_for_again(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = running_job(rig);

	sleep_over(rig, &job);
	break_disk(rig);
	reply(rig, 200, "wait permille=420 status=rendering");
	mend_disk(rig);
	sleep_over(rig, &job);
	reply(rig, 200, "done video=https://maker.test/file/1");
	assert_state(rig, &job, JOB_STATE_STORING);
}

static void who_orders_meanwhile_is_told_and_may_repeat_it(void **state)
{
	struct rig *rig = *state;
	const struct engine_create wanted = {.request_id = "again"};
	struct answer *answer;

	break_disk(rig);
	/* Its own write fails. */
	assert_refused(create(rig, &wanted));
	/* The store is known to be broken. */
	assert_refused(create(rig, &(struct engine_create){.request_id = "other"}));
	assert_false(engine_is_serving(rig->engine));
	mend_disk(rig);
	assert_true(engine_is_serving(rig->engine));
	assert_int_equal(provider(rig, "maker")->provider.queued, 0);
	assert_int_equal(purchases(rig), 0);
	answer = create(rig, &wanted);
	assert_answer(answer, 0);
	assert_false(answer->is_replay);
	assert_int_equal(purchases(rig), 1);
	assert_true(create(rig, &wanted)->is_replay);
}

/* Whoever asked is told at once that it is not known; what was begun is done. */
static void a_cancel_under_way_takes_effect_later(void **state)
{
	struct rig *rig = *state;
	struct job_ref job, other;
	struct answer *answer;

	rig->providers[0].concurrency = 0;
	job = order(rig);
	other = order(rig);

	break_disk(rig);
	answer = cancel(rig, &job);
	assert_refused(answer);
	assert_int_equal(answer->times, 1);
	assert_refused(cancel(rig, &other));
	assert_answer(get(rig, &job), 0);
	mend_disk(rig);
	assert_int_equal(answer->times, 1);
	assert_state(rig, &job, JOB_STATE_CANCELLED);
	assert_state(rig, &other, JOB_STATE_QUEUED);
	assert_answer(cancel(rig, &other), 0);
}

static void a_deletion_under_way_takes_effect_later(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = succeeded_job(rig);

	break_disk(rig);
	assert_refused(delete_job(rig, &job, ENGINE_DELETE_KEEP_REMOTE));
	mend_disk(rig);
	assert_answer(get(rig, &job), ENGINE_E_NOT_FOUND);
}

/* They are started by those who wait for a change, not by a clock. */
static void the_queue_goes_on_by_itself(void **state)
{
	struct rig *rig = *state;
	struct job_ref first, second;

	rig->providers[0].concurrency = 1;
	first = order(rig);
	second = order(rig);
	break_disk(rig);
	reply(rig, 400, "failed reason=moderated");
	assert_state(rig, &second, JOB_STATE_QUEUED);
	mend_disk(rig);
	assert_failed(rig, &first, JOB_REASON_MODERATED, JOB_PURCHASE_NOTHING);
	assert_state(rig, &second, JOB_STATE_STARTING);
}

static void a_deadline_that_passed_meanwhile_ends_the_job(void **state)
{
	struct rig *rig = *state;
	struct job_ref job;

	rig->providers[0].concurrency = 1;
	order(rig);
	job = order_with(rig, &(struct engine_create){.timeout_ms = RIG_HOUR_MS});
	break_disk(rig);
	lose_reply(rig);
	pass(rig, RIG_HOUR_MS);
	assert_state(rig, &job, JOB_STATE_QUEUED);
	mend_disk(rig);
	assert_state(rig, &job, JOB_STATE_EXPIRED);
}

/* What is free is for those who have begun; and what makes room is allowed. */
static void without_room_nothing_new_begins(void **state)
{
	struct rig *rig = *state;
	struct job_ref ended = succeeded_job(rig), running, waiting;
	struct engine_upload *upload;
	struct errmsg msg;

	rig->providers[0].concurrency = 1;
	running = running_job(rig);
	waiting = order(rig);
	set_room_of_store(rig, LIMIT_STORE_FLOOR_BYTES - 1);
	assert_answer(create(rig, &(struct engine_create){0}), ENGINE_E_STORE);
	assert_int_equal(engine_upload_open(rig->engine, &(struct engine_upload_spec){.tenant = JOB_TENANT_DEFAULT},
					    &upload, &msg),
			 ENGINE_E_STORE);
	assert_non_null(strstr(msg.text, "MiB left"));
	assert_false(engine_is_serving(rig->engine));
	assert_answer(delete_job(rig, &ended, ENGINE_DELETE_KEEP_REMOTE), 0);
	sleep_over(rig, &running);
	reply(rig, 200, "failed reason=moderated");
	assert_failed(rig, &running, JOB_REASON_MODERATED, JOB_PURCHASE_UNKNOWN);
	assert_state(rig, &waiting, JOB_STATE_QUEUED);
	set_room_of_store(rig, UINT64_MAX);
	assert_true(engine_is_serving(rig->engine));
	assert_state(rig, &waiting, JOB_STATE_STARTING);
}

/* Nothing is waited for that cannot come. */
static void the_daemon_stops_although_nothing_can_be_stored(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = order(rig);

	break_disk(rig);
	reply(rig, 201, "accepted id=v1");
	crash_and_restart(rig);
	assert_state(rig, &job, JOB_STATE_STARTING);
	sleep_over(rig, &job);
	reply(rig, 201, "accepted id=v1");
	assert_state(rig, &job, JOB_STATE_RUNNING);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		story(a_send_leaves_when_its_record_is_stored),
		story(a_send_that_waited_for_too_long_is_prepared_anew),
		story(a_reply_is_kept_until_it_can_be_stored),
		story(a_lost_reply_is_a_doubt_as_ever),
		story(a_video_that_came_meanwhile_is_the_job_s),
		story(a_running_job_is_asked_for_again),
		story(who_orders_meanwhile_is_told_and_may_repeat_it),
		story(a_cancel_under_way_takes_effect_later),
		story(a_deletion_under_way_takes_effect_later),
		story(the_queue_goes_on_by_itself),
		story(a_deadline_that_passed_meanwhile_ends_the_job),
		story(without_room_nothing_new_begins),
		story(the_daemon_stops_although_nothing_can_be_stored),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
