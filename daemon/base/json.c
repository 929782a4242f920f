/*
 * Reading JSON: yajl's events become a tree. Its number event hands over the text, which is why it is yajl: parsers
 * that hand over an int64_t or a double refuse or round the seeds that providers send.
 *
 * yajl keeps its own state on the heap, so depth costs no stack there; the limit is ours, for everybody who walks
 * the tree by recursion afterwards.
 */
#include "base/json_tree.h"

#include "base/err.h"
#include "base/limits.h"

#include <yajl/yajl_parse.h>

struct reader {
	struct json *json;
	enum json_duplicates duplicates;
	int outcome;
	json_node root;
	json_node *open; /* the containers around the next value */
	uint32_t depth;
	const char *key;
	uint32_t key_len;
};

static int stop(struct reader *reader, int outcome)
{
	if (reader->outcome == 0)
		reader->outcome = outcome;
	return 0;
}

/* Puts a new value where the reader stands. Returns 1, yajl's "go on", or 0. */
static int place(struct reader *reader, json_node node)
{
	if (!node)
		return stop(reader, reader->json->fault);
	if (reader->depth == 0)
		reader->root = node;
	else
		json_link(reader->json, reader->open[reader->depth - 1], node, reader->key, reader->key_len);
	reader->key = NULL;
	reader->key_len = 0;
	return 1;
}

static int on_null(void *userdata)
{
	struct reader *reader = userdata;

	return place(reader, json_null(reader->json));
}

static int on_boolean(void *userdata, int value)
{
	struct reader *reader = userdata;

	return place(reader, json_make_boolean(reader->json, value));
}

static int on_number(void *userdata, const char *text, size_t len)
{
	struct reader *reader = userdata;

	return place(reader, json_make_number(reader->json, bytes_of(text, len)));
}

static int on_text(void *userdata, const unsigned char *text, size_t len)
{
	struct reader *reader = userdata;

	return place(reader, json_make_text(reader->json, bytes_of(text, len)));
}

static int on_key(void *userdata, const unsigned char *text, size_t len)
{
	struct reader *reader = userdata;

	reader->key = json_keep(reader->json, bytes_of(text, len));
	reader->key_len = (uint32_t)len;
	return reader->key ? 1 : stop(reader, reader->json->fault);
}

static int open_list(struct reader *reader, json_node list)
{
	if (reader->depth == reader->json->limits.depth)
		return stop(reader, JSON_E_DEPTH);
	if (!place(reader, list))
		return 0;
	reader->open[reader->depth++] = list;
	return 1;
}

static int on_object(void *userdata)
{
	struct reader *reader = userdata;

	return open_list(reader, json_object(reader->json));
}

static int on_array(void *userdata)
{
	struct reader *reader = userdata;

	return open_list(reader, json_array(reader->json));
}

static int on_array_end(void *userdata)
{
	struct reader *reader = userdata;

	reader->depth--;
	return 1;
}

/* Equal names side by side, the later member first. */
static int compare_members(const void *a, const void *b, void *userdata)
{
	const struct json *json = userdata;
	json_node x = *(const json_node *)a, y = *(const json_node *)b;
	struct bytes p = json_key(json, x), q = json_key(json, y);
	int order = p.len != q.len ? (p.len < q.len ? -1 : 1) : memcmp(p.data, q.data, p.len);

	return order ? order : (x < y) - (x > y);
}

/* Unlinks the members that were marked absent. */
static void drop_marked(struct json *json, json_node object)
{
	struct json_value *parent = &json->values[object];
	json_node *link = &parent->list.first;

	parent->count = 0;
	while (*link) {
		struct json_value *value = &json->values[*link];

		if (value->kind == JSON_KIND_ABSENT) {
			*link = value->next;
			continue;
		}
		parent->list.last = *link;
		parent->count++;
		link = &value->next;
	}
}

static int settle_duplicates(struct reader *reader, json_node object)
{
	struct json *json = reader->json;
	uint32_t count = json_count(json, object), n = 0;
	_cleanup_(freep) json_node *members = reallocarray(NULL, count, sizeof(*members));
	bool found = false;

	if (!members)
		return stop(reader, err_origin(-ENOMEM));
	for (json_node m = json_first(json, object); m; m = json_next(json, m))
		members[n++] = m;
	qsort_r(members, count, sizeof(*members), compare_members, json);
	for (uint32_t i = 1; i < count; i++) {
		if (!bytes_equal(json_key(json, members[i - 1]), json_key(json, members[i])))
			continue;
		if (reader->duplicates == JSON_DUPLICATES_REFUSE)
			return stop(reader, JSON_E_DUPLICATE);
		json->values[members[i]].kind = JSON_KIND_ABSENT;
		found = true;
	}
	if (found)
		drop_marked(json, object);
	return 1;
}

static int on_object_end(void *userdata)
{
	struct reader *reader = userdata;
	json_node object = reader->open[--reader->depth];

	return json_count(reader->json, object) < 2 ? 1 : settle_duplicates(reader, object);
}

static const yajl_callbacks callbacks = {
	.yajl_null = on_null,
	.yajl_boolean = on_boolean,
	.yajl_number = on_number,
	.yajl_string = on_text,
	.yajl_start_map = on_object,
	.yajl_map_key = on_key,
	.yajl_end_map = on_object_end,
	.yajl_start_array = on_array,
	.yajl_end_array = on_array_end,
};

static void free_yajl(yajl_handle *handle)
{
	if (*handle)
		yajl_free(*handle);
}

static void explain(int outcome, struct bytes text, size_t at, struct errmsg *error)
{
	size_t line = 1;

	for (size_t i = 0; i < at && i < text.len; i++)
		line += ((const char *)text.data)[i] == '\n';
	errmsg_set(error, "%s, near line %zu, byte %zu", json_outcome_text(outcome), line, at);
}

static int run(struct reader *reader, struct bytes text, struct errmsg *error)
{
	_cleanup_(free_yajl) yajl_handle handle = yajl_alloc(&callbacks, NULL, reader);
	yajl_status status;
	size_t at;

	if (!handle)
		return err_origin(-ENOMEM);
	status = yajl_parse(handle, text.data, text.len);
	at = yajl_get_bytes_consumed(handle);
	/* A text that is begun behind the document and has no end is nothing to yajl; the line's end cannot stand in it. */
	if (status == yajl_status_ok)
		status = yajl_parse(handle, (const unsigned char *)"\n", 1);
	if (status == yajl_status_ok)
		status = yajl_complete_parse(handle);
	if (status == yajl_status_ok && reader->root)
		return 0;
	if (reader->outcome == 0)
		reader->outcome = JSON_E_SYNTAX;
	explain(reader->outcome, text, at, error);
	return reader->outcome;
}

int json_parse(struct json *json, struct bytes text, enum json_duplicates duplicates, json_node *ret,
	       struct errmsg *error)
{
	struct reader reader = {.json = json, .duplicates = duplicates};
	_cleanup_(freep) json_node *open = reallocarray(NULL, json->limits.depth, sizeof(*open));
	int fault = json->fault;
	int r;

	if (!open)
		return err_origin(-ENOMEM);
	if (!bytes_are_text(text)) {
		errmsg_set(error, "%s", json_outcome_text(JSON_E_TEXT));
		return JSON_E_TEXT;
	}
	reader.open = open;
	json->fault = 0;
	r = run(&reader, text, error);
	/* What does not fit is the outcome of this call, not a fault of what is built later. */
	json->fault = fault;
	if (r)
		return r;
	*ret = reader.root;
	return 0;
}

const char *json_outcome_text(int outcome)
{
	static const char *const texts[] = {
		[_JSON_E_OK] = "no error",
		[JSON_E_SYNTAX] = "not well-formed JSON",
		[JSON_E_TEXT] = "not well-formed UTF-8",
		[JSON_E_DUPLICATE] = "a member name appears twice",
		[JSON_E_DEPTH] = "nested too deeply",
		[JSON_E_NODES] = "too many values",
		[JSON_E_SIZE] = "too many bytes of text",
		[JSON_E_POINTER] = "a JSON Pointer that is malformed or leads through something that is no container",
	};

	if (outcome < 0)
		return "out of memory";
	return (size_t)outcome < sizeof(texts) / sizeof(texts[0]) ? texts[outcome] : "unknown outcome";
}
