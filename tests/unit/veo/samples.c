/* Recorded bodies, where this machine has them. */
#include "veo/rig.h"

#include "base/err.h"
#include "base/json.h"

#include <dirent.h>

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

static void feed(const char *body)
{
	static const enum plugin_verb verbs[] = {PLUGIN_VERB_START, PLUGIN_VERB_POLL, PLUGIN_VERB_ACCOUNT};
	static const int statuses[] = {200, 400, 401, 404, 429, 500};

	for (size_t i = 0; i < COUNT(verbs) * COUNT(statuses) * 2; i++) {
		int status = statuses[i / 2 % COUNT(statuses)];
		enum plugin_verb verb = verbs[i / 2 / COUNT(statuses)];
		struct plugin_answer *answer;

		rig.account = i % 2 ? rig.gemini : rig.vertex;
		answer = rig_reply(verb, NULL, status, body);
		assert_int_not_equal(answer->kind, PLUGIN_ANSWER_EXCHANGE);
		if (verb == PLUGIN_VERB_POLL && status != 200)
			assert_int_equal(answer->kind, PLUGIN_ANSWER_TROUBLE);
		plugin_answer_free(answer);
	}
}

static void no_recorded_body_makes_the_plugin_break_a_rule(void **state)
{
	const char *folder = getenv("FILMGATE_SAMPLES");
	struct buffer path = {0};
	const struct dirent *entry;
	size_t n = 0;
	DIR *dir;

	(void)state;
	assert_int_equal(buffer_printf(&path, "%s/veo", folder ? folder : ""), 0);
	dir = opendir(path.data);
	buffer_finish(&path);
	if (!dir) {
		print_message("no recorded bodies here: skipped\n");
		skip();
		return;
	}
	while ((entry = readdir(dir))) {
		_cleanup_(freep) char *body = strstr(entry->d_name, ".json") ? rig_sample(entry->d_name) : NULL;

		if (!body)
			continue;
		feed(body);
		n++;
	}
	closedir(dir);
	assert_true(n >= 15);
}

static void recorded_bodies_mean_what_they_say(void **state)
{
	static const struct {
		const char *sample;
		bool is_gemini;
		enum plugin_verb verb;
		enum plugin_answer_kind kind;
		enum plugin_reason reason;
	} rows[] = {
#define VERTEX(sample, verb, kind, reason) \
	{"vertex_" sample ".json", false, PLUGIN_VERB_##verb, PLUGIN_ANSWER_##kind, PLUGIN_REASON_##reason}
#define GEMINI(sample, verb, kind)                                                                              \
	{                                                                                                       \
		"gemini_" sample ".json", true, PLUGIN_VERB_##verb, PLUGIN_ANSWER_##kind, PLUGIN_REASON_UNKNOWN \
	}
		VERTEX("submit_200_metadata", START, ACCEPTED, UNKNOWN),
		VERTEX("poll_processing", POLL, WAIT, UNKNOWN),
		VERTEX("poll_done_gcs_min", POLL, DONE, UNKNOWN),
		VERTEX("poll_done_gcs_no_type", POLL, DONE, UNKNOWN),
		VERTEX("poll_done_base64", POLL, DONE, UNKNOWN),
		VERTEX("poll_done_empty_videos", POLL, FAILED, ARTIFACT_BAD),
		VERTEX("poll_error_duration", POLL, FAILED, INVALID_INPUT),
		GEMINI("submit_200", START, ACCEPTED),
		GEMINI("submit_200_done_false", START, ACCEPTED),
		GEMINI("poll_processing", POLL, WAIT),
		GEMINI("poll_done_uri", POLL, DONE),
		GEMINI("poll_done_file_name_uri", POLL, DONE),
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		_cleanup_(freep) char *body = rig_sample(rows[i].sample);
		_cleanup_(plugin_answer_freep) struct plugin_answer *answer = NULL;

		if (!body)
			skip();
		rig.account = rows[i].is_gemini ? rig.gemini : rig.vertex;
		answer = rig_reply(rows[i].verb, NULL, 200, body);
		if (answer->kind != rows[i].kind || answer->failure.reason != rows[i].reason)
			fail_msg("%s gave %s, reason %d", rows[i].sample, plugin_answer_name(answer->kind),
				 (int)answer->failure.reason);
	}
}

/* What other clients of the Gemini API send for the same orders. */
static void recorded_requests_are_what_we_send(void **state)
{
	static const struct {
		const char *sample;
		const char *parameters;
	} rows[] = {
		{"gemini_submit_request_min.json",
		 "\"prompt\":\"A futuristic city with flying cars\",\"sample_count\":1"},
		{"gemini_submit_t2v_request.json",
		 "\"prompt\":\"A cat playing with a ball of yarn\",\"aspect_ratio\":\"16:9\",\"duration_ms\":8000,"
		 "\"resolution\":\"1080p\""},
	};

	(void)state;
	rig.account = rig.gemini;
	for (size_t i = 0; i < COUNT(rows); i++) {
		_cleanup_(freep) char *expected = rig_sample(rows[i].sample);
		_cleanup_(freep) char *job = rig_job(RIG_MODEL, rows[i].parameters);
		_cleanup_(plugin_answer_freep) struct plugin_answer *answer = NULL;

		if (!expected)
			skip();
		answer = rig_begin(PLUGIN_VERB_START, job);
		rig_assert_body(answer, expected);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(no_recorded_body_makes_the_plugin_break_a_rule, rig_reset),
		cmocka_unit_test_setup(recorded_bodies_mean_what_they_say, rig_reset),
		cmocka_unit_test_setup(recorded_requests_are_what_we_send, rig_reset),
	};

	return cmocka_run_group_tests_name("veo.samples", tests, rig_set_up, rig_tear_down);
}
