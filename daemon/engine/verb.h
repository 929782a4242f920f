/*
 * Verbs beside a job's own course: cancel, remove and a look for a job, account for nobody's. Each is a short play of steps and
 * free exchanges that ends in one result; nothing in it can buy.
 */
#ifndef FG_ENGINE_VERB_H
#define FG_ENGINE_VERB_H

#include "engine/step.h"

struct verb_result {
	int outcome;                    /* 0, ENGINE_E_PROVIDER, …_CREDENTIAL, …_UNREACHABLE or …_DRAINING */
	const char *text;               /* why not, for a person */
	enum job_cancel_outcome cancel; /* cancel: UPSTREAM, TOO_LATE, or DETACHED when it is not confirmed */
	const char *report;             /* account, catalogue: JSON */
	/* Why not, in the plugin's words: what FAILED and TROUBLE hold. NULL: the outcome came of something else. */
	const struct plugin_failure *failure;
	bool is_final;  /* it FAILED */
	bool was_asked; /* by the provider's reply to the last exchange that the plugin wanted */
};

/* On the engine thread; @result is valid during it. */
typedef void verb_told_fn(void *userdata, const struct verb_result *result);
/* Of no job. @told exactly once, perhaps before this returns. */
void verb_run(const struct step_subject *subject, enum plugin_verb verb, verb_told_fn *told, void *userdata);

bool verb_is_offered(const struct lane *lane, enum plugin_verb verb);
/* While it runs, entry->verb is set and the entry stays. @then on the engine thread; @result is valid during it. */
void verb_run_job(struct entry *entry, enum plugin_verb verb,
		  void (*then)(struct entry *entry, const struct verb_result *result));
/* One poll for @remote_id, which the job has not, and which must stay until @then. Nothing of the answer is kept: 0 says
 * that the provider knows it, if it was asked. */
void verb_run_look(struct entry *entry, const char *remote_id,
		   void (*then)(struct entry *entry, const struct verb_result *result));

#endif
