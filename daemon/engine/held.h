/*
 * Jobs that were open in a copy of the store, from which it was restored: what became of them after the copy was made
 * nobody here knows. What costs nothing goes on; a purchase waits until a person has released the job.
 */
#ifndef FG_ENGINE_HELD_H
#define FG_ENGINE_HELD_H

#include "engine/internal.h"

struct op;

bool held_is(const struct entry *entry);
/* QUEUED or PREPARING: into the queue, where it waits to be released. */
void held_wait(struct entry *entry);
/* May buy from now on: in the change that has begun. */
void held_release(struct entry *entry);
/* What is known of the purchase of a job of which nothing was sent here, and why, in a sentence that may be empty. */
enum job_purchase held_purchase(const struct entry *entry);
const char *held_words(const struct entry *entry);

/* OP_RESUME */
void held_resume(struct entry *entry, struct op *op);

#endif
