/*
 * What the ledger has of a job of the rig's.
 */
#ifndef FG_TESTS_UNIT_ENGINE_POSTED_H
#define FG_TESTS_UNIT_ENGINE_POSTED_H

#include "engine/rig.h"

#define EIGHT_SECONDS "{\"prompt\":\"a fox\",\"duration_ms\":8000}" /* 1.6 EUR, as the clip's price says */
#define RESERVED "reserve 1600000 EUR"
#define RELEASED RESERVED ", release 1600000 EUR"

struct job_ref order_clip(struct rig *rig); /* of EIGHT_SECONDS */
/* "reserve 1600000 EUR, settle 800000 EUR?": all entries, in order; "?": nobody has confirmed it. The whole ledger must be
 * sound, too. */
void assert_posted(struct rig *rig, const struct job_ref *job, const char *expected);

#endif
