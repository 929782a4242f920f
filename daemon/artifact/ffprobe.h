/*
 * The second opinion: ffprobe in a child process with limits, clean environment and no shell. Blocking.
 */
#ifndef FG_ARTIFACT_FFPROBE_H
#define FG_ARTIFACT_FFPROBE_H

#include "artifact/probe.h"

enum {
	FFPROBE_E_NONE = 100, /* it is missing, crashed, or did not answer: no opinion; a warning is logged */
};

/*
 * @path: the program. @fd: the video. @probe: what the bytes said; what ffprobe knows better is changed.
 * Returns 0, ARTIFACT_E_NOT_MEDIA with its words, or FFPROBE_E_NONE.
 */
int ffprobe_ask(const char *path, int fd, int64_t timeout_ms, struct probe *probe, struct errmsg *msg);

#endif
