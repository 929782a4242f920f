/*
 * Inputs that the daemon holds: a plugin says where they go, and what is sent has them there; a resend says the same, and
 * where they cannot go is a fault.
 */
#include "plugin/step_inside.h"

#include "plugin/fixtures.h"

#include "base/json.h"
#include "base/limits.h"

#define A "assets/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B "assets/bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

static struct plugin *plugin;
static struct plugin_account *account;

static int load(void **state)
{
	(void)state;
	plugin = fixture_plugin("carrier");
	account = fixture_account(plugin, NULL);
	return 0;
}

static int unload(void **state)
{
	(void)state;
	plugin_account_free(account);
	plugin_free(plugin);
	return 0;
}

static const struct plugin_asset assets[] = {
	{.name = A, .media_type = "image/png", .size_bytes = 1000},
	{.name = B, .media_type = "image/jpeg", .size_bytes = 7},
};

static struct plugin_answer *run(const char *prompt, const char *media, const struct plugin_asset *with, size_t n,
				 uint8_t random)
{
	char job[1024];
	struct plugin_step step;

	snprintf(job, sizeof(job), "{\"model\":\"m\",\"parameters\":{\"prompt\":\"%s\",\"media\":[%s]}}", prompt,
		 media);
	step = fixture_step(account, PLUGIN_VERB_START, job);
	step.assets = with;
	step.n_assets = n;
	step.random[0] = random;
	return fixture_run(&step);
}

#define FIRST(source) "{\"kind\":\"image\",\"role\":\"first_frame\"," source "}"
#define LAST(source) "{\"kind\":\"image\",\"role\":\"last_frame\"," source "}"
#define TWO FIRST("\"asset\":\"" A "\"") "," LAST("\"asset\":\"" B "\"")

static struct plugin_answer *order(const char *prompt)
{
	return run(prompt, TWO, assets, 2, 1);
}

/* The body with {NAME FORM} where an asset goes. */
static void assert_body(const struct plugin_answer *answer, const char *expected)
{
	_cleanup_(buffer_finish) struct buffer text = {0};

	if (answer->kind != PLUGIN_ANSWER_EXCHANGE)
		fail_msg("%s: %s", plugin_answer_name(answer->kind), answer->fault ? answer->fault : "");
	assert_int_equal(buffer_append(&text, answer->exchange.body.data, answer->exchange.body.len), 0);
	for (size_t i = 0; i < answer->exchange.n_pieces; i++) {
		const struct plugin_piece *piece = &answer->exchange.pieces[i];

		if (piece->asset)
			assert_int_equal(buffer_printf(&text, "{%c %s}", piece->asset[7],
						       piece->is_base64 ? "base64" : "raw"),
					 0);
		else
			assert_int_equal(buffer_append(&text, piece->text.data, piece->text.len), 0);
	}
	assert_string_equal(text.data, expected);
}

static void inputs_go_where_the_plugin_says(void **state)
{
	_cleanup_(plugin_answer_freep) struct plugin_answer *bare = order("bare"), *uri = order("uri"),
							    *body = order("body");

	(void)state;
	assert_body(bare, "{\"prompt\":\"bare\",\"image\":\"{a base64}\",\"last\":\"{b base64}\",\"end\":\"z\"}");
	assert_body(uri, "{\"prompt\":\"uri\",\"image\":\"data:image/png;base64,{a base64}\","
			 "\"last\":\"data:image/jpeg;base64,{b base64}\",\"end\":\"z\"}");
	assert_body(body, "{a raw}");
	assert_string_equal(body->exchange.headers[0].name, "Content-Type");
	assert_string_equal(body->exchange.headers[0].value, "image/png");
}

static void a_part_is_a_file_with_a_name_and_a_type(void **state)
{
	_cleanup_(plugin_answer_freep) struct plugin_answer *answer = order("parts");
	const char *boundary = strstr(answer->exchange.headers[0].value, "boundary=") + 9;
	char expected[1024];

	(void)state;
	snprintf(expected, sizeof(expected),
		 "--%s\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\nm\r\n"
		 "--%s\r\nContent-Disposition: form-data; name=\"file\"; filename=\"input.png\"\r\n"
		 "Content-Type: image/png\r\n\r\n{a raw}\r\n"
		 "--%s\r\nContent-Disposition: form-data; name=\"other\"; filename=\"a.bin\"\r\n"
		 "Content-Type: application/octet-stream\r\n\r\n{a raw}\r\n--%s--\r\n",
		 boundary, boundary, boundary, boundary);
	assert_body(answer, expected);
}

/* Each step has another nonce; what is sent, and what it is compared by, has none of it. */
static void a_rebuilt_request_is_the_same_and_another_content_another(void **state)
{
	static const char *const prompts[] = {"bare", "uri", "parts", "body"};
	static const struct plugin_asset other[] = {{.name = B, .media_type = "image/png", .size_bytes = 1000},
						    {.name = A, .media_type = "image/png", .size_bytes = 1000}};

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		_cleanup_(plugin_answer_freep) struct plugin_answer *first = run(prompts[i], TWO, assets, 2, 1);
		_cleanup_(plugin_answer_freep) struct plugin_answer *again = run(prompts[i], TWO, assets, 2, 77);
		_cleanup_(plugin_answer_freep) struct plugin_answer *swapped = run(
			prompts[i], FIRST("\"asset\":\"" B "\"") "," LAST("\"asset\":\"" A "\""), other, 2, 1);

		assert_memory_equal(&first->exchange.fingerprint, &again->exchange.fingerprint, DIGEST_SIZE);
		assert_memory_not_equal(&first->exchange.fingerprint, &swapped->exchange.fingerprint, DIGEST_SIZE);
		assert_string_equal(first->exchange.headers[0].value, again->exchange.headers[0].value);
	}
}

static void the_form_of_an_input_is_part_of_the_request(void **state)
{
	struct plugin_piece piece = {.asset = A};
	struct plugin_exchange exchange = {
		.method = "POST", .url = "https://x.example/", .pieces = &piece, .n_pieces = 1};
	struct digest raw, base64;

	(void)state;
	assert_int_equal(plugin_exchange_fingerprint(&exchange, NULL, &raw), 0);
	piece.is_base64 = true;
	assert_int_equal(plugin_exchange_fingerprint(&exchange, NULL, &base64), 0);
	assert_memory_not_equal(&raw, &base64, DIGEST_SIZE);
}

static void an_input_without_a_handle_asks_for_its_upload(void **state)
{
	_cleanup_(plugin_answer_freep) struct plugin_answer *answer = run(
		"handle", FIRST("\"asset\":\"" A "\"") "," LAST("\"asset\":\"" A "\""), assets, 2, 1);

	(void)state;
	assert_int_equal(answer->kind, PLUGIN_ANSWER_UPLOAD);
	assert_int_equal(answer->n_uploads, 1);
	assert_string_equal(answer->uploads[0], A);
	assert_null(answer->exchange.url);
	assert_null(answer->state);
}

static void a_handle_is_written_with_the_headers_it_needs(void **state)
{
	static const struct plugin_asset known[] = {
		{.name = A, .media_type = "image/png", .handle = "h-1", .headers = "{\"X-Resolve\":\"enable\"}"},
		{.name = B, .media_type = "image/png", .handle = "h-2", .headers = "{\"X-Resolve\":\"enable\"}"},
	};
	_cleanup_(plugin_answer_freep) struct plugin_answer *answer = run("handle", TWO, known, 2, 1);
	_cleanup_(plugin_answer_freep) struct plugin_answer *given = run(
		"handle", FIRST("\"provider_handle\":\"theirs\""), NULL, 0, 1);

	(void)state;
	assert_body(answer, "{\"prompt\":\"handle\",\"image\":\"h-1\",\"last\":\"h-2\",\"end\":\"z\"}");
	assert_int_equal(answer->exchange.n_headers, 2);
	assert_string_equal(answer->exchange.headers[0].name, "X-Resolve");
	assert_body(given, "{\"prompt\":\"handle\",\"image\":\"theirs\",\"end\":\"z\"}");
	assert_int_equal(given->exchange.n_headers, 1);
}

static void a_handle_that_is_written_often_hides_no_other(void **state)
{
	static const struct plugin_asset known[] = {
		{.name = A, .media_type = "image/png", .handle = "h-1", .headers = "{\"X-First\":\"1\"}"},
		{.name = B, .media_type = "image/png", .handle = "h-2", .headers = "{\"X-Last\":\"2\"}"},
	};
	_cleanup_(plugin_answer_freep) struct plugin_answer *answer = run("handles", TWO, known, 2, 1);
	unsigned int first = 0, last = 0;

	(void)state;
	assert_body(answer, "{\"image\":\"h-1\",\"last\":\"h-2\"}");
	for (size_t i = 0; i < answer->exchange.n_headers; i++) {
		first += strcmp(answer->exchange.headers[i].name, "X-First") == 0;
		last += strcmp(answer->exchange.headers[i].name, "X-Last") == 0;
	}
	assert_int_equal(first, 1);
	assert_int_equal(last, 1);
}

static void assert_refused(struct plugin_answer *take, const char *words)
{
	_cleanup_(plugin_answer_freep) struct plugin_answer *answer = take;

	if (answer->kind != PLUGIN_ANSWER_FAILED)
		fail_msg("%s: %s", plugin_answer_name(answer->kind), answer->fault ? answer->fault : "");
	assert_int_equal(answer->failure.reason, PLUGIN_REASON_INVALID_INPUT);
	assert_int_equal(answer->failure.bought, PLUGIN_BOUGHT_NONE);
	if (!strstr(answer->failure.message, words))
		fail_msg("'%s' does not say '%s'", answer->failure.message, words);
}

static void an_input_that_is_none_here_is_the_users_error(void **state)
{
	(void)state;
	assert_refused(run("bare", FIRST("\"asset\":\"" B "\""), assets, 1, 1), "there is no such asset any more");
	assert_refused(run("handle", FIRST("\"asset\":\"" B "\""), assets, 1, 1), "there is no such asset any more");
	assert_refused(run("bare", FIRST("\"url\":\"https://i.example/a.png\""), assets, 2, 1),
		       "'first_frame' must be given as an asset");
	assert_refused(run("body", FIRST("\"provider_handle\":\"h\""), assets, 2, 1),
		       "'first_frame' must be given as an asset");
	assert_refused(run("handle", FIRST("\"url\":\"https://i.example/a.png\""), assets, 2, 1),
		       "must be given as the provider's own handle");
}

static void assert_fault(struct plugin_answer *take, const char *words)
{
	_cleanup_(plugin_answer_freep) struct plugin_answer *answer = take;

	if (answer->kind != PLUGIN_ANSWER_FAULT)
		fail_msg("no fault but %s", plugin_answer_name(answer->kind));
	if (!strstr(answer->fault, words))
		fail_msg("'%s' does not say '%s'", answer->fault, words);
}

static void an_input_goes_into_bodies_alone(void **state)
{
	(void)state;
	assert_fault(order("form"), "a form carries no inputs");
	assert_fault(order("header"), "the value of the header 'image'");
	assert_fault(order("url"), "a URL carries no inputs");
	assert_fault(order("state"), "it keeps no inputs");
	assert_fault(order("cut"), "was altered");
	assert_fault(order("part_of_both"), "a value and a medium");
}

static void only_start_and_upload_have_inputs(void **state)
{
	struct plugin_step step = fixture_step(account, PLUGIN_VERB_POLL,
					       "{\"parameters\":{\"media\":[" FIRST("\"asset\":\"" A "\"") "]}}");

	(void)state;
	assert_fault(fixture_run(&step), "a step of 'poll' has no such input");
}

static struct plugin_answer *upload(uint32_t phase, const char *body)
{
	const struct plugin_reply reply = {.status = 200, .body = bytes_of_text(body), .retry_after_ms = -1};
	struct plugin_step step = fixture_step(account, PLUGIN_VERB_UPLOAD, "");

	step.phase = phase;
	step.reply = phase ? &reply : NULL;
	step.assets = assets;
	step.n_assets = 1;
	return fixture_run(&step);
}

static void an_upload_is_told_what_it_brings(void **state)
{
	_cleanup_(plugin_answer_freep) struct plugin_answer *first = upload(0, ""),
							    *second = upload(1, "{\"handle\":\"h\"}");

	(void)state;
	assert_body(first, "{a raw}");
	assert_int_equal(second->kind, PLUGIN_ANSWER_REPORT);
	assert_string_equal(second->report, "{\"input\":{\"asset\":\"" A "\",\"kind\":\"image\",\"sha256\":"
					    "\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\","
					    "\"media_type\":\"image/png\",\"size_bytes\":1000},\"handle\":\"h\"}");
}

static void what_an_upload_reports_is_looked_at(void **state)
{
	(void)state;
	assert_fault(upload(1, "{}"), "needs a handle");
	assert_fault(upload(1, "{\"handle\":\"\"}"), "needs a handle");
	assert_fault(upload(1, "{\"handle\":5}"), "needs a handle");
	assert_fault(upload(1, "{\"handle\":\"h\",\"expires\":\"soon\"}"), "no instant");
	assert_fault(upload(1, "{\"handle\":\"h\",\"headers\":[]}"), "headers of an upload");
	assert_fault(upload(1, "{\"handle\":\"h\",\"headers\":{\"Authorization\":\"x\"}}"), "headers of an upload");
	assert_fault(upload(1, "{\"handle\":\"h\",\"headers\":{\"X\":\"a\\nb\"}}"), "headers of an upload");
	assert_fault(upload(2, ""), "only 'start' may buy");
}

static struct plugin_answer *judge(const char *prompt, const char *media, const char *report)
{
	char job[1024];
	struct plugin_step step;

	snprintf(job, sizeof(job), "{\"model\":\"m\",\"parameters\":{\"prompt\":\"%s\",\"media\":[%s]%s%s}}", prompt,
		 media, *report ? ",\"extras\":" : "", report);
	step = fixture_step(account, PLUGIN_VERB_CHECK, job);
	step.assets = assets;
	step.n_assets = 2;
	return fixture_run(&step);
}

/* What start would stumble over is found before there is a job; nothing is uploaded for it. */
static void a_check_finds_what_start_would_stumble_over(void **state)
{
	static const struct {
		const char *prompt, *media, *words;
	} rows[] = {
		{"bytes", TWO, NULL},
		{"handles", TWO, NULL},
		{"bytes", FIRST("\"url\":\"https://i.test/a.png\""), "must be given as an asset"},
		{"handles", FIRST("\"url\":\"https://i.test/a.png\""), "the provider's own handle"},
		{"bytes", FIRST("\"asset\":\"assets/cc\""), "there is no such asset any more"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		_cleanup_(plugin_answer_freep) struct plugin_answer *answer = judge(rows[i].prompt, rows[i].media, "");

		assert_int_equal(answer->kind, rows[i].words ? PLUGIN_ANSWER_FAILED : PLUGIN_ANSWER_REPORT);
		if (!rows[i].words)
			continue;
		assert_non_null(strstr(answer->failure.message, rows[i].words));
		assert_string_equal(answer->failure.field, "/parameters/media");
	}
}

static void what_a_check_reports_is_looked_at(void **state)
{
	_cleanup_(plugin_answer_freep) struct plugin_answer *good = judge(
		"", "", "{\"violations\":[{\"pointer\":\"/parameters/seed\",\"message\":\"no\"},{\"message\":\"x\"}]}");

	(void)state;
	assert_int_equal(good->kind, PLUGIN_ANSWER_REPORT);
	assert_fault(judge("", "", "{\"violations\":{}}"), "violations must be an array");
	assert_fault(judge("", "", "{\"violations\":[{\"pointer\":\"/parameters\"}]}"), "a violation needs a message");
	assert_fault(judge("", "", "{\"violations\":[{\"message\":\"\"}]}"), "a violation needs a message");
	assert_fault(judge("", "", "{\"violations\":[{\"message\":\"m\",\"pointer\":5}]}"), "a pointer that is a text");
	assert_fault(judge("", "", "{\"price\":{\"amount_micros\":5}}"), "takes violations, and no 'price'");
	assert_fault(judge("asks", "", ""), "exchange() is no answer to 'check'");
	assert_fault(judge("troubled", "", ""), "trouble() is no answer to 'check'");
}

/* So that a plugin can say what a medium is, and measure it. */
static void an_order_says_what_its_assets_are(void **state)
{
	struct plugin_step step = fixture_step(
		account, PLUGIN_VERB_START,
		"{\"parameters\":{\"media\":[" FIRST("\"asset\":\"" A "\"") "],\"script\":{\"audio\":{\"asset\":\"" B
									    "\"}}}}");
	_cleanup_(json_freep) struct json *json = json_new(NULL);
	json_node job = JSON_ABSENT;
	struct fg_step inside = {.input = &step, .json = json};

	(void)state;
	step.assets = assets;
	step.n_assets = 2;
	assert_int_equal(json_parse(json, step.job, JSON_DUPLICATES_REFUSE, &job, NULL), 0);
	inside.documents[FG_DOC_JOB] = job;
	plugin_media_describe(&inside);
	assert_true(json_text_is(json, json_at(json, job, "/parameters/media/0/media_type"), "image/png"));
	assert_int_equal(json_integer(json, json_at(json, job, "/parameters/media/0/size_bytes"), 0), 1000);
	assert_true(json_text_is(json, json_at(json, job, "/parameters/script/audio/media_type"), "image/jpeg"));
}

static void a_failure_can_be_told_again(void **state)
{
	_cleanup_(plugin_answer_freep) struct plugin_answer *trouble = plugin_answer_trouble(PLUGIN_REASON_AUTH, "no");
	_cleanup_(plugin_answer_freep) struct plugin_answer *copy = plugin_answer_copy_failure(trouble);
	_cleanup_(plugin_answer_freep) struct plugin_answer *fault = order("cut");
	_cleanup_(plugin_answer_freep) struct plugin_answer *same = plugin_answer_copy_failure(fault);

	(void)state;
	assert_int_equal(copy->kind, PLUGIN_ANSWER_TROUBLE);
	assert_int_equal(copy->failure.reason, PLUGIN_REASON_AUTH);
	assert_string_equal(copy->failure.message, "no");
	assert_ptr_not_equal(copy->failure.message, trouble->failure.message);
	assert_int_equal(same->kind, PLUGIN_ANSWER_FAULT);
	assert_string_equal(same->fault, fault->fault);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(inputs_go_where_the_plugin_says),
		cmocka_unit_test(a_part_is_a_file_with_a_name_and_a_type),
		cmocka_unit_test(a_rebuilt_request_is_the_same_and_another_content_another),
		cmocka_unit_test(the_form_of_an_input_is_part_of_the_request),
		cmocka_unit_test(an_input_without_a_handle_asks_for_its_upload),
		cmocka_unit_test(a_handle_is_written_with_the_headers_it_needs),
		cmocka_unit_test(a_handle_that_is_written_often_hides_no_other),
		cmocka_unit_test(an_input_that_is_none_here_is_the_users_error),
		cmocka_unit_test(an_input_goes_into_bodies_alone),
		cmocka_unit_test(only_start_and_upload_have_inputs),
		cmocka_unit_test(an_upload_is_told_what_it_brings),
		cmocka_unit_test(what_an_upload_reports_is_looked_at),
		cmocka_unit_test(a_check_finds_what_start_would_stumble_over),
		cmocka_unit_test(what_a_check_reports_is_looked_at),
		cmocka_unit_test(an_order_says_what_its_assets_are),
		cmocka_unit_test(a_failure_can_be_told_again),
	};

	return cmocka_run_group_tests_name("plugin.media", tests, load, unload);
}
