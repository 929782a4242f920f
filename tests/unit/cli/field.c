#include "field.h"

#include "base/err.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <filmgate/v1/artifact_service.pb-c.h>
#include <filmgate/v1/job_service.pb-c.h>
#include <filmgate/v1/provider_service.pb-c.h>

/* Bytes are never shown; everything else must be. */
static void expect_forms(const ProtobufCMessageDescriptor *message, unsigned int depth)
{
	char name[FIELD_NAME_SIZE];

	assert_true(depth < 20);
	for (unsigned int i = 0; i < message->n_fields; i++) {
		const ProtobufCFieldDescriptor *field = &message->fields[i];

		if (field->type == PROTOBUF_C_TYPE_BYTES)
			continue;
		if (field_kind_of(field) == FIELD_KIND_NONE)
			fail_msg("%s.%s has no document form", message->name, field->name);
		field_name(field, name);
		assert_ptr_equal(field_find(message, bytes_of_text(name)), field);
		if (field_kind_of(field) == FIELD_KIND_MESSAGE &&
		    field->descriptor != &google__protobuf__field_mask__descriptor)
			expect_forms(field->descriptor, depth + 1);
	}
}

static void every_field_of_the_contract_has_a_form_and_a_name_of_its_own(void **state)
{
	static const ProtobufCServiceDescriptor *const services[] = {&filmgate__v1__job_service__descriptor,
								     &filmgate__v1__artifact_service__descriptor,
								     &filmgate__v1__provider_service__descriptor};

	(void)state;
	for (size_t i = 0; i < sizeof(services) / sizeof(services[0]); i++)
		for (unsigned int j = 0; j < services[i]->n_methods; j++) {
			expect_forms(services[i]->methods[j].input, 0);
			expect_forms(services[i]->methods[j].output, 0);
		}
}

static void a_duration_is_milliseconds_by_its_name(void **state)
{
	const ProtobufCMessageDescriptor *of = &filmgate__v1__job_parameters__descriptor;

	(void)state;
	assert_non_null(field_find(of, bytes_of_text("duration_ms")));
	assert_null(field_find(of, bytes_of_text("duration")));
}

static void enum_words_lose_their_prefix_and_case(void **state)
{
	char word[FIELD_NAME_SIZE];
	int value = 0;

	(void)state;
	field_enum_word(&filmgate__v1__media_role__descriptor, 1, word);
	assert_string_equal(word, "first_frame");
	assert_true(field_enum_value(&filmgate__v1__media_role__descriptor, bytes_of_text("First_Frame"), &value));
	assert_int_equal(value, 1);
	assert_false(field_enum_value(&filmgate__v1__media_role__descriptor, bytes_of_text("unspecified"), &value));
	assert_false(field_enum_value(&filmgate__v1__media_role__descriptor, bytes_of_text("first"), &value));
	field_enum_word(&filmgate__v1__media_role__descriptor, 99, word);
	assert_string_equal(word, "?99");
}

static ProtobufCMessage *parameters(void)
{
	ProtobufCMessage *message = field_message_new(&filmgate__v1__job_parameters__descriptor);

	assert_non_null(message);
	return message;
}

static int set(ProtobufCMessage *message, const char *name, const char *text, struct errmsg *error)
{
	return field_set_text(message, field_find(message->descriptor, bytes_of_text(name)), bytes_of_text(text),
			      error);
}

static void members_of_a_oneof_replace_each_other(void **state)
{
	_cleanup_(field_message_freep) ProtobufCMessage *message = parameters();
	const Filmgate__V1__JobParameters *p = (const void *)message;
	struct errmsg error;

	(void)state;
	assert_int_equal(set(message, "resolution", "720p", &error), 0);
	assert_non_null(field_child(message, field_find(message->descriptor, bytes_of_text("size"))));
	assert_int_equal(p->picture_size_case, FILMGATE__V1__JOB_PARAMETERS__PICTURE_SIZE_SIZE);
	assert_int_equal(set(message, "resolution", "1080p", &error), 0);
	assert_int_equal(p->picture_size_case, FILMGATE__V1__JOB_PARAMETERS__PICTURE_SIZE_RESOLUTION);
	assert_string_equal(p->resolution, "1080p");
}

static void a_seed_keeps_all_its_digits_and_zero_is_set(void **state)
{
	_cleanup_(field_message_freep) ProtobufCMessage *message = parameters();
	const Filmgate__V1__JobParameters *p = (const void *)message;
	const ProtobufCFieldDescriptor *seed = field_find(message->descriptor, bytes_of_text("seed"));
	struct errmsg error;

	(void)state;
	assert_false(field_is_set(message, seed));
	assert_int_equal(set(message, "seed", "0", &error), 0);
	assert_true(field_is_set(message, seed));
	assert_int_equal(set(message, "seed", "17454220438242315174", &error), 0);
	assert_true(p->seed == UINT64_C(17454220438242315174));
	assert_int_equal(set(message, "seed", "18446744073709551616", &error), FIELD_E_VALUE);
	assert_true(p->seed == UINT64_C(17454220438242315174));
}

static void a_value_of_the_wrong_kind_is_refused_and_named(void **state)
{
	static const struct {
		const char *name, *text, *says;
	} rows[] = {
		{"fps", "fast", "'fast' is not a whole number"},
		{"fps", "-1", "'-1' is not a whole number"},
		{"fps", "4294967296", "0 to 4294967295"},
		{"audio", "maybe", "'maybe' is none of on, off"},
		{"duration_ms", "soon", "'soon' is not a duration"},
		{"duration_ms", "-5", "'-5' is not a duration"},
		{"prompt", "\xff", "not UTF-8"},
	};
	_cleanup_(field_message_freep) ProtobufCMessage *message = parameters();

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct errmsg error = {""};

		assert_int_equal(set(message, rows[i].name, rows[i].text, &error), FIELD_E_VALUE);
		if (!strstr(error.text, rows[i].says))
			fail_msg("'%s' does not say '%s'", error.text, rows[i].says);
		assert_false(field_is_set(message, field_find(message->descriptor, bytes_of_text(rows[i].name))));
	}
}

static void an_entry_of_a_map_replaces_the_one_with_its_key(void **state)
{
	_cleanup_(field_message_freep) ProtobufCMessage *message = field_message_new(&filmgate__v1__job__descriptor);
	const Filmgate__V1__Job *job = (const void *)message;
	const ProtobufCFieldDescriptor *labels = field_find(message->descriptor, bytes_of_text("labels"));
	struct errmsg error;

	(void)state;
	assert_int_equal(field_set_entry(message, labels, bytes_of_text("a"), bytes_of_text("1"), &error), 0);
	assert_int_equal(field_set_entry(message, labels, bytes_of_text("b"), bytes_of_text("2"), &error), 0);
	assert_int_equal(field_set_entry(message, labels, bytes_of_text("a"), bytes_of_text("3"), &error), 0);
	assert_int_equal(job->n_labels, 2);
	assert_string_equal(job->labels[0]->key, "a");
	assert_string_equal(job->labels[0]->value, "3");
	field_clear(message, labels);
	assert_int_equal(job->n_labels, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_field_of_the_contract_has_a_form_and_a_name_of_its_own),
		cmocka_unit_test(a_duration_is_milliseconds_by_its_name),
		cmocka_unit_test(enum_words_lose_their_prefix_and_case),
		cmocka_unit_test(members_of_a_oneof_replace_each_other),
		cmocka_unit_test(a_seed_keeps_all_its_digits_and_zero_is_set),
		cmocka_unit_test(a_value_of_the_wrong_kind_is_refused_and_named),
		cmocka_unit_test(an_entry_of_a_map_replaces_the_one_with_its_key),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
