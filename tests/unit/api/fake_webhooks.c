/*
 * Deliveries of webhooks as an engine would tell of them: one, of the event 7 for the endpoint "studio".
 */
#include "engine/engine.h"

static struct store_delivery delivery(const struct store_delivery_key *key)
{
	return (struct store_delivery){
		.key = *key,
		.state = STORE_DELIVERY_DEAD,
		.message_id = (char *)"msg_1",
		.type = (char *)"job.failed",
		.revision = 3,
		.created_ms = 1700000000000,
		.ended_ms = 1700000001000,
		.tries = 2,
		.http_status = 500,
		.problem = (char *)"no",
		.reply = (char *)"words",
	};
}

static bool is_there(const struct store_delivery_key *key)
{
	return key->sequence == 7 && strcmp(key->endpoint, "studio") == 0;
}

void engine_list_deliveries(struct engine *engine, const struct store_delivery_query *query, store_deliveries_fn *fn,
			    void *userdata)
{
	struct store_delivery_key key = {.tenant = query->tenant, .sequence = 7, .endpoint = "studio"};
	struct store_delivery found = delivery(&key);

	(void)engine;
	fn(userdata, 0, &found, query->has_after ? 0 : 1, &key, !query->has_after);
}

void engine_get_delivery(struct engine *engine, const struct store_delivery_key *key, store_delivery_fn *fn,
			 void *userdata)
{
	struct store_delivery found = delivery(key);

	(void)engine;
	if (!is_there(key)) {
		fn(userdata, STORE_E_NOT_FOUND, &(struct store_delivery){.key = *key});
		return;
	}
	found.body = (struct buffer){.data = (char *)"{}", .len = 2};
	fn(userdata, 0, &found);
}
