/*
 * What the lanes of one account share: providers with the same secrets at the same place have their jobs and their starts
 * counted together. Of the engine thread unless marked [any-thread].
 */
#ifndef FG_ENGINE_ACCOUNT_H
#define FG_ENGINE_ACCOUNT_H

#include "engine/engine.h"
#include "job/job.h"

struct lane;

/* Finds the account; the lanes before it in the engine have theirs. */
void account_init(struct lane *lane);
/* The lanes that count together: calls @fn for each but @lane, beginning behind it. */
void account_each_other(struct lane *lane, void (*fn)(struct lane *other, void *userdata), void *userdata);
/* Is there a slot, of the lane's own and of its account? [any-thread] */
bool account_has_slot(const struct lane *lane);
/* How long until the next job may be started, by the account's rate; 0: now. */
int64_t account_pause_ms(const struct lane *lane);
/* The clock was set: what is told of its pauses is an instant. */
void account_tell_again(struct lane *lane);
/* A job is being started; and: before anything was done, it turned out that it is not to be, and another one may be. */
void account_note_start(struct lane *lane);
void account_undo_start(struct lane *lane);
/* Why the next job is not started, if one of these keeps it, and until when (UTC; 0: not known). [any-thread] */
enum job_wait account_wait(const struct lane *lane, int64_t *ret_until_ms);

#endif
