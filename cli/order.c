#include "order.h"

#include "download.h"
#include "follow.h"
#include "interrupt.h"
#include "patience.h"
#include "render.h"
#include "say.h"

#include "base/err.h"
#include "base/id.h"

#define RETRY_FOR_MS 10000

void order_make_id(struct cli *cli, const char *given, char id[static ORDER_ID_SIZE])
{
	char text[ID_TEXT_SIZE];
	struct id made;

	if (given && *given) {
		snprintf(id, ORDER_ID_SIZE, "%s", given);
		return;
	}
	made = id_new(clock_utc_ms(cli->clock));
	id_format(&made, text);
	snprintf(id, ORDER_ID_SIZE, "%s", text);
}

enum exit_code order_send(struct cli *cli, const char *method, const ProtobufCMessage *request, const char *id,
			  ProtobufCMessage **ret_reply)
{
	struct patience patience = patience_of(cli, RETRY_FOR_MS);

	patience.was_reached = true;
	for (;;) {
		_cleanup_(status_finish) struct status status = {0};
		enum exit_code code;
		int r;

		r = cli_call(cli, &filmgate__v1__job_service__descriptor, method, request, ret_reply, &status);
		if (r == 0)
			return EXIT_OK;
		if (r == CLIENT_E_STATUS && status_is_undecided(&status) && patience_lasts(&patience, &status))
			continue;
		code = cli_say(cli, interrupt_came() ? CLIENT_E_INTERRUPTED : r, &status, "cannot order");
		if (code == EXIT_INTERRUPTED || status_is_undecided(&status))
			say_more("whether it was ordered is not known; repeated with --request-id %s it is not bought "
				 "twice",
				 id);
		return code;
	}
}

/* Progress on a live terminal, one line per new state elsewhere. */
struct progress {
	Filmgate__V1__JobState state;
};

static enum exit_code on_event(const Filmgate__V1__JobEvent *event, void *userdata)
{
	_cleanup_(buffer_finish) struct buffer detail = {0};
	struct progress *progress = userdata;
	char state[FIELD_NAME_SIZE];

	if (!event->status)
		return EXIT_OK;
	render_state(event->status->state, state);
	render_detail(event->status, &detail);
	if (say_is_live() && !render_is_final(event->status->state))
		say_progress("%s%s%s", state, detail.len ? "  " : "", detail.len ? detail.data : "");
	else if (event->status->state != progress->state)
		say_note("%s%s%s", state, detail.len ? "  " : "", detail.len ? detail.data : "");
	progress->state = event->status->state;
	return EXIT_OK;
}

static enum exit_code wait_for(struct cli *cli, const char *job)
{
	struct progress progress = {0};
	const struct follow follow = {
		.cli = cli,
		.fn = on_event,
		.userdata = &progress,
		.timeout_ms = arguments_number(&cli->arguments, OPTION_WAIT, -1),
		.is_daemon_known = true,
	};

	return follow_job(&follow, job);
}

static enum exit_code print_anew(struct cli *cli, const char *name, enum document_layout layout)
{
	_cleanup_(field_message_freep) ProtobufCMessage *reply = NULL;
	Filmgate__V1__GetJobRequest request = FILMGATE__V1__GET_JOB_REQUEST__INIT;
	enum exit_code code;

	request.name = (char *)(uintptr_t)name;
	code = cli_ask(cli, &filmgate__v1__job_service__descriptor, "GetJob", &request.base, "cannot read the job",
		       &reply);
	if (code != EXIT_OK)
		return code;
	return render_document(&((Filmgate__V1__GetJobResponse *)reply)->job->base, layout);
}

enum exit_code order_finish(struct cli *cli, const Filmgate__V1__Job *job, bool was_there)
{
	const char *file = arguments_text(&cli->arguments, OPTION_OUTPUT);
	enum output_format format = arguments_format(&cli->arguments);
	enum document_layout layout = format == FORMAT_JSONL ? DOCUMENT_LAYOUT_LINE : DOCUMENT_LAYOUT_INDENTED;
	bool is_json = format == FORMAT_JSON || format == FORMAT_JSONL, waits;
	enum exit_code code, printed = EXIT_OK;

	waits = file || arguments_has(&cli->arguments, OPTION_WAIT);
	if (was_there)
		say_note("this request id is known: it is the job ordered before, and nothing new was bought");
	if (file && !strcmp(file, "-"))
		say_note("%s", job->name);
	else if (!is_json)
		printf("%s\n", job->name);
	else if (!waits)
		return render_document(&job->base, layout);
	fflush(stdout);
	if (!waits)
		return EXIT_OK;

	code = wait_for(cli, job->name);
	if (is_json && !(file && !strcmp(file, "-")) && code != EXIT_INTERRUPTED)
		printed = print_anew(cli, job->name, layout);
	if (code == EXIT_OK && file)
		code = download_job(cli, job->name, NULL, file);
	return code == EXIT_OK ? printed : code;
}
