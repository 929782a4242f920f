/*
 * What the handlers share.
 */
#ifndef FG_API_INSIDE_H
#define FG_API_INSIDE_H

#include "api/api.h"
#include "base/bytes.h"

#include <pthread.h>
#include <stdatomic.h>

struct event_cache;
struct uploading;
struct worker;

struct api {
	struct engine *engine;
	const struct clock *clock;
	uint32_t max_reads;
	int64_t upload_idle_ms;
	struct bytes link_key;
	const char *link_base; /* NULL: none is known */
	struct api_webhooks webhooks;

	struct event_cache *events; /* watch thread only */
	struct worker *worker;      /* reads artifacts */
	struct worker *uploads;     /* writes what is uploaded */
	atomic_uint reads;          /* of artifacts, that are open */
	atomic_size_t kept;         /* bytes of files that wait to be written */

	pthread_mutex_t lock;
	struct uploading *uploadings; /* under it */
};

#endif
