/*
 * The contract's messages as JSON documents, both ways, by descriptor. The form is described in field.h and in
 * parameters.proto; timestamps are RFC 3339 texts in UTC, google.protobuf.Struct is an object as it stands.
 */
#ifndef FG_CLI_DOCUMENT_H
#define FG_CLI_DOCUMENT_H

#include "base/json.h"

#include <google/protobuf/struct.pb-c.h>
#include <protobuf-c/protobuf-c.h>
#include <stdio.h>

struct errmsg;

enum {
	_DOCUMENT_E_OK,
	DOCUMENT_E_INVALID, /* the document does not fit the message; the errmsg says where and why */
};

enum document_layout { DOCUMENT_LAYOUT_LINE, DOCUMENT_LAYOUT_INDENTED };

/* A new object in @json; absent, with the arena's fault, when that is full. */
json_node document_of_message(struct json *json, const ProtobufCMessage *message);
json_node document_of_struct(struct json *json, const Google__Protobuf__Struct *structure);

/*
 * Sets in @message what @node, an object, says; what it does not name stays. @path is where the object stands, "" or
 * "parameters", for the error's words.
 *
 * Returns 0, DOCUMENT_E_INVALID, or -ENOMEM; @message may have been changed in part.
 */
int document_read(const struct json *json, json_node node, const char *path, ProtobufCMessage *message,
		  struct errmsg *error);

/* Is every text and name in it one that protobuf can carry here: without NUL? */
bool document_is_clean(const struct json *json, json_node node);
/* A heap Value of any clean JSON value; NULL when out of memory. An integer that a double cannot hold becomes a text of
 * its digits, as the contract wants it. */
Google__Protobuf__Value *document_value(const struct json *json, json_node node);
/* Sets a member of a heap Struct; consumes @value always, and takes NULL for out of memory. 0 or -ENOMEM. */
int document_struct_set(Google__Protobuf__Struct *structure, struct bytes name, Google__Protobuf__Value *value);
/* The object under that name, made in place of anything else. Borrowed; NULL when out of memory. */
Google__Protobuf__Struct *document_struct_child(Google__Protobuf__Struct *structure, struct bytes name);

/* Writes a value and a line end. Returns 0, an outcome of base/json.h, or a negative errno. */
int document_print(const struct json *json, json_node node, enum document_layout layout, FILE *out);

#endif
