#include "base/base64.h"

#include "base/base64_reader.h"
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

int base64_read(struct bytes text, struct buffer *buffer)
{
	struct base64_reader reader = {0};
	size_t before = buffer->len;
	int r = buffer_reserve(buffer, BASE64_ROOM(text.len));

	if (r < 0)
		return err_trace(r);
	r = base64_reader_add(&reader, text, (uint8_t *)buffer->data + before, &buffer->len);
	if (r == 0)
		r = base64_reader_end(&reader);
	if (r)
		buffer->len = before;
	return r;
}
