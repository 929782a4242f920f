#include "base/base64_reader.h"

#define NONE 64

/* The value of a character of the standard alphabet; NONE of any other. */
static uint32_t value_of(unsigned char c)
{
	static const uint8_t values[256] = {
		['A'] = 1,  ['B'] = 2,  ['C'] = 3,  ['D'] = 4,  ['E'] = 5,  ['F'] = 6,  ['G'] = 7,  ['H'] = 8,
		['I'] = 9,  ['J'] = 10, ['K'] = 11, ['L'] = 12, ['M'] = 13, ['N'] = 14, ['O'] = 15, ['P'] = 16,
		['Q'] = 17, ['R'] = 18, ['S'] = 19, ['T'] = 20, ['U'] = 21, ['V'] = 22, ['W'] = 23, ['X'] = 24,
		['Y'] = 25, ['Z'] = 26, ['a'] = 27, ['b'] = 28, ['c'] = 29, ['d'] = 30, ['e'] = 31, ['f'] = 32,
		['g'] = 33, ['h'] = 34, ['i'] = 35, ['j'] = 36, ['k'] = 37, ['l'] = 38, ['m'] = 39, ['n'] = 40,
		['o'] = 41, ['p'] = 42, ['q'] = 43, ['r'] = 44, ['s'] = 45, ['t'] = 46, ['u'] = 47, ['v'] = 48,
		['w'] = 49, ['x'] = 50, ['y'] = 51, ['z'] = 52, ['0'] = 53, ['1'] = 54, ['2'] = 55, ['3'] = 56,
		['4'] = 57, ['5'] = 58, ['6'] = 59, ['7'] = 60, ['8'] = 61, ['9'] = 62, ['+'] = 63, ['/'] = 64,
	};

	return values[c] ? values[c] - 1u : NONE;
}

/* A group has two characters at least before its padding, and what they hold beyond whole bytes is zero. */
static int end_group(struct base64_reader *reader, uint8_t *out, size_t *len)
{
	uint32_t unused = reader->padding == 2 ? 0xffff : reader->padding == 1 ? 0xff : 0;

	if (reader->group & unused)
		return BASE64_E_INVALID;
	for (int i = 0; i < 3 - reader->padding; i++)
		out[(*len)++] = (uint8_t)(reader->group >> (16 - 8 * i));
	reader->group = 0;
	reader->count = 0;
	return 0;
}

int base64_reader_add(struct base64_reader *reader, struct bytes text, uint8_t *out, size_t *len)
{
	const unsigned char *p = text.data;

	for (size_t i = 0; i < text.len; i++) {
		uint32_t value = value_of(p[i]);

		if (p[i] == '=' && reader->count >= 2) {
			reader->padding++;
			value = 0;
		} else if (value == NONE || reader->padding) {
			return BASE64_E_INVALID;
		}
		reader->group = reader->group << 6 | value;
		if (++reader->count == 4 && end_group(reader, out, len) != 0)
			return BASE64_E_INVALID;
	}
	return 0;
}

int base64_reader_end(const struct base64_reader *reader)
{
	return reader->count ? BASE64_E_INVALID : 0;
}
