#include "store/internal.h"

#include "base/log.h"

/*
 * The queue of a provider is two ranges of keys: those that may start now, by priority and within one by age, and the
 * waiting room, in the order in which waits end. A scan takes the front of each priority of the first and everything due
 * of the second, and sorts them together by rank (job_rank_ms()); so a job whose wait has ended needs no write to become
 * ready, and none to grow older. There are as many fronts as priorities in use, at most 201.
 */

struct queue_page {
	struct store_queued *rows;
	size_t n, capacity;
	int64_t next_wake_ms;
};

struct scan_queue {
	struct read read;
	char *provider; /* NULL: deadlines */
	bool is_of_waiting;
	int64_t now_ms; /* of those who wait: from when on */
	uint32_t limit;
	store_queue_fn *fn;
	void *userdata;
};

static int page_add(struct queue_page *page, const struct store_queued *row)
{
	if (page->n == page->capacity) {
		size_t capacity = page->capacity ? 2 * page->capacity : 64;
		struct store_queued *rows = reallocarray(page->rows, capacity, sizeof(*rows));

		if (!rows)
			return err_origin(-ENOMEM);
		page->rows = rows;
		page->capacity = capacity;
	}
	page->rows[page->n++] = *row;
	return 0;
}

static void page_finish(struct queue_page *page)
{
	free(page->rows);
}

static void wake_no_later(struct queue_page *page, int64_t ms)
{
	if (page->next_wake_ms == 0 || ms < page->next_wake_ms)
		page->next_wake_ms = ms;
}

/* At most @limit rows of a range; those not yet ready are only noted, and end it unless @now_ms is negative. */
static int scan_rows(struct backend_cursor *cursor, int64_t now_ms, size_t limit, struct queue_page *page)
{
	struct store_queued row;

	for (size_t n = 0; backend_cursor_is_valid(cursor); backend_cursor_next(cursor), n++) {
		int r;

		if (!key_read_queued(backend_cursor_key(cursor), &row))
			return err_origin(-EBADMSG);
		if (now_ms >= 0 && (row.ready_ms > now_ms || n == limit)) {
			wake_no_later(page, row.ready_ms);
			return 0;
		}
		if (n == limit)
			return 0;
		r = page_add(page, &row);
		if (r < 0)
			return r;
	}
	return backend_cursor_error(cursor);
}

/* From where the range begins now, which is remembered: what was taken out of its front is not stepped over again. */
static int open_range(struct store *store, const struct key *range, struct backend_cursor **ret)
{
	_cleanup_(backend_cursor_freep) struct backend_cursor *cursor = NULL;
	struct front_scan scan;
	struct key from, to;
	struct bytes first;
	bool is_empty;
	int r = fronts_begin(&store->fronts, range, &scan, &from);

	if (r < 0)
		return r;
	key_after(&to, range);
	cursor = backend_cursor_new(store->backend, key_bytes(&from), key_bytes(&to));
	r = cursor ? backend_cursor_error(cursor) : err_origin(-ENOMEM);
	if (r < 0) {
		fronts_cancel(&store->fronts, &scan);
		return r;
	}
	is_empty = !backend_cursor_is_valid(cursor);
	if (!is_empty)
		first = backend_cursor_key(cursor);
	fronts_end(&store->fronts, &scan, is_empty ? NULL : &first);
	*ret = steal(cursor);
	return 0;
}

static int scan_range(struct store *store, const struct key *range, int64_t now_ms, size_t limit,
		      struct queue_page *page)
{
	_cleanup_(backend_cursor_freep) struct backend_cursor *cursor = NULL;
	int r = open_range(store, range, &cursor);

	return r ? r : scan_rows(cursor, now_ms, limit, page);
}

/* ---- priorities in use ---- */

/* Makes the priority of the first row behind @from known. *@more: there was one, of *@priority. */
static int note_next(struct store *store, const struct key *from, const struct key *to, bool *more, int32_t *priority)
{
	_cleanup_(backend_cursor_freep) struct backend_cursor *cursor = NULL;
	struct store_queued row;
	struct bytes range;

	cursor = backend_cursor_new(store->backend, key_bytes(from), key_bytes(to));
	if (!cursor)
		return err_origin(-ENOMEM);
	*more = backend_cursor_is_valid(cursor);
	if (!*more)
		return backend_cursor_error(cursor);
	if (!key_read_queued(backend_cursor_key(cursor), &row) || !key_read_range(backend_cursor_key(cursor), &range))
		return err_origin(-EBADMSG);
	*priority = row.priority;
	return fronts_note(&store->fronts, range);
}

/* Which priorities the store has is looked at once; what comes later makes its priority known by itself. */
static int discover(struct store *store, uint32_t tenant, const char *provider)
{
	struct key queue, from, to;
	bool more = true;
	int r = key_provider(&queue, KEY_QUEUE, tenant, provider);

	if (r < 0 || fronts_know(&store->fronts, &queue))
		return r;
	from = queue;
	key_after(&to, &queue);
	while (r == 0 && more) {
		int32_t priority;

		r = note_next(store, &from, &to, &more, &priority);
		if (r == 0 && more && priority == JOB_PRIORITY_MIN)
			break;
		if (r == 0 && more)
			r = key_priority(&from, tenant, provider, priority - 1);
	}
	return r ? r : fronts_note(&store->fronts, key_bytes(&queue));
}

/* The range of the next lower priority in use than *@priority, which goes there. */
static bool next_range(struct store *store, uint32_t tenant, const char *provider, int32_t *priority, struct key *ret)
{
	while (--*priority >= JOB_PRIORITY_MIN)
		if (key_priority(ret, tenant, provider, *priority) == 0 && fronts_know(&store->fronts, ret))
			return true;
	return false;
}

/* ---- who is next ---- */

/* By rank, then the higher priority, then the smaller id. Deadlines all have priority 0. */
static int compare_rows(const void *left, const void *right)
{
	const struct store_queued *a = left, *b = right;
	int64_t rank_a = job_rank_ms(a->priority, a->ready_ms), rank_b = job_rank_ms(b->priority, b->ready_ms);

	if (rank_a != rank_b)
		return rank_a < rank_b ? -1 : 1;
	if (a->priority != b->priority)
		return a->priority > b->priority ? -1 : 1;
	return memcmp(a->ref.id.bytes, b->ref.id.bytes, sizeof(a->ref.id.bytes));
}

/* The best @limit of what was found so far. */
static void page_keep(struct queue_page *page, size_t limit)
{
	if (page->n > 1)
		qsort(page->rows, page->n, sizeof(*page->rows), compare_rows);
	if (page->n > limit)
		page->n = limit;
}

/* The front of one priority, as far as it does not stand behind the last of a page that is full already. */
static int scan_front(struct backend_cursor *cursor, size_t limit, struct queue_page *page)
{
	int64_t last_ms = INT64_MAX;
	struct store_queued row;

	if (page->n && page->n >= limit)
		last_ms = job_rank_ms(page->rows[page->n - 1].priority, page->rows[page->n - 1].ready_ms);
	for (size_t n = 0; n < limit && backend_cursor_is_valid(cursor); backend_cursor_next(cursor), n++) {
		int r;

		if (!key_read_queued(backend_cursor_key(cursor), &row))
			return err_origin(-EBADMSG);
		if (job_rank_ms(row.priority, row.ready_ms) > last_ms)
			return 0;
		r = page_add(page, &row);
		if (r < 0)
			return r;
	}
	return backend_cursor_error(cursor);
}

static int scan_fronts(struct store *store, uint32_t tenant, const struct scan_queue *scan, struct queue_page *page)
{
	int32_t priority = JOB_PRIORITY_MAX + 1;
	struct key range;
	int r = discover(store, tenant, scan->provider);

	while (r == 0 && next_range(store, tenant, scan->provider, &priority, &range)) {
		_cleanup_(backend_cursor_freep) struct backend_cursor *cursor = NULL;

		r = open_range(store, &range, &cursor);
		if (r == 0)
			r = scan_front(cursor, scan->limit, page);
		page_keep(page, scan->limit);
	}
	return r;
}

static int scan_waiting_room(struct store *store, uint32_t tenant, const struct scan_queue *scan,
			     struct queue_page *page)
{
	struct key range;
	int r = key_provider(&range, KEY_WAKE, tenant, scan->provider);

	return r ? r : scan_range(store, &range, scan->now_ms, LIMIT_STORE_WAKE_SCAN, page);
}

static int scan_provider(struct store *store, const struct scan_queue *scan, struct queue_page *page)
{
	uint32_t tenant;
	int r = 0;

	for (uint64_t from = 0; r == 0 && tenants_next(&store->tenants, from, &tenant); from = tenant + 1ull)
		r = scan_fronts(store, tenant, scan, page);
	for (uint64_t from = 0; r == 0 && tenants_next(&store->tenants, from, &tenant); from = tenant + 1ull)
		r = scan_waiting_room(store, tenant, scan, page);
	return r;
}

static int scan_deadlines(struct store *store, const struct scan_queue *scan, struct queue_page *page)
{
	uint32_t tenant;
	int r = 0;

	for (uint64_t from = 0; r == 0 && tenants_next(&store->tenants, from, &tenant); from = tenant + 1ull) {
		struct key range;

		key_tenant(&range, KEY_DEADLINE, tenant);
		r = scan_range(store, &range, scan->now_ms, scan->limit, page);
	}
	return r;
}

static int scan_later(struct store *store, uint32_t tenant, const struct scan_queue *scan, struct queue_page *page)
{
	_cleanup_(backend_cursor_freep) struct backend_cursor *cursor = NULL;
	struct key from, to;
	int r = key_waiting(&from, &to, tenant, scan->provider, scan->now_ms);

	if (r)
		return r;
	cursor = backend_cursor_new(store->backend, key_bytes(&from), key_bytes(&to));
	return cursor ? scan_rows(cursor, -1, scan->limit, page) : err_origin(-ENOMEM);
}

static int scan_waiting(struct store *store, const struct scan_queue *scan, struct queue_page *page)
{
	uint32_t tenant;
	int r = 0;

	for (uint64_t from = 0; r == 0 && tenants_next(&store->tenants, from, &tenant); from = tenant + 1ull)
		r = scan_later(store, tenant, scan, page);
	return r;
}

static void run_scan(struct store *store, struct read *take)
{
	struct scan_queue *scan = (struct scan_queue *)take;
	_cleanup_(page_finish) struct queue_page page = {0};
	int r;

	r = !scan->provider       ? scan_deadlines(store, scan, &page)
	    : scan->is_of_waiting ? scan_waiting(store, scan, &page)
				  : scan_provider(store, scan, &page);
	if (!scan->is_of_waiting)
		page_keep(&page, scan->limit);
	scan->fn(scan->userdata, r, page.rows, r == 0 ? page.n : 0, r == 0 ? page.next_wake_ms : 0);
	free(scan->provider);
	free(scan);
}

static void add_scan(struct store *store, const char *provider, const struct scan_queue *scan)
{
	struct scan_queue *copy = malloc(sizeof(*copy));
	char *name = provider ? strdup(provider) : NULL;

	if (!copy || (provider && !name)) {
		free(copy);
		free(name);
		scan->fn(scan->userdata, err_origin(-ENOMEM), NULL, 0, 0);
		return;
	}
	*copy = *scan;
	copy->provider = name;
	copy->read.run = run_scan;
	if (copy->limit == 0 || copy->limit > LIMIT_STORE_PAGE)
		copy->limit = LIMIT_STORE_PAGE;
	readers_add(store, &copy->read);
}

void store_scan_queue(struct store *store, const char *provider, int64_t now_ms, uint32_t limit, store_queue_fn *fn,
		      void *userdata)
{
	add_scan(store, provider,
		 &(struct scan_queue){.now_ms = now_ms, .limit = limit, .fn = fn, .userdata = userdata});
}

void store_scan_waiting(struct store *store, const char *provider, int64_t from_ms, uint32_t limit, store_queue_fn *fn,
			void *userdata)
{
	add_scan(store, provider,
		 &(struct scan_queue){
			 .is_of_waiting = true, .now_ms = from_ms, .limit = limit, .fn = fn, .userdata = userdata});
}

void store_scan_deadlines(struct store *store, int64_t now_ms, uint32_t limit, store_queue_fn *fn, void *userdata)
{
	add_scan(store, NULL, &(struct scan_queue){.now_ms = now_ms, .limit = limit, .fn = fn, .userdata = userdata});
}

/* ---- the oldest ---- */

struct find_oldest {
	struct read read;
	const char *const *providers;
	size_t n;
	int64_t now_ms;
	store_oldest_fn *fn;
	void *userdata;
};

static void note_oldest(const struct queue_page *page, int64_t *since_ms)
{
	for (size_t i = 0; i < page->n; i++)
		if (*since_ms == 0 || page->rows[i].ready_ms < *since_ms)
			*since_ms = page->rows[i].ready_ms;
}

/* The first of each priority is the oldest of it. */
static int find_in_queue(struct store *store, uint32_t tenant, const char *provider, int64_t *since_ms)
{
	_cleanup_(page_finish) struct queue_page page = {0};
	int32_t priority = JOB_PRIORITY_MAX + 1;
	struct key range;
	int r = discover(store, tenant, provider);

	while (r == 0 && next_range(store, tenant, provider, &priority, &range))
		r = scan_range(store, &range, -1, 1, &page);
	note_oldest(&page, since_ms);
	return r;
}

static int find_in_waiting_room(struct store *store, uint32_t tenant, const char *provider, int64_t now_ms,
				int64_t *since_ms)
{
	_cleanup_(page_finish) struct queue_page page = {0};
	struct key range;
	int r = key_provider(&range, KEY_WAKE, tenant, provider);

	if (r == 0)
		r = scan_range(store, &range, now_ms, 1, &page);
	if (r == 0)
		note_oldest(&page, since_ms);
	return r;
}

static void run_find(struct store *store, struct read *take)
{
	struct find_oldest *find = (struct find_oldest *)take;
	int64_t *since_ms = calloc(find->n + 1, sizeof(*since_ms));
	uint32_t tenant;
	int r = since_ms ? 0 : err_origin(-ENOMEM);

	for (uint64_t from = 0; r == 0 && tenants_next(&store->tenants, from, &tenant); from = tenant + 1ull)
		for (size_t i = 0; r == 0 && i < find->n; i++) {
			r = find_in_queue(store, tenant, find->providers[i], &since_ms[i]);
			if (r == 0)
				r = find_in_waiting_room(store, tenant, find->providers[i], find->now_ms, &since_ms[i]);
		}
	find->fn(find->userdata, r, since_ms, r == 0 ? find->n : 0);
	free(since_ms);
	free(find);
}

void store_find_oldest(struct store *store, const char *const *providers, size_t n, int64_t now_ms, store_oldest_fn *fn,
		       void *userdata)
{
	struct find_oldest *find = malloc(sizeof(*find));

	if (!find) {
		fn(userdata, err_origin(-ENOMEM), NULL, 0);
		return;
	}
	*find = (struct find_oldest){
		.read.run = run_find, .providers = providers, .n = n, .now_ms = now_ms, .fn = fn, .userdata = userdata};
	readers_add(store, &find->read);
}

/* ---- the start ---- */

/* An entry without its job is a fault of ours; the start goes on without it. */
static int load_open(struct store *store, const struct job_ref *ref, int (*fn)(void *userdata, struct job_view *take),
		     void *userdata)
{
	struct job_view view = {0};
	char text[ID_TEXT_SIZE];
	int r = read_job(store, ref, &view);

	if (r == 0)
		return fn(userdata, &view);
	id_format(&ref->id, text);
	if (r != STORE_E_NOT_FOUND) {
		log_error("an open job cannot be read", "job", text, "why",
			  r == STORE_E_NEWER_FORMAT ? "a later version of filmgated wrote it" : log_errno(r));
		return r;
	}
	log_error("a job is listed as open and does not exist", "job", text);
	return 0;
}

static int load_active(struct store *store, int (*fn)(void *userdata, struct job_view *take), void *userdata)
{
	_cleanup_(backend_cursor_freep) struct backend_cursor *cursor = NULL;
	struct key from, to;

	key_tenant(&from, KEY_OPEN, 0);
	key_tenant(&to, (enum key_letter)(KEY_OPEN + 1), 0);
	cursor = backend_cursor_new(store->backend, key_bytes(&from), key_bytes(&to));
	if (!cursor)
		return err_origin(-ENOMEM);
	for (; backend_cursor_is_valid(cursor); backend_cursor_next(cursor)) {
		struct job_ref ref;
		int r;

		if (!key_read_open(backend_cursor_key(cursor), &ref))
			return err_origin(-EBADMSG);
		r = load_open(store, &ref, fn, userdata);
		if (r)
			return r;
	}
	return backend_cursor_error(cursor);
}

int store_load_active(struct store *store, int (*fn)(void *userdata, struct job_view *take), void *userdata)
{
	int r;

	store_lock_database(store);
	r = load_active(store, fn, userdata);
	store_unlock_database(store);
	return r;
}

struct provider_counts {
	struct provider_count {
		char *provider;
		uint64_t count;
	} * rows;
	size_t n, last;
};

static void provider_counts_finish(struct provider_counts *counts)
{
	for (size_t i = 0; i < counts->n; i++)
		free(counts->rows[i].provider);
	free(counts->rows);
}

/* Keys come sorted by provider, so it nearly always is the last one again. */
static int count_one(struct provider_counts *counts, const char *provider)
{
	struct provider_count *rows;

	if (counts->n == 0 || strcmp(counts->rows[counts->last].provider, provider) != 0)
		for (counts->last = 0; counts->last < counts->n; counts->last++)
			if (strcmp(counts->rows[counts->last].provider, provider) == 0)
				break;
	if (counts->last < counts->n) {
		counts->rows[counts->last].count++;
		return 0;
	}
	rows = reallocarray(counts->rows, counts->n + 1, sizeof(*rows));
	if (!rows)
		return err_origin(-ENOMEM);
	counts->rows = rows;
	rows[counts->n] = (struct provider_count){.provider = strdup(provider), .count = 1};
	if (!rows[counts->n].provider)
		return err_origin(-ENOMEM);
	counts->last = counts->n++;
	return 0;
}

static int count_all(struct store *store, enum key_letter letter, struct provider_counts *counts)
{
	_cleanup_(backend_cursor_freep) struct backend_cursor *cursor = NULL;
	struct key from, to;

	key_tenant(&from, letter, 0);
	key_tenant(&to, (enum key_letter)(letter + 1), 0);
	cursor = backend_cursor_new(store->backend, key_bytes(&from), key_bytes(&to));
	if (!cursor)
		return err_origin(-ENOMEM);
	for (; backend_cursor_is_valid(cursor); backend_cursor_next(cursor)) {
		const char *provider;
		int r;

		if (!key_read_provider(backend_cursor_key(cursor), &provider))
			return err_origin(-EBADMSG);
		r = count_one(counts, provider);
		if (r < 0)
			return r;
	}
	return backend_cursor_error(cursor);
}

int store_load_queued_providers(struct store *store, int (*fn)(void *userdata, const char *provider, uint64_t count),
				void *userdata)
{
	_cleanup_(provider_counts_finish) struct provider_counts counts = {0};
	int r;

	store_lock_database(store);
	r = count_all(store, KEY_QUEUE, &counts);
	if (r == 0)
		r = count_all(store, KEY_WAKE, &counts);
	store_unlock_database(store);
	for (size_t i = 0; r == 0 && i < counts.n; i++)
		r = fn(userdata, counts.rows[i].provider, counts.rows[i].count);
	return r;
}
