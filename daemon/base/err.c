#include "base/err.h"

#include "base/log.h"

#include <stdarg.h>

void errmsg_set(struct errmsg *msg, const char *format, ...)
{
	va_list args;

	if (!msg)
		return;
	va_start(args, format);
	vsnprintf(msg->text, sizeof(msg->text), format, args);
	va_end(args);
}

void err_note(int error, const char *function, const char *file, int line)
{
	const char *slash = strrchr(file, '/');

	if (log_enabled(LOG_LEVEL_DEBUG))
		log_debug("trace", "at", function, "file", slash ? slash + 1 : file, "line", log_int(line), "error",
			  log_errno(error));
}
