#include "cli.h"
#include "help.h"
#include "interrupt.h"
#include "output.h"
#include "say.h"

#include "base/err.h"
#include "base/log.h"

#include <locale.h>
#include <stdio.h>
#include <unistd.h>

#define OUTPUT_BYTES (64 << 10) /* --help whole */

static enum exit_code connect(struct cli *cli)
{
	struct errmsg error;

	if (server_choose(arguments_text(&cli->arguments, OPTION_SERVER), &cli->server, &error)) {
		say_error("%s", error.text);
		return EXIT_USAGE;
	}
	cli->client = client_new(cli->server.target);
	return cli->client ? EXIT_OK : EXIT_FAILED;
}

static enum exit_code say_usage(const struct cli *cli, int r, const struct errmsg *error)
{
	const char *name = cli->arguments.command ? cli->arguments.command->name : "help";

	if (r < 0) {
		say_error("%s", strerror(-r));
		return EXIT_FAILED;
	}
	say_error("%s", error->text);
	say_more("next: filmgate %s%s", name, cli->arguments.command ? " --help" : "");
	return EXIT_USAGE;
}

static enum exit_code run(struct cli *cli)
{
	const struct command *command = cli->arguments.command;
	enum exit_code code;

	if (arguments_has(&cli->arguments, OPTION_HELP)) {
		if (command)
			help_print_command(command, stdout);
		else
			help_print(stdout);
		return EXIT_OK;
	}
	if (!command) {
		help_print(stderr);
		return EXIT_USAGE;
	}
	code = command->needs_daemon ? connect(cli) : EXIT_OK;
	return code == EXIT_OK ? command->run(cli) : code;
}

int main(int argc, char **argv)
{
	static char output[OUTPUT_BYTES];
	struct cli cli = {.clock = &clock_system, .deadline_ms = CLI_DEADLINE_MS};
	struct errmsg error = {""};
	enum exit_code code, written;
	int r;

	/* When an earlier write than the last one fails, nobody knows its errno any more. */
	setvbuf(stdout, output, isatty(STDOUT_FILENO) ? _IOLBF : _IOFBF, sizeof(output));
	setlocale(LC_CTYPE, "");
	log_setup(LOG_FORMAT_TEXT, getenv("FILMGATE_DEBUG") ? LOG_LEVEL_DEBUG : LOG_LEVEL_ERROR);
	interrupt_start();
	r = arguments_parse(argc, argv, &cli.arguments, &error);
	if (arguments_has(&cli.arguments, OPTION_QUIET))
		say_quietly();
	code = r ? say_usage(&cli, r, &error) : run(&cli);
	client_free(cli.client);
	arguments_finish(&cli.arguments);
	written = output_flush();
	return (int)(code == EXIT_OK ? written : code);
}
