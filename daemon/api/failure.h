/*
 * How a call fails: the one table from what went wrong to the code, the reason and the details on the wire.
 *
 * The reasons are those of filmgate.v1.ErrorReason, whose comments are the contract; handlers name a reason, or hand
 * in the engine's outcome, and never a code.
 */
#ifndef FG_API_FAILURE_H
#define FG_API_FAILURE_H

#include "engine/engine.h"

#include <filmgate/v1/error_reason.pb-c.h>
#include <google/rpc/status.pb-c.h>

struct arena;
struct problem;
struct violations;

/* google.rpc.Code, whose numbers gRPC shares. */
enum code {
	CODE_OK = 0,
	CODE_CANCELLED = 1,
	CODE_UNKNOWN = 2,
	CODE_INVALID_ARGUMENT = 3,
	CODE_DEADLINE_EXCEEDED = 4,
	CODE_NOT_FOUND = 5,
	CODE_ALREADY_EXISTS = 6,
	CODE_PERMISSION_DENIED = 7,
	CODE_RESOURCE_EXHAUSTED = 8,
	CODE_FAILED_PRECONDITION = 9,
	CODE_ABORTED = 10,
	CODE_OUT_OF_RANGE = 11,
	CODE_UNIMPLEMENTED = 12,
	CODE_INTERNAL = 13,
	CODE_UNAVAILABLE = 14,
	CODE_DATA_LOSS = 15,
	CODE_UNAUTHENTICATED = 16,
};

/* What a call is about, where it is about one thing. */
enum resource { RESOURCE_NONE, RESOURCE_JOB, RESOURCE_ARTIFACT, RESOURCE_PROVIDER, RESOURCE_ASSET, RESOURCE_DELIVERY };

/* Everything is borrowed until the call that takes it returns. */
struct failure {
	Filmgate__V1__ErrorReason reason;
	const char *text; /* for a person; NULL: the reason's own words */
	const struct engine_violation *violations;
	size_t n_violations;
	const char *field_prefix; /* put before the engine's field names: "job." or NULL */
	enum resource resource;   /* sent only with the reasons that the contract says */
	const char *resource_name;
	const char *metadata_key;
	const char *metadata_value;
	int64_t retry_after_ms; /* 0: the reason's own, if the contract promises one */
};

/* The reason of an engine's outcome, with the error's words and violations. A negative @outcome is INTERNAL. @error
 * and @name may be NULL. */
struct failure failure_of_engine(int outcome, const struct engine_error *error, enum resource resource,
				 const char *name);
/* Of a PRESCAN_E_ outcome or -ENOMEM. @violation is filled and borrowed. */
struct failure failure_of_problem(int outcome, const struct problem *problem, struct engine_violation *violation);
/* INVALID_REQUEST with everything that was found, which is at least one thing. */
struct failure failure_of_violations(const struct violations *violations);

/* As it goes out: the code, a message for a person of at most LIMIT_RPC_STATUS_TEXT bytes of UTF-8, and the details that
 * the contract promises. In the arena; without memory the process aborts. */
Google__Rpc__Status *failure_status(const struct failure *failure, struct arena *arena);

/* For tests: the rows. */
enum code code_of_reason(Filmgate__V1__ErrorReason reason);
const char *name_of_reason(Filmgate__V1__ErrorReason reason); /* "JOB_NOT_FOUND" */

#endif
