#include "plugin/manifest.h"

#include "base/limits.h"
#include "plugin/manifest_shape.h"
#include "plugin/url.h"

#include <assert.h>

static const char *text_at(const struct plugin_manifest *manifest, json_node node, const char *pointer)
{
	return json_string(manifest->json, json_at(manifest->json, node, pointer));
}

static int64_t ms_at(const struct plugin_manifest *manifest, const char *pointer, int64_t fallback)
{
	return json_integer(manifest->json, json_at(manifest->json, manifest->root, pointer), fallback);
}

/* The position of a text among @words, or 0. */
static unsigned int word_at(const struct plugin_manifest *manifest, json_node node, const char *pointer,
			    const char *const *words)
{
	json_node value = json_at(manifest->json, node, pointer);

	for (unsigned int i = 0; words[i]; i++)
		if (json_text_is(manifest->json, value, words[i]))
			return i;
	return 0;
}

static int check_features(const struct plugin_manifest *manifest, struct errmsg *error)
{
	json_node list = json_at(manifest->json, manifest->root, "/requires");

	for (json_node n = json_first(manifest->json, list); n; n = json_next(manifest->json, n)) {
		const struct plugin_feature *feature = plugin_features;

		while (feature->name && !json_text_is(manifest->json, n, feature->name))
			feature++;
		if (!feature->name || !feature->is_offered) {
			errmsg_set(error, "it requires '%s', and this daemon cannot %s", json_string(manifest->json, n),
				   feature->name ? feature->what : "do that");
			return PLUGIN_MANIFEST_E_FEATURE;
		}
	}
	return 0;
}

/* A header scheme needs a name, one that needs a secret must name one that is declared. */
static int check_auth(const struct plugin_manifest *manifest, const struct plugin_auth *auth, struct errmsg *error)
{
	json_node secrets = json_at(manifest->json, manifest->root, "/secrets");
	bool needs_name = auth->kind == PLUGIN_AUTH_HEADER || auth->kind == PLUGIN_AUTH_QUERY;

	if (needs_name && !auth->name[0]) {
		errmsg_set(error, "/auth/%s: lacks the member 'name'", auth->scheme);
		return PLUGIN_MANIFEST_E_INVALID;
	}
	if (auth->kind == PLUGIN_AUTH_GOOGLE && (!auth->scope[0] || auth != plugin_manifest_minted(manifest))) {
		errmsg_set(error, "/auth/%s: %s", auth->scheme,
			   auth->scope[0] ? "a manifest has at most one scheme of this kind"
					  : "lacks the member 'scope'");
		return PLUGIN_MANIFEST_E_INVALID;
	}
	if (auth->kind != PLUGIN_AUTH_NONE && !json_member(manifest->json, secrets, bytes_of_text(auth->secret))) {
		errmsg_set(error, "/auth/%s: the secret '%s' is not declared in /secrets", auth->scheme, auth->secret);
		return PLUGIN_MANIFEST_E_INVALID;
	}
	return 0;
}

static int read_auths(struct plugin_manifest *manifest, struct errmsg *error)
{
	static const char *const kinds[] = {"none", "header", "bearer", "basic", "query", "google_service_account",
					    NULL};
	json_node list = json_at(manifest->json, manifest->root, "/auth");
	int r = 0;

	manifest->auths = calloc(json_count(manifest->json, list) + 1, sizeof(*manifest->auths));
	if (!manifest->auths)
		return err_origin(-ENOMEM);
	for (json_node n = json_first(manifest->json, list); r == 0 && n; n = json_next(manifest->json, n)) {
		struct plugin_auth *auth = &manifest->auths[manifest->n_auths++];

		*auth = (struct plugin_auth){
			.scheme = json_name(manifest->json, n),
			.kind = (enum plugin_auth_kind)word_at(manifest, n, "/kind", kinds),
			.name = text_at(manifest, n, "/name"),
			.prefix = text_at(manifest, n, "/prefix"),
			.secret = text_at(manifest, n, "/secret"),
			.scope = text_at(manifest, n, "/scope"),
			.origins = json_at(manifest->json, n, "/origins"),
		};
		r = check_auth(manifest, auth, error);
	}
	return r;
}

static int refuse_webhook(const char *why, const char *what, struct errmsg *error)
{
	errmsg_set(error, "/webhook/%s '%s'", why, what);
	return PLUGIN_MANIFEST_E_INVALID;
}

/* What is signed names the parts of the call, the body among them, and only what the call has. */
static int check_signs(const struct plugin_webhook *webhook, struct errmsg *error)
{
	const char *at = webhook->signs;

	if (!strstr(webhook->signs, "{body}"))
		return refuse_webhook("signs: the body is not in", webhook->signs, error);
	for (at = strpbrk(at, "{}"); at; at = strpbrk(at + 1, "{}")) {
		bool is_part = (strncmp(at, "{id}", 4) == 0 && *webhook->id_header) ||
			       (strncmp(at, "{timestamp}", 11) == 0 && *webhook->timestamp_header) ||
			       strncmp(at, "{body}", 6) == 0;

		if (!is_part)
			return refuse_webhook("signs: {body}, and {id} and {timestamp} where their headers are named, "
					      "may stand in braces; not",
					      at, error);
		at = strchr(at, '}');
	}
	return 0;
}

static int read_webhook(struct plugin_manifest *manifest, struct errmsg *error)
{
	json_node node = json_at(manifest->json, manifest->root, "/webhook");
	json_node secrets = json_at(manifest->json, manifest->root, "/secrets");
	static const char *const keys[] = {"raw", "base64", NULL}, *const signatures[] = {"hex", "base64", NULL};

	manifest->webhook = (struct plugin_webhook){
		.is_declared = node != 0,
		.is_key_base64 = word_at(manifest, node, "/key/encoding", keys),
		.is_base64 = word_at(manifest, node, "/signature/encoding", signatures),
		.secret = text_at(manifest, node, "/secret"),
		.key_prefix = text_at(manifest, node, "/key/prefix"),
		.signature_header = text_at(manifest, node, "/signature/header"),
		.prefix = text_at(manifest, node, "/signature/prefix"),
		.signs = text_at(manifest, node, "/signs"),
		.timestamp_header = text_at(manifest, node, "/timestamp/header"),
		.id_header = text_at(manifest, node, "/id/header"),
		.secret_pointer = text_at(manifest, node, "/register/secret"),
		.tolerance_s = json_integer(manifest->json, json_at(manifest->json, node, "/timestamp/tolerance_s"), 0),
	};
	if (!node)
		return 0;
	if (!json_member(manifest->json, secrets, bytes_of_text(manifest->webhook.secret)))
		return refuse_webhook("secret: /secrets does not declare", manifest->webhook.secret, error);
	return check_signs(&manifest->webhook, error);
}

static void read_numbers(struct plugin_manifest *manifest)
{
	static const char *const scopes[] = {"", "route", "account", NULL};

	manifest->state_version = (uint32_t)ms_at(manifest, "/state_version", 1);
	manifest->key_window_ms = ms_at(manifest, "/idempotency/window_s", 0) * 1000;
	manifest->key_scope = (enum plugin_scope)word_at(manifest, manifest->root, "/idempotency/scope", scopes);
	manifest->poll_min_ms = ms_at(manifest, "/poll/min_ms", 5000);
	manifest->poll_first_ms = ms_at(manifest, "/poll/first_ms", manifest->poll_min_ms);
	manifest->poll_max_ms = ms_at(manifest, "/poll/max_ms", 30000);
	if (manifest->poll_max_ms < manifest->poll_min_ms)
		manifest->poll_max_ms = manifest->poll_min_ms;
	manifest->concurrency = (uint32_t)ms_at(manifest, "/concurrency/default", 1);
	manifest->buys_timeout_ms = ms_at(manifest, "/timeouts/buys_ms", 0);
	manifest->safe_timeout_ms = ms_at(manifest, "/timeouts/safe_ms", 0);
}

static int check_origin(const struct plugin_manifest *manifest, json_node node, const char *where, struct errmsg *error)
{
	struct plugin_url url;

	if (plugin_url_parse(json_text(manifest->json, node), &url) == 0 && url.path.len == 0 && !url.has_query)
		return 0;
	errmsg_set(error, "%s: '%s' is not an origin such as https://api.example.com", where,
		   json_string(manifest->json, node));
	return PLUGIN_MANIFEST_E_INVALID;
}

static int check_origins(const struct plugin_manifest *manifest, json_node list, const char *where,
			 struct errmsg *error)
{
	int r = 0;

	for (json_node n = json_first(manifest->json, list); r == 0 && n; n = json_next(manifest->json, n))
		r = check_origin(manifest, n, where, error);
	return r;
}

static int check_urls(const struct plugin_manifest *manifest, struct errmsg *error)
{
	struct plugin_url url;
	int r;

	if (plugin_url_parse(bytes_of_text(manifest->base_url), &url) || url.has_query) {
		errmsg_set(error, "/base_url: '%s' is not a URL without a query", manifest->base_url);
		return PLUGIN_MANIFEST_E_INVALID;
	}
	r = check_origins(manifest, manifest->origins, "/origins", error);
	for (size_t i = 0; r == 0 && i < manifest->n_auths; i++)
		r = check_origins(manifest, manifest->auths[i].origins, "/auth/…/origins", error);
	return r;
}

static int read_models(struct plugin_manifest *manifest, struct errmsg *error)
{
	int r = job_capabilities_new(bytes_of_text(manifest->text), &manifest->capabilities, error);

	return r < 0 ? err_trace(r) : r ? PLUGIN_MANIFEST_E_INVALID : 0;
}

static int read_document(struct plugin_manifest *manifest, struct errmsg *error)
{
	int r = read_auths(manifest, error);

	manifest->name = text_at(manifest, manifest->root, "/name");
	manifest->title = text_at(manifest, manifest->root, "/title");
	manifest->version = text_at(manifest, manifest->root, "/version");
	manifest->base_url = text_at(manifest, manifest->root, "/base_url");
	manifest->origins = json_at(manifest->json, manifest->root, "/origins");
	manifest->headers = json_at(manifest->json, manifest->root, "/headers");
	manifest->catalogue = json_at(manifest->json, manifest->root, "/catalogue");
	if (json_at(manifest->json, manifest->root, "/request_id_header"))
		manifest->request_id_header = text_at(manifest, manifest->root, "/request_id_header");
	read_numbers(manifest);
	if (r == 0)
		r = read_webhook(manifest, error);
	if (r == 0)
		r = check_urls(manifest, error);
	if (r == 0)
		r = read_models(manifest, error);
	if (r == 0)
		r = check_features(manifest, error);
	return r;
}

int plugin_manifest_parse(struct bytes text, struct plugin_manifest **ret, struct errmsg *error)
{
	_cleanup_(plugin_manifest_freep) struct plugin_manifest *manifest = calloc(1, sizeof(*manifest));
	int r;

	if (!manifest)
		return err_origin(-ENOMEM);
	manifest->json = json_new(NULL);
	if (!manifest->json)
		return err_origin(-ENOMEM);
	r = json_parse(manifest->json, text, JSON_DUPLICATES_REFUSE, &manifest->root, error);
	if (r < 0)
		return err_trace(r);
	if (r == 0)
		r = plugin_shape_check(manifest->json, manifest->root, &plugin_manifest_shape, error);
	if (r)
		return r < 0 ? err_trace(r) : PLUGIN_MANIFEST_E_INVALID;
	manifest->text = json_string(manifest->json, json_make_text(manifest->json, text));
	if (json_fault(manifest->json))
		return err_origin(-ENOMEM);
	r = read_document(manifest, error);
	if (r)
		return r;
	*ret = steal(manifest);
	return 0;
}

struct plugin_manifest *plugin_manifest_free(struct plugin_manifest *manifest)
{
	if (!manifest)
		return NULL;
	job_capabilities_free(manifest->capabilities);
	free(manifest->auths);
	json_free(manifest->json);
	free(manifest);
	return NULL;
}

void plugin_manifest_freep(struct plugin_manifest **manifest)
{
	plugin_manifest_free(*manifest);
}

bool plugin_manifest_reads_state(const struct plugin_manifest *manifest, uint32_t version)
{
	json_node list = json_at(manifest->json, manifest->root, "/reads_state_versions");

	for (json_node n = json_first(manifest->json, list); n; n = json_next(manifest->json, n))
		if (json_integer(manifest->json, n, -1) == version)
			return true;
	return version == manifest->state_version;
}

/* An asterisk stands for what is between two slashes, and is never empty. */
static bool is_of_form(const char *id, const char *form)
{
	for (; *form; form++) {
		size_t len = *form == '*' ? strcspn(id, "/ \t") : *form == *id;

		if (len == 0)
			return false;
		id += len;
	}
	return *id == '\0';
}

bool plugin_manifest_takes_remote(const struct plugin_manifest *manifest, const char *id, struct errmsg *ret_forms)
{
	json_node list = json_at(manifest->json, manifest->root, "/remote_ids");
	_cleanup_(buffer_finish) struct buffer forms = {.limit = sizeof(ret_forms->text)};
	bool takes = list == JSON_ABSENT;

	for (json_node n = json_first(manifest->json, list); n; n = json_next(manifest->json, n)) {
		takes = takes || is_of_form(id, json_string(manifest->json, n));
		buffer_printf(&forms, "%s%s", forms.len ? " or " : "", json_string(manifest->json, n));
	}
	errmsg_set(ret_forms, "%s", forms.len ? forms.data : "");
	return takes;
}

const struct plugin_auth *plugin_manifest_auth(const struct plugin_manifest *manifest, const char *scheme)
{
	for (size_t i = 0; i < manifest->n_auths; i++)
		if (strcmp(manifest->auths[i].scheme, scheme) == 0)
			return &manifest->auths[i];
	return NULL;
}

const struct plugin_auth *plugin_manifest_minted(const struct plugin_manifest *manifest)
{
	for (size_t i = 0; i < manifest->n_auths; i++)
		if (manifest->auths[i].kind == PLUGIN_AUTH_GOOGLE)
			return &manifest->auths[i];
	return NULL;
}
