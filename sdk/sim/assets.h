/*
 * HeyGen's assets: what was uploaded, by its id. The bytes are looked at and not kept.
 */
#ifndef FG_SIM_ASSETS_H
#define FG_SIM_ASSETS_H

#include "sim/message.h"

#define SIM_ASSET_PREFIX "asset_sim_" /* of the ids that are given here: they must be known when an order names them */

struct sim;
struct sim_call;
struct sim_assets;

int sim_assets_new(struct sim_assets **ret);
struct sim_assets *sim_assets_free(struct sim_assets *assets);
void sim_assets_reset(struct sim_assets *assets);
size_t sim_assets_count(const struct sim_assets *assets);
/* Is @id one that an order may name: complete, or none of ours? */
bool sim_assets_know(const struct sim_assets *assets, const char *id);

/* The provider's routes below /v3/assets. */
int sim_assets_upload(struct sim *sim, struct sim_call *call, struct sim_reply *reply);
int sim_assets_place(struct sim *sim, struct sim_call *call, struct sim_reply *reply);
int sim_assets_complete(struct sim *sim, struct sim_call *call, struct sim_reply *reply);
int sim_assets_get(struct sim *sim, struct sim_call *call, struct sim_reply *reply);
int sim_assets_delete(struct sim *sim, struct sim_call *call, struct sim_reply *reply);
/* A PUT at the file host, to a place that was given. */
int sim_assets_fill(struct sim *sim, const struct sim_call *call, struct sim_reply *reply);

#endif
