#include "protojson/protojson.h"

#include "base/base64.h"
#include "base/err.h"
#include "base/json_text.h"
#include "protojson/mask.h"
#include "protojson/moment.h"
#include "protojson/number.h"
#include "protojson/shape.h"

#include <google/protobuf/any.pb-c.h>
#include <google/protobuf/duration.pb-c.h>
#include <google/protobuf/field_mask.pb-c.h>
#include <google/protobuf/struct.pb-c.h>
#include <google/protobuf/timestamp.pb-c.h>
#include <math.h>

struct writer {
	struct buffer *out;
	unsigned flags;
};

static int write_message(const struct writer *writer, const ProtobufCMessage *message);

static int write_text(const struct writer *writer, const char *text)
{
	struct bytes bytes = bytes_of_text(text ? text : "");

	return bytes_are_text(bytes) ? json_append_text(writer->out, bytes) : PROTOJSON_E_VALUE;
}

static int write_quote(const struct writer *writer)
{
	return buffer_append(writer->out, "\"", 1);
}

static int write_bytes(const struct writer *writer, const ProtobufCBinaryData *bytes)
{
	int r = write_quote(writer);

	if (r == 0)
		r = base64_append(writer->out, bytes_of(bytes->data, bytes->len));
	return r ? r : write_quote(writer);
}

static int write_enum(const struct writer *writer, const ProtobufCEnumDescriptor *type, int number)
{
	const ProtobufCEnumValue *value = protobuf_c_enum_descriptor_get_value(type, number);

	if (type == &google__protobuf__null_value__descriptor)
		return buffer_append_text(writer->out, "null");
	if (!value)
		return buffer_printf(writer->out, "%d", number);
	return write_text(writer, value->name);
}

/* One value of the field, or of its list. */
static int write_value(const struct writer *writer, const ProtobufCFieldDescriptor *field, const void *member)
{
	struct buffer *out = writer->out;

	switch (field->type) {
	case PROTOBUF_C_TYPE_INT32:
	case PROTOBUF_C_TYPE_SINT32:
	case PROTOBUF_C_TYPE_SFIXED32:
		return buffer_printf(out, "%d", *(const int32_t *)member);
	case PROTOBUF_C_TYPE_UINT32:
	case PROTOBUF_C_TYPE_FIXED32:
		return buffer_printf(out, "%u", *(const uint32_t *)member);
	case PROTOBUF_C_TYPE_INT64:
	case PROTOBUF_C_TYPE_SINT64:
	case PROTOBUF_C_TYPE_SFIXED64:
		return buffer_printf(out, "\"%lld\"", (long long)*(const int64_t *)member);
	case PROTOBUF_C_TYPE_UINT64:
	case PROTOBUF_C_TYPE_FIXED64:
		return buffer_printf(out, "\"%llu\"", (unsigned long long)*(const uint64_t *)member);
	case PROTOBUF_C_TYPE_FLOAT:
		return number_append_float(out, *(const float *)member);
	case PROTOBUF_C_TYPE_DOUBLE:
		return number_append_double(out, *(const double *)member);
	case PROTOBUF_C_TYPE_BOOL:
		return buffer_append_text(out, *(const protobuf_c_boolean *)member ? "true" : "false");
	case PROTOBUF_C_TYPE_ENUM:
		return write_enum(writer, field->descriptor, *(const int *)member);
	case PROTOBUF_C_TYPE_STRING:
		return write_text(writer, *(char *const *)member);
	case PROTOBUF_C_TYPE_BYTES:
		return write_bytes(writer, member);
	case PROTOBUF_C_TYPE_MESSAGE:
		return write_message(writer, *(ProtobufCMessage *const *)member);
	}
	return err_origin(-ENOTSUP);
}

static int write_list(const struct writer *writer, const ProtobufCFieldDescriptor *field,
		      const ProtobufCMessage *message)
{
	const char *items = *(char *const *)shape_member(message, field);
	size_t n = *shape_count(message, field), size = shape_size(field);
	int r = buffer_append(writer->out, "[", 1);

	for (size_t i = 0; r == 0 && i < n; i++) {
		r = i ? buffer_append(writer->out, ",", 1) : 0;
		if (r == 0)
			r = write_value(writer, field, items + i * size);
	}
	return r ? r : buffer_append(writer->out, "]", 1);
}

/* ---- maps ---- */

/* Texts have their quotation marks already, and so have numbers of 64 bits. */
static int write_key(const struct writer *writer, const ProtobufCFieldDescriptor *key, const void *member)
{
	bool is_bare = key->type == PROTOBUF_C_TYPE_BOOL || shape_size(key) == sizeof(uint32_t);
	int r = is_bare ? write_quote(writer) : 0;

	if (r == 0)
		r = write_value(writer, key, member);
	if (r == 0 && is_bare)
		r = write_quote(writer);
	return r ? r : buffer_append(writer->out, ":", 1);
}

/* Of an entry that came without its value: the default one. */
static int write_default(const struct writer *writer, const ProtobufCMessageDescriptor *type)
{
	_cleanup_(freep) ProtobufCMessage *message = calloc(1, type->sizeof_message);

	if (!message)
		return err_origin(-ENOMEM);
	protobuf_c_message_init(type, message);
	return write_message(writer, message);
}

static int write_entry(const struct writer *writer, const ProtobufCMessage *entry)
{
	const ProtobufCFieldDescriptor *key = &entry->descriptor->fields[0], *value = &entry->descriptor->fields[1];
	const void *member = shape_member(entry, value);
	int r = write_key(writer, key, shape_member(entry, key));

	if (r)
		return r;
	if (value->type == PROTOBUF_C_TYPE_MESSAGE && !*(ProtobufCMessage *const *)member)
		return write_default(writer, value->descriptor);
	return write_value(writer, value, member);
}

/* By key, and of equal keys by their places: the last one counts. */
static int compare_places(const void *a, const void *b)
{
	ProtobufCMessage *const *x = *(ProtobufCMessage *const *const *)a, *const *y = *(
										   ProtobufCMessage *const *const *)b;
	int order = shape_compare_entries(*x, *y);

	return order ? order : (x > y) - (x < y);
}

static int write_map(const struct writer *writer, const ProtobufCFieldDescriptor *field,
		     const ProtobufCMessage *message)
{
	ProtobufCMessage *const *entries = *(ProtobufCMessage *const *const *)shape_member(message, field);
	size_t n = *shape_count(message, field);
	_cleanup_(freep) ProtobufCMessage *const **places = reallocarray(NULL, n ? n : 1, sizeof(*places));
	bool is_first = true;
	int r = places ? buffer_append(writer->out, "{", 1) : err_origin(-ENOMEM);

	if (r)
		return r;
	for (size_t i = 0; i < n; i++)
		places[i] = &entries[i];
	qsort(places, n, sizeof(*places), compare_places);
	for (size_t i = 0; r == 0 && i < n; i++) {
		if (i + 1 < n && shape_compare_entries(*places[i], *places[i + 1]) == 0)
			continue;
		r = is_first ? 0 : buffer_append(writer->out, ",", 1);
		if (r == 0)
			r = write_entry(writer, *places[i]);
		is_first = false;
	}
	return r ? r : buffer_append(writer->out, "}", 1);
}

/* ---- the well-known types ---- */

static int write_moment(const struct writer *writer, bool is_good, const char *text)
{
	return is_good ? write_text(writer, text) : PROTOJSON_E_VALUE;
}

static int write_timestamp(const struct writer *writer, const ProtobufCMessage *message)
{
	const Google__Protobuf__Timestamp *from = (const Google__Protobuf__Timestamp *)message;
	const struct moment moment = {.seconds = from->seconds, .nanos = from->nanos};
	char text[MOMENT_TEXT_SIZE];

	return write_moment(writer, moment_write_timestamp(&moment, text), text);
}

static int write_duration(const struct writer *writer, const ProtobufCMessage *message)
{
	const Google__Protobuf__Duration *from = (const Google__Protobuf__Duration *)message;
	const struct moment moment = {.seconds = from->seconds, .nanos = from->nanos};
	char text[MOMENT_TEXT_SIZE];

	return write_moment(writer, moment_write_duration(&moment, text), text);
}

static int write_mask(const struct writer *writer, const ProtobufCMessage *message)
{
	const Google__Protobuf__FieldMask *mask = (const Google__Protobuf__FieldMask *)message;
	int r = write_quote(writer);

	for (size_t i = 0; r == 0 && i < mask->n_paths; i++) {
		if (!mask_is_path(bytes_of_text(mask->paths[i])))
			return PROTOJSON_E_VALUE;
		r = i ? buffer_append(writer->out, ",", 1) : 0;
		if (r == 0)
			r = mask_append_json(writer->out, mask->paths[i]);
	}
	return r ? r : write_quote(writer);
}

static int write_struct(const struct writer *writer, const ProtobufCMessage *message)
{
	return write_map(writer, &message->descriptor->fields[0], message);
}

static int write_list_value(const struct writer *writer, const ProtobufCMessage *message)
{
	return write_list(writer, &message->descriptor->fields[0], message);
}

static int write_any_value(const struct writer *writer, const ProtobufCMessage *message)
{
	const Google__Protobuf__Value *value = (const Google__Protobuf__Value *)message;
	const ProtobufCFieldDescriptor *field = protobuf_c_message_descriptor_get_field(message->descriptor,
											value->kind_case);

	if (!field)
		return PROTOJSON_E_VALUE;
	if (value->kind_case == GOOGLE__PROTOBUF__VALUE__KIND_NUMBER_VALUE && !isfinite(value->number_value))
		return PROTOJSON_E_VALUE;
	return write_value(writer, field, shape_member(message, field));
}

static int write_unknown_type(const struct writer *writer, const ProtobufCMessage *message)
{
	(void)writer;
	(void)message;
	return err_origin(-ENOTSUP);
}

/* ---- messages ---- */

static int write_field(const struct writer *writer, const ProtobufCFieldDescriptor *field,
		       const ProtobufCMessage *message)
{
	int r = write_quote(writer);

	if (r == 0)
		r = shape_append_json_name(writer->out, field->name);
	if (r == 0)
		r = buffer_append(writer->out, "\":", 2);
	if (r)
		return r;
	if (shape_is_map(field))
		return write_map(writer, field, message);
	if (shape_is_list(field))
		return write_list(writer, field, message);
	return write_value(writer, field, shape_member(message, field));
}

static bool is_shown(const struct writer *writer, const ProtobufCFieldDescriptor *field,
		     const ProtobufCMessage *message)
{
	if (shape_is_set(message, field))
		return true;
	if (!(writer->flags & PROTOJSON_EMIT_DEFAULTS) || shape_is_in_oneof(field))
		return false;
	return shape_is_list(field) || field->type != PROTOBUF_C_TYPE_MESSAGE;
}

static int write_object(const struct writer *writer, const ProtobufCMessage *message)
{
	const ProtobufCMessageDescriptor *type = message->descriptor;
	bool is_first = true;
	int r = buffer_append(writer->out, "{", 1);

	for (unsigned i = 0; r == 0 && i < type->n_fields; i++) {
		if (!is_shown(writer, &type->fields[i], message))
			continue;
		r = is_first ? 0 : buffer_append(writer->out, ",", 1);
		if (r == 0)
			r = write_field(writer, &type->fields[i], message);
		is_first = false;
	}
	return r ? r : buffer_append(writer->out, "}", 1);
}

static int write_message(const struct writer *writer, const ProtobufCMessage *message)
{
	static const struct {
		const ProtobufCMessageDescriptor *type;
		int (*write)(const struct writer *writer, const ProtobufCMessage *message);
	} specials[] = {
		{&google__protobuf__any__descriptor, write_unknown_type},
		{&google__protobuf__duration__descriptor, write_duration},
		{&google__protobuf__field_mask__descriptor, write_mask},
		{&google__protobuf__list_value__descriptor, write_list_value},
		{&google__protobuf__struct__descriptor, write_struct},
		{&google__protobuf__timestamp__descriptor, write_timestamp},
		{&google__protobuf__value__descriptor, write_any_value},
	};

	for (size_t i = 0; i < sizeof(specials) / sizeof(specials[0]); i++)
		if (specials[i].type == message->descriptor)
			return specials[i].write(writer, message);
	return write_object(writer, message);
}

int protojson_write(const ProtobufCMessage *message, unsigned flags, struct buffer *ret)
{
	return write_message(&(struct writer){.out = ret, .flags = flags}, message);
}
