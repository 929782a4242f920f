#include "api/params.h"

#include "api/structs.h"
#include "base/err.h"
#include "base/json.h"

#include <ctype.h>
#include <google/protobuf/duration.pb-c.h>

void params_enum_word(const ProtobufCEnumDescriptor *type, int value, char word[static PARAMS_WORD_SIZE])
{
	const ProtobufCEnumValue *found = protobuf_c_enum_descriptor_get_value(type, value);
	/* Every enum's first value is PREFIX_UNSPECIFIED: buf lint sees to that. */
	size_t prefix = strlen(type->values[0].name) - strlen("UNSPECIFIED");
	size_t n = 0;

	for (const char *p = found ? found->name + prefix : ""; *p && n + 1 < PARAMS_WORD_SIZE; p++)
		word[n++] = (char)tolower((unsigned char)*p);
	word[n] = '\0';
}

bool duration_to_ms(const struct Google__Protobuf__Duration *duration, int64_t *ret_ms)
{
	int64_t seconds = duration->seconds;
	int32_t nanos = duration->nanos;

	if (seconds < -315576000000 || seconds > 315576000000 || nanos < -999999999 || nanos > 999999999)
		return false;
	if ((seconds > 0 && nanos < 0) || (seconds < 0 && nanos > 0) || nanos % 1000000)
		return false;
	*ret_ms = seconds * 1000 + nanos / 1000000;
	return true;
}

/* ---- to JSON ---- */

static bool is_duration(const ProtobufCFieldDescriptor *field)
{
	return field->descriptor == &google__protobuf__duration__descriptor;
}

static const void *member_of(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field)
{
	return (const char *)message + field->offset;
}

/* Set, in the sense of proto3: chosen in its oneof, or not the default. */
static bool is_set(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field)
{
	const void *member = member_of(message, field);
	const void *quantifier = (const char *)message + field->quantifier_offset;

	if (field->label == PROTOBUF_C_LABEL_REPEATED)
		return *(const size_t *)quantifier > 0;
	if (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF)
		return *(const uint32_t *)quantifier == field->id;
	switch (field->type) {
	case PROTOBUF_C_TYPE_STRING:
		return **(char *const *)member != '\0';
	case PROTOBUF_C_TYPE_MESSAGE:
		return *(ProtobufCMessage *const *)member != NULL;
	case PROTOBUF_C_TYPE_UINT64:
		return *(const uint64_t *)member != 0;
	default:
		return *(const uint32_t *)member != 0;
	}
}

static int write_message(const ProtobufCMessage *message, struct buffer *out);

static int write_nested(const ProtobufCMessage *message, struct buffer *out)
{
	int64_t ms;

	if (message->descriptor == &google__protobuf__struct__descriptor)
		return err_fold(struct_write_json((const Google__Protobuf__Struct *)message, out));
	if (message->descriptor != &google__protobuf__duration__descriptor)
		return write_message(message, out);
	if (!duration_to_ms((const Google__Protobuf__Duration *)message, &ms))
		return err_origin(-EINVAL);
	return buffer_printf(out, "%lld", (long long)ms);
}

static int write_member(const ProtobufCFieldDescriptor *field, const void *member, struct buffer *out)
{
	char word[PARAMS_WORD_SIZE];

	switch (field->type) {
	case PROTOBUF_C_TYPE_STRING:
		return json_write_text(out, *(char *const *)member);
	case PROTOBUF_C_TYPE_UINT32:
		return buffer_printf(out, "%u", *(const uint32_t *)member);
	case PROTOBUF_C_TYPE_UINT64:
		return buffer_printf(out, "%llu", (unsigned long long)*(const uint64_t *)member);
	case PROTOBUF_C_TYPE_ENUM:
		params_enum_word(field->descriptor, *(const int *)member, word);
		return json_write_text(out, word);
	case PROTOBUF_C_TYPE_MESSAGE:
		return write_nested(*(ProtobufCMessage *const *)member, out);
	default:
		return err_origin(-ENOTSUP); /* a test walks the contract: there is no such field */
	}
}

static int write_messages(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field, struct buffer *out)
{
	ProtobufCMessage *const *items = *(ProtobufCMessage *const *const *)member_of(message, field);
	size_t n = *(const size_t *)((const char *)message + field->quantifier_offset);
	int r = buffer_append(out, "[", 1);

	if (field->type != PROTOBUF_C_TYPE_MESSAGE)
		return err_origin(-ENOTSUP);
	for (size_t i = 0; r == 0 && i < n; i++) {
		r = i ? buffer_append(out, ",", 1) : 0;
		if (r == 0)
			r = write_nested(items[i], out);
	}
	return r ? r : buffer_append(out, "]", 1);
}

static int write_name(const ProtobufCFieldDescriptor *field, bool is_first, struct buffer *out)
{
	int r = buffer_append_text(out, is_first ? "\"" : ",\"");

	if (r == 0)
		r = buffer_append_text(out, field->name);
	return r ? r : buffer_append_text(out, is_duration(field) ? "_ms\":" : "\":");
}

static int write_message(const ProtobufCMessage *message, struct buffer *out)
{
	const ProtobufCMessageDescriptor *type = message->descriptor;
	bool is_first = true;
	int r = buffer_append(out, "{", 1);

	for (unsigned i = 0; r == 0 && i < type->n_fields; i++) {
		const ProtobufCFieldDescriptor *field = &type->fields[type->fields_sorted_by_name[i]];

		if (!is_set(message, field))
			continue;
		r = write_name(field, is_first, out);
		if (r == 0)
			r = field->label == PROTOBUF_C_LABEL_REPEATED
				    ? write_messages(message, field, out)
				    : write_member(field, member_of(message, field), out);
		is_first = false;
	}
	return r ? r : buffer_append(out, "}", 1);
}

int params_write_json(const Filmgate__V1__JobParameters *params, struct buffer *out)
{
	int r = write_message(&params->base, out);

	return r < 0 ? err_trace(r) : 0;
}

/* ---- from JSON ---- */

struct reader {
	struct arena *arena;
	const struct json *json;
};

static int read_message(const struct reader *reader, json_node node, const ProtobufCMessageDescriptor *type,
			ProtobufCMessage **ret);

static int read_duration(const struct reader *reader, json_node node, ProtobufCMessage **ret)
{
	Google__Protobuf__Duration *duration = arena_need(reader->arena, sizeof(*duration));
	int64_t ms = json_integer(reader->json, node, INT64_MIN);

	if (ms == INT64_MIN)
		return err_origin(-EBADMSG);
	google__protobuf__duration__init(duration);
	duration->seconds = ms / 1000;
	duration->nanos = (int32_t)(ms % 1000) * 1000000;
	*ret = &duration->base;
	return 0;
}

static int read_nested(const struct reader *reader, json_node node, const ProtobufCMessageDescriptor *type,
		       ProtobufCMessage **ret)
{
	if (type == &google__protobuf__duration__descriptor)
		return read_duration(reader, node, ret);
	if (type != &google__protobuf__struct__descriptor)
		return read_message(reader, node, type, ret);
	if (json_kind(reader->json, node) != JSON_KIND_OBJECT)
		return err_origin(-EBADMSG);
	*ret = &struct_from_json(reader->arena, reader->json, node)->base;
	return 0;
}

static int read_enum(const struct reader *reader, json_node node, const ProtobufCEnumDescriptor *type, int *ret)
{
	char word[PARAMS_WORD_SIZE];

	for (unsigned i = 0; i < type->n_values; i++) {
		params_enum_word(type, type->values[i].value, word);
		if (json_text_is(reader->json, node, word)) {
			*ret = type->values[i].value;
			return 0;
		}
	}
	return err_origin(-EBADMSG);
}

static int read_text(const struct reader *reader, json_node node, char **ret)
{
	if (json_kind(reader->json, node) != JSON_KIND_TEXT)
		return err_origin(-EBADMSG);
	*ret = arena_dup_text(reader->arena, json_text(reader->json, node).data);
	return 0;
}

static int read_number(const struct reader *reader, json_node node, uint64_t max, uint64_t *ret)
{
	if (json_kind(reader->json, node) != JSON_KIND_NUMBER ||
	    decimal_parse_unsigned(json_text(reader->json, node), ret) != 0 || *ret > max)
		return err_origin(-EBADMSG);
	return 0;
}

static int read_member(const struct reader *reader, json_node node, const ProtobufCFieldDescriptor *field, void *member)
{
	uint64_t number = 0;
	int r;

	switch (field->type) {
	case PROTOBUF_C_TYPE_STRING:
		return read_text(reader, node, member);
	case PROTOBUF_C_TYPE_UINT32:
		r = read_number(reader, node, UINT32_MAX, &number);
		if (r == 0)
			*(uint32_t *)member = (uint32_t)number;
		return r;
	case PROTOBUF_C_TYPE_UINT64:
		return read_number(reader, node, UINT64_MAX, member);
	case PROTOBUF_C_TYPE_ENUM:
		return read_enum(reader, node, field->descriptor, member);
	case PROTOBUF_C_TYPE_MESSAGE:
		return read_nested(reader, node, field->descriptor, member);
	default:
		return err_origin(-ENOTSUP);
	}
}

static int read_messages(const struct reader *reader, json_node list, const ProtobufCFieldDescriptor *field,
			 ProtobufCMessage *message)
{
	size_t *n = (size_t *)((char *)message + field->quantifier_offset);
	ProtobufCMessage **items;
	int r = 0;

	if (json_kind(reader->json, list) != JSON_KIND_ARRAY || field->type != PROTOBUF_C_TYPE_MESSAGE)
		return err_origin(-EBADMSG);
	items = arena_need_pointers(reader->arena, json_count(reader->json, list));
	*(ProtobufCMessage ***)((char *)message + field->offset) = items;
	for (json_node item = json_first(reader->json, list); r == 0 && item; item = json_next(reader->json, item)) {
		r = read_nested(reader, item, field->descriptor, &items[*n]);
		*n += r == 0;
	}
	return r;
}

static const ProtobufCFieldDescriptor *find_field(const ProtobufCMessageDescriptor *type, struct bytes key)
{
	const ProtobufCFieldDescriptor *field = protobuf_c_message_descriptor_get_field_by_name(type, key.data);
	char name[64];

	if (field || key.len < 4 || key.len >= sizeof(name) || strcmp((const char *)key.data + key.len - 3, "_ms") != 0)
		return field && !is_duration(field) ? field : NULL;
	memcpy(name, key.data, key.len - 3);
	name[key.len - 3] = '\0';
	field = protobuf_c_message_descriptor_get_field_by_name(type, name);
	return field && is_duration(field) ? field : NULL;
}

static int read_message(const struct reader *reader, json_node node, const ProtobufCMessageDescriptor *type,
			ProtobufCMessage **ret)
{
	ProtobufCMessage *message = arena_need(reader->arena, type->sizeof_message);
	int r = 0;

	if (json_kind(reader->json, node) != JSON_KIND_OBJECT)
		return err_origin(-EBADMSG);
	protobuf_c_message_init(type, message);
	for (json_node m = json_first(reader->json, node); r == 0 && m; m = json_next(reader->json, m)) {
		const ProtobufCFieldDescriptor *field = find_field(type, json_key(reader->json, m));

		if (!field)
			continue;
		if (field->label == PROTOBUF_C_LABEL_REPEATED) {
			r = read_messages(reader, m, field, message);
			continue;
		}
		r = read_member(reader, m, field, (char *)message + field->offset);
		if (r == 0 && field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF)
			*(uint32_t *)((char *)message + field->quantifier_offset) = field->id;
	}
	if (r == 0)
		*ret = message;
	return r;
}

int params_read_json(const char *document, struct arena *arena, Filmgate__V1__JobParameters **ret)
{
	_cleanup_(json_freep) struct json *json = json_new(NULL);
	struct reader reader = {.arena = arena, .json = json};
	ProtobufCMessage *message = NULL;
	json_node root;
	int r;

	if (!json)
		return err_origin(-ENOMEM);
	r = json_parse(json, bytes_of_text(document), JSON_DUPLICATES_REFUSE, &root, NULL);
	if (r)
		return r < 0 ? err_trace(r) : err_origin(-EBADMSG);
	r = read_message(&reader, root, &filmgate__v1__job_parameters__descriptor, &message);
	if (r < 0)
		return err_trace(r);
	*ret = (Filmgate__V1__JobParameters *)message;
	return 0;
}
