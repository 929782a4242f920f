#include "config/config.h"

#include "base/limits.h"
#include "config/walk.h"

#include <fcntl.h>
#include <sys/stat.h>

static void free_texts(struct config_texts *texts)
{
	for (size_t i = 0; i < texts->n; i++)
		free(texts->items[i]);
	free(texts->items);
}

static void free_secret(struct config_secret *secret)
{
	if (secret->value)
		explicit_bzero(secret->value, secret->len);
	free(secret->value);
	free(secret->name);
}

static void finish_keys(struct config_keys *keys)
{
	for (size_t i = 0; i < keys->n_secrets; i++)
		free_secret(&keys->secrets[i]);
	free(keys->secrets);
}

static void finish_price(struct config_price *price)
{
	free(price->model);
	free_texts(&price->when);
	free(price->amount);
	free(price->currency);
	free(price->from);
	free(price->until);
}

static void finish_budget(struct config_budget *budget)
{
	free(budget->name);
	free(budget->amount);
	free(budget->currency);
	free(budget->provider);
	free(budget->label);
}

static void finish_webhook(struct config_webhook *webhook)
{
	free(webhook->name);
	free(webhook->url);
	finish_keys(&webhook->signing);
	free_texts(&webhook->events);
	free(webhook->retries);
}

static void finish_provider(struct config_provider *provider)
{
	for (size_t i = 0; i < provider->n_prices; i++)
		finish_price(&provider->prices[i]);
	free(provider->prices);
	free(provider->price_table);
	free(provider->options);
	for (size_t i = 0; i < provider->n_secrets; i++)
		free_secret(&provider->secrets[i]);
	free(provider->secrets);
	for (size_t i = 0; i < provider->n_previous_keys; i++)
		finish_keys(&provider->previous_keys[i]);
	free(provider->previous_keys);
	free_texts(&provider->origins);
	free(provider->base_url);
	free(provider->plugin);
	free(provider->id);
}

struct config *config_free(struct config *config)
{
	if (!config)
		return NULL;
	for (size_t i = 0; i < config->n_providers; i++)
		finish_provider(&config->providers[i]);
	free(config->providers);
	for (size_t i = 0; i < config->n_budgets; i++)
		finish_budget(&config->budgets[i]);
	free(config->budgets);
	for (size_t i = 0; i < config->n_webhooks; i++)
		finish_webhook(&config->webhooks[i]);
	free(config->webhooks);
	free_texts(&config->plugin_dirs);
	free_texts(&config->web.hosts);
	free_texts(&config->web.origins);
	free_texts(&config->web.models);
	free(config->http.ca_bundle);
	free(config->http.proxy);
	free(config->listen.unix_socket);
	free(config->listen.grpc);
	free(config->listen.http);
	free(config->web.url);
	free(config->record_dir);
	free(config->data_dir);
	free(config);
	return NULL;
}

void config_freep(struct config **config)
{
	config_free(*config);
}

/* Fills the inert @config from a parsed file. */
static int read_settings(struct walk *walk, const config_t *file, struct config *config)
{
	size_t errors = walk->report->errors;
	int r = walk_group(walk, "", config_root_setting(file), 0, config);

	if (r < 0)
		return err_trace(r);
	if (walk->report->errors == errors && !config->listen.grpc && !config->listen.unix_socket)
		config_error(walk->report, walk->path, 0,
			     "listen: both grpc and unix are empty: nobody could reach the daemon, so open one");
	if (walk->report->errors == errors)
		walk_check_budgets(walk, config);
	if (walk->report->errors == errors)
		walk_check_webhooks(walk, config);
	return walk->report->errors > errors ? CONFIG_E_INVALID : 0;
}

int config_parse(struct bytes text, const char *path, secret_read_fn *read, struct config **ret,
		 struct config_report *report)
{
	_cleanup_(config_freep) struct config *config = calloc(1, sizeof(*config));
	_cleanup_(buffer_finish) struct buffer prepared = {0};
	_cleanup_(config_destroy) config_t file;
	struct walk walk = {.path = path, .read = read, .report = report};
	int r;

	config_init(&file);
	if (!config)
		return err_origin(-ENOMEM);
	r = config_text_prepare(text, path, &prepared, report);
	if (r == 0 && config_read_string(&file, prepared.data) != CONFIG_TRUE) {
		config_error(report, path, (unsigned int)config_error_line(&file), "%s", config_error_text(&file));
		r = CONFIG_E_INVALID;
	}
	if (r == 0)
		r = read_settings(&walk, &file, config);
	if (r == 0)
		*ret = steal(config);
	return r;
}

/* Appends the file to @ret, up to one byte beyond the limit. CONFIG_E_INVALID: it is a pipe, say, that may never end. */
static int read_file(const char *path, struct buffer *ret)
{
	_cleanup_(closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct stat stat;
	ssize_t n = 1;

	if (fd < 0 || fstat(fd, &stat) < 0)
		return -errno;
	if (!S_ISREG(stat.st_mode) && !S_ISDIR(stat.st_mode))
		return CONFIG_E_INVALID;
	while (n > 0 && ret->len <= LIMIT_CONFIG_BYTES) {
		int r = buffer_reserve(ret, 65536);

		if (r < 0)
			return r;
		n = read(fd, ret->data + ret->len, 65536);
		if (n < 0)
			return -errno;
		ret->len += (size_t)n;
	}
	return 0;
}

int config_load(const char *path, struct config **ret, struct config_report *report)
{
	_cleanup_(buffer_finish) struct buffer text = {0};
	char scratch[128];
	int r = read_file(path, &text);

	if (r == -ENOMEM)
		return err_trace(r);
	if (r > 0) {
		config_error(report, path, 0, "is no regular file: name one that holds the configuration");
		return r;
	}
	if (r < 0) {
		config_error(report, path, 0, "cannot be read: %s; filmgated --print-config writes a sample",
			     strerror_r(-r, scratch, sizeof(scratch)));
		return CONFIG_E_INVALID;
	}
	if (text.len > LIMIT_CONFIG_BYTES) {
		config_error(report, path, 0, "has more than %d bytes: that is no configuration", LIMIT_CONFIG_BYTES);
		return CONFIG_E_INVALID;
	}
	return config_parse(buffer_bytes(&text), path, secret_read, ret, report);
}
