/*
 * A parsed command line: the command, its operands, and the options in the order in which they were given, each one
 * checked against its row of the table. Everything is borrowed from argv.
 */
#ifndef FG_CLI_ARGUMENTS_H
#define FG_CLI_ARGUMENTS_H

#include "table.h"

#include <stddef.h>

struct errmsg;

enum {
	_ARGUMENTS_E_OK,
	ARGUMENTS_E_USAGE, /* the errmsg says what is wrong */
};

struct argument {
	const struct option_row *row;
	const char *text; /* NULL for flags */
	int64_t number;   /* of numbers, durations (ms; -1 when a maybe-duration has none) and choices */
};

/* Inert when zeroed. */
struct arguments {
	const struct command *command; /* NULL: none was named */
	struct argument *given;
	size_t n_given;
	char **operands;
	int n_operands;
};

/* Permutes @argv. On ARGUMENTS_E_USAGE the command is set if it was recognised, and --help counts if it was given
 * before the fault; arguments_finish() is due in every case. */
int arguments_parse(int argc, char **argv, struct arguments *ret, struct errmsg *error);
void arguments_finish(struct arguments *arguments);

/* The last one wins where an option is given twice. */
bool arguments_has(const struct arguments *arguments, enum option_id id);
const char *arguments_text(const struct arguments *arguments, enum option_id id);
int64_t arguments_number(const struct arguments *arguments, enum option_id id, int64_t fallback);
enum output_format arguments_format(const struct arguments *arguments);

/* The command of one word or two; NULL if there is none. @second may be NULL. */
const struct command *arguments_find_command(const char *first, const char *second);

#endif
