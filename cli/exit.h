/*
 * How the program ends. Scripts branch on these numbers: they never change their meaning.
 */
#ifndef FG_CLI_EXIT_H
#define FG_CLI_EXIT_H

#include <stddef.h>

enum exit_code {
	EXIT_OK = 0,
	EXIT_FAILED = 1,
	EXIT_USAGE = 2,
	EXIT_NOT_FOUND = 3,
	EXIT_AUTH = 4,
	EXIT_UNREACHABLE = 5,
	EXIT_JOB_FAILED = 6,
	EXIT_JOB_CANCELLED = 7,
	EXIT_OUTPUT = 8,
	EXIT_JOB_UNCERTAIN = 9,
	EXIT_TIMED_OUT = 124,
	EXIT_INTERRUPTED = 130,
};

struct exit_meaning {
	enum exit_code code;
	const char *meaning;
};

/* All of them, ended by a row without meaning. */
extern const struct exit_meaning exit_meanings[];

#endif
