/*
 * The store: what survives. Jobs, their status, attempts, sends, artifacts and events, and the indexes over them.
 *
 * One committer thread takes every mutation that waits, checks its preconditions, writes one synced batch, and
 * reports the whole batch at once. While it syncs the next batch fills: group commit without a timer. Reads run on a
 * small pool of reader threads. Nothing here blocks its caller except open and close.
 *
 * No type of the database below shows in this header: a second backend fits behind it.
 */
#ifndef FG_STORE_STORE_H
#define FG_STORE_STORE_H

#include "base/clock.h"
#include "base/err.h"
#include "base/metrics.h"
#include "job/asset.h"
#include "job/job.h"
#include "job/ledger.h"

enum {
	_STORE_E_OK,
	STORE_E_NOT_FOUND,
	STORE_E_CONFLICT,       /* the job's revision is not the expected one (or it exists already, or is gone) */
	STORE_E_REQUEST_EXISTS, /* the request id is taken; see commit->found */
	STORE_E_UNHEALTHY,      /* nothing can be written now: the disk is full or broken; nothing of it is on disk */
	STORE_E_IN_USE,         /* open: another process holds the data directory */
	STORE_E_DAMAGED,        /* open: the log or a table is damaged; the message says what and how to go on */
	STORE_E_NEWER_FORMAT,   /* open: written by a later version */
	STORE_E_CURSOR_EXPIRED, /* events: older than what is kept */
	STORE_E_ASSET_EXISTS,   /* the asset that is put is there already */
	STORE_E_ASSET_MISSING,  /* there is no such asset; of a new job: see store_commit_asset() */
	STORE_E_OVER_BUDGET,    /* a reservation has no room; see store_commit_over_budget() */
	STORE_E_TOO_MUCH,       /* usage: more than one answer holds */
	STORE_E_TOO_WIDE,       /* usage: more than one question looks at */
	STORE_E_ASSET_USED,     /* the asset that is deleted is used by store_commit_user() */
	STORE_E_OWNED,          /* a job owns what was to be nobody's: store_commit_owner() */
};

struct store;
struct store_commit;

struct store_config {
	const char *path; /* a folder of the store's own; made when missing, its parent is not */
	const struct clock *clock;
	/* The folder was put back from a copy that does not say so itself: it begins a new life (store_epoch()). */
	bool is_copy;
	bool must_exist; /* something of it is known to have been stored: none is begun where there is none */
	/* Called on the committer thread once per batch, commits in their order, linked by store_commit_next().
	 * The callee owns them from then on and frees each (take the next before freeing). */
	void (*on_batch)(void *userdata, struct store_commit *first);
	/*
	 * Called on the committer thread when a write has failed and that could not be mended at once, with what it was to
	 * write, NULL for nothing: it is still the store's, and on_batch tells its outcomes when they are known. NULL: nobody
	 * wants to know.
	 */
	void (*on_trouble)(void *userdata, const struct store_commit *first);
	/* Called on the committer thread when store_is_healthy() or store_is_short() may say something else than before. May
	 * be NULL. */
	void (*on_change)(void *userdata);
	/* Free on the store's disk: with less, it is short; until there is a fourth more. A store that failed is not opened
	 * again with less. */
	uint64_t floor_bytes;
	void *userdata;
};

/* STORE_E_IN_USE, STORE_E_DAMAGED, STORE_E_NEWER_FORMAT, STORE_E_NOT_FOUND (it must exist, or is a copy, and there is
 * none) or negative errno (-ENOSPC: the disk is full), each with words in @msg. Blocks. */
int store_open(const struct store_config *config, struct store **ret, struct errmsg *msg);
/* What is left of a damaged store. */
struct store_salvaged {
	bool was_damaged;                /* false: it opens as it is, and nothing was done */
	uint64_t jobs[_JOB_STATE_COUNT]; /* that are there, by state */
	int64_t newest_ms;               /* UTC, of the newest change that is there; 0: there is none */
};
/*
 * Opens a store whose log is damaged up to the damage; what came after it is gone for good. Marks what is left as a copy:
 * it begins a new life (store_epoch()). STORE_E_IN_USE, STORE_E_DAMAGED (a table: only a backup helps),
 * STORE_E_NOT_FOUND, or negative errno, each with words in @msg. Blocks.
 */
int store_salvage(const char *path, struct store_salvaged *ret, struct errmsg *msg);
/* Words for the operator about a read that ended in @error, a negative errno: what is damaged, and the remedy. */
void store_explain(struct store *store, int error, struct errmsg *msg);
/*
 * Makes the new folder @path a copy of the store as it stands at one moment, while commits go on; everything that was
 * acknowledged before the call is in it. The copy is marked: whoever opens it begins a new life (store_epoch()). Synced.
 * Blocks. 0 or negative errno, with words in @msg. [any-thread]
 */
int store_copy(struct store *store, const char *path, struct errmsg *msg);
/* From here on what passes over the whole ledger, or adds it up, ends early with -ECANCELED. [any-thread] */
void store_end_reads(struct store *store);
/* Commits what waits, reports it, flushes, closes. Ends reads. No call may be in flight. */
struct store *store_close(struct store *store);
/* How many commits went into each synced write, and how long the writes took. [any-thread] */
struct store_figures {
	struct metric_reading commits;
	struct metric_reading write_ms;
	uint64_t failures;   /* times that it failed to write */
	uint64_t free_bytes; /* of its disk, at the last look */
};
void store_read_figures(const struct store *store, struct store_figures *ret);
/*
 * Which life of the store this is: 1 for the first; one more each time that it is opened from a copy, since nobody can say
 * what the daemon that the copy was taken from did afterwards. Constant once open. [any-thread]
 */
uint64_t store_epoch(const struct store *store);
/* Names the store itself, in all its lives and copies. Constant once open. [any-thread] */
uint64_t store_origin(const struct store *store);
/* A secret of the store, drawn once, the same in all its lives and copies: what was signed with it stays good. Borrowed;
 * constant once open. [any-thread] */
#define STORE_LINK_KEY_SIZE 32
struct bytes store_link_key(const struct store *store);
/*
 * False while nothing can be written: a write has failed, and the store has not been opened again since. It tries that by
 * itself, for as long as it takes. Reads go on, but for the moment of the opening. [any-thread]
 */
bool store_is_healthy(const struct store *store);
/* Is what is left of its disk for those who have begun? [any-thread] */
bool store_is_short(const struct store *store);
/* Words for whoever wanted to write, when it is unhealthy or short: why, where, and the remedy. [any-thread] */
void store_explain_trouble(const struct store *store, struct errmsg *msg);

/* ---- changes: built on any one thread, then handed over ---- */

/* What the indexes were built from at the last commit of this job. */
struct job_index {
	const char *provider; /* whose queue it may be in, valid as long as the job has that one; NULL: the job's */
	enum job_state state;
	int32_t priority;
	int64_t wait_until_ms;
	int64_t deadline_ms;
	bool is_awaited; /* it has ended, and what it cost is asked for */
};
/* Of the job as it stands in @status: take it before changing a status that is on disk. */
struct job_index store_index_of(const struct job *job, const struct job_status *status);

struct store_commit *store_commit_new(void); /* NULL: out of memory */
struct store_commit *store_commit_free(struct store_commit *commit);

/* Preconditions. Every job whose status a commit puts or deletes must have its expected revision in the same commit;
 * at most LIMIT_STORE_COMMIT_JOBS, else the commit is poisoned with -E2BIG. */
void store_commit_expect_revision(struct store_commit *commit, const struct job_ref *ref,
				  uint64_t revision); /* 0: absent */
/* Claims the job's request_id for it; its digest decides later whether a repeat is the same request. One per commit. */
int store_commit_claim_request(struct store_commit *commit, const struct job *job);

/* Mutations; -ENOMEM or -EMSGSIZE poison the commit: submitting it then reports that error. All arguments are borrowed
 * for the call. The job's id is id_new() of its created_ms: lists rely on it. */
int store_commit_put_job(struct store_commit *commit, const struct job *job);
/*
 * The state record, and the index entries (queue, wake, deadline, open) moved from @before to what @after says;
 * @before is NULL for a new job. Attempts, sends, remotes and artifacts are records of their own, each put when it
 * changed.
 */
int store_commit_put_status(struct store_commit *commit, const struct job *job, const struct job_index *before,
			    const struct job_status *after);
int store_commit_put_attempt(struct store_commit *commit, const struct job_ref *ref, const struct job_attempt *attempt);
/* With its place among the orders (store_find_orders()), as long as it may have bought something. */
int store_commit_put_send(struct store_commit *commit, const struct job_ref *ref, const struct job_send *send);
/* As it was put; with the reply that was kept of it. */
int store_commit_delete_send(struct store_commit *commit, const struct job_ref *ref, const struct job_send *send);
int store_commit_put_remote(struct store_commit *commit, const struct job_ref *ref, const struct job_remote *remote);
/* That what the provider at @place (job_place_of()) calls @remote_id is this job's: for store_find_owners(), and for
 * ever. */
int store_commit_put_owner(struct store_commit *commit, const struct job_ref *ref, const struct digest *place,
			   const char *remote_id);
/* A precondition: there is no job that owns it, deleted ones aside. One per commit. */
void store_commit_expect_unowned(struct store_commit *commit, const struct digest *place, const char *remote_id);
/* Once per index: its content does not change. */
int store_commit_put_artifact(struct store_commit *commit, const struct job_ref *ref,
			      const struct job_artifact *artifact);
/* The reply to a paid request, kept before any plugin reads it. Status line facts and headers are in @meta (JSON). */
int store_commit_put_reply(struct store_commit *commit, const struct job_ref *ref, uint32_t attempt, uint32_t send,
			   struct bytes meta, struct bytes body);
/* The event of this revision: the whole status as a snapshot. The committer numbers it. One per commit, and one for
 * every revision of a job: a gap is taken for events that were trimmed. */
int store_commit_put_event(struct store_commit *commit, enum job_event kind, const struct job *job,
			   const struct job_status *status);
/* Everything of the job but its events and orders, which go when they are trimmed, and its request id, which stays as a
 * tombstone dated @status->updated_ms until store_trim() drops it. @status has all attempts, sends, remotes and artifacts. */
int store_commit_delete_job(struct store_commit *commit, const struct job *job, const struct job_index *before,
			    const struct job_status *status);

/*
 * An asset, and its place in the list. Refused with STORE_E_ASSET_EXISTS when there is one of this content. One of these
 * two per commit. A job that has not ended holds the assets that it names: store_commit_put_status() of a new job needs
 * them to be there when it is committed, and the change that ends the job lets them go.
 */
int store_commit_put_asset(struct store_commit *commit, uint32_t tenant, const struct asset *asset);
/* With what providers call it. @asset as it was read. STORE_E_ASSET_MISSING when it is gone, STORE_E_CONFLICT when it was put anew
 * since, or got a handle at the same moment: read it again. STORE_E_ASSET_USED while a job holds it. */
int store_commit_delete_asset(struct store_commit *commit, uint32_t tenant, const struct asset *asset);

/* What a provider calls content of ours that was uploaded to it. Inert when zeroed. */
struct store_handle {
	char *handle;        /* NULL: it has none */
	char *headers;       /* that go with it, a JSON object; NULL: none */
	int64_t uploaded_ms; /* UTC */
	int64_t expires_ms;  /* UTC; 0: not said */
};
void store_handle_finish(struct store_handle *handle);
/* One for each content and account (struct job_send); the last one stands, until it or the asset is deleted. Refused
 * with STORE_E_ASSET_MISSING when there is no such asset. One per commit, which needs no other asset. */
int store_commit_put_handle(struct store_commit *commit, uint32_t tenant, const struct digest *sha256,
			    const struct digest *account, const struct store_handle *handle);
int store_commit_delete_handle(struct store_commit *commit, uint32_t tenant, const struct digest *sha256,
			       const struct digest *account);

/*
 * An entry of the ledger, of a job whose status this commit puts; at most LEDGER_ENTRIES_MAX. The committer numbers it,
 * and keeps every balance that it belongs to up to date in the same batch. A sum that does not fit refuses the commit:
 * STORE_E_OVER_BUDGET where it reserves, else -EOVERFLOW.
 */
int store_commit_post(struct store_commit *commit, const struct ledger_entry *entry);
/* A precondition: what the commit reserves, on top of what @scope has used, is at most the limit. At most
 * LIMIT_STORE_BUDGETS, else the commit is poisoned with -E2BIG. */
int store_commit_keep_budget(struct store_commit *commit, uint32_t tenant, const struct ledger_scope *scope,
			     int64_t limit_micros);

/* ---- webhooks: what is to be sent because of an event, what became of it, and how far the events were read ---- */

enum store_delivery_state {
	STORE_DELIVERY_PENDING = 1,
	STORE_DELIVERY_DELIVERED,
	STORE_DELIVERY_DEAD, /* given up; a person may ask for it again */
	_STORE_DELIVERY_COUNT
};

#define STORE_ENDPOINT_SIZE 64 /* of an endpoint's name, with its NUL */

struct store_delivery_key {
	uint32_t tenant;
	uint64_t sequence;                  /* of the event */
	char endpoint[STORE_ENDPOINT_SIZE]; /* by its name in the configuration */
};

/* Inert when zeroed. */
struct store_delivery {
	struct store_delivery_key key;
	enum store_delivery_state state;
	char *message_id; /* the same however often it is sent */
	char *type;
	struct id job;
	uint64_t revision;
	char *url;          /* NULL: the endpoint's */
	struct buffer body; /* of lists: empty */
	int64_t created_ms, next_ms, tried_ms, ended_ms;
	uint32_t tries; /* in all */
	uint32_t step;  /* of these, since it was planned or asked for again */
	int32_t http_status;
	char *problem, *reply; /* of the last try; may be NULL */
};
void store_delivery_finish(struct store_delivery *delivery);

int store_commit_put_delivery(struct store_commit *commit, const struct store_delivery *delivery);
int store_commit_delete_delivery(struct store_commit *commit, const struct store_delivery_key *key);
/* Events up to key->sequence have their deliveries for key->endpoint. */
int store_commit_put_delivery_cursor(struct store_commit *commit, const struct store_delivery_key *key);
int store_commit_delete_delivery_cursor(struct store_commit *commit, const struct store_delivery_key *key);

/*
 * While nothing can be written, this commit waits for as long as that takes, where others end with STORE_E_UNHEALTHY. For
 * those on which a purchase depends. Only when the store is closed meanwhile it ends like the others.
 */
void store_commit_be_patient(struct store_commit *commit);

/* @userdata is the caller's own note, handed back by store_commit_userdata(). Takes the commit always; never fails:
 * what waits is in memory, bounded by what callers have in flight. [any-thread] */
void store_submit(struct store *store, struct store_commit *take, void *userdata);

/* Of a reported commit. */
struct store_commit *store_commit_next(const struct store_commit *commit);
void *store_commit_userdata(const struct store_commit *commit);
int store_commit_outcome(const struct store_commit *commit); /* 0, STORE_E_CONFLICT, …, or negative errno */
/* With STORE_E_REQUEST_EXISTS: the job that owns the request id, its digest, and whether it was deleted. */
struct store_request {
	struct job_ref ref;
	struct digest digest;
	bool deleted;
};
const struct store_request *store_commit_found(const struct store_commit *commit);
/* With STORE_E_ASSET_MISSING: which. */
const struct digest *store_commit_asset(const struct store_commit *commit);
/* With STORE_E_ASSET_USED: one of the jobs that use it. */
const struct job_ref *store_commit_user(const struct store_commit *commit);
/* With STORE_E_OWNED: whose it is. */
const struct job_ref *store_commit_owner(const struct store_commit *commit);
/* With STORE_E_OVER_BUDGET: which of the commit's budgets, in the order in which they were asked for, has no room, and how
 * much of it is used. @budget is their number where it is none of them: the ledger itself counts no further. */
struct store_over_budget {
	size_t budget;
	int64_t used_micros;
};
const struct store_over_budget *store_commit_over_budget(const struct store_commit *commit);
/* The event this commit wrote, or NULL: valid until the commit is freed. */
struct store_event {
	struct job_ref ref;
	uint64_t sequence; /* global, rising, may have gaps */
	uint64_t revision;
	int64_t time_ms;
	enum job_event kind;
	struct bytes record; /* for store_event_read() */
};
const struct store_event *store_commit_event(const struct store_commit *commit);

/* An event's whole content. @provider, @model: of the job, so that filters need not load it. */
struct store_snapshot {
	struct job_ref ref;
	uint64_t sequence;
	enum job_event kind;
	char *provider; /* as it was ordered */
	char *model;
	char *provider_now, *model_now; /* where it has gone on to; NULL: nowhere */
	char *webhook_url;              /* of the job; NULL: it has none */
	int64_t created_ms;
	struct job_status *status; /* without plugin_state and outputs */
};
/* 0 and a snapshot that the caller frees; STORE_E_NEWER_FORMAT; negative errno. [any-thread] */
int store_event_read(const struct store_event *event, struct store_snapshot **ret);
struct store_snapshot *store_snapshot_free(struct store_snapshot *snapshot);

/*
 * ---- reads: asynchronous, each callback exactly once, on a reader thread [any-thread] ----
 *
 * Any of them may also answer STORE_E_NEWER_FORMAT (a record of a later version) or a negative errno. When there is no
 * memory for the question itself, the callback runs at once, on the asking thread, with -ENOMEM. Limits of 0 or above
 * LIMIT_STORE_PAGE mean LIMIT_STORE_PAGE.
 */

/* 0 and a view whose content is now the callee's; STORE_E_NOT_FOUND. */
typedef void store_job_fn(void *userdata, int outcome, struct job_view *take);
void store_get_job(struct store *store, const struct job_ref *ref, store_job_fn *fn, void *userdata);

/* 0 and who owns the request id, valid for the call; STORE_E_NOT_FOUND. What a commit under way claims is not seen. */
typedef void store_request_fn(void *userdata, int outcome, const struct store_request *found);
void store_get_request(struct store *store, uint32_t tenant, const char *request_id, store_request_fn *fn,
		       void *userdata);

struct store_label_filter {
	const char *key;
	const char *value; /* NULL: any value */
};

struct store_filter {
	uint32_t states; /* bit per job_state; 0: all */
	const char *const *providers;
	size_t n_providers;
	const char *const *models;
	size_t n_models;
	const struct store_label_filter *labels; /* all must match */
	size_t n_labels;
	int64_t created_from_ms; /* inclusive; 0: open */
	int64_t created_to_ms;   /* exclusive; 0: open */
	/* Each is a part of a text of the job: ASCII letters in lower case, and escaped as JSON escapes it. Of lists alone. */
	const char *const *words;
	size_t n_words;
};
bool store_filter_matches(const struct store_filter *filter, const char *provider, const char *model,
			  int64_t created_ms, const struct job_status *status);

/* Does the job have all of the filter's words? */
bool store_filter_matches_text(const struct store_filter *filter, const struct job *job,
			       const struct job_status *status);

struct store_list_query {
	uint32_t tenant;
	const struct store_filter *filter; /* borrowed until the callback has run */
	struct id after;                   /* all zero: from the newest; else older than this job */
	uint32_t limit;
};
/* Newest first. @scanned_to: pass it as `after` of the next page; @more: there may be more (a page may be short or
 * empty because at most LIMIT_STORE_LIST_SCAN jobs are looked at per call). What the views hold is the callee's, the
 * array itself is valid for the call. */
typedef void store_list_fn(void *userdata, int outcome, struct job_view *views, size_t n, struct id scanned_to,
			   bool more);
void store_list_jobs(struct store *store, const struct store_list_query *query, store_list_fn *fn, void *userdata);

/* How many there are in each state; @partial: LIMIT_STORE_COUNT_SCAN jobs were looked at, and there are more. @filter is
 * borrowed until the callback has run; NULL: all. */
typedef void store_count_fn(void *userdata, int outcome, const uint64_t counts[static _JOB_STATE_COUNT], bool partial);
void store_count_jobs(struct store *store, uint32_t tenant, const struct store_filter *filter, store_count_fn *fn,
		      void *userdata);

/* Events in order; at most @limit. STORE_E_CURSOR_EXPIRED when some after the cursor are already trimmed;
 * STORE_E_NOT_FOUND of a job that does not exist, and left no events after the cursor. The array is borrowed for the
 * call. @tail: the sequence of the newest committed event when the read began; events may be newer. */
typedef void store_events_fn(void *userdata, int outcome, const struct store_event *events, size_t n, uint64_t tail);
void store_events_of_job(struct store *store, const struct job_ref *ref, uint64_t after_revision, uint32_t limit,
			 store_events_fn *fn, void *userdata);
void store_events_since(struct store *store, uint32_t tenant, uint64_t after_sequence, uint32_t limit,
			store_events_fn *fn, void *userdata);
/* Names this history of events: a store that was made anew has another one, and so has each life of one. [any-thread] */
uint64_t store_history(const struct store *store);
uint64_t store_tail(const struct store *store);        /* newest committed sequence [any-thread] */
int64_t store_opened_at_ms(const struct store *store); /* UTC of the newest event when it was opened; 0: none */

/* The queue of one provider: jobs that may start now, by job_rank_ms(): priority, and how long they have been ready. */
struct store_queued {
	struct job_ref ref;
	int32_t priority;
	int64_t ready_ms; /* created, or the instant its wait ended */
};
typedef void store_queue_fn(void *userdata, int outcome, const struct store_queued *queued, size_t n,
			    int64_t next_wake_ms);
/* The array is valid for the call. next_wake_ms: when the earliest of this provider's delayed jobs becomes ready, 0 if
 * none waits. It may have passed already when more are due than one scan looks at (LIMIT_STORE_WAKE_SCAN): scan again. */
void store_scan_queue(struct store *store, const char *provider, int64_t now_ms, uint32_t limit, store_queue_fn *fn,
		      void *userdata);
/* Those of this provider's delayed jobs that wait until @from_ms or later, in that order, @limit of each tenant. ready_ms
 * is when their wait ends; next_wake_ms is 0. */
void store_scan_waiting(struct store *store, const char *provider, int64_t from_ms, uint32_t limit, store_queue_fn *fn,
			void *userdata);
/* Jobs whose deadline is at or before @now_ms, in its order; ready_ms is the deadline, priority 0, next_wake_ms the next
 * deadline after them. Jobs that a deadline does not end are left out: STARTING, STORING, UNCERTAIN and terminal. */
void store_scan_deadlines(struct store *store, int64_t now_ms, uint32_t limit, store_queue_fn *fn, void *userdata);
/*
 * Since when the queued job that has been ready for longest could have started, of each of @n providers: an instant, or
 * 0 where none is ready. @providers and its texts are borrowed until the callback, @since_ms is valid for the call.
 */
typedef void store_oldest_fn(void *userdata, int outcome, const int64_t *since_ms, size_t n);
void store_find_oldest(struct store *store, const char *const *providers, size_t n, int64_t now_ms, store_oldest_fn *fn,
		       void *userdata);
/* Every job in an active state, every UNCERTAIN one, and those that have ended while what they cost is awaited, for the
 * start; what @take holds is the callee's. A value other than 0 from @fn ends it
 * and is returned. A job that cannot be read ends it, too, and is named in the log: STORE_E_NEWER_FORMAT or negative
 * errno. Blocking; only before the first submit. */
int store_load_active(struct store *store, int (*fn)(void *userdata, struct job_view *take), void *userdata);
/* Providers that have queued jobs, for the start: so that a missing plugin's jobs are found too. Blocking likewise. */
int store_load_queued_providers(struct store *store, int (*fn)(void *userdata, const char *provider, uint64_t count),
				void *userdata);

/* Bytes are valid for the call. STORE_E_NOT_FOUND. */
typedef void store_reply_fn(void *userdata, int outcome, struct bytes meta, struct bytes body);
void store_get_reply(struct store *store, const struct job_ref *ref, uint32_t attempt, uint32_t send,
		     store_reply_fn *fn, void *userdata);

/* Those of @n contents of one account, in their order; valid for the call, and the callee may take the texts. */
typedef void store_handles_fn(void *userdata, int outcome, struct store_handle *handles, size_t n);
void store_get_handles(struct store *store, uint32_t tenant, const struct digest *account, const struct digest *sha256,
		       size_t n, store_handles_fn *fn, void *userdata);

/* What was ordered at a place (job_place_of()), by any tenant's job, deleted ones among them. */
struct store_orders_query {
	struct digest place;
	int64_t sent_from_ms, sent_to_ms; /* UTC, both inclusive */
	int64_t decided_from_ms;          /* what was decided before is left out */
	struct job_ref except;            /* so is what this job ordered */
	bool only_undecided; /* so is every order of which is known what came of it; parameters are not shown */
	uint32_t limit;      /* orders, and of their parameters: */
	size_t limit_bytes;
};
struct store_order {
	struct job_ref ref;   /* of the job, which may be deleted */
	int64_t sent_ms;      /* UTC, at the earliest */
	bool is_on_its_way;   /* its reply is awaited */
	enum job_state state; /* of the job; 0: it is deleted */
	char *model;
	char *parameters;  /* JSON */
	char **remote_ids; /* what the provider calls what it made of it */
	size_t n_remote_ids;
};
/*
 * Each send that may have bought something, in the order of their instants; all valid for the call. @has_left_out: there
 * are more than the limits say, than LIMIT_STORE_ORDER_SCAN that had to be looked at, or than are known well enough.
 */
typedef void store_orders_fn(void *userdata, int outcome, const struct store_order *orders, size_t n,
			     bool has_left_out);
void store_find_orders(struct store *store, const struct store_orders_query *query, store_orders_fn *fn,
		       void *userdata);

/* Whose these @n remote ids are. Everything is borrowed until the callback. */
struct store_owners_query {
	struct digest place;  /* where they are ids; job_place_of() */
	const char *provider; /* jobs of this one own them wherever they went: an address may be spelled anew */
	const char *const *remote_ids;
	size_t n;
	struct job_ref except; /* which owns nothing; all zero: none */
};
struct store_owner {
	bool is_known;
	bool is_deleted; /* the job */
	struct job_ref ref;
};
/* As many as were asked about, in their order; valid for the call. */
typedef void store_owners_fn(void *userdata, int outcome, const struct store_owner *owners, size_t n);
void store_find_owners(struct store *store, const struct store_owners_query *query, store_owners_fn *fn,
		       void *userdata);

/*
 * Some assets at once, in the order of @sha256, of which there are at most LIMIT_STORE_PAGE; a media_type of "" where
 * there is none. What the assets hold is the callee's, the array is valid for the call.
 */
typedef void store_assets_fn(void *userdata, int outcome, struct asset *assets, size_t n);
void store_get_assets(struct store *store, uint32_t tenant, const struct digest *sha256, size_t n, store_assets_fn *fn,
		      void *userdata);
/* Newest first, behind @after (all zero: from the newest). @more: there are more. As above. */
typedef void store_asset_list_fn(void *userdata, int outcome, struct asset *assets, size_t n, bool more);
void store_list_assets(struct store *store, uint32_t tenant, const struct id *after, uint32_t limit,
		       store_asset_list_fn *fn, void *userdata);

/* ---- webhooks ---- */

struct store_delivery_query {
	uint32_t tenant;
	bool only_pending;                  /* oldest first, else newest first; and then the rest does not count: */
	enum store_delivery_state state;    /* 0: all */
	char endpoint[STORE_ENDPOINT_SIZE]; /* "": all */
	struct id job;                      /* all zero: all */
	bool has_after;                     /* behind this one: */
	struct store_delivery_key after;
	uint32_t limit;
};
/* Without bodies. What they hold may be taken; the array is valid for the call. @scanned_to: `after` of the next page, of
 * which there is one when @more; a page may be short, since one looks at LIMIT_STORE_DELIVERY_SCAN at most. */
typedef void store_deliveries_fn(void *userdata, int outcome, struct store_delivery *deliveries, size_t n,
				 const struct store_delivery_key *scanned_to, bool more);
void store_list_deliveries(struct store *store, const struct store_delivery_query *query, store_deliveries_fn *fn,
			   void *userdata);
/* STORE_E_NOT_FOUND. What @take holds may be taken. */
typedef void store_delivery_fn(void *userdata, int outcome, struct store_delivery *take);
void store_get_delivery(struct store *store, const struct store_delivery_key *key, store_delivery_fn *fn,
			void *userdata);
/* All of a tenant, at most LIMIT_STORE_PAGE; valid for the call. */
typedef void store_delivery_cursors_fn(void *userdata, int outcome, const struct store_delivery_key *cursors, size_t n);
void store_get_delivery_cursors(struct store *store, uint32_t tenant, store_delivery_cursors_fn *fn, void *userdata);

/* ---- money ---- */

/* What was reserved and spent, from day to day, both included. */
struct store_usage_query {
	uint32_t tenant;
	enum ledger_dimension dimension; /* a row for each name and value of it */
	const char *label;               /* LEDGER_OF_LABEL: the key. Borrowed until the callback */
	const char *currency;            /* NULL: all. Borrowed likewise */
	uint32_t from, to;               /* days, 20261122 */
	bool by_day;                     /* a row for each day */
};
struct store_usage {
	uint32_t day;                        /* 0: of all days */
	const char *currency, *name, *value; /* as in struct ledger_scope */
	struct ledger_balance balance;
};
/* In the order of day, currency, name and value; valid for the call. STORE_E_TOO_MUCH: more than LIMIT_STORE_USAGE_ROWS;
 * STORE_E_TOO_WIDE: more than LIMIT_STORE_USAGE_SCAN balances to be looked at. */
typedef void store_usage_fn(void *userdata, int outcome, const struct store_usage *rows, size_t n);
void store_get_usage(struct store *store, const struct store_usage_query *query, store_usage_fn *fn, void *userdata);

/* The balances of these @n scopes, zeros where nothing was posted; valid for the call. Texts are borrowed until then. */
typedef void store_balances_fn(void *userdata, int outcome, const struct ledger_balance *balances, size_t n);
void store_get_balances(struct store *store, uint32_t tenant, const struct ledger_scope *scopes, size_t n,
			store_balances_fn *fn, void *userdata);

/* The ledger itself, in its order: all entries behind the sequence @after, or those of one job, deleted ones included. */
struct store_ledger_query {
	uint32_t tenant;
	bool is_single;
	struct job_ref ref; /* single */
	uint64_t after;
	uint32_t limit;
};
/* Valid for the call. @more: there are more. */
typedef void store_ledger_fn(void *userdata, int outcome, const struct ledger_entry *entries, size_t n, bool more);
void store_list_ledger(struct store *store, const struct store_ledger_query *query, store_ledger_fn *fn,
		       void *userdata);

/* What must hold of the ledger, and of the jobs, at every moment. */
struct store_ledger_check {
	uint64_t entries, jobs;
	uint64_t keys;       /* that were read for it */
	uint64_t unbalanced; /* currencies of which some balance, of whatever, is not the sum of its entries */
	uint64_t leaked;     /* jobs that hold money in a state that needs none, or hold none in one that does; and
			      * currencies in which the jobs hold something else than is reserved */
};
typedef void store_ledger_check_fn(void *userdata, int outcome, const struct store_ledger_check *found);
/* Reads the whole ledger and every job's status, of one moment. It keeps a reader thread for as long as that takes. */
void store_check_ledger(struct store *store, uint32_t tenant, store_ledger_check_fn *fn, void *userdata);

/* Does any job's artifact, or any asset, still name this content? Blocks for one read: for threads that may, a worker's. 0 or negative
 * errno. [any-thread] */
int store_is_referenced(struct store *store, const struct digest *sha256, bool *ret);

/*
 * Drops events older than the one instant, from the oldest up to the first that is younger, advancing the watermark with
 * them; tombstones of request ids that are older than the second, and orders that were sent before the third. Runs on
 * the committer thread, a bounded bite between two batches until all is gone. [any-thread]
 */
struct store_trim {
	int64_t events_before_ms, tombstones_before_ms, orders_before_ms;
};
void store_trim(struct store *store, const struct store_trim *trim);

#endif
