/*
 * The verb check: an order is shown to the plugin before it is accepted. For what no manifest can say, such as what
 * hangs on the provider's options; else the order would be accepted and fail before anything was sent.
 */
#ifndef FG_ENGINE_CHECK_H
#define FG_ENGINE_CHECK_H

#include "engine/internal.h"

struct check_result {
	int outcome; /* 0, ENGINE_E_INVALID, …_PLUGIN, …_QUEUE_FULL or …_DRAINING */
	struct engine_error error;
	const struct plugin_answer *answer; /* 0: for its notes */
};

/* On the engine thread; @result is valid during it. */
typedef void check_told_fn(void *userdata, const struct check_result *result);

/* What the plugin is shown; borrowed for the call. */
struct check_order {
	const struct job *job;
	const char *title;          /* NULL: none */
	const struct asset *assets; /* those of the order that are there */
	size_t n_assets;
};

/* Has the plugin anything to say about orders? [any-thread] */
bool check_is_needed(const struct lane *lane);
/* @told exactly once, whatever the plugin does: after LIMIT_ENGINE_CHECK_MS in the line and as long with the plugin, at
 * the latest. …_QUEUE_FULL: others are before it; …_PLUGIN: the plugin broke a rule or is silent. [any-thread] */
void check_ask(struct lane *lane, const struct check_order *order, check_told_fn *told, void *userdata);
/* The end: whoever waits is told that the daemon shuts down, and what the plugin is not reading yet is freed. The phase
 * is not SERVING any more, so nobody comes after them. */
void check_end_all(struct lane *lane);

#endif
