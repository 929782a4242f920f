/*
 * URLs as libcurl reads them, so that what was checked is what is connected to.
 */
#ifndef FG_HTTP_URL_H
#define FG_HTTP_URL_H

enum {
	_URL_E_OK,
	URL_E_INVALID, /* not an absolute http or https URL of at most LIMIT_HTTP_URL bytes, or one with a user name */
};

/* "https://host:port" in lower case, the port always said. Of all three: 0 and a text to free(), URL_E_INVALID, or
 * -ENOMEM. */
int url_origin(const char *url, char **ret);

/* The host of @url as it will be looked up, IPv6 in brackets. */
int url_host(const char *url, char **ret);

/* Where @location, absolute or relative, leads from @base. */
int url_resolve(const char *base, const char *location, char **ret);

#endif
