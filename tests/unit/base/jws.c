#include "base/jws.h"
#include "base/base64.h"
#include "base/err.h"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

/* RFC 4648, section 10. */
static void base64_is_that_of_the_rfc(void **state)
{
	static const char *const pairs[][2] = {{"", ""},
					       {"f", "Zg=="},
					       {"fo", "Zm8="},
					       {"foo", "Zm9v"},
					       {"foob", "Zm9vYg=="},
					       {"fooba", "Zm9vYmE="},
					       {"foobar", "Zm9vYmFy"}};

	(void)state;
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		_cleanup_(buffer_finish) struct buffer out = {0};

		assert_int_equal(base64_append(&out, bytes_of_text(pairs[i][0])), 0);
		assert_string_equal(out.data, pairs[i][1]);
	}
}

static void the_form_for_urls_has_no_padding_and_other_digits(void **state)
{
	static const uint8_t bytes[] = {0xfb, 0xff, 0xbf, 0xfa};
	_cleanup_(buffer_finish) struct buffer out = {0};

	(void)state;
	assert_int_equal(buffer_append_text(&out, "a+b/c="), 0);
	assert_int_equal(base64url_append(&out, bytes_of(bytes, sizeof(bytes))), 0);
	assert_string_equal(out.data, "a+b/c=-_-_-g");
}

static EVP_PKEY *make_key(int bits)
{
	return bits ? EVP_RSA_gen((unsigned int)bits) : EVP_EC_gen("P-256");
}

static void write_pem(EVP_PKEY *key, const EVP_CIPHER *cipher, struct buffer *ret)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *text;
	long len;

	assert_int_equal(PEM_write_bio_PKCS8PrivateKey(bio, key, cipher, cipher ? "secret" : NULL, cipher ? 6 : 0, NULL,
						       NULL),
			 1);
	len = BIO_get_mem_data(bio, &text);
	assert_int_equal(buffer_append(ret, text, (size_t)len), 0);
	BIO_free(bio);
}

static size_t unpack(const char *text, uint8_t *ret)
{
	char padded[1024];
	size_t len = strlen(text);
	int n;

	snprintf(padded, sizeof(padded), "%s%s", text, len % 4 == 2 ? "==" : len % 4 == 3 ? "=" : "");
	for (char *p = padded; *p; p++)
		*p = *p == '-' ? '+' : *p == '_' ? '/' : *p;
	n = EVP_DecodeBlock(ret, (const uint8_t *)padded, (int)strlen(padded));
	assert_true(n > 0);
	return (size_t)n - (strlen(padded) - len);
}

static void a_signature_is_verified_by_the_public_half(void **state)
{
	EVP_PKEY *pair = make_key(2048);
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	_cleanup_(buffer_finish) struct buffer pem = {0}, out = {0};
	struct jws_key *key = NULL;
	uint8_t signature[1024], claims[1024];
	char *dot;

	(void)state;
	write_pem(pair, NULL, &pem);
	assert_int_equal(jws_key_new(buffer_bytes(&pem), &key), 0);
	assert_int_equal(jws_sign(key, bytes_of_text("{\"alg\":\"RS256\"}"), bytes_of_text("{\"iss\":\"me\"}"), &out),
			 0);
	assert_int_equal(strncmp(out.data, "eyJhbGciOiJSUzI1NiJ9.", 21), 0);
	dot = strrchr(out.data, '.');
	assert_int_equal(EVP_DigestVerifyInit(context, NULL, EVP_sha256(), NULL, pair), 1);
	assert_int_equal(EVP_DigestVerify(context, signature, unpack(dot + 1, signature), (const uint8_t *)out.data,
					  (size_t)(dot - out.data)),
			 1);
	*dot = '\0';
	assert_memory_equal(claims, "{\"iss\":\"me\"}", unpack(out.data + 21, claims));
	EVP_MD_CTX_free(context);
	EVP_PKEY_free(pair);
	jws_key_free(key);
}

static void what_is_no_key_is_refused(void **state)
{
	EVP_PKEY *keys[] = {make_key(1024), make_key(0), make_key(2048)};
	_cleanup_(buffer_finish) struct buffer weak = {0}, curve = {0}, locked = {0};
	struct jws_key *key = NULL;

	(void)state;
	write_pem(keys[0], NULL, &weak);
	write_pem(keys[1], NULL, &curve);
	write_pem(keys[2], EVP_aes_128_cbc(), &locked);
	assert_int_equal(jws_key_new(buffer_bytes(&weak), &key), JWS_E_KEY);
	assert_int_equal(jws_key_new(buffer_bytes(&curve), &key), JWS_E_KEY);
	assert_int_equal(jws_key_new(buffer_bytes(&locked), &key), JWS_E_KEY);
	assert_int_equal(jws_key_new(bytes_of_text("no key"), &key), JWS_E_KEY);
	assert_int_equal(jws_key_new(bytes_of_text(""), &key), JWS_E_KEY);
	assert_null(key);
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		EVP_PKEY_free(keys[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(base64_is_that_of_the_rfc),
		cmocka_unit_test(the_form_for_urls_has_no_padding_and_other_digits),
		cmocka_unit_test(a_signature_is_verified_by_the_public_half),
		cmocka_unit_test(what_is_no_key_is_refused),
	};

	return cmocka_run_group_tests_name("base.jws", tests, NULL, NULL);
}
