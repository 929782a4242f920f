#include "engine/token.h"

#include "plugin/mint.h"

#include <utlist.h>

#define TOKEN_REPLY_BYTES 65536

/* One request for a token. */
struct errand {
	struct loop_message message;
	struct lane *lane;
	struct plugin_mint_request request;
	struct http_outcome *outcome;
};

static void answer_all(struct lane *lane, enum plugin_reason reason, const char *why)
{
	struct token_waiter *waiters = steal(lane->token_waiters), *waiter, *next;

	LL_FOREACH_SAFE(waiters, waiter, next)
		waiter->go_on(waiter, why ? plugin_answer_trouble(reason, why) : NULL);
}

static void fail(struct lane *lane, enum plugin_reason reason, const char *why)
{
	log_warning("no access token for a provider", "provider", lane->config->id, "why", why);
	answer_all(lane, reason, why);
}

static void read_reply(struct lane *lane, const struct http_outcome *outcome)
{
	struct errmsg why;
	int r;

	if (outcome->kind != HTTP_REPLY) {
		errmsg_set(&why, "the token endpoint could not be asked: %s", outcome->message);
		fail(lane, PLUGIN_REASON_TOKEN, why.text);
		return;
	}
	r = plugin_mint_take(lane->config->account, outcome->status, buffer_bytes(&outcome->body),
			     now_utc(lane->engine), &why);
	if (r < 0)
		abort();
	if (r == 0)
		answer_all(lane, PLUGIN_REASON_UNKNOWN, NULL);
	else
		fail(lane, r == PLUGIN_MINT_E_REFUSED ? PLUGIN_REASON_AUTH : PLUGIN_REASON_TOKEN, why.text);
}

static void on_minted(struct loop_message *message)
{
	struct errand *errand = loop_message_owner(message, struct errand, message);
	struct lane *lane = errand->lane;

	lane->is_minting = false;
	read_reply(lane, errand->outcome);
	http_outcome_free(errand->outcome);
	free(errand);
}

/* [http thread] */
static void on_outcome(struct http_outcome *outcome, void *userdata)
{
	struct errand *errand = userdata;

	metric_add(&errand->lane->figures.exchanges[outcome->kind], 1);
	errand->outcome = outcome;
	errand->message.run = on_minted;
	loop_post(errand->lane->engine->loop, &errand->message);
}

static void mint(struct lane *lane)
{
	struct errand *errand = take_memory(sizeof(*errand));
	const struct http_header form = {.name = "Content-Type", .value = "application/x-www-form-urlencoded"};
	struct http_request request = {
		.method = "POST",
		.headers = &form,
		.header_count = 1,
		.flags = lane->config->allow_private_network ? HTTP_PRIVATE_NETWORK : 0,
		.lane = HTTP_LANE_EXCHANGE,
		.timeout_ms = lane->config->exchange_timeout_ms,
		.max_body_bytes = TOKEN_REPLY_BYTES,
	};
	int r;

	errand->lane = lane;
	if (plugin_mint_ask(lane->config->account, now_utc(lane->engine), &errand->request) < 0)
		abort();
	request.url = errand->request.url;
	request.body = buffer_bytes(&errand->request.body);
	lane->is_minting = true;
	r = http_send(lane->engine->config.http, &request, on_outcome, errand, NULL);
	plugin_mint_request_finish(&errand->request);
	if (r == 0)
		return;
	lane->is_minting = false;
	free(errand);
	fail(lane, PLUGIN_REASON_TOKEN,
	     r == HTTP_E_STOPPING ? "the daemon is shutting down" : "too many requests wait to be sent");
}

bool token_wait(struct lane *lane, struct token_waiter *waiter)
{
	const struct plugin_account *account = lane->config->account;

	if (!plugin_mint_is_needed(account) || plugin_mint_is_fresh(account, now_utc(lane->engine)))
		return false;
	LL_APPEND(lane->token_waiters, waiter);
	if (!lane->is_minting)
		mint(lane);
	return true;
}

void token_refused(struct lane *lane)
{
	if (plugin_mint_is_needed(lane->config->account))
		plugin_mint_drop(lane->config->account);
}
