/*
 * What parameters.proto says of every field, whatever the model: lengths, ranges, what needs what. The figures stand
 * in one table, field by field; only what ties fields together is code. Whether a model takes a parameter at all is
 * for the capability document, and so for the engine.
 */
#include "api/params.h"

#include "api/structs.h"
#include "base/err.h"
#include "base/quote.h"

#include <ctype.h>
#include <google/protobuf/duration.pb-c.h>

#define DAY_MS 86400000
#define EXTRAS_BYTES 65536
#define EXTRAS_DEPTH 32

/* Of a field that is set: bytes of a text, elements of a list, milliseconds, or the number itself. */
struct rule {
	const char *field;
	int64_t min;
	int64_t max;
};

static const struct rule parameters_rules[] = {
	{"prompt", 1, 100000}, {"negative_prompt", 1, 100000}, {"avatar_id", 1, 255},   {"voice_id", 1, 255},
	{"media", 0, 32},      {"duration", 1, DAY_MS},        {"aspect_ratio", 1, 32}, {"resolution", 1, 32},
	{"fps", 1, 240},       {"sample_count", 1, 16},        {"end_user", 1, 255},    {NULL, 0, 0},
};
static const struct rule script_rules[] = {{"text", 1, 100000}, {NULL, 0, 0}};
static const struct rule media_rules[] = {
	{"url", 1, 4096}, {"provider_handle", 1, 1024}, {"asset", 1, 128}, {"at", 0, DAY_MS}, {NULL, 0, 0}};
static const struct rule size_rules[] = {{"width", 16, 16384}, {"height", 16, 16384}, {NULL, 0, 0}};

static const struct {
	const ProtobufCMessageDescriptor *type;
	const struct rule *rules;
} tables[] = {
	{&filmgate__v1__job_parameters__descriptor, parameters_rules},
	{&filmgate__v1__script__descriptor, script_rules},
	{&filmgate__v1__media__descriptor, media_rules},
	{&filmgate__v1__frame_size__descriptor, size_rules},
};

static const struct rule *find_rules(const ProtobufCMessageDescriptor *type)
{
	static const struct rule none = {NULL, 0, 0};

	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++)
		if (tables[i].type == type)
			return tables[i].rules;
	return &none;
}

static void check_range(const struct rule *rule, int64_t value, const char *unit, const struct path *at,
			struct violations *violations)
{
	if (value < rule->min || value > rule->max)
		violations_add_at(violations, at, "%lld%s; %lld to %lld are possible", (long long)value, unit,
				  (long long)rule->min, (long long)rule->max);
}

static void check_duration(const struct rule *rule, const Google__Protobuf__Duration *duration, const struct path *at,
			   struct violations *violations)
{
	int64_t ms;

	if (!duration)
		return;
	if (!duration_to_ms(duration, &ms))
		violations_add_at(violations, at, "%lld s and %d ns are not a duration in whole milliseconds",
				  (long long)duration->seconds, duration->nanos);
	else
		check_range(rule, ms, " ms", at, violations);
}

static void check_field(const struct rule *rule, const ProtobufCMessage *message, const struct path *up,
			struct violations *violations)
{
	const ProtobufCFieldDescriptor *field = protobuf_c_message_descriptor_get_field_by_name(message->descriptor,
												rule->field);
	const struct path at = {.up = up, .name = rule->field, .index = -1};
	const void *member = (const char *)message + field->offset;
	const void *quantifier = (const char *)message + field->quantifier_offset;
	bool is_choice = field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF;
	size_t len;

	if (is_choice && *(const uint32_t *)quantifier != field->id)
		return;
	if (field->label == PROTOBUF_C_LABEL_REPEATED) {
		check_range(rule, (int64_t) * (const size_t *)quantifier, " elements", &at, violations);
	} else if (field->type == PROTOBUF_C_TYPE_STRING) {
		len = strlen(*(char *const *)member);
		if (len || is_choice)
			check_range(rule, (int64_t)len, " bytes", &at, violations);
	} else if (field->type == PROTOBUF_C_TYPE_MESSAGE) {
		check_duration(rule, *(const Google__Protobuf__Duration *const *)member, &at, violations);
	} else if (*(const uint32_t *)member || message->descriptor == &filmgate__v1__frame_size__descriptor) {
		check_range(rule, *(const uint32_t *)member, "", &at, violations);
	}
}

static void check_figures(const ProtobufCMessage *message, const struct path *at, struct violations *violations)
{
	for (const struct rule *rule = find_rules(message->descriptor); rule->field; rule++)
		check_field(rule, message, at, violations);
}

/* ---- what ties fields together ---- */

static void check_source(const Filmgate__V1__Media *media, const struct path *at, struct violations *violations)
{
	check_figures(&media->base, at, violations);
	if (media->source_case == FILMGATE__V1__MEDIA__SOURCE__NOT_SET)
		violations_add_at(violations, at, "the medium has no source: set url, provider_handle or asset");
	else if (media->source_case == FILMGATE__V1__MEDIA__SOURCE_URL && strncmp(media->url, "https://", 8) != 0 &&
		 strncmp(media->url, "http://", 7) != 0)
		violations_add_at(violations, &(struct path){.up = at, .name = "url", .index = -1},
				  "the address must begin with https:// or http://");
}

static bool is_kind_of(const Filmgate__V1__Media *media, Filmgate__V1__MediaKind a, Filmgate__V1__MediaKind b)
{
	return media->kind == a || media->kind == b;
}

/* A medium that stands alone, in a script or as a background. */
static void check_single(const Filmgate__V1__Media *media, const struct path *at, struct violations *violations)
{
	check_source(media, at, violations);
	if (media->role != FILMGATE__V1__MEDIA_ROLE__MEDIA_ROLE_UNSPECIFIED)
		violations_add_at(violations, &(struct path){.up = at, .name = "role", .index = -1},
				  "must be unset here");
	if (media->at)
		violations_add_at(violations, &(struct path){.up = at, .name = "at", .index = -1},
				  "must be unset here");
}

static void check_listed(const Filmgate__V1__Media *media, const Google__Protobuf__Duration *duration,
			 const struct path *at, struct violations *violations)
{
	const struct path moment = {.up = at, .name = "at", .index = -1};
	int64_t at_ms, end_ms;

	check_source(media, at, violations);
	if (media->kind == FILMGATE__V1__MEDIA_KIND__MEDIA_KIND_UNSPECIFIED)
		violations_add_at(violations, &(struct path){.up = at, .name = "kind", .index = -1}, "is required");
	if (media->role == FILMGATE__V1__MEDIA_ROLE__MEDIA_ROLE_UNSPECIFIED)
		violations_add_at(violations, &(struct path){.up = at, .name = "role", .index = -1}, "is required");
	if (!media->at)
		return;
	if (media->role != FILMGATE__V1__MEDIA_ROLE__MEDIA_ROLE_KEYFRAME)
		violations_add_at(violations, &moment, "only keyframes have a moment");
	else if (duration && duration_to_ms(media->at, &at_ms) && duration_to_ms(duration, &end_ms) && at_ms > end_ms)
		violations_add_at(violations, &moment, "%lld ms is behind the end of the video (%lld ms)",
				  (long long)at_ms, (long long)end_ms);
}

static void check_media(const Filmgate__V1__JobParameters *params, const struct path *up, struct violations *violations)
{
	const struct path list = {.up = up, .name = "media", .index = -1};

	for (size_t i = 0; i < params->n_media; i++)
		check_listed(params->media[i], params->duration, &(struct path){.up = &list, .index = (int64_t)i},
			     violations);
}

static void check_script(const Filmgate__V1__Script *script, const struct path *up, struct violations *violations)
{
	const struct path at = {.up = up, .name = "script", .index = -1};
	const struct path audio = {.up = &at, .name = "audio", .index = -1};

	check_figures(&script->base, &at, violations);
	if (script->content_case == FILMGATE__V1__SCRIPT__CONTENT__NOT_SET)
		violations_add_at(violations, &at, "the script is empty: set text or audio");
	if (script->content_case != FILMGATE__V1__SCRIPT__CONTENT_AUDIO)
		return;
	check_single(script->audio, &audio, violations);
	if (!is_kind_of(script->audio, FILMGATE__V1__MEDIA_KIND__MEDIA_KIND_AUDIO,
			FILMGATE__V1__MEDIA_KIND__MEDIA_KIND_UNSPECIFIED))
		violations_add_at(violations, &(struct path){.up = &audio, .name = "kind", .index = -1},
				  "a script is spoken by audio: set this kind, or leave it out");
}

static bool is_colour(const char *text)
{
	if (*text != '#' || strlen(text) != 7)
		return false;
	for (int i = 1; i < 7; i++)
		if (!isxdigit((unsigned char)text[i]))
			return false;
	return true;
}

static void check_background(const Filmgate__V1__Background *background, const struct path *up,
			     struct violations *violations)
{
	const struct path at = {.up = up, .name = "background", .index = -1};
	const struct path media = {.up = &at, .name = "media", .index = -1};

	if (background->content_case == FILMGATE__V1__BACKGROUND__CONTENT__NOT_SET)
		violations_add_at(violations, &at, "the background is empty: set color or media");
	if (background->content_case == FILMGATE__V1__BACKGROUND__CONTENT_COLOR && !is_colour(background->color))
		violations_add_at(violations, &(struct path){.up = &at, .name = "color", .index = -1},
				  "'%s' is not a colour; write #rrggbb", quote(background->color).text);
	if (background->content_case != FILMGATE__V1__BACKGROUND__CONTENT_MEDIA)
		return;
	check_single(background->media, &media, violations);
	if (!is_kind_of(background->media, FILMGATE__V1__MEDIA_KIND__MEDIA_KIND_IMAGE,
			FILMGATE__V1__MEDIA_KIND__MEDIA_KIND_VIDEO))
		violations_add_at(violations, &(struct path){.up = &media, .name = "kind", .index = -1},
				  "a background is an image or a video: say which");
}

/* "w:h" with whole numbers above 0, or "adaptive". */
static bool is_aspect_ratio(const char *text)
{
	size_t width = strspn(text, "0123456789"), height;

	if (strcmp(text, "adaptive") == 0)
		return true;
	if (width == 0 || text[width] != ':' || text[0] == '0')
		return false;
	height = strspn(text + width + 1, "0123456789");
	return height > 0 && text[width + 1] != '0' && text[width + 1 + height] == '\0';
}

static void check_extras(const Google__Protobuf__Struct *extras, const struct path *up, struct violations *violations)
{
	const struct path at = {.up = up, .name = "extras", .index = -1};
	struct buffer json = {.limit = EXTRAS_BYTES};
	unsigned depth = struct_depth(extras);
	int r = struct_write_json(extras, &json);

	if (depth > EXTRAS_DEPTH)
		violations_add_at(violations, &at, "nested %u levels deep; at most %d are possible", depth,
				  EXTRAS_DEPTH);
	if (r == STRUCTS_E_NUMBER)
		violations_add_at(violations, &at, "has a number that is infinite or none at all");
	else if (r == STRUCTS_E_EMPTY)
		violations_add_at(violations, &at, "has a value that is not set; use null_value for null");
	else if (r == -EMSGSIZE)
		violations_add_at(violations, &at, "has more than %d bytes as JSON", EXTRAS_BYTES);
	else if (r < 0)
		violations_add_at(violations, &at, "cannot be read: %s", strerror(-r));
	buffer_finish(&json);
}

void params_check(const Filmgate__V1__JobParameters *params, const struct path *at, struct violations *violations)
{
	check_figures(&params->base, at, violations);
	check_media(params, at, violations);
	if (params->script)
		check_script(params->script, at, violations);
	if (params->background)
		check_background(params->background, at, violations);
	if (*params->aspect_ratio && !is_aspect_ratio(params->aspect_ratio))
		violations_add_at(violations, &(struct path){.up = at, .name = "aspect_ratio", .index = -1},
				  "'%s' is not an aspect ratio; write it like 16:9, or adaptive",
				  quote(params->aspect_ratio).text);
	if (params->picture_size_case == FILMGATE__V1__JOB_PARAMETERS__PICTURE_SIZE_SIZE)
		check_figures(&params->size->base, &(struct path){.up = at, .name = "size", .index = -1}, violations);
	if (params->extras)
		check_extras(params->extras, at, violations);
}
