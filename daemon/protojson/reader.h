/*
 * What the files read*.c share, and nobody else.
 */
#ifndef FG_PROTOJSON_READER_H
#define FG_PROTOJSON_READER_H

#include "base/json.h"
#include "protojson/protojson.h"

struct reader {
	const struct json *json;
	ProtobufCAllocator *allocator;
	unsigned flags;
	unsigned depth; /* messages inside messages, as they would be on the wire */
	struct protojson_problem *problem;
};

/* A place in the text on the way down; lives on the stack, which LIMIT_RPC_DEPTH bounds. One of name, key and index. */
struct place {
	const struct place *up; /* NULL: the whole, which has no name */
	const char *name;
	struct bytes key; /* of a map; data is NULL in the other two */
	uint32_t index;
};

enum {
	READ_E_LEFT_OUT = _PROTOJSON_E_N, /* not known here, and the caller wants it ignored: as if it were not there */
};

/* Notes what is wrong and returns @outcome. */
__attribute__((format(printf, 4, 5))) int reader_refuse(const struct reader *reader, const struct place *at,
							int outcome, const char *format, ...);
/* "'5' is not ..." for any value: short and harmless. */
struct quoted reader_quote(const struct reader *reader, json_node node);
/* What the value is, "a list". */
const char *reader_kind(const struct reader *reader, json_node node);

/* Zeroed, and the reader's allocator's; NULL and 0 for no bytes. 0 or PROTOJSON_E_MALFORMED. */
int reader_take(const struct reader *reader, const struct place *at, size_t len, void **ret);
/* One deeper, for a message at @at; and back. */
int reader_enter(struct reader *reader, const struct place *at);
static inline void reader_leave(struct reader *reader)
{
	reader->depth--;
}

/*
 * All read into memory that holds the default, and leave what protobuf_c_message_free_unpacked() can free, whatever
 * they return: 0, PROTOJSON_E_MALFORMED, PROTOJSON_E_VALUE or negative errno; of an enum also READ_E_LEFT_OUT.
 */

/* A whole message. */
int read_message(struct reader *reader, const struct place *at, json_node node, ProtobufCMessage *message);
/* A new message of @type, at once in its place. */
int read_child(struct reader *reader, const struct place *at, json_node node, const ProtobufCMessageDescriptor *type,
	       ProtobufCMessage **ret);
/* A field that is repeated, a map or not. */
int read_list(struct reader *reader, const struct place *at, json_node node, const ProtobufCFieldDescriptor *field,
	      ProtobufCMessage *message);
int read_map(struct reader *reader, const struct place *at, json_node node, const ProtobufCFieldDescriptor *field,
	     ProtobufCMessage *message);
/* One value that is no message. */
int read_scalar(const struct reader *reader, const struct place *at, json_node node,
		const ProtobufCFieldDescriptor *field, void *member);
int read_text(const struct reader *reader, const struct place *at, struct bytes text, char **ret);
/* The name of a member as the key of a map. */
int read_key(const struct reader *reader, const struct place *at, struct bytes name,
	     const ProtobufCFieldDescriptor *field, void *member);

/* A message whose JSON is not an object of its fields. */
typedef int read_special_fn(struct reader *reader, const struct place *at, json_node node, ProtobufCMessage *message);
/* NULL: an ordinary one. */
read_special_fn *read_special_of(const ProtobufCMessageDescriptor *type);

#endif
