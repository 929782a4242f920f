/*
 * Inputs of the user's own: how they come to HeyGen, and how an order names them.
 */
#include "heygen/rig.h"

#include "base/err.h"

#define NAME "assets/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static struct plugin_asset input;

static int reset(void **state)
{
	rig_reset(state);
	input = (struct plugin_asset){.name = NAME, .media_type = "image/png", .size_bytes = 1000};
	rig.assets = &input;
	rig.n_assets = 1;
	return 0;
}

static struct plugin_answer *begin(uint64_t size_bytes)
{
	input.size_bytes = size_bytes;
	return rig_begin(PLUGIN_VERB_UPLOAD, "{}", NULL);
}

static struct plugin_answer *go_on(uint32_t phase, const char *state, int status, const char *body)
{
	input.size_bytes = 40000000;
	return rig_reply_in(PLUGIN_VERB_UPLOAD, phase, state, status, body);
}

static void a_small_file_goes_in_one_request_of_parts(void **state)
{
	_cleanup_(plugin_answer_freep) struct plugin_answer *answer = begin(32000000);
	const struct plugin_exchange *exchange = &answer->exchange;

	(void)state;
	assert_int_equal(answer->kind, PLUGIN_ANSWER_EXCHANGE);
	assert_int_equal(exchange->effect, PLUGIN_EFFECT_IDEMPOTENT);
	assert_string_equal(exchange->method, "POST");
	assert_string_equal(exchange->url, "http://127.0.0.1:9/v3/assets");
	assert_string_equal(rig_header(answer, "X-Api-Key")->value, RIG_SECRET);
	assert_non_null(memmem(exchange->body.data, exchange->body.len, "name=\"file\"; filename=\"input.png\"", 33));
	assert_int_equal(exchange->n_pieces, 2);
	assert_string_equal(exchange->pieces[0].asset, NAME);
	assert_false(exchange->pieces[0].is_base64);
	assert_int_equal(exchange->timeout_ms, 600000);
}

static void what_heygen_calls_it_is_its_handle(void **state)
{
	_cleanup_(plugin_answer_freep) struct plugin_answer *answer = rig_reply(
		PLUGIN_VERB_UPLOAD, NULL, 200,
		"{\"data\":{\"asset_id\":\"as_1\",\"url\":\"https://f.example/1\",\"size_bytes\":1000}}");

	(void)state;
	assert_int_equal(answer->kind, PLUGIN_ANSWER_REPORT);
	rig_assert_json(answer->report, "{\"handle\":\"as_1\"}");
}

static void a_large_file_gets_a_place_first(void **state)
{
	_cleanup_(plugin_answer_freep) struct plugin_answer *answer = begin(32000001);

	(void)state;
	assert_string_equal(answer->exchange.url, "http://127.0.0.1:9/v3/assets/direct-uploads");
	assert_string_equal(rig_header(answer, "X-Api-Key")->value, RIG_SECRET);
	rig_assert_body(answer, "{\"filename\":\"input.png\",\"content_type\":\"image/png\",\"size_bytes\":32000001}");
}

static void a_place_is_filled_with_its_headers_and_without_the_key(void **state)
{
	_cleanup_(plugin_answer_freep) struct plugin_answer *answer = go_on(
		2, NULL, 200,
		"{\"data\":{\"asset_id\":\"as_2\",\"upload_url\":\"http://127.0.0.1:9/bucket/x?sig=1\","
		"\"upload_headers\":{\"Content-Type\":\"image/png\",\"x-amz-acl\":\"private\","
		"\"Content-Length\":\"40000000\",\"Host\":\"127.0.0.1:9\"},\"status\":\"pending_upload\"}}");

	(void)state;
	assert_int_equal(answer->kind, PLUGIN_ANSWER_EXCHANGE);
	assert_string_equal(answer->exchange.method, "PUT");
	assert_string_equal(answer->exchange.url, "http://127.0.0.1:9/bucket/x?sig=1");
	assert_null(rig_header(answer, "X-Api-Key"));
	assert_false(answer->exchange.has_credential);
	assert_int_equal(answer->exchange.n_headers, 2);
	assert_string_equal(rig_header(answer, "x-amz-acl")->value, "private");
	assert_int_equal(answer->exchange.body.len, 0);
	assert_string_equal(answer->exchange.pieces[0].asset, NAME);
	rig_assert_json(answer->state, "{\"asset_id\":\"as_2\"}");
}

static void a_filled_place_is_said_to_be_complete(void **state)
{
	_cleanup_(plugin_answer_freep) struct plugin_answer *answer = go_on(3, "{\"asset_id\":\"as/2\"}", 200, "");
	_cleanup_(plugin_answer_freep) struct plugin_answer *over = go_on(
		4, "{\"asset_id\":\"as/2\"}", 200, "{\"data\":{\"asset_id\":\"as/2\",\"status\":\"ready\"}}");

	(void)state;
	assert_string_equal(answer->exchange.url, "http://127.0.0.1:9/v3/assets/as%2F2/complete");
	assert_string_equal(rig_header(answer, "X-Api-Key")->value, RIG_SECRET);
	rig_assert_json(over->report, "{\"handle\":\"as/2\"}");
}

#define MEDIUM "{\"kind\":\"image\",\"role\":\"source\",\"asset\":\"" NAME "\"}"

static struct plugin_answer *order(void)
{
	_cleanup_(freep) char *job = rig_job("image", NULL,
					     "\"voice_id\":\"v\",\"script\":{\"text\":\"hi\"},\"media\":[" MEDIUM "],"
					     "\"background\":{\"media\":{\"asset\":\"" NAME "\"}}");

	return rig_begin(PLUGIN_VERB_START, job, NULL);
}

/* From the place to the order: the handle, the place and what opens it are in no recording of a step. */
static void what_an_upload_is_told_is_in_no_recording(void **state)
{
	static const char *const secrets[] = {"as_5518aa", "as/5518aa", "as%2F5518aa", "sig-7391", "token-7391", NULL};
	_cleanup_(plugin_answer_freep) struct plugin_answer *place = NULL, *filled = NULL, *over = NULL, *small = NULL,
							    *ordered = NULL;

	(void)state;
	rig.secrets = secrets;
	place = go_on(
		2, NULL, 200,
		"{\"data\":{\"asset_id\":\"as/5518aa\",\"upload_url\":\"http://127.0.0.1:9/b/as%2F5518aa?X-Amz-Date=1&"
		"X-Amz-Signature=sig-7391\",\"upload_headers\":{\"Content-Type\":\"image/png\","
		"\"x-amz-meta-upload\":\"token-7391\"}}}");
	assert_string_equal(place->exchange.url,
			    "http://127.0.0.1:9/b/as%2F5518aa?X-Amz-Date=1&X-Amz-Signature=sig-7391");
	filled = go_on(3, place->state, 200, "");
	assert_non_null(filled);
	over = go_on(4, place->state, 200, "{\"data\":{\"asset_id\":\"as/5518aa\"}}");
	assert_non_null(over);
	small = rig_reply(PLUGIN_VERB_UPLOAD, NULL, 200, "{\"data\":{\"asset_id\":\"as_5518aa\"}}");
	rig_assert_json(small->report, "{\"handle\":\"as_5518aa\"}");
	input.handle = "as_5518aa";
	ordered = order();
	assert_non_null(memmem(ordered->exchange.body.data, ordered->exchange.body.len, "as_5518aa", 9));
}

static void refusals_of_an_upload_are_told_apart(void **state)
{
	static const struct {
		uint32_t phase;
		int status;
		const char *body;
		enum plugin_answer_kind kind;
		enum plugin_reason reason;
	} rows[] = {
		{1, 401, "{\"error\":{\"code\":\"unauthorized\"}}", PLUGIN_ANSWER_FAILED, PLUGIN_REASON_AUTH},
		{1, 413, "{\"error\":{\"code\":\"payload_too_large\"}}", PLUGIN_ANSWER_FAILED,
		 PLUGIN_REASON_INVALID_INPUT},
		{1, 429, "{\"error\":{\"code\":\"rate_limit_exceeded\"}}", PLUGIN_ANSWER_TROUBLE,
		 PLUGIN_REASON_RATE_LIMITED},
		{1, 503, "<html>", PLUGIN_ANSWER_TROUBLE, PLUGIN_REASON_UNAVAILABLE},
		{1, 200, "{\"data\":{}}", PLUGIN_ANSWER_TROUBLE, PLUGIN_REASON_UNAVAILABLE},
		{2, 200, "{\"data\":{\"asset_id\":\"a\"}}", PLUGIN_ANSWER_TROUBLE, PLUGIN_REASON_UNAVAILABLE},
		{3, 403, "<Error/>", PLUGIN_ANSWER_TROUBLE, PLUGIN_REASON_UNAVAILABLE},
		{3, 413, "<Error/>", PLUGIN_ANSWER_FAILED, PLUGIN_REASON_INVALID_INPUT},
		{4, 404, "{\"error\":{\"code\":\"asset_not_found\"}}", PLUGIN_ANSWER_TROUBLE,
		 PLUGIN_REASON_UNAVAILABLE},
		{4, 402, "{\"error\":{\"code\":\"insufficient_credit\"}}", PLUGIN_ANSWER_FAILED,
		 PLUGIN_REASON_NO_CREDIT},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		_cleanup_(plugin_answer_freep) struct plugin_answer *answer = go_on(
			rows[i].phase, "{\"asset_id\":\"a\"}", rows[i].status, rows[i].body);

		if (answer->kind != rows[i].kind || answer->failure.reason != rows[i].reason)
			fail_msg("row %zu gave %s, reason %d", i, plugin_answer_name(answer->kind),
				 (int)answer->failure.reason);
	}
}

static void an_order_names_the_handles_of_its_assets(void **state)
{
	_cleanup_(plugin_answer_freep) struct plugin_answer *without = order();
	_cleanup_(plugin_answer_freep) struct plugin_answer *with = NULL;

	(void)state;
	assert_int_equal(without->kind, PLUGIN_ANSWER_UPLOAD);
	assert_int_equal(without->n_uploads, 1);
	assert_string_equal(without->uploads[0], NAME);
	input.handle = "as_1";
	with = order();
	rig_assert_body(with, "{\"type\":\"image\",\"image\":{\"type\":\"asset_id\",\"asset_id\":\"as_1\"},"
			      "\"script\":\"hi\",\"voice_id\":\"v\","
			      "\"background\":{\"type\":\"image\",\"asset_id\":\"as_1\"},\"title\":\"" RIG_KEY "\"}");
}

static void a_recording_of_the_users_own_is_an_asset_too(void **state)
{
	_cleanup_(freep) char *job = rig_job("avatar", NULL,
					     "\"avatar_id\":\"a\",\"script\":{\"audio\":{\"asset\":\"" NAME "\"}}");
	_cleanup_(plugin_answer_freep) struct plugin_answer *answer = NULL;

	(void)state;
	input.handle = "as_9";
	answer = rig_begin(PLUGIN_VERB_START, job, NULL);
	rig_assert_body(answer, "{\"type\":\"avatar\",\"avatar_id\":\"a\",\"audio_asset_id\":\"as_9\","
				"\"title\":\"" RIG_KEY "\"}");
}

/* What the daemon uploaded it can upload again; a handle of the user's it cannot. */
static void an_asset_that_heygen_forgot_is_said_to_be_so(void **state)
{
	static const char body[] = "{\"error\":{\"code\":\"asset_not_found\",\"message\":\"no\"}}";
	_cleanup_(plugin_answer_freep) struct plugin_answer *ours = NULL, *theirs = NULL;

	(void)state;
	rig.model = "image";
	rig.parameters = "\"media\":[" MEDIUM "]";
	ours = rig_reply(PLUGIN_VERB_START, NULL, 404, body);
	rig_assert_failure(ours, PLUGIN_ANSWER_TROUBLE, PLUGIN_REASON_NOT_FOUND, PLUGIN_BOUGHT_NONE);
	rig.parameters = "\"media\":[{\"kind\":\"image\",\"role\":\"source\",\"provider_handle\":\"x\"}]";
	theirs = rig_reply(PLUGIN_VERB_START, NULL, 404, body);
	rig_assert_failure(theirs, PLUGIN_ANSWER_FAILED, PLUGIN_REASON_INVALID_INPUT, PLUGIN_BOUGHT_NONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_small_file_goes_in_one_request_of_parts, reset),
		cmocka_unit_test_setup(what_heygen_calls_it_is_its_handle, reset),
		cmocka_unit_test_setup(a_large_file_gets_a_place_first, reset),
		cmocka_unit_test_setup(a_place_is_filled_with_its_headers_and_without_the_key, reset),
		cmocka_unit_test_setup(a_filled_place_is_said_to_be_complete, reset),
		cmocka_unit_test_setup(what_an_upload_is_told_is_in_no_recording, reset),
		cmocka_unit_test_setup(refusals_of_an_upload_are_told_apart, reset),
		cmocka_unit_test_setup(an_order_names_the_handles_of_its_assets, reset),
		cmocka_unit_test_setup(a_recording_of_the_users_own_is_an_asset_too, reset),
		cmocka_unit_test_setup(an_asset_that_heygen_forgot_is_said_to_be_so, reset),
	};

	return cmocka_run_group_tests_name("heygen.upload", tests, rig_set_up, rig_tear_down);
}
