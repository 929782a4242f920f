#include "store/internal.h"

#include "base/log.h"

/*
 * When a write has failed, nobody knows whether its batch is on disk: not the database, whose log may hold all of it, a
 * torn part or nothing, and not the kernel, which after a failed sync may take lost pages for clean. So its commits are
 * told nothing, and nothing more is written through the open database. It goes on being read: what it shows was synced
 * before. As soon as a file that is written beside it lasts, it is closed and opened again, as after a crash, and what
 * the log then has is written anew by the opening itself. A batch is in it as a whole or not at all, and what it was to
 * change is still in memory: if all of that is there it was written, and is reported as such; else it is checked and
 * written once more. Whoever waits for a change sees nothing of all this but that it took long: no reply to a paid
 * request is lost, no event is shown that was not kept, and none is left out.
 *
 * Only what nobody has to wait for ends at once: acceptance, whose clients repeat their request.
 */

struct commits {
	struct store_commit *first, *last;
};

static void append(struct commits *list, struct store_commit *commit)
{
	commit->next = NULL;
	if (list->first)
		list->last->next = commit;
	else
		list->first = commit;
	list->last = commit;
}

/* Both keep their order. */
static void part(struct store_commit *all, struct commits *ret_patient, struct commits *ret_others)
{
	struct store_commit *commit = all, *next;

	*ret_patient = *ret_others = (struct commits){0};
	for (; commit; commit = next) {
		next = commit->next;
		append(commit->is_patient ? ret_patient : ret_others, commit);
	}
}

static void refuse(struct store *store, struct store_commit *first, int outcome)
{
	if (!first)
		return;
	for (struct store_commit *commit = first; commit; commit = commit->next)
		commit->outcome = outcome;
	store->on_batch(store->userdata, first);
}

static void tell_change(const struct store *store)
{
	if (store->on_change)
		store->on_change(store->userdata);
}

/* ---- the disk ---- */

/* Of the system: these are waits in this thread, whatever the clock of the store says. */
static int64_t monotonic_ms(void)
{
	return clock_monotonic_ms(&clock_system);
}

static void note_room(struct store *store, uint64_t free_bytes)
{
	bool was_short = store_is_short(store);
	uint64_t enough = store->floor_bytes + (was_short ? store->floor_bytes / LIMIT_STORE_FLOOR_MORE : 0);
	bool is_short = free_bytes < enough;

	atomic_store(&store->free_bytes, free_bytes);
	atomic_store(&store->is_short, is_short);
	if (is_short == was_short)
		return;
	if (is_short)
		log_warning(
			"the store takes nothing new: what is free on its disk is for the jobs under way; make room",
			"store", store->folder.records_path, "free_bytes", log_int((int64_t)free_bytes), "floor_bytes",
			log_int((int64_t)store->floor_bytes));
	else
		log_info("there is room on the store's disk again", "store", store->folder.records_path, "free_bytes",
			 log_int((int64_t)free_bytes));
	tell_change(store);
}

void mend_look(struct store *store, bool is_now)
{
	int64_t now_ms = monotonic_ms();
	uint64_t free_bytes;

	if (!is_now && now_ms - store->committer.looked_ms < LIMIT_STORE_LOOK_MS)
		return;
	store->committer.looked_ms = now_ms;
	if (folder_measure(&store->folder, &free_bytes) == 0)
		note_room(store, free_bytes);
	if (store_is_healthy(store) && backend_is_failing(store->backend))
		mend_note(store, -EIO);
}

void mend_note(struct store *store, int error)
{
	metric_add(&store->committer.failures, 1);
	atomic_store(&store->failure, error);
	if (atomic_exchange(&store->has_failed, true))
		return;
	log_error(
		"the store failed to write and takes nothing for now; it goes on by itself when its disk can be written "
		"to again: make room there if it is full, else look at it",
		"store", store->folder.records_path, "error", log_errno(error));
	tell_change(store);
}

/* ---- what became of the batch ---- */

/* Is this what the database says of its key? */
static int is_there(struct store *store, const struct commit_change *change, bool *ret)
{
	_cleanup_(backend_value_finish) struct backend_value value = {0};
	int r = backend_get(store->backend, change->key, &value);

	if (r < 0)
		return r;
	*ret = change->is_delete ? r == STORE_E_NOT_FOUND : r == 0 && bytes_equal(value.bytes, change->value);
	return 0;
}

/* They lie in the order of their keys; of one key the last holds. */
static int is_written(struct store *store, bool *ret)
{
	const struct committer *committer = &store->committer;
	int r = 0;

	*ret = true;
	for (size_t i = 0; r == 0 && *ret && i < committer->n_changes; i++) {
		const struct commit_change *change = &committer->changes[i];

		if (i + 1 < committer->n_changes && bytes_equal(change->key, change[1].key))
			continue;
		r = is_there(store, change, ret);
	}
	return r;
}

/* As it stands in the database now; else it is written again, without those who have gone. */
static int decide(struct store *store)
{
	struct committer *committer = &store->committer;
	struct store_commit *undecided = steal(committer->undecided);
	struct commits patient, others;
	bool is_kept = false;
	int r = undecided ? is_written(store, &is_kept) : 0;

	if (r < 0) {
		committer->undecided = undecided;
		return r;
	}
	if (is_kept) {
		atomic_store(&store->tail, committer->sequence);
		store->on_batch(store->userdata, undecided);
		return 0;
	}
	part(undecided, &patient, &others);
	refuse(store, others.first, STORE_E_UNHEALTHY);
	if (!patient.first)
		return 0;
	r = committer_write(store, patient.first);
	if (r == 0)
		store->on_batch(store->userdata, patient.first);
	else
		committer->undecided = patient.first;
	return r;
}

/* ---- opening it again ---- */

/* What memory says of the database is forgotten. The numbers that were given out are not: memory is never behind it. */
static int forget(struct store *store)
{
	ledger_forget(&store->committer.ledger);
	fronts_forget(&store->fronts);
	tenants_forget(&store->tenants);
	return store_load_tenants(store);
}

static int reopen(struct store *store, struct errmsg *msg)
{
	int r;

	pthread_rwlock_wrlock(&store->database);
	r = backend_reopen(store->backend, store->folder.records_path, msg);
	if (r == 0) {
		r = store_prove(store);
		if (r < 0)
			errmsg_set(msg, "%s: %s",
				   r == -ESTALE ? "what lies there is another store than before"
						: "it opens and is not written to",
				   strerror(-r));
	}
	if (r == 0) {
		r = forget(store);
		if (r < 0)
			store_explain(store, r, msg);
	}
	pthread_rwlock_unlock(&store->database);
	return r;
}

static int probe(struct store *store, struct errmsg *msg)
{
	int r;

	mend_look(store, true);
	r = atomic_load(&store->free_bytes) < store->floor_bytes ? -ENOSPC : folder_probe(&store->folder);
	if (r == -ENOSPC)
		errmsg_set(msg, "its disk has %llu MiB left, and it needs %llu",
			   (unsigned long long)(atomic_load(&store->free_bytes) >> 20),
			   (unsigned long long)(store->floor_bytes >> 20));
	else if (r < 0)
		errmsg_set(msg, "a file beside it cannot be written: %s", strerror(-r));
	return r;
}

static int try_to_mend(struct store *store, struct errmsg *msg)
{
	int r = probe(store, msg);

	if (r == 0)
		r = reopen(store, msg);
	if (r != 0)
		return r;
	r = decide(store);
	if (r < 0) {
		errmsg_set(msg, "it fails to write again: %s", strerror(-r));
		metric_add(&store->committer.failures, 1);
	}
	return r;
}

/* ---- waiting ---- */

/* Of those that came meanwhile. */
static struct store_commit *take_others(struct committer *committer)
{
	struct commits patient, others;

	part(committer->first, &patient, &others);
	committer->first = patient.first;
	committer->last = patient.last;
	return others.first;
}

/* False: the store is being closed. */
static bool wait_for_try(struct store *store, int64_t delay_ms)
{
	struct committer *committer = &store->committer;
	int64_t until_ms = monotonic_ms() + delay_ms;
	bool is_stopping;

	pthread_mutex_lock(&committer->mutex);
	for (;;) {
		struct store_commit *others = take_others(committer);
		int64_t left_ms = until_ms - monotonic_ms();

		if (others) {
			pthread_mutex_unlock(&committer->mutex);
			refuse(store, others, STORE_E_UNHEALTHY);
			pthread_mutex_lock(&committer->mutex);
			continue;
		}
		if (left_ms <= 0 || committer->is_stopping)
			break;
		committer_wait(committer, left_ms);
	}
	is_stopping = committer->is_stopping;
	pthread_mutex_unlock(&committer->mutex);
	return !is_stopping;
}

/* Nobody will know it in this life. */
static void give_up(struct store *store)
{
	struct committer *committer = &store->committer;
	struct store_commit *waiting;

	refuse(store, steal(committer->undecided), atomic_load(&store->failure));
	pthread_mutex_lock(&committer->mutex);
	waiting = steal(committer->first);
	pthread_mutex_unlock(&committer->mutex);
	refuse(store, waiting, STORE_E_UNHEALTHY);
}

static void tell_mended(struct store *store, int64_t began_ms)
{
	atomic_store(&store->has_failed, false);
	log_info("the store can be written to again", "store", store->folder.records_path, "after_ms",
		 log_int(monotonic_ms() - began_ms));
	tell_change(store);
}

void mend(struct store *store)
{
	int64_t began_ms = monotonic_ms(), delay_ms = LIMIT_STORE_MEND_BASE_MS;
	struct errmsg why = {""}, last = {""};
	bool is_told = false;

	while (try_to_mend(store, &why) != 0) {
		if (strcmp(why.text, last.text) != 0)
			log_warning("the store cannot be written to yet", "store", store->folder.records_path, "why",
				    why.text);
		last = why;
		if (!is_told && store->on_trouble)
			store->on_trouble(store->userdata, store->committer.undecided);
		is_told = true;
		if (!wait_for_try(store, delay_ms)) {
			if (try_to_mend(store, &why) == 0)
				break;
			give_up(store);
			return;
		}
		delay_ms = delay_ms * 2 < LIMIT_STORE_MEND_CAP_MS ? delay_ms * 2 : LIMIT_STORE_MEND_CAP_MS;
	}
	tell_mended(store, began_ms);
}
