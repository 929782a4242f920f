/*
 * Inputs of the user's own: both surfaces take them inside the order, each with its own words.
 */
#include "veo/rig.h"

#include "base/err.h"

static const struct plugin_asset assets[] = {
	{.name = "assets/1", .media_type = "image/png", .size_bytes = 20971520},
	{.name = "assets/2", .media_type = "image/webp", .size_bytes = 5},
	{.name = "assets/3", .media_type = "video/quicktime", .size_bytes = 5},
	{.name = "assets/4", .media_type = "image/gif", .size_bytes = 5},
};

static int reset(void **state)
{
	rig_reset(state);
	rig.assets = assets;
	rig.n_assets = 4;
	return 0;
}

static struct plugin_answer *order(struct plugin_account *account, const char *media)
{
	char parameters[1000];
	_cleanup_(freep) char *job = NULL;

	snprintf(parameters, sizeof(parameters), "\"prompt\":\"a cat\",\"media\":[%s]", media);
	job = rig_job(RIG_MODEL, parameters);
	rig.account = account;
	return rig_begin(PLUGIN_VERB_START, job);
}

#define ASSET(kind, role, n) "{\"kind\":\"" kind "\",\"role\":\"" role "\",\"asset\":\"assets/" n "\"}"
#define BYTES(n, type) "{\"bytesBase64Encoded\":\"{assets/" n "}\",\"mimeType\":\"" type "\"}"
#define VERTEX "\"parameters\":{\"generateAudio\":true,\"storageUri\":\"gs://bucket/films/" RIG_JOB "/\"}}"

static void frames_go_inside_the_order(void **state)
{
	static const char media[] = ASSET("image", "first_frame", "1") "," ASSET("image", "last_frame", "2");
	_cleanup_(plugin_answer_freep) struct plugin_answer *vertex = order(rig.vertex, media);
	_cleanup_(plugin_answer_freep) struct plugin_answer *gemini = order(rig.gemini, media);

	(void)state;
	rig_assert_inline(vertex, "{\"instances\":[{\"prompt\":\"a cat\",\"image\":" BYTES(
					  "1", "image/png") ","
							    "\"lastFrame\":" BYTES("2", "image/webp") "}]," VERTEX);
	rig_assert_inline(gemini, "{\"instances\":[{\"prompt\":\"a cat\",\"image\":" BYTES(
					  "1", "image/png") ","
							    "\"lastFrame\":" BYTES("2", "image/webp") "}]}");
}

static void references_go_inside_beside_those_of_a_bucket(void **state)
{
	_cleanup_(plugin_answer_freep) struct plugin_answer *answer = order(
		rig.vertex, ASSET("image", "reference", "1") ",{\"kind\":\"image\",\"role\":\"reference\","
							     "\"provider_handle\":\"gs://in/b.png\"}");

	(void)state;
	rig_assert_inline(answer,
			  "{\"instances\":[{\"prompt\":\"a cat\",\"referenceImages\":[{\"image\":" BYTES(
				  "1",
				  "image/png") ",\"referenceType\":\"asset\"},"
					       "{\"image\":{\"gcsUri\":\"gs://in/b.png\",\"mimeType\":\"image/png\"},"
					       "\"referenceType\":\"asset\"}]}]," VERTEX);
}

static void a_video_that_goes_on_has_other_words_at_the_gemini_api(void **state)
{
	_cleanup_(plugin_answer_freep) struct plugin_answer *vertex = order(rig.vertex, ASSET("video", "source", "3"));
	_cleanup_(plugin_answer_freep) struct plugin_answer *gemini = order(rig.gemini, ASSET("video", "source", "3"));

	(void)state;
	rig_assert_inline(vertex,
			  "{\"instances\":[{\"prompt\":\"a cat\",\"video\":" BYTES("3", "video/mov") "}]," VERTEX);
	rig_assert_inline(gemini, "{\"instances\":[{\"prompt\":\"a cat\",\"video\":{\"encodedVideo\":\"{assets/3}\","
				  "\"encoding\":\"video/mov\"}}]}");
}

static void assert_refused(struct plugin_answer *take, const char *words)
{
	_cleanup_(plugin_answer_freep) struct plugin_answer *answer = take;

	rig_assert_failure(answer, PLUGIN_ANSWER_FAILED, PLUGIN_REASON_INVALID_INPUT, PLUGIN_BOUGHT_NONE);
	if (!strstr(answer->failure.message, words))
		fail_msg("'%s' does not say '%s'", answer->failure.message, words);
}

static void what_veo_does_not_take_is_refused_with_the_way_out(void **state)
{
	(void)state;
	assert_refused(order(rig.vertex, ASSET("image", "first_frame", "4")), "PNG, JPEG or WebP");
	assert_refused(order(rig.gemini, ASSET("image", "first_frame", "9")), "no such asset any more");
	assert_refused(order(rig.gemini,
			     "{\"kind\":\"image\",\"role\":\"first_frame\",\"provider_handle\":\"gs://b/a.png\"}"),
		       "uploaded files only");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(frames_go_inside_the_order, reset),
		cmocka_unit_test_setup(references_go_inside_beside_those_of_a_bucket, reset),
		cmocka_unit_test_setup(a_video_that_goes_on_has_other_words_at_the_gemini_api, reset),
		cmocka_unit_test_setup(what_veo_does_not_take_is_refused_with_the_way_out, reset),
	};

	return cmocka_run_group_tests_name("veo.inline", tests, rig_set_up, rig_tear_down);
}
