/* Which orders the manifest lets through. Needs no plugin code: the manifest is the judge. */
#include "job/validate.h"

#include "base/err.h"
#include "manifests.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define MODEL "veo-3.1-generate-001"

static struct job_capabilities *capabilities;

static int take_manifest(void **state)
{
	(void)state;
	return manifest_read("veo", &capabilities);
}

static int drop_manifest(void **state)
{
	(void)state;
	capabilities = job_capabilities_free(capabilities);
	return 0;
}

static void accept(const char *parameters)
{
	struct job_verdict verdict;
	int r = job_validate(capabilities, MODEL, bytes_of_text(parameters), JOB_VALIDATE_STRICT, &verdict);

	if (verdict.n_violations)
		fail_msg("%s %s", verdict.violations[0].field, verdict.violations[0].text);
	assert_int_equal(r, 0);
	job_verdict_finish(&verdict);
}

static void refuse(const char *parameters, const char *field, const char *words)
{
	struct job_verdict verdict;
	int r = job_validate(capabilities, MODEL, bytes_of_text(parameters), JOB_VALIDATE_STRICT, &verdict);

	assert_int_equal(r, JOB_VALIDATE_E_VIOLATED);
	if (verdict.n_violations != 1 || strcmp(verdict.violations[0].field, field) != 0 ||
	    !strstr(verdict.violations[0].text, words))
		fail_msg("%zu: %s %s", verdict.n_violations, verdict.violations[0].field, verdict.violations[0].text);
	job_verdict_finish(&verdict);
}

#define CAT "\"prompt\":\"a cat\""
#define MEDIUM(kind, role, file) \
	"{\"kind\":\"" kind "\",\"role\":\"" role "\",\"provider_handle\":\"gs://bucket/" file "\"}"
#define FIRST MEDIUM("image", "first_frame", "a.png")
#define LAST MEDIUM("image", "last_frame", "b.png")
#define REFERENCE MEDIUM("image", "reference", "c.png")
#define SOURCE MEDIUM("video", "source", "d.mp4")

static void a_clip_needs_words_or_a_picture_or_a_video(void **state)
{
	(void)state;
	accept("{" CAT "}");
	accept("{\"media\":[" FIRST "]}");
	accept("{\"media\":[" SOURCE "]}");
	refuse("{}", "parameters.prompt", "Veo needs to know what to show");
	refuse("{\"prompt\":\"\"}", "parameters.prompt", "");
	refuse("{\"media\":[" REFERENCE "],\"duration_ms\":8000}", "parameters.prompt", "");
}

static void the_numbers_are_those_that_veo_makes(void **state)
{
	(void)state;
	accept("{" CAT ",\"duration_ms\":4000,\"sample_count\":4,\"resolution\":\"4k\",\"aspect_ratio\":\"9:16\","
	       "\"seed\":4294967295,\"audio\":\"off\",\"prompt_rewrite\":\"off\",\"negative_prompt\":\"dogs\"}");
	refuse("{" CAT ",\"duration_ms\":5000}", "parameters.duration_ms", "8000");
	refuse("{" CAT ",\"sample_count\":5}", "parameters.sample_count", "4");
	refuse("{" CAT ",\"aspect_ratio\":\"1:1\"}", "parameters.aspect_ratio", "9:16");
	refuse("{" CAT ",\"seed\":4294967296}", "parameters.seed", "4294967295");
	refuse("{" CAT ",\"fps\":24}", "parameters.fps", "");
}

static void a_last_frame_needs_a_first(void **state)
{
	(void)state;
	accept("{\"media\":[" FIRST "," LAST "]}");
	refuse("{" CAT ",\"media\":[" LAST "]}", "parameters.media", "a last frame needs a first frame");
}

static void references_stand_alone_and_last_eight_seconds(void **state)
{
	(void)state;
	accept("{" CAT ",\"media\":[" REFERENCE "," REFERENCE "," REFERENCE "]}");
	accept("{" CAT ",\"duration_ms\":8000,\"media\":[" REFERENCE "]}");
	refuse("{" CAT ",\"media\":[" REFERENCE "," REFERENCE "," REFERENCE "," REFERENCE "]}", "parameters.media",
	       "at most 3");
	refuse("{" CAT ",\"duration_ms\":4000,\"media\":[" REFERENCE "]}", "parameters.duration_ms", "eight seconds");
	refuse("{" CAT ",\"media\":[" REFERENCE "," FIRST "]}", "parameters.media", "exclude each other");
}

static void a_video_goes_on_alone(void **state)
{
	(void)state;
	accept("{" CAT ",\"media\":[" SOURCE "]}");
	refuse("{\"media\":[" SOURCE "," FIRST "]}", "parameters.media", "takes no first frame");
	refuse("{\"media\":[" SOURCE "],\"duration_ms\":8000}", "parameters.duration_ms", "seven seconds");
}

/* Veo reads from a bucket and from nowhere else. */
static void an_input_is_a_handle(void **state)
{
	(void)state;
	refuse("{\"media\":[{\"kind\":\"image\",\"role\":\"first_frame\",\"url\":\"https://a.example/a.png\"}]}",
	       "parameters.media[0].url", "provider_handle");
}

static void what_only_veo_knows_is_an_extra(void **state)
{
	(void)state;
	accept("{" CAT ",\"extras\":{\"personGeneration\":\"allow_all\",\"compressionQuality\":\"lossless\","
	       "\"pubsubTopic\":\"projects/p/topics/t\"}}");
	accept("{\"media\":[" FIRST "],\"extras\":{\"resizeMode\":\"crop\"}}");
	refuse("{" CAT ",\"extras\":{\"resizeMode\":\"crop\"}}", "parameters.extras.resizeMode", "first frame");
	refuse("{" CAT ",\"extras\":{\"storageUri\":\"gs://mine\"}}", "parameters.extras.storageUri", "");
}

static void the_small_model_makes_no_4k(void **state)
{
	struct job_verdict verdict;

	(void)state;
	assert_int_equal(job_validate(capabilities, "veo-3.1-lite-generate-001",
				      bytes_of_text("{" CAT ",\"resolution\":\"4k\"}"), JOB_VALIDATE_STRICT, &verdict),
			 JOB_VALIDATE_E_VIOLATED);
	job_verdict_finish(&verdict);
	assert_int_equal(job_validate(capabilities, "veo-3.1-fast-generate-001",
				      bytes_of_text("{" CAT ",\"resolution\":\"4k\"}"), JOB_VALIDATE_STRICT, &verdict),
			 0);
	job_verdict_finish(&verdict);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_clip_needs_words_or_a_picture_or_a_video),
		cmocka_unit_test(the_numbers_are_those_that_veo_makes),
		cmocka_unit_test(a_last_frame_needs_a_first),
		cmocka_unit_test(references_stand_alone_and_last_eight_seconds),
		cmocka_unit_test(a_video_goes_on_alone),
		cmocka_unit_test(an_input_is_a_handle),
		cmocka_unit_test(what_only_veo_knows_is_an_extra),
		cmocka_unit_test(the_small_model_makes_no_4k),
	};

	return cmocka_run_group_tests_name("veo.orders", tests, take_manifest, drop_manifest);
}
