#include "plugin/step.h"

#include "base/limits.h"
#include "plugin/step_inside.h"

#include <stdarg.h>

const struct fg_host plugin_host = {
	.struct_size = sizeof(plugin_host),
	.minor = FG_ABI_MINOR,
	.document = host_document,
	.phase = host_phase,
	.status = host_status,
	.header = host_header,
	.retry_after_ms = host_retry_after_ms,
	.body_text = host_body_text,
	.at = host_at,
	.item = host_item,
	.key = host_key,
	.count = host_count,
	.kind = host_kind,
	.text = host_text,
	.is = host_is,
	.integer = host_integer,
	.decimal = host_decimal,
	.boolean = host_boolean,
	.time_ms = host_time_ms,
	.media = host_media,
	.query = host_query,
	.object = host_object,
	.array = host_array,
	.make_text = host_make_text,
	.make_integer = host_make_integer,
	.make_decimal = host_make_decimal,
	.join = host_join,
	.cut = host_cut,
	.put = host_put,
	.put_text = host_put_text,
	.put_integer = host_put_integer,
	.put_boolean = host_put_boolean,
	.append = host_append,
	.put_media = host_put_media,
	.put_extras = host_put_extras,
	.state = host_state,
	.path = host_path,
	.link = host_link,
	.note = host_note,
	.exchange = host_exchange,
	.wait = host_wait,
	.accepted = host_accepted,
	.done = host_done,
	.failed = host_failed,
	.trouble = host_trouble,
	.cancelled = host_cancelled,
	.absent = host_absent,
	.unknown = host_unknown,
	.report = host_report,
	.respond = host_respond,
	.hint = host_hint,
};

void step_fault(struct fg_step *s, const char *format, ...)
{
	char text[512];
	va_list args;

	if (s->answer->fault)
		return;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	s->answer->fault = plugin_answer_words(s->answer, bytes_of_text(text), sizeof(text));
}

void step_refuse(struct fg_step *s, const char *field, const char *format, ...)
{
	char text[512];
	va_list args;

	if (s->refusal)
		return;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	s->refusal = plugin_answer_words(s->answer, bytes_of_text(text), sizeof(text));
	s->refusal_field = plugin_answer_text(s->answer, bytes_of_text(field));
}

bool step_failed(struct fg_step *s, int outcome)
{
	if (outcome == -ENOMEM)
		plugin_answer_set_out_of_memory(s->answer);
	return outcome != 0;
}

bool step_owns(struct fg_step *s, fg_node node)
{
	if (!node || json_kind(s->json, node) != JSON_KIND_ABSENT)
		return true;
	step_fault(s, "there is no node %u in this step", node);
	return false;
}

void step_check_json(struct fg_step *s, int outcome, const char *what)
{
	if (step_failed(s, outcome))
		step_fault(s, "%s: %s", what, json_outcome_text(outcome));
}

bool step_text(struct fg_step *s, struct fg_text text, const char *what, struct bytes *ret)
{
	if (text.size > LIMIT_PLUGIN_TEXT || (text.size && !text.data)) {
		step_fault(s, "%s: a text of %llu bytes%s", what, (unsigned long long)text.size,
			   text.data ? "" : " at NULL");
		return false;
	}
	*ret = bytes_of(text.data, text.size);
	return true;
}

static json_node make_text(struct fg_step *s, const char *text)
{
	return text ? json_make_text(s->json, bytes_of_text(text)) : JSON_ABSENT;
}

static json_node make_integer_unless_zero(struct fg_step *s, int64_t value)
{
	return value ? json_make_integer(s->json, value) : JSON_ABSENT;
}

static const char *reply_header(const struct plugin_reply *reply, const char *name)
{
	for (size_t i = 0; i < reply->n_headers; i++)
		if (strcasecmp(reply->headers[i].name, name) == 0)
			return reply->headers[i].value;
	return NULL;
}

static void describe_reply(struct fg_step *s, json_node step, const char *problem)
{
	const struct plugin_reply *reply = s->input->reply;
	const char *type = reply_header(reply, "content-type");
	struct bytes type_text = bytes_of(type, type ? strcspn(type, "; \t") : 0);

	json_put(s->json, step, "/reply/status", json_make_integer(s->json, reply->status));
	json_put(s->json, step, "/reply/elapsed_ms", json_make_integer(s->json, reply->elapsed_ms));
	json_put(s->json, step, "/reply/size_bytes", json_make_integer(s->json, (int64_t)reply->body.len));
	json_put(s->json, step, "/reply/problem", make_text(s, problem));
	if (type && bytes_are_text(type_text))
		json_put(s->json, step, "/reply/media_type", json_make_text(s->json, type_text));
}

/* @step holds what only some verbs are told. */
static void describe_step(struct fg_step *s, json_node step, const char *problem)
{
	const struct plugin_step *in = s->input;
	char hex[2 * PLUGIN_RANDOM_SIZE + 1];

	for (size_t i = 0; i < PLUGIN_RANDOM_SIZE; i++)
		snprintf(hex + 2 * i, 3, "%02x", in->random[i]);
	json_put(s->json, step, "/verb", make_text(s, plugin_verb_name(in->verb)));
	json_put(s->json, step, "/phase", json_make_integer(s->json, in->phase));
	json_put(s->json, step, "/now_ms", json_make_integer(s->json, in->now_ms));
	json_put(s->json, step, "/random", make_text(s, hex));
	json_put(s->json, step, "/attempt", json_make_integer(s->json, in->attempt));
	json_put(s->json, step, "/send", json_make_integer(s->json, in->send));
	json_put(s->json, step, "/idempotency_key", make_text(s, in->idempotency_key));
	json_put(s->json, step, "/remote/id", make_text(s, in->remote_id));
	json_put(s->json, step, "/remote/kind", make_text(s, in->remote_kind));
	json_put(s->json, step, "/catalogue/kind", make_text(s, in->catalogue_kind));
	json_put(s->json, step, "/catalogue/next", make_text(s, in->catalogue_next));
	json_put(s->json, step, "/list/next", make_text(s, in->list_next));
	json_put(s->json, step, "/subscription/action", make_text(s, in->subscription_action));
	json_put(s->json, step, "/subscription/url", make_text(s, in->subscription_url));
	json_put(s->json, step, "/subscription/id", make_text(s, in->subscription_id));
	json_put(s->json, step, "/polls", json_make_integer(s->json, in->polls));
	json_put(s->json, step, "/accepted_at_ms", make_integer_unless_zero(s, in->accepted_at_ms));
	if (in->reply)
		describe_reply(s, step, problem);
	if (in->verb == PLUGIN_VERB_UPLOAD && in->n_assets)
		json_put(s->json, step, "/input", plugin_media_input(s));
}

/* A reply need not be JSON; what is not stays absent, and the reason becomes a fact of the step. */
static int read_reply(struct fg_step *s, const char **ret_problem)
{
	static const char bom[] = "\xef\xbb\xbf";
	struct bytes body = s->input->reply ? s->input->reply->body : bytes_of(NULL, 0);
	int r;

	if (body.len >= 3 && memcmp(body.data, bom, 3) == 0)
		body = bytes_of((const char *)body.data + 3, body.len - 3);
	if (body.len == 0)
		return 0;
	r = json_parse(s->json, body, JSON_DUPLICATES_LAST_WINS, &s->documents[FG_DOC_REPLY], NULL);
	if (r > 0)
		*ret_problem = json_outcome_text(r);
	return r < 0 ? err_trace(r) : 0;
}

/* Documents that the daemon wrote itself: what is wrong with them is our fault, -EBADMSG. */
static int read_own(struct fg_step *s, uint32_t which, struct bytes text)
{
	int r;

	if (text.len == 0) {
		s->documents[which] = json_object(s->json);
		return 0;
	}
	r = json_parse(s->json, text, JSON_DUPLICATES_REFUSE, &s->documents[which], NULL);
	return r > 0 ? err_origin(-EBADMSG) : r;
}

static int read_documents(struct fg_step *s)
{
	const struct plugin_account *account = s->input->account;
	const char *problem = NULL;
	int r = read_own(s, FG_DOC_JOB, s->input->job);

	if (r == 0)
		r = read_own(s, FG_DOC_STATE, s->input->state);
	if (r == 0)
		r = read_own(s, FG_DOC_STEP, s->input->facts);
	if (r == 0)
		r = read_reply(s, &problem);
	if (r)
		return r;
	s->documents[FG_DOC_ACCOUNT] = json_copy(s->json, account->json, account->document);
	plugin_media_begin(s);
	plugin_media_describe(s);
	describe_step(s, s->documents[FG_DOC_STEP], problem);
	s->first_own = json_object(s->json);
	return json_fault(s->json) ? err_origin(json_fault(s->json) < 0 ? json_fault(s->json) : -EMSGSIZE) : 0;
}

static void call_verb(struct fg_step *s)
{
	fg_verb *verb = s->input->account->plugin->verbs[s->input->verb];
	int32_t value;

	if (!verb) {
		step_fault(s, "it has no verb '%s'", plugin_verb_name(s->input->verb));
		return;
	}
	value = verb(&plugin_host, s);
	if (!s->has_answered)
		step_fault(s, "the verb returned %d without an answer", value);
	else if (value != FG_ANSWERED)
		step_fault(s, "the verb answered and then returned %d instead of the answer's value", value);
	if (json_fault(s->json) > 0)
		step_fault(s, "what it wrote is refused: %s", json_outcome_text(json_fault(s->json)));
}

static void keep_state(struct fg_step *s)
{
	_cleanup_(buffer_finish) struct buffer text = {.limit = LIMIT_PLUGIN_STATE};

	if (!s->state || json_equal(s->json, s->state, s->json, s->documents[FG_DOC_STATE]))
		return;
	if (step_failed(s, json_write(s->json, s->state, JSON_FORM_PLAIN, &text))) {
		step_fault(s, "state(): larger than %d bytes, or nested too deeply", LIMIT_PLUGIN_STATE);
		return;
	}
	if (plugin_media_is_in(s, buffer_bytes(&text)))
		step_fault(s, "state(): it keeps no inputs");
	s->answer->state = plugin_answer_text(s->answer, buffer_bytes(&text));
}

/* An order that turned out to be wrong is refused before anything is sent; nothing was bought by it. */
static void apply_refusal(struct fg_step *s)
{
	struct plugin_answer *answer = s->answer;
	bool is_approved = answer->kind == PLUGIN_ANSWER_REPORT && s->input->verb == PLUGIN_VERB_CHECK;

	if (!s->refusal || (answer->kind != PLUGIN_ANSWER_EXCHANGE && !is_approved))
		return;
	answer->kind = PLUGIN_ANSWER_FAILED;
	answer->report = NULL;
	answer->exchange = (struct plugin_exchange){0};
	answer->failure = (struct plugin_failure){
		.reason = PLUGIN_REASON_INVALID_INPUT,
		.bought = PLUGIN_BOUGHT_NONE,
		.code = "",
		.message = s->refusal,
		.request_id = "",
		.field = s->refusal_field,
	};
}

/* What start asks for cannot be said as long as an input has no handle: nothing of the answer counts but that. */
static void apply_uploads(struct fg_step *s)
{
	struct plugin_answer *answer = s->answer;
	const char **names;

	if (s->n_uploads == 0 || answer->kind != PLUGIN_ANSWER_EXCHANGE)
		return;
	names = plugin_answer_alloc(answer, s->n_uploads, sizeof(*names));
	*answer = (struct plugin_answer){
		.kind = PLUGIN_ANSWER_UPLOAD, .fault = answer->fault, .uploads = names, .memory = answer->memory};
	for (size_t i = 0; names && i < s->n_uploads; i++)
		names[answer->n_uploads++] = plugin_answer_text(answer, bytes_of_text(s->uploads[i]->name));
}

/* A fault takes everything else with it: half an answer of a plugin that broke the rules is not to be trusted. */
static void settle(struct fg_step *s)
{
	struct plugin_answer *answer = s->answer;

	if (!answer->fault)
		keep_state(s);
	apply_refusal(s);
	apply_uploads(s);
	if (!answer->fault)
		return;
	*answer = (struct plugin_answer){.kind = PLUGIN_ANSWER_FAULT, .fault = answer->fault, .memory = answer->memory};
}

static void finish(struct fg_step *s)
{
	json_free(s->json);
	buffer_finish(&s->scratch);
	plugin_answer_free(s->answer);
}

struct plugin_answer *plugin_step_run(const struct plugin_step *step)
{
	_cleanup_(finish) struct fg_step s = {.input = step, .scratch = {.limit = LIMIT_PLUGIN_TEXT}};
	int r;

	s.answer = plugin_answer_new();
	s.json = json_new(NULL);
	if (!s.answer || !s.json)
		return NULL;
	r = read_documents(&s);
	if (r == 0)
		call_verb(&s);
	else if (r != -ENOMEM)
		step_fault(&s, "the step's own documents cannot be read: %s", strerror(-r));
	settle(&s);
	if (r == -ENOMEM || json_fault(s.json) < 0 || plugin_answer_is_out_of_memory(s.answer))
		return NULL;
	return steal(s.answer);
}
