/*
 * From a tree of JSON to a message: every member finds its field, and is put into the message before it is filled, so
 * that a message that was given up half-way can be freed like a whole one.
 */
#include "protojson/reader.h"

#include "base/err.h"
#include "base/limits.h"
#include "base/quote.h"
#include "protojson/shape.h"

#include <google/protobuf/struct.pb-c.h>

/* ---- values ---- */

/* Two types have null for a value; for every other field it says that the field is not there. */
static bool has_null(const ProtobufCFieldDescriptor *field)
{
	return field->descriptor == &google__protobuf__value__descriptor ||
	       field->descriptor == &google__protobuf__null_value__descriptor;
}

int read_child(struct reader *reader, const struct place *at, json_node node, const ProtobufCMessageDescriptor *type,
	       ProtobufCMessage **ret)
{
	void *message;
	int r = reader_take(reader, at, type->sizeof_message, &message);

	if (r)
		return r;
	protobuf_c_message_init(type, message);
	*ret = message;
	return read_message(reader, at, node, message);
}

static int read_value(struct reader *reader, const struct place *at, json_node node,
		      const ProtobufCFieldDescriptor *field, void *member)
{
	if (field->type == PROTOBUF_C_TYPE_MESSAGE)
		return read_child(reader, at, node, field->descriptor, member);
	return read_scalar(reader, at, node, field, member);
}

/* Of a list or map, which has no place for what is not there. */
static int read_element(struct reader *reader, const struct place *at, json_node node,
			const ProtobufCFieldDescriptor *field, void *member)
{
	if (json_kind(reader->json, node) == JSON_KIND_NULL && !has_null(field))
		return reader_refuse(reader, at, PROTOJSON_E_VALUE, "null cannot stand in a list or map; leave it out");
	return read_value(reader, at, node, field, member);
}

/* Makes room for every child of @node in the field. */
static int take_array(const struct reader *reader, const struct place *at, json_node node,
		      const ProtobufCFieldDescriptor *field, ProtobufCMessage *message)
{
	size_t size = shape_size(field);

	if (size == 0)
		return err_origin(-ENOTSUP);
	return reader_take(reader, at, json_count(reader->json, node) * size, shape_member(message, field));
}

int read_list(struct reader *reader, const struct place *at, json_node node, const ProtobufCFieldDescriptor *field,
	      ProtobufCMessage *message)
{
	size_t *n = shape_count(message, field), size = shape_size(field);
	struct place place = {.up = at};
	int r;

	if (json_kind(reader->json, node) != JSON_KIND_ARRAY)
		return reader_refuse(reader, at, PROTOJSON_E_VALUE, "must be a list, and not %s",
				     reader_kind(reader, node));
	r = take_array(reader, at, node, field, message);
	for (json_node item = json_first(reader->json, node); r == 0 && item; item = json_next(reader->json, item)) {
		char *items = *(char **)shape_member(message, field);

		r = read_element(reader, &place, item, field, items + (*n)++ * size);
		if (r == READ_E_LEFT_OUT) {
			(*n)--;
			r = 0;
		}
		place.index++;
	}
	return r;
}

static int read_entry(struct reader *reader, const struct place *at, json_node node, ProtobufCMessage *entry)
{
	const ProtobufCFieldDescriptor *fields = entry->descriptor->fields;
	int r = reader_enter(reader, at);

	if (r)
		return r;
	r = read_key(reader, at, json_key(reader->json, node), &fields[0], shape_member(entry, &fields[0]));
	if (r == 0)
		r = read_element(reader, at, node, &fields[1], shape_member(entry, &fields[1]));
	reader_leave(reader);
	return r;
}

static int compare_entries(const void *a, const void *b)
{
	return shape_compare_entries(*(ProtobufCMessage *const *)a, *(ProtobufCMessage *const *)b);
}

int read_map(struct reader *reader, const struct place *at, json_node node, const ProtobufCFieldDescriptor *field,
	     ProtobufCMessage *message)
{
	const ProtobufCMessageDescriptor *type = field->descriptor;
	size_t *n = shape_count(message, field);
	ProtobufCMessage **entries;
	int r;

	if (json_kind(reader->json, node) != JSON_KIND_OBJECT)
		return reader_refuse(reader, at, PROTOJSON_E_VALUE, "must be an object, and not %s",
				     reader_kind(reader, node));
	r = take_array(reader, at, node, field, message);
	entries = *(ProtobufCMessage ***)shape_member(message, field);
	for (json_node item = json_first(reader->json, node); r == 0 && item; item = json_next(reader->json, item)) {
		const struct place place = {.up = at, .key = json_key(reader->json, item)};
		void *entry;

		r = reader_take(reader, &place, type->sizeof_message, &entry);
		if (r)
			break;
		protobuf_c_message_init(type, entry);
		entries[(*n)++] = entry;
		r = read_entry(reader, &place, item, entry);
		if (r == READ_E_LEFT_OUT) {
			protobuf_c_message_free_unpacked(entries[--*n], reader->allocator);
			r = 0;
		}
	}
	if (r == 0 && *n > 1)
		qsort(entries, *n, sizeof(*entries), compare_entries);
	return r;
}

/* ---- objects ---- */

static const char *name_of_case(const ProtobufCMessageDescriptor *type, uint32_t id)
{
	const ProtobufCFieldDescriptor *field = protobuf_c_message_descriptor_get_field(type, id);

	return field ? field->name : "another field";
}

static int read_single(struct reader *reader, const struct place *at, json_node node,
		       const ProtobufCFieldDescriptor *field, ProtobufCMessage *message)
{
	void *member = shape_member(message, field);
	uint32_t *chosen = shape_is_in_oneof(field) ? shape_case(message, field) : NULL;
	int r;

	if (chosen && *chosen)
		return reader_refuse(reader, at, PROTOJSON_E_VALUE, "only one of this and %s may be set",
				     name_of_case(message->descriptor, *chosen));
	/* Before it is read, for whoever frees what was read in part; and its union is zero until then. */
	if (chosen)
		*chosen = field->id;
	if (field->type == PROTOBUF_C_TYPE_STRING)
		*(const char **)member = protobuf_c_empty_string;
	r = read_value(reader, at, node, field, member);
	if (r == READ_E_LEFT_OUT && chosen)
		*chosen = 0;
	return r == READ_E_LEFT_OUT ? 0 : r;
}

static int read_field(struct reader *reader, const struct place *at, json_node node,
		      const ProtobufCFieldDescriptor *field, ProtobufCMessage *message)
{
	if (json_kind(reader->json, node) == JSON_KIND_NULL && (shape_is_list(field) || !has_null(field)))
		return 0;
	if (shape_is_map(field))
		return read_map(reader, at, node, field, message);
	if (shape_is_list(field))
		return read_list(reader, at, node, field, message);
	return read_single(reader, at, node, field, message);
}

static int refuse_name(const struct reader *reader, const struct place *at, struct bytes name,
		       const ProtobufCMessageDescriptor *type)
{
	const struct place place = {.up = at, .key = name};
	_cleanup_(buffer_finish) struct buffer names = {0};
	int r = 0;

	for (unsigned i = 0; r == 0 && i < type->n_fields; i++) {
		r = i ? buffer_append_text(&names, ", ") : 0;
		if (r == 0)
			r = shape_append_json_name(&names, type->fields[i].name);
	}
	if (r < 0)
		return err_trace(r);
	return reader_refuse(reader, &place, PROTOJSON_E_VALUE, "%s has no field '%s'; it has: %s", type->short_name,
			     quote_bytes(name, LIMIT_QUOTE).text, names.len ? names.data : "none");
}

/* The reader of JSON sees names that come twice; this is one field by both of its names. */
static bool is_named_twice(const struct reader *reader, json_node object, json_node member,
			   const ProtobufCFieldDescriptor *field)
{
	if (shape_json_name_is(field->name, json_key(reader->json, member)))
		return false;
	for (json_node m = json_first(reader->json, object); m; m = json_next(reader->json, m))
		if (shape_json_name_is(field->name, json_key(reader->json, m)))
			return true;
	return false;
}

static int read_member(struct reader *reader, const struct place *at, json_node object, json_node member,
		       ProtobufCMessage *message)
{
	struct bytes name = json_key(reader->json, member);
	const ProtobufCFieldDescriptor *field = shape_find(message->descriptor, name);
	struct place place = {.up = at};

	if (!field && reader->flags & PROTOJSON_MAY_IGNORE_UNKNOWN)
		return 0;
	if (!field)
		return refuse_name(reader, at, name, message->descriptor);
	place.name = field->name;
	if (is_named_twice(reader, object, member, field))
		return reader_refuse(reader, &place, PROTOJSON_E_VALUE, "is there twice, also as '%s'",
				     quote_bytes(name, LIMIT_QUOTE).text);
	return read_field(reader, &place, member, field, message);
}

static int read_object(struct reader *reader, const struct place *at, json_node node, ProtobufCMessage *message)
{
	int r = 0;

	if (json_kind(reader->json, node) != JSON_KIND_OBJECT)
		return reader_refuse(reader, at, PROTOJSON_E_VALUE, "must be an object, and not %s",
				     reader_kind(reader, node));
	for (json_node m = json_first(reader->json, node); r == 0 && m; m = json_next(reader->json, m))
		r = read_member(reader, at, node, m, message);
	return r;
}

int read_message(struct reader *reader, const struct place *at, json_node node, ProtobufCMessage *message)
{
	read_special_fn *special = read_special_of(message->descriptor);
	int r = reader_enter(reader, at);

	if (r)
		return r;
	r = special ? special(reader, at, node, message) : read_object(reader, at, node, message);
	reader_leave(reader);
	return r;
}

/* ---- the text ---- */

/* Four hexadecimal digits behind "\u", or -1: then it is for the reader of JSON to refuse. */
static int unit_of(struct bytes rest)
{
	const char *p = rest.data;
	int unit = 0;

	if (rest.len < 6 || p[0] != '\\' || p[1] != 'u')
		return -1;
	for (int i = 2; i < 6; i++) {
		int digit = bytes_hex_value(p[i]);

		if (digit < 0)
			return -1;
		unit = unit * 16 + digit;
	}
	return unit;
}

/* A half of a surrogate pair is no character; the reader of JSON would make a question mark of it. */
static bool has_half_pair(struct bytes text)
{
	const char *p = text.data, *end = p + text.len;

	while (p < end && (p = memchr(p, '\\', (size_t)(end - p)))) {
		int unit = unit_of(bytes_of(p, (size_t)(end - p))), next;

		p += unit >= 0 ? 6 : 2;
		if (unit < 0xd800 || unit > 0xdfff)
			continue;
		next = p < end ? unit_of(bytes_of(p, (size_t)(end - p))) : -1;
		if (unit >= 0xdc00 || next < 0xdc00 || next > 0xdfff)
			return true;
		p += 6;
	}
	return false;
}

static int read_json(const struct reader *reader, struct json *json, struct bytes text, json_node *ret)
{
	struct errmsg error = {.text = ""};
	int r;

	if (text.len > LIMIT_RPC_MESSAGE)
		return reader_refuse(reader, NULL, PROTOJSON_E_MALFORMED, "the message has more than %d bytes",
				     LIMIT_RPC_MESSAGE);
	if (has_half_pair(text))
		return reader_refuse(reader, NULL, PROTOJSON_E_MALFORMED, "a text holds half of a surrogate pair");
	r = json_parse(json, text, JSON_DUPLICATES_REFUSE, ret, &error);
	if (r <= 0)
		return r;
	return reader_refuse(reader, NULL, PROTOJSON_E_MALFORMED, "%s", error.text);
}

int protojson_read(const ProtobufCMessageDescriptor *type, struct bytes text, unsigned flags,
		   ProtobufCAllocator *allocator, ProtobufCMessage **ret, struct protojson_problem *problem)
{
	/* Lists are levels of JSON and not of messages, so that this limit comes after the other. */
	const struct json_limits limits = {.depth = 2 * LIMIT_RPC_DEPTH + 1, .nodes = LIMIT_RPC_FIELDS};
	_cleanup_(json_freep) struct json *json = json_new(&limits);
	struct reader reader = {.json = json, .allocator = allocator, .flags = flags, .problem = problem};
	const struct place whole = {.up = NULL};
	ProtobufCMessage *message = NULL;
	json_node root = JSON_ABSENT;
	int r;

	if (!json)
		return err_origin(-ENOMEM);
	r = read_json(&reader, json, text, &root);
	if (r == 0)
		r = read_child(&reader, &whole, root, type, &message);
	if (r == 0)
		*ret = message;
	else
		protobuf_c_message_free_unpacked(message, allocator);
	return r;
}
