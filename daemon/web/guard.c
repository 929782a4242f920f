#include "web/guard.h"

#include <string.h>
#include <strings.h>

/* Of "name", "name:port" and "[::1]:port" what comes before the port; 0: it is none of them. */
static size_t name_length(const char *host)
{
	size_t len = *host == '[' ? strcspn(host, "]") + 1 : strcspn(host, ":");
	const char *port;

	if (len > strlen(host))
		return 0;
	port = host + len;
	if (*port && (*port != ':' || strspn(port + 1, "0123456789") != strlen(port + 1)))
		return 0;
	return len;
}

static bool is_loopback(const char *name, size_t len)
{
	if (len == strlen("localhost") && strncasecmp(name, "localhost", len) == 0)
		return true;
	if (len == strlen("[::1]") && memcmp(name, "[::1]", len) == 0)
		return true;
	return strncmp(name, "127.", 4) == 0 && strspn(name, "0123456789.") == len;
}

bool guard_is_host(const struct guard_list *names, const char *host)
{
	size_t len = host ? name_length(host) : 0;

	if (len == 0)
		return false;
	for (size_t i = 0; i < names->n; i++)
		if (strlen(names->items[i]) == len && strncasecmp(names->items[i], host, len) == 0)
			return true;
	return is_loopback(host, len);
}

bool guard_is_same_origin(const char *host, const char *origin)
{
	const char *name = strncmp(origin, "https://", 8) == 0  ? origin + 8
			   : strncmp(origin, "http://", 7) == 0 ? origin + 7
								: NULL;

	return host && name && strcasecmp(host, name) == 0;
}

const char *guard_find_origin(const struct guard_list *origins, const char *origin)
{
	for (size_t i = 0; i < origins->n; i++)
		if (strcasecmp(origins->items[i], origin) == 0)
			return origins->items[i];
	return NULL;
}
