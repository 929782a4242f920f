/*
 * Base64 read as it arrives, in pieces of any size and as strictly as RFC 4648, section 4, can be read: the standard
 * alphabet, no white space, whole groups with their padding, unused bits zero. So every value has one spelling, and a
 * text that was cut is found out.
 */
#ifndef FG_BASE_BASE64_READER_H
#define FG_BASE_BASE64_READER_H

#include "base/base64.h"

/* Inert when zeroed. */
struct base64_reader {
	uint32_t group;  /* the bits so far of the group that has begun */
	uint8_t count;   /* characters of that group, padding included */
	uint8_t padding; /* "=" so far: nothing but their rest may follow */
};

/* The most bytes that @len characters can bring. */
#define BASE64_ROOM(len) ((len) / 4 * 3 + 3)

/* Adds what @text brings at @out, which has BASE64_ROOM() bytes, and to *@len. 0 or BASE64_E_INVALID. */
int base64_reader_add(struct base64_reader *reader, struct bytes text, uint8_t *out, size_t *len);
/* Whether the text may end here: 0 or BASE64_E_INVALID. */
int base64_reader_end(const struct base64_reader *reader);

#endif
