/*
 * The list of budgets, and what only shows when the whole file is read.
 */
#include "base/err.h"
#include "config/walk.h"

int walk_budgets(struct walk *walk, struct spot spot, const config_setting_t *setting, struct config *config)
{
	size_t n = setting ? (size_t)config_setting_length(setting) : 0;
	int r = 0;

	if (n > (size_t)spot.row->max) {
		walk_error(walk, spot, "has %zu members: take up to %lld", n, (long long)spot.row->max);
		return 0;
	}
	config->budgets = calloc(n + 1, sizeof(*config->budgets));
	if (!config->budgets)
		return err_origin(-ENOMEM);
	while (r == 0 && config->n_budgets < n) {
		size_t index = config->n_budgets++;
		const config_setting_t *one = config_setting_get_elem(setting, (unsigned int)index);

		spot.line = config_setting_source_line(one);
		config->budgets[index].line = spot.line;
		if (config_setting_is_group(one))
			r = walk_group(walk, "budgets.", one, spot.line, &config->budgets[index]);
		else
			walk_error(walk, spot, "member %zu is no group: write ( { name = …; amount = …; }, … )",
				   index + 1);
	}
	return r;
}

static bool is_configured(const struct config *config, const char *provider)
{
	for (size_t i = 0; i < config->n_providers; i++)
		if (strcmp(config->providers[i].id, provider) == 0)
			return true;
	return false;
}

void walk_check_budgets(struct walk *walk, const struct config *config)
{
	for (size_t i = 0; i < config->n_budgets; i++) {
		const struct config_budget *budget = &config->budgets[i];

		for (size_t k = 0; k < i; k++)
			if (strcmp(config->budgets[k].name, budget->name) == 0)
				config_error(walk->report, walk->path, budget->line,
					     "budgets.name: '%s' is there twice: give each its own name", budget->name);
		if (budget->provider && budget->label)
			config_error(walk->report, walk->path, budget->line,
				     "budgets: '%s' has a provider and a label: make two budgets of it", budget->name);
		if (budget->provider && !is_configured(config, budget->provider))
			config_error(walk->report, walk->path, budget->line,
				     "budgets.provider: '%s' of the budget '%s' is not the id of a provider",
				     budget->provider, budget->name);
	}
}
