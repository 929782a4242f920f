/*
 * The files of artifacts, for whoever has found out which one is asked for.
 */
#ifndef FG_WEB_FILES_H
#define FG_WEB_FILES_H

#include "engine/engine.h"
#include "web/exchange.h"

/* As the exchange's answer: the file, or with @still a picture of it, whole or in part. */
void file_open(struct exchange *exchange, const struct job_ref *ref, uint32_t index, enum engine_still still);

#endif
