/*
 * Can this model make this order? The capability document of a plugin's manifest (its member "models", described in
 * sdk/MANIFEST.md) says what a model takes; the canonical parameters are filmgate.v1.JobParameters as JSON.
 *
 * Pure: bytes in, violations out. A capability document that was taken may be asked from any number of threads at once.
 */
#ifndef FG_JOB_VALIDATE_H
#define FG_JOB_VALIDATE_H

#include "base/bytes.h"
#include "base/digest.h"
#include "base/limits.h"
#include "job/job.h"

#include <stdbool.h>

struct asset;
struct errmsg;
struct job_capabilities;

enum {
	_JOB_VALIDATE_E_OK,
	JOB_VALIDATE_E_MANIFEST, /* the document is not one; the message says where and why */
	JOB_VALIDATE_E_VIOLATED, /* the order does not fit; the verdict says all of it */
};

/* One field that does not fit: its path in the words of the contract ("parameters.script.text"), and one sentence that
 * names the value and what the model can do. */
struct job_violation {
	char *field;
	char *text;
};

/* A medium of an order that is an address or an asset: what only they can be asked who may look outside. */
struct job_input {
	char *field;                             /* "parameters.media[0].asset" */
	char *url;                               /* or NULL: an asset */
	struct digest asset;                     /* its SHA-256 */
	char kind[8];                            /* that the order says it is; "": it does not say */
	const struct job_capabilities *document; /* lives as long as they do */
	uint32_t limits;                         /* the model's for this place, a node of the document */
	const char *media_kinds[2];              /* that the place takes where the limits say nothing */
};

enum job_validation {
	JOB_VALIDATE_STRICT, /* what does not fit is refused */
	JOB_VALIDATE_ADAPT, /* what can be brought to fit without another film coming of it is changed, and noted; see adapt.c */
};

/* What became of an order. Inert when zeroed. */
struct job_verdict {
	const char *model; /* the model that was meant; lives as long as the capabilities; NULL when there is none */
	char *canonical;   /* of an order that fits: its parameters with their members sorted; may be stolen */
	char *asked;       /* the same of the parameters as they were asked, where they were changed; else NULL */
	struct job_status *changes; /* whose notes say what was changed; NULL: nothing */
	struct job_violation violations[LIMIT_JOB_VIOLATIONS];
	size_t n_violations;
	bool is_cut; /* there were more */
	struct job_input inputs[LIMIT_JOB_INPUTS];
	size_t n_inputs;
	int fault; /* 0 or -ENOMEM: what is here is not all */
};

/*
 * Takes the capability document out of @manifest, all of whose text is borrowed for the call only, and checks it: what
 * job_validate() reads later is then known to be well formed.
 *
 * Returns 0 and capabilities that the caller frees; JOB_VALIDATE_E_MANIFEST with words in @error (may be NULL);
 * -ENOMEM.
 */
int job_capabilities_new(struct bytes manifest, struct job_capabilities **ret, struct errmsg *error);
struct job_capabilities *job_capabilities_free(struct job_capabilities *capabilities);
void job_capabilities_freep(struct job_capabilities **capabilities);

/* The names of the models in the manifest's order; NULL behind the last. Valid as long as the capabilities. */
const char *job_capabilities_model(const struct job_capabilities *capabilities, size_t n);

/*
 * Holds @parameters, a JSON object, against what @model can do. NULL or "" means the only model there is. Nothing is
 * filled in: what the user left out stays out. With JOB_VALIDATE_ADAPT it is changed first as far as that is decent.
 *
 * Returns 0 when all fits; JOB_VALIDATE_E_VIOLATED; -ENOMEM. @verdict is set in each case, and the caller finishes it.
 */
int job_validate(const struct job_capabilities *capabilities, const char *model, struct bytes parameters,
		 enum job_validation how, struct job_verdict *verdict);
void job_verdict_finish(struct job_verdict *verdict);

/*
 * What the caller found out about the verdict's inputs. Each may add a violation; then the order does not fit after all.
 *
 * Does @asset, which @input names, have the kind, the media type and the size that the order says and the model takes?
 * NULL: there is no such asset.
 */
void job_verdict_check_asset(struct job_verdict *verdict, const struct job_input *input, const struct asset *asset);
/* @input's address leads into a private network, or cannot be read, or neither. */
void job_verdict_judge_address(struct job_verdict *verdict, const struct job_input *input, bool is_private,
			       bool is_unreadable);

#endif
