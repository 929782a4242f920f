/*
 * From the configured providers to what the engine is given of them: the plugin loaded, the account opened, and for each
 * number the operator's word before the plugin's before the house's. For main() alone.
 */
#ifndef FG_PROVIDERS_H
#define FG_PROVIDERS_H

#include "config/config.h"
#include "engine/life.h"

struct plugin_recorder;
struct provider;

enum {
	_PROVIDERS_E_OK,
	PROVIDERS_E_LATE, /* a plugin computes on and on */
};

struct providers {
	struct provider *all;
	struct engine_provider_config *lanes; /* for the engine; as long as this lives */
	size_t n;
};

/* One that cannot be used is named in the log and in its jobs, and the others work; so is one whose plugin has not
 * judged its configuration within LIMIT_ENGINE_CHECK_MS, all of them together. 0 or -ENOMEM; @config is borrowed until
 * providers_finish(), which takes zeros, too. */
int providers_load(const struct config *config, struct providers *ret);
/* A thread for each whose plugin judges orders, before the engine is made. @recorder: NULL: nothing is recorded; it
 * must outlive them. 0 or negative errno. */
int providers_open_checks(struct providers *providers, struct plugin_recorder *recorder);
/*
 * Ends these threads when what waits there is done: before the engine is freed. Blocks, for @limit_ms at most, all of
 * them together. PROVIDERS_E_LATE: a plugin does not come back, and was named in the log, now or by providers_load().
 * Then neither the providers nor what they and their threads were given may be freed: see plugin_runner_end().
 */
int providers_end(struct providers *providers, int64_t limit_ms);
void providers_finish(struct providers *providers);
/* What only a plugin knows, such as which secrets and options there are: prints a warning for each that cannot be used,
 * since the daemon starts all the same, and how many previous keys the others have. @path is the configuration's. 0, -ENOMEM, or, after the warnings,
 * PROVIDERS_E_LATE: the process has to end by _exit(), and @config must stay until then. */
int providers_warn(const char *path, const struct config *config);

#endif
