/*
 * The simulator's own interface, below /_sim/ on the API's port: charges, requests, faults, clock, credit, state.
 */
#ifndef FG_SIM_CONTROL_H
#define FG_SIM_CONTROL_H

#include "sim/sim.h"

bool sim_control_owns(const char *path);
int sim_control_serve(struct sim *sim, struct sim_call *call, struct sim_reply *reply);

#endif
