#include "base/limits.h"
#include "config/options.h"

#include <stdarg.h>

/* Whatever a file holds, a terminal that shows the report must not obey: C0, DEL and C1 become \xNN, like what is no
 * text because it was cut. */
static int append_safely(struct buffer *line, const char *text)
{
	size_t len = strlen(text);
	int r = 0;

	for (size_t i = 0, n; i < len && r == 0; i += n) {
		const unsigned char *c = (const unsigned char *)text + i;

		n = bytes_utf8_length(bytes_of(c, len - i));
		if (n > 0 && *c >= 0x20 && *c != 0x7f && (*c != 0xc2 || c[1] > 0x9f)) {
			r = buffer_append(line, c, n);
			continue;
		}
		n = n > 0 ? n : 1;
		for (size_t k = 0; k < n && r == 0; k++)
			r = buffer_printf(line, "\\x%02x", c[k]);
	}
	return r;
}

/* A report that cannot grow, for want of memory or beyond its limit, keeps whole lines and goes on counting. */
static void add_line(struct config_report *report, const char *path, unsigned int line, const char *kind,
		     const char *format, va_list args)
{
	_cleanup_(buffer_finish) struct buffer whole = {0};
	char place[32] = "", words[LIMIT_CONFIG_WORDS];
	int r;

	if (line)
		snprintf(place, sizeof(place), ":%u", line);
	vsnprintf(words, sizeof(words), format, args);
	report->lines.limit = LIMIT_CONFIG_REPORT;
	r = append_safely(&whole, path);
	if (r == 0)
		r = buffer_printf(&whole, "%s: %s: ", place, kind);
	if (r == 0)
		r = append_safely(&whole, words);
	if (r == 0)
		r = buffer_append(&whole, "\n", 1);
	if (r == 0)
		buffer_append(&report->lines, whole.data, whole.len);
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
