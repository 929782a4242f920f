/*
 * Lines on a terminal that are redrawn in place, one per job, newest first; as many as the terminal is high. Only for
 * standard output that is a terminal.
 */
#ifndef FG_CLI_VIEW_H
#define FG_CLI_VIEW_H

#include "render.h"

#define VIEW_JOBS_MAX 256 /* jobs that are remembered; beyond, the oldest goes */

struct view;

struct view *view_new(void);
struct view *view_free(struct view *view);
void view_freep(struct view **view);

/* What is known of one job now; texts are copied. Nothing is drawn yet. 0 or -ENOMEM. */
int view_put(struct view *view, const char *job, Filmgate__V1__JobState state, const char *detail);
void view_remove(struct view *view, const char *job);
void view_draw(struct view *view);

/* As many characters of @text as fit into @columns, in bytes. For text in the locale's encoding. */
size_t view_fit(const char *text, int columns);

#endif
