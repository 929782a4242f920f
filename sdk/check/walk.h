/*
 * Walks through a plugin: an order, then step after step as the daemon would ask, with replies that nobody sent. Each
 * step is run twice and must give the same bytes, and must not break a rule of the ABI.
 */
#ifndef FG_SDK_CHECK_WALK_H
#define FG_SDK_CHECK_WALK_H

#include "child.h"
#include "order.h"
#include "reply.h"

#include "plugin/account.h"

#define WALK_STEPS 16 /* of one walk */

struct walker {
	const struct plugin *plugin;
	const struct plugin_account *account;
	const struct orders *orders;
	struct learned learned;
	struct dice dice;
	struct child_desk *desk;
	uint64_t steps;
	bool has_exchanged;           /* an order came as far as an exchange: the account is whole */
	bool reached[_PLUGIN_VERB_N]; /* verbs that were called */
	char *accepted_state;         /* of the last order that was taken */
	struct errmsg finding;        /* the first; then walking is over */
};

enum {
	_WALK_E_OK,
	WALK_E_FOUND, /* ->finding says what */
};

/* One walk. 0, the outcome from above, or -ENOMEM. */
int walk(struct walker *walker);
void walker_finish(struct walker *walker);

#endif
