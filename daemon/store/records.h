/*
 * Records: between the values of job/ and the messages of proto/filmgate/store/v1, with the version byte before them.
 * Pure; any thread.
 *
 * Writing appends the whole value (version byte and message) to a buffer: 0, -ENOMEM or -EMSGSIZE.
 * Reading: 0; STORE_E_NEWER_FORMAT when the version byte is higher than ours; -EBADMSG when the bytes are no such
 * record; -ENOMEM. An empty text is read as NULL, except the texts of struct job, which are never NULL.
 */
#ifndef FG_STORE_RECORDS_H
#define FG_STORE_RECORDS_H

#include "base/bytes.h"
#include "job/asset.h"
#include "job/job.h"
#include "job/ledger.h"
#include "store/store.h"

int record_write_job(struct buffer *out, const struct job *job);
int record_write_asset(struct buffer *out, const struct asset *asset);
int record_write_state(struct buffer *out, const struct job_status *status);
int record_write_attempt(struct buffer *out, const struct job_attempt *attempt);
int record_write_send(struct buffer *out, const struct job_send *send);
int record_write_remote(struct buffer *out, const struct job_remote *remote);
int record_write_artifact(struct buffer *out, const struct job_artifact *artifact);
int record_write_event(struct buffer *out, enum job_event kind, const struct job *job, const struct job_status *status);
int record_write_request(struct buffer *out, const struct job *job);
int record_write_reply(struct buffer *out, struct bytes meta, struct bytes body);

/* Without its ref, which the key has. */
int record_read_job(struct bytes value, struct job **ret);
/* Without its SHA-256, which the key has. The caller finishes it. */
int record_read_asset(struct bytes value, struct asset *ret);
/* The state record alone: no attempts and so on. */
int record_read_state(struct bytes value, struct job_status **ret);
/* Append to @status. */
int record_read_attempt(struct bytes value, struct job_status *status);
int record_read_send(struct bytes value, struct job_status *status);
int record_read_remote(struct bytes value, struct job_status *status);
int record_read_artifact(struct bytes value, struct job_status *status);

/* The state's revision without the rest. */
int record_read_revision(struct bytes value, uint64_t *ret);
/* Kind, job id, revision and time of an event without the rest. Leaves tenant, sequence and record to the caller. */
int record_read_event_head(struct bytes value, struct store_event *ret);
/* Leaves the tenant and the sequence to the caller. */
int record_read_snapshot(struct bytes value, struct store_snapshot **ret);
/* Leaves the tenant and `deleted` to the caller. */
int record_read_request(struct bytes value, struct store_request *ret);

/* Views into @value. */
struct record_reply {
	struct bytes meta;
	struct bytes body;
};
int record_read_reply(struct bytes value, struct record_reply *ret);

int record_write_handle(struct buffer *out, const struct store_handle *handle);
int record_read_handle(struct bytes value, struct store_handle *ret);

/* Texts are borrowed when it is written, and the caller's to finish when it was read. */
struct record_order {
	enum job_send_class class;
	int64_t decided_ms;
	bool is_deleted;
	char *model;
	char *parameters;
	char **remote_ids;
	size_t n_remote_ids;
};
int record_write_order(struct buffer *out, const struct record_order *order);
int record_read_order(struct bytes value, struct record_order *ret);
void record_order_finish(struct record_order *order);
/* When it was decided, without the rest. */
int record_read_order_head(struct bytes value, int64_t *ret_decided_ms);

int record_write_ledger_entry(struct buffer *out, const struct ledger_entry *entry);
/* Leaves the tenant and the sequence, which the key has, to the caller, who finishes it. */
int record_read_ledger_entry(struct bytes value, struct ledger_entry *ret);
void record_ledger_entry_finish(struct ledger_entry *entry);
int record_write_ledger_balance(struct buffer *out, const struct ledger_balance *balance);
int record_read_ledger_balance(struct bytes value, struct ledger_balance *ret);

struct record_meta {
	uint32_t format;
	uint64_t epoch;
	int64_t created_ms;
	uint64_t life;
	bool has_link_key;
	uint8_t link_key[STORE_LINK_KEY_SIZE];
};
int record_write_meta(struct buffer *out, const struct record_meta *meta);
int record_read_meta(struct bytes value, struct record_meta *ret);

struct record_tenant {
	uint64_t event_watermark;
	char *unknown; /* as in job.h */
};
int record_write_tenant(struct buffer *out, const struct record_tenant *tenant);
/* The caller frees `unknown`. */
int record_read_tenant(struct bytes value, struct record_tenant *ret);

#endif
