/*
 * The parts of a capability document that look at more than one value: inputs counted by role, and rules between
 * parameters.
 */
#include "plugin/capability_walk.h"

static const struct json *judge(const struct capability_walk *walk)
{
	return walk->manifest->json;
}

static json_node limits_of_role(const struct capability_walk *walk, const char *role)
{
	json_node list = json_at(judge(walk), walk->model, "/media");

	for (json_node n = json_first(judge(walk), list); n; n = json_next(judge(walk), n))
		if (json_text_is(judge(walk), json_at(judge(walk), n, "/role"), role))
			return n;
	return JSON_ABSENT;
}

static unsigned int count_role(const struct capability_walk *walk, const char *role)
{
	json_node list = json_at(walk->json, walk->parameters, "/media");
	unsigned int count = 0;

	for (json_node n = json_first(walk->json, list); n; n = json_next(walk->json, n))
		count += json_text_is(walk->json, json_at(walk->json, n, "/role"), role);
	return count;
}

static void check_each_medium(struct capability_walk *walk)
{
	json_node list = json_at(walk->json, walk->parameters, "/media");
	unsigned int i = 0;

	for (json_node n = json_first(walk->json, list); n; n = json_next(walk->json, n), i++) {
		const char *role = json_string(walk->json, json_at(walk->json, n, "/role"));
		const char *kind = json_string(walk->json, json_at(walk->json, n, "/kind"));
		json_node limits = limits_of_role(walk, role);
		char field[32];

		snprintf(field, sizeof(field), "media[%u]", i);
		if (!limits)
			plugin_violation(walk, field, "the role '%s' is not taken by this model", role);
		else if (!json_text_is(judge(walk), json_at(judge(walk), limits, "/kind"), kind))
			plugin_violation(walk, field, "a %s cannot be the %s; give %s", kind, role,
					 json_string(judge(walk), json_at(judge(walk), limits, "/kind")));
		else
			plugin_capability_check_medium(walk, field, limits, n);
	}
}

void plugin_capability_check_media(struct capability_walk *walk)
{
	json_node list = json_at(judge(walk), walk->model, "/media");

	check_each_medium(walk);
	for (json_node n = json_first(judge(walk), list); n; n = json_next(judge(walk), n)) {
		const char *role = json_string(judge(walk), json_at(judge(walk), n, "/role"));
		int64_t min = json_integer(judge(walk), json_at(judge(walk), n, "/min"), 0);
		int64_t max = json_integer(judge(walk), json_at(judge(walk), n, "/max"), 1);
		unsigned int count = count_role(walk, role);

		if (count < min)
			plugin_violation(walk, "media", "has %u of the role '%s'; at least %lld are needed", count,
					 role, (long long)min);
		if (count > max)
			plugin_violation(walk, "media", "has %u of the role '%s'; at most %lld are taken", count, role,
					 (long long)max);
	}
}

/* "media.ROLE" or a parameter, and whether the order has it. */
struct subject {
	const char *role; /* NULL: a parameter */
	const struct plugin_parameter *parameter;
	json_node value; /* of the order */
	bool is_present;
};

static struct subject find_subject(const struct capability_walk *walk, json_node named)
{
	static const char prefix[] = "media.";
	const char *name = json_name(judge(walk), named);
	struct subject subject = {0};

	if (strncmp(name, prefix, sizeof(prefix) - 1) == 0) {
		subject.role = name + sizeof(prefix) - 1;
		subject.is_present = count_role(walk, subject.role) > 0;
		return subject;
	}
	subject.parameter = plugin_parameter_find(json_key(judge(walk), named));
	subject.value = json_at(walk->json, walk->parameters, subject.parameter->pointer);
	subject.is_present = subject.value != JSON_ABSENT;
	return subject;
}

/* What the order says, or what the model does when the order says nothing. */
static struct bytes effective_value(const struct capability_walk *walk, const struct subject *subject)
{
	json_node limits = json_member(judge(walk), json_at(judge(walk), walk->model, "/parameters"),
				       bytes_of_text(subject->parameter->name));

	return subject->is_present ? json_text(walk->json, subject->value)
				   : json_text(judge(walk), json_at(judge(walk), limits, "/default"));
}

static bool condition_holds(const struct capability_walk *walk, json_node condition)
{
	struct subject subject = find_subject(walk, condition);
	json_node present = json_at(judge(walk), condition, "/present");
	struct bytes value;

	if (present)
		return json_boolean(judge(walk), present, true) == subject.is_present;
	if (subject.role)
		return false;
	value = effective_value(walk, &subject);
	if (json_kind(judge(walk), condition) != JSON_KIND_ARRAY)
		return bytes_equal(value, json_text(judge(walk), condition));
	for (json_node n = json_first(judge(walk), condition); n; n = json_next(judge(walk), n))
		if (bytes_equal(value, json_text(judge(walk), n)))
			return true;
	return false;
}

static void swallow(void *userdata, const char *field, const char *text)
{
	(void)userdata;
	(void)field;
	(void)text;
}

/* Does the value fit limits that are narrower than the model's own? Judged by the same code, with its words unsaid. */
static bool fits(const struct capability_walk *walk, const struct subject *subject, json_node limits)
{
	struct capability_walk silent = *walk;

	silent.fn = swallow;
	silent.count = 0;
	plugin_capability_check_value(&silent, subject->parameter, limits, subject->value);
	return silent.count == 0;
}

static void apply(struct capability_walk *walk, json_node rule, json_node limits)
{
	struct subject subject = find_subject(walk, limits);
	const char *field = subject.role ? "media" : subject.parameter->name;
	const char *message = json_string(judge(walk), json_at(judge(walk), rule, "/message"));
	bool is_required = json_boolean(judge(walk), json_at(judge(walk), limits, "/required"), false);
	bool is_forbidden = json_boolean(judge(walk), json_at(judge(walk), limits, "/forbidden"), false);

	if ((subject.is_present ? is_forbidden : is_required) || (subject.value && !fits(walk, &subject, limits)))
		plugin_violation(walk, field, "%s", message);
}

void plugin_capability_check_rules(struct capability_walk *walk)
{
	json_node rules = json_at(judge(walk), walk->model, "/rules");

	for (json_node rule = json_first(judge(walk), rules); rule; rule = json_next(judge(walk), rule)) {
		json_node when = json_at(judge(walk), rule, "/when"), then = json_at(judge(walk), rule, "/then");
		bool holds = true;

		for (json_node n = json_first(judge(walk), when); holds && n; n = json_next(judge(walk), n))
			holds = condition_holds(walk, n);
		for (json_node n = json_first(judge(walk), then); holds && n; n = json_next(judge(walk), n))
			apply(walk, rule, n);
	}
}
