#include "artifact/probe.h"
#include "base/limits.h"

#include <string.h>

/* Stills: JPEG, PNG, GIF and WebP, each by its first bytes, its size by its header, its whole by its end mark. */

static int cut_short(struct errmsg *msg, const char *kind)
{
	errmsg_set(msg, "the picture is cut short: it begins as %s and has no end", kind);
	return ARTIFACT_E_TRUNCATED;
}

/* Some writers pad; so the mark is looked for in the tail. */
static bool has_in_tail(const struct source *source, const void *mark, size_t len)
{
	uint8_t tail[LIMIT_ARTIFACT_TAIL];
	size_t n = source->size < sizeof(tail) ? (size_t)source->size : sizeof(tail);

	return source_read(source, source->size - n, tail, n) == 0 && memmem(tail, n, mark, len);
}

/* A frame header (SOF): FFC0 to FFCF without DHT, JPG and DAC. */
static bool is_frame(uint8_t marker)
{
	return marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 && marker != 0xcc;
}

/* The segments in front of the picture's data, to the frame header; what cannot be found stays not known. */
static void read_jpeg_size(const struct source *source, struct probe *probe)
{
	uint64_t at = 2;
	uint8_t bytes[9];

	for (int i = 0; i < 1024 && source_read(source, at, bytes, sizeof(bytes)) == 0 && bytes[0] == 0xff; i++) {
		if (is_frame(bytes[1])) {
			probe->height = read_be16(bytes + 5);
			probe->width = read_be16(bytes + 7);
			return;
		}
		at += bytes[1] == 0xff ? 1u : 2u + read_be16(bytes + 2);
	}
}

static int probe_jpeg(const struct source *source, struct probe *ret, struct errmsg *msg)
{
	struct probe probe = {.media_type = "image/jpeg"};

	if (!has_in_tail(source, "\xff\xd9", 2))
		return cut_short(msg, "JPEG");
	read_jpeg_size(source, &probe);
	*ret = probe;
	return 0;
}

static int probe_png(const struct source *source, struct probe *ret, struct errmsg *msg)
{
	uint8_t bytes[24];

	if (source_read(source, 0, bytes, sizeof(bytes)) || !has_in_tail(source, "IEND\xae\x42\x60\x82", 8))
		return cut_short(msg, "PNG");
	*ret = (struct probe){
		.media_type = "image/png", .width = read_be32(bytes + 16), .height = read_be32(bytes + 20)};
	return 0;
}

static int probe_gif(const struct source *source, struct probe *ret, struct errmsg *msg)
{
	uint8_t bytes[10];

	if (source_read(source, 0, bytes, sizeof(bytes)) || !has_in_tail(source, "\x00\x3b", 2))
		return cut_short(msg, "GIF");
	*ret = (struct probe){.media_type = "image/gif", .width = read_le16(bytes + 6), .height = read_le16(bytes + 8)};
	return 0;
}

/* Its first chunk has the size, in one of three ways. */
static void read_webp_size(const uint8_t bytes[static 30], struct probe *probe)
{
	if (memcmp(bytes + 12, "VP8X", 4) == 0) {
		probe->width = read_le24(bytes + 24) + 1;
		probe->height = read_le24(bytes + 27) + 1;
	} else if (memcmp(bytes + 12, "VP8L", 4) == 0) {
		probe->width = (read_le32(bytes + 21) & 0x3fff) + 1;
		probe->height = (read_le32(bytes + 21) >> 14 & 0x3fff) + 1;
	} else if (memcmp(bytes + 12, "VP8 ", 4) == 0) {
		probe->width = read_le16(bytes + 26) & 0x3fff;
		probe->height = read_le16(bytes + 28) & 0x3fff;
	}
}

static int probe_webp(const struct source *source, struct probe *ret, struct errmsg *msg)
{
	struct probe probe = {.media_type = "image/webp"};
	uint8_t bytes[30];

	if (source_read(source, 0, bytes, sizeof(bytes)) || read_le32(bytes + 4) + UINT64_C(8) > source->size)
		return cut_short(msg, "WebP");
	read_webp_size(bytes, &probe);
	*ret = probe;
	return 0;
}

typedef int probe_fn(const struct source *source, struct probe *ret, struct errmsg *msg);

static probe_fn *find(const struct source *source)
{
	uint8_t bytes[12];

	if (source_read(source, 0, bytes, sizeof(bytes)))
		return NULL;
	if (memcmp(bytes, "\xff\xd8\xff", 3) == 0)
		return probe_jpeg;
	if (memcmp(bytes, "\x89PNG\r\n\x1a\n", 8) == 0)
		return probe_png;
	if (memcmp(bytes, "GIF87a", 6) == 0 || memcmp(bytes, "GIF89a", 6) == 0)
		return probe_gif;
	if (memcmp(bytes, "RIFF", 4) == 0 && memcmp(bytes + 8, "WEBP", 4) == 0)
		return probe_webp;
	return NULL;
}

bool image_is_begun(const struct source *source)
{
	return find(source);
}

int image_probe(const struct source *source, struct probe *ret, struct errmsg *msg)
{
	struct probe probe = {0};
	int r = find(source)(source, &probe, msg);

	if (r)
		return r;
	if (probe.width > LIMIT_ARTIFACT_SIDE || probe.height > LIMIT_ARTIFACT_SIDE)
		probe.width = probe.height = 0;
	*ret = probe;
	return 0;
}
