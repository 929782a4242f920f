/* How a bought video is doing: nothing but the provider's own word ends it. */
#include "openai_videos/rig.h"

#include "base/err.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))
#define UNKNOWN_VIDEO "{\"error\":{\"message\":\"Resource not found\",\"code\":404}}"

static struct plugin_answer *poll(const char *body)
{
	return rig_reply(PLUGIN_VERB_POLL, NULL, 200, body);
}

static void states_and_progress_are_passed_on(void **state)
{
	static const struct {
		const char *body;
		enum plugin_stage stage;
		int permille;
	} rows[] = {
		{"{\"status\":\"queued\",\"progress\":0}", PLUGIN_STAGE_QUEUED, -1},
		{"{\"status\":\"pending\"}", PLUGIN_STAGE_QUEUED, -1},
		{"{\"status\":\"in_progress\",\"progress\":33}", PLUGIN_STAGE_RUNNING, 330},
		{"{\"status\":\"in_progress\",\"progress\":45.5}", PLUGIN_STAGE_RUNNING, 455},
		{"{\"status\":\"processing\",\"progress\":101}", PLUGIN_STAGE_RUNNING, -1},
		{"{\"status\":\"in_progress\",\"progress\":null}", PLUGIN_STAGE_RUNNING, -1},
		{"{\"status\":\"dreaming\"}", PLUGIN_STAGE_UNKNOWN, -1},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		_cleanup_(plugin_answer_freep) struct plugin_answer *answer = poll(rows[i].body);

		assert_int_equal(answer->kind, PLUGIN_ANSWER_WAIT);
		assert_int_equal(answer->wait.stage, rows[i].stage);
		assert_int_equal(answer->wait.progress_permille, rows[i].permille);
	}
}

static void a_finished_video_is_fetched_with_the_key(void **state)
{
	_cleanup_(plugin_answer_freep) struct plugin_answer *answer = poll(
		"{\"id\":\"" RIG_ID "\",\"status\":\"completed\",\"expires_at\":1795003600}");

	(void)state;
	assert_int_equal(answer->kind, PLUGIN_ANSWER_DONE);
	assert_int_equal(answer->done.n_outputs, 1);
	assert_string_equal(answer->done.outputs[0].url, RIG_BASE "/videos/" RIG_ID "/content");
	assert_string_equal(answer->done.outputs[0].headers[0].value, "Bearer " RIG_KEY);
	assert_int_equal(answer->done.outputs[0].expires_at_ms, INT64_C(1795003600000));
}

static void variants_are_fetched_where_the_operator_wants_them(void **state)
{
	struct plugin_account *account = rig_open("\"model\":\"m\",\"thumbnail\":true,\"spritesheet\":true");
	struct plugin_answer *answer;

	(void)state;
	rig.account = account;
	answer = poll("{\"status\":\"completed\"}");
	assert_int_equal(answer->done.n_outputs, 3);
	assert_string_equal(answer->done.outputs[1].role, "thumbnail");
	assert_string_equal(answer->done.outputs[1].url, RIG_BASE "/videos/" RIG_ID "/content?variant=thumbnail");
	assert_string_equal(answer->done.outputs[2].role, "preview");
	assert_string_equal(answer->done.outputs[2].url, RIG_BASE "/videos/" RIG_ID "/content?variant=spritesheet");
	plugin_answer_free(answer);
	plugin_account_free(account);
}

static void named_results_get_the_key_below_the_base_url_alone(void **state)
{
	_cleanup_(plugin_answer_freep) struct plugin_answer *answer = NULL;

	(void)state;
	rig.account = rig.openrouter;
	answer = poll("{\"status\":\"completed\",\"unsigned_urls\":[\"https://storage.test/v.mp4\",\"" RIG_BASE
		      "/videos/" RIG_ID "/content?index=1\",\"http://127.0.0.1:9/api/v11/steal\"],\"usage\":{\"cost\":"
		      "0.1234567}}");
	assert_int_equal(answer->kind, PLUGIN_ANSWER_DONE);
	assert_int_equal(answer->done.n_outputs, 3);
	assert_int_equal(answer->done.outputs[0].n_headers, 0);
	assert_int_equal(answer->done.outputs[1].n_headers, 1);
	assert_int_equal(answer->done.outputs[2].n_headers, 0);
	assert_int_equal(answer->done.cost.amount_micros, 123457);
	assert_string_equal(answer->done.cost.currency, "USD");
}

static void an_end_without_a_video_has_its_reason(void **state)
{
	static const struct {
		const char *body;
		enum plugin_reason reason;
		enum plugin_bought bought;
	} rows[] = {
		{"{\"status\":\"failed\",\"error\":{\"code\":\"moderation_blocked\",\"message\":\"no\"}}",
		 PLUGIN_REASON_MODERATED, PLUGIN_BOUGHT_UNKNOWN},
		{"{\"status\":\"failed\",\"error\":{\"code\":\"server_error\",\"message\":\"oh\"}}",
		 PLUGIN_REASON_PROVIDER_FAULT, PLUGIN_BOUGHT_UNKNOWN},
		{"{\"status\":\"failed\",\"error\":\"model crashed\"}", PLUGIN_REASON_PROVIDER_FAULT,
		 PLUGIN_BOUGHT_UNKNOWN},
		{"{\"status\":\"failed\",\"error\":null}", PLUGIN_REASON_PROVIDER_FAULT, PLUGIN_BOUGHT_UNKNOWN},
		{"{\"status\":\"cancelled\"}", PLUGIN_REASON_CANCELLED, PLUGIN_BOUGHT_UNKNOWN},
		{"{\"status\":\"expired\"}", PLUGIN_REASON_TIMEOUT, PLUGIN_BOUGHT_UNKNOWN},
		{"{\"status\":\"completed\",\"expires_at\":1794999999}", PLUGIN_REASON_LOST, PLUGIN_BOUGHT_MADE},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		_cleanup_(plugin_answer_freep) struct plugin_answer *answer = poll(rows[i].body);

		rig_assert_failure(answer, PLUGIN_ANSWER_FAILED, rows[i].reason, rows[i].bought);
	}
}

static void a_polling_url_is_followed_on_its_own_host_only(void **state)
{
	static const struct {
		const char *url, *asked;
	} rows[] = {
		{"/api/v1/videos/other-path", "http://127.0.0.1:9/api/v1/videos/other-path"},
		{RIG_BASE "/jobs/1", RIG_BASE "/jobs/1"},
		{"https://evil.test/steal", RIG_BASE "/videos/" RIG_ID},
		{"//evil.test/steal", RIG_BASE "/videos/" RIG_ID},
		{"http://127.0.0.1:9@evil.test/", RIG_BASE "/videos/" RIG_ID},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		char body[300];
		struct plugin_answer *accepted, *answer;

		snprintf(body, sizeof(body), "{\"id\":\"" RIG_ID "\",\"status\":\"pending\",\"polling_url\":\"%s\"}",
			 rows[i].url);
		accepted = rig_reply(PLUGIN_VERB_START, NULL, 202, body);
		assert_int_equal(accepted->kind, PLUGIN_ANSWER_ACCEPTED);
		answer = rig_resume(PLUGIN_VERB_POLL, accepted->state);
		assert_int_equal(answer->kind, PLUGIN_ANSWER_EXCHANGE);
		assert_string_equal(answer->exchange.url, rows[i].asked);
		plugin_answer_free(answer);
		plugin_answer_free(accepted);
	}
}

static void no_exchange_that_fails_ends_a_paid_job(void **state)
{
	static const int statuses[] = {400, 401, 402, 403, 408, 429, 500, 502, 503};

	(void)state;
	for (size_t i = 0; i < COUNT(statuses); i++) {
		_cleanup_(plugin_answer_freep) struct plugin_answer *answer = rig_reply(
			PLUGIN_VERB_POLL, NULL, statuses[i], "{\"error\":{\"code\":\"moderation_blocked\"}}");

		assert_int_equal(answer->kind, PLUGIN_ANSWER_TROUBLE);
	}
}

static void a_video_is_lost_when_its_provider_has_said_so_for_long(void **state)
{
	_cleanup_(plugin_answer_freep) struct plugin_answer *first = rig_reply(PLUGIN_VERB_POLL, NULL, 404,
									       UNKNOWN_VIDEO);
	_cleanup_(plugin_answer_freep) struct plugin_answer *last = NULL, *page = NULL;

	(void)state;
	rig_assert_failure(first, PLUGIN_ANSWER_TROUBLE, PLUGIN_REASON_NOT_FOUND, PLUGIN_BOUGHT_UNKNOWN);
	rig.now_ms += 600000;
	page = rig_reply(PLUGIN_VERB_POLL, first->state, 404, "<html>");
	assert_int_equal(page->kind, PLUGIN_ANSWER_TROUBLE);
	last = rig_reply(PLUGIN_VERB_POLL, first->state, 404, UNKNOWN_VIDEO);
	rig_assert_failure(last, PLUGIN_ANSWER_FAILED, PLUGIN_REASON_LOST, PLUGIN_BOUGHT_UNKNOWN);
}

static void deleting_twice_is_deleting(void **state)
{
	static const struct {
		int status;
		const char *body;
		enum plugin_answer_kind kind;
	} rows[] = {
		{200, "{\"id\":\"" RIG_ID "\",\"deleted\":true}", PLUGIN_ANSWER_REPORT},
		{204, "", PLUGIN_ANSWER_REPORT},
		{404, UNKNOWN_VIDEO, PLUGIN_ANSWER_REPORT},
		{404, "<html>", PLUGIN_ANSWER_FAILED},
		{200, "{\"deleted\":false}", PLUGIN_ANSWER_TROUBLE},
		{401, UNKNOWN_VIDEO, PLUGIN_ANSWER_FAILED},
	};
	struct plugin_answer *answer;

	(void)state;
	answer = rig_begin(PLUGIN_VERB_REMOVE, NULL);
	assert_string_equal(answer->exchange.method, "DELETE");
	assert_string_equal(answer->exchange.url, RIG_BASE "/videos/" RIG_ID);
	plugin_answer_free(answer);
	for (size_t i = 0; i < COUNT(rows); i++) {
		answer = rig_reply(PLUGIN_VERB_REMOVE, NULL, rows[i].status, rows[i].body);
		assert_int_equal(answer->kind, rows[i].kind);
		plugin_answer_free(answer);
	}
	rig.account = rig.openrouter;
	answer = rig_begin(PLUGIN_VERB_REMOVE, NULL);
	assert_int_equal(answer->kind, PLUGIN_ANSWER_FAILED);
	plugin_answer_free(answer);
}

static void the_account_is_read_for_free(void **state)
{
	struct plugin_answer *answer;

	(void)state;
	answer = rig_begin(PLUGIN_VERB_ACCOUNT, NULL);
	assert_string_equal(answer->exchange.url, RIG_BASE "/videos?limit=1");
	plugin_answer_free(answer);
	answer = rig_reply(PLUGIN_VERB_ACCOUNT, NULL, 200, "{\"object\":\"list\",\"data\":[]}");
	assert_int_equal(answer->kind, PLUGIN_ANSWER_REPORT);
	plugin_answer_free(answer);
	answer = rig_reply(PLUGIN_VERB_ACCOUNT, NULL, 401, "{\"error\":{\"message\":\"no\"}}");
	rig_assert_failure(answer, PLUGIN_ANSWER_FAILED, PLUGIN_REASON_AUTH, PLUGIN_BOUGHT_NONE);
	plugin_answer_free(answer);
	rig.account = rig.openrouter;
	answer = rig_reply(PLUGIN_VERB_ACCOUNT, NULL, 404, UNKNOWN_VIDEO);
	assert_int_equal(answer->kind, PLUGIN_ANSWER_REPORT);
	plugin_answer_free(answer);
	answer = rig_reply(PLUGIN_VERB_ACCOUNT, NULL, 404, "<html>");
	assert_int_equal(answer->kind, PLUGIN_ANSWER_FAILED);
	plugin_answer_free(answer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(states_and_progress_are_passed_on, rig_reset),
		cmocka_unit_test_setup(a_finished_video_is_fetched_with_the_key, rig_reset),
		cmocka_unit_test_setup(variants_are_fetched_where_the_operator_wants_them, rig_reset),
		cmocka_unit_test_setup(named_results_get_the_key_below_the_base_url_alone, rig_reset),
		cmocka_unit_test_setup(an_end_without_a_video_has_its_reason, rig_reset),
		cmocka_unit_test_setup(a_polling_url_is_followed_on_its_own_host_only, rig_reset),
		cmocka_unit_test_setup(no_exchange_that_fails_ends_a_paid_job, rig_reset),
		cmocka_unit_test_setup(a_video_is_lost_when_its_provider_has_said_so_for_long, rig_reset),
		cmocka_unit_test_setup(deleting_twice_is_deleting, rig_reset),
		cmocka_unit_test_setup(the_account_is_read_for_free, rig_reset),
	};

	return cmocka_run_group_tests_name("openai_videos.poll", tests, rig_set_up, rig_tear_down);
}
