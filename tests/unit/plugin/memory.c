/*
 * Without memory there is no answer: never a wrong one, never a fault that would be blamed on the plugin.
 */
#include "allocator.h"
#include "plugin/fixtures.h"

static struct plugin *toy;
static struct plugin_account *account;

static int load(void **state)
{
	(void)state;
	toy = fixture_plugin("toy");
	account = fixture_account(toy, NULL);
	return 0;
}

static int unload(void **state)
{
	(void)state;
	plugin_account_free(account);
	plugin_free(toy);
	return 0;
}

/* Runs @step with each allocation failing in turn, until one run meets no failure; that one answers @kind. */
static void fails_whole_or_answers(const struct plugin_step *step, enum plugin_answer_kind kind)
{
	for (int nth = 1; nth < 10000; nth++) {
		_cleanup_(plugin_answer_freep) struct plugin_answer *answer = NULL;
		bool failed;

		allocator_fail(nth);
		answer = plugin_step_run(step);
		failed = allocator_failed();
		if (failed && answer)
			fail_msg("allocation %d failed, and the answer is %s: %s", nth,
				 plugin_answer_name(answer->kind), answer->fault ? answer->fault : "");
		if (failed)
			continue;
		assert_non_null(answer);
		assert_int_equal(answer->kind, kind);
		assert_true(nth > 5);
		return;
	}
	fail_msg("it never ends");
}

static void an_order_without_memory_is_no_order(void **state)
{
	struct plugin_step step = fixture_step(
		account, PLUGIN_VERB_START,
		"{\"model\":\"m\",\"parameters\":{\"prompt\":\"p\",\"duration_ms\":5500,\"audio\":\"off\",\"media\":"
		"[{\"kind\":\"image\",\"role\":\"first_frame\",\"url\":\"https://i.example/a.png\"}],"
		"\"extras\":{\"style\":\"film\",\"camera\":{\"pan\":3}}}}");

	(void)state;
	fails_whole_or_answers(&step, PLUGIN_ANSWER_EXCHANGE);
}

static void a_poll_without_memory_is_no_poll(void **state)
{
	struct plugin_step step = fixture_step(account, PLUGIN_VERB_POLL, "{}");

	(void)state;
	step.state = bytes_of_text("{\"id\":\"a b\"}");
	fails_whole_or_answers(&step, PLUGIN_ANSWER_EXCHANGE);
	step.state = bytes_of_text("{\"id\":\"a\",\"status_url\":\"//api.toy.example/x?y=1\"}");
	fails_whole_or_answers(&step, PLUGIN_ANSWER_EXCHANGE);
}

static void a_reply_without_memory_is_read_again_later(void **state)
{
	static const struct plugin_header headers[] = {{"X-Request-Id", "r", false}, {"x-request-id", "s", false}};
	struct plugin_reply reply = {.status = 200, .headers = headers, .n_headers = 2, .retry_after_ms = -1};
	struct plugin_step step = fixture_step(account, PLUGIN_VERB_POLL, "{}");

	(void)state;
	step.phase = 1;
	step.reply = &reply;
	reply.body = bytes_of_text("{\"status\":\"done\",\"url\":\"/v.mp4\",\"auth\":\"query\",\"cost\":1}");
	fails_whole_or_answers(&step, PLUGIN_ANSWER_DONE);
	reply.body = bytes_of_text("{\"status\":\"failed\",\"message\":\"no\"}");
	fails_whole_or_answers(&step, PLUGIN_ANSWER_FAILED);
	step.verb = PLUGIN_VERB_RECONCILE;
	reply.body = bytes_of_text("{\"clips\":[{\"id\":\"1\"}]}");
	fails_whole_or_answers(&step, PLUGIN_ANSWER_ACCEPTED);
	step.verb = PLUGIN_VERB_ACCOUNT;
	reply.body = bytes_of_text("{\"balance\":41.20,\"currency\":\"USD\"}");
	fails_whole_or_answers(&step, PLUGIN_ANSWER_REPORT);
}

static void an_account_without_memory_is_none(void **state)
{
	static const struct plugin_secret secrets[] = {{"api_key", API_KEY}};
	static const char *const origins[] = {"https://other.example", "https://third.example:8443"};
	struct plugin_account_spec spec = {.id = "mine",
					   .secrets = secrets,
					   .n_secrets = 1,
					   .origins = origins,
					   .n_origins = 2,
					   .options = bytes_of_text("{\"fast\":true}")};

	(void)state;
	for (int nth = 1;; nth++) {
		struct plugin_account *other = NULL;
		struct errmsg error = {0};
		int r;

		allocator_fail(nth);
		r = plugin_account_new(toy, &spec, &other, &error);
		if (!allocator_failed()) {
			assert_int_equal(r, 0);
			plugin_account_free(other);
			assert_true(nth > 5);
			return;
		}
		assert_int_equal(r, -ENOMEM);
		assert_null(other);
	}
}

static void a_manifest_without_memory_is_none(void **state)
{
	const char *text = plugin_manifest(toy)->text;

	(void)state;
	for (int nth = 1;; nth++) {
		struct plugin_manifest *manifest = NULL;
		struct errmsg error = {0};
		int r;

		allocator_fail(nth);
		r = plugin_manifest_parse(bytes_of_text(text), &manifest, &error);
		if (!allocator_failed()) {
			assert_int_equal(r, 0);
			plugin_manifest_free(manifest);
			assert_true(nth > 5);
			return;
		}
		assert_int_equal(r, -ENOMEM);
		assert_null(manifest);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_order_without_memory_is_no_order),
		cmocka_unit_test(a_poll_without_memory_is_no_poll),
		cmocka_unit_test(a_reply_without_memory_is_read_again_later),
		cmocka_unit_test(an_account_without_memory_is_none),
		cmocka_unit_test(a_manifest_without_memory_is_none),
	};

	return cmocka_run_group_tests(tests, load, unload);
}
