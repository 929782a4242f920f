/*
 * URLs as far as this room needs them: taking apart, resolving, escaping, and comparing origins. Strict where a
 * credential depends on it: scheme and authority have exactly one reading or the URL is refused.
 */
#ifndef FG_PLUGIN_URL_H
#define FG_PLUGIN_URL_H

#include "base/bytes.h"

enum {
	_PLUGIN_URL_E_OK,
	PLUGIN_URL_E_INVALID, /* not an http or https URL with a plain host, or longer than LIMIT_PLUGIN_URL */
	PLUGIN_URL_E_MISSING, /* has no such query parameter */
};

/* Views into the text it was parsed from. */
struct plugin_url {
	bool is_https;
	struct bytes host; /* an IPv6 address with its brackets */
	uint32_t port;
	struct bytes authority;
	struct bytes path;  /* empty or beginning with a slash */
	struct bytes query; /* without its question mark */
	bool has_query;
};

/* An absolute URL without user name. Anything behind # is left out. */
int plugin_url_parse(struct bytes text, struct plugin_url *ret);
/* Appends "https://host:port" in lower case, the port always said. 0, PLUGIN_URL_E_INVALID or negative errno. */
int plugin_url_origin(struct bytes text, struct buffer *out);
/*
 * Appends what @reference means to somebody who stands at @base (RFC 3986, section 5.2). Bytes that no URL may
 * contain are percent-encoded; control characters are refused. 0, PLUGIN_URL_E_INVALID or negative errno.
 */
int plugin_url_resolve(struct bytes base, struct bytes reference, struct buffer *out);
/* Appends @text with everything but unreserved characters percent-encoded. */
int plugin_url_escape(struct bytes text, struct buffer *out);
/* Appends the decoded value of the first query parameter @name. 0, PLUGIN_URL_E_MISSING or negative errno. */
int plugin_url_query(struct bytes text, struct bytes name, struct buffer *out);

#endif
