/*
 * Which names of this daemon, and which other sites, a request may come with. A browser sends a user's requests for any
 * site that the user looks at, and resolves that site's own names to any address: so the daemon answers to its own names
 * only, and to pages of its own or of configured origins. Pure.
 */
#ifndef FG_WEB_GUARD_H
#define FG_WEB_GUARD_H

#include <stdbool.h>
#include <stddef.h>

/* What other origins may send, and may read, beside what browsers allow everybody. */
#define GUARD_ALLOWED_HEADERS                                                                                        \
	"Content-Type, Connect-Protocol-Version, Connect-Timeout-Ms, Last-Event-ID, X-Request-Id, Idempotency-Key, " \
	"Range, Authorization, X-Stainless-Arch, X-Stainless-Lang, X-Stainless-OS, X-Stainless-Package-Version, "    \
	"X-Stainless-Retry-Count, X-Stainless-Runtime, X-Stainless-Runtime-Version, X-Stainless-Timeout"
#define GUARD_EXPOSED_HEADERS "X-Request-Id, ETag, Content-Range, Retry-After, Idempotency-Replayed, X-Should-Retry"

struct guard_list {
	const char *const *items;
	size_t n;
};

/* Does @host, a Host header (NULL: none), name a loopback address, localhost, or one of @names? The port is anybody's. */
bool guard_is_host(const struct guard_list *names, const char *host);
/* Is @origin, an Origin header, http or https of just this Host? */
bool guard_is_same_origin(const char *host, const char *origin);
/* The configured one that it is; NULL: it is none. */
const char *guard_find_origin(const struct guard_list *origins, const char *origin);

#endif
