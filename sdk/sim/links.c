#include "sim/links.h"

#include "base/digest.h"
#include "base/err.h"

#include <assert.h>
#include <sys/random.h>

struct sim_links {
	char *base;
	uint64_t serial;
	uint8_t secret[32];
};

struct signature {
	char text[DIGEST_TEXT_SIZE];
};

int sim_links_new(const char *base, struct sim_links **ret)
{
	_cleanup_(sim_links_freep) struct sim_links *links = calloc(1, sizeof(*links));
	ssize_t n;

	if (!links)
		return err_origin(-ENOMEM);
	links->base = strdup(base);
	if (!links->base)
		return err_origin(-ENOMEM);
	n = getrandom(links->secret, sizeof(links->secret), 0);
	assert(n == (ssize_t)sizeof(links->secret));

	*ret = steal(links);
	return 0;
}

struct sim_links *sim_links_free(struct sim_links *links)
{
	if (!links)
		return NULL;
	free(links->base);
	free(links);
	return NULL;
}

void sim_links_freep(struct sim_links **links)
{
	sim_links_free(*links);
}

/* The secret on both sides of the text, so that a digest cannot be continued. */
static struct signature sign(const struct sim_links *links, const char *path, const char *expires, const char *serial)
{
	struct signature signature;
	struct buffer all = {0};
	struct digest digest;

	buffer_append(&all, links->secret, sizeof(links->secret));
	buffer_printf(&all, "\n%s\n%s\n%s\n", path, expires, serial);
	buffer_append(&all, links->secret, sizeof(links->secret));
	digest = digest_of(buffer_bytes(&all));
	digest_format(&digest, signature.text);
	buffer_finish(&all);
	return signature;
}

char *sim_links_sign(struct sim_links *links, const char *id, const char *name, int64_t expires_s)
{
	char path[160], expires[24], serial[24];
	char *link;

	snprintf(path, sizeof(path), "/files/%s/%s", id, name);
	snprintf(expires, sizeof(expires), "%lld", (long long)expires_s);
	snprintf(serial, sizeof(serial), "%llu", (unsigned long long)++links->serial);
	if (asprintf(&link, "%s%s?Expires=%s&Serial=%s&Signature=%s", links->base, path, expires, serial,
		     sign(links, path, expires, serial).text) < 0)
		return NULL;
	return link;
}

int sim_links_check(const struct sim_links *links, const struct sim_request *request, int64_t now_s)
{
	const char *expires = sim_fields_find(&request->query, "Expires");
	const char *serial = sim_fields_find(&request->query, "Serial");
	const char *signature = sim_fields_find(&request->query, "Signature");

	if (!expires || !serial || !signature)
		return SIM_LINKS_E_FORGED;
	if (strcmp(sign(links, request->path, expires, serial).text, signature) != 0)
		return SIM_LINKS_E_FORGED;
	return strtoll(expires, NULL, 10) <= now_s ? SIM_LINKS_E_EXPIRED : 0;
}
