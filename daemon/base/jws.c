#include "base/jws.h"

#include "base/base64.h"
#include "base/err.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#define KEY_BITS_MIN 2048

struct jws_key {
	EVP_PKEY *key;
};

static inline void context_freep(EVP_MD_CTX **context)
{
	EVP_MD_CTX_free(*context);
}

/* Nobody sits at a terminal to be asked for a passphrase. */
static int no_passphrase(char *text, int size, int is_for_writing, void *userdata)
{
	(void)text;
	(void)size;
	(void)is_for_writing;
	(void)userdata;
	return -1;
}

static EVP_PKEY *read_pem(struct bytes pem)
{
	BIO *bio = BIO_new_mem_buf(pem.data, (int)pem.len);
	EVP_PKEY *key = bio ? PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL) : NULL;

	BIO_free(bio);
	ERR_clear_error();
	return key;
}

int jws_key_new(struct bytes pem, struct jws_key **ret)
{
	struct jws_key *key = calloc(1, sizeof(*key));

	if (!key)
		return err_origin(-ENOMEM);
	key->key = read_pem(pem);
	if (!key->key || EVP_PKEY_get_base_id(key->key) != EVP_PKEY_RSA || EVP_PKEY_get_bits(key->key) < KEY_BITS_MIN) {
		jws_key_free(key);
		return JWS_E_KEY;
	}
	*ret = key;
	return 0;
}

struct jws_key *jws_key_free(struct jws_key *key)
{
	if (key)
		EVP_PKEY_free(key->key);
	free(key);
	return NULL;
}

static int append_signature(const struct jws_key *key, struct bytes text, struct buffer *out)
{
	_cleanup_(context_freep) EVP_MD_CTX *context = EVP_MD_CTX_new();
	_cleanup_(freep) unsigned char *signature = NULL;
	size_t size = (size_t)EVP_PKEY_get_size(key->key);

	signature = malloc(size);
	if (!context || !signature || EVP_DigestSignInit(context, NULL, EVP_sha256(), NULL, key->key) != 1 ||
	    EVP_DigestSign(context, signature, &size, text.data, text.len) != 1)
		return err_origin(-ENOMEM);
	return base64url_append(out, bytes_of(signature, size));
}

int jws_sign(const struct jws_key *key, struct bytes header, struct bytes claims, struct buffer *out)
{
	_cleanup_(buffer_finish) struct buffer text = {0};
	int r = base64url_append(&text, header);

	if (r == 0)
		r = buffer_append(&text, ".", 1);
	if (r == 0)
		r = base64url_append(&text, claims);
	if (r == 0)
		r = buffer_append(out, text.data, text.len);
	if (r == 0)
		r = buffer_append(out, ".", 1);
	if (r == 0)
		r = append_signature(key, buffer_bytes(&text), out);
	return r < 0 ? err_trace(r) : 0;
}
