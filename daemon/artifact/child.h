/*
 * A program that looks at a file of a stranger: a child process with limits, a clean environment, no shell and no way
 * back to us but its two outputs. Blocking.
 */
#ifndef FG_ARTIFACT_CHILD_H
#define FG_ARTIFACT_CHILD_H

#include "base/err.h"

#include <stdint.h>
#include <sys/types.h>

enum {
	_CHILD_E_OK,
	CHILD_E_LATE,    /* it did not end in time and was killed */
	CHILD_E_STOPPED, /* the same, since the daemon ends */
};

struct child_order {
	const char *path;
	const char *const *arguments; /* NULL at the end; the first is its name */
	int fd;                       /* becomes its standard input, to be opened anew as /dev/fd/0 */
	uint64_t output_bytes;        /* of each output: more end it */
	uint64_t cpu_s;
	int64_t timeout_ms;
	int niceness; /* more than the caller's */
	int stop_fd;  /* readable: kill it; -1: none */
};

/* Inert with -1 in both. */
struct child {
	pid_t pid;
	int out_fd, err_fd; /* what it wrote, in memory */
	int status;         /* of waitpid() */
};

/* Runs it to its end; nothing of it is left behind. 0 however it ended, an outcome from above, or negative errno: it was
 * not started. @ret needs child_finish() whatever comes. */
int child_run(const struct child_order *order, struct child *ret);
void child_finish(struct child *child);

/* The one container that ffmpeg's programs may take a file of @media_type for: no playlist or list of files can then lead
 * them to other files or hosts. */
const char *child_container(const char *media_type);
/* What it said on its second output, cleaned; "" if nothing. */
#define CHILD_WORDS_SIZE 301
void child_words(const struct child *child, char ret[static CHILD_WORDS_SIZE]);
/* Cuts @words behind their first line, and leaves nothing in it that a terminal would obey: they are of the file's making
 * in part. */
void child_clean(char *words);

#endif
