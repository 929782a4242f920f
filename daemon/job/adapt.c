/*
 * Bringing an order to fit a model, where its user allowed that: changing how the film is made, never what it shows.
 *
 *   a number off its range, step or values   the nearest that is taken; of two the smaller, which costs no more
 *   how many samples                         only fewer
 *   a resolution                             the nearest of the tiers that have a height ("720p", "4k"); of two the lower
 *   a shape                                  the nearest of the same orientation; upright never becomes broad
 *   yes and no                               the one that is taken, where only one is
 *   a text that is too long                  cut at a character where the manifest says may_cut
 *   what the model does not take             left out, if it is how and not what: length, size, shape, frames a second,
 *                                            seed, sound, watermark, samples, rewriting, end_user, and single extras
 *   a seed off its range                     left out: another seed is as good as none
 *
 * Everything else stays as it was asked and is refused by the checks that follow: what is shown and said (prompts,
 * script, avatar, voice, background, media), what is missing, and what is malformed. Each change leaves a note; an order
 * with more changes than notes may be kept is not changed further, so none is silent.
 */
#include "job/capability.h"

#include "base/err.h"

struct adapt {
	struct job_order order;
	struct json *json; /* the order's */
	json_node model;
	struct job_status *changes;
	int fault;
};

static json_node member_of(const struct json *json, json_node object, const char *name)
{
	return json_member(json, object, bytes_of_text(name));
}

/* ---- notes ---- */

static bool has_room(const struct adapt *adapt)
{
	return adapt->changes->n_notes < LIMIT_JOB_NOTES && !adapt->fault && json_fault(adapt->json) == 0;
}

/* A value as its user wrote it. */
static void write_value(const struct json *json, json_node value, struct buffer *out)
{
	struct bytes text = json_text(json, value);

	if (json_kind(json, value) == JSON_KIND_TEXT || json_kind(json, value) == JSON_KIND_NUMBER)
		buffer_append(out, text.data, text.len);
	else if (value)
		json_write(json, value, JSON_FORM_PLAIN, out);
}

static void note(struct adapt *adapt, enum job_severity severity, const char *path, const char *message, json_node from,
		 json_node to)
{
	_cleanup_(buffer_finish) struct buffer was = {0}, is = {0};
	char field[128];
	int r;

	snprintf(field, sizeof(field), "parameters.%s", path);
	write_value(adapt->json, from, &was);
	write_value(adapt->json, to, &is);
	r = job_add_note(adapt->changes, severity, field, message, was.data ? was.data : "", is.data ? is.data : "");
	if (r < 0)
		adapt->fault = err_trace(r);
}

/* ---- nearest ---- */

static bool parse_whole(struct bytes text, uint64_t *ret)
{
	return text.len && decimal_parse_unsigned(text, ret) == 0;
}

static uint64_t distance(uint64_t a, uint64_t b)
{
	return a > b ? a - b : b - a;
}

/* Of values that are measured: the nearest one, of two the smaller. */
struct nearest {
	uint64_t wanted, value;
	json_node node; /* absent: there is none yet */
};

static void consider(struct nearest *nearest, uint64_t value, json_node node)
{
	uint64_t d = distance(value, nearest->wanted), best = distance(nearest->value, nearest->wanted);

	if (nearest->node && (d > best || (d == best && value > nearest->value)))
		return;
	nearest->value = value;
	nearest->node = node;
}

static json_node make_whole(struct json *json, uint64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "%llu", (unsigned long long)value);
	return json_make_number(json, bytes_of_text(text));
}

static json_node nearest_in_list(struct adapt *adapt, const struct job_limits *limits, json_node values,
				 uint64_t wanted)
{
	struct nearest nearest = {.wanted = wanted};
	uint64_t value;

	for (json_node item = json_first(limits->manifest, values); item; item = json_next(limits->manifest, item))
		if (parse_whole(json_text(limits->manifest, item), &value))
			consider(&nearest, value, item);
	return json_copy(adapt->json, limits->manifest, nearest.node);
}

/* From the lower bound in steps; a step begins at the manifest's own min. */
static json_node nearest_in_range(struct adapt *adapt, const struct job_limits *limits, uint64_t wanted)
{
	uint64_t lower = 0, upper = UINT64_MAX, step = 1, value = wanted, off;

	parse_whole(job_limits_lower(limits), &lower);
	parse_whole(job_limits_upper(limits), &upper);
	parse_whole(json_text(limits->manifest, member_of(limits->manifest, limits->limits, "step")), &step);
	if (lower > upper || step == 0)
		return JSON_ABSENT;
	if (value < lower)
		value = lower;
	if (value > upper)
		value = upper;
	off = (value - lower) % step;
	value = off * 2 > step && value - off <= upper - step ? value - off + step : value - off;
	return make_whole(adapt->json, value);
}

static json_node nearest_number(struct adapt *adapt, const struct job_limits *limits, json_node value)
{
	json_node values = member_of(limits->manifest, limits->limits, "values"), to;
	bool only_fewer = strcmp(limits->parameter->path, "sample_count") == 0;
	uint64_t wanted, taken;

	if (json_kind(adapt->json, value) != JSON_KIND_NUMBER || !parse_whole(json_text(adapt->json, value), &wanted))
		return JSON_ABSENT;
	to = values ? nearest_in_list(adapt, limits, values, wanted) : nearest_in_range(adapt, limits, wanted);
	if (only_fewer && (!parse_whole(json_text(adapt->json, to), &taken) || taken > wanted))
		return JSON_ABSENT;
	return to;
}

/* The height of "720p"; "2k" and "4k" are 1440 and 2160. False: a word without a height. */
static bool parse_tier(struct bytes text, uint64_t *ret)
{
	const char *p = text.data;

	if (bytes_equal(text, bytes_of_text("4k")) || bytes_equal(text, bytes_of_text("2k"))) {
		*ret = *p == '4' ? 2160 : 1440;
		return true;
	}
	return text.len > 1 && p[text.len - 1] == 'p' && parse_whole(bytes_of(p, text.len - 1), ret);
}

static json_node nearest_tier(struct adapt *adapt, const struct job_limits *limits, json_node value)
{
	json_node values = member_of(limits->manifest, limits->limits, "values");
	struct nearest nearest = {0};
	uint64_t height;

	if (!parse_tier(json_text(adapt->json, value), &nearest.wanted))
		return JSON_ABSENT;
	for (json_node item = json_first(limits->manifest, values); item; item = json_next(limits->manifest, item))
		if (parse_tier(json_text(limits->manifest, item), &height))
			consider(&nearest, height, item);
	return json_copy(adapt->json, limits->manifest, nearest.node);
}

/* Width a thousand times the height, and on which side of the square it is. */
static bool parse_shape(struct bytes text, uint64_t *ret, int *ret_side)
{
	const char *colon = text.len ? memchr(text.data, ':', text.len) : NULL;
	size_t before = colon ? (size_t)(colon - (const char *)text.data) : 0;
	uint64_t width, height;

	if (!colon || !parse_whole(bytes_of(text.data, before), &width) ||
	    !parse_whole(bytes_of(colon + 1, text.len - before - 1), &height) || width == 0 || height == 0 ||
	    width > 99999 || height > 99999)
		return false;
	*ret = width * 1000 / height;
	*ret_side = (width > height) - (width < height);
	return true;
}

static json_node nearest_shape(struct adapt *adapt, const struct job_limits *limits, json_node value)
{
	json_node values = member_of(limits->manifest, limits->limits, "values");
	struct nearest nearest = {0};
	int side, other;
	uint64_t shape;

	if (!parse_shape(json_text(adapt->json, value), &nearest.wanted, &side))
		return JSON_ABSENT;
	for (json_node item = json_first(limits->manifest, values); item; item = json_next(limits->manifest, item))
		if (parse_shape(json_text(limits->manifest, item), &shape, &other) && side == other)
			consider(&nearest, shape, item);
	return json_copy(adapt->json, limits->manifest, nearest.node);
}

static json_node only_toggle(struct adapt *adapt, const struct job_limits *limits, json_node value)
{
	json_node values = member_of(limits->manifest, limits->limits, "values");

	if (json_count(limits->manifest, values) != 1 ||
	    (!json_text_is(adapt->json, value, "on") && !json_text_is(adapt->json, value, "off")))
		return JSON_ABSENT;
	return json_copy(adapt->json, limits->manifest, json_first(limits->manifest, values));
}

/* ---- one value ---- */

static uint64_t number_limit(const struct job_limits *limits, const char *name)
{
	uint64_t value = UINT64_MAX;

	parse_whole(json_text(limits->manifest, member_of(limits->manifest, limits->limits, name)), &value);
	return value;
}

/* The longest beginning of whole characters within both limits. */
static json_node cut(struct adapt *adapt, const struct job_limits *limits, json_node value)
{
	struct bytes text = json_text(adapt->json, value);
	uint64_t characters = number_limit(limits, "max_length"), bytes = number_limit(limits, "max_bytes");
	const uint8_t *p = text.data;
	size_t end = 0, next;

	if (json_kind(adapt->json, value) != JSON_KIND_TEXT ||
	    !json_boolean(limits->manifest, member_of(limits->manifest, limits->limits, "may_cut"), false))
		return JSON_ABSENT;
	for (uint64_t n = 0; end < text.len && n < characters; n++, end = next) {
		for (next = end + 1; next < text.len && (p[next] & 0xc0) == 0x80;)
			next++;
		if (next > bytes || next > limits->parameter->max_bytes)
			break;
	}
	return json_make_text(adapt->json, bytes_of(p, end));
}

static bool fits(const struct adapt *adapt, const struct job_limits *limits, json_node value)
{
	static const struct job_field nowhere = {.name = ""};
	struct job_verdict verdict = {0};
	bool is_good;

	job_limits_check(limits, &verdict, &nowhere, adapt->json, value);
	is_good = verdict.n_violations == 0 && !verdict.fault;
	job_verdict_finish(&verdict);
	return is_good;
}

static json_node find_instead(struct adapt *adapt, const struct job_limits *limits, json_node value,
			      enum job_severity *ret)
{
	const char *path = limits->parameter->path;

	*ret = JOB_NOTE_ADJUSTED;
	if (strcmp(path, "resolution") == 0)
		return nearest_tier(adapt, limits, value);
	switch (limits->parameter->kind) {
	case JOB_PARAMETER_WHOLE:
		return nearest_number(adapt, limits, value);
	case JOB_PARAMETER_RATIO:
		return nearest_shape(adapt, limits, value);
	case JOB_PARAMETER_TOGGLE:
		return only_toggle(adapt, limits, value);
	case JOB_PARAMETER_TEXT:
		*ret = JOB_NOTE_CUT;
		return cut(adapt, limits, value);
	default:
		return JSON_ABSENT;
	}
}

/* How a film is made; what is not listed here is what it shows. Groups stand for their members. */
static bool may_go(const char *path)
{
	static const char *const manners[] = {"duration_ms",  "aspect_ratio",   "resolution", "size",
					      "fps",          "seed",           "audio",      "watermark",
					      "sample_count", "prompt_rewrite", "end_user"};

	if (strncmp(path, "extras.", 7) == 0)
		return true;
	for (size_t i = 0; i < sizeof(manners) / sizeof(manners[0]); i++)
		if (strcmp(manners[i], path) == 0)
			return true;
	return false;
}

static json_node node_at(const struct adapt *adapt, const char *path, size_t len)
{
	json_node node = adapt->order.parameters;

	for (size_t n; node && len > 0; path += n + 1, len -= n < len ? n + 1 : n) {
		const char *dot = memchr(path, '.', len);

		n = dot ? (size_t)(dot - path) : len;
		node = json_member(adapt->json, node, bytes_of(path, n));
	}
	return node;
}

static size_t parent_length(const char *path)
{
	const char *dot = strrchr(path, '.');

	return dot ? (size_t)(dot - path) : 0;
}

static struct bytes leaf_of(const char *path)
{
	const char *dot = strrchr(path, '.');

	return bytes_of_text(dot ? dot + 1 : path);
}

static bool leave_out(struct adapt *adapt, const char *path, const char *message)
{
	json_node parent = node_at(adapt, path, parent_length(path)), value = node_at(adapt, path, strlen(path));

	if (!may_go(path) || !value || !has_room(adapt))
		return false;
	note(adapt, JOB_NOTE_IGNORED, path, message, value, JSON_ABSENT);
	return json_remove(adapt->json, parent, leaf_of(path));
}

/* True: something was changed. */
static bool mend(struct adapt *adapt, const char *path, const struct job_limits *limits)
{
	json_node value = node_at(adapt, path, strlen(path)), to, old;
	struct job_line words = {0};
	enum job_severity severity;

	if (!value || !has_room(adapt) || fits(adapt, limits, value))
		return false;
	job_line_add(&words, "'%s' takes ", limits->model);
	job_limits_remedy(limits, &words);
	if (strcmp(path, "seed") == 0)
		return leave_out(adapt, path, limits->message ? limits->message : words.text);
	to = find_instead(adapt, limits, value, &severity);
	if (!to || !fits(adapt, limits, to))
		return false;
	if (severity == JOB_NOTE_CUT)
		snprintf(words.text, sizeof(words.text), "was cut to what '%s' takes", limits->model);
	old = json_copy(adapt->json, adapt->json, value);
	if (!old)
		return false;
	json_set(adapt->json, node_at(adapt, path, parent_length(path)), leaf_of(path), to);
	note(adapt, severity, path, limits->message ? limits->message : words.text, old, value);
	return true;
}

/* ---- parameters ---- */

static void adapt_parameter(struct adapt *adapt, const char *path)
{
	struct job_limits limits = {
		.parameter = job_parameter_find(path),
		.manifest = adapt->order.manifest,
		.limits = member_of(adapt->order.manifest, adapt->order.taken, path),
		.model = json_string(adapt->order.manifest, member_of(adapt->order.manifest, adapt->model, "name")),
	};
	struct job_line words = {0};

	job_line_add(&words, "'%s' does not take it", limits.model);
	if (limits.parameter && limits.limits)
		mend(adapt, path, &limits);
	else if (limits.parameter)
		leave_out(adapt, path, words.text);
}

/* Exact pixels go together or not at all. */
static void adapt_size(struct adapt *adapt)
{
	struct job_line words = {0};

	if (member_of(adapt->order.manifest, adapt->order.taken, "size.width")) {
		adapt_parameter(adapt, "size.width");
		adapt_parameter(adapt, "size.height");
		return;
	}
	job_line_add(&words, "'%s' does not take exact pixels",
		     json_string(adapt->order.manifest, member_of(adapt->order.manifest, adapt->model, "name")));
	leave_out(adapt, "size", words.text);
}

/* Members that their schema does not know, at any depth; @path is where @object stands. */
static void adapt_extras(struct adapt *adapt, const char *path, json_node object, json_node schema)
{
	const struct json *manifest = adapt->order.manifest;
	bool is_open = json_boolean(manifest, member_of(manifest, schema, "additionalProperties"),
				    schema != JSON_ABSENT);

	for (json_node child = json_first(adapt->json, object), next; child; child = next) {
		struct bytes name = json_key(adapt->json, child);
		json_node known = json_member(manifest, member_of(manifest, schema, "properties"), name);
		char here[512];
		int n;

		next = json_next(adapt->json, child);
		n = snprintf(here, sizeof(here), "%s.%s", path, job_name_of(adapt->json, child));
		if (n >= (int)sizeof(here) || memchr(name.data, '.', name.len))
			continue;
		if (known && json_kind(adapt->json, child) == JSON_KIND_OBJECT)
			adapt_extras(adapt, here, child, known);
		else if (!known && !is_open)
			leave_out(adapt, here, "is not known to this model");
	}
}

static void adapt_given(struct adapt *adapt)
{
	for (json_node child = json_first(adapt->json, adapt->order.parameters), next; child; child = next) {
		const char *name = job_name_of(adapt->json, child);

		next = json_next(adapt->json, child);
		if (strcmp(name, "extras") == 0)
			adapt_extras(adapt, name, child, member_of(adapt->order.manifest, adapt->model, "extras"));
		else if (strcmp(name, "size") == 0)
			adapt_size(adapt);
		else if (strcmp(name, "media") != 0 && job_parameter_find(name))
			adapt_parameter(adapt, name);
	}
}

/* ---- rules ---- */

static bool adapt_constraint(struct adapt *adapt, const char *path, json_node constraint, const char *message)
{
	const struct json *manifest = adapt->order.manifest;
	struct job_limits limits = {
		.parameter = job_parameter_find(path),
		.manifest = manifest,
		.limits = constraint,
		.model = json_string(manifest, member_of(manifest, adapt->model, "name")),
		.message = message,
	};

	if (!job_order_has(&adapt->order, path))
		return false;
	if (json_boolean(manifest, member_of(manifest, constraint, "forbidden"), false))
		return leave_out(adapt, path, message);
	return limits.parameter && limits.parameter->kind != JOB_PARAMETER_MEDIA && mend(adapt, path, &limits);
}

static bool adapt_rule(struct adapt *adapt, json_node rule)
{
	const struct json *manifest = adapt->order.manifest;
	json_node then = member_of(manifest, rule, "then");
	const char *message = json_string(manifest, member_of(manifest, rule, "message"));
	bool is_changed = false;

	if (!job_when_holds(&adapt->order, manifest, member_of(manifest, rule, "when")))
		return false;
	for (json_node node = json_first(manifest, then); node; node = json_next(manifest, node))
		is_changed |= adapt_constraint(adapt, json_name(manifest, node), node, message);
	return is_changed;
}

/* What one rule changes may be another's condition. */
static void adapt_to_rules(struct adapt *adapt)
{
	const struct json *manifest = adapt->order.manifest;
	json_node rules = member_of(manifest, adapt->model, "rules");
	bool is_changed = true;

	for (int pass = 0; is_changed && pass < LIMIT_JOB_ADAPT_PASSES; pass++) {
		is_changed = false;
		for (json_node rule = json_first(manifest, rules); rule; rule = json_next(manifest, rule))
			is_changed |= adapt_rule(adapt, rule);
	}
}

const char *job_adapt_limit(const struct json *json, const char *path, json_node value)
{
	uint64_t shape;
	int side;

	if (strcmp(path, "aspect_ratio") == 0 && parse_shape(json_text(json, value), &shape, &side))
		return "adapting keeps the orientation: square, broad and upright are not exchanged";
	if (strcmp(path, "sample_count") == 0)
		return "adapting takes fewer samples, never more";
	if (!may_go(path))
		return "adapting never changes what the film shows or says";
	return NULL;
}

int job_adapt(const struct job_capabilities *capabilities, json_node model, struct json *json, json_node parameters,
	      struct job_status *changes)
{
	struct adapt adapt = {
		.order = {capabilities->json, member_of(capabilities->json, model, "parameters"), json, parameters},
		.json = json,
		.model = model,
		.changes = changes,
	};

	adapt_given(&adapt);
	adapt_to_rules(&adapt);
	if (adapt.fault)
		return adapt.fault;
	/* An order as large as orders may be has no room for changes: the checks decide. */
	return json_fault(json) < 0 ? json_fault(json) : 0;
}
