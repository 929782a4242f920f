/*
 * The libuv loop below a loop, for http/ alone: curl brings sockets of its own that must be watched.
 */
#ifndef FG_LOOP_UV_H
#define FG_LOOP_UV_H

#include <uv.h>

struct loop;

/* Valid until loop_free(), which runs the close callbacks of handles that are closing and insists on no others. */
uv_loop_t *loop_uv(struct loop *loop);

#endif
