/*
 * What an asset is: a picture, video or sound that a user gave us to work from. An asset goes in, an artifact comes
 * out. It is named by its content, so the same bytes are the same asset, however often they are given.
 *
 * Pure values, like job.h.
 */
#ifndef FG_JOB_ASSET_H
#define FG_JOB_ASSET_H

#include "base/digest.h"
#include "base/id.h"

#define ASSET_NAME_SIZE (7 + DIGEST_TEXT_SIZE) /* "assets/", 64 digits and the NUL */
#define ASSET_MEDIA_TYPE_SIZE 64

/* Numbers are stored: never renumber, only append. */
enum asset_kind {
	ASSET_KIND_IMAGE = 1,
	ASSET_KIND_VIDEO = 2,
	ASSET_KIND_AUDIO = 3,
};

struct asset {
	struct digest sha256;
	struct id id; /* of the moment at which it was stored: lists are sorted by it */
	uint64_t size_bytes;
	char media_type[ASSET_MEDIA_TYPE_SIZE]; /* as found in the bytes: "image/png" */
	int64_t duration_ms;                    /* 0: a still, or not known */
	uint32_t width, height;                 /* 0: a sound, or not known */
	int64_t created_ms;
	char *display_name; /* NULL: none */
};

/* Frees what it holds. */
void asset_finish(struct asset *asset);

/* By the media type: what is neither video/ nor audio/ is a picture. */
enum asset_kind asset_kind_of(const struct asset *asset);
/* "image", "video", "audio": the words of capability documents. */
const char *asset_kind_name(enum asset_kind kind);

/* "assets/" and 64 lower-case hexadecimal digits; false for anything else. */
bool asset_name_parse(struct bytes name, struct digest *ret);
void asset_name_format(const struct digest *sha256, char text[static ASSET_NAME_SIZE]);

#endif
