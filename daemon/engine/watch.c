/*
 * One thread owns every watch. Others reach it by messages: new events, finished reads, grants, opening and closing.
 *
 * A watch is BEHIND (a page of the store is being read for it, or will be once it grants room) or LIVE. The flip to
 * LIVE must not lose what was committed while the last page was read: it happens only when that page reached the
 * newest event that has passed this thread. `watchers` is raised before the first read of a watch begins, so an event
 * that the committer did not copy for the hub was committed early enough to be seen by that read.
 */
#include "engine/watch.h"

#include "base/limits.h"
#include "loop/loop.h"

#include <assert.h>
#include <stdatomic.h>
#include <utlist.h>

struct watch_hub {
	struct store *store;
	struct loop *loop;
	struct engine_watch *watches; /* a list */
	uint64_t newest;              /* the sequence of the last event that passed */
	atomic_uint watchers;
	atomic_bool is_stopping;
	struct loop_message stop_message;
	bool is_ended; /* stop_message has run */
};

struct engine_watch {
	struct watch_hub *hub;
	struct engine_watch *prev, *next;
	struct engine_watch_spec spec;
	struct store_filter *filter; /* owned copy, or NULL */
	struct engine_watcher watcher;
	struct loop_message open_message;
	struct loop_message close_message;
	uint32_t granted;
	uint64_t revision; /* delivered up to here (one job) */
	uint64_t sequence; /* delivered or passed over up to here (all jobs) */
	int64_t passed_ms; /* when the first event came that was passed over since the last one that was not; 0: none */
	bool is_live, is_reading, is_ended, is_closing;
};

struct grant {
	struct loop_message message;
	struct engine_watch *watch;
	uint32_t events;
};

struct published {
	struct loop_message message;
	struct watch_hub *hub;
	size_t n;
	struct store_event events[];
};

struct page {
	struct loop_message message;
	struct engine_watch *watch;
	int outcome;
	uint64_t tail;
	bool is_full;
	size_t n;
	struct store_event events[];
};

static void read_on(struct engine_watch *watch);

/* ---- copies of events: the structs, then all records behind them ---- */

static void *copy_events(size_t head, const struct store_event *events, size_t n)
{
	size_t size = head + n * sizeof(*events), at = size;
	struct store_event *copies;
	char *memory;

	for (size_t i = 0; i < n; i++)
		size += events[i].record.len;
	memory = calloc(1, size);
	if (!memory)
		return NULL;
	copies = (struct store_event *)(void *)(memory + head);
	for (size_t i = 0; i < n; i++) {
		copies[i] = events[i];
		memcpy(memory + at, events[i].record.data, events[i].record.len);
		copies[i].record.data = memory + at;
		at += events[i].record.len;
	}
	return memory;
}

/* ---- the filter: a deep copy, since a watch outlives its request ---- */

static void filter_free(struct store_filter *filter)
{
	if (!filter)
		return;
	for (size_t i = 0; i < filter->n_providers; i++)
		free((void *)(uintptr_t)filter->providers[i]);
	for (size_t i = 0; i < filter->n_models; i++)
		free((void *)(uintptr_t)filter->models[i]);
	for (size_t i = 0; i < filter->n_labels; i++) {
		free((void *)(uintptr_t)filter->labels[i].key);
		free((void *)(uintptr_t)filter->labels[i].value);
	}
	free((void *)(uintptr_t)filter->providers);
	free((void *)(uintptr_t)filter->models);
	free((void *)(uintptr_t)filter->labels);
	free(filter);
}

static const char *const *copy_texts(const char *const *texts, size_t n, size_t *ret_n)
{
	const char **copies = calloc(n + 1, sizeof(*copies));

	for (size_t i = 0; copies && i < n; i++) {
		copies[i] = strdup(texts[i]);
		*ret_n = i + 1;
	}
	return copies;
}

static bool are_whole(const char *const *texts, size_t n)
{
	for (size_t i = 0; texts && i < n; i++)
		if (!texts[i])
			return false;
	return texts != NULL;
}

static struct store_filter *filter_copy(const struct store_filter *from)
{
	struct store_filter *to = calloc(1, sizeof(*to));
	struct store_label_filter *labels = calloc(from->n_labels + 1, sizeof(*labels));
	bool is_whole = to && labels;

	if (is_whole) {
		to->states = from->states;
		to->created_from_ms = from->created_from_ms;
		to->created_to_ms = from->created_to_ms;
		to->providers = copy_texts(from->providers, from->n_providers, &to->n_providers);
		to->models = copy_texts(from->models, from->n_models, &to->n_models);
		to->labels = labels;
		is_whole = are_whole(to->providers, to->n_providers) && are_whole(to->models, to->n_models);
	}
	for (size_t i = 0; is_whole && i < from->n_labels; i++) {
		labels[i].key = strdup(from->labels[i].key);
		labels[i].value = from->labels[i].value ? strdup(from->labels[i].value) : NULL;
		to->n_labels = i + 1;
		is_whole = labels[i].key && (labels[i].value || !from->labels[i].value);
	}
	if (is_whole)
		return to;
	if (to && to->labels != labels)
		free(labels);
	if (!to)
		free(labels);
	filter_free(to);
	return NULL;
}

/* ---- delivering ---- */

static bool matches(const struct engine_watch *watch, const struct store_event *event)
{
	struct store_snapshot *snapshot = NULL;
	bool is_match;

	if (watch->spec.is_single)
		return job_ref_equal(&watch->spec.ref, &event->ref);
	if (event->ref.tenant != watch->spec.tenant)
		return false;
	if (!watch->filter)
		return true;
	if (store_event_read(event, &snapshot) != 0)
		return false;
	is_match = store_filter_matches(watch->filter, snapshot->provider, snapshot->model, snapshot->created_ms,
					snapshot->status);
	store_snapshot_free(snapshot);
	return is_match;
}

static bool is_news(const struct engine_watch *watch, const struct store_event *event)
{
	return watch->spec.is_single ? event->revision > watch->revision : event->sequence > watch->sequence;
}

static void pass(struct engine_watch *watch, const struct store_event *event)
{
	if (watch->spec.is_single)
		watch->revision = event->revision;
	else
		watch->sequence = event->sequence;
}

static void deliver(struct engine_watch *watch, const struct store_event *event)
{
	if (!is_news(watch, event))
		return;
	pass(watch, event);
	watch->passed_ms = 0;
	watch->granted--;
	watch->watcher.on_event(watch->watcher.userdata, event);
}

/* Times are those of the events: as long as none comes, none that the watcher needs is trimmed either. */
static void pass_over(struct engine_watch *watch, const struct store_event *event)
{
	if (!is_news(watch, event))
		return;
	pass(watch, event);
	if (!watch->passed_ms)
		watch->passed_ms = event->time_ms;
	if (!watch->watcher.on_passed || watch->granted == 0 ||
	    event->time_ms - watch->passed_ms < LIMIT_WATCH_PASSED_MS)
		return;
	watch->passed_ms = 0;
	watch->granted--;
	watch->watcher.on_passed(watch->watcher.userdata, event->sequence);
}

static void end(struct engine_watch *watch, int outcome, const char *text)
{
	struct engine_error error = {.text = text};

	if (watch->is_ended || watch->is_closing)
		return;
	watch->is_ended = true;
	watch->is_live = false;
	watch->watcher.on_end(watch->watcher.userdata, outcome, &error);
}

static void close_if_idle(struct engine_watch *watch)
{
	struct watch_hub *hub = watch->hub;

	if (!watch->is_closing || watch->is_reading)
		return;
	DL_DELETE(hub->watches, watch);
	watch->watcher.on_closed(watch->watcher.userdata);
	filter_free(watch->filter);
	free(watch);
	/* The last one out lets watch_hub_stop() go on. */
	if (atomic_fetch_sub(&hub->watchers, 1) == 1 && hub->is_ended)
		loop_stop(hub->loop);
}

/* ---- behind: pages from the store ---- */

static void end_for(struct engine_watch *watch, int outcome)
{
	char id[ID_TEXT_SIZE];
	struct errmsg words;

	id_format(&watch->spec.ref.id, id);
	errmsg_set(&words, "there is no jobs/%s", id);
	if (outcome == STORE_E_CURSOR_EXPIRED)
		end(watch, ENGINE_E_CURSOR_EXPIRED,
		    "events after this cursor are no longer kept; list again and watch from now");
	else if (outcome == STORE_E_NOT_FOUND)
		end(watch, ENGINE_E_NOT_FOUND, words.text);
	else
		end(watch, ENGINE_E_STORE, "the events could not be read");
}

static void deliver_page(struct engine_watch *watch, const struct page *page)
{
	for (size_t i = 0; i < page->n && !watch->is_closing; i++) {
		const struct store_event *event = &page->events[i];

		if (!matches(watch, event)) {
			pass_over(watch, event);
			continue;
		}
		if (watch->granted == 0)
			return;
		deliver(watch, event);
	}
	if (!page->is_full && page->tail >= watch->hub->newest)
		watch->is_live = true;
}

static void on_page(struct loop_message *message)
{
	struct page *page = loop_message_owner(message, struct page, message);
	struct engine_watch *watch = page->watch;

	watch->is_reading = false;
	if (!watch->is_closing && page->outcome != 0)
		end_for(watch, page->outcome);
	else if (!watch->is_closing)
		deliver_page(watch, page);
	free(page);
	read_on(watch);
	close_if_idle(watch);
}

/* [reader thread] Out of memory has no other way to be told: the watch ends, and its client resumes. */
static void on_read(void *userdata, int outcome, const struct store_event *events, size_t n, uint64_t tail)
{
	struct engine_watch *watch = userdata;
	struct page *page = copy_events(sizeof(*page), events, n);

	if (!page) {
		page = calloc(1, sizeof(*page));
		outcome = -ENOMEM;
		n = 0;
	}
	if (!page)
		abort();
	page->message.run = on_page;
	page->watch = watch;
	page->outcome = outcome;
	page->tail = tail;
	page->n = n;
	page->is_full = n >= LIMIT_WATCH_PAGE;
	loop_post(watch->hub->loop, &page->message);
}

static void read_on(struct engine_watch *watch)
{
	if (watch->is_live || watch->is_reading || watch->is_ended || watch->is_closing || watch->granted == 0)
		return;
	watch->is_reading = true;
	if (watch->spec.is_single)
		store_events_of_job(watch->hub->store, &watch->spec.ref, watch->revision, LIMIT_WATCH_PAGE, on_read,
				    watch);
	else
		store_events_since(watch->hub->store, watch->spec.tenant, watch->sequence, LIMIT_WATCH_PAGE, on_read,
				   watch);
}

/* ---- live ---- */

static void show(struct engine_watch *watch, const struct store_event *event)
{
	if (!watch->is_live || watch->is_closing || watch->is_ended)
		return;
	if (!matches(watch, event)) {
		if (!watch->spec.is_single)
			pass_over(watch, event);
		return;
	}
	if (watch->granted == 0)
		watch->is_live = false;
	else
		deliver(watch, event);
}

static void on_published(struct loop_message *message)
{
	struct published *published = loop_message_owner(message, struct published, message);
	struct watch_hub *hub = published->hub;
	struct engine_watch *watch, *next;

	for (size_t i = 0; i < published->n; i++) {
		hub->newest = published->events[i].sequence;
		DL_FOREACH_SAFE(hub->watches, watch, next)
			show(watch, &published->events[i]);
	}
	free(published);
}

void watch_hub_publish(struct watch_hub *hub, const struct store_commit *first)
{
	struct store_event events[LIMIT_STORE_BATCH_COMMITS];
	struct published *published;
	size_t n = 0;

	if (atomic_load(&hub->watchers) == 0)
		return;
	for (const struct store_commit *commit = first; commit; commit = store_commit_next(commit)) {
		const struct store_event *event = store_commit_event(commit);

		if (store_commit_outcome(commit) == 0 && event && n < LIMIT_STORE_BATCH_COMMITS)
			events[n++] = *event;
	}
	if (n == 0)
		return;
	published = copy_events(sizeof(*published), events, n);
	if (!published)
		abort();
	published->message.run = on_published;
	published->hub = hub;
	published->n = n;
	loop_post(hub->loop, &published->message);
}

/* ---- the watchers' side ---- */

static void on_open(struct loop_message *message)
{
	struct engine_watch *watch = loop_message_owner(message, struct engine_watch, open_message);

	DL_APPEND(watch->hub->watches, watch);
	if (watch->hub->is_ended)
		end(watch, ENGINE_E_DRAINING, "the daemon is shutting down; resume when it is back");
	read_on(watch);
}

int watch_open(struct watch_hub *hub, const struct engine_watch_spec *spec, const struct engine_watcher *watcher,
	       struct engine_watch **ret)
{
	struct engine_watch *watch;

	if (atomic_load(&hub->is_stopping))
		return ENGINE_E_DRAINING;
	watch = calloc(1, sizeof(*watch));
	if (!watch)
		return err_origin(-ENOMEM);
	watch->hub = hub;
	watch->spec = *spec;
	watch->spec.filter = NULL;
	watch->watcher = *watcher;
	watch->revision = spec->after_revision;
	watch->sequence = spec->after_sequence;
	watch->filter = spec->filter ? filter_copy(spec->filter) : NULL;
	if (spec->filter && !watch->filter) {
		free(watch);
		return err_origin(-ENOMEM);
	}
	atomic_fetch_add(&hub->watchers, 1);
	if (!spec->is_single && spec->from_now)
		watch->sequence = store_tail(hub->store);
	watch->open_message.run = on_open;
	loop_post(hub->loop, &watch->open_message);
	*ret = watch;
	return 0;
}

static void on_grant(struct loop_message *message)
{
	struct grant *grant = loop_message_owner(message, struct grant, message);

	grant->watch->granted += grant->events;
	read_on(grant->watch);
	free(grant);
}

void engine_watch_grant(struct engine_watch *watch, uint32_t events)
{
	struct grant *grant = calloc(1, sizeof(*grant));

	if (!grant)
		abort();
	*grant = (struct grant){.message.run = on_grant, .watch = watch, .events = events};
	loop_post(watch->hub->loop, &grant->message);
}

static void on_close(struct loop_message *message)
{
	struct engine_watch *watch = loop_message_owner(message, struct engine_watch, close_message);

	watch->is_closing = true;
	watch->is_live = false;
	close_if_idle(watch);
}

void engine_watch_close(struct engine_watch *watch)
{
	watch->close_message.run = on_close;
	loop_post(watch->hub->loop, &watch->close_message);
}

/* ---- the hub's life ---- */

int watch_hub_new(struct store *store, struct watch_hub **ret)
{
	struct watch_hub *hub = calloc(1, sizeof(*hub));
	int r;

	if (!hub)
		return err_origin(-ENOMEM);
	hub->store = store;
	hub->newest = store_tail(store);
	r = loop_new(&hub->loop);
	if (r == 0)
		r = loop_start(hub->loop, "fg-watch");
	if (r < 0) {
		watch_hub_free(hub);
		return err_trace(r);
	}
	*ret = hub;
	return 0;
}

static void on_stop(struct loop_message *message)
{
	struct watch_hub *hub = loop_message_owner(message, struct watch_hub, stop_message);
	struct engine_watch *watch, *next;

	hub->is_ended = true;
	DL_FOREACH_SAFE(hub->watches, watch, next)
		end(watch, ENGINE_E_DRAINING, "the daemon is shutting down; resume when it is back");
	if (atomic_load(&hub->watchers) == 0)
		loop_stop(hub->loop);
}

void watch_hub_stop(struct watch_hub *hub)
{
	if (atomic_exchange(&hub->is_stopping, true))
		return;
	hub->stop_message.run = on_stop;
	loop_post(hub->loop, &hub->stop_message);
	loop_join(hub->loop);
}

unsigned int watch_hub_count(const struct watch_hub *hub)
{
	return atomic_load(&hub->watchers);
}

struct watch_hub *watch_hub_free(struct watch_hub *hub)
{
	if (!hub)
		return NULL;
	loop_free(hub->loop);
	free(hub);
	return NULL;
}
