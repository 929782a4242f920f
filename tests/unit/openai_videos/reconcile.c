/* Which list shows a lost order, which proves that there is none, and which leaves it open. */
#include "openai_videos/rig.h"

#include "base/err.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

/* The order left at RIG_NOW_MS and was given up a second later; the list is read two seconds later. */
#define SENT "\"sends\":[{\"sent_at_ms\":1795000000000,\"decided_at_ms\":1795000001000}]"
#define OTHERS(list) "{" SENT ",\"others\":[" list "],\"others_left_out\":false}"
#define ALONE OTHERS("")
#define OTHER(prompt, on_its_way) \
	"{\"model\":\"video\",\"parameters\":{\"prompt\":\"" prompt "\"},\"is_on_its_way\":" on_its_way "}"
#define OWNER(id) \
	"{\"model\":\"video\",\"parameters\":{\"prompt\":\"a cat\"},\"is_on_its_way\":false,\"remote_id\":\"" id "\"}"
#define VIDEO(id, created, more) "{\"id\":\"" id "\",\"object\":\"video\",\"created_at\":" created more "}"
#define CAT ",\"prompt\":\"a cat\""
#define LIST(videos) "{\"object\":\"list\",\"data\":[" videos "],\"has_more\":false}"
#define MORE(videos) "{\"object\":\"list\",\"data\":[" videos "],\"has_more\":true}"
#define OLD VIDEO("v_old", "1794990000", ",\"prompt\":\"old\"")

static struct plugin_answer *look(const char *state, const char *facts, const char *list)
{
	struct plugin_answer *begun, *answer;

	rig.facts = "{" SENT "}";
	begun = rig_resume(PLUGIN_VERB_RECONCILE, state);
	assert_int_equal(begun->kind, PLUGIN_ANSWER_EXCHANGE);
	assert_string_equal(begun->exchange.url, RIG_BASE "/videos?limit=100&order=desc");
	rig.facts = facts;
	answer = rig_reply(PLUGIN_VERB_RECONCILE, begun->state, 200, list);
	plugin_answer_free(begun);
	return answer;
}

static void a_list_means_what_it_can_prove(void **state)
{
	static const struct {
		const char *what;
		int64_t after_ms;
		const char *facts, *list;
		enum plugin_answer_kind trusting, careful;
	} rows[] = {
#define ROW(what, after, facts, list, trusting, careful) \
	{what, after, facts, list, PLUGIN_ANSWER_##trusting, PLUGIN_ANSWER_##careful}
#define BOTH(what, facts, list, kind) ROW(what, 2000, facts, list, kind, kind)
		BOTH("one is alike", ALONE, LIST(VIDEO("v1", "1795000000", CAT)), ACCEPTED),
		BOTH("one is alike, before older ones", ALONE, MORE(VIDEO("v1", "1795000001", CAT) "," OLD), ACCEPTED),
		BOTH("one is alike, one has another prompt", ALONE,
		     LIST(VIDEO("v2", "1795000001", ",\"prompt\":\"a dog\"") "," VIDEO("v1", "1795000000", CAT)),
		     ACCEPTED),
		BOTH("two are alike", ALONE, LIST(VIDEO("v2", "1795000001", CAT) "," VIDEO("v1", "1795000000", CAT)),
		     UNKNOWN),
		BOTH("two are alike, and one is another job's", OTHERS(OWNER("v2")),
		     LIST(VIDEO("v2", "1795000001", CAT) "," VIDEO("v1", "1795000000", CAT)), ACCEPTED),
		BOTH("the only one is another job's", OTHERS(OWNER("v1")), LIST(VIDEO("v1", "1795000000", CAT)), WAIT),
		BOTH("another undecided job reads the same", OTHERS(OTHER("a cat", "false")),
		     LIST(VIDEO("v1", "1795000000", CAT)), UNKNOWN),
		BOTH("another one that reads the same is on its way", OTHERS(OTHER("a cat", "true")),
		     LIST(VIDEO("v1", "1795000000", CAT)), WAIT),
		BOTH("another undecided job reads otherwise", OTHERS(OTHER("a dog", "false")),
		     LIST(VIDEO("v1", "1795000000", CAT)), ACCEPTED),
		BOTH("not all others are known", "{" SENT ",\"others\":[],\"others_left_out\":true}",
		     LIST(VIDEO("v1", "1795000000", CAT)), UNKNOWN),
		BOTH("the only one is of another model", ALONE,
		     LIST(VIDEO("v2", "1795000000", CAT ",\"model\":\"sora-2-pro\"")), WAIT),
		ROW("the only one is of another model, for long", 121000, ALONE,
		    LIST(VIDEO("v2", "1795000000", CAT ",\"model\":\"sora-2-pro\"")), UNKNOWN, UNKNOWN),
		BOTH("one is of the model, by its full name", ALONE,
		     LIST(VIDEO("v2", "1795000000", CAT ",\"model\":\"sora-2-pro\"") "," VIDEO(
			     "v1", "1795000000", CAT ",\"model\":\"openai/sora-2-2025-10-06\"")),
		     ACCEPTED),
		BOTH("the length is another", ALONE, LIST(VIDEO("v1", "1795000000", CAT ",\"seconds\":\"4\"")),
		     ACCEPTED),
		BOTH("it says no prompt", ALONE, LIST(VIDEO("v1", "1795000000", "")), UNKNOWN),
		BOTH("one is alike, one says no prompt", ALONE,
		     LIST(VIDEO("v2", "1795000000", ",\"prompt\":null") "," VIDEO("v1", "1795000000", CAT)), UNKNOWN),
		BOTH("the clocks differ by minutes", ALONE, LIST(VIDEO("v1", "1795000301", CAT)), UNKNOWN),
		BOTH("it says no time", ALONE, LIST("{\"id\":\"v1\",\"prompt\":\"a cat\"}"), UNKNOWN),
		BOTH("it is of another day", ALONE, LIST(VIDEO("v1", "1794900000", CAT)), WAIT),
		BOTH("nothing is there so soon", ALONE, LIST(""), WAIT),
		ROW("nothing is there after the operator's time", 31000, ALONE, LIST(""), ABSENT, WAIT),
		ROW("nothing is there for long", 121000, ALONE, LIST(""), ABSENT, UNKNOWN),
		ROW("only old ones are there for long", 121000, ALONE, MORE(OLD), ABSENT, UNKNOWN),
		ROW("only another job's is there for long", 121000, OTHERS(OWNER("v1")),
		    LIST(VIDEO("v1", "1795000000", CAT)), ABSENT, UNKNOWN),
		ROW("a stranger's is there for long", 121000, ALONE,
		    LIST(VIDEO("v1", "1795000000", ",\"prompt\":\"a dog\"")), UNKNOWN, UNKNOWN),
	};

	(void)state;
	for (size_t i = 0; i < 2 * COUNT(rows); i++) {
		enum plugin_answer_kind kind = i % 2 ? rows[i / 2].careful : rows[i / 2].trusting;
		struct plugin_answer *answer;

		rig.account = i % 2 ? rig.openai : rig.trusting;
		rig.now_ms = RIG_NOW_MS + rows[i / 2].after_ms;
		answer = look(NULL, rows[i / 2].facts, rows[i / 2].list);
		if (answer->kind != kind)
			fail_msg("%s: %s, not %s", rows[i / 2].what, plugin_answer_name(answer->kind),
				 plugin_answer_name(kind));
		if (kind == PLUGIN_ANSWER_ACCEPTED)
			assert_string_equal(answer->accepted.remotes[0].id, "v1");
		plugin_answer_free(answer);
	}
}

/* To prove it after a day, when the operator says that two are needed, would buy what is there twice. */
static void more_than_a_day_proves_nothing(void **state)
{
	static const struct {
		const char *after_s;
		bool is_right, is_proof;
	} rows[] = {
		{"0", true, false},      {"86400", true, true},
		{"86401", false, false}, {"1000000000000000000", false, false},
		{"-1", false, false},    {"0.5", false, false},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct plugin_answer *check, *answer;
		char options[100];

		snprintf(options, sizeof(options), "\"model\":\"sora-2\",\"absence_after_s\":%s", rows[i].after_s);
		rig.account = rig_open(options);
		check = rig_begin(PLUGIN_VERB_CHECK, NULL);
		assert_int_equal(check->kind, rows[i].is_right ? PLUGIN_ANSWER_REPORT : PLUGIN_ANSWER_FAILED);
		if (!rows[i].is_right)
			assert_non_null(strstr(check->failure.message, "'absence_after_s' of the provider takes"));
		rig.now_ms = RIG_NOW_MS + INT64_C(172800000);
		rig.facts = "{" SENT "}";
		answer = rows[i].is_right ? look(NULL, ALONE, LIST("")) : rig_resume(PLUGIN_VERB_RECONCILE, NULL);
		assert_int_equal(answer->kind, rows[i].is_proof ? PLUGIN_ANSWER_ABSENT : PLUGIN_ANSWER_UNKNOWN);
		plugin_answer_free(answer);
		plugin_answer_free(check);
		rig.account = plugin_account_free(rig.account);
	}
}

static void pages_are_turned_until_the_span_is_seen(void **state)
{
	struct plugin_answer *first, *second;

	(void)state;
	first = look(NULL, ALONE, MORE(VIDEO("v9", "1795000300", ",\"prompt\":\"a dog\"")));
	assert_int_equal(first->kind, PLUGIN_ANSWER_EXCHANGE);
	assert_string_equal(first->exchange.url, RIG_BASE "/videos?limit=100&order=desc&after=v9");
	second = rig_reply(PLUGIN_VERB_RECONCILE, first->state, 200, MORE(VIDEO("v1", "1795000000", CAT) "," OLD));
	assert_int_equal(second->kind, PLUGIN_ANSWER_ACCEPTED);
	plugin_answer_free(second);
	/* Another look forgets what the last one saw. */
	second = look(first->state, ALONE, LIST(VIDEO("v1", "1795000000", CAT)));
	assert_int_equal(second->kind, PLUGIN_ANSWER_ACCEPTED);
	plugin_answer_free(second);
	plugin_answer_free(first);
}

static void a_list_out_of_order_is_read_to_its_end(void **state)
{
	struct plugin_answer *first, *second;

	(void)state;
	first = look(NULL, ALONE, MORE(OLD "," VIDEO("v8", "1794995000", CAT) "," OLD));
	assert_int_equal(first->kind, PLUGIN_ANSWER_EXCHANGE);
	second = rig_reply(PLUGIN_VERB_RECONCILE, first->state, 200, LIST(VIDEO("v1", "1795000000", CAT)));
	assert_int_equal(second->kind, PLUGIN_ANSWER_ACCEPTED);
	plugin_answer_free(second);
	plugin_answer_free(first);
}

static void a_gateway_that_does_not_turn_the_page_proves_nothing(void **state)
{
	struct plugin_answer *first, *second;

	(void)state;
	rig.now_ms += 500000;
	rig.account = rig.trusting;
	first = look(NULL, ALONE, MORE(VIDEO("v9", "1795000400", ",\"prompt\":\"a dog\"")));
	second = rig_reply(PLUGIN_VERB_RECONCILE, first->state, 200,
			   MORE(VIDEO("v9", "1795000400", ",\"prompt\":\"a dog\"")));
	assert_int_equal(second->kind, PLUGIN_ANSWER_UNKNOWN);
	plugin_answer_free(second);
	plugin_answer_free(first);
}

static void where_there_is_no_list_nothing_is_told(void **state)
{
	static const struct {
		int status;
		const char *body;
		enum plugin_answer_kind kind;
	} rows[] = {
		{404, "{\"error\":{\"message\":\"no\"}}", PLUGIN_ANSWER_UNKNOWN},
		{405, "", PLUGIN_ANSWER_UNKNOWN},
		{501, "", PLUGIN_ANSWER_UNKNOWN},
		{400, "{\"error\":{\"message\":\"no\"}}", PLUGIN_ANSWER_FAILED},
		{401, "{\"error\":{\"message\":\"no\"}}", PLUGIN_ANSWER_TROUBLE},
		{429, "", PLUGIN_ANSWER_TROUBLE},
		{503, "", PLUGIN_ANSWER_TROUBLE},
		{200, "{\"data\":{}}", PLUGIN_ANSWER_TROUBLE},
		{200, "<html>", PLUGIN_ANSWER_TROUBLE},
	};
	struct plugin_answer *answer;

	(void)state;
	rig.facts = ALONE;
	for (size_t i = 0; i < COUNT(rows); i++) {
		answer = rig_reply(PLUGIN_VERB_RECONCILE, NULL, rows[i].status, rows[i].body);
		if (answer->kind != rows[i].kind)
			fail_msg("%d: %s", rows[i].status, plugin_answer_name(answer->kind));
		plugin_answer_free(answer);
	}
	rig.account = rig.openrouter;
	answer = rig_begin(PLUGIN_VERB_RECONCILE, NULL);
	assert_int_equal(answer->kind, PLUGIN_ANSWER_UNKNOWN);
	plugin_answer_free(answer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_list_means_what_it_can_prove, rig_reset),
		cmocka_unit_test_setup(more_than_a_day_proves_nothing, rig_reset),
		cmocka_unit_test_setup(pages_are_turned_until_the_span_is_seen, rig_reset),
		cmocka_unit_test_setup(a_list_out_of_order_is_read_to_its_end, rig_reset),
		cmocka_unit_test_setup(a_gateway_that_does_not_turn_the_page_proves_nothing, rig_reset),
		cmocka_unit_test_setup(where_there_is_no_list_nothing_is_told, rig_reset),
	};

	return cmocka_run_group_tests_name("openai_videos.reconcile", tests, rig_set_up, rig_tear_down);
}
