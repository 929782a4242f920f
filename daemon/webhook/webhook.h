/*
 * Webhooks: what becomes of jobs is told to others, at least once, signed, and never at the cost of a job.
 *
 * The events that every change of a job writes are the outbox. This room follows them, and turns each that is worth
 * telling into one delivery for each endpoint, in one commit with the note of how far it has read: so a crash loses none
 * and makes none twice, and the engine knows nothing of it. A thread of its own, fg-webhook, owns every delivery that is
 * to be sent; an HTTP client of its own carries them, so that no exchange with a provider waits for a receiver.
 */
#ifndef FG_WEBHOOK_WEBHOOK_H
#define FG_WEBHOOK_WEBHOOK_H

#include "base/clock.h"
#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct api;
struct engine;
struct webhooks;

/* Borrowed until webhooks_new() returns. */
struct webhook_endpoint {
	const char *name;
	const char *url; /* NULL: it signs for the addresses that jobs name; at most one */
	const char *const *secrets;
	size_t n_secrets;
	const char *const *events; /* "job.failed"; none: all */
	size_t n_events;
	const char *retries; /* "5 300": seconds */
	bool allows_private;
};

struct webhook_config {
	struct engine *engine; /* started */
	const struct clock *clock;
	const char *user_agent;
	const char *ca_bundle; /* NULL: the system's */
	int64_t connect_timeout_ms;
	const struct webhook_endpoint *endpoints;
	size_t n_endpoints;
};

/* Begins to follow the events and to send. */
int webhooks_new(const struct webhook_config *config, struct webhooks **ret);
/* What the api asks for is done here from now on. Before its first call. */
void webhooks_attach(struct webhooks *webhooks, struct api *api);
/* Sends and plans nothing more; what is under way is cut off, and sent again by the next start. Blocks shortly. Before
 * engine_stop(). */
void webhooks_stop(struct webhooks *webhooks);
/* After engine_free(), whose last answers come here; who asked for something meanwhile is told that it is over. */
struct webhooks *webhooks_free(struct webhooks *webhooks);

/* Counted since the start, but for the first. [any-thread] */
struct webhook_figures {
	uint64_t pending;
	uint64_t delivered, dead;
	uint64_t failed; /* tries */
};
void webhooks_read_figures(const struct webhooks *webhooks, struct webhook_figures *ret);

#endif
