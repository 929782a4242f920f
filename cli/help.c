#include "help.h"

#include "arguments.h"
#include "cli.h"
#include "commands.h"
#include "say.h"

#include <string.h>

#define WIDTH 100
#define INDENT 26

/* Bytes that continue a character take no column. */
static int columns_of(const char *text, int len)
{
	int columns = 0;

	for (int i = 0; i < len; i++)
		columns += ((unsigned char)text[i] & 0xc0) != 0x80;
	return columns;
}

/* Writes @text from column @indent on, broken between words; the first line is there already up to that column. */
static void print_wrapped(const char *text, int indent, FILE *out)
{
	int column = indent;

	while (*text) {
		int len = (int)strcspn(text, " \n"), width = columns_of(text, len);

		if (column > indent && column + 1 + width > WIDTH) {
			fprintf(out, "\n%*s", indent, "");
			column = indent;
		} else if (column > indent) {
			fputc(' ', out);
			column++;
		}
		fprintf(out, "%.*s", len, text);
		column += width;
		text += len;
		for (; *text == '\n'; text++, column = indent)
			fprintf(out, "\n%*s", indent, "");
		text += *text == ' ';
	}
	fputc('\n', out);
}

void help_print_entry(const char *name, const char *text, FILE *out)
{
	int column = 2 + columns_of(name, (int)strlen(name));

	fprintf(out, "  %s", name);
	if (column >= INDENT)
		fprintf(out, "\n%*s", INDENT, "");
	else
		fprintf(out, "%*s", INDENT - column, "");
	print_wrapped(text, INDENT, out);
}

static void print_option(const struct option_row *row, FILE *out)
{
	char name[64], letter[6] = "    ";

	if (row->letter)
		snprintf(letter, sizeof(letter), "-%c, ", row->letter);
	if (row->type == OPTION_TYPE_MAYBE_DURATION)
		snprintf(name, sizeof(name), "%s--%s[=%s]", letter, row->name, row->metavar);
	else
		snprintf(name, sizeof(name), "%s--%s%s%s", letter, row->name, row->metavar ? " " : "",
			 row->metavar ? row->metavar : "");
	help_print_entry(name, row->help, out);
}

static void print_options(const char *heading, const struct option_row *const *rows, FILE *out)
{
	fprintf(out, "\n%s:\n", heading);
	for (; *rows; rows++)
		print_option(*rows, out);
}

static void print_exit_codes(FILE *out)
{
	fprintf(out, "\nExit status:\n");
	for (const struct exit_meaning *row = exit_meanings; row->meaning; row++) {
		char number[8];

		snprintf(number, sizeof(number), "%d", (int)row->code);
		help_print_entry(number, row->meaning, out);
	}
}

void help_print(FILE *out)
{
	fprintf(out, "usage: filmgate [OPTIONS] COMMAND …\n\n"
		     "Orders videos from AI generators through the daemon filmgated, and fetches them.\n\nCommands:\n");
	for (const struct command *c = table_commands; c->name; c++) {
		char name[64];

		snprintf(name, sizeof(name), "%s%s%s", c->name, *c->operands ? " " : "", c->operands);
		help_print_entry(name, c->summary, out);
	}
	print_options("Options, before or behind the command", table_global_options, out);
	print_exit_codes(out);
	fprintf(out,
		"\nThe daemon is the one of --server, else of the environment variable FILMGATE_SERVER, else of the\n"
		"line 'server = ADDRESS' in ~/.config/filmgate/config, else %s if somebody\n"
		"listens there, else %s. NO_COLOR turns colours off.\n"
		"\n'filmgate COMMAND --help' explains a command.\n",
		SERVER_DEFAULT_SOCKET, SERVER_DEFAULT_ADDRESS);
}

void help_print_command(const struct command *command, FILE *out)
{
	bool has_options = command->options && command->options[0];

	fprintf(out, "usage: filmgate %s%s%s%s\n\n", command->name, has_options ? " [OPTIONS]" : "",
		*command->operands ? " " : "", command->operands);
	print_wrapped(command->summary, 0, out);
	if (command->details) {
		fputc('\n', out);
		print_wrapped(command->details, 0, out);
	}
	if (has_options)
		print_options("Options", command->options, out);
	print_options("Options of every command", table_global_options, out);
	for (const char *const *line = command->examples; line && *line; line++)
		fprintf(out, "%s  %s\n", line == command->examples ? "\nExamples:\n" : "", *line);
	if (command->needs_daemon)
		print_exit_codes(out);
}

enum exit_code command_help(struct cli *cli)
{
	const struct arguments *arguments = &cli->arguments;
	const struct command *command;

	if (arguments->n_operands == 0) {
		help_print(stdout);
		return EXIT_OK;
	}
	command = arguments_find_command(arguments->operands[0], arguments->operands[1]);
	if (!command) {
		say_error("there is no command '%s'; 'filmgate help' shows all", arguments->operands[0]);
		return EXIT_USAGE;
	}
	help_print_command(command, stdout);
	return EXIT_OK;
}

enum exit_code command_version(struct cli *cli)
{
	(void)cli;
	printf("filmgate %s\n", FILMGATE_VERSION);
	return EXIT_OK;
}
