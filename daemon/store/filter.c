#include "store/store.h"

static bool is_one_of(const char *const *list, size_t n, const char *text)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(list[i], text) == 0)
			return true;
	return n == 0;
}

static bool has_label(const struct job_status *status, const struct store_label_filter *wanted)
{
	for (size_t i = 0; i < status->n_labels; i++)
		if (strcmp(status->labels[i].key, wanted->key) == 0)
			return !wanted->value || strcmp(status->labels[i].value, wanted->value) == 0;
	return false;
}

bool store_filter_matches(const struct store_filter *filter, const char *provider, const char *model,
			  int64_t created_ms, const struct job_status *status)
{
	if (filter->states && !(filter->states & 1u << status->state))
		return false;
	if (filter->created_from_ms && created_ms < filter->created_from_ms)
		return false;
	if (filter->created_to_ms && created_ms >= filter->created_to_ms)
		return false;
	if (!is_one_of(filter->providers, filter->n_providers, provider) ||
	    !is_one_of(filter->models, filter->n_models, model))
		return false;
	for (size_t i = 0; i < filter->n_labels; i++)
		if (!has_label(status, &filter->labels[i]))
			return false;
	return true;
}
