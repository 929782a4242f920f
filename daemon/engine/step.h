/*
 * One step of a plugin, and the exchange it asks for: the two things that a job's life is made of.
 */
#ifndef FG_ENGINE_STEP_H
#define FG_ENGINE_STEP_H

#include "engine/internal.h"

/* A complete reply, from the wire or from the store. */
struct reply {
	uint32_t status;
	struct http_header *headers;
	size_t n_headers;
	struct buffer body;
	int64_t retry_after_ms; /* -1: it does not say */
	char *memory;		/* behind the headers, when they came from the store */
	struct http_outcome *outcome; /* behind everything, when it came from the wire */
};

struct reply *reply_of_outcome(struct http_outcome *take, int64_t now_utc_ms);
/* From what reply_write() made; NULL when it cannot be read. */
struct reply *reply_of_record(struct bytes meta, struct bytes body);
/* The part that is not the body, as JSON. */
void reply_write_meta(const struct reply *reply, struct buffer *ret);
struct reply *reply_free(struct reply *reply);

/*
 * Calls @verb with the job's documents. The answer arrives through the queue, also in process: @then gets it on the
 * engine thread as the entry's activity, or never if that was interrupted. @reply may be NULL; it is taken.
 */
void step_run(struct entry *entry, enum plugin_verb verb, uint32_t phase, struct reply *take,
	      void (*then)(struct entry *entry, struct plugin_answer *take));

/* Sends what an answer asked for. @then gets the outcome likewise. @flags: HTTP_ONCE for a purchase. */
void exchange_run(struct entry *entry, const struct plugin_exchange *exchange, uint32_t flags,
		  void (*then)(struct entry *entry, struct http_outcome *take));

/* Takes over the plugin's new state, if it wrote one; the next change stores it. */
void step_keep_state(struct entry *entry, const struct plugin_answer *answer);

/* The idempotency key that the current attempt's next step shows to the plugin. */
const char *step_key(struct entry *entry);

#endif
