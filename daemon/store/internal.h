/*
 * The store's own parts. Threads: the committer (writes), the readers (read), and whoever calls.
 */
#ifndef FG_STORE_INTERNAL_H
#define FG_STORE_INTERNAL_H

#include "base/limits.h"
#include "store/backend.h"
#include "store/folder.h"
#include "store/front.h"
#include "store/keys.h"
#include "store/ledger.h"
#include "store/pending.h"
#include "store/store.h"
#include "store/tenants.h"

#include <pthread.h>
#include <stdatomic.h>

struct committer {
	pthread_t thread;
	pthread_mutex_t mutex; /* over the four fields below */
	pthread_cond_t wake;
	struct store_commit *first, *last; /* waiting */
	bool is_stopping;
	bool has_trim;
	struct store_trim trim;

	/* The thread's own. */
	struct backend_batch *batch;
	struct commit_change *changes; /* of the accepted commits, in their order until they are sorted */
	size_t n_changes, capacity;
	bool has_new_tenant; /* the batch holds its record */
	struct pending pending;
	struct store_commit *of_assets; /* of the batch: those that put, delete or use assets, newest first */
	uint64_t sequence;              /* the last one given out */
	struct ledger ledger;
	struct store_commit *undecided; /* mend.c: the batch whose write failed */
	int64_t looked_ms;              /* at the disk; monotonic, of the system */

	/* Read by others, too. */
	struct metric_histogram commits, write_ms;
	struct metric failures;
};

/* One asynchronous read; embedded in a struct that knows what it reads. */
struct read {
	struct read *next;
	/* On a reader thread: reads, calls back, frees. */
	void (*run)(struct store *store, struct read *take);
};

struct readers {
	pthread_t threads[LIMIT_STORE_READERS];
	size_t n_threads;
	bool is_started;
	pthread_mutex_t mutex;
	pthread_cond_t wake;
	struct read *first, *last;
	bool is_stopping;
};

struct store {
	const struct clock *clock;
	void (*on_batch)(void *userdata, struct store_commit *first);
	void (*on_trouble)(void *userdata, const struct store_commit *first);
	void (*on_change)(void *userdata);
	void *userdata;
	uint64_t floor_bytes;
	struct folder folder;
	pthread_rwlock_t database; /* shared: it is read; exclusive: it is opened again */
	struct backend *backend;
	struct committer committer;
	struct readers readers;
	uint64_t history; /* constant once open, as is: */
	uint64_t epoch;
	uint64_t origin;
	uint8_t link_key[STORE_LINK_KEY_SIZE];
	int64_t opened_at_ms;  /* the newest event's time, then */
	atomic_bool is_ending; /* what passes over everything gives up */
	bool is_copy;          /* as the configuration said */
	struct tenants tenants;
	struct fronts fronts;
	_Atomic uint64_t tail;  /* the newest committed sequence */
	atomic_bool has_failed; /* a write did, and the database was not opened again */
	atomic_int failure;     /* the errno of it */
	atomic_bool is_short;
	_Atomic uint64_t free_bytes;
};

/* Between these two the database is not opened again; not to be nested. Every thread but the committer's needs them. */
void store_lock_database(struct store *store);
void store_unlock_database(struct store *store);
/* Takes @list from the database; before the first thread, and when it is opened again. 0 or negative errno. */
int store_load_tenants(struct store *store);
/* Is the database that is open the one that was, and does a synced write to it last? 0 or negative errno. */
int store_prove(struct store *store);

/* Between the opened database and the first submit. 0 or negative errno. */
int committer_start(struct store *store);
/* Commits what waits first. */
void committer_stop(struct store *store);
/* Waits, with the mutex locked, until there may be news. True: @delay_ms have gone by. */
bool committer_wait(struct committer *committer, int64_t delay_ms);
/* Checks and writes a batch. 0, and every commit has its outcome; or negative errno: it is not known whether it is on disk.
 * Committer thread. */
int committer_write(struct store *store, struct store_commit *first);

/* mend.c, all on the committer thread. How much room is there? Looks now and then; @is_now: in any case. */
void mend_look(struct store *store, bool is_now);
/* A write has failed with @error, or the database says so: from here on mend() is called. */
void mend_note(struct store *store, int error);
/* Comes back when the store can write, or is being closed. */
void mend(struct store *store);
/* Do the assets that @commit needs, puts or deletes allow it, with the batch as it is so far? 0, STORE_E_ASSET_…, or
 * negative errno. Committer thread. */
int check_assets(struct store *store, struct store_commit *commit);
/* What providers call the asset that @commit deletes goes with it, in the batch that is being made. Committer thread. */
int delete_handles(struct store *store, const struct store_commit *commit);
/* Drops some of what is older. @ret_more: there is more. */
int trim_some(struct store *store, const struct store_trim *what, bool *ret_more);

/* Of a store that is older than the ledger: what its jobs hold or have cost, written in synced bites. Before the first
 * thread; one that was cut off goes on where it ended. 0, STORE_E_NEWER_FORMAT or negative errno. */
int ledger_open_jobs(struct store *store);

/* Of a store that is older than the index of owners: whose the remote ids of its jobs are, deleted ones included. As
 * above. */
int owners_list_jobs(struct store *store);
/* Is what @commit wants to be nobody's owned, by a job that is there or by one of the batch so far? 0, STORE_E_OWNED, or
 * negative errno. Committer thread. */
int check_unowned(struct store *store, struct store_commit *commit);

int readers_start(struct store *store);
/* Runs what waits first. */
void readers_stop(struct store *store);
void readers_add(struct store *store, struct read *take);

/* Reads the job and all its records. STORE_E_NOT_FOUND, STORE_E_NEWER_FORMAT or negative errno. [any-thread] */
int read_job(struct store *store, const struct job_ref *ref, struct job_view *ret);
/* 0 when there is no such job. */
int read_revision(struct store *store, const struct job_ref *ref, uint64_t *ret);
/* Takes one record of a job into @view, whose job and status appear with their records. */
int read_part(struct job_view *view, const struct job_ref *ref, enum key_part part, struct bytes value);
/* STORE_E_NOT_FOUND, STORE_E_NEWER_FORMAT or negative errno. [any-thread] */
int read_asset(struct store *store, uint32_t tenant, const struct digest *sha256, struct asset *ret);
/* Logs that the record of @key, of the ledger or of a job, cannot be read, and what to do. [any-thread] */
void log_unread(struct store *store, struct bytes key, int outcome);
int read_watermark(struct store *store, uint32_t tenant, uint64_t *ret);

#endif
