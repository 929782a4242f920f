/*
 * An engine that keeps jobs in memory and does as it is told: what daemon/api and its doors are tested against.
 *
 * It answers on a thread of its own, a batch at a time, as the committer does. Some words make it misbehave:
 * provider "outcome-N" fails CreateJob with outcome N and a violation on "parameters.prompt"; provider "errno-N" with
 * -N; model "instant" is stored at once, as SUCCEEDED, "filled" keeps other parameters than were asked for;
 * CheckProvider of "broken" fails, of "mute" is not supported.
 */
#ifndef FG_TESTS_API_FAKE_ENGINE_H
#define FG_TESTS_API_FAKE_ENGINE_H

#include "engine/engine.h"

#define FAKE_ENGINE_EPOCH 0x5eed

struct engine *fake_engine_new(void);
struct engine *fake_engine_free(struct engine *engine);
/* What artifact 1 of every job reads. Artifact 2 is recorded as one byte longer than the file is. */
void fake_engine_set_file(struct engine *engine, const char *path);
void fake_engine_set_serving(struct engine *engine, bool is_serving);
/* These are not answered before they are released: to test what waits. Writes are the verbs other than reads. */
enum fake_hold { FAKE_HOLD_NOTHING, FAKE_HOLD_WRITES, FAKE_HOLD_ALL };
void fake_engine_hold(struct engine *engine, enum fake_hold what);
/* The sequence up to which events count as trimmed. */
void fake_engine_trim(struct engine *engine, uint64_t sequence);
struct fake_counts {
	uint32_t watches; /* open */
	uint64_t grants;  /* given to them and not used */
	uint32_t answers; /* that wait */
};
struct fake_counts fake_engine_count(struct engine *engine);

/* fake_assets.c, which has its own words. */
struct fake_asset_counts {
	uint32_t open;    /* uploads */
	uint32_t kept;    /* assets */
	uint64_t written; /* bytes of all uploads */
};
struct fake_asset_counts fake_assets_count(void);

#endif
