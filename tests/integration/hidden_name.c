/*
 * A name that only a look-up shows to be private, on every machine: preloaded into the daemon, this library says that
 * HIDDEN_NAME is this machine, and leaves every other name to the system.
 */
#include <dlfcn.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>

__attribute__((visibility("default"))) int getaddrinfo(const char *node, const char *service,
						       const struct addrinfo *hints, struct addrinfo **ret)
{
	/* ISO C has no cast from an object pointer to a function pointer; POSIX promises that the bytes agree. */
	int (*next)(const char *, const char *, const struct addrinfo *, struct addrinfo **);
	void *symbol = dlsym(RTLD_NEXT, "getaddrinfo");
	const char *hidden = getenv("HIDDEN_NAME");

	if (!symbol)
		abort();
	memcpy(&next, &symbol, sizeof(next));
	return next(node && hidden && strcmp(node, hidden) == 0 ? "127.0.0.1" : node, service, hints, ret);
}
