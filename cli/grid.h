/*
 * A table for people. On a terminal it fits the width, cutting the columns that may be cut; elsewhere nothing is cut.
 * The one place that knows libsmartcols.
 */
#ifndef FG_CLI_GRID_H
#define FG_CLI_GRID_H

#include <stdbool.h>
#include <stddef.h>

struct grid;

struct grid_column {
	const char *heading;
	bool may_be_cut;
};

/* NULL when out of memory. */
struct grid *grid_new(const struct grid_column *columns, size_t count);
struct grid *grid_free(struct grid *grid);
void grid_freep(struct grid **grid);

/* One text per column, copied; @color is an escape sequence for column @colored, or NULL. 0 or -ENOMEM. */
int grid_add(struct grid *grid, const char *const *texts, size_t colored, const char *color);
/* To standard output; nothing at all when there are no rows. */
void grid_print(struct grid *grid);

#endif
