/*
 * Instants as text, in the two forms that HTTP and JSON use.
 */
#ifndef FG_BASE_INSTANT_H
#define FG_BASE_INSTANT_H

#include "base/bytes.h"

enum {
	_INSTANT_E_OK,
	INSTANT_E_MALFORMED, /* neither form, or no such day or time */
};

/*
 * Milliseconds since 1970-01-01T00:00:00Z from RFC 3339 ("2026-11-22T17:36:00.250+01:00") or an HTTP date
 * ("Sun, 22 Nov 2026 17:36:00 GMT"). Digits behind the millisecond are cut; a leap second counts as the one after it.
 */
int instant_parse(struct bytes text, int64_t *ret_ms);

#endif
