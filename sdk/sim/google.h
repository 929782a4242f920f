/*
 * Google's accounts: a service account whose key file the simulator writes for whoever wants to sign in, the token
 * endpoint that takes claims signed with it (RFC 7523), and the access tokens it hands out.
 */
#ifndef FG_SIM_GOOGLE_H
#define FG_SIM_GOOGLE_H

#include "base/err.h"
#include "sim/message.h"

enum {
	_SIM_GOOGLE_E_OK,
	SIM_GOOGLE_E_FILE, /* the key file cannot be written: see the message */
};

struct sim_google;

/*
 * Writes FOLDER/service-account.json, which names @url/token as its endpoint; a key that stands there already is kept.
 * Tokens do not survive the process.
 */
int sim_google_new(const char *folder, const char *url, struct errmsg *msg, struct sim_google **ret);
struct sim_google *sim_google_free(struct sim_google *google);
void sim_google_freep(struct sim_google **google);

/* POST /token: fills @reply with a token that lives @life_s, or with why there is none. */
int sim_google_mint(struct sim_google *google, const struct sim_request *request, int64_t now_ms, int64_t life_s,
		    struct sim_reply *reply);
/* Does the request carry a token of ours that has not expired? */
bool sim_google_knows(const struct sim_google *google, const struct sim_request *request, int64_t now_ms);

#endif
