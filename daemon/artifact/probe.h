/*
 * What media some bytes are, found by looking at them. [any-thread]; reads little of them.
 */
#ifndef FG_ARTIFACT_PROBE_H
#define FG_ARTIFACT_PROBE_H

#include "artifact/artifact.h"
#include "artifact/source.h"

struct probe {
	const char *media_type;         /* static; NULL: nothing known */
	bool has_picture;               /* it has a moving picture */
	int64_t duration_ms;            /* 0: not known */
	uint32_t width, height;         /* 0: not known */
	uint32_t frame_rate_millihertz; /* 0: not known; so this and the next are without ffprobe */
	enum artifact_sound sound;
};

/*
 * All return 0, ARTIFACT_E_NOT_MEDIA, ARTIFACT_E_TRUNCATED or negative errno, with words in @msg; @ret is set on 0.
 */

/* Is it what @role, a word of artifact.proto, says? */
int probe_source(const struct source *source, const char *role, struct probe *ret, struct errmsg *msg);

int mp4_probe(const struct source *source, struct probe *ret, struct errmsg *msg);
int webm_probe(const struct source *source, struct probe *ret, struct errmsg *msg);
int image_probe(const struct source *source, struct probe *ret, struct errmsg *msg);
int text_probe(const struct source *source, struct probe *ret, struct errmsg *msg);

/* Do the bytes begin as one of these? */
bool mp4_is_begun(const struct source *source);
bool webm_is_begun(const struct source *source);
bool image_is_begun(const struct source *source);

/* Milliseconds; 0 when not finite, not positive or beyond the limit. */
int64_t probe_duration_ms(uint64_t units, uint64_t units_per_s);

#endif
