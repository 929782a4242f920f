#include "cli.h"
#include "commands.h"
#include "field.h"
#include "render.h"
#include "say.h"

#include "base/err.h"

#include <filmgate/v1/job_service.pb-c.h>

/* Exactly one of the three says what is known. */
static bool read_decision(const struct cli *cli, Filmgate__V1__ResolveJobRequest *request)
{
	const char *found = arguments_text(&cli->arguments, OPTION_FOUND);
	bool is_absent = arguments_has(&cli->arguments, OPTION_ABSENT);
	bool is_given_up = arguments_has(&cli->arguments, OPTION_GIVE_UP);

	if ((found != NULL) + is_absent + is_given_up != 1) {
		say_error("say what is known: one of --found REMOTE_ID, --absent and --give-up");
		return false;
	}
	if (found) {
		request->resolution = FILMGATE__V1__RESOLUTION__RESOLUTION_FOUND;
		request->remote_id = (char *)(uintptr_t)found;
	} else {
		request->resolution = is_absent ? FILMGATE__V1__RESOLUTION__RESOLUTION_ABSENT
						: FILMGATE__V1__RESOLUTION__RESOLUTION_GIVE_UP;
	}
	return true;
}

/* Whoever decides may have forgotten it, or not know of it. */
static void say_what_was_wished(const Filmgate__V1__Job *job)
{
	const Filmgate__V1__JobStatus *status = job->status;

	if (!status || !status->cancel || render_is_final(status->state) ||
	    status->cancel->outcome != FILMGATE__V1__CANCEL_OUTCOME__CANCEL_OUTCOME_REQUESTED)
		return;
	say_note("warning: the earlier cancel of this job still applies: %s",
		 status->state == FILMGATE__V1__JOB_STATE__JOB_STATE_QUEUED
			 ? "it is not ordered again"
			 : "it is stopped at the provider, or given up here and billed all the same");
}

static enum exit_code print_decided(const struct cli *cli, const Filmgate__V1__Job *job)
{
	char state[FIELD_NAME_SIZE] = "?";
	enum exit_code code = EXIT_OK;

	if (render_for_programs(arguments_format(&cli->arguments), &job->base, job->name, &code))
		return code;
	if (job->status)
		render_state(job->status->state, state);
	printf("%s  %s\n", cli_short_name(job->name), state);
	return EXIT_OK;
}

enum exit_code command_resolve(struct cli *cli)
{
	_cleanup_(freep) char *name = cli_job_name(cli->arguments.operands[0]);
	_cleanup_(field_message_freep) ProtobufCMessage *message = NULL;
	Filmgate__V1__ResolveJobRequest request = FILMGATE__V1__RESOLVE_JOB_REQUEST__INIT;
	const Filmgate__V1__ResolveJobResponse *reply;
	enum exit_code code;

	if (!name || !read_decision(cli, &request))
		return EXIT_USAGE;
	request.name = name;
	cli->deadline_ms = CLI_DEADLINE_PROVIDER_MS;
	code = cli_ask(cli, &filmgate__v1__job_service__descriptor, "ResolveJob", &request.base, "cannot decide",
		       &message);
	if (code != EXIT_OK)
		return code;
	reply = (const void *)message;
	say_what_was_wished(reply->job);
	return print_decided(cli, reply->job);
}
