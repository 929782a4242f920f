/*
 * A purchase that nobody knows the outcome of, and that no key protects: the plugin looks it up at the provider. The job
 * stays in STARTING, and is asked about with growing patience as long as the provider cannot be reached, but not for
 * ever. What comes of it:
 *
 *   accepted  it is there                  -> RUNNING
 *   absent    it is proven not to be there -> the queue: a fresh send is allowed
 *   unknown   it cannot be told            -> as the policy says (policy.c): UNCERTAIN, for a person, or otherwise
 *   bought    and which it is, is unclear  -> UNCERTAIN whatever the policy says, and so is it when the plugin breaks a
 *                                             rule or finds what it may not: a look that failed is no word of theirs
 *
 * To take another job's video for this one's is worse than not to know. A provider's list shows what looks alike, and
 * which of it belongs to whom only the daemon can tell. So a step that reads a reply is shown the *others*: every job
 * that was ordered there at about the same time, read from the store's orders after the reply came. Each of them was on
 * disk before it left, and stays in the list when its job is deleted, so nothing that the reply can show is missing.
 *
 * A restart begins the verb anew, and counts on.
 */
#include "engine/run.h"

#include "base/failpoint.h"
#include "base/json.h"
#include "engine/jump.h"
#include "engine/ops.h"
#include "engine/policy.h"
#include "engine/step.h"
#include "engine/verb.h"

static void look(struct entry *entry);
static void on_answer(struct entry *entry, struct plugin_answer *take);

bool reconcile_is_possible(const struct entry *entry)
{
	const struct job_send *first = send_first_doubt(entry);

	/* Another key may be another account, whose list proves nothing. */
	return entry->lane && first && verb_is_offered(entry->lane, PLUGIN_VERB_RECONCILE) &&
	       send_is_same_account(first, entry->lane->config);
}

/* ---- the facts of a step ---- */

static bool is_doubt_of(const struct job_send *send, uint32_t attempt)
{
	return send->attempt == attempt && (send->class == JOB_SEND_PENDING || send->class == JOB_SEND_AMBIGUOUS);
}

/* From when to when the undecided sends of the attempt were on their way. */
static void span_of_doubts(const struct entry *entry, int64_t *ret_from_ms, int64_t *ret_to_ms)
{
	uint32_t attempt = job_current_attempt(entry->status)->number;

	*ret_from_ms = send_first_doubt(entry)->created_ms;
	*ret_to_ms = *ret_from_ms;
	for (size_t i = 0; i < entry->status->n_sends; i++) {
		const struct job_send *send = &entry->status->sends[i];

		if (is_doubt_of(send, attempt) && send->decided_ms > *ret_to_ms)
			*ret_to_ms = send->decided_ms;
	}
}

static void set(struct json *json, json_node object, const char *name, json_node value)
{
	json_set(json, object, bytes_of_text(name), value);
}

static void add_sends(const struct entry *entry, struct json *json, json_node facts)
{
	uint32_t attempt = job_current_attempt(entry->status)->number;
	json_node sends = json_array(json);

	for (size_t i = 0; i < entry->status->n_sends; i++) {
		const struct job_send *send = &entry->status->sends[i];
		json_node row;

		if (!is_doubt_of(send, attempt))
			continue;
		row = json_object(json);
		set(json, row, "sent_at_ms", json_make_integer(json, send->created_ms));
		set(json, row, "decided_at_ms", json_make_integer(json, send->decided_ms));
		json_append(json, sends, row);
	}
	set(json, facts, "sends", sends);
}

/* The entry keeps the text for the next step. False: this is more than JSON of ours may hold. */
static bool keep_facts(struct entry *entry, struct json *json, json_node facts)
{
	struct buffer text = {0};
	int r;

	add_sends(entry, json, facts);
	r = json_fault(json);
	r = r ? r : json_write(json, facts, JSON_FORM_PLAIN, &text);
	if (r < 0)
		abort();
	free(entry->facts);
	entry->facts = r == 0 ? bytes_dup_text(buffer_bytes(&text)) : NULL;
	buffer_finish(&text);
	if (r == 0 && !entry->facts)
		abort();
	return r == 0;
}

static void keep_short_facts(struct entry *entry, bool has_left_out)
{
	struct json *json = json_new(NULL);
	json_node facts = json_object(json);

	if (has_left_out)
		set(json, facts, "others_left_out", json_make_boolean(json, true));
	if (!keep_facts(entry, json, facts))
		abort();
	json_free(json);
}

/* ---- the others ---- */

/* What the store knows of them, read on a reader thread. */
struct others {
	struct arrival arrival;
	struct json *json;
	json_node list;
	bool is_short; /* not all of them are here */
	struct reply *reply;
};

static void others_free(struct others *others)
{
	json_free(others->json);
	reply_free(others->reply);
	free(others);
}

static void discard_others(struct arrival *arrival)
{
	others_free((struct others *)(void *)arrival);
}

static void add_row(struct others *others, const struct store_order *order, const char *remote_id)
{
	struct json *json = others->json;
	json_node row = json_object(json), parameters = JSON_ABSENT;

	if (json_count(json, others->list) == LIMIT_ENGINE_OTHERS ||
	    json_parse(json, bytes_of_text(order->parameters), JSON_DUPLICATES_LAST_WINS, &parameters, NULL) != 0) {
		others->is_short = true;
		return;
	}
	set(json, row, "model", json_make_text(json, bytes_of_text(order->model ? order->model : "")));
	set(json, row, "parameters", parameters);
	set(json, row, "is_on_its_way", json_make_boolean(json, order->is_on_its_way));
	if (remote_id)
		set(json, row, "remote_id", json_make_text(json, bytes_of_text(remote_id)));
	json_append(json, others->list, row);
}

/* [reader thread] */
static void on_orders(void *userdata, int outcome, const struct store_order *orders, size_t n, bool has_left_out)
{
	struct others *others = userdata;

	others->is_short |= outcome != 0 || has_left_out;
	for (size_t i = 0; i < n; i++) {
		if (orders[i].n_remote_ids == 0)
			add_row(others, &orders[i], NULL);
		for (size_t k = 0; k < orders[i].n_remote_ids; k++)
			add_row(others, &orders[i], orders[i].remote_ids[k]);
	}
	arrival_post(&others->arrival);
}

/* What an earlier attempt brought about is there, too, and is none of this one's. */
static void add_own(struct others *others, const struct entry *entry)
{
	const struct store_order order = {.model = entry->job->model, .parameters = entry->job->parameters};

	for (size_t i = 0; i < entry->status->n_remotes; i++)
		add_row(others, &order, entry->status->remotes[i].id);
}

static void handle_others(struct entry *entry, struct arrival *arrival)
{
	struct others *others = (struct others *)(void *)arrival;
	struct reply *reply = steal(others->reply);
	json_node facts = json_object(others->json);

	add_own(others, entry);
	set(others->json, facts, "others", others->list);
	set(others->json, facts, "others_left_out", json_make_boolean(others->json, others->is_short));
	if (!keep_facts(entry, others->json, facts))
		keep_short_facts(entry, true);
	others_free(others);
	step_run(entry, PLUGIN_VERB_RECONCILE, entry->verb_phase, reply, on_answer);
}

/* No request is on its way for longer than it may take. */
struct store_orders_query reconcile_query(const struct entry *entry)
{
	struct store_orders_query query = {.place = send_place_of(send_first_doubt(entry)->base_url),
					   .except = entry->ref,
					   .limit = LIMIT_ENGINE_OTHERS,
					   .limit_bytes = LIMIT_ENGINE_OTHERS_BYTES};
	int64_t from_ms, to_ms;

	span_of_doubts(entry, &from_ms, &to_ms);
	query.decided_from_ms = from_ms - LIMIT_ENGINE_OTHERS_MARGIN_MS;
	query.sent_from_ms = query.decided_from_ms - LIMIT_HTTP_TIMEOUT_MS;
	query.sent_to_ms = to_ms + LIMIT_ENGINE_OTHERS_MARGIN_MS;
	return query;
}

/* Nothing is known of what was forgotten. */
static void read_others(struct entry *entry, struct reply *take)
{
	const struct store_orders_query query = reconcile_query(entry);
	struct others *others;

	entry_start_activity(entry, ACTIVITY_LOAD);
	others = entry_expect(entry, sizeof(*others), handle_others, discard_others);
	others->is_short = query.sent_from_ms < now_utc(entry->engine) - LIMIT_ENGINE_OTHERS_KEPT_MS;
	others->reply = take;
	others->json = json_new(NULL);
	others->list = json_array(others->json);
	store_find_orders(entry->engine->store, &query, on_orders, others);
}

/* ---- outcomes ---- */

/* Two providers of the configuration may be one place; of what is not configured only the name is known. */
static bool is_same_place(const struct entry *one, const struct entry *other)
{
	struct digest ours, theirs;

	if (!one->lane || !other->lane)
		return strcmp(one->job->provider, other->job->provider) == 0;
	ours = send_place_of(one->lane->config->base_url);
	theirs = send_place_of(other->lane->config->base_url);
	return memcmp(&ours, &theirs, sizeof(ours)) == 0;
}

static bool has_remote(const struct job_status *status, const char *remote_id)
{
	for (size_t i = 0; i < status->n_remotes; i++)
		if (status->remotes[i].id && strcmp(status->remotes[i].id, remote_id) == 0)
			return true;
	return false;
}

const struct job_ref *reconcile_find_owner(const struct entry *entry, const char *remote_id)
{
	for (const struct entry *other = entry->engine->entries; other; other = other->hh.next)
		if (other != entry && other->status && has_remote(other->status, remote_id) &&
		    is_same_place(entry, other))
			return &other->ref;
	return NULL;
}

static bool belongs_to_another(const struct entry *entry, const struct plugin_answer *answer)
{
	const struct plugin_remote *remotes = answer->kind == PLUGIN_ANSWER_DONE ? answer->done.remotes
										 : answer->accepted.remotes;
	size_t n = answer->kind == PLUGIN_ANSWER_DONE ? answer->done.n_remotes : answer->accepted.n_remotes;
	struct json *json = json_new(NULL);
	json_node facts = JSON_ABSENT, list, row;
	bool is_taken = false;

	if (entry->facts && json_parse(json, bytes_of_text(entry->facts), JSON_DUPLICATES_REFUSE, &facts, NULL) != 0)
		abort();
	list = json_at(json, facts, "/others");
	/* Named from memory, without a reply, or not named at all, or too many others to know them: nobody can tell whose
	 * it is. */
	is_taken = list == JSON_ABSENT || n == 0 || json_boolean(json, json_at(json, facts, "/others_left_out"), false);
	for (row = json_first(json, list); row; row = json_next(json, row))
		for (size_t i = 0; i < n; i++)
			is_taken |= json_text_is(json, json_at(json, row, "/remote_id"), remotes[i].id);
	json_free(json);
	/* One that was adopted since the others were read. */
	for (size_t i = 0; i < n && !is_taken; i++)
		is_taken = reconcile_find_owner(entry, remotes[i].id) != NULL;
	return is_taken;
}

static void refuse_anothers(struct entry *entry, struct plugin_answer *take)
{
	plugin_answer_free(take);
	send_hold(entry, "the reply to a paid request was lost, and what the plugin found belongs to another job; "
			 "look at the provider's account whether the job was bought");
}

static void take_found(struct entry *entry, struct plugin_answer *take)
{
	log_info("a lost order was found at the provider", "job", log_id(&entry->ref));
	free(entry->facts);
	entry->facts = NULL;
	FAILPOINT(RECONCILE_BEFORE);
	entry_begin(entry);
	send_settle(entry, JOB_SEND_ACCEPTED);
	send_accepted(entry, take);
}

/* Whose it is by the store: what was adopted stands among no orders. */
struct owners {
	struct arrival arrival;
	struct plugin_answer *answer;
	const char *ids[LIMIT_PLUGIN_REMOTES];
	int outcome;
	bool is_taken;
};

static void discard_owners(struct arrival *arrival)
{
	struct owners *owners = (struct owners *)(void *)arrival;

	plugin_answer_free(owners->answer);
	free(owners);
}

static void look_again(struct entry *entry, int64_t delay_ms, const char *why);

static void handle_owners(struct entry *entry, struct arrival *arrival)
{
	struct owners *owners = (struct owners *)(void *)arrival;
	struct plugin_answer *answer = steal(owners->answer);
	bool is_taken = owners->is_taken || belongs_to_another(entry, answer), is_unread = owners->outcome != 0;

	free(owners);
	if (is_taken) {
		refuse_anothers(entry, answer);
	} else if (is_unread) {
		plugin_answer_free(answer);
		look_again(entry, 0, "whose the found one is could not be read");
	} else {
		take_found(entry, answer);
	}
}

/* [reader thread] */
static void on_owners(void *userdata, int outcome, const struct store_owner *found, size_t n)
{
	struct owners *owners = userdata;

	owners->outcome = outcome;
	for (size_t i = 0; i < n; i++)
		owners->is_taken |= found[i].is_known;
	arrival_post(&owners->arrival);
}

static void adopt(struct entry *entry, struct plugin_answer *take)
{
	const bool is_done = take->kind == PLUGIN_ANSWER_DONE;
	const struct plugin_remote *remotes = is_done ? take->done.remotes : take->accepted.remotes;
	struct store_owners_query query = {
		.place = send_place_of(entry->lane->config->base_url),
		.provider = entry->job->provider,
		.n = is_done ? take->done.n_remotes : take->accepted.n_remotes,
	};
	struct owners *owners;

	if (belongs_to_another(entry, take)) {
		refuse_anothers(entry, take);
		return;
	}
	entry_start_activity(entry, ACTIVITY_LOAD);
	owners = entry_expect(entry, sizeof(*owners), handle_owners, discard_owners);
	owners->answer = take;
	for (size_t i = 0; i < query.n; i++)
		owners->ids[i] = remotes[i].id;
	query.remote_ids = owners->ids;
	store_find_owners(entry->engine->store, &query, on_owners, owners);
}

/* It goes on in the same attempt, in which nothing was bought; the next send has another key. */
static void order_again(struct entry *entry)
{
	log_info("a lost order is proven absent; it is sent again", "job", log_id(&entry->ref));
	FAILPOINT(RECONCILE_BEFORE);
	entry_begin(entry);
	send_settle(entry, JOB_SEND_ABSENT);
	entry->status->reconciles = 0;
	entry->status->plugin_state_version = 0;
	if (job_set_text(&entry->status->plugin_state, NULL) < 0)
		abort();
	run_requeue(entry, JOB_WAIT_BACKOFF,
		    backoff_ms(entry->engine, entry->status->retries, LIMIT_ENGINE_BACKOFF_BASE_MS,
			       LIMIT_ENGINE_BACKOFF_CAP_MS));
}

static struct errmsg untold(const char *why)
{
	struct errmsg words;

	errmsg_set(
		&words,
		"the reply to a paid request was lost, and the provider does not tell whether it was taken (%.150s); "
		"look at the provider's account whether the job was bought",
		why);
	return words;
}

/* The provider cannot tell, or cannot be asked. */
static void give_up(struct entry *entry, const char *why)
{
	policy_decide(entry, untold(why).text);
}

/* The plugin is wrong: what it says proves nothing, and nothing is bought or given up for it. */
static void hold(struct entry *entry, const char *why)
{
	send_hold(entry, untold(why).text);
}

static void hold_bought(struct entry *entry, const struct plugin_failure *failure)
{
	struct errmsg words;

	errmsg_set(
		&words,
		"the reply to a paid request was lost, and it was bought, but which video it is cannot be told (%.150s); "
		"look at the provider's account, and name it with --found",
		*failure->message ? failure->message : "the plugin does not say why");
	send_hold(entry, words.text);
}

static void sleep_and_look(struct entry *entry)
{
	entry_sleep(entry, jump_left_ms(entry, entry->status->wait_until_ms, LIMIT_ENGINE_RECONCILE_CAP_MS), look);
}

/* What the plugin remembers between two looks is stored with the wait. */
static void look_later(struct entry *entry, int64_t delay_ms)
{
	struct job_status *status = entry->status;

	entry_begin(entry);
	if (delay_ms <= 0)
		delay_ms = backoff_ms(entry->engine, status->reconciles, LIMIT_ENGINE_BACKOFF_BASE_MS,
				      LIMIT_ENGINE_RECONCILE_CAP_MS);
	else if (delay_ms > LIMIT_ENGINE_RECONCILE_CAP_MS)
		delay_ms = LIMIT_ENGINE_RECONCILE_CAP_MS;
	status->wait_until_ms = now_utc(entry->engine) + delay_ms;
	entry_submit(entry, JOB_EVENT_PROGRESS, sleep_and_look);
}

static void look_again(struct entry *entry, int64_t delay_ms, const char *why)
{
	log_debug("a lost order could not be looked up yet", "job", log_id(&entry->ref), "why", why);
	if (++entry->status->reconciles >= LIMIT_ENGINE_RECONCILES)
		give_up(entry, why);
	else
		look_later(entry, delay_ms);
}

/*
 * The provider has answered, and its list may be behind: no look that failed. Only what lasts longer than any list may
 * lag is counted like one.
 */
static void wait_for_list(struct entry *entry, int64_t delay_ms)
{
	int64_t from_ms, to_ms, waited_ms;

	span_of_doubts(entry, &from_ms, &to_ms);
	waited_ms = now_utc(entry->engine) - to_ms;
	if (!entry->hops || waited_ms < 0 || waited_ms >= LIMIT_ENGINE_RECONCILE_WAIT_MS) {
		look_again(entry, delay_ms, "the plugin waits");
		return;
	}
	entry->status->reconciles = 0;
	look_later(entry, delay_ms);
}

/* ---- looking ---- */

static void on_looked(struct entry *entry, struct http_outcome *take)
{
	if (take->kind == HTTP_REPLY) {
		read_others(entry, reply_of_outcome(take, now_utc(entry->engine)));
		return;
	}
	look_again(entry, 0, take->message);
	http_outcome_free(take);
}

static void ask(struct entry *entry, const struct plugin_answer *answer)
{
	/* The end of the daemon waits for no more of it; the next start begins anew. */
	if (atomic_load(&entry->engine->phase) != ENGINE_PHASE_SERVING)
		return;
	if (exchange_buys(&answer->exchange)) {
		hold(entry, "the plugin asked for another purchase");
		return;
	}
	if (entry->hops++ >= LIMIT_ENGINE_RECONCILE_HOPS) {
		give_up(entry, "the plugin asked for too many exchanges");
		return;
	}
	entry->verb_phase = answer->exchange.phase;
	exchange_run(entry, &answer->exchange, 0, on_looked);
}

static void on_answer(struct entry *entry, struct plugin_answer *take)
{
	step_keep_state(entry, take);
	switch (take->kind) {
	case PLUGIN_ANSWER_EXCHANGE:
		ask(entry, take);
		break;
	case PLUGIN_ANSWER_WAIT:
		wait_for_list(entry, take->wait.after_ms);
		break;
	case PLUGIN_ANSWER_TROUBLE:
		look_again(entry, take->failure.retry_after_ms,
			   *take->failure.message ? take->failure.message : "the provider cannot answer");
		break;
	case PLUGIN_ANSWER_ACCEPTED:
	case PLUGIN_ANSWER_DONE:
		adopt(entry, take);
		return;
	case PLUGIN_ANSWER_ABSENT:
		if (entry->hops)
			order_again(entry);
		else
			hold(entry, "the plugin says that it is absent and has not asked");
		break;
	case PLUGIN_ANSWER_UNKNOWN:
		give_up(entry, "nothing there is certainly this order");
		break;
	case PLUGIN_ANSWER_FAILED:
		if (take->failure.bought == PLUGIN_BOUGHT_MADE)
			hold_bought(entry, &take->failure);
		else
			give_up(entry, *take->failure.message ? take->failure.message : "the question is refused");
		break;
	default:
		hold(entry, take->kind == PLUGIN_ANSWER_FAULT ? take->fault : "the plugin gave an odd answer");
	}
	plugin_answer_free(take);
}

static void look(struct entry *entry)
{
	if (atomic_load(&entry->engine->phase) != ENGINE_PHASE_SERVING)
		return;
	entry->hops = 0;
	keep_short_facts(entry, false);
	step_run(entry, PLUGIN_VERB_RECONCILE, 0, NULL, on_answer);
}

void reconcile_begin(struct entry *entry, int64_t delay_ms)
{
	struct job_status *status = entry->status;

	log_info("a lost order is looked up at the provider", "job", log_id(&entry->ref));
	if (!entry->change)
		entry_begin(entry);
	if (delay_ms > LIMIT_ENGINE_RECONCILE_CAP_MS)
		delay_ms = LIMIT_ENGINE_RECONCILE_CAP_MS;
	status->wait_until_ms = now_utc(entry->engine) + (delay_ms > 0 ? delay_ms : 0);
	entry_submit(entry, JOB_EVENT_PROGRESS, sleep_and_look);
}

void reconcile_resume(struct entry *entry)
{
	sleep_and_look(entry);
}
