/*
 * Uploads that wait for a client that says nothing, or hardly anything.
 */
#ifndef FG_API_UPLOAD_H
#define FG_API_UPLOAD_H

#include <stdbool.h>
#include <stdint.h>

struct api;

/* Is this less than an upload must have brought that was waited for so long? */
bool upload_is_too_slow(uint64_t received, int64_t waited_ms);

/* Ends those that have waited too long. About once a second. [any-thread] */
void upload_tick(struct api *api);

#endif
