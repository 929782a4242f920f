/*
 * <filmgate/helpers.h>: small things about texts that every provider plugin needs, and that need no host.
 *
 * Header-only; nothing here is part of the ABI. Texts are compared with upper and lower case of ASCII being equal, as
 * providers' codes and words are. Arguments of type const char * end with NUL and are not NULL, except of
 * fg_text_of(). What is returned points into what was handed in.
 *
 * C99 without extensions, C++11.
 */
#ifndef FILMGATE_HELPERS_H
#define FILMGATE_HELPERS_H

#include <filmgate/provider.h>

#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

static inline char fg_text_lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* NULL is the empty text. */
static inline struct fg_text fg_text_of(const char *text)
{
	struct fg_text view = {text, text ? strlen(text) : 0};

	return view;
}

/* Does @text read @expected at @offset? */
static inline int fg_text_has_at(struct fg_text text, uint64_t offset, const char *expected)
{
	uint64_t size = strlen(expected);

	if (offset > text.size || text.size - offset < size)
		return 0;
	for (uint64_t i = 0; i < size; i++)
		if (fg_text_lower(text.data[offset + i]) != fg_text_lower(expected[i]))
			return 0;
	return 1;
}

static inline int fg_text_is(struct fg_text text, const char *expected)
{
	return text.size == strlen(expected) && fg_text_has_at(text, 0, expected);
}

static inline int fg_text_begins(struct fg_text text, const char *beginning)
{
	return fg_text_has_at(text, 0, beginning);
}

static inline int fg_text_ends(struct fg_text text, const char *ending)
{
	uint64_t size = strlen(ending);

	return text.size >= size && fg_text_has_at(text, text.size - size, ending);
}

/* Where @part begins; text.size when it is not there. */
static inline uint64_t fg_text_find(struct fg_text text, const char *part)
{
	uint64_t i = 0;

	while (i < text.size && !fg_text_has_at(text, i, part))
		i++;
	return i;
}

static inline int fg_text_has(struct fg_text text, const char *part)
{
	return fg_text_find(text, part) < text.size;
}

/* From @offset to the end; empty when there is nothing. */
static inline struct fg_text fg_text_from(struct fg_text text, uint64_t offset)
{
	struct fg_text rest = {NULL, 0};

	if (offset < text.size) {
		rest.data = text.data + offset;
		rest.size = text.size - offset;
	}
	return rest;
}

/* Adds @text to the string in @out, which has room for @size bytes; what does not fit is left out. */
static inline void fg_text_add(char *out, uint64_t size, const char *text)
{
	uint64_t n = strlen(out);

	while (n + 1 < size && *text)
		out[n++] = *text++;
	out[n] = '\0';
}

#ifdef __cplusplus
}
#endif

#endif
