/*
 * Lists of what a provider offers: fetched page by page, kept for as long as whoever asks allows, and shown with their
 * age when the provider cannot be asked.
 */
#include "engine/rig.h"

struct listed {
	unsigned int times;
	int outcome;
	char text[512], field[32], problem[512];
	char ids[512]; /* one behind the other */
	uint32_t total;
	int64_t fetched_ms;
};

static void on_listed(void *userdata, int outcome, const struct engine_error *error,
		      const struct engine_catalogue *catalogue)
{
	struct listed *listed = userdata;

	listed->times++;
	listed->outcome = outcome;
	if (error) {
		snprintf(listed->text, sizeof(listed->text), "%s", error->text);
		if (error->n_violations)
			snprintf(listed->field, sizeof(listed->field), "%s", error->violations[0].field);
		return;
	}
	listed->total = catalogue->total;
	listed->fetched_ms = catalogue->fetched_ms;
	snprintf(listed->problem, sizeof(listed->problem), "%s", catalogue->problem ? catalogue->problem : "");
	for (size_t i = 0; i < catalogue->n; i++) {
		size_t len = strlen(listed->ids);

		snprintf(listed->ids + len, sizeof(listed->ids) - len, "%s%s", len ? " " : "",
			 json_string(catalogue->json, json_at(catalogue->json, catalogue->entries[i], "/id")));
	}
}

/* Asks "maker" for voices that are at most five minutes old, but for what @query says. */
static void ask_unsettled(struct rig *rig, const struct engine_catalogue_query *query, struct listed *ret)
{
	struct engine_catalogue_query whole = *query;

	*ret = (struct listed){0};
	if (!whole.provider)
		whole.provider = "maker";
	if (!whole.kind)
		whole.kind = "voices";
	if (!whole.limit)
		whole.limit = 100;
	if (!whole.max_age_ms)
		whole.max_age_ms = 300000;
	engine_list_catalogue(rig->engine, &whole, on_listed, ret);
}

static struct listed *ask(struct rig *rig, const struct engine_catalogue_query *query)
{
	static struct listed listed;

	ask_unsettled(rig, query, &listed);
	settle(rig);
	return &listed;
}

#define ASK(rig, ...) ask(rig, &(struct engine_catalogue_query){__VA_ARGS__})

#define SARA "{\"id\":\"v1\",\"name\":\"Sara\",\"language\":\"English\",\"tags\":[\"calm\"]}"
#define PAUL "{\"id\":\"v2\",\"name\":\"Paul\",\"language\":\"en-GB\"}"
#define GRETA "{\"id\":\"v3\",\"name\":\"Greta\",\"language\":\"German\"}"
#define NOBODY "{\"id\":\"v4\"}"

static void fetch_voices(struct rig *rig)
{
	struct listed *listed = ASK(rig, .offset = 0);

	assert_int_equal(listed->times, 0);
	reply(rig, 200, "report text={\"entries\":[" SARA "," PAUL "],\"next\":\"p2\"}");
	reply(rig, 200, "report text={\"entries\":[" GRETA "," NOBODY "]}");
	assert_int_equal(listed->times, 1);
	assert_int_equal(listed->outcome, 0);
	assert_string_equal(listed->ids, "v1 v2 v3 v4");
	assert_int_equal(listed->total, 4);
	assert_string_equal(listed->problem, "");
}

static void pages_are_followed_to_the_last(void **state)
{
	struct rig *rig = *state;
	const struct asked *asked;

	fetch_voices(rig);
	asked = last_asked(&rig->runner, PLUGIN_VERB_CATALOGUE);
	assert_string_equal(asked->catalogue, "voices/p2");
	assert_int_equal(purchases(rig), 0);
	assert_int_equal(open_requests(rig), 0);
}

static void a_list_is_kept_while_it_is_young_enough(void **state)
{
	struct rig *rig = *state;
	struct listed *listed;
	int64_t fetched_ms = now_ms();

	fetch_voices(rig);
	pass(rig, 299999);
	listed = ASK(rig, .limit = 2, .offset = 1);
	assert_int_equal(listed->times, 1);
	assert_string_equal(listed->ids, "v2 v3");
	assert_int_equal(listed->total, 4);
	assert_in_range(listed->fetched_ms, fetched_ms, fetched_ms + 10);
	pass(rig, 1);
	listed = ASK(rig, .limit = 2);
	assert_int_equal(listed->times, 0);
	reply(rig, 200, "report text={\"entries\":[" GRETA "]}");
	assert_string_equal(listed->ids, "v3");
	/* Each kind is a list of its own. */
	listed = ASK(rig, .kind = "looks");
	assert_int_equal(listed->times, 0);
	reply(rig, 200, "report text={\"entries\":[]}");
	assert_int_equal(listed->times, 1);
	assert_int_equal(listed->total, 0);
}

static void languages_are_known_by_code_and_by_name(void **state)
{
	static const char *const rows[][2] = {
		{"en", "v1 v2"}, {"English", "v1 v2"}, {"EN", "v1 v2"},      {"en-GB", "v2"},
		{"en-US", ""},   {"de", "v3"},         {"german", "v3"},     {"fr", ""},
		{"e", ""},       {"", "v1 v2 v3 v4"},  {"english (US)", ""},
	};
	struct rig *rig = *state;

	fetch_voices(rig);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_string_equal(ASK(rig, .language = rows[i][0])->ids, rows[i][1]);
}

static void a_query_looks_into_ids_names_and_tags(void **state)
{
	struct rig *rig = *state;

	fetch_voices(rig);
	assert_string_equal(ASK(rig, .query = "V")->ids, "v1 v2 v3 v4");
	assert_string_equal(ASK(rig, .query = "au")->ids, "v2");
	assert_string_equal(ASK(rig, .query = "CALM")->ids, "v1");
	assert_string_equal(ASK(rig, .query = "a", .language = "de")->ids, "v3");
	assert_string_equal(ASK(rig, .query = "%s")->ids, "");
}

static void who_asks_meanwhile_shares_the_fetch(void **state)
{
	struct rig *rig = *state;
	struct listed first, second;

	ask_unsettled(rig, &(struct engine_catalogue_query){0}, &first);
	ask_unsettled(rig, &(struct engine_catalogue_query){.query = "greta"}, &second);
	settle(rig);
	assert_int_equal(times_asked(&rig->runner, PLUGIN_VERB_CATALOGUE), 1);
	reply(rig, 200, "report text={\"entries\":[" SARA "," GRETA "]}");
	assert_string_equal(first.ids, "v1 v3");
	assert_string_equal(second.ids, "v3");
}

static void a_provider_that_fails_leaves_the_old_list(void **state)
{
	struct rig *rig = *state;
	struct listed *listed;
	int64_t fetched_ms;

	fetch_voices(rig);
	fetched_ms = now_ms();
	pass(rig, RIG_HOUR_MS);
	listed = ASK(rig, .limit = 1);
	refuse_to_connect(rig);
	assert_int_equal(listed->outcome, 0);
	assert_string_equal(listed->ids, "v1");
	assert_in_range(listed->fetched_ms, fetched_ms - 10, fetched_ms);
	assert_non_null(strstr(listed->problem, "the provider could not be reached"));
	/* In the middle of its pages, too. */
	listed = ASK(rig, .limit = 1);
	reply(rig, 200, "report text={\"entries\":[" GRETA "],\"next\":\"p2\"}");
	reply(rig, 500, "trouble reason=unavailable message=down");
	assert_string_equal(listed->ids, "v1");
	assert_non_null(strstr(listed->problem, "down"));
}

static void without_a_list_the_failure_is_said(void **state)
{
	struct rig *rig = *state;
	struct listed *listed = ASK(rig, .offset = 0);

	reply(rig, 401, "failed reason=auth code=unauthorized");
	assert_int_equal(listed->outcome, ENGINE_E_CREDENTIAL);
	assert_non_null(strstr(listed->text, "unauthorized"));
	listed = ASK(rig, .offset = 0);
	refuse_to_connect(rig);
	assert_int_equal(listed->outcome, ENGINE_E_UNREACHABLE);
}

static void pages_that_are_wrong_are_the_plugins_fault(void **state)
{
	static const char *const rows[][2] = {
		{"report text={}", "no array 'entries'"},
		{"report text={\"entries\":{}}", "no array 'entries'"},
		{"report text={\"entries\":[{\"name\":\"x\"}]}", "an entry without an id"},
		{"report text={\"entries\":[{\"id\":\"\"}]}", "an entry without an id"},
		{"report text={\"entries\":[7]}", "an entry without an id"},
		{"report text={", "cannot be read"},
		{"fault", "told to fail"},
		{"buy", "has no place here"},
		{"accepted id=x", "no meaning here"},
	};
	struct rig *rig = *state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct listed *listed = ASK(rig, .offset = 0);

		reply(rig, 200, rows[i][0]);
		assert_int_equal(listed->outcome, ENGINE_E_PROVIDER);
		if (!strstr(listed->text, rows[i][1]))
			fail_msg("'%s' said '%s'", rows[i][0], listed->text);
	}
	assert_int_equal(purchases(rig), 0);
}

static void a_page_that_names_itself_ends_it(void **state)
{
	struct rig *rig = *state;
	struct listed *listed = ASK(rig, .offset = 0);

	for (int i = 0; i < 2; i++)
		reply(rig, 200, "report text={\"entries\":[" SARA "],\"next\":\"p2\"}");
	assert_int_equal(listed->outcome, ENGINE_E_PROVIDER);
	assert_non_null(strstr(listed->text, "the same page of a list again"));
}

static void a_list_without_end_is_cut(void **state)
{
	struct rig *rig = *state;
	struct listed *listed = ASK(rig, .limit = 1);
	char words[128];

	for (int i = 0; i < LIMIT_ENGINE_CATALOGUE_PAGES; i++) {
		assert_int_equal(listed->times, 0);
		snprintf(words, sizeof(words), "report text={\"entries\":[{\"id\":\"v%d\"}],\"next\":\"p%d\"}", i, i);
		reply(rig, 200, words);
	}
	assert_int_equal(listed->times, 1);
	assert_int_equal(listed->total, LIMIT_ENGINE_CATALOGUE_PAGES);
	assert_string_equal(listed->problem,
			    "the provider's list has more than 400 pages; only what is on those is known here");
}

/* Pages of 30 entries: the fake plugin says no more at once. */
static void a_list_that_is_too_long_is_cut(void **state)
{
	struct rig *rig = *state;
	struct listed *listed = ASK(rig, .limit = 1);
	int n = 0;

	for (int page = 0; n <= LIMIT_ENGINE_CATALOGUE_ENTRIES; page++) {
		_cleanup_(buffer_finish) struct buffer words = {0};

		assert_int_equal(listed->times, 0);
		buffer_append_text(&words, "report text={\"entries\":[");
		for (int i = 0; i < 30; i++, n++)
			buffer_printf(&words, "%s{\"id\":\"v%d\"}", i ? "," : "", n);
		buffer_printf(&words, "],\"next\":\"p%d\"}", page);
		reply(rig, 200, words.data);
	}
	assert_int_equal(listed->times, 1);
	assert_int_equal(listed->total, LIMIT_ENGINE_CATALOGUE_ENTRIES);
	assert_string_equal(listed->problem, "the provider has more than 10000; only the first of them are known here");
}

#define PAGE 100

/* The next page, with so many entries; the last one names none behind it. */
static void reply_with_entries(struct rig *rig, int n, int page, bool is_last)
{
	struct buffer words = {0};

	buffer_append_text(&words, "report text={\"entries\":[");
	for (int i = 0; i < n; i++)
		buffer_printf(&words, "%s{\"id\":\"v%d\"}", i ? "," : "", page * PAGE + i);
	if (is_last)
		buffer_append_text(&words, "]}");
	else
		buffer_printf(&words, "],\"next\":\"p%d\"}", page + 1);
	reply(rig, 200, words.data);
	buffer_finish(&words);
}

static void a_list_has_so_many_entries_and_no_more(void **state)
{
	const int pages = LIMIT_ENGINE_CATALOGUE_ENTRIES / PAGE;
	struct rig *rig = *state;

	for (int more = 0; more < 2; more++) {
		struct listed *listed = ASK(rig, .kind = more ? "looks" : "voices");

		for (int i = 1; i < pages; i++)
			reply_with_entries(rig, PAGE, i, false);
		assert_int_equal(listed->times, 0);
		reply_with_entries(rig, PAGE + more, pages, true);
		assert_int_equal(listed->times, 1);
		assert_int_equal(listed->total, LIMIT_ENGINE_CATALOGUE_ENTRIES);
		assert_string_equal(listed->problem,
				    more ? "the provider has more than 10000; only the first of them are known here"
					 : "");
	}
}

static void who_asks_for_nothing_that_is_there_is_told_what_is(void **state)
{
	struct rig *rig = *state;
	struct listed *listed = ASK(rig, .kind = "styles");

	assert_int_equal(listed->outcome, ENGINE_E_INVALID);
	assert_string_equal(listed->field, "kind");
	assert_string_equal(listed->text, "'styles' is none of what provider 'maker' lists: voices, looks");
	listed = ASK(rig, .provider = "nobody");
	assert_int_equal(listed->outcome, ENGINE_E_NOT_FOUND);
	assert_non_null(strstr(listed->text, "there is no provider 'nobody'; configured: 'maker', "));
	rig->plugins[0].cannot[PLUGIN_VERB_CATALOGUE] = true;
	assert_int_equal(ASK(rig, .offset = 0)->outcome, ENGINE_E_STATE);
	assert_int_equal(times_asked(&rig->runner, PLUGIN_VERB_CATALOGUE), 0);
}

static void an_end_answers_who_waits(void **state)
{
	struct rig *rig = *state;
	struct listed waiting;

	ask_unsettled(rig, &(struct engine_catalogue_query){0}, &waiting);
	settle(rig);
	reply(rig, 200, "report text={\"entries\":[" SARA "],\"next\":\"p2\"}");
	assert_int_equal(open_requests(rig), 1);
	stop_begin(rig, 60000);
	stop_end(rig);
	assert_int_equal(waiting.times, 1);
	assert_int_equal(waiting.outcome, ENGINE_E_DRAINING);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		story(pages_are_followed_to_the_last),
		story(a_list_is_kept_while_it_is_young_enough),
		story(languages_are_known_by_code_and_by_name),
		story(a_query_looks_into_ids_names_and_tags),
		story(who_asks_meanwhile_shares_the_fetch),
		story(a_provider_that_fails_leaves_the_old_list),
		story(without_a_list_the_failure_is_said),
		story(pages_that_are_wrong_are_the_plugins_fault),
		story(a_page_that_names_itself_ends_it),
		story(a_list_without_end_is_cut),
		story(a_list_that_is_too_long_is_cut),
		story(a_list_has_so_many_entries_and_no_more),
		story(who_asks_for_nothing_that_is_there_is_told_what_is),
		story(an_end_answers_who_waits),
	};

	return cmocka_run_group_tests_name("engine.catalogue", tests, NULL, NULL);
}
