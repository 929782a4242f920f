#include "base/digest.h"

#include "base/err.h"

#include <assert.h>
#include <limits.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

struct digester {
	EVP_MD_CTX *context;
};

struct digester *digester_new(void)
{
	_cleanup_(digester_freep) struct digester *digester = calloc(1, sizeof(*digester));

	if (!digester)
		return NULL;
	digester->context = EVP_MD_CTX_new();
	if (!digester->context || EVP_DigestInit_ex(digester->context, EVP_sha256(), NULL) != 1)
		return NULL;
	return steal(digester);
}

struct digester *digester_free(struct digester *digester)
{
	if (digester)
		EVP_MD_CTX_free(digester->context);
	free(digester);
	return NULL;
}

void digester_freep(struct digester **digester)
{
	digester_free(*digester);
}

void digester_add(struct digester *digester, const void *data, size_t len)
{
	int ok = EVP_DigestUpdate(digester->context, data, len);

	assert(ok == 1);
}

struct digest digester_end(struct digester *digester)
{
	struct digest digest;
	unsigned int size = 0;
	int ok = EVP_DigestFinal_ex(digester->context, digest.bytes, &size);

	assert(ok == 1 && size == DIGEST_SIZE);
	return digest;
}

struct digest digest_of(struct bytes bytes)
{
	struct digest digest;
	unsigned int size = 0;
	int ok = EVP_Digest(bytes.data, bytes.len, digest.bytes, &size, EVP_sha256(), NULL);

	assert(ok == 1 && size == DIGEST_SIZE);
	return digest;
}

struct digest digest_hmac(struct bytes key, struct bytes message)
{
	struct digest digest;
	unsigned int size = 0;
	const void *made;

	assert(key.len <= INT_MAX);
	made = HMAC(EVP_sha256(), key.data, (int)key.len, message.data, message.len, digest.bytes, &size);
	assert(made && size == DIGEST_SIZE);
	return digest;
}

void digest_format(const struct digest *digest, char text[static DIGEST_TEXT_SIZE])
{
	static const char digits[] = "0123456789abcdef";

	for (int i = 0; i < DIGEST_SIZE; i++) {
		text[2 * i] = digits[digest->bytes[i] >> 4];
		text[2 * i + 1] = digits[digest->bytes[i] & 0x0f];
	}
	text[DIGEST_TEXT_SIZE - 1] = '\0';
}
