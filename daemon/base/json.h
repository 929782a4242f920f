/*
 * JSON documents as trees in an arena: read from bytes, looked up by pointer, built, copied, written.
 *
 * Numbers keep the text they were written with, so that 17454220438242315174 comes out as it came in; whoever wants a
 * value asks for it in a form that is exact or refused. Texts have a length and may contain NUL.
 *
 * One `struct json` holds any number of trees. A value is named by a node id that is only meaningful in its own
 * arena; JSON_ABSENT (0) is "not there" and every function accepts it. Nothing is released before json_free(), so
 * texts and keys that were handed out stay valid until then. One thread at a time, except that any number of threads
 * may read an arena that nobody changes.
 */
#ifndef FG_BASE_JSON_H
#define FG_BASE_JSON_H

#include "base/bytes.h"
#include "base/decimal.h"

/* jansson exports these names too, and sdk/sim/ links both: whichever came first would serve for the other. Ours are
 * linked under names of our own. */
#define json_array fg_json_array
#define json_copy fg_json_copy
#define json_equal fg_json_equal
#define json_integer fg_json_integer
#define json_null fg_json_null
#define json_object fg_json_object
#define json_string fg_json_string

struct errmsg;
struct json;

typedef uint32_t json_node;
#define JSON_ABSENT 0u

enum {
	_JSON_E_OK,
	JSON_E_SYNTAX,    /* not JSON, or something behind it */
	JSON_E_TEXT,      /* not well-formed UTF-8 */
	JSON_E_DUPLICATE, /* a member name that is there already */
	JSON_E_DEPTH,     /* nested deeper than the limit */
	JSON_E_NODES,     /* more values than the limit */
	JSON_E_SIZE,      /* more bytes of text than the limit */
	JSON_E_POINTER,   /* not a JSON Pointer, or it leads through something that is no container */
};

enum json_kind {
	JSON_KIND_ABSENT,
	JSON_KIND_NULL,
	JSON_KIND_BOOLEAN,
	JSON_KIND_NUMBER,
	JSON_KIND_TEXT,
	JSON_KIND_ARRAY,
	JSON_KIND_OBJECT,
};

/* A member that is absent (0) means the limit of that name in base/limits.h. */
struct json_limits {
	uint32_t depth;
	uint32_t nodes;
	size_t bytes; /* of texts, numbers and names together */
};

/* What becomes of a member name that appears twice. Our own documents refuse; replies of providers read as every
 * client of theirs does. */
enum json_duplicates { JSON_DUPLICATES_REFUSE, JSON_DUPLICATES_LAST_WINS };

/* NULL limits mean all the usual ones. NULL when out of memory. */
struct json *json_new(const struct json_limits *limits);
struct json *json_free(struct json *json);
void json_freep(struct json **json);

/*
 * Reads one value and adds its tree. An escape of half a surrogate pair becomes "?", as yajl decides.
 *
 * Returns 0, an outcome from above, or -ENOMEM. @error, when not NULL, says what is wrong and where. A failed call may
 * leave unreachable nodes behind.
 */
int json_parse(struct json *json, struct bytes text, enum json_duplicates duplicates, json_node *ret,
	       struct errmsg *error);

/* ---- reading: never fails, an odd question gets the inert answer ---- */

enum json_kind json_kind(const struct json *json, json_node node);
/* Elements or members; 0 for anything else. */
uint32_t json_count(const struct json *json, json_node node);
/* Children in order: for (n = json_first(j, list); n; n = json_next(j, n)). */
json_node json_first(const struct json *json, json_node list);
json_node json_next(const struct json *json, json_node child);
/* The name under which a child stands in its object; empty otherwise. NUL-terminated. */
struct bytes json_key(const struct json *json, json_node child);
json_node json_item(const struct json *json, json_node list, uint64_t n);
json_node json_member(const struct json *json, json_node object, struct bytes name);
/* RFC 6901 below @node; absent when it leads nowhere or is malformed. */
json_node json_at(const struct json *json, json_node node, const char *pointer);
bool json_pointer_is_valid(const char *pointer);
/* A text, or a number as it was written; empty otherwise. NUL-terminated behind its length. */
struct bytes json_text(const struct json *json, json_node node);
/* The same two for messages and for texts that were checked to hold no NUL: never NULL, "" when there is none. */
const char *json_string(const struct json *json, json_node node);
const char *json_name(const struct json *json, json_node child);
bool json_text_is(const struct json *json, json_node node, const char *expected);
bool json_boolean(const struct json *json, json_node node, bool fallback);
/* A number, or a text that reads as one, exactly; @fallback if it is anything else. */
int64_t json_integer(const struct json *json, json_node node, int64_t fallback);
int64_t json_decimal(const struct json *json, json_node node, unsigned int scale, int64_t fallback);
/* Equal values: members in any order, numbers by their text. */
bool json_equal(const struct json *a, json_node x, const struct json *b, json_node y);

/*
 * ---- building ----
 *
 * Faults stick: once the arena is out of nodes, bytes or memory, makers return JSON_ABSENT, and putting that does
 * nothing. json_fault() then says why; ask it once, at the end.
 */

/* 0, or the first fault: an outcome from above or -ENOMEM. */
int json_fault(const struct json *json);
json_node json_null(struct json *json);
json_node json_object(struct json *json);
json_node json_array(struct json *json);
json_node json_make_boolean(struct json *json, bool value);
/* JSON_E_TEXT sticks when it is not UTF-8; NUL is allowed. */
json_node json_make_text(struct json *json, struct bytes text);
/* JSON_E_SYNTAX sticks when it is not a number of JSON. */
json_node json_make_number(struct json *json, struct bytes text);
json_node json_make_integer(struct json *json, int64_t value);
/* A deep copy, from any arena. */
json_node json_copy(struct json *json, const struct json *from, json_node node);

/*
 * Attach @node, which must be a fresh root of this arena (made or copied, not attached before), at @pointer below
 * @out. Objects on the way are made; "-" behind an array appends; what stood there is replaced.
 *
 * Return 0 (also when @out or @node is absent: nothing happens), JSON_E_POINTER, or the arena's fault.
 */
int json_put(struct json *json, json_node out, const char *pointer, json_node node);
int json_append(struct json *json, json_node array, json_node node);
/* The same under a name that is taken as it is, without pointer syntax. */
int json_set(struct json *json, json_node object, struct bytes name, json_node node);

/* Takes a member out of its object; its node is not used any more. False: there is none of that name. */
bool json_remove(struct json *json, json_node object, struct bytes name);

/* ---- writing ---- */

enum json_form {
	JSON_FORM_PLAIN,     /* members in their order */
	JSON_FORM_CANONICAL, /* members sorted by the bytes of their names: for digests and comparing */
};

/* Appends without white space. Returns 0, JSON_E_DEPTH, -EMSGSIZE (the buffer's limit) or -ENOMEM. */
int json_write(const struct json *json, json_node node, enum json_form form, struct buffer *out);

/* One line for a person about an outcome of this header. Static. */
const char *json_outcome_text(int outcome);

#endif
