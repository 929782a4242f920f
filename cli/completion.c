/*
 * The bash completion, printed from the table. It is static: it asks no daemon.
 */
#include "cli.h"
#include "commands.h"
#include "say.h"

#include <stdio.h>
#include <string.h>

static void print_names(const struct option_row *const *rows)
{
	for (; rows && *rows; rows++) {
		printf(" --%s", (*rows)->name);
		if ((*rows)->letter)
			printf(" -%c", (*rows)->letter);
	}
}

static bool is_second_word(const struct command *command)
{
	return strchr(command->name, ' ') != NULL;
}

static void print_words(void)
{
	printf("\tlocal commands='");
	for (const struct command *c = table_commands; c->name; c++)
		if (!is_second_word(c))
			printf("%s%s", c == table_commands ? "" : " ", c->name);
	printf("'\n\tlocal global='");
	print_names(table_global_options);
	printf("'\n");
}

/* The names under which an option that wants a file, or one of the formats, stands in this command. */
static void print_valued(const char *variable, const struct command *command, enum option_id id, enum option_id or)
{
	printf(" %s='", variable);
	for (const struct option_row *const *rows = command->options; rows && *rows; rows++) {
		if ((*rows)->id != id && (*rows)->id != or)
			continue;
		printf(" --%s", (*rows)->name);
		if ((*rows)->letter)
			printf(" -%c", (*rows)->letter);
	}
	printf(" '");
}

static void print_command_cases(void)
{
	printf("\tcase $command in\n");
	for (const struct command *c = table_commands; c->name; c++) {
		printf("\t'%s') words='", c->name);
		print_names(c->options);
		for (const struct command *other = table_commands; other->name; other++)
			if (!strncmp(other->name, c->name, strlen(c->name)) && other->name[strlen(c->name)] == ' ')
				printf(" %s", other->name + strlen(c->name) + 1);
		if (c->run == command_completion)
			printf(" bash");
		printf("'");
		print_valued("files", c, OPTION_OUTPUT, OPTION_FILE);
		print_valued("formats", c, OPTION_FORMAT, OPTION_FORMAT);
		printf(" ;;\n");
	}
	printf("\t*) words=$commands ;;\n\tesac\n");
}

/* Finds the command among the words before the cursor, the first two that are no options: "providers get", "assets upload". */
static void print_script(void)
{
	printf("# bash completion for filmgate, printed by 'filmgate completion bash'\n"
	       "_filmgate()\n{\n"
	       "\tlocal current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]}\n"
	       "\tlocal command='' words='' files='' formats='' word i\n");
	print_words();
	printf("\tfor ((i = 1; i < COMP_CWORD; i++)); do\n"
	       "\t\tword=${COMP_WORDS[i]}\n"
	       "\t\t[[ $word == -* || ${COMP_WORDS[i-1]} == --server || ${COMP_WORDS[i-1]} == -s ]] && continue\n"
	       "\t\tif [[ -z $command ]]; then\n"
	       "\t\t\tcommand=$word\n"
	       "\t\telif [[ $command == providers || $command == assets || $command == plugin || $command == webhooks ]]; then\n"
	       "\t\t\tcommand=\"$command $word\"\n"
	       "\t\tfi\n"
	       "\tdone\n");
	print_command_cases();
	printf("\tcase $files in *\" $previous \"*) COMPREPLY=($(compgen -f -- \"$current\")); return ;; esac\n"
	       "\tcase $formats in *\" $previous \"*) words='");
	for (const char *const *word = table_formats; *word; word++)
		printf("%s%s", word == table_formats ? "" : " ", *word);
	printf("' global='' ;; esac\n"
	       "\tCOMPREPLY=($(compgen -W \"$words $global\" -- \"$current\"))\n"
	       "}\n"
	       "complete -o default -F _filmgate filmgate\n");
}

enum exit_code command_completion(struct cli *cli)
{
	const char *shell = cli->arguments.operands[0];

	if (strcmp(shell, "bash") != 0) {
		say_error("there is no completion for '%s', only for bash", shell);
		return EXIT_USAGE;
	}
	print_script();
	return EXIT_OK;
}
