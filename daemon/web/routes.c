#include "web/routes.h"

#include "api/link.h"
#include "base/limits.h"

#include <string.h>

#define READ "GET, HEAD"

/* /v1/jobs/{id}/… */
static void run_job(struct exchange *exchange)
{
	const char *behind = strchr(exchange_path(exchange) + strlen("/v1/jobs/"), '/');

	if (behind && strncmp(behind, "/artifacts/", strlen("/artifacts/")) == 0)
		run_job_artifact(exchange);
	else
		run_job_events(exchange);
}

static const struct route routes[] = {
	{.path = PAGE_PATH, .methods = READ, .run = run_page_file},
	{.path = "/livez", .methods = READ, .is_public = true, .is_health = true, .run = run_life},
	{.path = "/readyz", .methods = READ, .is_public = true, .is_health = true, .run = run_readiness},
	{.path = "/metrics", .methods = READ, .run = run_metrics},
	{.path = "/v1/events", .methods = "GET", .run = run_events},
	{.path = "/v1/jobs/", .methods = READ, .run = run_job},
	{.path = "/v1/artifacts/", .methods = READ, .run = run_artifact},
	{.path = "/v1/assets", .methods = "POST", .max_body = LIMIT_WEB_FORM, .run = run_upload},
	{.path = "/v1/videos", .methods = "GET, HEAD, POST", .max_body = LIMIT_WEB_FORM, .run = run_videos},
	{.path = "/v1/videos/", .methods = "GET, HEAD, DELETE", .run = run_video},
	/* HeyGen looks by OPTIONS whether there is somebody. */
	{.path = "/v1/webhooks/",
	 .methods = "POST, OPTIONS",
	 .max_body = LIMIT_WEB_HINT,
	 .is_public = true,
	 .run = run_hint},
	{.path = LINK_PATH, .methods = READ, .is_public = true, .is_key = true, .run = run_link},
};

/* That path alone, though it ends with a slash. */
static const struct route page_route = {.path = "/", .methods = READ, .run = run_page};

/* One for every service, "/filmgate.v1.JobService/…": what comes behind is looked up by who answers. */
static const struct route connect_route = {
	.path = "/filmgate.v1.", .methods = "POST", .max_body = LIMIT_RPC_MESSAGE + 5, .run = run_connect};

static bool is_path(const struct route *route, const char *path)
{
	size_t len = strlen(route->path);

	return route->path[len - 1] == '/' ? strncmp(path, route->path, len) == 0 : strcmp(path, route->path) == 0;
}

const struct route *route_find(const char *path)
{
	if (strcmp(path, page_route.path) == 0)
		return &page_route;
	for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++)
		if (is_path(&routes[i], path))
			return &routes[i];
	return strncmp(path, connect_route.path, strlen(connect_route.path)) == 0 ? &connect_route : NULL;
}

const char *route_words(void)
{
	return "/, /livez, /readyz, /metrics, /v1/events, /v1/jobs/{id}/events, "
	       "/v1/jobs/{id}/artifacts/{n}, /v1/videos, /v1/assets, " LINK_PATH
	       "{token}, /v1/webhooks/{provider}, and /filmgate.v1.{service}/{method} for "
	       "every method";
}
