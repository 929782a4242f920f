/*
 * From what a plugin asks to a request that can be sent as it is. Everything that could make it another request than
 * the one that was meant (a foreign origin, a second purchase, a key that is not in it) ends here as a fault.
 */
#include "plugin/step_inside.h"

#include "base/limits.h"
#include "plugin/url.h"

#include <ctype.h>

void plugin_headers_add(struct fg_step *s, struct plugin_header_list *list, const char *name, const char *value,
			bool is_secret)
{
	for (size_t i = 0; is_secret && i < list->n; i++)
		if (strcasecmp(list->headers[i].name, name) == 0)
			step_fault(s, "exchange(): the header '%s' is set, and carries the credential, too", name);
	if (!list->headers) {
		list->headers = plugin_answer_alloc(s->answer, LIMIT_PLUGIN_HEADERS, sizeof(*list->headers));
		list->capacity = list->headers ? LIMIT_PLUGIN_HEADERS : 0;
	}
	if (list->n == list->capacity) {
		step_fault(s, "exchange(): more than %d headers", LIMIT_PLUGIN_HEADERS);
		return;
	}
	list->headers[list->n++] = (struct plugin_header){.name = name, .value = value, .is_secret = is_secret};
}

static bool is_operators(struct fg_step *s, const char *url)
{
	_cleanup_(buffer_finish) struct buffer origin = {0};

	return !step_failed(s, plugin_url_origin(bytes_of_text(url), &origin)) &&
	       plugin_origins_have(&s->input->account->origins, origin.data);
}

/* How much of a URL may stand in a message: a signature is as good as a secret. */
static int shown_length(struct bytes text)
{
	const char *question = text.len ? memchr(text.data, '?', text.len) : NULL;
	size_t len = question ? (size_t)(question - (const char *)text.data) : text.len;

	return (int)(len < 200 ? len : 200);
}

bool plugin_may_reach(struct fg_step *s, const char *url)
{
	return strncmp(url, "https:", 6) == 0 || strncasecmp(s->input->account->base_url, "http:", 5) == 0 ||
	       is_operators(s, url);
}

const char *plugin_target(struct fg_step *s, struct bytes text, const char *what)
{
	_cleanup_(buffer_finish) struct buffer url = {.limit = 4 * LIMIT_PLUGIN_URL};
	const char *base = s->input->account->base_url;

	if (text.len == 0) {
		step_fault(s, "%s: it has no URL", what);
		return NULL;
	}
	if (step_failed(s, plugin_url_resolve(bytes_of_text(base), text, &url)) || url.len > LIMIT_PLUGIN_URL) {
		step_fault(s, "%s: '%.*s' is not an http or https URL of at most %d bytes", what, shown_length(text),
			   (const char *)text.data, LIMIT_PLUGIN_URL);
		return NULL;
	}
	if (!plugin_may_reach(s, url.data)) {
		step_fault(s, "%s: '%.*s' is not encrypted", what, shown_length(buffer_bytes(&url)), url.data);
		return NULL;
	}
	return plugin_answer_text(s->answer, buffer_bytes(&url));
}

const char *plugin_shown(struct fg_step *s, const char *url)
{
	return plugin_answer_text(s->answer, bytes_of(url, strcspn(url, "?")));
}

static bool is_word(const char *word, const char *const *words)
{
	for (; *words; words++)
		if (strcasecmp(word, *words) == 0)
			return true;
	return false;
}

static bool is_token(const char *name)
{
	size_t len = strlen(name);

	for (size_t i = 0; i < len; i++)
		if (!isalnum((unsigned char)name[i]) && !strchr("!#$%&'*+-.^_`|~", name[i]))
			return false;
	return len > 0 && len <= 128;
}

static bool is_header_value(struct bytes value)
{
	const unsigned char *p = value.data;

	for (size_t i = 0; i < value.len; i++)
		if ((p[i] < 0x20 && p[i] != '\t') || p[i] == 0x7f)
			return false;
	return value.len <= LIMIT_PLUGIN_HEADER_VALUE;
}

/* Headers that say how the message travels, or that carry credentials, are not the plugin's. */
static bool is_plugins(const struct json *json, json_node header)
{
	static const char *const taboo[] = {"Host",
					    "Content-Length",
					    "Transfer-Encoding",
					    "Connection",
					    "Upgrade",
					    "TE",
					    "Trailer",
					    "Expect",
					    "Accept-Encoding",
					    "Authorization",
					    "Cookie",
					    "Proxy-Authorization",
					    "Proxy-Connection",
					    "Keep-Alive",
					    NULL};
	const char *name = json_name(json, header);

	return !is_word(name, taboo) && is_token(name) && strlen(name) == json_key(json, header).len;
}

static void add_own_headers(struct fg_step *s, json_node headers, struct plugin_header_list *list)
{
	if (headers && json_kind(s->json, headers) != JSON_KIND_OBJECT)
		step_fault(s, "exchange(): headers must be an object of texts");
	for (json_node n = json_first(s->json, headers); n; n = json_next(s->json, n)) {
		const char *name = json_name(s->json, n);

		if (!is_plugins(s->json, n))
			step_fault(s, "exchange(): the header '%.64s' is not a plugin's to set", name);
		else if (!is_header_value(json_text(s->json, n)) || plugin_media_is_in(s, json_text(s->json, n)))
			step_fault(
				s,
				"exchange(): the value of the header '%.64s' holds control characters or is too long",
				name);
		else
			plugin_headers_add(s, list, plugin_answer_text(s->answer, json_key(s->json, n)),
					   plugin_answer_text(s->answer, json_text(s->json, n)), false);
	}
}

bool plugin_headers_are_plugins(struct fg_step *s, json_node headers)
{
	if (json_kind(s->json, headers) != JSON_KIND_OBJECT)
		return false;
	for (json_node n = json_first(s->json, headers); n; n = json_next(s->json, n))
		if (!is_plugins(s->json, n) || json_kind(s->json, n) != JSON_KIND_TEXT ||
		    !is_header_value(json_text(s->json, n)))
			return false;
	return true;
}

static bool has_header(const struct plugin_header_list *list, const char *name)
{
	for (size_t i = 0; i < list->n; i++)
		if (strcasecmp(list->headers[i].name, name) == 0)
			return true;
	return false;
}

static void add_fixed_headers(struct fg_step *s, struct plugin_header_list *list)
{
	const struct plugin_manifest *manifest = step_manifest(s);

	for (json_node n = json_first(manifest->json, manifest->headers); n; n = json_next(manifest->json, n))
		if (!has_header(list, json_name(manifest->json, n)))
			plugin_headers_add(s, list, plugin_answer_text(s->answer, json_key(manifest->json, n)),
					   plugin_answer_text(s->answer, json_text(manifest->json, n)), false);
}

/* What the provider wants beside a handle, as the upload reported it. */
static void add_handle_headers(struct fg_step *s, struct plugin_header_list *list)
{
	json_node headers = JSON_ABSENT;

	for (size_t i = 0; i < s->n_handles; i++) {
		const char *text = s->handles[i]->headers;

		if (!text || json_parse(s->json, bytes_of_text(text), JSON_DUPLICATES_REFUSE, &headers, NULL) != 0)
			continue;
		for (json_node n = json_first(s->json, headers); n; n = json_next(s->json, n))
			if (!has_header(list, json_name(s->json, n)))
				plugin_headers_add(s, list, plugin_answer_text(s->answer, json_key(s->json, n)),
						   plugin_answer_text(s->answer, json_text(s->json, n)), false);
	}
}

static void add_headers(struct fg_step *s, const struct fg_exchange *x, const char *type)
{
	struct plugin_exchange *exchange = &s->answer->exchange;
	struct plugin_header_list list = {0};

	if (x->headers && !step_owns(s, x->headers))
		return;
	add_own_headers(s, x->headers, &list);
	add_handle_headers(s, &list);
	if (type && !has_header(&list, "Content-Type"))
		plugin_headers_add(s, &list, "Content-Type", type, false);
	else if (type && x->body_kind == FG_BODY_MULTIPART)
		step_fault(s, "exchange(): the Content-Type of a multipart body is not a plugin's to set");
	if (is_operators(s, exchange->url))
		add_fixed_headers(s, &list);
	exchange->headers = list.headers;
	exchange->n_headers = list.n;
	/* Taken before the credential comes in, which may become part of the URL. */
	step_failed(s, plugin_exchange_fingerprint(exchange, s->input->idempotency_key, &exchange->fingerprint));
	if (x->auth)
		exchange->has_credential = plugin_credential_add(s, x->auth, &exchange->url, &list);
	exchange->headers = list.headers;
	exchange->n_headers = list.n;
}

static bool contains(struct bytes text, const char *key)
{
	return text.len && memmem(text.data, text.len, key, strlen(key)) != NULL;
}

/* The key must really travel: a resend under a key that was forgotten buys twice. */
static bool carries_key(const struct plugin_exchange *exchange, const char *key)
{
	bool found = contains(exchange->body, key) || contains(bytes_of_text(exchange->url), key);

	for (size_t i = 0; !found && i < exchange->n_headers; i++)
		found = contains(bytes_of_text(exchange->headers[i].value), key);
	for (size_t i = 0; !found && i < exchange->n_pieces; i++)
		found = contains(exchange->pieces[i].text, key);
	return found;
}

static void check_purchase(struct fg_step *s)
{
	const struct plugin_exchange *exchange = &s->answer->exchange;
	const char *key = s->input->idempotency_key;

	if (exchange->effect != PLUGIN_EFFECT_BUYS && exchange->effect != PLUGIN_EFFECT_BUYS_WITH_KEY)
		return;
	if (s->input->verb != PLUGIN_VERB_START)
		step_fault(s, "exchange(): only 'start' may buy; '%s' may not", plugin_verb_name(s->input->verb));
	else if (s->input->has_bought)
		step_fault(s, "exchange(): a second purchase in one attempt");
	if (exchange->effect != PLUGIN_EFFECT_BUYS_WITH_KEY)
		return;
	if (step_manifest(s)->key_window_ms == 0)
		step_fault(s, "exchange(): it buys with a key, but the manifest declares no idempotency");
	else if (!key || !*key || !carries_key(exchange, key))
		step_fault(s, "exchange(): it buys with a key, but the request does not carry it");
}

/* What this daemon does not carry out is refused, not left out. */
static void check_offered(struct fg_step *s, const struct fg_exchange *x)
{
	if (x->body_to)
		step_fault(s, "exchange(): this daemon cannot keep a reply's body yet; the manifest should require "
			      "'body_to'");
	if (x->flags & FG_EXCHANGE_LONG_POLL)
		step_fault(s,
			   "exchange(): this daemon holds no long polls yet; the manifest should require 'long_poll'");
	if (x->flags & ~FG_EXCHANGE_LONG_POLL)
		step_fault(s, "exchange(): there is no flag 0x%x", x->flags);
}

static void check_plain_fields(struct fg_step *s, const struct fg_exchange *x)
{
	static const char *const methods[] = {"GET", "POST", "PUT", "PATCH", "DELETE", NULL};
	size_t i = 0;

	while (x->method && methods[i] && strcmp(x->method, methods[i]) != 0)
		i++;
	if (!x->method || !methods[i])
		step_fault(s, "exchange(): '%.16s' is not a method", x->method ? x->method : "(NULL)");
	else if (strcmp(x->method, "GET") == 0 && x->body_kind != FG_BODY_NONE)
		step_fault(s, "exchange(): GET carries no body");
	if (x->effect >= _PLUGIN_EFFECT_N)
		step_fault(s, "exchange(): there is no effect %u", x->effect);
	if (x->phase == 0)
		step_fault(s, "exchange(): phase 0 begins a verb, the step that reads the reply needs another one");
	if (x->timeout_ms > LIMIT_PLUGIN_TIMEOUT_MS)
		step_fault(s, "exchange(): a time-out of %u ms is more than %d", x->timeout_ms,
			   LIMIT_PLUGIN_TIMEOUT_MS);
	step_owns(s, x->url);
	step_owns(s, x->body);
}

void plugin_exchange_build(struct fg_step *s, const struct fg_exchange *x)
{
	struct plugin_exchange *exchange = &s->answer->exchange;
	const char *type = NULL;

	check_plain_fields(s, x);
	check_offered(s, x);
	if (s->answer->fault)
		return;
	exchange->effect = (enum plugin_effect)x->effect;
	exchange->phase = x->phase;
	exchange->method = plugin_answer_text(s->answer, bytes_of_text(x->method));
	exchange->timeout_ms = x->timeout_ms;
	exchange->reply_limit_bytes = x->reply_limit_bytes;
	plugin_lift_build(s, x);
	exchange->url = plugin_target(s, json_text(s->json, x->url), "exchange()");
	if (!exchange->url)
		return;
	if (plugin_media_is_in(s, bytes_of_text(exchange->url)))
		step_fault(s, "exchange(): a URL carries no inputs");
	exchange->shown_url = plugin_shown(s, exchange->url);
	plugin_media_cut(s, plugin_body_build(s, x->body_kind, x->body, &type), exchange);
	add_headers(s, x, type);
	check_purchase(s);
}
