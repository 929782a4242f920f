/*
 * Faults by script: rules that pick a request and say what happens to it.
 *
 *     {"match": {"method": "POST", "path": "/v3/videos"}, "nth": 2, "action": {"type": "close_after"}}
 */
#ifndef FG_SIM_FAULTS_H
#define FG_SIM_FAULTS_H

#include "base/err.h"
#include "sim/message.h"

enum {
	_SIM_FAULTS_E_OK,
	SIM_FAULTS_E_INVALID, /* not a rule: see the message */
	SIM_FAULTS_E_UNKNOWN, /* no rule of that id */
};

struct sim_faults;

struct sim_fault_hit {
	const char *id;
	const json_t *action;
};

int sim_faults_new(struct sim_faults **ret);
struct sim_faults *sim_faults_free(struct sim_faults *faults);

/* @ret_id is valid as long as the rule. */
int sim_faults_add(struct sim_faults *faults, const json_t *rule, struct errmsg *msg, const char **ret_id);
int sim_faults_remove(struct sim_faults *faults, const char *id);
void sim_faults_clear(struct sim_faults *faults);

/* Counts the request for every rule it matches; the first of those whose turn it is acts. False: none does. The hit is
 * valid until the rules change. */
bool sim_faults_take(struct sim_faults *faults, const struct sim_request *request, struct sim_fault_hit *ret);
size_t sim_faults_count(const struct sim_faults *faults);
/* Every rule as it was given, with its "id", how many requests it has "seen" and how often it "fired". */
json_t *sim_faults_report(const struct sim_faults *faults);

#endif
