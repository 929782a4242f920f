/*
 * What the table says of itself: usage for a person.
 */
#ifndef FG_CLI_HELP_H
#define FG_CLI_HELP_H

#include "table.h"

#include <stdio.h>

/* The program as a whole: commands, global options, exit codes, environment. */
void help_print(FILE *out);
void help_print_command(const struct command *command, FILE *out);

#endif
