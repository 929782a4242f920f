/* Recorded bodies, where this machine has them. */
#include "openai_videos/rig.h"

#include "base/err.h"

#include <dirent.h>

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

static void feed(const char *body)
{
	static const enum plugin_verb verbs[] = {PLUGIN_VERB_START, PLUGIN_VERB_POLL, PLUGIN_VERB_REMOVE,
						 PLUGIN_VERB_ACCOUNT, PLUGIN_VERB_RECONCILE};
	static const int statuses[] = {200, 202, 400, 401, 402, 404, 429, 500, 502};

	for (size_t i = 0; i < COUNT(verbs) * COUNT(statuses) * 2; i++) {
		int status = statuses[i / 2 % COUNT(statuses)];
		enum plugin_verb verb = verbs[i / 2 / COUNT(statuses)];
		struct plugin_answer *answer;

		rig.account = i % 2 ? rig.openrouter : rig.openai;
		answer = rig_reply(verb, NULL, status, body);
		if (verb == PLUGIN_VERB_POLL && status > 299)
			assert_int_equal(answer->kind, PLUGIN_ANSWER_TROUBLE);
		plugin_answer_free(answer);
	}
}

static size_t feed_folder(const char *name)
{
	const char *folder = getenv("FILMGATE_SAMPLES");
	struct buffer path = {0};
	const struct dirent *entry;
	size_t n = 0;
	DIR *dir;

	assert_int_equal(buffer_printf(&path, "%s/%s", folder ? folder : "", name), 0);
	dir = opendir(path.data);
	buffer_finish(&path);
	if (!dir) {
		print_message("no recorded bodies here: skipped\n");
		skip();
		return 0;
	}
	while ((entry = readdir(dir))) {
		_cleanup_(freep) char *body = NULL;
		char file[300];

		snprintf(file, sizeof(file), "%s/%s", name, entry->d_name);
		body = strstr(entry->d_name, ".json") ? rig_sample(file) : NULL;
		if (!body)
			continue;
		feed(body);
		n++;
	}
	closedir(dir);
	return n;
}

static void no_recorded_body_makes_the_plugin_break_a_rule(void **state)
{
	(void)state;
	assert_true(feed_folder("openai-sora") >= 4);
	assert_true(feed_folder("openrouter") >= 19);
}

static void recorded_bodies_mean_what_they_say(void **state)
{
	static const struct {
		const char *sample;
		int status;
		enum plugin_verb verb;
		enum plugin_answer_kind kind;
		enum plugin_reason reason;
	} rows[] = {
#define ROW(sample, status, verb, kind, reason) \
	{sample ".json", status, PLUGIN_VERB_##verb, PLUGIN_ANSWER_##kind, PLUGIN_REASON_##reason}
		ROW("openai-sora/create", 200, START, ACCEPTED, UNKNOWN),
		ROW("openai-sora/litellm_create_real_id", 200, START, ACCEPTED, UNKNOWN),
		ROW("openai-sora/remix", 200, START, ACCEPTED, UNKNOWN),
		ROW("openai-sora/create", 200, POLL, WAIT, UNKNOWN),
		ROW("openai-sora/litellm_create_real_id", 200, POLL, WAIT, UNKNOWN),
		ROW("openai-sora/list", 200, ACCOUNT, REPORT, UNKNOWN),
		ROW("openrouter/post_videos-202", 202, START, ACCEPTED, UNKNOWN),
		ROW("openrouter/post_videos-400", 400, START, FAILED, INVALID_INPUT),
		ROW("openrouter/post_videos-401", 401, START, FAILED, AUTH),
		ROW("openrouter/post_videos-402", 402, START, FAILED, NO_CREDIT),
		ROW("openrouter/post_videos-404", 404, START, FAILED, PROVIDER_FAULT),
		ROW("openrouter/post_videos-429", 429, START, TROUBLE, RATE_LIMITED),
		ROW("openrouter/post_videos-500", 500, START, TROUBLE, UNAVAILABLE),
		ROW("openrouter/post_videos-202", 202, POLL, WAIT, UNKNOWN),
		ROW("openrouter/get_videos_jobId-200", 200, POLL, DONE, UNKNOWN),
		ROW("openrouter/get_videos_jobId-401", 401, POLL, TROUBLE, AUTH),
		ROW("openrouter/get_videos_jobId-404", 404, POLL, TROUBLE, NOT_FOUND),
		ROW("openrouter/get_videos_jobId-500", 500, POLL, TROUBLE, UNAVAILABLE),
		ROW("openrouter/get_videos_jobId-404", 404, ACCOUNT, REPORT, UNKNOWN),
		ROW("openrouter/get_videos_jobId-401", 401, ACCOUNT, FAILED, AUTH),
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		_cleanup_(freep) char *body = rig_sample(rows[i].sample);
		_cleanup_(plugin_answer_freep) struct plugin_answer *answer = NULL;

		if (!body)
			skip();
		rig.account = strstr(rows[i].sample, "openrouter") ? rig.openrouter : rig.openai;
		answer = rig_reply(rows[i].verb, NULL, rows[i].status, body);
		if (answer->kind != rows[i].kind || answer->failure.reason != rows[i].reason)
			fail_msg("%s gave %s, reason %d", rows[i].sample, plugin_answer_name(answer->kind),
				 (int)answer->failure.reason);
	}
}

static void a_recorded_result_is_all_there(void **state)
{
	_cleanup_(freep) char *body = rig_sample("openrouter/get_videos_jobId-200.json");
	_cleanup_(plugin_answer_freep) struct plugin_answer *answer = NULL;

	(void)state;
	if (!body)
		skip();
	rig.account = rig.openrouter;
	answer = rig_reply(PLUGIN_VERB_POLL, NULL, 200, body);
	assert_int_equal(answer->done.n_outputs, 1);
	assert_string_equal(answer->done.outputs[0].url, "https://storage.example.com/video.mp4");
	assert_int_equal(answer->done.cost.amount_micros, 500000);
}

/* The polling URL is relative, and the next poll goes where it says. */
static void a_recorded_polling_url_is_resolved(void **state)
{
	_cleanup_(freep) char *body = rig_sample("openrouter/post_videos-202.json");
	_cleanup_(plugin_answer_freep) struct plugin_answer *accepted = NULL, *poll = NULL;

	(void)state;
	if (!body)
		skip();
	rig.account = rig.openrouter;
	accepted = rig_reply(PLUGIN_VERB_START, NULL, 202, body);
	rig.remote_id = accepted->accepted.remotes[0].id;
	poll = rig_resume(PLUGIN_VERB_POLL, accepted->state);
	assert_string_equal(poll->exchange.url, "http://127.0.0.1:9/api/v1/videos/job-abc123");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(no_recorded_body_makes_the_plugin_break_a_rule, rig_reset),
		cmocka_unit_test_setup(recorded_bodies_mean_what_they_say, rig_reset),
		cmocka_unit_test_setup(a_recorded_result_is_all_there, rig_reset),
		cmocka_unit_test_setup(a_recorded_polling_url_is_resolved, rig_reset),
	};

	return cmocka_run_group_tests_name("openai_videos.samples", tests, rig_set_up, rig_tear_down);
}
