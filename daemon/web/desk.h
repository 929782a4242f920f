/*
 * Where the engine's answers come in. A question is asked by the web's thread and answered by any other, once, perhaps
 * long after nobody wants to know any more: so each question holds on to the desk, and the desk outlives the web.
 */
#ifndef FG_WEB_DESK_H
#define FG_WEB_DESK_H

#include "base/bytes.h"
#include "base/err.h"
#include "engine/engine.h"

struct desk;

struct question {
	struct question *next;
	struct desk *desk;
	void *asker; /* the desk's; NULL: nobody wants to know any more */
	bool is_answered;
	/* The answer; whoever answers writes it before question_answer(). */
	int outcome;
	struct engine_health health;
	struct buffer text;
};

int desk_new(struct desk **ret);
struct desk *desk_unref(struct desk *desk);
/* Readable when there are answers. */
int desk_fd(const struct desk *desk);

/* NULL: out of memory. */
struct question *question_new(struct desk *desk, void *asker);
/* Takes it. [any-thread] */
void question_answer(struct question *take);
/* Takes it from the asker, whether it has been answered or not. */
void question_drop(struct question *take);
struct question *question_free(struct question *question);
/* The next answer, now the caller's, and who asked; NULL: none has come. */
struct question *desk_take(struct desk *desk, void **ret_asker);

#endif
