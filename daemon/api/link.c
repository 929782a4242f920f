/*
 * filmgate.v1.ArtifactService.CreateArtifactLink. A link carries what it says, and a signature under the store's own key.
 */
#include "api/link.h"

#include "api/check.h"
#include "api/convert.h"
#include "api/inside.h"
#include "api/methods.h"
#include "api/text.h"
#include "api/token.h"
#include "base/limits.h"

#include <filmgate/v1/artifact_service.pb-c.h>

int link_read(const struct api *api, const char *token, struct link *ret)
{
	struct token_link link;

	if (token_read_link(api->link_key, token, &link) != 0)
		return LINK_E_FORGED;
	*ret = (struct link){.ref = link.ref, .index = link.index, .until_ms = link.until_s * 1000};
	return clock_utc_ms(api->clock) < ret->until_ms ? 0 : LINK_E_EXPIRED;
}

struct asked {
	struct call *call;
	const char *name;
	struct token_link link;
};

static char *write_url(struct arena *arena, const struct api *api, const struct token_link *link)
{
	size_t base = api->link_base ? strlen(api->link_base) : 0;
	char *url = arena_need(arena, base + strlen(LINK_PATH) + TOKEN_LINK_SIZE);

	if (base)
		memcpy(url, api->link_base, base);
	memcpy(url + base, LINK_PATH, strlen(LINK_PATH));
	token_write_link(api->link_key, link, url + base + strlen(LINK_PATH));
	return url;
}

static void on_view(void *userdata, int outcome, const struct engine_error *error, struct job_view *take, bool replayed)
{
	Filmgate__V1__CreateArtifactLinkResponse response = FILMGATE__V1__CREATE_ARTIFACT_LINK_RESPONSE__INIT;
	const struct engine_error none = {.text = "the job has no such artifact"};
	const struct job_artifact *artifact;
	struct asked *asked = userdata;
	struct call *call = asked->call;

	(void)replayed;
	if (outcome) {
		call_fail_engine(call, outcome, error, RESOURCE_ARTIFACT, asked->name);
		return;
	}
	artifact = job_find_artifact(take->status, asked->link.index);
	if (artifact) {
		response.url = write_url(&call->arena, call->api, &asked->link);
		response.expire_time = timestamp_of(&call->arena, asked->link.until_s * 1000);
		response.artifact = convert_artifact(&call->arena, &asked->link.ref.id, artifact);
		call_reply(call, &response.base);
	} else {
		call_fail_engine(call, ENGINE_E_NOT_FOUND, &none, RESOURCE_ARTIFACT, asked->name);
	}
	job_view_finish(take);
}

static int64_t check_ttl(const Google__Protobuf__Duration *ttl, struct violations *violations)
{
	if (!ttl)
		return LIMIT_API_LINK_S;
	if (ttl->seconds >= 1 && ttl->seconds <= LIMIT_API_LINK_MAX_S && ttl->nanos == 0)
		return ttl->seconds;
	violations_add(violations, "ttl",
		       "%lld s and %d ns are not possible; 1 s to 30 days (%d s) in whole seconds are",
		       (long long)ttl->seconds, ttl->nanos, LIMIT_API_LINK_MAX_S);
	return 0;
}

void handle_create_artifact_link(struct call *call, const void *message)
{
	const Filmgate__V1__CreateArtifactLinkRequest *request = message;
	struct asked *asked = arena_need(&call->arena, sizeof(*asked));
	struct violations violations = {.arena = &call->arena};
	int64_t now_s = clock_utc_ms(call->api->clock) / 1000;

	*asked = (struct asked){.call = call, .name = request->name};
	check_artifact_name("name", request->name, &violations, &asked->link.ref, &asked->link.index);
	asked->link.until_s = now_s + check_ttl(request->ttl, &violations);
	if (call_refuse(call, &violations))
		return;
	engine_get_job(call->api->engine, &asked->link.ref, on_view, asked);
}
