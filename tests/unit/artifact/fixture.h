/*
 * A store in a folder of its own, seals that are waited for, and small media made by hand.
 */
#ifndef FG_TESTS_UNIT_ARTIFACT_FIXTURE_H
#define FG_TESTS_UNIT_ARTIFACT_FIXTURE_H

#include "artifact/internal.h"
#include "artifact/probe.h"

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

struct fixture {
	char path[PATH_MAX];
	struct artifact_store *store;
};

void fixture_open(struct fixture *fixture, const char *ffprobe);
void fixture_open_with(struct fixture *fixture, const char *ffprobe, const char *ffmpeg);
void fixture_close(struct fixture *fixture);
/* Opens the store of that folder. */
void fixture_start(struct fixture *fixture, const char *ffprobe);
/* Files below its folder @name. */
size_t fixture_count(const struct fixture *fixture, const char *name);

struct artifact_staging *stage(struct artifact_store *store, const char *name, struct bytes bytes);
/* Stages the bytes, seals them and waits. */
struct artifact_sealed seal(struct artifact_store *store, const char *role, struct bytes bytes);

/* Opens a content and waits: artifact_open()'s outcome. */
int open_content(struct artifact_store *store, const struct digest *sha256, uint64_t size_bytes, int *ret_fd);
/* Where the content lies. */
void content_path(const struct fixture *fixture, const struct digest *sha256, char path[PATH_MAX]);

/* ftyp, moov (one second of 640 x 360), mdat of 64 bytes; the caller's to finish. */
void make_mp4(struct buffer *ret);
void make_webm(struct buffer *ret);
struct bytes part(const struct buffer *buffer, size_t len);

#endif
