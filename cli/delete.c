#include "cli.h"
#include "commands.h"
#include "field.h"
#include "say.h"

#include "base/err.h"

#include <filmgate/v1/job_service.pb-c.h>

static enum exit_code delete_job(struct cli *cli, char *name)
{
	_cleanup_(field_message_freep) ProtobufCMessage *reply = NULL;
	Filmgate__V1__DeleteJobRequest request = FILMGATE__V1__DELETE_JOB_REQUEST__INIT;
	struct errmsg what;
	enum exit_code code;

	request.name = name;
	request.provider_copy = arguments_has(&cli->arguments, OPTION_REMOTE)
					? FILMGATE__V1__PROVIDER_COPY__PROVIDER_COPY_REMOVE
					: FILMGATE__V1__PROVIDER_COPY__PROVIDER_COPY_KEEP;
	errmsg_set(&what, "cannot delete %s", name);
	code = cli_ask(cli, &filmgate__v1__job_service__descriptor, "DeleteJob", &request.base, what.text, &reply);
	if (code == EXIT_OK)
		say_note("deleted %s", name);
	return code;
}

enum exit_code command_delete(struct cli *cli)
{
	if (arguments_has(&cli->arguments, OPTION_REMOTE))
		cli->deadline_ms = CLI_DEADLINE_PROVIDER_MS;
	return cli_each_job(cli, delete_job);
}
