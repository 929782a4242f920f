/*
 * One picture of a video, as a JPEG, made by ffmpeg in a child process. Blocking.
 */
#ifndef FG_ARTIFACT_STILL_H
#define FG_ARTIFACT_STILL_H

#include "artifact/artifact.h"

enum {
	_STILL_E_OK,
	STILL_E_IMPOSSIBLE, /* it will not become possible either: ffmpeg has looked, and made none */
	STILL_E_NOT_NOW,    /* for want of time, or of ffmpeg */
};

/*
 * @path: the program, or NULL. @fd: the video, a file of @media_type. @stop_fd: readable when the daemon ends, or -1. On 0
 * @ret_fd is the picture, in memory, of @ret_size bytes. An outcome from above, which has been logged.
 */
int still_make(const char *path, int fd, const char *media_type, enum artifact_still kind, int64_t timeout_ms,
	       int stop_fd, int *ret_fd, uint64_t *ret_size);

/* Removes the pictures of a content that is gone: its folder and name as below sha256/. 0 or negative errno. */
int stills_unlink(const struct artifact_store *store, const struct digest *sha256);

#endif
