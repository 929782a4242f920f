/*
 * The well-known types, whose JSON is a text, or the value that they stand for.
 */
#include "protojson/reader.h"

#include "base/err.h"
#include "base/quote.h"
#include "protojson/mask.h"
#include "protojson/moment.h"
#include "protojson/number.h"
#include "protojson/shape.h"

#include <google/protobuf/any.pb-c.h>
#include <google/protobuf/duration.pb-c.h>
#include <google/protobuf/field_mask.pb-c.h>
#include <google/protobuf/struct.pb-c.h>
#include <google/protobuf/timestamp.pb-c.h>

static int want_text(const struct reader *reader, const struct place *at, json_node node, const char *what)
{
	if (json_kind(reader->json, node) == JSON_KIND_TEXT)
		return 0;
	return reader_refuse(reader, at, PROTOJSON_E_VALUE, "must be %s, and not %s", what, reader_kind(reader, node));
}

static int read_timestamp(struct reader *reader, const struct place *at, json_node node, ProtobufCMessage *message)
{
	Google__Protobuf__Timestamp *timestamp = (Google__Protobuf__Timestamp *)message;
	struct moment moment;
	int r = want_text(reader, at, node, "a text like \"2026-11-30T21:00:00Z\"");

	if (r)
		return r;
	if (!moment_read_timestamp(json_text(reader->json, node), &moment))
		return reader_refuse(reader, at, PROTOJSON_E_VALUE,
				     "'%s' is not an instant of the years 1 to 9999 like \"2026-11-30T21:00:00Z\"",
				     reader_quote(reader, node).text);
	timestamp->seconds = moment.seconds;
	timestamp->nanos = moment.nanos;
	return 0;
}

static int read_duration(struct reader *reader, const struct place *at, json_node node, ProtobufCMessage *message)
{
	Google__Protobuf__Duration *duration = (Google__Protobuf__Duration *)message;
	struct moment moment;
	int r = want_text(reader, at, node, "a text like \"1.5s\"");

	if (r)
		return r;
	if (!moment_read_duration(json_text(reader->json, node), &moment))
		return reader_refuse(reader, at, PROTOJSON_E_VALUE,
				     "'%s' is not a duration of up to 315576000000 seconds like \"1.5s\"",
				     reader_quote(reader, node).text);
	duration->seconds = moment.seconds;
	duration->nanos = moment.nanos;
	return 0;
}

static int read_path(const struct reader *reader, const struct place *at, struct bytes path, char **ret)
{
	_cleanup_(buffer_finish) struct buffer original = {0};
	int r;

	if (!mask_is_json_path(path))
		return reader_refuse(reader, at, PROTOJSON_E_VALUE, "'%s' is not a path like \"job.displayName\"",
				     quote_bytes(path, LIMIT_QUOTE).text);
	r = mask_append_original(&original, path);
	return r < 0 ? err_trace(r) : read_text(reader, at, buffer_bytes(&original), ret);
}

static int read_mask(struct reader *reader, const struct place *at, json_node node, ProtobufCMessage *message)
{
	Google__Protobuf__FieldMask *mask = (Google__Protobuf__FieldMask *)message;
	struct bytes text = json_text(reader->json, node);
	const char *p = text.data, *end = p + text.len;
	size_t commas = 0;
	int r = want_text(reader, at, node, "a text of paths with commas between");

	if (r || text.len == 0)
		return r;
	for (const char *q = p; q < end; q++)
		commas += *q == ',';
	r = reader_take(reader, at, (commas + 1) * sizeof(*mask->paths), (void **)&mask->paths);
	while (r == 0 && p <= end) {
		const char *comma = memchr(p, ',', (size_t)(end - p)), *stop = comma ? comma : end;

		r = read_path(reader, at, bytes_of(p, (size_t)(stop - p)), &mask->paths[mask->n_paths]);
		mask->n_paths += r == 0;
		p = stop + 1;
	}
	return r;
}

static int read_number(const struct reader *reader, const struct place *at, json_node node,
		       Google__Protobuf__Value *value)
{
	struct bytes text = json_text(reader->json, node);
	double number;

	if (!number_read_double(text, false, &number))
		return reader_refuse(reader, at, PROTOJSON_E_VALUE, "'%s' is not a number of this size",
				     reader_quote(reader, node).text);
	if (number_was_rounded(text, number))
		return reader_refuse(reader, at, PROTOJSON_E_VALUE,
				     "'%s' would be rounded, since numbers are doubles here; write \"%s\", a text",
				     reader_quote(reader, node).text, reader_quote(reader, node).text);
	value->number_value = number;
	value->kind_case = GOOGLE__PROTOBUF__VALUE__KIND_NUMBER_VALUE;
	return 0;
}

static int read_any_value(struct reader *reader, const struct place *at, json_node node, ProtobufCMessage *message)
{
	Google__Protobuf__Value *value = (Google__Protobuf__Value *)message;

	switch (json_kind(reader->json, node)) {
	case JSON_KIND_NUMBER:
		return read_number(reader, at, node, value);
	case JSON_KIND_BOOLEAN:
		value->kind_case = GOOGLE__PROTOBUF__VALUE__KIND_BOOL_VALUE;
		value->bool_value = json_boolean(reader->json, node, false);
		return 0;
	case JSON_KIND_TEXT:
		value->kind_case = GOOGLE__PROTOBUF__VALUE__KIND_STRING_VALUE;
		value->string_value = (char *)protobuf_c_empty_string;
		return read_text(reader, at, json_text(reader->json, node), &value->string_value);
	case JSON_KIND_OBJECT:
		value->kind_case = GOOGLE__PROTOBUF__VALUE__KIND_STRUCT_VALUE;
		return read_child(reader, at, node, &google__protobuf__struct__descriptor,
				  (ProtobufCMessage **)&value->struct_value);
	case JSON_KIND_ARRAY:
		value->kind_case = GOOGLE__PROTOBUF__VALUE__KIND_LIST_VALUE;
		return read_child(reader, at, node, &google__protobuf__list_value__descriptor,
				  (ProtobufCMessage **)&value->list_value);
	case JSON_KIND_NULL:
	case JSON_KIND_ABSENT:
		break;
	}
	value->kind_case = GOOGLE__PROTOBUF__VALUE__KIND_NULL_VALUE;
	return 0;
}

static int read_struct(struct reader *reader, const struct place *at, json_node node, ProtobufCMessage *message)
{
	return read_map(reader, at, node, &message->descriptor->fields[0], message);
}

static int read_list_value(struct reader *reader, const struct place *at, json_node node, ProtobufCMessage *message)
{
	return read_list(reader, at, node, &message->descriptor->fields[0], message);
}

static int read_unknown_type(struct reader *reader, const struct place *at, json_node node, ProtobufCMessage *message)
{
	(void)reader;
	(void)at;
	(void)node;
	(void)message;
	return err_origin(-ENOTSUP);
}

read_special_fn *read_special_of(const ProtobufCMessageDescriptor *type)
{
	static const struct {
		const ProtobufCMessageDescriptor *type;
		read_special_fn *read;
	} specials[] = {
		{&google__protobuf__any__descriptor, read_unknown_type},
		{&google__protobuf__duration__descriptor, read_duration},
		{&google__protobuf__field_mask__descriptor, read_mask},
		{&google__protobuf__list_value__descriptor, read_list_value},
		{&google__protobuf__struct__descriptor, read_struct},
		{&google__protobuf__timestamp__descriptor, read_timestamp},
		{&google__protobuf__value__descriptor, read_any_value},
	};

	for (size_t i = 0; i < sizeof(specials) / sizeof(specials[0]); i++)
		if (specials[i].type == type)
			return specials[i].read;
	return NULL;
}
