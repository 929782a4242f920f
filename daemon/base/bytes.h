/*
 * Borrowed bytes, and a buffer that grows. Every length is in bytes; text carries no terminator unless a comment
 * says so.
 */
#ifndef FG_BASE_BYTES_H
#define FG_BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct bytes {
	const void *data; /* may be NULL when len is 0 */
	size_t len;
};

/* Grows by doubling up to @limit bytes (0: SIZE_MAX / 2). Inert when zeroed. Always NUL-terminated behind len. */
struct buffer {
	char *data;
	size_t len;
	size_t capacity;
	size_t limit;
};

static inline struct bytes bytes_of(const void *data, size_t len)
{
	return (struct bytes){.data = data, .len = len};
}

static inline struct bytes bytes_of_text(const char *text)
{
	return (struct bytes){.data = text, .len = text ? strlen(text) : 0};
}

static inline bool bytes_equal(struct bytes a, struct bytes b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

/* The same of what nobody may find out by trying: how long it takes depends on the lengths alone. */
bool bytes_equal_secret(struct bytes a, struct bytes b);

/* A NUL-terminated copy that the caller frees; NULL when out of memory. */
char *bytes_dup_text(struct bytes bytes);

/* Of a hexadecimal digit in either case, 0 to 15; -1 for any other character. */
int bytes_hex_value(char digit);

/* How many bytes the well-formed UTF-8 character at the beginning has, 1 to 4; 0 when there is none. */
size_t bytes_utf8_length(struct bytes bytes);

/* How many characters (code points) well-formed UTF-8 has. */
size_t bytes_count_characters(struct bytes text);

/* Is this well-formed UTF-8 (RFC 3629: no surrogates, no overlong forms) without U+0000? */
bool bytes_are_text(struct bytes bytes);

/* Is it free of C0 control characters and DEL? So can it stand in a header. */
bool bytes_are_one_line(struct bytes bytes);

/* Return 0, -ENOMEM, or -EMSGSIZE when the limit would be passed; the buffer keeps what it had. */
int buffer_append(struct buffer *buffer, const void *data, size_t len);
int buffer_append_text(struct buffer *buffer, const char *text);
__attribute__((format(printf, 2, 3))) int buffer_printf(struct buffer *buffer, const char *format, ...);
/* Room for @len more bytes behind data + len; the caller writes them and adds to len itself. */
int buffer_reserve(struct buffer *buffer, size_t len);
void buffer_finish(struct buffer *buffer);

static inline struct bytes buffer_bytes(const struct buffer *buffer)
{
	return bytes_of(buffer->data, buffer->len);
}

#endif
