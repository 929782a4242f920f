#include "plugin/capability.h"

#include "base/limits.h"
#include "plugin/capability_walk.h"

#include <stdarg.h>

void plugin_violation(struct capability_walk *walk, const char *field, const char *format, ...)
{
	char path[512], what[1024];
	va_list args;

	if (walk->count == LIMIT_PLUGIN_VIOLATIONS)
		return;
	walk->count++;
	snprintf(path, sizeof(path), "parameters.%s", field);
	va_start(args, format);
	vsnprintf(what, sizeof(what), format, args);
	va_end(args);
	walk->fn(walk->userdata, path, what);
}

/* A whole number up to what a seed can be, which is more than int64_t. */
static bool read_number(const struct json *json, json_node node, __int128 *ret)
{
	int64_t value;
	uint64_t large;

	if (decimal_parse(json_text(json, node), 0, &value) == 0) {
		*ret = value;
		return true;
	}
	if (decimal_parse_unsigned(json_text(json, node), &large) != 0)
		return false;
	*ret = large;
	return true;
}

static size_t count_characters(struct bytes text)
{
	size_t n = 0;

	for (size_t i = 0; i < text.len; i++)
		n += (((const unsigned char *)text.data)[i] & 0xc0) != 0x80;
	return n;
}

/* "'480p', '720p'", cut with an ellipsis when it grows too long for one message. */
static void list_values(const struct json *json, json_node values, char *text, size_t size)
{
	size_t len = 0;

	text[0] = '\0';
	for (json_node n = json_first(json, values); n && len < size; n = json_next(json, n))
		len += (size_t)snprintf(text + len, size - len, "%s%s", len ? ", " : "", json_string(json, n));
	if (len >= size)
		memcpy(text + size - 4, "...", 4);
}

static bool is_among(const struct json *list_json, json_node list, const struct json *json, json_node value)
{
	for (json_node n = json_first(list_json, list); n; n = json_next(list_json, n))
		if (bytes_equal(json_text(list_json, n), json_text(json, value)))
			return true;
	return false;
}

static json_node limit(const struct capability_walk *walk, json_node limits, const char *pointer)
{
	return json_at(walk->manifest->json, limits, pointer);
}

static void check_values(struct capability_walk *walk, const char *field, json_node limits, json_node value)
{
	json_node values = limit(walk, limits, "/values");
	char list[512];

	if (!values || is_among(walk->manifest->json, values, walk->json, value))
		return;
	list_values(walk->manifest->json, values, list, sizeof(list));
	plugin_violation(walk, field, "'%.100s' is not offered; choose one of %s", json_string(walk->json, value),
			 list);
}

static void check_text(struct capability_walk *walk, const char *field, json_node limits, json_node value)
{
	const struct json *json = walk->manifest->json;
	size_t characters = count_characters(json_text(walk->json, value));
	int64_t min = json_integer(json, limit(walk, limits, "/min_length"), 0);
	int64_t max = json_integer(json, limit(walk, limits, "/max_length"), INT64_MAX);

	if (json_kind(walk->json, value) != JSON_KIND_TEXT)
		plugin_violation(walk, field, "must be text");
	else if ((int64_t)characters < min)
		plugin_violation(walk, field, "is %zu characters long; at least %lld are needed", characters,
				 (long long)min);
	else if ((int64_t)characters > max)
		plugin_violation(walk, field, "is %zu characters long; shorten it to %lld", characters, (long long)max);
	else
		check_values(walk, field, limits, value);
}

static void check_number(struct capability_walk *walk, const char *field, json_node limits, json_node value)
{
	const struct json *json = walk->manifest->json;
	json_node min_node = limit(walk, limits, "/min"), max_node = limit(walk, limits, "/max");
	const char *text = json_string(walk->json, value);
	__int128 number, min = 0, max = 0, step = 1;

	if (json_kind(walk->json, value) != JSON_KIND_NUMBER || !read_number(walk->json, value, &number)) {
		plugin_violation(walk, field, "must be a whole number");
		return;
	}
	read_number(json, limit(walk, limits, "/step"), &step);
	if (read_number(json, min_node, &min) && number < min)
		plugin_violation(walk, field, "%s is too small; the least is %s", text, json_string(json, min_node));
	else if (read_number(json, max_node, &max) && number > max)
		plugin_violation(walk, field, "%s is too large; the most is %s", text, json_string(json, max_node));
	else if (step > 1 && (number - min) % step != 0)
		plugin_violation(walk, field, "%s is not a step of %lld from %lld", text, (long long)step,
				 (long long)min);
	else
		check_values(walk, field, limits, value);
}

void plugin_capability_check_medium(struct capability_walk *walk, const char *field, json_node limits, json_node medium)
{
	const struct json *json = walk->manifest->json;
	json_node kind = json_at(walk->json, medium, "/kind"), kinds = limit(walk, limits, "/kinds");
	json_node forms = limit(walk, limits, "/forms");
	bool is_url = json_at(walk->json, medium, "/url") != JSON_ABSENT;
	const char *form = is_url ? "url" : "handle";
	bool is_taken = !forms && is_url;
	char list[128];

	if (kind && kinds && !is_among(json, kinds, walk->json, kind)) {
		list_values(json, kinds, list, sizeof(list));
		plugin_violation(walk, field, "'%s' is not taken here; give %s", json_string(walk->json, kind), list);
	}
	for (json_node n = json_first(json, forms); n; n = json_next(json, n))
		is_taken = is_taken || json_text_is(json, n, form);
	if (!is_taken) {
		list_values(json, forms, list, sizeof(list));
		plugin_violation(walk, field, "cannot be given as %s; give it as %s", is_url ? "a URL" : "a handle",
				 forms ? list : "a URL");
	}
}

static void check_toggle(struct capability_walk *walk, const char *field, json_node limits, json_node value)
{
	if (!json_text_is(walk->json, value, "on") && !json_text_is(walk->json, value, "off"))
		plugin_violation(walk, field, "must be on or off");
	else
		check_values(walk, field, limits, value);
}

void plugin_capability_check_value(struct capability_walk *walk, const struct plugin_parameter *parameter,
				   json_node limits, json_node value)
{
	switch (parameter->kind) {
	case PLUGIN_PARAMETER_TEXT:
		check_text(walk, parameter->name, limits, value);
		break;
	case PLUGIN_PARAMETER_NUMBER:
		check_number(walk, parameter->name, limits, value);
		break;
	case PLUGIN_PARAMETER_TOGGLE:
		check_toggle(walk, parameter->name, limits, value);
		break;
	case PLUGIN_PARAMETER_MEDIA:
		plugin_capability_check_medium(walk, parameter->name, limits, value);
		break;
	}
}

static void check_parameters(struct capability_walk *walk)
{
	json_node taken = json_at(walk->manifest->json, walk->model, "/parameters");

	for (const struct plugin_parameter *p = plugin_parameters; p->name; p++) {
		json_node limits = json_member(walk->manifest->json, taken, bytes_of_text(p->name));
		json_node value = json_at(walk->json, walk->parameters, p->pointer);

		if (value && !limits)
			plugin_violation(walk, p->name, "is not taken by this model; leave it out");
		else if (value)
			plugin_capability_check_value(walk, p, limits, value);
		else if (json_boolean(walk->manifest->json, limit(walk, limits, "/required"), false))
			plugin_violation(walk, p->name, "is required by this model");
	}
}

unsigned int plugin_capability_check(const struct plugin_manifest *manifest, const char *model, const struct json *json,
				     json_node parameters, plugin_violation_fn *fn, void *userdata)
{
	struct capability_walk walk = {
		.manifest = manifest,
		.model = plugin_manifest_model(manifest, model),
		.json = json,
		.parameters = parameters,
		.fn = fn,
		.userdata = userdata,
	};
	char text[600], list[400];
	size_t len = 0;

	if (!walk.model) {
		for (json_node m = json_first(manifest->json, manifest->models); m && len < sizeof(list);
		     m = json_next(manifest->json, m))
			len += (size_t)snprintf(list + len, sizeof(list) - len, "%s%s", len ? ", " : "",
						json_string(manifest->json, json_at(manifest->json, m, "/name")));
		snprintf(text, sizeof(text), "'%.100s' is no model of this provider; choose one of %s", model, list);
		fn(userdata, "model", text);
		return 1;
	}
	if (json_text_is(manifest->json, json_at(manifest->json, walk.model, "/lifecycle/stage"), "retired")) {
		fn(userdata, "model", "the provider has retired this model; choose another one");
		return 1;
	}
	check_parameters(&walk);
	plugin_capability_check_media(&walk);
	plugin_capability_check_extras(&walk);
	plugin_capability_check_rules(&walk);
	return walk.count;
}
