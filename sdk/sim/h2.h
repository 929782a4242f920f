/*
 * HTTP/2 without TLS (prior knowledge) beside the API's port: for the one fault that HTTP/1.1 does not have, a refused
 * stream. The same requests are served; faults that shape bytes reset the stream here. The only file that talks to
 * libnghttp2.
 */
#ifndef FG_SIM_H2_H
#define FG_SIM_H2_H

#include "sim/server.h"

struct sim_h2;

/* As sim_server_new(); the spec's refuse is not used. */
int sim_h2_new(const struct sim_server_spec *spec, struct errmsg *msg, struct sim_h2 **ret);
/* Ends every connection. */
struct sim_h2 *sim_h2_free(struct sim_h2 *h2);
void sim_h2_freep(struct sim_h2 **h2);
const char *sim_h2_url(const struct sim_h2 *h2);

#endif
