/*
 * The arena behind json.h, shared by the files json*.c and nobody else.
 */
#ifndef FG_BASE_JSON_TREE_H
#define FG_BASE_JSON_TREE_H

#include "base/json.h"

struct json_value {
	uint8_t kind; /* enum json_kind */
	uint8_t boolean;
	uint16_t unused;
	json_node next; /* the sibling behind this one */
	const char *key;
	uint32_t key_len;
	uint32_t count; /* children */
	union {
		struct {
			const char *data;
			size_t len;
		} text;
		struct {
			json_node first;
			json_node last;
		} list;
	};
};

/* Texts live in chunks that never move, since their addresses are handed out. */
struct json_chunk {
	struct json_chunk *next;
	size_t used;
	size_t size;
	char data[];
};

struct json {
	struct json_limits limits;
	struct json_value *values; /* [0] is the absent value */
	uint32_t count;
	uint32_t capacity;
	struct json_chunk *chunks;
	size_t bytes;
	int fault;
};

/* The value of a node, the absent one for an id that this arena has not given out. */
const struct json_value *json_value_of(const struct json *json, json_node node);
/* A copy of @text in the arena, NUL-terminated; NULL, with the fault set, at a limit. */
const char *json_keep(struct json *json, struct bytes text);
/* Adds @child, a fresh root, behind the last child of @list; @key is kept by the arena already or NULL. */
void json_link(struct json *json, json_node list, json_node child, const char *key, uint32_t key_len);
/* Gives the value at @old the content of @node; its place and name stay. */
void json_replace(struct json *json, json_node old, json_node node);

#endif
