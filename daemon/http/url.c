#include "http/url.h"

#include "base/err.h"
#include "base/limits.h"
#include "http/address.h"
#include "http/http.h"

#include <ctype.h>
#include <curl/curl.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

static void url_cleanup(CURLU **url)
{
	curl_url_cleanup(*url);
}

static void curl_freep(char **text)
{
	curl_free(*text);
}

static int outcome_of(CURLUcode code)
{
	return code == CURLUE_OK ? 0 : code == CURLUE_OUT_OF_MEMORY ? err_origin(-ENOMEM) : URL_E_INVALID;
}

/* One part of @url as memory of our own allocator. */
static int get_part(CURLU *url, CURLUPart part, unsigned int flags, char **ret)
{
	_cleanup_(curl_freep) char *text = NULL;
	int r = outcome_of(curl_url_get(url, part, &text, flags));

	if (r != 0)
		return r;
	*ret = strdup(text);
	return *ret ? 0 : err_origin(-ENOMEM);
}

/* Is it http or https, with a host and nobody's name? */
static int check_parts(CURLU *url)
{
	_cleanup_(freep) char *scheme = NULL;
	_cleanup_(freep) char *host = NULL;
	_cleanup_(freep) char *user = NULL;
	int r;

	r = get_part(url, CURLUPART_SCHEME, 0, &scheme);
	if (r != 0)
		return r;
	if (strcmp(scheme, "http") != 0 && strcmp(scheme, "https") != 0)
		return URL_E_INVALID;
	r = get_part(url, CURLUPART_HOST, 0, &host);
	if (r != 0)
		return r;
	if (*host == '\0')
		return URL_E_INVALID;

	r = get_part(url, CURLUPART_USER, 0, &user);
	if (r < 0)
		return r;
	return r == 0 ? URL_E_INVALID : 0;
}

/* libcurl forgives "https:/host", "https:///host" and more; a stricter reader would see another host, or none. */
static bool begins_strictly(const char *url)
{
	size_t len = strncasecmp(url, "https://", 8) == 0 ? 8 : strncasecmp(url, "http://", 7) == 0 ? 7 : 0;

	return len && url[len] && !strchr("/\\?#", url[len]);
}

static int parse(const char *base, const char *location, CURLU **ret)
{
	_cleanup_(url_cleanup) CURLU *url = curl_url();
	int r;

	if (!url)
		return err_origin(-ENOMEM);
	if (!begins_strictly(base) || strlen(base) > LIMIT_HTTP_URL || (location && strlen(location) > LIMIT_HTTP_URL))
		return URL_E_INVALID;
	r = outcome_of(curl_url_set(url, CURLUPART_URL, base, CURLU_PATH_AS_IS));
	if (r == 0 && location)
		r = outcome_of(curl_url_set(url, CURLUPART_URL, location, CURLU_URLENCODE));
	if (r == 0)
		r = check_parts(url);
	if (r != 0)
		return r;
	*ret = steal(url);
	return 0;
}

int url_host(const char *text, char **ret)
{
	_cleanup_(url_cleanup) CURLU *url = NULL;
	int r = parse(text, NULL, &url);

	return r != 0 ? r : get_part(url, CURLUPART_HOST, 0, ret);
}

bool http_url_is_private(const char *url)
{
	_cleanup_(freep) char *host = NULL;

	return url_host(url, &host) == 0 && address_text_is_private(host);
}

static bool is_ascii(const char *text)
{
	while (*text && !(*text & 0x80))
		text++;
	return *text == '\0';
}

/* An address with letters beyond ASCII may turn into digits and dots, or into localhost, where somebody unfolds it. */
enum http_reach http_url_reach(const char *url)
{
	_cleanup_(freep) char *host = NULL;

	if (url_host(url, &host) != 0 || !is_ascii(host))
		return HTTP_REACH_UNREADABLE;
	return address_text_is_private(host) || address_name_is_private(host) ? HTTP_REACH_PRIVATE : HTTP_REACH_PUBLIC;
}

int url_resolve(const char *base, const char *location, char **ret)
{
	_cleanup_(url_cleanup) CURLU *url = NULL;
	int r = parse(base, location, &url);

	return r != 0 ? r : get_part(url, CURLUPART_URL, 0, ret);
}

int url_origin(const char *text, char **ret)
{
	_cleanup_(url_cleanup) CURLU *url = NULL;
	_cleanup_(freep) char *scheme = NULL;
	_cleanup_(freep) char *host = NULL;
	_cleanup_(freep) char *port = NULL;
	char *origin;
	int r = parse(text, NULL, &url);

	if (r == 0)
		r = get_part(url, CURLUPART_SCHEME, 0, &scheme);
	if (r == 0)
		r = get_part(url, CURLUPART_HOST, 0, &host);
	if (r == 0)
		r = get_part(url, CURLUPART_PORT, CURLU_DEFAULT_PORT, &port);
	if (r != 0)
		return r;

	for (char *c = host; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	if (asprintf(&origin, "%s://%s:%s", scheme, host, port) < 0)
		return err_origin(-ENOMEM);
	*ret = origin;
	return 0;
}
