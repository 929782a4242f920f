/*
 * The pages: what each asks of the engine, and what it makes of the answer.
 */
#ifndef FG_WEB_PAGES_H
#define FG_WEB_PAGES_H

#include "web/desk.h"
#include "web/web.h"

struct page {
	const char *path;
	const char *media_type;
	/* Takes @question and answers it, later or at once. */
	void (*ask)(struct engine *engine, struct question *take);
	/* Returns the HTTP status, or negative errno. */
	int (*write)(const struct web_config *config, const struct question *answer, struct buffer *ret);
};

/* By the path as it was sent; NULL: there is none. */
const struct page *page_find(const char *path);

#endif
