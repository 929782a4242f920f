/* What each refusal of a submit means, and what it cost. Shapes are Google's; words are abridged. */
#include "veo/rig.h"

#include "base/err.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))
#define ERROR(status, message) "{\"error\":{\"code\":0,\"message\":\"" message "\",\"status\":\"" status "\"}}"
#define DETAILED(status, message, detail) \
	"{\"error\":{\"message\":\"" message "\",\"status\":\"" status "\",\"details\":[{\"@type\":\"x\"}," detail "]}}"
#define RETRY_INFO(delay) "{\"@type\":\"type.googleapis.com/google.rpc.RetryInfo\",\"retryDelay\":\"" delay "\"}"
#define PAGE "<!DOCTYPE html><html><title>Error</title><p>That is all we know.</html>"

struct row {
	int status;
	const char *body;
	enum plugin_answer_kind kind;
	enum plugin_reason reason;
	enum plugin_bought bought;
	const char *code;
};
#define ROW(status, body, kind, reason, bought, code)                                                    \
	{                                                                                                \
		status, body, PLUGIN_ANSWER_##kind, PLUGIN_REASON_##reason, PLUGIN_BOUGHT_##bought, code \
	}

static const struct row rows[] = {
	ROW(400, ERROR("INVALID_ARGUMENT", "Unsupported duration"), FAILED, INVALID_INPUT, NONE, "INVALID_ARGUMENT"),
	ROW(400, ERROR("INVALID_ARGUMENT", "The image violates our policies. Support codes: 17301594"), FAILED,
	    MODERATED, NONE, "17301594"),
	ROW(400, ERROR("INVALID_ARGUMENT", "API key not valid. Please pass a valid API key."), FAILED, AUTH, NONE,
	    "INVALID_ARGUMENT"),
	ROW(400, DETAILED("INVALID_ARGUMENT", "no", "{\"reason\":\"API_KEY_INVALID\"}"), FAILED, AUTH, NONE,
	    "INVALID_ARGUMENT"),
	ROW(400, ERROR("FAILED_PRECONDITION", "Enable billing on your project"), FAILED, NO_CREDIT, NONE,
	    "FAILED_PRECONDITION"),
	ROW(400, ERROR("FAILED_PRECONDITION", "User location is not supported"), FAILED, INVALID_INPUT, NONE,
	    "FAILED_PRECONDITION"),
	ROW(400, "[" ERROR("INVALID_ARGUMENT", "bad") "]", FAILED, INVALID_INPUT, NONE, "INVALID_ARGUMENT"),
	ROW(403, ERROR("PERMISSION_DENIED", "aiplatform.endpoints.predict"), FAILED, AUTH, NONE, "PERMISSION_DENIED"),
	ROW(403, DETAILED("PERMISSION_DENIED", "no", "{\"reason\":\"BILLING_DISABLED\"}"), FAILED, NO_CREDIT, NONE,
	    "PERMISSION_DENIED"),
	ROW(404, ERROR("NOT_FOUND", "Publisher Model was not found"), FAILED, INVALID_INPUT, NONE, "NOT_FOUND"),
	ROW(404, "[" ERROR("NOT_FOUND", "The model is no longer available") "]", FAILED, INVALID_INPUT, NONE,
	    "NOT_FOUND"),
	ROW(404, PAGE, FAILED, PROVIDER_FAULT, NONE, ""),
	ROW(413, PAGE, FAILED, INVALID_INPUT, NONE, ""),
	ROW(429, ERROR("RESOURCE_EXHAUSTED", "Quota exceeded"), TROUBLE, RATE_LIMITED, NONE, "RESOURCE_EXHAUSTED"),
	ROW(429, "{\"error\":{\"code\":429,\"message\":\"m\",\"errors\":[{\"reason\":\"rateLimitExceeded\"}]}}",
	    TROUBLE, RATE_LIMITED, NONE, ""),
	ROW(429, ERROR("RESOURCE_EXHAUSTED", "Your prepayment credits are depleted."), FAILED, NO_CREDIT, NONE,
	    "RESOURCE_EXHAUSTED"),
	ROW(429, ERROR("RESOURCE_EXHAUSTED", "Quota exceeded for metric: x, limit: 0, model: veo"), FAILED, QUOTA, NONE,
	    "RESOURCE_EXHAUSTED"),
	ROW(429, PAGE, TROUBLE, RATE_LIMITED, NONE, ""),
	/* From here on nobody can tell whether the order was taken. */
	ROW(408, PAGE, TROUBLE, UNAVAILABLE, UNKNOWN, ""),
	ROW(409, ERROR("ABORTED", "try again"), TROUBLE, UNAVAILABLE, UNKNOWN, "ABORTED"),
	ROW(499, ERROR("CANCELLED", "cancelled"), TROUBLE, UNAVAILABLE, UNKNOWN, "CANCELLED"),
	ROW(500, ERROR("INTERNAL", "Internal error"), TROUBLE, UNAVAILABLE, UNKNOWN, "INTERNAL"),
	ROW(502, PAGE, TROUBLE, UNAVAILABLE, UNKNOWN, ""),
	ROW(503, ERROR("UNAVAILABLE", "overloaded"), TROUBLE, UNAVAILABLE, UNKNOWN, "UNAVAILABLE"),
	ROW(503, PAGE, TROUBLE, UNAVAILABLE, UNKNOWN, ""),
	ROW(504, ERROR("DEADLINE_EXCEEDED", "slow"), TROUBLE, UNAVAILABLE, UNKNOWN, "DEADLINE_EXCEEDED"),
	ROW(302, "", TROUBLE, UNAVAILABLE, UNKNOWN, ""),
	ROW(200, PAGE, TROUBLE, UNAVAILABLE, UNKNOWN, ""),
	ROW(200, "{}", TROUBLE, UNAVAILABLE, UNKNOWN, ""),
	ROW(200, "{\"name\":\"\"}", TROUBLE, UNAVAILABLE, UNKNOWN, ""),
	ROW(200, "{\"name\":7}", TROUBLE, UNAVAILABLE, UNKNOWN, ""),
	ROW(200, ERROR("INTERNAL", "an error in a 200"), TROUBLE, UNAVAILABLE, UNKNOWN, "INTERNAL"),
};

static void each_refusal_has_its_reason_and_its_price(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		_cleanup_(plugin_answer_freep) struct plugin_answer *answer = rig_reply(PLUGIN_VERB_START, NULL,
											rows[i].status, rows[i].body);

		if (answer->kind != rows[i].kind || answer->failure.reason != rows[i].reason ||
		    answer->failure.bought != rows[i].bought || strcmp(answer->failure.code, rows[i].code) != 0)
			fail_msg("%d %s\n answered %s, reason %d, bought %d, code '%s'", rows[i].status, rows[i].body,
				 plugin_answer_name(answer->kind), (int)answer->failure.reason,
				 (int)answer->failure.bought, answer->failure.code);
	}
}

/* What ended up as a job is not decided by a poll's refusal, whatever it says. */
static void no_refusal_of_a_poll_ends_the_job(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		_cleanup_(plugin_answer_freep) struct plugin_answer *answer = NULL;

		if (rows[i].status == 200 && strstr(rows[i].body, "error") == NULL && rows[i].body[0] == '{')
			continue;
		answer = rig_reply(PLUGIN_VERB_POLL, NULL, rows[i].status, rows[i].body);
		if (answer->kind != PLUGIN_ANSWER_TROUBLE || answer->failure.bought != PLUGIN_BOUGHT_UNKNOWN)
			fail_msg("%d %s\n answered %s, bought %d", rows[i].status, rows[i].body,
				 plugin_answer_name(answer->kind), (int)answer->failure.bought);
	}
}

static void the_pause_stands_in_the_body(void **state)
{
	static const struct {
		const char *delay;
		int64_t ms;
	} delays[] = {
		{"58s", 58000}, {"1.5s", 1500}, {"0.25s", 250}, {"86400s", 86400000},         {"soon", 0},
		{"", 0},        {"s", 0},       {"-3s", 0},     {"99999999999999999999s", 0},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(delays); i++) {
		_cleanup_(plugin_answer_freep) struct plugin_answer *answer = NULL;
		char body[300];

		snprintf(body, sizeof(body), DETAILED("RESOURCE_EXHAUSTED", "m", RETRY_INFO("%s")), delays[i].delay);
		answer = rig_reply(PLUGIN_VERB_START, NULL, 429, body);
		rig_assert_failure(answer, PLUGIN_ANSWER_TROUBLE, PLUGIN_REASON_RATE_LIMITED, PLUGIN_BOUGHT_NONE);
		if (answer->failure.retry_after_ms != delays[i].ms)
			fail_msg("'%s' is %lld ms", delays[i].delay, (long long)answer->failure.retry_after_ms);
	}
}

static void a_header_serves_where_the_body_names_no_pause(void **state)
{
	_cleanup_(plugin_answer_freep) struct plugin_answer *answer = NULL;

	(void)state;
	rig.retry_after_ms = 7000;
	answer = rig_reply(PLUGIN_VERB_START, NULL, 429, ERROR("RESOURCE_EXHAUSTED", "m"));
	assert_int_equal(answer->failure.retry_after_ms, 7000);
}

/* The daemon has dropped the token by then: the next step waits for a new one. */
static void a_refused_token_is_tried_again_at_once_and_then_with_patience(void **state)
{
	static const char body[] = ERROR("UNAUTHENTICATED", "Request had invalid authentication credentials.");
	_cleanup_(plugin_answer_freep) struct plugin_answer *first = rig_reply(PLUGIN_VERB_START, NULL, 401, body);
	_cleanup_(plugin_answer_freep) struct plugin_answer *second = NULL;

	(void)state;
	rig_assert_failure(first, PLUGIN_ANSWER_TROUBLE, PLUGIN_REASON_AUTH, PLUGIN_BOUGHT_NONE);
	assert_int_equal(first->failure.retry_after_ms, 1);
	assert_non_null(first->state);
	second = rig_reply(PLUGIN_VERB_START, first->state, 401, body);
	rig_assert_failure(second, PLUGIN_ANSWER_FAILED, PLUGIN_REASON_AUTH, PLUGIN_BOUGHT_NONE);
	assert_int_equal(second->failure.retry_after_ms, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(each_refusal_has_its_reason_and_its_price, rig_reset),
		cmocka_unit_test_setup(no_refusal_of_a_poll_ends_the_job, rig_reset),
		cmocka_unit_test_setup(the_pause_stands_in_the_body, rig_reset),
		cmocka_unit_test_setup(a_header_serves_where_the_body_names_no_pause, rig_reset),
		cmocka_unit_test_setup(a_refused_token_is_tried_again_at_once_and_then_with_patience, rig_reset),
	};

	return cmocka_run_group_tests_name("veo.refusals", tests, rig_set_up, rig_tear_down);
}
