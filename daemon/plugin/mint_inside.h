/*
 * What an account keeps for minting.
 */
#ifndef FG_PLUGIN_MINT_INSIDE_H
#define FG_PLUGIN_MINT_INSIDE_H

#include "plugin/mint.h"

struct plugin_answer;
struct plugin_mint;

/* Reads the key file that is the secret of @auth. 0, PLUGIN_ACCOUNT_E_INVALID with @error saying what is wrong, -ENOMEM. */
int plugin_mint_new(const struct plugin_auth *auth, const char *secret, struct plugin_mint **ret, struct errmsg *error);
struct plugin_mint *plugin_mint_free(struct plugin_mint *mint);
/* A copy in @answer of the token at hand; NULL when there is none. */
const char *plugin_mint_token(const struct plugin_account *account, struct plugin_answer *answer);

#endif
