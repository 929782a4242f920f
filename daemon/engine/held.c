#include "engine/held.h"

#include "engine/ops.h"
#include "engine/run.h"

/* The end of the year 9999: the queue's index has the job, and no scan meets it. */
#define NEVER_MS INT64_C(253402300799000)

bool held_is(const struct entry *entry)
{
	return job_is_held(entry->status, store_epoch(entry->engine->store));
}

/* It stands still because nobody knows: that is no fault of its own. */
static void begin_time_anew(struct entry *entry)
{
	struct job *job = entry->job;

	job->deadline_ms = now_utc(entry->engine) + (job->deadline_ms - job->created_ms);
	store_commit_put_job(entry->change, job);
}

void held_wait(struct entry *entry)
{
	struct job_status *status = entry->status;

	log_warning("job is held: the store was restored from a copy; 'filmgate resume' releases it", "job",
		    log_id(&entry->ref));
	if (!entry->change)
		entry_begin(entry);
	status->wait = JOB_WAIT_HELD;
	status->wait_until_ms = NEVER_MS;
	status->phase = 0;
	begin_time_anew(entry);
	if (status->state != JOB_STATE_QUEUED)
		entry_move(entry, JOB_STATE_QUEUED);
	entry_submit(entry, JOB_EVENT_STATE, run_after_requeue);
}

void held_release(struct entry *entry)
{
	entry->status->epoch = store_epoch(entry->engine->store);
}

enum job_purchase held_purchase(const struct entry *entry)
{
	return held_is(entry) ? JOB_PURCHASE_UNKNOWN : JOB_PURCHASE_NOTHING;
}

const char *held_words(const struct entry *entry)
{
	return held_is(entry) ? "; the store was restored from a copy, and whether the job was bought after that was "
				"made is not known: look at the provider's account"
			      : "";
}

void held_resume(struct entry *entry, struct op *op)
{
	struct job_status *status = entry->status;

	entry->op = op;
	if (!held_is(entry)) {
		op_answer_committed(entry);
		return;
	}
	entry_begin(entry);
	held_release(entry);
	if (status->wait == JOB_WAIT_HELD) {
		status->wait = JOB_WAIT_NONE;
		status->wait_until_ms = 0;
		begin_time_anew(entry);
	}
	entry_submit(entry, JOB_EVENT_UPDATED, run_after_update);
}
