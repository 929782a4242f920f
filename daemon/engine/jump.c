#include "engine/jump.h"

#include "engine/ops.h"

struct review {
	struct loop_message message;
	struct lane *lane;
	int outcome;
	size_t n;
	struct job_ref refs[LIMIT_ENGINE_WINDOW];
	int64_t first_ms, last_ms;
};

bool jump_has_stretched(const struct entry *entry)
{
	const struct job_status *status = entry->status;
	int64_t now_ms = now_utc(entry->engine);

	return status->state == JOB_STATE_QUEUED && status->wait != JOB_WAIT_SCHEDULE &&
	       status->wait_until_ms > now_ms && status->updated_ms > now_ms + LIMIT_ENGINE_JUMP_MS;
}

void jump_restore(struct entry *entry)
{
	struct job_status *status = entry->status;
	int64_t left_ms = status->wait_until_ms - status->updated_ms;

	status->wait_until_ms = left_ms > 0 ? now_utc(entry->engine) + left_ms : 0;
	if (left_ms <= 0)
		status->wait = JOB_WAIT_NONE;
}

int64_t jump_left_ms(const struct entry *entry, int64_t until_ms, int64_t longest_ms)
{
	int64_t left_ms = until_ms - now_utc(entry->engine);

	if (left_ms > longest_ms)
		left_ms = longest_ms;
	return left_ms > 0 ? left_ms : 1;
}

/* ---- when it has gone back ---- */

static void review(struct lane *lane, int64_t from_ms);

static void on_reviewed(struct loop_message *message)
{
	struct review *found = loop_message_owner(message, struct review, message);
	struct lane *lane = found->lane;

	if (atomic_load(&lane->engine->phase) == ENGINE_PHASE_SERVING) {
		for (size_t i = 0; i < found->n; i++)
			op_post(op_new(lane->engine, OP_WAKE, &found->refs[i]));
		if (found->outcome != 0)
			log_error("the queue could not be read after the clock was set", "provider", lane->config->id,
				  "outcome", log_int(found->outcome));
		else if (found->n == LIMIT_ENGINE_WINDOW)
			review(lane, found->last_ms > found->first_ms ? found->last_ms : found->last_ms + 1);
	}
	free(found);
}

/* [reader thread] */
static void on_rows(void *userdata, int outcome, const struct store_queued *queued, size_t n, int64_t next_wake_ms)
{
	struct review *found = userdata;

	(void)next_wake_ms;
	found->outcome = outcome;
	found->n = outcome != 0 ? 0 : n < LIMIT_ENGINE_WINDOW ? n : LIMIT_ENGINE_WINDOW;
	for (size_t i = 0; i < found->n; i++) {
		found->refs[i] = queued[i].ref;
		found->last_ms = queued[i].ready_ms;
	}
	found->first_ms = found->n ? queued[0].ready_ms : 0;
	loop_post(found->lane->engine->loop, &found->message);
}

/* Each of those who wait looks at its own pause: the index does not say what it is for. */
static void review(struct lane *lane, int64_t from_ms)
{
	struct review *found = take_memory(sizeof(*found));

	found->message.run = on_reviewed;
	found->lane = lane;
	store_scan_waiting(lane->engine->store, lane->config->id, from_ms, LIMIT_ENGINE_WINDOW, on_rows, found);
}

static void has_gone_back(struct engine *engine)
{
	for (size_t i = 0; i < engine->n_lanes; i++)
		review(&engine->lanes[i], now_utc(engine));
}

/* ---- noticing ---- */

static int64_t offset_ms(const struct engine *engine)
{
	return now_utc(engine) - clock_monotonic_ms(engine->config.clock);
}

static void look(void *userdata)
{
	struct engine *engine = userdata;
	int64_t by_ms = offset_ms(engine) - engine->clock_offset_ms;

	loop_timer_arm(&engine->clock_timer, LIMIT_ENGINE_CLOCK_MS);
	engine->clock_offset_ms += by_ms;
	if (by_ms > -LIMIT_ENGINE_JUMP_MS && by_ms < LIMIT_ENGINE_JUMP_MS)
		return;
	log_warning("the clock was set", "by_ms", log_int(by_ms));
	/* Their timers wait for instants of the old time. */
	deadline_pump(engine);
	for (size_t i = 0; i < engine->n_lanes; i++)
		lane_look_again(&engine->lanes[i]);
	if (by_ms < 0)
		has_gone_back(engine);
}

void jump_init(struct engine *engine)
{
	loop_timer_init(&engine->clock_timer, engine->loop, look, engine);
	engine->clock_offset_ms = offset_ms(engine);
}

void jump_start(struct engine *engine)
{
	int64_t ahead_ms = store_opened_at_ms(engine->store) - now_utc(engine);

	loop_timer_arm(&engine->clock_timer, LIMIT_ENGINE_CLOCK_MS);
	if (ahead_ms < LIMIT_ENGINE_JUMP_MS)
		return;
	log_warning("the clock stands before the newest event in the store", "by_ms", log_int(ahead_ms));
	has_gone_back(engine);
}

void jump_stop(struct engine *engine)
{
	loop_timer_cancel(&engine->clock_timer);
}
