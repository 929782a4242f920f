#include "artifact/probe.h"
#include "base/limits.h"

#include <string.h>

/*
 * WebM is Matroska, that is EBML (RFC 8794): elements of id, size and content. A size of all ones means not known;
 * such an element reaches to the end. One Segment holds Info, Tracks and then Clusters of samples.
 */

#define ID_EBML 0x1a45dfa3u
#define ID_DOCTYPE 0x4282u
#define ID_SEGMENT 0x18538067u
#define ID_INFO 0x1549a966u
#define ID_TIMESTAMP_SCALE 0x2ad7b1u
#define ID_DURATION 0x4489u
#define ID_TRACKS 0x1654ae6bu
#define ID_TRACK 0xaeu
#define ID_TRACK_TYPE 0x83u
#define ID_VIDEO 0xe0u
#define ID_WIDTH 0xb0u
#define ID_HEIGHT 0xbau
#define ID_CLUSTER 0x1f43b675u

enum {
	ELEMENT_END = 1000, /* of the container; apart from the room's outcomes */
};

struct element {
	uint32_t id;
	uint64_t start, end;
	bool is_open; /* of unknown size */
};

struct reading {
	const struct source *source;
	struct errmsg *msg;
	struct probe probe;
	uint32_t n_elements;
	bool is_matroska, has_tracks, has_cluster;
	uint64_t scale_ns;
	double duration; /* in scale_ns */
};

typedef int element_fn(struct reading *reading, const struct element *element);

static int cut_short(const struct reading *reading, uint64_t at)
{
	errmsg_set(reading->msg, "the video is cut short: the element at byte %llu reaches beyond its %llu bytes",
		   (unsigned long long)at, (unsigned long long)reading->source->size);
	return ARTIFACT_E_TRUNCATED;
}

static int broken(const struct reading *reading, uint64_t at)
{
	errmsg_set(reading->msg, "the video is damaged: there is no element of Matroska at byte %llu",
		   (unsigned long long)at);
	return ARTIFACT_E_NOT_MEDIA;
}

/* How many bytes a number has is in the zeros in front of its first one; 0: no such number. */
static unsigned int length_of(uint8_t first)
{
	return first ? (unsigned int)__builtin_clz(first) - 23u : 0;
}

/* A number at @at, with its marker; @ret_len its length. */
static int read_number(struct reading *reading, uint64_t at, uint64_t end, uint64_t *ret, unsigned int *ret_len)
{
	uint8_t bytes[8] = {0};
	unsigned int len;
	uint64_t value = 0;
	int r;

	if (at >= end)
		return end == reading->source->size ? cut_short(reading, at) : broken(reading, at);
	r = source_read(reading->source, at, bytes, 1);
	if (r < 0)
		return r;
	len = length_of(bytes[0]);
	if (len == 0)
		return broken(reading, at);
	if (len > end - at)
		return end == reading->source->size ? cut_short(reading, at) : broken(reading, at);
	r = source_read(reading->source, at, bytes, len);
	if (r < 0)
		return r;
	for (unsigned int i = 0; i < len; i++)
		value = value << 8 | bytes[i];
	*ret = value;
	*ret_len = len;
	return 0;
}

static int read_element(struct reading *reading, uint64_t at, uint64_t end, struct element *ret)
{
	uint64_t id, size, mask, start = at;
	unsigned int len;
	int r;

	if (at == end)
		return ELEMENT_END;
	r = read_number(reading, at, end, &id, &len);
	if (r)
		return r;
	if (len > 4 || reading->n_elements++ >= LIMIT_ARTIFACT_BOXES)
		return broken(reading, at);
	at += len;
	r = read_number(reading, at, end, &size, &len);
	if (r)
		return r;
	at += len;
	mask = (UINT64_C(1) << (7 * len)) - 1;
	size &= mask;
	*ret = (struct element){.id = (uint32_t)id, .start = at, .is_open = size == mask};
	if (ret->is_open)
		size = end - at;
	if (size > end - at)
		return end == reading->source->size ? cut_short(reading, start) : broken(reading, start);
	ret->end = at + size;
	return 0;
}

static int each_element(struct reading *reading, uint64_t at, uint64_t end, element_fn *fn)
{
	struct element element;
	int r;

	while ((r = read_element(reading, at, end, &element)) == 0) {
		r = fn(reading, &element);
		if (r)
			return r;
		at = element.end;
	}
	return r == ELEMENT_END ? 0 : r;
}

static int read_unsigned(struct reading *reading, const struct element *element, uint64_t *ret)
{
	uint64_t len = element->end - element->start, value = 0;
	uint8_t bytes[8];
	int r;

	if (len > sizeof(bytes))
		return broken(reading, element->start);
	r = source_read(reading->source, element->start, bytes, (size_t)len);
	if (r)
		return r;
	for (uint64_t i = 0; i < len; i++)
		value = value << 8 | bytes[i];
	*ret = value;
	return 0;
}

static int read_float(struct reading *reading, const struct element *element, double *ret)
{
	uint64_t len = element->end - element->start, value;
	int r = read_unsigned(reading, element, &value);

	if (r)
		return r;
	if (len == 4) {
		uint32_t half = (uint32_t)value;
		float number;

		memcpy(&number, &half, sizeof(number));
		*ret = (double)number;
	} else if (len == 8) {
		memcpy(ret, &value, sizeof(*ret));
	}
	return 0;
}

static int read_info(struct reading *reading, const struct element *element)
{
	if (element->id == ID_TIMESTAMP_SCALE)
		return read_unsigned(reading, element, &reading->scale_ns);
	if (element->id == ID_DURATION)
		return read_float(reading, element, &reading->duration);
	return 0;
}

static int read_video(struct reading *reading, const struct element *element)
{
	uint32_t *side = element->id == ID_WIDTH    ? &reading->probe.width
			 : element->id == ID_HEIGHT ? &reading->probe.height
						    : NULL;
	uint64_t value;
	int r;

	if (!side)
		return 0;
	r = read_unsigned(reading, element, &value);
	if (r == 0 && value > *side && value <= LIMIT_ARTIFACT_SIDE)
		*side = (uint32_t)value;
	return r;
}

static int read_track(struct reading *reading, const struct element *element)
{
	uint64_t type;
	int r;

	if (element->id == ID_VIDEO)
		return each_element(reading, element->start, element->end, read_video);
	if (element->id != ID_TRACK_TYPE)
		return 0;
	r = read_unsigned(reading, element, &type);
	if (r == 0 && type == 1)
		reading->probe.has_picture = true;
	return r;
}

static int read_tracks(struct reading *reading, const struct element *element)
{
	return element->id == ID_TRACK ? each_element(reading, element->start, element->end, read_track) : 0;
}

static int read_segment(struct reading *reading, const struct element *element)
{
	switch (element->id) {
	case ID_INFO:
		return each_element(reading, element->start, element->end, read_info);
	case ID_TRACKS:
		reading->has_tracks = true;
		return each_element(reading, element->start, element->end, read_tracks);
	case ID_CLUSTER:
		reading->has_cluster = true;
		return 0;
	default:
		return 0;
	}
}

static int read_header(struct reading *reading, const struct element *element)
{
	char text[9] = "";
	uint64_t len = element->end - element->start;
	int r;

	if (element->id != ID_DOCTYPE)
		return 0;
	r = source_read(reading->source, element->start, text, len < 8 ? (size_t)len : 8);
	reading->is_matroska = strcmp(text, "matroska") == 0;
	if (r == 0 && !reading->is_matroska && strcmp(text, "webm") != 0)
		return broken(reading, element->start);
	return r;
}

static int read_top(struct reading *reading, const struct element *element)
{
	if (element->id == ID_EBML)
		return each_element(reading, element->start, element->end, read_header);
	if (element->id == ID_SEGMENT)
		return each_element(reading, element->start, element->end, read_segment);
	return 0;
}

bool webm_is_begun(const struct source *source)
{
	uint8_t bytes[4];

	return source_read(source, 0, bytes, sizeof(bytes)) == 0 && read_be32(bytes) == ID_EBML;
}

int webm_probe(const struct source *source, struct probe *ret, struct errmsg *msg)
{
	struct reading reading = {.source = source, .msg = msg, .scale_ns = 1000000};
	int r = each_element(&reading, 0, source->size, read_top);
	double duration_ms;

	if (r)
		return r;
	if (!reading.has_tracks || !reading.has_cluster)
		return cut_short(&reading, source->size);
	duration_ms = reading.duration * (double)reading.scale_ns / 1e6;
	if (duration_ms > 0 && duration_ms <= (double)LIMIT_ARTIFACT_DURATION_MS)
		reading.probe.duration_ms = (int64_t)duration_ms;
	reading.probe.media_type = reading.is_matroska         ? "video/x-matroska"
				   : reading.probe.has_picture ? "video/webm"
							       : "audio/webm";
	*ret = reading.probe;
	return 0;
}
