#include "plugin/webhook.h"

#include "base/base64.h"
#include "base/limits.h"
#include "plugin/account_inside.h"

/* Headers that a call lacks are NULL. */
struct signed_parts {
	const char *id;
	const char *timestamp;
	struct bytes body;
};

static const char *header_of(const struct plugin_webhook_call *call, const char *name)
{
	const char *value = *name ? call->header(call->userdata, name) : NULL;

	return value && *value ? value : NULL;
}

/* 0, PLUGIN_WEBHOOK_E_SECRET or -ENOMEM. */
static int make_key(const struct plugin_webhook *recipe, const char *secret, struct buffer *key)
{
	size_t prefix = strlen(recipe->key_prefix);
	int r;

	if (strncmp(secret, recipe->key_prefix, prefix) == 0)
		secret += prefix;
	if (!recipe->is_key_base64)
		r = buffer_append(key, secret, strlen(secret));
	else
		r = base64_read(bytes_of_text(secret), key);
	if (r < 0)
		return r;
	return r || key->len == 0 ? PLUGIN_WEBHOOK_E_SECRET : 0;
}

/* The manifest was checked: {id}, {timestamp} and {body} are all that stands in braces. */
static int add_part(const char **at, const struct signed_parts *parts, struct buffer *out)
{
	const char *names[] = {"{id}", "{timestamp}", "{body}"};
	const struct bytes values[] = {bytes_of_text(parts->id ? parts->id : ""),
				       bytes_of_text(parts->timestamp ? parts->timestamp : ""), parts->body};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strncmp(*at, names[i], strlen(names[i])) != 0)
			continue;
		*at += strlen(names[i]);
		return buffer_append(out, values[i].data, values[i].len);
	}
	return buffer_append(out, (*at)++, 1);
}

static int make_signed(const struct plugin_webhook *recipe, const struct signed_parts *parts, struct buffer *out)
{
	const char *at = recipe->signs;
	int r = 0;

	while (r == 0 && *at)
		r = add_part(&at, parts, out);
	return r;
}

static bool is_near(const struct plugin_webhook *recipe, const char *timestamp, int64_t now_ms)
{
	int64_t s = 0;
	char *end;

	errno = 0;
	s = strtoll(timestamp, &end, 10);
	if (errno || *end || s < 0 || s > INT64_MAX / 1000)
		return false;
	return llabs(now_ms / 1000 - s) <= recipe->tolerance_s;
}

/* One of them must be right, during a change of secrets: "v1,AAA= v1,BBB=". Others, such as "v2,…", are passed over. */
static bool has_signature(const struct plugin_webhook *recipe, const char *signatures, const char *right)
{
	size_t prefix = strlen(recipe->prefix);
	bool is_found = false;

	for (const char *at = signatures; *at;) {
		size_t len = strcspn(at, " ");

		if (strncmp(at, recipe->prefix, prefix) == 0 && len >= prefix)
			is_found |= bytes_equal_secret(bytes_of(at + prefix, len - prefix), bytes_of_text(right));
		at += len + strspn(at + len, " ");
	}
	return is_found;
}

static int write_signature(const struct plugin_webhook *recipe, const struct digest *mac, struct buffer *out)
{
	char hex[DIGEST_TEXT_SIZE];

	if (recipe->is_base64)
		return base64_append(out, bytes_of(mac->bytes, sizeof(mac->bytes)));
	digest_format(mac, hex);
	return buffer_append(out, hex, sizeof(hex));
}

static void forget(struct buffer *key)
{
	if (key->data)
		explicit_bzero(key->data, key->capacity);
	buffer_finish(key);
}

static int check_signature(const struct plugin_webhook *recipe, const char *secret, const struct signed_parts *parts,
			   const char *signatures)
{
	_cleanup_(forget) struct buffer key = {0};
	_cleanup_(buffer_finish) struct buffer message = {0}, right = {0};
	struct digest mac;
	int r = make_key(recipe, secret, &key);

	if (r == 0)
		r = make_signed(recipe, parts, &message);
	if (r)
		return r;
	mac = digest_hmac(buffer_bytes(&key), buffer_bytes(&message));
	r = write_signature(recipe, &mac, &right);
	if (r < 0)
		return r;
	return has_signature(recipe, signatures, right.data) ? 0 : PLUGIN_WEBHOOK_E_FORGED;
}

int plugin_webhook_verify(const struct plugin_account *account, const struct plugin_webhook_call *call, int64_t now_ms,
			  const char **ret_id)
{
	const struct plugin_webhook *recipe = &plugin_manifest(account->plugin)->webhook;

	return plugin_webhook_verify_with(account->plugin,
					  recipe->is_declared ? plugin_account_secret(account, recipe->secret) : NULL,
					  call, now_ms, ret_id);
}

int plugin_webhook_verify_with(const struct plugin *plugin, const char *secret, const struct plugin_webhook_call *call,
			       int64_t now_ms, const char **ret_id)
{
	const struct plugin_webhook *recipe = &plugin_manifest(plugin)->webhook;
	struct signed_parts parts = {.body = call->body};
	const char *signatures;
	int r;

	if (!secret || !recipe->is_declared)
		return recipe->is_declared ? PLUGIN_WEBHOOK_E_SECRET : PLUGIN_WEBHOOK_E_UNDECLARED;
	parts.id = header_of(call, recipe->id_header);
	parts.timestamp = header_of(call, recipe->timestamp_header);
	signatures = header_of(call, recipe->signature_header);
	if (!signatures || (*recipe->timestamp_header && !parts.timestamp) || (*recipe->id_header && !parts.id))
		return PLUGIN_WEBHOOK_E_UNSIGNED;
	if (parts.timestamp && !is_near(recipe, parts.timestamp, now_ms))
		return PLUGIN_WEBHOOK_E_STALE;
	r = check_signature(recipe, secret, &parts, signatures);
	if (r == 0)
		*ret_id = parts.id;
	return r;
}

bool plugin_webhook_is_configured(const struct plugin_account *account)
{
	const struct plugin_webhook *recipe = &plugin_manifest(account->plugin)->webhook;

	return recipe->is_declared && plugin_account_secret(account, recipe->secret) != NULL;
}

int plugin_webhook_capture(const struct plugin_manifest *manifest, struct buffer *body, char **ret_secret)
{
	_cleanup_(json_freep) struct json *json = json_new(NULL);
	struct buffer left = {0};
	json_node root, secret;
	char *copy;
	int r;

	*ret_secret = NULL;
	if (!json)
		return err_origin(-ENOMEM);
	if (!*manifest->webhook.secret_pointer || body->len == 0)
		return 0;
	r = json_parse(json, buffer_bytes(body), JSON_DUPLICATES_LAST_WINS, &root, NULL);
	if (r)
		return r < 0 ? err_trace(r) : 0;
	secret = json_at(json, root, manifest->webhook.secret_pointer);
	if (json_kind(json, secret) != JSON_KIND_TEXT || json_text(json, secret).len == 0 ||
	    json_text(json, secret).len > LIMIT_SECRET || !bytes_are_one_line(json_text(json, secret)))
		return 0;
	copy = bytes_dup_text(json_text(json, secret));
	if (!copy)
		return err_origin(-ENOMEM);
	json_put(json, root, manifest->webhook.secret_pointer, json_make_text(json, bytes_of_text("")));
	if (json_fault(json) != 0 || json_write(json, root, JSON_FORM_PLAIN, &left) != 0) {
		explicit_bzero(copy, strlen(copy));
		free(copy);
		buffer_finish(&left);
		return err_origin(-ENOMEM);
	}
	forget(body);
	*body = left;
	*ret_secret = copy;
	return 0;
}
