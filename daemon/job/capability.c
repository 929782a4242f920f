/*
 * Reading a capability document. A member that is not known is refused, so that a misspelt limit is found when a
 * plugin is loaded and not when a job was paid for.
 */
#include "job/capability.h"

#include "base/err.h"

#include <ctype.h>
#include <stdarg.h>

static const struct job_member model_members[] = {
	{"name", JSON_KIND_TEXT, true},
	{"title", JSON_KIND_TEXT, false},
	{"lifecycle", JSON_KIND_OBJECT, false},
	{"parameters", JSON_KIND_OBJECT, true},
	{"media", JSON_KIND_ARRAY, false},
	{"rules", JSON_KIND_ARRAY, false},
	{"extras", JSON_KIND_OBJECT, false},
	{"outputs", JSON_KIND_ARRAY, false},
	{"prices", JSON_KIND_ARRAY, false},
	{"length", JSON_KIND_ARRAY, false},
	{0},
};
static const struct job_member lifecycle_members[] = {
	{"stage", JSON_KIND_TEXT, true},
	{"deprecated_on", JSON_KIND_TEXT, false},
	{"retires_on", JSON_KIND_TEXT, false},
	{0},
};
static const struct job_member media_members[] = {
	{"role", JSON_KIND_TEXT, true},         {"kind", JSON_KIND_TEXT, true},
	{"min", JSON_KIND_NUMBER, false},       {"max", JSON_KIND_NUMBER, false},
	{"forms", JSON_KIND_ARRAY, false},      {"media_types", JSON_KIND_ARRAY, false},
	{"max_bytes", JSON_KIND_NUMBER, false}, {"affects_price", JSON_KIND_BOOLEAN, false},
	{"help", JSON_KIND_TEXT, false},        {0},
};
static const struct job_member output_members[] = {
	{"role", JSON_KIND_TEXT, true},
	{"media_types", JSON_KIND_ARRAY, false},
	{0},
};
static const char *const stages[] = {"preview", "available", "deprecated", "retired", NULL};
const char *const job_media_kinds[] = {"image", "video", "audio", NULL};
const char *const job_media_forms[] = {"url", "provider_handle", "asset", NULL};
static const char *const roles[] = {"first_frame", "last_frame", "keyframe", "reference", "source", NULL};

int job_reading_fail(const struct job_reading *reading, const struct job_field *field, const char *format, ...)
{
	struct job_line place = {0}, words = {0};
	const struct job_field *chain[16];
	va_list args;
	size_t n = 0;

	for (; field && n < sizeof(chain) / sizeof(chain[0]); field = field->parent)
		chain[n++] = field;
	while (n-- > 0) {
		if (chain[n]->name)
			job_line_add(&place, "%s%s", place.len ? "." : "", chain[n]->name);
		else
			job_line_add(&place, "[%zu]", chain[n]->index);
	}
	va_start(args, format);
	vsnprintf(words.text, sizeof(words.text), format, args);
	va_end(args);
	errmsg_set(reading->error, "%.250s %.250s", place.text, words.text);
	return JOB_VALIDATE_E_MANIFEST;
}

static const char *kind_words(enum json_kind kind)
{
	switch (kind) {
	case JSON_KIND_BOOLEAN:
		return "true or false";
	case JSON_KIND_NUMBER:
		return "a number";
	case JSON_KIND_TEXT:
		return "a text";
	case JSON_KIND_ARRAY:
		return "a list";
	case JSON_KIND_OBJECT:
		return "an object";
	default:
		return "null";
	}
}

static const struct job_member *find_member(const struct job_member *members, const char *name)
{
	for (; members->name; members++)
		if (strcmp(members->name, name) == 0)
			return members;
	return NULL;
}

int job_reading_members(const struct job_reading *reading, const struct job_field *field, json_node object,
			const struct job_member *members)
{
	if (json_kind(reading->json, object) != JSON_KIND_OBJECT)
		return job_reading_fail(reading, field, "is not an object");
	for (json_node node = json_first(reading->json, object); node; node = json_next(reading->json, node)) {
		struct job_field here = {.parent = field, .name = json_key(reading->json, node).data};
		const struct job_member *member = find_member(members, here.name);

		if (!member)
			return job_reading_fail(reading, &here, "is not known");
		if (member->kind != JSON_KIND_ABSENT && json_kind(reading->json, node) != member->kind)
			return job_reading_fail(reading, &here, "is not %s", kind_words(member->kind));
	}
	for (; members->name; members++) {
		struct job_field here = {.parent = field, .name = members->name};

		if (members->is_required && !json_member(reading->json, object, bytes_of_text(members->name)))
			return job_reading_fail(reading, &here, "is missing");
	}
	return 0;
}

static bool is_one_of(const struct job_reading *reading, json_node text, const char *const *words)
{
	for (; *words; words++)
		if (json_text_is(reading->json, text, *words))
			return true;
	return false;
}

int job_reading_texts(const struct job_reading *reading, const struct job_field *field, json_node array,
		      const char *const *words)
{
	for (json_node node = json_first(reading->json, array); node; node = json_next(reading->json, node)) {
		struct job_line value = {0};

		if (json_kind(reading->json, node) != JSON_KIND_TEXT || json_text(reading->json, node).len == 0)
			return job_reading_fail(reading, field, "is not a list of texts");
		job_line_add_value(&value, reading->json, node);
		if (words && !is_one_of(reading, node, words))
			return job_reading_fail(reading, field, "has %s, which is not in the contract", value.text);
	}
	return 0;
}

static json_node member_of(const struct job_reading *reading, json_node object, const char *name)
{
	return json_member(reading->json, object, bytes_of_text(name));
}

static int read_media(const struct job_reading *reading, const struct job_field *field, json_node entry)
{
	struct job_field forms = {.parent = field, .name = "forms"};
	int64_t least = json_integer(reading->json, member_of(reading, entry, "min"), 0);
	int64_t most = json_integer(reading->json, member_of(reading, entry, "max"), 1);
	int r = job_reading_members(reading, field, entry, media_members);

	if (r)
		return r;
	if (!is_one_of(reading, member_of(reading, entry, "role"), roles))
		return job_reading_fail(reading, field, "has a role that is not in the contract");
	if (!is_one_of(reading, member_of(reading, entry, "kind"), job_media_kinds))
		return job_reading_fail(reading, field, "has a kind that is none of image, video, audio");
	if (least < 0 || most < 1 || least > most || most > LIMIT_JOB_MEDIA)
		return job_reading_fail(reading, field, "has a min or max that is not 0 <= min <= max <= %d",
					LIMIT_JOB_MEDIA);
	return job_reading_texts(reading, &forms, member_of(reading, entry, "forms"), job_media_forms);
}

typedef int read_fn(const struct job_reading *reading, const struct job_field *field, json_node node);

/* Calls @fn for each element of the model's list @name. */
static int read_list(const struct job_reading *reading, const struct job_field *model_field, json_node model,
		     const char *name, read_fn *fn)
{
	struct job_field field = {.parent = model_field, .name = name};
	json_node list = member_of(reading, model, name);
	size_t n = 0;
	int r = 0;

	for (json_node node = json_first(reading->json, list); !r && node; node = json_next(reading->json, node), n++) {
		struct job_field here = {.parent = &field, .index = n};

		r = fn(reading, &here, node);
	}
	return r;
}

static int read_output(const struct job_reading *reading, const struct job_field *field, json_node output)
{
	return job_reading_members(reading, field, output, output_members);
}

static int read_parameters(const struct job_reading *reading, const struct job_field *field, json_node parameters)
{
	for (json_node node = json_first(reading->json, parameters); node; node = json_next(reading->json, node)) {
		struct job_field here = {.parent = field, .name = json_key(reading->json, node).data};
		const struct job_parameter *parameter = job_parameter_find(here.name);
		int r;

		if (!parameter)
			return job_reading_fail(reading, &here, "is not a canonical parameter");
		r = job_limits_read(reading, &here, node, parameter);
		if (r)
			return r;
	}
	return 0;
}

int job_reading_date(const struct job_reading *reading, const struct job_field *field, json_node object,
		     const char *name)
{
	json_node node = member_of(reading, object, name);
	struct bytes text = json_text(reading->json, node);
	struct job_field here = {.parent = field, .name = name};
	const char *p = text.data;
	bool is_date = text.len == 10;

	for (size_t i = 0; is_date && i < text.len; i++)
		is_date = i == 4 || i == 7 ? p[i] == '-' : isdigit((unsigned char)p[i]);
	return node && !is_date ? job_reading_fail(reading, &here, "is not a date such as 2026-11-22") : 0;
}

static int read_lifecycle(const struct job_reading *reading, const struct job_field *field, json_node lifecycle)
{
	int r = job_reading_members(reading, field, lifecycle, lifecycle_members);

	if (r)
		return r;
	if (!is_one_of(reading, member_of(reading, lifecycle, "stage"), stages))
		return job_reading_fail(reading, field,
					"has a stage that is none of preview, available, deprecated, retired");
	r = job_reading_date(reading, field, lifecycle, "deprecated_on");
	return r ? r : job_reading_date(reading, field, lifecycle, "retires_on");
}

static int read_extras(const struct job_reading *reading, const struct job_field *field, json_node schema)
{
	int r = job_schema_read(reading, field, schema);

	if (r == 0 && !json_text_is(reading->json, member_of(reading, schema, "type"), "object"))
		return job_reading_fail(reading, field, "is not of the type object");
	return r;
}

static bool is_model_name(struct bytes text)
{
	const char *p = text.data;

	for (size_t i = 0; i < text.len; i++)
		if (!isalnum((unsigned char)p[i]) && !(p[i] && strchr("._:/-", p[i])))
			return false;
	return text.len >= 1 && text.len <= 255;
}

/* Calls @fn for the model's member @name, if it is there. */
static int read_member(const struct job_reading *reading, const struct job_field *model_field, json_node model,
		       const char *name, read_fn *fn)
{
	struct job_field field = {.parent = model_field, .name = name};
	json_node node = member_of(reading, model, name);

	return node ? fn(reading, &field, node) : 0;
}

static int read_model(const struct job_reading *reading, const struct job_field *field, json_node model)
{
	struct job_field rules = {.parent = field, .name = "rules"}, name = {.parent = field, .name = "name"};
	struct job_field prices = {.parent = field, .name = "prices"}, length = {.parent = field, .name = "length"};
	int r = job_reading_members(reading, field, model, model_members);

	if (r)
		return r;
	if (!is_model_name(json_text(reading->json, member_of(reading, model, "name"))))
		return job_reading_fail(reading, &name, "is not 1 to 255 letters, digits and ._:/-");
	r = read_member(reading, field, model, "lifecycle", read_lifecycle);
	if (!r)
		r = read_member(reading, field, model, "parameters", read_parameters);
	if (!r)
		r = read_list(reading, field, model, "media", read_media);
	if (!r)
		r = read_list(reading, field, model, "outputs", read_output);
	if (!r)
		r = read_member(reading, field, model, "extras", read_extras);
	if (!r)
		r = job_rules_read(reading, &rules, model);
	if (!r)
		r = job_prices_read(reading, &prices, member_of(reading, model, "prices"), reading->json, model);
	return r ? r : job_lengths_read(reading, &length, member_of(reading, model, "length"), model);
}

static bool is_named_before(const struct job_reading *reading, json_node models, json_node model)
{
	struct bytes name = json_text(reading->json, member_of(reading, model, "name"));

	for (json_node node = json_first(reading->json, models); node != model; node = json_next(reading->json, node))
		if (bytes_equal(json_text(reading->json, member_of(reading, node, "name")), name))
			return true;
	return false;
}

static int read_models(const struct job_reading *reading, json_node models)
{
	static const struct job_field root = {.name = "models"};
	uint32_t count = json_count(reading->json, models);
	size_t n = 0;

	if (json_kind(reading->json, models) != JSON_KIND_ARRAY || count == 0 || count > LIMIT_JOB_MODELS)
		return job_reading_fail(reading, &root, "is not a list of 1 to %d models", LIMIT_JOB_MODELS);
	for (json_node model = json_first(reading->json, models); model; model = json_next(reading->json, model), n++) {
		struct job_field field = {.parent = &root, .index = n};
		int r = read_model(reading, &field, model);

		if (r)
			return r;
		if (is_named_before(reading, models, model))
			return job_reading_fail(reading, &field, "has the name of another model");
	}
	return 0;
}

int job_capabilities_new(struct bytes manifest, struct job_capabilities **ret, struct errmsg *error)
{
	_cleanup_(job_capabilities_freep) struct job_capabilities *capabilities = calloc(1, sizeof(*capabilities));
	struct job_reading reading = {.error = error};
	json_node root;
	int r;

	if (!capabilities)
		return err_origin(-ENOMEM);
	if (manifest.len > LIMIT_JOB_MANIFEST_BYTES) {
		errmsg_set(error, "is %zu bytes long; at most %d are taken", manifest.len, LIMIT_JOB_MANIFEST_BYTES);
		return JOB_VALIDATE_E_MANIFEST;
	}
	capabilities->json = json_new(NULL);
	if (!capabilities->json)
		return err_origin(-ENOMEM);
	r = json_parse(capabilities->json, manifest, JSON_DUPLICATES_REFUSE, &root, error);
	if (r < 0)
		return err_trace(r);
	if (r > 0)
		return JOB_VALIDATE_E_MANIFEST;

	reading.json = capabilities->json;
	capabilities->models = json_member(capabilities->json, root, bytes_of_text("models"));
	r = read_models(&reading, capabilities->models);
	if (r == 0)
		*ret = steal(capabilities);
	return r;
}

struct job_capabilities *job_capabilities_free(struct job_capabilities *capabilities)
{
	if (capabilities)
		json_free(capabilities->json);
	free(capabilities);
	return NULL;
}

void job_capabilities_freep(struct job_capabilities **capabilities)
{
	*capabilities = job_capabilities_free(*capabilities);
}

const char *job_capabilities_model(const struct job_capabilities *capabilities, size_t n)
{
	json_node model = json_item(capabilities->json, capabilities->models, n);

	return model ? json_text(capabilities->json, json_at(capabilities->json, model, "/name")).data : NULL;
}
