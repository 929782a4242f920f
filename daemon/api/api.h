/*
 * filmgate.v1 over no particular transport: the handlers of every method, and what they share. A door (rpc/, web/)
 * finds the method by its path, hands in a call or a stream of its own, and is told what to answer.
 */
#ifndef FG_API_API_H
#define FG_API_API_H

#include "base/bytes.h"
#include "base/clock.h"
#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

struct api;
struct engine;
struct engine_error;
struct store_delivery;
struct store_delivery_key;

struct api_config {
	struct engine *engine; /* outlives the api */
	const struct clock *clock;
	uint32_t max_reads;     /* artifacts that are read at once; 0: LIMIT_RPC_READS */
	int64_t upload_idle_ms; /* until an upload that sends nothing is ended; 0: LIMIT_RPC_UPLOAD_IDLE_MS */
	struct bytes link_key;  /* signs links to artifacts; outlives the api */
	const char *link_base;  /* "https://host", what is before a link's path; outlives the api; NULL: not known */
};

int api_new(const struct api_config *config, struct api **ret);

/* What sends webhooks, for whoever asks for one again. @key is borrowed until the call returns; the answer comes once: 0
 * and the delivery, borrowed; ENGINE_E_NOT_FOUND, ENGINE_E_STATE, ENGINE_E_DRAINING or ENGINE_E_STORE. [any-thread] */
typedef void api_redelivered_fn(void *userdata, int outcome, const struct engine_error *error,
				const struct store_delivery *delivery);
struct api_webhooks {
	void (*redeliver)(void *userdata, const struct store_delivery_key *key, api_redelivered_fn *fn, void *caller);
	void *userdata;
};
/* Before the first call. Without it nothing is sent again. */
void api_set_webhooks(struct api *api, const struct api_webhooks *webhooks);

/* After every stream has gone and every verb was answered. NULL is fine. */
struct api *api_free(struct api *api);
void api_freep(struct api **api);

#endif
