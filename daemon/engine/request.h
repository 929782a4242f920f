/*
 * From a create request to a job: validation against the capability document, identity, and the job as it begins.
 * [any-thread]
 */
#ifndef FG_ENGINE_REQUEST_H
#define FG_ENGINE_REQUEST_H

#include "engine/internal.h"
#include "job/validate.h"

/* A way that an order names to have it made, and what was found out about it there. */
struct request_route {
	struct lane *lane;
	struct job_verdict verdict;
};

/* As job_validate(). @route: 0 is what is ordered, then its fallbacks. */
int request_validate(const struct lane *lane, const struct engine_create *create, size_t route,
		     struct job_verdict *verdict);
/* "there is no provider 'x'; configured: …" */
void request_name_providers(const struct engine *engine, const char *asked, struct errmsg *ret);
/* The job with a new id, QUEUED at revision 1, of a request that all @routes found good. */
void request_build(struct engine *engine, const struct engine_create *create, struct request_route *routes, size_t n,
		   struct job_view *ret);

/* 0, or ENGINE_E_INVALID and @fn was told: the order's own webhook is none that may be. deliveries.c */
int request_check_webhook(const struct engine *engine, const struct engine_create *create, engine_job_fn *fn,
			  void *userdata);

#endif
