/*
 * A job with fallbacks has several routes, each a provider with what is asked of it and what that costs. It is at one of
 * them, and goes on to the next when its provider does not make it and it is certain that nothing was bought: after "not
 * sent" and "refused", and after a failure of which the provider itself says that it cost nothing. Never after
 * "ambiguous": what may have been bought here would be bought there a second time. An order that was resubmitted in
 * doubt stays where it is, too.
 *
 *   refused for good, nothing bought                            at once
 *   the key, the credit or a quota is refused                   at once
 *   a pause of more than LIMIT_ENGINE_ROUTE_WAIT_MS             at once
 *   not sent, a 5xx before the purchase, no token, a pause      after LIMIT_ENGINE_ROUTE_TRIES in a row
 *   in the queue of a provider whose key is refused, that asked for a long pause, whose breaker is open, or whose plugin
 *   is not loaded                                               when route_sweep() comes to it
 *
 * What is waited for: a free slot, since the provider is at work, and money or disk, since these are ours. A provider that
 * the configuration does not name any more is passed over; it is waited for only after a refusal, and when it is the last.
 *
 * The move is one commit: the end of the attempt, the release of what it had reserved, the job's record with the next
 * route, and its place in the other queue. Until that is stored, the entry's job is what it was, so everything of the
 * commit, money above all, is still the old provider's. A crash leaves the one or the other.
 */
#include "engine/route.h"

#include "base/decimal.h"
#include "base/failpoint.h"
#include "engine/held.h"
#include "engine/ops.h"
#include "engine/policy.h"
#include "engine/run.h"
#include "job/ledger.h"

/* ---- may it? ---- */

static bool has_next(const struct job *job)
{
	return job->route + 1 < job->n_routes;
}

/* Of what comes next, the first whose provider is configured; none is: the first. There is one. */
static uint32_t next_route(const struct entry *entry)
{
	const struct job *job = entry->job;

	for (uint32_t i = job->route + 1; i < job->n_routes; i++)
		if (lane_find(entry->engine, job->routes[i].provider))
			return i;
	return job->route + 1;
}

/* Who has only to wait does not leave for one that would be waited for, too. */
static bool has_configured_next(const struct entry *entry)
{
	const struct job *job = entry->job;

	return has_next(job) && lane_find(entry->engine, job->routes[next_route(entry)].provider) != NULL;
}

static bool may_go_on(const struct entry *entry, const struct job_failure *failure)
{
	const struct job_status *status = entry->status;

	return has_next(entry->job) && failure->reason != JOB_REASON_CANCELLED &&
	       job_has_bought_nothing(status, failure) && status->cancel_requested_ms == 0 &&
	       job_deadline_ms(entry->job, status) > now_utc(entry->engine) && !held_is(entry);
}

bool route_is_too_long(int64_t delay_ms)
{
	return delay_ms > LIMIT_ENGINE_ROUTE_WAIT_MS;
}

/* ---- going on ---- */

static void note_move(struct entry *entry, const struct job_failure *failure)
{
	const struct job *from = entry->job, *to = entry->moved;
	char amount[DECIMAL_TEXT_SIZE];
	struct errmsg words, price = {""};

	if (ledger_has_price(&to->quote)) {
		decimal_format(to->quote.amount_micros, 6, amount);
		errmsg_set(&price, ", where it is expected to cost %s %s", amount, to->quote.currency);
	}
	errmsg_set(&words, "'%.64s' did not make it (%.200s), and nothing was bought there; it goes on with '%.64s'%s",
		   from->provider, failure->message ? failure->message : "it does not say why", to->provider,
		   price.text);
	log_info("job goes on with another provider", "job", log_id(&entry->ref), "from", from->provider, "to",
		 to->provider, "why", failure->message ? failure->message : "");
	if (job_add_note(entry->status, JOB_NOTE_INFO, "provider", words.text, from->provider, to->provider) < 0)
		abort();
}

static void after_move(struct entry *entry)
{
	FAILPOINT(ROUTE_AFTER);
	run_after_requeue(entry);
}

static struct job *next_of(const struct entry *entry)
{
	struct job *next = job_copy(entry->job);

	if (!next || job_take_route(next, next_route(entry)) < 0)
		abort();
	return next;
}

bool route_go_on(struct entry *entry, const struct job_failure *failure)
{
	struct job_status *status = entry->status;
	bool was_queued = status->state == JOB_STATE_QUEUED;

	if (!may_go_on(entry, failure))
		return false;
	FAILPOINT(ROUTE_BEFORE);
	policy_end_attempt(entry, failure);
	entry->moved = next_of(entry);
	note_move(entry, failure);
	status->misses = 0;
	status->phase = 0;
	status->wait = JOB_WAIT_NONE;
	status->wait_until_ms = 0;
	if (!was_queued)
		entry_move(entry, JOB_STATE_QUEUED);
	entry_submit(entry, was_queued ? JOB_EVENT_PROGRESS : JOB_EVENT_STATE, after_move);
	return true;
}

bool route_go_on_after_miss(struct entry *entry, const struct job_failure *failure, bool is_lasting)
{
	if (!has_configured_next(entry))
		return false;
	entry->status->misses++;
	return (is_lasting || entry->status->misses >= LIMIT_ENGINE_ROUTE_TRIES) && route_go_on(entry, failure);
}

/* The slot and the place in the queue were the other lane's. */
void route_note_committed(struct entry *entry)
{
	struct lane *lane;

	if (!entry->moved)
		return;
	lane = lane_find(entry->engine, entry->moved->provider);
	run_abandon(entry);
	lane_release_slot(entry);
	if (entry->lane)
		atomic_fetch_sub(&entry->lane->queued, 1);
	if (lane)
		atomic_fetch_add(&lane->queued, 1);
	entry->lane = lane;
	job_free(entry->job);
	entry->job = steal(entry->moved);
}

/* ---- who waits for a provider that takes nothing ---- */

/* True, and why, in words for a person. */
static bool is_shut(struct lane *lane, struct job_failure *ret)
{
	int64_t blocked_ms = lane->blocked_until_ms - clock_monotonic_ms(lane->engine->config.clock);
	enum job_reason reason = JOB_REASON_NONE;
	enum job_wait why = JOB_WAIT_NONE;

	if (!lane->config->plugin) {
		reason = JOB_REASON_UNAVAILABLE;
		why = JOB_WAIT_PLUGIN_MISSING;
	} else if (blocked_ms > 0 && lane->blocked_by == JOB_WAIT_CREDENTIAL) {
		reason = JOB_REASON_AUTH;
		why = JOB_WAIT_CREDENTIAL;
	} else if (route_is_too_long(blocked_ms) && lane->blocked_by == JOB_WAIT_RATE_LIMIT) {
		reason = JOB_REASON_RATE_LIMITED;
		why = JOB_WAIT_RATE_LIMIT;
	} else if (lane->breaker.opened) {
		reason = JOB_REASON_UNAVAILABLE;
		why = JOB_WAIT_BREAKER;
	}
	*ret = (struct job_failure){
		.reason = reason,
		.purchase = JOB_PURCHASE_NOTHING,
		.message = (char *)(uintptr_t)lane_problem_words(why),
	};
	return why != JOB_WAIT_NONE;
}

bool route_handle_op(struct entry *entry)
{
	struct job_failure failure;

	return entry->status->state == JOB_STATE_QUEUED && entry->activity == ACTIVITY_NONE && entry->lane &&
	       entry->status->wait_until_ms <= now_utc(entry->engine) && is_shut(entry->lane, &failure) &&
	       has_configured_next(entry) && route_go_on(entry, &failure);
}

/* A look at the front of a lane's queue: who of them may go elsewhere. Most have nowhere else to go, and are let be. */
struct sweep {
	struct loop_message message;
	struct lane *lane;
	struct look {
		struct sweep *sweep;
		struct job_ref ref;
		bool has_next;
	} looks[LIMIT_ENGINE_PLACES];
	size_t n;
	int64_t next_wake_ms; /* when the next of those comes due that wait, UTC; 0: none does */
	atomic_size_t left;   /* not read yet, and one until all are asked for */
};

/* Whoever comes due later, and whoever stands behind those that went, is looked for again. */
static void sweep_again(const struct sweep *sweep, size_t n_gone)
{
	int64_t delay_ms = sweep->next_wake_ms - now_utc(sweep->lane->engine);

	if (n_gone && sweep->n == LIMIT_ENGINE_PLACES)
		delay_ms = 0;
	else if (sweep->next_wake_ms == 0)
		return;
	if (delay_ms < LIMIT_ENGINE_ROUTE_SWEEP_MS)
		delay_ms = LIMIT_ENGINE_ROUTE_SWEEP_MS;
	if (delay_ms > LIMIT_ENGINE_WAKE_MS)
		delay_ms = LIMIT_ENGINE_WAKE_MS;
	if (!sweep->lane->sweeper.is_armed)
		loop_timer_arm(&sweep->lane->sweeper, delay_ms);
}

/* [engine thread] */
static void on_swept(struct loop_message *message)
{
	struct sweep *sweep = loop_message_owner(message, struct sweep, message);
	struct engine *engine = sweep->lane->engine;
	size_t n_gone = 0;

	sweep->lane->is_sweeping = false;
	for (size_t i = 0; i < sweep->n && atomic_load(&engine->phase) == ENGINE_PHASE_SERVING; i++) {
		const struct look *look = &sweep->looks[i];
		struct entry *entry;

		if (!look->has_next)
			continue;
		n_gone++;
		entry = entry_open(engine, &look->ref);
		entry_queue_op(entry, op_new(engine, OP_REROUTE, &look->ref));
		entry_pump(entry);
	}
	if (atomic_load(&engine->phase) == ENGINE_PHASE_SERVING)
		sweep_again(sweep, n_gone);
	free(sweep);
}

static void count_down(struct sweep *sweep)
{
	if (atomic_fetch_sub(&sweep->left, 1) > 1)
		return;
	sweep->message.run = on_swept;
	loop_post(sweep->lane->engine->loop, &sweep->message);
}

/* [reader thread] */
static void on_looked(void *userdata, int outcome, struct job_view *take)
{
	struct look *look = userdata;

	look->has_next = outcome == 0 && has_next(take->job);
	if (outcome == 0)
		job_view_finish(take);
	count_down(look->sweep);
}

/* [engine thread] */
static void on_found(struct loop_message *message)
{
	struct sweep *sweep = loop_message_owner(message, struct sweep, message);
	struct engine *engine = sweep->lane->engine;

	for (size_t i = 0; i < sweep->n && atomic_load(&engine->phase) == ENGINE_PHASE_SERVING; i++) {
		atomic_fetch_add(&sweep->left, 1);
		store_get_job(engine->store, &sweep->looks[i].ref, on_looked, &sweep->looks[i]);
	}
	count_down(sweep);
}

/* [reader thread] */
static void on_queue(void *userdata, int outcome, const struct store_queued *queued, size_t n, int64_t next_wake_ms)
{
	struct sweep *sweep = userdata;

	sweep->next_wake_ms = outcome == 0 ? next_wake_ms : 0;
	for (size_t i = 0; outcome == 0 && i < n; i++)
		sweep->looks[sweep->n++] = (struct look){.sweep = sweep, .ref = queued[i].ref};
	loop_post(sweep->lane->engine->loop, &sweep->message);
}

static void sweep_now(void *userdata)
{
	struct lane *lane = userdata;
	struct job_failure failure;
	struct sweep *sweep;

	if (lane->is_sweeping || atomic_load(&lane->engine->phase) != ENGINE_PHASE_SERVING || !is_shut(lane, &failure))
		return;
	lane->is_sweeping = true;
	lane->swept_ms = clock_monotonic_ms(lane->engine->config.clock);
	sweep = take_memory(sizeof(*sweep));
	sweep->lane = lane;
	sweep->message.run = on_found;
	atomic_init(&sweep->left, 1);
	store_scan_queue(lane->engine->store, lane->config->id, now_utc(lane->engine), LIMIT_ENGINE_PLACES, on_queue,
			 sweep);
}

/* Each look reads up to LIMIT_ENGINE_PLACES jobs: not after every job that is ordered. */
void route_sweep(struct lane *lane)
{
	int64_t now_ms = clock_monotonic_ms(lane->engine->config.clock);
	struct job_failure failure;

	if (!is_shut(lane, &failure) || lane->sweeper.is_armed)
		return;
	if (!lane->swept_ms || now_ms - lane->swept_ms >= LIMIT_ENGINE_ROUTE_SWEEP_MS)
		sweep_now(lane);
	else
		loop_timer_arm(&lane->sweeper, LIMIT_ENGINE_ROUTE_SWEEP_MS - (now_ms - lane->swept_ms));
}

void route_sweep_init(struct lane *lane)
{
	loop_timer_init(&lane->sweeper, lane->engine->loop, sweep_now, lane);
}

void route_sweep_finish(struct lane *lane)
{
	loop_timer_cancel(&lane->sweeper);
}
