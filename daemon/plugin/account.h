/*
 * An account at a provider, as the operator configured it: where it is, what it may be told, and its secrets.
 *
 * Secrets leave this room in one way only: as a header or query parameter of an exchange or download whose origin the
 * operator has named. Immutable once made, but for the token that plugin/mint.h keeps in it; any thread may use it. It must outlive the steps that name it.
 */
#ifndef FG_PLUGIN_ACCOUNT_H
#define FG_PLUGIN_ACCOUNT_H

#include "base/digest.h"
#include "plugin/plugin.h"

enum {
	_PLUGIN_ACCOUNT_E_OK,
	PLUGIN_ACCOUNT_E_INVALID, /* a URL, an option or a secret is malformed */
	PLUGIN_ACCOUNT_E_ORIGIN,  /* the plugin would send credentials where the operator has not allowed it */
	PLUGIN_ACCOUNT_E_SECRET,  /* a secret that the plugin requires is not configured */
};

struct plugin_secret {
	const char *name;
	const char *value;
};

/* Borrowed until plugin_account_new() returns. */
struct plugin_account_spec {
	const char *id;
	const char *base_url;       /* NULL or "": the manifest's */
	const char *const *origins; /* beside that of base_url */
	size_t n_origins;
	const struct plugin_secret *secrets;
	size_t n_secrets;
	struct bytes options; /* a JSON object, or empty */
	bool is_replay;       /* nothing will be sent: a secret stands for the token that would be minted from it */
};

struct plugin_account;

/* 0, an outcome from above with @error saying what to write into the configuration, or -ENOMEM. */
int plugin_account_new(const struct plugin *plugin, const struct plugin_account_spec *spec, struct plugin_account **ret,
		       struct errmsg *error);
/* Overwrites the secrets. */
struct plugin_account *plugin_account_free(struct plugin_account *account);
void plugin_account_freep(struct plugin_account **account);

/* Over the secrets that it sends: equal as long as the same keys are used. */
struct digest plugin_account_digest(const struct plugin_account *account);
const char *plugin_account_base_url(const struct plugin_account *account); /* without a slash at its end */

#endif
