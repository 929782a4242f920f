#include "api/violations.h"

#include "base/limits.h"

#include <stdarg.h>

static void add(struct violations *violations, const char *field, const char *format, va_list args)
{
	char text[LIMIT_RPC_STATUS_TEXT];

	if (violations->n == LIMIT_JOB_VIOLATIONS)
		return;
	vsnprintf(text, sizeof(text), format, args);
	violations->items[violations->n++] = (struct engine_violation){.field = field,
								       .text = arena_dup_text(violations->arena, text)};
}

void violations_add(struct violations *violations, const char *field, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	add(violations, field, format, args);
	va_end(args);
}

char *path_print(struct arena *arena, const struct path *path)
{
	const char *above = path->up ? path_print(arena, path->up) : "";

	if (path->index >= 0)
		return arena_printf(arena, "%s[%lld]", above, (long long)path->index);
	return arena_printf(arena, "%s%s%s", above, *above ? "." : "", path->name);
}

void violations_add_at(struct violations *violations, const struct path *path, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	add(violations, path_print(violations->arena, path), format, args);
	va_end(args);
}
