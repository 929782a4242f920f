/*
 * One POST by the simulator itself, over plain HTTP to an address in numbers, or to localhost: for webhooks.
 */
#ifndef FG_SIM_POST_H
#define FG_SIM_POST_H

#include "base/bytes.h"
#include "sim/loop.h"

struct sim_post;

/* @status 0: no reply came. The post has ended. */
typedef void sim_post_fn(void *userdata, int status);

/* @headers: lines that end with CRLF. 0 and @fn will be called, once, unless it is freed before; negative errno. */
int sim_post_new(struct sim_loop *loop, const char *url, const char *headers, struct bytes body, sim_post_fn *fn,
		 void *userdata, struct sim_post **ret);
/* NULL is fine. */
struct sim_post *sim_post_free(struct sim_post *post);

#endif
