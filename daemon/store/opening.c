#include "store/internal.h"

#include "store/records.h"

/*
 * A store that is older than the ledger: each of its jobs that holds a purchase, or is known to have cost something, gets
 * an opening entry. The jobs' own records say which have theirs, and are written with it, so an upgrade that was cut off
 * goes on where it ended, and a store of a million jobs is raised with the memory of some.
 */

struct opening {
	struct store *store;
	struct backend_batch *batch;
	size_t n; /* jobs in the batch */
};

static void batch_freep(struct backend_batch **batch)
{
	*batch = backend_batch_free(*batch);
}

static int write_bite(struct opening *opening)
{
	struct ledger *ledger = &opening->store->committer.ledger;
	int r = ledger_write(ledger, opening->batch);

	if (r == 0 && opening->n)
		r = backend_write(opening->store->backend, opening->batch, BACKEND_SYNCED);
	ledger_written(ledger);
	backend_batch_clear(opening->batch);
	opening->n = 0;
	return r;
}

static int add_commit(struct opening *opening, struct store_commit *commit)
{
	struct ledger *ledger = &opening->store->committer.ledger;
	struct commit_change change;
	int r = commit->poison;

	if (r == 0)
		r = ledger_try(ledger, opening->store->backend, commit);
	if (r)
		return r < 0 ? r : err_origin(-EOVERFLOW);
	ledger_keep(ledger, commit);
	for (size_t offset = 0; commit_next_change(commit, &offset, &change);)
		backend_batch_put(opening->batch, change.key, change.value);
	return ++opening->n == LIMIT_STORE_OPENINGS ? write_bite(opening) : 0;
}

static int open_job(struct opening *opening, const struct job_view *view)
{
	const struct job_index index = store_index_of(view->job, view->status);
	struct ledger_entries entries;
	struct store_commit *commit;
	int r = ledger_open(view->job, view->status, clock_utc_ms(opening->store->clock), &entries);

	if (r < 0 || entries.n == 0)
		return r;
	commit = store_commit_new();
	if (!commit)
		return err_origin(-ENOMEM);
	store_commit_put_status(commit, view->job, &index, view->status);
	for (size_t i = 0; i < entries.n; i++)
		store_commit_post(commit, &entries.all[i]);
	r = add_commit(opening, commit);
	store_commit_free(commit);
	return r;
}

static int end_job(struct opening *opening, struct job_view *view)
{
	int r = view->job && view->status ? open_job(opening, view) : 0;

	job_view_finish(view);
	return r;
}

static int open_jobs(struct opening *opening, struct job_view *view)
{
	_cleanup_(backend_cursor_freep) struct backend_cursor *cursor = NULL;
	struct job_ref last = {0}, ref;
	struct key from, to;
	enum key_part part;
	int r = 0;

	key_tenant(&from, KEY_JOB, 0);
	key_tenant(&to, (enum key_letter)(KEY_JOB + 1), 0);
	cursor = backend_cursor_new(opening->store->backend, key_bytes(&from), key_bytes(&to));
	if (!cursor)
		return err_origin(-ENOMEM);
	for (; r == 0 && backend_cursor_is_valid(cursor); backend_cursor_next(cursor)) {
		if (!key_read_job(backend_cursor_key(cursor), &ref, &part))
			return err_origin(-EBADMSG);
		if (!job_ref_equal(&ref, &last))
			r = end_job(opening, view);
		last = ref;
		if (r == 0)
			r = read_part(view, &ref, part, backend_cursor_value(cursor));
	}
	if (r == 0)
		r = backend_cursor_error(cursor);
	return r ? r : end_job(opening, view);
}

/* Of an upgrade that was cut off. */
static int find_sequence(struct store *store)
{
	_cleanup_(backend_cursor_freep) struct backend_cursor *cursor = NULL;
	uint64_t sequence;
	uint32_t tenant;
	struct key from, to;

	key_tenant(&from, KEY_LEDGER, 0);
	key_tenant(&to, (enum key_letter)(KEY_LEDGER + 1), 0);
	cursor = backend_cursor_new(store->backend, key_bytes(&from), key_bytes(&to));
	if (!cursor)
		return err_origin(-ENOMEM);
	for (; backend_cursor_is_valid(cursor); backend_cursor_next(cursor)) {
		if (!key_read_ledger(backend_cursor_key(cursor), &tenant, &sequence))
			return err_origin(-EBADMSG);
		if (sequence > store->committer.ledger.sequence)
			store->committer.ledger.sequence = sequence;
	}
	return backend_cursor_error(cursor);
}

int ledger_open_jobs(struct store *store)
{
	_cleanup_(batch_freep) struct backend_batch *batch = backend_batch_new();
	_cleanup_(job_view_finish) struct job_view view = {0};
	struct opening opening = {.store = store, .batch = batch};
	int r = batch ? find_sequence(store) : err_origin(-ENOMEM);

	if (r == 0)
		r = open_jobs(&opening, &view);
	return r ? r : write_bite(&opening);
}
