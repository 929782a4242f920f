/*
 * The host's answers. Each copies the plugin's table, checks that the verb may answer so, and turns nodes into plain
 * data. The first answer counts; a second one is a fault.
 */
#include "plugin/step_inside.h"

#include "base/limits.h"

#define MAY(verb) (1u << PLUGIN_VERB_##verb)
#define MAY_EXCHANGE                                                                                       \
	(MAY(START) | MAY(POLL) | MAY(RESULT) | MAY(CANCEL) | MAY(REMOVE) | MAY(RECONCILE) | MAY(UPLOAD) | \
	 MAY(CATALOGUE) | MAY(ACCOUNT) | MAY(LIST) | MAY(SUBSCRIBE))

/* The enums of answer.h are the constants of the SDK. */
_Static_assert(FG_EFFECT_IDEMPOTENT == PLUGIN_EFFECT_IDEMPOTENT && FG_EFFECT_SAFE == PLUGIN_EFFECT_SAFE, "effect");
_Static_assert(FG_STAGE_RUNNING == PLUGIN_STAGE_RUNNING && FG_STAGE_QUEUED == PLUGIN_STAGE_QUEUED, "stage");
_Static_assert(FG_BOUGHT_UNKNOWN == PLUGIN_BOUGHT_UNKNOWN && FG_BOUGHT_MADE == PLUGIN_BOUGHT_MADE, "bought");
_Static_assert(FG_CANCEL_TOO_LATE == PLUGIN_CANCEL_TOO_LATE, "cancel");
_Static_assert(FG_REASON_QUOTA == PLUGIN_REASON_QUOTA && FG_REASON_LOST == PLUGIN_REASON_LOST &&
		       FG_REASON_CANCELLED == PLUGIN_REASON_CANCELLED &&
		       FG_REASON_IN_PROGRESS == PLUGIN_REASON_IN_PROGRESS &&
		       FG_REASON_RATE_LIMITED == PLUGIN_REASON_RATE_LIMITED,
	       "reason");
_Static_assert((int)FG_NOTE_INFO == (int)PLUGIN_NOTE_INFO && (int)FG_NOTE_IGNORED == (int)PLUGIN_NOTE_IGNORED, "note");

static bool begin(struct fg_step *s, enum plugin_answer_kind kind, uint32_t verbs)
{
	if (s->has_answered) {
		step_fault(s, "it answered twice: %s, then %s", plugin_answer_name(s->answer->kind),
			   plugin_answer_name(kind));
		return false;
	}
	s->has_answered = true;
	s->answer->kind = kind;
	if (!(verbs & 1u << s->input->verb)) {
		step_fault(s, "%s() is no answer to '%s'", plugin_answer_name(kind), plugin_verb_name(s->input->verb));
		return false;
	}
	return true;
}

static bool copy_table(struct fg_step *s, const void *theirs, void *ours, size_t size)
{
	int r;

	if (!theirs) {
		step_fault(s, "%s(): its argument is NULL", plugin_answer_name(s->answer->kind));
		return false;
	}
	r = plugin_table_copy(theirs, ours, size, size);
	if (r)
		step_fault(s, "%s(): %s", plugin_answer_name(s->answer->kind), plugin_table_outcome_text(r));
	return r == 0;
}

static uint32_t checked(struct fg_step *s, uint32_t value, uint32_t count, const char *what)
{
	if (value < count)
		return value;
	step_fault(s, "%s(): there is no %s %u", plugin_answer_name(s->answer->kind), what, value);
	return 0;
}

/* Foreign words that the plugin passes on. */
static const char *words(struct fg_step *s, struct fg_text text, size_t limit, const char *what)
{
	struct bytes bytes;

	return step_text(s, text, what, &bytes) ? plugin_answer_words(s->answer, bytes, limit) : "";
}

static const char *member(struct fg_step *s, json_node object, const char *pointer, size_t limit)
{
	return plugin_answer_words(s->answer, json_text(s->json, json_at(s->json, object, pointer)), limit);
}

static int64_t checked_ms(struct fg_step *s, uint64_t ms)
{
	if (ms <= LIMIT_PLUGIN_WAIT_MS)
		return (int64_t)ms;
	step_fault(s, "%s(): %llu ms are more than %lld", plugin_answer_name(s->answer->kind), (unsigned long long)ms,
		   (long long)LIMIT_PLUGIN_WAIT_MS);
	return 0;
}

/* The reply's own wish stands where the plugin has none. */
static int64_t after_ms(struct fg_step *s, uint64_t said)
{
	uint64_t asked = host_retry_after_ms(s);

	return said ? checked_ms(s, said) : (int64_t)(asked < LIMIT_PLUGIN_WAIT_MS ? asked : LIMIT_PLUGIN_WAIT_MS);
}

/* The elements of an array that may be absent; a fault when it is something else or longer than @limit. */
static uint32_t list_length(struct fg_step *s, json_node list, uint32_t limit, const char *what)
{
	uint32_t count = json_count(s->json, list);

	if (list && (!step_owns(s, list) || json_kind(s->json, list) != JSON_KIND_ARRAY)) {
		step_fault(s, "%s(): %s must be an array", plugin_answer_name(s->answer->kind), what);
		return 0;
	}
	if (count > limit) {
		step_fault(s, "%s(): %u %s are more than %u", plugin_answer_name(s->answer->kind), count, what, limit);
		return 0;
	}
	return count;
}

int32_t host_exchange(struct fg_step *s, const struct fg_exchange *exchange)
{
	struct fg_exchange ours;

	if (begin(s, PLUGIN_ANSWER_EXCHANGE, MAY_EXCHANGE) && copy_table(s, exchange, &ours, sizeof(ours)))
		plugin_exchange_build(s, &ours);
	return FG_ANSWERED;
}

int32_t host_wait(struct fg_step *s, const struct fg_wait *wait)
{
	static const uint32_t known = FG_WAIT_HAS_PROGRESS | FG_WAIT_HAS_QUEUE_POSITION;
	struct plugin_wait *answer = &s->answer->wait;
	struct fg_wait ours;

	if (!begin(s, PLUGIN_ANSWER_WAIT, MAY(START) | MAY(POLL) | MAY(RESULT) | MAY(CANCEL) | MAY(RECONCILE)) ||
	    !copy_table(s, wait, &ours, sizeof(ours)))
		return FG_ANSWERED;
	if (ours.has & ~known || ours.progress_permille > 1000 || ours.queue_position > INT64_MAX)
		step_fault(s, "wait(): there is no flag 0x%x, no progress of %u per mille or no queue position so high",
			   ours.has, ours.progress_permille);
	answer->stage = (enum plugin_stage)checked(s, ours.stage, _PLUGIN_STAGE_N, "stage");
	answer->after_ms = after_ms(s, ours.after_ms);
	answer->progress_permille = ours.has & FG_WAIT_HAS_PROGRESS ? (int)ours.progress_permille : -1;
	answer->queue_position = ours.has & FG_WAIT_HAS_QUEUE_POSITION ? (int64_t)ours.queue_position : -1;
	answer->status = words(s, ours.status, LIMIT_PLUGIN_WORD, "wait()");
	return FG_ANSWERED;
}

static void read_remotes(struct fg_step *s, json_node list, const struct plugin_remote **ret, size_t *ret_n)
{
	uint32_t count = list_length(s, list, LIMIT_PLUGIN_REMOTES, "remotes");
	struct plugin_remote *remotes = plugin_answer_alloc(s->answer, count, sizeof(*remotes));
	size_t n = 0;

	if (count > 1 && !plugin_feature_is_offered("several_remotes"))
		step_fault(s,
			   "%u remotes: this daemon cannot follow more than one yet; the manifest should require "
			   "'several_remotes'",
			   count);
	for (json_node r = json_first(s->json, list); remotes && n < count && r; r = json_next(s->json, r)) {
		remotes[n] = (struct plugin_remote){
			.id = member(s, r, "/id", LIMIT_PLUGIN_WORDS),
			.kind = member(s, r, "/kind", LIMIT_PLUGIN_WORD),
			.language = member(s, r, "/language", LIMIT_PLUGIN_WORD),
		};
		if (remotes[n++].id[0] == '\0')
			step_fault(s, "%s(): a remote has no id", plugin_answer_name(s->answer->kind));
	}
	*ret = remotes;
	*ret_n = n;
}

static struct plugin_cost read_cost(struct fg_step *s, json_node node)
{
	struct plugin_cost cost = {.currency = ""};
	json_node source = json_at(s->json, node, "/source");

	if (!node || !step_owns(s, node))
		return cost;
	cost.is_known = true;
	cost.amount_micros = json_integer(s->json, json_at(s->json, node, "/amount_micros"), -1);
	cost.currency = member(s, node, "/currency", LIMIT_PLUGIN_WORD);
	cost.is_from_provider = json_text_is(s->json, source, "provider");
	if (cost.amount_micros < 0 || cost.currency[0] == '\0' ||
	    (!cost.is_from_provider && !json_text_is(s->json, source, "computed")))
		step_fault(s, "%s(): a cost needs amount_micros, currency and source (provider or computed)",
			   plugin_answer_name(s->answer->kind));
	return cost;
}

int32_t host_accepted(struct fg_step *s, const struct fg_accepted *accepted)
{
	struct plugin_accepted *answer = &s->answer->accepted;
	struct fg_accepted ours;

	if (!begin(s, PLUGIN_ANSWER_ACCEPTED, MAY(START) | MAY(RECONCILE)) ||
	    !copy_table(s, accepted, &ours, sizeof(ours)))
		return FG_ANSWERED;
	answer->stage = (enum plugin_stage)checked(s, ours.stage, _PLUGIN_STAGE_N, "stage");
	answer->after_ms = after_ms(s, ours.after_ms);
	answer->status = words(s, ours.status, LIMIT_PLUGIN_WORD, "accepted()");
	answer->cost = read_cost(s, ours.cost);
	read_remotes(s, ours.remotes, &answer->remotes, &answer->n_remotes);
	if (answer->n_remotes == 0)
		step_fault(s, "accepted(): there is no remote, so nothing could be polled");
	return FG_ANSWERED;
}

/* Where its bytes come from: an address, with or without a credential, or the reply. */
static void read_source(struct fg_step *s, json_node node, struct plugin_output *output)
{
	struct plugin_header_list list = {0};
	json_node url = json_at(s->json, node, "/url"), lifted = json_at(s->json, node, "/lifted");
	const char *scheme = member(s, node, "/auth", LIMIT_PLUGIN_WORD);

	if (lifted) {
		output->lifted = plugin_lift_find(s, lifted);
		if (url || scheme[0])
			step_fault(s, "done(): a lifted output has neither url nor auth");
		return;
	}
	output->url = plugin_target(s, json_text(s->json, url), "done(): an output");
	if (!output->url)
		return;
	output->shown_url = plugin_shown(s, output->url);
	if (scheme[0] && plugin_credential_add(s, scheme, &output->url, &list)) {
		output->headers = list.headers;
		output->n_headers = list.n;
	}
}

static void read_output(struct fg_step *s, json_node node, struct plugin_output *output)
{
	int64_t index = json_integer(s->json, json_at(s->json, node, "/index"), 0);

	output->role = member(s, node, "/role", LIMIT_PLUGIN_WORD);
	if (output->role[0] == '\0' || index < 0 || index > LIMIT_PLUGIN_OUTPUTS)
		step_fault(s, "done(): an output has no role, or an odd index");
	read_source(s, node, output);
	output->media_type = member(s, node, "/media_type", LIMIT_PLUGIN_WORD);
	output->language = member(s, node, "/language", LIMIT_PLUGIN_WORD);
	output->index = (uint32_t)index;
	output->expires_at_ms = json_integer(s->json, json_at(s->json, node, "/expires_at_ms"), 0);
}

/* Sealing one takes the file away. */
static void check_lifted_once(struct fg_step *s, const struct plugin_done *done)
{
	for (size_t i = 0; done->outputs && i < done->n_outputs; i++)
		for (size_t k = 0; k < i && done->outputs[i].lifted; k++)
			if (done->outputs[k].lifted && strcmp(done->outputs[k].lifted, done->outputs[i].lifted) == 0)
				step_fault(s, "done(): two outputs are the text that was lifted at '%.200s'",
					   done->outputs[i].lifted);
}

static void read_outputs(struct fg_step *s, json_node list, struct plugin_done *done)
{
	uint32_t count = list_length(s, list, LIMIT_PLUGIN_OUTPUTS, "outputs");
	struct plugin_output *outputs = plugin_answer_alloc(s->answer, count, sizeof(*outputs));

	for (json_node n = json_first(s->json, list); outputs && done->n_outputs < count && n;
	     n = json_next(s->json, n))
		read_output(s, n, &outputs[done->n_outputs++]);
	done->outputs = outputs;
	check_lifted_once(s, done);
}

static bool is_final_reason(int64_t reason)
{
	return reason >= FG_REASON_UNKNOWN && reason <= FG_REASON_QUOTA;
}

static bool is_throttle(int64_t reason)
{
	return reason >= FG_REASON_RATE_LIMITED && reason <= FG_REASON_IN_PROGRESS;
}

static void read_missing(struct fg_step *s, json_node list, struct plugin_done *done)
{
	uint32_t count = list_length(s, list, LIMIT_PLUGIN_OUTPUTS, "missing");
	struct plugin_missing *missing = plugin_answer_alloc(s->answer, count, sizeof(*missing));

	for (json_node n = json_first(s->json, list); missing && done->n_missing < count && n;
	     n = json_next(s->json, n)) {
		int64_t reason = json_integer(s->json, json_at(s->json, n, "/reason"), -1);
		int64_t index = json_integer(s->json, json_at(s->json, n, "/index"), 0);

		missing[done->n_missing] = (struct plugin_missing){
			.role = member(s, n, "/role", LIMIT_PLUGIN_WORD),
			.reason = is_final_reason(reason) ? (enum plugin_reason)reason : PLUGIN_REASON_UNKNOWN,
			.language = member(s, n, "/language", LIMIT_PLUGIN_WORD),
			.index = index > 0 && index <= LIMIT_PLUGIN_OUTPUTS ? (uint32_t)index : 0,
			.code = member(s, n, "/code", LIMIT_PLUGIN_WORD),
			.message = member(s, n, "/message", LIMIT_PLUGIN_WORDS),
		};
		if (missing[done->n_missing++].role[0] == '\0' || !is_final_reason(reason))
			step_fault(s, "done(): what is missing needs a role and a reason below 20");
	}
	done->missing = missing;
}

int32_t host_done(struct fg_step *s, const struct fg_done *done)
{
	struct plugin_done *answer = &s->answer->done;
	struct fg_done ours;

	if (!begin(s, PLUGIN_ANSWER_DONE, MAY(START) | MAY(POLL) | MAY(RESULT) | MAY(RECONCILE)) ||
	    !copy_table(s, done, &ours, sizeof(ours)))
		return FG_ANSWERED;
	if (ours.flags)
		step_fault(s, "done(): there is no flag 0x%x", ours.flags);
	read_outputs(s, ours.outputs, answer);
	read_missing(s, ours.missing, answer);
	read_remotes(s, ours.remotes, &answer->remotes, &answer->n_remotes);
	answer->cost = read_cost(s, ours.cost);
	if (answer->n_outputs == 0)
		step_fault(s, "done(): there is no output; a job without one has failed");
	return FG_ANSWERED;
}

/* The header that the manifest names for it, when the plugin did not say. */
static const char *request_id(struct fg_step *s, struct fg_text said)
{
	const char *header = step_manifest(s)->request_id_header;
	struct fg_text found = said.size || !header ? said : host_header(s, header);

	return words(s, found, LIMIT_PLUGIN_WORD, "request_id");
}

static int32_t fail(struct fg_step *s, const struct fg_failure *failure)
{
	struct plugin_failure *answer = &s->answer->failure;
	bool is_trouble = s->answer->kind == PLUGIN_ANSWER_TROUBLE;
	struct fg_failure ours;

	if (!copy_table(s, failure, &ours, sizeof(ours)))
		return FG_ANSWERED;
	if (!is_final_reason(ours.reason) && !(is_trouble && is_throttle(ours.reason)))
		step_fault(s, "%s(): the reason %u is not allowed here", plugin_answer_name(s->answer->kind),
			   ours.reason);
	if (ours.flags)
		step_fault(s, "%s(): there is no flag 0x%x", plugin_answer_name(s->answer->kind), ours.flags);
	*answer = (struct plugin_failure){
		.reason = (enum plugin_reason)ours.reason,
		.bought = (enum plugin_bought)checked(s, ours.bought, _PLUGIN_BOUGHT_N, "'bought'"),
		.retry_after_ms = after_ms(s, ours.retry_after_ms),
		.code = words(s, ours.code, LIMIT_PLUGIN_WORD, "code"),
		.message = words(s, ours.message, LIMIT_PLUGIN_WORDS, "message"),
		.request_id = request_id(s, ours.request_id),
		.field = words(s, ours.field, LIMIT_PLUGIN_WORD, "field"),
	};
	return FG_ANSWERED;
}

int32_t host_failed(struct fg_step *s, const struct fg_failure *failure)
{
	return begin(s, PLUGIN_ANSWER_FAILED, ~MAY(WEBHOOK)) ? fail(s, failure) : FG_ANSWERED;
}

int32_t host_trouble(struct fg_step *s, const struct fg_failure *failure)
{
	return begin(s, PLUGIN_ANSWER_TROUBLE, ~(MAY(WEBHOOK) | MAY(CHECK))) ? fail(s, failure) : FG_ANSWERED;
}

int32_t host_cancelled(struct fg_step *s, const struct fg_cancelled *cancelled)
{
	struct fg_cancelled ours;

	if (!begin(s, PLUGIN_ANSWER_CANCELLED, MAY(CANCEL)) || !copy_table(s, cancelled, &ours, sizeof(ours)))
		return FG_ANSWERED;
	if (ours.flags)
		step_fault(s, "cancelled(): there is no flag 0x%x", ours.flags);
	s->answer->cancelled = (struct plugin_cancelled){
		.achieved = (enum plugin_cancel)checked(s, ours.achieved, _PLUGIN_CANCEL_N, "'achieved'"),
		.bought = (enum plugin_bought)checked(s, ours.bought, _PLUGIN_BOUGHT_N, "'bought'"),
		.message = words(s, ours.message, LIMIT_PLUGIN_WORDS, "message"),
	};
	return FG_ANSWERED;
}

int32_t host_absent(struct fg_step *s)
{
	begin(s, PLUGIN_ANSWER_ABSENT, MAY(RECONCILE));
	return FG_ANSWERED;
}

int32_t host_unknown(struct fg_step *s)
{
	begin(s, PLUGIN_ANSWER_UNKNOWN, MAY(RECONCILE));
	return FG_ANSWERED;
}

/* What an upload came to is kept for other orders, too: it is looked at before. */
static void check_upload_report(struct fg_step *s, json_node report)
{
	json_node handle = json_at(s->json, report, "/handle"), headers = json_at(s->json, report, "/headers");
	json_node expires = json_at(s->json, report, "/expires_at_ms");
	struct bytes text = json_text(s->json, handle);

	if (json_kind(s->json, handle) != JSON_KIND_TEXT || text.len == 0 || text.len > LIMIT_JOB_MEDIA_HANDLE)
		step_fault(s, "report(): an upload needs a handle of 1 to %d bytes", LIMIT_JOB_MEDIA_HANDLE);
	if (expires && json_integer(s->json, expires, -1) < 0)
		step_fault(s, "report(): expires_at_ms of an upload is no instant");
	if (headers && !plugin_headers_are_plugins(s, headers))
		step_fault(s, "report(): headers of an upload must be an object of texts that a plugin may set");
}

static void check_violation(struct fg_step *s, json_node violation)
{
	json_node pointer = json_at(s->json, violation, "/pointer");
	struct bytes message = json_text(s->json, json_at(s->json, violation, "/message"));

	if (message.len == 0 || message.len > LIMIT_PLUGIN_WORDS ||
	    (pointer &&
	     (json_kind(s->json, pointer) != JSON_KIND_TEXT || json_text(s->json, pointer).len > LIMIT_PLUGIN_WORD)))
		step_fault(s, "report(): a violation needs a message of 1 to %d bytes, and a pointer that is a text",
			   LIMIT_PLUGIN_WORDS);
}

/* What is wrong with an order is said to whoever orders, word by word. */
static void check_judgement(struct fg_step *s, json_node report)
{
	json_node list = json_at(s->json, report, "/violations");

	if (list_length(s, list, LIMIT_JOB_VIOLATIONS, "violations") < json_count(s->json, list))
		return;
	for (json_node n = json_first(s->json, list); n; n = json_next(s->json, n))
		check_violation(s, n);
	for (json_node n = json_first(s->json, report); n; n = json_next(s->json, n))
		if (strcmp(json_name(s->json, n), "violations") != 0)
			step_fault(s, "report(): of a check this daemon takes violations, and no '%.64s'",
				   json_name(s->json, n));
}

static void check_listing(struct fg_step *s, json_node report)
{
	json_node next = json_at(s->json, report, "/next");

	if (json_kind(s->json, json_at(s->json, report, "/entries")) != JSON_KIND_ARRAY)
		step_fault(s, "report(): of a list this daemon takes an array 'entries'");
	if (next && (json_kind(s->json, next) != JSON_KIND_TEXT || json_text(s->json, next).len == 0 ||
		     json_text(s->json, next).len > LIMIT_PLUGIN_LIST_NEXT))
		step_fault(s, "report(): 'next' of a list is a text of 1 to %d bytes", LIMIT_PLUGIN_LIST_NEXT);
}

/* The id goes back to the provider in its time. */
static void check_subscription(struct fg_step *s, json_node report)
{
	json_node id = json_at(s->json, report, "/id");
	struct bytes text = json_text(s->json, id);

	if (s->input->subscription_action && strcmp(s->input->subscription_action, PLUGIN_SUBSCRIPTION_END) == 0)
		return;
	if (json_kind(s->json, id) != JSON_KIND_TEXT || text.len == 0 || text.len > LIMIT_PLUGIN_WORD ||
	    !bytes_are_one_line(text))
		step_fault(s, "report(): a subscription needs an id, one line of 1 to %d bytes", LIMIT_PLUGIN_WORD);
}

int32_t host_report(struct fg_step *s, fg_node report)
{
	_cleanup_(buffer_finish) struct buffer text = {.limit = LIMIT_PLUGIN_REPORT};

	if (!begin(s, PLUGIN_ANSWER_REPORT,
		   MAY(ACCOUNT) | MAY(CATALOGUE) | MAY(CHECK) | MAY(LIST) | MAY(REMOVE) | MAY(SUBSCRIBE) | MAY(UPLOAD)))
		return FG_ANSWERED;
	if (!step_owns(s, report) || json_kind(s->json, report) != JSON_KIND_OBJECT) {
		step_fault(s, "report(): it must be an object");
		return FG_ANSWERED;
	}
	if (s->input->verb == PLUGIN_VERB_UPLOAD)
		check_upload_report(s, report);
	if (s->input->verb == PLUGIN_VERB_CHECK)
		check_judgement(s, report);
	if (s->input->verb == PLUGIN_VERB_LIST)
		check_listing(s, report);
	if (s->input->verb == PLUGIN_VERB_SUBSCRIBE)
		check_subscription(s, report);
	if (step_failed(s, json_write(s->json, report, JSON_FORM_PLAIN, &text)))
		step_fault(s, "report(): larger than %d bytes", LIMIT_PLUGIN_REPORT);
	else
		s->answer->report = plugin_answer_text(s->answer, buffer_bytes(&text));
	if (plugin_media_is_in(s, buffer_bytes(&text)))
		step_fault(s, "report(): it carries no inputs");
	return FG_ANSWERED;
}

/* What the provider's call is answered with. It tells a stranger nothing: the call was the provider's. */
static void take_response(struct fg_step *s, const struct fg_response *response)
{
	_cleanup_(buffer_finish) struct buffer body = {.limit = LIMIT_PLUGIN_RESPONSE};
	struct plugin_response *ret = &s->answer->response;

	ret->status = response->status ? response->status : 204;
	if (ret->status < 200 || ret->status > 299)
		step_fault(s, "%s(): status %u is none of 200 to 299", plugin_answer_name(s->answer->kind),
			   ret->status);
	if (response->flags)
		step_fault(s, "%s(): there are no flags %u", plugin_answer_name(s->answer->kind), response->flags);
	if (!response->body || !step_owns(s, response->body))
		return;
	if (step_failed(s, json_write(s->json, response->body, JSON_FORM_PLAIN, &body)))
		step_fault(s, "%s(): a body larger than %d bytes", plugin_answer_name(s->answer->kind),
			   LIMIT_PLUGIN_RESPONSE);
	else
		ret->body = plugin_answer_text(s->answer, buffer_bytes(&body));
}

int32_t host_respond(struct fg_step *s, const struct fg_response *response)
{
	struct fg_response ours;

	if (!begin(s, PLUGIN_ANSWER_RESPOND, MAY(WEBHOOK)) || !copy_table(s, response, &ours, sizeof(ours)))
		return FG_ANSWERED;
	take_response(s, &ours);
	s->answer->response.remote_id = "";
	return FG_ANSWERED;
}

int32_t host_hint(struct fg_step *s, const struct fg_response *response)
{
	struct fg_response ours;
	struct bytes id;

	if (!begin(s, PLUGIN_ANSWER_HINT, MAY(WEBHOOK)) || !copy_table(s, response, &ours, sizeof(ours)))
		return FG_ANSWERED;
	take_response(s, &ours);
	if (!step_text(s, ours.remote_id, "hint()", &id))
		return FG_ANSWERED;
	if (id.len == 0 || id.len > LIMIT_PLUGIN_WORDS || !bytes_are_one_line(id))
		step_fault(s, "hint(): remote_id must be one line of 1 to %d bytes", LIMIT_PLUGIN_WORDS);
	else
		s->answer->response.remote_id = plugin_answer_text(s->answer, id);
	return FG_ANSWERED;
}
