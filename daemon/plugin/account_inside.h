/*
 * What the files of this room see of an account.
 */
#ifndef FG_PLUGIN_ACCOUNT_INSIDE_H
#define FG_PLUGIN_ACCOUNT_INSIDE_H

#include "plugin/account.h"

/* Canonical origins, as plugin_url_origin() writes them. */
struct plugin_origins {
	char **list;
	size_t n;
};

struct plugin_account {
	const struct plugin *plugin;
	char *id;
	char *base_url;
	struct plugin_origins origins;  /* the operator's */
	struct plugin_origins *schemes; /* by position in the manifest's auths: where that credential may go */
	struct plugin_secret *secrets;
	size_t n_secrets;
	struct plugin_mint *mint; /* NULL: nothing is minted */
	bool is_replay;
	struct json *json; /* the document ACCOUNT */
	json_node document;
};

bool plugin_origins_have(const struct plugin_origins *origins, const char *origin);
/* NULL: not configured. */
const char *plugin_account_secret(const struct plugin_account *account, const char *name);

#endif
