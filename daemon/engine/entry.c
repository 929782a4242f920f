/*
 * Entries: jobs in memory, their one activity, their one commit, and what waits for either.
 */
#include "engine/internal.h"

#include "engine/account.h"
#include "engine/lift.h"
#include "engine/money.h"
#include "engine/ops.h"
#include "engine/route.h"
#include "engine/run.h"
#include "engine/trouble.h"
#include "job/price.h"

#include <assert.h>
#include <utlist.h>

void *take_memory(size_t size)
{
	void *memory = calloc(1, size);

	if (!memory)
		abort();
	return memory;
}

char *take_text(const char *text)
{
	char *copy = text ? strdup(text) : NULL;

	if (text && !copy)
		abort();
	return copy;
}

struct log_job log_job_of(const struct job_ref *ref)
{
	struct log_job job = {.text = "jobs/"};

	id_format(&ref->id, job.text + 5);
	return job;
}

void explain_unreadable(int outcome, struct errmsg *ret)
{
	if (outcome == STORE_E_NEWER_FORMAT)
		errmsg_set(ret, "a later version of filmgated wrote it");
	else if (outcome == -EBADMSG)
		errmsg_set(ret, "its records are damaged; restore the data directory from a backup");
	else
		errmsg_set(ret, "%s", log_errno(outcome < 0 ? outcome : -ENOTRECOVERABLE));
}

int explain_unread_job(const struct job_ref *ref, int outcome, struct errmsg *words, struct engine_error *ret)
{
	struct errmsg why;

	if (outcome == STORE_E_NOT_FOUND) {
		errmsg_set(words, "there is no %s", log_id(ref));
		*ret = (struct engine_error){.text = words->text};
		return ENGINE_E_NOT_FOUND;
	}
	explain_unreadable(outcome, &why);
	log_error("a job cannot be read from the store", "job", log_id(ref), "why", why.text);
	*ret = (struct engine_error){.text = "the job cannot be read from the store; the daemon's log says why"};
	return ENGINE_E_STORE;
}

int64_t now_utc(const struct engine *engine)
{
	return clock_utc_ms(engine->config.clock);
}

int64_t backoff_ms(struct engine *engine, uint32_t tries, int64_t base_ms, int64_t cap_ms)
{
	int64_t span = base_ms;

	for (uint32_t i = 0; i < tries && span < cap_ms; i++)
		span *= 2;
	if (span > cap_ms)
		span = cap_ms;
	return 1 + (int64_t)((double)span * rand_r(&engine->jitter) / ((double)RAND_MAX + 1));
}

/* ---- finding and freeing ---- */

struct entry *entry_find(struct engine *engine, const struct job_ref *ref)
{
	struct entry *entry;

	HASH_FIND(hh, engine->entries, ref, sizeof(*ref), entry);
	return entry;
}

static void on_timer(void *userdata)
{
	struct entry *entry = userdata;

	entry->is_timer_due = true;
	entry_pump(entry);
}

static struct entry *add_entry(struct engine *engine, const struct job_ref *ref)
{
	struct entry *entry = take_memory(sizeof(*entry));

	entry->engine = engine;
	entry->ref = *ref;
	loop_timer_init(&entry->timer, engine->loop, on_timer, entry);
	HASH_ADD(hh, engine->entries, ref, sizeof(entry->ref), entry);
	return entry;
}

static void free_entry(struct entry *entry)
{
	assert(!entry->is_committing && !entry->ops && !entry->op && !entry->arrived);
	if (entry->holds_slot)
		lane_release_slot(entry);
	loop_timer_cancel(&entry->timer);
	HASH_DEL(entry->engine->entries, entry);
	run_abandon(entry);
	job_free(entry->job);
	job_free(entry->moved);
	job_status_free(entry->status);
	job_status_free(entry->unreserved);
	free(entry->posted);
	free(entry->key);
	free(entry->facts);
	free(entry);
}

void entry_forget(struct entry *entry)
{
	struct op *op, *next;

	run_abandon(entry);
	if (entry->op)
		op_dismiss(steal(entry->op));
	LL_FOREACH_SAFE(entry->ops, op, next) {
		LL_DELETE(entry->ops, op);
		op_dismiss(op);
	}
	store_commit_free(entry->change);
	entry->holds_slot = false;
	entry->is_committing = false;
	free_entry(entry);
}

static void note_committed(struct entry *entry)
{
	entry->revision = entry->status->revision;
	entry->is_state_changed = false;
	entry->index = store_index_of(entry->job, entry->status);
}

/* A lane may have taken it up that it has left since the queue was read. */
static void set_lane(struct entry *entry)
{
	struct lane *lane = lane_find(entry->engine, entry->job->provider);

	if (entry->lane && entry->lane != lane && entry->holds_slot) {
		account_undo_start(entry->lane);
		lane_release_slot(entry);
	}
	entry->lane = lane;
}

static void fill_entry(struct entry *entry, struct job_view *take)
{
	entry->job = take->job;
	entry->status = take->status;
	*take = (struct job_view){0};
	set_lane(entry);
	note_committed(entry);
}

struct entry *entry_adopt(struct engine *engine, struct job_view *take)
{
	struct entry *entry = add_entry(engine, &take->job->ref);

	fill_entry(entry, take);
	return entry;
}

struct loaded {
	struct arrival arrival;
	int outcome;
	struct job_view view;
};

static void discard_loaded(struct arrival *arrival)
{
	struct loaded *loaded = (struct loaded *)arrival;

	job_view_finish(&loaded->view);
	free(loaded);
}

static void handle_loaded(struct entry *entry, struct arrival *arrival)
{
	struct loaded *loaded = (struct loaded *)arrival;
	struct op *op, *next;

	entry->activity = ACTIVITY_NONE;
	if (loaded->outcome == 0) {
		fill_entry(entry, &loaded->view);
		free(loaded);
		return;
	}
	LL_FOREACH_SAFE(entry->ops, op, next) {
		LL_DELETE(entry->ops, op);
		op_fail_load(op, loaded->outcome);
	}
	free(loaded);
}

/* [reader thread] */
static void on_load(void *userdata, int outcome, struct job_view *take)
{
	struct loaded *loaded = userdata;

	loaded->outcome = outcome;
	if (outcome == 0) {
		loaded->view = *take;
		*take = (struct job_view){0};
	}
	arrival_post(&loaded->arrival);
}

struct entry *entry_open(struct engine *engine, const struct job_ref *ref)
{
	struct entry *entry = entry_find(engine, ref);
	struct loaded *loaded;

	if (entry)
		return entry;
	entry = add_entry(engine, ref);
	entry_start_activity(entry, ACTIVITY_LOAD);
	loaded = entry_expect(entry, sizeof(*loaded), handle_loaded, discard_loaded);
	store_get_job(engine->store, ref, on_load, loaded);
	return entry;
}

void entry_view(const struct entry *entry, struct job_view *ret)
{
	ret->job = job_copy(entry->job);
	ret->status = job_status_copy(entry->status);
	if (!ret->job || !ret->status)
		abort();
}

/* ---- the one activity ---- */

uint64_t entry_start_activity(struct entry *entry, enum activity activity)
{
	assert(entry->activity == ACTIVITY_NONE);
	entry->activity = activity;
	return ++entry->ticket;
}

void *entry_expect(struct entry *entry, size_t size, void (*handle)(struct entry *, struct arrival *),
		   void (*discard)(struct arrival *))
{
	struct arrival *arrival = take_memory(size);

	arrival->engine = entry->engine;
	arrival->ref = entry->ref;
	arrival->ticket = entry->ticket;
	arrival->handle = handle;
	arrival->discard = discard;
	return arrival;
}

void entry_interrupt(struct entry *entry)
{
	if (entry->activity == ACTIVITY_EXCHANGE || entry->activity == ACTIVITY_FETCH)
		http_cancel(entry->engine->config.http, entry->http_id);
	loop_timer_cancel(&entry->timer);
	entry->lift = lift_free(entry->lift);
	entry->is_timer_due = false;
	entry->activity = ACTIVITY_NONE;
	entry->ticket++;
	if (entry->arrived) {
		entry->arrived->discard(entry->arrived);
		entry->arrived = NULL;
	}
}

void entry_sleep(struct entry *entry, int64_t delay_ms, void (*then)(struct entry *entry))
{
	entry_start_activity(entry, ACTIVITY_TIMER);
	entry->on_timer = then;
	loop_timer_arm(&entry->timer, delay_ms);
}

static void deliver(struct entry *entry, struct arrival *arrival)
{
	entry->activity = ACTIVITY_NONE;
	arrival->handle(entry, arrival);
}

static void on_arrival(struct loop_message *message)
{
	struct arrival *arrival = loop_message_owner(message, struct arrival, message);
	struct entry *entry = entry_find(arrival->engine, &arrival->ref);

	if (!entry || arrival->ticket != entry->ticket || atomic_load(&entry->engine->phase) == ENGINE_PHASE_STOPPED) {
		arrival->discard(arrival);
		return;
	}
	assert(!entry->arrived);
	entry->arrived = arrival;
	entry_pump(entry);
}

void arrival_post(struct arrival *arrival)
{
	arrival->message.run = on_arrival;
	loop_post(arrival->engine->loop, &arrival->message);
}

/* ---- the one commit ---- */

void entry_begin(struct entry *entry)
{
	assert(!entry->is_committing && !entry->change);
	entry->change = store_commit_new();
	if (!entry->change)
		abort();
	store_commit_expect_revision(entry->change, &entry->ref, entry->revision);
}

/* What waits is counted by every move into the queue and out of it; only acceptance and the start count for themselves. */
static void count_queued(struct entry *entry, uint64_t more)
{
	atomic_fetch_add(&entry->engine->queued, more);
	if (entry->lane)
		atomic_fetch_add(&entry->lane->queued, more);
}

void entry_move(struct entry *entry, enum job_state to)
{
	if (!entry->change)
		entry_begin(entry);
	if (to == JOB_STATE_QUEUED)
		count_queued(entry, 1);
	else if (entry->status->state == JOB_STATE_QUEUED)
		count_queued(entry, UINT64_MAX);
	job_move(entry->status, to, now_utc(entry->engine));
}

static void answer_failed_commit(struct entry *entry, int outcome)
{
	struct errmsg why;

	trouble_explain(entry->engine, &why);
	log_error("change of a job was not stored", "job", log_id(&entry->ref), "outcome", log_int(outcome));
	if (entry->op)
		op_refuse(steal(entry->op), ENGINE_E_STORE, why.text);
}

/* What memory holds was not stored: it is read again if anybody still asks. */
static void forget(struct entry *entry)
{
	struct loaded *loaded;

	entry_interrupt(entry);
	run_abandon(entry);
	entry->job = job_free(entry->job);
	entry->moved = job_free(entry->moved);
	entry->status = job_status_free(entry->status);
	entry->unreserved = job_status_free(entry->unreserved);
	free(steal(entry->posted));
	if (!entry->ops)
		return;
	entry_start_activity(entry, ACTIVITY_LOAD);
	loaded = entry_expect(entry, sizeof(*loaded), handle_loaded, discard_loaded);
	store_get_job(entry->engine->store, &entry->ref, on_load, loaded);
}

/* A change that was not stored has no effect: somebody else changed the job, or the store was closed over it. */
static void on_committed(struct engine *engine, struct submission *submission, const struct store_commit *commit)
{
	struct entry *entry = (struct entry *)((char *)submission - offsetof(struct entry, submission));
	int outcome = store_commit_outcome(commit);
	void (*then)(struct entry *) = entry->after_commit;

	entry->is_committing = false;
	entry->after_commit = NULL;
	if (atomic_load(&engine->phase) == ENGINE_PHASE_STOPPED)
		return;
	if (outcome == 0) {
		enum job_state from = entry->index.state;
		struct figures *figures = figures_of(entry);

		money_note_committed(entry);
		route_note_committed(entry);
		note_committed(entry);
		figures_note_change(entry, figures, from);
		if (then)
			then(entry);
	} else if (outcome == STORE_E_OVER_BUDGET && entry->unreserved) {
		money_step_back(entry, store_commit_over_budget(commit));
	} else {
		answer_failed_commit(entry, outcome);
		forget(entry);
	}
	entry_pump(entry);
}

void entry_submit(struct entry *entry, enum job_event kind, void (*then)(struct entry *entry))
{
	struct store_commit *commit = steal(entry->change);
	const struct job *job = entry->moved ? entry->moved : entry->job;

	if (entry->status->revision == entry->revision)
		job_touch(entry->status, now_utc(entry->engine));
	job_status_check(entry->status);
	money_follow(entry, commit);
	if (entry->moved)
		store_commit_put_job(commit, entry->moved);
	store_commit_put_status(commit, job, &entry->index, entry->status);
	store_commit_put_event(commit, kind, job, entry->status);
	entry_hand_over(entry, commit, then);
}

void entry_hand_over(struct entry *entry, struct store_commit *take, void (*then)(struct entry *entry))
{
	entry->is_committing = true;
	entry->after_commit = then;
	entry->submission.on_committed = on_committed;
	store_commit_be_patient(take);
	store_submit(entry->engine->store, take, &entry->submission);
	trouble_answer(entry);
}

void entry_fail(struct entry *entry, enum job_state to, const struct job_failure *failure,
		void (*then)(struct entry *entry))
{
	struct job_attempt *attempt = job_current_attempt(entry->status);
	/* That this attempt bought nothing says nothing about an earlier one that was given up. */
	struct job_failure of_job = *failure;

	if (!entry->change)
		entry_begin(entry);
	if (failure->purchase == JOB_PURCHASE_NOTHING && job_count_undecided(entry->status))
		of_job.purchase = JOB_PURCHASE_UNKNOWN;
	if (job_failure_copy(&of_job, &entry->status->failure) < 0 ||
	    job_settle(entry->status, &entry->job->quote, of_job.purchase) < 0)
		abort();
	if (attempt && attempt->ended_ms == 0) {
		attempt->ended_ms = now_utc(entry->engine);
		if (job_failure_copy(failure, &attempt->failure) < 0)
			abort();
		store_commit_put_attempt(entry->change, &entry->ref, attempt);
	}
	entry_move(entry, to);
	entry_submit(entry, JOB_EVENT_STATE, then);
}

/* ---- going on ---- */

void entry_queue_op(struct entry *entry, struct op *op)
{
	op->next = NULL;
	LL_APPEND(entry->ops, op);
}

static bool handle_next_op(struct entry *entry)
{
	struct op *op = entry->ops;

	if (!op || entry->op || entry->verb || !entry->status)
		return false;
	LL_DELETE(entry->ops, op);
	if (op_handle(entry, op))
		return true;
	LL_PREPEND(entry->ops, op);
	return false;
}

static bool handle_arrival(struct entry *entry)
{
	struct arrival *arrival = entry->arrived;

	if (!arrival)
		return false;
	entry->arrived = NULL;
	deliver(entry, arrival);
	return true;
}

static bool handle_timer(struct entry *entry)
{
	void (*then)(struct entry *) = entry->on_timer;

	if (!entry->is_timer_due)
		return false;
	entry->is_timer_due = false;
	entry->activity = ACTIVITY_NONE;
	then(entry);
	return true;
}

static bool is_idle(const struct entry *entry)
{
	return entry->activity == ACTIVITY_NONE && !entry->is_committing && !entry->ops && !entry->op &&
	       !entry->arrived && !entry->verb && !entry->fetch &&
	       !(entry->status && job_state_is_active(entry->status->state));
}

/* What was decided first goes first: a finished activity before a new request. */
void entry_pump(struct entry *entry)
{
	while (!entry->is_committing) {
		if (handle_arrival(entry) || handle_timer(entry) || handle_next_op(entry))
			continue;
		break;
	}
	if (is_idle(entry))
		free_entry(entry);
}
