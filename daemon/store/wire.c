#include "store/wire.h"

enum { WIRE_VARINT = 0, WIRE_64 = 1, WIRE_BYTES = 2, WIRE_32 = 5 };

static bool take(struct bytes *left, uint64_t len, struct bytes *ret)
{
	if (len > left->len)
		return false;
	*ret = bytes_of(left->data, (size_t)len);
	*left = bytes_of((const uint8_t *)left->data + len, left->len - (size_t)len);
	return true;
}

static bool take_varint(struct bytes *left, uint64_t *ret)
{
	struct bytes one;
	uint64_t value = 0;

	for (unsigned int shift = 0; shift < 64; shift += 7) {
		uint8_t byte;

		if (!take(left, 1, &one))
			return false;
		byte = *(const uint8_t *)one.data;
		value |= (uint64_t)(byte & 0x7f) << shift;
		if (!(byte & 0x80)) {
			*ret = value;
			return true;
		}
	}
	return false;
}

bool wire_next(struct bytes *left, struct wire_field *ret)
{
	struct bytes rest = *left;
	struct wire_field field = {0};
	struct bytes skipped;
	uint64_t key, len;
	bool ok = false;

	if (rest.len == 0 || !take_varint(&rest, &key) || key >> 3 > UINT32_MAX)
		return false;
	field.tag = (uint32_t)(key >> 3);
	switch (key & 7) {
	case WIRE_VARINT:
		ok = take_varint(&rest, &field.number);
		break;
	case WIRE_64:
		ok = take(&rest, 8, &skipped);
		break;
	case WIRE_BYTES:
		ok = take_varint(&rest, &len) && take(&rest, len, &field.bytes);
		break;
	case WIRE_32:
		ok = take(&rest, 4, &skipped);
		break;
	default:
		break;
	}
	if (!ok)
		return false;
	*left = rest;
	*ret = field;
	return true;
}
