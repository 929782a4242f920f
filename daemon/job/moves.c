/*
 * The life of a job as one table. Nothing else in the daemon decides which move is allowed, and the picture in
 * ARCHITECTURE.md is printed from it.
 *
 * What the table leaves out matters more than what it holds: STARTING has no way to CANCELLED or EXPIRED, since a
 * request that may have bought something is undecided there; a cancel or a deadline is then a recorded wish. STORING
 * has none either: what was paid for is kept. No terminal state has any. A job begins in QUEUED, and where it was bought
 * elsewhere and adopted, in RUNNING.
 */
#include "job/job.h"

#include "base/err.h"

#include <assert.h>
#include <ctype.h>

#define TO(name) (1u << JOB_STATE_##name)

static const uint32_t moves[_JOB_STATE_COUNT] = {
	[JOB_STATE_QUEUED] = TO(PREPARING) | TO(CANCELLED) | TO(EXPIRED) | TO(FAILED),
	[JOB_STATE_PREPARING] = TO(STARTING) | TO(QUEUED) | TO(CANCELLED) | TO(EXPIRED) | TO(FAILED),
	[JOB_STATE_STARTING] = TO(RUNNING) | TO(QUEUED) | TO(UNCERTAIN) | TO(FAILED),
	[JOB_STATE_UNCERTAIN] = TO(RUNNING) | TO(QUEUED) | TO(FAILED),
	[JOB_STATE_RUNNING] = TO(STORING) | TO(QUEUED) | TO(CANCELLED) | TO(EXPIRED) | TO(FAILED),
	[JOB_STATE_STORING] = TO(SUCCEEDED) | TO(RUNNING) | TO(FAILED),
};

#define TERMINAL (TO(SUCCEEDED) | TO(FAILED) | TO(CANCELLED) | TO(EXPIRED))
#define ACTIVE (TO(PREPARING) | TO(STARTING) | TO(RUNNING) | TO(STORING))

static bool is_state(enum job_state state)
{
	return state >= JOB_STATE_QUEUED && state < _JOB_STATE_COUNT;
}

static bool is_in(enum job_state state, uint32_t set)
{
	return is_state(state) && (set & (1u << state));
}

bool job_state_is_terminal(enum job_state state)
{
	return is_in(state, TERMINAL);
}

bool job_state_is_active(enum job_state state)
{
	return is_in(state, ACTIVE);
}

bool job_may_move(enum job_state from, enum job_state to)
{
	return is_state(from) && is_in(to, moves[from]);
}

void job_touch(struct job_status *status, int64_t now_ms)
{
	assert(status->revision < UINT64_MAX);
	status->revision++;
	if (now_ms > status->updated_ms)
		status->updated_ms = now_ms;
}

void job_move(struct job_status *status, enum job_state to, int64_t now_ms)
{
	assert(job_may_move(status->state, to));
	job_touch(status, now_ms);
	if (status->state == JOB_STATE_STORING)
		job_set_text(&status->outputs, NULL);
	if (to == JOB_STATE_PREPARING && status->started_ms == 0)
		status->started_ms = status->updated_ms;
	if (to != JOB_STATE_QUEUED) {
		status->wait = JOB_WAIT_NONE;
		status->wait_until_ms = 0;
	}
	if (job_state_is_terminal(to)) {
		status->finished_ms = status->updated_ms;
		/* It ended by itself: the wish for an end can come to nothing any more. */
		if (status->cancel_outcome == JOB_CANCEL_REQUESTED)
			status->cancel_outcome = JOB_CANCEL_TOO_LATE;
	}
	status->state = to;
}

int job_begin_adopted(struct job_status *status, int64_t now_ms)
{
	struct job_attempt *attempt;

	assert(status->revision == 0 && status->n_attempts == 0);
	attempt = job_add_attempt(status);
	if (!attempt)
		return err_origin(-ENOMEM);
	attempt->number = 1;
	attempt->started_ms = now_ms;
	job_touch(status, now_ms);
	/* When it was started nobody knows here: started_ms stays 0. */
	status->state = JOB_STATE_RUNNING;
	return 0;
}

struct picture_name {
	char text[16];
};

static struct picture_name name_in_picture(enum job_state state)
{
	struct picture_name name = {0};
	const char *lower = job_state_name(state);

	for (size_t i = 0; lower[i] && i + 1 < sizeof(name.text); i++)
		name.text[i] = (char)toupper((unsigned char)lower[i]);
	return name;
}

int job_print_moves(struct buffer *out)
{
	int r = buffer_append_text(out, "stateDiagram-v2\n    [*] --> QUEUED\n    [*] --> RUNNING\n");

	for (enum job_state from = JOB_STATE_QUEUED; from < _JOB_STATE_COUNT; from++)
		for (enum job_state to = JOB_STATE_QUEUED; to < _JOB_STATE_COUNT; to++)
			if (r == 0 && job_may_move(from, to))
				r = buffer_printf(out, "    %s --> %s\n", name_in_picture(from).text,
						  name_in_picture(to).text);
	for (enum job_state state = JOB_STATE_QUEUED; state < _JOB_STATE_COUNT; state++)
		if (r == 0 && job_state_is_terminal(state))
			r = buffer_printf(out, "    %s --> [*]\n", name_in_picture(state).text);
	return r < 0 ? err_trace(r) : 0;
}

static void check_history(const struct job_status *status)
{
	uint32_t last_attempt = 0;

	for (size_t i = 0; i < status->n_attempts; i++)
		assert(status->attempts[i].number == i + 1);
	for (size_t i = 0; i < status->n_sends; i++) {
		const struct job_send *send = &status->sends[i];

		assert(send->attempt >= 1 && send->attempt <= status->n_attempts);
		assert(send->attempt >= last_attempt && send->number >= 1);
		last_attempt = send->attempt;
	}
	for (size_t i = 0; i < status->n_remotes; i++)
		assert(status->remotes[i].attempt >= 1 && status->remotes[i].attempt <= status->n_attempts);
	for (size_t i = 0; i < status->n_artifacts; i++)
		assert(status->artifacts[i].index >= 1 && status->artifacts[i].role);
}

void job_status_check(const struct job_status *status)
{
	bool is_terminal = job_state_is_terminal(status->state);

	assert(is_state(status->state));
	assert(status->revision >= 1);
	assert(is_terminal == (status->finished_ms != 0));
	assert(status->finished_ms <= status->updated_ms && status->started_ms <= status->updated_ms);
	assert((status->state == JOB_STATE_STORING) == (status->outputs != NULL));
	assert(status->state != JOB_STATE_FAILED || status->failure.reason != JOB_REASON_NONE);
	assert(!is_in(status->state, TO(STARTING) | TO(UNCERTAIN)) || job_current_send(status));
	assert(!is_in(status->state, TO(RUNNING) | TO(STORING) | TO(SUCCEEDED)) || job_current_attempt(status));
	assert(!is_terminal || status->wait == JOB_WAIT_NONE);
	assert(status->priority >= JOB_PRIORITY_MIN && status->priority <= JOB_PRIORITY_MAX);
	assert(status->progress_percent >= -1 && status->progress_percent <= 100);
	for (size_t i = 1; i < status->n_labels; i++)
		assert(strcmp(status->labels[i - 1].key, status->labels[i].key) < 0);
	check_history(status);
}
