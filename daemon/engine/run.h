/*
 * The life of one job between its states. Each function continues an entry whose commit is done and whose activity is
 * none.
 */
#ifndef FG_ENGINE_RUN_H
#define FG_ENGINE_RUN_H

#include "engine/internal.h"

/* run.c */
void run_begin(struct entry *entry);  /* QUEUED, holding a slot */
void run_resume(struct entry *entry); /* any active state: after a start, or after something that did not end it */
/* Gives up what is under way in memory: step, exchange, download, reserved room. */
void run_abandon(struct entry *entry);
/* Back into the queue: nothing was bought. @until_ms UTC, 0: at once. */
void run_requeue(struct entry *entry, enum job_wait why, int64_t delay_ms);
/* The same after an answer that refuses it for now: as long, and as many jobs, as its reason says. */
void run_requeue_refused(struct entry *entry, const struct plugin_answer *answer);
/* The same when nothing of an exchange has left, or of a free one it does not matter. */
void run_requeue_unsent(struct entry *entry, const char *why);
/* FAILED, unless it has another route. @failure: nothing was bought. */
void run_fail_unbought(struct entry *entry, const struct job_failure *failure);
void run_after_requeue(struct entry *entry); /* QUEUED was committed */
void run_after_end(struct entry *entry);     /* terminal was committed */
void run_after_update(struct entry *entry);
/* The job stood still while nobody knew: its time, as it was ordered, begins anew, in the change that has begun. */
void run_begin_time_anew(struct entry *entry);

/* send.c: the one exchange that may buy */
void send_begin(struct entry *entry, struct plugin_answer *take); /* PREPARING, or STARTING for a repeat */
void send_resume(struct entry *entry);                            /* STARTING, after a start */
bool send_may_repeat(const struct entry *entry);
/* Every doubt of the attempt is of @class, in the change that has begun. */
void send_settle(struct entry *entry, enum job_send_class class);
/* The first send of the live attempt that may have bought; NULL: none. Valid until the sends change. */
const struct job_send *send_first_doubt(const struct entry *entry);
/* job_place_of() */
struct digest send_place_of(const char *base_url);
/* What the order made is this job's, in the change that has begun. */
void send_own(struct entry *entry, const char *remote_id);
bool send_is_same_account(const struct job_send *first, const struct engine_provider_config *config);
/* RUNNING, with what an ACCEPTED or DONE answer names; the change has begun, and says what became of the sends. What is
 * done at once is kept for STORING: the job is RUNNING on disk first. */
void send_accepted(struct entry *entry, struct plugin_answer *take);
/* UNCERTAIN, with the change that has begun, if one has. */
void send_hold(struct entry *entry, const char *why);

/* reconcile.c: STARTING, with a doubt that no key protects */
bool reconcile_is_possible(const struct entry *entry);
void reconcile_begin(struct entry *entry, int64_t delay_ms); /* with the change that has begun, if one has */
void reconcile_resume(struct entry *entry);                  /* after a start */
/* What may be taken for the lost order, which there is: what other jobs ordered there at about the time of its sends. */
struct store_orders_query reconcile_query(const struct entry *entry);
/* The job in memory, where all are that have not ended, that has @remote_id of the same place. NULL: none but @entry. */
const struct job_ref *reconcile_find_owner(const struct entry *entry, const char *remote_id);

/* poll.c: RUNNING */
void poll_begin(struct entry *entry, int64_t delay_ms); /* 0: the provider's first interval */
/* There is news, somebody says: the next poll is due as soon as the provider's shortest interval since the last one is over.
 * True: that was made earlier. Any state; it does nothing but in RUNNING. */
bool poll_pull(struct entry *entry);
/* A DONE answer: STORING, once what was lifted out of the reply is synced. */
void poll_store(struct entry *entry, struct plugin_answer *take);

/* settle.c: the end of a job that its provider does not hear of: it goes on, and bills. */
void settle_await(struct entry *entry); /* with the change that ends it */
void settle_begin(struct entry *entry); /* ended, with what it cost to be heard; after a start, too */
void settle_leave(struct entry *entry); /* another one's turn to ask, if it was this one's */

/* fetch.c: STORING */
void fetch_begin(struct entry *entry);
void fetch_abandon(struct entry *entry);
/* The outputs of a DONE answer as they are stored: JSON, without credentials. @lift has those that were lifted. */
char *fetch_write_outputs(const struct plugin_answer *answer, const struct lift *lift);
/* Whether the job is owed the staging file @name: it is what a reply carried, and not sealed yet. */
bool fetch_names(const struct entry *entry, const char *name);
void collect_if_unreferenced(struct engine *engine, const struct digest *sha256);

/* A plugin's failure in the words of the job; borrows from @answer. */
struct job_failure run_failure_of(const struct plugin_answer *answer, enum job_purchase purchase);
enum job_reason run_reason_of(const struct plugin_answer *answer);
/* The house rule is the caller's: here it is UNKNOWN. */
enum job_purchase run_purchase_of(enum plugin_bought bought);
/* What the plugin says that the job costs, if it says so, and it is at most LIMIT_JOB_COST_MICROS; else a note. */
void run_note_cost(struct entry *entry, const struct plugin_cost *cost);

#endif
