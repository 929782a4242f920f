/*
 * Tokens of Google's service accounts: the key file, the request, the reply. The wire's shapes are of RFC 7523 and of
 * Google's own libraries.
 */
#include "plugin/fixtures.h"

#include "plugin/mint_inside.h"
#include "plugin/table.h"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#define NOW_MS INT64_C(1795000000000)
#define MINUTE_MS 60000
#define TOKEN "ya29.fixture-token"

static struct plugin *toy;
static struct plugin_manifest *toys_own;
static char *pem; /* with its line breaks escaped for JSON */

static char *make_pem(void)
{
	EVP_PKEY *key = EVP_RSA_gen(2048);
	BIO *bio = BIO_new(BIO_s_mem());
	struct buffer out = {0};
	char *text;
	long len;

	PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL);
	len = BIO_get_mem_data(bio, &text);
	for (long i = 0; i < len; i++)
		if (text[i] == '\n')
			buffer_append_text(&out, "\\n");
		else
			buffer_append(&out, text + i, 1);
	BIO_free(bio);
	EVP_PKEY_free(key);
	return out.data;
}

static struct plugin_manifest *parse(const char *auth, struct errmsg *error)
{
	struct plugin_manifest *manifest = NULL;
	struct buffer text = {0};

	buffer_printf(&text,
		      "{\"name\":\"toy\",\"version\":\"1\",\"abi\":0,\"base_url\":\"https://api.toy.test\","
		      "\"secrets\":{\"account\":{\"required\":true}},\"auth\":{%s},"
		      "\"models\":[{\"name\":\"m\",\"parameters\":{},\"outputs\":[{\"role\":\"video\"}]}]}",
		      auth);
	plugin_manifest_parse(buffer_bytes(&text), &manifest, error);
	buffer_finish(&text);
	return manifest;
}

#define GOOGLE "{\"kind\":\"google_service_account\",\"secret\":\"account\",\"scope\":\"the-scope\"}"

static int set_up(void **state)
{
	struct errmsg error = {""};

	(void)state;
	pem = make_pem();
	toy = fixture_plugin("toy");
	toys_own = toy->manifest;
	toy->manifest = parse("\"google\":" GOOGLE, &error);
	assert_non_null(toy->manifest);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	plugin_manifest_free(toy->manifest);
	toy->manifest = toys_own;
	plugin_free(toy);
	free(pem);
	return 0;
}

static int open_account(const char *file, struct plugin_account **ret, struct errmsg *error)
{
	struct plugin_secret secret = {"account", file};
	struct plugin_account_spec spec = {.id = "toy", .secrets = &secret, .n_secrets = 1};

	*ret = NULL;
	return plugin_account_new(toy, &spec, ret, error);
}

static struct plugin_account *account_of(const char *key)
{
	struct buffer file = {0};
	struct plugin_account *account;
	struct errmsg error = {""};

	buffer_printf(&file,
		      "{\n\"type\":\"service_account\",\"client_email\":\"me@p.iam.test\",\"private_key_id\":\"k1\",\n"
		      "\"private_key\":\"%s\",\"token_uri\":\"https://oauth2.test/token\"}\n",
		      key);
	if (open_account(file.data, &account, &error))
		fail_msg("%s", error.text);
	buffer_finish(&file);
	return account;
}

static void decode(const char *from, size_t len, char *ret)
{
	char text[4096];
	int n;

	snprintf(text, sizeof(text), "%.*s%s", (int)len, from, len % 4 == 2 ? "==" : len % 4 == 3 ? "=" : "");
	for (char *p = text; *p; p++)
		*p = *p == '-' ? '+' : *p == '_' ? '/' : *p;
	n = EVP_DecodeBlock((uint8_t *)ret, (const uint8_t *)text, (int)strlen(text));
	assert_true(n > 0);
	ret[n] = '\0';
}

static void the_request_is_that_of_the_rfc(void **state)
{
	static const char begin[] = "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion=";
	_cleanup_(plugin_account_freep) struct plugin_account *account = account_of(pem);
	struct plugin_mint_request request;
	char header[4096], claims[4096];
	const char *jwt, *dot;

	(void)state;
	assert_true(plugin_mint_is_needed(account));
	assert_false(plugin_mint_is_fresh(account, NOW_MS));
	assert_int_equal(plugin_mint_ask(account, NOW_MS, &request), 0);
	assert_string_equal(request.url, "https://oauth2.test/token");
	assert_int_equal(strncmp(request.body.data, begin, sizeof(begin) - 1), 0);
	jwt = request.body.data + sizeof(begin) - 1;
	dot = strchr(jwt, '.');
	decode(jwt, (size_t)(dot - jwt), header);
	decode(dot + 1, strcspn(dot + 1, "."), claims);
	assert_string_equal(header, "{\"alg\":\"RS256\",\"typ\":\"JWT\",\"kid\":\"k1\"}");
	assert_string_equal(claims,
			    "{\"iss\":\"me@p.iam.test\",\"scope\":\"the-scope\",\"aud\":\"https://oauth2.test/token\","
			    "\"iat\":1795000000,\"exp\":1795003600}");
	plugin_mint_request_finish(&request);
}

static int take(struct plugin_account *account, int status, const char *body, struct errmsg *why)
{
	*why = (struct errmsg){""};
	return plugin_mint_take(account, status, bytes_of_text(body), NOW_MS, why);
}

static void a_token_is_renewed_before_it_ends(void **state)
{
	static const struct {
		int life_s;
		int64_t fresh_ms;
	} lives[] = {{3599, 3599000 - 5 * MINUTE_MS}, {601, 301000}, {60, 30000}, {1, 500}};
	_cleanup_(plugin_account_freep) struct plugin_account *account = account_of(pem);
	struct errmsg why;

	(void)state;
	for (size_t i = 0; i < sizeof(lives) / sizeof(lives[0]); i++) {
		char body[256];

		snprintf(body, sizeof(body),
			 "{\"access_token\":\"" TOKEN "\",\"expires_in\":%d,\"token_type\":\"Bearer\"}",
			 lives[i].life_s);
		assert_int_equal(take(account, 200, body, &why), 0);
		assert_true(plugin_mint_is_fresh(account, NOW_MS + lives[i].fresh_ms - 1));
		assert_false(plugin_mint_is_fresh(account, NOW_MS + lives[i].fresh_ms));
	}
	plugin_mint_drop(account);
	assert_false(plugin_mint_is_fresh(account, NOW_MS));
}

static void what_is_no_token_is_none(void **state)
{
	static const struct {
		int status, outcome;
		const char *body, *words;
	} replies[] = {
		{200, PLUGIN_MINT_E_UNAVAILABLE, "", "usable"},
		{200, PLUGIN_MINT_E_UNAVAILABLE, "<html>", "usable"},
		{200, PLUGIN_MINT_E_UNAVAILABLE, "{\"access_token\":\"\",\"expires_in\":9}", "usable"},
		{200, PLUGIN_MINT_E_UNAVAILABLE, "{\"access_token\":\"a b\",\"expires_in\":9}", "usable"},
		{200, PLUGIN_MINT_E_UNAVAILABLE, "{\"access_token\":\"a\\r\\nX: y\",\"expires_in\":9}", "usable"},
		{200, PLUGIN_MINT_E_UNAVAILABLE, "{\"access_token\":\"a\"}", "usable"},
		{200, PLUGIN_MINT_E_UNAVAILABLE, "{\"access_token\":\"a\",\"expires_in\":-1}", "usable"},
		{200, PLUGIN_MINT_E_UNAVAILABLE, "{\"access_token\":\"a\",\"expires_in\":9223372036854775807}",
		 "usable"},
		{400, PLUGIN_MINT_E_REFUSED,
		 "{\"error\":\"invalid_grant\",\"error_description\":\"Invalid JWT Signature.\"}",
		 "HTTP 400 to the request for an access token: invalid_grant: Invalid JWT Signature."},
		{401, PLUGIN_MINT_E_REFUSED, "{\"error\":\"invalid_client\"}", "invalid_client"},
		{400, PLUGIN_MINT_E_UNAVAILABLE, "<html>", "HTTP 400"},
		{429, PLUGIN_MINT_E_UNAVAILABLE, "{\"error\":\"rate\"}", "HTTP 429"},
		{503, PLUGIN_MINT_E_UNAVAILABLE, "{\"error\":{\"code\":503}}", "HTTP 503"},
	};
	_cleanup_(plugin_account_freep) struct plugin_account *account = account_of(pem);
	struct errmsg why;

	(void)state;
	for (size_t i = 0; i < sizeof(replies) / sizeof(replies[0]); i++) {
		assert_int_equal(take(account, replies[i].status, replies[i].body, &why), replies[i].outcome);
		if (!strstr(why.text, replies[i].words))
			fail_msg("'%s' does not say '%s'", why.text, replies[i].words);
		assert_false(plugin_mint_is_fresh(account, NOW_MS));
	}
}

static void what_is_no_key_file_is_refused(void **state)
{
	static const struct {
		const char *file, *words;
	} files[] = {
		{"AIzaSomeKey", "it is no JSON object"},
		{"[]", "it is no JSON object"},
		{"{}", "it has no client_email"},
		{"{\"client_email\":\"a\"}", "its token_uri is no URL"},
		{"{\"client_email\":\"a\",\"token_uri\":\"file:///etc/passwd\"}", "its token_uri is no URL"},
		{"{\"client_email\":\"a\",\"token_uri\":\"https://x.test/\"}", "its private_key is no RSA key in PEM"},
		{"{\"client_email\":\"a\",\"token_uri\":\"https://x.test/\",\"private_key\":\"x\"}",
		 "its private_key is no RSA key in PEM"},
	};
	struct plugin_account *account;
	struct errmsg error;

	(void)state;
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		error = (struct errmsg){""};
		assert_int_equal(open_account(files[i].file, &account, &error), PLUGIN_ACCOUNT_E_INVALID);
		assert_null(account);
		if (!strstr(error.text, files[i].words) || !strstr(error.text, "'account'"))
			fail_msg("'%s' does not say '%s'", error.text, files[i].words);
	}
}

static void a_scheme_says_what_its_token_is_for(void **state)
{
	struct errmsg error = {""};

	(void)state;
	assert_null(parse("\"google\":{\"kind\":\"google_service_account\",\"secret\":\"account\"}", &error));
	assert_non_null(strstr(error.text, "lacks the member 'scope'"));
	assert_null(parse("\"a\":" GOOGLE ",\"b\":" GOOGLE, &error));
	assert_non_null(strstr(error.text, "at most one"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_request_is_that_of_the_rfc),
		cmocka_unit_test(a_token_is_renewed_before_it_ends),
		cmocka_unit_test(what_is_no_token_is_none),
		cmocka_unit_test(what_is_no_key_file_is_refused),
		cmocka_unit_test(a_scheme_says_what_its_token_is_for),
	};

	return cmocka_run_group_tests_name("plugin.mint", tests, set_up, tear_down);
}
