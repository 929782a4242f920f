#include "base/quote.h"

#include <stdio.h>

static bool is_hidden(uint32_t code)
{
	return code < 0x20 || (code >= 0x7f && code <= 0x9f) || code == 0x2028 || code == 0x2029 ||
	       (code >= 0x202a && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069);
}

/* Of one to three bytes; nothing longer is hidden. */
static uint32_t code_of(const uint8_t *p, size_t len)
{
	if (len == 1)
		return p[0];
	if (len == 2)
		return (p[0] & 0x1fu) << 6 | (p[1] & 0x3fu);
	return (p[0] & 0x0fu) << 12 | (p[1] & 0x3fu) << 6 | (p[2] & 0x3fu);
}

uint32_t quote_hidden(struct bytes text)
{
	size_t len = bytes_utf8_length(text);
	uint32_t code = len >= 1 && len <= 3 ? code_of(text.data, len) : ' ';

	return is_hidden(code) ? code : 0;
}

/* Writes the character or byte at the beginning; @len: its bytes, 0 if it is no UTF-8. */
static size_t write_first(char *out, size_t size, struct bytes text, size_t len)
{
	uint32_t code = len ? quote_hidden(text) : *(const uint8_t *)text.data;
	int n;

	if (len && !code) {
		memcpy(out, text.data, len);
		return len;
	}
	n = snprintf(out, size, len > 1 ? "\\u%04x" : "\\x%02x", (unsigned)code);
	return n > 0 ? (size_t)n : 0;
}

struct quoted quote_bytes(struct bytes text, size_t most)
{
	size_t limit = most < LIMIT_QUOTE_NAME ? most : LIMIT_QUOTE_NAME, at = 0, n = 0;
	const char *bytes = text.data;
	struct quoted quoted;

	while (at < text.len) {
		struct bytes rest = bytes_of(bytes + at, text.len - at);
		size_t len = bytes_utf8_length(rest), step = len ? len : 1;

		if (at + step > limit)
			break;
		n += write_first(quoted.text + n, sizeof(quoted.text) - n, rest, len);
		at += step;
	}
	snprintf(quoted.text + n, sizeof(quoted.text) - n, "%s", at < text.len ? "…" : "");
	return quoted;
}

struct quoted quote(const char *text)
{
	return quote_bytes(bytes_of_text(text), LIMIT_QUOTE);
}
