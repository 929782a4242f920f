/*
 * Keys: made from values and read back. format.h has the picture. Pure; any thread.
 */
#ifndef FG_STORE_KEYS_H
#define FG_STORE_KEYS_H

#include "base/limits.h"
#include "job/job.h"
#include "job/ledger.h"
#include "store/format.h"
#include "store/store.h"

/* A balance's is the longest: letter and tenant, dimension, period and start, and three texts. */
#define KEY_SIZE_MAX (1 + 4 + 2 + 4 + 3 * (LIMIT_STORE_LEDGER_TEXT + 1))
_Static_assert(KEY_SIZE_MAX >= 1 + 4 + 8 + LIMIT_STORE_REQUEST_ID + 16, "a tombstone's fits");

struct key {
	size_t len; /* 0: no key */
	uint8_t data[KEY_SIZE_MAX];
};

static inline struct bytes key_bytes(const struct key *key)
{
	return bytes_of(key->data, key->len);
}

/* The beginning of every key of this letter and tenant; and the first key behind all that begin with @prefix. */
void key_tenant(struct key *key, enum key_letter letter, uint32_t tenant);
void key_after(struct key *key, const struct key *prefix);
/* As memcmp(), and as the database orders keys. */
int key_compare(struct bytes a, struct bytes b);

void key_job(struct key *key, const struct job_ref *ref); /* the beginning of all records of a job */
void key_job_part(struct key *key, const struct job_ref *ref, enum key_part part);
void key_attempt(struct key *key, const struct job_ref *ref, uint32_t number);
void key_send(struct key *key, const struct job_ref *ref, uint32_t attempt, uint32_t number);
void key_remote(struct key *key, const struct job_ref *ref, uint32_t attempt, uint32_t index);
void key_artifact(struct key *key, const struct job_ref *ref, uint32_t index);
void key_reply(struct key *key, const struct job_ref *ref, uint32_t attempt, uint32_t send);
void key_open(struct key *key, const struct job_ref *ref);
void key_event(struct key *key, uint32_t tenant, uint64_t sequence);
void key_history(struct key *key, const struct job_ref *ref, uint64_t revision);
void key_reference(struct key *key, const struct digest *sha256, const struct job_ref *ref, uint32_t index);
/* The beginning of all references to this content by jobs of @tenant. */
void key_references(struct key *key, uint32_t tenant, const struct digest *sha256);
/* The beginning of all that accounts' providers call this content, and what one does. */
void key_handles(struct key *key, uint32_t tenant, const struct digest *sha256);
void key_handle(struct key *key, uint32_t tenant, const struct digest *sha256, const struct digest *account);

void key_asset(struct key *key, uint32_t tenant, const struct digest *sha256);
/* The place of an asset in the list; an id alone: the beginning of it. */
void key_asset_id(struct key *key, uint32_t tenant, const struct id *id);
void key_asset_listed(struct key *key, uint32_t tenant, const struct id *id, const struct digest *sha256);
/* The beginning of all uses of this asset, and the use by one job. */
void key_asset_uses(struct key *key, uint32_t tenant, const struct digest *sha256);
void key_asset_use(struct key *key, const struct digest *sha256, const struct job_ref *ref);

/* The orders of a place (job_place_of()), and one of them: those of a place lie in the order of their instants. */
void key_place(struct key *key, const struct digest *place);
void key_place_since(struct key *key, const struct digest *place, int64_t sent_ms);
/* len 0 when it is not known where it went; -ENOMEM. */
int key_order(struct key *key, const struct job_ref *ref, const struct job_send *send);

/* The beginning of all that own this remote id, of those at one place, and one of them. */
void key_owners(struct key *key, const char *remote_id);
void key_owners_at(struct key *key, const char *remote_id, const struct digest *place);
void key_owner(struct key *key, const char *remote_id, const struct digest *place, const struct job_ref *ref);

void key_delivery(struct key *key, const struct store_delivery_key *of);
void key_delivery_due(struct key *key, const struct store_delivery_key *of);
void key_delivery_cursor(struct key *key, const struct store_delivery_key *of);

void key_ledger(struct key *key, uint32_t tenant, uint64_t sequence);
/* The beginning of all entries of a job, and one of them. */
void key_ledger_of_job(struct key *key, const struct job_ref *ref);
void key_ledger_job_entry(struct key *key, const struct job_ref *ref, uint64_t sequence);
void key_balance(struct key *key, uint32_t tenant, const struct ledger_scope *scope);
/* Where the balances of one dimension and period (of one label's key: @label, else NULL) begin that start at @start. */
void key_balances_since(struct key *key, uint32_t tenant, enum ledger_dimension dimension, const char *label,
			enum ledger_period period, uint32_t start);

/* Text from outside: -EMSGSIZE when it is longer than its limit. */
int key_request(struct key *key, uint32_t tenant, const char *request_id);
int key_tombstone(struct key *key, uint32_t tenant, int64_t deleted_ms, const char *request_id);
/* The beginning of one provider's queue (KEY_QUEUE) or waiting room (KEY_WAKE). */
int key_provider(struct key *key, enum key_letter letter, uint32_t tenant, const char *provider);
/* Of its waiting room, what waits until @from_ms or later: from @from to @to, without it. */
int key_waiting(struct key *from, struct key *to, uint32_t tenant, const char *provider, int64_t from_ms);
/* The beginning of those in its queue that have this priority. */
int key_priority(struct key *key, uint32_t tenant, const char *provider, int32_t priority);

/*
 * The index entries of a job that stands at @index; len 0 where it has none. NULL @index: none at all.
 *
 * A queued job is either in the queue or in the waiting room. Deadlines are kept for the states that a deadline can
 * end: while a paid send is undecided or a paid video is being stored, none applies.
 */
struct index_keys {
	struct key queue; /* KEY_QUEUE or KEY_WAKE */
	struct key deadline;
	struct key open;
};
int key_indexes(struct index_keys *keys, const struct job *job, const struct job_index *index);

/* Read back. False when the key is none of that kind. */
bool key_read_tenant(struct bytes key, enum key_letter letter, uint32_t *ret);
bool key_read_job(struct bytes key, struct job_ref *ret, enum key_part *ret_part);
bool key_read_event(struct bytes key, uint32_t *ret_tenant, uint64_t *ret_sequence);
bool key_read_history(struct bytes key, uint64_t *ret_revision);
/* KEY_QUEUE, KEY_WAKE and KEY_DEADLINE; the priority of a deadline is 0. */
bool key_read_queued(struct bytes key, struct store_queued *ret);
bool key_read_open(struct bytes key, struct job_ref *ret);
/* Valid as long as @key is. */
bool key_read_provider(struct bytes key, const char **ret);
bool key_read_tombstone(struct bytes key, uint32_t *ret_tenant, int64_t *ret_deleted_ms, struct bytes *ret_request_id);

bool key_read_asset_listed(struct bytes key, struct id *ret_id, struct digest *ret_sha256);
bool key_read_asset_use(struct bytes key, struct job_ref *ret);
struct key_order {
	struct digest place;
	int64_t sent_ms;
	struct job_ref ref;
	uint32_t attempt, send;
};
bool key_read_order(struct bytes key, struct key_order *ret);

struct key_owner {
	struct digest place;
	struct job_ref ref;
};
bool key_read_owner(struct bytes key, struct key_owner *ret);

/* KEY_DELIVERY and KEY_DELIVERY_DUE; and KEY_DELIVERY_CURSOR, which leaves the sequence alone. */
bool key_read_delivery(struct bytes key, struct store_delivery_key *ret);

bool key_read_ledger(struct bytes key, uint32_t *ret_tenant, uint64_t *ret_sequence);
bool key_read_ledger_of_job(struct bytes key, uint64_t *ret_sequence);
/* Texts are valid as long as @key is. */
bool key_read_balance(struct bytes key, struct ledger_scope *ret);

/*
 * The beginning that the key shares with those of its priority in its queue, with its waiting room, or with its tenant's
 * deadlines. False for other letters.
 */
bool key_read_range(struct bytes key, struct bytes *ret);

void key_put_u64(uint8_t data[static 8], uint64_t value);
uint64_t key_get_u64(const uint8_t data[static 8]);

#endif
