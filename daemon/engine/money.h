/*
 * A job's money, posted with the changes that cause it. All on the engine's thread but money_refuse().
 */
#ifndef FG_ENGINE_MONEY_H
#define FG_ENGINE_MONEY_H

#include "engine/internal.h"

/* What the change of @entry, whose status is as it will be committed, means for its money: into @commit. */
void money_follow(struct entry *entry, struct store_commit *commit);
/* What it still holds is settled, in @commit: the job is about to be forgotten. */
void money_close(struct entry *entry, struct store_commit *commit);

#endif
