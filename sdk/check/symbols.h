/*
 * What a shared object exports, read from its file without loading it.
 */
#ifndef FG_SDK_CHECK_SYMBOLS_H
#define FG_SDK_CHECK_SYMBOLS_H

#include "base/bytes.h"
#include "base/err.h"

enum {
	_SYMBOLS_E_OK,
	SYMBOLS_E_INVALID, /* no shared object of a 64-bit, little-endian machine */
};

/* Appends the names, with ", " between them. 0, the outcome with @error set, or negative errno. */
int symbols_exported(struct bytes file, struct buffer *names, size_t *ret_n, struct errmsg *error);

#endif
