#include "sim/heygen_order.h"

#include "base/limits.h"

/* Where the order leaves it open. */
#define CINEMATIC_SECONDS 10
#define MODEL_SECONDS 5
/* A video of this type has one price, however long it is. */
#define CINEMATIC_PRICE_MICROS 7000000

enum type { TYPE_TEXT, TYPE_NUMBER, TYPE_WHOLE, TYPE_BOOL, TYPE_OBJECT, TYPE_LIST };

/* One member that has a shape. Absent is always fine here; what must be there is said below. */
struct rule {
	const char *path;
	enum type type;
	bool is_nullable;
	double min, max; /* of numbers */
	const char *const *values;
};

#define VALUES(...) ((const char *const[]){__VA_ARGS__, NULL})

/* Of POST /v3/models/videos. */
static const struct rule model_rules[] = {
	{"model", TYPE_TEXT, false, 0, 0, VALUES("heygen-video-1")},
	{"mode", TYPE_TEXT, false, 0, 0, VALUES("text_to_video", "image_to_video", "reference_to_video")},
	{"prompt", TYPE_TEXT, false, 0, 0, NULL},
	{"duration", TYPE_WHOLE, true, 5, 15, NULL},
	{"resolution", TYPE_TEXT, true, 0, 0, VALUES("480p", "768p", "1080p", "2k")},
	{"aspect_ratio", TYPE_TEXT, true, 0, 0, VALUES("21:9", "16:9", "4:3", "1:1", "3:4", "9:16", "adaptive")},
	{"seed", TYPE_WHOLE, true, 0, UINT32_MAX, NULL},
	{"prompt_enhancement", TYPE_TEXT, true, 0, 0, VALUES("turbo", "quality", "disabled")},
	{"image", TYPE_OBJECT, true, 0, 0, NULL},
	{"reference_images", TYPE_LIST, true, 0, 0, NULL},
	{"reference_videos", TYPE_LIST, true, 0, 0, NULL},
	{"reference_audio", TYPE_LIST, true, 0, 0, NULL},
	{NULL, TYPE_TEXT, false, 0, 0, NULL},
};

/* The frames that exist. Those of a name do not all have its shorter side. */
static const struct frame {
	const char *resolution, *ratio;
	int width, height;
} frames[] = {
	{"480p", "21:9", 960, 416},    {"480p", "16:9", 832, 480},    {"480p", "4:3", 640, 480},
	{"480p", "1:1", 480, 480},     {"480p", "3:4", 480, 640},     {"480p", "9:16", 480, 832},
	{"768p", "21:9", 1536, 672},   {"768p", "16:9", 1344, 768},   {"768p", "4:3", 1024, 768},
	{"768p", "1:1", 768, 768},     {"768p", "3:4", 768, 1024},    {"768p", "9:16", 768, 1344},
	{"1080p", "16:9", 1890, 1080}, {"1080p", "9:16", 1080, 1890}, {"2k", "16:9", 2688, 1536},
	{"2k", "9:16", 1536, 2688},
};

static const struct rule type_rule[] = {
	{"type", TYPE_TEXT, false, 0, 0, VALUES("avatar", "image", "cinematic_avatar")},
};

/* Of the types "avatar" and "image". */
static const struct rule speech_rules[] = {
	{"avatar_id", TYPE_TEXT, false, 0, 0, NULL},
	{"image", TYPE_OBJECT, false, 0, 0, NULL},
	{"script", TYPE_TEXT, true, 0, 0, NULL},
	{"voice_id", TYPE_TEXT, true, 0, 0, NULL},
	{"audio_url", TYPE_TEXT, true, 0, 0, NULL},
	{"audio_asset_id", TYPE_TEXT, true, 0, 0, NULL},
	{"voice_settings", TYPE_OBJECT, true, 0, 0, NULL},
	{"voice_settings.speed", TYPE_NUMBER, false, 0.5, 1.5, NULL},
	{"voice_settings.pitch", TYPE_NUMBER, false, -50, 50, NULL},
	{"voice_settings.volume", TYPE_NUMBER, false, 0, 1, NULL},
	{"voice_settings.locale", TYPE_TEXT, true, 0, 0, NULL},
	{"voice_settings.engine_settings", TYPE_OBJECT, true, 0, 0, NULL},
	{"voice_settings.engine_settings.engine_type", TYPE_TEXT, false, 0, 0,
	 VALUES("elevenlabs", "fish", "starfish")},
	{"title", TYPE_TEXT, true, 0, 0, NULL},
	{"aspect_ratio", TYPE_TEXT, true, 0, 0, VALUES("16:9", "9:16", "4:5", "5:4", "1:1", "auto")},
	{"resolution", TYPE_TEXT, true, 0, 0, VALUES("720p", "1080p", "4k")},
	{"fit", TYPE_TEXT, true, 0, 0, VALUES("contain", "cover")},
	{"output_format", TYPE_TEXT, false, 0, 0, VALUES("mp4", "webm")},
	{"background", TYPE_OBJECT, true, 0, 0, NULL},
	{"background.type", TYPE_TEXT, false, 0, 0, VALUES("color", "image")},
	{"background.value", TYPE_TEXT, true, 0, 0, NULL},
	{"background.url", TYPE_TEXT, true, 0, 0, NULL},
	{"background.asset_id", TYPE_TEXT, true, 0, 0, NULL},
	{"remove_background", TYPE_BOOL, true, 0, 0, NULL},
	{"motion_prompt", TYPE_TEXT, true, 0, 0, NULL},
	{"expressiveness", TYPE_TEXT, true, 0, 0, VALUES("high", "medium", "low")},
	{"engine", TYPE_OBJECT, true, 0, 0, NULL},
	{"engine.type", TYPE_TEXT, false, 0, 0, VALUES("avatar_iv", "avatar_v", "avatar_iii")},
	{"engine.reference_look_id", TYPE_TEXT, true, 0, 0, NULL},
	{"caption", TYPE_OBJECT, true, 0, 0, NULL},
	{"caption.file_format", TYPE_TEXT, false, 0, 0, VALUES("srt")},
	{"caption.style", TYPE_TEXT, true, 0, 0, VALUES("default")},
	{"watermark", TYPE_OBJECT, true, 0, 0, NULL},
	{"callback_url", TYPE_TEXT, true, 0, 0, NULL},
	{"callback_id", TYPE_TEXT, true, 0, 0, NULL},
	{NULL, TYPE_TEXT, false, 0, 0, NULL},
};

/* Of the type "cinematic_avatar". */
static const struct rule cinematic_rules[] = {
	{"prompt", TYPE_TEXT, false, 0, 0, NULL},
	{"avatar_id", TYPE_LIST, false, 0, 0, NULL},
	{"references", TYPE_LIST, true, 0, 0, NULL},
	{"duration", TYPE_WHOLE, true, 4, 15, NULL},
	{"auto_duration", TYPE_BOOL, false, 0, 0, NULL},
	{"aspect_ratio", TYPE_TEXT, true, 0, 0, VALUES("16:9", "9:16", "1:1")},
	{"resolution", TYPE_TEXT, true, 0, 0, VALUES("720p", "1080p")},
	{"enhance_prompt", TYPE_BOOL, false, 0, 0, NULL},
	{"title", TYPE_TEXT, true, 0, 0, NULL},
	{NULL, TYPE_TEXT, false, 0, 0, NULL},
};

#define complain(complaint, name, ...) \
	(errmsg_set(&(complaint)->message, __VA_ARGS__), (complaint)->param = (name), SIM_HEYGEN_ORDER_E_INVALID)

/* The member at a dotted path; NULL when it or one above is absent. */
static const json_t *member(const json_t *body, const char *path)
{
	while (body && *path) {
		size_t len = strcspn(path, ".");

		body = json_object_getn(body, path, len);
		path += len + (path[len] == '.');
	}
	return body;
}

static const char *text_at(const json_t *body, const char *path)
{
	return json_string_value(member(body, path));
}

static bool is_one_of(const char *value, const char *const *values)
{
	for (; *values; values++)
		if (strcmp(value, *values) == 0)
			return true;
	return false;
}

static int check_value(const struct rule *rule, const json_t *value, struct sim_heygen_complaint *complaint)
{
	static const char *const type_names[] = {"a string",  "a number",  "an integer",
						 "a boolean", "an object", "an array"};
	const bool fits[] = {json_is_string(value),  json_is_number(value), json_is_integer(value),
			     json_is_boolean(value), json_is_object(value), json_is_array(value)};

	if (!fits[rule->type])
		return complain(complaint, rule->path, "%s must be %s", rule->path, type_names[rule->type]);
	if (json_is_number(value) && !(json_number_value(value) >= rule->min && json_number_value(value) <= rule->max))
		return complain(complaint, rule->path, "%s must be between %g and %g", rule->path, rule->min,
				rule->max);
	if (rule->values && !is_one_of(json_string_value(value), rule->values))
		return complain(complaint, rule->path, "'%.80s' is not a value of %s", json_string_value(value),
				rule->path);
	return 0;
}

static int check_shapes(const struct rule *rules, const json_t *body, struct sim_heygen_complaint *complaint)
{
	for (const struct rule *rule = rules; rule->path; rule++) {
		const json_t *value = member(body, rule->path);
		int r;

		if (!value || (json_is_null(value) && rule->is_nullable))
			continue;
		r = check_value(rule, value, complaint);
		if (r)
			return r;
	}
	return 0;
}

/* What a complaint about an asset input points at. */
struct asset_names {
	const char *type, *url, *asset_id, *base64;
};

static int check_asset(const json_t *asset, const struct asset_names *names, struct sim_heygen_complaint *complaint)
{
	const char *type = text_at(asset, "type"), *url = text_at(asset, "url");

	if (!type)
		return complain(complaint, names->type, "an asset has no type");
	if (!is_one_of(type, VALUES("url", "asset_id", "base64")))
		return complain(complaint, names->type, "'%.80s' is not a type of an asset", type);
	if (strcmp(type, "url") == 0 && (!url || strncmp(url, "https://", 8) != 0))
		return complain(complaint, names->url, "url must be a public https URL");
	if (strcmp(type, "asset_id") == 0 && !text_at(asset, "asset_id"))
		return complain(complaint, names->asset_id, "asset_id is required");
	if (strcmp(type, "base64") == 0 && (!text_at(asset, "media_type") || !text_at(asset, "data")))
		return complain(complaint, names->base64, "media_type and data are required");
	return 0;
}

static int check_image(const json_t *body, struct sim_heygen_complaint *complaint)
{
	static const struct asset_names names = {"image.type", "image.url", "image.asset_id", "image.data"};

	if (!member(body, "image"))
		return complain(complaint, "image", "image is required");
	return check_asset(member(body, "image"), &names, complaint);
}

/* The assets of a list, at most @most of them; absent is none. */
static int check_assets(const json_t *body, const char *name, size_t most, struct sim_heygen_complaint *complaint)
{
	const struct asset_names names = {name, name, name, name};
	const json_t *list = member(body, name), *asset;
	size_t i;
	int r;

	if (json_array_size(list) > most)
		return complain(complaint, name, "%s has %zu entries, at most %zu are taken", name,
				json_array_size(list), most);
	json_array_foreach(list, i, asset)
	{
		r = check_asset(asset, &names, complaint);
		if (r)
			return r;
	}
	return 0;
}

static size_t characters_of(const char *text)
{
	size_t count = 0;

	for (; *text; text++)
		count += ((unsigned char)*text & 0xc0) != 0x80;
	return count;
}

static bool is_blank(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text > ' ' && *text != 0x7f)
			return false;
	return true;
}

static int check_audio(const json_t *body, struct sim_heygen_complaint *complaint)
{
	const char *url = text_at(body, "audio_url"), *asset = text_at(body, "audio_asset_id");

	if (url && strncmp(url, "https://", 8) != 0)
		return complain(complaint, "audio_url", "audio_url must be a public https URL");
	if (asset && is_blank(asset))
		return complain(complaint, "audio_asset_id", "audio_asset_id is empty");
	return 0;
}

static int check_voice(const json_t *body, struct sim_heygen_complaint *complaint)
{
	const char *script = text_at(body, "script");
	bool has_url = text_at(body, "audio_url"), has_asset = text_at(body, "audio_asset_id");

	if (!script && !has_url && !has_asset)
		return complain(complaint, "script", "one of script, audio_url and audio_asset_id is required");
	if ((script && (has_url || has_asset)) || (has_url && has_asset))
		return complain(complaint, script ? "script" : "audio_url",
				"script, audio_url and audio_asset_id exclude each other");
	if (!script)
		return check_audio(body, complaint);
	if (is_blank(script) || characters_of(script) > LIMIT_SIM_SCRIPT)
		return complain(complaint, "script", "script must have between 1 and %d characters", LIMIT_SIM_SCRIPT);
	if (!text_at(body, "avatar_id") && !text_at(body, "voice_id"))
		return complain(complaint, "voice_id", "voice_id is required with script unless avatar_id is set");
	return 0;
}

/* "#rrggbb" */
static bool read_color(const char *text, uint32_t *ret)
{
	if (!text || text[0] != '#' || strlen(text) != 7 || strspn(text + 1, "0123456789abcdefABCDEF") != 6)
		return false;
	*ret = (uint32_t)strtoul(text + 1, NULL, 16);
	return true;
}

static int check_background(const json_t *body, struct sim_heygen_complaint *complaint)
{
	const char *type = text_at(body, "background.type");
	uint32_t color;

	if (!json_is_object(member(body, "background")))
		return 0;
	if (!type)
		return complain(complaint, "background.type", "background.type is required");
	if (strcmp(type, "color") == 0 && !read_color(text_at(body, "background.value"), &color))
		return complain(complaint, "background.value", "background.value must be a color such as '#ff0000'");
	if (strcmp(type, "image") == 0 && !text_at(body, "background.url") == !text_at(body, "background.asset_id"))
		return complain(complaint, "background.url",
				"exactly one of background.url and background.asset_id is required");
	if (text_at(body, "output_format") && strcmp(text_at(body, "output_format"), "webm") == 0)
		return complain(complaint, "background", "background cannot be combined with output_format 'webm'");
	return 0;
}

/* The prompt of an order by prompt, and the avatars. */
static int check_prompt(const json_t *body, size_t most, struct sim_heygen_complaint *complaint)
{
	const char *prompt = text_at(body, "prompt");

	if (!prompt)
		return complain(complaint, "prompt", "prompt is required");
	if (is_blank(prompt) || characters_of(prompt) > most)
		return complain(complaint, "prompt", "prompt must have between 1 and %zu characters", most);
	return 0;
}

static int check_looks(const json_t *body, struct sim_heygen_complaint *complaint)
{
	const json_t *looks = member(body, "avatar_id"), *look;
	size_t i;

	if (json_array_size(looks) < 1 || json_array_size(looks) > 3)
		return complain(complaint, "avatar_id", "avatar_id must be a list of one to three look ids");
	json_array_foreach(looks, i, look) if (!json_string_length(look)) return complain(
		complaint, "avatar_id", "a look id of avatar_id is no text, or is empty");
	return 0;
}

static int check_cinematic(const json_t *body, struct sim_heygen_complaint *complaint)
{
	int r;

	r = check_prompt(body, LIMIT_SIM_PROMPT_CINEMATIC, complaint);
	r = r ? r : check_looks(body, complaint);
	r = r ? r : check_assets(body, "references", SIZE_MAX, complaint);
	if (!r && json_is_true(member(body, "auto_duration")) && json_is_integer(member(body, "duration")))
		return complain(complaint, "duration", "omit duration when auto_duration is true");
	return r;
}

static int check_subject(const json_t *body, struct sim_heygen_complaint *complaint)
{
	const char *type = text_at(body, "type");

	if (strcmp(type, "image") == 0)
		return check_image(body, complaint);
	if (!text_at(body, "avatar_id") || !*text_at(body, "avatar_id"))
		return complain(complaint, "avatar_id", "avatar_id is required for type 'avatar'");
	return 0;
}

/* Frame sizes: the resolution names the shorter side; 'auto' has no source to follow here and is 16:9. */
static void choose_size(const json_t *body, const char *standard, struct sim_heygen_order *order)
{
	static const struct {
		const char *name;
		int width, height;
	} ratios[] = {{"16:9", 16, 9}, {"9:16", 9, 16}, {"4:5", 4, 5}, {"5:4", 5, 4}, {"1:1", 1, 1}};
	const char *resolution = text_at(body, "resolution"), *ratio = text_at(body, "aspect_ratio");
	int side = 1080, width = 16, height = 9;

	if (!resolution)
		resolution = standard;
	if (strcmp(resolution, "720p") == 0)
		side = 720;
	if (strcmp(resolution, "4k") == 0)
		side = 2160;
	for (size_t i = 0; ratio && i < sizeof(ratios) / sizeof(ratios[0]); i++)
		if (strcmp(ratio, ratios[i].name) == 0) {
			width = ratios[i].width;
			height = ratios[i].height;
		}
	order->width = width > height ? side * width / height : side;
	order->height = width > height ? side : side * height / width;
}

static struct sim_heygen_order take_speech(const json_t *body)
{
	const char *format = text_at(body, "output_format"), *audio = text_at(body, "audio_url");
	const json_t *speed = member(body, "voice_settings.speed");
	struct sim_heygen_order order = {
		.script = text_at(body, "script"),
		.speed_permille = speed ? (int)(json_number_value(speed) * 1000) : 1000,
		.fps = 25,
		.format = format && strcmp(format, "webm") == 0 ? SIM_FORMAT_WEBM : SIM_FORMAT_MP4,
		.has_caption_style = text_at(body, "caption.style"),
	};

	order.has_subtitle = order.script || json_is_object(member(body, "caption"));
	order.text = order.script ? order.script : audio ? audio : text_at(body, "audio_asset_id");
	order.has_color = read_color(text_at(body, "background.value"), &order.color);
	choose_size(body, "1080p", &order);
	return order;
}

static struct sim_heygen_order take_cinematic(const json_t *body)
{
	const json_t *duration = member(body, "duration");
	struct sim_heygen_order order = {
		.text = text_at(body, "prompt"),
		.seconds = json_is_integer(duration) ? (int)json_integer_value(duration) : CINEMATIC_SECONDS,
		.fps = 25,
		.price_micros = CINEMATIC_PRICE_MICROS,
	};

	choose_size(body, "720p", &order);
	return order;
}

static int read_speech(const json_t *body, struct sim_heygen_complaint *complaint, struct sim_heygen_order *ret)
{
	int r;

	r = check_shapes(speech_rules, body, complaint);
	r = r ? r : check_subject(body, complaint);
	r = r ? r : check_voice(body, complaint);
	r = r ? r : check_background(body, complaint);
	if (r)
		return r;

	*ret = take_speech(body);
	return 0;
}

static int read_cinematic(const json_t *body, struct sim_heygen_complaint *complaint, struct sim_heygen_order *ret)
{
	int r;

	r = check_shapes(cinematic_rules, body, complaint);
	r = r ? r : check_cinematic(body, complaint);
	if (r)
		return r;

	*ret = take_cinematic(body);
	return 0;
}

int sim_heygen_order_read(const json_t *body, struct sim_heygen_complaint *complaint, struct sim_heygen_order *ret)
{
	const json_t *type;
	int r;

	if (!json_is_object(body))
		return complain(complaint, NULL, "the body must be a JSON object");
	type = member(body, "type");
	if (!type)
		return complain(complaint, "type", "type is required");
	r = check_value(&type_rule[0], type, complaint);
	if (r)
		return r;
	r = strcmp(json_string_value(type), "cinematic_avatar") == 0 ? read_cinematic(body, complaint, ret)
								     : read_speech(body, complaint, ret);
	if (r)
		return r;

	ret->type = json_string_value(type);
	ret->title = text_at(body, "title");
	return 0;
}

/* What an aspect ratio of its own would be is up to the inputs, which are never looked at: 16:9. */
static const struct frame *frame_of(const json_t *body)
{
	const char *resolution = text_at(body, "resolution"), *ratio = text_at(body, "aspect_ratio");

	if (!resolution)
		resolution = "768p";
	if (!ratio || strcmp(ratio, "adaptive") == 0)
		ratio = "16:9";
	for (size_t i = 0; i < sizeof(frames) / sizeof(frames[0]); i++)
		if (strcmp(frames[i].resolution, resolution) == 0 && strcmp(frames[i].ratio, ratio) == 0)
			return &frames[i];
	return NULL;
}

static int check_references(const json_t *body, const char *mode, struct sim_heygen_complaint *complaint)
{
	size_t images = json_array_size(member(body, "reference_images"));
	size_t videos = json_array_size(member(body, "reference_videos"));
	size_t all = images + videos + json_array_size(member(body, "reference_audio"));
	bool is_wanted = strcmp(mode, "reference_to_video") == 0;
	int r;

	if (!is_wanted && all > 0)
		return complain(complaint, "mode", "references are for the mode reference_to_video");
	if (is_wanted && images + videos == 0)
		return complain(complaint, "reference_images", "an image or a video is required as a reference");
	if (all > 12)
		return complain(complaint, "reference_images", "there are %zu references, at most 12 are taken", all);
	r = check_assets(body, "reference_images", 9, complaint);
	r = r ? r : check_assets(body, "reference_videos", 3, complaint);
	return r ? r : check_assets(body, "reference_audio", 3, complaint);
}

static int check_model_shape(const json_t *body, const char *mode, struct sim_heygen_complaint *complaint)
{
	const char *ratio = text_at(body, "aspect_ratio"), *resolution = text_at(body, "resolution");
	bool is_large = resolution && (strcmp(resolution, "1080p") == 0 || strcmp(resolution, "2k") == 0);

	if (ratio && strcmp(mode, "image_to_video") == 0)
		return complain(complaint, "aspect_ratio", "omit aspect_ratio for image_to_video");
	if (ratio && strcmp(ratio, "adaptive") == 0 && (is_large || strcmp(mode, "reference_to_video") != 0))
		return complain(complaint, "aspect_ratio", "adaptive is for references, below 1080p");
	if (!frame_of(body))
		return complain(complaint, "aspect_ratio", "%s takes 16:9 and 9:16 only", resolution);
	return 0;
}

static int check_model(const json_t *body, struct sim_heygen_complaint *complaint)
{
	const char *mode = text_at(body, "mode");
	bool has_image = json_is_object(member(body, "image"));
	int r;

	if (!text_at(body, "model"))
		return complain(complaint, "model", "model is required");
	if (!mode)
		return complain(complaint, "mode", "mode is required");
	r = check_prompt(body, LIMIT_SIM_PROMPT_MODEL, complaint);
	if (r)
		return r;
	if (has_image && strcmp(mode, "image_to_video") != 0)
		return complain(complaint, "image", "image is for the mode image_to_video");
	if (strcmp(mode, "image_to_video") == 0)
		r = check_image(body, complaint);
	r = r ? r : check_references(body, mode, complaint);
	return r ? r : check_model_shape(body, mode, complaint);
}

int sim_heygen_model_order_read(const json_t *body, struct sim_heygen_complaint *complaint,
				struct sim_heygen_order *ret)
{
	const json_t *duration = member(body, "duration"), *seed = member(body, "seed");
	const struct frame *frame;
	int r;

	if (!json_is_object(body))
		return complain(complaint, NULL, "the body must be a JSON object");
	r = check_shapes(model_rules, body, complaint);
	r = r ? r : check_model(body, complaint);
	if (r)
		return r;
	frame = frame_of(body);

	*ret = (struct sim_heygen_order){
		.type = text_at(body, "model"),
		.text = text_at(body, "prompt"),
		.seconds = json_is_integer(duration) ? (int)json_integer_value(duration) : MODEL_SECONDS,
		.width = frame->width,
		.height = frame->height,
		.ratio = frame->ratio,
		.seed = json_is_integer(seed) ? json_integer_value(seed) : -1,
		.fps = 24,
	};
	return 0;
}
