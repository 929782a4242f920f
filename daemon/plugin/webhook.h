/*
 * Is a webhook call from the provider? The recipe stands in the manifest (sdk/MANIFEST.md, webhook), the secret in the
 * account; a plugin sees neither the secret nor a call that failed here. A call that passes is a hint and no more:
 * where the provider does not sign the time, whoever saw one may send it again.
 */
#ifndef FG_PLUGIN_WEBHOOK_H
#define FG_PLUGIN_WEBHOOK_H

#include "plugin/account.h"

enum {
	_PLUGIN_WEBHOOK_E_OK,
	PLUGIN_WEBHOOK_E_UNDECLARED, /* the plugin's manifest has no recipe */
	PLUGIN_WEBHOOK_E_SECRET,     /* the secret is not configured, or is not what the recipe makes a key of */
	PLUGIN_WEBHOOK_E_UNSIGNED,   /* a header that the recipe needs is missing or empty */
	PLUGIN_WEBHOOK_E_STALE,      /* its time is not a number, or further from now than the recipe allows */
	PLUGIN_WEBHOOK_E_FORGED,     /* no signature of it is right */
};

/* The call as it came. @header finds a header's value by its name in any case; NULL: there is none. */
struct plugin_webhook_call {
	struct bytes body; /* raw, before anything has read it */
	const char *(*header)(void *userdata, const char *name);
	void *userdata;
};

/* 0 and @ret_id the provider's id of the event (NULL: it gives none; as long as the call), an outcome from above, or
 * -ENOMEM. Any thread. */
int plugin_webhook_verify(const struct plugin_account *account, const struct plugin_webhook_call *call, int64_t now_ms,
			  const char **ret_id);

#endif
