/*
 * First, a purchase that may have been made, that no key protects any more, and that the provider could not be asked
 * about or did not know: what somebody chose beforehand, the job's word before its provider's.
 *
 * It is applied in one commit with the end of the attempt, never to a job that is held already: that a daemon was
 * started with another configuration must not buy what is waiting for a person. Nor is it applied under another account
 * than the order's: with the right one, the provider may still be able to say. Nor to what was open in a store that was
 * restored from a copy (held.c): what became of the order after the copy was made only the other life knows, and another
 * key would buy it twice.
 *
 * A resubmission is another attempt, under another key. The sends of the one before stay ambiguous, since nobody knows
 * more; from then on the job as a whole may have been bought, whatever its last attempt comes to (entry_fail()).
 *
 * Second, an attempt that the provider ended and that certainly cost nothing: a content filter, for one, may let the same
 * order pass another time. As often as the job says, there is another attempt; then its next route has its turn
 * (route.c).
 *
 * Third, a video that is not what was ordered. It was paid for, so it is kept whatever the policy says; what could not be
 * found out about it is no mismatch.
 */
#include "engine/policy.h"

#include "engine/held.h"
#include "engine/route.h"
#include "engine/run.h"
#include "job/delivery.h"

enum job_uncertain policy_of_provider(const struct engine_provider_config *config)
{
	return config->on_uncertain == JOB_UNCERTAIN_UNSAID ? JOB_UNCERTAIN_HOLD : config->on_uncertain;
}

static enum job_uncertain policy_of(const struct entry *entry)
{
	if (entry->job->on_uncertain != JOB_UNCERTAIN_UNSAID)
		return entry->job->on_uncertain;
	return policy_of_provider(entry->lane->config);
}

enum job_on_mismatch policy_on_mismatch(const struct entry *entry)
{
	if (entry->job->on_mismatch != JOB_ON_MISMATCH_UNSAID)
		return entry->job->on_mismatch;
	if (!entry->lane || entry->lane->config->on_mismatch == JOB_ON_MISMATCH_UNSAID)
		return JOB_ON_MISMATCH_FLAG;
	return entry->lane->config->on_mismatch;
}

static bool is_of_another_account(const struct entry *entry)
{
	const struct job_send *first = send_first_doubt(entry);

	return !first || !send_is_same_account(first, entry->lane->config);
}

static void hold(struct entry *entry, const char *why, const char *reason)
{
	struct errmsg words;

	errmsg_set(&words, "%.320s; on_uncertain is not applied: %s", why, reason);
	send_hold(entry, words.text);
}

static void fail(struct entry *entry, const char *why, const char *reason)
{
	struct errmsg words;
	struct job_failure failure = {
		.reason = JOB_REASON_LOST,
		.purchase = JOB_PURCHASE_UNKNOWN,
		.message = words.text,
	};

	errmsg_set(&words, "it may have been bought, and is given up %s: %.350s", reason, why);
	log_warning("job is given up: it may have been bought", "job", log_id(&entry->ref), "why", words.text);
	entry_fail(entry, JOB_STATE_FAILED, &failure, run_after_end);
}

void policy_end_attempt(struct entry *entry, const struct job_failure *failure)
{
	struct job_attempt *attempt = job_current_attempt(entry->status);
	struct job_status *status = entry->status;

	if (!entry->change)
		entry_begin(entry);
	if (attempt && attempt->ended_ms == 0) {
		attempt->ended_ms = now_utc(entry->engine);
		if (job_failure_copy(failure, &attempt->failure) < 0)
			abort();
		store_commit_put_attempt(entry->change, &entry->ref, attempt);
	}
	status->retries = 0;
	status->reconciles = 0;
	status->plugin_state_version = 0;
	status->progress_percent = -1;
	status->queue_position = -1;
	if (job_set_text(&status->plugin_state, NULL) < 0 || job_set_text(&status->remote_state, NULL) < 0 ||
	    job_set_cost(status, JOB_COST_NONE, 0, NULL) < 0)
		abort();
	entry->polls = entry->relinks = entry->extra_tries = entry->bad_files = 0;
}

/* Its words are the job's for as long as it is shown: a note. */
static void note_resubmission(struct entry *entry, const char *why)
{
	const struct job_attempt *attempt = job_current_attempt(entry->status);
	struct errmsg words;

	errmsg_set(
		&words,
		"attempt %u may have been bought, and nobody can find out; as on_uncertain says, it is ordered again "
		"(%u of at most %d times) and may be paid for more than once",
		attempt->number, job_count_undecided(entry->status), LIMIT_ENGINE_RESUBMITS);
	log_warning("job is ordered again: it may be paid for twice", "job", log_id(&entry->ref), "why", why);
	if (job_add_note(entry->status, JOB_NOTE_INFO, "", words.text, "", "") < 0)
		abort();
}

static void resubmit(struct entry *entry, const char *why)
{
	const struct job_failure failure = {
		.reason = JOB_REASON_LOST,
		.purchase = JOB_PURCHASE_UNKNOWN,
		.message = (char *)(uintptr_t)why,
	};

	policy_end_attempt(entry, &failure);
	note_resubmission(entry, why);
	run_requeue(entry, JOB_WAIT_BACKOFF,
		    backoff_ms(entry->engine, job_count_undecided(entry->status), LIMIT_ENGINE_BACKOFF_BASE_MS,
			       LIMIT_ENGINE_BACKOFF_CAP_MS));
}

void policy_decide(struct entry *entry, const char *why)
{
	enum job_uncertain policy = policy_of(entry);

	if (policy == JOB_UNCERTAIN_HOLD)
		send_hold(entry, why);
	else if (held_is(entry))
		hold(entry, why, "the store was restored from a copy since it was ordered");
	else if (is_of_another_account(entry))
		hold(entry, why, "the provider's key or base_url is not the one it was ordered with");
	else if (policy == JOB_UNCERTAIN_FAIL)
		fail(entry, why, "as on_uncertain says");
	else if (job_count_undecided(entry->status) >= LIMIT_ENGINE_RESUBMITS)
		hold(entry, why, "it was ordered again as often as it may be");
	else if (entry->status->cancel_outcome == JOB_CANCEL_REQUESTED)
		fail(entry, why, "instead of ordered again, since it was to be cancelled");
	else if (job_deadline_ms(entry->job, entry->status) <= now_utc(entry->engine))
		fail(entry, why, "instead of ordered again, since its deadline has passed");
	else
		resubmit(entry, why);
}

/* ---- what cost nothing ---- */

static bool is_tried_again(const struct entry *entry, const struct job_failure *failure)
{
	return job_is_uncharged(failure) && job_count_uncharged(entry->status) < entry->job->retry_if_uncharged &&
	       entry->status->cancel_requested_ms == 0 &&
	       job_deadline_ms(entry->job, entry->status) > now_utc(entry->engine);
}

void policy_fail(struct entry *entry, enum job_state to, const struct job_failure *failure)
{
	if (!is_tried_again(entry, failure)) {
		if (!route_go_on(entry, failure))
			entry_fail(entry, to, failure, run_after_end);
		return;
	}
	log_info("an attempt failed and cost nothing; there is another one", "job", log_id(&entry->ref), "why",
		 failure->message ? failure->message : "");
	policy_end_attempt(entry, failure);
	run_requeue(entry, JOB_WAIT_BACKOFF,
		    backoff_ms(entry->engine, job_count_uncharged(entry->status), LIMIT_ENGINE_BACKOFF_BASE_MS,
			       LIMIT_ENGINE_BACKOFF_CAP_MS));
}

/* ---- what came otherwise ---- */

void policy_compare(struct entry *entry)
{
	struct job_status *status = entry->status;

	if (policy_on_mismatch(entry) == JOB_ON_MISMATCH_ACCEPT)
		return;
	for (size_t i = 0; i < status->n_artifacts; i++)
		if (job_is_compared(&status->artifacts[i]) &&
		    job_compare_delivery(entry->job->parameters, &status->artifacts[i], status) < 0)
			abort();
	for (size_t i = 0; i < status->n_mismatches; i++)
		log_warning("a video is not what was ordered", "job", log_id(&entry->ref), "provider",
			    entry->job->provider, "artifact", log_int((int64_t)status->mismatches[i].artifact), "why",
			    status->mismatches[i].message);
}

bool policy_refuses(const struct entry *entry, struct errmsg *why)
{
	const struct job_status *status = entry->status;

	if (status->n_mismatches == 0 || policy_on_mismatch(entry) != JOB_ON_MISMATCH_FAIL)
		return false;
	errmsg_set(why, "%s%s; as on_mismatch says, the job fails; what came is kept and has its price",
		   status->mismatches[0].message, status->n_mismatches > 1 ? ", and there is more" : "");
	return true;
}
