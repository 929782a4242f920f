#include "rpc/status.h"

#include "rpc/message.h"

void status_init_ok(struct status *status)
{
	*status = (struct status){.code = GRPC_STATUS_OK, .message = grpc_empty_slice(), .details = grpc_empty_slice()};
}

void status_init_failure(struct status *status, const struct failure *failure)
{
	struct arena arena = {0};
	const Google__Rpc__Status *told = failure_status(failure, &arena);

	status->code = (grpc_status_code)told->code;
	status->message = grpc_slice_from_copied_string(told->message);
	status->details = message_pack_slice(&told->base);
	arena_finish(&arena);
}

void status_finish(struct status *status)
{
	grpc_slice_unref(status->message);
	grpc_slice_unref(status->details);
	status_init_ok(status);
}
