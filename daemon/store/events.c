#include "store/internal.h"

#include "store/records.h"

/*
 * Reading events. Each is stored once, by its sequence; a job's history is an index of revisions to sequences. Every
 * revision of a job has its event, so a gap at the beginning of what is found means that some were trimmed.
 */

struct event_page {
	struct store_event *events;
	size_t *offsets; /* of their records in data, until all are there */
	size_t n, limit;
	struct buffer data;
};

static int page_init(struct event_page *page, uint32_t limit)
{
	page->limit = limit == 0 || limit > LIMIT_STORE_PAGE ? LIMIT_STORE_PAGE : limit;
	page->events = calloc(page->limit, sizeof(*page->events));
	page->offsets = calloc(page->limit, sizeof(*page->offsets));
	return page->events && page->offsets ? 0 : err_origin(-ENOMEM);
}

static void page_finish(struct event_page *page)
{
	free(page->events);
	free(page->offsets);
	buffer_finish(&page->data);
}

static int page_add(struct event_page *page, uint32_t tenant, uint64_t sequence, struct bytes record)
{
	struct store_event *event = &page->events[page->n];
	int r = record_read_event_head(record, event);

	if (r)
		return r;
	event->ref.tenant = tenant;
	event->sequence = sequence;
	event->record.len = record.len;
	page->offsets[page->n] = page->data.len;
	r = buffer_append(&page->data, record.data, record.len);
	if (r == 0)
		page->n++;
	return r;
}

static void page_seal(struct event_page *page)
{
	for (size_t i = 0; i < page->n; i++)
		page->events[i].record.data = page->data.data + page->offsets[i];
}

struct read_events {
	struct read read;
	struct job_ref ref; /* the tenant alone counts for all events */
	uint64_t after;     /* revision or sequence */
	uint32_t limit;
	int (*collect)(struct store *store, const struct read_events *read, struct event_page *page);
	store_events_fn *fn;
	void *userdata;
};

int read_watermark(struct store *store, uint32_t tenant, uint64_t *ret)
{
	_cleanup_(backend_value_finish) struct backend_value value = {0};
	struct record_tenant record = {0};
	struct key key;
	int r;

	key_tenant(&key, KEY_META, tenant);
	r = backend_get(store->backend, key_bytes(&key), &value);
	if (r == 0)
		r = err_fold(record_read_tenant(value.bytes, &record));
	else if (r == STORE_E_NOT_FOUND)
		r = 0;
	free(record.unknown);
	if (r == 0)
		*ret = record.event_watermark;
	return r;
}

/* The cursor is opened before the watermark is read: a trim in between makes us refuse, never skip. */
static int collect_since(struct store *store, const struct read_events *read, struct event_page *page)
{
	_cleanup_(backend_cursor_freep) struct backend_cursor *cursor = NULL;
	uint32_t tenant = read->ref.tenant;
	uint64_t watermark, sequence;
	struct key from, prefix, to;
	int r;

	if (read->after == UINT64_MAX)
		return 0;
	key_event(&from, tenant, read->after + 1);
	key_tenant(&prefix, KEY_EVENT, tenant);
	key_after(&to, &prefix);
	cursor = backend_cursor_new(store->backend, key_bytes(&from), key_bytes(&to));
	if (!cursor)
		return err_origin(-ENOMEM);
	r = read_watermark(store, tenant, &watermark);
	if (r < 0)
		return r;
	if (read->after < watermark)
		return STORE_E_CURSOR_EXPIRED;

	for (; r == 0 && page->n < page->limit && backend_cursor_is_valid(cursor); backend_cursor_next(cursor)) {
		if (!key_read_event(backend_cursor_key(cursor), &tenant, &sequence))
			return err_origin(-EBADMSG);
		r = page_add(page, tenant, sequence, backend_cursor_value(cursor));
	}
	return r ? r : backend_cursor_error(cursor);
}

/* An event that is gone although the history names it was trimmed a moment ago. */
static int add_by_sequence(struct store *store, struct event_page *page, uint32_t tenant, uint64_t sequence)
{
	_cleanup_(backend_value_finish) struct backend_value value = {0};
	struct key key;
	int r;

	key_event(&key, tenant, sequence);
	r = backend_get(store->backend, key_bytes(&key), &value);
	if (r == STORE_E_NOT_FOUND)
		return STORE_E_CURSOR_EXPIRED;
	return r ? r : page_add(page, tenant, sequence, value.bytes);
}

static int scan_history(struct store *store, const struct read_events *read, struct event_page *page)
{
	_cleanup_(backend_cursor_freep) struct backend_cursor *cursor = NULL;
	struct key from, last, to;
	uint64_t revision;
	int r = 0;

	key_history(&from, &read->ref, read->after + 1);
	key_history(&last, &read->ref, UINT64_MAX);
	key_after(&to, &last);
	cursor = backend_cursor_new(store->backend, key_bytes(&from), key_bytes(&to));
	if (!cursor)
		return err_origin(-ENOMEM);
	for (; r == 0 && page->n < page->limit && backend_cursor_is_valid(cursor); backend_cursor_next(cursor)) {
		struct bytes value = backend_cursor_value(cursor);

		if (!key_read_history(backend_cursor_key(cursor), &revision) || value.len != 8)
			return err_origin(-EBADMSG);
		if (page->n == 0 && revision != read->after + 1)
			return STORE_E_CURSOR_EXPIRED;
		r = add_by_sequence(store, page, read->ref.tenant, key_get_u64(value.data));
	}
	return r ? r : backend_cursor_error(cursor);
}

/* The revision is read before the history: a commit in between makes the history longer, never seemingly shorter. */
static int collect_of_job(struct store *store, const struct read_events *read, struct event_page *page)
{
	uint64_t revision;
	int r = read_revision(store, &read->ref, &revision);

	if (r == 0 && read->after != UINT64_MAX)
		r = scan_history(store, read, page);
	if (r || page->n > 0)
		return r;
	if (revision == 0)
		return STORE_E_NOT_FOUND;
	return revision > read->after ? STORE_E_CURSOR_EXPIRED : 0;
}

static void run_events(struct store *store, struct read *take)
{
	_cleanup_(page_finish) struct event_page page = {0};
	struct read_events *read = (struct read_events *)take;
	uint64_t tail = store_tail(store);
	int r = page_init(&page, read->limit);

	if (r == 0)
		r = read->collect(store, read, &page);
	page_seal(&page);
	read->fn(read->userdata, r, page.events, r == 0 ? page.n : 0, tail);
	free(read);
}

static void add_read(struct store *store, const struct read_events *read)
{
	struct read_events *copy = malloc(sizeof(*copy));

	if (!copy) {
		read->fn(read->userdata, err_origin(-ENOMEM), NULL, 0, 0);
		return;
	}
	*copy = *read;
	copy->read.run = run_events;
	readers_add(store, &copy->read);
}

void store_events_of_job(struct store *store, const struct job_ref *ref, uint64_t after_revision, uint32_t limit,
			 store_events_fn *fn, void *userdata)
{
	add_read(store, &(struct read_events){.ref = *ref,
					      .after = after_revision,
					      .limit = limit,
					      .collect = collect_of_job,
					      .fn = fn,
					      .userdata = userdata});
}

void store_events_since(struct store *store, uint32_t tenant, uint64_t after_sequence, uint32_t limit,
			store_events_fn *fn, void *userdata)
{
	add_read(store, &(struct read_events){.ref.tenant = tenant,
					      .after = after_sequence,
					      .limit = limit,
					      .collect = collect_since,
					      .fn = fn,
					      .userdata = userdata});
}
