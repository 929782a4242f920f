/*
 * A lane is one provider's queue and its slots. The store holds the queue; memory holds a window of the next jobs,
 * refilled by a scan when it is empty and something may have changed. So a million queued jobs cost no memory.
 *
 * `is_stale` is set by everything that may have added to the queue; a scan clears it when it starts, so that what comes
 * during the scan leads to another one. The window may name jobs that are gone, cancelled or taken by then: OP_START
 * looks at the job itself.
 */
#include "engine/internal.h"

#include "engine/account.h"
#include "engine/ops.h"
#include "engine/route.h"
#include "engine/trouble.h"

#define YIELD_MS 1

struct lane *lane_find(const struct engine *engine, const char *provider)
{
	for (size_t i = 0; i < engine->n_lanes; i++)
		if (strcmp(engine->lanes[i].config->id, provider) == 0)
			return &engine->lanes[i];
	return NULL;
}

bool lane_can_continue(const struct lane *lane, const struct job_status *status)
{
	if (!lane || !lane->config->plugin)
		return false;
	return !status->plugin_state ||
	       plugin_manifest_reads_state(plugin_manifest(lane->config->plugin), status->plugin_state_version);
}

const char *lane_problem_words(enum job_wait problem)
{
	switch (problem) {
	case JOB_WAIT_NONE:
		return NULL;
	case JOB_WAIT_RATE_LIMIT:
		return "it asked for a pause; its jobs go on when that is over";
	case JOB_WAIT_DISK:
		return "the disk of data_dir has no room for another video; make some, or lower limits.reserve_bytes";
	case JOB_WAIT_BUDGET:
		return "a budget has no room for its next order; raise it in the configuration and restart the daemon, or wait "
		       "for its day or month to end";
	case JOB_WAIT_CREDENTIAL:
		return "it refuses the key; put a valid one into its secrets and restart the daemon, or settle it with the "
		       "provider";
	case JOB_WAIT_BREAKER:
		return "it only fails: no reply, or its own errors; one job at a time is tried, and the others go on when it "
		       "answers";
	case JOB_WAIT_PLUGIN_MISSING:
		return "its plugin cannot be used; the daemon's log says why";
	default:
		return job_wait_name(problem);
	}
}

static void on_wake(void *userdata)
{
	struct lane *lane = userdata;

	lane->is_stale = true;
	lane_pump(lane);
}

static void on_kick(void *userdata)
{
	lane_pump(userdata);
}

void lane_init(struct lane *lane, struct engine *engine, const struct engine_provider_config *config)
{
	lane->engine = engine;
	lane->config = config;
	lane->is_stale = true;
	account_init(lane);
	forecast_init(lane);
	atomic_store(&lane->problem, config->plugin ? JOB_WAIT_NONE : JOB_WAIT_PLUGIN_MISSING);
	loop_timer_init(&lane->wake, engine->loop, on_wake, lane);
	loop_timer_init(&lane->kick, engine->loop, on_kick, lane);
	route_sweep_init(lane);
}

void lane_finish(struct lane *lane)
{
	loop_timer_cancel(&lane->wake);
	loop_timer_cancel(&lane->kick);
	route_sweep_finish(lane);
}

/* ---- slots ---- */

static bool is_serving(const struct lane *lane)
{
	return atomic_load(&lane->engine->phase) == ENGINE_PHASE_SERVING;
}

static void kick(struct lane *lane, int64_t delay_ms)
{
	if (is_serving(lane))
		loop_timer_arm(&lane->kick, delay_ms);
}

void lane_kick(struct lane *lane)
{
	kick(lane, 0);
}

static void kick_other(struct lane *other, void *userdata)
{
	bool *is_shared = userdata;

	*is_shared = true;
	kick(other, 0);
}

void lane_take_slot(struct entry *entry)
{
	if (!entry->lane || entry->holds_slot)
		return;
	entry->holds_slot = true;
	atomic_fetch_add(&entry->lane->running, 1);
}

/* Pumping right here would start jobs in the middle of another's change: the kick runs from the loop. */
void lane_release_slot(struct entry *entry)
{
	bool is_shared = false;

	if (!entry->holds_slot)
		return;
	entry->holds_slot = false;
	atomic_fetch_sub(&entry->lane->running, 1);
	breaker_note_end(entry->lane, &entry->ref);
	/* Who shares the account goes first, so that none takes every slot that becomes free: its queue has to be read. */
	account_each_other(entry->lane, kick_other, &is_shared);
	kick(entry->lane, is_shared ? YIELD_MS : 0);
}

/* ---- the window ---- */

static void arm_wake(struct lane *lane, int64_t ready_ms)
{
	int64_t delay_ms = ready_ms - now_utc(lane->engine);

	if (ready_ms == 0 || !is_serving(lane))
		return;
	if (delay_ms < 0)
		delay_ms = 0;
	if (delay_ms > LIMIT_ENGINE_WAKE_MS)
		delay_ms = LIMIT_ENGINE_WAKE_MS;
	/* An earlier wake-up that is armed already stays. */
	if (lane->wake.is_armed && lane->wake_at_ms <= now_utc(lane->engine) + delay_ms)
		return;
	lane->wake_at_ms = now_utc(lane->engine) + delay_ms;
	loop_timer_arm(&lane->wake, delay_ms);
}

struct scanned {
	struct loop_message message;
	struct lane *lane;
	int outcome;
	size_t n;
	int64_t next_wake_ms;
	struct store_queued queued[LIMIT_ENGINE_WINDOW];
};

static void on_scanned(struct loop_message *message)
{
	struct scanned *scanned = loop_message_owner(message, struct scanned, message);
	struct lane *lane = scanned->lane;

	lane->is_scanning = false;
	if (atomic_load(&lane->engine->phase) == ENGINE_PHASE_STOPPED) {
		free(scanned);
		return;
	}
	if (scanned->outcome == 0) {
		memcpy(lane->window, scanned->queued, scanned->n * sizeof(lane->window[0]));
		lane->window_at = 0;
		lane->window_n = scanned->n;
		if (scanned->n == LIMIT_ENGINE_WINDOW)
			lane->is_stale = true;
		arm_wake(lane, scanned->next_wake_ms);
	} else {
		log_error("queue could not be read", "provider", lane->config->id, "outcome",
			  log_int(scanned->outcome));
		lane->is_stale = true;
		arm_wake(lane, now_utc(lane->engine) + LIMIT_ENGINE_RESCAN_MS);
		free(scanned);
		return;
	}
	free(scanned);
	lane_pump(lane);
}

/* [reader thread] */
static void on_scan(void *userdata, int outcome, const struct store_queued *queued, size_t n, int64_t next_wake_ms)
{
	struct scanned *scanned = userdata;

	scanned->outcome = outcome;
	scanned->n = outcome == 0 ? n : 0;
	scanned->next_wake_ms = next_wake_ms;
	if (scanned->n)
		memcpy(scanned->queued, queued, n * sizeof(*queued));
	loop_post(scanned->lane->engine->loop, &scanned->message);
}

static void scan(struct lane *lane)
{
	struct scanned *scanned = take_memory(sizeof(*scanned));

	lane->is_scanning = true;
	lane->is_stale = false;
	scanned->message.run = on_scanned;
	scanned->lane = lane;
	store_scan_queue(lane->engine->store, lane->config->id, now_utc(lane->engine), LIMIT_ENGINE_WINDOW, on_scan,
			 scanned);
}

/* ---- starting ---- */

static void show_problem(struct lane *lane, enum job_wait why, int64_t delay_ms)
{
	atomic_store(&lane->problem_until_ms, now_utc(lane->engine) + delay_ms);
	atomic_store(&lane->problem, why);
	kick(lane, delay_ms);
}

static bool is_open(struct lane *lane)
{
	int64_t now_ms = clock_monotonic_ms(lane->engine->config.clock);
	struct errmsg ignored;

	if (!is_serving(lane) || !lane->config->plugin || !trouble_accepts(lane->engine, &ignored))
		return false;
	if (lane->blocked_until_ms > now_ms) {
		show_problem(lane, lane->blocked_by, lane->blocked_until_ms - now_ms);
		return false;
	}
	if (lane->short_until_ms > now_ms) {
		show_problem(lane, JOB_WAIT_BUDGET, lane->short_until_ms - now_ms);
		return false;
	}
	if (atomic_load(&lane->problem) != JOB_WAIT_NONE)
		atomic_store(&lane->problem, JOB_WAIT_NONE);
	return true;
}

/* Although there is a slot. */
static int64_t pause_ms(const struct lane *lane)
{
	int64_t by_rate_ms = account_pause_ms(lane), by_breaker_ms = breaker_pause_ms(lane);

	return by_rate_ms > by_breaker_ms ? by_rate_ms : by_breaker_ms;
}

static void start_next(struct lane *lane)
{
	struct store_queued *queued = &lane->window[lane->window_at++];
	struct entry *entry;
	struct op *op;

	entry = entry_open(lane->engine, &queued->ref);
	/* It has gone on to another lane since the queue was read. */
	if (entry->job && entry->lane != lane)
		return;
	op = op_new(lane->engine, OP_START, &queued->ref);
	entry->lane = lane;
	lane_take_slot(entry);
	account_note_start(lane);
	breaker_note_start(lane, &entry->ref);
	entry_queue_op(entry, op);
	entry_pump(entry);
}

void lane_pump(struct lane *lane)
{
	route_sweep(lane);
	if (!is_open(lane))
		return;
	while (account_has_slot(lane) && lane->window_at < lane->window_n) {
		if (pause_ms(lane) > 0) {
			kick(lane, pause_ms(lane));
			return;
		}
		start_next(lane);
	}
	if (account_has_slot(lane) && lane->is_stale && !lane->is_scanning)
		scan(lane);
}

void lane_look_again(struct lane *lane)
{
	loop_timer_cancel(&lane->wake);
	lane->is_stale = true;
	account_tell_again(lane);
	breaker_tell_again(lane);
	kick(lane, 0);
}

void lane_notice(struct lane *lane, const struct job_index *queued)
{
	if (queued->wait_until_ms > now_utc(lane->engine)) {
		arm_wake(lane, queued->wait_until_ms);
		return;
	}
	lane->is_stale = true;
	/* What may stand before the window's next is not in the window: read it again. Nothing younger of its priority does. */
	if (lane->window_at < lane->window_n && queued->priority > lane->window[lane->window_at].priority)
		lane->window_at = lane->window_n;
	if (account_has_slot(lane))
		kick(lane, 0);
}

static void warn_of_block(const struct lane *lane, enum job_wait why, int64_t delay_ms)
{
	log_warning("provider takes no jobs for now", "provider", lane->config->id, "why", lane_problem_words(why),
		    "for_ms", log_int(delay_ms));
}

static void block(struct lane *lane, enum job_wait why, int64_t delay_ms)
{
	int64_t until_ms = clock_monotonic_ms(lane->engine->config.clock) + delay_ms;

	if (until_ms <= lane->blocked_until_ms)
		return;
	lane->blocked_until_ms = until_ms;
	lane->blocked_by = why;
	show_problem(lane, why, delay_ms);
	warn_of_block(lane, why, delay_ms);
	route_sweep(lane);
}

/* What is too dear for what is left must not hold up what is cheaper: it steps aside, and the next one tries. */
void lane_note_too_dear(struct lane *lane, int64_t delay_ms)
{
	int64_t now_ms = clock_monotonic_ms(lane->engine->config.clock);

	if (++lane->n_too_dear < LIMIT_ENGINE_BUDGET_TRIES || now_ms + delay_ms <= lane->short_until_ms)
		return;
	lane->short_until_ms = now_ms + delay_ms;
	if (lane->blocked_until_ms <= now_ms)
		show_problem(lane, JOB_WAIT_BUDGET, delay_ms);
	warn_of_block(lane, JOB_WAIT_BUDGET, delay_ms);
}

void lane_note_money(struct lane *lane)
{
	if (lane->short_until_ms == 0)
		return;
	lane->short_until_ms = 0;
	kick(lane, 0);
}

struct blocking {
	enum job_wait why;
	int64_t delay_ms;
};

static void block_other(struct lane *other, void *userdata)
{
	const struct blocking *blocking = userdata;

	block(other, blocking->why, blocking->delay_ms);
}

void lane_block(struct lane *lane, enum job_wait why, int64_t delay_ms)
{
	struct blocking blocking = {why, delay_ms};

	block(lane, why, delay_ms);
	if (why == JOB_WAIT_RATE_LIMIT || why == JOB_WAIT_CREDENTIAL)
		account_each_other(lane, block_other, &blocking);
}
