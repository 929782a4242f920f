/*
 * Every call that Google has around Veo, on both surfaces, and what became of it here: built, with the test that shows
 * it, or left for later. What the plugin really asks is held against the table.
 */
#include "veo/rig.h"

#include "base/err.h"
#include "built.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))
#define LATER NULL, NULL
#define MODEL "/v1/projects/p1/locations/us-central1/publishers/google/models/" RIG_MODEL

static const struct endpoint {
	const char *method, *path;
	const char *file, *test; /* tests/unit/FILE.c; LATER */
} endpoints[] = {
	/* Vertex AI. */
	{"POST", MODEL ":predictLongRunning", "veo/submit", "a_submit_buys_and_can_name_no_key"},
	{"POST", MODEL ":fetchPredictOperation", "veo/poll", "a_poll_is_a_post_that_changes_nothing"},
	{"GET", "/storage/v1/b/bucket/o", "veo/poll", "the_account_is_proved_by_a_look_into_the_bucket"},
	/* The Gemini API. */
	{"POST", "/v1beta/models/" RIG_MODEL ":predictLongRunning", "veo/gemini",
	 "a_submit_carries_the_key_and_nothing_of_vertex"},
	{"GET", "/v1beta/models/" RIG_MODEL "/operations/1", "veo/gemini", "a_poll_is_a_get_of_the_operation"},
	{"GET", "/v1beta/models/" RIG_MODEL, "veo/gemini", "the_account_is_proved_by_a_look_at_the_model"},
	{"GET", "/v1beta/files", LATER},
	{"DELETE", "/v1beta/files/{id}", LATER},
	/* Webhooks, on the Gemini API only: there is no listener yet. */
	{"POST", "/v1/webhooks", LATER},
	{"GET", "/v1/webhooks", LATER},
	{"GET", "/v1/webhooks/{id}", LATER},
	{"PATCH", "/v1/webhooks/{id}", LATER},
	{"DELETE", "/v1/webhooks/{id}", LATER},
	{"POST", "/v1/webhooks/{id}:ping", LATER},
	{"POST", "/v1/webhooks/{id}:rotateSigningSecret", LATER},
	/* Omni, Veo's successor on the Gemini API: another API. */
	{"POST", "/v1/interactions", LATER},
	{"GET", "/v1/interactions/{id}", LATER},
	{"POST", "/v1/interactions/{id}/cancel", LATER},
	{"DELETE", "/v1/interactions/{id}", LATER},
	{"POST", "/v1beta1/projects/{p}/locations/global/interactions", LATER},
};

/* Not the plugin's calls: tokens and results are fetched by the daemon, and what Google lacks is a habit, too. */
static const struct endpoint habits[] = {
	{"POST", "the token endpoint", "plugin/mint", "the_request_is_that_of_the_rfc"},
	{"POST", "the token endpoint, early", "engine/token", "an_old_token_is_renewed_first"},
	{"POST", "once more after a 401", "veo/refusals",
	 "a_refused_token_is_tried_again_at_once_and_then_with_patience"},
	{"GET", "an object of the bucket, with the token", "veo/poll",
	 "the_samples_are_read_from_the_bucket_with_the_token"},
	{"GET", "a file of the Gemini API, with the key", "veo/gemini", "the_key_goes_to_the_apis_own_files_only"},
	{"POST", "no idempotency key", "veo/submit", "a_submit_buys_and_can_name_no_key"},
};

/* A question of the plugin's, and the row that it must be. */
static const struct question {
	enum plugin_verb verb;
	bool is_gemini;
	const char *row;
} questions[] = {
	{PLUGIN_VERB_START, false, MODEL ":predictLongRunning"},
	{PLUGIN_VERB_POLL, false, MODEL ":fetchPredictOperation"},
	{PLUGIN_VERB_ACCOUNT, false, "/storage/v1/b/bucket/o"},
	{PLUGIN_VERB_START, true, "/v1beta/models/" RIG_MODEL ":predictLongRunning"},
	{PLUGIN_VERB_POLL, true, "/v1beta/models/" RIG_MODEL "/operations/1"},
	{PLUGIN_VERB_ACCOUNT, true, "/v1beta/models/" RIG_MODEL},
};

static const struct endpoint *row_of(const char *method, const char *path)
{
	for (size_t i = 0; i < COUNT(endpoints); i++)
		if (strcmp(endpoints[i].method, method) == 0 && strcmp(endpoints[i].path, path) == 0)
			return &endpoints[i];
	fail_msg("%s %s is in no row", method, path);
	return NULL;
}

/* The path alone: without origin and query. */
static void assert_asks(const struct question *question)
{
	_cleanup_(plugin_answer_freep) struct plugin_answer *answer = NULL;
	const char *path;

	rig.account = question->is_gemini ? rig.gemini : rig.vertex;
	rig.remote_id = question->is_gemini ? "models/" RIG_MODEL "/operations/1" : RIG_OPERATION;
	answer = rig_begin(question->verb, NULL);
	assert_int_equal(answer->kind, PLUGIN_ANSWER_EXCHANGE);
	path = strstr(answer->exchange.url, "://");
	path = path ? strchr(path + 3, '/') : NULL;
	if (!path) {
		fail_msg("'%s' has no path", answer->exchange.url);
		return;
	}
	assert_int_equal(strcspn(path, "?"), strlen(question->row));
	assert_memory_equal(path, question->row, strlen(question->row));
	assert_non_null(row_of(answer->exchange.method, question->row)->test);
}

static void what_the_plugin_asks_is_in_the_table_as_built(void **state)
{
	size_t n = 0;

	(void)state;
	for (size_t i = 0; i < COUNT(questions); i++)
		assert_asks(&questions[i]);
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

	return cmocka_run_group_tests_name("veo.endpoints", tests, rig_set_up, rig_tear_down);
}
