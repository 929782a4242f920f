#include "cli.h"
#include "commands.h"
#include "field.h"
#include "order.h"

#include "base/err.h"

enum exit_code command_retry(struct cli *cli)
{
	_cleanup_(freep) char *name = cli_job_name(cli->arguments.operands[0]);
	_cleanup_(field_message_freep) ProtobufCMessage *message = NULL;
	Filmgate__V1__RetryJobRequest request = FILMGATE__V1__RETRY_JOB_REQUEST__INIT;
	const Filmgate__V1__RetryJobResponse *reply;
	struct order_id id;
	enum exit_code code;

	if (!name)
		return EXIT_USAGE;
	code = order_check(cli);
	if (code != EXIT_OK)
		return code;
	order_make_id(cli, arguments_text(&cli->arguments, OPTION_REQUEST_ID), &id);
	request.name = name;
	request.request_id = id.text;
	code = order_send(cli, "RetryJob", &request.base, &id, &message);
	if (code != EXIT_OK)
		return code;
	reply = (const void *)message;
	return order_finish(cli, reply->job, reply->replayed);
}
