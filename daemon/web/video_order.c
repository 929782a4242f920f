#include "web/video_order.h"

#include "base/base64.h"
#include "base/err.h"
#include "base/json.h"
#include "base/quote.h"
#include "protojson/protojson.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

int video_refuse(struct video_fault *fault, const char *param, const char *format, ...)
{
	va_list args;

	fault->param = param;
	va_start(args, format);
	vsnprintf(fault->text, sizeof(fault->text), format, args);
	va_end(args);
	return VIDEO_E_INVALID;
}

void video_order_finish(struct video_order *order)
{
	buffer_finish(&order->file);
	order->file = (struct buffer){0};
}

/* ---- what was said ---- */

/* The fields that are texts in both forms. NULL: there is none of that name. */
static const char **text_of(struct video_order *order, const char *name)
{
	const struct {
		const char *name;
		const char **text;
	} texts[] = {{"prompt", &order->prompt},
		     {"model", &order->model},
		     {"seconds", &order->seconds},
		     {"size", &order->size},
		     {"parameters", &order->parameters},
		     {"input_reference[image_url]", &order->reference_url},
		     {"input_reference[file_id]", &order->reference_id}};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (strcmp(texts[i].name, name) == 0)
			return texts[i].text;
	return NULL;
}

static int refuse_name(struct video_fault *fault, const char *name)
{
	return video_refuse(
		fault, NULL,
		"'%s' is no field of an order: prompt, model, seconds, size and input_reference are, and parameters, "
		"which takes filmgate.v1.JobParameters as JSON",
		quote(name).text);
}

/* "data:image/png;base64,…" */
static int take_data_url(struct video_order *order, struct arena *arena, struct video_fault *fault)
{
	const char *type = order->reference_url + strlen("data:"), *comma = strchr(type, ',');
	size_t len = strcspn(type, ";,");
	int r;

	if (!comma || comma - type < 7 || strncasecmp(comma - 7, ";base64", 7) != 0 || len == 0 || len > 63)
		return video_refuse(fault, "input_reference", "a data URL has to be data:TYPE;base64,DATA");
	r = base64_read(bytes_of_text(comma + 1), &order->file);
	if (r == BASE64_E_INVALID || (r == 0 && order->file.len == 0))
		return video_refuse(fault, "input_reference", "what the data URL holds is not base64");
	order->file_type = arena_printf(arena, "%.*s", (int)len, type);
	order->reference_url = NULL;
	return r < 0 ? err_trace(r) : 0;
}

/* What both forms have in common, once they are read. */
static int check(struct video_order *order, struct arena *arena, struct video_fault *fault)
{
	const char *const texts[] = {order->prompt,     order->model,         order->seconds,     order->size,
				     order->parameters, order->reference_url, order->reference_id};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (texts[i] && !bytes_are_text(bytes_of_text(texts[i])))
			return video_refuse(fault, NULL, "a field is not UTF-8");
	if (!order->model || !*order->model)
		return video_refuse(fault, "model", "is required: PROVIDER/MODEL, or a name of web.models");
	if ((order->reference_url != NULL) + (order->reference_id != NULL) + (order->file.len > 0) > 1)
		return video_refuse(fault, "input_reference",
				    "give a file, an image_url or a file_id, and not two of them");
	if (order->reference_url && strncasecmp(order->reference_url, "data:", 5) == 0)
		return take_data_url(order, arena, fault);
	return 0;
}

static int take_field(struct form_field *field, struct arena *arena, struct video_order *ret, struct video_fault *fault)
{
	const char **text = text_of(ret, field->name);

	if (strcmp(field->name, "input_reference") == 0) {
		if (!field->is_file)
			return video_refuse(fault, "input_reference", "is no file: send it with a filename");
		ret->file = field->value;
		field->value = (struct buffer){0};
		ret->file_name = arena_dup_text(arena, field->file_name);
		ret->file_type = arena_dup_text(arena, field->media_type);
		return 0;
	}
	if (!text)
		return refuse_name(fault, field->name);
	if (field->value.len && memchr(field->value.data, '\0', field->value.len))
		return video_refuse(fault, NULL, "the field '%s' holds a NUL", quote(field->name).text);
	*text = arena_dup_text(arena, field->value.data);
	return 0;
}

int video_order_of_form(struct form *form, struct arena *arena, struct video_order *ret, struct video_fault *fault)
{
	int r = 0;

	*ret = (struct video_order){0};
	for (size_t i = 0; i < form->n && r == 0; i++)
		r = take_field(&form->fields[i], arena, ret, fault);
	return r ? r : check(ret, arena, fault);
}

static int take_reference(const struct json *json, json_node node, struct arena *arena, struct video_order *ret,
			  struct video_fault *fault)
{
	if (json_kind(json, node) != JSON_KIND_OBJECT)
		return video_refuse(fault, "input_reference",
				    "has to be {\"image_url\": …} or {\"file_id\": …}; a file comes as "
				    "multipart/form-data");
	for (json_node n = json_first(json, node); n; n = json_next(json, n)) {
		char name[64];
		const char **text;

		snprintf(name, sizeof(name), "input_reference[%.40s]", json_name(json, n));
		text = text_of(ret, name);
		if (json_kind(json, n) == JSON_KIND_NULL)
			continue;
		if (!text || json_kind(json, n) != JSON_KIND_TEXT)
			return video_refuse(fault, "input_reference",
					    "has to be {\"image_url\": text} or {\"file_id\": text}");
		*text = arena_dup_text(arena, json_string(json, n));
	}
	return 0;
}

static int take_parameters(const struct json *json, json_node node, struct arena *arena, struct video_order *ret,
			   struct video_fault *fault)
{
	struct buffer text = {0};
	int r;

	if (json_kind(json, node) != JSON_KIND_OBJECT)
		return video_refuse(fault, "parameters", "has to be an object: filmgate.v1.JobParameters");
	r = json_write(json, node, JSON_FORM_PLAIN, &text);
	if (r == 0)
		ret->parameters = arena_dup_text(arena, text.data);
	buffer_finish(&text);
	return r > 0 ? video_refuse(fault, "parameters", "%s", json_outcome_text(r)) : r;
}

static int take_member(const struct json *json, json_node n, struct arena *arena, struct video_order *ret,
		       struct video_fault *fault)
{
	const char *name = json_name(json, n);
	const char **text = strchr(name, '[') ? NULL : text_of(ret, name);
	enum json_kind kind = json_kind(json, n);

	if (kind == JSON_KIND_NULL)
		return 0;
	if (strcmp(name, "input_reference") == 0)
		return take_reference(json, n, arena, ret, fault);
	if (strcmp(name, "parameters") == 0)
		return take_parameters(json, n, arena, ret, fault);
	if (!text)
		return refuse_name(fault, name);
	if (kind != JSON_KIND_TEXT && !(kind == JSON_KIND_NUMBER && text == &ret->seconds))
		return video_refuse(fault, NULL, "the field '%s' has to be a text", quote(name).text);
	*text = arena_dup_text(arena, json_string(json, n));
	return 0;
}

int video_order_of_json(struct bytes body, struct arena *arena, struct video_order *ret, struct video_fault *fault)
{
	const struct json_limits limits = {.bytes = LIMIT_WEB_FORM};
	_cleanup_(json_freep) struct json *json = json_new(&limits);
	struct errmsg error = {""};
	json_node root;
	int r;

	*ret = (struct video_order){0};
	if (!json)
		return err_origin(-ENOMEM);
	r = json_parse(json, body, JSON_DUPLICATES_REFUSE, &root, &error);
	if (r < 0)
		return err_trace(r);
	if (r || json_kind(json, root) != JSON_KIND_OBJECT)
		return video_refuse(fault, NULL, "the body is no JSON object%s%s", r ? ": " : "", r ? error.text : "");
	for (json_node n = json_first(json, root); n && r == 0; n = json_next(json, n))
		r = take_member(json, n, arena, ret, fault);
	return r ? r : check(ret, arena, fault);
}

/* ---- which model ---- */

static const char *follow_alias(const struct guard_list *aliases, const char *name)
{
	size_t len = strlen(name);

	for (size_t i = 0; i < aliases->n; i++)
		if (strncmp(aliases->items[i], name, len) == 0 && aliases->items[i][len] == '=')
			return aliases->items[i] + len + 1;
	return name;
}

int video_order_find_model(struct video_order *order, const struct guard_list *aliases, struct arena *arena,
			   struct video_fault *fault)
{
	const char *name = follow_alias(aliases, order->model), *slash = strchr(name, '/');

	if (!slash || slash == name || !slash[1])
		return video_refuse(
			fault, "model",
			"'%s' is neither PROVIDER/MODEL, such as veo/veo-3.1-generate-001, nor a name of web.models",
			quote(order->model).text);
	order->provider = arena_printf(arena, "providers/%.*s", (int)(slash - name), name);
	order->provider_model = slash + 1;
	return 0;
}

/* ---- in our own words ---- */

/* What the manifest says of the ordered model. */
struct model {
	struct json *json;
	json_node parameters, media; /* absent: it has none, or there is no such model, which the engine says better */
};

static int find_model(const char *manifest, const char *name, struct model *ret)
{
	json_node root, models;
	int r;

	*ret = (struct model){.json = json_new(NULL)};
	if (!ret->json)
		return err_origin(-ENOMEM);
	r = json_parse(ret->json, bytes_of_text(manifest), JSON_DUPLICATES_REFUSE, &root, NULL);
	if (r)
		return r < 0 ? err_trace(r) : 0;
	models = json_member(ret->json, root, bytes_of_text("models"));
	for (json_node n = json_first(ret->json, models); n; n = json_next(ret->json, n)) {
		if (!json_text_is(ret->json, json_member(ret->json, n, bytes_of_text("name")), name))
			continue;
		ret->parameters = json_member(ret->json, n, bytes_of_text("parameters"));
		ret->media = json_member(ret->json, n, bytes_of_text("media"));
	}
	return 0;
}

static bool has(const struct model *model, const char *parameter)
{
	return json_member(model->json, model->parameters, bytes_of_text(parameter)) != JSON_ABSENT;
}

static int put_prompt(const struct video_order *order, const struct model *model, struct arena *arena,
		      Filmgate__V1__JobParameters *to, struct video_fault *fault)
{
	char *text = arena_dup_text(arena, order->prompt);

	if (!order->prompt)
		return 0;
	if (has(model, "prompt") || !has(model, "script.text")) {
		if (*to->prompt)
			return video_refuse(fault, "prompt", "is in parameters, too: leave one of them out");
		to->prompt = text;
		return 0;
	}
	/* Who only speaks is told what to say. */
	if (to->script)
		return video_refuse(fault, "prompt",
				    "is what is spoken, and parameters have a script: leave one of them out");
	to->script = arena_need(arena, sizeof(*to->script));
	filmgate__v1__script__init(to->script);
	to->script->content_case = FILMGATE__V1__SCRIPT__CONTENT_TEXT;
	to->script->text = text;
	return 0;
}

static int put_seconds(const struct video_order *order, struct arena *arena, Filmgate__V1__JobParameters *to,
		       struct video_fault *fault)
{
	int64_t ms;

	if (!order->seconds)
		return 0;
	if (to->duration)
		return video_refuse(fault, "seconds", "is in parameters as duration, too: leave one of them out");
	if (decimal_parse(bytes_of_text(order->seconds), 3, &ms) != 0 || ms <= 0)
		return video_refuse(fault, "seconds", "'%s' is no number of seconds, such as 8",
				    quote(order->seconds).text);
	to->duration = arena_need(arena, sizeof(*to->duration));
	google__protobuf__duration__init(to->duration);
	to->duration->seconds = ms / 1000;
	to->duration->nanos = (int32_t)(ms % 1000 * 1000000);
	return 0;
}

static uint32_t common_divisor(uint32_t a, uint32_t b)
{
	while (b) {
		uint32_t rest = a % b;

		a = b;
		b = rest;
	}
	return a;
}

static bool parse_size(const char *text, uint32_t *ret_width, uint32_t *ret_height)
{
	size_t width = strspn(text, "0123456789"), height = strspn(text + width + (text[width] == 'x'), "0123456789");

	if (width < 1 || width > 5 || text[width] != 'x' || height < 1 || height > 5 || text[width + 1 + height])
		return false;
	*ret_width = (uint32_t)strtoul(text, NULL, 10);
	*ret_height = (uint32_t)strtoul(text + width + 1, NULL, 10);
	return *ret_width && *ret_height;
}

/* Models that know no pixels know shapes and classes: 1280x720 is 16:9 in 720p. What they do not have, they refuse. */
static void put_shape(uint32_t width, uint32_t height, struct arena *arena, Filmgate__V1__JobParameters *to)
{
	uint32_t divisor = common_divisor(width, height), lines = width < height ? width : height;

	to->aspect_ratio = arena_printf(arena, "%u:%u", width / divisor, height / divisor);
	to->picture_size_case = FILMGATE__V1__JOB_PARAMETERS__PICTURE_SIZE_RESOLUTION;
	to->resolution = lines == 2160 ? arena_dup_text(arena, "4k") : arena_printf(arena, "%up", lines);
}

static int put_size(const struct video_order *order, const struct model *model, struct arena *arena,
		    Filmgate__V1__JobParameters *to, struct video_fault *fault)
{
	uint32_t width, height;

	if (!order->size)
		return 0;
	if (to->picture_size_case || *to->aspect_ratio)
		return video_refuse(fault, "size",
				    "is in parameters as size, resolution or aspect_ratio, too: leave one out");
	if (!parse_size(order->size, &width, &height))
		return video_refuse(fault, "size", "'%s' is not WIDTHxHEIGHT, such as 1280x720",
				    quote(order->size).text);
	if (!has(model, "size.width")) {
		put_shape(width, height, arena, to);
		return 0;
	}
	to->picture_size_case = FILMGATE__V1__JOB_PARAMETERS__PICTURE_SIZE_SIZE;
	to->size = arena_need(arena, sizeof(*to->size));
	filmgate__v1__frame_size__init(to->size);
	to->size->width = width;
	to->size->height = height;
	return 0;
}

/* ---- the reference ---- */

static Filmgate__V1__MediaKind kind_of(const struct video_order *order)
{
	const char *type = order->file_type ? order->file_type : "";

	return strncasecmp(type, "video/", 6) == 0   ? FILMGATE__V1__MEDIA_KIND__MEDIA_KIND_VIDEO
	       : strncasecmp(type, "audio/", 6) == 0 ? FILMGATE__V1__MEDIA_KIND__MEDIA_KIND_AUDIO
						     : FILMGATE__V1__MEDIA_KIND__MEDIA_KIND_IMAGE;
}

/* What a reference is to the model: how the video begins, if that is possible, else what it is made from. */
static Filmgate__V1__MediaRole role_for(const struct model *model, Filmgate__V1__MediaKind kind)
{
	static const struct {
		const char *word;
		Filmgate__V1__MediaRole role;
	} roles[] = {{"first_frame", FILMGATE__V1__MEDIA_ROLE__MEDIA_ROLE_FIRST_FRAME},
		     {"source", FILMGATE__V1__MEDIA_ROLE__MEDIA_ROLE_SOURCE},
		     {"reference", FILMGATE__V1__MEDIA_ROLE__MEDIA_ROLE_REFERENCE}};
	static const char *const kinds[] = {[FILMGATE__V1__MEDIA_KIND__MEDIA_KIND_IMAGE] = "image",
					    [FILMGATE__V1__MEDIA_KIND__MEDIA_KIND_VIDEO] = "video",
					    [FILMGATE__V1__MEDIA_KIND__MEDIA_KIND_AUDIO] = "audio"};

	for (size_t i = 0; i < sizeof(roles) / sizeof(roles[0]); i++)
		for (json_node n = json_first(model->json, model->media); n; n = json_next(model->json, n)) {
			json_node role = json_member(model->json, n, bytes_of_text("role"));
			json_node of = json_member(model->json, n, bytes_of_text("kind"));

			if (json_text_is(model->json, role, roles[i].word) &&
			    json_text_is(model->json, of, kinds[kind]))
				return roles[i].role;
		}
	return roles[0].role;
}

/* "assets/…" is a file that was uploaded here; anything else is the provider's own handle. */
static void put_source(const struct video_order *order, const char *asset, struct arena *arena, Filmgate__V1__Media *to)
{
	const char *id = asset ? asset : order->reference_id;

	if (id && strncmp(id, "assets/", strlen("assets/")) == 0) {
		to->source_case = FILMGATE__V1__MEDIA__SOURCE_ASSET;
		to->asset = arena_dup_text(arena, id);
	} else if (id) {
		to->source_case = FILMGATE__V1__MEDIA__SOURCE_PROVIDER_HANDLE;
		to->provider_handle = arena_dup_text(arena, id);
	} else {
		to->source_case = FILMGATE__V1__MEDIA__SOURCE_URL;
		to->url = arena_dup_text(arena, order->reference_url);
	}
}

static void put_reference(const struct video_order *order, const char *asset, const struct model *model,
			  struct arena *arena, Filmgate__V1__JobParameters *to)
{
	Filmgate__V1__Media **media;

	if (!asset && !order->reference_id && !order->reference_url)
		return;
	media = arena_need_pointers(arena, to->n_media + 1);
	for (size_t i = 0; i < to->n_media; i++)
		media[i] = to->media[i];
	media[to->n_media] = arena_need(arena, sizeof(*media[0]));
	filmgate__v1__media__init(media[to->n_media]);
	media[to->n_media]->kind = kind_of(order);
	media[to->n_media]->role = role_for(model, kind_of(order));
	put_source(order, asset, arena, media[to->n_media]);
	to->media = media;
	to->n_media++;
}

/* ---- the whole ---- */

static int read_parameters(const struct video_order *order, struct arena *arena, Filmgate__V1__JobParameters **ret,
			   struct video_fault *fault)
{
	ProtobufCAllocator allocator = arena_allocator(arena);
	struct protojson_problem problem;
	ProtobufCMessage *message = NULL;
	int r;

	if (!order->parameters) {
		*ret = arena_need(arena, sizeof(**ret));
		filmgate__v1__job_parameters__init(*ret);
		return 0;
	}
	r = protojson_read(&filmgate__v1__job_parameters__descriptor, bytes_of_text(order->parameters), 0, &allocator,
			   &message, &problem);
	if (r < 0)
		return err_trace(r);
	if (r > 0 || !message) {
		video_refuse(fault, "parameters", "%s%s%s", problem.field, *problem.field ? ": " : "", problem.text);
		return VIDEO_E_INVALID;
	}
	*ret = (Filmgate__V1__JobParameters *)message;
	return 0;
}

static int write_parameters(const struct video_order *order, const struct model *model, const char *asset,
			    struct arena *arena, Filmgate__V1__JobParameters *to, struct video_fault *fault)
{
	int r = put_prompt(order, model, arena, to, fault);

	r = r ? r : put_seconds(order, arena, to, fault);
	r = r ? r : put_size(order, model, arena, to, fault);
	if (r == 0)
		put_reference(order, asset, model, arena, to);
	return r;
}

int video_order_write(const struct video_order *order, const char *manifest, const char *asset, struct arena *arena,
		      Filmgate__V1__CreateJobRequest *ret, struct video_fault *fault)
{
	struct model model = {0};
	Filmgate__V1__JobParameters *parameters = NULL;
	Filmgate__V1__Job *job = arena_need(arena, sizeof(*job));
	int r = read_parameters(order, arena, &parameters, fault);

	if (r == 0)
		r = find_model(manifest, order->provider_model, &model);
	if (r == 0)
		r = write_parameters(order, &model, asset, arena, parameters, fault);
	json_free(model.json);
	if (r)
		return r;
	filmgate__v1__job__init(job);
	job->provider = arena_dup_text(arena, order->provider);
	job->model = arena_dup_text(arena, order->provider_model);
	job->parameters = parameters;
	filmgate__v1__create_job_request__init(ret);
	ret->job = job;
	return 0;
}
