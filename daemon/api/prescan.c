#include "api/prescan.h"

#include "base/err.h"
#include "base/limits.h"

#include <stdarg.h>

enum wire { WIRE_VARINT = 0, WIRE_FIXED64 = 1, WIRE_BYTES = 2, WIRE_FIXED32 = 5 };

/* One message on the way down; lives on the stack, which LIMIT_RPC_DEPTH bounds. */
struct frame {
	const struct frame *up;
	const ProtobufCMessageDescriptor *type;
	const uint8_t *start;
	const uint8_t *at; /* the tag of the field in hand */
	const ProtobufCFieldDescriptor *field;
	unsigned depth;
};

struct scan {
	struct prescan seen;
	struct problem *problem;
};

/* A cursor over bytes; every read checks the end. */
struct cursor {
	const uint8_t *at;
	const uint8_t *end;
};

static bool read_varint(struct cursor *cursor, unsigned max_bytes, uint64_t *ret)
{
	uint64_t value = 0;

	for (unsigned i = 0; i < max_bytes && cursor->at < cursor->end; i++) {
		uint8_t byte = *cursor->at++;

		value |= (uint64_t)(byte & 0x7f) << (7 * i);
		if (!(byte & 0x80)) {
			*ret = value;
			return i < 9 || byte <= 1;
		}
	}
	return false;
}

static bool skip(struct cursor *cursor, size_t len)
{
	if ((size_t)(cursor->end - cursor->at) < len)
		return false;
	cursor->at += len;
	return true;
}

/* Moves behind one value. Tags and lengths longer than protobuf-c reads (5 bytes) are refused here, too. */
static bool read_value(struct cursor *cursor, enum wire wire, uint64_t *ret, struct bytes *ret_bytes)
{
	if (wire == WIRE_VARINT)
		return read_varint(cursor, 10, ret);
	if (wire == WIRE_FIXED64)
		return skip(cursor, 8);
	if (wire == WIRE_FIXED32)
		return skip(cursor, 4);
	if (wire != WIRE_BYTES || !read_varint(cursor, 5, ret) || *ret > (size_t)(cursor->end - cursor->at))
		return false;
	*ret_bytes = bytes_of(cursor->at, (size_t)*ret);
	return skip(cursor, (size_t)*ret);
}

/* Which element of a repeated field is this? Only asked once something is wrong. */
static unsigned count_before(const struct frame *frame)
{
	struct cursor cursor = {.at = frame->start, .end = frame->at};
	unsigned n = 0;

	while (cursor.at < cursor.end) {
		struct bytes bytes;
		uint64_t tag, value;

		if (!read_varint(&cursor, 5, &tag) || !read_value(&cursor, (enum wire)(tag & 7), &value, &bytes))
			break;
		n += (uint32_t)(tag >> 3) == frame->field->id;
	}
	return n;
}

static size_t write_path(const struct frame *frame, char *path, size_t size)
{
	size_t len = frame && frame->up ? write_path(frame->up, path, size) : 0;
	int n;

	if (!frame || !frame->field || len >= size)
		return len;
	if (frame->field->label == PROTOBUF_C_LABEL_REPEATED)
		n = snprintf(path + len, size - len, "%s%s[%u]", len ? "." : "", frame->field->name,
			     count_before(frame));
	else
		n = snprintf(path + len, size - len, "%s%s", len ? "." : "", frame->field->name);
	return len + (n > 0 ? (size_t)n : 0);
}

__attribute__((format(printf, 4, 5))) static int refuse(struct scan *scan, const struct frame *frame, int outcome,
							const char *format, ...)
{
	va_list args;

	scan->problem->field[0] = '\0';
	write_path(frame, scan->problem->field, sizeof(scan->problem->field));
	va_start(args, format);
	vsnprintf(scan->problem->text, sizeof(scan->problem->text), format, args);
	va_end(args);
	return outcome;
}

static int check_enum(struct scan *scan, const struct frame *frame, uint64_t value)
{
	const ProtobufCEnumDescriptor *type = frame->field->descriptor;

	/* An enum travels as the 64-bit sign extension of an int32. */
	if ((int64_t)value == (int32_t)value && protobuf_c_enum_descriptor_get_value(type, (int)value))
		return 0;
	return refuse(scan, frame, PRESCAN_E_ENUM, "%lld is not a value of %s", (long long)value, type->short_name);
}

static size_t fixed_size(ProtobufCType type)
{
	switch (type) {
	case PROTOBUF_C_TYPE_FIXED32:
	case PROTOBUF_C_TYPE_SFIXED32:
	case PROTOBUF_C_TYPE_FLOAT:
		return 4;
	case PROTOBUF_C_TYPE_FIXED64:
	case PROTOBUF_C_TYPE_SFIXED64:
	case PROTOBUF_C_TYPE_DOUBLE:
		return 8;
	default:
		return 0;
	}
}

static int check_packed(struct scan *scan, const struct frame *frame, struct bytes bytes)
{
	struct cursor cursor = {.at = bytes.data, .end = (const uint8_t *)bytes.data + bytes.len};
	size_t size = fixed_size(frame->field->type);

	if (size) {
		scan->seen.fields += (uint32_t)(bytes.len / size);
		return 0;
	}
	while (cursor.at < cursor.end) {
		uint64_t value;
		int r = 0;

		scan->seen.fields++;
		if (!read_varint(&cursor, 10, &value))
			return refuse(scan, frame, PRESCAN_E_MALFORMED,
				      "the last number of the list is cut short, or is too long");
		if (frame->field->type == PROTOBUF_C_TYPE_ENUM)
			r = check_enum(scan, frame, value);
		if (r)
			return r;
	}
	return 0;
}

static int scan_message(struct scan *scan, const struct frame *up, const ProtobufCMessageDescriptor *type,
			struct bytes message);

static int check_bytes(struct scan *scan, const struct frame *frame, struct bytes bytes)
{
	const ProtobufCFieldDescriptor *field = frame->field;

	switch (field->type) {
	case PROTOBUF_C_TYPE_MESSAGE:
		scan->seen.has_maps |= field->label == PROTOBUF_C_LABEL_REPEATED &&
				       prescan_type_is_map_entry(field->descriptor);
		return scan_message(scan, frame, field->descriptor, bytes);
	case PROTOBUF_C_TYPE_STRING:
		if (bytes_are_text(bytes))
			return 0;
		return refuse(scan, frame, PRESCAN_E_MALFORMED,
			      memchr(bytes.data, 0, bytes.len) ? "the text contains a NUL; leave it out"
							       : "the text is not UTF-8");
	case PROTOBUF_C_TYPE_BYTES:
		return 0;
	default:
		return check_packed(scan, frame, bytes);
	}
}

static int scan_field(struct scan *scan, struct frame *frame, struct cursor *cursor)
{
	struct bytes bytes;
	uint64_t tag, value;

	frame->at = cursor->at;
	frame->field = NULL;
	if (!read_varint(cursor, 5, &tag) || tag > UINT32_MAX || tag >> 3 == 0)
		return refuse(scan, frame, PRESCAN_E_MALFORMED,
			      "not a protobuf message: a field number is cut short or broken");
	if (!read_value(cursor, (enum wire)(tag & 7), &value, &bytes))
		return refuse(scan, frame, PRESCAN_E_MALFORMED,
			      "not a protobuf message: the value of field number %u is cut short or broken",
			      (unsigned)(tag >> 3));

	frame->field = protobuf_c_message_descriptor_get_field(frame->type, (unsigned)(tag >> 3));
	if (!frame->field)
		return 0;
	if ((tag & 7) == WIRE_BYTES)
		return check_bytes(scan, frame, bytes);
	if ((tag & 7) == WIRE_VARINT && frame->field->type == PROTOBUF_C_TYPE_ENUM)
		return check_enum(scan, frame, value);
	return 0;
}

static int scan_message(struct scan *scan, const struct frame *up, const ProtobufCMessageDescriptor *type,
			struct bytes message)
{
	struct frame frame = {.up = up, .type = type, .start = message.data, .depth = up ? up->depth + 1 : 1};
	struct cursor cursor = {.at = message.data, .end = (const uint8_t *)message.data + message.len};

	if (frame.depth > LIMIT_RPC_DEPTH)
		return refuse(scan, NULL, PRESCAN_E_MALFORMED, "the message is nested deeper than %d levels",
			      LIMIT_RPC_DEPTH);
	while (cursor.at < cursor.end) {
		int r;

		if (++scan->seen.fields > LIMIT_RPC_FIELDS)
			return refuse(scan, NULL, PRESCAN_E_MALFORMED, "the message has more than %d fields",
				      LIMIT_RPC_FIELDS);
		r = scan_field(scan, &frame, &cursor);
		if (r)
			return r;
	}
	return 0;
}

int prescan_message(const ProtobufCMessageDescriptor *type, struct bytes message, struct prescan *ret,
		    struct problem *problem)
{
	struct scan scan = {.problem = problem};
	int r;

	if (message.len == 0)
		message.data = "";
	r = scan_message(&scan, NULL, type, message);
	if (r == 0 && scan.seen.fields > LIMIT_RPC_FIELDS)
		r = refuse(&scan, NULL, PRESCAN_E_MALFORMED, "the message has more than %d fields", LIMIT_RPC_FIELDS);
	if (r == 0)
		*ret = scan.seen;
	return r;
}

bool prescan_type_is_map_entry(const ProtobufCMessageDescriptor *type)
{
	size_t len = strlen(type->short_name);

	return type->n_fields == 2 && type->fields[0].id == 1 && strcmp(type->fields[0].name, "key") == 0 &&
	       type->fields[1].id == 2 && strcmp(type->fields[1].name, "value") == 0 && len > 5 &&
	       strcmp(type->short_name + len - 5, "Entry") == 0;
}
