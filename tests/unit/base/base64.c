#include "base/base64.h"

#include "base/err.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

static void assert_read(const char *text, const char *expected)
{
	_cleanup_(buffer_finish) struct buffer buffer = {0};

	assert_int_equal(base64_read(bytes_of_text(text), &buffer), 0);
	assert_true(bytes_equal(buffer_bytes(&buffer), bytes_of_text(expected)));
}

/* RFC 4648, section 10. */
static void the_vectors_of_rfc_4648_hold(void **state)
{
	static const char *const rows[][2] = {
		{"", ""},
		{"f", "Zg=="},
		{"fo", "Zm8="},
		{"foo", "Zm9v"},
		{"foob", "Zm9vYg=="},
		{"fooba", "Zm9vYmE="},
		{"foobar", "Zm9vYmFy"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		_cleanup_(buffer_finish) struct buffer buffer = {0};

		assert_int_equal(base64_append(&buffer, bytes_of_text(rows[i][0])), 0);
		assert_string_equal(buffer.data, rows[i][1]);
		assert_read(rows[i][1], rows[i][0]);
	}
}

static void what_has_no_one_meaning_is_refused(void **state)
{
	static const char *const rows[] = {
		"Z",      "Zg",    "Zg=",  "Zg=a",     "Zh==", /* a bit beyond the byte */
		"Zm9=",                                        /* two of them */
		"=",      "====",  "Z===", "Zg==Zg==",         /* padding in the middle */
		"Zm9v\n", "Zm 9v", "Zm9-", "Zm9_",     "Zm9\xc3",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		_cleanup_(buffer_finish) struct buffer buffer = {0};

		assert_int_equal(buffer_append_text(&buffer, "kept"), 0);
		if (base64_read(bytes_of_text(rows[i]), &buffer) != BASE64_E_INVALID)
			fail_msg("'%s' was read", rows[i]);
		assert_int_equal(buffer.len, 4);
	}
}

static void every_byte_comes_back_at_every_length(void **state)
{
	unsigned char bytes[259];

	(void)state;
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (unsigned char)(i * 7);
	for (size_t n = 0; n <= sizeof(bytes); n++) {
		_cleanup_(buffer_finish) struct buffer text = {0}, back = {0};

		assert_int_equal(base64_append(&text, bytes_of(bytes, n)), 0);
		assert_int_equal(base64_read(buffer_bytes(&text), &back), 0);
		assert_true(bytes_equal(buffer_bytes(&back), bytes_of(bytes, n)));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_vectors_of_rfc_4648_hold),
		cmocka_unit_test(what_has_no_one_meaning_is_refused),
		cmocka_unit_test(every_byte_comes_back_at_every_length),
	};

	return cmocka_run_group_tests_name("base.base64", tests, NULL, NULL);
}
