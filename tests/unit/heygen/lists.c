/*
 * The lists of what orders name by id, from the published sample and from what its members may become.
 */
#include "heygen/rig.h"

#include "base/err.h"
#include "base/json.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

static void voices_are_read_page_by_page(void **state)
{
	_cleanup_(plugin_answer_freep) struct plugin_answer *first = NULL, *second = NULL;

	(void)state;
	rig.catalogue_kind = "voices";
	first = rig_begin(PLUGIN_VERB_CATALOGUE, "{}", NULL);
	assert_int_equal(first->kind, PLUGIN_ANSWER_EXCHANGE);
	assert_int_equal(first->exchange.effect, PLUGIN_EFFECT_SAFE);
	assert_string_equal(first->exchange.method, "GET");
	assert_string_equal(first->exchange.url, "http://127.0.0.1:9/v3/voices?limit=50");
	assert_string_equal(rig_header(first, "X-Api-Key")->value, RIG_SECRET);
	rig.catalogue_next = "eyJ&=";
	second = rig_begin(PLUGIN_VERB_CATALOGUE, "{}", NULL);
	assert_string_equal(second->exchange.url, "http://127.0.0.1:9/v3/voices?limit=50&token=eyJ%26%3D");
}

static void avatars_and_looks_are_told_apart(void **state)
{
	static const char *const rows[][2] = {{"avatars", "/v3/avatars?"}, {"looks", "/v3/avatars/looks?"}};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		_cleanup_(plugin_answer_freep) struct plugin_answer *answer = NULL;

		rig.catalogue_kind = rows[i][0];
		answer = rig_begin(PLUGIN_VERB_CATALOGUE, "{}", NULL);
		assert_non_null(strstr(answer->exchange.url, rows[i][1]));
	}
}

static void every_kind_of_the_manifest_has_a_list(void **state)
{
	const struct plugin_manifest *manifest = plugin_manifest(rig.plugin);
	_cleanup_(freep) char *previous = NULL;

	(void)state;
	assert_int_equal(json_count(manifest->json, manifest->catalogue), 3);
	for (json_node n = json_first(manifest->json, manifest->catalogue); n; n = json_next(manifest->json, n)) {
		_cleanup_(plugin_answer_freep) struct plugin_answer *answer = NULL;

		rig.catalogue_kind = json_name(manifest->json, n);
		answer = rig_begin(PLUGIN_VERB_CATALOGUE, "{}", NULL);
		assert_true(!previous || strcmp(previous, answer->exchange.url) != 0);
		free(previous);
		previous = strdup(answer->exchange.url);
	}
}

static void the_published_voices_are_read(void **state)
{
	_cleanup_(freep) char *body = rig_sample("v3_voices_list_docs.json");
	_cleanup_(plugin_answer_freep) struct plugin_answer *answer = NULL;
	_cleanup_(json_freep) struct json *json = json_new(NULL);
	json_node root;

	(void)state;
	if (!body) {
		skip();
		return;
	}
	rig.catalogue_kind = "voices";
	answer = rig_reply(PLUGIN_VERB_CATALOGUE, NULL, 200, body);
	assert_int_equal(answer->kind, PLUGIN_ANSWER_REPORT);
	assert_int_equal(json_parse(json, bytes_of_text(answer->report), JSON_DUPLICATES_REFUSE, &root, NULL), 0);
	assert_int_equal(json_count(json, json_at(json, root, "/entries")), 2);
	assert_string_equal(json_string(json, json_at(json, root, "/entries/0/id")),
			    "1bd001e7e50f421d891986aad5158bc8");
	assert_string_equal(json_string(json, json_at(json, root, "/entries/1/name")), "Paul");
	assert_string_equal(json_string(json, json_at(json, root, "/entries/1/language")), "English");
	assert_string_equal(json_string(json, json_at(json, root, "/entries/0/gender")), "female");
	assert_string_equal(json_string(json, json_at(json, root, "/entries/0/preview_url")),
			    "https://files.heygen.ai/...");
	assert_string_equal(json_string(json, json_at(json, root, "/entries/0/tags/0")), "public");
	assert_true(json_boolean(json, json_at(json, root, "/entries/0/extra/support_locale"), false));
	assert_true(strncmp(json_string(json, json_at(json, root, "/next")), "eyJsYXN0", 8) == 0);
}

static void what_is_missing_is_left_out(void **state)
{
	static const char *const rows[][3] = {
		{"looks",
		 "{\"data\":[{\"id\":\"l1\",\"name\":\"L\",\"avatar_type\":\"photo_avatar\",\"status\":\"completed\"}],"
		 "\"has_more\":false,\"next_token\":\"x\"}",
		 "{\"entries\":[{\"id\":\"l1\",\"name\":\"L\",\"tags\":[\"photo_avatar\",\"completed\"],\"extra\":{"
		 "\"id\":\"l1\",\"name\":\"L\",\"avatar_type\":\"photo_avatar\",\"status\":\"completed\"}}]}"},
		{"avatars",
		 "{\"error\":null,\"data\":[{\"name\":\"no id\"},7,null,{\"id\":\"\"},{\"id\":\"g\",\"name\":null}]}",
		 "{\"entries\":[{\"id\":\"g\",\"extra\":{\"id\":\"g\",\"name\":null}}]}"},
		{"voices", "{\"data\":[],\"has_more\":true,\"next_token\":null}", "{\"entries\":[]}"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		_cleanup_(plugin_answer_freep) struct plugin_answer *answer = NULL;

		rig.catalogue_kind = rows[i][0];
		answer = rig_reply(PLUGIN_VERB_CATALOGUE, NULL, 200, rows[i][1]);
		assert_int_equal(answer->kind, PLUGIN_ANSWER_REPORT);
		rig_assert_json(answer->report, rows[i][2]);
	}
}

static void a_list_that_is_refused_says_why(void **state)
{
	static const struct {
		int status;
		const char *body;
		enum plugin_answer_kind kind;
		enum plugin_reason reason;
	} rows[] = {
		{401, "{\"error\":{\"code\":\"unauthorized\"}}", PLUGIN_ANSWER_FAILED, PLUGIN_REASON_AUTH},
		{403, "{\"error\":{\"code\":\"insufficient_api_key_scope\"}}", PLUGIN_ANSWER_FAILED,
		 PLUGIN_REASON_AUTH},
		{200, "<html>login</html>", PLUGIN_ANSWER_TROUBLE, PLUGIN_REASON_UNAVAILABLE},
		{200, "{\"data\":{}}", PLUGIN_ANSWER_TROUBLE, PLUGIN_REASON_UNAVAILABLE},
		{503, "", PLUGIN_ANSWER_TROUBLE, PLUGIN_REASON_UNAVAILABLE},
	};

	(void)state;
	rig.catalogue_kind = "voices";
	for (size_t i = 0; i < COUNT(rows); i++) {
		_cleanup_(plugin_answer_freep) struct plugin_answer *answer = rig_reply(PLUGIN_VERB_CATALOGUE, NULL,
											rows[i].status, rows[i].body);

		assert_int_equal(answer->kind, rows[i].kind);
		assert_int_equal(answer->failure.reason, rows[i].reason);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(voices_are_read_page_by_page, rig_reset),
		cmocka_unit_test_setup(avatars_and_looks_are_told_apart, rig_reset),
		cmocka_unit_test_setup(every_kind_of_the_manifest_has_a_list, rig_reset),
		cmocka_unit_test_setup(the_published_voices_are_read, rig_reset),
		cmocka_unit_test_setup(what_is_missing_is_left_out, rig_reset),
		cmocka_unit_test_setup(a_list_that_is_refused_says_why, rig_reset),
	};

	return cmocka_run_group_tests_name("heygen.lists", tests, rig_set_up, rig_tear_down);
}
