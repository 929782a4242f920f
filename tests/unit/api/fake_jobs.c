#include "fake_jobs.h"

#include "base/clock.h"
#include "base/err.h"

#include <assert.h>
#include <sys/stat.h>

/* ---- the store's side of events ---- */

int store_event_read(const struct store_event *event, struct store_snapshot **ret)
{
	const struct store_snapshot *from = event->record.data;
	struct store_snapshot *copy = calloc(1, sizeof(*copy));

	*copy = *from;
	copy->provider = strdup(from->provider);
	copy->model = strdup(from->model);
	copy->status = job_status_copy(from->status);
	*ret = copy;
	return 0;
}

static void finish_snapshot(struct store_snapshot *snapshot)
{
	free(snapshot->provider);
	free(snapshot->model);
	job_status_free(snapshot->status);
}

struct store_snapshot *store_snapshot_free(struct store_snapshot *snapshot)
{
	if (snapshot)
		finish_snapshot(snapshot);
	free(snapshot);
	return NULL;
}

static void add_event(struct fake_jobs *jobs, const struct job_view *view, enum job_event kind)
{
	struct fake_event *made = calloc(1, sizeof(*made));

	made->snapshot = (struct store_snapshot){.ref = view->job->ref,
						 .sequence = jobs->n_events + 1,
						 .kind = kind,
						 .provider = strdup(view->job->provider),
						 .model = strdup(view->job->model),
						 .created_ms = view->job->created_ms,
						 .status = job_status_copy(view->status)};
	made->event = (struct store_event){.ref = view->job->ref,
					   .sequence = jobs->n_events + 1,
					   .revision = view->status->revision,
					   .time_ms = view->status->updated_ms,
					   .kind = kind,
					   .record = bytes_of(&made->snapshot, sizeof(made->snapshot))};
	if (jobs->n_events == jobs->max_events) {
		jobs->max_events = jobs->max_events ? jobs->max_events * 2 : 64;
		jobs->events = reallocarray(jobs->events, jobs->max_events, sizeof(void *));
	}
	jobs->events[jobs->n_events++] = made;
}

void fake_jobs_finish(struct fake_jobs *jobs)
{
	for (size_t i = 0; i < jobs->n_views; i++)
		job_view_finish(&jobs->views[i]);
	for (size_t i = 0; i < jobs->n_events; i++) {
		finish_snapshot(&jobs->events[i]->snapshot);
		free(jobs->events[i]);
	}
	free(jobs->views);
	free(jobs->events);
	free(jobs->file);
}

/* ---- jobs ---- */

struct job_view fake_view_copy(const struct job_view *view)
{
	return (struct job_view){.job = job_copy(view->job), .status = job_status_copy(view->status)};
}

struct job_view *fake_jobs_find(struct fake_jobs *jobs, const struct job_ref *ref)
{
	for (size_t i = 0; i < jobs->n_views; i++)
		if (job_ref_equal(&jobs->views[i].job->ref, ref))
			return &jobs->views[i];
	return NULL;
}

struct job_view *fake_jobs_find_request(struct fake_jobs *jobs, const char *request_id)
{
	for (size_t i = 0; *request_id && i < jobs->n_views; i++)
		if (strcmp(jobs->views[i].job->request_id, request_id) == 0)
			return &jobs->views[i];
	return NULL;
}

static void set(char **field, const char *text)
{
	int r = job_set_text(field, text);

	assert(r == 0);
}

static void add_artifact(const struct fake_jobs *jobs, struct job_status *status, uint64_t extra_bytes)
{
	struct job_artifact *artifact = job_add_artifact(status);
	struct stat stat = {0};

	if (jobs->file)
		lstat(jobs->file, &stat);
	artifact->index = (uint32_t)status->n_artifacts;
	artifact->size_bytes = (uint64_t)stat.st_size + extra_bytes;
	artifact->duration_ms = 12500;
	artifact->frame_rate_millihertz = 29970;
	artifact->sound = JOB_SOUND_OFF;
	artifact->is_looked_at = status->n_artifacts == 1;
	artifact->frozen_ms = 2500;
	artifact->created_ms = status->updated_ms;
	set(&artifact->role, "video");
	set(&artifact->media_type, "video/mp4");
}

/* "moved": it has gone on to the first fallback. */
static void add_routes(struct job *job, const struct engine_create *create)
{
	struct job_route route = {.provider = job->provider, .model = job->model, .parameters = job->parameters};
	int r = job_add_route(job, &route);

	for (size_t i = 0; r == 0 && i < create->n_fallbacks; i++) {
		route.provider = (char *)(uintptr_t)create->fallbacks[i].provider;
		route.model = (char *)(uintptr_t)create->fallbacks[i].model;
		/* The wire has none of their own. */
		assert(!create->fallbacks[i].parameters);
		r = job_add_route(job, &route);
	}
	if (r == 0)
		r = job_take_route(job, strcmp(create->model, "moved") == 0);
	assert(r == 0);
}

static void add_mismatch(struct job_status *status)
{
	int r = job_add_mismatch(status, &(struct job_mismatch){.artifact = 2,
								.field = (char *)(uintptr_t) "duration",
								.ordered = (char *)(uintptr_t) "8 s",
								.produced = (char *)(uintptr_t) "12.5 s",
								.message = (char *)(uintptr_t) "too long"});

	assert(r == 0);
}

struct job_view fake_job_make(const struct engine_create *create)
{
	struct job_view view = {.job = job_new(), .status = job_status_new()};
	int64_t now_ms = clock_utc_ms(&clock_system);
	int r;

	view.job->ref = (struct job_ref){.tenant = create->tenant, .id = id_new(now_ms)};
	view.job->created_ms = now_ms;
	view.job->deadline_ms = now_ms + (create->timeout_ms ? create->timeout_ms : 3600000);
	view.job->on_uncertain = create->on_uncertain;
	view.job->not_before_ms = create->not_before_ms;
	view.job->retry_if_uncharged = create->retry_if_uncharged;
	view.job->on_mismatch = create->on_mismatch;
	set(&view.job->request_id, create->request_id && *create->request_id ? create->request_id : "made-up");
	set(&view.job->provider, create->provider);
	set(&view.job->model, create->model);
	set(&view.job->parameters, strcmp(create->model, "filled") == 0 ? "{\"fps\":30}" : create->parameters);
	if (create->n_fallbacks)
		add_routes(view.job, create);
	set(&view.status->display_name, create->display_name);
	r = job_set_labels(view.status, create->labels, create->n_labels);
	assert(r == 0);
	view.status->priority = create->priority;
	view.status->updated_ms = now_ms;
	return view;
}

void fake_jobs_keep(struct fake_jobs *jobs, struct job_view view)
{
	view.status->revision = 1;
	if (strcmp(view.job->model, "instant") == 0) {
		view.status->state = JOB_STATE_SUCCEEDED;
		view.status->finished_ms = view.status->updated_ms;
		add_artifact(jobs, view.status, 0);
		add_artifact(jobs, view.status, 1);
		add_mismatch(view.status);
	}
	if (strcmp(view.job->model, "uncertain") == 0)
		view.status->state = JOB_STATE_UNCERTAIN;
	if (jobs->n_views == jobs->max_views) {
		jobs->max_views = jobs->max_views ? jobs->max_views * 2 : 64;
		jobs->views = reallocarray(jobs->views, jobs->max_views, sizeof(*jobs->views));
	}
	jobs->views[jobs->n_views++] = view;
	add_event(jobs, &view, JOB_EVENT_CREATED);
}

static void touch(struct fake_jobs *jobs, struct job_view *view, enum job_event kind)
{
	view->status->revision++;
	view->status->updated_ms = clock_utc_ms(&clock_system);
	if (job_state_is_terminal(view->status->state) && !view->status->finished_ms)
		view->status->finished_ms = view->status->updated_ms;
	add_event(jobs, view, kind);
}

void fake_jobs_update(struct fake_jobs *jobs, struct job_view *view, const struct engine_update *update)
{
	int r = 0;

	if (update->has_display_name)
		set(&view->status->display_name, update->display_name);
	if (update->has_labels)
		r = job_set_labels(view->status, update->labels, update->n_labels);
	assert(r == 0);
	if (update->has_priority)
		view->status->priority = update->priority;
	touch(jobs, view, JOB_EVENT_UPDATED);
}

void fake_jobs_cancel(struct fake_jobs *jobs, struct job_view *view)
{
	view->status->state = JOB_STATE_CANCELLED;
	view->status->cancel_outcome = JOB_CANCEL_NEVER_SENT;
	view->status->cancel_requested_ms = clock_utc_ms(&clock_system);
	touch(jobs, view, JOB_EVENT_STATE);
}

void fake_jobs_resolve(struct fake_jobs *jobs, struct job_view *view, const struct engine_resolve *resolve)
{
	static const enum job_state states[] = {
		[ENGINE_RESOLUTION_FOUND] = JOB_STATE_RUNNING,
		[ENGINE_RESOLUTION_ABSENT] = JOB_STATE_QUEUED,
		[ENGINE_RESOLUTION_GIVE_UP] = JOB_STATE_FAILED,
	};

	view->status->state = states[resolve->resolution];
	if (resolve->remote_id)
		set(&view->status->remote_state, resolve->remote_id);
	touch(jobs, view, JOB_EVENT_STATE);
}

void fake_jobs_delete(struct fake_jobs *jobs, struct job_view *view)
{
	touch(jobs, view, JOB_EVENT_DELETED);
	job_view_finish(view);
	*view = jobs->views[--jobs->n_views];
}

/* ---- lists ---- */

static int compare_newest_first(const void *a, const void *b)
{
	return -memcmp(&((const struct job_view *)a)->job->ref.id, &((const struct job_view *)b)->job->ref.id,
		       sizeof(struct id));
}

static bool is_among(const char *text, const char *const *texts, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(texts[i], text) == 0)
			return true;
	return n == 0;
}

static bool has_label(const struct job_status *status, const struct store_label_filter *wanted)
{
	for (size_t i = 0; i < status->n_labels; i++)
		if (strcmp(status->labels[i].key, wanted->key) == 0 &&
		    strcmp(status->labels[i].value, wanted->value) == 0)
			return true;
	return false;
}

static bool passes(const struct store_filter *filter, const struct job_view *view)
{
	for (size_t i = 0; i < filter->n_labels; i++)
		if (!has_label(view->status, &filter->labels[i]))
			return false;
	return is_among(view->job->provider, filter->providers, filter->n_providers) &&
	       is_among(view->job->model, filter->models, filter->n_models) &&
	       (filter->states == 0 || filter->states & 1u << view->status->state) &&
	       view->job->created_ms >= filter->created_from_ms &&
	       (filter->created_to_ms == 0 || view->job->created_ms < filter->created_to_ms);
}

size_t fake_jobs_list(struct fake_jobs *jobs, const struct store_list_query *query, struct job_view *found,
		      struct id *ret_scanned_to, bool *ret_more)
{
	static const struct id newest;
	bool is_first = memcmp(&query->after, &newest, sizeof(newest)) == 0;
	size_t n = 0;

	if (jobs->n_views)
		qsort(jobs->views, jobs->n_views, sizeof(*jobs->views), compare_newest_first);
	for (size_t i = 0; i < jobs->n_views; i++) {
		const struct job_view *view = &jobs->views[i];

		if (!is_first && memcmp(&view->job->ref.id, &query->after, sizeof(struct id)) >= 0)
			continue;
		*ret_more = n == query->limit;
		if (*ret_more)
			break;
		*ret_scanned_to = view->job->ref.id;
		if (passes(query->filter, view))
			found[n++] = fake_view_copy(view);
	}
	return n;
}
