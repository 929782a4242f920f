/*
 * The graceful end: nothing new leaves, a paid request in flight is waited for, and what it said is on disk.
 */
#include "engine/rig.h"

static void start_again(struct rig *rig)
{
	stop_end(rig);
	rig_start(rig);
}

static void an_end_waits_for_the_reply_to_a_purchase_and_stores_what_it_says(void **state)
{
	static const struct {
		const char *words;
		enum job_state state;
	} ends[] = {
		{"accepted id=v1", JOB_STATE_RUNNING},
		{"done id=v1 video=https://maker.test/file/1", JOB_STATE_RUNNING},
		{"failed reason=moderated", JOB_STATE_FAILED},
		{"trouble reason=rate_limited", JOB_STATE_QUEUED},
		{"fault", JOB_STATE_UNCERTAIN},
	};
	struct rig *rig = *state;

	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		struct job_ref job = order(rig);
		size_t sent = purchases(rig);
		struct request *request = request_of(rig, &job);

		stop_begin(rig, 90000);
		await_drain_turns(rig, 3);
		assert_false(request->is_ended);
		fake_http_end(&rig->http, request, &(struct said){.status = 422, .body = ends[i].words});
		stop_end(rig);
		assert_int_equal(purchases(rig), sent);

		rig->providers[0].concurrency = 0;
		rig_start(rig);
		assert_int_equal(look(rig, &job)->sends[0].http_status, 422);
		assert_true(look(rig, &job)->state == ends[i].state || look(rig, &job)->state == JOB_STATE_STORING);
		rig->providers[0].concurrency = 8;
		pass(rig, 2 * RIG_HOUR_MS);
	}
}

static void an_end_without_purchases_in_flight_comes_at_once(void **state)
{
	struct rig *rig = *state;
	struct job_ref storing = storing_job(rig), polling = order(rig), prepared;

	reply_to(rig, &polling, 201, "accepted id=v2");
	sleep_over(rig, &polling);
	rig->plugins[0].begin[PLUGIN_VERB_START] = "read";
	prepared = order(rig);
	stop_begin(rig, 90000);
	start_again(rig);
	assert_state(rig, &storing, JOB_STATE_STORING);
	assert_state(rig, &polling, JOB_STATE_RUNNING);
	assert_true(look(rig, &prepared)->state == JOB_STATE_QUEUED ||
		    look(rig, &prepared)->state == JOB_STATE_PREPARING);
	assert_int_equal(purchases(rig), 2);
}

static void nothing_new_is_accepted_or_sent(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = order(rig);
	size_t sent;

	rig->providers[0].concurrency = 1;
	order(rig);
	sent = purchases(rig);
	stop_begin(rig, 90000);
	await_drain_turns(rig, 2);
	assert_false(engine_is_serving(rig->engine));
	assert_answer(create_unsettled(rig, &(struct engine_create){0}), ENGINE_E_DRAINING);
	fake_http_end(&rig->http, request_of(rig, &job), &(struct said){.status = 422, .body = "failed reason=quota"});
	stop_end(rig);
	assert_int_equal(purchases(rig), sent);
}

static void what_is_asked_meanwhile_is_answered(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = order(rig);
	struct answer *answer;

	stop_begin(rig, 90000);
	await_drain_turns(rig, 2);
	answer = cancel_unsettled(rig, &job);
	await_answer(answer);
	assert_answer(answer, ENGINE_E_DRAINING);
	answer = check_unsettled(rig, "maker");
	await_answer(answer);
	assert_answer(answer, ENGINE_E_DRAINING);
	fake_http_end(&rig->http, the_request(rig), &(struct said){.status = 201, .body = "accepted id=v1"});
	start_again(rig);
	assert_state(rig, &job, JOB_STATE_RUNNING);
}

static void an_end_does_not_wait_beyond_its_limit(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = order(rig);

	stop_begin(rig, 90000);
	await_drain_turns(rig, 2);
	clock_jump(90000 + LIMIT_ENGINE_DRAIN_MARGIN_MS);
	start_again(rig);
	assert_state(rig, &job, JOB_STATE_STARTING);
	sleep_over(rig, &job);
	reply(rig, 201, "accepted id=v1");
	assert_state(rig, &job, JOB_STATE_RUNNING);
	assert_string_equal(look(rig, &job)->sends[0].idempotency_key, look(rig, &job)->sends[1].idempotency_key);
}

/* A doubt keeps its instant: the next start repeats it, nobody before. */
static void a_reply_that_is_lost_at_the_end_is_a_doubt_of_the_next_start(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = order(rig);

	stop_begin(rig, 90000);
	await_drain_turns(rig, 2);
	fake_http_end(&rig->http, the_request(rig),
		      &(struct said){.kind = HTTP_AMBIGUOUS, .error = -ECONNRESET, .may_have_left = true});
	start_again(rig);
	assert_int_equal(last_send(look(rig, &job))->class, JOB_SEND_AMBIGUOUS);
	assert_int_equal(purchases(rig), 1);
	sleep_over(rig, &job);
	reply(rig, 201, "accepted id=v1");
	assert_state(rig, &job, JOB_STATE_RUNNING);
}

/* Its deadline was nobody's while the purchase was undecided; the reply gives it back, to an engine that ends. */
static void a_deadline_that_returns_at_the_end_is_the_next_starts(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = order(rig);

	crash_and_restart(rig);
	sleep_over(rig, &job);
	stop_begin(rig, 90000);
	await_drain_turns(rig, 2);
	fake_http_end(&rig->http, the_request(rig), &(struct said){.status = 201, .body = "accepted id=v1"});
	start_again(rig);
	assert_state(rig, &job, JOB_STATE_RUNNING);
	pass(rig, RIG_HOUR_MS);
	assert_state(rig, &job, JOB_STATE_EXPIRED);
}

static void a_verb_beside_the_jobs_course_is_waited_for(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = running_job(rig);
	struct answer *answer;

	fake_runner_hold(&rig->runner);
	answer = cancel(rig, &job);
	stop_begin(rig, 90000);
	await_drain_turns(rig, 3);
	assert_false(answer->is_there);
	fake_runner_release(&rig->runner);
	start_again(rig);
	assert_answer(answer, 0);
	assert_int_equal(answer->view.status->cancel_outcome, JOB_CANCEL_DETACHED);
	assert_state(rig, &job, JOB_STATE_CANCELLED);
}

/* A plugin that hangs holds nobody for ever, and what it says after the end changes nothing. */
static void a_verb_that_never_ends_is_left_behind(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = running_job(rig);
	struct answer *answer;

	fake_runner_hold(&rig->runner);
	answer = cancel(rig, &job);
	stop_begin(rig, 90000);
	await_drain_turns(rig, 2);
	clock_jump(90000 + LIMIT_ENGINE_DRAIN_MARGIN_MS);
	start_again(rig);
	assert_answer(answer, ENGINE_E_DRAINING);
	assert_state(rig, &job, JOB_STATE_RUNNING);
}

static bool are_deadlines_read(struct rig *rig, void *userdata)
{
	(void)userdata;
	return rig->engine->is_scanning_deadlines;
}

static bool is_queue_read(struct rig *rig, void *userdata)
{
	(void)userdata;
	return lane_find(rig->engine, "maker")->is_scanning;
}

/* The store's readers are slow, and answer an engine that has ended. */
static void deadlines_that_are_read_after_the_end_are_the_next_starts(void **state)
{
	struct rig *rig = *state;
	struct job_ref job;

	rig->providers[0].concurrency = 0;
	job = order(rig);
	hold_readers(rig);
	pass_unsettled(rig, RIG_HOUR_MS);
	await_engine(rig, are_deadlines_read, NULL);
	stop_unsettled(rig, 90000);
	stop_join(rig);
	release_readers(rig);
	start_again(rig);
	assert_state(rig, &job, JOB_STATE_EXPIRED);
}

static void a_queue_that_is_read_after_the_end_starts_nothing(void **state)
{
	struct rig *rig = *state;
	struct job_ref delayed = order(rig), job;
	struct answer *answer;

	refuse_to_connect(rig);
	hold_readers(rig);
	answer = create_unsettled(rig, &(struct engine_create){0});
	await_answer(answer);
	job = answer->view.job->ref;
	await_engine(rig, is_queue_read, NULL);
	stop_unsettled(rig, 90000);
	stop_join(rig);
	release_readers(rig);
	stop_end(rig);
	assert_int_equal(purchases(rig), 1);
	rig_start(rig);
	assert_state(rig, &job, JOB_STATE_STARTING);
	pass(rig, LIMIT_ENGINE_BACKOFF_BASE_MS);
	assert_state(rig, &delayed, JOB_STATE_STARTING);
}

/* Their commits were on their way when the engine ended. */
static void a_creation_that_is_stored_after_the_end_is_answered(void **state)
{
	struct engine_create known = {.request_id = "r-1"};
	struct rig *rig = *state;
	struct answer *fresh, *repeated;

	order_with(rig, &known);
	hold_disk(rig);
	fresh = create_unsettled(rig, &(struct engine_create){0});
	repeated = create_unsettled(rig, &known);
	fake_http_end(&rig->http, the_request(rig), &(struct said){.kind = HTTP_NOT_SENT, .error = -ENETDOWN});
	stop_unsettled(rig, 0);
	await_drain_turns(rig, 1);
	clock_jump(LIMIT_ENGINE_DRAIN_MARGIN_MS);
	stop_join(rig);
	release_disk();
	stop_end(rig);
	assert_answer(fresh, 0);
	assert_answer(repeated, ENGINE_E_DRAINING);
	rig_start(rig);
	assert_state(rig, &fresh->view.job->ref, JOB_STATE_STARTING);
}

static void a_start_that_fails_says_what_and_what_to_do(void **state)
{
	static const struct {
		const char *thread;
		int sweep, load;
		int outcome;
		const char *words;
	} starts[] = {
		{"fg-watch", 0, 0, -EAGAIN,
		 "thread for watchers cannot be started: Resource temporarily unavailable; raise"},
		{NULL, -EACCES, 0, -EACCES,
		 "/artifacts/staging' cannot be read: Permission denied; give the daemon's user"},
		{NULL, 0, -EBADMSG, -EBADMSG, "it has a record that cannot be read"},
		{NULL, 0, STORE_E_NEWER_FORMAT, STORE_E_NEWER_FORMAT, "a later version of filmgated wrote it; run"},
	};
	struct rig *rig = *state;
	struct job_ref job = running_job(rig);

	rig_crash(rig);
	for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++) {
		struct errmsg msg;

		spoil_start(starts[i].thread, starts[i].sweep, starts[i].load);
		assert_int_equal(rig_refuse(rig, &msg), starts[i].outcome);
		assert_non_null(strstr(msg.text, starts[i].words));
	}
	spoil_start(NULL, 0, 0);
	rig_start(rig);
	assert_state(rig, &job, JOB_STATE_RUNNING);
}

static void an_engine_whose_thread_cannot_be_started_ends(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = running_job(rig);

	rig_crash(rig);
	rig_open(rig);
	spoil_start("fg-engine", 0, 0);
	assert_int_equal(engine_start(rig->engine), -EAGAIN);
	spoil_start(NULL, 0, 0);
	engine_drain(rig->engine);
	engine_stop(rig->engine, 0);
	rig_close(rig);
	rig_start(rig);
	assert_state(rig, &job, JOB_STATE_RUNNING);
}

static void an_engine_that_never_started_ends(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = running_job(rig);

	rig_crash(rig);
	rig_open(rig);
	rig_close(rig);
	rig_start(rig);
	assert_state(rig, &job, JOB_STATE_RUNNING);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		story(an_end_waits_for_the_reply_to_a_purchase_and_stores_what_it_says),
		story(an_end_without_purchases_in_flight_comes_at_once),
		story(nothing_new_is_accepted_or_sent),
		story(what_is_asked_meanwhile_is_answered),
		story(an_end_does_not_wait_beyond_its_limit),
		story(a_reply_that_is_lost_at_the_end_is_a_doubt_of_the_next_start),
		story(a_deadline_that_returns_at_the_end_is_the_next_starts),
		story(a_verb_beside_the_jobs_course_is_waited_for),
		story(a_verb_that_never_ends_is_left_behind),
		story(deadlines_that_are_read_after_the_end_are_the_next_starts),
		story(a_queue_that_is_read_after_the_end_starts_nothing),
		story(a_creation_that_is_stored_after_the_end_is_answered),
		story(a_start_that_fails_says_what_and_what_to_do),
		story(an_engine_whose_thread_cannot_be_started_ends),
		story(an_engine_that_never_started_ends),
	};

	return cmocka_run_group_tests_name("engine.drain", tests, NULL, NULL);
}
