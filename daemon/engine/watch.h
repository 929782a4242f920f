/*
 * Watching: who gets which event, from the store while behind and live when caught up.
 *
 * The store is every watcher's buffer. A watcher starts behind: pages of events are read for it as it grants room.
 * When a read reached the tail, and no newer event has passed here meanwhile, it is live: events go to it as they are
 * committed. A live watcher without a grant falls behind again, which costs nothing. So a slow reader loses nothing
 * before the retention time and nobody waits for it.
 */
#ifndef FG_ENGINE_WATCH_H
#define FG_ENGINE_WATCH_H

#include "engine/engine.h"

struct watch_hub;

/* Runs its own thread from here to watch_hub_stop(). */
int watch_hub_new(struct store *store, struct watch_hub **ret);
/* Ends every watch with ENGINE_E_DRAINING; returns when each owner has closed its own. */
void watch_hub_stop(struct watch_hub *hub);
struct watch_hub *watch_hub_free(struct watch_hub *hub);

/* How many are open. [any-thread] */
unsigned int watch_hub_count(const struct watch_hub *hub);

/* The events of one batch, in commit order; copied. Called on the committer thread. */
void watch_hub_publish(struct watch_hub *hub, const struct store_commit *first);

int watch_open(struct watch_hub *hub, const struct engine_watch_spec *spec, const struct engine_watcher *watcher,
	       struct engine_watch **ret);

#endif
