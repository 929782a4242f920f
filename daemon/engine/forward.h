/*
 * Uploads: the verb that brings an asset to a provider before the order that names it. Each is a play of its own beside
 * the jobs: whoever needs the same asset for the same account meanwhile waits for the one that is under way, and it goes
 * on when they are cancelled. What comes of it is stored for the account and used for later orders.
 *
 * It is free and may be done again: a daemon that stops in the middle begins anew.
 */
#ifndef FG_ENGINE_FORWARD_H
#define FG_ENGINE_FORWARD_H

#include "engine/internal.h"

struct forward;

/*
 * Brings @name, one of entry->media, to the entry's provider as an activity of the entry. @then gets NULL, and the
 * handle stands in entry->media; or why not, a FAILED, TROUBLE or FAULT as start would have answered it, the callee's.
 */
void forward_begin(struct entry *entry, const char *name,
		   void (*then)(struct entry *entry, struct plugin_answer *take));

/* The provider does not know a handle. Adds to the entry's change that those which are older than the attempt are
 * forgotten; false when there is none such, so that another upload would not help. */
bool forward_forget(struct entry *entry);

#endif
