/*
 * Where a video is to go, as -o says it. Looked at before anything is ordered, since an order is paid for even if its
 * file then finds no place.
 */
#ifndef FG_CLI_TARGET_H
#define FG_CLI_TARGET_H

#include "exit.h"

#include <stdbool.h>

enum target_kind {
	TARGET_FILE,   /* not there yet, or a regular file, perhaps behind a link: replaced when all is right */
	TARGET_FOLDER, /* takes the file under its own name */
	TARGET_STREAM, /* a device or a pipe: written straight into, never replaced */
	TARGET_STDOUT, /* "-", or another name of it such as /dev/stdout */
};

/* Creates nothing. EXIT_OK, or EXIT_USAGE, said: a video cannot go there. */
enum exit_code target_look(const char *path, enum target_kind *ret);

/* Does what goes to @path, which may be NULL, mix with what is printed? */
bool target_is_stdout(const char *path);

#endif
