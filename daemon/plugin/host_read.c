/*
 * The host's reading functions. Absent values get inert answers; what cannot be meant is a fault.
 */
#include "plugin/step_inside.h"

#include "base/instant.h"
#include "base/limits.h"

static const struct fg_text no_text = {"", 0};

static struct fg_text text_of(struct bytes bytes)
{
	return (struct fg_text){.data = bytes.data, .size = bytes.len};
}

fg_node host_document(struct fg_step *s, uint32_t which)
{
	if (which == 0 || which >= STEP_DOCUMENTS) {
		step_fault(s, "document(): there is no document %u", which);
		return FG_ABSENT;
	}
	return s->documents[which];
}

uint32_t host_phase(struct fg_step *s)
{
	return s->input->phase;
}

uint32_t host_status(struct fg_step *s)
{
	return s->input->reply ? (uint32_t)s->input->reply->status : 0;
}

struct fg_text host_header(struct fg_step *s, const char *name)
{
	const struct plugin_reply *reply = s->input->reply;

	s->scratch.len = 0;
	for (size_t i = 0; reply && name && i < reply->n_headers; i++) {
		if (strcasecmp(reply->headers[i].name, name) != 0)
			continue;
		if ((s->scratch.len && step_failed(s, buffer_append(&s->scratch, ", ", 2))) ||
		    step_failed(s, buffer_append_text(&s->scratch, reply->headers[i].value)))
			return no_text;
	}
	if (s->scratch.len == 0)
		return no_text;
	/* Header bytes need not be UTF-8, everything that a plugin reads is. */
	return text_of(bytes_of_text(plugin_answer_words(s->answer, buffer_bytes(&s->scratch), LIMIT_PLUGIN_WORDS)));
}

uint64_t host_retry_after_ms(struct fg_step *s)
{
	const struct plugin_reply *reply = s->input->reply;

	return reply && reply->retry_after_ms > 0 ? (uint64_t)reply->retry_after_ms : 0;
}

struct fg_text host_body_text(struct fg_step *s)
{
	const struct plugin_reply *reply = s->input->reply;

	if (!reply || s->documents[FG_DOC_REPLY])
		return no_text;
	return text_of(bytes_of_text(plugin_answer_words(s->answer, reply->body, LIMIT_PLUGIN_BODY_TEXT)));
}

fg_node host_at(struct fg_step *s, fg_node node, const char *pointer)
{
	if (!step_owns(s, node))
		return FG_ABSENT;
	if (!pointer || !json_pointer_is_valid(pointer)) {
		step_fault(s, "at(): '%.100s' is not a JSON Pointer", pointer ? pointer : "(NULL)");
		return FG_ABSENT;
	}
	if (s->input->observer)
		s->input->observer->looks_at(s->input->observer, pointer);
	return json_at(s->json, node, pointer);
}

fg_node host_item(struct fg_step *s, fg_node node, uint64_t n)
{
	if (!step_owns(s, node) || n >= json_count(s->json, node))
		return FG_ABSENT;
	if (s->cursor_list != node || s->cursor_index > n) {
		s->cursor_list = node;
		s->cursor_index = 0;
		s->cursor_node = json_first(s->json, node);
	}
	for (; s->cursor_index < n; s->cursor_index++)
		s->cursor_node = json_next(s->json, s->cursor_node);
	return s->cursor_node;
}

struct fg_text host_key(struct fg_step *s, fg_node node, uint64_t n)
{
	fg_node child = host_item(s, node, n);

	return child ? text_of(json_key(s->json, child)) : no_text;
}

uint64_t host_count(struct fg_step *s, fg_node node)
{
	return step_owns(s, node) ? json_count(s->json, node) : 0;
}

uint32_t host_kind(struct fg_step *s, fg_node node)
{
	_Static_assert(FG_KIND_OBJECT == JSON_KIND_OBJECT && FG_KIND_NULL == JSON_KIND_NULL, "the same numbers");

	return step_owns(s, node) ? (uint32_t)json_kind(s->json, node) : FG_KIND_ABSENT;
}

struct fg_text host_text(struct fg_step *s, fg_node node)
{
	return step_owns(s, node) ? text_of(json_text(s->json, node)) : no_text;
}

int32_t host_is(struct fg_step *s, fg_node node, const char *expected)
{
	if (s->input->observer && expected)
		s->input->observer->compares(s->input->observer, expected);
	return step_owns(s, node) && expected && json_text_is(s->json, node, expected);
}

int64_t host_integer(struct fg_step *s, fg_node node, int64_t fallback)
{
	return step_owns(s, node) ? json_integer(s->json, node, fallback) : fallback;
}

int64_t host_decimal(struct fg_step *s, fg_node node, uint32_t scale, int64_t fallback)
{
	if (scale > DECIMAL_SCALE_MAX) {
		step_fault(s, "decimal(): a scale of %u is more than %d", scale, DECIMAL_SCALE_MAX);
		return fallback;
	}
	return step_owns(s, node) ? json_decimal(s->json, node, scale, fallback) : fallback;
}

int32_t host_boolean(struct fg_step *s, fg_node node, int32_t fallback)
{
	if (!step_owns(s, node))
		return fallback;
	if (json_text_is(s->json, node, "on"))
		return 1;
	if (json_text_is(s->json, node, "off"))
		return 0;
	return json_kind(s->json, node) == JSON_KIND_BOOLEAN ? json_boolean(s->json, node, false) : fallback;
}

int64_t host_time_ms(struct fg_step *s, fg_node node, int64_t fallback)
{
	struct bytes text = step_owns(s, node) ? json_text(s->json, node) : bytes_of("", 0);
	int64_t value;

	if (instant_parse(text, &value) == 0)
		return value;
	if (json_kind(s->json, node) != JSON_KIND_NUMBER)
		return fallback;
	if (decimal_parse(text, 3, &value) == 0)
		return value;
	/* Some providers send fractions of a second with more digits than count. */
	return decimal_parse(text, 9, &value) == 0 ? value / 1000000 : fallback;
}

fg_node host_media(struct fg_step *s, const char *role, uint64_t n)
{
	json_node list = json_at(s->json, s->documents[FG_DOC_JOB], "/parameters/media");

	for (json_node m = json_first(s->json, list); role && m; m = json_next(s->json, m))
		if (json_text_is(s->json, json_at(s->json, m, "/role"), role) && n-- == 0)
			return m;
	return FG_ABSENT;
}
