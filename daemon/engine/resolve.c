/*
 * What a person decides about an UNCERTAIN job, having looked where the daemon cannot: it is believed, and recorded as
 * what it is. The sends keep what was seen of them; only their class changes.
 *
 * But for an id that the provider can be asked about: a wrong one would be polled for until the deadline, and the doubt
 * be forgotten. It is asked before, and nothing is decided if it does not know the id, or was not asked for whatever
 * reason, or took no key of ours. The person is believed where it has answered and the plugin cannot read the answer,
 * and where nobody can ask at all: the plugin is not loaded, cannot read what was kept of the job, or has no poll.
 *
 * Nor is an id believed that is another job's: two would share one video, and the second that was paid for be forgotten.
 */
#include "engine/held.h"
#include "engine/ops.h"
#include "engine/run.h"
#include "engine/verb.h"

#include "base/quote.h"

#include "base/failpoint.h"

static void forget_doubt(struct entry *entry)
{
	struct job_status *status = entry->status;

	job_failure_finish(&status->failure);
	status->retries = 0;
	status->phase = 0;
	held_release(entry);
	run_begin_time_anew(entry);
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
	send_own(entry, remote_id);
}

static void after_found(struct entry *entry)
{
	FAILPOINT(RESOLVE_AFTER);
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

/* Is there no such thing? A video that failed at the provider, or is gone there, it knows. */
static bool is_denied(const struct verb_result *result)
{
	const struct plugin_failure *said = result->failure;

	if (!said)
		return false;
	return result->is_final
		       ? said->reason == PLUGIN_REASON_LOST && said->bought != PLUGIN_BOUGHT_MADE
		       : said->reason == PLUGIN_REASON_NOT_FOUND || said->reason == PLUGIN_REASON_INVALID_INPUT;
}

/*
 * Whoever was not asked, or did not let us ask, has said nothing of the video. What FAILED after a reply is known, but
 * for a key that was refused; and a plugin that cannot read the reply is no reason to doubt the person.
 */
static bool is_unasked(const struct verb_result *result)
{
	return !result->was_asked || result->outcome == ENGINE_E_CREDENTIAL || (result->failure && !result->is_final);
}

static void refuse_denied(struct op *op, const struct verb_result *result)
{
	const char *id = op->resolve.remote_id;
	struct errmsg why;

	if (result->was_asked)
		errmsg_set(&why, "the provider does not know '%s': %.300s; nothing was decided", quote(id).text,
			   result->text);
	else
		errmsg_set(&why, "the plugin does not take '%s': %.300s; nothing was decided", quote(id).text,
			   result->text);
	refuse_id(op, why.text);
}

static void refuse_unasked(struct op *op, const struct verb_result *result)
{
	struct errmsg why;

	errmsg_set(&why,
		   "%.300s; so it is not known whether the provider has '%s', and nothing was decided: try again later",
		   result->text ? result->text : "the plugin did not ask the provider",
		   quote(op->resolve.remote_id).text);
	op_refuse(op, result->outcome ? result->outcome : ENGINE_E_PROVIDER, why.text);
}

/* ---- whose it is ---- */

/* What the store knows of it, read on a reader thread. */
struct owner {
	struct arrival arrival;
	char *remote_id;
	const char *asked; /* the same, as the store is told it */
	int outcome;
	bool is_there;
	struct job_ref ref;
};

static void discard_owner(struct arrival *arrival)
{
	struct owner *owner = (struct owner *)(void *)arrival;

	free(owner->remote_id);
	free(owner);
}

/* [reader thread] */
static void on_owners(void *userdata, int outcome, const struct store_owner *owners, size_t n)
{
	struct owner *owner = userdata;

	owner->outcome = outcome;
	if (n == 1 && owners[0].is_known) {
		owner->is_there = true;
		owner->ref = owners[0].ref;
	}
	arrival_post(&owner->arrival);
}

static void refuse_owned(struct op *op, const struct job_ref *owner)
{
	char id[ID_TEXT_SIZE] = "another job";
	struct errmsg why;

	if (owner->tenant == op->ref.tenant)
		id_format(&owner->id, id);
	errmsg_set(&why,
		   "'%s' is the video of %s%s; nothing was decided: look for another one in the provider's account",
		   quote(op->resolve.remote_id).text, owner->tenant == op->ref.tenant ? "jobs/" : "", id);
	refuse_id(op, why.text);
}

static void refuse_unread(struct op *op, int outcome)
{
	struct errmsg unread, why;

	explain_unreadable(outcome, &unread);
	errmsg_set(&why, "whether '%s' is another job's could not be read: %.300s; nothing was decided",
		   quote(op->resolve.remote_id).text, unread.text);
	op_refuse(op, ENGINE_E_STORE, why.text);
}

static void believe(struct entry *entry)
{
	const char *id = entry->op->resolve.remote_id;
	/* Taken since the orders were read, too. */
	const struct job_ref *owner = reconcile_find_owner(entry, id);

	if (owner) {
		refuse_owned(steal(entry->op), owner);
		return;
	}
	entry_begin(entry);
	resolve_found(entry, id);
}

static void handle_owner(struct entry *entry, struct arrival *arrival)
{
	const struct owner *owner = (const struct owner *)(void *)arrival;

	if (owner->outcome != 0)
		refuse_unread(steal(entry->op), owner->outcome);
	else if (owner->is_there)
		refuse_owned(steal(entry->op), &owner->ref);
	else
		believe(entry);
	discard_owner(arrival);
}

/* Also what was taken for another job, or adopted, long ago. */
static void find_owner(struct entry *entry)
{
	const struct job_send *doubt = send_first_doubt(entry);
	const char *address = doubt ? doubt->base_url : NULL;
	struct store_owners_query query = {.provider = entry->job->provider, .n = 1, .except = entry->ref};
	struct owner *owner;

	if (!address && entry->lane)
		address = entry->lane->config->base_url;
	if (!address) {
		believe(entry);
		return;
	}
	query.place = send_place_of(address);
	entry_start_activity(entry, ACTIVITY_LOAD);
	owner = entry_expect(entry, sizeof(*owner), handle_owner, discard_owner);
	owner->remote_id = take_text(entry->op->resolve.remote_id);
	owner->asked = owner->remote_id;
	query.remote_ids = &owner->asked;
	store_find_owners(entry->engine->store, &query, on_owners, owner);
}

/* ---- asking the provider ---- */

static void on_looked(struct entry *entry, const struct verb_result *result)
{
	if (is_denied(result)) {
		refuse_denied(steal(entry->op), result);
	} else if (is_unasked(result)) {
		refuse_unasked(steal(entry->op), result);
	} else {
		find_owner(entry);
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

static void find(struct entry *entry, struct op *op)
{
	const struct job_ref *owner = reconcile_find_owner(entry, op->resolve.remote_id);

	if (owner) {
		refuse_owned(op, owner);
	} else if (can_ask(entry)) {
		look(entry, op);
	} else {
		entry->op = op;
		find_owner(entry);
	}
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
	FAILPOINT(RESOLVE_AFTER);
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
	FAILPOINT(RESOLVE_AFTER);
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
	if (resolve->resolution == ENGINE_RESOLUTION_FOUND) {
		find(entry, op);
		return;
	}
	entry->op = op;
	FAILPOINT(RESOLVE_BEFORE);
	entry_begin(entry);
	switch (resolve->resolution) {
	case ENGINE_RESOLUTION_FOUND:
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
