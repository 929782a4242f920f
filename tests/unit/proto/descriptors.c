/*
 * The embedded descriptor set is what reflection serves: whole, in an order that a reader can build from, and with every
 * service and every error detail in it.
 */
#include "proto/descriptors.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <google/protobuf/descriptor.pb-c.h>

static int unpack_set(void **state)
{
	*state = google__protobuf__file_descriptor_set__unpack(NULL, filmgate_descriptors_size, filmgate_descriptors);
	return *state ? 0 : -1;
}

static int free_set(void **state)
{
	google__protobuf__file_descriptor_set__free_unpacked(*state, NULL);
	return 0;
}

static bool is_among_first(const Google__Protobuf__FileDescriptorSet *set, size_t n, const char *file)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(set->file[i]->name, file))
			return true;
	return false;
}

static bool has_service(const Google__Protobuf__FileDescriptorSet *set, const char *full_name)
{
	char name[128];

	for (size_t i = 0; i < set->n_file; i++)
		for (size_t j = 0; j < set->file[i]->n_service; j++) {
			snprintf(name, sizeof(name), "%s.%s", set->file[i]->package, set->file[i]->service[j]->name);
			if (!strcmp(name, full_name))
				return true;
		}
	return false;
}

static void every_file_comes_after_the_files_it_imports(void **state)
{
	const Google__Protobuf__FileDescriptorSet *set = *state;

	assert_true(set->n_file > 10);
	for (size_t i = 0; i < set->n_file; i++)
		for (size_t j = 0; j < set->file[i]->n_dependency; j++)
			assert_true(is_among_first(set, i, set->file[i]->dependency[j]));
}

static void every_service_that_is_served_is_described(void **state)
{
	static const char *const services[] = {
		"filmgate.v1.JobService",
		"filmgate.v1.ArtifactService",
		"filmgate.v1.ProviderService",
		"grpc.health.v1.Health",
		"grpc.reflection.v1.ServerReflection",
		"grpc.reflection.v1alpha.ServerReflection",
	};

	for (size_t i = 0; i < sizeof(services) / sizeof(services[0]); i++)
		assert_true(has_service(*state, services[i]));
}

static void error_details_are_described(void **state)
{
	const Google__Protobuf__FileDescriptorSet *set = *state;

	assert_true(is_among_first(set, set->n_file, "google/rpc/status.proto"));
	assert_true(is_among_first(set, set->n_file, "google/rpc/error_details.proto"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_file_comes_after_the_files_it_imports),
		cmocka_unit_test(every_service_that_is_served_is_described),
		cmocka_unit_test(error_details_are_described),
	};

	return cmocka_run_group_tests(tests, unpack_set, free_set);
}
