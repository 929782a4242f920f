#include "api/prescan.h"

#include "api/message.h"
#include "base/err.h"
#include "base/limits.h"

#include <filmgate/v1/job_service.pb-c.h>
#include <filmgate/v1/provider_service.pb-c.h>
#include <google/protobuf/descriptor.pb-c.h>
#include <proto/descriptors.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define CREATE (&filmgate__v1__create_job_request__descriptor)
#define LIST (&filmgate__v1__list_jobs_request__descriptor)

static int scan(const ProtobufCMessageDescriptor *type, const void *data, size_t len, struct problem *problem)
{
	struct prescan seen;

	*problem = (struct problem){.text = ""};
	return prescan_message(type, bytes_of(data, len), &seen, problem);
}

#define scan_text(type, literal, problem) scan(type, literal, sizeof(literal) - 1, problem)

/* Puts a tag and a length in front of what @out ends with, from the back: @out grows towards lower addresses. */
static uint8_t *wrap(uint8_t *out, const uint8_t *end, uint8_t tag)
{
	size_t len = (size_t)(end - out);
	uint8_t digits[5];
	size_t n = 0;

	for (; len >= 0x80; len >>= 7)
		digits[n++] = (uint8_t)(len | 0x80);
	digits[n++] = (uint8_t)len;
	out -= n;
	memcpy(out, digits, n);
	*--out = tag;
	return out;
}

enum core { CORE_NOTHING, CORE_STRUCT };

/* CreateJobRequest.job.parameters.extras with @levels lists inside each other, and in the last one @core. */
static size_t nest(uint8_t *buffer, size_t size, unsigned levels, enum core core, const uint8_t **ret)
{
	static const uint8_t end_of_extras[] = {0x0a, 1, 'a'}; /* FieldsEntry.key */
	uint8_t *end = buffer + size, *out = end;

	if (core == CORE_STRUCT)
		out = wrap(out, end, 0x2a); /* Value.struct_value */
	for (unsigned i = 0; i < levels; i++) {
		out = wrap(out, end, 0x0a); /* ListValue.values */
		out = wrap(out, end, 0x32); /* Value.list_value */
	}
	out = wrap(out, end, 0x12); /* FieldsEntry.value */
	out -= sizeof(end_of_extras);
	memcpy(out, end_of_extras, sizeof(end_of_extras));
	out = wrap(out, end, 0x0a); /* Struct.fields */
	out -= 1;                   /* JobParameters.extras has number 19: a tag of two bytes */
	*out = 0x00;
	out = wrap(out + 1, end, 0x01);
	*--out = 0x9a;
	out = wrap(out, end, 0x42); /* Job.parameters */
	out = wrap(out, end, 0x0a); /* CreateJobRequest.job */
	*ret = out;
	return (size_t)(end - out);
}

static void an_ordinary_request_passes(void **state)
{
	Filmgate__V1__CreateJobRequest request = FILMGATE__V1__CREATE_JOB_REQUEST__INIT;
	Filmgate__V1__Job job = FILMGATE__V1__JOB__INIT;
	struct problem problem;
	uint8_t bytes[256];
	size_t len;

	(void)state;
	job.provider = (char *)"providers/demo";
	job.display_name = (char *)"na\xc3\xafve \xf0\x9f\x8e\xac";
	job.priority = -5;
	request.job = &job;
	request.validate_only = true;
	len = filmgate__v1__create_job_request__pack(&request, bytes);
	assert_int_equal(scan(CREATE, bytes, len, &problem), 0);
	assert_int_equal(scan(CREATE, NULL, 0, &problem), 0);
}

static unsigned count_levels(enum core core)
{
	static uint8_t buffer[65536];
	struct problem problem;
	const uint8_t *data;
	unsigned levels = 1;

	for (;; levels++) {
		size_t len = nest(buffer, sizeof(buffer), levels, core, &data);

		if (scan(CREATE, data, len, &problem) != 0)
			break;
	}
	assert_string_equal(problem.text, "the message is nested deeper than 100 levels");
	return levels - 1;
}

/* Request, job, parameters, Struct, entry, Value, then two for each list, and one for the Struct at the core. */
static void nesting_is_refused_one_level_beyond_the_limit(void **state)
{
	(void)state;
	assert_int_equal(6 + 2 * count_levels(CORE_NOTHING), LIMIT_RPC_DEPTH);
	assert_int_equal(7 + 2 * count_levels(CORE_STRUCT), LIMIT_RPC_DEPTH - 1);
}

static void what_overflows_the_stack_of_protobuf_c_is_refused(void **state)
{
	static uint8_t buffer[1 << 20];
	struct problem problem;
	const uint8_t *data;
	size_t len;

	(void)state;
	len = nest(buffer, sizeof(buffer), 6000, CORE_NOTHING, &data);
	assert_true(len > 34 * 1024);
	assert_int_equal(scan(CREATE, data, len, &problem), PRESCAN_E_MALFORMED);
}

static void four_mebibytes_of_empty_submessages_are_refused(void **state)
{
	size_t n = LIMIT_RPC_MESSAGE;
	uint8_t *data = malloc(n), *end = data + n, *out;
	struct problem problem;

	(void)state;
	assert_non_null(data);
	/* JobParameters.media, 2 bytes each. */
	for (size_t i = 64; i + 1 < n; i += 2) {
		data[i] = 0x32;
		data[i + 1] = 0;
	}
	out = wrap(wrap(data + 64, end, 0x42), end, 0x0a);
	assert_int_equal(scan(CREATE, out, (size_t)(end - out), &problem), PRESCAN_E_MALFORMED);
	assert_string_equal(problem.text, "the message has more than 65536 fields");
	free(data);
}

/* @n times the same two bytes. */
static uint8_t *repeat(uint8_t first, uint8_t second, size_t n)
{
	uint8_t *data = malloc(2 * n);

	assert_non_null(data);
	for (size_t i = 0; i < n; i++) {
		data[2 * i] = first;
		data[2 * i + 1] = second;
	}
	return data;
}

static void as_many_fields_as_the_limit_pass_and_one_more_does_not(void **state)
{
	uint8_t *data = repeat(0x10, 1, LIMIT_RPC_FIELDS + 1); /* ListJobsRequest.page_size */
	struct problem problem;

	(void)state;
	assert_int_equal(scan(LIST, data, 2 * (size_t)LIMIT_RPC_FIELDS, &problem), 0);
	assert_int_equal(scan(LIST, data, 2 * ((size_t)LIMIT_RPC_FIELDS + 1), &problem), PRESCAN_E_MALFORMED);
	free(data);
}

/* ListJobsRequest.filter.states as one packed list of @n elements. */
static int scan_packed(size_t n)
{
	uint8_t *data = malloc(n + 16), *end = data + 16 + n, *out;
	struct problem problem;
	int r;

	assert_non_null(data);
	memset(data + 16, 1, n);
	out = wrap(wrap(data + 16, end, 0x0a), end, 0x0a);
	r = scan(LIST, out, (size_t)(end - out), &problem);
	free(data);
	return r;
}

static void elements_of_a_packed_list_count_as_fields(void **state)
{
	(void)state;
	assert_int_equal(scan_packed(LIMIT_RPC_FIELDS - 2), 0); /* beside the filter and its list */
	assert_int_equal(scan_packed(LIMIT_RPC_FIELDS - 1), PRESCAN_E_MALFORMED);
}

static void broken_encodings_are_refused(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
	} broken[] = {
		{"\x0a", 1}, /* a length is missing */
		{"\x0a\x05"
		 "abc",
		 5},                                                      /* shorter than it says */
		{"\x10", 1},                                              /* a number is missing */
		{"\x10\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01", 12}, /* a number of 11 bytes */
		{"\x10\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", 11},     /* of more than 64 bits */
		{"\x12\xff\xff\xff\xff\xff\x01", 7},                      /* a length of 6 bytes */
		{"\x12\xff\xff\xff\xff\x0f", 6},                          /* a length far beyond the end */
		{"\x00\x01", 2},                                          /* field number 0 */
		{"\x80\x80\x80\x80\x80\x01\x01", 7},                      /* a tag of 6 bytes */
		{"\x13\x14", 2},                                          /* a group */
		{"\x16\x00", 2},                                          /* wire type 6 */
		{"\x11\x01\x02\x03", 4},                                  /* half a fixed64 */
		{"\x15\x01\x02", 3},                                      /* half a fixed32 */
	};
	struct problem problem;

	(void)state;
	for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
		assert_int_equal(scan(LIST, broken[i].bytes, broken[i].len, &problem), PRESCAN_E_MALFORMED);
		assert_string_not_equal(problem.text, "");
	}
}

static void text_that_is_none_is_named_with_its_path(void **state)
{
	struct problem problem;

	(void)state;
	/* job.parameters.media[1].url */
	assert_int_equal(scan_text(CREATE,
				   "\x0a\x0d\x42\x0b\x32\x02\x08\x01\x32\x05\x1a\x03"
				   "a\xff"
				   "b",
				   &problem),
			 PRESCAN_E_MALFORMED);
	assert_string_equal(problem.field, "job.parameters.media[1].url");
	assert_string_equal(problem.text, "the text is not UTF-8");

	/* page_token with a NUL, which protobuf-c would cut off */
	assert_int_equal(scan_text(LIST,
				   "\x1a\x03"
				   "a\0b",
				   &problem),
			 PRESCAN_E_MALFORMED);
	assert_string_equal(problem.field, "page_token");
	assert_string_equal(problem.text, "the text contains a NUL; leave it out");

	/* The key of a label is text, too. */
	assert_int_equal(scan_text(CREATE, "\x0a\x06\x52\x04\x0a\x02\xc3\x28", &problem), PRESCAN_E_MALFORMED);
	assert_string_equal(problem.field, "job.labels[0].key");
}

static void unknown_enum_values_are_violations(void **state)
{
	struct problem problem;

	(void)state;
	assert_int_equal(scan_text(CREATE, "\x0a\x06\x42\x04\x32\x02\x10\x63", &problem), PRESCAN_E_ENUM);
	assert_string_equal(problem.field, "job.parameters.media[0].role");
	assert_string_equal(problem.text, "99 is not a value of MediaRole");
	assert_int_equal(scan_text(CREATE, "\x28\x03", &problem), PRESCAN_E_ENUM);
	assert_string_equal(problem.field, "validation");
	assert_string_equal(problem.text, "3 is not a value of Validation");
	assert_int_equal(scan_text(CREATE, "\x28\x02", &problem), 0);

	/* Packed and not packed; -1 travels as ten bytes. */
	assert_int_equal(scan_text(LIST, "\x0a\x04\x0a\x02\x01\x4d", &problem), PRESCAN_E_ENUM);
	assert_string_equal(problem.text, "77 is not a value of JobState");
	assert_int_equal(scan_text(LIST, "\x0a\x02\x08\x4d", &problem), PRESCAN_E_ENUM);
	assert_int_equal(scan_text(LIST, "\x0a\x0b\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", &problem),
			 PRESCAN_E_ENUM);
	assert_string_equal(problem.text, "-1 is not a value of JobState");
	/* 2^32 + 1 would be 1 after protobuf-c has cut it. */
	assert_int_equal(scan_text(LIST, "\x0a\x06\x08\x81\x80\x80\x80\x10", &problem), PRESCAN_E_ENUM);
}

static void unknown_fields_pass_but_count(void **state)
{
	struct problem problem;

	(void)state;
	assert_int_equal(scan_text(LIST, "\xfa\x07\x02\xff\xff\xf8\x07\x01", &problem), 0);
}

static void a_message_of_another_type_is_refused_by_the_unpacking(void **state)
{
	ProtobufCMessage *message;
	struct problem problem;
	struct arena arena = {0};

	(void)state;
	/* page_size as text */
	assert_int_equal(message_unpack(LIST,
					bytes_of_text("\x12\x01"
						      "a"),
					&arena, &message, &problem),
			 PRESCAN_E_MALFORMED);
	assert_string_not_equal(problem.text, "");
	arena_finish(&arena);
}

static void a_request_unfolds_to_no_more_than_the_arena_takes(void **state)
{
	ProtobufCMessage *message;
	struct problem problem;
	struct arena arena = {.limit = 4096};
	uint8_t *data = repeat(0x0a, 0, 2000); /* as many empty filters: each is made, then merged */

	(void)state;
	assert_int_equal(message_unpack(LIST, bytes_of(data, 4000), &arena, &message, &problem), PRESCAN_E_MALFORMED);
	free(data);
	arena_finish(&arena);
}

static void of_equal_map_keys_the_last_one_wins(void **state)
{
	static const char wire[] = "\x0a\x1e"
				   "\x52\x06\x0a\x01z\x12\x01"
				   "1"
				   "\x52\x06\x0a\x01"
				   "a\x12\x01"
				   "2"
				   "\x52\x06\x0a\x01z\x12\x01"
				   "3"
				   "\x52\x04\x0a\x02"
				   "aa";
	const Filmgate__V1__CreateJobRequest *request;
	ProtobufCMessage *message;
	struct problem problem;
	struct arena arena = {0};

	(void)state;
	assert_int_equal(message_unpack(CREATE, bytes_of(wire, sizeof(wire) - 1), &arena, &message, &problem), 0);
	request = (const Filmgate__V1__CreateJobRequest *)message;
	assert_int_equal(request->job->n_labels, 3);
	assert_string_equal(request->job->labels[0]->key, "a");
	assert_string_equal(request->job->labels[0]->value, "2");
	assert_string_equal(request->job->labels[1]->key, "aa");
	assert_string_equal(request->job->labels[1]->value, "");
	assert_string_equal(request->job->labels[2]->key, "z");
	assert_string_equal(request->job->labels[2]->value, "3");
	arena_finish(&arena);
}

/* ---- what is known of maps by their names agrees with the descriptors ---- */

static bool descriptor_says_map(const Google__Protobuf__DescriptorProto *proto)
{
	return proto->options && proto->options->has_map_entry && proto->options->map_entry;
}

static unsigned compare_maps(const Google__Protobuf__DescriptorProto *proto, const ProtobufCMessageDescriptor *type)
{
	unsigned maps = 0;

	assert_int_equal(prescan_type_is_map_entry(type), descriptor_says_map(proto));
	if (prescan_type_is_map_entry(type)) {
		assert_int_equal(type->fields[0].type, PROTOBUF_C_TYPE_STRING);
		maps++;
	}
	for (unsigned i = 0; i < type->n_fields; i++)
		for (size_t j = 0; type->fields[i].type == PROTOBUF_C_TYPE_MESSAGE && j < proto->n_nested_type; j++) {
			const ProtobufCMessageDescriptor *nested = type->fields[i].descriptor;

			if (strcmp(nested->short_name, proto->nested_type[j]->name) == 0)
				maps += compare_maps(proto->nested_type[j], nested);
		}
	return maps;
}

static void every_map_is_known_as_one_and_has_text_keys(void **state)
{
	static const ProtobufCMessageDescriptor *const types[] = {&filmgate__v1__job__descriptor,
								  &filmgate__v1__job_filter__descriptor,
								  &filmgate__v1__media__descriptor,
								  &google__protobuf__struct__descriptor};
	Google__Protobuf__FileDescriptorSet *set = google__protobuf__file_descriptor_set__unpack(
		NULL, filmgate_descriptors_size, filmgate_descriptors);
	unsigned maps = 0;

	(void)state;
	assert_non_null(set);
	for (size_t i = 0; i < set->n_file; i++)
		for (size_t j = 0; j < set->file[i]->n_message_type; j++)
			for (size_t k = 0; k < sizeof(types) / sizeof(types[0]); k++)
				if (strcmp(set->file[i]->package, types[k]->package_name) == 0 &&
				    strcmp(set->file[i]->message_type[j]->name, types[k]->short_name) == 0)
					maps += compare_maps(set->file[i]->message_type[j], types[k]);
	assert_int_equal(maps, 3);
	google__protobuf__file_descriptor_set__free_unpacked(set, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_ordinary_request_passes),
		cmocka_unit_test(nesting_is_refused_one_level_beyond_the_limit),
		cmocka_unit_test(what_overflows_the_stack_of_protobuf_c_is_refused),
		cmocka_unit_test(four_mebibytes_of_empty_submessages_are_refused),
		cmocka_unit_test(as_many_fields_as_the_limit_pass_and_one_more_does_not),
		cmocka_unit_test(elements_of_a_packed_list_count_as_fields),
		cmocka_unit_test(broken_encodings_are_refused),
		cmocka_unit_test(text_that_is_none_is_named_with_its_path),
		cmocka_unit_test(unknown_enum_values_are_violations),
		cmocka_unit_test(unknown_fields_pass_but_count),
		cmocka_unit_test(a_message_of_another_type_is_refused_by_the_unpacking),
		cmocka_unit_test(a_request_unfolds_to_no_more_than_the_arena_takes),
		cmocka_unit_test(of_equal_map_keys_the_last_one_wins),
		cmocka_unit_test(every_map_is_known_as_one_and_has_text_keys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
