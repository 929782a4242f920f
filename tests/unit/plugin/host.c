/*
 * What the host answers a plugin, function by function.
 */
#include "plugin/fixtures.h"

#include "base/json.h"
#include "base/limits.h"

static struct plugin *probe;
static struct plugin_account *account;

static int load(void **state)
{
	(void)state;
	probe = fixture_plugin("probe");
	account = fixture_account(probe, NULL);
	return 0;
}

static int unload(void **state)
{
	(void)state;
	plugin_account_free(account);
	plugin_free(probe);
	return 0;
}

static const char reply_body[] =
	"{\"list\":[1,\"two\",[3]],\"seed\":17454220438242315174,\"price\":\"0.0385\",\"yes\":true,\"off\":\"off\","
	"\"instant\":\"2026-11-22T17:36:00.5Z\",\"seconds\":1795368960,\"fraction\":1795368960.123456,"
	"\"long\":\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80xy\",\"url\":\"https://f.example/a?Expires=179&Sig=a%2Bb\","
	"\"relative\":\"../b\",\"bucket\":\"gs://b/o\"}";

/* Runs the probe's questions and hands out its report. */
static struct plugin_answer *report(struct json *json, json_node *ret)
{
	static const struct plugin_header headers[] = {{"X-Multi", "a", false},
						       {"Content-Type", "application/json;charset=utf-8", false},
						       {"x-multi", "b", false}};
	const struct plugin_reply reply = {.status = 200,
					   .headers = headers,
					   .n_headers = 3,
					   .body = bytes_of(reply_body, sizeof(reply_body) - 1),
					   .elapsed_ms = 31,
					   .retry_after_ms = 1500};
	struct plugin_step step = fixture_step(account, PLUGIN_VERB_ACCOUNT, "{}");
	struct plugin_answer *answer;

	step.phase = 1;
	step.reply = &reply;
	step.remote_id = "r1";
	step.polls = 4;
	step.catalogue_kind = "voices";
	step.catalogue_next = "p2";
	answer = fixture_run(&step);
	if (answer->kind != PLUGIN_ANSWER_REPORT)
		fail_msg("%s", answer->fault ? answer->fault : plugin_answer_name(answer->kind));
	assert_int_equal(json_parse(json, bytes_of_text(answer->report), JSON_DUPLICATES_REFUSE, ret, NULL), 0);
	return answer;
}

static void assert_all(const char *const (*rows)[2], size_t n)
{
	_cleanup_(json_freep) struct json *json = json_new(NULL);
	_cleanup_(plugin_answer_freep) struct plugin_answer *answer = NULL;
	json_node root;

	answer = report(json, &root);
	assert_non_null(answer);
	for (size_t i = 0; i < n; i++) {
		_cleanup_(buffer_finish) struct buffer text = {0};
		json_node node = json_at(json, root, rows[i][0]);

		if (!rows[i][1]) {
			assert_int_equal(node, JSON_ABSENT);
			continue;
		}
		assert_int_equal(json_write(json, node, JSON_FORM_PLAIN, &text), 0);
		if (strcmp(text.data, rows[i][1]) != 0)
			fail_msg("%s is %s, not %s", rows[i][0], text.data, rows[i][1]);
	}
}

static void values_are_read_exactly_or_not_at_all(void **state)
{
	static const char *const rows[][2] = {
		{"/kind_list", "5"},
		{"/count", "3"},
		{"/third", "[3]"},
		{"/first", "1"},
		{"/beyond", NULL},
		{"/second_name", "\"seed\""},
		{"/seed", "\"17454220438242315174\""},
		{"/seed_as_integer", "-1"},
		{"/micros", "38500"},
		{"/yes", "true"},
		{"/off", "false"},
		{"/absent", "true"},
		{"/instant", "1795368960500"},
		{"/seconds", "1795368960000"},
		{"/fraction", "1795368960123"},
		{"/no_instant", "-1"},
		{"/expires", "\"179\""},
		{"/signature", "\"a+b\""},
		{"/no_query", NULL},
		{"/retry_after_ms", "1500"},
		{"/header", "\"a, b\""},
		{"/no_header", "\"\""},
	};

	(void)state;
	assert_all(rows, sizeof(rows) / sizeof(rows[0]));
}

static void texts_and_urls_are_made_as_the_provider_wants_them(void **state)
{
	static const char *const rows[][2] = {
		{"/size", "\"1280x720\""},
		{"/duration", "5.5"},
		{"/cut", "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\""},
		{"/uncut", "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80xy\""},
		{"/path", "\"https://api.probe.example/v1/p/a%2Fb%20c/two:go?q=x%26y&n=1280&n=720\""},
		{"/link", "\"https://f.example/a?Expires=179&Sig=a%2Bb&q=x%26y&n=1280&n=720\""},
		{"/elsewhere", "\"https://other.example/p\""},
		{"/relative", "\"https://api.probe.example/b\""},
		{"/no_link", NULL},
	};

	(void)state;
	assert_all(rows, sizeof(rows) / sizeof(rows[0]));
}

static void the_step_is_told_what_is_known_about_it(void **state)
{
	static const char *const rows[][2] = {
		{"/step/verb", "\"account\""},
		{"/step/phase", "1"},
		{"/step/now_ms", "1795368960000"},
		{"/step/attempt", "1"},
		{"/step/idempotency_key", "\"key-0001\""},
		{"/step/random", "\"0102030000000000000000000000000000000000000000000000000000000000\""},
		{"/step/remote/id", "\"r1\""},
		{"/step/remote/kind", NULL},
		{"/step/polls", "4"},
		{"/step/catalogue/kind", "\"voices\""},
		{"/step/catalogue/next", "\"p2\""},
		{"/step/accepted_at_ms", NULL},
		{"/step/reply/status", "200"},
		{"/step/reply/elapsed_ms", "31"},
		{"/step/reply/media_type", "\"application/json\""},
		{"/step/reply/url", NULL},
		{"/step/reply/problem", NULL},
	};

	(void)state;
	assert_all(rows, sizeof(rows) / sizeof(rows[0]));
}

static struct plugin_answer *send(const char *prompt)
{
	char job[128];
	struct plugin_step step;
	struct plugin_answer *answer;

	snprintf(job, sizeof(job), "{\"parameters\":{\"prompt\":\"%s\"}}", prompt);
	step = fixture_step(account, PLUGIN_VERB_START, job);
	answer = fixture_run(&step);
	if (answer->kind != PLUGIN_ANSWER_EXCHANGE)
		fail_msg("%s", answer->fault ? answer->fault : plugin_answer_name(answer->kind));
	return answer;
}

static void each_kind_of_body_has_its_form_and_type(void **state)
{
	_cleanup_(plugin_answer_freep) struct plugin_answer *form = send("form"), *text = send("text"),
							    *json = send("json");

	(void)state;
	assert_string_equal(form->exchange.body.data, "prompt=form&n=2&audio=true");
	assert_string_equal(form->exchange.headers[0].value, "application/x-www-form-urlencoded");
	assert_string_equal(text->exchange.body.data, "text");
	assert_string_equal(text->exchange.headers[0].value, "text/plain");
	assert_string_equal(json->exchange.body.data, "{\"prompt\":\"json\",\"n\":2,\"audio\":true}");
	assert_string_equal(json->exchange.headers[0].value, "application/vnd.probe+json");
	assert_int_equal(json->exchange.n_headers, 1);
}

static void parts_keep_their_order_and_a_rebuilt_body_is_the_same(void **state)
{
	_cleanup_(plugin_answer_freep) struct plugin_answer *first = send("parts"), *second = send("parts");
	const char *type = first->exchange.headers[0].value;
	const char *boundary = strstr(type, "boundary=") + 9;
	char expected[1024];

	(void)state;
	assert_int_equal(strncmp(type, "multipart/form-data; boundary=", 30), 0);
	snprintf(expected, sizeof(expected),
		 "--%s\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\nparts\r\n"
		 "--%s\r\nContent-Disposition: form-data; name=\"meta%%22data\"; filename=\"a%%0D%%0Ab.json\"\r\n"
		 "Content-Type: application/json\r\n\r\n{\"prompt\":\"parts\",\"n\":2,\"audio\":true}\r\n--%s--\r\n",
		 boundary, boundary, boundary);
	assert_string_equal(first->exchange.body.data, expected);
	assert_true(bytes_equal(first->exchange.body, second->exchange.body));
	assert_memory_equal(&first->exchange.fingerprint, &second->exchange.fingerprint, DIGEST_SIZE);
}

static void notes_and_queue_positions_arrive(void **state)
{
	struct plugin_step step = fixture_step(account, PLUGIN_VERB_POLL, "{}");
	_cleanup_(plugin_answer_freep) struct plugin_answer *wait = fixture_run(&step), *start = send("json");

	(void)state;
	assert_int_equal(wait->wait.queue_position, 0);
	assert_int_equal(wait->wait.progress_permille, -1);
	assert_int_equal(wait->wait.after_ms, 700);
	assert_int_equal(start->n_notes, 1);
	assert_int_equal(start->notes[0].severity, PLUGIN_NOTE_ADJUSTED);
	assert_string_equal(start->notes[0].pointer, "/parameters/duration_ms");
	assert_string_equal(start->notes[0].sentence, "5.5 s became 6 s");
}

static void a_text_longer_than_the_limit_is_cut_at_a_character(void **state)
{
	_cleanup_(freep) char *body = malloc(LIMIT_PLUGIN_BODY_TEXT + 4);
	struct plugin_reply reply = {.status = 500, .retry_after_ms = -1};
	_cleanup_(plugin_freep) struct plugin *toy = fixture_plugin("toy");
	_cleanup_(plugin_account_freep) struct plugin_account *toy_account = fixture_account(toy, NULL);
	struct plugin_step step = fixture_step(toy_account, PLUGIN_VERB_START, "{}");
	_cleanup_(plugin_answer_freep) struct plugin_answer *answer = NULL;

	(void)state;
	assert_non_null(body);
	memset(body, 'x', LIMIT_PLUGIN_BODY_TEXT + 4);
	/* A character of two bytes across the limit of what is kept of a message. */
	memcpy(body + LIMIT_PLUGIN_WORDS - 1, "\xc3\xa9", 2);
	reply.body = bytes_of(body, LIMIT_PLUGIN_BODY_TEXT + 4);
	step.phase = 1;
	step.reply = &reply;
	answer = fixture_run(&step);
	assert_int_equal(answer->kind, PLUGIN_ANSWER_TROUBLE);
	assert_int_equal(strlen(answer->failure.message), LIMIT_PLUGIN_WORDS - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_are_read_exactly_or_not_at_all),
		cmocka_unit_test(texts_and_urls_are_made_as_the_provider_wants_them),
		cmocka_unit_test(the_step_is_told_what_is_known_about_it),
		cmocka_unit_test(each_kind_of_body_has_its_form_and_type),
		cmocka_unit_test(parts_keep_their_order_and_a_rebuilt_body_is_the_same),
		cmocka_unit_test(notes_and_queue_positions_arrive),
		cmocka_unit_test(a_text_longer_than_the_limit_is_cut_at_a_character),
	};

	return cmocka_run_group_tests(tests, load, unload);
}
