#include "store/internal.h"

#include "store/records.h"

/* Reading one job, and what belongs to it. A job's records lie together, so that it is one short scan. */

int read_part(struct job_view *view, const struct job_ref *ref, enum key_part part, struct bytes value)
{
	int r;

	if (part == KEY_PART_JOB) {
		r = record_read_job(value, &view->job);
		if (r == 0)
			view->job->ref = *ref;
		return r;
	}
	if (part == KEY_PART_STATE)
		return record_read_state(value, &view->status);
	if (!view->job || !view->status)
		return err_origin(-EBADMSG);
	switch (part) {
	case KEY_PART_ATTEMPT:
		return record_read_attempt(value, view->status);
	case KEY_PART_SEND:
		return record_read_send(value, view->status);
	case KEY_PART_REMOTE:
		return record_read_remote(value, view->status);
	case KEY_PART_ARTIFACT:
		return record_read_artifact(value, view->status);
	default:
		/* A part that a later version added under the same format number: not ours to judge. */
		return 0;
	}
}

int read_job(struct store *store, const struct job_ref *ref, struct job_view *ret)
{
	_cleanup_(backend_cursor_freep) struct backend_cursor *cursor = NULL;
	_cleanup_(job_view_finish) struct job_view view = {0};
	struct key from, to;
	struct job_ref found;
	enum key_part part;
	int r;

	key_job(&from, ref);
	key_after(&to, &from);
	cursor = backend_cursor_new(store->backend, key_bytes(&from), key_bytes(&to));
	if (!cursor)
		return err_origin(-ENOMEM);
	for (; backend_cursor_is_valid(cursor); backend_cursor_next(cursor)) {
		if (!key_read_job(backend_cursor_key(cursor), &found, &part))
			return err_origin(-EBADMSG);
		r = read_part(&view, ref, part, backend_cursor_value(cursor));
		if (r)
			return r;
	}
	r = backend_cursor_error(cursor);
	if (r < 0)
		return r;
	if (!view.job || !view.status)
		return STORE_E_NOT_FOUND;
	*ret = view;
	view = (struct job_view){0};
	return 0;
}

int read_revision(struct store *store, const struct job_ref *ref, uint64_t *ret)
{
	_cleanup_(backend_value_finish) struct backend_value value = {0};
	struct key key;
	int r;

	key_job_part(&key, ref, KEY_PART_STATE);
	r = backend_get(store->backend, key_bytes(&key), &value);
	if (r == STORE_E_NOT_FOUND) {
		*ret = 0;
		return 0;
	}
	return r < 0 ? r : err_fold(record_read_revision(value.bytes, ret));
}

struct get_job {
	struct read read;
	struct job_ref ref;
	store_job_fn *fn;
	void *userdata;
};

static void run_get_job(struct store *store, struct read *take)
{
	struct get_job *get = (struct get_job *)take;
	struct job_view view = {0};
	int r = read_job(store, &get->ref, &view);

	get->fn(get->userdata, r, r == 0 ? &view : NULL);
	free(get);
}

void store_get_job(struct store *store, const struct job_ref *ref, store_job_fn *fn, void *userdata)
{
	struct get_job *get = malloc(sizeof(*get));

	if (!get) {
		fn(userdata, err_origin(-ENOMEM), NULL);
		return;
	}
	*get = (struct get_job){.read.run = run_get_job, .ref = *ref, .fn = fn, .userdata = userdata};
	readers_add(store, &get->read);
}

struct get_reply {
	struct read read;
	struct key key;
	store_reply_fn *fn;
	void *userdata;
};

static void run_get_reply(struct store *store, struct read *take)
{
	_cleanup_(backend_value_finish) struct backend_value value = {0};
	struct get_reply *get = (struct get_reply *)take;
	struct record_reply reply = {0};
	int r = backend_get(store->backend, key_bytes(&get->key), &value);

	if (r == 0)
		r = record_read_reply(value.bytes, &reply);
	get->fn(get->userdata, r, reply.meta, reply.body);
	free(get);
}

void store_get_reply(struct store *store, const struct job_ref *ref, uint32_t attempt, uint32_t send,
		     store_reply_fn *fn, void *userdata)
{
	struct get_reply *get = malloc(sizeof(*get));

	if (!get) {
		fn(userdata, err_origin(-ENOMEM), (struct bytes){0}, (struct bytes){0});
		return;
	}
	*get = (struct get_reply){.read.run = run_get_reply, .fn = fn, .userdata = userdata};
	key_reply(&get->key, ref, attempt, send);
	readers_add(store, &get->read);
}

struct get_request {
	struct read read;
	uint32_t tenant;
	struct key key;
	store_request_fn *fn;
	void *userdata;
};

static int find_request(struct store *store, const struct get_request *get, struct store_request *ret)
{
	_cleanup_(backend_value_finish) struct backend_value value = {0};
	uint64_t revision = 0;
	int r = backend_get(store->backend, key_bytes(&get->key), &value);

	if (r == 0)
		r = record_read_request(value.bytes, ret);
	if (r)
		return r;
	ret->ref.tenant = get->tenant;
	r = read_revision(store, &ret->ref, &revision);
	ret->deleted = revision == 0;
	return r;
}

static void run_get_request(struct store *store, struct read *take)
{
	struct get_request *get = (struct get_request *)take;
	struct store_request found = {0};
	int r = find_request(store, get, &found);

	get->fn(get->userdata, r, r == 0 ? &found : NULL);
	free(get);
}

void store_get_request(struct store *store, uint32_t tenant, const char *request_id, store_request_fn *fn,
		       void *userdata)
{
	struct get_request *get = malloc(sizeof(*get));
	int r;

	if (!get) {
		fn(userdata, err_origin(-ENOMEM), NULL);
		return;
	}
	*get = (struct get_request){.read.run = run_get_request, .tenant = tenant, .fn = fn, .userdata = userdata};
	r = key_request(&get->key, tenant, request_id);
	if (r) {
		fn(userdata, err_trace(r), NULL);
		free(get);
		return;
	}
	readers_add(store, &get->read);
}

static int has_asset(struct store *store, uint32_t tenant, const struct digest *sha256, bool *ret)
{
	_cleanup_(backend_value_finish) struct backend_value value = {0};
	struct key key;
	int r;

	key_asset(&key, tenant, sha256);
	r = backend_get(store->backend, key_bytes(&key), &value);
	if (r < 0)
		return r;
	*ret = r == 0;
	return 0;
}

/* Whose job it is does not matter: tenants share the files. */
static int find_reference(struct store *store, const struct digest *sha256, bool *ret)
{
	uint32_t tenant;
	int r = 0;

	*ret = false;
	for (uint64_t next = 0; r == 0 && !*ret && tenants_next(&store->tenants, next, &tenant); next = tenant + 1ull) {
		_cleanup_(backend_cursor_freep) struct backend_cursor *cursor = NULL;
		struct key from, to;

		key_references(&from, tenant, sha256);
		key_after(&to, &from);
		cursor = backend_cursor_new(store->backend, key_bytes(&from), key_bytes(&to));
		if (!cursor)
			return err_origin(-ENOMEM);
		*ret = backend_cursor_is_valid(cursor);
		r = backend_cursor_error(cursor);
		if (r == 0 && !*ret)
			r = has_asset(store, tenant, sha256, ret);
	}
	return r;
}

int store_is_referenced(struct store *store, const struct digest *sha256, bool *ret)
{
	bool is_referenced;
	int r;

	store_lock_database(store);
	r = find_reference(store, sha256, &is_referenced);
	store_unlock_database(store);
	if (r < 0)
		return err_trace(r);
	*ret = is_referenced;
	return 0;
}
