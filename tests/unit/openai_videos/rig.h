/*
 * The plugin openai_videos on a bench: bytes in, one answer out, through the daemon's own step runner. Every call hands
 * over the whole of what the plugin may know, so every call is also a resume after a restart.
 */
#ifndef FG_TESTS_UNIT_OPENAI_VIDEOS_RIG_H
#define FG_TESTS_UNIT_OPENAI_VIDEOS_RIG_H

#include "answers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define RIG_KEY "gateway-key-value"
#define RIG_NOW_MS INT64_C(1795000000000)
#define RIG_BASE "http://127.0.0.1:9/api/v1"
#define RIG_ID "video_123"

/* What a step knows beside its documents; the set-up of each test puts the usual values back. */
struct rig {
	struct plugin *plugin;
	struct plugin_account *openai, *multipart, *openrouter, *trusting;
	struct plugin_account *account; /* runs the steps: one of these, or a test's own */
	int64_t now_ms;
	int64_t retry_after_ms;
	const char *facts; /* more of STEP */
	const char *remote_id;
	const char *list_next;
	const struct plugin_asset *asset; /* of the job; NULL: it has none */
};
extern struct rig rig;

int rig_set_up(void **state);
int rig_tear_down(void **state);
/* Before each test. */
int rig_reset(void **state);

/* An account with these options, members of an object. */
struct plugin_account *rig_open(const char *options);
/* Begins a verb; @parameters are members of the order, NULL: a cat. */
struct plugin_answer *rig_begin(enum plugin_verb verb, const char *parameters);
/* The same with a state. */
struct plugin_answer *rig_resume(enum plugin_verb verb, const char *state);
/* Hands a reply to a verb. */
struct plugin_answer *rig_reply(enum plugin_verb verb, const char *state, int status, const char *body);

/* The text of a recorded provider body, "openrouter/post_videos-202.json"; NULL when there are none here. */
char *rig_sample(const char *name);

#endif
