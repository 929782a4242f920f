#include "grid.h"

#include "base/err.h"

#include <libsmartcols/libsmartcols.h>

struct grid {
	struct libscols_table *table;
	size_t columns;
};

struct grid *grid_new(const struct grid_column *columns, size_t count)
{
	_cleanup_(grid_freep) struct grid *grid = calloc(1, sizeof(*grid));

	if (!grid)
		return NULL;
	grid->columns = count;
	grid->table = scols_new_table();
	if (!grid->table)
		return NULL;
	scols_table_set_column_separator(grid->table, "  ");
	for (size_t i = 0; i < count; i++)
		if (!scols_table_new_column(grid->table, columns[i].heading, columns[i].may_be_cut ? 0.1 : 0,
					    columns[i].may_be_cut ? SCOLS_FL_TRUNC : 0))
			return NULL;
	return steal(grid);
}

struct grid *grid_free(struct grid *grid)
{
	if (!grid)
		return NULL;
	scols_unref_table(grid->table);
	free(grid);
	return NULL;
}

void grid_freep(struct grid **grid)
{
	grid_free(*grid);
}

int grid_add(struct grid *grid, const char *const *texts, size_t colored, const char *color)
{
	struct libscols_line *line = scols_table_new_line(grid->table, NULL);

	if (!line)
		return err_origin(-ENOMEM);
	for (size_t i = 0; i < grid->columns; i++)
		if (scols_line_set_data(line, i, texts[i]))
			return err_origin(-ENOMEM);
	if (color) {
		scols_table_enable_colors(grid->table, 1);
		scols_cell_set_color(scols_line_get_cell(line, colored), color);
	}
	return 0;
}

void grid_print(struct grid *grid)
{
	if (scols_table_get_nlines(grid->table) > 0)
		scols_print_table(grid->table);
}
