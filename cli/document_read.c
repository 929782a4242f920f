#include "document.h"

#include "field.h"
#include "suggest.h"

#include "base/err.h"

/* Where the reader stands, for the words of an error. */
struct reader {
	const struct json *json;
	struct buffer path;
	struct errmsg why;
	struct errmsg *error;
};

static int read_message(struct reader *reader, json_node node, ProtobufCMessage *message);

/* Puts the place before the reason, which the macro below has written. */
static int refuse_here(const struct reader *reader)
{
	errmsg_set(reader->error, "%s%s%s", reader->path.len ? reader->path.data : "", reader->path.len ? ": " : "",
		   reader->why.text);
	return DOCUMENT_E_INVALID;
}

#define refuse(reader, ...) (errmsg_set(&(reader)->why, __VA_ARGS__), refuse_here(reader))

/* Texts and words come as JSON texts, numbers as numbers: a quoted number would be a guess. */
static enum json_kind kind_wanted(enum field_kind kind)
{
	switch (kind) {
	case FIELD_KIND_TEXT:
	case FIELD_KIND_ENUM:
	case FIELD_KIND_TIMESTAMP:
		return JSON_KIND_TEXT;
	case FIELD_KIND_BOOLEAN:
		return JSON_KIND_BOOLEAN;
	case FIELD_KIND_INT32:
	case FIELD_KIND_UINT32:
	case FIELD_KIND_UINT64:
	case FIELD_KIND_DURATION:
		return JSON_KIND_NUMBER;
	case FIELD_KIND_STRUCT:
	case FIELD_KIND_MAP:
	case FIELD_KIND_MESSAGE:
		return JSON_KIND_OBJECT;
	case FIELD_KIND_NONE:
		break;
	}
	return JSON_KIND_ABSENT;
}

static const char *const kind_names[] = {
	[JSON_KIND_ABSENT] = "nothing",   [JSON_KIND_NULL] = "null",   [JSON_KIND_BOOLEAN] = "true or false",
	[JSON_KIND_NUMBER] = "a number",  [JSON_KIND_TEXT] = "a text", [JSON_KIND_ARRAY] = "a list",
	[JSON_KIND_OBJECT] = "an object",
};

static int read_scalar(struct reader *reader, json_node node, ProtobufCMessage *message,
		       const ProtobufCFieldDescriptor *field)
{
	struct bytes text = json_text(reader->json, node);
	struct errmsg why;
	int r;

	if (json_kind(reader->json, node) == JSON_KIND_BOOLEAN)
		text = bytes_of_text(json_boolean(reader->json, node, false) ? "true" : "false");
	r = field_set_text(message, field, text, &why);
	return r == FIELD_E_VALUE ? refuse(reader, "%s", why.text) : r;
}

static int read_map(struct reader *reader, json_node node, ProtobufCMessage *message,
		    const ProtobufCFieldDescriptor *field)
{
	for (json_node n = json_first(reader->json, node); n; n = json_next(reader->json, n)) {
		struct bytes key = json_key(reader->json, n);
		struct errmsg why;
		int r;

		if (json_kind(reader->json, n) != JSON_KIND_TEXT)
			return refuse(reader, "the value of '%s' must be a text", (const char *)key.data);
		r = field_set_entry(message, field, key, json_text(reader->json, n), &why);
		if (r)
			return r == FIELD_E_VALUE ? refuse(reader, "%s", why.text) : r;
	}
	return 0;
}

static int read_struct(struct reader *reader, json_node node, ProtobufCMessage *message,
		       const ProtobufCFieldDescriptor *field)
{
	Google__Protobuf__Value *value;

	if (!document_is_clean(reader->json, node))
		return refuse(reader, "holds a NUL character");
	value = document_value(reader->json, node);
	if (!value)
		return err_origin(-ENOMEM);
	field_take_child(message, field, &value->struct_value->base);
	value->struct_value = NULL;
	protobuf_c_message_free_unpacked(&value->base, NULL);
	return 0;
}

static int read_value(struct reader *reader, json_node node, ProtobufCMessage *message,
		      const ProtobufCFieldDescriptor *field)
{
	enum field_kind kind = field_kind_of(field);
	enum json_kind wanted = kind_wanted(kind);
	ProtobufCMessage *child;

	if (json_kind(reader->json, node) != wanted)
		return refuse(reader, "must be %s", kind_names[wanted]);
	if (kind == FIELD_KIND_MAP)
		return read_map(reader, node, message, field);
	if (kind == FIELD_KIND_STRUCT)
		return read_struct(reader, node, message, field);
	if (kind != FIELD_KIND_MESSAGE)
		return read_scalar(reader, node, message, field);
	child = field_child(message, field);
	return child ? read_message(reader, node, child) : err_origin(-ENOMEM);
}

/* A list in the document is the whole list: it replaces what was there. */
static int read_list(struct reader *reader, json_node node, ProtobufCMessage *message,
		     const ProtobufCFieldDescriptor *field)
{
	size_t len = reader->path.len, i = 0;
	int r = 0;

	if (json_kind(reader->json, node) != JSON_KIND_ARRAY)
		return refuse(reader, "must be a list");
	field_clear(message, field);
	for (json_node n = json_first(reader->json, node); r == 0 && n; n = json_next(reader->json, n)) {
		r = buffer_printf(&reader->path, "[%zu]", i++);
		if (r == 0)
			r = read_value(reader, n, message, field);
		if (r == 0)
			reader->path.data[reader->path.len = len] = '\0';
	}
	return r;
}

static int refuse_name(struct reader *reader, const ProtobufCMessageDescriptor *of, const char *name)
{
	char names[64][FIELD_NAME_SIZE];
	struct suggest near = {.wanted = name};

	for (unsigned int i = 0; i < of->n_fields && i < 64; i++) {
		field_name(&of->fields[i], names[i]);
		suggest_offer(&near, names[i]);
	}
	if (near.best)
		return refuse(reader, "there is no '%s'; did you mean '%s'?", name, near.best);
	return refuse(reader, "there is no '%s'", name);
}

static int read_message(struct reader *reader, json_node node, ProtobufCMessage *message)
{
	size_t len = reader->path.len;

	for (json_node n = json_first(reader->json, node); n; n = json_next(reader->json, n)) {
		struct bytes name = json_key(reader->json, n);
		const ProtobufCFieldDescriptor *field = field_find(message->descriptor, name);
		int r;

		if (!field || kind_wanted(field_kind_of(field)) == JSON_KIND_ABSENT)
			return refuse_name(reader, message->descriptor, name.data);
		r = buffer_printf(&reader->path, "%s%s", len ? "." : "", (const char *)name.data);
		if (r == 0)
			r = field_is_list(field) ? read_list(reader, n, message, field)
						 : read_value(reader, n, message, field);
		if (r)
			return r;
		reader->path.data[reader->path.len = len] = '\0';
	}
	return 0;
}

int document_read(const struct json *json, json_node node, const char *path, ProtobufCMessage *message,
		  struct errmsg *error)
{
	struct reader reader = {.json = json, .error = error};
	int r = buffer_append_text(&reader.path, path);

	if (r == 0)
		r = json_kind(json, node) == JSON_KIND_OBJECT ? read_message(&reader, node, message)
							      : refuse(&reader, "must be an object");
	buffer_finish(&reader.path);
	return r;
}
