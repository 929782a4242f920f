/*
 * A service account's key file, with a key of its own, whose tokens nobody gives.
 */
#ifndef FG_TESTS_UNIT_KEY_FILE_H
#define FG_TESTS_UNIT_KEY_FILE_H

#include "base/bytes.h"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

/* The caller frees it. */
static inline char *make_key_file(void)
{
	EVP_PKEY *key = EVP_RSA_gen(2048);
	BIO *bio = BIO_new(BIO_s_mem());
	struct buffer out = {0};
	char *text;
	long len;

	PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL);
	len = BIO_get_mem_data(bio, &text);
	buffer_append_text(&out, "{\"client_email\":\"me@p1.iam.test\",\"token_uri\":\"http://127.0.0.1:9/token\","
				 "\"private_key\":\"");
	for (long i = 0; i < len; i++)
		buffer_append(&out, text[i] == '\n' ? "\\n" : text + i, text[i] == '\n' ? 2 : 1);
	buffer_append_text(&out, "\"}");
	BIO_free(bio);
	EVP_PKEY_free(key);
	return out.data;
}

#endif
