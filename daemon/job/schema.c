/*
 * The schema of the extras: a small part of JSON Schema, the part that a person can be told about in one sentence.
 * `type` is one word; `additionalProperties` is true or false; `description`, `title`, `default` and `affects_price`
 * are for people, web forms and prices.
 */
#include "job/capability.h"

#include <inttypes.h>

static const struct job_member keywords[] = {
	{"type", JSON_KIND_TEXT, true},
	{"properties", JSON_KIND_OBJECT, false},
	{"required", JSON_KIND_ARRAY, false},
	{"additionalProperties", JSON_KIND_BOOLEAN, false},
	{"enum", JSON_KIND_ARRAY, false},
	{"minimum", JSON_KIND_NUMBER, false},
	{"maximum", JSON_KIND_NUMBER, false},
	{"minLength", JSON_KIND_NUMBER, false},
	{"maxLength", JSON_KIND_NUMBER, false},
	{"minItems", JSON_KIND_NUMBER, false},
	{"maxItems", JSON_KIND_NUMBER, false},
	{"items", JSON_KIND_OBJECT, false},
	{"description", JSON_KIND_TEXT, false},
	{"title", JSON_KIND_TEXT, false},
	{"default", JSON_KIND_ABSENT, false},
	{"affects_price", JSON_KIND_BOOLEAN, false},
	{0},
};

static const struct type {
	const char *name;
	enum json_kind kind;
	const char *words;
} types[] = {
	{"object", JSON_KIND_OBJECT, "an object"},
	{"array", JSON_KIND_ARRAY, "a list"},
	{"string", JSON_KIND_TEXT, "a text"},
	{"number", JSON_KIND_NUMBER, "a number"},
	{"integer", JSON_KIND_NUMBER, "a whole number"},
	{"boolean", JSON_KIND_BOOLEAN, "true or false"},
};

static const struct type *type_of(const struct json *json, json_node schema)
{
	json_node name = json_member(json, schema, bytes_of_text("type"));

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (json_text_is(json, name, types[i].name))
			return &types[i];
	return NULL;
}

static json_node keyword(const struct json *json, json_node schema, const char *name)
{
	return json_member(json, schema, bytes_of_text(name));
}

static int read_counts(const struct job_reading *reading, const struct job_field *field, json_node schema)
{
	static const char *const names[] = {"minLength", "maxLength", "minItems", "maxItems"};
	uint64_t count;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		json_node node = keyword(reading->json, schema, names[i]);
		struct job_field here = {.parent = field, .name = names[i]};

		if (node && decimal_parse_unsigned(json_text(reading->json, node), &count) != 0)
			return job_reading_fail(reading, &here, "is not a whole number");
	}
	return 0;
}

int job_schema_read(const struct job_reading *reading, const struct job_field *field, json_node schema)
{
	json_node properties = keyword(reading->json, schema, "properties");
	json_node items = keyword(reading->json, schema, "items");
	json_node values = keyword(reading->json, schema, "enum");
	struct job_field properties_field = {.parent = field, .name = "properties"};
	struct job_field items_field = {.parent = field, .name = "items"};
	struct job_field values_field = {.parent = field, .name = "enum"};
	struct job_field required_field = {.parent = field, .name = "required"};
	int r = job_reading_members(reading, field, schema, keywords);

	if (r)
		return r;
	if (!type_of(reading->json, schema))
		return job_reading_fail(reading, field,
					"has a type that is none of object, array, string, number, integer, "
					"boolean");
	if (values && json_count(reading->json, values) == 0)
		return job_reading_fail(reading, &values_field, "is empty");
	r = read_counts(reading, field, schema);
	if (!r)
		r = job_reading_texts(reading, &required_field, keyword(reading->json, schema, "required"), NULL);
	if (!r && items)
		r = job_schema_read(reading, &items_field, items);
	for (json_node node = json_first(reading->json, properties); !r && node;
	     node = json_next(reading->json, node)) {
		struct job_field here = {.parent = &properties_field, .name = json_key(reading->json, node).data};

		r = job_schema_read(reading, &here, node);
	}
	return r;
}

/* What one call of the walk needs; a value and its schema go down together. */
struct walk {
	const struct json *manifest;
	const struct json *order;
	const char *model;
	struct job_verdict *verdict;
};

static void check_value(const struct walk *walk, json_node schema, const struct job_field *field, json_node value);

static bool is_whole(struct bytes number)
{
	uint64_t magnitude;
	int64_t value;

	return decimal_parse(number, 0, &value) == 0 || decimal_parse_unsigned(number, &magnitude) == 0;
}

static void violate(const struct walk *walk, const struct job_field *field, json_node value,
		    const struct job_line *taken)
{
	struct job_line found = {0};

	job_line_add_value(&found, walk->order, value);
	job_verdict_add(walk->verdict, field, "is %s; '%s' takes %s", found.text, walk->model, taken->text);
}

static bool is_in_enum(const struct walk *walk, json_node values, json_node value)
{
	for (json_node item = json_first(walk->manifest, values); item; item = json_next(walk->manifest, item))
		if (json_equal(walk->order, value, walk->manifest, item))
			return true;
	return false;
}

static void check_number(const struct walk *walk, json_node schema, const struct job_field *field, json_node value)
{
	struct bytes number = json_text(walk->order, value);
	struct bytes least = json_text(walk->manifest, keyword(walk->manifest, schema, "minimum"));
	struct bytes most = json_text(walk->manifest, keyword(walk->manifest, schema, "maximum"));
	struct job_line taken = {0};

	if ((least.len == 0 || job_number_compare(number, least) >= 0) &&
	    (most.len == 0 || job_number_compare(number, most) <= 0))
		return;
	if (least.len && most.len)
		job_line_add(&taken, "%s to %s", (const char *)least.data, (const char *)most.data);
	else
		job_line_add(&taken, "%s %s", least.len ? "at least" : "at most",
			     least.len ? (const char *)least.data : (const char *)most.data);
	violate(walk, field, value, &taken);
}

/* @unit is "characters" or "entries". */
static void check_count(const struct walk *walk, const struct job_field *field, uint64_t n, json_node least,
			json_node most, const char *unit)
{
	uint64_t lower = 0, upper = UINT64_MAX;
	struct job_line taken = {0};

	decimal_parse_unsigned(json_text(walk->manifest, least), &lower);
	decimal_parse_unsigned(json_text(walk->manifest, most), &upper);
	if (n >= lower && n <= upper)
		return;
	if (most)
		job_line_add(&taken, "%" PRIu64 " to %" PRIu64, lower, upper);
	else
		job_line_add(&taken, "at least %" PRIu64, lower);
	job_verdict_add(walk->verdict, field, "has %" PRIu64 " %s; '%s' takes %s", n, unit, walk->model, taken.text);
}

static void check_list(const struct walk *walk, json_node schema, const struct job_field *field, json_node list)
{
	json_node items = keyword(walk->manifest, schema, "items");
	size_t n = 0;

	check_count(walk, field, json_count(walk->order, list), keyword(walk->manifest, schema, "minItems"),
		    keyword(walk->manifest, schema, "maxItems"), "entries");
	for (json_node item = json_first(walk->order, list); items && item; item = json_next(walk->order, item), n++) {
		struct job_field here = {.parent = field, .index = n};

		check_value(walk, items, &here, item);
	}
}

static void refuse_name(const struct walk *walk, json_node properties, const struct job_field *field)
{
	struct job_guess guess = {.name = field->name};
	struct job_line line = {0};

	for (json_node node = json_first(walk->manifest, properties); node; node = json_next(walk->manifest, node)) {
		const char *name = json_key(walk->manifest, node).data;

		job_guess_try(&guess, name);
		job_line_add(&line, "%s%s", line.len ? ", " : "", name);
	}
	if (!line.len)
		job_line_add(&line, "nothing");
	job_guess_add_to(&guess, &line);
	job_verdict_add(walk->verdict, field, "is not known; '%s' takes here: %s", walk->model, line.text);
}

static void check_object(const struct walk *walk, json_node schema, const struct job_field *field, json_node object)
{
	json_node properties = keyword(walk->manifest, schema, "properties");
	json_node required = keyword(walk->manifest, schema, "required");
	bool is_open = json_boolean(walk->manifest, keyword(walk->manifest, schema, "additionalProperties"), true);

	for (json_node child = json_first(walk->order, object); child; child = json_next(walk->order, child)) {
		struct bytes name = json_key(walk->order, child);
		struct job_field here = {.parent = field, .name = name.data};
		json_node property = json_member(walk->manifest, properties, name);

		if (property)
			check_value(walk, property, &here, child);
		else if (!is_open)
			refuse_name(walk, properties, &here);
	}
	for (json_node node = json_first(walk->manifest, required); node; node = json_next(walk->manifest, node)) {
		struct bytes name = json_text(walk->manifest, node);
		struct job_field here = {.parent = field, .name = name.data};

		if (!json_member(walk->order, object, name))
			job_verdict_add(walk->verdict, &here, "is missing; '%s' needs it", walk->model);
	}
}

static void check_value(const struct walk *walk, json_node schema, const struct job_field *field, json_node value)
{
	const struct type *type = type_of(walk->manifest, schema);
	json_node values = keyword(walk->manifest, schema, "enum");
	struct job_line taken = {0};

	if (values && !is_in_enum(walk, values, value)) {
		job_line_add_list(&taken, walk->manifest, values);
		violate(walk, field, value, &taken);
		return;
	}
	if (json_kind(walk->order, value) != type->kind ||
	    (strcmp(type->name, "integer") == 0 && !is_whole(json_text(walk->order, value)))) {
		job_line_add(&taken, "%s", type->words);
		violate(walk, field, value, &taken);
		return;
	}
	if (type->kind == JSON_KIND_NUMBER)
		check_number(walk, schema, field, value);
	else if (type->kind == JSON_KIND_TEXT)
		check_count(walk, field, bytes_count_characters(json_text(walk->order, value)),
			    keyword(walk->manifest, schema, "minLength"), keyword(walk->manifest, schema, "maxLength"),
			    "characters");
	else if (type->kind == JSON_KIND_ARRAY)
		check_list(walk, schema, field, value);
	else if (type->kind == JSON_KIND_OBJECT)
		check_object(walk, schema, field, value);
}

void job_schema_check(const struct json *manifest, json_node schema, const char *model, struct job_verdict *verdict,
		      const struct job_field *field, const struct json *order, json_node value)
{
	const struct walk walk = {.manifest = manifest, .order = order, .model = model, .verdict = verdict};

	check_value(&walk, schema, field, value);
}
