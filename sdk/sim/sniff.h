/*
 * What a file is, by its first bytes; and files that come inside JSON.
 */
#ifndef FG_SIM_SNIFF_H
#define FG_SIM_SNIFF_H

#include "base/bytes.h"

/* "image/png", "image/jpeg", "image/webp", "image/gif", "video/mp4", "video/quicktime", "video/webm", "audio/mpeg",
 * "audio/wav", "application/pdf"; NULL for anything else. */
const char *sim_sniff(struct bytes file);

/* The file in strict base64 (RFC 4648, section 4, padded), which the caller frees; false for anything else. */
bool sim_base64_decode(const char *text, struct buffer *ret);

#endif
