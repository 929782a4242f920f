/*
 * From jobs as the daemon knows them to jobs as the contract shows them.
 *
 * Everything made lives in the arena and may point into what it was made from, which must live as long.
 */
#ifndef FG_API_CONVERT_H
#define FG_API_CONVERT_H

#include "api/arena.h"
#include "job/asset.h"
#include "job/job.h"

#include <filmgate/v1/asset.pb-c.h>
#include <filmgate/v1/job.pb-c.h>
#include <filmgate/v1/job_event.pb-c.h>

struct store_snapshot;

/* @known: the message of @known_json, if the caller has it already, else NULL. Revision 0 is a job that was only
 * checked and has no name. 0, or -EBADMSG: the stored parameters cannot be read. */
int convert_job(struct arena *arena, const struct job_view *view, const char *known_json,
		Filmgate__V1__JobParameters *known, Filmgate__V1__Job **ret);
/* @now: where the job is; its provider and model count. */
Filmgate__V1__JobStatus *convert_status(struct arena *arena, const struct id *id, const struct job_status *status,
					const struct job_route *now);
Filmgate__V1__Artifact *convert_artifact(struct arena *arena, const struct id *id, const struct job_artifact *artifact);

Filmgate__V1__Asset *convert_asset(struct arena *arena, const struct asset *asset);

/* A committed change; @epoch and its sequence make the resume token. */
Filmgate__V1__JobEvent *convert_event(struct arena *arena, const struct store_snapshot *snapshot, int64_t time_ms,
				      uint64_t epoch);
/* The job as it stands, and the position from which live events follow. */
Filmgate__V1__JobEvent *convert_view_event(struct arena *arena, const struct job_view *view);
Filmgate__V1__JobEvent *convert_bookmark(struct arena *arena, uint64_t epoch, uint64_t sequence, int64_t time_ms);

Filmgate__V1__CancelOutcome convert_cancel_outcome(enum job_cancel_outcome outcome);

#endif
