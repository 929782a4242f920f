/*
 * After a crash: from every state, with what was on disk at that moment. What the engine that is left behind does
 * afterwards reaches nobody.
 */
#include "engine/rig.h"

#include <sys/statvfs.h>

static void a_queued_job_is_begun(void **state)
{
	struct rig *rig = *state;
	struct job_ref job;

	rig->providers[0].concurrency = 0;
	job = order(rig);
	rig_crash(rig);
	rig->providers[0].concurrency = 1;
	rig_start(rig);
	assert_state(rig, &job, JOB_STATE_STARTING);
	assert_int_equal(purchases(rig), 1);
}

static void what_waits_is_counted_again(void **state)
{
	struct rig *rig = *state;

	rig->providers[0].concurrency = 0;
	for (int i = 0; i < 3; i++)
		order(rig);
	crash_and_restart(rig);
	assert_int_equal(provider(rig, "maker")->provider.queued, 3);
	assert_int_equal(provider(rig, "plain")->provider.queued, 0);
}

static void a_prepared_job_begins_its_free_exchanges_anew(void **state)
{
	struct rig *rig = *state;
	struct job_ref job;

	rig->plugins[0].begin[PLUGIN_VERB_START] = "read";
	job = order(rig);
	reply(rig, 200, "read state={\"token\":1}");
	assert_state(rig, &job, JOB_STATE_PREPARING);

	crash_and_restart(rig);
	assert_int_equal(last_asked(&rig->runner, PLUGIN_VERB_START)->phase, 0);
	reply(rig, 200, "buy");
	reply(rig, 201, "accepted id=v1");
	assert_state(rig, &job, JOB_STATE_RUNNING);
	assert_int_equal(look(rig, &job)->n_attempts, 1);
	assert_int_equal(purchases(rig), 1);
}

/* ---- STARTING, and nothing is known of the send ---- */

static void a_send_without_a_reply_is_repeated_under_its_key(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = order(rig);
	const struct request *first = the_request(rig), *second;

	crash_and_restart(rig);
	assert_int_equal(last_send(look(rig, &job))->class, JOB_SEND_AMBIGUOUS);
	sleep_over(rig, &job);
	second = the_request(rig);
	assert_string_equal(request_header(second, "Idempotency-Key"), request_header(first, "Idempotency-Key"));
	assert_string_equal(second->body, first->body);
	reply(rig, 201, "accepted id=v1");
	assert_state(rig, &job, JOB_STATE_RUNNING);
}

static void a_send_without_a_reply_and_a_key_is_uncertain(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = order_with(rig, &(struct engine_create){.provider = "plain"});

	crash_and_restart(rig);
	assert_state(rig, &job, JOB_STATE_UNCERTAIN);
	pass(rig, 25 * RIG_HOUR_MS);
	assert_int_equal(purchases(rig), 1);
}

static void a_send_whose_window_has_closed_meanwhile_is_uncertain(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = order(rig);

	rig_crash(rig);
	clock_jump(25 * RIG_HOUR_MS);
	rig_start(rig);
	assert_state(rig, &job, JOB_STATE_UNCERTAIN);
	assert_int_equal(purchases(rig), 1);
}

/* [engine thread] The last moment at which the request had not left. */
static void photograph_send(void *userdata, const struct request *request)
{
	struct rig *rig = userdata;

	if (!(request->flags & HTTP_ONCE))
		return;
	rig_photograph(rig);
	rig->http.on_send = NULL;
}

static void a_crash_right_before_the_send_is_a_doubt_as_well(void **state)
{
	struct rig *rig = *state;
	struct job_ref job;

	rig->http.on_send = photograph_send;
	rig->http.userdata = rig;
	job = order(rig);
	crash_and_restart(rig);
	assert_state(rig, &job, JOB_STATE_STARTING);
	sleep_over(rig, &job);
	assert_int_equal(purchases(rig), 2);
	assert_string_equal(request_header(the_request(rig), "Idempotency-Key"),
			    look(rig, &job)->sends[0].idempotency_key);
}

static void a_doubt_goes_on_waiting_for_its_repeat(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = order(rig);
	int64_t until_ms;

	reply_later(rig, 409, 60, "trouble reason=in_progress");
	until_ms = look(rig, &job)->wait_until_ms;
	crash_and_restart(rig);
	assert_int_equal(open_requests(rig), 0);
	pass_until(rig, until_ms);
	reply(rig, 201, "accepted id=v1");
	assert_state(rig, &job, JOB_STATE_RUNNING);
	assert_int_equal(look(rig, &job)->sends[0].class, JOB_SEND_ACCEPTED);
}

/* ---- STARTING, and the reply is on disk ---- */

/* [engine thread] The last moment at which nobody had read the reply. */
static void photograph_reply(void *userdata, const struct plugin_step *step)
{
	struct rig *rig = userdata;

	if (step->verb != PLUGIN_VERB_START || !step->reply)
		return;
	rig_photograph(rig);
	rig->runner.on_step = NULL;
}

static struct job_ref crash_before_reading(struct rig *rig, const char *provider_id, const struct said *said)
{
	struct job_ref job = order_with(rig, &(struct engine_create){.provider = provider_id});

	rig->runner.on_step = photograph_reply;
	rig->runner.userdata = rig;
	answer_request(rig, the_request(rig), said);
	rig_crash(rig);
	return job;
}

static struct job_ref job_with_unread_reply(struct rig *rig, const char *provider_id, int status, const char *headers,
					    const char *words)
{
	struct job_ref job = crash_before_reading(rig, provider_id,
						  &(struct said){.status = status, .headers = headers, .body = words});

	rig_start(rig);
	return job;
}

static void a_stored_reply_is_read_and_nothing_is_sent_again(void **state)
{
	static const char *const providers[] = {"maker", "plain"};
	struct rig *rig = *state;

	for (size_t i = 0; i < 2; i++) {
		struct job_ref job = job_with_unread_reply(rig, providers[i], 201, NULL, "accepted id=v7");
		const struct job_status *status = look(rig, &job);

		assert_int_equal(status->state, JOB_STATE_RUNNING);
		assert_string_equal(status->remotes[status->n_remotes - 1].id, "v7");
		assert_int_equal(last_send(status)->http_status, 201);
		assert_int_equal(purchases(rig), i + 1);
	}
}

static void a_stored_refusal_says_all_that_it_said(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = job_with_unread_reply(rig, "maker", 429, "Retry-After: 90", "trouble reason=rate_limited");

	assert_state(rig, &job, JOB_STATE_QUEUED);
	assert_int_equal(look(rig, &job)->wait, JOB_WAIT_RATE_LIMIT);
	assert_int_equal(look(rig, &job)->wait_until_ms, now_ms() + 90000);
	assert_int_equal(last_send(look(rig, &job))->http_status, 429);
}

static void a_stored_reply_that_nobody_can_read_is_uncertain(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = job_with_unread_reply(rig, "maker", 200, NULL, "fault");

	assert_state(rig, &job, JOB_STATE_UNCERTAIN);
	assert_int_equal(purchases(rig), 1);
}

/* It is there, whatever it says: only a reply that was never kept makes the send a doubt. */
static void a_stored_reply_that_cannot_be_read_is_not_taken_for_none(void **state)
{
	static const struct {
		int outcome;
		const char *words;
	} faults[] = {
		{-EIO, "cannot be read (Input/output error)"},
		{STORE_E_NEWER_FORMAT, "cannot be read (a later version of filmgated wrote it)"},
		{0, "cannot be read (its records are damaged"},
	};
	struct rig *rig = *state;

	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
		struct job_ref job = crash_before_reading(rig, "maker",
							  &(struct said){.status = 201, .body = "accepted id=v7"});

		rig_open(rig);
		spoil_replies(faults[i].outcome);
		assert_int_equal(engine_start(rig->engine), 0);
		settle(rig);
		assert_state(rig, &job, JOB_STATE_UNCERTAIN);
		assert_non_null(strstr(look(rig, &job)->failure.message, faults[i].words));
		assert_non_null(strstr(look(rig, &job)->failure.message, "look at the provider's account"));
		pass(rig, RIG_HOUR_MS);
		assert_int_equal(purchases(rig), i + 1);
	}
}

/* ---- behind the purchase ---- */

static void a_running_job_is_polled_again(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = running_job(rig);

	sleep_over(rig, &job);
	reply(rig, 200, "wait permille=400 state={\"seen\":1}");
	crash_and_restart(rig);
	assert_true(sleep_over(rig, &job) <= LIMIT_ENGINE_RESUME_SPREAD_MS);
	assert_string_equal(last_asked(&rig->runner, PLUGIN_VERB_POLL)->remote_id, "v1");
	assert_string_equal(last_asked(&rig->runner, PLUGIN_VERB_POLL)->state, "{\"seen\":1}");
	reply(rig, 200, "done video=https://maker.test/file/1");
	deliver(rig, a_video());
	assert_state(rig, &job, JOB_STATE_SUCCEEDED);
	assert_int_equal(purchases(rig), 1);
}

static void what_is_resumed_takes_its_slot(void **state)
{
	struct rig *rig = *state;
	struct job_ref running = running_job(rig), behind;

	rig_crash(rig);
	rig->providers[0].concurrency = 1;
	rig_start(rig);
	behind = order(rig);
	assert_int_equal(provider(rig, "maker")->provider.running, 1);
	assert_int_equal(look(rig, &behind)->wait, JOB_WAIT_CAPACITY);
	sleep_over(rig, &running);
	reply(rig, 200, "failed reason=moderated");
	assert_state(rig, &behind, JOB_STATE_STARTING);
}

/* Accepted, and the crash comes before the cancel has reached the provider. */
static void a_wish_that_was_kept_until_the_order_was_accepted_is_obeyed(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = order(rig);

	cancel(rig, &job);
	reply(rig, 201, "accepted id=v1");
	assert_true(request_ends_with(the_request(rig), "/cancel"));
	crash_and_restart(rig);
	assert_state(rig, &job, JOB_STATE_RUNNING);
	assert_true(request_ends_with(the_request(rig), "/cancel"));
	reply(rig, 200, "cancelled achieved=too_late");
	assert_int_equal(look(rig, &job)->state, JOB_STATE_RUNNING);
	sleep_over(rig, &job);
	assert_true(request_ends_with(the_request(rig), "/poll"));
}

/* Room for one video, and that one is bought. */
static void what_was_bought_is_owed_its_room_after_a_restart(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = running_job(rig), next;
	struct statvfs disk;

	rig_crash(rig);
	assert_int_equal(statvfs(rig->folder, &disk), 0);
	rig->providers[0].expected_bytes = disk.f_bavail * disk.f_frsize / 5 * 3;
	rig_start(rig);
	assert_state(rig, &job, JOB_STATE_RUNNING);
	next = order(rig);
	assert_state(rig, &next, JOB_STATE_QUEUED);
	assert_int_equal(look(rig, &next)->wait, JOB_WAIT_DISK);
}

static void a_download_begins_anew(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = storing_job(rig);

	answer_request(rig, the_request(rig),
		       &(struct said){.kind = HTTP_AMBIGUOUS,
				      .status = 200,
				      .headers = "ETag: \"one\"",
				      .file = bytes_of(a_video().data, 40)});
	crash_and_restart(rig);
	assert_string_equal(the_request(rig)->url, "https://maker.test/file/1");
	assert_int_equal(the_request(rig)->resume_from, 0);
	deliver(rig, a_video());
	assert_state(rig, &job, JOB_STATE_SUCCEEDED);
}

static void a_download_that_needs_the_key_asks_the_provider_again(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = running_job(rig);

	sleep_over(rig, &job);
	reply(rig, 200, "done video=https://maker.test/file/1 secret");
	assert_string_equal(request_header(the_request(rig), "X-Api-Key"), "secret");
	assert_null(strstr(look(rig, &job)->outputs, "secret\""));

	crash_and_restart(rig);
	assert_state(rig, &job, JOB_STATE_RUNNING);
	sleep_over(rig, &job);
	reply(rig, 200, "done video=https://maker.test/file/2 secret");
	assert_string_equal(request_header(the_request(rig), "X-Api-Key"), "secret");
	deliver(rig, a_video());
	assert_state(rig, &job, JOB_STATE_SUCCEEDED);
}

static void what_has_ended_stays_as_it_is(void **state)
{
	struct rig *rig = *state;
	struct job_ref done = succeeded_job(rig), held = uncertain_job(rig);
	uint64_t revisions[] = {look(rig, &done)->revision, look(rig, &held)->revision};

	crash_and_restart(rig);
	pass(rig, 2 * RIG_HOUR_MS);
	assert_int_equal(look(rig, &done)->revision, revisions[0]);
	assert_int_equal(look(rig, &held)->revision, revisions[1]);
	assert_int_equal(purchases(rig), 2);
}

/* ---- with another configuration ---- */

static void a_job_whose_plugin_is_gone_waits_for_it(void **state)
{
	struct rig *rig = *state;
	struct job_ref running = running_job(rig), queued;
	const struct plugin *plugin = rig->providers[0].plugin;

	rig->providers[0].concurrency = 0;
	queued = order(rig);
	rig_crash(rig);
	rig->providers[0].concurrency = 8;
	rig->providers[0].plugin = NULL;
	rig->providers[0].problem = "no file of that name";
	rig_start(rig);
	assert_int_equal(look(rig, &queued)->wait, JOB_WAIT_PLUGIN_MISSING);
	assert_state(rig, &running, JOB_STATE_RUNNING);
	assert_int_equal(open_requests(rig), 0);
	assert_string_equal(provider(rig, "maker")->problem, "no file of that name");
	assert_answer(create(rig, &(struct engine_create){0}), ENGINE_E_PROVIDER);

	rig_crash(rig);
	rig->providers[0].plugin = plugin;
	rig_start(rig);
	assert_state(rig, &queued, JOB_STATE_STARTING);
	assert_true(is_asleep(rig, &running));
}

static void a_job_whose_provider_is_gone_can_be_cancelled(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = running_job(rig);
	struct answer *answer;

	rig_crash(rig);
	rig->config.providers = &rig->providers[1];
	rig->config.n_providers = 1;
	rig_start(rig);
	assert_state(rig, &job, JOB_STATE_RUNNING);
	answer = cancel(rig, &job);
	assert_answer(answer, 0);
	assert_int_equal(answer->view.status->cancel_outcome, JOB_CANCEL_DETACHED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		story(a_queued_job_is_begun),
		story(what_waits_is_counted_again),
		story(a_prepared_job_begins_its_free_exchanges_anew),
		story(a_send_without_a_reply_is_repeated_under_its_key),
		story(a_send_without_a_reply_and_a_key_is_uncertain),
		story(a_send_whose_window_has_closed_meanwhile_is_uncertain),
		story(a_crash_right_before_the_send_is_a_doubt_as_well),
		story(a_doubt_goes_on_waiting_for_its_repeat),
		story(a_stored_reply_is_read_and_nothing_is_sent_again),
		story(a_stored_refusal_says_all_that_it_said),
		story(a_stored_reply_that_nobody_can_read_is_uncertain),
		story(a_stored_reply_that_cannot_be_read_is_not_taken_for_none),
		story(a_running_job_is_polled_again),
		story(what_is_resumed_takes_its_slot),
		story(a_wish_that_was_kept_until_the_order_was_accepted_is_obeyed),
		story(what_was_bought_is_owed_its_room_after_a_restart),
		story(a_download_begins_anew),
		story(a_download_that_needs_the_key_asks_the_provider_again),
		story(what_has_ended_stays_as_it_is),
		story(a_job_whose_plugin_is_gone_waits_for_it),
		story(a_job_whose_provider_is_gone_can_be_cancelled),
	};

	return cmocka_run_group_tests_name("engine.resume", tests, NULL, NULL);
}
