/*
 * Committed events as the messages that watchers get. The bytes do not depend on the watcher, so each event is read
 * and packed once, by the first watcher that it reaches, and shared by all. Watch thread only.
 */
#ifndef FG_API_EVENTS_H
#define FG_API_EVENTS_H

#include "api/packed.h"

#include <stdint.h>

struct event_cache;
struct store_event;

int event_cache_new(struct event_cache **ret);
struct event_cache *event_cache_free(struct event_cache *cache);

/* The message, a reference of the caller's; @ret_is_final: it shows a job that has ended or is gone. 0 or negative
 * errno. */
int event_cache_get(struct event_cache *cache, const struct store_event *event, uint64_t epoch, struct packed **ret,
		    bool *ret_is_final);

#endif
