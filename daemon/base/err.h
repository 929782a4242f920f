/*
 * How a function says that it failed, and how a resource is released on every path.
 *
 * Negative: an errno nobody planned for; forwarded unchanged with err_trace() and logged once by whoever stops it.
 * Positive: an outcome that the room's header names; the direct caller handles it, nobody forwards it.
 * Zero: done. On anything else out-parameters are untouched.
 */
#ifndef FG_BASE_ERR_H
#define FG_BASE_ERR_H

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

/* Words for a person: one line, values quoted, with the remedy. The caller owns it; only functions whose failure a
 * person will read take one (configuration, plugin loading, command line). */
struct errmsg {
	char text[512];
};

__attribute__((format(printf, 2, 3))) void errmsg_set(struct errmsg *msg, const char *format, ...);

/* "@what: the errno's text", and what helps against it where that is known, unless @msg has words already: for what
 * failed below without any. Returns @error; 0 and positive outcomes set nothing. */
int err_explain(int error, const char *what, struct errmsg *msg);

/* The place where a negative code is born; and each place that forwards it. Both return @error. They write one line
 * "  function @ file +line: text" to the log at level debug and cost nothing above it. */
#define err_origin(error) err_noted((error), __func__, __FILE__, __LINE__)
#define err_trace(error) err_noted((error), __func__, __FILE__, __LINE__)
/* A positive outcome that cannot happen here became a fault: -ENOTRECOVERABLE. Negative and zero pass unchanged. */
#define err_fold(outcome) err_folded((outcome), __func__, __FILE__, __LINE__)

void err_note(int error, const char *function, const char *file, int line);

/* Inline, so that compilers and the analyzer see that a fault stays one. */
static inline int err_noted(int error, const char *function, const char *file, int line)
{
	err_note(error, function, file, line);
	return error;
}

static inline int err_folded(int outcome, const char *function, const char *file, int line)
{
	return outcome > 0 ? err_noted(-ENOTRECOVERABLE, function, file, line) : outcome;
}

#define _cleanup_(fn) __attribute__((cleanup(fn)))

/* Hands a pointer on and leaves NULL behind, so that its _cleanup_ finds nothing. */
#define steal(pointer)                                   \
	({                                               \
		__typeof__(pointer) _stolen = (pointer); \
		(pointer) = NULL;                        \
		_stolen;                                 \
	})

static inline int steal_fd(int *fd)
{
	int stolen = *fd;

	*fd = -1;
	return stolen;
}

static inline void freep(void *pointer)
{
	free(*(void **)pointer);
}

static inline void closep(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

#endif
