#include "base/json_text.h"
#include "base/json_tree.h"

#include "base/err.h"

struct writer {
	const struct json *json;
	enum json_form form;
	struct buffer *out;
};

static int write_value(const struct writer *writer, json_node node, uint32_t depth);

/* Runs of plain characters are copied whole. */
int json_append_text(struct buffer *out, struct bytes text)
{
	const char *p = text.data;
	const char *end = p + text.len;
	int r = buffer_append(out, "\"", 1);

	while (r == 0 && p < end) {
		const char *run = p;

		while (p < end && (unsigned char)*p >= 0x20 && *p != '"' && *p != '\\')
			p++;
		r = buffer_append(out, run, (size_t)(p - run));
		if (r == 0 && p < end && (*p == '"' || *p == '\\'))
			r = buffer_printf(out, "\\%c", *p);
		else if (r == 0 && p < end)
			r = *p == '\n' ? buffer_append(out, "\\n", 2)
				       : buffer_printf(out, "\\u%04x", (unsigned int)(unsigned char)*p);
		p += p < end;
	}
	return r ? r : buffer_append(out, "\"", 1);
}

static int compare_names(const void *a, const void *b, void *userdata)
{
	struct bytes p = json_key(userdata, *(const json_node *)a);
	struct bytes q = json_key(userdata, *(const json_node *)b);
	int order = memcmp(p.data, q.data, p.len < q.len ? p.len : q.len);

	return order ? order : (p.len > q.len) - (p.len < q.len);
}

static int write_member(const struct writer *writer, json_node member, bool is_first, uint32_t depth)
{
	int r = is_first ? 0 : buffer_append(writer->out, ",", 1);

	if (r == 0 && json_value_of(writer->json, member)->key) {
		r = json_append_text(writer->out, json_key(writer->json, member));
		if (r == 0)
			r = buffer_append(writer->out, ":", 1);
	}
	return r ? r : write_value(writer, member, depth);
}

static int write_sorted(const struct writer *writer, json_node object, uint32_t depth)
{
	uint32_t count = json_count(writer->json, object), n = 0;
	_cleanup_(freep) json_node *members = reallocarray(NULL, count ? count : 1, sizeof(*members));
	int r = 0;

	if (!members)
		return err_origin(-ENOMEM);
	for (json_node m = json_first(writer->json, object); m; m = json_next(writer->json, m))
		members[n++] = m;
	qsort_r(members, n, sizeof(*members), compare_names, (void *)writer->json);
	for (uint32_t i = 0; r == 0 && i < n; i++)
		r = write_member(writer, members[i], i == 0, depth);
	return r;
}

static int write_list(const struct writer *writer, json_node list, bool is_object, uint32_t depth)
{
	int r = buffer_append(writer->out, is_object ? "{" : "[", 1);

	if (r)
		return r;
	if (is_object && writer->form == JSON_FORM_CANONICAL)
		r = write_sorted(writer, list, depth);
	else
		for (json_node n = json_first(writer->json, list); r == 0 && n; n = json_next(writer->json, n))
			r = write_member(writer, n, n == json_first(writer->json, list), depth);
	return r ? r : buffer_append(writer->out, is_object ? "}" : "]", 1);
}

static int write_value(const struct writer *writer, json_node node, uint32_t depth)
{
	struct bytes text = json_text(writer->json, node);

	if (depth == 0)
		return JSON_E_DEPTH;
	switch (json_kind(writer->json, node)) {
	case JSON_KIND_TEXT:
		return json_append_text(writer->out, text);
	case JSON_KIND_NUMBER:
		return buffer_append(writer->out, text.data, text.len);
	case JSON_KIND_BOOLEAN:
		return buffer_append_text(writer->out, json_boolean(writer->json, node, false) ? "true" : "false");
	case JSON_KIND_ARRAY:
	case JSON_KIND_OBJECT:
		return write_list(writer, node, json_kind(writer->json, node) == JSON_KIND_OBJECT, depth - 1);
	case JSON_KIND_NULL:
	case JSON_KIND_ABSENT:
		return buffer_append_text(writer->out, "null");
	}
	return err_origin(-EINVAL);
}

int json_write(const struct json *json, json_node node, enum json_form form, struct buffer *out)
{
	return write_value(&(struct writer){.json = json, .form = form, .out = out}, node, json->limits.depth + 1);
}
