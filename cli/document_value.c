/*
 * google.protobuf.Value from JSON. Its numbers are doubles, so an integer that a double would round travels as a text
 * of its digits; the provider's capability document says where that is understood.
 */
#include "document.h"

#include "field.h"

#include "base/decimal.h"
#include "base/err.h"

#define EXACT_MAX INT64_C(9007199254740992) /* 2^53 */

static Google__Protobuf__Value *new_value(Google__Protobuf__Value__KindCase kind)
{
	Google__Protobuf__Value *value = (void *)field_message_new(&google__protobuf__value__descriptor);

	if (value)
		value->kind_case = kind;
	return value;
}

static void value_freep(Google__Protobuf__Value **value)
{
	protobuf_c_message_free_unpacked((ProtobufCMessage *)*value, NULL);
}

static Google__Protobuf__Value *text_value(struct bytes text)
{
	_cleanup_(value_freep) Google__Protobuf__Value *value = new_value(GOOGLE__PROTOBUF__VALUE__KIND_STRING_VALUE);

	if (value)
		value->string_value = bytes_dup_text(text);
	return value && value->string_value ? steal(value) : NULL;
}

static Google__Protobuf__Value *number_value(struct bytes text)
{
	Google__Protobuf__Value *value;
	int64_t integer;
	int r = decimal_parse(text, 0, &integer);

	if (r == DECIMAL_E_RANGE || (r == 0 && (integer > EXACT_MAX || integer < -EXACT_MAX)))
		return text_value(text);
	value = new_value(GOOGLE__PROTOBUF__VALUE__KIND_NUMBER_VALUE);
	if (value)
		value->number_value = strtod(text.data, NULL);
	return value;
}

static Google__Protobuf__Value *list_value(const struct json *json, json_node node)
{
	_cleanup_(value_freep) Google__Protobuf__Value *value = new_value(GOOGLE__PROTOBUF__VALUE__KIND_LIST_VALUE);
	uint32_t count = json_count(json, node);
	Google__Protobuf__ListValue *list;

	if (!value)
		return NULL;
	list = value->list_value = (void *)field_message_new(&google__protobuf__list_value__descriptor);
	if (!list)
		return NULL;
	list->values = calloc(count ? count : 1, sizeof(void *));
	if (!list->values)
		return NULL;
	for (json_node n = json_first(json, node); n; n = json_next(json, n)) {
		list->values[list->n_values] = document_value(json, n);
		if (!list->values[list->n_values])
			return NULL;
		list->n_values++;
	}
	return steal(value);
}

static Google__Protobuf__Struct__FieldsEntry *find_entry(Google__Protobuf__Struct *structure, struct bytes name)
{
	for (size_t i = 0; i < structure->n_fields; i++)
		if (bytes_equal(bytes_of_text(structure->fields[i]->key), name))
			return structure->fields[i];
	return NULL;
}

static Google__Protobuf__Struct__FieldsEntry *add_entry(Google__Protobuf__Struct *structure, struct bytes name)
{
	Google__Protobuf__Struct__FieldsEntry *entry, **fields;

	fields = reallocarray(structure->fields, structure->n_fields + 1, sizeof(void *));
	if (!fields)
		return NULL;
	structure->fields = fields;
	entry = (void *)field_message_new(&google__protobuf__struct__fields_entry__descriptor);
	if (!entry)
		return NULL;
	fields[structure->n_fields++] = entry;
	entry->key = bytes_dup_text(name);
	return entry->key ? entry : NULL;
}

int document_struct_set(Google__Protobuf__Struct *structure, struct bytes name, Google__Protobuf__Value *value)
{
	_cleanup_(value_freep) Google__Protobuf__Value *held = value;
	Google__Protobuf__Struct__FieldsEntry *entry;

	if (!value)
		return err_origin(-ENOMEM);
	entry = find_entry(structure, name);
	if (!entry)
		entry = add_entry(structure, name);
	if (!entry)
		return err_origin(-ENOMEM);
	value_freep(&entry->value);
	entry->value = steal(held);
	return 0;
}

Google__Protobuf__Struct *document_struct_child(Google__Protobuf__Struct *structure, struct bytes name)
{
	Google__Protobuf__Struct__FieldsEntry *entry = find_entry(structure, name);
	_cleanup_(value_freep) Google__Protobuf__Value *value = NULL;
	Google__Protobuf__Struct *child;

	if (entry && entry->value && entry->value->kind_case == GOOGLE__PROTOBUF__VALUE__KIND_STRUCT_VALUE)
		return entry->value->struct_value;
	value = new_value(GOOGLE__PROTOBUF__VALUE__KIND_STRUCT_VALUE);
	if (!value)
		return NULL;
	child = value->struct_value = (void *)field_message_new(&google__protobuf__struct__descriptor);
	if (!child || document_struct_set(structure, name, steal(value)))
		return NULL;
	return child;
}

static Google__Protobuf__Value *struct_value(const struct json *json, json_node node)
{
	_cleanup_(value_freep) Google__Protobuf__Value *value = new_value(GOOGLE__PROTOBUF__VALUE__KIND_STRUCT_VALUE);

	if (!value)
		return NULL;
	value->struct_value = (void *)field_message_new(&google__protobuf__struct__descriptor);
	if (!value->struct_value)
		return NULL;
	for (json_node n = json_first(json, node); n; n = json_next(json, n))
		if (document_struct_set(value->struct_value, json_key(json, n), document_value(json, n)))
			return NULL;
	return steal(value);
}

Google__Protobuf__Value *document_value(const struct json *json, json_node node)
{
	Google__Protobuf__Value *value;

	switch (json_kind(json, node)) {
	case JSON_KIND_TEXT:
		return text_value(json_text(json, node));
	case JSON_KIND_NUMBER:
		return number_value(json_text(json, node));
	case JSON_KIND_ARRAY:
		return list_value(json, node);
	case JSON_KIND_OBJECT:
		return struct_value(json, node);
	case JSON_KIND_BOOLEAN:
		value = new_value(GOOGLE__PROTOBUF__VALUE__KIND_BOOL_VALUE);
		if (value)
			value->bool_value = json_boolean(json, node, false);
		return value;
	case JSON_KIND_NULL:
	case JSON_KIND_ABSENT:
		break;
	}
	return new_value(GOOGLE__PROTOBUF__VALUE__KIND_NULL_VALUE);
}

bool document_is_clean(const struct json *json, json_node node)
{
	if (!bytes_are_text(json_key(json, node)) || !bytes_are_text(json_text(json, node)))
		return false;
	for (json_node n = json_first(json, node); n; n = json_next(json, n))
		if (!document_is_clean(json, n))
			return false;
	return true;
}
