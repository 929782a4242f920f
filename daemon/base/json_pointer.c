/*
 * JSON Pointer (RFC 6901): finding and putting values by path.
 */
#include "base/json_tree.h"

#include "base/err.h"
#include "base/limits.h"

/* One token of a pointer, unescaped. */
struct token {
	char text[LIMIT_JSON_POINTER_TOKEN];
	size_t len;
};

/* Reads the token behind the slash at *@p and moves *@p behind it. False when it is malformed or too long. */
static bool next_token(const char **p, struct token *token)
{
	const char *c = *p;

	if (*c++ != '/')
		return false;
	token->len = 0;
	for (; *c && *c != '/'; c++) {
		char out = *c;

		if (*c == '~') {
			c++;
			if (*c != '0' && *c != '1')
				return false;
			out = *c == '0' ? '~' : '/';
		}
		if (token->len == sizeof(token->text))
			return false;
		token->text[token->len++] = out;
	}
	*p = c;
	return true;
}

static struct bytes token_bytes(const struct token *token)
{
	return bytes_of(token->text, token->len);
}

/* An index without leading zeros, as RFC 6901 wants it. */
static bool token_index(const struct token *token, uint64_t *ret)
{
	uint64_t value = 0;

	if (token->len == 0 || token->len > 10 || (token->len > 1 && token->text[0] == '0'))
		return false;
	for (size_t i = 0; i < token->len; i++) {
		if (token->text[i] < '0' || token->text[i] > '9')
			return false;
		value = value * 10 + (uint64_t)(token->text[i] - '0');
	}
	*ret = value;
	return true;
}

bool json_pointer_is_valid(const char *pointer)
{
	struct token token;

	while (*pointer)
		if (!next_token(&pointer, &token))
			return false;
	return true;
}

static json_node child_at(const struct json *json, json_node node, const struct token *token)
{
	uint64_t n;

	if (json_kind(json, node) == JSON_KIND_OBJECT)
		return json_member(json, node, token_bytes(token));
	if (json_kind(json, node) == JSON_KIND_ARRAY && token_index(token, &n))
		return json_item(json, node, n);
	return JSON_ABSENT;
}

json_node json_at(const struct json *json, json_node node, const char *pointer)
{
	struct token token;

	while (*pointer && node) {
		if (!next_token(&pointer, &token))
			return JSON_ABSENT;
		node = child_at(json, node, &token);
	}
	return node;
}

/* Attaches @node under the last token of a pointer. */
static int put_child(struct json *json, json_node parent, const struct token *token, json_node node)
{
	json_node old = child_at(json, parent, token);

	if (json_kind(json, parent) == JSON_KIND_ARRAY) {
		if (token->len == 1 && token->text[0] == '-')
			return json_append(json, parent, node);
		if (!old)
			return JSON_E_POINTER;
		json_replace(json, old, node);
		return json->fault;
	}
	return json_set(json, parent, token_bytes(token), node);
}

int json_put(struct json *json, json_node out, const char *pointer, json_node node)
{
	struct token token;

	if (!out || !node)
		return json->fault;
	if (!json_pointer_is_valid(pointer) || *pointer == '\0')
		return JSON_E_POINTER;

	for (;;) {
		json_node child;
		int r;

		next_token(&pointer, &token);
		if (*pointer == '\0')
			return put_child(json, out, &token, node);
		child = child_at(json, out, &token);
		if (!child) {
			child = json_object(json);
			r = child ? put_child(json, out, &token, child) : json->fault;
			if (r)
				return r;
		}
		out = child;
	}
}
