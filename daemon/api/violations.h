/*
 * What is wrong with a request, field by field: all of it, not only the first.
 */
#ifndef FG_API_VIOLATIONS_H
#define FG_API_VIOLATIONS_H

#include "api/arena.h"
#include "base/limits.h"
#include "engine/engine.h"

struct violations {
	struct arena *arena; /* of the texts */
	struct engine_violation items[LIMIT_JOB_VIOLATIONS];
	size_t n;
};

/* Beyond the limit nothing is added. */
__attribute__((format(printf, 3, 4))) void violations_add(struct violations *violations, const char *field,
							  const char *format, ...);

/* A place in a request, on the way down; lives on the stack. */
struct path {
	const struct path *up;
	const char *name;
	int64_t index; /* negative: no element of a list */
};
char *path_print(struct arena *arena, const struct path *path);
__attribute__((format(printf, 3, 4))) void violations_add_at(struct violations *violations, const struct path *path,
							     const char *format, ...);

#endif
