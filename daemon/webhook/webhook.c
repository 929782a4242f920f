#include "webhook/inside.h"

#include "webhook/sign.h"

void *need_memory(size_t size)
{
	void *memory = calloc(1, size);

	if (!memory)
		abort();
	return memory;
}

char *need_text(const char *text)
{
	char *copy = text ? strdup(text) : NULL;

	if (text && !copy)
		abort();
	return copy;
}

struct store_commit *need_commit(void)
{
	struct store_commit *commit = store_commit_new();

	if (!commit)
		abort();
	return commit;
}

struct endpoint *endpoint_find(struct webhooks *webhooks, const char *name)
{
	for (size_t i = 0; i < webhooks->n_endpoints; i++)
		if (strcmp(webhooks->endpoints[i].name, name) == 0)
			return &webhooks->endpoints[i];
	return NULL;
}

/* ---- endpoints ---- */

static void finish_endpoint(struct endpoint *endpoint)
{
	for (size_t i = 0; i < endpoint->n_keys; i++) {
		explicit_bzero(endpoint->keys[i].data, endpoint->keys[i].capacity);
		buffer_finish(&endpoint->keys[i]);
	}
	for (size_t i = 0; i < endpoint->n_events; i++)
		free(endpoint->events[i]);
	free(endpoint->events);
	free(endpoint->keys);
	free(endpoint->name);
	free(endpoint->url);
}

/* At full size from the start: a buffer that grows leaves copies behind. */
static int add_key(struct endpoint *endpoint, const char *secret)
{
	struct buffer *key = &endpoint->keys[endpoint->n_keys++];
	int r = buffer_reserve(key, LIMIT_SECRET);

	if (r == 0)
		r = sign_read_secret(bytes_of_text(secret), key);
	return r > 0 ? err_origin(-EINVAL) : r;
}

static int init_endpoint(struct endpoint *to, const struct webhook_endpoint *from)
{
	int r = 0;

	to->name = need_text(from->name);
	to->url = need_text(from->url);
	to->allows_private = from->allows_private;
	schedule_read(&to->schedule, from->retries);
	to->keys = need_memory((from->n_secrets + 1) * sizeof(*to->keys));
	to->events = need_memory((from->n_events + 1) * sizeof(*to->events));
	for (size_t i = 0; i < from->n_events; i++)
		to->events[to->n_events++] = need_text(from->events[i]);
	for (size_t i = 0; r == 0 && i < from->n_secrets; i++)
		r = add_key(to, from->secrets[i]);
	return r;
}

/* ---- life ---- */

static void on_start(struct loop_message *message)
{
	keep_start(loop_message_owner(message, struct webhooks, start_message));
}

static void on_start_timer(void *userdata)
{
	keep_start(userdata);
}

static int open_http(struct webhooks *webhooks, const struct webhook_config *config)
{
	const struct http_config http = {
		.clock = config->clock,
		.user_agent = config->user_agent,
		.ca_bundle_path = config->ca_bundle,
		.connect_timeout_ms = config->connect_timeout_ms < LIMIT_WEBHOOK_TIMEOUT_MS ? config->connect_timeout_ms
											    : LIMIT_WEBHOOK_TIMEOUT_MS,
		.max_exchanges = LIMIT_WEBHOOK_FLYING,
	};

	return http_new(&http, &webhooks->http);
}

static int open_loop(struct webhooks *webhooks)
{
	int r = loop_new(&webhooks->loop);

	if (r < 0)
		return r;
	loop_timer_init(&webhooks->start_timer, webhooks->loop, on_start_timer, webhooks);
	loop_timer_init(&webhooks->cursor_timer, webhooks->loop, keep_on_cursor_timer, webhooks);
	loop_timer_init(&webhooks->trim_timer, webhooks->loop, keep_on_trim_timer, webhooks);
	return 0;
}

static int open_all(struct webhooks *webhooks, const struct webhook_config *config)
{
	int r = 0;

	webhooks->engine = config->engine;
	webhooks->clock = config->clock;
	webhooks->chance = (unsigned int)clock_utc_ms(config->clock);
	webhooks->endpoints = need_memory((config->n_endpoints + 1) * sizeof(*webhooks->endpoints));
	while (r == 0 && webhooks->n_endpoints < config->n_endpoints) {
		r = init_endpoint(&webhooks->endpoints[webhooks->n_endpoints],
				  &config->endpoints[webhooks->n_endpoints]);
		webhooks->n_endpoints++;
	}
	if (r == 0)
		r = open_loop(webhooks);
	if (r == 0)
		r = open_http(webhooks, config);
	if (r == 0)
		r = loop_start(webhooks->loop, "fg-webhook");
	return r;
}

int webhooks_new(const struct webhook_config *config, struct webhooks **ret)
{
	struct webhooks *webhooks = need_memory(sizeof(*webhooks));
	int r = open_all(webhooks, config);

	if (r < 0) {
		webhooks_free(webhooks);
		return err_trace(r);
	}
	webhooks->start_message.run = on_start;
	loop_post(webhooks->loop, &webhooks->start_message);
	*ret = webhooks;
	return 0;
}

void webhooks_attach(struct webhooks *webhooks, struct api *api)
{
	api_set_webhooks(api, &(struct api_webhooks){.redeliver = redeliver, .userdata = webhooks});
}

/* ---- the end ---- */

/* The watch may still have something to say; its last word ends the loop. */
static void on_stop(struct loop_message *message)
{
	struct webhooks *webhooks = loop_message_owner(message, struct webhooks, stop_message);
	struct item *item, *next;

	webhooks->is_stopping = true;
	loop_timer_cancel(&webhooks->start_timer);
	loop_timer_cancel(&webhooks->cursor_timer);
	loop_timer_cancel(&webhooks->trim_timer);
	HASH_ITER(hh, webhooks->items, item, next)
		loop_timer_cancel(&item->timer);
	if (!planner_stop(webhooks))
		loop_stop(webhooks->loop);
}

void webhooks_stop(struct webhooks *webhooks)
{
	if (!webhooks || !webhooks->http)
		return;
	http_stop(webhooks->http, 0);
	webhooks->stop_message.run = on_stop;
	loop_post(webhooks->loop, &webhooks->stop_message);
	loop_join(webhooks->loop);
	webhooks->http = http_free(webhooks->http);
}

struct webhooks *webhooks_free(struct webhooks *webhooks)
{
	struct item *item, *next;

	if (!webhooks)
		return NULL;
	http_free(webhooks->http);
	webhooks->is_stopping = true;
	webhooks->loop = loop_free(webhooks->loop);
	HASH_ITER(hh, webhooks->items, item, next)
		item_free(item);
	lanes_free(webhooks);
	for (size_t i = 0; i < webhooks->n_endpoints; i++)
		finish_endpoint(&webhooks->endpoints[i]);
	free(webhooks->endpoints);
	free(webhooks);
	return NULL;
}
