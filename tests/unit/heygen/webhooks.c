/*
 * What HeyGen calls us with, and how its calls are set up.
 */
#include "heygen/rig.h"

#include "base/err.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))
#define URL "https://films.example.com/v1/webhooks/heygen"

/* ---- calls ---- */

static struct plugin_answer *call(const char *body)
{
	return rig_reply_in(PLUGIN_VERB_WEBHOOK, 0, NULL, 0, body);
}

static void events_of_a_video_name_it(void **state)
{
	static const char *const rows[] = {
		"{\"event_type\":\"avatar_video.success\",\"event_data\":{\"video_id\":\"v_9\",\"url\":\"https://x/y.mp4\","
		"\"callback_id\":null}}",
		"{\"event_id\":\"e\",\"created_at\":\"2026-11-22\",\"event_type\":\"avatar_video.fail\",\"event_data\":{"
		"\"video_id\":\"v_9\",\"msg\":\"no\"}}",
		"\xef\xbb\xbf{\"event_data\":{\"video_id\":\"v_9\"}}",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		_cleanup_(plugin_answer_freep) struct plugin_answer *answer = call(rows[i]);

		assert_int_equal(answer->kind, PLUGIN_ANSWER_HINT);
		assert_string_equal(answer->response.remote_id, "v_9");
		assert_int_equal(answer->response.status, 204);
		assert_null(answer->response.body);
	}
}

/* No fault, whatever it is: who signed it may be a later version of HeyGen. */
static void what_is_about_no_video_is_passed_over(void **state)
{
	static char deep[20000], giant[70000];
	const char *const rows[] = {
		"",
		"{}",
		"[]",
		"null",
		"<html>",
		"{\"event_data\":",
		"{\"event_type\":\"batch.finished\",\"event_data\":{\"batch_id\":\"b\"}}",
		"{\"event_data\":{\"video_id\":7}}",
		"{\"event_data\":{\"video_id\":null}}",
		"{\"event_data\":{\"video_id\":\"\"}}",
		"{\"event_data\":{\"video_id\":[\"v_9\"]}}",
		"{\"event_data\":{\"video_id\":\"v\\n9\"}}",
		"{\"event_data\":{\"video_id\":\"v\\u00009\"}}",
		"{\"event_data\":[{\"video_id\":\"v_9\"}]}",
		deep,
		giant,
	};

	(void)state;
	memset(deep, '[', sizeof(deep) - 1);
	snprintf(giant, sizeof(giant), "{\"event_data\":{\"video_id\":\"%065000d\"}}", 1);
	for (size_t i = 0; i < COUNT(rows); i++) {
		_cleanup_(plugin_answer_freep) struct plugin_answer *answer = call(rows[i]);

		assert_int_equal(answer->kind, PLUGIN_ANSWER_RESPOND);
		assert_int_equal(answer->response.status, 204);
	}
}

/* ---- setting them up ---- */

static struct plugin_answer *listed(const char *body)
{
	rig.subscription_action = PLUGIN_SUBSCRIPTION_BEGIN;
	rig.subscription_url = URL;
	return rig_reply_in(PLUGIN_VERB_SUBSCRIBE, 1, NULL, 200, body);
}

static void it_is_looked_for_first(void **state)
{
	_cleanup_(plugin_answer_freep) struct plugin_answer *answer = NULL;

	(void)state;
	rig.subscription_action = PLUGIN_SUBSCRIPTION_BEGIN;
	rig.subscription_url = URL;
	answer = rig_begin(PLUGIN_VERB_SUBSCRIBE, "{}", NULL);
	assert_int_equal(answer->kind, PLUGIN_ANSWER_EXCHANGE);
	assert_int_equal(answer->exchange.effect, PLUGIN_EFFECT_SAFE);
	assert_string_equal(answer->exchange.method, "GET");
	assert_string_equal(answer->exchange.url, "http://127.0.0.1:9/v3/webhooks/endpoints");
}

static void one_that_is_not_there_is_made(void **state)
{
	static const char *const rows[] = {
		"{\"data\":[]}", "{\"data\":{\"endpoints\":[]}}",
		"{\"data\":[{\"endpoint_id\":\"e\",\"url\":\"https://other.example.com/\"}]}",
		"{\"data\":[{\"endpoint_id\":null,\"url\":\"" URL "\"}]}"};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		_cleanup_(plugin_answer_freep) struct plugin_answer *answer = listed(rows[i]);

		assert_int_equal(answer->kind, PLUGIN_ANSWER_EXCHANGE);
		assert_int_equal(answer->exchange.effect, PLUGIN_EFFECT_IDEMPOTENT);
		assert_string_equal(answer->exchange.method, "POST");
		assert_string_equal(answer->exchange.url, "http://127.0.0.1:9/v3/webhooks/endpoints");
		assert_true(bytes_equal(answer->exchange.body, bytes_of_text("{\"url\":\"" URL "\"}")));
	}
}

static void one_that_is_there_gets_a_new_secret(void **state)
{
	_cleanup_(plugin_answer_freep) struct plugin_answer *answer = NULL;

	(void)state;
	answer = listed(
		"{\"data\":[{\"endpoint_id\":\"x\",\"url\":\"https://a/\"},{\"endpoint_id\":\"e/1\",\"url\":\"" URL
		"\"}]}");
	assert_string_equal(answer->exchange.method, "POST");
	assert_string_equal(answer->exchange.url, "http://127.0.0.1:9/v3/webhooks/endpoints/e%2F1/rotate-secret");
}

static void what_was_made_is_reported_by_its_id(void **state)
{
	_cleanup_(plugin_answer_freep) struct plugin_answer *made = NULL, *nameless = NULL, *found = NULL;

	(void)state;
	rig.subscription_action = PLUGIN_SUBSCRIPTION_BEGIN;
	rig.subscription_url = URL;
	made = rig_reply_in(PLUGIN_VERB_SUBSCRIBE, 2, NULL, 201, "{\"data\":{\"endpoint_id\":\"e1\",\"secret\":\"\"}}");
	assert_int_equal(made->kind, PLUGIN_ANSWER_REPORT);
	assert_string_equal(made->report, "{\"id\":\"e1\"}");
	nameless = rig_reply_in(PLUGIN_VERB_SUBSCRIBE, 2, NULL, 200, "{\"data\":{\"secret\":\"\"}}");
	assert_int_equal(nameless->kind, PLUGIN_ANSWER_EXCHANGE);
	assert_string_equal(nameless->exchange.method, "GET");
	assert_int_equal(nameless->exchange.phase, 3);
	found = rig_reply_in(PLUGIN_VERB_SUBSCRIBE, 3, NULL, 200,
			     "{\"data\":[{\"endpoint_id\":\"e1\",\"url\":\"" URL "\"}]}");
	assert_string_equal(found->report, "{\"id\":\"e1\"}");
}

static void what_is_refused_is_told_in_its_words(void **state)
{
	static const struct {
		uint32_t phase;
		int status;
		const char *body;
		enum plugin_answer_kind kind;
	} rows[] = {
		{1, 401, "{\"error\":{\"code\":\"unauthorized\",\"message\":\"no\"}}", PLUGIN_ANSWER_FAILED},
		{2, 400, "{\"error\":{\"code\":\"invalid_parameter\",\"message\":\"no\"}}", PLUGIN_ANSWER_FAILED},
		{1, 503, "<html>", PLUGIN_ANSWER_TROUBLE},
		{1, 200, "{\"data\":7}", PLUGIN_ANSWER_TROUBLE},
		{3, 200, "{\"data\":[]}", PLUGIN_ANSWER_TROUBLE},
	};

	(void)state;
	rig.subscription_action = PLUGIN_SUBSCRIPTION_BEGIN;
	rig.subscription_url = URL;
	for (size_t i = 0; i < COUNT(rows); i++) {
		_cleanup_(plugin_answer_freep) struct plugin_answer *answer = NULL;

		answer = rig_reply_in(PLUGIN_VERB_SUBSCRIBE, rows[i].phase, NULL, rows[i].status, rows[i].body);
		assert_int_equal(answer->kind, rows[i].kind);
	}
}

static void its_end_is_the_same_when_it_has_gone(void **state)
{
	_cleanup_(plugin_answer_freep) struct plugin_answer *asks = NULL, *gone = NULL, *ended = NULL, *refused = NULL;

	(void)state;
	rig.subscription_action = PLUGIN_SUBSCRIPTION_END;
	rig.subscription_id = "e1";
	asks = rig_begin(PLUGIN_VERB_SUBSCRIBE, "{}", NULL);
	assert_string_equal(asks->exchange.method, "DELETE");
	assert_string_equal(asks->exchange.url, "http://127.0.0.1:9/v3/webhooks/endpoints/e1");
	ended = rig_reply_in(PLUGIN_VERB_SUBSCRIBE, 4, NULL, 200, "{\"data\":{}}");
	assert_string_equal(ended->report, "{}");
	gone = rig_reply_in(PLUGIN_VERB_SUBSCRIBE, 4, NULL, 404, "{\"error\":{\"code\":\"webhook_not_found\"}}");
	assert_string_equal(gone->report, "{}");
	refused = rig_reply_in(PLUGIN_VERB_SUBSCRIBE, 4, NULL, 403, "{\"error\":{\"code\":\"forbidden\"}}");
	assert_int_equal(refused->kind, PLUGIN_ANSWER_FAILED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(events_of_a_video_name_it, rig_reset),
		cmocka_unit_test_setup(what_is_about_no_video_is_passed_over, rig_reset),
		cmocka_unit_test_setup(it_is_looked_for_first, rig_reset),
		cmocka_unit_test_setup(one_that_is_not_there_is_made, rig_reset),
		cmocka_unit_test_setup(one_that_is_there_gets_a_new_secret, rig_reset),
		cmocka_unit_test_setup(what_was_made_is_reported_by_its_id, rig_reset),
		cmocka_unit_test_setup(what_is_refused_is_told_in_its_words, rig_reset),
		cmocka_unit_test_setup(its_end_is_the_same_when_it_has_gone, rig_reset),
	};

	return cmocka_run_group_tests_name("heygen.webhooks", tests, rig_set_up, rig_tear_down);
}
