#include "job/delivery.h"

#include "base/bytes.h"
#include "base/err.h"
#include "base/limits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

/* The fields of all mismatches, with spaces between. */
static void compare(const char *parameters, const struct job_artifact *artifact, char ret[static 256])
{
	_cleanup_(job_status_freep) struct job_status *status = job_status_new();

	assert_non_null(status);
	assert_int_equal(job_compare_delivery(parameters, artifact, status), 0);
	*ret = '\0';
	for (size_t i = 0; i < status->n_mismatches; i++) {
		const struct job_mismatch *mismatch = &status->mismatches[i];

		assert_int_equal(mismatch->artifact, artifact->index);
		assert_non_null(strstr(mismatch->message, mismatch->produced));
		assert_true(strlen(ret) + strlen(mismatch->field) + 2 < 256);
		snprintf(ret + strlen(ret), 256 - strlen(ret), "%s%s", i ? " " : "", mismatch->field);
	}
}

#define VIDEO(...) ((struct job_artifact){.index = 1, .role = (char *)(uintptr_t) "video", __VA_ARGS__})
#define SIZED(w, h) VIDEO(.width = (w), .height = (h))
#define LOOKED(whole, black, frozen) \
	VIDEO(.duration_ms = (whole), .is_looked_at = true, .black_ms = (black), .frozen_ms = (frozen))

static const struct {
	const char *parameters;
	struct job_artifact artifact;
	const char *expected;
} rows[] = {
	/* length: half a second, or a twentieth */
	{"{\"duration_ms\":5000}", VIDEO(.duration_ms = 5042), ""},
	{"{\"duration_ms\":6000}", VIDEO(.duration_ms = 5640), ""},
	{"{\"duration_ms\":8000}", VIDEO(.duration_ms = 7500), ""},
	{"{\"duration_ms\":8000}", VIDEO(.duration_ms = 8500), ""},
	{"{\"duration_ms\":8000}", VIDEO(.duration_ms = 7499), "duration"},
	{"{\"duration_ms\":8000}", VIDEO(.duration_ms = 8501), "duration"},
	{"{\"duration_ms\":120000}", VIDEO(.duration_ms = 114000), ""},
	{"{\"duration_ms\":120000}", VIDEO(.duration_ms = 113999), "duration"},
	{"{\"duration_ms\":8000}", VIDEO(.duration_ms = 0), ""},
	{"{}", VIDEO(.duration_ms = 1), ""},
	/* what is added to a video is not how long the whole is */
	{"{\"duration_ms\":7000,\"media\":[{\"kind\":\"video\",\"role\":\"source\"}]}", VIDEO(.duration_ms = 15000),
	 ""},
	{"{\"duration_ms\":7000,\"media\":[{\"kind\":\"image\",\"role\":\"source\"}]}", VIDEO(.duration_ms = 15000),
	 "duration"},
	/* pixels, but for the odd one */
	{"{\"size\":{\"width\":1280,\"height\":720}}", SIZED(1280, 720), ""},
	{"{\"size\":{\"width\":1280,\"height\":720}}", SIZED(720, 1280), "size"},
	{"{\"size\":{\"width\":1280,\"height\":720}}", SIZED(1280, 722), "size"},
	{"{\"size\":{\"width\":333,\"height\":251}}", SIZED(334, 250), ""},
	{"{\"size\":{\"width\":333,\"height\":251}}", SIZED(335, 250), "size"},
	{"{\"size\":{\"width\":1280,\"height\":720}}", SIZED(0, 0), ""},
	/* tiers: the shorter side or the area */
	{"{\"resolution\":\"720p\"}", SIZED(1280, 720), ""},
	{"{\"resolution\":\"720p\"}", SIZED(720, 1280), ""},
	{"{\"resolution\":\"720p\"}", SIZED(1280, 768), ""},
	{"{\"resolution\":\"720p\"}", SIZED(960, 960), ""},
	{"{\"resolution\":\"720p\"}", SIZED(1470, 630), ""},
	{"{\"resolution\":\"1080p\"}", SIZED(1890, 1080), ""},
	{"{\"resolution\":\"1080p\"}", SIZED(1792, 1024), ""},
	{"{\"resolution\":\"480p\"}", SIZED(832, 480), ""},
	{"{\"resolution\":\"4k\"}", SIZED(3840, 2160), ""},
	{"{\"resolution\":\"1080p\"}", SIZED(1280, 720), "resolution"},
	{"{\"resolution\":\"4k\"}", SIZED(1920, 1080), "resolution"},
	{"{\"resolution\":\"720p\"}", SIZED(1920, 1080), "resolution"},
	{"{\"resolution\":\"hd\"}", SIZED(16, 16), ""},
	{"{\"resolution\":\"p\"}", SIZED(16, 16), ""},
	{"{\"resolution\":\"0p\"}", SIZED(16, 16), ""},
	{"{\"resolution\":\"99999999999p\"}", SIZED(16, 16), ""},
	/* shapes */
	{"{\"aspect_ratio\":\"16:9\"}", SIZED(832, 480), ""},
	{"{\"aspect_ratio\":\"16:9\"}", SIZED(1344, 768), ""},
	{"{\"aspect_ratio\":\"9:16\"}", SIZED(496, 864), ""},
	{"{\"aspect_ratio\":\"16:9\"}", SIZED(720, 1280), "aspect_ratio"},
	{"{\"aspect_ratio\":\"16:9\"}", SIZED(960, 720), "aspect_ratio"},
	{"{\"aspect_ratio\":\"4:3\"}", SIZED(1250, 1000), "aspect_ratio"},
	{"{\"aspect_ratio\":\"adaptive\"}", SIZED(1, 1000), ""},
	{"{\"aspect_ratio\":\"16:0\"}", SIZED(1, 1000), ""},
	{"{\"aspect_ratio\":\"16:9:1\"}", SIZED(1, 1000), ""},
	{"{\"aspect_ratio\":\"1:1\",\"size\":{\"width\":640,\"height\":480}}", SIZED(640, 480), ""},
	/* frame rate */
	{"{\"fps\":24}", VIDEO(.frame_rate_millihertz = 23976), ""},
	{"{\"fps\":30}", VIDEO(.frame_rate_millihertz = 29970), ""},
	{"{\"fps\":24}", VIDEO(.frame_rate_millihertz = 25000), "fps"},
	{"{\"fps\":60}", VIDEO(.frame_rate_millihertz = 30000), "fps"},
	{"{\"fps\":60}", VIDEO(.frame_rate_millihertz = 0), ""},
	/* sound */
	{"{\"audio\":\"on\"}", VIDEO(.sound = JOB_SOUND_OFF), "audio"},
	{"{\"audio\":\"off\"}", VIDEO(.sound = JOB_SOUND_ON), "audio"},
	{"{\"audio\":\"on\"}", VIDEO(.sound = JOB_SOUND_ON), ""},
	{"{\"audio\":\"on\"}", VIDEO(.sound = JOB_SOUND_UNKNOWN), ""},
	{"{}", VIDEO(.sound = JOB_SOUND_OFF), ""},
	/* the picture, whatever was ordered */
	{"{}", LOOKED(8000, 7600, 0), "black"},
	{"{}", LOOKED(8000, 7599, 0), ""},
	{"{}", LOOKED(8000, 8000, 8000), "black"},
	{"{}", LOOKED(8000, 0, 7600), "frozen"},
	{"{}", LOOKED(8000, 0, 7500), ""},
	{"{}", VIDEO(.duration_ms = 8000, .black_ms = 8000, .frozen_ms = 8000), ""},
	/* all of it */
	{"{\"duration_ms\":8000,\"resolution\":\"1080p\",\"aspect_ratio\":\"16:9\",\"fps\":30,\"audio\":\"on\"}",
	 VIDEO(.duration_ms = 4000, .width = 480, .height = 480, .frame_rate_millihertz = 12000, .sound = JOB_SOUND_OFF,
	       .is_looked_at = true, .black_ms = 4000),
	 "duration resolution aspect_ratio fps audio black"},
};

static void only_what_is_off_by_more_than_providers_round_is_a_mismatch(void **state)
{
	char found[256];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		compare(rows[i].parameters, &rows[i].artifact, found);
		if (strcmp(found, rows[i].expected) != 0)
			fail_msg("row %zu, %s: '%s' instead of '%s'", i, rows[i].parameters, found, rows[i].expected);
	}
}

static void a_mismatch_says_both_in_words(void **state)
{
	_cleanup_(job_status_freep) struct job_status *status = job_status_new();
	const struct job_artifact artifact = VIDEO(.duration_ms = 4040, .width = 640, .height = 360);

	(void)state;
	assert_int_equal(job_compare_delivery("{\"duration_ms\":8000,\"resolution\":\"1080p\"}", &artifact, status), 0);
	assert_int_equal(status->n_mismatches, 2);
	assert_string_equal(status->mismatches[0].ordered, "8 s");
	assert_string_equal(status->mismatches[0].produced, "4.04 s");
	assert_string_equal(status->mismatches[0].message, "the length: 8 s was ordered, 4.04 s came");
	assert_string_equal(status->mismatches[1].ordered, "1080p");
	assert_string_equal(status->mismatches[1].produced, "640x360");
}

static void there_are_not_more_than_so_many(void **state)
{
	_cleanup_(job_status_freep) struct job_status *status = job_status_new();
	const struct job_artifact artifact = VIDEO(.duration_ms = 4000);

	(void)state;
	for (int i = 0; i <= LIMIT_JOB_MISMATCHES; i++)
		assert_int_equal(job_compare_delivery("{\"duration_ms\":8000}", &artifact, status), 0);
	assert_int_equal(status->n_mismatches, LIMIT_JOB_MISMATCHES);
}

static void what_comes_beside_the_result_is_not_compared(void **state)
{
	const struct job_artifact thumbnail = {.role = (char *)(uintptr_t) "thumbnail"};

	(void)state;
	assert_true(job_is_compared(&VIDEO(.sample = 1)));
	assert_false(job_is_compared(&thumbnail));
	assert_false(job_is_compared(&(struct job_artifact){0}));
}

static void hostile_numbers_end_in_words(void **state)
{
	static const char *const parameters[] = {
		("{\"duration_ms\":9223372036854775807,\"fps\":9223372036854775807,\"resolution\":\"99999p\","
		 "\"aspect_ratio\":\"99999:1\"}"),
		"{\"duration_ms\":-1,\"size\":{\"width\":9223372036854775807,\"height\":1},\"fps\":-5}",
		"{\"duration_ms\":\"x\",\"size\":[],\"resolution\":{},\"aspect_ratio\":1,\"media\":\"x\",\"audio\":true}",
	};
	const struct job_artifact artifact = VIDEO(.duration_ms = INT64_MAX / 2, .width = UINT32_MAX,
						   .height = UINT32_MAX, .frame_rate_millihertz = UINT32_MAX,
						   .is_looked_at = true, .black_ms = INT64_MAX / 2);
	char found[256];

	(void)state;
	for (size_t i = 0; i < sizeof(parameters) / sizeof(parameters[0]); i++)
		compare(parameters[i], &artifact, found);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_what_is_off_by_more_than_providers_round_is_a_mismatch),
		cmocka_unit_test(a_mismatch_says_both_in_words),
		cmocka_unit_test(there_are_not_more_than_so_many),
		cmocka_unit_test(what_comes_beside_the_result_is_not_compared),
		cmocka_unit_test(hostile_numbers_end_in_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
