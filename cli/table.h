/*
 * The one table of commands and options. Parsing, --help and the shell completion all read it, so that none of them
 * can know of something that the others do not.
 */
#ifndef FG_CLI_TABLE_H
#define FG_CLI_TABLE_H

#include "exit.h"

#include <stdbool.h>
#include <stdint.h>

struct cli;

/* What an option means, whatever its letter in a command. */
enum option_id {
	OPTION_NONE,
	OPTION_SERVER,
	OPTION_DEADLINE,
	OPTION_RETRY_FOR,
	OPTION_QUIET,
	OPTION_HELP,
	OPTION_FORMAT,
	OPTION_OUTPUT,
	OPTION_PROMPT,
	OPTION_SCRIPT,
	OPTION_MODEL,
	OPTION_AVATAR,
	OPTION_VOICE,
	OPTION_PARAM,
	OPTION_IMAGE,
	OPTION_VIDEO,
	OPTION_AUDIO,
	OPTION_REFERENCE,
	OPTION_LABEL,
	OPTION_REMOVE_LABEL,
	OPTION_NAME,
	OPTION_PRIORITY,
	OPTION_TIMEOUT,
	OPTION_WAIT,
	OPTION_DRY_RUN,
	OPTION_ADAPT,
	OPTION_REQUEST_ID,
	OPTION_FILE,
	OPTION_STATE,
	OPTION_PROVIDER,
	OPTION_SINCE,
	OPTION_LIMIT,
	OPTION_REMOTE,
	OPTION_ROLE,
	OPTION_TTL,
	OPTION_UNCERTAIN,
	OPTION_FOUND,
	OPTION_ABSENT,
	OPTION_ALL,
	OPTION_GIVE_UP,
	OPTION_SECONDS,
	OPTION_REPLAY,
	OPTION_SEED,
	OPTION_KEEP,
	OPTION_SETTING,
	OPTION_LANGUAGE,
	OPTION_QUERY,
	OPTION_COUNT,
	OPTION_MAX_AGE,
	OPTION_BY,
	OPTION_FROM,
	OPTION_TO,
	OPTION_CHECK,
	OPTION_ON_UNCERTAIN,
	OPTION_NOT_BEFORE,
	OPTION_RETRY_IF_UNCHARGED,
	OPTION_FALLBACK,
	OPTION_ON_MISMATCH,
	OPTION_FORCE,
	OPTION_WEBHOOK,
	OPTION_ENDPOINT,
	OPTION_JOB,
	OPTION_DEAD,
};

enum option_type {
	OPTION_TYPE_FLAG,
	OPTION_TYPE_TEXT,
	OPTION_TYPE_PAIR,           /* KEY=VALUE */
	OPTION_TYPE_NUMBER,         /* whole, within the row's limits */
	OPTION_TYPE_DURATION,       /* milliseconds once parsed */
	OPTION_TYPE_MAYBE_DURATION, /* --wait or --wait=5m */
	OPTION_TYPE_CHOICE,         /* one of the row's words; the index once parsed */
};

struct option_row {
	enum option_id id;
	enum option_type type;
	char letter; /* 0: none */
	const char *name;
	const char *metavar; /* NULL for flags */
	const char *help;
	const char *const *choices; /* ended by NULL */
	int64_t least, most;
};

struct command {
	const char *name;                        /* "submit", "providers check" */
	const char *operands;                    /* "PROVIDER [PROMPT]", or "" */
	const char *summary;                     /* one line */
	const char *details;                     /* more, for --help; may be NULL */
	const char *const *examples;             /* ended by NULL; may be NULL */
	const struct option_row *const *options; /* ended by NULL; the global ones are understood besides */
	int operands_min, operands_max;
	bool needs_daemon;
	enum exit_code (*run)(struct cli *cli);
};

/* Ended by a row without name. A name of two words follows the command of its first word. */
extern const struct command table_commands[];
/* Understood before and behind every command; ended by NULL. */
extern const struct option_row *const table_global_options[];
/* The words of --format, by enum output_format. */
extern const char *const table_formats[];

enum output_format { FORMAT_TABLE, FORMAT_JSON, FORMAT_JSONL, FORMAT_NAME };

#endif
