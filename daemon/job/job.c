/*
 * The values of a job: how they are made, copied and freed.
 *
 * Most fields are texts and lists of structs with texts. Instead of one copy and one free function for each struct,
 * which part ways as soon as a field is added, each struct has a shape: its size and the places of its texts. One
 * function copies by shape and one frees by shape; a new text is one line in its struct's table.
 */
#include "job/job.h"

#include "base/err.h"
#include "base/limits.h"

struct shape {
	size_t size;
	const size_t *texts; /* where its `char *` fields are */
	size_t n_texts;
};

#define SHAPE(type, places)                                                  \
	{                                                                    \
		sizeof(type), (places), sizeof(places) / sizeof((places)[0]) \
	}
#define FAILURE_TEXTS(type)                                                                            \
	offsetof(type, failure.message), offsetof(type, failure.provider_code),                        \
		offsetof(type, failure.provider_message), offsetof(type, failure.provider_request_id), \
		offsetof(type, failure.unknown)

static const size_t job_texts[] = {
	offsetof(struct job, request_id),  offsetof(struct job, provider),       offsetof(struct job, model),
	offsetof(struct job, parameters),  offsetof(struct job, quote.currency), offsetof(struct job, quote.rule),
	offsetof(struct job, quote.as_of), offsetof(struct job, unknown),        offsetof(struct job, webhook_url),
};
static const size_t route_texts[] = {
	offsetof(struct job_route, provider),   offsetof(struct job_route, model),
	offsetof(struct job_route, parameters), offsetof(struct job_route, quote.currency),
	offsetof(struct job_route, quote.rule), offsetof(struct job_route, quote.as_of),
};
static const size_t status_texts[] = {
	offsetof(struct job_status, display_name),   offsetof(struct job_status, remote_state),
	offsetof(struct job_status, plugin_state),   offsetof(struct job_status, outputs),
	offsetof(struct job_status, unknown),        FAILURE_TEXTS(struct job_status),
	offsetof(struct job_status, cost.currency),  offsetof(struct job_status, cost.unknown),
	offsetof(struct job_status, money.currency), offsetof(struct job_status, money.unknown),
};
static const size_t quote_texts[] = {
	offsetof(struct job_quote, currency),
	offsetof(struct job_quote, rule),
	offsetof(struct job_quote, as_of),
};
static const size_t failure_texts[] = {
	offsetof(struct job_failure, message),          offsetof(struct job_failure, provider_code),
	offsetof(struct job_failure, provider_message), offsetof(struct job_failure, provider_request_id),
	offsetof(struct job_failure, unknown),
};
static const size_t label_texts[] = {offsetof(struct job_label, key), offsetof(struct job_label, value)};
static const size_t missing_texts[] = {0};
static const size_t note_texts[] = {
	offsetof(struct job_note, field),
	offsetof(struct job_note, message),
	offsetof(struct job_note, from),
	offsetof(struct job_note, to),
};
static const size_t mismatch_texts[] = {
	offsetof(struct job_mismatch, field),
	offsetof(struct job_mismatch, ordered),
	offsetof(struct job_mismatch, produced),
	offsetof(struct job_mismatch, message),
};
static const size_t attempt_texts[] = {
	offsetof(struct job_attempt, provider),
	offsetof(struct job_attempt, model),
	offsetof(struct job_attempt, unknown),
	FAILURE_TEXTS(struct job_attempt),
};
static const size_t send_texts[] = {
	offsetof(struct job_send, idempotency_key),
	offsetof(struct job_send, base_url),
	offsetof(struct job_send, unknown),
};
static const size_t remote_texts[] = {
	offsetof(struct job_remote, id),
	offsetof(struct job_remote, kind),
	offsetof(struct job_remote, unknown),
};
static const size_t artifact_texts[] = {
	offsetof(struct job_artifact, role),
	offsetof(struct job_artifact, language),
	offsetof(struct job_artifact, media_type),
	offsetof(struct job_artifact, unknown),
};

static const struct shape job_shape = SHAPE(struct job, job_texts);
static const struct shape route_shape = SHAPE(struct job_route, route_texts);
static const struct shape status_shape = SHAPE(struct job_status, status_texts);
static const struct shape quote_shape = SHAPE(struct job_quote, quote_texts);
static const struct shape failure_shape = SHAPE(struct job_failure, failure_texts);
static const struct shape label_shape = SHAPE(struct job_label, label_texts);
static const struct shape missing_shape = SHAPE(char *, missing_texts);
static const struct shape note_shape = SHAPE(struct job_note, note_texts);
static const struct shape mismatch_shape = SHAPE(struct job_mismatch, mismatch_texts);
static const struct shape attempt_shape = SHAPE(struct job_attempt, attempt_texts);
static const struct shape send_shape = SHAPE(struct job_send, send_texts);
static const struct shape remote_shape = SHAPE(struct job_remote, remote_texts);
static const struct shape artifact_shape = SHAPE(struct job_artifact, artifact_texts);

/* The lists of a status: where the pointer is, where the count, what its elements are. */
static const struct list {
	size_t at;
	size_t count_at;
	const struct shape *shape;
} status_lists[] = {
	{offsetof(struct job_status, labels), offsetof(struct job_status, n_labels), &label_shape},
	{offsetof(struct job_status, money.labels), offsetof(struct job_status, money.n_labels), &label_shape},
	{offsetof(struct job_status, missing), offsetof(struct job_status, n_missing), &missing_shape},
	{offsetof(struct job_status, notes), offsetof(struct job_status, n_notes), &note_shape},
	{offsetof(struct job_status, mismatches), offsetof(struct job_status, n_mismatches), &mismatch_shape},
	{offsetof(struct job_status, attempts), offsetof(struct job_status, n_attempts), &attempt_shape},
	{offsetof(struct job_status, sends), offsetof(struct job_status, n_sends), &send_shape},
	{offsetof(struct job_status, remotes), offsetof(struct job_status, n_remotes), &remote_shape},
	{offsetof(struct job_status, artifacts), offsetof(struct job_status, n_artifacts), &artifact_shape},
};
#define N_STATUS_LISTS (sizeof(status_lists) / sizeof(status_lists[0]))

/* Pointer fields of different types are read and written through memcpy, which breaks no aliasing rule. */
static void *load_pointer(const void *value, size_t at)
{
	void *pointer;

	memcpy(&pointer, (const char *)value + at, sizeof(pointer));
	return pointer;
}

static void store_pointer(void *value, size_t at, const void *pointer)
{
	memcpy((char *)value + at, &pointer, sizeof(pointer));
}

static size_t load_count(const void *value, size_t at)
{
	size_t count;

	memcpy(&count, (const char *)value + at, sizeof(count));
	return count;
}

static void free_texts(const struct shape *shape, void *value)
{
	for (size_t i = 0; i < shape->n_texts; i++) {
		free(load_pointer(value, shape->texts[i]));
		store_pointer(value, shape->texts[i], NULL);
	}
}

/* @to is a plain copy of @from that still shares its texts; afterwards it has its own, or none after -ENOMEM. */
static int own_texts(const struct shape *shape, const void *from, void *to)
{
	for (size_t i = 0; i < shape->n_texts; i++)
		store_pointer(to, shape->texts[i], NULL);
	for (size_t i = 0; i < shape->n_texts; i++) {
		const char *text = load_pointer(from, shape->texts[i]);
		char *copy = text ? strdup(text) : NULL;

		if (text && !copy) {
			free_texts(shape, to);
			return err_origin(-ENOMEM);
		}
		store_pointer(to, shape->texts[i], copy);
	}
	return 0;
}

static void free_values(const struct shape *shape, void *values, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free_texts(shape, (char *)values + i * shape->size);
	free(values);
}

/* A copy of @n values with texts of their own; NULL when out of memory. */
static void *copy_values(const struct shape *shape, const void *from, size_t n)
{
	char *copy = calloc(n, shape->size);

	if (!copy)
		return NULL;
	for (size_t i = 0; i < n; i++) {
		const char *source = (const char *)from + i * shape->size;
		char *target = copy + i * shape->size;

		memcpy(target, source, shape->size);
		if (own_texts(shape, source, target) < 0) {
			free_values(shape, copy, i);
			return NULL;
		}
	}
	return copy;
}

/* One zeroed element more at the end of a list; NULL when out of memory, then the list is what it was. */
static void *append_value(struct job_status *status, size_t at, size_t count_at, const struct shape *shape)
{
	size_t n = load_count(status, count_at);
	char *values = reallocarray(load_pointer(status, at), n + 1, shape->size);

	if (!values)
		return NULL;
	memset(values + n * shape->size, 0, shape->size);
	store_pointer(status, at, values);
	n++;
	memcpy((char *)status + count_at, &n, sizeof(n));
	return values + (n - 1) * shape->size;
}

#define APPEND(status, list, shape) \
	append_value(status, offsetof(struct job_status, list), offsetof(struct job_status, n_##list), shape)

struct job *job_new(void)
{
	return calloc(1, sizeof(struct job));
}

struct job *job_free(struct job *job)
{
	if (job) {
		free(job->assets);
		free_values(&route_shape, job->routes, job->n_routes);
		free_values(&job_shape, job, 1);
	}
	return NULL;
}

void job_freep(struct job **job)
{
	*job = job_free(*job);
}

struct job *job_copy(const struct job *job)
{
	struct job *copy = copy_values(&job_shape, job, 1);

	if (!copy)
		return NULL;
	copy->assets = NULL;
	copy->routes = NULL;
	copy->n_assets = copy->n_routes = 0;
	for (size_t i = 0; i < job->n_assets; i++)
		if (job_add_asset(copy, &job->assets[i]) < 0)
			return job_free(copy);
	for (size_t i = 0; i < job->n_routes; i++)
		if (job_add_route(copy, &job->routes[i]) < 0)
			return job_free(copy);
	return copy;
}

int job_add_route(struct job *job, const struct job_route *route)
{
	struct job_route *routes = reallocarray(job->routes, job->n_routes + 1, sizeof(*routes));

	if (!routes)
		return err_origin(-ENOMEM);
	job->routes = routes;
	routes[job->n_routes] = *route;
	if (own_texts(&route_shape, route, &routes[job->n_routes]) < 0)
		return err_origin(-ENOMEM);
	job->n_routes++;
	return 0;
}

void job_drop_routes(struct job *job)
{
	free_values(&route_shape, job->routes, job->n_routes);
	job->routes = NULL;
	job->n_routes = 0;
}

int job_take_route(struct job *job, uint32_t route)
{
	struct job_route taken = job->routes[route];

	if (own_texts(&route_shape, &job->routes[route], &taken) < 0)
		return err_origin(-ENOMEM);
	free(job->provider);
	free(job->model);
	free(job->parameters);
	job_quote_finish(&job->quote);
	job->provider = taken.provider;
	job->model = taken.model;
	job->parameters = taken.parameters;
	job->quote = taken.quote;
	job->route = route;
	return 0;
}

struct job_route job_ordered(const struct job *job)
{
	if (job->n_routes)
		return job->routes[0];
	return (struct job_route){
		.provider = job->provider, .model = job->model, .parameters = job->parameters, .quote = job->quote};
}

int job_add_asset(struct job *job, const struct digest *sha256)
{
	struct digest *assets;

	for (size_t i = 0; i < job->n_assets; i++)
		if (memcmp(&job->assets[i], sha256, sizeof(*sha256)) == 0)
			return 0;
	assets = reallocarray(job->assets, job->n_assets + 1, sizeof(*assets));
	if (!assets)
		return err_origin(-ENOMEM);
	job->assets = assets;
	job->assets[job->n_assets++] = *sha256;
	return 0;
}

struct job_status *job_status_new(void)
{
	struct job_status *status = calloc(1, sizeof(*status));

	if (!status)
		return NULL;
	status->state = JOB_STATE_QUEUED;
	status->progress_percent = -1;
	status->queue_position = -1;
	return status;
}

struct job_status *job_status_free(struct job_status *status)
{
	if (!status)
		return NULL;
	for (size_t i = N_STATUS_LISTS; i-- > 0;) {
		const struct list *list = &status_lists[i];

		free_values(list->shape, load_pointer(status, list->at), load_count(status, list->count_at));
	}
	free_values(&status_shape, status, 1);
	return NULL;
}

void job_status_freep(struct job_status **status)
{
	*status = job_status_free(*status);
}

static void forget_lists(struct job_status *status)
{
	static const size_t none = 0;

	for (size_t i = 0; i < N_STATUS_LISTS; i++) {
		store_pointer(status, status_lists[i].at, NULL);
		memcpy((char *)status + status_lists[i].count_at, &none, sizeof(none));
	}
}

struct job_status *job_status_copy(const struct job_status *status)
{
	_cleanup_(job_status_freep) struct job_status *copy = copy_values(&status_shape, status, 1);

	if (!copy)
		return NULL;
	forget_lists(copy);
	for (size_t i = 0; i < N_STATUS_LISTS; i++) {
		const struct list *list = &status_lists[i];
		size_t n = load_count(status, list->count_at);
		void *values;

		if (n == 0)
			continue;
		values = copy_values(list->shape, load_pointer(status, list->at), n);
		if (!values)
			return NULL;
		store_pointer(copy, list->at, values);
		memcpy((char *)copy + list->count_at, &n, sizeof(n));
	}
	return steal(copy);
}

const struct job_artifact *job_find_artifact(const struct job_status *status, uint32_t index)
{
	for (size_t i = 0; i < status->n_artifacts; i++)
		if (status->artifacts[i].index == index)
			return &status->artifacts[i];
	return NULL;
}

int64_t job_deadline_ms(const struct job *job, const struct job_status *status)
{
	int64_t redelivered_ms = 0;

	if (status->wait == JOB_WAIT_HELD)
		return JOB_NEVER_MS;
	if (status->delivered_ms > 0 && status->delivered_ms <= INT64_MAX - LIMIT_JOB_REDELIVERY_MS)
		redelivered_ms = status->delivered_ms + LIMIT_JOB_REDELIVERY_MS;
	return redelivered_ms > job->deadline_ms ? redelivered_ms : job->deadline_ms;
}

void job_view_finish(struct job_view *view)
{
	view->status = job_status_free(view->status);
	view->job = job_free(view->job);
}

bool job_ref_equal(const struct job_ref *a, const struct job_ref *b)
{
	return a->tenant == b->tenant && memcmp(a->id.bytes, b->id.bytes, sizeof(a->id.bytes)) == 0;
}

int job_set_text(char **field, const char *text)
{
	char *copy = text ? strdup(text) : NULL;

	if (text && !copy)
		return err_origin(-ENOMEM);
	free(*field);
	*field = copy;
	return 0;
}

void job_failure_finish(struct job_failure *failure)
{
	free_texts(&failure_shape, failure);
	*failure = (struct job_failure){0};
}

int job_failure_copy(const struct job_failure *from, struct job_failure *to)
{
	struct job_failure copy = *from;
	int r = own_texts(&failure_shape, from, &copy);

	if (r < 0)
		return err_trace(r);
	job_failure_finish(to);
	*to = copy;
	return 0;
}

void job_quote_finish(struct job_quote *quote)
{
	free_texts(&quote_shape, quote);
	*quote = (struct job_quote){0};
}

int job_set_cost(struct job_status *status, enum job_cost_source source, int64_t amount_micros, const char *currency)
{
	int r = job_set_text(&status->cost.currency, currency);

	if (r < 0)
		return err_trace(r);
	status->cost.source = source;
	status->cost.amount_micros = amount_micros;
	status->cost.is_provisional = false;
	return 0;
}

void job_drop_money_labels(struct job_status *status)
{
	struct job_money *money = &status->money;

	free_values(&label_shape, money->labels, money->n_labels);
	money->labels = NULL;
	money->n_labels = 0;
	money->has_labels = false;
}

int job_copy_money_labels(struct job_status *status)
{
	struct job_label *labels = NULL;

	if (status->n_labels) {
		labels = copy_values(&label_shape, status->labels, status->n_labels);
		if (!labels)
			return err_origin(-ENOMEM);
	}
	job_drop_money_labels(status);
	status->money.labels = labels;
	status->money.n_labels = status->n_labels;
	status->money.has_labels = true;
	return 0;
}

struct job_attempt *job_add_attempt(struct job_status *status)
{
	return APPEND(status, attempts, &attempt_shape);
}

struct job_send *job_add_send(struct job_status *status)
{
	return APPEND(status, sends, &send_shape);
}

void job_drop_send(struct job_status *status, size_t at)
{
	free_texts(&send_shape, &status->sends[at]);
	status->n_sends--;
	memmove(&status->sends[at], &status->sends[at + 1], (status->n_sends - at) * sizeof(status->sends[0]));
}

struct job_remote *job_add_remote(struct job_status *status)
{
	return APPEND(status, remotes, &remote_shape);
}

struct job_artifact *job_add_artifact(struct job_status *status)
{
	return APPEND(status, artifacts, &artifact_shape);
}

int job_add_missing(struct job_status *status, const char *role)
{
	_cleanup_(freep) char *copy = strdup(role);
	char **slot = copy ? APPEND(status, missing, &missing_shape) : NULL;

	if (!slot)
		return err_origin(-ENOMEM);
	*slot = steal(copy);
	return 0;
}

/* Whole characters of it. */
static char *dup_cut(const char *text)
{
	size_t len = strlen(text);

	if (len > LIMIT_JOB_NOTE_BYTES)
		for (len = LIMIT_JOB_NOTE_BYTES; len > 0 && ((uint8_t)text[len] & 0xc0) == 0x80;)
			len--;
	return strndup(text, len);
}

static bool has_note(const struct job_status *status, const char *field, const char *message)
{
	for (size_t i = 0; i < status->n_notes; i++)
		if (strcmp(status->notes[i].field, field) == 0 && strcmp(status->notes[i].message, message) == 0)
			return true;
	return false;
}

int job_add_note(struct job_status *status, enum job_severity severity, const char *field, const char *message,
		 const char *from, const char *to)
{
	struct job_note note = {.severity = severity}, *slot;

	note.field = dup_cut(field);
	note.message = dup_cut(message);
	note.from = dup_cut(from);
	note.to = dup_cut(to);
	if (!note.field || !note.message || !note.from || !note.to) {
		free_texts(&note_shape, &note);
		return err_origin(-ENOMEM);
	}
	if (status->n_notes >= LIMIT_JOB_NOTES || has_note(status, note.field, note.message)) {
		free_texts(&note_shape, &note);
		return 0;
	}
	slot = APPEND(status, notes, &note_shape);
	if (!slot) {
		free_texts(&note_shape, &note);
		return err_origin(-ENOMEM);
	}
	*slot = note;
	return 1;
}

void job_drop_delivery(struct job_status *status)
{
	free_values(&artifact_shape, status->artifacts, status->n_artifacts);
	free_values(&missing_shape, status->missing, status->n_missing);
	status->artifacts = NULL;
	status->missing = NULL;
	status->n_artifacts = status->n_missing = 0;
}

int job_add_mismatch(struct job_status *status, const struct job_mismatch *mismatch)
{
	struct job_mismatch copy = *mismatch, *slot;

	if (status->n_mismatches >= LIMIT_JOB_MISMATCHES)
		return 0;
	if (own_texts(&mismatch_shape, mismatch, &copy) < 0)
		return err_origin(-ENOMEM);
	slot = APPEND(status, mismatches, &mismatch_shape);
	if (!slot) {
		free_texts(&mismatch_shape, &copy);
		return err_origin(-ENOMEM);
	}
	*slot = copy;
	return 0;
}

static int compare_labels(const void *a, const void *b)
{
	return strcmp(((const struct job_label *)a)->key, ((const struct job_label *)b)->key);
}

int job_set_labels(struct job_status *status, const struct job_label *labels, size_t n)
{
	struct job_label *copy = NULL;

	if (n) {
		copy = copy_values(&label_shape, labels, n);
		if (!copy)
			return err_origin(-ENOMEM);
		qsort(copy, n, sizeof(*copy), compare_labels);
	}
	for (size_t i = 1; i < n; i++) {
		if (compare_labels(&copy[i - 1], &copy[i]) == 0) {
			free_values(&label_shape, copy, n);
			return JOB_E_DUPLICATE;
		}
	}

	free_values(&label_shape, status->labels, status->n_labels);
	status->labels = copy;
	status->n_labels = n;
	return 0;
}

struct job_attempt *job_current_attempt(const struct job_status *status)
{
	return status->n_attempts ? &status->attempts[status->n_attempts - 1] : NULL;
}

struct job_send *job_current_send(const struct job_status *status)
{
	const struct job_attempt *attempt = job_current_attempt(status);
	struct job_send *send = status->n_sends ? &status->sends[status->n_sends - 1] : NULL;

	return send && attempt && send->attempt == attempt->number ? send : NULL;
}

bool job_send_may_have_bought(const struct job_send *send)
{
	return send->class == JOB_SEND_PENDING || send->class == JOB_SEND_AMBIGUOUS || send->class == JOB_SEND_ACCEPTED;
}

bool job_is_held(const struct job_status *status, uint64_t epoch)
{
	return !job_state_is_terminal(status->state) && (status->epoch ? status->epoch : 1) < epoch;
}

/* Reasons and purchases alone would do, but for an attempt that a later version ended in words of its own. */
static bool is_undecided(const struct job_status *status, const struct job_attempt *attempt)
{
	for (size_t i = 0; attempt->ended_ms && i < status->n_sends; i++)
		if (status->sends[i].attempt == attempt->number &&
		    (status->sends[i].class == JOB_SEND_PENDING || status->sends[i].class == JOB_SEND_AMBIGUOUS))
			return true;
	return false;
}

uint32_t job_count_undecided(const struct job_status *status)
{
	uint32_t n = 0;

	for (size_t i = 0; i < status->n_attempts; i++)
		n += is_undecided(status, &status->attempts[i]);
	return n;
}

bool job_attempt_is_at(const struct job_status *status, uint32_t attempt, const char *provider)
{
	for (size_t i = 0; i < status->n_attempts; i++)
		if (status->attempts[i].number == attempt)
			return !status->attempts[i].provider || strcmp(status->attempts[i].provider, provider) == 0;
	return true;
}

const struct job_remote *job_newest_remote(const struct job *job, const struct job_status *status)
{
	const struct job_remote *newest = status->n_remotes ? &status->remotes[status->n_remotes - 1] : NULL;

	return newest && job_attempt_is_at(status, newest->attempt, job->provider) ? newest : NULL;
}

bool job_has_bought_nothing(const struct job_status *status, const struct job_failure *failure)
{
	const struct job_attempt *live = job_current_attempt(status);

	if (failure->purchase != JOB_PURCHASE_NOTHING)
		return false;
	for (size_t i = 0; i < status->n_sends; i++)
		if (status->sends[i].class == JOB_SEND_PENDING || status->sends[i].class == JOB_SEND_AMBIGUOUS)
			return false;
	for (size_t i = 0; i < status->n_attempts; i++) {
		const struct job_attempt *attempt = &status->attempts[i];

		if (attempt != live && attempt->ended_ms && attempt->failure.purchase != JOB_PURCHASE_NOTHING)
			return false;
	}
	return true;
}

bool job_is_uncharged(const struct job_failure *failure)
{
	return failure->purchase == JOB_PURCHASE_NOTHING &&
	       (failure->reason == JOB_REASON_MODERATED || failure->reason == JOB_REASON_PROVIDER_FAULT);
}

uint32_t job_count_uncharged(const struct job_status *status)
{
	uint32_t n = 0;

	for (size_t i = 0; i < status->n_attempts; i++)
		n += status->attempts[i].ended_ms && job_is_uncharged(&status->attempts[i].failure);
	return n;
}

int64_t job_rank_ms(int32_t priority, int64_t ready_ms)
{
	return ready_ms - priority * JOB_PRIORITY_AGING_MS;
}

int64_t job_patience_ms(const struct job *job)
{
	int64_t from_ms = job->not_before_ms > job->created_ms ? job->not_before_ms : job->created_ms;

	return job->patience_ms > 0 ? job->patience_ms : job->deadline_ms - from_ms;
}
