#include "job/validate.h"

#include "allocator.h"
#include "base/err.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

/* A manifest with one model of everything, one that is retired and one that takes nothing. */
static const char manifest[] =
	"{\"name\":\"test\",\"models\":[{\"name\":\"clip-1\",\"parameters\":{"
	"\"prompt\":{\"required\":true,\"min_length\":2,\"max_length\":5,\"help\":\"what to show\"},"
	"\"negative_prompt\":{\"max_bytes\":4},"
	"\"script.text\":{},\"script.audio\":{\"forms\":[\"url\"]},"
	"\"duration_ms\":{\"min\":4000,\"max\":15000,\"step\":1000,\"default\":5000},"
	"\"aspect_ratio\":{},\"resolution\":{\"values\":[\"720p\",\"1080p\"],\"default\":\"720p\"},"
	"\"size.width\":{},\"size.height\":{\"max\":2000},"
	"\"sample_count\":{\"min\":0,\"max\":100},\"seed\":{},\"fps\":{\"values\":[24,25]},\"audio\":{},\"watermark\":{\"values\":[\"off\"]},"
	"\"background.color\":{},\"background.media\":{\"kinds\":[\"image\"]}},"
	"\"media\":[{\"role\":\"reference\",\"kind\":\"image\",\"max\":2,\"forms\":[\"url\"]},"
	"{\"role\":\"reference\",\"kind\":\"video\"},{\"role\":\"first_frame\",\"kind\":\"image\"},"
	"{\"role\":\"keyframe\",\"kind\":\"image\",\"max\":3}],"
	"\"rules\":["
	"{\"when\":{\"resolution\":\"1080p\"},\"then\":{\"duration_ms\":{\"max\":8000}},"
	"\"message\":\"1080p clips are at most 8 seconds long\"},"
	"{\"when\":{\"resolution\":[\"720p\"],\"negative_prompt\":\"x\"},\"then\":{\"audio\":{\"forbidden\":true}},"
	"\"message\":\"720p without x is silent\"},"
	"{\"when\":{\"fps\":[25],\"audio\":{\"present\":true}},\"then\":{\"seed\":{\"required\":true}},"
	"\"message\":\"25 frames with sound need a seed\"},"
	"{\"when\":{\"media.first_frame\":{\"present\":true}},\"then\":{\"media.reference\":{\"max\":1}},"
	"\"message\":\"one reference beside a first frame\"},"
	"{\"when\":{\"extras.style.name\":\"mono\"},\"then\":{\"background\":{\"forbidden\":true},"
	"\"extras.style.weight\":{\"max\":1}},\"message\":\"mono is plain\"}],"
	"\"extras\":{\"type\":\"object\",\"additionalProperties\":false,\"required\":[],\"properties\":{"
	"\"style\":{\"type\":\"object\",\"required\":[\"name\"],\"properties\":{"
	"\"name\":{\"type\":\"string\",\"enum\":[\"mono\",\"duo\"]},\"weight\":{\"type\":\"number\",\"minimum\":0.5,"
	"\"maximum\":2}}},"
	"\"tags\":{\"type\":\"array\",\"maxItems\":2,\"items\":{\"type\":\"string\",\"minLength\":1,\"maxLength\":3}},"
	"\"count\":{\"type\":\"integer\"},\"loop\":{\"type\":\"boolean\"}}},"
	"\"outputs\":[{\"role\":\"video\"}]},"
	"{\"name\":\"clip-0\",\"lifecycle\":{\"stage\":\"retired\"},\"parameters\":{},\"outputs\":[]},"
	"{\"name\":\"edit\",\"parameters\":{},\"media\":[{\"role\":\"source\",\"kind\":\"video\",\"min\":1}]},"
	"{\"name\":\"mute\",\"parameters\":{},\"outputs\":[]}]}";

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

static void assert_fits(const char *parameters)
{
	struct job_verdict verdict;
	int r = job_validate(capabilities, "clip-1", bytes_of_text(parameters), JOB_VALIDATE_STRICT, &verdict);

	for (size_t i = 0; i < verdict.n_violations; i++)
		print_error("%s %s\n", verdict.violations[i].field, verdict.violations[i].text);
	assert_int_equal(r, 0);
	assert_int_equal(verdict.n_violations, 0);
	assert_string_equal(verdict.model, "clip-1");
	job_verdict_finish(&verdict);
}

/* Exactly one violation, of this field, whose text holds all of these. */
static void assert_violates(const char *model, const char *parameters, const char *field, const char *words)
{
	struct job_verdict verdict;
	int r = job_validate(capabilities, model, bytes_of_text(parameters), JOB_VALIDATE_STRICT, &verdict);

	if (verdict.n_violations != 1 || strcmp(verdict.violations[0].field, field) != 0 ||
	    !strstr(verdict.violations[0].text, words)) {
		for (size_t i = 0; i < verdict.n_violations; i++)
			print_error("%s %s\n", verdict.violations[i].field, verdict.violations[i].text);
		fail_msg("expected one violation of '%s' with '%s'", field, words);
	}
	assert_int_equal(r, JOB_VALIDATE_E_VIOLATED);
	job_verdict_finish(&verdict);
}

static void assert_refused(const char *parameters, const char *field, const char *words)
{
	assert_violates("clip-1", parameters, field, words);
}

static void an_order_within_all_limits_fits(void **state)
{
	(void)state;
	assert_fits("{\"prompt\":\"abcde\"}");
	assert_fits(
		"{\"prompt\":\"äöüß€\",\"negative_prompt\":\"abcd\",\"duration_ms\":15000,\"aspect_ratio\":\"21:9\","
		"\"resolution\":\"720p\",\"seed\":18446744073709551615,\"fps\":24,\"audio\":\"on\","
		"\"watermark\":\"off\",\"script\":{\"text\":\"hi\"},\"background\":{\"color\":\"#00ffA0\"}}");
	assert_fits("{\"prompt\":\"ab\",\"size\":{\"width\":16,\"height\":2000},\"aspect_ratio\":\"adaptive\","
		    "\"script\":{\"audio\":{\"kind\":\"audio\",\"url\":\"https://a.example/a.mp3\"}},"
		    "\"background\":{\"media\":{\"provider_handle\":\"asset-1\"}},\"extras\":{}}");
	assert_fits("{\"prompt\":\"ab\",\"media\":[{\"kind\":\"image\",\"role\":\"reference\",\"url\":\"http://a/1\"},"
		    "{\"kind\":\"image\",\"role\":\"reference\",\"url\":\"http://a/2\"},"
		    "{\"kind\":\"video\",\"role\":\"reference\",\"url\":\"http://a/3\"},"
		    "{\"kind\":\"image\",\"role\":\"keyframe\",\"url\":\"http://a/4\",\"at_ms\":4000}],"
		    "\"duration_ms\":4000}");
	assert_fits("{\"prompt\":\"ab\",\"extras\":{\"style\":{\"name\":\"duo\",\"weight\":0.5,\"any\":[null]},"
		    "\"tags\":[\"a\",\"äöü\"],\"count\":18446744073709551615,\"loop\":false}}");
}

static void a_missing_parameter_is_named_with_its_help(void **state)
{
	(void)state;
	assert_refused("{}", "parameters.prompt", "is missing; 'clip-1' needs it: what to show");
}

static void lengths_count_characters_and_bytes(void **state)
{
	(void)state;
	assert_refused("{\"prompt\":\"a\"}", "parameters.prompt", "has 1 characters; 'clip-1' takes 2 to 5 characters");
	assert_refused("{\"prompt\":\"äöüßxy\"}", "parameters.prompt", "has 6 characters");
	assert_refused("{\"prompt\":\"ab\",\"negative_prompt\":\"äöü\"}", "parameters.negative_prompt",
		       "has 6 bytes; 'clip-1' takes at most 4 bytes");
}

static void numbers_are_held_to_range_and_step(void **state)
{
	(void)state;
	assert_refused("{\"prompt\":\"ab\",\"duration_ms\":3999}", "parameters.duration_ms",
		       "is 3999; 'clip-1' takes 4000 to 15000 in steps of 1000");
	assert_refused("{\"prompt\":\"ab\",\"duration_ms\":16000}", "parameters.duration_ms", "is 16000");
	assert_refused("{\"prompt\":\"ab\",\"duration_ms\":4500}", "parameters.duration_ms", "in steps of 1000");
	assert_refused("{\"prompt\":\"ab\",\"seed\":18446744073709551616}", "parameters.seed",
		       "is 18446744073709551616; 'clip-1' takes 0 to 18446744073709551615");
	assert_refused("{\"prompt\":\"ab\",\"seed\":-1}", "parameters.seed", "is -1");
	assert_refused("{\"prompt\":\"ab\",\"seed\":1.5}", "parameters.seed", "is 1.5");
	assert_refused("{\"prompt\":\"ab\",\"fps\":30}", "parameters.fps", "is 30; 'clip-1' takes 24 or 25");
}

static void values_outside_a_list_are_answered_with_the_list(void **state)
{
	(void)state;
	assert_refused("{\"prompt\":\"ab\",\"resolution\":\"8k\"}", "parameters.resolution",
		       "is '8k'; 'clip-1' takes '720p' or '1080p'");
	assert_refused("{\"prompt\":\"ab\",\"watermark\":\"on\"}", "parameters.watermark",
		       "is 'on'; 'clip-1' takes 'off'");
}

static void a_value_of_another_type_is_refused(void **state)
{
	(void)state;
	assert_refused("{\"prompt\":12}", "parameters.prompt", "is 12; 'clip-1' takes a text");
	assert_refused("{\"prompt\":null}", "parameters.prompt", "is null");
	assert_refused("{\"prompt\":\"a\\u0000b\"}", "parameters.prompt", "is 'a\\x00b'");
	assert_refused("{\"prompt\":\"ab\",\"audio\":true}", "parameters.audio",
		       "is true; 'clip-1' takes 'on' or 'off'");
	assert_refused("{\"prompt\":\"ab\",\"seed\":\"7\"}", "parameters.seed", "is '7'");
	assert_refused("{\"prompt\":\"ab\",\"script\":\"hi\"}", "parameters.script", "is not an object");
	assert_refused("{\"prompt\":\"ab\",\"media\":{}}", "parameters.media", "is not a list");
	assert_refused("{\"prompt\":\"ab\",\"background\":{\"color\":\"red\"}}", "parameters.background.color",
		       "is 'red'; 'clip-1' takes a colour like '#1a2b3c'");
	assert_refused("{\"prompt\":\"ab\",\"aspect_ratio\":\"16x9\"}", "parameters.aspect_ratio",
		       "a shape like '16:9'");
	assert_refused("{\"prompt\":\"ab\",\"aspect_ratio\":\"0:9\"}", "parameters.aspect_ratio", "is '0:9'");
	assert_refused("{\"prompt\":\"ab\",\"aspect_ratio\":\"16:0\"}", "parameters.aspect_ratio", "is '16:0'");
}

static void the_contracts_own_bounds_hold_too(void **state)
{
	struct buffer order = {0};

	(void)state;
	assert_fits("{\"prompt\":\"ab\",\"sample_count\":16}");
	assert_refused("{\"prompt\":\"ab\",\"sample_count\":17}", "parameters.sample_count", "takes 1 to 16");
	assert_refused("{\"prompt\":\"ab\",\"sample_count\":0}", "parameters.sample_count", "takes 1 to 16");
	assert_refused("{\"prompt\":\"ab\",\"size\":{\"width\":15,\"height\":100}}", "parameters.size.width",
		       "is 15; 'clip-1' takes 16 to 16384");
	assert_refused("{\"prompt\":\"ab\",\"size\":{\"width\":100,\"height\":2001}}", "parameters.size.height",
		       "16 to 2000");
	assert_int_equal(buffer_append_text(&order, "{\"prompt\":\"ab\",\"script\":{\"text\":\""), 0);
	for (size_t i = 0; i < 100000; i++)
		assert_int_equal(buffer_append_text(&order, "a"), 0);
	assert_int_equal(buffer_append_text(&order, "\"}}"), 0);
	assert_fits(order.data);
	order.len -= 3;
	assert_int_equal(buffer_append_text(&order, "b\"}}"), 0);
	assert_refused(order.data, "parameters.script.text", "has 100001 bytes; 'clip-1' takes at most 100000 bytes");
	buffer_finish(&order);
}

static void a_name_that_is_no_parameter_gets_a_suggestion(void **state)
{
	(void)state;
	assert_refused("{\"prompt\":\"ab\",\"promt\":\"x\"}", "parameters.promt",
		       "is not a parameter; 'clip-1' takes prompt, ");
	assert_refused("{\"prompt\":\"ab\",\"promt\":\"x\"}", "parameters.promt", "did you mean 'prompt'?");
	assert_refused("{\"prompt\":\"ab\",\"script\":{\"texte\":\"x\"}}", "parameters.script.texte",
		       "did you mean 'script.text'?");
	assert_refused("{\"prompt\":\"ab\",\"extra\":{}}", "parameters.extra", "did you mean 'extras'?");
	assert_refused("{\"prompt\":\"ab\",\"zzzzzz\":1}", "parameters.zzzzzz", "media, extras");
}

static void a_name_with_a_nul_is_no_parameter(void **state)
{
	(void)state;
	assert_refused("{\"prompt\":\"ab\",\"audio\\u0000\":\"on\"}", "parameters.?", "is not a parameter");
	assert_refused("{\"prompt\":\"ab\",\"\":\"on\"}", "parameters.?", "is not a parameter");
}

static void a_parameter_of_other_models_is_not_taken(void **state)
{
	(void)state;
	assert_refused("{\"prompt\":\"ab\",\"avatar_id\":\"x\"}", "parameters.avatar_id",
		       "is not taken; 'clip-1' takes");
	assert_violates("mute", "{\"prompt\":\"ab\"}", "parameters.prompt", "is not taken; 'mute' takes nothing");
	assert_violates("mute", "{\"extras\":{\"a\":1}}", "parameters.extras", "'mute' takes nothing");
}

static void one_of_a_group_is_given(void **state)
{
	(void)state;
	assert_refused("{\"prompt\":\"ab\",\"script\":{}}", "parameters.script", "needs exactly one of text and audio");
	assert_refused("{\"prompt\":\"ab\",\"script\":{\"text\":\"a\",\"audio\":{\"url\":\"http://a/\"}}}",
		       "parameters.script", "needs exactly one of text and audio");
	assert_refused("{\"prompt\":\"ab\",\"background\":{}}", "parameters.background",
		       "needs exactly one of color and media");
	assert_refused("{\"prompt\":\"ab\",\"size\":{\"width\":100}}", "parameters.size", "needs width and height");
	assert_refused("{\"prompt\":\"ab\",\"resolution\":\"720p\",\"size\":{\"width\":100,\"height\":100}}",
		       "parameters.size", "give one of the two");
}

#define MEDIA(entries) "{\"prompt\":\"ab\",\"duration_ms\":4000,\"media\":[" entries "]}"
#define FIRST "{\"kind\":\"image\",\"role\":\"first_frame\",\"url\":\"http://a/1\"}"
#define REFERENCE "{\"kind\":\"image\",\"role\":\"reference\",\"url\":\"http://a/1\"}"

static void media_need_one_source_in_a_form_that_is_taken(void **state)
{
	(void)state;
	assert_refused(MEDIA("{\"kind\":\"image\",\"role\":\"first_frame\"}"), "parameters.media[0]",
		       "has no source; it needs exactly one of url, provider_handle and asset");
	assert_refused(
		MEDIA("{\"kind\":\"image\",\"role\":\"first_frame\",\"url\":\"http://a/\",\"provider_handle\":\"b\"}"),
		"parameters.media[0]", "has two sources");
	assert_refused(MEDIA("{\"kind\":\"image\",\"role\":\"reference\",\"provider_handle\":\"b\"}"),
		       "parameters.media[0].provider_handle", "is given; 'clip-1' takes 'url' here");
	assert_refused(MEDIA("{\"kind\":\"image\",\"role\":\"first_frame\",\"url\":\"ftp://a/\"}"),
		       "parameters.media[0].url", "is not an http or https address");
	assert_refused(MEDIA("{\"kind\":\"image\",\"role\":\"first_frame\",\"url\":\"http://a/ b\"}"),
		       "parameters.media[0].url", "is not an http or https address");
	assert_refused(MEDIA("{\"kind\":\"image\",\"role\":\"first_frame\",\"provider_handle\":\"\"}"),
		       "parameters.media[0].provider_handle", "is not a handle");
	assert_refused(MEDIA("7"), "parameters.media[0]", "is not an object");
	assert_refused(MEDIA("{\"kind\":\"image\",\"role\":\"first_frame\",\"url\":\"http://a/\",\"alt\":\"x\"}"),
		       "parameters.media[0].alt", "is not a member of media");
}

static void media_are_taken_by_role_and_kind(void **state)
{
	(void)state;
	assert_refused(
		MEDIA("{\"kind\":\"image\",\"role\":\"last_frame\",\"url\":\"http://a/\"}"), "parameters.media[0]",
		"is 'last_frame' ('image'); 'clip-1' takes reference (image), reference (video), first_frame (image)");
	assert_refused(MEDIA("{\"kind\":\"video\",\"role\":\"first_frame\",\"url\":\"http://a/\"}"),
		       "parameters.media[0]", "is 'first_frame' ('video')");
	assert_refused(MEDIA("{\"url\":\"http://a/\"}"), "parameters.media[0]", "is null (null)");
	assert_violates("mute", "{\"media\":[{\"kind\":\"image\",\"role\":\"source\",\"url\":\"http://a/\"}]}",
			"parameters.media[0]", "'mute' takes no media");
}

/* @head, @n times "a", @tail. */
static char *order_of(const char *head, size_t n, const char *tail)
{
	struct buffer order = {0};

	assert_int_equal(buffer_append_text(&order, head), 0);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(buffer_append_text(&order, "a"), 0);
	assert_int_equal(buffer_append_text(&order, tail), 0);
	return order.data;
}

static void addresses_and_handles_have_a_length(void **state)
{
	static const char url[] =
		"{\"prompt\":\"ab\",\"media\":[{\"kind\":\"image\",\"role\":\"first_frame\",\"url\":\"http://";
	static const char handle[] =
		"{\"prompt\":\"ab\",\"media\":[{\"kind\":\"image\",\"role\":\"first_frame\",\"provider_handle\":\"";
	_cleanup_(freep) char *longest_url = order_of(url, LIMIT_JOB_MEDIA_URL - 7, "\"}]}");
	_cleanup_(freep) char *longer_url = order_of(url, LIMIT_JOB_MEDIA_URL - 6, "\"}]}");
	_cleanup_(freep) char *longest_handle = order_of(handle, LIMIT_JOB_MEDIA_HANDLE, "\"}]}");
	_cleanup_(freep) char *longer_handle = order_of(handle, LIMIT_JOB_MEDIA_HANDLE + 1, "\"}]}");

	(void)state;
	assert_fits(longest_url);
	assert_refused(longer_url, "parameters.media[0].url", "of at most 4096 bytes");
	assert_fits(longest_handle);
	assert_refused(longer_handle, "parameters.media[0].provider_handle", "is not a handle of 1 to 1024 bytes");
}

static void media_that_are_needed_are_asked_for(void **state)
{
	(void)state;
	assert_violates("edit", "{}", "parameters.media", "has 0 with the role 'source'; 'edit' needs at least 1");
	assert_violates("edit", "{\"media\":[]}", "parameters.media", "needs at least 1");
}

static void media_are_counted(void **state)
{
	struct buffer order = {0};

	(void)state;
	assert_refused(MEDIA(REFERENCE "," REFERENCE "," REFERENCE), "parameters.media",
		       "has 3 with the role 'reference'; 'clip-1' takes at most 2");
	assert_int_equal(buffer_append_text(&order, "{\"prompt\":\"ab\",\"media\":[" FIRST), 0);
	for (size_t i = 0; i < LIMIT_JOB_MEDIA; i++)
		assert_int_equal(buffer_append_text(&order, "," FIRST), 0);
	assert_int_equal(buffer_append_text(&order, "]}"), 0);
	assert_refused(order.data, "parameters.media", "has 33 entries; at most 32 are taken");
	buffer_finish(&order);
}

static void moments_belong_to_keyframes_within_the_video(void **state)
{
	(void)state;
	assert_refused(MEDIA("{\"kind\":\"image\",\"role\":\"first_frame\",\"url\":\"http://a/\",\"at_ms\":1}"),
		       "parameters.media[0].at_ms", "is only for the role 'keyframe'");
	assert_refused(MEDIA("{\"kind\":\"image\",\"role\":\"keyframe\",\"url\":\"http://a/\",\"at_ms\":4001}"),
		       "parameters.media[0].at_ms", "is 4001, behind the end of the video at 4000");
	assert_refused(MEDIA("{\"kind\":\"image\",\"role\":\"keyframe\",\"url\":\"http://a/\",\"at_ms\":-1}"),
		       "parameters.media[0].at_ms", "is not a whole number");
}

static void a_medium_inside_a_parameter_has_no_role(void **state)
{
	(void)state;
	assert_refused("{\"prompt\":\"ab\",\"script\":{\"audio\":{\"url\":\"http://a/\",\"role\":\"source\"}}}",
		       "parameters.script.audio.role", "is only for the entries of parameters.media");
	assert_refused("{\"prompt\":\"ab\",\"script\":{\"audio\":{\"url\":\"http://a/\",\"kind\":\"video\"}}}",
		       "parameters.script.audio.kind", "is 'video', which 'clip-1' does not take here");
	assert_refused("{\"prompt\":\"ab\",\"background\":{\"media\":{\"url\":\"http://a/\",\"kind\":\"video\"}}}",
		       "parameters.background.media.kind", "is 'video'");
	assert_refused("{\"prompt\":\"ab\",\"script\":{\"audio\":{\"provider_handle\":\"x\"}}}",
		       "parameters.script.audio.provider_handle", "takes 'url' here");
}

static void rules_narrow_limits(void **state)
{
	(void)state;
	assert_fits("{\"prompt\":\"ab\",\"resolution\":\"1080p\",\"duration_ms\":8000}");
	assert_fits("{\"prompt\":\"ab\",\"resolution\":\"1080p\"}");
	assert_refused("{\"prompt\":\"ab\",\"resolution\":\"1080p\",\"duration_ms\":9000}", "parameters.duration_ms",
		       "1080p clips are at most 8 seconds long (it is 9000)");
	assert_refused("{\"prompt\":\"ab\",\"extras\":{\"style\":{\"name\":\"mono\",\"weight\":1.5}}}",
		       "parameters.extras.style.weight", "mono is plain (it is 1.5)");
}

static void rules_require_and_forbid(void **state)
{
	(void)state;
	assert_fits("{\"prompt\":\"ab\",\"fps\":25}");
	assert_fits("{\"prompt\":\"ab\",\"fps\":25,\"audio\":\"on\",\"seed\":0}");
	assert_refused("{\"prompt\":\"ab\",\"fps\":25,\"audio\":\"on\"}", "parameters.seed",
		       "25 frames with sound need a seed");
	assert_refused("{\"prompt\":\"ab\",\"extras\":{\"style\":{\"name\":\"mono\"}},"
		       "\"background\":{\"color\":\"#000000\"}}",
		       "parameters.background", "mono is plain");
}

static void a_rule_knows_the_value_of_what_is_unset(void **state)
{
	(void)state;
	assert_refused("{\"prompt\":\"ab\",\"negative_prompt\":\"x\",\"audio\":\"on\"}", "parameters.audio",
		       "720p without x is silent");
	assert_refused("{\"prompt\":\"ab\",\"resolution\":\"720p\",\"negative_prompt\":\"x\",\"audio\":\"on\"}",
		       "parameters.audio", "720p without x is silent");
	assert_fits("{\"prompt\":\"ab\",\"resolution\":\"1080p\",\"negative_prompt\":\"x\",\"audio\":\"on\"}");
	assert_fits("{\"prompt\":\"ab\",\"negative_prompt\":\"y\",\"audio\":\"on\"}");
}

static void rules_count_media(void **state)
{
	(void)state;
	assert_fits(MEDIA(FIRST "," REFERENCE));
	assert_refused(MEDIA(FIRST "," REFERENCE "," REFERENCE), "parameters.media",
		       "one reference beside a first frame (there are 2)");
}

static void extras_are_held_to_their_schema(void **state)
{
	(void)state;
	assert_refused("{\"prompt\":\"ab\",\"extras\":{\"stile\":1}}", "parameters.extras.stile",
		       "is not known; 'clip-1' takes here: style, tags, count, loop; did you mean 'style'?");
	assert_refused("{\"prompt\":\"ab\",\"extras\":{\"style\":{}}}", "parameters.extras.style.name",
		       "is missing; 'clip-1' needs it");
	assert_refused("{\"prompt\":\"ab\",\"extras\":{\"style\":{\"name\":\"trio\"}}}", "parameters.extras.style.name",
		       "is 'trio'; 'clip-1' takes 'mono' or 'duo'");
	assert_refused("{\"prompt\":\"ab\",\"extras\":{\"style\":{\"name\":\"duo\",\"weight\":0.49}}}",
		       "parameters.extras.style.weight", "is 0.49; 'clip-1' takes 0.5 to 2");
	assert_refused("{\"prompt\":\"ab\",\"extras\":{\"style\":{\"name\":\"duo\",\"weight\":1e99}}}",
		       "parameters.extras.style.weight", "is 1e99");
	assert_refused("{\"prompt\":\"ab\",\"extras\":{\"tags\":[\"a\",\"b\",\"c\"]}}", "parameters.extras.tags",
		       "has 3 entries; 'clip-1' takes 0 to 2");
	assert_refused("{\"prompt\":\"ab\",\"extras\":{\"tags\":[\"a\",\"abcd\"]}}", "parameters.extras.tags[1]",
		       "has 4 characters; 'clip-1' takes 1 to 3");
	assert_refused("{\"prompt\":\"ab\",\"extras\":{\"tags\":[\"\"]}}", "parameters.extras.tags[0]",
		       "has 0 characters; 'clip-1' takes 1 to 3");
	assert_refused("{\"prompt\":\"ab\",\"extras\":{\"count\":1.5}}", "parameters.extras.count",
		       "is 1.5; 'clip-1' takes a whole number");
	assert_refused("{\"prompt\":\"ab\",\"extras\":{\"loop\":\"yes\"}}", "parameters.extras.loop",
		       "is 'yes'; 'clip-1' takes true or false");
	assert_refused("{\"prompt\":\"ab\",\"extras\":[]}", "parameters.extras", "is a list; 'clip-1' takes an object");
}

/* Extras of @depth values inside values, the extras themselves and their member style being the first two. */
static char *nested_extras(int depth)
{
	struct buffer order = {0};

	assert_int_equal(
		buffer_append_text(&order, "{\"prompt\":\"ab\",\"extras\":{\"style\":{\"name\":\"duo\",\"a\":"), 0);
	for (int i = 2; i < depth; i++)
		assert_int_equal(buffer_append_text(&order, "["), 0);
	for (int i = 2; i < depth; i++)
		assert_int_equal(buffer_append_text(&order, "]"), 0);
	assert_int_equal(buffer_append_text(&order, "}}}"), 0);
	return order.data;
}

static void extras_have_a_size_and_a_depth(void **state)
{
	static const char head[] = "{\"prompt\":\"ab\",\"extras\":{\"style\":{\"name\":\"duo\",\"a\":\"";
	const size_t around = strlen("{\"style\":{\"name\":\"duo\",\"a\":\"\"}}");
	_cleanup_(freep) char *longest = order_of(head, LIMIT_JOB_EXTRAS_BYTES - around, "\"}}}");
	_cleanup_(freep) char *longer = order_of(head, LIMIT_JOB_EXTRAS_BYTES - around + 1, "\"}}}");
	_cleanup_(freep) char *deepest = nested_extras(LIMIT_JOB_EXTRAS_DEPTH);
	_cleanup_(freep) char *deeper = nested_extras(LIMIT_JOB_EXTRAS_DEPTH + 1);

	(void)state;
	assert_fits(longest);
	assert_refused(longer, "parameters.extras", "is longer than 65536 bytes of JSON");
	assert_fits(deepest);
	assert_refused(deeper, "parameters", "are not a JSON object");
}

static void an_order_has_a_size(void **state)
{
	struct buffer order = {0};

	(void)state;
	assert_int_equal(buffer_append_text(&order, "{\"prompt\":\"ab\"}"), 0);
	while (order.len < LIMIT_JOB_PARAMETERS_BYTES)
		assert_int_equal(buffer_append_text(&order, " "), 0);
	assert_fits(order.data);
	assert_int_equal(buffer_append_text(&order, " "), 0);
	assert_refused(order.data, "parameters", "are 1048577 bytes of JSON; at most 1048576 are taken");

	/* As many values as are taken: the order, its prompt, the extras, style, its name, a list and what is in it. */
	for (uint32_t n = LIMIT_JOB_PARAMETERS_NODES - 6; n <= LIMIT_JOB_PARAMETERS_NODES; n += 6) {
		order.len = 0;
		assert_int_equal(buffer_append_text(
					 &order, "{\"prompt\":\"ab\",\"extras\":{\"style\":{\"name\":\"duo\",\"a\":[0"),
				 0);
		for (uint32_t i = 2; i < n; i++)
			assert_int_equal(buffer_append_text(&order, ",0"), 0);
		assert_int_equal(buffer_append_text(&order, "]}}}"), 0);
		if (n < LIMIT_JOB_PARAMETERS_NODES)
			assert_fits(order.data);
		else
			assert_refused(order.data, "parameters", "are not a JSON object");
	}
	buffer_finish(&order);
}

static void an_unknown_model_is_answered_with_the_known_ones(void **state)
{
	(void)state;
	assert_violates("clip-2", "{}", "model",
			"'clip-2' is not a model of this provider; it has clip-1, clip-0, edit, mute");
	assert_violates("clipp-1", "{}", "model", "did you mean 'clip-1'?");
	assert_violates("", "{}", "model", "is missing; this provider has clip-1, clip-0, edit, mute");
	assert_violates(NULL, "{}", "model", "is missing");
	assert_violates("clip-0", "{}", "model", "'clip-0' is retired");
	assert_violates("cl\nip", "{}", "model", "'cl\\x0aip' is not a model");
}

static void the_only_model_needs_no_name(void **state)
{
	static const char one[] = "{\"models\":[{\"name\":\"solo\",\"parameters\":{},\"outputs\":[]}]}";
	_cleanup_(job_capabilities_freep) struct job_capabilities *solo = NULL;
	struct job_verdict verdict;

	(void)state;
	assert_int_equal(job_capabilities_new(bytes_of_text(one), &solo, NULL), 0);
	assert_int_equal(job_validate(solo, "", bytes_of_text("{}"), JOB_VALIDATE_STRICT, &verdict), 0);
	assert_string_equal(verdict.model, "solo");
	job_verdict_finish(&verdict);
	assert_int_equal(job_validate(solo, NULL, bytes_of_text("{}"), JOB_VALIDATE_STRICT, &verdict), 0);
	job_verdict_finish(&verdict);
	assert_string_equal(job_capabilities_model(solo, 0), "solo");
	assert_null(job_capabilities_model(solo, 1));
}

static void parameters_that_are_no_object_are_refused(void **state)
{
	(void)state;
	assert_refused("", "parameters", "are not a JSON object");
	assert_refused("[]", "parameters", "are not a JSON object");
	assert_refused("{\"prompt\":\"ab\",\"prompt\":\"cd\"}", "parameters", "are not a JSON object");
	assert_refused("{\"prompt\":\"\xff\"}", "parameters", "are not a JSON object");
}

static void all_violations_come_at_once_up_to_the_limit(void **state)
{
	struct buffer order = {0};
	struct job_verdict verdict;

	(void)state;
	assert_int_equal(job_validate(capabilities, "clip-1",
				      bytes_of_text("{\"seed\":-1,\"fps\":1,\"audio\":1,\"nope\":1}"),
				      JOB_VALIDATE_STRICT, &verdict),
			 JOB_VALIDATE_E_VIOLATED);
	assert_int_equal(verdict.n_violations, 5);
	assert_false(verdict.is_cut);
	job_verdict_finish(&verdict);

	for (size_t n = LIMIT_JOB_VIOLATIONS; n <= LIMIT_JOB_VIOLATIONS + 1; n++) {
		order.len = 0;
		assert_int_equal(buffer_append_text(&order, "{\"prompt\":\"ab\""), 0);
		for (size_t i = 0; i < n; i++)
			assert_int_equal(buffer_printf(&order, ",\"x%zu\":0", i), 0);
		assert_int_equal(buffer_append_text(&order, "}"), 0);
		assert_int_equal(job_validate(capabilities, "clip-1", buffer_bytes(&order), JOB_VALIDATE_STRICT,
					      &verdict),
				 JOB_VALIDATE_E_VIOLATED);
		assert_int_equal(verdict.n_violations, LIMIT_JOB_VIOLATIONS);
		assert_int_equal(verdict.is_cut, n > LIMIT_JOB_VIOLATIONS);
		job_verdict_finish(&verdict);
	}
	buffer_finish(&order);
}

static void a_strangers_text_is_cut_at_a_character(void **state)
{
	struct buffer order = {0};
	struct job_verdict verdict;

	(void)state;
	assert_int_equal(buffer_append_text(&order, "{\"prompt\":\"ab\",\"resolution\":\"a"), 0);
	for (size_t i = 0; i < 100; i++)
		assert_int_equal(buffer_append_text(&order, "€"), 0);
	assert_int_equal(buffer_append_text(&order, "\"}"), 0);
	assert_int_equal(job_validate(capabilities, "clip-1", buffer_bytes(&order), JOB_VALIDATE_STRICT, &verdict),
			 JOB_VALIDATE_E_VIOLATED);
	assert_true(bytes_are_text(bytes_of_text(verdict.violations[0].text)));
	assert_non_null(strstr(verdict.violations[0].text, "…'"));
	assert_true(strlen(verdict.violations[0].text) < 160);
	job_verdict_finish(&verdict);

	order.len = 0;
	assert_int_equal(buffer_append_text(&order, "{\"prompt\":\"ab\",\""), 0);
	for (size_t i = 0; i < 1000; i++)
		assert_int_equal(buffer_append_text(&order, "é"), 0);
	assert_int_equal(buffer_append_text(&order, "\":0}"), 0);
	assert_int_equal(job_validate(capabilities, "clip-1", buffer_bytes(&order), JOB_VALIDATE_STRICT, &verdict),
			 JOB_VALIDATE_E_VIOLATED);
	assert_true(bytes_are_text(bytes_of_text(verdict.violations[0].field)));
	assert_true(strlen(verdict.violations[0].field) < 300);
	job_verdict_finish(&verdict);
	buffer_finish(&order);
}

static void assert_survives_without_memory(const char *parameters, int outcome)
{
	int nth = 0, r;
	bool has_failed;

	do {
		struct job_verdict verdict;

		allocator_fail(++nth);
		r = job_validate(capabilities, "clip-1", bytes_of_text(parameters), JOB_VALIDATE_STRICT, &verdict);
		has_failed = allocator_failed();
		assert_int_equal(r, has_failed ? -ENOMEM : outcome);
		job_verdict_finish(&verdict);
	} while (has_failed);
	assert_true(nth > 5);
}

static void running_out_of_memory_is_said_and_leaves_nothing_behind(void **state)
{
	(void)state;
	assert_survives_without_memory("{\"seed\":-1,\"nope\":1,\"extras\":{\"stile\":1}}", JOB_VALIDATE_E_VIOLATED);
	assert_survives_without_memory("{\"seed\":1,\"prompt\":\"a fox\"}", 0);
}

static void an_order_that_fits_comes_with_its_canonical_form(void **state)
{
	struct job_verdict verdict;

	(void)state;
	assert_int_equal(job_validate(capabilities, "clip-1", bytes_of_text("{ \"seed\" : 1, \"prompt\":\"a fox\" }"),
				      JOB_VALIDATE_STRICT, &verdict),
			 0);
	assert_string_equal(verdict.canonical, "{\"prompt\":\"a fox\",\"seed\":1}");
	job_verdict_finish(&verdict);
	assert_int_equal(job_validate(capabilities, "clip-1", bytes_of_text("{\"seed\":-1,\"prompt\":\"a fox\"}"),
				      JOB_VALIDATE_STRICT, &verdict),
			 JOB_VALIDATE_E_VIOLATED);
	assert_null(verdict.canonical);
	job_verdict_finish(&verdict);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_order_within_all_limits_fits),
		cmocka_unit_test(an_order_that_fits_comes_with_its_canonical_form),
		cmocka_unit_test(a_missing_parameter_is_named_with_its_help),
		cmocka_unit_test(lengths_count_characters_and_bytes),
		cmocka_unit_test(numbers_are_held_to_range_and_step),
		cmocka_unit_test(values_outside_a_list_are_answered_with_the_list),
		cmocka_unit_test(a_value_of_another_type_is_refused),
		cmocka_unit_test(the_contracts_own_bounds_hold_too),
		cmocka_unit_test(a_name_that_is_no_parameter_gets_a_suggestion),
		cmocka_unit_test(a_name_with_a_nul_is_no_parameter),
		cmocka_unit_test(a_parameter_of_other_models_is_not_taken),
		cmocka_unit_test(one_of_a_group_is_given),
		cmocka_unit_test(media_need_one_source_in_a_form_that_is_taken),
		cmocka_unit_test(media_are_taken_by_role_and_kind),
		cmocka_unit_test(addresses_and_handles_have_a_length),
		cmocka_unit_test(media_that_are_needed_are_asked_for),
		cmocka_unit_test(media_are_counted),
		cmocka_unit_test(moments_belong_to_keyframes_within_the_video),
		cmocka_unit_test(a_medium_inside_a_parameter_has_no_role),
		cmocka_unit_test(rules_narrow_limits),
		cmocka_unit_test(rules_require_and_forbid),
		cmocka_unit_test(a_rule_knows_the_value_of_what_is_unset),
		cmocka_unit_test(rules_count_media),
		cmocka_unit_test(extras_are_held_to_their_schema),
		cmocka_unit_test(extras_have_a_size_and_a_depth),
		cmocka_unit_test(an_order_has_a_size),
		cmocka_unit_test(an_unknown_model_is_answered_with_the_known_ones),
		cmocka_unit_test(the_only_model_needs_no_name),
		cmocka_unit_test(parameters_that_are_no_object_are_refused),
		cmocka_unit_test(all_violations_come_at_once_up_to_the_limit),
		cmocka_unit_test(a_strangers_text_is_cut_at_a_character),
		cmocka_unit_test(running_out_of_memory_is_said_and_leaves_nothing_behind),
	};

	return cmocka_run_group_tests_name("job.validate", tests, take_manifest, drop_manifest);
}
