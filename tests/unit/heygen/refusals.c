/* What HeyGen's error replies mean to a submit, where money hangs on it, and to a poll, where nothing ends the job. */
#include "heygen/rig.h"

#include "base/err.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

/* Nothing here says that HeyGen refused, so nothing may say that nothing was bought. */
static void a_reply_that_proves_nothing_is_no_refusal(void **state)
{
	static const struct {
		int status;
		const char *body;
	} replies[] = {
		{200, ""},
		{200, "<html><body>It works</body></html>"},
		{200, "{\"data\":{\"video_id\":\"v_"},
		{200, "{\"data\":{\"video_id\":\"\"}}"},
		{200, "{\"data\":{\"video_id\":null,\"status\":\"waiting\"}}"},
		{200, "{\"data\":{}}"},
		{200, "{\"data\":null}"},
		{200, "[]"},
		{200, "null"},
		{200, "{\"error\":{\"code\":\"brand_new_code\",\"message\":\"?\"}}"},
		{200, "{\"code\":400543,\"message\":\"?\"}"},
		{204, ""},
		{302, "<html>moved</html>"},
		{400, "<html><body><h1>400 Bad Request</h1></body></html>"},
		{400, ""},
		{400, "{\"error\":\"boom\"}"},
		{400, "{\"code\":400,\"message\":\"Bad Request\"}"},
		{400, "{\"error\":{\"code\":3,\"message\":\"a gateway's own\"}}"},
		{408, ""},
		{413, "<html>413</html>"},
		{422, "{\"detail\":\"x\"}"},
		{423, ""},
		{499, ""},
		{500, "{\"error\":{\"code\":\"internal_error\",\"message\":\"boom\"}}"},
		{500, "{\"error\":{\"message\":\"boom\"}}"},
		{502, "<html>Bad gateway</html>"},
		{500, "{\"error\":{\"code\":\"MOVIO_PAYMENT_SERVICE_DOWN\"}}"},
		{503, "{\"error\":{\"code\":\"QUOTA_SERVICE_TIMEOUT\"}}"},
		{503, "{\"error\":{\"code\":\"service_unavailable\"}}"},
		{503, "{\"error\":{\"code\":\"voice_provider_error\"}}"},
		{504, "{\"error\":{\"code\":\"gateway_timeout\"}}"},
		{500, "{\"data\":{\"video_id\":\"v_1\"}}"},
		{599, "?"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(replies); i++) {
		_cleanup_(plugin_answer_freep) struct plugin_answer *answer = rig_reply(
			PLUGIN_VERB_START, NULL, replies[i].status, replies[i].body);

		rig_assert_failure(answer, PLUGIN_ANSWER_TROUBLE, PLUGIN_REASON_UNAVAILABLE, PLUGIN_BOUGHT_UNKNOWN);
	}
}

static void a_key_in_use_is_waited_for(void **state)
{
	static const char *const bodies[] = {
		"{\"error\":{\"code\":\"request_in_progress\",\"message\":\"still running\"}}",
		"{\"error\":{\"code\":\"conflict\"}}",
		"<html>Conflict</html>",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(bodies); i++) {
		_cleanup_(plugin_answer_freep) struct plugin_answer *answer = NULL;
		_cleanup_(plugin_answer_freep) struct plugin_answer *told = NULL;

		rig.retry_after_ms = -1;
		answer = rig_reply(PLUGIN_VERB_START, NULL, 409, bodies[i]);
		rig_assert_failure(answer, PLUGIN_ANSWER_TROUBLE, PLUGIN_REASON_IN_PROGRESS, PLUGIN_BOUGHT_UNKNOWN);
		assert_int_equal(answer->failure.retry_after_ms, 5000);
		rig.retry_after_ms = 12000;
		told = rig_reply(PLUGIN_VERB_START, NULL, 409, bodies[i]);
		assert_int_equal(told->failure.retry_after_ms, 12000);
	}
}

static void a_throttle_only_delays(void **state)
{
	_cleanup_(plugin_answer_freep) struct plugin_answer *answer = NULL;
	_cleanup_(plugin_answer_freep) struct plugin_answer *page = NULL;
	_cleanup_(plugin_answer_freep) struct plugin_answer *not_ready = NULL;

	(void)state;
	rig.retry_after_ms = 7000;
	answer = rig_reply(PLUGIN_VERB_START, NULL, 429,
			   "{\"error\":{\"code\":\"rate_limit_exceeded\",\"message\":\"slow\"}}");
	rig_assert_failure(answer, PLUGIN_ANSWER_TROUBLE, PLUGIN_REASON_RATE_LIMITED, PLUGIN_BOUGHT_NONE);
	assert_int_equal(answer->failure.retry_after_ms, 7000);
	assert_string_equal(answer->failure.request_id, "req-7");
	page = rig_reply(PLUGIN_VERB_START, NULL, 429, "<html>slow down</html>");
	rig_assert_failure(page, PLUGIN_ANSWER_TROUBLE, PLUGIN_REASON_RATE_LIMITED, PLUGIN_BOUGHT_NONE);
	not_ready = rig_reply(PLUGIN_VERB_START, NULL, 409, "{\"error\":{\"code\":\"resource_not_ready\"}}");
	rig_assert_failure(not_ready, PLUGIN_ANSWER_TROUBLE, PLUGIN_REASON_UNAVAILABLE, PLUGIN_BOUGHT_NONE);
}

/* Every refusal that HeyGen is known for: certainly nothing was bought. */
static const struct refusal {
	int status;
	enum plugin_reason reason;
	const char *body;
	const char *field;
} refusals[] = {
#define ROW(status, body, reason, field)                    \
	{                                                   \
		status, PLUGIN_REASON_##reason, body, field \
	}
#define CODE(status, code, reason, field) \
	ROW(status, "{\"error\":{\"code\":\"" code "\",\"message\":\"in its own words\"}}", reason, field)
#define NUMBER(status, code, reason, field) \
	ROW(status, "{\"code\":" #code ",\"message\":\"in its own words\"}", reason, field)
	CODE(400, "invalid_parameter", INVALID_INPUT, ""),
	CODE(400, "invalid_request", INVALID_INPUT, ""),
	CODE(400, "validation_error", INVALID_INPUT, ""),
	CODE(400, "download_failed", INVALID_INPUT, ""),
	CODE(400, "content_policy_violation", MODERATED, ""),
	CODE(400, "avatar_not_usable", INVALID_INPUT, "/parameters/avatar_id"),
	CODE(400, "avatar_consent_required", INVALID_INPUT, "/parameters/avatar_id"),
	CODE(400, "script_too_short", INVALID_INPUT, "/parameters/script/text"),
	CODE(400, "script_too_long", INVALID_INPUT, "/parameters/script/text"),
	CODE(400, "tts_text_invalid", INVALID_INPUT, "/parameters/script/text"),
	CODE(401, "unauthorized", AUTH, ""),
	CODE(401, "authentication_failed", AUTH, ""),
	CODE(402, "insufficient_credit", NO_CREDIT, ""),
	CODE(402, "trial_limit_exceeded", NO_CREDIT, ""),
	CODE(402, "subscription_required", NO_CREDIT, ""),
	CODE(402, "plan_upgrade_required", NO_CREDIT, ""),
	CODE(403, "forbidden", AUTH, ""),
	CODE(403, "insufficient_api_key_scope", AUTH, ""),
	CODE(403, "resource_access_denied", INVALID_INPUT, ""),
	CODE(403, "phone_verification_required", AUTH, ""),
	CODE(403, "voice_not_usable", INVALID_INPUT, "/parameters/voice_id"),
	CODE(403, "ai_vendor_access_restricted", AUTH, ""),
	CODE(404, "video_not_found", INVALID_INPUT, ""),
	CODE(404, "avatar_not_found", INVALID_INPUT, "/parameters/avatar_id"),
	CODE(404, "voice_not_found", INVALID_INPUT, "/parameters/voice_id"),
	CODE(404, "asset_not_found", INVALID_INPUT, ""),
	CODE(404, "asset_not_available", INVALID_INPUT, ""),
	CODE(404, "template_not_found", INVALID_INPUT, ""),
	CODE(404, "webhook_not_found", INVALID_INPUT, ""),
	CODE(404, "resource_not_found", INVALID_INPUT, ""),
	CODE(404, "not_found", INVALID_INPUT, ""),
	CODE(413, "payload_too_large", INVALID_INPUT, ""),
	CODE(429, "quota_exceeded", QUOTA, ""),
	/* The code decides, whatever the status. */
	CODE(200, "trial_video_limit_exceeded", NO_CREDIT, ""),
	CODE(429, "trial_video_limit_exceeded", NO_CREDIT, ""),
	CODE(500, "insufficient_credit", NO_CREDIT, ""),
	CODE(400, "INVALID_PARAMETER", INVALID_INPUT, ""),
	CODE(400, "MOVIO_PAYMENT_INSUFFICIENT_CREDIT", NO_CREDIT, ""),
	CODE(200, "MOVIO_PAYMENT_INSUFFICIENT_CREDIT", NO_CREDIT, ""),
	CODE(400, "TEXT_MODERATION_FAILED", MODERATED, ""),
	/* The older words are upper-case, and the same words as today's or words that hold one of them. */
	CODE(402, "TRIAL_VIDEO_LIMIT_EXCEEDED", NO_CREDIT, ""),
	CODE(402, "MOVIO_TRIAL_LIMIT_EXCEEDED", NO_CREDIT, ""),
	CODE(402, "PLAN_UPGRADE_REQUIRED", NO_CREDIT, ""),
	CODE(403, "MOVIO_SUBSCRIPTION_EXPIRED", NO_CREDIT, ""),
	CODE(403, "INSUFFICIENT_API_KEY_SCOPE", AUTH, ""),
	CODE(403, "MOVIO_API_KEY_SCOPE", AUTH, ""),
	CODE(400, "MOVIO_PERMISSION_DENIED", AUTH, ""),
	CODE(400, "CONTENT_POLICY_VIOLATION", MODERATED, ""),
	CODE(400, "MOVIO_CONTENT_POLICY", MODERATED, ""),
	CODE(400, "IMAGE_NSFW_DETECTED", MODERATED, ""),
	CODE(429, "QUOTA_EXCEEDED", QUOTA, ""),
	CODE(429, "MOVIO_QUOTA_NOT_ENOUGH", QUOTA, ""),
	CODE(200, "MOVIO_QUOTA_NOT_ENOUGH", QUOTA, ""),
	CODE(404, "AVATAR_NOT_FOUND", INVALID_INPUT, "/parameters/avatar_id"),
	CODE(404, "MOVIO_AVATAR_NOT_FOUND", INVALID_INPUT, "/parameters/avatar_id"),
	CODE(400, "PHOTO_AVATAR_IN_TRAINING", INVALID_INPUT, "/parameters/avatar_id"),
	CODE(404, "MOVIO_VOICE_NOT_FOUND", INVALID_INPUT, "/parameters/voice_id"),
	/* Numbers of old. */
	NUMBER(400, 400105, MODERATED, ""),
	NUMBER(400, 400168, MODERATED, ""),
	NUMBER(400, 400680, MODERATED, ""),
	NUMBER(401, 401003, MODERATED, ""),
	NUMBER(402, 402007, MODERATED, ""),
	NUMBER(402, 402008, MODERATED, ""),
	NUMBER(200, 402009, MODERATED, ""),
	NUMBER(400, 400664, NO_CREDIT, ""),
	NUMBER(400, 400144, INVALID_INPUT, "/parameters/avatar_id"),
	NUMBER(400, 400116, INVALID_INPUT, "/parameters/voice_id"),
	NUMBER(400, 400150, INVALID_INPUT, "/parameters/script"),
	NUMBER(400, 40119, INVALID_INPUT, ""),
	NUMBER(400, 400543, INVALID_INPUT, ""),
	/* Without a code, or with one that nobody knows: the status. */
	CODE(400, "brand_new_code", INVALID_INPUT, ""),
	CODE(402, "brand_new_code", NO_CREDIT, ""),
	CODE(413, "brand_new_code", INVALID_INPUT, ""),
	CODE(422, "brand_new_code", INVALID_INPUT, ""),
	CODE(423, "brand_new_code", PROVIDER_FAULT, ""),
	/* Of HeyGen's making, but no word about what is refused: it must not decide about an earlier send. */
	{400, PLUGIN_REASON_PROVIDER_FAULT, "{\"error\":{\"message\":\"boom\"}}", ""},
	{422, PLUGIN_REASON_PROVIDER_FAULT, "{\"error\":{\"message\":\"boom\"}}", ""},
	{401, PLUGIN_REASON_AUTH, "<html>401</html>", ""},
	{402, PLUGIN_REASON_NO_CREDIT, "", ""},
	{403, PLUGIN_REASON_AUTH, "<html>403</html>", ""},
	{404, PLUGIN_REASON_PROVIDER_FAULT, "<html>404</html>", ""},
	{405, PLUGIN_REASON_PROVIDER_FAULT, "", ""},
	{410, PLUGIN_REASON_PROVIDER_FAULT, "", ""},
	{415, PLUGIN_REASON_PROVIDER_FAULT, "", ""},
	{451, PLUGIN_REASON_PROVIDER_FAULT, "", ""},
};

static void each_refusal_ends_the_attempt_with_nothing_bought(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(refusals); i++) {
		_cleanup_(plugin_answer_freep) struct plugin_answer *answer = rig_reply(
			PLUGIN_VERB_START, NULL, refusals[i].status, refusals[i].body);

		rig_assert_failure(answer, PLUGIN_ANSWER_FAILED, refusals[i].reason, PLUGIN_BOUGHT_NONE);
		assert_string_equal(answer->failure.field, refusals[i].field);
		assert_string_equal(answer->failure.request_id, "req-7");
	}
}

/* A paid job outlives every reply that only refuses the question. */
static void no_refusal_of_a_poll_ends_the_job(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(refusals); i++) {
		_cleanup_(plugin_answer_freep) struct plugin_answer *answer = rig_reply(
			PLUGIN_VERB_POLL, NULL, refusals[i].status, refusals[i].body);

		assert_int_equal(answer->kind, PLUGIN_ANSWER_TROUBLE);
		assert_int_equal(answer->failure.bought, PLUGIN_BOUGHT_UNKNOWN);
	}
}

static void the_words_are_heygens_own(void **state)
{
	static const struct {
		int status;
		const char *body;
		const char *code;
		const char *message;
	} rows[] = {
		{400, "{\"error\":{\"code\":\"tts_text_invalid\",\"message\":\"Bad text\"}}", "tts_text_invalid",
		 "Bad text"},
		{400, "{\"code\":400105,\"message\":\"No\"}", "400105", "No"},
		{400, "{\"error\":\"no\"}", "", "no"},
		{400, "<html>what?</html>", "", "<html>what?</html>"},
		{403, "<html>blocked by the gateway</html>", "", "<html>blocked by the gateway</html>"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		_cleanup_(plugin_answer_freep) struct plugin_answer *answer = rig_reply(PLUGIN_VERB_START, NULL,
											rows[i].status, rows[i].body);

		assert_string_equal(answer->failure.code, rows[i].code);
		assert_string_equal(answer->failure.message, rows[i].message);
	}
}

static void a_parameter_that_heygen_names_is_pointed_at(void **state)
{
	static const char *const rows[][2] = {
		{"avatar_id", "/parameters/avatar_id"},
		{"script", "/parameters/script/text"},
		{"audio_asset_id", "/parameters/script/audio"},
		{"image.url", "/parameters/media"},
		{"background.value", "/parameters/background"},
		{"title", "/title"},
		{"voice_settings.speed", "/parameters/extras/voice_settings"},
		{"engine[0]", "/parameters/extras/engine"},
		{"engineer", ""},
		{"callback_url", ""},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		_cleanup_(plugin_answer_freep) struct plugin_answer *answer = NULL;
		char body[200];

		snprintf(body, sizeof(body),
			 "{\"error\":{\"code\":\"invalid_parameter\",\"message\":\"m\",\"param\":\"%s\"}}", rows[i][0]);
		answer = rig_reply(PLUGIN_VERB_START, NULL, 400, body);
		assert_string_equal(answer->failure.field, rows[i][1]);
	}
}

static void an_avatar_in_training_is_hinted_at(void **state)
{
	_cleanup_(plugin_answer_freep) struct plugin_answer *answer = rig_reply(
		PLUGIN_VERB_START, NULL, 404, "{\"error\":{\"code\":\"avatar_not_found\",\"message\":\"none\"}}");

	(void)state;
	assert_int_equal(answer->n_notes, 1);
	assert_non_null(strstr(answer->notes[0].sentence, "in training"));
}

static void what_is_not_ready_is_asked_for_again_and_hinted_at(void **state)
{
	_cleanup_(plugin_answer_freep) struct plugin_answer *answer = rig_reply(
		PLUGIN_VERB_START, NULL, 409, "{\"error\":{\"code\":\"RESOURCE_NOT_READY\",\"message\":\"training\"}}");

	(void)state;
	rig_assert_failure(answer, PLUGIN_ANSWER_TROUBLE, PLUGIN_REASON_UNAVAILABLE, PLUGIN_BOUGHT_NONE);
	assert_int_equal(answer->n_notes, 1);
	assert_non_null(strstr(answer->notes[0].sentence, "in training"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_reply_that_proves_nothing_is_no_refusal, rig_reset),
		cmocka_unit_test_setup(a_key_in_use_is_waited_for, rig_reset),
		cmocka_unit_test_setup(a_throttle_only_delays, rig_reset),
		cmocka_unit_test_setup(each_refusal_ends_the_attempt_with_nothing_bought, rig_reset),
		cmocka_unit_test_setup(no_refusal_of_a_poll_ends_the_job, rig_reset),
		cmocka_unit_test_setup(the_words_are_heygens_own, rig_reset),
		cmocka_unit_test_setup(a_parameter_that_heygen_names_is_pointed_at, rig_reset),
		cmocka_unit_test_setup(an_avatar_in_training_is_hinted_at, rig_reset),
		cmocka_unit_test_setup(what_is_not_ready_is_asked_for_again_and_hinted_at, rig_reset),
	};

	return cmocka_run_group_tests_name("heygen.refusals", tests, rig_set_up, rig_tear_down);
}
