/*
 * An answer as a JSON document, for recordings and for comparing. A header that carries a credential shows only that
 * there is one. Of a file that is sent there are its name, which is its digest, and its size: in the body stands
 * {assets/… base64} or {assets/… raw} in its place.
 */
#include "plugin/step_inside.h"

#include <assert.h>

#if __SIZEOF_POINTER__ == 8
static_assert(sizeof(struct plugin_exchange) == 152 && sizeof(struct plugin_piece) == 40 &&
		      sizeof(struct plugin_output) == 80 && sizeof(struct plugin_answer) == 504,
	      "an answer has a new member: write it here, or a replay does not compare it; then mend this number");
#endif

static const char *const effects[_PLUGIN_EFFECT_N] = {"buys", "buys_with_key", "safe", "idempotent"};

static void set(struct json *json, json_node object, const char *name, json_node value)
{
	json_set(json, object, bytes_of_text(name), value);
}

/* What is not said is left out. */
static void set_text(struct json *json, json_node object, const char *name, const char *value)
{
	if (value && *value)
		set(json, object, name, json_make_text(json, bytes_of_text(value)));
}

static void set_number(struct json *json, json_node object, const char *name, int64_t value)
{
	set(json, object, name, json_make_integer(json, value));
}

static json_node headers_of(struct json *json, const struct plugin_header *headers, size_t n)
{
	json_node list = json_array(json);

	for (size_t i = 0; i < n; i++) {
		json_node header = json_object(json);

		set_text(json, header, "name", headers[i].name);
		if (headers[i].is_secret)
			set(json, header, "credential", json_make_boolean(json, true));
		else
			set(json, header, "value",
			    json_make_text(json,
					   bytes_of_text(plugin_redact_is_secret_name(bytes_of_text(headers[i].name))
								 ? PLUGIN_REDACTED
								 : headers[i].value)));
		json_append(json, list, header);
	}
	return list;
}

/* JSON as its value, text as it is; anything else by its digest, since bytes could not be redacted. */
static void set_body(struct json *json, json_node out, struct bytes body)
{
	char digest[DIGEST_TEXT_SIZE];
	struct digest of = digest_of(body);
	json_node value = JSON_ABSENT;

	if (!body.data)
		return;
	if (json_parse(json, body, JSON_DUPLICATES_LAST_WINS, &value, NULL) == 0) {
		set(json, out, "json", value);
	} else if (bytes_are_text(body)) {
		set(json, out, "text", json_make_text(json, body));
	} else {
		digest_format(&of, digest);
		set_number(json, out, "size_bytes", (int64_t)body.len);
		set_text(json, out, "sha256", digest);
	}
}

static json_node texts_of(struct json *json, const char *const *texts, size_t n)
{
	json_node list = json_array(json);

	for (size_t i = 0; i < n; i++)
		json_append(json, list, json_make_text(json, bytes_of_text(texts[i])));
	return list;
}

static json_node files_of(struct json *json, const struct plugin_exchange *exchange)
{
	json_node list = json_array(json);

	for (size_t i = 0; i < exchange->n_pieces; i++) {
		const struct plugin_piece *piece = &exchange->pieces[i];
		json_node file = json_object(json);

		if (!piece->asset)
			continue;
		set_text(json, file, "asset", piece->asset);
		set_text(json, file, "form", piece->is_base64 ? "base64" : "raw");
		set_number(json, file, "size_bytes", (int64_t)piece->size_bytes);
		json_append(json, list, file);
	}
	return list;
}

static int append_piece(struct buffer *out, const struct plugin_piece *piece)
{
	if (piece->asset)
		return buffer_printf(out, "{%s %s}", piece->asset, piece->is_base64 ? "base64" : "raw");
	return buffer_append(out, piece->text.data, piece->text.len);
}

/* 0 or -ENOMEM. */
static int set_pieces(struct json *json, json_node out, const struct plugin_exchange *exchange)
{
	_cleanup_(buffer_finish) struct buffer whole = {0};
	int r = buffer_append(&whole, exchange->body.data, exchange->body.len);

	for (size_t i = 0; r == 0 && i < exchange->n_pieces; i++)
		r = append_piece(&whole, &exchange->pieces[i]);
	if (r)
		return r;
	set_body(json, out, buffer_bytes(&whole));
	set(json, out, "files", files_of(json, exchange));
	return 0;
}

/* JSON_ABSENT when out of memory. */
static json_node exchange_of(struct json *json, const struct plugin_exchange *exchange)
{
	json_node out = json_object(json);

	set_text(json, out, "effect", effects[exchange->effect]);
	set_number(json, out, "phase", exchange->phase);
	set_text(json, out, "method", exchange->method);
	set_text(json, out, "url", exchange->url);
	set(json, out, "headers", headers_of(json, exchange->headers, exchange->n_headers));
	if (exchange->n_pieces == 0)
		set_body(json, out, exchange->body);
	else if (set_pieces(json, out, exchange) != 0)
		return JSON_ABSENT;
	set_number(json, out, "timeout_ms", exchange->timeout_ms);
	set_number(json, out, "reply_limit_bytes", (int64_t)exchange->reply_limit_bytes);
	if (exchange->n_lift)
		set(json, out, "lift", texts_of(json, exchange->lift, exchange->n_lift));
	return out;
}

static json_node wait_of(struct json *json, const struct plugin_wait *wait)
{
	json_node out = json_object(json);

	set_number(json, out, "stage", wait->stage);
	set_number(json, out, "after_ms", wait->after_ms);
	set_number(json, out, "progress_permille", wait->progress_permille);
	set_number(json, out, "queue_position", wait->queue_position);
	set_text(json, out, "status", wait->status);
	return out;
}

static json_node remotes_of(struct json *json, const struct plugin_remote *remotes, size_t n)
{
	json_node list = json_array(json);

	for (size_t i = 0; i < n; i++) {
		json_node remote = json_object(json);

		set_text(json, remote, "id", remotes[i].id);
		set_text(json, remote, "kind", remotes[i].kind);
		set_text(json, remote, "language", remotes[i].language);
		json_append(json, list, remote);
	}
	return list;
}

static void set_cost(struct json *json, json_node out, const struct plugin_cost *cost)
{
	json_node node = json_object(json);

	if (!cost->is_known)
		return;
	set_number(json, node, "amount_micros", cost->amount_micros);
	set_text(json, node, "currency", cost->currency);
	set_text(json, node, "source", cost->is_from_provider ? "provider" : "computed");
	set(json, out, "cost", node);
}

static json_node accepted_of(struct json *json, const struct plugin_accepted *accepted)
{
	json_node out = json_object(json);

	set_number(json, out, "stage", accepted->stage);
	set_number(json, out, "after_ms", accepted->after_ms);
	set(json, out, "remotes", remotes_of(json, accepted->remotes, accepted->n_remotes));
	set_cost(json, out, &accepted->cost);
	set_text(json, out, "status", accepted->status);
	return out;
}

static json_node output_of(struct json *json, const struct plugin_output *output)
{
	json_node out = json_object(json);

	set_text(json, out, "role", output->role);
	set_text(json, out, "url", output->url);
	set_text(json, out, "lifted", output->lifted);
	set(json, out, "headers", headers_of(json, output->headers, output->n_headers));
	set_text(json, out, "media_type", output->media_type);
	set_text(json, out, "language", output->language);
	set_number(json, out, "index", output->index);
	set_number(json, out, "expires_at_ms", output->expires_at_ms);
	return out;
}

static json_node missing_of(struct json *json, const struct plugin_missing *missing)
{
	json_node out = json_object(json);

	set_text(json, out, "role", missing->role);
	set_number(json, out, "reason", missing->reason);
	set_text(json, out, "language", missing->language);
	set_number(json, out, "index", missing->index);
	set_text(json, out, "code", missing->code);
	set_text(json, out, "message", missing->message);
	return out;
}

static json_node done_of(struct json *json, const struct plugin_done *done)
{
	json_node out = json_object(json), outputs = json_array(json), missing = json_array(json);

	for (size_t i = 0; i < done->n_outputs; i++)
		json_append(json, outputs, output_of(json, &done->outputs[i]));
	for (size_t i = 0; i < done->n_missing; i++)
		json_append(json, missing, missing_of(json, &done->missing[i]));
	set(json, out, "outputs", outputs);
	set(json, out, "missing", missing);
	set_cost(json, out, &done->cost);
	set(json, out, "remotes", remotes_of(json, done->remotes, done->n_remotes));
	return out;
}

static json_node failure_of(struct json *json, const struct plugin_failure *failure)
{
	json_node out = json_object(json);

	set_number(json, out, "reason", failure->reason);
	set_number(json, out, "bought", failure->bought);
	set_number(json, out, "retry_after_ms", failure->retry_after_ms);
	set_text(json, out, "code", failure->code);
	set_text(json, out, "message", failure->message);
	set_text(json, out, "request_id", failure->request_id);
	set_text(json, out, "field", failure->field);
	return out;
}

static json_node cancelled_of(struct json *json, const struct plugin_cancelled *cancelled)
{
	json_node out = json_object(json);

	set_number(json, out, "achieved", cancelled->achieved);
	set_number(json, out, "bought", cancelled->bought);
	set_text(json, out, "message", cancelled->message);
	return out;
}

static json_node document_of(struct json *json, const char *text)
{
	json_node value = JSON_ABSENT;

	if (text)
		json_parse(json, bytes_of_text(text), JSON_DUPLICATES_LAST_WINS, &value, NULL);
	return value;
}

static json_node response_of(struct json *json, const struct plugin_response *response)
{
	json_node out = json_object(json);

	set_number(json, out, "status", response->status);
	set_text(json, out, "remote_id", response->remote_id);
	if (response->body)
		set(json, out, "body", document_of(json, response->body));
	return out;
}

static json_node notes_of(struct json *json, const struct plugin_answer *answer)
{
	json_node list = json_array(json);

	for (size_t i = 0; i < answer->n_notes; i++) {
		json_node note = json_object(json);

		set_number(json, note, "severity", answer->notes[i].severity);
		set_text(json, note, "pointer", answer->notes[i].pointer);
		set_text(json, note, "sentence", answer->notes[i].sentence);
		json_append(json, list, note);
	}
	return list;
}

static json_node content_of(struct json *json, const struct plugin_answer *answer)
{
	switch (answer->kind) {
	case PLUGIN_ANSWER_FAULT:
		return json_make_text(json, bytes_of_text(answer->fault));
	case PLUGIN_ANSWER_EXCHANGE:
		return exchange_of(json, &answer->exchange);
	case PLUGIN_ANSWER_WAIT:
		return wait_of(json, &answer->wait);
	case PLUGIN_ANSWER_ACCEPTED:
		return accepted_of(json, &answer->accepted);
	case PLUGIN_ANSWER_DONE:
		return done_of(json, &answer->done);
	case PLUGIN_ANSWER_FAILED:
	case PLUGIN_ANSWER_TROUBLE:
		return failure_of(json, &answer->failure);
	case PLUGIN_ANSWER_CANCELLED:
		return cancelled_of(json, &answer->cancelled);
	case PLUGIN_ANSWER_RESPOND:
	case PLUGIN_ANSWER_HINT:
		return response_of(json, &answer->response);
	case PLUGIN_ANSWER_REPORT:
		return document_of(json, answer->report);
	case PLUGIN_ANSWER_UPLOAD:
		return texts_of(json, answer->uploads, answer->n_uploads);
	default:
		return json_object(json);
	}
}

json_node plugin_answer_json(struct json *json, const struct plugin_answer *answer)
{
	json_node out = json_object(json), content = content_of(json, answer);

	if (!content)
		return JSON_ABSENT;
	set(json, out, plugin_answer_name(answer->kind), content);
	set(json, out, "state", document_of(json, answer->state));
	if (answer->n_notes)
		set(json, out, "notes", notes_of(json, answer));
	return out;
}
