/*
 * Request bodies, built whole in memory but for the content of assets, of which they have marks (media.c). A body
 * depends on nothing but its node, so that a resend says the same bytes as the first send: even the multipart boundary
 * is made from the parts.
 */
#include "plugin/step_inside.h"

#include "base/err.h"
#include "base/limits.h"

static struct bytes keep(struct fg_step *s, const struct buffer *out, int outcome)
{
	const char *copy;

	if (step_failed(s, outcome)) {
		step_fault(s, "exchange(): the body is larger than %d bytes, or nested too deeply", LIMIT_PLUGIN_BODY);
		return bytes_of(NULL, 0);
	}
	copy = plugin_answer_text(s->answer, buffer_bytes(out));
	/* Without memory the copy is shorter than what it is of. */
	return plugin_answer_is_out_of_memory(s->answer) ? bytes_of(NULL, 0) : bytes_of(copy, out->len);
}

static struct bytes build_json(struct fg_step *s, json_node node)
{
	_cleanup_(buffer_finish) struct buffer out = {.limit = LIMIT_PLUGIN_BODY};
	int r = json_write(s->json, node, JSON_FORM_PLAIN, &out);

	return keep(s, &out, r);
}

static struct bytes build_form(struct fg_step *s, json_node node)
{
	_cleanup_(buffer_finish) struct buffer out = {.limit = LIMIT_PLUGIN_BODY};

	host_append_pairs(s, &out, node, "exchange(): the form");
	if (plugin_media_is_in(s, buffer_bytes(&out)))
		step_fault(s, "exchange(): a form carries no inputs; a multipart body does");
	return keep(s, &out, 0);
}

static struct bytes build_text(struct fg_step *s, json_node node)
{
	_cleanup_(buffer_finish) struct buffer out = {.limit = LIMIT_PLUGIN_BODY};
	struct bytes text = json_text(s->json, node);
	int r = buffer_append(&out, text.data, text.len);

	if (json_kind(s->json, node) != JSON_KIND_TEXT)
		step_fault(s, "exchange(): a text body must be a text");
	return keep(s, &out, r);
}

/* A quoted parameter of Content-Disposition, escaped as browsers do (WHATWG, multipart/form-data). */
static int append_quoted(struct buffer *out, const char *name, struct bytes value)
{
	const char *p = value.data;
	int r = buffer_printf(out, "; %s=\"", name);

	for (size_t i = 0; r == 0 && i < value.len; i++) {
		unsigned char c = (unsigned char)p[i];

		r = c == '"' || c < 0x20 ? buffer_printf(out, "%%%02X", c) : buffer_append(out, &p[i], 1);
	}
	return r ? r : buffer_append(out, "\"", 1);
}

/* What a file of @type may be called where the plugin does not say: servers tell files from fields by their having a
 * name, and types by its end. */
static void default_filename(const char *type, char name[static 64])
{
	const char *end = strchr(type, '/');
	size_t len = end ? strspn(end + 1, "abcdefghijklmnopqrstuvwxyz0123456789") : 0;

	if (strcmp(type, "audio/mpeg") == 0)
		snprintf(name, 64, "input.mp3");
	else if (strcmp(type, "image/jpeg") == 0)
		snprintf(name, 64, "input.jpg");
	else if (strcmp(type, "video/quicktime") == 0)
		snprintf(name, 64, "input.mov");
	else
		snprintf(name, 64, "input.%.*s", len && len < 32 ? (int)len : 3, len && len < 32 ? end + 1 : "bin");
}

/* @type: what stands for a part that names none; "" for none at all. */
static int append_part_head(struct fg_step *s, struct buffer *out, json_node part, const struct plugin_asset *asset,
			    const char *default_type)
{
	struct bytes name = json_text(s->json, json_at(s->json, part, "/name"));
	struct bytes filename = json_text(s->json, json_at(s->json, part, "/filename"));
	const char *type = json_string(s->json, json_at(s->json, part, "/media_type"));
	char own_name[64];
	int r;

	if (name.len == 0 || strpbrk(type, "\r\n")) {
		step_fault(s, "exchange(): a part has no name, or a media_type with a line break");
		return 0;
	}
	type = *type ? type : default_type;
	if (asset && filename.len == 0) {
		default_filename(type, own_name);
		filename = bytes_of_text(own_name);
	}
	r = buffer_append_text(out, "Content-Disposition: form-data");
	if (r == 0)
		r = append_quoted(out, "name", name);
	if (r == 0 && filename.len)
		r = append_quoted(out, "filename", filename);
	if (r == 0)
		r = buffer_append_text(out, "\r\n");
	if (r == 0 && *type)
		r = buffer_printf(out, "Content-Type: %s\r\n", type);
	return r ? r : buffer_append_text(out, "\r\n");
}

static int append_media_part(struct fg_step *s, struct buffer *out, json_node part, json_node media)
{
	const struct plugin_asset *asset = plugin_media_asset(s, media);
	int r = append_part_head(s, out, part, asset, asset ? asset->media_type : "");

	return r ? r : plugin_media_append_raw(s, out, media);
}

static int append_part(struct fg_step *s, struct buffer *out, json_node part)
{
	json_node value = json_at(s->json, part, "/value"), media = json_at(s->json, part, "/media");
	enum json_kind kind = json_kind(s->json, value);
	bool is_json = kind == JSON_KIND_OBJECT || kind == JSON_KIND_ARRAY;
	struct bytes text = json_text(s->json, value);
	int r;

	if (!value == !media) {
		step_fault(s, "exchange(): a part has %s", value ? "a value and a medium" : "no value and no medium");
		return 0;
	}
	if (media)
		return append_media_part(s, out, part, media);
	r = append_part_head(s, out, part, NULL, is_json ? "application/json" : "");
	if (r)
		return r;
	if (is_json || kind == JSON_KIND_BOOLEAN || kind == JSON_KIND_NULL)
		return json_write(s->json, value, JSON_FORM_PLAIN, out);
	return buffer_append(out, text.data, text.len);
}

/* The boundary is made of the parts, and the same whenever they are. */
static void make_boundary(struct fg_step *s, const struct buffer *parts, char hex[static DIGEST_TEXT_SIZE])
{
	_cleanup_(digester_freep) struct digester *digester = digester_new();
	struct digest digest;

	hex[0] = '\0';
	if (!digester) {
		plugin_answer_set_out_of_memory(s->answer);
		return;
	}
	plugin_media_digest(s, digester, buffer_bytes(parts));
	digest = digester_end(digester);
	digest_format(&digest, hex);
	hex[40] = '\0';
}

/* All parts one behind the other, each ended by a zero byte: what the boundary is made of and where it goes. */
static int assemble(const struct buffer *parts, const size_t *ends, size_t n, const char *boundary, struct buffer *out)
{
	size_t start = 0;
	int r = 0;

	for (size_t i = 0; r == 0 && i < n; i++) {
		r = buffer_printf(out, "--%s\r\n", boundary);
		if (r == 0)
			r = buffer_append(out, parts->data + start, ends[i] - start);
		if (r == 0)
			r = buffer_append_text(out, "\r\n");
		start = ends[i];
	}
	return r ? r : buffer_printf(out, "--%s--\r\n", boundary);
}

static struct bytes build_multipart(struct fg_step *s, json_node list, const char **ret_type)
{
	_cleanup_(buffer_finish) struct buffer parts = {.limit = LIMIT_PLUGIN_BODY}, out = {.limit = LIMIT_PLUGIN_BODY};
	uint32_t count = json_count(s->json, list), n = 0;
	size_t *ends = plugin_answer_alloc(s->answer, count, sizeof(*ends));
	char hex[DIGEST_TEXT_SIZE], type[128];
	int r = 0;

	if (json_kind(s->json, list) != JSON_KIND_ARRAY || count == 0) {
		step_fault(s, "exchange(): a multipart body must be an array of parts");
		return bytes_of(NULL, 0);
	}
	for (json_node p = json_first(s->json, list); ends && r == 0 && p; p = json_next(s->json, p)) {
		r = append_part(s, &parts, p);
		ends[n++] = parts.len;
	}
	make_boundary(s, &parts, hex);
	if (r == 0 && ends)
		r = assemble(&parts, ends, n, hex, &out);
	snprintf(type, sizeof(type), "multipart/form-data; boundary=%s", hex);
	*ret_type = plugin_answer_text(s->answer, bytes_of_text(type));
	return keep(s, &out, r);
}

static struct bytes build_media(struct fg_step *s, json_node media, const char **ret_type)
{
	_cleanup_(buffer_finish) struct buffer out = {.limit = LIMIT_PLUGIN_BODY};
	const struct plugin_asset *asset = plugin_media_asset(s, media);
	int r = plugin_media_append_raw(s, &out, media);

	if (asset)
		*ret_type = plugin_answer_text(s->answer, bytes_of_text(asset->media_type));
	return keep(s, &out, r);
}

struct bytes plugin_body_build(struct fg_step *s, uint32_t kind, json_node node, const char **ret_type)
{
	*ret_type = NULL;
	if ((kind == FG_BODY_NONE) != (node == JSON_ABSENT)) {
		step_fault(s, "exchange(): body and body_kind do not agree: kind %u, %s", kind,
			   node ? "but a body" : "but no body");
		return bytes_of(NULL, 0);
	}
	switch (kind) {
	case FG_BODY_NONE:
		return bytes_of(NULL, 0);
	case FG_BODY_JSON:
		*ret_type = "application/json";
		return build_json(s, node);
	case FG_BODY_FORM:
		*ret_type = "application/x-www-form-urlencoded";
		return build_form(s, node);
	case FG_BODY_MULTIPART:
		return build_multipart(s, node, ret_type);
	case FG_BODY_TEXT:
		return build_text(s, node);
	case FG_BODY_MEDIA:
		return build_media(s, node, ret_type);
	default:
		step_fault(s, "exchange(): there is no body kind %u", kind);
		return bytes_of(NULL, 0);
	}
}
