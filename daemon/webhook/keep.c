/*
 * What the store keeps: taken up at the start, noted as it goes on, dropped when it is old.
 */
#include "webhook/inside.h"

#define AGAIN_MS 10000 /* until what the store could not read is asked for again */

/* An answer of the store on its way to our thread. */
struct answer {
	struct loop_message message;
	struct webhooks *webhooks;
	int outcome;
	bool has_more;
	struct store_delivery_key scanned_to;
	size_t n;
	struct store_delivery_key *keys;   /* of n cursors, or */
	struct store_delivery *deliveries; /* n of them */
};

static struct answer *new_answer(struct webhooks *webhooks, void (*run)(struct loop_message *message))
{
	struct answer *answer = need_memory(sizeof(*answer));

	answer->message.run = run;
	answer->webhooks = webhooks;
	return answer;
}

static void free_answer(struct answer *answer)
{
	for (size_t i = 0; answer->deliveries && i < answer->n; i++)
		store_delivery_finish(&answer->deliveries[i]);
	free(answer->deliveries);
	free(answer->keys);
	free(answer);
}

/* [reader thread] */
static void on_deliveries(void *userdata, int outcome, struct store_delivery *deliveries, size_t n,
			  const struct store_delivery_key *scanned_to, bool more)
{
	struct answer *answer = userdata;

	answer->outcome = outcome;
	answer->has_more = more;
	if (scanned_to)
		answer->scanned_to = *scanned_to;
	answer->deliveries = need_memory((n + 1) * sizeof(*deliveries));
	answer->n = n;
	for (size_t i = 0; i < n; i++) {
		answer->deliveries[i] = deliveries[i];
		deliveries[i] = (struct store_delivery){0};
	}
	loop_post(answer->webhooks->loop, &answer->message);
}

/* [engine thread] */
static void on_kept(void *userdata, int outcome)
{
	struct answer *answer = userdata;

	answer->outcome = outcome;
	loop_post(answer->webhooks->loop, &answer->message);
}

static bool is_over(const struct answer *answer, const char *what)
{
	struct webhooks *webhooks = answer->webhooks;

	if (webhooks->is_stopping)
		return true;
	if (answer->outcome == 0)
		return false;
	log_error("the store could not do its part for webhooks; they wait, and it is tried again", "what", what,
		  "outcome", log_int(answer->outcome));
	loop_timer_arm(&webhooks->start_timer, AGAIN_MS);
	return true;
}

/* ---- the start: those that are to be sent ---- */

static void read_pending(struct webhooks *webhooks, const struct store_delivery_key *after);

static void on_pending(struct loop_message *message)
{
	struct answer *answer = loop_message_owner(message, struct answer, message);
	struct webhooks *webhooks = answer->webhooks;

	if (!is_over(answer, "reading what is to be delivered")) {
		for (size_t i = 0; i < answer->n; i++)
			item_add(webhooks, &answer->deliveries[i].key, answer->deliveries[i].url,
				 answer->deliveries[i].next_ms);
		if (answer->has_more)
			read_pending(webhooks, &answer->scanned_to);
		else if (webhooks->n_endpoints > 0)
			planner_start(webhooks);
	}
	free_answer(answer);
}

static void read_pending(struct webhooks *webhooks, const struct store_delivery_key *after)
{
	struct store_delivery_query query = {.tenant = JOB_TENANT_DEFAULT, .only_pending = true};

	query.has_after = after != NULL;
	if (after)
		query.after = *after;
	engine_list_deliveries(webhooks->engine, &query, on_deliveries, new_answer(webhooks, on_pending));
}

/* ---- the start: how far the events were read ---- */

static struct store_delivery_key cursor_of(const struct endpoint *endpoint)
{
	struct store_delivery_key key = {.tenant = JOB_TENANT_DEFAULT, .sequence = endpoint->read};

	snprintf(key.endpoint, sizeof(key.endpoint), "%s", endpoint->name);
	return key;
}

static void on_endpoints_kept(struct loop_message *message)
{
	struct answer *answer = loop_message_owner(message, struct answer, message);
	struct webhooks *webhooks = answer->webhooks;

	if (!is_over(answer, "noting the endpoints")) {
		loop_timer_arm(&webhooks->cursor_timer, LIMIT_WEBHOOK_CURSOR_MS);
		loop_timer_arm(&webhooks->trim_timer, LIMIT_WEBHOOK_TRIM_MS / 10);
		read_pending(webhooks, NULL);
	}
	free_answer(answer);
}

/* A new endpoint begins with what happens from now on; one that is gone is forgotten, so that it would, too. */
static void keep_endpoints(struct webhooks *webhooks, const struct answer *answer)
{
	struct store_commit *commit = need_commit();

	for (size_t i = 0; i < answer->n; i++) {
		struct endpoint *endpoint = endpoint_find(webhooks, answer->keys[i].endpoint);

		if (!endpoint) {
			store_commit_delete_delivery_cursor(commit, &answer->keys[i]);
			continue;
		}
		/* Begun anew, memory may be ahead of what is stored of it. */
		if (!endpoint->is_known)
			endpoint->read = endpoint->read_kept = answer->keys[i].sequence;
		endpoint->is_known = true;
	}
	for (size_t i = 0; i < webhooks->n_endpoints; i++) {
		struct endpoint *endpoint = &webhooks->endpoints[i];
		struct store_delivery_key key;

		if (!endpoint->is_known)
			endpoint->read = endpoint->read_kept = engine_position(webhooks->engine).sequence;
		endpoint->is_known = true;
		key = cursor_of(endpoint);
		store_commit_put_delivery_cursor(commit, &key);
	}
	engine_keep_deliveries(webhooks->engine, commit, on_kept, new_answer(webhooks, on_endpoints_kept));
}

static void on_cursors(struct loop_message *message)
{
	struct answer *answer = loop_message_owner(message, struct answer, message);

	if (!is_over(answer, "reading how far the events were read"))
		keep_endpoints(answer->webhooks, answer);
	free_answer(answer);
}

/* [reader thread] */
static void on_cursors_read(void *userdata, int outcome, const struct store_delivery_key *cursors, size_t n)
{
	struct answer *answer = userdata;

	answer->outcome = outcome;
	answer->n = n;
	answer->keys = need_memory((n + 1) * sizeof(*cursors));
	for (size_t i = 0; i < n; i++)
		answer->keys[i] = cursors[i];
	loop_post(answer->webhooks->loop, &answer->message);
}

void keep_start(struct webhooks *webhooks)
{
	if (webhooks->is_stopping)
		return;
	engine_get_delivery_cursors(webhooks->engine, JOB_TENANT_DEFAULT, on_cursors_read,
				    new_answer(webhooks, on_cursors));
}

/* ---- now and then: how far the events are read, where that led to no delivery ---- */

static void on_cursors_kept(struct loop_message *message)
{
	struct answer *answer = loop_message_owner(message, struct answer, message);

	answer->webhooks->is_keeping_cursors = false;
	free_answer(answer);
}

void keep_on_cursor_timer(void *userdata)
{
	struct webhooks *webhooks = userdata;
	struct store_commit *commit = NULL;

	for (size_t i = 0; i < webhooks->n_endpoints && !webhooks->is_keeping_cursors; i++) {
		struct endpoint *endpoint = &webhooks->endpoints[i];
		struct store_delivery_key key = cursor_of(endpoint);

		if (endpoint->read == endpoint->read_kept)
			continue;
		if (!commit)
			commit = need_commit();
		store_commit_put_delivery_cursor(commit, &key);
		endpoint->read_kept = endpoint->read;
	}
	if (commit) {
		webhooks->is_keeping_cursors = true;
		engine_keep_deliveries(webhooks->engine, commit, on_kept, new_answer(webhooks, on_cursors_kept));
	}
	loop_timer_arm(&webhooks->cursor_timer, LIMIT_WEBHOOK_CURSOR_MS);
}

/* ---- now and then: what was kept for long enough ---- */

static bool is_old(const struct store_delivery *delivery, int64_t now_ms)
{
	int64_t kept_ms = now_ms - delivery->ended_ms;

	switch (delivery->state) {
	case STORE_DELIVERY_DELIVERED:
		return kept_ms > LIMIT_WEBHOOK_DELIVERED_MS;
	case STORE_DELIVERY_DEAD:
		return kept_ms > LIMIT_WEBHOOK_DEAD_MS;
	default:
		return false;
	}
}

static void trim_on(struct webhooks *webhooks, const struct store_delivery_key *after);

static void on_trimmed(struct loop_message *message)
{
	free_answer(loop_message_owner(message, struct answer, message));
}

static void trim_page(struct webhooks *webhooks, const struct answer *answer)
{
	int64_t now_ms = clock_utc_ms(webhooks->clock);
	struct store_commit *commit = need_commit();
	size_t n = 0;

	for (size_t i = 0; i < answer->n; i++) {
		if (!is_old(&answer->deliveries[i], now_ms))
			continue;
		store_commit_delete_delivery(commit, &answer->deliveries[i].key);
		n++;
	}
	if (n)
		engine_keep_deliveries(webhooks->engine, commit, on_kept, new_answer(webhooks, on_trimmed));
	else
		store_commit_free(commit);
	if (answer->has_more)
		trim_on(webhooks, &answer->scanned_to);
	else
		loop_timer_arm(&webhooks->trim_timer, LIMIT_WEBHOOK_TRIM_MS);
}

static void on_trim_page(struct loop_message *message)
{
	struct answer *answer = loop_message_owner(message, struct answer, message);

	if (answer->outcome && !answer->webhooks->is_stopping) {
		log_error("old webhooks cannot be looked through", "outcome", log_int(answer->outcome));
		loop_timer_arm(&answer->webhooks->trim_timer, LIMIT_WEBHOOK_TRIM_MS);
	} else if (!answer->webhooks->is_stopping) {
		trim_page(answer->webhooks, answer);
	}
	free_answer(answer);
}

static void trim_on(struct webhooks *webhooks, const struct store_delivery_key *after)
{
	struct store_delivery_query query = {.tenant = JOB_TENANT_DEFAULT, .has_after = after != NULL};

	if (after)
		query.after = *after;
	engine_list_deliveries(webhooks->engine, &query, on_deliveries, new_answer(webhooks, on_trim_page));
}

void keep_on_trim_timer(void *userdata)
{
	trim_on(userdata, NULL);
}
