#include "store/records.h"

#include "base/err.h"
#include "store/decode.h"

void record_ledger_entry_finish(struct ledger_entry *entry)
{
	for (size_t i = 0; i < entry->n_labels; i++) {
		free(entry->labels[i].key);
		free(entry->labels[i].value);
	}
	free((void *)(uintptr_t)entry->labels);
	free((void *)(uintptr_t)entry->provider);
	free((void *)(uintptr_t)entry->model);
	free((void *)(uintptr_t)entry->currency);
	*entry = (struct ledger_entry){0};
}

static int take_ledger_entry(M(LedgerEntry) * message, struct ledger_entry *entry)
{
	struct job_label *labels = NULL;
	size_t n_labels = 0;
	int r = decode_binary(message->job_id, entry->ref.id.bytes, sizeof(entry->ref.id.bytes));

	entry->kind = (enum ledger_kind)message->kind;
	entry->debit = (enum ledger_account)message->debit;
	entry->credit = (enum ledger_account)message->credit;
	entry->flags = message->flags;
	entry->amount_micros = message->amount_micros;
	entry->time_ms = message->time_ms;
	entry->day = message->day;
	entry->attempt = message->attempt;
	entry->currency = decode_text_or_empty(&message->currency);
	entry->provider = decode_text_or_empty(&message->provider);
	entry->model = decode_text_or_empty(&message->model);
	if (r == 0)
		r = decode_labels(message->labels, message->n_labels, &labels, &n_labels);
	entry->labels = labels;
	entry->n_labels = labels ? n_labels : 0;
	if (r == 0 && (!entry->currency || !entry->provider || !entry->model))
		r = err_origin(-ENOMEM);
	return r;
}

int record_read_ledger_entry(struct bytes value, struct ledger_entry *ret)
{
	_cleanup_(message_freep) M(LedgerEntry) *message = NULL;
	struct ledger_entry entry = {0};
	int r = decode_message(value, &filmgate__store__v1__ledger_entry__descriptor, &message);

	if (r)
		return r;
	if (message->kind == 0 || message->kind >= _LEDGER_KIND_COUNT || message->amount_micros < 0 ||
	    message->debit >= _LEDGER_ACCOUNT_COUNT || message->credit >= _LEDGER_ACCOUNT_COUNT)
		return err_origin(-EBADMSG);
	r = take_ledger_entry(message, &entry);
	if (r < 0) {
		record_ledger_entry_finish(&entry);
		return r;
	}
	*ret = entry;
	return 0;
}

int record_read_ledger_balance(struct bytes value, struct ledger_balance *ret)
{
	_cleanup_(message_freep) M(LedgerBalance) *message = NULL;
	int r = decode_message(value, &filmgate__store__v1__ledger_balance__descriptor, &message);

	if (r)
		return r;
	*ret = (struct ledger_balance){.reserved_micros = message->reserved_micros,
				       .spent_micros = message->spent_micros,
				       .excess_micros = message->excess_micros,
				       .unconfirmed_micros = message->unconfirmed_micros,
				       .jobs = message->jobs,
				       .unpriced_jobs = message->unpriced_jobs};
	return 0;
}
