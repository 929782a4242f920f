/*
 * How a call ended, as google.rpc says it, and what that means here: an exit code, words for a person, the next step.
 */
#ifndef FG_CLI_STATUS_H
#define FG_CLI_STATUS_H

#include "base/bytes.h"
#include "exit.h"

#include <filmgate/v1/error_reason.pb-c.h>
#include <google/rpc/error_details.pb-c.h>

/* The canonical codes that this program tells apart; the others are just numbers with a name. */
enum status_code {
	STATUS_OK = 0,
	STATUS_CANCELLED = 1,
	STATUS_UNKNOWN = 2,
	STATUS_INVALID_ARGUMENT = 3,
	STATUS_DEADLINE_EXCEEDED = 4,
	STATUS_NOT_FOUND = 5,
	STATUS_PERMISSION_DENIED = 7,
	STATUS_RESOURCE_EXHAUSTED = 8,
	STATUS_ABORTED = 10,
	STATUS_INTERNAL = 13,
	STATUS_UNAVAILABLE = 14,
	STATUS_UNAUTHENTICATED = 16,
};

/* Inert when zeroed, which is also STATUS_OK. */
struct status {
	int code;
	char *message;
	Google__Rpc__ErrorInfo *info;        /* NULL: the daemon itself did not answer */
	Google__Rpc__BadRequest *wrong;      /* NULL: no field violations */
	Google__Rpc__ResourceInfo *resource; /* NULL: what it is about was not named */
	int64_t retry_ms;                    /* 0: it did not say when to try again */
};

/* @details is the value of grpc-status-details-bin, or empty; unreadable details are left out. 0 or -ENOMEM. */
int status_set(struct status *status, int code, struct bytes message, struct bytes details);
void status_finish(struct status *status);

/* A reason of filmgate.v1; unspecified if there is none or it is not known here. */
Filmgate__V1__ErrorReason status_reason(const struct status *status);
/* The connection failed or the daemon is going down: a call that changes nothing can simply be repeated. */
bool status_is_unreachable(const struct status *status);
/* The same for a stream that had begun: core has more than one code for a connection that breaks. */
bool status_is_broken(const struct status *status);
/* It was never given to a connection: nothing of it has left. */
bool status_is_unsent(const struct status *status);
/* The call may or may not have taken effect: it is safe to repeat under the same request_id, and useful. */
bool status_is_undecided(const struct status *status);
enum exit_code status_exit_code(const struct status *status);
/* "NOT_FOUND" */
const char *status_code_name(int code);

/* Says it on standard error: @what was tried ("cannot list jobs"), code, reason, message, violations, next step. Returns
 * the exit code. @server is what it was said to. */
enum exit_code status_say(const struct status *status, const char *what, const char *server);

#endif
