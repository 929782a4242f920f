/*
 * What protobuf-c does not say is derived; here it is held against what protoc says.
 */
#include "protojson/shape.h"

#include "base/err.h"

#include <every.pb-c.h>
#include <filmgate/v1/job_event.pb-c.h>
#include <filmgate/v1/job_service.pb-c.h>
#include <google/protobuf/descriptor.pb-c.h>
#include <google/rpc/error_details.pb-c.h>
#include <google/rpc/status.pb-c.h>
#include <proto/descriptors.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

static void json_name_of(const char *name, const char *expected)
{
	_cleanup_(buffer_finish) struct buffer out = {0};

	assert_int_equal(shape_append_json_name(&out, name), 0);
	assert_string_equal(out.len ? out.data : "", expected);
	assert_true(shape_json_name_is(name, bytes_of_text(expected)));
	assert_false(shape_json_name_is(name, bytes_of(expected, strlen(expected) - 1)));
	assert_false(shape_json_name_is(name, bytes_of(expected, strlen(expected) + 1)));
}

static void names_are_made_as_protoc_makes_them(void **state)
{
	(void)state;
	json_name_of("duration", "duration");
	json_name_of("display_name", "displayName");
	json_name_of("sha_256_x", "sha256X");
	json_name_of("__odd___Name2x_", "OddName2x");
	json_name_of("aB_cD", "aBCD");
}

static void walk(const Google__Protobuf__DescriptorProto *type, unsigned *fields)
{
	for (size_t i = 0; i < type->n_field; i++, ++*fields)
		json_name_of(type->field[i]->name, type->field[i]->json_name);
	for (size_t i = 0; i < type->n_nested_type; i++)
		walk(type->nested_type[i], fields);
}

static void every_name_of_the_contract_is_the_one_that_protoc_says(void **state)
{
	Google__Protobuf__FileDescriptorSet *set = google__protobuf__file_descriptor_set__unpack(
		NULL, filmgate_descriptors_size, filmgate_descriptors);
	unsigned fields = 0;

	(void)state;
	assert_non_null(set);
	for (size_t i = 0; i < set->n_file; i++)
		for (size_t j = 0; j < set->file[i]->n_message_type; j++)
			walk(set->file[i]->message_type[j], &fields);
	assert_true(fields > 300);
	google__protobuf__file_descriptor_set__free_unpacked(set, NULL);
}

static bool is_map(const ProtobufCMessageDescriptor *type, const char *name)
{
	const ProtobufCFieldDescriptor *field = protobuf_c_message_descriptor_get_field_by_name(type, name);

	assert_non_null(field);
	return shape_is_map(field);
}

static void maps_are_told_from_lists(void **state)
{
	(void)state;
	assert_true(is_map(&filmgate__v1__job__descriptor, "labels"));
	assert_true(is_map(&filmgate__v1__job_filter__descriptor, "labels"));
	assert_true(is_map(&google__rpc__error_info__descriptor, "metadata"));
	assert_true(is_map(&google__protobuf__struct__descriptor, "fields"));
	assert_true(is_map(&every__every__descriptor, "by_fixed64"));
	assert_true(is_map(&every__every__descriptor, "by_bool"));
	assert_false(is_map(&google__rpc__status__descriptor, "details"));
	assert_false(is_map(&every__every__descriptor, "many_message"));
	assert_false(is_map(&every__every__descriptor, "many_value"));
	assert_false(is_map(&every__every__descriptor, "a_message"));
}

static void fields_are_found_by_both_names(void **state)
{
	const ProtobufCFieldDescriptor *field = shape_find(&every__every__descriptor, bytes_of_text("aInt32"));

	(void)state;
	assert_non_null(field);
	assert_string_equal(field->name, "a_int32");
	assert_ptr_equal(shape_find(&every__every__descriptor, bytes_of_text("a_int32")), field);
	assert_null(shape_find(&every__every__descriptor, bytes_of_text("a_Int32")));
	assert_null(shape_find(&every__every__descriptor, bytes_of_text("AInt32")));
	assert_null(shape_find(&every__every__descriptor, bytes_of_text("")));
	assert_null(shape_find(&every__every__descriptor, bytes_of("aInt32\0", 7)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_made_as_protoc_makes_them),
		cmocka_unit_test(every_name_of_the_contract_is_the_one_that_protoc_says),
		cmocka_unit_test(maps_are_told_from_lists),
		cmocka_unit_test(fields_are_found_by_both_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
