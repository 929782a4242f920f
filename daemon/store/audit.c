#include "store/internal.h"

#include "base/log.h"
#include "store/records.h"

#define HASH_FUNCTION HASH_FNV
#define HASH_NONFATAL_OOM 1
#include <uthash.h>

/*
 * What must hold of the ledger: each entry moves one amount between two accounts, so that their sum is 0; balances are
 * the sums of their entries; and what is reserved is what the jobs hold. One cursor passes over balances, jobs and
 * entries, so that all three are of one moment while the committer goes on; the events and all else that lies between
 * them it leaves out.
 */

struct currency {
	UT_hash_handle hh;
	struct ledger_balance entries; /* all of them */
	uint64_t posted, kept;         /* what weigh() says of the entries, and of the balances */
	int64_t held;                  /* by the jobs */
	char name[];
};

struct audit {
	struct read read;
	uint32_t tenant;
	store_ledger_check_fn *fn;
	void *userdata;
	struct currency *currencies;
	struct store_ledger_check found;
	bool is_adopted; /* the job whose records are being read */
};

static struct currency *currency_of(struct audit *audit, const char *name)
{
	struct currency *currency;

	HASH_FIND_STR(audit->currencies, name, currency);
	if (currency)
		return currency;
	currency = calloc(1, sizeof(*currency) + strlen(name) + 1);
	if (!currency)
		return NULL;
	memcpy(currency->name, name, strlen(name) + 1);
	HASH_ADD_KEYPTR(hh, audit->currencies, currency->name, strlen(name), currency);
	if (!currency->hh.tbl) {
		free(currency);
		return NULL;
	}
	return currency;
}

/*
 * There may be millions of balances, and each must be the sum of its own entries. So both sides are added up weighed by
 * what they belong to, modulo 2^64: the sums are equal when each balance is right, and otherwise by a chance of one in
 * 2^64, without a memory of any of them.
 */
static uint64_t weigh(struct bytes key, const struct ledger_balance *balance)
{
	const int64_t values[] = {
		balance->reserved_micros,    balance->spent_micros, balance->excess_micros,
		balance->unconfirmed_micros, balance->jobs,         balance->unpriced_jobs,
	};
	const struct digest digest = digest_of(key);
	uint64_t weight, sum = 0;

	memcpy(&weight, digest.bytes, sizeof(weight));
	for (size_t i = 0; i < sizeof(values) / sizeof(*values); i++)
		sum += (uint64_t)values[i] * (weight ^ (i * UINT64_C(0x9e3779b97f4a7c15)));
	return sum;
}

static int take_balance(struct audit *audit, struct bytes key, struct bytes value)
{
	struct ledger_balance balance;
	struct ledger_scope scope;
	struct currency *currency;
	int r;

	if (!key_read_balance(key, &scope))
		return err_origin(-EBADMSG);
	r = record_read_ledger_balance(value, &balance);
	if (r)
		return r;
	currency = currency_of(audit, scope.currency);
	if (!currency)
		return err_origin(-ENOMEM);
	currency->kept += weigh(key, &balance);
	return 0;
}

static int post(const struct audit *audit, struct currency *currency, const struct ledger_entry *entry)
{
	struct ledger_balance alone = {0};
	struct ledger_scope scope;
	struct key key;

	if (!ledger_add(&currency->entries, entry) || !ledger_add(&alone, entry))
		return err_origin(-EOVERFLOW);
	for (size_t i = 0; ledger_scope_at(entry, i, &scope); i++) {
		key_balance(&key, audit->tenant, &scope);
		currency->posted += weigh(key_bytes(&key), &alone);
	}
	return 0;
}

static int take_entry(struct audit *audit, struct bytes value)
{
	struct ledger_entry entry;
	struct currency *currency;
	int r = record_read_ledger_entry(value, &entry);

	if (r)
		return r;
	audit->found.entries++;
	currency = currency_of(audit, entry.currency);
	r = currency ? post(audit, currency, &entry) : err_origin(-ENOMEM);
	record_ledger_entry_finish(&entry);
	return r;
}

static void leak(struct audit *audit, const struct job_ref *ref, const char *why)
{
	char id[ID_TEXT_SIZE];

	audit->found.leaked++;
	id_format(&ref->id, id);
	log_error("the ledger and a job disagree", "job", id, "why", why);
}

static int take_status(struct audit *audit, const struct job_ref *ref, struct bytes value)
{
	_cleanup_(job_status_freep) struct job_status *status = NULL;
	const struct job_money *money;
	struct currency *currency;
	int r = record_read_state(value, &status);

	if (r)
		return r;
	money = &status->money;
	audit->found.jobs++;
	if (audit->is_adopted && money->settlement != JOB_SETTLEMENT_NONE)
		leak(audit, ref, "it was bought elsewhere and holds money here");
	if (!audit->is_adopted && ledger_state_holds(status->state) && money->settlement != JOB_SETTLEMENT_PENDING)
		leak(audit, ref, "it buys and holds no money");
	if (!ledger_state_holds(status->state) && !job_state_is_terminal(status->state) &&
	    money->settlement == JOB_SETTLEMENT_PENDING)
		leak(audit, ref, "it holds money and buys nothing");
	if (job_state_is_terminal(status->state) && money->settlement == JOB_SETTLEMENT_PENDING &&
	    money->awaited_until_ms == 0)
		leak(audit, ref, "it has ended and holds money");
	if (money->settlement != JOB_SETTLEMENT_PENDING && money->reserved_micros != 0)
		leak(audit, ref, "it is settled and still holds money");
	if (money->settlement != JOB_SETTLEMENT_PENDING)
		return 0;
	currency = currency_of(audit, money->currency ? money->currency : "");
	if (!currency)
		return err_origin(-ENOMEM);
	return __builtin_add_overflow(currency->held, money->reserved_micros, &currency->held) ? err_origin(-EOVERFLOW)
											       : 0;
}

/* Lies before the status of the same job. */
static int take_job(struct audit *audit, struct bytes value)
{
	struct job *job;
	int r = record_read_job(value, &job);

	if (r)
		return r;
	audit->is_adopted = job->is_adopted;
	job_free(job);
	return 0;
}

/* What a person can look for: a ledger entry has its number, a job its id; a balance is found by its key. */
static void describe(struct bytes key, char *ret, size_t size)
{
	char id[ID_TEXT_SIZE];
	struct job_ref ref;
	enum key_part part;
	uint64_t sequence;
	uint32_t tenant;
	size_t at = 0;

	if (key_read_ledger(key, &tenant, &sequence)) {
		snprintf(ret, size, "ledger entry %llu", (unsigned long long)sequence);
	} else if (key_read_job(key, &ref, &part)) {
		id_format(&ref.id, id);
		snprintf(ret, size, "jobs/%s", id);
	} else {
		at = (size_t)snprintf(ret, size, "key ");
		for (size_t i = 0; i < key.len && at + 3 <= size; i++)
			at += (size_t)snprintf(ret + at, size - at, "%02x", ((const uint8_t *)key.data)[i]);
	}
}

void log_unread(struct store *store, struct bytes key, int outcome)
{
	struct errmsg why = {"a later version of filmgated wrote it; run that version"};
	char record[256];

	describe(key, record, sizeof(record));
	if (outcome < 0)
		store_explain(store, outcome, &why);
	log_error("a record of the ledger cannot be read", "record", record, "why", why.text);
}

static int take(struct audit *audit, enum key_letter letter, struct bytes key, struct bytes value)
{
	struct job_ref ref;
	enum key_part part;

	if (letter == KEY_BALANCE)
		return take_balance(audit, key, value);
	if (letter == KEY_LEDGER)
		return take_entry(audit, value);
	if (!key_read_job(key, &ref, &part))
		return 0;
	if (part == KEY_PART_JOB)
		return take_job(audit, value);
	return part == KEY_PART_STATE ? take_status(audit, &ref, value) : 0;
}

static int scan_range(struct store *store, struct audit *audit, struct backend_cursor *cursor, enum key_letter letter)
{
	struct key from, to;
	int r = 0;

	key_tenant(&from, letter, audit->tenant);
	key_tenant(&to, letter, audit->tenant + 1);
	for (backend_cursor_seek(cursor, key_bytes(&from));
	     r == 0 && backend_cursor_is_valid(cursor) && key_compare(backend_cursor_key(cursor), key_bytes(&to)) < 0;
	     backend_cursor_next(cursor)) {
		audit->found.keys++;
		r = atomic_load(&store->is_ending)
			    ? -ECANCELED
			    : take(audit, letter, backend_cursor_key(cursor), backend_cursor_value(cursor));
		if (r && r != -ECANCELED)
			log_unread(store, backend_cursor_key(cursor), r);
	}
	return r ? r : backend_cursor_error(cursor);
}

static int scan(struct store *store, struct audit *audit)
{
	_cleanup_(backend_cursor_freep) struct backend_cursor *cursor = NULL;
	struct key from, to;
	int r;

	_Static_assert(KEY_BALANCE < KEY_JOB && KEY_JOB < KEY_LEDGER, "one cursor reaches all three");
	key_tenant(&from, KEY_BALANCE, audit->tenant);
	key_tenant(&to, KEY_LEDGER, audit->tenant + 1);
	cursor = backend_cursor_new(store->backend, key_bytes(&from), key_bytes(&to));
	if (!cursor)
		return err_origin(-ENOMEM);
	r = scan_range(store, audit, cursor, KEY_BALANCE);
	if (r == 0)
		r = scan_range(store, audit, cursor, KEY_JOB);
	return r ? r : scan_range(store, audit, cursor, KEY_LEDGER);
}

static void judge(struct audit *audit, const struct currency *currency)
{
	if (currency->posted != currency->kept) {
		audit->found.unbalanced++;
		log_error("balances are not the sum of their entries", "currency", currency->name);
	}
	if (currency->held != currency->entries.reserved_micros) {
		audit->found.leaked++;
		log_error("the jobs hold something else than is reserved", "currency", currency->name, "held",
			  log_int(currency->held), "reserved", log_int(currency->entries.reserved_micros));
	}
}

static void free_audit(struct audit *audit)
{
	struct currency *currency, *next;

	HASH_ITER(hh, audit->currencies, currency, next) {
		HASH_DEL(audit->currencies, currency);
		free(currency);
	}
	free(audit);
}

static void run_audit(struct store *store, struct read *take)
{
	struct audit *audit = (struct audit *)take;
	int r = scan(store, audit);

	for (const struct currency *currency = audit->currencies; r == 0 && currency; currency = currency->hh.next)
		judge(audit, currency);
	audit->fn(audit->userdata, r, &audit->found);
	free_audit(audit);
}

void store_check_ledger(struct store *store, uint32_t tenant, store_ledger_check_fn *fn, void *userdata)
{
	struct audit *audit = calloc(1, sizeof(*audit));

	if (!audit) {
		fn(userdata, err_origin(-ENOMEM), &(struct store_ledger_check){0});
		return;
	}
	audit->read.run = run_audit;
	audit->tenant = tenant;
	audit->fn = fn;
	audit->userdata = userdata;
	readers_add(store, &audit->read);
}
