/*
 * Recorded provider bodies, where this machine has them. Each file is in one of three tables: what we send, what we
 * read, and what nothing here reads yet.
 */
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
						 PLUGIN_VERB_ACCOUNT, PLUGIN_VERB_CATALOGUE};
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

#define MEDIUM(kind, role, form, value) "{\"kind\":\"" kind "\",\"role\":\"" role "\",\"" form "\":\"" value "\"}"
#define REFERENCE(kind, form, value) MEDIUM(kind, "reference", form, value)
#define REFERENCES                                                                                                                                        \
	",\"media\":[" REFERENCE("image", "url", "https://example.com/image.jpg") "," REFERENCE("image", "provider_handle", "image-2") "," REFERENCE(     \
		"video", "url",                                                                                                                           \
		"https://example.com/video.mp4") "," REFERENCE("video", "provider_handle",                                                                \
							       "video-2") "," REFERENCE("audio", "url",                                                   \
											"https://example.com/audio.mp3") "," REFERENCE("audio",           \
																       "provider_handle", \
																       "audio-2") "]"

#define GENERATION "{\"title\":\"\",\"path\":\"/v3/models/videos\"}"

/* What the provider says, to which question, and what it means. */
static const struct recorded_reply {
	const char *sample;
	const char *state;
	enum plugin_verb verb;
	int status;
	enum plugin_answer_kind kind;
	enum plugin_reason reason;
	const char
		*said; /* the code of a failure, the status of a wait, the URL of the video, the id that was accepted */
} replies[] = {
#define ROW(sample, state, verb, status, kind, reason, said)                                                           \
	{                                                                                                              \
		"v3_" sample ".json", state, PLUGIN_VERB_##verb, status, PLUGIN_ANSWER_##kind, PLUGIN_REASON_##reason, \
			said                                                                                           \
	}
	ROW("videos_create_response_with_error_null_docs", NULL, START, 200, ACCEPTED, UNKNOWN, "abc123def456"),
	ROW("error_400_param_doc_url", NULL, START, 400, FAILED, INVALID_INPUT, "invalid_parameter"),
	ROW("error_403_forbidden", NULL, START, 403, FAILED, AUTH, "forbidden"),
	ROW("error_429_rate_limit", NULL, START, 429, TROUBLE, RATE_LIMITED, "rate_limit_exceeded"),
	ROW("error_500_internal", NULL, START, 500, TROUBLE, UNAVAILABLE, "internal_error"),
	ROW("error_no_code", NULL, START, 400, FAILED, PROVIDER_FAULT, ""),
	ROW("video_get_processing_created_at", NULL, POLL, 200, WAIT, UNKNOWN, "processing"),
	ROW("video_get_completed_docs", NULL, POLL, 200, DONE, UNKNOWN, "https://files.heygen.ai/video/abc123.mp4"),
	ROW("video_get_completed_min", NULL, POLL, 200, DONE, UNKNOWN, "https://cdn.test/video.mp4"),
	ROW("video_get_failed_docs", NULL, POLL, 200, FAILED, INVALID_INPUT, "script_too_long"),
	ROW("video_get_failed_min", NULL, POLL, 200, FAILED, PROVIDER_FAULT, ""),
	ROW("video_get_404_error_docs", NULL, POLL, 404, TROUBLE, NOT_FOUND, "video_not_found"),
	ROW("video_get_404_error_docs", NULL, REMOVE, 404, REPORT, UNKNOWN, NULL),
	ROW("models_videos_create_response", GENERATION, START, 200, ACCEPTED, UNKNOWN, "video-1"),
	ROW("models_videos_400", GENERATION, START, 400, FAILED, INVALID_INPUT, "invalid_parameter"),
	ROW("models_videos_processing", GENERATION, POLL, 200, WAIT, UNKNOWN, "processing"),
	ROW("models_videos_completed", GENERATION, POLL, 200, DONE, UNKNOWN, "https://resource2.heygen.ai/video.mp4"),
	ROW("models_videos_completed_nulls", GENERATION, POLL, 200, DONE, UNKNOWN,
	    "https://resource2.heygen.ai/video.mp4"),
	ROW("models_videos_completed_timings", GENERATION, POLL, 200, DONE, UNKNOWN,
	    "https://resource2.heygen.ai/video.mp4"),
	ROW("models_videos_failed", GENERATION, POLL, 200, FAILED, PROVIDER_FAULT, "generation_failed"),
	ROW("models_videos_failed_timings_zero", GENERATION, POLL, 200, FAILED, PROVIDER_FAULT, "generation_failed"),
	ROW("models_videos_cancelled", GENERATION, POLL, 200, FAILED, CANCELLED, "cancelled"),
	ROW("users_me_wallet", NULL, ACCOUNT, 200, REPORT, UNKNOWN, NULL),
	ROW("voices_list_docs", NULL, CATALOGUE, 200, REPORT, UNKNOWN, NULL),
};

static const char *said_by(const struct plugin_answer *answer)
{
	switch (answer->kind) {
	case PLUGIN_ANSWER_ACCEPTED:
		return answer->accepted.remotes[0].id;
	case PLUGIN_ANSWER_WAIT:
		return answer->wait.status;
	case PLUGIN_ANSWER_DONE:
		return answer->done.outputs[0].url;
	default:
		return answer->failure.code;
	}
}

static void recorded_bodies_mean_what_they_say(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(replies); i++) {
		const struct recorded_reply *row = &replies[i];
		_cleanup_(freep) char *body = rig_sample(row->sample);
		_cleanup_(plugin_answer_freep) struct plugin_answer *answer = NULL;

		if (!body)
			skip();
		answer = rig_reply(row->verb, row->state, row->status, body);
		if (answer->kind != row->kind || answer->failure.reason != row->reason)
			fail_msg("%s gave %s, reason %d", row->sample, plugin_answer_name(answer->kind),
				 (int)answer->failure.reason);
		if (row->said && strcmp(said_by(answer), row->said) != 0)
			fail_msg("%s says '%s'", row->sample, said_by(answer));
	}
}

/* What HeyGen's own clients send, and the order that makes us send the same. */
static const struct recorded_request {
	const char *sample, *model, *parameters;
	const char *except; /* a field that we write otherwise, and why; NULL: none */
} requests[] = {
	{"v3_videos_avatar_request_cli_example.json", "avatar",
	 "\"avatar_id\":\"<avatar-id>\",\"script\":{\"text\":\"Hello world\"},\"voice_id\":\"<voice-id>\"", NULL},
	{"v3_videos_image_request_cli_example.json", "image",
	 "\"script\":{\"text\":\"Hello\"},\"voice_id\":\"<voice-id>\",\"media\":[{\"kind\":\"image\","
	 "\"role\":\"source\",\"url\":\"https://example.com/photo.jpg\"}]",
	 NULL},
	{"v3_videos_image_request_docs.json", "image",
	 "\"script\":{\"text\":\"Hello! This is a high-quality photo avatar video.\"},"
	 "\"voice_id\":\"1bd001e7e50f421d891986aad5158bc8\",\"aspect_ratio\":\"16:9\","
	 "\"resolution\":\"1080p\",\"media\":[{\"kind\":\"image\",\"role\":\"source\","
	 "\"url\":\"https://example.com/portrait.jpg\"}]",
	 NULL},
#define BOAT "\"prompt\":\"A paper boat floats down a quiet stream.\""
	{"v3_models_videos_t2v_request.json", "heygen-video-1", BOAT, NULL},
	{"v3_models_videos_i2v_request.json", "heygen-video-1",
	 BOAT ",\"media\":[" MEDIUM("image", "first_frame", "url", "https://example.com/image.jpg") "]", NULL},
	/* Its second sound is inline, a form that no job has yet. */
	{"v3_models_videos_r2v_request.json", "heygen-video-1", BOAT REFERENCES, "/reference_audio/1"},
};

static void assert_field(const char *sample, const char *pointer, const char *except, const struct json *json,
			 json_node theirs, json_node ours)
{
	size_t len = strlen(pointer);

	if (except && strcmp(except, pointer) == 0)
		return;
	if (except && strncmp(except, pointer, len) == 0 && except[len] == '/') {
		assert_int_equal(json_count(json, theirs), json_count(json, ours));
		for (uint32_t i = 0; i < json_count(json, theirs); i++) {
			char deeper[100];

			snprintf(deeper, sizeof(deeper), "%s/%u", pointer, i);
			assert_field(sample, deeper, except, json, json_item(json, theirs, i),
				     json_item(json, ours, i));
		}
		return;
	}
	if (!json_equal(json, theirs, json, ours))
		fail_msg("%s: %s is not what we send", sample, pointer);
}

static void assert_fields(const struct recorded_request *row, const char *expected, struct bytes body)
{
	_cleanup_(json_freep) struct json *json = json_new(NULL);
	json_node theirs, ours;

	assert_int_equal(json_parse(json, bytes_of_text(expected), JSON_DUPLICATES_REFUSE, &theirs, NULL), 0);
	assert_int_equal(json_parse(json, body, JSON_DUPLICATES_REFUSE, &ours, NULL), 0);
	for (json_node field = json_first(json, theirs); field; field = json_next(json, field)) {
		char pointer[100];

		snprintf(pointer, sizeof(pointer), "/%s", (const char *)json_key(json, field).data);
		assert_field(row->sample, pointer, row->except, json, field, json_at(json, ours, pointer));
	}
	/* But for the key that each order bears in its title, which the published schema has. */
	for (json_node field = json_first(json, ours); field; field = json_next(json, field))
		if (!json_text_is(json, field, RIG_KEY) && !json_member(json, theirs, json_key(json, field)))
			fail_msg("%s has no %s, which we send", row->sample, (const char *)json_key(json, field).data);
}

static void recorded_requests_are_what_we_send(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(requests); i++) {
		_cleanup_(freep) char *expected = rig_sample(requests[i].sample);
		_cleanup_(freep) char *job = rig_job(requests[i].model, NULL, requests[i].parameters);
		_cleanup_(plugin_answer_freep) struct plugin_answer *answer = NULL;

		if (!expected)
			skip();
		answer = rig_begin(PLUGIN_VERB_START, job, NULL);
		assert_int_equal(answer->kind, PLUGIN_ANSWER_EXCHANGE);
		assert_fields(&requests[i], expected, answer->exchange.body);
	}
}

/* Beginnings of names. */
static const char *const unread[] = {
	"v1_",
	"v2_",             /* ended in October 2026 */
	"v3_assets_",      /* uploads */
	"v3_video_agent_", /* video agents */
	"v3_videos_list_", /* nothing asks for lists */
	"webhook_",
};

static bool is_in_a_table(const char *name)
{
	for (size_t i = 0; i < COUNT(replies); i++)
		if (strcmp(replies[i].sample, name) == 0)
			return true;
	for (size_t i = 0; i < COUNT(requests); i++)
		if (strcmp(requests[i].sample, name) == 0)
			return true;
	for (size_t i = 0; i < COUNT(unread); i++)
		if (strncmp(unread[i], name, strlen(unread[i])) == 0)
			return true;
	return false;
}

static void every_recorded_body_is_in_a_table(void **state)
{
	const char *folder = getenv("FILMGATE_SAMPLES");
	struct buffer path = {0};
	const struct dirent *entry;
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
	while ((entry = readdir(dir)))
		if (entry->d_name[0] != '.' && !is_in_a_table(entry->d_name))
			fail_msg("no test reads %s, and no table says why", entry->d_name);
	closedir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(no_recorded_body_makes_the_plugin_break_a_rule, rig_reset),
		cmocka_unit_test_setup(recorded_bodies_mean_what_they_say, rig_reset),
		cmocka_unit_test_setup(recorded_requests_are_what_we_send, rig_reset),
		cmocka_unit_test_setup(every_recorded_body_is_in_a_table, rig_reset),
	};

	return cmocka_run_group_tests_name("heygen.samples", tests, rig_set_up, rig_tear_down);
}
