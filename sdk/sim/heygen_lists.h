/*
 * HeyGen's lists of what orders name by id: GET /v3/voices, /v3/avatars, /v3/avatars/looks.
 */
#ifndef FG_SIM_HEYGEN_LISTS_H
#define FG_SIM_HEYGEN_LISTS_H

#include "sim/sim.h"

int sim_heygen_voices(struct sim *sim, struct sim_call *call, struct sim_reply *reply);
int sim_heygen_avatars(struct sim *sim, struct sim_call *call, struct sim_reply *reply);
int sim_heygen_looks(struct sim *sim, struct sim_call *call, struct sim_reply *reply);

#endif
