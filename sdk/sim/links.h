/*
 * Pre-signed links to the file host: anyone who has one may read the file until it expires; nobody can make one.
 *
 *     BASE/files/ID/NAME?Expires=UNIX_SECONDS&Serial=N&Signature=HEX
 */
#ifndef FG_SIM_LINKS_H
#define FG_SIM_LINKS_H

#include "sim/message.h"

enum {
	_SIM_LINKS_E_OK,
	SIM_LINKS_E_FORGED,
	SIM_LINKS_E_EXPIRED,
};

struct sim_links;

/* @base has no slash at its end. The secret is new each time: links do not survive the process. */
int sim_links_new(const char *base, struct sim_links **ret);
struct sim_links *sim_links_free(struct sim_links *links);
void sim_links_freep(struct sim_links **links);

/* Every call makes a different link. The caller frees it; NULL when out of memory. */
char *sim_links_sign(struct sim_links *links, const char *id, const char *name, int64_t expires_s);
int sim_links_check(const struct sim_links *links, const struct sim_request *request, int64_t now_s);

#endif
