#include "api/call.h"

#include "api/violations.h"

#include <stdarg.h>
#include <stdio.h>

void call_reply(struct call *call, const ProtobufCMessage *message)
{
	call->ops->reply(call, message);
}

void call_reply_packed(struct call *call, struct packed *take)
{
	call->ops->reply_packed(call, take);
}

void call_fail(struct call *call, const struct failure *failure)
{
	call->ops->fail(call, failure);
}

void call_fail_engine(struct call *call, int outcome, const struct engine_error *error, enum resource resource,
		      const char *name)
{
	struct failure failure = failure_of_engine(outcome, error, resource, name);

	call_fail(call, &failure);
}

bool call_refuse(struct call *call, const struct violations *violations)
{
	struct failure failure;

	if (violations->n == 0)
		return false;
	failure = failure_of_violations(violations);
	call_fail(call, &failure);
	return true;
}

void call_fail_field(struct call *call, const char *field, const char *format, ...)
{
	char text[256];
	struct engine_violation violation = {.field = field, .text = text};
	struct failure failure = {.reason = FILMGATE__V1__ERROR_REASON__ERROR_REASON_INVALID_REQUEST,
				  .text = text,
				  .violations = &violation,
				  .n_violations = 1};
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	call_fail(call, &failure);
}

void call_fail_internal(struct call *call, int error)
{
	call_fail_engine(call, error < 0 ? error : -EINVAL, NULL, RESOURCE_NONE, NULL);
}
