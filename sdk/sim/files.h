/*
 * The file host: signed links, ranges, real bytes from disk.
 */
#ifndef FG_SIM_FILES_H
#define FG_SIM_FILES_H

#include "sim/sim.h"

enum {
	_SIM_RANGE_E_OK,
	SIM_RANGE_E_WHOLE,         /* not a single byte range: the whole file is the answer */
	SIM_RANGE_E_UNSATISFIABLE, /* begins behind the end */
};

/* RFC 9110, section 14: @text is the Range header. @ret_offset and @ret_len lie within @size. */
int sim_range_read(const char *text, uint64_t size, uint64_t *ret_offset, uint64_t *ret_len);

/* The file of a finished video, or the part of it that the request's Range names. */
int sim_files_send(struct sim *sim, const struct sim_call *call, const struct sim_generation *generation,
		   const char *suffix, const char *content_type, struct sim_reply *reply);
int sim_files_serve(struct sim *sim, const struct sim_call *call, struct sim_reply *reply);

#endif
