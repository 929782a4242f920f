/*
 * filmgate.v1.AssetService but for the upload, which is in upload.c.
 */
#include "api/methods.h"

#include "api/check.h"
#include "api/convert.h"
#include "api/inside.h"
#include "api/token.h"
#include "base/limits.h"
#include "base/quote.h"

#include <filmgate/v1/asset_service.pb-c.h>

struct asset_call {
	struct call *call;
	const char *name;
	struct digest sha256;
	uint32_t wanted;
};

/* NULL when the name is none; then the call is answered. */
static struct asset_call *begin(struct call *call, const char *name)
{
	struct asset_call *asked = arena_need(&call->arena, sizeof(*asked));

	*asked = (struct asset_call){.call = call, .name = name};
	if (asset_name_parse(bytes_of_text(name), &asked->sha256))
		return asked;
	call_fail_field(call, "name", "'%s' is not an asset; write assets/ and the 64 lower-case digits of its SHA-256",
			quote(name).text);
	return NULL;
}

static void on_asset(void *userdata, int outcome, const struct engine_error *error, const struct asset *asset,
		     bool existed)
{
	Filmgate__V1__GetAssetResponse response = FILMGATE__V1__GET_ASSET_RESPONSE__INIT;
	struct asset_call *asked = userdata;

	(void)existed;
	if (outcome) {
		call_fail_engine(asked->call, outcome, error, RESOURCE_ASSET, asked->name);
		return;
	}
	response.asset = convert_asset(&asked->call->arena, asset);
	call_reply(asked->call, &response.base);
}

void handle_get_asset(struct call *call, const void *message)
{
	const Filmgate__V1__GetAssetRequest *request = message;
	struct asset_call *asked = begin(call, request->name);

	if (asked)
		engine_get_asset(call->api->engine, JOB_TENANT_DEFAULT, &asked->sha256, on_asset, asked);
}

static void on_deleted(void *userdata, int outcome, const struct engine_error *error)
{
	Filmgate__V1__DeleteAssetResponse response = FILMGATE__V1__DELETE_ASSET_RESPONSE__INIT;
	struct asset_call *asked = userdata;

	if (outcome)
		call_fail_engine(asked->call, outcome, error, RESOURCE_ASSET, asked->name);
	else
		call_reply(asked->call, &response.base);
}

void handle_delete_asset(struct call *call, const void *message)
{
	const Filmgate__V1__DeleteAssetRequest *request = message;
	struct asset_call *asked = begin(call, request->name);

	if (asked)
		engine_delete_asset(call->api->engine, JOB_TENANT_DEFAULT, &asked->sha256, on_deleted, asked);
}

/* ---- ListAssets ---- */

/* Assets are small: a whole page is far below what a reply may have. */
_Static_assert(LIMIT_RPC_PAGE * 1024 < LIMIT_RPC_MESSAGE, "a page of assets fits into one reply");

static struct digest list_digest(void)
{
	return digest_of(bytes_of_text("filmgate.assets/1"));
}

static void on_listed(void *userdata, int outcome, struct asset *assets, size_t n, bool more)
{
	Filmgate__V1__ListAssetsResponse response = FILMGATE__V1__LIST_ASSETS_RESPONSE__INIT;
	struct asset_call *asked = userdata;
	struct digest digest = list_digest();
	char token[TOKEN_TEXT_SIZE];

	if (outcome) {
		call_fail_engine(asked->call, outcome > 0 ? ENGINE_E_STORE : outcome, NULL, RESOURCE_NONE, NULL);
		return;
	}
	response.assets = arena_need_pointers(&asked->call->arena, n);
	for (size_t i = 0; i < n; i++)
		response.assets[response.n_assets++] = convert_asset(&asked->call->arena, &assets[i]);
	if (more && n) {
		token_write_page(&assets[n - 1].id, &digest, token);
		response.next_page_token = token;
	}
	call_reply(asked->call, &response.base);
}

void handle_list_assets(struct call *call, const void *message)
{
	const Filmgate__V1__ListAssetsRequest *request = message;
	struct asset_call *asked = arena_need(&call->arena, sizeof(*asked));
	struct digest digest = list_digest();
	uint32_t wanted = request->page_size > 0 ? (uint32_t)request->page_size : LIMIT_RPC_PAGE_DEFAULT;
	struct violations violations = {.arena = &call->arena};
	struct id after = check_page_token(request->page_token, &digest, &violations);

	*asked = (struct asset_call){.call = call};
	if (request->page_size < 0)
		violations_add(&violations, "page_size", "%d is negative", request->page_size);
	if (call_refuse(call, &violations))
		return;
	engine_list_assets(call->api->engine, JOB_TENANT_DEFAULT, &after,
			   wanted > LIMIT_RPC_PAGE ? LIMIT_RPC_PAGE : wanted, on_listed, asked);
}
