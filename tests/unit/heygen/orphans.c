/*
 * The list of the account's videos: what may be adopted.
 */
#include "heygen/rig.h"

#include "base/err.h"

static void assert_report(const struct plugin_answer *answer, const char *expected)
{
	assert_int_equal(answer->kind, PLUGIN_ANSWER_REPORT);
	assert_string_equal(answer->report, expected);
}

static void videos_are_read_page_by_page(void **state)
{
	_cleanup_(plugin_answer_freep) struct plugin_answer *first = NULL, *second = NULL;

	(void)state;
	first = rig_begin(PLUGIN_VERB_LIST, "{}", NULL);
	assert_int_equal(first->kind, PLUGIN_ANSWER_EXCHANGE);
	assert_int_equal(first->exchange.effect, PLUGIN_EFFECT_SAFE);
	assert_string_equal(first->exchange.method, "GET");
	assert_string_equal(first->exchange.url, "http://127.0.0.1:9/v3/videos?limit=100");
	rig.list_next = "eyJ&=";
	second = rig_begin(PLUGIN_VERB_LIST, "{}", NULL);
	assert_string_equal(second->exchange.url, "http://127.0.0.1:9/v3/videos?limit=100&token=eyJ%26%3D");
}

static void a_page_says_what_there_is(void **state)
{
	static const char *const rows[][2] = {
		{"{\"data\":[{\"id\":\"v1\",\"title\":\"One\",\"status\":\"completed\",\"created_at\":1790000000},"
		 "{\"id\":\"v2\",\"status\":\"processing\",\"title\":null}],\"has_more\":true,\"next_token\":\"t2\"}",
		 "{\"entries\":[{\"id\":\"v1\",\"kind\":\"video\",\"created_at_ms\":1790000000000,\"title\":\"One\","
		 "\"status\":\"completed\"},{\"id\":\"v2\",\"kind\":\"video\",\"title\":null,\"status\":\"processing\"}],"
		 "\"next\":\"t2\"}"},
		/* What has no id cannot be asked about, and what is no text turns no page. */
		{"{\"data\":[{\"title\":\"x\"},{\"id\":7},null,7],\"next_token\":\"\"}", "{\"entries\":[]}"},
		{"{\"data\":[],\"has_more\":true,\"next_token\":9}", "{\"entries\":[]}"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		_cleanup_(plugin_answer_freep) struct plugin_answer *answer = rig_reply(PLUGIN_VERB_LIST, NULL, 200,
											rows[i][0]);

		assert_report(answer, rows[i][1]);
	}
}

static void what_is_no_page_is_told_apart(void **state)
{
	static const struct {
		int status;
		const char *body;
		enum plugin_answer_kind kind;
		enum plugin_reason reason;
	} rows[] = {
		{401, "{\"error\":{\"code\":\"unauthorized\",\"message\":\"no\"}}", PLUGIN_ANSWER_FAILED,
		 PLUGIN_REASON_AUTH},
		{429, "{\"error\":{\"code\":\"rate_limit_exceeded\",\"message\":\"no\"}}", PLUGIN_ANSWER_TROUBLE,
		 PLUGIN_REASON_RATE_LIMITED},
		{503, "<html>", PLUGIN_ANSWER_TROUBLE, PLUGIN_REASON_UNAVAILABLE},
		/* There is no such list. */
		{404, "{\"error\":{\"code\":\"not_found\",\"message\":\"no\"}}", PLUGIN_ANSWER_FAILED,
		 PLUGIN_REASON_INVALID_INPUT},
		{501, "{}", PLUGIN_ANSWER_FAILED, PLUGIN_REASON_INVALID_INPUT},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		_cleanup_(plugin_answer_freep) struct plugin_answer *answer = rig_reply(PLUGIN_VERB_LIST, NULL,
											rows[i].status, rows[i].body);

		assert_int_equal(answer->kind, rows[i].kind);
		assert_int_equal(answer->failure.reason, rows[i].reason);
	}
}

/* Nothing is known of what was ordered: neither the job's parameters nor a state. */
static void what_is_listed_is_polled_by_its_id_alone(void **state)
{
	_cleanup_(plugin_answer_freep) struct plugin_answer *asked = NULL, *done = NULL;

	(void)state;
	rig.parameters = "";
	asked = rig_begin(PLUGIN_VERB_POLL, "{\"id\":\"0190aa\",\"model\":\"\",\"parameters\":{}}", NULL);
	assert_int_equal(asked->kind, PLUGIN_ANSWER_EXCHANGE);
	assert_non_null(strstr(asked->exchange.url, "/v3/videos/"));
	done = rig_reply(
		PLUGIN_VERB_POLL, NULL, 200,
		"{\"data\":{\"id\":\"v1\",\"status\":\"completed\",\"video_url\":\"https://files.test/v.mp4\"}}");
	assert_int_equal(done->kind, PLUGIN_ANSWER_DONE);
	assert_int_equal(done->done.n_missing, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(videos_are_read_page_by_page, rig_reset),
		cmocka_unit_test_setup(a_page_says_what_there_is, rig_reset),
		cmocka_unit_test_setup(what_is_no_page_is_told_apart, rig_reset),
		cmocka_unit_test_setup(what_is_listed_is_polled_by_its_id_alone, rig_reset),
	};

	return cmocka_run_group_tests_name("heygen.orphans", tests, rig_set_up, rig_tear_down);
}
