/*
 * At the limits, which are those of messages on the wire; and when memory is refused anywhere.
 */
#include "text.h"

#include "base/limits.h"

static void repeat(struct buffer *out, const char *text, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		assert_int_equal(buffer_append_text(out, text), 0);
}

/* @levels of @open around @core. */
static void nest(struct buffer *out, const char *open, const char *core, const char *close, unsigned levels)
{
	repeat(out, open, levels);
	assert_int_equal(buffer_append_text(out, core), 0);
	repeat(out, close, levels);
}

static void nest_to(const char *open, const char *core, const char *close, unsigned levels, const char *before,
		    const char *behind)
{
	for (unsigned more = 0; more < 2; more++) {
		_cleanup_(buffer_finish) struct buffer text = {0};
		struct protojson_problem problem;
		ProtobufCMessage *message = NULL;
		int r;

		assert_int_equal(buffer_append_text(&text, before), 0);
		nest(&text, open, core, close, levels + more);
		assert_int_equal(buffer_append_text(&text, behind), 0);
		r = read_with(EVERY, buffer_bytes(&text), 0, NULL, &message, &problem);
		assert_int_equal(r, more ? PROTOJSON_E_MALFORMED : 0);
		if (more)
			assert_string_equal(problem.text, "the message is nested deeper than 100 levels");
		if (r == 0)
			every__every__free_unpacked((Every__Every *)message, NULL);
	}
}

static void messages_are_nested_as_deeply_as_on_the_wire(void **state)
{
	(void)state;
	nest_to("{\"aMessage\":", "{}", "}", LIMIT_RPC_DEPTH - 1, "", "");
	nest_to("{\"manyMessage\":[", "{}", "]}", LIMIT_RPC_DEPTH - 1, "", "");
	/* An entry of a map is a message, too. */
	nest_to("{\"byBool\":{\"true\":", "{\"aMessage\":{}}", "}}", (LIMIT_RPC_DEPTH - 2) / 2, "", "");
	/* The whole, its Value, and two for each list; then the whole and three for each object. */
	nest_to("[", "0", "]", (LIMIT_RPC_DEPTH - 2) / 2, "{\"aValue\":", "}");
	nest_to("{\"a\":", "[]", "}", (LIMIT_RPC_DEPTH - 3) / 3, "{\"aValue\":", "}");
}

static void what_is_very_deep_is_refused_as_well(void **state)
{
	_cleanup_(buffer_finish) struct buffer text = {0};

	(void)state;
	repeat(&text, "[", 1000000);
	must_refuse_bytes(buffer_bytes(&text), PROTOJSON_E_MALFORMED, "", "nested too deeply");
}

static void a_message_has_so_many_values_and_no_more(void **state)
{
	(void)state;
	for (unsigned more = 0; more < 2; more++) {
		_cleanup_(buffer_finish) struct buffer text = {0};

		/* The object, the list and its numbers. */
		assert_int_equal(buffer_append_text(&text, "{\"manyInt32\":[0"), 0);
		repeat(&text, ",0", LIMIT_RPC_FIELDS - 3 + more);
		assert_int_equal(buffer_append_text(&text, "]}"), 0);
		if (more)
			must_refuse(text.data, PROTOJSON_E_MALFORMED, "", "too many values");
		else
			every__every__free_unpacked(must_read(text.data), NULL);
	}
}

static void a_text_has_so_many_bytes_and_no_more(void **state)
{
	_cleanup_(buffer_finish) struct buffer text = {0};

	(void)state;
	repeat(&text, " ", LIMIT_RPC_MESSAGE - 2);
	assert_int_equal(buffer_append_text(&text, "{}"), 0);
	every__every__free_unpacked(must_read(text.data), NULL);
	assert_int_equal(buffer_append_text(&text, " "), 0);
	must_refuse(text.data, PROTOJSON_E_MALFORMED, "", "more than 4194304 bytes");
}

static const char whole[] =
	"{\"aString\":\"a\",\"aBytes\":\"AAAA\",\"aMessage\":{\"aString\":\"b\"},\"manyString\":[\"a\",\"b\"],\"manyBytes\":[\"AA\"],"
	"\"manyMessage\":[{\"aString\":\"c\"},{}],\"byString\":{\"a\":\"b\",\"c\":\"d\"},\"byBool\":{\"true\":{\"aString\":\"d\"}},"
	"\"byInt64\":{\"1\":\"AA\"},\"oneString\":\"e\",\"aTimestamp\":\"2026-11-30T21:00:00Z\",\"aDuration\":\"1s\","
	"\"aMask\":\"a,bC\",\"aStruct\":{\"a\":{\"b\":[\"c\",null]}},\"aValue\":\"f\",\"aList\":[[\"g\"],{}]}";

static void every_allocation_may_be_refused(void **state)
{
	struct protojson_problem problem;
	ProtobufCMessage *message;
	int r = -1;
	size_t n = 0;

	(void)state;
	for (; r; n++) {
		size_t left = n;

		r = read_with(EVERY, bytes_of_text(whole), 0, &left, &message, &problem);
		assert_int_equal(r, r ? PROTOJSON_E_MALFORMED : 0);
		if (r)
			assert_string_equal(problem.text, "the message needs too much memory");
	}
	assert_true(n > 40);
	must_write(
		message, 0,
		"{\"aString\":\"a\",\"aBytes\":\"AAAA\",\"aMessage\":{\"aString\":\"b\"},\"manyString\":[\"a\",\"b\"],"
		"\"manyBytes\":[\"AA==\"],\"manyMessage\":[{\"aString\":\"c\"},{}],\"byString\":{\"a\":\"b\",\"c\":"
		"\"d\"},\"byInt64\":{\"1\":\"AA==\"},\"byBool\":{\"true\":{\"aString\":\"d\"}},\"oneString\":\"e\","
		"\"aTimestamp\":\"2026-11-30T21:00:00Z\",\"aDuration\":\"1s\",\"aMask\":\"a,bC\",\"aStruct\":{\"a\":"
		"{\"b\":[\"c\",null]}},\"aValue\":\"f\",\"aList\":[[\"g\"],{}]}");
	protobuf_c_message_free_unpacked(message, NULL);
}

/* A text that was cut anywhere is refused and leaves nothing behind: the sanitizer looks. */
static void every_cut_is_refused(void **state)
{
	(void)state;
	for (size_t n = 0; n < sizeof(whole) - 1; n++)
		must_refuse_bytes(bytes_of(whole, n), PROTOJSON_E_MALFORMED, "", "");
}

static void a_problem_is_cut_at_a_character(void **state)
{
	(void)state;
	for (unsigned levels = 14; levels < 22; levels++)
		for (unsigned shift = 0; shift < 4; shift++) {
			_cleanup_(buffer_finish) struct buffer text = {0};
			struct protojson_problem problem;
			ProtobufCMessage *message;

			repeat(&text, "{\"aMessage\":", levels);
			repeat(&text, "{\"aStruct\":{\"", 1);
			repeat(&text, "x", shift);
			repeat(&text, "\xf0\x9f\x8e\xac", 12);
			repeat(&text, "\":1e999}}", 1);
			repeat(&text, "}", levels);
			assert_int_equal(read_with(EVERY, buffer_bytes(&text), 0, NULL, &message, &problem),
					 PROTOJSON_E_VALUE);
			assert_true(bytes_are_text(bytes_of_text(problem.field)));
			assert_in_range(strlen(problem.field), 150, sizeof(problem.field) - 1);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(messages_are_nested_as_deeply_as_on_the_wire),
		cmocka_unit_test(what_is_very_deep_is_refused_as_well),
		cmocka_unit_test(a_message_has_so_many_values_and_no_more),
		cmocka_unit_test(a_text_has_so_many_bytes_and_no_more),
		cmocka_unit_test(every_allocation_may_be_refused),
		cmocka_unit_test(every_cut_is_refused),
		cmocka_unit_test(a_problem_is_cut_at_a_character),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
