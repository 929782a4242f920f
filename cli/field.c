#include "field.h"

#include "words.h"

#include "base/decimal.h"
#include "base/err.h"
#include "base/instant.h"

#include <assert.h>
#include <ctype.h>
#include <google/protobuf/duration.pb-c.h>
#include <google/protobuf/struct.pb-c.h>
#include <google/protobuf/timestamp.pb-c.h>
#include <stdio.h>

/* protobuf-c keeps no map flag: a map's entries are messages "XEntry" of a key and a value. */
static bool is_map_entry(const ProtobufCMessageDescriptor *message)
{
	size_t len = strlen(message->short_name);

	return len > 5 && !strcmp(message->short_name + len - 5, "Entry") && message->n_fields == 2 &&
	       !strcmp(message->fields[0].name, "key") && !strcmp(message->fields[1].name, "value");
}

static enum field_kind message_kind(const ProtobufCMessageDescriptor *message)
{
	if (message == &google__protobuf__duration__descriptor)
		return FIELD_KIND_DURATION;
	if (message == &google__protobuf__timestamp__descriptor)
		return FIELD_KIND_TIMESTAMP;
	if (message == &google__protobuf__struct__descriptor)
		return FIELD_KIND_STRUCT;
	if (!is_map_entry(message))
		return FIELD_KIND_MESSAGE;
	if (message->fields[0].type == PROTOBUF_C_TYPE_STRING && message->fields[1].type == PROTOBUF_C_TYPE_STRING)
		return FIELD_KIND_MAP;
	return FIELD_KIND_NONE;
}

enum field_kind field_kind_of(const ProtobufCFieldDescriptor *field)
{
	switch (field->type) {
	case PROTOBUF_C_TYPE_STRING:
		return FIELD_KIND_TEXT;
	case PROTOBUF_C_TYPE_BOOL:
		return FIELD_KIND_BOOLEAN;
	case PROTOBUF_C_TYPE_INT32:
		return FIELD_KIND_INT32;
	case PROTOBUF_C_TYPE_UINT32:
		return FIELD_KIND_UINT32;
	case PROTOBUF_C_TYPE_UINT64:
		return FIELD_KIND_UINT64;
	case PROTOBUF_C_TYPE_ENUM:
		return FIELD_KIND_ENUM;
	case PROTOBUF_C_TYPE_MESSAGE:
		return message_kind(field->descriptor);
	default:
		return FIELD_KIND_NONE;
	}
}

bool field_is_list(const ProtobufCFieldDescriptor *field)
{
	return field->label == PROTOBUF_C_LABEL_REPEATED && field_kind_of(field) != FIELD_KIND_MAP;
}

void field_name(const ProtobufCFieldDescriptor *field, char name[static FIELD_NAME_SIZE])
{
	int n = snprintf(name, FIELD_NAME_SIZE, "%s%s", field->name,
			 field_kind_of(field) == FIELD_KIND_DURATION ? "_ms" : "");

	assert(n < FIELD_NAME_SIZE);
}

const ProtobufCFieldDescriptor *field_find(const ProtobufCMessageDescriptor *message, struct bytes name)
{
	char own[FIELD_NAME_SIZE];

	for (unsigned int i = 0; i < message->n_fields; i++) {
		field_name(&message->fields[i], own);
		if (bytes_equal(bytes_of_text(own), name))
			return &message->fields[i];
	}
	return NULL;
}

static bool is_of_oneof(const ProtobufCFieldDescriptor *field)
{
	return field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF;
}

static void *at(const ProtobufCMessage *message, unsigned int offset)
{
	return (char *)(uintptr_t)message + offset;
}

static uint32_t *oneof_case(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field)
{
	return at(message, field->quantifier_offset);
}

void *field_value(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field)
{
	return at(message, field->offset);
}

static size_t *list_count(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field)
{
	return at(message, field->quantifier_offset);
}

size_t field_count(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field)
{
	return *list_count(message, field);
}

static size_t item_size(const ProtobufCFieldDescriptor *field)
{
	return field->type == PROTOBUF_C_TYPE_ENUM ? sizeof(int) : sizeof(void *);
}

void *field_item(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field, size_t n)
{
	return *(char **)field_value(message, field) + n * item_size(field);
}

bool field_is_set(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field)
{
	const void *value = field_value(message, field);

	if (field->label == PROTOBUF_C_LABEL_REPEATED)
		return field_count(message, field) > 0;
	if (is_of_oneof(field))
		return *oneof_case(message, field) == field->id;
	switch (field->type) {
	case PROTOBUF_C_TYPE_STRING:
		return *(char *const *)value && **(char *const *)value;
	case PROTOBUF_C_TYPE_MESSAGE:
		return *(void *const *)value != NULL;
	case PROTOBUF_C_TYPE_UINT64:
		return *(const uint64_t *)value != 0;
	case PROTOBUF_C_TYPE_BOOL:
	case PROTOBUF_C_TYPE_ENUM:
	case PROTOBUF_C_TYPE_INT32:
	case PROTOBUF_C_TYPE_UINT32:
		return *(const uint32_t *)value != 0;
	default:
		return false;
	}
}

/* "JOB_STATE_" of JOB_STATE_UNSPECIFIED: what every value's name begins with. */
static size_t enum_prefix(const ProtobufCEnumDescriptor *words)
{
	const char *zero = protobuf_c_enum_descriptor_get_value(words, 0)->name;
	const char *end = strstr(zero, "UNSPECIFIED");

	return end ? (size_t)(end - zero) : 0;
}

void field_enum_word(const ProtobufCEnumDescriptor *words, int value, char word[static FIELD_NAME_SIZE])
{
	const ProtobufCEnumValue *found = protobuf_c_enum_descriptor_get_value(words, value);

	if (!found) {
		snprintf(word, FIELD_NAME_SIZE, "?%d", value);
		return;
	}
	snprintf(word, FIELD_NAME_SIZE, "%s", found->name + enum_prefix(words));
	for (char *p = word; *p; p++)
		*p = (char)tolower((unsigned char)*p);
}

bool field_enum_value(const ProtobufCEnumDescriptor *words, struct bytes word, int *ret)
{
	size_t prefix = enum_prefix(words);

	for (unsigned int i = 0; i < words->n_values; i++) {
		const char *name = words->values[i].name + prefix;

		if (words->values[i].value == 0 || strlen(name) != word.len ||
		    strncasecmp(name, word.data, word.len) != 0)
			continue;
		*ret = words->values[i].value;
		return true;
	}
	return false;
}

void field_enum_words(const ProtobufCEnumDescriptor *words, struct buffer *out)
{
	char word[FIELD_NAME_SIZE];

	for (unsigned int i = 0; i < words->n_values; i++) {
		if (words->values[i].value == 0)
			continue;
		field_enum_word(words, words->values[i].value, word);
		buffer_printf(out, "%s%s", out->len ? ", " : "", word);
	}
}

ProtobufCMessage *field_message_new(const ProtobufCMessageDescriptor *of)
{
	ProtobufCMessage *message = calloc(1, of->sizeof_message);

	if (message)
		protobuf_c_message_init(of, message);
	return message;
}

void field_message_freep(ProtobufCMessage **message)
{
	protobuf_c_message_free_unpacked(*message, NULL);
}

static void free_value(const ProtobufCFieldDescriptor *field, void *value)
{
	if (field->type == PROTOBUF_C_TYPE_MESSAGE)
		protobuf_c_message_free_unpacked(*(ProtobufCMessage **)value, NULL);
	else if (field->type == PROTOBUF_C_TYPE_STRING && *(char **)value != field->default_value)
		free(*(char **)value);
}

static void clear_list(ProtobufCMessage *message, const ProtobufCFieldDescriptor *field)
{
	for (size_t i = 0; i < field_count(message, field); i++)
		free_value(field, field_item(message, field, i));
	free(*(void **)field_value(message, field));
	*(void **)field_value(message, field) = NULL;
	*list_count(message, field) = 0;
}

static size_t scalar_size(const ProtobufCFieldDescriptor *field)
{
	switch (field->type) {
	case PROTOBUF_C_TYPE_STRING:
	case PROTOBUF_C_TYPE_MESSAGE:
		return sizeof(void *);
	case PROTOBUF_C_TYPE_UINT64:
		return sizeof(uint64_t);
	default:
		return sizeof(uint32_t);
	}
}

void field_clear(ProtobufCMessage *message, const ProtobufCFieldDescriptor *field)
{
	const ProtobufCFieldDescriptor *held = field;

	if (field->label == PROTOBUF_C_LABEL_REPEATED) {
		clear_list(message, field);
		return;
	}
	if (is_of_oneof(field)) {
		held = protobuf_c_message_descriptor_get_field(message->descriptor, *oneof_case(message, field));
		*oneof_case(message, field) = 0;
		if (!held)
			return;
	}
	free_value(held, field_value(message, held));
	memset(field_value(message, held), 0, scalar_size(held));
	if (held->type == PROTOBUF_C_TYPE_STRING && !is_of_oneof(held))
		*(const void **)field_value(message, held) = held->default_value;
}

/* Room for one value: the field's own, emptied, or a new item of its list. NULL when out of memory. */
static void *make_room(ProtobufCMessage *message, const ProtobufCFieldDescriptor *field)
{
	size_t *count;
	void *list, *slot;

	if (field->label != PROTOBUF_C_LABEL_REPEATED) {
		field_clear(message, field);
		if (is_of_oneof(field))
			*oneof_case(message, field) = field->id;
		return field_value(message, field);
	}
	count = list_count(message, field);
	list = reallocarray(*(void **)field_value(message, field), *count + 1, item_size(field));
	if (!list)
		return NULL;
	*(void **)field_value(message, field) = list;
	slot = (char *)list + (*count)++ * item_size(field);
	memset(slot, 0, item_size(field));
	return slot;
}

void field_take_child(ProtobufCMessage *message, const ProtobufCFieldDescriptor *field, ProtobufCMessage *child)
{
	assert(field->label != PROTOBUF_C_LABEL_REPEATED);
	*(ProtobufCMessage **)make_room(message, field) = child;
}

ProtobufCMessage *field_child(ProtobufCMessage *message, const ProtobufCFieldDescriptor *field)
{
	ProtobufCMessage *child, **slot;

	if (!field_is_list(field) && field_is_set(message, field))
		return *(ProtobufCMessage **)field_value(message, field);
	child = field_message_new(field->descriptor);
	slot = child ? make_room(message, field) : NULL;
	if (!slot) {
		protobuf_c_message_free_unpacked(child, NULL);
		return NULL;
	}
	*slot = child;
	return child;
}

/* A value that has been read and waits for its place; what it points to is on the heap. */
union parsed {
	uint32_t u32;
	uint64_t u64;
	void *pointer;
};

static int parse_text(struct bytes text, union parsed *ret, struct errmsg *error)
{
	if (!bytes_are_text(text)) {
		errmsg_set(error, "is not UTF-8 text");
		return FIELD_E_VALUE;
	}
	ret->pointer = bytes_dup_text(text);
	return ret->pointer ? 0 : err_origin(-ENOMEM);
}

static int parse_boolean(struct bytes text, union parsed *ret, struct errmsg *error)
{
	ret->u32 = bytes_equal(text, bytes_of_text("true"));
	if (ret->u32 || bytes_equal(text, bytes_of_text("false")))
		return 0;
	errmsg_set(error, "'%.*s' is neither true nor false", (int)text.len, (const char *)text.data);
	return FIELD_E_VALUE;
}

static int parse_unsigned(struct bytes text, uint64_t most, uint64_t *ret, struct errmsg *error)
{
	if (decimal_parse_unsigned(text, ret) == 0 && *ret <= most)
		return 0;
	errmsg_set(error, "'%.*s' is not a whole number from 0 to %llu", (int)text.len, (const char *)text.data,
		   (unsigned long long)most);
	return FIELD_E_VALUE;
}

static int parse_int32(struct bytes text, union parsed *ret, struct errmsg *error)
{
	int64_t value;

	if (decimal_parse(text, 0, &value) || value < INT32_MIN || value > INT32_MAX) {
		errmsg_set(error, "'%.*s' is not a whole number", (int)text.len, (const char *)text.data);
		return FIELD_E_VALUE;
	}
	ret->u32 = (uint32_t)(int32_t)value;
	return 0;
}

static int parse_enum(const ProtobufCEnumDescriptor *words, struct bytes text, union parsed *ret, struct errmsg *error)
{
	_cleanup_(buffer_finish) struct buffer list = {0};
	int value;

	if (field_enum_value(words, text, &value)) {
		ret->u32 = (uint32_t)value;
		return 0;
	}
	field_enum_words(words, &list);
	errmsg_set(error, "'%.*s' is none of %s", (int)text.len, (const char *)text.data, list.data ? list.data : "");
	return FIELD_E_VALUE;
}

/* "8000" is milliseconds, as in documents; with a unit it is what it says. */
static int parse_duration(struct bytes text, union parsed *ret, struct errmsg *error)
{
	_cleanup_(freep) char *copy = bytes_dup_text(text);
	Google__Protobuf__Duration *duration;
	int64_t ms;

	if (!copy)
		return err_origin(-ENOMEM);
	if ((decimal_parse(text, 0, &ms) && words_parse_duration(copy, &ms)) || ms < 0) {
		errmsg_set(error, "'%s' is not a duration; write milliseconds, or a unit as in 8s or 1m30s", copy);
		return FIELD_E_VALUE;
	}
	duration = (void *)field_message_new(&google__protobuf__duration__descriptor);
	if (!duration)
		return err_origin(-ENOMEM);
	duration->seconds = ms / 1000;
	duration->nanos = (int32_t)(ms % 1000) * 1000000;
	ret->pointer = duration;
	return 0;
}

static int parse_timestamp(struct bytes text, union parsed *ret, struct errmsg *error)
{
	Google__Protobuf__Timestamp *timestamp;
	int64_t ms;

	if (instant_parse(text, &ms)) {
		errmsg_set(error, "'%.*s' is not an instant; write it as 2026-11-22T17:00:00Z", (int)text.len,
			   (const char *)text.data);
		return FIELD_E_VALUE;
	}
	timestamp = (void *)field_message_new(&google__protobuf__timestamp__descriptor);
	if (!timestamp)
		return err_origin(-ENOMEM);
	timestamp->seconds = ms / 1000 - (ms % 1000 < 0);
	timestamp->nanos = (int32_t)(ms - timestamp->seconds * 1000) * 1000000;
	ret->pointer = timestamp;
	return 0;
}

static int parse_value(const ProtobufCFieldDescriptor *field, struct bytes text, union parsed *ret,
		       struct errmsg *error)
{
	int r;

	switch (field_kind_of(field)) {
	case FIELD_KIND_TEXT:
		return parse_text(text, ret, error);
	case FIELD_KIND_BOOLEAN:
		return parse_boolean(text, ret, error);
	case FIELD_KIND_INT32:
		return parse_int32(text, ret, error);
	case FIELD_KIND_UINT32:
		r = parse_unsigned(text, UINT32_MAX, &ret->u64, error);
		if (r == 0)
			ret->u32 = (uint32_t)ret->u64;
		return r;
	case FIELD_KIND_UINT64:
		return parse_unsigned(text, UINT64_MAX, &ret->u64, error);
	case FIELD_KIND_ENUM:
		return parse_enum(field->descriptor, text, ret, error);
	case FIELD_KIND_DURATION:
		return parse_duration(text, ret, error);
	case FIELD_KIND_TIMESTAMP:
		return parse_timestamp(text, ret, error);
	case FIELD_KIND_STRUCT:
	case FIELD_KIND_MAP:
	case FIELD_KIND_MESSAGE:
	case FIELD_KIND_NONE:
		break;
	}
	return err_origin(-EINVAL);
}

int field_set_text(ProtobufCMessage *message, const ProtobufCFieldDescriptor *field, struct bytes text,
		   struct errmsg *error)
{
	union parsed parsed = {0};
	void *slot;
	int r = parse_value(field, text, &parsed, error);

	if (r)
		return r;
	slot = make_room(message, field);
	if (!slot) {
		free_value(field, &parsed);
		return err_origin(-ENOMEM);
	}
	memcpy(slot, &parsed, field->label == PROTOBUF_C_LABEL_REPEATED ? item_size(field) : scalar_size(field));
	return 0;
}

int field_set_entry(ProtobufCMessage *message, const ProtobufCFieldDescriptor *field, struct bytes key,
		    struct bytes value, struct errmsg *error)
{
	const ProtobufCMessageDescriptor *of = field->descriptor;
	ProtobufCMessage *entry = NULL;
	int r;

	for (size_t i = 0; i < field_count(message, field); i++) {
		ProtobufCMessage *item = *(ProtobufCMessage **)field_item(message, field, i);

		if (bytes_equal(bytes_of_text(*(char **)field_value(item, &of->fields[0])), key))
			return field_set_text(item, &of->fields[1], value, error);
	}
	entry = field_message_new(of);
	if (!entry)
		return err_origin(-ENOMEM);
	r = field_set_text(entry, &of->fields[0], key, error);
	if (r == 0)
		r = field_set_text(entry, &of->fields[1], value, error);
	if (r == 0) {
		ProtobufCMessage **slot = make_room(message, field);

		if (slot) {
			*slot = entry;
			return 0;
		}
		r = err_origin(-ENOMEM);
	}
	protobuf_c_message_free_unpacked(entry, NULL);
	return r;
}
