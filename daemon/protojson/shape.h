/*
 * How protobuf-c lays out a message of proto3, and what ProtoJSON calls its fields.
 */
#ifndef FG_PROTOJSON_SHAPE_H
#define FG_PROTOJSON_SHAPE_H

#include "base/bytes.h"

#include <protobuf-c/protobuf-c.h>

static inline void *shape_member(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field)
{
	return (char *)message + field->offset;
}

/* Of a repeated field: how many it has. */
static inline size_t *shape_count(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field)
{
	return (size_t *)((char *)message + field->quantifier_offset);
}

/* Of a field in a oneof: the number of the one that is set, 0 for none. */
static inline uint32_t *shape_case(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field)
{
	return (uint32_t *)((char *)message + field->quantifier_offset);
}

static inline bool shape_is_in_oneof(const ProtobufCFieldDescriptor *field)
{
	return field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF;
}

static inline bool shape_is_list(const ProtobufCFieldDescriptor *field)
{
	return field->label == PROTOBUF_C_LABEL_REPEATED;
}

/* A map is a list too. protobuf-c does not say so itself; a test compares with the descriptors. */
bool shape_is_map(const ProtobufCFieldDescriptor *field);
/* Bytes of one value of the field, or of one element. 0: a type of proto2. */
size_t shape_size(const ProtobufCFieldDescriptor *field);
/* Chosen in its oneof, else not the default. */
bool shape_is_set(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field);
/* The order of two entries of a map by their keys. */
int shape_compare_entries(const ProtobufCMessage *a, const ProtobufCMessage *b);

/* lowerCamelCase by protoc's rule: "_" goes, what follows becomes upper case. As buffer_append(). */
int shape_append_json_name(struct buffer *out, const char *name);
bool shape_json_name_is(const char *name, struct bytes json_name);
/* By its JSON name or its original one; NULL: there is none. */
const ProtobufCFieldDescriptor *shape_find(const ProtobufCMessageDescriptor *type, struct bytes name);

#endif
