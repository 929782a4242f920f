/*
 * The daemon's log: one event a line on standard error, as key=value or as JSON. [any-thread]
 *
 *     log_info("job accepted", "job", name, "provider", provider, "size_bytes", log_int(size));
 *
 * The message is constant text; everything that varies is a pair of name and value. Values are cut at
 * LIMIT_LOG_VALUE bytes and escaped. Never hand in a secret: redaction happens where the value is made, since only
 * that room knows what is secret.
 */
#ifndef FG_BASE_LOG_H
#define FG_BASE_LOG_H

#include <stdbool.h>
#include <stdint.h>

enum log_level { LOG_LEVEL_DEBUG, LOG_LEVEL_INFO, LOG_LEVEL_WARNING, LOG_LEVEL_ERROR };
enum log_format { LOG_FORMAT_TEXT, LOG_FORMAT_JSON };

/* Once, before the first thread. The default is text at level info. */
void log_setup(enum log_format format, enum log_level level);
bool log_enabled(enum log_level level);

/* Names and values in turn, ended by NULL; a NULL value is written as empty. */
__attribute__((sentinel)) void log_write(enum log_level level, const char *message, ...);

#define log_debug(...) log_write(LOG_LEVEL_DEBUG, __VA_ARGS__, NULL)
#define log_info(...) log_write(LOG_LEVEL_INFO, __VA_ARGS__, NULL)
#define log_warning(...) log_write(LOG_LEVEL_WARNING, __VA_ARGS__, NULL)
#define log_error(...) log_write(LOG_LEVEL_ERROR, __VA_ARGS__, NULL)

/* A number, or the text of an errno (either sign), as a value; lives until the end of the full expression's block. */
struct log_number {
	char text[64];
};
struct log_number log_number_of(int64_t value);
struct log_number log_errno_of(int error);
#define log_int(value) (((struct log_number[1]){log_number_of((int64_t)(value))})[0].text)
#define log_errno(error) (((struct log_number[1]){log_errno_of(error)})[0].text)

#endif
