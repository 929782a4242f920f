/*
 * One order against one model: first each member for itself, then what is missing, then the media, then the rules
 * between them. All of it is reported, so that a user mends an order in one go.
 */
#include "job/validate.h"

#include "base/err.h"
#include "job/capability.h"

#define PATH_BYTES 64

static const struct job_field root = {.name = "parameters"};

struct check {
	const struct job_capabilities *capabilities;
	const struct json *manifest;
	json_node model;
	json_node taken; /* its parameters, by name */
	const struct json *order;
	json_node parameters;
	struct job_verdict *verdict;
};

/* Everything that the model takes, by name. */
static void add_taken(const struct check *check, struct job_line *line, struct job_guess *guess)
{
	bool has_media = json_count(check->manifest, json_at(check->manifest, check->model, "/media")) > 0;

	for (json_node node = json_first(check->manifest, check->taken); node;
	     node = json_next(check->manifest, node)) {
		const char *name = json_key(check->manifest, node).data;

		job_guess_try(guess, name);
		job_line_add(line, "%s%s", line->len ? ", " : "", name);
	}
	if (has_media)
		job_line_add(line, "%smedia", line->len ? ", " : "");
	if (json_at(check->manifest, check->model, "/extras"))
		job_line_add(line, "%sextras", line->len ? ", " : "");
	if (line->len == 0)
		job_line_add(line, "nothing");
}

static void refuse_name(const struct check *check, const struct job_field *field, const char *path)
{
	struct job_guess guess = {.name = path};
	struct job_line taken = {0};

	add_taken(check, &taken, &guess);
	job_guess_try(&guess, "media");
	job_guess_try(&guess, "extras");
	job_guess_add_to(&guess, &taken);
	job_verdict_add(check->verdict, field, "is not %s; '%s' takes %s",
			job_parameter_find(path) ? "taken" : "a parameter", check->verdict->model, taken.text);
}

static void check_parameter(const struct check *check, const struct job_field *field, const char *path, json_node value)
{
	struct job_limits limits = {
		.parameter = job_parameter_find(path),
		.document = check->capabilities,
		.manifest = check->manifest,
		.limits = json_member(check->manifest, check->taken, bytes_of_text(path)),
		.model = check->verdict->model,
	};

	if (limits.parameter && limits.limits)
		job_limits_check(&limits, check->verdict, field, check->order, value);
	else
		refuse_name(check, field, path);
}

/* script, background: exactly one of their members; size: both. */
static void check_members(const struct check *check, const struct job_field *field, json_node group)
{
	uint32_t count = json_count(check->order, group);

	if (strcmp(field->name, "size") == 0) {
		if (count != 2)
			job_verdict_add(check->verdict, field, "needs width and height");
	} else if (count != 1) {
		job_verdict_add(check->verdict, field, "needs exactly one of %s",
				strcmp(field->name, "script") == 0 ? "text and audio" : "color and media");
	}
}

static void check_group(const struct check *check, const struct job_field *field, json_node group)
{
	if (json_kind(check->order, group) != JSON_KIND_OBJECT) {
		job_verdict_add(check->verdict, field, "is not an object");
		return;
	}
	check_members(check, field, group);
	for (json_node child = json_first(check->order, group); child; child = json_next(check->order, child)) {
		struct job_field here = {.parent = field, .name = job_name_of(check->order, child)};
		char path[PATH_BYTES];

		snprintf(path, sizeof(path), "%s.%s", field->name, here.name);
		check_parameter(check, &here, path, child);
	}
}

static void check_extras(const struct check *check, const struct job_field *field, json_node extras)
{
	json_node schema = json_at(check->manifest, check->model, "/extras");
	struct buffer text = {.limit = LIMIT_JOB_EXTRAS_BYTES};
	int r = json_write(check->order, extras, JSON_FORM_PLAIN, &text);

	buffer_finish(&text);
	if (r == -EMSGSIZE)
		job_verdict_add(check->verdict, field, "is longer than %d bytes of JSON", LIMIT_JOB_EXTRAS_BYTES);
	else if (r < 0)
		check->verdict->fault = err_origin(r);
	else if (schema)
		job_schema_check(check->manifest, schema, check->verdict->model, check->verdict, field, check->order,
				 extras);
	else if (json_kind(check->order, extras) != JSON_KIND_OBJECT || json_count(check->order, extras) > 0)
		refuse_name(check, field, "extras");
}

static void check_given(const struct check *check)
{
	for (json_node child = json_first(check->order, check->parameters); child;
	     child = json_next(check->order, child)) {
		struct job_field field = {.parent = &root, .name = job_name_of(check->order, child)};

		if (strcmp(field.name, "media") == 0)
			continue;
		if (strcmp(field.name, "extras") == 0)
			check_extras(check, &field, child);
		else if (job_parameter_is_group(field.name))
			check_group(check, &field, child);
		else
			check_parameter(check, &field, field.name, child);
	}
	if (json_at(check->order, check->parameters, "/size") &&
	    json_at(check->order, check->parameters, "/resolution"))
		job_verdict_add(check->verdict, &(struct job_field){.parent = &root, .name = "size"},
				"is given beside resolution; give one of the two");
}

static json_node value_at(const struct check *check, const char *path)
{
	json_node node = check->parameters;
	size_t len;

	for (; *path; path += len + (path[len] == '.')) {
		len = strcspn(path, ".");
		node = json_member(check->order, node, bytes_of(path, len));
	}
	return node;
}

static void refuse_missing(const struct check *check, const char *path, json_node parameter)
{
	struct job_field field = {.parent = &root, .name = path};
	struct bytes help = json_text(check->manifest, json_at(check->manifest, parameter, "/help"));

	job_verdict_add(check->verdict, &field, "is missing; '%s' needs it%s%s", check->verdict->model,
			help.len ? ": " : "", help.len ? (const char *)help.data : "");
}

static void check_required(const struct check *check)
{
	for (json_node node = json_first(check->manifest, check->taken); node;
	     node = json_next(check->manifest, node)) {
		const char *path = json_key(check->manifest, node).data;

		if (json_boolean(check->manifest, json_member(check->manifest, node, bytes_of_text("required")),
				 false) &&
		    !value_at(check, path))
			refuse_missing(check, path, node);
	}
}

static json_node find_model(const struct check *check, const char *name)
{
	const struct json *manifest = check->manifest;

	for (json_node model = json_first(manifest, check->capabilities->models); model;
	     model = json_next(manifest, model))
		if (json_text_is(manifest, json_at(manifest, model, "/name"), name))
			return model;
	return JSON_ABSENT;
}

static void refuse_model(const struct check *check, const char *name)
{
	static const struct job_field field = {.name = "model"};
	struct job_guess guess = {.name = name};
	struct job_line known = {0}, given = {0};
	const char *model;

	for (size_t i = 0; (model = job_capabilities_model(check->capabilities, i)); i++) {
		job_guess_try(&guess, model);
		job_line_add(&known, "%s%s", i ? ", " : "", model);
	}
	job_guess_add_to(&guess, &known);
	job_line_add_text(&given, bytes_of_text(name));
	if (*name)
		job_verdict_add(check->verdict, &field, "'%s' is not a model of this provider; it has %s", given.text,
				known.text);
	else
		job_verdict_add(check->verdict, &field, "is missing; this provider has %s", known.text);
}

/* 0 when there is a model to go on with. */
static int choose_model(struct check *check, const char *name)
{
	static const struct job_field field = {.name = "model"};
	json_node stage;

	if (!name)
		name = "";
	if (!*name && json_count(check->manifest, check->capabilities->models) == 1)
		check->model = json_first(check->manifest, check->capabilities->models);
	else
		check->model = find_model(check, name);
	if (!check->model) {
		refuse_model(check, name);
		return JOB_VALIDATE_E_VIOLATED;
	}
	check->taken = json_at(check->manifest, check->model, "/parameters");
	check->verdict->model = json_text(check->manifest, json_at(check->manifest, check->model, "/name")).data;
	stage = json_at(check->manifest, check->model, "/lifecycle/stage");
	if (json_text_is(check->manifest, stage, "retired"))
		job_verdict_add(check->verdict, &field, "'%s' is retired: the provider no longer makes it",
				check->verdict->model);
	return 0;
}

static int read_order(struct check *check, struct json *order, struct bytes parameters)
{
	struct errmsg error = {0};
	int r;

	if (parameters.len > LIMIT_JOB_PARAMETERS_BYTES) {
		job_verdict_add(check->verdict, &root, "are %zu bytes of JSON; at most %d are taken", parameters.len,
				LIMIT_JOB_PARAMETERS_BYTES);
		return JOB_VALIDATE_E_VIOLATED;
	}
	r = json_parse(order, parameters, JSON_DUPLICATES_REFUSE, &check->parameters, &error);
	if (r < 0)
		return err_trace(r);
	if (r > 0 || json_kind(order, check->parameters) != JSON_KIND_OBJECT) {
		job_verdict_add(check->verdict, &root, "are not a JSON object: %s",
				r ? error.text : "another kind of value");
		return JOB_VALIDATE_E_VIOLATED;
	}
	return 0;
}

static int write_canonical(const struct check *check)
{
	struct buffer text = {0};
	int r = json_write(check->order, check->parameters, JSON_FORM_CANONICAL, &text);

	if (r) {
		buffer_finish(&text);
		return err_fold(r);
	}
	check->verdict->canonical = text.data;
	return 0;
}

/* What was asked is written down before it is changed. */
static int adapt(const struct check *check, struct json *order)
{
	struct job_verdict *verdict = check->verdict;
	struct buffer text = {0};
	int r = json_write(order, check->parameters, JSON_FORM_CANONICAL, &text);

	if (r) {
		buffer_finish(&text);
		return err_fold(r);
	}
	verdict->asked = text.data;
	verdict->changes = job_status_new();
	if (!verdict->changes)
		return err_origin(-ENOMEM);
	r = job_adapt(check->capabilities, check->model, order, check->parameters, verdict->changes);
	if (r < 0)
		return err_trace(r);
	if (verdict->changes->n_notes > 0)
		return 0;
	free(verdict->asked);
	verdict->asked = NULL;
	verdict->changes = job_status_free(verdict->changes);
	return 0;
}

/* Whoever allowed changes is told why one of them was not made. */
static void explain_limits(const struct check *check)
{
	struct job_verdict *verdict = check->verdict;
	size_t skip = strlen(root.name) + 1;

	for (size_t i = 0; i < verdict->n_violations && !verdict->fault; i++) {
		struct job_violation *violation = &verdict->violations[i];
		const char *path = strlen(violation->field) > skip ? violation->field + skip : "";
		json_node value = *path && job_parameter_find(path) ? value_at(check, path) : JSON_ABSENT;
		const char *why = value ? job_adapt_limit(check->order, path, value) : NULL;
		char *text = NULL;

		if (!why)
			continue;
		if (asprintf(&text, "%s; %s", violation->text, why) < 0) {
			verdict->fault = err_origin(-ENOMEM);
			return;
		}
		free(violation->text);
		violation->text = text;
	}
}

int job_validate(const struct job_capabilities *capabilities, const char *model, struct bytes parameters,
		 enum job_validation how, struct job_verdict *verdict)
{
	static const struct json_limits limits = {
		.depth = LIMIT_JOB_EXTRAS_DEPTH + 1,
		.nodes = LIMIT_JOB_PARAMETERS_NODES,
	};
	_cleanup_(json_freep) struct json *order = json_new(&limits);
	struct check check = {
		.capabilities = capabilities,
		.manifest = capabilities->json,
		.order = order,
		.verdict = verdict,
	};
	int r;

	*verdict = (struct job_verdict){0};
	if (!order)
		return err_origin(-ENOMEM);
	r = choose_model(&check, model);
	if (r == 0)
		r = read_order(&check, order, parameters);
	if (r == 0 && how == JOB_VALIDATE_ADAPT)
		r = adapt(&check, order);
	if (r == 0) {
		check_given(&check);
		check_required(&check);
		job_media_list_check(capabilities, check.model, verdict, order, check.parameters);
		job_rules_check(capabilities, check.model, verdict, order, check.parameters);
		if (how == JOB_VALIDATE_ADAPT)
			explain_limits(&check);
	}
	if (verdict->fault)
		return err_trace(verdict->fault);
	if (r < 0 || verdict->n_violations)
		return r < 0 ? r : JOB_VALIDATE_E_VIOLATED;
	return write_canonical(&check);
}
