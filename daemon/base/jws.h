/*
 * Signed claims (RFC 7515, compact form), with RSASSA-PKCS1-v1_5 and SHA-256: what Google's service accounts prove
 * themselves with (RFC 7523).
 */
#ifndef FG_BASE_JWS_H
#define FG_BASE_JWS_H

#include "base/bytes.h"

enum {
	_JWS_E_OK,
	JWS_E_KEY, /* not an unencrypted RSA private key in PEM of at least 2048 bits */
};

struct jws_key; /* immutable: any thread may sign with it */

/* 0, JWS_E_KEY or -ENOMEM. */
int jws_key_new(struct bytes pem, struct jws_key **ret);
struct jws_key *jws_key_free(struct jws_key *key);

/* Appends HEADER.CLAIMS.SIGNATURE, of two JSON texts. 0 or -ENOMEM. */
int jws_sign(const struct jws_key *key, struct bytes header, struct bytes claims, struct buffer *out);

#endif
