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

	/* Read by others, too. */
	struct metric_histogram commits, write_ms;
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
	void *userdata;
	struct folder folder;
	struct backend *backend;
	struct committer committer;
	struct readers readers;
	uint64_t history; /* constant once open, as is: */
	uint64_t epoch;
	uint64_t origin;
	bool is_copy; /* as the configuration said */
	struct tenants tenants;
	struct fronts fronts;
	_Atomic uint64_t tail;  /* the newest committed sequence */
	atomic_bool has_failed; /* a write did */
};

/* Between the opened database and the first submit. 0 or negative errno. */
int committer_start(struct store *store);
/* Commits what waits first. */
void committer_stop(struct store *store);
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
int read_watermark(struct store *store, uint32_t tenant, uint64_t *ret);

#endif
