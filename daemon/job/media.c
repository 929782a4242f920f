/*
 * Pictures, videos and sounds of an order: each for itself, and how many of each role.
 */
#include "job/asset.h"
#include "job/capability.h"

#include <inttypes.h>
#include <strings.h>

static json_node member(const struct json *json, json_node object, const char *name)
{
	return json_member(json, object, bytes_of_text(name));
}

static bool has_text(const struct json *json, json_node array, struct bytes text)
{
	for (json_node item = json_first(json, array); item; item = json_next(json, item))
		if (bytes_equal(json_text(json, item), text))
			return true;
	return false;
}

static bool is_address(struct bytes text)
{
	const char *p = text.data;
	size_t scheme = strncasecmp(p, "https://", 8) == 0 ? 8 : strncasecmp(p, "http://", 7) == 0 ? 7 : 0;

	if (scheme == 0 || text.len == scheme || text.len > LIMIT_JOB_MEDIA_URL)
		return false;
	for (size_t i = 0; i < text.len; i++)
		if ((uint8_t)p[i] <= 0x20 || p[i] == 0x7f)
			return false;
	return true;
}

/* How a medium may be handed over: the members of its oneof. */
static const char *const sources[] = {"url", "provider_handle", "asset"};
#define N_SOURCES (sizeof(sources) / sizeof(sources[0]))

/*
 * What was there before there were assets is taken where nothing is said; whoever can hand over an asset says so. A rule
 * narrows what it names, and what it does not name the parameter has decided.
 */
static bool is_form_taken(const struct job_limits *limits, json_node forms, const char *form)
{
	if (!forms)
		return limits->message || strcmp(form, "asset") != 0;
	return has_text(limits->manifest, forms, bytes_of_text(form));
}

static void check_form(const struct job_limits *limits, struct job_verdict *verdict, const struct job_field *field,
		       const char *form)
{
	json_node forms = member(limits->manifest, limits->limits, "forms");
	struct job_field here = {.parent = field, .name = form};
	struct job_line taken = {0};

	if (is_form_taken(limits, forms, form))
		return;
	if (forms)
		job_line_add_list(&taken, limits->manifest, forms);
	else
		job_line_add(&taken, "'url' or 'provider_handle'");
	job_verdict_add(verdict, &here, "is given; '%s' takes %s here", limits->model, taken.text);
}

static void check_value(struct job_verdict *verdict, const struct job_field *field, const struct json *order,
			json_node value, const struct job_input *input)
{
	struct bytes text = json_text(order, value);
	bool is_text = json_kind(order, value) == JSON_KIND_TEXT;
	struct job_input named = *input;

	if (strcmp(field->name, "url") == 0) {
		if (is_text && is_address(text))
			job_verdict_add_input(verdict, field, input, text);
		else
			job_verdict_add(verdict, field, "is not an http or https address of at most %d bytes",
					LIMIT_JOB_MEDIA_URL);
	} else if (strcmp(field->name, "asset") == 0) {
		if (is_text && asset_name_parse(text, &named.asset))
			job_verdict_add_input(verdict, field, &named, (struct bytes){0});
		else
			job_verdict_add(verdict, field,
					"is not an asset; write assets/ and the 64 lower-case digits of its SHA-256");
	} else if (!is_text || text.len == 0 || text.len > LIMIT_JOB_MEDIA_HANDLE) {
		job_verdict_add(verdict, field, "is not a handle of 1 to %d bytes", LIMIT_JOB_MEDIA_HANDLE);
	}
}

static void check_source(const struct job_limits *limits, struct job_verdict *verdict, const struct job_field *field,
			 const struct json *order, json_node media)
{
	struct job_input input = {.document = limits->document, .limits = limits->limits};
	json_node kind = member(order, media, "kind"), value = JSON_ABSENT;
	struct job_field here = {.parent = field};
	size_t n = 0;

	for (size_t i = 0; i < N_SOURCES; i++) {
		json_node node = member(order, media, sources[i]);

		if (!node)
			continue;
		n++;
		value = node;
		here.name = sources[i];
	}
	if (n != 1) {
		job_verdict_add(verdict, field, "has %s; it needs exactly one of url, provider_handle and asset",
				n == 0   ? "no source"
				: n == 2 ? "two sources"
					 : "three sources");
		return;
	}
	check_form(limits, verdict, field, here.name);
	if (json_kind(order, kind) == JSON_KIND_TEXT)
		snprintf(input.kind, sizeof(input.kind), "%s", (const char *)json_text(order, kind).data);
	if (limits->parameter)
		memcpy(input.media_kinds, limits->parameter->media_kinds, sizeof(input.media_kinds));
	check_value(verdict, &here, order, value, &input);
}

static void check_names(struct job_verdict *verdict, const struct job_field *field, const struct json *order,
			json_node media)
{
	static const char *const known[] = {"kind", "role", "url", "provider_handle", "asset", "at_ms", NULL};

	for (json_node child = json_first(order, media); child; child = json_next(order, child)) {
		struct job_field here = {.parent = field, .name = job_name_of(order, child)};
		size_t i = 0;

		while (known[i] && strcmp(known[i], here.name) != 0)
			i++;
		if (!known[i])
			job_verdict_add(verdict, &here,
					"is not a member of media: kind, role, url, provider_handle, asset, at_ms");
	}
}

static bool is_object(struct job_verdict *verdict, const struct job_field *field, const struct json *order,
		      json_node media)
{
	if (json_kind(order, media) == JSON_KIND_OBJECT)
		return true;
	job_verdict_add(verdict, field, "is not an object with a url, a provider_handle or an asset");
	return false;
}

static bool is_allowed_kind(const struct job_limits *limits, const struct json *order, json_node kind)
{
	json_node kinds = member(limits->manifest, limits->limits, "kinds");
	const char *const *own = limits->parameter->media_kinds;

	if (kinds)
		return has_text(limits->manifest, kinds, json_text(order, kind));
	return json_text_is(order, kind, own[0]) || (own[1] && json_text_is(order, kind, own[1]));
}

void job_media_check(const struct job_limits *limits, struct job_verdict *verdict, const struct job_field *field,
		     const struct json *order, json_node media)
{
	static const char *const unset[] = {"role", "at_ms"};
	json_node kind = member(order, media, "kind");
	struct job_field kind_field = {.parent = field, .name = "kind"};
	struct job_line value = {0};

	if (!is_object(verdict, field, order, media))
		return;
	check_names(verdict, field, order, media);
	for (size_t i = 0; i < 2; i++) {
		struct job_field here = {.parent = field, .name = unset[i]};

		if (member(order, media, unset[i]))
			job_verdict_add(verdict, &here, "is only for the entries of parameters.media; leave it out");
	}
	if (kind && !is_allowed_kind(limits, order, kind)) {
		job_line_add_value(&value, order, kind);
		job_verdict_add(verdict, &kind_field, "is %s, which '%s' does not take here", value.text,
				limits->model);
	}
	check_source(limits, verdict, field, order, media);
}

size_t job_media_count(const struct json *order, json_node list, struct bytes role)
{
	size_t n = 0;

	for (json_node item = json_first(order, list); item; item = json_next(order, item))
		n += bytes_equal(json_text(order, member(order, item, "role")), role);
	return n;
}

/* "source (image), reference (video)" */
static void add_roles(struct job_line *line, const struct json *manifest, json_node entries)
{
	for (json_node entry = json_first(manifest, entries); entry; entry = json_next(manifest, entry))
		job_line_add(line, "%s%s (%s)", line->len ? ", " : "",
			     (const char *)json_text(manifest, member(manifest, entry, "role")).data,
			     (const char *)json_text(manifest, member(manifest, entry, "kind")).data);
}

/* The manifest's entry for one medium; absent when the model takes none such. */
static json_node entry_for(const struct json *manifest, json_node entries, const struct json *order, json_node media)
{
	struct bytes role = json_text(order, member(order, media, "role"));
	struct bytes kind = json_text(order, member(order, media, "kind"));

	for (json_node entry = json_first(manifest, entries); entry; entry = json_next(manifest, entry))
		if (bytes_equal(json_text(manifest, member(manifest, entry, "role")), role) &&
		    bytes_equal(json_text(manifest, member(manifest, entry, "kind")), kind))
			return entry;
	return JSON_ABSENT;
}

static void check_moment(struct job_verdict *verdict, const struct job_field *field, const struct json *order,
			 json_node media, json_node duration)
{
	json_node at = member(order, media, "at_ms");
	struct job_field here = {.parent = field, .name = "at_ms"};
	uint64_t moment, end;

	if (!at)
		return;
	if (!json_text_is(order, member(order, media, "role"), "keyframe"))
		job_verdict_add(verdict, &here, "is only for the role 'keyframe'; leave it out");
	else if (json_kind(order, at) != JSON_KIND_NUMBER || decimal_parse_unsigned(json_text(order, at), &moment) != 0)
		job_verdict_add(verdict, &here, "is not a whole number of milliseconds");
	else if (duration && decimal_parse_unsigned(json_text(order, duration), &end) == 0 && moment > end)
		job_verdict_add(verdict, &here, "is %" PRIu64 ", behind the end of the video at %" PRIu64, moment, end);
}

static void check_entry(const struct job_capabilities *capabilities, json_node model, struct job_verdict *verdict,
			const struct job_field *field, const struct json *order, json_node media)
{
	const struct json *manifest = capabilities->json;
	json_node entries = member(manifest, model, "media");
	struct job_limits limits = {.document = capabilities, .manifest = manifest, .model = verdict->model};
	struct job_line value = {0}, roles = {0};

	if (!is_object(verdict, field, order, media))
		return;
	check_names(verdict, field, order, media);
	limits.limits = entry_for(manifest, entries, order, media);
	if (!limits.limits) {
		job_line_add_value(&value, order, member(order, media, "role"));
		job_line_add(&value, " (");
		job_line_add_value(&value, order, member(order, media, "kind"));
		job_line_add(&value, ")");
		add_roles(&roles, manifest, entries);
		job_verdict_add(verdict, field, "is %s; '%s' takes %s", value.text, verdict->model,
				roles.len ? roles.text : "no media");
	}
	check_source(&limits, verdict, field, order, media);
}

static void check_counts(const struct job_capabilities *capabilities, json_node model, struct job_verdict *verdict,
			 const struct job_field *field, const struct json *order, json_node list)
{
	const struct json *manifest = capabilities->json;
	json_node entries = member(manifest, model, "media");

	for (json_node entry = json_first(manifest, entries); entry; entry = json_next(manifest, entry)) {
		struct bytes role = json_text(manifest, member(manifest, entry, "role"));
		int64_t least = json_integer(manifest, member(manifest, entry, "min"), 0);
		int64_t most = json_integer(manifest, member(manifest, entry, "max"), 1);
		int64_t n = 0;

		for (json_node item = json_first(order, list); item; item = json_next(order, item))
			n += entry_for(manifest, entries, order, item) == entry;
		if (n < least)
			job_verdict_add(verdict, field,
					"has %" PRId64 " with the role '%s'; '%s' needs at least %" PRId64, n,
					(const char *)role.data, verdict->model, least);
		if (n > most)
			job_verdict_add(verdict, field,
					"has %" PRId64 " with the role '%s'; '%s' takes at most %" PRId64, n,
					(const char *)role.data, verdict->model, most);
	}
}

void job_media_list_check(const struct job_capabilities *capabilities, json_node model, struct job_verdict *verdict,
			  const struct json *order, json_node parameters)
{
	static const struct job_field root = {.name = "parameters"};
	static const struct job_field field = {.parent = &root, .name = "media"};
	json_node list = member(order, parameters, "media"), duration = member(order, parameters, "duration_ms");
	size_t n = 0;

	if (list && json_kind(order, list) != JSON_KIND_ARRAY) {
		job_verdict_add(verdict, &field, "is not a list");
		return;
	}
	if (json_count(order, list) > LIMIT_JOB_MEDIA) {
		job_verdict_add(verdict, &field, "has %u entries; at most %d are taken", json_count(order, list),
				LIMIT_JOB_MEDIA);
		return;
	}
	for (json_node media = json_first(order, list); media; media = json_next(order, media), n++) {
		struct job_field here = {.parent = &field, .index = n};

		check_entry(capabilities, model, verdict, &here, order, media);
		check_moment(verdict, &here, order, media, duration);
	}
	check_counts(capabilities, model, verdict, &field, order, list);
}

/* ---- what an asset is found to be ---- */

static bool is_kind_taken(const struct json *manifest, const struct job_input *input, const char *kind)
{
	json_node kinds = member(manifest, input->limits, "kinds");

	if (*input->kind)
		return strcmp(input->kind, kind) == 0;
	if (kinds)
		return has_text(manifest, kinds, bytes_of_text(kind));
	return (input->media_kinds[0] && strcmp(input->media_kinds[0], kind) == 0) ||
	       (input->media_kinds[1] && strcmp(input->media_kinds[1], kind) == 0);
}

static void refuse_kind(struct job_verdict *verdict, const struct json *manifest, const struct job_input *input,
			const struct job_field *field, const struct asset *asset)
{
	json_node kinds = member(manifest, input->limits, "kinds");
	struct job_line wanted = {0};

	if (*input->kind)
		job_line_add(&wanted, "the order says '%s'", input->kind);
	else if (kinds)
		job_line_add_list(&wanted, manifest, kinds);
	else
		job_line_add(&wanted, "'%s'%s%s%s", input->media_kinds[0], input->media_kinds[1] ? " or '" : "",
			     input->media_kinds[1] ? input->media_kinds[1] : "", input->media_kinds[1] ? "'" : "");
	job_verdict_add(verdict, field, "is %s (%s); %s%s", asset_kind_name(asset_kind_of(asset)), asset->media_type,
			wanted.text, *input->kind ? "" : " is taken here");
}

void job_verdict_check_asset(struct job_verdict *verdict, const struct job_input *input, const struct asset *asset)
{
	const struct json *manifest = input->document->json;
	json_node types = member(manifest, input->limits, "media_types");
	json_node bytes = member(manifest, input->limits, "max_bytes");
	struct job_field field = {.name = input->field};
	struct job_line taken = {0};
	uint64_t most;

	if (!asset) {
		job_verdict_add(verdict, &field, "does not exist, or no longer; upload the file first (UploadAsset)");
		return;
	}
	if (!is_kind_taken(manifest, input, asset_kind_name(asset_kind_of(asset)))) {
		refuse_kind(verdict, manifest, input, &field, asset);
	} else if (types && !has_text(manifest, types, bytes_of_text(asset->media_type))) {
		job_line_add_list(&taken, manifest, types);
		job_verdict_add(verdict, &field, "is %s; '%s' takes %s here", asset->media_type, verdict->model,
				taken.text);
	}
	if (bytes && decimal_parse_unsigned(json_text(manifest, bytes), &most) == 0 && asset->size_bytes > most)
		job_verdict_add(verdict, &field, "has %" PRIu64 " bytes; '%s' takes at most %" PRIu64,
				asset->size_bytes, verdict->model, most);
}

void job_verdict_judge_address(struct job_verdict *verdict, const struct job_input *input, bool is_private,
			       bool is_unreadable)
{
	struct job_field field = {.name = input->field};

	if (is_private)
		job_verdict_add(verdict, &field,
				"leads into a private network, where this provider is not sent; upload the file "
				"(UploadAsset), or set allow_private_network for the provider");
	else if (is_unreadable)
		job_verdict_add(
			verdict, &field,
			"is not an address that every reader understands alike; write it without user name, and "
			"the host in ASCII (xn--…)");
}
