/*
 * Every rule that a plugin can break ends as a fault with words that name it, and nothing of its answer is left.
 */
#include "plugin/fixtures.h"

#include "plugin/table.h"

static struct plugin *plugin;
static struct plugin_account *account;

static int load(void **state)
{
	(void)state;
	plugin = fixture_plugin("nonsense");
	account = fixture_account(plugin, NULL);
	return 0;
}

static int unload(void **state)
{
	(void)state;
	plugin_account_free(account);
	plugin_free(plugin);
	return 0;
}

static const struct {
	const char *rule;
	const char *words;
} rules[] = {
	{"no_answer", "returned 0 without an answer"},
	{"claims_an_answer", "without an answer"},
	{"two_answers", "answered twice: wait, then failed"},
	{"odd_value", "then returned -5"},
	{"huge_url", "longer than"},
	{"no_url", "has no URL"},
	{"url_that_is_none", "'gs://bucket/object' is not an http or https URL"},
	{"plain_http", "'http://other.example/x' is not encrypted"},
	{"unknown_effect", "no effect 4"},
	{"wild_text", "a text of 1152921504606846976 bytes"},
	{"wild_made_text", "a text of 18446744073709551615 bytes"},
	{"null_text", "a text of 5 bytes at NULL"},
	{"null_argument", "its argument is NULL"},
	{"foreign_origin", "must not go to https://evil.example:443"},
	{"other_port", "must not go to https://api.nonsense.example:8443"},
	{"unknown_auth", "no auth scheme 'no-such-scheme'"},
	{"unset_secret", "the secret 'absent' is not configured"},
	{"buys_with_key", "the request does not carry it"},
	{"phase_zero", "phase 0 begins a verb"},
	{"odd_method", "is not a method"},
	{"no_method", "'(NULL)' is not a method"},
	{"get_with_body", "GET carries no body"},
	{"body_without_kind", "do not agree"},
	{"unknown_body_kind", "no body kind 77"},
	{"form_of_objects", "neither text nor number nor boolean"},
	{"part_without_name", "a part has no name"},
	{"huge_timeout", "a time-out of 4294967295 ms"},
	{"lift", "only 'poll' and 'result' may lift; 'start' may not"},
	{"lifts_a_purchase", "let 'poll' fetch the result"},
	{"body_to", "'body_to'"},
	{"long_poll", "'long_poll'"},
	{"unknown_flag", "no flag 0x80000000"},
	{"short_table", "exchange(): its struct_size is smaller"},
	{"wild_table", "exchange(): its struct_size is none"},
	{"padding", "wait(): it is not zero behind the fields"},
	{"header_injection", "'X-Note' holds control characters"},
	{"header_name_injection", "is not a plugin's to set"},
	{"host_header", "'hOsT' is not a plugin's to set"},
	{"credential_header", "carries the credential, too"},
	{"too_many_headers", "more than 64 headers"},
	{"path_without_slash", "begins neither with /"},
	{"path_without_value", "no value for {id}"},
	{"path_with_dots", "no value for {id}"},
	{"path_with_open_brace", "lacks a closing brace"},
	{"foreign_node", "no node 4000000000"},
	{"unknown_document", "no document 9"},
	{"odd_pointer", "'id' is not a JSON Pointer"},
	{"writes_into_the_job", "may only write into what this step has made"},
	{"puts_through_a_text", "put_text(): a JSON Pointer that"},
	{"text_that_is_no_utf8", "not well-formed UTF-8"},
	{"endless_nodes", "too many values"},
	{"doubling", "nested too deeply"},
	{"huge_state", "state(): larger than"},
	{"endless_notes", "more than 64 notes"},
	{"unknown_severity", "no severity 0"},
	{"unknown_stage", "no stage 9"},
	{"odd_progress", "no progress of 1001"},
	{"endless_wait", "18446744073709551615 ms are more than"},
	{"unknown_reason", "the reason 15 is not allowed"},
	{"throttle_that_fails", "the reason 20 is not allowed"},
	{"unknown_bought", "no 'bought' 9"},
	{"accepted_without_remote", "there is no remote"},
	{"remote_without_id", "a remote has no id"},
	{"two_remotes", "'several_remotes'"},
	{"remotes_that_are_no_array", "remotes must be an array"},
	{"done_without_output", "there is no output"},
	{"lifted_output", "nothing was lifted out of the reply at '/video'"},
	{"lifted_body", "nothing was lifted out of the reply at ''"},
	{"output_in_a_bucket", "'s3://bucket/x.mp4' is not an http"},
	{"output_with_foreign_auth", "must not go to https://files.example:443"},
	{"odd_cost", "a cost needs amount_micros"},
	{"report_from_start", "report() is no answer to 'start'"},
	{"absent_from_start", "absent() is no answer to 'start'"},
	{"responds", "respond() is no answer to 'start'"},
	{"hints", "hint() is no answer to 'start'"},
	{"odd_scale", "a scale of 400"},
};

static struct plugin_answer *break_rule(const char *rule, enum plugin_verb verb, bool has_bought)
{
	char job[256];
	struct plugin_step step;

	snprintf(job, sizeof(job), "{\"parameters\":{\"prompt\":\"%s\"}}", rule);
	step = fixture_step(account, verb, job);
	step.has_bought = has_bought;
	return fixture_run(&step);
}

static void assert_fault(const struct plugin_answer *answer, const char *rule, const char *words)
{
	if (answer->kind != PLUGIN_ANSWER_FAULT)
		fail_msg("%s: is no fault but %s", rule, plugin_answer_name(answer->kind));
	if (!strstr(answer->fault, words))
		fail_msg("%s: '%s' does not say '%s'", rule, answer->fault, words);
	assert_null(answer->exchange.url);
	assert_null(answer->state);
	assert_int_equal(answer->n_notes, 0);
	assert_null(strstr(answer->fault, API_KEY));
}

static void every_broken_rule_is_a_fault_that_names_it(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		_cleanup_(plugin_answer_freep) struct plugin_answer *answer = NULL;

		answer = break_rule(rules[i].rule, PLUGIN_VERB_START, false);
		assert_fault(answer, rules[i].rule, rules[i].words);
	}
}

static void the_same_plugin_is_believed_when_it_keeps_the_rules(void **state)
{
	_cleanup_(plugin_answer_freep) struct plugin_answer *answer = break_rule("", PLUGIN_VERB_START, false);

	(void)state;
	assert_int_equal(answer->kind, PLUGIN_ANSWER_WAIT);
	assert_null(answer->fault);
}

static void an_attempt_buys_once(void **state)
{
	_cleanup_(plugin_answer_freep) struct plugin_answer *first = break_rule("buys", PLUGIN_VERB_START, false);
	_cleanup_(plugin_answer_freep) struct plugin_answer *second = break_rule("buys", PLUGIN_VERB_START, true);

	(void)state;
	assert_int_equal(first->kind, PLUGIN_ANSWER_EXCHANGE);
	assert_int_equal(first->exchange.effect, PLUGIN_EFFECT_BUYS);
	assert_fault(second, "buys", "a second purchase in one attempt");
}

static void a_webhook_is_answered_by_its_rules(void **state)
{
	static const char *const rows[][2] = {
		{"hint_without_id", "remote_id must be one line of 1 to"},
		{"hint_of_two_lines", "remote_id must be one line of 1 to"},
		{"hint_at_null", "a text of 3 bytes at NULL"},
		{"responds_404", "status 404 is none of 200 to 299"},
		{"responds_with_flags", "there are no flags 1"},
		{"responds_at_length", "a body larger than 4096 bytes"},
		{"responds_with_a_foreign_node", "no node 4000000000"},
		{"buys", "exchange() is no answer to 'webhook'"},
		{"report_from_start", "report() is no answer to 'webhook'"},
	};
	_cleanup_(plugin_answer_freep) struct plugin_answer *hint = break_rule("hints", PLUGIN_VERB_WEBHOOK, false);
	_cleanup_(plugin_answer_freep) struct plugin_answer *none = break_rule("responds", PLUGIN_VERB_WEBHOOK, false);

	(void)state;
	assert_int_equal(hint->kind, PLUGIN_ANSWER_HINT);
	assert_string_equal(hint->response.remote_id, "v_1");
	assert_int_equal(hint->response.status, 204);
	assert_null(hint->response.body);
	assert_int_equal(none->kind, PLUGIN_ANSWER_RESPOND);
	assert_int_equal(none->response.status, 200);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		_cleanup_(plugin_answer_freep) struct plugin_answer *answer = break_rule(rows[i][0],
											 PLUGIN_VERB_WEBHOOK, false);

		assert_fault(answer, rows[i][0], rows[i][1]);
	}
}

static void what_is_lifted_has_a_shape(void **state)
{
	static const char *const rows[][2] = {
		{"lifts_nothing", "an array of 1 to 32 pointers"},
		{"lifts_with_an_object", "an array of 1 to 32 pointers"},
		{"lifts_from_too_many_places", "an array of 1 to 32 pointers"},
		{"lifts_everything", "'' is not a JSON Pointer of 1 to 16 steps"},
		{"lifts_a_number", "'7' is not a JSON Pointer of 1 to 16 steps"},
	};
	_cleanup_(plugin_answer_freep) struct plugin_answer *good = break_rule("lift", PLUGIN_VERB_POLL, true);

	(void)state;
	assert_int_equal(good->kind, PLUGIN_ANSWER_EXCHANGE);
	assert_int_equal(good->exchange.n_lift, 1);
	assert_string_equal(good->exchange.lift[0], "/videos/*/data");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		_cleanup_(plugin_answer_freep) struct plugin_answer *answer = break_rule(rows[i][0], PLUGIN_VERB_POLL,
											 true);

		assert_fault(answer, rows[i][0], rows[i][1]);
	}
}

/* Named are the reply's place and what is left there, not what a plugin would like. */
static void an_output_was_lifted_or_it_is_a_fault(void **state)
{
	static const char *const lifted[] = {"/video", "/gone"};
	struct plugin_reply reply = {.status = 200, .lifted = lifted, .n_lifted = 2, .retry_after_ms = -1};
	struct plugin_step step = fixture_step(account, PLUGIN_VERB_POLL,
					       "{\"parameters\":{\"prompt\":\"lifted_alone\"}}");
	static const struct {
		const char *body;
		bool is_good;
	} rows[] = {
		{"{\"video\":\"\"}", true}, {"{\"video\":null}", false}, {"{\"video\":\"YQ==\"}", false},
		{"{\"gone\":\"\"}", false}, {"<html>", false},
	};

	(void)state;
	step.phase = 1;
	step.reply = &reply;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		_cleanup_(plugin_answer_freep) struct plugin_answer *answer = NULL;

		reply.body = bytes_of_text(rows[i].body);
		answer = fixture_run(&step);
		assert_int_equal(answer->kind == PLUGIN_ANSWER_DONE, rows[i].is_good);
		if (!rows[i].is_good)
			continue;
		assert_string_equal(answer->done.outputs[0].lifted, "/video");
		assert_null(answer->done.outputs[0].url);
		assert_int_equal(answer->done.outputs[0].n_headers, 0);
	}
}

static void a_lifted_output_is_nothing_else(void **state)
{
	static const char *const lifted[] = {"/video"};
	struct plugin_reply reply = {.status = 200,
				     .body = bytes_of_text("{\"video\":\"\"}"),
				     .lifted = lifted,
				     .n_lifted = 1,
				     .retry_after_ms = -1};
	struct plugin_step step = fixture_step(account, PLUGIN_VERB_POLL,
					       "{\"parameters\":{\"prompt\":\"lifted_output\"}}");
	_cleanup_(plugin_answer_freep) struct plugin_answer *answer = NULL;

	(void)state;
	step.phase = 1;
	step.reply = &reply;
	answer = fixture_run(&step);
	assert_fault(answer, "lifted_output", "a lifted output has neither url nor auth");
}

static void a_key_that_the_provider_does_not_honour_is_no_key(void **state)
{
	_cleanup_(plugin_answer_freep) struct plugin_answer *answer = NULL;
	int64_t window_ms = plugin->manifest->key_window_ms;

	(void)state;
	plugin->manifest->key_window_ms = 0;
	answer = break_rule("buys_with_key", PLUGIN_VERB_START, false);
	plugin->manifest->key_window_ms = window_ms;
	assert_fault(answer, "buys_with_key", "the manifest declares no idempotency");
}

static void only_start_buys(void **state)
{
	_cleanup_(plugin_answer_freep) struct plugin_answer *answer = break_rule("buys", PLUGIN_VERB_POLL, false);

	(void)state;
	assert_fault(answer, "buys", "only 'start' may buy");
}

static void a_verb_that_is_not_there_is_a_fault(void **state)
{
	_cleanup_(plugin_answer_freep) struct plugin_answer *answer = break_rule("", PLUGIN_VERB_CANCEL, false);

	(void)state;
	assert_fault(answer, "cancel", "no verb 'cancel'");
}

static void documents_of_ours_that_cannot_be_read_are_a_fault(void **state)
{
	struct plugin_step step = fixture_step(account, PLUGIN_VERB_START, "{");
	_cleanup_(plugin_answer_freep) struct plugin_answer *answer = fixture_run(&step);

	(void)state;
	assert_fault(answer, "job", "documents cannot be read");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_broken_rule_is_a_fault_that_names_it),
		cmocka_unit_test(the_same_plugin_is_believed_when_it_keeps_the_rules),
		cmocka_unit_test(an_attempt_buys_once),
		cmocka_unit_test(a_webhook_is_answered_by_its_rules),
		cmocka_unit_test(what_is_lifted_has_a_shape),
		cmocka_unit_test(an_output_was_lifted_or_it_is_a_fault),
		cmocka_unit_test(a_lifted_output_is_nothing_else),
		cmocka_unit_test(a_key_that_the_provider_does_not_honour_is_no_key),
		cmocka_unit_test(only_start_buys),
		cmocka_unit_test(a_verb_that_is_not_there_is_a_fault),
		cmocka_unit_test(documents_of_ours_that_cannot_be_read_are_a_fault),
	};

	return cmocka_run_group_tests(tests, load, unload);
}
