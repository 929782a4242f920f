#include "store/records.h"

#include "base/err.h"
#include "base/limits.h"
#include "store/encode.h"
#include "store/format.h"

/*
 * Messages are filled on the stack with borrowed pointers and packed once, straight into the caller's buffer: the
 * engine thread builds records, so a record without labels costs no allocation of its own. Where a message has lists
 * of messages, one block holds all of them.
 *
 * Unknown fields come back as they were stored. protobuf-c writes an unknown field as its tag followed by its bytes
 * unchanged, so one "field" whose bytes run on through all the others restores any number of them.
 */

struct failure_form {
	M(Failure) message;
	ProtobufCMessageUnknownField unknown;
};

struct cost_form {
	M(Cost) message;
	ProtobufCMessageUnknownField unknown;
};

struct money_form {
	M(Money) message;
	ProtobufCMessageUnknownField unknown;
};

struct state_form {
	M(State) message;
	struct failure_form failure;
	struct cost_form cost;
	struct money_form money;
	ProtobufCMessageUnknownField unknown;
};

struct attempt_form {
	M(Attempt) message;
	struct failure_form failure;
	ProtobufCMessageUnknownField unknown;
};

struct send_form {
	M(Send) message;
	ProtobufCMessageUnknownField unknown;
};

struct remote_form {
	M(Remote) message;
	ProtobufCMessageUnknownField unknown;
};

struct artifact_form {
	M(Artifact) message;
	ProtobufCMessageUnknownField unknown;
};

void scratch_finish(struct scratch *scratch)
{
	free(scratch->data);
}

int scratch_init(struct scratch *scratch, size_t size)
{
	if (size == 0)
		return 0;
	scratch->data = calloc(1, size);
	return scratch->data ? 0 : err_origin(-ENOMEM);
}

void *scratch_take(struct scratch *scratch, size_t size)
{
	char *piece;

	if (size == 0)
		return NULL;
	piece = scratch->data + scratch->used;
	scratch->used += size;
	return piece;
}

int encode_append(struct buffer *out, const ProtobufCMessage *message)
{
	size_t size = protobuf_c_message_get_packed_size(message);
	int r = buffer_reserve(out, 1 + size);

	if (r < 0)
		return r;
	out->data[out->len] = (char)RECORD_VERSION;
	protobuf_c_message_pack(message, (uint8_t *)out->data + out->len + 1);
	out->len += 1 + size;
	out->data[out->len] = '\0';
	return 0;
}

char *encode_text(const char *text)
{
	return (char *)text;
}

ProtobufCBinaryData encode_binary(const void *data, size_t len)
{
	return (ProtobufCBinaryData){.data = (uint8_t *)data, .len = len};
}

/* A digest or an id of zeros is absent. */
ProtobufCBinaryData encode_binary_if_set(const uint8_t *data, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (data[i])
			return encode_binary(data, len);
	return encode_binary(NULL, 0);
}

/* Of the bytes behind @unknown in a scratch block. */
size_t encode_unknown_size(const char *unknown)
{
	return unknown ? (strlen(unknown) / 2 + 7) & ~(size_t)7 : 0;
}

static size_t failure_size(const struct job_failure *failure)
{
	return encode_unknown_size(failure->unknown);
}

void encode_unknown(ProtobufCMessage *message, ProtobufCMessageUnknownField *field, const char *unknown,
		    struct scratch *scratch)
{
	size_t len = unknown ? strlen(unknown) / 2 : 0;
	uint8_t *data = scratch_take(scratch, encode_unknown_size(unknown));
	uint64_t key = 0;
	size_t n = 0;

	if (len == 0)
		return;
	for (size_t i = 0; i < len; i++)
		data[i] = (uint8_t)(bytes_hex_value(unknown[2 * i]) << 4 | bytes_hex_value(unknown[2 * i + 1]));
	do
		key |= (uint64_t)(data[n] & 0x7f) << (7 * n);
	while (data[n++] & 0x80);
	field->tag = (uint32_t)(key >> 3);
	field->wire_type = (ProtobufCWireType)(key & 7);
	field->data = data + n;
	field->len = len - n;
	message->n_unknown_fields = 1;
	message->unknown_fields = field;
}

/* NULL when there is no failure to write. */
static M(Failure) * fill_failure(struct failure_form *form, const struct job_failure *failure, struct scratch *scratch)
{
	if (failure->reason == JOB_REASON_NONE && !failure->unknown)
		return NULL;
	form->message = (M(Failure))INIT(FAILURE);
	form->message.reason = (uint32_t)failure->reason;
	form->message.purchase = (uint32_t)failure->purchase;
	form->message.message = encode_text(failure->message);
	form->message.provider_code = encode_text(failure->provider_code);
	form->message.provider_message = encode_text(failure->provider_message);
	form->message.provider_request_id = encode_text(failure->provider_request_id);
	encode_unknown(&form->message.base, &form->unknown, failure->unknown, scratch);
	return &form->message;
}

/* NULL when nothing is known of it. */
static M(Cost) * fill_cost(struct cost_form *form, const struct job_cost *cost, struct scratch *scratch)
{
	if (cost->source == JOB_COST_NONE && !cost->unknown)
		return NULL;
	form->message = (M(Cost))INIT(COST);
	form->message.source = (uint32_t)cost->source;
	form->message.amount_micros = cost->amount_micros;
	form->message.currency = encode_text(cost->currency);
	form->message.is_provisional = cost->is_provisional;
	encode_unknown(&form->message.base, &form->unknown, cost->unknown, scratch);
	return &form->message;
}

size_t encode_labels_size(size_t n)
{
	return n * (sizeof(void *) + sizeof(M(Label)));
}

static size_t state_size(const struct job_status *status)
{
	return encode_labels_size(status->n_labels) + encode_labels_size(status->money.n_labels) +
	       encode_unknown_size(status->money.unknown) + status->n_notes * (sizeof(void *) + sizeof(M(Note))) +
	       status->n_mismatches * (sizeof(void *) + sizeof(M(Mismatch))) + failure_size(&status->failure) +
	       encode_unknown_size(status->cost.unknown) + encode_unknown_size(status->unknown);
}

static size_t attempt_size(const struct job_attempt *attempt)
{
	return failure_size(&attempt->failure) + encode_unknown_size(attempt->unknown);
}

static size_t send_size(const struct job_send *send)
{
	return encode_unknown_size(send->unknown);
}

static size_t remote_size(const struct job_remote *remote)
{
	return encode_unknown_size(remote->unknown);
}

static size_t artifact_size(const struct job_artifact *artifact)
{
	return encode_unknown_size(artifact->unknown);
}

M(Label) * *encode_labels(const struct job_label *from, size_t n, struct scratch *scratch)
{
	M(Label) *labels = scratch_take(scratch, n * sizeof(*labels));
	M(Label) **list = scratch_take(scratch, n * sizeof(void *));

	for (size_t i = 0; i < n; i++) {
		labels[i] = (M(Label))INIT(LABEL);
		labels[i].key = encode_text(from[i].key);
		labels[i].value = encode_text(from[i].value);
		list[i] = &labels[i];
	}
	return list;
}

/* NULL when nothing was ever reserved. */
static M(Money) * fill_money(struct money_form *form, const struct job_money *money, struct scratch *scratch)
{
	if (money->day == 0 && !money->unknown)
		return NULL;
	form->message = (M(Money))INIT(MONEY);
	form->message.settlement = (uint32_t)money->settlement;
	form->message.attempt = money->attempt;
	form->message.day = money->day;
	form->message.is_unpriced = money->is_unpriced;
	form->message.reserved_micros = money->reserved_micros;
	form->message.settled_micros = money->settled_micros;
	form->message.excess_micros = money->excess_micros;
	form->message.is_unconfirmed = money->is_unconfirmed;
	form->message.awaited_until_ms = money->awaited_until_ms;
	form->message.currency = encode_text(money->currency);
	form->message.has_labels = money->has_labels;
	form->message.n_labels = money->n_labels;
	form->message.labels = encode_labels(money->labels, money->n_labels, scratch);
	encode_unknown(&form->message.base, &form->unknown, money->unknown, scratch);
	return &form->message;
}

static void fill_notes(M(State) * message, const struct job_status *status, struct scratch *scratch)
{
	M(Note) *notes = scratch_take(scratch, status->n_notes * sizeof(*notes));

	message->n_notes = status->n_notes;
	message->notes = scratch_take(scratch, status->n_notes * sizeof(void *));
	for (size_t i = 0; i < status->n_notes; i++) {
		notes[i] = (M(Note))INIT(NOTE);
		notes[i].severity = (uint32_t)status->notes[i].severity;
		notes[i].field = encode_text(status->notes[i].field);
		notes[i].message = encode_text(status->notes[i].message);
		notes[i].from = encode_text(status->notes[i].from);
		notes[i].to = encode_text(status->notes[i].to);
		message->notes[i] = &notes[i];
	}
}

static void fill_mismatches(M(State) * message, const struct job_status *status, struct scratch *scratch)
{
	M(Mismatch) *mismatches = scratch_take(scratch, status->n_mismatches * sizeof(*mismatches));

	message->n_mismatches = status->n_mismatches;
	message->mismatches = scratch_take(scratch, status->n_mismatches * sizeof(void *));
	for (size_t i = 0; i < status->n_mismatches; i++) {
		mismatches[i] = (M(Mismatch))INIT(MISMATCH);
		mismatches[i].artifact = status->mismatches[i].artifact;
		mismatches[i].field = encode_text(status->mismatches[i].field);
		mismatches[i].ordered = encode_text(status->mismatches[i].ordered);
		mismatches[i].produced = encode_text(status->mismatches[i].produced);
		mismatches[i].message = encode_text(status->mismatches[i].message);
		message->mismatches[i] = &mismatches[i];
	}
}

static void fill_state(struct state_form *form, const struct job_status *status, struct scratch *scratch)
{
	form->message = (M(State))INIT(STATE);
	form->message.revision = status->revision;
	form->message.state = (uint32_t)status->state;
	form->message.updated_ms = status->updated_ms;
	form->message.started_ms = status->started_ms;
	form->message.finished_ms = status->finished_ms;
	form->message.display_name = encode_text(status->display_name);
	form->message.priority = status->priority;
	form->message.wait = (uint32_t)status->wait;
	form->message.wait_until_ms = status->wait_until_ms;
	form->message.retries = status->retries;
	form->message.progress_percent = status->progress_percent;
	form->message.queue_position = status->queue_position;
	form->message.remote_state = encode_text(status->remote_state);
	form->message.cancel_requested_ms = status->cancel_requested_ms;
	form->message.cancel_outcome = (uint32_t)status->cancel_outcome;
	form->message.failure = fill_failure(&form->failure, &status->failure, scratch);
	form->message.n_missing = status->n_missing;
	form->message.missing = status->missing;
	form->message.phase = status->phase;
	form->message.misses = status->misses;
	form->message.reconciles = status->reconciles;
	form->message.epoch = status->epoch;
	form->message.cost = fill_cost(&form->cost, &status->cost, scratch);
	form->message.money = fill_money(&form->money, &status->money, scratch);
	form->message.n_labels = status->n_labels;
	form->message.labels = encode_labels(status->labels, status->n_labels, scratch);
	fill_notes(&form->message, status, scratch);
	fill_mismatches(&form->message, status, scratch);
	encode_unknown(&form->message.base, &form->unknown, status->unknown, scratch);
}

static void fill_attempt(struct attempt_form *form, const struct job_attempt *attempt, struct scratch *scratch)
{
	form->message = (M(Attempt))INIT(ATTEMPT);
	form->message.number = attempt->number;
	form->message.started_ms = attempt->started_ms;
	form->message.ended_ms = attempt->ended_ms;
	form->message.failure = fill_failure(&form->failure, &attempt->failure, scratch);
	form->message.provider = encode_text(attempt->provider);
	form->message.model = encode_text(attempt->model);
	form->message.account = encode_binary_if_set(attempt->account.bytes, sizeof(attempt->account.bytes));
	encode_unknown(&form->message.base, &form->unknown, attempt->unknown, scratch);
}

static void fill_send(struct send_form *form, const struct job_send *send, struct scratch *scratch)
{
	form->message = (M(Send))INIT(SEND);
	form->message.attempt = send->attempt;
	form->message.number = send->number;
	form->message.class_ = (uint32_t)send->class;
	form->message.created_ms = send->created_ms;
	form->message.decided_ms = send->decided_ms;
	form->message.http_status = send->http_status;
	form->message.idempotency_key = encode_text(send->idempotency_key);
	form->message.base_url = encode_text(send->base_url);
	form->message.fingerprint = encode_binary_if_set(send->fingerprint.bytes, sizeof(send->fingerprint.bytes));
	form->message.account = encode_binary_if_set(send->account.bytes, sizeof(send->account.bytes));
	form->message.key_window_ms = send->key_window_ms;
	encode_unknown(&form->message.base, &form->unknown, send->unknown, scratch);
}

static void fill_remote(struct remote_form *form, const struct job_remote *remote, struct scratch *scratch)
{
	form->message = (M(Remote))INIT(REMOTE);
	form->message.attempt = remote->attempt;
	form->message.index = remote->index;
	form->message.id = encode_text(remote->id);
	form->message.kind = encode_text(remote->kind);
	encode_unknown(&form->message.base, &form->unknown, remote->unknown, scratch);
}

static void fill_artifact(struct artifact_form *form, const struct job_artifact *artifact, struct scratch *scratch)
{
	form->message = (M(Artifact))INIT(ARTIFACT);
	form->message.index = artifact->index;
	form->message.role = encode_text(artifact->role);
	form->message.sample = artifact->sample;
	form->message.language = encode_text(artifact->language);
	form->message.media_type = encode_text(artifact->media_type);
	form->message.size_bytes = artifact->size_bytes;
	form->message.sha256 = encode_binary_if_set(artifact->sha256.bytes, sizeof(artifact->sha256.bytes));
	form->message.duration_ms = artifact->duration_ms;
	form->message.width = artifact->width;
	form->message.height = artifact->height;
	form->message.created_ms = artifact->created_ms;
	form->message.frame_rate_millihertz = artifact->frame_rate_millihertz;
	form->message.sound = (uint32_t)artifact->sound;
	form->message.is_looked_at = artifact->is_looked_at;
	form->message.black_ms = artifact->black_ms;
	form->message.frozen_ms = artifact->frozen_ms;
	encode_unknown(&form->message.base, &form->unknown, artifact->unknown, scratch);
}

static void fill_quote(M(Quote) * message, const struct job_quote *quote)
{
	message->kind = (uint32_t)quote->kind;
	message->source = (uint32_t)quote->source;
	message->unit = (uint32_t)quote->unit;
	message->unit_micros = quote->unit_micros;
	message->amount_micros = quote->amount_micros;
	message->length_ms = quote->length_ms;
	message->samples = quote->samples;
	message->currency = encode_text(quote->currency);
	message->rule = encode_text(quote->rule);
	message->as_of = encode_text(quote->as_of);
}

struct route_form {
	M(Route) message;
	M(Quote) quote;
};

/* Parameters are long, and mostly the same for each: then they are written once. */
static void fill_route(struct route_form *form, const struct job_route *route, const struct job *job)
{
	form->message = (M(Route))INIT(ROUTE);
	form->message.provider = encode_text(route->provider);
	form->message.model = encode_text(route->model);
	if (strcmp(route->parameters, job->parameters) != 0)
		form->message.parameters = encode_text(route->parameters);
	if (route->quote.kind == JOB_QUOTE_NONE)
		return;
	form->quote = (M(Quote))INIT(QUOTE);
	fill_quote(&form->quote, &route->quote);
	form->message.quote = &form->quote;
}

int record_write_job(struct buffer *out, const struct job *job)
{
	_cleanup_(scratch_finish) struct scratch scratch = {0};
	ProtobufCBinaryData assets[LIMIT_JOB_INPUTS];
	struct route_form routes[LIMIT_JOB_ROUTES];
	M(Route) * list[LIMIT_JOB_ROUTES];
	ProtobufCMessageUnknownField unknown;
	M(Quote) quote = INIT(QUOTE);
	M(Job) message = INIT(JOB);
	int r;

	if (job->n_assets > LIMIT_JOB_INPUTS || job->n_routes > LIMIT_JOB_ROUTES)
		return err_origin(-EMSGSIZE);
	r = scratch_init(&scratch, encode_unknown_size(job->unknown));
	if (r < 0)
		return r;
	message.request_id = encode_text(job->request_id);
	message.request_digest = encode_binary_if_set(job->request_digest.bytes, sizeof(job->request_digest.bytes));
	message.provider = encode_text(job->provider);
	message.model = encode_text(job->model);
	message.parameters = encode_text(job->parameters);
	message.created_ms = job->created_ms;
	message.deadline_ms = job->deadline_ms;
	message.retry_of = encode_binary_if_set(job->retry_of.bytes, sizeof(job->retry_of.bytes));
	message.on_uncertain = (uint32_t)job->on_uncertain;
	message.not_before_ms = job->not_before_ms;
	message.patience_ms = job->patience_ms;
	message.retry_if_uncharged = job->retry_if_uncharged;
	message.on_mismatch = (uint32_t)job->on_mismatch;
	message.is_adopted = job->is_adopted;
	message.webhook_url = encode_text(job->webhook_url ? job->webhook_url : "");
	message.n_assets = job->n_assets;
	message.assets = assets;
	for (size_t i = 0; i < job->n_assets; i++)
		assets[i] = encode_binary(job->assets[i].bytes, sizeof(job->assets[i].bytes));
	if (job->quote.kind != JOB_QUOTE_NONE) {
		fill_quote(&quote, &job->quote);
		message.quote = &quote;
	}
	message.n_routes = job->n_routes;
	message.routes = list;
	for (size_t i = 0; i < job->n_routes; i++) {
		fill_route(&routes[i], &job->routes[i], job);
		list[i] = &routes[i].message;
	}
	message.route = job->route;
	encode_unknown(&message.base, &unknown, job->unknown, &scratch);
	return encode_append(out, &message.base);
}

int record_write_asset(struct buffer *out, const struct asset *asset)
{
	M(Asset) message = INIT(ASSET);

	message.id = encode_binary_if_set(asset->id.bytes, sizeof(asset->id.bytes));
	message.size_bytes = asset->size_bytes;
	message.media_type = encode_text(asset->media_type);
	message.duration_ms = asset->duration_ms;
	message.width = asset->width;
	message.height = asset->height;
	message.display_name = encode_text(asset->display_name);
	message.created_ms = asset->created_ms;
	return encode_append(out, &message.base);
}

int record_write_state(struct buffer *out, const struct job_status *status)
{
	_cleanup_(scratch_finish) struct scratch scratch = {0};
	struct state_form form;
	int r = scratch_init(&scratch, state_size(status));

	if (r < 0)
		return r;
	fill_state(&form, status, &scratch);
	form.message.plugin_state = encode_text(status->plugin_state);
	form.message.plugin_state_version = status->plugin_state_version;
	form.message.outputs = encode_text(status->outputs);
	form.message.delivered_ms = status->delivered_ms;
	return encode_append(out, &form.message.base);
}

int record_write_attempt(struct buffer *out, const struct job_attempt *attempt)
{
	_cleanup_(scratch_finish) struct scratch scratch = {0};
	struct attempt_form form;
	int r = scratch_init(&scratch, attempt_size(attempt));

	if (r < 0)
		return r;
	fill_attempt(&form, attempt, &scratch);
	return encode_append(out, &form.message.base);
}

int record_write_send(struct buffer *out, const struct job_send *send)
{
	_cleanup_(scratch_finish) struct scratch scratch = {0};
	struct send_form form;
	int r = scratch_init(&scratch, send_size(send));

	if (r < 0)
		return r;
	fill_send(&form, send, &scratch);
	return encode_append(out, &form.message.base);
}

int record_write_remote(struct buffer *out, const struct job_remote *remote)
{
	_cleanup_(scratch_finish) struct scratch scratch = {0};
	struct remote_form form;
	int r = scratch_init(&scratch, remote_size(remote));

	if (r < 0)
		return r;
	fill_remote(&form, remote, &scratch);
	return encode_append(out, &form.message.base);
}

int record_write_artifact(struct buffer *out, const struct job_artifact *artifact)
{
	_cleanup_(scratch_finish) struct scratch scratch = {0};
	struct artifact_form form;
	int r = scratch_init(&scratch, artifact_size(artifact));

	if (r < 0)
		return r;
	fill_artifact(&form, artifact, &scratch);
	return encode_append(out, &form.message.base);
}

/* For each list of the snapshot: a block of forms, a block of pointers to their messages. */
#define FILL_LIST(snapshot, status, scratch, kind)                                       \
	do {                                                                             \
		size_t n = (status)->n_##kind##s;                                        \
		struct kind##_form *forms = scratch_take((scratch), n * sizeof(*forms)); \
		(snapshot)->n_##kind##s = n;                                             \
		(snapshot)->kind##s = scratch_take((scratch), n * sizeof(void *));       \
		for (size_t i = 0; i < n; i++) {                                         \
			fill_##kind(&forms[i], &(status)->kind##s[i], (scratch));        \
			(snapshot)->kind##s[i] = &forms[i].message;                      \
		}                                                                        \
	} while (0)

#define LIST_SIZE(size, status, kind)                                        \
	do {                                                                 \
		size_t n = (status)->n_##kind##s;                            \
		(size) += n * (sizeof(struct kind##_form) + sizeof(void *)); \
		for (size_t i = 0; i < n; i++)                               \
			(size) += kind##_size(&(status)->kind##s[i]);        \
	} while (0)

static size_t lists_size(const struct job_status *status)
{
	size_t size = 0;

	LIST_SIZE(size, status, attempt);
	LIST_SIZE(size, status, send);
	LIST_SIZE(size, status, remote);
	LIST_SIZE(size, status, artifact);
	return size;
}

int record_write_event(struct buffer *out, enum job_event kind, const struct job *job, const struct job_status *status)
{
	_cleanup_(scratch_finish) struct scratch scratch = {0};
	const struct job_route ordered = job_ordered(job);
	M(Snapshot) snapshot = INIT(SNAPSHOT);
	M(Event) event = INIT(EVENT);
	struct state_form state;
	int r = scratch_init(&scratch, state_size(status) + lists_size(status));

	if (r < 0)
		return r;
	fill_state(&state, status, &scratch);
	snapshot.provider = encode_text(ordered.provider);
	snapshot.model = encode_text(ordered.model);
	if (job->route) {
		state.message.provider = encode_text(job->provider);
		state.message.model = encode_text(job->model);
	}
	snapshot.created_ms = job->created_ms;
	snapshot.webhook_url = encode_text(job->webhook_url ? job->webhook_url : "");
	snapshot.state = &state.message;
	FILL_LIST(&snapshot, status, &scratch, attempt);
	FILL_LIST(&snapshot, status, &scratch, send);
	FILL_LIST(&snapshot, status, &scratch, remote);
	FILL_LIST(&snapshot, status, &scratch, artifact);
	event.kind = (uint32_t)kind;
	event.job_id = encode_binary(job->ref.id.bytes, sizeof(job->ref.id.bytes));
	event.revision = status->revision;
	event.time_ms = status->updated_ms;
	event.snapshot = &snapshot;
	return encode_append(out, &event.base);
}
