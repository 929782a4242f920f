#include "base/seal.h"

#include "base/write.h"

#include <fcntl.h>
#include <openssl/evp.h>
#include <sys/random.h>
#include <sys/stat.h>

/* What is sealed: the mark, a nonce at random, the cipher's text, its tag. With random nonces of 96 bits one key serves for
 * four billion of them. */
#define MARK "FGS1"
#define MARK_SIZE 4
#define NONCE_SIZE 12
#define TAG_SIZE 16
#define KEY_SIZE 32

struct seal_key {
	uint8_t bytes[KEY_SIZE];
};

static void context_freep(EVP_CIPHER_CTX **context)
{
	EVP_CIPHER_CTX_free(*context);
}

/* ---- the key ---- */

struct seal_key *seal_key_free(struct seal_key *key)
{
	if (key)
		explicit_bzero(key->bytes, sizeof(key->bytes));
	free(key);
	return NULL;
}

void seal_key_freep(struct seal_key **key)
{
	seal_key_free(*key);
}

static int refuse(const char *path, const char *why, struct errmsg *msg)
{
	errmsg_set(msg, "the key file '%.200s' %s", path, why);
	return SEAL_E_KEY;
}

static int fail(int r, const char *path, const char *what, struct errmsg *msg)
{
	errmsg_set(msg, "the key file '%.200s' cannot be %s: %s", path, what, strerror(-r));
	return r;
}

static int read_key(int fd, const char *path, struct seal_key *key, struct errmsg *msg)
{
	struct stat stat;
	ssize_t n;

	if (fstat(fd, &stat) < 0)
		return fail(err_origin(-errno), path, "read", msg);
	if (!S_ISREG(stat.st_mode) || stat.st_size != KEY_SIZE)
		return refuse(
			path,
			"is no key of 32 bytes: put the right one back; without it, remove what it sealed, too, and "
			"register anew",
			msg);
	if (stat.st_mode & (S_IRWXG | S_IRWXO))
		return refuse(path, "can be read by others: chmod 600 it", msg);
	n = read(fd, key->bytes, KEY_SIZE);
	if (n < 0)
		return fail(err_origin(-errno), path, "read", msg);
	return n == KEY_SIZE ? 0 : refuse(path, "has changed while it was read", msg);
}

/* Whole or not at all under its name, and there after a power cut: what is sealed with a lost key is lost, too. */
static int make_key(const char *path, struct seal_key *key, struct errmsg *msg)
{
	_cleanup_(freep) char *partial = NULL;
	_cleanup_(closep) int fd = -1;
	int r;

	if (getrandom(key->bytes, KEY_SIZE, 0) != KEY_SIZE)
		return fail(err_origin(-EIO), path, "made", msg);
	if (asprintf(&partial, "%s.partial", path) < 0)
		return fail(err_origin(-ENOMEM), path, "made", msg);
	unlink(partial);
	fd = open(partial, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return fail(err_origin(-errno), path, "made", msg);
	r = write_fully(fd, bytes_of(key->bytes, KEY_SIZE));
	if (r == 0 && (fsync(fd) < 0 || rename(partial, path) < 0))
		r = err_origin(-errno);
	return r < 0 ? fail(r, path, "made", msg) : 0;
}

static int sync_parent(const char *path)
{
	_cleanup_(freep) char *parent = strdup(path);
	char *slash = parent ? strrchr(parent, '/') : NULL;

	if (!parent)
		return err_origin(-ENOMEM);
	if (!slash)
		return sync_folder(".");
	*slash = '\0';
	return sync_folder(*parent ? parent : "/");
}

int seal_key_open(const char *path, enum seal_flags flags, struct seal_key **ret, struct errmsg *msg)
{
	_cleanup_(seal_key_freep) struct seal_key *key = calloc(1, sizeof(*key));
	_cleanup_(closep) int fd = -1;
	int r;

	if (!key)
		return fail(err_origin(-ENOMEM), path, "read", msg);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0 && errno != ENOENT)
		return fail(err_origin(-errno), path, "read", msg);
	if (fd >= 0)
		r = read_key(fd, path, key, msg);
	else if (flags & SEAL_MAKE)
		r = make_key(path, key, msg);
	else
		r = refuse(path, "is not there: put it back; without it, remove what it sealed, too, and register anew",
			   msg);
	if (r == 0 && fd < 0) {
		r = sync_parent(path);
		if (r < 0)
			fail(r, path, "made", msg);
	}
	if (r)
		return r;
	*ret = steal(key);
	return 0;
}

/* ---- what it closes ---- */

static bool add_purpose(EVP_CIPHER_CTX *context, const char *purpose, bool seals)
{
	int n = 0;

	return (seals ? EVP_EncryptUpdate(context, NULL, &n, (const unsigned char *)purpose, (int)strlen(purpose))
		      : EVP_DecryptUpdate(context, NULL, &n, (const unsigned char *)purpose, (int)strlen(purpose))) ==
	       1;
}

int seal_close(const struct seal_key *key, const char *purpose, struct bytes plain, struct buffer *ret)
{
	_cleanup_(context_freep) EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
	int r = buffer_reserve(ret, MARK_SIZE + NONCE_SIZE + plain.len + TAG_SIZE), n = 0, last = 0;
	unsigned char *nonce, *text;

	if (!context || r < 0 || plain.len > INT32_MAX)
		return err_origin(-ENOMEM);
	memcpy(ret->data + ret->len, MARK, MARK_SIZE);
	nonce = (unsigned char *)ret->data + ret->len + MARK_SIZE;
	text = nonce + NONCE_SIZE;
	if (getrandom(nonce, NONCE_SIZE, 0) != NONCE_SIZE)
		return err_origin(-EIO);
	if (EVP_EncryptInit_ex(context, EVP_aes_256_gcm(), NULL, key->bytes, nonce) != 1 ||
	    !add_purpose(context, purpose, true) ||
	    EVP_EncryptUpdate(context, text, &n, plain.data, (int)plain.len) != 1 ||
	    EVP_EncryptFinal_ex(context, text + n, &last) != 1 ||
	    EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_GET_TAG, TAG_SIZE, text + plain.len) != 1)
		return err_origin(-EIO);
	ret->len += MARK_SIZE + NONCE_SIZE + plain.len + TAG_SIZE;
	ret->data[ret->len] = '\0';
	return 0;
}

int seal_open(const struct seal_key *key, const char *purpose, struct bytes sealed, struct buffer *ret)
{
	_cleanup_(context_freep) EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
	const unsigned char *nonce = (const unsigned char *)sealed.data + MARK_SIZE, *text = nonce + NONCE_SIZE;
	unsigned char tag[TAG_SIZE];
	int n = 0, last = 0;
	size_t len;

	if (!context)
		return err_origin(-ENOMEM);
	if (sealed.len < MARK_SIZE + NONCE_SIZE + TAG_SIZE || sealed.len > INT32_MAX ||
	    memcmp(sealed.data, MARK, MARK_SIZE) != 0)
		return SEAL_E_WRONG;
	len = sealed.len - MARK_SIZE - NONCE_SIZE - TAG_SIZE;
	memcpy(tag, text + len, TAG_SIZE);
	if (buffer_reserve(ret, len + TAG_SIZE) < 0)
		return err_origin(-ENOMEM);
	if (EVP_DecryptInit_ex(context, EVP_aes_256_gcm(), NULL, key->bytes, nonce) != 1 ||
	    !add_purpose(context, purpose, false) ||
	    EVP_DecryptUpdate(context, (unsigned char *)ret->data, &n, text, (int)len) != 1 ||
	    EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_SET_TAG, TAG_SIZE, tag) != 1 ||
	    EVP_DecryptFinal_ex(context, (unsigned char *)ret->data + n, &last) != 1) {
		explicit_bzero(ret->data, len);
		return SEAL_E_WRONG;
	}
	ret->len = len;
	ret->data[len] = '\0';
	return 0;
}
