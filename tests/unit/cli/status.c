#include "status.h"

#include "base/err.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <google/protobuf/any.pb-c.h>
#include <google/rpc/status.pb-c.h>

static char retry_type[] = "type.googleapis.com/google.rpc.RetryInfo";
static char info_type[] = "type.googleapis.com/google.rpc.ErrorInfo";
static char domain[] = "filmgate";

/* A status as the daemon sends it: with an ErrorInfo if @reason is not NULL, and a delay if that is not 0. */
static void make(struct status *status, int code, const char *reason, int64_t retry_s)
{
	Google__Rpc__ErrorInfo info = GOOGLE__RPC__ERROR_INFO__INIT;
	Google__Rpc__RetryInfo retry = GOOGLE__RPC__RETRY_INFO__INIT;
	Google__Protobuf__Duration delay = GOOGLE__PROTOBUF__DURATION__INIT;
	Google__Protobuf__Any anys[2] = {GOOGLE__PROTOBUF__ANY__INIT, GOOGLE__PROTOBUF__ANY__INIT};
	Google__Protobuf__Any *details[] = {&anys[0], &anys[1]};
	Google__Rpc__Status wire = GOOGLE__RPC__STATUS__INIT;
	uint8_t info_bytes[128], retry_bytes[32], bytes[512];

	info.reason = (char *)(uintptr_t)reason;
	info.domain = domain;
	delay.seconds = retry_s;
	retry.retry_delay = &delay;
	anys[0].type_url = retry_type;
	anys[0].value = (ProtobufCBinaryData){google__rpc__retry_info__pack(&retry, retry_bytes), retry_bytes};
	wire.details = details;
	wire.n_details = 1;
	if (reason) {
		anys[1].type_url = info_type;
		anys[1].value = (ProtobufCBinaryData){google__rpc__error_info__pack(&info, info_bytes), info_bytes};
		wire.n_details = 2;
	}
	assert_true(google__rpc__status__get_packed_size(&wire) <= sizeof(bytes));
	assert_int_equal(status_set(status, code, bytes_of_text("words"),
				    bytes_of(bytes, google__rpc__status__pack(&wire, bytes))),
			 0);
}

static void details_are_read(void **state)
{
	_cleanup_(status_finish) struct status status = {0};

	(void)state;
	make(&status, STATUS_NOT_FOUND, "JOB_NOT_FOUND", 5);
	assert_int_equal(status_reason(&status), FILMGATE__V1__ERROR_REASON__ERROR_REASON_JOB_NOT_FOUND);
	assert_string_equal(status.message, "words");
	assert_int_equal(status.retry_ms, 5000);
}

static void unreadable_details_are_left_out(void **state)
{
	_cleanup_(status_finish) struct status status = {0};

	(void)state;
	assert_int_equal(status_set(&status, STATUS_NOT_FOUND, bytes_of_text("m"), bytes_of_text("\xff\xff nonsense")),
			 0);
	assert_null(status.info);
	assert_int_equal(status.code, STATUS_NOT_FOUND);
}

static void an_unknown_reason_is_none(void **state)
{
	_cleanup_(status_finish) struct status status = {0};

	(void)state;
	make(&status, STATUS_UNAVAILABLE, "FROM_THE_FUTURE", 0);
	assert_int_equal(status_reason(&status), 0);
	assert_non_null(status.info);
}

static void exit_codes_follow_the_status(void **state)
{
	static const struct {
		const char *reason;
		int code;
		enum exit_code exit_code;
	} rows[] = {
		{NULL, STATUS_OK, EXIT_OK},
		{"INVALID_REQUEST", STATUS_INVALID_ARGUMENT, EXIT_USAGE},
		{"JOB_NOT_FOUND", STATUS_NOT_FOUND, EXIT_NOT_FOUND},
		{NULL, STATUS_PERMISSION_DENIED, EXIT_AUTH},
		{NULL, STATUS_UNAUTHENTICATED, EXIT_AUTH},
		{NULL, STATUS_UNAVAILABLE, EXIT_UNREACHABLE},
		{"DRAINING", STATUS_UNAVAILABLE, EXIT_UNREACHABLE},
		{"STORE_UNAVAILABLE", STATUS_UNAVAILABLE, EXIT_FAILED},
		{"PROVIDER_FAILED", STATUS_UNAVAILABLE, EXIT_FAILED},
		{NULL, STATUS_DEADLINE_EXCEEDED, EXIT_TIMED_OUT},
		{"QUEUE_FULL", STATUS_RESOURCE_EXHAUSTED, EXIT_FAILED},
		{NULL, STATUS_INTERNAL, EXIT_FAILED},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		_cleanup_(status_finish) struct status status = {0};

		make(&status, rows[i].code, rows[i].reason, 0);
		if (status_exit_code(&status) != rows[i].exit_code)
			fail_msg("%s %s is %d", status_code_name(rows[i].code), rows[i].reason,
				 status_exit_code(&status));
	}
}

/* Repeating anything else could not help, or could buy what the daemon has just refused. */
static void only_what_is_undecided_is_repeated(void **state)
{
	static const struct {
		const char *reason;
		int code;
		int is_undecided;
	} rows[] = {
		{NULL, STATUS_UNAVAILABLE, 1},
		{"DRAINING", STATUS_UNAVAILABLE, 1},
		{"STORE_UNAVAILABLE", STATUS_UNAVAILABLE, 1},
		{NULL, STATUS_DEADLINE_EXCEEDED, 1},
		{"PROVIDER_FAILED", STATUS_UNAVAILABLE, 0},
		{"INVALID_REQUEST", STATUS_INVALID_ARGUMENT, 0},
		{"QUEUE_FULL", STATUS_RESOURCE_EXHAUSTED, 0},
		{"INTERNAL", STATUS_INTERNAL, 0},
		{NULL, STATUS_UNKNOWN, 1},
		{NULL, STATUS_OK, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		_cleanup_(status_finish) struct status status = {0};

		make(&status, rows[i].code, rows[i].reason, 0);
		assert_int_equal(status_is_undecided(&status), rows[i].is_undecided);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(details_are_read),
		cmocka_unit_test(unreadable_details_are_left_out),
		cmocka_unit_test(an_unknown_reason_is_none),
		cmocka_unit_test(exit_codes_follow_the_status),
		cmocka_unit_test(only_what_is_undecided_is_repeated),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
