#include "cli.h"
#include "commands.h"
#include "field.h"
#include "follow.h"
#include "output.h"
#include "render.h"
#include "say.h"

#include "base/err.h"

#include <filmgate/v1/orphan_service.pb-c.h>

#define DEADLINE_MS 600000 /* the daemon may have to read a long list */

static int add_labels(const struct arguments *arguments, Filmgate__V1__AdoptVideoRequest *request, struct errmsg *error)
{
	const ProtobufCFieldDescriptor *field = field_find(request->base.descriptor, bytes_of_text("labels"));
	int r = 0;

	for (size_t i = 0; r == 0 && i < arguments->n_given; i++) {
		const struct argument *given = &arguments->given[i];
		const char *equals = given->row->id == OPTION_LABEL ? strchr(given->text, '=') : NULL;

		if (equals)
			r = field_set_entry(&request->base, field,
					    bytes_of(given->text, (size_t)(equals - given->text)),
					    bytes_of_text(equals + 1), error);
	}
	return r;
}

/* On the heap, so that what is added to it is freed with it. */
static ProtobufCMessage *make_request(const struct cli *cli, const char *provider, const char *remote_id)
{
	_cleanup_(field_message_freep)
		ProtobufCMessage *message = field_message_new(&filmgate__v1__adopt_video_request__descriptor);
	Filmgate__V1__AdoptVideoRequest *request = (void *)message;
	const char *model = arguments_text(&cli->arguments, OPTION_MODEL);
	const char *name = arguments_text(&cli->arguments, OPTION_NAME);
	struct errmsg error = {""};

	if (!message)
		return NULL;
	request->provider = strdup(provider);
	request->remote_id = strdup(remote_id);
	request->model = strdup(model ? model : "");
	request->display_name = strdup(name ? name : "");
	request->force = arguments_has(&cli->arguments, OPTION_FORCE);
	if (!request->provider || !request->remote_id || !request->model || !request->display_name ||
	    add_labels(&cli->arguments, request, &error) != 0) {
		say_error("%s", *error.text ? error.text : strerror(ENOMEM));
		return NULL;
	}
	return steal(message);
}

static enum exit_code print_adopted(const struct cli *cli, const Filmgate__V1__Job *job, const char *remote_id)
{
	enum exit_code code = EXIT_OK;

	if (!render_for_programs(arguments_format(&cli->arguments), &job->base, job->name, &code))
		render_line("%s  %s", cli_short_name(job->name), remote_id);
	return code == EXIT_OK ? output_flush() : code;
}

static enum exit_code on_event(const Filmgate__V1__JobEvent *event, void *userdata)
{
	_cleanup_(buffer_finish) struct buffer detail = {0};
	const char *job = userdata;
	char state[FIELD_NAME_SIZE];

	if (!event->status)
		return EXIT_OK;
	render_state(event->status->state, state);
	render_detail(event->status, &detail);
	if (render_is_final(event->status->state))
		say_note("%s  %s%s%s", cli_short_name(job), state, detail.len ? "  " : "",
			 detail.len ? detail.data : "");
	else
		say_progress("%s  %s  %s", cli_short_name(job), state, detail.data ? detail.data : "");
	return EXIT_OK;
}

static enum exit_code adopt(struct cli *cli, const char *provider, const char *remote_id, char **ret_job)
{
	_cleanup_(field_message_freep) ProtobufCMessage *request = make_request(cli, provider, remote_id);
	_cleanup_(field_message_freep) ProtobufCMessage *message = NULL;
	const Filmgate__V1__AdoptVideoResponse *reply;
	enum exit_code code;

	if (!request)
		return EXIT_USAGE;
	code = cli_ask(cli, &filmgate__v1__orphan_service__descriptor, "AdoptVideo", request, "cannot adopt it",
		       &message);
	if (code != EXIT_OK)
		return code;
	reply = (const void *)message;
	*ret_job = strdup(reply->job->name);
	if (!*ret_job)
		return EXIT_FAILED;
	return print_adopted(cli, reply->job, remote_id);
}

/* All that were adopted, each to its end. The status of the first that did not succeed. */
static enum exit_code wait_for_all(struct cli *cli, char *const *jobs, size_t n)
{
	enum exit_code first = EXIT_OK;

	for (size_t i = 0; i < n; i++) {
		const struct follow follow = {
			.cli = cli,
			.fn = on_event,
			.userdata = jobs[i],
			.timeout_ms = arguments_number(&cli->arguments, OPTION_WAIT, -1),
			.is_daemon_known = true,
			.ends_uncertain = true,
		};
		enum exit_code code = follow_job(&follow, jobs[i]);

		if (first == EXIT_OK)
			first = code;
		if (code == EXIT_INTERRUPTED || code == EXIT_UNREACHABLE)
			break;
	}
	return first;
}

enum exit_code command_adopt(struct cli *cli)
{
	_cleanup_(freep) char *provider = cli_provider_name(cli->arguments.operands[0]);
	size_t n = (size_t)cli->arguments.n_operands, n_jobs = 0;
	_cleanup_(freep) char **jobs = calloc(n, sizeof(*jobs));
	enum exit_code first = EXIT_OK;

	if (!provider)
		return EXIT_USAGE;
	cli->deadline_ms = DEADLINE_MS;
	for (size_t i = 1; jobs && i < n; i++) {
		enum exit_code code = adopt(cli, provider, cli->arguments.operands[i], &jobs[n_jobs]);

		n_jobs += jobs[n_jobs] != NULL;
		if (first == EXIT_OK)
			first = code;
		if (code == EXIT_UNREACHABLE || code == EXIT_INTERRUPTED)
			break;
	}
	if (n_jobs && arguments_has(&cli->arguments, OPTION_WAIT)) {
		enum exit_code code = wait_for_all(cli, jobs, n_jobs);

		first = first == EXIT_OK ? code : first;
	}
	for (size_t i = 0; i < n_jobs; i++)
		free(jobs[i]);
	return jobs ? first : EXIT_FAILED;
}
