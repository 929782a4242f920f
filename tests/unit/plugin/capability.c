#include "plugin/capability.h"

#include "base/limits.h"
#include "plugin/fixtures.h"

static struct plugin *toy;

static int load(void **state)
{
	(void)state;
	toy = fixture_plugin("toy");
	return 0;
}

static int unload(void **state)
{
	(void)state;
	plugin_free(toy);
	return 0;
}

struct found {
	unsigned int count;
	char text[8192]; /* "field: words\n" each */
};

static void on_violation(void *userdata, const char *field, const char *text)
{
	struct found *found = userdata;
	size_t len = strlen(found->text);

	found->count++;
	snprintf(found->text + len, sizeof(found->text) - len, "%s: %s\n", field, text);
}

static struct found check(const char *model, const char *parameters)
{
	_cleanup_(json_freep) struct json *json = json_new(NULL);
	struct found found = {0};
	unsigned int count;
	json_node root;

	assert_int_equal(json_parse(json, bytes_of_text(parameters), JSON_DUPLICATES_REFUSE, &root, NULL), 0);
	count = plugin_capability_check(plugin_manifest(toy), model, json, root, on_violation, &found);
	assert_int_equal(count, found.count);
	return found;
}

static void fits(const char *parameters)
{
	struct found found = check("clip-1", parameters);

	if (found.count)
		fail_msg("%s: %s", parameters, found.text);
}

static void violates(const char *parameters, const char *line)
{
	struct found found = check("clip-1", parameters);

	if (found.count != 1 || !strstr(found.text, line))
		fail_msg("%s: '%s' is not just '%s'", parameters, found.text, line);
}

static void an_order_within_the_limits_fits(void **state)
{
	(void)state;
	fits("{\"prompt\":\"ab\"}");
	fits("{\"prompt\":\"0123456789\",\"duration_ms\":4000,\"resolution\":\"720p\"}");
	fits("{\"prompt\":\"ab\",\"duration_ms\":15000,\"seed\":18446744073709551615,\"watermark\":\"off\"}");
	fits("{\"prompt\":\"\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\"}");
	fits("{\"prompt\":\"ab\",\"media\":[{\"role\":\"reference\",\"kind\":\"image\",\"handle\":\"h\"},"
	     "{\"role\":\"reference\",\"kind\":\"image\",\"url\":\"https://i.example\"}]}");
	fits("{\"prompt\":\"ab\",\"background\":{\"media\":{\"kind\":\"image\",\"url\":\"https://i.example\"}}}");
}

static void each_limit_is_named_with_the_value_and_the_remedy(void **state)
{
	(void)state;
	violates("{}", "parameters.prompt: is required by this model");
	violates("{\"prompt\":\"a\"}", "parameters.prompt: is 1 characters long; at least 2 are needed");
	violates("{\"prompt\":\"0123456789x\"}", "parameters.prompt: is 11 characters long; shorten it to 10");
	violates("{\"prompt\":5}", "parameters.prompt: must be text");
	violates("{\"prompt\":\"ab\",\"voice_id\":\"v\"}",
		 "parameters.voice_id: is not taken by this model; leave it out");
	violates("{\"prompt\":\"ab\",\"script\":{\"text\":\"v\"}}",
		 "parameters.script.text: is not taken by this model");
	violates("{\"prompt\":\"ab\",\"size\":{\"width\":640}}", "parameters.size.width: is not taken by this model");
	violates("{\"prompt\":\"ab\",\"duration_ms\":3999}",
		 "parameters.duration_ms: 3999 is too small; the least is 4000");
	violates("{\"prompt\":\"ab\",\"duration_ms\":15001}", "15001 is too large; the most is 15000");
	violates("{\"prompt\":\"ab\",\"duration_ms\":4500}", "4500 is not a step of 1000 from 4000");
	violates("{\"prompt\":\"ab\",\"duration_ms\":4000.5}", "must be a whole number");
	violates("{\"prompt\":\"ab\",\"duration_ms\":\"5000\"}", "must be a whole number");
	violates("{\"prompt\":\"ab\",\"seed\":-1}", "parameters.seed: -1 is too small");
	violates("{\"prompt\":\"ab\",\"seed\":18446744073709551616}", "must be a whole number");
	violates("{\"prompt\":\"ab\",\"resolution\":\"4k\"}", "'4k' is not offered; choose one of 720p, 1080p");
	violates("{\"prompt\":\"ab\",\"audio\":\"yes\"}", "parameters.audio: must be on or off");
	violates("{\"prompt\":\"ab\",\"watermark\":\"on\"}", "'on' is not offered; choose one of off");
	violates("{\"prompt\":\"ab\",\"background\":{\"media\":{\"kind\":\"video\",\"url\":\"u\"}}}",
		 "parameters.background.media: 'video' is not taken here; give image");
	violates("{\"prompt\":\"ab\",\"background\":{\"media\":{\"kind\":\"image\",\"handle\":\"h\"}}}",
		 "parameters.background.media: cannot be given as a handle; give it as url");
}

static void inputs_are_counted_and_judged_by_role(void **state)
{
	(void)state;
	violates("{\"prompt\":\"ab\",\"media\":[{\"role\":\"last_frame\",\"kind\":\"image\",\"url\":\"u\"}]}",
		 "parameters.media[0]: the role 'last_frame' is not taken");
	violates("{\"prompt\":\"ab\",\"media\":[{\"role\":\"reference\",\"kind\":\"video\",\"url\":\"u\"}]}",
		 "parameters.media[0]: a video cannot be the reference; give image");
	violates("{\"prompt\":\"ab\",\"media\":[{\"role\":\"reference\",\"kind\":\"image\",\"url\":\"u\"},"
		 "{\"role\":\"reference\",\"kind\":\"image\",\"url\":\"u\"},"
		 "{\"role\":\"reference\",\"kind\":\"image\",\"url\":\"u\"}]}",
		 "parameters.media: has 3 of the role 'reference'; at most 2 are taken");
}

static void rules_speak_when_they_hold_and_know_defaults(void **state)
{
	(void)state;
	fits("{\"prompt\":\"ab\",\"resolution\":\"1080p\",\"duration_ms\":8000}");
	fits("{\"prompt\":\"ab\",\"resolution\":\"720p\",\"duration_ms\":9000}");
	fits("{\"prompt\":\"ab\",\"duration_ms\":9000}");
	violates("{\"prompt\":\"ab\",\"resolution\":\"1080p\",\"duration_ms\":9000}",
		 "parameters.duration_ms: 1080p clips are at most 8 seconds long");
	violates("{\"prompt\":\"ab\",\"audio\":\"on\",\"seed\":1}", "parameters.seed: with audio there is no seed");
	fits("{\"prompt\":\"ab\",\"audio\":\"off\",\"seed\":1}");
	fits("{\"prompt\":\"ab\",\"audio\":\"off\",\"media\":[{\"role\":\"first_frame\",\"kind\":\"image\",\"url\":\"u\"}]}");
	violates("{\"prompt\":\"ab\",\"media\":[{\"role\":\"first_frame\",\"kind\":\"image\",\"url\":\"u\"}]}",
		 "parameters.audio: a first frame excludes references");
	violates(
		"{\"prompt\":\"ab\",\"audio\":\"off\",\"media\":[{\"role\":\"first_frame\",\"kind\":\"image\",\"url\":\"u\"},"
		"{\"role\":\"reference\",\"kind\":\"image\",\"url\":\"u\"}]}",
		"parameters.media: a first frame excludes references");
}

static void extras_are_checked_by_their_schema(void **state)
{
	(void)state;
	fits("{\"prompt\":\"ab\",\"extras\":{}}");
	fits("{\"prompt\":\"ab\",\"extras\":{\"style\":\"film\",\"strength\":1.5,\"camera\":{\"pan\":-3},\"tags\":[\"abc\"]}}");
	violates("{\"prompt\":\"ab\",\"extras\":{\"stile\":\"film\"}}", "parameters.extras: 'stile' is not known here");
	violates("{\"prompt\":\"ab\",\"extras\":{\"style\":\"noir\"}}",
		 "parameters.extras.style: 'noir' is not offered");
	violates("{\"prompt\":\"ab\",\"extras\":{\"style\":1}}", "parameters.extras.style: must be of the type string");
	violates("{\"prompt\":\"ab\",\"extras\":{\"strength\":1.6}}",
		 "parameters.extras.strength: is too large; the most is 1.5");
	violates("{\"prompt\":\"ab\",\"extras\":{\"strength\":-0.1}}", "parameters.extras.strength: is too small");
	violates("{\"prompt\":\"ab\",\"extras\":{\"camera\":{}}}", "parameters.extras.camera: lacks 'pan'");
	violates("{\"prompt\":\"ab\",\"extras\":{\"camera\":{\"pan\":1.5}}}",
		 "parameters.extras.camera.pan: must be of the type integer");
	violates("{\"prompt\":\"ab\",\"extras\":{\"camera\":{\"pan\":1,\"tilt\":2}}}",
		 "parameters.extras.camera: 'tilt' is not known");
	violates("{\"prompt\":\"ab\",\"extras\":{\"tags\":[\"abc\",\"abcd\"]}}",
		 "parameters.extras.tags.1: is too long");
	violates("{\"prompt\":\"ab\",\"extras\":[]}", "parameters.extras: must be of the type object");
}

static void a_model_that_is_not_there_or_retired_is_the_only_complaint(void **state)
{
	struct found unknown = check("clip-9", "{}"), retired = check("clip-0", "{}"), empty = check("", "{}");

	(void)state;
	assert_string_equal(unknown.text,
			    "model: 'clip-9' is no model of this provider; choose one of clip-1, clip-0\n");
	assert_string_equal(retired.text, "model: the provider has retired this model; choose another one\n");
	assert_int_equal(empty.count, 1);
}

static void all_mistakes_are_told_at_once_up_to_the_limit(void **state)
{
	_cleanup_(buffer_finish) struct buffer text = {0};
	struct found found = check("clip-1", "{\"duration_ms\":1,\"resolution\":\"4k\",\"extras\":{\"style\":\"x\"}}");

	(void)state;
	assert_int_equal(found.count, 4);
	buffer_append_text(&text, "{\"prompt\":\"ab\",\"extras\":{\"tags\":[1");
	for (int i = 0; i < 2 * LIMIT_PLUGIN_VIOLATIONS; i++)
		buffer_append_text(&text, ",1");
	buffer_append_text(&text, "]}}");
	found = check("clip-1", text.data);
	assert_int_equal(found.count, LIMIT_PLUGIN_VIOLATIONS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_order_within_the_limits_fits),
		cmocka_unit_test(each_limit_is_named_with_the_value_and_the_remedy),
		cmocka_unit_test(inputs_are_counted_and_judged_by_role),
		cmocka_unit_test(rules_speak_when_they_hold_and_know_defaults),
		cmocka_unit_test(extras_are_checked_by_their_schema),
		cmocka_unit_test(a_model_that_is_not_there_or_retired_is_the_only_complaint),
		cmocka_unit_test(all_mistakes_are_told_at_once_up_to_the_limit),
	};

	return cmocka_run_group_tests(tests, load, unload);
}
