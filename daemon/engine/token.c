#include "engine/token.h"

#include "plugin/mint.h"

#include <utlist.h>

#define TOKEN_REPLY_BYTES 65536

/* One request for a token. */
struct errand {
	struct loop_message message;
	struct lane *lane;
	const struct plugin_account *account;
	struct plugin_mint_request request;
	struct http_outcome *outcome;
};

/* Who waits for another account's goes on waiting. */
static void answer_all(struct lane *lane, const struct plugin_account *account, enum plugin_reason reason,
		       const char *why)
{
	struct token_waiter *all = steal(lane->token_waiters), *waiters = NULL, *waiter, *next;

	LL_FOREACH_SAFE(all, waiter, next)
		if (waiter->account == account)
			LL_APPEND(waiters, waiter);
		else
			LL_APPEND(lane->token_waiters, waiter);
	LL_FOREACH_SAFE(waiters, waiter, next)
		waiter->go_on(waiter, why ? plugin_answer_trouble(reason, why) : NULL);
}

static void fail(struct lane *lane, const struct plugin_account *account, enum plugin_reason reason, const char *why)
{
	log_warning("no access token for a provider", "provider", lane->config->id, "why", why);
	answer_all(lane, account, reason, why);
}

static void read_reply(struct lane *lane, const struct plugin_account *account, const struct http_outcome *outcome)
{
	struct errmsg why;
	int r;

	if (outcome->kind != HTTP_REPLY) {
		errmsg_set(&why, "the token endpoint could not be asked: %s", outcome->message);
		fail(lane, account, PLUGIN_REASON_TOKEN, why.text);
		return;
	}
	r = plugin_mint_take(account, outcome->status, buffer_bytes(&outcome->body), now_utc(lane->engine), &why);
	if (r < 0)
		abort();
	if (r == 0)
		answer_all(lane, account, PLUGIN_REASON_UNKNOWN, NULL);
	else
		fail(lane, account, r == PLUGIN_MINT_E_REFUSED ? PLUGIN_REASON_AUTH : PLUGIN_REASON_TOKEN, why.text);
}

static void on_minted(struct loop_message *message)
{
	struct errand *errand = loop_message_owner(message, struct errand, message);

	read_reply(errand->lane, errand->account, errand->outcome);
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

static void mint(struct lane *lane, const struct plugin_account *account)
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
	errand->account = account;
	if (plugin_mint_ask(account, now_utc(lane->engine), &errand->request) < 0)
		abort();
	request.url = errand->request.url;
	request.body = buffer_bytes(&errand->request.body);
	r = http_send(lane->engine->config.http, &request, on_outcome, errand, NULL);
	plugin_mint_request_finish(&errand->request);
	if (r == 0)
		return;
	free(errand);
	fail(lane, account, PLUGIN_REASON_TOKEN,
	     r == HTTP_E_STOPPING ? "the daemon is shutting down" : "too many requests wait to be sent");
}

/* Whoever waits for it, waits for a request that is under way. */
static bool is_asked_for(const struct lane *lane, const struct plugin_account *account)
{
	const struct token_waiter *waiter;

	LL_FOREACH(lane->token_waiters, waiter)
		if (waiter->account == account)
			return true;
	return false;
}

bool token_wait(struct lane *lane, const struct plugin_account *account, struct token_waiter *waiter)
{
	bool is_minting;

	if (!plugin_mint_is_needed(account) || plugin_mint_is_fresh(account, now_utc(lane->engine)))
		return false;
	is_minting = is_asked_for(lane, account);
	waiter->account = account;
	LL_APPEND(lane->token_waiters, waiter);
	if (!is_minting)
		mint(lane, account);
	return true;
}

void token_refused(const struct plugin_account *account)
{
	if (plugin_mint_is_needed(account))
		plugin_mint_drop(account);
}
