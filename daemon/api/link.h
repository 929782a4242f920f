/*
 * Links to artifacts that are handed to people who have no other access: ArtifactService.CreateArtifactLink makes them, and
 * the door that serves files asks here what one leads to.
 */
#ifndef FG_API_LINK_H
#define FG_API_LINK_H

#include "job/job.h"

struct api;

#define LINK_PATH "/v1/links/"

enum {
	_LINK_E_OK,
	LINK_E_FORGED,  /* this store has not signed it */
	LINK_E_EXPIRED, /* @ret says of what, and when */
};

struct link {
	struct job_ref ref;
	uint32_t index;
	int64_t until_ms; /* UTC */
};

/* @token is what stands behind LINK_PATH. Whether there still is such an artifact is another question. [any-thread] */
int link_read(const struct api *api, const char *token, struct link *ret);

#endif
