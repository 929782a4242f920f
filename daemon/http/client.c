#include "http/http.h"

#include "base/err.h"
#include "base/limits.h"
#include "http/carrier.h"

#define DEFAULT_CONNECT_TIMEOUT_MS (15 * 1000)

enum { CARRIER_EXCHANGES, CARRIER_TRANSFERS, CARRIER_N };

struct http {
	struct settings settings;
	struct carrier *carriers[CARRIER_N];
	bool is_started[CARRIER_N];
	bool has_curl;
	size_t max_waiting;
	atomic_size_t waiting;
	atomic_uint_fast64_t last_id;
	atomic_bool is_draining;
};

/* Ids carry their lane, so that a cancel finds its carrier without a table. */
static struct carrier *carrier_of(const struct http *http, enum http_lane lane)
{
	return http->carriers[lane == HTTP_LANE_TRANSFER ? CARRIER_TRANSFERS : CARRIER_EXCHANGES];
}

static size_t or_limit(size_t configured, size_t limit)
{
	return configured ? configured : limit;
}

static int copy_text(const char *text, char **ret)
{
	if (!text)
		return 0;
	*ret = strdup(text);
	return *ret ? 0 : err_origin(-ENOMEM);
}

static int copy_settings(struct settings *settings, const struct http_config *config)
{
	int r = copy_text(config->user_agent, &settings->user_agent);

	if (r == 0)
		r = copy_text(config->ca_bundle_path, &settings->ca_bundle_path);
	if (r == 0)
		r = copy_text(config->proxy, &settings->proxy);
	settings->clock = config->clock ? config->clock : &clock_system;
	settings->connect_timeout_ms = config->connect_timeout_ms > 0 ? config->connect_timeout_ms
								      : DEFAULT_CONNECT_TIMEOUT_MS;
	return r;
}

static int start_carrier(struct http *http, int index, const struct carrier_config *config)
{
	int r = carrier_new(config, &http->carriers[index]);

	if (r == 0)
		r = carrier_start(http->carriers[index]);
	http->is_started[index] = r == 0;
	return r;
}

static int start_carriers(struct http *http, const struct http_config *config)
{
	const struct carrier_config exchanges = {
		.thread_name = "http-exchanges",
		.waiting = &http->waiting,
		.lane_caps[HTTP_LANE_EXCHANGE] = or_limit(config->max_exchanges, LIMIT_HTTP_EXCHANGES),
	};
	const struct carrier_config transfers = {
		.thread_name = "http-transfers",
		.waiting = &http->waiting,
		.lane_caps[HTTP_LANE_TRANSFER] = or_limit(config->max_transfers, LIMIT_HTTP_TRANSFERS),
	};
	int r = start_carrier(http, CARRIER_EXCHANGES, &exchanges);

	return r == 0 ? start_carrier(http, CARRIER_TRANSFERS, &transfers) : r;
}

int http_new(const struct http_config *config, struct http **ret)
{
	_cleanup_(http_freep) struct http *http = calloc(1, sizeof(*http));
	int r;

	if (!http)
		return err_origin(-ENOMEM);
	http->max_waiting = or_limit(config->max_waiting, LIMIT_HTTP_WAITING);
	r = copy_settings(&http->settings, config);
	if (r < 0)
		return err_trace(r);
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return err_origin(-ENOMEM);
	http->has_curl = true;

	r = start_carriers(http, config);
	if (r < 0)
		return err_trace(r);
	*ret = steal(http);
	return 0;
}

void http_drain(struct http *http, int64_t limit_ms)
{
	if (atomic_exchange(&http->is_draining, true))
		return;
	for (int i = 0; i < CARRIER_N; i++)
		if (http->is_started[i])
			carrier_drain(http->carriers[i], limit_ms);
}

void http_stop(struct http *http, int64_t limit_ms)
{
	http_drain(http, limit_ms);
	for (int i = 0; i < CARRIER_N; i++)
		if (http->is_started[i])
			carrier_join(http->carriers[i]);
}

struct http *http_free(struct http *http)
{
	if (!http)
		return NULL;
	http_stop(http, 0);
	for (int i = 0; i < CARRIER_N; i++)
		carrier_free(http->carriers[i]);
	if (http->has_curl)
		curl_global_cleanup();
	free(http->settings.proxy);
	free(http->settings.ca_bundle_path);
	free(http->settings.user_agent);
	free(http);
	return NULL;
}

void http_freep(struct http **http)
{
	http_free(*http);
}

/* Takes a place among those that wait; the carrier gives it back when the call starts or ends. */
static int take_place(struct http *http)
{
	if (atomic_fetch_add(&http->waiting, 1) < http->max_waiting)
		return 0;
	atomic_fetch_sub(&http->waiting, 1);
	return HTTP_E_BUSY;
}

int http_send(struct http *http, const struct http_request *request, http_done_fn on_done, void *userdata,
	      uint64_t *ret_id)
{
	struct call *call = NULL;
	int r;

	assert(on_done && request->lane < _HTTP_LANE_N);
	if (atomic_load(&http->is_draining))
		return HTTP_E_STOPPING;
	r = take_place(http);
	if (r != 0)
		return r;
	r = call_new(&http->settings, request, &call);
	if (r < 0) {
		atomic_fetch_sub(&http->waiting, 1);
		return err_trace(r);
	}

	call->on_done = on_done;
	call->userdata = userdata;
	call->id = (atomic_fetch_add(&http->last_id, 1) + 1) * _HTTP_LANE_N + request->lane;
	if (ret_id)
		*ret_id = call->id;
	carrier_submit(carrier_of(http, request->lane), call);
	return 0;
}

int http_cancel(struct http *http, uint64_t id)
{
	return carrier_cancel(carrier_of(http, (enum http_lane)(id % _HTTP_LANE_N)), id);
}
