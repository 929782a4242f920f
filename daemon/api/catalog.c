/*
 * filmgate.v1.ProviderService.ListCatalogEntries.
 */
#include "api/methods.h"

#include "api/check.h"
#include "api/inside.h"
#include "api/structs.h"
#include "api/text.h"
#include "api/token.h"
#include "base/json.h"
#include "base/limits.h"

#include <filmgate/v1/provider_service.pb-c.h>

#define DEFAULT_AGE_MS 300000
#define AGE_MAX_S (INT64_C(30) * 24 * 3600)

/* A page is an offset, which stands where the token has an id. */
struct asked {
	struct call *call;
	const Filmgate__V1__ListCatalogEntriesRequest *request;
	struct digest filter;
	struct engine_catalogue_query query;
};

static char *text_at(struct arena *arena, const struct json *json, json_node entry, const char *pointer, size_t most)
{
	return text_cut(arena, json_string(json, json_at(json, entry, pointer)), most);
}

static Filmgate__V1__CatalogEntry *convert(const struct asked *asked, const struct json *json, json_node entry)
{
	struct arena *arena = &asked->call->arena;
	Filmgate__V1__CatalogEntry *to = arena_need(arena, sizeof(*to));
	json_node tags = json_at(json, entry, "/tags"), extra = json_at(json, entry, "/extra");

	filmgate__v1__catalog_entry__init(to);
	to->kind = text_at(arena, json, entry, "/kind", LIMIT_RPC_WORD);
	if (!*to->kind)
		to->kind = asked->request->kind;
	to->id = text_at(arena, json, entry, "/id", LIMIT_RPC_WORDS);
	to->display_name = text_at(arena, json, entry, "/name", LIMIT_RPC_WORDS);
	to->language = text_at(arena, json, entry, "/language", LIMIT_RPC_WORD);
	to->gender = text_at(arena, json, entry, "/gender", LIMIT_RPC_WORD);
	to->preview_url = text_at(arena, json, entry, "/preview_url", LIMIT_JOB_MEDIA_URL);
	to->tags = arena_need_pointers(arena, json_count(json, tags));
	for (json_node n = json_first(json, tags); n; n = json_next(json, n))
		to->tags[to->n_tags++] = text_cut(arena, json_string(json, n), LIMIT_RPC_WORD);
	if (json_kind(json, extra) == JSON_KIND_OBJECT)
		to->extra = struct_from_json(arena, json, extra);
	return to;
}

static void put_offset(uint32_t offset, struct id *ret)
{
	*ret = (struct id){0};
	for (size_t i = 0; i < 4; i++)
		ret->bytes[i] = (uint8_t)(offset >> (24 - 8 * i));
}

static uint32_t get_offset(const struct id *id)
{
	return (uint32_t)id->bytes[0] << 24 | (uint32_t)id->bytes[1] << 16 | (uint32_t)id->bytes[2] << 8 | id->bytes[3];
}

/* As many as one reply holds: the rest is the next page's. */
static void add_entries(const struct asked *asked, const struct engine_catalogue *from,
			Filmgate__V1__ListCatalogEntriesResponse *to)
{
	size_t size = 0;

	to->entries = arena_need_pointers(&asked->call->arena, from->n);
	for (size_t i = 0; i < from->n; i++) {
		Filmgate__V1__CatalogEntry *entry = convert(asked, from->json, from->entries[i]);

		size += filmgate__v1__catalog_entry__get_packed_size(entry) + 8;
		if (i && size > LIMIT_RPC_MESSAGE / 2)
			break;
		to->entries[to->n_entries++] = entry;
	}
}

static void on_catalogue(void *userdata, int outcome, const struct engine_error *error,
			 const struct engine_catalogue *catalogue)
{
	Filmgate__V1__ListCatalogEntriesResponse response = FILMGATE__V1__LIST_CATALOG_ENTRIES_RESPONSE__INIT;
	struct asked *asked = userdata;
	struct arena *arena = &asked->call->arena;
	char token[TOKEN_TEXT_SIZE];
	struct id after;
	uint32_t end;

	if (outcome) {
		call_fail_engine(asked->call, outcome, error, RESOURCE_PROVIDER, asked->request->name);
		return;
	}
	add_entries(asked, catalogue, &response);
	response.total_count = catalogue->total;
	response.fetch_time = timestamp_of(arena, catalogue->fetched_ms);
	response.problem = text_clean(arena, catalogue->problem);
	end = asked->query.offset + (uint32_t)response.n_entries;
	if (response.n_entries && end < catalogue->total) {
		put_offset(end, &after);
		token_write_page(&after, &asked->filter, token);
		response.next_page_token = token;
	}
	call_reply(asked->call, &response.base);
}

static struct digest filter_of(const Filmgate__V1__ListCatalogEntriesRequest *request)
{
	const char *const parts[] = {request->name, request->kind, request->language, request->query};
	_cleanup_(buffer_finish) struct buffer all = {0};

	/* Each with the zero behind it, so that no two requests read the same. */
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		if (buffer_append(&all, parts[i], strlen(parts[i]) + 1) < 0)
			abort();
	return digest_of(buffer_bytes(&all));
}

static int64_t check_age(const Google__Protobuf__Duration *age, struct violations *violations)
{
	if (!age)
		return DEFAULT_AGE_MS;
	if (age->seconds < 0 || age->seconds > AGE_MAX_S || age->nanos < 0 || age->nanos > 999999999) {
		violations_add(violations, "max_age", "%lld s and %d ns are not possible; 0 s to 30 days are",
			       (long long)age->seconds, age->nanos);
		return 0;
	}
	return age->seconds * 1000 + age->nanos / 1000000;
}

static void check(struct asked *asked, struct violations *violations)
{
	const Filmgate__V1__ListCatalogEntriesRequest *request = asked->request;
	struct id after;

	asked->filter = filter_of(request);
	asked->query = (struct engine_catalogue_query){
		.provider = check_provider_name("name", request->name, violations),
		.kind = request->kind,
		.language = request->language,
		.query = request->query,
		.limit = request->page_size > LIMIT_RPC_PAGE ? LIMIT_RPC_PAGE : (uint32_t)request->page_size,
		.max_age_ms = check_age(request->max_age, violations),
	};
	if (!*request->kind)
		violations_add(violations, "kind", "is missing; Provider.catalog_kinds has those that there are");
	if (request->page_size < 0)
		violations_add(violations, "page_size", "%d is negative", request->page_size);
	if (request->page_size == 0)
		asked->query.limit = LIMIT_RPC_PAGE_DEFAULT;
	after = check_page_token(request->page_token, &asked->filter, violations);
	asked->query.offset = get_offset(&after);
}

void handle_list_catalog_entries(struct call *call, const void *message)
{
	struct violations violations = {.arena = &call->arena};
	struct asked *asked = arena_need(&call->arena, sizeof(*asked));

	*asked = (struct asked){.call = call, .request = message};
	check(asked, &violations);
	if (call_refuse(call, &violations))
		return;
	engine_list_catalogue(call->api->engine, &asked->query, on_catalogue, asked);
}
