#include "job/validate.h"

#include "allocator.h"
#include "base/err.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

/* A manifest with one model, @members put before its parameters. */
static void take(const char *members, int expected, const char *words)
{
	_cleanup_(job_capabilities_freep) struct job_capabilities *capabilities = NULL;
	struct buffer text = {0};
	struct errmsg error = {0};
	int r;

	assert_int_equal(buffer_printf(&text, "{\"models\":[{\"name\":\"m\",%s}]}", members), 0);
	r = job_capabilities_new(buffer_bytes(&text), &capabilities, &error);
	if (r != expected || (words && !strstr(error.text, words)))
		fail_msg("%s\n gave %d '%s', not %d '%s'", text.data, r, error.text, expected, words ? words : "");
	buffer_finish(&text);
}

static void accept(const char *members)
{
	take(members, 0, NULL);
}

static void refuse(const char *members, const char *words)
{
	take(members, JOB_VALIDATE_E_MANIFEST, words);
}

#define PARAMETERS(text) "\"outputs\":[],\"parameters\":{" text "}"
#define RULE(text)                                                                               \
	PARAMETERS("\"prompt\":{},\"seed\":{},\"script.text\":{}")                               \
	",\"media\":[{\"role\":\"source\",\"kind\":\"image\"}],\"extras\":{\"type\":\"object\"," \
	"\"additionalProperties\":false,\"properties\":{\"a\":{\"type\":\"object\"}}},\"rules\":[{" text "}]"
#define EXTRAS(text) PARAMETERS("") ",\"extras\":{" text "}"

static void a_document_needs_a_list_of_models(void **state)
{
	static const char *const texts[] = {"{}", "{\"models\":[]}", "{\"models\":{}}", "[]", "nonsense", ""};
	struct job_capabilities *capabilities = NULL;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct errmsg error = {0};

		assert_int_equal(job_capabilities_new(bytes_of_text(texts[i]), &capabilities, &error),
				 JOB_VALIDATE_E_MANIFEST);
		assert_null(capabilities);
		assert_true(strlen(error.text) > 0);
	}
	assert_int_equal(job_capabilities_new(bytes_of_text("{}"), &capabilities, NULL), JOB_VALIDATE_E_MANIFEST);
}

static void a_model_needs_its_members_and_no_others(void **state)
{
	(void)state;
	accept(PARAMETERS(""));
	accept("\"parameters\":{}");
	refuse("\"outputs\":[]", "models[0].parameters is missing");
	refuse(PARAMETERS("") ",\"modes\":[]", "models[0].modes is not known");
	refuse(PARAMETERS("") ",\"title\":7", "models[0].title is not a text");
	refuse(PARAMETERS("") ",\"lifecycle\":{\"stage\":\"new\"}", "models[0].lifecycle has a stage");
	refuse(PARAMETERS("") ",\"lifecycle\":{}", "models[0].lifecycle.stage is missing");
	refuse(PARAMETERS("") ",\"lifecycle\":{\"stage\":\"preview\",\"deprecated_on\":\"2026-11-2x\"}",
	       "models[0].lifecycle.deprecated_on is not a date such as 2026-11-22");
	accept(PARAMETERS("") ",\"lifecycle\":{\"stage\":\"deprecated\",\"retires_on\":\"2027-05-04\"}");
	refuse("\"outputs\":[{}],\"parameters\":{}", "models[0].outputs[0].role is missing");
}

static void names_of_models_are_different_and_not_empty(void **state)
{
	static const char twice[] = "{\"models\":[{\"name\":\"a\",\"parameters\":{},\"outputs\":[]},"
				    "{\"name\":\"a\",\"parameters\":{},\"outputs\":[]}]}";
	static const char empty[] = "{\"models\":[{\"name\":\"\",\"parameters\":{},\"outputs\":[]}]}";
	struct job_capabilities *capabilities = NULL;
	struct errmsg error = {0};

	(void)state;
	assert_int_equal(job_capabilities_new(bytes_of_text(twice), &capabilities, &error), JOB_VALIDATE_E_MANIFEST);
	assert_non_null(strstr(error.text, "models[1] has the name of another model"));
	assert_int_equal(job_capabilities_new(bytes_of_text(empty), &capabilities, &error), JOB_VALIDATE_E_MANIFEST);
	assert_non_null(strstr(error.text, "models[0].name is not 1 to 255 letters, digits and ._:/-"));
}

static void a_name_has_255_letters_at_most(void **state)
{
	struct job_capabilities *capabilities = NULL;
	char name[257];

	(void)state;
	for (size_t n = 255; n <= 256; n++) {
		struct buffer text = {0};

		memset(name, 'm', n);
		name[n] = '\0';
		assert_int_equal(buffer_printf(&text, "{\"models\":[{\"name\":\"%s\",\"parameters\":{}}]}", name), 0);
		assert_int_equal(job_capabilities_new(buffer_bytes(&text), &capabilities, NULL),
				 n > 255 ? JOB_VALIDATE_E_MANIFEST : 0);
		capabilities = job_capabilities_free(capabilities);
		buffer_finish(&text);
	}
}

static void a_misspelt_limit_is_found(void **state)
{
	(void)state;
	refuse(PARAMETERS("\"promt\":{}"), "models[0].parameters.promt is not a canonical parameter");
	refuse(PARAMETERS("\"script\":{}"), "models[0].parameters.script is not a canonical parameter");
	refuse(PARAMETERS("\"prompt\":{\"maxlength\":5}"), "models[0].parameters.prompt.maxlength is not known");
	refuse(PARAMETERS("\"prompt\":{\"max_length\":\"5\"}"), "max_length is not a number");
	refuse(PARAMETERS("\"prompt\":{\"max_length\":-5}"), "max_length is not a whole number");
	refuse(PARAMETERS("\"prompt\":[]"), "models[0].parameters.prompt is not an object");
}

static void a_limit_must_mean_something(void **state)
{
	(void)state;
	refuse(PARAMETERS("\"prompt\":{\"max\":5}"), "prompt.max says nothing about a parameter of this kind");
	refuse(PARAMETERS("\"seed\":{\"max_length\":5}"), "seed.max_length says nothing");
	refuse(PARAMETERS("\"audio\":{\"step\":5}"), "audio.step says nothing");
	refuse(PARAMETERS("\"script.audio\":{\"values\":[\"a\"]}"), "script.audio.values says nothing");
	refuse(PARAMETERS("\"seed\":{\"step\":0}"), "seed.step is not a whole number");
	refuse(PARAMETERS("\"seed\":{\"min\":5,\"max\":4}"), "seed has a min above its max");
	refuse(PARAMETERS("\"resolution\":{\"values\":[]}"), "resolution.values is empty");
	refuse(PARAMETERS("\"script.audio\":{\"forms\":[7]}"), "script.audio.forms is not a list of texts");
	refuse(PARAMETERS("\"script.audio\":{\"forms\":[\"handle\"]}"),
	       "forms has 'handle', which is not in the contract");
	refuse(PARAMETERS("\"script.audio\":{\"kinds\":[\"sound\"]}"), "kinds has 'sound'");
}

static void values_and_defaults_are_within_the_limits_beside_them(void **state)
{
	(void)state;
	accept(PARAMETERS("\"fps\":{\"values\":[24,30],\"default\":30}"));
	refuse(PARAMETERS("\"fps\":{\"values\":[24,300]}"), "fps.values is outside the limits");
	refuse(PARAMETERS("\"resolution\":{\"values\":[\"720p\"],\"default\":\"4k\"}"),
	       "resolution.default is outside");
	refuse(PARAMETERS("\"duration_ms\":{\"min\":4000,\"step\":1000,\"default\":4500}"),
	       "duration_ms.default is outside");
	refuse(PARAMETERS("\"audio\":{\"default\":true}"), "audio.default is outside");
}

static void media_have_roles_and_kinds_of_the_contract(void **state)
{
	(void)state;
	accept(PARAMETERS("") ",\"media\":[{\"role\":\"source\",\"kind\":\"audio\",\"min\":1,\"max\":32}]");
	refuse(PARAMETERS("") ",\"media\":[{\"role\":\"hero\",\"kind\":\"image\"}]", "models[0].media[0] has a role");
	refuse(PARAMETERS("") ",\"media\":[{\"role\":\"source\",\"kind\":\"text\"}]", "models[0].media[0] has a kind");
	refuse(PARAMETERS("") ",\"media\":[{\"role\":\"source\"}]", "models[0].media[0].kind is missing");
	refuse(PARAMETERS("") ",\"media\":[{\"role\":\"source\",\"kind\":\"image\",\"max\":33}]", "min or max");
	refuse(PARAMETERS("") ",\"media\":[{\"role\":\"source\",\"kind\":\"image\",\"min\":2}]", "min or max");
	refuse(PARAMETERS("") ",\"media\":[{\"role\":\"source\",\"kind\":\"image\",\"forms\":[\"\"]}]", "forms is not");
}

static void rules_name_paths_that_exist(void **state)
{
	(void)state;
	accept(RULE("\"then\":{\"script\":{\"required\":true}},\"message\":\"speak\""));
	accept(RULE("\"when\":{\"media.source\":{\"present\":true},\"extras.a.b\":[1,true,\"x\"],\"seed\":7},"
		    "\"then\":{\"extras.a\":{\"forbidden\":true}},\"message\":\"no\""));
	refuse(RULE("\"then\":{\"prompt\":{}},\"message\":\"x\""), "rules[0].then.prompt demands nothing");
	refuse(RULE("\"then\":{},\"when\":{\"promt\":1},\"message\":\"x\""),
	       "rules[0].when.promt is nothing that this model takes");
	refuse(RULE("\"then\":{\"media.\":{\"required\":true}},\"message\":\"x\""), "rules[0].then.media. is nothing");
	refuse(RULE("\"then\":{\"fps\":{\"required\":true}},\"message\":\"x\""), "rules[0].then.fps is nothing");
	refuse(RULE("\"then\":{\"background\":{\"required\":true}},\"message\":\"x\""), "then.background is nothing");
	refuse(RULE("\"then\":{\"media.reference\":{\"required\":true}},\"message\":\"x\""),
	       "media.reference is nothing");
	refuse(RULE("\"then\":{\"extras.b\":{\"required\":true}},\"message\":\"x\""), "then.extras.b is nothing");
	refuse(RULE("\"then\":{\"prompt\":{\"required\":true}}"), "rules[0].message is missing");
	refuse(RULE("\"message\":\"x\""), "rules[0].then is missing");
	refuse(RULE("\"when\":{\"prompt\":{\"absent\":true}},\"then\":{},\"message\":\"x\""),
	       "when.prompt.absent is not known");
	refuse(RULE("\"when\":{\"prompt\":[]},\"then\":{},\"message\":\"x\""), "when.prompt is neither a value");
	refuse(RULE("\"when\":{\"prompt\":null},\"then\":{},\"message\":\"x\""), "when.prompt is neither a value");
	refuse(RULE("\"when\":{\"media.source\":1},\"then\":{},\"message\":\"x\""), "media.source can only be");
	refuse(RULE("\"then\":{\"prompt\":{\"max\":1}},\"message\":\"x\""), "then.prompt.max says nothing");
	refuse(RULE("\"then\":{\"media.source\":{\"values\":[1]}},\"message\":\"x\""),
	       "then.media.source.values is not known");
}

static void the_schema_of_extras_is_a_small_one(void **state)
{
	(void)state;
	accept(EXTRAS(
		"\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"array\",\"items\":{\"type\":\"integer\"}}}"));
	refuse(EXTRAS("\"type\":\"string\""), "models[0].extras is not of the type object");
	refuse(EXTRAS("\"properties\":{}"), "models[0].extras.type is missing");
	refuse(EXTRAS("\"type\":\"object\",\"oneOf\":[]"), "models[0].extras.oneOf is not known");
	refuse(EXTRAS("\"type\":\"object\",\"required\":[1]"), "models[0].extras.required is not a list of texts");
	refuse(EXTRAS("\"type\":\"object\",\"additionalProperties\":{}"), "additionalProperties is not true or false");
	refuse(EXTRAS("\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"date\"}}"),
	       "extras.properties.a has a type");
	refuse(EXTRAS("\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"string\",\"enum\":[]}}"), "enum is empty");
	refuse(EXTRAS("\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"string\",\"maxLength\":1.5}}"),
	       "extras.properties.a.maxLength is not a whole number");
	refuse(EXTRAS("\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"array\",\"items\":{}}}"),
	       "extras.properties.a.items.type is missing");
}

static void a_manifest_has_a_size(void **state)
{
	struct job_capabilities *capabilities = NULL;
	struct errmsg error = {0};
	struct buffer text = {0};

	(void)state;
	assert_int_equal(buffer_append_text(&text, "{\"models\":[{\"name\":\"m\",\"parameters\":{},\"outputs\":[]}]}"),
			 0);
	while (text.len < LIMIT_JOB_MANIFEST_BYTES)
		assert_int_equal(buffer_append_text(&text, " "), 0);
	assert_int_equal(job_capabilities_new(buffer_bytes(&text), &capabilities, &error), 0);
	capabilities = job_capabilities_free(capabilities);
	assert_int_equal(buffer_append_text(&text, " "), 0);
	assert_int_equal(job_capabilities_new(buffer_bytes(&text), &capabilities, &error), JOB_VALIDATE_E_MANIFEST);
	assert_string_equal(error.text, "is 262145 bytes long; at most 262144 are taken");
	buffer_finish(&text);
}

static void a_manifest_has_so_many_models(void **state)
{
	struct job_capabilities *capabilities = NULL;
	struct buffer text = {0};

	(void)state;
	for (int n = LIMIT_JOB_MODELS; n <= LIMIT_JOB_MODELS + 1; n++) {
		text.len = 0;
		assert_int_equal(buffer_append_text(&text, "{\"models\":["), 0);
		for (int i = 0; i < n; i++)
			assert_int_equal(buffer_printf(&text, "%s{\"name\":\"m%d\",\"parameters\":{},\"outputs\":[]}",
						       i ? "," : "", i),
					 0);
		assert_int_equal(buffer_append_text(&text, "]}"), 0);
		assert_int_equal(job_capabilities_new(buffer_bytes(&text), &capabilities, NULL),
				 n > LIMIT_JOB_MODELS ? JOB_VALIDATE_E_MANIFEST : 0);
		capabilities = job_capabilities_free(capabilities);
	}
	buffer_finish(&text);
}

static void running_out_of_memory_leaves_nothing_behind(void **state)
{
	static const char text[] =
		"{\"models\":[{\"name\":\"m\",\"parameters\":{\"fps\":{\"values\":[24,30],\"default\":24}}}]}";
	int nth = 0, r;
	bool has_failed;

	(void)state;
	do {
		struct job_capabilities *capabilities = NULL;

		allocator_fail(++nth);
		r = job_capabilities_new(bytes_of_text(text), &capabilities, NULL);
		has_failed = allocator_failed();
		assert_int_equal(r, has_failed ? -ENOMEM : 0);
		job_capabilities_free(capabilities);
	} while (has_failed);
	assert_true(nth > 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_document_needs_a_list_of_models),
		cmocka_unit_test(a_model_needs_its_members_and_no_others),
		cmocka_unit_test(names_of_models_are_different_and_not_empty),
		cmocka_unit_test(a_name_has_255_letters_at_most),
		cmocka_unit_test(a_misspelt_limit_is_found),
		cmocka_unit_test(a_limit_must_mean_something),
		cmocka_unit_test(values_and_defaults_are_within_the_limits_beside_them),
		cmocka_unit_test(media_have_roles_and_kinds_of_the_contract),
		cmocka_unit_test(rules_name_paths_that_exist),
		cmocka_unit_test(the_schema_of_extras_is_a_small_one),
		cmocka_unit_test(a_manifest_has_a_size),
		cmocka_unit_test(a_manifest_has_so_many_models),
		cmocka_unit_test(running_out_of_memory_leaves_nothing_behind),
	};

	return cmocka_run_group_tests_name("job.capability", tests, NULL, NULL);
}
