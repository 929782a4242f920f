/*
 * filmgate.v1.OrphanService.
 */
#include "api/methods.h"

#include "api/check.h"
#include "api/convert.h"
#include "api/inside.h"
#include "api/text.h"
#include "base/limits.h"

#include <filmgate/v1/orphan_service.pb-c.h>

struct asked {
	struct call *call;
	const char *name; /* of the provider */
	struct engine_orphans_query query;
};

static void fail(struct asked *asked, int outcome, const struct engine_error *error)
{
	struct failure failure = failure_of_engine(outcome, error, RESOURCE_PROVIDER, asked->name);

	if (error && error->job) {
		failure.resource = RESOURCE_JOB;
		failure.resource_name = name_of_job(&asked->call->arena, error->job);
	}
	call_fail(asked->call, &failure);
}

/* ---- page tokens: the provider's own in hexadecimal, the offset in its page, and a digest over both ---- */

#define CHECK_DIGITS 16

static char *write_token(struct asked *asked, const char *page, uint32_t offset)
{
	struct arena *arena = &asked->call->arena;
	size_t len = page ? strlen(page) : 0;
	char *hex = arena_need(arena, 2 * len + 1), *body, digest[DIGEST_TEXT_SIZE];
	struct digest check;

	hex[2 * len] = '\0';
	for (size_t i = 0; i < len; i++)
		snprintf(hex + 2 * i, 3, "%02x", (unsigned char)page[i]);
	body = arena_printf(arena, "%s-%u-%s", asked->query.provider, offset, hex);
	check = digest_of(bytes_of_text(body));
	digest_format(&check, digest);
	return arena_printf(arena, "%.*s-%u-%s", CHECK_DIGITS, digest, offset, hex);
}

static int digit_of(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* NULL: these are no such digits. */
static char *read_hex(struct arena *arena, const char *hex)
{
	size_t len = strlen(hex);
	char *page = arena_need(arena, len / 2 + 1);

	for (size_t i = 0; i < len; i += 2) {
		int high = digit_of(hex[i]), low = high < 0 ? -1 : digit_of(hex[i + 1]);

		if (low < 0)
			return NULL;
		page[i / 2] = (char)(high << 4 | low);
	}
	page[len / 2] = '\0';
	return page;
}

/* Whatever reads as one must be written just so. */
static void read_token(struct asked *asked, const char *token, struct violations *violations)
{
	const char *offset = token, *hex;
	char *end;

	if (!*token)
		return;
	for (int i = 0; i < CHECK_DIGITS && *offset; i++)
		offset++;
	asked->query.offset = *offset == '-' ? (uint32_t)strtoul(offset + 1, &end, 10) : 0;
	hex = *offset == '-' && *end == '-' ? end + 1 : NULL;
	if (hex && strlen(hex) <= 2 * LIMIT_PLUGIN_LIST_NEXT)
		asked->query.page = read_hex(&asked->call->arena, hex);
	if (!asked->query.page || strcmp(write_token(asked, asked->query.page, asked->query.offset), token) != 0)
		violations_add(violations, "page_token",
			       "is none that this provider's list gave; begin again without one");
}

/* ---- ListOrphans ---- */

static Filmgate__V1__Orphan *convert(struct arena *arena, const struct engine_orphan *from)
{
	Filmgate__V1__Orphan *to = arena_need(arena, sizeof(*to));

	filmgate__v1__orphan__init(to);
	to->remote_id = text_clean(arena, from->remote_id);
	to->create_time = timestamp_of(arena, from->created_ms);
	to->title = text_cut(arena, from->title, LIMIT_RPC_WORDS);
	to->remote_state = text_cut(arena, from->status, LIMIT_RPC_WORD);
	to->kind = text_cut(arena, from->kind, LIMIT_RPC_WORD);
	if (from->has_maybe_job)
		to->maybe_job = name_of_job(arena, &from->maybe_job);
	if (from->has_deleted_job)
		to->deleted_job = name_of_job(arena, &from->deleted_job);
	return to;
}

static void on_orphans(void *userdata, int outcome, const struct engine_error *error,
		       const struct engine_orphans *orphans)
{
	Filmgate__V1__ListOrphansResponse response = FILMGATE__V1__LIST_ORPHANS_RESPONSE__INIT;
	struct asked *asked = userdata;

	if (outcome) {
		fail(asked, outcome, error);
		return;
	}
	response.orphans = arena_need_pointers(&asked->call->arena, orphans->n);
	for (size_t i = 0; i < orphans->n; i++)
		response.orphans[response.n_orphans++] = convert(&asked->call->arena, &orphans->orphans[i]);
	response.owned_count = orphans->owned;
	response.unusable_count = orphans->unusable;
	if (orphans->has_more)
		response.next_page_token = write_token(asked, orphans->next_page, orphans->next_offset);
	call_reply(asked->call, &response.base);
}

void handle_list_orphans(struct call *call, const void *message)
{
	const Filmgate__V1__ListOrphansRequest *request = message;
	struct violations violations = {.arena = &call->arena};
	struct asked *asked = arena_need(&call->arena, sizeof(*asked));
	uint32_t limit = request->page_size > LIMIT_RPC_PAGE ? LIMIT_RPC_PAGE : (uint32_t)request->page_size;

	*asked = (struct asked){.call = call, .name = request->provider};
	asked->query = (struct engine_orphans_query){
		.tenant = JOB_TENANT_DEFAULT,
		.provider = check_provider_name("provider", request->provider, &violations),
		.limit = request->page_size ? limit : LIMIT_RPC_PAGE_DEFAULT,
	};
	if (request->page_size < 0)
		violations_add(&violations, "page_size", "%d is negative", request->page_size);
	if (violations.n == 0)
		read_token(asked, request->page_token, &violations);
	if (!call_refuse(call, &violations))
		engine_list_orphans(call->api->engine, &asked->query, on_orphans, asked);
}

/* ---- AdoptVideo ---- */

static void on_adopted(void *userdata, int outcome, const struct engine_error *error, struct job_view *take,
		       bool replayed)
{
	Filmgate__V1__AdoptVideoResponse response = FILMGATE__V1__ADOPT_VIDEO_RESPONSE__INIT;
	struct asked *asked = userdata;
	int r;

	if (outcome) {
		fail(asked, outcome, error);
		return;
	}
	r = convert_job(&asked->call->arena, take, NULL, NULL, &response.job);
	response.replayed = replayed;
	if (r < 0)
		call_fail_internal(asked->call, r);
	else
		call_reply(asked->call, &response.base);
	job_view_finish(take);
}

/* The entries of both label maps have the same shape, but each its own type. */
_Static_assert(sizeof(Filmgate__V1__Job__LabelsEntry) == sizeof(Filmgate__V1__AdoptVideoRequest__LabelsEntry),
	       "same shape");

void handle_adopt_video(struct call *call, const void *message)
{
	const Filmgate__V1__AdoptVideoRequest *request = message;
	Filmgate__V1__Job__LabelsEntry *const *labels = (void *)request->labels;
	struct violations violations = {.arena = &call->arena};
	struct asked *asked = arena_need(&call->arena, sizeof(*asked));
	struct engine_adopt adopt = {
		.tenant = JOB_TENANT_DEFAULT,
		.request_id = request->request_id,
		.remote_id = request->remote_id,
		.model = request->model,
		.display_name = request->display_name,
		.n_labels = request->n_labels,
		.is_forced = request->force,
	};

	*asked = (struct asked){.call = call, .name = request->provider};
	adopt.provider = check_provider_name("provider", request->provider, &violations);
	check_remote_id("remote_id", request->remote_id, &violations);
	if (strlen(request->model) > 255)
		violations_add(&violations, "model", "has more than 255 bytes");
	check_display_name("display_name", request->display_name, &violations);
	adopt.labels = check_labels("labels", labels, request->n_labels, &violations);
	check_request_id(request->request_id, &violations);
	if (!call_refuse(call, &violations))
		engine_adopt_video(call->api->engine, &adopt, on_adopted, asked);
}
