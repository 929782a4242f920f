/*
 * Writing the whole of something: write() may take less than it was given, and be interrupted before it takes any. And
 * what makes a file's name last.
 */
#ifndef FG_BASE_WRITE_H
#define FG_BASE_WRITE_H

#include "base/bytes.h"

/* Return 0 once the kernel has all of @bytes, or the negative errno of the call that took no more. */
int write_fully(int fd, struct bytes bytes);
/* At *at bytes from the beginning, wherever the file stands; *at moves by what was written, on failure too. */
int write_fully_at(int fd, struct bytes bytes, uint64_t *at);

/* Makes sure that the names in the folder survive a power cut. 0 or negative errno. */
int sync_folder(const char *path);

#endif
