/*
 * A person asks for a delivery again.
 */
#include "webhook/inside.h"

struct asked {
	struct loop_message message;
	struct webhooks *webhooks;
	struct store_delivery_key key;
	struct store_delivery delivery;
	int result; /* of the store */
	api_redelivered_fn *fn;
	void *caller;
};

static void answer(struct asked *asked, int outcome, const char *text)
{
	asked->fn(asked->caller, outcome, &(struct engine_error){.text = text}, &asked->delivery);
	store_delivery_finish(&asked->delivery);
	free(asked);
}

static bool is_over(struct asked *asked)
{
	if (!asked->webhooks->is_stopping)
		return false;
	answer(asked, ENGINE_E_DRAINING, "the daemon is shutting down; ask again when it is back");
	return true;
}

static void on_stored(struct loop_message *message)
{
	struct asked *asked = loop_message_owner(message, struct asked, message);

	if (is_over(asked))
		return;
	if (asked->result) {
		answer(asked, ENGINE_E_STORE, "the store takes no writes; see the daemon's log");
		return;
	}
	item_add(asked->webhooks, &asked->key, asked->delivery.url, asked->delivery.next_ms);
	answer(asked, 0, "");
}

/* [engine thread] */
static void on_kept(void *userdata, int outcome)
{
	struct asked *asked = userdata;

	asked->result = outcome;
	asked->message.run = on_stored;
	loop_post(asked->webhooks->loop, &asked->message);
}

/* One that waits is only hurried: what is stored of it is right. */
static void begin_again(struct asked *asked)
{
	struct store_delivery *delivery = &asked->delivery;
	struct item *item = item_find(asked->webhooks, &asked->key);
	struct store_commit *commit;

	delivery->next_ms = clock_utc_ms(asked->webhooks->clock);
	if (item) {
		item_hurry(item);
		answer(asked, 0, "");
		return;
	}
	delivery->state = STORE_DELIVERY_PENDING;
	delivery->ended_ms = 0;
	delivery->step = 0;
	commit = need_commit();
	store_commit_put_delivery(commit, delivery);
	engine_keep_deliveries(asked->webhooks->engine, commit, on_kept, asked);
}

static void on_read(struct loop_message *message)
{
	struct asked *asked = loop_message_owner(message, struct asked, message);

	if (is_over(asked))
		return;
	if (asked->result == STORE_E_NOT_FOUND)
		answer(asked, ENGINE_E_NOT_FOUND, "there is no such delivery, or it was kept for long enough");
	else if (asked->result)
		answer(asked, ENGINE_E_STORE, "the delivery cannot be read from the store");
	else if (!endpoint_find(asked->webhooks, asked->key.endpoint))
		answer(asked, ENGINE_E_STATE, "its endpoint is not configured any more");
	else
		begin_again(asked);
}

/* [reader thread] */
static void on_got(void *userdata, int outcome, struct store_delivery *take)
{
	struct asked *asked = userdata;

	asked->result = outcome;
	asked->delivery = *take;
	*take = (struct store_delivery){0};
	asked->message.run = on_read;
	loop_post(asked->webhooks->loop, &asked->message);
}

static void on_asked(struct loop_message *message)
{
	struct asked *asked = loop_message_owner(message, struct asked, message);

	if (!is_over(asked))
		engine_get_delivery(asked->webhooks->engine, &asked->key, on_got, asked);
}

void redeliver(void *userdata, const struct store_delivery_key *key, api_redelivered_fn *fn, void *caller)
{
	struct asked *asked = need_memory(sizeof(*asked));

	*asked = (struct asked){.message.run = on_asked, .webhooks = userdata, .key = *key, .fn = fn, .caller = caller};
	loop_post(asked->webhooks->loop, &asked->message);
}
