/*
 * From the queue to the purchase: QUEUED -> PREPARING, and back. What is bought is send.c's matter, what follows
 * poll.c's and fetch.c's.
 */
#include "engine/run.h"

#include "base/failpoint.h"
#include "engine/forward.h"
#include "engine/lift.h"
#include "engine/media.h"
#include "engine/ops.h"
#include "engine/route.h"

static void begin_start(struct entry *entry);

/* The plugin's reasons are the job's, but for those that only make sense between the plugin and the engine. */
enum job_reason run_reason_of(const struct plugin_answer *answer)
{
	if (answer->kind == PLUGIN_ANSWER_FAULT)
		return JOB_REASON_PLUGIN_FAULT;
	switch (answer->failure.reason) {
	case PLUGIN_REASON_UNKNOWN:
		return JOB_REASON_PROVIDER_FAULT;
	case PLUGIN_REASON_NOT_FOUND:
		return JOB_REASON_LOST;
	case PLUGIN_REASON_IN_PROGRESS:
	case PLUGIN_REASON_TOKEN:
		return JOB_REASON_UNAVAILABLE;
	default:
		return (enum job_reason)answer->failure.reason;
	}
}

/* One line for a person; the provider's own words stand beside it. */
static const char *words_for(enum job_reason reason)
{
	static const char *const words[] = {
		[JOB_REASON_INVALID_INPUT] = "the provider refused the order: its input will never be taken",
		[JOB_REASON_MODERATED] = "the provider's content rules refused it",
		[JOB_REASON_NO_CREDIT] = "the provider account has no credit or plan for it",
		[JOB_REASON_AUTH] = "the provider refused the key",
		[JOB_REASON_PROVIDER_FAULT] = "the provider failed to make it",
		[JOB_REASON_LOST] = "the provider no longer knows it",
		[JOB_REASON_TIMEOUT] = "the provider gave up on it",
		[JOB_REASON_ARTIFACT_BAD] = "the provider finished it without a usable video",
		[JOB_REASON_CANCELLED] = "it was cancelled at the provider",
		[JOB_REASON_QUOTA] = "a quota of the provider account is used up",
	};

	if ((size_t)reason < sizeof(words) / sizeof(words[0]) && words[reason])
		return words[reason];
	return "the provider cannot take it now";
}

struct job_failure run_failure_of(const struct plugin_answer *answer, enum job_purchase purchase)
{
	return (struct job_failure){
		.reason = run_reason_of(answer),
		.purchase = purchase,
		.message = answer->kind == PLUGIN_ANSWER_FAULT ? (char *)(uintptr_t)answer->fault
							       : (char *)(uintptr_t)words_for(run_reason_of(answer)),
		.provider_code = (char *)(uintptr_t)step_text_or_null(answer->failure.code),
		.provider_message = (char *)(uintptr_t)step_text_or_null(answer->failure.message),
		.provider_request_id = (char *)(uintptr_t)step_text_or_null(answer->failure.request_id),
	};
}

enum job_purchase run_purchase_of(enum plugin_bought bought)
{
	static const enum job_purchase purchases[_PLUGIN_BOUGHT_N] = {
		[PLUGIN_BOUGHT_HOUSE_RULE] = JOB_PURCHASE_UNKNOWN,
		[PLUGIN_BOUGHT_NONE] = JOB_PURCHASE_NOTHING,
		[PLUGIN_BOUGHT_MADE] = JOB_PURCHASE_MADE,
		[PLUGIN_BOUGHT_UNKNOWN] = JOB_PURCHASE_UNKNOWN,
	};

	return purchases[bought];
}

/* The ledger could not add it up, and what was delivered is worth keeping: it is as if nobody had said it, but said so. */
static void refuse_cost(struct entry *entry, const struct plugin_cost *cost)
{
	struct errmsg said, words;

	errmsg_set(&said, "%lld millionths of %.40s", (long long)cost->amount_micros, cost->currency);
	errmsg_set(
		&words,
		"what %s said that it cost is not believed: more than %lld millionths are taken for a mistake; look at "
		"the provider's account",
		cost->is_from_provider ? "the provider" : "the plugin", (long long)LIMIT_JOB_COST_MICROS);
	log_error("a cost is not believed", "job", log_id(&entry->ref), "said", said.text);
	if (job_add_note(entry->status, JOB_NOTE_IGNORED, "cost", words.text, said.text, "") < 0)
		abort();
}

void run_note_cost(struct entry *entry, const struct plugin_cost *cost)
{
	if (!cost->is_known)
		return;
	if (cost->amount_micros > LIMIT_JOB_COST_MICROS)
		refuse_cost(entry, cost);
	else if (job_set_cost(entry->status, cost->is_from_provider ? JOB_COST_PROVIDER : JOB_COST_PLUGIN,
			      cost->amount_micros, cost->currency) < 0)
		abort();
}

/* ---- ends ---- */

void run_abandon(struct entry *entry)
{
	fetch_abandon(entry);
	settle_leave(entry);
	entry->delivery = plugin_answer_free(entry->delivery);
	entry->outgoing = plugin_answer_free(entry->outgoing);
	entry->reply = reply_free(entry->reply);
	entry->media = media_unref(entry->media);
	entry->lift = lift_free(entry->lift);
	if (entry->reserved_bytes)
		artifact_release(entry->engine->config.artifacts, entry->reserved_bytes);
	entry->reserved_bytes = 0;
}

void run_after_end(struct entry *entry)
{
	run_abandon(entry);
	lane_release_slot(entry);
}

void run_after_requeue(struct entry *entry)
{
	run_abandon(entry);
	lane_release_slot(entry);
	if (entry->lane)
		lane_notice(entry->lane, &entry->index);
	deadline_notice(entry->engine, job_deadline_ms(entry->job, entry->status));
	op_obey_wish(entry);
}

void run_requeue(struct entry *entry, enum job_wait why, int64_t delay_ms)
{
	struct job_status *status = entry->status;

	status->wait = why;
	status->wait_until_ms = delay_ms > 0 ? now_utc(entry->engine) + delay_ms : 0;
	status->phase = 0;
	status->retries++;
	entry_move(entry, JOB_STATE_QUEUED);
	entry_submit(entry, JOB_EVENT_STATE, run_after_requeue);
}

static enum job_wait wait_of(enum plugin_reason reason)
{
	switch (reason) {
	case PLUGIN_REASON_RATE_LIMITED:
	case PLUGIN_REASON_CONCURRENCY:
		return JOB_WAIT_RATE_LIMIT;
	case PLUGIN_REASON_AUTH:
		return JOB_WAIT_CREDENTIAL;
	case PLUGIN_REASON_TOKEN:
		return JOB_WAIT_TOKEN;
	default:
		return JOB_WAIT_BACKOFF;
	}
}

void run_requeue_refused(struct entry *entry, const struct plugin_answer *answer)
{
	const struct job_failure failure = run_failure_of(answer, JOB_PURCHASE_NOTHING);
	enum job_wait why = wait_of(answer->failure.reason);
	int64_t delay_ms = answer->failure.retry_after_ms;

	if (delay_ms <= 0)
		delay_ms = why == JOB_WAIT_CREDENTIAL
				   ? LIMIT_ENGINE_CREDENTIAL_MS
				   : backoff_ms(entry->engine, entry->status->retries, LIMIT_ENGINE_BACKOFF_BASE_MS,
						LIMIT_ENGINE_BACKOFF_CAP_MS);
	if (why != JOB_WAIT_BACKOFF && why != JOB_WAIT_TOKEN)
		lane_block(entry->lane, why, delay_ms);
	if (!route_go_on_after_miss(entry, &failure,
				    why == JOB_WAIT_CREDENTIAL ||
					    (why == JOB_WAIT_RATE_LIMIT && route_is_too_long(delay_ms))))
		run_requeue(entry, why, delay_ms);
}

void run_requeue_unsent(struct entry *entry, const char *why)
{
	const struct job_failure failure = {
		.reason = JOB_REASON_UNAVAILABLE,
		.purchase = JOB_PURCHASE_NOTHING,
		.message = (char *)(uintptr_t)why,
	};

	if (!route_go_on_after_miss(entry, &failure, false))
		run_requeue(entry, JOB_WAIT_BACKOFF,
			    backoff_ms(entry->engine, entry->status->retries, LIMIT_ENGINE_BACKOFF_BASE_MS,
				       LIMIT_ENGINE_BACKOFF_CAP_MS));
}

void run_fail_unbought(struct entry *entry, const struct job_failure *failure)
{
	if (!route_go_on(entry, failure))
		entry_fail(entry, JOB_STATE_FAILED, failure, run_after_end);
}

void run_begin_time_anew(struct entry *entry)
{
	struct job *job = entry->job;
	int64_t now_ms = now_utc(entry->engine);

	job->patience_ms = job_patience_ms(job);
	job->deadline_ms = (job->not_before_ms > now_ms ? job->not_before_ms : now_ms) + job->patience_ms;
	store_commit_put_job(entry->change, job);
}

/* An update changed the place in the queue, at most. */
void run_after_update(struct entry *entry)
{
	if (entry->status->state == JOB_STATE_QUEUED && entry->lane)
		lane_notice(entry->lane, &entry->index);
	op_answer_committed(entry);
}

/* ---- PREPARING: free exchanges, until the plugin asks for the one that buys ---- */

static void on_prepared(struct entry *entry, struct http_outcome *take);

static void refuse(struct entry *entry, const struct plugin_answer *answer)
{
	struct job_failure failure = run_failure_of(answer, JOB_PURCHASE_NOTHING);

	run_fail_unbought(entry, &failure);
}

/* What was said without the provider, by the plugin or about a file: no word of the provider's is in it. */
static void refuse_unsent(struct entry *entry, const struct plugin_answer *answer)
{
	const struct plugin_failure *said = &answer->failure;
	struct errmsg why;
	struct job_failure failure = {
		.reason = run_reason_of(answer),
		.purchase = JOB_PURCHASE_NOTHING,
		.message = why.text,
	};

	errmsg_set(&why, "%s: %.400s",
		   entry->is_unsent ? "nothing was sent to the provider" : "the order cannot be made",
		   *said->message ? said->message
		   : *said->code  ? said->code
				  : "the plugin refuses the order and does not say why");
	run_fail_unbought(entry, &failure);
}

static void refuse_answer(struct entry *entry, const struct plugin_answer *answer)
{
	struct errmsg why;
	struct job_failure failure = {
		.reason = JOB_REASON_PLUGIN_FAULT,
		.purchase = JOB_PURCHASE_NOTHING,
		.message = why.text,
	};

	errmsg_set(&why, "the plugin answered '%s', which has no meaning before anything was bought",
		   plugin_answer_name(answer->kind));
	metric_add(&figures_of(entry)->plugin_faults, 1);
	run_fail_unbought(entry, &failure);
}

static void prepare_with(struct entry *entry, struct plugin_answer *answer)
{
	entry->status->phase = answer->exchange.phase;
	entry->is_unsent = false;
	exchange_run(entry, &answer->exchange, 0, on_prepared);
}

static void on_start_answer(struct entry *entry, struct plugin_answer *take);

/* With one handle more start is begun anew; an upload that failed is answered as if start had. */
static void on_forwarded(struct entry *entry, struct plugin_answer *take)
{
	if (take)
		on_start_answer(entry, take);
	else
		begin_start(entry);
}

static void on_start_answer(struct entry *entry, struct plugin_answer *take)
{
	/* Whoever asked first is heard first: what the plugin would do next, buying included, is not done. */
	if (op_is_ending(entry)) {
		plugin_answer_free(take);
		return;
	}
	step_keep_state(entry, take);
	switch (take->kind) {
	case PLUGIN_ANSWER_EXCHANGE:
		if (exchange_buys(&take->exchange)) {
			send_begin(entry, take);
			return;
		}
		prepare_with(entry, take);
		break;
	case PLUGIN_ANSWER_UPLOAD:
		entry->is_unsent = false;
		forward_begin(entry, take->uploads[0], on_forwarded);
		break;
	case PLUGIN_ANSWER_WAIT:
		entry_sleep(entry, take->wait.after_ms > 0 ? take->wait.after_ms : entry->lane->config->poll_first_ms,
			    begin_start);
		break;
	case PLUGIN_ANSWER_FAILED:
	case PLUGIN_ANSWER_FAULT:
		refuse(entry, take);
		break;
	case PLUGIN_ANSWER_TROUBLE:
		run_requeue_refused(entry, take);
		break;
	default:
		refuse_answer(entry, take);
	}
	plugin_answer_free(take);
}

/* The same of a step that had no reply before it: what it refuses, the plugin refuses by itself. */
static void on_begun(struct entry *entry, struct plugin_answer *take)
{
	if (take->kind != PLUGIN_ANSWER_FAILED || op_is_ending(entry)) {
		on_start_answer(entry, take);
		return;
	}
	step_keep_state(entry, take);
	refuse_unsent(entry, take);
	plugin_answer_free(take);
}

static void on_prepared(struct entry *entry, struct http_outcome *take)
{
	if (take->kind == HTTP_REPLY) {
		step_run(entry, PLUGIN_VERB_START, entry->status->phase, reply_of_outcome(take, now_utc(entry->engine)),
			 on_start_answer);
		return;
	}
	log_warning("a free exchange failed", "job", log_id(&entry->ref), "why", take->message);
	run_requeue_unsent(entry, take->message);
	http_outcome_free(take);
}

static void begin_start(struct entry *entry)
{
	if (op_obey_wish(entry))
		return;
	step_run(entry, PLUGIN_VERB_START, 0, NULL, on_begun);
}

/* An attempt in which nothing was bought goes on; one that ended is followed by the next. */
static void take_attempt(struct entry *entry)
{
	struct job_attempt *attempt = job_current_attempt(entry->status);
	uint32_t number = attempt ? attempt->number : 0;

	if (attempt && attempt->ended_ms == 0)
		return;
	attempt = job_add_attempt(entry->status);
	if (!attempt)
		abort();
	attempt->number = number + 1;
	attempt->started_ms = now_utc(entry->engine);
	if (job_set_text(&attempt->provider, entry->job->provider) < 0 ||
	    job_set_text(&attempt->model, entry->job->model) < 0)
		abort();
	entry->status->delivered_ms = 0;
	store_commit_put_attempt(entry->change, &entry->ref, attempt);
}

/* Nothing was bought yet: what a plugin cannot read of an earlier preparation, it prepares again. */
static void drop_unreadable_state(struct entry *entry)
{
	if (lane_can_continue(entry->lane, entry->status))
		return;
	if (job_set_text(&entry->status->plugin_state, NULL) < 0)
		abort();
	entry->status->plugin_state_version = 0;
}

void run_begin(struct entry *entry)
{
	entry_begin(entry);
	take_attempt(entry);
	drop_unreadable_state(entry);
	entry->status->wait = JOB_WAIT_NONE;
	entry->status->wait_until_ms = 0;
	entry->status->phase = 0;
	/* Whatever it was that left earlier, the job went back into the queue after it. */
	entry->is_unsent = entry->status->n_sends == 0 && entry->status->retries == 0;
	entry_move(entry, JOB_STATE_PREPARING);
	entry_submit(entry, JOB_EVENT_STATE, begin_start);
}

/* What was bought, or may have been, is owed its room: no new purchase may count on it. */
static void reserve_owed(struct entry *entry)
{
	if (entry->reserved_bytes || entry->status->state == JOB_STATE_PREPARING)
		return;
	entry->reserved_bytes = entry->lane->config->expected_bytes;
	artifact_reserve_owed(entry->engine->config.artifacts, entry->reserved_bytes);
}

void run_resume(struct entry *entry)
{
	if (job_state_is_terminal(entry->status->state)) {
		settle_begin(entry);
		return;
	}
	if (!lane_can_continue(entry->lane, entry->status)) {
		log_warning("job waits: its plugin is not loaded, or cannot read what another version of it kept",
			    "job", log_id(&entry->ref), "provider", entry->job->provider, "state_version",
			    log_int(entry->status->plugin_state_version));
		return;
	}
	/* What was bought elsewhere runs beside what is started here, and most of it is done already. */
	if (!entry->job->is_adopted)
		lane_take_slot(entry);
	reserve_owed(entry);
	switch (entry->status->state) {
	case JOB_STATE_PREPARING:
		begin_start(entry);
		break;
	case JOB_STATE_STARTING:
		if (MUTANT(SKIP_INTENT))
			begin_start(entry);
		else
			send_resume(entry);
		break;
	case JOB_STATE_RUNNING:
		if (op_obey_wish(entry))
			break;
		poll_begin(entry, 1 + rand_r(&entry->engine->jitter) % LIMIT_ENGINE_RESUME_SPREAD_MS);
		break;
	case JOB_STATE_STORING:
		fetch_begin(entry);
		break;
	default:
		break;
	}
}
