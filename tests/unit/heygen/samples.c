/* Recorded provider bodies, where this machine has them. */
#include "heygen/rig.h"

#include "base/err.h"
#include "base/json.h"

#include <dirent.h>

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

static bool is_v3(const char *name)
{
	size_t len = strlen(name);

	return strncmp(name, "v3_", 3) == 0 && len > 5 && strcmp(name + len - 5, ".json") == 0;
}

static void feed(const char *body)
{
	static const enum plugin_verb verbs[] = {PLUGIN_VERB_START, PLUGIN_VERB_POLL, PLUGIN_VERB_REMOVE,
						 PLUGIN_VERB_ACCOUNT};
	static const int statuses[] = {200, 400, 404, 429, 500};

	for (size_t v = 0; v < COUNT(verbs); v++) {
		for (size_t s = 0; s < COUNT(statuses); s++) {
			_cleanup_(plugin_answer_freep) struct plugin_answer *answer = rig_reply(verbs[v], NULL,
												statuses[s], body);

			assert_int_not_equal(answer->kind, PLUGIN_ANSWER_EXCHANGE);
			if (verbs[v] == PLUGIN_VERB_POLL && statuses[s] != 200)
				assert_int_equal(answer->kind, PLUGIN_ANSWER_TROUBLE);
		}
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
	assert_int_equal(buffer_printf(&path, "%s/heygen", folder ? folder : ""), 0);
	dir = opendir(path.data);
	buffer_finish(&path);
	if (!dir) {
		print_message("no recorded bodies here: skipped\n");
		skip();
		return;
	}
	while ((entry = readdir(dir))) {
		_cleanup_(freep) char *body = is_v3(entry->d_name) ? rig_sample(entry->d_name) : NULL;

		if (!body)
			continue;
		feed(body);
		n++;
	}
	closedir(dir);
	assert_true(n >= 20);
}

static void recorded_bodies_mean_what_they_say(void **state)
{
	static const struct {
		const char *sample;
		enum plugin_verb verb;
		int status;
		enum plugin_answer_kind kind;
		enum plugin_reason reason;
	} rows[] = {
#define ROW(sample, verb, status, kind, reason) \
	{"v3_" sample ".json", PLUGIN_VERB_##verb, status, PLUGIN_ANSWER_##kind, PLUGIN_REASON_##reason}
		ROW("videos_create_response_with_error_null_docs", START, 200, ACCEPTED, UNKNOWN),
		ROW("error_400_param_doc_url", START, 400, FAILED, INVALID_INPUT),
		ROW("error_403_forbidden", START, 403, FAILED, AUTH),
		ROW("error_429_rate_limit", START, 429, TROUBLE, RATE_LIMITED),
		ROW("error_500_internal", START, 500, TROUBLE, UNAVAILABLE),
		ROW("error_no_code", START, 400, FAILED, PROVIDER_FAULT),
		ROW("video_get_processing_created_at", POLL, 200, WAIT, UNKNOWN),
		ROW("video_get_completed_docs", POLL, 200, DONE, UNKNOWN),
		ROW("video_get_completed_min", POLL, 200, DONE, UNKNOWN),
		ROW("video_get_failed_docs", POLL, 200, FAILED, INVALID_INPUT),
		ROW("video_get_failed_min", POLL, 200, FAILED, PROVIDER_FAULT),
		ROW("video_get_404_error_docs", POLL, 404, TROUBLE, NOT_FOUND),
		ROW("models_videos_cancelled", POLL, 200, FAILED, CANCELLED),
		ROW("video_get_404_error_docs", REMOVE, 404, REPORT, UNKNOWN),
		ROW("users_me_wallet", ACCOUNT, 200, REPORT, UNKNOWN),
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		_cleanup_(freep) char *body = rig_sample(rows[i].sample);
		_cleanup_(plugin_answer_freep) struct plugin_answer *answer = NULL;

		if (!body)
			skip();
		answer = rig_reply(rows[i].verb, NULL, rows[i].status, body);
		if (answer->kind != rows[i].kind || answer->failure.reason != rows[i].reason)
			fail_msg("%s gave %s, reason %d", rows[i].sample, plugin_answer_name(answer->kind),
				 (int)answer->failure.reason);
	}
}

/* What HeyGen's own client sends for the same orders. */
static void recorded_requests_are_what_we_send(void **state)
{
	static const struct {
		const char *sample;
		const char *model;
		const char *parameters;
	} rows[] = {
		{"v3_videos_avatar_request_cli_example.json", "avatar",
		 "\"avatar_id\":\"<avatar-id>\",\"script\":{\"text\":\"Hello world\"},\"voice_id\":\"<voice-id>\""},
		{"v3_videos_image_request_cli_example.json", "image",
		 "\"script\":{\"text\":\"Hello\"},\"voice_id\":\"<voice-id>\",\"media\":[{\"kind\":\"image\","
		 "\"role\":\"source\",\"url\":\"https://example.com/photo.jpg\"}]"},
		{"v3_videos_image_request_docs.json", "image",
		 "\"script\":{\"text\":\"Hello! This is a high-quality photo avatar video.\"},"
		 "\"voice_id\":\"1bd001e7e50f421d891986aad5158bc8\",\"aspect_ratio\":\"16:9\","
		 "\"resolution\":\"1080p\",\"media\":[{\"kind\":\"image\",\"role\":\"source\","
		 "\"url\":\"https://example.com/portrait.jpg\"}]"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		_cleanup_(freep) char *expected = rig_sample(rows[i].sample);
		_cleanup_(freep) char *job = rig_job(rows[i].model, NULL, rows[i].parameters);
		_cleanup_(plugin_answer_freep) struct plugin_answer *answer = NULL;

		if (!expected)
			skip();
		answer = rig_begin(PLUGIN_VERB_START, job, NULL);
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

	return cmocka_run_group_tests_name("heygen.samples", tests, rig_set_up, rig_tear_down);
}
