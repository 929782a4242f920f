/*
 * Deadlines. The store's index knows every job's; memory holds one timer for the earliest, and the queue of the due
 * ones goes through the jobs' own entries, where a deadline is one request among others.
 */
#include "engine/ops.h"

struct due {
	struct loop_message message;
	struct engine *engine;
	int outcome;
	size_t n;
	int64_t next_ms;
	struct job_ref refs[LIMIT_ENGINE_WINDOW];
};

static void arm(struct engine *engine, int64_t deadline_ms)
{
	int64_t delay_ms = deadline_ms - now_utc(engine);

	engine->next_deadline_ms = deadline_ms;
	if (delay_ms < 0)
		delay_ms = 0;
	if (delay_ms > LIMIT_ENGINE_WAKE_MS)
		delay_ms = LIMIT_ENGINE_WAKE_MS;
	loop_timer_arm(&engine->deadline_timer, delay_ms);
}

void deadline_notice(struct engine *engine, int64_t deadline_ms)
{
	if (engine->next_deadline_ms == 0 || deadline_ms < engine->next_deadline_ms)
		arm(engine, deadline_ms);
}

static void on_due(struct loop_message *message)
{
	struct due *due = loop_message_owner(message, struct due, message);
	struct engine *engine = due->engine;

	engine->is_scanning_deadlines = false;
	/* After the end there is no store to write to: the next start reads again. */
	if (atomic_load(&engine->phase) == ENGINE_PHASE_STOPPED) {
		free(due);
		return;
	}
	for (size_t i = 0; i < due->n; i++) {
		struct entry *entry = entry_open(engine, &due->refs[i]);

		entry_queue_op(entry, op_new(engine, OP_DEADLINE, &due->refs[i]));
		entry_pump(entry);
	}
	if (due->outcome != 0)
		log_error("deadlines could not be read", "outcome", log_int(due->outcome));
	if (due->outcome != 0 || due->n == LIMIT_ENGINE_WINDOW)
		arm(engine, now_utc(engine) + LIMIT_ENGINE_RESCAN_MS);
	else if (due->next_ms)
		deadline_notice(engine, due->next_ms);
	free(due);
	if (engine->is_deadline_missed)
		deadline_pump(engine);
}

/* [reader thread] */
static void on_scan(void *userdata, int outcome, const struct store_queued *queued, size_t n, int64_t next_wake_ms)
{
	struct due *due = userdata;

	due->outcome = outcome;
	due->n = outcome == 0 ? n : 0;
	due->next_ms = next_wake_ms;
	for (size_t i = 0; i < due->n; i++)
		due->refs[i] = queued[i].ref;
	loop_post(due->engine->loop, &due->message);
}

void deadline_pump(struct engine *engine)
{
	struct due *due;

	/* Nothing can be ended now; trouble.c comes back. */
	if (!store_is_healthy(engine->store))
		return;
	/* The read under way may have passed the one that is due now, and its timer has fired: read again. */
	engine->is_deadline_missed = engine->is_scanning_deadlines;
	if (engine->is_scanning_deadlines || atomic_load(&engine->phase) != ENGINE_PHASE_SERVING)
		return;
	due = take_memory(sizeof(*due));
	engine->is_scanning_deadlines = true;
	engine->next_deadline_ms = 0;
	due->message.run = on_due;
	due->engine = engine;
	store_scan_deadlines(engine->store, now_utc(engine), LIMIT_ENGINE_WINDOW, on_scan, due);
}
