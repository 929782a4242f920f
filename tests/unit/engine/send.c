/*
 * The one exchange that may buy: what comes back, and which of the four classes it is.
 */
#include "engine/rig.h"

static void an_order_that_goes_well_is_bought_once_and_stored(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = succeeded_job(rig);
	const struct job_status *status = look(rig, &job);

	assert_string_equal(history(rig, &job), "queued preparing starting running storing succeeded");
	assert_int_equal(purchases(rig), 1);
	assert_int_equal(status->n_sends, 1);
	assert_int_equal(last_send(status)->class, JOB_SEND_ACCEPTED);
	assert_int_equal(last_send(status)->http_status, 201);
	assert_string_equal(status->remotes[0].id, "v1");
	assert_int_equal(status->n_artifacts, 1);
}

static void a_purchase_is_marked_as_what_must_not_leave_twice(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = order(rig);
	const struct request *request = request_of(rig, &job);

	assert_true(request->flags & HTTP_ONCE);
	assert_string_equal(request->method, "POST");
	assert_string_equal(request_header(request, "Idempotency-Key"), last_send(look(rig, &job))->idempotency_key);
	assert_int_equal(request->timeout_ms, rig->providers[0].submit_timeout_ms);
}

/* ---- before and after the wire ---- */

struct witness {
	struct rig *rig;
	struct job_ref job;
	enum job_state state;
	enum job_send_class class;
	char key[128];
	char *reply;
	size_t times;
};

/* [engine thread] The store's readers see what was synced, and nothing else. */
static void look_before_it_leaves(void *userdata, const struct request *request)
{
	struct witness *witness = userdata;
	const struct job_view *view;
	char text[ID_TEXT_SIZE];

	if (!(request->flags & HTTP_ONCE))
		return;
	snprintf(text, sizeof(text), "%.36s", strstr(request->body, "\"id\":\"") + 6);
	witness->job.tenant = JOB_TENANT_DEFAULT;
	if (id_parse(text, &witness->job.id) != 0)
		abort();
	view = &get(witness->rig, &witness->job)->view;
	witness->state = view->status->state;
	witness->class = view->status->sends[view->status->n_sends - 1].class;
	snprintf(witness->key, sizeof(witness->key), "%s",
		 view->status->sends[view->status->n_sends - 1].idempotency_key);
	witness->times++;
}

static void the_send_is_on_disk_before_it_leaves(void **state)
{
	struct rig *rig = *state;
	struct witness witness = {.rig = rig};

	rig->http.on_send = look_before_it_leaves;
	rig->http.userdata = &witness;
	order(rig);
	assert_int_equal(witness.times, 1);
	assert_int_equal(witness.state, JOB_STATE_STARTING);
	assert_int_equal(witness.class, JOB_SEND_PENDING);
	assert_string_equal(witness.key, request_header(the_request(rig), "Idempotency-Key"));
}

/* [engine thread] */
static void look_before_it_is_read(void *userdata, const struct plugin_step *step)
{
	struct witness *witness = userdata;

	if (step->verb == PLUGIN_VERB_START && step->reply && !witness->reply)
		witness->reply = stored_reply(witness->rig, &witness->job);
}

static void the_reply_is_on_disk_before_the_plugin_reads_it(void **state)
{
	struct rig *rig = *state;
	struct witness witness = {.rig = rig, .job = order(rig)};

	rig->runner.on_step = look_before_it_is_read;
	rig->runner.userdata = &witness;
	reply(rig, 201, "accepted id=v1");
	assert_non_null(witness.reply);
	assert_string_equal(witness.reply, "accepted id=v1");
	free(witness.reply);
}

/* ---- not sent ---- */

static void what_never_left_is_sent_once_more_later(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = order(rig);
	const struct job_status *status;

	refuse_to_connect(rig);
	status = look(rig, &job);
	assert_int_equal(status->state, JOB_STATE_QUEUED);
	assert_int_equal(status->wait, JOB_WAIT_BACKOFF);
	assert_true(status->wait_until_ms > now_ms());
	assert_true(status->wait_until_ms <= now_ms() + LIMIT_ENGINE_BACKOFF_BASE_MS);
	assert_int_equal(last_send(status)->class, JOB_SEND_NOT_SENT);
	assert_int_equal(open_requests(rig), 0);

	pass_until(rig, status->wait_until_ms - 1);
	assert_int_equal(open_requests(rig), 0);
	pass(rig, 1);
	reply(rig, 201, "accepted id=v1");
	assert_state(rig, &job, JOB_STATE_RUNNING);
	assert_int_equal(purchases(rig), 2);
	assert_int_equal(look(rig, &job)->n_attempts, 1);
}

/* A provider that is down for a day fills no list, and is asked at least once a minute. */
static void what_never_leaves_is_tried_for_ever_with_one_record(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = order(rig);

	for (int i = 0; i < 40; i++) {
		refuse_to_connect(rig);
		assert_true(look(rig, &job)->wait_until_ms <= now_ms() + LIMIT_ENGINE_BACKOFF_CAP_MS);
		pass_until(rig, look(rig, &job)->wait_until_ms);
	}
	reply(rig, 201, "accepted id=v1");
	assert_int_equal(look(rig, &job)->n_sends, 1);
	assert_int_equal(look(rig, &job)->retries, 0);
}

static void each_proof_that_nothing_left_is_taken(void **state)
{
	static const enum http_kind kinds[] = {HTTP_NOT_SENT, HTTP_ADDRESS_REFUSED, HTTP_INVALID, HTTP_ABORTED};
	struct rig *rig = *state;

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		struct job_ref job = order_with(rig, &(struct engine_create){.provider = "plain"});

		answer_request(rig, the_request(rig), &(struct said){.kind = kinds[i], .error = -EIO});
		assert_int_equal(last_send(look(rig, &job))->class, JOB_SEND_NOT_SENT);
		assert_state(rig, &job, JOB_STATE_QUEUED);
		assert_answer(cancel(rig, &job), 0);
	}
}

static void what_the_transport_does_not_take_has_not_left(void **state)
{
	struct rig *rig = *state;
	struct job_ref job;

	rig->http.refuses = HTTP_E_BUSY;
	job = order_with(rig, &(struct engine_create){.provider = "plain"});
	assert_int_equal(last_send(look(rig, &job))->class, JOB_SEND_NOT_SENT);
	rig->http.refuses = 0;
	pass_until(rig, look(rig, &job)->wait_until_ms);
	assert_state(rig, &job, JOB_STATE_STARTING);
	assert_int_equal(purchases(rig), 1);
}

/* ---- refused ---- */

static void a_refusal_for_good_fails_the_job_and_costs_nothing(void **state)
{
	static const struct {
		const char *words;
		enum job_reason reason;
	} refusals[] = {
		{"failed reason=invalid_input", JOB_REASON_INVALID_INPUT},
		{"failed reason=moderated", JOB_REASON_MODERATED},
		{"failed reason=no_credit", JOB_REASON_NO_CREDIT},
		{"failed reason=quota", JOB_REASON_QUOTA},
		{"failed reason=provider_fault", JOB_REASON_PROVIDER_FAULT},
		{"failed reason=unknown", JOB_REASON_PROVIDER_FAULT},
	};
	struct rig *rig = *state;

	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
		struct job_ref job = order(rig);

		reply(rig, 422, refusals[i].words);
		assert_failed(rig, &job, refusals[i].reason, JOB_PURCHASE_NOTHING);
		assert_int_equal(last_send(look(rig, &job))->class, JOB_SEND_REFUSED);
		assert_string_equal(history(rig, &job), "queued preparing starting failed");
	}
	pass(rig, RIG_HOUR_MS);
	assert_int_equal(purchases(rig), sizeof(refusals) / sizeof(refusals[0]));
}

static void a_refusal_shows_the_providers_own_words(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = order(rig);
	const struct job_failure *failure;

	reply(rig, 400, "failed reason=invalid_input code=bad_avatar message=no-such-avatar");
	failure = &look(rig, &job)->failure;
	assert_string_equal(failure->provider_code, "bad_avatar");
	assert_string_equal(failure->provider_message, "no-such-avatar");
	assert_non_null(failure->message);
	assert_string_equal(look(rig, &job)->attempts[0].failure.provider_code, "bad_avatar");
}

static void a_refusal_that_took_the_money_says_so(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = order(rig);

	reply(rig, 200, "failed reason=moderated bought=made");
	assert_failed(rig, &job, JOB_REASON_MODERATED, JOB_PURCHASE_MADE);
	assert_int_equal(last_send(look(rig, &job))->class, JOB_SEND_ACCEPTED);
}

static void a_rate_limit_waits_as_long_as_the_provider_says(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = order(rig), behind;

	reply_later(rig, 429, 7, "trouble reason=rate_limited");
	assert_state(rig, &job, JOB_STATE_QUEUED);
	assert_int_equal(look(rig, &job)->wait, JOB_WAIT_RATE_LIMIT);
	assert_int_equal(look(rig, &job)->wait_until_ms, now_ms() + 7000);

	behind = order(rig);
	assert_int_equal(look(rig, &behind)->wait, JOB_WAIT_RATE_LIMIT);
	assert_int_equal(look(rig, &behind)->wait_until_ms, now_ms() + 7000);
	pass(rig, 6999);
	assert_int_equal(open_requests(rig), 0);
	pass(rig, 1);
	assert_int_equal(open_requests(rig), 2);
}

static void a_refused_key_holds_the_provider_and_fails_nothing(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = order(rig), behind;

	reply(rig, 401, "failed reason=auth");
	behind = order(rig);
	assert_state(rig, &job, JOB_STATE_QUEUED);
	assert_int_equal(look(rig, &job)->wait, JOB_WAIT_CREDENTIAL);
	assert_int_equal(look(rig, &behind)->wait, JOB_WAIT_CREDENTIAL);
	assert_non_null(strstr(provider(rig, "maker")->problem, "it refuses the key"));
	assert_string_equal(provider(rig, "plain")->problem, "");

	pass(rig, LIMIT_ENGINE_CREDENTIAL_MS);
	assert_int_equal(open_requests(rig), 2);
	assert_string_equal(provider(rig, "maker")->problem, "");
}

static void a_refusal_for_now_is_bought_later_with_a_key_of_its_own(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = order(rig);
	char *first = strdup(last_send(look(rig, &job))->idempotency_key);

	reply(rig, 503, "trouble reason=unavailable bought=none");
	assert_int_equal(look(rig, &job)->wait, JOB_WAIT_BACKOFF);
	pass_until(rig, look(rig, &job)->wait_until_ms);
	assert_string_not_equal(request_header(the_request(rig), "Idempotency-Key"), first);
	assert_int_equal(look(rig, &job)->n_sends, 2);
	free(first);
}

/* ---- accepted ---- */

static void the_reply_to_a_purchase_may_lead_to_a_free_exchange(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = order(rig);

	reply(rig, 202, "read state={\"ticket\":1}");
	assert_state(rig, &job, JOB_STATE_STARTING);
	assert_false(the_request(rig)->flags & HTTP_ONCE);
	reply(rig, 200, "accepted id=v9");
	assert_state(rig, &job, JOB_STATE_RUNNING);
	assert_string_equal(look(rig, &job)->remotes[0].id, "v9");
	assert_string_equal(look(rig, &job)->plugin_state, "{\"ticket\":1}");
	assert_int_equal(purchases(rig), 1);
}

static void an_order_that_is_done_at_once_is_stored(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = order(rig);

	reply(rig, 200, "done id=v1 video=https://maker.test/file/1");
	assert_state(rig, &job, JOB_STATE_STORING);
	deliver(rig, a_video());
	assert_string_equal(history(rig, &job), "queued preparing starting running storing succeeded");
	assert_int_equal(look(rig, &job)->n_remotes, 1);
}

/* ---- what a plugin must not do ---- */

static void a_plugin_that_fails_on_a_paid_reply_leaves_the_job_uncertain(void **state)
{
	static const int statuses[] = {201, 400, 500};
	struct rig *rig = *state;

	for (size_t i = 0; i < 3; i++) {
		struct job_ref job = order(rig);
		char *kept;

		reply(rig, statuses[i], "fault");
		assert_state(rig, &job, JOB_STATE_UNCERTAIN);
		assert_int_equal(look(rig, &job)->failure.purchase, JOB_PURCHASE_UNKNOWN);
		kept = stored_reply(rig, &job);
		assert_string_equal(kept, "fault");
		free(kept);
	}
	pass(rig, 25 * RIG_HOUR_MS);
	assert_int_equal(purchases(rig), 3);
}

static void a_second_purchase_in_one_attempt_is_not_sent(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = order(rig);

	reply(rig, 200, "buy");
	assert_state(rig, &job, JOB_STATE_UNCERTAIN);
	assert_int_equal(purchases(rig), 1);
	assert_int_equal(open_requests(rig), 0);
	assert_true(last_asked(&rig->runner, PLUGIN_VERB_START)->has_bought);
}

/* ---- the disk ---- */

static void without_room_for_the_video_nothing_is_bought(void **state)
{
	struct rig *rig = *state;
	struct job_ref job;

	rig->providers[0].expected_bytes = UINT64_MAX / 4;
	job = order(rig);
	assert_state(rig, &job, JOB_STATE_QUEUED);
	assert_int_equal(look(rig, &job)->wait, JOB_WAIT_DISK);
	pass(rig, LIMIT_ENGINE_DISK_MS);
	assert_int_equal(look(rig, &job)->wait, JOB_WAIT_DISK);
	assert_int_equal(purchases(rig), 0);

	rig->providers[0].expected_bytes = 1 << 20;
	pass(rig, LIMIT_ENGINE_DISK_MS);
	assert_state(rig, &job, JOB_STATE_STARTING);
	assert_int_equal(purchases(rig), 1);
}

static void nothing_is_sent_when_the_send_cannot_be_recorded(void **state)
{
	struct rig *rig = *state;
	struct job_ref job;

	rig->plugins[0].begin[PLUGIN_VERB_START] = "read";
	job = order(rig);
	break_disk(rig);
	reply(rig, 200, "buy");
	assert_int_equal(purchases(rig), 0);
	assert_int_equal(open_requests(rig), 0);
	assert_false(engine_is_serving(rig->engine));
	assert_answer(create(rig, &(struct engine_create){0}), ENGINE_E_STORE);

	crash_and_restart(rig);
	assert_int_equal(purchases(rig), 0);
	reply(rig, 200, "buy");
	assert_int_equal(purchases(rig), 1);
	assert_state(rig, &job, JOB_STATE_STARTING);
}

static void a_reply_that_cannot_be_stored_is_read_by_nobody(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = order(rig);
	char *key = strdup(request_header(the_request(rig), "Idempotency-Key"));
	size_t steps = times_asked(&rig->runner, PLUGIN_VERB_START);

	break_disk(rig);
	reply(rig, 201, "accepted id=v1");
	assert_int_equal(times_asked(&rig->runner, PLUGIN_VERB_START), steps);

	crash_and_restart(rig);
	sleep_over(rig, &job);
	assert_string_equal(request_header(the_request(rig), "Idempotency-Key"), key);
	free(key);
}

/* ---- what is said of an order that the plugin refuses by itself ---- */

/* The provider had something of it before, whatever it was: only the cause is said, and not that nothing was sent. */
static void assert_refused_after(struct rig *rig, const struct job_ref *job)
{
	assert_failed(rig, job, JOB_REASON_INVALID_INPUT, JOB_PURCHASE_NOTHING);
	assert_string_equal(look(rig, job)->failure.message, "the order cannot be made: no-such-avatar");
	assert_null(look(rig, job)->failure.provider_message);
}

static const char refusal[] = "failed reason=invalid_input message=no-such-avatar";

static void after_a_refused_purchase_it_is_not_said_that_nothing_was_sent(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = order(rig);

	rig->plugins[0].begin[PLUGIN_VERB_START] = refusal;
	reply_later(rig, 429, 7, "trouble reason=rate_limited");
	pass(rig, 7000);
	assert_refused_after(rig, &job);
}

static void after_a_free_exchange_it_is_not_said_that_nothing_was_sent(void **state)
{
	struct rig *rig = *state;
	struct job_ref jobs[3];

	for (size_t i = 0; i < 3; i++) {
		rig->plugins[0].begin[PLUGIN_VERB_START] = "read";
		jobs[i] = order(rig);
		rig->plugins[0].begin[PLUGIN_VERB_START] = refusal;
		if (i == 0) {
			reply(rig, 200, "wait after=1000");
			sleep_over(rig, &jobs[i]);
		} else if (i == 1) {
			lose_reply(rig);
			pass_until(rig, look(rig, &jobs[i])->wait_until_ms);
		} else {
			crash_and_restart(rig);
		}
		assert_refused_after(rig, &jobs[i]);
	}
}

/* The plugin waits, and asked nobody. */
static void after_a_mere_wait_it_is_said_that_nothing_was_sent(void **state)
{
	struct rig *rig = *state;
	struct job_ref job;

	rig->plugins[0].begin[PLUGIN_VERB_START] = "wait after=1000";
	job = order(rig);
	rig->plugins[0].begin[PLUGIN_VERB_START] = refusal;
	sleep_over(rig, &job);
	assert_failed(rig, &job, JOB_REASON_INVALID_INPUT, JOB_PURCHASE_NOTHING);
	assert_string_equal(look(rig, &job)->failure.message, "nothing was sent to the provider: no-such-avatar");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		story(an_order_that_goes_well_is_bought_once_and_stored),
		story(a_purchase_is_marked_as_what_must_not_leave_twice),
		story(the_send_is_on_disk_before_it_leaves),
		story(the_reply_is_on_disk_before_the_plugin_reads_it),
		story(what_never_left_is_sent_once_more_later),
		story(what_never_leaves_is_tried_for_ever_with_one_record),
		story(each_proof_that_nothing_left_is_taken),
		story(what_the_transport_does_not_take_has_not_left),
		story(a_refusal_for_good_fails_the_job_and_costs_nothing),
		story(a_refusal_shows_the_providers_own_words),
		story(a_refusal_that_took_the_money_says_so),
		story(a_rate_limit_waits_as_long_as_the_provider_says),
		story(a_refused_key_holds_the_provider_and_fails_nothing),
		story(a_refusal_for_now_is_bought_later_with_a_key_of_its_own),
		story(the_reply_to_a_purchase_may_lead_to_a_free_exchange),
		story(an_order_that_is_done_at_once_is_stored),
		story(a_plugin_that_fails_on_a_paid_reply_leaves_the_job_uncertain),
		story(a_second_purchase_in_one_attempt_is_not_sent),
		story(without_room_for_the_video_nothing_is_bought),
		story(nothing_is_sent_when_the_send_cannot_be_recorded),
		story(a_reply_that_cannot_be_stored_is_read_by_nobody),
		story(after_a_refused_purchase_it_is_not_said_that_nothing_was_sent),
		story(after_a_free_exchange_it_is_not_said_that_nothing_was_sent),
		story(after_a_mere_wait_it_is_said_that_nothing_was_sent),
	};

	return cmocka_run_group_tests_name("engine.send", tests, NULL, NULL);
}
