/*
 * filmgate webhooks register, unregister and registered: that providers call the daemon.
 */
#include "cli.h"
#include "commands.h"
#include "grid.h"
#include "render.h"
#include "say.h"
#include "words.h"

#include "base/err.h"

#include <filmgate/v1/webhook_service.pb-c.h>

static const char *id_of(const Filmgate__V1__Registration *registration)
{
	return registration->provider + strcspn(registration->provider, "/") + 1;
}

static struct words time_of(const Google__Protobuf__Timestamp *timestamp)
{
	return timestamp ? words_of_local_time(timestamp->seconds) : (struct words){""};
}

/* ---- register, unregister ---- */

enum exit_code command_webhooks_register(struct cli *cli)
{
	_cleanup_(freep) char *provider = cli_provider_name(cli->arguments.operands[0]);
	_cleanup_(field_message_freep) ProtobufCMessage *message = NULL;
	Filmgate__V1__RegisterWebhookRequest request = FILMGATE__V1__REGISTER_WEBHOOK_REQUEST__INIT;
	const Filmgate__V1__Registration *made;
	enum exit_code code;

	if (!provider)
		return EXIT_USAGE;
	request.provider = provider;
	request.url = (char *)(uintptr_t)cli->arguments.operands[1];
	cli->deadline_ms = CLI_DEADLINE_PROVIDER_MS;
	code = cli_ask(cli, &filmgate__v1__webhook_service__descriptor, "RegisterWebhook", &request.base,
		       "cannot register webhooks", &message);
	if (code != EXIT_OK)
		return code;
	made = ((const Filmgate__V1__RegisterWebhookResponse *)(const void *)message)->registration;
	if (!render_for_programs(arguments_format(&cli->arguments), &made->base, made->provider, &code))
		render_line("%s calls %s", id_of(made), made->url);
	return code;
}

enum exit_code command_webhooks_unregister(struct cli *cli)
{
	_cleanup_(freep) char *provider = cli_provider_name(cli->arguments.operands[0]);
	_cleanup_(field_message_freep) ProtobufCMessage *message = NULL;
	Filmgate__V1__UnregisterWebhookRequest request = FILMGATE__V1__UNREGISTER_WEBHOOK_REQUEST__INIT;
	const Filmgate__V1__Registration *left;
	enum exit_code code;

	if (!provider)
		return EXIT_USAGE;
	request.provider = provider;
	cli->deadline_ms = CLI_DEADLINE_PROVIDER_MS;
	code = cli_ask(cli, &filmgate__v1__webhook_service__descriptor, "UnregisterWebhook", &request.base,
		       "cannot unregister webhooks", &message);
	if (code != EXIT_OK)
		return code;
	left = ((const Filmgate__V1__UnregisterWebhookResponse *)(const void *)message)->registration;
	render_line("%s", left->provider);
	return code;
}

/* ---- registered ---- */

static int add_row(struct grid *grid, const Filmgate__V1__Registration *row)
{
	struct words since = time_of(row->register_time);
	const char *note = row->configured ? "the configuration has a secret for it" : "";

	return grid_add(grid, (const char *const[]){id_of(row), row->url, row->remote_id, since.text, note}, 0, NULL);
}

static enum exit_code print_table(const Filmgate__V1__ListRegistrationsResponse *reply)
{
	static const struct grid_column columns[] = {
		{"PROVIDER", false}, {"URL", true}, {"ID", false}, {"SINCE", false}, {"NOTE", true}};
	_cleanup_(grid_freep) struct grid *grid = grid_new(columns, sizeof(columns) / sizeof(columns[0]));

	for (size_t i = 0; grid && i < reply->n_registrations; i++)
		if (add_row(grid, reply->registrations[i]))
			return EXIT_FAILED;
	if (!grid)
		return EXIT_FAILED;
	grid_print(grid);
	if (reply->n_registrations == 0)
		say_note("no configured provider can call this daemon");
	return EXIT_OK;
}

static enum exit_code print_json(const Filmgate__V1__ListRegistrationsResponse *reply)
{
	enum exit_code code = EXIT_OK;

	for (size_t i = 0; code == EXIT_OK && i < reply->n_registrations; i++) {
		fputs(i ? ",\n" : "[\n", stdout);
		code = render_document(&reply->registrations[i]->base, DOCUMENT_LAYOUT_INDENTED);
	}
	if (code == EXIT_OK)
		fputs(reply->n_registrations ? "]\n" : "[]\n", stdout);
	return code;
}

enum exit_code command_webhooks_registered(struct cli *cli)
{
	_cleanup_(field_message_freep) ProtobufCMessage *message = NULL;
	Filmgate__V1__ListRegistrationsRequest request = FILMGATE__V1__LIST_REGISTRATIONS_REQUEST__INIT;
	enum output_format format = arguments_format(&cli->arguments);
	const Filmgate__V1__ListRegistrationsResponse *reply;
	enum exit_code code = cli_ask(cli, &filmgate__v1__webhook_service__descriptor, "ListRegistrations",
				      &request.base, "cannot list who calls", &message);

	if (code != EXIT_OK)
		return code;
	reply = (const void *)message;
	if (format == FORMAT_TABLE)
		return print_table(reply);
	if (format == FORMAT_JSON)
		return print_json(reply);
	for (size_t i = 0; code == EXIT_OK && i < reply->n_registrations; i++) {
		if (format == FORMAT_NAME)
			render_line("%s", reply->registrations[i]->provider);
		else
			code = render_document(&reply->registrations[i]->base, DOCUMENT_LAYOUT_LINE);
	}
	return code;
}
