/*
 * Inside config/: one walk over a parsed file, row by row of the table.
 */
#ifndef FG_CONFIG_WALK_H
#define FG_CONFIG_WALK_H

#include "config/options.h"

#include <libconfig.h>

struct walk {
	const char *path; /* names the file in the report */
	secret_read_fn *read;
	struct config_report *report;
};

/* Where a value stands: the row it belongs to, and the line to name. */
struct spot {
	const struct option *row;
	unsigned int line;
};

/*
 * Fills every field of the group @prefix ("" is the root) in @base: from @group, or with defaults where it says nothing
 * or is NULL. What is wrong goes to the report and leaves its field alone. Returns 0 or -ENOMEM.
 */
int walk_group(struct walk *walk, const char *prefix, const config_setting_t *group, unsigned int line, void *base);

/* The kinds of value that only a provider has. @setting may be NULL. */
int walk_secrets(struct walk *walk, struct spot spot, const config_setting_t *setting,
		 struct config_provider *provider);
int walk_previous_keys(struct walk *walk, struct spot spot, const config_setting_t *setting,
		       struct config_provider *provider);
int walk_prices(struct walk *walk, struct spot spot, const config_setting_t *setting, struct config_provider *provider);
int walk_budgets(struct walk *walk, struct spot spot, const config_setting_t *setting, struct config *config);
int walk_webhooks(struct walk *walk, struct spot spot, const config_setting_t *setting, struct config *config);
int walk_signing(struct walk *walk, struct spot spot, const config_setting_t *setting, struct config_webhook *webhook);
/* Secrets, up to @max. */
int walk_keys(struct walk *walk, struct spot spot, const config_setting_t *setting, int64_t max,
	      struct config_keys *keys);
/* What no single row can say of the budgets: whose they are is known when everything is read. */
void walk_check_budgets(struct walk *walk, const struct config *config);
void walk_check_webhooks(struct walk *walk, const struct config *config);
int walk_free(struct walk *walk, struct spot spot, const config_setting_t *setting, char **ret);
/* What no single row can say of the provider at @index: its neighbours, and its own fields together. */
void walk_check_provider(struct walk *walk, const struct config *config, size_t index, unsigned int line);

/* Reports "NAME: …" for the spot. */
#define walk_error(walk, spot, format, ...) \
	config_error((walk)->report, (walk)->path, (spot).line, "%s: " format, (spot).row->name, ##__VA_ARGS__)

#endif
