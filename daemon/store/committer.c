#include "store/internal.h"

#include "base/failpoint.h"
#include "base/log.h"
#include "store/records.h"

#include <assert.h>

/*
 * Group commit without a timer: the thread takes what waits, and while it syncs, the next batch fills. Preconditions
 * are checked here and only here, against the database and against the batch so far, by the one thread that writes:
 * so a check and the write that depends on it cannot be separated.
 *
 * When a write fails, nobody is told anything and nothing is written any more: whether that batch survived is known
 * only when the database has been opened again (mend.c).
 */

#define FIRST_CHANGES 256

bool committer_wait(struct committer *committer, int64_t delay_ms)
{
	/* The system's clock, since it is the system that waits. */
	int64_t until_ms = clock_monotonic_ms(&clock_system) + delay_ms;
	struct timespec until = {.tv_sec = until_ms / 1000, .tv_nsec = until_ms % 1000 * 1000000};

	return pthread_cond_timedwait(&committer->wake, &committer->mutex, &until) == ETIMEDOUT;
}

/* Or nothing: it is time to look at the disk. */
static bool take_batch(struct committer *committer, struct store_commit **ret)
{
	struct store_commit *last = NULL;
	size_t n = 0, size = 0;
	bool is_running, is_late = false;

	pthread_mutex_lock(&committer->mutex);
	while (!committer->first && !committer->is_stopping && !committer->has_trim && !is_late)
		is_late = committer_wait(committer, LIMIT_STORE_LOOK_MS);
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
	if (r)
		return r;
	commit->found.deleted = revision == 0;
	commit->has_found = true;
	return STORE_E_REQUEST_EXISTS;
}

static int check(struct store *store, struct store_commit *commit)
{
	int r = commit->poison;

	commit->has_found = false;
	if (r == 0 && commit->has_claim)
		r = check_claim(store, commit);
	for (size_t i = 0; r == 0 && i < commit->n_expected; i++) {
		uint64_t revision;

		r = revision_now(store, &commit->expected[i].ref, &revision);
		if (r == 0 && revision != commit->expected[i].revision)
			r = STORE_E_CONFLICT;
	}
	if (r == 0 && commit->unowned.len)
		r = check_unowned(store, commit);
	if (r == 0)
		r = check_assets(store, commit);
	return r ? r : ledger_try(&store->committer.ledger, store->backend, commit);
}

static struct commit_change *add_change(struct committer *committer)
{
	if (committer->n_changes == committer->capacity) {
		size_t capacity = committer->capacity ? 2 * committer->capacity : FIRST_CHANGES;
		struct commit_change *changes = reallocarray(committer->changes, capacity, sizeof(*changes));

		if (!changes)
			return NULL;
		committer->changes = changes;
		committer->capacity = capacity;
	}
	committer->changes[committer->n_changes].order = (uint32_t)committer->n_changes;
	return &committer->changes[committer->n_changes++];
}

/* A tenant's first job, or asset, comes with the tenant's record. */
static int meet_tenant(struct store *store, uint32_t tenant)
{
	_cleanup_(buffer_finish) struct buffer record = {0};
	struct key key;
	int r;

	if (tenants_has(&store->tenants, tenant))
		return 0;
	r = record_write_tenant(&record, &(struct record_tenant){0});
	if (r == 0)
		r = tenants_add(&store->tenants, tenant);
	if (r < 0)
		return r;
	key_tenant(&key, KEY_META, tenant);
	backend_batch_put(store->committer.batch, key_bytes(&key), buffer_bytes(&record));
	store->committer.has_new_tenant = true;
	return 0;
}

static int join_batch(struct store *store, struct store_commit *commit)
{
	struct committer *committer = &store->committer;
	size_t offset = 0, before = committer->n_changes;
	struct commit_change *change;

	for (size_t i = 0; i < commit->n_effects; i++) {
		int r = meet_tenant(store, commit->effects[i].ref.tenant);

		if (r < 0)
			return r;
	}
	if (commit->asset_change) {
		int r = meet_tenant(store, commit->asset_tenant);

		if (r == 0 && commit->asset_change == COMMIT_ASSET_DELETE)
			r = delete_handles(store, commit);
		if (r < 0)
			return r;
	}
	if (commit->has_event)
		commit_number_event(commit, ++committer->sequence);
	do {
		change = add_change(committer);
		if (!change) {
			committer->n_changes = before;
			return err_origin(-ENOMEM);
		}
	} while (commit_next_change(commit, &offset, change));
	committer->n_changes--;
	ledger_keep(&committer->ledger, commit);
	pending_add(&committer->pending, commit);
	if (commit->asset_change || commit->n_needs) {
		commit->next_of_assets = committer->of_assets;
		committer->of_assets = commit;
	}
	return 0;
}

static int compare_changes(const void *left, const void *right)
{
	const struct commit_change *a = left, *b = right;
	int order = key_compare(a->key, b->key);

	return order ? order : a->order < b->order ? -1 : 1;
}

/*
 * In the order of their keys: the database's table in memory is a sorted list, and a key that follows the last one is
 * inserted where that one was, without a search. Changes of one key keep their order, so the last one holds.
 */
static int fill_batch(struct store *store)
{
	struct committer *committer = &store->committer;
	int r = 0;

	qsort(committer->changes, committer->n_changes, sizeof(*committer->changes), compare_changes);
	for (size_t i = 0; i < committer->n_changes; i++) {
		const struct commit_change *change = &committer->changes[i];

		if (change->is_delete) {
			backend_batch_delete(committer->batch, change->key);
			continue;
		}
		backend_batch_put(committer->batch, change->key, change->value);
		if (r == 0)
			r = fronts_put(&store->fronts, change->key);
	}
	return r < 0 ? r : ledger_write(&committer->ledger, committer->batch);
}

static int write_measured(struct store *store, const struct store_commit *first)
{
	struct committer *committer = &store->committer;
	int64_t began_ms = clock_monotonic_ms(store->clock);
	uint64_t n = 0;
	int r = backend_write(store->backend, committer->batch,
			      MUTANT(ACK_BEFORE_SYNC) ? BACKEND_UNSYNCED : BACKEND_SYNCED);

	for (const struct store_commit *c = first; c; c = c->next)
		n += c->outcome == 0;
	metric_observe(&committer->commits, &metric_sizes, n);
	metric_observe(&committer->write_ms, &metric_durations_ms,
		       (uint64_t)(clock_monotonic_ms(store->clock) - began_ms));
	return r;
}

int committer_write(struct store *store, struct store_commit *first)
{
	struct committer *committer = &store->committer;
	int r;

	pending_clear(&committer->pending);
	backend_batch_clear(committer->batch);
	committer->n_changes = 0;
	committer->of_assets = NULL;
	committer->has_new_tenant = false;
	for (struct store_commit *c = first; c; c = c->next) {
		c->outcome = check(store, c);
		if (c->outcome == 0)
			c->outcome = join_batch(store, c);
		ledger_undo(&committer->ledger); /* of one that did not join */
	}
	if (committer->n_changes == 0 && !committer->has_new_tenant)
		return 0;

	r = fill_batch(store);
	FAILPOINT(COMMIT_BUILT);
	if (r == 0)
		r = write_measured(store, first);
	FAILPOINT(COMMIT_WRITTEN);
	fronts_written(&store->fronts);
	ledger_written(&committer->ledger);
	if (r == 0)
		atomic_store(&store->tail, committer->sequence);
	return r;
}

static void commit_batch(struct store *store, struct store_commit *first)
{
	int r = committer_write(store, first);

	if (r == 0) {
		store->on_batch(store->userdata, first);
		return;
	}
	store->committer.undecided = first;
	mend_note(store, r);
}

/* One bite of a trim that was asked for, so that commits never wait long behind it. */
static void trim(struct store *store)
{
	struct committer *committer = &store->committer;
	struct store_trim what;
	bool has_trim, has_more = false;

	pthread_mutex_lock(&committer->mutex);
	has_trim = committer->has_trim;
	what = committer->trim;
	committer->has_trim = false;
	pthread_mutex_unlock(&committer->mutex);

	if (!has_trim || !store_is_healthy(store))
		return;
	if (trim_some(store, &what, &has_more) == 0 && has_more)
		store_trim(store, &what);
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
		mend_look(store, false);
		if (!store_is_healthy(store))
			mend(store);
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
	pthread_mutex_unlock(&committer->mutex);
	pthread_cond_signal(&committer->wake); /* not before, or the thread wakes only to wait for the mutex */
}

static void raise_instant(int64_t *instant, int64_t to)
{
	if (to > *instant)
		*instant = to;
}

/* A trim that is still going on is overtaken by the later instants. */
void store_trim(struct store *store, const struct store_trim *trim)
{
	struct committer *committer = &store->committer;

	pthread_mutex_lock(&committer->mutex);
	if (committer->has_trim) {
		raise_instant(&committer->trim.events_before_ms, trim->events_before_ms);
		raise_instant(&committer->trim.tombstones_before_ms, trim->tombstones_before_ms);
		raise_instant(&committer->trim.orders_before_ms, trim->orders_before_ms);
	} else {
		committer->trim = *trim;
	}
	committer->has_trim = true;
	pthread_cond_signal(&committer->wake);
	pthread_mutex_unlock(&committer->mutex);
}

int committer_start(struct store *store)
{
	struct committer *committer = &store->committer;
	pthread_condattr_t attributes;
	int r;

	committer->batch = backend_batch_new();
	if (!committer->batch)
		return err_origin(-ENOMEM);
	pthread_mutex_init(&committer->mutex, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&committer->wake, &attributes);
	pthread_condattr_destroy(&attributes);
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
	free(committer->changes);
	ledger_finish(&committer->ledger);
}
