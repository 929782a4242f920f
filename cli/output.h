/*
 * Standard output. It carries data that a script goes on with, so what did not get out is an error with a status of its
 * own; but a reader that has gone away (head, a pager) has had what it wanted, and is not told of it.
 */
#ifndef FG_CLI_OUTPUT_H
#define FG_CLI_OUTPUT_H

#include "exit.h"

/* Hands on what was printed. EXIT_OK, or EXIT_OUTPUT, the reason said once in the life of the program. */
enum exit_code output_flush(void);

#endif
