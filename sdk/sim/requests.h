/*
 * The last requests on either host, for whoever rehearses: which came on which connection, with which headers, and
 * whether a credential was among them. Names only, never a header's value.
 */
#ifndef FG_SIM_REQUESTS_H
#define FG_SIM_REQUESTS_H

#include "sim/message.h"

struct sim_requests;

int sim_requests_new(struct sim_requests **ret);
struct sim_requests *sim_requests_free(struct sim_requests *requests);
void sim_requests_reset(struct sim_requests *requests);

/* Adds a row, forgets the oldest beyond LIMIT_SIM_REQUESTS, and returns it; valid until the next call. */
json_t *sim_requests_add(struct sim_requests *requests, const struct sim_request *request, int64_t utc_ms);
/* {"total", "requests": [...]}: the rows numbered above @after, oldest first. */
json_t *sim_requests_report(const struct sim_requests *requests, uint64_t after);
uint64_t sim_requests_total(const struct sim_requests *requests);

#endif
