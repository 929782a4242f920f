/*
 * What a reply carries inside itself: its texts at the places that the exchange names go into staging files while it
 * comes, and only the rest of it reaches memory.
 *
 * A lift belongs to one exchange, then to the entry (entry->lift) until the answer to its reply is dealt with. Files that
 * no output takes go with it; those that one takes belong to the job, by their names, once they are synced.
 */
#ifndef FG_ENGINE_LIFT_H
#define FG_ENGINE_LIFT_H

#include "engine/step.h"

struct lift;

/* NULL when @exchange lifts nothing; else @request is told to pass its reply through the lift. */
struct lift *lift_new(struct entry *entry, const struct plugin_exchange *exchange, struct http_request *request);
/* For whoever only wants to read the reply: what is lifted out of it goes nowhere, and has no names. */
struct lift *lift_new_for_nothing(const struct lane *lane, const struct plugin_exchange *exchange,
				  struct http_request *request);
struct lift *lift_free(struct lift *lift);

/* Tells the step what was lifted out of the reply that it reads. @lift may be NULL. */
void lift_describe(const struct lift *lift, struct reply *reply);

/* The name of the staging file that @pointer became. */
const char *lift_name(const struct lift *lift, const char *pointer);
/*
 * Syncs the files that @take's outputs name, as the entry's activity. @then gets the answer back, with 0, from when on
 * the files are the job's, or artifact_sync()'s outcome, after which they are gone.
 */
void lift_sync(struct entry *entry, struct plugin_answer *take,
	       void (*then)(struct entry *entry, struct plugin_answer *take, int outcome));

#endif
