/*
 * From a create request to a job: validation against the capability document, identity, and the job as it begins.
 * [any-thread]
 */
#ifndef FG_ENGINE_REQUEST_H
#define FG_ENGINE_REQUEST_H

#include "engine/internal.h"
#include "job/validate.h"

/* As job_validate(). */
int request_validate(const struct lane *lane, const struct engine_create *create, struct job_verdict *verdict);
/* "there is no provider 'x'; configured: …" */
void request_name_providers(const struct engine *engine, const char *asked, struct errmsg *ret);
/* The job with a new id, QUEUED at revision 1, of a request that @verdict found good: its canonical form goes along. */
void request_build(struct engine *engine, struct lane *lane, const struct engine_create *create,
		   struct job_verdict *verdict, struct job_view *ret);

#endif
