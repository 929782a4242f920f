#include "say.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static bool is_quiet;
static bool has_progress;

void say_quietly(void)
{
	is_quiet = true;
}

bool say_is_live(void)
{
	return !is_quiet && isatty(STDERR_FILENO);
}

void say_make_safe(char *text)
{
	for (unsigned char *p = (unsigned char *)text; *p; p++) {
		if (*p == '\n')
			*p = ' ';
		else if (*p < 0x20 || *p == 0x7f)
			*p = '?';
		/* C1 in UTF-8: U+0080 to U+009F, among them CSI. */
		if (*p == 0xc2 && p[1] >= 0x80 && p[1] <= 0x9f)
			p[0] = p[1] = '?';
		/* U+2028 to U+202E and U+2066 to U+2069: line and paragraph separators, and the direction of writing. */
		if (*p == 0xe2 &&
		    ((p[1] == 0x80 && p[2] >= 0xa8 && p[2] <= 0xae) || (p[1] == 0x81 && p[2] >= 0xa6 && p[2] <= 0xa9)))
			p[0] = p[1] = p[2] = '?';
	}
}

static void write_line(const char *prefix, const char *format, va_list args, const char *end)
{
	char text[4096];

	vsnprintf(text, sizeof(text), format, args);
	say_make_safe(text);
	fprintf(stderr, "%s%s%s%s", has_progress ? "\r\033[K" : "", prefix, text, end);
	fflush(stderr);
	has_progress = false;
}

void say_error(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	write_line("filmgate: ", format, args, "\n");
	va_end(args);
}

void say_more(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	write_line("  ", format, args, "\n");
	va_end(args);
}

void say_note(const char *format, ...)
{
	va_list args;

	if (is_quiet)
		return;
	va_start(args, format);
	write_line("", format, args, "\n");
	va_end(args);
}

void say_progress(const char *format, ...)
{
	va_list args;

	if (!say_is_live())
		return;
	/* write_line() clears what an earlier progress line left. */
	va_start(args, format);
	write_line(has_progress ? "" : "\r\033[K", format, args, "");
	va_end(args);
	has_progress = true;
}
