#include "sim/sim.h"

static const struct sim_provider *const providers[] = {&sim_heygen};

const struct sim_provider *sim_provider_of(const char *path)
{
	for (size_t i = 0; i < sizeof(providers) / sizeof(providers[0]); i++)
		if (strncmp(path, providers[i]->prefix, strlen(providers[i]->prefix)) == 0)
			return providers[i];
	return providers[0];
}

static bool is_match(const char *pattern, const char *path, struct sim_call *call)
{
	while (*pattern && *path) {
		size_t len;

		if (*pattern != '{') {
			if (*pattern++ != *path++)
				return false;
			continue;
		}
		len = strcspn(path, "/");
		if (len == 0 || len >= sizeof(call->id))
			return false;
		memcpy(call->id, path, len);
		call->id[len] = '\0';
		path += len;
		pattern += strcspn(pattern, "}") + 1;
	}
	return !*pattern && !*path;
}

const struct sim_route *sim_route_find(const struct sim_route *routes, const struct sim_request *request,
				       struct sim_call *call)
{
	/* Who answers GET answers HEAD: the transport leaves the body out. */
	const char *method = strcmp(request->method, "HEAD") == 0 ? "GET" : request->method;

	for (; routes->method; routes++) {
		call->id[0] = '\0';
		if (strcmp(routes->method, method) == 0 && is_match(routes->pattern, request->path, call))
			return routes;
	}
	return NULL;
}

/* splitmix64: https://prng.di.unimi.it/splitmix64.c */
static uint64_t mix(uint64_t x)
{
	x += 0x9e3779b97f4a7c15u;
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
	return x ^ (x >> 31);
}

int64_t sim_pick_ms(const struct sim *sim, const struct sim_range *range, uint64_t number, uint64_t salt)
{
	uint64_t width = (uint64_t)(range->max - range->min) + 1;

	return range->min + (int64_t)(mix(mix(mix((uint64_t)sim->options->seed) + number) + salt) % width);
}

int64_t sim_credit_left_micros(const struct sim *sim)
{
	return sim->credit_micros - sim_charges_micros(sim->charges);
}
