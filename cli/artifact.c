#include "artifact.h"

#include "field.h"
#include "render.h"
#include "say.h"

#include "base/err.h"

#include <filmgate/v1/artifact_service.pb-c.h>

#include <string.h>

static const Filmgate__V1__Artifact *choose(const Filmgate__V1__JobStatus *status, const char *role)
{
	for (size_t i = 0; status && i < status->n_artifacts; i++)
		if (!strcmp(status->artifacts[i]->role, role ? role : "video"))
			return status->artifacts[i];
	return !role && status && status->n_artifacts ? status->artifacts[0] : NULL;
}

static enum exit_code say_no_file(const Filmgate__V1__Job *job, const char *role)
{
	say_error("%s has no file%s%s", job->name, role ? " of role " : "", role ? role : "");
	for (size_t i = 0; job->status && i < job->status->n_artifacts; i++)
		say_more("%s  %s", job->status->artifacts[i]->name, job->status->artifacts[i]->role);
	if (job->status && job->status->state == FILMGATE__V1__JOB_STATE__JOB_STATE_UNCERTAIN)
		render_say_how_to_decide(cli_short_name(job->name));
	else
		say_more("next: 'filmgate get %s' shows where it stands", cli_short_name(job->name));
	return EXIT_NOT_FOUND;
}

static enum exit_code find_of_job(struct cli *cli, const char *operand, const char *role, ProtobufCMessage **ret_reply,
				  const Filmgate__V1__Artifact **ret)
{
	_cleanup_(freep) char *name = cli_job_name(operand);
	Filmgate__V1__Job *job;
	enum exit_code code;

	if (!name)
		return EXIT_USAGE;
	code = cli_get_job(cli, name, ret_reply, &job);
	if (code != EXIT_OK)
		return code;
	*ret = choose(job->status, role);
	if (!*ret)
		return say_no_file(job, role);
	if (!role && job->status->n_artifacts > 1)
		say_note("the job has %zu files; this is %s", job->status->n_artifacts, (*ret)->name);
	return EXIT_OK;
}

enum exit_code artifact_find(struct cli *cli, const char *operand, const char *role, ProtobufCMessage **ret_reply,
			     const Filmgate__V1__Artifact **ret)
{
	Filmgate__V1__GetArtifactRequest request = FILMGATE__V1__GET_ARTIFACT_REQUEST__INIT;
	enum exit_code code;

	if (!strstr(operand, "/artifacts/"))
		return find_of_job(cli, operand, role, ret_reply, ret);
	request.name = (char *)(uintptr_t)operand;
	code = cli_ask(cli, &filmgate__v1__artifact_service__descriptor, "GetArtifact", &request.base,
		       "cannot read the file's record", ret_reply);
	if (code == EXIT_OK)
		*ret = ((Filmgate__V1__GetArtifactResponse *)*ret_reply)->artifact;
	return code;
}
