#include "base/base64.h"

#include "base/err.h"

#include <openssl/evp.h>

#define CHUNK (1 << 20) /* EVP counts in int; whole groups of three need no padding between them */

int base64_append(struct buffer *buffer, struct bytes bytes)
{
	const unsigned char *data = bytes.data;
	int r = buffer_reserve(buffer, (bytes.len + 2) / 3 * 4 + 1);

	if (r < 0)
		return err_trace(r);
	for (size_t i = 0; i < bytes.len; i += 3 * CHUNK) {
		size_t n = bytes.len - i < 3 * CHUNK ? bytes.len - i : 3 * CHUNK;

		buffer->len += (size_t)EVP_EncodeBlock((unsigned char *)buffer->data + buffer->len, data + i, (int)n);
	}
	buffer->data[buffer->len] = '\0';
	return 0;
}

int base64url_append(struct buffer *buffer, struct bytes bytes)
{
	size_t start = buffer->len;
	int r = base64_append(buffer, bytes);

	if (r < 0)
		return r;
	for (char *p = buffer->data + start; *p; p++)
		*p = *p == '+' ? '-' : *p == '/' ? '_' : *p;
	while (buffer->len > start && buffer->data[buffer->len - 1] == '=')
		buffer->data[--buffer->len] = '\0';
	return 0;
}

/* Which six bits a character stands for, or -1. */
static int value_of(unsigned char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* A group of four, of which @n stand for something. The bits that no byte takes must be none: there is one spelling. */
static int read_group(const unsigned char *group, size_t n, struct buffer *buffer)
{
	uint32_t bits = 0;
	unsigned char out[3];

	for (size_t i = 0; i < 4; i++) {
		int value = i < n ? value_of(group[i]) : group[i] == '=' ? 0 : -1;

		if (value < 0)
			return BASE64_E_INVALID;
		bits = bits << 6 | (uint32_t)value;
	}
	for (size_t i = 0; i < 3; i++)
		out[i] = (unsigned char)(bits >> (16 - 8 * i));
	for (size_t i = n - 1; i < 3; i++)
		if (out[i])
			return BASE64_E_INVALID;
	return buffer_append(buffer, out, n - 1);
}

int base64_read(struct bytes text, struct buffer *buffer)
{
	const unsigned char *data = text.data;
	size_t before = buffer->len;
	int r = text.len % 4 ? BASE64_E_INVALID : 0;

	for (size_t i = 0; r == 0 && i < text.len; i += 4) {
		bool is_last = i + 4 == text.len;
		size_t n = !is_last || data[i + 3] != '=' ? 4 : data[i + 2] != '=' ? 3 : 2;

		r = read_group(data + i, n, buffer);
	}
	if (r)
		buffer->len = before;
	return r;
}
