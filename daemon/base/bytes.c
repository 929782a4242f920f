#include "base/bytes.h"

#include "base/err.h"

#include <openssl/crypto.h>
#include <stdarg.h>

bool bytes_equal_secret(struct bytes a, struct bytes b)
{
	return a.len == b.len && CRYPTO_memcmp(a.data, b.data, a.len) == 0;
}

int bytes_hex_value(char digit)
{
	if (digit >= '0' && digit <= '9')
		return digit - '0';
	if (digit >= 'a' && digit <= 'f')
		return digit - 'a' + 10;
	return digit >= 'A' && digit <= 'F' ? digit - 'A' + 10 : -1;
}

char *bytes_dup_text(struct bytes bytes)
{
	char *text = malloc(bytes.len + 1);

	if (!text)
		return NULL;
	if (bytes.len)
		memcpy(text, bytes.data, bytes.len);
	text[bytes.len] = '\0';
	return text;
}

/* RFC 3629, section 4. */
size_t bytes_utf8_length(struct bytes bytes)
{
	const uint8_t *p = bytes.data;
	size_t len;

	if (bytes.len == 0)
		return 0;
	len = p[0] < 0x80 ? 1 : p[0] < 0xc2 ? 0 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : p[0] < 0xf5 ? 4 : 0;

	if (len == 0 || len > bytes.len || p[0] == 0)
		return 0;
	for (size_t i = 1; i < len; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f))
		return 0;
	if ((p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] > 0x8f))
		return 0;
	return len;
}

/* Bytes at the beginning that are ASCII and not NUL, as far as whole words go: nearly all text is nothing else. With no
 * byte above 0x7f, taking 1 from each sets the highest bit of a byte just where there is a zero. */
static size_t ascii_words(const uint8_t *p, size_t len)
{
	const uint64_t ones = UINT64_C(0x0101010101010101), highest = ones << 7;
	uint64_t word;
	size_t n = 0;

	for (; len - n >= sizeof(word); n += sizeof(word)) {
		memcpy(&word, p + n, sizeof(word));
		if ((word | (word - ones)) & highest)
			break;
	}
	return n;
}

size_t bytes_count_characters(struct bytes text)
{
	const uint8_t *p = text.data;
	size_t n = 0;

	for (size_t i = 0; i < text.len; i++)
		n += (p[i] & 0xc0) != 0x80;
	return n;
}

bool bytes_are_text(struct bytes bytes)
{
	const uint8_t *p = bytes.data;
	size_t left = bytes.len;

	while (left) {
		size_t n = ascii_words(p, left);

		if (n == 0)
			n = bytes_utf8_length(bytes_of(p, left));
		if (n == 0)
			return false;
		p += n;
		left -= n;
	}
	return true;
}

bool bytes_are_one_line(struct bytes bytes)
{
	const unsigned char *data = bytes.data;

	for (size_t i = 0; i < bytes.len; i++)
		if (data[i] < 0x20 || data[i] == 0x7f)
			return false;
	return true;
}

int buffer_reserve(struct buffer *buffer, size_t len)
{
	size_t limit = buffer->limit ? buffer->limit : SIZE_MAX / 2;
	size_t capacity = buffer->capacity ? buffer->capacity : 128;
	char *data;

	if (len > limit || buffer->len > limit - len)
		return -EMSGSIZE;
	if (buffer->len + len + 1 <= buffer->capacity)
		return 0;

	while (capacity < buffer->len + len + 1)
		capacity *= 2;
	data = realloc(buffer->data, capacity);
	if (!data)
		return err_origin(-ENOMEM);

	buffer->data = data;
	buffer->capacity = capacity;
	buffer->data[buffer->len] = '\0';
	return 0;
}

int buffer_append(struct buffer *buffer, const void *data, size_t len)
{
	int r = buffer_reserve(buffer, len);

	if (r < 0)
		return r;
	if (len)
		memcpy(buffer->data + buffer->len, data, len);
	buffer->len += len;
	buffer->data[buffer->len] = '\0';
	return 0;
}

int buffer_append_text(struct buffer *buffer, const char *text)
{
	return buffer_append(buffer, text, strlen(text));
}

int buffer_printf(struct buffer *buffer, const char *format, ...)
{
	va_list args, again;
	int n, r;

	va_start(args, format);
	va_copy(again, args);
	n = vsnprintf(NULL, 0, format, args);
	va_end(args);
	r = n < 0 ? err_origin(-EINVAL) : buffer_reserve(buffer, (size_t)n);
	if (r == 0) {
		vsnprintf(buffer->data + buffer->len, (size_t)n + 1, format, again);
		buffer->len += (size_t)n;
	}
	va_end(again);
	return r;
}

void buffer_finish(struct buffer *buffer)
{
	free(buffer->data);
	*buffer = (struct buffer){.limit = buffer->limit};
}
