/*
 * Watching: one job from a revision, or all from a resume token. A stream that breaks is opened again from the last
 * event, so that the caller sees every event once.
 */
#ifndef FG_CLI_FOLLOW_H
#define FG_CLI_FOLLOW_H

#include "cli.h"

#include <filmgate/v1/job_service.pb-c.h>

struct follow {
	struct cli *cli;
	/* Called with every event. Anything but EXIT_OK ends the watch with that code. */
	enum exit_code (*fn)(const Filmgate__V1__JobEvent *event, void *userdata);
	void *userdata;
	int64_t timeout_ms;   /* negative: none */
	bool is_daemon_known; /* it has answered just now: the first failure is a loss and not a wrong address */
	bool ends_uncertain;  /* one job: what only a person can move is not waited for, EXIT_JOB_UNCERTAIN */
};

/*
 * Until the job reaches a final state. Returns that state's exit code; EXIT_TIMED_OUT or EXIT_INTERRUPTED, having said
 * how to go on; another one, said, if the watch fails. When the job is seen to be UNCERTAIN, how to decide it is said at
 * once.
 */
enum exit_code follow_job(const struct follow *follow, const char *job);

/* Until interrupted. @filter may be NULL. When the daemon no longer has the events that were missed, the watch goes on
 * from now, and @on_gap (may be NULL) is called. */
enum exit_code follow_all(const struct follow *follow, Filmgate__V1__JobFilter *filter,
			  enum exit_code (*on_gap)(void *userdata));

#endif
