/*
 * Base64 (RFC 4648), of bytes that are in memory.
 */
#ifndef FG_BASE_BASE64_H
#define FG_BASE_BASE64_H

#include "base/bytes.h"

enum {
	_BASE64_E_OK,
	BASE64_E_INVALID,
};

/* With padding (section 4), and the form for URLs without (section 5). As buffer_append(). */
int base64_append(struct buffer *buffer, struct bytes bytes);
int base64url_append(struct buffer *buffer, struct bytes bytes);

/* Reads the padded form, in groups of four and without anything between: 0, BASE64_E_INVALID, or as buffer_append(). */
int base64_read(struct bytes text, struct buffer *buffer);

#endif
