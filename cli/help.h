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

/* An entry of a list: a name, and its text beside it, broken between words. */
void help_print_entry(const char *name, const char *text, FILE *out);

#endif
