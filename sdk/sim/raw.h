/*
 * Connections taken away from the HTTP library: the bytes and the end of a reply exactly as a fault wants them, on the
 * socket itself. What the library cannot do honestly (a reset, a reply cut short, headers without end) is done here.
 */
#ifndef FG_SIM_RAW_H
#define FG_SIM_RAW_H

#include "sim/loop.h"
#include "sim/message.h"

enum sim_ending {
	SIM_ENDING_FIN,  /* a clean close */
	SIM_ENDING_RST,  /* a reset: SO_LINGER 0 */
	SIM_ENDING_HANG, /* open and silent until the client leaves */
};

/* What is sent, in this order, and how it ends. Inert after sim_plan_init(). */
struct sim_plan {
	struct buffer head;
	int file_fd;
	uint64_t file_offset;
	uint64_t file_len;
	struct buffer filler; /* repeated until filler_len bytes are out; UINT64_MAX: until the client leaves */
	uint64_t filler_len;
	uint64_t bytes_per_second; /* 0: as fast as the socket takes them */
	enum sim_ending ending;
};

struct sim_raws;

void sim_plan_init(struct sim_plan *plan, enum sim_ending ending);
void sim_plan_finish(struct sim_plan *plan);
/*
 * Writes @reply into @plan as HTTP/1.1 with its whole Content-Length, but not more than the first @keep bytes of its
 * body. Takes the reply's file. @method decides whether there is a body at all.
 */
int sim_plan_add_reply(struct sim_plan *plan, struct sim_reply *reply, const char *method, uint64_t keep);
/* Status line and headers without the empty line that ends them. */
int sim_plan_add_head(struct sim_plan *plan, const struct sim_reply *reply);

int sim_raws_new(struct sim_loop *loop, struct sim_raws **ret);
/* Closes what is still open. */
struct sim_raws *sim_raws_free(struct sim_raws *raws);

/* Takes the socket @fd, non-blocking, and the contents of @plan in every case. */
int sim_raws_run(struct sim_raws *raws, int fd, struct sim_plan *plan);
size_t sim_raws_open(const struct sim_raws *raws);

#endif
