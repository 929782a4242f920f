/* Which orders the manifest lets through. Needs no plugin code: the manifest is the judge. */
#include "job/validate.h"

#include "base/err.h"
#include "manifests.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static struct job_capabilities *capabilities;

static int take_manifest(void **state)
{
	(void)state;
	return manifest_read("heygen", &capabilities);
}

static int drop_manifest(void **state)
{
	(void)state;
	capabilities = job_capabilities_free(capabilities);
	return 0;
}

static void accept(const char *model, const char *parameters)
{
	struct job_verdict verdict;
	int r = job_validate(capabilities, model, bytes_of_text(parameters), JOB_VALIDATE_STRICT, &verdict);

	if (verdict.n_violations)
		fail_msg("%s %s", verdict.violations[0].field, verdict.violations[0].text);
	assert_int_equal(r, 0);
	job_verdict_finish(&verdict);
}

static void refuse(const char *model, const char *parameters, const char *field, const char *words)
{
	struct job_verdict verdict;
	int r = job_validate(capabilities, model, bytes_of_text(parameters), JOB_VALIDATE_STRICT, &verdict);

	assert_int_equal(r, JOB_VALIDATE_E_VIOLATED);
	if (verdict.n_violations != 1 || strcmp(verdict.violations[0].field, field) != 0 ||
	    !strstr(verdict.violations[0].text, words))
		fail_msg("%zu: %s %s", verdict.n_violations, verdict.violations[0].field, verdict.violations[0].text);
	job_verdict_finish(&verdict);
}

#define AVATAR "\"avatar_id\":\"a\",\"script\":{\"text\":\"hi\"}"
#define PHOTO "\"voice_id\":\"v\",\"script\":{\"text\":\"hi\"}"
#define SOURCE "{\"kind\":\"image\",\"role\":\"source\",\"url\":\"https://a.example/p.png\"}"
#define FIRST "{\"kind\":\"image\",\"role\":\"first_frame\",\"provider_handle\":\"asset\"}"

static void an_avatar_needs_an_id_and_words_or_a_recording(void **state)
{
	(void)state;
	accept("avatar", "{" AVATAR "}");
	accept("avatar", "{\"avatar_id\":\"a\",\"script\":{\"audio\":{\"url\":\"https://a.example/a.wav\"}}}");
	accept("avatar", "{\"avatar_id\":\"a\",\"script\":{\"audio\":{\"asset\":\"assets/"
			 "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\"}}}");
	refuse("avatar", "{\"script\":{\"text\":\"hi\"}}", "parameters.avatar_id", "is missing");
	refuse("avatar", "{\"avatar_id\":\"a\"}", "parameters.script.audio", "set script.text or script.audio");
	refuse("avatar", "{" AVATAR ",\"prompt\":\"a cat\"}", "parameters.prompt",
	       "is not taken; 'avatar' takes avatar_id");
}

static void a_photo_needs_one_picture_and_a_voice(void **state)
{
	(void)state;
	accept("image", "{" PHOTO ",\"media\":[" SOURCE "]}");
	accept("image", "{" PHOTO ",\"media\":[" FIRST "]}");
	accept("image", "{\"script\":{\"audio\":{\"provider_handle\":\"x\"}},\"media\":[" SOURCE "]}");
	refuse("image", "{" PHOTO "}", "parameters.media", "a photo is needed");
	refuse("image", "{" PHOTO ",\"media\":[" SOURCE "," FIRST "]}", "parameters.media", "one photo only");
	refuse("image", "{\"script\":{\"text\":\"hi\"},\"media\":[" SOURCE "]}", "parameters.voice_id",
	       "a photo has no voice of its own");
	refuse("image", "{" PHOTO ",\"media\":[" SOURCE "],\"avatar_id\":\"a\"}", "parameters.avatar_id",
	       "is not taken");
}

static void the_picture_is_of_the_sizes_that_heygen_makes(void **state)
{
	(void)state;
	accept("avatar", "{" AVATAR ",\"resolution\":\"4k\",\"aspect_ratio\":\"adaptive\"}");
	refuse("avatar", "{" AVATAR ",\"resolution\":\"480p\"}", "parameters.resolution", "'720p', '1080p' or '4k'");
	refuse("avatar", "{" AVATAR ",\"aspect_ratio\":\"21:9\"}", "parameters.aspect_ratio", "is '21:9'");
	refuse("avatar", "{" AVATAR ",\"duration_ms\":5000}", "parameters.duration_ms", "is not taken");
}

static void a_script_has_5000_characters_at_most(void **state)
{
	struct buffer order = {0};

	(void)state;
	assert_int_equal(buffer_append_text(&order, "{\"avatar_id\":\"a\",\"script\":{\"text\":\""), 0);
	for (int i = 0; i < 5000; i++)
		assert_int_equal(buffer_append_text(&order, "ß"), 0);
	assert_int_equal(buffer_append_text(&order, "\"}}"), 0);
	accept("avatar", order.data);
	order.len -= 3;
	assert_int_equal(buffer_append_text(&order, "!\"}}"), 0);
	refuse("avatar", order.data, "parameters.script.text", "has 5001 characters; 'avatar' takes 1 to 5000");
	buffer_finish(&order);
}

static void extras_that_do_not_go_together_are_refused(void **state)
{
	(void)state;
	accept("avatar",
	       "{" AVATAR ",\"extras\":{\"engine\":{\"type\":\"avatar_v\",\"reference_look_id\":\"l\"},"
	       "\"voice_settings\":{\"speed\":1.5,\"engine_settings\":{\"engine_type\":\"fish\",\"model\":\"s1\"}},"
	       "\"caption\":{\"style\":\"default\"},\"fit\":\"cover\",\"remove_background\":true}}");
	refuse("avatar", "{" AVATAR ",\"background\":{\"color\":\"#ffffff\"},\"extras\":{\"output_format\":\"webm\"}}",
	       "parameters.background", "webm has a transparent background");
	refuse("avatar", "{" AVATAR ",\"extras\":{\"engine\":{\"type\":\"avatar_v\"},\"expressiveness\":\"high\"}}",
	       "parameters.extras.expressiveness", "belongs to the engine avatar_iv");
	refuse("avatar", "{" AVATAR ",\"extras\":{\"engine\":{\"type\":\"avatar_iv\",\"reference_look_id\":\"l\"}}}",
	       "parameters.extras.engine.reference_look_id", "belongs to the engine avatar_v");
	refuse("avatar", "{" AVATAR ",\"extras\":{\"voice_settings\":{\"speed\":2}}}",
	       "parameters.extras.voice_settings.speed", "is 2; 'avatar' takes 0.5 to 1.5");
	refuse("avatar", "{" AVATAR ",\"extras\":{\"callback_url\":\"https://a.example\"}}",
	       "parameters.extras.callback_url", "is not known");
	refuse("image", "{" PHOTO ",\"media\":[" SOURCE "],\"extras\":{\"engine\":{\"type\":\"avatar_v\"}}}",
	       "parameters.extras.engine", "is not known");
}

static void a_member_that_a_parameter_writes_is_closed_to_extras(void **state)
{
	static const char *const names[] = {"type", "avatar_id", "script", "audio_url", "title", "background", "image"};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char order[200], field[80];

		snprintf(order, sizeof(order), "{" AVATAR ",\"extras\":{\"%s\":\"x\"}}", names[i]);
		snprintf(field, sizeof(field), "parameters.extras.%s", names[i]);
		refuse("avatar", order, field, "is not known");
	}
}

#define ACTS "\"prompt\":\"p\",\"avatar_id\":\"a\""
#define REFERENCE(kind) "{\"kind\":\"" kind "\",\"role\":\"reference\",\"url\":\"https://a.example/r\"}"

static void an_acting_avatar_needs_a_prompt_and_one_to_three_looks(void **state)
{
	(void)state;
	accept("cinematic", "{" ACTS "}");
	accept("cinematic", "{\"prompt\":\"p\",\"extras\":{\"avatar_id\":[\"a\",\"b\",\"c\"]}}");
	refuse("cinematic", "{\"avatar_id\":\"a\"}", "parameters.prompt", "is missing");
	refuse("cinematic", "{\"prompt\":\"p\"}", "parameters.extras.avatar_id", "somebody must act");
	refuse("cinematic", "{" ACTS ",\"extras\":{\"avatar_id\":[\"b\"]}}", "parameters.extras.avatar_id",
	       "named twice");
	refuse("cinematic", "{\"prompt\":\"p\",\"extras\":{\"avatar_id\":[\"a\",\"b\",\"c\",\"d\"]}}",
	       "parameters.extras.avatar_id", "3");
	refuse("cinematic", "{" ACTS ",\"script\":{\"text\":\"hi\"}}", "parameters.script.text", "is not taken");
}

static void an_acting_avatar_is_as_long_and_as_large_as_heygen_makes_it(void **state)
{
	(void)state;
	accept("cinematic", "{" ACTS ",\"duration_ms\":4000,\"resolution\":\"1080p\",\"aspect_ratio\":\"1:1\"}");
	accept("cinematic", "{" ACTS ",\"duration_ms\":15000,\"prompt_rewrite\":\"on\"}");
	accept("cinematic", "{" ACTS ",\"extras\":{\"auto_duration\":true}}");
	refuse("cinematic", "{" ACTS ",\"duration_ms\":3000}", "parameters.duration_ms", "4000");
	refuse("cinematic", "{" ACTS ",\"duration_ms\":16000}", "parameters.duration_ms", "15000");
	refuse("cinematic", "{" ACTS ",\"duration_ms\":4500}", "parameters.duration_ms", "1000");
	refuse("cinematic", "{" ACTS ",\"resolution\":\"4k\"}", "parameters.resolution", "'720p' or '1080p'");
	refuse("cinematic", "{" ACTS ",\"aspect_ratio\":\"4:5\"}", "parameters.aspect_ratio", "is '4:5'");
	refuse("cinematic", "{" ACTS ",\"duration_ms\":5000,\"extras\":{\"auto_duration\":true}}",
	       "parameters.duration_ms", "lets HeyGen choose the length");
}

static void references_are_counted_by_kind(void **state)
{
	(void)state;
	accept("cinematic", "{" ACTS ",\"media\":[" REFERENCE("video") "," REFERENCE("video") "," REFERENCE(
				    "video") "," REFERENCE("image") "," REFERENCE("audio") "]}");
	refuse("cinematic",
	       "{" ACTS ",\"media\":[" REFERENCE("video") "," REFERENCE("video") "," REFERENCE("video") "," REFERENCE(
		       "video") "]}",
	       "parameters.media", "takes at most 3");
}

#define FRAME "{\"kind\":\"image\",\"role\":\"first_frame\",\"url\":\"https://a.example/f.png\"}"

static void a_generated_video_has_one_of_three_modes(void **state)
{
	(void)state;
	accept("heygen-video-1", "{\"prompt\":\"p\"}");
	accept("heygen-video-1", "{\"prompt\":\"p\",\"media\":[" FRAME "]}");
	accept("heygen-video-1", "{\"prompt\":\"p\",\"media\":[" REFERENCE("image") "," REFERENCE("audio") "]}");
	refuse("heygen-video-1", "{\"seed\":1}", "parameters.prompt", "is missing");
	refuse("heygen-video-1", "{\"prompt\":\"p\",\"media\":[" FRAME "," REFERENCE("image") "]}", "parameters.media",
	       "do not go together");
	refuse("heygen-video-1", "{\"prompt\":\"p\",\"media\":[" FRAME "," FRAME "]}", "parameters.media",
	       "takes at most 1");
	refuse("heygen-video-1", "{\"prompt\":\"p\",\"seed\":4294967296}", "parameters.seed", "4294967295");
	refuse("heygen-video-1",
	       "{\"prompt\":\"p\",\"prompt_rewrite\":\"off\",\"extras\":{\"prompt_enhancement\":\"quality\"}}",
	       "parameters.extras.prompt_enhancement", "said twice");
}

static void a_generated_videos_shape_fits_its_mode_and_size(void **state)
{
	(void)state;
	accept("heygen-video-1", "{\"prompt\":\"p\",\"resolution\":\"2k\",\"aspect_ratio\":\"9:16\"}");
	accept("heygen-video-1", "{\"prompt\":\"p\",\"resolution\":\"1080p\"}");
	accept("heygen-video-1", "{\"prompt\":\"p\",\"resolution\":\"1080p\",\"media\":[" FRAME "]}");
	accept("heygen-video-1", "{\"prompt\":\"p\",\"aspect_ratio\":\"adaptive\",\"media\":[" REFERENCE("video") "]}");
	refuse("heygen-video-1", "{\"prompt\":\"p\",\"resolution\":\"720p\"}", "parameters.resolution", "'768p'");
	refuse("heygen-video-1", "{\"prompt\":\"p\",\"duration_ms\":4000}", "parameters.duration_ms", "5000");
	refuse("heygen-video-1", "{\"prompt\":\"p\",\"aspect_ratio\":\"adaptive\"}", "parameters.media",
	       "follows references");
	refuse("heygen-video-1", "{\"prompt\":\"p\",\"resolution\":\"2k\",\"aspect_ratio\":\"1:1\"}",
	       "parameters.aspect_ratio", "16:9 and 9:16 only");
	refuse("heygen-video-1", "{\"prompt\":\"p\",\"aspect_ratio\":\"1:1\",\"media\":[" FRAME "]}",
	       "parameters.aspect_ratio", "the first frame decides");
	refuse("heygen-video-1", "{\"prompt\":\"p\",\"resolution\":\"2k\",\"media\":[" REFERENCE("video") "]}",
	       "parameters.aspect_ratio", "not adaptive");
}

static void a_generated_video_goes_by_twelve_references_at_most(void **state)
{
	struct buffer order = {0};

	(void)state;
	buffer_append_text(&order, "{\"prompt\":\"p\",\"media\":[");
	for (int i = 0; i < 9; i++)
		buffer_append_text(&order, REFERENCE("image") ",");
	buffer_append_text(&order, REFERENCE("video") "," REFERENCE("video") "," REFERENCE("video") "]}");
	accept("heygen-video-1", order.data);
	order.len -= 2;
	buffer_append_text(&order, "," REFERENCE("audio") "]}");
	refuse("heygen-video-1", order.data, "parameters.media", "at most 12 references");
	buffer_finish(&order);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_avatar_needs_an_id_and_words_or_a_recording),
		cmocka_unit_test(a_photo_needs_one_picture_and_a_voice),
		cmocka_unit_test(the_picture_is_of_the_sizes_that_heygen_makes),
		cmocka_unit_test(a_script_has_5000_characters_at_most),
		cmocka_unit_test(extras_that_do_not_go_together_are_refused),
		cmocka_unit_test(a_member_that_a_parameter_writes_is_closed_to_extras),
		cmocka_unit_test(an_acting_avatar_needs_a_prompt_and_one_to_three_looks),
		cmocka_unit_test(an_acting_avatar_is_as_long_and_as_large_as_heygen_makes_it),
		cmocka_unit_test(references_are_counted_by_kind),
		cmocka_unit_test(a_generated_video_has_one_of_three_modes),
		cmocka_unit_test(a_generated_videos_shape_fits_its_mode_and_size),
		cmocka_unit_test(a_generated_video_goes_by_twelve_references_at_most),
	};

	return cmocka_run_group_tests_name("heygen.orders", tests, take_manifest, drop_manifest);
}
