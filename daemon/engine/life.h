/*
 * Building and ending the engine; for main() alone. The verbs are in engine.h.
 */
#ifndef FG_ENGINE_LIFE_H
#define FG_ENGINE_LIFE_H

#include "engine/engine.h"

struct artifact_store;
struct job_prices;
struct http;
struct plugin;
struct plugin_account;
struct plugin_runner;

/* Secrets of a provider, as plugin/ holds them. */
struct engine_key {
	const struct plugin_account *account;
	struct digest digest; /* plugin_account_digest() */
};

/* One configured provider. Borrowed for the engine's life. */
struct engine_provider_config {
	const char *id;
	const char *plugin_name;
	/* NULL: the plugin could not be loaded. New orders end with ENGINE_E_PROVIDER, its jobs wait; @problem says
	 * why. */
	const struct plugin *plugin;
	const struct plugin_account *account;
	/*
	 * A thread that asks the plugin about orders before they are accepted; NULL: it has nothing to say about them. Each
	 * provider has one of its own, so that a plugin that hangs there holds up nobody's orders but its own.
	 */
	struct plugin_runner *checks;
	struct digest account_digest; /* a repeat of a paid request needs the same as the first send */
	/* Keys that it had before: jobs that were ordered with one go on with it. */
	const struct engine_key *previous_keys;
	size_t n_previous_keys;
	const struct job_prices *prices; /* the operator's; NULL: none */
	const char *base_url;
	const char *problem;
	uint32_t concurrency;
	uint32_t rate;             /* starts a minute, of all providers of its account; 0: no limit */
	uint32_t breaker_failures; /* exchanges in a row that open the breaker; 0: it has none */
	int64_t poll_first_ms;     /* after acceptance, where the provider gives no advice; then from poll_min_ms up */
	int64_t poll_min_ms;
	int64_t poll_max_ms;
	int64_t exchange_timeout_ms; /* polls and other free exchanges */
	int64_t submit_timeout_ms;   /* paid exchanges that name none */
	int64_t default_timeout_ms;  /* a job's life when its creator gave none */
	uint64_t expected_bytes;     /* room reserved for a video before it is paid for */
	uint64_t max_artifact_bytes;
	uint64_t max_reply_bytes;
	enum job_uncertain on_uncertain;  /* of jobs that do not say; UNSAID: HOLD */
	enum job_on_mismatch on_mismatch; /* likewise; UNSAID: FLAG */
	bool allow_private_network;
	bool uses_http2; /* for exchanges; downloads never do */
};

/* What may be spent in a day or month, UTC. Texts are borrowed for the engine's life. */
struct engine_budget {
	const char *name;
	const char *currency;
	int64_t limit_micros;
	enum ledger_period period;
	const char *provider;                /* NULL: all */
	const char *label_key, *label_value; /* NULL: whatever the labels; not with a provider */
	bool refuses_unpriced;
};

struct engine_config {
	const struct clock *clock;
	struct artifact_store *artifacts;
	struct http *http;
	struct plugin_runner *plugins;
	const struct engine_provider_config *providers;
	size_t n_providers;
	const struct engine_budget *budgets; /* at most LIMIT_STORE_BUDGETS */
	size_t n_budgets;
	bool takes_job_webhooks;      /* there is a secret that signs them; else orders that name one are refused */
	bool allows_private_webhooks; /* they may go to private addresses, and over http */
	uint64_t max_queued;
	uint64_t max_asset_bytes;
	int64_t event_retention_ms;
	int64_t tombstone_retention_ms;
	/* Opening the store needs the engine's on_batch, so the engine opens it. */
	const char *store_path;
	const char *secrets_path; /* the folder of what is kept sealed; NULL: nothing is */
	bool is_copy;             /* as in struct store_config */
};

/* Opens the store and loads what was active; starts nothing yet. 0, STORE_E_… or negative errno, each with words in
 * @msg. */
int engine_new(const struct engine_config *config, struct engine **ret, struct errmsg *msg);
/* store_salvage(), for no engine. */
int engine_salvage(const char *store_path, struct store_salvaged *ret, struct errmsg *msg);
/* Goes on with everything that was under way, and takes new jobs. */
int engine_start(struct engine *engine);
/* From here on nothing new is accepted or sent; what is under way goes on, and watchers see it. Returns at once. */
void engine_drain(struct engine *engine);
/*
 * The graceful end: engine_drain(), then replies to paid requests in flight are waited for, at most @limit_ms; what they
 * say is stored; then everything stops. Blocks. What is left is resumed by the next start.
 */
void engine_stop(struct engine *engine, int64_t limit_ms);
/* After engine_stop(), and after nobody calls a verb, and rpc, http, plugins and artifacts are gone: what they still had
 * to say is heard here, by messages alone. Closes the store. */
struct engine *engine_free(struct engine *engine);
/* Instead of engine_free(), when a plugin never comes back from a step: closes the store, so that all that was
 * acknowledged is on disk, and frees nothing. The process ends next, by _exit(). */
void engine_leave(struct engine *engine);

#endif
