#include "job/validate.h"

#include "allocator.h"
#include "base/err.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

static const char manifest[] =
	"{\"models\":[{\"name\":\"clip\",\"parameters\":{"
	"\"prompt\":{\"max_length\":5},\"negative_prompt\":{\"max_length\":3,\"may_cut\":true},"
	"\"end_user\":{\"max_bytes\":4,\"may_cut\":true},\"avatar_id\":{\"max_length\":3},"
	"\"duration_ms\":{\"values\":[4000,6000,8000]},\"fps\":{\"min\":10,\"max\":40,\"step\":4},"
	"\"resolution\":{\"values\":[\"720p\",\"1080p\",\"4k\",\"best\"]},"
	"\"aspect_ratio\":{\"values\":[\"16:9\",\"4:3\",\"9:16\"]},"
	"\"seed\":{\"max\":100},\"sample_count\":{\"min\":2,\"max\":4},\"watermark\":{\"values\":[\"on\"]}},"
	"\"rules\":["
	"{\"when\":{\"resolution\":\"4k\"},\"then\":{\"duration_ms\":{\"values\":[4000]}},\"message\":\"4k is short\"},"
	"{\"when\":{\"duration_ms\":4000},\"then\":{\"seed\":{\"forbidden\":true},\"prompt\":{\"required\":true}},"
	"\"message\":\"short ones have no seed\"},"
	"{\"when\":{\"extras.loop\":true},\"then\":{\"extras.tail\":{\"forbidden\":true},\"avatar_id\":{\"forbidden\":true}},"
	"\"message\":\"loops have no tail\"}],"
	"\"extras\":{\"type\":\"object\",\"additionalProperties\":false,\"properties\":{\"loop\":{\"type\":\"boolean\"},"
	"\"tail\":{\"type\":\"integer\"},\"style\":{\"type\":\"object\",\"additionalProperties\":false,\"properties\":{"
	"\"name\":{\"type\":\"string\"}}},\"any\":{\"type\":\"object\",\"additionalProperties\":true}}}},"
	"{\"name\":\"sized\",\"parameters\":{\"size.width\":{\"max\":1920},\"size.height\":{\"max\":1080}}}]}";

static struct job_capabilities *capabilities;

static int setup(void **state)
{
	struct errmsg error = {0};

	(void)state;
	if (job_capabilities_new(bytes_of_text(manifest), &capabilities, &error) == 0)
		return 0;
	print_error("%s\n", error.text);
	return -1;
}

static int teardown(void **state)
{
	(void)state;
	capabilities = job_capabilities_free(capabilities);
	return 0;
}

static void write_notes(const struct job_verdict *verdict, char *text, size_t size)
{
	static const char *const words[] = {"?", "ignored", "adjusted", "cut", "info"};
	size_t len = 0;

	*text = '\0';
	for (size_t i = 0; verdict->changes && i < verdict->changes->n_notes; i++) {
		const struct job_note *note = &verdict->changes->notes[i];

		len += (size_t)snprintf(text + len, size - len, "%s%s %s %s>%s", i ? "; " : "", words[note->severity],
					note->field + strlen("parameters."), note->from, note->to);
	}
}

/* What the order becomes, and its notes. */
static void assert_becomes_of(const char *model, const char *asked, const char *becomes, const char *notes)
{
	struct job_verdict verdict;
	char text[1024];
	int r = job_validate(capabilities, model, bytes_of_text(asked), JOB_VALIDATE_ADAPT, &verdict);

	for (size_t i = 0; i < verdict.n_violations; i++)
		print_error("%s %s\n", verdict.violations[i].field, verdict.violations[i].text);
	assert_int_equal(r, 0);
	assert_string_equal(verdict.canonical, becomes);
	write_notes(&verdict, text, sizeof(text));
	assert_string_equal(text, notes);
	assert_int_equal(verdict.asked != NULL, *notes != '\0');
	job_verdict_finish(&verdict);
}

static void assert_becomes(const char *asked, const char *becomes, const char *notes)
{
	assert_becomes_of("clip", asked, becomes, notes);
}

static void assert_stays_refused(const char *asked, const char *field)
{
	struct job_verdict verdict;
	int r = job_validate(capabilities, "clip", bytes_of_text(asked), JOB_VALIDATE_ADAPT, &verdict);

	if (r != JOB_VALIDATE_E_VIOLATED || strcmp(verdict.violations[0].field, field) != 0)
		fail_msg("%d %s: %s", r, asked, verdict.n_violations ? verdict.violations[0].field : "taken");
	job_verdict_finish(&verdict);
}

static void assert_explains(const char *asked, const char *field, const char *why)
{
	struct job_verdict verdict;

	assert_int_equal(job_validate(capabilities, "clip", bytes_of_text(asked), JOB_VALIDATE_ADAPT, &verdict),
			 JOB_VALIDATE_E_VIOLATED);
	assert_string_equal(verdict.violations[0].field, field);
	if (!strstr(verdict.violations[0].text, why))
		fail_msg("'%s' is not in '%s'", why, verdict.violations[0].text);
	job_verdict_finish(&verdict);
	assert_int_equal(job_validate(capabilities, "clip", bytes_of_text(asked), JOB_VALIDATE_STRICT, &verdict),
			 JOB_VALIDATE_E_VIOLATED);
	assert_null(strstr(verdict.violations[0].text, "adapting"));
	job_verdict_finish(&verdict);
}

static void what_is_not_adapted_says_why(void **state)
{
	struct job_verdict verdict;

	(void)state;
	assert_explains(
		"{\"aspect_ratio\":\"1:1\"}", "parameters.aspect_ratio",
		"'16:9', '4:3' or '9:16'; adapting keeps the orientation: square, broad and upright are not exchanged");
	assert_explains("{\"sample_count\":1}", "parameters.sample_count",
			"; adapting takes fewer samples, never more");
	assert_explains("{\"prompt\":\"too long\"}", "parameters.prompt",
			"; adapting never changes what the film shows or says");
	/* What is no shape at all has no orientation. */
	assert_int_equal(job_validate(capabilities, "clip", bytes_of_text("{\"aspect_ratio\":\"adaptive\"}"),
				      JOB_VALIDATE_ADAPT, &verdict),
			 JOB_VALIDATE_E_VIOLATED);
	assert_null(strstr(verdict.violations[0].text, "adapting"));
	job_verdict_finish(&verdict);
}

static void what_fits_is_not_touched(void **state)
{
	(void)state;
	assert_becomes("{\"prompt\":\"ab\",\"fps\":14}", "{\"fps\":14,\"prompt\":\"ab\"}", "");
}

static void a_number_becomes_the_nearest_of_two_the_smaller(void **state)
{
	(void)state;
	assert_becomes("{\"duration_ms\":7001}", "{\"duration_ms\":8000}", "adjusted duration_ms 7001>8000");
	assert_becomes("{\"duration_ms\":7000}", "{\"duration_ms\":6000}", "adjusted duration_ms 7000>6000");
	assert_becomes("{\"duration_ms\":60000}", "{\"duration_ms\":8000}", "adjusted duration_ms 60000>8000");
	assert_becomes("{\"fps\":1}", "{\"fps\":10}", "adjusted fps 1>10");
	assert_becomes("{\"fps\":12}", "{\"fps\":10}", "adjusted fps 12>10");
	assert_becomes("{\"fps\":13}", "{\"fps\":14}", "adjusted fps 13>14");
	assert_becomes("{\"fps\":240}", "{\"fps\":38}", "adjusted fps 240>38");
}

static void samples_only_become_fewer(void **state)
{
	(void)state;
	assert_becomes("{\"sample_count\":9}", "{\"sample_count\":4}", "adjusted sample_count 9>4");
	assert_stays_refused("{\"sample_count\":1}", "parameters.sample_count");
}

static void a_seed_is_kept_or_left_out(void **state)
{
	(void)state;
	assert_becomes("{\"seed\":101}", "{}", "ignored seed 101>");
}

static void a_resolution_becomes_the_nearest_tier(void **state)
{
	(void)state;
	assert_becomes("{\"resolution\":\"480p\"}", "{\"resolution\":\"720p\"}", "adjusted resolution 480p>720p");
	assert_becomes("{\"resolution\":\"900p\"}", "{\"resolution\":\"720p\"}", "adjusted resolution 900p>720p");
	assert_becomes("{\"resolution\":\"2k\"}", "{\"resolution\":\"1080p\"}", "adjusted resolution 2k>1080p");
	assert_stays_refused("{\"resolution\":\"fine\"}", "parameters.resolution");
}

static void a_shape_keeps_its_orientation(void **state)
{
	(void)state;
	assert_becomes("{\"aspect_ratio\":\"21:9\"}", "{\"aspect_ratio\":\"16:9\"}", "adjusted aspect_ratio 21:9>16:9");
	assert_becomes("{\"aspect_ratio\":\"5:4\"}", "{\"aspect_ratio\":\"4:3\"}", "adjusted aspect_ratio 5:4>4:3");
	assert_becomes("{\"aspect_ratio\":\"3:4\"}", "{\"aspect_ratio\":\"9:16\"}", "adjusted aspect_ratio 3:4>9:16");
	assert_stays_refused("{\"aspect_ratio\":\"1:1\"}", "parameters.aspect_ratio");
	assert_stays_refused("{\"aspect_ratio\":\"adaptive\"}", "parameters.aspect_ratio");
}

static void a_choice_with_one_answer_has_that(void **state)
{
	(void)state;
	assert_becomes("{\"watermark\":\"off\"}", "{\"watermark\":\"on\"}", "adjusted watermark off>on");
}

static void a_text_is_cut_where_the_manifest_says_so(void **state)
{
	(void)state;
	assert_becomes("{\"negative_prompt\":\"äöüß\"}", "{\"negative_prompt\":\"äöü\"}",
		       "cut negative_prompt äöüß>äöü");
	assert_becomes("{\"end_user\":\"abcé\"}", "{\"end_user\":\"abc\"}", "cut end_user abcé>abc");
	assert_stays_refused("{\"prompt\":\"abcdef\"}", "parameters.prompt");
}

static void how_it_is_made_may_be_left_out(void **state)
{
	(void)state;
	assert_becomes("{\"audio\":\"on\",\"prompt_rewrite\":\"off\",\"size\":{\"width\":20,\"height\":20}}", "{}",
		       "ignored audio on>; ignored prompt_rewrite off>; ignored size {\"width\":20,\"height\":20}>");
	assert_becomes("{\"extras\":{\"x\":1,\"style\":{\"name\":\"a\",\"y\":[2]},\"any\":{\"z\":3}}}",
		       "{\"extras\":{\"any\":{\"z\":3},\"style\":{\"name\":\"a\"}}}",
		       "ignored extras.x 1>; ignored extras.style.y [2]>");
}

static void what_it_shows_and_says_is_never_changed(void **state)
{
	(void)state;
	assert_stays_refused("{\"voice_id\":\"v\"}", "parameters.voice_id");
	assert_stays_refused("{\"avatar_id\":\"abcd\"}", "parameters.avatar_id");
	assert_stays_refused("{\"script\":{\"text\":\"a\"}}", "parameters.script.text");
	assert_stays_refused("{\"background\":{\"color\":\"#000000\"}}", "parameters.background.color");
	assert_stays_refused("{\"media\":[{\"role\":\"source\",\"kind\":\"image\",\"url\":\"https://a/b\"}]}",
			     "parameters.media[0]");
	assert_stays_refused("{\"extras\":{\"loop\":true},\"avatar_id\":\"a\"}", "parameters.avatar_id");
}

static void what_is_malformed_stays_refused(void **state)
{
	(void)state;
	assert_stays_refused("{\"duration_ms\":\"long\"}", "parameters.duration_ms");
	assert_stays_refused("{\"duration_ms\":-1}", "parameters.duration_ms");
	assert_stays_refused("{\"watermark\":\"perhaps\"}", "parameters.watermark");
	assert_stays_refused("{\"nope\":1}", "parameters.nope");
	assert_stays_refused("{\"extras\":{\"tail\":\"x\"}}", "parameters.extras.tail");
}

static void rules_are_followed_one_after_another(void **state)
{
	(void)state;
	assert_becomes("{\"prompt\":\"a\",\"resolution\":\"4k\",\"duration_ms\":9000,\"seed\":1}",
		       "{\"duration_ms\":4000,\"prompt\":\"a\",\"resolution\":\"4k\"}",
		       "adjusted duration_ms 9000>8000; adjusted duration_ms 8000>4000; ignored seed 1>");
	assert_becomes("{\"extras\":{\"loop\":true,\"tail\":1}}", "{\"extras\":{\"loop\":true}}",
		       "ignored extras.tail 1>");
	/* What a rule demands is not invented. */
	assert_stays_refused("{\"duration_ms\":1000}", "parameters.prompt");
}

static void exact_pixels_are_brought_into_range(void **state)
{
	(void)state;
	assert_becomes_of("sized", "{\"size\":{\"width\":4000,\"height\":1000},\"resolution\":\"4k\"}",
			  "{\"size\":{\"height\":1000,\"width\":1920}}",
			  "adjusted size.width 4000>1920; ignored resolution 4k>");
}

static void more_changes_than_notes_are_refused(void **state)
{
	struct buffer asked = {0};
	int most = LIMIT_JOB_NOTES;

	(void)state;
	for (int n = most; n <= most + 1; n++) {
		struct job_verdict verdict;

		asked.len = 0;
		buffer_append_text(&asked, "{\"extras\":{");
		for (int i = 0; i < n; i++)
			buffer_printf(&asked, "%s\"x%d\":1", i ? "," : "", i);
		buffer_append_text(&asked, "}}");
		assert_int_equal(job_validate(capabilities, "clip", buffer_bytes(&asked), JOB_VALIDATE_ADAPT, &verdict),
				 n == most ? 0 : JOB_VALIDATE_E_VIOLATED);
		assert_int_equal(verdict.changes->n_notes, most);
		job_verdict_finish(&verdict);
	}
	buffer_finish(&asked);
}

static void running_out_of_memory_leaves_nothing_behind(void **state)
{
	int nth = 0, r;
	bool has_failed;

	(void)state;
	do {
		struct job_verdict verdict;

		allocator_fail(++nth);
		r = job_validate(capabilities, "clip",
				 bytes_of_text("{\"fps\":1,\"audio\":\"on\",\"negative_prompt\":\"abcd\"}"),
				 JOB_VALIDATE_ADAPT, &verdict);
		has_failed = allocator_failed();
		assert_true(r == 0 || (has_failed && (r == -ENOMEM || r == JOB_VALIDATE_E_VIOLATED)));
		job_verdict_finish(&verdict);
	} while (has_failed);
	assert_int_equal(r, 0);
}

/*
 * Each rule takes out what another one forbids something without, and they stand so that each pass gets one of them
 * done: so many steps, so many passes.
 */
static int adapt_in_steps(int steps, struct job_verdict *verdict)
{
	_cleanup_(buffer_finish) struct buffer text = {0};
	_cleanup_(buffer_finish) struct buffer order = {0};
	struct job_capabilities *chain = NULL;
	struct errmsg error = {0};
	int r;

	buffer_append_text(&text, "{\"models\":[{\"name\":\"clip\",\"parameters\":{\"prompt\":{}},\"rules\":[");
	for (int i = steps; i > 0; i--)
		buffer_printf(
			&text,
			"{\"when\":{\"extras.p%d\":{\"present\":%s}},\"then\":{\"extras.p%d\":{\"forbidden\":true}},"
			"\"message\":\"step %d\"}%s",
			i - 1, i == 1 ? "true" : "false", i, i, i > 1 ? "," : "");
	buffer_append_text(&text, "],\"extras\":{\"type\":\"object\",\"additionalProperties\":true}}]}");
	buffer_append_text(&order, "{\"prompt\":\"a\",\"extras\":{\"p0\":1");
	for (int i = 1; i <= steps; i++)
		buffer_printf(&order, ",\"p%d\":1", i);
	buffer_append_text(&order, "}}");
	if (job_capabilities_new(buffer_bytes(&text), &chain, &error) != 0)
		fail_msg("%s", error.text);
	r = job_validate(chain, "clip", buffer_bytes(&order), JOB_VALIDATE_ADAPT, verdict);
	job_capabilities_free(chain);
	return r;
}

static void rules_are_followed_so_many_times_and_then_the_order_is_refused(void **state)
{
	struct job_verdict verdict;

	(void)state;
	assert_int_equal(adapt_in_steps(LIMIT_JOB_ADAPT_PASSES, &verdict), 0);
	assert_string_equal(verdict.canonical, "{\"extras\":{\"p0\":1},\"prompt\":\"a\"}");
	job_verdict_finish(&verdict);
	assert_int_equal(adapt_in_steps(LIMIT_JOB_ADAPT_PASSES + 1, &verdict), JOB_VALIDATE_E_VIOLATED);
	assert_int_equal(verdict.n_violations, 1);
	assert_string_equal(verdict.violations[0].field, "parameters.extras.p9");
	assert_string_equal(verdict.violations[0].text, "step 9");
	job_verdict_finish(&verdict);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_fits_is_not_touched),
		cmocka_unit_test(a_number_becomes_the_nearest_of_two_the_smaller),
		cmocka_unit_test(samples_only_become_fewer),
		cmocka_unit_test(a_seed_is_kept_or_left_out),
		cmocka_unit_test(a_resolution_becomes_the_nearest_tier),
		cmocka_unit_test(a_shape_keeps_its_orientation),
		cmocka_unit_test(what_is_not_adapted_says_why),
		cmocka_unit_test(a_choice_with_one_answer_has_that),
		cmocka_unit_test(a_text_is_cut_where_the_manifest_says_so),
		cmocka_unit_test(how_it_is_made_may_be_left_out),
		cmocka_unit_test(what_it_shows_and_says_is_never_changed),
		cmocka_unit_test(what_is_malformed_stays_refused),
		cmocka_unit_test(rules_are_followed_one_after_another),
		cmocka_unit_test(rules_are_followed_so_many_times_and_then_the_order_is_refused),
		cmocka_unit_test(exact_pixels_are_brought_into_range),
		cmocka_unit_test(more_changes_than_notes_are_refused),
		cmocka_unit_test(running_out_of_memory_leaves_nothing_behind),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
