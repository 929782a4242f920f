/*
 * A plugin that breaks one rule at a time: the prompt of the job says which.
 */
#include "fg_manifest.h"

#include <filmgate/provider.h>

/* Its exchanges are a right one with a wrong member said again. */
#ifdef __clang__
#pragma GCC diagnostic ignored "-Winitializer-overrides"
#else
#pragma GCC diagnostic ignored "-Woverride-init"
#pragma GCC diagnostic ignored "-Woverride-init-side-effects"
#endif

static fg_node url(const struct fg_host *h, struct fg_step *s)
{
	return h->path(s, "/v1/x", FG_ABSENT, FG_ABSENT);
}

/* An exchange that is right but for what the members say. */
#define SEND(...)      \
	h->exchange(s, \
		    FG_EXCHANGE(.effect = FG_EFFECT_SAFE, .phase = 1, .method = "GET", .url = url(h, s), __VA_ARGS__))

static int32_t no_answer(const struct fg_host *h, struct fg_step *s)
{
	h->object(s);
	return 0;
}

static int32_t claims_an_answer(const struct fg_host *h, struct fg_step *s)
{
	h->object(s);
	return FG_ANSWERED;
}

static int32_t two_answers(const struct fg_host *h, struct fg_step *s)
{
	h->wait(s, FG_WAIT(.stage = FG_STAGE_RUNNING));
	return h->failed(s, FG_FAILURE(.reason = FG_REASON_AUTH));
}

static int32_t odd_value(const struct fg_host *h, struct fg_step *s)
{
	h->wait(s, FG_WAIT(.stage = FG_STAGE_RUNNING));
	return -5;
}

static int32_t huge_url(const struct fg_host *h, struct fg_step *s)
{
	static char path[100001];

	path[0] = '/';
	for (int i = 1; i < 100000; i++)
		path[i] = 'x';
	return SEND(.url = h->path(s, path, FG_ABSENT, FG_ABSENT));
}

static int32_t no_url(const struct fg_host *h, struct fg_step *s)
{
	return SEND(.url = FG_ABSENT);
}

static int32_t url_that_is_none(const struct fg_host *h, struct fg_step *s)
{
	static const struct fg_text text = {"gs://bucket/object?secret=1", 27};

	return SEND(.url = h->make_text(s, text));
}

static int32_t plain_http(const struct fg_host *h, struct fg_step *s)
{
	static const struct fg_text text = {"http://other.example/x", 22};

	return SEND(.url = h->make_text(s, text));
}

static int32_t unknown_effect(const struct fg_host *h, struct fg_step *s)
{
	return SEND(.effect = 4);
}

static int32_t wild_text(const struct fg_host *h, struct fg_step *s)
{
	struct fg_text text = {"x", UINT64_C(1) << 60};

	return h->wait(s, FG_WAIT(.status = text));
}

static int32_t wild_made_text(const struct fg_host *h, struct fg_step *s)
{
	struct fg_text text = {"x", UINT64_MAX};

	return SEND(.url = h->make_text(s, text));
}

static int32_t null_text(const struct fg_host *h, struct fg_step *s)
{
	struct fg_text text = {0, 5};

	return h->failed(s, FG_FAILURE(.reason = FG_REASON_AUTH, .message = text));
}

static int32_t null_argument(const struct fg_host *h, struct fg_step *s)
{
	return h->exchange(s, 0);
}

static int32_t foreign_origin(const struct fg_host *h, struct fg_step *s)
{
	return SEND(.auth = "key", .url = h->path(s, "https://evil.example/x", FG_ABSENT, FG_ABSENT));
}

static int32_t other_port(const struct fg_host *h, struct fg_step *s)
{
	return SEND(.auth = "key", .url = h->path(s, "https://api.nonsense.example:8443/", FG_ABSENT, FG_ABSENT));
}

static int32_t unknown_auth(const struct fg_host *h, struct fg_step *s)
{
	return SEND(.auth = "no-such-scheme");
}

static int32_t unset_secret(const struct fg_host *h, struct fg_step *s)
{
	return SEND(.auth = "unset");
}

static int32_t buys(const struct fg_host *h, struct fg_step *s)
{
	return SEND(.effect = FG_EFFECT_BUYS, .method = "POST");
}

static int32_t buys_with_key(const struct fg_host *h, struct fg_step *s)
{
	return SEND(.effect = FG_EFFECT_BUYS_WITH_KEY, .method = "POST");
}

static int32_t phase_zero(const struct fg_host *h, struct fg_step *s)
{
	return SEND(.phase = 0);
}

static int32_t odd_method(const struct fg_host *h, struct fg_step *s)
{
	return SEND(.method = "GET /x HTTP/1.1\r\nX:");
}

static int32_t no_method(const struct fg_host *h, struct fg_step *s)
{
	return SEND(.method = 0);
}

static int32_t get_with_body(const struct fg_host *h, struct fg_step *s)
{
	return SEND(.body_kind = FG_BODY_JSON, .body = h->object(s));
}

static int32_t body_without_kind(const struct fg_host *h, struct fg_step *s)
{
	return SEND(.method = "POST", .body = h->object(s));
}

static int32_t unknown_body_kind(const struct fg_host *h, struct fg_step *s)
{
	return SEND(.method = "POST", .body_kind = 77, .body = h->object(s));
}

static int32_t form_of_objects(const struct fg_host *h, struct fg_step *s)
{
	fg_node form = h->object(s);

	h->put(s, form, "/a/b", h->make_integer(s, 1));
	return SEND(.method = "POST", .body_kind = FG_BODY_FORM, .body = form);
}

static int32_t part_without_name(const struct fg_host *h, struct fg_step *s)
{
	fg_node parts = h->array(s), part = h->object(s);

	h->put_text(s, part, "/value", "x");
	h->append(s, parts, part);
	return SEND(.method = "POST", .body_kind = FG_BODY_MULTIPART, .body = parts);
}

static int32_t huge_timeout(const struct fg_host *h, struct fg_step *s)
{
	return SEND(.timeout_ms = UINT32_MAX);
}

static int32_t lift(const struct fg_host *h, struct fg_step *s)
{
	fg_node places = h->array(s);

	h->append(s, places, h->make_text(s, (struct fg_text){"/videos/*/data", 14}));
	return SEND(.effect = FG_EFFECT_SAFE, .lift = places);
}

static int32_t lifts_a_purchase(const struct fg_host *h, struct fg_step *s)
{
	fg_node places = h->array(s);

	h->append(s, places, h->make_text(s, (struct fg_text){"/data", 5}));
	return SEND(.effect = FG_EFFECT_BUYS, .lift = places);
}

static int32_t lifts_nothing(const struct fg_host *h, struct fg_step *s)
{
	return SEND(.effect = FG_EFFECT_SAFE, .lift = h->array(s));
}

static int32_t lifts_everything(const struct fg_host *h, struct fg_step *s)
{
	fg_node places = h->array(s);

	h->append(s, places, h->make_text(s, (struct fg_text){"", 0}));
	return SEND(.effect = FG_EFFECT_SAFE, .lift = places);
}

static int32_t lifts_a_number(const struct fg_host *h, struct fg_step *s)
{
	fg_node places = h->array(s);

	h->append(s, places, h->make_integer(s, 7));
	return SEND(.effect = FG_EFFECT_SAFE, .lift = places);
}

static int32_t lifts_with_an_object(const struct fg_host *h, struct fg_step *s)
{
	return SEND(.effect = FG_EFFECT_SAFE, .lift = h->object(s));
}

static int32_t lifts_from_too_many_places(const struct fg_host *h, struct fg_step *s)
{
	fg_node places = h->array(s);

	for (int i = 0; i < 33; i++)
		h->append(s, places, h->make_text(s, (struct fg_text){"/data", 5}));
	return SEND(.effect = FG_EFFECT_SAFE, .lift = places);
}

static int32_t body_to(const struct fg_host *h, struct fg_step *s)
{
	return SEND(.body_to = "video");
}

static int32_t long_poll(const struct fg_host *h, struct fg_step *s)
{
	return SEND(.flags = FG_EXCHANGE_LONG_POLL);
}

static int32_t unknown_flag(const struct fg_host *h, struct fg_step *s)
{
	return SEND(.flags = 1u << 31);
}

static int32_t short_table(const struct fg_host *h, struct fg_step *s)
{
	return SEND(.struct_size = 16);
}

static int32_t wild_table(const struct fg_host *h, struct fg_step *s)
{
	return SEND(.struct_size = 0xfffffff8u);
}

static int32_t padding(const struct fg_host *h, struct fg_step *s)
{
	struct {
		struct fg_wait today;
		uint64_t tomorrow;
	} wait = {{.struct_size = sizeof(wait), .stage = FG_STAGE_RUNNING}, 1};

	return h->wait(s, &wait.today);
}

static int32_t header_injection(const struct fg_host *h, struct fg_step *s)
{
	fg_node headers = h->object(s);

	h->put_text(s, headers, "/X-Note", "a\r\nX-Api-Key: stolen");
	return SEND(.headers = headers);
}

static int32_t header_name_injection(const struct fg_host *h, struct fg_step *s)
{
	fg_node headers = h->object(s);

	h->put_text(s, headers, "/X-Note: a\r\nX", "b");
	return SEND(.headers = headers);
}

static int32_t host_header(const struct fg_host *h, struct fg_step *s)
{
	fg_node headers = h->object(s);

	h->put_text(s, headers, "/hOsT", "evil.example");
	return SEND(.headers = headers);
}

static int32_t credential_header(const struct fg_host *h, struct fg_step *s)
{
	fg_node headers = h->object(s);

	h->put_text(s, headers, "/x-api-key", "mine");
	return SEND(.headers = headers, .auth = "key");
}

static int32_t too_many_headers(const struct fg_host *h, struct fg_step *s)
{
	fg_node headers = h->object(s);
	char pointer[] = "/X-AA";

	for (int i = 0; i < 100; i++) {
		pointer[3] = (char)('A' + i / 26);
		pointer[4] = (char)('A' + i % 26);
		h->put_text(s, headers, pointer, "x");
	}
	return SEND(.headers = headers);
}

static int32_t path_without_slash(const struct fg_host *h, struct fg_step *s)
{
	return SEND(.url = h->path(s, "v1/x", FG_ABSENT, FG_ABSENT));
}

static int32_t path_without_value(const struct fg_host *h, struct fg_step *s)
{
	return SEND(.url = h->path(s, "/v1/{id}", h->object(s), FG_ABSENT));
}

static int32_t path_with_dots(const struct fg_host *h, struct fg_step *s)
{
	fg_node values = h->object(s);

	h->put_text(s, values, "/id", "..");
	return SEND(.url = h->path(s, "/v1/{id}", values, FG_ABSENT));
}

static int32_t path_with_open_brace(const struct fg_host *h, struct fg_step *s)
{
	return SEND(.url = h->path(s, "/v1/{id", h->object(s), FG_ABSENT));
}

static int32_t foreign_node(const struct fg_host *h, struct fg_step *s)
{
	return h->wait(s, FG_WAIT(.status = h->text(s, 4000000000u)));
}

static int32_t unknown_document(const struct fg_host *h, struct fg_step *s)
{
	return h->wait(s, FG_WAIT(.status = h->text(s, h->document(s, 9))));
}

static int32_t odd_pointer(const struct fg_host *h, struct fg_step *s)
{
	return h->wait(s, FG_WAIT(.status = h->text(s, h->at(s, h->document(s, FG_DOC_JOB), "id"))));
}

static int32_t writes_into_the_job(const struct fg_host *h, struct fg_step *s)
{
	h->put_text(s, h->document(s, FG_DOC_JOB), "/model", "cheap");
	return SEND(.timeout_ms = 0);
}

static int32_t puts_through_a_text(const struct fg_host *h, struct fg_step *s)
{
	fg_node body = h->object(s);

	h->put_text(s, body, "/a", "x");
	h->put_text(s, body, "/a/b", "x");
	return SEND(.method = "POST", .body_kind = FG_BODY_JSON, .body = body);
}

static int32_t text_that_is_no_utf8(const struct fg_host *h, struct fg_step *s)
{
	fg_node body = h->object(s);

	h->put_text(s, body, "/a", "\xff\xfe");
	return SEND(.method = "POST", .body_kind = FG_BODY_JSON, .body = body);
}

static int32_t endless_nodes(const struct fg_host *h, struct fg_step *s)
{
	fg_node list = h->array(s);

	for (int i = 0; i < 1000000; i++)
		h->append(s, list, h->document(s, FG_DOC_JOB));
	return SEND(.method = "POST", .body_kind = FG_BODY_JSON, .body = list);
}

static int32_t doubling(const struct fg_host *h, struct fg_step *s)
{
	fg_node body = h->object(s);

	for (int i = 0; i < 100; i++)
		h->put(s, body, "/a", body);
	return SEND(.method = "POST", .body_kind = FG_BODY_JSON, .body = body);
}

static int32_t huge_state(const struct fg_host *h, struct fg_step *s)
{
	static const char text[] = "0123456789012345678901234567890123456789012345678901234567890123456789";

	h->put(s, h->state(s), "/list", h->array(s));
	for (int i = 0; i < 2000; i++)
		h->put_text(s, h->state(s), "/list/-", text);
	return h->wait(s, FG_WAIT(.stage = FG_STAGE_RUNNING));
}

static int32_t endless_notes(const struct fg_host *h, struct fg_step *s)
{
	for (int i = 0; i < 1000; i++)
		h->note(s, FG_NOTE_INFO, "/parameters", "and another thing");
	return h->wait(s, FG_WAIT(.stage = FG_STAGE_RUNNING));
}

static int32_t unknown_severity(const struct fg_host *h, struct fg_step *s)
{
	h->note(s, 0, "/parameters", "x");
	return h->wait(s, FG_WAIT(.stage = FG_STAGE_RUNNING));
}

static int32_t unknown_stage(const struct fg_host *h, struct fg_step *s)
{
	return h->wait(s, FG_WAIT(.stage = 9));
}

static int32_t odd_progress(const struct fg_host *h, struct fg_step *s)
{
	return h->wait(s, FG_WAIT(.has = FG_WAIT_HAS_PROGRESS, .progress_permille = 1001));
}

static int32_t endless_wait(const struct fg_host *h, struct fg_step *s)
{
	return h->wait(s, FG_WAIT(.after_ms = UINT64_MAX));
}

static int32_t unknown_reason(const struct fg_host *h, struct fg_step *s)
{
	return h->failed(s, FG_FAILURE(.reason = 15));
}

static int32_t throttle_that_fails(const struct fg_host *h, struct fg_step *s)
{
	return h->failed(s, FG_FAILURE(.reason = FG_REASON_RATE_LIMITED));
}

static int32_t unknown_bought(const struct fg_host *h, struct fg_step *s)
{
	return h->failed(s, FG_FAILURE(.reason = FG_REASON_AUTH, .bought = 9));
}

static int32_t accepted_without_remote(const struct fg_host *h, struct fg_step *s)
{
	return h->accepted(s, FG_ACCEPTED(.remotes = h->array(s)));
}

static int32_t remote_without_id(const struct fg_host *h, struct fg_step *s)
{
	fg_node remotes = h->array(s);

	h->append(s, remotes, h->object(s));
	return h->accepted(s, FG_ACCEPTED(.remotes = remotes));
}

static int32_t two_remotes(const struct fg_host *h, struct fg_step *s)
{
	fg_node remotes = h->array(s), remote = h->object(s);

	h->put_text(s, remote, "/id", "a");
	h->append(s, remotes, remote);
	h->append(s, remotes, remote);
	return h->accepted(s, FG_ACCEPTED(.remotes = remotes));
}

static int32_t remotes_that_are_no_array(const struct fg_host *h, struct fg_step *s)
{
	return h->accepted(s, FG_ACCEPTED(.remotes = h->object(s)));
}

static int32_t done_without_output(const struct fg_host *h, struct fg_step *s)
{
	return h->done(s, FG_DONE(.outputs = h->array(s)));
}

static int32_t done_with(const struct fg_host *h, struct fg_step *s, const char *pointer, const char *value)
{
	fg_node outputs = h->array(s), output = h->object(s);

	h->put_text(s, output, "/role", "video");
	h->put_text(s, output, "/url", "https://files.example/x.mp4");
	h->put_text(s, output, pointer, value);
	h->append(s, outputs, output);
	return h->done(s, FG_DONE(.outputs = outputs));
}

static int32_t lifted_output(const struct fg_host *h, struct fg_step *s)
{
	return done_with(h, s, "/lifted", "/video");
}

static int32_t lifted_alone(const struct fg_host *h, struct fg_step *s)
{
	fg_node outputs = h->array(s), output = h->object(s);

	h->put_text(s, output, "/role", "video");
	h->put_text(s, output, "/lifted", "/video");
	h->append(s, outputs, output);
	return h->done(s, FG_DONE(.outputs = outputs));
}

static int32_t lifted_body(const struct fg_host *h, struct fg_step *s)
{
	return done_with(h, s, "/lifted", "");
}

static int32_t output_in_a_bucket(const struct fg_host *h, struct fg_step *s)
{
	return done_with(h, s, "/url", "s3://bucket/x.mp4");
}

static int32_t output_with_foreign_auth(const struct fg_host *h, struct fg_step *s)
{
	return done_with(h, s, "/auth", "key");
}

static int32_t odd_cost(const struct fg_host *h, struct fg_step *s)
{
	fg_node remotes = h->array(s), remote = h->object(s), cost = h->object(s);

	h->put_text(s, remote, "/id", "a");
	h->append(s, remotes, remote);
	h->put_text(s, cost, "/amount_micros", "0.5");
	return h->accepted(s, FG_ACCEPTED(.remotes = remotes, .cost = cost));
}

static int32_t report_from_start(const struct fg_host *h, struct fg_step *s)
{
	return h->report(s, h->object(s));
}

static int32_t absent_from_start(const struct fg_host *h, struct fg_step *s)
{
	return h->absent(s);
}

static int32_t responds(const struct fg_host *h, struct fg_step *s)
{
	return h->respond(s, FG_RESPONSE(.status = 200));
}

#define ID(text)                       \
	{                              \
		text, sizeof(text) - 1 \
	}

static int32_t hints(const struct fg_host *h, struct fg_step *s)
{
	return h->hint(s, FG_RESPONSE(.remote_id = ID("v_1")));
}

static int32_t hint_without_id(const struct fg_host *h, struct fg_step *s)
{
	return h->hint(s, FG_RESPONSE(.status = 200));
}

static int32_t hint_of_two_lines(const struct fg_host *h, struct fg_step *s)
{
	return h->hint(s, FG_RESPONSE(.remote_id = ID("v_1\nv_2")));
}

static int32_t hint_at_null(const struct fg_host *h, struct fg_step *s)
{
	return h->hint(s, FG_RESPONSE(.remote_id = {0, 3}));
}

static int32_t responds_404(const struct fg_host *h, struct fg_step *s)
{
	return h->respond(s, FG_RESPONSE(.status = 404));
}

static int32_t responds_with_flags(const struct fg_host *h, struct fg_step *s)
{
	return h->respond(s, FG_RESPONSE(.flags = 1));
}

static int32_t responds_at_length(const struct fg_host *h, struct fg_step *s)
{
	fg_node body = h->array(s);

	for (int64_t i = 0; i < 4096; i++)
		h->append(s, body, h->make_integer(s, i));
	return h->respond(s, FG_RESPONSE(.status = 200, .body = body));
}

static int32_t responds_with_a_foreign_node(const struct fg_host *h, struct fg_step *s)
{
	return h->respond(s, FG_RESPONSE(.status = 200, .body = 4000000000u));
}

static int32_t odd_scale(const struct fg_host *h, struct fg_step *s)
{
	return h->wait(s, FG_WAIT(.after_ms = (uint64_t)h->decimal(s, h->document(s, FG_DOC_STEP), 400, 0)));
}

static const struct {
	const char *name;
	fg_verb *verb;
} rules[] = {
	{"no_answer", no_answer},
	{"claims_an_answer", claims_an_answer},
	{"two_answers", two_answers},
	{"odd_value", odd_value},
	{"huge_url", huge_url},
	{"no_url", no_url},
	{"url_that_is_none", url_that_is_none},
	{"plain_http", plain_http},
	{"unknown_effect", unknown_effect},
	{"wild_text", wild_text},
	{"wild_made_text", wild_made_text},
	{"null_text", null_text},
	{"null_argument", null_argument},
	{"foreign_origin", foreign_origin},
	{"other_port", other_port},
	{"unknown_auth", unknown_auth},
	{"unset_secret", unset_secret},
	{"buys", buys},
	{"buys_with_key", buys_with_key},
	{"phase_zero", phase_zero},
	{"odd_method", odd_method},
	{"no_method", no_method},
	{"get_with_body", get_with_body},
	{"body_without_kind", body_without_kind},
	{"unknown_body_kind", unknown_body_kind},
	{"form_of_objects", form_of_objects},
	{"part_without_name", part_without_name},
	{"huge_timeout", huge_timeout},
	{"lift", lift},
	{"lifts_a_purchase", lifts_a_purchase},
	{"lifts_nothing", lifts_nothing},
	{"lifts_everything", lifts_everything},
	{"lifts_a_number", lifts_a_number},
	{"lifts_with_an_object", lifts_with_an_object},
	{"lifts_from_too_many_places", lifts_from_too_many_places},
	{"body_to", body_to},
	{"long_poll", long_poll},
	{"unknown_flag", unknown_flag},
	{"short_table", short_table},
	{"wild_table", wild_table},
	{"padding", padding},
	{"header_injection", header_injection},
	{"header_name_injection", header_name_injection},
	{"host_header", host_header},
	{"credential_header", credential_header},
	{"too_many_headers", too_many_headers},
	{"path_without_slash", path_without_slash},
	{"path_without_value", path_without_value},
	{"path_with_dots", path_with_dots},
	{"path_with_open_brace", path_with_open_brace},
	{"foreign_node", foreign_node},
	{"unknown_document", unknown_document},
	{"odd_pointer", odd_pointer},
	{"writes_into_the_job", writes_into_the_job},
	{"puts_through_a_text", puts_through_a_text},
	{"text_that_is_no_utf8", text_that_is_no_utf8},
	{"endless_nodes", endless_nodes},
	{"doubling", doubling},
	{"huge_state", huge_state},
	{"endless_notes", endless_notes},
	{"unknown_severity", unknown_severity},
	{"unknown_stage", unknown_stage},
	{"odd_progress", odd_progress},
	{"endless_wait", endless_wait},
	{"unknown_reason", unknown_reason},
	{"throttle_that_fails", throttle_that_fails},
	{"unknown_bought", unknown_bought},
	{"accepted_without_remote", accepted_without_remote},
	{"remote_without_id", remote_without_id},
	{"two_remotes", two_remotes},
	{"remotes_that_are_no_array", remotes_that_are_no_array},
	{"done_without_output", done_without_output},
	{"lifted_output", lifted_output},
	{"lifted_alone", lifted_alone},
	{"lifted_body", lifted_body},
	{"output_in_a_bucket", output_in_a_bucket},
	{"output_with_foreign_auth", output_with_foreign_auth},
	{"odd_cost", odd_cost},
	{"report_from_start", report_from_start},
	{"absent_from_start", absent_from_start},
	{"responds", responds},
	{"hints", hints},
	{"hint_without_id", hint_without_id},
	{"hint_of_two_lines", hint_of_two_lines},
	{"hint_at_null", hint_at_null},
	{"responds_404", responds_404},
	{"responds_with_flags", responds_with_flags},
	{"responds_at_length", responds_at_length},
	{"responds_with_a_foreign_node", responds_with_a_foreign_node},
	{"odd_scale", odd_scale},
};

static int32_t misbehave(const struct fg_host *h, struct fg_step *s)
{
	fg_node prompt = h->at(s, h->document(s, FG_DOC_JOB), "/parameters/prompt");

	for (unsigned int i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
		if (h->is(s, prompt, rules[i].name))
			return rules[i].verb(h, s);
	return h->wait(s, FG_WAIT(.stage = FG_STAGE_RUNNING));
}

static const struct fg_plugin plugin = {
	.struct_size = sizeof(plugin),
	.manifest = fg_manifest,
	.manifest_size = FG_MANIFEST_SIZE,
	.start = misbehave,
	.poll = misbehave,
	.webhook = misbehave,
};

const struct fg_plugin *fg_provider_v0(void)
{
	return &plugin;
}
