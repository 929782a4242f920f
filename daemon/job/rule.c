/*
 * Rules between parameters: `when` these hold, `then` those must, and `message` says why.
 *
 * A path is a parameter ("script.text"), a group of them ("background"), "media.ROLE" (how many inputs have it), or
 * leads into the extras ("extras.engine.type").
 */
#include "job/capability.h"

#include <inttypes.h>

static const struct job_member rule_members[] = {
	{"when", JSON_KIND_OBJECT, false},
	{"then", JSON_KIND_OBJECT, true},
	{"message", JSON_KIND_TEXT, true},
	{0},
};

static bool begins_with(const char *text, const char *start)
{
	return strncmp(text, start, strlen(start)) == 0;
}

/* Is there such a member in the extras, as far as their schema says? */
static bool has_extra(const struct json *json, json_node schema, const char *path)
{
	size_t len;

	for (; *path; path += len + (path[len] == '.')) {
		json_node properties = json_at(json, schema, "/properties");
		bool is_open = json_boolean(json, json_at(json, schema, "/additionalProperties"), true);

		if (!schema)
			return false;
		len = strcspn(path, ".");
		schema = json_member(json, properties, bytes_of(path, len));
		if (!schema)
			return is_open;
	}
	return true;
}

static bool has_group(const struct json *json, json_node parameters, const char *group)
{
	size_t len = strlen(group);

	for (json_node node = json_first(json, parameters); node; node = json_next(json, node)) {
		const char *name = json_key(json, node).data;

		if (begins_with(name, group) && name[len] == '.')
			return true;
	}
	return false;
}

static bool has_role(const struct json *json, json_node media, const char *role)
{
	for (json_node entry = json_first(json, media); entry; entry = json_next(json, entry))
		if (json_text_is(json, json_at(json, entry, "/role"), role))
			return true;
	return false;
}

static bool takes(const struct json *json, json_node model, const char *path)
{
	json_node parameters = json_at(json, model, "/parameters");

	if (begins_with(path, "media."))
		return has_role(json, json_at(json, model, "/media"), path + strlen("media."));
	if (begins_with(path, "extras."))
		return has_extra(json, json_at(json, model, "/extras"), path + strlen("extras."));
	return json_member(json, parameters, bytes_of_text(path)) || has_group(json, parameters, path);
}

static int read_paths(const struct job_reading *reading, const struct job_field *field, json_node paths,
		      const struct json *manifest, json_node model)
{
	for (json_node node = json_first(reading->json, paths); node; node = json_next(reading->json, node)) {
		struct job_field here = {.parent = field, .name = json_key(reading->json, node).data};

		if (!takes(manifest, model, here.name))
			return job_reading_fail(reading, &here, "is nothing that this model takes");
	}
	return 0;
}

static int read_condition(const struct job_reading *reading, const struct job_field *field, json_node condition)
{
	static const struct job_member present[] = {{"present", JSON_KIND_BOOLEAN, true}, {0}};
	enum json_kind kind = json_kind(reading->json, condition);

	if (kind == JSON_KIND_OBJECT)
		return job_reading_members(reading, field, condition, present);
	if (kind == JSON_KIND_NULL || (kind == JSON_KIND_ARRAY && json_count(reading->json, condition) == 0))
		return job_reading_fail(reading, field, "is neither a value nor a list of values nor {\"present\": …}");
	if (begins_with(field->name, "media."))
		return job_reading_fail(reading, field, "can only be {\"present\": …}");
	return 0;
}

int job_when_read(const struct job_reading *reading, const struct job_field *field, json_node when,
		  const struct json *manifest, json_node model)
{
	int r = read_paths(reading, field, when, manifest, model);

	for (json_node node = json_first(reading->json, when); !r && node; node = json_next(reading->json, node)) {
		struct job_field here = {.parent = field, .name = json_key(reading->json, node).data};

		r = read_condition(reading, &here, node);
	}
	return r;
}

static int read_constraint(const struct job_reading *reading, const struct job_field *field, json_node constraint)
{
	static const struct job_member media[] = {
		{"required", JSON_KIND_BOOLEAN, false},
		{"forbidden", JSON_KIND_BOOLEAN, false},
		{"min", JSON_KIND_NUMBER, false},
		{"max", JSON_KIND_NUMBER, false},
		{0},
	};

	if (json_kind(reading->json, constraint) == JSON_KIND_OBJECT && json_count(reading->json, constraint) == 0)
		return job_reading_fail(reading, field, "demands nothing");
	if (begins_with(field->name, "media.") || job_parameter_is_group(field->name))
		return job_reading_members(reading, field, constraint, media);
	return job_limits_read(reading, field, constraint, job_parameter_find(field->name));
}

static int read_rule(const struct job_reading *reading, const struct job_field *field, json_node model, json_node rule)
{
	json_node when = json_at(reading->json, rule, "/when"), then = json_at(reading->json, rule, "/then");
	struct job_field when_field = {.parent = field, .name = "when"}, then_field = {.parent = field, .name = "then"};
	int r = job_reading_members(reading, field, rule, rule_members);

	if (!r)
		r = job_when_read(reading, &when_field, when, reading->json, model);
	if (!r)
		r = read_paths(reading, &then_field, then, reading->json, model);
	for (json_node node = json_first(reading->json, then); !r && node; node = json_next(reading->json, node)) {
		struct job_field here = {.parent = &then_field, .name = json_key(reading->json, node).data};

		r = read_constraint(reading, &here, node);
	}
	return r;
}

int job_rules_read(const struct job_reading *reading, const struct job_field *field, json_node model)
{
	json_node rules = json_at(reading->json, model, "/rules");
	size_t n = 0;
	int r = 0;

	for (json_node rule = json_first(reading->json, rules); !r && rule;
	     rule = json_next(reading->json, rule), n++) {
		struct job_field here = {.parent = field, .index = n};

		r = read_rule(reading, &here, model, rule);
	}
	return r;
}

struct check {
	struct job_order order;
	struct job_verdict *verdict;
};

/* What stands at a path of the order. */
struct found {
	json_node node;
	uint64_t count; /* media.ROLE */
	bool is_present;
};

static struct found find(const struct job_order *order, const char *path)
{
	struct found found = {.node = order->parameters};
	size_t len;

	if (begins_with(path, "media.")) {
		found.node = json_member(order->json, order->parameters, bytes_of_text("media"));
		found.count = job_media_count(order->json, found.node, bytes_of_text(path + 6));
		found.is_present = found.count > 0;
		return found;
	}
	for (; *path; path += len + (path[len] == '.')) {
		len = strcspn(path, ".");
		found.node = json_member(order->json, found.node, bytes_of(path, len));
	}
	found.is_present = found.node != JSON_ABSENT;
	return found;
}

bool job_order_has(const struct job_order *order, const char *path)
{
	return find(order, path).is_present;
}

/* Does @value of @json equal what a condition names: a value, or one of a list? */
static bool is_named(const struct json *conditions, json_node condition, const struct json *json, json_node value)
{
	if (json_kind(conditions, condition) != JSON_KIND_ARRAY)
		return json_equal(json, value, conditions, condition);
	for (json_node item = json_first(conditions, condition); item; item = json_next(conditions, item))
		if (json_equal(json, value, conditions, item))
			return true;
	return false;
}

/* A parameter that is unset has the value that the provider gives it, where the manifest says which. */
static bool holds(const struct job_order *order, const char *path, const struct json *conditions, json_node condition)
{
	struct found found = find(order, path);
	json_node limits, unset;

	if (json_kind(conditions, condition) == JSON_KIND_OBJECT)
		return found.is_present == json_boolean(conditions, json_first(conditions, condition), true);
	if (found.is_present)
		return is_named(conditions, condition, order->json, found.node);
	limits = json_member(order->manifest, order->taken, bytes_of_text(path));
	unset = json_member(order->manifest, limits, bytes_of_text("default"));
	return unset && is_named(conditions, condition, order->manifest, unset);
}

bool job_when_holds(const struct job_order *order, const struct json *conditions, json_node when)
{
	for (json_node node = json_first(conditions, when); node; node = json_next(conditions, node))
		if (!holds(order, json_key(conditions, node).data, conditions, node))
			return false;
	return true;
}

static bool is_set(const struct check *check, json_node constraint, const char *name)
{
	return json_boolean(check->order.manifest, json_member(check->order.manifest, constraint, bytes_of_text(name)),
			    false);
}

static void demand_count(const struct check *check, const struct job_field *field, const struct found *found,
			 json_node constraint, const char *message)
{
	int64_t least = json_integer(check->order.manifest, json_at(check->order.manifest, constraint, "/min"), 0);
	int64_t most = json_integer(check->order.manifest, json_at(check->order.manifest, constraint, "/max"),
				    INT64_MAX);
	int64_t n = (int64_t)found->count;

	if (n < least || n > most)
		job_verdict_add(check->verdict, field, "%s (there are %" PRId64 ")", message, n);
}

static void demand(const struct check *check, const char *path, json_node constraint, const char *message)
{
	static const struct job_field root = {.name = "parameters"};
	bool is_media = begins_with(path, "media.");
	struct job_field field = {.parent = &root, .name = is_media ? "media" : path};
	struct found found = find(&check->order, path);
	struct job_limits limits = {
		.parameter = job_parameter_find(path),
		.manifest = check->order.manifest,
		.limits = constraint,
		.model = check->verdict->model,
		.message = message,
	};

	if ((is_set(check, constraint, "forbidden") && found.is_present) ||
	    (is_set(check, constraint, "required") && !found.is_present))
		job_verdict_add(check->verdict, &field, "%s", message);
	else if (is_media)
		demand_count(check, &field, &found, constraint, message);
	else if (found.is_present && !job_parameter_is_group(path))
		job_limits_check(&limits, check->verdict, &field, check->order.json, found.node);
}

static void check_rule(const struct check *check, json_node rule)
{
	const struct json *manifest = check->order.manifest;
	json_node when = json_at(manifest, rule, "/when"), then = json_at(manifest, rule, "/then");
	const char *message = json_text(manifest, json_at(manifest, rule, "/message")).data;

	if (!job_when_holds(&check->order, manifest, when))
		return;
	for (json_node node = json_first(manifest, then); node; node = json_next(manifest, node))
		demand(check, json_key(manifest, node).data, node, message);
}

void job_rules_check(const struct job_capabilities *capabilities, json_node model, struct job_verdict *verdict,
		     const struct json *order, json_node parameters)
{
	const struct json *manifest = capabilities->json;
	const struct check check = {
		.order = {manifest, json_at(manifest, model, "/parameters"), order, parameters},
		.verdict = verdict,
	};
	json_node rules = json_at(manifest, model, "/rules");

	for (json_node rule = json_first(manifest, rules); rule; rule = json_next(manifest, rule))
		check_rule(&check, rule);
}
