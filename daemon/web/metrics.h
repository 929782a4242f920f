/*
 * What /metrics says, family by family.
 */
#ifndef FG_WEB_METRICS_H
#define FG_WEB_METRICS_H

#include "engine/engine.h"
#include "web/exposition.h"

struct webhooks;

/* Of the engine and what lies below it. [any-thread] */
void metrics_write_engine(struct exposition *exposition, const struct engine_figures *figures);
/* Of what others are told. [any-thread] */
void metrics_write_webhooks(struct exposition *exposition, const struct webhooks *webhooks);
/* Of the process. What /proc does not tell is left out. */
void metrics_write_process(struct exposition *exposition, const char *version, int64_t started_ms);

#endif
