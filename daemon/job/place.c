#include "job/place.h"

#include "base/err.h"

#include <ctype.h>
#include <stdlib.h>
#include <strings.h>

static int add_lower(struct buffer *out, struct bytes text)
{
	const char *p = text.data;
	int r = 0;

	for (size_t i = 0; r == 0 && i < text.len; i++) {
		char c = (char)tolower((unsigned char)p[i]);

		r = buffer_append(out, &c, 1);
	}
	return r;
}

/* The colon before the port, or the end: that of an IPv6 address lies within brackets. */
static const char *end_of_host(const char *host, const char *end)
{
	const char *p = end;

	while (p > host && isdigit((unsigned char)p[-1]))
		p--;
	return p > host && p[-1] == ':' ? p - 1 : end;
}

static int add_authority(struct buffer *out, const char *host, const char *end, unsigned long default_port)
{
	const char *colon = end_of_host(host, end);
	const char *behind = colon > host && colon[-1] == '.' ? colon - 1 : colon;
	unsigned long port = colon < end - 1 ? strtoul(colon + 1, NULL, 10) : default_port;
	int r = add_lower(out, bytes_of(host, (size_t)(behind - host)));

	return r < 0 ? r : buffer_printf(out, ":%lu", port);
}

int job_place_of(const char *base_url, struct digest *ret)
{
	_cleanup_(buffer_finish) struct buffer out = {0};
	const char *mark = strstr(base_url, "://");
	const char *host = mark ? mark + 3 : base_url;
	const char *path = host + strcspn(host, "/");
	const char *end = path + strlen(path);
	int r;

	while (end > path && end[-1] == '/')
		end--;
	r = add_lower(&out, bytes_of(base_url, (size_t)(host - base_url)));
	if (r == 0)
		r = add_authority(&out, host, path, strncasecmp(base_url, "http:", 5) == 0 ? 80 : 443);
	if (r == 0)
		r = buffer_append(&out, path, (size_t)(end - path));
	if (r < 0)
		return r;
	*ret = digest_of(buffer_bytes(&out));
	return 0;
}
