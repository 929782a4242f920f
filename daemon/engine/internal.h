/*
 * What the files of this room share. Everything here belongs to the engine thread unless marked [any-thread].
 *
 * An *entry* is a job in memory: every active one, and any other while somebody asks something of it. At most one
 * *activity* runs for it (a plugin step, an exchange, a download, a timer) and at most one *commit*. Activities answer
 * by messages that carry a ticket; a ticket that is not the entry's current one belongs to something that was given
 * up, and is dropped. While a commit is under way, answers and requests wait in the entry.
 *
 * Memory: the small structs that carry a job through its life are allocated with take_memory(), which aborts when
 * there is none. Everything acknowledged is synced by then, and the next start resumes it: a crash is the one answer
 * to exhaustion that cannot lose or buy anything.
 */
#ifndef FG_ENGINE_INTERNAL_H
#define FG_ENGINE_INTERNAL_H

#include "artifact/artifact.h"
#include "base/limits.h"
#include "base/log.h"
#include "engine/breaker.h"
#include "engine/figures.h"
#include "engine/life.h"
#include "engine/watch.h"
#include "http/http.h"
#include "job/history.h"
#include "loop/loop.h"
#include "plugin/answer.h"
#include "plugin/plugin.h"

#include <stdatomic.h>
/* Ids are random bytes: a plain hash does. clang warns of the fall-throughs in uthash's usual one. */
#define HASH_FUNCTION HASH_FNV
#include <uthash.h>

/* For whoever orders something that nothing will be made of any more. */
#define ENGINE_DRAINING "the daemon is shutting down; send the request again later"

struct entry;
struct lane;
struct media;
struct forward;
struct op;

enum engine_phase { ENGINE_PHASE_LOADING, ENGINE_PHASE_SERVING, ENGINE_PHASE_DRAINING, ENGINE_PHASE_STOPPED };

struct engine {
	struct engine_config config;
	struct store *store;
	struct loop *loop;
	atomic_bool is_backing_up; /* backup.c */
	atomic_bool is_checking_ledger;
	struct watch_hub *hub;
	struct entry *entries; /* by ref */
	struct lane *lanes;
	size_t n_lanes;
	struct budget_line *budget_lines; /* budget.c: as many as config.budgets */
	atomic_int phase;                 /* enum engine_phase */
	atomic_uint_fast64_t queued;
	struct loop_timer deadline_timer;
	struct loop_timer drain_timer;
	struct loop_timer trim_timer;
	struct loop_timer clock_timer; /* jump.c */
	int64_t clock_offset_ms;       /* UTC less the clock that never jumps, when it was looked at last */
	struct loop_message start_message, stop_message;
	struct loop_message trouble_message; /* trouble.c */
	atomic_bool is_trouble_posted;
	int64_t drain_until_ms; /* monotonic */
	bool is_scanning_deadlines;
	bool is_deadline_missed;  /* one came due during the scan */
	int64_t next_deadline_ms; /* UTC of the armed deadline; 0: none */
	unsigned int jitter;      /* state of rand_r: spreading load needs no better */
	atomic_uint uploads;      /* open */
	atomic_uint openings;     /* asset.c: files on their way to be read */
	atomic_uint_fast64_t uploads_begun;
	size_t verb_runs;      /* account reads and the like that are under way */
	size_t settling;       /* settle.c: jobs whose provider is being asked what they came to */
	uint64_t lifts;        /* so far: names their files */
	struct figures strays; /* of the jobs whose provider is not configured */
};

/* Something the committer carries back: userdata of every commit of ours. */
struct submission {
	/* [committer thread] For whoever waits only to hear that it is on disk. May be NULL; changes nothing of ours. */
	void (*on_stored)(struct submission *submission, const struct store_commit *commit);
	/* [committer thread] It is not known whether it is on disk, and may not be for long: on_committed() comes all the
	 * same. For whoever has not all the time in the world. May be NULL. */
	void (*on_delayed)(struct submission *submission);
	void (*on_committed)(struct engine *engine, struct submission *submission, const struct store_commit *commit);
};

/* ---- arrivals: the answers of activities ---- */

struct arrival {
	struct loop_message message;
	struct engine *engine;
	struct job_ref ref;
	uint64_t ticket;
	void (*handle)(struct entry *entry, struct arrival *arrival); /* consumes */
	void (*discard)(struct arrival *arrival);
};

/* Delivers to the entry, now or after its commit, or discards. [any-thread] */
void arrival_post(struct arrival *arrival);

/* ---- entries ---- */

enum activity {
	ACTIVITY_NONE,
	ACTIVITY_LOAD,
	ACTIVITY_TIMER,
	ACTIVITY_STEP,
	ACTIVITY_EXCHANGE,
	ACTIVITY_FETCH,
	ACTIVITY_SEAL,
	ACTIVITY_LOOK,
	ACTIVITY_FORWARD, /* waits for one of the lane's */
};

struct entry {
	struct engine *engine;
	UT_hash_handle hh;
	struct job_ref ref;
	struct job *job;   /* NULL while loading */
	struct job *moved; /* route.c: what it is from the change on that is being stored; NULL: what it is now */
	struct job_status *status; /* as it will be committed next; what is committed is what others see */
	struct job_index index;    /* as committed */
	uint64_t revision;         /* as committed */
	struct lane *lane;         /* NULL: no such provider is configured */
	bool holds_slot;

	enum activity activity;
	uint64_t ticket;
	struct arrival *arrived; /* came during a commit */
	struct loop_timer timer;
	void (*on_timer)(struct entry *entry);
	bool is_timer_due; /* fired during a commit */
	uint64_t http_id;

	struct store_commit *change; /* being built */
	bool is_committing;
	struct submission submission;
	void (*after_commit)(struct entry *entry);

	struct op *ops; /* what others ask, in order */
	struct op *op;  /* the one whose commit or verb is under way */

	struct verb_run *verb;          /* verb.c: a verb beside the job's own course */
	struct fetch *fetch;            /* fetch.c: the download under way */
	struct lift *lift;              /* lift.c: what was taken out of the reply that the plugin reads */
	struct reply *reply;            /* send.c: of a paid request, while it is being stored */
	struct plugin_answer *delivery; /* fetch.c: the answer that named the outputs, for its credentials */
	struct plugin_answer *outgoing; /* send.c: the purchase, while its record is being stored */
	struct job_status *unreserved;  /* money.c: as it was before the purchase that is being reserved */
	struct ledger_entries *posted;  /* money.c: with the change that is being stored; NULL: nothing */
	struct media *media;            /* media.c: the job's assets, while it is prepared and ordered */
	void (*after_media)(struct entry *entry,
			    struct plugin_answer *take); /* step.c: what begins when they are there */
	char *key;             /* step.c: the idempotency key that the plugin was shown last */
	char *facts;           /* reconcile.c: what the next step of that verb is told, JSON */
	bool is_state_changed; /* step.c: the plugin's state differs from what is stored */
	uint32_t verb_phase;   /* of the exchange under way, where a restart begins the verb anew */
	bool is_unsent;        /* run.c: PREPARING, and certainly nothing of the order went to the provider so far */
	uint64_t reserved_bytes;
	int64_t poll_delay_ms;
	int64_t poll_due_ms; /* monotonic; 0: the poll has left */
	int64_t polled_ms;   /* poll.c: monotonic; when the last one began; 0: none has */
	bool is_patient;     /* poll.c: the next one waits for its time, whatever a webhook says: the last one failed */
	bool is_hinted;      /* poll.c: a webhook says that there is news since it */
	uint32_t poll_failures;
	uint32_t polls;
	bool is_settling;     /* settle.c: one of the engine's settling */
	uint32_t hops;        /* exchanges of one look, or of one poll */
	uint32_t relinks;     /* fresh links that were asked for */
	uint32_t extra_tries; /* of what comes beside the video, in place of both */
	uint32_t bad_files;   /* downloads that were not the media they should be */
	int paid_status;      /* send.c: of the reply to the purchase, whatever a free exchange after it says */
};

/* "jobs/…" as a value for the log; lives as long as the full expression's block. */
struct log_job {
	char text[ID_TEXT_SIZE + 8];
};
struct log_job log_job_of(const struct job_ref *ref);
#define log_id(ref) (((struct log_job[1]){log_job_of(ref)})[0].text)

/* What the store answered to a read, in words: STORE_E_NEWER_FORMAT or negative errno. [any-thread] */
void explain_unreadable(int outcome, struct errmsg *ret);
/* The job did not come: what its asker is answered. Logs it, unless there is no such job. [any-thread] */
int explain_unread_job(const struct job_ref *ref, int outcome, struct errmsg *words, struct engine_error *ret);

void *take_memory(size_t size); /* zeroed; aborts */
char *take_text(const char *text);

/* Finds or loads. The entry may still be loading; ops queued on it wait. */
struct entry *entry_open(struct engine *engine, const struct job_ref *ref);
struct entry *entry_find(struct engine *engine, const struct job_ref *ref);
/* Makes an entry from a loaded or newly committed job. Takes the view. */
struct entry *entry_adopt(struct engine *engine, struct job_view *take);
/* Goes on with whatever waits; frees an entry that nobody needs. The entry may be gone afterwards. */
void entry_pump(struct entry *entry);
void entry_queue_op(struct entry *entry, struct op *op);

/* At the very end, when nothing runs any more: whoever still waits is told. */
void entry_forget(struct entry *entry);

uint64_t entry_start_activity(struct entry *entry, enum activity activity);
/* Gives the current activity up: its answer will be dropped, a request that may be repeated is aborted. */
void entry_interrupt(struct entry *entry);
void entry_sleep(struct entry *entry, int64_t delay_ms, void (*then)(struct entry *entry));
/* An arrival for the entry's current activity, @size bytes that begin with a struct arrival. */
void *entry_expect(struct entry *entry, size_t size, void (*handle)(struct entry *, struct arrival *),
		   void (*discard)(struct arrival *));

/* A change: begin, alter entry->status and put changed records, submit. Between begin and the callback no other runs. */
void entry_begin(struct entry *entry);
void entry_move(struct entry *entry, enum job_state to); /* begins if need be */
void entry_submit(struct entry *entry, enum job_event kind, void (*then)(struct entry *entry));
/* The same for a change that writes no status: the job's deletion. */
void entry_hand_over(struct entry *entry, struct store_commit *take, void (*then)(struct entry *entry));
/* A copy for an answer. */
void entry_view(const struct entry *entry, struct job_view *ret);

/* Terminal: the reason, why, and what it cost. Ends the attempt too. */
void entry_fail(struct entry *entry, enum job_state to, const struct job_failure *failure,
		void (*then)(struct entry *entry));

int64_t now_utc(const struct engine *engine);
/* Full jitter: uniform in (0, min(cap, base * 2^tries)]. */
int64_t backoff_ms(struct engine *engine, uint32_t tries, int64_t base_ms, int64_t cap_ms);

/* ---- forecast.c: how long jobs took, per provider and model ---- */

/* [engine thread] The history; from any thread the forecast that it gives, packed into one word. */
struct model_history {
	struct job_history history;
	atomic_uint_fast64_t forecast;
};

/* ---- lanes: one per configured provider ---- */

struct lane {
	struct engine *engine;
	const struct engine_provider_config *config;
	atomic_uint running; /* slots taken */
	atomic_uint_fast64_t queued;
	struct store_queued window[LIMIT_ENGINE_WINDOW];
	size_t window_at, window_n;
	bool is_scanning;
	bool is_stale;          /* the store may hold more than the window */
	struct loop_timer wake; /* a delayed job is due at wake_at_ms (UTC) */
	int64_t wake_at_ms;
	struct loop_timer kick;   /* look again, soon */
	int64_t blocked_until_ms; /* monotonic; no new starts before, for this reason */
	enum job_wait blocked_by;
	int64_t short_until_ms;  /* monotonic; likewise, for want of money */
	unsigned int n_too_dear; /* orders that a budget had no room for, one after another */
	_Atomic(enum job_wait) problem;
	atomic_int_fast64_t problem_until_ms; /* UTC */
	struct lane *account;  /* the first lane of the same account, whose next_start_… are everybody's */
	int64_t next_start_ms; /* monotonic */
	atomic_int_fast64_t next_start_utc_ms;
	struct breaker breaker;
	struct loop_timer sweeper; /* route.c: looks for jobs that may go elsewhere, a while after it did at swept_ms */
	int64_t swept_ms;          /* monotonic; 0: never */
	bool is_sweeping;
	struct model_history *histories; /* forecast.c: one per model of the plugin */
	size_t n_histories;
	struct token_waiter *token_waiters; /* token.c */
	struct forward *forwards;           /* forward.c: uploads to the provider under way */
	struct figures figures;
	struct catalogue *catalogues;                /* catalogue.c */
	struct hint_memory *hints;                   /* hint.c: what was told of before its job was known */
	size_t n_hints;                              /* hint.c: under way */
	atomic_int_fast64_t hint_told_ms;            /* hint.c: monotonic; of the log's last line about refused ones */
	_Atomic(struct registration *) registration; /* registration.c; NULL: there never was one */
	bool is_registering;
	struct order_check *checks; /* check.c: the order that the plugin judges, and those that wait for it */
	size_t n_checks;
	size_t check_bytes; /* of these orders */
};

struct lane *lane_find(const struct engine *engine, const char *provider); /* [any-thread] */
/* Is its plugin loaded, and can it read what was kept for it of this job? [any-thread] */
bool lane_can_continue(const struct lane *lane, const struct job_status *status);
void lane_init(struct lane *lane, struct engine *engine, const struct engine_provider_config *config);
void lane_finish(struct lane *lane);
/* Starts what may start. */
void lane_pump(struct lane *lane);
void lane_kick(struct lane *lane); /* the same, soon */
/* A job was committed as QUEUED. */
void lane_notice(struct lane *lane, const struct job_index *queued);
/* What its timer waits for may be due by now: the clock was set. */
void lane_look_again(struct lane *lane);
void lane_take_slot(struct entry *entry);
void lane_release_slot(struct entry *entry);
/* Nothing starts for @delay_ms, in no lane of the account if @why is about it; jobs show @why. */
void lane_block(struct lane *lane, enum job_wait why, int64_t delay_ms);
/* An order had no room in a budget that all its orders, or all orders, count against. After some in a row, between which
 * none had, nothing starts for @delay_ms, or until there is money again. */
void lane_note_too_dear(struct lane *lane, int64_t delay_ms);
void lane_note_money(struct lane *lane);
/* Why a lane starts nothing, and what to do, for a person; NULL for JOB_WAIT_NONE. */
const char *lane_problem_words(enum job_wait problem);

void forecast_init(struct lane *lane);
void forecast_finish(struct lane *lane);
/* A job of the lane has succeeded. */
void forecast_learn(struct lane *lane, const struct job *job, const struct job_status *status);
/* Learns from the newest ended jobs of the store, in its own time. Once, before the first forecast_learn(). */
void forecast_load(struct engine *engine);
/* What is known of this model; samples 0: too little. [any-thread] */
struct job_forecast forecast_look(const struct lane *lane, const char *model);

/* ---- hint.c, registration.c ---- */
/* Has the provider told us, a short while ago, of the video that is this job's newest? */
bool hint_was_early(const struct entry *entry);
/* Does its plugin read what the provider calls us with? [any-thread] */
bool hint_can_call(const struct lane *lane);
void hint_finish(struct lane *lane);
/* What was kept of earlier runs. Before the start. */
void registration_load(struct engine *engine);
void registration_finish(struct lane *lane);
/* The secret of the webhook that was registered from here; NULL: there is none. Valid as long as the lane. [any-thread] */
const char *registration_secret(const struct lane *lane);

/* ---- catalogue.c: at the very end ---- */
void catalogue_free_all(struct lane *lane);

/* ---- deadline.c ---- */
void deadline_notice(struct engine *engine, int64_t deadline_ms);
void deadline_pump(struct engine *engine);

#endif
