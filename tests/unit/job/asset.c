#include "job/asset.h"

#include "base/err.h"
#include "job/validate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

#define DIGITS "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define NAME "assets/" DIGITS

static const char manifest[] = "{\"name\":\"test\",\"models\":[{\"name\":\"clip-1\",\"parameters\":{"
			       "\"script.audio\":{\"forms\":[\"url\",\"asset\"],\"media_types\":[\"audio/mpeg\"]},"
			       "\"background.media\":{\"forms\":[\"asset\"]}},"
			       "\"media\":[{\"role\":\"first_frame\",\"kind\":\"image\",\"forms\":[\"url\",\"asset\"],"
			       "\"media_types\":[\"image/png\",\"image/jpeg\"],\"max_bytes\":1000},"
			       "{\"role\":\"last_frame\",\"kind\":\"image\"},"
			       "{\"role\":\"source\",\"kind\":\"video\",\"forms\":[\"url\"]}]}]}";

static struct job_capabilities *capabilities;

static int take_manifest(void **state)
{
	struct errmsg error = {0};

	(void)state;
	if (job_capabilities_new(bytes_of_text(manifest), &capabilities, &error) == 0)
		return 0;
	print_error("%s\n", error.text);
	return -1;
}

static int drop_manifest(void **state)
{
	(void)state;
	capabilities = job_capabilities_free(capabilities);
	return 0;
}

static struct job_verdict judge(const char *parameters)
{
	struct job_verdict verdict;

	job_validate(capabilities, "clip-1", bytes_of_text(parameters), JOB_VALIDATE_STRICT, &verdict);
	return verdict;
}

/* Exactly one violation. */
static void assert_verdict(struct job_verdict *verdict, const char *field, const char *words)
{
	for (size_t i = 0; i < verdict->n_violations; i++)
		if (verdict->n_violations != 1 || strcmp(verdict->violations[i].field, field) != 0 ||
		    !strstr(verdict->violations[i].text, words))
			print_error("%s %s\n", verdict->violations[i].field, verdict->violations[i].text);
	assert_int_equal(verdict->n_violations, 1);
	assert_string_equal(verdict->violations[0].field, field);
	assert_non_null(strstr(verdict->violations[0].text, words));
	job_verdict_finish(verdict);
}

static void assert_refused(const char *parameters, const char *field, const char *words)
{
	struct job_verdict verdict = judge(parameters);

	assert_verdict(&verdict, field, words);
}

static void names_are_read_as_they_are_written(void **state)
{
	char text[ASSET_NAME_SIZE];
	struct digest digest;

	(void)state;
	assert_true(asset_name_parse(bytes_of_text(NAME), &digest));
	assert_int_equal(digest.bytes[1], 0x11);
	assert_int_equal(digest.bytes[31], 0xff);
	asset_name_format(&digest, text);
	assert_string_equal(text, NAME);
}

static void what_is_no_name_is_refused(void **state)
{
	static const char *const wrong[] = {
		"",
		"assets/",
		DIGITS,
		NAME "0",
		"assets/" DIGITS "/",
		"asset/000112233445566778899aabbccddeeff00112233445566778899aabbccddeeff",
		"assets/00112233445566778899AABBCCDDEEFF00112233445566778899aabbccddeeff",
		"assets/g0112233445566778899aabbccddeeff00112233445566778899aabbccddeeff",
	};
	struct digest digest;

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_false(asset_name_parse(bytes_of_text(wrong[i]), &digest));
}

static void a_kind_is_read_off_the_media_type(void **state)
{
	struct asset asset = {.media_type = "video/quicktime"};

	(void)state;
	assert_int_equal(asset_kind_of(&asset), ASSET_KIND_VIDEO);
	snprintf(asset.media_type, sizeof(asset.media_type), "audio/mp4");
	assert_int_equal(asset_kind_of(&asset), ASSET_KIND_AUDIO);
	snprintf(asset.media_type, sizeof(asset.media_type), "image/gif");
	assert_int_equal(asset_kind_of(&asset), ASSET_KIND_IMAGE);
	assert_string_equal(asset_kind_name(ASSET_KIND_IMAGE), "image");
	assert_string_equal(asset_kind_name(ASSET_KIND_VIDEO), "video");
	assert_string_equal(asset_kind_name(ASSET_KIND_AUDIO), "audio");
}

#define MEDIUM(kind, role, source) "{\"media\":[{\"kind\":\"" kind "\",\"role\":\"" role "\"," source "}]}"

static void the_model_says_where_it_takes_an_asset(void **state)
{
	(void)state;
	assert_refused(MEDIUM("video", "source", "\"asset\":\"" NAME "\""), "parameters.media[0].asset",
		       "is given; 'clip-1' takes 'url' here");
	assert_refused(MEDIUM("image", "last_frame", "\"asset\":\"" NAME "\""), "parameters.media[0].asset",
		       "is given; 'clip-1' takes 'url' or 'provider_handle' here");
	assert_refused(MEDIUM("image", "first_frame", "\"asset\":\"assets/1\""), "parameters.media[0].asset",
		       "is not an asset; write assets/");
	assert_refused(MEDIUM("image", "first_frame", "\"asset\":7"), "parameters.media[0].asset", "is not an asset");
	assert_refused(MEDIUM("image", "first_frame", "\"url\":\"http://a/\",\"asset\":\"" NAME "\""),
		       "parameters.media[0]", "has two sources");
	assert_refused(MEDIUM("image", "first_frame",
			      "\"url\":\"http://a/\",\"provider_handle\":\"x\",\"asset\":\"" NAME "\""),
		       "parameters.media[0]", "has three sources");
}

static void addresses_and_assets_are_noted(void **state)
{
	struct job_verdict verdict = judge("{\"script\":{\"audio\":{\"asset\":\"" NAME "\"}},"
					   "\"media\":[{\"kind\":\"video\",\"role\":\"source\",\"url\":\"http://a/1\"},"
					   "{\"kind\":\"image\",\"role\":\"last_frame\",\"provider_handle\":\"x\"}]}");

	(void)state;
	assert_int_equal(verdict.n_violations, 0);
	assert_int_equal(verdict.n_inputs, 2);
	assert_string_equal(verdict.inputs[0].field, "parameters.script.audio.asset");
	assert_null(verdict.inputs[0].url);
	assert_int_equal(verdict.inputs[0].asset.bytes[1], 0x11);
	assert_string_equal(verdict.inputs[1].field, "parameters.media[0].url");
	assert_string_equal(verdict.inputs[1].url, "http://a/1");
	job_verdict_judge_address(&verdict, &verdict.inputs[1], false, false);
	assert_int_equal(verdict.n_violations, 0);
	job_verdict_judge_address(&verdict, &verdict.inputs[1], true, false);
	assert_verdict(&verdict, "parameters.media[0].url", "leads into a private network");
}

static void check(const char *parameters, const char *media_type, uint64_t size, const char *field, const char *words)
{
	struct job_verdict verdict = judge(parameters);
	struct asset asset = {.size_bytes = size};

	snprintf(asset.media_type, sizeof(asset.media_type), "%s", media_type);
	assert_int_equal(verdict.n_violations, 0);
	assert_int_equal(verdict.n_inputs, 1);
	job_verdict_check_asset(&verdict, &verdict.inputs[0], *media_type ? &asset : NULL);
	if (field) {
		assert_verdict(&verdict, field, words);
		return;
	}
	assert_int_equal(verdict.n_violations, 0);
	job_verdict_finish(&verdict);
}

#define FIRST MEDIUM("image", "first_frame", "\"asset\":\"" NAME "\"")
#define SOUND "{\"script\":{\"audio\":{\"asset\":\"" NAME "\"}}}"
#define BEHIND "{\"background\":{\"media\":{\"asset\":\"" NAME "\"}}}"

static void an_asset_is_held_against_what_the_model_takes(void **state)
{
	(void)state;
	check(FIRST, "image/png", 1000, NULL, NULL);
	check(FIRST, "", 0, "parameters.media[0].asset", "does not exist, or no longer; upload the file first");
	check(FIRST, "image/png", 1001, "parameters.media[0].asset", "has 1001 bytes; 'clip-1' takes at most 1000");
	check(FIRST, "image/webp", 10, "parameters.media[0].asset",
	      "is image/webp; 'clip-1' takes 'image/png' or 'image/jpeg' here");
	check(FIRST, "video/mp4", 10, "parameters.media[0].asset", "is video (video/mp4); the order says 'image'");
	check(SOUND, "audio/mpeg", 1 << 30, NULL, NULL);
	check(SOUND, "audio/wav", 10, "parameters.script.audio.asset", "is audio/wav");
	check(SOUND, "image/png", 10, "parameters.script.audio.asset", "is image (image/png); 'audio' is taken here");
	check(BEHIND, "video/webm", 10, NULL, NULL);
	check(BEHIND, "audio/wav", 10, "parameters.background.media.asset",
	      "is audio (audio/wav); 'image' or 'video' is taken here");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_read_as_they_are_written),
		cmocka_unit_test(what_is_no_name_is_refused),
		cmocka_unit_test(a_kind_is_read_off_the_media_type),
		cmocka_unit_test(the_model_says_where_it_takes_an_asset),
		cmocka_unit_test(addresses_and_assets_are_noted),
		cmocka_unit_test(an_asset_is_held_against_what_the_model_takes),
	};

	return cmocka_run_group_tests_name("job.asset", tests, take_manifest, drop_manifest);
}
