#include "rpc_echo.h"

#include "api/call.h"

#include <filmgate/v1/job_service.pb-c.h>

static void echo(struct call *call, const void *request)
{
	call_reply(call, request);
}

const struct method bench_echo_method = {"/filmgate.bench.Bench/Echo",
					 METHOD_UNARY,
					 16,
					 &filmgate__v1__create_job_request__descriptor,
					 &filmgate__v1__create_job_request__descriptor,
					 echo,
					 NULL};
