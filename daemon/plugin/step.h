/*
 * One step: (verb, phase, documents, facts) in, one answer out.
 *
 * The plugin's code runs inside plugin_step_run(), in this process: a crash there is a crash of the daemon and a hang
 * holds its thread, which is why the runner has threads of its own.
 */
#ifndef FG_PLUGIN_STEP_H
#define FG_PLUGIN_STEP_H

#include "plugin/account.h"
#include "plugin/answer.h"

#define PLUGIN_RANDOM_SIZE 32

#define PLUGIN_SUBSCRIPTION_BEGIN "begin"
#define PLUGIN_SUBSCRIPTION_END "end"

#define PLUGIN_ASSET_PREFIX "assets/"

/* An input that the daemon holds. */
struct plugin_asset {
	const char *name; /* "assets/" and the lower-case hexadecimal SHA-256 of its content: what an order calls it */
	const char *media_type;
	uint64_t size_bytes;
	const char *handle;  /* what the provider calls it, after an upload; NULL: it is not there */
	const char *headers; /* a JSON object of texts that go with each exchange that has the handle; NULL: none */
};

/* A complete reply. */
struct plugin_reply {
	int status;
	const struct plugin_header *headers;
	size_t n_headers;
	struct bytes body;
	int64_t elapsed_ms;
	int64_t retry_after_ms;    /* -1: not said */
	const char *const *lifted; /* pointers of the texts that were taken out of it, each once */
	size_t n_lifted;
};

/* For whoever tries a plugin out: is told, within the step, what the plugin looks for. */
struct plugin_observer {
	void (*looks_at)(struct plugin_observer *observer, const char *pointer);
	void (*compares)(struct plugin_observer *observer, const char *expected);
};

struct plugin_step;
/* Called exactly once, on a thread of the runner; @take is the callee's, NULL when out of memory. Must not block. */
typedef void plugin_step_fn(struct plugin_step *step, struct plugin_answer *take);

/*
 * Everything a step may know. Borrowed: it and all it points to must outlive the call, or the callback. Texts may be
 * NULL, which is absent.
 */
struct plugin_step {
	const struct plugin_account *account;
	enum plugin_verb verb;
	uint32_t phase;
	struct bytes job;                 /* the document JOB */
	struct bytes state;               /* empty at first */
	const struct plugin_reply *reply; /* NULL: this step begins the verb */

	int64_t now_ms; /* UTC */
	uint8_t random[PLUGIN_RANDOM_SIZE];
	uint32_t attempt;
	uint32_t send;
	const char *idempotency_key;
	const char *remote_id, *remote_kind;
	const char *catalogue_kind, *catalogue_next; /* catalogue: of what, and which page; NULL: the first */
	const char *list_next;                       /* list: which page; NULL: the first */
	/* subscribe: one of the two, to which URL, and what the provider calls it */
	const char *subscription_action, *subscription_url, *subscription_id;
	uint32_t polls;
	int64_t accepted_at_ms; /* 0: not yet */
	/* check and start: those of the order; upload: the one to bring; else none. */
	const struct plugin_asset *assets;
	size_t n_assets;
	struct bytes facts; /* more members of the document STEP, a JSON object; empty: none */
	bool has_bought;    /* this attempt has had its buying exchange, so another one is a fault */

	struct plugin_observer *observer; /* NULL: nobody watches */

	plugin_step_fn *fn;       /* of the runner */
	struct plugin_step *next; /* the runner's */
};

/* Blocks while the plugin computes. NULL when out of memory. [any-thread] */
struct plugin_answer *plugin_step_run(const struct plugin_step *step);

#endif
