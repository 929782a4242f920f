/*
 * Sending: items, their lanes, and what comes of a try.
 */
#include "webhook/inside.h"

#include "webhook/sign.h"

#include <inttypes.h>

/* ---- lanes ---- */

/* Scheme, host and port: what one receiver is. */
static size_t origin_length(const char *url)
{
	const char *slashes = strstr(url, "://");

	return slashes ? (size_t)(slashes - url) + 3 + strcspn(slashes + 3, "/?#") : strlen(url);
}

static struct lane *lane_open(struct webhooks *webhooks, const char *name)
{
	struct lane *lane;

	HASH_FIND_STR(webhooks->lanes, name, lane);
	if (lane)
		return lane;
	lane = need_memory(sizeof(*lane));
	lane->name = need_text(name);
	HASH_ADD_KEYPTR(hh, webhooks->lanes, lane->name, strlen(lane->name), lane);
	return lane;
}

static struct lane *lane_of(struct webhooks *webhooks, const struct endpoint *endpoint, const char *url)
{
	char name[LIMIT_WEBHOOK_URL + 1];

	if (!endpoint)
		return lane_open(webhooks, "");
	if (!url)
		return lane_open(webhooks, endpoint->name);
	snprintf(name, sizeof(name), "%.*s", (int)origin_length(url), url);
	return lane_open(webhooks, name);
}

static void lane_close(struct webhooks *webhooks, struct lane *lane)
{
	if (lane->items)
		return;
	HASH_DEL(webhooks->lanes, lane);
	free(lane->name);
	free(lane);
}

void lanes_free(struct webhooks *webhooks)
{
	struct lane *lane, *next;

	HASH_ITER(hh, webhooks->lanes, lane, next) {
		lane->items = 0;
		lane_close(webhooks, lane);
	}
}

static void lane_list(struct webhooks *webhooks, struct lane *lane)
{
	if (lane->is_listed || !lane->ready || lane->flying >= LIMIT_WEBHOOK_LANE)
		return;
	lane->is_listed = true;
	DL_APPEND(webhooks->listed, lane);
}

/* ---- items ---- */

static void pump(struct webhooks *webhooks);

static void name_item(const struct store_delivery_key *key, char name[static ITEM_NAME_SIZE])
{
	snprintf(name, ITEM_NAME_SIZE, "%" PRIu64 " %s", key->sequence, key->endpoint);
}

struct item *item_find(struct webhooks *webhooks, const struct store_delivery_key *key)
{
	char name[ITEM_NAME_SIZE];
	struct item *item;

	name_item(key, name);
	HASH_FIND_STR(webhooks->items, name, item);
	return item;
}

static void wait_until(struct item *item, int64_t due_ms)
{
	int64_t delay_ms = due_ms - clock_utc_ms(item->webhooks->clock);

	item->state = ITEM_WAITS;
	loop_timer_arm(&item->timer, delay_ms > 0 ? delay_ms : 0);
}

void item_add(struct webhooks *webhooks, const struct store_delivery_key *key, const char *url, int64_t due_ms)
{
	struct item *item = item_find(webhooks, key);

	if (item)
		return;
	item = need_memory(sizeof(*item));
	item->webhooks = webhooks;
	item->key = *key;
	name_item(key, item->name);
	item->endpoint = endpoint_find(webhooks, key->endpoint);
	item->lane = lane_of(webhooks, item->endpoint, url);
	item->lane->items++;
	HASH_ADD_STR(webhooks->items, name, item);
	metric_add(&webhooks->pending, 1);
	loop_timer_init(&item->timer, webhooks->loop, item_on_timer, item);
	wait_until(item, due_ms);
}

void item_free(struct item *item)
{
	struct webhooks *webhooks = item->webhooks;

	if (item->state == ITEM_READY)
		DL_DELETE(item->lane->ready, item);
	item->lane->items--;
	HASH_DEL(webhooks->items, item);
	store_delivery_finish(&item->delivery);
	free(item);
	metric_drop(&webhooks->pending);
}

void item_hurry(struct item *item)
{
	if (item->state == ITEM_WAITS)
		loop_timer_arm(&item->timer, 0);
}

void item_on_timer(void *userdata)
{
	struct item *item = userdata;

	item->state = ITEM_READY;
	DL_APPEND(item->lane->ready, item);
	lane_list(item->webhooks, item->lane);
	pump(item->webhooks);
}

/* Its place is free; it waits again, or is gone. */
static void land(struct item *item, bool is_over)
{
	struct webhooks *webhooks = item->webhooks;
	struct lane *lane = item->lane;
	int64_t next_ms = item->delivery.next_ms;

	webhooks->flying--;
	lane->flying--;
	store_delivery_finish(&item->delivery);
	if (is_over)
		item_free(item);
	else
		wait_until(item, next_ms);
	lane_list(webhooks, lane);
	lane_close(webhooks, lane);
	pump(webhooks);
}

/* ---- what came of a try ---- */

struct answer {
	struct loop_message message;
	struct item *item;
	struct store_delivery delivery; /* read */
	struct http_outcome *outcome;   /* sent */
	int result;                     /* of the store */
};

static struct answer *new_answer(struct item *item, void (*run)(struct loop_message *message))
{
	struct answer *answer = need_memory(sizeof(*answer));

	answer->message.run = run;
	answer->item = item;
	return answer;
}

static void on_noted(struct loop_message *message)
{
	struct answer *answer = loop_message_owner(message, struct answer, message);
	struct item *item = answer->item;

	/* Only when the store is being closed it is not stored: then the next start tries again. */
	if (!item->webhooks->is_stopping && answer->result == 0)
		land(item, item->delivery.state != STORE_DELIVERY_PENDING);
	free(answer);
}

/* [engine thread] */
static void on_kept(void *userdata, int outcome)
{
	struct answer *answer = userdata;

	answer->result = outcome;
	loop_post(answer->item->webhooks->loop, &answer->message);
}

static void note(struct item *item)
{
	struct store_commit *commit = need_commit();

	store_commit_put_delivery(commit, &item->delivery);
	engine_keep_deliveries(item->webhooks->engine, commit, on_kept, new_answer(item, on_noted));
}

/* For people: of what a stranger wrote, the first line's worth in ASCII. */
static char *text_of(const struct buffer *body)
{
	size_t len = body->len < LIMIT_WEBHOOK_KEPT ? body->len : LIMIT_WEBHOOK_KEPT;
	char *text = need_memory(len + 1);

	for (size_t i = 0; i < len; i++)
		text[i] = (char)(body->data[i] >= ' ' && body->data[i] <= '~' ? body->data[i] : '.');
	return text;
}

static void give_up(struct item *item, const char *problem)
{
	struct store_delivery *delivery = &item->delivery;

	free(delivery->problem);
	delivery->problem = need_text(problem);
	delivery->state = STORE_DELIVERY_DEAD;
	delivery->ended_ms = clock_utc_ms(item->webhooks->clock);
	metric_add(&item->webhooks->dead, 1);
	log_warning("a webhook was given up", "endpoint", delivery->key.endpoint, "sequence",
		    log_int((int64_t)delivery->key.sequence), "message", delivery->message_id, "why", problem);
}

static void try_later(struct item *item, const char *problem, int64_t asked_ms)
{
	struct store_delivery *delivery = &item->delivery;
	int64_t pause_ms = schedule_next_ms(&item->endpoint->schedule, delivery->step, asked_ms,
					    (uint32_t)rand_r(&item->webhooks->chance));

	metric_add(&item->webhooks->failed, 1);
	if (pause_ms < 0) {
		give_up(item, problem);
		return;
	}
	free(delivery->problem);
	delivery->problem = need_text(problem);
	delivery->next_ms = delivery->tried_ms + pause_ms;
}

/* The head of a reply decides: what becomes of its body is not our business. */
static void judge(struct item *item, const struct http_outcome *outcome)
{
	struct store_delivery *delivery = &item->delivery;
	struct errmsg words;

	delivery->tries++;
	delivery->step++;
	delivery->tried_ms = clock_utc_ms(item->webhooks->clock);
	delivery->http_status = outcome->status;
	free(delivery->reply);
	delivery->reply = text_of(&outcome->body);
	if (outcome->status >= 200 && outcome->status <= 299) {
		free(steal(delivery->problem));
		delivery->state = STORE_DELIVERY_DELIVERED;
		delivery->ended_ms = delivery->tried_ms;
		metric_add(&item->webhooks->delivered, 1);
		return;
	}
	if (outcome->status == 410) {
		metric_add(&item->webhooks->failed, 1);
		give_up(item, "the receiver wants no more of this: 410");
		return;
	}
	if (outcome->status >= 300 && outcome->status <= 399)
		errmsg_set(&words, "the receiver sends it elsewhere (%d), which is not followed", outcome->status);
	else if (outcome->kind == HTTP_ADDRESS_REFUSED)
		errmsg_set(&words, "it leads to an address that is not on the public Internet; if it is meant, set "
				   "allow_private_network = true for this webhook");
	else if (outcome->status)
		errmsg_set(&words, "the receiver did not take it: %d", outcome->status);
	else
		errmsg_set(&words, "%s", outcome->message);
	try_later(item, words.text, http_retry_after_ms(outcome, delivery->tried_ms));
}

static void on_sent(struct loop_message *message)
{
	struct answer *answer = loop_message_owner(message, struct answer, message);
	struct item *item = answer->item;

	if (!item->webhooks->is_stopping && answer->outcome->kind != HTTP_ABORTED) {
		judge(item, answer->outcome);
		note(item);
	}
	http_outcome_free(answer->outcome);
	free(answer);
}

/* [http thread] */
static void on_done(struct http_outcome *outcome, void *userdata)
{
	struct answer *answer = userdata;

	answer->outcome = outcome;
	loop_post(answer->item->webhooks->loop, &answer->message);
}

/* ---- a try ---- */

static int sign(const struct item *item, int64_t time_s, struct buffer *ret)
{
	const struct store_delivery *delivery = &item->delivery;
	const struct sign_message message = {
		.id = delivery->message_id, .time_s = time_s, .body = buffer_bytes(&delivery->body)};
	int r = 0;

	for (size_t i = 0; r == 0 && i < item->endpoint->n_keys; i++)
		r = sign_append(&message, buffer_bytes(&item->endpoint->keys[i]), ret);
	return r;
}

/* 0, or what http_send() says. */
static int put_on_the_wire(struct item *item, struct answer *answer)
{
	const struct store_delivery *delivery = &item->delivery;
	int64_t time_s = clock_utc_ms(item->webhooks->clock) / 1000;
	_cleanup_(buffer_finish) struct buffer signatures = {0};
	char time[32];
	struct http_header headers[] = {
		{"Content-Type", "application/json", false},
		{"webhook-id", delivery->message_id, false},
		{"webhook-timestamp", time, false},
		{"webhook-signature", NULL, true},
	};
	struct http_request request = {
		.method = "POST",
		.url = delivery->url ? delivery->url : item->endpoint->url,
		.headers = headers,
		.header_count = sizeof(headers) / sizeof(headers[0]),
		.body = buffer_bytes(&delivery->body),
		.flags = HTTP_ONCE | (item->endpoint->allows_private ? HTTP_PRIVATE_NETWORK : 0),
		.timeout_ms = LIMIT_WEBHOOK_TIMEOUT_MS,
		.max_body_bytes = LIMIT_WEBHOOK_REPLY,
	};
	int r = sign(item, time_s, &signatures);

	if (r < 0)
		return r;
	snprintf(time, sizeof(time), "%" PRId64, time_s);
	headers[3].value = signatures.data;
	return http_send(item->webhooks->http, &request, on_done, answer, NULL);
}

static void send_item(struct item *item)
{
	struct answer *answer = new_answer(item, on_sent);
	int r = put_on_the_wire(item, answer);

	if (r == 0)
		return;
	free(answer);
	if (r == HTTP_E_STOPPING)
		return;
	item->delivery.tries++;
	item->delivery.step++;
	item->delivery.tried_ms = clock_utc_ms(item->webhooks->clock);
	try_later(item, "the daemon could not send it", -1);
	note(item);
}

static void on_read(struct loop_message *message)
{
	struct answer *answer = loop_message_owner(message, struct answer, message);
	struct item *item = answer->item;

	item->delivery = answer->delivery;
	if (item->webhooks->is_stopping) {
		free(answer);
		return;
	}
	if (answer->result || item->delivery.state != STORE_DELIVERY_PENDING) {
		log_error("a webhook that is to be sent cannot be read", "endpoint", item->key.endpoint, "sequence",
			  log_int((int64_t)item->key.sequence), "outcome", log_int(answer->result));
		land(item, true);
	} else if (!item->endpoint) {
		give_up(item, "its endpoint is not configured any more");
		note(item);
	} else {
		send_item(item);
	}
	free(answer);
}

/* [reader thread] */
static void on_got(void *userdata, int outcome, struct store_delivery *take)
{
	struct answer *answer = userdata;

	answer->result = outcome;
	answer->delivery = *take;
	*take = (struct store_delivery){0};
	loop_post(answer->item->webhooks->loop, &answer->message);
}

static void fly(struct item *item)
{
	struct webhooks *webhooks = item->webhooks;

	DL_DELETE(item->lane->ready, item);
	item->state = ITEM_FLIES;
	item->lane->flying++;
	webhooks->flying++;
	engine_get_delivery(webhooks->engine, &item->key, on_got, new_answer(item, on_read));
}

/* One lane after the other, so that none waits for another's receivers. */
static void pump(struct webhooks *webhooks)
{
	while (webhooks->listed && webhooks->flying < LIMIT_WEBHOOK_FLYING && !webhooks->is_stopping) {
		struct lane *lane = webhooks->listed;

		DL_DELETE(webhooks->listed, lane);
		lane->is_listed = false;
		fly(lane->ready);
		lane_list(webhooks, lane);
	}
}
