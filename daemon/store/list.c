#include "store/internal.h"

/* Listing jobs, newest first. */

/*
 * A page of jobs. `current` is the job whose records pass by; it is kept when its state has been read and matches, and
 * the records behind its state are skipped otherwise.
 */
struct page {
	const struct store_filter *filter;
	struct job_view *views;
	size_t n_views, limit;
	struct job_view current;
	struct job_ref current_ref;
	bool is_skipping;
	size_t n_seen;
};

struct list_jobs {
	struct read read;
	struct store_list_query query;
	store_list_fn *fn;
	void *userdata;
};

static void page_finish(struct page *page)
{
	for (size_t i = 0; i < page->n_views; i++)
		job_view_finish(&page->views[i]);
	free(page->views);
	job_view_finish(&page->current);
}

/* The job that passed by is complete. */
static void keep_current(struct page *page)
{
	if (page->current.job && page->current.status)
		page->views[page->n_views++] = page->current;
	else
		job_view_finish(&page->current);
	page->current = (struct job_view){0};
	page->is_skipping = false;
}

static bool is_wanted(const struct page *page)
{
	const struct job_view *view = &page->current;
	const struct job_route ordered = job_ordered(view->job);

	return !page->filter || (store_filter_matches(page->filter, ordered.provider, ordered.model,
						      view->job->created_ms, view->status) &&
				 store_filter_matches_text(page->filter, view->job, view->status));
}

/* False: the page is full, and this record belongs to a job behind it. */
static bool begin_job(struct page *page, const struct job_ref *ref)
{
	if (page->n_seen > 0)
		keep_current(page);
	if (page->n_views == page->limit || page->n_seen == LIMIT_STORE_LIST_SCAN)
		return false;
	page->current_ref = *ref;
	page->n_seen++;
	return true;
}

static int add_record(struct page *page, enum key_part part, struct bytes value)
{
	int r;

	if (page->is_skipping)
		return 0;
	r = read_part(&page->current, &page->current_ref, part, value);
	if (r || part != KEY_PART_STATE || !page->current.job)
		return r;
	if (!is_wanted(page)) {
		job_view_finish(&page->current);
		page->current = (struct job_view){0};
		page->is_skipping = true;
	}
	return 0;
}

/* Ids are UUIDv7: those of this instant and later ones sort before the returned id when inverted. */
static void set_id_time(struct id *id, int64_t ms, uint8_t rest)
{
	memset(id->bytes, rest, sizeof(id->bytes));
	for (int i = 0; i < 6; i++)
		id->bytes[i] = (uint8_t)((uint64_t)ms >> (40 - 8 * i));
}

/*
 * Where the scan begins and ends. An id carries the millisecond in which its job was made, so a span of creation times
 * is a span of keys. A minute is added at both ends, for ids that were minted on the other side of a clock's jump; the
 * filter itself is exact.
 */
#define ID_SLACK_MS 60000

static void list_span(const struct store_list_query *query, struct key *from, struct key *to)
{
	static const struct id none;
	const struct store_filter *filter = query->filter;
	struct job_ref ref = {.tenant = query->tenant};
	struct key prefix, behind;

	key_tenant(from, KEY_JOB, query->tenant);
	key_after(to, from);
	if (filter && filter->created_to_ms > 0) {
		set_id_time(&ref.id, filter->created_to_ms + ID_SLACK_MS, 0xff);
		key_job(from, &ref);
	}
	if (filter && filter->created_from_ms > ID_SLACK_MS) {
		set_id_time(&ref.id, filter->created_from_ms - ID_SLACK_MS, 0x00);
		key_job(&prefix, &ref);
		key_after(to, &prefix);
	}
	if (memcmp(&query->after, &none, sizeof(none)) == 0)
		return;
	ref.id = query->after;
	key_job(&prefix, &ref);
	key_after(&behind, &prefix);
	if (key_compare(key_bytes(&behind), key_bytes(from)) > 0)
		*from = behind;
}

static int scan_page(struct store *store, const struct store_list_query *query, struct page *page, bool *ret_more)
{
	_cleanup_(backend_cursor_freep) struct backend_cursor *cursor = NULL;
	struct key from, to;
	int r = 0;

	list_span(query, &from, &to);
	cursor = backend_cursor_new(store->backend, key_bytes(&from), key_bytes(&to));
	if (!cursor)
		return err_origin(-ENOMEM);
	*ret_more = false;
	for (; r == 0 && backend_cursor_is_valid(cursor); backend_cursor_next(cursor)) {
		struct job_ref ref;
		enum key_part part;

		if (!key_read_job(backend_cursor_key(cursor), &ref, &part))
			return err_origin(-EBADMSG);
		if ((page->n_seen == 0 || !job_ref_equal(&ref, &page->current_ref)) && !begin_job(page, &ref)) {
			*ret_more = true;
			return 0;
		}
		r = add_record(page, part, backend_cursor_value(cursor));
	}
	if (r == 0)
		r = backend_cursor_error(cursor);
	if (r == 0 && page->n_seen > 0)
		keep_current(page);
	return r;
}

static void run_list_jobs(struct store *store, struct read *take)
{
	struct list_jobs *list = (struct list_jobs *)take;
	_cleanup_(page_finish) struct page page = {.filter = list->query.filter, .limit = list->query.limit};
	struct id scanned_to = list->query.after;
	bool has_more = false;
	int r;

	if (page.limit == 0 || page.limit > LIMIT_STORE_PAGE)
		page.limit = LIMIT_STORE_PAGE;
	page.views = calloc(page.limit, sizeof(*page.views));
	r = page.views ? scan_page(store, &list->query, &page, &has_more) : err_origin(-ENOMEM);
	if (page.n_seen > 0)
		scanned_to = page.current_ref.id;
	if (r == 0)
		list->fn(list->userdata, 0, page.views, page.n_views, scanned_to, has_more);
	else
		list->fn(list->userdata, r, NULL, 0, scanned_to, false);
	if (r == 0)
		page.n_views = 0; /* what the views held is the callee's now */
	free(list);
}

void store_list_jobs(struct store *store, const struct store_list_query *query, store_list_fn *fn, void *userdata)
{
	struct list_jobs *list = malloc(sizeof(*list));

	if (!list) {
		fn(userdata, err_origin(-ENOMEM), NULL, 0, query->after, false);
		return;
	}
	*list = (struct list_jobs){.read.run = run_list_jobs, .query = *query, .fn = fn, .userdata = userdata};
	readers_add(store, &list->read);
}
