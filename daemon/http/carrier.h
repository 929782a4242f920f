/*
 * One loop thread with a multi handle, and the calls it carries: those on their way, and those that wait for their
 * lane. Every call that is submitted is concluded exactly once.
 */
#ifndef FG_HTTP_CARRIER_H
#define FG_HTTP_CARRIER_H

#include "http/call.h"

#include <stdatomic.h>

struct carrier;

struct carrier_config {
	const char *thread_name;
	size_t lane_caps[_HTTP_LANE_N];
	/* Counts the calls of all carriers that wait; the submitter adds one, the carrier takes it off. */
	atomic_size_t *waiting;
};

int carrier_new(const struct carrier_config *config, struct carrier **ret);
int carrier_start(struct carrier *carrier);
/* Waits for the thread, which ends when it is drained. */
void carrier_join(struct carrier *carrier);
/* Not running. Calls that were submitted too late are concluded here as aborted. */
struct carrier *carrier_free(struct carrier *carrier);

/* The call is the carrier's from here on. [any-thread] */
void carrier_submit(struct carrier *carrier, struct call *call);
/* 0 or -ENOMEM. [any-thread] */
int carrier_cancel(struct carrier *carrier, uint64_t id);
/* Once. [any-thread] */
void carrier_drain(struct carrier *carrier, int64_t limit_ms);

#endif
