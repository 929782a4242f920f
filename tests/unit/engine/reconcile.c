/*
 * A lost reply that no key protects, at a provider whose plugin can look an order up: what is found goes on, what is
 * proven absent is sent again, and everything else is for a person.
 */
#include "engine/rig.h"

static void let_look(struct rig *rig, int provider)
{
	rig->plugins[provider].cannot[PLUGIN_VERB_RECONCILE] = false;
}

static struct job_ref order_plain(struct rig *rig)
{
	return order_with(rig, &(struct engine_create){.provider = "plain"});
}

/* STARTING, and the plugin's question is the_request(). */
static struct job_ref lost_job(struct rig *rig)
{
	struct job_ref job;

	let_look(rig, 1);
	job = order_plain(rig);
	lose_reply(rig);
	assert_state(rig, &job, JOB_STATE_STARTING);
	sleep_over(rig, &job);
	assert_true(request_ends_with(the_request(rig), "/reconcile"));
	return job;
}

/* Answers one request, whatever else is open. */
static void answer(struct rig *rig, const char *ending, const struct said *said)
{
	struct request *request = rig->http.requests;

	while (request && (request->is_ended || !request_ends_with(request, ending)))
		request = request->next;
	assert_non_null(request);
	answer_request(rig, request, said);
}

static void reply_to_look(struct rig *rig, int status, const char *words)
{
	answer(rig, "/reconcile", &(struct said){.status = status, .body = words});
}

static bool is_told(struct rig *rig, const char *part)
{
	return strstr(last_asked(&rig->runner, PLUGIN_VERB_RECONCILE)->facts, part) != NULL;
}

static void what_is_found_runs_and_is_paid_for_once(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = lost_job(rig);

	reply(rig, 200, "accepted id=v1");
	assert_state(rig, &job, JOB_STATE_RUNNING);
	assert_string_equal(history(rig, &job), "queued preparing starting running");
	assert_int_equal(look(rig, &job)->sends[0].class, JOB_SEND_ACCEPTED);
	assert_string_equal(look(rig, &job)->remotes[0].id, "v1");
	assert_int_equal(purchases(rig), 1);
	pass(rig, RIG_HOUR_MS);
	assert_string_equal(last_asked(&rig->runner, PLUGIN_VERB_POLL)->remote_id, "v1");
}

static void what_is_found_done_is_fetched(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = lost_job(rig);

	reply(rig, 200, "done id=v1 video=https://plain.test/file/1");
	deliver(rig, a_video());
	assert_state(rig, &job, JOB_STATE_SUCCEEDED);
	assert_int_equal(purchases(rig), 1);
}

static void what_is_proven_absent_is_sent_again(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = lost_job(rig);
	const struct job_status *status;

	reply(rig, 200, "absent state={\"scratch\":1}");
	assert_state(rig, &job, JOB_STATE_QUEUED);
	assert_int_equal(look(rig, &job)->sends[0].class, JOB_SEND_ABSENT);
	assert_null(look(rig, &job)->plugin_state);
	pass_until(rig, look(rig, &job)->wait_until_ms);
	assert_int_equal(purchases(rig), 2);
	reply(rig, 201, "accepted id=v2");
	assert_state(rig, &job, JOB_STATE_RUNNING);
	status = look(rig, &job);
	assert_int_equal(status->n_attempts, 1);
	assert_int_equal(status->n_sends, 2);
	assert_string_not_equal(status->sends[0].idempotency_key, status->sends[1].idempotency_key);
	assert_int_equal(status->sends[0].class, JOB_SEND_ABSENT);
	assert_int_equal(status->sends[1].class, JOB_SEND_ACCEPTED);
}

static void what_cannot_be_told_is_held(void **state)
{
	static const char *const words[] = {"unknown", "failed reason=auth message=no", "fault", "buy",
					    "report text={}"};
	struct rig *rig = *state;

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		struct job_ref job = lost_job(rig);

		reply(rig, 200, words[i]);
		assert_state(rig, &job, JOB_STATE_UNCERTAIN);
		assert_int_equal(look(rig, &job)->failure.purchase, JOB_PURCHASE_UNKNOWN);
		assert_int_equal(last_send(look(rig, &job))->class, JOB_SEND_AMBIGUOUS);
		pass(rig, 2 * RIG_HOUR_MS);
		assert_int_equal(purchases(rig), i + 1);
	}
}

static void a_provider_that_is_down_is_asked_again_but_not_for_ever(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = lost_job(rig);
	int64_t waited_ms = 0;

	for (int i = 1; i < LIMIT_ENGINE_RECONCILES; i++) {
		if (i % 3 == 0)
			reply(rig, 503, "trouble reason=unavailable");
		else if (i % 3 == 1)
			lose_reply(rig);
		else
			refuse_to_connect(rig);
		assert_state(rig, &job, JOB_STATE_STARTING);
		assert_int_equal(look(rig, &job)->reconciles, i);
		waited_ms += sleep_over(rig, &job);
	}
	assert_true(waited_ms < LIMIT_ENGINE_RECONCILES * LIMIT_ENGINE_RECONCILE_CAP_MS);
	reply(rig, 503, "trouble reason=unavailable");
	assert_state(rig, &job, JOB_STATE_UNCERTAIN);
	assert_int_equal(purchases(rig), 1);
}

static void a_plugin_may_wait_before_it_decides(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = lost_job(rig);

	reply(rig, 200, "wait after=90000 state={\"seen\":0}");
	assert_state(rig, &job, JOB_STATE_STARTING);
	assert_int_equal(sleep_over(rig, &job), 90000);
	assert_string_equal(last_asked(&rig->runner, PLUGIN_VERB_RECONCILE)->state, "{\"seen\":0}");
	assert_int_equal(last_asked(&rig->runner, PLUGIN_VERB_RECONCILE)->phase, 0);
	reply(rig, 200, "accepted id=v1");
	assert_state(rig, &job, JOB_STATE_RUNNING);
}

/* An operator may say that the list is complete after a day: that is no day of failed looks. */
static void a_plugin_may_wait_for_a_day(void **state)
{
	struct rig *rig = *state;
	struct job_ref job;
	int64_t waited_ms = 0;

	let_look(rig, 1);
	job = order_with(rig, &(struct engine_create){.provider = "plain", .timeout_ms = 72 * RIG_HOUR_MS});
	lose_reply(rig);
	sleep_over(rig, &job);
	while (waited_ms < 24 * RIG_HOUR_MS) {
		reply(rig, 200, "wait after=86400000");
		assert_state(rig, &job, JOB_STATE_STARTING);
		waited_ms += sleep_over(rig, &job);
		lose_reply(rig);
		assert_int_equal(look(rig, &job)->reconciles, 1);
		waited_ms += sleep_over(rig, &job);
	}
	reply(rig, 200, "absent");
	assert_state(rig, &job, JOB_STATE_QUEUED);
}

static void and_not_for_ever(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = lost_job(rig);
	int64_t most_ms = LIMIT_ENGINE_RECONCILE_WAIT_MS + LIMIT_ENGINE_RECONCILES * LIMIT_ENGINE_RECONCILE_CAP_MS;

	for (int64_t waited_ms = 0; look(rig, &job)->state == JOB_STATE_STARTING;) {
		assert_true(waited_ms < most_ms);
		reply(rig, 200, "wait after=86400000");
		if (look(rig, &job)->state == JOB_STATE_STARTING)
			waited_ms += sleep_over(rig, &job);
	}
	assert_state(rig, &job, JOB_STATE_UNCERTAIN);
	assert_int_equal(purchases(rig), 1);
}

/* One that has not even asked waits for nothing. */
static void a_plugin_that_only_waits_is_counted(void **state)
{
	struct rig *rig = *state;
	struct job_ref job;

	let_look(rig, 1);
	rig->plugins[1].begin[PLUGIN_VERB_RECONCILE] = "wait after=600000";
	job = order_plain(rig);
	lose_reply(rig);
	for (int i = 0; i < LIMIT_ENGINE_RECONCILES; i++)
		sleep_over(rig, &job);
	assert_state(rig, &job, JOB_STATE_UNCERTAIN);
}

static void pages_are_read_to_a_limit(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = lost_job(rig);

	for (int i = 1; i < LIMIT_ENGINE_RECONCILE_HOPS; i++)
		reply(rig, 200, "read");
	assert_state(rig, &job, JOB_STATE_STARTING);
	reply(rig, 200, "read");
	assert_state(rig, &job, JOB_STATE_UNCERTAIN);
	assert_int_equal(open_requests(rig), 0);
}

static void a_crash_at_any_point_begins_the_look_anew(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = lost_job(rig);

	crash_and_restart(rig);
	assert_state(rig, &job, JOB_STATE_STARTING);
	sleep_over(rig, &job);
	reply(rig, 200, "read");
	crash_and_restart(rig);
	sleep_over(rig, &job);
	reply(rig, 503, "trouble reason=unavailable");
	crash_and_restart(rig);
	assert_int_equal(look(rig, &job)->reconciles, 1);
	sleep_over(rig, &job);
	reply(rig, 200, "accepted id=v1");
	crash_and_restart(rig);
	assert_state(rig, &job, JOB_STATE_RUNNING);
	assert_int_equal(purchases(rig), 1);
}

static void a_crash_before_the_reply_was_stored_is_looked_up(void **state)
{
	struct rig *rig = *state;
	struct job_ref job;

	let_look(rig, 1);
	job = order_plain(rig);
	crash_and_restart(rig);
	assert_state(rig, &job, JOB_STATE_STARTING);
	assert_int_equal(last_send(look(rig, &job))->class, JOB_SEND_AMBIGUOUS);
	sleep_over(rig, &job);
	reply(rig, 200, "accepted id=v1");
	assert_state(rig, &job, JOB_STATE_RUNNING);
	assert_int_equal(purchases(rig), 1);
}

static void the_key_goes_first_where_there_is_one(void **state)
{
	struct rig *rig = *state;
	struct job_ref job;

	let_look(rig, 0);
	job = order_with(rig, &(struct engine_create){.timeout_ms = 48 * RIG_HOUR_MS});
	lose_reply(rig);
	sleep_over(rig, &job);
	assert_int_equal(purchases(rig), 2);
	lose_reply(rig);
	rig_crash(rig);
	clock_jump(25 * RIG_HOUR_MS);
	rig_start(rig);
	sleep_over(rig, &job);
	assert_int_equal(purchases(rig), 2);
	reply(rig, 200, "accepted id=v1");
	assert_state(rig, &job, JOB_STATE_RUNNING);
	assert_int_equal(look(rig, &job)->sends[0].class, JOB_SEND_ACCEPTED);
	assert_int_equal(look(rig, &job)->sends[1].class, JOB_SEND_ACCEPTED);
}

static void another_account_proves_nothing(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = lost_job(rig);

	rig_crash(rig);
	rig->providers[1].account_digest = digest_of(bytes_of_text("another key"));
	rig_start(rig);
	assert_state(rig, &job, JOB_STATE_UNCERTAIN);
	assert_int_equal(open_requests(rig), 0);
}

static void a_wish_to_cancel_waits_for_what_the_look_brings(void **state)
{
	struct rig *rig = *state;
	struct job_ref found = lost_job(rig), absent;

	assert_answer(cancel(rig, &found), 0);
	assert_state(rig, &found, JOB_STATE_STARTING);
	reply(rig, 200, "accepted id=v1");
	assert_true(request_ends_with(the_request(rig), "/cancel"));
	reply(rig, 200, "cancelled achieved=achieved");
	assert_state(rig, &found, JOB_STATE_CANCELLED);

	absent = lost_job(rig);
	assert_answer(cancel(rig, &absent), 0);
	reply(rig, 200, "absent");
	assert_state(rig, &absent, JOB_STATE_CANCELLED);
	assert_int_equal(purchases(rig), 2);
}

/* ---- the others ---- */

static void the_step_is_told_when_it_was_sent(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = lost_job(rig);
	char expected[128];

	snprintf(expected, sizeof(expected), "{\"sent_at_ms\":%lld,\"decided_at_ms\":%lld}",
		 (long long)last_send(look(rig, &job))->created_ms, (long long)last_send(look(rig, &job))->decided_ms);
	assert_true(is_told(rig, expected));
	assert_false(is_told(rig, "others"));
	reply(rig, 503, "trouble reason=unavailable");
	assert_true(is_told(rig, expected));
	assert_true(is_told(rig, "\"others\":[],\"others_left_out\":false"));
}

static void others_that_were_ordered_at_the_same_time_are_told(void **state)
{
	struct rig *rig = *state;
	struct job_ref accepted, lost;

	lost_job(rig);
	accepted = order_plain(rig);
	reply_to(rig, &accepted, 201, "accepted id=v9");
	lost = order_plain(rig);
	answer_request(rig, request_of(rig, &lost),
		       &(struct said){.kind = HTTP_AMBIGUOUS, .error = -ECONNRESET, .may_have_left = true});
	reply_to_look(rig, 503, "trouble reason=unavailable");
	assert_true(is_told(rig, "\"is_on_its_way\":false,\"remote_id\":\"v9\"}"));
	assert_true(is_told(rig, "\"model\":\"clip\",\"parameters\":{\"prompt\":"));
	assert_true(is_told(rig, "\"is_on_its_way\":false}"));
	assert_true(is_told(rig, "\"others_left_out\":false"));
}

static void an_order_that_is_on_its_way_is_told_as_that(void **state)
{
	struct rig *rig = *state;

	lost_job(rig);
	order_plain(rig);
	reply_to_look(rig, 503, "trouble reason=unavailable");
	assert_true(is_told(rig, "\"is_on_its_way\":true}"));
}

static void others_of_another_time_or_place_are_not_told(void **state)
{
	struct rig *rig = *state;
	struct job_ref elsewhere;

	order_plain(rig);
	reply(rig, 201, "accepted id=v7");
	pass(rig, LIMIT_ENGINE_OTHERS_MARGIN_MS + 1000);
	reply(rig, 200, "wait after=86400000");
	elsewhere = order(rig);
	reply_to(rig, &elsewhere, 201, "accepted id=v8 after=86400000");
	lost_job(rig);
	reply_to_look(rig, 503, "trouble reason=unavailable");
	assert_true(is_told(rig, "\"others\":[]"));
}

static void what_belongs_to_another_job_is_not_taken(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = lost_job(rig), other;

	other = order_plain(rig);
	reply_to(rig, &other, 201, "accepted id=v1");
	reply_to_look(rig, 200, "accepted id=v1");
	assert_state(rig, &job, JOB_STATE_UNCERTAIN);
	assert_state(rig, &other, JOB_STATE_RUNNING);
}

/* The provider has it all the same. */
static void what_a_deleted_job_bought_is_not_taken(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = lost_job(rig), other;

	other = order_plain(rig);
	reply_to(rig, &other, 201, "done id=v1 video=https://plain.test/file/1");
	answer(rig, "/file/1", &(struct said){.status = 200, .file = a_video()});
	assert_state(rig, &other, JOB_STATE_SUCCEEDED);
	assert_answer(delete_job(rig, &other, ENGINE_DELETE_KEEP_REMOTE), 0);
	crash_and_restart(rig);
	sleep_over(rig, &job);
	reply_to_look(rig, 503, "trouble reason=unavailable");
	assert_true(is_told(rig, "\"model\":\"clip\",\"parameters\":{\"prompt\":"));
	assert_true(is_told(rig, "\"is_on_its_way\":false,\"remote_id\":\"v1\"}"));
	assert_true(is_told(rig, "\"others_left_out\":false"));
	sleep_over(rig, &job);
	reply_to_look(rig, 200, "accepted id=v1");
	assert_state(rig, &job, JOB_STATE_UNCERTAIN);
}

/* A second provider of the configuration may be the same place, in other letters. */
static void another_spelling_is_the_same_place(void **state)
{
	struct rig *rig = *state;
	struct job_ref job, other;

	rig_crash(rig);
	rig->providers[0].base_url = "HTTPS://Plain.test:443/";
	rig_start(rig);
	job = lost_job(rig);
	other = order(rig);
	reply_to(rig, &other, 201, "accepted id=v1");
	reply_to_look(rig, 503, "trouble reason=unavailable");
	assert_true(is_told(rig, "\"remote_id\":\"v1\""));

	rig_crash(rig);
	rig->providers[1].base_url = "https://plain.test/";
	rig_start(rig);
	assert_state(rig, &job, JOB_STATE_STARTING);
	sleep_over(rig, &job);
	reply_to_look(rig, 200, "accepted id=v2");
	assert_state(rig, &job, JOB_STATE_RUNNING);
}

/* What was sent so long ago that what was sent with it is forgotten. */
static void an_order_older_than_the_memory_is_not_decided(void **state)
{
	struct rig *rig = *state;
	int64_t kept_ms = LIMIT_ENGINE_OTHERS_KEPT_MS - LIMIT_ENGINE_OTHERS_MARGIN_MS - LIMIT_HTTP_TIMEOUT_MS;

	for (int64_t more = 1; more >= 0; more--) {
		struct job_ref job = lost_job(rig);

		pass(rig, look(rig, &job)->sends[0].created_ms + kept_ms + more - now_ms());
		reply_to_look(rig, 200, "accepted id=v1");
		/* What runs by then is over time at once. */
		assert_state(rig, &job, more ? JOB_STATE_UNCERTAIN : JOB_STATE_EXPIRED);
		assert_int_equal(look(rig, &job)->n_remotes, !more);
	}
}

static void on_stored(struct engine *engine, struct submission *submission, const struct store_commit *commit)
{
	(void)engine;
	(void)submission;
	assert_int_equal(store_commit_outcome(commit), 0);
}

/* Orders of a busy time, decided before the lost one left; their jobs would never be asked for. */
static void put_past_orders(struct rig *rig, const struct job_send *lost, unsigned int n)
{
	static struct submission submission = {.on_committed = on_stored};
	struct store_commit *commit = store_commit_new();
	struct job_send send = {.attempt = 1, .number = 1, .class = JOB_SEND_ACCEPTED, .base_url = lost->base_url};

	for (unsigned int i = 0; i < n; i++) {
		struct job_ref ref = {.tenant = JOB_TENANT_DEFAULT, .id = id_new(lost->created_ms - RIG_HOUR_MS)};

		send.created_ms = lost->created_ms - RIG_HOUR_MS + i % 60000;
		send.decided_ms = send.created_ms + 1;
		assert_int_equal(store_commit_put_send(commit, &ref, &send), 0);
	}
	store_submit(rig->engine->store, commit, &submission);
	settle(rig);
}

static void a_busy_past_does_not_keep_a_lost_order_from_being_decided(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = lost_job(rig);

	put_past_orders(rig, &look(rig, &job)->sends[0], 20000);
	reply_to_look(rig, 503, "trouble reason=unavailable");
	assert_true(is_told(rig, "\"others\":[],\"others_left_out\":false"));
	sleep_over(rig, &job);
	reply_to_look(rig, 200, "accepted id=v1");
	assert_state(rig, &job, JOB_STATE_RUNNING);
}

static void others_are_told_up_to_a_limit(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = lost_job(rig);

	rig->providers[1].concurrency = LIMIT_ENGINE_OTHERS + 2;
	for (int i = 0; i < LIMIT_ENGINE_OTHERS; i++) {
		struct job_ref other = order_plain(rig);

		reply_to(rig, &other, 201, "accepted id=v9 after=86400000");
	}
	reply_to_look(rig, 503, "trouble reason=unavailable");
	assert_true(is_told(rig, "\"others_left_out\":false"));
	order_plain(rig);
	sleep_over(rig, &job);
	reply_to_look(rig, 503, "trouble reason=unavailable");
	assert_true(is_told(rig, "\"others_left_out\":true"));
}

static void what_is_said_without_a_look_is_not_believed(void **state)
{
	static const char *const words[] = {"accepted id=v1", "done id=v1 video=https://plain.test/file/1", "absent"};
	struct rig *rig = *state;

	let_look(rig, 1);
	for (size_t i = 0; i < 3; i++) {
		struct job_ref job;

		rig->plugins[1].begin[PLUGIN_VERB_RECONCILE] = words[i];
		job = order_plain(rig);
		lose_reply(rig);
		sleep_over(rig, &job);
		assert_state(rig, &job, JOB_STATE_UNCERTAIN);
		assert_int_equal(purchases(rig), i + 1);
	}
}

/* Both look before either is told of the other's finding. */
static void what_two_find_at_once_is_taken_by_one(void **state)
{
	static const struct said found = {.kind = HTTP_REPLY, .status = 200, .body = "accepted id=v1"};
	struct rig *rig = *state;
	struct job_ref jobs[2] = {lost_job(rig)};
	struct request *request;
	unsigned int states = 0;

	jobs[1] = order_plain(rig);
	answer_request(rig, request_of(rig, &jobs[1]),
		       &(struct said){.kind = HTTP_AMBIGUOUS, .error = -ECONNRESET, .may_have_left = true});
	sleep_over(rig, &jobs[1]);
	hold_readers(rig);
	for (request = rig->http.requests; request; request = request->next)
		if (!request->is_ended)
			fake_http_end(&rig->http, request, &found);
	release_readers(rig);
	settle(rig);
	for (size_t i = 0; i < 2; i++)
		states |= 1u << look(rig, &jobs[i])->state;
	assert_int_equal(states, 1u << JOB_STATE_RUNNING | 1u << JOB_STATE_UNCERTAIN);
}

static void too_many_others_are_said_to_be_left_out(void **state)
{
	static char parameters[100000] = "{\"prompt\":\"";
	struct rig *rig = *state;
	struct job_ref job = lost_job(rig), other;

	memset(parameters + strlen(parameters), 'a', sizeof(parameters) - strlen(parameters) - 1);
	memcpy(parameters + sizeof(parameters) - 3, "\"}", 2);
	for (int i = 0; i < 3; i++) {
		other = order_with(rig, &(struct engine_create){.provider = "plain", .parameters = parameters});
		reply_to(rig, &other, 201, "accepted id=v9");
	}
	reply_to_look(rig, 503, "trouble reason=unavailable");
	assert_state(rig, &job, JOB_STATE_STARTING);
	assert_true(is_told(rig, "\"others_left_out\":true"));
	/* Whose it is cannot be told then, whatever the plugin says. */
	sleep_over(rig, &job);
	reply_to_look(rig, 200, "accepted id=v1");
	assert_state(rig, &job, JOB_STATE_UNCERTAIN);
}

static void what_is_found_without_a_name_is_not_taken(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = lost_job(rig);

	reply_to_look(rig, 200, "done id=- video=https://plain.test/file/1");
	assert_state(rig, &job, JOB_STATE_UNCERTAIN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		story(what_is_found_runs_and_is_paid_for_once),
		story(what_is_found_done_is_fetched),
		story(what_is_proven_absent_is_sent_again),
		story(what_cannot_be_told_is_held),
		story(a_provider_that_is_down_is_asked_again_but_not_for_ever),
		story(a_plugin_may_wait_before_it_decides),
		story(a_plugin_may_wait_for_a_day),
		story(and_not_for_ever),
		story(a_plugin_that_only_waits_is_counted),
		story(pages_are_read_to_a_limit),
		story(a_crash_at_any_point_begins_the_look_anew),
		story(a_crash_before_the_reply_was_stored_is_looked_up),
		story(the_key_goes_first_where_there_is_one),
		story(another_account_proves_nothing),
		story(a_wish_to_cancel_waits_for_what_the_look_brings),
		story(the_step_is_told_when_it_was_sent),
		story(others_that_were_ordered_at_the_same_time_are_told),
		story(an_order_that_is_on_its_way_is_told_as_that),
		story(others_of_another_time_or_place_are_not_told),
		story(what_belongs_to_another_job_is_not_taken),
		story(what_a_deleted_job_bought_is_not_taken),
		story(another_spelling_is_the_same_place),
		story(an_order_older_than_the_memory_is_not_decided),
		story(a_busy_past_does_not_keep_a_lost_order_from_being_decided),
		story(others_are_told_up_to_a_limit),
		story(what_is_said_without_a_look_is_not_believed),
		story(what_two_find_at_once_is_taken_by_one),
		story(too_many_others_are_said_to_be_left_out),
		story(what_is_found_without_a_name_is_not_taken),
	};

	return cmocka_run_group_tests_name("engine.reconcile", tests, NULL, NULL);
}
