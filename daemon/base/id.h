/*
 * Identifiers: UUID version 7 (RFC 9562, section 5.7), so that ids sort by creation time.
 */
#ifndef FG_BASE_ID_H
#define FG_BASE_ID_H

#include <stdint.h>

#define ID_TEXT_SIZE 37 /* 36 characters and the NUL */

enum {
	_ID_E_OK,
	ID_E_MALFORMED, /* not 8-4-4-4-12 hexadecimal digits */
};

struct id {
	uint8_t bytes[16];
};

/* A new id for the instant @utc_ms; the rest is random. Aborts if the kernel has no randomness to give. [any-thread] */
struct id id_new(int64_t utc_ms);
void id_format(const struct id *id, char text[static ID_TEXT_SIZE]);
int id_parse(const char *text, struct id *ret);

#endif
