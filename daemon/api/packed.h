/*
 * Bytes that many may hold: an encoded message, made once and sent to whoever wants it. Not changed any more once a
 * second reference was taken.
 */
#ifndef FG_API_PACKED_H
#define FG_API_PACKED_H

#include "base/bytes.h"

struct packed;

/* One reference, of the caller's. Without memory the process aborts, as libgrpc does. */
struct packed *packed_new(size_t len);
/* Takes the buffer's memory; it is empty afterwards. */
struct packed *packed_of_buffer(struct buffer *take);
struct packed *packed_ref(struct packed *packed);
/* NULL is fine. [any-thread] */
void packed_unref(struct packed *packed);

uint8_t *packed_data(struct packed *packed);
size_t packed_len(const struct packed *packed);

#endif
