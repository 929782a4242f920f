/*
 * What the rest of the daemon relies on in the generated code, and what protoc-gen-c could silently change.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <filmgate/v1/error_reason.pb-c.h>
#include <filmgate/v1/job_service.pb-c.h>
#include <google/rpc/error_details.pb-c.h>
#include <google/rpc/status.pb-c.h>

static void a_seed_of_zero_is_not_the_same_as_none(void **state)
{
	Filmgate__V1__JobParameters without = FILMGATE__V1__JOB_PARAMETERS__INIT;
	Filmgate__V1__JobParameters with = FILMGATE__V1__JOB_PARAMETERS__INIT;
	Filmgate__V1__JobParameters *back;
	uint8_t bytes[16];
	size_t n;

	(void)state;
	assert_int_equal(filmgate__v1__job_parameters__get_packed_size(&without), 0);
	with.optional_seed_case = FILMGATE__V1__JOB_PARAMETERS__OPTIONAL_SEED_SEED;
	assert_true(filmgate__v1__job_parameters__get_packed_size(&with) <= sizeof(bytes));
	n = filmgate__v1__job_parameters__pack(&with, bytes);
	assert_true(n > 0);
	back = filmgate__v1__job_parameters__unpack(NULL, n, bytes);
	assert_non_null(back);
	assert_int_equal(back->optional_seed_case, FILMGATE__V1__JOB_PARAMETERS__OPTIONAL_SEED_SEED);
	assert_int_equal(back->seed, 0);
	filmgate__v1__job_parameters__free_unpacked(back, NULL);
}

static void the_largest_seed_survives(void **state)
{
	static const uint8_t bytes[] = {0x60, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01};
	Filmgate__V1__JobParameters *p = filmgate__v1__job_parameters__unpack(NULL, sizeof(bytes), bytes);

	(void)state;
	assert_non_null(p);
	assert_true(p->seed == UINT64_MAX);
	filmgate__v1__job_parameters__free_unpacked(p, NULL);
}

/* Public facts of google.rpc: clients decode our details with their own copy of these messages. */
static void error_details_have_the_public_field_numbers(void **state)
{
	(void)state;
	assert_int_equal(
		protobuf_c_message_descriptor_get_field_by_name(&google__rpc__status__descriptor, "details")->id, 3);
	assert_int_equal(
		protobuf_c_message_descriptor_get_field_by_name(&google__rpc__error_info__descriptor, "metadata")->id,
		3);
	assert_int_equal(protobuf_c_message_descriptor_get_field_by_name(&google__rpc__resource_info__descriptor,
									 "description")
				 ->id,
			 4);
	assert_string_equal(google__rpc__bad_request__field_violation__descriptor.name,
			    "google.rpc.BadRequest.FieldViolation");
}

static void every_reason_has_the_prefix_that_the_wire_drops(void **state)
{
	const ProtobufCEnumDescriptor *d = &filmgate__v1__error_reason__descriptor;

	(void)state;
	assert_true(d->n_values > 15);
	for (unsigned i = 0; i < d->n_values; i++)
		assert_int_equal(strncmp(d->values[i].name, "ERROR_REASON_", strlen("ERROR_REASON_")), 0);
}

static void the_job_service_has_its_methods(void **state)
{
	static const char *const names[] = {"CreateJob", "GetJob",   "ListJobs",   "UpdateJob",
					    "CancelJob", "RetryJob", "ResolveJob", "ResumeJob",
					    "DeleteJob", "WatchJob", "WatchJobs",  "CountJobs"};
	const ProtobufCServiceDescriptor *d = &filmgate__v1__job_service__descriptor;

	(void)state;
	assert_int_equal(d->n_methods, sizeof(names) / sizeof(names[0]));
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		assert_non_null(protobuf_c_service_descriptor_get_method_by_name(d, names[i]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_seed_of_zero_is_not_the_same_as_none),
		cmocka_unit_test(the_largest_seed_survives),
		cmocka_unit_test(error_details_have_the_public_field_numbers),
		cmocka_unit_test(every_reason_has_the_prefix_that_the_wire_drops),
		cmocka_unit_test(the_job_service_has_its_methods),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
