/*
 * The /videos interface of OpenAI, which gateways go on speaking, below /v1/, and OpenRouter's near form of it, below
 * /api/v1/. Facts are the published client libraries of both. Where nothing is published, this file decides and README.md
 * says so: a charge is made when an order is accepted, and stands. There is no idempotency key: the same order twice is
 * two videos.
 */
#include "sim/sim.h"

#include "base/limits.h"
#include "base/log.h"
#include "sim/files.h"
#include "sim/json.h"
#include "sim/openai_order.h"

#define LIST_DEFAULT 20
#define LIST_MOST 100

enum { SALT_SUBMIT = 2 };

static const char ours[] = "/v1/videos", theirs[] = "/api/v1/videos";

static bool is_openrouter(const struct sim_call *call)
{
	return strncmp(call->request->path, theirs, strlen(theirs)) == 0;
}

static int refuse(struct sim_reply *reply, int status, const char *code, const char *message, const char *param)
{
	const char *type = status >= 500 ? "server_error" : "invalid_request_error";

	return sim_reply_json(reply, status,
			      json_pack("{s:{s:s,s:s,s:s?,s:s?}}", "error", "message", message, "type", type, "param",
					param, "code", code));
}

/* OpenRouter's code is the status. */
static int refuse_plainly(struct sim_reply *reply, int status, const char *code, const char *message, const char *param)
{
	(void)code;
	(void)param;
	return sim_reply_json(reply, status, json_pack("{s:{s:i,s:s}}", "error", "code", status, "message", message));
}

static int refuse_call(const struct sim_call *call, struct sim_reply *reply, int status, const char *code,
		       const char *message, const char *param)
{
	return (is_openrouter(call) ? refuse_plainly : refuse)(reply, status, code, message, param);
}

static bool is_key(const struct sim *sim, const char *key)
{
	return key && strcmp(key, sim->options->api_key) == 0;
}

static int admit(struct sim *sim, struct sim_call *call, struct sim_reply *reply)
{
	const struct sim_fields *headers = &call->request->headers;
	const char *bearer = sim_fields_find(headers, "Authorization");

	if (bearer && strncmp(bearer, "Bearer ", 7) == 0 && is_key(sim, bearer + 7))
		return 0;
	if (!is_openrouter(call) && (is_key(sim, sim_fields_find(headers, "api-key")) ||
				     is_key(sim, sim_fields_find(headers, "x-litellm-api-key"))))
		return 0;
	return refuse_call(call, reply, 401, "invalid_api_key",
			   is_openrouter(call) ? "Missing Authentication header" : "Incorrect API key provided.", NULL);
}

/* ---- ordering ---- */

static struct sim_picture picture_of(const struct sim *sim, const struct sim_openai_order *order)
{
	struct sim_picture picture = {
		.text = order->prompt,
		.width = order->width,
		.height = order->height,
		.fps = 24,
		.seconds = order->seconds,
		.format = SIM_FORMAT_MP4,
		.color = 0x205040,
	};

	sim_fit_picture(sim, &picture);
	return picture;
}

/* The prompt is kept as the title, the model as the name. */
static int make_generation(struct sim *sim, const struct sim_call *call, const struct sim_openai_order *order,
			   const struct sim_picture *picture, struct sim_generation **ret)
{
	struct sim_generation model = {
		.provider = "openai",
		.collection = is_openrouter(call) ? theirs : ours,
		.title = (char *)(uintptr_t)order->prompt,
		.width = order->width,
		.height = order->height,
		.seed = -1,
		.failure_code = (char *)(uintptr_t)call->twist.failure_code,
		.failure_message = (char *)(uintptr_t)call->twist.failure_message,
	};
	int r = sim_order(sim, &call->twist, picture, &model, ret);

	return r < 0 ? err_trace(r) : sim_generation_set_name(*ret, order->model);
}

static int64_t cost_of(const struct sim *sim, int seconds)
{
	return seconds * sim->options->price_micros;
}

static int charge(struct sim *sim, const struct sim_call *call, struct sim_generation *generation)
{
	struct sim_charge row = {
		.provider = generation->provider,
		.video_id = generation->id,
		.text = generation->text,
		.body = buffer_bytes(&call->request->body),
		.type = generation->name,
		.seconds = generation->seconds,
		.cost_micros = cost_of(sim, generation->seconds),
		.utc_ms = generation->created_utc_ms,
	};
	int r = sim_charges_add(sim->charges, &row);

	if (r < 0) {
		sim_generations_remove(sim->generations, generation);
		return err_trace(r);
	}
	log_info("charged", "video", generation->id, "seconds", log_int(row.seconds));
	return 0;
}

static int refuse_crowd(const struct sim_call *call, struct sim_reply *reply)
{
	int r = refuse_call(call, reply, 429, "rate_limit_exceeded", "Rate limit exceeded", NULL);

	return r < 0 ? err_trace(r) : sim_fields_add(&reply->headers, "Retry-After", "1");
}

/* Room and money; 0 with an untouched reply when there is both. */
static int check_means(struct sim *sim, const struct sim_call *call, int seconds, struct sim_reply *reply)
{
	int64_t ready_ms;
	size_t in_flight = sim_generations_in_flight(sim->generations, sim_clock_monotonic_ms(&sim->clock), &ready_ms);

	if ((int64_t)in_flight >= sim->options->concurrency)
		return refuse_crowd(call, reply);
	if (cost_of(sim, seconds) <= sim_credit_left_micros(sim))
		return 0;
	return is_openrouter(call) ? refuse_plainly(reply, 402, NULL, "Insufficient credits.", NULL)
				   : refuse(reply, 429, "insufficient_quota", "You exceeded your current quota.", NULL);
}

static int answer_with(struct sim *sim, const struct sim_call *call, const struct sim_generation *generation,
		       int status, struct sim_reply *reply);

static int create(struct sim *sim, struct sim_call *call, struct sim_reply *reply)
{
	_cleanup_(sim_json_freep) json_t *body = sim_openai_body_read(call->request);
	struct sim_openai_complaint complaint = {0};
	struct sim_generation *generation;
	struct sim_openai_order order;
	struct sim_picture picture;
	int r;

	if (!body)
		return refuse_call(call, reply, 400, "invalid_body", "The body is neither JSON nor a form", NULL);
	r = (is_openrouter(call) ? sim_openrouter_order_read : sim_openai_order_read)(body, &complaint, &order);
	if (r == SIM_OPENAI_ORDER_E_INVALID)
		return refuse_call(call, reply, 400, "invalid_value", complaint.message.text, complaint.param);
	picture = picture_of(sim, &order);
	r = check_means(sim, call, picture.seconds, reply);
	if (r < 0 || reply->status)
		return r;
	r = make_generation(sim, call, &order, &picture, &generation);
	r = r ? r : charge(sim, call, generation);
	if (r < 0)
		return err_trace(r);
	call->delay_ms = sim_pick_ms(sim, &sim->options->submit_ms, generation->number, SALT_SUBMIT);
	return answer_with(sim, call, generation, is_openrouter(call) ? 202 : 200, reply);
}

/* ---- describing ---- */

static json_int_t progress_of(const struct sim *sim, const struct sim_generation *generation,
			      enum sim_generation_state state)
{
	int64_t now_ms = sim_clock_monotonic_ms(&sim->clock);
	int64_t length_ms = generation->ready_ms - generation->begins_ms, done_ms = now_ms - generation->begins_ms;

	if (state == SIM_COMPLETED)
		return 100;
	if (state == SIM_PENDING || length_ms <= 0 || done_ms <= 0)
		return 0;
	return done_ms >= length_ms ? 99 : (json_int_t)(done_ms * 99 / length_ms);
}

static json_t *error_of(const struct sim_generation *generation)
{
	return json_pack("{s:s,s:s}", "code", generation->failure_code ? generation->failure_code : "server_error",
			 "message",
			 generation->failure_message ? generation->failure_message : "Generation did not finish.");
}

static enum sim_generation_state state_of(struct sim *sim, const struct sim_generation *generation)
{
	return sim_generation_state(sim->generations, generation, sim_clock_monotonic_ms(&sim->clock));
}

static json_t *describe_openai(struct sim *sim, const struct sim_call *call, const struct sim_generation *generation)
{
	static const char *const names[] = {"queued", "in_progress", "completed", "failed"};
	enum sim_generation_state state = state_of(sim, generation);
	json_t *video = json_pack("{s:s,s:s,s:s,s:s,s:I,s:I,s:s?,s:n,s:o,s:o,s:n,s:n,s:n}", "id", generation->id,
				  "object", "video", "model", generation->name ? generation->name : "", "status",
				  names[state], "progress", progress_of(sim, generation, state), "created_at",
				  (json_int_t)(generation->created_utc_ms / 1000), "prompt", generation->title,
				  "remixed_from_video_id", "seconds", json_sprintf("%d", generation->seconds), "size",
				  json_sprintf("%dx%d", generation->width, generation->height), "completed_at",
				  "expires_at", "error");
	int64_t completed_s;

	if (video && state == SIM_FAILED)
		json_object_set_new(video, "error", error_of(generation));
	if (!video || state != SIM_COMPLETED)
		return video;
	completed_s = sim_generation_completed_utc_ms(sim->generations, generation) / 1000;
	json_object_set_new(video, "completed_at", json_integer(completed_s));
	json_object_set_new(video, "expires_at",
			    json_integer(call->twist.is_link_expired ? completed_s - 1
								     : completed_s + sim->options->link_life_s));
	return video;
}

static int add_link(struct sim *sim, const struct sim_call *call, const struct sim_generation *generation,
		    json_t *video)
{
	int64_t now_s = sim_clock_utc_ms(&sim->clock) / 1000;
	int64_t expires_s = call->twist.is_link_expired ? now_s - 1 : now_s + sim->options->link_life_s;
	_cleanup_(freep) char *link = sim_links_sign(sim->links, generation->id, "video.mp4", expires_s);

	if (!link)
		return err_origin(-ENOMEM);
	if (!call->twist.is_link_missing)
		json_object_set_new(video, "unsigned_urls", json_pack("[s]", link));
	json_object_set_new(video, "usage",
			    json_pack("{s:f,s:b}", "cost", (double)cost_of(sim, generation->seconds) / 1000000,
				      "is_byok", 0));
	return 0;
}

static json_t *describe_openrouter(struct sim *sim, const struct sim_call *call,
				   const struct sim_generation *generation)
{
	static const char *const names[] = {"pending", "in_progress", "completed", "failed"};
	enum sim_generation_state state = state_of(sim, generation);
	json_t *video = json_pack("{s:s,s:o,s:o,s:s}", "id", generation->id, "generation_id",
				  json_sprintf("gen-%s", generation->id), "polling_url",
				  json_sprintf("%s/%s", theirs, generation->id), "status", names[state]);

	if (video && state == SIM_FAILED)
		json_object_set_new(video, "error",
				    json_string(generation->failure_message ? generation->failure_message
									    : "Generation did not finish."));
	if (video && state == SIM_COMPLETED && add_link(sim, call, generation, video) < 0) {
		json_decref(video);
		return NULL;
	}
	return video;
}

static int answer_with(struct sim *sim, const struct sim_call *call, const struct sim_generation *generation,
		       int status, struct sim_reply *reply)
{
	return sim_reply_json(reply, status,
			      (is_openrouter(call) ? describe_openrouter : describe_openai)(sim, call, generation));
}

/* ---- asking ---- */

static struct sim_generation *find(struct sim *sim, const struct sim_call *call)
{
	struct sim_generation *generation = sim_generations_find(sim->generations, call->id);

	return generation && generation->collection == (is_openrouter(call) ? theirs : ours) ? generation : NULL;
}

static int refuse_unknown(const struct sim_call *call, struct sim_reply *reply)
{
	return refuse_call(call, reply, 404, "not_found",
			   is_openrouter(call) ? "Resource not found" : "Video with that id was not found.", NULL);
}

static int get(struct sim *sim, struct sim_call *call, struct sim_reply *reply)
{
	struct sim_generation *generation = find(sim, call);
	int r = 0;

	if (!generation)
		return refuse_unknown(call, reply);
	if (call->twist.failure_code) {
		generation->begins_ms = generation->ready_ms = generation->created_ms;
		r = sim_generation_fail(generation, call->twist.failure_code, call->twist.failure_message);
	}
	return r < 0 ? err_trace(r) : answer_with(sim, call, generation, 200, reply);
}

static int delete (struct sim *sim, struct sim_call *call, struct sim_reply *reply)
{
	struct sim_generation *generation = find(sim, call);

	if (!generation)
		return refuse_unknown(call, reply);
	sim_generations_remove(sim->generations, generation);
	return sim_reply_json(reply, 200,
			      json_pack("{s:s,s:s,s:b}", "id", call->id, "object", "video.deleted", "deleted", 1));
}

static int get_content(struct sim *sim, struct sim_call *call, struct sim_reply *reply)
{
	static const char *const variants[][3] = {
		{"video", "mp4", "video/mp4"}, {"thumbnail", "jpg", "image/jpeg"}, {"spritesheet", "gif", "image/gif"}};
	const char *asked = sim_fields_find(&call->request->query, "variant");
	const struct sim_generation *generation = find(sim, call);

	if (!generation)
		return refuse_unknown(call, reply);
	if (state_of(sim, generation) != SIM_COMPLETED)
		return refuse_call(call, reply, 404, "not_ready", "The video is not ready yet.", NULL);
	for (size_t i = 0; i < sizeof(variants) / sizeof(variants[0]); i++)
		if (strcmp(asked ? asked : "video", variants[i][0]) == 0)
			return sim_files_send(sim, call, generation, variants[i][1], variants[i][2], reply);
	return refuse_call(call, reply, 400, "invalid_value", "There is no such variant.", "variant");
}

/* ---- the list ---- */

struct page {
	const struct sim_generation **items;
	size_t n;
	bool has_more;
};

/* Those behind @after in the order asked for, at most @limit. False: there is no video @after. */
static bool take_page(struct page *page, const char *after, size_t limit, bool is_rising)
{
	size_t first = 0;

	for (size_t i = 0; is_rising && i < page->n / 2; i++) {
		const struct sim_generation *other = page->items[i];

		page->items[i] = page->items[page->n - 1 - i];
		page->items[page->n - 1 - i] = other;
	}
	while (after && first < page->n && strcmp(page->items[first]->id, after) != 0)
		first++;
	if (after && first++ == page->n)
		return false;
	page->n -= first;
	memmove(page->items, page->items + first, page->n * sizeof(page->items[0]));
	page->has_more = page->n > limit;
	page->n = page->has_more ? limit : page->n;
	return true;
}

static int collect(struct sim *sim, struct page *page)
{
	struct sim_generation *generation = NULL;

	page->items = calloc(LIMIT_SIM_GENERATIONS, sizeof(page->items[0]));
	if (!page->items)
		return err_origin(-ENOMEM);
	while ((generation = sim_generations_older(sim->generations, generation)) != NULL &&
	       page->n < LIMIT_SIM_GENERATIONS)
		if (generation->collection == ours)
			page->items[page->n++] = generation;
	return 0;
}

static json_t *id_of(const struct page *page, size_t i)
{
	return page->n ? json_string(page->items[i]->id) : json_null();
}

static void page_finish(struct page *page)
{
	free(page->items);
}

static int list(struct sim *sim, struct sim_call *call, struct sim_reply *reply)
{
	const struct sim_fields *query = &call->request->query;
	const char *limit = sim_fields_find(query, "limit"), *order = sim_fields_find(query, "order");
	size_t most = limit ? strtoul(limit, NULL, 10) : LIST_DEFAULT;
	_cleanup_(page_finish) struct page page = {0};
	json_t *data = json_array();
	int r;

	if (most < 1 || most > LIST_MOST || (order && strcmp(order, "asc") != 0 && strcmp(order, "desc") != 0)) {
		json_decref(data);
		return refuse(reply, 400, "invalid_value", "limit is 1 to 100, order is asc or desc", "limit");
	}
	r = collect(sim, &page);
	if (r == 0 && !take_page(&page, sim_fields_find(query, "after"), most, order && strcmp(order, "asc") == 0))
		r = refuse(reply, 400, "invalid_value", "There is no such video to go on after", "after");
	if (r < 0 || reply->status) {
		json_decref(data);
		return r;
	}
	for (size_t i = 0; i < page.n; i++)
		json_array_append_new(data, describe_openai(sim, call, page.items[i]));
	return sim_reply_json(reply, 200,
			      json_pack("{s:s,s:o,s:o,s:o,s:b}", "object", "list", "data", data, "first_id",
					id_of(&page, 0), "last_id", id_of(&page, page.n - (page.n > 0)), "has_more",
					page.has_more));
}

static const struct sim_route routes[] = {
	{"POST", ours, create},
	{"GET", ours, list},
	{"GET", "/v1/videos/{id}", get},
	{"DELETE", "/v1/videos/{id}", delete},
	{"GET", "/v1/videos/{id}/content", get_content},
	{NULL, NULL, NULL},
};

static const struct sim_route openrouter_routes[] = {
	{"POST", theirs, create},
	{"GET", "/api/v1/videos/{id}", get},
	{"GET", "/api/v1/videos/{id}/content", get_content},
	{NULL, NULL, NULL},
};

static const char *const prefixes[] = {"/v1/videos", NULL};
static const char *const openrouter_prefixes[] = {"/api/v1/", NULL};

const struct sim_provider sim_openai = {
	.name = "openai",
	.prefixes = prefixes,
	.routes = routes,
	.admit = admit,
	.refuse = refuse,
	.code_not_found = "not_found",
	.code_bad_request = "invalid_body",
	.code_too_large = "invalid_body",
	.code_rate_limit = "rate_limit_exceeded",
	.code_internal = "server_error",
};

const struct sim_provider sim_openrouter = {
	.name = "openrouter",
	.prefixes = openrouter_prefixes,
	.routes = openrouter_routes,
	.admit = admit,
	.refuse = refuse_plainly,
	.code_not_found = "not_found",
	.code_bad_request = "invalid_body",
	.code_too_large = "invalid_body",
	.code_rate_limit = "rate_limit_exceeded",
	.code_internal = "server_error",
};
