#include "http/call.h"

#include "base/err.h"
#include "base/limits.h"
#include "http/address.h"
#include "http/url.h"

static struct http_outcome *outcome_new(void)
{
	struct http_outcome *outcome = calloc(1, sizeof(*outcome));

	if (!outcome)
		return NULL;
	outcome->declared_bytes = -1;
	outcome->content_range = (struct http_range){.first = -1, .last = -1, .total = -1};
	return outcome;
}

/* Behind a proxy nobody here sees the address that is connected to; what the URL itself says is checked at least. */
static int check_proxied_host(struct call *call)
{
	_cleanup_(freep) char *host = NULL;
	int r;

	if (!call->settings->proxy || (call->flags & HTTP_PRIVATE_NETWORK))
		return 0;
	r = url_host(call->url, &host);
	if (r < 0)
		return err_trace(r);
	if (r == 0 && address_text_is_private(host)) {
		snprintf(call->refused_address, sizeof(call->refused_address), "%s", host);
		call_stop(call, CALL_STOP_ADDRESS);
	}
	return 0;
}

static int copy_url(struct call *call, const char *url)
{
	int r = url_origin(url, &call->origin);

	if (r < 0)
		return err_trace(r);
	if (r > 0) {
		snprintf(call->outcome->message, sizeof(call->outcome->message),
			 "the URL is not an absolute http or https URL of at most %d bytes without a user name",
			 LIMIT_HTTP_URL);
		return CALL_STOP_INVALID;
	}
	call->url = strdup(url);
	return call->url ? check_proxied_host(call) : err_origin(-ENOMEM);
}

static void copy_terms(struct call *call, const struct http_request *request)
{
	int64_t timeout_ms = request->timeout_ms;

	if (timeout_ms <= 0 || timeout_ms > LIMIT_HTTP_TIMEOUT_MS)
		timeout_ms = LIMIT_HTTP_TIMEOUT_MS;
	call->flags = request->flags;
	call->lane = request->lane;
	call->version = request->version;
	call->timeout_ms = timeout_ms;
	call->idle_timeout_ms = request->idle_timeout_ms;
	head_init(&call->head, request->max_header_bytes ? request->max_header_bytes : LIMIT_HTTP_REPLY_HEADER_BYTES);
	sink_init(&call->sink, request);
}

int call_new(const struct settings *settings, const struct http_request *request, struct call **ret)
{
	_cleanup_(call_freep) struct call *call = calloc(1, sizeof(*call));
	int r;

	if (!call)
		return err_origin(-ENOMEM);
	call->settings = settings;
	call->outcome = outcome_new();
	if (!call->outcome)
		return err_origin(-ENOMEM);

	copy_terms(call, request);
	r = call_copy_request(call, request);
	if (r == 0)
		r = copy_url(call, request->url);
	if (r < 0)
		return err_trace(r);
	if (r > 0)
		call_stop(call, CALL_STOP_INVALID);
	*ret = steal(call);
	return 0;
}

struct call *call_free(struct call *call)
{
	if (!call)
		return NULL;
	curl_easy_cleanup(call->easy);
	http_outcome_free(call->outcome);
	sink_finish(&call->sink);
	head_finish(&call->head);
	supply_finish(&call->supply);
	curl_slist_free_all(call->headers);
	free(call->log_headers);
	free(call->origin);
	free(call->url);
	free(call->method);
	free(call);
	return NULL;
}

void call_freep(struct call **call)
{
	call_free(*call);
}

void call_stop(struct call *call, enum call_stop stop)
{
	if (call->stop == CALL_STOP_NONE)
		call->stop = stop;
}

int64_t call_now_ms(const struct call *call)
{
	return clock_monotonic_ms(call->settings->clock);
}
