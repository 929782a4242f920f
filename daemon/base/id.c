#include "base/id.h"

#include "base/bytes.h"
#include "base/err.h"

#include <assert.h>
#include <sys/random.h>

struct id id_new(int64_t utc_ms)
{
	struct id id;
	ssize_t n = getrandom(id.bytes, sizeof(id.bytes), 0);

	assert(n == (ssize_t)sizeof(id.bytes));
	for (int i = 0; i < 6; i++)
		id.bytes[i] = (uint8_t)((uint64_t)utc_ms >> (40 - 8 * i));
	id.bytes[6] = (uint8_t)(0x70 | (id.bytes[6] & 0x0f));
	id.bytes[8] = (uint8_t)(0x80 | (id.bytes[8] & 0x3f));
	return id;
}

void id_format(const struct id *id, char text[static ID_TEXT_SIZE])
{
	static const char digits[] = "0123456789abcdef";
	char *out = text;

	for (int i = 0; i < 16; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			*out++ = '-';
		*out++ = digits[id->bytes[i] >> 4];
		*out++ = digits[id->bytes[i] & 0x0f];
	}
	*out = '\0';
}

int id_parse(const char *text, struct id *ret)
{
	struct id id;

	for (int i = 0; i < 16; i++) {
		int high, low;

		if ((i == 4 || i == 6 || i == 8 || i == 10) && *text++ != '-')
			return ID_E_MALFORMED;
		high = bytes_hex_value(text[0]);
		low = high < 0 ? -1 : bytes_hex_value(text[1]);
		if (low < 0)
			return ID_E_MALFORMED;
		id.bytes[i] = (uint8_t)(high << 4 | low);
		text += 2;
	}
	if (*text != '\0')
		return ID_E_MALFORMED;
	*ret = id;
	return 0;
}
