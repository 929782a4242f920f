/*
 * What a JSON value must look like, as a table; and one walker that compares. Unknown members are refused, so that a
 * misspelt one is found.
 */
#ifndef FG_PLUGIN_SHAPE_H
#define FG_PLUGIN_SHAPE_H

#include "base/json.h"

enum {
	_PLUGIN_SHAPE_E_OK,
	PLUGIN_SHAPE_E_MISMATCH,
};

#define SHAPE(kind) (1u << JSON_KIND_##kind)

struct plugin_shape_member;

struct plugin_shape {
	uint32_t kinds; /* SHAPE(TEXT) | … */
	/* Object: the members there may be; NULL: any names. */
	const struct plugin_shape_member *members;
	/* Array: each element. Object without members: each value. NULL: anything. */
	const struct plugin_shape *each;
	/* Text: one of these, ended by NULL. */
	const char *const *words;
	/* Text: its form, for the message; is_form() decides. */
	const char *form;
	bool (*is_form)(struct bytes text);
	/* Number: whole and within; text, array: length in bytes, elements. Not checked when both are 0. */
	int64_t min, max;
};

/* Ended by a name of NULL. */
struct plugin_shape_member {
	const char *name;
	const struct plugin_shape *shape;
	bool is_required;
};

/* 0, or PLUGIN_SHAPE_E_MISMATCH with @error saying where and what ("/models/0/name: must be text"), or -ENOMEM. */
int plugin_shape_check(const struct json *json, json_node node, const struct plugin_shape *shape, struct errmsg *error);

#endif
