/*
 * The armed timers of one loop, earliest first: a pairing heap threaded through the timers, so that arming allocates
 * nothing and cancelling is immediate. Private to this room; knows no clock.
 */
#ifndef FG_LOOP_TIMERS_H
#define FG_LOOP_TIMERS_H

#include "loop/loop.h"

struct timers {
	struct loop_timer *root; /* the earliest, or NULL */
	uint64_t armed_count;    /* of all time: the order among equals */
};

void timers_add(struct timers *timers, struct loop_timer *timer, uint64_t due_ns);
void timers_remove(struct timers *timers, struct loop_timer *timer);
/* Removes and returns the earliest that is due at @now_ns and was armed before @order; NULL when there is none. */
struct loop_timer *timers_take_due(struct timers *timers, uint64_t now_ns, uint64_t order);

#endif
