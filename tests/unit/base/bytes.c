#include "base/bytes.h"

#include "allocator.h"
#include "base/err.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static bool is_text(const char *bytes, size_t len)
{
	return bytes_are_text(bytes_of(bytes, len));
}

/* Unicode 15, table 3-7: the first and the last of every row, and their neighbours outside. */
static void only_well_formed_utf8_is_text(void **state)
{
	static const struct {
		const char *bytes;
		bool is_text;
	} rows[] = {
		{"", true},
		{"plain", true},
		{"\x01", true},
		{"\x7f", true},
		{"\x80", false},
		{"\xbf", false},
		{"\xc0\x80", false},
		{"\xc1\xbf", false},
		{"\xc2\x80", true},
		{"\xc2\x7f", false},
		{"\xc2\xc0", false},
		{"\xdf\xbf", true},
		{"\xe0\x9f\xbf", false},
		{"\xe0\xa0\x80", true},
		{"\xec\xbf\xbf", true},
		{"\xed\x9f\xbf", true},
		{"\xed\xa0\x80", false},
		{"\xed\xbf\xbf", false},
		{"\xee\x80\x80", true},
		{"\xef\xbf\xbf", true},
		{"\xf0\x8f\xbf\xbf", false},
		{"\xf0\x90\x80\x80", true},
		{"\xf3\xbf\xbf\xbf", true},
		{"\xf4\x8f\xbf\xbf", true},
		{"\xf4\x90\x80\x80", false},
		{"\xf5\x80\x80\x80", false},
		{"\xff", false},
		{"a\xc3\xa4z", true},
		{"a\xc3z", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (is_text(rows[i].bytes, strlen(rows[i].bytes)) != rows[i].is_text)
			fail_msg("row %zu is judged wrongly", i);
}

static void a_sequence_cut_short_is_not_text(void **state)
{
	static const char *const whole[] = {"\xc3\xa4", "\xe2\x82\xac", "\xf0\x9f\x8e\xac"};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		assert_true(is_text(whole[i], strlen(whole[i])));
		for (size_t len = 1; len < strlen(whole[i]); len++)
			assert_false(is_text(whole[i], len));
	}
}

static void a_nul_is_not_text(void **state)
{
	(void)state;
	assert_false(is_text("\0", 1));
	assert_false(is_text("a\0b", 3));
	assert_false(is_text("ab\0", 3));
}

/* Text is looked at in words of eight bytes first: the odd byte may stand at any place of any of them. */
static void one_bad_byte_is_found_wherever_it_stands(void **state)
{
	static const char bad[] = {'\0', '\x80', '\xff', '\xc3'};
	char text[32];

	(void)state;
	for (size_t len = 1; len <= sizeof(text); len++)
		for (size_t at = 0; at < len; at++) {
			memset(text, '\x7f', sizeof(text));
			text[at] = '\x01';
			assert_true(is_text(text, len));
			for (size_t i = 0; i < sizeof(bad); i++) {
				text[at] = bad[i];
				assert_false(is_text(text, len));
			}
		}
}

static void one_line_has_no_control_characters(void **state)
{
	(void)state;
	assert_true(bytes_are_one_line(bytes_of(NULL, 0)));
	assert_true(bytes_are_one_line(bytes_of_text(" key~\xc3\xa4")));
	assert_false(bytes_are_one_line(bytes_of_text("a\nb")));
	assert_false(bytes_are_one_line(bytes_of_text("a\x7f")));
	assert_false(bytes_are_one_line(bytes_of("\0", 1)));
}

static void no_bytes_are_text_even_without_an_address(void **state)
{
	(void)state;
	assert_true(bytes_are_text(bytes_of(NULL, 0)));
	assert_true(bytes_are_text(bytes_of_text(NULL)));
	assert_true(bytes_equal(bytes_of(NULL, 0), bytes_of("x", 0)));
}

static void a_character_has_the_length_its_first_byte_says(void **state)
{
	(void)state;
	assert_int_equal(bytes_utf8_length(bytes_of_text("az")), 1);
	assert_int_equal(bytes_utf8_length(bytes_of_text("\xc3\xa4z")), 2);
	assert_int_equal(bytes_utf8_length(bytes_of_text("\xf0\x9f\x8e\xacz")), 4);
	assert_int_equal(bytes_utf8_length(bytes_of_text("\xa4z")), 0);
	assert_int_equal(bytes_count_characters(bytes_of_text("a\xc3\xa4\xf0\x9f\x8e\xacz")), 4);
	assert_int_equal(bytes_count_characters(bytes_of_text(NULL)), 0);
	assert_int_equal(bytes_utf8_length(bytes_of_text("")), 0);
}

static void equal_bytes_are_of_one_length(void **state)
{
	(void)state;
	assert_true(bytes_equal(bytes_of_text("ab"), bytes_of_text("ab")));
	assert_false(bytes_equal(bytes_of_text("ab"), bytes_of_text("abc")));
	assert_false(bytes_equal(bytes_of_text("ab"), bytes_of_text("ac")));
}

static void a_copy_ends_with_a_nul(void **state)
{
	_cleanup_(freep) char *copy = bytes_dup_text(bytes_of("abcdef", 3));
	_cleanup_(freep) char *empty = bytes_dup_text(bytes_of(NULL, 0));

	(void)state;
	assert_string_equal(copy, "abc");
	assert_string_equal(empty, "");
}

static void a_buffer_grows_and_stays_terminated(void **state)
{
	_cleanup_(buffer_finish) struct buffer buffer = {0};

	(void)state;
	for (int i = 0; i < 1000; i++) {
		assert_int_equal(buffer_append(&buffer, "0123456789", 10), 0);
		assert_int_equal(buffer.data[buffer.len], 0);
	}
	assert_int_equal(buffer.len, 10000);
	assert_int_equal(buffer_printf(&buffer, "%s-%d", "x", 7), 0);
	assert_string_equal(buffer.data + 10000, "x-7");
}

static void a_buffer_holds_its_limit_and_not_a_byte_more(void **state)
{
	_cleanup_(buffer_finish) struct buffer buffer = {.limit = 8};

	(void)state;
	assert_int_equal(buffer_append_text(&buffer, "1234567"), 0);
	assert_int_equal(buffer_append_text(&buffer, "89"), -EMSGSIZE);
	assert_int_equal(buffer_printf(&buffer, "%d", 89), -EMSGSIZE);
	assert_int_equal(buffer_reserve(&buffer, SIZE_MAX), -EMSGSIZE);
	assert_string_equal(buffer.data, "1234567");
	assert_int_equal(buffer_append_text(&buffer, "8"), 0);
	assert_int_equal(buffer_append(&buffer, NULL, 0), 0);
	assert_string_equal(buffer.data, "12345678");
}

static void room_in_a_buffer_is_written_by_its_owner(void **state)
{
	_cleanup_(buffer_finish) struct buffer buffer = {0};

	(void)state;
	assert_int_equal(buffer_reserve(&buffer, 500), 0);
	memset(buffer.data, 'x', 500);
	buffer.len += 500;
	assert_int_equal(buffer_append(&buffer, "y", 1), 0);
	assert_int_equal(buffer_bytes(&buffer).len, 501);
	assert_int_equal(buffer.data[500], 'y');
}

static void a_finished_buffer_is_empty_and_keeps_its_limit(void **state)
{
	struct buffer buffer = {.limit = 4};

	(void)state;
	assert_int_equal(buffer_append(&buffer, "1234", 4), 0);
	buffer_finish(&buffer);
	assert_null(buffer.data);
	assert_int_equal(buffer.len, 0);
	assert_int_equal(buffer_append(&buffer, "12345", 5), -EMSGSIZE);
	buffer_finish(&buffer);
}

static void a_buffer_without_memory_keeps_what_it_had(void **state)
{
	_cleanup_(buffer_finish) struct buffer buffer = {0};
	char more[1000] = "";

	(void)state;
	assert_int_equal(buffer_append_text(&buffer, "kept"), 0);
	allocator_fail(1);
	assert_int_equal(buffer_append(&buffer, more, sizeof(more)), -ENOMEM);
	assert_true(allocator_failed());
	assert_string_equal(buffer.data, "kept");
	allocator_fail(1);
	assert_null(bytes_dup_text(bytes_of_text("x")));
	assert_true(allocator_failed());
}

static void a_hexadecimal_digit_has_a_value_and_nothing_else_has(void **state)
{
	static const char lower[] = "0123456789abcdef", upper[] = "0123456789ABCDEF";

	(void)state;
	for (int i = 0; i < 16; i++) {
		assert_int_equal(bytes_hex_value(lower[i]), i);
		assert_int_equal(bytes_hex_value(upper[i]), i);
	}
	for (int c = 0; c < 256; c++)
		if (c == 0 || !strchr("0123456789abcdefABCDEF", c))
			assert_int_equal(bytes_hex_value((char)c), -1);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_well_formed_utf8_is_text),
		cmocka_unit_test(a_sequence_cut_short_is_not_text),
		cmocka_unit_test(a_nul_is_not_text),
		cmocka_unit_test(one_bad_byte_is_found_wherever_it_stands),
		cmocka_unit_test(one_line_has_no_control_characters),
		cmocka_unit_test(no_bytes_are_text_even_without_an_address),
		cmocka_unit_test(a_character_has_the_length_its_first_byte_says),
		cmocka_unit_test(a_hexadecimal_digit_has_a_value_and_nothing_else_has),
		cmocka_unit_test(equal_bytes_are_of_one_length),
		cmocka_unit_test(a_copy_ends_with_a_nul),
		cmocka_unit_test(a_buffer_grows_and_stays_terminated),
		cmocka_unit_test(a_buffer_holds_its_limit_and_not_a_byte_more),
		cmocka_unit_test(room_in_a_buffer_is_written_by_its_owner),
		cmocka_unit_test(a_finished_buffer_is_empty_and_keeps_its_limit),
		cmocka_unit_test(a_buffer_without_memory_keeps_what_it_had),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
