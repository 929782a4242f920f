/*
 * Renders pictures with ffmpeg, a few children at a time, into a folder that several simulators may share. A file
 * appears there whole, under the name of what it shows, or not at all.
 */
#ifndef FG_SIM_RENDER_H
#define FG_SIM_RENDER_H

#include "base/err.h"
#include "sim/clock.h"
#include "sim/loop.h"
#include "sim/picture.h"

enum sim_render_state { SIM_RENDER_WAITING, SIM_RENDER_RUNNING, SIM_RENDER_DONE, SIM_RENDER_FAILED };

enum {
	_SIM_RENDER_E_OK,
	SIM_RENDER_E_UNFIT, /* ffmpeg or the font is missing or lacks something: see the message */
};

struct sim_render_spec {
	struct sim_loop *loop;
	const struct sim_clock *clock;
	const char *cache; /* folder; created */
	const char *ffmpeg;
	const char *font; /* NULL: DejaVu Sans Mono where distributions put it */
	int children;
	int timeout_s; /* of one child */
};

struct sim_render_count {
	uint64_t waiting, running, done, cached, failed;
};

struct sim_render;

/* Tries ffmpeg once with all that is needed of it, about a tenth of a second. The spec's texts outlive the renderer. */
int sim_render_new(const struct sim_render_spec *spec, struct errmsg *msg, struct sim_render **ret);
/* Kills the children and waits for them. */
struct sim_render *sim_render_free(struct sim_render *render);
void sim_render_freep(struct sim_render **render);

/* Makes sure that the picture is there, is being made or waits for it. Copies what it needs. */
int sim_render_order(struct sim_render *render, const struct sim_picture *picture);
/* @ret_done_ms is the clock's monotonic instant at which it was done, 0 for what had been in the folder. */
enum sim_render_state sim_render_state(struct sim_render *render, const char *key, int64_t *ret_done_ms);
/* The file of a finished picture; @suffix is "mp4", "webm", "captioned.mp4", "captioned.webm", "jpg", "gif" or "srt". */
int sim_render_open(struct sim_render *render, const char *key, const char *suffix, int *ret_fd);
struct sim_render_count sim_render_count(const struct sim_render *render);

/* A child has ended: called on SIGCHLD. */
void sim_render_reap(struct sim_render *render);

#endif
