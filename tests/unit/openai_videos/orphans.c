/*
 * The list of the account's videos: what may be adopted, where the gateway has a list.
 */
#include "openai_videos/rig.h"

#include "base/err.h"

static void videos_are_read_page_by_page(void **state)
{
	_cleanup_(plugin_answer_freep) struct plugin_answer *first = NULL, *second = NULL;

	(void)state;
	first = rig_begin(PLUGIN_VERB_LIST, NULL);
	assert_int_equal(first->kind, PLUGIN_ANSWER_EXCHANGE);
	assert_int_equal(first->exchange.effect, PLUGIN_EFFECT_SAFE);
	assert_string_equal(first->exchange.url, RIG_BASE "/videos?limit=100&order=desc");
	rig.list_next = "video_9";
	second = rig_begin(PLUGIN_VERB_LIST, NULL);
	assert_string_equal(second->exchange.url, RIG_BASE "/videos?limit=100&order=desc&after=video_9");
}

static void a_page_says_what_there_is(void **state)
{
	static const char *const rows[][2] = {
		{"{\"data\":[{\"id\":\"video_2\",\"prompt\":\"A cat\",\"status\":\"completed\",\"created_at\":1790000000},"
		 "{\"id\":\"video_1\",\"status\":\"queued\"}],\"has_more\":true}",
		 "{\"entries\":[{\"id\":\"video_2\",\"kind\":\"video\",\"created_at_ms\":1790000000000,\"title\":\"A cat\","
		 "\"status\":\"completed\"},{\"id\":\"video_1\",\"kind\":\"video\",\"status\":\"queued\"}],"
		 "\"next\":\"video_1\"}"},
		{"{\"data\":[{\"id\":\"video_2\"}],\"has_more\":false}",
		 "{\"entries\":[{\"id\":\"video_2\",\"kind\":\"video\"}]}"},
		/* A page that ends in nonsense has no page behind it. */
		{"{\"data\":[{\"id\":7}],\"has_more\":true}", "{\"entries\":[]}"},
		{"{\"data\":[],\"has_more\":true}", "{\"entries\":[]}"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		_cleanup_(plugin_answer_freep) struct plugin_answer *answer = rig_reply(PLUGIN_VERB_LIST, NULL, 200,
											rows[i][0]);

		assert_int_equal(answer->kind, PLUGIN_ANSWER_REPORT);
		assert_string_equal(answer->report, rows[i][1]);
	}
}

static void a_gateway_without_a_list_says_so(void **state)
{
	static const int statuses[] = {404, 405, 501};
	_cleanup_(plugin_answer_freep) struct plugin_answer *router = NULL;

	(void)state;
	for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++) {
		_cleanup_(plugin_answer_freep) struct plugin_answer *answer = rig_reply(PLUGIN_VERB_LIST, NULL,
											statuses[i], "{}");

		assert_int_equal(answer->kind, PLUGIN_ANSWER_FAILED);
		assert_int_equal(answer->failure.reason, PLUGIN_REASON_INVALID_INPUT);
	}
	rig.account = rig.openrouter;
	router = rig_begin(PLUGIN_VERB_LIST, NULL);
	assert_int_equal(router->kind, PLUGIN_ANSWER_FAILED);
	assert_int_equal(router->failure.reason, PLUGIN_REASON_INVALID_INPUT);
	assert_non_null(strstr(router->failure.message, "no list"));
}

static void a_gateway_that_fails_is_in_trouble(void **state)
{
	_cleanup_(plugin_answer_freep) struct plugin_answer *answer = rig_reply(PLUGIN_VERB_LIST, NULL, 503, "<html>");

	(void)state;
	assert_int_equal(answer->kind, PLUGIN_ANSWER_TROUBLE);
	assert_int_equal(answer->failure.reason, PLUGIN_REASON_UNAVAILABLE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(videos_are_read_page_by_page, rig_reset),
		cmocka_unit_test_setup(a_page_says_what_there_is, rig_reset),
		cmocka_unit_test_setup(a_gateway_without_a_list_says_so, rig_reset),
		cmocka_unit_test_setup(a_gateway_that_fails_is_in_trouble, rig_reset),
	};

	return cmocka_run_group_tests_name("openai_videos.orphans", tests, rig_set_up, rig_tear_down);
}
