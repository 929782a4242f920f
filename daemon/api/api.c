#include "api/inside.h"

#include "api/events.h"
#include "api/upload.h"
#include "api/worker.h"
#include "base/limits.h"

static void on_upload_tick(void *userdata)
{
	upload_tick(userdata);
}

int api_new(const struct api_config *config, struct api **ret)
{
	_cleanup_(api_freep) struct api *api = calloc(1, sizeof(*api));
	int r;

	if (!api)
		return err_origin(-ENOMEM);
	api->engine = config->engine;
	api->clock = config->clock;
	api->max_reads = config->max_reads ? config->max_reads : LIMIT_RPC_READS;
	api->upload_idle_ms = config->upload_idle_ms ? config->upload_idle_ms : LIMIT_RPC_UPLOAD_IDLE_MS;
	api->link_key = config->link_key;
	api->link_base = config->link_base;
	pthread_mutex_init(&api->lock, NULL);
	r = event_cache_new(&api->events);
	if (r < 0)
		return err_trace(r);
	r = worker_new("fg-api-reader", NULL, NULL, &api->worker);
	if (r < 0)
		return err_trace(r);
	r = worker_new("fg-api-upload", on_upload_tick, api, &api->uploads);
	if (r < 0)
		return err_trace(r);
	worker_set_ticking(api->uploads, true);
	*ret = steal(api);
	return 0;
}

void api_set_webhooks(struct api *api, const struct api_webhooks *webhooks)
{
	api->webhooks = *webhooks;
}

struct api *api_free(struct api *api)
{
	if (!api)
		return NULL;
	worker_free(api->uploads);
	worker_free(api->worker);
	event_cache_free(api->events);
	pthread_mutex_destroy(&api->lock);
	free(api);
	return NULL;
}

void api_freep(struct api **api)
{
	api_free(*api);
}
