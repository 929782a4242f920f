/*
 * What is written to standard error between start and end, as text. The test's own messages are not lost: cmocka
 * writes its report after the end.
 */
#ifndef FG_TESTS_UNIT_CAPTURE_H
#define FG_TESTS_UNIT_CAPTURE_H

#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

static int capture_file = -1, capture_kept = -1;

static inline void capture_start(void)
{
	fflush(stderr);
	capture_kept = dup(STDERR_FILENO);
	capture_file = memfd_create("capture", MFD_CLOEXEC);
	/* A memfd's position is not guarded against two writers; appending is. */
	fcntl(capture_file, F_SETFL, O_APPEND);
	dup2(capture_file, STDERR_FILENO);
}

/* Fills @text with what came, cut to @size and with a NUL at the end; returns how many bytes came in all. */
static inline size_t capture_end(char *text, size_t size)
{
	ssize_t n;
	off_t all;

	fflush(stderr);
	dup2(capture_kept, STDERR_FILENO);
	close(capture_kept);
	all = lseek(capture_file, 0, SEEK_END);
	n = pread(capture_file, text, size - 1, 0);
	close(capture_file);
	text[n > 0 ? n : 0] = '\0';
	return all > 0 ? (size_t)all : 0;
}

#endif
