/*
 * What a person decides about an UNCERTAIN job, having looked where the daemon cannot: it is believed, and recorded as
 * what it is. The sends keep what was seen of them; only their class changes.
 *
 * But for an id that the provider can be asked about: a wrong one would be polled for until the deadline, and the doubt
 * be forgotten. It is asked before, and unless it knows the id nothing is decided.
 */
#include "engine/ops.h"
#include "engine/run.h"
#include "engine/verb.h"

#include "base/quote.h"

/* The job stood still while nobody knew: its time, as it was ordered, begins anew. */
static void begin_time_anew(struct entry *entry)
{
	struct job *job = entry->job;

	job->deadline_ms = now_utc(entry->engine) + (job->deadline_ms - job->created_ms);
	store_commit_put_job(entry->change, job);
}

static void forget_doubt(struct entry *entry)
{
	struct job_status *status = entry->status;

	job_failure_finish(&status->failure);
	status->retries = 0;
	status->phase = 0;
	begin_time_anew(entry);
}

/* ---- found ---- */

static void add_found(struct entry *entry, const char *remote_id)
{
	struct job_remote *remote = job_add_remote(entry->status);

	if (!remote || job_set_text(&remote->id, remote_id) < 0)
		abort();
	remote->attempt = job_current_attempt(entry->status)->number;
	remote->index = 1;
	store_commit_put_remote(entry->change, &entry->ref, remote);
}

static void after_found(struct entry *entry)
{
	op_answer_committed(entry);
	deadline_notice(entry->engine, job_deadline_ms(entry->job, entry->status));
	run_resume(entry);
}

static void resolve_found(struct entry *entry, const char *remote_id)
{
	send_settle(entry, JOB_SEND_ACCEPTED);
	add_found(entry, remote_id);
	forget_doubt(entry);
	entry_move(entry, JOB_STATE_RUNNING);
	entry_submit(entry, JOB_EVENT_STATE, after_found);
}

static void refuse_id(struct op *op, const char *why)
{
	struct engine_violation violation = {.field = "remote_id", .text = why};

	op_answer(op, ENGINE_E_INVALID,
		  &(struct engine_error){.text = why, .violations = &violation, .n_violations = 1}, NULL);
}

/* Does the provider itself say that there is no such thing? A video that failed there, or is gone, it knows. */
static bool is_denied(const struct verb_result *result)
{
	const struct plugin_failure *said = result->failure;

	if (!said)
		return false;
	return result->is_final
		       ? said->reason == PLUGIN_REASON_LOST && said->bought != PLUGIN_BOUGHT_MADE
		       : said->reason == PLUGIN_REASON_NOT_FOUND || said->reason == PLUGIN_REASON_INVALID_INPUT;
}

/* A plugin that cannot read what the provider says of it is no reason to doubt the person. */
static bool is_unasked(const struct verb_result *result)
{
	return result->outcome != 0 && (result->failure ? !result->is_final : result->outcome != ENGINE_E_PROVIDER);
}

static void on_looked(struct entry *entry, const struct verb_result *result)
{
	const char *id = entry->op->resolve.remote_id;
	struct errmsg why;

	if (is_denied(result)) {
		errmsg_set(&why, "the provider does not know '%s': %.300s; nothing was decided", quote(id).text,
			   result->text);
		refuse_id(steal(entry->op), why.text);
	} else if (is_unasked(result)) {
		errmsg_set(&why, "%.300s; so it cannot be asked about '%s', and nothing was decided: try again later",
			   result->text, quote(id).text);
		op_refuse(steal(entry->op), result->outcome, why.text);
	} else {
		entry_begin(entry);
		resolve_found(entry, id);
	}
}

static bool can_ask(const struct entry *entry)
{
	return lane_can_continue(entry->lane, entry->status) && verb_is_offered(entry->lane, PLUGIN_VERB_POLL);
}

static void look(struct entry *entry, struct op *op)
{
	const char *id = op->resolve.remote_id;
	struct errmsg forms, why;

	if (!plugin_manifest_takes_remote(plugin_manifest(entry->lane->config->plugin), id, &forms)) {
		errmsg_set(&why, "'%s' is no id of a video of this provider, which looks like %.300s", quote(id).text,
			   forms.text);
		refuse_id(op, why.text);
		return;
	}
	entry->op = op;
	verb_run_look(entry, id, on_looked);
}

/* ---- absent ---- */

/* The next purchase is another attempt, and has another key: the provider may still remember the old one. */
static void end_attempt(struct entry *entry)
{
	struct job_attempt *attempt = job_current_attempt(entry->status);
	const struct job_failure failure = {
		.reason = JOB_REASON_LOST,
		.purchase = JOB_PURCHASE_NOTHING,
		.message = (char *)"the order did not arrive, as was found out",
	};

	attempt->ended_ms = now_utc(entry->engine);
	if (job_failure_copy(&failure, &attempt->failure) < 0)
		abort();
	store_commit_put_attempt(entry->change, &entry->ref, attempt);
}

static void after_absent(struct entry *entry)
{
	op_answer_committed(entry);
	run_after_requeue(entry);
}

static void resolve_absent(struct entry *entry)
{
	send_settle(entry, JOB_SEND_ABSENT);
	end_attempt(entry);
	forget_doubt(entry);
	entry->status->plugin_state_version = 0;
	if (job_set_text(&entry->status->plugin_state, NULL) < 0)
		abort();
	entry_move(entry, JOB_STATE_QUEUED);
	entry_submit(entry, JOB_EVENT_STATE, after_absent);
}

/* ---- given up ---- */

static void after_giving_up(struct entry *entry)
{
	op_answer_committed(entry);
	run_after_end(entry);
}

static void give_up(struct entry *entry)
{
	const struct job_failure failure = {
		.reason = JOB_REASON_LOST,
		.purchase = JOB_PURCHASE_UNKNOWN,
		.message = (char *)"given up: whether it was bought was never found out",
	};

	entry_fail(entry, JOB_STATE_FAILED, &failure, after_giving_up);
}

void op_resolve(struct entry *entry, struct op *op)
{
	const struct engine_resolve *resolve = &op->resolve;

	if (entry->status->state != JOB_STATE_UNCERTAIN) {
		op_refuse(op, ENGINE_E_STATE, "the job is not UNCERTAIN: there is nothing to decide");
		return;
	}
	if (resolve->expected_revision && resolve->expected_revision != entry->status->revision) {
		op_refuse(op, ENGINE_E_REVISION, "the job has changed since; read it again and repeat the decision");
		return;
	}
	if (resolve->resolution == ENGINE_RESOLUTION_FOUND && can_ask(entry)) {
		look(entry, op);
		return;
	}
	entry->op = op;
	entry_begin(entry);
	switch (resolve->resolution) {
	case ENGINE_RESOLUTION_FOUND:
		resolve_found(entry, resolve->remote_id);
		break;
	case ENGINE_RESOLUTION_ABSENT:
		resolve_absent(entry);
		break;
	case ENGINE_RESOLUTION_GIVE_UP:
		give_up(entry);
		break;
	}
}

void engine_resolve_job(struct engine *engine, const struct engine_resolve *resolve, engine_job_fn *fn, void *userdata)
{
	struct op *op = op_new(engine, OP_RESOLVE, &resolve->ref);

	op->job_fn = fn;
	op->userdata = userdata;
	op->resolve = *resolve;
	op->resolve.remote_id = take_text(resolve->remote_id);
	op_post(op);
}
