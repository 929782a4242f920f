/* The Gemini API's form: a key, a GET, one level more in the reply, and files at the API itself. */
#include "veo/rig.h"

#include "base/err.h"

#define NAME "models/" RIG_MODEL "/operations/op1"
#define DONE(rest) "{\"name\":\"" NAME "\",\"done\":true,\"response\":{\"generateVideoResponse\":{" rest "}}}"
#define SAMPLE(uri) "\"generatedSamples\":[{\"video\":{\"uri\":\"" uri "\"}}]"

static int choose_gemini(void **state)
{
	rig_reset(state);
	rig.account = rig.gemini;
	rig.remote_id = NAME;
	return 0;
}

static struct plugin_answer *submit(const char *parameters)
{
	_cleanup_(freep) char *job = rig_job(RIG_MODEL, parameters);

	return rig_begin(PLUGIN_VERB_START, job);
}

static void a_submit_carries_the_key_and_nothing_of_vertex(void **state)
{
	_cleanup_(plugin_answer_freep) struct plugin_answer *answer = submit("\"prompt\":\"a cat\",\"sample_count\":1,"
									     "\"duration_ms\":8000");
	_cleanup_(plugin_answer_freep) struct plugin_answer *bare = submit("\"prompt\":\"a cat\",\"audio\":\"on\"");

	(void)state;
	assert_int_equal(answer->exchange.effect, PLUGIN_EFFECT_BUYS);
	assert_string_equal(answer->exchange.url, RIG_BASE "/v1beta/models/" RIG_MODEL ":predictLongRunning");
	assert_string_equal(rig_header(answer, "X-Goog-Api-Key")->value, RIG_KEY);
	assert_null(rig_header(answer, "Authorization"));
	rig_assert_body(answer, "{\"instances\":[{\"prompt\":\"a cat\"}],\"parameters\":{\"sampleCount\":1,"
				"\"durationSeconds\":8}}");
	rig_assert_body(bare, "{\"instances\":[{\"prompt\":\"a cat\"}]}");
}

static void an_earlier_result_goes_on_by_its_uri(void **state)
{
	_cleanup_(plugin_answer_freep) struct plugin_answer *answer = submit(
		"\"media\":[{\"kind\":\"video\",\"role\":\"source\",\"provider_handle\":\"https://g.example/files/a\"}]");

	(void)state;
	rig_assert_body(answer, "{\"instances\":[{\"video\":{\"uri\":\"https://g.example/files/a\"}}]}");
}

static void what_it_cannot_take_is_refused_before_it_costs(void **state)
{
	static const char *const orders[] = {
		"\"media\":[{\"kind\":\"image\",\"role\":\"first_frame\",\"provider_handle\":\"gs://b/a.png\"}]",
		"\"prompt\":\"a cat\",\"audio\":\"off\"",
	};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		_cleanup_(plugin_answer_freep) struct plugin_answer *answer = submit(orders[i]);

		rig_assert_failure(answer, PLUGIN_ANSWER_FAILED, PLUGIN_REASON_INVALID_INPUT, PLUGIN_BOUGHT_NONE);
	}
}

static void a_poll_is_a_get_of_the_operation(void **state)
{
	_cleanup_(plugin_answer_freep) struct plugin_answer *answer = rig_begin(PLUGIN_VERB_POLL, NULL);
	_cleanup_(plugin_answer_freep) struct plugin_answer *typed = NULL;

	(void)state;
	assert_string_equal(answer->exchange.method, "GET");
	assert_string_equal(answer->exchange.url, RIG_BASE "/v1beta/" NAME);
	assert_non_null(rig_header(answer, "X-Goog-Api-Key"));
	rig.remote_id = "a//b";
	typed = rig_begin(PLUGIN_VERB_POLL, NULL);
	rig_assert_failure(typed, PLUGIN_ANSWER_FAILED, PLUGIN_REASON_LOST, PLUGIN_BOUGHT_UNKNOWN);
}

static void the_key_goes_to_the_apis_own_files_only(void **state)
{
	static const struct {
		const char *body, *url;
		bool has_key;
	} rows[] = {
		{DONE(SAMPLE(RIG_BASE "/v1beta/files/abc:download?alt=media")),
		 RIG_BASE "/v1beta/files/abc:download?alt=media", true},
		{DONE(SAMPLE("files/abc")), RIG_BASE "/v1beta/files/abc:download?alt=media", true},
		{DONE(SAMPLE("https://files.example/v1beta/files/abc:download")),
		 "https://files.example/v1beta/files/abc:download", false},
		{DONE(SAMPLE(RIG_BASE "0/v1beta/files/abc")), RIG_BASE "0/v1beta/files/abc", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		_cleanup_(plugin_answer_freep) struct plugin_answer *answer = rig_reply(PLUGIN_VERB_POLL, NULL, 200,
											rows[i].body);

		assert_int_equal(answer->kind, PLUGIN_ANSWER_DONE);
		assert_int_equal(answer->done.n_outputs, 1);
		assert_string_equal(answer->done.outputs[0].url, rows[i].url);
		assert_int_equal(answer->done.outputs[0].n_headers, rows[i].has_key);
	}
}

static void filtering_is_told_one_level_deeper(void **state)
{
	_cleanup_(freep) char *job = rig_job(RIG_MODEL, "\"prompt\":\"a cat\",\"sample_count\":2");
	_cleanup_(plugin_answer_freep) struct plugin_answer *all = NULL, *some = NULL;

	(void)state;
	all = rig_reply(PLUGIN_VERB_POLL, NULL, 200,
			DONE("\"raiMediaFilteredCount\":1,\"raiMediaFilteredReasons\":[\"no\"]"));
	rig_assert_failure(all, PLUGIN_ANSWER_FAILED, PLUGIN_REASON_MODERATED, PLUGIN_BOUGHT_NONE);
	rig.job = job;
	some = rig_reply(PLUGIN_VERB_POLL, NULL, 200, DONE("\"raiMediaFilteredCount\":1," SAMPLE("files/abc")));
	assert_int_equal(some->kind, PLUGIN_ANSWER_DONE);
	assert_int_equal(some->done.n_missing, 1);
	assert_int_equal(some->done.missing[0].reason, PLUGIN_REASON_MODERATED);
}

static void a_wrong_key_waits_for_another(void **state)
{
	_cleanup_(plugin_answer_freep) struct plugin_answer *answer = rig_reply(
		PLUGIN_VERB_START, NULL, 400,
		"{\"error\":{\"code\":400,\"message\":\"API key not valid. Please pass a valid API key.\","
		"\"status\":\"INVALID_ARGUMENT\"}}");

	(void)state;
	rig_assert_failure(answer, PLUGIN_ANSWER_FAILED, PLUGIN_REASON_AUTH, PLUGIN_BOUGHT_NONE);
}

static void the_account_is_proved_by_a_look_at_the_model(void **state)
{
	_cleanup_(plugin_answer_freep) struct plugin_answer *ask = rig_begin(PLUGIN_VERB_ACCOUNT, NULL);
	_cleanup_(plugin_answer_freep) struct plugin_answer *good = rig_reply(PLUGIN_VERB_ACCOUNT, NULL, 200,
									      "{\"name\":\"models/x\"}");

	(void)state;
	assert_string_equal(ask->exchange.url, RIG_BASE "/v1beta/models/" RIG_MODEL);
	assert_int_equal(good->kind, PLUGIN_ANSWER_REPORT);
	assert_string_equal(good->report, "{\"surface\":\"gemini\"}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_submit_carries_the_key_and_nothing_of_vertex, choose_gemini),
		cmocka_unit_test_setup(an_earlier_result_goes_on_by_its_uri, choose_gemini),
		cmocka_unit_test_setup(what_it_cannot_take_is_refused_before_it_costs, choose_gemini),
		cmocka_unit_test_setup(a_poll_is_a_get_of_the_operation, choose_gemini),
		cmocka_unit_test_setup(the_key_goes_to_the_apis_own_files_only, choose_gemini),
		cmocka_unit_test_setup(filtering_is_told_one_level_deeper, choose_gemini),
		cmocka_unit_test_setup(a_wrong_key_waits_for_another, choose_gemini),
		cmocka_unit_test_setup(the_account_is_proved_by_a_look_at_the_model, choose_gemini),
	};

	return cmocka_run_group_tests_name("veo.gemini", tests, rig_set_up, rig_tear_down);
}
