#include "heygen/rig.h"

#include "base/err.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

struct row {
	int status;
	const char *body;
	enum plugin_answer_kind kind;
	enum plugin_reason reason;
};

static void assert_rows(enum plugin_verb verb, const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		_cleanup_(plugin_answer_freep) struct plugin_answer *answer = rig_reply(verb, NULL, rows[i].status,
											rows[i].body);

		if (answer->kind != rows[i].kind || answer->failure.reason != rows[i].reason)
			fail_msg("%d %s gave %s, reason %d", rows[i].status, rows[i].body,
				 plugin_answer_name(answer->kind), (int)answer->failure.reason);
	}
}

static void what_heygen_cannot_do_is_absent(void **state)
{
	(void)state;
	assert_true(plugin_can(rig.plugin, PLUGIN_VERB_START));
	assert_true(plugin_can(rig.plugin, PLUGIN_VERB_POLL));
	assert_true(plugin_can(rig.plugin, PLUGIN_VERB_REMOVE));
	assert_true(plugin_can(rig.plugin, PLUGIN_VERB_ACCOUNT));
	assert_true(plugin_can(rig.plugin, PLUGIN_VERB_CATALOGUE));
	assert_false(plugin_can(rig.plugin, PLUGIN_VERB_CANCEL));
	assert_false(plugin_can(rig.plugin, PLUGIN_VERB_RESULT));
	assert_true(plugin_can(rig.plugin, PLUGIN_VERB_RECONCILE));
}

static void the_key_is_good_for_a_day_on_its_route(void **state)
{
	const struct plugin_manifest *manifest = plugin_manifest(rig.plugin);

	(void)state;
	assert_int_equal(manifest->key_window_ms, 24 * 3600 * 1000);
	assert_int_equal(manifest->key_scope, PLUGIN_SCOPE_ROUTE);
	assert_int_equal(manifest->buys_timeout_ms, 120000);
}

static void a_removal_deletes_and_may_be_repeated(void **state)
{
	_cleanup_(plugin_answer_freep) struct plugin_answer *answer = rig_begin(PLUGIN_VERB_REMOVE, "{}", NULL);

	(void)state;
	assert_int_equal(answer->kind, PLUGIN_ANSWER_EXCHANGE);
	assert_int_equal(answer->exchange.effect, PLUGIN_EFFECT_IDEMPOTENT);
	assert_string_equal(answer->exchange.method, "DELETE");
	assert_string_equal(answer->exchange.url, "http://127.0.0.1:9/v3/videos/v_1");
}

static void a_generated_video_cannot_be_removed(void **state)
{
	_cleanup_(plugin_answer_freep) struct plugin_answer *answer = rig_begin(
		PLUGIN_VERB_REMOVE, "{}", "{\"title\":\"\",\"path\":\"/v3/models/videos\"}");

	(void)state;
	assert_int_equal(answer->kind, PLUGIN_ANSWER_FAILED);
	assert_non_null(strstr(answer->failure.message, "delete the job without it"));
}

static void a_video_that_is_gone_is_removed(void **state)
{
	static const struct {
		int status;
		const char *body;
	} rows[] = {
		{200, "{\"data\":{\"id\":\"v_1\",\"deleted\":true}}"},
		{204, ""},
		{404, "{\"error\":{\"code\":\"video_not_found\",\"message\":\"none\"}}"},
		{404, "{\"error\":{\"code\":\"not_found\"}}"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		_cleanup_(plugin_answer_freep) struct plugin_answer *answer = rig_reply(PLUGIN_VERB_REMOVE, NULL,
											rows[i].status, rows[i].body);

		assert_int_equal(answer->kind, PLUGIN_ANSWER_REPORT);
		rig_assert_json(answer->report, "{\"removed\":true}");
	}
}

static void a_removal_that_is_not_confirmed_is_not_claimed(void **state)
{
	static const struct row rows[] = {
		{200, "", PLUGIN_ANSWER_TROUBLE, PLUGIN_REASON_UNAVAILABLE},
		{200, "<html>ok</html>", PLUGIN_ANSWER_TROUBLE, PLUGIN_REASON_UNAVAILABLE},
		{200, "{\"data\":{\"deleted\":false}}", PLUGIN_ANSWER_TROUBLE, PLUGIN_REASON_UNAVAILABLE},
		{401, "{\"error\":{\"code\":\"unauthorized\"}}", PLUGIN_ANSWER_FAILED, PLUGIN_REASON_AUTH},
		{404, "<html>nginx</html>", PLUGIN_ANSWER_FAILED, PLUGIN_REASON_PROVIDER_FAULT},
		{429, "{\"error\":{\"code\":\"rate_limit_exceeded\"}}", PLUGIN_ANSWER_TROUBLE,
		 PLUGIN_REASON_RATE_LIMITED},
		{503, "{\"error\":{\"code\":\"service_unavailable\"}}", PLUGIN_ANSWER_TROUBLE,
		 PLUGIN_REASON_UNAVAILABLE},
	};

	(void)state;
	assert_rows(PLUGIN_VERB_REMOVE, rows, COUNT(rows));
}

static void an_account_is_read_for_free(void **state)
{
	_cleanup_(plugin_answer_freep) struct plugin_answer *answer = rig_begin(PLUGIN_VERB_ACCOUNT, "{}", NULL);

	(void)state;
	assert_int_equal(answer->kind, PLUGIN_ANSWER_EXCHANGE);
	assert_int_equal(answer->exchange.effect, PLUGIN_EFFECT_SAFE);
	assert_string_equal(answer->exchange.url, "http://127.0.0.1:9/v3/users/me");
	assert_string_equal(rig_header(answer, "X-Api-Key")->value, RIG_SECRET);
}

static void an_account_has_one_of_three_shapes(void **state)
{
	static const char *const rows[][2] = {
		{"{\"data\":{\"username\":\"u\",\"email\":\"u@a.example\",\"billing_type\":\"wallet\","
		 "\"wallet\":{\"currency\":\"usd\",\"remaining_balance\":41.2,\"auto_reload\":{\"enabled\":true}}}}",
		 "{\"balance\":\"41.2 USD\",\"auto_reload\":\"on\",\"account\":\"u@a.example\"}"},
		{"{\"data\":{\"username\":\"u\",\"email\":null,\"subscription\":null,"
		 "\"wallet\":{\"currency\":\"credits\",\"remaining_balance\":7}}}",
		 "{\"balance\":\"7 credits\",\"account\":\"u\"}"},
		{"{\"data\":{\"username\":\"u\",\"billing_type\":\"subscription\",\"subscription\":{\"plan\":\"pro\","
		 "\"credits\":{\"premium_credits\":{\"remaining\":60},\"add_on_credits\":{\"remaining\":5}}}}}",
		 "{\"balance\":\"60 credits\",\"add_on\":\"5 credits\",\"plan\":\"pro\",\"account\":\"u\"}"},
		{"{\"data\":{\"username\":\"u\",\"billing_type\":\"usage_based\",\"usage_based\":{"
		 "\"spending_current_usd\":12.34,\"spending_cap_usd\":100,\"remaining_credits\":null}}}",
		 "{\"spent\":\"12.34 USD\",\"spending_cap\":\"100 USD\",\"account\":\"u\"}"},
		{"{\"data\":{\"username\":\"u\"}}", "{\"account\":\"u\"}"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		_cleanup_(plugin_answer_freep) struct plugin_answer *answer = rig_reply(PLUGIN_VERB_ACCOUNT, NULL, 200,
											rows[i][0]);

		assert_int_equal(answer->kind, PLUGIN_ANSWER_REPORT);
		rig_assert_json(answer->report, rows[i][1]);
	}
}

static void an_account_that_cannot_be_read_says_why(void **state)
{
	static const struct row rows[] = {
		{401, "{\"error\":{\"code\":\"unauthorized\"}}", PLUGIN_ANSWER_FAILED, PLUGIN_REASON_AUTH},
		{403, "{\"error\":{\"code\":\"insufficient_api_key_scope\"}}", PLUGIN_ANSWER_FAILED,
		 PLUGIN_REASON_AUTH},
		{200, "<html>login</html>", PLUGIN_ANSWER_TROUBLE, PLUGIN_REASON_UNAVAILABLE},
		{500, "", PLUGIN_ANSWER_TROUBLE, PLUGIN_REASON_UNAVAILABLE},
		{500, "{\"data\":{\"username\":\"u\"}}", PLUGIN_ANSWER_TROUBLE, PLUGIN_REASON_UNAVAILABLE},
	};

	(void)state;
	assert_rows(PLUGIN_VERB_ACCOUNT, rows, COUNT(rows));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(what_heygen_cannot_do_is_absent, rig_reset),
		cmocka_unit_test_setup(the_key_is_good_for_a_day_on_its_route, rig_reset),
		cmocka_unit_test_setup(a_removal_deletes_and_may_be_repeated, rig_reset),
		cmocka_unit_test_setup(a_generated_video_cannot_be_removed, rig_reset),
		cmocka_unit_test_setup(a_video_that_is_gone_is_removed, rig_reset),
		cmocka_unit_test_setup(a_removal_that_is_not_confirmed_is_not_claimed, rig_reset),
		cmocka_unit_test_setup(an_account_is_read_for_free, rig_reset),
		cmocka_unit_test_setup(an_account_has_one_of_three_shapes, rig_reset),
		cmocka_unit_test_setup(an_account_that_cannot_be_read_says_why, rig_reset),
	};

	return cmocka_run_group_tests_name("heygen.verbs", tests, rig_set_up, rig_tear_down);
}
