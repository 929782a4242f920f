/*
 * Every call that HeyGen's API v3 has for videos, and what became of it here: built, with the test that shows it, or
 * left for later. What the plugin really asks is held against the table.
 */
#include "heygen/rig.h"

#include "base/err.h"
#include "built.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))
#define LATER NULL, NULL

static const struct endpoint {
	const char *method, *path;
	const char *file, *test; /* tests/unit/FILE.c; LATER */
} endpoints[] = {
	/* The key and the account. */
	{"GET", "/v3/users/me", "heygen/verbs", "an_account_is_read_for_free"},
	/* Lists. */
	{"GET", "/v3/voices?limit=50", "heygen/lists", "voices_are_read_page_by_page"},
	{"GET", "/v3/avatars?limit=50", "heygen/lists", "avatars_and_looks_are_told_apart"},
	{"GET", "/v3/avatars/looks?limit=50", "heygen/lists", "avatars_and_looks_are_told_apart"},
	/* Orders. */
	{"POST", "/v3/videos avatar", "heygen/submit", "an_avatar_speaks_a_script"},
	{"POST", "/v3/videos image", "heygen/submit", "a_photo_speaks"},
	{"POST", "/v3/videos cinematic", "heygen/submit", "avatars_act_by_a_prompt"},
	{"POST", "/v3/videos studio", LATER},
	{"POST", "/v3/videos/batches", LATER},
	{"GET", "/v3/videos/batches/{id}", LATER},
	{"GET", "/v3/videos/statuses", LATER},
	{"POST", "/v3/models/videos heygen-video-1", "heygen/submit", "a_video_is_generated_on_a_path_of_its_own"},
	{"GET", "/v3/models/videos/{id}", "heygen/poll", "a_generated_video_has_its_own_words"},
	{"POST", "/v3/video-agents", LATER},
	{"GET", "/v3/video-agents/styles", LATER},
	{"GET", "/v3/video-agents/{id}", LATER},
	{"POST", "/v3/video-agents/{id}", LATER},
	{"POST", "/v3/video-agents/{id}/stop", LATER},
	{"GET", "/v3/video-agents/{id}/videos", LATER},
	{"GET", "/v3/video-agents/{id}/resources/{id}", LATER},
	/* Polls, lists, removals. */
	{"GET", "/v3/videos/{id}", "heygen/poll", "a_poll_asks_for_the_video_and_changes_nothing"},
	{"GET", "/v3/videos", LATER},
	{"DELETE", "/v3/videos/{id}", "heygen/verbs", "a_removal_deletes_and_may_be_repeated"},
	/* Inputs. */
	{"POST", "/v3/assets", "heygen/upload", "a_small_file_goes_in_one_request_of_parts"},
	{"GET", "/v3/assets", LATER},
	{"GET", "/v3/assets/{id}", LATER},
	{"DELETE", "/v3/assets/{id}", LATER},
	{"POST", "/v3/assets/direct-uploads", "heygen/upload", "a_large_file_gets_a_place_first"},
	{"POST", "/v3/assets/{id}/complete", "heygen/upload", "a_filled_place_is_said_to_be_complete"},
	/* Webhooks. */
	{"POST", "/v3/webhooks/endpoints", LATER},
	{"GET", "/v3/webhooks/endpoints", LATER},
	{"PATCH", "/v3/webhooks/endpoints/{id}", LATER},
	{"DELETE", "/v3/webhooks/endpoints/{id}", LATER},
	{"POST", "/v3/webhooks/endpoints/{id}/rotate-secret", LATER},
	{"GET", "/v3/webhooks/event-types", LATER},
	{"GET", "/v3/webhooks/events", LATER},
};

/* Not calls of their own: the download of a result, and the key that makes a repetition safe. */
static const struct endpoint habits[] = {
	{"GET", "a result's link, without the key", "engine/fetch", "every_output_becomes_an_artifact"},
	{"GET", "a result's link, renewed", "engine/fetch", "a_link_that_runs_out_in_the_middle_counts_nothing_twice"},
	{"POST", "Idempotency-Key", "heygen/submit", "a_submit_buys_with_the_key_of_the_step"},
	{"POST", "409 request_in_progress", "heygen/refusals", "a_key_in_use_is_waited_for"},
};

/* A question of the plugin's, and the row that it must be. */
static const struct question {
	enum plugin_verb verb;
	const char *model; /* or the kind of a list */
	const char *state, *row;
	uint64_t size_bytes; /* of the input */
	uint32_t phase;      /* of the reply that leads to it */
} questions[] = {
	{PLUGIN_VERB_ACCOUNT, "avatar", NULL, "/v3/users/me", 0, 0},
	{PLUGIN_VERB_CATALOGUE, "voices", NULL, "/v3/voices?limit=50", 0, 0},
	{PLUGIN_VERB_CATALOGUE, "avatars", NULL, "/v3/avatars?limit=50", 0, 0},
	{PLUGIN_VERB_CATALOGUE, "looks", NULL, "/v3/avatars/looks?limit=50", 0, 0},
	{PLUGIN_VERB_START, "avatar", NULL, "/v3/videos avatar", 0, 0},
	{PLUGIN_VERB_START, "image", NULL, "/v3/videos image", 0, 0},
	{PLUGIN_VERB_START, "cinematic", NULL, "/v3/videos cinematic", 0, 0},
	{PLUGIN_VERB_START, "heygen-video-1", NULL, "/v3/models/videos heygen-video-1", 0, 0},
	{PLUGIN_VERB_POLL, "avatar", "{\"path\":\"/v3/videos\"}", "/v3/videos/{id}", 0, 0},
	{PLUGIN_VERB_POLL, "heygen-video-1", "{\"path\":\"/v3/models/videos\"}", "/v3/models/videos/{id}", 0, 0},
	{PLUGIN_VERB_REMOVE, "avatar", "{\"path\":\"/v3/videos\"}", "/v3/videos/{id}", 0, 0},
	{PLUGIN_VERB_UPLOAD, "avatar", NULL, "/v3/assets", 1000, 0},
	{PLUGIN_VERB_UPLOAD, "avatar", NULL, "/v3/assets/direct-uploads", 40000000, 0},
	{PLUGIN_VERB_UPLOAD, "avatar", "{\"asset_id\":\"v_1\"}", "/v3/assets/{id}/complete", 40000000, 3},
};

static const struct endpoint *row_of(const char *method, const char *path)
{
	for (size_t i = 0; i < COUNT(endpoints); i++)
		if (strcmp(endpoints[i].method, method) == 0 && strcmp(endpoints[i].path, path) == 0)
			return &endpoints[i];
	fail_msg("%s %s is in no row", method, path);
	return NULL;
}

/* "http://127.0.0.1:9/v3/videos/v_1" as the table writes it. */
static void assert_url(const char *url, const char *row)
{
	char path[200] = "";
	const char *mark = strstr(row, "{id}");

	snprintf(path, sizeof(path), "http://127.0.0.1:9%.*s%s%s", (int)(mark ? mark - row : (long)strcspn(row, " ")),
		 row, mark ? "v_1" : "", mark ? mark + 4 : "");
	assert_string_equal(url, path);
}

static struct plugin_answer *ask(const struct question *question)
{
	_cleanup_(freep) char *job = rig_job(question->model, NULL, "\"prompt\":\"p\",\"avatar_id\":\"a\"");
	struct plugin_asset input = {.name = "assets/0", .media_type = "image/png", .size_bytes = question->size_bytes};

	rig.catalogue_kind = question->verb == PLUGIN_VERB_CATALOGUE ? question->model : NULL;
	rig.assets = question->size_bytes ? &input : NULL;
	rig.n_assets = question->size_bytes ? 1 : 0;
	if (question->phase)
		return rig_reply_in(question->verb, question->phase, question->state, 200, "");
	return rig_begin(question->verb, job, question->state);
}

static void what_the_plugin_asks_is_in_the_table_as_built(void **state)
{
	size_t n = 0;

	(void)state;
	for (size_t i = 0; i < COUNT(questions); i++) {
		_cleanup_(plugin_answer_freep) struct plugin_answer *answer = ask(&questions[i]);

		assert_int_equal(answer->kind, PLUGIN_ANSWER_EXCHANGE);
		assert_url(answer->exchange.url, questions[i].row);
		assert_non_null(row_of(answer->exchange.method, questions[i].row)->test);
	}
	for (size_t i = 0; i < COUNT(endpoints); i++)
		n += endpoints[i].test != NULL;
	assert_int_equal(n, COUNT(questions));
}

static void what_is_built_has_its_test(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(endpoints); i++)
		if (endpoints[i].test)
			assert_test_exists(endpoints[i].file, endpoints[i].test);
	for (size_t i = 0; i < COUNT(habits); i++)
		assert_test_exists(habits[i].file, habits[i].test);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(what_the_plugin_asks_is_in_the_table_as_built, rig_reset),
		cmocka_unit_test_setup(what_is_built_has_its_test, rig_reset),
	};

	return cmocka_run_group_tests_name("heygen.endpoints", tests, rig_set_up, rig_tear_down);
}
