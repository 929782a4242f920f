/*
 * Base64 (RFC 4648), of bytes that are in memory.
 */
#ifndef FG_BASE_BASE64_H
#define FG_BASE_BASE64_H

#include "base/bytes.h"

/* With padding (section 4), and the form for URLs without (section 5). As buffer_append(). */
int base64_append(struct buffer *buffer, struct bytes bytes);
int base64url_append(struct buffer *buffer, struct bytes bytes);

#endif
