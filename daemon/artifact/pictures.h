/*
 * What a row of small pictures shows: nothing, or always the same. Pure.
 */
#ifndef FG_ARTIFACT_PICTURES_H
#define FG_ARTIFACT_PICTURES_H

#include "artifact/artifact.h"

#define PICTURE_WIDTH 64
#define PICTURE_HEIGHT 36
#define PICTURE_BYTES (PICTURE_WIDTH * PICTURE_HEIGHT) /* one of brightness, 0 to 255, for each cell */

/* @n pictures, spread evenly over @duration_ms; too few of them, and nothing is known. */
struct artifact_looked pictures_judge(const uint8_t *pictures, size_t n, int64_t duration_ms);

#endif
