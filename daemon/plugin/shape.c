#include "plugin/shape.h"

#include "base/err.h"

#include <stdarg.h>

struct walk {
	const struct json *json;
	struct buffer path;
	struct errmsg *error;
};

static int check(struct walk *walk, json_node node, const struct plugin_shape *shape);

__attribute__((format(printf, 2, 3))) static int mismatch(struct walk *walk, const char *format, ...)
{
	char what[256];
	va_list args;

	va_start(args, format);
	vsnprintf(what, sizeof(what), format, args);
	va_end(args);
	errmsg_set(walk->error, "%s: %s", walk->path.len ? walk->path.data : "/", what);
	return PLUGIN_SHAPE_E_MISMATCH;
}

static const char *const kind_names[] = {
	[JSON_KIND_ABSENT] = "nothing",   [JSON_KIND_NULL] = "null", [JSON_KIND_BOOLEAN] = "true or false",
	[JSON_KIND_NUMBER] = "a number",  [JSON_KIND_TEXT] = "text", [JSON_KIND_ARRAY] = "an array",
	[JSON_KIND_OBJECT] = "an object",
};

static int wrong_kind(struct walk *walk, uint32_t kinds)
{
	char names[128] = "";
	size_t len = 0;

	for (unsigned int k = 0; k < sizeof(kind_names) / sizeof(kind_names[0]); k++)
		if (kinds & 1u << k)
			len += (size_t)snprintf(names + len, sizeof(names) - len, "%s%s", len ? " or " : "",
						kind_names[k]);
	return mismatch(walk, "must be %s", names);
}

/* Checks a child with its place added to the path. */
static int check_child(struct walk *walk, const char *name, json_node child, const struct plugin_shape *shape)
{
	size_t len = walk->path.len;
	int r = buffer_printf(&walk->path, "/%s", name);

	if (r == 0)
		r = check(walk, child, shape);
	if (r == 0) {
		walk->path.len = len;
		walk->path.data[len] = '\0';
	}
	return r;
}

static const struct plugin_shape_member *find_member(const struct plugin_shape_member *members, struct bytes name)
{
	for (; members->name; members++)
		if (bytes_equal(bytes_of_text(members->name), name))
			return members;
	return NULL;
}

static int check_members(struct walk *walk, json_node object, const struct plugin_shape *shape)
{
	int r = 0;

	for (json_node n = json_first(walk->json, object); r == 0 && n; n = json_next(walk->json, n)) {
		const char *name = json_name(walk->json, n);
		const struct plugin_shape_member *member = find_member(shape->members, json_key(walk->json, n));

		if (!member)
			return mismatch(walk, "unknown member '%s'", name);
		r = check_child(walk, name, n, member->shape);
	}
	for (const struct plugin_shape_member *m = shape->members; r == 0 && m->name; m++)
		if (m->is_required && !json_member(walk->json, object, bytes_of_text(m->name)))
			return mismatch(walk, "lacks the member '%s'", m->name);
	return r;
}

static int check_each(struct walk *walk, json_node list, const struct plugin_shape *each)
{
	bool is_object = json_kind(walk->json, list) == JSON_KIND_OBJECT;
	char index[16];
	uint32_t i = 0;
	int r = 0;

	for (json_node n = json_first(walk->json, list); r == 0 && n; n = json_next(walk->json, n)) {
		snprintf(index, sizeof(index), "%u", i++);
		r = check_child(walk, is_object ? json_name(walk->json, n) : index, n, each);
	}
	return r;
}

static int check_text(struct walk *walk, json_node node, const struct plugin_shape *shape)
{
	const char *text = json_string(walk->json, node);
	const char *const *word = shape->words;

	while (word && *word && !json_text_is(walk->json, node, *word))
		word++;
	if (word && !*word)
		return mismatch(walk, "'%s' is not one of the words that are known here", text);
	if (shape->is_form && !shape->is_form(json_text(walk->json, node)))
		return mismatch(walk, "'%s' is not %s", text, shape->form);
	return 0;
}

static int check_range(struct walk *walk, const struct plugin_shape *shape, int64_t value, const char *unit)
{
	if (value < shape->min || value > shape->max)
		return mismatch(walk, "must be %lld to %lld%s", (long long)shape->min, (long long)shape->max, unit);
	return 0;
}

static int check(struct walk *walk, json_node node, const struct plugin_shape *shape)
{
	enum json_kind kind = json_kind(walk->json, node);
	bool has_range = shape->min || shape->max;
	int r = 0;

	if (!(shape->kinds & 1u << kind))
		return wrong_kind(walk, shape->kinds);
	if (kind == JSON_KIND_NUMBER && has_range)
		r = check_range(walk, shape, json_integer(walk->json, node, INT64_MIN), ", in whole numbers");
	if (kind == JSON_KIND_TEXT && has_range)
		r = check_range(walk, shape, (int64_t)json_text(walk->json, node).len, " bytes long");
	if (kind == JSON_KIND_ARRAY && has_range)
		r = check_range(walk, shape, json_count(walk->json, node), " elements long");
	if (r == 0 && kind == JSON_KIND_TEXT)
		r = check_text(walk, node, shape);
	if (r == 0 && kind == JSON_KIND_OBJECT && shape->members)
		r = check_members(walk, node, shape);
	else if (r == 0 && (kind == JSON_KIND_OBJECT || kind == JSON_KIND_ARRAY) && shape->each)
		r = check_each(walk, node, shape->each);
	return r;
}

int plugin_shape_check(const struct json *json, json_node node, const struct plugin_shape *shape, struct errmsg *error)
{
	struct walk walk = {.json = json, .error = error};
	int r = check(&walk, node, shape);

	buffer_finish(&walk.path);
	return r;
}
