/*
 * Tokens: where a provider's credential is minted (plugin/mint.h), a step that begins a verb waits here until there is a
 * fresh one. One request at a time per key of a provider, however many steps wait. Engine thread.
 */
#ifndef FG_ENGINE_TOKEN_H
#define FG_ENGINE_TOKEN_H

#include "engine/internal.h"

/* A step that waits; belongs to whoever handed it in. */
struct token_waiter {
	struct token_waiter *next;
	const struct plugin_account *account; /* whose token; token_wait() sets it */
	/* Once: go on (@trouble NULL), or the step's answer is this trouble, which is the callee's. */
	void (*go_on)(struct token_waiter *waiter, struct plugin_answer *trouble);
};

/* False: there is nothing to wait for, and the waiter is not called. */
bool token_wait(struct lane *lane, const struct plugin_account *account, struct token_waiter *waiter);
/* The provider has refused the token at hand: the next step waits for another one. */
void token_refused(const struct plugin_account *account);

#endif
