#include "base/log.h"

#include "base/bytes.h"
#include "base/err.h"
#include "base/limits.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <sys/uio.h>

#define LOG_LINE_ENDING 16 /* bytes kept free for ,"cut":"yes"} and the newline */

static atomic_int threshold = LOG_LEVEL_INFO;
static atomic_int shape = LOG_FORMAT_TEXT;

static const char *const level_names[] = {"debug", "info", "warning", "error"};

void log_setup(enum log_format format, enum log_level level)
{
	atomic_store(&shape, format);
	atomic_store(&threshold, level);
}

bool log_enabled(enum log_level level)
{
	return (int)level >= atomic_load_explicit(&threshold, memory_order_relaxed);
}

struct log_number log_number_of(int64_t value)
{
	struct log_number number;

	snprintf(number.text, sizeof(number.text), "%lld", (long long)value);
	return number;
}

struct log_number log_errno_of(int error)
{
	struct log_number number;
	char scratch[64];

	snprintf(number.text, sizeof(number.text), "%s",
		 strerror_r(error < 0 ? -error : error, scratch, sizeof(scratch)));
	return number;
}

/* Escaped for both formats. What is not UTF-8 becomes U+FFFD, for a collector refuses a whole line over one byte. */
static void write_character(struct buffer *line, struct bytes character)
{
	const char *c = character.data;

	if (character.len == 0)
		buffer_append_text(line, "\xef\xbf\xbd");
	else if (*c == '"' || *c == '\\')
		buffer_printf(line, "\\%c", *c);
	else if ((unsigned char)*c < 0x20 || *c == 0x7f)
		buffer_printf(line, "\\u%04x", (unsigned int)*c);
	else
		buffer_append(line, c, character.len);
}

static void write_quoted(struct buffer *line, const char *value)
{
	size_t len = strlen(value), n;

	buffer_append(line, "\"", 1);
	for (size_t i = 0; i < len; i += n ? n : 1) {
		n = bytes_utf8_length(bytes_of(value + i, len - i));
		if (i + (n ? n : 1) > LIMIT_LOG_VALUE)
			break;
		write_character(line, bytes_of(value + i, n));
	}
	buffer_append(line, "\"", 1);
}

static bool is_plain(const char *value)
{
	if (!*value || strlen(value) > LIMIT_LOG_VALUE || !bytes_are_text(bytes_of_text(value)))
		return false;
	for (const char *c = value; *c; c++)
		if ((unsigned char)*c <= ' ' || strchr("\"\\=\x7f", *c))
			return false;
	return true;
}

static void write_time(struct buffer *line)
{
	struct timespec now;
	struct tm utc;

	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &utc);
	buffer_printf(line, "%04d-%02d-%02dT%02d:%02d:%02d.%03ldZ", utc.tm_year + 1900, utc.tm_mon + 1, utc.tm_mday,
		      utc.tm_hour, utc.tm_min, utc.tm_sec, now.tv_nsec / 1000000);
}

static void write_pair(struct buffer *line, bool json, const char *name, const char *value)
{
	if (json) {
		buffer_append(line, ",", 1);
		write_quoted(line, name);
		buffer_append(line, ":", 1);
		write_quoted(line, value);
		return;
	}
	buffer_printf(line, " %s=", name);
	if (is_plain(value))
		buffer_append_text(line, value);
	else
		write_quoted(line, value);
}

/* Whole pairs as long as they fit; the first that does not, and all behind it, are replaced by one that says so. */
static void write_pairs(struct buffer *line, bool json, va_list args)
{
	const char *name;

	while ((name = va_arg(args, const char *)) != NULL) {
		const char *value = va_arg(args, const char *);
		size_t before = line->len;

		write_pair(line, json, name, value ? value : "");
		if (line->len > LIMIT_LOG_LINE - LOG_LINE_ENDING) {
			line->len = before;
			write_pair(line, json, "cut", "yes");
			return;
		}
	}
}

/* One write call a line: lines of several threads never mix. A log that cannot be written has nobody left to tell. */
void log_write(enum log_level level, const char *message, ...)
{
	/* One pair may pass the limit before it is taken back: a name and a value, every byte of it escaped. */
	struct buffer line = {.limit = LIMIT_LOG_LINE + 16 * LIMIT_LOG_VALUE};
	bool json = atomic_load(&shape) == LOG_FORMAT_JSON;
	va_list args;
	ssize_t written;

	if (!log_enabled(level))
		return;
	if (json)
		buffer_append_text(&line, "{\"time\":\"");
	write_time(&line);
	if (json) {
		buffer_printf(&line, "\",\"level\":\"%s\",\"message\":", level_names[level]);
		write_quoted(&line, message);
	} else {
		buffer_printf(&line, " %s %s", level_names[level], message);
	}

	va_start(args, message);
	write_pairs(&line, json, args);
	va_end(args);

	if (json)
		buffer_append(&line, "}", 1);
	buffer_append(&line, "\n", 1);
	written = write(STDERR_FILENO, line.data, line.len);
	(void)written;
	buffer_finish(&line);
}
