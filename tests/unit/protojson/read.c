#include "text.h"

static void both_names_of_a_field_are_read(void **state)
{
	(void)state;
	must_become("{\"aInt32\":1,\"a_uint32\":2,\"OddName2x\":3}", "{\"aInt32\":1,\"aUint32\":2,\"OddName2x\":3}");
	must_become("{\"__odd___Name2x_\":3}", "{\"OddName2x\":3}");
}

static void null_means_that_a_field_is_absent(void **state)
{
	(void)state;
	must_become("{\"aInt32\":null,\"aString\":null,\"aColour\":null,\"aMessage\":null,\"manyInt32\":null,"
		    "\"byString\":null,\"aTimestamp\":null,\"aStruct\":null,\"aList\":null,\"oneNumber\":null,"
		    "\"manyValue\":null,\"oneString\":\"\"}",
		    "{\"oneString\":\"\"}");
}

static void null_is_a_value_where_the_type_has_it(void **state)
{
	(void)state;
	must_become(
		"{\"aValue\":null,\"manyValue\":[null,1],\"bySint32\":{\"1\":null},\"aList\":[null],\"aStruct\":{\"a\":null}}",
		"{\"bySint32\":{\"1\":null},\"aStruct\":{\"a\":null},\"aValue\":null,\"aList\":[null],\"manyValue\":[null,1]}");
	must_become("{\"aNull\":null,\"oneValue\":null}", "{\"oneValue\":null}");
	must_refuse("{\"manyInt32\":[1,null]}", PROTOJSON_E_VALUE, "many_int32[1]", "null");
	must_refuse("{\"manyMessage\":[null]}", PROTOJSON_E_VALUE, "many_message[0]", "null");
	must_refuse("{\"byString\":{\"a\":null}}", PROTOJSON_E_VALUE, "by_string[\"a\"]", "null");
}

static void whole_numbers_are_read_from_their_text(void **state)
{
	(void)state;
	must_become("{\"aUint64\":18446744073709551615,\"aInt64\":-9223372036854775808}",
		    "{\"aInt64\":\"-9223372036854775808\",\"aUint64\":\"18446744073709551615\"}");
	must_become("{\"aUint64\":\"18446744073709551615\",\"aFixed64\":1.8446744073709551615e19}",
		    "{\"aUint64\":\"18446744073709551615\",\"aFixed64\":\"18446744073709551615\"}");
	must_become("{\"aInt32\":1e3,\"aSint32\":\"1e3\",\"aSfixed32\":1.0,\"aUint32\":\"100e-2\",\"aFixed32\":-0}",
		    "{\"aInt32\":1000,\"aSint32\":1000,\"aSfixed32\":1,\"aUint32\":1}");
	must_become("{\"manyInt32\":[2147483647,-2147483648,\"2147483647\"]}",
		    "{\"manyInt32\":[2147483647,-2147483648,2147483647]}");
}

static void whole_numbers_are_held_to_their_range(void **state)
{
	(void)state;
	must_refuse("{\"aInt32\":2147483648}", PROTOJSON_E_VALUE, "a_int32",
		    "'2147483648' is not a whole number from -2147483648 to 2147483647");
	must_refuse("{\"aInt32\":-2147483649}", PROTOJSON_E_VALUE, "a_int32", "-2147483649");
	must_refuse("{\"aUint32\":4294967296}", PROTOJSON_E_VALUE, "a_uint32", "from 0 to 4294967295");
	must_refuse("{\"aUint32\":-1}", PROTOJSON_E_VALUE, "a_uint32", "-1");
	must_refuse("{\"aUint64\":18446744073709551616}", PROTOJSON_E_VALUE, "a_uint64", "to 18446744073709551615");
	must_refuse("{\"aUint64\":\"-1\"}", PROTOJSON_E_VALUE, "a_uint64", "-1");
	must_refuse("{\"aInt64\":9223372036854775808}", PROTOJSON_E_VALUE, "a_int64", "to 9223372036854775807");
	must_refuse("{\"aInt64\":\"-9223372036854775809\"}", PROTOJSON_E_VALUE, "a_int64", "from -9223372036854775808");
	must_refuse("{\"aSint64\":1e19}", PROTOJSON_E_VALUE, "a_sint64", "1e19");
}

static void what_is_no_whole_number_is_refused(void **state)
{
	static const char *const bad[] = {"1.5",     "1e-1",    "\"\"",   "\" 1\"",  "\"1 \"",
					  "\"+1\"",  "\"0x1\"", "\"01\"", "\"1_0\"", "\"one\"",
					  "\"NaN\"", "true",    "[]",     "{}",      "\"1\\u0000\""};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		char text[64];

		snprintf(text, sizeof(text), "{\"aInt32\":%s}", bad[i]);
		must_refuse(text, PROTOJSON_E_VALUE, "a_int32", "number");
		snprintf(text, sizeof(text), "{\"manyUint64\":[0,%s]}", bad[i]);
		must_refuse(text, PROTOJSON_E_VALUE, "many_uint64[1]", "number");
	}
}

static void floating_numbers_have_words_and_a_range(void **state)
{
	(void)state;
	must_become("{\"manyDouble\":[1,-0.5,\"1e300\",\"NaN\",\"Infinity\",\"-Infinity\",5e-324,1e-999]}",
		    "{\"manyDouble\":[1,-0.5,1e+300,\"NaN\",\"Infinity\",\"-Infinity\",5e-324,0]}");
	must_become("{\"manyFloat\":[3.4028235e38,\"-Infinity\",0.1]}",
		    "{\"manyFloat\":[3.4028235e+38,\"-Infinity\",0.1]}");
	must_refuse("{\"aDouble\":1e309}", PROTOJSON_E_VALUE, "a_double", "1e309");
	must_refuse("{\"aFloat\":3.5e38}", PROTOJSON_E_VALUE, "a_float", "3.5e38");
	must_refuse("{\"aFloat\":\"-3.5e38\"}", PROTOJSON_E_VALUE, "a_float", "-3.5e38");
	must_refuse("{\"aDouble\":\"inf\"}", PROTOJSON_E_VALUE, "a_double", "Infinity");
	must_refuse("{\"aDouble\":\"nan\"}", PROTOJSON_E_VALUE, "a_double", "NaN");
	must_refuse("{\"aDouble\":\"1 \"}", PROTOJSON_E_VALUE, "a_double", "1 ");
	must_refuse("{\"aDouble\":\"\"}", PROTOJSON_E_VALUE, "a_double", "''");
	must_refuse("{\"aDouble\":false}", PROTOJSON_E_VALUE, "a_double", "true or false");
	must_refuse("{\"aDouble\":NaN}", PROTOJSON_E_MALFORMED, "", "JSON");
}

static void booleans_are_two_words(void **state)
{
	(void)state;
	must_become("{\"manyBool\":[true,false]}", "{\"manyBool\":[true,false]}");
	must_refuse("{\"aBool\":\"true\"}", PROTOJSON_E_VALUE, "a_bool", "must be true or false, and not a text");
	must_refuse("{\"aBool\":1}", PROTOJSON_E_VALUE, "a_bool", "a number");
}

static void enums_are_names_or_numbers(void **state)
{
	(void)state;
	must_become("{\"manyColour\":[\"COLOUR_DARK\",1,-7,1.0]}",
		    "{\"manyColour\":[\"COLOUR_DARK\",\"COLOUR_RED\",\"COLOUR_DARK\",\"COLOUR_RED\"]}");
	must_refuse("{\"aColour\":\"red\"}", PROTOJSON_E_VALUE, "a_colour",
		    "'red' is not a value of Colour; these are: COLOUR_DARK, COLOUR_UNSPECIFIED, COLOUR_RED");
	must_refuse("{\"aColour\":2}", PROTOJSON_E_VALUE, "a_colour", "'2' is not a value of Colour");
	must_refuse("{\"aColour\":\"1\"}", PROTOJSON_E_VALUE, "a_colour", "'1'");
	must_refuse("{\"aColour\":\"COLOUR_RED\\u0000\"}", PROTOJSON_E_VALUE, "a_colour", "COLOUR_RED");
	must_refuse("{\"aColour\":4294967297}", PROTOJSON_E_VALUE, "a_colour", "4294967297");
	must_refuse("{\"aColour\":true}", PROTOJSON_E_VALUE, "a_colour", "a name or a number");
	must_refuse("{\"byUint32\":{\"1\":\"GREEN\"}}", PROTOJSON_E_VALUE, "by_uint32[\"1\"]", "GREEN");
}

static void base64_is_read_in_both_alphabets_with_and_without_padding(void **state)
{
	(void)state;
	must_become(
		"{\"manyBytes\":[\"+/+/AA==\",\"-_-_AA==\",\"-_-_AA\",\"+/+/AA\",\"AAA=\",\"AAA\",\"\",\"AAAA\"]}",
		"{\"manyBytes\":[\"+/+/AA==\",\"+/+/AA==\",\"+/+/AA==\",\"+/+/AA==\",\"AAA=\",\"AAA=\",\"\",\"AAAA\"]}");
	/* The unused bits of the last character are not zero: the conformance suite wants it to be read. */
	must_become("{\"aBytes\":\"-_\"}", "{\"aBytes\":\"+w==\"}");
}

static void what_is_no_base64_is_refused(void **state)
{
	static const char *const bad[] = {
		"A",    "AAAAA",   "A===", "AA=",  "AAAA=",    "AAAA====",   "====",  "=",         "A=A=",
		"A A=", "AA\\n==", "+_==", "/-AA", "AA==AA==", "\\u00e9A==", "AA%3D", "AA\\u0000="};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		char text[64];

		snprintf(text, sizeof(text), "{\"aBytes\":\"%s\"}", bad[i]);
		must_refuse(text, PROTOJSON_E_VALUE, "a_bytes", "is not base64");
	}
	must_refuse("{\"aBytes\":1}", PROTOJSON_E_VALUE, "a_bytes", "a text of base64");
}

static void a_field_or_a_oneof_that_comes_twice_is_refused(void **state)
{
	(void)state;
	must_refuse("{\"aInt32\":1,\"aInt32\":1}", PROTOJSON_E_MALFORMED, "", "a member name appears twice");
	must_refuse("{\"aInt32\":1,\"a_int32\":1}", PROTOJSON_E_VALUE, "a_int32", "twice");
	must_refuse("{\"a_int32\":1,\"aInt32\":null}", PROTOJSON_E_VALUE, "a_int32", "twice");
	must_refuse("{\"byString\":{\"a\":\"1\",\"\\u0061\":\"2\"}}", PROTOJSON_E_MALFORMED, "", "twice");
	must_refuse("{\"oneNumber\":0,\"oneString\":\"a\"}", PROTOJSON_E_VALUE, "one_string", "one_number");
	must_refuse("{\"oneMessage\":{},\"oneNumber\":1}", PROTOJSON_E_VALUE, "one_number", "one_message");
}

static void what_is_not_known_is_refused_with_what_is(void **state)
{
	struct protojson_problem problem;
	ProtobufCMessage *message;

	(void)state;
	must_refuse("{\"aMessage\":{\"manyMessage\":[{},{\"durationn\":1}]}}", PROTOJSON_E_VALUE,
		    "a_message.many_message[1][\"durationn\"]",
		    "Every has no field 'durationn'; it has: aInt32, aSint32, ");
	must_refuse("{\"\":1}", PROTOJSON_E_VALUE, "[\"\"]", "no field ''");
	must_refuse("{\"aInt32\\u0000\":1}", PROTOJSON_E_VALUE, "[\"aInt32\\x00\"]", "no field");
	assert_int_equal(read_with(&every__carrier__descriptor, bytes_of_text("{\"anyy\":1}"), 0, NULL, &message,
				   &problem),
			 PROTOJSON_E_VALUE);
	assert_string_equal(problem.text, "Carrier has no field 'anyy'; it has: any");
}

static void what_is_not_known_can_be_ignored(void **state)
{
	static const char text[] =
		"{\"x\":[{}],\"aInt32\":1,\"aColour\":\"NEW\",\"manyColour\":[1,\"NEW\",77,-7],\"oneColour\":\"NEW\",\"oneNumber\":5,"
		"\"byUint32\":{\"1\":\"NEW\",\"2\":\"COLOUR_RED\",\"0\":\"NEW\"}}";
	struct protojson_problem problem;
	ProtobufCMessage *message;

	(void)state;
	assert_int_equal(read_with(EVERY, bytes_of_text(text), PROTOJSON_MAY_IGNORE_UNKNOWN, NULL, &message, &problem),
			 0);
	must_write(message, 0,
		   "{\"aInt32\":1,\"manyColour\":[\"COLOUR_RED\",\"COLOUR_DARK\"],\"byUint32\":{\"2\":\"COLOUR_RED\"},"
		   "\"oneNumber\":5}");
	protobuf_c_message_free_unpacked(message, NULL);
}

static void entries_of_maps_are_sorted(void **state)
{
	Every__Every *message = must_read(
		"{\"byString\":{\"b\":\"2\",\"a\":\"1\"},\"byInt32\":{\"10\":\"\",\"9\":\"\"}}");

	(void)state;
	assert_string_equal(message->by_string[0]->key, "a");
	assert_string_equal(message->by_string[1]->key, "b");
	assert_int_equal(message->by_int32[0]->key, 9);
	every__every__free_unpacked(message, NULL);
}

static void keys_of_maps_have_one_spelling(void **state)
{
	(void)state;
	must_refuse("{\"byInt32\":{\"01\":\"\"}}", PROTOJSON_E_VALUE, "by_int32[\"01\"]", "key");
	must_refuse("{\"byInt32\":{\"1.0\":\"\"}}", PROTOJSON_E_VALUE, "by_int32[\"1.0\"]", "key");
	must_refuse("{\"byInt32\":{\"-0\":\"\"}}", PROTOJSON_E_VALUE, "by_int32[\"-0\"]", "key");
	must_refuse("{\"byInt32\":{\"-\":\"\"}}", PROTOJSON_E_VALUE, "by_int32[\"-\"]", "key");
	must_refuse("{\"byInt32\":{\"\":\"\"}}", PROTOJSON_E_VALUE, "by_int32[\"\"]", "key");
	must_refuse("{\"byInt32\":{\"2147483648\":\"\"}}", PROTOJSON_E_VALUE, "by_int32[\"2147483648\"]", "2147483647");
	must_refuse("{\"byBool\":{\"True\":{}}}", PROTOJSON_E_VALUE, "by_bool[\"True\"]", "true or false");
	must_refuse("{\"byString\":{\"a\\u0000\":\"\"}}", PROTOJSON_E_VALUE, "by_string[\"a\\x00\"]", "NUL");
	must_become("{\"byInt32\":{\"0\":\"x\"}}", "{\"byInt32\":{\"0\":\"x\"}}");
}

static void the_kind_of_a_value_must_be_right(void **state)
{
	(void)state;
	must_refuse("[]", PROTOJSON_E_VALUE, "", "must be an object, and not a list");
	must_refuse("null", PROTOJSON_E_VALUE, "", "null");
	must_refuse("{\"aMessage\":[]}", PROTOJSON_E_VALUE, "a_message", "must be an object");
	must_refuse("{\"aMessage\":{\"aMessage\":1}}", PROTOJSON_E_VALUE, "a_message.a_message", "a number");
	must_refuse("{\"manyInt32\":1}", PROTOJSON_E_VALUE, "many_int32", "must be a list");
	must_refuse("{\"manyInt32\":{}}", PROTOJSON_E_VALUE, "many_int32", "must be a list");
	must_refuse("{\"byString\":[]}", PROTOJSON_E_VALUE, "by_string", "must be an object");
	must_refuse("{\"aString\":1}", PROTOJSON_E_VALUE, "a_string", "must be a text, and not a number");
	must_refuse("{\"aStruct\":[]}", PROTOJSON_E_VALUE, "a_struct", "must be an object");
	must_refuse("{\"aList\":{}}", PROTOJSON_E_VALUE, "a_list", "must be a list");
	must_refuse("{\"aTimestamp\":0}", PROTOJSON_E_VALUE, "a_timestamp", "a text like");
	must_refuse("{\"aDuration\":{\"seconds\":1}}", PROTOJSON_E_VALUE, "a_duration", "a text like");
	must_refuse("{\"aMask\":[\"a\"]}", PROTOJSON_E_VALUE, "a_mask", "commas");
}

static void the_well_known_types_have_their_own_json(void **state)
{
	(void)state;
	must_become(
		"{\"aTimestamp\":\"2026-11-30T22:00:00.5+01:00\",\"aDuration\":\"-1.5s\",\"aMask\":\"job.displayName,x\"}",
		"{\"aTimestamp\":\"2026-11-30T21:00:00.500Z\",\"aDuration\":\"-1.500s\",\"aMask\":\"job.displayName,x\"}");
	must_become("{\"aMask\":\"\",\"aStruct\":{},\"aList\":[],\"aMessage\":{}}",
		    "{\"aMessage\":{},\"aMask\":\"\",\"aStruct\":{},\"aList\":[]}");
	must_become("{\"aValue\":{\"a\":[1,\"b\",true,{\"c\":-0.5}]}}",
		    "{\"aValue\":{\"a\":[1,\"b\",true,{\"c\":-0.5}]}}");
	must_refuse("{\"manyDuration\":[\"1s\",\"1\"]}", PROTOJSON_E_VALUE, "many_duration[1]",
		    "'1' is not a duration");
	must_refuse("{\"byFixed64\":{\"1\":\"10000-01-01T00:00:00Z\"}}", PROTOJSON_E_VALUE, "by_fixed64[\"1\"]",
		    "10000-01-01");
	must_refuse("{\"aDuration\":\"315576000001s\"}", PROTOJSON_E_VALUE, "a_duration", "315576000000");
}

static void paths_are_read_in_camel_case_only(void **state)
{
	static const char *const bad[] = {"display_name", "a,",  ",a",  ",", "a,,b", ".",
					  "a.",           "Job", "a b", "*", "a.B",  "\\u0000"};
	Every__Every *message = must_read("{\"aMask\":\"job.displayName,aB1C\"}");

	(void)state;
	assert_int_equal(message->a_mask->n_paths, 2);
	assert_string_equal(message->a_mask->paths[0], "job.display_name");
	assert_string_equal(message->a_mask->paths[1], "a_b1_c");
	every__every__free_unpacked(message, NULL);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		char text[64];

		snprintf(text, sizeof(text), "{\"aMask\":\"%s\"}", bad[i]);
		must_refuse(text, PROTOJSON_E_VALUE, "a_mask", "is not a path");
	}
}

static void a_value_does_not_round_what_somebody_wrote(void **state)
{
	(void)state;
	must_refuse("{\"aStruct\":{\"seed\":17454220438242315174}}", PROTOJSON_E_VALUE, "a_struct[\"seed\"]",
		    "write \"17454220438242315174\", a text");
	must_refuse("{\"aValue\":[9007199254740993]}", PROTOJSON_E_VALUE, "a_value[0]", "rounded");
	must_refuse("{\"aValue\":-9007199254740993}", PROTOJSON_E_VALUE, "a_value", "rounded");
	must_refuse("{\"aValue\":1e400}", PROTOJSON_E_VALUE, "a_value", "1e400");
	/* What writers make of doubles: an exact one, and the shortest one of JavaScript. */
	must_become("{\"aValue\":[9007199254740992,9223372036854775808,9223372036854776000,-9223372036854776000,"
		    "100000000000000000000000,99999999999999991611392,0.1000000000000000055511151231257827]}",
		    "{\"aValue\":[9007199254740992,9.223372036854776e+18,9.223372036854776e+18,-9.223372036854776e+18,"
		    "1e+23,1e+23,0.1]}");
}

static void texts_are_utf8_without_nul(void **state)
{
	(void)state;
	must_become("{\"aString\":\"\\u00e9\\ud83c\\udfac\xc3\xa9\\\\ud800\"}",
		    "{\"aString\":\"\xc3\xa9\xf0\x9f\x8e\xac\xc3\xa9\\\\ud800\"}");
	must_refuse("{\"aString\":\"a\\u0000b\"}", PROTOJSON_E_VALUE, "a_string", "NUL");
	must_refuse("{\"aValue\":\"\\u0000\"}", PROTOJSON_E_VALUE, "a_value", "NUL");
	must_refuse("{\"aStruct\":{\"\\u0000\":1}}", PROTOJSON_E_VALUE, "a_struct[\"\\x00\"]", "NUL");
	must_refuse("{\"aString\":\"caf\xe9\"}", PROTOJSON_E_MALFORMED, "", "UTF-8");
	must_refuse("{\"aString\":\"\xed\xa0\x80\"}", PROTOJSON_E_MALFORMED, "", "UTF-8");
	must_refuse("{\"aString\":\"\\ud83c\"}", PROTOJSON_E_MALFORMED, "", "surrogate");
	must_refuse("{\"aString\":\"\\udfac\\ud83c\"}", PROTOJSON_E_MALFORMED, "", "surrogate");
	must_refuse("{\"aString\":\"\\ud83c\\u0041\"}", PROTOJSON_E_MALFORMED, "", "surrogate");
	must_refuse("{\"\\uD83C\":1}", PROTOJSON_E_MALFORMED, "", "surrogate");
}

static void what_is_no_json_is_refused(void **state)
{
	static const char *const bad[] = {
		"",
		" ",
		"{",
		"{}}",
		"{} {}",
		"{,}",
		"{\"aInt32\":1,}",
		"{aInt32:1}",
		"{'aInt32':1}",
		"{\"aInt32\" 1}",
		"{\"aInt32\":01}",
		"{\"aInt32\":+1}",
		"{\"aInt32\":.5}",
		"{\"aInt32\":1.}",
		"{\"aInt32\":0x1}",
		"{\"aInt32\":-}",
		"{\"manyInt32\":[1,]}",
		"{\"aBool\":True}",
		"{} // no",
		"{/* no */}",
		"\xef\xbb\xbf{}",
		"{\"aString\":\"\t\"}",
		"{\"aString\":\"\\x41\"}",
		"{\"aString\":\"\\u12\"}",
		"{\"aString\":\"\\",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		must_refuse(bad[i], PROTOJSON_E_MALFORMED, "", "");
	must_refuse_bytes(bytes_of("{}\0", 3), PROTOJSON_E_MALFORMED, "", "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_names_of_a_field_are_read),
		cmocka_unit_test(null_means_that_a_field_is_absent),
		cmocka_unit_test(null_is_a_value_where_the_type_has_it),
		cmocka_unit_test(whole_numbers_are_read_from_their_text),
		cmocka_unit_test(whole_numbers_are_held_to_their_range),
		cmocka_unit_test(what_is_no_whole_number_is_refused),
		cmocka_unit_test(floating_numbers_have_words_and_a_range),
		cmocka_unit_test(booleans_are_two_words),
		cmocka_unit_test(enums_are_names_or_numbers),
		cmocka_unit_test(base64_is_read_in_both_alphabets_with_and_without_padding),
		cmocka_unit_test(what_is_no_base64_is_refused),
		cmocka_unit_test(a_field_or_a_oneof_that_comes_twice_is_refused),
		cmocka_unit_test(what_is_not_known_is_refused_with_what_is),
		cmocka_unit_test(what_is_not_known_can_be_ignored),
		cmocka_unit_test(entries_of_maps_are_sorted),
		cmocka_unit_test(keys_of_maps_have_one_spelling),
		cmocka_unit_test(the_kind_of_a_value_must_be_right),
		cmocka_unit_test(the_well_known_types_have_their_own_json),
		cmocka_unit_test(paths_are_read_in_camel_case_only),
		cmocka_unit_test(a_value_does_not_round_what_somebody_wrote),
		cmocka_unit_test(texts_are_utf8_without_nul),
		cmocka_unit_test(what_is_no_json_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
