/*
 * What is wrong, and where; and memory.
 */
#include "protojson/reader.h"

#include "base/err.h"
#include "base/limits.h"
#include "base/quote.h"

#include <stdarg.h>

static void write_path(const struct place *at, struct buffer *out)
{
	if (!at || !at->up)
		return;
	write_path(at->up, out);
	if (at->name)
		buffer_printf(out, "%s%s", out->len ? "." : "", at->name);
	else if (at->key.data)
		buffer_printf(out, "[\"%s\"]", quote_bytes(at->key, LIMIT_QUOTE).text);
	else
		buffer_printf(out, "[%u]", at->index);
}

/* As much as there is room for, and no half of a character. */
static void copy_text(struct bytes text, char *out, size_t size)
{
	size_t len = text.len < size ? text.len : size - 1;

	while (len && !bytes_are_text(bytes_of(text.data, len)))
		len--;
	if (len)
		memcpy(out, text.data, len);
	out[len] = '\0';
}

int reader_refuse(const struct reader *reader, const struct place *at, int outcome, const char *format, ...)
{
	struct protojson_problem *problem = reader->problem;
	_cleanup_(buffer_finish) struct buffer path = {0};
	char text[sizeof(problem->text)];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	copy_text(bytes_of_text(text), problem->text, sizeof(problem->text));
	write_path(at, &path);
	copy_text(buffer_bytes(&path), problem->field, sizeof(problem->field));
	return outcome;
}

struct quoted reader_quote(const struct reader *reader, json_node node)
{
	if (json_kind(reader->json, node) == JSON_KIND_BOOLEAN)
		return quote(json_boolean(reader->json, node, false) ? "true" : "false");
	return quote_bytes(json_text(reader->json, node), LIMIT_QUOTE);
}

const char *reader_kind(const struct reader *reader, json_node node)
{
	static const char *const names[] = {
		[JSON_KIND_ABSENT] = "nothing",   [JSON_KIND_NULL] = "null",   [JSON_KIND_BOOLEAN] = "true or false",
		[JSON_KIND_NUMBER] = "a number",  [JSON_KIND_TEXT] = "a text", [JSON_KIND_ARRAY] = "a list",
		[JSON_KIND_OBJECT] = "an object",
	};

	return names[json_kind(reader->json, node)];
}

int reader_take(const struct reader *reader, const struct place *at, size_t len, void **ret)
{
	void *taken = len ? reader->allocator->alloc(reader->allocator->allocator_data, len) : NULL;

	if (len && !taken)
		return reader_refuse(reader, at, PROTOJSON_E_MALFORMED, "the message needs too much memory");
	if (len)
		memset(taken, 0, len);
	*ret = taken;
	return 0;
}

int reader_enter(struct reader *reader, const struct place *at)
{
	if (reader->depth == LIMIT_RPC_DEPTH)
		return reader_refuse(reader, at, PROTOJSON_E_MALFORMED, "the message is nested deeper than %d levels",
				     LIMIT_RPC_DEPTH);
	reader->depth++;
	return 0;
}
