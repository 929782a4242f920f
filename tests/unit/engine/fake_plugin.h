/*
 * In the place of plugin/: a plugin that obeys words. What a verb begins with is set by the test, what follows is
 * written in the provider's reply:
 *
 *     buy                               the exchange that buys: POST BASE/buy
 *     read lift=PLACE                   a free exchange: GET BASE/VERB
 *     carry                             buy, with the job's assets inside as base64
 *     name                              buy, with the handles of the job's assets; without one it wants its upload
 *     bring                             a free exchange: PUT BASE/VERB of the step's asset
 *     wait after=MS permille=N status=WORD
 *     accepted id=ID after=MS
 *     done video=URL thumbnail=URL ...  secret: each is fetched with the account's key; lift:POINTER for URL: lifted
 *     failed reason=WORD bought=WORD after=MS code=WORD message=WORD field=POINTER    also: trouble
 *     cancelled achieved=WORD
 *     report text=JSON
 *     hint id=ID, respond               of webhook, whose reply is the call
 *     absent, unknown                   of reconcile, which it has only where cannot[] is cleared
 *     fault
 *
 * cost=MICROS beside accepted and done is the provider's figure in USD, computed=MICROS the plugin's.
 * note=WORD beside any of them is a note about "/parameters/prompt", state=TEXT the plugin's new state. A reply that is JSON has them in its member "words".
 */
#ifndef FG_TESTS_UNIT_ENGINE_FAKE_PLUGIN_H
#define FG_TESTS_UNIT_ENGINE_FAKE_PLUGIN_H

#include "plugin/mint.h"
#include "plugin/plugin.h"
#include "plugin/runner.h"
#include "plugin/webhook.h"

#include <pthread.h>

struct plugin {
	struct plugin_manifest *manifest;
	bool cannot[_PLUGIN_VERB_N];
	const char *begin[_PLUGIN_VERB_N]; /* words */
	const char *base_url;
	const char *salt;           /* goes into the purchase's body: another one is another fingerprint */
	const char *webhook_secret; /* the configuration's; NULL: none */
	bool has_keys;
	bool mints;                     /* its steps need a token, of https://tokens.test/ */
	_Atomic int64_t token_until_ms; /* UTC */
};

/* What a step was given; texts live until the end of the test. */
struct asked {
	struct asked *next;
	enum plugin_verb verb;
	uint32_t phase;
	char *key, *state, *remote_id, *facts;
	int reply_status; /* 0: none */
	char *reply;
	bool has_bought;
	char catalogue[160]; /* "kind/next", of list "list/next", of subscribe "action/URL/id" */
	char *job;
	char assets[256]; /* "media/type name" of each, in lines */
};

struct plugin_runner {
	pthread_mutex_t mutex; /* over all below */
	struct asked *asked, *last;
	size_t n_asked;
	bool is_held; /* steps wait for fake_plugin_release() */
	struct plugin_step *held;
	size_t n_held;
	/* Called for each step before it is answered, on the engine thread. */
	void (*on_step)(void *userdata, const struct plugin_step *step);
	void *userdata;
};

/* @window_s: how long the provider honours a key; 0: not at all. */
void fake_plugin_init(struct plugin *plugin, const char *name, int window_s);
void fake_plugin_finish(struct plugin *plugin);
void fake_runner_init(struct plugin_runner *runner);
void fake_runner_finish(struct plugin_runner *runner);
/* From here on steps wait, as for a plugin that computes for long. */
void fake_runner_hold(struct plugin_runner *runner);
/* Answers the step that came last, and holds on. */
void fake_runner_pass(struct plugin_runner *runner);
void fake_runner_release(struct plugin_runner *runner);
/* The last step of @verb that was asked; NULL: none. */
const struct asked *last_asked(struct plugin_runner *runner, enum plugin_verb verb);
size_t times_asked(struct plugin_runner *runner, enum plugin_verb verb);

#endif
