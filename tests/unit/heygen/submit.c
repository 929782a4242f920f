#include "heygen/rig.h"

#include "base/err.h"

static struct plugin_answer *submit(const char *model, const char *title, const char *parameters, const char *state)
{
	_cleanup_(freep) char *job = rig_job(model, title, parameters);

	return rig_begin(PLUGIN_VERB_START, job, state);
}

/* Each order of POST /v3/videos bears its key behind the user's title, which @body leaves out. */
static void write_body(const char *title, const char *body, struct buffer *ret)
{
	bool has_title = strncmp(body, "{\"type\"", 7) == 0;

	buffer_append(ret, body, strlen(body) - 1);
	if (has_title)
		buffer_printf(ret, ",\"title\":\"%s%s" RIG_KEY "\"", title ? title : "", title ? " " : "");
	buffer_append_text(ret, "}");
}

static void assert_submits(const char *model, const char *title, const char *parameters, const char *body)
{
	_cleanup_(buffer_finish) struct buffer expected = {0};
	_cleanup_(plugin_answer_freep) struct plugin_answer *answer = submit(model, title, parameters, NULL);

	write_body(title, body, &expected);
	rig_assert_body(answer, expected.data);
}

static void a_submit_buys_with_the_key_of_the_step(void **state)
{
	_cleanup_(plugin_answer_freep) struct plugin_answer *answer = submit(
		"avatar", NULL, "\"avatar_id\":\"a\",\"script\":{\"text\":\"hi\"}", NULL);

	(void)state;
	assert_int_equal(answer->kind, PLUGIN_ANSWER_EXCHANGE);
	assert_int_equal(answer->exchange.effect, PLUGIN_EFFECT_BUYS_WITH_KEY);
	assert_string_equal(answer->exchange.method, "POST");
	assert_string_equal(answer->exchange.url, "http://127.0.0.1:9/v3/videos");
	assert_int_equal(answer->exchange.timeout_ms, 0);
	assert_int_equal(answer->exchange.phase, 1);
	assert_string_equal(rig_header(answer, "Idempotency-Key")->value, RIG_KEY);
	assert_string_equal(rig_header(answer, "X-Api-Key")->value, RIG_SECRET);
	assert_true(rig_header(answer, "X-Api-Key")->is_secret);
}

static void an_avatar_speaks_a_script(void **state)
{
	(void)state;
	assert_submits("avatar", "My title",
		       "\"avatar_id\":\"look\",\"voice_id\":\"v\",\"script\":{\"text\":\"Grüße\"},"
		       "\"aspect_ratio\":\"9:16\",\"resolution\":\"4k\"",
		       "{\"type\":\"avatar\",\"avatar_id\":\"look\",\"voice_id\":\"v\",\"script\":\"Grüße\","
		       "\"aspect_ratio\":\"9:16\",\"resolution\":\"4k\"}");
}

static void an_avatar_speaks_along_with_a_recording(void **state)
{
	(void)state;
	assert_submits("avatar", NULL,
		       "\"avatar_id\":\"a\",\"script\":{\"audio\":{\"url\":\"https://a.example/a.mp3\"}}",
		       "{\"type\":\"avatar\",\"avatar_id\":\"a\",\"audio_url\":\"https://a.example/a.mp3\"}");
	assert_submits("avatar", NULL, "\"avatar_id\":\"a\",\"script\":{\"audio\":{\"provider_handle\":\"asset-1\"}}",
		       "{\"type\":\"avatar\",\"avatar_id\":\"a\",\"audio_asset_id\":\"asset-1\"}");
}

static void a_photo_speaks(void **state)
{
	(void)state;
	assert_submits("image", NULL,
		       "\"voice_id\":\"v\",\"script\":{\"text\":\"hi\"},\"media\":[{\"kind\":\"image\","
		       "\"role\":\"source\",\"url\":\"https://a.example/p.png\"}]",
		       "{\"type\":\"image\",\"voice_id\":\"v\",\"script\":\"hi\","
		       "\"image\":{\"type\":\"url\",\"url\":\"https://a.example/p.png\"}}");
	assert_submits("image", NULL,
		       "\"voice_id\":\"v\",\"script\":{\"text\":\"hi\"},\"media\":[{\"kind\":\"image\","
		       "\"role\":\"first_frame\",\"provider_handle\":\"asset-2\"}]",
		       "{\"type\":\"image\",\"voice_id\":\"v\",\"script\":\"hi\","
		       "\"image\":{\"type\":\"asset_id\",\"asset_id\":\"asset-2\"}}");
}

static void avatars_act_by_a_prompt(void **state)
{
	(void)state;
	assert_submits("cinematic", "T", "\"prompt\":\"p\",\"avatar_id\":\"a\"",
		       "{\"type\":\"cinematic_avatar\",\"prompt\":\"p\",\"avatar_id\":[\"a\"]}");
	assert_submits("cinematic", NULL,
		       "\"prompt\":\"p\",\"duration_ms\":4000,\"aspect_ratio\":\"1:1\",\"resolution\":\"1080p\","
		       "\"prompt_rewrite\":\"on\",\"extras\":{\"avatar_id\":[\"a\",\"b\"]}",
		       "{\"type\":\"cinematic_avatar\",\"prompt\":\"p\",\"avatar_id\":[\"a\",\"b\"],\"duration\":4,"
		       "\"aspect_ratio\":\"1:1\",\"resolution\":\"1080p\",\"enhance_prompt\":true}");
	assert_submits("cinematic", NULL,
		       "\"prompt\":\"p\",\"avatar_id\":\"a\",\"prompt_rewrite\":\"off\","
		       "\"extras\":{\"auto_duration\":true}",
		       "{\"type\":\"cinematic_avatar\",\"prompt\":\"p\",\"avatar_id\":[\"a\"],"
		       "\"enhance_prompt\":false,\"auto_duration\":true}");
}

static void an_acting_avatar_goes_by_its_references_in_their_order(void **state)
{
	(void)state;
	assert_submits("cinematic", NULL,
		       "\"prompt\":\"p\",\"avatar_id\":\"a\",\"media\":["
		       "{\"kind\":\"video\",\"role\":\"reference\",\"url\":\"https://a.example/v.mp4\"},"
		       "{\"kind\":\"image\",\"role\":\"reference\",\"provider_handle\":\"asset-1\"},"
		       "{\"kind\":\"audio\",\"role\":\"reference\",\"url\":\"https://a.example/a.mp3\"}]",
		       "{\"type\":\"cinematic_avatar\",\"prompt\":\"p\",\"avatar_id\":[\"a\"],\"references\":["
		       "{\"type\":\"url\",\"url\":\"https://a.example/v.mp4\"},"
		       "{\"type\":\"asset_id\",\"asset_id\":\"asset-1\"},"
		       "{\"type\":\"url\",\"url\":\"https://a.example/a.mp3\"}]}");
}

static void a_video_is_generated_on_a_path_of_its_own(void **state)
{
	_cleanup_(plugin_answer_freep) struct plugin_answer *answer = submit("heygen-video-1", "T", "\"prompt\":\"p\"",
									     NULL);

	(void)state;
	assert_int_equal(answer->kind, PLUGIN_ANSWER_EXCHANGE);
	assert_int_equal(answer->exchange.effect, PLUGIN_EFFECT_BUYS_WITH_KEY);
	assert_string_equal(answer->exchange.url, "http://127.0.0.1:9/v3/models/videos");
	assert_string_equal(rig_header(answer, "Idempotency-Key")->value, RIG_KEY);
	rig_assert_body(answer, "{\"model\":\"heygen-video-1\",\"mode\":\"text_to_video\",\"prompt\":\"p\","
				"\"duration\":5,\"resolution\":\"768p\",\"aspect_ratio\":\"16:9\"}");
	rig_assert_json(answer->state, "{\"path\":\"/v3/models/videos\",\"title\":\"\",\"mark\":\"" RIG_KEY "\"}");
}

static void a_generated_videos_mode_follows_from_its_inputs(void **state)
{
	(void)state;
	assert_submits("heygen-video-1", NULL,
		       "\"prompt\":\"p\",\"seed\":0,\"prompt_rewrite\":\"off\",\"duration_ms\":15000,\"media\":["
		       "{\"kind\":\"image\",\"role\":\"first_frame\",\"url\":\"https://a.example/f.png\"}]",
		       "{\"model\":\"heygen-video-1\",\"mode\":\"image_to_video\",\"prompt\":\"p\",\"duration\":15,"
		       "\"resolution\":\"768p\",\"seed\":0,\"prompt_enhancement\":\"disabled\","
		       "\"image\":{\"type\":\"url\",\"url\":\"https://a.example/f.png\"}}");
	assert_submits("heygen-video-1", NULL,
		       "\"prompt\":\"p\",\"resolution\":\"480p\",\"seed\":4294967295,\"prompt_rewrite\":\"on\","
		       "\"media\":["
		       "{\"kind\":\"audio\",\"role\":\"reference\",\"provider_handle\":\"a\"},"
		       "{\"kind\":\"image\",\"role\":\"reference\",\"provider_handle\":\"i\"},"
		       "{\"kind\":\"video\",\"role\":\"reference\",\"provider_handle\":\"v\"}]",
		       "{\"model\":\"heygen-video-1\",\"mode\":\"reference_to_video\",\"prompt\":\"p\",\"duration\":5,"
		       "\"resolution\":\"480p\",\"aspect_ratio\":\"adaptive\",\"seed\":4294967295,"
		       "\"prompt_enhancement\":\"turbo\","
		       "\"reference_images\":[{\"type\":\"asset_id\",\"asset_id\":\"i\"}],"
		       "\"reference_videos\":[{\"type\":\"asset_id\",\"asset_id\":\"v\"}],"
		       "\"reference_audio\":[{\"type\":\"asset_id\",\"asset_id\":\"a\"}]}");
}

static void a_sound_alone_is_refused_before_anything_is_sent(void **state)
{
	_cleanup_(plugin_answer_freep) struct plugin_answer *answer = submit(
		"heygen-video-1", NULL,
		"\"prompt\":\"p\",\"media\":[{\"kind\":\"audio\",\"role\":\"reference\",\"provider_handle\":\"a\"}]",
		NULL);

	(void)state;
	rig_assert_failure(answer, PLUGIN_ANSWER_FAILED, PLUGIN_REASON_INVALID_INPUT, PLUGIN_BOUGHT_NONE);
	assert_string_equal(answer->failure.field, "/parameters/media");
}

/* Version 1 of the state knew one path and did not name it. */
static void a_submit_that_an_older_plugin_began_is_repeated_as_it_was(void **state)
{
	_cleanup_(plugin_answer_freep) struct plugin_answer *answer = submit("avatar", "Two", "\"avatar_id\":\"a\"",
									     "{\"title\":\"One\"}");

	(void)state;
	assert_string_equal(answer->exchange.url, "http://127.0.0.1:9/v3/videos");
	rig_assert_body(answer, "{\"type\":\"avatar\",\"avatar_id\":\"a\",\"title\":\"One\"}");
	assert_null(answer->state);
}

static void what_follows_the_picture_is_auto_there(void **state)
{
	(void)state;
	assert_submits("avatar", NULL, "\"avatar_id\":\"a\",\"aspect_ratio\":\"adaptive\"",
		       "{\"type\":\"avatar\",\"avatar_id\":\"a\",\"aspect_ratio\":\"auto\"}");
}

static void a_background_is_a_colour_or_a_picture(void **state)
{
	(void)state;
	assert_submits("avatar", NULL, "\"avatar_id\":\"a\",\"background\":{\"color\":\"#00ff00\"}",
		       "{\"type\":\"avatar\",\"avatar_id\":\"a\","
		       "\"background\":{\"type\":\"color\",\"value\":\"#00ff00\"}}");
	assert_submits("avatar", NULL,
		       "\"avatar_id\":\"a\",\"background\":{\"media\":{\"url\":\"https://a.example/b.png\"}}",
		       "{\"type\":\"avatar\",\"avatar_id\":\"a\","
		       "\"background\":{\"type\":\"image\",\"url\":\"https://a.example/b.png\"}}");
	assert_submits("avatar", NULL,
		       "\"avatar_id\":\"a\",\"background\":{\"media\":{\"provider_handle\":\"asset-3\"}}",
		       "{\"type\":\"avatar\",\"avatar_id\":\"a\","
		       "\"background\":{\"type\":\"image\",\"asset_id\":\"asset-3\"}}");
}

static void extras_go_where_heygen_has_them(void **state)
{
	(void)state;
	assert_submits("avatar", NULL,
		       "\"avatar_id\":\"a\",\"extras\":{\"engine\":{\"type\":\"avatar_v\"},\"output_format\":\"webm\","
		       "\"voice_settings\":{\"speed\":1.25}}",
		       "{\"type\":\"avatar\",\"avatar_id\":\"a\",\"engine\":{\"type\":\"avatar_v\"},"
		       "\"output_format\":\"webm\",\"voice_settings\":{\"speed\":1.25}}");
}

static void extras_cannot_replace_what_a_parameter_says(void **state)
{
	_cleanup_(plugin_answer_freep) struct plugin_answer *answer = submit(
		"avatar", NULL, "\"avatar_id\":\"a\",\"extras\":{\"avatar_id\":\"other\"}", NULL);

	(void)state;
	assert_int_equal(answer->kind, PLUGIN_ANSWER_FAILED);
	assert_int_equal(answer->failure.reason, PLUGIN_REASON_INVALID_INPUT);
}

static void a_prompt_that_names_a_secret_is_just_a_prompt(void **state)
{
	_cleanup_(plugin_answer_freep) struct plugin_answer *answer = submit(
		"avatar", "{secret:api_key}", "\"avatar_id\":\"a\",\"script\":{\"text\":\"say {secret:api_key}\"}",
		NULL);

	(void)state;
	rig_assert_body(answer, "{\"type\":\"avatar\",\"avatar_id\":\"a\",\"script\":\"say {secret:api_key}\","
				"\"title\":\"{secret:api_key} " RIG_KEY "\"}");
	assert_null(memmem(answer->exchange.body.data, answer->exchange.body.len, RIG_SECRET, strlen(RIG_SECRET)));
}

/* The title may be edited while the send is undecided; a repetition must be the same request. */
static void a_repetition_keeps_the_title_it_was_first_sent_with(void **state)
{
	static const char order[] = "\"avatar_id\":\"a\"";
	_cleanup_(plugin_answer_freep) struct plugin_answer *first = submit("avatar", "One", order, NULL);
	_cleanup_(plugin_answer_freep) struct plugin_answer *again = submit("avatar", "Two", order, first->state);
	_cleanup_(plugin_answer_freep) struct plugin_answer *bare = submit("avatar", NULL, order, "{}");
	_cleanup_(plugin_answer_freep) struct plugin_answer *named = submit("avatar", "Two", order, bare->state);

	(void)state;
	assert_non_null(first->state);
	rig_assert_body(again, "{\"type\":\"avatar\",\"avatar_id\":\"a\",\"title\":\"One " RIG_KEY "\"}");
	assert_memory_equal(&first->exchange.fingerprint, &again->exchange.fingerprint, sizeof(struct digest));
	rig_assert_body(named, "{\"type\":\"avatar\",\"avatar_id\":\"a\",\"title\":\"" RIG_KEY "\"}");
	assert_memory_equal(&bare->exchange.fingerprint, &named->exchange.fingerprint, sizeof(struct digest));
}

/* What was refused was another purchase, and bears another key: the list must not show it for this one. */
static void another_purchase_bears_its_own_key_and_the_title_of_now(void **state)
{
	static const char kept[] = "{\"path\":\"/v3/videos\",\"mark\":\"fg-old\",\"title\":\"One fg-old\"}";
	_cleanup_(plugin_answer_freep) struct plugin_answer *answer = submit("avatar", "Two", "\"avatar_id\":\"a\"",
									     kept);

	(void)state;
	rig_assert_body(answer, "{\"type\":\"avatar\",\"avatar_id\":\"a\",\"title\":\"Two " RIG_KEY "\"}");
	rig_assert_json(answer->state,
			"{\"path\":\"/v3/videos\",\"mark\":\"" RIG_KEY "\",\"title\":\"Two " RIG_KEY "\"}");
}

static void a_long_title_is_cut_and_the_key_is_not(void **state)
{
	char title[256], body[512];
	struct plugin_answer *answer;

	(void)state;
	memset(title, 'x', 255);
	title[255] = '\0';
	answer = submit("avatar", title, "\"avatar_id\":\"a\"", NULL);
	snprintf(body, sizeof(body), "{\"type\":\"avatar\",\"avatar_id\":\"a\",\"title\":\"%.48s %s\"}", title,
		 RIG_KEY);
	rig_assert_body(answer, body);
	plugin_answer_free(answer);
}

static void a_video_id_is_an_accepted_order(void **state)
{
	static const char *const bodies[] = {
		"{\"data\":{\"video_id\":\"v_1\",\"status\":\"waiting\",\"output_format\":\"mp4\"}}",
		"{\"error\":null,\"data\":{\"video_id\":\"v_1\"}}",
		"{\"data\":{\"video_id\":\"v_1\",\"status\":\"waiting\"},\"error\":{\"code\":\"trial_limit_exceeded\"}}",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
		_cleanup_(plugin_answer_freep) struct plugin_answer *answer = rig_reply(PLUGIN_VERB_START, NULL,
											i ? 201 : 200, bodies[i]);

		assert_int_equal(answer->kind, PLUGIN_ANSWER_ACCEPTED);
		assert_int_equal(answer->accepted.n_remotes, 1);
		assert_string_equal(answer->accepted.remotes[0].id, "v_1");
		assert_string_equal(answer->accepted.remotes[0].kind, "video");
		assert_string_equal(answer->accepted.status, i == 1 ? "" : "waiting");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_submit_buys_with_the_key_of_the_step, rig_reset),
		cmocka_unit_test_setup(an_avatar_speaks_a_script, rig_reset),
		cmocka_unit_test_setup(an_avatar_speaks_along_with_a_recording, rig_reset),
		cmocka_unit_test_setup(a_photo_speaks, rig_reset),
		cmocka_unit_test_setup(avatars_act_by_a_prompt, rig_reset),
		cmocka_unit_test_setup(an_acting_avatar_goes_by_its_references_in_their_order, rig_reset),
		cmocka_unit_test_setup(a_video_is_generated_on_a_path_of_its_own, rig_reset),
		cmocka_unit_test_setup(a_generated_videos_mode_follows_from_its_inputs, rig_reset),
		cmocka_unit_test_setup(a_sound_alone_is_refused_before_anything_is_sent, rig_reset),
		cmocka_unit_test_setup(a_submit_that_an_older_plugin_began_is_repeated_as_it_was, rig_reset),
		cmocka_unit_test_setup(what_follows_the_picture_is_auto_there, rig_reset),
		cmocka_unit_test_setup(a_background_is_a_colour_or_a_picture, rig_reset),
		cmocka_unit_test_setup(extras_go_where_heygen_has_them, rig_reset),
		cmocka_unit_test_setup(extras_cannot_replace_what_a_parameter_says, rig_reset),
		cmocka_unit_test_setup(a_prompt_that_names_a_secret_is_just_a_prompt, rig_reset),
		cmocka_unit_test_setup(a_repetition_keeps_the_title_it_was_first_sent_with, rig_reset),
		cmocka_unit_test_setup(another_purchase_bears_its_own_key_and_the_title_of_now, rig_reset),
		cmocka_unit_test_setup(a_long_title_is_cut_and_the_key_is_not, rig_reset),
		cmocka_unit_test_setup(a_video_id_is_an_accepted_order, rig_reset),
	};

	return cmocka_run_group_tests_name("heygen.submit", tests, rig_set_up, rig_tear_down);
}
