#include "artifact/pictures.h"

#include "base/limits.h"

#include <stdlib.h>

/*
 * A cell is the average of its part of the picture, so what codecs do to a picture that stands still (noise around edges, a
 * better one at each key frame) is gone, and a small thing that moves, as lips or a clock, is not.
 */

#define BLACK 26      /* a tenth of white */
#define ALMOST_ALL 98 /* percent of the cells: a watermark is no picture */
#define MOVED 5       /* more than that, in any cell, is motion */
#define PICTURES_MIN 4

static bool is_black(const uint8_t *picture)
{
	size_t n = 0;

	for (size_t i = 0; i < PICTURE_BYTES; i++)
		n += picture[i] <= BLACK;
	return n * 100 >= (size_t)PICTURE_BYTES * ALMOST_ALL;
}

static bool is_same(const uint8_t *a, const uint8_t *b)
{
	for (size_t i = 0; i < PICTURE_BYTES; i++)
		if (abs(a[i] - b[i]) > MOVED)
			return false;
	return true;
}

/* How many show what the first of them shows. Not the one before: what changes slowly changes. */
static size_t count_same(const uint8_t *pictures, size_t n)
{
	size_t same = 1;

	while (same < n && is_same(pictures, pictures + same * PICTURE_BYTES))
		same++;
	return same;
}

struct artifact_looked pictures_judge(const uint8_t *pictures, size_t n, int64_t duration_ms)
{
	struct artifact_looked looked = {.is_known = true};
	size_t black = 0, frozen = 0;

	if (n < PICTURES_MIN || duration_ms <= 0)
		return (struct artifact_looked){0};
	for (size_t i = 0; i < n; i++)
		black += is_black(pictures + i * PICTURE_BYTES);
	for (size_t i = 0, same; i < n; i += same) {
		same = count_same(pictures + i * PICTURE_BYTES, n - i);
		if (same > 1 && (int64_t)same * duration_ms / (int64_t)n >= LIMIT_ARTIFACT_STILL_MS)
			frozen += same;
	}
	looked.black_ms = duration_ms * (int64_t)black / (int64_t)n;
	looked.frozen_ms = duration_ms * (int64_t)frozen / (int64_t)n;
	return looked;
}
