#include "plugin/account.h"

#include "base/limits.h"
#include "base/quote.h"
#include "plugin/account_inside.h"
#include "plugin/mint_inside.h"
#include "plugin/table.h"
#include "plugin/url.h"

#include <assert.h>
#include <stdarg.h>

bool plugin_origins_have(const struct plugin_origins *origins, const char *origin)
{
	for (size_t i = 0; i < origins->n; i++)
		if (strcmp(origins->list[i], origin) == 0)
			return true;
	return false;
}

static int origins_add(struct plugin_origins *origins, const char *origin)
{
	char **grown;

	if (plugin_origins_have(origins, origin))
		return 0;
	grown = reallocarray(origins->list, origins->n + 1, sizeof(*grown));
	if (!grown)
		return err_origin(-ENOMEM);
	origins->list = grown;
	origins->list[origins->n] = strdup(origin);
	if (!origins->list[origins->n])
		return err_origin(-ENOMEM);
	origins->n++;
	return 0;
}

static void origins_finish(struct plugin_origins *origins)
{
	for (size_t i = 0; i < origins->n; i++)
		free(origins->list[i]);
	free(origins->list);
}

const char *plugin_account_secret(const struct plugin_account *account, const char *name)
{
	for (size_t i = 0; i < account->n_secrets; i++)
		if (strcmp(account->secrets[i].name, name) == 0)
			return account->secrets[i].value;
	return NULL;
}

__attribute__((format(printf, 2, 3))) static int invalid(struct errmsg *error, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(error->text, sizeof(error->text), format, args);
	va_end(args);
	return PLUGIN_ACCOUNT_E_INVALID;
}

static int read_base_url(struct plugin_account *account, const char *base_url, struct errmsg *error)
{
	size_t len = strlen(base_url);
	struct plugin_url url;

	while (len && base_url[len - 1] == '/')
		len--;
	if (plugin_url_parse(bytes_of(base_url, len), &url) || url.has_query || strchr(base_url, '#'))
		return invalid(error, "base_url: '%.200s' is not an http or https URL without user, query and fragment",
			       base_url);
	account->base_url = bytes_dup_text(bytes_of(base_url, len));
	return account->base_url ? 0 : err_origin(-ENOMEM);
}

static int add_origin_of(struct plugin_origins *origins, const char *url, struct errmsg *error)
{
	_cleanup_(buffer_finish) struct buffer origin = {0};
	int r = plugin_url_origin(bytes_of_text(url), &origin);

	if (r > 0)
		return invalid(error, "origins: '%.200s' is not an origin such as https://api.example.com", url);
	return r ? r : origins_add(origins, origin.data);
}

static int read_origins(struct plugin_account *account, const struct plugin_account_spec *spec, struct errmsg *error)
{
	int r = add_origin_of(&account->origins, account->base_url, error);

	for (size_t i = 0; r == 0 && i < spec->n_origins; i++)
		r = add_origin_of(&account->origins, spec->origins[i], error);
	return r;
}

/*
 * Adds one origin that a manifest names to where a credential may go. The origin of the manifest's own base_url stands
 * for that of the operator's, who may have pointed the account at a proxy or a simulator.
 */
static int add_narrowed(const struct plugin_account *account, const char *named, struct plugin_origins *ret,
			struct errmsg *error)
{
	const struct plugin_manifest *manifest = account->plugin->manifest;
	_cleanup_(buffer_finish) struct buffer origin = {0}, theirs = {0};
	int r = plugin_url_origin(bytes_of_text(named), &origin);

	if (r == 0)
		r = plugin_url_origin(bytes_of_text(manifest->base_url), &theirs);
	if (r)
		return err_fold(r);
	assert(account->origins.n > 0);
	if (strcmp(origin.data, theirs.data) == 0)
		return origins_add(ret, account->origins.list[0]);
	if (plugin_origins_have(&account->origins, origin.data))
		return origins_add(ret, origin.data);
	errmsg_set(
		error,
		"plugin '%s' sends credentials to %s, which the configuration does not allow; if that is right, add to the "
		"provider: origins = [ \"%s\" ]",
		manifest->name, named, named);
	return PLUGIN_ACCOUNT_E_ORIGIN;
}

static int narrow_scheme(const struct plugin_account *account, json_node list, struct plugin_origins *ret,
			 struct errmsg *error)
{
	const struct json *json = account->plugin->manifest->json;
	int r = 0;

	for (json_node n = json_first(json, list); r == 0 && n; n = json_next(json, n))
		r = add_narrowed(account, json_string(json, n), ret, error);
	if (list)
		return r;
	for (size_t i = 0; r == 0 && i < account->origins.n; i++)
		r = origins_add(ret, account->origins.list[i]);
	return r;
}

/* Without its secret a scheme sends nothing, so that nothing needs to be allowed. */
static bool can_be_sent(const struct plugin_account *account, const struct plugin_auth *auth)
{
	return auth->kind != PLUGIN_AUTH_NONE && plugin_account_secret(account, auth->secret);
}

static int read_schemes(struct plugin_account *account, struct errmsg *error)
{
	const struct plugin_manifest *manifest = account->plugin->manifest;
	int r = 0;

	account->schemes = calloc(manifest->n_auths + 1, sizeof(*account->schemes));
	if (!account->schemes)
		return err_origin(-ENOMEM);
	for (size_t i = 0; r == 0 && i < manifest->n_auths; i++) {
		json_node list = manifest->auths[i].origins ? manifest->auths[i].origins : manifest->origins;

		if (can_be_sent(account, &manifest->auths[i]))
			r = narrow_scheme(account, list, &account->schemes[i], error);
	}
	return r;
}

/* What the manifest declares there, as the end of a sentence. */
static struct errmsg names_of(const struct plugin_manifest *manifest, const char *pointer)
{
	_cleanup_(buffer_finish) struct buffer list = {0};
	json_node declared = json_at(manifest->json, manifest->root, pointer);
	struct errmsg names = {"it has none"};

	for (json_node n = json_first(manifest->json, declared); n; n = json_next(manifest->json, n))
		buffer_printf(&list, "%s%s", list.len ? ", " : "", json_name(manifest->json, n));
	if (list.data)
		errmsg_set(&names, "it has %.250s", list.data);
	return names;
}

/* A key file has lines; it is never sent. */
static bool is_minted_from(const struct plugin_manifest *manifest, const char *secret)
{
	const struct plugin_auth *minted = plugin_manifest_minted(manifest);

	return minted && strcmp(minted->secret, secret) == 0;
}

static int read_secret(struct plugin_account *account, const struct plugin_secret *secret, struct errmsg *error)
{
	const struct plugin_manifest *manifest = account->plugin->manifest;
	json_node declared = json_at(manifest->json, manifest->root, "/secrets");
	struct plugin_secret *copy = &account->secrets[account->n_secrets];

	if (!json_member(manifest->json, declared, bytes_of_text(secret->name)))
		return invalid(error, "plugin '%s' has no secret '%s'; %s", manifest->name, quote(secret->name).text,
			       names_of(manifest, "/secrets").text);
	if (secret->value[0] == '\0' || strlen(secret->value) > LIMIT_SECRET ||
	    (!is_minted_from(manifest, secret->name) && !bytes_are_one_line(bytes_of_text(secret->value))))
		return invalid(error, "the secret '%s' is empty, longer than %d bytes, or holds a line break",
			       secret->name, LIMIT_SECRET);
	copy->name = strdup(secret->name);
	copy->value = strdup(secret->value);
	account->n_secrets++;
	return copy->name && copy->value ? 0 : err_origin(-ENOMEM);
}

static int read_secrets(struct plugin_account *account, const struct plugin_account_spec *spec, struct errmsg *error)
{
	const struct plugin_manifest *manifest = account->plugin->manifest;
	json_node declared = json_at(manifest->json, manifest->root, "/secrets");
	int r = 0;

	account->secrets = calloc(spec->n_secrets + 1, sizeof(*account->secrets));
	if (!account->secrets)
		return err_origin(-ENOMEM);
	for (size_t i = 0; r == 0 && i < spec->n_secrets; i++)
		r = read_secret(account, &spec->secrets[i], error);
	if (r)
		return r;
	for (json_node n = json_first(manifest->json, declared); n; n = json_next(manifest->json, n)) {
		bool is_required = json_boolean(manifest->json, json_at(manifest->json, n, "/required"), false);

		if (!is_required || plugin_account_secret(account, json_name(manifest->json, n)))
			continue;
		errmsg_set(
			error,
			"the secret '%s' is not configured: add to the provider: secrets = { %s_file = \"/PATH/OF/ITS/FILE\"; }",
			json_name(manifest->json, n), json_name(manifest->json, n));
		return PLUGIN_ACCOUNT_E_SECRET;
	}
	return 0;
}

static int read_mint(struct plugin_account *account, struct errmsg *error)
{
	const struct plugin_auth *auth = plugin_manifest_minted(account->plugin->manifest);
	const char *secret = auth ? plugin_account_secret(account, auth->secret) : NULL;
	struct errmsg why;
	int r;

	if (!secret || account->is_replay)
		return 0;
	r = plugin_mint_new(auth, secret, &account->mint, &why);
	if (r > 0)
		errmsg_set(error, "%s", why.text);
	return r;
}

static int read_object(struct plugin_account *account, struct bytes text, const char *what, json_node *ret,
		       struct errmsg *error)
{
	int r;

	*ret = json_object(account->json);
	if (text.len == 0)
		return 0;
	r = json_parse(account->json, text, JSON_DUPLICATES_REFUSE, ret, NULL);
	if (r < 0)
		return r;
	if (r || json_kind(account->json, *ret) != JSON_KIND_OBJECT)
		return invalid(error, "%s are no JSON object", what);
	return 0;
}

static enum json_kind kind_of_option(const struct plugin_manifest *manifest, json_node option)
{
	json_node type = json_at(manifest->json, option, "/type");

	return json_text_is(manifest->json, type, "text")      ? JSON_KIND_TEXT
	       : json_text_is(manifest->json, type, "boolean") ? JSON_KIND_BOOLEAN
							       : JSON_KIND_NUMBER;
}

static int refuse_kind(const struct plugin_account *account, json_node option, json_node type, struct errmsg *error)
{
	_cleanup_(buffer_finish) struct buffer value = {0};
	int r = json_write(account->json, option, JSON_FORM_PLAIN, &value);

	if (r < 0)
		return err_trace(r);
	return invalid(error, "the option '%s' is %s, but must be a %s", json_name(account->json, option),
		       quote(value.data).text, json_string(account->plugin->manifest->json, type));
}

static int check_options(const struct plugin_account *account, json_node options, struct errmsg *error)
{
	const struct plugin_manifest *manifest = account->plugin->manifest;
	json_node declared = json_at(manifest->json, manifest->root, "/options");

	for (json_node n = json_first(account->json, options); n; n = json_next(account->json, n)) {
		json_node option = json_member(manifest->json, declared, json_key(account->json, n));

		if (!option)
			return invalid(error, "plugin '%s' has no option '%s'; %s", manifest->name,
				       quote(json_name(account->json, n)).text, names_of(manifest, "/options").text);
		if (json_kind(account->json, n) != kind_of_option(manifest, option))
			return refuse_kind(account, n, json_at(manifest->json, option, "/type"), error);
	}
	return 0;
}

/* Options that are not configured get their default; one that is required and has none is missing. */
static int complete_options(struct plugin_account *account, json_node options, struct errmsg *error)
{
	const struct plugin_manifest *manifest = account->plugin->manifest;
	json_node declared = json_at(manifest->json, manifest->root, "/options");

	for (json_node n = json_first(manifest->json, declared); n; n = json_next(manifest->json, n)) {
		struct bytes name = json_key(manifest->json, n);
		json_node value = json_at(manifest->json, n, "/default");

		if (json_member(account->json, options, name))
			continue;
		if (!value && json_boolean(manifest->json, json_at(manifest->json, n, "/required"), false))
			return invalid(error, "the option '%s' is not configured: write it into the provider's options",
				       json_name(manifest->json, n));
		json_set(account->json, options, name, json_copy(account->json, manifest->json, value));
	}
	return 0;
}

static int build_document(struct plugin_account *account, const struct plugin_account_spec *spec, struct errmsg *error)
{
	json_node options;
	int r;

	account->json = json_new(NULL);
	if (!account->json)
		return err_origin(-ENOMEM);
	account->document = json_object(account->json);
	r = read_object(account, spec->options, "the options", &options, error);
	if (r == 0)
		r = check_options(account, options, error);
	if (r == 0)
		r = complete_options(account, options, error);
	if (r)
		return r;
	json_put(account->json, account->document, "/id", json_make_text(account->json, bytes_of_text(account->id)));
	json_put(account->json, account->document, "/base_url",
		 json_make_text(account->json, bytes_of_text(account->base_url)));
	json_put(account->json, account->document, "/options", options);
	return json_fault(account->json) ? err_origin(-ENOMEM) : 0;
}

int plugin_account_new(const struct plugin *plugin, const struct plugin_account_spec *spec, struct plugin_account **ret,
		       struct errmsg *error)
{
	_cleanup_(plugin_account_freep) struct plugin_account *account = calloc(1, sizeof(*account));
	bool has_base_url = spec->base_url && spec->base_url[0];
	int r;

	if (!account)
		return err_origin(-ENOMEM);
	account->plugin = plugin;
	account->is_replay = spec->is_replay;
	account->id = strdup(spec->id);
	if (!account->id)
		return err_origin(-ENOMEM);
	r = read_base_url(account, has_base_url ? spec->base_url : plugin->manifest->base_url, error);
	if (r == 0)
		r = read_origins(account, spec, error);
	if (r == 0)
		r = read_secrets(account, spec, error);
	if (r == 0)
		r = read_schemes(account, error);
	if (r == 0)
		r = read_mint(account, error);
	if (r == 0)
		r = build_document(account, spec, error);
	if (r)
		return r;
	*ret = steal(account);
	return 0;
}

/* What only proves the provider to us says nothing about whose account it is. */
static bool is_of_webhooks(const struct plugin_manifest *manifest, const char *secret)
{
	for (size_t i = 0; i < manifest->n_auths; i++)
		if (strcmp(manifest->auths[i].secret, secret) == 0)
			return false;
	return manifest->webhook.is_declared && strcmp(manifest->webhook.secret, secret) == 0;
}

/* In the manifest's order, whatever that of the configuration is. The key is long and random: its digest tells nothing. */
struct digest plugin_account_digest(const struct plugin_account *account)
{
	const struct plugin_manifest *manifest = account->plugin->manifest;
	json_node declared = json_at(manifest->json, manifest->root, "/secrets");
	struct digester *digester = digester_new();
	struct digest digest;

	if (!digester)
		abort();
	for (json_node n = json_first(manifest->json, declared); n; n = json_next(manifest->json, n)) {
		const char *name = json_name(manifest->json, n), *value = plugin_account_secret(account, name);

		if (is_of_webhooks(manifest, name))
			continue;
		digester_add(digester, name, strlen(name) + 1);
		if (value)
			digester_add(digester, value, strlen(value) + 1);
	}
	digest = digester_end(digester);
	digester_free(digester);
	return digest;
}

struct plugin_account *plugin_account_free(struct plugin_account *account)
{
	if (!account)
		return NULL;
	plugin_mint_free(account->mint);
	json_free(account->json);
	for (size_t i = 0; i < account->n_secrets; i++) {
		char *value = (char *)account->secrets[i].value;

		if (value)
			explicit_bzero(value, strlen(value));
		free(value);
		free((char *)account->secrets[i].name);
	}
	free(account->secrets);
	for (size_t i = 0; account->schemes && i < account->plugin->manifest->n_auths; i++)
		origins_finish(&account->schemes[i]);
	free(account->schemes);
	origins_finish(&account->origins);
	free(account->base_url);
	free(account->id);
	free(account);
	return NULL;
}

void plugin_account_freep(struct plugin_account **account)
{
	plugin_account_free(*account);
}

const char *plugin_account_base_url(const struct plugin_account *account)
{
	return account->base_url;
}
