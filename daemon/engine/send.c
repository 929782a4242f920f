/*
 * The exchange that may buy. Each send is on disk before it leaves, and ends in exactly one class, by the table in
 * classes.c: not sent, refused, accepted, or ambiguous, which a crash between two writes is, too.
 *
 * A *doubt* is a send of this attempt that may have bought and is not decided. While there is one, the job stays in
 * STARTING, and only three things end it: the provider accepts a repeat with the same key (it replays its first
 * answer), it refuses the repeat for what the request says (the first one was not taken either: its key would have been
 * replayed), or the key's window closes. Then the plugin looks the order up, if it can (reconcile.c); else the
 * policy has the word (policy.c): UNCERTAIN, unless somebody has said otherwise. A stored reply that nobody can read is
 * UNCERTAIN always: another plugin may read it.
 *
 * A repeat needs all of: the provider honours keys; wall time since the first send is not negative and below the window
 * less a tenth; the account's keys, which may be previous ones, and base URL and the rebuilt request's fingerprint are as
 * recorded; the store was not
 * restored from a copy since, unless the job was released after that (held.c).
 */
#include "engine/held.h"
#include "engine/run.h"

#include "base/failpoint.h"
#include "engine/classes.h"
#include "engine/forward.h"
#include "engine/jump.h"
#include "engine/key.h"
#include "engine/media.h"
#include "engine/money.h"
#include "engine/ops.h"
#include "engine/policy.h"
#include "engine/step.h"
#include "job/place.h"

static void send_now(struct entry *entry);
static void repeat(struct entry *entry);
static void on_reply_answer(struct entry *entry, struct plugin_answer *take);

/* ---- doubts ---- */

static bool is_doubtful(const struct job_send *send)
{
	return send->class == JOB_SEND_PENDING || send->class == JOB_SEND_AMBIGUOUS;
}

static const struct job_send *first_doubt_of(const struct job_status *status, uint32_t attempt,
					     const struct job_send *except)
{
	for (size_t i = 0; i < status->n_sends; i++) {
		const struct job_send *send = &status->sends[i];

		if (send->attempt == attempt && send != except && is_doubtful(send))
			return send;
	}
	return NULL;
}

/* The first send of the live attempt that may have bought, other than @except. */
static const struct job_send *first_doubt(const struct entry *entry, const struct job_send *except)
{
	const struct job_attempt *attempt = job_current_attempt(entry->status);

	return attempt ? first_doubt_of(entry->status, attempt->number, except) : NULL;
}

/* The provider's window, less a tenth for the clocks. */
static int64_t trusted_ms(const struct job_send *first)
{
	return first->key_window_ms - first->key_window_ms / 10;
}

const struct job_send *send_first_doubt(const struct entry *entry)
{
	return first_doubt(entry, NULL);
}

struct digest send_place_of(const char *base_url)
{
	struct digest place;

	if (job_place_of(base_url, &place) < 0)
		abort();
	return place;
}

bool send_is_same_account(const struct job_send *first, const struct engine_provider_config *config)
{
	struct digest theirs, ours = send_place_of(config->base_url);

	if (!first->base_url)
		return false;
	theirs = send_place_of(first->base_url);
	return memcmp(&theirs, &ours, sizeof(theirs)) == 0 && key_is_known(config, &first->account);
}

bool send_may_repeat(const struct entry *entry)
{
	const struct job_send *first = first_doubt(entry, NULL);
	int64_t age_ms;

	if (!first || first->key_window_ms <= 0 || !entry->lane || held_is(entry))
		return false;
	age_ms = now_utc(entry->engine) - first->created_ms;
	if (age_ms < 0 || age_ms >= trusted_ms(first))
		return false;
	return send_is_same_account(first, entry->lane->config);
}

/* ---- deciding ---- */

static void decide(struct entry *entry, enum job_send_class class, int32_t http_status)
{
	struct job_send *send = job_current_send(entry->status);

	if (!entry->change)
		entry_begin(entry);
	if (class == JOB_SEND_AMBIGUOUS)
		metric_add(&figures_of(entry)->ambiguous_sends, 1);
	send->class = class;
	send->decided_ms = now_utc(entry->engine);
	if (http_status)
		send->http_status = http_status;
	store_commit_put_send(entry->change, &entry->ref, send);
}

static void settle_doubts(struct entry *entry, const struct job_send *except, enum job_send_class class)
{
	const struct job_send *doubt;

	while ((doubt = first_doubt(entry, except)) != NULL) {
		struct job_send *send = &entry->status->sends[doubt - entry->status->sends];

		send->class = class;
		send->decided_ms = now_utc(entry->engine);
		store_commit_put_send(entry->change, &entry->ref, send);
	}
}

/* An accepted or refused key settles the earlier sends that carried it. */
static void settle_earlier(struct entry *entry, enum job_send_class class)
{
	settle_doubts(entry, job_current_send(entry->status), class);
}

void send_settle(struct entry *entry, enum job_send_class class)
{
	settle_doubts(entry, NULL, class);
}

void send_hold(struct entry *entry, const char *why)
{
	struct job_failure failure = {
		.reason = JOB_REASON_LOST,
		.purchase = JOB_PURCHASE_UNKNOWN,
		.message = (char *)(uintptr_t)why,
	};

	log_warning("job is uncertain: it may have been bought", "job", log_id(&entry->ref), "why", why);
	if (!entry->change)
		entry_begin(entry);
	if (job_failure_copy(&failure, &entry->status->failure) < 0)
		abort();
	entry_move(entry, JOB_STATE_UNCERTAIN);
	entry_submit(entry, JOB_EVENT_STATE, run_after_end);
}

static void sleep_and_repeat(struct entry *entry)
{
	FAILPOINT(SEND_AFTER_DOUBT);
	entry_sleep(entry, jump_left_ms(entry, entry->status->wait_until_ms, LIMIT_HTTP_RETRY_AFTER_MS), repeat);
}

/* No pause is so long that the key protects nothing after it, as long as there is time for one repeat more. */
static int64_t within_window(const struct entry *entry, int64_t delay_ms)
{
	const struct job_send *first = first_doubt(entry, NULL);
	int64_t left_ms = first->created_ms + trusted_ms(first) - now_utc(entry->engine) - LIMIT_ENGINE_REPEAT_SPARE_MS;

	return delay_ms < left_ms || left_ms <= 0 ? delay_ms : left_ms;
}

/* Looked up, or left to the policy: with the change that has begun, if one has. */
static void end_repeats(struct entry *entry, int64_t delay_ms, const char *why)
{
	if (reconcile_is_possible(entry))
		reconcile_begin(entry, delay_ms);
	else
		policy_decide(entry, why);
}

/* Why nothing is sent again; @what: what became of the last send; NULL or empty where nobody says. */
static struct errmsg unprotected(const struct entry *entry, const char *what)
{
	const struct job_send *first = first_doubt(entry, NULL);
	bool is_said = what && *what;
	struct errmsg why;

	errmsg_set(&why, "%s%.250s, and %s; look at the provider's account whether the job was bought",
		   is_said ? "a paid request is undecided: " : "the reply to a paid request was lost",
		   is_said ? what : "",
		   held_is(entry)                      ? "the store was restored from a copy since"
		   : first && first->key_window_ms > 0 ? "its key no longer protects a repeat"
						       : "no key protects a repeat");
	return why;
}

/* Commits the decision that stands in entry->change, and goes on with the doubt. @what: as in unprotected(). */
static void keep_doubt(struct entry *entry, int64_t delay_ms, const char *what)
{
	if (!send_may_repeat(entry)) {
		end_repeats(entry, delay_ms, unprotected(entry, what).text);
		return;
	}
	if (delay_ms <= 0)
		delay_ms = backoff_ms(entry->engine, entry->status->retries, LIMIT_ENGINE_BACKOFF_BASE_MS,
				      LIMIT_ENGINE_REPEAT_CAP_MS);
	entry->status->retries++;
	entry->status->wait_until_ms = now_utc(entry->engine) + within_window(entry, delay_ms);
	entry_submit(entry, JOB_EVENT_PROGRESS, sleep_and_repeat);
}

/* ---- what came back ---- */

static void on_not_sent(struct entry *entry, const char *why)
{
	log_warning("paid request did not leave", "job", log_id(&entry->ref), "why", why);
	decide(entry, JOB_SEND_NOT_SENT, 0);
	if (first_doubt(entry, NULL))
		keep_doubt(entry, 0, why);
	else
		run_requeue_unsent(entry, why);
}

static void order_later(struct entry *entry)
{
	run_requeue(entry, JOB_WAIT_BACKOFF,
		    backoff_ms(entry->engine, entry->status->retries, LIMIT_ENGINE_BACKOFF_BASE_MS,
			       LIMIT_ENGINE_BACKOFF_CAP_MS));
}

/* It was our disk's fault: nothing that another provider would be gone to for. */
static void on_outdated(struct entry *entry)
{
	static const char why[] = "the store took so long to record it that it has to be prepared anew";

	log_warning("paid request did not leave", "job", log_id(&entry->ref), "why", why);
	decide(entry, JOB_SEND_NOT_SENT, 0);
	if (first_doubt(entry, NULL))
		keep_doubt(entry, 0, why);
	else
		order_later(entry);
}

static void on_ambiguous(struct entry *entry, int32_t status, int64_t delay_ms, const char *why)
{
	log_warning("paid request is undecided", "job", log_id(&entry->ref), "why", why);
	decide(entry, JOB_SEND_AMBIGUOUS, status);
	keep_doubt(entry, delay_ms, why);
}

static void show_reply(struct entry *entry, struct reply *take)
{
	entry->paid_status = take->facts.status;
	step_run(entry, PLUGIN_VERB_START, entry->status->phase, take, on_reply_answer);
}

static void read_reply(struct entry *entry)
{
	FAILPOINT(SEND_AFTER_REPLY);
	show_reply(entry, steal(entry->reply));
}

/* The reply is synced before any plugin reads it: a plugin that fails on it can be repaired and asked again. */
static void keep_reply(struct entry *entry, struct http_outcome *take)
{
	const struct job_send *send = job_current_send(entry->status);
	struct store_commit *commit = store_commit_new();
	struct buffer meta = {0};

	if (!commit)
		abort();
	entry->reply = reply_of_outcome(take, now_utc(entry->engine));
	reply_write_meta(entry->reply, &meta);
	store_commit_expect_revision(commit, &entry->ref, entry->revision);
	store_commit_put_reply(commit, &entry->ref, send->attempt, send->number, buffer_bytes(&meta),
			       entry->reply->facts.body);
	buffer_finish(&meta);
	entry_hand_over(entry, commit, read_reply);
}

static void on_sent(struct entry *entry, struct http_outcome *take)
{
	enum send_sight sight = send_sight_of(take);

	FAILPOINT(SEND_BEFORE_REPLY);
	if (sight == SEND_SAW_A_REPLY) {
		metric_observe(&figures_of(entry)->submit_ms, &metric_durations_ms, (uint64_t)take->duration_ms);
		keep_reply(entry, take);
		return;
	}
	if (send_class_of(sight, SEND_READ_NOTHING) == JOB_SEND_AMBIGUOUS && !MUTANT(RESEND_ON_TIMEOUT))
		on_ambiguous(entry, take->status, 0, take->message);
	else
		on_not_sent(entry, take->message);
	http_outcome_free(take);
}

/* ---- what the plugin reads in the reply ---- */

void send_own(struct entry *entry, const char *remote_id)
{
	const struct job_send *send = job_current_send(entry->status);
	const char *address = send ? send->base_url : NULL;
	struct digest place;

	if (!address && entry->lane)
		address = entry->lane->config->base_url;
	if (!address)
		return;
	place = send_place_of(address);
	store_commit_put_owner(entry->change, &entry->ref, &place, remote_id);
}

static void add_remotes(struct entry *entry, const struct plugin_remote *remotes, size_t n)
{
	const struct job_attempt *attempt = job_current_attempt(entry->status);

	for (size_t i = 0; i < n; i++) {
		struct job_remote *remote = job_add_remote(entry->status);

		if (!remote || job_set_text(&remote->id, remotes[i].id) < 0 ||
		    job_set_text(&remote->kind, step_text_or_null(remotes[i].kind)) < 0)
			abort();
		remote->attempt = attempt->number;
		remote->index = (uint32_t)i + 1;
		store_commit_put_remote(entry->change, &entry->ref, remote);
		send_own(entry, remote->id);
	}
}

static void after_accepted(struct entry *entry)
{
	FAILPOINT(SEND_AFTER_ID);
	deadline_notice(entry->engine, job_deadline_ms(entry->job, entry->status));
	if (op_obey_wish(entry))
		return;
	if (entry->delivery)
		poll_store(entry, steal(entry->delivery));
	else
		poll_begin(entry, entry->poll_delay_ms);
}

void send_accepted(struct entry *entry, struct plugin_answer *take)
{
	struct job_status *status = entry->status;
	bool is_done = take->kind == PLUGIN_ANSWER_DONE;

	FAILPOINT(SEND_BEFORE_ID);
	if (is_done)
		add_remotes(entry, take->done.remotes, take->done.n_remotes);
	else
		add_remotes(entry, take->accepted.remotes, take->accepted.n_remotes);
	entry->media = media_unref(entry->media);
	status->retries = 0;
	status->misses = 0;
	status->reconciles = 0;
	status->wait_until_ms = 0;
	status->phase = 0;
	if (job_set_text(&status->remote_state, is_done ? NULL : step_text_or_null(take->accepted.status)) < 0)
		abort();
	/* What an earlier attempt cost says nothing about this one. */
	if (job_set_cost(status, JOB_COST_NONE, 0, NULL) < 0)
		abort();
	if (!is_done) {
		run_note_cost(entry, &take->accepted.cost);
		status->cost.is_provisional = status->cost.source != JOB_COST_NONE;
	}
	entry->poll_delay_ms = is_done ? 0 : take->accepted.after_ms;
	entry->delivery = is_done ? take : plugin_answer_free(take);
	entry_move(entry, JOB_STATE_RUNNING);
	entry_submit(entry, JOB_EVENT_STATE, after_accepted);
}

static bool is_about_the_request(enum plugin_reason reason)
{
	return reason == PLUGIN_REASON_INVALID_INPUT || reason == PLUGIN_REASON_MODERATED;
}

static void refuse_for_good(struct entry *entry, const struct plugin_answer *answer, enum job_purchase purchase)
{
	struct job_failure failure = run_failure_of(answer, purchase);

	settle_earlier(entry, JOB_SEND_REFUSED);
	policy_fail(entry, JOB_STATE_FAILED, &failure);
}

/*
 * The provider has forgotten what was uploaded to it. What an earlier attempt or another order brought there is brought
 * anew, and the order made again; what came in this attempt was of no use, and will not be.
 */
static void refuse_unknown_input(struct entry *entry, const struct plugin_answer *answer)
{
	struct job_failure failure = run_failure_of(answer, JOB_PURCHASE_NOTHING);

	if (forward_forget(entry)) {
		order_later(entry);
		return;
	}
	failure.reason = JOB_REASON_INVALID_INPUT;
	failure.message = (char *)(uintptr_t) "the provider does not know an input that was uploaded for this order";
	run_fail_unbought(entry, &failure);
}

static bool is_for_now(const struct plugin_answer *answer)
{
	return answer->kind == PLUGIN_ANSWER_TROUBLE || answer->failure.reason == PLUGIN_REASON_AUTH ||
	       answer->failure.reason >= PLUGIN_REASON_RATE_LIMITED;
}

/* Of a refusal, which bought nothing: what is to be done now. */
static void obey_refusal(struct entry *entry, const struct plugin_answer *answer)
{
	bool has_doubt = first_doubt(entry, job_current_send(entry->status)) != NULL;

	if (has_doubt && (is_for_now(answer) || !is_about_the_request(answer->failure.reason)))
		keep_doubt(entry, answer->failure.retry_after_ms, answer->failure.message);
	else if (answer->failure.reason == PLUGIN_REASON_NOT_FOUND && entry->job->n_assets)
		refuse_unknown_input(entry, answer);
	else if (is_for_now(answer))
		run_requeue_refused(entry, answer);
	else
		refuse_for_good(entry, answer, JOB_PURCHASE_NOTHING);
}

static void on_follow_up(struct entry *entry, struct http_outcome *take)
{
	if (take->kind == HTTP_REPLY) {
		step_run(entry, PLUGIN_VERB_START, entry->verb_phase, reply_of_outcome(take, now_utc(entry->engine)),
			 on_reply_answer);
		return;
	}
	on_ambiguous(entry, 0, 0, take->message);
	http_outcome_free(take);
}

static int64_t patience_of(const struct plugin_answer *answer)
{
	return answer->kind == PLUGIN_ANSWER_WAIT ? answer->wait.after_ms : answer->failure.retry_after_ms;
}

static const char *words_of(const struct plugin_answer *answer)
{
	if (answer->kind == PLUGIN_ANSWER_WAIT)
		return "the provider is still at it";
	return *answer->failure.message ? answer->failure.message : "the reply does not decide it";
}

static bool asks_further(const struct plugin_answer *answer)
{
	return answer->kind == PLUGIN_ANSWER_EXCHANGE && !exchange_buys(&answer->exchange);
}

/* Held whatever the policy says: another plugin may read it. */
static void on_unreadable(struct entry *entry, const struct plugin_answer *answer)
{
	if (answer->kind != PLUGIN_ANSWER_FAULT)
		metric_add(&figures_of(entry)->plugin_faults, 1);
	decide(entry, JOB_SEND_AMBIGUOUS, entry->paid_status);
	send_hold(entry, answer->kind == PLUGIN_ANSWER_FAULT ? answer->fault
							     : "the plugin could not read the reply to a paid request");
}

/* A second purchase is no answer to the first. */
static void on_reply_answer(struct entry *entry, struct plugin_answer *take)
{
	int http_status = entry->paid_status;
	enum send_reading reading = send_reading_of(take, http_status);
	enum job_send_class class = send_class_of(SEND_SAW_A_REPLY, reading);

	step_keep_state(entry, take);
	if (asks_further(take)) {
		entry->verb_phase = take->exchange.phase;
		exchange_run(entry, &take->exchange, 0, on_follow_up);
		plugin_answer_free(take);
		return;
	}
	if (reading == SEND_READ_NO_ANSWER) {
		on_unreadable(entry, take);
	} else if (class == JOB_SEND_AMBIGUOUS) {
		on_ambiguous(entry, http_status, patience_of(take), words_of(take));
	} else {
		decide(entry, class, http_status);
		if (reading == SEND_READ_ID) {
			settle_earlier(entry, JOB_SEND_ACCEPTED);
			send_accepted(entry, take);
			return;
		}
		if (reading == SEND_READ_PURCHASE)
			refuse_for_good(entry, take, JOB_PURCHASE_MADE);
		else
			obey_refusal(entry, take);
	}
	plugin_answer_free(take);
}

/* ---- sending ---- */

/* What may have been bought already has its room whatever else there is: a repeat adds nothing to it. */
static bool reserve_room(struct entry *entry)
{
	uint64_t bytes = entry->lane->config->expected_bytes;

	if (entry->reserved_bytes || first_doubt(entry, NULL))
		return true;
	if (artifact_reserve(entry->engine->config.artifacts, bytes) != 0)
		return false;
	entry->reserved_bytes = bytes;
	return true;
}

/*
 * The record that says least: the oldest that is settled as not bought, or repeats a doubt. The first doubt of each
 * attempt stays, since the key's window is counted from it, and a later attempt counts the ones before it; and so does
 * what was accepted.
 */
static bool find_expendable(const struct entry *entry, size_t *ret)
{
	const struct job_status *status = entry->status;

	for (size_t i = 0; i < status->n_sends; i++) {
		const struct job_send *send = &status->sends[i];

		if (send == first_doubt_of(status, send->attempt, NULL) || send->class == JOB_SEND_ACCEPTED)
			continue;
		*ret = i;
		return true;
	}
	return false;
}

/* An order that is refused every minute of a day fills no list. */
static void make_place(struct entry *entry)
{
	struct job_status *status = entry->status;
	size_t at;

	if (status->n_sends < LIMIT_ENGINE_SENDS || !find_expendable(entry, &at))
		return;
	store_commit_delete_send(entry->change, &entry->ref, &status->sends[at]);
	job_drop_send(status, at);
}

/* A record whose request never left is used again: there is no reply to it that could be taken for the next one's. */
static struct job_send *next_send(struct entry *entry)
{
	const struct job_attempt *attempt = job_current_attempt(entry->status);
	struct job_send *last = job_current_send(entry->status);
	struct job_send *send;
	uint32_t number = last && last->attempt == attempt->number ? last->number : 0;

	if (number && last->class == JOB_SEND_NOT_SENT)
		return last;
	make_place(entry);
	send = job_add_send(entry->status);
	if (!send)
		abort();
	send->attempt = attempt->number;
	send->number = number + 1;
	return send;
}

static void record_send(struct entry *entry, const struct plugin_answer *answer)
{
	/* Of the order so far, which is repeated. */
	const struct engine_key key = key_of_job(entry->lane, entry->status);
	struct job_send *send = next_send(entry);

	send->class = JOB_SEND_PENDING;
	send->created_ms = now_utc(entry->engine);
	send->decided_ms = 0;
	send->http_status = 0;
	send->key_window_ms = exchange_key_window_ms(entry->lane, &answer->exchange);
	send->fingerprint = answer->exchange.fingerprint;
	send->account = key.digest;
	if (job_set_text(&send->idempotency_key, entry->key) < 0 ||
	    job_set_text(&send->base_url, entry->lane->config->base_url) < 0)
		abort();
	store_commit_put_send(entry->change, &entry->ref, send);
}

/* The store could not be written to meanwhile: what was true when the order was made, its token for one, may not be now,
 * and whoever has cancelled it since could not be heard. */
static bool is_outdated(const struct entry *entry)
{
	return now_utc(entry->engine) - job_current_send(entry->status)->created_ms > LIMIT_ENGINE_INTENT_MS;
}

static void send_now(struct entry *entry)
{
	struct plugin_answer *answer = steal(entry->outgoing);

	FAILPOINT(SEND_AFTER_INTENT);
	if (is_outdated(entry)) {
		plugin_answer_free(answer);
		on_outdated(entry);
		return;
	}
	exchange_run(entry, &answer->exchange, HTTP_ONCE, on_sent);
	FAILPOINT(SEND_HANDED_OVER);
	plugin_answer_free(answer);
}

void send_begin(struct entry *entry, struct plugin_answer *take)
{
	if (atomic_load(&entry->engine->phase) != ENGINE_PHASE_SERVING) {
		plugin_answer_free(take);
		return;
	}
	if (held_is(entry)) {
		plugin_answer_free(take);
		held_wait(entry);
		return;
	}
	if (!reserve_room(entry)) {
		plugin_answer_free(take);
		/* The jobs behind it would meet the same disk, and each write to it. */
		lane_block(entry->lane, JOB_WAIT_DISK, LIMIT_ENGINE_DISK_MS);
		run_requeue(entry, JOB_WAIT_DISK, LIMIT_ENGINE_DISK_MS);
		return;
	}
	FAILPOINT(SEND_BEFORE_INTENT);
	if (!money_prepare(entry)) {
		plugin_answer_free(take);
		run_requeue(entry, JOB_WAIT_BUDGET, LIMIT_ENGINE_BUDGET_CAP_MS);
		return;
	}
	entry_begin(entry);
	record_send(entry, take);
	entry->status->phase = take->exchange.phase;
	entry->status->wait_until_ms = 0;
	entry->outgoing = take;
	if (entry->status->state == JOB_STATE_PREPARING)
		entry_move(entry, JOB_STATE_STARTING);
	entry_submit(entry, JOB_EVENT_STATE, send_now);
}

/* ---- repeating ---- */

static void on_rebuilt(struct entry *entry, struct plugin_answer *take)
{
	const struct job_send *first = first_doubt(entry, NULL);

	/* Nothing could be built for now: there is no token, for one. */
	if (take->kind == PLUGIN_ANSWER_TROUBLE) {
		entry_begin(entry);
		keep_doubt(entry, take->failure.retry_after_ms, take->failure.message);
		plugin_answer_free(take);
		return;
	}
	if (!send_may_repeat(entry) || take->kind != PLUGIN_ANSWER_EXCHANGE ||
	    exchange_key_window_ms(entry->lane, &take->exchange) <= 0 ||
	    memcmp(&take->exchange.fingerprint, &first->fingerprint, sizeof(first->fingerprint)) != 0) {
		plugin_answer_free(take);
		end_repeats(entry, 0,
			    "the reply to a paid request was lost, and the request can no longer be repeated as it "
			    "was; look at the provider's account whether the job was bought");
		return;
	}
	send_begin(entry, take);
}

static void repeat(struct entry *entry)
{
	if (atomic_load(&entry->engine->phase) != ENGINE_PHASE_SERVING)
		return;
	if (send_may_repeat(entry))
		step_run(entry, PLUGIN_VERB_START, 0, NULL, on_rebuilt);
	else
		end_repeats(entry, 0, unprotected(entry, NULL).text);
}

/* ---- after a restart ---- */

struct kept_reply {
	struct arrival arrival;
	int outcome; /* 0, STORE_E_NOT_FOUND, another one of the store's, or negative errno */
	struct reply *reply;
};

static void discard_kept(struct arrival *arrival)
{
	struct kept_reply *kept = (struct kept_reply *)(void *)arrival;

	reply_free(kept->reply);
	free(kept);
}

/* There is a reply, and it may say that the job was bought: as long as nobody can read it, nothing is repeated. */
static void hold_unreadable(struct entry *entry, int outcome)
{
	struct errmsg words, why;

	explain_unreadable(outcome, &words);
	errmsg_set(&why,
		   "the stored reply to a paid request cannot be read (%.200s); look at the provider's account whether "
		   "the job was bought",
		   words.text);
	decide(entry, JOB_SEND_AMBIGUOUS, 0);
	send_hold(entry, why.text);
}

static void handle_kept(struct entry *entry, struct arrival *arrival)
{
	struct kept_reply *kept = (struct kept_reply *)(void *)arrival;
	struct reply *reply = steal(kept->reply);
	int outcome = kept->outcome;

	free(kept);
	if (outcome == 0)
		show_reply(entry, reply);
	else if (outcome == STORE_E_NOT_FOUND)
		on_ambiguous(entry, 0, 1, "the daemon stopped before the reply was stored");
	else
		hold_unreadable(entry, outcome);
}

/* [reader thread] */
static void on_kept(void *userdata, int outcome, struct bytes meta, struct bytes body)
{
	struct kept_reply *kept = userdata;

	kept->outcome = outcome;
	if (outcome == 0) {
		kept->reply = reply_of_record(meta, body);
		if (!kept->reply)
			kept->outcome = err_origin(-EBADMSG);
	}
	arrival_post(&kept->arrival);
}

void send_resume(struct entry *entry)
{
	const struct job_send *send = job_current_send(entry->status);
	struct kept_reply *kept;

	if (send && send->class == JOB_SEND_PENDING) {
		entry_start_activity(entry, ACTIVITY_LOAD);
		kept = entry_expect(entry, sizeof(*kept), handle_kept, discard_kept);
		store_get_reply(entry->engine->store, &entry->ref, send->attempt, send->number, on_kept, kept);
	} else if (send_may_repeat(entry)) {
		sleep_and_repeat(entry);
	} else if (reconcile_is_possible(entry)) {
		reconcile_resume(entry);
	} else {
		policy_decide(entry, unprotected(entry, NULL).text);
	}
}
