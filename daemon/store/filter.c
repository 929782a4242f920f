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

/* ---- words ---- */

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool contains(struct bytes text, const char *word)
{
	size_t len = strlen(word);
	const char *at = text.data;

	for (const char *end = at + text.len; (size_t)(end - at) >= len; at++) {
		size_t i = 0;

		while (i < len && lower(at[i]) == word[i])
			i++;
		if (i == len)
			return true;
	}
	return false;
}

static bool text_contains(const char *text, const char *word)
{
	return text && contains(bytes_of_text(text), word);
}

/* The next text of a JSON document that is a value and no name; false: there is none. Numbers are nobody's words. */
static bool next_text(const char **at, struct bytes *ret)
{
	const char *begin, *c = *at;

	for (;;) {
		c = strchr(c, '"');
		if (!c)
			return false;
		begin = ++c;
		while (*c && *c != '"')
			c += *c == '\\' && c[1] ? 2 : 1;
		*ret = bytes_of(begin, (size_t)(c - begin));
		if (!*c)
			return false;
		*at = ++c;
		if (*c != ':')
			return true;
	}
}

/* The document is canonical: no space before a colon. */
static bool parameters_contain(const char *json, const char *word)
{
	struct bytes text;

	while (json && next_text(&json, &text))
		if (contains(text, word))
			return true;
	return false;
}

static bool is_anywhere(const struct job *job, const struct job_status *status, const char *word)
{
	const struct job_route ordered = job_ordered(job);
	char id[ID_TEXT_SIZE];

	if (text_contains(status->display_name, word) || text_contains(ordered.provider, word) ||
	    text_contains(ordered.model, word) || parameters_contain(job->parameters, word))
		return true;
	for (size_t i = 0; i < status->n_labels; i++)
		if (text_contains(status->labels[i].key, word) || text_contains(status->labels[i].value, word))
			return true;
	id_format(&job->ref.id, id);
	return text_contains(id, word) || text_contains(status->failure.message, word) ||
	       text_contains(status->failure.provider_message, word) ||
	       text_contains(status->failure.provider_code, word);
}

bool store_filter_matches_text(const struct store_filter *filter, const struct job *job,
			       const struct job_status *status)
{
	for (size_t i = 0; i < filter->n_words; i++)
		if (!is_anywhere(job, status, filter->words[i]))
			return false;
	return true;
}
