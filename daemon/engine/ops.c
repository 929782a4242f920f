/*
 * Cancel, update, delete, deadline and start, each as one short change of a job's entry; what a person decides is
 * resolve.c's.
 */
#include "engine/ops.h"

#include "base/failpoint.h"
#include "engine/account.h"
#include "engine/budget.h"
#include "engine/held.h"
#include "engine/jump.h"
#include "engine/money.h"
#include "engine/route.h"
#include "engine/run.h"
#include "engine/trouble.h"
#include "engine/verb.h"

#include <assert.h>
#include <utlist.h>

struct op *op_new(struct engine *engine, enum op_kind kind, const struct job_ref *ref)
{
	struct op *op = take_memory(sizeof(*op));

	op->engine = engine;
	op->kind = kind;
	op->ref = *ref;
	return op;
}

static void free_op(struct op *op)
{
	for (size_t i = 0; i < op->update.n_labels; i++) {
		free(op->update.labels[i].key);
		free(op->update.labels[i].value);
	}
	free((void *)(uintptr_t)op->update.labels);
	free((void *)(uintptr_t)op->update.display_name);
	free((void *)(uintptr_t)op->resolve.remote_id);
	free(op);
}

void op_answer(struct op *op, int outcome, const struct engine_error *error, struct job_view *take)
{
	struct job_view none = {0};

	if (op->job_fn)
		op->job_fn(op->userdata, outcome, error, take ? take : &none, false);
	if (op->done_fn)
		op->done_fn(op->userdata, outcome, error);
	if (take)
		job_view_finish(take);
	free_op(op);
}

static void answer_view(struct op *op, const struct entry *entry)
{
	struct job_view view;

	entry_view(entry, &view);
	op_answer(op, 0, NULL, &view);
}

void op_refuse(struct op *op, int outcome, const char *text)
{
	op_answer(op, outcome, &(struct engine_error){.text = text}, NULL);
}

bool op_is_asked(const struct op *op)
{
	return op->job_fn || op->done_fn;
}

void op_fail_load(struct op *op, int outcome)
{
	struct engine_error error;
	struct errmsg words;
	int r = explain_unread_job(&op->ref, outcome, &words, &error);

	op_answer(op, r, &error, NULL);
}

void op_dismiss(struct op *op)
{
	op_refuse(op, ENGINE_E_DRAINING, "the daemon is shutting down; ask again when it is back");
}

static void on_op(struct loop_message *message)
{
	struct op *op = loop_message_owner(message, struct op, message);
	struct entry *entry;
	struct errmsg why;

	if (atomic_load(&op->engine->phase) >= ENGINE_PHASE_DRAINING) {
		op_dismiss(op);
		return;
	}
	if (op_is_asked(op) && !trouble_takes_changes(op->engine, &why)) {
		op_refuse(op, ENGINE_E_STORE, why.text);
		return;
	}
	entry = entry_open(op->engine, &op->ref);
	entry_queue_op(entry, op);
	entry_pump(entry);
}

void op_post(struct op *op)
{
	op->message.run = on_op;
	loop_post(op->engine->loop, &op->message);
}

/* ---- the moment a commit for entry->op has succeeded ---- */

void op_answer_committed(struct entry *entry)
{
	struct op *op = steal(entry->op);

	if (op)
		answer_view(op, entry);
}

static void answer_ended(struct entry *entry)
{
	lane_release_slot(entry);
	op_answer_committed(entry);
	if (entry->index.is_awaited)
		settle_begin(entry);
}

/* ---- start ---- */

/* The queue was read a while ago: it has been started, or has ended, or it waits again. */
static void undo_start(struct entry *entry)
{
	if (entry->lane)
		account_undo_start(entry->lane);
	if (!job_state_is_active(entry->status->state))
		lane_release_slot(entry);
}

static bool handle_start(struct entry *entry, struct op *op)
{
	const struct job_status *status = entry->status;

	free_op(op);
	/* It has gone on to another lane, which starts it in its turn. */
	if (!entry->holds_slot)
		return true;
	if (status->state != JOB_STATE_QUEUED || !entry->lane || entry->activity != ACTIVITY_NONE) {
		undo_start(entry);
		return true;
	}
	/* It was due when the queue was read: the clock went back. */
	if (status->wait_until_ms > now_utc(entry->engine)) {
		lane_notice(entry->lane, &entry->index);
		undo_start(entry);
		return true;
	}
	if (held_is(entry)) {
		undo_start(entry);
		held_wait(entry);
	} else {
		run_begin(entry);
	}
	return true;
}

/* There may be room in the budget that it waits for, or the clock went back: it takes its place in the queue again. */
static bool handle_wake(struct entry *entry, struct op *op)
{
	struct job_status *status = entry->status;

	free_op(op);
	if (status->state != JOB_STATE_QUEUED || entry->activity != ACTIVITY_NONE)
		return true;
	if (status->wait != JOB_WAIT_BUDGET && !jump_has_stretched(entry))
		return true;
	entry_begin(entry);
	if (status->wait == JOB_WAIT_BUDGET) {
		status->wait = JOB_WAIT_NONE;
		status->wait_until_ms = 0;
	} else {
		jump_restore(entry);
	}
	entry_submit(entry, JOB_EVENT_PROGRESS, run_after_update);
	return true;
}

/* ---- cancel ---- */

static void end_cancelled(struct entry *entry, enum job_cancel_outcome achieved)
{
	bool is_in_doubt = achieved == JOB_CANCEL_NEVER_SENT && job_count_undecided(entry->status) > 0;
	bool is_running = entry->status->state == JOB_STATE_RUNNING;
	struct errmsg words;
	struct job_failure failure = {
		.reason = JOB_REASON_CANCELLED,
		.purchase = is_running ? JOB_PURCHASE_MADE : held_purchase(entry),
		.message = words.text,
	};

	if (is_in_doubt)
		errmsg_set(&words, "cancelled here; an earlier attempt may have been bought");
	else if (achieved == JOB_CANCEL_DETACHED && is_running)
		errmsg_set(&words, "cancelled here; the provider has no way to stop it, finishes it and bills it");
	else
		errmsg_set(&words, "cancelled%s", is_running ? "" : held_words(entry));
	entry_interrupt(entry);
	run_abandon(entry);
	entry_begin(entry);
	if (!entry->status->cancel_requested_ms)
		entry->status->cancel_requested_ms = now_utc(entry->engine);
	entry->status->cancel_outcome = is_in_doubt ? JOB_CANCEL_DETACHED : achieved;
	if (achieved == JOB_CANCEL_DETACHED)
		settle_await(entry);
	FAILPOINT(CANCEL_BEFORE);
	entry_fail(entry, JOB_STATE_CANCELLED, &failure, answer_ended);
}

/* STARTING and UNCERTAIN: the wish is kept and takes effect when it is known what was bought. */
static void keep_wish(struct entry *entry)
{
	if (entry->status->cancel_requested_ms) {
		op_answer_committed(entry);
		return;
	}
	entry_begin(entry);
	entry->status->cancel_requested_ms = now_utc(entry->engine);
	entry->status->cancel_outcome = JOB_CANCEL_REQUESTED;
	entry_submit(entry, JOB_EVENT_PROGRESS, op_answer_committed);
}

static void answer_too_late(struct entry *entry)
{
	struct op *op = steal(entry->op);
	struct job_view view;

	if (!op)
		return;
	entry_view(entry, &view);
	if (view.status->state != JOB_STATE_CANCELLED)
		view.status->cancel_outcome = JOB_CANCEL_TOO_LATE;
	op_answer(op, 0, NULL, &view);
}

static void go_on(struct entry *entry)
{
	answer_too_late(entry);
	run_resume(entry);
}

/*
 * What the provider's cancel came to; 0 with JOB_CANCEL_TOO_LATE lets the job go on. That it was to end is kept: should
 * nothing come of it there, it is not ordered again, nor elsewhere.
 */
static void on_cancel_verb(struct entry *entry, const struct verb_result *result)
{
	if (result->outcome == 0 && result->cancel == JOB_CANCEL_TOO_LATE) {
		entry_begin(entry);
		if (!entry->status->cancel_requested_ms)
			entry->status->cancel_requested_ms = now_utc(entry->engine);
		entry->status->cancel_outcome = JOB_CANCEL_TOO_LATE;
		entry_submit(entry, JOB_EVENT_PROGRESS, go_on);
		return;
	}
	end_cancelled(entry, result->outcome == 0 && result->cancel == JOB_CANCEL_UPSTREAM ? JOB_CANCEL_UPSTREAM
											   : JOB_CANCEL_DETACHED);
}

static void cancel(struct entry *entry)
{
	switch (entry->status->state) {
	case JOB_STATE_QUEUED:
	case JOB_STATE_PREPARING:
		end_cancelled(entry, held_is(entry) ? JOB_CANCEL_DETACHED : JOB_CANCEL_NEVER_SENT);
		break;
	case JOB_STATE_STARTING:
	case JOB_STATE_UNCERTAIN:
		keep_wish(entry);
		break;
	case JOB_STATE_RUNNING:
		if (lane_can_continue(entry->lane, entry->status) && verb_is_offered(entry->lane, PLUGIN_VERB_CANCEL)) {
			entry_interrupt(entry);
			run_abandon(entry);
			verb_run_job(entry, PLUGIN_VERB_CANCEL, on_cancel_verb);
		} else {
			end_cancelled(entry, JOB_CANCEL_DETACHED);
		}
		break;
	default:
		answer_too_late(entry);
	}
}

static bool handle_cancel(struct entry *entry, struct op *op)
{
	if (entry->activity == ACTIVITY_STEP)
		return false;
	entry->op = op;
	cancel(entry);
	return true;
}

bool op_obey_wish(struct entry *entry)
{
	if (entry->status->cancel_outcome != JOB_CANCEL_REQUESTED || entry->op)
		return false;
	cancel(entry);
	return true;
}

bool op_is_ending(const struct entry *entry)
{
	const struct op *op;

	LL_FOREACH(entry->ops, op)
		if (op->kind == OP_CANCEL ||
		    (op->kind == OP_DEADLINE && job_deadline_ms(entry->job, entry->status) <= now_utc(entry->engine)))
			return true;
	return false;
}

/* ---- update ---- */

/* What has not been bought yet is an order anew: with its new labels it has to fit where it would have had to before. */
static bool refuses_labels(const struct entry *entry, struct op *op)
{
	const struct job_status as_updated = {.labels = (struct job_label *)(uintptr_t)op->update.labels,
					      .n_labels = op->update.n_labels};
	enum job_state state = entry->status->state;
	struct errmsg why;
	struct engine_violation violation = {.field = "labels", .text = why.text};

	if (!op->update.has_labels || (state != JOB_STATE_QUEUED && state != JOB_STATE_PREPARING) ||
	    !money_refuses(entry->engine, entry->job, &as_updated, &why))
		return false;
	op_answer(op, ENGINE_E_INVALID,
		  &(struct engine_error){.text = why.text, .violations = &violation, .n_violations = 1}, NULL);
	return true;
}

/* The budget that it waits for may be another one now, or none. */
static void leave_budget(struct entry *entry)
{
	struct job_status *status = entry->status;

	budget_leave(entry);
	if (status->state != JOB_STATE_QUEUED || status->wait != JOB_WAIT_BUDGET)
		return;
	status->wait = JOB_WAIT_NONE;
	status->wait_until_ms = 0;
}

static bool handle_update(struct entry *entry, struct op *op)
{
	const struct engine_update *update = &op->update;
	struct job_status *status = entry->status;

	if (update->expected_revision && update->expected_revision != status->revision) {
		op_refuse(op, ENGINE_E_REVISION, "the job has changed since; read it again and repeat the update");
		return true;
	}
	if (refuses_labels(entry, op))
		return true;
	entry->op = op;
	entry_begin(entry);
	if (update->has_labels)
		leave_budget(entry);
	if (update->has_priority)
		status->priority = update->priority;
	if (update->has_labels && ledger_keep_labels(status) < 0)
		abort();
	if ((update->has_display_name && job_set_text(&status->display_name, update->display_name) < 0) ||
	    (update->has_labels && job_set_labels(status, update->labels, update->n_labels) < 0))
		abort();
	entry_submit(entry, JOB_EVENT_UPDATED, run_after_update);
	return true;
}

/* ---- delete ---- */

/* Whoever asked behind the deletion asked for a job that is no more. */
static void answer_deleted(struct entry *entry)
{
	struct op *op = steal(entry->op), *next;

	FAILPOINT(DELETE_AFTER);
	for (size_t i = 0; i < entry->status->n_artifacts; i++)
		collect_if_unreferenced(entry->engine, &entry->status->artifacts[i].sha256);
	if (op)
		op_answer(op, 0, NULL, NULL);
	entry->job = job_free(entry->job);
	entry->status = job_status_free(entry->status);
	LL_FOREACH_SAFE(entry->ops, op, next) {
		LL_DELETE(entry->ops, op);
		op_fail_load(op, STORE_E_NOT_FOUND);
	}
}

static void delete_record(struct entry *entry)
{
	struct store_commit *commit;

	/* What it cost is not heard any more. */
	entry_interrupt(entry);
	run_abandon(entry);
	entry_begin(entry);
	job_touch(entry->status, now_utc(entry->engine));
	commit = steal(entry->change);
	money_close(entry, commit);
	store_commit_delete_job(commit, entry->job, &entry->index, entry->status);
	FAILPOINT(DELETE_BEFORE);
	store_commit_put_event(commit, JOB_EVENT_DELETED, entry->job, entry->status);
	entry_hand_over(entry, commit, answer_deleted);
}

static void on_remove_verb(struct entry *entry, const struct verb_result *result)
{
	struct errmsg why;

	if (result->outcome == 0) {
		delete_record(entry);
		return;
	}
	errmsg_set(&why, "%.300s; nothing was deleted: try again later, or delete the job without its remote copy",
		   result->text);
	op_refuse(steal(entry->op), result->outcome, why.text);
	if (entry->index.is_awaited)
		settle_begin(entry);
}

/* What a job came to that ended while its provider goes on is not asked meanwhile: its end may not meet the deletion's. */
static void remove_remote(struct entry *entry)
{
	entry_interrupt(entry);
	run_abandon(entry);
	verb_run_job(entry, PLUGIN_VERB_REMOVE, on_remove_verb);
}

static bool handle_delete(struct entry *entry, struct op *op)
{
	/* What another provider of the job still has came to nothing there. */
	bool has_remote = job_newest_remote(entry->job, entry->status) != NULL;

	if (!job_state_is_terminal(entry->status->state)) {
		op_refuse(
			op, ENGINE_E_STATE,
			entry->status->state == JOB_STATE_UNCERTAIN
				? "the job is UNCERTAIN: it may have been bought; 'filmgate resolve' decides it, and then it can be deleted once it has ended"
				: "the job is still open; cancel it first");
		return true;
	}
	if (op->how == ENGINE_DELETE_REMOVE_REMOTE && has_remote &&
	    (!lane_can_continue(entry->lane, entry->status) || !verb_is_offered(entry->lane, PLUGIN_VERB_REMOVE))) {
		op_refuse(
			op, ENGINE_E_STATE,
			"its provider cannot delete videos, or its plugin is not loaded or too old for this job; delete the job without its remote copy");
		return true;
	}
	entry->op = op;
	if (op->how == ENGINE_DELETE_REMOVE_REMOTE && has_remote)
		remove_remote(entry);
	else
		delete_record(entry);
	return true;
}

/* ---- deadline ---- */

static bool handle_deadline(struct entry *entry, struct op *op)
{
	struct job_failure failure = {
		.reason = JOB_REASON_TIMEOUT,
		.purchase = entry->status->state == JOB_STATE_RUNNING ? JOB_PURCHASE_MADE : JOB_PURCHASE_NOTHING,
		.message = (char *)"the job's deadline has passed",
	};

	if (entry->activity == ACTIVITY_STEP)
		return false;
	free_op(op);
	if (!job_may_move(entry->status->state, JOB_STATE_EXPIRED))
		return true;
	/* Since the index was read the clock was set back, or the results were there. */
	if (job_deadline_ms(entry->job, entry->status) > now_utc(entry->engine)) {
		deadline_notice(entry->engine, job_deadline_ms(entry->job, entry->status));
		return true;
	}
	entry_interrupt(entry);
	run_abandon(entry);
	if (entry->status->state != JOB_STATE_RUNNING && held_is(entry)) {
		held_wait(entry);
		return true;
	}
	settle_await(entry);
	entry_fail(entry, JOB_STATE_EXPIRED, &failure, answer_ended);
	return true;
}

bool op_handle(struct entry *entry, struct op *op)
{
	switch (op->kind) {
	case OP_START:
		return handle_start(entry, op);
	case OP_WAKE:
		return handle_wake(entry, op);
	case OP_CANCEL:
		return handle_cancel(entry, op);
	case OP_UPDATE:
		return handle_update(entry, op);
	case OP_RESOLVE:
		op_resolve(entry, op);
		return true;
	case OP_DELETE:
		return handle_delete(entry, op);
	case OP_DEADLINE:
		return handle_deadline(entry, op);
	case OP_RESUME:
		held_resume(entry, op);
		return true;
	case OP_REROUTE:
		free_op(op);
		route_handle_op(entry);
		return true;
	}
	assert(false);
	return true;
}

/* ---- the verbs ---- */

void engine_cancel_job(struct engine *engine, const struct job_ref *ref, engine_job_fn *fn, void *userdata)
{
	struct op *op = op_new(engine, OP_CANCEL, ref);

	op->job_fn = fn;
	op->userdata = userdata;
	op_post(op);
}

void engine_resume_job(struct engine *engine, const struct job_ref *ref, engine_job_fn *fn, void *userdata)
{
	struct op *op = op_new(engine, OP_RESUME, ref);

	op->job_fn = fn;
	op->userdata = userdata;
	op_post(op);
}

void engine_update_job(struct engine *engine, const struct engine_update *update, engine_job_fn *fn, void *userdata)
{
	struct op *op = op_new(engine, OP_UPDATE, &update->ref);
	struct job_label *labels = take_memory((update->n_labels + 1) * sizeof(*labels));

	op->job_fn = fn;
	op->userdata = userdata;
	op->update = *update;
	op->update.display_name = take_text(update->display_name);
	for (size_t i = 0; i < update->n_labels; i++)
		labels[i] = (struct job_label){.key = take_text(update->labels[i].key),
					       .value = take_text(update->labels[i].value)};
	op->update.labels = labels;
	op_post(op);
}

void engine_delete_job(struct engine *engine, const struct job_ref *ref, enum engine_delete how, engine_done_fn *fn,
		       void *userdata)
{
	struct op *op = op_new(engine, OP_DELETE, ref);

	op->done_fn = fn;
	op->userdata = userdata;
	op->how = how;
	op_post(op);
}
