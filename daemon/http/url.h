/*
 * URLs as libcurl reads them, so that what was checked is what is connected to.
 */
#ifndef FG_HTTP_URL_H
#define FG_HTTP_URL_H

/* The host of @url as it will be looked up, IPv6 in brackets. Outcomes as http_url_origin(). */
int url_host(const char *url, char **ret);

/* Where @location, absolute or relative, leads from @base. Outcomes as http_url_origin(). */
int url_resolve(const char *base, const char *location, char **ret);

#endif
