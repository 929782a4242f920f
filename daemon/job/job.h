/*
 * What a job is: plain values, the table of its life, and nothing that asks the world a question.
 *
 * A job has two halves. `struct job` is what was ordered. `struct job_status` is everything that changes;
 * each committed change raises its revision by exactly one. What proto/filmgate/v1 shows of it mostly has the same
 * name there; rpc/convert.c is the dictionary.
 *
 * Memory: strings are NUL-terminated, owned by the struct that holds them, and NULL means absent. Every _free accepts
 * NULL and returns NULL. Instants are milliseconds UTC since 1970; 0 means "none".
 *
 * `unknown` is what a later version stored in a record and this one does not know: the fields in hexadecimal, carried
 * along so that rewriting the record loses nothing. Only store/ looks inside.
 */
#ifndef FG_JOB_JOB_H
#define FG_JOB_JOB_H

#include "base/digest.h"
#include "base/id.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define JOB_TENANT_DEFAULT 1u

/* Every reference to a job inside the daemon; on the wire it is "jobs/{id}" and the tenant is the caller's. */
struct job_ref {
	uint32_t tenant;
	struct id id;
};

/* Numbers are stored: never renumber, only append. */
enum job_state {
	JOB_STATE_QUEUED = 1,
	JOB_STATE_PREPARING = 2,
	JOB_STATE_STARTING = 3,
	JOB_STATE_RUNNING = 4,
	JOB_STATE_STORING = 5,
	JOB_STATE_SUCCEEDED = 6,
	JOB_STATE_FAILED = 7,
	JOB_STATE_CANCELLED = 8,
	JOB_STATE_EXPIRED = 9,
	JOB_STATE_UNCERTAIN = 10,
	_JOB_STATE_COUNT
};

/* What holds a job up. */
enum job_wait {
	JOB_WAIT_NONE = 0,
	JOB_WAIT_CAPACITY = 1,       /* the provider's concurrency limit is used up */
	JOB_WAIT_RATE_LIMIT = 2,     /* the provider said "not before", see until_ms */
	JOB_WAIT_BACKOFF = 3,        /* a failed exchange is repeated at until_ms */
	JOB_WAIT_DISK = 4,           /* no room for the video */
	JOB_WAIT_PLUGIN_MISSING = 5, /* its provider or plugin is not loaded, or cannot read the job's state */
	JOB_WAIT_CREDENTIAL = 6,     /* the provider refuses the key */
	JOB_WAIT_TOKEN = 7,          /* no access token could be had; it is asked for again at until_ms */
	JOB_WAIT_BUDGET = 8,         /* a budget has no room for it */
	JOB_WAIT_SCHEDULE = 9,       /* it is not to be started before until_ms */
	JOB_WAIT_BREAKER = 10,       /* the provider only fails; it is tried again at until_ms */
	JOB_WAIT_HELD = 11,          /* open in a store that was restored from a copy, and not released since */
	_JOB_WAIT_COUNT
};

/* Why an attempt or a job failed. Those below 20 end jobs; the throttles from 20 on only delay them. */
enum job_reason {
	JOB_REASON_NONE = 0,
	JOB_REASON_INVALID_INPUT = 1,
	JOB_REASON_MODERATED = 2,
	JOB_REASON_NO_CREDIT = 3,
	JOB_REASON_AUTH = 4,
	JOB_REASON_PROVIDER_FAULT = 5,
	JOB_REASON_LOST = 6, /* the provider no longer knows the job; in UNCERTAIN: whether it took it is not known */
	JOB_REASON_TIMEOUT = 7,
	JOB_REASON_ARTIFACT_BAD = 8,
	JOB_REASON_CANCELLED = 9,
	JOB_REASON_QUOTA = 10, /* a plan's quota that waiting does not cure */
	JOB_REASON_PLUGIN_FAULT = 11,
	JOB_REASON_RATE_LIMITED = 20,
	JOB_REASON_CONCURRENCY = 21,
	JOB_REASON_UNAVAILABLE = 22,
};

/* What becomes of a purchase of which nobody can find out whether it was made. */
enum job_uncertain {
	JOB_UNCERTAIN_UNSAID = 0, /* of a job: as its provider's; of a provider: HOLD */
	JOB_UNCERTAIN_HOLD = 1,   /* a person decides */
	JOB_UNCERTAIN_FAIL = 2,
	JOB_UNCERTAIN_RESUBMIT = 3, /* ordered again, though it may be paid for twice */
	_JOB_UNCERTAIN_COUNT
};

/* What becomes of a job whose video is not what was ordered. */
enum job_on_mismatch {
	JOB_ON_MISMATCH_UNSAID = 0, /* of a job: as its provider's; of a provider: FLAG */
	JOB_ON_MISMATCH_ACCEPT = 1, /* nobody looks */
	JOB_ON_MISMATCH_FLAG = 2,
	JOB_ON_MISMATCH_FAIL = 3,
	_JOB_ON_MISMATCH_COUNT
};

/* What was bought when it failed. */
enum job_purchase {
	JOB_PURCHASE_UNKNOWN = 0,
	JOB_PURCHASE_NOTHING = 1,
	JOB_PURCHASE_MADE = 2,
};

/* architecture.md calls these the classes of a send; exactly one once it is decided. */
enum job_send_class {
	JOB_SEND_PENDING = 0, /* written, may or may not have left */
	JOB_SEND_NOT_SENT = 1,
	JOB_SEND_REFUSED = 2,
	JOB_SEND_ACCEPTED = 3,
	JOB_SEND_AMBIGUOUS = 4,
	JOB_SEND_ABSENT = 5, /* was ambiguous; somebody looked, and nothing was bought */
};

/* What a cancel achieved. */
enum job_cancel_outcome {
	JOB_CANCEL_NONE = 0,
	JOB_CANCEL_NEVER_SENT = 1, /* free */
	JOB_CANCEL_UPSTREAM = 2,   /* stopped at the provider */
	JOB_CANCEL_DETACHED = 3,   /* ended here; the provider goes on and bills */
	JOB_CANCEL_TOO_LATE = 4,   /* the provider was done, or the job terminal, first */
	JOB_CANCEL_REQUESTED = 5,  /* a paid send is undecided; it takes effect when that is known */
};

/* What happened at a revision; the event's kind on the wire. */
enum job_event {
	JOB_EVENT_CREATED = 1,
	JOB_EVENT_STATE = 2,    /* the state moved */
	JOB_EVENT_PROGRESS = 3, /* same state, news from the provider or the queue */
	JOB_EVENT_UPDATED = 4,  /* labels, display name or priority */
	JOB_EVENT_DELETED = 5,
};

/* ---- money: whole millionths of a currency; never a float ---- */

/* How much a quote says. */
enum job_quote_kind {
	JOB_QUOTE_NONE = 0,     /* a job of a version without quotes */
	JOB_QUOTE_EXACT = 1,    /* price and quantity are known beforehand */
	JOB_QUOTE_ESTIMATE = 2, /* the price is known, the quantity is estimated, as `rule` says */
	JOB_QUOTE_UNKNOWN = 3,  /* there is no price, or no quantity; the unit's price may be there */
};

enum job_price_unit {
	JOB_PRICE_UNIT_NONE = 0,
	JOB_PRICE_UNIT_SECOND = 1, /* of delivered video */
	JOB_PRICE_UNIT_VIDEO = 2,
};

/* Whose price it is. */
enum job_price_source {
	JOB_PRICE_SOURCE_NONE = 0,
	JOB_PRICE_SOURCE_OPERATOR = 1, /* the configuration's */
	JOB_PRICE_SOURCE_PLUGIN = 2,   /* the manifest's */
};

/* What the job was expected to cost when it was accepted. */
struct job_quote {
	enum job_quote_kind kind;
	enum job_price_source source;
	enum job_price_unit unit;
	int64_t unit_micros;   /* what one unit costs; may be there in UNKNOWN */
	int64_t amount_micros; /* EXACT and ESTIMATE: of all samples together */
	int64_t length_ms;     /* of one video, as it is billed; 0: not known, or without meaning */
	uint32_t samples;      /* videos of the order */
	char *currency;        /* ISO 4217 or "credits"; NULL: no price is known */
	char *rule;            /* where it comes from, in one line for a person */
	char *as_of;           /* the day for which the price was stated, "2026-11-22"; may be NULL */
};

/* Who says what it cost. */
enum job_cost_source {
	JOB_COST_NONE = 0,     /* not known */
	JOB_COST_PROVIDER = 1, /* the provider's own figure */
	JOB_COST_PLUGIN = 2,   /* computed by its plugin */
	JOB_COST_COMPUTED = 3, /* here: what was delivered, at the price of the quote */
	JOB_COST_NOTHING = 4,  /* nothing was bought: 0 */
};

struct job_cost {
	enum job_cost_source source;
	bool is_provisional; /* said when the order was taken; the end may say otherwise */
	int64_t amount_micros;
	char *currency; /* as in the quote; NULL: NOTHING of a job whose currency is not known */
	char *unknown;
};

/* What became of the money that a job holds. Numbers are stored. */
enum job_settlement {
	JOB_SETTLEMENT_NONE = 0,    /* nothing is reserved: nothing was bought, or its price was not known to be owed */
	JOB_SETTLEMENT_PENDING = 1, /* reserved; what it cost is not decided */
	JOB_SETTLEMENT_FINAL = 2,
	_JOB_SETTLEMENT_COUNT
};

/* What the ledger holds of a job, so that the end of a reservation undoes just that; see ledger.h, which alone changes
 * it. */
struct job_money {
	enum job_settlement settlement;
	uint32_t attempt; /* whose purchase it is */
	uint32_t day;     /* of the reservation, UTC: 20261122 */
	bool is_unpriced; /* nothing could be reserved: no price was known */
	int64_t reserved_micros;
	int64_t settled_micros; /* FINAL: counted as spent */
	int64_t excess_micros;  /* of these, beyond the reservation */
	bool is_unconfirmed;    /* FINAL: nobody said what it cost */
	/* PENDING of a job that has ended while its provider goes on and bills: until then, UTC, the provider is asked what
	 * it came to. 0: nobody asks. */
	int64_t awaited_until_ms;
	bool has_labels; /* the job's have changed since; those that it had: */
	struct job_label *labels;
	size_t n_labels;
	char *currency; /* NULL: none is known */
	char *unknown;
};

/* How much a note is about. */
enum job_severity {
	JOB_NOTE_IGNORED = 1,  /* left out */
	JOB_NOTE_ADJUSTED = 2, /* another value was taken */
	JOB_NOTE_CUT = 3,      /* a text was shortened */
	JOB_NOTE_INFO = 4,
};

/* Something that became of an order on its way to the provider. No text is NULL. */
struct job_note {
	enum job_severity severity;
	char *field; /* "parameters.duration_ms"; "" when it is about none */
	char *message;
	char *from; /* what was asked; long ones are cut */
	char *to;   /* what was taken; "" when nothing was */
};

/* Something of a delivered video that is not as it was ordered; see delivery.h. No text is NULL. */
struct job_mismatch {
	uint32_t artifact; /* its index */
	char *field;       /* "duration", "size", "resolution", "aspect_ratio", "fps", "audio", "black", "frozen" */
	char *ordered;     /* "8 s"; "" where nothing in particular was */
	char *produced;    /* "4.04 s" */
	char *message;     /* in one line, for a person */
};

/* A way to have a job made: by whom, and as what. */
struct job_route {
	char *provider;
	char *model;
	char *parameters;
	struct job_quote quote;
};

/* Written at acceptance; after that only its route may change, and its deadline. */
struct job {
	struct job_ref ref;
	char *request_id;             /* never NULL; the daemon makes one when the client gave none */
	struct digest request_digest; /* of the canonical request, for "same id, equal request" */
	/* Who makes it, as what: where it is now. job_ordered() is what was ordered. */
	char *provider;   /* the configured account's id */
	char *model;      /* may be "" where the provider has only one */
	char *parameters; /* canonical parameters: one JSON object, keys as in JobParameters */
	int64_t created_ms;
	int64_t deadline_ms;   /* always set */
	int64_t patience_ms;   /* as ordered, while the deadline may move; 0: of a version that did not keep it */
	struct id retry_of;    /* all zero when it is no retry */
	struct digest *assets; /* that the parameters name, each once */
	size_t n_assets;
	struct job_quote quote;
	enum job_uncertain on_uncertain;
	int64_t not_before_ms;       /* it is not started before; 0: at once */
	uint32_t retry_if_uncharged; /* so often a failure that cost nothing is followed by another attempt */
	/* Where it may be ordered, at most LIMIT_JOB_ROUTES; the first is what was ordered, and routes[route] is what stands
	 * above. None: there is only that. */
	struct job_route *routes;
	size_t n_routes;
	uint32_t route;
	char *unknown;
	enum job_on_mismatch on_mismatch;
	/* It was bought elsewhere: it begins as RUNNING, nothing is sent or posted for it, and what was ordered is not known
	 * here: the parameters are "{}". */
	bool is_adopted;
	char *webhook_url; /* who is told what becomes of it; NULL: nobody but those of the configuration */
};

struct job_label {
	char *key;
	char *value;
};

struct job_failure {
	enum job_reason reason;
	enum job_purchase purchase;
	char *message;          /* ours, for a person */
	char *provider_code;    /* the provider's own */
	char *provider_message; /* its own words */
	char *provider_request_id;
	char *unknown;
};

/* One try at the provider. Its sends and remotes name it by number (1, 2, …). */
struct job_attempt {
	uint32_t number;
	int64_t started_ms;
	int64_t ended_ms;
	struct job_failure failure; /* reason NONE while it lives or when it succeeded */
	char *provider, *model;     /* where it is made; NULL in those of a version without routes: where the job is */
	struct digest account;      /* of what was adopted: whose list had it; else zeros, for the sends say it */
	char *unknown;
};

/* One request that may buy something; written before it leaves. */
struct job_send {
	uint32_t attempt;
	uint32_t number; /* 1, 2, … within the attempt */
	enum job_send_class class;
	int64_t created_ms;
	int64_t decided_ms;
	int32_t http_status; /* 0 when no complete reply came */
	char *idempotency_key;
	char *base_url;
	struct digest fingerprint;
	struct digest
		account; /* which secrets signed it: another key may be another account, where the key is unknown */
	int64_t key_window_ms; /* how long the provider honours the key from the first send; 0: not at all */
	char *unknown;
};

struct job_remote {
	uint32_t attempt;
	uint32_t index;
	char *id;
	char *kind; /* the plugin's word, e.g. "video" */
	char *unknown;
};

/* Has a file a sound track? Numbers are stored. */
enum job_sound {
	JOB_SOUND_UNKNOWN = 0,
	JOB_SOUND_ON = 1,
	JOB_SOUND_OFF = 2,
};

struct job_artifact {
	uint32_t index; /* its number in "jobs/{id}/artifacts/{index}", from 1 */
	char *role;     /* "video", "subtitles", "thumbnail", … */
	uint32_t sample;
	char *language;
	char *media_type;
	uint64_t size_bytes;
	struct digest sha256;
	int64_t duration_ms; /* 0: not known */
	uint32_t width;
	uint32_t height;
	uint32_t frame_rate_millihertz; /* pictures in a thousand seconds, on average; 0: not known */
	enum job_sound sound;
	bool is_looked_at; /* its pictures were decoded, and of the playing time so much is: */
	int64_t black_ms;
	int64_t frozen_ms; /* the same picture for at least two seconds */
	int64_t created_ms;
	char *unknown;
};

/* How long jobs like it took from start to end. */
struct job_forecast {
	int64_t p50_ms;   /* half of them did not take longer */
	int64_t p90_ms;   /* nine in ten */
	uint32_t samples; /* of how many; 0: there is no forecast */
};

struct job_status {
	uint64_t revision; /* 1 at creation */
	enum job_state state;
	int64_t updated_ms;  /* max(last, now): never goes back */
	int64_t started_ms;  /* first left QUEUED to be worked on */
	int64_t finished_ms; /* became terminal */

	char *display_name;
	struct job_label *labels; /* sorted by key, keys unique */
	size_t n_labels;
	int32_t priority; /* JOB_PRIORITY_MIN..MAX, higher first */

	enum job_wait wait;
	int64_t wait_until_ms; /* 0: until something else changes */
	uint32_t retries;      /* consecutive failed exchanges, for the backoff; reset by success */
	uint32_t misses;       /* the same of its route, while it has another one */
	uint32_t reconciles;   /* how often a lost order was looked for in vain; reset by what it comes to */

	int32_t progress_percent; /* -1: none */
	int64_t queue_position;   /* the provider's; -1: none */
	char *remote_state;       /* the provider's word, verbatim */

	int64_t cancel_requested_ms;
	enum job_cancel_outcome cancel_outcome;
	struct job_failure failure;
	char **missing; /* roles that were ordered and not delivered */
	size_t n_missing;
	struct job_cost cost;
	struct job_money money;
	struct job_note *notes; /* at most LIMIT_JOB_NOTES, in the order in which they came */
	size_t n_notes;
	struct job_mismatch *mismatches; /* at most LIMIT_JOB_MISMATCHES */
	size_t n_mismatches;

	/* The plugin's memory: its verb and phase to go on with, and its own state (a JSON object or NULL). */
	uint32_t phase;
	char *plugin_state;
	uint32_t plugin_state_version; /* of the manifest that wrote it; 0 while there is none */
	char *outputs;                 /* STORING: what the plugin said is there to fetch, JSON; NULL otherwise */
	uint64_t epoch;                /* the store's life (store_epoch()) in which it may buy; 0: the first */
	int64_t delivered_ms;          /* when this attempt's results were first there to fetch; 0: not yet */

	struct job_attempt *attempts;
	size_t n_attempts;
	struct job_send *sends;
	size_t n_sends;
	struct job_remote *remotes;
	size_t n_remotes;
	struct job_artifact *artifacts;
	size_t n_artifacts;

	/* Of the moment of reading: filled in by the engine for whoever asks, never stored. */
	uint32_t queue_place;     /* in the provider's queue here, 1 being next; 0: not in it, or not known */
	bool is_queue_place_open; /* that place or a later one: counting ended there */
	struct job_forecast forecast;

	char *unknown;
};

/* May nothing be bought for it in this life of the store, since it was open when the one before was copied? */
bool job_is_held(const struct job_status *status, uint64_t epoch);

#define JOB_PRIORITY_MIN (-100)
#define JOB_PRIORITY_MAX 100

/*
 * So long must a job have waited to stand level with one that is one priority higher and has just come. So none waits for
 * what comes later than (JOB_PRIORITY_MAX - JOB_PRIORITY_MIN) times as long: three hours and twenty minutes.
 */
#define JOB_PRIORITY_AGING_MS INT64_C(60000)
/* Where it stands in line: the smaller goes first. @ready_ms: since when it could be started. */
int64_t job_rank_ms(int32_t priority, int64_t ready_ms);

/* A job as it stood at one revision. */
struct job_view {
	struct job *job;
	struct job_status *status;
};

struct job *job_new(void);
struct job *job_free(struct job *job);
void job_freep(struct job **job);
struct job *job_copy(const struct job *job); /* NULL: out of memory */
/* Once for each asset, however often it is named. 0 or -ENOMEM. */
int job_add_asset(struct job *job, const struct digest *sha256);
/* A copy at the end of its routes. 0 or -ENOMEM. */
int job_add_route(struct job *job, const struct job_route *route);
void job_drop_routes(struct job *job);
/* From now on it is made as routes[@route] says. 0 or -ENOMEM, then it is what it was. */
int job_take_route(struct job *job, uint32_t route);
/* What was ordered, wherever it is now. Borrowed from @job. */
struct job_route job_ordered(const struct job *job);

struct job_status *job_status_new(void); /* QUEUED, revision 0, no progress */
struct job_status *job_status_free(struct job_status *status);
void job_status_freep(struct job_status **status);
struct job_status *job_status_copy(const struct job_status *status); /* deep; NULL: out of memory */

void job_view_finish(struct job_view *view);

/* How long it may take, once it may begin: what was ordered, however often its time began anew. */
int64_t job_patience_ms(const struct job *job);

bool job_ref_equal(const struct job_ref *a, const struct job_ref *b);

/* Replaces *field with a copy of @text (NULL: absent). 0 or -ENOMEM, then *field is what it was. */
int job_set_text(char **field, const char *text);
void job_failure_finish(struct job_failure *failure);
int job_failure_copy(const struct job_failure *from, struct job_failure *to);
void job_quote_finish(struct job_quote *quote);
/* Replaces the cost; @currency may be NULL. 0 or -ENOMEM, then it is what it was. */
int job_set_cost(struct job_status *status, enum job_cost_source source, int64_t amount_micros, const char *currency);
/* The labels of a reservation: kept as the job has them now, and gone. 0 or -ENOMEM, then nothing has changed. */
int job_copy_money_labels(struct job_status *status);
void job_drop_money_labels(struct job_status *status);
/* Append a zeroed element; the pointer is valid until the next append. NULL: out of memory. */
struct job_attempt *job_add_attempt(struct job_status *status);
struct job_send *job_add_send(struct job_status *status);
struct job_remote *job_add_remote(struct job_status *status);
struct job_artifact *job_add_artifact(struct job_status *status);
int job_add_missing(struct job_status *status, const char *role);
void job_drop_send(struct job_status *status, size_t at);
/* Replaces all labels by copies, sorted. JOB_E_DUPLICATE when a key comes twice. */
int job_set_labels(struct job_status *status, const struct job_label *labels, size_t n);

/* Adds a note unless it is there already, or LIMIT_JOB_NOTES are. 1: added; 0: not; -ENOMEM. Texts are copied, cut at
 * LIMIT_JOB_NOTE_BYTES. */
int job_add_note(struct job_status *status, enum job_severity severity, const char *field, const char *message,
		 const char *from, const char *to);

/* What was delivered, and what was missing of it: forgotten. */
void job_drop_delivery(struct job_status *status);
/* Adds a mismatch unless LIMIT_JOB_MISMATCHES are there. 0 or -ENOMEM. Texts are copied. */
int job_add_mismatch(struct job_status *status, const struct job_mismatch *mismatch);

/* The live attempt and its last send; NULL when there is none yet. */
struct job_attempt *job_current_attempt(const struct job_status *status);
struct job_send *job_current_send(const struct job_status *status);
/* Was that attempt made at @provider? */
bool job_attempt_is_at(const struct job_status *status, uint32_t attempt, const char *provider);
/* What was created last where the job is; NULL: nothing. Valid until the remotes change. */
const struct job_remote *job_newest_remote(const struct job *job, const struct job_status *status);
/* May the provider hold an order of it? Not when it never left, was refused, or is proven absent. */
bool job_send_may_have_bought(const struct job_send *send);
/*
 * Is it certain that nothing was bought so far, if the live attempt ends as @failure says? Of no send it is undecided
 * whether it was taken, and what was taken came to nothing that costs.
 */
bool job_has_bought_nothing(const struct job_status *status, const struct job_failure *failure);
/* Of how many attempts that have ended nobody found out whether they bought something. */
uint32_t job_count_undecided(const struct job_status *status);
/* May @failure pass another time, and did it cost nothing? */
bool job_is_uncharged(const struct job_failure *failure);
/* How many attempts ended so. */
uint32_t job_count_uncharged(const struct job_status *status);
/*
 * When the job ends for want of a video, UTC. Results that were there already are paid for, and lack only a link that
 * serves or a file that is whole: they are asked for at least LIMIT_JOB_REDELIVERY_MS longer.
 */
int64_t job_deadline_ms(const struct job *job, const struct job_status *status);
#define JOB_NEVER_MS INT64_C(253402300799000) /* the end of the year 9999: for what no time ends, as JOB_WAIT_HELD */
/* The artifact of that index, or NULL. */
const struct job_artifact *job_find_artifact(const struct job_status *status, uint32_t index);

/*
 * The life of a job: one table of allowed moves. job_move() asserts that the move is in it, raises the revision, and
 * sets updated_ms = max(updated_ms, now_ms), started_ms and finished_ms. A move to any state but QUEUED ends the
 * wait, leaving STORING drops the outputs, and an end makes a cancel that is still REQUESTED too late. job_touch()
 * raises the revision and the time without a move.
 */
bool job_may_move(enum job_state from, enum job_state to);
void job_move(struct job_status *status, enum job_state to, int64_t now_ms);
void job_touch(struct job_status *status, int64_t now_ms);
/* The other beginning, of what was bought elsewhere: RUNNING, in its first attempt. -ENOMEM. */
int job_begin_adopted(struct job_status *status, int64_t now_ms);
bool job_state_is_terminal(enum job_state state);
bool job_state_is_active(enum job_state state);   /* PREPARING, STARTING, RUNNING, STORING: held in memory */
const char *job_state_name(enum job_state state); /* "queued", … */
const char *job_wait_name(enum job_wait wait);
/* Writes the table as a Mermaid state diagram, the picture in ARCHITECTURE.md; a test compares them. */
int job_print_moves(struct buffer *out);

enum {
	_JOB_E_OK,
	JOB_E_DUPLICATE,
};

/*
 * Asserts what must hold of every status at rest: revisions from 1; exactly the terminal states have finished_ms, and
 * none of them waits; exactly STORING has outputs; FAILED has a reason; STARTING and UNCERTAIN have a send, RUNNING,
 * STORING and SUCCEEDED an attempt; attempts are numbered 1, 2, … and their sends and remotes name them in order;
 * labels are sorted; priority and progress are in range.
 */
void job_status_check(const struct job_status *status);

#endif
