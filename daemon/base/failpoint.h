/*
 * Named places at which a test may kill the process: between any two things that must not be torn apart. Only builds
 * with FILMGATE_FAILPOINTS have them; in all others the macros are nothing, and not even a name remains
 * (arch.failpoints looks for them in the binary).
 *
 * FILMGATE_FAILPOINT in the environment arms them: "send.after_intent" kills at the first pass,
 * "send.after_intent:3,upload.sealed" lets three go by. What was armed and never passed kills nobody. The last words on
 * standard error say where it ended.
 *
 * Two more switches for tests, in the same builds only. FILMGATE_HURRY_MS cuts the engine's pauses, so that what happens
 * once an hour happens within a life of a second. FILMGATE_MUTANT breaks one promise on purpose, so that the tests can
 * show that they would notice: the binary that fails them is, but for this, the one that passes.
 */
#ifndef FG_BASE_FAILPOINT_H
#define FG_BASE_FAILPOINT_H

#include <stdbool.h>
#include <stdint.h>

/* All of them, in the order of a job's life. One that the code does not pass makes arch.failpoints fail. */
#define FAILPOINTS(X)                                                                                          \
	X(UPLOAD_SEALED, "upload.sealed")                 /* an asset's file is there, its record is not */    \
	X(UPLOAD_COMMITTED, "upload.committed")           /* ... is, and nobody was told */                    \
	X(FORWARD_BEFORE_HANDLE, "forward.before_handle") /* the provider has an input, we have no handle */   \
	X(FORWARD_AFTER_HANDLE, "forward.after_handle")                                                        \
	X(SEND_BEFORE_INTENT, "send.before_intent") /* the plugin wants to buy */                              \
	X(SEND_AFTER_INTENT, "send.after_intent")   /* the record is synced, nothing was handed over */        \
	X(SEND_HANDED_OVER, "send.handed_over")     /* to the HTTP thread */                                   \
	X(SEND_BEFORE_BYTES, "send.before_bytes")   /* connected, no byte has left */                          \
	X(SEND_AFTER_BYTES, "send.after_bytes")     /* the reply, or none, came to the HTTP thread */          \
	X(SEND_BEFORE_REPLY, "send.before_reply")   /* it came to the engine, and is not stored */             \
	X(SEND_AFTER_REPLY, "send.after_reply")     /* it is synced, and nobody has read it */                 \
	X(SEND_BEFORE_ID, "send.before_id")         /* the provider's id is read, and not stored */            \
	X(SEND_AFTER_ID, "send.after_id")                                                                      \
	X(SEND_AFTER_DOUBT, "send.after_doubt") /* it is stored that the order is in doubt */                  \
	X(ROUTE_BEFORE, "route.before")         /* it is refused, and goes on elsewhere; that is not stored */ \
	X(ROUTE_AFTER, "route.after")                                                                          \
	X(RECONCILE_BEFORE, "reconcile.before") /* the doubt is solved, and that is not stored */              \
	X(RESOLVE_BEFORE, "resolve.before")     /* a person has decided */                                     \
	X(RESOLVE_AFTER, "resolve.after")                                                                      \
	X(FETCH_BEFORE_OUTPUTS, "fetch.before_outputs") /* the provider is done, and that is not stored */     \
	X(FETCH_DURING, "fetch.during")                 /* a part of a file is there */                        \
	X(SEAL_BEFORE_SYNC, "seal.before_sync")         /* all of it is */                                     \
	X(SEAL_BEFORE_RENAME, "seal.before_rename")                                                            \
	X(SEAL_AFTER_RENAME, "seal.after_rename") /* the name is there, and not synced */                      \
	X(SEAL_AFTER_SYNC, "seal.after_sync")     /* before the commit that names it */                        \
	X(FINISH_BEFORE_SETTLE, "finish.before_settle")                                                        \
	X(FINISH_AFTER_SETTLE, "finish.after_settle")                                                          \
	X(CANCEL_BEFORE, "cancel.before")                                                                      \
	X(DELETE_BEFORE, "delete.before")                                                                      \
	X(DELETE_AFTER, "delete.after") /* the records are gone, the files are not */                          \
	X(COLLECT_BEFORE, "collect.before")                                                                    \
	X(COLLECT_AFTER, "collect.after")                                                                      \
	X(TRIM_BEFORE, "trim.before")                                                                          \
	X(TRIM_AFTER, "trim.after")                                                                            \
	X(COMMIT_BUILT, "commit.built")     /* a whole batch, and nothing of it written */                     \
	X(COMMIT_WRITTEN, "commit.written") /* synced, and nobody was told */                                  \
	X(STOP_BEGUN, "stop.begun")         /* SIGTERM came */                                                 \
	X(STOP_DRAINING, "stop.draining")   /* nothing new is sent */                                          \
	X(STOP_ANSWERED, "stop.answered")   /* the calls in hand have ended */                                 \
	X(STOP_ENGINE, "stop.engine")       /* the engine has */                                               \
	X(STOP_DOORS, "stop.doors")         /* the doors are closed */                                         \
	X(STOP_COMMITTER, "stop.committer") /* and the committer; the store was not flushed */                 \
	X(STOP_STORE, "stop.store")         /* it was */

enum failpoint {
#define FAILPOINT_ID(id, name) FAILPOINT_##id,
	FAILPOINTS(FAILPOINT_ID)
#undef FAILPOINT_ID
		_FAILPOINT_N,
};

enum mutant {
	MUTANT_NONE,
	MUTANT_SKIP_INTENT,       /* a restart looks for no record of what may have left */
	MUTANT_RESEND_ON_TIMEOUT, /* no reply is taken for "not sent" */
	MUTANT_ACK_BEFORE_SYNC,   /* the log is written and not synced */
	MUTANT_NO_RENAME_SYNC,    /* the folders of a new artifact are not synced */
	MUTANT_SETTLE_TWICE,      /* what a purchase cost is posted two times */
	_MUTANT_N,
};

#ifdef FILMGATE_FAILPOINTS

/* [any-thread] Returns unless the environment says that the process ends here. */
void failpoint_pass(enum failpoint point);
bool failpoint_is_mutant(enum mutant mutant);
int64_t failpoint_hurry_ms(int64_t usual_ms);

#define FAILPOINT(id) failpoint_pass(FAILPOINT_##id)
#define MUTANT(id) failpoint_is_mutant(MUTANT_##id)
/* @usual_ms, or what FILMGATE_HURRY_MS says if that is less. */
#define FAILPOINT_HURRY_MS(usual_ms) failpoint_hurry_ms(usual_ms)

#else

#define FAILPOINT(id) ((void)FAILPOINT_##id)
#define MUTANT(id) (MUTANT_##id == MUTANT_NONE)
#define FAILPOINT_HURRY_MS(usual_ms) (usual_ms)

#endif

/* The names, one a line; none in a build without failpoints. */
void failpoint_print_names(void);

#endif
