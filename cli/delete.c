#include "cli.h"
#include "commands.h"
#include "field.h"
#include "say.h"

#include "base/err.h"

#include <filmgate/v1/job_service.pb-c.h>

enum exit_code command_delete(struct cli *cli)
{
	bool is_remote = arguments_has(&cli->arguments, OPTION_REMOTE);

	if (is_remote)
		cli->deadline_ms = CLI_DEADLINE_PROVIDER_MS;
	for (int i = 0; i < cli->arguments.n_operands; i++) {
		_cleanup_(freep) char *name = cli_job_name(cli->arguments.operands[i]);
		_cleanup_(field_message_freep) ProtobufCMessage *reply = NULL;
		Filmgate__V1__DeleteJobRequest request = FILMGATE__V1__DELETE_JOB_REQUEST__INIT;
		enum exit_code code;

		if (!name)
			return EXIT_USAGE;
		request.name = name;
		request.provider_copy = is_remote ? FILMGATE__V1__PROVIDER_COPY__PROVIDER_COPY_REMOVE
						  : FILMGATE__V1__PROVIDER_COPY__PROVIDER_COPY_KEEP;
		code = cli_ask(cli, &filmgate__v1__job_service__descriptor, "DeleteJob", &request.base, "cannot delete",
			       &reply);
		if (code != EXIT_OK)
			return code;
		say_note("deleted %s", name);
	}
	return EXIT_OK;
}
