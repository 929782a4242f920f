#include "veo/rig.h"

#include "base/err.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))
#define MINUTE_MS 60000
#define DONE(rest) "{\"name\":\"" RIG_OPERATION "\",\"done\":true," rest "}"
#define FILM(n) "{\"gcsUri\":\"gs://bucket/films/0190aa/1 7/sample_" n ".mp4\",\"mimeType\":\"video/mp4\"}"
#define URL(n) \
	"https://storage.googleapis.com/storage/v1/b/bucket/o/films%2F0190aa%2F1%207%2Fsample_" n ".mp4?alt=media"
#define FILTERED "Veo could not generate 1 videos. You will not be charged for this request. Support codes: 42237218"

static struct plugin_answer *poll(int status, const char *body)
{
	return rig_reply(PLUGIN_VERB_POLL, NULL, status, body);
}

static void a_poll_is_a_post_that_changes_nothing(void **state)
{
	_cleanup_(plugin_answer_freep) struct plugin_answer *answer = rig_begin(PLUGIN_VERB_POLL, NULL);

	(void)state;
	assert_int_equal(answer->exchange.effect, PLUGIN_EFFECT_SAFE);
	assert_string_equal(answer->exchange.method, "POST");
	assert_string_equal(answer->exchange.url, RIG_BASE "/v1/" RIG_RESOURCE ":fetchPredictOperation");
	assert_string_equal(rig_header(answer, "Authorization")->value, "Bearer " RIG_TOKEN);
	rig_assert_body(answer, "{\"operationName\":\"" RIG_OPERATION "\"}");
}

/* Options and model may have changed since; the name says where the operation is. */
static void the_operations_name_leads_to_it(void **state)
{
	static const struct {
		const char *name, *url;
	} rows[] = {
		{"projects/other.org:p/locations/eu/publishers/google/models/veo-9/operations/7",
		 RIG_BASE "/v1/projects/other.org%3Ap/locations/eu/publishers/google/models/veo-9"
			  ":fetchPredictOperation"},
		{"operations/gcs-op", RIG_BASE "/v1/" RIG_RESOURCE ":fetchPredictOperation"},
		{"typed by a person", RIG_BASE "/v1/" RIG_RESOURCE ":fetchPredictOperation"},
		{"projects/../operations/7", RIG_BASE "/v1/" RIG_RESOURCE ":fetchPredictOperation"},
		{"projects//operations/7", RIG_BASE "/v1/" RIG_RESOURCE ":fetchPredictOperation"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		_cleanup_(plugin_answer_freep) struct plugin_answer *answer = NULL;

		rig.remote_id = rows[i].name;
		answer = rig_begin(PLUGIN_VERB_POLL, NULL);
		assert_string_equal(answer->exchange.url, rows[i].url);
	}
}

/* An operator may take an option away while a job runs, which is paid for all the same. */
static void without_its_options_a_job_waits_for_the_operator(void **state)
{
	static const struct {
		const char *options, *words;
	} rows[] = {
		{"", "the option 'project' of the provider is not configured"},
		{"\"project\":\"p1\",\"location\":\"\"", "the option 'location' of the provider is empty"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		_cleanup_(plugin_account_freep) struct plugin_account *own = rig_open(RIG_BASE, rows[i].options, true);
		_cleanup_(plugin_answer_freep) struct plugin_answer *named = NULL, *other = NULL;

		rig.account = own;
		named = rig_begin(PLUGIN_VERB_POLL, NULL);
		assert_int_equal(named->kind, PLUGIN_ANSWER_EXCHANGE);
		rig.remote_id = "operations/7";
		other = rig_begin(PLUGIN_VERB_POLL, NULL);
		assert_int_equal(other->kind, PLUGIN_ANSWER_TROUBLE);
		assert_int_equal(other->failure.reason, PLUGIN_REASON_UNAVAILABLE);
		assert_int_equal(other->failure.bought, PLUGIN_BOUGHT_UNKNOWN);
		assert_non_null(strstr(other->failure.message, rows[i].words));
		rig_reset(NULL);
	}
}

static void what_is_not_done_goes_on(void **state)
{
	static const char *const bodies[] = {
		"{\"name\":\"" RIG_OPERATION "\"}",
		"{\"name\":\"" RIG_OPERATION "\",\"done\":false}",
		"{\"name\":\"" RIG_OPERATION "\",\"done\":false,\"metadata\":{\"createTime\":\"x\"}}",
		"{\"name\":\"operations/x\",\"metadata\":{\"createTime\":\"x\"}}",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(bodies); i++) {
		_cleanup_(plugin_answer_freep) struct plugin_answer *answer = poll(200, bodies[i]);

		assert_int_equal(answer->kind, PLUGIN_ANSWER_WAIT);
		assert_int_equal(answer->wait.stage, PLUGIN_STAGE_RUNNING);
		assert_int_equal(answer->wait.progress_permille, -1);
	}
}

static void the_samples_are_read_from_the_bucket_with_the_token(void **state)
{
	static const char *const urls[] = {URL("0"), URL("1"), URL("2"), URL("3")};
	_cleanup_(plugin_answer_freep) struct plugin_answer *answer = NULL;

	(void)state;
	answer = poll(200, DONE("\"response\":{\"raiMediaFilteredCount\":0,\"videos\":[" FILM("0") "," FILM(
				   "1") "," FILM("2") "," FILM("3") "]}"));
	assert_int_equal(answer->kind, PLUGIN_ANSWER_DONE);
	assert_int_equal(answer->done.n_outputs, 4);
	for (size_t i = 0; i < 4; i++) {
		const struct plugin_output *output = &answer->done.outputs[i];

		assert_string_equal(output->role, "video");
		assert_string_equal(output->url, urls[i]);
		assert_int_equal(output->index, i);
		assert_int_equal(output->n_headers, 1);
		assert_string_equal(output->headers[0].value, "Bearer " RIG_TOKEN);
	}
	assert_int_equal(answer->done.n_missing, 0);
}

static void the_bucket_is_where_the_operator_says(void **state)
{
	_cleanup_(plugin_account_freep) struct plugin_account *own = rig_open(
		RIG_BASE "/proxy", RIG_OPTIONS ",\"storage_url\":\"" RIG_BASE "/\"", true);
	_cleanup_(plugin_answer_freep) struct plugin_answer *answer = NULL;

	(void)state;
	rig.account = own;
	answer = poll(200, DONE("\"response\":{\"videos\":[{\"gcsUri\":\"gs://b/o.mp4\"}]}"));
	assert_string_equal(answer->done.outputs[0].url, RIG_BASE "/storage/v1/b/b/o/o.mp4?alt=media");
	assert_int_equal(answer->done.outputs[0].n_headers, 1);
}

static void the_old_name_of_the_list_is_read_too(void **state)
{
	_cleanup_(plugin_answer_freep) struct plugin_answer *answer = poll(
		200, DONE("\"response\":{\"generatedSamples\":[" FILM("0") "]}"));

	(void)state;
	assert_int_equal(answer->kind, PLUGIN_ANSWER_DONE);
	assert_string_equal(answer->done.outputs[0].url, URL("0"));
}

/* The token goes to the operator's origins only. */
static void a_video_elsewhere_is_fetched_without_the_token(void **state)
{
	_cleanup_(plugin_answer_freep) struct plugin_answer *answer = poll(
		200, DONE("\"response\":{\"videos\":[{\"uri\":\"https://cdn.example/v.mp4\"}]}"));

	(void)state;
	assert_int_equal(answer->kind, PLUGIN_ANSWER_DONE);
	assert_string_equal(answer->done.outputs[0].url, "https://cdn.example/v.mp4");
	assert_int_equal(answer->done.outputs[0].n_headers, 0);
}

static void all_filtered_is_a_refusal_that_costs_nothing(void **state)
{
	static const struct {
		const char *body, *code;
	} rows[] = {
		{DONE("\"response\":{\"raiMediaFilteredCount\":1,\"raiMediaFilteredReasons\":[\"" FILTERED "\"]}"),
		 "42237218"},
		{DONE("\"response\":{\"raiMediaFilteredReasons\":[\"" FILTERED "\"]}"), "42237218"},
		{DONE("\"response\":{\"raiMediaFilteredCount\":2,\"videos\":[]}"), "raiMediaFiltered"},
		{DONE("\"response\":{\"raiMediaFilteredCount\":1,\"raiMediaFilteredReasons\":[\"We encountered an "
		      "issue with the audio for your prompt\"]}"),
		 "raiMediaFiltered"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		_cleanup_(plugin_answer_freep) struct plugin_answer *answer = poll(200, rows[i].body);

		rig_assert_failure(answer, PLUGIN_ANSWER_FAILED, PLUGIN_REASON_MODERATED, PLUGIN_BOUGHT_NONE);
		assert_string_equal(answer->failure.code, rows[i].code);
	}
}

static void some_filtered_is_a_delivery_with_a_gap(void **state)
{
	_cleanup_(freep) char *job = rig_job(RIG_MODEL, "\"prompt\":\"a cat\",\"sample_count\":4");
	_cleanup_(plugin_answer_freep) struct plugin_answer *answer = NULL;

	(void)state;
	rig.job = job;
	answer = poll(200, DONE("\"response\":{\"raiMediaFilteredCount\":1,\"raiMediaFilteredReasons\":[\"" FILTERED
				"\"],\"videos\":[" FILM("0") "," FILM("1") "]}"));
	assert_int_equal(answer->kind, PLUGIN_ANSWER_DONE);
	assert_int_equal(answer->done.n_outputs, 2);
	assert_int_equal(answer->done.n_missing, 2);
	assert_int_equal(answer->done.missing[0].index, 2);
	assert_int_equal(answer->done.missing[0].reason, PLUGIN_REASON_MODERATED);
	assert_string_equal(answer->done.missing[0].message, FILTERED);
	assert_int_equal(answer->done.missing[1].index, 3);
	assert_int_equal(answer->done.missing[1].reason, PLUGIN_REASON_ARTIFACT_BAD);
}

static void done_without_a_video_or_a_reason_is_a_bad_result(void **state)
{
	static const struct {
		const char *body;
		enum plugin_bought bought;
		const char *words;
	} rows[] = {
		{DONE("\"response\":{\"videos\":[]}"), PLUGIN_BOUGHT_UNKNOWN, "without a video"},
		{DONE("\"response\":{}"), PLUGIN_BOUGHT_UNKNOWN, "without a video"},
		{DONE("\"metadata\":{}"), PLUGIN_BOUGHT_UNKNOWN, "without a video"},
		{DONE("\"response\":{\"videos\":[{\"bytesBase64Encoded\":null}]}"), PLUGIN_BOUGHT_MADE,
		 "neither an address"},
		{DONE("\"response\":{\"videos\":[{\"gcsUri\":\"gs://bucket\"}]}"), PLUGIN_BOUGHT_MADE,
		 "neither an address"},
		{DONE("\"response\":{\"videos\":[{\"gcsUri\":\"ftp://x/y\"}]}"), PLUGIN_BOUGHT_MADE,
		 "neither an address"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		_cleanup_(plugin_answer_freep) struct plugin_answer *answer = poll(200, rows[i].body);

		rig_assert_failure(answer, PLUGIN_ANSWER_FAILED, PLUGIN_REASON_ARTIFACT_BAD, rows[i].bought);
		if (!strstr(answer->failure.message, rows[i].words))
			fail_msg("%s: %s", rows[i].body, answer->failure.message);
	}
}

static void assert_lifted(const struct plugin_answer *answer, size_t n, const char *pointer, uint32_t index)
{
	const struct plugin_output *output = &answer->done.outputs[n];

	assert_int_equal(answer->kind, PLUGIN_ANSWER_DONE);
	assert_string_equal(output->role, "video");
	assert_null(output->url);
	assert_int_equal(output->n_headers, 0);
	assert_string_equal(output->lifted, pointer);
	assert_int_equal(output->index, index);
}

#define INSIDE(name) "{\"" name "\":\"YWJj\",\"mimeType\":\"video/mp4\"}"

static void videos_inside_the_reply_are_lifted_in_every_form(void **state)
{
	static const char *const rows[][2] = {
		{"\"videos\":[" INSIDE("bytesBase64Encoded") "]", "/response/videos/0/bytesBase64Encoded"},
		{"\"generatedSamples\":[" INSIDE("bytesBase64Encoded") "]",
		 "/response/generatedSamples/0/bytesBase64Encoded"},
		{"\"generatedSamples\":[{\"video\":" INSIDE("bytesBase64Encoded") "}]",
		 "/response/generatedSamples/0/video/bytesBase64Encoded"},
		{"\"generateVideoResponse\":{\"generatedSamples\":[{\"video\":" INSIDE("encodedVideo") "}]}",
		 "/response/generateVideoResponse/generatedSamples/0/video/encodedVideo"},
		{"\"generateVideoResponse\":{\"videos\":[" INSIDE("bytesBase64Encoded") "]}",
		 "/response/generateVideoResponse/videos/0/bytesBase64Encoded"},
	};

	(void)state;
	for (size_t i = 0; i < 2 * COUNT(rows); i++) {
		_cleanup_(plugin_answer_freep) struct plugin_answer *answer = NULL;
		char body[1000];

		rig.account = i % 2 ? rig.gemini : rig.vertex;
		snprintf(body, sizeof(body), DONE("\"response\":{%s}"), rows[i / 2][0]);
		answer = poll(200, body);
		assert_lifted(answer, 0, rows[i / 2][1], 0);
	}
}

static void some_filtered_of_those_inside_the_reply_is_a_delivery_with_a_gap(void **state)
{
	_cleanup_(freep) char *job = rig_job(RIG_MODEL, "\"prompt\":\"a cat\",\"sample_count\":4");
	_cleanup_(plugin_answer_freep) struct plugin_answer *answer = NULL;

	(void)state;
	rig.job = job;
	answer = poll(200,
		      DONE("\"response\":{\"raiMediaFilteredCount\":2,\"raiMediaFilteredReasons\":[\"" FILTERED "\"],"
			   "\"videos\":[" INSIDE("bytesBase64Encoded") "," INSIDE("bytesBase64Encoded") "]}"));
	assert_lifted(answer, 0, "/response/videos/0/bytesBase64Encoded", 0);
	assert_lifted(answer, 1, "/response/videos/1/bytesBase64Encoded", 1);
	assert_int_equal(answer->done.n_outputs, 2);
	assert_int_equal(answer->done.n_missing, 2);
	assert_int_equal(answer->done.missing[0].reason, PLUGIN_REASON_MODERATED);
}

/* What has an address can be fetched again without the rest of the reply. */
static void an_address_goes_before_what_stands_inside(void **state)
{
	_cleanup_(plugin_answer_freep) struct plugin_answer *answer = poll(
		200, DONE("\"response\":{\"videos\":[{\"bytesBase64Encoded\":\"YWJj\",\"gcsUri\":"
			  "\"gs://bucket/films/0190aa/1 7/sample_0.mp4\"},{\"gcsUri\":\"gs://odd\","
			  "\"bytesBase64Encoded\":\"YWJj\"}]}"));

	(void)state;
	assert_string_equal(answer->done.outputs[0].url, URL("0"));
	assert_null(answer->done.outputs[0].lifted);
	assert_lifted(answer, 1, "/response/videos/1/bytesBase64Encoded", 1);
}

static void an_error_means_what_its_grpc_code_means(void **state)
{
	static const struct {
		const char *error;
		enum plugin_reason reason;
		enum plugin_bought bought;
	} rows[] = {
#define ROW(code, message, reason, bought) \
	{"{\"code\":" code ",\"message\":\"" message "\"}", PLUGIN_REASON_##reason, PLUGIN_BOUGHT_##bought}
		ROW("3", "Unsupported output video duration 3 seconds", INVALID_INPUT, NONE),
		ROW("3", "violates usage guidelines. Support codes: 58061214", MODERATED, NONE),
		ROW("1", "cancelled", CANCELLED, UNKNOWN),
		ROW("4", "deadline", TIMEOUT, UNKNOWN),
		ROW("5", "gs://in/a.png was not found", INVALID_INPUT, UNKNOWN),
		ROW("7", "cannot write to gs://bucket", AUTH, UNKNOWN),
		ROW("8", "exhausted", PROVIDER_FAULT, UNKNOWN),
		ROW("8", "Your prepayment credits are depleted", NO_CREDIT, UNKNOWN),
		ROW("9", "precondition", INVALID_INPUT, UNKNOWN),
		ROW("13", "Internal error. Please try again later.", PROVIDER_FAULT, UNKNOWN),
		ROW("14", "unavailable", PROVIDER_FAULT, UNKNOWN),
		ROW("16", "unauthenticated", AUTH, UNKNOWN),
		ROW("99", "news", PROVIDER_FAULT, UNKNOWN),
		ROW("-1", "odd", PROVIDER_FAULT, UNKNOWN),
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		_cleanup_(plugin_answer_freep) struct plugin_answer *answer = NULL;
		char body[400];

		snprintf(body, sizeof(body), DONE("\"error\":%s"), rows[i].error);
		answer = poll(200, body);
		if (answer->kind != PLUGIN_ANSWER_FAILED || answer->failure.reason != rows[i].reason ||
		    answer->failure.bought != rows[i].bought)
			fail_msg("%s: %s, reason %d, bought %d", rows[i].error, plugin_answer_name(answer->kind),
				 (int)answer->failure.reason, (int)answer->failure.bought);
	}
}

static void what_google_does_not_know_for_ten_minutes_is_lost(void **state)
{
	static const char body[] = "{\"error\":{\"code\":404,\"message\":\"not found\",\"status\":\"NOT_FOUND\"}}";
	_cleanup_(plugin_answer_freep) struct plugin_answer *first = poll(404, body);
	_cleanup_(plugin_answer_freep) struct plugin_answer *later = NULL, *found = NULL, *page = NULL;

	(void)state;
	rig_assert_failure(first, PLUGIN_ANSWER_TROUBLE, PLUGIN_REASON_NOT_FOUND, PLUGIN_BOUGHT_UNKNOWN);
	rig.now_ms += 10 * MINUTE_MS;
	later = rig_reply(PLUGIN_VERB_POLL, first->state, 404, body);
	rig_assert_failure(later, PLUGIN_ANSWER_FAILED, PLUGIN_REASON_LOST, PLUGIN_BOUGHT_UNKNOWN);
	found = rig_reply(PLUGIN_VERB_POLL, first->state, 200, "{\"name\":\"" RIG_OPERATION "\"}");
	assert_string_equal(found->state, "{\"missing_since_ms\":0}");
	page = rig_reply(PLUGIN_VERB_POLL, first->state, 404, "<html>404</html>");
	assert_int_equal(page->kind, PLUGIN_ANSWER_TROUBLE);
}

static void the_account_is_proved_by_a_look_into_the_bucket(void **state)
{
	_cleanup_(plugin_answer_freep) struct plugin_answer *ask = rig_begin(PLUGIN_VERB_ACCOUNT, NULL);
	_cleanup_(plugin_answer_freep) struct plugin_answer *good = NULL, *bad = NULL;

	(void)state;
	assert_string_equal(ask->exchange.method, "GET");
	assert_string_equal(ask->exchange.url,
			    "https://storage.googleapis.com/storage/v1/b/bucket/o?maxResults=1&prefix=films");
	assert_non_null(rig_header(ask, "Authorization"));
	good = rig_reply(PLUGIN_VERB_ACCOUNT, NULL, 200, "{\"kind\":\"storage#objects\"}");
	assert_int_equal(good->kind, PLUGIN_ANSWER_REPORT);
	assert_non_null(strstr(good->report, "gs://bucket/films"));
	bad = rig_reply(PLUGIN_VERB_ACCOUNT, NULL, 403, "{\"error\":{\"code\":403,\"message\":\"no access\"}}");
	assert_int_equal(bad->kind, PLUGIN_ANSWER_FAILED);
	assert_int_equal(bad->failure.reason, PLUGIN_REASON_AUTH);
}

#define NO_OPERATION RIG_RESOURCE "/operations/00000000-0000-0000-0000-000000000000"

static void without_a_bucket_an_operation_that_does_not_exist_proves_the_account(void **state)
{
	_cleanup_(plugin_account_freep) struct plugin_account *own = rig_open(RIG_BASE, "\"project\":\"p1\"", true);
	_cleanup_(plugin_answer_freep) struct plugin_answer *ask = NULL, *good = NULL, *bad = NULL, *page = NULL;

	(void)state;
	rig.account = own;
	ask = rig_begin(PLUGIN_VERB_ACCOUNT, "{}");
	assert_int_equal(ask->exchange.effect, PLUGIN_EFFECT_SAFE);
	assert_string_equal(ask->exchange.url, RIG_BASE "/v1/" RIG_RESOURCE ":fetchPredictOperation");
	rig_assert_body(ask, "{\"operationName\":\"" NO_OPERATION "\"}");
	good = rig_reply(PLUGIN_VERB_ACCOUNT, NULL, 404, "{\"error\":{\"code\":404,\"message\":\"not found\"}}");
	assert_int_equal(good->kind, PLUGIN_ANSWER_REPORT);
	assert_non_null(strstr(good->report, "\"p1\""));
	bad = rig_reply(PLUGIN_VERB_ACCOUNT, NULL, 401, "{\"error\":{\"code\":401,\"message\":\"no token\"}}");
	assert_int_equal(bad->failure.reason, PLUGIN_REASON_AUTH);
	page = rig_reply(PLUGIN_VERB_ACCOUNT, NULL, 404, "<html>404</html>");
	assert_int_not_equal(page->kind, PLUGIN_ANSWER_REPORT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_poll_is_a_post_that_changes_nothing, rig_reset),
		cmocka_unit_test_setup(the_operations_name_leads_to_it, rig_reset),
		cmocka_unit_test_setup(without_its_options_a_job_waits_for_the_operator, rig_reset),
		cmocka_unit_test_setup(what_is_not_done_goes_on, rig_reset),
		cmocka_unit_test_setup(the_samples_are_read_from_the_bucket_with_the_token, rig_reset),
		cmocka_unit_test_setup(the_bucket_is_where_the_operator_says, rig_reset),
		cmocka_unit_test_setup(the_old_name_of_the_list_is_read_too, rig_reset),
		cmocka_unit_test_setup(a_video_elsewhere_is_fetched_without_the_token, rig_reset),
		cmocka_unit_test_setup(all_filtered_is_a_refusal_that_costs_nothing, rig_reset),
		cmocka_unit_test_setup(some_filtered_is_a_delivery_with_a_gap, rig_reset),
		cmocka_unit_test_setup(done_without_a_video_or_a_reason_is_a_bad_result, rig_reset),
		cmocka_unit_test_setup(videos_inside_the_reply_are_lifted_in_every_form, rig_reset),
		cmocka_unit_test_setup(some_filtered_of_those_inside_the_reply_is_a_delivery_with_a_gap, rig_reset),
		cmocka_unit_test_setup(an_address_goes_before_what_stands_inside, rig_reset),
		cmocka_unit_test_setup(without_a_bucket_an_operation_that_does_not_exist_proves_the_account, rig_reset),
		cmocka_unit_test_setup(an_error_means_what_its_grpc_code_means, rig_reset),
		cmocka_unit_test_setup(what_google_does_not_know_for_ten_minutes_is_lost, rig_reset),
		cmocka_unit_test_setup(the_account_is_proved_by_a_look_into_the_bucket, rig_reset),
	};

	return cmocka_run_group_tests_name("veo.poll", tests, rig_set_up, rig_tear_down);
}
