#include "veo.h"

#include <string.h>

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static int has_at(struct fg_text text, uint64_t offset, const char *expected)
{
	uint64_t size = strlen(expected);

	if (offset > text.size || text.size - offset < size)
		return 0;
	for (uint64_t i = 0; i < size; i++)
		if (lower(text.data[offset + i]) != lower(expected[i]))
			return 0;
	return 1;
}

struct fg_text veo_text_of(const char *text)
{
	struct fg_text view = {text, text ? strlen(text) : 0};

	return view;
}

struct fg_text veo_text_from(struct fg_text text, uint64_t offset)
{
	struct fg_text rest = {NULL, 0};

	if (offset < text.size) {
		rest.data = text.data + offset;
		rest.size = text.size - offset;
	}
	return rest;
}

void veo_text_add(char *out, uint64_t size, const char *text)
{
	uint64_t n = strlen(out);

	while (n + 1 < size && *text)
		out[n++] = *text++;
	out[n] = '\0';
}

int veo_text_is(struct fg_text text, const char *expected)
{
	return text.size == strlen(expected) && has_at(text, 0, expected);
}

int veo_text_begins(struct fg_text text, const char *beginning)
{
	return has_at(text, 0, beginning);
}

int veo_text_ends(struct fg_text text, const char *ending)
{
	uint64_t size = strlen(ending);

	return text.size >= size && has_at(text, text.size - size, ending);
}

uint64_t veo_text_find(struct fg_text text, const char *part)
{
	uint64_t i = 0;

	while (i < text.size && !has_at(text, i, part))
		i++;
	return i;
}

int veo_text_has(struct fg_text text, const char *part)
{
	return veo_text_find(text, part) < text.size;
}
