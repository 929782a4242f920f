/*
 * Google's Veo: Vertex AI with its token endpoint and a stand-in for Cloud Storage, and the Gemini API's form of the same
 * calls. Facts are Google's reference, its own client libraries, and replies that others have published. Where nothing is
 * published, this file decides and README.md says so: delivered seconds are charged when an order is accepted, and
 * nothing else is.
 */
#include "sim/sim.h"

#include "base/log.h"
#include "sim/files.h"
#include "sim/inline.h"
#include "sim/json.h"
#include "sim/veo_order.h"

#define GRPC_INVALID_ARGUMENT 3
#define GRPC_INTERNAL 13
#define FILTER_REASON                                                                                        \
	"Veo could not generate %d videos based on the prompt provided. You will not be charged for this "   \
	"request. Try rephrasing the prompt. If you think this was an error, send feedback. Support codes: " \
	"42237218"

enum { SALT_SUBMIT = 2 };

static int refuse(struct sim_reply *reply, int status, const char *code, const char *message, const char *param)
{
	(void)param;
	return sim_reply_json(reply, status,
			      json_pack("{s:{s:i,s:s,s:s}}", "error", "code", status, "message", message, "status",
					code));
}

static int refuse_argument(struct sim_reply *reply, const char *message)
{
	return refuse(reply, 400, "INVALID_ARGUMENT", message, NULL);
}

static bool is_gemini(const struct sim_call *call)
{
	return strncmp(call->request->path, "/v1beta/", strlen("/v1beta/")) == 0;
}

/* ---- who may come in ---- */

static int admit_key(struct sim *sim, const struct sim_call *call, struct sim_reply *reply)
{
	const char *key = sim_fields_find(&call->request->headers, "X-Goog-Api-Key");

	if (key && strcmp(key, sim->options->api_key) == 0)
		return 0;
	if (!key)
		return refuse(reply, 403, "PERMISSION_DENIED",
			      "Method doesn't allow unregistered callers (callers without established identity).",
			      NULL);
	/* Google calls a wrong key a bad request. */
	return sim_reply_json(reply, 400,
			      json_pack("{s:{s:i,s:s,s:s,s:[{s:s,s:s,s:s}]}}", "error", "code", 400, "message",
					"API key not valid. Please pass a valid API key.", "status", "INVALID_ARGUMENT",
					"details", "@type", "type.googleapis.com/google.rpc.ErrorInfo", "reason",
					"API_KEY_INVALID", "domain", "googleapis.com"));
}

static int admit(struct sim *sim, struct sim_call *call, struct sim_reply *reply)
{
	if (strcmp(call->request->path, "/token") == 0)
		return 0;
	if (is_gemini(call))
		return admit_key(sim, call, reply);
	if (sim_google_knows(sim->google, call->request, sim_clock_utc_ms(&sim->clock)))
		return 0;
	return refuse(reply, 401, "UNAUTHENTICATED",
		      "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or "
		      "other valid authentication credential.",
		      NULL);
}

static int mint(struct sim *sim, struct sim_call *call, struct sim_reply *reply)
{
	return sim_google_mint(sim->google, call->request, sim_clock_utc_ms(&sim->clock), sim->options->token_life_s,
			       reply);
}

/* ---- ordering ---- */

static struct sim_picture picture_of(const struct sim *sim, const struct sim_veo_order *order)
{
	struct sim_picture picture = {
		.text = order->prompt ? order->prompt : "a picture moves",
		.width = order->width,
		.height = order->height,
		.fps = 24,
		.seconds = order->seconds,
		.format = SIM_FORMAT_MP4,
		.color = 0x402060,
	};

	sim_fit_picture(sim, &picture);
	return picture;
}

/* "bucket/folder" in an order is "bucket/folder/" from here on. */
static int copy_place(const char *storage, char **ret)
{
	if (!storage)
		return 0;
	if (asprintf(ret, "%s%s", storage, storage[strlen(storage) - 1] == '/' ? "" : "/") < 0)
		return err_origin(-ENOMEM);
	return 0;
}

/* Everything that becomes of the operation is decided here, since it decides what is charged. */
static void apply_twist(const struct sim_call *call, const struct sim_veo_order *order, char code[static 16],
			struct sim_generation *model)
{
	const struct sim_twist *twist = &call->twist;
	int grpc = order->has_odd_seconds ? GRPC_INVALID_ARGUMENT : twist->operation_code;
	int filtered = twist->failure_code ? order->samples : twist->filtered;

	model->samples = order->samples;
	model->filtered = filtered < order->samples ? filtered : order->samples;
	model->is_empty = twist->is_empty;
	model->failure_message = (char *)(uintptr_t)twist->failure_message;
	if (order->has_odd_seconds)
		model->failure_message = (char *)(uintptr_t) "Unsupported output video duration, supported durations "
							     "are [8,4,6] for feature text_to_video.";
	if (!grpc)
		return;
	snprintf(code, 16, "%d", grpc);
	model->failure_code = code;
}

static int make_generation(struct sim *sim, const struct sim_call *call, const struct sim_veo_order *order,
			   const struct sim_picture *picture, struct sim_generation **ret)
{
	_cleanup_(freep) char *place = NULL;
	struct sim_generation model = {.provider = sim_veo.name};
	char code[16];
	int r;

	r = copy_place(order->storage, &place);
	if (r < 0)
		return err_trace(r);
	model.place = place;
	model.is_inline = !place && !is_gemini(call);
	apply_twist(call, order, code, &model);
	return sim_order(sim, &call->twist, picture, &model, ret);
}

/* How many of its samples there are in the end. */
static int count_delivered(const struct sim_generation *generation)
{
	if (generation->failure_code || generation->is_empty)
		return 0;
	return generation->samples - generation->filtered;
}

static int charge(struct sim *sim, const struct sim_call *call, const struct sim_generation *generation,
		  const char *model)
{
	int64_t seconds = (int64_t)generation->seconds * count_delivered(generation);
	struct sim_charge row = {
		.provider = sim_veo.name,
		.video_id = generation->id,
		.text = generation->text,
		.body = buffer_bytes(&call->request->body),
		.type = model,
		.seconds = seconds,
		.cost_micros = seconds * sim->options->price_micros,
		.utc_ms = generation->created_utc_ms,
	};
	int r = seconds ? sim_charges_add(sim->charges, &row) : 0;

	if (r < 0)
		return err_trace(r);
	log_info("ordered", "operation", generation->name, "seconds", log_int(seconds));
	return 0;
}

/* The operation's name below the model's own resource, which is the path without version and method. */
static int name_operation(const struct sim_call *call, struct sim_generation *generation)
{
	const char *resource = strchr(call->request->path + 1, '/') + 1;
	_cleanup_(freep) char *name = NULL;

	if (asprintf(&name, "%.*s/operations/%s", (int)strcspn(resource, ":"), resource, generation->id) < 0)
		return err_origin(-ENOMEM);
	return sim_generation_set_name(generation, name);
}

static int refuse_depleted(struct sim_reply *reply)
{
	return refuse(
		reply, 429, "RESOURCE_EXHAUSTED",
		"Your prepayment credits are depleted. Please go to AI Studio to manage your project and billing.",
		NULL);
}

static int predict(struct sim *sim, struct sim_call *call, struct sim_reply *reply)
{
	const struct buffer *bytes = &call->request->body;
	_cleanup_(sim_json_freep)
		json_t *body = json_loadb(bytes->data ? bytes->data : "", bytes->len, JSON_REJECT_DUPLICATES, NULL);
	_cleanup_(freep) char *model = strndup(call->id, strcspn(call->id, ":"));
	struct sim_generation *generation;
	struct sim_veo_order order;
	struct sim_picture picture;
	struct errmsg msg = {0};
	int r;

	if (!body)
		return refuse_argument(reply, "Invalid JSON payload received.");
	r = sim_veo_order_read(body, is_gemini(call), &msg, &order);
	if (r == SIM_VEO_ORDER_E_INVALID)
		return refuse_argument(reply, msg.text);
	picture = picture_of(sim, &order);
	if (picture.seconds * order.samples * sim->options->price_micros > sim_credit_left_micros(sim))
		return refuse_depleted(reply);
	r = make_generation(sim, call, &order, &picture, &generation);
	if (r < 0)
		return err_trace(r);
	r = name_operation(call, generation);
	r = r ? r : charge(sim, call, generation, model ? model : "");
	if (r < 0) {
		sim_generations_remove(sim->generations, generation);
		return err_trace(r);
	}
	call->delay_ms = sim_pick_ms(sim, &sim->options->submit_ms, generation->number, SALT_SUBMIT);
	return sim_reply_json(reply, 200, json_pack("{s:s}", "name", generation->name));
}

/* ---- asking ---- */

/* The n-th sample in the bucket, as the object's name without bucket; the caller frees it. */
static char *object_of(const struct sim_generation *generation, int n)
{
	const char *folder = strchr(generation->place, '/') + 1;
	char *name;

	return asprintf(&name, "%s%s/sample_%d.mp4", folder, generation->id, n) < 0 ? NULL : name;
}

static json_t *video_of(const struct sim *sim, const struct sim_call *call, const struct sim_generation *generation,
			int n)
{
	_cleanup_(freep) char *object = generation->place ? object_of(generation, n) : NULL;
	const char *host = sim_fields_find(&call->request->headers, "Host");

	(void)sim;
	if (generation->is_inline)
		return json_pack("{s:s,s:s}", "bytesBase64Encoded", SIM_INLINE_VIDEO, "mimeType", "video/mp4");
	if (object)
		return json_pack("{s:o,s:s}", "gcsUri",
				 json_sprintf("gs://%.*s/%s", (int)strcspn(generation->place, "/"), generation->place,
					      object),
				 "mimeType", "video/mp4");
	/* A file's id is of lower-case letters and digits. */
	return json_pack("{s:{s:o}}", "video", "uri",
			 json_sprintf("http://%s/v1beta/files/%s%d:download?alt=media", host ? host : "",
				      generation->id + 2, n));
}

static void add_filtered(const struct sim_generation *generation, json_t *result)
{
	char reason[400];

	snprintf(reason, sizeof(reason), FILTER_REASON, generation->filtered);
	json_object_set_new(result, "raiMediaFilteredCount", json_integer(generation->filtered));
	json_object_set_new(result, "raiMediaFilteredReasons",
			    json_pack("[s]", generation->failure_message ? generation->failure_message : reason));
}

/* Without any video there is no list of them, but in the odd case that a fault asks for. */
static json_t *result_of(const struct sim *sim, const struct sim_call *call, const struct sim_generation *generation)
{
	const char *member = generation->place || generation->is_inline ? "videos" : "generatedSamples";
	json_t *result = json_object(), *videos = json_array();
	int delivered = count_delivered(generation);

	for (int i = 0; i < delivered; i++)
		json_array_append_new(videos, video_of(sim, call, generation, i));
	if (generation->filtered && !generation->is_empty)
		add_filtered(generation, result);
	if (delivered || generation->is_empty)
		json_object_set(result, member, videos);
	json_decref(videos);
	return result;
}

static void add_result(const struct sim *sim, const struct sim_call *call, const struct sim_generation *generation,
		       json_t *operation)
{
	json_t *result = result_of(sim, call, generation);

	json_object_set_new(operation, "done", json_true());
	if (generation->place || generation->is_inline) {
		json_object_set_new(result, "@type",
				    json_string("type.googleapis.com/cloud.ai.large_models.vision."
						"GenerateVideoResponse"));
		json_object_set_new(operation, "response", result);
		return;
	}
	json_object_set_new(operation, "response",
			    json_pack("{s:s,s:o}", "@type",
				      "type.googleapis.com/google.ai.generativelanguage.v1beta."
				      "PredictLongRunningResponse",
				      "generateVideoResponse", result));
}

static void add_error(const struct sim_generation *generation, json_t *operation)
{
	int code = generation->failure_code ? (int)strtol(generation->failure_code, NULL, 10) : 0;
	const char *message = generation->failure_message ? generation->failure_message
							  : "Internal error. Please try again later.";

	json_object_set_new(operation, "done", json_true());
	json_object_set_new(operation, "error",
			    json_pack("{s:i,s:s}", "code", code > 0 ? code : GRPC_INTERNAL, "message", message));
}

/* While it runs, "done" is absent at first and false later: proto3 leaves it out, and some replies have it. */
static int describe(struct sim *sim, const struct sim_call *call, const struct sim_generation *generation,
		    struct sim_reply *reply)
{
	json_t *operation = json_pack("{s:s}", "name", generation->name);

	switch (sim_generation_state(sim->generations, generation, sim_clock_monotonic_ms(&sim->clock))) {
	case SIM_PENDING:
		break;
	case SIM_PROCESSING:
		json_object_set_new(operation, "done", json_false());
		break;
	case SIM_COMPLETED:
		add_result(sim, call, generation, operation);
		if (generation->is_inline)
			return sim_inline_send(sim, generation, operation, call->twist.padding, reply);
		break;
	case SIM_FAILED:
		add_error(generation, operation);
		break;
	}
	return sim_reply_json(reply, 200, operation);
}

static const struct sim_generation *find(struct sim *sim, const char *id)
{
	const struct sim_generation *generation = sim_generations_find(sim->generations, id);

	return generation && strcmp(generation->provider, sim_veo.name) == 0 ? generation : NULL;
}

static int refuse_unknown(struct sim_reply *reply)
{
	return refuse(reply, 404, "NOT_FOUND", "The operation was not found.", NULL);
}

static int fetch(struct sim *sim, struct sim_call *call, struct sim_reply *reply)
{
	const struct buffer *bytes = &call->request->body;
	_cleanup_(sim_json_freep)
		json_t *body = json_loadb(bytes->data ? bytes->data : "", bytes->len, JSON_REJECT_DUPLICATES, NULL);
	const char *name = json_string_value(json_object_get(body, "operationName"));
	const char *slash = name ? strrchr(name, '/') : NULL;
	const char *resource = strchr(call->request->path + 1, '/') + 1;
	size_t len = strcspn(resource, ":");
	const struct sim_generation *generation;

	if (!slash)
		return refuse_argument(reply, "operationName is required");
	if (strncmp(name, resource, len) != 0 || strncmp(name + len, "/operations/", 12) != 0)
		return refuse_argument(reply, "The operation does not belong to this model");
	generation = find(sim, slash + 1);
	if (!generation || strcmp(generation->name, name) != 0)
		return refuse_unknown(reply);
	return describe(sim, call, generation, reply);
}

static int get_operation(struct sim *sim, struct sim_call *call, struct sim_reply *reply)
{
	const struct sim_generation *generation = find(sim, call->id);

	if (!generation || strcmp(generation->name, call->request->path + strlen("/v1beta/")) != 0)
		return refuse_unknown(reply);
	return describe(sim, call, generation, reply);
}

/* "MODEL:METHOD" */
static int call_model(struct sim *sim, struct sim_call *call, struct sim_reply *reply)
{
	const char *method = call->id + strcspn(call->id, ":");

	if (strncmp(call->id, "veo-", 4) != 0)
		return refuse(reply, 404, "NOT_FOUND", "Publisher Model was not found or is not available here", NULL);
	if (strcmp(method, ":predictLongRunning") == 0)
		return predict(sim, call, reply);
	if (strcmp(method, ":fetchPredictOperation") == 0 && !is_gemini(call))
		return fetch(sim, call, reply);
	return refuse(reply, 404, "NOT_FOUND", "There is no such method", NULL);
}

static int get_model(struct sim *sim, struct sim_call *call, struct sim_reply *reply)
{
	(void)sim;
	if (strncmp(call->id, "veo-", 4) != 0)
		return refuse(reply, 404, "NOT_FOUND", "The model is not found", NULL);
	return sim_reply_json(reply, 200, json_pack("{s:o}", "name", json_sprintf("models/%s", call->id)));
}

/* ---- results ---- */

static bool is_stored(struct sim *sim, const struct sim_generation *generation)
{
	return strcmp(generation->provider, sim_veo.name) == 0 && generation->place &&
	       sim_generation_state(sim->generations, generation, sim_clock_monotonic_ms(&sim->clock)) == SIM_COMPLETED;
}

/* "/storage/v1/b/BUCKET/…" */
static const char *bucket_of(const struct sim_call *call, size_t *ret_len)
{
	const char *bucket = call->request->path + strlen("/storage/v1/b/");

	*ret_len = strcspn(bucket, "/");
	return bucket;
}

static bool is_in_bucket(const struct sim_generation *generation, const char *bucket, size_t len)
{
	return strncmp(generation->place, bucket, len) == 0 && generation->place[len] == '/';
}

static void list_samples(const struct sim_generation *generation, const char *prefix, json_t *items)
{
	for (int i = 0; i < count_delivered(generation); i++) {
		_cleanup_(freep) char *name = object_of(generation, i);

		if (name && strncmp(name, prefix, strlen(prefix)) == 0)
			json_array_append_new(items, json_pack("{s:s,s:s,s:s}", "kind", "storage#object", "name", name,
							       "contentType", "video/mp4"));
	}
}

static int list_objects(struct sim *sim, struct sim_call *call, struct sim_reply *reply)
{
	const char *prefix = sim_fields_find(&call->request->query, "prefix");
	const char *most = sim_fields_find(&call->request->query, "maxResults");
	struct sim_generation *generation = NULL;
	size_t len, limit = most ? strtoul(most, NULL, 10) : 1000;
	const char *bucket = bucket_of(call, &len);
	json_t *items = json_array();

	while ((generation = sim_generations_older(sim->generations, generation)) != NULL &&
	       json_array_size(items) < limit)
		if (is_stored(sim, generation) && is_in_bucket(generation, bucket, len))
			list_samples(generation, prefix ? prefix : "", items);
	return sim_reply_json(reply, 200, json_pack("{s:s,s:o}", "kind", "storage#objects", "items", items));
}

/* %2F is what is left undecoded of a path. */
static void decode_slashes(char *text)
{
	char *out = text;

	for (; *text; text++) {
		bool is_slash = strncasecmp(text, "%2F", 3) == 0;

		*out++ = is_slash ? '/' : *text;
		text += is_slash ? 2 : 0;
	}
	*out = '\0';
}

/* The generation whose sample has this name; NULL: none. */
static const struct sim_generation *find_object(struct sim *sim, const char *object)
{
	const char *slash = strrchr(object, '/'), *id = slash;
	const struct sim_generation *generation;
	char text[SIM_VIDEO_ID_SIZE];

	while (id && id > object && id[-1] != '/')
		id--;
	if (!id || (size_t)(slash - id) >= sizeof(text))
		return NULL;
	memcpy(text, id, (size_t)(slash - id));
	text[slash - id] = '\0';
	generation = find(sim, text);
	if (!generation || !is_stored(sim, generation))
		return NULL;
	for (int i = 0; i < count_delivered(generation); i++) {
		_cleanup_(freep) char *name = object_of(generation, i);

		if (name && strcmp(name, object) == 0)
			return generation;
	}
	return NULL;
}

static int get_object(struct sim *sim, struct sim_call *call, struct sim_reply *reply)
{
	const char *alt = sim_fields_find(&call->request->query, "alt");
	const struct sim_generation *generation;
	const char *bucket;
	size_t len;

	bucket = bucket_of(call, &len);
	decode_slashes(call->id);
	generation = find_object(sim, call->id);
	if (!generation || !is_in_bucket(generation, bucket, len))
		return refuse(reply, 404, "NOT_FOUND", "No such object", NULL);
	if (!alt || strcmp(alt, "media") != 0)
		return refuse_argument(reply, "the simulator has no metadata of objects: ask with alt=media");
	if (call->twist.is_link_expired)
		return refuse(reply, 403, "PERMISSION_DENIED", "storage.objects.get is denied", NULL);
	return sim_files_send(sim, call, generation, "mp4", "video/mp4", reply);
}

/* "ID:download" leads to another host, which is not to see the key. */
static int get_file(struct sim *sim, struct sim_call *call, struct sim_reply *reply)
{
	size_t len = strcspn(call->id, ":");
	const struct sim_generation *generation;
	_cleanup_(freep) char *link = NULL;
	char id[sizeof(call->id) + 2];
	int n, r;

	if (len < 2 || strcmp(call->id + len, ":download") != 0)
		return refuse(reply, 404, "NOT_FOUND", "There is no such file", NULL);
	n = call->id[len - 1] - '0';
	snprintf(id, sizeof(id), "v_%.*s", (int)len - 1, call->id);
	generation = find(sim, id);
	if (!generation || n < 0 || n >= count_delivered(generation))
		return refuse(reply, 403, "PERMISSION_DENIED",
			      "You do not have permission to access the File or it may not exist.", NULL);
	link = sim_links_sign(sim->links, generation->id, "video.mp4",
			      sim_clock_utc_ms(&sim->clock) / 1000 + sim->options->link_life_s);
	if (!link)
		return err_origin(-ENOMEM);
	r = sim_reply_text(reply, 302, "text/plain", bytes_of_text(""));
	return r < 0 ? err_trace(r) : sim_fields_add(&reply->headers, "Location", link);
}

#define MODELS "/projects/{project}/locations/{location}/publishers/google/models/{call}"

static const struct sim_route routes[] = {
	{"POST", "/token", mint},
	{"POST", "/v1" MODELS, call_model},
	{"POST", "/v1beta1" MODELS, call_model},
	{"GET", "/storage/v1/b/{bucket}/o", list_objects},
	{"GET", "/storage/v1/b/{bucket}/o/{object}", get_object},
	{"POST", "/v1beta/models/{call}", call_model},
	{"GET", "/v1beta/models/{model}", get_model},
	{"GET", "/v1beta/models/{model}/operations/{id}", get_operation},
	{"GET", "/v1beta/files/{id}", get_file},
	{NULL, NULL, NULL},
};

static const char *const prefixes[] = {
	"/v1/projects/", "/v1beta1/projects/", "/v1beta/", "/storage/v1/", "/token", NULL};

const struct sim_provider sim_veo = {
	.name = "veo",
	.prefixes = prefixes,
	.routes = routes,
	.admit = admit,
	.refuse = refuse,
	.code_not_found = "NOT_FOUND",
	.code_bad_request = "INVALID_ARGUMENT",
	.code_too_large = "INVALID_ARGUMENT",
	.code_rate_limit = "RESOURCE_EXHAUSTED",
	.code_internal = "INTERNAL",
};
