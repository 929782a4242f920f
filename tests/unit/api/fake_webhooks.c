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

/* "heygen" calls, or shall call; "silent" cannot be reached. */
static void answer(const char *provider, const char *url, engine_registrations_fn *fn, void *userdata)
{
	const struct engine_registration made = {.provider = provider,
						 .url = url,
						 .remote_id = url ? "we1" : NULL,
						 .registered_ms = url ? INT64_C(1795000000000) : 0,
						 .is_configured = true};
	const struct engine_violation violation = {.field = "url", .text = "'x' is no URL"};
	const struct engine_error refused = {.text = violation.text, .violations = &violation, .n_violations = 1};
	const struct engine_error silent = {.text = "the provider could not be reached"};

	if (strcmp(provider, "silent") == 0)
		fn(userdata, ENGINE_E_UNREACHABLE, &silent, NULL, 0);
	else if (url && strcmp(url, "x") == 0)
		fn(userdata, ENGINE_E_INVALID, &refused, NULL, 0);
	else
		fn(userdata, 0, NULL, &made, 1);
}

void engine_register_webhook(struct engine *engine, const char *provider, const char *url, engine_registrations_fn *fn,
			     void *userdata)
{
	(void)engine;
	answer(provider, url, fn, userdata);
}

void engine_unregister_webhook(struct engine *engine, const char *provider, engine_registrations_fn *fn, void *userdata)
{
	(void)engine;
	answer(provider, NULL, fn, userdata);
}

void engine_list_registrations(struct engine *engine, engine_registrations_fn *fn, void *userdata)
{
	(void)engine;
	answer("heygen", "https://films.example.com/v1/webhooks/heygen", fn, userdata);
}
