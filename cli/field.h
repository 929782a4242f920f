/*
 * The fields of the contract's messages by descriptor: their names and forms in JSON documents, whether they are set,
 * and how a value given as text gets in. The one place that knows protobuf-c's layout.
 *
 * The document form is that of parameters.proto: names as in the proto; a google.protobuf.Duration is an integer of
 * milliseconds under NAME_ms; an enum value is its short word in lower case; what is unset is absent.
 *
 * Messages that are changed here live on the heap and are freed with protobuf_c_message_free_unpacked(message, NULL).
 */
#ifndef FG_CLI_FIELD_H
#define FG_CLI_FIELD_H

#include "base/bytes.h"

#include <protobuf-c/protobuf-c.h>

struct errmsg;

#define FIELD_NAME_SIZE 64 /* of a name or an enum's word, with its NUL */

enum {
	_FIELD_E_OK,
	FIELD_E_VALUE, /* not a value of this field; the message says why */
};

enum field_kind {
	FIELD_KIND_NONE, /* has no document form */
	FIELD_KIND_TEXT,
	FIELD_KIND_BOOLEAN,
	FIELD_KIND_INT32,
	FIELD_KIND_UINT32,
	FIELD_KIND_UINT64,
	FIELD_KIND_ENUM,
	FIELD_KIND_DURATION,
	FIELD_KIND_TIMESTAMP,
	FIELD_KIND_STRUCT,
	FIELD_KIND_MAP, /* of text to text */
	FIELD_KIND_MESSAGE,
};

enum field_kind field_kind_of(const ProtobufCFieldDescriptor *field);
/* A list in the document; a map is none. */
bool field_is_list(const ProtobufCFieldDescriptor *field);
void field_name(const ProtobufCFieldDescriptor *field, char name[static FIELD_NAME_SIZE]);
/* By document name; NULL if there is none. */
const ProtobufCFieldDescriptor *field_find(const ProtobufCMessageDescriptor *message, struct bytes name);
/* Has it a value that is not the default? A member of a oneof: is it the one that is set? */
bool field_is_set(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field);

/* Where its value is; of a list, its @n-th value. */
void *field_value(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field);
size_t field_count(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field);
void *field_item(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field, size_t n);

/* The word of an enum value; "?" and the number when this program does not know it. */
void field_enum_word(const ProtobufCEnumDescriptor *words, int value, char word[static FIELD_NAME_SIZE]);
/* False if no value has this word, in either case; the unspecified one has none. */
bool field_enum_value(const ProtobufCEnumDescriptor *words, struct bytes word, int *ret);
/* All words, separated by ", ": for messages. */
void field_enum_words(const ProtobufCEnumDescriptor *words, struct buffer *out);

/* An empty message; NULL when out of memory. */
ProtobufCMessage *field_message_new(const ProtobufCMessageDescriptor *of);
void field_message_freep(ProtobufCMessage **message);

/*
 * Set a field from text, replacing what it or another member of its oneof held. Not for FIELD_KIND_TIMESTAMP,
 * _STRUCT, _MAP and _MESSAGE. A list gets one more value.
 *
 * Return 0, FIELD_E_VALUE or -ENOMEM.
 */
int field_set_text(ProtobufCMessage *message, const ProtobufCFieldDescriptor *field, struct bytes text,
		   struct errmsg *error);
/* For FIELD_KIND_MAP: the key's value, replaced if it is there. */
int field_set_entry(ProtobufCMessage *message, const ProtobufCFieldDescriptor *field, struct bytes key,
		    struct bytes value, struct errmsg *error);
/* Empties a field; of a list, the whole. */
void field_clear(ProtobufCMessage *message, const ProtobufCFieldDescriptor *field);

/* The submessage of a field, made if it is not there; of a list, one more. Borrowed; NULL when out of memory. */
ProtobufCMessage *field_child(ProtobufCMessage *message, const ProtobufCFieldDescriptor *field);
/* Puts a heap submessage in place of the old one; consumes it always. */
void field_take_child(ProtobufCMessage *message, const ProtobufCFieldDescriptor *field, ProtobufCMessage *child);

#endif
