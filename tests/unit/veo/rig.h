/*
 * The Veo plugin on a bench: bytes in, one answer out, through the daemon's own step runner. Every call hands over the
 * whole of what the plugin may know, so every call is also a resume after a restart.
 */
#ifndef FG_TESTS_UNIT_VEO_RIG_H
#define FG_TESTS_UNIT_VEO_RIG_H

#include "answers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define RIG_TOKEN "ya29.of-the-tests"
#define RIG_KEY "gemini-key-value"
#define RIG_NOW_MS INT64_C(1795000000000)
#define RIG_JOB "0190aa"
#define RIG_MODEL "veo-3.1-generate-001"
#define RIG_BASE "http://127.0.0.1:9"
#define RIG_RESOURCE "projects/p1/locations/us-central1/publishers/google/models/" RIG_MODEL
#define RIG_OPERATION RIG_RESOURCE "/operations/0c335789"
#define RIG_OPTIONS "\"project\":\"p1\",\"storage_uri\":\"gs://bucket/films\""

/* What a step knows beside its documents; the set-up of each test puts the usual values back. */
struct rig {
	struct plugin *plugin;
	struct plugin_account *vertex;
	struct plugin_account *gemini;
	struct plugin_account *account; /* runs the steps: one of the two, or a test's own */
	const char *job;                /* of rig_reply(); NULL: one clip of a cat */
	int64_t now_ms;
	int64_t retry_after_ms;
	const char *remote_id;
	const struct plugin_asset *assets; /* of the order */
	size_t n_assets;
};
extern struct rig rig;

int rig_set_up(void **state);
int rig_tear_down(void **state);
/* Before each test. */
int rig_reset(void **state);

/* An account with these options (members of an object); with a key file where @is_google, else with a key. */
struct plugin_account *rig_open(const char *base_url, const char *options, bool is_google);
/* An order with these members in its parameters, as a JOB document that the caller frees. */
char *rig_job(const char *model, const char *parameters);
/* Begins a verb; @job NULL: one clip of a cat. */
struct plugin_answer *rig_begin(enum plugin_verb verb, const char *job);
/* Hands a reply to a verb; what the plugin's poll lifts is taken out of it before, as the daemon does. */
struct plugin_answer *rig_reply(enum plugin_verb verb, const char *state, int status, const char *body);

/* As rig_assert_body(), with "{NAME}" where the bytes of an asset go as base64. */
void rig_assert_inline(const struct plugin_answer *answer, const char *expected);
/* The text of a recorded provider body; NULL when there are none on this machine, which is said aloud. */
char *rig_sample(const char *name);

#endif
