/*
 * The host's functions about URLs. What they return is text like any other: whether it may be called, and with what
 * credential, is decided when an exchange is built.
 */
#include "plugin/step_inside.h"

#include "base/limits.h"
#include "plugin/url.h"

static bool is_scalar(const struct fg_step *s, json_node node)
{
	enum json_kind kind = json_kind(s->json, node);

	return kind == JSON_KIND_TEXT || kind == JSON_KIND_NUMBER || kind == JSON_KIND_BOOLEAN;
}

static struct bytes scalar_text(const struct fg_step *s, json_node node)
{
	if (json_kind(s->json, node) == JSON_KIND_BOOLEAN)
		return bytes_of_text(json_boolean(s->json, node, false) ? "true" : "false");
	return json_text(s->json, node);
}

static void append_pair(struct fg_step *s, struct buffer *out, struct bytes name, json_node value, const char *what)
{
	int r = 0;

	if (!is_scalar(s, value)) {
		step_fault(s, "%s: '%.*s' is neither text nor number nor boolean", what, (int)(name.len & 0xff),
			   (const char *)name.data);
		return;
	}
	if (out->len && !strchr("?&", out->data[out->len - 1]))
		r = buffer_append(out, "&", 1);
	if (r == 0)
		r = plugin_url_escape(name, out);
	if (r == 0)
		r = buffer_append(out, "=", 1);
	if (r == 0)
		r = plugin_url_escape(scalar_text(s, value), out);
	if (step_failed(s, r))
		step_fault(s, "%s: it grows beyond its limit", what);
}

void host_append_pairs(struct fg_step *s, struct buffer *out, fg_node object, const char *what)
{
	if (object && json_kind(s->json, object) != JSON_KIND_OBJECT)
		step_fault(s, "%s: it must be an object", what);
	for (json_node n = json_first(s->json, object); n; n = json_next(s->json, n)) {
		struct bytes name = json_key(s->json, n);

		if (json_kind(s->json, n) != JSON_KIND_ARRAY) {
			append_pair(s, out, name, n, what);
			continue;
		}
		for (json_node m = json_first(s->json, n); m; m = json_next(s->json, m))
			append_pair(s, out, name, m, what);
	}
}

/* Appends @query behind a question mark or what is there already. */
static void append_query(struct fg_step *s, struct buffer *url, fg_node query, const char *what)
{
	if (!query || !step_owns(s, query) || json_count(s->json, query) == 0 || url->len == 0)
		return;
	if (!step_failed(s, buffer_append(url, memchr(url->data, '?', url->len) ? "&" : "?", 1)))
		host_append_pairs(s, url, query, what);
}

/* A dot segment would leave the path that the template names. */
static bool is_dots(struct bytes text)
{
	return bytes_equal(text, bytes_of(".", 1)) || bytes_equal(text, bytes_of("..", 2));
}

/* Appends what stands for the {name} between @name and its closing brace. */
static bool append_value(struct fg_step *s, struct buffer *url, const char *name, size_t len, fg_node values)
{
	char pointer[LIMIT_PLUGIN_URL_NAME + 2];
	json_node value;

	if (len == 0 || len > LIMIT_PLUGIN_URL_NAME) {
		step_fault(s, "path(): a {name} is empty or longer than %d bytes", LIMIT_PLUGIN_URL_NAME);
		return false;
	}
	snprintf(pointer, sizeof(pointer), "%s%.*s", *name == '/' ? "" : "/", (int)len, name);
	value = json_pointer_is_valid(pointer) ? json_at(s->json, values, pointer) : JSON_ABSENT;
	if (!is_scalar(s, value) || scalar_text(s, value).len == 0 || is_dots(scalar_text(s, value))) {
		step_fault(s, "path(): there is no value for {%.*s}", (int)len, name);
		return false;
	}
	return !step_failed(s, plugin_url_escape(scalar_text(s, value), url));
}

static bool append_template(struct fg_step *s, struct buffer *url, const char *template, fg_node values)
{
	while (*template) {
		const char *brace = strchr(template, '{');
		const char *close = brace ? strchr(brace, '}') : NULL;

		if (!brace)
			return !step_failed(s, buffer_append_text(url, template));
		if (!close) {
			step_fault(s, "path(): '%.100s' lacks a closing brace", template);
			return false;
		}
		if (step_failed(s, buffer_append(url, template, (size_t)(brace - template))) ||
		    !append_value(s, url, brace + 1, (size_t)(close - brace) - 1, values))
			return false;
		template = close + 1;
	}
	return true;
}

static fg_node url_node(struct fg_step *s, struct buffer *url, const char *what)
{
	if (url->len <= LIMIT_PLUGIN_URL)
		return json_make_text(s->json, buffer_bytes(url));
	step_fault(s, "%s: the URL is longer than %d bytes", what, LIMIT_PLUGIN_URL);
	return FG_ABSENT;
}

fg_node host_path(struct fg_step *s, const char *path, fg_node values, fg_node query)
{
	_cleanup_(buffer_finish) struct buffer url = {.limit = 2 * LIMIT_PLUGIN_URL};
	bool is_absolute = path && strncmp(path, "https://", 8) == 0;

	if (!path || (!is_absolute && *path != '/')) {
		step_fault(s, "path(): '%.100s' begins neither with / nor with https://", path ? path : "(NULL)");
		return FG_ABSENT;
	}
	if (!step_owns(s, values))
		return FG_ABSENT;
	if ((!is_absolute && step_failed(s, buffer_append_text(&url, s->input->account->base_url))) ||
	    !append_template(s, &url, path, values)) {
		step_fault(s, "path(): the URL is longer than %d bytes", LIMIT_PLUGIN_URL);
		return FG_ABSENT;
	}
	append_query(s, &url, query, "path(): the query");
	return url_node(s, &url, "path()");
}

fg_node host_link(struct fg_step *s, fg_node url, fg_node query)
{
	_cleanup_(buffer_finish) struct buffer absolute = {.limit = 4 * LIMIT_PLUGIN_URL};
	struct bytes text;

	if (!url || !step_owns(s, url))
		return FG_ABSENT;
	text = json_text(s->json, url);
	if (json_kind(s->json, url) != JSON_KIND_TEXT || text.len == 0)
		return FG_ABSENT;
	if (step_failed(s, plugin_url_resolve(bytes_of_text(s->input->account->base_url), text, &absolute)))
		/* What the provider gave is no URL of ours. Absent, so that the plugin can say so; no fault of its. */
		return FG_ABSENT;
	append_query(s, &absolute, query, "link(): the query");
	return url_node(s, &absolute, "link()");
}

fg_node host_query(struct fg_step *s, fg_node url, const char *name)
{
	if (!name || !url || !step_owns(s, url))
		return FG_ABSENT;
	s->scratch.len = 0;
	if (step_failed(s, plugin_url_query(json_text(s->json, url), bytes_of_text(name), &s->scratch)))
		return FG_ABSENT;
	return json_make_text(
		s->json, bytes_of_text(plugin_answer_words(s->answer, buffer_bytes(&s->scratch), LIMIT_PLUGIN_WORDS)));
}
