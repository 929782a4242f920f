/*
 * What is looked at before a request is read: whether there is somebody to answer it, whether two readers could
 * understand it differently, who sends it, how often, and how long it is.
 */
#include "web/inside.h"

#include "base/limits.h"
#include "base/quote.h"
#include "web/guard.h"
#include "web/routes.h"

#include <stdio.h>
#include <strings.h>

#define HEADER_COST 64 /* bytes that the library needs beside the text of each */
#define PATIENCE 4     /* times the body that a route takes */

struct head {
	size_t hosts, lengths, encodings;
	bool has_body, is_strange, is_malformed;
};

/* RFC 9110, 5.6.2 */
static bool is_token(const char *text)
{
	size_t len = strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!#$%&'*+-.^_`|~");

	return len && text[len] == '\0';
}

static bool has_control(const char *text)
{
	for (; *text; text++)
		if (((unsigned char)*text < ' ' && *text != '\t') || *text == '\x7f')
			return true;
	return false;
}

static enum MHD_Result look_at_header(void *userdata, enum MHD_ValueKind kind, const char *name, const char *value)
{
	struct head *head = userdata;

	(void)kind;
	/* "Content-Length :" is a length for one reader and nothing for another, a carriage return the end of a line. */
	head->is_malformed |= !is_token(name) || (value && has_control(value));
	if (strcasecmp(name, MHD_HTTP_HEADER_HOST) == 0) {
		head->hosts++;
	} else if (strcasecmp(name, MHD_HTTP_HEADER_TRANSFER_ENCODING) == 0) {
		head->encodings++;
		head->has_body = true;
		head->is_strange |= !value || strcasecmp(value, "chunked") != 0;
	} else if (strcasecmp(name, MHD_HTTP_HEADER_CONTENT_LENGTH) == 0) {
		head->lengths++;
		head->has_body |= !value || strspn(value, "0") != strlen(value);
		head->is_strange |= !value || !*value || strspn(value, "0123456789") != strlen(value);
	}
	return MHD_YES;
}

/* What the library lets through although two readers may understand it differently. */
static const char *find_fault(const struct exchange *exchange, const char *version)
{
	struct head head = {0};

	MHD_get_connection_values(exchange->handle, MHD_HEADER_KIND, look_at_header, &head);
	if (head.is_malformed)
		return "a header has a name that is no token, or a control character in its value";
	if (head.hosts > 1)
		return "the request has two Host headers";
	if (head.hosts == 0 && strcmp(version, MHD_HTTP_VERSION_1_1) == 0)
		return "the request has no Host header";
	if (head.lengths > 1)
		return "the request has two Content-Length headers";
	if (head.encodings && strcmp(version, MHD_HTTP_VERSION_1_0) == 0)
		return "the request has Transfer-Encoding, which HTTP/1.0 does not know: send Content-Length";
	if (head.lengths && head.encodings)
		return "the request has both Content-Length and Transfer-Encoding";
	if (head.encodings > 1 || head.is_strange)
		return "the length of the body is not said as it has to be: send Content-Length, or Transfer-Encoding: "
		       "chunked";
	if (head.has_body && exchange->route && exchange->route->max_body == 0)
		return "the request has a body: leave it out";
	return NULL;
}

static enum MHD_Result add_size(void *userdata, enum MHD_ValueKind kind, const char *name, const char *value)
{
	size_t *size = userdata;

	(void)kind;
	*size += strlen(name) + (value ? strlen(value) : 0) + HEADER_COST;
	return MHD_YES;
}

/* The library lets a head fill its memory, and has none left for the head of the reply: what was done would not be told. */
static bool is_too_large(const struct exchange *exchange)
{
	size_t size = strlen(exchange->path);

	MHD_get_connection_values(exchange->handle, MHD_HEADER_KIND | MHD_GET_ARGUMENT_KIND, add_size, &size);
	return size > LIMIT_WEB_HEAD;
}

static bool is_in_list(const char *list, const char *word)
{
	size_t len = strlen(word);

	for (const char *at = list; (at = strstr(at, word)) != NULL; at += len)
		if ((at == list || at[-1] == ' ') && (at[len] == '\0' || at[len] == ','))
			return true;
	return false;
}

/* A page of another site must not make this daemon do or say anything, by whatever name it calls it. */
static bool pass_guard(struct exchange *exchange)
{
	const struct web_config *config = exchange->server->config;
	const char *host = exchange_header(exchange, MHD_HTTP_HEADER_HOST);
	const char *origin = exchange_header(exchange, MHD_HTTP_HEADER_ORIGIN);

	if (exchange->route->is_public)
		return true;
	if (!guard_is_host(&config->hosts, host)) {
		exchange_say(exchange, MHD_HTTP_FORBIDDEN,
			     "'%s' is no name of this daemon: use the address that it listens at, or add the name to "
			     "web.hosts",
			     quote(host ? host : "").text);
		return false;
	}
	if (!origin || guard_is_same_origin(host, origin))
		return true;
	exchange->origin = guard_find_origin(&config->origins, origin);
	if (exchange->origin)
		return true;
	exchange_say(exchange, MHD_HTTP_FORBIDDEN,
		     "pages of '%s' may not use this daemon; if they are to, add that origin to web.origins",
		     quote(origin).text);
	return false;
}

static void answer_preflight(struct exchange *exchange)
{
	struct reply reply = {.status = MHD_HTTP_NO_CONTENT};

	reply_header(&reply, "Access-Control-Allow-Methods", "%s", exchange->route->methods);
	reply_header(&reply, "Access-Control-Max-Age", "%d", LIMIT_WEB_PREFLIGHT_S);
	reply_header(&reply, "Access-Control-Allow-Headers", "%s", GUARD_ALLOWED_HEADERS);
	exchange_reply(exchange, &reply);
}

static void refuse_method(struct exchange *exchange)
{
	struct reply reply = {.status = MHD_HTTP_METHOD_NOT_ALLOWED, .media_type = TEXT_MEDIA_TYPE};

	reply_header(&reply, MHD_HTTP_HEADER_ALLOW, "%s", exchange->route->methods);
	if (buffer_printf(&reply.body, "'%s' is not possible here: use %s\n", quote(exchange->method).text,
			  exchange->route->methods) < 0)
		buffer_finish(&reply.body);
	exchange_reply(exchange, &reply);
}

/* False: it has been answered. */
static bool is_welcome(struct exchange *exchange, const char *version)
{
	bool is_preflight = strcmp(exchange->method, MHD_HTTP_METHOD_OPTIONS) == 0;
	const char *fault;

	exchange->route = route_find(exchange->path);
	if (is_too_large(exchange)) {
		exchange_say(exchange, MHD_HTTP_REQUEST_HEADER_FIELDS_TOO_LARGE,
			     "the head of the request is larger than the %d bytes that are taken here", LIMIT_WEB_HEAD);
		return false;
	}
	fault = find_fault(exchange, version);
	if (!exchange->route)
		exchange_say(exchange, MHD_HTTP_NOT_FOUND, "there is no '%s' here, but %s", quote(exchange->path).text,
			     route_words());
	else if (!is_preflight && !is_in_list(exchange->route->methods, exchange->method))
		refuse_method(exchange);
	else if (fault)
		exchange_say(exchange, MHD_HTTP_BAD_REQUEST, "%s", fault);
	else if (!pass_guard(exchange))
		return false;
	else if (is_preflight && (exchange->origin || is_in_list(exchange->route->methods, MHD_HTTP_METHOD_OPTIONS)))
		answer_preflight(exchange);
	else if (is_preflight)
		refuse_method(exchange);
	else
		return true;
	return false;
}

/* One that says how long it is, and that this is far too long, need not send it. A little too long, it may: many clients
 * look for a reply only when they have sent everything. */
static bool has_room(struct exchange *exchange)
{
	const char *length = exchange_header(exchange, MHD_HTTP_HEADER_CONTENT_LENGTH);

	if (!length || (strlen(length) < 19 && strtoull(length, NULL, 10) <= PATIENCE * exchange->route->max_body))
		return true;
	exchange_say(exchange, MHD_HTTP_CONTENT_TOO_LARGE, "the body has %s bytes; at most %zu are taken here",
		     quote(length).text, exchange->route->max_body);
	return false;
}

static enum MHD_Result note_forwarded(void *userdata, enum MHD_ValueKind kind, const char *name, const char *value)
{
	const char **last = userdata;

	(void)kind;
	if (value && strcasecmp(name, "X-Forwarded-For") == 0)
		*last = value;
	return MHD_YES;
}

static void refuse_haste(struct exchange *exchange, const struct rate_client *client, int64_t wait_ms, bool is_news)
{
	struct reply reply = {.status = MHD_HTTP_TOO_MANY_REQUESTS, .media_type = TEXT_MEDIA_TYPE};
	long long most = (long long)exchange->server->config->requests_per_s;
	char name[RATE_CLIENT_SIZE];

	rate_client_write(client, name);
	if (is_news)
		log_warning("a client asks more often than web.requests_per_s and is told to wait", "client", name,
			    "requests_per_s", log_int(most));
	reply_header(&reply, MHD_HTTP_HEADER_RETRY_AFTER, "%lld", (long long)(wait_ms + 999) / 1000);
	if (buffer_printf(&reply.body, "%s may ask %lld times a second: try again in %lld ms\n", name, most,
			  (long long)wait_ms) < 0)
		buffer_finish(&reply.body);
	exchange_reply(exchange, &reply);
}

static bool is_in_time(struct exchange *exchange)
{
	struct server *server = exchange->server;
	const char *forwarded = NULL;
	struct rate_client client;
	int64_t wait_ms;
	bool is_news;

	if (!server->rates || exchange->route->is_health)
		return true;
	MHD_get_connection_values(exchange->handle, MHD_HEADER_KIND, note_forwarded, &forwarded);
	client = rate_client_read(forwarded);
	wait_ms = rates_take(server->rates, &client, clock_monotonic_ms(server->config->clock), &is_news);
	if (wait_ms > 0)
		refuse_haste(exchange, &client, wait_ms, is_news);
	return wait_ms == 0;
}

bool head_may_come(struct exchange *exchange, const char *version)
{
	return is_welcome(exchange, version) && is_in_time(exchange) && has_room(exchange);
}
