#include "api/check.h"

#include "api/params.h"
#include "api/text.h"
#include "api/token.h"
#include "base/err.h"
#include "base/json_text.h"
#include "base/label.h"
#include "base/quote.h"

#define REQUEST_ID_MAX 128
#define DISPLAY_NAME_MAX 255
#define REMOTE_ID_MAX 255
#define LABELS_MAX 64
#define MODEL_MAX 255
#define TIMEOUT_MIN_MS 1000
#define TIMEOUT_MAX_MS (30LL * 86400000)
#define FILTER_STATES_MAX 16
#define FILTER_NAMES_MAX 64
#define FILTER_LABELS_MAX 16

void check_request_id(const char *request_id, struct violations *violations)
{
	size_t len = strlen(request_id);

	if (len > REQUEST_ID_MAX)
		violations_add(violations, "request_id", "has %zu characters; at most %d are possible", len,
			       REQUEST_ID_MAX);
	for (size_t i = 0; i < len; i++)
		if (request_id[i] < 0x21 || request_id[i] > 0x7e) {
			violations_add(violations, "request_id", "has something else than printable ASCII at place %zu",
				       i + 1);
			return;
		}
}

void check_display_name(const char *field, const char *display_name, struct violations *violations)
{
	size_t len = strlen(display_name), at;
	uint32_t code = label_find_hidden(display_name, &at);

	if (len > DISPLAY_NAME_MAX)
		violations_add(violations, field, "has %zu bytes; at most %d are possible", len, DISPLAY_NAME_MAX);
	if (code)
		violations_add(violations, field, "has the control character U+%04X at byte %zu", code, at + 1);
}

void check_remote_id(const char *field, const char *remote_id, struct violations *violations)
{
	size_t len = strlen(remote_id);

	if (len == 0)
		violations_add(violations, field, "is required: the provider's id of what was found");
	/* In a URL's path these mean something else than a name, so no provider gives them. */
	if (strcmp(remote_id, ".") == 0 || strcmp(remote_id, "..") == 0)
		violations_add(violations, field, "'%s' is no id that a provider gives", remote_id);
	if (len > REMOTE_ID_MAX)
		violations_add(violations, field, "has %zu bytes; at most %d are possible", len, REMOTE_ID_MAX);
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)remote_id[i] < 0x20 || remote_id[i] == 0x7f) {
			violations_add(violations, field, "has a control character at byte %zu", i + 1);
			return;
		}
}

void check_priority(const char *field, int32_t priority, struct violations *violations)
{
	if (priority < JOB_PRIORITY_MIN || priority > JOB_PRIORITY_MAX)
		violations_add(violations, field, "%d is not possible; %d to %d are", priority, JOB_PRIORITY_MIN,
			       JOB_PRIORITY_MAX);
}

static void check_label_value(const char *field, const struct job_label *label, struct violations *violations)
{
	size_t at;
	uint32_t code = label_find_hidden(label->value, &at);

	if (strlen(label->value) > LABEL_VALUE_MAX)
		violations_add(violations, field, "the value of '%s' has more than %d bytes", quote(label->key).text,
			       LABEL_VALUE_MAX);
	if (code)
		violations_add(violations, field, "the value of '%s' has the control character U+%04X at byte %zu",
			       quote(label->key).text, code, at + 1);
}

struct job_label *check_labels(const char *field, Filmgate__V1__Job__LabelsEntry *const *entries, size_t n,
			       struct violations *violations)
{
	struct job_label *labels = arena_need(violations->arena, (n + 1) * sizeof(*labels));
	size_t before = violations->n;

	if (n > LABELS_MAX)
		violations_add(violations, field, "has %zu entries; at most %d are possible", n, LABELS_MAX);
	for (size_t i = 0; i < n; i++) {
		labels[i] = (struct job_label){.key = entries[i]->key, .value = entries[i]->value};
		if (!label_is_key(bytes_of_text(labels[i].key)))
			violations_add(violations, field, "'%s' is not a key; 1 to %d characters of [a-z0-9_./-] are",
				       quote(labels[i].key).text, LABEL_KEY_MAX);
		check_label_value(field, &labels[i], violations);
	}
	return violations->n == before ? labels : NULL;
}

bool check_job_name(const char *field, const char *name, struct violations *violations, struct id *ret)
{
	if (name_parse_job(name, ret))
		return true;
	violations_add(violations, field, "'%s' is not a job; write jobs/{uuid}", quote(name).text);
	return false;
}

bool check_artifact_name(const char *field, const char *name, struct violations *violations, struct job_ref *ret,
			 uint32_t *ret_index)
{
	ret->tenant = JOB_TENANT_DEFAULT;
	if (name_parse_artifact(name, &ret->id, ret_index))
		return true;
	violations_add(violations, field, "'%s' is not an artifact; write jobs/{uuid}/artifacts/{n}", quote(name).text);
	return false;
}

const char *check_provider_name(const char *field, const char *name, struct violations *violations)
{
	const char *id = name_parse_provider(name);

	if (!id)
		violations_add(violations, field, "'%s' is not a provider; write providers/{id}", quote(name).text);
	return id;
}

int64_t check_timeout(const Google__Protobuf__Duration *timeout, struct violations *violations)
{
	int64_t ms = 0;

	if (!timeout)
		return 0;
	if (duration_to_ms(timeout, &ms) && ms >= TIMEOUT_MIN_MS && ms <= TIMEOUT_MAX_MS)
		return ms;
	violations_add(violations, "timeout",
		       "%lld s and %d ns are not possible; 1 s to 30 days (2592000 s) in whole milliseconds are",
		       (long long)timeout->seconds, timeout->nanos);
	return 0;
}

/* ---- filters ---- */

static uint32_t check_states(const Filmgate__V1__JobFilter *from, struct violations *violations)
{
	uint32_t states = 0;

	if (from->n_states > FILTER_STATES_MAX)
		violations_add(violations, "filter.states", "has %zu states; at most %d are possible", from->n_states,
			       FILTER_STATES_MAX);
	for (size_t i = 0; i < from->n_states; i++) {
		if (from->states[i] == FILMGATE__V1__JOB_STATE__JOB_STATE_UNSPECIFIED)
			violations_add(violations, "filter.states", "JOB_STATE_UNSPECIFIED is not a state of any job");
		states |= 1u << from->states[i];
	}
	return states;
}

static int compare_texts(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static const char *const *check_names(char *const *names, size_t n, const char *field, bool are_providers,
				      struct violations *violations)
{
	const char **ids = arena_need_pointers(violations->arena, n);

	if (n > FILTER_NAMES_MAX)
		violations_add(violations, field, "has %zu entries; at most %d are possible", n, FILTER_NAMES_MAX);
	for (size_t i = 0; i < n; i++) {
		ids[i] = are_providers ? check_provider_name(field, names[i], violations) : names[i];
		if (!ids[i])
			ids[i] = "";
		if (strlen(ids[i]) > MODEL_MAX)
			violations_add(violations, field, "has an entry of more than %d bytes", MODEL_MAX);
	}
	qsort(ids, n, sizeof(*ids), compare_texts);
	return ids;
}

static const struct store_label_filter *check_label_filter(const Filmgate__V1__JobFilter *from,
							   struct violations *violations)
{
	struct store_label_filter *labels = arena_need(violations->arena, (from->n_labels + 1) * sizeof(*labels));

	if (from->n_labels > FILTER_LABELS_MAX)
		violations_add(violations, "filter.labels", "has %zu entries; at most %d are possible", from->n_labels,
			       FILTER_LABELS_MAX);
	for (size_t i = 0; i < from->n_labels; i++) {
		labels[i] = (struct store_label_filter){.key = from->labels[i]->key, .value = from->labels[i]->value};
		if (!label_is_key(bytes_of_text(labels[i].key)))
			violations_add(violations, "filter.labels", "'%s' is not a label's key",
				       quote(labels[i].key).text);
	}
	return labels;
}

int64_t check_instant(const Google__Protobuf__Timestamp *from, const char *field, struct violations *violations)
{
	int64_t ms = 0;

	if (!from)
		return 0;
	if (from->nanos < 0 || from->nanos > 999999999)
		violations_add(violations, field, "has %d nanoseconds; 0 to 999999999 are possible", from->nanos);
	else if (!timestamp_parse(from, &ms))
		violations_add(violations, field, "is not an instant between the years 1 and 9999");
	return ms < 1 ? 1 : ms;
}

static void add_names(struct buffer *out, const char *const *names, size_t n)
{
	buffer_printf(out, "%zu", n);
	for (size_t i = 0; i < n; i++)
		buffer_append(out, names[i], strlen(names[i]) + 1);
}

/* The words, in small letters and as they stand in JSON, where most of a job's texts are. */
static const char *const *check_query(const char *query, size_t *ret_n, struct violations *violations)
{
	char *copy = arena_dup_text(violations->arena, query), *rest = NULL;
	const char **words = arena_need_pointers(violations->arena, LIMIT_RPC_QUERY_WORDS);

	*ret_n = 0;
	if (strlen(query) > LIMIT_RPC_QUERY) {
		violations_add(violations, "filter.query", "has %zu bytes; at most %d are possible", strlen(query),
			       LIMIT_RPC_QUERY);
		return words;
	}
	for (char *c = copy; *c; c++)
		*c = *c >= 'A' && *c <= 'Z' ? (char)(*c - 'A' + 'a') : *c;
	for (char *word = strtok_r(copy, " \t\r\n", &rest); word; word = strtok_r(NULL, " \t\r\n", &rest)) {
		struct buffer json = {0};

		if (*ret_n == LIMIT_RPC_QUERY_WORDS) {
			violations_add(violations, "filter.query", "has more than %d words", LIMIT_RPC_QUERY_WORDS);
			break;
		}
		if (json_append_text(&json, bytes_of_text(word)) < 0)
			abort();
		words[(*ret_n)++] = arena_printf(violations->arena, "%.*s", (int)json.len - 2, json.data + 1);
		buffer_finish(&json);
	}
	return words;
}

static struct digest digest_filter(const struct store_filter *filter)
{
	struct buffer text = {0};
	struct digest digest;

	buffer_printf(&text, "%u %lld %lld %zu ", filter->states, (long long)filter->created_from_ms,
		      (long long)filter->created_to_ms, filter->n_labels);
	add_names(&text, filter->providers, filter->n_providers);
	add_names(&text, filter->models, filter->n_models);
	for (size_t i = 0; i < filter->n_labels; i++) {
		buffer_append(&text, filter->labels[i].key, strlen(filter->labels[i].key) + 1);
		buffer_append(&text, filter->labels[i].value, strlen(filter->labels[i].value) + 1);
	}
	add_names(&text, filter->words, filter->n_words);
	digest = digest_of(buffer_bytes(&text));
	buffer_finish(&text);
	return digest;
}

const struct checked_filter *check_filter(const Filmgate__V1__JobFilter *from, struct violations *violations)
{
	static const Filmgate__V1__JobFilter all = FILMGATE__V1__JOB_FILTER__INIT;
	struct checked_filter *checked = arena_need(violations->arena, sizeof(*checked));
	size_t before = violations->n;

	from = from ? from : &all;
	checked->filter = (struct store_filter){
		.states = check_states(from, violations),
		.providers = check_names(from->providers, from->n_providers, "filter.providers", true, violations),
		.n_providers = from->n_providers,
		.models = check_names(from->models, from->n_models, "filter.models", false, violations),
		.n_models = from->n_models,
		.labels = check_label_filter(from, violations),
		.n_labels = from->n_labels,
		.created_from_ms = check_instant(from->create_time_from, "filter.create_time_from", violations),
		.created_to_ms = check_instant(from->create_time_before, "filter.create_time_before", violations),
	};
	checked->filter.words = check_query(from->query, &checked->filter.n_words, violations);
	if (violations->n == before)
		checked->digest = digest_filter(&checked->filter);
	return checked;
}

struct id check_page_token(const char *token, const struct digest *list, struct violations *violations)
{
	struct id after = {0};

	if (!*token)
		return after;
	switch (token_read_page(token, list, &after)) {
	case 0:
		return after;
	case TOKEN_E_OTHER_FILTER:
		violations_add(violations, "page_token",
			       "belongs to another list, or to this one asked with another filter; begin without one");
		break;
	default:
		violations_add(violations, "page_token", "is none of ours, or damaged; begin without one");
	}
	return (struct id){0};
}
