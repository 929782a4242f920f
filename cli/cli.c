#include "cli.h"

#include "field.h"
#include "say.h"

#include "base/bytes.h"
#include "base/err.h"
#include "base/id.h"

#include <filmgate/v1/job_service.pb-c.h>

int cli_check_reply(const ProtobufCMessage *reply, struct status *status)
{
	const ProtobufCFieldDescriptor *first = protobuf_c_message_descriptor_get_field(reply->descriptor, 1);
	struct errmsg what;
	int r;

	if (!first || first->type != PROTOBUF_C_TYPE_MESSAGE || field_is_list(first) || field_is_set(reply, first))
		return 0;
	errmsg_set(&what, "the daemon's reply lacks its '%s'; are this program and the daemon of one version?",
		   first->name);
	r = status_set(status, STATUS_INTERNAL, bytes_of_text(what.text), (struct bytes){0});
	return r ? r : CLIENT_E_STATUS;
}

int cli_call(struct cli *cli, const ProtobufCServiceDescriptor *service, const char *method,
	     const ProtobufCMessage *request, ProtobufCMessage **ret_reply, struct status *status)
{
	int64_t deadline_ms = arguments_number(&cli->arguments, OPTION_DEADLINE, cli->deadline_ms);

	ProtobufCMessage *reply;
	int r = client_call(cli->client, service, method, request, deadline_ms, &reply, status);

	if (r)
		return r;
	r = cli_check_reply(reply, status);
	if (r)
		protobuf_c_message_free_unpacked(reply, NULL);
	else
		*ret_reply = reply;
	return r;
}

enum exit_code cli_say(struct cli *cli, int outcome, const struct status *status, const char *what)
{
	switch (outcome) {
	case CLIENT_E_STATUS:
		return status_say(status, what, cli->server.shown);
	case CLIENT_E_INTERRUPTED:
		say_error("%s: interrupted", what);
		return EXIT_INTERRUPTED;
	default:
		say_error("%s: %s", what, outcome < 0 ? strerror(-outcome) : "the daemon ended the call early");
		return EXIT_FAILED;
	}
}

enum exit_code cli_ask(struct cli *cli, const ProtobufCServiceDescriptor *service, const char *method,
		       const ProtobufCMessage *request, const char *what, ProtobufCMessage **ret_reply)
{
	_cleanup_(status_finish) struct status status = {0};
	int r = cli_call(cli, service, method, request, ret_reply, &status);

	return r ? cli_say(cli, r, &status, what) : EXIT_OK;
}

enum exit_code cli_get_job(struct cli *cli, const char *name, ProtobufCMessage **ret_reply, Filmgate__V1__Job **ret)
{
	Filmgate__V1__GetJobRequest request = FILMGATE__V1__GET_JOB_REQUEST__INIT;
	enum exit_code code;

	request.name = (char *)(uintptr_t)name;
	code = cli_ask(cli, &filmgate__v1__job_service__descriptor, "GetJob", &request.base, "cannot read the job",
		       ret_reply);
	if (code == EXIT_OK)
		*ret = ((Filmgate__V1__GetJobResponse *)*ret_reply)->job;
	return code;
}

enum exit_code cli_next_page(enum exit_code code, const char *next, char **token)
{
	char *copy = strdup(next);

	if (!copy) {
		say_error("cannot read the next page: %s", strerror(ENOMEM));
		return EXIT_FAILED;
	}
	free(*token);
	*token = copy;
	return code;
}

static char *join(const char *prefix, const char *rest)
{
	struct buffer name = {0};

	if (buffer_printf(&name, "%s%s", prefix, rest) == 0)
		return name.data;
	say_error("%s", strerror(ENOMEM));
	return NULL;
}

char *cli_job_name(const char *argument)
{
	const char *uuid = !strncmp(argument, "jobs/", 5) ? argument + 5 : argument;
	char text[ID_TEXT_SIZE];
	struct id id;

	if (id_parse(uuid, &id)) {
		say_error("'%s' is not a job; write jobs/UUID or its UUID, as 'filmgate list' shows it", argument);
		return NULL;
	}
	id_format(&id, text);
	return join("jobs/", text);
}

static bool are_job_names(const struct cli *cli)
{
	for (int i = 0; i < cli->arguments.n_operands; i++) {
		_cleanup_(freep) char *name = cli_job_name(cli->arguments.operands[i]);

		if (!name)
			return false;
	}
	return true;
}

enum exit_code cli_each_job(struct cli *cli, enum exit_code (*fn)(struct cli *cli, char *name))
{
	enum exit_code all = EXIT_OK;

	if (!are_job_names(cli))
		return EXIT_USAGE;
	for (int i = 0; i < cli->arguments.n_operands; i++) {
		_cleanup_(freep) char *name = cli_job_name(cli->arguments.operands[i]);
		enum exit_code code = name ? fn(cli, name) : EXIT_USAGE;

		if (all == EXIT_OK)
			all = code;
		if (code == EXIT_UNREACHABLE || code == EXIT_INTERRUPTED)
			break;
	}
	return all;
}

char *cli_provider_name(const char *argument)
{
	const char *id = !strncmp(argument, "providers/", 10) ? argument + 10 : argument;

	if (!*id || strchr(id, '/')) {
		say_error("'%s' is not a provider; 'filmgate providers' shows the configured ones", argument);
		return NULL;
	}
	return join("providers/", id);
}

const char *cli_short_name(const char *job)
{
	return !strncmp(job, "jobs/", 5) ? job + 5 : job;
}
