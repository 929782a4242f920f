/*
 * The verbs of Filmgate: accept, schedule, prepare, start, poll, store, cancel, retry, delete, watch.
 *
 * What rpc/ (and later web/) may ask for. Every verb is [any-thread], never blocks, and answers exactly once through
 * its callback, which may run on any thread of the daemon and must not block either; it may run before the verb
 * returns. `struct engine_error` and everything inside is valid until the callback returns.
 *
 * Inside: one engine thread owns every live job and its timers. Nothing is visible or acted upon before the store has
 * synced it, and it is published in commit order.
 */
#ifndef FG_ENGINE_ENGINE_H
#define FG_ENGINE_ENGINE_H

#include "job/asset.h"
#include "job/job.h"
#include "store/store.h"

enum {
	_ENGINE_E_OK,
	ENGINE_E_NOT_FOUND,      /* no such job, artifact, asset or provider */
	ENGINE_E_INVALID,        /* error->violations name the fields */
	ENGINE_E_REQUEST_REUSED, /* the request id belongs to a different request */
	ENGINE_E_JOB_DELETED,    /* the request id belongs to a job that was deleted */
	ENGINE_E_REVISION,       /* the expected revision is not the current one */
	ENGINE_E_STATE,          /* not possible in the job's state; error->text says which and what to do */
	ENGINE_E_QUEUE_FULL,     /* too many jobs are queued, or orders wait for their plugin's judgement */
	ENGINE_E_DRAINING,       /* shutting down */
	ENGINE_E_STORE,          /* the store does not take writes */
	ENGINE_E_CURSOR_EXPIRED, /* events after the cursor are no longer kept */
	ENGINE_E_PROVIDER,       /* the provider refused, its reply decides nothing, or it may not be sent to */
	ENGINE_E_CREDENTIAL,     /* the provider refused the key */
	ENGINE_E_UNREACHABLE,    /* no reply came from the provider */
	ENGINE_E_DAMAGED,        /* an artifact's file is not what was recorded */
	ENGINE_E_ASSET_REFUSED,  /* no media that an asset may be, too large, or not what was announced */
	ENGINE_E_ASSET_USED,     /* a job that has not ended uses the asset */
	ENGINE_E_UPLOADS,        /* too many uploads are open */
	ENGINE_E_PLUGIN,         /* the plugin broke a rule or is silent; error->text names it and says how */
	ENGINE_E_OWNED,          /* what is to be adopted is a job's already: error->job */
	_ENGINE_E_COUNT
};

struct engine;

struct engine_violation {
	const char *field; /* path in the words of the contract: "parameters.script.text" */
	const char *text;  /* names the value and the remedy */
};

struct engine_error {
	const char *text; /* for a person; never NULL */
	const struct engine_violation *violations;
	size_t n_violations;
	int64_t retry_after_ms; /* 0: no advice */
	const char *provider;   /* of ENGINE_E_PROVIDER: which one, where an order names several; NULL: the order's */
	const struct id *job;   /* that stands in the way; NULL: none is named */
};

/* ---- jobs ---- */

/* @take is the callee's on 0. @replayed: the request id was used before and this is the job it made. */
typedef void engine_job_fn(void *userdata, int outcome, const struct engine_error *error, struct job_view *take,
			   bool replayed);

/* Where an order goes on when the ones before it do not make it. */
struct engine_route {
	const char *provider;
	const char *model;
	const char *parameters; /* NULL: those of the order */
};

/* Everything is borrowed until the verb returns. */
struct engine_create {
	uint32_t tenant;
	const char *request_id; /* NULL or "": the daemon makes one */
	const char *provider;
	const char *model;
	const char *parameters; /* the canonical JSON object */
	const char *display_name;
	const struct job_label *labels;
	size_t n_labels;
	int32_t priority;
	int64_t timeout_ms; /* from acceptance, or not_before_ms, to the deadline; 0: the provider's default */
	struct id retry_of; /* all zero: it is no retry */
	enum job_uncertain on_uncertain;      /* UNSAID: the provider's */
	uint32_t retry_if_uncharged;          /* at most LIMIT_ENGINE_UNCHARGED */
	enum job_on_mismatch on_mismatch;     /* UNSAID: the provider's */
	int64_t not_before_ms;                /* UTC; 0 or past: at once; at most LIMIT_ENGINE_SCHEDULE_MS ahead */
	const struct engine_route *fallbacks; /* at most LIMIT_JOB_ROUTES - 1 */
	size_t n_fallbacks;
	const char *webhook_url; /* NULL or "": none */
	bool may_adapt;          /* parameters that do not fit are changed where that is decent; see job/validate.h */
	bool validate_only;      /* check everything, keep nothing; answers with the job as it would be, revision 0 */
};
void engine_create_job(struct engine *engine, const struct engine_create *create, engine_job_fn *fn, void *userdata);
/* A new job with the parameters and fallbacks of a terminal one. */
void engine_retry_job(struct engine *engine, const struct job_ref *ref, const char *request_id, engine_job_fn *fn,
		      void *userdata);
void engine_get_job(struct engine *engine, const struct job_ref *ref, engine_job_fn *fn, void *userdata);

struct engine_update {
	struct job_ref ref;
	uint64_t expected_revision; /* 0: any */
	bool has_display_name, has_labels, has_priority;
	const char *display_name;
	const struct job_label *labels;
	size_t n_labels;
	int32_t priority;
};
void engine_update_job(struct engine *engine, const struct engine_update *update, engine_job_fn *fn, void *userdata);
/* Answers 0 with the job; status->cancel_outcome says what was achieved. A terminal job: TOO_LATE in @view, nothing
 * is written. While a paid send is undecided: REQUESTED, and it takes effect when that is known. */
void engine_cancel_job(struct engine *engine, const struct job_ref *ref, engine_job_fn *fn, void *userdata);

enum engine_resolution {
	ENGINE_RESOLUTION_FOUND,   /* it was bought: remote_id is the provider's id of it */
	ENGINE_RESOLUTION_ABSENT,  /* nothing was bought: it is ordered again */
	ENGINE_RESOLUTION_GIVE_UP, /* not known, and nobody looks further */
};
struct engine_resolve {
	struct job_ref ref;
	uint64_t expected_revision; /* 0: any */
	enum engine_resolution resolution;
	const char *remote_id; /* FOUND */
};
/* UNCERTAIN jobs only; else ENGINE_E_STATE. FOUND: the provider is asked, if its plugin is there; ENGINE_E_INVALID when
 * it does not know the id, and ENGINE_E_PROVIDER, …_CREDENTIAL or …_UNREACHABLE when it was not asked or does not say. */
void engine_resolve_job(struct engine *engine, const struct engine_resolve *resolve, engine_job_fn *fn, void *userdata);

/* Releases a job that was open in a copy from which the store was restored; of others it changes nothing. */
void engine_resume_job(struct engine *engine, const struct job_ref *ref, engine_job_fn *fn, void *userdata);

enum engine_delete { ENGINE_DELETE_KEEP_REMOTE, ENGINE_DELETE_REMOVE_REMOTE };
typedef void engine_done_fn(void *userdata, int outcome, const struct engine_error *error);
/* Terminal jobs only. With REMOVE_REMOTE the provider's copy goes first; if that fails, nothing is deleted. */
void engine_delete_job(struct engine *engine, const struct job_ref *ref, enum engine_delete how, engine_done_fn *fn,
		       void *userdata);

/* ---- backup ---- */

struct engine_backup {
	const char *path;
	uint64_t artifacts, artifact_bytes;
};
/* @backup: valid until the callback returns. */
typedef void engine_backup_fn(void *userdata, int outcome, const struct engine_error *error,
			      const struct engine_backup *backup);
/*
 * Makes the new folder @path, on this machine, a copy of the data directory, while everything goes on: whatever was
 * acknowledged before the call is in it. It appears under its name when it is whole and synced. One at a time:
 * ENGINE_E_STATE. ENGINE_E_INVALID: @path is not absolute, too long, or there already; ENGINE_E_STORE: it cannot be
 * written; ENGINE_E_DRAINING.
 */
void engine_back_up(struct engine *engine, const char *path, engine_backup_fn *fn, void *userdata);

/* As store_list_jobs(). */
void engine_list_jobs(struct engine *engine, const struct store_list_query *query, store_list_fn *fn, void *userdata);
/* As store_count_jobs(). */
void engine_count_jobs(struct engine *engine, uint32_t tenant, const struct store_filter *filter, store_count_fn *fn,
		       void *userdata);

/* ---- watching ---- */

/* Where events stand. Sequences mean something only within one history of the store. */
struct engine_position {
	uint64_t epoch;    /* of the history: another one after a restore */
	uint64_t sequence; /* of the newest committed event, 0 before the first */
};
/* [any-thread] */
struct engine_position engine_position(const struct engine *engine);

struct engine_watch;

struct engine_watch_spec {
	uint32_t tenant;
	bool is_single; /* one job: ref and after_revision count; else after_sequence and filter */
	struct job_ref ref;
	uint64_t after_revision;
	bool from_now; /* not single: only what comes; else everything after after_sequence */
	uint64_t after_sequence;
	const struct store_filter *filter; /* not single; copied; NULL: all */
};

struct engine_watcher {
	/* One event, in order, none twice, none missing; valid during the call. The same @event is handed to each
	 * watcher in turn, so an encoding may be kept per event->sequence. Runs on the watch thread. */
	void (*on_event)(void *userdata, const struct store_event *event);
	/* Not single; may be NULL: nothing but what the filter passes over has come for LIMIT_WATCH_PASSED_MS. To begin
	 * again after @sequence misses nothing, and is possible longer. Uses a grant up, like an event. Runs on the watch
	 * thread. */
	void (*on_passed)(void *userdata, uint64_t sequence);
	/* Nothing more comes: ENGINE_E_NOT_FOUND, ENGINE_E_CURSOR_EXPIRED, ENGINE_E_DRAINING, … At most once; not after
	 * engine_watch_close(). Runs on the watch thread. */
	void (*on_end)(void *userdata, int outcome, const struct engine_error *error);
	/* After engine_watch_close(): no callback runs any more, @userdata may go. Exactly once. */
	void (*on_closed)(void *userdata);
	void *userdata;
};
/* Nothing is delivered before a grant. A watcher without grants costs nothing: it reads on from the store later. */
int engine_watch_open(struct engine *engine, const struct engine_watch_spec *spec, const struct engine_watcher *watcher,
		      struct engine_watch **ret);
void engine_watch_grant(struct engine_watch *watch, uint32_t events);
void engine_watch_close(struct engine_watch *watch);

/* ---- artifacts ---- */

/* 0: @artifact until the callback returns, and @fd, an open regular file that is now the callee's. */
typedef void engine_artifact_fn(void *userdata, int outcome, const struct engine_error *error,
				const struct job_artifact *artifact, int fd);
void engine_open_artifact(struct engine *engine, const struct job_ref *ref, uint32_t index, engine_artifact_fn *fn,
			  void *userdata);
/* A picture of the video instead: @fd is a JPEG, as large as its file, and @artifact is the video. ENGINE_E_NOT_FOUND: it is
 * no video, or none could be made. May take LIMIT_ARTIFACT_POSTER_MS. */
enum engine_still {
	ENGINE_STILL_NONE,
	ENGINE_STILL_POSTER,    /* at most 1280 pixels wide and high */
	ENGINE_STILL_THUMBNAIL, /* 320 */
};
void engine_open_still(struct engine *engine, const struct job_ref *ref, uint32_t index, enum engine_still still,
		       engine_artifact_fn *fn, void *userdata);

/* ---- assets ---- */

/* @asset until the callback returns. @existed: of an upload: it was there before, as it is shown. */
typedef void engine_asset_fn(void *userdata, int outcome, const struct engine_error *error, const struct asset *asset,
			     bool existed);
void engine_get_asset(struct engine *engine, uint32_t tenant, const struct digest *sha256, engine_asset_fn *fn,
		      void *userdata);
/* As store_list_assets(); the assets are the engine's until the callback returns. */
void engine_list_assets(struct engine *engine, uint32_t tenant, const struct id *after, uint32_t limit,
			store_asset_list_fn *fn, void *userdata);
/* ENGINE_E_ASSET_USED: error->text names a job that uses it. */
void engine_delete_asset(struct engine *engine, uint32_t tenant, const struct digest *sha256, engine_done_fn *fn,
			 void *userdata);

/*
 * An upload: opened, written in order, then finished or dropped. Each belongs to one thread at a time, and all but the
 * drop may block for a disk: not on a thread that must not. After anything but 0 it may only be dropped. The outcomes
 * have words in @msg: ENGINE_E_ASSET_REFUSED, ENGINE_E_UPLOADS, ENGINE_E_DRAINING, ENGINE_E_STORE (a full disk too).
 */
struct engine_upload;

struct engine_upload_spec {
	uint32_t tenant;
	const char *display_name;    /* NULL or "": none; copied */
	uint64_t size_bytes;         /* announced; 0: not */
	const struct digest *sha256; /* announced; NULL: not; copied */
};
int engine_upload_open(struct engine *engine, const struct engine_upload_spec *spec, struct engine_upload **ret,
		       struct errmsg *msg);
int engine_upload_write(struct engine_upload *upload, struct bytes data, struct errmsg *msg);
/* Makes what was written an asset; on 0 it is on disk. Content that is there already stays as it is, its name too. */
void engine_upload_finish(struct engine_upload *take, engine_asset_fn *fn, void *userdata);
/* Nothing is left of it. NULL is fine. */
struct engine_upload *engine_upload_drop(struct engine_upload *upload);

/* ---- providers ---- */

struct engine_provider {
	const char *id;
	const char *plugin;
	const char *plugin_version;
	const char *base_url;
	const char *manifest; /* the plugin's manifest with its capability document, JSON */
	uint32_t concurrency; /* jobs it may run at once */
	uint32_t running;     /* started and not finished */
	uint64_t queued;
	const char *problem;             /* why it starts nothing right now, or NULL */
	enum job_uncertain on_uncertain; /* never UNSAID */
	uint32_t previous_keys;          /* how many are configured beside the current one */
};
/* The array and its strings are valid until the callback returns. @id NULL: all. */
typedef void engine_providers_fn(void *userdata, int outcome, const struct engine_error *error,
				 const struct engine_provider *providers, size_t n);
void engine_list_providers(struct engine *engine, const char *id, engine_providers_fn *fn, void *userdata);

/* A free read that proves the key. @report: what the plugin said, a JSON object {"account": text, "balance": text,
 * …}, until the callback returns. ENGINE_E_CREDENTIAL and ENGINE_E_PROVIDER: error->text has the provider's own words;
 * ENGINE_E_UNREACHABLE; ENGINE_E_DRAINING; ENGINE_E_STATE when the plugin has no such read. */
typedef void engine_check_fn(void *userdata, int outcome, const struct engine_error *error, const char *report);
void engine_check_provider(struct engine *engine, const char *id, engine_check_fn *fn, void *userdata);

/* ---- what a provider offers by id ---- */

struct engine_catalogue_query {
	const char *provider;
	const char *kind;     /* as the plugin's manifest calls it: "voices" */
	const char *language; /* "en", "en-US" or "English"; NULL or "": any */
	const char *query;    /* a part of id, name or a tag, in any case; NULL or "": any */
	uint32_t offset, limit;
	int64_t max_age_ms; /* an older list is fetched again first */
};

/* Everything is valid until the callback returns. */
struct engine_catalogue {
	const struct json *json;
	const uint32_t *entries; /* nodes of @json, objects as in sdk/DOCUMENTS.md, each with an id */
	size_t n;
	uint32_t total;      /* that match */
	int64_t fetched_ms;  /* UTC; of the list */
	const char *problem; /* why it is older than asked for, or not whole; NULL: neither */
};
/* Answered on the engine's thread or the caller's. A list is kept in memory, one per provider and kind, and goes with the
 * process. A provider that cannot be asked answers with the list of the last time, and a problem; ENGINE_E_PROVIDER,
 * …_CREDENTIAL or …_UNREACHABLE where there is none. ENGINE_E_INVALID: no such kind; ENGINE_E_STATE: it lists none. */
typedef void engine_catalogue_fn(void *userdata, int outcome, const struct engine_error *error,
				 const struct engine_catalogue *catalogue);
void engine_list_catalogue(struct engine *engine, const struct engine_catalogue_query *query, engine_catalogue_fn *fn,
			   void *userdata);

/* ---- what no job owns ---- */

struct engine_orphan {
	const char *remote_id;
	const char *title, *status, *kind; /* the provider's words; "" when it says nothing */
	int64_t created_ms;                /* UTC, at the provider; 0: not said */
	bool has_deleted_job, has_maybe_job;
	struct id deleted_job; /* whose it was */
	struct id maybe_job;   /* whose it may be: nobody knows what came of an order of about that time */
};
struct engine_orphans {
	const struct engine_orphan *orphans;
	size_t n;
	uint32_t owned;    /* of the provider's page, left out: jobs have them */
	uint32_t unusable; /* likewise: they have no id that can be asked about */
	bool has_more;
	const char *next_page; /* NULL: the provider's first */
	uint32_t next_offset;
};
struct engine_orphans_query {
	uint32_t tenant;
	const char *provider;
	const char *page; /* next_page of the answer before; NULL or "": the first */
	uint32_t offset, limit;
};
/* One page of the provider's list, or a part of it; everything is valid until the callback returns. ENGINE_E_STATE: it has
 * no list; ENGINE_E_PROVIDER, …_CREDENTIAL or …_UNREACHABLE. */
typedef void engine_orphans_fn(void *userdata, int outcome, const struct engine_error *error,
			       const struct engine_orphans *orphans);
void engine_list_orphans(struct engine *engine, const struct engine_orphans_query *query, engine_orphans_fn *fn,
			 void *userdata);

/* Everything is borrowed until the verb returns. */
struct engine_adopt {
	uint32_t tenant;
	const char *request_id; /* NULL or "": the daemon makes one */
	const char *provider;
	const char *remote_id;
	const char *model;        /* NULL or "": not known */
	const char *display_name; /* NULL or "": the provider's title */
	const struct job_label *labels;
	size_t n_labels;
	bool is_forced; /* also what was a deleted job's, and what another job's order may have made */
};
/*
 * Makes a video of the provider's list a job, RUNNING at once. Nothing is bought, and nothing is posted. ENGINE_E_OWNED;
 * ENGINE_E_STATE without is_forced; ENGINE_E_INVALID: it is not in the list; and as engine_list_orphans().
 */
void engine_adopt_video(struct engine *engine, const struct engine_adopt *adopt, engine_job_fn *fn, void *userdata);

/* ---- webhooks: the first three as the store's functions, on a reader's thread ---- */

void engine_list_deliveries(struct engine *engine, const struct store_delivery_query *query, store_deliveries_fn *fn,
			    void *userdata);
void engine_get_delivery(struct engine *engine, const struct store_delivery_key *key, store_delivery_fn *fn,
			 void *userdata);
void engine_get_delivery_cursors(struct engine *engine, uint32_t tenant, store_delivery_cursors_fn *fn, void *userdata);
/* Stores what @take, of deliveries and their cursors alone, says; waits for the disk however long that takes. @outcome is
 * the store's. On the engine's thread, or in engine_free(). */
typedef void engine_kept_fn(void *userdata, int outcome);
void engine_keep_deliveries(struct engine *engine, struct store_commit *take, engine_kept_fn *fn, void *userdata);

/* ---- what providers tell us by themselves ---- */

/* A call of the provider, as it came; everything until engine_take_hint() returns. */
struct engine_hint {
	const char *provider;
	struct bytes body;
	const char *(*header)(void *userdata, const char *name); /* in any case; NULL: the call has none of that name */
	void *userdata;
};
/*
 * 0: it is the provider's, and is answered with @status and @body (JSON; NULL: none), whether it was about a job of ours or
 * not. ENGINE_E_NOT_FOUND: there is no such provider, or nothing to know its calls by; ENGINE_E_CREDENTIAL: it is not
 * signed as it must be; ENGINE_E_QUEUE_FULL: too many at once; ENGINE_E_DRAINING. No words: whoever calls is nobody's.
 */
typedef void engine_hint_fn(void *userdata, int outcome, unsigned int status, const char *body);
/*
 * What a good one does is that its job, if it is RUNNING, is asked about now, or as soon as the provider's shortest pause
 * since the last question is over. Nothing that it says is believed. Answered on the engine's thread or the caller's.
 */
void engine_take_hint(struct engine *engine, const struct engine_hint *hint, engine_hint_fn *fn, void *userdata);

/* That a provider calls us, as we had it set up there. */
struct engine_registration {
	const char *provider;
	const char *url;       /* that it calls; NULL: none was set up from here */
	const char *remote_id; /* what the provider calls that */
	int64_t registered_ms; /* UTC */
	bool is_configured;    /* the configuration has a secret for its calls, too */
};
/* Everything is valid until the callback returns. */
typedef void engine_registrations_fn(void *userdata, int outcome, const struct engine_error *error,
				     const struct engine_registration *registrations, size_t n);
/*
 * Has the provider call @url, and keeps, sealed, the secret that it signs with. Once more is the same, with a new secret.
 * ENGINE_E_INVALID: @url is none that may be called; ENGINE_E_STATE: another one is registered, or its plugin cannot;
 * ENGINE_E_PROVIDER, …_CREDENTIAL, …_UNREACHABLE, …_STORE, …_DRAINING.
 */
void engine_register_webhook(struct engine *engine, const char *provider, const char *url, engine_registrations_fn *fn,
			     void *userdata);
/* Its calls are refused from here on. ENGINE_E_STATE: none is registered. */
void engine_unregister_webhook(struct engine *engine, const char *provider, engine_registrations_fn *fn,
			       void *userdata);
/* Of all providers that can call. */
void engine_list_registrations(struct engine *engine, engine_registrations_fn *fn, void *userdata);

/* ---- money: as the store's functions, on a reader's thread ---- */

void engine_get_usage(struct engine *engine, const struct store_usage_query *query, store_usage_fn *fn, void *userdata);
void engine_list_ledger(struct engine *engine, const struct store_ledger_query *query, store_ledger_fn *fn,
			void *userdata);
/* On a reader's thread, of which there are few and which it keeps for long: ENGINE_E_STATE, on the caller's, while there
 * is another check. @found: valid until the callback returns. */
typedef void engine_ledger_check_fn(void *userdata, int outcome, const struct engine_error *error,
				    const struct store_ledger_check *found);
void engine_check_ledger(struct engine *engine, uint32_t tenant, engine_ledger_check_fn *fn, void *userdata);
/* Those that would still read for long end early, and with -ECANCELED. [any-thread] */
void engine_end_reads(struct engine *engine);

/* The store's secret, store_link_key(). [any-thread] */
struct bytes engine_link_key(const struct engine *engine);

/* Takes jobs and writes: the answer for health checks. [any-thread] */
bool engine_is_serving(const struct engine *engine);

/* ---- looking at it from outside ---- */

/* Answered by the engine's own thread: that an answer comes proves that it lives. May come as late as engine_free(). */
struct engine_health {
	bool is_draining;
	bool is_store_unhealthy; /* its disk cannot be written to; it tries by itself to go on */
	bool is_store_short;     /* its disk has hardly any room left */
	bool is_queue_full;
};
typedef void engine_health_fn(void *userdata, const struct engine_health *health);
void engine_examine(struct engine *engine, engine_health_fn *fn, void *userdata);

struct engine_count {
	const char *name; /* one of few, constant: a state, for example */
	uint64_t value;
};

#define ENGINE_OPEN_STATES 6
#define ENGINE_FINAL_STATES 4
#define ENGINE_EXCHANGE_OUTCOMES 9
#define ENGINE_HINT_OUTCOMES 9

#define ENGINE_CURRENCIES 8
#define ENGINE_CURRENCY_SIZE 16

struct engine_money {
	char currency[ENGINE_CURRENCY_SIZE];
	uint64_t reserved_micros; /* now */
	uint64_t spent_micros;    /* a counter */
};

struct engine_budget_figures {
	const char *name, *currency;
	uint64_t limit_micros;
	uint64_t used_micros; /* of the current day or month: reserved and spent */
};

/* Counters begin at zero with the process. */
struct engine_provider_figures {
	const char *id;                                 /* NULL: of the jobs whose provider is not configured */
	struct engine_count open[ENGINE_OPEN_STATES];   /* jobs that are in it */
	struct engine_count ended[ENGINE_FINAL_STATES]; /* jobs that have come to it */
	uint64_t accepted;
	int64_t oldest_ms; /* how long the queued job that is ready for longest has been so; 0: none is */
	uint64_t ambiguous_sends;
	uint64_t plugin_faults;
	uint64_t artifacts, artifact_bytes;                      /* of jobs that succeeded, or failed for what came */
	uint64_t mismatches;                                     /* of videos with what was ordered */
	struct engine_count exchanges[ENGINE_EXCHANGE_OUTCOMES]; /* requests, downloads included, by how they ended */
	struct engine_count hints[ENGINE_HINT_OUTCOMES];         /* its webhooks, by what became of them */
	struct metric_reading poll_lateness;                     /* from the instant it was due to its first byte */
	struct metric_reading submit; /* of paid requests that were replied to, from their first byte */
	uint64_t slots, slots_used;
	struct engine_money money[ENGINE_CURRENCIES];
	size_t n_currencies;
	uint64_t breaker_open, breaker_opened; /* 1 while it is; how often it came to that */
};

struct engine_figures {
	const struct engine_provider_figures *providers;
	size_t n_providers;
	const struct engine_budget_figures *budgets;
	size_t n_budgets; /* 0 as well: they could not be read */
	struct store_figures store;
	bool has_oldest; /* false: the queue could not be read */
	bool is_store_healthy, is_store_short;
	bool is_draining;
	uint64_t watchers; /* open */
};
/* @figures: valid until the callback returns; ENGINE_E_DRAINING at the very end. Costs the engine's thread what it takes
 * to copy the numbers, however many jobs there are. */
typedef void engine_measure_fn(void *userdata, int outcome, const struct engine_figures *figures);
void engine_measure(struct engine *engine, engine_measure_fn *fn, void *userdata);

#endif
