/*
 * filmgate.v1.WebhookService.
 */
#include "api/methods.h"

#include "api/check.h"
#include "api/inside.h"
#include "api/text.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/quote.h"

#include <filmgate/v1/webhook_service.pb-c.h>

_Static_assert((int)FILMGATE__V1__DELIVERY_STATE__DELIVERY_STATE_DEAD == (int)STORE_DELIVERY_DEAD, "states");
_Static_assert((int)STORE_DELIVERY_DEAD + 1 == (int)_STORE_DELIVERY_COUNT,
	       "a new state needs its place in the contract");

#define PREFIX "webhooks/"
#define MIDDLE "/deliveries/"

struct asked {
	struct call *call;
	const char *name;
};

static struct asked *ask(struct call *call, const char *name)
{
	struct asked *asked = arena_need(&call->arena, sizeof(*asked));

	*asked = (struct asked){.call = call, .name = name};
	return asked;
}

/* @outcome is the store's. */
static void fail(struct asked *asked, int outcome)
{
	struct engine_error error = {.text = "there is no such delivery, or it was kept for long enough"};

	if (outcome == STORE_E_NOT_FOUND)
		call_fail_engine(asked->call, ENGINE_E_NOT_FOUND, &error, RESOURCE_DELIVERY, asked->name);
	else
		call_fail_internal(asked->call, outcome < 0 ? outcome : err_origin(-EBADMSG));
}

/* ---- names ---- */

static bool is_endpoint(const char *text, size_t len)
{
	return len > 0 && len < STORE_ENDPOINT_SIZE && strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-") >= len;
}

/* Whatever reads as one is written just so. */
static bool parse_name(const char *name, struct store_delivery_key *ret)
{
	const char *endpoint = name + strlen(PREFIX), *middle, *digits;
	size_t len;

	*ret = (struct store_delivery_key){.tenant = JOB_TENANT_DEFAULT};
	if (strncmp(name, PREFIX, strlen(PREFIX)) != 0)
		return false;
	middle = strstr(endpoint, MIDDLE);
	if (!middle || !is_endpoint(endpoint, (size_t)(middle - endpoint)))
		return false;
	memcpy(ret->endpoint, endpoint, (size_t)(middle - endpoint));
	digits = middle + strlen(MIDDLE);
	len = strspn(digits, "0123456789");
	if (len == 0 || len > 19 || digits[len] || *digits == '0')
		return false;
	ret->sequence = strtoull(digits, NULL, 10);
	return true;
}

static Filmgate__V1__Delivery *convert(struct arena *arena, const struct store_delivery *from)
{
	Filmgate__V1__Delivery *to = arena_need(arena, sizeof(*to));

	filmgate__v1__delivery__init(to);
	to->name = arena_printf(arena, PREFIX "%s" MIDDLE "%llu", text_clean(arena, from->key.endpoint),
				(unsigned long long)from->key.sequence);
	to->state = (Filmgate__V1__DeliveryState)from->state;
	to->message_id = text_clean(arena, from->message_id);
	to->type = text_clean(arena, from->type);
	to->job = name_of_job(arena, &from->job);
	to->revision = from->revision;
	to->url = text_clean(arena, from->url);
	to->create_time = timestamp_of(arena, from->created_ms);
	if (from->state == STORE_DELIVERY_PENDING)
		to->next_time = timestamp_of(arena, from->next_ms);
	to->try_time = timestamp_of(arena, from->tried_ms);
	to->end_time = timestamp_of(arena, from->ended_ms);
	to->try_count = from->tries;
	to->http_status = from->http_status;
	to->problem = text_clean(arena, from->problem);
	to->reply = text_clean(arena, from->reply);
	if (from->body.len)
		to->body = text_clean(arena, from->body.data);
	return to;
}

/* ---- ListDeliveries ---- */

/* A place in the list: the sequence in hexadecimal, and the endpoint. */
static void read_token(const char *token, struct store_delivery_query *query, struct violations *violations)
{
	size_t len = strlen(token);

	if (len == 0)
		return;
	if (len <= 16 || strspn(token, "0123456789abcdef") < 16 || !is_endpoint(token + 16, len - 16)) {
		violations_add(violations, "page_token", "is none of this list; begin again without one");
		return;
	}
	query->has_after = true;
	query->after.tenant = query->tenant;
	for (int i = 0; i < 16; i++)
		query->after.sequence = query->after.sequence << 4 | (uint64_t)bytes_hex_value(token[i]);
	memcpy(query->after.endpoint, token + 16, len - 16);
}

static void read_query(const Filmgate__V1__ListDeliveriesRequest *request, struct store_delivery_query *query,
		       struct violations *violations)
{
	query->tenant = JOB_TENANT_DEFAULT;
	query->limit = request->page_size == 0                 ? LIMIT_RPC_PAGE_DEFAULT
		       : request->page_size > LIMIT_STORE_PAGE ? LIMIT_STORE_PAGE
							       : (uint32_t)request->page_size;
	if (request->page_size < 0)
		violations_add(violations, "page_size", "%d is negative", request->page_size);
	if ((int)request->state < 0 || (int)request->state >= (int)_STORE_DELIVERY_COUNT)
		violations_add(violations, "state", "%d is no state that this daemon knows", (int)request->state);
	query->state = (enum store_delivery_state)request->state;
	if (*request->endpoint && !is_endpoint(request->endpoint, strlen(request->endpoint)))
		violations_add(violations, "endpoint", "'%s' can be the name of no endpoint",
			       quote(request->endpoint).text);
	else
		memcpy(query->endpoint, request->endpoint, strlen(request->endpoint));
	if (*request->job)
		check_job_name("job", request->job, violations, &query->job);
	read_token(request->page_token, query, violations);
}

/* [reader thread] */
static void on_list(void *userdata, int outcome, struct store_delivery *deliveries, size_t n,
		    const struct store_delivery_key *scanned_to, bool more)
{
	Filmgate__V1__ListDeliveriesResponse response = FILMGATE__V1__LIST_DELIVERIES_RESPONSE__INIT;
	struct asked *asked = userdata;
	struct arena *arena = &asked->call->arena;

	if (outcome) {
		fail(asked, outcome);
		return;
	}
	response.deliveries = arena_need_pointers(arena, n);
	for (size_t i = 0; i < n; i++)
		response.deliveries[response.n_deliveries++] = convert(arena, &deliveries[i]);
	if (more)
		response.next_page_token = arena_printf(arena, "%016llx%s", (unsigned long long)scanned_to->sequence,
							scanned_to->endpoint);
	call_reply(asked->call, &response.base);
}

void handle_list_deliveries(struct call *call, const void *message)
{
	struct violations violations = {.arena = &call->arena};
	struct store_delivery_query query = {0};

	read_query(message, &query, &violations);
	if (!call_refuse(call, &violations))
		engine_list_deliveries(call->api->engine, &query, on_list, ask(call, NULL));
}

/* ---- GetDelivery ---- */

static bool read_name(struct call *call, const char *name, struct store_delivery_key *ret)
{
	if (parse_name(name, ret))
		return true;
	call_fail_field(call, "name", "'%s' is no delivery: write it as webhooks/ENDPOINT/deliveries/NUMBER",
			quote(name).text);
	return false;
}

/* [reader thread] */
static void on_got(void *userdata, int outcome, struct store_delivery *take)
{
	Filmgate__V1__GetDeliveryResponse response = FILMGATE__V1__GET_DELIVERY_RESPONSE__INIT;
	struct asked *asked = userdata;

	if (outcome) {
		fail(asked, outcome);
		return;
	}
	response.delivery = convert(&asked->call->arena, take);
	call_reply(asked->call, &response.base);
}

void handle_get_delivery(struct call *call, const void *message)
{
	const Filmgate__V1__GetDeliveryRequest *request = message;
	struct store_delivery_key key;

	if (read_name(call, request->name, &key))
		engine_get_delivery(call->api->engine, &key, on_got, ask(call, request->name));
}

/* ---- RedeliverDelivery ---- */

static void on_redelivered(void *userdata, int outcome, const struct engine_error *error,
			   const struct store_delivery *delivery)
{
	Filmgate__V1__RedeliverDeliveryResponse response = FILMGATE__V1__REDELIVER_DELIVERY_RESPONSE__INIT;
	struct asked *asked = userdata;

	if (outcome) {
		call_fail_engine(asked->call, outcome, error, RESOURCE_DELIVERY, asked->name);
		return;
	}
	response.delivery = convert(&asked->call->arena, delivery);
	call_reply(asked->call, &response.base);
}

void handle_redeliver_delivery(struct call *call, const void *message)
{
	static const struct engine_error nobody = {.text = "this daemon sends no webhooks"};
	const Filmgate__V1__RedeliverDeliveryRequest *request = message;
	const struct api_webhooks *webhooks = &call->api->webhooks;
	struct store_delivery_key key;

	if (!read_name(call, request->name, &key))
		return;
	if (webhooks->redeliver)
		webhooks->redeliver(webhooks->userdata, &key, on_redelivered, ask(call, request->name));
	else
		call_fail_engine(call, ENGINE_E_STATE, &nobody, RESOURCE_DELIVERY, request->name);
}
