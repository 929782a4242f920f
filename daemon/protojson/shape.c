#include "protojson/shape.h"

static char to_upper(char c)
{
	return c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
}

/* The next character of the JSON name, 0 at the end. @at moves in the original one. */
static char next_character(const char **at)
{
	bool is_capital = false;

	for (; **at == '_'; (*at)++)
		is_capital = true;
	if (**at == '\0')
		return '\0';
	return is_capital ? to_upper(*(*at)++) : *(*at)++;
}

int shape_append_json_name(struct buffer *out, const char *name)
{
	int r = 0;

	for (char c; r == 0 && (c = next_character(&name));)
		r = buffer_append(out, &c, 1);
	return r;
}

bool shape_json_name_is(const char *name, struct bytes json_name)
{
	const char *p = json_name.data;

	for (size_t i = 0; i < json_name.len; i++)
		if (p[i] == '\0' || next_character(&name) != p[i])
			return false;
	return next_character(&name) == '\0';
}

const ProtobufCFieldDescriptor *shape_find(const ProtobufCMessageDescriptor *type, struct bytes name)
{
	for (unsigned i = 0; i < type->n_fields; i++)
		if (shape_json_name_is(type->fields[i].name, name))
			return &type->fields[i];
	for (unsigned i = 0; i < type->n_fields; i++)
		if (bytes_equal(bytes_of_text(type->fields[i].name), name))
			return &type->fields[i];
	return NULL;
}

/* protoc calls the entries of "client_labels" ClientLabelsEntry, and no other type may be called so beside that field. */
static bool is_entry_name(const char *name, const char *field)
{
	bool is_capital = true;

	for (; *field; field++) {
		if (*field != '_' && *name++ != (is_capital ? to_upper(*field) : *field))
			return false;
		is_capital = *field == '_';
	}
	return strcmp(name, "Entry") == 0;
}

bool shape_is_map(const ProtobufCFieldDescriptor *field)
{
	const ProtobufCMessageDescriptor *type = field->descriptor;

	return shape_is_list(field) && field->type == PROTOBUF_C_TYPE_MESSAGE && type->n_fields == 2 &&
	       type->fields[0].id == 1 && strcmp(type->fields[0].name, "key") == 0 && type->fields[1].id == 2 &&
	       strcmp(type->fields[1].name, "value") == 0 && is_entry_name(type->short_name, field->name);
}

size_t shape_size(const ProtobufCFieldDescriptor *field)
{
	switch (field->type) {
	case PROTOBUF_C_TYPE_INT32:
	case PROTOBUF_C_TYPE_SINT32:
	case PROTOBUF_C_TYPE_SFIXED32:
	case PROTOBUF_C_TYPE_UINT32:
	case PROTOBUF_C_TYPE_FIXED32:
		return sizeof(uint32_t);
	case PROTOBUF_C_TYPE_INT64:
	case PROTOBUF_C_TYPE_SINT64:
	case PROTOBUF_C_TYPE_SFIXED64:
	case PROTOBUF_C_TYPE_UINT64:
	case PROTOBUF_C_TYPE_FIXED64:
		return sizeof(uint64_t);
	case PROTOBUF_C_TYPE_FLOAT:
		return sizeof(float);
	case PROTOBUF_C_TYPE_DOUBLE:
		return sizeof(double);
	case PROTOBUF_C_TYPE_BOOL:
		return sizeof(protobuf_c_boolean);
	case PROTOBUF_C_TYPE_ENUM:
		return sizeof(int);
	case PROTOBUF_C_TYPE_STRING:
	case PROTOBUF_C_TYPE_MESSAGE:
		return sizeof(void *);
	case PROTOBUF_C_TYPE_BYTES:
		return sizeof(ProtobufCBinaryData);
	}
	return 0;
}

static bool is_zero(const unsigned char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (bytes[i])
			return false;
	return true;
}

bool shape_is_set(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field)
{
	const void *member = shape_member(message, field);
	const char *text;

	if (shape_is_list(field))
		return *shape_count(message, field) > 0;
	if (shape_is_in_oneof(field))
		return *shape_case(message, field) == field->id;
	switch (field->type) {
	case PROTOBUF_C_TYPE_STRING:
		text = *(char *const *)member;
		return text && *text;
	case PROTOBUF_C_TYPE_BYTES:
		return ((const ProtobufCBinaryData *)member)->len > 0;
	default:
		return !is_zero(member, shape_size(field));
	}
}

static int compare_signed(int64_t a, int64_t b)
{
	return (a > b) - (a < b);
}

static int compare_unsigned(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

int shape_compare_entries(const ProtobufCMessage *a, const ProtobufCMessage *b)
{
	const ProtobufCFieldDescriptor *key = &a->descriptor->fields[0];
	const void *x = shape_member(a, key), *y = shape_member(b, key);

	switch (key->type) {
	case PROTOBUF_C_TYPE_STRING:
		return strcmp(*(char *const *)x, *(char *const *)y);
	case PROTOBUF_C_TYPE_UINT32:
	case PROTOBUF_C_TYPE_FIXED32:
		return compare_unsigned(*(const uint32_t *)x, *(const uint32_t *)y);
	case PROTOBUF_C_TYPE_UINT64:
	case PROTOBUF_C_TYPE_FIXED64:
		return compare_unsigned(*(const uint64_t *)x, *(const uint64_t *)y);
	case PROTOBUF_C_TYPE_INT64:
	case PROTOBUF_C_TYPE_SINT64:
	case PROTOBUF_C_TYPE_SFIXED64:
		return compare_signed(*(const int64_t *)x, *(const int64_t *)y);
	case PROTOBUF_C_TYPE_BOOL:
		return compare_signed(*(const protobuf_c_boolean *)x, *(const protobuf_c_boolean *)y);
	default:
		return compare_signed(*(const int32_t *)x, *(const int32_t *)y);
	}
}
