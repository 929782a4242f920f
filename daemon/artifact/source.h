/*
 * Bytes to look at, at random: a file's or a memory's. Little room is enough for a video of any size.
 */
#ifndef FG_ARTIFACT_SOURCE_H
#define FG_ARTIFACT_SOURCE_H

#include <stdint.h>
#include <stdlib.h>

struct source {
	int fd;               /* -1: bytes */
	const uint8_t *bytes; /* borrowed */
	uint64_t size;
};

/* 0, or negative errno; -ENODATA when the range is not all there. */
int source_read(const struct source *source, uint64_t offset, void *ret, size_t len);

static inline uint16_t read_be16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static inline uint32_t read_be32(const uint8_t *p)
{
	return (uint32_t)read_be16(p) << 16 | read_be16(p + 2);
}

static inline uint64_t read_be64(const uint8_t *p)
{
	return (uint64_t)read_be32(p) << 32 | read_be32(p + 4);
}

static inline uint16_t read_le16(const uint8_t *p)
{
	return (uint16_t)(p[1] << 8 | p[0]);
}

static inline uint32_t read_le24(const uint8_t *p)
{
	return (uint32_t)p[2] << 16 | read_le16(p);
}

static inline uint32_t read_le32(const uint8_t *p)
{
	return (uint32_t)p[3] << 24 | read_le24(p);
}

#endif
