/*
 * SHA-256, the one digest of this house: artifact names, request fingerprints, equality of requests.
 */
#ifndef FG_BASE_DIGEST_H
#define FG_BASE_DIGEST_H

#include "base/bytes.h"

#define DIGEST_SIZE 32
#define DIGEST_TEXT_SIZE 65 /* lower-case hexadecimal and the NUL */

struct digest {
	uint8_t bytes[DIGEST_SIZE];
};

struct digester; /* a digest in the making; one thread at a time */

/* NULL when out of memory. */
struct digester *digester_new(void);
struct digester *digester_free(struct digester *digester);
void digester_add(struct digester *digester, const void *data, size_t len);
/* Ends it; the digester may only be freed afterwards. */
struct digest digester_end(struct digester *digester);
void digester_freep(struct digester **digester);

struct digest digest_of(struct bytes bytes);
/* HMAC-SHA-256 (RFC 2104). */
struct digest digest_hmac(struct bytes key, struct bytes message);
void digest_format(const struct digest *digest, char text[static DIGEST_TEXT_SIZE]);

#endif
