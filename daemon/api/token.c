#include "api/token.h"

#include "base/err.h"

enum { VERSION = 1, KIND_PAGE = 'p', KIND_RESUME = 'r', KIND_LINK = 'l' };

#define HEAD_BYTES 2
#define CHECK_BYTES 6
#define FILTER_BYTES 8
#define SIGNATURE_BYTES 16
#define RAW_MAX 52 /* a multiple of three would do; it must hold the longest token */

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static void encode(const uint8_t *raw, size_t len, char *text)
{
	for (size_t i = 0; i < len; i += 3) {
		uint32_t word = (uint32_t)raw[i] << 16 | (i + 1 < len ? (uint32_t)raw[i + 1] << 8 : 0) |
				(i + 2 < len ? raw[i + 2] : 0);
		size_t n = len - i < 3 ? len - i + 1 : 4;

		for (size_t j = 0; j < n; j++)
			*text++ = digits[word >> (18 - 6 * j) & 63];
	}
	*text = '\0';
}

/* False unless @text is exactly what encode() makes of @len bytes. */
static bool decode(const char *text, uint8_t *raw, size_t len)
{
	char again[RAW_MAX * 4 / 3 + 4];
	size_t n = 0;
	uint32_t word = 0;
	unsigned bits = 0;

	for (const char *p = text; *p; p++) {
		const char *digit = strchr(digits, *p);

		if (!digit)
			return false;
		word = word << 6 | (uint32_t)(digit - digits);
		bits += 6;
		if (bits >= 8) {
			bits -= 8;
			if (n == len)
				return false;
			raw[n++] = (uint8_t)(word >> bits);
		}
	}
	if (n != len)
		return false;
	encode(raw, len, again);
	return strcmp(again, text) == 0;
}

static void seal(uint8_t *raw, uint8_t kind, size_t body)
{
	struct digest digest;

	raw[0] = VERSION;
	raw[1] = kind;
	digest = digest_of(bytes_of(raw, HEAD_BYTES + body));
	memcpy(raw + HEAD_BYTES + body, digest.bytes, CHECK_BYTES);
}

static bool is_sealed(const uint8_t *raw, uint8_t kind, size_t body)
{
	uint8_t again[RAW_MAX];

	memcpy(again, raw, HEAD_BYTES + body);
	seal(again, kind, body);
	return memcmp(again, raw, HEAD_BYTES + body + CHECK_BYTES) == 0;
}

#define PAGE_BODY (sizeof(struct id) + FILTER_BYTES)
#define RESUME_BODY 16
_Static_assert(HEAD_BYTES + PAGE_BODY + CHECK_BYTES <= RAW_MAX, "a page token fits");
_Static_assert((HEAD_BYTES + PAGE_BODY + CHECK_BYTES) * 4 / 3 + 4 <= TOKEN_TEXT_SIZE, "the text fits");
#define LINK_BODY (4 + sizeof(struct id) + 4 + 8)
#define LINK_RAW (HEAD_BYTES + LINK_BODY + SIGNATURE_BYTES)
_Static_assert(LINK_RAW <= RAW_MAX && LINK_RAW * 4 / 3 + 4 <= TOKEN_LINK_SIZE, "a link fits");

void token_write_page(const struct id *after, const struct digest *filter, char text[static TOKEN_TEXT_SIZE])
{
	uint8_t raw[RAW_MAX];

	memcpy(raw + HEAD_BYTES, after->bytes, sizeof(after->bytes));
	memcpy(raw + HEAD_BYTES + sizeof(after->bytes), filter->bytes, FILTER_BYTES);
	seal(raw, KIND_PAGE, PAGE_BODY);
	encode(raw, HEAD_BYTES + PAGE_BODY + CHECK_BYTES, text);
}

int token_read_page(const char *text, const struct digest *filter, struct id *ret_after)
{
	uint8_t raw[RAW_MAX];

	if (!decode(text, raw, HEAD_BYTES + PAGE_BODY + CHECK_BYTES) || !is_sealed(raw, KIND_PAGE, PAGE_BODY))
		return TOKEN_E_MALFORMED;
	if (memcmp(raw + HEAD_BYTES + sizeof(struct id), filter->bytes, FILTER_BYTES) != 0)
		return TOKEN_E_OTHER_FILTER;
	memcpy(ret_after->bytes, raw + HEAD_BYTES, sizeof(ret_after->bytes));
	return 0;
}

/* Big-endian. */
static void put_number(uint8_t *out, uint64_t number, unsigned int len)
{
	for (unsigned int i = len; i-- > 0; number >>= 8)
		out[i] = (uint8_t)number;
}

static uint64_t get_number(const uint8_t *in, unsigned int len)
{
	uint64_t number = 0;

	for (unsigned int i = 0; i < len; i++)
		number = number << 8 | in[i];
	return number;
}

void token_write_resume(uint64_t epoch, uint64_t sequence, char text[static TOKEN_TEXT_SIZE])
{
	uint8_t raw[RAW_MAX];

	put_number(raw + HEAD_BYTES, epoch, 8);
	put_number(raw + HEAD_BYTES + 8, sequence, 8);
	seal(raw, KIND_RESUME, RESUME_BODY);
	encode(raw, HEAD_BYTES + RESUME_BODY + CHECK_BYTES, text);
}

int token_read_resume(const char *text, uint64_t *ret_epoch, uint64_t *ret_sequence)
{
	uint8_t raw[RAW_MAX];

	if (!decode(text, raw, HEAD_BYTES + RESUME_BODY + CHECK_BYTES) || !is_sealed(raw, KIND_RESUME, RESUME_BODY))
		return TOKEN_E_MALFORMED;
	*ret_epoch = get_number(raw + HEAD_BYTES, 8);
	*ret_sequence = get_number(raw + HEAD_BYTES + 8, 8);
	return 0;
}

/* Of everything before it; the kind is part of that, so nothing else that is ever signed with the key is taken for it. */
static struct digest sign(struct bytes key, const uint8_t *raw)
{
	return digest_hmac(key, bytes_of(raw, HEAD_BYTES + LINK_BODY));
}

void token_write_link(struct bytes key, const struct token_link *link, char text[static TOKEN_LINK_SIZE])
{
	uint8_t raw[RAW_MAX] = {VERSION, KIND_LINK}, *at = raw + HEAD_BYTES;
	struct digest signature;

	put_number(at, link->ref.tenant, 4);
	memcpy(at + 4, link->ref.id.bytes, sizeof(struct id));
	put_number(at + 4 + sizeof(struct id), link->index, 4);
	put_number(at + 8 + sizeof(struct id), (uint64_t)link->until_s, 8);
	signature = sign(key, raw);
	memcpy(raw + HEAD_BYTES + LINK_BODY, signature.bytes, SIGNATURE_BYTES);
	encode(raw, LINK_RAW, text);
}

int token_read_link(struct bytes key, const char *text, struct token_link *ret)
{
	uint8_t raw[RAW_MAX], *at = raw + HEAD_BYTES;
	struct digest signature;

	if (!decode(text, raw, LINK_RAW) || raw[0] != VERSION || raw[1] != KIND_LINK)
		return TOKEN_E_MALFORMED;
	signature = sign(key, raw);
	if (!bytes_equal_secret(bytes_of(raw + HEAD_BYTES + LINK_BODY, SIGNATURE_BYTES),
				bytes_of(signature.bytes, SIGNATURE_BYTES)))
		return TOKEN_E_MALFORMED;
	ret->ref.tenant = (uint32_t)get_number(at, 4);
	memcpy(ret->ref.id.bytes, at + 4, sizeof(struct id));
	ret->index = (uint32_t)get_number(at + 4 + sizeof(struct id), 4);
	ret->until_s = (int64_t)get_number(at + 8 + sizeof(struct id), 8);
	return 0;
}
