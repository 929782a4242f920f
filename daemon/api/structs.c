#include "api/structs.h"

#include "base/err.h"

#include <math.h>

#define EXACT_MAX 9007199254740992.0 /* 2^53 */

static int write_value(const Google__Protobuf__Value *value, struct buffer *out);

int json_write_text(struct buffer *out, const char *text)
{
	int r = buffer_append(out, "\"", 1);

	while (r == 0 && *text) {
		const char *run = text;

		while ((unsigned char)*text >= 0x20 && *text != '"' && *text != '\\')
			text++;
		r = buffer_append(out, run, (size_t)(text - run));
		if (r == 0 && (*text == '"' || *text == '\\'))
			r = buffer_printf(out, "\\%c", *text++);
		else if (r == 0 && *text)
			r = buffer_printf(out, "\\u%04x", (unsigned)*text++);
	}
	return r ? r : buffer_append(out, "\"", 1);
}

int json_write_double(struct buffer *out, double number)
{
	char text[32];
	int digits;

	if (!isfinite(number))
		return STRUCTS_E_NUMBER;
	if (floor(number) == number && fabs(number) <= EXACT_MAX)
		return buffer_printf(out, "%.0f", number);
	for (digits = 15; digits < 17; digits++) {
		snprintf(text, sizeof(text), "%.*g", digits, number);
		if (strtod(text, NULL) == number)
			break;
	}
	snprintf(text, sizeof(text), "%.*g", digits, number);
	/* A whole number this large would be taken for one that no double holds, and read back as a text. */
	if (!strpbrk(text, ".e"))
		snprintf(text, sizeof(text), "%.*e", digits - 1, number);
	return buffer_append_text(out, text);
}

static int write_list(const Google__Protobuf__ListValue *list, struct buffer *out)
{
	int r = buffer_append(out, "[", 1);

	for (size_t i = 0; r == 0 && i < list->n_values; i++) {
		r = i ? buffer_append(out, ",", 1) : 0;
		if (r == 0)
			r = write_value(list->values[i], out);
	}
	return r ? r : buffer_append(out, "]", 1);
}

static int write_value(const Google__Protobuf__Value *value, struct buffer *out)
{
	switch (value ? value->kind_case : GOOGLE__PROTOBUF__VALUE__KIND__NOT_SET) {
	case GOOGLE__PROTOBUF__VALUE__KIND_NULL_VALUE:
		return buffer_append(out, "null", 4);
	case GOOGLE__PROTOBUF__VALUE__KIND_NUMBER_VALUE:
		return json_write_double(out, value->number_value);
	case GOOGLE__PROTOBUF__VALUE__KIND_STRING_VALUE:
		return json_write_text(out, value->string_value);
	case GOOGLE__PROTOBUF__VALUE__KIND_BOOL_VALUE:
		return buffer_append_text(out, value->bool_value ? "true" : "false");
	case GOOGLE__PROTOBUF__VALUE__KIND_STRUCT_VALUE:
		return struct_write_json(value->struct_value, out);
	case GOOGLE__PROTOBUF__VALUE__KIND_LIST_VALUE:
		return write_list(value->list_value, out);
	default:
		return STRUCTS_E_EMPTY;
	}
}

int struct_write_json(const Google__Protobuf__Struct *from, struct buffer *out)
{
	int r = buffer_append(out, "{", 1);

	for (size_t i = 0; r == 0 && i < from->n_fields; i++) {
		r = i ? buffer_append(out, ",", 1) : 0;
		if (r == 0)
			r = json_write_text(out, from->fields[i]->key);
		if (r == 0)
			r = buffer_append(out, ":", 1);
		if (r == 0)
			r = write_value(from->fields[i]->value, out);
	}
	return r ? r : buffer_append(out, "}", 1);
}

static unsigned value_depth(const Google__Protobuf__Value *value)
{
	unsigned deepest = 0;

	if (value && value->kind_case == GOOGLE__PROTOBUF__VALUE__KIND_STRUCT_VALUE)
		return struct_depth(value->struct_value);
	if (!value || value->kind_case != GOOGLE__PROTOBUF__VALUE__KIND_LIST_VALUE)
		return 0;
	for (size_t i = 0; i < value->list_value->n_values; i++) {
		unsigned depth = value_depth(value->list_value->values[i]);

		deepest = depth > deepest ? depth : deepest;
	}
	return deepest + 1;
}

unsigned struct_depth(const Google__Protobuf__Struct *from)
{
	unsigned deepest = 0;

	for (size_t i = 0; i < from->n_fields; i++) {
		unsigned depth = value_depth(from->fields[i]->value);

		deepest = depth > deepest ? depth : deepest;
	}
	return deepest + 1;
}

/* ---- from JSON ---- */

static Google__Protobuf__Value *value_from_json(struct arena *arena, const struct json *json, json_node node);

static Google__Protobuf__ListValue *list_from_json(struct arena *arena, const struct json *json, json_node node)
{
	Google__Protobuf__ListValue *list = arena_need(arena, sizeof(*list));

	google__protobuf__list_value__init(list);
	list->values = arena_need_pointers(arena, json_count(json, node));
	for (json_node n = json_first(json, node); n; n = json_next(json, n))
		list->values[list->n_values++] = value_from_json(arena, json, n);
	return list;
}

static void set_number(Google__Protobuf__Value *value, struct arena *arena, const struct json *json, json_node node)
{
	struct bytes text = json_text(json, node);
	double number = strtod(text.data, NULL);
	bool is_whole = !strpbrk(text.data, ".eE");

	if (isfinite(number) && (!is_whole || fabs(number) <= EXACT_MAX)) {
		value->kind_case = GOOGLE__PROTOBUF__VALUE__KIND_NUMBER_VALUE;
		value->number_value = number;
	} else {
		value->kind_case = GOOGLE__PROTOBUF__VALUE__KIND_STRING_VALUE;
		value->string_value = arena_dup_text(arena, text.data);
	}
}

static Google__Protobuf__Value *value_from_json(struct arena *arena, const struct json *json, json_node node)
{
	Google__Protobuf__Value *value = arena_need(arena, sizeof(*value));

	google__protobuf__value__init(value);
	switch (json_kind(json, node)) {
	case JSON_KIND_BOOLEAN:
		value->kind_case = GOOGLE__PROTOBUF__VALUE__KIND_BOOL_VALUE;
		value->bool_value = json_boolean(json, node, false);
		break;
	case JSON_KIND_NUMBER:
		set_number(value, arena, json, node);
		break;
	case JSON_KIND_TEXT:
		value->kind_case = GOOGLE__PROTOBUF__VALUE__KIND_STRING_VALUE;
		value->string_value = arena_dup_text(arena, json_text(json, node).data);
		break;
	case JSON_KIND_OBJECT:
		value->kind_case = GOOGLE__PROTOBUF__VALUE__KIND_STRUCT_VALUE;
		value->struct_value = struct_from_json(arena, json, node);
		break;
	case JSON_KIND_ARRAY:
		value->kind_case = GOOGLE__PROTOBUF__VALUE__KIND_LIST_VALUE;
		value->list_value = list_from_json(arena, json, node);
		break;
	default:
		value->kind_case = GOOGLE__PROTOBUF__VALUE__KIND_NULL_VALUE;
	}
	return value;
}

Google__Protobuf__Struct *struct_from_json(struct arena *arena, const struct json *json, json_node object)
{
	Google__Protobuf__Struct *made = arena_need(arena, sizeof(*made));

	google__protobuf__struct__init(made);
	made->fields = arena_need_pointers(arena, json_count(json, object));
	for (json_node n = json_first(json, object); n; n = json_next(json, n)) {
		Google__Protobuf__Struct__FieldsEntry *entry = arena_need(arena, sizeof(*entry));

		google__protobuf__struct__fields_entry__init(entry);
		entry->key = arena_dup_text(arena, json_key(json, n).data);
		entry->value = value_from_json(arena, json, n);
		made->fields[made->n_fields++] = entry;
	}
	return made;
}
