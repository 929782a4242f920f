#include "wire.h"

#define WIRE_TYPE_VARINT 0
#define WIRE_TYPE_FIXED64 1
#define WIRE_TYPE_LENGTH 2
#define WIRE_TYPE_FIXED32 5

static bool take_varint(struct bytes *bytes, uint64_t *ret)
{
	const uint8_t *p = bytes->data;
	uint64_t value = 0;

	for (size_t i = 0; i < bytes->len && i < 10; i++) {
		value |= (uint64_t)(p[i] & 0x7f) << (7 * i);
		if (p[i] & 0x80)
			continue;
		*bytes = bytes_of(p + i + 1, bytes->len - i - 1);
		*ret = value;
		return true;
	}
	return false;
}

static bool skip(struct bytes *bytes, uint64_t len)
{
	if (len > bytes->len)
		return false;
	*bytes = bytes_of((const uint8_t *)bytes->data + len, bytes->len - len);
	return true;
}

static bool scan(const ProtobufCMessageDescriptor *message, struct bytes bytes, unsigned int depth)
{
	while (bytes.len) {
		const ProtobufCFieldDescriptor *field;
		const void *body;
		uint64_t tag, len;

		if (!take_varint(&bytes, &tag))
			return false;
		switch (tag & 7) {
		case WIRE_TYPE_VARINT:
			if (!take_varint(&bytes, &len))
				return false;
			continue;
		case WIRE_TYPE_FIXED64:
		case WIRE_TYPE_FIXED32:
			if (!skip(&bytes, (tag & 7) == WIRE_TYPE_FIXED64 ? 8 : 4))
				return false;
			continue;
		case WIRE_TYPE_LENGTH:
			break;
		default:
			return false;
		}
		if (!take_varint(&bytes, &len))
			return false;
		body = bytes.data;
		if (!skip(&bytes, len))
			return false;
		field = protobuf_c_message_descriptor_get_field(message, (unsigned int)(tag >> 3));
		if (!field || field->type != PROTOBUF_C_TYPE_MESSAGE)
			continue;
		if (depth == 0 || !scan(field->descriptor, bytes_of(body, len), depth - 1))
			return false;
	}
	return true;
}

bool wire_is_shallow(const ProtobufCMessageDescriptor *message, struct bytes bytes)
{
	return scan(message, bytes, WIRE_DEPTH_MAX - 1);
}
