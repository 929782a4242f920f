#include "base/limits.h"
#include "config/options.h"

#include <stdarg.h>

/* A report that cannot grow, for want of memory or beyond its limit, keeps whole lines and goes on counting. */
static void add_line(struct config_report *report, const char *path, unsigned int line, const char *kind,
		     const char *format, va_list args)
{
	char place[32] = "", words[LIMIT_CONFIG_WORDS];

	if (line)
		snprintf(place, sizeof(place), ":%u", line);
	vsnprintf(words, sizeof(words), format, args);
	report->lines.limit = LIMIT_CONFIG_REPORT;
	buffer_printf(&report->lines, "%s%s: %s: %s\n", path, place, kind, words);
}

void config_error(struct config_report *report, const char *path, unsigned int line, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	add_line(report, path, line, "error", format, args);
	va_end(args);
	report->errors++;
}

void config_warning(struct config_report *report, const char *path, unsigned int line, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	add_line(report, path, line, "warning", format, args);
	va_end(args);
	report->warnings++;
}

void config_report_finish(struct config_report *report)
{
	buffer_finish(&report->lines);
	*report = (struct config_report){0};
}
