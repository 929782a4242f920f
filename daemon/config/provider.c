#include "base/limits.h"
#include "config/walk.h"

#include <math.h>

static const struct {
	const char *ending;
	enum secret_source source;
} sources[] = {
	{"_file", SECRET_FILE},
	{"_env", SECRET_ENVIRONMENT},
	{"_credential", SECRET_CREDENTIAL},
};

/* Splits "api_key_file"; 0 bytes of stem when the ending is none of ours. */
static size_t split_name(const char *name, enum secret_source *ret)
{
	size_t len = strlen(name);

	for (size_t i = 0; i < sizeof(sources) / sizeof(sources[0]); i++) {
		size_t ending = strlen(sources[i].ending);

		if (len > ending && strcmp(name + len - ending, sources[i].ending) == 0) {
			*ret = sources[i].source;
			return len - ending;
		}
	}
	return 0;
}

static void wipe(struct buffer *buffer)
{
	if (buffer->data)
		explicit_bzero(buffer->data, buffer->capacity);
	buffer_finish(buffer);
}

/* One file may hold the key of several providers, and is to be mended once. */
static bool has_said(const struct config_report *report, const char *words)
{
	return report->lines.len && memmem(report->lines.data, report->lines.len, words, strlen(words));
}

/* @name has @stem bytes; there is room for one more. */
static int add_secret(struct walk *walk, struct spot spot, const char *name, size_t stem, enum secret_source source,
		      const char *where, struct config_keys *keys)
{
	struct config_secret *secret = &keys->secrets[keys->n_secrets];
	_cleanup_(wipe) struct buffer value = {0};
	struct errmsg why = {0};
	int r;

	/* At full size from the start: a buffer that grows leaves copies behind. */
	r = buffer_reserve(&value, LIMIT_SECRET);
	if (r == 0)
		r = walk->read(source, where, &value, &why);
	if (r < 0)
		return err_trace(r);
	if (r > 0) {
		walk_error(walk, spot, "%s", why.text);
		return 0;
	}
	if (why.text[0] && !has_said(walk->report, why.text))
		config_warning(walk->report, walk->path, spot.line, "%s: %s", spot.row->name, why.text);
	secret->name = bytes_dup_text(bytes_of(name, stem));
	if (!secret->name)
		return err_origin(-ENOMEM);
	secret->len = value.len;
	secret->value = steal(value.data);
	keys->n_secrets++;
	return 0;
}

static bool has_secret(const struct config_keys *keys, const char *name, size_t len)
{
	for (size_t i = 0; i < keys->n_secrets; i++)
		if (bytes_equal(bytes_of_text(keys->secrets[i].name), bytes_of(name, len)))
			return true;
	return false;
}

static int walk_secret(struct walk *walk, struct spot spot, const config_setting_t *setting, struct config_keys *keys)
{
	const char *name = config_setting_name(setting), *where = config_setting_get_string(setting);
	enum secret_source source = SECRET_FILE;
	size_t stem = split_name(name, &source);

	spot.line = config_setting_source_line(setting);
	if (stem == 0)
		walk_error(walk, spot, "'%.100s' says no place: end it with _file, _env or _credential", name);
	else if (!where || !*where)
		walk_error(walk, spot, "'%.100s' is no text: write %.100s = \"…\"", name, name);
	else if (has_secret(keys, name, stem))
		walk_error(walk, spot, "'%.*s' is given twice: keep one place", (int)(stem < 100 ? stem : 100), name);
	else
		return add_secret(walk, spot, name, stem, source, where, keys);
	return 0;
}

int walk_keys(struct walk *walk, struct spot spot, const config_setting_t *setting, int64_t max,
	      struct config_keys *keys)
{
	int n = setting ? config_setting_length(setting) : 0, r = 0;

	if (n > max) {
		walk_error(walk, spot, "has %d members: take up to %lld", n, (long long)max);
		return 0;
	}
	keys->secrets = calloc(n ? (size_t)n : 1, sizeof(*keys->secrets));
	if (!keys->secrets)
		return err_origin(-ENOMEM);
	for (int i = 0; i < n && r == 0; i++)
		r = walk_secret(walk, spot, config_setting_get_elem(setting, (unsigned int)i), keys);
	return r;
}

int walk_secrets(struct walk *walk, struct spot spot, const config_setting_t *setting, struct config_provider *provider)
{
	struct config_keys keys = {0};
	int r = walk_keys(walk, spot, setting, spot.row->max, &keys);

	provider->secrets = keys.secrets;
	provider->n_secrets = keys.n_secrets;
	return r;
}

int walk_previous_keys(struct walk *walk, struct spot spot, const config_setting_t *setting,
		       struct config_provider *provider)
{
	int n = setting ? config_setting_length(setting) : 0, r = 0;

	if (n > spot.row->max) {
		walk_error(walk, spot, "has %d members: take up to %lld", n, (long long)spot.row->max);
		return 0;
	}
	provider->previous_keys = calloc(n ? (size_t)n : 1, sizeof(*provider->previous_keys));
	if (!provider->previous_keys)
		return err_origin(-ENOMEM);
	for (int i = 0; i < n && r == 0; i++) {
		const config_setting_t *one = config_setting_get_elem(setting, (unsigned int)i);

		spot.line = config_setting_source_line(one);
		if (config_setting_is_group(one) && config_setting_length(one) > 0)
			r = walk_keys(walk, spot, one, LIMIT_CONFIG_SECRETS,
				      &provider->previous_keys[provider->n_previous_keys++]);
		else
			walk_error(walk, spot, "member %d names no secret: write ( { api_key_file = …; }, … )", i + 1);
	}
	return r;
}

static int append_value(struct walk *walk, struct spot spot, const config_setting_t *setting, struct buffer *json)
{
	double number;

	spot.line = config_setting_source_line(setting);
	switch (config_setting_type(setting)) {
	case CONFIG_TYPE_INT:
	case CONFIG_TYPE_INT64:
		return buffer_printf(json, "%lld", config_setting_get_int64(setting));
	case CONFIG_TYPE_BOOL:
		return buffer_append_text(json, config_setting_get_bool(setting) ? "true" : "false");
	case CONFIG_TYPE_FLOAT:
		number = config_setting_get_float(setting);
		if (isfinite(number))
			return buffer_printf(json, "%.17g", number);
		break;
	case CONFIG_TYPE_STRING:
		if (bytes_are_text(bytes_of_text(config_setting_get_string(setting))))
			return config_append_json(json, config_setting_get_string(setting));
		break;
	default:
		break;
	}
	walk_error(walk, spot, "'%.100s' is no number, text, true or false", config_setting_name(setting));
	return 0;
}

int walk_free(struct walk *walk, struct spot spot, const config_setting_t *setting, char **ret)
{
	_cleanup_(buffer_finish) struct buffer json = {0};
	int n = setting ? config_setting_length(setting) : 0, r;

	if (n > spot.row->max) {
		walk_error(walk, spot, "has %d members: take up to %lld", n, (long long)spot.row->max);
		return 0;
	}
	r = buffer_append_text(&json, "{");
	for (int i = 0; i < n && r == 0; i++) {
		const config_setting_t *member = config_setting_get_elem(setting, (unsigned int)i);

		r = buffer_append_text(&json, i ? "," : "");
		if (r == 0)
			r = config_append_json(&json, config_setting_name(member));
		if (r == 0)
			r = buffer_append_text(&json, ":");
		if (r == 0)
			r = append_value(walk, spot, member, &json);
	}
	if (r == 0)
		r = buffer_append_text(&json, "}");
	if (r == 0)
		*ret = steal(json.data);
	return r;
}

static void check_plain(struct walk *walk, const struct config_provider *provider, unsigned int line, const char *name,
			const char *url)
{
	if (!provider->allow_private_network && strncmp(url, "http:", 5) == 0)
		config_error(walk->report, walk->path, line,
			     "%s: '%.200s' would send the key without TLS: write https, or for a simulator set "
			     "allow_private_network = true",
			     name, url);
}

void walk_check_provider(struct walk *walk, const struct config *config, size_t index, unsigned int line)
{
	const struct config_provider *provider = &config->providers[index];

	for (size_t i = 0; i < index && provider->id; i++)
		if (config->providers[i].id && strcmp(config->providers[i].id, provider->id) == 0)
			config_error(walk->report, walk->path, line,
				     "providers.id: '%s' is taken by another provider: choose a new one", provider->id);
	if (provider->poll.max_ms && provider->poll.initial_ms > provider->poll.max_ms)
		config_error(walk->report, walk->path, line,
			     "providers.poll.initial_ms: %lld is above max_ms %lld: lower it or raise the other",
			     (long long)provider->poll.initial_ms, (long long)provider->poll.max_ms);
	if (provider->base_url)
		check_plain(walk, provider, line, "providers.base_url", provider->base_url);
	for (size_t i = 0; i < provider->origins.n; i++)
		check_plain(walk, provider, line, "providers.origins", provider->origins.items[i]);
}
