#include "store/internal.h"

#include "store/records.h"

#include <assert.h>

#define HASH_FUNCTION HASH_FNV
#define HASH_NONFATAL_OOM 1
#include <uthash.h>

/*
 * Questions about money. Usage is added up from the balances of the days asked for; the entries themselves are only read
 * to be shown, and to be held against the balances.
 */

/* ---- usage ---- */

struct get_usage {
	struct read read;
	struct store_usage_query query;
	store_usage_fn *fn;
	void *userdata;
};

/* One row; its key is what follows the day in a balance's key, behind the day itself. */
struct row {
	UT_hash_handle hh;
	struct store_usage usage;
	size_t key_len;
	uint8_t key[]; /* and behind it the whole key of one of its balances, which has its texts */
};

struct rows {
	struct store *store;
	const struct store_usage_query *query;
	struct row *table;
	size_t n, n_seen;
};

static void rows_finish(struct rows *rows)
{
	struct row *row, *next;

	HASH_ITER(hh, rows->table, row, next) {
		HASH_DEL(rows->table, row);
		free(row);
	}
}

static int add_row(struct rows *rows, struct bytes key, struct bytes full, struct row **ret)
{
	struct row *row = calloc(1, sizeof(*row) + key.len + full.len);
	struct ledger_scope scope;

	if (!row)
		return err_origin(-ENOMEM);
	row->key_len = key.len;
	memcpy(row->key, key.data, key.len);
	memcpy(row->key + key.len, full.data, full.len);
	if (!key_read_balance(bytes_of(row->key + key.len, full.len), &scope)) {
		free(row);
		return err_origin(-EBADMSG);
	}
	row->usage = (struct store_usage){.day = rows->query->by_day ? scope.start : 0,
					  .currency = scope.currency,
					  .name = scope.name,
					  .value = scope.value};
	HASH_ADD_KEYPTR(hh, rows->table, row->key, key.len, row);
	if (!row->hh.tbl) {
		free(row);
		return err_origin(-ENOMEM);
	}
	rows->n++;
	*ret = row;
	return 0;
}

static int take_balance(struct rows *rows, const struct backend_cursor *cursor)
{
	struct bytes full = backend_cursor_key(cursor), key;
	const struct store_usage_query *query = rows->query;
	struct ledger_balance balance;
	struct ledger_scope scope;
	struct row *row;
	size_t skip;
	int r;

	if (!key_read_balance(full, &scope))
		return err_origin(-EBADMSG);
	if (query->currency && strcmp(query->currency, scope.currency) != 0)
		return 0;
	/* Everything from the currency on; with the day before it where each day has its own. */
	skip = (size_t)(scope.currency - (const char *)full.data) - (query->by_day ? sizeof(uint32_t) : 0);
	key = bytes_of((const char *)full.data + skip, full.len - skip);
	HASH_FIND(hh, rows->table, key.data, key.len, row);
	if (!row && rows->n == LIMIT_STORE_USAGE_ROWS)
		return STORE_E_TOO_MUCH;
	r = record_read_ledger_balance(backend_cursor_value(cursor), &balance);
	if (r)
		log_unread(rows->store, full, r);
	if (r == 0 && !row)
		r = add_row(rows, key, full, &row);
	if (r)
		return r;
	return ledger_join(&row->usage.balance, &balance) ? 0 : err_origin(-EOVERFLOW);
}

static int scan_balances(struct store *store, struct rows *rows)
{
	_cleanup_(backend_cursor_freep) struct backend_cursor *cursor = NULL;
	const struct store_usage_query *query = rows->query;
	struct key from, to;
	int r = 0;

	key_balances_since(&from, query->tenant, query->dimension, query->label, LEDGER_PER_DAY, query->from);
	key_balances_since(&to, query->tenant, query->dimension, query->label, LEDGER_PER_DAY, query->to + 1);
	cursor = backend_cursor_new(store->backend, key_bytes(&from), key_bytes(&to));
	if (!cursor)
		return err_origin(-ENOMEM);
	for (; r == 0 && backend_cursor_is_valid(cursor); backend_cursor_next(cursor))
		r = atomic_load(&store->is_ending)             ? -ECANCELED
		    : rows->n_seen++ == LIMIT_STORE_USAGE_SCAN ? STORE_E_TOO_WIDE
							       : take_balance(rows, cursor);
	return r ? r : backend_cursor_error(cursor);
}

static int compare_rows(const struct row *a, const struct row *b)
{
	return key_compare(bytes_of(a->key, a->key_len), bytes_of(b->key, b->key_len));
}

static int has_news(const struct ledger_balance *balance)
{
	static const struct ledger_balance none;

	return memcmp(balance, &none, sizeof(none)) != 0;
}

static int copy_rows(struct rows *rows, struct store_usage **ret, size_t *ret_n)
{
	struct store_usage *list = calloc(rows->n + 1, sizeof(*list));
	struct row *row;
	size_t n = 0;

	if (!list)
		return err_origin(-ENOMEM);
	HASH_SORT(rows->table, compare_rows);
	/* What was reserved and released again leaves zeros behind. */
	for (row = rows->table; row; row = row->hh.next)
		if (has_news(&row->usage.balance))
			list[n++] = row->usage;
	*ret = list;
	*ret_n = n;
	return 0;
}

static void run_get_usage(struct store *store, struct read *take)
{
	struct get_usage *get = (struct get_usage *)take;
	_cleanup_(rows_finish) struct rows rows = {.store = store, .query = &get->query};
	_cleanup_(freep) struct store_usage *list = NULL;
	size_t n = 0;
	int r = scan_balances(store, &rows);

	if (r == 0)
		r = copy_rows(&rows, &list, &n);
	get->fn(get->userdata, r, list, n);
	free(get);
}

void store_get_usage(struct store *store, const struct store_usage_query *query, store_usage_fn *fn, void *userdata)
{
	struct get_usage *get = malloc(sizeof(*get));

	if (!get) {
		fn(userdata, err_origin(-ENOMEM), NULL, 0);
		return;
	}
	*get = (struct get_usage){.read.run = run_get_usage, .query = *query, .fn = fn, .userdata = userdata};
	readers_add(store, &get->read);
}

/* ---- single balances ---- */

struct get_balances {
	struct read read;
	store_balances_fn *fn;
	void *userdata;
	size_t n;
	struct key *keys;
	struct ledger_balance balances[];
};

static int read_balances(struct store *store, struct get_balances *get)
{
	for (size_t i = 0; i < get->n; i++) {
		_cleanup_(backend_value_finish) struct backend_value value = {0};
		int r = backend_get(store->backend, key_bytes(&get->keys[i]), &value);

		if (r == 0)
			r = err_fold(record_read_ledger_balance(value.bytes, &get->balances[i]));
		if (r < 0)
			return r;
	}
	return 0;
}

static void run_get_balances(struct store *store, struct read *take)
{
	struct get_balances *get = (struct get_balances *)take;
	int r = read_balances(store, get);

	get->fn(get->userdata, r, get->balances, r == 0 ? get->n : 0);
	free(get->keys);
	free(get);
}

void store_get_balances(struct store *store, uint32_t tenant, const struct ledger_scope *scopes, size_t n,
			store_balances_fn *fn, void *userdata)
{
	struct get_balances *get = calloc(1, sizeof(*get) + n * sizeof(get->balances[0]));
	struct key *keys = calloc(n + 1, sizeof(*keys));

	if (!get || !keys) {
		free(keys);
		free(get);
		fn(userdata, err_origin(-ENOMEM), NULL, 0);
		return;
	}
	for (size_t i = 0; i < n; i++)
		key_balance(&keys[i], tenant, &scopes[i]);
	get->read.run = run_get_balances;
	get->fn = fn;
	get->userdata = userdata;
	get->n = n;
	get->keys = keys;
	readers_add(store, &get->read);
}

/* ---- entries ---- */

struct list_ledger {
	struct read read;
	struct store_ledger_query query;
	store_ledger_fn *fn;
	void *userdata;
};

struct page {
	struct ledger_entry *entries;
	size_t n;
	bool has_more;
};

static void page_finish(struct page *page)
{
	for (size_t i = 0; i < page->n; i++)
		record_ledger_entry_finish(&page->entries[i]);
	free(page->entries);
}

static int take_entry(struct store *store, struct page *page, uint32_t tenant, uint64_t sequence, struct bytes value)
{
	struct ledger_entry *entry = &page->entries[page->n];
	int r = record_read_ledger_entry(value, entry);
	struct key key;

	if (r) {
		key_ledger(&key, tenant, sequence);
		log_unread(store, key_bytes(&key), r);
		return r;
	}
	entry->ref.tenant = tenant;
	entry->sequence = sequence;
	page->n++;
	return 0;
}

/* Through the job's own list to the entry. */
static int take_listed(struct store *store, const struct backend_cursor *cursor, uint32_t tenant, struct page *page)
{
	_cleanup_(backend_value_finish) struct backend_value value = {0};
	uint64_t sequence;
	struct key key;
	int r;

	if (!key_read_ledger_of_job(backend_cursor_key(cursor), &sequence))
		return err_origin(-EBADMSG);
	key_ledger(&key, tenant, sequence);
	r = backend_get(store->backend, key_bytes(&key), &value);
	if (r == STORE_E_NOT_FOUND) {
		log_unread(store, key_bytes(&key), -EBADMSG);
		return err_origin(-EBADMSG);
	}
	return r ? r : take_entry(store, page, tenant, sequence, value.bytes);
}

static int take_next(struct store *store, const struct backend_cursor *cursor, struct page *page)
{
	uint64_t sequence;
	uint32_t tenant;

	if (!key_read_ledger(backend_cursor_key(cursor), &tenant, &sequence))
		return err_origin(-EBADMSG);
	return take_entry(store, page, tenant, sequence, backend_cursor_value(cursor));
}

static int read_page(struct store *store, const struct store_ledger_query *query, struct page *page)
{
	uint32_t limit = query->limit && query->limit < LIMIT_STORE_PAGE ? query->limit : LIMIT_STORE_PAGE;
	_cleanup_(backend_cursor_freep) struct backend_cursor *cursor = NULL;
	struct key from, to, all;
	int r = 0;

	if (query->is_single) {
		key_ledger_of_job(&all, &query->ref);
		key_ledger_job_entry(&from, &query->ref, query->after + 1);
	} else {
		key_tenant(&all, KEY_LEDGER, query->tenant);
		key_ledger(&from, query->tenant, query->after + 1);
	}
	key_after(&to, &all);
	cursor = backend_cursor_new(store->backend, key_bytes(&from), key_bytes(&to));
	page->entries = calloc(limit, sizeof(*page->entries));
	if (!cursor || !page->entries)
		return err_origin(-ENOMEM);
	for (; r == 0 && backend_cursor_is_valid(cursor) && page->n < limit; backend_cursor_next(cursor))
		r = query->is_single ? take_listed(store, cursor, query->ref.tenant, page)
				     : take_next(store, cursor, page);
	page->has_more = backend_cursor_is_valid(cursor);
	return r ? r : backend_cursor_error(cursor);
}

static void run_list_ledger(struct store *store, struct read *take)
{
	struct list_ledger *list = (struct list_ledger *)take;
	_cleanup_(page_finish) struct page page = {0};
	int r = read_page(store, &list->query, &page);

	list->fn(list->userdata, r, page.entries, r == 0 ? page.n : 0, page.has_more);
	free(list);
}

void store_list_ledger(struct store *store, const struct store_ledger_query *query, store_ledger_fn *fn, void *userdata)
{
	struct list_ledger *list = malloc(sizeof(*list));

	if (!list) {
		fn(userdata, err_origin(-ENOMEM), NULL, 0, false);
		return;
	}
	*list = (struct list_ledger){.read.run = run_list_ledger, .query = *query, .fn = fn, .userdata = userdata};
	readers_add(store, &list->read);
}
