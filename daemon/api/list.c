/*
 * ListJobs. A page is gathered in steps: the engine is asked for a few jobs at a time and each is packed at once, so
 * that a page of large jobs never stands in memory unpacked, and ends before the reply gets too large for clients.
 */
#include "api/methods.h"

#include "api/check.h"
#include "api/convert.h"
#include "api/inside.h"
#include "api/token.h"
#include "base/err.h"
#include "base/limits.h"

#include <filmgate/v1/job_service.pb-c.h>

#define STEP 64
#define TAG_BYTES 6 /* field number and length of one job in the reply */
#define JOBS_TAG 0x0a
#define TOKEN_TAG 0x12
/* A job that is alone on its page may be larger than the rest of the budget: its own limits bound it. */
#define BUDGET (LIMIT_RPC_MESSAGE - LIMIT_RPC_TOKEN - 64)

struct listing {
	struct call *call;
	const struct checked_filter *filter;
	struct store_list_query query;
	struct buffer reply; /* ListJobsResponse as it grows */
	uint32_t wanted;
	uint32_t found;
};

static void put_header(struct listing *listing, uint8_t tag, size_t len)
{
	uint8_t header[TAG_BYTES];
	size_t n = 0;

	header[n++] = tag;
	for (; len >= 0x80; len >>= 7)
		header[n++] = (uint8_t)(len | 0x80);
	header[n++] = (uint8_t)len;
	if (buffer_append(&listing->reply, header, n) < 0)
		abort();
}

/* 0; 1: it has no room on this page any more; negative errno. */
static int put_job(struct listing *listing, const struct job_view *view)
{
	struct arena arena = {0};
	Filmgate__V1__Job *job;
	size_t len;
	int r;

	r = convert_job(&arena, view, NULL, NULL, &job);
	if (r < 0) {
		arena_finish(&arena);
		return err_trace(r);
	}
	len = protobuf_c_message_get_packed_size(&job->base);
	r = listing->found && listing->reply.len + len + TAG_BYTES > BUDGET;
	if (r == 0) {
		put_header(listing, JOBS_TAG, len);
		if (buffer_reserve(&listing->reply, len) < 0)
			abort();
		protobuf_c_message_pack(&job->base, (uint8_t *)listing->reply.data + listing->reply.len);
		listing->reply.len += len;
		listing->found++;
	}
	arena_finish(&arena);
	return r;
}

static void end(struct listing *listing, bool has_more)
{
	char token[TOKEN_TEXT_SIZE];

	if (has_more) {
		token_write_page(&listing->query.after, &listing->filter->digest, token);
		put_header(listing, TOKEN_TAG, strlen(token));
		if (buffer_append_text(&listing->reply, token) < 0)
			abort();
	}
	call_reply_packed(listing->call, packed_of_buffer(&listing->reply));
}

/* @outcome is the store's, which knows no other trouble here than its own. */
static void fail(struct listing *listing, int outcome)
{
	buffer_finish(&listing->reply);
	call_fail_engine(listing->call, outcome > 0 ? ENGINE_E_STORE : outcome, NULL, RESOURCE_NONE, NULL);
}

static void on_jobs(void *userdata, int outcome, struct job_view *views, size_t n, struct id scanned_to, bool more)
{
	struct listing *listing = userdata;
	size_t put = 0;
	int r = 0;

	for (; outcome == 0 && r == 0 && put < n; put += r == 0) {
		r = put_job(listing, &views[put]);
		if (r == 0)
			listing->query.after = views[put].job->ref.id;
	}
	for (size_t i = 0; i < n; i++)
		job_view_finish(&views[i]);
	if (outcome || r < 0) {
		fail(listing, outcome ? outcome : r);
		return;
	}
	if (r == 0)
		listing->query.after = scanned_to;

	if (r == 0 && more && n && listing->found < listing->wanted) {
		listing->query.limit = listing->wanted - listing->found < STEP ? listing->wanted - listing->found
									       : STEP;
		engine_list_jobs(listing->call->api->engine, &listing->query, on_jobs, listing);
		return;
	}
	end(listing, more || r);
}

static void check_list(const Filmgate__V1__ListJobsRequest *request, struct listing *listing,
		       struct violations *violations)
{
	listing->filter = check_filter(request->filter, violations);
	if (request->page_size < 0)
		violations_add(violations, "page_size", "%d is negative", request->page_size);
	/* A filter that is wrong has no pages. */
	if (violations->n == 0)
		listing->query.after = check_page_token(request->page_token, &listing->filter->digest, violations);
}

void handle_list_jobs(struct call *call, const void *message)
{
	const Filmgate__V1__ListJobsRequest *request = message;
	struct violations violations = {.arena = &call->arena};
	struct listing *listing = arena_need(&call->arena, sizeof(*listing));

	*listing = (struct listing){.call = call, .wanted = (uint32_t)request->page_size};
	check_list(request, listing, &violations);
	if (call_refuse(call, &violations))
		return;
	if (listing->wanted == 0)
		listing->wanted = LIMIT_RPC_PAGE_DEFAULT;
	if (listing->wanted > LIMIT_RPC_PAGE)
		listing->wanted = LIMIT_RPC_PAGE;
	listing->query.tenant = JOB_TENANT_DEFAULT;
	listing->query.filter = &listing->filter->filter;
	listing->query.limit = listing->wanted < STEP ? listing->wanted : STEP;
	engine_list_jobs(call->api->engine, &listing->query, on_jobs, listing);
}
