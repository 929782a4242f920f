#include "veo/rig.h"

#include "base/err.h"

#define CAT "\"prompt\":\"a cat\""
#define PLACE "\"generateAudio\":true,\"storageUri\":\"gs://bucket/films/" RIG_JOB "/\""

static struct plugin_answer *submit(const char *parameters)
{
	_cleanup_(freep) char *job = rig_job(RIG_MODEL, parameters);

	return rig_begin(PLUGIN_VERB_START, job);
}

static void assert_submits(const char *parameters, const char *body)
{
	_cleanup_(plugin_answer_freep) struct plugin_answer *answer = submit(parameters);

	rig_assert_body(answer, body);
}

static void assert_refuses(struct plugin_answer *take, const char *words)
{
	rig_assert_failure(take, PLUGIN_ANSWER_FAILED, PLUGIN_REASON_INVALID_INPUT, PLUGIN_BOUGHT_NONE);
	if (!strstr(take->failure.message, words))
		fail_msg("'%s' does not say '%s'", take->failure.message, words);
	plugin_answer_free(take);
}

static void a_submit_buys_and_can_name_no_key(void **state)
{
	_cleanup_(plugin_answer_freep) struct plugin_answer *answer = submit(CAT);

	(void)state;
	assert_int_equal(answer->kind, PLUGIN_ANSWER_EXCHANGE);
	assert_int_equal(answer->exchange.effect, PLUGIN_EFFECT_BUYS);
	assert_string_equal(answer->exchange.method, "POST");
	assert_string_equal(answer->exchange.url, RIG_BASE "/v1/" RIG_RESOURCE ":predictLongRunning");
	assert_string_equal(rig_header(answer, "Authorization")->value, "Bearer " RIG_TOKEN);
	assert_true(rig_header(answer, "Authorization")->is_secret);
	assert_null(rig_header(answer, "Idempotency-Key"));
}

/* The reference calls generateAudio required. The folder of the job is where a lost purchase is looked for. */
static void words_become_a_clip_in_the_jobs_own_folder(void **state)
{
	(void)state;
	assert_submits(CAT, "{\"instances\":[{\"prompt\":\"a cat\"}],\"parameters\":{" PLACE "}}");
}

static void without_a_bucket_none_is_named(void **state)
{
	_cleanup_(plugin_account_freep) struct plugin_account *own = rig_open(RIG_BASE, "\"project\":\"p1\"", true);

	(void)state;
	rig.account = own;
	assert_submits(CAT, "{\"instances\":[{\"prompt\":\"a cat\"}],\"parameters\":{\"generateAudio\":true}}");
}

static void every_parameter_has_googles_name(void **state)
{
	(void)state;
	assert_submits(CAT ",\"negative_prompt\":\"dogs\",\"duration_ms\":6000,\"aspect_ratio\":\"9:16\","
			   "\"resolution\":\"1080p\",\"audio\":\"off\",\"seed\":4294967295,\"sample_count\":4,"
			   "\"prompt_rewrite\":\"off\",\"extras\":{\"personGeneration\":\"allow_adult\"}",
		       "{\"instances\":[{\"prompt\":\"a cat\"}],\"parameters\":{\"negativePrompt\":\"dogs\","
		       "\"durationSeconds\":6,\"aspectRatio\":\"9:16\",\"resolution\":\"1080p\","
		       "\"generateAudio\":false,\"seed\":4294967295,\"sampleCount\":4,\"enhancePrompt\":false,"
		       "\"personGeneration\":\"allow_adult\",\"storageUri\":\"gs://bucket/films/" RIG_JOB "/\"}}");
}

#define MEDIUM(kind, role, file) \
	"{\"kind\":\"" kind "\",\"role\":\"" role "\",\"provider_handle\":\"gs://in/" file "\"}"
#define THERE(file, type) "{\"gcsUri\":\"gs://in/" file "\",\"mimeType\":\"" type "\"}"

static void one_frame_leads_to_the_other(void **state)
{
	static const char expected[] = "{\"instances\":[{\"image\":" THERE(
		"a.png", "image/png") ","
				      "\"lastFrame\":" THERE("b.JPG", "image/jpeg") "}],\"parameters\":{" PLACE "}}";

	(void)state;
	assert_submits("\"media\":[" MEDIUM("image", "last_frame", "b.JPG") "," MEDIUM("image", "first_frame",
										       "a.png") "]",
		       expected);
}

static void references_are_assets_in_the_users_order(void **state)
{
	(void)state;
	assert_submits(
		CAT
		",\"media\":[" MEDIUM("image", "reference", "b.webp") "," MEDIUM("image", "reference", "a.jpeg") "]",
		"{\"instances\":[{\"prompt\":\"a cat\",\"referenceImages\":[{\"image\":" THERE(
			"b.webp",
			"image/webp") ",\"referenceType\":\"asset\"},{\"image\":" THERE("a.jpeg",
											"image/jpeg") ",\"referenceType\":\"asset\"}]}],\"parameters\":{" PLACE
												      "}}");
}

static void a_video_goes_on(void **state)
{
	(void)state;
	assert_submits("\"media\":[" MEDIUM("video", "source", "d.mp4") "]",
		       "{\"instances\":[{\"video\":" THERE("d.mp4", "video/mp4") "}],\"parameters\":{" PLACE "}}");
}

static void an_input_that_veo_cannot_read_is_refused_before_it_costs(void **state)
{
	(void)state;
	assert_refuses(
		submit("\"media\":[{\"kind\":\"image\",\"role\":\"first_frame\",\"provider_handle\":\"x.png\"}]"),
		"gs://bucket/object");
	assert_refuses(submit("\"media\":[" MEDIUM("image", "first_frame", "") "]"), "gs://bucket/object");
	assert_refuses(submit("\"media\":[" MEDIUM("image", "first_frame", "a.gif") "]"), ".webp");
	assert_refuses(submit("\"media\":[" MEDIUM("image", "first_frame", "a.mp4") "]"), ".webp");
	assert_refuses(submit("\"media\":[" MEDIUM("video", "source", "a.mkv") "]"), ".mov");
}

static void extras_cannot_replace_what_a_parameter_says(void **state)
{
	_cleanup_(plugin_answer_freep) struct plugin_answer *answer = submit(
		CAT ",\"sample_count\":1,\"extras\":{\"sampleCount\":4}");

	(void)state;
	assert_int_equal(answer->kind, PLUGIN_ANSWER_FAILED);
	assert_int_equal(answer->failure.reason, PLUGIN_REASON_INVALID_INPUT);
}

static void a_model_is_called_what_the_operator_says(void **state)
{
	_cleanup_(plugin_account_freep) struct plugin_account *own = rig_open(
		RIG_BASE, RIG_OPTIONS ",\"fast_model\":\"veo-9\",\"location\":\"eu\"", true);
	_cleanup_(freep) char *job = rig_job("veo-3.1-fast-generate-001", CAT);
	_cleanup_(plugin_answer_freep) struct plugin_answer *answer = NULL;

	(void)state;
	rig.account = own;
	answer = rig_begin(PLUGIN_VERB_START, job);
	assert_string_equal(answer->exchange.url,
			    RIG_BASE "/v1/projects/p1/locations/eu/publishers/google/models/veo-9:predictLongRunning");
}

static void assert_complains(const char *base_url, const char *options, bool is_google, const char *words)
{
	_cleanup_(plugin_account_freep) struct plugin_account *own = rig_open(base_url, options, is_google);
	struct plugin_answer *check;

	rig.account = own;
	assert_refuses(submit(CAT), words);
	check = rig_begin(PLUGIN_VERB_ACCOUNT, NULL);
	assert_int_equal(check->kind, PLUGIN_ANSWER_FAILED);
	plugin_answer_free(check);
}

static void what_is_not_configured_is_said_before_it_costs(void **state)
{
	(void)state;
	assert_complains(RIG_BASE, "\"storage_uri\":\"gs://b\"", true, "'project'");
	assert_complains(RIG_BASE, "\"project\":\"p\",\"storage_uri\":\"s3://b\"", true,
			 "is 's3://b', not of the form gs://bucket");
	assert_complains(RIG_BASE, "\"surface\":\"gemeni\"", true, "'surface'");
	assert_complains(NULL, RIG_OPTIONS ",\"location\":\"europe-west4\"", true, "base_url");
	assert_complains(NULL, "\"surface\":\"gemini\"", false, "base_url");
}

static void an_accepted_order_is_known_by_its_operation(void **state)
{
	static const char *const bodies[] = {"{\"name\":\"" RIG_OPERATION "\"}",
					     "{\"name\":\"" RIG_OPERATION "\",\"metadata\":{\"createTime\":\"now\"}}",
					     "{\"name\":\"" RIG_OPERATION "\",\"done\":false}"};

	(void)state;
	for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
		_cleanup_(plugin_answer_freep) struct plugin_answer *answer = rig_reply(PLUGIN_VERB_START, NULL, 200,
											bodies[i]);

		assert_int_equal(answer->kind, PLUGIN_ANSWER_ACCEPTED);
		assert_int_equal(answer->accepted.n_remotes, 1);
		assert_string_equal(answer->accepted.remotes[0].id, RIG_OPERATION);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_submit_buys_and_can_name_no_key, rig_reset),
		cmocka_unit_test_setup(words_become_a_clip_in_the_jobs_own_folder, rig_reset),
		cmocka_unit_test_setup(without_a_bucket_none_is_named, rig_reset),
		cmocka_unit_test_setup(every_parameter_has_googles_name, rig_reset),
		cmocka_unit_test_setup(one_frame_leads_to_the_other, rig_reset),
		cmocka_unit_test_setup(references_are_assets_in_the_users_order, rig_reset),
		cmocka_unit_test_setup(a_video_goes_on, rig_reset),
		cmocka_unit_test_setup(an_input_that_veo_cannot_read_is_refused_before_it_costs, rig_reset),
		cmocka_unit_test_setup(extras_cannot_replace_what_a_parameter_says, rig_reset),
		cmocka_unit_test_setup(a_model_is_called_what_the_operator_says, rig_reset),
		cmocka_unit_test_setup(what_is_not_configured_is_said_before_it_costs, rig_reset),
		cmocka_unit_test_setup(an_accepted_order_is_known_by_its_operation, rig_reset),
	};

	return cmocka_run_group_tests_name("veo.submit", tests, rig_set_up, rig_tear_down);
}
