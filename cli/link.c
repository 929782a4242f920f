#include "artifact.h"
#include "commands.h"
#include "field.h"
#include "render.h"
#include "say.h"

#include "base/err.h"

#include <filmgate/v1/artifact_service.pb-c.h>

enum exit_code command_link(struct cli *cli)
{
	_cleanup_(field_message_freep) ProtobufCMessage *found = NULL, *message = NULL;
	Filmgate__V1__CreateArtifactLinkRequest request = FILMGATE__V1__CREATE_ARTIFACT_LINK_REQUEST__INIT;
	Google__Protobuf__Duration ttl = GOOGLE__PROTOBUF__DURATION__INIT;
	const char *role = arguments_text(&cli->arguments, OPTION_ROLE);
	const Filmgate__V1__CreateArtifactLinkResponse *reply;
	const Filmgate__V1__Artifact *artifact;
	int64_t ms = arguments_number(&cli->arguments, OPTION_TTL, -1);
	enum exit_code code = artifact_find(cli, cli->arguments.operands[0], role, &found, &artifact);

	if (code != EXIT_OK)
		return code;
	request.name = artifact->name;
	ttl.seconds = ms / 1000;
	ttl.nanos = (int32_t)(ms % 1000 * 1000000);
	if (ms >= 0)
		request.ttl = &ttl;
	code = cli_ask(cli, &filmgate__v1__artifact_service__descriptor, "CreateArtifactLink", &request.base,
		       "cannot make the link", &message);
	if (code != EXIT_OK)
		return code;
	reply = (const void *)message;
	if (!render_for_programs(arguments_format(&cli->arguments), &reply->base, reply->url, &code))
		render_line("%s", reply->url);
	if (*reply->url == '/')
		say_note("put the address of the daemon's HTTP side before it; web.url in its configuration does that");
	return code;
}
