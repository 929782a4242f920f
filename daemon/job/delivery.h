/*
 * What was delivered, held against what was ordered.
 */
#ifndef FG_JOB_DELIVERY_H
#define FG_JOB_DELIVERY_H

#include "job/job.h"

/*
 * Adds to @status what of @artifact is not as @parameters, of a job, say. What they do not say, and what is not known of
 * the file, is no mismatch. 0 or -ENOMEM.
 */
int job_compare_delivery(const char *parameters, const struct job_artifact *artifact, struct job_status *status);

/* Is it compared? The result itself is, by its role, and nothing that comes beside it. */
bool job_is_compared(const struct job_artifact *artifact);

#endif
