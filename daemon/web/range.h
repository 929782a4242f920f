/*
 * Which part of a file a request wants (RFC 9110, sections 13 and 14). Pure.
 */
#ifndef FG_WEB_RANGE_H
#define FG_WEB_RANGE_H

#include <stdbool.h>
#include <stdint.h>

enum range_verdict {
	RANGE_WHOLE,       /* nothing was asked for, or what may be ignored: other units, several parts, nonsense */
	RANGE_PART,        /* from @ret_from to @ret_until, which is not part of it */
	RANGE_UNREACHABLE, /* it begins behind the end */
};
/* @header: of Range, or NULL. */
enum range_verdict range_parse(const char *header, uint64_t size, uint64_t *ret_from, uint64_t *ret_until);

/* Is @etag, with its quotation marks, in an If-None-Match, as a weak one too, or is that "*"? */
bool range_matches(const char *header, const char *etag);

#endif
