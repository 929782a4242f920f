#include "base/digest.h"

#include "allocator.h"
#include "base/err.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static void assert_digest(struct digest digest, const char *expected)
{
	char text[DIGEST_TEXT_SIZE];

	digest_format(&digest, text);
	assert_string_equal(text, expected);
}

/* NIST, examples with intermediate values for FIPS 180. */
static void the_vectors_of_fips_180_hold(void **state)
{
	static const struct {
		const char *text, *digest;
	} rows[] = {
		{"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
		{"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
		{"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
		 "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
		{"abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrst"
		 "nopqrstu",
		 "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_digest(digest_of(bytes_of_text(rows[i].text)), rows[i].digest);
}

static void a_million_letters_in_uneven_pieces_hold_too(void **state)
{
	_cleanup_(digester_freep) struct digester *digester = digester_new();
	char letters[997];
	size_t left = 1000000;

	(void)state;
	memset(letters, 'a', sizeof(letters));
	while (left) {
		size_t n = left < sizeof(letters) ? left : sizeof(letters);

		digester_add(digester, letters, n);
		left -= n;
	}
	assert_digest(digester_end(digester), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

/* RFC 4231, test cases 1, 2 and 6. */
static void the_vectors_of_rfc_4231_hold(void **state)
{
	unsigned char key[131];

	(void)state;
	memset(key, 0x0b, 20);
	assert_digest(digest_hmac(bytes_of(key, 20), bytes_of_text("Hi There")),
		      "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
	assert_digest(digest_hmac(bytes_of_text("Jefe"), bytes_of_text("what do ya want for nothing?")),
		      "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
	memset(key, 0xaa, sizeof(key));
	assert_digest(digest_hmac(bytes_of(key, sizeof(key)),
				  bytes_of_text("Test Using Larger Than Block-Size Key - Hash Key First")),
		      "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

static void nothing_added_is_the_empty_digest(void **state)
{
	_cleanup_(digester_freep) struct digester *digester = digester_new();

	(void)state;
	digester_add(digester, "", 0);
	assert_digest(digester_end(digester), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

static void a_digester_without_memory_is_null(void **state)
{
	(void)state;
	allocator_fail(1);
	assert_null(digester_new());
	assert_true(allocator_failed());
	assert_null(digester_free(NULL));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_vectors_of_fips_180_hold),
		cmocka_unit_test(a_million_letters_in_uneven_pieces_hold_too),
		cmocka_unit_test(the_vectors_of_rfc_4231_hold),
		cmocka_unit_test(nothing_added_is_the_empty_digest),
		cmocka_unit_test(a_digester_without_memory_is_null),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
