/*
 * The one walker. It goes through the rows of a group, not through the file: each row finds its setting or takes its
 * default, so nothing is left unset, and what remains in the file is a name that no row has.
 */
#include "config/walk.h"

#include "base/limits.h"

#define BIT(type) (1U << (type))

typedef int take_fn(struct walk *walk, struct spot spot, const config_setting_t *setting, void *base);

static unsigned int line_of(const config_setting_t *setting)
{
	return config_setting_source_line(setting);
}

static void *field_of(struct spot spot, void *base)
{
	return (char *)base + spot.row->offset;
}

static int take_integer(struct walk *walk, struct spot spot, const config_setting_t *setting, void *base)
{
	int64_t value = setting ? config_setting_get_int64(setting) : strtoll(spot.row->fallback, NULL, 10);

	if (value < spot.row->min || value > spot.row->max)
		walk_error(walk, spot, "%lld is out of range: take %lld to %lld", (long long)value,
			   (long long)spot.row->min, (long long)spot.row->max);
	*(int64_t *)field_of(spot, base) = value;
	return 0;
}

static int take_bool(struct walk *walk, struct spot spot, const config_setting_t *setting, void *base)
{
	(void)walk;
	*(bool *)field_of(spot, base) = setting ? config_setting_get_bool(setting)
						: strcmp(spot.row->fallback, "true") == 0;
	return 0;
}

static int take_choice(struct walk *walk, struct spot spot, const config_setting_t *setting, void *base)
{
	const char *text = setting ? config_setting_get_string(setting) : spot.row->fallback;
	char choices[256] = "";
	size_t len = 0;

	for (int i = 0; spot.row->choices[i]; i++) {
		if (strcmp(spot.row->choices[i], text) == 0) {
			*(int *)field_of(spot, base) = i;
			return 0;
		}
		len += (size_t)snprintf(choices + len, sizeof(choices) - len, "%s%s", i ? ", " : "",
					spot.row->choices[i]);
	}
	walk_error(walk, spot, "'%.100s' is not one of %s", text, choices);
	return 0;
}

/* How much of a wrong text is repeated. What stands before an "@" may be a password: a report goes into logs. */
static int shown_length(const char *text)
{
	const char *slashes = strstr(text, "://");

	return slashes && strchr(slashes, '@') ? (int)(slashes - text) + 3 : 100;
}

/* An empty text stands for none. */
static int set_text(struct walk *walk, struct spot spot, const char *text, int64_t max, char **ret)
{
	size_t len = strlen(text);
	const char *wrong = NULL;

	if (!bytes_are_text(bytes_of(text, len)))
		wrong = "is not UTF-8 text";
	else if (len > 0 && spot.row->check)
		wrong = spot.row->check(text);
	if (len > (size_t)max)
		walk_error(walk, spot, "'%.*s…' has %zu bytes: shorten it to %lld", shown_length(text), text, len,
			   (long long)max);
	else if (wrong)
		walk_error(walk, spot, "'%.*s' %s", shown_length(text), text, wrong);
	if (len == 0 || len > (size_t)max || wrong)
		return 0;

	*ret = strdup(text);
	return *ret ? 0 : err_origin(-ENOMEM);
}

static int take_text(struct walk *walk, struct spot spot, const config_setting_t *setting, void *base)
{
	const char *text = setting ? config_setting_get_string(setting) : spot.row->fallback;

	if (!*text && spot.row->min > 0) {
		walk_error(walk, spot, "'' is empty: give it a value");
		return 0;
	}
	return set_text(walk, spot, text, spot.row->max, field_of(spot, base));
}

static int add_text(struct walk *walk, struct spot spot, const char *text, struct config_texts *texts)
{
	size_t before = walk->report->errors;
	int r;

	if (!*text) {
		walk_error(walk, spot, "'' is empty: leave it out");
		return 0;
	}
	r = set_text(walk, spot, text, LIMIT_CONFIG_TEXT, &texts->items[texts->n]);
	if (r == 0 && walk->report->errors == before)
		texts->n++;
	return r;
}

/* libconfig has no empty array of texts: [ ] and an array of numbers are told apart by the first member. */
static int take_texts(struct walk *walk, struct spot spot, const config_setting_t *setting, void *base)
{
	struct config_texts *texts = field_of(spot, base);
	size_t n = setting ? (size_t)config_setting_length(setting) : 1;
	int r = 0;

	if (!setting && !*spot.row->fallback)
		return 0;
	if (n < (size_t)spot.row->min || n > (size_t)spot.row->max) {
		walk_error(walk, spot, "has %zu members: take %lld to %lld", n, (long long)spot.row->min,
			   (long long)spot.row->max);
		return 0;
	}
	texts->items = calloc(n ? n : 1, sizeof(*texts->items));
	if (!texts->items)
		return err_origin(-ENOMEM);
	for (size_t i = 0; i < n && r == 0; i++) {
		const char *text = setting ? config_setting_get_string_elem(setting, (int)i) : spot.row->fallback;

		if (text)
			r = add_text(walk, spot, text, texts);
		else
			walk_error(walk, spot, "holds something else than texts: write [ \"…\", \"…\" ]");
	}
	return r;
}

static int take_group(struct walk *walk, struct spot spot, const config_setting_t *setting, void *base)
{
	char prefix[OPTION_NAME_SIZE];

	snprintf(prefix, sizeof(prefix), "%s.", spot.row->name);
	return walk_group(walk, prefix, setting, spot.line, base);
}

static int take_providers(struct walk *walk, struct spot spot, const config_setting_t *setting, void *base)
{
	struct config *config = base;
	size_t n = setting ? (size_t)config_setting_length(setting) : 0;
	int r;

	if (n > (size_t)spot.row->max) {
		walk_error(walk, spot, "has %zu members: take up to %lld", n, (long long)spot.row->max);
		return 0;
	}
	config->providers = calloc(n ? n : 1, sizeof(*config->providers));
	if (!config->providers)
		return err_origin(-ENOMEM);
	while (config->n_providers < n) {
		size_t index = config->n_providers++;
		const config_setting_t *one = config_setting_get_elem(setting, (unsigned int)index);

		spot.line = line_of(one);
		if (!config_setting_is_group(one)) {
			walk_error(walk, spot, "member %zu is no group: write ( { id = …; plugin = …; }, … )",
				   index + 1);
			continue;
		}
		r = take_group(walk, spot, one, &config->providers[index]);
		if (r < 0)
			return r;
		walk_check_provider(walk, config, index, spot.line);
	}
	return 0;
}

static int take_secrets(struct walk *walk, struct spot spot, const config_setting_t *setting, void *base)
{
	return walk_secrets(walk, spot, setting, base);
}

static int take_keys(struct walk *walk, struct spot spot, const config_setting_t *setting, void *base)
{
	return walk_previous_keys(walk, spot, setting, base);
}

static int take_prices(struct walk *walk, struct spot spot, const config_setting_t *setting, void *base)
{
	return walk_prices(walk, spot, setting, base);
}

static int take_budgets(struct walk *walk, struct spot spot, const config_setting_t *setting, void *base)
{
	return walk_budgets(walk, spot, setting, base);
}

static int take_webhooks(struct walk *walk, struct spot spot, const config_setting_t *setting, void *base)
{
	return walk_webhooks(walk, spot, setting, base);
}

static int take_signing(struct walk *walk, struct spot spot, const config_setting_t *setting, void *base)
{
	return walk_signing(walk, spot, setting, base);
}

static int take_free(struct walk *walk, struct spot spot, const config_setting_t *setting, void *base)
{
	return walk_free(walk, spot, setting, field_of(spot, base));
}

static const struct {
	take_fn *take;
	unsigned int accepts; /* libconfig's types */
	const char *words;
} kinds[] = {
	[OPTION_GROUP] = {take_group, BIT(CONFIG_TYPE_GROUP), "a group { … }"},
	[OPTION_PROVIDERS] = {take_providers, BIT(CONFIG_TYPE_LIST), "a list ( { … }, { … } )"},
	[OPTION_PRICES] = {take_prices, BIT(CONFIG_TYPE_LIST), "a list ( { … }, { … } )"},
	[OPTION_BUDGETS] = {take_budgets, BIT(CONFIG_TYPE_LIST), "a list ( { … }, { … } )"},
	[OPTION_WEBHOOKS] = {take_webhooks, BIT(CONFIG_TYPE_LIST), "a list ( { … }, { … } )"},
	[OPTION_SIGNING] = {take_signing, BIT(CONFIG_TYPE_GROUP), "a group { … }"},
	[OPTION_TEXT] = {take_text, BIT(CONFIG_TYPE_STRING), "a text in double quotes"},
	[OPTION_TEXTS] = {take_texts, BIT(CONFIG_TYPE_ARRAY) | BIT(CONFIG_TYPE_LIST), "an array of texts [ \"…\" ]"},
	[OPTION_INTEGER] = {take_integer, BIT(CONFIG_TYPE_INT) | BIT(CONFIG_TYPE_INT64), "a whole number"},
	[OPTION_BOOL] = {take_bool, BIT(CONFIG_TYPE_BOOL), "true or false"},
	[OPTION_CHOICE] = {take_choice, BIT(CONFIG_TYPE_STRING), "a text in double quotes"},
	[OPTION_SECRETS] = {take_secrets, BIT(CONFIG_TYPE_GROUP), "a group { … }"},
	[OPTION_KEYS] = {take_keys, BIT(CONFIG_TYPE_LIST), "a list ( { … }, { … } )"},
	[OPTION_FREE] = {take_free, BIT(CONFIG_TYPE_GROUP), "a group { … }"},
};

static int take(struct walk *walk, struct spot spot, const config_setting_t *setting, void *base)
{
	if (!setting && !spot.row->fallback) {
		walk_error(walk, spot, "is missing: add it here");
		return 0;
	}
	if (setting && !(kinds[spot.row->type].accepts & BIT(config_setting_type(setting)))) {
		walk_error(walk, spot, "has the wrong type: write %s", kinds[spot.row->type].words);
		return 0;
	}
	return kinds[spot.row->type].take(walk, spot, setting, base);
}

static void refuse(struct walk *walk, const char *prefix, const config_setting_t *setting)
{
	char known[512] = "";
	size_t len = 0;

	for (size_t i = 0; i < config_options_n && len < sizeof(known); i++) {
		const char *leaf = option_leaf(&config_options[i], prefix);

		if (leaf)
			len += (size_t)snprintf(known + len, sizeof(known) - len, "%s%s", len ? ", " : "", leaf);
	}
	config_error(walk->report, walk->path, line_of(setting), "'%s%.100s' is no option: here may stand %s", prefix,
		     config_setting_name(setting), known);
}

int walk_group(struct walk *walk, const char *prefix, const config_setting_t *group, unsigned int line, void *base)
{
	int n = group ? config_setting_length(group) : 0;

	for (int i = 0; i < n; i++) {
		const config_setting_t *setting = config_setting_get_elem(group, (unsigned int)i);

		if (!option_find(prefix, config_setting_name(setting)))
			refuse(walk, prefix, setting);
	}
	for (size_t i = 0; i < config_options_n; i++) {
		const char *leaf = option_leaf(&config_options[i], prefix);
		const config_setting_t *setting = leaf && group ? config_setting_get_member(group, leaf) : NULL;
		struct spot spot = {.row = &config_options[i], .line = setting ? line_of(setting) : line};
		int r = leaf ? take(walk, spot, setting, base) : 0;

		if (r < 0)
			return r;
	}
	return 0;
}
