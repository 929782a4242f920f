/*
 * A plugin that breaks one rule at a time: the prompt of the job says which.
 */
#include "fg_manifest.h"

#include <filmgate/provider.h>

static fg_node url(const struct fg_host *h, struct fg_step *s)
{
	return h->path(s, "/v1/x", FG_ABSENT, FG_ABSENT);
}

/* An exchange that is right but for what the members say. */
#define SEND(...)                                                                                                    \
	h->exchange(s, FG_EXCHANGE(.effect = FG_EFFECT_SAFE, .phase = 1, .method = "GET", .url = url(h, s), __VA_ARGS__))

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

static int32_t media_part(const struct fg_host *h, struct fg_step *s)
{
	fg_node parts = h->array(s), part = h->object(s);

	h->put_text(s, part, "/name", "file");
	h->put(s, part, "/media", h->object(s));
	h->append(s, parts, part);
	return SEND(.method = "POST", .body_kind = FG_BODY_MULTIPART, .body = parts);
}

static int32_t media_body(const struct fg_host *h, struct fg_step *s)
{
	return SEND(.method = "PUT", .body_kind = FG_BODY_MEDIA, .body = h->object(s));
}

static int32_t huge_timeout(const struct fg_host *h, struct fg_step *s)
{
	return SEND(.timeout_ms = UINT32_MAX);
}

static int32_t lift(const struct fg_host *h, struct fg_step *s)
{
	return SEND(.lift = h->array(s));
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

static int32_t odd_scale(const struct fg_host *h, struct fg_step *s)
{
	return h->wait(s, FG_WAIT(.after_ms = (uint64_t)h->decimal(s, h->document(s, FG_DOC_STEP), 400, 0)));
}

static int32_t inline_media(const struct fg_host *h, struct fg_step *s)
{
	fg_node body = h->object(s);

	h->put_media(s, body, "/image", h->object(s), FG_MEDIA_DATA_URI);
	return SEND(.method = "POST", .body_kind = FG_BODY_JSON, .body = body);
}

#define RULE(name) {#name, name}
static const struct {
	const char *name;
	fg_verb *verb;
} rules[] = {
	RULE(no_answer), RULE(claims_an_answer), RULE(two_answers), RULE(odd_value), RULE(huge_url), RULE(no_url),
	RULE(url_that_is_none), RULE(plain_http), RULE(unknown_effect), RULE(wild_text), RULE(wild_made_text),
	RULE(null_text), RULE(null_argument), RULE(foreign_origin), RULE(other_port), RULE(unknown_auth),
	RULE(unset_secret), RULE(buys), RULE(buys_with_key), RULE(phase_zero), RULE(odd_method), RULE(no_method),
	RULE(get_with_body), RULE(body_without_kind), RULE(unknown_body_kind), RULE(form_of_objects),
	RULE(part_without_name), RULE(media_part), RULE(media_body), RULE(huge_timeout), RULE(lift), RULE(body_to),
	RULE(long_poll), RULE(unknown_flag), RULE(short_table), RULE(wild_table), RULE(padding), RULE(header_injection),
	RULE(header_name_injection), RULE(host_header), RULE(credential_header), RULE(too_many_headers),
	RULE(path_without_slash), RULE(path_without_value), RULE(path_with_dots), RULE(path_with_open_brace),
	RULE(foreign_node), RULE(unknown_document), RULE(odd_pointer), RULE(writes_into_the_job),
	RULE(puts_through_a_text), RULE(text_that_is_no_utf8), RULE(endless_nodes), RULE(doubling), RULE(huge_state),
	RULE(endless_notes), RULE(unknown_severity), RULE(unknown_stage), RULE(odd_progress), RULE(endless_wait),
	RULE(unknown_reason), RULE(throttle_that_fails), RULE(unknown_bought), RULE(accepted_without_remote),
	RULE(remote_without_id), RULE(two_remotes), RULE(remotes_that_are_no_array), RULE(done_without_output),
	RULE(lifted_output), RULE(output_in_a_bucket), RULE(output_with_foreign_auth), RULE(odd_cost),
	RULE(report_from_start), RULE(absent_from_start), RULE(responds), RULE(odd_scale), RULE(inline_media),
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
};

const struct fg_plugin *fg_provider_v0(void)
{
	return &plugin;
}
