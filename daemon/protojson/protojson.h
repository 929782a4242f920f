/*
 * Messages of protobuf-c to and from canonical ProtoJSON (https://protobuf.dev/programming-guides/json), led by their
 * descriptors: a new field or message needs no line here.
 *
 * Reading is stricter than that page where leniency would lose what somebody wrote: unknown fields and enum values are
 * refused unless the caller says otherwise, and so is a whole number in a google.protobuf.Value that its double would
 * round. A text with NUL is refused because protobuf-c cannot carry it. google.protobuf.Any, the wrapper types and
 * proto2 are not known here.
 */
#ifndef FG_PROTOJSON_PROTOJSON_H
#define FG_PROTOJSON_PROTOJSON_H

#include "base/bytes.h"

#include <protobuf-c/protobuf-c.h>

enum {
	_PROTOJSON_E_OK,
	PROTOJSON_E_MALFORMED, /* not JSON, a name twice, too large, too deep, or too much memory */
	PROTOJSON_E_VALUE,     /* JSON, but not of this type */
	_PROTOJSON_E_N,
};

/* What is wrong with a text, for the person who sent it. Both are UTF-8. */
struct protojson_problem {
	char field[192]; /* original names: "job.fallbacks[0].model", "job.labels[\"env\"]"; empty: the whole */
	char text[512];
};

enum protojson_read_flags {
	/* Leaves out fields, and enum values by name or number, that the type does not have. */
	PROTOJSON_MAY_IGNORE_UNKNOWN = 1 << 0,
};

/*
 * Reads @text, one JSON value, into a message of @type. The message is made with @allocator, whose refusal bounds it,
 * and with LIMIT_RPC_MESSAGE, LIMIT_RPC_FIELDS (here: values of JSON) and LIMIT_RPC_DEPTH, as messages on the wire are.
 * The entries of a map end up sorted by key. The text may go afterwards.
 *
 * Returns 0 and a message that protobuf_c_message_free_unpacked() frees with @allocator; an outcome with @problem
 * filled and nothing left behind; -ENOMEM: malloc() refused; -ENOTSUP: @type has a field that is not known here.
 */
int protojson_read(const ProtobufCMessageDescriptor *type, struct bytes text, unsigned flags,
		   ProtobufCAllocator *allocator, ProtobufCMessage **ret, struct protojson_problem *problem);

enum protojson_write_flags {
	/* Writes scalars, lists and maps that have their default, too; messages and members of a oneof that are not set
	 * stay out. */
	PROTOJSON_EMIT_DEFAULTS = 1 << 0,
};

/*
 * Appends @message without white space: fields by number, maps by key.
 *
 * Returns 0; PROTOJSON_E_VALUE: it holds what ProtoJSON cannot say (a text that is not UTF-8, an instant, a duration or
 * a path out of its range, a Value without a kind or with a number that is none); -EMSGSIZE: the buffer's limit; -ENOMEM;
 * -ENOTSUP: its type has a field that is not known here. But for 0, what was appended is of no use.
 */
int protojson_write(const ProtobufCMessage *message, unsigned flags, struct buffer *ret);

#endif
