/*
 * google.protobuf.Struct to and from JSON.
 */
#ifndef FG_API_STRUCTS_H
#define FG_API_STRUCTS_H

#include "api/arena.h"
#include "base/bytes.h"
#include "base/json.h"

#include <google/protobuf/struct.pb-c.h>

enum {
	_STRUCTS_E_OK,
	STRUCTS_E_NUMBER, /* infinite or not a number: JSON has no word for it */
	STRUCTS_E_EMPTY,  /* a Value without a kind */
};

/* Appends a JSON object; members in the order in which they stand, numbers with the fewest digits that read back as
 * the same double. 0, an outcome, or negative errno (-EMSGSIZE: the buffer's limit). */
int struct_write_json(const Google__Protobuf__Struct *from, struct buffer *out);
/* How many objects and lists are inside each other, the outermost is 1. */
unsigned struct_depth(const Google__Protobuf__Struct *from);

/* Of an object; whole numbers beyond 2^53 become texts of digits. */
Google__Protobuf__Struct *struct_from_json(struct arena *arena, const struct json *json, json_node object);

/* A JSON text with its quotes, and a number; both for params.c, too. */
int json_write_text(struct buffer *out, const char *text);
int json_write_double(struct buffer *out, double number);

#endif
