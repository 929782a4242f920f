/*
 * A provider that only fails is left alone for a while. Of the engine thread unless marked [any-thread].
 */
#ifndef FG_ENGINE_BREAKER_H
#define FG_ENGINE_BREAKER_H

#include "job/job.h"

#include <stdatomic.h>

struct entry;
struct lane;
struct http_outcome;

/* Part of a lane; zero: closed. */
struct breaker {
	uint32_t failures;                /* exchanges in a row */
	uint32_t opened;                  /* how often since the last reply; 0: it is closed */
	bool is_probing;                  /* a job was started since, and nothing was heard of it yet */
	struct job_ref probe;             /* that job */
	int64_t until_ms;                 /* monotonic; no probe before */
	atomic_bool is_open;              /* [any-thread] */
	atomic_int_fast64_t until_utc_ms; /* [any-thread] the next probe; 0: not known */
};

/* An exchange of a job with its provider has ended. */
void breaker_note(struct entry *entry, const struct http_outcome *outcome);
/* The clock was set: what is told of the next probe is an instant. */
void breaker_tell_again(struct lane *lane);
/* 0: a job may be started. Else in how long that is to be asked again, if nothing kicks the lane before. */
int64_t breaker_pause_ms(const struct lane *lane);
/* A job is being started; and: it has given its slot back, so nothing will be heard of it any more. */
void breaker_note_start(struct lane *lane, const struct job_ref *job);
void breaker_note_end(struct lane *lane, const struct job_ref *job);
/* Is it open, and until when (UTC; 0: not known)? [any-thread] */
bool breaker_is_open(const struct lane *lane, int64_t *ret_until_ms);

#endif
