/*
 * Where the live keys of a queue begin.
 *
 * A queue is emptied from its front, and the database keeps a mark for every deleted key until it compacts: a scan from
 * the beginning would step over all jobs that were started since, a hundred thousand of them in tens of milliseconds.
 * So the first live key that a scan met is remembered for each range (one priority of a provider's queue, its waiting
 * room, a tenant's deadlines), and the next scan begins there. A key that is put before it moves the front back.
 *
 * The front must never be behind a key that is there. Between the moment in which a scan looks and the moment in which
 * it reports what it saw, keys may have been put that it did not see: those of the write that was under way when it
 * began, and those of later writes. The front is therefore set no further than the smallest of these.
 */
#ifndef FG_STORE_FRONT_H
#define FG_STORE_FRONT_H

#include "store/keys.h"

#include <pthread.h>

struct front;

struct fronts {
	pthread_mutex_t mutex;
	struct front *all; /* by the beginning of the range */
	uint64_t write;    /* the write under way, or 0 */
	uint64_t n_writes;
};

/* One scan, from begin to end; the caller keeps it where it is. */
struct front_scan {
	struct front *front;
	struct front_scan *next;
	struct key floor; /* smallest key put meanwhile; len 0: none */
};

void fronts_init(struct fronts *fronts);
void fronts_finish(struct fronts *fronts);

/* The keys that a write puts, one by one before it begins, those of other ranges included; then its end. 0 or -ENOMEM. */
int fronts_put(struct fronts *fronts, struct bytes key);
void fronts_written(struct fronts *fronts);

/* The database was opened again, and may hold a batch that no scan has seen: all are where their ranges begin. There is no
 * scan under way. */
void fronts_forget(struct fronts *fronts);

/* Has a key of the range been put, or has anybody begun a scan of it or noted it? What is not known may have keys. */
bool fronts_know(struct fronts *fronts, const struct key *range);
int fronts_note(struct fronts *fronts, struct bytes range); /* 0 or -ENOMEM */

/* Where to begin a scan of the range that begins with @range. 0 or -ENOMEM. */
int fronts_begin(struct fronts *fronts, const struct key *range, struct front_scan *scan, struct key *ret_from);
/* @first: the first key that was there; NULL: none. */
void fronts_end(struct fronts *fronts, struct front_scan *scan, const struct bytes *first);
/* The scan failed and saw nothing for certain. */
void fronts_cancel(struct fronts *fronts, struct front_scan *scan);

#endif
