#include "job/job.h"

/* A stored number from a newer daemon has no name here. */
#define UNKNOWN "unknown"

const char *job_state_name(enum job_state state)
{
	static const char *const names[_JOB_STATE_COUNT] = {
		[JOB_STATE_QUEUED] = "queued",     [JOB_STATE_PREPARING] = "preparing",
		[JOB_STATE_STARTING] = "starting", [JOB_STATE_RUNNING] = "running",
		[JOB_STATE_STORING] = "storing",   [JOB_STATE_SUCCEEDED] = "succeeded",
		[JOB_STATE_FAILED] = "failed",     [JOB_STATE_CANCELLED] = "cancelled",
		[JOB_STATE_EXPIRED] = "expired",   [JOB_STATE_UNCERTAIN] = "uncertain",
	};

	return (unsigned)state < _JOB_STATE_COUNT && names[state] ? names[state] : UNKNOWN;
}

const char *job_wait_name(enum job_wait wait)
{
	static const char *const names[_JOB_WAIT_COUNT] = {
		[JOB_WAIT_NONE] = "none",
		[JOB_WAIT_CAPACITY] = "capacity",
		[JOB_WAIT_RATE_LIMIT] = "rate_limit",
		[JOB_WAIT_BACKOFF] = "backoff",
		[JOB_WAIT_DISK] = "disk",
		[JOB_WAIT_PLUGIN_MISSING] = "plugin_missing",
		[JOB_WAIT_CREDENTIAL] = "credential",
		[JOB_WAIT_TOKEN] = "token",
		[JOB_WAIT_BUDGET] = "budget",
		[JOB_WAIT_SCHEDULE] = "schedule",
		[JOB_WAIT_BREAKER] = "breaker",
		[JOB_WAIT_HELD] = "held",
	};

	return (unsigned)wait < _JOB_WAIT_COUNT && names[wait] ? names[wait] : UNKNOWN;
}
