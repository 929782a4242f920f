/*
 * The canonical parameters, their bounds in the contract (proto/filmgate/v1/parameters.proto), and how one value is
 * held against those bounds and a model's own.
 */
#include "job/capability.h"

#include "base/err.h"

#define DAY_MS "86400000"

static const struct job_parameter parameters[] = {
	{.path = "prompt", .kind = JOB_PARAMETER_TEXT, .max_bytes = 100000},
	{.path = "negative_prompt", .kind = JOB_PARAMETER_TEXT, .max_bytes = 100000},
	{.path = "script.text", .kind = JOB_PARAMETER_TEXT, .max_bytes = 100000},
	{.path = "script.audio", .kind = JOB_PARAMETER_MEDIA, .media_kinds = {"audio"}},
	{.path = "avatar_id", .kind = JOB_PARAMETER_TEXT, .max_bytes = 255},
	{.path = "voice_id", .kind = JOB_PARAMETER_TEXT, .max_bytes = 255},
	{.path = "duration_ms", .kind = JOB_PARAMETER_WHOLE, .min = "1", .max = DAY_MS},
	{.path = "aspect_ratio", .kind = JOB_PARAMETER_RATIO, .max_bytes = 32},
	{.path = "resolution", .kind = JOB_PARAMETER_TEXT, .max_bytes = 32},
	{.path = "size.width", .kind = JOB_PARAMETER_WHOLE, .min = "16", .max = "16384"},
	{.path = "size.height", .kind = JOB_PARAMETER_WHOLE, .min = "16", .max = "16384"},
	{.path = "fps", .kind = JOB_PARAMETER_WHOLE, .min = "1", .max = "240"},
	{.path = "seed", .kind = JOB_PARAMETER_WHOLE, .min = "0", .max = "18446744073709551615"},
	{.path = "audio", .kind = JOB_PARAMETER_TOGGLE},
	{.path = "watermark", .kind = JOB_PARAMETER_TOGGLE},
	{.path = "sample_count", .kind = JOB_PARAMETER_WHOLE, .min = "1", .max = "16"},
	{.path = "prompt_rewrite", .kind = JOB_PARAMETER_TOGGLE},
	{.path = "background.color", .kind = JOB_PARAMETER_COLOR},
	{.path = "background.media", .kind = JOB_PARAMETER_MEDIA, .media_kinds = {"image", "video"}},
	{.path = "end_user", .kind = JOB_PARAMETER_TEXT, .max_bytes = 255},
};

static const struct job_parameter *parameter_at(size_t n)
{
	return n < sizeof(parameters) / sizeof(parameters[0]) ? &parameters[n] : NULL;
}

const struct job_parameter *job_parameter_find(const char *path)
{
	const struct job_parameter *parameter;

	for (size_t i = 0; (parameter = parameter_at(i)); i++)
		if (strcmp(parameter->path, path) == 0)
			return parameter;
	return NULL;
}

bool job_parameter_is_group(const char *name)
{
	const struct job_parameter *parameter;
	size_t len = strlen(name);

	for (size_t i = 0; (parameter = parameter_at(i)); i++)
		if (strncmp(parameter->path, name, len) == 0 && parameter->path[len] == '.')
			return true;
	return false;
}

static int order_of(int64_t a, int64_t b)
{
	return (a > b) - (a < b);
}

int job_number_compare(struct bytes a, struct bytes b)
{
	static const unsigned int scales[] = {0, 9};
	uint64_t unsigned_a, unsigned_b;
	int64_t x, y;
	double p, q;

	for (size_t i = 0; i < sizeof(scales) / sizeof(scales[0]); i++)
		if (decimal_parse(a, scales[i], &x) == 0 && decimal_parse(b, scales[i], &y) == 0)
			return order_of(x, y);
	if (decimal_parse_unsigned(a, &unsigned_a) == 0 && decimal_parse_unsigned(b, &unsigned_b) == 0)
		return (unsigned_a > unsigned_b) - (unsigned_a < unsigned_b);
	/* Beyond that a bound is a matter of size, not of digits. The texts end with NUL, as the arena writes them. */
	p = strtod(a.data, NULL);
	q = strtod(b.data, NULL);
	return (p > q) - (p < q);
}

static json_node limit_of(const struct job_limits *limits, const char *name)
{
	return json_member(limits->manifest, limits->limits, bytes_of_text(name));
}

static struct bytes number_of(const struct job_limits *limits, const char *name)
{
	return json_text(limits->manifest, limit_of(limits, name));
}

struct bytes job_limits_lower(const struct job_limits *limits)
{
	struct bytes own = number_of(limits, "min");
	struct bytes contract = bytes_of_text(limits->parameter ? limits->parameter->min : NULL);

	if (own.len == 0 || (contract.len && job_number_compare(own, contract) < 0))
		return contract;
	return own;
}

struct bytes job_limits_upper(const struct job_limits *limits)
{
	struct bytes own = number_of(limits, "max");
	struct bytes contract = bytes_of_text(limits->parameter ? limits->parameter->max : NULL);

	if (own.len == 0 || (contract.len && job_number_compare(own, contract) > 0))
		return contract;
	return own;
}

static bool is_on_step(const struct job_limits *limits, struct bytes number)
{
	struct bytes from = number_of(limits, "min");
	uint64_t step, value, base = 0;

	if (decimal_parse_unsigned(number_of(limits, "step"), &step) != 0 || step == 0)
		return true;
	if (from.len && decimal_parse_unsigned(from, &base) != 0)
		return true;
	return decimal_parse_unsigned(number, &value) == 0 && value >= base && (value - base) % step == 0;
}

static bool is_in_range(const struct job_limits *limits, struct bytes number)
{
	struct bytes lower = job_limits_lower(limits), upper = job_limits_upper(limits);

	return (lower.len == 0 || job_number_compare(number, lower) >= 0) &&
	       (upper.len == 0 || job_number_compare(number, upper) <= 0) && is_on_step(limits, number);
}

static bool is_within(size_t n, struct bytes least, struct bytes most)
{
	uint64_t bound;

	if (least.len && decimal_parse_unsigned(least, &bound) == 0 && n < bound)
		return false;
	return most.len == 0 || decimal_parse_unsigned(most, &bound) != 0 || n <= bound;
}

static bool is_color(struct bytes text)
{
	return text.len == 7 && *(const char *)text.data == '#' &&
	       strspn((const char *)text.data + 1, "0123456789abcdefABCDEF") == 6;
}

/* "w:h" in whole numbers, or "adaptive". */
static bool is_ratio(struct bytes text)
{
	const char *p = text.data;
	size_t width, height;

	if (strcmp(p, "adaptive") == 0)
		return true;
	width = strspn(p, "0123456789");
	if (width == 0 || width > 5 || p[0] == '0' || p[width] != ':')
		return false;
	p += width + 1;
	height = strspn(p, "0123456789");
	return height > 0 && height <= 5 && p[0] != '0' && p[height] == '\0';
}

static bool has_nul(struct bytes text)
{
	return text.len && memchr(text.data, '\0', text.len);
}

static bool has_right_form(const struct job_limits *limits, const struct json *order, json_node value)
{
	struct bytes text = json_text(order, value);
	enum json_kind kind = json_kind(order, value);
	uint64_t whole;

	if (!limits->parameter)
		return true;
	if (limits->parameter->kind == JOB_PARAMETER_WHOLE)
		return kind == JSON_KIND_NUMBER && decimal_parse_unsigned(text, &whole) == 0;
	if (kind != JSON_KIND_TEXT || has_nul(text))
		return false;
	switch (limits->parameter->kind) {
	case JOB_PARAMETER_TOGGLE:
		return json_text_is(order, value, "on") || json_text_is(order, value, "off");
	case JOB_PARAMETER_COLOR:
		return is_color(text);
	case JOB_PARAMETER_RATIO:
		return is_ratio(text);
	default:
		return true;
	}
}

static bool is_listed(const struct job_limits *limits, const struct json *order, json_node value)
{
	json_node values = limit_of(limits, "values");

	for (json_node item = json_first(limits->manifest, values); item; item = json_next(limits->manifest, item))
		if (json_equal(order, value, limits->manifest, item))
			return true;
	return values == JSON_ABSENT;
}

static void add_bounds(const struct job_limits *limits, struct job_line *line)
{
	struct bytes lower = job_limits_lower(limits), upper = job_limits_upper(limits),
		     step = number_of(limits, "step");

	if (lower.len && upper.len)
		job_line_add(line, "%s to %s", (const char *)lower.data, (const char *)upper.data);
	else if (lower.len)
		job_line_add(line, "%s or more", (const char *)lower.data);
	else if (upper.len)
		job_line_add(line, "at most %s", (const char *)upper.data);
	else
		job_line_add(line, "a number");
	if (step.len)
		job_line_add(line, " in steps of %s", (const char *)step.data);
}

void job_limits_remedy(const struct job_limits *limits, struct job_line *line)
{
	enum job_parameter_kind kind = limits->parameter ? limits->parameter->kind : JOB_PARAMETER_TEXT;
	json_node values = limit_of(limits, "values");

	if (values)
		job_line_add_list(line, limits->manifest, values);
	else if (kind == JOB_PARAMETER_WHOLE ||
		 (!limits->parameter && (limit_of(limits, "min") || limit_of(limits, "max"))))
		add_bounds(limits, line);
	else if (kind == JOB_PARAMETER_TOGGLE)
		job_line_add(line, "'on' or 'off'");
	else if (kind == JOB_PARAMETER_COLOR)
		job_line_add(line, "a colour like '#1a2b3c'");
	else if (kind == JOB_PARAMETER_RATIO)
		job_line_add(line, "a shape like '16:9', or 'adaptive'");
	else
		job_line_add(line, "a text");
}

static void violate(const struct job_limits *limits, struct job_verdict *verdict, const struct job_field *field,
		    const struct job_line *found, const struct job_line *taken)
{
	if (limits->message)
		job_verdict_add(verdict, field, "%s (it %s)", limits->message, found->text);
	else
		job_verdict_add(verdict, field, "%s; '%s' takes %s", found->text, limits->model, taken->text);
}

static void check_length(const struct job_limits *limits, struct job_verdict *verdict, const struct job_field *field,
			 struct bytes text)
{
	struct bytes least = number_of(limits, "min_length"), most = number_of(limits, "max_length");
	struct bytes bytes = number_of(limits, "max_bytes");
	size_t own = limits->parameter ? limits->parameter->max_bytes : 0;
	struct job_line found = {0}, taken = {0};

	if (!is_within(bytes_count_characters(text), least, most)) {
		job_line_add(&found, "has %zu characters", bytes_count_characters(text));
		job_line_add(&taken, "%s%s%s%s characters", least.len ? (const char *)least.data : "at most",
			     least.len && most.len ? " to "
			     : most.len            ? " "
						   : "",
			     most.len ? (const char *)most.data : "", least.len && !most.len ? " or more" : "");
		violate(limits, verdict, field, &found, &taken);
	} else if (!is_within(text.len, (struct bytes){0}, bytes) || (own && text.len > own)) {
		job_line_add(&found, "has %zu bytes", text.len);
		if (bytes.len)
			job_line_add(&taken, "at most %s bytes", (const char *)bytes.data);
		else
			job_line_add(&taken, "at most %zu bytes", own);
		violate(limits, verdict, field, &found, &taken);
	}
}

void job_limits_check(const struct job_limits *limits, struct job_verdict *verdict, const struct job_field *field,
		      const struct json *order, json_node value)
{
	bool is_number = json_kind(order, value) == JSON_KIND_NUMBER;
	struct job_line found = {0}, taken = {0};

	if (limits->parameter && limits->parameter->kind == JOB_PARAMETER_MEDIA) {
		job_media_check(limits, verdict, field, order, value);
		return;
	}
	if (!has_right_form(limits, order, value) || !is_listed(limits, order, value) ||
	    (is_number && !is_in_range(limits, json_text(order, value)))) {
		job_line_add(&found, "is ");
		job_line_add_value(&found, order, value);
		job_limits_remedy(limits, &taken);
		violate(limits, verdict, field, &found, &taken);
	} else if (json_kind(order, value) == JSON_KIND_TEXT) {
		check_length(limits, verdict, field, json_text(order, value));
	}
}

static const struct job_member limit_members[] = {
	{"required", JSON_KIND_BOOLEAN, false},
	{"forbidden", JSON_KIND_BOOLEAN, false},
	{"default", JSON_KIND_ABSENT, false},
	{"affects_price", JSON_KIND_BOOLEAN, false},
	{"help", JSON_KIND_TEXT, false},
	{"values", JSON_KIND_ARRAY, false},
	{"min_length", JSON_KIND_NUMBER, false},
	{"max_length", JSON_KIND_NUMBER, false},
	{"max_bytes", JSON_KIND_NUMBER, false},
	{"min", JSON_KIND_NUMBER, false},
	{"max", JSON_KIND_NUMBER, false},
	{"step", JSON_KIND_NUMBER, false},
	{"kinds", JSON_KIND_ARRAY, false},
	{"forms", JSON_KIND_ARRAY, false},
	{"media_types", JSON_KIND_ARRAY, false},
	{"may_cut", JSON_KIND_BOOLEAN, false},
	{0},
};

/* Which of them say something about a parameter of this kind. */
static bool fits_kind(const char *member, enum job_parameter_kind kind)
{
	static const struct {
		const char *member;
		unsigned int kinds;
	} fits[] = {
		{"values", ~(1u << JOB_PARAMETER_MEDIA)},
		{"min_length", 1u << JOB_PARAMETER_TEXT},
		{"max_length", 1u << JOB_PARAMETER_TEXT},
		{"may_cut", 1u << JOB_PARAMETER_TEXT},
		{"max_bytes", 1u << JOB_PARAMETER_TEXT | 1u << JOB_PARAMETER_MEDIA},
		{"min", 1u << JOB_PARAMETER_WHOLE},
		{"max", 1u << JOB_PARAMETER_WHOLE},
		{"step", 1u << JOB_PARAMETER_WHOLE},
		{"kinds", 1u << JOB_PARAMETER_MEDIA},
		{"forms", 1u << JOB_PARAMETER_MEDIA},
		{"media_types", 1u << JOB_PARAMETER_MEDIA},
	};

	for (size_t i = 0; i < sizeof(fits) / sizeof(fits[0]); i++)
		if (strcmp(fits[i].member, member) == 0)
			return fits[i].kinds & 1u << kind;
	return true;
}

static int read_fit(const struct job_reading *reading, const struct job_field *field, json_node limits,
		    const struct job_parameter *parameter)
{
	static const char *const wholes[] = {"min_length", "max_length", "max_bytes", "step"};
	uint64_t whole;

	for (json_node node = json_first(reading->json, limits); parameter && node;
	     node = json_next(reading->json, node)) {
		struct job_field here = {.parent = field, .name = json_key(reading->json, node).data};

		if (!fits_kind(here.name, parameter->kind))
			return job_reading_fail(reading, &here, "says nothing about a parameter of this kind");
	}
	for (size_t i = 0; i < sizeof(wholes) / sizeof(wholes[0]); i++) {
		json_node node = json_member(reading->json, limits, bytes_of_text(wholes[i]));
		struct job_field here = {.parent = field, .name = wholes[i]};

		if (node && (decimal_parse_unsigned(json_text(reading->json, node), &whole) != 0 ||
			     (whole == 0 && strcmp(wholes[i], "step") == 0)))
			return job_reading_fail(reading, &here, "is not a whole number");
	}
	return 0;
}

/* Would the model take its own values and its own default? A limit that forbids them is a slip. */
static int read_own_values(const struct job_reading *reading, const struct job_field *field, json_node limits_node,
			   const struct job_parameter *parameter)
{
	static const char *const names[] = {"values", "default"};
	struct job_limits limits = {
		.parameter = parameter, .manifest = reading->json, .limits = limits_node, .model = ""};

	for (size_t i = 0; i < 2; i++) {
		json_node node = json_member(reading->json, limits_node, bytes_of_text(names[i]));
		bool is_list = json_kind(reading->json, node) == JSON_KIND_ARRAY;
		struct job_field here = {.parent = field, .name = names[i]};

		if (is_list && json_count(reading->json, node) == 0)
			return job_reading_fail(reading, &here, "is empty");
		for (json_node value = is_list ? json_first(reading->json, node) : node; value;
		     value = is_list ? json_next(reading->json, value) : JSON_ABSENT) {
			struct job_verdict verdict = {0};
			bool is_bad;

			job_limits_check(&limits, &verdict, &here, reading->json, value);
			is_bad = verdict.n_violations > 0 || verdict.fault;
			job_verdict_finish(&verdict);
			if (is_bad)
				return job_reading_fail(reading, &here, "is outside the limits beside it");
		}
	}
	return 0;
}

int job_limits_read(const struct job_reading *reading, const struct job_field *field, json_node limits,
		    const struct job_parameter *parameter)
{
	json_node least = json_member(reading->json, limits, bytes_of_text("min"));
	json_node most = json_member(reading->json, limits, bytes_of_text("max"));
	struct job_field forms = {.parent = field, .name = "forms"}, kinds = {.parent = field, .name = "kinds"};
	int r = job_reading_members(reading, field, limits, limit_members);

	if (!r)
		r = read_fit(reading, field, limits, parameter);
	if (!r)
		r = job_reading_texts(reading, &forms, json_member(reading->json, limits, bytes_of_text("forms")),
				      job_media_forms);
	if (!r)
		r = job_reading_texts(reading, &kinds, json_member(reading->json, limits, bytes_of_text("kinds")),
				      job_media_kinds);
	if (!r && least && most &&
	    job_number_compare(json_text(reading->json, least), json_text(reading->json, most)) > 0)
		return job_reading_fail(reading, field, "has a min above its max");
	if (!r && (!parameter || parameter->kind != JOB_PARAMETER_MEDIA))
		r = read_own_values(reading, field, limits, parameter);
	return r;
}
