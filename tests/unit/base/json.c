#include "base/json.h"
#include "base/err.h"
#include "base/limits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define SEED "17454220438242315174"

static struct json *new_json(void)
{
	struct json *json = json_new(NULL);

	assert_non_null(json);
	return json;
}

static json_node parsed(struct json *json, const char *text)
{
	json_node node = JSON_ABSENT;

	assert_int_equal(json_parse(json, bytes_of_text(text), JSON_DUPLICATES_REFUSE, &node, NULL), 0);
	assert_int_not_equal(node, JSON_ABSENT);
	return node;
}

static void assert_outcome(const char *text, size_t len, int outcome)
{
	_cleanup_(json_freep) struct json *json = new_json();
	struct errmsg error = {0};
	json_node node = 77;

	assert_int_equal(json_parse(json, bytes_of(text, len), JSON_DUPLICATES_REFUSE, &node, &error), outcome);
	assert_int_equal(node, 77);
	assert_true(error.text[0] != '\0');
	assert_int_equal(json_fault(json), 0);
}

static void assert_written(const struct json *json, json_node node, enum json_form form, const char *expected)
{
	struct buffer out = {0};

	assert_int_equal(json_write(json, node, form, &out), 0);
	assert_string_equal(out.data, expected);
	buffer_finish(&out);
}

static void numbers_keep_the_text_they_were_written_with(void **state)
{
	_cleanup_(json_freep) struct json *json = new_json();
	json_node root = parsed(json, "{\"seed\":" SEED ",\"price\":0.10,\"e\":1e2}");

	(void)state;
	assert_int_equal(json_kind(json, json_at(json, root, "/seed")), JSON_KIND_NUMBER);
	assert_string_equal(json_text(json, json_at(json, root, "/seed")).data, SEED);
	assert_int_equal(json_integer(json, json_at(json, root, "/seed"), -5), -5);
	assert_int_equal(json_decimal(json, json_at(json, root, "/price"), 6, -1), 100000);
	assert_int_equal(json_integer(json, json_at(json, root, "/e"), -1), 100);
	assert_written(json, root, JSON_FORM_PLAIN, "{\"seed\":" SEED ",\"price\":0.10,\"e\":1e2}");
}

static void a_seed_survives_the_way_into_another_arena(void **state)
{
	_cleanup_(json_freep) struct json *from = new_json();
	_cleanup_(json_freep) struct json *to = new_json();
	json_node root = parsed(from, "{\"a\":[" SEED "]}"), out = json_object(to);

	(void)state;
	assert_int_equal(json_put(to, out, "/input/seed", json_copy(to, from, json_at(from, root, "/a/0"))), 0);
	assert_written(to, out, JSON_FORM_PLAIN, "{\"input\":{\"seed\":" SEED "}}");
}

static void pointers_lead_through_objects_arrays_and_escapes(void **state)
{
	_cleanup_(json_freep) struct json *json = new_json();
	json_node root = parsed(json, "{\"a/b\":{\"m~n\":[10,[20,30]]},\"\":1,\"0\":2}");

	(void)state;
	assert_int_equal(json_integer(json, json_at(json, root, "/a~1b/m~0n/1/1"), 0), 30);
	assert_int_equal(json_integer(json, json_at(json, root, "/"), 0), 1);
	assert_int_equal(json_integer(json, json_at(json, root, "/0"), 0), 2);
	assert_int_equal(json_at(json, root, ""), root);
	assert_int_equal(json_at(json, root, "/a~1b/m~0n/01"), JSON_ABSENT);
	assert_int_equal(json_at(json, root, "/a~1b/m~0n/-"), JSON_ABSENT);
	assert_int_equal(json_at(json, root, "/a~1b/m~0n/99999999999999999999"), JSON_ABSENT);
	assert_int_equal(json_at(json, root, "a"), JSON_ABSENT);
	assert_int_equal(json_at(json, root, "/a~2b"), JSON_ABSENT);
	assert_int_equal(json_at(json, root, "/0/x"), JSON_ABSENT);
}

static void what_is_absent_answers_every_question(void **state)
{
	_cleanup_(json_freep) struct json *json = new_json();
	static const json_node odd[] = {JSON_ABSENT, 12345, UINT32_MAX};

	(void)state;
	for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
		assert_int_equal(json_kind(json, odd[i]), JSON_KIND_ABSENT);
		assert_int_equal(json_count(json, odd[i]), 0);
		assert_int_equal(json_first(json, odd[i]), JSON_ABSENT);
		assert_int_equal(json_next(json, odd[i]), JSON_ABSENT);
		assert_int_equal(json_item(json, odd[i], 0), JSON_ABSENT);
		assert_int_equal(json_at(json, odd[i], "/a"), JSON_ABSENT);
		assert_int_equal(json_text(json, odd[i]).len, 0);
		assert_int_equal(json_key(json, odd[i]).len, 0);
		assert_int_equal(json_integer(json, odd[i], 42), 42);
		assert_true(json_boolean(json, odd[i], true));
		assert_int_equal(json_copy(json, json, odd[i]), JSON_ABSENT);
	}
	assert_int_equal(json_put(json, JSON_ABSENT, "/a", json_null(json)), 0);
	assert_int_equal(json_fault(json), 0);
}

static void a_text_may_contain_nul_and_knows_its_length(void **state)
{
	_cleanup_(json_freep) struct json *json = new_json();
	json_node root = parsed(json, "{\"a\\u0000b\":\"x\\u0000y\"}");
	struct bytes text = json_text(json, json_first(json, root));

	(void)state;
	assert_true(bytes_equal(text, bytes_of("x\0y", 3)));
	assert_true(bytes_equal(json_key(json, json_first(json, root)), bytes_of("a\0b", 3)));
	assert_false(json_text_is(json, json_first(json, root), "x"));
	assert_written(json, root, JSON_FORM_PLAIN, "{\"a\\u0000b\":\"x\\u0000y\"}");
}

static void what_is_not_json_is_refused_with_words(void **state)
{
	static const char *const odd[] = {"",      " ",     "{",      "[1,]",      "{\"a\":}",
					  "{a:1}", "nul",   "[1] 2",  "01",        "1.",
					  "+1",    "NaN",   "\"\n\"", "\"\\x\"",   "<html></html>",
					  "[1}",   "// x",  "\"a",    "{\"a\" 1}", "{1:2}",
					  "{}\"",  "1 \"a", "[]\"\\", "\"a\"\"",   "{} \"\\u00"};

	(void)state;
	for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++)
		assert_outcome(odd[i], strlen(odd[i]), JSON_E_SYNTAX);
}

static void bytes_that_are_not_utf8_are_refused(void **state)
{
	static const char *const odd[] = {"\"\xff\"", "\"\xc0\x80\"", "\"\xed\xa0\x80\"", "\"\xf4\x90\x80\x80\"",
					  "\"\xe2\x82"};
	_cleanup_(json_freep) struct json *json = new_json();

	(void)state;
	for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++)
		assert_outcome(odd[i], strlen(odd[i]), JSON_E_TEXT);
	assert_outcome("\"a\0\"", 4, JSON_E_TEXT);
	assert_int_equal(json_make_text(json, bytes_of_text("\xff")), JSON_ABSENT);
	assert_int_equal(json_fault(json), JSON_E_TEXT);
}

static void half_a_surrogate_pair_becomes_a_question_mark(void **state)
{
	_cleanup_(json_freep) struct json *json = new_json();

	(void)state;
	assert_true(json_text_is(json, parsed(json, "\"\\ud83d\\ude00\""), "\xf0\x9f\x98\x80"));
	assert_true(json_text_is(json, parsed(json, "\"a\\ud83d\""), "a?"));
}

static void a_name_that_appears_twice_is_refused_or_the_last_one_wins(void **state)
{
	static const char text[] = "{\"a\":1,\"b\":{\"x\":1,\"x\":2,\"y\":0,\"x\":3},\"a\":2,\"c\":4}";
	_cleanup_(json_freep) struct json *json = new_json();
	json_node root;

	(void)state;
	assert_outcome(text, strlen(text), JSON_E_DUPLICATE);
	assert_int_equal(json_parse(json, bytes_of_text(text), JSON_DUPLICATES_LAST_WINS, &root, NULL), 0);
	assert_int_equal(json_count(json, root), 3);
	assert_written(json, root, JSON_FORM_PLAIN, "{\"b\":{\"y\":0,\"x\":3},\"a\":2,\"c\":4}");
	json_put(json, root, "/d", json_make_integer(json, 5));
	assert_int_equal(json_integer(json, json_at(json, root, "/d"), 0), 5);
}

static void nesting_ends_at_the_limit(void **state)
{
	char text[2 * LIMIT_JSON_DEPTH + 3];
	_cleanup_(json_freep) struct json *json = new_json();
	json_node root, copy;
	struct buffer out = {0};

	(void)state;
	memset(text, '[', LIMIT_JSON_DEPTH);
	memset(text + LIMIT_JSON_DEPTH, ']', LIMIT_JSON_DEPTH);
	text[2 * LIMIT_JSON_DEPTH] = '\0';
	root = parsed(json, text);
	copy = json_copy(json, json, root);
	assert_true(json_equal(json, root, json, copy));
	assert_written(json, copy, JSON_FORM_CANONICAL, text);

	memset(text, '[', LIMIT_JSON_DEPTH + 1);
	memset(text + LIMIT_JSON_DEPTH + 1, ']', LIMIT_JSON_DEPTH + 1);
	assert_outcome(text, 2 * LIMIT_JSON_DEPTH + 2, JSON_E_DEPTH);
	buffer_finish(&out);
}

static void a_megabyte_of_brackets_costs_no_stack(void **state)
{
	size_t len = 1000000;
	_cleanup_(freep) char *text = malloc(len);

	(void)state;
	assert_non_null(text);
	memset(text, '[', len);
	assert_outcome(text, len, JSON_E_DEPTH);
}

static void a_tree_that_was_built_too_deep_is_not_copied_or_written(void **state)
{
	_cleanup_(json_freep) struct json *json = new_json();
	json_node root = json_object(json), inner = root;
	struct buffer out = {0};

	(void)state;
	for (int i = 0; i < 10000; i++) {
		json_node next = json_object(json);

		assert_int_equal(json_set(json, inner, bytes_of_text("a"), next), 0);
		inner = next;
	}
	assert_int_equal(json_write(json, root, JSON_FORM_PLAIN, &out), JSON_E_DEPTH);
	assert_int_equal(json_copy(json, json, root), JSON_ABSENT);
	assert_int_equal(json_fault(json), JSON_E_DEPTH);
	buffer_finish(&out);
}

static void values_and_bytes_end_at_their_limits(void **state)
{
	static const struct json_limits few_values = {.nodes = 4}, few_bytes = {.bytes = 5};
	_cleanup_(json_freep) struct json *small = json_new(&few_values);
	_cleanup_(json_freep) struct json *narrow = json_new(&few_bytes);
	json_node node;

	(void)state;
	assert_int_equal(json_parse(small, bytes_of_text("[1,2,3]"), JSON_DUPLICATES_REFUSE, &node, NULL), 0);
	assert_int_equal(json_parse(small, bytes_of_text("1"), JSON_DUPLICATES_REFUSE, &node, NULL), JSON_E_NODES);
	assert_int_equal(json_fault(small), 0);
	assert_int_equal(json_null(small), JSON_ABSENT);
	assert_int_equal(json_fault(small), JSON_E_NODES);

	assert_int_equal(json_parse(narrow, bytes_of_text("\"12345\""), JSON_DUPLICATES_REFUSE, &node, NULL), 0);
	assert_int_equal(json_parse(narrow, bytes_of_text("\"x\""), JSON_DUPLICATES_REFUSE, &node, NULL), JSON_E_SIZE);
	assert_int_equal(json_make_text(narrow, bytes_of_text("x")), JSON_ABSENT);
	assert_int_equal(json_fault(narrow), JSON_E_SIZE);
}

static void putting_makes_objects_replaces_and_appends(void **state)
{
	_cleanup_(json_freep) struct json *json = new_json();
	json_node out = json_object(json);

	(void)state;
	assert_int_equal(json_put(json, out, "/a/b/c", json_make_integer(json, 1)), 0);
	assert_int_equal(json_put(json, out, "/a/b/c", json_make_boolean(json, true)), 0);
	assert_int_equal(json_put(json, out, "/list", json_array(json)), 0);
	assert_int_equal(json_put(json, out, "/list/-", json_make_text(json, bytes_of_text("x"))), 0);
	assert_int_equal(json_put(json, out, "/list/-/y", json_null(json)), 0);
	assert_int_equal(json_put(json, out, "/list/0", json_make_text(json, bytes_of_text("z"))), 0);
	assert_int_equal(json_put(json, out, "/gone", JSON_ABSENT), 0);
	assert_written(json, out, JSON_FORM_PLAIN, "{\"a\":{\"b\":{\"c\":true}},\"list\":[\"z\",{\"y\":null}]}");

	assert_int_equal(json_put(json, out, "/list/7", json_null(json)), JSON_E_POINTER);
	assert_int_equal(json_put(json, out, "/a/b/c/d", json_null(json)), JSON_E_POINTER);
	assert_int_equal(json_put(json, out, "", json_null(json)), JSON_E_POINTER);
	assert_int_equal(json_put(json, out, "a", json_null(json)), JSON_E_POINTER);
	assert_int_equal(json_put(json, out, "/~", json_null(json)), JSON_E_POINTER);
	assert_int_equal(json_append(json, out, json_null(json)), JSON_E_POINTER);
}

static void the_canonical_form_sorts_names_and_nothing_else(void **state)
{
	_cleanup_(json_freep) struct json *json = new_json();
	json_node a = parsed(json, "{\"b\":[3,1],\"a\":{\"z\":1,\"y\":2,\"yy\":3}}");
	json_node b = parsed(json, " { \"a\" : {\"yy\":3,\"y\":2,\"z\":1}, \"b\" : [3,1] } ");

	(void)state;
	assert_written(json, a, JSON_FORM_CANONICAL, "{\"a\":{\"y\":2,\"yy\":3,\"z\":1},\"b\":[3,1]}");
	assert_written(json, b, JSON_FORM_CANONICAL, "{\"a\":{\"y\":2,\"yy\":3,\"z\":1},\"b\":[3,1]}");
	assert_true(json_equal(json, a, json, b));
	assert_false(json_equal(json, a, json, parsed(json, "{\"b\":[1,3],\"a\":{\"z\":1,\"y\":2,\"yy\":3}}")));
	assert_false(json_equal(json, a, json, parsed(json, "{\"b\":[3,1],\"a\":{\"z\":1,\"y\":2,\"yx\":3}}")));
}

static void writing_stops_at_the_buffers_limit(void **state)
{
	_cleanup_(json_freep) struct json *json = new_json();
	struct buffer out = {.limit = 6}, exact = {.limit = 7};

	(void)state;
	assert_int_equal(json_write(json, parsed(json, "[1,2,3]"), JSON_FORM_PLAIN, &out), -EMSGSIZE);
	assert_int_equal(json_write(json, parsed(json, "[1,2,3]"), JSON_FORM_PLAIN, &exact), 0);
	buffer_finish(&out);
	buffer_finish(&exact);
}

static void texts_stay_where_they_are_while_the_arena_grows(void **state)
{
	_cleanup_(json_freep) struct json *json = new_json();
	struct bytes first = json_text(json, parsed(json, "\"stay\""));
	static char long_text[50000];

	(void)state;
	memset(long_text, 'x', sizeof(long_text));
	for (int i = 0; i < 100; i++) {
		json_make_text(json, bytes_of(long_text, sizeof(long_text)));
		json_make_text(json, bytes_of_text("short"));
	}
	assert_int_equal(json_fault(json), 0);
	assert_string_equal(first.data, "stay");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_keep_the_text_they_were_written_with),
		cmocka_unit_test(a_seed_survives_the_way_into_another_arena),
		cmocka_unit_test(pointers_lead_through_objects_arrays_and_escapes),
		cmocka_unit_test(what_is_absent_answers_every_question),
		cmocka_unit_test(a_text_may_contain_nul_and_knows_its_length),
		cmocka_unit_test(what_is_not_json_is_refused_with_words),
		cmocka_unit_test(bytes_that_are_not_utf8_are_refused),
		cmocka_unit_test(half_a_surrogate_pair_becomes_a_question_mark),
		cmocka_unit_test(a_name_that_appears_twice_is_refused_or_the_last_one_wins),
		cmocka_unit_test(nesting_ends_at_the_limit),
		cmocka_unit_test(a_megabyte_of_brackets_costs_no_stack),
		cmocka_unit_test(a_tree_that_was_built_too_deep_is_not_copied_or_written),
		cmocka_unit_test(values_and_bytes_end_at_their_limits),
		cmocka_unit_test(putting_makes_objects_replaces_and_appends),
		cmocka_unit_test(the_canonical_form_sorts_names_and_nothing_else),
		cmocka_unit_test(writing_stops_at_the_buffers_limit),
		cmocka_unit_test(texts_stay_where_they_are_while_the_arena_grows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
