#include "plugin/manifest_shape.h"

#include "base/limits.h"

#include <ctype.h>

static bool is_all_of(struct bytes text, const char *others)
{
	const char *p = text.data;

	for (size_t i = 0; i < text.len; i++)
		if (!isalnum((unsigned char)p[i]) && !(p[i] && strchr(others, p[i])))
			return false;
	return text.len > 0;
}

static bool is_plugin_name(struct bytes text)
{
	const char *p = text.data;

	for (size_t i = 0; i < text.len; i++)
		if (!islower((unsigned char)p[i]) &&
		    !(i && (isdigit((unsigned char)p[i]) || p[i] == '_' || p[i] == '-')))
			return false;
	return text.len > 0;
}

static bool is_model_name(struct bytes text)
{
	return is_all_of(text, "._:/-");
}

static bool is_header_name(struct bytes text)
{
	return is_all_of(text, "!#$%&'*+-.^_`|~");
}

static bool is_one_line(struct bytes text)
{
	const unsigned char *p = text.data;

	for (size_t i = 0; i < text.len; i++)
		if (p[i] < 0x20 || p[i] == 0x7f)
			return false;
	return true;
}

static bool is_date(struct bytes text)
{
	const char *p = text.data;

	for (size_t i = 0; i < text.len; i++)
		if (i == 4 || i == 7 ? p[i] != '-' : !isdigit((unsigned char)p[i]))
			return false;
	return text.len == 10;
}

static const struct plugin_shape any = {.kinds = ~0u};
static const struct plugin_shape boolean = {.kinds = SHAPE(BOOLEAN)};
static const struct plugin_shape text = {
	.kinds = SHAPE(TEXT), .min = 0, .max = 1024, .is_form = is_one_line, .form = "one line"};
static const struct plugin_shape plugin_name = {
	.kinds = SHAPE(TEXT), .min = 1, .max = 32, .is_form = is_plugin_name, .form = "a name of [a-z][a-z0-9_-]*"};
static const struct plugin_shape model_name = {.kinds = SHAPE(TEXT),
					       .min = 1,
					       .max = 255,
					       .is_form = is_model_name,
					       .form = "a name of letters, digits and ._:/-"};
static const struct plugin_shape header_name = {
	.kinds = SHAPE(TEXT), .min = 1, .max = 128, .is_form = is_header_name, .form = "a header name"};
static const struct plugin_shape date = {.kinds = SHAPE(TEXT), .is_form = is_date, .form = "a date such as 2026-11-22"};
static const struct plugin_shape url = {.kinds = SHAPE(TEXT), .min = 1, .max = 1024};
static const struct plugin_shape texts = {.kinds = SHAPE(ARRAY), .each = &text, .max = 256};
static const struct plugin_shape urls = {.kinds = SHAPE(ARRAY), .each = &url, .max = 32};
static const struct plugin_shape abi = {.kinds = SHAPE(NUMBER), .min = 0, .max = 1000};
static const struct plugin_shape state_version = {.kinds = SHAPE(NUMBER), .min = 1, .max = 1000000};
static const struct plugin_shape state_versions = {.kinds = SHAPE(ARRAY), .each = &state_version, .max = 256};
static const struct plugin_shape milliseconds = {.kinds = SHAPE(NUMBER), .min = 1, .max = 86400000};
static const struct plugin_shape seconds = {.kinds = SHAPE(NUMBER), .min = 1, .max = 31536000};
static const struct plugin_shape count = {.kinds = SHAPE(NUMBER), .min = 0, .max = 1000};
static const struct plugin_shape micros = {.kinds = SHAPE(NUMBER), .min = 0, .max = INT64_C(1000000000000)};
static const struct plugin_shape size_bytes = {.kinds = SHAPE(NUMBER), .min = 1, .max = INT64_C(1000000000000)};
static const struct plugin_shape number = {.kinds = SHAPE(NUMBER)};
static const struct plugin_shape scalar = {.kinds = SHAPE(TEXT) | SHAPE(NUMBER) | SHAPE(BOOLEAN)};
static const struct plugin_shape choices = {.kinds = SHAPE(ARRAY),
					    .min = 1,
					    .max = 1024,
					    .each = &(const struct plugin_shape){.kinds = SHAPE(TEXT) | SHAPE(NUMBER)}};

#define WORDS(...)                                           \
	.kinds = SHAPE(TEXT), .words = (const char *const[]) \
	{                                                    \
		__VA_ARGS__, NULL                            \
	}
static const struct plugin_shape media_kind = {WORDS("image", "video", "audio")};
static const struct plugin_shape media_kinds = {.kinds = SHAPE(ARRAY), .each = &media_kind, .min = 1, .max = 3};
static const struct plugin_shape media_role = {WORDS("first_frame", "last_frame", "keyframe", "reference", "source")};
static const struct plugin_shape media_form = {WORDS("url", "handle")};
static const struct plugin_shape media_forms = {.kinds = SHAPE(ARRAY), .each = &media_form, .min = 1, .max = 2};
static const struct plugin_shape auth_kind = {WORDS("none", "header", "bearer", "basic", "query")};
static const struct plugin_shape scope = {WORDS("route", "account")};
static const struct plugin_shape billed = {WORDS("no", "yes", "unknown")};
static const struct plugin_shape stage = {WORDS("preview", "available", "deprecated", "retired")};
static const struct plugin_shape cancel_while = {
	.kinds = SHAPE(ARRAY), .max = 2, .each = &(const struct plugin_shape){WORDS("queued", "running")}};
static const struct plugin_shape option_type = {WORDS("text", "number", "boolean")};
static const struct plugin_shape schema_type = {
	WORDS("object", "array", "string", "integer", "number", "boolean", "null")};
static const struct plugin_shape currency = {
	.kinds = SHAPE(TEXT), .min = 3, .max = 16, .is_form = is_model_name, .form = "a currency"};

/* Member by member: name, shape, and whether it must be there. */
#define OBJECT(...)                                                             \
	.kinds = SHAPE(OBJECT), .members = (const struct plugin_shape_member[]) \
	{                                                                       \
		__VA_ARGS__,                                                    \
		{                                                               \
			NULL, NULL, false                                       \
		}                                                               \
	}

static const struct plugin_shape secret = {OBJECT({"title", &text, false}, {"required", &boolean, false})};
static const struct plugin_shape secrets = {.kinds = SHAPE(OBJECT), .each = &secret};
static const struct plugin_shape auth = {OBJECT({"kind", &auth_kind, true}, {"name", &header_name, false},
						{"prefix", &text, false}, {"secret", &text, false},
						{"origins", &urls, false})};
static const struct plugin_shape auths = {.kinds = SHAPE(OBJECT), .each = &auth};
static const struct plugin_shape headers = {.kinds = SHAPE(OBJECT), .each = &text};
static const struct plugin_shape option = {OBJECT({"type", &option_type, true}, {"title", &text, false},
						  {"default", &scalar, false}, {"required", &boolean, false})};
static const struct plugin_shape options = {.kinds = SHAPE(OBJECT), .each = &option};
static const struct plugin_shape idempotency = {OBJECT({"window_s", &seconds, true}, {"scope", &scope, true})};
static const struct plugin_shape poll = {
	OBJECT({"first_ms", &milliseconds, false}, {"min_ms", &milliseconds, false}, {"max_ms", &milliseconds, false})};
static const struct plugin_shape jobs = {.kinds = SHAPE(NUMBER), .min = 1, .max = 10000};
static const struct plugin_shape concurrency = {OBJECT({"default", &jobs, true})};
static const struct plugin_shape timeouts = {
	OBJECT({"buys_ms", &milliseconds, false}, {"safe_ms", &milliseconds, false})};
static const struct plugin_shape cancel = {
	OBJECT({"while", &cancel_while, false}, {"deletes_finished", &boolean, false}, {"billed", &billed, false})};
static const struct plugin_shape links = {OBJECT({"expire_s", &seconds, false}, {"refresh", &boolean, false})};

static const struct plugin_shape limits = {
	OBJECT({"required", &boolean, false}, {"min_length", &size_bytes, false}, {"max_length", &size_bytes, false},
	       {"values", &choices, false}, {"min", &number, false}, {"max", &number, false}, {"step", &number, false},
	       {"kinds", &media_kinds, false}, {"forms", &media_forms, false}, {"default", &scalar, false},
	       {"affects_price", &boolean, false}, {"help", &text, false})};
static const struct plugin_shape parameters = {.kinds = SHAPE(OBJECT), .each = &limits};
static const struct plugin_shape medium = {
	OBJECT({"role", &media_role, true}, {"kind", &media_kind, true}, {"min", &count, false}, {"max", &count, false},
	       {"forms", &media_forms, false}, {"media_types", &texts, false}, {"max_bytes", &size_bytes, false},
	       {"affects_price", &boolean, false}, {"help", &text, false})};
static const struct plugin_shape media = {.kinds = SHAPE(ARRAY), .each = &medium, .max = 32};
static const struct plugin_shape narrower = {
	OBJECT({"required", &boolean, false}, {"forbidden", &boolean, false}, {"min_length", &size_bytes, false},
	       {"max_length", &size_bytes, false}, {"values", &choices, false}, {"min", &number, false},
	       {"max", &number, false}, {"step", &number, false})};
static const struct plugin_shape narrowers = {.kinds = SHAPE(OBJECT), .each = &narrower};
static const struct plugin_shape conditions = {.kinds = SHAPE(OBJECT), .each = &any};
static const struct plugin_shape rule = {
	OBJECT({"when", &conditions, true}, {"then", &narrowers, true}, {"message", &text, true})};
static const struct plugin_shape rules = {.kinds = SHAPE(ARRAY), .each = &rule, .max = 256};
static const struct plugin_shape output = {OBJECT({"role", &text, true}, {"media_types", &texts, false})};
static const struct plugin_shape outputs = {.kinds = SHAPE(ARRAY), .each = &output, .max = 32};
static const struct plugin_shape price_hint = {OBJECT({"currency", &currency, true},
						      {"per_second_micros", &micros, false},
						      {"per_video_micros", &micros, false}, {"as_of", &date, true})};
static const struct plugin_shape lifecycle = {
	OBJECT({"stage", &stage, true}, {"deprecated_on", &date, false}, {"retires_on", &date, false})};

/* A schema holds schemas: the two name each other. */
static const struct plugin_shape schema;
static const struct plugin_shape schemas = {.kinds = SHAPE(OBJECT), .each = &schema};
static const struct plugin_shape schema = {
	OBJECT({"type", &schema_type, false}, {"title", &text, false}, {"description", &text, false},
	       {"properties", &schemas, false}, {"required", &texts, false}, {"additionalProperties", &boolean, false},
	       {"enum", &choices, false}, {"minimum", &number, false}, {"maximum", &number, false},
	       {"maxLength", &size_bytes, false}, {"items", &schema, false})};

static const struct plugin_shape model = {OBJECT(
	{"name", &model_name, true}, {"title", &text, false}, {"help", &text, false}, {"lifecycle", &lifecycle, false},
	{"parameters", &parameters, true}, {"media", &media, false}, {"rules", &rules, false},
	{"extras", &schema, false}, {"outputs", &outputs, false}, {"price_hint", &price_hint, false})};
static const struct plugin_shape models = {.kinds = SHAPE(ARRAY), .each = &model, .min = 1, .max = 1024};

const struct plugin_shape plugin_manifest_shape = {OBJECT(
	{"name", &plugin_name, true}, {"title", &text, false}, {"version", &text, true}, {"abi", &abi, true},
	{"state_version", &state_version, false}, {"reads_state_versions", &state_versions, false},
	{"requires", &texts, false}, {"base_url", &url, true}, {"origins", &urls, false}, {"secrets", &secrets, false},
	{"auth", &auths, false}, {"headers", &headers, false}, {"options", &options, false},
	{"request_id_header", &header_name, false}, {"idempotency", &idempotency, false}, {"poll", &poll, false},
	{"concurrency", &concurrency, false}, {"timeouts", &timeouts, false}, {"cancel", &cancel, false},
	{"links", &links, false}, {"models", &models, true})};

const struct plugin_parameter plugin_parameters[] = {
	{"prompt", "/prompt", PLUGIN_PARAMETER_TEXT},
	{"negative_prompt", "/negative_prompt", PLUGIN_PARAMETER_TEXT},
	{"script.text", "/script/text", PLUGIN_PARAMETER_TEXT},
	{"script.audio", "/script/audio", PLUGIN_PARAMETER_MEDIA},
	{"avatar_id", "/avatar_id", PLUGIN_PARAMETER_TEXT},
	{"voice_id", "/voice_id", PLUGIN_PARAMETER_TEXT},
	{"duration_ms", "/duration_ms", PLUGIN_PARAMETER_NUMBER},
	{"aspect_ratio", "/aspect_ratio", PLUGIN_PARAMETER_TEXT},
	{"resolution", "/resolution", PLUGIN_PARAMETER_TEXT},
	{"size.width", "/size/width", PLUGIN_PARAMETER_NUMBER},
	{"size.height", "/size/height", PLUGIN_PARAMETER_NUMBER},
	{"fps", "/fps", PLUGIN_PARAMETER_NUMBER},
	{"seed", "/seed", PLUGIN_PARAMETER_NUMBER},
	{"audio", "/audio", PLUGIN_PARAMETER_TOGGLE},
	{"watermark", "/watermark", PLUGIN_PARAMETER_TOGGLE},
	{"sample_count", "/sample_count", PLUGIN_PARAMETER_NUMBER},
	{"prompt_rewrite", "/prompt_rewrite", PLUGIN_PARAMETER_TOGGLE},
	{"background.color", "/background/color", PLUGIN_PARAMETER_TEXT},
	{"background.media", "/background/media", PLUGIN_PARAMETER_MEDIA},
	{"end_user", "/end_user", PLUGIN_PARAMETER_TEXT},
	{NULL, NULL, PLUGIN_PARAMETER_TEXT},
};

const struct plugin_parameter *plugin_parameter_find(struct bytes name)
{
	for (const struct plugin_parameter *p = plugin_parameters; p->name; p++)
		if (bytes_equal(bytes_of_text(p->name), name))
			return p;
	return NULL;
}

/* Members of limits that only make sense for one kind of parameter. */
static bool limit_fits(enum plugin_parameter_kind kind, const char *member)
{
	static const struct {
		const char *member;
		enum plugin_parameter_kind kind;
	} only[] = {
		{"min_length", PLUGIN_PARAMETER_TEXT}, {"max_length", PLUGIN_PARAMETER_TEXT},
		{"min", PLUGIN_PARAMETER_NUMBER},      {"max", PLUGIN_PARAMETER_NUMBER},
		{"step", PLUGIN_PARAMETER_NUMBER},     {"kinds", PLUGIN_PARAMETER_MEDIA},
		{"forms", PLUGIN_PARAMETER_MEDIA},
	};

	for (size_t i = 0; i < sizeof(only) / sizeof(only[0]); i++)
		if (strcmp(only[i].member, member) == 0)
			return only[i].kind == kind;
	return kind != PLUGIN_PARAMETER_MEDIA || (strcmp(member, "values") != 0 && strcmp(member, "default") != 0);
}

static int check_limits(const struct plugin_manifest *manifest, json_node limits_node, const char *model_text,
			struct errmsg *error)
{
	const char *name = json_name(manifest->json, limits_node);
	const struct plugin_parameter *parameter = plugin_parameter_find(json_key(manifest->json, limits_node));

	if (!parameter) {
		errmsg_set(error,
			   "model '%s': '%s' is no canonical parameter; what only this provider knows is an extra",
			   model_text, name);
		return PLUGIN_SHAPE_E_MISMATCH;
	}
	for (json_node n = json_first(manifest->json, limits_node); n; n = json_next(manifest->json, n)) {
		const char *member = json_name(manifest->json, n);

		if (limit_fits(parameter->kind, member))
			continue;
		errmsg_set(error, "model '%s': the limit '%s' makes no sense for '%s'", model_text, member, name);
		return PLUGIN_SHAPE_E_MISMATCH;
	}
	return 0;
}

/* Does a rule's name stand for a parameter or a role that the model has? */
static bool is_known_here(const struct plugin_manifest *manifest, json_node model_node, struct bytes name)
{
	static const char prefix[] = "media.";
	size_t n = sizeof(prefix) - 1;

	if (name.len > n && memcmp(name.data, prefix, n) == 0) {
		json_node list = json_at(manifest->json, model_node, "/media");

		for (json_node m = json_first(manifest->json, list); m; m = json_next(manifest->json, m))
			if (json_text_is(manifest->json, json_at(manifest->json, m, "/role"),
					 (const char *)name.data + n))
				return true;
		return false;
	}
	return json_member(manifest->json, json_at(manifest->json, model_node, "/parameters"), name) != JSON_ABSENT;
}

static int check_rule(const struct plugin_manifest *manifest, json_node model_node, json_node rule_node,
		      struct errmsg *error)
{
	static const char *const parts[] = {"/when", "/then"};

	for (size_t i = 0; i < 2; i++) {
		json_node part = json_at(manifest->json, rule_node, parts[i]);

		for (json_node n = json_first(manifest->json, part); n; n = json_next(manifest->json, n)) {
			if (is_known_here(manifest, model_node, json_key(manifest->json, n)))
				continue;
			errmsg_set(error, "model '%s': a rule speaks of '%s', which the model does not take",
				   json_string(manifest->json, json_at(manifest->json, model_node, "/name")),
				   json_name(manifest->json, n));
			return PLUGIN_SHAPE_E_MISMATCH;
		}
	}
	return 0;
}

int plugin_manifest_shape_check_models(const struct plugin_manifest *manifest, struct errmsg *error)
{
	const struct json *json = manifest->json;

	for (json_node m = json_first(json, manifest->models); m; m = json_next(json, m)) {
		const char *name = json_string(json, json_at(json, m, "/name"));
		int r = 0;

		for (json_node n = json_first(json, json_at(json, m, "/parameters")); r == 0 && n;
		     n = json_next(json, n))
			r = check_limits(manifest, n, name, error);
		for (json_node n = json_first(json, json_at(json, m, "/rules")); r == 0 && n; n = json_next(json, n))
			r = check_rule(manifest, m, n, error);
		if (r)
			return r;
	}
	return 0;
}
