/*
 * Where other threads' words come in: a note is posted by any thread and run by the web's, once, perhaps long after
 * nobody wants to know any more. So whoever may post holds on to the desk, and the desk outlives the web.
 */
#ifndef FG_WEB_DESK_H
#define FG_WEB_DESK_H

#include "base/err.h"

#include <stdbool.h>

struct desk;

/* Embedded in its owner's object; not to be posted again before it runs. */
struct note {
	struct note *next;
	void (*run)(struct note *note);
};

int desk_new(struct desk **ret);
/* [any-thread] */
struct desk *desk_ref(struct desk *desk);
/* NULL is fine. [any-thread] */
struct desk *desk_unref(struct desk *desk);
/* Readable when there are notes. */
int desk_fd(const struct desk *desk);

/* False: the web has ended, and the note never runs. [any-thread] */
bool desk_post(struct desk *desk, struct note *note);

/* Runs what was posted. Web thread. */
void desk_run(struct desk *desk);
/* Runs the rest; nothing is taken from here on. */
void desk_close(struct desk *desk);

#endif
