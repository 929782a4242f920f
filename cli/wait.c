#include "cli.h"
#include "commands.h"
#include "follow.h"
#include "output.h"
#include "render.h"
#include "say.h"

#include "base/err.h"

/* The newest event of the job that is waited for, as it will be printed. */
struct waiter {
	enum output_format format;
	const char *job;
};

static enum exit_code print_end(const struct waiter *waiter, const Filmgate__V1__JobEvent *event)
{
	_cleanup_(buffer_finish) struct buffer detail = {0};
	char state[FIELD_NAME_SIZE];

	switch (waiter->format) {
	case FORMAT_NAME:
		printf("%s\n", waiter->job);
		return EXIT_OK;
	case FORMAT_JSON:
	case FORMAT_JSONL:
		return render_document(&event->base, DOCUMENT_LAYOUT_LINE);
	case FORMAT_TABLE:
		break;
	}
	render_state(event->status->state, state);
	render_detail(event->status, &detail);
	printf("%s  %s%s%s\n", cli_short_name(waiter->job), state, detail.len ? "  " : "",
	       detail.len ? detail.data : "");
	return EXIT_OK;
}

static enum exit_code on_event(const Filmgate__V1__JobEvent *event, void *userdata)
{
	_cleanup_(buffer_finish) struct buffer detail = {0};
	const struct waiter *waiter = userdata;
	char state[FIELD_NAME_SIZE];

	if (!event->status)
		return EXIT_OK;
	if (render_is_final(event->status->state) ||
	    event->status->state == FILMGATE__V1__JOB_STATE__JOB_STATE_UNCERTAIN)
		return print_end(waiter, event);
	render_state(event->status->state, state);
	render_detail(event->status, &detail);
	say_progress("%s  %s  %s", cli_short_name(waiter->job), state, detail.data ? detail.data : "");
	return EXIT_OK;
}

static bool is_about_job(enum exit_code code)
{
	return code == EXIT_OK || code == EXIT_JOB_FAILED || code == EXIT_JOB_CANCELLED || code == EXIT_JOB_UNCERTAIN;
}

enum exit_code command_wait(struct cli *cli)
{
	int64_t timeout_ms = arguments_number(&cli->arguments, OPTION_TIMEOUT, -1);
	int64_t began_ms = clock_monotonic_ms(cli->clock);
	enum exit_code first = EXIT_OK;

	for (int i = 0; i < cli->arguments.n_operands; i++) {
		_cleanup_(freep) char *name = cli_job_name(cli->arguments.operands[i]);
		struct waiter waiter = {.format = arguments_format(&cli->arguments), .job = name};
		int64_t left_ms = began_ms + timeout_ms - clock_monotonic_ms(cli->clock);
		const struct follow follow = {
			.cli = cli,
			.fn = on_event,
			.userdata = &waiter,
			.timeout_ms = timeout_ms < 0 ? -1
				      : left_ms > 0  ? left_ms
						     : 0,
			.is_daemon_known = i > 0,
			.ends_uncertain = true,
		};
		enum exit_code code;

		if (!name)
			return EXIT_USAGE;
		code = follow_job(&follow, name);
		if (!is_about_job(code))
			return code;
		if (first == EXIT_OK)
			first = code;
		/* The exit status is still to be had. */
		if (output_flush() != EXIT_OK && first == EXIT_OK)
			first = EXIT_OUTPUT;
	}
	return first;
}
