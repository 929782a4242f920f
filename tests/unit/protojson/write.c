#include "text.h"

#include <float.h>
#include <math.h>

static void defaults_are_left_out(void **state)
{
	Every__Every message = EVERY__EVERY__INIT;

	(void)state;
	must_write(&message.base, 0, "{}");
}

static void defaults_are_written_where_they_are_wanted(void **state)
{
	Every__Every message = EVERY__EVERY__INIT;

	(void)state;
	must_write(
		&message.base, PROTOJSON_EMIT_DEFAULTS,
		"{\"aInt32\":0,\"aSint32\":0,\"aSfixed32\":0,\"aUint32\":0,\"aFixed32\":0,\"aInt64\":\"0\",\"aSint64\":\"0\","
		"\"aSfixed64\":\"0\",\"aUint64\":\"0\",\"aFixed64\":\"0\",\"aFloat\":0,\"aDouble\":0,\"aBool\":false,"
		"\"aColour\":\"COLOUR_UNSPECIFIED\",\"aString\":\"\",\"aBytes\":\"\",\"manyInt32\":[],\"manyUint64\":[],"
		"\"manyDouble\":[],\"manyFloat\":[],\"manyBool\":[],\"manyColour\":[],\"manyString\":[],\"manyBytes\":[],"
		"\"manyMessage\":[],\"byString\":{},\"byInt32\":{},\"byUint32\":{},\"byInt64\":{},\"byUint64\":{},"
		"\"byBool\":{},\"bySint32\":{},\"byFixed64\":{},\"manyValue\":[],\"aNull\":null,\"manyDuration\":[],"
		"\"OddName2x\":0}");
}

static void numbers_of_64_bits_are_texts(void **state)
{
	Every__Every message = EVERY__EVERY__INIT;

	(void)state;
	message.a_int32 = INT32_MIN;
	message.a_uint32 = UINT32_MAX;
	message.a_int64 = INT64_MIN;
	message.a_uint64 = UINT64_MAX;
	must_write(&message.base, 0,
		   "{\"aInt32\":-2147483648,\"aUint32\":4294967295,\"aInt64\":\"-9223372036854775808\","
		   "\"aUint64\":\"18446744073709551615\"}");
}

static void a_double_has_the_fewest_digits_that_read_back(void **state)
{
	double numbers[] = {0.1,  1.0 / 3, 1e300,  5e-324, DBL_MAX,  123456789.0, -2.5,
			    1e15, 0x1p53,  0x1p63, NAN,    INFINITY, -INFINITY};
	Every__Every message = EVERY__EVERY__INIT;

	(void)state;
	message.many_double = numbers;
	message.n_many_double = sizeof(numbers) / sizeof(numbers[0]);
	must_write(&message.base, 0,
		   "{\"manyDouble\":[0.1,0.3333333333333333,1e+300,5e-324,1.7976931348623157e+308,123456789,"
		   "-2.5,1000000000000000,9007199254740992,9.223372036854776e+18,\"NaN\",\"Infinity\",\"-Infinity\"]}");
}

static void a_float_has_the_fewest_digits_that_read_back(void **state)
{
	float numbers[] = {0.1f, 1.0f / 3, FLT_MAX, FLT_TRUE_MIN, 16777216.0f, 100000.0f, NAN, -INFINITY};
	Every__Every message = EVERY__EVERY__INIT;

	(void)state;
	message.many_float = numbers;
	message.n_many_float = sizeof(numbers) / sizeof(numbers[0]);
	must_write(&message.base, 0,
		   "{\"manyFloat\":[0.1,0.33333334,3.4028235e+38,1e-45,16777216,100000,\"NaN\",\"-Infinity\"]}");
}

static void an_enum_is_its_name_or_the_number_that_has_none(void **state)
{
	Every__Colour colours[] = {EVERY__COLOUR__COLOUR_DARK, EVERY__COLOUR__COLOUR_UNSPECIFIED, (Every__Colour)99};
	Every__Every message = EVERY__EVERY__INIT;

	(void)state;
	message.many_colour = colours;
	message.n_many_colour = 3;
	must_write(&message.base, 0, "{\"manyColour\":[\"COLOUR_DARK\",\"COLOUR_UNSPECIFIED\",99]}");
}

static void a_member_of_a_oneof_is_written_though_it_is_the_default(void **state)
{
	Every__Every message = EVERY__EVERY__INIT;

	(void)state;
	message.choice_case = EVERY__EVERY__CHOICE_ONE_NUMBER;
	must_write(&message.base, 0, "{\"oneNumber\":0}");
	message.choice_case = EVERY__EVERY__CHOICE_ONE_STRING;
	message.one_string = (char *)"";
	must_write(&message.base, 0, "{\"oneString\":\"\"}");
}

static void an_empty_message_is_there(void **state)
{
	Every__Every message = EVERY__EVERY__INIT, inner = EVERY__EVERY__INIT;

	(void)state;
	message.a_message = &inner;
	must_write(&message.base, 0, "{\"aMessage\":{}}");
}

static void bytes_are_base64_with_its_padding(void **state)
{
	Every__Every message = EVERY__EVERY__INIT;

	(void)state;
	message.a_bytes = (ProtobufCBinaryData){.len = 4, .data = (uint8_t *)"\xfb\xff\xbf\x00"};
	must_write(&message.base, 0, "{\"aBytes\":\"+/+/AA==\"}");
}

static void texts_are_escaped_where_they_must_be(void **state)
{
	Every__Every message = EVERY__EVERY__INIT;

	(void)state;
	message.a_string = (char *)"\"\\/\n\x01\x7f\xc3\xa9\xf0\x9f\x8e\xac";
	must_write(&message.base, 0, "{\"aString\":\"\\\"\\\\/\\n\\u0001\x7f\xc3\xa9\xf0\x9f\x8e\xac\"}");
}

static void what_is_no_text_is_not_written(void **state)
{
	_cleanup_(buffer_finish) struct buffer out = {0};
	Every__Every message = EVERY__EVERY__INIT;

	(void)state;
	message.a_string = (char *)"caf\xe9";
	assert_int_equal(protojson_write(&message.base, 0, &out), PROTOJSON_E_VALUE);
}

static void maps_are_sorted_by_what_the_keys_are(void **state)
{
	(void)state;
	must_become("{\"byInt32\":{\"10\":\"c\",\"9\":\"b\",\"-1\":\"a\"}}",
		    "{\"byInt32\":{\"-1\":\"a\",\"9\":\"b\",\"10\":\"c\"}}");
	must_become("{\"byUint64\":{\"18446744073709551615\":2,\"9223372036854775807\":1}}",
		    "{\"byUint64\":{\"9223372036854775807\":1,\"18446744073709551615\":2}}");
	must_become("{\"byInt64\":{\"9223372036854775807\":\"\",\"-9223372036854775808\":\"AA==\"}}",
		    "{\"byInt64\":{\"-9223372036854775808\":\"AA==\",\"9223372036854775807\":\"\"}}");
	must_become("{\"byBool\":{\"true\":{},\"false\":{}}}", "{\"byBool\":{\"false\":{},\"true\":{}}}");
	must_become("{\"byString\":{\"b\":\"2\",\"\":\"0\",\"a\":\"1\"}}",
		    "{\"byString\":{\"\":\"0\",\"a\":\"1\",\"b\":\"2\"}}");
	must_become("{\"aStruct\":{\"b\":2,\"a\":1}}", "{\"aStruct\":{\"a\":1,\"b\":2}}");
}

static void of_equal_keys_the_last_one_counts(void **state)
{
	Every__Every__ByStringEntry entries[] = {EVERY__EVERY__BY_STRING_ENTRY__INIT,
						 EVERY__EVERY__BY_STRING_ENTRY__INIT,
						 EVERY__EVERY__BY_STRING_ENTRY__INIT};
	Every__Every__ByStringEntry *list[] = {&entries[0], &entries[1], &entries[2]};
	Every__Every message = EVERY__EVERY__INIT;

	(void)state;
	for (int i = 0; i < 3; i++)
		entries[i].key = (char *)(i == 1 ? "a" : "b");
	entries[0].value = (char *)"first";
	entries[2].value = (char *)"last";
	message.by_string = list;
	message.n_by_string = 3;
	must_write(&message.base, 0, "{\"byString\":{\"a\":\"\",\"b\":\"last\"}}");
}

static void an_entry_without_its_value_has_the_default(void **state)
{
	Every__Every__ByFixed64Entry entry = EVERY__EVERY__BY_FIXED64_ENTRY__INIT;
	Every__Every__ByFixed64Entry *list[] = {&entry};
	Every__Every message = EVERY__EVERY__INIT;

	(void)state;
	message.by_fixed64 = list;
	message.n_by_fixed64 = 1;
	must_write(&message.base, 0, "{\"byFixed64\":{\"0\":\"1970-01-01T00:00:00Z\"}}");
}

static void paths_that_would_not_come_back_are_not_written(void **state)
{
	static const char *const bad[] = {"",    ".",  "a.", "a..b", "aB",  "a__b", "a_",
					  "a_1", "_a", "*",  "a b",  "a,b", "1a"};
	Google__Protobuf__FieldMask mask = GOOGLE__PROTOBUF__FIELD_MASK__INIT;
	Every__Every message = EVERY__EVERY__INIT;
	char *paths[] = {(char *)"job.display_name", (char *)"a_b1c_d", (char *)"x"};

	(void)state;
	mask.paths = paths;
	mask.n_paths = 3;
	message.a_mask = &mask;
	must_write(&message.base, 0, "{\"aMask\":\"job.displayName,aB1cD,x\"}");
	mask.n_paths = 1;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		_cleanup_(buffer_finish) struct buffer out = {0};

		paths[0] = (char *)bad[i];
		if (protojson_write(&message.base, 0, &out) != PROTOJSON_E_VALUE)
			fail_msg("'%s' is written: %s", bad[i], out.data);
	}
}

static void values_without_a_kind_or_a_number_are_not_written(void **state)
{
	_cleanup_(buffer_finish) struct buffer out = {0};
	Google__Protobuf__Value value = GOOGLE__PROTOBUF__VALUE__INIT;
	Every__Every message = EVERY__EVERY__INIT;

	(void)state;
	message.a_value = &value;
	assert_int_equal(protojson_write(&message.base, 0, &out), PROTOJSON_E_VALUE);
	value.kind_case = GOOGLE__PROTOBUF__VALUE__KIND_NUMBER_VALUE;
	value.number_value = INFINITY;
	assert_int_equal(protojson_write(&message.base, 0, &out), PROTOJSON_E_VALUE);
	value.number_value = 1e300;
	must_write(&message.base, 0, "{\"aValue\":1e+300}");
}

static void instants_out_of_range_are_not_written(void **state)
{
	Google__Protobuf__Timestamp timestamp = GOOGLE__PROTOBUF__TIMESTAMP__INIT;
	_cleanup_(buffer_finish) struct buffer out = {0};
	Every__Every message = EVERY__EVERY__INIT;

	(void)state;
	timestamp.seconds = 253402300800;
	message.a_timestamp = &timestamp;
	assert_int_equal(protojson_write(&message.base, 0, &out), PROTOJSON_E_VALUE);
}

static void any_is_not_known_here(void **state)
{
	Google__Protobuf__Any any = GOOGLE__PROTOBUF__ANY__INIT;
	Every__Carrier carrier = EVERY__CARRIER__INIT;
	_cleanup_(buffer_finish) struct buffer out = {0};
	struct protojson_problem problem;
	ProtobufCMessage *message;

	(void)state;
	carrier.any = &any;
	assert_int_equal(protojson_write(&carrier.base, 0, &out), -ENOTSUP);
	assert_int_equal(read_with(&every__carrier__descriptor, bytes_of_text("{\"any\":{}}"), 0, NULL, &message,
				   &problem),
			 -ENOTSUP);
}

static void the_limit_of_the_buffer_is_told(void **state)
{
	Every__Every message = EVERY__EVERY__INIT;

	(void)state;
	message.a_string = (char *)"abc";
	message.a_bool = true;
	for (size_t limit = 1; limit < sizeof("{\"aBool\":true,\"aString\":\"abc\"}"); limit++) {
		_cleanup_(buffer_finish) struct buffer out = {.limit = limit};
		int r = protojson_write(&message.base, 0, &out);

		assert_int_equal(r, limit < sizeof("{\"aBool\":true,\"aString\":\"abc\"}") - 1 ? -EMSGSIZE : 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults_are_left_out),
		cmocka_unit_test(defaults_are_written_where_they_are_wanted),
		cmocka_unit_test(numbers_of_64_bits_are_texts),
		cmocka_unit_test(a_double_has_the_fewest_digits_that_read_back),
		cmocka_unit_test(a_float_has_the_fewest_digits_that_read_back),
		cmocka_unit_test(an_enum_is_its_name_or_the_number_that_has_none),
		cmocka_unit_test(a_member_of_a_oneof_is_written_though_it_is_the_default),
		cmocka_unit_test(an_empty_message_is_there),
		cmocka_unit_test(bytes_are_base64_with_its_padding),
		cmocka_unit_test(texts_are_escaped_where_they_must_be),
		cmocka_unit_test(what_is_no_text_is_not_written),
		cmocka_unit_test(maps_are_sorted_by_what_the_keys_are),
		cmocka_unit_test(of_equal_keys_the_last_one_counts),
		cmocka_unit_test(an_entry_without_its_value_has_the_default),
		cmocka_unit_test(paths_that_would_not_come_back_are_not_written),
		cmocka_unit_test(values_without_a_kind_or_a_number_are_not_written),
		cmocka_unit_test(instants_out_of_range_are_not_written),
		cmocka_unit_test(any_is_not_known_here),
		cmocka_unit_test(the_limit_of_the_buffer_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
