/*
 * What the files of this room share: the store and its folders.
 */
#ifndef FG_ARTIFACT_INTERNAL_H
#define FG_ARTIFACT_INTERNAL_H

#include "artifact/claim.h"
#include "artifact/worker.h"
#include "base/dir.h"

#include <stdatomic.h>

#define STAGING_NAME_SIZE 129 /* a staging file's name and the NUL */
#define FAN_OUT_SIZE 3        /* "ab" and the NUL */

struct artifact_store {
	char *path;    /* for messages; files are reached through the descriptors */
	char *ffprobe; /* or NULL */
	char *ffmpeg;  /* or NULL */
	int stop_fd;   /* an event: readable once the store closes */
	uint64_t floor_bytes;
	int staging_fd, content_fd, stills_fd; /* folders */
	pthread_mutex_t mutex;
	uint64_t reserved_bytes; /* under the mutex */
	atomic_bool has_stopped_copies;
	bool is_copying;      /* under the mutex: */
	struct task *put_off; /* collections, until the copy is made */
	struct claims claims;
	struct workers workers;
	struct workers openers; /* apart, since a seal may take long */
	struct workers lookers; /* likewise */
};

struct artifact_staging {
	struct artifact_store *store;
	int fd;
	char name[STAGING_NAME_SIZE];
};

/* Where a content lies: the folder below content_fd, and the name in it. */
struct place {
	char folder[FAN_OUT_SIZE];
	char name[DIGEST_TEXT_SIZE - FAN_OUT_SIZE + 1];
};

struct place place_of(const struct digest *sha256);

/* A stream of its own, since a descriptor's place is shared. NULL, and errno. */
DIR *dir_open(int parent_fd, const char *name);

/* A content of that size: 0 and a descriptor, ARTIFACT_E_DAMAGED, which has been logged, or negative errno. */
int content_open(const struct artifact_store *store, const struct digest *sha256, uint64_t size_bytes, int *ret_fd);

/* ARTIFACT_E_NO_SPACE for a full disk or quota, else @error, a negative errno. */
int store_outcome(int error);

/* False while a copy is being made: then @take is run after that. */
bool copy_lets_collect(struct artifact_store *store, struct task *take);

#endif
