#include "view.h"

#include "cli.h"

#include "base/err.h"

#include <stdio.h>
#include <sys/ioctl.h>
#include <wchar.h>

#define STATE_WIDTH 10

struct row {
	char job[64];
	Filmgate__V1__JobState state;
	char *detail;
};

struct view {
	struct row rows[VIEW_JOBS_MAX]; /* by name, which is by age: the newest first */
	size_t count;
	int drawn; /* lines on the screen that are ours */
};

struct view *view_new(void)
{
	return calloc(1, sizeof(struct view));
}

struct view *view_free(struct view *view)
{
	for (size_t i = 0; view && i < view->count; i++)
		free(view->rows[i].detail);
	free(view);
	return NULL;
}

void view_freep(struct view **view)
{
	view_free(*view);
}

static void take_out(struct view *view, size_t i)
{
	free(view->rows[i].detail);
	memmove(&view->rows[i], &view->rows[i + 1], (view->count - i - 1) * sizeof(view->rows[0]));
	view->count--;
}

/* Where the job is, or where it belongs. */
static size_t place_of(const struct view *view, const char *job)
{
	size_t i = 0;

	while (i < view->count && strcmp(view->rows[i].job, job) > 0)
		i++;
	return i;
}

int view_put(struct view *view, const char *job, Filmgate__V1__JobState state, const char *detail)
{
	const char *name = cli_short_name(job);
	size_t i = place_of(view, name);
	char *copy = strdup(detail);

	if (!copy)
		return err_origin(-ENOMEM);
	if (i == view->count || strcmp(view->rows[i].job, name) != 0) {
		if (i == VIEW_JOBS_MAX) {
			free(copy);
			return 0;
		}
		if (view->count == VIEW_JOBS_MAX)
			take_out(view, view->count - 1);
		memmove(&view->rows[i + 1], &view->rows[i], (view->count - i) * sizeof(view->rows[0]));
		view->rows[i] = (struct row){0};
		snprintf(view->rows[i].job, sizeof(view->rows[i].job), "%s", name);
		view->count++;
	}
	free(view->rows[i].detail);
	view->rows[i].detail = copy;
	view->rows[i].state = state;
	return 0;
}

void view_remove(struct view *view, const char *job)
{
	size_t i = place_of(view, cli_short_name(job));

	if (i < view->count && !strcmp(view->rows[i].job, cli_short_name(job)))
		take_out(view, i);
}

size_t view_fit(const char *text, int columns)
{
	const char *p = text;
	mbstate_t state = {0};

	while (*p) {
		wchar_t character;
		size_t n = mbrtowc(&character, p, strlen(p), &state);
		int width = n > 0 && n < (size_t)-2 ? wcwidth(character) : 1;

		if (n == 0 || n >= (size_t)-2) {
			n = 1;
			state = (mbstate_t){0};
		}
		if (width < 0)
			width = 1;
		if (width > columns)
			break;
		columns -= width;
		p += n;
	}
	return (size_t)(p - text);
}

static void draw_row(const struct row *row, int columns)
{
	const char *color = render_state_color(row->state), *detail = row->detail;
	int left = columns - (int)strlen(row->job) - STATE_WIDTH - 4;
	char state[FIELD_NAME_SIZE];

	render_state(row->state, state);
	printf("\r\033[K%s  %s%-*s%s  %.*s\n", row->job, color, STATE_WIDTH, state, *color ? "\033[0m" : "",
	       (int)view_fit(detail, left > 0 ? left : 0), detail);
}

void view_draw(struct view *view)
{
	struct winsize size = {.ws_row = 24, .ws_col = 80};
	int lines;

	ioctl(STDOUT_FILENO, TIOCGWINSZ, &size);
	/* The cursor rests on the line below the last one. */
	lines = size.ws_row > 2 ? size.ws_row - 1 : 1;
	if (view->drawn > 0)
		printf("\033[%dA", view->drawn);
	view->drawn = 0;
	for (size_t i = 0; i < view->count && view->drawn < lines; i++, view->drawn++)
		draw_row(&view->rows[i], size.ws_col ? size.ws_col : 80);
	printf("\r\033[J");
	fflush(stdout);
}
