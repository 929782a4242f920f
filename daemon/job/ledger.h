/*
 * The ledger's values: what a job's course means for money, as double entries.
 *
 * Three accounts for each currency: BUDGET, where all money comes from; RESERVED, for what is ordered; SPENT. An entry
 * moves one amount from one account to another, so their sum is always 0. A job reserves when a purchase is about to
 * leave, and is settled once: what it cost moves to SPENT, the rest back to BUDGET, and what it cost beyond its
 * reservation comes from BUDGET as an entry of its own, EXCESS. A purchase that is proven not to have been made is
 * RELEASEd whole. Polls, repeats and cancels post nothing: only these moves of a job's state do (ledger_follow()).
 *
 * Amounts are whole millionths and never negative. They may be 0: an order without a known price reserves nothing, and
 * that it was made is news all the same, so each reservation and each end of one has its entry.
 *
 * A settlement counts in the day and month, UTC, of its reservation, and by the labels that the job had then.
 *
 * Pure.
 */
#ifndef FG_JOB_LEDGER_H
#define FG_JOB_LEDGER_H

#include "job/job.h"

/* Numbers are stored: never renumber, only append. */
enum ledger_kind {
	LEDGER_OPENING = 1, /* of a job that is older than the ledger: BUDGET to RESERVED, or to SPENT */
	LEDGER_RESERVE = 2, /* BUDGET to RESERVED */
	LEDGER_SETTLE = 3,  /* RESERVED to SPENT: the end of a reservation */
	LEDGER_RELEASE = 4, /* RESERVED to BUDGET: the end of one, or beside SETTLE what was too much */
	LEDGER_EXCESS = 5,  /* BUDGET to SPENT: what it cost beyond its reservation */
	_LEDGER_KIND_COUNT
};

enum ledger_account { LEDGER_BUDGET = 1, LEDGER_RESERVED = 2, LEDGER_SPENT = 3, _LEDGER_ACCOUNT_COUNT };

/* Bits; stored likewise. */
enum ledger_flag {
	LEDGER_IS_UNPRICED = 1,    /* nobody knew its price when it was reserved */
	LEDGER_IS_UNCONFIRMED = 2, /* nobody said what it cost: the reservation counts as spent */
	/* RELEASE: nothing is left of the purchase in this currency. EXCESS: nothing was reserved for it in this one. */
	LEDGER_IS_WHOLE = 4,
};

#define LEDGER_ENTRIES_MAX 3 /* of one change of one job */

/* Texts are borrowed, of the job and its status, when ledger_follow() makes it, and owned when the store has read it. */
struct ledger_entry {
	uint64_t sequence; /* the store's; rising */
	int64_t time_ms;   /* UTC */
	enum ledger_kind kind;
	enum ledger_account debit, credit; /* the amount goes to the first and comes from the second */
	uint32_t flags;
	int64_t amount_micros;
	uint32_t day; /* of the reservation, UTC: 20261122 */
	struct job_ref ref;
	uint32_t attempt;
	const char *provider, *model;
	const char *currency; /* "": none is known */
	const struct job_label *labels;
	size_t n_labels;
};

struct ledger_entries {
	struct ledger_entry all[LEDGER_ENTRIES_MAX];
	size_t n;
};

/* The day of an instant, UTC: 20261122; and the first of its month. */
uint32_t ledger_day(int64_t utc_ms);
uint32_t ledger_month(uint32_t day);

/* Does it say an amount, which is reserved? Else the order is counted as one without a price. */
bool ledger_has_price(const struct job_quote *quote);

/* Must money be held for a job in this state? */
bool ledger_state_holds(enum job_state state);

/*
 * What the change to @status as it stands now means for its money: changes status->money, and says what is to be posted
 * with it. What is posted names texts of @job and @status.
 *
 *   STARTING, RUNNING, STORING, UNCERTAIN   the quote is reserved, once for each purchase
 *   QUEUED, PREPARING                       what was reserved is released; or settled, where the attempt bought
 *   an end                                  the same, as status->cost says, or the attempt where that says nothing;
 *                                           nothing yet where money.awaited_until_ms is set: what it cost is still to
 *                                           be heard
 *
 * 0, or -ENOMEM, and then nothing has changed.
 */
int ledger_follow(const struct job *job, struct job_status *status, int64_t now_ms, struct ledger_entries *ret);
/* Settles what is reserved, whatever the state; nothing when nothing is. */
int ledger_settle(const struct job *job, struct job_status *status, int64_t now_ms, struct ledger_entries *ret);
/* Of a job that is older than the ledger. Nothing when it is not, or has not bought what it is known to have cost. Of one
 * that holds money already, what ledger_follow() says. */
int ledger_open(const struct job *job, struct job_status *status, int64_t now_ms, struct ledger_entries *ret);

/* Labels are about to change: those of a reservation stay with it. 0 or -ENOMEM. */
int ledger_keep_labels(struct job_status *status);

/* ---- balances ---- */

/* Of one place (struct ledger_scope): what the entries that belong there come to. */
struct ledger_balance {
	int64_t reserved_micros;
	int64_t spent_micros;
	int64_t excess_micros;      /* of the spent: beyond reservations */
	int64_t unconfirmed_micros; /* of the spent: what nobody has said to be the cost */
	int64_t jobs;               /* purchases, made or under way */
	int64_t unpriced_jobs;      /* of these: whose amount is not known */
};

/* Adds an entry. False: it does not fit, and nothing has changed. */
bool ledger_add(struct ledger_balance *balance, const struct ledger_entry *entry);
/* Adds a balance to another one; likewise. */
bool ledger_join(struct ledger_balance *to, const struct ledger_balance *more);
/* What counts against a limit; INT64_MAX where it does not fit. */
int64_t ledger_used(const struct ledger_balance *balance);

/* What a balance is of. Numbers are stored. */
enum ledger_dimension {
	LEDGER_OF_ALL = 1,
	LEDGER_OF_PROVIDER = 2, /* name: its id */
	LEDGER_OF_MODEL = 3,    /* name: the provider's id; value: the model */
	LEDGER_OF_LABEL = 4,    /* name: the key; value: the value */
	_LEDGER_DIMENSION_COUNT
};

enum ledger_period { LEDGER_PER_DAY = 1, LEDGER_PER_MONTH = 2, _LEDGER_PERIOD_COUNT };

struct ledger_scope {
	enum ledger_dimension dimension;
	enum ledger_period period;
	uint32_t start; /* the period's first day: 20261122, 20261101 */
	const char *currency;
	const char *name, *value; /* "" where the dimension has none */
};

/* The scopes that an entry belongs to, one after another: @n from 0. False at the end. */
bool ledger_scope_at(const struct ledger_entry *entry, size_t n, struct ledger_scope *ret);

const char *ledger_kind_name(enum ledger_kind kind); /* "reserve", … */

#endif
