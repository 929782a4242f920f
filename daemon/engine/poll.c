/*
 * RUNNING: ask how it is doing, at the pace of the provider, until it is done, failed, or the deadline comes. An
 * exchange that fails says nothing about the job: it is repeated with growing patience, and the job goes on.
 */
#include "engine/run.h"

#include "base/failpoint.h"
#include "engine/lift.h"
#include "engine/ops.h"
#include "engine/policy.h"

static void poll(struct entry *entry);

/* How long until the next one. However often a provider says that there is news, and whoever repeats what it said, it is not
 * asked more often than its shortest interval allows. */
static int64_t pause_ms(const struct entry *entry)
{
	int64_t since_ms = clock_monotonic_ms(entry->engine->config.clock) - entry->polled_ms;
	int64_t least_ms = entry->polled_ms == 0 ? 1 : entry->lane->config->poll_min_ms - since_ms;

	if (!entry->is_hinted || entry->is_patient || least_ms >= entry->poll_delay_ms)
		return entry->poll_delay_ms;
	return least_ms > 0 ? least_ms : 1;
}

static void sleep_and_poll(struct entry *entry)
{
	int64_t delay_ms = pause_ms(entry);

	entry->poll_due_ms = clock_monotonic_ms(entry->engine->config.clock) + delay_ms;
	if (atomic_load(&entry->engine->phase) == ENGINE_PHASE_SERVING)
		entry_sleep(entry, delay_ms, poll);
}

/* What failed is tried again in its own time: the provider may have named it, and no webhook shortens that. */
static void sleep_and_try(struct entry *entry)
{
	entry->is_patient = true;
	sleep_and_poll(entry);
}

/* Asleep already, a while for nothing. What is under way may have been answered before the news. */
bool poll_pull(struct entry *entry)
{
	int64_t now_ms = clock_monotonic_ms(entry->engine->config.clock);

	if (!entry->status || entry->status->state != JOB_STATE_RUNNING)
		return false;
	entry->is_hinted = true;
	if (entry->activity != ACTIVITY_TIMER || entry->on_timer != poll || entry->is_timer_due || !entry->lane ||
	    now_ms + pause_ms(entry) >= entry->poll_due_ms)
		return false;
	entry_interrupt(entry);
	sleep_and_poll(entry);
	return true;
}

/* Without the provider's advice the pause grows by half each time, up to the configured most. */
static void pace(struct entry *entry, int64_t advised_ms)
{
	const struct engine_provider_config *config = entry->lane->config;
	int64_t next_ms = entry->polls > 1 ? entry->poll_delay_ms + entry->poll_delay_ms / 2 : config->poll_min_ms;

	if (next_ms < config->poll_min_ms)
		next_ms = config->poll_min_ms;
	if (next_ms > config->poll_max_ms)
		next_ms = config->poll_max_ms;
	entry->poll_delay_ms = advised_ms > 0 ? advised_ms : next_ms;
}

/* What the plugin remembers of the failure is kept, too: it may count how long it lasts. */
static void back_off_to(struct entry *entry, int64_t advised_ms, int64_t cap_ms)
{
	entry->poll_delay_ms = advised_ms > 0 ? advised_ms
					      : backoff_ms(entry->engine, entry->poll_failures++,
							   entry->lane->config->poll_min_ms, cap_ms);
	if (!entry->is_state_changed) {
		sleep_and_try(entry);
		return;
	}
	entry_begin(entry);
	entry_submit(entry, JOB_EVENT_PROGRESS, sleep_and_try);
}

static void back_off(struct entry *entry, int64_t advised_ms)
{
	back_off_to(entry, advised_ms, LIMIT_ENGINE_BACKOFF_CAP_MS);
}

/* It may be a previous key that this job alone still needs: nobody else is held up. */
static void wait_for_key(struct entry *entry, int64_t advised_ms)
{
	log_warning("the provider refuses the key with which a job was ordered; it is asked again", "job",
		    log_id(&entry->ref), "provider", entry->lane->config->id);
	entry->poll_delay_ms = advised_ms > 0 ? advised_ms : LIMIT_ENGINE_CREDENTIAL_MS;
	if (entry->status->wait == JOB_WAIT_CREDENTIAL && !entry->is_state_changed) {
		sleep_and_try(entry);
		return;
	}
	entry_begin(entry);
	entry->status->wait = JOB_WAIT_CREDENTIAL;
	entry_submit(entry, JOB_EVENT_PROGRESS, sleep_and_try);
}

/* What the reply carried has no room. It is there still, and asked for again. */
static void wait_for_room(struct entry *entry, const char *why)
{
	log_warning("what a reply carries cannot be stored; make room, and it is asked for again", "job",
		    log_id(&entry->ref), "folder", artifact_store_path(entry->engine->config.artifacts), "why", why);
	entry->poll_delay_ms = LIMIT_ENGINE_DISK_MS;
	if (entry->status->wait == JOB_WAIT_DISK && !entry->is_state_changed) {
		sleep_and_try(entry);
		return;
	}
	entry_begin(entry);
	entry->status->wait = JOB_WAIT_DISK;
	entry_submit(entry, JOB_EVENT_PROGRESS, sleep_and_try);
}

/* ---- what the plugin makes of the reply ---- */

static bool is_same_text(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

/* Only news is written: a poll that says the same again leaves no trace. */
static void note_progress(struct entry *entry, const struct plugin_answer *answer)
{
	struct job_status *status = entry->status;
	const struct plugin_wait *wait = &answer->wait;
	int32_t percent = wait->progress_permille < 0 ? -1 : wait->progress_permille / 10;

	entry->poll_failures = 0;
	entry->is_patient = false;
	pace(entry, wait->after_ms);
	if (!entry->is_state_changed && status->wait == JOB_WAIT_NONE && status->progress_percent == percent &&
	    status->queue_position == wait->queue_position &&
	    is_same_text(status->remote_state, step_text_or_null(wait->status))) {
		sleep_and_poll(entry);
		return;
	}
	entry_begin(entry);
	status->wait = JOB_WAIT_NONE;
	status->progress_percent = percent;
	status->queue_position = wait->queue_position;
	if (job_set_text(&status->remote_state, step_text_or_null(wait->status)) < 0)
		abort();
	entry_submit(entry, JOB_EVENT_PROGRESS, sleep_and_poll);
}

static void end_failed(struct entry *entry, const struct plugin_answer *answer)
{
	struct job_failure failure = run_failure_of(answer, run_purchase_of(answer->failure.bought));

	policy_fail(entry, failure.reason == JOB_REASON_CANCELLED ? JOB_STATE_CANCELLED : JOB_STATE_FAILED, &failure);
}

/* What was ordered and will not come: the provider's word. What it names and cannot be had is added by fetch.c. */
static void note_missing(struct job_status *status, const struct plugin_done *done)
{
	for (size_t i = 0; i < done->n_missing; i++) {
		if (job_add_missing(status, done->missing[i].role) < 0)
			abort();
	}
}

static void store_outputs(struct entry *entry, struct plugin_answer *take, int outcome)
{
	char *outputs;

	if (outcome != 0) {
		plugin_answer_free(take);
		wait_for_room(entry, outcome < 0 ? log_errno(outcome) : "the disk is full");
		return;
	}
	outputs = fetch_write_outputs(take, entry->lift);
	entry->lift = lift_free(entry->lift);
	FAILPOINT(FETCH_BEFORE_OUTPUTS);
	entry_begin(entry);
	note_missing(entry->status, &take->done);
	if (!entry->job->is_adopted)
		run_note_cost(entry, &take->done.cost);
	free(entry->status->outputs);
	entry->status->outputs = outputs;
	plugin_answer_free(entry->delivery);
	entry->delivery = take;
	entry->status->wait = JOB_WAIT_NONE;
	entry->status->wait_until_ms = 0;
	if (entry->status->delivered_ms == 0)
		entry->status->delivered_ms = now_utc(entry->engine);
	entry_move(entry, JOB_STATE_STORING);
	entry_submit(entry, JOB_EVENT_STATE, fetch_begin);
}

void poll_store(struct entry *entry, struct plugin_answer *take)
{
	for (size_t i = 0; i < take->done.n_outputs; i++)
		if (take->done.outputs[i].lifted) {
			lift_sync(entry, take, store_outputs);
			return;
		}
	store_outputs(entry, take, 0);
}

static void on_poll_fault(struct entry *entry, const struct plugin_answer *answer)
{
	struct errmsg why;

	if (answer->kind == PLUGIN_ANSWER_FAULT)
		errmsg_set(&why, "%s", answer->fault);
	else if (answer->kind == PLUGIN_ANSWER_EXCHANGE)
		errmsg_set(&why, exchange_buys(&answer->exchange) ? "it asked for a purchase"
								  : "it asked for too many exchanges");
	else
		errmsg_set(&why, "it answered '%s', which has no meaning in a poll", plugin_answer_name(answer->kind));
	if (answer->kind != PLUGIN_ANSWER_FAULT)
		metric_add(&figures_of(entry)->plugin_faults, 1);
	log_error("plugin fault in a poll; the job goes on", "job", log_id(&entry->ref), "why", why.text);
	entry->poll_delay_ms = LIMIT_ENGINE_BACKOFF_CAP_MS;
	sleep_and_try(entry);
}

static void on_polled(struct entry *entry, struct http_outcome *take);

static void on_poll_answer(struct entry *entry, struct plugin_answer *take)
{
	step_keep_state(entry, take);
	if (take->kind != PLUGIN_ANSWER_DONE)
		entry->lift = lift_free(entry->lift);
	switch (take->kind) {
	case PLUGIN_ANSWER_EXCHANGE:
		if (exchange_buys(&take->exchange) || entry->hops++ >= LIMIT_ENGINE_POLL_HOPS) {
			on_poll_fault(entry, take);
			break;
		}
		entry->verb_phase = take->exchange.phase;
		exchange_run(entry, &take->exchange, 0, on_polled);
		break;
	case PLUGIN_ANSWER_WAIT:
		note_progress(entry, take);
		break;
	case PLUGIN_ANSWER_DONE:
		poll_store(entry, take);
		return;
	case PLUGIN_ANSWER_FAILED:
		end_failed(entry, take);
		break;
	case PLUGIN_ANSWER_TROUBLE:
		if (take->failure.reason == PLUGIN_REASON_AUTH)
			wait_for_key(entry, take->failure.retry_after_ms);
		else
			back_off(entry, take->failure.retry_after_ms);
		break;
	default:
		on_poll_fault(entry, take);
	}
	plugin_answer_free(take);
}

/*
 * An exchange that failed is no failure of the job, whatever it carried. What cannot be used may cost as much to bring as
 * a video, so it is asked for as rarely as a fresh link; and it is no gateway's hiccup, so it is said aloud.
 */
static void on_poll_lost(struct entry *entry, const struct http_outcome *outcome)
{
	entry->lift = lift_free(entry->lift);
	switch (outcome->kind) {
	case HTTP_NOT_STORED:
		wait_for_room(entry, outcome->message);
		break;
	case HTTP_UNREADABLE:
	case HTTP_TOO_LARGE:
		log_warning("the reply to a poll is of no use; it is asked for again", "job", log_id(&entry->ref),
			    "why", outcome->message);
		back_off_to(entry, 0, LIMIT_ENGINE_RELINK_CAP_MS);
		break;
	default:
		log_debug("poll failed", "job", log_id(&entry->ref), "why", outcome->message);
		back_off(entry, 0);
	}
}

static void on_polled(struct entry *entry, struct http_outcome *take)
{
	struct reply *reply;

	if (entry->poll_due_ms)
		figures_note_poll(entry, entry->poll_due_ms, take);
	entry->poll_due_ms = 0;
	if (take->kind != HTTP_REPLY) {
		on_poll_lost(entry, take);
		http_outcome_free(take);
		return;
	}
	reply = reply_of_outcome(take, now_utc(entry->engine));
	lift_describe(entry->lift, reply);
	step_run(entry, PLUGIN_VERB_POLL, entry->verb_phase, reply, on_poll_answer);
}

static void poll(struct entry *entry)
{
	if (atomic_load(&entry->engine->phase) != ENGINE_PHASE_SERVING)
		return;
	entry->polls++;
	entry->hops = 0;
	entry->polled_ms = clock_monotonic_ms(entry->engine->config.clock);
	entry->is_hinted = false;
	step_run(entry, PLUGIN_VERB_POLL, 0, NULL, on_poll_answer);
}

void poll_begin(struct entry *entry, int64_t delay_ms)
{
	entry->poll_delay_ms = delay_ms > 0 ? delay_ms : entry->lane->config->poll_first_ms;
	entry->poll_failures = 0;
	entry->is_patient = entry->relinks > 0;
	entry->is_hinted = hint_was_early(entry);
	sleep_and_poll(entry);
}
