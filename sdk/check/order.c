/*
 * Each parameter gets a value that its own limits allow; the rules between parameters are met by trying: what
 * job_validate() refuses is thrown away.
 */
#include "order.h"

#include "random.h"

struct draft {
	const struct json *from; /* the manifest */
	struct json *json;
	struct dice *dice;
	unsigned int percent; /* how likely an optional parameter is */
	struct orders *orders;
};

static bool is_one_of(const char *name, const char *const *words)
{
	for (; *words; words++)
		if (strcmp(name, *words) == 0)
			return true;
	return false;
}

static json_node text_of(struct draft *draft, const char *text)
{
	return json_make_text(draft->json, bytes_of_text(text));
}

static int64_t limit_at(struct draft *draft, json_node limits, const char *pointer, int64_t fallback)
{
	return json_integer(draft->from, json_at(draft->from, limits, pointer), fallback);
}

/* Words of between @least and @most characters, with some that want care. */
static json_node words_between(struct draft *draft, int64_t least, int64_t most)
{
	static const char odd[] = "A red kite \"over\" the dunes; {prompt} & $HOME \\ 100% <b>";
	int64_t want = least > 0 ? least : 1;
	_cleanup_(buffer_finish) struct buffer text = {0};

	if (most > want)
		want += (int64_t)dice_below(draft->dice, (uint64_t)(most - want < 40 ? most - want : 40) + 1);
	for (int64_t i = 0; i < want && i < LIMIT_PLUGIN_TEXT; i++)
		if (buffer_append(&text, &odd[(size_t)i % (sizeof(odd) - 1)], 1))
			return JSON_ABSENT;
	return json_make_text(draft->json, buffer_bytes(&text));
}

/* A type of @kind that the manifest names, or a usual one. */
static const char *media_type_of(struct draft *draft, json_node limits, const char *kind)
{
	json_node types = json_at(draft->from, limits, "/media_types");

	for (json_node n = json_first(draft->from, types); n; n = json_next(draft->from, n)) {
		const char *type = json_string(draft->from, n);

		if (strncmp(type, kind, strlen(kind)) == 0 && type[strlen(kind)] == '/')
			return type;
	}
	return strcmp(kind, "video") == 0 ? "video/mp4" : strcmp(kind, "audio") == 0 ? "audio/mpeg" : "image/png";
}

/* One of each type in two sizes, as far as there is room; its name is the digest of that. */
static const char *asset_of(struct draft *draft, json_node limits, const char *kind)
{
	static const int64_t sizes[] = {1000, 40000000};
	struct orders *orders = draft->orders;
	struct order_asset asset = {.size_bytes = (uint64_t)sizes[dice_below(draft->dice, 2)]};
	char text[128], hex[DIGEST_TEXT_SIZE];
	struct digest digest;

	if (asset.size_bytes > (uint64_t)limit_at(draft, limits, "/max_bytes", INT64_MAX))
		asset.size_bytes = 1;
	snprintf(asset.media_type, sizeof(asset.media_type), "%s", media_type_of(draft, limits, kind));
	snprintf(text, sizeof(text), "%s %llu", asset.media_type, (unsigned long long)asset.size_bytes);
	digest = digest_of(bytes_of_text(text));
	digest_format(&digest, hex);
	snprintf(asset.name, sizeof(asset.name), "%s%s", PLUGIN_ASSET_PREFIX, hex);
	for (size_t i = 0; i < orders->n_assets; i++)
		if (strcmp(orders->assets[i].name, asset.name) == 0)
			return orders->assets[i].name;
	if (orders->n_assets == ORDER_ASSETS)
		return orders->assets[0].name;
	orders->assets[orders->n_assets] = asset;
	return orders->assets[orders->n_assets++].name;
}

/* In one of the forms that the manifest takes. */
static void put_source(struct draft *draft, json_node out, json_node limits, const char *kind)
{
	json_node forms = json_at(draft->from, limits, "/forms");
	uint32_t count = json_count(draft->from, forms);
	const char *form = count                           ? json_string(draft->from,
									 json_item(draft->from, forms, dice_below(draft->dice, count)))
			   : dice_percent(draft->dice, 50) ? "url"
							   : "provider_handle";

	if (strcmp(form, "asset") == 0)
		json_put(draft->json, out, "/asset", text_of(draft, asset_of(draft, limits, kind)));
	else if (strcmp(form, "url") == 0)
		json_put(draft->json, out, "/url", text_of(draft, "https://media.example/in?Signature=abc&n=1"));
	else
		json_put(draft->json, out, "/provider_handle",
			 text_of(draft, dice_percent(draft->dice, 50) ? "handle-1" : "gs://bucket/a/in.png"));
}

static json_node medium(struct draft *draft, json_node limits, const char *kind, const char *role)
{
	json_node out = json_object(draft->json), kinds = json_at(draft->from, limits, "/kinds");

	if (json_count(draft->from, kinds))
		kind = json_string(draft->from, json_item(draft->from, kinds,
							  dice_below(draft->dice, json_count(draft->from, kinds))));
	json_put(draft->json, out, "/kind", text_of(draft, kind));
	if (role)
		json_put(draft->json, out, "/role", text_of(draft, role));
	if (role && strcmp(role, "keyframe") == 0)
		json_put(draft->json, out, "/at_ms", json_make_integer(draft->json, 1000));
	put_source(draft, out, limits, kind);
	return out;
}

static json_node whole_number(struct draft *draft, json_node limits, int64_t fallback)
{
	int64_t least = limit_at(draft, limits, "/min", fallback), most = limit_at(draft, limits, "/max", least);
	int64_t step = limit_at(draft, limits, "/step", 1);
	uint64_t steps = most > least && step > 0 ? (uint64_t)(most - least) / (uint64_t)step : 0;

	return json_make_integer(draft->json,
				 least + step * (int64_t)dice_below(draft->dice, steps < 1000 ? steps + 1 : 1000));
}

static json_node value_of(struct draft *draft, const char *path, json_node limits)
{
	static const char *const numbers[] = {"duration_ms", "fps", "sample_count", "seed", "size.width",
					      "size.height", NULL};
	static const char *const toggles[] = {"audio", "watermark", "prompt_rewrite", NULL};
	json_node values = json_at(draft->from, limits, "/values");

	if (json_count(draft->from, values))
		return json_copy(draft->json, draft->from,
				 json_item(draft->from, values,
					   dice_below(draft->dice, json_count(draft->from, values))));
	if (is_one_of(path, numbers))
		return whole_number(draft, limits, 64);
	if (is_one_of(path, toggles))
		return text_of(draft, dice_percent(draft->dice, 50) ? "on" : "off");
	if (strcmp(path, "background.color") == 0)
		return text_of(draft, "#1020ff");
	if (strcmp(path, "background.media") == 0)
		return medium(draft, limits, "image", NULL);
	if (strcmp(path, "script.audio") == 0)
		return medium(draft, limits, "audio", NULL);
	if (strcmp(path, "aspect_ratio") == 0)
		return text_of(draft, "16:9");
	if (strcmp(path, "resolution") == 0)
		return text_of(draft, "720p");
	return words_between(draft, limit_at(draft, limits, "/min_length", 1),
			     limit_at(draft, limits, "/max_length", 200));
}

static void put_at_path(struct draft *draft, json_node out, const char *path, json_node value)
{
	char pointer[256];

	snprintf(pointer, sizeof(pointer), "/%s", path);
	for (char *p = pointer; *p; p++)
		*p = *p == '.' ? '/' : *p;
	json_put(draft->json, out, pointer, value);
}

static void add_parameters(struct draft *draft, json_node model, json_node out)
{
	json_node list = json_at(draft->from, model, "/parameters");

	for (json_node n = json_first(draft->from, list); n; n = json_next(draft->from, n)) {
		bool is_required = json_boolean(draft->from, json_at(draft->from, n, "/required"), false);

		if (is_required || dice_percent(draft->dice, draft->percent))
			put_at_path(draft, out, json_name(draft->from, n),
				    value_of(draft, json_name(draft->from, n), n));
	}
}

static void add_media(struct draft *draft, json_node model, json_node out)
{
	json_node list = json_at(draft->from, model, "/media"), media = json_array(draft->json);

	for (json_node n = json_first(draft->from, list); n; n = json_next(draft->from, n)) {
		int64_t least = limit_at(draft, n, "/min", 0), most = limit_at(draft, n, "/max", 1);
		int64_t count = least;

		if (most > least && dice_percent(draft->dice, draft->percent))
			count += 1 + (int64_t)dice_below(draft->dice, (uint64_t)(most - least < 4 ? most - least : 4));
		for (int64_t i = 0; i < count && i < 16; i++)
			json_append(draft->json, media,
				    medium(draft, n, json_string(draft->from, json_at(draft->from, n, "/kind")),
					   json_string(draft->from, json_at(draft->from, n, "/role"))));
	}
	if (json_count(draft->json, media))
		json_put(draft->json, out, "/media", media);
}

static json_node extra(struct draft *draft, json_node schema);

static bool is_required_member(const struct json *json, json_node schema, struct bytes name)
{
	json_node list = json_at(json, schema, "/required");

	for (json_node n = json_first(json, list); n; n = json_next(json, n))
		if (bytes_equal(json_text(json, n), name))
			return true;
	return false;
}

static json_node extra_object(struct draft *draft, json_node schema)
{
	json_node out = json_object(draft->json), list = json_at(draft->from, schema, "/properties");

	for (json_node n = json_first(draft->from, list); n; n = json_next(draft->from, n))
		if (is_required_member(draft->from, schema, json_key(draft->from, n)) ||
		    dice_percent(draft->dice, draft->percent / 2))
			json_set(draft->json, out, json_key(draft->from, n), extra(draft, n));
	return out;
}

/* Schemas nest no deeper than their JSON. */
static json_node extra(struct draft *draft, json_node schema)
{
	json_node words = json_at(draft->from, schema, "/enum"), type = json_at(draft->from, schema, "/type");
	json_node out;

	if (json_count(draft->from, words))
		return json_copy(draft->json, draft->from,
				 json_item(draft->from, words,
					   dice_below(draft->dice, json_count(draft->from, words))));
	if (json_text_is(draft->from, type, "object"))
		return extra_object(draft, schema);
	if (json_text_is(draft->from, type, "boolean"))
		return json_make_boolean(draft->json, dice_percent(draft->dice, 50));
	if (json_text_is(draft->from, type, "integer") || json_text_is(draft->from, type, "number"))
		return json_at(draft->from, schema, "/minimum")
			       ? json_copy(draft->json, draft->from, json_at(draft->from, schema, "/minimum"))
			       : json_make_integer(draft->json, 1);
	if (!json_text_is(draft->from, type, "array"))
		return words_between(draft, limit_at(draft, schema, "/minLength", 1),
				     limit_at(draft, schema, "/maxLength", 60));
	out = json_array(draft->json);
	for (int64_t i = limit_at(draft, schema, "/minItems", 1); i > 0 && json_count(draft->json, out) < 16; i--)
		json_append(draft->json, out, extra(draft, json_at(draft->from, schema, "/items")));
	return out;
}

/* One draft as {"id", "model", "parameters"}; NULL: the manifest refuses it, or there is no memory. */
static char *try_one(const struct plugin_manifest *manifest, const char *name, json_node model, unsigned int percent,
		     struct dice *dice, struct orders *orders)
{
	_cleanup_(json_freep) struct json *json = json_new(NULL);
	_cleanup_(buffer_finish) struct buffer parameters = {0}, job = {0};
	struct draft draft = {.from = manifest->json, .json = json, .dice = dice, .percent = percent, .orders = orders};
	struct job_verdict verdict = {0};
	json_node out, schema = json_at(manifest->json, model, "/extras");
	char *taken = NULL;

	if (!json)
		return NULL;
	out = json_object(json);
	add_parameters(&draft, model, out);
	add_media(&draft, model, out);
	if (schema && dice_percent(dice, percent))
		json_put(json, out, "/extras", extra_object(&draft, schema));
	if (json_fault(json) || json_write(json, out, JSON_FORM_PLAIN, &parameters))
		return NULL;
	if (job_validate(manifest->capabilities, name, buffer_bytes(&parameters), JOB_VALIDATE_STRICT, &verdict) == 0 &&
	    buffer_printf(&job, "{\"id\":\"01a20485-7299-7846-85db-7f80b5b82330\",\"model\":\"%s\",\"parameters\":%s}",
			  name, verdict.canonical) == 0)
		taken = bytes_dup_text(buffer_bytes(&job));
	job_verdict_finish(&verdict);
	return taken;
}

static bool add_new(struct orders *orders, char *take)
{
	for (size_t i = 0; i < orders->n; i++) {
		if (strcmp(orders->jobs[i], take) != 0)
			continue;
		free(take);
		return false;
	}
	orders->jobs[orders->n++] = take;
	return true;
}

void orders_make(const struct plugin_manifest *manifest, struct orders *ret)
{
	static const unsigned int percents[] = {0, 100, 25, 50};
	struct dice dice = {.state = 0x9e3779b97f4a7c15};
	json_node models = json_at(manifest->json, manifest->root, "/models");

	*ret = (struct orders){0};
	for (json_node n = json_first(manifest->json, models); n; n = json_next(manifest->json, n)) {
		const char *name = json_string(manifest->json, json_at(manifest->json, n, "/name"));
		size_t found = 0;

		if (json_text_is(manifest->json, json_at(manifest->json, n, "/lifecycle/stage"), "retired"))
			continue;
		ret->models++;
		for (size_t i = 0; i < ORDER_TRIES && found < ORDERS_MODEL && ret->n < ORDERS; i++) {
			char *job = try_one(manifest, name, n, percents[i % 4], &dice, ret);

			if (job && add_new(ret, job))
				found++;
		}
		if (found)
			continue;
		ret->models_without++;
		ret->without = name;
	}
}

void orders_finish(struct orders *orders)
{
	for (size_t i = 0; i < orders->n; i++)
		free(orders->jobs[i]);
	*orders = (struct orders){0};
}
