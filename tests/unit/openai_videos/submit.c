/* What an order becomes, and what the reply to it means for the money. */
#include "openai_videos/rig.h"

#include "base/err.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

/* What start refuses, the check refuses with the same words before there is a job. */
static void assert_checked_alike(const struct plugin_answer *start, const char *parameters)
{
	_cleanup_(plugin_answer_freep) struct plugin_answer *check = rig_begin(PLUGIN_VERB_CHECK, parameters);

	if (start->kind != PLUGIN_ANSWER_FAILED) {
		assert_int_equal(check->kind, PLUGIN_ANSWER_REPORT);
		assert_string_equal(check->report, "{}");
		return;
	}
	rig_assert_failure(check, PLUGIN_ANSWER_FAILED, PLUGIN_REASON_INVALID_INPUT, PLUGIN_BOUGHT_NONE);
	assert_string_equal(check->failure.message, start->failure.message);
	assert_string_equal(check->failure.field, start->failure.field);
}

static void an_order_is_what_the_dialect_says(void **state)
{
	static const struct {
		bool is_openrouter;
		const char *parameters, *body;
	} rows[] = {
		{false, "\"prompt\":\"a cat\"", "{\"model\":\"sora-2\",\"prompt\":\"a cat\"}"},
		{false, "\"prompt\":\"a cat\",\"duration_ms\":8000,\"size\":{\"width\":1024,\"height\":1792}",
		 "{\"model\":\"sora-2\",\"prompt\":\"a cat\",\"seconds\":\"8\",\"size\":\"1024x1792\"}"},
		{false, "\"prompt\":\"a cat\",\"resolution\":\"720p\",\"aspect_ratio\":\"9:16\"",
		 "{\"model\":\"sora-2\",\"prompt\":\"a cat\",\"size\":\"720x1280\"}"},
		{false, "\"prompt\":\"a cat\",\"resolution\":\"1080p\",\"aspect_ratio\":\"16:9\"",
		 "{\"model\":\"sora-2\",\"prompt\":\"a cat\",\"size\":\"1920x1080\"}"},
		{false, "\"prompt\":\"a cat\",\"resolution\":\"720p\",\"aspect_ratio\":\"1:1\"",
		 "{\"model\":\"sora-2\",\"prompt\":\"a cat\",\"size\":\"720x720\"}"},
		{false,
		 "\"prompt\":\"a cat\",\"media\":[{\"kind\":\"image\",\"role\":\"first_frame\",\"url\":"
		 "\"https://i.test/a.png\"}]",
		 "{\"model\":\"sora-2\",\"prompt\":\"a cat\",\"input_reference\":{\"image_url\":"
		 "\"https://i.test/a.png\"}}"},
		{false,
		 "\"prompt\":\"a cat\",\"media\":[{\"kind\":\"image\",\"role\":\"first_frame\","
		 "\"provider_handle\":\"file-1\"}],\"extras\":{\"quality\":\"high\"}",
		 "{\"model\":\"sora-2\",\"prompt\":\"a cat\",\"input_reference\":{\"file_id\":\"file-1\"},"
		 "\"quality\":\"high\"}"},
		{true,
		 "\"prompt\":\"a cat\",\"duration_ms\":5000,\"resolution\":\"720p\",\"aspect_ratio\":\"16:9\","
		 "\"seed\":17454220438242315174,\"audio\":\"off\",\"end_user\":\"u1\"",
		 "{\"model\":\"google/veo-3.1\",\"prompt\":\"a cat\",\"duration\":5,\"resolution\":\"720p\","
		 "\"aspect_ratio\":\"16:9\",\"seed\":17454220438242315174,\"user\":\"u1\","
		 "\"generate_audio\":false}"},
		{true,
		 "\"prompt\":\"a cat\",\"media\":[{\"kind\":\"image\",\"role\":\"last_frame\",\"url\":"
		 "\"https://i.test/z.png\"},{\"kind\":\"image\",\"role\":\"first_frame\",\"url\":"
		 "\"https://i.test/a.png\"},{\"kind\":\"image\",\"role\":\"reference\",\"url\":"
		 "\"https://i.test/r.png\"}]",
		 "{\"model\":\"google/veo-3.1\",\"prompt\":\"a cat\",\"frame_images\":[{\"type\":\"image_url\","
		 "\"image_url\":{\"url\":\"https://i.test/a.png\"},\"frame_type\":\"first_frame\"},{\"type\":"
		 "\"image_url\",\"image_url\":{\"url\":\"https://i.test/z.png\"},\"frame_type\":\"last_frame\"}],"
		 "\"input_references\":[{\"type\":\"image_url\",\"image_url\":{\"url\":\"https://i.test/r.png\"}}]}"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		_cleanup_(plugin_answer_freep) struct plugin_answer *answer = NULL;

		rig.account = rows[i].is_openrouter ? rig.openrouter : rig.openai;
		answer = rig_begin(PLUGIN_VERB_START, rows[i].parameters);
		rig_assert_body(answer, rows[i].body);
		assert_checked_alike(answer, rows[i].parameters);
		assert_int_equal(answer->exchange.effect, PLUGIN_EFFECT_BUYS);
		assert_string_equal(answer->exchange.method, "POST");
		assert_string_equal(answer->exchange.url, RIG_BASE "/videos");
	}
}

static bool has_part(const struct plugin_answer *answer, const char *name, const char *value)
{
	_cleanup_(freep) char *body = bytes_dup_text(answer->exchange.body);
	char part[256];

	snprintf(part, sizeof(part), "form-data; name=\"%s\"\r\n\r\n%s\r\n", name, value);
	return strstr(body, part) != NULL;
}

static void multipart_says_the_same(void **state)
{
	_cleanup_(plugin_answer_freep) struct plugin_answer *answer = NULL;

	(void)state;
	rig.account = rig.multipart;
	answer = rig_begin(PLUGIN_VERB_START,
			   "\"prompt\":\"a cat\",\"duration_ms\":4000,\"media\":[{\"kind\":\"image\",\"role\":"
			   "\"first_frame\",\"url\":\"https://i.test/a.png\"}]");
	assert_int_equal(answer->kind, PLUGIN_ANSWER_EXCHANGE);
	assert_true(has_part(answer, "model", "sora-2"));
	assert_true(has_part(answer, "prompt", "a cat"));
	assert_true(has_part(answer, "seconds", "4"));
	assert_true(has_part(answer, "input_reference[image_url]", "https://i.test/a.png"));
}

#define ASSET "assets/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define FILE_ORDER \
	"\"prompt\":\"a cat\",\"media\":[{\"kind\":\"image\",\"role\":\"first_frame\",\"asset\":\"" ASSET "\"}]"

static const struct plugin_asset asset = {.name = ASSET, .media_type = "image/jpeg", .size_bytes = 1000};

static void a_file_is_a_part_of_its_own(void **state)
{
	static const char head[] = "Content-Disposition: form-data; name=\"input_reference\"; "
				   "filename=\"input.jpg\"\r\nContent-Type: image/jpeg\r\n\r\n";
	_cleanup_(plugin_answer_freep) struct plugin_answer *answer = NULL;
	const struct plugin_exchange *exchange;

	(void)state;
	rig.account = rig.multipart;
	rig.asset = &asset;
	answer = rig_begin(PLUGIN_VERB_START, FILE_ORDER);
	exchange = &answer->exchange;
	assert_int_equal(answer->kind, PLUGIN_ANSWER_EXCHANGE);
	assert_int_equal(exchange->effect, PLUGIN_EFFECT_BUYS);
	assert_true(has_part(answer, "model", "sora-2"));
	assert_true(has_part(answer, "prompt", "a cat"));
	/* The body up to the content ends with the head of its part. */
	assert_true(exchange->body.len > strlen(head));
	assert_memory_equal((const char *)exchange->body.data + exchange->body.len - strlen(head), head, strlen(head));
	assert_int_equal(exchange->n_pieces, 2);
	assert_string_equal(exchange->pieces[0].asset, ASSET);
	assert_false(exchange->pieces[0].is_base64);
	assert_memory_equal(exchange->pieces[1].text.data, "\r\n--", 4);
}

static void a_file_is_refused_where_no_body_of_parts_goes(void **state)
{
	static const struct {
		bool is_openrouter;
		const char *word;
	} rows[] = {{false, "multipart"}, {true, "give a url"}};

	(void)state;
	rig.asset = &asset;
	for (size_t i = 0; i < COUNT(rows); i++) {
		_cleanup_(plugin_answer_freep) struct plugin_answer *answer = NULL;

		rig.account = rows[i].is_openrouter ? rig.openrouter : rig.openai;
		answer = rig_begin(PLUGIN_VERB_START, FILE_ORDER);
		rig_assert_failure(answer, PLUGIN_ANSWER_FAILED, PLUGIN_REASON_INVALID_INPUT, PLUGIN_BOUGHT_NONE);
		assert_string_equal(answer->failure.field, "/parameters/media");
		assert_non_null(strstr(answer->failure.message, rows[i].word));
		assert_checked_alike(answer, FILE_ORDER);
	}
}

static void extras_do_not_take_the_place_of_a_file(void **state)
{
	static const char *const extras[] = {"\"other\"", "{\"file_id\":\"f\"}"};

	(void)state;
	rig.account = rig.multipart;
	rig.asset = &asset;
	for (size_t i = 0; i < COUNT(extras); i++) {
		_cleanup_(plugin_answer_freep) struct plugin_answer *answer = NULL;
		char parameters[400];

		snprintf(parameters, sizeof(parameters), FILE_ORDER ",\"extras\":{\"input_reference\":%s}", extras[i]);
		answer = rig_begin(PLUGIN_VERB_START, parameters);
		rig_assert_failure(answer, PLUGIN_ANSWER_FAILED, PLUGIN_REASON_INVALID_INPUT, PLUGIN_BOUGHT_NONE);
		assert_string_equal(answer->failure.field, "/parameters/extras");
		assert_checked_alike(answer, parameters);
	}
}

static void an_order_that_a_dialect_cannot_say_is_refused(void **state)
{
	static const struct {
		bool is_openrouter;
		const char *more, *field;
	} rows[] = {
		{false, "\"seed\":1", "/parameters/seed"},
		{false, "\"audio\":\"on\"", "/parameters/audio"},
		{false, "\"end_user\":\"u\"", "/parameters/end_user"},
		{false, "\"resolution\":\"720p\"", "/parameters/resolution"},
		{false, "\"aspect_ratio\":\"16:9\"", "/parameters/resolution"},
		{false, "\"resolution\":\"480p\",\"aspect_ratio\":\"16:9\"", "/parameters/resolution"},
		{false, "\"media\":[{\"kind\":\"image\",\"role\":\"last_frame\",\"url\":\"https://i.test/a\"}]",
		 "/parameters/media"},
		{true, "\"media\":[{\"kind\":\"image\",\"role\":\"first_frame\",\"provider_handle\":\"f\"}]",
		 "/parameters/media"},
		{false, "\"extras\":{\"model\":\"dearer\"}", "/parameters/extras"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		_cleanup_(plugin_answer_freep) struct plugin_answer *answer = NULL;
		char parameters[300];

		snprintf(parameters, sizeof(parameters), "\"prompt\":\"a cat\",%s", rows[i].more);
		rig.account = rows[i].is_openrouter ? rig.openrouter : rig.openai;
		answer = rig_begin(PLUGIN_VERB_START, parameters);
		rig_assert_failure(answer, PLUGIN_ANSWER_FAILED, PLUGIN_REASON_INVALID_INPUT, PLUGIN_BOUGHT_NONE);
		assert_string_equal(answer->failure.field, rows[i].field);
		assert_checked_alike(answer, parameters);
	}
}

static void a_wrong_configuration_orders_nothing(void **state)
{
	static const struct {
		const char *options, *word;
	} rows[] = {
		{"", "'model'"},
		{"\"model\":\"m\",\"dialect\":\"azure\"",
		 "the option 'dialect' of the provider is 'azure', and takes openai or openrouter"},
		{"\"model\":\"m\",\"submit\":\"form\"",
		 "the option 'submit' of the provider is 'form', and takes json or multipart"},
		{"\"model\":\"m\",\"auth\":\"basic\"",
		 "the option 'auth' of the provider is 'basic', and takes bearer, api-key or x-litellm-api-key"},
		{"\"model\":\"m\",\"dialect\":\"openrouter\",\"submit\":\"multipart\"", "'submit'"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct plugin_account *account = rig_open(rows[i].options);
		struct plugin_answer *answer;

		rig.account = account;
		answer = rig_begin(PLUGIN_VERB_START, NULL);
		rig_assert_failure(answer, PLUGIN_ANSWER_FAILED, PLUGIN_REASON_INVALID_INPUT, PLUGIN_BOUGHT_NONE);
		assert_non_null(strstr(answer->failure.message, rows[i].word));
		assert_checked_alike(answer, NULL);
		plugin_answer_free(answer);
		answer = rig_begin(PLUGIN_VERB_ACCOUNT, NULL);
		assert_int_equal(answer->kind, PLUGIN_ANSWER_FAILED);
		plugin_answer_free(answer);
		plugin_account_free(account);
	}
}

static void the_key_goes_where_the_option_says(void **state)
{
	static const char *const rows[][3] = {
		{"bearer", "Authorization", "Bearer " RIG_KEY},
		{"api-key", "api-key", RIG_KEY},
		{"x-litellm-api-key", "x-litellm-api-key", RIG_KEY},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		char options[100];
		struct plugin_account *account;
		struct plugin_answer *answer;
		bool is_there = false;

		snprintf(options, sizeof(options), "\"model\":\"m\",\"auth\":\"%s\"", rows[i][0]);
		account = rig.account = rig_open(options);
		answer = rig_begin(PLUGIN_VERB_START, NULL);
		for (size_t j = 0; j < answer->exchange.n_headers; j++)
			is_there |= strcasecmp(answer->exchange.headers[j].name, rows[i][1]) == 0 &&
				    strcmp(answer->exchange.headers[j].value, rows[i][2]) == 0;
		assert_true(is_there);
		plugin_answer_free(answer);
		plugin_account_free(account);
	}
}

static void a_refusal_tells_what_was_bought(void **state)
{
	static const struct {
		int status;
		const char *body;
		enum plugin_answer_kind kind;
		enum plugin_reason reason;
		enum plugin_bought bought;
	} rows[] = {
#define ROW(status, body, kind, reason, bought) \
	{status, body, PLUGIN_ANSWER_##kind, PLUGIN_REASON_##reason, PLUGIN_BOUGHT_##bought}
#define ERROR(code) "{\"error\":{\"message\":\"no\",\"type\":\"invalid_request_error\",\"code\":\"" code "\"}}"
		ROW(400, ERROR("unknown_parameter"), FAILED, INVALID_INPUT, NONE),
		ROW(400, ERROR("moderation_blocked"), FAILED, MODERATED, NONE),
		ROW(400, ERROR("content_policy_violation"), FAILED, MODERATED, NONE),
		ROW(401, ERROR("invalid_api_key"), FAILED, AUTH, NONE),
		ROW(402, "{\"error\":{\"code\":402,\"message\":\"no\"}}", FAILED, NO_CREDIT, NONE),
		ROW(403, "<html>", FAILED, AUTH, NONE),
		ROW(404, ERROR("model_not_found"), FAILED, INVALID_INPUT, NONE),
		ROW(404, "<html>", FAILED, PROVIDER_FAULT, NONE),
		ROW(413, "<html>", FAILED, INVALID_INPUT, NONE),
		ROW(422, "{\"detail\":\"prompt is missing\"}", FAILED, INVALID_INPUT, NONE),
		ROW(429, ERROR("rate_limit_exceeded"), TROUBLE, RATE_LIMITED, NONE),
		ROW(429, ERROR("insufficient_quota"), FAILED, NO_CREDIT, NONE),
		ROW(408, "<html>", TROUBLE, UNAVAILABLE, UNKNOWN),
		ROW(409, ERROR("conflict"), TROUBLE, UNAVAILABLE, UNKNOWN),
		ROW(500, ERROR("moderation_blocked"), TROUBLE, UNAVAILABLE, UNKNOWN),
		ROW(502, "<html>bad gateway", TROUBLE, UNAVAILABLE, UNKNOWN),
		ROW(504, "", TROUBLE, UNAVAILABLE, UNKNOWN),
		ROW(200, "{\"object\":\"video\"}", TROUBLE, UNAVAILABLE, UNKNOWN),
		ROW(200, "{\"id\":\"\"}", TROUBLE, UNAVAILABLE, UNKNOWN),
		ROW(200, "{\"id\":12}", TROUBLE, UNAVAILABLE, UNKNOWN),
		ROW(200, "<html>", TROUBLE, UNAVAILABLE, UNKNOWN),
		ROW(302, "", TROUBLE, UNAVAILABLE, UNKNOWN),
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		_cleanup_(plugin_answer_freep) struct plugin_answer *answer = rig_reply(PLUGIN_VERB_START, NULL,
											rows[i].status, rows[i].body);

		rig_assert_failure(answer, rows[i].kind, rows[i].reason, rows[i].bought);
	}
}

static void a_refusal_names_the_field(void **state)
{
	_cleanup_(plugin_answer_freep) struct plugin_answer *answer = NULL;

	(void)state;
	answer = rig_reply(PLUGIN_VERB_START, NULL, 400,
			   "{\"error\":{\"message\":\"no such size\",\"type\":\"invalid_request_error\",\"param\":"
			   "\"size\",\"code\":null}}");
	assert_string_equal(answer->failure.field, "/parameters/size");
	assert_string_equal(answer->failure.code, "invalid_request_error");
	assert_string_equal(answer->failure.message, "no such size");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(an_order_is_what_the_dialect_says, rig_reset),
		cmocka_unit_test_setup(multipart_says_the_same, rig_reset),
		cmocka_unit_test_setup(a_file_is_a_part_of_its_own, rig_reset),
		cmocka_unit_test_setup(a_file_is_refused_where_no_body_of_parts_goes, rig_reset),
		cmocka_unit_test_setup(extras_do_not_take_the_place_of_a_file, rig_reset),
		cmocka_unit_test_setup(an_order_that_a_dialect_cannot_say_is_refused, rig_reset),
		cmocka_unit_test_setup(a_wrong_configuration_orders_nothing, rig_reset),
		cmocka_unit_test_setup(the_key_goes_where_the_option_says, rig_reset),
		cmocka_unit_test_setup(a_refusal_tells_what_was_bought, rig_reset),
		cmocka_unit_test_setup(a_refusal_names_the_field, rig_reset),
	};

	return cmocka_run_group_tests_name("openai_videos.submit", tests, rig_set_up, rig_tear_down);
}
