/*
 * Where a credential goes: the one place where a secret leaves the account, and only towards an origin that the
 * operator has named and the manifest has not narrowed away.
 */
#include "plugin/step_inside.h"

#include "base/base64.h"
#include "base/limits.h"
#include "plugin/mint_inside.h"
#include "plugin/url.h"

static const char *base64(struct fg_step *s, const char *text)
{
	_cleanup_(buffer_finish) struct buffer out = {0};
	const char *copy = "";

	if (!step_failed(s, base64_append(&out, bytes_of_text(text))))
		copy = plugin_answer_text(s->answer, buffer_bytes(&out));
	/* The buffer held the secret. */
	if (out.data)
		explicit_bzero(out.data, out.len);
	return copy;
}

static const char *glue(struct fg_step *s, const char *prefix, const char *value)
{
	size_t size = strlen(prefix) + strlen(value) + 1;
	char *out = plugin_answer_alloc(s->answer, size, 1);

	if (!out)
		return "";
	snprintf(out, size, "%s%s", prefix, value);
	return out;
}

static const char *add_to_query(struct fg_step *s, const char *url, const char *name, const char *secret)
{
	_cleanup_(buffer_finish) struct buffer out = {.limit = 4 * LIMIT_PLUGIN_URL};
	const char *copy = "";
	int r = buffer_printf(&out, "%s%c", url, strchr(url, '?') ? '&' : '?');

	if (r == 0)
		r = plugin_url_escape(bytes_of_text(name), &out);
	if (r == 0)
		r = buffer_append(&out, "=", 1);
	if (r == 0)
		r = plugin_url_escape(bytes_of_text(secret), &out);
	if (step_failed(s, r))
		step_fault(s, "the credential makes the URL too long");
	else
		copy = plugin_answer_text(s->answer, buffer_bytes(&out));
	/* The buffer held the secret. */
	if (out.data)
		explicit_bzero(out.data, out.len);
	return copy;
}

static bool may_go_to(struct fg_step *s, const struct plugin_auth *auth, const char *url)
{
	const struct plugin_account *account = s->input->account;
	const struct plugin_origins *allowed = &account->schemes[auth - account->plugin->manifest->auths];
	_cleanup_(buffer_finish) struct buffer origin = {0};

	if (!step_failed(s, plugin_url_origin(bytes_of(url, strlen(url)), &origin)) &&
	    plugin_origins_have(allowed, origin.data))
		return true;
	step_fault(s,
		   "the credential '%s' must not go to %s: neither base_url nor origins of the provider '%s' name it",
		   auth->scheme, origin.data ? origin.data : url, account->id);
	return false;
}

static const char *value_of(struct fg_step *s, const struct plugin_auth *auth)
{
	const struct plugin_account *account = s->input->account;
	const char *secret = plugin_account_secret(account, auth->secret);

	if (!secret) {
		step_fault(s, "the secret '%s' is not configured", auth->secret);
		return NULL;
	}
	if (auth->kind != PLUGIN_AUTH_GOOGLE || account->is_replay)
		return secret;
	secret = plugin_mint_token(account, s->answer);
	if (!secret)
		step_fault(s, "there is no access token at hand");
	return secret;
}

bool plugin_credential_add(struct fg_step *s, const char *scheme, const char **url, struct plugin_header_list *list)
{
	const struct plugin_auth *auth = plugin_manifest_auth(step_manifest(s), scheme);
	const char *secret;

	if (!auth) {
		step_fault(s, "the manifest has no auth scheme '%.64s'", scheme);
		return false;
	}
	if (auth->kind == PLUGIN_AUTH_NONE)
		return true;
	secret = value_of(s, auth);
	if (!secret)
		return false;
	if (!may_go_to(s, auth, *url))
		return false;
	if (auth->kind == PLUGIN_AUTH_QUERY)
		*url = add_to_query(s, *url, auth->name, secret);
	else if (auth->kind == PLUGIN_AUTH_BASIC)
		plugin_headers_add(s, list, "Authorization", glue(s, "Basic ", base64(s, secret)), true);
	else if (auth->kind == PLUGIN_AUTH_BEARER || auth->kind == PLUGIN_AUTH_GOOGLE)
		plugin_headers_add(s, list, "Authorization", glue(s, "Bearer ", secret), true);
	else
		plugin_headers_add(s, list, auth->name, glue(s, auth->prefix, secret), true);
	return true;
}
