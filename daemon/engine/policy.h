/*
 * What somebody has chosen beforehand for a job: what becomes of a purchase that nobody can decide, of an attempt that
 * failed and cost nothing, and of a video that is not what was ordered.
 */
#ifndef FG_ENGINE_POLICY_H
#define FG_ENGINE_POLICY_H

#include "engine/internal.h"

/* Never UNSAID. */
enum job_uncertain policy_of_provider(const struct engine_provider_config *config);

enum job_on_mismatch policy_on_mismatch(const struct entry *entry); /* never UNSAID */
/* STORING, with all its files: what of them is not as it was ordered is the job's. */
void policy_compare(struct entry *entry);
/* Does it fail for that? @why: in words, the mismatch first. */
bool policy_refuses(const struct entry *entry, struct errmsg *why);

/*
 * STARTING, with a doubt that neither the key nor the provider decides: UNCERTAIN, FAILED, or back in the queue for
 * another attempt, with the change that has begun, if one has. @why is for a person.
 */
void policy_decide(struct entry *entry, const char *why);

/*
 * The provider has ended an attempt of a job in STARTING or RUNNING: back in the queue for another one if that cost
 * nothing and the job says so, or has another route; else @to. With the change that has begun, if one has.
 */
void policy_fail(struct entry *entry, enum job_state to, const struct job_failure *failure);

/* The live attempt, if there is one, ends in the change that has begun, or begins now: the next one starts with nothing of
 * it. */
void policy_end_attempt(struct entry *entry, const struct job_failure *failure);

#endif
