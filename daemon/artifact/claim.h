/*
 * Who holds which content. Any number of seals may claim a content at once; a collector claims it alone, and whoever
 * wants to claim it meanwhile waits until the collector is done. [any-thread]
 */
#ifndef FG_ARTIFACT_CLAIM_H
#define FG_ARTIFACT_CLAIM_H

#include "artifact/artifact.h"

#include <pthread.h>

enum {
	_CLAIM_E_OK,
	CLAIM_E_HELD, /* somebody claims it */
};

/* A wish to collect a content. Inert when zeroed. */
struct collection {
	artifact_referenced_fn *is_referenced;
	void *userdata;
};

struct claim;

struct claims {
	pthread_mutex_t mutex;
	pthread_cond_t collected;
	struct claim *buckets[256]; /* by the first byte: digests are evenly spread */
};

void claims_init(struct claims *claims);
/* Forgets the claims that are still held. */
void claims_finish(struct claims *claims);

/* Waits while the content is being collected: for one question to the store and an unlink. 0 or -ENOMEM. */
int claims_take(struct claims *claims, const struct digest *sha256);
/* @ret: the wish that was put off while the content was claimed, if this was the last claim; else zeroed. */
void claims_drop(struct claims *claims, const struct digest *sha256, struct collection *ret);

/* Does not wait. On CLAIM_E_HELD the wish is put off to the last claims_drop(). Or -ENOMEM. */
int claims_take_alone(struct claims *claims, const struct digest *sha256, const struct collection *wish);
void claims_drop_alone(struct claims *claims, const struct digest *sha256);

#endif
