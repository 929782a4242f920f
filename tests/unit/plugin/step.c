/*
 * A good plugin, step by step: what it asks becomes a request that can be sent as it is.
 */
#include "plugin/fixtures.h"

#include "base/json.h"

#define JOB "{\"id\":\"j1\",\"model\":\"clip-1\",\"parameters\":{\"prompt\":\"a kite\",\"seed\":17454220438242315174}}"

static struct plugin *plugin;
static struct plugin_account *account;

static int load(void **state)
{
	(void)state;
	plugin = fixture_plugin("toy");
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

static const char *header(const struct plugin_header *headers, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (strcasecmp(headers[i].name, name) == 0)
			return headers[i].value;
	return NULL;
}

static struct plugin_answer *run(enum plugin_verb verb, const char *job, const char *state)
{
	struct plugin_step step = fixture_step(account, verb, job);

	step.state = bytes_of_text(state);
	return fixture_run(&step);
}

static struct plugin_answer *run_reply(enum plugin_verb verb, int status, const char *body, const char *state)
{
	static const struct plugin_header headers[] = {{"Content-Type", "application/json; charset=utf-8", false},
						       {"x-request-id", "req-\xff-9", false}};
	struct plugin_reply reply = {.status = status,
				     .headers = headers,
				     .n_headers = 2,
				     .body = bytes_of_text(body),
				     .retry_after_ms = status == 429 ? 30000 : -1};
	struct plugin_step step = fixture_step(account, verb, JOB);

	step.phase = 1;
	step.reply = &reply;
	step.state = bytes_of_text(state);
	return fixture_run(&step);
}

static void an_order_becomes_a_whole_request(void **state)
{
	_cleanup_(plugin_answer_freep) struct plugin_answer *answer = run(PLUGIN_VERB_START, JOB, "");
	const struct plugin_exchange *exchange = &answer->exchange;

	(void)state;
	assert_int_equal(answer->kind, PLUGIN_ANSWER_EXCHANGE);
	assert_int_equal(exchange->effect, PLUGIN_EFFECT_BUYS_WITH_KEY);
	assert_int_equal(exchange->phase, 1);
	assert_string_equal(exchange->method, "POST");
	assert_string_equal(exchange->url, "https://api.toy.example/base/v1/clips");
	assert_string_equal(header(exchange->headers, exchange->n_headers, "Content-Type"), "application/json");
	assert_string_equal(header(exchange->headers, exchange->n_headers, "Idempotency-Key"), "key-0001");
	assert_string_equal(header(exchange->headers, exchange->n_headers, "X-Toy-Version"), "2026-11-22");
	assert_string_equal(header(exchange->headers, exchange->n_headers, "X-Api-Key"), API_KEY);
	assert_int_equal(exchange->timeout_ms, 90000);
	assert_true(exchange->has_credential);
	assert_true(bytes_equal(exchange->body, bytes_of_text("{\"prompt\":\"a kite\",\"seed\":17454220438242315174,"
							      "\"region\":\"eu\"}")));
	assert_string_equal(answer->state, "{\"model\":\"clip-1\"}");
}

static void only_the_credential_is_marked_secret(void **state)
{
	_cleanup_(plugin_answer_freep) struct plugin_answer *answer = run(PLUGIN_VERB_START, JOB, "");

	(void)state;
	for (size_t i = 0; i < answer->exchange.n_headers; i++)
		assert_int_equal(answer->exchange.headers[i].is_secret,
				 strcmp(answer->exchange.headers[i].name, "X-Api-Key") == 0);
}

static void a_text_that_looks_like_a_secret_is_just_text(void **state)
{
	_cleanup_(plugin_answer_freep) struct plugin_answer *answer = run(
		PLUGIN_VERB_START, "{\"model\":\"m\",\"parameters\":{\"prompt\":\"{secret:api_key} {id}\"}}", "");

	(void)state;
	assert_non_null(memmem(answer->exchange.body.data, answer->exchange.body.len, "{secret:api_key} {id}", 21));
	assert_null(memmem(answer->exchange.body.data, answer->exchange.body.len, API_KEY, strlen(API_KEY)));
}

static void optional_parameters_cost_a_line_and_absent_ones_nothing(void **state)
{
	_cleanup_(plugin_answer_freep) struct plugin_answer *answer = run(
		PLUGIN_VERB_START,
		"{\"model\":\"m\",\"parameters\":{\"prompt\":\"p\",\"duration_ms\":5500,\"audio\":\"off\",\"media\":"
		"[{\"kind\":\"image\",\"role\":\"first_frame\",\"url\":\"https://i.example/a.png\"}],"
		"\"extras\":{\"style\":\"film\",\"camera\":{\"pan\":3}}}}",
		"");

	(void)state;
	assert_string_equal(answer->exchange.body.data,
			    "{\"prompt\":\"p\",\"region\":\"eu\",\"input\":{\"duration\":5.5,\"audio\":false,"
			    "\"image\":\"https://i.example/a.png\",\"style\":\"film\",\"camera\":{\"pan\":3}}}");
}

static void an_extra_that_is_set_already_is_refused_before_anything_is_sent(void **state)
{
	_cleanup_(plugin_answer_freep) struct plugin_answer *answer = run(
		PLUGIN_VERB_START,
		"{\"model\":\"m\",\"parameters\":{\"prompt\":\"p\",\"duration_ms\":5000,\"extras\":{\"duration\":60}}}",
		"");

	(void)state;
	assert_int_equal(answer->kind, PLUGIN_ANSWER_FAILED);
	assert_int_equal(answer->failure.reason, PLUGIN_REASON_INVALID_INPUT);
	assert_int_equal(answer->failure.bought, PLUGIN_BOUGHT_NONE);
	assert_string_equal(answer->failure.field, "/parameters/extras");
	assert_non_null(strstr(answer->failure.message, "'duration'"));
	assert_null(answer->exchange.url);
}

static void an_input_in_a_form_that_cannot_be_sent_is_the_users_error(void **state)
{
	_cleanup_(plugin_answer_freep) struct plugin_answer *answer = run(
		PLUGIN_VERB_START,
		"{\"model\":\"m\",\"parameters\":{\"prompt\":\"p\",\"media\":[{\"role\":\"first_frame\",\"provider_handle\":\"h\"}]}}",
		"");

	(void)state;
	assert_int_equal(answer->kind, PLUGIN_ANSWER_FAILED);
	assert_int_equal(answer->failure.reason, PLUGIN_REASON_INVALID_INPUT);
	assert_non_null(strstr(answer->failure.message, "'first_frame' must be given as a URL"));
}

static void a_complete_reply_is_accepted_and_its_state_kept(void **state)
{
	_cleanup_(plugin_answer_freep) struct plugin_answer *answer = run_reply(
		PLUGIN_VERB_START, 201, "{\"id\":\"c/1\",\"status\":\"queued\",\"status_url\":\"/base/v1/s?id=1\"}",
		"{\"model\":\"clip-1\"}");

	(void)state;
	assert_int_equal(answer->kind, PLUGIN_ANSWER_ACCEPTED);
	assert_int_equal(answer->accepted.n_remotes, 1);
	assert_string_equal(answer->accepted.remotes[0].id, "c/1");
	assert_string_equal(answer->accepted.remotes[0].kind, "clip");
	assert_string_equal(answer->accepted.status, "queued");
	assert_false(answer->accepted.cost.is_known);
	assert_string_equal(answer->state, "{\"model\":\"clip-1\",\"id\":\"c/1\",\"status_url\":\"/base/v1/s?id=1\"}");
}

static void a_refusal_carries_the_providers_code_words_and_request_id(void **state)
{
	_cleanup_(plugin_answer_freep) struct plugin_answer *answer = run_reply(
		PLUGIN_VERB_START, 402, "{\"error\":{\"code\":\"insufficient_credit\",\"message\":\"Top up.\"}}", "");

	(void)state;
	assert_int_equal(answer->kind, PLUGIN_ANSWER_FAILED);
	assert_int_equal(answer->failure.reason, PLUGIN_REASON_NO_CREDIT);
	assert_int_equal(answer->failure.bought, PLUGIN_BOUGHT_NONE);
	assert_string_equal(answer->failure.code, "insufficient_credit");
	assert_string_equal(answer->failure.message, "Top up.");
	assert_string_equal(answer->failure.request_id, "req-?-9");
}

static void a_throttle_takes_its_wait_from_the_reply(void **state)
{
	_cleanup_(plugin_answer_freep) struct plugin_answer *answer = run_reply(PLUGIN_VERB_START, 429, "", "");

	(void)state;
	assert_int_equal(answer->kind, PLUGIN_ANSWER_TROUBLE);
	assert_int_equal(answer->failure.reason, PLUGIN_REASON_RATE_LIMITED);
	assert_int_equal(answer->failure.retry_after_ms, 30000);
}

static void a_reply_that_is_not_json_is_absent_and_shown_as_text(void **state)
{
	_cleanup_(plugin_answer_freep) struct plugin_answer *answer = run_reply(PLUGIN_VERB_START, 503,
										"<html>\xff down</html>", "");

	(void)state;
	assert_int_equal(answer->kind, PLUGIN_ANSWER_TROUBLE);
	assert_string_equal(answer->failure.message, "<html>? down</html>");
	assert_int_equal(answer->failure.bought, PLUGIN_BOUGHT_HOUSE_RULE);
}

static void a_state_that_did_not_change_is_not_written_again(void **state)
{
	_cleanup_(plugin_answer_freep) struct plugin_answer *answer = run(PLUGIN_VERB_START, JOB,
									  "{\"model\":\"clip-1\"}");

	(void)state;
	assert_null(answer->state);
}

static void ids_are_escaped_into_paths(void **state)
{
	_cleanup_(plugin_answer_freep) struct plugin_answer *answer = run(PLUGIN_VERB_POLL, JOB,
									  "{\"id\":\"c/1?x=..\"}");

	(void)state;
	assert_int_equal(answer->kind, PLUGIN_ANSWER_EXCHANGE);
	assert_int_equal(answer->exchange.effect, PLUGIN_EFFECT_SAFE);
	assert_string_equal(answer->exchange.url, "https://api.toy.example/base/v1/clips/c%2F1%3Fx%3D..");
	assert_null(answer->exchange.body.data);
}

static void a_given_url_is_resolved_and_its_query_not_shown(void **state)
{
	_cleanup_(plugin_answer_freep) struct plugin_answer *answer = run(
		PLUGIN_VERB_POLL, JOB, "{\"id\":\"1\",\"status_url\":\"/other/s?sig=abc\"}");

	(void)state;
	assert_string_equal(answer->exchange.url, "https://api.toy.example/other/s?sig=abc");
	assert_string_equal(answer->exchange.shown_url, "https://api.toy.example/other/s");
}

static void a_given_url_on_another_host_gets_no_credential(void **state)
{
	_cleanup_(plugin_answer_freep) struct plugin_answer *answer = run(
		PLUGIN_VERB_POLL, JOB, "{\"id\":\"1\",\"status_url\":\"https://evil.example/s\"}");

	(void)state;
	assert_int_equal(answer->kind, PLUGIN_ANSWER_FAULT);
	assert_non_null(strstr(answer->fault, "https://evil.example:443"));
	assert_null(strstr(answer->fault, API_KEY));
}

static void progress_and_words_of_a_running_job_arrive(void **state)
{
	_cleanup_(plugin_answer_freep) struct plugin_answer *answer = run_reply(
		PLUGIN_VERB_POLL, 200, "{\"status\":\"rendering\",\"progress\":42}", "{}");
	_cleanup_(plugin_answer_freep) struct plugin_answer *silent = run_reply(PLUGIN_VERB_POLL, 200,
										"{\"status\":\"rendering\"}", "{}");

	(void)state;
	assert_int_equal(answer->kind, PLUGIN_ANSWER_WAIT);
	assert_int_equal(answer->wait.stage, PLUGIN_STAGE_RUNNING);
	assert_int_equal(answer->wait.progress_permille, 420);
	assert_int_equal(answer->wait.queue_position, -1);
	assert_int_equal(answer->wait.after_ms, 0);
	assert_string_equal(answer->wait.status, "rendering");
	assert_int_equal(silent->wait.progress_permille, -1);
}

static void a_finished_job_names_its_outputs_and_cost(void **state)
{
	_cleanup_(plugin_answer_freep) struct plugin_answer *answer = run_reply(
		PLUGIN_VERB_POLL, 200,
		"{\"status\":\"done\",\"url\":\"https://cdn.example/v.mp4?sig=1\",\"expires_at\":\"2026-11-22T18:00:00Z\","
		"\"cost\":\"0.4167\"}",
		"{}");
	const struct plugin_output *output = answer->done.outputs;

	(void)state;
	assert_int_equal(answer->kind, PLUGIN_ANSWER_DONE);
	assert_int_equal(answer->done.n_outputs, 1);
	assert_string_equal(output->role, "video");
	assert_string_equal(output->url, "https://cdn.example/v.mp4?sig=1");
	assert_string_equal(output->shown_url, "https://cdn.example/v.mp4");
	assert_int_equal(output->n_headers, 0);
	assert_int_equal(output->expires_at_ms, INT64_C(1795370400000));
	assert_true(answer->done.cost.is_known);
	assert_int_equal(answer->done.cost.amount_micros, 416700);
	assert_string_equal(answer->done.cost.currency, "USD");
	assert_true(answer->done.cost.is_from_provider);
}

static void a_download_with_a_credential_gets_it_for_its_own_origin_only(void **state)
{
	_cleanup_(plugin_answer_freep) struct plugin_answer *own = run_reply(
		PLUGIN_VERB_POLL, 200, "{\"status\":\"done\",\"url\":\"/content/1\",\"auth\":\"bearer\"}", "{}");
	_cleanup_(plugin_answer_freep) struct plugin_answer *foreign = run_reply(
		PLUGIN_VERB_POLL, 200, "{\"status\":\"done\",\"url\":\"https://cdn.example/1\",\"auth\":\"bearer\"}",
		"{}");

	(void)state;
	assert_int_equal(own->kind, PLUGIN_ANSWER_DONE);
	assert_string_equal(header(own->done.outputs->headers, own->done.outputs->n_headers, "Authorization"),
			    "Bearer " API_KEY);
	assert_true(own->done.outputs->headers[0].is_secret);
	assert_int_equal(foreign->kind, PLUGIN_ANSWER_FAULT);
}

static void each_kind_of_credential_is_written_its_own_way(void **state)
{
	_cleanup_(plugin_answer_freep) struct plugin_answer *basic = run(PLUGIN_VERB_ACCOUNT, JOB, "");
	_cleanup_(plugin_answer_freep) struct plugin_answer *token = run_reply(
		PLUGIN_VERB_POLL, 200, "{\"status\":\"done\",\"url\":\"/c\",\"auth\":\"token\"}", "{}");
	_cleanup_(plugin_answer_freep) struct plugin_answer *query = run_reply(
		PLUGIN_VERB_POLL, 200, "{\"status\":\"done\",\"url\":\"/c?v=1\",\"auth\":\"query\"}", "{}");
	_cleanup_(plugin_answer_freep) struct plugin_answer *open = run_reply(
		PLUGIN_VERB_POLL, 200, "{\"status\":\"done\",\"url\":\"/c?v=1\",\"auth\":\"open\"}", "{}");

	(void)state;
	assert_string_equal(header(basic->exchange.headers, basic->exchange.n_headers, "Authorization"),
			    "Basic dXNlcjpwYXNzLTU1MTg=");
	assert_string_equal(header(token->done.outputs->headers, token->done.outputs->n_headers, "Authorization"),
			    "Key " API_KEY);
	assert_string_equal(query->done.outputs->url, "https://api.toy.example/c?v=1&key=" API_KEY);
	assert_string_equal(query->done.outputs->shown_url, "https://api.toy.example/c");
	assert_int_equal(open->done.outputs->n_headers, 0);
}

static void cancel_and_reconcile_say_what_they_found(void **state)
{
	_cleanup_(plugin_answer_freep) struct plugin_answer *cancelled = run_reply(PLUGIN_VERB_CANCEL, 204, "", "{}");
	_cleanup_(plugin_answer_freep) struct plugin_answer *late = run_reply(PLUGIN_VERB_CANCEL, 409, "{}", "{}");
	_cleanup_(plugin_answer_freep) struct plugin_answer *asks = run(PLUGIN_VERB_RECONCILE, JOB, "{}");
	_cleanup_(plugin_answer_freep) struct plugin_answer *found = run_reply(PLUGIN_VERB_RECONCILE, 200,
									       "{\"clips\":[{\"id\":\"c7\"}]}", "{}");
	_cleanup_(plugin_answer_freep) struct plugin_answer *absent = run_reply(PLUGIN_VERB_RECONCILE, 200,
										"{\"clips\":[]}", "{}");
	_cleanup_(plugin_answer_freep) struct plugin_answer *unknown = run_reply(PLUGIN_VERB_RECONCILE, 500, "", "{}");

	(void)state;
	assert_int_equal(cancelled->kind, PLUGIN_ANSWER_CANCELLED);
	assert_int_equal(cancelled->cancelled.achieved, PLUGIN_CANCEL_ACHIEVED);
	assert_int_equal(cancelled->cancelled.bought, PLUGIN_BOUGHT_MADE);
	assert_int_equal(late->cancelled.achieved, PLUGIN_CANCEL_TOO_LATE);
	assert_string_equal(asks->exchange.url, "https://api.toy.example/base/v1/clips?key=key-0001");
	assert_int_equal(found->kind, PLUGIN_ANSWER_ACCEPTED);
	assert_string_equal(found->accepted.remotes[0].id, "c7");
	assert_string_equal(found->state, "{\"id\":\"c7\"}");
	assert_int_equal(absent->kind, PLUGIN_ANSWER_ABSENT);
	assert_int_equal(unknown->kind, PLUGIN_ANSWER_UNKNOWN);
}

static void an_account_report_is_texts_for_people(void **state)
{
	_cleanup_(plugin_answer_freep) struct plugin_answer *answer = run_reply(
		PLUGIN_VERB_ACCOUNT, 200, "{\"balance\":41.20,\"currency\":\"USD\"}", "");

	(void)state;
	assert_int_equal(answer->kind, PLUGIN_ANSWER_REPORT);
	assert_string_equal(answer->report, "{\"balance\":\"41.20 USD\"}");
}

static struct digest fingerprint(const struct plugin_account *of, const char *job, const char *key, int64_t now_ms)
{
	struct plugin_step step = fixture_step(of, PLUGIN_VERB_START, job);
	_cleanup_(plugin_answer_freep) struct plugin_answer *answer = NULL;

	step.idempotency_key = key;
	step.now_ms = now_ms;
	answer = fixture_run(&step);
	assert_int_equal(answer->kind, PLUGIN_ANSWER_EXCHANGE);
	return answer->exchange.fingerprint;
}

static bool same(struct digest a, struct digest b)
{
	return memcmp(&a, &b, sizeof(a)) == 0;
}

static void a_fingerprint_knows_the_request_but_not_its_key_or_secret(void **state)
{
	static const struct plugin_secret secrets[] = {{"api_key", "another"}};
	struct plugin_account_spec spec = {.id = "mine", .secrets = secrets, .n_secrets = 1};
	_cleanup_(plugin_account_freep) struct plugin_account *rotated = NULL;
	_cleanup_(plugin_account_freep) struct plugin_account *elsewhere = fixture_account(plugin, "https://b.example");
	struct digest first = fingerprint(account, JOB, "key-0001", 1);
	struct errmsg error;

	(void)state;
	assert_int_equal(plugin_account_new(plugin, &spec, &rotated, &error), 0);
	assert_true(same(first, fingerprint(account, JOB, "key-0001", 2)));
	assert_true(same(first, fingerprint(account, JOB, "key-0002-longer", 1)));
	assert_true(same(first, fingerprint(rotated, JOB, "key-0001", 1)));
	assert_false(same(first, fingerprint(elsewhere, JOB, "key-0001", 1)));
	assert_false(same(first, fingerprint(account, "{\"model\":\"clip-1\",\"parameters\":{\"prompt\":\"b kite\"}}",
					     "key-0001", 1)));
}

static void replies_may_repeat_names_begin_with_a_mark_and_be_empty(void **state)
{
	_cleanup_(plugin_answer_freep) struct plugin_answer *twice = run_reply(PLUGIN_VERB_START, 200,
									       "{\"id\":\"a\",\"id\":\"b\"}", "");
	_cleanup_(plugin_answer_freep) struct plugin_answer *marked = run_reply(PLUGIN_VERB_START, 200,
										"\xef\xbb\xbf{\"id\":\"a\"}", "");
	_cleanup_(plugin_answer_freep) struct plugin_answer *empty = run_reply(PLUGIN_VERB_START, 202, "", "");

	(void)state;
	assert_string_equal(twice->accepted.remotes[0].id, "b");
	assert_string_equal(marked->accepted.remotes[0].id, "a");
	assert_int_equal(empty->kind, PLUGIN_ANSWER_FAILED);
	assert_int_equal(empty->failure.bought, PLUGIN_BOUGHT_UNKNOWN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_order_becomes_a_whole_request),
		cmocka_unit_test(only_the_credential_is_marked_secret),
		cmocka_unit_test(a_text_that_looks_like_a_secret_is_just_text),
		cmocka_unit_test(optional_parameters_cost_a_line_and_absent_ones_nothing),
		cmocka_unit_test(an_extra_that_is_set_already_is_refused_before_anything_is_sent),
		cmocka_unit_test(an_input_in_a_form_that_cannot_be_sent_is_the_users_error),
		cmocka_unit_test(a_complete_reply_is_accepted_and_its_state_kept),
		cmocka_unit_test(a_refusal_carries_the_providers_code_words_and_request_id),
		cmocka_unit_test(a_throttle_takes_its_wait_from_the_reply),
		cmocka_unit_test(a_reply_that_is_not_json_is_absent_and_shown_as_text),
		cmocka_unit_test(a_state_that_did_not_change_is_not_written_again),
		cmocka_unit_test(ids_are_escaped_into_paths),
		cmocka_unit_test(a_given_url_is_resolved_and_its_query_not_shown),
		cmocka_unit_test(a_given_url_on_another_host_gets_no_credential),
		cmocka_unit_test(progress_and_words_of_a_running_job_arrive),
		cmocka_unit_test(a_finished_job_names_its_outputs_and_cost),
		cmocka_unit_test(a_download_with_a_credential_gets_it_for_its_own_origin_only),
		cmocka_unit_test(each_kind_of_credential_is_written_its_own_way),
		cmocka_unit_test(cancel_and_reconcile_say_what_they_found),
		cmocka_unit_test(an_account_report_is_texts_for_people),
		cmocka_unit_test(a_fingerprint_knows_the_request_but_not_its_key_or_secret),
		cmocka_unit_test(replies_may_repeat_names_begin_with_a_mark_and_be_empty),
	};

	return cmocka_run_group_tests(tests, load, unload);
}
