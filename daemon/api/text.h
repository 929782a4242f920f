/*
 * Text on its way out: names of resources, instants, words cut to a length.
 */
#ifndef FG_API_TEXT_H
#define FG_API_TEXT_H

#include "api/arena.h"
#include "job/job.h"

#include <google/protobuf/timestamp.pb-c.h>

/* A copy of at most @max bytes that ends at the end of a character and is clean; "" for NULL. */
char *text_cut(struct arena *arena, const char *text, size_t max);
/* @text itself if it is UTF-8, else a copy with '?' for what is not: a reply must never be unreadable for clients,
 * whatever a provider said. "" for NULL. */
char *text_clean(struct arena *arena, const char *text);

/* "jobs/{uuid}" */
char *name_of_job(struct arena *arena, const struct id *id);
char *name_of_artifact(struct arena *arena, const struct id *id, uint32_t index);
char *name_of_provider(struct arena *arena, const char *id);

bool name_parse_job(const char *name, struct id *ret);
bool name_parse_artifact(const char *name, struct id *ret, uint32_t *ret_index);
/* The id behind "providers/": 1 to 63 characters, no slash; borrowed from @name. NULL: not such a name. */
const char *name_parse_provider(const char *name);

/* NULL for 0 ms. */
Google__Protobuf__Timestamp *timestamp_of(struct arena *arena, int64_t utc_ms);
/* False when it is not between the years 1 and 9999 or its nanoseconds are out of range. Rounds up. */
bool timestamp_parse(const Google__Protobuf__Timestamp *timestamp, int64_t *ret_ms);

#endif
