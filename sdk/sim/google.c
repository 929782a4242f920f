#include "sim/google.h"

#include "base/digest.h"
#include "base/write.h"
#include "sim/json.h"

#include <assert.h>
#include <fcntl.h>
#include <limits.h>
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <sys/random.h>
#include <sys/stat.h>

#define EMAIL "filmgate-sim@sim-project.iam.gserviceaccount.com"
#define SCOPE "https://www.googleapis.com/auth/cloud-platform"
#define GRANT "urn:ietf:params:oauth:grant-type:jwt-bearer"
#define LONGEST_CLAIM_S 3600
#define CLOCK_SKEW_S 300
#define TOKEN_BEGIN "ya29.sim."

struct sim_google {
	EVP_PKEY *key;
	char *token_url;
	uint8_t secret[32];
};

struct sim_google *sim_google_free(struct sim_google *google)
{
	if (!google)
		return NULL;
	EVP_PKEY_free(google->key);
	free(google->token_url);
	free(google);
	return NULL;
}

void sim_google_freep(struct sim_google **google)
{
	sim_google_free(*google);
}

/* ---- the key file ---- */

static EVP_PKEY *read_key(const char *path)
{
	_cleanup_(sim_json_freep) json_t *file = json_load_file(path, 0, NULL);
	const char *pem = json_string_value(json_object_get(file, "private_key"));
	BIO *bio = pem ? BIO_new_mem_buf(pem, -1) : NULL;
	EVP_PKEY *key = bio ? PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL) : NULL;

	BIO_free(bio);
	return key;
}

static json_t *describe(const struct sim_google *google)
{
	BIO *bio = BIO_new(BIO_s_mem());
	json_t *file = NULL;
	char *pem;
	long len;

	if (bio && PEM_write_bio_PKCS8PrivateKey(bio, google->key, NULL, NULL, 0, NULL, NULL) == 1) {
		len = BIO_get_mem_data(bio, &pem);
		file = json_pack("{s:s,s:s,s:s,s:s%,s:s,s:s}", "type", "service_account", "project_id", "sim-project",
				 "private_key_id", "sim-key-1", "private_key", pem, (size_t)len, "client_email", EMAIL,
				 "token_uri", google->token_url);
	}
	BIO_free(bio);
	return file;
}

/* Whole or not at all, and for nobody else to read: a daemon may be reading it. */
static int write_file(const struct sim_google *google, const char *path)
{
	_cleanup_(sim_json_freep) json_t *file = describe(google);
	_cleanup_(freep) char *text = file ? json_dumps(file, JSON_INDENT(2)) : NULL;
	_cleanup_(closep) int fd = -1;
	char half[PATH_MAX];
	int r;

	if (!text)
		return err_origin(-ENOMEM);
	if (snprintf(half, sizeof(half), "%s.new", path) >= (int)sizeof(half))
		return err_origin(-ENAMETOOLONG);
	fd = open(half, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_origin(-errno);
	r = write_fully(fd, bytes_of_text(text));
	if (r < 0)
		return err_trace(r);
	return rename(half, path) < 0 ? err_origin(-errno) : 0;
}

int sim_google_new(const char *folder, const char *url, struct errmsg *msg, struct sim_google **ret)
{
	_cleanup_(sim_google_freep) struct sim_google *google = calloc(1, sizeof(*google));
	char path[PATH_MAX];
	ssize_t n;
	int r;

	if (!google || asprintf(&google->token_url, "%s/token", url) < 0)
		return err_origin(-ENOMEM);
	n = getrandom(google->secret, sizeof(google->secret), 0);
	assert(n == (ssize_t)sizeof(google->secret));
	if (snprintf(path, sizeof(path), "%s/service-account.json", folder) >= (int)sizeof(path))
		return err_origin(-ENAMETOOLONG);
	google->key = read_key(path);
	if (!google->key)
		google->key = EVP_RSA_gen(2048);
	if (!google->key)
		return err_origin(-ENOMEM);
	r = write_file(google, path);
	if (r < 0) {
		errmsg_set(msg, "cannot write '%s': %s; give another folder with --data", path, strerror(-r));
		return SIM_GOOGLE_E_FILE;
	}

	*ret = steal(google);
	return 0;
}

/* ---- access tokens ---- */

/* The secret on both sides of the text, so that a digest cannot be continued. */
static int write_token(const struct sim_google *google, const char *expires_ms, struct buffer *ret)
{
	struct buffer all = {0};
	char text[DIGEST_TEXT_SIZE];
	struct digest digest;
	int r;

	r = buffer_append(&all, google->secret, sizeof(google->secret));
	r = r ? r : buffer_printf(&all, "\n%s\n", expires_ms);
	r = r ? r : buffer_append(&all, google->secret, sizeof(google->secret));
	if (r == 0) {
		digest = digest_of(buffer_bytes(&all));
		digest_format(&digest, text);
		r = buffer_printf(ret, TOKEN_BEGIN "%s.%s", expires_ms, text);
	}
	buffer_finish(&all);
	return r;
}

bool sim_google_knows(const struct sim_google *google, const struct sim_request *request, int64_t now_ms)
{
	static const char begin[] = "Bearer " TOKEN_BEGIN;
	const char *value = sim_fields_find(&request->headers, "Authorization");
	_cleanup_(buffer_finish) struct buffer token = {0};
	char expires_ms[24];

	if (!value || strncmp(value, begin, sizeof(begin) - 1) != 0)
		return false;
	snprintf(expires_ms, sizeof(expires_ms), "%lld", strtoll(value + sizeof(begin) - 1, NULL, 10));
	return write_token(google, expires_ms, &token) == 0 && strcmp(token.data, value + strlen("Bearer ")) == 0 &&
	       strtoll(expires_ms, NULL, 10) > now_ms;
}

/* ---- the endpoint ---- */

/* OAuth's errors are a text where every other error of Google's is an object (RFC 6749, section 5.2). */
static int refuse(struct sim_reply *reply, const char *code, const char *words)
{
	return sim_reply_json(reply, 400, json_pack("{s:s,s:s}", "error", code, "error_description", words));
}

/* Base64url without padding (RFC 4648, section 5) into memory that the caller frees; NULL when it is none. */
static uint8_t *decode(const char *text, size_t len, size_t *ret_len)
{
	size_t padded = (len + 3) / 4 * 4, missing = padded - len;
	_cleanup_(freep) char *plain = malloc(padded + 1);
	uint8_t *out = malloc(padded / 4 * 3 + 1);
	int n = -1;

	if (plain && out && missing < 3) {
		memset(plain, '=', padded);
		for (size_t i = 0; i < len; i++)
			plain[i] = text[i] == '-' ? '+' : text[i] == '_' ? '/' : text[i];
		n = EVP_DecodeBlock(out, (const uint8_t *)plain, (int)padded);
	}
	if (n < (int)missing) {
		free(out);
		return NULL;
	}
	*ret_len = (size_t)n - missing;
	return out;
}

static json_t *decode_json(const char *text, size_t len)
{
	size_t n = 0;
	_cleanup_(freep) char *json = (char *)decode(text, len, &n);

	return json ? json_loadb(json, n, JSON_REJECT_DUPLICATES, NULL) : NULL;
}

static bool is_signed(const struct sim_google *google, const char *text, size_t len, const char *signature)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	size_t n = 0;
	_cleanup_(freep) uint8_t *bytes = decode(signature, strlen(signature), &n);
	bool answer = context && bytes && EVP_DigestVerifyInit(context, NULL, EVP_sha256(), NULL, google->key) == 1 &&
		      EVP_DigestVerify(context, bytes, n, (const uint8_t *)text, len) == 1;

	EVP_MD_CTX_free(context);
	return answer;
}

static bool is_text(const json_t *object, const char *name, const char *expected)
{
	const char *value = json_string_value(json_object_get(object, name));

	return value && strcmp(value, expected) == 0;
}

/* What is wrong with the claims; NULL: nothing. */
static const char *complaint_about(const struct sim_google *google, const json_t *claims, int64_t now_s)
{
	int64_t iat = json_integer_value(json_object_get(claims, "iat"));
	int64_t exp = json_integer_value(json_object_get(claims, "exp"));

	if (!is_text(claims, "iss", EMAIL))
		return "Invalid grant: account not found";
	if (!is_text(claims, "aud", google->token_url))
		return "Invalid JWT: Failed audience check.";
	if (!is_text(claims, "scope", SCOPE))
		return "Invalid OAuth scope or ID token audience provided.";
	if (iat > now_s + CLOCK_SKEW_S || exp <= now_s || exp - iat > LONGEST_CLAIM_S)
		return "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. "
		       "Check your iat and exp values in the JWT claim.";
	return NULL;
}

static int grant(const struct sim_google *google, int64_t now_ms, int64_t life_s, struct sim_reply *reply)
{
	_cleanup_(buffer_finish) struct buffer token = {0};
	char expires_ms[24];
	int r;

	snprintf(expires_ms, sizeof(expires_ms), "%lld", (long long)(now_ms + life_s * 1000));
	r = write_token(google, expires_ms, &token);
	if (r < 0)
		return err_trace(r);
	return sim_reply_json(reply, 200,
			      json_pack("{s:s,s:I,s:s}", "access_token", token.data, "expires_in", (json_int_t)life_s,
					"token_type", "Bearer"));
}

static int judge(const struct sim_google *google, const char *assertion, int64_t now_ms, int64_t life_s,
		 struct sim_reply *reply)
{
	size_t header_len = strcspn(assertion, ".");
	const char *claims_text = assertion + header_len + (assertion[header_len] == '.');
	size_t claims_len = strcspn(claims_text, ".");
	const char *signature = claims_text + claims_len + (claims_text[claims_len] == '.');
	_cleanup_(sim_json_freep) json_t *header = decode_json(assertion, header_len);
	_cleanup_(sim_json_freep) json_t *claims = decode_json(claims_text, claims_len);
	const char *complaint;

	if (!header || !claims || !is_text(header, "alg", "RS256"))
		return refuse(reply, "invalid_grant", "Invalid JWT: it cannot be decoded");
	if (!is_signed(google, assertion, (size_t)(claims_text + claims_len - assertion), signature))
		return refuse(reply, "invalid_grant", "Invalid JWT Signature.");
	complaint = complaint_about(google, claims, now_ms / 1000);
	return complaint ? refuse(reply, "invalid_grant", complaint) : grant(google, now_ms, life_s, reply);
}

int sim_google_mint(struct sim_google *google, const struct sim_request *request, int64_t now_ms, int64_t life_s,
		    struct sim_reply *reply)
{
	struct sim_request form = {0};
	struct buffer target = {0};
	const char *type, *assertion;
	int r;

	/* A form is written as a query is. */
	r = buffer_append_text(&target, "/token?");
	r = r ? r : buffer_append(&target, request->body.data, request->body.len);
	r = r ? r : sim_request_set_target(&form, target.data);
	if (r == 0) {
		type = sim_fields_find(&form.query, "grant_type");
		assertion = sim_fields_find(&form.query, "assertion");
		if (!type || strcmp(type, GRANT) != 0)
			r = refuse(reply, "unsupported_grant_type", "Invalid grant_type");
		else if (!assertion)
			r = refuse(reply, "invalid_request", "Missing required parameter: assertion");
		else
			r = judge(google, assertion, now_ms, life_s, reply);
	}
	sim_request_finish(&form);
	buffer_finish(&target);
	return r < 0 ? err_trace(r) : 0;
}
