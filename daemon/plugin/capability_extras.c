/*
 * The subset of JSON Schema by which extras are checked: type, properties, required, additionalProperties, enum,
 * minimum, maximum, maxLength, items.
 */
#include "plugin/capability_walk.h"

struct place {
	struct capability_walk *walk;
	struct buffer field; /* "extras.style.name" */
};

static void check_schema(struct place *place, json_node schema, json_node value);

static bool type_fits(const struct json *json, json_node value, const char *type)
{
	static const struct {
		const char *type;
		enum json_kind kind;
	} types[] = {{"object", JSON_KIND_OBJECT}, {"array", JSON_KIND_ARRAY},     {"string", JSON_KIND_TEXT},
		     {"number", JSON_KIND_NUMBER}, {"boolean", JSON_KIND_BOOLEAN}, {"null", JSON_KIND_NULL}};
	int64_t whole;

	if (strcmp(type, "integer") == 0)
		return json_kind(json, value) == JSON_KIND_NUMBER &&
		       decimal_parse(json_text(json, value), 0, &whole) != DECIMAL_E_INEXACT;
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (strcmp(types[i].type, type) == 0)
			return json_kind(json, value) == types[i].kind;
	return false;
}

/* Compared in millionths: finer limits are nobody's. */
static bool is_beyond(const struct place *place, json_node value, json_node bound, int sign)
{
	int64_t a, b;

	if (decimal_parse(json_text(place->walk->manifest->json, bound), 6, &b) != 0)
		return false;
	if (decimal_parse(json_text(place->walk->json, value), 6, &a) != 0)
		return true;
	return sign < 0 ? a < b : a > b;
}

static void check_scalar(struct place *place, json_node schema, json_node value)
{
	const struct json *judge = place->walk->manifest->json, *json = place->walk->json;
	json_node list = json_at(judge, schema, "/enum"), n = json_first(judge, list);
	json_node min = json_at(judge, schema, "/minimum"), max = json_at(judge, schema, "/maximum");
	int64_t length = json_integer(judge, json_at(judge, schema, "/maxLength"), INT64_MAX);

	while (n && !bytes_equal(json_text(judge, n), json_text(json, value)))
		n = json_next(judge, n);
	if (list && !n)
		plugin_violation(place->walk, place->field.data, "'%.100s' is not offered", json_string(json, value));
	if (min && is_beyond(place, value, min, -1))
		plugin_violation(place->walk, place->field.data, "is too small; the least is %s",
				 json_string(judge, min));
	if (max && is_beyond(place, value, max, 1))
		plugin_violation(place->walk, place->field.data, "is too large; the most is %s",
				 json_string(judge, max));
	if (json_kind(json, value) == JSON_KIND_TEXT && (int64_t)json_text(json, value).len > length)
		plugin_violation(place->walk, place->field.data, "is too long; shorten it to %lld bytes",
				 (long long)length);
}

static void check_child(struct place *place, const char *name, json_node schema, json_node value)
{
	size_t len = place->field.len;

	/* Out of memory or out of room: the field is named by what encloses it. */
	if (buffer_printf(&place->field, ".%s", name) != 0 && place->field.len == 0)
		return;
	check_schema(place, schema, value);
	place->field.len = len;
	place->field.data[len] = '\0';
}

static void check_object(struct place *place, json_node schema, json_node value)
{
	const struct json *judge = place->walk->manifest->json, *json = place->walk->json;
	json_node properties = json_at(judge, schema, "/properties");
	bool takes_others = json_boolean(judge, json_at(judge, schema, "/additionalProperties"), true);

	for (json_node n = json_first(json, value); n; n = json_next(json, n)) {
		json_node property = json_member(judge, properties, json_key(json, n));

		if (property)
			check_child(place, json_name(json, n), property, n);
		else if (!takes_others)
			plugin_violation(place->walk, place->field.data, "'%.100s' is not known here",
					 json_name(json, n));
	}
	for (json_node n = json_first(judge, json_at(judge, schema, "/required")); n; n = json_next(judge, n))
		if (!json_member(json, value, json_text(judge, n)))
			plugin_violation(place->walk, place->field.data, "lacks '%s'", json_string(judge, n));
}

static void check_schema(struct place *place, json_node schema, json_node value)
{
	const struct json *judge = place->walk->manifest->json, *json = place->walk->json;
	json_node type = json_at(judge, schema, "/type"), items = json_at(judge, schema, "/items");
	char index[16];
	unsigned int i = 0;

	if (type && !type_fits(json, value, json_string(judge, type))) {
		plugin_violation(place->walk, place->field.data, "must be of the type %s", json_string(judge, type));
		return;
	}
	check_scalar(place, schema, value);
	if (json_kind(json, value) == JSON_KIND_OBJECT)
		check_object(place, schema, value);
	if (json_kind(json, value) == JSON_KIND_ARRAY && items)
		for (json_node n = json_first(json, value); n; n = json_next(json, n)) {
			snprintf(index, sizeof(index), "%u", i++);
			check_child(place, index, items, n);
		}
}

void plugin_capability_check_extras(struct capability_walk *walk)
{
	json_node schema = json_at(walk->manifest->json, walk->model, "/extras");
	json_node extras = json_at(walk->json, walk->parameters, "/extras");
	struct place place = {.walk = walk, .field = {.limit = 400}};

	if (!extras)
		return;
	if (!schema && json_count(walk->json, extras) > 0) {
		plugin_violation(walk, "extras", "this model takes none; leave it out");
		return;
	}
	if (buffer_append_text(&place.field, "extras") == 0)
		check_schema(&place, schema, extras);
	buffer_finish(&place.field);
}
