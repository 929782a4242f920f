#include "cli.h"
#include "commands.h"
#include "field.h"
#include "render.h"
#include "say.h"
#include "words.h"

#include "base/err.h"

#include <filmgate/v1/backup_service.pb-c.h>

#include <stdio.h>
#include <unistd.h>

#define DEADLINE_MS (24 * INT64_C(3600000)) /* the daemon goes on with it in any case */

/* The daemon knows nothing of where this program was started. NULL, said. */
static char *absolute(const char *path)
{
	_cleanup_(freep) char *here = *path == '/' ? strdup("") : getcwd(NULL, 0);
	char *whole = NULL;

	if (here && asprintf(&whole, *path == '/' ? "%s%s" : "%s/%s", here, path) >= 0)
		return whole;
	say_error("'%s' cannot be made an absolute path: %s", path, strerror(errno));
	return NULL;
}

enum exit_code command_backup(struct cli *cli)
{
	_cleanup_(freep) char *path = absolute(cli->arguments.operands[0]);
	_cleanup_(field_message_freep) ProtobufCMessage *message = NULL;
	Filmgate__V1__CreateBackupRequest request = FILMGATE__V1__CREATE_BACKUP_REQUEST__INIT;
	const Filmgate__V1__CreateBackupResponse *reply;
	enum exit_code code;

	if (!path)
		return EXIT_FAILED;
	request.path = path;
	cli->deadline_ms = DEADLINE_MS;
	code = cli_ask(cli, &filmgate__v1__backup_service__descriptor, "CreateBackup", &request.base,
		       "cannot make the backup", &message);
	if (code != EXIT_OK)
		return code;
	reply = (const void *)message;
	if (render_for_programs(arguments_format(&cli->arguments), &reply->base, reply->path, &code))
		return code;
	render_line("%s  %llu artifacts, %s", reply->path, (unsigned long long)reply->artifact_count,
		    words_of_size(reply->artifact_bytes).text);
	return EXIT_OK;
}
