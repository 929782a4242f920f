/*
 * How long to go on trying when the daemon has gone away: one loss is one window of time, with growing pauses, and a
 * note to the user when it begins.
 */
#ifndef FG_CLI_PATIENCE_H
#define FG_CLI_PATIENCE_H

#include "cli.h"

struct patience {
	struct cli *cli;
	int64_t window_ms;
	bool was_reached; /* false: the very first failure is final */
	bool is_lost;
	int64_t lost_since_ms;
	int64_t pause_ms;
};

/* --retry-for, or @fallback_ms. */
struct patience patience_of(struct cli *cli, int64_t fallback_ms);
/* The daemon has answered: the next loss is a new one. */
void patience_restore(struct patience *patience);
/* Pauses and says yes as long as trying again makes sense. */
bool patience_lasts(struct patience *patience, const struct status *status);

#endif
