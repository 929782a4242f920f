/*
 * What a plugin says of itself.
 */
#include "check.h"

#include "base/digest.h"

#include <filmgate/provider.h>

#include <stdio.h>

static void put(struct buffer *out, const char *name, const char *text)
{
	if (text && *text)
		buffer_printf(out, "%-10s %s\n", name, text);
}

/* The texts of an array, or the names of an object's members, in one line. */
static void put_list(struct buffer *out, const char *name, const struct json *json, json_node list, const char *none)
{
	_cleanup_(buffer_finish) struct buffer line = {0};

	for (json_node n = json_first(json, list); n; n = json_next(json, n))
		buffer_printf(&line, "%s%s", line.len ? ", " : "",
			      json_kind(json, list) == JSON_KIND_OBJECT ? json_name(json, n) : json_string(json, n));
	put(out, name, line.len ? line.data : none);
}

static void put_secrets(struct buffer *out, const struct plugin_manifest *manifest)
{
	_cleanup_(buffer_finish) struct buffer line = {0};
	json_node list = json_at(manifest->json, manifest->root, "/secrets");

	for (json_node n = json_first(manifest->json, list); n; n = json_next(manifest->json, n))
		buffer_printf(&line, "%s%s%s", line.len ? ", " : "", json_name(manifest->json, n),
			      json_boolean(manifest->json, json_at(manifest->json, n, "/required"), false)
				      ? " (required)"
				      : "");
	put(out, "secrets", line.len ? line.data : "none");
}

static void put_auths(struct buffer *out, const struct plugin_manifest *manifest)
{
	json_node auths = json_at(manifest->json, manifest->root, "/auth");

	for (size_t i = 0; i < manifest->n_auths; i++) {
		const struct plugin_auth *auth = &manifest->auths[i];
		json_node origins = auth->origins ? auth->origins : manifest->origins;
		_cleanup_(buffer_finish) struct buffer line = {0};

		buffer_printf(&line, "%s: %s", auth->scheme,
			      json_string(manifest->json,
					  json_at(manifest->json, json_item(manifest->json, auths, i), "/kind")));
		if (auth->kind != PLUGIN_AUTH_NONE)
			buffer_printf(&line, " of %s to", auth->secret);
		for (json_node n = json_first(manifest->json, origins); n; n = json_next(manifest->json, n))
			buffer_printf(&line, " %s", json_string(manifest->json, n));
		if (auth->kind != PLUGIN_AUTH_NONE && !origins)
			buffer_printf(&line, " every origin that the operator names");
		put(out, "auth", line.data);
	}
}

static void put_verbs(struct buffer *out, const struct plugin *plugin)
{
	_cleanup_(buffer_finish) struct buffer line = {0};

	for (enum plugin_verb verb = 0; verb < _PLUGIN_VERB_N; verb++)
		if (plugin_can(plugin, verb))
			buffer_printf(&line, "%s%s%s", line.len ? ", " : "", plugin_verb_name(verb),
				      plugin_verb_is_called(verb) ? "" : " (not called by this version)");
	put(out, "verbs", line.data);
}

static void put_models(struct buffer *out, const struct plugin_manifest *manifest)
{
	json_node list = json_at(manifest->json, manifest->root, "/models");

	for (json_node n = json_first(manifest->json, list); n; n = json_next(manifest->json, n)) {
		_cleanup_(buffer_finish) struct buffer line = {0};
		const char *stage = json_string(manifest->json, json_at(manifest->json, n, "/lifecycle/stage"));

		buffer_printf(&line, "%s%s%s: %u parameters",
			      json_string(manifest->json, json_at(manifest->json, n, "/name")), *stage ? ", " : "",
			      stage, json_count(manifest->json, json_at(manifest->json, n, "/parameters")));
		put(out, "model", line.data);
	}
}

static void describe(struct child_desk *desk, void *userdata)
{
	const struct place *place = userdata;
	_cleanup_(buffer_finish) struct buffer out = {0};
	struct plugin *plugin = NULL;
	struct errmsg error = {""};
	int r = load_at(place, &plugin, &error);
	const struct plugin_manifest *manifest;
	char abi[32];

	if (r) {
		child_says(desk, 1, "%s", error.text[0] ? error.text : strerror(-r));
		return;
	}
	manifest = plugin_manifest(plugin);
	snprintf(abi, sizeof(abi), "%u.%u", FG_ABI_MAJOR, FG_ABI_MINOR);
	put(&out, "name", manifest->name);
	put(&out, "title", manifest->title);
	put(&out, "version", manifest->version);
	put(&out, "abi", abi);
	put(&out, "base_url", manifest->base_url);
	put_list(&out, "origins", manifest->json, manifest->origins, "every one that the operator names");
	put_secrets(&out, manifest);
	put_auths(&out, manifest);
	put_list(&out, "options", manifest->json, json_at(manifest->json, manifest->root, "/options"), "none");
	put_verbs(&out, plugin);
	put_models(&out, manifest);
	put_list(&out, "requires", manifest->json, json_at(manifest->json, manifest->root, "/requires"), "nothing");
	child_stands_in(desk, buffer_bytes(&out));
	plugin_free(plugin);
}

int inspect_run(const char *path)
{
	_cleanup_(buffer_finish) struct buffer file = {0};
	struct child_desk *desk = child_desk_new();
	char why[256], text[DIGEST_TEXT_SIZE];
	struct digest digest;
	struct place place;
	int r;

	if (!desk || !place_of(path, &place) || !read_whole(path, CHECK_FILE, &file)) {
		child_desk_free(desk);
		return 2;
	}
	r = child_run(desk, 0, describe, &place, why);
	if (r || desk->outcome)
		tell("%s: %s", path, r < 0 ? strerror(-r) : r ? why : desk->text);
	if (r == 0 && desk->outcome == 0) {
		digest = digest_of(buffer_bytes(&file));
		digest_format(&digest, text);
		fwrite(desk->step, 1, desk->step_len, stdout);
		printf("%-10s %s\n", "sha256", text);
	}
	r = r || desk->outcome;
	child_desk_free(desk);
	return r ? 1 : 0;
}
