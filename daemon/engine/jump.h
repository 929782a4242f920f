/*
 * Clocks that are set. What waits within a run is measured by the clock that never jumps; what is stored is an instant
 * of the other one, and means what it says: a deadline, a scheduled start, the end of a budget's day. A pause is stored
 * as an instant, too, but means how long it is: when the clock goes back it begins anew with what it had left.
 */
#ifndef FG_ENGINE_JUMP_H
#define FG_ENGINE_JUMP_H

#include "engine/internal.h"

/* The engine is built, its store open: from now on it is known when the clock is set. */
void jump_init(struct engine *engine);
/* The engine serves: whether the clock stands before what is stored already. */
void jump_start(struct engine *engine);
void jump_stop(struct engine *engine);

/* A pause of a queued job that was begun at an instant which is still to come. */
bool jump_has_stretched(const struct entry *entry);
/* What was left of it when it was written last, from now on; with the change that has begun. */
void jump_restore(struct entry *entry);
/* How long from now to @until_ms, an instant that was stored when at most @longest_ms were left. At least 1. */
int64_t jump_left_ms(const struct entry *entry, int64_t until_ms, int64_t longest_ms);

#endif
