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

static const char *remedy_of(int error)
{
	switch (-error) {
	case EMFILE:
	case ENFILE:
		return "; raise the limit of open files (LimitNOFILE= in its unit, or ulimit -n)";
	case EAGAIN:
		return "; raise the limit of threads (TasksMax= in its unit, or ulimit -u)";
	case ENOMEM:
		return "; give it more memory";
	default:
		return "";
	}
}

int err_explain(int error, const char *what, struct errmsg *msg)
{
	if (error < 0 && !*msg->text)
		errmsg_set(msg, "%s: %s%s", what, log_errno(error), remedy_of(error));
	return error;
}

void err_note(int error, const char *function, const char *file, int line)
{
	const char *slash = strrchr(file, '/');

	if (log_enabled(LOG_LEVEL_DEBUG))
		log_debug("trace", "at", function, "file", slash ? slash + 1 : file, "line", log_int(line), "error",
			  log_errno(error));
}
