#include "plugin/url.h"

#include "base/err.h"
#include "base/limits.h"

#include <ctype.h>

static const char *bytes_end(struct bytes bytes)
{
	return (const char *)bytes.data + bytes.len;
}

static bool starts_with(struct bytes text, const char *prefix)
{
	size_t len = strlen(prefix);

	return text.len >= len && strncasecmp(text.data, prefix, len) == 0;
}

static struct bytes skip(struct bytes text, size_t n)
{
	return bytes_of((const char *)text.data + n, text.len - n);
}

/* The length of what stands before the first of @stops. */
static size_t span_to(struct bytes text, const char *stops)
{
	const char *p = text.data;
	size_t n = 0;

	while (n < text.len && !(p[n] && strchr(stops, p[n])))
		n++;
	return n;
}

static bool is_all(struct bytes text, const char *allowed)
{
	const char *p = text.data;

	for (size_t i = 0; i < text.len; i++)
		if (!isalnum((unsigned char)p[i]) && !(p[i] && strchr(allowed, p[i])))
			return false;
	return true;
}

static int parse_port(struct bytes text, uint32_t *ret)
{
	uint32_t port = 0;

	if (text.len == 0 || text.len > 5)
		return PLUGIN_URL_E_INVALID;
	for (size_t i = 0; i < text.len; i++) {
		char c = ((const char *)text.data)[i];

		if (c < '0' || c > '9')
			return PLUGIN_URL_E_INVALID;
		port = port * 10 + (uint32_t)(c - '0');
	}
	if (port == 0 || port > 65535)
		return PLUGIN_URL_E_INVALID;
	*ret = port;
	return 0;
}

/* "[::1]:80", "host:80", "host". A user name is refused with everything else that holds an @. */
static int parse_authority(struct plugin_url *url)
{
	struct bytes text = url->authority;
	size_t host = text.len && *(const char *)text.data == '[' ? span_to(text, "]") + 1 : span_to(text, ":");

	if (host == 0 || host > text.len || host > 255)
		return PLUGIN_URL_E_INVALID;
	url->host = bytes_of(text.data, host);
	if (*(const char *)text.data == '[') {
		if (host < 4 || !is_all(bytes_of((const char *)text.data + 1, host - 2), ":."))
			return PLUGIN_URL_E_INVALID;
	} else if (!is_all(url->host, ".-_")) {
		return PLUGIN_URL_E_INVALID;
	}
	url->port = url->is_https ? 443 : 80;
	if (host == text.len)
		return 0;
	if (((const char *)text.data)[host] != ':')
		return PLUGIN_URL_E_INVALID;
	return parse_port(skip(text, host + 1), &url->port);
}

static bool has_control(struct bytes text)
{
	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = ((const unsigned char *)text.data)[i];

		if (c < 0x20 || c == 0x7f)
			return true;
	}
	return false;
}

int plugin_url_parse(struct bytes text, struct plugin_url *ret)
{
	struct plugin_url url = {.is_https = starts_with(text, "https://")};
	size_t n;

	if (text.len > LIMIT_PLUGIN_URL || has_control(text) || (!url.is_https && !starts_with(text, "http://")))
		return PLUGIN_URL_E_INVALID;
	text = skip(text, url.is_https ? 8 : 7);
	text.len = span_to(text, "#");

	n = span_to(text, "/?");
	url.authority = bytes_of(text.data, n);
	text = skip(text, n);
	n = span_to(text, "?");
	url.path = bytes_of(text.data, n);
	text = skip(text, n);
	url.has_query = text.len > 0;
	url.query = url.has_query ? skip(text, 1) : text;

	if (parse_authority(&url))
		return PLUGIN_URL_E_INVALID;
	*ret = url;
	return 0;
}

int plugin_url_origin(struct bytes text, struct buffer *out)
{
	struct plugin_url url;
	size_t start = out->len;
	int r = plugin_url_parse(text, &url);

	if (r)
		return r;
	r = buffer_printf(out, "%s://%.*s:%u", url.is_https ? "https" : "http", (int)url.host.len,
			  (const char *)url.host.data, url.port);
	for (size_t i = start; r == 0 && i < out->len; i++)
		out->data[i] = (char)tolower((unsigned char)out->data[i]);
	return r;
}

/* What may stand in a path or query; the rest is written as %XX. */
static int append_encoded(struct buffer *out, struct bytes text)
{
	const char *p = text.data;
	int r = 0;

	for (size_t i = 0; r == 0 && i < text.len; i++) {
		unsigned char c = (unsigned char)p[i];

		if (isalnum(c) || (c && strchr("-._~!$&'()*+,;=:@/?%", c)))
			r = buffer_append(out, &p[i], 1);
		else
			r = buffer_printf(out, "%%%02X", c);
	}
	return r;
}

/* Cuts the last segment of the path that begins at @start. */
static void drop_segment(struct buffer *out, size_t start)
{
	while (out->len > start && out->data[out->len - 1] != '/')
		out->len--;
	if (out->len > start)
		out->len--;
	out->data[out->len] = '\0';
}

/* Appends a path without its "." and ".." segments; RFC 3986, section 5.2.4, for paths that begin with a slash. */
static int append_path(struct buffer *out, struct bytes path)
{
	size_t start = out->len;
	int r = 0;

	while (r == 0 && path.len) {
		size_t n = 1 + span_to(skip(path, 1), "/");
		struct bytes segment = bytes_of((const char *)path.data + 1, n - 1);
		bool is_last = n == path.len;
		bool is_dot = bytes_equal(segment, bytes_of_text("."));
		bool is_up = bytes_equal(segment, bytes_of_text(".."));

		if (is_up)
			drop_segment(out, start);
		if (is_dot || is_up)
			r = is_last ? buffer_append(out, "/", 1) : 0;
		else
			r = append_encoded(out, bytes_of(path.data, n));
		path = skip(path, n);
	}
	return r;
}

static bool has_scheme(struct bytes text)
{
	size_t n = span_to(text, ":/?#");

	return n > 0 && n < text.len && ((const char *)text.data)[n] == ':' &&
	       isalpha(*(const unsigned char *)text.data) && is_all(bytes_of(text.data, n), "+-.");
}

static int append_target(bool is_https, const struct plugin_url *target, struct bytes before, struct buffer *out)
{
	_cleanup_(buffer_finish) struct buffer path = {.limit = 2 * LIMIT_PLUGIN_URL};
	int r;

	/* Merging is gluing: what stands before the last slash of the base, then the reference's own path. */
	r = buffer_append(&path, before.data, before.len);
	if (r == 0)
		r = buffer_append(&path, target->path.data, target->path.len);
	if (r == 0 && (path.len == 0 || path.data[0] != '/'))
		return PLUGIN_URL_E_INVALID;
	if (r == 0)
		r = buffer_printf(out, "%s://%.*s", is_https ? "https" : "http", (int)target->authority.len,
				  (const char *)target->authority.data);
	if (r == 0)
		r = append_path(out, buffer_bytes(&path));
	if (r == 0 && target->has_query) {
		r = buffer_append(out, "?", 1);
		if (r == 0)
			r = append_encoded(out, target->query);
	}
	return r;
}

static int resolve_absolute(struct bytes text, struct buffer *out)
{
	struct plugin_url url;
	int r = plugin_url_parse(text, &url);

	if (r)
		return r;
	if (url.path.len == 0)
		url.path = bytes_of("/", 1);
	return append_target(url.is_https, &url, bytes_of("", 0), out);
}

static int resolve_relative(const struct plugin_url *base, struct bytes reference, struct buffer *out)
{
	struct plugin_url target = *base;
	struct bytes before = bytes_of("", 0);
	size_t path = span_to(reference, "?");

	if (reference.len == 0)
		return append_target(base->is_https, base, base->path.len ? before : bytes_of("/", 1), out);
	if (path == 0) {
		before = base->path.len ? before : bytes_of("/", 1);
	} else {
		target.path = bytes_of(reference.data, path);
		if (*(const char *)reference.data != '/') {
			before = base->path;
			while (before.len && bytes_end(before)[-1] != '/')
				before.len--;
			if (before.len == 0)
				before = bytes_of("/", 1);
		}
	}
	target.has_query = path < reference.len;
	target.query = target.has_query ? skip(reference, path + 1) : bytes_of("", 0);
	return append_target(base->is_https, &target, before, out);
}

int plugin_url_resolve(struct bytes base, struct bytes reference, struct buffer *out)
{
	_cleanup_(buffer_finish) struct buffer absolute = {.limit = LIMIT_PLUGIN_URL + 8};
	struct plugin_url from;
	int r;

	if (reference.len > LIMIT_PLUGIN_URL || has_control(reference))
		return PLUGIN_URL_E_INVALID;
	if (has_scheme(reference))
		return resolve_absolute(reference, out);
	r = plugin_url_parse(base, &from);
	if (r)
		return r;
	if (!starts_with(reference, "//")) {
		reference.len = span_to(reference, "#");
		return resolve_relative(&from, reference, out);
	}
	r = buffer_append_text(&absolute, from.is_https ? "https:" : "http:");
	if (r == 0)
		r = buffer_append(&absolute, reference.data, reference.len);
	return r ? r : resolve_absolute(buffer_bytes(&absolute), out);
}

int plugin_url_escape(struct bytes text, struct buffer *out)
{
	const char *p = text.data;
	int r = 0;

	for (size_t i = 0; r == 0 && i < text.len; i++) {
		unsigned char c = (unsigned char)p[i];

		if (isalnum(c) || (c && strchr("-._~", c)))
			r = buffer_append(out, &p[i], 1);
		else
			r = buffer_printf(out, "%%%02X", c);
	}
	return r;
}

static int append_decoded(struct bytes text, struct buffer *out)
{
	const char *p = text.data;
	int r = 0;

	for (size_t i = 0; r == 0 && i < text.len; i++) {
		char c = p[i] == '+' ? ' ' : p[i];

		if (c == '%' && i + 2 < text.len && bytes_hex_value(p[i + 1]) >= 0 && bytes_hex_value(p[i + 2]) >= 0) {
			c = (char)(bytes_hex_value(p[i + 1]) << 4 | bytes_hex_value(p[i + 2]));
			i += 2;
		}
		r = buffer_append(out, &c, 1);
	}
	return r;
}

int plugin_url_query(struct bytes text, struct bytes name, struct buffer *out)
{
	size_t question = span_to(text, "?#");
	struct bytes query;

	if (question == text.len || ((const char *)text.data)[question] != '?')
		return PLUGIN_URL_E_MISSING;
	query = skip(text, question + 1);
	query.len = span_to(query, "#");
	while (query.len) {
		size_t n = span_to(query, "&");
		struct bytes pair = bytes_of(query.data, n);
		size_t equals = span_to(pair, "=");

		if (bytes_equal(bytes_of(pair.data, equals), name))
			return append_decoded(equals < n ? skip(pair, equals + 1) : bytes_of("", 0), out);
		query = skip(query, n < query.len ? n + 1 : n);
	}
	return PLUGIN_URL_E_MISSING;
}
