#include "store/internal.h"

#include "base/log.h"
#include "store/records.h"

#include <assert.h>

/*
 * Group commit without a timer: the thread takes what waits, and while it syncs, the next batch fills. Preconditions
 * are checked here and only here, against the database and against the batch so far, by the one thread that writes:
 * so a check and the write that depends on it cannot be separated.
 *
 * When a write fails, nobody is told "done" and nothing is written any more: whether that batch survived is known
 * only when the store has been opened again.
 */

static bool take_batch(struct committer *committer, struct store_commit **ret)
{
	struct store_commit *last = NULL;
	size_t n = 0, size = 0;
	bool is_running;

	pthread_mutex_lock(&committer->mutex);
	while (!committer->first && !committer->is_stopping && !committer->has_trim)
		pthread_cond_wait(&committer->wake, &committer->mutex);
	*ret = committer->first;
	for (struct store_commit *c = committer->first; c && n < LIMIT_STORE_BATCH_COMMITS; c = c->next) {
		size += c->changes.len;
		if (last && size > LIMIT_STORE_BATCH_BYTES)
			break;
		last = c;
		n++;
	}
	if (last) {
		committer->first = last->next;
		last->next = NULL;
	}
	is_running = *ret || !committer->is_stopping;
	pthread_mutex_unlock(&committer->mutex);
	return is_running;
}

static int revision_now(struct store *store, const struct job_ref *ref, uint64_t *ret)
{
	const struct commit_revision *effect = pending_revision(&store->committer.pending, ref);

	if (!effect)
		return read_revision(store, ref, ret);
	*ret = effect->revision;
	return 0;
}

/* STORE_E_NOT_FOUND when nobody has claimed it. */
static int find_owner(struct store *store, const struct store_commit *commit, struct store_request *ret)
{
	const struct store_commit *claimer = pending_claimer(&store->committer.pending, commit_claim_key(commit));
	_cleanup_(backend_value_finish) struct backend_value value = {0};
	int r;

	if (claimer) {
		*ret = claimer->claim;
		return 0;
	}
	r = backend_get(store->backend, commit_claim_key(commit), &value);
	if (r)
		return r;
	r = record_read_request(value.bytes, ret);
	ret->ref.tenant = commit->claim.ref.tenant;
	return err_fold(r);
}

static int check_claim(struct store *store, struct store_commit *commit)
{
	uint64_t revision;
	int r = find_owner(store, commit, &commit->found);

	if (r == STORE_E_NOT_FOUND)
		return 0;
	if (r == 0)
		r = revision_now(store, &commit->found.ref, &revision);
	if (r < 0)
		return r;
	commit->found.deleted = revision == 0;
	commit->has_found = true;
	return STORE_E_REQUEST_EXISTS;
}

static int check(struct store *store, struct store_commit *commit)
{
	int r = commit->poison;

	if (r == 0 && commit->has_claim)
		r = check_claim(store, commit);
	for (size_t i = 0; r == 0 && i < commit->n_expected; i++) {
		uint64_t revision;

		r = revision_now(store, &commit->expected[i].ref, &revision);
		if (r == 0 && revision != commit->expected[i].revision)
			r = STORE_E_CONFLICT;
	}
	return r;
}

static void join_batch(struct committer *committer, struct store_commit *commit)
{
	struct commit_change change;
	size_t offset = 0;

	if (commit->has_event)
		commit_number_event(commit, ++committer->sequence);
	while (commit_next_change(commit, &offset, &change))
		if (change.is_delete)
			backend_batch_delete(committer->batch, change.key);
		else
			backend_batch_put(committer->batch, change.key, change.value);
	pending_add(&committer->pending, commit);
}

static void fail_all(struct store_commit *first, int outcome)
{
	for (struct store_commit *c = first; c; c = c->next)
		c->outcome = outcome;
}

static void write_batch(struct store *store, struct store_commit *first)
{
	struct committer *committer = &store->committer;
	bool is_empty = true;
	int r;

	pending_clear(&committer->pending);
	backend_batch_clear(committer->batch);
	for (struct store_commit *c = first; c; c = c->next) {
		c->outcome = check(store, c);
		if (c->outcome == 0) {
			join_batch(committer, c);
			is_empty = false;
		}
	}
	if (is_empty)
		return;

	r = backend_write(store->backend, committer->batch, BACKEND_SYNCED);
	if (r == 0) {
		atomic_store(&store->tail, committer->sequence);
		return;
	}
	log_error("the store failed to write and takes nothing more until the daemon is restarted", "error",
		  log_errno(r));
	atomic_store(&store->has_failed, true);
	fail_all(first, r);
}

static void commit_batch(struct store *store, struct store_commit *first)
{
	if (atomic_load(&store->has_failed))
		fail_all(first, STORE_E_UNHEALTHY);
	else
		write_batch(store, first);
	store->on_batch(store->userdata, first);
}

/* One bite of a trim that was asked for, so that commits never wait long behind it. */
static void trim(struct store *store)
{
	struct committer *committer = &store->committer;
	int64_t before_ms, tombstones_before_ms;
	bool has_trim, has_more = false;

	pthread_mutex_lock(&committer->mutex);
	has_trim = committer->has_trim;
	before_ms = committer->trim_before_ms;
	tombstones_before_ms = committer->trim_tombstones_before_ms;
	committer->has_trim = false;
	pthread_mutex_unlock(&committer->mutex);

	if (!has_trim || atomic_load(&store->has_failed))
		return;
	if (trim_some(store, before_ms, tombstones_before_ms, &has_more) == 0 && has_more)
		store_trim(store, before_ms, tombstones_before_ms);
}

static void *run(void *userdata)
{
	struct store *store = userdata;
	struct store_commit *first;

	pthread_setname_np(pthread_self(), "fg-committer");
	while (take_batch(&store->committer, &first)) {
		if (first)
			commit_batch(store, first);
		trim(store);
	}
	return NULL;
}

static bool is_complete(const struct store_commit *commit)
{
	for (size_t i = 0; i < commit->n_effects; i++) {
		bool is_expected = false;

		for (size_t j = 0; j < commit->n_expected; j++)
			is_expected |= job_ref_equal(&commit->expected[j].ref, &commit->effects[i].ref);
		if (!is_expected)
			return false;
	}
	return true;
}

void store_submit(struct store *store, struct store_commit *take, void *userdata)
{
	struct committer *committer = &store->committer;

	assert(take->poison || is_complete(take));
	take->userdata = userdata;
	take->next = NULL;
	pthread_mutex_lock(&committer->mutex);
	if (committer->first)
		committer->last->next = take;
	else
		committer->first = take;
	committer->last = take;
	pthread_cond_signal(&committer->wake);
	pthread_mutex_unlock(&committer->mutex);
}

/* A trim that is still going on is overtaken by the later instants. */
void store_trim(struct store *store, int64_t before_ms, int64_t tombstones_before_ms)
{
	struct committer *committer = &store->committer;

	pthread_mutex_lock(&committer->mutex);
	if (!committer->has_trim || before_ms > committer->trim_before_ms)
		committer->trim_before_ms = before_ms;
	if (!committer->has_trim || tombstones_before_ms > committer->trim_tombstones_before_ms)
		committer->trim_tombstones_before_ms = tombstones_before_ms;
	committer->has_trim = true;
	pthread_cond_signal(&committer->wake);
	pthread_mutex_unlock(&committer->mutex);
}

int committer_start(struct store *store)
{
	struct committer *committer = &store->committer;
	int r;

	committer->batch = backend_batch_new();
	if (!committer->batch)
		return err_origin(-ENOMEM);
	pthread_mutex_init(&committer->mutex, NULL);
	pthread_cond_init(&committer->wake, NULL);
	r = pthread_create(&committer->thread, NULL, run, store);
	if (r != 0) {
		pthread_cond_destroy(&committer->wake);
		pthread_mutex_destroy(&committer->mutex);
		committer->batch = backend_batch_free(committer->batch);
		return err_origin(-r);
	}
	return 0;
}

void committer_stop(struct store *store)
{
	struct committer *committer = &store->committer;

	if (!committer->batch)
		return;
	pthread_mutex_lock(&committer->mutex);
	committer->is_stopping = true;
	pthread_cond_signal(&committer->wake);
	pthread_mutex_unlock(&committer->mutex);
	pthread_join(committer->thread, NULL);
	pthread_cond_destroy(&committer->wake);
	pthread_mutex_destroy(&committer->mutex);
	committer->batch = backend_batch_free(committer->batch);
}
