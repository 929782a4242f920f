/*
 * The pictures of a video, decoded by ffmpeg in a child process. Blocking.
 */
#ifndef FG_ARTIFACT_LOOK_H
#define FG_ARTIFACT_LOOK_H

#include "artifact/artifact.h"

/*
 * @path: the program. @fd: the video, of which @sealed says what it is. @stop_fd: readable when the daemon ends, or -1.
 * What is not known has a reason, and the log says it.
 */
struct artifact_looked look_ask(const char *path, int fd, const struct artifact_sealed *sealed, int64_t timeout_ms,
				int stop_fd);

#endif
