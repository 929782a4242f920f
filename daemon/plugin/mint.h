/*
 * Credentials that the host makes: access tokens for Google's service accounts (RFC 7523). The secret is the key file as
 * Google hands it out; it never leaves this room, and neither does a token but as a header of an exchange. This room
 * does no I/O: it writes the request for a token and reads the reply.
 *
 * https://developers.google.com/identity/protocols/oauth2/service-account
 */
#ifndef FG_PLUGIN_MINT_H
#define FG_PLUGIN_MINT_H

#include "plugin/account.h"

enum {
	_PLUGIN_MINT_E_OK,
	PLUGIN_MINT_E_REFUSED,     /* this key is not accepted; waiting does not help */
	PLUGIN_MINT_E_UNAVAILABLE, /* no token now; later perhaps */
};

/* A POST of an application/x-www-form-urlencoded body. */
struct plugin_mint_request {
	const char *url; /* lives as long as the account */
	struct buffer body;
};

/* Does it need tokens at all? All of these: [any-thread] */
bool plugin_mint_is_needed(const struct plugin_account *account);
/* Is there a token that will serve for a while yet? */
bool plugin_mint_is_fresh(const struct plugin_account *account, int64_t now_ms);
/* 0 or -ENOMEM. */
int plugin_mint_ask(const struct plugin_account *account, int64_t now_ms, struct plugin_mint_request *ret);
void plugin_mint_request_finish(struct plugin_mint_request *request);
/* Reads the reply: 0 and there is a fresh token, or an outcome from above with the reason. */
int plugin_mint_take(const struct plugin_account *account, int status, struct bytes body, int64_t now_ms,
		     struct errmsg *why);
/* The provider has refused it. */
void plugin_mint_drop(const struct plugin_account *account);

#endif
