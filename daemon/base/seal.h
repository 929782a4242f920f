/*
 * What is kept sealed: AES-256-GCM under a key that lies in a file of its own. Whoever gets the sealed bytes without that
 * file, from a backup for example, has nothing; whoever changes a bit of them is found out.
 */
#ifndef FG_BASE_SEAL_H
#define FG_BASE_SEAL_H

#include "base/bytes.h"
#include "base/err.h"

enum {
	_SEAL_E_OK,
	SEAL_E_KEY,   /* the key's file is none, or others may read it; or there is none and none is to be made */
	SEAL_E_WRONG, /* not sealed with this key for this purpose, or changed since */
};

struct seal_key;

enum seal_flags {
	SEAL_MAKE = 1, /* a key, at random, where there is none */
};

/* 0, SEAL_E_KEY with words in @msg, or negative errno with words. A key that is made is on disk when this returns, with
 * mode 0600. */
int seal_key_open(const char *path, enum seal_flags flags, struct seal_key **ret, struct errmsg *msg);
/* Overwrites it. NULL is fine. */
struct seal_key *seal_key_free(struct seal_key *key);
void seal_key_freep(struct seal_key **key);

/* Appends. @purpose is no secret, and must be the same when it is opened: so nothing sealed serves as another thing. 0 or
 * negative errno. */
int seal_close(const struct seal_key *key, const char *purpose, struct bytes plain, struct buffer *ret);
/* 0, and @ret, which was empty, is the plain; the caller overwrites it. SEAL_E_WRONG or negative errno. */
int seal_open(const struct seal_key *key, const char *purpose, struct bytes sealed, struct buffer *ret);

#endif
