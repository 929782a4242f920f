/*
 * CountJobs.
 */
#include "api/methods.h"

#include "api/check.h"
#include "api/inside.h"

#include <filmgate/v1/job_service.pb-c.h>

static void on_counts(void *userdata, int outcome, const uint64_t counts[static _JOB_STATE_COUNT], bool partial)
{
	Filmgate__V1__CountJobsResponse response = FILMGATE__V1__COUNT_JOBS_RESPONSE__INIT;
	struct call *call = userdata;
	Filmgate__V1__StateCount *row;

	if (outcome) {
		call_fail_engine(call, outcome > 0 ? ENGINE_E_STORE : outcome, NULL, RESOURCE_NONE, NULL);
		return;
	}
	response.counts = arena_need_pointers(&call->arena, _JOB_STATE_COUNT);
	for (int state = 0; state < _JOB_STATE_COUNT; state++) {
		if (counts[state] == 0)
			continue;
		row = arena_need(&call->arena, sizeof(*row));
		filmgate__v1__state_count__init(row);
		row->state = (Filmgate__V1__JobState)state;
		row->count = counts[state];
		response.counts[response.n_counts++] = row;
	}
	response.partial = partial;
	call_reply(call, &response.base);
}

void handle_count_jobs(struct call *call, const void *message)
{
	const Filmgate__V1__CountJobsRequest *request = message;
	struct violations violations = {.arena = &call->arena};
	const struct checked_filter *filter = check_filter(request->filter, &violations);

	if (!call_refuse(call, &violations))
		engine_count_jobs(call->api->engine, JOB_TENANT_DEFAULT, request->filter ? &filter->filter : NULL,
				  on_counts, call);
}
