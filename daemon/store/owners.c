#include "store/internal.h"

#include "job/place.h"
#include "store/records.h"

/*
 * Whose a remote id is. Each job's entries are written with its remotes and outlive it, as the ledger does: what was
 * bought here does not become nobody's when its job is deleted. That the job is gone is not written but seen.
 *
 * An id belongs to its place, the provider's address. That may be spelled another way one day, through a proxy for one;
 * so it belongs to the jobs of the same provider of the configuration as well, wherever they went.
 */

struct find_owners {
	struct read read;
	struct store_owners_query query;
	store_owners_fn *fn;
	void *userdata;
};

/* 0 and whether the job that the key names is there, and of @provider. */
static int look_at_job(struct store *store, const struct job_ref *ref, const char *provider, bool *ret_is_there,
		       bool *ret_is_of_provider)
{
	_cleanup_(backend_value_finish) struct backend_value value = {0};
	struct job *job;
	struct key key;
	int r;

	*ret_is_there = *ret_is_of_provider = false;
	key_job_part(&key, ref, KEY_PART_JOB);
	r = backend_get(store->backend, key_bytes(&key), &value);
	if (r)
		return r == STORE_E_NOT_FOUND ? 0 : r;
	r = record_read_job(value.bytes, &job);
	if (r)
		return r;
	*ret_is_there = true;
	*ret_is_of_provider = strcmp(job->provider, provider) == 0;
	job_free(job);
	return 0;
}

/* A job that is there goes before one that was deleted. */
static int consider(struct store *store, const struct store_owners_query *query, const struct key_owner *key,
		    struct store_owner *ret)
{
	bool is_place = memcmp(&key->place, &query->place, sizeof(query->place)) == 0;
	bool is_there, is_of_provider;
	int r;

	if (job_ref_equal(&key->ref, &query->except))
		return 0;
	r = look_at_job(store, &key->ref, query->provider, &is_there, &is_of_provider);
	if (r || !(is_place || is_of_provider) || (ret->is_known && !ret->is_deleted))
		return r;
	if (!ret->is_known || is_there)
		*ret = (struct store_owner){.is_known = true, .is_deleted = !is_there, .ref = key->ref};
	return 0;
}

static int find_owner(struct store *store, const struct store_owners_query *query, const char *remote_id,
		      struct store_owner *ret)
{
	_cleanup_(backend_cursor_freep) struct backend_cursor *cursor = NULL;
	struct key from, to;
	int r = 0;

	key_owners(&from, remote_id);
	key_after(&to, &from);
	cursor = backend_cursor_new(store->backend, key_bytes(&from), key_bytes(&to));
	if (!cursor)
		return err_origin(-ENOMEM);
	for (; r == 0 && backend_cursor_is_valid(cursor); backend_cursor_next(cursor)) {
		struct key_owner key;

		if (!key_read_owner(backend_cursor_key(cursor), &key))
			return err_origin(-EBADMSG);
		r = consider(store, query, &key, ret);
	}
	return r ? r : backend_cursor_error(cursor);
}

static void run_find_owners(struct store *store, struct read *take)
{
	struct find_owners *find = (struct find_owners *)take;
	_cleanup_(freep) struct store_owner *owners = calloc(find->query.n + 1, sizeof(*owners));
	int r = owners ? 0 : err_origin(-ENOMEM);

	for (size_t i = 0; r == 0 && i < find->query.n; i++)
		r = find_owner(store, &find->query, find->query.remote_ids[i], &owners[i]);
	find->fn(find->userdata, r, owners, r == 0 ? find->query.n : 0);
	free(find);
}

void store_find_owners(struct store *store, const struct store_owners_query *query, store_owners_fn *fn, void *userdata)
{
	struct find_owners *find = malloc(sizeof(*find));

	if (!find) {
		fn(userdata, err_origin(-ENOMEM), NULL, 0);
		return;
	}
	*find = (struct find_owners){.read.run = run_find_owners, .query = *query, .fn = fn, .userdata = userdata};
	readers_add(store, &find->read);
}

/* ---- the precondition: nobody owns it ---- */

static int refuse_owned(struct store_commit *commit, const struct job_ref *ref)
{
	commit->owner = *ref;
	return STORE_E_OWNED;
}

/* Nothing of the batch can be read from the database yet. */
static int check_batch(const struct committer *committer, struct store_commit *commit, struct bytes wanted)
{
	struct key_owner key;

	for (size_t i = 0; i < committer->n_changes; i++) {
		struct bytes name = committer->changes[i].key;

		if (name.len > wanted.len && memcmp(name.data, wanted.data, wanted.len) == 0 &&
		    key_read_owner(name, &key))
			return refuse_owned(commit, &key.ref);
	}
	return 0;
}

int check_unowned(struct store *store, struct store_commit *commit)
{
	_cleanup_(backend_cursor_freep) struct backend_cursor *cursor = NULL;
	const struct key *wanted = &commit->unowned;
	struct key to;
	int r = check_batch(&store->committer, commit, key_bytes(wanted));

	if (r)
		return r;
	key_after(&to, wanted);
	cursor = backend_cursor_new(store->backend, key_bytes(wanted), key_bytes(&to));
	if (!cursor)
		return err_origin(-ENOMEM);
	for (; backend_cursor_is_valid(cursor); backend_cursor_next(cursor)) {
		struct key_owner key;
		uint64_t revision;

		if (!key_read_owner(backend_cursor_key(cursor), &key))
			return err_origin(-EBADMSG);
		r = read_revision(store, &key.ref, &revision);
		if (r)
			return r;
		if (revision)
			return refuse_owned(commit, &key.ref);
	}
	return backend_cursor_error(cursor);
}

/* ---- a store that is older than the index ---- */

struct listing {
	struct store *store;
	struct backend_batch *batch;
	size_t n;
	struct job_ref ref; /* whose records are read: */
	struct job_status *status;
};

static void batch_freep(struct backend_batch **batch)
{
	*batch = backend_batch_free(*batch);
}

/* Entries that are written twice are the same ones: an upgrade that was cut off begins again. */
static int add(struct listing *listing, const struct digest *place, const char *remote_id, const struct job_ref *ref)
{
	struct key key;
	int r;

	key_owner(&key, remote_id, place, ref);
	backend_batch_put(listing->batch, key_bytes(&key), bytes_of(NULL, 0));
	if (++listing->n < LIMIT_STORE_OPENINGS)
		return 0;
	r = backend_write(listing->store->backend, listing->batch, BACKEND_UNSYNCED);
	backend_batch_clear(listing->batch);
	listing->n = 0;
	return r;
}

/* Where the attempt's order went; NULL: that is not known. */
static const char *address_of(const struct job_status *status, uint32_t attempt)
{
	for (size_t i = status->n_sends; i > 0; i--)
		if (status->sends[i - 1].attempt == attempt && status->sends[i - 1].base_url)
			return status->sends[i - 1].base_url;
	return NULL;
}

static int add_remote(struct listing *listing, struct bytes value)
{
	const struct job_remote *remote;
	const char *address;
	struct digest place;
	int r = record_read_remote(value, listing->status);

	if (r)
		return r;
	remote = &listing->status->remotes[listing->status->n_remotes - 1];
	address = address_of(listing->status, remote->attempt);
	if (!address || !remote->id)
		return 0;
	r = job_place_of(address, &place);
	return r < 0 ? r : add(listing, &place, remote->id, &listing->ref);
}

/* The sends of a job lie before its remotes. */
static int list_part(struct listing *listing, const struct job_ref *ref, enum key_part part, struct bytes value)
{
	if (!listing->status || !job_ref_equal(ref, &listing->ref)) {
		job_status_free(listing->status);
		listing->status = job_status_new();
		listing->ref = *ref;
		if (!listing->status)
			return err_origin(-ENOMEM);
	}
	if (part == KEY_PART_SEND)
		return record_read_send(value, listing->status);
	return part == KEY_PART_REMOTE ? add_remote(listing, value) : 0;
}

/* Of deleted jobs, the orders know. */
static int list_buried(struct listing *listing, const struct key_order *key, struct bytes value)
{
	_cleanup_(record_order_finish) struct record_order order = {0};
	int r = record_read_order(value, &order);

	for (size_t i = 0; r == 0 && order.is_deleted && i < order.n_remote_ids; i++)
		r = add(listing, &key->place, order.remote_ids[i], &key->ref);
	return r;
}

static int list_record(struct listing *listing, struct bytes key, struct bytes value)
{
	struct key_order order;
	struct job_ref ref;
	enum key_part part;

	if (key_read_job(key, &ref, &part))
		return list_part(listing, &ref, part, value);
	return key_read_order(key, &order) ? list_buried(listing, &order, value) : 0;
}

static int list_letter(struct listing *listing, enum key_letter letter)
{
	_cleanup_(backend_cursor_freep) struct backend_cursor *cursor = NULL;
	struct key from, to;
	int r = 0;

	key_tenant(&from, letter, 0);
	key_tenant(&to, (enum key_letter)(letter + 1), 0);
	cursor = backend_cursor_new(listing->store->backend, key_bytes(&from), key_bytes(&to));
	if (!cursor)
		return err_origin(-ENOMEM);
	for (; r == 0 && backend_cursor_is_valid(cursor); backend_cursor_next(cursor))
		r = list_record(listing, backend_cursor_key(cursor), backend_cursor_value(cursor));
	return r ? r : backend_cursor_error(cursor);
}

int owners_list_jobs(struct store *store)
{
	_cleanup_(batch_freep) struct backend_batch *batch = backend_batch_new();
	struct listing listing = {.store = store, .batch = batch};
	int r = batch ? list_letter(&listing, KEY_JOB) : err_origin(-ENOMEM);

	if (r == 0)
		r = list_letter(&listing, KEY_ORDER);
	if (r == 0 && listing.n)
		r = backend_write(store->backend, batch, BACKEND_SYNCED);
	job_status_free(listing.status);
	return r;
}
