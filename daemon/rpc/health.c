#include "rpc/health.h"

#include "api/inside.h"
#include "api/worker.h"
#include "base/err.h"
#include "engine/engine.h"
#include "rpc/message.h"
#include "rpc/methods.h"
#include "rpc/server.h"
#include "rpc/stream.h"

#include <grpc/health/v1/health.pb-c.h>

typedef Grpc__Health__V1__HealthCheckResponse__ServingStatus serving_status;

#define SERVING GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__SERVING
#define NOT_SERVING GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__NOT_SERVING
#define SERVICE_UNKNOWN GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__SERVICE_UNKNOWN

struct watcher {
	struct health *health;
	struct stream *stream;
	bool is_known;
	serving_status last; /* sent */
	struct watcher *next, **link;
};

struct health {
	struct rpc_server *server;
	pthread_mutex_t lock;
	struct watcher *watchers;
};

int health_new(struct rpc_server *server, struct health **ret)
{
	struct health *health = calloc(1, sizeof(*health));

	if (!health)
		return err_origin(-ENOMEM);
	health->server = server;
	pthread_mutex_init(&health->lock, NULL);
	*ret = health;
	return 0;
}

struct health *health_free(struct health *health)
{
	if (health)
		pthread_mutex_destroy(&health->lock);
	free(health);
	return NULL;
}

/* A service is known if it has a method here; "" is the server as a whole. */
static bool is_known(const struct rpc_server *server, const char *service)
{
	size_t len = strlen(service);

	for (size_t i = 0; len && i < server->n_slots; i++) {
		const struct method *method = server->slots[i].method;

		if (method && strncmp(method->path + 1, service, len) == 0 && method->path[1 + len] == '/')
			return true;
	}
	return len == 0;
}

static serving_status status_now(const struct rpc_server *server)
{
	bool is_serving = !atomic_load(&server->is_draining) && engine_is_serving(server->config.api->engine);

	return is_serving ? SERVING : NOT_SERVING;
}

void handle_health_check(struct call *call, const void *message)
{
	Grpc__Health__V1__HealthCheckResponse response = GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__INIT;
	const Grpc__Health__V1__HealthCheckRequest *request = message;
	const struct rpc_server *server = rpc_call_of(call)->server;

	if (!is_known(server, request->service)) {
		call_fail_code(rpc_call_of(call), GRPC_STATUS_NOT_FOUND, "there is no such service");
		return;
	}
	response.status = status_now(server);
	call_reply(call, &response.base);
}

static void tell(struct watcher *watcher, serving_status status)
{
	Grpc__Health__V1__HealthCheckResponse response = GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__INIT;

	response.status = status;
	if (stream_send(watcher->stream, message_pack(&response.base)))
		watcher->last = status;
}

void health_publish(struct health *health)
{
	serving_status status = status_now(health->server);

	pthread_mutex_lock(&health->lock);
	for (struct watcher *watcher = health->watchers; watcher; watcher = watcher->next)
		/* One that does not read is told the newest once it does. */
		if (watcher->is_known && watcher->last != status && stream_backlog(watcher->stream) < 2)
			tell(watcher, status);
	pthread_mutex_unlock(&health->lock);
}

static void on_closed(void *userdata)
{
	struct watcher *watcher = userdata;
	struct health *health = watcher->health;

	pthread_mutex_lock(&health->lock);
	*watcher->link = watcher->next;
	if (watcher->next)
		watcher->next->link = watcher->link;
	if (!health->watchers)
		worker_set_ticking(health->server->worker, false);
	pthread_mutex_unlock(&health->lock);
	stream_unref(watcher->stream);
	free(watcher);
}

static const struct stream_events stream_side = {.on_closed = on_closed};

void handle_health_watch(struct stream *stream, const void *message)
{
	const Grpc__Health__V1__HealthCheckRequest *request = message;
	struct rpc_server *server = stream_server(stream);
	struct watcher *watcher = calloc(1, sizeof(*watcher));
	struct health *health = server->health;

	if (!watcher)
		abort();
	watcher->health = health;
	watcher->stream = stream;
	watcher->is_known = is_known(server, request->service);
	stream_listen(stream, &stream_side, watcher);

	pthread_mutex_lock(&health->lock);
	watcher->next = health->watchers;
	watcher->link = &health->watchers;
	if (watcher->next)
		watcher->next->link = &watcher->next;
	health->watchers = watcher;
	tell(watcher, watcher->is_known ? status_now(server) : SERVICE_UNKNOWN);
	worker_set_ticking(server->worker, true);
	pthread_mutex_unlock(&health->lock);
}
