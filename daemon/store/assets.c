#include "store/internal.h"

#include "store/records.h"

/*
 * Assets: reading them, and what a commit that touches them must find.
 *
 * A job may only be accepted while its assets are there, and an asset may only go while no job that has not ended uses
 * it. Both are decided by the committer, which alone writes, so neither can slip between the other's look and its write.
 * What the batch in the making has changed is not in the database yet; the few commits of it that touch assets are
 * looked through one by one.
 */

int read_asset(struct store *store, uint32_t tenant, const struct digest *sha256, struct asset *ret)
{
	_cleanup_(backend_value_finish) struct backend_value value = {0};
	struct key key;
	int r;

	key_asset(&key, tenant, sha256);
	r = backend_get(store->backend, key_bytes(&key), &value);
	if (r == 0)
		r = record_read_asset(value.bytes, ret);
	if (r == 0)
		ret->sha256 = *sha256;
	return r;
}

/* ---- what a commit must find ---- */

static bool is_same(const struct digest *a, const struct digest *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

/* As the batch leaves it: 0, with the asset's id, or STORE_E_NOT_FOUND. */
static int find_asset(struct store *store, uint32_t tenant, const struct digest *sha256, struct id *ret)
{
	struct asset asset = {0};
	int r;

	for (const struct store_commit *c = store->committer.of_assets; c; c = c->next_of_assets)
		if (c->asset_change && c->asset_tenant == tenant && is_same(&c->asset, sha256)) {
			*ret = c->asset_id;
			return c->asset_change == COMMIT_ASSET_PUT ? 0 : STORE_E_NOT_FOUND;
		}
	r = read_asset(store, tenant, sha256, &asset);
	if (r == 0)
		*ret = asset.id;
	asset_finish(&asset);
	return r;
}

static bool needs(const struct store_commit *commit, uint32_t tenant, const struct digest *sha256)
{
	for (size_t i = 0; commit->asset_tenant == tenant && i < commit->n_needs; i++)
		if (is_same(&commit->needs[i], sha256))
			return true;
	return false;
}

/* A job that ends in this very batch still counts: who deletes asks again. */
static int find_user(struct store *store, struct store_commit *commit)
{
	_cleanup_(backend_cursor_freep) struct backend_cursor *cursor = NULL;
	struct key from, to;

	for (const struct store_commit *c = store->committer.of_assets; c; c = c->next_of_assets)
		if (needs(c, commit->asset_tenant, &commit->asset)) {
			/* A handle that this very batch writes would stay behind: who deletes asks again. */
			if (c->n_effects == 0)
				return STORE_E_CONFLICT;
			commit->user = c->effects[0].ref;
			return STORE_E_ASSET_USED;
		}
	key_asset_uses(&from, commit->asset_tenant, &commit->asset);
	key_after(&to, &from);
	cursor = backend_cursor_new(store->backend, key_bytes(&from), key_bytes(&to));
	if (!cursor)
		return err_origin(-ENOMEM);
	if (!backend_cursor_is_valid(cursor))
		return backend_cursor_error(cursor);
	return key_read_asset_use(backend_cursor_key(cursor), &commit->user) ? STORE_E_ASSET_USED
									     : err_origin(-EBADMSG);
}

static int check_put(struct store *store, struct store_commit *commit)
{
	struct id id;
	int r = find_asset(store, commit->asset_tenant, &commit->asset, &id);

	if (r == STORE_E_NOT_FOUND)
		return 0;
	return r == 0 ? STORE_E_ASSET_EXISTS : r;
}

/* One that went and was put again since it was read has another place in the list. */
static int check_delete(struct store *store, struct store_commit *commit)
{
	struct id id;
	int r = find_asset(store, commit->asset_tenant, &commit->asset, &id);

	if (r == STORE_E_NOT_FOUND)
		return STORE_E_ASSET_MISSING;
	if (r)
		return r;
	if (memcmp(&id, &commit->asset_id, sizeof(id)) != 0)
		return STORE_E_CONFLICT;
	return find_user(store, commit);
}

static int check_needs(struct store *store, struct store_commit *commit)
{
	struct id id;

	for (size_t i = 0; i < commit->n_needs; i++) {
		int r = find_asset(store, commit->asset_tenant, &commit->needs[i], &id);

		if (r == STORE_E_NOT_FOUND) {
			commit->asset = commit->needs[i];
			return STORE_E_ASSET_MISSING;
		}
		if (r)
			return r;
	}
	return 0;
}

int check_assets(struct store *store, struct store_commit *commit)
{
	switch (commit->asset_change) {
	case COMMIT_ASSET_PUT:
		return check_put(store, commit);
	case COMMIT_ASSET_DELETE:
		return check_delete(store, commit);
	case COMMIT_ASSET_NONE:
		break;
	}
	return check_needs(store, commit);
}

int delete_handles(struct store *store, const struct store_commit *commit)
{
	_cleanup_(backend_cursor_freep) struct backend_cursor *cursor = NULL;
	struct key from, to;

	key_handles(&from, commit->asset_tenant, &commit->asset);
	key_after(&to, &from);
	cursor = backend_cursor_new(store->backend, key_bytes(&from), key_bytes(&to));
	if (!cursor)
		return err_origin(-ENOMEM);
	for (; backend_cursor_is_valid(cursor); backend_cursor_next(cursor))
		backend_batch_delete(store->committer.batch, backend_cursor_key(cursor));
	return backend_cursor_error(cursor);
}

/* ---- reading ---- */

struct asset_page {
	struct asset *assets;
	size_t n, limit;
};

static int page_init(struct asset_page *page, size_t limit)
{
	page->limit = limit;
	page->assets = calloc(limit + 1, sizeof(*page->assets));
	return page->assets ? 0 : err_origin(-ENOMEM);
}

static void page_finish(struct asset_page *page)
{
	for (size_t i = 0; i < page->n; i++)
		asset_finish(&page->assets[i]);
	free(page->assets);
}

struct get_assets {
	struct read read;
	uint32_t tenant;
	size_t n;
	store_assets_fn *fn;
	void *userdata;
	struct digest sha256[]; /* n of them */
};

static void run_get_assets(struct store *store, struct read *take)
{
	_cleanup_(page_finish) struct asset_page page = {0};
	struct get_assets *get = (struct get_assets *)take;
	int r = page_init(&page, get->n);

	for (; r == 0 && page.n < get->n; page.n++) {
		r = read_asset(store, get->tenant, &get->sha256[page.n], &page.assets[page.n]);
		if (r == STORE_E_NOT_FOUND)
			r = 0;
		if (r)
			break;
	}
	get->fn(get->userdata, r, page.assets, r == 0 ? page.n : 0);
	if (r == 0)
		page.n = 0; /* what they held is the callee's now */
	free(get);
}

void store_get_assets(struct store *store, uint32_t tenant, const struct digest *sha256, size_t n, store_assets_fn *fn,
		      void *userdata)
{
	struct get_assets *get = malloc(sizeof(*get) + n * sizeof(*sha256));

	if (!get) {
		fn(userdata, err_origin(-ENOMEM), NULL, 0);
		return;
	}
	*get = (struct get_assets){
		.read.run = run_get_assets, .tenant = tenant, .n = n, .fn = fn, .userdata = userdata};
	memcpy(get->sha256, sha256, n * sizeof(*sha256));
	readers_add(store, &get->read);
}

struct list_assets {
	struct read read;
	uint32_t tenant;
	struct id after;
	uint32_t limit;
	store_asset_list_fn *fn;
	void *userdata;
};

/* One that was deleted since the cursor was opened is left out. */
static int add_listed(struct store *store, const struct list_assets *list, struct bytes key, struct asset_page *page)
{
	struct digest sha256;
	struct id id;
	int r;

	if (!key_read_asset_listed(key, &id, &sha256))
		return err_origin(-EBADMSG);
	r = read_asset(store, list->tenant, &sha256, &page->assets[page->n]);
	if (r == 0)
		page->n++;
	return r == STORE_E_NOT_FOUND ? 0 : r;
}

static int scan_list(struct store *store, const struct list_assets *list, struct asset_page *page, bool *ret_more)
{
	_cleanup_(backend_cursor_freep) struct backend_cursor *cursor = NULL;
	static const struct id none;
	struct key from, to, after;
	int r = 0;

	key_tenant(&from, KEY_ASSET_LIST, list->tenant);
	key_after(&to, &from);
	if (memcmp(&list->after, &none, sizeof(none)) != 0) {
		key_asset_id(&after, list->tenant, &list->after);
		key_after(&from, &after);
	}
	cursor = backend_cursor_new(store->backend, key_bytes(&from), key_bytes(&to));
	if (!cursor)
		return err_origin(-ENOMEM);
	for (; r == 0 && page->n < page->limit && backend_cursor_is_valid(cursor); backend_cursor_next(cursor))
		r = add_listed(store, list, backend_cursor_key(cursor), page);
	*ret_more = backend_cursor_is_valid(cursor);
	return r ? r : backend_cursor_error(cursor);
}

static void run_list_assets(struct store *store, struct read *take)
{
	_cleanup_(page_finish) struct asset_page page = {0};
	struct list_assets *list = (struct list_assets *)take;
	bool has_more = false;
	bool is_bounded = list->limit > 0 && list->limit <= LIMIT_STORE_PAGE;
	int r = page_init(&page, is_bounded ? list->limit : LIMIT_STORE_PAGE);

	if (r == 0)
		r = scan_list(store, list, &page, &has_more);
	list->fn(list->userdata, r, page.assets, r == 0 ? page.n : 0, r == 0 && has_more);
	if (r == 0)
		page.n = 0;
	free(list);
}

void store_list_assets(struct store *store, uint32_t tenant, const struct id *after, uint32_t limit,
		       store_asset_list_fn *fn, void *userdata)
{
	struct list_assets *list = malloc(sizeof(*list));

	if (!list) {
		fn(userdata, err_origin(-ENOMEM), NULL, 0, false);
		return;
	}
	*list = (struct list_assets){.read.run = run_list_assets,
				     .tenant = tenant,
				     .after = *after,
				     .limit = limit,
				     .fn = fn,
				     .userdata = userdata};
	readers_add(store, &list->read);
}
