/*
 * The host's writing functions. What they make belongs to the step; what is put is copied, so a plugin may put the
 * same value twice or a value into itself.
 */
#include "plugin/step_inside.h"

#include "base/limits.h"

bool step_may_write(struct fg_step *s, fg_node out, const char *what)
{
	if (!out || !step_owns(s, out))
		return false;
	if (out >= s->first_own)
		return true;
	step_fault(s, "%s: it may only write into what this step has made", what);
	return false;
}

fg_node host_object(struct fg_step *s)
{
	return json_object(s->json);
}

fg_node host_array(struct fg_step *s)
{
	return json_array(s->json);
}

fg_node host_make_text(struct fg_step *s, struct fg_text value)
{
	struct bytes text;

	return step_text(s, value, "make_text()", &text) ? json_make_text(s->json, text) : FG_ABSENT;
}

fg_node host_make_integer(struct fg_step *s, int64_t value)
{
	return json_make_integer(s->json, value);
}

fg_node host_make_decimal(struct fg_step *s, int64_t value, uint32_t scale)
{
	char text[DECIMAL_TEXT_SIZE];

	if (scale > DECIMAL_SCALE_MAX) {
		step_fault(s, "make_decimal(): a scale of %u is more than %d", scale, DECIMAL_SCALE_MAX);
		return FG_ABSENT;
	}
	decimal_format(value, scale, text);
	return json_make_number(s->json, bytes_of_text(text));
}

fg_node host_join(struct fg_step *s, fg_node array, const char *separator)
{
	bool is_first = true;

	if (!step_owns(s, array) || json_kind(s->json, array) != JSON_KIND_ARRAY)
		return FG_ABSENT;
	s->scratch.len = 0;
	for (json_node n = json_first(s->json, array); n; n = json_next(s->json, n)) {
		struct bytes text = json_text(s->json, n);

		if (step_failed(s, buffer_append_text(&s->scratch, is_first || !separator ? "" : separator)) ||
		    step_failed(s, buffer_append(&s->scratch, text.data, text.len))) {
			step_fault(s, "join(): the text grows beyond %d bytes", LIMIT_PLUGIN_TEXT);
			return FG_ABSENT;
		}
		is_first = false;
	}
	return json_make_text(s->json, buffer_bytes(&s->scratch));
}

fg_node host_cut(struct fg_step *s, fg_node text, uint64_t characters)
{
	struct bytes bytes = step_owns(s, text) ? json_text(s->json, text) : bytes_of("", 0);
	const unsigned char *p = bytes.data;
	size_t len = 0;

	if (json_kind(s->json, text) != JSON_KIND_TEXT)
		return FG_ABSENT;
	for (; len < bytes.len; len++)
		if ((p[len] & 0xc0) != 0x80 && characters-- == 0)
			break;
	return len == bytes.len ? text : json_make_text(s->json, bytes_of(p, len));
}

void step_put(struct fg_step *s, fg_node out, const char *pointer, json_node made, const char *what)
{
	if (!pointer) {
		step_fault(s, "%s: the pointer is NULL", what);
		return;
	}
	s->cursor_list = JSON_ABSENT;
	step_check_json(s, json_put(s->json, out, pointer, made), what);
}

void host_put(struct fg_step *s, fg_node out, const char *pointer, fg_node node)
{
	if (node && step_owns(s, node) && step_may_write(s, out, "put()"))
		step_put(s, out, pointer, json_copy(s->json, s->json, node), "put()");
}

void host_put_text(struct fg_step *s, fg_node out, const char *pointer, const char *value)
{
	if (value && step_may_write(s, out, "put_text()"))
		step_put(s, out, pointer, json_make_text(s->json, bytes_of_text(value)), "put_text()");
}

void host_put_integer(struct fg_step *s, fg_node out, const char *pointer, int64_t value)
{
	if (step_may_write(s, out, "put_integer()"))
		step_put(s, out, pointer, json_make_integer(s->json, value), "put_integer()");
}

void host_put_boolean(struct fg_step *s, fg_node out, const char *pointer, int32_t value)
{
	if (step_may_write(s, out, "put_boolean()"))
		step_put(s, out, pointer, json_make_boolean(s->json, value != 0), "put_boolean()");
}

void host_append(struct fg_step *s, fg_node array, fg_node node)
{
	if (!node || !step_owns(s, node) || !step_may_write(s, array, "append()"))
		return;
	s->cursor_list = JSON_ABSENT;
	step_check_json(s, json_append(s->json, array, json_copy(s->json, s->json, node)), "append()");
}

static void merge(struct fg_step *s, json_node into, json_node extras, uint32_t depth)
{
	for (json_node n = json_first(s->json, extras); n && depth; n = json_next(s->json, n)) {
		json_node old = json_member(s->json, into, json_key(s->json, n));

		if (!old) {
			json_set(s->json, into, json_key(s->json, n), json_copy(s->json, s->json, n));
		} else if (json_kind(s->json, old) == JSON_KIND_OBJECT && json_kind(s->json, n) == JSON_KIND_OBJECT) {
			merge(s, old, n, depth - 1);
		} else {
			step_refuse(s, "/parameters/extras", "the extra '%s' is set by another parameter already",
				    json_name(s->json, n));
			return;
		}
	}
}

void host_put_extras(struct fg_step *s, fg_node out, const char *pointer)
{
	json_node extras = json_at(s->json, s->documents[FG_DOC_JOB], "/parameters/extras"), into;

	if (!step_may_write(s, out, "put_extras()") || json_count(s->json, extras) == 0)
		return;
	if (!pointer || !json_pointer_is_valid(pointer)) {
		step_fault(s, "put_extras(): the pointer is no JSON Pointer");
		return;
	}
	into = json_at(s->json, out, pointer);
	if (!into) {
		step_put(s, out, pointer, json_object(s->json), "put_extras()");
		into = json_at(s->json, out, pointer);
	}
	if (into && json_kind(s->json, into) != JSON_KIND_OBJECT) {
		step_fault(s, "put_extras(): '%.100s' is no object", pointer);
		return;
	}
	s->cursor_list = JSON_ABSENT;
	merge(s, into, extras, LIMIT_JSON_DEPTH);
}

fg_node host_state(struct fg_step *s)
{
	if (!s->state)
		s->state = json_copy(s->json, s->json, s->documents[FG_DOC_STATE]);
	return s->state;
}

void host_note(struct fg_step *s, uint32_t severity, const char *pointer, const char *sentence)
{
	struct plugin_note *note;

	if (severity < FG_NOTE_IGNORED || severity > FG_NOTE_INFO || !pointer || !sentence) {
		step_fault(s, "note(): there is no severity %u, or a text is NULL", severity);
		return;
	}
	if (s->answer->n_notes == LIMIT_PLUGIN_NOTES) {
		step_fault(s, "note(): more than %d notes", LIMIT_PLUGIN_NOTES);
		return;
	}
	if (!s->answer->notes)
		s->answer->notes = plugin_answer_alloc(s->answer, LIMIT_PLUGIN_NOTES, sizeof(*note));
	if (!s->answer->notes)
		return;
	note = (struct plugin_note *)&s->answer->notes[s->answer->n_notes++];
	note->severity = (enum plugin_severity)severity;
	note->pointer = plugin_answer_words(s->answer, bytes_of_text(pointer), LIMIT_PLUGIN_WORDS);
	note->sentence = plugin_answer_words(s->answer, bytes_of_text(sentence), LIMIT_PLUGIN_WORDS);
}
