/*
 * HeyGen, API v3: POST, GET and DELETE of /v3/videos, POST and GET of /v3/models/videos, /v3/users/me, the assets of
 * assets.c and the lists of heygen_lists.c. Facts and their sources are the provider's own
 * schema (the command line tool of July 2026) and published samples. Where nothing is published, this file decides and
 * README.md says so: a refused call leaves its idempotency key free, and a charge stands from acceptance on.
 */
#include "sim/sim.h"

#include "base/limits.h"
#include "base/log.h"
#include "sim/heygen_lists.h"
#include "sim/heygen_order.h"
#include "sim/hooks.h"
#include "sim/json.h"

#define AUDIO_SECONDS 5 /* the audio itself is never fetched */
#define LIST_DEFAULT 10
#define LIST_MOST 100

enum { SALT_SUBMIT = 2 };

static const char path_videos[] = "/v3/videos", path_model_videos[] = "/v3/models/videos";

static int refuse(struct sim_reply *reply, int status, const char *code, const char *message, const char *param)
{
	json_t *error = json_pack("{s:s,s:s}", "code", code, "message", message);

	if (error && param)
		json_object_set_new(error, "param", json_string(param));
	return sim_reply_json(reply, status, json_pack("{s:o}", "error", error));
}

/* A missing and a wrong key get the same bytes. */
static int admit(struct sim *sim, struct sim_call *call, struct sim_reply *reply)
{
	const char *key = sim_fields_find(&call->request->headers, "X-Api-Key");

	if (key && strcmp(key, sim->options->api_key) == 0)
		return 0;
	if (key && sim->options->second_key && strcmp(key, sim->options->second_key) == 0) {
		call->account = 1;
		return 0;
	}
	return refuse(reply, 401, "unauthorized", "The API key is missing or invalid", NULL);
}

static bool is_idempotency_key(const char *key)
{
	size_t len = strlen(key);

	return len >= 1 && len <= 255 &&
	       strspn(key, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-:.") == len;
}

static int seconds_of(const struct sim_heygen_order *order)
{
	if (order->seconds)
		return order->seconds;
	return order->script ? sim_picture_seconds(order->script, order->speed_permille) : AUDIO_SECONDS;
}

/* The rendered picture follows the order, but for what --small and --max-seconds take away. */
static struct sim_picture picture_of(const struct sim *sim, const struct sim_heygen_order *order)
{
	struct sim_picture picture = {
		.text = order->text,
		.width = order->width,
		.height = order->height,
		.fps = order->fps,
		.seconds = seconds_of(order),
		.format = order->format,
		.color = order->has_color ? order->color : 0x204060,
		.is_clear = order->format == SIM_FORMAT_WEBM,
		.has_captions = order->has_caption_style,
	};

	sim_fit_picture(sim, &picture);
	return picture;
}

static int make_generation(struct sim *sim, const struct sim_call *call, const struct sim_heygen_order *order,
			   const struct sim_picture *picture, const char *collection, struct sim_generation **ret)
{
	struct sim_generation model = {
		.provider = sim_heygen.name,
		.collection = collection,
		.account = call->account,
		.title = (char *)(uintptr_t)order->title,
		.width = order->width,
		.height = order->height,
		.ratio = order->ratio,
		.seed = order->seed,
		.has_subtitle = order->has_subtitle,
		.has_caption = order->has_caption_style,
		.failure_code = (char *)(uintptr_t)call->twist.failure_code,
		.failure_message = (char *)(uintptr_t)call->twist.failure_message,
	};

	return sim_order(sim, &call->twist, picture, &model, ret);
}

static int64_t cost_of(const struct sim *sim, const struct sim_heygen_order *order, int seconds)
{
	return order->price_micros ? order->price_micros : seconds * sim->options->price_micros;
}

/* The charge is on disk before anybody learns the id; without it there is no video. */
static int charge(struct sim *sim, const struct sim_call *call, struct sim_generation *generation,
		  const struct sim_heygen_order *order)
{
	struct sim_charge row = {
		.provider = sim_heygen.name,
		.video_id = generation->id,
		.idempotency_key = sim_fields_find(&call->request->headers, "Idempotency-Key"),
		.text = generation->text,
		.body = buffer_bytes(&call->request->body),
		.type = order->type,
		.seconds = generation->seconds,
		.cost_micros = cost_of(sim, order, generation->seconds),
		.utc_ms = generation->created_utc_ms,
	};
	int r;

	r = sim_charges_add(sim->charges, &row);
	if (r < 0) {
		sim_generations_remove(sim->generations, generation);
		return err_trace(r);
	}
	log_info("charged", "video", generation->id, "seconds", log_int(row.seconds), "key",
		 row.idempotency_key ? row.idempotency_key : "none");
	return 0;
}

static int refuse_crowd(struct sim *sim, struct sim_reply *reply, int64_t now_ms, int64_t ready_ms)
{
	int64_t wait_s = (ready_ms - now_ms + 999) / 1000;
	char seconds[24];
	int r;

	snprintf(seconds, sizeof(seconds), "%lld", (long long)(wait_s < 1 ? 1 : wait_s));
	r = refuse(reply, 429, "rate_limit_exceeded", "too many requests", NULL);
	(void)sim;
	return r < 0 ? err_trace(r) : sim_fields_add(&reply->headers, "Retry-After", seconds);
}

/* Room and money; 0 with an untouched reply when there is both. */
static int check_means(struct sim *sim, int64_t cost_micros, struct sim_reply *reply)
{
	int64_t now_ms = sim_clock_monotonic_ms(&sim->clock), ready_ms;
	size_t in_flight = sim_generations_in_flight(sim->generations, now_ms, &ready_ms);

	if ((int64_t)in_flight >= sim->options->concurrency)
		return refuse_crowd(sim, reply, now_ms, ready_ms);
	if (cost_micros > sim_credit_left_micros(sim))
		return refuse(reply, 402, "insufficient_credit", "Insufficient credit to create this video", NULL);
	return 0;
}

/* What a new video's order is answered with. */
static json_t *describe_new(const struct sim_generation *generation)
{
	if (generation->collection == path_model_videos)
		return json_pack("{s:s,s:s}", "status", "pending", "video_id", generation->id);
	return json_pack("{s:s,s:s,s:s}", "video_id", generation->id, "status", "waiting", "output_format",
			 generation->format == SIM_FORMAT_WEBM ? "webm" : "mp4");
}

/* An asset id somewhere in an order that was given here and is none any more; NULL: there is none such. */
static const char *unknown_asset(const struct sim *sim, const json_t *value)
{
	const char *name, *found = NULL;
	json_t *child;
	size_t i;

	json_array_foreach(value, i, child)
	{
		if (!found)
			found = unknown_asset(sim, child);
	}
	json_object_foreach((json_t *)(uintptr_t)value, name, child)
	{
		bool is_id = strcmp(name, "asset_id") == 0 || strcmp(name, "audio_asset_id") == 0;

		if (found)
			return found;
		if (is_id && json_is_string(child) && !sim_assets_know(sim->assets, json_string_value(child)))
			found = json_string_value(child);
		else
			found = unknown_asset(sim, child);
	}
	return found;
}

static int create_new(struct sim *sim, struct sim_call *call, const char *collection, struct sim_reply *reply)
{
	const struct buffer *bytes = &call->request->body;
	_cleanup_(sim_json_freep)
		json_t *body = json_loadb(bytes->data ? bytes->data : "", bytes->len, JSON_REJECT_DUPLICATES, NULL);
	struct sim_heygen_complaint complaint = {0};
	struct sim_heygen_order order;
	struct sim_generation *generation;
	struct sim_picture picture;
	int r;

	if (!body)
		return refuse(reply, 400, "invalid_parameter", "The body is not valid JSON", NULL);
	r = collection == path_model_videos ? sim_heygen_model_order_read(body, &complaint, &order)
					    : sim_heygen_order_read(body, &complaint, &order);
	if (r == SIM_HEYGEN_ORDER_E_INVALID)
		return refuse(reply, 400, "invalid_parameter", complaint.message.text, complaint.param);
	if (unknown_asset(sim, body))
		return refuse(reply, 404, "asset_not_found", "Asset with the given ID was not found", NULL);
	picture = picture_of(sim, &order);
	r = check_means(sim, cost_of(sim, &order, picture.seconds), reply);
	if (r < 0 || reply->status)
		return r;
	r = make_generation(sim, call, &order, &picture, collection, &generation);
	r = r ? r : charge(sim, call, generation, &order);
	if (r < 0)
		return err_trace(r);

	call->delay_ms = sim_pick_ms(sim, &sim->options->submit_ms, generation->number, SALT_SUBMIT);
	return sim_reply_json(reply, 200, json_pack("{s:o}", "data", describe_new(generation)));
}

static int create(struct sim *sim, struct sim_call *call, const char *collection, struct sim_reply *reply)
{
	const char *key = sim_fields_find(&call->request->headers, "Idempotency-Key");
	int64_t now_ms = sim_clock_utc_ms(&sim->clock);
	char name[300];
	int r;

	if (!key)
		return create_new(sim, call, collection, reply);
	if (!is_idempotency_key(key))
		return refuse(reply, 400, "invalid_parameter", "Idempotency-Key must match ^[A-Za-z0-9_\\-:.]{1,255}$",
			      "Idempotency-Key");
	snprintf(name, sizeof(name), "heygen %u POST %s %s", call->account, collection, key);
	r = sim_replays_find(sim->replays, name, now_ms, reply);
	if (r == SIM_REPLAYS_E_RUNNING)
		return refuse(reply, 409, "request_in_progress",
			      "A request with this Idempotency-Key is still in progress", NULL);
	if (r != SIM_REPLAYS_E_UNKNOWN)
		return r;
	r = create_new(sim, call, collection, reply);
	if (r < 0 || reply->status != 200)
		return r;
	return sim_replays_add(sim->replays, name, now_ms, now_ms + call->delay_ms + call->late_ms, reply);
}

static int create_video(struct sim *sim, struct sim_call *call, struct sim_reply *reply)
{
	return create(sim, call, path_videos, reply);
}

static int create_model_video(struct sim *sim, struct sim_call *call, struct sim_reply *reply)
{
	return create(sim, call, path_model_videos, reply);
}

static int add_link(struct sim *sim, const struct sim_call *call, const struct sim_generation *generation,
		    json_t *video, const char *member, const char *name)
{
	int64_t now_s = sim_clock_utc_ms(&sim->clock) / 1000;
	int64_t expires_s = call->twist.is_link_expired ? now_s - 1 : now_s + sim->options->link_life_s;
	_cleanup_(freep) char *link = sim_links_sign(sim->links, generation->id, name, expires_s);

	if (!link || json_object_set_new(video, member, json_string(link)) < 0)
		return err_origin(-ENOMEM);
	return 0;
}

static int add_result(struct sim *sim, const struct sim_call *call, const struct sim_generation *generation,
		      json_t *video)
{
	bool is_webm = generation->format == SIM_FORMAT_WEBM;
	int64_t completed_ms = sim_generation_completed_utc_ms(sim->generations, generation);
	int r;

	json_object_set_new(video, "completed_at", json_integer(completed_ms / 1000));
	json_object_set_new(video, "duration", json_real(generation->seconds));
	if (call->twist.is_link_missing)
		return 0;
	r = add_link(sim, call, generation, video, "video_url", is_webm ? "video.webm" : "video.mp4");
	r = r ? r : add_link(sim, call, generation, video, "thumbnail_url", "thumbnail.jpg");
	r = r ? r : add_link(sim, call, generation, video, "gif_url", "preview.gif");
	if (r == 0 && generation->has_subtitle)
		r = add_link(sim, call, generation, video, "subtitle_url", "subtitle.srt");
	if (r == 0 && generation->has_caption)
		r = add_link(sim, call, generation, video, "captioned_video_url",
			     is_webm ? "captioned.webm" : "captioned.mp4");
	return r < 0 ? err_trace(r) : 0;
}

static void add_failure(const struct sim_generation *generation, json_t *video)
{
	const char *code = generation->failure_code ? generation->failure_code : "generation_failed";
	const char *message = generation->failure_message ? generation->failure_message : "Generation did not finish.";

	json_object_set_new(video, "failure_code", json_string(code));
	json_object_set_new(video, "failure_message", json_string(message));
}

/* All members in every state, null where there is nothing to say: as the published samples have it. */
static int describe(struct sim *sim, const struct sim_call *call, const struct sim_generation *generation, json_t **ret)
{
	static const char *const names[] = {"pending", "processing", "completed", "failed"};
	enum sim_generation_state state = sim_generation_state(sim->generations, generation,
							       sim_clock_monotonic_ms(&sim->clock));
	json_t *video = json_pack("{s:s,s:s?,s:s,s:I,s:n,s:n,s:n,s:n,s:n,s:n,s:n,s:n,s:n,s:n,s:n,s:n}", "id",
				  generation->id, "title", generation->title, "status", names[state], "created_at",
				  (json_int_t)(generation->created_utc_ms / 1000), "completed_at", "video_url",
				  "thumbnail_url", "gif_url", "captioned_video_url", "subtitle_url", "duration",
				  "folder_id", "output_language", "failure_code", "failure_message", "video_page_url");
	int r = 0;

	if (!video)
		return err_origin(-ENOMEM);
	if (state == SIM_COMPLETED)
		r = add_result(sim, call, generation, video);
	if (state == SIM_FAILED)
		add_failure(generation, video);
	if (r < 0) {
		json_decref(video);
		return err_trace(r);
	}

	*ret = video;
	return 0;
}

static int refuse_unknown(struct sim_reply *reply)
{
	return refuse(reply, 404, "video_not_found", "Video with the given ID was not found", NULL);
}

static int add_model_result(struct sim *sim, const struct sim_call *call, const struct sim_generation *generation,
			    json_t *video)
{
	json_int_t seed = generation->seed < 0 ? (json_int_t)generation->number : (json_int_t)generation->seed;
	json_t *facts = json_pack("{s:i,s:i,s:i,s:s,s:I,s:{s:f}}", "duration", generation->seconds, "width",
				  generation->width, "height", generation->height, "aspect_ratio", generation->ratio,
				  "seed", seed, "timings", "inference", 3.7);

	if (!facts || json_object_update_new(video, facts) < 0)
		return err_origin(-ENOMEM);
	if (call->twist.is_link_missing)
		return 0;
	return add_link(sim, call, generation, video, "video_url", "video.mp4");
}

/* Only what there is to say in this state, as the published samples have it. */
static int describe_model(struct sim *sim, const struct sim_call *call, const struct sim_generation *generation,
			  json_t **ret)
{
	static const char *const names[] = {"pending", "processing", "completed", "failed"};
	enum sim_generation_state state = sim_generation_state(sim->generations, generation,
							       sim_clock_monotonic_ms(&sim->clock));
	bool is_cancelled = state == SIM_FAILED && generation->is_cancelled;
	json_t *video = json_pack("{s:s}", "status", is_cancelled ? "cancelled" : names[state]);
	int r = 0;

	if (!video)
		return err_origin(-ENOMEM);
	if (state == SIM_FAILED)
		add_failure(generation, video);
	if (state == SIM_COMPLETED)
		r = add_model_result(sim, call, generation, video);
	if (r < 0) {
		json_decref(video);
		return err_trace(r);
	}

	*ret = video;
	return 0;
}

static struct sim_generation *find(struct sim *sim, const struct sim_call *call, const char *collection)
{
	struct sim_generation *generation = sim_generations_find(sim->generations, call->id);

	return generation && generation->collection == collection && generation->account == call->account ? generation
													  : NULL;
}

static int get(struct sim *sim, struct sim_call *call, const char *collection, struct sim_reply *reply)
{
	struct sim_generation *generation = find(sim, call, collection);
	json_t *video;
	int r;

	if (!generation)
		return refuse_unknown(reply);
	if (call->twist.failure_code) {
		generation->begins_ms = generation->ready_ms = generation->created_ms;
		r = sim_generation_fail(generation, call->twist.failure_code, call->twist.failure_message);
		if (r < 0)
			return err_trace(r);
	}
	r = collection == path_model_videos ? describe_model(sim, call, generation, &video)
					    : describe(sim, call, generation, &video);
	if (r < 0)
		return err_trace(r);
	return sim_reply_json(reply, 200, json_pack("{s:o}", "data", video));
}

static int get_video(struct sim *sim, struct sim_call *call, struct sim_reply *reply)
{
	return get(sim, call, path_videos, reply);
}

static int get_model_video(struct sim *sim, struct sim_call *call, struct sim_reply *reply)
{
	return get(sim, call, path_model_videos, reply);
}

static int delete (struct sim *sim, struct sim_call *call, struct sim_reply *reply)
{
	struct sim_generation *generation = find(sim, call, path_videos);

	if (!generation)
		return refuse_unknown(reply);
	sim_generations_remove(sim->generations, generation);
	return sim_reply_json(reply, 200, json_pack("{s:{s:s,s:b}}", "data", "id", call->id, "deleted", 1));
}

/* A number from the query within [@min, @max]; @standard when absent. */
static bool query_number(const struct sim_call *call, const char *name, uint64_t standard, uint64_t most, uint64_t *ret)
{
	const char *text = sim_fields_find(&call->request->query, name);
	char *end;

	*ret = standard;
	if (!text)
		return true;
	errno = 0;
	*ret = strtoull(text, &end, 10);
	return !errno && end != text && !*end && *text != '-' && *ret >= 1 && *ret <= most;
}

static bool is_listed(const struct sim_generation *generation, const struct sim_call *call, uint64_t below)
{
	const char *title = sim_fields_find(&call->request->query, "title");

	if (generation->number >= below || generation->collection != path_videos ||
	    generation->account != call->account)
		return false;
	if (sim_fields_find(&call->request->query, "folder_id"))
		return false; /* nothing is ever put into a folder */
	return !title || (generation->title && strstr(generation->title, title));
}

/* The token is the number of the last one shown: newer arrivals do not move a page. */
static int list(struct sim *sim, struct sim_call *call, struct sim_reply *reply)
{
	_cleanup_(sim_json_freep) json_t *videos = json_array();
	struct sim_generation *generation = NULL;
	uint64_t limit, below, last = 0;
	char token[24] = "";
	json_t *video;
	int r;

	if (!query_number(call, "limit", LIST_DEFAULT, LIST_MOST, &limit))
		return refuse(reply, 400, "invalid_parameter", "limit must be between 1 and 100", "limit");
	if (!query_number(call, "token", UINT64_MAX, UINT64_MAX, &below))
		return refuse(reply, 400, "invalid_parameter", "token is not from an earlier reply", "token");
	while ((generation = sim_generations_older(sim->generations, generation)) != NULL) {
		if (!is_listed(generation, call, below))
			continue;
		if (json_array_size(videos) == limit) {
			snprintf(token, sizeof(token), "%llu", (unsigned long long)last);
			break;
		}
		r = describe(sim, call, generation, &video);
		if (r < 0)
			return err_trace(r);
		json_array_append_new(videos, video);
		last = generation->number;
	}
	return sim_reply_json(reply, 200,
			      json_pack("{s:O,s:b,s:s?}", "data", videos, "has_more", *token != '\0', "next_token",
					*token ? token : NULL));
}

static int me(struct sim *sim, struct sim_call *call, struct sim_reply *reply)
{
	int64_t left = sim_credit_left_micros(sim);
	json_t *balance = left % 1000000 == 0 ? json_integer(left / 1000000) : json_real((double)left / 1000000);

	(void)call;
	return sim_reply_json(reply, 200,
			      json_pack("{s:{s:s,s:s,s:s,s:s,s:s,s:{s:s,s:o,s:{s:b,s:n,s:n}},s:n,s:n}}", "data",
					"username", "filmgate-sim", "email", "sim@example.com", "first_name",
					"Filmgate", "last_name", "Simulator", "billing_type", "wallet", "wallet",
					"currency", "usd", "remaining_balance", balance, "auto_reload", "enabled", 0,
					"amount_usd", "threshold_usd", "subscription", "usage_based"));
}

/* ---- webhook endpoints ---- */

static int add_endpoint(struct sim *sim, struct sim_call *call, struct sim_reply *reply)
{
	const struct buffer *bytes = &call->request->body;
	_cleanup_(sim_json_freep)
		json_t *body = json_loadb(bytes->data ? bytes->data : "", bytes->len, JSON_REJECT_DUPLICATES, NULL);
	const char *url = json_string_value(json_object_get(body, "url"));
	struct sim_hook_endpoint *endpoint;
	int r;

	/* HeyGen takes https alone; here it is loopback. */
	if (!url || strncmp(url, "http://", 7) != 0)
		return refuse(reply, 400, "invalid_parameter", "url must be an http URL in this simulator", "url");
	r = sim_hooks_add(sim->hooks, url, call->account, &endpoint);
	if (r == SIM_HOOKS_E_INVALID)
		return refuse(reply, 400, "invalid_parameter", "too many endpoints", "url");
	return r < 0 ? err_trace(r)
		     : sim_reply_json(reply, 200, json_pack("{s:o}", "data", sim_hooks_describe(endpoint, true)));
}

static int list_endpoints(struct sim *sim, struct sim_call *call, struct sim_reply *reply)
{
	return sim_reply_json(reply, 200, json_pack("{s:o}", "data", sim_hooks_list(sim->hooks, call->account)));
}

static int refuse_endpoint(struct sim_reply *reply)
{
	return refuse(reply, 404, "webhook_not_found", "Webhook endpoint not found", NULL);
}

static int rotate_endpoint(struct sim *sim, struct sim_call *call, struct sim_reply *reply)
{
	struct sim_hook_endpoint *endpoint = sim_hooks_find(sim->hooks, call->id, call->account);

	if (!endpoint)
		return refuse_endpoint(reply);
	sim_hooks_rotate(endpoint);
	return sim_reply_json(reply, 200, json_pack("{s:o}", "data", sim_hooks_describe(endpoint, true)));
}

static int delete_endpoint(struct sim *sim, struct sim_call *call, struct sim_reply *reply)
{
	struct sim_hook_endpoint *endpoint = sim_hooks_find(sim->hooks, call->id, call->account);

	if (!endpoint)
		return refuse_endpoint(reply);
	sim_hooks_remove(sim->hooks, endpoint);
	return sim_reply_json(reply, 200, json_pack("{s:{s:s,s:b}}", "data", "endpoint_id", call->id, "deleted", 1));
}

static const struct sim_route routes[] = {
	{"POST", path_videos, create_video},
	{"GET", path_videos, list},
	{"GET", "/v3/videos/{id}", get_video},
	{"DELETE", "/v3/videos/{id}", delete},
	{"POST", path_model_videos, create_model_video},
	{"GET", "/v3/models/videos/{id}", get_model_video},
	{"GET", "/v3/users/me", me},
	{"POST", "/v3/webhooks/endpoints", add_endpoint},
	{"GET", "/v3/webhooks/endpoints", list_endpoints},
	{"POST", "/v3/webhooks/endpoints/{id}/rotate-secret", rotate_endpoint},
	{"DELETE", "/v3/webhooks/endpoints/{id}", delete_endpoint},
	{"POST", "/v3/assets", sim_assets_upload},
	{"POST", "/v3/assets/direct-uploads", sim_assets_place},
	{"POST", "/v3/assets/{id}/complete", sim_assets_complete},
	{"GET", "/v3/assets/{id}", sim_assets_get},
	{"DELETE", "/v3/assets/{id}", sim_assets_delete},
	{"GET", "/v3/voices", sim_heygen_voices},
	{"GET", "/v3/avatars", sim_heygen_avatars},
	{"GET", "/v3/avatars/looks", sim_heygen_looks},
	{NULL, NULL, NULL},
};

static const char *const prefixes[] = {"/v3/", NULL};

const struct sim_provider sim_heygen = {
	.name = "heygen",
	.prefixes = prefixes,
	.routes = routes,
	.admit = admit,
	.refuse = refuse,
	.code_not_found = "not_found",
	.code_bad_request = "invalid_parameter",
	.code_too_large = "payload_too_large",
	.code_rate_limit = "rate_limit_exceeded",
	.code_internal = "internal_error",
};
