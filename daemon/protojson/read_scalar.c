/*
 * Values that are no messages. A number is read from its text, whether it stands in quotation marks or not, so nothing of
 * it passes through a double but what is one.
 */
#include "protojson/reader.h"

#include "base/base64_reader.h"
#include "base/decimal.h"
#include "base/err.h"
#include "base/quote.h"
#include "protojson/number.h"
#include "protojson/shape.h"

#include <stdio.h>

struct range {
	int64_t min;
	uint64_t max;
};

/* Of the whole numbers; 0 to 0 for everything else. */
static struct range range_of(ProtobufCType type)
{
	switch (type) {
	case PROTOBUF_C_TYPE_INT32:
	case PROTOBUF_C_TYPE_SINT32:
	case PROTOBUF_C_TYPE_SFIXED32:
	case PROTOBUF_C_TYPE_ENUM:
		return (struct range){.min = INT32_MIN, .max = INT32_MAX};
	case PROTOBUF_C_TYPE_INT64:
	case PROTOBUF_C_TYPE_SINT64:
	case PROTOBUF_C_TYPE_SFIXED64:
		return (struct range){.min = INT64_MIN, .max = INT64_MAX};
	case PROTOBUF_C_TYPE_UINT32:
	case PROTOBUF_C_TYPE_FIXED32:
		return (struct range){.max = UINT32_MAX};
	case PROTOBUF_C_TYPE_UINT64:
	case PROTOBUF_C_TYPE_FIXED64:
		return (struct range){.max = UINT64_MAX};
	default:
		return (struct range){0};
	}
}

static int parse_whole(struct bytes text, struct range range, uint64_t *ret)
{
	int64_t value;
	int r;

	if (range.min == 0)
		r = decimal_parse_unsigned(text, ret);
	else if ((r = decimal_parse(text, 0, &value)) == 0)
		*ret = (uint64_t)value;
	if (r)
		return r;
	if (range.min == 0)
		return *ret > range.max ? DECIMAL_E_RANGE : 0;
	return value < range.min || (value > 0 && (uint64_t)value > range.max) ? DECIMAL_E_RANGE : 0;
}

/* The number goes into as many bytes as the type has. */
static int read_whole(const struct reader *reader, const struct place *at, struct bytes text,
		      const ProtobufCFieldDescriptor *field, void *member)
{
	struct range range = range_of(field->type);
	uint64_t value = 0;
	int r = parse_whole(text, range, &value);

	if (r)
		return reader_refuse(reader, at, PROTOJSON_E_VALUE, "'%s' is not a whole number from %lld to %llu",
				     quote_bytes(text, LIMIT_QUOTE).text, (long long)range.min,
				     (unsigned long long)range.max);
	if (shape_size(field) == sizeof(uint32_t))
		*(uint32_t *)member = (uint32_t)value;
	else
		*(uint64_t *)member = value;
	return 0;
}

static int read_floating(const struct reader *reader, const struct place *at, json_node node,
			 const ProtobufCFieldDescriptor *field, void *member)
{
	bool is_quoted = json_kind(reader->json, node) == JSON_KIND_TEXT, is_good;
	struct bytes text = json_text(reader->json, node);

	if (field->type == PROTOBUF_C_TYPE_FLOAT)
		is_good = number_read_float(text, is_quoted, member);
	else
		is_good = number_read_double(text, is_quoted, member);
	if (is_good)
		return 0;
	return reader_refuse(reader, at, PROTOJSON_E_VALUE,
			     "'%s' is not a number of this size, nor \"NaN\", \"Infinity\" or \"-Infinity\"",
			     reader_quote(reader, node).text);
}

static int refuse_enum(const struct reader *reader, const struct place *at, json_node node,
		       const ProtobufCEnumDescriptor *type)
{
	_cleanup_(buffer_finish) struct buffer names = {0};
	int r = 0;

	if (reader->flags & PROTOJSON_MAY_IGNORE_UNKNOWN)
		return READ_E_LEFT_OUT;
	for (unsigned i = 0; r == 0 && i < type->n_values; i++)
		r = buffer_printf(&names, "%s%s", i ? ", " : "", type->values[i].name);
	if (r < 0)
		return err_trace(r);
	return reader_refuse(reader, at, PROTOJSON_E_VALUE, "'%s' is not a value of %s; these are: %s",
			     reader_quote(reader, node).text, type->short_name, names.data);
}

/* By name, or by number where it is one. */
static int read_enum(const struct reader *reader, const struct place *at, json_node node,
		     const ProtobufCFieldDescriptor *field, int *member)
{
	const ProtobufCEnumDescriptor *type = field->descriptor;
	struct bytes text = json_text(reader->json, node);
	const ProtobufCEnumValue *value = NULL;
	int number = 0, r;

	if (json_kind(reader->json, node) == JSON_KIND_NULL) {
		*member = 0;
		return 0;
	}
	if (json_kind(reader->json, node) == JSON_KIND_NUMBER) {
		r = read_whole(reader, at, text, field, &number);
		if (r)
			return r;
		value = protobuf_c_enum_descriptor_get_value(type, number);
	} else if (bytes_are_text(text)) {
		value = protobuf_c_enum_descriptor_get_value_by_name(type, text.data);
	}
	if (!value)
		return refuse_enum(reader, at, node, type);
	*member = value->value;
	return 0;
}

int read_text(const struct reader *reader, const struct place *at, struct bytes text, char **ret)
{
	void *copy;
	int r;

	if (!bytes_are_text(text))
		return reader_refuse(reader, at, PROTOJSON_E_VALUE, "the text contains a NUL; leave it out");
	r = reader_take(reader, at, text.len + 1, &copy);
	if (r)
		return r;
	if (text.len)
		memcpy(copy, text.data, text.len);
	*ret = copy;
	return 0;
}

/* ---- base64 ---- */

/* The text without its padding; false: the padding is not what belongs to it, or both alphabets are mixed. */
static bool strip_padding(struct bytes *text)
{
	const char *p = text->data;
	size_t len = text->len, padding = 0;

	while (padding < 2 && len && p[len - 1] == '=') {
		len--;
		padding++;
	}
	if (padding && text->len % 4)
		return false;
	text->len = len;
	return len % 4 != 1 &&
	       !((memchr(p, '+', len) || memchr(p, '/', len)) && (memchr(p, '-', len) || memchr(p, '_', len)));
}

/* In the standard alphabet, a piece at a time. What an incomplete last group lacks is filled up with zeros, whatever the
 * unused bits of its last character are: many writers leave them as they come. */
static bool decode(struct bytes text, uint8_t *out, size_t *len)
{
	struct base64_reader reader = {0};
	const char *p = text.data;
	size_t missing = (4 - text.len % 4) % 4;

	*len = 0;
	for (size_t i = 0; i < text.len; i++) {
		char c = p[i] == '-' ? '+' : p[i] == '_' ? '/' : p[i];

		if (c == '=' || base64_reader_add(&reader, bytes_of(&c, 1), out, len) != 0)
			return false;
	}
	if (base64_reader_add(&reader, bytes_of("AA", missing), out, len) != 0)
		return false;
	*len -= missing;
	return true;
}

static int read_bytes(const struct reader *reader, const struct place *at, json_node node, ProtobufCBinaryData *member)
{
	struct bytes text = json_text(reader->json, node);
	void *data;
	int r;

	if (!strip_padding(&text))
		return reader_refuse(reader, at, PROTOJSON_E_VALUE, "'%s' is not base64",
				     reader_quote(reader, node).text);
	r = reader_take(reader, at, text.len ? BASE64_ROOM(text.len) : 0, &data);
	if (r)
		return r;
	member->data = data;
	if (!decode(text, data, &member->len))
		return reader_refuse(reader, at, PROTOJSON_E_VALUE, "'%s' is not base64",
				     reader_quote(reader, node).text);
	return 0;
}

/* ---- which is it ---- */

static const char *wanted_by(ProtobufCType type)
{
	switch (type) {
	case PROTOBUF_C_TYPE_BOOL:
		return "true or false";
	case PROTOBUF_C_TYPE_STRING:
		return "a text";
	case PROTOBUF_C_TYPE_BYTES:
		return "a text of base64";
	case PROTOBUF_C_TYPE_ENUM:
		return "a name or a number";
	default:
		return "a number";
	}
}

/* Numbers may stand in quotation marks, and enums have names. */
static bool is_wanted(enum json_kind kind, const ProtobufCFieldDescriptor *field)
{
	switch (field->type) {
	case PROTOBUF_C_TYPE_BOOL:
		return kind == JSON_KIND_BOOLEAN;
	case PROTOBUF_C_TYPE_STRING:
	case PROTOBUF_C_TYPE_BYTES:
		return kind == JSON_KIND_TEXT;
	case PROTOBUF_C_TYPE_ENUM:
		return kind == JSON_KIND_TEXT || kind == JSON_KIND_NUMBER || kind == JSON_KIND_NULL;
	default:
		return kind == JSON_KIND_TEXT || kind == JSON_KIND_NUMBER;
	}
}

int read_scalar(const struct reader *reader, const struct place *at, json_node node,
		const ProtobufCFieldDescriptor *field, void *member)
{
	struct bytes text = json_text(reader->json, node);

	if (!is_wanted(json_kind(reader->json, node), field))
		return reader_refuse(reader, at, PROTOJSON_E_VALUE, "must be %s, and not %s", wanted_by(field->type),
				     reader_kind(reader, node));
	switch (field->type) {
	case PROTOBUF_C_TYPE_BOOL:
		*(protobuf_c_boolean *)member = json_boolean(reader->json, node, false);
		return 0;
	case PROTOBUF_C_TYPE_STRING:
		return read_text(reader, at, text, member);
	case PROTOBUF_C_TYPE_BYTES:
		return read_bytes(reader, at, node, member);
	case PROTOBUF_C_TYPE_ENUM:
		return read_enum(reader, at, node, field, member);
	case PROTOBUF_C_TYPE_FLOAT:
	case PROTOBUF_C_TYPE_DOUBLE:
		return read_floating(reader, at, node, field, member);
	default:
		return shape_size(field) ? read_whole(reader, at, text, field, member) : err_origin(-ENOTSUP);
	}
}

/* In one spelling only, so that two keys that differ as texts differ as numbers. */
static bool is_canonical(struct bytes text)
{
	const char *p = text.data, *end = p + text.len;
	const char *first = p < end && *p == '-' ? p + 1 : p;

	for (const char *q = first; q < end; q++)
		if (*q < '0' || *q > '9')
			return false;
	return first < end && (*first != '0' || text.len == 1);
}

int read_key(const struct reader *reader, const struct place *at, struct bytes name,
	     const ProtobufCFieldDescriptor *field, void *member)
{
	bool is_true = bytes_equal(name, bytes_of_text("true"));

	if (field->type == PROTOBUF_C_TYPE_STRING)
		return read_text(reader, at, name, member);
	if (field->type != PROTOBUF_C_TYPE_BOOL && is_canonical(name))
		return read_whole(reader, at, name, field, member);
	if (field->type != PROTOBUF_C_TYPE_BOOL || (!is_true && !bytes_equal(name, bytes_of_text("false"))))
		return reader_refuse(reader, at, PROTOJSON_E_VALUE, "the key must be %s",
				     field->type == PROTOBUF_C_TYPE_BOOL ? "true or false" : "a whole number");
	*(protobuf_c_boolean *)member = is_true;
	return 0;
}
