/*
 * The memory of the fake engine: jobs and their events. Not thread-safe; the engine has the lock.
 */
#ifndef FG_TESTS_API_FAKE_JOBS_H
#define FG_TESTS_API_FAKE_JOBS_H

#include "engine/engine.h"

struct fake_event {
	struct store_event event; /* its record points to the snapshot */
	struct store_snapshot snapshot;
};

struct fake_jobs {
	struct job_view *views;
	size_t n_views, max_views;
	struct fake_event **events; /* the n-th has sequence n + 1 */
	size_t n_events, max_events;
	char *file;
};

void fake_jobs_finish(struct fake_jobs *jobs);
struct job_view fake_view_copy(const struct job_view *view);
struct job_view fake_job_make(const struct engine_create *create); /* revision 0 */
void fake_jobs_keep(struct fake_jobs *jobs, struct job_view view); /* takes it; revision 1 */
struct job_view *fake_jobs_find(struct fake_jobs *jobs, const struct job_ref *ref);
struct job_view *fake_jobs_find_request(struct fake_jobs *jobs, const char *request_id);
void fake_jobs_update(struct fake_jobs *jobs, struct job_view *view, const struct engine_update *update);
void fake_jobs_cancel(struct fake_jobs *jobs, struct job_view *view);
/* What was found shows as the provider's word. */
void fake_jobs_resolve(struct fake_jobs *jobs, struct job_view *view, const struct engine_resolve *resolve);
void fake_jobs_delete(struct fake_jobs *jobs, struct job_view *view);
size_t fake_jobs_list(struct fake_jobs *jobs, const struct store_list_query *query, struct job_view *found,
		      struct id *ret_scanned_to, bool *ret_more);

#endif
