#include "heygen/rig.h"

#include "base/err.h"

#define MINUTE_MS 60000
#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

static struct plugin_answer *poll(const char *state, int status, const char *body)
{
	return rig_reply(PLUGIN_VERB_POLL, state, status, body);
}

static void a_poll_asks_for_the_video_and_changes_nothing(void **state)
{
	_cleanup_(plugin_answer_freep) struct plugin_answer *answer = NULL;

	(void)state;
	rig.remote_id = "v/1 ?";
	answer = rig_begin(PLUGIN_VERB_POLL, "{}", NULL);
	assert_int_equal(answer->kind, PLUGIN_ANSWER_EXCHANGE);
	assert_int_equal(answer->exchange.effect, PLUGIN_EFFECT_SAFE);
	assert_string_equal(answer->exchange.method, "GET");
	assert_string_equal(answer->exchange.url, "http://127.0.0.1:9/v3/videos/v%2F1%20%3F");
	assert_non_null(rig_header(answer, "X-Api-Key"));
	assert_null(rig_header(answer, "Idempotency-Key"));
	assert_null(answer->state);
}

static void the_state_says_below_which_path_a_video_is(void **state)
{
	static const char *const rows[][2] = {
		{"{}", "http://127.0.0.1:9/v3/videos/v_1"},
		/* Begun by a plugin that wrote states of version 1. */
		{"{\"title\":\"t\",\"missing_since_ms\":5}", "http://127.0.0.1:9/v3/videos/v_1"},
		{"{\"title\":\"\",\"path\":\"/v3/videos\"}", "http://127.0.0.1:9/v3/videos/v_1"},
		{"{\"title\":\"\",\"path\":\"/v3/models/videos\"}", "http://127.0.0.1:9/v3/models/videos/v_1"},
	};

	(void)state;
	assert_true(plugin_manifest_reads_state(plugin_manifest(rig.plugin), 1));
	assert_int_equal(plugin_manifest(rig.plugin)->state_version, 2);
	for (size_t i = 0; i < COUNT(rows); i++) {
		_cleanup_(plugin_answer_freep) struct plugin_answer *answer = rig_begin(PLUGIN_VERB_POLL, "{}",
											rows[i][0]);

		assert_string_equal(answer->exchange.url, rows[i][1]);
		assert_null(answer->state);
	}
}

#define GENERATION "{\"title\":\"\",\"path\":\"/v3/models/videos\"}"

static void a_generated_video_has_its_own_words(void **state)
{
	static const struct {
		const char *data;
		enum plugin_answer_kind kind;
		enum plugin_reason reason;
	} rows[] = {
		{"\"status\":\"pending\"", PLUGIN_ANSWER_WAIT, PLUGIN_REASON_UNKNOWN},
		{"\"status\":\"processing\"", PLUGIN_ANSWER_WAIT, PLUGIN_REASON_UNKNOWN},
		{"\"status\":\"dreaming\"", PLUGIN_ANSWER_WAIT, PLUGIN_REASON_UNKNOWN},
		{"\"status\":\"completed\",\"video_url\":null", PLUGIN_ANSWER_WAIT, PLUGIN_REASON_UNKNOWN},
		{"\"status\":\"completed\",\"video_url\":\"https://resource2.heygen.ai/v.mp4\",\"duration\":5.042",
		 PLUGIN_ANSWER_DONE, PLUGIN_REASON_UNKNOWN},
		{"\"status\":\"failed\",\"failure_code\":\"generation_failed\"", PLUGIN_ANSWER_FAILED,
		 PLUGIN_REASON_PROVIDER_FAULT},
		{"\"status\":\"failed\",\"failure_code\":\"content_policy_violation\"", PLUGIN_ANSWER_FAILED,
		 PLUGIN_REASON_MODERATED},
		{"\"status\":\"cancelled\",\"failure_code\":\"generation_failed\"", PLUGIN_ANSWER_FAILED,
		 PLUGIN_REASON_CANCELLED},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		_cleanup_(plugin_answer_freep) struct plugin_answer *answer = NULL;
		char body[300];

		snprintf(body, sizeof(body), "{\"data\":{%s}}", rows[i].data);
		answer = poll(GENERATION, 200, body);
		if (answer->kind != rows[i].kind || answer->failure.reason != rows[i].reason)
			fail_msg("%s gave %s", body, plugin_answer_name(answer->kind));
		if (i == 2)
			assert_string_equal(answer->wait.status, "dreaming");
	}
}

static void every_word_that_is_no_end_keeps_polling_and_is_shown(void **state)
{
	static const struct {
		const char *word;
		enum plugin_stage stage;
	} rows[] = {
		{"pending", PLUGIN_STAGE_QUEUED},     {"waiting", PLUGIN_STAGE_QUEUED},
		{"processing", PLUGIN_STAGE_RUNNING}, {"dreaming", PLUGIN_STAGE_UNKNOWN},
		{"draft", PLUGIN_STAGE_UNKNOWN},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		_cleanup_(plugin_answer_freep) struct plugin_answer *answer = NULL;
		char body[100];

		snprintf(body, sizeof(body), "{\"data\":{\"id\":\"v_1\",\"status\":\"%s\"}}", rows[i].word);
		answer = poll(NULL, 200, body);
		assert_int_equal(answer->kind, PLUGIN_ANSWER_WAIT);
		assert_int_equal(answer->wait.stage, rows[i].stage);
		assert_string_equal(answer->wait.status, rows[i].word);
		assert_int_equal(answer->wait.progress_permille, -1);
	}
}

static void a_finished_video_is_one_output_without_credential(void **state)
{
	_cleanup_(plugin_answer_freep) struct plugin_answer *answer = poll(
		NULL, 200,
		"{\"data\":{\"id\":\"v_1\",\"status\":\"completed\",\"duration\":4.2,"
		"\"video_url\":\"https://files.heygen.ai/v.mp4?a=1\","
		"\"thumbnail_url\":null,\"subtitle_url\":\"\"}}");

	(void)state;
	assert_int_equal(answer->kind, PLUGIN_ANSWER_DONE);
	assert_int_equal(answer->done.n_outputs, 1);
	assert_string_equal(answer->done.outputs[0].role, "video");
	assert_string_equal(answer->done.outputs[0].url, "https://files.heygen.ai/v.mp4?a=1");
	assert_int_equal(answer->done.outputs[0].n_headers, 0);
	assert_int_equal(answer->done.outputs[0].expires_at_ms, 0);
	assert_int_equal(answer->done.n_missing, 0);
}

#define FINISHED(more) "{\"data\":{\"status\":\"completed\",\"video_url\":\"https://files.heygen.ai/v.mp4\"" more "}}"
#define CAPTIONED                                                                        \
	",\"captioned_video_url\":\"https://files.heygen.ai/c.mp4?Expires=1795000600\"," \
	"\"subtitle_url\":\"https://files.heygen.ai/s.srt\""

static void assert_roles(const struct plugin_answer *answer, const char *const *roles)
{
	size_t n = 0;

	assert_int_equal(answer->kind, PLUGIN_ANSWER_DONE);
	for (; roles[n]; n++) {
		assert_true(n < answer->done.n_outputs);
		assert_string_equal(answer->done.outputs[n].role, roles[n]);
	}
	assert_int_equal(answer->done.n_outputs, n);
}

static void what_comes_beside_a_video_has_its_role(void **state)
{
	static const char *const roles[] = {"video", "captioned_video", "subtitles", "thumbnail", "preview", NULL};
	_cleanup_(plugin_answer_freep) struct plugin_answer *answer = poll(
		NULL, 200,
		FINISHED(CAPTIONED ",\"thumbnail_url\":\"https://files.heygen.ai/t.jpg\","
				   "\"gif_url\":\"https://files.heygen.ai/g.gif\""));

	(void)state;
	assert_roles(answer, roles);
	assert_string_equal(answer->done.outputs[1].url, "https://files.heygen.ai/c.mp4?Expires=1795000600");
	assert_int_equal(answer->done.outputs[1].expires_at_ms, INT64_C(1795000600000));
	for (size_t i = 0; i < answer->done.n_outputs; i++)
		assert_int_equal(answer->done.outputs[i].n_headers, 0);
}

#define SPEAKS "\"avatar_id\":\"a\",\"script\":{\"text\":\"hi\"}"

/* What nobody ordered is taken as it comes, and what was ordered is worth some waiting. */
static void captions_that_were_ordered_are_waited_for(void **state)
{
	static const char *const orders[] = {SPEAKS ",\"extras\":{\"caption\":{}}",
					     SPEAKS ",\"extras\":{\"caption\":{\"style\":\"default\"}}"};
	static const char *const all[] = {"video", "captioned_video", "subtitles", NULL};

	(void)state;
	for (size_t i = 0; i < COUNT(orders); i++) {
		_cleanup_(plugin_answer_freep) struct plugin_answer *early = NULL;
		_cleanup_(plugin_answer_freep) struct plugin_answer *later = NULL;

		rig.parameters = orders[i];
		early = poll("{}", 200, FINISHED(""));
		assert_int_equal(early->kind, PLUGIN_ANSWER_WAIT);
		assert_string_equal(early->wait.status, "completed");
		rig_assert_json(early->state, "{\"finished_since_ms\":1795000000000}");
		rig.now_ms = RIG_NOW_MS + MINUTE_MS;
		later = poll(early->state, 200, FINISHED(CAPTIONED));
		rig.now_ms = RIG_NOW_MS;
		assert_roles(later, all);
		assert_int_equal(later->done.n_missing, 0);
	}
}

static void captions_that_never_come_are_missing(void **state)
{
	static const struct {
		const char *order, *more;
		const char *missing[3];
	} rows[] = {
		{SPEAKS ",\"extras\":{\"caption\":{}}", "", {"subtitles"}},
		{SPEAKS ",\"extras\":{\"caption\":{\"style\":\"default\"}}", "", {"captioned_video", "subtitles"}},
		{SPEAKS ",\"extras\":{\"caption\":{\"style\":\"default\"}}",
		 ",\"subtitle_url\":\"https://files.heygen.ai/s.srt\"",
		 {"captioned_video"}},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		_cleanup_(plugin_answer_freep) struct plugin_answer *waiting = NULL;
		_cleanup_(plugin_answer_freep) struct plugin_answer *answer = NULL;
		char body[300];
		size_t n = 0;

		snprintf(body, sizeof(body), FINISHED("%s"), rows[i].more);
		rig.parameters = rows[i].order;
		rig.now_ms = RIG_NOW_MS + 10 * MINUTE_MS - 1;
		waiting = poll("{\"finished_since_ms\":1795000000000}", 200, body);
		assert_int_equal(waiting->kind, PLUGIN_ANSWER_WAIT);
		rig.now_ms++;
		answer = poll("{\"finished_since_ms\":1795000000000}", 200, body);
		assert_int_equal(answer->kind, PLUGIN_ANSWER_DONE);
		assert_string_equal(answer->done.outputs[0].role, "video");
		for (; rows[i].missing[n]; n++)
			assert_string_equal(answer->done.missing[n].role, rows[i].missing[n]);
		assert_int_equal(answer->done.n_missing, n);
	}
}

static void a_link_says_when_it_expires(void **state)
{
	static const struct {
		const char *query;
		int64_t expires_at_ms;
	} rows[] = {
		{"Expires=1795000600&Signature=x", INT64_C(1795000600000)},
		{"Expires=soon", 0},
		{"Expires=99999999999999", 0},
		{"Expires=-5", 0},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		_cleanup_(plugin_answer_freep) struct plugin_answer *answer = NULL;
		char body[200];

		snprintf(body, sizeof(body),
			 "{\"data\":{\"status\":\"completed\",\"video_url\":\"https://files2.heygen.ai/v.mp4?%s\"}}",
			 rows[i].query);
		answer = poll(NULL, 200, body);
		assert_int_equal(answer->done.outputs[0].expires_at_ms, rows[i].expires_at_ms);
	}
}

static void a_link_that_lags_is_waited_for(void **state)
{
	static const char *const bodies[] = {
		"{\"data\":{\"status\":\"completed\"}}",
		"{\"data\":{\"status\":\"completed\",\"video_url\":null}}",
		"{\"data\":{\"status\":\"completed\",\"video_url\":\"\"}}",
		"{\"data\":{\"status\":\"completed\",\"video_url\":\"ftp://a.example/v.mp4\"}}",
		"{\"data\":{\"status\":\"completed\",\"video_url\":7}}",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(bodies); i++) {
		_cleanup_(plugin_answer_freep) struct plugin_answer *answer = poll(NULL, 200, bodies[i]);

		assert_int_equal(answer->kind, PLUGIN_ANSWER_WAIT);
		assert_string_equal(answer->wait.status, "completed");
	}
}

static void a_link_in_the_clear_is_no_link_beside_an_encrypted_api(void **state)
{
	static const char body[] =
		"{\"data\":{\"status\":\"completed\",\"video_url\":\"http://files.heygen.ai/v.mp4\"}}";
	_cleanup_(plugin_answer_freep) struct plugin_answer *simulated = poll(NULL, 200, body);
	_cleanup_(plugin_answer_freep) struct plugin_answer *real = NULL;

	(void)state;
	assert_int_equal(simulated->kind, PLUGIN_ANSWER_DONE);
	rig.is_encrypted = true;
	real = poll(NULL, 200, body);
	assert_int_equal(real->kind, PLUGIN_ANSWER_WAIT);
}

static void a_failed_video_ends_the_job_with_its_reason(void **state)
{
	static const struct {
		const char *members;
		enum plugin_reason reason;
		enum plugin_bought bought;
		const char *code;
	} rows[] = {
#define ROW(members, reason, bought, code) {members, PLUGIN_REASON_##reason, PLUGIN_BOUGHT_##bought, code}
#define CODE(code, reason, bought) ROW("\"failure_code\":\"" code "\"", reason, bought, code)
		CODE("script_too_long", INVALID_INPUT, UNKNOWN),
		CODE("content_policy_violation", MODERATED, UNKNOWN),
		CODE("insufficient_credit", NO_CREDIT, NONE),
		CODE("MOVIO_PAYMENT_INSUFFICIENT_CREDIT", NO_CREDIT, NONE),
		CODE("IMAGE_MODERATION_REJECTED", MODERATED, UNKNOWN),
		CODE("plan_upgrade_required", NO_CREDIT, NONE),
		CODE("MOVIO_SUBSCRIPTION_EXPIRED", NO_CREDIT, NONE),
		CODE("quota_exceeded", QUOTA, UNKNOWN),
		CODE("QUOTA_EXCEEDED", QUOTA, UNKNOWN),
		CODE("CONTENT_POLICY_VIOLATION", MODERATED, UNKNOWN),
		CODE("insufficient_api_key_scope", AUTH, UNKNOWN),
		CODE("AVATAR_NOT_FOUND", INVALID_INPUT, UNKNOWN),
		CODE("PHOTO_AVATAR_IN_TRAINING", INVALID_INPUT, UNKNOWN),
		CODE("internal_error", PROVIDER_FAULT, UNKNOWN),
		CODE("rate_limit_exceeded", PROVIDER_FAULT, UNKNOWN),
		CODE("generation_failed", PROVIDER_FAULT, UNKNOWN),
		ROW("\"failure_code\":402007", MODERATED, UNKNOWN, "402007"),
		ROW("\"failure_code\":null,\"failure_message\":null", PROVIDER_FAULT, UNKNOWN, ""),
		ROW("\"failure_message\":\"Blocked by moderation\"", MODERATED, UNKNOWN, ""),
		ROW("\"id\":\"v_1\"", PROVIDER_FAULT, UNKNOWN, ""),
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		_cleanup_(plugin_answer_freep) struct plugin_answer *answer = NULL;
		char body[300];

		snprintf(body, sizeof(body), "{\"data\":{\"status\":\"failed\",%s}}", rows[i].members);
		answer = poll(NULL, 200, body);
		rig_assert_failure(answer, PLUGIN_ANSWER_FAILED, rows[i].reason, rows[i].bought);
		assert_string_equal(answer->failure.code, rows[i].code);
		assert_string_equal(answer->failure.request_id, "req-7");
	}
}

static void a_video_cancelled_there_is_cancelled(void **state)
{
	_cleanup_(plugin_answer_freep) struct plugin_answer *answer = poll(NULL, 200,
									   "{\"data\":{\"status\":\"cancelled\"}}");

	(void)state;
	rig_assert_failure(answer, PLUGIN_ANSWER_FAILED, PLUGIN_REASON_CANCELLED, PLUGIN_BOUGHT_UNKNOWN);
}

static void a_reply_without_a_status_is_only_trouble(void **state)
{
	static const struct {
		int status;
		enum plugin_reason reason;
		const char *body;
	} rows[] = {
		{200, PLUGIN_REASON_UNAVAILABLE, ""},
		{200, PLUGIN_REASON_UNAVAILABLE, "<html>ok</html>"},
		{200, PLUGIN_REASON_UNAVAILABLE, "{\"data\":{\"status\":\"compl"},
		{200, PLUGIN_REASON_UNAVAILABLE, "{\"data\":{}}"},
		{200, PLUGIN_REASON_UNAVAILABLE, "{\"data\":[1]}"},
		{200, PLUGIN_REASON_NO_CREDIT, "{\"data\":null,\"error\":{\"code\":\"trial_video_limit_exceeded\"}}"},
		{401, PLUGIN_REASON_AUTH, "{\"error\":{\"code\":\"unauthorized\"}}"},
		{402, PLUGIN_REASON_NO_CREDIT, "{\"error\":{\"code\":\"insufficient_credit\"}}"},
		{403, PLUGIN_REASON_AUTH, "<html>403</html>"},
		{429, PLUGIN_REASON_RATE_LIMITED, "{\"error\":{\"code\":\"rate_limit_exceeded\"}}"},
		{500, PLUGIN_REASON_UNAVAILABLE, "{\"error\":{\"code\":\"internal_error\"}}"},
		{502, PLUGIN_REASON_UNAVAILABLE, "<html>502</html>"},
		{500, PLUGIN_REASON_UNAVAILABLE, "{\"data\":{\"status\":\"failed\"}}"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		_cleanup_(plugin_answer_freep) struct plugin_answer *answer = poll(NULL, rows[i].status, rows[i].body);

		rig_assert_failure(answer, PLUGIN_ANSWER_TROUBLE, rows[i].reason, PLUGIN_BOUGHT_UNKNOWN);
	}
}

#define NOT_FOUND "{\"error\":{\"code\":\"video_not_found\",\"message\":\"none\"}}"

static void a_video_is_lost_only_when_it_stays_unknown(void **state)
{
	_cleanup_(freep) char *kept = NULL;

	(void)state;
	for (int minute = 0; minute <= 10; minute++) {
		_cleanup_(plugin_answer_freep) struct plugin_answer *answer = NULL;

		rig.now_ms = RIG_NOW_MS + minute * MINUTE_MS;
		answer = poll(kept, 404, NOT_FOUND);
		if (minute < 10)
			rig_assert_failure(answer, PLUGIN_ANSWER_TROUBLE, PLUGIN_REASON_NOT_FOUND,
					   PLUGIN_BOUGHT_UNKNOWN);
		else
			rig_assert_failure(answer, PLUGIN_ANSWER_FAILED, PLUGIN_REASON_LOST, PLUGIN_BOUGHT_UNKNOWN);
		if (answer->state) {
			assert_int_equal(minute, 0);
			kept = strdup(answer->state);
		}
	}
	assert_non_null(kept);
}

static void a_video_that_is_found_again_is_not_lost(void **state)
{
	_cleanup_(plugin_answer_freep) struct plugin_answer *missing = poll("{\"title\":\"t\"}", 404, NOT_FOUND);
	_cleanup_(plugin_answer_freep) struct plugin_answer *found = NULL;
	_cleanup_(plugin_answer_freep) struct plugin_answer *again = NULL;

	(void)state;
	assert_non_null(missing->state);
	rig.now_ms += 9 * MINUTE_MS;
	found = poll(missing->state, 200, "{\"data\":{\"status\":\"processing\"}}");
	assert_int_equal(found->kind, PLUGIN_ANSWER_WAIT);
	assert_non_null(found->state);
	rig_assert_json(found->state, "{\"title\":\"t\",\"missing_since_ms\":0}");
	rig.now_ms += 9 * MINUTE_MS;
	again = poll(found->state, 404, NOT_FOUND);
	rig_assert_failure(again, PLUGIN_ANSWER_TROUBLE, PLUGIN_REASON_NOT_FOUND, PLUGIN_BOUGHT_UNKNOWN);
}

static void a_clock_that_goes_back_begins_the_waiting_again(void **state)
{
	_cleanup_(plugin_answer_freep) struct plugin_answer *missing = poll(NULL, 404, NOT_FOUND);
	_cleanup_(plugin_answer_freep) struct plugin_answer *earlier = NULL;

	(void)state;
	rig.now_ms -= 60 * MINUTE_MS;
	earlier = poll(missing->state, 404, NOT_FOUND);
	rig_assert_failure(earlier, PLUGIN_ANSWER_TROUBLE, PLUGIN_REASON_NOT_FOUND, PLUGIN_BOUGHT_UNKNOWN);
	rig_assert_json(earlier->state, "{\"missing_since_ms\":1794996400000}");
}

static void a_gateways_404_never_loses_a_video(void **state)
{
	_cleanup_(plugin_answer_freep) struct plugin_answer *answer = poll("{\"missing_since_ms\":1000}", 404,
									   "<html>nginx</html>");

	(void)state;
	rig_assert_failure(answer, PLUGIN_ANSWER_TROUBLE, PLUGIN_REASON_PROVIDER_FAULT, PLUGIN_BOUGHT_UNKNOWN);
}

static void a_steady_poll_does_not_write_its_state_again(void **state)
{
	_cleanup_(plugin_answer_freep) struct plugin_answer *answer = poll("{\"title\":\"\"}", 200,
									   "{\"data\":{\"status\":\"processing\"}}");

	(void)state;
	assert_null(answer->state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_poll_asks_for_the_video_and_changes_nothing, rig_reset),
		cmocka_unit_test_setup(the_state_says_below_which_path_a_video_is, rig_reset),
		cmocka_unit_test_setup(a_generated_video_has_its_own_words, rig_reset),
		cmocka_unit_test_setup(every_word_that_is_no_end_keeps_polling_and_is_shown, rig_reset),
		cmocka_unit_test_setup(a_finished_video_is_one_output_without_credential, rig_reset),
		cmocka_unit_test_setup(what_comes_beside_a_video_has_its_role, rig_reset),
		cmocka_unit_test_setup(captions_that_were_ordered_are_waited_for, rig_reset),
		cmocka_unit_test_setup(captions_that_never_come_are_missing, rig_reset),
		cmocka_unit_test_setup(a_link_says_when_it_expires, rig_reset),
		cmocka_unit_test_setup(a_link_that_lags_is_waited_for, rig_reset),
		cmocka_unit_test_setup(a_link_in_the_clear_is_no_link_beside_an_encrypted_api, rig_reset),
		cmocka_unit_test_setup(a_failed_video_ends_the_job_with_its_reason, rig_reset),
		cmocka_unit_test_setup(a_video_cancelled_there_is_cancelled, rig_reset),
		cmocka_unit_test_setup(a_reply_without_a_status_is_only_trouble, rig_reset),
		cmocka_unit_test_setup(a_video_is_lost_only_when_it_stays_unknown, rig_reset),
		cmocka_unit_test_setup(a_video_that_is_found_again_is_not_lost, rig_reset),
		cmocka_unit_test_setup(a_clock_that_goes_back_begins_the_waiting_again, rig_reset),
		cmocka_unit_test_setup(a_gateways_404_never_loses_a_video, rig_reset),
		cmocka_unit_test_setup(a_steady_poll_does_not_write_its_state_again, rig_reset),
	};

	return cmocka_run_group_tests_name("heygen.poll", tests, rig_set_up, rig_tear_down);
}
