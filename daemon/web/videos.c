/*
 * /v1/videos: the few requests that existing video clients know, answered by the handlers of JobService.
 *
 *     POST   /v1/videos                   multipart/form-data or JSON; an Idempotency-Key is the order's request_id
 *     GET    /v1/videos?limit=&after=     newest first
 *     GET    /v1/videos/{id}
 *     GET    /v1/videos/{id}/content?variant=video|thumbnail
 *     DELETE /v1/videos/{id}
 */
#include "api/check.h"
#include "api/inside.h"
#include "api/keep.h"
#include "api/methods.h"
#include "api/text.h"
#include "api/token.h"
#include "base/quote.h"
#include "web/connect.h"
#include "web/files.h"
#include "web/form.h"
#include "web/routes.h"
#include "web/video.h"
#include "web/video_order.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

enum { OK = 200, BAD = 400, NOT_FOUND = 404, CONFLICT = 409, UNSUPPORTED = 415, INTERNAL = 500, UNAVAILABLE = 503 };

#define PATH "/v1/videos/"
#define JSON_TYPE "application/json"
#define LIST_DEFAULT 20
#define LIST_MOST 100

/* A request on its way through the api. */
struct asking {
	struct call call; /* first */
	struct question *question;
	/* Of an order: */
	struct video_order order;
	const char *request_id, *asset; /* in the arena; NULL: none */
	/* Of content: */
	struct id id;
	enum engine_still still;
};

/* ---- errors ---- */

static void write_error(struct reply *reply, unsigned int status, const char *param, const char *code,
			const char *message)
{
	reply_finish(reply);
	*reply = (struct reply){.status = status, .media_type = JSON_TYPE};
	/* Without memory the status says it all. */
	if (video_write_error(status, param, code, message, &reply->body) < 0) {
		buffer_finish(&reply->body);
		reply->body = (struct buffer){0};
	}
	/* Clients of this shape repeat a conflict by themselves, which makes none better. */
	if (status == CONFLICT)
		reply_header(reply, "X-Should-Retry", "false");
}

__attribute__((format(printf, 5, 6))) static void say(struct exchange *exchange, unsigned int status, const char *param,
						      const char *code, const char *format, ...)
{
	struct reply reply = {0};
	char text[1024];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	write_error(&reply, status, param, code, text);
	exchange_reply(exchange, &reply);
}

static void say_fault(struct exchange *exchange, int r, const struct video_fault *fault)
{
	if (r > 0)
		say(exchange, BAD, fault->param, "invalid_request", "%s%s%s", fault->param ? fault->param : "",
		    fault->param ? ": " : "", fault->text);
	else
		say(exchange, UNAVAILABLE, NULL, "unavailable", "out of memory");
}

/* ---- answers, from any thread ---- */

static void finish(struct asking *asking)
{
	struct question *question = asking->question;

	video_order_finish(&asking->order);
	arena_finish(&asking->call.arena);
	free(asking);
	question_answer(question);
}

static void finish_written(struct asking *asking, int r)
{
	struct reply *reply = &asking->question->reply;

	if (r < 0) {
		log_error("a video could not be written", "error", log_errno(r));
		write_error(reply, INTERNAL, NULL, "internal", "a fault of the daemon; its log has more");
	} else {
		reply->status = OK;
		reply->media_type = JSON_TYPE;
	}
	finish(asking);
}

static void finish_fault(struct asking *asking, int r, const struct video_fault *fault)
{
	char text[640];

	if (r < 0) {
		finish_written(asking, r);
		return;
	}
	snprintf(text, sizeof(text), "%s%s%s", fault->param ? fault->param : "", fault->param ? ": " : "", fault->text);
	write_error(&asking->question->reply, BAD, fault->param, "invalid_request", text);
	finish(asking);
}

static const char *param_of(const struct failure *failure)
{
	const char *prefix = failure->field_prefix ? failure->field_prefix : "", *param;
	char field[256];

	if (failure->n_violations == 0)
		return NULL;
	param = video_param_of(failure->violations[0].field);
	snprintf(field, sizeof(field), "%s%s", prefix, failure->violations[0].field);
	return param ? param : video_param_of(field);
}

static void write_failure(struct reply *reply, const struct failure *failure)
{
	struct arena arena = {0};
	const Google__Rpc__Status *status = failure_status(failure, &arena);
	unsigned int http_status = connect_http_status((enum code)status->code);
	char *code = arena_dup_text(&arena, name_of_reason(failure->reason));

	for (char *c = code; *c; c++)
		*c = *c >= 'A' && *c <= 'Z' ? (char)(*c - 'A' + 'a') : *c;
	write_error(reply, http_status, param_of(failure), code, status->message);
	if (http_status == 429 || http_status == UNAVAILABLE)
		reply_header(reply, "Retry-After", "%lld", (long long)(failure->retry_after_ms + 1999) / 1000);
	arena_finish(&arena);
}

static void fail(struct call *call, const struct failure *failure)
{
	struct asking *asking = (struct asking *)call;

	write_failure(&asking->question->reply, failure);
	finish(asking);
}

static void reply_created(struct call *call, const ProtobufCMessage *message)
{
	const Filmgate__V1__CreateJobResponse *response = (const Filmgate__V1__CreateJobResponse *)message;
	struct asking *asking = (struct asking *)call;

	if (response->replayed)
		reply_header(&asking->question->reply, "Idempotency-Replayed", "true");
	finish_written(asking, video_write(response->job, &asking->question->reply.body));
}

static void reply_got(struct call *call, const ProtobufCMessage *message)
{
	const Filmgate__V1__GetJobResponse *response = (const Filmgate__V1__GetJobResponse *)message;
	struct asking *asking = (struct asking *)call;

	finish_written(asking, video_write(response->job, &asking->question->reply.body));
}

static void reply_deleted(struct call *call, const ProtobufCMessage *message)
{
	struct asking *asking = (struct asking *)call;
	char id[ID_TEXT_SIZE];

	(void)message;
	id_format(&asking->id, id);
	finish_written(asking, video_write_deleted(id, &asking->question->reply.body));
}

/* A page of jobs comes packed, as gRPC sends it. */
static void reply_listed(struct call *call, struct packed *take)
{
	struct asking *asking = (struct asking *)call;
	Filmgate__V1__ListJobsResponse *list = filmgate__v1__list_jobs_response__unpack(NULL, packed_len(take),
											packed_data(take));
	int r = list ? video_write_list(list, &asking->question->reply.body) : -ENOMEM;

	filmgate__v1__list_jobs_response__free_unpacked(list, NULL);
	packed_unref(take);
	finish_written(asking, r);
}

/* NULL: it has been answered. */
static struct asking *ask(struct exchange *exchange, const struct call_ops *ops)
{
	struct asking *asking = calloc(1, sizeof(*asking));

	if (!asking) {
		say(exchange, UNAVAILABLE, NULL, "unavailable", "out of memory");
		return NULL;
	}
	asking->question = exchange_ask(exchange, -1, NULL);
	if (!asking->question) {
		free(asking);
		return NULL;
	}
	asking->call.ops = ops;
	asking->call.api = exchange_config(exchange)->api;
	return asking;
}

/* ---- an order ---- */

/* [any-thread] */
static void on_provider(void *userdata, int outcome, const struct engine_error *error,
			const struct engine_provider *providers, size_t n)
{
	struct asking *asking = userdata;
	struct video_fault fault = {0};
	Filmgate__V1__CreateJobRequest *request;
	int r;

	if (outcome || n == 0) {
		call_fail_engine(&asking->call, outcome ? outcome : ENGINE_E_NOT_FOUND, error, RESOURCE_PROVIDER,
				 asking->order.provider);
		return;
	}
	request = arena_need(&asking->call.arena, sizeof(*request));
	r = video_order_write(&asking->order, providers[0].manifest, asking->asset, &asking->call.arena, request,
			      &fault);
	if (r) {
		finish_fault(asking, r, &fault);
		return;
	}
	if (asking->request_id)
		request->request_id = (char *)asking->request_id;
	handle_create_job(&asking->call, request);
}

static void look_at_provider(struct asking *asking)
{
	engine_list_providers(asking->call.api->engine, name_parse_provider(asking->order.provider), on_provider,
			      asking);
}

/* [any-thread] */
static void on_kept(void *userdata, int outcome, const struct engine_error *error, const struct asset *asset,
		    bool existed)
{
	struct asking *asking = userdata;
	char name[ASSET_NAME_SIZE];

	(void)existed;
	if (outcome) {
		call_fail_engine(&asking->call, outcome, error, RESOURCE_ASSET, NULL);
		return;
	}
	asset_name_format(&asset->sha256, name);
	asking->asset = arena_dup_text(&asking->call.arena, name);
	look_at_provider(asking);
}

static bool is_json(const char *media_type)
{
	return media_type && strncasecmp(media_type, JSON_TYPE, strlen(JSON_TYPE)) == 0 &&
	       strcspn(media_type, "; \t") == strlen(JSON_TYPE);
}

#define TYPE_IS_STRANGE 1000 /* beside the outcomes of an order */

static int read_form(struct exchange *exchange, struct arena *arena, struct video_order *ret, struct video_fault *fault)
{
	struct form form;
	int r = exchange_form(exchange, &form);

	if (r == FORM_E_TYPE)
		r = TYPE_IS_STRANGE;
	else if (r == FORM_E_MALFORMED)
		r = video_refuse(fault, NULL, "the form cannot be read: %s", form.fault);
	else if (r == 0)
		r = video_order_of_form(&form, arena, ret, fault);
	form_finish(&form);
	return r;
}

static int find_model(struct exchange *exchange, struct arena *arena, struct video_order *order,
		      struct video_fault *fault)
{
	int r = video_order_find_model(order, &exchange_config(exchange)->models, arena, fault);

	if (r == 0 && !name_parse_provider(order->provider))
		return video_refuse(fault, "model", "'%s' begins with no provider's name", quote(order->model).text);
	return r;
}

/* False: it has been answered. */
static bool read_order(struct exchange *exchange, struct arena *arena, struct video_order *ret)
{
	const char *media_type = exchange_header(exchange, "Content-Type");
	struct video_fault fault = {0};
	int r = is_json(media_type) ? video_order_of_json(exchange_body(exchange), arena, ret, &fault)
				    : read_form(exchange, arena, ret, &fault);

	if (r == 0)
		r = find_model(exchange, arena, ret, &fault);
	if (r == TYPE_IS_STRANGE)
		say(exchange, UNSUPPORTED, NULL, "unsupported_media_type",
		    "'%s' is not taken here, but multipart/form-data or application/json",
		    quote(media_type ? media_type : "").text);
	else if (r)
		say_fault(exchange, r, &fault);
	return r == 0;
}

/* An empty one is none. */
static const char *key_of(const struct exchange *exchange)
{
	const char *key = exchange_header(exchange, "Idempotency-Key");

	return key && *key ? key : NULL;
}

/* A client that repeats an order by itself, since it has seen no answer, would have it made and paid for twice. */
static bool is_blind_repeat(const struct exchange *exchange)
{
	const char *count = exchange_header(exchange, "X-Stainless-Retry-Count");

	return count && strspn(count, "0") != strlen(count) && !key_of(exchange);
}

static void create(struct exchange *exchange)
{
	static const struct call_ops ops = {.reply = reply_created, .fail = fail};
	const char *request_id = key_of(exchange);
	struct video_order order = {0};
	struct arena arena = {0};
	struct asking *asking;

	if (is_blind_repeat(exchange)) {
		say(exchange, CONFLICT, "Idempotency-Key", "repeated_order",
		    "this repeats an order that may have been taken, and may cost twice: list the videos, and send an "
		    "Idempotency-Key with each order, under which it can be repeated");
		return;
	}
	asking = read_order(exchange, &arena, &order) ? ask(exchange, &ops) : NULL;
	if (!asking) {
		video_order_finish(&order);
		arena_finish(&arena);
		return;
	}
	asking->call.arena = arena;
	asking->order = order;
	asking->request_id = request_id ? arena_dup_text(&asking->call.arena, request_id) : NULL;
	if (asking->order.file.len)
		api_keep_asset(asking->call.api, &asking->order.file, asking->order.file_name, on_kept, asking);
	else
		look_at_provider(asking);
}

/* ---- a list ---- */

static bool read_limit(struct exchange *exchange, int32_t *ret)
{
	const char *limit = exchange_parameter(exchange, "limit");
	size_t digits = limit ? strspn(limit, "0123456789") : 0;
	long value = limit && digits && digits < 4 && !limit[digits] ? strtol(limit, NULL, 10) : 0;

	*ret = limit ? (int32_t)value : LIST_DEFAULT;
	if (*ret >= 1 && *ret <= LIST_MOST)
		return true;
	say(exchange, BAD, "limit", "invalid_request", "limit: '%s' is not possible; 1 to %d are", quote(limit).text,
	    LIST_MOST);
	return false;
}

static bool read_after(struct exchange *exchange, struct id *ret, bool *ret_is_there)
{
	const char *after = exchange_parameter(exchange, "after");

	*ret_is_there = after && *after;
	if (!*ret_is_there || id_parse(after, ret) == 0)
		return true;
	say(exchange, BAD, "after", "invalid_request", "after: '%s' is no video's id", quote(after).text);
	return false;
}

static bool read_order_of_list(struct exchange *exchange)
{
	const char *order = exchange_parameter(exchange, "order");

	if (!order || !*order || strcmp(order, "desc") == 0)
		return true;
	say(exchange, BAD, "order", "invalid_request", "order: '%s' is not possible; desc is, newest first",
	    quote(order).text);
	return false;
}

static void list(struct exchange *exchange)
{
	static const struct call_ops ops = {.reply_packed = reply_listed, .fail = fail};
	Filmgate__V1__ListJobsRequest *request;
	struct violations violations = {0};
	struct asking *asking;
	int32_t limit;
	struct id after;
	bool has_after;

	if (!read_limit(exchange, &limit) || !read_after(exchange, &after, &has_after) || !read_order_of_list(exchange))
		return;
	asking = ask(exchange, &ops);
	if (!asking)
		return;
	request = arena_need(&asking->call.arena, sizeof(*request));
	filmgate__v1__list_jobs_request__init(request);
	request->page_size = limit;
	violations.arena = &asking->call.arena;
	if (has_after) {
		request->page_token = arena_need(&asking->call.arena, TOKEN_TEXT_SIZE);
		token_write_page(&after, &check_filter(NULL, &violations)->digest, request->page_token);
	}
	handle_list_jobs(&asking->call, request);
}

void run_videos(struct exchange *exchange)
{
	if (strcmp(exchange_method(exchange), "POST") == 0)
		create(exchange);
	else
		list(exchange);
}

/* ---- one of them ---- */

static void get(struct exchange *exchange, const struct id *id)
{
	static const struct call_ops ops = {.reply = reply_got, .fail = fail};
	struct asking *asking = ask(exchange, &ops);
	Filmgate__V1__GetJobRequest *request;

	if (!asking)
		return;
	request = arena_need(&asking->call.arena, sizeof(*request));
	filmgate__v1__get_job_request__init(request);
	request->name = name_of_job(&asking->call.arena, id);
	handle_get_job(&asking->call, request);
}

static void delete (struct exchange *exchange, const struct id *id)
{
	static const struct call_ops ops = {.reply = reply_deleted, .fail = fail};
	struct asking *asking = ask(exchange, &ops);
	Filmgate__V1__DeleteJobRequest *request;

	if (!asking)
		return;
	asking->id = *id;
	request = arena_need(&asking->call.arena, sizeof(*request));
	filmgate__v1__delete_job_request__init(request);
	request->name = name_of_job(&asking->call.arena, id);
	handle_delete_job(&asking->call, request);
}

/* ---- its file ---- */

/* Which file it is, on its way to the web's thread. */
struct found {
	struct job_ref ref;
	uint32_t index;
	enum engine_still still;
	struct reply failure; /* status 0: there is a file */
};

static void free_found(void *userdata)
{
	struct found *found = userdata;

	reply_finish(&found->failure);
	free(found);
}

static void on_found(struct exchange *exchange, struct question *question)
{
	struct found *found = question->answer;

	if (found->failure.status)
		exchange_reply(exchange, &found->failure);
	else
		file_open(exchange, &found->ref, found->index, found->still);
}

static void reply_with_file(struct call *call, const ProtobufCMessage *message)
{
	const Filmgate__V1__Job *job = ((const Filmgate__V1__GetJobResponse *)message)->job;
	struct asking *asking = (struct asking *)call;
	struct found *found = asking->question->answer;

	found->ref = (struct job_ref){.tenant = JOB_TENANT_DEFAULT, .id = asking->id};
	found->still = asking->still;
	if (!video_find_artifact(job, &found->index))
		write_error(&found->failure, NOT_FOUND, NULL, "no_content",
			    "the video has no file: it is not made yet, or it failed; its status says which");
	finish(asking);
}

static void fail_file(struct call *call, const struct failure *failure)
{
	struct asking *asking = (struct asking *)call;
	struct found *found = asking->question->answer;

	write_failure(&found->failure, failure);
	finish(asking);
}

static void content(struct exchange *exchange, const struct id *id)
{
	static const struct call_ops ops = {.reply = reply_with_file, .fail = fail_file};
	const char *variant = exchange_parameter(exchange, "variant");
	bool is_still = variant && strcmp(variant, "thumbnail") == 0;
	Filmgate__V1__GetJobRequest *request;
	struct asking *asking;

	if (variant && !is_still && strcmp(variant, "video") != 0) {
		say(exchange, BAD, "variant", "invalid_request",
		    "variant: '%s' is not made here; video and thumbnail are", quote(variant).text);
		return;
	}
	asking = ask(exchange, &ops);
	if (!asking)
		return;
	asking->question->answer = calloc(1, sizeof(struct found));
	if (!asking->question->answer)
		abort();
	asking->question->free_answer = free_found;
	asking->question->on_answer = on_found;
	asking->id = *id;
	asking->still = is_still ? ENGINE_STILL_THUMBNAIL : ENGINE_STILL_NONE;
	request = arena_need(&asking->call.arena, sizeof(*request));
	filmgate__v1__get_job_request__init(request);
	request->name = name_of_job(&asking->call.arena, id);
	handle_get_job(&asking->call, request);
}

/* "{uuid}" or "{uuid}/content". */
static bool parse_path(const char *text, struct id *ret, bool *ret_is_content)
{
	const char *slash = strchr(text, '/');
	size_t len = slash ? (size_t)(slash - text) : strlen(text);
	char id[ID_TEXT_SIZE];

	*ret_is_content = slash != NULL;
	if (len >= sizeof(id) || (slash && strcmp(slash, "/content") != 0))
		return false;
	snprintf(id, sizeof(id), "%.*s", (int)len, text);
	return id_parse(id, ret) == 0;
}

void run_video(struct exchange *exchange)
{
	bool is_delete = strcmp(exchange_method(exchange), "DELETE") == 0, is_content;
	struct id id;

	if (!parse_path(exchange_path(exchange) + strlen(PATH), &id, &is_content) || (is_delete && is_content))
		say(exchange, NOT_FOUND, "id", "not_found",
		    "there is no '%s': write " PATH "{uuid} or " PATH "{uuid}/content",
		    quote(exchange_path(exchange)).text);
	else if (is_delete)
		delete (exchange, &id);
	else if (is_content)
		content(exchange, &id);
	else
		get(exchange, &id);
}
