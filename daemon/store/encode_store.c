/*
 * The records that are no part of a job: as decode_store.c, and the ledger's.
 */
#include "store/records.h"

#include "base/err.h"
#include "store/encode.h"

int record_write_request(struct buffer *out, const struct job *job)
{
	M(Request) message = INIT(REQUEST);

	message.job_id = encode_binary(job->ref.id.bytes, sizeof(job->ref.id.bytes));
	message.digest = encode_binary_if_set(job->request_digest.bytes, sizeof(job->request_digest.bytes));
	return encode_append(out, &message.base);
}

int record_write_reply(struct buffer *out, struct bytes meta, struct bytes body)
{
	M(Reply) message = INIT(REPLY);

	message.meta = encode_binary(meta.data, meta.len);
	message.body = encode_binary(body.data, body.len);
	return encode_append(out, &message.base);
}

/* Replaced whole, never rewritten: there is nothing of a later version to carry along. */
int record_write_handle(struct buffer *out, const struct store_handle *handle)
{
	M(Handle) message = INIT(HANDLE);

	message.handle = encode_text(handle->handle ? handle->handle : "");
	message.headers = encode_text(handle->headers ? handle->headers : "");
	message.uploaded_ms = handle->uploaded_ms;
	message.expires_ms = handle->expires_ms;
	return encode_append(out, &message.base);
}

int record_write_order(struct buffer *out, const struct record_order *order)
{
	M(Order) message = INIT(ORDER);

	message.class_ = order->class;
	message.decided_ms = order->decided_ms;
	message.is_deleted = order->is_deleted;
	message.model = encode_text(order->model ? order->model : "");
	message.parameters = encode_text(order->parameters ? order->parameters : "");
	message.remote_ids = order->remote_ids;
	message.n_remote_ids = order->n_remote_ids;
	return encode_append(out, &message.base);
}

int record_write_ledger_entry(struct buffer *out, const struct ledger_entry *entry)
{
	_cleanup_(scratch_finish) struct scratch scratch = {0};
	M(LedgerEntry) message = INIT(LEDGER_ENTRY);
	int r = scratch_init(&scratch, encode_labels_size(entry->n_labels));

	if (r < 0)
		return r;
	message.kind = (uint32_t)entry->kind;
	message.debit = (uint32_t)entry->debit;
	message.credit = (uint32_t)entry->credit;
	message.flags = entry->flags;
	message.amount_micros = entry->amount_micros;
	message.currency = encode_text(entry->currency);
	message.time_ms = entry->time_ms;
	message.day = entry->day;
	message.job_id = encode_binary(entry->ref.id.bytes, sizeof(entry->ref.id.bytes));
	message.attempt = entry->attempt;
	message.provider = encode_text(entry->provider);
	message.model = encode_text(entry->model);
	message.n_labels = entry->n_labels;
	message.labels = encode_labels(entry->labels, entry->n_labels, &scratch);
	return encode_append(out, &message.base);
}

int record_write_ledger_balance(struct buffer *out, const struct ledger_balance *balance)
{
	M(LedgerBalance) message = INIT(LEDGER_BALANCE);

	message.reserved_micros = balance->reserved_micros;
	message.spent_micros = balance->spent_micros;
	message.excess_micros = balance->excess_micros;
	message.unconfirmed_micros = balance->unconfirmed_micros;
	message.jobs = balance->jobs;
	message.unpriced_jobs = balance->unpriced_jobs;
	return encode_append(out, &message.base);
}

int record_write_meta(struct buffer *out, const struct record_meta *meta)
{
	M(Meta) message = INIT(META);

	message.format = meta->format;
	message.epoch = meta->epoch;
	message.created_ms = meta->created_ms;
	message.life = meta->life;
	if (meta->has_link_key)
		message.link_key = (ProtobufCBinaryData){sizeof(meta->link_key), (uint8_t *)(uintptr_t)meta->link_key};
	return encode_append(out, &message.base);
}

int record_write_tenant(struct buffer *out, const struct record_tenant *tenant)
{
	_cleanup_(scratch_finish) struct scratch scratch = {0};
	ProtobufCMessageUnknownField unknown;
	M(Tenant) message = INIT(TENANT);
	int r = scratch_init(&scratch, encode_unknown_size(tenant->unknown));

	if (r < 0)
		return r;
	message.event_watermark = tenant->event_watermark;
	encode_unknown(&message.base, &unknown, tenant->unknown, &scratch);
	return encode_append(out, &message.base);
}
