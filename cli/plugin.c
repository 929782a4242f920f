/*
 * The kit for plugin authors is a program of its own, filmgate-plugin: it loads code that nobody knows and links the
 * daemon's rooms that run it. This one checks the words and becomes that one.
 */
#include "cli.h"
#include "commands.h"
#include "help.h"
#include "say.h"

#include "base/bytes.h"
#include "base/err.h"

#include <assert.h>
#include <limits.h>
#include <string.h>

#define PROGRAM "filmgate-plugin"
#define OPTIONS_MAX 128
#define OPERANDS_MAX 8 /* more than any of its verbs takes, by the table */

/* In a build tree and where somebody put both: beside this program. Installed: in libexec, wherever the prefix is now. */
static bool find_program(char *ret, size_t size)
{
	static const char *const places[] = {"", "../libexec/filmgate/", NULL};
	char self[PATH_MAX];
	ssize_t len = readlink("/proc/self/exe", self, sizeof(self) - 1);
	char *slash;

	self[len > 0 ? len : 0] = '\0';
	slash = strrchr(self, '/');
	if (slash)
		slash[1] = '\0';
	for (const char *const *place = places; slash && *place; place++) {
		snprintf(ret, size, "%s%s%s", self, *place, PROGRAM);
		if (access(ret, X_OK) == 0)
			return true;
	}
	snprintf(ret, size, "%s/%s", FILMGATE_LIBEXEC_DIR, PROGRAM);
	return access(ret, X_OK) == 0;
}

static bool is_for_everything(const struct option_row *row)
{
	for (const struct option_row *const *global = table_global_options; *global; global++)
		if (*global == row)
			return true;
	return false;
}

struct command_line {
	char program[2 * PATH_MAX];
	char *words[OPTIONS_MAX + OPERANDS_MAX + 4]; /* program, "--", verb and the NULL at the end */
	size_t n;
	struct buffer options[OPTIONS_MAX];
	size_t n_options;
};

static void finish(struct command_line *line)
{
	for (size_t i = 0; i < line->n_options; i++)
		buffer_finish(&line->options[i]);
}

/* In their order, and as often as they were given. */
static enum exit_code add_options(const struct arguments *arguments, struct command_line *line)
{
	for (size_t i = 0; i < arguments->n_given; i++) {
		const struct argument *given = &arguments->given[i];
		struct buffer *option = &line->options[line->n_options];

		if (is_for_everything(given->row))
			continue;
		if (line->n_options == OPTIONS_MAX) {
			say_error("there are more than %d options; the rest begins with '--%s=%.60s'", OPTIONS_MAX,
				  given->row->name, given->text);
			return EXIT_USAGE;
		}
		line->n_options++;
		if (buffer_printf(option, "--%s=%s", given->row->name, given->text) < 0) {
			say_error("%s", strerror(ENOMEM));
			return EXIT_FAILED;
		}
		line->words[line->n++] = option->data;
	}
	return EXIT_OK;
}

/* One that was no longer than the system allows may be so with its option's name in front. */
static enum exit_code say_why_not(const struct command_line *line, int error)
{
	size_t longest = 0;

	if (error != E2BIG) {
		say_error("%s: %s", line->program, strerror(error));
		return EXIT_FAILED;
	}
	for (size_t i = 0; i < line->n; i++)
		if (strlen(line->words[i]) > strlen(line->words[longest]))
			longest = i;
	say_error("the command line is too long for the system: '%.60s...' has %zu bytes; put what is long into a file",
		  line->words[longest], strlen(line->words[longest]));
	return EXIT_USAGE;
}

static enum exit_code become(struct cli *cli, const char *verb)
{
	const struct arguments *arguments = &cli->arguments;
	_cleanup_(finish) struct command_line line = {.words = {line.program}, .n = 1};
	enum exit_code code = add_options(arguments, &line);

	if (code != EXIT_OK)
		return code;
	line.words[line.n++] = (char *)"--";
	line.words[line.n++] = (char *)verb;
	assert(arguments->n_operands <= OPERANDS_MAX);
	for (int i = 0; i < arguments->n_operands; i++)
		line.words[line.n++] = arguments->operands[i];
	if (!find_program(line.program, sizeof(line.program))) {
		say_error(
			"the program %s is not installed; it comes with the SDK: cmake --install BUILD --component dev",
			PROGRAM);
		return EXIT_FAILED;
	}
	execv(line.program, line.words);
	return say_why_not(&line, errno);
}

enum exit_code command_plugin_new(struct cli *cli)
{
	return become(cli, "new");
}

enum exit_code command_plugin_inspect(struct cli *cli)
{
	return become(cli, "inspect");
}

enum exit_code command_plugin_check(struct cli *cli)
{
	return become(cli, "check");
}

enum exit_code command_plugin_embed(struct cli *cli)
{
	return become(cli, "embed");
}

/* No second word, or one that is none. */
enum exit_code command_plugin(struct cli *cli)
{
	if (cli->arguments.n_operands > 0)
		say_error("there is no 'plugin %s'", cli->arguments.operands[0]);
	else
		say_error("plugin needs a word more: new, inspect, check or embed");
	say_more("next: filmgate plugin --help");
	return EXIT_USAGE;
}
