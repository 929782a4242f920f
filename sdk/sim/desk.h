/*
 * Where every request arrives: to the control interface, the file host or a provider, past the faults.
 */
#ifndef FG_SIM_DESK_H
#define FG_SIM_DESK_H

#include "sim/server.h"
#include "sim/sim.h"

/* Both are for struct sim_server_spec, with a struct sim as userdata. */
int sim_desk_serve(void *userdata, const struct sim_request *request, struct sim_answer *answer);
int sim_desk_refuse(void *userdata, int status, const char *why, struct sim_reply *reply);

#endif
