#include "base/json_tree.h"

#include "base/err.h"
#include "base/limits.h"

#include <assert.h>

#define CHUNK_SIZE ((size_t)16384)

struct json *json_new(const struct json_limits *limits)
{
	_cleanup_(json_freep) struct json *json = calloc(1, sizeof(*json));

	if (!json)
		return NULL;
	if (limits)
		json->limits = *limits;
	if (json->limits.depth == 0)
		json->limits.depth = LIMIT_JSON_DEPTH;
	if (json->limits.nodes == 0)
		json->limits.nodes = LIMIT_JSON_NODES;
	if (json->limits.bytes == 0)
		json->limits.bytes = LIMIT_JSON_BYTES;

	json->capacity = 32;
	json->values = calloc(json->capacity, sizeof(*json->values));
	if (!json->values)
		return NULL;
	json->count = 1;
	return steal(json);
}

struct json *json_free(struct json *json)
{
	if (!json)
		return NULL;
	while (json->chunks) {
		struct json_chunk *next = json->chunks->next;

		free(json->chunks);
		json->chunks = next;
	}
	free(json->values);
	free(json);
	return NULL;
}

void json_freep(struct json **json)
{
	json_free(*json);
}

static int fail(struct json *json, int fault)
{
	if (json->fault == 0)
		json->fault = fault;
	return json->fault;
}

int json_fault(const struct json *json)
{
	return json->fault;
}

const struct json_value *json_value_of(const struct json *json, json_node node)
{
	return &json->values[node < json->count ? node : JSON_ABSENT];
}

static json_node value_new(struct json *json, enum json_kind kind)
{
	if (json->count > json->limits.nodes) {
		fail(json, JSON_E_NODES);
		return JSON_ABSENT;
	}
	if (json->count == json->capacity) {
		struct json_value *grown = reallocarray(json->values, (size_t)json->capacity * 2, sizeof(*grown));

		if (!grown) {
			fail(json, err_origin(-ENOMEM));
			return JSON_ABSENT;
		}
		json->values = grown;
		json->capacity *= 2;
	}
	json->values[json->count] = (struct json_value){.kind = (uint8_t)kind};
	return json->count++;
}

static struct json_chunk *chunk_for(struct json *json, size_t size)
{
	size_t room = size > CHUNK_SIZE / 4 ? size : CHUNK_SIZE;
	struct json_chunk *chunk;

	if (json->chunks && json->chunks->size - json->chunks->used >= size)
		return json->chunks;
	chunk = malloc(sizeof(*chunk) + room);
	if (!chunk)
		return NULL;
	chunk->used = 0;
	chunk->size = room;
	/* A chunk of its own for a long text goes behind the first, which may still have room for short ones. */
	if (json->chunks && room != CHUNK_SIZE) {
		chunk->next = json->chunks->next;
		json->chunks->next = chunk;
	} else {
		chunk->next = json->chunks;
		json->chunks = chunk;
	}
	return chunk;
}

const char *json_keep(struct json *json, struct bytes text)
{
	struct json_chunk *chunk;
	char *kept;

	if (text.len > json->limits.bytes || json->bytes > json->limits.bytes - text.len) {
		fail(json, JSON_E_SIZE);
		return NULL;
	}
	chunk = chunk_for(json, text.len + 1);
	if (!chunk) {
		fail(json, err_origin(-ENOMEM));
		return NULL;
	}
	kept = chunk->data + chunk->used;
	chunk->used += text.len + 1;
	json->bytes += text.len;
	if (text.len)
		memcpy(kept, text.data, text.len);
	kept[text.len] = '\0';
	return kept;
}

void json_link(struct json *json, json_node list, json_node child, const char *key, uint32_t key_len)
{
	struct json_value *parent = &json->values[list];

	json->values[child].key = key;
	json->values[child].key_len = key_len;
	if (parent->count == 0)
		parent->list.first = child;
	else
		json->values[parent->list.last].next = child;
	parent->list.last = child;
	parent->count++;
}

enum json_kind json_kind(const struct json *json, json_node node)
{
	return json_value_of(json, node)->kind;
}

static bool is_list(const struct json_value *value)
{
	return value->kind == JSON_KIND_ARRAY || value->kind == JSON_KIND_OBJECT;
}

uint32_t json_count(const struct json *json, json_node node)
{
	return json_value_of(json, node)->count;
}

json_node json_first(const struct json *json, json_node list)
{
	const struct json_value *value = json_value_of(json, list);

	return is_list(value) ? value->list.first : JSON_ABSENT;
}

json_node json_next(const struct json *json, json_node child)
{
	return json_value_of(json, child)->next;
}

struct bytes json_key(const struct json *json, json_node child)
{
	const struct json_value *value = json_value_of(json, child);

	return bytes_of(value->key ? value->key : "", value->key_len);
}

json_node json_item(const struct json *json, json_node list, uint64_t n)
{
	json_node node = json_first(json, list);

	if (n >= json_count(json, list))
		return JSON_ABSENT;
	while (n--)
		node = json_next(json, node);
	return node;
}

json_node json_member(const struct json *json, json_node object, struct bytes name)
{
	json_node node = json_kind(json, object) == JSON_KIND_OBJECT ? json_first(json, object) : JSON_ABSENT;

	while (node && !bytes_equal(json_key(json, node), name))
		node = json_next(json, node);
	return node;
}

struct bytes json_text(const struct json *json, json_node node)
{
	const struct json_value *value = json_value_of(json, node);

	if (value->kind != JSON_KIND_TEXT && value->kind != JSON_KIND_NUMBER)
		return bytes_of("", 0);
	return bytes_of(value->text.data, value->text.len);
}

const char *json_string(const struct json *json, json_node node)
{
	return json_text(json, node).data;
}

const char *json_name(const struct json *json, json_node child)
{
	return json_key(json, child).data;
}

bool json_text_is(const struct json *json, json_node node, const char *expected)
{
	enum json_kind kind = json_kind(json, node);

	return (kind == JSON_KIND_TEXT || kind == JSON_KIND_NUMBER) &&
	       bytes_equal(json_text(json, node), bytes_of_text(expected));
}

bool json_boolean(const struct json *json, json_node node, bool fallback)
{
	const struct json_value *value = json_value_of(json, node);

	return value->kind == JSON_KIND_BOOLEAN ? value->boolean : fallback;
}

int64_t json_decimal(const struct json *json, json_node node, unsigned int scale, int64_t fallback)
{
	int64_t value = fallback;

	return decimal_parse(json_text(json, node), scale, &value) == 0 ? value : fallback;
}

int64_t json_integer(const struct json *json, json_node node, int64_t fallback)
{
	return json_decimal(json, node, 0, fallback);
}

static bool equal_to_depth(const struct json *a, json_node x, const struct json *b, json_node y, uint32_t depth)
{
	const struct json_value *v = json_value_of(a, x), *w = json_value_of(b, y);
	json_node in_order = json_first(b, y);

	if (v->kind != w->kind || v->count != w->count || depth == 0)
		return false;
	if (v->kind == JSON_KIND_BOOLEAN)
		return v->boolean == w->boolean;
	if (!is_list(v))
		return bytes_equal(json_text(a, x), json_text(b, y));

	for (json_node n = json_first(a, x); n; n = json_next(a, n)) {
		json_node other = v->kind == JSON_KIND_ARRAY ? in_order : json_member(b, y, json_key(a, n));

		if (!equal_to_depth(a, n, b, other, depth - 1))
			return false;
		in_order = json_next(b, in_order);
	}
	return true;
}

bool json_equal(const struct json *a, json_node x, const struct json *b, json_node y)
{
	return equal_to_depth(a, x, b, y, a->limits.depth + 1);
}

json_node json_null(struct json *json)
{
	return value_new(json, JSON_KIND_NULL);
}

json_node json_object(struct json *json)
{
	return value_new(json, JSON_KIND_OBJECT);
}

json_node json_array(struct json *json)
{
	return value_new(json, JSON_KIND_ARRAY);
}

json_node json_make_boolean(struct json *json, bool value)
{
	json_node node = value_new(json, JSON_KIND_BOOLEAN);

	if (node)
		json->values[node].boolean = value;
	return node;
}

static json_node make_scalar(struct json *json, enum json_kind kind, struct bytes text)
{
	const char *kept = json_keep(json, text);
	json_node node = kept ? value_new(json, kind) : JSON_ABSENT;

	if (node) {
		json->values[node].text.data = kept;
		json->values[node].text.len = text.len;
	}
	return node;
}

static bool is_utf8_with_nul(struct bytes text)
{
	const char *p = text.data;
	size_t left = text.len;

	while (left) {
		size_t run = strnlen(p, left);

		if (!bytes_are_text(bytes_of(p, run)))
			return false;
		run += run < left;
		p += run;
		left -= run;
	}
	return true;
}

json_node json_make_text(struct json *json, struct bytes text)
{
	if (!is_utf8_with_nul(text)) {
		fail(json, JSON_E_TEXT);
		return JSON_ABSENT;
	}
	return make_scalar(json, JSON_KIND_TEXT, text);
}

json_node json_make_number(struct json *json, struct bytes text)
{
	if (!decimal_is_number(text)) {
		fail(json, JSON_E_SYNTAX);
		return JSON_ABSENT;
	}
	return make_scalar(json, JSON_KIND_NUMBER, text);
}

json_node json_make_integer(struct json *json, int64_t value)
{
	char text[DECIMAL_TEXT_SIZE];

	decimal_format(value, 0, text);
	return make_scalar(json, JSON_KIND_NUMBER, bytes_of_text(text));
}

static json_node copy_to_depth(struct json *json, const struct json *from, json_node node, uint32_t depth)
{
	struct json_value value = *json_value_of(from, node);
	json_node copy;

	if (depth == 0) {
		fail(json, JSON_E_DEPTH);
		return JSON_ABSENT;
	}
	if (value.kind == JSON_KIND_TEXT || value.kind == JSON_KIND_NUMBER)
		return make_scalar(json, value.kind, bytes_of(value.text.data, value.text.len));
	if (value.kind == JSON_KIND_BOOLEAN)
		return json_make_boolean(json, value.boolean);

	copy = value.kind == JSON_KIND_ABSENT ? JSON_ABSENT : value_new(json, value.kind);
	if (!copy || !is_list(&value))
		return copy;
	for (json_node n = value.list.first; n; n = json_next(from, n)) {
		json_node child = copy_to_depth(json, from, n, depth - 1);
		struct bytes name = json_key(from, n);
		const char *key = child && value.kind == JSON_KIND_OBJECT ? json_keep(json, name) : NULL;

		if (json->fault)
			return JSON_ABSENT;
		json_link(json, copy, child, key, (uint32_t)name.len);
	}
	return copy;
}

json_node json_copy(struct json *json, const struct json *from, json_node node)
{
	return copy_to_depth(json, from, node, json->limits.depth + 1);
}

void json_replace(struct json *json, json_node old, json_node node)
{
	struct json_value value = json->values[node];

	value.next = json->values[old].next;
	value.key = json->values[old].key;
	value.key_len = json->values[old].key_len;
	json->values[old] = value;
}

int json_set(struct json *json, json_node object, struct bytes name, json_node node)
{
	json_node old = json_member(json, object, name);
	const char *key;

	if (!object || !node)
		return json->fault;
	if (json_kind(json, object) != JSON_KIND_OBJECT)
		return JSON_E_POINTER;
	if (old) {
		json_replace(json, old, node);
		return json->fault;
	}
	if (!is_utf8_with_nul(name))
		return fail(json, JSON_E_TEXT);
	key = json_keep(json, name);
	if (key)
		json_link(json, object, node, key, (uint32_t)name.len);
	return json->fault;
}

bool json_remove(struct json *json, json_node object, struct bytes name)
{
	json_node child = json_kind(json, object) == JSON_KIND_OBJECT ? json_member(json, object, name) : JSON_ABSENT;
	struct json_value *parent;
	json_node before = JSON_ABSENT;

	if (!child)
		return false;
	parent = &json->values[object];
	if (parent->list.first == child) {
		parent->list.first = json->values[child].next;
	} else {
		for (before = parent->list.first; json->values[before].next != child;)
			before = json->values[before].next;
		json->values[before].next = json->values[child].next;
	}
	if (parent->list.last == child)
		parent->list.last = before;
	parent->count--;
	return true;
}

int json_append(struct json *json, json_node array, json_node node)
{
	if (!array || !node)
		return json->fault;
	if (json_kind(json, array) != JSON_KIND_ARRAY)
		return JSON_E_POINTER;
	json_link(json, array, node, NULL, 0);
	return json->fault;
}
