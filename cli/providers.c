#include "capability.h"
#include "cli.h"
#include "commands.h"
#include "grid.h"
#include "render.h"
#include "say.h"

#include "base/err.h"

#include <filmgate/v1/provider_service.pb-c.h>

static int add_row(struct grid *grid, const Filmgate__V1__Provider *provider)
{
	_cleanup_(buffer_finish) struct buffer models = {0}, problem = {0};
	char running[32], queued[24];

	for (size_t i = 0; i < provider->n_models; i++)
		buffer_printf(&models, "%s%s", i ? ", " : "", provider->models[i]);
	if (buffer_append_text(&problem, provider->problem))
		return err_origin(-ENOMEM);
	say_make_safe(problem.data);
	snprintf(running, sizeof(running), "%u of %u", provider->running_count, provider->concurrency);
	snprintf(queued, sizeof(queued), "%llu", (unsigned long long)provider->queued_count);
	return grid_add(grid,
			(const char *const[]){provider->name + strcspn(provider->name, "/") + 1, provider->plugin,
					      models.data ? models.data : "", running, queued, problem.data},
			5, render_is_colored() ? "\033[31m" : NULL);
}

static enum exit_code print_table(const Filmgate__V1__ListProvidersResponse *reply)
{
	static const struct grid_column columns[] = {{"PROVIDER", false}, {"PLUGIN", false}, {"MODELS", true},
						     {"RUNNING", false},  {"QUEUED", false}, {"PROBLEM", true}};
	_cleanup_(grid_freep) struct grid *grid = grid_new(columns, sizeof(columns) / sizeof(columns[0]));

	for (size_t i = 0; grid && i < reply->n_providers; i++)
		if (add_row(grid, reply->providers[i]))
			return EXIT_FAILED;
	if (!grid)
		return EXIT_FAILED;
	grid_print(grid);
	if (reply->n_providers == 0)
		say_note("no providers are configured");
	for (size_t i = 0; i < reply->n_providers; i++)
		if (reply->providers[i]->previous_key_count)
			say_note("%s has %u previous key%s for jobs that were ordered with %s",
				 reply->providers[i]->name + strcspn(reply->providers[i]->name, "/") + 1,
				 reply->providers[i]->previous_key_count,
				 reply->providers[i]->previous_key_count > 1 ? "s" : "",
				 reply->providers[i]->previous_key_count > 1 ? "them" : "it");
	return EXIT_OK;
}

static enum exit_code print_list(const Filmgate__V1__ListProvidersResponse *reply, enum output_format format)
{
	enum exit_code code = EXIT_OK;

	for (size_t i = 0; code == EXIT_OK && i < reply->n_providers; i++) {
		if (format == FORMAT_NAME)
			printf("%s\n", reply->providers[i]->name);
		else
			code = render_document(&reply->providers[i]->base, DOCUMENT_LAYOUT_LINE);
	}
	return code;
}

/* One JSON value, as `list` has it: the array of the reply's only field. */
static enum exit_code print_array(const Filmgate__V1__ListProvidersResponse *reply)
{
	_cleanup_(json_freep) struct json *json = json_new(NULL);
	json_node list;

	if (!json)
		return EXIT_FAILED;
	list = json_array(json);
	for (size_t i = 0; i < reply->n_providers; i++)
		json_append(json, list, document_of_message(json, &reply->providers[i]->base));
	if (document_print(json, list, DOCUMENT_LAYOUT_INDENTED, stdout) == 0)
		return EXIT_OK;
	say_error("cannot write the daemon's reply as JSON");
	return EXIT_FAILED;
}

enum exit_code command_providers(struct cli *cli)
{
	_cleanup_(field_message_freep) ProtobufCMessage *message = NULL;
	Filmgate__V1__ListProvidersRequest request = FILMGATE__V1__LIST_PROVIDERS_REQUEST__INIT;
	enum output_format format = arguments_format(&cli->arguments);
	enum exit_code code;

	code = cli_ask(cli, &filmgate__v1__provider_service__descriptor, "ListProviders", &request.base,
		       "cannot list providers", &message);
	if (code != EXIT_OK)
		return code;
	if (format == FORMAT_TABLE)
		return print_table((const void *)message);
	if (format == FORMAT_JSON)
		return print_array((const void *)message);
	return print_list((const void *)message, format);
}

enum exit_code command_providers_get(struct cli *cli)
{
	_cleanup_(freep) char *name = cli_provider_name(cli->arguments.operands[0]);
	_cleanup_(field_message_freep) ProtobufCMessage *message = NULL;
	Filmgate__V1__GetProviderRequest request = FILMGATE__V1__GET_PROVIDER_REQUEST__INIT;
	const Filmgate__V1__Provider *provider;
	enum exit_code code;

	if (!name)
		return EXIT_USAGE;
	request.name = name;
	code = cli_ask(cli, &filmgate__v1__provider_service__descriptor, "GetProvider", &request.base,
		       "cannot read the provider", &message);
	if (code != EXIT_OK)
		return code;
	provider = ((Filmgate__V1__GetProviderResponse *)message)->provider;
	if (!render_for_programs(arguments_format(&cli->arguments), &provider->base, provider->name, &code))
		return capability_print(provider, arguments_text(&cli->arguments, OPTION_MODEL));
	return code;
}

static void print_check(const char *name, const Filmgate__V1__CheckProviderResponse *reply)
{
	char outcome[FIELD_NAME_SIZE];

	field_enum_word(&filmgate__v1__check_outcome__descriptor, (int)reply->outcome, outcome);
	render_line("%s  %s  %s", name, outcome, reply->message);
	for (size_t i = 0; i < reply->n_facts; i++)
		render_line("  %s: %s", reply->facts[i]->label, reply->facts[i]->value);
}

enum exit_code command_providers_check(struct cli *cli)
{
	_cleanup_(freep) char *name = cli_provider_name(cli->arguments.operands[0]);
	_cleanup_(field_message_freep) ProtobufCMessage *message = NULL;
	Filmgate__V1__CheckProviderRequest request = FILMGATE__V1__CHECK_PROVIDER_REQUEST__INIT;
	const Filmgate__V1__CheckProviderResponse *reply;
	enum exit_code code;

	if (!name)
		return EXIT_USAGE;
	request.name = name;
	cli->deadline_ms = CLI_DEADLINE_PROVIDER_MS;
	code = cli_ask(cli, &filmgate__v1__provider_service__descriptor, "CheckProvider", &request.base,
		       "cannot check the provider", &message);
	if (code != EXIT_OK)
		return code;
	reply = (const void *)message;
	if (!render_for_programs(arguments_format(&cli->arguments), &reply->base, name, &code))
		print_check(name + strcspn(name, "/") + 1, reply);
	if (code == EXIT_OK && reply->outcome != FILMGATE__V1__CHECK_OUTCOME__CHECK_OUTCOME_OK)
		return EXIT_FAILED;
	return code;
}
