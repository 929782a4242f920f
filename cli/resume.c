#include "cli.h"
#include "commands.h"
#include "field.h"
#include "render.h"
#include "say.h"

#include "base/err.h"

#include <filmgate/v1/job_service.pb-c.h>

#define PAGE 1000

static enum exit_code show(struct cli *cli, const ProtobufCMessage *reply)
{
	const Filmgate__V1__Job *job = ((const Filmgate__V1__ResumeJobResponse *)(const void *)reply)->job;
	char state[FIELD_NAME_SIZE] = "?";
	enum exit_code code;

	if (render_for_programs(arguments_format(&cli->arguments), &job->base, job->name, &code))
		return code;
	if (job->status)
		render_state(job->status->state, state);
	printf("%s  %s\n", cli_short_name(job->name), state);
	return EXIT_OK;
}

static enum exit_code resume(struct cli *cli, char *name)
{
	_cleanup_(field_message_freep) ProtobufCMessage *message = NULL;
	Filmgate__V1__ResumeJobRequest request = FILMGATE__V1__RESUME_JOB_REQUEST__INIT;
	struct errmsg what;
	enum exit_code code;

	request.name = name;
	errmsg_set(&what, "cannot resume %s", name);
	code = cli_ask(cli, &filmgate__v1__job_service__descriptor, "ResumeJob", &request.base, what.text, &message);
	return code == EXIT_OK ? show(cli, message) : code;
}

/* One of all: what was deleted since the page was read needs no release, and what was not held has not changed. */
static enum exit_code resume_if_held(struct cli *cli, const Filmgate__V1__Job *listed)
{
	_cleanup_(field_message_freep) ProtobufCMessage *message = NULL;
	_cleanup_(status_finish) struct status status = {0};
	Filmgate__V1__ResumeJobRequest request = FILMGATE__V1__RESUME_JOB_REQUEST__INIT;
	struct errmsg what;
	int r;

	request.name = listed->name;
	errmsg_set(&what, "cannot resume %s", listed->name);
	r = cli_call(cli, &filmgate__v1__job_service__descriptor, "ResumeJob", &request.base, &message, &status);
	if (r == CLIENT_E_STATUS && status.code == STATUS_NOT_FOUND)
		return EXIT_OK;
	if (r)
		return cli_say(cli, r, &status, what.text);
	if (((const Filmgate__V1__ResumeJobResponse *)(const void *)message)->job->revision == listed->revision)
		return EXIT_OK;
	return show(cli, message);
}

static bool is_end(enum exit_code code)
{
	return code == EXIT_UNREACHABLE || code == EXIT_INTERRUPTED;
}

/* The first failure, or what ended it. */
static enum exit_code worse(enum exit_code all, enum exit_code code)
{
	return all == EXIT_OK || is_end(code) ? code : all;
}

static enum exit_code resume_listed(struct cli *cli, const Filmgate__V1__ListJobsResponse *page)
{
	enum exit_code all = EXIT_OK;

	for (size_t i = 0; i < page->n_jobs && !is_end(all); i++)
		all = worse(all, resume_if_held(cli, page->jobs[i]));
	return all;
}

static enum exit_code resume_all(struct cli *cli)
{
	static Filmgate__V1__JobState open_states[] = {
		FILMGATE__V1__JOB_STATE__JOB_STATE_QUEUED,   FILMGATE__V1__JOB_STATE__JOB_STATE_PREPARING,
		FILMGATE__V1__JOB_STATE__JOB_STATE_STARTING, FILMGATE__V1__JOB_STATE__JOB_STATE_RUNNING,
		FILMGATE__V1__JOB_STATE__JOB_STATE_STORING,  FILMGATE__V1__JOB_STATE__JOB_STATE_UNCERTAIN,
	};
	_cleanup_(freep) char *token = NULL;
	Filmgate__V1__JobFilter filter = FILMGATE__V1__JOB_FILTER__INIT;
	enum exit_code all = EXIT_OK, code;

	filter.states = open_states;
	filter.n_states = sizeof(open_states) / sizeof(open_states[0]);
	do {
		_cleanup_(field_message_freep) ProtobufCMessage *message = NULL;
		Filmgate__V1__ListJobsRequest request = FILMGATE__V1__LIST_JOBS_REQUEST__INIT;
		const Filmgate__V1__ListJobsResponse *page;

		request.filter = &filter;
		request.page_size = PAGE;
		if (token)
			request.page_token = token;
		code = cli_ask(cli, &filmgate__v1__job_service__descriptor, "ListJobs", &request.base,
			       "cannot list jobs", &message);
		if (code != EXIT_OK)
			return worse(all, code);
		page = (const void *)message;
		all = worse(all, resume_listed(cli, page));
		code = cli_next_page(EXIT_OK, page->next_page_token, &token);
	} while (code == EXIT_OK && !is_end(all) && *token);
	return worse(all, code);
}

enum exit_code command_resume(struct cli *cli)
{
	bool is_all = arguments_has(&cli->arguments, OPTION_ALL);

	if (is_all == (cli->arguments.n_operands > 0)) {
		say_error("say which jobs: their names, or --all");
		return EXIT_USAGE;
	}
	return is_all ? resume_all(cli) : cli_each_job(cli, resume);
}
