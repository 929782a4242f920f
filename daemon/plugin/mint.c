#include "plugin/mint_inside.h"

#include "base/jws.h"
#include "base/limits.h"
#include "plugin/step_inside.h"
#include "plugin/url.h"

#include <pthread.h>

#define TOKEN_LIFE_S 3600            /* the most that Google takes */
#define REFRESH_EARLY_MS (5 * 60000) /* as Google's own libraries do */
#define GRANT "urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer"

/* The token is the one thing of an account that changes; everything else is as it was read. */
struct plugin_mint {
	char *email, *key_id, *scope, *token_url;
	struct jws_key *key;
	pthread_mutex_t mutex; /* over the rest */
	char *token;
	int64_t fresh_until_ms; /* UTC */
	int64_t ends_ms;
};

/* ---- the key file ---- */

static int refuse(struct errmsg *error, const struct plugin_auth *auth, const char *what)
{
	errmsg_set(error, "the secret '%s' is not the key file of a Google service account: %s; have a new one made",
		   auth->secret, what);
	return PLUGIN_ACCOUNT_E_INVALID;
}

static int take_member(const struct json *json, json_node file, const char *pointer, char **ret)
{
	const char *text = json_string(json, json_at(json, file, pointer));

	if (!*text)
		return PLUGIN_ACCOUNT_E_INVALID;
	*ret = strdup(text);
	return *ret ? 0 : err_origin(-ENOMEM);
}

static bool is_token_url(const char *text)
{
	struct plugin_url url;

	return plugin_url_parse(bytes_of_text(text), &url) == 0 && !strchr(text, '#');
}

static int read_members(struct plugin_mint *mint, const struct plugin_auth *auth, const struct json *json,
			json_node file, struct errmsg *error)
{
	int r = take_member(json, file, "/client_email", &mint->email);

	if (r > 0)
		return refuse(error, auth, "it has no client_email");
	if (r == 0)
		r = take_member(json, file, "/token_uri", &mint->token_url);
	if (r > 0 || (r == 0 && !is_token_url(mint->token_url)))
		return refuse(error, auth, "its token_uri is no URL");
	if (r == 0 && take_member(json, file, "/private_key_id", &mint->key_id) < 0)
		r = -ENOMEM;
	if (r == 0)
		r = jws_key_new(json_text(json, json_at(json, file, "/private_key")), &mint->key);
	if (r > 0)
		return refuse(error, auth, "its private_key is no RSA key in PEM");
	return r;
}

int plugin_mint_new(const struct plugin_auth *auth, const char *secret, struct plugin_mint **ret, struct errmsg *error)
{
	struct plugin_mint *mint = calloc(1, sizeof(*mint));
	struct json *json = json_new(NULL);
	json_node file = JSON_ABSENT;
	int r = mint && json ? 0 : -ENOMEM;

	if (r == 0) {
		pthread_mutex_init(&mint->mutex, NULL);
		mint->scope = strdup(auth->scope);
		r = mint->scope ? json_parse(json, bytes_of_text(secret), JSON_DUPLICATES_REFUSE, &file, NULL)
				: -ENOMEM;
	}
	if (r > 0 || (r == 0 && json_kind(json, file) != JSON_KIND_OBJECT))
		r = refuse(error, auth, "it is no JSON object");
	else if (r == 0)
		r = read_members(mint, auth, json, file, error);
	json_free(json);
	if (r == 0)
		*ret = mint;
	else
		plugin_mint_free(mint);
	return r;
}

static void forget(char **secret)
{
	if (*secret)
		explicit_bzero(*secret, strlen(*secret));
	free(*secret);
	*secret = NULL;
}

struct plugin_mint *plugin_mint_free(struct plugin_mint *mint)
{
	if (!mint)
		return NULL;
	pthread_mutex_destroy(&mint->mutex);
	forget(&mint->token);
	jws_key_free(mint->key);
	free(mint->email);
	free(mint->key_id);
	free(mint->scope);
	free(mint->token_url);
	free(mint);
	return NULL;
}

/* ---- asking ---- */

bool plugin_mint_is_needed(const struct plugin_account *account)
{
	return account->mint != NULL;
}

bool plugin_mint_is_fresh(const struct plugin_account *account, int64_t now_ms)
{
	struct plugin_mint *mint = account->mint;
	bool answer;

	pthread_mutex_lock(&mint->mutex);
	answer = mint->token && now_ms < mint->fresh_until_ms;
	pthread_mutex_unlock(&mint->mutex);
	return answer;
}

static void set_text(struct json *json, json_node object, const char *name, const char *value)
{
	json_set(json, object, bytes_of_text(name), json_make_text(json, bytes_of_text(value)));
}

static int write_header(struct json *json, const struct plugin_mint *mint, struct buffer *ret)
{
	json_node header = json_object(json);

	set_text(json, header, "alg", "RS256");
	set_text(json, header, "typ", "JWT");
	if (mint->key_id)
		set_text(json, header, "kid", mint->key_id);
	return json_write(json, header, JSON_FORM_PLAIN, ret);
}

static int write_claims(struct json *json, const struct plugin_mint *mint, int64_t now_ms, struct buffer *ret)
{
	json_node claims = json_object(json);

	set_text(json, claims, "iss", mint->email);
	set_text(json, claims, "scope", mint->scope);
	set_text(json, claims, "aud", mint->token_url);
	json_set(json, claims, bytes_of_text("iat"), json_make_integer(json, now_ms / 1000));
	json_set(json, claims, bytes_of_text("exp"), json_make_integer(json, now_ms / 1000 + TOKEN_LIFE_S));
	return json_write(json, claims, JSON_FORM_PLAIN, ret);
}

int plugin_mint_ask(const struct plugin_account *account, int64_t now_ms, struct plugin_mint_request *ret)
{
	const struct plugin_mint *mint = account->mint;
	_cleanup_(buffer_finish) struct buffer header = {0}, claims = {0};
	struct json *json = json_new(NULL);
	int r = json ? 0 : -ENOMEM;

	*ret = (struct plugin_mint_request){.url = mint->token_url};
	if (r == 0)
		r = write_header(json, mint, &header);
	if (r == 0)
		r = write_claims(json, mint, now_ms, &claims);
	json_free(json);
	if (r == 0)
		r = buffer_append_text(&ret->body, "grant_type=" GRANT "&assertion=");
	if (r == 0)
		r = jws_sign(mint->key, buffer_bytes(&header), buffer_bytes(&claims), &ret->body);
	if (r == 0)
		return 0;
	plugin_mint_request_finish(ret);
	return err_origin(-ENOMEM);
}

void plugin_mint_request_finish(struct plugin_mint_request *request)
{
	if (request->body.data)
		explicit_bzero(request->body.data, request->body.len);
	buffer_finish(&request->body);
}

/* ---- the reply ---- */

static void keep(struct plugin_mint *mint, char *token, int64_t life_ms, int64_t now_ms)
{
	/* A token that lives shorter than the margin serves for half its life. */
	int64_t early_ms = life_ms > 2 * REFRESH_EARLY_MS ? REFRESH_EARLY_MS : life_ms / 2;

	pthread_mutex_lock(&mint->mutex);
	forget(&mint->token);
	mint->token = token;
	mint->ends_ms = now_ms + life_ms;
	mint->fresh_until_ms = mint->ends_ms - early_ms;
	pthread_mutex_unlock(&mint->mutex);
}

static bool can_be_a_token(struct bytes text)
{
	const unsigned char *p = text.data;

	for (size_t i = 0; i < text.len; i++)
		if (p[i] <= 0x20 || p[i] >= 0x7f)
			return false;
	return text.len > 0 && text.len <= LIMIT_SECRET;
}

static int take_token(struct plugin_mint *mint, const struct json *json, json_node reply, int64_t now_ms,
		      struct errmsg *why)
{
	struct bytes token = json_text(json, json_at(json, reply, "/access_token"));
	int64_t life_s = json_integer(json, json_at(json, reply, "/expires_in"), 0);
	char *copy;

	if (!can_be_a_token(token) || life_s <= 0 || life_s > 100 * TOKEN_LIFE_S) {
		errmsg_set(why, "%s answered without a usable access_token and expires_in", mint->token_url);
		return PLUGIN_MINT_E_UNAVAILABLE;
	}
	copy = bytes_dup_text(token);
	if (!copy)
		return err_origin(-ENOMEM);
	keep(mint, copy, life_s * 1000, now_ms);
	return 0;
}

/* OAuth's own errors are a text where every other error of Google's is an object (RFC 6749, section 5.2). */
static int take_refusal(const struct plugin_mint *mint, int status, const struct json *json, json_node reply,
			struct errmsg *why)
{
	const char *code = json_string(json, json_at(json, reply, "/error"));
	const char *words = json_string(json, json_at(json, reply, "/error_description"));

	errmsg_set(why, "%.200s answered HTTP %d to the request for an access token%s%.60s%s%.200s", mint->token_url,
		   status, *code ? ": " : "", code, *words ? ": " : "", words);
	return *code && (status == 400 || status == 401 || status == 403) ? PLUGIN_MINT_E_REFUSED
									  : PLUGIN_MINT_E_UNAVAILABLE;
}

int plugin_mint_take(const struct plugin_account *account, int status, struct bytes body, int64_t now_ms,
		     struct errmsg *why)
{
	struct json *json = json_new(NULL);
	json_node reply = JSON_ABSENT;
	int r;

	if (!json)
		return err_origin(-ENOMEM);
	if (json_parse(json, body, JSON_DUPLICATES_LAST_WINS, &reply, NULL) != 0)
		reply = JSON_ABSENT;
	if (status >= 200 && status < 300)
		r = take_token(account->mint, json, reply, now_ms, why);
	else
		r = take_refusal(account->mint, status, json, reply, why);
	json_free(json);
	return r;
}

void plugin_mint_drop(const struct plugin_account *account)
{
	struct plugin_mint *mint = account->mint;

	pthread_mutex_lock(&mint->mutex);
	forget(&mint->token);
	pthread_mutex_unlock(&mint->mutex);
}

const char *plugin_mint_token(const struct plugin_account *account, struct plugin_answer *answer)
{
	struct plugin_mint *mint = account->mint;
	const char *copy = NULL;

	pthread_mutex_lock(&mint->mutex);
	if (mint->token)
		copy = plugin_answer_text(answer, bytes_of_text(mint->token));
	pthread_mutex_unlock(&mint->mutex);
	return copy;
}
