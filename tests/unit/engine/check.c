/*
 * Orders that only a plugin can judge: it is asked before anything is stored, and whatever it does, whoever ordered is
 * answered and nobody else waits for it.
 */
#include "engine/rig.h"

/* ---- a store that cannot look a request id up ---- */

void __real_store_get_request(struct store *store, uint32_t tenant, const char *request_id, store_request_fn *fn,
			      void *userdata);
void __wrap_store_get_request(struct store *store, uint32_t tenant, const char *request_id, store_request_fn *fn,
			      void *userdata);

static int request_outcome;

void __wrap_store_get_request(struct store *store, uint32_t tenant, const char *request_id, store_request_fn *fn,
			      void *userdata)
{
	if (request_outcome)
		fn(userdata, request_outcome, NULL);
	else
		__real_store_get_request(store, tenant, request_id, fn, userdata);
}

/* ---- orders ---- */

static const struct engine_create named = {.request_id = "r-1"};
static const struct engine_create trial = {.validate_only = true};

static int set_up(void **state)
{
	struct rig *rig;
	int r = rig_setup(state);

	rig = *state;
	for (size_t i = 0; i < RIG_PROVIDERS; i++)
		rig->providers[i].checks = &rig->checkers[i];
	return r;
}
#define judged(name) cmocka_unit_test_setup_teardown(name, set_up, rig_teardown)

static size_t times_judged(struct rig *rig)
{
	return times_asked(&rig->checkers[0], PLUGIN_VERB_CHECK);
}

static bool is_line_of(struct rig *rig, void *userdata)
{
	const size_t *n = userdata;

	return rig->engine->lanes[0].n_checks == *n;
}

/* settle() does not know of the line: who looks up a request id first may come to stand in it later. */
static void await_line_of(struct rig *rig, size_t n)
{
	await_engine(rig, is_line_of, &n);
}

/* Nothing is kept of an order that was refused: its request id is as free as before. */
static void assert_not_stored(struct rig *rig)
{
	rig->plugins[0].begin[PLUGIN_VERB_CHECK] = "report text={}";
	assert_false(create(rig, &named)->is_replay);
}

static void what_the_plugin_refuses_is_not_accepted(void **state)
{
	static const struct {
		const char *words, *field, *text;
	} rows[] = {
		{"failed reason=invalid_input field=/parameters/seed message=no-seed-here", "parameters.seed",
		 "no-seed-here"},
		{"failed reason=invalid_input code=option", "parameters", "option"},
		{"failed reason=invalid_input", "parameters", "does not say why"},
		{"report text={\"violations\":[{\"pointer\":\"/parameters/media\",\"message\":\"one\"},"
		 "{\"message\":\"two\"}]}",
		 "parameters.media", "one"},
	};
	struct rig *rig = *state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct engine_create *creates[] = {&named, &trial};

		rig->plugins[0].begin[PLUGIN_VERB_CHECK] = rows[i].words;
		for (size_t k = 0; k < 2; k++) {
			struct answer *answer = create(rig, creates[k]);

			assert_answer(answer, ENGINE_E_INVALID);
			assert_string_equal(answer->field, rows[i].field);
			assert_non_null(strstr(answer->text, rows[i].text));
			assert_int_equal(answer->n_violations, i == 3 ? 2 : 1);
		}
	}
	assert_int_equal(times_asked(&rig->runner, PLUGIN_VERB_START), 0);
	assert_not_stored(rig);
}

static void what_the_plugin_takes_is_accepted_with_its_notes(void **state)
{
	struct rig *rig = *state;
	struct answer *answer;

	rig->plugins[0].begin[PLUGIN_VERB_CHECK] = "report text={} note=nearly";
	answer = create(rig, &trial);
	assert_answer(answer, 0);
	assert_string_equal(answer->view.status->notes[0].message, "nearly");
	assert_int_equal(times_asked(&rig->runner, PLUGIN_VERB_START), 0);
	answer = create(rig, &named);
	assert_answer(answer, 0);
	assert_string_equal(look(rig, &answer->view.job->ref)->notes[0].message, "nearly");
	assert_non_null(strstr(last_asked(&rig->checkers[0], PLUGIN_VERB_CHECK)->job,
			       "\"model\":\"clip\",\"parameters\":{\"prompt\":\"a fox\"}"));
	assert_int_equal(times_asked(&rig->runner, PLUGIN_VERB_START), 1);
}

static void what_was_adapted_is_judged_as_it_will_be_ordered(void **state)
{
	struct rig *rig = *state;

	assert_answer(create(rig, &(struct engine_create){.parameters = "{\"prompt\":\"a fox\",\"duration_ms\":12000}",
							  .may_adapt = true}),
		      0);
	assert_non_null(strstr(last_asked(&rig->checkers[0], PLUGIN_VERB_CHECK)->job, "\"duration_ms\":10000"));
}

static void what_the_manifest_refuses_is_not_shown(void **state)
{
	struct rig *rig = *state;

	assert_answer(create(rig, &(struct engine_create){.parameters = "{}"}), ENGINE_E_INVALID);
	assert_int_equal(times_judged(rig), 0);
}

static void an_accepted_job_stays_accepted(void **state)
{
	struct rig *rig = *state;
	struct job_ref job = order_with(rig, &named);
	struct answer *answer;

	rig->plugins[0].begin[PLUGIN_VERB_CHECK] = "failed reason=invalid_input";
	answer = create(rig, &named);
	assert_answer(answer, 0);
	assert_true(answer->is_replay);
	assert_true(job_ref_equal(&answer->view.job->ref, &job));
	assert_int_equal(times_judged(rig), 1);
	assert_answer(create(rig, &(struct engine_create){.request_id = "r-1", .priority = 2}),
		      ENGINE_E_REQUEST_REUSED);
	assert_int_equal(times_judged(rig), 1);
}

static void a_request_id_that_cannot_be_looked_up_accepts_nothing(void **state)
{
	struct rig *rig = *state;

	request_outcome = -EIO;
	assert_answer(create(rig, &named), ENGINE_E_STORE);
	assert_int_equal(times_judged(rig), 0);
	request_outcome = 0;
	assert_not_stored(rig);
}

static void a_plugin_that_breaks_a_rule_accepts_nothing(void **state)
{
	static const char *const words[] = {"fault", "read", "wait"};
	struct rig *rig = *state;

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		struct answer *answer;

		rig->plugins[0].begin[PLUGIN_VERB_CHECK] = words[i];
		answer = create(rig, &named);
		assert_answer(answer, ENGINE_E_PLUGIN);
		assert_non_null(strstr(answer->text, "plugin 'maker' broke a rule"));
		assert_non_null(strstr(answer->text, "nothing was sent"));
	}
	assert_int_equal(open_requests(rig), 0);
	assert_not_stored(rig);
}

static void a_plugin_that_hangs_holds_up_only_its_own_orders(void **state)
{
	struct rig *rig = *state;
	struct answer *answer, *behind;

	fake_runner_hold(&rig->checkers[0]);
	answer = create_unsettled(rig, &named);
	await_line_of(rig, 1);
	assert_answer(create(rig, &(struct engine_create){.provider = "plain"}), 0);
	pass(rig, LIMIT_ENGINE_CHECK_MS - 1);
	assert_false(answer->is_there);
	behind = create_unsettled(rig, &trial);
	await_line_of(rig, 2);
	pass(rig, 1);
	await_answer(answer);
	assert_answer(answer, ENGINE_E_PLUGIN);
	assert_non_null(strstr(answer->text, "plugin 'maker' has not judged an order within 10 seconds"));
	/* It is not for too many others that this one is not judged. */
	assert_false(behind->is_there);
	pass(rig, LIMIT_ENGINE_CHECK_MS - 1);
	await_answer(behind);
	assert_answer(behind, ENGINE_E_PLUGIN);
	assert_string_equal(behind->text, answer->text);
	/* What it says at last is too late, and does no harm. */
	fake_runner_release(&rig->checkers[0]);
	settle(rig);
	assert_answer(answer, ENGINE_E_PLUGIN);
	assert_int_equal(times_judged(rig), 1);
	assert_not_stored(rig);
}

static void whose_turn_does_not_come_is_told_so_and_is_not_judged(void **state)
{
	struct rig *rig = *state;
	struct answer *served, *late;

	fake_runner_hold(&rig->checkers[0]);
	create_unsettled(rig, &trial);
	await_line_of(rig, 1);
	served = create_unsettled(rig, &(struct engine_create){.request_id = "served"});
	await_line_of(rig, 2);
	late = create_unsettled(rig, &named);
	await_line_of(rig, 3);
	pass(rig, LIMIT_ENGINE_CHECK_MS - 1);
	fake_runner_pass(&rig->checkers[0]);
	await_line_of(rig, 2);
	assert_int_equal(times_judged(rig), 2);
	pass(rig, 1);
	await_answer(late);
	assert_answer(late, ENGINE_E_QUEUE_FULL);
	assert_non_null(strstr(late->text, "too many orders wait for the plugin's judgement"));
	/* Its turn came: from then on it has the whole time. */
	assert_false(served->is_there);
	pass(rig, LIMIT_ENGINE_CHECK_MS - 2);
	assert_false(served->is_there);
	fake_runner_release(&rig->checkers[0]);
	await_answer(served);
	assert_answer(served, 0);
	settle(rig);
	assert_int_equal(times_judged(rig), 2);
	assert_not_stored(rig);
}

static void orders_are_judged_in_turn_one_at_a_time(void **state)
{
	struct rig *rig = *state;
	struct answer *answers[3];

	fake_runner_hold(&rig->checkers[0]);
	for (size_t i = 0; i < 3; i++) {
		answers[i] = create_unsettled(rig, &trial);
		await_line_of(rig, i + 1);
	}
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(times_judged(rig), i + 1);
		assert_false(answers[i]->is_there);
		fake_runner_pass(&rig->checkers[0]);
		await_line_of(rig, 2 - i);
		assert_answer(answers[i], 0);
	}
	assert_int_equal(times_judged(rig), 3);
}

static void only_so_many_orders_wait_for_a_plugin(void **state)
{
	struct rig *rig = *state;

	fake_runner_hold(&rig->checkers[0]);
	for (int i = 0; i < LIMIT_ENGINE_CHECKS; i++)
		create_unsettled(rig, &trial);
	assert_answer(create(rig, &trial), ENGINE_E_QUEUE_FULL);
	fake_runner_release(&rig->checkers[0]);
	settle(rig);
	assert_answer(create(rig, &trial), 0);
}

static void only_so_many_bytes_wait_for_a_plugin(void **state)
{
	const size_t size = 99000; /* of the prompt; with what is around it, one kilobyte more at most */
	_cleanup_(buffer_finish) struct buffer parameters = {0};
	struct rig *rig = *state;
	struct engine_create large = {.validate_only = true};
	struct answer *answer;
	size_t n = 0;

	buffer_append_text(&parameters, "{\"prompt\":\"");
	while (parameters.len < size)
		buffer_append_text(&parameters, "a fox and then ");
	buffer_append_text(&parameters, "\"}");
	large.parameters = parameters.data;
	fake_runner_hold(&rig->checkers[0]);
	do {
		answer = create_unsettled(rig, &large);
		settle(rig);
	} while (!answer->is_there && ++n < LIMIT_ENGINE_CHECKS);
	assert_answer(answer, ENGINE_E_QUEUE_FULL);
	assert_non_null(strstr(answer->text, "too many orders wait for the plugin's judgement"));
	assert_in_range(n, LIMIT_ENGINE_CHECKS_BYTES / (size + 1024), LIMIT_ENGINE_CHECKS_BYTES / size);
	fake_runner_release(&rig->checkers[0]);
	settle(rig);
	assert_answer(create(rig, &large), 0);
}

static void who_waits_at_the_end_is_told_so(void **state)
{
	struct rig *rig = *state;
	struct answer *judged, *waiting;

	fake_runner_hold(&rig->checkers[0]);
	judged = create_unsettled(rig, &(struct engine_create){0});
	settle(rig);
	waiting = create_unsettled(rig, &(struct engine_create){0});
	settle(rig);
	stop_begin(rig, 1000);
	await_answer(judged);
	await_answer(waiting);
	stop_end(rig);
	assert_answer(judged, ENGINE_E_DRAINING);
	assert_answer(waiting, ENGINE_E_DRAINING);
	assert_int_equal(times_judged(rig), 1);
	rig_start(rig);
}

/* ---- what is said where nothing was sent ---- */

static void a_start_that_refuses_by_itself_says_that_nothing_was_sent(void **state)
{
	static const char *const rows[][2] = {
		{"failed reason=invalid_input message=no-such-avatar",
		 "nothing was sent to the provider: no-such-avatar"},
		{"failed reason=invalid_input code=media", "nothing was sent to the provider: media"},
	};
	struct rig *rig = *state;

	for (size_t i = 0; i < 2; i++) {
		struct job_ref job;

		rig->plugins[0].begin[PLUGIN_VERB_START] = rows[i][0];
		job = order(rig);
		assert_failed(rig, &job, JOB_REASON_INVALID_INPUT, JOB_PURCHASE_NOTHING);
		assert_string_equal(look(rig, &job)->failure.message, rows[i][1]);
		assert_null(look(rig, &job)->failure.provider_message);
	}
	assert_int_equal(open_requests(rig), 0);
}

static void an_account_that_is_refused_unasked_says_that_nothing_was_sent(void **state)
{
	struct rig *rig = *state;
	struct answer *answer;

	rig->plugins[0].begin[PLUGIN_VERB_ACCOUNT] = "failed reason=invalid_input message=no-project";
	answer = check_provider(rig, "maker");
	assert_answer(answer, ENGINE_E_PROVIDER);
	assert_string_equal(answer->text, "nothing was sent to the provider: no-project");
}

static void a_provider_that_cannot_be_used_says_why_and_what_to_do(void **state)
{
	struct rig *rig = *state;
	struct answer *answer;

	rig->providers[0].plugin = NULL;
	rig->providers[0].problem = "the option 'model' is missing";
	answer = check_provider(rig, "maker");
	assert_answer(answer, ENGINE_E_PROVIDER);
	assert_non_null(strstr(answer->text, "the option 'model' is missing; mend that and restart the daemon"));
	answer = create(rig, &named);
	assert_answer(answer, ENGINE_E_PROVIDER);
	assert_non_null(strstr(answer->text, "the option 'model' is missing; mend that and restart the daemon"));
	rig->providers[0].plugin = &rig->plugins[0];
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		judged(what_the_plugin_refuses_is_not_accepted),
		judged(what_the_plugin_takes_is_accepted_with_its_notes),
		judged(what_was_adapted_is_judged_as_it_will_be_ordered),
		judged(what_the_manifest_refuses_is_not_shown),
		judged(an_accepted_job_stays_accepted),
		judged(a_request_id_that_cannot_be_looked_up_accepts_nothing),
		judged(a_plugin_that_breaks_a_rule_accepts_nothing),
		judged(a_plugin_that_hangs_holds_up_only_its_own_orders),
		judged(whose_turn_does_not_come_is_told_so_and_is_not_judged),
		judged(orders_are_judged_in_turn_one_at_a_time),
		judged(only_so_many_orders_wait_for_a_plugin),
		judged(only_so_many_bytes_wait_for_a_plugin),
		judged(who_waits_at_the_end_is_told_so),
		story(a_start_that_refuses_by_itself_says_that_nothing_was_sent),
		story(an_account_that_is_refused_unasked_says_that_nothing_was_sent),
		story(a_provider_that_cannot_be_used_says_why_and_what_to_do),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
