#include "store/records.h"

#include "base/err.h"
#include "base/limits.h"
#include "store/decode.h"
#include "store/format.h"
#include "store/wire.h"

/*
 * Messages are unpacked by protobuf-c with malloc, and their texts are moved into the structs of job/, not copied:
 * decode_text() leaves the empty text behind, which protobuf-c does not free.
 */

#define TAG_MAX 536870911u /* of a field, in protocol buffers */

/* What follows the version byte. */
int decode_frame(struct bytes value, struct bytes *ret)
{
	if (value.len == 0 || *(const uint8_t *)value.data == 0)
		return err_origin(-EBADMSG);
	if (*(const uint8_t *)value.data > RECORD_VERSION)
		return STORE_E_NEWER_FORMAT;
	*ret = bytes_of((const uint8_t *)value.data + 1, value.len - 1);
	return 0;
}

int decode_message(struct bytes value, const ProtobufCMessageDescriptor *descriptor, void *ret)
{
	struct bytes message = {0};
	ProtobufCMessage *unpacked;
	int r = decode_frame(value, &message);

	if (r)
		return r;
	unpacked = protobuf_c_message_unpack(descriptor, NULL, message.len, message.data);
	if (!unpacked)
		return err_origin(-EBADMSG);
	*(ProtobufCMessage **)ret = unpacked;
	return 0;
}

char *decode_text(char **field)
{
	char *taken = *field;

	if (taken == protobuf_c_empty_string || !taken)
		return NULL;
	*field = (char *)protobuf_c_empty_string;
	if (*taken)
		return taken;
	free(taken);
	return NULL;
}

/* Never NULL but for lack of memory. */
char *decode_text_or_empty(char **field)
{
	char *taken = decode_text(field);

	return taken ? taken : strdup("");
}

/* Absent is all zeros. */
int decode_binary(ProtobufCBinaryData from, uint8_t *to, size_t size)
{
	if (from.len != 0 && from.len != size)
		return err_origin(-EBADMSG);
	if (from.len)
		memcpy(to, from.data, size);
	return 0;
}

static char *put_hex(char *out, uint8_t byte)
{
	static const char digits[] = "0123456789abcdef";

	*out++ = digits[byte >> 4];
	*out++ = digits[byte & 0x0f];
	return out;
}

static char *put_hex_varint(char *out, uint32_t value)
{
	for (; value >= 0x80; value >>= 7)
		out = put_hex(out, (uint8_t)(value | 0x80));
	return put_hex(out, (uint8_t)value);
}

/* protobuf-c reads impossible numbers too, and could not read again what it would write of them. */
int decode_unknown(const ProtobufCMessage *message, char **ret)
{
	size_t size = 0;
	char *text, *out;

	if (message->n_unknown_fields == 0)
		return 0;
	for (unsigned int i = 0; i < message->n_unknown_fields; i++) {
		const ProtobufCMessageUnknownField *field = &message->unknown_fields[i];

		if (field->tag == 0 || field->tag > TAG_MAX)
			return err_origin(-EBADMSG);
		size += 5 + field->len;
	}
	text = malloc(2 * size + 1);
	if (!text)
		return err_origin(-ENOMEM);
	out = text;
	for (unsigned int i = 0; i < message->n_unknown_fields; i++) {
		const ProtobufCMessageUnknownField *field = &message->unknown_fields[i];

		out = put_hex_varint(out, field->tag << 3 | (uint32_t)field->wire_type);
		for (size_t k = 0; k < field->len; k++)
			out = put_hex(out, field->data[k]);
	}
	*out = '\0';
	*ret = text;
	return 0;
}

static int take_failure(M(Failure) * message, struct job_failure *failure)
{
	if (!message)
		return 0;
	failure->reason = (enum job_reason)message->reason;
	failure->purchase = (enum job_purchase)message->purchase;
	failure->message = decode_text(&message->message);
	failure->provider_code = decode_text(&message->provider_code);
	failure->provider_message = decode_text(&message->provider_message);
	failure->provider_request_id = decode_text(&message->provider_request_id);
	return decode_unknown(&message->base, &failure->unknown);
}

static int take_cost(M(Cost) * message, struct job_cost *cost)
{
	if (!message)
		return 0;
	cost->source = (enum job_cost_source)message->source;
	cost->amount_micros = message->amount_micros;
	cost->currency = decode_text(&message->currency);
	cost->is_provisional = message->is_provisional;
	return decode_unknown(&message->base, &cost->unknown);
}

int decode_labels(M(Label) * *from, size_t n, struct job_label **list, size_t *n_list)
{
	if (n == 0)
		return 0;
	*list = calloc(n, sizeof(**list));
	if (!*list)
		return err_origin(-ENOMEM);
	for (size_t i = 0; i < n; i++) {
		struct job_label *label = &(*list)[(*n_list)++];

		label->key = decode_text_or_empty(&from[i]->key);
		label->value = decode_text_or_empty(&from[i]->value);
		if (!label->key || !label->value)
			return err_origin(-ENOMEM);
	}
	return 0;
}

static int take_money(M(Money) * message, struct job_money *money)
{
	int r;

	if (!message)
		return 0;
	if (message->settlement >= _JOB_SETTLEMENT_COUNT)
		return err_origin(-EBADMSG);
	money->settlement = (enum job_settlement)message->settlement;
	money->attempt = message->attempt;
	money->day = message->day;
	money->is_unpriced = message->is_unpriced;
	money->reserved_micros = message->reserved_micros;
	money->settled_micros = message->settled_micros;
	money->excess_micros = message->excess_micros;
	money->is_unconfirmed = message->is_unconfirmed;
	money->awaited_until_ms = message->awaited_until_ms;
	money->currency = decode_text(&message->currency);
	money->has_labels = message->has_labels;
	r = decode_labels(message->labels, message->n_labels, &money->labels, &money->n_labels);
	return r < 0 ? r : decode_unknown(&message->base, &money->unknown);
}

static void take_quote(M(Quote) * message, struct job_quote *quote)
{
	quote->kind = (enum job_quote_kind)message->kind;
	quote->source = (enum job_price_source)message->source;
	quote->unit = (enum job_price_unit)message->unit;
	quote->unit_micros = message->unit_micros;
	quote->amount_micros = message->amount_micros;
	quote->length_ms = message->length_ms;
	quote->samples = message->samples;
	quote->currency = decode_text(&message->currency);
	quote->rule = decode_text(&message->rule);
	quote->as_of = decode_text(&message->as_of);
}

static int take_notes(const M(State) * message, struct job_status *status)
{
	for (size_t i = 0; i < message->n_notes; i++) {
		const M(Note) *note = message->notes[i];
		int r = job_add_note(status, (enum job_severity)note->severity, note->field, note->message, note->from,
				     note->to);

		if (r < 0)
			return err_trace(r);
	}
	return 0;
}

static int take_mismatches(const M(State) * message, struct job_status *status)
{
	for (size_t i = 0; i < message->n_mismatches; i++) {
		const M(Mismatch) *from = message->mismatches[i];
		const struct job_mismatch mismatch = {
			.artifact = from->artifact,
			.field = from->field,
			.ordered = from->ordered,
			.produced = from->produced,
			.message = from->message,
		};
		int r = job_add_mismatch(status, &mismatch);

		if (r < 0)
			return err_trace(r);
	}
	return 0;
}

static int take_missing(M(State) * message, struct job_status *status)
{
	for (size_t i = 0; i < message->n_missing; i++) {
		int r = job_add_missing(status, message->missing[i]);

		if (r < 0)
			return err_trace(r);
	}
	return 0;
}

static void take_scalars(const M(State) * message, struct job_status *status)
{
	status->revision = message->revision;
	status->state = (enum job_state)message->state;
	status->updated_ms = message->updated_ms;
	status->started_ms = message->started_ms;
	status->finished_ms = message->finished_ms;
	status->priority = message->priority;
	status->wait = (enum job_wait)message->wait;
	status->wait_until_ms = message->wait_until_ms;
	status->retries = message->retries;
	status->progress_percent = message->progress_percent;
	status->queue_position = message->queue_position;
	status->cancel_requested_ms = message->cancel_requested_ms;
	status->cancel_outcome = (enum job_cancel_outcome)message->cancel_outcome;
	status->phase = message->phase;
	status->misses = message->misses;
	status->reconciles = message->reconciles;
	status->epoch = message->epoch;
	status->plugin_state_version = message->plugin_state_version;
	status->delivered_ms = message->delivered_ms;
}

static int take_state(M(State) * message, struct job_status *status)
{
	int r;

	if (message->state == 0 || message->state >= _JOB_STATE_COUNT || message->wait >= _JOB_WAIT_COUNT)
		return err_origin(-EBADMSG);
	take_scalars(message, status);
	status->display_name = decode_text(&message->display_name);
	status->remote_state = decode_text(&message->remote_state);
	status->plugin_state = decode_text(&message->plugin_state);
	status->outputs = decode_text(&message->outputs);
	r = decode_labels(message->labels, message->n_labels, &status->labels, &status->n_labels);
	if (r == 0)
		r = take_missing(message, status);
	if (r == 0)
		r = take_notes(message, status);
	if (r == 0)
		r = take_mismatches(message, status);
	if (r == 0)
		r = take_failure(message->failure, &status->failure);
	if (r == 0)
		r = take_cost(message->cost, &status->cost);
	if (r == 0)
		r = take_money(message->money, &status->money);
	if (r == 0)
		r = decode_unknown(&message->base, &status->unknown);
	return r;
}

static int take_attempt(M(Attempt) * message, struct job_status *status)
{
	struct job_attempt *attempt = job_add_attempt(status);
	int r;

	if (!attempt)
		return err_origin(-ENOMEM);
	attempt->number = message->number;
	attempt->started_ms = message->started_ms;
	attempt->ended_ms = message->ended_ms;
	attempt->provider = decode_text(&message->provider);
	attempt->model = decode_text(&message->model);
	r = take_failure(message->failure, &attempt->failure);
	if (r == 0)
		r = decode_binary(message->account, attempt->account.bytes, sizeof(attempt->account.bytes));
	return r < 0 ? r : decode_unknown(&message->base, &attempt->unknown);
}

static int take_send(M(Send) * message, struct job_status *status)
{
	struct job_send *send = job_add_send(status);
	int r;

	if (!send)
		return err_origin(-ENOMEM);
	send->attempt = message->attempt;
	send->number = message->number;
	send->class = (enum job_send_class)message->class_;
	send->created_ms = message->created_ms;
	send->decided_ms = message->decided_ms;
	send->http_status = message->http_status;
	send->idempotency_key = decode_text(&message->idempotency_key);
	send->base_url = decode_text(&message->base_url);
	send->key_window_ms = message->key_window_ms;
	r = decode_binary(message->fingerprint, send->fingerprint.bytes, sizeof(send->fingerprint.bytes));
	if (r == 0)
		r = decode_binary(message->account, send->account.bytes, sizeof(send->account.bytes));
	return r < 0 ? r : decode_unknown(&message->base, &send->unknown);
}

static int take_remote(M(Remote) * message, struct job_status *status)
{
	struct job_remote *remote = job_add_remote(status);

	if (!remote)
		return err_origin(-ENOMEM);
	remote->attempt = message->attempt;
	remote->index = message->index;
	remote->id = decode_text(&message->id);
	remote->kind = decode_text(&message->kind);
	return decode_unknown(&message->base, &remote->unknown);
}

static int take_artifact(M(Artifact) * message, struct job_status *status)
{
	struct job_artifact *artifact = job_add_artifact(status);
	int r;

	if (!artifact)
		return err_origin(-ENOMEM);
	artifact->index = message->index;
	artifact->role = decode_text(&message->role);
	artifact->sample = message->sample;
	artifact->language = decode_text(&message->language);
	artifact->media_type = decode_text(&message->media_type);
	artifact->size_bytes = message->size_bytes;
	artifact->duration_ms = message->duration_ms;
	artifact->width = message->width;
	artifact->height = message->height;
	artifact->created_ms = message->created_ms;
	artifact->frame_rate_millihertz = message->frame_rate_millihertz;
	artifact->sound = (enum job_sound)message->sound;
	artifact->is_looked_at = message->is_looked_at;
	artifact->black_ms = message->black_ms;
	artifact->frozen_ms = message->frozen_ms;
	r = decode_binary(message->sha256, artifact->sha256.bytes, sizeof(artifact->sha256.bytes));
	return r < 0 ? r : decode_unknown(&message->base, &artifact->unknown);
}

static int take_assets(const M(Job) * message, struct job *job)
{
	if (message->n_assets > LIMIT_JOB_INPUTS)
		return err_origin(-EBADMSG);
	for (size_t i = 0; i < message->n_assets; i++) {
		struct digest sha256;
		int r;

		if (message->assets[i].len != sizeof(sha256.bytes))
			return err_origin(-EBADMSG);
		memcpy(sha256.bytes, message->assets[i].data, sizeof(sha256.bytes));
		r = job_add_asset(job, &sha256);
		if (r < 0)
			return r;
	}
	return 0;
}

static int take_routes(M(Job) * message, struct job *job)
{
	if (message->n_routes > LIMIT_JOB_ROUTES ||
	    (message->n_routes ? message->route >= message->n_routes : message->route > 0))
		return err_origin(-EBADMSG);
	for (size_t i = 0; i < message->n_routes; i++) {
		M(Route) *from = message->routes[i];
		struct job_route route = {
			.provider = from->provider,
			.model = from->model,
			.parameters = *from->parameters ? from->parameters : job->parameters,
		};
		int r;

		if (from->quote)
			take_quote(from->quote, &route.quote);
		r = job_add_route(job, &route);
		job_quote_finish(&route.quote);
		if (r < 0)
			return r;
	}
	job->route = message->route;
	return 0;
}

int record_read_asset(struct bytes value, struct asset *ret)
{
	_cleanup_(message_freep) M(Asset) *message = NULL;
	_cleanup_(asset_finish) struct asset asset = {0};
	int r = decode_message(value, &filmgate__store__v1__asset__descriptor, &message);

	if (r)
		return r;
	if (strlen(message->media_type) >= sizeof(asset.media_type))
		return err_origin(-EBADMSG);
	memcpy(asset.media_type, message->media_type, strlen(message->media_type) + 1);
	r = decode_binary(message->id, asset.id.bytes, sizeof(asset.id.bytes));
	if (r < 0)
		return r;
	asset.size_bytes = message->size_bytes;
	asset.duration_ms = message->duration_ms;
	asset.width = message->width;
	asset.height = message->height;
	asset.display_name = decode_text(&message->display_name);
	asset.created_ms = message->created_ms;
	*ret = asset;
	asset.display_name = NULL;
	return 0;
}

int record_read_job(struct bytes value, struct job **ret)
{
	_cleanup_(message_freep) M(Job) *message = NULL;
	_cleanup_(job_freep) struct job *job = NULL;
	int r = decode_message(value, &filmgate__store__v1__job__descriptor, &message);

	if (r)
		return r;
	job = job_new();
	if (!job)
		return err_origin(-ENOMEM);

	free(job->request_id);
	free(job->provider);
	free(job->model);
	free(job->parameters);
	job->request_id = decode_text_or_empty(&message->request_id);
	job->provider = decode_text_or_empty(&message->provider);
	job->model = decode_text_or_empty(&message->model);
	job->parameters = decode_text_or_empty(&message->parameters);
	if (!job->request_id || !job->provider || !job->model || !job->parameters)
		return err_origin(-ENOMEM);
	job->created_ms = message->created_ms;
	job->deadline_ms = message->deadline_ms;
	job->on_uncertain = (enum job_uncertain)message->on_uncertain;
	job->not_before_ms = message->not_before_ms;
	job->patience_ms = message->patience_ms;
	job->retry_if_uncharged = message->retry_if_uncharged;
	job->on_mismatch = (enum job_on_mismatch)message->on_mismatch;
	job->is_adopted = message->is_adopted;
	job->webhook_url = decode_text(&message->webhook_url);
	if (message->quote)
		take_quote(message->quote, &job->quote);
	r = decode_binary(message->request_digest, job->request_digest.bytes, sizeof(job->request_digest.bytes));
	if (r == 0)
		r = decode_binary(message->retry_of, job->retry_of.bytes, sizeof(job->retry_of.bytes));
	if (r == 0)
		r = take_assets(message, job);
	if (r == 0)
		r = take_routes(message, job);
	if (r == 0)
		r = decode_unknown(&message->base, &job->unknown);
	if (r < 0)
		return r;
	*ret = steal(job);
	return 0;
}

int record_read_state(struct bytes value, struct job_status **ret)
{
	_cleanup_(message_freep) M(State) *message = NULL;
	_cleanup_(job_status_freep) struct job_status *status = NULL;
	int r = decode_message(value, &filmgate__store__v1__state__descriptor, &message);

	if (r)
		return r;
	status = job_status_new();
	if (!status)
		return err_origin(-ENOMEM);
	r = take_state(message, status);
	if (r < 0)
		return r;
	*ret = steal(status);
	return 0;
}

int record_read_attempt(struct bytes value, struct job_status *status)
{
	_cleanup_(message_freep) M(Attempt) *message = NULL;
	int r = decode_message(value, &filmgate__store__v1__attempt__descriptor, &message);

	return r ? r : take_attempt(message, status);
}

int record_read_send(struct bytes value, struct job_status *status)
{
	_cleanup_(message_freep) M(Send) *message = NULL;
	int r = decode_message(value, &filmgate__store__v1__send__descriptor, &message);

	return r ? r : take_send(message, status);
}

int record_read_remote(struct bytes value, struct job_status *status)
{
	_cleanup_(message_freep) M(Remote) *message = NULL;
	int r = decode_message(value, &filmgate__store__v1__remote__descriptor, &message);

	return r ? r : take_remote(message, status);
}

int record_read_artifact(struct bytes value, struct job_status *status)
{
	_cleanup_(message_freep) M(Artifact) *message = NULL;
	int r = decode_message(value, &filmgate__store__v1__artifact__descriptor, &message);

	return r ? r : take_artifact(message, status);
}

int record_read_revision(struct bytes value, uint64_t *ret)
{
	struct wire_field field;
	struct bytes left;
	int r = decode_frame(value, &left);

	if (r)
		return r;
	while (wire_next(&left, &field)) {
		if (field.tag != 1)
			continue;
		*ret = field.number;
		return 0;
	}
	return err_origin(-EBADMSG);
}

int record_read_event_head(struct bytes value, struct store_event *ret)
{
	struct store_event event = {0};
	struct wire_field field;
	struct bytes left;
	bool has_id = false;
	int r = decode_frame(value, &left);

	if (r)
		return r;
	while (wire_next(&left, &field) && field.tag < 5) {
		if (field.tag == 1)
			event.kind = (enum job_event)field.number;
		else if (field.tag == 3)
			event.revision = field.number;
		else if (field.tag == 4)
			event.time_ms = (int64_t)field.number;
		else if (field.tag == 2 && field.bytes.len == sizeof(event.ref.id.bytes)) {
			memcpy(event.ref.id.bytes, field.bytes.data, sizeof(event.ref.id.bytes));
			has_id = true;
		}
	}
	if (!has_id)
		return err_origin(-EBADMSG);
	*ret = event;
	return 0;
}

static int take_lists(M(Snapshot) * message, struct job_status *status)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < message->n_attempts; i++)
		r = take_attempt(message->attempts[i], status);
	for (size_t i = 0; r == 0 && i < message->n_sends; i++)
		r = take_send(message->sends[i], status);
	for (size_t i = 0; r == 0 && i < message->n_remotes; i++)
		r = take_remote(message->remotes[i], status);
	for (size_t i = 0; r == 0 && i < message->n_artifacts; i++)
		r = take_artifact(message->artifacts[i], status);
	return r;
}

struct store_snapshot *store_snapshot_free(struct store_snapshot *snapshot)
{
	if (!snapshot)
		return NULL;
	free(snapshot->provider);
	free(snapshot->model);
	free(snapshot->provider_now);
	free(snapshot->model_now);
	free(snapshot->webhook_url);
	job_status_free(snapshot->status);
	free(snapshot);
	return NULL;
}

static void snapshot_freep(struct store_snapshot **snapshot)
{
	store_snapshot_free(*snapshot);
}

int record_read_snapshot(struct bytes value, struct store_snapshot **ret)
{
	_cleanup_(message_freep) M(Event) *message = NULL;
	_cleanup_(snapshot_freep) struct store_snapshot *snapshot = NULL;
	int r = decode_message(value, &filmgate__store__v1__event__descriptor, &message);

	if (r)
		return r;
	if (!message->snapshot || !message->snapshot->state)
		return err_origin(-EBADMSG);
	snapshot = calloc(1, sizeof(*snapshot));
	if (!snapshot)
		return err_origin(-ENOMEM);

	snapshot->kind = (enum job_event)message->kind;
	snapshot->provider = decode_text_or_empty(&message->snapshot->provider);
	snapshot->model = decode_text_or_empty(&message->snapshot->model);
	snapshot->provider_now = decode_text(&message->snapshot->state->provider);
	snapshot->model_now = decode_text(&message->snapshot->state->model);
	snapshot->created_ms = message->snapshot->created_ms;
	snapshot->webhook_url = decode_text(&message->snapshot->webhook_url);
	snapshot->status = job_status_new();
	if (!snapshot->provider || !snapshot->model || !snapshot->status)
		return err_origin(-ENOMEM);
	r = decode_binary(message->job_id, snapshot->ref.id.bytes, sizeof(snapshot->ref.id.bytes));
	if (r == 0)
		r = take_state(message->snapshot->state, snapshot->status);
	if (r == 0)
		r = take_lists(message->snapshot, snapshot->status);
	if (r < 0)
		return r;
	*ret = steal(snapshot);
	return 0;
}

int store_event_read(const struct store_event *event, struct store_snapshot **ret)
{
	struct store_snapshot *snapshot;
	int r = record_read_snapshot(event->record, &snapshot);

	if (r)
		return r;
	snapshot->ref.tenant = event->ref.tenant;
	snapshot->sequence = event->sequence;
	*ret = snapshot;
	return 0;
}
