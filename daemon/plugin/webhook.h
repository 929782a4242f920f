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
/* The same with a secret that is not in the account: one that was given when the webhook was registered. NULL: there is
 * none. */
int plugin_webhook_verify_with(const struct plugin *plugin, const char *secret, const struct plugin_webhook_call *call,
			       int64_t now_ms, const char **ret_id);

/* Does the account have a secret for webhooks? [any-thread] */
bool plugin_webhook_is_configured(const struct plugin_account *account);

/*
 * Takes the secret out of the reply to a registration, before its plugin reads it: at @manifest's webhook.register.secret,
 * in whose place an empty text is left. 0: *@body is what is left, and *@ret_secret the caller's, NULL when the reply has
 * none there; -ENOMEM. A reply that is no JSON is left as it is.
 */
int plugin_webhook_capture(const struct plugin_manifest *manifest, struct buffer *body, char **ret_secret);

#endif
