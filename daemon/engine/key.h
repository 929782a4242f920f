/*
 * Generations of a provider's keys: a job stays with the key that ordered it, as long as that is configured.
 */
#ifndef FG_ENGINE_KEY_H
#define FG_ENGINE_KEY_H

#include "engine/internal.h"

/* New jobs are started with it, and it is asked whatever is about no job. */
struct engine_key key_current(const struct lane *lane);
/* With which the job's order was made, or it was found; the current one while there is none, and where it is none of the
 * configured keys. */
struct engine_key key_of_job(const struct lane *lane, const struct job_status *status);
/* Is a key of this digest configured? */
bool key_is_known(const struct engine_provider_config *config, const struct digest *digest);

#endif
