/*
 * From a job's change to the message that receivers get. [any-thread]
 */
#ifndef FG_WEBHOOK_MESSAGE_H
#define FG_WEBHOOK_MESSAGE_H

#include "engine/engine.h"

#define MESSAGE_ID_SIZE 40

/* What is told of a change, "job.succeeded" for one; NULL: nothing is. */
const char *message_type_of(const struct store_snapshot *snapshot);

/*
 * The id of the message about that revision, for all receivers. @history: of the events, since a store that was put back
 * may come to the same revision in another way.
 */
void message_id_of(uint64_t history, const struct id *job, uint64_t revision, char ret[static MESSAGE_ID_SIZE]);

/* {"type": …, "timestamp": …, "data": JobEvent}, at most LIMIT_WEBHOOK_BODY bytes: of a job that is larger than that only
 * what names it, its state and times. 0 or negative errno. */
int message_write(const struct store_snapshot *snapshot, int64_t time_ms, uint64_t history, struct buffer *ret);

#endif
