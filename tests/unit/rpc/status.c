#include "rpc/status.h"

#include "api/prescan.h"
#include "api/upload.h"
#include "api/violations.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/log.h"

#include <google/rpc/error_details.pb-c.h>
#include <google/rpc/status.pb-c.h>
#include <grpc/grpc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define REASON(name) FILMGATE__V1__ERROR_REASON__ERROR_REASON_##name

/* error_reason.proto once more, by hand from its comments. */
static const struct {
	Filmgate__V1__ErrorReason reason;
	grpc_status_code code;
	const char *promise; /* the detail beside ErrorInfo, or "" */
} contract[] = {
	{REASON(MALFORMED_MESSAGE), GRPC_STATUS_INVALID_ARGUMENT, ""},
	{REASON(INVALID_REQUEST), GRPC_STATUS_INVALID_ARGUMENT, "BadRequest"},
	{REASON(REQUEST_ID_REUSED), GRPC_STATUS_ALREADY_EXISTS, ""},
	{REASON(JOB_DELETED), GRPC_STATUS_ALREADY_EXISTS, ""},
	{REASON(JOB_NOT_FOUND), GRPC_STATUS_NOT_FOUND, "ResourceInfo"},
	{REASON(ARTIFACT_NOT_FOUND), GRPC_STATUS_NOT_FOUND, "ResourceInfo"},
	{REASON(PROVIDER_NOT_FOUND), GRPC_STATUS_NOT_FOUND, "ResourceInfo"},
	{REASON(REVISION_MISMATCH), GRPC_STATUS_ABORTED, "ResourceInfo"},
	{REASON(WRONG_STATE), GRPC_STATUS_FAILED_PRECONDITION, "ResourceInfo"},
	{REASON(PROVIDER_FAILED), GRPC_STATUS_UNAVAILABLE, "ResourceInfo"},
	{REASON(CURSOR_EXPIRED), GRPC_STATUS_OUT_OF_RANGE, ""},
	{REASON(WATCHER_TOO_SLOW), GRPC_STATUS_RESOURCE_EXHAUSTED, ""},
	{REASON(TOO_MANY_WATCHERS), GRPC_STATUS_RESOURCE_EXHAUSTED, "RetryInfo"},
	{REASON(OFFSET_OUT_OF_RANGE), GRPC_STATUS_OUT_OF_RANGE, ""},
	{REASON(ARTIFACT_DAMAGED), GRPC_STATUS_DATA_LOSS, "ResourceInfo"},
	{REASON(QUEUE_FULL), GRPC_STATUS_RESOURCE_EXHAUSTED, "RetryInfo"},
	{REASON(DRAINING), GRPC_STATUS_UNAVAILABLE, "RetryInfo"},
	{REASON(STORE_UNAVAILABLE), GRPC_STATUS_UNAVAILABLE, ""},
	{REASON(INTERNAL), GRPC_STATUS_INTERNAL, ""},
	{REASON(ASSET_NOT_FOUND), GRPC_STATUS_NOT_FOUND, "ResourceInfo"},
	{REASON(ASSET_IN_USE), GRPC_STATUS_FAILED_PRECONDITION, "ResourceInfo"},
	{REASON(ASSET_REFUSED), GRPC_STATUS_INVALID_ARGUMENT, ""},
	{REASON(TOO_MANY_UPLOADS), GRPC_STATUS_RESOURCE_EXHAUSTED, "RetryInfo"},
	{REASON(UPLOAD_IDLE), GRPC_STATUS_ABORTED, ""},
	{REASON(UPLOAD_TOO_SLOW), GRPC_STATUS_RESOURCE_EXHAUSTED, ""},
	{REASON(DELIVERY_NOT_FOUND), GRPC_STATUS_NOT_FOUND, "ResourceInfo"},
	{REASON(VIDEO_OWNED), GRPC_STATUS_ALREADY_EXISTS, "ResourceInfo"},
};
#define CONTRACT_SIZE (sizeof(contract) / sizeof(contract[0]))

static Google__Rpc__Status *details_of(const struct failure *failure, grpc_status_code *ret_code)
{
	Google__Rpc__Status *details;
	struct status status;

	status_init_failure(&status, failure);
	details = google__rpc__status__unpack(NULL, GRPC_SLICE_LENGTH(status.details),
					      GRPC_SLICE_START_PTR(status.details));
	assert_non_null(details);
	assert_int_equal(details->code, status.code);
	assert_int_equal(strlen(details->message), GRPC_SLICE_LENGTH(status.message));
	assert_memory_equal(details->message, GRPC_SLICE_START_PTR(status.message), strlen(details->message));
	*ret_code = status.code;
	status_finish(&status);
	return details;
}

/* The detail of that type; the caller unpacks its value. NULL: not there. */
static const ProtobufCBinaryData *find_detail(const Google__Rpc__Status *details, const char *type)
{
	char url[96];

	snprintf(url, sizeof(url), "type.googleapis.com/google.rpc.%s", type);
	for (size_t i = 0; i < details->n_details; i++)
		if (strcmp(details->details[i]->type_url, url) == 0)
			return &details->details[i]->value;
	return NULL;
}

static void every_reason_of_the_contract_has_its_code(void **state)
{
	(void)state;
	assert_int_equal(filmgate__v1__error_reason__descriptor.n_values, CONTRACT_SIZE + 1);
	for (size_t i = 0; i < CONTRACT_SIZE; i++)
		assert_int_equal((grpc_status_code)code_of_reason(contract[i].reason), contract[i].code);
}

static void every_reason_carries_what_the_contract_promises(void **state)
{
	const struct engine_violation violation = {.field = "field", .text = "text"};

	(void)state;
	for (size_t i = 0; i < CONTRACT_SIZE; i++) {
		const struct failure failure = {.reason = contract[i].reason,
						.violations = &violation,
						.n_violations = 1,
						.resource = RESOURCE_JOB,
						.resource_name = "jobs/x"};
		grpc_status_code code;
		Google__Rpc__Status *details = details_of(&failure, &code);
		const ProtobufCBinaryData *info = find_detail(details, "ErrorInfo");
		Google__Rpc__ErrorInfo *error;

		assert_non_null(info);
		error = google__rpc__error_info__unpack(NULL, info->len, info->data);
		assert_string_equal(error->domain, "filmgate");
		assert_string_equal(error->reason, name_of_reason(contract[i].reason));
		google__rpc__error_info__free_unpacked(error, NULL);
		if (*contract[i].promise)
			assert_non_null(find_detail(details, contract[i].promise));
		google__rpc__status__free_unpacked(details, NULL);
	}
}

static void every_outcome_of_the_engine_has_a_reason_of_its_own(void **state)
{
	uint32_t seen = 0;

	(void)state;
	for (int outcome = 1; outcome < _ENGINE_E_COUNT; outcome++) {
		struct failure failure = failure_of_engine(outcome, NULL, RESOURCE_JOB, "jobs/x");

		assert_int_not_equal(failure.reason, REASON(UNSPECIFIED));
		/* A plugin is the daemon's own. */
		if (outcome == ENGINE_E_PLUGIN) {
			assert_int_equal(failure.reason, REASON(INTERNAL));
			continue;
		}
		assert_int_not_equal(failure.reason, REASON(INTERNAL));
		/* Only CheckProvider tells apart how a provider failed. */
		if (outcome == ENGINE_E_CREDENTIAL || outcome == ENGINE_E_UNREACHABLE) {
			assert_int_equal(failure.reason, REASON(PROVIDER_FAILED));
			continue;
		}
		assert_false(seen & 1u << failure.reason);
		seen |= 1u << failure.reason;
	}
}

static void what_is_not_found_is_named_after_what_was_asked_for(void **state)
{
	(void)state;
	assert_int_equal(failure_of_engine(ENGINE_E_NOT_FOUND, NULL, RESOURCE_JOB, "").reason, REASON(JOB_NOT_FOUND));
	assert_int_equal(failure_of_engine(ENGINE_E_NOT_FOUND, NULL, RESOURCE_ARTIFACT, "").reason,
			 REASON(ARTIFACT_NOT_FOUND));
	assert_int_equal(failure_of_engine(ENGINE_E_NOT_FOUND, NULL, RESOURCE_PROVIDER, "").reason,
			 REASON(PROVIDER_NOT_FOUND));
	assert_int_equal(failure_of_engine(ENGINE_E_NOT_FOUND, NULL, RESOURCE_ASSET, "").reason,
			 REASON(ASSET_NOT_FOUND));
}

/* Also a positive one from beyond the table, which only a slip can produce. */
static void faults_are_internal_and_tell_nothing(void **state)
{
	const struct engine_error error = {.text = "secret of the house"};
	static const int faults[] = {-EIO, -ENOMEM, 0, _ENGINE_E_COUNT, 4711};

	(void)state;
	for (size_t i = 0; i < 5; i++) {
		struct failure failure = failure_of_engine(faults[i], &error, RESOURCE_NONE, NULL);

		assert_int_equal(failure.reason, REASON(INTERNAL));
		assert_null(failure.text);
	}
}

static void violations_are_named_as_the_request_names_them(void **state)
{
	const struct engine_violation violations[] = {
		{"parameters.prompt", "a"}, {"job.model", "b"}, {"request_id", "c"}};
	const struct failure failure = {
		.reason = REASON(INVALID_REQUEST), .violations = violations, .n_violations = 3, .field_prefix = "job."};
	Google__Rpc__BadRequest *bad;
	const ProtobufCBinaryData *detail;
	Google__Rpc__Status *details;
	grpc_status_code code;

	(void)state;
	details = details_of(&failure, &code);
	detail = find_detail(details, "BadRequest");
	assert_non_null(detail);
	bad = google__rpc__bad_request__unpack(NULL, detail->len, detail->data);
	assert_int_equal(bad->n_field_violations, 3);
	assert_string_equal(details->message, "job.parameters.prompt: a");
	assert_string_equal(bad->field_violations[0]->field, "job.parameters.prompt");
	assert_string_equal(bad->field_violations[0]->description, "a");
	assert_string_equal(bad->field_violations[1]->field, "job.model");
	assert_string_equal(bad->field_violations[2]->field, "request_id");
	google__rpc__bad_request__free_unpacked(bad, NULL);
	google__rpc__status__free_unpacked(details, NULL);
}

/* Clients take 8 KiB of trailers: whatever comes together, they get as much as fits. */
static void details_never_outgrow_the_trailers(void **state)
{
	struct engine_violation violations[LIMIT_JOB_VIOLATIONS];
	struct failure failure = {
		.reason = REASON(INVALID_REQUEST), .violations = violations, .n_violations = LIMIT_JOB_VIOLATIONS};
	char longest[4000];
	struct status status;

	(void)state;
	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	failure.text = longest;
	for (size_t i = 0; i < LIMIT_JOB_VIOLATIONS; i++)
		violations[i] = (struct engine_violation){.field = "job.parameters.prompt", .text = longest};
	status_init_failure(&status, &failure);
	assert_int_equal(GRPC_SLICE_LENGTH(status.message), LIMIT_RPC_STATUS_TEXT);
	assert_true(GRPC_SLICE_LENGTH(status.details) <= LIMIT_RPC_STATUS_DETAILS);
	assert_true(GRPC_SLICE_LENGTH(status.details) > LIMIT_RPC_STATUS_DETAILS / 2);
	status_finish(&status);
}

static void unreadable_requests_and_unknown_values_are_told_apart(void **state)
{
	const struct problem problem = {.field = "job.model", .text = "why"};
	struct engine_violation violation;
	struct failure failure;

	(void)state;
	failure = failure_of_problem(PRESCAN_E_MALFORMED, &problem, &violation);
	assert_int_equal(failure.reason, REASON(MALFORMED_MESSAGE));
	failure = failure_of_problem(PRESCAN_E_ENUM, &problem, &violation);
	assert_int_equal(failure.reason, REASON(INVALID_REQUEST));
	assert_string_equal(failure.violations[0].field, "job.model");
	failure = failure_of_problem(-ENOMEM, &problem, &violation);
	assert_int_equal(failure.reason, REASON(INTERNAL));
}

static int set_up(void **state)
{
	(void)state;
	log_setup(LOG_FORMAT_TEXT, LOG_LEVEL_ERROR + 1);
	grpc_init();
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	grpc_shutdown_blocking();
	return 0;
}

static void an_upload_is_given_time_and_then_a_least_rate(void **state)
{
	const int64_t grace_ms = LIMIT_RPC_UPLOAD_GRACE_MS;
	const uint64_t rate = LIMIT_RPC_UPLOAD_BYTES_PER_MS;
	/* The largest asset that the limits allow at first, at a quarter of a megabit. */
	const uint64_t largest = 2147483648;

	(void)state;
	assert_false(upload_is_too_slow(0, 0));
	assert_false(upload_is_too_slow(0, grace_ms));
	assert_true(upload_is_too_slow(0, grace_ms + 1));
	assert_false(upload_is_too_slow(rate, grace_ms + 1));
	assert_true(upload_is_too_slow(1000 * rate - 1, grace_ms + 1000));
	assert_false(upload_is_too_slow(1000 * rate, grace_ms + 1000));
	assert_false(upload_is_too_slow(largest, (int64_t)(largest * 8 / 256)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_upload_is_given_time_and_then_a_least_rate),
		cmocka_unit_test(every_reason_of_the_contract_has_its_code),
		cmocka_unit_test(every_reason_carries_what_the_contract_promises),
		cmocka_unit_test(every_outcome_of_the_engine_has_a_reason_of_its_own),
		cmocka_unit_test(what_is_not_found_is_named_after_what_was_asked_for),
		cmocka_unit_test(faults_are_internal_and_tell_nothing),
		cmocka_unit_test(violations_are_named_as_the_request_names_them),
		cmocka_unit_test(details_never_outgrow_the_trailers),
		cmocka_unit_test(unreadable_requests_and_unknown_values_are_told_apart),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
