#include "base/base64_reader.h"

#include "base/base64.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

/* Reads @text in pieces of @piece; the bytes go to @out. */
static int read_all(const char *text, size_t piece, uint8_t *out, size_t *len)
{
	struct base64_reader reader = {0};
	size_t all = strlen(text);

	*len = 0;
	for (size_t i = 0; i < all; i += piece) {
		size_t n = all - i < piece ? all - i : piece;
		uint8_t some[BASE64_ROOM(64)];
		size_t got = 0;

		if (base64_reader_add(&reader, bytes_of(text + i, n), some, &got) != 0)
			return BASE64_E_INVALID;
		assert_true(got <= BASE64_ROOM(n));
		memcpy(out + *len, some, got);
		*len += got;
	}
	return base64_reader_end(&reader);
}

static void every_byte_and_length_comes_back_in_pieces_of_any_size(void **state)
{
	uint8_t bytes[256], out[300];
	size_t len;

	(void)state;
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i * 167 + 13);
	for (size_t n = 0; n <= sizeof(bytes); n++)
		for (size_t piece = 1; piece <= 7; piece++) {
			struct buffer text = {0};

			assert_int_equal(base64_append(&text, bytes_of(bytes, n)), 0);
			assert_int_equal(read_all(text.data, piece, out, &len), 0);
			assert_int_equal(len, n);
			assert_memory_equal(out, bytes, n);
			buffer_finish(&text);
		}
}

static void anything_else_is_malformed(void **state)
{
	static const char *const texts[] = {
		"A",      "AB",       "ABC",      "ABCDE",    "ABCDEF",   "=",          "A=",    "A===",
		"====",   "AB==CDEF", "ABC=DEF=", "ABC==",    "AB=",      "AB=C",       "AB===", "AB======",
		"AB==\n", "AB\nCD",   " ABCD",    "AB-_",     "AB.C",     "AB\x80\xff", "AB==A", "AAA=AAAA",
		"AB=\0=", "AAB=",     "ABCD=",    "ABCD====", "data:,AA",
	};
	uint8_t out[64];
	size_t len;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		for (size_t piece = 1; piece <= 5; piece++)
			if (read_all(texts[i], piece, out, &len) != BASE64_E_INVALID)
				fail_msg("'%s' was read", texts[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_byte_and_length_comes_back_in_pieces_of_any_size),
		cmocka_unit_test(anything_else_is_malformed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
