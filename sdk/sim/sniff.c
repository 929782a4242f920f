#include "sim/sniff.h"

#include <openssl/evp.h>

static const struct {
	size_t offset;
	const char *bytes;
	size_t len;
	const char *media_type;
} marks[] = {
	{0, "\x89PNG\r\n\x1a\n", 8, "image/png"},
	{0, "\xff\xd8\xff", 3, "image/jpeg"},
	{8, "WEBP", 4, "image/webp"},
	{0, "GIF8", 4, "image/gif"},
	{4, "ftypqt  ", 8, "video/quicktime"},
	{4, "ftyp", 4, "video/mp4"},
	{0, "\x1a\x45\xdf\xa3", 4, "video/webm"},
	{0, "ID3", 3, "audio/mpeg"},
	{8, "WAVE", 4, "audio/wav"},
	{0, "%PDF-", 5, "application/pdf"},
};

const char *sim_sniff(struct bytes file)
{
	const unsigned char *data = file.data;

	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++)
		if (file.len >= marks[i].offset + marks[i].len &&
		    memcmp(data + marks[i].offset, marks[i].bytes, marks[i].len) == 0)
			return marks[i].media_type;
	/* A frame of MPEG audio without a tag before it. */
	if (file.len >= 2 && data[0] == 0xff && (data[1] & 0xe0) == 0xe0)
		return "audio/mpeg";
	return NULL;
}

bool sim_base64_decode(const char *text, struct buffer *ret)
{
	size_t len = strlen(text);
	size_t plain = strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/");
	size_t padding = len - plain;
	int n;

	if (len == 0 || len % 4 || padding > 2 || strspn(text + plain, "=") != padding || len > INT32_MAX ||
	    buffer_reserve(ret, len / 4 * 3) < 0)
		return false;
	n = EVP_DecodeBlock((unsigned char *)ret->data, (const unsigned char *)text, (int)len);
	if (n < 0)
		return false;
	ret->len = (size_t)n - padding;
	return true;
}
