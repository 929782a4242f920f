#include "sim/veo_order.h"

#include "sim/sniff.h"

#include <string.h>

#define EXTENSION_SECONDS 7
#define SECONDS_BY_DEFAULT 8
#define IMAGE_MOST (20 << 20) /* bytes */

#define complain(msg, ...) (errmsg_set(msg, __VA_ARGS__), SIM_VEO_ORDER_E_INVALID)

static const char *text_at(const json_t *object, const char *name)
{
	return json_string_value(json_object_get(object, name));
}

/* ---- inputs ---- */

/* How Google calls what the bytes are. */
static const char *found_type(struct bytes file)
{
	const char *type = sim_sniff(file);

	return type && strcmp(type, "video/quicktime") == 0 ? "video/mov" : type;
}

static int check_inline(const char *bytes, const char *type, const char *name, struct errmsg *msg)
{
	_cleanup_(buffer_finish) struct buffer file = {0};
	const char *found;

	if (!type)
		return complain(msg, "%s needs a mimeType", name);
	if (!sim_base64_decode(bytes, &file))
		return complain(msg, "%s is not base64", name);
	found = found_type(buffer_bytes(&file));
	if (!found || strcmp(found, type) != 0)
		return complain(msg, "%s is not of the type %.60s", name, type);
	if (strncmp(type, "image/", 6) == 0 && file.len > IMAGE_MOST)
		return complain(msg, "%s is larger than 20 MB", name);
	if (strcmp(type, "image/gif") == 0 || (strncmp(type, "image/", 6) != 0 && strncmp(type, "video/", 6) != 0))
		return complain(msg, "%.60s is not a type that %s takes", type, name);
	return 0;
}

static int check_gemini_video(const json_t *video, struct errmsg *msg)
{
	const char *encoded = text_at(video, "encodedVideo");

	if (!text_at(video, "uri") == !encoded)
		return complain(msg, "video needs exactly one of uri and encodedVideo");
	return encoded ? check_inline(encoded, text_at(video, "encoding"), "encodedVideo", msg) : 0;
}

static int check_medium(const json_t *medium, const char *name, bool is_gemini, struct errmsg *msg)
{
	const char *uri = text_at(medium, "gcsUri"), *bytes = text_at(medium, "bytesBase64Encoded");
	bool is_video = strcmp(name, "video") == 0;

	if (!medium)
		return 0;
	if (!json_is_object(medium))
		return complain(msg, "%s must be an object", name);
	if (is_gemini && is_video)
		return check_gemini_video(medium, msg);
	if (is_gemini && uri)
		return complain(msg, "`gcsUri` isn't supported by this model.");
	if (!uri == !bytes)
		return complain(msg, "%s needs exactly one of gcsUri and bytesBase64Encoded", name);
	if (uri && strncmp(uri, "gs://", 5) != 0)
		return complain(msg, "'%.100s' is not a Cloud Storage uri", uri);
	if (bytes)
		return check_inline(bytes, text_at(medium, "mimeType"), name, msg);
	if (!text_at(medium, "mimeType"))
		return complain(msg, "%s needs a mimeType", name);
	return 0;
}

static int check_references(const json_t *instance, bool is_gemini, struct errmsg *msg)
{
	const json_t *list = json_object_get(instance, "referenceImages");
	size_t n = json_array_size(list);
	int r = 0;

	if (list && (n < 1 || n > 3))
		return complain(msg, "referenceImages takes 1 to 3 images");
	for (size_t i = 0; r == 0 && i < n; i++) {
		const json_t *reference = json_array_get(list, i);
		const char *type = text_at(reference, "referenceType");

		if (!type || (strcmp(type, "asset") != 0 && strcmp(type, "ASSET") != 0))
			return complain(msg, "referenceType must be asset");
		if (!json_object_get(reference, "image"))
			return complain(msg, "a reference needs an image");
		r = check_medium(json_object_get(reference, "image"), "referenceImages.image", is_gemini, msg);
	}
	return r;
}

static int check_instance(const json_t *instance, bool is_gemini, struct errmsg *msg)
{
	static const char *const media[] = {"image", "lastFrame", "video"};
	bool has_image = json_object_get(instance, "image"), has_video = json_object_get(instance, "video");
	const json_t *prompt = json_object_get(instance, "prompt");
	int r = 0;

	if (!json_is_object(instance))
		return complain(msg, "instances must hold exactly one object");
	if (prompt && !json_is_string(prompt))
		return complain(msg, "prompt must be a string");
	if (!prompt && !has_image && !has_video)
		return complain(msg, "a prompt, an image or a video is required");
	if (has_image + has_video + (json_object_get(instance, "referenceImages") != NULL) > 1)
		return complain(msg, "image, video and referenceImages exclude each other");
	if (json_object_get(instance, "lastFrame") && !has_image)
		return complain(msg, "lastFrame needs an image");
	for (size_t i = 0; r == 0 && i < sizeof(media) / sizeof(media[0]); i++)
		r = check_medium(json_object_get(instance, media[i]), media[i], is_gemini, msg);
	return r ? r : check_references(instance, is_gemini, msg);
}

/* ---- parameters ---- */

static bool is_one_of(const char *value, const char *const *values)
{
	for (; *values; values++)
		if (strcmp(value, *values) == 0)
			return true;
	return false;
}

#define VALUES(...) ((const char *const[]){__VA_ARGS__, NULL})

static int check_words(const json_t *parameters, struct errmsg *msg)
{
	const struct {
		const char *name;
		const char *const *values;
	} words[] = {
		{"aspectRatio", VALUES("16:9", "9:16")},
		{"resolution", VALUES("720p", "1080p", "4k")},
		{"personGeneration", VALUES("allow_adult", "allow_all", "dont_allow", "disallow")},
		{"compressionQuality", VALUES("optimized", "lossless", "OPTIMIZED", "LOSSLESS")},
		{"resizeMode", VALUES("pad", "crop", "PAD", "CROP")},
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		const json_t *value = json_object_get(parameters, words[i].name);

		if (value && (!json_is_string(value) || !is_one_of(json_string_value(value), words[i].values)))
			return complain(msg, "Unsupported value for %s", words[i].name);
	}
	return 0;
}

/* A number, or a text that is one: Google's own samples once had "8". False when it is neither, or out of bounds. */
static bool read_count(const json_t *value, int64_t standard, int64_t min, int64_t max, int64_t *ret)
{
	const char *text = json_string_value(value);
	char *end = NULL;

	*ret = json_is_integer(value) ? json_integer_value(value) : text ? strtoll(text, &end, 10) : standard;
	if (value && !json_is_integer(value) && (!text || end == text || *end))
		return false;
	return *ret >= min && *ret <= max;
}

static int check_surface(const json_t *parameters, bool is_gemini, struct errmsg *msg)
{
	static const char *const foreign[] = {"storageUri",         "generateAudio", "pubsubTopic",
					      "compressionQuality", "resizeMode",    "fps"};
	const char *storage = text_at(parameters, "storageUri");

	for (size_t i = 0; is_gemini && i < sizeof(foreign) / sizeof(foreign[0]); i++)
		if (json_object_get(parameters, foreign[i]))
			return complain(msg, "`%s` isn't supported by this model.", foreign[i]);
	if (is_gemini)
		return 0;
	if (!json_is_boolean(json_object_get(parameters, "generateAudio")))
		return complain(msg, "generateAudio is required for Veo 3 models");
	if (json_object_get(parameters, "storageUri") &&
	    (!storage || strncmp(storage, "gs://", 5) != 0 || !storage[5] || storage[5] == '/'))
		return complain(msg, "storageUri must be gs://BUCKET[/FOLDER]");
	return 0;
}

static void choose_size(const json_t *parameters, struct sim_veo_order *order)
{
	const char *resolution = text_at(parameters, "resolution"), *ratio = text_at(parameters, "aspectRatio");
	int side = 720;

	if (resolution && strcmp(resolution, "1080p") == 0)
		side = 1080;
	if (resolution && strcmp(resolution, "4k") == 0)
		side = 2160;
	order->width = side * 16 / 9;
	order->height = side;
	if (ratio && strcmp(ratio, "9:16") == 0) {
		order->height = order->width;
		order->width = side;
	}
}

int sim_veo_order_read(const json_t *body, bool is_gemini, struct errmsg *msg, struct sim_veo_order *ret)
{
	const json_t *instances = json_object_get(body, "instances"), *instance = json_array_get(instances, 0);
	const json_t *parameters = json_object_get(body, "parameters");
	struct sim_veo_order order = {0};
	int64_t samples, seconds, seed;
	int r;

	if (!json_is_object(body) || json_array_size(instances) != 1)
		return complain(msg, "instances must hold exactly one object");
	r = check_instance(instance, is_gemini, msg);
	r = r ? r : check_words(parameters, msg);
	r = r ? r : check_surface(parameters, is_gemini, msg);
	if (r)
		return r;
	if (!read_count(json_object_get(parameters, "sampleCount"), 1, 1, 4, &samples))
		return complain(msg, "sampleCount must be between 1 and 4");
	if (!read_count(json_object_get(parameters, "seed"), 0, 0, UINT32_MAX, &seed))
		return complain(msg, "seed must be between 0 and 4294967295");
	if (!read_count(json_object_get(parameters, "durationSeconds"), SECONDS_BY_DEFAULT, 1, 3600, &seconds))
		return complain(msg, "durationSeconds must be a number");
	order.prompt = text_at(instance, "prompt");
	order.storage = text_at(parameters, "storageUri");
	if (order.storage)
		order.storage += strlen("gs://");
	order.samples = (int)samples;
	order.has_odd_seconds = seconds != 4 && seconds != 6 && seconds != 8;
	order.seconds = json_object_get(instance, "video") ? EXTENSION_SECONDS : (int)seconds;
	choose_size(parameters, &order);

	*ret = order;
	return 0;
}
