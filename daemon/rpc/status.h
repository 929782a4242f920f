/*
 * How a call fails: the one table from what went wrong to the gRPC code, the reason and the details on the wire.
 *
 * The reasons are those of filmgate.v1.ErrorReason, whose comments are the contract; handlers name a reason, or hand
 * in the engine's outcome, and never a gRPC code.
 */
#ifndef FG_RPC_STATUS_H
#define FG_RPC_STATUS_H

#include "engine/engine.h"

#include <filmgate/v1/error_reason.pb-c.h>
#include <grpc/slice.h>
#include <grpc/status.h>

struct problem;
struct violations;

/* What a call is about, where it is about one thing. */
enum resource { RESOURCE_NONE, RESOURCE_JOB, RESOURCE_ARTIFACT, RESOURCE_PROVIDER, RESOURCE_ASSET };

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

/* A failure as it goes out. */
struct status {
	grpc_status_code code;
	grpc_slice message; /* UTF-8, at most LIMIT_RPC_STATUS_TEXT bytes */
	grpc_slice details; /* a packed google.rpc.Status; empty when OK */
};
void status_init_ok(struct status *status);
void status_init_failure(struct status *status, const struct failure *failure);
void status_finish(struct status *status);

/* For tests: the rows. */
grpc_status_code status_code_of_reason(Filmgate__V1__ErrorReason reason);
const char *status_name_of_reason(Filmgate__V1__ErrorReason reason); /* "JOB_NOT_FOUND" */

#endif
