#include "cli.h"
#include "commands.h"
#include "render.h"
#include "say.h"

#include "base/err.h"

#include <filmgate/v1/job_service.pb-c.h>

static enum exit_code print_outcome(const struct cli *cli, const Filmgate__V1__CancelJobResponse *reply)
{
	Filmgate__V1__JobState state = reply->job->status ? reply->job->status->state : 0;
	const char *uuid = cli_short_name(reply->job->name);
	enum exit_code code = EXIT_OK;

	if (!render_for_programs(arguments_format(&cli->arguments), &reply->base, reply->job->name, &code))
		printf("%s  %s\n", uuid, render_cancel(reply->outcome, reply->job->status));
	if (state == FILMGATE__V1__JOB_STATE__JOB_STATE_UNCERTAIN)
		say_note("it is UNCERTAIN; decide it: filmgate resolve %s --found REMOTE_ID, --absent or --give-up",
			 uuid);
	return code;
}

static enum exit_code cancel(struct cli *cli, char *name)
{
	_cleanup_(field_message_freep) ProtobufCMessage *message = NULL;
	Filmgate__V1__CancelJobRequest request = FILMGATE__V1__CANCEL_JOB_REQUEST__INIT;
	const Filmgate__V1__CancelJobResponse *reply;
	struct errmsg what;
	enum exit_code code;

	request.name = name;
	errmsg_set(&what, "cannot cancel %s", name);
	code = cli_ask(cli, &filmgate__v1__job_service__descriptor, "CancelJob", &request.base, what.text, &message);
	if (code != EXIT_OK)
		return code;
	reply = (const void *)message;
	code = print_outcome(cli, reply);
	return reply->outcome == FILMGATE__V1__CANCEL_OUTCOME__CANCEL_OUTCOME_TOO_LATE ? EXIT_FAILED : code;
}

enum exit_code command_cancel(struct cli *cli)
{
	return cli_each_job(cli, cancel);
}
