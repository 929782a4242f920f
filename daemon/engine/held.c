#include "engine/held.h"

#include "engine/ops.h"
#include "engine/run.h"

bool held_is(const struct entry *entry)
{
	return job_is_held(entry->status, store_epoch(entry->engine->store));
}

void held_wait(struct entry *entry)
{
	struct job_status *status = entry->status;

	log_warning("job is held: the store was restored from a copy; 'filmgate resume' releases it", "job",
		    log_id(&entry->ref));
	if (!entry->change)
		entry_begin(entry);
	status->wait = JOB_WAIT_HELD;
	status->wait_until_ms = JOB_NEVER_MS;
	status->phase = 0;
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

static void after_release(struct entry *entry)
{
	deadline_notice(entry->engine, job_deadline_ms(entry->job, entry->status));
	run_after_update(entry);
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
	}
	/* Whether it showed already that it is held or not: it did not get on. */
	if (status->state == JOB_STATE_QUEUED || status->state == JOB_STATE_PREPARING)
		run_begin_time_anew(entry);
	entry_submit(entry, JOB_EVENT_UPDATED, after_release);
}
