/*
 * A job that has ended here while its provider goes on and bills: detached by a cancel, or by its deadline. What it held
 * stays reserved, and the provider is asked, ever more rarely and without a slot, until it says what the order came to,
 * or for LIMIT_ENGINE_AWAIT_MS: then it counts as spent, marked as what nobody has confirmed. Only the end of it is
 * written.
 *
 * However many have ended so, a few are asked about at once: a provider that was left by a thousand jobs, or after a
 * restart all of them, is not overrun. The others come again soon, at moments of their own, so that each has its turn.
 */
#include "engine/run.h"

#include "engine/lift.h"
#include "engine/step.h"
#include "job/price.h"

static void ask(struct entry *entry);

void settle_await(struct entry *entry)
{
	struct job_money *money = &entry->status->money;

	if (entry->status->state == JOB_STATE_RUNNING && money->settlement == JOB_SETTLEMENT_PENDING)
		money->awaited_until_ms = now_utc(entry->engine) + LIMIT_ENGINE_AWAIT_MS;
}

void settle_leave(struct entry *entry)
{
	if (entry->is_settling)
		entry->engine->settling--;
	entry->is_settling = false;
}

static void end(struct entry *entry)
{
	settle_leave(entry);
	entry_begin(entry);
	entry->status->money.awaited_until_ms = 0;
	entry_submit(entry, JOB_EVENT_UPDATED, run_abandon);
}

static void sleep_and_ask(struct entry *entry, int64_t delay_ms)
{
	int64_t left_ms = entry->status->money.awaited_until_ms - now_utc(entry->engine);

	settle_leave(entry);
	if (atomic_load(&entry->engine->phase) == ENGINE_PHASE_SERVING)
		entry_sleep(entry, left_ms < 1 ? 1 : left_ms < delay_ms ? left_ms : delay_ms, ask);
}

static void ask_later(struct entry *entry, int64_t advised_ms)
{
	int64_t next_ms = entry->poll_delay_ms + entry->poll_delay_ms / 2;

	if (next_ms > LIMIT_ENGINE_AWAIT_CAP_MS)
		next_ms = LIMIT_ENGINE_AWAIT_CAP_MS;
	entry->poll_delay_ms = advised_ms > next_ms ? advised_ms : next_ms;
	sleep_and_ask(entry, entry->poll_delay_ms);
}

static void end_failed(struct entry *entry, const struct plugin_answer *answer)
{
	if (job_settle(entry->status, &entry->job->quote, run_purchase_of(answer->failure.bought)) < 0)
		abort();
	end(entry);
}

static void ask_faulty_later(struct entry *entry, const char *why)
{
	metric_add(&figures_of(entry)->plugin_faults, 1);
	log_error("plugin fault in a poll; what the job came to is asked again", "job", log_id(&entry->ref), "why",
		  why);
	ask_later(entry, 0);
}

static void on_reply(struct entry *entry, struct http_outcome *take);

static void follow_up(struct entry *entry, const struct plugin_exchange *asked)
{
	if (exchange_buys(asked)) {
		ask_faulty_later(entry, "it asked for a purchase");
		return;
	}
	if (entry->hops++ >= LIMIT_ENGINE_POLL_HOPS) {
		ask_faulty_later(entry, "it asked for too many exchanges");
		return;
	}
	entry->verb_phase = asked->phase;
	exchange_run(entry, asked, 0, on_reply);
}

static void on_answer(struct entry *entry, struct plugin_answer *take)
{
	step_keep_state(entry, take);
	entry->lift = lift_free(entry->lift);
	switch (take->kind) {
	case PLUGIN_ANSWER_EXCHANGE:
		follow_up(entry, &take->exchange);
		break;
	case PLUGIN_ANSWER_DONE:
		run_note_cost(entry, &take->done.cost);
		end(entry);
		break;
	case PLUGIN_ANSWER_FAILED:
		end_failed(entry, take);
		break;
	case PLUGIN_ANSWER_TROUBLE:
		ask_later(entry, take->failure.retry_after_ms);
		break;
	default:
		ask_later(entry, 0);
	}
	plugin_answer_free(take);
}

static void on_reply(struct entry *entry, struct http_outcome *take)
{
	struct reply *reply;

	if (take->kind != HTTP_REPLY) {
		entry->lift = lift_free(entry->lift);
		http_outcome_free(take);
		ask_later(entry, 0);
		return;
	}
	reply = reply_of_outcome(take, now_utc(entry->engine));
	lift_describe(entry->lift, reply);
	step_run(entry, PLUGIN_VERB_POLL, entry->verb_phase, reply, on_answer);
}

static void begin(struct entry *entry)
{
	struct engine *engine = entry->engine;

	if (engine->settling >= LIMIT_ENGINE_AWAIT_AT_ONCE) {
		sleep_and_ask(entry, 1 + rand_r(&engine->jitter) % LIMIT_ENGINE_AWAIT_TURN_MS);
		return;
	}
	engine->settling++;
	entry->is_settling = true;
	entry->hops = 0;
	step_run(entry, PLUGIN_VERB_POLL, 0, NULL, on_answer);
}

static void ask(struct entry *entry)
{
	if (now_utc(entry->engine) >= entry->status->money.awaited_until_ms)
		end(entry);
	else if (!lane_can_continue(entry->lane, entry->status))
		ask_later(entry, 0);
	else if (atomic_load(&entry->engine->phase) == ENGINE_PHASE_SERVING)
		begin(entry);
}

void settle_begin(struct entry *entry)
{
	entry->poll_delay_ms = LIMIT_ENGINE_AWAIT_FIRST_MS;
	sleep_and_ask(entry, entry->poll_delay_ms);
}
