/*
 * The list of webhooks.
 */
#include "base/base64.h"
#include "base/err.h"
#include "base/limits.h"
#include "config/walk.h"

#define SECRET_PREFIX "whsec_"
#define SECRET_BYTES_MIN 24
#define SECRET_BYTES_MAX 64

int walk_webhooks(struct walk *walk, struct spot spot, const config_setting_t *setting, struct config *config)
{
	size_t n = setting ? (size_t)config_setting_length(setting) : 0;
	int r = 0;

	if (n > (size_t)spot.row->max) {
		walk_error(walk, spot, "has %zu members: take up to %lld", n, (long long)spot.row->max);
		return 0;
	}
	config->webhooks = calloc(n + 1, sizeof(*config->webhooks));
	if (!config->webhooks)
		return err_origin(-ENOMEM);
	while (r == 0 && config->n_webhooks < n) {
		size_t index = config->n_webhooks++;
		const config_setting_t *one = config_setting_get_elem(setting, (unsigned int)index);

		spot.line = config_setting_source_line(one);
		config->webhooks[index].line = spot.line;
		if (config_setting_is_group(one))
			r = walk_group(walk, "webhooks.", one, spot.line, &config->webhooks[index]);
		else
			walk_error(walk, spot, "member %zu is no group: write ( { name = …; url = …; }, … )",
				   index + 1);
	}
	return r;
}

static bool is_signing_secret(const struct config_secret *secret)
{
	struct buffer key = {0};
	size_t prefix = strlen(SECRET_PREFIX);
	bool is_one = secret->len > prefix && memcmp(secret->value, SECRET_PREFIX, prefix) == 0 &&
		      base64_read(bytes_of(secret->value + prefix, secret->len - prefix), &key) == 0 &&
		      key.len >= SECRET_BYTES_MIN && key.len <= SECRET_BYTES_MAX;

	if (key.data)
		explicit_bzero(key.data, key.capacity);
	buffer_finish(&key);
	return is_one;
}

int walk_signing(struct walk *walk, struct spot spot, const config_setting_t *setting, struct config_webhook *webhook)
{
	size_t before = walk->report->errors;
	int r = walk_keys(walk, spot, setting, spot.row->max, &webhook->signing);

	if (r < 0)
		return r;
	for (size_t i = 0; i < webhook->signing.n_secrets; i++)
		if (!is_signing_secret(&webhook->signing.secrets[i]))
			walk_error(
				walk, spot,
				"'%.100s' is no secret to sign with: it has the form whsec_BASE64, of %d to %d bytes; "
				"make one with: echo whsec_$(openssl rand -base64 32)",
				webhook->signing.secrets[i].name, SECRET_BYTES_MIN, SECRET_BYTES_MAX);
	if (webhook->signing.n_secrets == 0 && walk->report->errors == before)
		walk_error(walk, spot, "names no secret: without one nobody can tell our messages from others'");
	return 0;
}

void walk_check_webhooks(struct walk *walk, const struct config *config)
{
	const struct config_webhook *open = NULL;

	for (size_t i = 0; i < config->n_webhooks; i++) {
		const struct config_webhook *webhook = &config->webhooks[i];

		for (size_t k = 0; k < i && webhook->name; k++)
			if (config->webhooks[k].name && strcmp(config->webhooks[k].name, webhook->name) == 0)
				config_error(walk->report, walk->path, webhook->line,
					     "webhooks.name: '%s' is there twice: give each its own name",
					     webhook->name);
		if (!webhook->url && open)
			config_error(walk->report, walk->path, webhook->line,
				     "webhooks.url: a second entry has none: one is enough for what orders name");
		if (!webhook->url)
			open = webhook;
		if (webhook->url && strncmp(webhook->url, "http://", 7) == 0 && !webhook->allow_private_network)
			config_error(walk->report, walk->path, webhook->line,
				     "webhooks.url: '%.100s' goes over http: write https://, or set "
				     "allow_private_network for one of your own network",
				     webhook->url);
	}
}
