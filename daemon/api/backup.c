/*
 * filmgate.v1.BackupService.
 */
#include "api/methods.h"

#include "api/inside.h"

#include <filmgate/v1/backup_service.pb-c.h>

static void on_backup(void *userdata, int outcome, const struct engine_error *error, const struct engine_backup *backup)
{
	Filmgate__V1__CreateBackupResponse response = FILMGATE__V1__CREATE_BACKUP_RESPONSE__INIT;
	struct call *call = userdata;

	if (outcome) {
		call_fail_engine(call, outcome, error, RESOURCE_NONE, NULL);
		return;
	}
	response.path = (char *)(uintptr_t)backup->path;
	response.artifact_count = backup->artifacts;
	response.artifact_bytes = backup->artifact_bytes;
	call_reply(call, &response.base);
}

void handle_create_backup(struct call *call, const void *message)
{
	const Filmgate__V1__CreateBackupRequest *request = message;

	engine_back_up(call->api->engine, request->path, on_backup, call);
}
