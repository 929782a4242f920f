#include "sim/requests.h"

#include "base/err.h"
#include "base/limits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static void add(struct sim_requests *requests, const char *path, const char *header)
{
	struct sim_request request = {0};

	request.method = strdup("GET");
	request.path = strdup(path);
	assert_int_equal(sim_fields_add(&request.headers, header, "value"), 0);
	sim_requests_add(requests, &request, 0);
	sim_request_finish(&request);
}

static json_int_t number_of(const json_t *report, size_t row)
{
	return json_integer_value(json_object_get(json_array_get(json_object_get(report, "requests"), row), "n"));
}

static void the_oldest_rows_go_at_the_limit(void **state)
{
	struct sim_requests *requests;
	json_t *report;

	(void)state;
	assert_int_equal(sim_requests_new(&requests), 0);
	for (int i = 0; i < LIMIT_SIM_REQUESTS + 3; i++)
		add(requests, "/", "Host");
	report = sim_requests_report(requests, 0);
	assert_int_equal(json_array_size(json_object_get(report, "requests")), LIMIT_SIM_REQUESTS);
	assert_int_equal(number_of(report, 0), 4);
	assert_int_equal(number_of(report, LIMIT_SIM_REQUESTS - 1), LIMIT_SIM_REQUESTS + 3);
	json_decref(report);
	report = sim_requests_report(requests, LIMIT_SIM_REQUESTS + 1);
	assert_int_equal(json_array_size(json_object_get(report, "requests")), 2);
	json_decref(report);
	sim_requests_free(requests);
}

static void every_kind_of_credential_is_noticed(void **state)
{
	static const char *const names[] = {"x-api-key", "AUTHORIZATION", "X-Goog-Api-Key", "X-Other"};
	struct sim_requests *requests;
	json_t *report;

	(void)state;
	assert_int_equal(sim_requests_new(&requests), 0);
	for (size_t i = 0; i < 4; i++)
		add(requests, "/", names[i]);
	report = sim_requests_report(requests, 0);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(json_is_true(json_object_get(json_array_get(json_object_get(report, "requests"), i),
							      "api_key")),
				 i < 3);
	json_decref(report);
	sim_requests_free(requests);
}

static void a_path_that_is_no_text_is_still_a_row(void **state)
{
	struct sim_requests *requests;
	json_t *report;

	(void)state;
	assert_int_equal(sim_requests_new(&requests), 0);
	add(requests, "/\xff", "Host");
	report = sim_requests_report(requests, 0);
	assert_int_equal(number_of(report, 0), 1);
	json_decref(report);
	sim_requests_free(requests);
}

static void a_target_is_split_and_decoded(void **state)
{
	struct sim_request request = {0};

	(void)state;
	assert_int_equal(sim_request_set_target(&request, "/a%2Fb%20c%00%zz?x=1%202&&y&z=a=b%2Fc"), 0);
	assert_string_equal(request.path, "/a%2Fb c%00%zz");
	assert_int_equal(request.query.count, 3);
	assert_string_equal(sim_fields_find(&request.query, "x"), "1 2");
	assert_string_equal(sim_fields_find(&request.query, "y"), "");
	assert_string_equal(sim_fields_find(&request.query, "z"), "a=b/c");
	sim_request_finish(&request);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_oldest_rows_go_at_the_limit),
		cmocka_unit_test(every_kind_of_credential_is_noticed),
		cmocka_unit_test(a_path_that_is_no_text_is_still_a_row),
		cmocka_unit_test(a_target_is_split_and_decoded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
