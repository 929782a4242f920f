#include "document.h"

#include "field.h"
#include "words.h"

#include "base/err.h"

#include <google/protobuf/duration.pb-c.h>
#include <google/protobuf/timestamp.pb-c.h>
#include <math.h>

static json_node text_node(struct json *json, const char *text)
{
	return json_make_text(json, bytes_of_text(text));
}

static json_node unsigned_node(struct json *json, uint64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "%llu", (unsigned long long)value);
	return json_make_number(json, bytes_of_text(text));
}

/* The shortest digits that read back as the same double. */
static json_node double_node(struct json *json, double value)
{
	char text[32];

	if (!isfinite(value))
		return json_null(json);
	if (fabs(value) < 9007199254740992.0 && value == floor(value)) {
		snprintf(text, sizeof(text), "%.0f", value);
		return json_make_number(json, bytes_of_text(text));
	}
	for (int digits = 15; digits <= 17; digits++) {
		snprintf(text, sizeof(text), "%.*g", digits, value);
		if (strtod(text, NULL) == value)
			break;
	}
	return json_make_number(json, bytes_of_text(text));
}

static json_node value_node(struct json *json, const Google__Protobuf__Value *value)
{
	json_node list;

	switch (value->kind_case) {
	case GOOGLE__PROTOBUF__VALUE__KIND_NUMBER_VALUE:
		return double_node(json, value->number_value);
	case GOOGLE__PROTOBUF__VALUE__KIND_STRING_VALUE:
		return text_node(json, value->string_value);
	case GOOGLE__PROTOBUF__VALUE__KIND_BOOL_VALUE:
		return json_make_boolean(json, value->bool_value);
	case GOOGLE__PROTOBUF__VALUE__KIND_STRUCT_VALUE:
		return document_of_struct(json, value->struct_value);
	case GOOGLE__PROTOBUF__VALUE__KIND_LIST_VALUE:
		list = json_array(json);
		for (size_t i = 0; i < value->list_value->n_values; i++)
			json_append(json, list, value_node(json, value->list_value->values[i]));
		return list;
	default:
		return json_null(json);
	}
}

json_node document_of_struct(struct json *json, const Google__Protobuf__Struct *structure)
{
	json_node object = json_object(json);

	for (size_t i = 0; i < structure->n_fields; i++) {
		const Google__Protobuf__Struct__FieldsEntry *entry = structure->fields[i];

		if (entry->value)
			json_set(json, object, bytes_of_text(entry->key), value_node(json, entry->value));
	}
	return object;
}

static json_node map_node(struct json *json, const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field)
{
	const ProtobufCMessageDescriptor *of = field->descriptor;
	json_node object = json_object(json);

	for (size_t i = 0; i < field_count(message, field); i++) {
		const ProtobufCMessage *entry = *(ProtobufCMessage **)field_item(message, field, i);
		const char *key = *(char **)field_value(entry, &of->fields[0]);
		const char *value = *(char **)field_value(entry, &of->fields[1]);

		json_set(json, object, bytes_of_text(key), text_node(json, value));
	}
	return object;
}

static json_node enum_node(struct json *json, const ProtobufCFieldDescriptor *field, int value)
{
	char word[FIELD_NAME_SIZE];

	field_enum_word(field->descriptor, value, word);
	return text_node(json, word);
}

static json_node scalar_node(struct json *json, const ProtobufCFieldDescriptor *field, const void *value)
{
	const Google__Protobuf__Timestamp *timestamp;
	const Google__Protobuf__Duration *duration;

	switch (field_kind_of(field)) {
	case FIELD_KIND_TEXT:
		return text_node(json, *(char *const *)value);
	case FIELD_KIND_BOOLEAN:
		return json_make_boolean(json, *(const protobuf_c_boolean *)value);
	case FIELD_KIND_INT32:
		return json_make_integer(json, *(const int32_t *)value);
	case FIELD_KIND_UINT32:
		return json_make_integer(json, *(const uint32_t *)value);
	case FIELD_KIND_UINT64:
		return unsigned_node(json, *(const uint64_t *)value);
	case FIELD_KIND_ENUM:
		return enum_node(json, field, *(const int *)value);
	case FIELD_KIND_DURATION:
		duration = *(Google__Protobuf__Duration *const *)value;
		return json_make_integer(json, duration->seconds * 1000 + duration->nanos / 1000000);
	case FIELD_KIND_TIMESTAMP:
		timestamp = *(Google__Protobuf__Timestamp *const *)value;
		return text_node(json, words_of_instant(timestamp->seconds, timestamp->nanos).text);
	case FIELD_KIND_STRUCT:
		return document_of_struct(json, *(Google__Protobuf__Struct *const *)value);
	case FIELD_KIND_MESSAGE:
		return document_of_message(json, *(ProtobufCMessage *const *)value);
	case FIELD_KIND_MAP:
	case FIELD_KIND_NONE:
		break;
	}
	return JSON_ABSENT;
}

static json_node field_node(struct json *json, const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field)
{
	json_node list;

	if (field_kind_of(field) == FIELD_KIND_MAP)
		return map_node(json, message, field);
	if (!field_is_list(field))
		return scalar_node(json, field, field_value(message, field));
	list = json_array(json);
	for (size_t i = 0; i < field_count(message, field); i++)
		json_append(json, list, scalar_node(json, field, field_item(message, field, i)));
	return list;
}

json_node document_of_message(struct json *json, const ProtobufCMessage *message)
{
	json_node object = json_object(json);

	for (unsigned int i = 0; i < message->descriptor->n_fields; i++) {
		const ProtobufCFieldDescriptor *field = &message->descriptor->fields[i];
		char name[FIELD_NAME_SIZE];

		if (!field_is_set(message, field))
			continue;
		field_name(field, name);
		json_set(json, object, bytes_of_text(name), field_node(json, message, field));
	}
	return object;
}

static int break_line(struct buffer *out, int depth)
{
	return buffer_printf(out, "\n%*s", depth * 2, "");
}

/* Lays out what json_write() wrote: no white space outside of texts, so that every byte there is structure or value. */
static int indent(const char *p, struct buffer *out)
{
	bool is_in_text = false;
	int depth = 0, r = 0;

	for (; r == 0 && *p; p++) {
		bool opens = !is_in_text && (*p == '{' || *p == '['), closes = !is_in_text && (*p == '}' || *p == ']');

		if (closes && p[-1] != '{' && p[-1] != '[')
			r = break_line(out, --depth);
		else if (closes)
			depth--;
		if (r == 0)
			r = buffer_append(out, p, 1);
		if (r == 0 && is_in_text && *p == '\\')
			r = buffer_append(out, ++p, 1);
		else if (*p == '"')
			is_in_text = !is_in_text;
		else if (r == 0 && !is_in_text && *p == ':')
			r = buffer_append_text(out, " ");
		if (opens)
			depth++;
		if (r == 0 && ((opens && p[1] != '}' && p[1] != ']') || (!is_in_text && *p == ',')))
			r = break_line(out, depth);
	}
	return r;
}

int document_print(const struct json *json, json_node node, enum document_layout layout, FILE *out)
{
	_cleanup_(buffer_finish) struct buffer line = {0}, text = {0};
	const struct buffer *chosen = &line;
	int r = json_fault(json);

	if (r == 0)
		r = json_write(json, node, JSON_FORM_PLAIN, &line);
	if (r == 0 && layout == DOCUMENT_LAYOUT_INDENTED) {
		chosen = &text;
		r = indent(line.data, &text);
	}
	if (r)
		return r;
	fwrite(chosen->data, 1, chosen->len, out);
	fputc('\n', out);
	return 0;
}
