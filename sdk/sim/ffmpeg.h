/*
 * The command lines of ffmpeg, and starting it.
 */
#ifndef FG_SIM_FFMPEG_H
#define FG_SIM_FFMPEG_H

#include "sim/picture.h"

#include <sys/types.h>

/*
 * Starts @program in @folder, which holds script.txt and font.ttf and receives video.mp4 or video.webm, the same with
 * captions if they were ordered (captioned.mp4), thumbnail.jpg, preview.gif and log.txt. The child is the leader of its own process group.
 */
int sim_ffmpeg_start(const char *program, const char *folder, const struct sim_picture *picture, int font_px,
		     pid_t *ret_pid);
const char *sim_format_suffix(enum sim_format format);

#endif
