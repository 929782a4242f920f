/*
 * A filter in front of the JSON reader: it takes the texts at some places out of a document while it arrives, in pieces
 * of any size, decodes them from base64 and hands their bytes on. What it lets through is the same document with empty
 * texts in those places. So a reply that carries a video is never in memory.
 *
 * A place is a JSON Pointer in which a token "*" stands for every index or name. What is no text there is let through
 * as it is. A name that a pointer cannot say (longer than LIMIT_JSON_POINTER_TOKEN, a NUL in it, half of a surrogate
 * pair) is no place either.
 *
 * Whether the document is JSON is for the reader to say, who sees all but the texts: from where it certainly is none,
 * everything is let through.
 */
#ifndef FG_BASE_JSON_LIFT_H
#define FG_BASE_JSON_LIFT_H

#include "base/bytes.h"

enum {
	_JSON_LIFT_E_OK,
	JSON_LIFT_E_BASE64, /* the text at a place is not base64 as base64_reader.h reads it, or the document ends in it */
	JSON_LIFT_E_TEXTS, /* more than LIMIT_JSON_LIFT_TEXTS texts */
	_JSON_LIFT_E_N     /* the sink's own outcomes begin here */
};

/* Where the bytes go. Each returns 0, or what json_lift_feed() is to return. */
struct json_lift_sink {
	/* The text at @pointer, which is valid until the call returns, begins. One after the other. */
	int (*begin)(void *userdata, const char *pointer);
	int (*write)(void *userdata, struct bytes bytes);
	int (*end)(void *userdata);
	void *userdata;
};

struct json_lift;

/* A pointer of at least one token and at most LIMIT_JSON_LIFT_TOKENS. */
bool json_lift_place_is_valid(const char *place);

/* 1 to LIMIT_JSON_LIFT_PLACES valid @places, which are copied. 0 or -ENOMEM. */
int json_lift_new(const char *const *places, size_t n, const struct json_lift_sink *sink, struct json_lift **ret);
struct json_lift *json_lift_free(struct json_lift *lift);
void json_lift_freep(struct json_lift **lift);

/*
 * Both: 0, an outcome above, the sink's, -EMSGSIZE (the limit of @out) or -ENOMEM. What is not 0 is final: the next
 * call returns it again.
 */
int json_lift_feed(struct json_lift *lift, struct bytes piece, struct buffer *out);
int json_lift_end(struct json_lift *lift);

#endif
