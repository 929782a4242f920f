#include "wire.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <google/protobuf/struct.pb-c.h>

static uint8_t space[1 << 17];

/* A ListValue in a Value in a ListValue …, @depth messages in all, the innermost a Value with a bool. */
static struct bytes nested(unsigned int depth)
{
	size_t start = sizeof(space);
	size_t len = 0;

	space[--start] = 1;
	space[--start] = 4 << 3; /* Value.bool_value = true */
	len = 2;
	for (unsigned int i = 1; i < depth; i++) {
		size_t rest = len;
		uint8_t varint[5];
		size_t n = 0;

		do {
			varint[n++] = (uint8_t)((rest & 0x7f) | (rest > 0x7f ? 0x80 : 0));
			rest >>= 7;
		} while (rest);
		start -= n;
		memcpy(space + start, varint, n);
		/* ListValue.values = 1; Value.list_value = 6 */
		space[--start] = (uint8_t)((i % 2 ? 1 : 6) << 3 | 2);
		len = sizeof(space) - start;
	}
	return bytes_of(space + start, len);
}

static const ProtobufCMessageDescriptor *outermost(unsigned int depth)
{
	return depth % 2 ? &google__protobuf__value__descriptor : &google__protobuf__list_value__descriptor;
}

static void nesting_is_fine_up_to_the_limit_and_not_beyond(void **state)
{
	(void)state;
	assert_true(wire_is_shallow(outermost(1), nested(1)));
	assert_true(wire_is_shallow(outermost(WIRE_DEPTH_MAX), nested(WIRE_DEPTH_MAX)));
	assert_false(wire_is_shallow(outermost(WIRE_DEPTH_MAX + 1), nested(WIRE_DEPTH_MAX + 1)));
	assert_false(wire_is_shallow(outermost(10000), nested(10000)));
}

/* The builder above must build what the decoder reads, or the test before proves nothing. */
static void what_is_shallow_is_also_decoded(void **state)
{
	struct bytes bytes = nested(101);
	ProtobufCMessage *message = protobuf_c_message_unpack(outermost(101), NULL, bytes.len, bytes.data);
	const Google__Protobuf__Value *value = (const void *)message;

	(void)state;
	assert_non_null(message);
	for (int i = 0; i < 50; i++) {
		assert_int_equal(value->kind_case, GOOGLE__PROTOBUF__VALUE__KIND_LIST_VALUE);
		value = value->list_value->values[0];
	}
	assert_true(value->bool_value);
	protobuf_c_message_free_unpacked(message, NULL);
}

static void broken_bytes_are_refused(void **state)
{
	static const struct bytes rows[] = {
		{"\x0a\x05"
		 "ab",
		 4},                                                  /* longer than there is */
		{"\x0a", 1},                                          /* no length */
		{"\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01", 11}, /* an endless tag */
		{"\x0b", 1},                                          /* a group */
		{"\x09\x00", 2},                                      /* a fixed64 cut short */
		{"\x0d\x00", 2},                                      /* a fixed32 cut short */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_false(wire_is_shallow(&google__protobuf__struct__descriptor, rows[i]));
	assert_true(wire_is_shallow(&google__protobuf__struct__descriptor, bytes_of("", 0)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nesting_is_fine_up_to_the_limit_and_not_beyond),
		cmocka_unit_test(what_is_shallow_is_also_decoded),
		cmocka_unit_test(broken_bytes_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
