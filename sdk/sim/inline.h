/*
 * A reply that carries videos inside itself: JSON around the base64 of rendered files, of any size, from disk.
 */
#ifndef FG_SIM_INLINE_H
#define FG_SIM_INLINE_H

#include "sim/sim.h"

/* Stands in the JSON where the video is to come. */
#define SIM_INLINE_VIDEO "%%the video of this generation%%"

/*
 * 200 with @json, which is consumed, as a file without a name: each SIM_INLINE_VIDEO in it becomes the base64 of the
 * generation's MP4, made @padding bytes longer by a box that players pass over (8 at least; 0: none).
 */
int sim_inline_send(struct sim *sim, const struct sim_generation *generation, json_t *json, uint64_t padding,
		    struct sim_reply *reply);

#endif
