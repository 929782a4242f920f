#include "params.h"

#include "document.h"
#include "field.h"

#include "base/err.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static int setup(void **state)
{
	*state = field_message_new(&filmgate__v1__job_parameters__descriptor);
	return *state ? 0 : -1;
}

static int teardown(void **state)
{
	protobuf_c_message_free_unpacked(*state, NULL);
	return 0;
}

static void set(void **state, const char *assignment)
{
	struct errmsg error = {""};

	if (params_set(*state, assignment, &error))
		fail_msg("%s: %s", assignment, error.text);
}

static void must_refuse(void **state, const char *assignment, const char *says)
{
	struct errmsg error = {""};

	assert_int_equal(params_set(*state, assignment, &error), PARAMS_E_INVALID);
	if (!strstr(error.text, says))
		fail_msg("%s: '%s' does not say '%s'", assignment, error.text, says);
}

static void expect_document(void **state, const char *expected)
{
	_cleanup_(json_freep) struct json *json = json_new(NULL);
	_cleanup_(buffer_finish) struct buffer text = {0};

	assert_int_equal(json_write(json, document_of_message(json, *state), JSON_FORM_CANONICAL, &text), 0);
	assert_string_equal(text.data, expected);
}

static void values_are_typed_by_their_field(void **state)
{
	set(state, "prompt=7");
	set(state, "fps=30");
	set(state, "audio=off");
	set(state, "duration_ms=8s");
	set(state, "seed=17454220438242315174");
	expect_document(state, "{\"audio\":\"off\",\"duration_ms\":8000,\"fps\":30,\"prompt\":\"7\","
			       "\"seed\":17454220438242315174}");
}

static void dots_lead_into_submessages(void **state)
{
	set(state, "script.text=a=b");
	set(state, "background.color=#202020");
	set(state, "size.width=1920");
	set(state, "size.height=1080");
	expect_document(state, "{\"background\":{\"color\":\"#202020\"},\"script\":{\"text\":\"a=b\"},"
			       "\"size\":{\"height\":1080,\"width\":1920}}");
}

static void brackets_choose_an_item_or_make_the_next_one(void **state)
{
	set(state, "media[0].url=https://a/b.png");
	set(state, "media[0].kind=image");
	set(state, "media[1].provider_handle=h");
	expect_document(state,
			"{\"media\":[{\"kind\":\"image\",\"url\":\"https://a/b.png\"},{\"provider_handle\":\"h\"}]}");
	must_refuse(state, "media[3].url=x", "2 items");
	must_refuse(state, "media[-1].url=x", "2 items");
	must_refuse(state, "media.url=x", "media[2]");
	must_refuse(state, "size[0].width=3", "not a list");
}

static void a_list_ends_at_its_limit(void **state)
{
	char name[32];

	for (int i = 0; i < 32; i++) {
		snprintf(name, sizeof(name), "media[%d].url=x", i);
		set(state, name);
	}
	must_refuse(state, "media[32].url=x", "32 items");
}

static void extras_are_json_where_they_look_like_it_and_text_elsewhere(void **state)
{
	set(state, "extras.engine.type=avatar_v");
	set(state, "extras.engine.level=1.5");
	set(state, "extras.flag=true");
	set(state, "extras.none=null");
	set(state, "extras.quoted=\"12\"");
	set(state, "extras.list=[1, {\"a\": \"b\"}]");
	set(state, "extras.word=truely");
	expect_document(state, "{\"extras\":{\"engine\":{\"level\":1.5,\"type\":\"avatar_v\"},\"flag\":true,"
			       "\"list\":[1,{\"a\":\"b\"}],\"none\":null,\"quoted\":\"12\",\"word\":\"truely\"}}");
}

static void an_integer_that_a_double_would_round_travels_as_text(void **state)
{
	set(state, "extras.exact=9007199254740992");
	set(state, "extras.seed=17454220438242315174");
	set(state, "extras.huge=99999999999999999999999999");
	expect_document(state, "{\"extras\":{\"exact\":9007199254740992,\"huge\":\"99999999999999999999999999\","
			       "\"seed\":\"17454220438242315174\"}}");
}

static void a_later_extra_replaces_an_earlier_one(void **state)
{
	set(state, "extras.a=1");
	set(state, "extras.a.b=2");
	set(state, "extras.a.b=3");
	expect_document(state, "{\"extras\":{\"a\":{\"b\":3}}}");
}

static void mistakes_are_explained(void **state)
{
	must_refuse(state, "promt=x", "did you mean 'prompt'");
	must_refuse(state, "duration=8", "did you mean 'duration_ms'");
	must_refuse(state, "style=x", "extras.style");
	must_refuse(state, "prompt", "NAME=VALUE");
	must_refuse(state, "=x", "NAME=VALUE");
	must_refuse(state, "script=x", "script.NAME");
	must_refuse(state, "extras=x", "extras.NAME");
	must_refuse(state, "prompt.text=x", "no parts");
	must_refuse(state, "extras.=x", "no name");
	must_refuse(state, "extras.a={\"b\":", "JSON");
	must_refuse(state, "fps=many", "fps: 'many'");
}

static void add(void **state, Filmgate__V1__MediaKind kind, const char *argument)
{
	struct errmsg error = {""};

	if (params_add_media(*state, kind, argument, &error))
		fail_msg("%s: %s", argument, error.text);
}

#define IMAGE FILMGATE__V1__MEDIA_KIND__MEDIA_KIND_IMAGE

static void media_have_a_role_and_a_source(void **state)
{
	add(state, IMAGE, "https://a/b.png?c=d");
	add(state, IMAGE, "source=https://a/b.png");
	add(state, IMAGE, "keyframe@1500ms=handle=x");
	add(state, FILMGATE__V1__MEDIA_KIND__MEDIA_KIND_VIDEO, "http://a/c.mp4");
	add(state, FILMGATE__V1__MEDIA_KIND__MEDIA_KIND_AUDIO, "asset_1");
	expect_document(state,
			"{\"media\":["
			"{\"kind\":\"image\",\"role\":\"first_frame\",\"url\":\"https://a/b.png?c=d\"},"
			"{\"kind\":\"image\",\"role\":\"source\",\"url\":\"https://a/b.png\"},"
			"{\"at_ms\":1500,\"kind\":\"image\",\"provider_handle\":\"handle=x\",\"role\":\"keyframe\"},"
			"{\"kind\":\"video\",\"role\":\"source\",\"url\":\"http://a/c.mp4\"},"
			"{\"kind\":\"audio\",\"provider_handle\":\"asset_1\",\"role\":\"reference\"}]}");
}

static void a_moment_that_is_none_is_refused(void **state)
{
	struct errmsg error = {""};

	assert_int_equal(params_add_media(*state, IMAGE, "keyframe@soon=x", &error), PARAMS_E_INVALID);
	assert_non_null(strstr(error.text, "'soon'"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(values_are_typed_by_their_field),
		TEST(dots_lead_into_submessages),
		TEST(brackets_choose_an_item_or_make_the_next_one),
		TEST(a_list_ends_at_its_limit),
		TEST(extras_are_json_where_they_look_like_it_and_text_elsewhere),
		TEST(an_integer_that_a_double_would_round_travels_as_text),
		TEST(a_later_extra_replaces_an_earlier_one),
		TEST(mistakes_are_explained),
		TEST(media_have_a_role_and_a_source),
		TEST(a_moment_that_is_none_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
