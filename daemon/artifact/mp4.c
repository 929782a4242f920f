#include "artifact/probe.h"
#include "base/limits.h"

/*
 * ISO base media (MP4, QuickTime) is a row of boxes, each with its size in front: a file that was cut short has a box
 * that is longer than what is left, or lacks its index ("moov") or its samples ("mdat").
 * ISO/IEC 14496-12: a size of 1 means that 64 bits of it follow, 0 that the box reaches to the end.
 */

#define BOX(a, b, c, d) ((uint32_t)(a) << 24 | (uint32_t)(b) << 16 | (uint32_t)(c) << 8 | (uint32_t)(d))

enum {
	BOX_END = 1000, /* of the container; apart from the room's outcomes */
};

struct box {
	uint32_t type;
	uint64_t start, end; /* of its content */
};

/* One walk through boxes; counts them for all its levels. */
struct walk {
	const struct source *source;
	struct errmsg *msg;
	struct probe probe;
	uint32_t n_boxes;
	bool has_moov, has_mdat, is_quicktime;
	uint64_t timescale, duration, fragments_duration;
};

static int cut_short(const struct walk *walk, uint64_t at, uint64_t needed)
{
	errmsg_set(walk->msg, "the video is cut short: the box at byte %llu needs %llu bytes and %llu are there",
		   (unsigned long long)at, (unsigned long long)needed, (unsigned long long)(walk->source->size - at));
	return ARTIFACT_E_TRUNCATED;
}

static int broken(const struct walk *walk, uint64_t at)
{
	errmsg_set(walk->msg, "the video is damaged: there is no box of ISO media at byte %llu",
		   (unsigned long long)at);
	return ARTIFACT_E_NOT_MEDIA;
}

static bool is_type(uint32_t type)
{
	for (int shift = 0; shift < 32; shift += 8) {
		uint32_t c = type >> shift & 0xff;

		if ((c < 0x20 || c > 0x7e) && c != 0xa9)
			return false;
	}
	return true;
}

/* The box at @at, in a container that ends at @end: 0, BOX_END or what is wrong. */
static int read_box(struct walk *walk, uint64_t at, uint64_t end, struct box *ret)
{
	bool is_top = end == walk->source->size;
	uint64_t head = 8, size;
	uint8_t bytes[16];
	int r;

	if (at == end)
		return BOX_END;
	if (end - at < 8)
		return is_top ? cut_short(walk, at, 8) : BOX_END;
	r = source_read(walk->source, at, bytes, 8);
	if (r < 0)
		return r;
	size = read_be32(bytes);
	if (!is_type(read_be32(bytes + 4)) || walk->n_boxes++ >= LIMIT_ARTIFACT_BOXES)
		return broken(walk, at);
	if (size == 1) {
		head = 16;
		if (end - at < 16)
			return cut_short(walk, at, 16);
		r = source_read(walk->source, at, bytes, 16);
		if (r < 0)
			return r;
		size = read_be64(bytes + 8);
	} else if (size == 0) {
		size = end - at;
	}
	if (size < head)
		return broken(walk, at);
	if (size > end - at)
		return is_top ? cut_short(walk, at, size) : broken(walk, at);
	*ret = (struct box){.type = read_be32(bytes + 4), .start = at + head, .end = at + size};
	return 0;
}

/* The first @len bytes of a full box, which must be there. */
static int read_content(struct walk *walk, const struct box *box, uint8_t *ret, size_t len)
{
	if (box->end - box->start < len)
		return broken(walk, box->start);
	return source_read(walk->source, box->start, ret, len);
}

/* 32 bits, or 64 in version 1; all ones means not known. */
static uint64_t duration_of(const uint8_t *at, bool is_long)
{
	uint64_t duration = is_long ? read_be64(at) : read_be32(at);

	return duration == (is_long ? UINT64_MAX : UINT32_MAX) ? 0 : duration;
}

static int read_mvhd(struct walk *walk, const struct box *box)
{
	uint8_t bytes[32] = {0};
	int r = read_content(walk, box, bytes, 20);

	if (r == 0 && bytes[0] == 1)
		r = read_content(walk, box, bytes, 32);
	if (r)
		return r;
	walk->timescale = read_be32(bytes + (bytes[0] == 1 ? 20 : 12));
	walk->duration = duration_of(bytes + (bytes[0] == 1 ? 24 : 16), bytes[0] == 1);
	return 0;
}

static int read_mehd(struct walk *walk, const struct box *box)
{
	uint8_t bytes[12] = {0};
	int r = read_content(walk, box, bytes, 8);

	if (r == 0 && bytes[0] == 1)
		r = read_content(walk, box, bytes, 12);
	if (r == 0)
		walk->fragments_duration = duration_of(bytes + 4, bytes[0] == 1);
	return r;
}

/* Width and height are 16.16 fixed point, the last eight bytes that are defined. */
static int read_tkhd(struct walk *walk, const struct box *box)
{
	uint8_t bytes[96] = {0};
	size_t at = 76;
	int r = read_content(walk, box, bytes, 84);

	if (r == 0 && bytes[0] == 1) {
		at = 88;
		r = read_content(walk, box, bytes, 96);
	}
	if (r)
		return r;
	if (read_be16(bytes + at) > walk->probe.width)
		walk->probe.width = read_be16(bytes + at);
	if (read_be16(bytes + at + 4) > walk->probe.height)
		walk->probe.height = read_be16(bytes + at + 4);
	return 0;
}

static int read_hdlr(struct walk *walk, const struct box *box)
{
	uint8_t bytes[12];
	int r = read_content(walk, box, bytes, sizeof(bytes));

	if (r == 0 && read_be32(bytes + 8) == BOX('v', 'i', 'd', 'e'))
		walk->probe.has_picture = true;
	return r;
}

static int read_moov_child(struct walk *walk, const struct box *box)
{
	switch (box->type) {
	case BOX('m', 'v', 'h', 'd'):
		return read_mvhd(walk, box);
	case BOX('t', 'k', 'h', 'd'):
		return read_tkhd(walk, box);
	case BOX('h', 'd', 'l', 'r'):
		return read_hdlr(walk, box);
	case BOX('m', 'e', 'h', 'd'):
		return read_mehd(walk, box);
	default:
		return 0;
	}
}

/* moov, in it trak and mvex, in trak mdia: known by name, so that nothing nests deeper than this. */
static int read_level(struct walk *walk, const struct box *parent, const uint32_t *containers)
{
	uint64_t at = parent->start;
	struct box box;
	int r;

	while ((r = read_box(walk, at, parent->end, &box)) == 0) {
		if (containers[0] && (box.type == containers[0] || box.type == BOX('m', 'v', 'e', 'x')))
			r = read_level(walk, &box, containers + 1);
		else
			r = read_moov_child(walk, &box);
		if (r)
			return r;
		at = box.end;
	}
	return r == BOX_END ? 0 : r;
}

static int read_ftyp(struct walk *walk, const struct box *box)
{
	uint8_t brand[4];
	int r = read_content(walk, box, brand, sizeof(brand));

	if (r == 0 && read_be32(brand) == BOX('q', 't', ' ', ' '))
		walk->is_quicktime = true;
	return r;
}

static int read_top(struct walk *walk, const struct box *box)
{
	static const uint32_t containers[] = {BOX('t', 'r', 'a', 'k'), BOX('m', 'd', 'i', 'a'), 0};

	switch (box->type) {
	case BOX('f', 't', 'y', 'p'):
		return read_ftyp(walk, box);
	case BOX('m', 'o', 'o', 'v'):
		walk->has_moov = true;
		return read_level(walk, box, containers);
	case BOX('m', 'd', 'a', 't'):
		walk->has_mdat = true;
		return 0;
	default:
		return 0;
	}
}

bool mp4_is_begun(const struct source *source)
{
	static const uint32_t first[] = {BOX('f', 't', 'y', 'p'), BOX('m', 'o', 'o', 'v'), BOX('m', 'd', 'a', 't'),
					 BOX('w', 'i', 'd', 'e'), BOX('f', 'r', 'e', 'e'), BOX('s', 'k', 'i', 'p')};
	uint8_t bytes[8];

	if (source_read(source, 0, bytes, sizeof(bytes)))
		return false;
	for (size_t i = 0; i < sizeof(first) / sizeof(*first); i++)
		if (read_be32(bytes + 4) == first[i])
			return true;
	return false;
}

static int conclude(struct walk *walk, struct probe *ret)
{
	if (!walk->has_moov || !walk->has_mdat) {
		errmsg_set(walk->msg, "the video is cut short: it ends after %llu bytes without %s",
			   (unsigned long long)walk->source->size,
			   walk->has_moov ? "its samples (mdat)" : "its index (moov)");
		return ARTIFACT_E_TRUNCATED;
	}
	walk->probe.duration_ms = probe_duration_ms(walk->duration ? walk->duration : walk->fragments_duration,
						    walk->timescale);
	walk->probe.media_type = !walk->probe.has_picture ? "audio/mp4"
				 : walk->is_quicktime     ? "video/quicktime"
							  : "video/mp4";
	*ret = walk->probe;
	return 0;
}

int mp4_probe(const struct source *source, struct probe *ret, struct errmsg *msg)
{
	struct walk walk = {.source = source, .msg = msg};
	uint64_t at = 0;
	struct box box;
	int r;

	while ((r = read_box(&walk, at, source->size, &box)) == 0) {
		r = read_top(&walk, &box);
		if (r)
			return r;
		at = box.end;
	}
	return r == BOX_END ? conclude(&walk, ret) : r;
}
