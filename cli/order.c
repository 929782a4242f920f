#include "order.h"

#include "download.h"
#include "follow.h"
#include "interrupt.h"
#include "output.h"
#include "patience.h"
#include "render.h"
#include "say.h"
#include "target.h"

#include "base/err.h"
#include "base/id.h"

#define RETRY_FOR_MS 10000

void order_make_id(struct cli *cli, const char *given, struct order_id *ret)
{
	char text[ID_TEXT_SIZE];
	struct id made;

	ret->is_given = given && *given;
	if (ret->is_given) {
		snprintf(ret->text, sizeof(ret->text), "%s", given);
		return;
	}
	made = id_new(clock_utc_ms(cli->clock));
	id_format(&made, text);
	snprintf(ret->text, sizeof(ret->text), "%s", text);
}

enum exit_code order_send(struct cli *cli, const char *method, const ProtobufCMessage *request,
			  const struct order_id *id, ProtobufCMessage **ret_reply)
{
	struct patience patience = patience_of(cli, RETRY_FOR_MS);

	/* Since the first try, here or under this id before: one that may have left stays so, whatever comes after it. */
	bool may_have_left = id->is_given;

	patience.was_reached = true;
	for (;;) {
		_cleanup_(status_finish) struct status status = {0};
		enum exit_code code;
		int r;

		r = cli_call(cli, &filmgate__v1__job_service__descriptor, method, request, ret_reply, &status);
		if (r == 0)
			return EXIT_OK;
		may_have_left = may_have_left || r != CLIENT_E_STATUS || !status_is_unsent(&status);
		if (r == CLIENT_E_STATUS && status_is_undecided(&status) && patience_lasts(&patience, &status))
			continue;
		code = cli_say(cli, interrupt_came() ? CLIENT_E_INTERRUPTED : r, &status, "cannot order");
		if (!may_have_left)
			say_more("nothing was sent: it is not ordered");
		else if (code == EXIT_INTERRUPTED || status_is_undecided(&status))
			say_more("whether it was ordered is not known; repeated with --request-id %s it is not bought "
				 "twice",
				 id->text);
		return code;
	}
}

/* An order that the daemon has, and what is still to be done about it here. */
struct order {
	const Filmgate__V1__Job *job;
	const char *file; /* NULL: none is fetched */
	enum document_layout layout;
	bool is_json;
	bool is_in_output; /* the file takes standard output's place */
	bool waits;
};

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

static enum exit_code wait_for(struct cli *cli, const char *job, struct progress *progress)
{
	const struct follow follow = {
		.cli = cli,
		.fn = on_event,
		.userdata = progress,
		.timeout_ms = arguments_number(&cli->arguments, OPTION_WAIT, -1),
		.is_daemon_known = true,
		.ends_uncertain = true,
	};

	return follow_job(&follow, job);
}

static enum exit_code print_anew(struct cli *cli, const char *name, enum document_layout layout)
{
	_cleanup_(field_message_freep) ProtobufCMessage *reply = NULL;
	Filmgate__V1__Job *job;
	enum exit_code code = cli_get_job(cli, name, &reply, &job);

	return code == EXIT_OK ? render_document(&job->base, layout) : code;
}

enum exit_code order_check(const struct cli *cli)
{
	const char *file = arguments_text(&cli->arguments, OPTION_OUTPUT);
	enum target_kind kind;

	return file ? target_look(file, &kind) : EXIT_OK;
}

/* The name must not be lost: without it, the next thing a script does is to order again. */
static enum exit_code check_printed(const struct order *order, enum exit_code code)
{
	if (code == EXIT_OK)
		code = output_flush();
	if (code != EXIT_OK)
		say_error("%s is ordered all the same", order->job->name);
	return code;
}

static enum exit_code print_ordered(const struct order *order)
{
	enum exit_code code = EXIT_OK;

	if (order->is_in_output)
		say_note("%s", order->job->name);
	else if (!order->is_json)
		printf("%s\n", order->job->name);
	else if (!order->waits)
		code = render_document(&order->job->base, order->layout);
	return check_printed(order, code);
}

/* The job is paid for, or will be: whatever ended this program, its file can still be had. Of one that is UNCERTAIN it
 * has been said what comes first. */
static enum exit_code say_how_to_fetch(const struct order *order, const struct progress *progress, enum exit_code code)
{
	bool is_decided = progress->state != FILMGATE__V1__JOB_STATE__JOB_STATE_UNCERTAIN;

	switch (code) {
	case EXIT_OK:
	case EXIT_JOB_FAILED:
	case EXIT_JOB_CANCELLED:
		return code;
	default:
		say_more("%s: filmgate download %s -o %s", is_decided ? "fetch the file" : "fetch the file after that",
			 cli_short_name(order->job->name), order->file);
	}
	/* By now the command line is not what was wrong. */
	return code == EXIT_USAGE ? EXIT_FAILED : code;
}

enum exit_code order_finish(struct cli *cli, const Filmgate__V1__Job *job, bool was_there)
{
	const char *file = arguments_text(&cli->arguments, OPTION_OUTPUT);
	enum output_format format = arguments_format(&cli->arguments);
	const struct order order = {
		.job = job,
		.file = file,
		.layout = format == FORMAT_JSONL ? DOCUMENT_LAYOUT_LINE : DOCUMENT_LAYOUT_INDENTED,
		.is_json = format == FORMAT_JSON || format == FORMAT_JSONL,
		.is_in_output = target_is_stdout(file),
		.waits = file || arguments_has(&cli->arguments, OPTION_WAIT),
	};
	struct progress progress = {0};
	enum exit_code code, printed;

	if (was_there)
		say_note("this request id is known: it is the job ordered before, and nothing new was bought");
	printed = print_ordered(&order);
	if (!order.waits)
		return printed;

	code = wait_for(cli, job->name, &progress);
	if (order.is_json && !order.is_in_output && code != EXIT_INTERRUPTED)
		printed = check_printed(&order, print_anew(cli, job->name, order.layout));
	if (code == EXIT_OK && file)
		code = download_job(cli, job->name, NULL, file);
	if (file)
		code = say_how_to_fetch(&order, &progress, code);
	return code == EXIT_OK ? printed : code;
}
