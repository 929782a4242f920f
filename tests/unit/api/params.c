#include "api/params.h"

#include "api/message.h"
#include "api/structs.h"
#include "base/err.h"
#include "base/json.h"

#include <float.h>
#include <google/protobuf/duration.pb-c.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define P(name) FILMGATE__V1__##name

/* Everything at once; static parts, so that a test may change them for itself. */
struct full {
	Filmgate__V1__JobParameters params;
	Filmgate__V1__Script script;
	Filmgate__V1__Background background;
	Filmgate__V1__Media photo, frame, *media[2];
	Google__Protobuf__Duration duration, at;
	Filmgate__V1__FrameSize size;
	Google__Protobuf__Struct extras;
	Google__Protobuf__Struct__FieldsEntry entries[2], *fields[2];
	Google__Protobuf__Value values[2];
};

static void fill_media(struct full *full)
{
	filmgate__v1__media__init(&full->photo);
	full->photo.kind = P(MEDIA_KIND__MEDIA_KIND_IMAGE);
	full->photo.source_case = P(MEDIA__SOURCE_PROVIDER_HANDLE);
	full->photo.provider_handle = (char *)"asset-1";
	filmgate__v1__media__init(&full->frame);
	full->frame.kind = P(MEDIA_KIND__MEDIA_KIND_IMAGE);
	full->frame.role = P(MEDIA_ROLE__MEDIA_ROLE_KEYFRAME);
	full->frame.source_case = P(MEDIA__SOURCE_URL);
	full->frame.url = (char *)"https://example.com/a?b=\"c\"";
	google__protobuf__duration__init(&full->at);
	full->at.nanos = 500000000;
	full->frame.at = &full->at;
	full->media[0] = &full->frame;
	full->params.media = full->media;
	full->params.n_media = 1;
}

static void fill_extras(struct full *full)
{
	google__protobuf__struct__init(&full->extras);
	for (int i = 0; i < 2; i++) {
		google__protobuf__struct__fields_entry__init(&full->entries[i]);
		google__protobuf__value__init(&full->values[i]);
		full->entries[i].value = &full->values[i];
		full->fields[i] = &full->entries[i];
	}
	full->entries[0].key = (char *)"cfg";
	full->values[0].kind_case = GOOGLE__PROTOBUF__VALUE__KIND_NUMBER_VALUE;
	full->values[0].number_value = 0.1;
	full->entries[1].key = (char *)"none";
	full->values[1].kind_case = GOOGLE__PROTOBUF__VALUE__KIND_NULL_VALUE;
	full->extras.fields = full->fields;
	full->extras.n_fields = 2;
	full->params.extras = &full->extras;
}

static void fill(struct full *full)
{
	filmgate__v1__job_parameters__init(&full->params);
	filmgate__v1__script__init(&full->script);
	filmgate__v1__background__init(&full->background);
	filmgate__v1__frame_size__init(&full->size);
	google__protobuf__duration__init(&full->duration);
	fill_media(full);
	fill_extras(full);
	full->params.prompt = (char *)"a cat\nna\xc3\xafve \x01";
	full->script.content_case = P(SCRIPT__CONTENT_TEXT);
	full->script.text = (char *)"hello";
	full->params.script = &full->script;
	full->background.content_case = P(BACKGROUND__CONTENT_MEDIA);
	full->background.media = &full->photo;
	full->params.background = &full->background;
	full->duration.seconds = 12;
	full->duration.nanos = 345000000;
	full->params.duration = &full->duration;
	full->params.aspect_ratio = (char *)"16:9";
	full->params.picture_size_case = P(JOB_PARAMETERS__PICTURE_SIZE_SIZE);
	full->params.size = &full->size;
	full->size.width = 1280;
	full->size.height = 720;
	full->params.fps = 24;
	full->params.optional_seed_case = P(JOB_PARAMETERS__OPTIONAL_SEED_SEED);
	full->params.seed = 17454220438242315174u;
	full->params.audio = P(TOGGLE__TOGGLE_ON);
	full->params.watermark = P(TOGGLE__TOGGLE_OFF);
	full->params.sample_count = 2;
}

static const char full_json[] =
	"{\"aspect_ratio\":\"16:9\",\"audio\":\"on\","
	"\"background\":{\"media\":{\"kind\":\"image\",\"provider_handle\":\"asset-1\"}},"
	"\"duration_ms\":12345,\"extras\":{\"cfg\":0.1,\"none\":null},\"fps\":24,"
	"\"media\":[{\"at_ms\":500,\"kind\":\"image\",\"role\":\"keyframe\",\"url\":\"https://example.com/a?b=\\\"c\\\"\"}],"
	"\"prompt\":\"a cat\\u000ana\xc3\xafve \\u0001\",\"sample_count\":2,\"script\":{\"text\":\"hello\"},"
	"\"seed\":17454220438242315174,\"size\":{\"height\":720,\"width\":1280},\"watermark\":\"off\"}";

static char *to_json(const Filmgate__V1__JobParameters *params)
{
	struct buffer json = {0};

	assert_int_equal(params_write_json(params, &json), 0);
	return json.data;
}

static void parameters_become_the_canonical_document(void **state)
{
	struct full full;
	char *json;

	(void)state;
	fill(&full);
	json = to_json(&full.params);
	assert_string_equal(json, full_json);
	free(json);
}

/* Sorted by their names, so that equal parameters are equal bytes. */
static void the_document_is_canonical_json(void **state)
{
	struct json *json = json_new(NULL);
	struct buffer canonical = {0};
	struct full full;
	json_node root;
	char *document;

	(void)state;
	fill(&full);
	full.params.prompt = (char *)"plain";
	document = to_json(&full.params);
	assert_int_equal(json_parse(json, bytes_of_text(document), JSON_DUPLICATES_REFUSE, &root, NULL), 0);
	assert_int_equal(json_write(json, root, JSON_FORM_CANONICAL, &canonical), 0);
	assert_string_equal(canonical.data, document);
	buffer_finish(&canonical);
	json_free(json);
	free(document);
}

static void the_document_becomes_the_same_parameters_again(void **state)
{
	Filmgate__V1__JobParameters *again;
	uint8_t before[2048], after[2048];
	struct arena arena = {0};
	struct full full;
	size_t n;

	(void)state;
	fill(&full);
	n = filmgate__v1__job_parameters__pack(&full.params, before);
	assert_int_equal(params_read_json(full_json, &arena, &again), 0);
	assert_int_equal(filmgate__v1__job_parameters__pack(again, after), n);
	assert_memory_equal(before, after, n);
	arena_finish(&arena);
}

static void a_medium_may_be_an_asset(void **state)
{
	static const char document[] = "{\"background\":{\"media\":{\"asset\":\"assets/bb\",\"kind\":\"image\"}},"
				       "\"media\":[{\"asset\":\"assets/aa\",\"kind\":\"video\",\"role\":\"source\"}]}";
	Filmgate__V1__JobParameters *params = NULL;
	struct arena arena = {0};
	char *json;

	(void)state;
	assert_int_equal(params_read_json(document, &arena, &params), 0);
	assert_int_equal(params->media[0]->source_case, P(MEDIA__SOURCE_ASSET));
	assert_string_equal(params->media[0]->asset, "assets/aa");
	assert_string_equal(params->background->media->asset, "assets/bb");
	json = to_json(params);
	assert_string_equal(json, document);
	free(json);
	arena_finish(&arena);
}

static void what_is_unset_is_absent_and_a_chosen_zero_is_not(void **state)
{
	Filmgate__V1__JobParameters params = FILMGATE__V1__JOB_PARAMETERS__INIT, *again;
	struct arena arena = {0};
	char *json;

	(void)state;
	json = to_json(&params);
	assert_string_equal(json, "{}");
	free(json);

	params.optional_seed_case = P(JOB_PARAMETERS__OPTIONAL_SEED_SEED);
	json = to_json(&params);
	assert_string_equal(json, "{\"seed\":0}");
	assert_int_equal(params_read_json(json, &arena, &again), 0);
	assert_int_equal(again->optional_seed_case, P(JOB_PARAMETERS__OPTIONAL_SEED_SEED));
	arena_finish(&arena);
	free(json);
}

static void enums_are_short_words(void **state)
{
	char word[PARAMS_WORD_SIZE];

	(void)state;
	params_enum_word(&filmgate__v1__media_role__descriptor, P(MEDIA_ROLE__MEDIA_ROLE_FIRST_FRAME), word);
	assert_string_equal(word, "first_frame");
	params_enum_word(&filmgate__v1__toggle__descriptor, P(TOGGLE__TOGGLE_OFF), word);
	assert_string_equal(word, "off");
}

static void check_number(double number, const char *expected)
{
	struct buffer out = {0};

	assert_int_equal(json_write_double(&out, number), 0);
	if (expected)
		assert_string_equal(out.data, expected);
	assert_true(strtod(out.data, NULL) == number);
	buffer_finish(&out);
}

static void numbers_have_the_fewest_digits_that_read_back_the_same(void **state)
{
	struct buffer out = {0};

	(void)state;
	check_number(0, "0");
	check_number(7, "7");
	check_number(-42, "-42");
	check_number(0.1, "0.1");
	check_number(1e15, "1000000000000000");
	check_number(9007199254740992.0, "9007199254740992");
	check_number(9007199254740994.0, "9.007199254740994e+15");
	check_number(1.0 / 3, "0.3333333333333333");
	check_number(0.1 + 0.2, "0.30000000000000004");
	check_number(1e300, "1e+300");
	check_number(DBL_MIN, NULL);
	check_number(DBL_MAX, NULL);
	check_number(5e-324, NULL);
	assert_int_equal(json_write_double(&out, (double)NAN), STRUCTS_E_NUMBER);
	assert_int_equal(json_write_double(&out, (double)INFINITY), STRUCTS_E_NUMBER);
}

static void documents_that_are_none_are_refused(void **state)
{
	static const char *const wrong[] = {"",
					    "[]",
					    "{\"prompt\":1}",
					    "{\"fps\":\"24\"}",
					    "{\"fps\":-1}",
					    "{\"fps\":4294967296}",
					    "{\"audio\":\"loud\"}",
					    "{\"media\":{}}",
					    "{\"duration_ms\":1.5}",
					    "{\"extras\":[]}",
					    "{\"script\":\"x\"}",
					    "{\"seed\":18446744073709551616}"};
	Filmgate__V1__JobParameters *params;
	struct arena arena = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_int_equal(params_read_json(wrong[i], &arena, &params), -EBADMSG);
	/* From a later version; and a duration has its unit in its name. */
	assert_int_equal(params_read_json("{\"later\":1,\"duration\":5}", &arena, &params), 0);
	assert_null(params->duration);
	arena_finish(&arena);
}

/* Whoever adds a field of another kind to the contract is told here. */
static void walk_kinds(const ProtobufCMessageDescriptor *type, unsigned depth)
{
	if (depth > 5 || type == &google__protobuf__struct__descriptor ||
	    type == &google__protobuf__duration__descriptor)
		return;
	for (unsigned i = 0; i < type->n_fields; i++) {
		const ProtobufCFieldDescriptor *field = &type->fields[i];

		switch (field->type) {
		case PROTOBUF_C_TYPE_MESSAGE:
			walk_kinds(field->descriptor, depth + 1);
			break;
		case PROTOBUF_C_TYPE_STRING:
		case PROTOBUF_C_TYPE_UINT32:
		case PROTOBUF_C_TYPE_UINT64:
		case PROTOBUF_C_TYPE_ENUM:
			assert_int_not_equal(field->label, PROTOBUF_C_LABEL_REPEATED);
			break;
		default:
			fail_msg("%s.%s is of a kind that params.c does not know", type->name, field->name);
		}
	}
}

static void every_field_is_of_a_kind_that_is_converted(void **state)
{
	(void)state;
	walk_kinds(&filmgate__v1__job_parameters__descriptor, 0);
}

/* ---- checks ---- */

static size_t count_violations(const Filmgate__V1__JobParameters *params, char first[static 300])
{
	static const struct path root = {.name = "job", .index = -1};
	const struct path at = {.up = &root, .name = "parameters", .index = -1};
	struct arena arena = {0};
	struct violations violations = {.arena = &arena};
	size_t n;

	params_check(params, &at, &violations);
	n = violations.n;
	first[0] = '\0';
	if (n)
		snprintf(first, 300, "%s: %s", violations.items[0].field, violations.items[0].text);
	arena_finish(&arena);
	return n;
}

#define assert_refused(full, expected)                                         \
	do {                                                                   \
		char _first[300];                                              \
		assert_int_equal(count_violations(&(full).params, _first), 1); \
		assert_string_equal(_first, expected);                         \
		fill(&(full));                                                 \
	} while (0)

static void what_the_contract_allows_passes(void **state)
{
	Filmgate__V1__JobParameters empty = FILMGATE__V1__JOB_PARAMETERS__INIT;
	struct full full;
	char first[300];

	(void)state;
	fill(&full);
	assert_int_equal(count_violations(&full.params, first), 0);
	assert_int_equal(count_violations(&empty, first), 0);
}

static void figures_out_of_range_name_the_field(void **state)
{
	struct full full;
	char *longest = malloc(100002);

	(void)state;
	memset(longest, 'x', 100001);
	longest[100001] = '\0';
	fill(&full);
	full.params.prompt = longest;
	assert_refused(full, "job.parameters.prompt: 100001 bytes; 1 to 100000 are possible");
	longest[100000] = '\0';
	full.params.prompt = longest;
	full.params.fps = 241;
	assert_refused(full, "job.parameters.fps: 241; 1 to 240 are possible");
	full.duration.seconds = 86400;
	full.duration.nanos = 1000000;
	assert_refused(full, "job.parameters.duration: 86400001 ms; 1 to 86400000 are possible");
	full.duration.nanos = 1;
	assert_refused(full, "job.parameters.duration: 12 s and 1 ns are not a duration in whole milliseconds");
	full.size.height = 15;
	assert_refused(full, "job.parameters.size.height: 15; 16 to 16384 are possible");
	full.script.text = (char *)"";
	assert_refused(full, "job.parameters.script.text: 0 bytes; 1 to 100000 are possible");
	free(longest);
}

static void media_need_a_kind_a_role_and_a_source(void **state)
{
	struct full full;

	(void)state;
	fill(&full);
	full.frame.kind = P(MEDIA_KIND__MEDIA_KIND_UNSPECIFIED);
	assert_refused(full, "job.parameters.media[0].kind: is required");
	full.frame.source_case = P(MEDIA__SOURCE__NOT_SET);
	assert_refused(full, "job.parameters.media[0]: the medium has no source: set url, provider_handle or asset");
	full.frame.source_case = P(MEDIA__SOURCE_ASSET);
	full.frame.asset = (char *)"";
	assert_refused(full, "job.parameters.media[0].asset: 0 bytes; 1 to 128 are possible");
	full.frame.url = (char *)"ftp://example.com";
	assert_refused(full, "job.parameters.media[0].url: the address must begin with https:// or http://");
	full.frame.role = P(MEDIA_ROLE__MEDIA_ROLE_SOURCE);
	assert_refused(full, "job.parameters.media[0].at: only keyframes have a moment");
	full.at.seconds = 13;
	assert_refused(full, "job.parameters.media[0].at: 13500 ms is behind the end of the video (12345 ms)");
	full.photo.role = P(MEDIA_ROLE__MEDIA_ROLE_SOURCE);
	assert_refused(full, "job.parameters.background.media.role: must be unset here");
	full.photo.kind = P(MEDIA_KIND__MEDIA_KIND_AUDIO);
	assert_refused(full, "job.parameters.background.media.kind: a background is an image or a video: say which");
}

static void choices_must_be_made(void **state)
{
	struct full full;

	(void)state;
	fill(&full);
	full.script.content_case = P(SCRIPT__CONTENT__NOT_SET);
	assert_refused(full, "job.parameters.script: the script is empty: set text or audio");
	full.background.content_case = P(BACKGROUND__CONTENT__NOT_SET);
	assert_refused(full, "job.parameters.background: the background is empty: set color or media");
	full.background.content_case = P(BACKGROUND__CONTENT_COLOR);
	full.background.color = (char *)"#12345g";
	assert_refused(full, "job.parameters.background.color: '#12345g' is not a colour; write #rrggbb");
	full.params.aspect_ratio = (char *)"16x9";
	assert_refused(full,
		       "job.parameters.aspect_ratio: '16x9' is not an aspect ratio; write it like 16:9, or adaptive");
	full.params.aspect_ratio = (char *)"0:9";
	assert_refused(full,
		       "job.parameters.aspect_ratio: '0:9' is not an aspect ratio; write it like 16:9, or adaptive");
}

static void extras_are_json_of_a_bounded_size(void **state)
{
	struct full full;
	char *longest = malloc(65537);

	(void)state;
	memset(longest, 'x', 65536);
	longest[65536] = '\0';
	fill(&full);
	full.values[0].number_value = (double)INFINITY;
	assert_refused(full, "job.parameters.extras: has a number that is infinite or none at all");
	full.values[0].kind_case = GOOGLE__PROTOBUF__VALUE__KIND__NOT_SET;
	assert_refused(full, "job.parameters.extras: has a value that is not set; use null_value for null");
	full.entries[0].value = NULL;
	assert_refused(full, "job.parameters.extras: has a value that is not set; use null_value for null");
	full.values[0].kind_case = GOOGLE__PROTOBUF__VALUE__KIND_STRING_VALUE;
	full.values[0].string_value = longest;
	assert_refused(full, "job.parameters.extras: has more than 65536 bytes as JSON");
	free(longest);
}

static void extras_nest_thirty_two_levels_deep_and_no_more(void **state)
{
	Google__Protobuf__Struct structs[33];
	Google__Protobuf__Struct__FieldsEntry entries[33], *fields[33];
	Google__Protobuf__Value values[33];
	struct full full;
	char first[300];

	(void)state;
	fill(&full);
	for (int i = 0; i < 33; i++) {
		google__protobuf__struct__init(&structs[i]);
		google__protobuf__struct__fields_entry__init(&entries[i]);
		google__protobuf__value__init(&values[i]);
		entries[i].key = (char *)"a";
		entries[i].value = &values[i];
		values[i].kind_case = GOOGLE__PROTOBUF__VALUE__KIND_STRUCT_VALUE;
		values[i].struct_value = &structs[i + (i < 32)];
		fields[i] = &entries[i];
		structs[i].fields = &fields[i];
		structs[i].n_fields = i < 32;
	}
	full.params.extras = &structs[0];
	assert_int_equal(count_violations(&full.params, first), 1);
	assert_string_equal(first, "job.parameters.extras: nested 33 levels deep; at most 32 are possible");
	full.params.extras = &structs[1];
	assert_int_equal(count_violations(&full.params, first), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parameters_become_the_canonical_document),
		cmocka_unit_test(the_document_is_canonical_json),
		cmocka_unit_test(the_document_becomes_the_same_parameters_again),
		cmocka_unit_test(a_medium_may_be_an_asset),
		cmocka_unit_test(what_is_unset_is_absent_and_a_chosen_zero_is_not),
		cmocka_unit_test(enums_are_short_words),
		cmocka_unit_test(numbers_have_the_fewest_digits_that_read_back_the_same),
		cmocka_unit_test(documents_that_are_none_are_refused),
		cmocka_unit_test(every_field_is_of_a_kind_that_is_converted),
		cmocka_unit_test(what_the_contract_allows_passes),
		cmocka_unit_test(figures_out_of_range_name_the_field),
		cmocka_unit_test(media_need_a_kind_a_role_and_a_source),
		cmocka_unit_test(choices_must_be_made),
		cmocka_unit_test(extras_are_json_of_a_bounded_size),
		cmocka_unit_test(extras_nest_thirty_two_levels_deep_and_no_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
