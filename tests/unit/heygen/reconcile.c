/* Which list shows a lost order, which proves that there is none, and which leaves it open. */
#include "heygen/rig.h"

#include "base/err.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

/* The order left at RIG_NOW_MS and was given up a second later. */
#define SENT "\"sends\":[{\"sent_at_ms\":1795000000000,\"decided_at_ms\":1795000001000}]"
#define OTHERS(list) "{" SENT ",\"others\":[" list "],\"others_left_out\":false}"
#define ALONE OTHERS("")
#define OWNER(id) "{\"model\":\"avatar\",\"parameters\":{},\"is_on_its_way\":false,\"remote_id\":\"" id "\"}"
#define STATE "{\"path\":\"/v3/videos\",\"mark\":\"" RIG_KEY "\",\"title\":\"My title " RIG_KEY "\"}"
#define MADE(id, title, at) "{\"id\":\"" id "\",\"status\":\"processing\",\"title\":" title ",\"created_at\":" at "}"
#define VIDEO(id, title) MADE(id, title, "1795000001")
#define OUR_TITLE "\"My title " RIG_KEY "\""
#define OURS(id) VIDEO(id, OUR_TITLE)
#define COPY(id) VIDEO(id, "\"My title " RIG_KEY " (1)\"")
#define LIST(videos) "{\"data\":[" videos "],\"has_more\":false,\"next_token\":null}"
#define MORE(videos, token) "{\"data\":[" videos "],\"has_more\":true,\"next_token\":\"" token "\"}"
#define QUESTION "http://127.0.0.1:9/v3/videos?limit=100&title=" RIG_KEY

static struct plugin_answer *begin(const char *state)
{
	_cleanup_(freep) char *job = rig_job(rig.model, NULL, rig.parameters);

	rig.facts = "{" SENT "}";
	return rig_begin(PLUGIN_VERB_RECONCILE, job, state);
}

static struct plugin_answer *look(const char *facts, int status, const char *list)
{
	struct plugin_answer *begun = begin(STATE), *answer;

	assert_int_equal(begun->kind, PLUGIN_ANSWER_EXCHANGE);
	assert_int_equal(begun->exchange.effect, PLUGIN_EFFECT_SAFE);
	assert_string_equal(begun->exchange.url, QUESTION);
	rig.facts = facts;
	answer = rig_reply(PLUGIN_VERB_RECONCILE, begun->state, status, list);
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
		BOTH("one bears the key", ALONE, LIST(OURS("v1")), ACCEPTED),
		BOTH("one bears the key alone", ALONE, LIST(VIDEO("v1", "\"" RIG_KEY "\"")), ACCEPTED),
		BOTH("one bears the key, among others", ALONE, LIST(VIDEO("v2", "\"x\"") "," OURS("v1")), ACCEPTED),
		BOTH("two bear it", ALONE, LIST(OURS("v2") "," OURS("v1")), FAILED),
		BOTH("one bears it, and was shown twice", ALONE, LIST(OURS("v1") "," OURS("v1")), ACCEPTED),
		BOTH("one bears it, and a copy of it", ALONE, LIST(OURS("v1") "," COPY("v2")), FAILED),
		BOTH("a copy alone, before it", ALONE, LIST(COPY("v2")), FAILED),
		BOTH("a title that was taken over from ours", ALONE, LIST(VIDEO("v2", "\"" RIG_KEY " fg-2\"")), FAILED),
		BOTH("a longer word ends so", ALONE, LIST(VIDEO("v2", "\"x" RIG_KEY "\"")), FAILED),
		BOTH("it was made long before", ALONE, LIST(MADE("v2", OUR_TITLE, "1794990000")), FAILED),
		BOTH("it was made long after", ALONE, LIST(MADE("v2", OUR_TITLE, "1795090000")), FAILED),
		BOTH("when it was made is not said", ALONE, LIST(MADE("v1", OUR_TITLE, "null")), ACCEPTED),
		BOTH("the one belongs to another job", OTHERS(OWNER("v1")), LIST(OURS("v1")), FAILED),
		BOTH("another job owns another one", OTHERS(OWNER("v2")), LIST(OURS("v1")), ACCEPTED),
		BOTH("it has no id", ALONE, LIST("{\"title\":\"" RIG_KEY "\"}"), FAILED),
		BOTH("the list does not filter", ALONE, LIST(VIDEO("v2", "\"x\"") "," VIDEO("v3", "null")), WAIT),
		BOTH("there are more, and no way to them", ALONE, "{\"data\":[],\"has_more\":true}", UNKNOWN),
		BOTH("nothing is there so soon", ALONE, LIST(""), WAIT),
		ROW("nothing is there after the operator's time", 32000, ALONE, LIST(""), ABSENT, WAIT),
		ROW("nothing is there for long", 122000, ALONE, LIST(""), ABSENT, UNKNOWN),
		ROW("only strangers are there for long", 122000, ALONE, LIST(VIDEO("v2", "\"x\"")), ABSENT, UNKNOWN),
		ROW("it is there after a day", 90000000, ALONE, LIST(OURS("v1")), ACCEPTED, ACCEPTED),
	};

	(void)state;
	for (size_t i = 0; i < 2 * COUNT(rows); i++) {
		enum plugin_answer_kind kind = i % 2 ? rows[i / 2].careful : rows[i / 2].trusting;
		struct plugin_answer *answer;

		rig.is_trusting = i % 2 == 0;
		rig.now_ms = RIG_NOW_MS + rows[i / 2].after_ms;
		answer = look(rows[i / 2].facts, 200, rows[i / 2].list);
		if (answer->kind != kind)
			fail_msg("%s: %s, not %s", rows[i / 2].what, plugin_answer_name(answer->kind),
				 plugin_answer_name(kind));
		if (kind == PLUGIN_ANSWER_ACCEPTED)
			assert_string_equal(answer->accepted.remotes[0].id, "v1");
		/* So that no policy orders it again. */
		if (kind == PLUGIN_ANSWER_FAILED)
			assert_int_equal(answer->failure.bought, PLUGIN_BOUGHT_MADE);
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

		snprintf(options, sizeof(options), "{\"absence_after_s\":%s}", rows[i].after_s);
		rig_configure(options);
		check = rig_begin(PLUGIN_VERB_CHECK, NULL, NULL);
		assert_int_equal(check->kind, rows[i].is_right ? PLUGIN_ANSWER_REPORT : PLUGIN_ANSWER_FAILED);
		if (!rows[i].is_right)
			assert_non_null(strstr(check->failure.message, "'absence_after_s' of the provider takes"));
		rig.now_ms = RIG_NOW_MS + INT64_C(172800000);
		answer = look(ALONE, 200, LIST(""));
		assert_int_equal(answer->kind, rows[i].is_proof ? PLUGIN_ANSWER_ABSENT : PLUGIN_ANSWER_UNKNOWN);
		plugin_answer_free(answer);
		plugin_answer_free(check);
	}
	rig_configure("{\"absence_after_s\":30}");
}

/* When the decision is not known, no time after it is. */
static void without_a_time_nothing_is_proven(void **state)
{
	_cleanup_(plugin_answer_freep) struct plugin_answer *answer = NULL;

	(void)state;
	rig.is_trusting = true;
	answer = look("{\"sends\":[],\"others\":[],\"others_left_out\":false}", 200, LIST(""));
	assert_int_equal(answer->kind, PLUGIN_ANSWER_WAIT);
}

static void every_page_is_read(void **state)
{
	struct plugin_answer *first, *second, *stuck;

	(void)state;
	first = look(ALONE, 200, MORE(OURS("v1"), "t2"));
	assert_int_equal(first->kind, PLUGIN_ANSWER_EXCHANGE);
	assert_string_equal(first->exchange.url, QUESTION "&token=t2");
	second = rig_reply(PLUGIN_VERB_RECONCILE, first->state, 200, LIST(OURS("v2")));
	assert_int_equal(second->kind, PLUGIN_ANSWER_FAILED);
	plugin_answer_free(second);
	second = rig_reply(PLUGIN_VERB_RECONCILE, first->state, 200, LIST(""));
	assert_int_equal(second->kind, PLUGIN_ANSWER_ACCEPTED);
	assert_string_equal(second->accepted.remotes[0].id, "v1");
	stuck = rig_reply(PLUGIN_VERB_RECONCILE, first->state, 200, MORE("", "t2"));
	assert_int_equal(stuck->kind, PLUGIN_ANSWER_UNKNOWN);
	plugin_answer_free(first);
	plugin_answer_free(second);
	plugin_answer_free(stuck);
}

/* Orders that went elsewhere, or whose title says nothing of the key. */
static void what_bears_no_mark_is_not_looked_for(void **state)
{
	static const char of_another_path[] = "{\"path\":\"/v3/models/videos\",\"mark\":\"" RIG_KEY
					      "\",\"title\":\"\"}";
	const char *const states[] = {
		NULL, "{}", "{\"title\":\"One\"}", "{\"path\":\"/v3/videos\",\"title\":\"One\"}", of_another_path,
	};

	(void)state;
	for (size_t i = 0; i < COUNT(states); i++) {
		_cleanup_(plugin_answer_freep) struct plugin_answer *answer = begin(states[i]);

		assert_int_equal(answer->kind, PLUGIN_ANSWER_UNKNOWN);
	}
}

static void a_refusal_says_nothing_about_the_order(void **state)
{
	static const struct {
		int status;
		const char *body;
		enum plugin_answer_kind kind;
	} rows[] = {
		{401, "{\"error\":{\"code\":\"unauthorized\",\"message\":\"no\"}}", PLUGIN_ANSWER_TROUBLE},
		{403, "{\"error\":{\"code\":\"forbidden\",\"message\":\"no\"}}", PLUGIN_ANSWER_TROUBLE},
		{429, "{\"error\":{\"code\":\"rate_limit_exceeded\",\"message\":\"slow\"}}", PLUGIN_ANSWER_TROUBLE},
		{500, "<html>", PLUGIN_ANSWER_TROUBLE},
		{200, "{\"data\":{}}", PLUGIN_ANSWER_TROUBLE},
		{404, "{\"error\":{\"code\":\"not_found\",\"message\":\"no\"}}", PLUGIN_ANSWER_UNKNOWN},
		{400, "{\"error\":{\"code\":\"invalid_parameter\",\"message\":\"limit\"}}", PLUGIN_ANSWER_UNKNOWN},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		_cleanup_(plugin_answer_freep) struct plugin_answer *answer = look(ALONE, rows[i].status, rows[i].body);

		if (answer->kind != rows[i].kind)
			fail_msg("HTTP %d: %s", rows[i].status, plugin_answer_name(answer->kind));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_list_means_what_it_can_prove, rig_reset),
		cmocka_unit_test_setup(more_than_a_day_proves_nothing, rig_reset),
		cmocka_unit_test_setup(without_a_time_nothing_is_proven, rig_reset),
		cmocka_unit_test_setup(every_page_is_read, rig_reset),
		cmocka_unit_test_setup(what_bears_no_mark_is_not_looked_for, rig_reset),
		cmocka_unit_test_setup(a_refusal_says_nothing_about_the_order, rig_reset),
	};

	return cmocka_run_group_tests_name("heygen.reconcile", tests, rig_set_up, rig_tear_down);
}
