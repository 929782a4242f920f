/*
 * The HeyGen plugin on a bench: bytes in, one answer out, through the daemon's own step runner. Every call hands over
 * the whole of what the plugin may know, so every call is also a resume after a restart.
 */
#ifndef FG_TESTS_UNIT_HEYGEN_RIG_H
#define FG_TESTS_UNIT_HEYGEN_RIG_H

#include "answers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define RIG_KEY "fg-0190aa-1"
#define RIG_SECRET "hg-secret-value"
#define RIG_NOW_MS INT64_C(1795000000000)

/* What a step knows beside its documents; the set-up of each test puts the usual values back. */
struct rig {
	struct plugin *plugin;
	struct plugin_account *account;   /* plain http, as a simulator is */
	struct plugin_account *trusting;  /* the same, and 30 seconds after an order the list proves its absence */
	struct plugin_account *encrypted; /* HeyGen's own address */
	bool is_trusting;
	bool is_encrypted; /* which of the two runs the steps */
	int64_t now_ms;
	int64_t retry_after_ms;
	const char *remote_id;
	const char *facts; /* of a step of reconcile, JSON; NULL: none */
	const char *catalogue_kind, *catalogue_next, *list_next;
	const char *subscription_action, *subscription_url, *subscription_id;
	const char *model;                 /* of the job whose reply comes */
	const char *parameters;            /* likewise */
	const struct plugin_asset *assets; /* of the order, or the one to upload */
	size_t n_assets;
	const char *const *secrets; /* that no recording may have, beside RIG_SECRET; NULL at the end, or for none */
};
extern struct rig rig;

int rig_set_up(void **state);
int rig_tear_down(void **state);
/* Before each test. */
int rig_reset(void **state);
/* From here on the steps are of an account with these options, JSON, in the place of the trusting one. */
void rig_configure(const char *options);

/* An order with these members in its parameters, as a JOB document that the caller frees. */
char *rig_job(const char *model, const char *title, const char *parameters);
/* Begins a verb; @state NULL: none yet. */
struct plugin_answer *rig_begin(enum plugin_verb verb, const char *job, const char *state);
/* Hands a reply to a verb, to its phase 1 or another one. */
struct plugin_answer *rig_reply_in(enum plugin_verb verb, uint32_t phase, const char *state, int status,
				   const char *body);
struct plugin_answer *rig_reply(enum plugin_verb verb, const char *state, int status, const char *body);

/* The text of a recorded provider body; NULL when there are none on this machine, which is said aloud. */
char *rig_sample(const char *name);

#endif
