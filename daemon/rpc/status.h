/*
 * How a call ended, as gRPC's trailers say it.
 */
#ifndef FG_RPC_STATUS_H
#define FG_RPC_STATUS_H

#include "api/failure.h"

#include <grpc/slice.h>
#include <grpc/status.h>

struct status {
	grpc_status_code code;
	grpc_slice message; /* UTF-8 */
	grpc_slice details; /* a packed google.rpc.Status; empty when OK */
};
void status_init_ok(struct status *status);
void status_init_failure(struct status *status, const struct failure *failure);
void status_finish(struct status *status);

#endif
