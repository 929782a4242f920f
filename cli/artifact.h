/*
 * Which file a command means: JOB|ARTIFACT, and --role.
 */
#ifndef FG_CLI_ARTIFACT_H
#define FG_CLI_ARTIFACT_H

#include "cli.h"

#include <filmgate/v1/artifact.pb-c.h>

/*
 * @operand: an artifact by its name, or a job, of which @role is meant (NULL: the video, or the first file if there is
 * none). *ret lives in *ret_reply, which is the caller's to free. Says what went wrong.
 */
enum exit_code artifact_find(struct cli *cli, const char *operand, const char *role, ProtobufCMessage **ret_reply,
			     const Filmgate__V1__Artifact **ret);

#endif
