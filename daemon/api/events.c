#include "api/events.h"

#include "api/convert.h"
#include "api/message.h"
#include "base/err.h"
#include "engine/engine.h"

#include <filmgate/v1/job_service.pb-c.h>

#define ENTRIES 64 /* watchers that replay at different places, and the live ones */

struct entry {
	uint64_t sequence; /* 0: empty */
	struct packed *message;
	bool is_final;
};

struct event_cache {
	struct entry entries[ENTRIES];
};

int event_cache_new(struct event_cache **ret)
{
	struct event_cache *cache = calloc(1, sizeof(*cache));

	if (!cache)
		return err_origin(-ENOMEM);
	*ret = cache;
	return 0;
}

struct event_cache *event_cache_free(struct event_cache *cache)
{
	for (size_t i = 0; cache && i < ENTRIES; i++)
		if (cache->entries[i].sequence)
			packed_unref(cache->entries[i].message);
	free(cache);
	return NULL;
}

/* WatchJob and WatchJobs have responses of the same shape; a test holds them to it. */
static int make_entry(const struct store_event *event, uint64_t epoch, struct entry *ret)
{
	Filmgate__V1__WatchJobResponse response = FILMGATE__V1__WATCH_JOB_RESPONSE__INIT;
	struct store_snapshot *snapshot;
	struct arena arena = {0};
	int r;

	r = store_event_read(event, &snapshot);
	if (r)
		return err_trace(err_fold(r));
	response.event = convert_event(&arena, snapshot, event->time_ms, epoch);
	*ret = (struct entry){.sequence = event->sequence,
			      .message = message_pack(&response.base),
			      .is_final = snapshot->kind == JOB_EVENT_DELETED ||
					  job_state_is_terminal(snapshot->status->state)};
	arena_finish(&arena);
	store_snapshot_free(snapshot);
	return 0;
}

int event_cache_get(struct event_cache *cache, const struct store_event *event, uint64_t epoch, struct packed **ret,
		    bool *ret_is_final)
{
	struct entry *entry = &cache->entries[event->sequence % ENTRIES];
	struct entry made;
	int r;

	if (entry->sequence != event->sequence) {
		r = make_entry(event, epoch, &made);
		if (r < 0)
			return err_trace(r);
		if (entry->sequence)
			packed_unref(entry->message);
		*entry = made;
	}
	*ret = packed_ref(entry->message);
	*ret_is_final = entry->is_final;
	return 0;
}
