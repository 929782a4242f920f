/*
 * Text of strangers in a sentence of ours: cut, and without what a terminal would obey instead of show.
 */
#ifndef FG_BASE_QUOTE_H
#define FG_BASE_QUOTE_H

#include "base/bytes.h"
#include "base/limits.h"

/* For one expression: quote(name).text. */
struct quoted {
	char text[4 * LIMIT_QUOTE_NAME + sizeof("…")];
};

/* The text between quotation marks, without these: its first LIMIT_QUOTE bytes, and "…" where there was more. What is
 * not seen is written out, \x1b or \u202e, and so is a byte that is not UTF-8. */
struct quoted quote(const char *text);
/* The same with a limit of its own, up to LIMIT_QUOTE_NAME. */
struct quoted quote_bytes(struct bytes text, size_t most);

/*
 * The code point of the first character of this well-formed UTF-8 if it is not seen itself and changes what is: a
 * control character, a line or paragraph separator, or one that turns the direction of writing. Else 0.
 */
uint32_t quote_hidden(struct bytes text);

#endif
